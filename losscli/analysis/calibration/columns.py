"""The columns of predictions, each with the labels of its own: what calibrations of one column after the other look at."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.engine.aggregates import PLACES_SHOWN, Faults
from losscli.engine.classes import classes
from losscli.engine.collector import BatchCollector
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

INFINITE = "infinite score"


class Columns(NamedTuple):
    """Rows of positive weight: scores and whether what they are of holds, shape (n, columns); weights and rows, shape (n,)."""

    scores: Array
    right: Array
    weights: Array
    rows: Array


def columns_of(x: Array, kind: str) -> Array:
    """Return the scores of predictions, shape (n, columns), in float64: numbers of the file, log-probabilities as probabilities."""
    scores = x.astype(np.float64)
    scores = np.exp(scores) if kind == "log-probs" else scores
    return scores if scores.ndim == 2 else scores[:, None]


def columns(job: "Job", batch: "Batch") -> Columns:
    """Return the columns of a batch: of one number per row the positive class, of several classes each against the rest."""
    scores = columns_of(batch.predictions, job.extras.prediction_kind)
    if job.several:
        right = job.encoding.outcomes(batch.targets) > 0
    elif batch.predictions.ndim == 1:
        right = (classes(job, batch.targets) == 1)[:, None]
    else:
        right = classes(job, batch.targets)[:, None] == np.arange(scores.shape[1])
    rows, weights = batch.rows, batch.weights
    if weights is None:
        return Columns(scores, right, np.ones(len(scores)), rows)
    kept = weights > 0
    return Columns(scores[kept], right[kept], weights[kept].astype(np.float64), rows[kept])


class Extent(NamedTuple):
    """Mergeable record: for rows that do not hold (0) and that do (1), and each column, the weight and the ends of the scores.

    All arrays have shape (2, columns).
    """

    weight: Array
    low: Array
    high: Array
    infinite: Faults

    def __add__(self, other: "Extent") -> "Extent":  # type: ignore[override]
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return Extent(self.weight + other.weight, low, high, self.infinite + other.infinite)

    @property
    def separated(self) -> Array:
        """For each column whether a score divides the rows that hold from those that do not."""
        return np.asarray((self.high[0] < self.low[1]) | (self.high[1] < self.low[0]))

    @property
    def constant(self) -> Array:
        """For each column whether all scores are equal."""
        return np.asarray(self.low.min(axis=0) == self.high.max(axis=0))


@dataclass(frozen=True)
class Extents(BatchCollector):
    """Finds the ends of the scores of each column, and the weight of the rows in which it holds and does not."""

    record = Extent

    def of(self, job: "Job", batch: "Batch") -> Extent:
        part = columns(job, batch)
        sides = [~part.right, part.right]
        weight = np.stack([np.einsum("i,ij->j", part.weights, side) for side in sides])
        low = np.stack([np.min(part.scores, axis=0, where=side, initial=np.inf) for side in sides])
        high = np.stack([np.max(part.scores, axis=0, where=side, initial=-np.inf) for side in sides])
        bad = part.rows[np.isinf(part.scores).any(axis=1)]
        places = tuple((int(row), None, 0.0) for row in bad[:PLACES_SHOWN])
        return Extent(weight, low, high, Faults({INFINITE: (len(bad), places)}) if len(bad) else Faults())
