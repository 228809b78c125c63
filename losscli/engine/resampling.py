"""Intervals and p-values of a mean from resampled rows, and Student's interval for groups.

The statistic is a weighted mean, sum(w * x) / sum(w), of one pair (w, x) per row. Few rows are resampled one by one.
Many rows are counted in cells of almost equal values, and the number of times that each cell is drawn is random, so
that time and memory do not grow with the file. For the interval the values are the deviations w * (x - mean), whose
spread matters; for the sign changes they are w * x.
"""

import math
from collections.abc import Callable

import numpy as np

from losscli.arrays import Array
from losscli.records import NamedTuple

EXACT_ROWS = 20_000
"""Up to this many rows are resampled one by one."""
LEAST_ROWS = 20
"""With fewer rows than this, a bootstrap interval is too narrow to rely on."""
DIGITS_DROPPED = 47
"""Low bits of a float64 in which values of a cell may differ. 5 bits of the significand are equal,
thus a cell is narrower than 1/32 of its values. Its mean is exact, and the spread of all values is
wrong by less than 1 part in 10,000.
"""
NEGLIGIBLE = 2.0**-12
"""Values smaller than this part of the root mean square form one cell for each sign."""
BATCH = 1 << 21
"""Number of draws that are made at once."""


class Rows(NamedTuple):
    """Few rows: the weight of each, and weight times value."""

    weights: Array
    sums: Array

    @classmethod
    def of(cls, values: Array, weights: Array | None) -> "Rows":
        """Return the record of values, shape (n,), and their weights, shape (n,) or None for 1 each."""
        w = np.ones(len(values)) if weights is None else weights.astype(np.float64)
        return cls(w, w * values)

    def __add__(self, other: "Rows") -> "Rows":  # type: ignore[override]
        return Rows(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


class Cells(NamedTuple):
    """Mergeable record of many values: almost equal ones form a cell with their number and their sum."""

    keys: Array
    counts: Array
    sums: Array

    @classmethod
    def of(cls, values: Array) -> "Cells":
        """Return the record of values, shape (n,)."""
        wide = values.astype(np.float64)
        return cls(wide.view(np.int64) >> DIGITS_DROPPED, np.ones(len(wide), np.int64), wide)._merged()

    def __add__(self, other: "Cells") -> "Cells":  # type: ignore[override]
        return Cells(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))._merged()

    def _merged(self) -> "Cells":
        distinct, index = np.unique(self.keys, return_inverse=True)
        counts = np.zeros(len(distinct), np.int64)
        np.add.at(counts, index, self.counts)
        return Cells(distinct, counts, np.bincount(index, self.sums, len(distinct)))

    def trimmed(self) -> "Cells":
        """Return cells in which all values of one sign that are too small to matter are one cell."""
        means = self.means
        largest = float(np.abs(means).max(initial=0))
        if not largest:
            return self
        size = largest * math.sqrt(float((self.counts * (means / largest) ** 2).sum()) / self.rows)
        small = np.abs(means) < NEGLIGIBLE * size
        return self._replace(
            keys=np.where(small, np.sign(means).astype(np.int64), self.keys + (np.int64(1) << 40))
        )._merged()

    @property
    def means(self) -> Array:
        """Mean value of each cell."""
        return np.asarray(self.sums / self.counts)

    @property
    def rows(self) -> int:
        """Number of values."""
        return int(self.counts.sum())


def resampled(rows: Rows, resamples: int, seed: int, run: "Map") -> Array:
    """Return weighted means of as many rows as there are, drawn with replacement; shape (resamples,)."""
    n, equal = len(rows.sums), bool((rows.weights == 1).all())

    def draw(generator: "np.random.Generator", size: int) -> Array:
        index = generator.integers(0, n, (size, n), dtype=np.int32)
        sums = rows.sums[index].sum(axis=1)
        with np.errstate(
            all="ignore"
        ):  # all rows that are drawn may have weight 0; another thread does not know of it otherwise
            return np.asarray(sums / (n if equal else rows.weights[index].sum(axis=1)))

    return _batches(draw, resamples, n, seed, run)


def resampled_cells(deviations: Cells, mean: float, weight: float, resamples: int, seed: int, run: "Map") -> Array:
    """Return weighted means of resampled rows, from cells of w * (x - mean); shape (resamples,).

    `weight` is the sum of all weights. It is used in place of the sum of the weights that are drawn, from which it
    differs by a part of about 1 / sqrt(n); this is the first-order approximation of the ratio.
    """
    n, parts, means = deviations.rows, deviations.counts / deviations.rows, deviations.means

    def draw(generator: "np.random.Generator", size: int) -> Array:
        # Not by BLAS, whose digits depend on the number of processor cores.
        return mean + np.einsum("ij,j->i", generator.multinomial(n, parts, size), means) / weight

    return _batches(draw, resamples, len(means), seed, run)


Drawn = tuple["np.random.Generator", int]
"""A generator and how many resamples it draws. In quotes here and below, since NumPy imports its generators when they are named."""
Map = Callable[[Callable[[Drawn], Array], list[Drawn]], list[Array]]
"""A function that maps a function over batches: the built-in one with a list, or that of an executor."""


def serially(function: Callable[[Drawn], Array], batches: list[Drawn]) -> list[Array]:
    """Map a function over batches, one after another."""
    return [function(batch) for batch in batches]


def _batches(
    draw: Callable[["np.random.Generator", int], Array], resamples: int, width: int, seed: int, run: Map
) -> Array:
    """Draw resamples in batches, each with a generator of its own, so that they do not
    depend on which thread draws them.
    """
    step = max(1, min(resamples, BATCH // max(1, width)))
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    work = [
        (np.random.Generator(np.random.PCG64(batch_seed)), size) for batch_seed, size in zip(seeds, sizes, strict=True)
    ]
    return np.concatenate(run(lambda batch: draw(*batch), work))


def interval(
    mean: float, influence: Array, counts: Array | None, drawn: Array, confidence: float
) -> tuple[float, float]:
    """Return the bias-corrected and accelerated bootstrap interval (Efron 1987, doi:10.1080/01621459.1987.10478410).

    Parameters
    ----------
    influence
        influence of each row or cell on the mean: w * (x - mean), shape (m,).
    counts
        number of rows in each cell, shape (m,); None for rows.
    drawn
        means of resamples, shape (resamples,).

    Returns
    -------
    tuple[float, float]
        the ends; NaN and NaN for a single row, which does not tell how much rows differ.
    """
    from statistics import NormalDist

    if (len(influence) if counts is None else counts.sum()) < 2:
        return math.nan, math.nan
    normal = NormalDist()
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn) or drawn.min() == drawn.max():
        return mean, mean
    below = float(np.count_nonzero(drawn < mean) + 0.5 * np.count_nonzero(drawn == mean)) / len(drawn)
    bias = normal.inv_cdf(min(max(below, 0.5 / len(drawn)), 1 - 0.5 / len(drawn)))
    acceleration = _acceleration(influence, counts)
    ends = []
    for part in ((1 - confidence) / 2, (1 + confidence) / 2):
        z = bias + normal.inv_cdf(part)
        room = 1 - acceleration * z
        ends.append(normal.cdf(bias + z / room) if room > 0 else float(z > 0))
    low, high = np.quantile(drawn, np.clip(ends, 0, 1))
    return float(low), float(high)


def _acceleration(influence: Array, counts: Array | None) -> float:
    """Return how much the spread of the mean changes with the mean: the skewness of the influences over 6 sqrt(n)."""
    largest = float(np.abs(influence).max(initial=0))
    if not largest:
        return 0.0
    scaled = influence / largest
    weights = np.ones(len(scaled)) if counts is None else counts
    squares = float((weights * scaled**2).sum())
    return float((weights * scaled**3).sum()) / (6 * squares**1.5)


def sign_flips(values: "Array | Cells", resamples: int, seed: int, run: Map) -> tuple[float, int]:
    """Return the two-sided p-value for a mean of 0, and the number of sign changes: a
    permutation test of paired differences.

    If both models were equally good, each row's difference could as well have the other sign (Fisher 1935). For few
    rows all combinations of signs are tried, thus p is exact; otherwise p is (1 + number of those at least as far from
    0) / (1 + resamples), which is never 0 (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585).

    Parameters
    ----------
    values
        w * x of each row, or cells of it.
    """
    x = values.sums if isinstance(values, Cells) else values
    scale = float(np.abs(x).max(initial=0)) or 1.0
    x = x / scale  # so that sums of very large numbers are finite
    # Sums that differ only by rounding must count as equal.
    reach = abs(float(x.sum())) - 1e-12 * float(np.abs(x).sum())
    if not isinstance(values, Cells) and 2 ** len(x) <= resamples:
        sums = np.zeros(1)
        for value in x:
            sums = np.concatenate([sums + value, sums - value])
        return float(np.count_nonzero(np.abs(sums) >= reach) / len(sums)), len(sums)
    if not isinstance(values, Cells):
        tables, width = _tables(x), -(-len(x) // 8)
        places = np.arange(width)

        def draw(generator: "np.random.Generator", size: int) -> Array:
            return tables[places, generator.integers(0, 256, (size, width), dtype=np.uint8)].sum(axis=1)

    else:
        counts, means, width = values.counts, x / values.counts, len(x)

        def draw(generator: "np.random.Generator", size: int) -> Array:
            up = generator.binomial(counts, 0.5, (size, width))
            return np.einsum("ij,j->i", 2 * up - counts, means)

    drawn = _batches(draw, resamples, width, seed + 1, run)
    return float((1 + np.count_nonzero(np.abs(drawn) >= reach)) / (1 + resamples)), resamples


def _tables(x: Array) -> Array:
    """Return, for each eight numbers, their sums under all 256 combinations of signs; a random byte is eight signs."""
    eights = np.concatenate([x, np.zeros(-len(x) % 8)]).reshape(-1, 8)
    signs = 1.0 - 2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    return np.asarray(np.einsum("gj,bj->gb", eights, signs))


def holm(values: list[float]) -> list[float]:
    """Return the p-values of several comparisons, adjusted so that they hold together (Holm 1979)."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    adjusted, least = [0.0] * len(values), 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, values[i] * (len(values) - rank)))
        adjusted[i] = least
    return adjusted


def smallest_detectable(
    influence: Array, counts: Array | None, weight: float, confidence: float, power: float
) -> float:
    """Return the smallest mean difference that a two-sided paired test finds with a probability of `power`.

    It is (t(1 - alpha / 2, n - 1) + t(power, n - 1)) s / sqrt(n), with alpha = 1 - confidence and s / sqrt(n) the standard
    error of the mean of the paired differences (Zar, Biostatistical Analysis, 5th edition, 2010, section 7.7). It follows from
    the spread of the differences, and not from how large their mean is.

    Parameters
    ----------
    influence
        w * (x - mean) of each row or cell, shape (m,).
    counts
        number of rows in each cell, shape (m,); None for rows.
    weight
        the sum of the weights of all rows.
    power
        above 1/2.

    Returns
    -------
    float
        0 if all differences are the same, and NaN for a single row.
    """
    n = len(influence) if counts is None else int(counts.sum())
    if n < 2:
        return math.nan
    largest = float(np.abs(influence).max(initial=0))
    if not largest:
        return 0.0
    squares = (influence / largest) ** 2
    error = largest / weight * math.sqrt(float((squares if counts is None else counts * squares).sum()) * n / (n - 1))
    return (student_quantile((1 + confidence) / 2, n - 1) + student_quantile(power, n - 1)) * error


def student_interval(n: int, mean: float, squares: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a mean of n values with this sum of squared deviations; NaN for fewer than two values."""
    if n < 2:
        return math.nan, math.nan
    half = student_quantile((1 + confidence) / 2, n - 1) * float(np.sqrt(squares / (n - 1) / n))
    return mean - half, mean + half


def student_quantile(part: float, freedom: int) -> float:
    """Return the value below which this part of Student's distribution lies, by bisection; `part` is above 1/2."""
    low, high = 0.0, 1.0
    while student_cdf(high, freedom) < part:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_cdf(middle, freedom) < part else (low, middle)
    return (low + high) / 2


def student_cdf(t: float, freedom: int) -> float:
    """Return the part of Student's distribution below t >= 0, by a finite sum (Abramowitz
    and Stegun, 26.7.3 and 26.7.4).

    For more than 400 degrees of freedom by 26.7.8, whose error is below 1e-6 there.
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
