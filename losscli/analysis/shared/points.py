"""Predictions and targets at which a loss is tested: a grid, extremes, and perfect predictions."""

import itertools
import math
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Indices, Targets
from losscli.definition.loss import Family
from losscli.losses.softmax import MAKERS
from losscli.records import dataclass

SIZES = (-1000.0, -100.0, -40.0, -20.0, 20.0, 40.0, 100.0, 1000.0)
SURE = 40.0
"""A logit that is practically certain, and that every dtype can hold."""
LABELS = ((0.0, 1.0), (-1.0, 1.0))
"""The labels of two outcomes: both conventions are common."""


@dataclass(frozen=True)
class Points:
    """Predictions and targets; predictions are of the kind that the loss takes."""

    x: Array
    targets: Targets

    def take(self, rows: Any) -> "Points":
        """Return some of the rows."""
        t = self.targets
        return Points(self.x[rows], Indices(t.index[rows], t.on, t.off) if isinstance(t, Indices) else Dense(t.t[rows]))

    def as_(self, dtype: Any) -> "Points":
        """Return the points with predictions of a dtype."""
        return Points(self.x.astype(dtype), self.targets)

    @property
    def labels(self) -> Array:
        """The target of each row, as a number."""
        return self.targets.index if isinstance(self.targets, Indices) else self.targets.t

    def shown(self, row: int) -> dict[str, Any]:
        """Return a row for people to read."""
        return {"predictions": self.x[row].tolist(), "target": self.labels[row].tolist()}


def grid(family: Family, prediction_kind: str, labels: tuple[float, float] = LABELS[0]) -> Points:
    """Return ordinary predictions and targets for a reference's family, none of them at a kink, the smallest first.

    Parameters
    ----------
    prediction_kind
        the kind of predictions that the loss takes.
    labels
        the labels of the two outcomes.
    """
    if family.target_type == "classes":
        z = np.array(list(itertools.product((-3.1, -0.6, 0.2, 1.3, 4.1), repeat=3)))
        z = z[np.argsort(np.abs(z).sum(axis=1), kind="stable")]
        return wanted(z, Indices(np.arange(len(z)) % 3), prediction_kind)
    x = np.linspace(-5, 5, 41) + 0.0137
    x = x[np.argsort(np.abs(x), kind="stable")]
    if family.target_type == "numbers":
        t = np.where(np.arange(len(x)) % 2, 1.5, 0.0)
        return Points(x + t, Dense(t))
    return wanted(np.repeat(x, 2), Dense(np.tile(labels, len(x))), prediction_kind)


MASK = 4
"""Number of elements of a mask."""


def masks(prediction_kind: str) -> Points:
    """Return predictions and targets of masks of four elements, in which some elements are true, and others not."""
    sizes = np.array([0.1, -0.4, 0.9, -1.3, 1.7, -2.2, 2.9, -3.6])
    z = np.stack([np.roll(sizes, shift)[:MASK] for shift in range(len(sizes))])
    truths = [bits for bits in itertools.product((0.0, 1.0), repeat=MASK) if 0 < sum(bits) < MASK]
    t = np.array(truths)[np.arange(len(z) * 3) % len(truths)]
    return _of_masks(np.tile(z, (3, 1)), t, prediction_kind)


def extreme_masks(prediction_kind: str) -> Points:
    """Return masks whose elements are practically certain, among them empty ones that are predicted to be empty."""
    t = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 1], [1, 0, 0, 0]], float)
    z = np.concatenate([np.where(t > 0, size, -size) for size in (20.0, 40.0, -20.0, -40.0)])
    return _of_masks(z, np.tile(t, (4, 1)), prediction_kind)


def _of_masks(z: Array, t: Array, prediction_kind: str) -> Points:
    """Return masks whose predictions are logits as the kind that a loss takes; each element has a probability of its own."""
    log_p = -np.logaddexp(0, -z)
    return Points({"logits": z, "probs": np.exp(log_p)}.get(prediction_kind, log_p), Dense(t))


def extremes(family: Family, prediction_kind: str, labels: tuple[float, float] = LABELS[0]) -> Points:
    """Return large predictions, at which carelessly written formulas fail; the smallest first."""
    sizes = np.array(sorted(SIZES, key=abs))
    if family.target_type == "classes":
        z = np.array([[a, 0, b] for a in sizes for b in (0.0, 1.0)])
        z = np.repeat(z, 3, axis=0)
        return wanted(z, Indices(np.arange(len(z)) % 3), prediction_kind)
    if family.target_type == "numbers":
        return Points(np.concatenate([sizes, 10 * sizes]), Dense(np.zeros(2 * len(sizes))))
    return wanted(np.repeat(sizes, 2), Dense(np.tile(labels, len(sizes))), prediction_kind)


def endless(family: Family, labels: tuple[float, float] = LABELS[0]) -> Points:
    """Return infinite logits at which a loss has a limit."""
    if family.target_type == "classes":
        z = np.array([[-math.inf, 0.0, 1.0], [math.inf, 0.0, 1.0]])
        return Points(z, Indices(np.array([1, 0])))
    return Points(np.array([math.inf, -math.inf]), Dense(np.array(labels[::-1])))


def perfect(points: Points, family: Family, prediction_kind: str) -> Points:
    """Return, for each row of a grid, the prediction that is right and certain."""
    if isinstance(points.targets, Indices):
        z = np.zeros_like(points.x)
        np.put_along_axis(z, points.targets.index[:, None], SURE, axis=1)
        return wanted(z, points.targets, prediction_kind)
    t = points.targets.t
    if family.target_type == "numbers":
        return Points(t.copy(), points.targets)
    if family.coupled == "masks":
        return _of_masks(np.where(t > 0, SURE, -SURE), t, prediction_kind)
    return wanted(np.where(t > 0, SURE, -SURE), points.targets, prediction_kind)


def wanted(z: Array, targets: Targets, prediction_kind: str) -> Points:
    """Return logits as the kind of predictions that a loss takes."""
    if prediction_kind == "logits":
        return Points(z, targets)
    p, log_p = chances(z, "logits")
    return Points(p if prediction_kind == "probs" else log_p, targets)


def chances(x: Array, prediction_kind: str) -> tuple[Array, Array]:
    """Return probabilities and their logarithms, for columns of classes or for one score per row."""
    with np.errstate(all="ignore"):
        if x.ndim == 2:
            chance = MAKERS[prediction_kind](x)
            return np.asarray(chance.p), np.asarray(chance.l)
        if prediction_kind == "logits":
            log_p = -np.logaddexp(0, -x)
            return np.exp(log_p), log_p
        return (x, np.log(x)) if prediction_kind == "probs" else (np.exp(x), x)
