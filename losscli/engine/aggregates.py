"""Mergeable records: the sums, moments and percentiles that one pass over the rows keeps.

A record has a constructor `of(values)`, a sum `+`, and its results. Records are added in the order of the rows, and
batches have a fixed size, so that the digits do not depend on which thread computed which batch.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from losscli.arrays import Array, scratch
from losscli.records import NamedTuple

PLACES_SHOWN = 3
"""If several rows have a fault, the number of places that a message names."""
PERCENTILES = (50, 90, 99)
EXACT_LOSSES = 1_000_000
"""Percentiles of up to this many losses are exact; of more, they come from a histogram."""
DIGITS_DROPPED = 42
"""Low bits of a float64 that a bucket of a histogram leaves out: 10 bits of the significand remain."""
SKETCH_ERROR = 2.0**-11
"""Largest relative error of a percentile from a histogram: half the width of a bucket."""
DROPPED_OF_SINGLE = 23 - (52 - DIGITS_DROPPED)
"""Low bits of a float32 that a bucket leaves out, so that it keeps as many bits of the significand as of a float64."""
REBIASED = (1023 - 127) << (52 - DIGITS_DROPPED)
"""What is added to the leading bits of a normal float32 for those of the same number as a float64."""
BLOCK = 1 << 15
"""Values whose sum and moments are computed at once: their float64 copy stays in the cache."""


def _out_of_range(total: Any, values: Array) -> bool:
    """Whether finite values have added up to more than a float64 holds."""
    return not math.isfinite(total) and bool(np.isfinite(values).all())


LEAST_PRODUCTS = 1e-290
"""Sums of products below this are made of long doubles."""


class Total(NamedTuple):
    """A compensated sum (Neumaier 1974): as exact as if the sums of the batches were added in twice the precision.

    The sum of finite numbers that a float64 does not hold is a long double, so that their mean is still known.
    """

    high: float = 0.0
    low: float = 0.0

    @classmethod
    def of(cls, values: Array) -> "Total":
        """Return the sum of values of any shape."""
        with np.errstate(all="ignore"):
            total: Any = float(np.add.reduce(values, axis=None, dtype=np.float64))
            if _out_of_range(total, values):
                total = np.sum(values, dtype=np.longdouble)
        return cls(total)

    @classmethod
    def of_products(cls, weights: Array, values: Array) -> "Total":
        """Return the sum of weights times values; a value with weight 0 adds 0, even where it is infinite."""
        products = np.where(weights == 0, 0, weights * values)
        total = float(np.sum(products))
        if abs(total) < LEAST_PRODUCTS and values.any():  # below, float64 has fewer digits, and products vanish
            with np.errstate(all="ignore"):
                wide: Any = np.sum(weights.astype(np.longdouble) * values, where=weights != 0)
            return cls(wide if wide and np.isfinite(wide) else total)
        if math.isfinite(total) or not np.isfinite(values[weights != 0]).all():
            return cls(total)
        return cls.of(np.where(weights == 0, 0, weights.astype(np.longdouble) * values))

    def __add__(self, other: "Total") -> "Total":  # type: ignore[override]
        high: Any = self.high + other.high
        if high - high != 0:  # it is not finite; math.isfinite would make a float of a long double
            with np.errstate(all="ignore"):
                high = np.longdouble(self.high) + np.longdouble(other.high)
            if not np.isfinite(high):
                return Total(float(high))
        big, small = (self.high, other.high) if abs(self.high) >= abs(other.high) else (other.high, self.high)
        return Total(high, self.low + other.low + ((big - high) + small))

    @property
    def value(self) -> float:
        return float(self.high + self.low)

    def over(self, divisor: "Total | float") -> float:
        """Return this sum divided by another, or NaN if that is 0."""
        below = divisor.high + divisor.low if isinstance(divisor, Total) else divisor
        return float((self.high + self.low) / below) if below else math.nan


class Totals(NamedTuple):
    """Many compensated sums at once, as `Total`: arrays of one shape."""

    high: Array
    low: Array

    @classmethod
    def zeros(cls, shape: tuple[int, ...]) -> "Totals":
        """Return sums of nothing."""
        return cls(np.zeros(shape), np.zeros(shape))

    def __add__(self, other: "Totals") -> "Totals":  # type: ignore[override]
        total = Totals(self.high.copy(), self.low + other.low)
        total.put(Ellipsis, other.high)
        return total

    def put(self, where: Any, values: Array) -> None:
        """Add values to the sums at some place, in these arrays themselves."""
        before = self.high[where]
        after = before + values
        big = np.abs(before) >= np.abs(values)
        with np.errstate(invalid="ignore"):
            lost = np.where(big, before - after + values, values - after + before)
        self.low[where] += np.where(np.isfinite(after), lost, 0)
        self.high[where] = after

    @property
    def value(self) -> Array:
        return self.high + self.low


class Moments(NamedTuple):
    """Number of values, their mean, sum of squared deviations, minimum and maximum.

    Merged as Chan, Golub and LeVeque (1979) describe. The standard deviation has n in the denominator. Squares that a float64
    does not hold are a long double.
    """

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    least: float = math.inf
    most: float = -math.inf

    @classmethod
    def of(cls, values: Array) -> "Moments":
        """Return the moments of values, shape (n,)."""
        return sum_and_moments(values)[1]

    def __add__(self, other: "Moments") -> "Moments":  # type: ignore[override]
        if not (self.n and other.n):
            return self if self.n else other
        n = self.n + other.n
        gap: Any = other.mean - self.mean
        if math.isfinite(self.mean) and math.isfinite(other.mean) and not LEAST_SQUARES < gap * gap < MOST_SQUARES:
            gap = np.longdouble(other.mean) - np.longdouble(self.mean)
        return Moments(
            n,
            float(self.mean + gap * other.n / n) if np.isfinite(gap) else self.mean + other.mean,
            self.squares + other.squares + gap * gap * self.n * other.n / n,
            min(self.least, other.least),
            max(self.most, other.most),
        )

    @property
    def std(self) -> float:
        """The standard deviation: inf if a value is infinite, as is the limit of ever larger ones; NaN if there are no values."""
        if not self.n:
            return math.nan
        return math.inf if self.endless else float(np.sqrt(self.squares / self.n))

    @property
    def endless(self) -> bool:
        """Whether a value is infinite."""
        return math.isinf(self.least) or math.isinf(self.most)


LEAST_SQUARES, MOST_SQUARES = 1e-280, 1e280
"""Squares beyond these lose digits in float64, or may overflow as they are added up."""


def _spread(values: Array) -> tuple[Any, Any]:
    """Return the mean of long doubles and the sum of their squared deviations from it."""
    mean = values.mean()
    gaps = values - mean
    return mean, np.einsum("i,i->", gaps, gaps)


def sum_and_moments(values: Array, spread: bool = True) -> tuple[Total, Moments]:
    """Return the sum of values, shape (n,), and their moments, from blocks that are looked at while they are in the cache.

    Without their `spread`, the squares are NaN.
    """
    total, moments = Total(), Moments()
    with np.errstate(all="ignore"):
        for start in range(0, len(values), BLOCK):
            of_sum, of_moments = _of_block(values[start : start + BLOCK], spread)
            total, moments = total + of_sum, moments + of_moments
    return total, moments


def _of_block(values: Array, spread: bool) -> tuple[Total, Moments]:
    """Return the sum and the moments of the values of one block."""
    n, least, most = len(values), float(values.min()), float(values.max())
    finite = math.isfinite(least) and math.isfinite(most)
    wide = scratch("moments", (BLOCK,), np.float64)[:n]
    np.copyto(wide, values, casting="same_kind")
    total: Any = float(np.add.reduce(wide))
    mean: Any = total / n
    squares: Any = math.nan
    if spread:
        np.subtract(wide, mean, out=wide)
        squares = float(np.add.reduce(np.square(wide, out=wide)))
        if finite and (not math.isfinite(squares) or (squares < LEAST_SQUARES and most > least)):
            mean, squares = _spread(values.astype(np.longdouble))
    if finite and not math.isfinite(total):
        total = np.sum(values, dtype=np.longdouble)
    return Total(total), Moments(n, float(mean), squares, least, most)


class GroupMoments(NamedTuple):
    """The moments of several groups: for each group the number of values, their mean, and
    the sum of squared deviations.

    Merged as Chan, Golub and LeVeque (1979) describe.
    """

    n: Array
    mean: Array
    squares: Array

    @classmethod
    def of(cls, index: Array, values: Array, k: int) -> "GroupMoments":
        """Return the moments of `k` groups, from values of shape (n,) and the group of each value, shape (n,)."""
        n, wide = np.bincount(index, minlength=k), values.astype(np.float64, copy=False)
        with np.errstate(all="ignore"):
            mean = np.bincount(index, wide, k) / np.maximum(n, 1)
            squares = np.bincount(index, (wide - mean[index]) ** 2, k)
            if not np.isfinite(squares).all() and np.isfinite(wide).all():
                parts = [Moments.of(wide[index == i]) for i in range(k)]
                mean = np.array([part.mean for part in parts])
                squares = np.array([part.squares for part in parts], np.longdouble)
        return cls(n, mean, squares)

    def __add__(self, other: "GroupMoments") -> "GroupMoments":  # type: ignore[override]
        n = self.n + other.n
        with np.errstate(all="ignore"):
            gap = other.mean - self.mean
            if not np.isfinite(gap * gap).all():
                gap = other.mean.astype(np.longdouble) - self.mean
            part = other.n / np.maximum(n, 1)
            mean = (self.mean + np.where(other.n == 0, 0, gap * part)).astype(np.float64)
            squares = self.squares + other.squares + np.where((self.n == 0) | (other.n == 0), 0, gap**2 * self.n * part)
        return GroupMoments(n, np.where(self.n == 0, other.mean, mean), squares)

    def falling(self) -> list[int]:
        """Return the groups that have values, the one with the largest mean first."""
        occupied = np.flatnonzero(self.n)
        ordered: list[int] = occupied[np.argsort(-self.mean[occupied], kind="stable")].tolist()
        return ordered


class Buckets(NamedTuple):
    """A histogram of positive floats by their leading bits.

    `first` is the smallest number that the leading bits form, and `counts` has one entry for each number from there on.
    """

    first: int = 0
    counts: Array = np.zeros(0, np.int64)

    @classmethod
    def of(cls, bits: Array) -> "Buckets":
        """Return the histogram of leading bits, shape (n,)."""
        if not len(bits):
            return cls()
        first = int(bits.min())
        return cls(first, np.bincount(bits - first))

    def __add__(self, other: "Buckets") -> "Buckets":  # type: ignore[override]
        if not (len(self.counts) and len(other.counts)):
            return self if len(self.counts) else other
        first = min(self.first, other.first)
        counts = np.zeros(max(part.first + len(part.counts) for part in (self, other)) - first, np.int64)
        for part in (self, other):
            counts[part.first - first : part.first - first + len(part.counts)] += part.counts
        return Buckets(first, counts)

    def spectrum(self) -> tuple[Array, Array]:
        """Return the middles of the buckets that are not empty, ascending, and their counts."""
        held = np.flatnonzero(self.counts)
        low = (held + self.first) << DIGITS_DROPPED
        most = np.array(np.inf).view(np.int64)
        ends = [np.minimum(bits, most).view(np.float64) for bits in (low, low + (1 << DIGITS_DROPPED))]
        with np.errstate(invalid="ignore"):
            middles = np.where(np.isinf(ends[1]), ends[0], ends[0] + (ends[1] - ends[0]) / 2)
        return middles, self.counts[held]


def _of_normal_singles(values: Array) -> Buckets | None:
    """Return the histogram of positive float32 numbers, from their own bits; None if there is another number among them.

    It is that of the same numbers as float64. Those that are subnormal or infinite have other bits there.
    """
    if values.dtype != np.float32 or not len(values):
        return None
    least, most = values.min(), values.max()
    if not (least >= np.finfo(np.float32).tiny and most < np.inf):
        return None
    bits = values.view(np.int32) >> DROPPED_OF_SINGLE
    first = int(least.view(np.int32)) >> DROPPED_OF_SINGLE
    bits -= np.int32(first)
    return Buckets(first + REBIASED, np.bincount(bits))


class Quantiles(NamedTuple):
    """Percentiles by linear interpolation: exact for few values, and from a histogram of leading bits for many.

    Neighbouring floats have neighbouring bit patterns, thus the leading bits are a logarithmic scale whose range need
    not be known in advance. Counts are whole numbers, and merge to the same histogram in any order.
    """

    values: tuple[Array, ...] = ()
    n: int = 0
    buckets: tuple[Buckets, int, Buckets] | None = None
    """Histogram of the absolute values of negative values, number of zeros, and histogram of positive values.

    None while the values themselves are kept.
    """

    @classmethod
    def of(cls, values: Array, many: bool = False) -> "Quantiles":
        """Return the record of values, shape (n,); `many` says that the file is known to
        have more values than are kept.
        """
        if many and (buckets := _of_normal_singles(values)) is not None:
            return cls((), len(values), (Buckets(), 0, buckets))
        quantiles = cls((values.astype(np.float64, copy=False),), len(values))
        return quantiles._bucketed() if many else quantiles._fit()

    def __add__(self, other: "Quantiles") -> "Quantiles":  # type: ignore[override]
        if not (self.n and other.n):
            return self if self.n else other
        if self.buckets is None and other.buckets is None:
            return Quantiles(self.values + other.values, self.n + other.n)._fit()
        left, right = self._bucketed().buckets, other._bucketed().buckets
        assert left is not None
        assert right is not None
        return Quantiles((), self.n + other.n, (left[0] + right[0], left[1] + right[1], left[2] + right[2]))

    def _fit(self) -> "Quantiles":
        return self._bucketed() if self.n > EXACT_LOSSES else self

    def _bucketed(self) -> "Quantiles":
        if self.buckets is not None:
            return self
        values = self.values[0] if len(self.values) == 1 else np.concatenate(self.values)
        bits = values.view(np.int64) >> DIGITS_DROPPED
        if not len(bits) or bits.min() > 0:
            return Quantiles((), self.n, (Buckets(), 0, Buckets.of(bits)))
        # Zeros and small negative numbers are far away from the others on this scale, and are thus counted apart.
        sizes = bits & (2 ** (63 - DIGITS_DROPPED) - 1)
        down, zeros = sizes[(bits < 0) & (sizes > 0)], int(np.count_nonzero(sizes == 0))
        return Quantiles((), self.n, (Buckets.of(down), zeros, Buckets.of(bits[bits > 0])))

    @property
    def exact(self) -> bool:
        """Whether the values themselves are kept."""
        return self.buckets is None

    def spectrum(self) -> tuple[Array, Array]:
        """Return the values in ascending order, and how often each occurs; of a histogram, the middles
        of its buckets.
        """
        if self.buckets is None:
            ordered = np.sort(np.concatenate(self.values or (np.zeros(0),)))  # np.unique would import numpy.ma
            firsts = np.flatnonzero(np.concatenate([ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]]))
            return ordered[firsts], np.diff(firsts, append=len(ordered))
        (down, down_counts), (up, up_counts) = self.buckets[0].spectrum(), self.buckets[2].spectrum()
        zeros = np.array([self.buckets[1]] if self.buckets[1] else [], np.int64)
        values = np.concatenate([-down[::-1], np.zeros(len(zeros)), up])
        return values, np.concatenate([down_counts[::-1], zeros, up_counts])

    def at(self, percents: tuple[int, ...]) -> list[float]:
        """Return, for each of `percents`, the value below which that percentage of the values
        lies; NaN if there are no values.
        """
        if not self.n:
            return [math.nan for _ in percents]
        if self.buckets is None:
            ordered = np.sort(np.concatenate(self.values))
            pick: Callable[[int], float] = lambda rank: float(ordered[rank])  # noqa: E731
        else:
            middles, counts = self.spectrum()
            upto = np.cumsum(counts)
            pick = lambda rank: float(middles[np.searchsorted(upto, rank, side="right")])  # noqa: E731
        percentiles = []
        for percent in percents:
            rank = (self.n - 1) * percent / 100
            low, high = pick(math.floor(rank)), pick(math.ceil(rank))
            percentiles.append(low if low == high else low + (high - low) * (rank - math.floor(rank)))
        return percentiles


class Faults(NamedTuple):
    """Faults of rows with their number and their first places: fault -> (number, [(row, column, value)])."""

    found: Mapping[str, tuple[int, tuple[tuple[int, int | None, float], ...]]] = {}  # shared, and never changed

    def __add__(self, other: "Faults") -> "Faults":  # type: ignore[override]
        merged = dict(self.found)
        for fault, (number, places) in other.found.items():
            before, known = merged.get(fault, (0, ()))
            merged[fault] = (before + number, (known + places)[:PLACES_SHOWN])
        return Faults(merged)

    def __bool__(self) -> bool:
        return bool(self.found)

    def without(self, fault: str) -> "Faults":
        """Return all faults but one kind."""
        return Faults({name: places for name, places in self.found.items() if name != fault})


def divide(numerator: float, denominator: float) -> float:
    """Return numerator / denominator, or NaN if the denominator is 0."""
    return numerator / denominator if denominator else math.nan
