"""Intervals and p-values of a mean from resampled rows, and Student's interval for groups.

The statistic is a weighted mean, sum(w * x) / sum(w), of pairs (w, x), one a row. Few rows are resampled as they are. Of many,
rows with nearly equal values are one cell with a count, and what is drawn is how often each cell comes: as exact as the
cells are narrow, with time and memory that do not grow with the file.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from losscli.core import Array

EXACT_ROWS = 20_000
"""Up to so many rows each is a cell of its own."""
DIGITS_DROPPED = 47
"""Low bits of a float64 that values of a cell may differ in: 5 bits of the significand are alike, so that a cell is narrower
than 1/32 of its values. Its mean is exact, and the spread of all rows is missed by less than 1 part in 10,000."""
NEGLIGIBLE = 2.0**-12
"""Values smaller than this part of the root mean square are one cell of each sign."""
BATCH = 1 << 21
"""Draws that are made at once."""


class Cells(NamedTuple):
    """Mergeable record: rows by nearly equal weight and contribution: how many there are, and the sums of both.

    `keys` is None while each row is a cell of its own.
    """

    keys: Array | None
    counts: Array
    weights: Array
    sums: Array
    """Of weight times value."""

    @classmethod
    def of(cls, values: Array, weights: Array | None, exact: bool) -> "Cells":
        """Of rows: values, shape (n,), and their weights, shape (n,) or None for 1 each."""
        w = np.ones(len(values)) if weights is None else weights.astype(np.float64)
        made = cls(None, np.ones(len(values), np.int64), w, np.where(w == 0, 0, w * values))
        return made if exact else made._merged()

    def __add__(self, other: "Cells") -> "Cells":  # type: ignore[override]
        parts = (np.concatenate(pair) for pair in zip(self[1:], other[1:], strict=True))
        if self.keys is None or other.keys is None:
            return Cells(None, *parts)
        return Cells(np.concatenate([self.keys, other.keys]), *parts)._merged()

    def _merged(self) -> "Cells":
        keys = self.keys
        if keys is None:
            first, second = ((part.view(np.int64) >> DIGITS_DROPPED) for part in (self.sums, self.weights))
            keys = first * (1 << (64 - DIGITS_DROPPED)) + second
        return self._grouped(keys)

    def _grouped(self, keys: Array) -> "Cells":
        distinct, index = np.unique(keys, return_inverse=True)
        k = len(distinct)
        counts = np.zeros(k, np.int64)
        np.add.at(counts, index, self.counts)
        return Cells(distinct, counts, np.bincount(index, self.weights, k), np.bincount(index, self.sums, k))

    def trimmed(self) -> "Cells":
        """The same with one cell for all values of a sign that are too small to matter."""
        if self.keys is None:
            return self
        means = self.sums / self.counts
        size = math.sqrt(float((self.counts * means**2).sum()) / self.rows) if self.rows else 0.0
        small = np.abs(means) < NEGLIGIBLE * size
        second = self.keys & ((1 << (64 - DIGITS_DROPPED)) - 1)
        return self._grouped(np.where(small, second * 2 + (means < 0), self.keys + (np.int64(1) << 40)))

    @property
    def rows(self) -> int:
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """The statistic."""
        return float(self.sums.sum() / self.weights.sum())

    @property
    def single(self) -> bool:
        return bool((self.counts == 1).all())


def resampled(cells: Cells, resamples: int, seed: int, run: "Map") -> Array:
    """The statistic of rows drawn with replacement, as many as there are, shape (resamples,)."""
    n, equal = cells.rows, bool((cells.weights == cells.counts).all())
    single = cells.single

    def draw(generator: np.random.Generator, size: int) -> Array:
        if single:
            index = generator.integers(0, n, (size, n), dtype=np.int32)
            sums = cells.sums[index].sum(axis=1)
            return sums / (n if equal else cells.weights[index].sum(axis=1))
        drawn = generator.multinomial(n, cells.counts / n, size)
        # Not by BLAS, whose digits depend on the cores.
        sums = np.einsum("ij,j->i", drawn, cells.sums / cells.counts)
        return sums / (n if equal else np.einsum("ij,j->i", drawn, cells.weights / cells.counts))

    with np.errstate(all="ignore"):  # of rows that are drawn all weights may be 0
        return _batches(draw, resamples, n if single else len(cells.counts), seed, run)


Map = Callable[[Callable[[tuple[np.random.Generator, int]], Array], list[tuple[np.random.Generator, int]]], list[Array]]
"""What maps a function over batches: the built-in one in a list, or that of an executor."""


def serially(
    function: Callable[[tuple[np.random.Generator, int]], Array], batches: list[tuple[np.random.Generator, int]]
) -> list[Array]:
    return [function(batch) for batch in batches]


def _batches(
    draw: Callable[[np.random.Generator, int], Array], resamples: int, width: int, seed: int, run: Map
) -> Array:
    """Resamples in batches, each with a generator of its own, so that they do not depend on who draws them."""
    step = max(1, min(resamples, BATCH // max(1, width)))
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    work = [(np.random.Generator(np.random.PCG64(one)), size) for one, size in zip(seeds, sizes, strict=True)]
    return np.concatenate(run(lambda batch: draw(*batch), work))


def interval(cells: Cells, drawn: Array, confidence: float) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval (Efron 1987, doi:10.1080/01621459.1987.10478410).

    Parameters
    ----------
    drawn
        the statistic of resamples.

    Returns
    -------
    tuple[float, float]
        NaN and NaN where one row says nothing of how much rows differ.
    """
    from statistics import NormalDist

    if cells.rows < 2:
        return math.nan, math.nan
    mean, normal = cells.mean, NormalDist()
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn) or drawn.min() == drawn.max():
        return mean, mean
    below = float(np.count_nonzero(drawn < mean) + 0.5 * np.count_nonzero(drawn == mean)) / len(drawn)
    bias = normal.inv_cdf(min(max(below, 0.5 / len(drawn)), 1 - 0.5 / len(drawn)))
    acceleration = _acceleration(cells)
    ends = []
    for part in ((1 - confidence) / 2, (1 + confidence) / 2):
        z = bias + normal.inv_cdf(part)
        ends.append(normal.cdf(bias + z / (1 - acceleration * z)))
    low, high = np.quantile(drawn, np.clip(ends, 0, 1))
    return float(low), float(high)


def _acceleration(cells: Cells) -> float:
    """How much the spread of the statistic changes with it, from what leaving out each row does to it."""
    w, x = cells.weights / cells.counts, cells.sums / cells.counts
    with np.errstate(all="ignore"):
        without = (cells.sums.sum() - x) / (cells.weights.sum() - w)
        gaps = np.where(np.isfinite(without), without, cells.mean)
        gaps = np.average(gaps, weights=cells.counts) - gaps
        squares = float((cells.counts * gaps**2).sum())
        found = float((cells.counts * gaps**3).sum()) / (6 * squares**1.5) if squares else 0.0
    return found if math.isfinite(found) else 0.0


def sign_flips(cells: Cells, resamples: int, seed: int, run: Map) -> tuple[float, int]:
    """Two-sided p-value of a mean of 0, and how many sign changes it comes of: a permutation test of paired differences.

    If both models were alike, each row's difference could as well have the other sign (Fisher 1935). Few rows are given all signs,
    so that p is exact; of more, p is (1 + those at least as far from 0) / (1 + resamples), never 0 (Phipson and Smyth
    2010, doi:10.2202/1544-6115.1585).
    """
    n, x = cells.rows, cells.sums
    total = abs(float(x.sum()))
    # What rounding makes of equal sums must count as equal.
    reach = total - 1e-12 * float(np.abs(x).sum())
    if cells.single and 2**n <= resamples:
        sums = np.zeros(1)
        for one in x:
            sums = np.concatenate([sums + one, sums - one])
        return float(np.count_nonzero(np.abs(sums) >= reach) / len(sums)), len(sums)
    if cells.single:
        tables, width = _tables(x), -(-n // 8)
        places = np.arange(width)

        def draw(generator: np.random.Generator, size: int) -> Array:
            return tables[places, generator.integers(0, 256, (size, width), dtype=np.uint8)].sum(axis=1)

    else:
        width = len(x)

        def draw(generator: np.random.Generator, size: int) -> Array:
            up = generator.binomial(cells.counts, 0.5, (size, width))
            return np.einsum("ij,j->i", 2 * up - cells.counts, x / cells.counts)

    drawn = _batches(draw, resamples, width, seed + 1, run)
    return float((1 + np.count_nonzero(np.abs(drawn) >= reach)) / (1 + resamples)), resamples


def _tables(x: Array) -> Array:
    """For each eight numbers their sums under all 256 choices of signs: a byte of random bits is eight signs."""
    eights = np.concatenate([x, np.zeros(-len(x) % 8)]).reshape(-1, 8)
    signs = 1.0 - 2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    return np.asarray(np.einsum("gj,bj->gb", eights, signs))


def holm(values: list[float]) -> list[float]:
    """p-values of several comparisons, adjusted so that all of them hold together (Holm 1979)."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    adjusted, least = [0.0] * len(values), 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, values[i] * (len(values) - rank)))
        adjusted[i] = least
    return adjusted


def student_interval(n: int, mean: float, squares: float, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a mean of n values with so large a sum of squared deviations; NaN for fewer than two."""
    if n < 2:
        return math.nan, math.nan
    half = student_quantile((1 + confidence) / 2, n - 1) * math.sqrt(squares / (n - 1) / n)
    return mean - half, mean + half


def student_quantile(part: float, freedom: int) -> float:
    """The value below which this part of Student's distribution lies, by bisection; `part` is above 1/2."""
    low, high = 0.0, 1.0
    while student_cdf(high, freedom) < part:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_cdf(middle, freedom) < part else (low, middle)
    return (low + high) / 2


def student_cdf(t: float, freedom: int) -> float:
    """The part of Student's distribution below t >= 0, by a sum that ends (Abramowitz and Stegun, 26.7.3 and 26.7.4).

    With more than 400 degrees of freedom by 26.7.8, whose error is below 1e-6 there.
    """
    if freedom > 400:
        z = t * (1 - 1 / (4 * freedom)) / math.sqrt(1 + t * t / (2 * freedom))
        return (1 + math.erf(z / math.sqrt(2))) / 2
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    term = cosine if freedom % 2 else 1.0
    total = term if freedom > 1 else 0.0
    for i in range(2 + freedom % 2, freedom - 1, 2):
        term *= (i - 1) / i * cosine * cosine
        total += term
    inside = 2 / math.pi * (angle + sine * total) if freedom % 2 else sine * total
    return (1 + inside) / 2
