"""Mergeable records: what one pass over the rows keeps, block by block.

A record has `of(block)`, `+` and its results. Adding is done in the order of the rows and blocks have a fixed size, so
the digits do not depend on who computed which block.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from losscli.core import Array

PERCENTILES = (50, 90, 99)
EXACT_LOSSES = 1_000_000
"""Up to so many losses percentiles are exact; beyond, they come from a histogram."""
DIGITS_DROPPED = 42
"""Low bits of a float64 that a histogram's bucket leaves out: 10 bits of the significand stay."""
SKETCH_ERROR = 2.0**-11
"""Largest relative error of a percentile from a histogram: half a bucket."""


@dataclass(frozen=True)
class Total:
    """A compensated sum (Neumaier 1974): as if the blocks' sums were added in twice the precision."""

    high: float = 0.0
    low: float = 0.0

    @classmethod
    def of(cls, values: Array) -> "Total":
        return cls(float(np.sum(values, dtype=np.float64)))

    def __add__(self, other: "Total") -> "Total":
        high = self.high + other.high
        if not math.isfinite(high):
            return Total(high)
        big, small = (self.high, other.high) if abs(self.high) >= abs(other.high) else (other.high, self.high)
        return Total(high, self.low + other.low + ((big - high) + small))

    @property
    def value(self) -> float:
        return self.high + self.low


@dataclass(frozen=True)
class Moments:
    """Count, mean and squared deviations; merged by Chan, Golub and LeVeque 1979, with n in the denominator of std."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    least: float = math.inf
    most: float = -math.inf

    @classmethod
    def of(cls, values: Array) -> "Moments":
        if not len(values):
            return cls()
        wide = values.astype(np.float64, copy=False)
        mean = float(wide.mean())
        with np.errstate(all="ignore"):
            squares = float(np.square(wide - mean).sum())
        return cls(len(wide), mean, squares, float(wide.min()), float(wide.max()))

    def __add__(self, other: "Moments") -> "Moments":
        if not (self.n and other.n):
            return self if self.n else other
        n = self.n + other.n
        gap = other.mean - self.mean
        return Moments(
            n,
            self.mean + gap * other.n / n if math.isfinite(gap) else self.mean + other.mean,
            self.squares + other.squares + gap * gap * self.n * other.n / n,
            min(self.least, other.least),
            max(self.most, other.most),
        )

    @property
    def std(self) -> float:
        return math.sqrt(self.squares / self.n) if self.n and not math.isnan(self.squares) else math.nan


@dataclass(frozen=True)
class Quantiles:
    """Percentiles by linear interpolation: exact for few values, from a histogram of floats' leading bits for many.

    Neighbouring floats have neighbouring bit patterns, so the leading bits are a logarithmic scale that needs no
    range in advance, and counts of whole numbers merge to the same histogram in any order.
    """

    values: tuple[Array, ...] = ()
    n: int = 0
    first: int = 0
    counts: Array | None = None

    @classmethod
    def of(cls, values: Array) -> "Quantiles":
        return cls((values.astype(np.float64),), len(values))._fit()

    def __add__(self, other: "Quantiles") -> "Quantiles":
        if not (self.n and other.n):
            return self if self.n else other
        if self.counts is None and other.counts is None:
            return Quantiles(self.values + other.values, self.n + other.n)._fit()
        left, right = self._histogram(), other._histogram()
        assert left.counts is not None
        assert right.counts is not None
        first = min(left.first, right.first)
        last = max(left.first + len(left.counts), right.first + len(right.counts))
        counts = np.zeros(last - first, np.int64)
        for part in (left, right):
            assert part.counts is not None
            counts[part.first - first : part.first - first + len(part.counts)] += part.counts
        return Quantiles((), self.n + other.n, first, counts)

    def _fit(self) -> "Quantiles":
        return self._histogram() if self.n > EXACT_LOSSES else self

    def _histogram(self) -> "Quantiles":
        if self.counts is not None:
            return self
        bits = _rank_bits(np.concatenate(self.values)) >> DIGITS_DROPPED
        first = int(bits.min())
        return Quantiles((), self.n, first, np.bincount(bits - first))

    @property
    def exact(self) -> bool:
        return self.counts is None

    def spectrum(self) -> tuple[Array, Array]:
        """The values in ascending order and how often each occurs: of a histogram, the middles of its buckets."""
        if self.counts is None:
            return np.unique(np.concatenate(self.values or (np.zeros(0),)), return_counts=True)
        filled = np.flatnonzero(self.counts)
        return np.array([_middle(self.first + int(bucket)) for bucket in filled]), self.counts[filled]

    def at(self, percents: tuple[int, ...]) -> list[float]:
        """The values below which `percents` of the values lie."""
        if not self.n:
            return [math.nan for _ in percents]
        if self.counts is None:
            ordered = np.sort(np.concatenate(self.values))
            pick: Callable[[int], float] = lambda rank: float(ordered[rank])  # noqa: E731
        else:
            upto = np.cumsum(self.counts)
            pick = lambda rank: _middle(self.first + int(np.searchsorted(upto, rank, side="right")))  # noqa: E731
        found = []
        for percent in percents:
            rank = (self.n - 1) * percent / 100
            low, high = pick(math.floor(rank)), pick(math.ceil(rank))
            found.append(low if low == high else low + (high - low) * (rank - math.floor(rank)))
        return found


def _rank_bits(values: Array) -> Array:
    # IEEE 754 floats sort as their bits do, once the negative ones are turned around.
    bits = values.view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def _middle(bucket: int) -> float:
    if bucket in (0, -1):
        return 0.0  # of the two next to zero, which is what is in them but for the smallest denormals
    edges = []
    for bits in (bucket << DIGITS_DROPPED, (bucket + 1) << DIGITS_DROPPED):
        clipped = min(max(bits, -0x7FF0000000000000), 0x7FF0000000000000)
        size = float(np.int64(abs(clipped)).view(np.float64))
        edges.append(size if clipped >= 0 else -size)
    low, high = edges
    return low if math.isinf(high) else low + (high - low) / 2


@dataclass(frozen=True)
class Faults:
    """What is wrong with rows, counted, with the first few places: fault -> (how many, [(row, column, value)])."""

    found: dict[str, tuple[int, tuple[tuple[int, int | None, float], ...]]] = field(default_factory=dict)

    SHOWN = 3

    def __add__(self, other: "Faults") -> "Faults":
        merged = dict(self.found)
        for fault, (number, places) in other.found.items():
            before, known = merged.get(fault, (0, ()))
            merged[fault] = (before + number, (known + places)[: self.SHOWN])
        return Faults(merged)

    def __bool__(self) -> bool:
        return bool(self.found)


@dataclass(frozen=True)
class Partial:
    """Everything that one pass keeps of a run of rows."""

    weighted: Total = field(default_factory=Total)
    weight: Total = field(default_factory=Total)
    nonzero: int = 0
    ignored: int = 0
    losses: Moments = field(default_factory=Moments)
    sum: Total = field(default_factory=Total)
    quantiles: Quantiles = field(default_factory=Quantiles)
    baseline: Any = None
    faults: Faults = field(default_factory=Faults)
    looks_like_probs: bool = True
    observed: Any = None
    """What an observer of the job keeps: a mergeable record of its own."""

    @classmethod
    def of(cls, losses: Array, weights: Array | None) -> "Partial":
        """Of per-sample losses, shape (n,), and their weights, shape (n,) or None for 1 each."""
        with np.errstate(all="ignore"):
            if weights is None:
                total = Total.of(losses)
                return cls(
                    total,
                    Total(float(len(losses))),
                    len(losses),
                    0,
                    Moments.of(losses),
                    total,
                    Quantiles.of(losses),
                )
            # A row of weight 0 adds 0, even where its loss is infinite.
            weighted = np.where(weights == 0, 0, weights * losses)
            return cls(
                Total.of(weighted),
                Total.of(weights),
                int(np.count_nonzero(weights)),
                0,
                Moments.of(losses),
                Total.of(losses),
                Quantiles.of(losses),
            )

    def __add__(self, other: "Partial") -> "Partial":
        return Partial(
            self.weighted + other.weighted,
            self.weight + other.weight,
            self.nonzero + other.nonzero,
            self.ignored + other.ignored,
            self.losses + other.losses,
            self.sum + other.sum,
            self.quantiles + other.quantiles,
            self.baseline + other.baseline if self.baseline is not None and other.baseline is not None else None,
            self.faults + other.faults,
            self.looks_like_probs and other.looks_like_probs,
            self.observed + other.observed if self.observed is not None else None,
        )

    def with_(self, **changes: Any) -> "Partial":
        return replace(self, **changes)

    @property
    def samples(self) -> int:
        return self.losses.n

    @property
    def mean(self) -> float:
        """Mean of the losses before weights, from the compensated sum."""
        return self.sum.value / self.samples if self.samples else math.nan


@dataclass(frozen=True)
class Reduction:
    """How weighted losses become one number: `denominator` says by what their sum is divided."""

    name: str
    formula: str
    denominator: Callable[[Partial], float] | None


REDUCTIONS: dict[str, Reduction] = {
    "mean": Reduction("mean", "sum(w * l) / sum(w)", lambda part: part.weight.value),
    "sum": Reduction("sum", "sum(w * l)", lambda part: 1.0),
    "none": Reduction("none", "every sample's own loss", None),
    "sum-over-batch-size": Reduction("sum-over-batch-size", "sum(w * l) / n", lambda part: float(part.samples)),
    "sum-by-nonzero-weights": Reduction(
        "sum-by-nonzero-weights", "sum(w * l) / count(w != 0)", lambda part: float(part.nonzero)
    ),
}


def divide(numerator: float, denominator: float) -> float:
    """Numerator / denominator, NaN where the denominator is 0."""
    return numerator / denominator if denominator else math.nan
