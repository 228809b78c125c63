"""Temperature scaling: softmax(z / T), or softmax(z / T + b), fitted to labels by Newton's method.

The mean cross-entropy is convex in beta = 1 / T and b (Guo et al. 2017, arXiv:1706.04599, fit T alone). A pass over the
files gives its value, gradient and Hessian at a point; no row is kept.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from losscli.analysis.calibration.scores import Form, Scores
from losscli.arrays import Array, row_sums
from losscli.definition.batch import Probability
from losscli.elementary import log1p
from losscli.engine.aggregates import PLACES_SHOWN, Faults
from losscli.engine.classes import classes
from losscli.engine.collector import BatchCollector
from losscli.errors import UsageError
from losscli.lookup.names import find
from losscli.losses.probability import OfLogProbability, OfProbability, Opposite
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.data.dataset import Dataset
    from losscli.definition.loss import BoundLoss
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

MOST_STEPS = 100
MOST_BIASES = 200
"""Largest number of classes for which biases are fitted: each row adds to a Hessian with this number squared."""
CLOSE = 1e-9
"""A step this small relative to beta is the last one: the next would be smaller than rounding errors."""
CLOSE_WITH_BIASES = 1e-7
"""A step of the biases this small is the last one: the next would be about its square."""
ROUNDING = 4 * np.finfo(np.float64).eps
"""A slope at beta = 0 that is smaller than this part of the largest difference of two logits is 0 but for rounding."""
FAR = 10.0
"""Beta grows or shrinks by no more than this factor if it has no bound on that side, or no slope to follow."""
LARGEST = 1e300
LOST = "infinite cross-entropy"
TO_ZERO, TO_INFINITY, FLAT = "T -> 0", "T -> infinity", "any T"


def likelihood(dataset: "Dataset | None", activation: str | None = None) -> "BoundLoss":
    """Return the cross-entropy for the predictions' shape: of one score per row, or of one column per class.

    `activation` is 'sigmoid' if each column is an outcome of its own, and 'softmax' or None for classes.

    Raises
    ------
    UsageError
        for a softmax of one column.
    """
    shape = (0,) if dataset is None else dataset.predictions.shape
    single = len(shape) == 1 or shape[1] == 1
    if dataset is not None and single and activation == "softmax":
        raise UsageError(f"--activation softmax: {dataset.predictions.name} has one number per row, and no classes")
    return find("sigmoid-cross-entropy" if single or activation == "sigmoid" else "softmax-cross-entropy").bind()


def likelihood_of(activation: str | None) -> "Callable[[Dataset], BoundLoss]":
    """Return the function that chooses the cross-entropy for files, with the activation that was said."""
    return lambda dataset: likelihood(dataset, activation)


def scores_of(x: Array, prediction_kind: str) -> Array:
    """Return predictions as float64 logits of a softmax, shape (n, k): log p for probabilities p.

    A single score per row becomes two columns.
    """
    x = x.astype(np.float64)
    if x.ndim == 1 and prediction_kind == "logits":
        return np.stack([np.zeros(len(x)), x], axis=1)
    if x.ndim == 1:
        chance: Probability = OfLogProbability(x) if prediction_kind == "log-probs" else OfProbability(x)
        return np.stack([Opposite(chance).l, chance.l], axis=1)
    return np.log(x) if prediction_kind == "probs" else x


class Elements(NamedTuple):
    """Predictions with the class that is true of each: rows, or single outcomes of rows that have several of them.

    Shapes are (n, k) or (n,) for predictions, and (n,) for the others. Rows of weight 0 are left out.
    """

    predictions: Array
    true: Array
    weights: Array
    rows: Array
    outputs: int | None
    """Number of outcomes of a row, as that of `Form`."""

    @classmethod
    def of(cls, job: "Job", batch: "Batch") -> "Elements":
        """Return the elements of a batch."""
        x, weights, rows = batch.predictions, batch.weights, batch.rows
        several = job.several
        true = job.encoding.outcomes(batch.targets).astype(np.int64) if several else classes(job, batch.targets)
        if weights is None:
            weights = np.ones(len(x))
        elif not weights.all():
            kept = weights != 0
            x, true, weights, rows = x[kept], true[kept], weights[kept], rows[kept]
        if not several:
            return cls(x, true, weights, rows, 1 if x.ndim == 1 else None)
        k = x.shape[1]
        return cls(x.ravel(), true.ravel(), np.repeat(weights, k), np.repeat(rows, k), k)


class Point(NamedTuple):
    """A candidate: beta = 1 / T, and one bias per class, shape (k,), or None."""

    beta: float = 1.0
    bias: Array | None = None

    def logits(self, z: Array) -> Array:
        """Return the logits z after calibration, shape (n, k); a class of -inf stays impossible, even at beta = 0."""
        x = self.beta * z if self.beta else np.where(np.isinf(z), z, 0)
        return x if self.bias is None else x + self.bias


class Sums(NamedTuple):
    """Sums of several numbers, compensated as `Total` is (Knuth's exact sum of two)."""

    high: Array
    low: Array

    @classmethod
    def of(cls, values: Array) -> "Sums":
        return cls(values, np.zeros_like(values))

    def __add__(self, other: "Sums") -> "Sums":  # type: ignore[override]
        high = self.high + other.high
        back = high - self.high
        lost = (self.high - (high - back)) + (other.high - back)
        return Sums(high, self.low + other.low + lost)

    @property
    def values(self) -> Array:
        return self.high + self.low


class Local(NamedTuple):
    """Mean cross-entropy at a point, with its gradient and Hessian in (beta, b)."""

    value: float
    gradient: Array
    hessian: Array

    @classmethod
    def of(cls, sums: Sums) -> "Local":
        value, weight, *_ = values = sums.values
        size = round((math.sqrt(4 * len(values) - 7) - 1) / 2)  # since there are 2 + size + size^2 numbers
        rest = values[2:] / weight
        return cls(float(value / weight), rest[:size], rest[size:].reshape(size, size))


class Seen(NamedTuple):
    """Mergeable record of a pass: sums at each of its points, and scores at the last one."""

    sums: tuple[Sums, ...]
    margins: Array
    """For each point the largest logit of a wrong class minus that of the right one, over the rows."""
    size: float
    """The largest distance between a logit and that of the true class."""
    lost: Faults
    """Rows whose cross-entropy is infinite at every temperature."""
    weights: Array
    """For each class the sum of the weights of its rows."""
    scores: Scores | None = None

    def __add__(self, other: "Seen") -> "Seen":  # type: ignore[override]
        return Seen(
            tuple(first + second for first, second in zip(self.sums, other.sums, strict=True)),
            np.maximum(self.margins, other.margins),
            max(self.size, other.size),
            self.lost + other.lost,
            self.weights + other.weights,
            None if self.scores is None or other.scores is None else self.scores + other.scores,
        )

    def at(self, number: int) -> Local:
        """Return the mean cross-entropy and its derivatives at a point of the pass."""
        return Local.of(self.sums[number])


@dataclass(frozen=True)
class Look(BatchCollector):
    """Sums what Newton's method needs from each batch; rows of weight 0 are left out."""

    record = Seen

    points: tuple[Point, ...]
    bins: int | None = None
    """Number of bins of equal width for the scores; None for no scores."""
    positive: bool = False
    """Whether calibration errors are of the positive class's probability."""

    def of(self, job: "Job", batch: "Batch") -> Seen:
        x, true, w, rows, outputs = Elements.of(job, batch)
        z = scores_of(x, job.extras.prediction_kind)
        gaps = z - np.take_along_axis(z, true[:, None], axis=1)
        np.put_along_axis(gaps, true[:, None], 0, axis=1)
        bad = ~(gaps < np.inf).all(axis=1)
        lost = _places(rows[bad])
        gaps[bad] = 0  # these rows are an error after the pass
        at_points = [Probabilities.of(point, gaps, true) for point in self.points]
        finite = np.isfinite(gaps)
        gaps = gaps if finite.all() else np.where(finite, gaps, 0)
        sums = tuple(chances.sums(gaps, true, w, point) for chances, point in zip(at_points, self.points, strict=True))
        margins = np.array([chances.margin for chances in at_points])
        weights = np.bincount(true, w, z.shape[1])
        scores = None
        if self.bins is not None:
            last, form = at_points[-1], Form(self.positive, outputs)
            scores = Scores.of(last.loss, last.p, last.top, true, w, outputs is not None, self.bins, form)
        size = float(np.abs(gaps).max(initial=0))
        return Seen(sums, margins, size, lost, weights, scores)


def _places(rows: Array) -> Faults:
    if not len(rows):
        return Faults()
    return Faults({LOST: (len(rows), tuple((int(row), None, math.inf) for row in rows[:PLACES_SHOWN]))})


class Probabilities(NamedTuple):
    """The predictions of rows at a point: cross-entropy, all probabilities, and the class of the largest one."""

    loss: Array
    p: Array
    top: Array
    margin: float

    @classmethod
    def of(cls, point: Point, gaps: Array, true: Array) -> "Probabilities":
        """Return the predictions from logits minus that of the true class, so that no digit of a small loss is lost."""
        x = np.clip(point.logits(gaps), -LARGEST, LARGEST)
        if point.bias is not None:
            x -= point.bias[true][:, None]
        own, top = true[:, None], x.argmax(axis=1)[:, None]
        peak = np.take_along_axis(x, top, axis=1)
        terms = np.exp(x - peak)
        np.put_along_axis(x, own, -np.inf, axis=1)
        margin = float(x.max(initial=-np.inf))
        np.put_along_axis(terms, top, 0, axis=1)
        rest = row_sums(terms)
        np.put_along_axis(terms, top, 1, axis=1)
        return cls(peak[:, 0] + log1p(rest), terms / (1 + rest)[:, None], top[:, 0], margin)

    def sums(self, gaps: Array, true: Array, w: Array, point: Point) -> Sums:
        """Return cross-entropy, weight, gradient and Hessian, summed over the rows; gaps of impossible
        classes are 0.
        """
        p = self.p
        mean = row_sums(p * gaps)
        away = gaps - mean[:, None]
        off = p * away
        spread = row_sums(off * away)
        first = [_dot(w, self.loss), w.sum(), _dot(w, mean)]
        if point.bias is None:
            return Sums.of(np.array([*first, _dot(w, spread)]))
        k = p.shape[1]
        slope = np.einsum("i,ij->j", w, p) - np.bincount(true, w, k)
        hessian = np.empty((k + 1, k + 1))
        weighted = w[:, None] * p
        # Not by BLAS, whose digits depend on the number of processor cores.
        hessian[1:, 1:] = np.diag(weighted.sum(axis=0)) - np.einsum("ij,ik->jk", weighted, p)
        hessian[0, 0] = _dot(w, spread)
        hessian[0, 1:] = hessian[1:, 0] = np.einsum("i,ij->j", w, off)
        return Sums.of(np.concatenate([first, slope, hessian.ravel()]))


def _dot(w: Array, values: Array) -> float:
    """Return the scalar product, without BLAS."""
    return float(np.einsum("i,i->", w, values))


class Fit(NamedTuple):
    """The end of the search: the point, and how it was reached."""

    point: Point
    converged: bool
    iterations: int
    limit: str | None = None
    """The limit at which the minimum lies if no temperature reaches it: TO_ZERO or TO_INFINITY; FLAT if
    all are equal.
    """


Passes = Callable[[tuple[Point, ...]], Seen]
"""A function that makes a pass and returns its record at some points."""


def fit(passes: Passes, first: Seen) -> Fit:
    """Find the temperature with the smallest mean cross-entropy.

    Parameters
    ----------
    first
        the record of a pass at beta = 0 and at beta = 1.
    """
    origin, local = first.at(0), first.at(1)
    if not origin.hessian[0, 0]:
        return Fit(Point(), False, 0, FLAT)
    if first.margins[1] <= 0:
        return Fit(Point(), False, 0, TO_ZERO)
    if origin.gradient[0] >= -ROUNDING * first.size:  # a slope of 0 may come out as -1e-17, and its T as 1e17
        return Fit(Point(), False, 0, TO_INFINITY)
    from_origin = -float(origin.gradient[0] / origin.hessian[0, 0])
    beta, low, high = 1.0, 0.0, math.inf
    for step in range(1, MOST_STEPS + 1):
        slope, curve = float(local.gradient[0]), float(local.hessian[0, 0])
        move = -slope / curve if curve > 0 else math.inf if slope < 0 else -math.inf
        if abs(move) <= CLOSE * beta:
            return Fit(Point(beta + move), True, step)
        low, high = (beta, high) if slope < 0 else (low, beta)
        beta = _inside(beta + move, beta, low, high, from_origin)
        local = passes((Point(beta),)).at(0)
    return Fit(Point(beta), False, MOST_STEPS)


def _inside(wanted: float, beta: float, low: float, high: float, from_origin: float) -> float:
    """Return Newton's next beta, or one that the bracket allows."""
    if low < wanted < high and wanted <= FAR * max(beta, from_origin):
        return wanted
    if math.isinf(high):
        return max(FAR * beta, from_origin)
    if low > 0:
        return math.sqrt(low) * math.sqrt(high)
    return from_origin if from_origin < high else high / FAR


def fit_biases(passes: Passes, first: Seen, alone: Fit) -> Fit:
    """Find the temperature and biases with the smallest mean cross-entropy; every class must have rows.

    It begins with the temperature `alone`, and is a damped Newton's method (Boyd and Vandenberghe
    2004, Convex Optimization, 9.5).
    """
    if alone.limit == TO_ZERO:
        return alone
    no_information = np.log(first.weights)
    if passes((Point(0.0, no_information - no_information.mean()),)).at(0).gradient[0] >= 0:
        return Fit(Point(), False, 0, TO_INFINITY)
    point = Point(alone.point.beta, np.zeros(len(first.weights)))
    seen = passes((point,))
    for step in range(1, MOST_STEPS + 1):
        if seen.margins[0] < 0:
            return Fit(Point(), False, step, TO_ZERO)  # the farther in this direction, the better
        local = seen.at(0)
        move = _newton(local)
        size = max(abs(move[0]) / point.beta, float(np.abs(move[1:]).max()))
        if size <= CLOSE_WITH_BIASES:
            return Fit(_moved(point, move), True, step)
        lower = _search(passes, point, local, move)
        if lower is None:
            return Fit(point, False, step)
        point, seen = lower
    return Fit(point, False, MOST_STEPS)


def _newton(local: Local) -> Array:
    """Return Newton's step. Biases are determined up to a constant, and their sum stays 0."""
    scale = np.sqrt(np.maximum(np.diag(local.hessian), np.finfo(float).tiny))
    scaled = local.hessian / np.outer(scale, scale)
    free = np.concatenate([[0.0], scale[1:]])
    free /= np.sqrt(free @ free)
    # The Hessian is 0 along b = 1, and so is the gradient: any curvature there makes it regular.
    step = np.linalg.lstsq(scaled + np.outer(free, free), -local.gradient / scale, rcond=None)[0] / scale
    step[1:] -= step[1:].mean()
    return np.asarray(step)


def _moved(point: Point, move: Array, part: float = 1.0) -> Point:
    """Return the point after a part of a step."""
    assert point.bias is not None
    bias = point.bias + part * move[1:]
    return Point(point.beta + part * float(move[0]), bias - bias.mean())


def _search(passes: Passes, point: Point, local: Local, move: Array) -> tuple[Point, Seen] | None:
    """Return a point along the step that is sufficiently lower, and its record; None if there is none."""
    part = 1.0 if point.beta + move[0] > point.beta / FAR else (1 / FAR - 1) * point.beta / float(move[0])
    promised = float(local.gradient @ move)
    while part > CLOSE:
        wanted = _moved(point, move, part)
        seen = passes((wanted,))
        if seen.at(0).value <= local.value + 1e-4 * part * promised + 4 * np.finfo(float).eps * abs(local.value):
            return wanted, seen
        part /= 2
    return None
