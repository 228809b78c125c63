"""Platt scaling: sigmoid(a s + b) of scores s, fitted to smoothed labels by Newton's method.

Platt 1999, Probabilistic Outputs for Support Vector Machines. Instead of 1 and 0 the targets are (n1 + 1) / (n1 + 2) and
1 / (n0 + 2), where n1 and n0 are the weights of positive and negative rows; so the minimum is finite even where a score divides
them. Each column of the predictions has its own a and b, and a pass over the files moves all of them by one step.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from losscli.analysis.calibration.columns import Extent, columns
from losscli.analysis.calibration.temperature import CLOSE, MOST_STEPS, Sums
from losscli.arrays import Array
from losscli.engine.collector import BatchCollector
from losscli.losses.probability import OfLogit
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

CLOSE_ENOUGH = 1e-7
"""A step this small relative to a and b is the last one: the next would be about its square."""


class Slope(NamedTuple):
    """Mergeable record: for each column the loss, its gradient and its Hessian in (a, b), summed; shape (6, columns)."""

    sums: Sums

    def __add__(self, other: "Slope") -> "Slope":  # type: ignore[override]
        return Slope(self.sums + other.sums)


@dataclass(frozen=True)
class Scale:
    """Scores moved and divided so that they lie in [-1, 1], and the smoothed targets; all arrays of shape (columns,)."""

    middle: Array
    half: Array
    negative: Array
    positive: Array

    @classmethod
    def of(cls, extent: Extent) -> "Scale":
        low, high = extent.low.min(axis=0), extent.high.max(axis=0)
        half = high / 2 - low / 2
        n0, n1 = extent.weight
        return cls(low / 2 + high / 2, np.where(half == 0, 1, half), 1 / (n0 + 2), (n1 + 1) / (n1 + 2))


@dataclass(frozen=True)
class PlattLook(BatchCollector):
    """Sums what a step of Newton's method needs, with a and b in the units of a `Scale`."""

    scale: Scale
    a: Array
    b: Array

    record = Slope

    def of(self, job: "Job", batch: "Batch") -> Slope:
        part = columns(job, batch)
        u = (part.scores - self.scale.middle) / self.scale.half
        t = np.where(part.right, self.scale.positive, self.scale.negative)
        f = self.a * u + self.b
        chance = OfLogit(f)
        curve = chance.p * chance.q
        slope = chance.p - t
        terms = ((1 - t) * f - chance.l, slope * u, slope, curve * u * u, curve * u, curve)
        # Not by BLAS, whose digits depend on the number of processor cores.
        return Slope(Sums.of(np.stack([np.einsum("i,ij->j", part.weights, term) for term in terms])))


class PlattFit(NamedTuple):
    """The end of the search: a and b of each column, in the units of the scores, and how it was reached."""

    a: Array
    b: Array
    converged: bool
    iterations: int


Passes = Callable[[PlattLook], Slope]
"""A function that makes a pass and returns its record."""


def fit_platt(passes: Passes, extent: Extent) -> PlattFit:
    """Find a and b of each column; columns whose scores are all equal have a = 0.

    Newton's method from a = 0, where a step that does not lower the loss is halved (Lin, Lin and Weng 2007, A Note on Platt's
    Probabilistic Outputs for Support Vector Machines).
    """
    scale = Scale.of(extent)
    n0, n1 = extent.weight
    a, b = np.zeros(len(n0)), np.log((n1 + 1) / (n0 + 1))
    now = passes(PlattLook(scale, a, b)).sums.values
    part = np.ones(len(a))
    move = _newton(now)
    for step in range(1, MOST_STEPS + 1):
        size = np.maximum(np.abs(part * move[0]), np.abs(part * move[1])) / (1 + np.maximum(np.abs(a), np.abs(b)))
        last = bool((size <= CLOSE_ENOUGH).all())
        trial = a + part * move[0], b + part * move[1]
        if last:
            return _in_scores(scale, *trial, True, step)
        found = passes(PlattLook(scale, *trial)).sums.values
        promised = part * (now[1] * move[0] + now[2] * move[1])
        lower = found[0] <= now[0] + 1e-4 * promised + 4 * np.finfo(float).eps * np.abs(now[0])
        a, b = np.where(lower, trial[0], a), np.where(lower, trial[1], b)
        now = np.where(lower, found, now)
        part = np.where(lower, 1, part / 2)
        move = _newton(now)
    return _in_scores(scale, a, b, bool((size <= CLOSE).all()), MOST_STEPS)


def _newton(sums: Array) -> Array:
    """Return the step of a and of b, shape (2, columns); of b alone where the Hessian says nothing about a."""
    _, ga, gb, haa, hab, hbb = sums
    det = haa * hbb - hab * hab
    usable = det > 1e-12 * haa * hbb
    with np.errstate(all="ignore"):
        da = np.where(usable, (hab * gb - hbb * ga) / det, 0)
        db = np.where(usable, (hab * ga - haa * gb) / det, np.where(hbb > 0, -gb / hbb, 0))
    return np.stack([da, db])


def _in_scores(scale: Scale, a: Array, b: Array, converged: bool, steps: int) -> PlattFit:
    """Return the fit with a and b for the scores themselves; infinite for scores that are too near to each other for a slope."""
    with np.errstate(all="ignore"):
        slope = a / scale.half
        return PlattFit(slope, b - slope * scale.middle, converged, steps)
