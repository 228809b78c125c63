"""Slices: the sums of the losses of rows that have the same word in a column, and what an interval of a value is made of."""

from operator import add

import numpy as np

from losscli.arrays import Array
from losscli.data.slices import codes_of
from losscli.engine.aggregates import GroupMoments, Moments, Total, Totals
from losscli.engine.batch import CountedRows
from losscli.engine.collector import ChunkCollector
from losscli.engine.collectors.summary import Summary, weighted_terms
from losscli.engine.influences import Influences
from losscli.engine.job import Job
from losscli.engine.resampling import EXACT_ROWS
from losscli.io.source import Source
from losscli.records import NamedTuple, dataclass


class SliceSums(NamedTuple):
    """Mergeable record: what a `Summary` has, for each of k slices."""

    losses: GroupMoments
    least: Array
    most: Array
    sum: Totals
    weighted: Totals
    weight: Totals
    nonzero: Array

    @classmethod
    def of(cls, index: Array, losses: Array, weights: Array | None, terms: Array, k: int) -> "SliceSums":
        """Return the record of k slices.

        Parameters
        ----------
        index
            the slice of each row, shape (n,).
        losses, weights, terms
            of each row its loss in float64, its weight, and both multiplied; weights are None for 1 each.
        """
        least, most = np.full(k, np.inf), np.full(k, -np.inf)
        np.minimum.at(least, index, losses)
        np.maximum.at(most, index, losses)
        n = np.bincount(index, minlength=k)
        total, deviations = _totals(index, losses, n)
        if weights is None:
            weighted, weight, nonzero = total, Totals(n.astype(np.float64), np.zeros(k)), n
        else:
            weighted, weight = _totals(index, terms, n)[0], _totals(index, weights, n)[0]
            nonzero = np.bincount(index[weights != 0], minlength=k)
        with np.errstate(all="ignore"):
            squares = np.bincount(index, deviations * deviations, k)
            moments = GroupMoments(n, total.value / np.maximum(n, 1), squares)
            if not np.isfinite(squares).all() and np.isfinite(losses).all():
                moments = GroupMoments.of(index, losses, k)
        return cls(moments, least, most, total, weighted, weight, nonzero)

    @np.errstate(all="ignore")  # sums may be infinite
    def __add__(self, other: "SliceSums") -> "SliceSums":  # type: ignore[override]
        return SliceSums(
            self.losses + other.losses,
            np.minimum(self.least, other.least),
            np.maximum(self.most, other.most),
            self.sum + other.sum,
            self.weighted + other.weighted,
            self.weight + other.weight,
            self.nonzero + other.nonzero,
        )

    def summary(self, number: int) -> Summary:
        """Return the summary of one slice; it does not know how many of its rows are ignored."""

        def total(totals: Totals) -> Total:
            return Total(float(totals.high[number]), float(totals.low[number]))

        own = self.losses
        moments = Moments(
            int(own.n[number]),
            float(own.mean[number]),
            own.squares[number],
            float(self.least[number]),
            float(self.most[number]),
        )
        weighted, weight = total(self.weighted), total(self.weight)
        return Summary(weighted, weight, int(self.nonzero[number]), 0, moments, total(self.sum))


def _totals(index: Array, values: Array, n: Array) -> tuple[Totals, Array]:
    """Return the sum of the values of each slice, of which `n` holds the numbers, and the deviation of each value from its slice's mean.

    The sum of the deviations is what rounding took from the sum of the values.
    """
    with np.errstate(all="ignore"):
        high = np.bincount(index, values, len(n))
        mean = high / np.maximum(n, 1)
        deviations = values - mean[index]
        low = (mean * n - high) + np.bincount(index, deviations, len(n))
    return Totals(high, np.where(np.isfinite(high), low, 0)), deviations


class FewSamples(NamedTuple):
    """Mergeable record of few samples, each with its part of the value's numerator and denominator, and its slice in each column."""

    numerators: Array
    denominators: Array
    slices: tuple[Array, ...]

    def __add__(self, other: "FewSamples") -> "FewSamples":  # type: ignore[override]
        return FewSamples(
            np.concatenate([self.numerators, other.numerators]),
            np.concatenate([self.denominators, other.denominators]),
            tuple(np.concatenate(pair) for pair in zip(self.slices, other.slices, strict=True)),
        )


class Sliced(NamedTuple):
    """Mergeable record: the slices of each column, and what the intervals of all rows and of the slices are made of."""

    columns: tuple[SliceSums, ...] = ()
    few: FewSamples | None = None
    """The samples themselves, if the file has few and intervals are wanted."""
    influences: tuple[Influences, ...] = ()
    """Those of all samples, and those of the slices of each column, if the file has many samples and intervals are wanted."""

    def __add__(self, other: "Sliced") -> "Sliced":  # type: ignore[override]
        return Sliced(
            tuple(map(add, self.columns, other.columns)),
            None if self.few is None or other.few is None else self.few + other.few,
            tuple(map(add, self.influences, other.influences)),
        )


@dataclass(frozen=True)
class Slicer(ChunkCollector):
    """Adds up the losses of the slices of some columns, and keeps what an interval needs of each sample."""

    record = Sliced

    codes: tuple[Source, ...]
    """For each column, the slice of each row of the predictions, shape (rows,)."""
    sizes: tuple[int, ...]
    """For each column, the number of its slices."""
    intervals: bool
    few: bool
    """Whether the samples are few enough to be kept."""
    reduction: str

    def of(self, job: Job, rows: CountedRows) -> Sliced:
        terms = weighted_terms(job, rows)
        firsts = np.zeros(len(terms), np.int64) if rows.first_rows is None else rows.first_rows
        index = tuple(codes_of(codes, firsts) for codes in self.codes)
        columns = tuple(
            SliceSums.of(own, rows.wide, rows.row_weights, terms, k) for own, k in zip(index, self.sizes, strict=True)
        )
        if not self.intervals:
            return Sliced(columns)
        begins = _begins(job, firsts)
        a, b = terms, _denominators(self.reduction, rows.row_weights, len(terms))
        if begins is not None:
            with np.errstate(all="ignore"):
                a, b = (np.add.reduceat(part, begins) if len(part) else part for part in (a, b))
            index = tuple(own[begins] for own in index)
        if self.reduction == "sum":
            b = np.ones(len(b))
        if self.few:
            return Sliced(columns, FewSamples(a, b, index))
        everything = Influences.of(np.zeros(len(a), np.int64), a, b, 1)
        slices = (Influences.of(own, a, b, k) for own, k in zip(index, self.sizes, strict=True))
        return Sliced(columns, None, (everything, *slices))


def are_few(job: Job) -> bool:
    """Whether a job has so few samples that they are resampled one by one."""
    return job.whole_samples <= EXACT_ROWS


def _begins(job: Job, rows: Array) -> Array | None:
    """Return where the samples begin among units of which several may be of one sample; None if each is a sample."""
    if job.layout is None or job.lists is not None:
        return None
    if not len(rows):
        return np.zeros(0, np.int64)
    first = int(rows[0])
    _, cuts = job.layout.cut(first, int(rows[-1]) + 1)
    sample = np.searchsorted(cuts, rows - first, side="right")
    return np.flatnonzero(np.diff(sample, prepend=0))


def _denominators(reduction: str, weights: Array | None, n: int) -> Array:
    """Return what each unit adds to the denominator of a reduction, shape (n,)."""
    if weights is None or reduction in ("sum", "sum-over-batch-size"):
        return np.ones(n)
    if reduction == "sum-by-nonzero-weights":
        return (weights != 0).astype(np.float64)
    return weights.astype(np.float64)
