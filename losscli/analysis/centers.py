"""Class centers: made as the means of features, or moved by a rule, with how far each went and how its rows lie around it.

One pass keeps a count, a sum and squared distances a class, from which everything follows: memory is that of the centers.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from losscli.arrays import FARTHEST, Array
from losscli.data.class_names import class_names
from losscli.data.columns import Columns
from losscli.data.dataset import assign, join
from losscli.data.labels import Holder, as_number, distinct, one_a_row
from losscli.data.target_encoding import DecodedTargets, is_ignored
from losscli.data.targets import check_rows
from losscli.data.units import Units
from losscli.definition.batch import Extras
from losscli.definition.request import Request
from losscli.engine.aggregates import Faults
from losscli.engine.classes import classes
from losscli.engine.collector import BatchCollector
from losscli.engine.collectors.row_faults import raise_faults
from losscli.engine.collectors.summary import Summary
from losscli.engine.job import Job
from losscli.errors import DataError, UsageError
from losscli.findings import warned
from losscli.io.bytes import Looked
from losscli.io.operands import Opener, natural
from losscli.io.source import Source, blocks
from losscli.lookup.names import find
from losscli.measurement.measure import Measurement, essential
from losscli.measurement.prepare import prepare
from losscli.wording import count, listing

if TYPE_CHECKING:
    from losscli.engine.batch import Batch

RULES = {
    "paper": "c - alpha * sum(c - x) / (1 + n)",
    "sgd": "c - alpha * sum(c - x)",
    "mean": "sum(x) / n",
}
"""How a center c follows from the n rows x of its class."""
ALPHA = 0.5
MOST_DISTANCES = 1 << 30
"""Differences of coordinates that are taken at the most to find every center's nearest neighbour."""
LISTED = 4
NAME_COLUMNS = ("class", "label", "name")
"""What a column is called that holds the names of centers, wherever it stands."""


class Sums(NamedTuple):
    """Mergeable record of the classes that occur: rows, the sum of x - origin, and squared distances from the mean.

    The sum is `high + low`, in nearly twice the precision; the squares are merged by Chan, Golub and LeVeque 1979.
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
        """Of rows less the origin of their class, each row's class, and the classes that occur."""
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
        """Rows, high, low and squares of the wanted classes, 0 for those that do not occur."""
        kept = (self.rows, self.high, self.low, self.squares)
        if len(wanted) == len(self.classes):
            return kept
        at = np.searchsorted(wanted, self.classes)
        made = [np.zeros((len(wanted), *part.shape[1:]), part.dtype) for part in kept]
        for whole, part in zip(made, kept, strict=True):
            whole[at] = part
        return made[0], made[1], made[2], made[3]


def _sums(x: Array, code: Array, k: int) -> tuple[Array, Array]:
    """Sums of the rows of each of k classes, shape (k, d), in two parts.

    Each number is cut in two at a place from which sums of the upper parts are exact (Rump, Ogita and Oishi 2008).
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
    """What is taken from the rows of each class first; None for 0."""
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
    """Centers after an update, beside those before it, and the rows of each class around them."""

    update: str
    alpha: float | None
    names: tuple[str, ...] | None
    """Names of the classes, where they have any."""
    base: int
    """The number of the first class, where they have no names."""
    columns: tuple[str, ...] | None
    """Names of the features."""
    before: Array | None
    after: Array
    rows: Array
    ignored: int
    squares: tuple[Array | None, Array]
    """Squared distances of each class's rows from its center before and after, summed."""
    nearest: Array | None
    """Each center's nearest other one; None where there is none, or they are too many to look."""

    @property
    def called(self) -> list[str]:
        """What each class is called."""
        return list(self.names or map(str, range(self.base, self.base + len(self.after))))

    @property
    def samples(self) -> int:
        return int(self.rows.sum())

    def losses(self) -> tuple[float | None, float]:
        """The mean of half the squared distance of the rows from their centers, before and after."""
        before, after = (None if part is None else math.fsum(part) / 2 / self.samples for part in self.squares)
        assert after is not None
        return before, after

    def to_dict(self) -> dict[str, Any]:
        """What `--format json` has."""
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
        """A class a line: rows, how far its center moved, the spread of its rows, losses, and the nearest other center."""
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
        """The centers as columns of a file that `compute center --centers` takes.

        Raises
        ------
        DataError
            for features of which one is called as the column of names is.
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
    return math.sqrt(math.fsum(step * step))


def checked_rule(update: str | None, alpha: float | None, given: bool) -> tuple[str, float | None]:
    """The rule and its alpha; `prediction_kind` is whether there are centers to move.

    Raises
    ------
    UsageError
        for a rule without what it needs, or an alpha without a use.
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
        raise UsageError(f"--alpha {alpha:g} is not in [0, 1]")
    return rule, alpha


def opened(request: Request, looked: Looked = lambda name, done, size: None) -> Measurement:
    """The calculation of the features, their labels and the centers, if there are any; classes of labels otherwise.

    Raises
    ------
    DataError
        for files that cannot be used.
    """
    made = prepare(request, looked=looked, once=False) if request.centers else _without_centers(request, looked)
    job = made.job
    if job.encoding.kind == "soft":
        raise DataError(f"{job.targets.name}: soft targets name no class; give one label a row")
    return made


def _without_centers(request: Request, looked: Looked) -> Measurement:
    opener = Opener(request.header, looked, request.arrays)
    features, labels = opener.open(request.predictions, "features"), opener.open(request.targets, "labels")
    dataset = assign(features, labels, None, request.id, request.columns)
    join(dataset, request.id, request.on_unmatched == "drop")
    assert dataset.targets is not None
    shape = dataset.predictions.shape
    if len(shape) != 2 or not shape[1]:
        raise DataError(f"{features.name}: shape {shape}; centers need rows of features, (n, d)")
    check_rows(dataset.predictions, dataset.targets)
    source = dataset.predictions.source()
    decoded, k = _plan(request, dataset.targets)
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


def _plan(request: Request, labels: Columns) -> tuple[DecodedTargets, int]:
    """What the labels are, and of how many classes."""
    shape, ignore, base = labels.shape, request.ignore_index, request.label_base
    if len(shape) == 2 and shape[1] != 1:
        raise DataError(f"{labels.name}: shape {shape}; give one label a row, (n,), or pick one with FILE:COLUMN")
    if request.classes is None:
        names, k = _found(labels, ignore, base)
        holder = Holder()
    else:
        names = class_names(request.classes)
        k = len(names)
        holder = Holder("--classes has", "--classes names {k} classes")
    return one_a_row("centers", labels, names, k, ignore, base, holder), k


def _found(labels: Columns, ignore: str | None, base: int) -> tuple[tuple[str, ...] | None, int]:
    """The classes that occur: their names in natural order, or None and the number of them."""
    text = labels.text()
    if text is not None:
        names = sorted((cell for _, cell in distinct(text, ignore)), key=natural)
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
    return None, k


def _whole_numbers(source: Source, ignore: float | None) -> Array:
    """The whole numbers among labels, each once, ascending."""
    seen = np.zeros(0)
    for _, block in blocks(source):
        values = np.unique(block).astype(np.float64)
        values = values[np.isfinite(values) & (values == np.floor(values))]
        if ignore is not None:
            values = values[~is_ignored(values, ignore)]
        seen = np.union1d(seen, values)
    return seen


def request_of(features: str, labels: str, **options: Any) -> Request:
    """What is asked for: the words mean what they mean to `compute center`."""
    return Request(find("center").bind(), features, labels, **options)


def moved(
    measurement: Measurement,
    update: str,
    alpha: float | None,
    threads: int | None = None,
    seen: Any = lambda rows: None,
) -> Centers:
    """Make or move the centers, in one pass over the features; all rows are one batch.

    Raises
    ------
    DataError
        for features that are not finite or too large, for classes without a row that have no center, and without any row.
    """
    request, job = measurement.request, measurement.job
    old = None if request.centers is None else np.asarray(job.extras.centers, np.float64)
    if old is not None and not (np.abs(old) < FARTHEST).all():
        raise DataError(f"--centers: {_too_large(float(np.abs(old).max()), 'center')}")
    origin = None if update == "mean" else old
    measurement.collectors = [*essential(job), SumsOfClasses(origin)]
    aggregate = measurement.collect(threads=threads, seen=seen)
    found, sums = aggregate[Summary], aggregate.get(Sums)
    if sums is not None and sums.bad is not None:
        row, column, value = sums.bad
        raise DataError(f"{job.predictions.place(row, column)}: {_too_large(value, 'feature')}")
    raise_faults(job, aggregate[Faults])
    if sums is None or not len(sums.classes):
        why = f"all {count(found.ignored, 'row')} are ignored" if found.ignored else "the file has no rows"
        raise DataError(f"{job.predictions.name}: no samples left: {why}; a center of nothing is undefined")
    if request.ignore_index is not None and not found.ignored:
        measurement.notes.append(f"--ignore-index {request.ignore_index}: no row has this label")
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
        found.ignored,
        (apart[0], apart[1]),
        nearest,
    )


class _Mean(NamedTuple):
    """Means of classes as `origin + gap`, which have more digits than their sum."""

    origin: Any
    gap: Array

    def squares_from(self, centers: Array) -> Array:
        """Squared distances from centers."""
        away = (self.origin - centers) + self.gap
        return np.einsum("ij,ij->i", away, away)


def _after(update: str, alpha: float | None, before: Array | None, total: Array, rows: Array) -> Array:
    """Centers by a rule; `total` is the sum of x for the means, and of x - c otherwise. A class without rows keeps its own."""
    n = rows[:, None]
    if update == "mean":
        means = total / np.maximum(n, 1)
        return means if before is None else np.where(n > 0, means, before)
    assert before is not None
    assert alpha is not None
    return before + alpha * total / (1 + n) if update == "paper" else before + alpha * total


def _check_rows(measurement: Measurement, rows: Array, called: list[str], given: bool) -> None:
    """Refuse classes without a row that have no center, or say that they keep theirs."""
    empty = [called[i] for i in np.flatnonzero(rows == 0)]
    if not empty:
        return
    if not given:
        raise DataError(
            f"--classes: no row of {measurement.job.targets.name} has {listing(map(repr, empty), LISTED)}: a class without "
            "rows has no mean; leave it out, or give its center with --centers"
        )
    measurement.notes.append(f"no row has {listing(empty, LISTED)}: {count(len(empty), 'center')} stay where they are")


def _note_overshot(measurement: Measurement, alpha: float, rows: Array, called: list[str]) -> None:
    most = int(rows.argmax())
    if alpha * rows[most] > 2:
        measurement.notes.append(
            f"warning: --update sgd: alpha times the number of rows is {alpha * rows[most]:g} for {called[most]}: beyond 2 a "
            "center ends up farther from the mean of its rows than it was; take a smaller --alpha, or --update paper"
        )


def _nearest(centers: Array) -> Array | None:
    """Each center's nearest other one, the first of several."""
    k = len(centers)
    if k < 2 or k * centers.size > MOST_DISTANCES:
        return None
    found = np.zeros(k, np.int64)
    for i, center in enumerate(centers):
        gaps = centers - center
        far = np.einsum("ij,ij->i", gaps, gaps)
        far[i] = np.inf
        found[i] = far.argmin()
    return found


def _names(measurement: Measurement) -> tuple[str, ...] | None:
    decoded = measurement.decoded
    numbered = decoded.base and decoded.classes == tuple(
        map(str, range(decoded.base, decoded.base + decoded.encoding.k))
    )
    return None if numbered and decoded.encoding.kind == "index" else decoded.classes


def _too_large(value: float, what: str) -> str:
    if math.isfinite(value):
        return f"{value:g} is too large for squared distances; divide features and centers by a common factor"
    return f"{value} is not a finite number; a {what} must be one"
