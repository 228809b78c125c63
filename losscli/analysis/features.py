"""Features as points of a plane: of two dimensions as they are, of more by principal components."""

from collections.abc import Iterable, Iterator

import numpy as np

from losscli.arrays import FARTHEST, Array
from losscli.data.columns import Columns
from losscli.data.dataset import assign, join
from losscli.data.labels import as_number, distinct
from losscli.data.target_encoding import is_ignored
from losscli.data.targets import check_rows
from losscli.definition.request import Request
from losscli.errors import DataError
from losscli.findings import warned
from losscli.io.bytes import Raw
from losscli.io.operands import Opener
from losscli.io.source import Source, blocks, whole
from losscli.lookup.names import find
from losscli.records import dataclass
from losscli.wording import count, natural, written

LARGEST = 4096
"""Largest number of dimensions, or of rows, for which eigenvectors are computed."""

ROWS_AT_ONCE = 1 << 20
MOST_DRAWN = 20_000
"""The most points that are drawn; of more, a random sample of this size, since they hide each other."""
MOST_BYTES = 4 << 30
"""Bytes of memory that principal components of rows may take that are held together."""
BYTES_PER_NUMBER = 48
"""Bytes that a number of such rows takes about."""

ROUNDING = 1e-12
"""A smaller part of the variance is none, except for rounding."""


@dataclass(frozen=True)
class Cloud:
    """Points by class.

    `points` has shape (n, 2), `index` (n,) is the class of each point, `names` are those of the classes, and `centers`
    has one row per class, NaN if it has none. Of more than `MOST_DRAWN` rows these are a random sample.
    """

    points: Array
    index: Array
    names: tuple[str, ...]
    rows: Array
    """Number of rows of each class, drawn or not."""
    centers: Array
    centers_given: bool
    """Whether the centers come from a file; otherwise they are the means of the classes."""
    labels: tuple[str, str]
    """Names of the two axes."""
    dimensions: int
    """Number of features per row; if there are more than two, the points are a projection."""
    notes: tuple[str, ...]
    ignored: int
    files: frozenset[str]
    """Real paths of all files that were read."""


def load(
    features: str,
    labels: str,
    centers: str | None = None,
    id: str | None = None,
    columns: str | None = None,
    header: bool | None = None,
    sep: str | None = None,
    decimal: str | None = None,
    comment: str | None = None,
    skip_rows: int = 0,
    dtype: str | None = None,
    ignore_index: str | None = None,
    on_unmatched: str = "error",
) -> Cloud:
    """Read features, labels and centers; the operands and options mean the same as for `compute center`.

    Raises
    ------
    UsageError
        if options contradict each other.
    DataError
        if files cannot be used, or features have fewer than two dimensions.
    """
    request = Request(
        find("center").bind(),
        features,
        labels,
        centers=centers,
        id=id,
        on_unmatched=on_unmatched,
        columns=columns,
        header=header,
        sep=sep,
        decimal=decimal,
        comment=comment,
        skip_rows=skip_rows,
        dtype=dtype,
        ignore_index=ignore_index,
    )
    if centers is not None:
        return _with_centers(request)
    opener = Opener.of(request)
    points = opener.open(features, "features")
    points.check_alike()
    dataset = assign(points, opener.open(labels, "labels"), None, id, columns)
    join(dataset, id, on_unmatched == "drop")
    assert dataset.targets is not None
    check_rows(dataset.predictions, dataset.targets)
    _check_shape(dataset.predictions.name, dataset.predictions.shape)
    source = dataset.predictions.source()
    names, index = _classes(dataset.targets, ignore_index)
    notes = (*dataset.notes, *warned(dataset.findings))
    return _checked(_cloud(source, names, index, None, notes, frozenset(opener.paths)), opener.raws)


def _with_centers(request: Request) -> Cloud:
    """Read features with centers from a file."""
    from losscli.engine.classes import classes
    from losscli.measurement.prepare import prepare

    measurement = prepare(request, once=False)
    job = measurement.job
    if job.encoding.kind == "soft":
        raise DataError(f"{job.targets.name}: soft targets name no class; give one label per row")
    _check_shape(job.predictions.name, job.predictions.shape)
    batch = whole(job.targets)
    kept = job.encoding.keep(batch)
    index = np.full(len(batch), -1)
    index[slice(None) if kept is None else kept] = classes(job, batch if kept is None else batch[kept])
    points = np.asarray(job.extras.centers, np.float64)
    names = measurement.decoded.classes or tuple(str(i) for i in range(len(points)))
    cloud = _cloud(job.predictions, tuple(names), index, points, tuple(measurement.notes), measurement.files)
    return _checked(cloud, measurement.raws)


def _checked(cloud: Cloud, raws: Iterable[Raw]) -> Cloud:
    """Return the points; raise a DataError if a file changed while they were made."""
    for raw in raws:
        raw.check()
    return cloud


def _check_shape(name: str, shape: tuple[int, ...]) -> None:
    """Raise a DataError if rows have fewer than two features."""
    if len(shape) != 2 or shape[1] < 2:
        raise DataError(f"{name}: shape {shape}; a scatter needs rows of two features or more, (n, d)")


def _classes(labels: Columns, ignore: str | None) -> tuple[tuple[str, ...], Array]:
    """Return the names of the classes that occur, and the class of each row, -1 for rows to leave out."""
    labels.check_labels()
    text = labels.text()
    if text is not None:
        found = distinct(text, ignore)
        names = sorted({cell for _, cell in found}, key=natural)
        numbers_of_names = {name: number for number, name in enumerate(names)}
        place = np.full(len(text.cells), -1)
        for code, cell in found:
            place[code] = numbers_of_names[cell]
        return tuple(names), place[whole(text.codes)]
    source = labels.source()
    numbers = whole(source).reshape(-1)
    skip = np.zeros(len(numbers), bool) if ignore is None else is_ignored(numbers, as_number(ignore, "--ignore-index"))
    bad = ~skip & ~(np.isfinite(numbers) & (numbers == np.floor(numbers)))
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{source.place(row)}: {written(numbers[row])} is not a class; labels are whole numbers or names"
        )
    distinct_numbers = np.unique(numbers[~skip])
    index = np.full(len(numbers), -1, np.int32)
    for start in range(0, len(numbers), ROWS_AT_ONCE):  # whose places take eight bytes each
        some = slice(start, start + ROWS_AT_ONCE)
        index[some][~skip[some]] = np.searchsorted(distinct_numbers, numbers[some][~skip[some]])
    return tuple(str(int(number)) for number in distinct_numbers), index


def _cloud(
    source: Source,
    names: tuple[str, ...],
    index: Array,
    centers: Array | None,
    notes: tuple[str, ...],
    files: frozenset[str],
) -> Cloud:
    """Return the points, projected to a plane if necessary."""
    kept = index >= 0
    if not kept.any():
        why = ": all rows are ignored" if len(index) else ": the file has no rows"
        raise DataError(f"{source.name}: no samples left{why}; there is nothing to draw")
    d = source.shape[1]
    if d == 2:
        mean, axes = np.zeros(2), np.eye(2)
        called = source.columns or ("feature 0", "feature 1")
        labels = (called[0], called[1])
    else:
        mean, axes, parts = _components(source, kept)
        labels = tuple(  # type: ignore[assignment]
            f"principal component {i + 1} ({100 * part:.3g} % of the variance)" for i, part in enumerate(parts)
        )
    index = index[kept]
    drawn, parts_of_points, start = _drawn(len(index)), [], 0
    rows, sums = np.zeros(len(names), np.int64), np.zeros((len(names), 2))
    for batch in _finite(source, kept):
        points, of_batch = (batch - mean) @ axes, slice(start, start + len(batch))
        rows += np.bincount(index[of_batch], minlength=len(names))
        sums += np.stack([np.bincount(index[of_batch], column, len(names)) for column in points.T], axis=1)
        parts_of_points.append(points[drawn[of_batch]])
        start += len(batch)
    points = np.concatenate(parts_of_points)
    from_file = centers is not None
    if centers is None:
        centers = np.divide(sums, rows[:, None], out=np.full_like(sums, np.nan), where=rows[:, None] > 0)
    else:
        if not (np.abs(centers) < FARTHEST).all():
            raise DataError(f"--centers: {_why_no_point(float(np.abs(centers).max()), 'center')}")
        centers = (centers - mean) @ axes
    return Cloud(
        points, index[drawn], names, rows, centers, from_file, labels, d, notes, int(np.count_nonzero(~kept)), files
    )


def _drawn(rows: int) -> Array:
    """Return which of the rows are drawn, shape (rows,): all, or a random sample, since a regular choice may be all of one class."""
    if rows <= MOST_DRAWN:
        return np.ones(rows, bool)
    drawn = np.zeros(rows, bool)
    drawn[np.random.default_rng(0).choice(rows, MOST_DRAWN, replace=False)] = True
    return drawn


def _finite(source: Source, kept: Array) -> Iterator[Array]:
    """Yield the kept rows of each batch, in float64; raise a DataError if a number is not finite or too large."""
    for start, batch in blocks(source):
        rows = kept[start : start + len(batch)]
        wide = batch[rows].astype(np.float64)
        bad = ~(np.abs(wide) < FARTHEST)
        if bad.any():
            row, column = (int(i) for i in np.argwhere(bad)[0])
            place = source.place(start + int(np.flatnonzero(rows)[row]), column)
            raise DataError(f"{place}: {_why_no_point(float(wide[row, column]), 'feature')}")
        yield wide


def _why_no_point(value: float, what: str) -> str:
    if np.isfinite(value):
        return f"{value:g} is too large to be drawn; divide features and centers by a common factor"
    return f"{value} is not a finite number; a {what} must be one"


def _components(source: Source, kept: Array) -> tuple[Array, Array, Array]:
    """Return the mean, the first two principal axes, shape (d, 2), and the shares of the variance along them.

    The sign of an axis is such that its largest entry is positive, so that the picture is the same everywhere.
    """
    d, n = source.shape[1], int(np.count_nonzero(kept))
    if min(n, d) > LARGEST:
        raise DataError(
            f"{source.name}: {count(d, 'feature')} of {count(n, 'row')}: too many for principal components here; "
            f"bring them to {LARGEST:,} or fewer first, or pick two with --columns"
        )
    size = n * d * BYTES_PER_NUMBER
    if d > n and size > MOST_BYTES:
        raise DataError(
            f"{source.name}: {count(d, 'feature')} of {count(n, 'row')} take some {size / 1e9:.1f} GB of memory for principal "
            f"components, and the limit is {MOST_BYTES / 1e9:.1f} GB; bring them to fewer features first, or pick two with --columns"
        )
    mean = np.sum([batch.sum(axis=0) for batch in _finite(source, kept)], axis=0) / n
    if d <= n:
        scatter = np.zeros((d, d))
        for batch in _finite(source, kept):
            scatter += (batch - mean).T @ (batch - mean)
        variances, axes = np.linalg.eigh(scatter)
        variances, axes = variances[::-1], axes[:, ::-1]
    else:
        centered = np.concatenate(list(_finite(source, kept))) - mean
        _, sizes, rows = np.linalg.svd(centered, full_matrices=False)
        variances, axes = sizes**2, rows.T
    first = axes[:, :2]
    if first.shape[1] < 2:
        first = np.concatenate([first, np.zeros((d, 1))], axis=1)  # a single row has no second axis
    signs = np.sign(first[np.abs(first).argmax(axis=0), [0, 1]])
    total = float(np.maximum(variances, 0).sum())
    explained = np.resize(np.maximum(variances[:2], 0), 2) / (total or 1.0)
    explained[explained < ROUNDING] = 0
    return mean, first * np.where(signs == 0, 1, signs), explained
