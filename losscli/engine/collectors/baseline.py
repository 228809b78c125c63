"""Baselines: the best constant prediction for some targets, and its loss, from one pass over the targets.

A loss declares which constant is the best for it: 'mean', 'median', 'frequencies', 'signs' or 'centroid'. Each is a
mergeable record here. For other losses one pass over the targets is not enough to find the best constant.
"""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from losscli.arrays import Array, running_sums, times
from losscli.definition.batch import Dense, Extras, Indices, Targets
from losscli.definition.loss import BoundLoss
from losscli.elementary import log1p
from losscli.engine.aggregates import sum_and_moments
from losscli.engine.collector import BatchCollector, ChunkCollector, Collector
from losscli.losses.probability import Known
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch, CountedRows
    from losscli.engine.job import Job

MOST_MEDIAN_VALUES = 4_000_000
"""A median needs all values in memory; if there are more than this, there is no baseline."""


def weighed(weights: Array, t: Array) -> Array:
    """Return the sum over the rows of t, shape (n, k), each times its weight, shape (n,).

    BLAS is avoided, because its digits depend on the number of processor cores.
    """
    if t.shape[1] == 1:
        return np.einsum("i,i->", weights, t[:, 0])[None]
    return np.einsum("i,ij->j", weights, t)


class Baseline(Protocol):
    """A mergeable record of targets from which the best constant is found."""

    def __add__(self, other: "Baseline") -> "Baseline": ...

    def best(self, loss: BoundLoss, extras: Extras) -> tuple[Array, Array] | None:
        """Return the best constant, one number per output or class, and its weighted losses
        summed over rows, one per output.

        None if it is not known.
        """
        ...


class Mean(NamedTuple):
    """The record for losses that are a multiple of the squared residual."""

    weight: float
    mean: Array
    squares: Array

    @classmethod
    def of(cls, t: Array, weights: Array) -> "Mean":
        """Return the record of targets, shape (n, k), and their weights, shape (n,)."""
        total = float(weights.sum())
        if not total:
            return cls(0.0, np.zeros(t.shape[1]), np.zeros(t.shape[1]))
        mean = weighed(weights, t) / total
        return cls(total, mean, weighed(weights, np.square(t - mean)))

    def __add__(self, other: Baseline) -> "Mean":  # type: ignore[override]
        assert isinstance(other, Mean)
        if not (self.weight and other.weight):
            return self if self.weight else other
        total = self.weight + other.weight
        with np.errstate(all="ignore"):  # targets may be infinite
            gap = other.mean - self.mean
            mean = self.mean + gap * (other.weight / total)
            squares = self.squares + other.squares + gap * gap * (self.weight * other.weight / total)
        return Mean(total, mean, squares)

    def best(self, loss: BoundLoss, extras: Extras) -> tuple[Array, Array] | None:
        factor, _ = loss.core(np.ones(1))
        return self.mean, factor[0] * self.squares


class Median(NamedTuple):
    """The record for the absolute residual."""

    values: tuple[Array, ...]
    weights: tuple[Array, ...]
    size: int

    @classmethod
    def of(cls, t: Array, weights: Array) -> "Median":
        """Return the record of targets, shape (n, k), and their weights, shape (n,)."""
        return cls((t,), (weights,), t.size)

    def __add__(self, other: Baseline) -> "Median":  # type: ignore[override]
        assert isinstance(other, Median)
        size = self.size + other.size
        if size > MOST_MEDIAN_VALUES:
            return Median((), (), size)
        return Median(self.values + other.values, self.weights + other.weights, size)

    def best(self, loss: BoundLoss, extras: Extras) -> tuple[Array, Array] | None:
        if not self.values or not self.size:
            return None
        values, weights = np.concatenate(self.values), np.concatenate(self.weights)
        median = np.array([weighted_median(column, weights) for column in values.T])
        return median, weighed(weights, np.abs(values - median))


def weighted_median(values: Array, weights: Array) -> float:
    """Return the value at which half of the weight is reached; the mean of two values if it is reached between them."""
    order = np.argsort(values, kind="stable")
    values, reached = values[order], np.maximum.accumulate(running_sums(weights[order][None])[0])
    half = reached[-1] / 2
    low = int(np.searchsorted(reached, half, side="left"))
    high = int(np.searchsorted(reached, half, side="right"))
    return float((values[low] + values[min(high, len(values) - 1)]) / 2)


class Frequencies(NamedTuple):
    """The record for losses whose core is -t l + h(t), over classes or over the two outcomes of each output.

    `positive` is the sum of w t for each class or output, `negative` that of w (1 - t) for outputs, and `constant` that
    of w h(t); w is the weight, t the target, and l the log-probability.
    """

    positive: Array
    negative: Array | None
    constant: Array

    @classmethod
    def of_classes(cls, loss: BoundLoss, targets: Dense, weights: Array) -> "Frequencies":
        """Return the record of targets over classes, shape (n, k), and the weights of the rows, shape (n,)."""
        t = targets.t.astype(np.float64)
        return cls(weighed(weights, t), None, np.array([float(weighed(weights, _constant(loss, t)).sum())]))

    @classmethod
    def of_outputs(cls, targets: Dense, weights: Array) -> "Frequencies":
        """Return the record of targets of outputs, shape (n, k), and the weights of the rows, shape (n,)."""
        t = targets.t.astype(np.float64)
        other = 1 - t if targets.other is None else targets.other
        t, other = (part if part.ndim == 2 else part[:, None] for part in (t, other))
        return cls(weighed(weights, t), weighed(weights, other), np.zeros(t.shape[1]))

    def __add__(self, other: Baseline) -> "Frequencies":  # type: ignore[override]
        assert isinstance(other, Frequencies)
        negative = None if self.negative is None or other.negative is None else self.negative + other.negative
        return Frequencies(self.positive + other.positive, negative, self.constant + other.constant)

    def best(self, loss: BoundLoss, extras: Extras) -> tuple[Array, Array] | None:
        with np.errstate(all="ignore"):
            if self.negative is None:
                p = self.positive / self.positive.sum()
                return p, np.array([times(self.positive, -np.log(p)).sum()]) + self.constant
            positive = self.positive * (1.0 if extras.pos_weight is None else extras.pos_weight)
            p = positive / (positive + self.negative)
            return p, times(positive, -np.log(p)) + times(self.negative, -log1p(-p))


class ClassCounts(NamedTuple):
    """The record for losses as of `Frequencies`, if each row has one class: only the number
    of rows of each class is kept.
    """

    own: Array
    """For each class the sum of the weights of its rows."""
    on: float
    off: float

    @classmethod
    def of(cls, targets: Indices, weights: Array | None, k: int) -> "ClassCounts":
        """Return the record of class indices, shape (n,), and the weights of the rows."""
        return cls(np.bincount(targets.index, weights, k), targets.on, targets.off)

    def __add__(self, other: Baseline) -> "ClassCounts":  # type: ignore[override]
        assert isinstance(other, ClassCounts)
        return ClassCounts(self.own + other.own, self.on, self.off)

    def best(self, loss: BoundLoss, extras: Extras) -> tuple[Array, Array] | None:
        total = self.own.sum()
        on, off = _constant(loss, np.array([self.on, self.off]))
        constant = total * (on + (len(self.own) - 1) * off)
        positive = self.on * self.own + self.off * (total - self.own)
        return Frequencies(positive, None, np.array([constant])).best(loss, extras)


class Signs(NamedTuple):
    """The record for piecewise margin losses. A constant score has two margins: itself and its negative."""

    positive: Array
    negative: Array

    @classmethod
    def of(cls, targets: Dense, weights: Array) -> "Signs":
        """Return the record of targets in {-1, 1} and the weights of the rows."""
        up = (targets.t > 0).astype(np.float64)
        up = up if up.ndim == 2 else up[:, None]
        return cls(weighed(weights, up), weighed(weights, 1 - up))

    def __add__(self, other: Baseline) -> "Signs":  # type: ignore[override]
        assert isinstance(other, Signs)
        return Signs(self.positive + other.positive, self.negative + other.negative)

    def best(self, loss: BoundLoss, extras: Extras) -> tuple[Array, Array] | None:
        # A sum of straight pieces is smallest at a kink, which is 1 or a parameter. A squared hinge is smallest
        # where the slopes of both sides cancel.
        kinks = [1.0, *(value for value in loss.parameters.values() if value is not None)]
        fixed = np.array([[sign * kink] * len(self.positive) for kink in kinks for sign in (1, -1)])
        with np.errstate(all="ignore"):
            balance = (self.positive - self.negative) / (self.positive + self.negative)
            scores = np.concatenate([fixed, balance[None, :]])
            risks = times(self.positive, loss.core(scores)[0]) + times(self.negative, loss.core(-scores)[0])
        chosen = risks.argmin(axis=0), np.arange(len(self.positive))
        return scores[chosen], risks[chosen]


class Centroid(NamedTuple):
    """The record for losses in the squared distance to the center of the class.

    The best constant is the mean of the centers, each weighted by the weight of its class.
    """

    weights: Array

    @classmethod
    def of(cls, targets: Targets, weights: Array, k: int) -> "Centroid":
        """Return the record of targets over k classes and the weights of the rows, shape (n,)."""
        if isinstance(targets, Indices):
            return cls(np.bincount(targets.index, weights, k))
        return cls(weighed(weights, targets.t.astype(np.float64)))

    def __add__(self, other: Baseline) -> "Centroid":  # type: ignore[override]
        assert isinstance(other, Centroid)
        return Centroid(self.weights + other.weights)

    def best(self, loss: BoundLoss, extras: Extras) -> tuple[Array, Array] | None:
        centers = extras.centers
        if centers is None or not self.weights.sum():
            return None
        point = self.weights @ centers / self.weights.sum()
        return point, np.array([self.weights @ loss.core(point - centers)[0].sum(axis=1)])


def of(loss: BoundLoss, lifted: Targets, targets: Array, given: Array | None, k: int) -> Baseline | None:
    """Return the record of a batch's targets from which the loss's best constant is found; None if it declares none.

    Parameters
    ----------
    lifted
        the batch's targets as the lift sees them, smoothed.
    targets
        the batch's targets as they were read, shape (n,) or (n, k).
    given
        weights of the rows, shape (n,); None for 1 each.
    k
        number of classes, if targets are classes.
    """
    kind = loss.declaration.baseline
    if kind == "frequencies" and isinstance(lifted, Indices):
        return ClassCounts.of(lifted, given, k)
    if given is None and targets.ndim == 1:
        of_column = _of_plain_column(loss, lifted, targets)
        if of_column is not None:
            return of_column
    weights = np.ones(len(targets)) if given is None else given
    if kind in ("mean", "median"):
        counted = weights != 0  # a row of weight 0 adds nothing, even where its target is infinite
        t, weights = targets[counted].astype(np.float64), weights[counted]
        t = t if t.ndim == 2 else t[:, None]
        return Mean.of(t, weights) if kind == "mean" else Median.of(t, weights)
    if kind == "centroid":
        return Centroid.of(lifted, weights, k)
    if kind == "signs" and isinstance(lifted, Dense):
        return Signs.of(lifted, weights)
    if kind == "frequencies" and isinstance(lifted, Dense):
        outputs = loss.family.several_outputs
        return Frequencies.of_outputs(lifted, weights) if outputs else Frequencies.of_classes(loss, lifted, weights)
    return None


def _of_plain_column(loss: BoundLoss, lifted: Targets, targets: Array) -> Baseline | None:
    """Return the record of targets with one number per row that weigh 1 each; None if it is not one of the simple cases."""
    kind = loss.declaration.baseline
    if kind == "mean":
        _, moments = sum_and_moments(targets)
        return Mean(float(len(targets)), np.array([moments.mean]), np.array([moments.squares], np.float64))
    outputs = kind == "frequencies" and loss.family.several_outputs
    if outputs and isinstance(lifted, Dense) and lifted.other is None and lifted.t.dtype == bool and lifted.t.ndim == 1:
        positive = float(np.count_nonzero(lifted.t))
        return Frequencies(np.array([positive]), np.array([len(targets) - positive]), np.zeros(1))
    return None


def _constant(loss: BoundLoss, t: Array) -> Array:
    # A core -t l + h(t) has the value h(t) at l = 0.
    zero = np.zeros_like(t)
    with np.errstate(all="ignore"):
        return loss.core(Known(zero, zero + 1, zero), t)[0]


@dataclass(frozen=True)
class BaselineOfBatches(BatchCollector):
    """Makes the record batch by batch, for targets with several numbers per row."""

    record = Baseline

    def of(self, job: "Job", batch: "Batch") -> Baseline | None:
        rows = batch.counted
        assert rows.decoded is not None
        assert rows.targets is not None
        return of(job.loss, rows.decoded, rows.targets, rows.weights, job.encoding.k)


@dataclass(frozen=True)
class BaselineOfChunks(ChunkCollector):
    """Makes the record of a whole chunk, for targets with one number per row."""

    record = Baseline

    def of(self, job: "Job", rows: "CountedRows") -> Baseline | None:
        assert rows.targets is not None
        return of(job.loss, job.encoding.targets(rows.targets), rows.targets, rows.weights, job.encoding.k)


def collectors(job: "Job") -> list[Collector]:
    """Return the collector of the record for a job's loss; an empty list if no constant is known to be best."""
    if job.loss.declaration.baseline is None or job.encoding.kind in ("constant", "none"):
        return []
    if job.unit != "row" or job.by_elements:
        return []  # the best constant for units of several positions is another one
    return [BaselineOfChunks() if len(job.targets.shape) == 1 else BaselineOfBatches()]


class Answer(NamedTuple):
    """The baseline as it is reported: the constant, its loss under the same reduction,
    and the skill of the run over it.
    """

    prediction: float | list[float]
    value: float
    skill: float | None = None
