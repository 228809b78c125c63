"""Class centers: computed as means of features, or moved by a rule.

One pass keeps a count, a sum and squared distances per class, from which everything follows: how far each center moved,
and how its rows lie around it. Memory does not grow with the rows.
"""

import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import FARTHEST, Array
from losscli.data.class_names import class_names
from losscli.data.columns import Columns
from losscli.data.dataset import assign, join
from losscli.data.doubts import check_distinct_labels
from losscli.data.labels import Holder, as_number, distinct, one_a_row
from losscli.data.target_encoding import DecodedTargets, is_ignored
from losscli.data.targets import check_rows
from losscli.data.units import Units
from losscli.definition.batch import Extras
from losscli.definition.request import Request
from losscli.engine.classes import classes
from losscli.engine.collector import Aggregate, BatchCollector
from losscli.engine.collectors.summary import Summary
from losscli.engine.job import Job
from losscli.engine.whole_file import MOST_BYTES
from losscli.errors import DataError, UsageError
from losscli.findings import warned
from losscli.io.bytes import Looked
from losscli.io.operands import Opener
from losscli.io.source import Source, blocks
from losscli.lookup.names import find
from losscli.measurement.measure import Measurement
from losscli.measurement.prepare import prepare
from losscli.records import NamedTuple, dataclass
from losscli.wording import count, listing, natural, written

if TYPE_CHECKING:
    from losscli.engine.batch import Batch

RULES = {
    "paper": "c - alpha * sum(c - x) / (1 + n)",
    "sgd": "c - alpha * sum(c - x)",
    "mean": "sum(x) / n",
}
"""How a new center is computed from the old center c and the n rows x of its class."""
ALPHA = 0.5
MOST_DISTANCES = 1 << 30
"""If finding the nearest other center of each takes more differences of coordinates than this, it is left out."""
BYTES_PER_FEATURE = 64
"""Bytes of memory that each number of a center takes about while centers are made."""
LISTED = 4
NAME_COLUMNS = ("class", "label", "name")
"""Titles of a column that holds the names of centers, wherever it is in the table."""


class Sums(NamedTuple):
    """Mergeable record of the classes that occur: rows, the sum of x - origin, and squared distances from the mean.

    The sum is `high + low`, in nearly twice the precision; the squares are merged as Chan, Golub and LeVeque (1979) do.
    """

    classes: Array
    rows: Array
    high: Array
    low: Array
    squares: Array
    bad: tuple[int, int, float] | None = None
    """Row, column and value of the first number that is not finite, or too large."""

    @classmethod
    def of(cls, x: Array, index: Array, first: Array, bad: tuple[int, int, float] | None = None) -> "Sums":
        """Return the record of a batch.

        Parameters
        ----------
        x
            rows minus the origin of their class, shape (n, d).
        index
            class of each row, shape (n,).
        first
            the classes that occur, ascending.
        bad
            see `Sums.bad`.
        """
        code = np.searchsorted(first, index)
        rows = np.bincount(code, minlength=len(first))
        high, low = _sums(x, code, len(first))
        away = x - ((high + low) / rows[:, None])[code]
        squares = np.add(*_sums(np.einsum("ij,ij->i", away, away)[:, None], code, len(first)))[:, 0]
        return cls(first, rows, high, low, squares, bad)

    def __add__(self, other: "Sums") -> "Sums":  # type: ignore[override]
        both = np.union1d(self.classes, other.classes)
        (n, high, low, squares), (m, top, rest, more) = self.among(both), other.among(both)
        total = high + top
        late = total - high
        lost = (high - (total - late)) + (top - late)
        gap = (top + rest) / np.maximum(m, 1)[:, None] - (high + low) / np.maximum(n, 1)[:, None]
        squares = squares + more + np.einsum("ij,ij->i", gap, gap) * n * (m / np.maximum(n + m, 1))
        return Sums(both, n + m, total, low + rest + lost, squares, self.bad or other.bad)

    def among(self, wanted: Array) -> tuple[Array, Array, Array, Array]:
        """Return rows, high, low and squares of the wanted classes, 0 for classes that do not occur."""
        kept = (self.rows, self.high, self.low, self.squares)
        if len(wanted) == len(self.classes):
            return kept
        at = np.searchsorted(wanted, self.classes)
        extended = [np.zeros((len(wanted), *part.shape[1:]), part.dtype) for part in kept]
        for whole, part in zip(extended, kept, strict=True):
            whole[at] = part
        return extended[0], extended[1], extended[2], extended[3]


def _sums(x: Array, code: Array, k: int) -> tuple[Array, Array]:
    """Return the sum of the rows of each of k classes, shape (k, d), in two parts.

    Each number is cut into two parts at a bit above which sums are exact (Rump, Ogita and Oishi 2008).
    """
    d = x.shape[1]
    top = np.abs(x).max(axis=0, initial=0)
    sigma = np.ldexp(1.0, np.frexp(top)[1] + math.ceil(math.log2(len(x) + 2)))
    upper = (x + sigma) - sigma
    at = (code[:, None] * d + np.arange(d)).reshape(-1)
    high, low = (np.bincount(at, part.reshape(-1), k * d).reshape(k, d) for part in (upper, x - upper))
    return high, low


@dataclass(frozen=True)
class SumsOfClasses(BatchCollector):
    """Adds up the features of each class."""

    origin: Array | None
    """A point per class that is subtracted from its rows first, shape (k, d); None for 0."""
    record = Sums

    def of(self, job: "Job", batch: "Batch") -> Sums:
        return _sums_of(self.origin, job, batch)


def _sums_of(origin: Array | None, job: "Job", batch: "Batch") -> Sums:
    x = batch.predictions.astype(np.float64)
    index = classes(job, batch.targets)
    first = np.flatnonzero(np.bincount(index, minlength=1))
    wrong = ~(np.abs(x) < FARTHEST)
    bad = None
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        bad = (int(batch.rows[row]), column, float(x[row, column]))
        x = np.where(wrong, 0, x)
    return Sums.of(x if origin is None else x - origin[index], index, first, bad)


@dataclass(frozen=True)
class Centers:
    """Centers before and after an update, and how the rows of each class lie around them."""

    update: str
    alpha: float | None
    names: tuple[str, ...] | None
    """Names of the classes, if they have any."""
    base: int
    """The number of the first class, if classes have no names."""
    columns: tuple[str, ...] | None
    """Names of the features."""
    before: Array | None
    after: Array
    rows: Array
    ignored: int
    squares: tuple[Array | None, Array]
    """For each class the sum of squared distances of its rows from the center, before and after."""
    nearest: Array | None
    """For each center its nearest other one; None if there is no other, or there are too many."""

    @property
    def called(self) -> list[str]:
        """The name of each class."""
        return list(self.names or map(str, range(self.base, self.base + len(self.after))))

    @property
    def samples(self) -> int:
        return int(self.rows.sum())

    def losses(self) -> tuple[float | None, float]:
        """Return the mean of half the squared distance of rows from their centers, before and after."""
        before, after = (None if part is None else math.fsum(part) / 2 / self.samples for part in self.squares)
        assert after is not None
        return before, after

    def to_dict(self) -> dict[str, Any]:
        """Return the record for `--format json`."""
        before, after = self.losses()
        return {
            "update": self.update,
            "rule": RULES[self.update],
            "alpha": self.alpha,
            "samples": self.samples,
            "ignored": self.ignored,
            "features": self.after.shape[1],
            "loss_before": before,
            "loss_after": after,
            "classes": list(self.lines()),
        }

    def lines(self) -> "Iterator[dict[str, Any]]":
        """Yield a record per class: rows, how far its center moved, spread of its rows,
        losses, and the nearest other center.
        """
        called = self.called
        for i, (name, n) in enumerate(zip(called, self.rows.tolist(), strict=True)):
            before, after = (None if part is None or not n else float(part[i]) / n for part in self.squares)
            other = None if self.nearest is None else int(self.nearest[i])
            yield {
                "class": name,
                "count": n,
                "moved": None if self.before is None else _length(self.after[i] - self.before[i]),
                "spread": None if after is None else math.sqrt(after),
                "loss_before": None if before is None else before / 2,
                "loss_after": None if after is None else after / 2,
                "nearest": None if other is None else called[other],
                "distance": None if other is None else _length(self.after[i] - self.after[other]),
            }

    def table(self, suffix: str) -> dict[str, Any]:
        """Return the centers as columns of a file that `compute center --centers` reads.

        Raises
        ------
        DataError
            if a feature has the title of the column of names.
        """
        titles = self.columns or tuple(f"feature_{i}" for i in range(self.after.shape[1]))
        taken = next((title for title in titles if title.lower() in NAME_COLUMNS), None)
        if taken is not None:
            raise DataError(
                f"--output: a feature is called {taken!r}, which in a {suffix} file of centers is the column of the "
                "classes' names; rename it, or write to an .npy file"
            )
        names = {} if self.names is None else {"class": list(self.names)}
        return names | dict(zip(titles, self.after.T, strict=True))


def _length(step: Array) -> float:
    """Return the length of a vector."""
    return math.sqrt(math.fsum(step * step))


def checked_rule(update: str | None, alpha: float | None, given: bool) -> tuple[str, float | None]:
    """Return the rule and its alpha; `given` says whether there are centers to move.

    Raises
    ------
    UsageError
        if the rule lacks something that it needs, or alpha has no use.
    """
    rule = update or ("paper" if given else "mean")
    if rule == "mean":
        if alpha is not None:
            why = "the means of the classes have no alpha" + ("" if given or update else " (there are no --centers)")
            raise UsageError(f"--alpha {alpha:g}: {why}; leave it out, or say --centers FILE and --update paper or sgd")
        return rule, None
    if not given:
        raise UsageError(f"--update {rule} moves centers that there are; say --centers FILE, or --update mean")
    alpha = ALPHA if alpha is None else alpha
    if not 0 <= alpha <= 1:
        raise UsageError(f"--alpha {written(alpha)} is not in [0, 1]")
    return rule, alpha


def opened(request: Request, looked: Looked = lambda name, done, size: None) -> Measurement:
    """Return the measurement of the features, their labels and the centers; without centers, the classes of the labels.

    Raises
    ------
    DataError
        if files cannot be used.
    """
    measurement = prepare(request, looked=looked, once=False) if request.centers else _without_centers(request, looked)
    job = measurement.job
    if job.encoding.kind == "soft":
        raise DataError(f"{job.targets.name}: soft targets name no class; give one label per row")
    return measurement


def _without_centers(request: Request, looked: Looked) -> Measurement:
    """Return the measurement of features and labels that have no centers yet."""
    opener = Opener.of(request, looked)
    assert request.targets is not None
    features, labels = opener.open(request.predictions, "features"), opener.open(request.targets, "labels")
    features.check_alike()
    dataset = assign(features, labels, None, request.id, request.columns)
    join(dataset, request.id, request.on_unmatched == "drop")
    assert dataset.targets is not None
    shape = dataset.predictions.shape
    if len(shape) != 2 or not shape[1]:
        raise DataError(f"{features.name}: shape {shape}; centers need rows of features, (n, d)")
    check_rows(dataset.predictions, dataset.targets)
    source = dataset.predictions.source()
    decoded, k = _plan(request, dataset.targets, opener)
    size = k * shape[1] * BYTES_PER_FEATURE
    if size > MOST_BYTES:
        raise DataError(
            f"{labels.name}: the centers of {k:,} classes with {count(shape[1], 'feature')} take some {size / 1e9:,.1f} GB of memory, "
            f"and the limit is {MOST_BYTES / 1e9:.1f} GB; are the labels classes, or ids?"
        )
    nothing = Extras(centers=np.zeros((k, shape[1])))
    job = Job(request.loss, source, decoded.source, decoded.encoding, np.dtype(np.float64), nothing)
    notes = [*dataset.notes, *warned(dataset.findings), *decoded.notes]
    paths = opener.paths | ({os.path.realpath(request.classes)} if request.classes else set())
    return Measurement(
        request=request,
        job=job,
        decoded=decoded,
        ids=dataset.ids,
        notes=notes,
        units=Units(shape, dataset.selection),
        files=frozenset(paths),
        raws=opener.raws,
        opened=job,
    )


def _plan(request: Request, labels: Columns, opener: Opener) -> tuple[DecodedTargets, int]:
    """Return the decoded labels, and the number of classes."""
    ignore, base = request.ignore_index, request.label_base
    labels.check_labels()
    if request.classes is None:
        names, k = _found(labels, ignore, base)
        holder = Holder()
    else:
        names = class_names(request.classes, opener.raws)
        k = len(names)
        holder = Holder("--classes has", "--classes names {k} classes")
    return one_a_row("centers", labels, names, k, ignore, base, holder), k


def _found(labels: Columns, ignore: str | None, base: int) -> tuple[tuple[str, ...] | None, int]:
    """Return the names of the classes that occur, in natural order, or None, and the number of classes."""
    text = labels.text()
    if text is not None:
        found = distinct(text, ignore)
        names = sorted({cell for _, cell in found}, key=natural)
        check_distinct_labels(labels.name, len(names), sum(int(text.rows[code]) for code, _ in found))
        return tuple(names) or None, len(names)
    source = labels.source()
    seen = _whole_numbers(source, None if ignore is None else as_number(ignore, "--ignore-index"))
    seen = seen[seen >= base]
    k = int(seen[-1]) - base + 1 if len(seen) else 0
    if len(seen) < k:
        last = f"{seen[-1]:.17g}"
        gap = int(np.flatnonzero(seen - base != np.arange(len(seen)))[0]) + base
        raise DataError(
            f"{source.name}: no row has label {gap}, and labels go up to {last}: a class without rows has no mean; if {last} "
            f"marks rows to leave out, say --ignore-index {last}, otherwise number the classes {base}, {base + 1}, {base + 2} ..."
        )
    check_distinct_labels(labels.name, k, labels.shape[0])
    return None, k


def _whole_numbers(source: Source, ignore: float | None) -> Array:
    """Return the whole numbers among labels, each once, ascending."""
    seen = np.zeros(0)
    for _, batch in blocks(source):
        values = np.unique(batch).astype(np.float64)
        values = values[np.isfinite(values) & (values == np.floor(values))]
        if ignore is not None:
            values = values[~is_ignored(values, ignore)]
        seen = np.union1d(seen, values)
    return seen


def request_of(features: str, labels: str, **options: Any) -> Request:
    """Return the request, whose operands and options mean the same as for `compute center`."""
    return Request(find("center").bind(), features, labels, **options)


def _old(measurement: Measurement) -> Array | None:
    """Return the centers that are moved, (k, features), in float64; None if there are none. DataError if they are too large."""
    if measurement.request.centers is None:
        return None
    old = np.asarray(measurement.job.extras.centers, np.float64)
    if not (np.abs(old) < FARTHEST).all():
        raise DataError(f"--centers: {_too_large(float(np.abs(old).max()), 'center')}")
    return old


def _usable(measurement: Measurement, aggregate: Aggregate) -> Sums:
    """Return the sums of the classes that a pass kept, and note if no row was ignored although a label is to be.

    Raises a DataError for features that are not finite or too large, and if no row is left.
    """
    request, job = measurement.request, measurement.job
    found, sums = aggregate[Summary], aggregate.get(Sums)
    if sums is not None and sums.bad is not None:
        row, column, value = sums.bad
        raise DataError(f"{job.predictions.place(row, column)}: {_too_large(value, 'feature')}")
    measurement.settle(aggregate)
    if sums is None or not len(sums.classes):
        why = f"all {count(found.ignored, 'row')} are ignored" if found.ignored else "the file has no rows"
        raise DataError(f"{job.predictions.name}: no samples left: {why}; a center of nothing is undefined")
    if request.ignore_index is not None and not found.ignored:
        measurement.notes.append(f"--ignore-index {request.ignore_index}: no row has this label")
    return sums


def moved(
    measurement: Measurement,
    update: str,
    alpha: float | None,
    threads: int | None = None,
    seen: Any = lambda rows: None,
) -> Centers:
    """Compute or move the centers, in one pass over the features, from all rows together.

    Parameters
    ----------
    update
        a name in RULES.
    alpha
        the step size, if the rule has one.
    seen
        called with the number of rows done so far.

    Raises
    ------
    DataError
        if features are not finite or too large, a class without rows has no center, or there are no rows.
    """
    job = measurement.job
    old = _old(measurement)
    origin = None if update == "mean" else old
    measurement.collectors = [*measurement.essential(), SumsOfClasses(origin)]
    aggregate = measurement.collect(threads=threads, seen=seen)
    sums = _usable(measurement, aggregate)
    k = job.encoding.k if old is None else len(old)
    names, base = _names(measurement), measurement.decoded.base
    called = list(names or map(str, range(base, base + k)))
    rows, high, low, squares = sums.among(np.arange(k))
    _check_rows(measurement, rows, called, old is not None)
    total, n = high + low, np.maximum(rows, 1)[:, None]
    after = _after(update, alpha, old, total, rows)
    if not (np.abs(after) < FARTHEST).all():
        raise DataError(f"--update {update}: {_too_large(float(np.abs(after).max()), 'center')}")
    mean = _Mean(0 if origin is None else origin, total / n)
    apart = tuple(None if to is None else squares + rows * mean.squares_from(to) for to in (old, after))
    assert apart[1] is not None
    nearest = _nearest(after)
    if nearest is None and k > 1:
        measurement.notes.append(f"{count(k, 'center')} are too many to look for the nearest other one of each")
    if update == "sgd":
        _note_overshot(measurement, float(alpha or 0), rows, called)
    return Centers(
        update,
        alpha,
        names,
        base,
        job.predictions.columns,
        old,
        after,
        rows,
        aggregate[Summary].ignored,
        (apart[0], apart[1]),
        nearest,
    )


class _Mean(NamedTuple):
    """Means of classes as `origin + gap`, which have more digits than their sum."""

    origin: Any
    gap: Array

    def squares_from(self, centers: Array) -> Array:
        """Return the squared distance of each mean from its center."""
        away = (self.origin - centers) + self.gap
        return np.einsum("ij,ij->i", away, away)


def _after(update: str, alpha: float | None, before: Array | None, total: Array, rows: Array) -> Array:
    """Return the centers by a rule; a class without rows keeps its center.

    `total` is, for each class, the sum of x for the rule 'mean', and of x - c for the others.
    """
    n = rows[:, None]
    if update == "mean":
        means = total / np.maximum(n, 1)
        return means if before is None else np.where(n > 0, means, before)
    assert before is not None
    assert alpha is not None
    return before + alpha * total / (1 + n) if update == "paper" else before + alpha * total


def _check_rows(measurement: Measurement, rows: Array, called: list[str], with_centers: bool) -> None:
    """Raise a DataError for classes that have neither rows nor a center; add a note about those that
    keep their center.
    """
    empty = [called[i] for i in np.flatnonzero(rows == 0)]
    if not empty:
        return
    if not with_centers:
        raise DataError(
            f"--classes: no row of {measurement.job.targets.name} has {listing(map(repr, empty), LISTED)}: a class without "
            "rows has no mean; leave it out, or give its center with --centers"
        )
    measurement.notes.append(f"no row has {listing(empty, LISTED)}: {count(len(empty), 'center')} stay where they are")


def _note_overshot(measurement: Measurement, alpha: float, rows: Array, called: list[str]) -> None:
    """Add a warning if the rule 'sgd' moves a center farther away from the mean of its rows."""
    most = int(rows.argmax())
    if alpha * rows[most] > 2:
        measurement.notes.append(
            f"warning: --update sgd: alpha times the number of rows is {alpha * rows[most]:g} for {called[most]}: beyond 2 a "
            "center ends up farther from the mean of its rows than it was; take a smaller --alpha, or --update paper"
        )


def _nearest(centers: Array) -> Array | None:
    """Return, for each center, the nearest other one, the first of several; None if there
    is none, or it takes too long.
    """
    k = len(centers)
    if k < 2 or k * centers.size > MOST_DISTANCES:
        return None
    nearest = np.zeros(k, np.int64)
    for i, center in enumerate(centers):
        gaps = centers - center
        far = np.einsum("ij,ij->i", gaps, gaps)
        far[i] = np.inf
        nearest[i] = far.argmin()
    return nearest


def _names(measurement: Measurement) -> tuple[str, ...] | None:
    """Return the names of the classes, or None if they only have numbers."""
    decoded = measurement.decoded
    numbered = decoded.base and decoded.classes == tuple(
        map(str, range(decoded.base, decoded.base + decoded.encoding.k))
    )
    return None if numbered and decoded.encoding.kind == "index" else decoded.classes


def _too_large(value: float, what: str) -> str:
    if math.isfinite(value):
        return f"{value:g} is too large for squared distances; divide features and centers by a common factor"
    return f"{value} is not a finite number; a {what} must be one"
