"""Whether labels belong to the predictions beside them: rows that a pass keeps, and what comes of them with other labels.

The test is one of permutations: the mean loss of some thousand rows is compared with that of the same rows under shuffled
labels, and with labels that are moved by a row. Classes are compared by how often each is predicted for each label.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losscli.arrays import Array
from losscli.engine.classes import classes, confusion, has_names, names_classes, predicted
from losscli.engine.collector import BatchCollector
from losscli.findings import WARNING, Finding

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

RUN = 32
"""Rows of a sample that follow each other, so that a label can be compared with its neighbours."""
MOST_ROWS = 4096
MOST_BYTES = 2 << 20
LEAST_ROWS = 50
"""Of fewer rows nothing is concluded."""
SHUFFLES = 30
CAPPED = 0.95
"""The quantile of shuffled losses at which losses are cut off as well."""
SIGNIFICANT = 3.0
"""Standard deviations of the shuffled means by which labels that are related are better at least."""
SHIFTED = 6.0
"""The same for labels moved by a row to be worth a warning."""
NAMES = "are the columns' names in the order of the columns? Correct them"
MOST_CLASSES = 1000
MOVED = 5
"""Rows of a class that are predicted as another one, at the least, for the two to look exchanged."""


class Sample(NamedTuple):
    """Mergeable record: rows that were kept, in the order of the file, as they were read."""

    rows: tuple[Array, ...] = ()
    predictions: tuple[Array, ...] = ()
    targets: tuple[Array, ...] = ()
    third_operand: tuple[Array, ...] = ()

    def __add__(self, other: "Sample") -> "Sample":  # type: ignore[override]
        return Sample(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Sampling(BatchCollector):
    """Keeps some rows as they were read: of every `stride` rows the first RUN."""

    stride: int
    record = Sample

    @classmethod
    def for_job(cls, job: "Job", most_bytes: int = MOST_BYTES) -> "Sampling | None":
        """The sampling of a job; None where there are too few rows to conclude from, or the targets are no rows' own."""
        n = job.samples
        most = min(MOST_ROWS, most_bytes // job.row_bytes)
        if job.loss.family.coupled is not None or job.encoding.kind == "constant" or min(n, most) < LEAST_ROWS:
            return None
        return cls(RUN * max(1, -(-n // most)))

    def rows(self, start: int, length: int) -> Array:
        """Which of some rows are kept, the first of which is row `start`."""
        first = start // self.stride * self.stride
        runs = np.arange(first, start + length, self.stride)
        found = (runs[:, None] + np.arange(RUN)).reshape(-1) - start
        return found[(found >= 0) & (found < length)]

    def of(self, job: "Job", batch: "Batch") -> Sample:
        kept = self.rows(batch.first, len(batch.predictions))
        third_operand = () if batch.third_operand is None else (batch.third_operand[kept],)
        return Sample((kept + batch.first,), (batch.predictions[kept],), (batch.targets[kept],), third_operand)


class Compared(NamedTuple):
    """The mean loss of a sample, with its own labels and with others."""

    own: float
    shuffled: float
    spread: float
    """Standard deviation of the shuffled means."""
    moved: float
    """The better one of labels moved up and down by a row."""
    direction: str
    own_better: float
    """By how many standard deviations its own labels are better than shuffled ones, with or without the largest losses."""
    moved_better: float


def suspicions(job: "Job", sample: Sample, found: Compared | None, names: list[str]) -> list[Finding]:
    """What a sample of rows says about the labels: nothing, or that they are permuted, shifted or unrelated.

    `found` is what `compared` makes of the sample, and `names` are those of the classes.
    """
    if found is None:
        return []
    confusion = confused(job, sample)
    exchanged = None if confusion is None else permuted(confusion, names, has_names(job))
    where = job.targets.name
    if exchanged is not None:
        return [exchanged._replace(message=f"{where}: {exchanged.message}")]
    if found.own_better >= SIGNIFICANT:
        return []
    means = f"the mean loss of {len(np.concatenate(sample.rows)):,} rows is {found.own:.4g}, with shuffled labels {found.shuffled:.4g} (standard deviation {found.spread:.2g})"
    if found.moved_better >= SHIFTED:
        return [
            Finding(
                "labels-shifted",
                WARNING,
                f"{where}: labels look shifted by one row: {means}, and with each row's label taken from the row "
                f"{found.direction} it {found.moved:.4g}",
                cure="is a row missing at the beginning of a file, or was a header line taken for data? Join by --id",
            )
        ]
    if found.own_better <= -SIGNIFICANT:
        return [
            Finding(
                "labels-unrelated",
                WARNING,
                f"{where}: labels look turned around: {means}, which is better",
                cure="are signs, outcomes or classes the wrong way round?",
            )
        ]
    return [
        Finding(
            "labels-unrelated",
            WARNING,
            f"{where}: labels look unrelated to the predictions: {means}",
            cure="are the rows of both files in the same order, and the classes in the order of the columns? Join by --id",
        )
    ]


def compared(job: "Job", sample: Sample) -> Compared | None:
    """Losses of a sample with its own labels, with shuffled ones, and with those of neighbours; None where all are alike."""
    if not sample.rows:
        return None
    rows = np.concatenate(sample.rows)
    predictions, targets = np.concatenate(sample.predictions), np.concatenate(sample.targets)
    third_operand = np.concatenate(sample.third_operand) if sample.third_operand else None
    if len(rows) < LEAST_ROWS or (targets == targets[0]).all() or (predictions == predictions[0]).all():
        return None

    def losses(order: Array) -> Array:
        return _losses(job, predictions, targets[order], third_operand)

    shuffled = [losses(_order(len(rows), number)) for number in range(SHUFFLES)]
    # With the largest losses cut off too: a few huge ones would make everything else look alike.
    scales = [_Scale.of(shuffled, cap) for cap in (math.inf, float(np.quantile(shuffled[0], CAPPED)))]
    scales = [scale for scale in scales if scale.spread]
    if not scales:
        return None

    def better(values: Array) -> float:
        return max(scale.better(values) for scale in scales)

    own = losses(np.arange(len(rows)))
    moved = {direction: losses(_neighbours(rows, step)) for direction, step in (("before", -1), ("after", 1))}
    best = max(moved, key=lambda direction: better(moved[direction]))
    means = [float(values.mean()) for values in shuffled]
    return Compared(
        float(own.mean()),
        float(np.mean(means)),
        float(np.std(means)),
        float(moved[best].mean()),
        best,
        better(own),
        better(moved[best]),
    )


class _Scale(NamedTuple):
    """What means of shuffled losses are usually, where losses are cut off at `cap`."""

    cap: float
    usual: float
    spread: float
    """Their standard deviation, 0 where they differ by rounding only."""

    @classmethod
    def of(cls, shuffled: list[Array], cap: float) -> "_Scale":
        means = np.array([np.minimum(values, cap).mean() for values in shuffled])
        usual, spread = float(means.mean()), float(means.std())
        return cls(cap, usual, spread if spread > 1e-9 * abs(usual) else 0.0)

    def better(self, values: Array) -> float:
        """By how many standard deviations losses are better than shuffled ones."""
        return (self.usual - float(np.minimum(values, self.cap).mean())) / self.spread


def _neighbours(rows: Array, step: int) -> Array:
    """For each row of a sample the next one (or, for a step of -1, the one before), in a ring of the rows that follow each other.

    So each label is there as often as before.
    """
    new = np.flatnonzero(np.diff(rows) != 1) + 1
    first, last = np.array([0, *new]), np.array([*new - 1, len(rows) - 1])
    order = np.arange(len(rows)) + step
    order[last if step > 0 else first] = first if step > 0 else last
    return order


def _losses(job: "Job", predictions: Array, targets: Array, third_operand: Array | None) -> Array:
    from losscli.engine.job import over_outputs

    extras = job.extras._replace(third_operand=third_operand)
    with np.errstate(all="ignore"):
        values, _ = job.loss(predictions, job.encoding.targets(targets), extras)
        losses = over_outputs(job, values).astype(np.float64)
    finite = np.isfinite(losses)
    return np.where(finite, losses, losses[finite].max(initial=0))  # one infinite loss would hide all others


def _order(n: int, number: int) -> Array:
    """A shuffle, always the same one of its number: rows by a hash, for numpy.random takes longer to import than all this."""
    return np.argsort(mixed(np.arange(n, dtype=np.uint64) + np.uint64((number + 1) << 32)), kind="stable")


def mixed(bits: Array) -> Array:
    """64-bit numbers with their bits mixed, as the last step of splitmix64 does it (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))


def confused(job: "Job", sample: Sample) -> Array | None:
    """How often each class (column) is predicted for each label (row); None where rows have no class of their own."""
    if not names_classes(job) or job.encoding.k > MOST_CLASSES:
        return None
    label = classes(job, np.concatenate(sample.targets))
    return confusion(label, predicted(job, np.concatenate(sample.predictions)), max(job.encoding.k, 2))


def permuted(confusion: Array, names: list[str], named: bool = False) -> Finding | None:
    """Whether labels look exchanged: most rows of some classes are predicted as another one each, no two as the same.

    Labels that all fit the class before or after theirs look shifted. `named` is whether labels are names of columns.
    """
    n = int(confusion.sum())
    if n < LEAST_ROWS:
        return None
    best = confusion.argmax(axis=1)
    rows = np.arange(len(confusion))
    own, other = confusion[rows, rows], confusion[rows, best]
    moves = np.flatnonzero((best != rows) & (other >= 3 * own + MOVED) & (other * 2 > confusion.sum(axis=1)))
    to = best[moves]
    if not len(moves) or len(set(to.tolist())) < len(moves):
        return None
    gain = int((other - own)[moves].sum())
    if gain < max(MOVED, n / 20):
        return None
    right = int(np.trace(confusion))
    shares = f"{right / n:.1%} of the labels are the predicted class, and {(right + gain) / n:.1%} would be"
    k = len(confusion)
    steps = set(((to - moves) % k).tolist())
    if len(moves) > 1 and k > 2 and steps in ({1}, {k - 1}):
        side = "after" if steps == {1} else "before"
        return Finding(
            "labels-shifted",
            WARNING,
            f"labels look shifted by one class: {shares} if each were the class {side} it",
            cure=NAMES
            if named
            else "do the labels begin with 1? Say --label-base 1"
            if side == "before" and not confusion[0].any()
            else "bring the columns into the order of the labels, or the labels into that of the columns",
        )
    if set(to.tolist()) != set(moves.tolist()):
        return None
    shown = ", ".join(f"{names[label]} as {names[best[label]]}" for label in moves[:4].tolist())
    more = f" ... and {len(moves) - 4} more" if len(moves) > 4 else ""
    return Finding(
        "labels-permuted",
        WARNING,
        f"labels look permuted: {shares} with classes exchanged ({shown}{more})",
        cure=NAMES
        if named
        else "bring the columns into the order of the labels, or give labels by name: --classes names columns",
    )
