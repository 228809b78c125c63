"""The sums, moments and percentiles of the losses, which every result has."""

import numpy as np

from losscli.arrays import Array, times
from losscli.engine.aggregates import EXACT_LOSSES, Moments, Quantiles, Total, sum_and_moments
from losscli.engine.batch import CountedRows
from losscli.engine.collector import ChunkCollector
from losscli.engine.job import Job
from losscli.records import NamedTuple, dataclass


class Summary(NamedTuple):
    """Mergeable record: the number of rows, the sums of their losses and weights, and how far the losses spread."""

    weighted: Total = Total()
    """Sum of weight times loss."""
    weight: Total = Total()
    nonzero: int = 0
    """Number of rows whose weight is not 0."""
    ignored: int = 0
    losses: Moments = Moments()
    """Moments of the losses before weights; where nobody asks how far they spread, without squares, which are NaN."""
    sum: Total = Total()
    """Sum of the losses before weights."""

    @classmethod
    def of(cls, losses: Array, weights: Array | None, ignored: int = 0, spread: bool = True) -> "Summary":
        """Return the record of per-sample losses, shape (n,), and their weights,
        shape (n,) or None for 1 each; `spread` says whether how far they spread is wanted.
        """
        with np.errstate(all="ignore"):
            total, moments = sum_and_moments(losses, spread)
            if weights is None:
                return cls(total, Total(float(len(losses))), len(losses), ignored, moments, total)
            nonzero = int(np.count_nonzero(weights))
            return cls(Total.of_products(weights, losses), Total.of(weights), nonzero, ignored, moments, total)

    def __add__(self, other: "Summary") -> "Summary":  # type: ignore[override]
        return Summary(
            weighted=self.weighted + other.weighted,
            weight=self.weight + other.weight,
            nonzero=self.nonzero + other.nonzero,
            ignored=self.ignored + other.ignored,
            losses=self.losses + other.losses,
            sum=self.sum + other.sum,
        )

    @property
    def samples(self) -> int:
        return self.losses.n

    @property
    def mean(self) -> float:
        """Mean of the losses before weights, from the compensated sum."""
        return self.sum.over(self.samples)


@dataclass(frozen=True)
class Summaries(ChunkCollector):
    """Makes the sums of the losses and, unless `spread` is false, their moments."""

    record = Summary

    spread: bool = True

    def of(self, job: Job, rows: CountedRows) -> Summary:
        summary = Summary.of(rows.losses, rows.row_weights, rows.ignored, self.spread)
        if rows.row_weights is None or not (job.terms_weighted or job.convention.plain_products):
            return summary
        return summary._replace(weighted=Total.of(weighted_terms(job, rows)))


def weighted_terms(job: Job, rows: CountedRows) -> Array:
    """Return weight times loss of each row, shape (n,), as the job has it: a weight of 0 makes 0 of any loss, but for conventions."""
    if rows.row_weights is None or job.terms_weighted:
        return rows.wide
    with np.errstate(all="ignore"):
        if job.convention.plain_products:
            return np.asarray(rows.wide * rows.row_weights)
        return times(rows.row_weights, rows.wide)


@dataclass(frozen=True)
class Percentiles(ChunkCollector):
    """Keeps the losses or, if there are many, a histogram of them, for their percentiles."""

    record = Quantiles
    exact = True

    def of(self, job: Job, rows: CountedRows) -> Quantiles:
        many = job.units > EXACT_LOSSES
        return Quantiles.of(rows.losses if many else rows.wide, many)
