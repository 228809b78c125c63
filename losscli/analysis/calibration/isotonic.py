"""Isotonic regression: the steps that never fall and are nearest to the labels (Ayer et al. 1955, pool adjacent violators)."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.analysis.calibration.columns import columns
from losscli.arrays import Array
from losscli.engine.collector import BatchCollector
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

SHRINKS = 0.9
"""Blocks are pooled all at once while that leaves at most this part of them, and one after the other afterwards."""


@dataclass(frozen=True)
class Steps:
    """An isotonic regression: points (x, y) with x rising and y never falling.

    Each block of equal y has its first and its last x, as `X_thresholds_` and `y_thresholds_` of scikit-learn's
    IsotonicRegression.
    """

    x: Array
    y: Array

    @classmethod
    def of(cls, scores: Array, right: Array, weights: Array) -> "Steps":
        """Fit the steps to labels.

        Parameters
        ----------
        scores
            shape (n,), not NaN; rows of equal scores are one row with their mean label.
        right
            whether each row is positive, shape (n,).
        weights
            above 0, shape (n,).
        """
        x, place = np.unique(scores, return_inverse=True)
        weight = np.bincount(place, weights)
        positive = np.bincount(place, weights * right)
        starts = pooled(positive, weight)
        sums, whole = np.add.reduceat(positive, starts), np.add.reduceat(weight, starts)
        y = np.minimum(sums / whole, 1)
        last = np.append(starts[1:], len(x)) - 1
        both = np.unique(np.concatenate([starts, last]))
        return cls(x[both], y[np.searchsorted(starts, both, side="right") - 1])

    def at(self, scores: Array) -> Array:
        """Return y at scores, shape (n,): by straight lines between the points, and that of the ends beyond them."""
        finite = np.isfinite(self.x)
        y = np.interp(scores, self.x[finite], self.y[finite]) if finite.any() else np.full(len(scores), self.y[0])
        # Beyond every finite point, for no straight line leads there.
        y = np.where(scores == -np.inf, self.y[0], y)
        return np.where(scores == np.inf, self.y[-1], y)

    @property
    def levels(self) -> int:
        """Number of different y."""
        return len(np.unique(self.y))


def pooled(positive: Array, weight: Array) -> Array:
    """Return where the blocks of the isotonic regression begin.

    Parameters
    ----------
    positive, weight
        the weight of positive rows and that of all rows, for each score in rising order.
    """
    starts = np.arange(len(weight))
    while len(starts) > 1:
        means = np.add.reduceat(positive, starts) / np.add.reduceat(weight, starts)
        kept = np.concatenate([[True], means[1:] > means[:-1]])
        before, starts = len(starts), starts[kept]
        if len(starts) == before:
            return starts
        if len(starts) > SHRINKS * before:
            break
    return _one_by_one(positive, weight, starts)


def _one_by_one(positive: Array, weight: Array, starts: Array) -> Array:
    """Pool blocks one after the other, which takes a time that grows with their number whatever they are."""
    blocks: list[tuple[int, float, float]] = []
    sums = zip(
        starts.tolist(),
        np.add.reduceat(positive, starts).tolist(),
        np.add.reduceat(weight, starts).tolist(),
        strict=True,
    )
    for block in sums:
        blocks.append(block)
        while len(blocks) > 1 and blocks[-2][1] / blocks[-2][2] >= blocks[-1][1] / blocks[-1][2]:
            _, positives, all_rows = blocks.pop()
            start, earlier, earlier_rows = blocks.pop()
            blocks.append((start, earlier + positives, earlier_rows + all_rows))
    return np.array([start for start, *_ in blocks])


class KeptRows(NamedTuple):
    """Mergeable record: scores, labels and weights of all rows, as arrays of each batch."""

    scores: tuple[Array, ...] = ()
    right: tuple[Array, ...] = ()
    weights: tuple[Array, ...] = ()

    def __add__(self, other: "KeptRows") -> "KeptRows":  # type: ignore[override]
        return KeptRows(self.scores + other.scores, self.right + other.right, self.weights + other.weights)

    def steps(self) -> tuple[Steps, ...]:
        """Return the isotonic regression of each column."""
        scores, right = np.concatenate(self.scores), np.concatenate(self.right)
        weights = np.concatenate(self.weights)
        return tuple(Steps.of(scores[:, i], right[:, i], weights) for i in range(scores.shape[1]))


@dataclass(frozen=True)
class Keep(BatchCollector):
    """Keeps scores, labels and weights of all rows: of each column 9 bytes per row, and 8 for the weight."""

    record = KeptRows

    def of(self, job: "Job", batch: "Batch") -> KeptRows:
        part = columns(job, batch)
        return KeptRows((part.scores,), (part.right,), (part.weights,))
