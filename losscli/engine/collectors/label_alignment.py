"""Whether labels belong to the predictions in the same row: a pass keeps some rows, which are then given other labels.

This is a permutation test: the mean loss of some thousand rows is compared with that of the same rows
under shuffled labels, and with labels that are moved by one row. For classes it also counts how often
each is predicted for each label.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.engine.classes import classes, confusion, has_names, names_classes, predicted
from losscli.engine.collector import BatchCollector
from losscli.findings import WARNING, Finding
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

RUN = 32
"""Consecutive rows that are kept together, so that a label can be compared with its neighbours."""
MOST_ROWS = 4096
MOST_BYTES = 2 << 20
LEAST_ROWS = 50
"""With fewer rows than this, nothing is concluded."""
SHUFFLES = 30
CAPPED = 0.95
"""Losses are also compared after they are cut off at this quantile of the shuffled losses."""
SIGNIFICANT = 3.0
"""Labels that are related are better than shuffled ones by at least this many standard deviations of shuffled means."""
SHIFTED = 6.0
"""Labels moved by one row must be better by this many standard deviations of shuffled means to be worth a warning."""
NAMES = "are the columns' names in the order of the columns? Correct them"
MOST_CLASSES = 1000
MOVED = 5
"""At least this many rows of a class must be predicted as another class for the two to look exchanged."""


NO_ROWS = np.zeros(0, np.int64)


class Sample(NamedTuple):
    """Mergeable record: the rows that were kept, as they were read, in the order of the file."""

    rows: tuple[Array, ...] = ()
    predictions: tuple[Array, ...] = ()
    targets: tuple[Array, ...] = ()
    third_operand: tuple[Array, ...] = ()

    def __add__(self, other: "Sample") -> "Sample":  # type: ignore[override]
        return Sample(*(first + second for first, second in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Sampling(BatchCollector):
    """Keeps some rows as they were read: the first RUN of every `stride` rows."""

    stride: int
    record = Sample
    exact = True

    @classmethod
    def for_job(cls, job: "Job", most_bytes: int = MOST_BYTES) -> "Sampling | None":
        """Return the sampling of a job; None if there are too few rows to conclude from, or
        rows have no targets of their own.
        """
        n = job.samples
        most = min(MOST_ROWS, most_bytes // job.row_bytes)
        if (
            job.loss.family.coupled is not None
            or job.encoding.kind in ("constant", "sequences", "none")
            or min(n, most) < LEAST_ROWS
        ):
            return None
        return cls(RUN * max(1, -(-n // most)))

    def rows(self, start: int, length: int) -> Array:
        """Return which of `length` rows are kept, counted from row `start` of the file."""
        first = start // self.stride * self.stride
        if (
            start - first >= RUN and first + self.stride >= start + length
        ):  # between two runs, as most batches of long rows are
            return NO_ROWS
        runs = np.arange(first, start + length, self.stride)
        kept = (runs[:, None] + np.arange(RUN)).reshape(-1) - start
        return kept[(kept >= 0) & (kept < length)]

    def of(self, job: "Job", batch: "Batch") -> Sample:
        kept = self.rows(batch.first, len(batch.predictions))
        if not len(kept):
            return Sample()
        third_operand = () if batch.third_operand is None else (batch.third_operand[kept],)
        return Sample((kept + batch.first,), (batch.predictions[kept],), (batch.targets[kept],), third_operand)


class Compared(NamedTuple):
    """The mean loss of a sample with its own labels and with other labels."""

    own: float
    shuffled: float
    spread: float
    """Standard deviation of the means of shuffled labels."""
    moved: float
    """Mean loss with labels moved by one row, up or down, whichever is better."""
    direction: str
    own_better: float
    """By how many standard deviations the own labels are better than shuffled ones: the larger of the numbers with and
    without the largest losses cut off.
    """
    moved_better: float


def suspicions(job: "Job", sample: Sample, found: Compared | None, names: list[str]) -> list[Finding]:
    """Return findings about the labels, if a sample says that they are permuted, shifted or unrelated.

    Parameters
    ----------
    found
        the result of `compared` for the sample.
    names
        names of the classes.
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
    noun = "targets" if job.loss.family.target_type == "numbers" else "labels"
    means = f"the mean loss of {len(np.concatenate(sample.rows)):,} {'rows' if job.layout is None else 'positions'} is {found.own:.4g}, with shuffled {noun} {found.shuffled:.4g} (standard deviation {found.spread:.2g})"
    unit = "row" if job.layout is None else "position"
    if found.moved_better >= SHIFTED:
        return [
            Finding(
                "labels-shifted",
                WARNING,
                f"{where}: {noun} look shifted by one {unit}: {means}, and with each {unit}'s {noun.removesuffix('s')} taken from the {unit} "
                f"{found.direction} it {found.moved:.4g}",
                cure=_cure_of_rows(job, found.direction),
            )
        ]
    if found.own_better <= -SIGNIFICANT:
        return [
            Finding(
                "labels-unrelated",
                WARNING,
                f"{where}: {noun} look turned around: {means}, which is better",
                cure="are the numbers of one file the wrong way round?"
                if noun == "targets"
                else "are signs, outcomes or classes the wrong way round?",
            )
        ]
    order = ", and the classes in the order of the columns" if job.loss.family.target_type == "classes" else ""
    return [
        Finding(
            "labels-unrelated",
            WARNING,
            f"{where}: {noun} look unrelated to the predictions: {means}",
            cure=f"are the rows of both files in the same order{order}? Join by --id",
        )
    ]


@np.errstate(all="ignore")  # the largest numbers have no mean or spread that is a number
def compared(job: "Job", sample: Sample) -> Compared | None:
    """Compare the losses of a sample with its own labels, with shuffled ones, and with those of neighbouring rows.

    None if there is nothing to compare, as when all labels are equal.
    """
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
    # Compared with the largest losses cut off as well: a few huge ones would hide all differences.
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
    """The mean loss under shuffled labels, if losses are cut off at `cap`: its usual value and its spread."""

    cap: float
    usual: float
    spread: float
    """Standard deviation of the means; 0 if they differ only by rounding."""

    @classmethod
    def of(cls, shuffled: list[Array], cap: float) -> "_Scale":
        """Return the scale of losses under several shuffles, each of shape (n,)."""
        means = np.array([np.minimum(values, cap).mean() for values in shuffled])
        usual, spread = float(means.mean()), float(means.std())
        return cls(cap, usual, spread if 1e-9 * abs(usual) < spread < np.inf else 0.0)

    def better(self, values: Array) -> float:
        """Return by how many standard deviations losses are better than shuffled ones."""
        return (self.usual - float(np.minimum(values, self.cap).mean())) / self.spread


def _neighbours(rows: Array, step: int) -> Array:
    """Return, for each row of a sample, the position of the next row or, for a step of -1, of the one before.

    Consecutive rows form a ring, so that each label is used as often as before.
    """
    new = np.flatnonzero(np.diff(rows) != 1) + 1
    first, last = np.array([0, *new]), np.array([*new - 1, len(rows) - 1])
    order = np.arange(len(rows)) + step
    order[last if step > 0 else first] = first if step > 0 else last
    return order


def _losses(job: "Job", predictions: Array, targets: Array, third_operand: Array | None) -> Array:
    """Return the loss of each row in float64, shape (n,), with infinite and undefined
    losses replaced by the largest one.
    """
    from losscli.engine.job import over_outputs

    extras = job.extras._replace(third_operand=third_operand)
    with np.errstate(all="ignore"):
        values, _ = job.loss(predictions, job.encoding.targets(targets), extras)
        losses = over_outputs(job, values).astype(np.float64)
    finite = np.isfinite(losses)
    return np.where(finite, losses, losses[finite].max(initial=0))  # one infinite loss would hide all the others


def _order(n: int, number: int) -> Array:
    """Return a permutation of n rows, which depends on nothing but `number`.

    Rows are sorted by a hash, since numpy.random takes longer to import than all of this.
    """
    return np.argsort(mixed(np.arange(n, dtype=np.uint64) + np.uint64((number + 1) << 32)), kind="stable")


def mixed(bits: Array) -> Array:
    """Return 64-bit numbers with their bits mixed, as in the last step of splitmix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))


def confused(job: "Job", sample: Sample) -> Array | None:
    """Return how often each class (column) is predicted for each label (row); None if rows do not have
    one class each.
    """
    if not names_classes(job) or job.encoding.k > MOST_CLASSES or not sample.rows:
        return None
    label = classes(job, np.concatenate(sample.targets))
    return confusion(label, predicted(job, np.concatenate(sample.predictions)), max(job.encoding.k, 2))


def _cure_of_rows(job: "Job", direction: str) -> str:
    """Return what to do about labels that fit the row before or after theirs, which is the `direction`."""
    from losscli.engine.collectors.shifted_targets import applies, cure_of_shift

    if applies(job):
        return cure_of_shift(job, 1 if direction == "after" else -1)
    return "is a row missing at the beginning of a file, or was a header line taken for data? Join by --id"


def permuted(confusion: Array, names: list[str], named: bool = False) -> Finding | None:
    """Return a finding if labels look exchanged, else None.

    They do if most rows of some classes are predicted as one other class each, no two of them as the same. If all
    labels fit the class before or after theirs, they look shifted. `named` says that labels are names of columns.
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
        return _shifted_by_one_class(shares, "after" if steps == {1} else "before", named, not confusion[0].any())
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


def _shifted_by_one_class(shares: str, side: str, named: bool, first_unused: bool) -> Finding:
    """Return the finding that labels fit the class before or after theirs, which is the `side`.

    `named` says that labels are names of columns, and `first_unused` that no row has the first class as its label.
    """
    if named:
        cure = NAMES
    elif side == "before" and first_unused:
        cure = "do the labels begin with 1? Say --label-base 1"
    else:
        cure = "bring the columns into the order of the labels, or the labels into that of the columns"
    return Finding(
        "labels-shifted",
        WARNING,
        f"labels look shifted by one class: {shares} if each were the class {side} it",
        cure=cure,
    )
