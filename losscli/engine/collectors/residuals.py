"""Residuals, predictions minus targets: their extent and, where there are many rows, how many lie in which cells of a picture."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import FARTHEST, Array, by_row
from losscli.engine.collector import BatchCollector
from losscli.records import dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

MOST_POINTS = 2_000
"""Up to this many rows all of them are kept, to be drawn as points."""


@dataclass(frozen=True)
class Extent:
    """Mergeable record: what a picture of residuals needs to know before it counts. Arrays have one entry per output."""

    rows: int
    low: Array
    """The least prediction, target and residual, shape (3, d)."""
    high: Array
    """The largest of each, shape (3, d)."""
    weight: float
    shift: Array
    """The sum over the rows of weight times residual, shape (d,)."""
    points: tuple[Array, ...] | None
    """Predictions and targets of the rows so far, each of shape (2, n, d); None if there are more than MOST_POINTS."""
    far: tuple[int, int, float] | None
    """Row, column and value of the first number that is not finite, or too large to be drawn; the column is -1 for a target."""

    def __add__(self, other: "Extent") -> "Extent":
        rows = self.rows + other.rows
        kept = None if self.points is None or other.points is None else self.points + other.points
        return Extent(
            rows,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.weight + other.weight,
            self.shift + other.shift,
            kept if rows <= MOST_POINTS else None,
            self.far or other.far,
        )


def _three(batch: "Batch") -> Array:
    """Return predictions, targets and residuals in float64, shape (3, n, d)."""
    predictions = by_row(batch.predictions.astype(np.float64))
    targets = by_row(batch.targets.astype(np.float64))
    with np.errstate(all="ignore"):
        return np.stack([predictions, targets, predictions - targets])


@dataclass(frozen=True)
class Extents(BatchCollector):
    """Makes an Extent of each batch."""

    record = Extent

    def of(self, job: "Job", batch: "Batch") -> Extent:
        three = _three(batch)
        n = three.shape[1]
        weights = np.ones(n) if batch.weights is None else batch.weights.astype(np.float64)
        with np.errstate(all="ignore"):
            return Extent(
                n,
                three.min(axis=1, initial=np.inf),
                three.max(axis=1, initial=-np.inf),
                float(weights.sum()),
                np.einsum("i,ij->j", weights, three[2]),
                (three[:2],) if n <= MOST_POINTS else None,
                _far(three, batch),
            )


def _far(three: Array, batch: "Batch") -> tuple[int, int, float] | None:
    bad = ~(np.abs(three[:2]) < FARTHEST)
    if not bad.any():
        return None
    row, column, which = (int(i) for i in np.argwhere(bad.transpose(1, 2, 0))[0])
    return int(batch.rows[row]), column if which == 0 else -1, float(three[which, row, column])


@dataclass(frozen=True)
class Cells:
    """Mergeable record: how many rows lie in which cells, one array of counts for each output."""

    fits: tuple[Array, ...]
    """Rows by target and by prediction, each of shape (a, a)."""
    spreads: tuple[Array, ...]
    """Rows by prediction and by residual, each of shape (a, b)."""

    def __add__(self, other: "Cells") -> "Cells":
        def both(mine: tuple[Array, ...], theirs: tuple[Array, ...]) -> tuple[Array, ...]:
            return tuple(one + another for one, another in zip(mine, theirs, strict=True))

        return Cells(both(self.fits, other.fits), both(self.spreads, other.spreads))


@dataclass(frozen=True)
class Counter(BatchCollector):
    """Counts the rows of each batch in cells.

    `numbers` are the edges for predictions and targets, which share an axis, `residuals` those for residuals: one array per output.
    """

    numbers: tuple[Array, ...]
    residuals: tuple[Array, ...]

    record = Cells
    exact = True

    def of(self, job: "Job", batch: "Batch") -> Cells:
        predictions, targets, residuals = _three(batch)
        fits, spreads = [], []
        for i, (numbers, across) in enumerate(zip(self.numbers, self.residuals, strict=True)):
            fits.append(np.histogram2d(targets[:, i], predictions[:, i], (numbers, numbers))[0])
            spreads.append(np.histogram2d(predictions[:, i], residuals[:, i], (numbers, across))[0])
        return Cells(tuple(fits), tuple(spreads))
