"""The numbers behind the pictures of a file's losses, kept on the pass that computes the losses, in constant memory."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.engine.aggregates import Quantiles
from losscli.engine.classes import classes, contributions, probabilities
from losscli.engine.collector import BatchCollector
from losscli.records import dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

CONFIDENCES = 50
"""Number of bins of equal width for a probability."""


@dataclass(frozen=True)
class Profile:
    """Mergeable record: losses by group, predictions by their probabilities, and the contribution of each row to the total.

    `rows` and `sums` are the number of rows and the sum of losses of each group, which is a class or an output.
    """

    rows: Array | None
    sums: Array | None
    judged: Array | None
    """Counts of predictions in bins of probability. Of several classes: by the probability of the true class and the largest
    of the other classes, shape (50, 50). Of two outcomes: by the one that happened, 0 or 1, and the probability of the positive
    one, shape (2, 50).
    """
    right: Array | None
    """How many predictions are right, shape (1,), or of two outcomes those of each, shape (2,)."""
    contributions: Quantiles | None
    """Weight times loss of each row, if there are weights."""

    def __add__(self, other: "Profile") -> "Profile":
        def both(mine: Array | None, theirs: Array | None) -> Array | None:
            return None if mine is None or theirs is None else mine + theirs

        total = self.contributions + other.contributions if self.contributions and other.contributions else None
        return Profile(
            both(self.rows, other.rows),
            both(self.sums, other.sums),
            both(self.judged, other.judged),
            both(self.right, other.right),
            total,
        )


@dataclass(frozen=True)
class Profiler(BatchCollector):
    """Makes a Profile of each batch of a job."""

    record = Profile

    groups: str | None
    confidence: bool
    weighted: bool

    def of(self, job: "Job", batch: "Batch") -> Profile:
        rows, sums = self._grouped(job, batch)
        judged, right = self._judged(job, batch) if self.confidence else (None, None)
        return Profile(rows, sums, judged, right, Quantiles.of(contributions(batch)) if self.weighted else None)

    def _grouped(self, job: "Job", batch: "Batch") -> tuple[Array | None, Array | None]:
        if self.groups == "outputs":
            values = batch.values.astype(np.float64)
            if batch.present is not None:
                return batch.present.sum(axis=0), np.where(batch.present, values, 0).sum(axis=0)
            return np.full(values.shape[1], len(values)), values.sum(axis=0)
        if self.groups == "classes":
            index = classes(job, batch.targets)
            return np.bincount(index, minlength=job.encoding.k), np.bincount(index, batch.losses, job.encoding.k)
        return None, None

    def _judged(self, job: "Job", batch: "Batch") -> tuple[Array, Array]:
        p = np.nan_to_num(_tempered(job, batch.predictions))  # a NaN is reported after the pass
        if p.ndim == 1 or job.several or p.shape[1] == 2:
            return _of_outcomes(*_outcomes(job, batch, p))
        true, each = classes(job, batch.targets), np.arange(len(p))
        own = p[each, true]
        p[each, true] = -1  # so that the largest is that of another class
        along = _bin(own) * CONFIDENCES + _bin(p.max(axis=1))
        right = int(np.count_nonzero(batch.predictions.argmax(axis=1) == true))
        counts = np.bincount(along, minlength=CONFIDENCES**2).reshape(CONFIDENCES, CONFIDENCES)
        return counts, np.array([right])


def _bin(p: Array) -> Array:
    """Return the bins of probabilities, which are [low, high), the last one with its upper edge."""
    return np.clip((p * CONFIDENCES).astype(np.int64), 0, CONFIDENCES - 1)


def _tempered(job: "Job", predictions: Array) -> Array:
    """Return the probabilities of classes or outcomes in float64, at the temperature of the job, as a copy."""
    p = probabilities(job, predictions)
    return p.copy() if job.extras.temper is None else job.extras.temper.probabilities(p)


def _outcomes(job: "Job", batch: "Batch", p: Array) -> tuple[Array, Array]:
    """Return whether each outcome is positive, and the probability that it is, both flat; of outputs all that exist."""
    if not job.several:
        return classes(job, batch.targets) == 1, p if p.ndim == 1 else p[:, 1]
    present = np.ones(p.shape, bool) if batch.present is None else batch.present
    return (job.encoding.outcomes(batch.targets) > 0)[present], p[present]


def _of_outcomes(positive: Array, p: Array) -> tuple[Array, Array]:
    """Return the counts of two outcomes, shape (2, 50), and how many of each are predicted right, shape (2,)."""
    counts = np.bincount(positive * CONFIDENCES + _bin(p), minlength=2 * CONFIDENCES).reshape(2, CONFIDENCES)
    return counts, np.bincount(positive[(p > 0.5) == positive], minlength=2)


def concentration(values: Array, counts: Array) -> tuple[Array, Array]:
    """Return the shares of rows and of the total, both ascending from 0 to 1: the worst share
    of the rows carries this share.

    Parameters
    ----------
    values
        losses in ascending order, none of them negative and their sum positive, shape (m,).
    counts
        how often each of them occurs, shape (m,).
    """
    rows = np.concatenate([[0], np.cumsum(counts[::-1])])
    carried = np.concatenate([[0.0], np.cumsum((values * counts)[::-1])])
    return rows / rows[-1], carried / carried[-1]
