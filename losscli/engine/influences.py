"""How much each sample moves a ratio of sums, added up: what an interval of many samples needs, in a few numbers for each slice.

The statistic is m = sum(a) / sum(b) of one pair (a, b) per sample, such as weight times loss and weight. The influence of a sample is
d = a - m b. The sums of its powers give the interval in closed form that DiCiccio and Efron (1992) call ABC. It approximates the
bootstrap's BCa interval of infinitely many resamples: their difference is of the order 1 / n, as a part of the interval's width.
"""

import math

import numpy as np

from losscli.arrays import Array
from losscli.records import NamedTuple

ROUNDED = 1e-14
"""Samples whose influences are so small a part of their terms are all equal, but for rounding."""


class Influences(NamedTuple):
    """Mergeable record: for each slice the number of samples, the sums of a and b, and sums of products of d and b, all of shape (k,).

    d is a - m b with the m of these samples. When records are added, m changes to that of all of them, and d with it: by a multiple of
    b, so that every sum follows from the others.
    """

    n: Array
    a: Array
    b: Array
    dd: Array
    ddd: Array
    db: Array
    bb: Array
    ddb: Array
    dbb: Array
    bbb: Array

    @classmethod
    def of(cls, index: Array, a: Array, b: Array, k: int) -> "Influences":
        """Return the record of k slices, from the slice and the pair (a, b) of each sample."""

        def added(values: Array) -> Array:
            return np.bincount(index, values, k) if k > 1 else np.array([values.sum()])  # which is faster

        n = np.bincount(index, minlength=k)
        with np.errstate(all="ignore"):
            sum_a, sum_b = added(a), added(b)
            m = np.divide(sum_a, sum_b, out=np.zeros(k), where=sum_b != 0)
            d = a - m[index] * b
            dd = d * d
            if (b == 1).all():
                rest = added(d)  # 0, but for rounding
                return cls(n, sum_a, sum_b, added(dd), added(dd * d), rest, sum_b, added(dd), rest, sum_b)
            bb = b * b
            sums = (dd, dd * d, d * b, bb, dd * b, d * bb, bb * b)
            return cls(n, sum_a, sum_b, *map(added, sums))

    def __add__(self, other: "Influences") -> "Influences":  # type: ignore[override]
        with np.errstate(all="ignore"):
            a, b = self.a + other.a, self.b + other.b
            m = np.divide(a, b, out=np.zeros(len(a)), where=b != 0)
            mine, theirs = self._around(m), other._around(m)
            return Influences(
                self.n + other.n, a, b, *(one + more for one, more in zip(mine[3:], theirs[3:], strict=True))
            )

    def _around(self, m: Array) -> "Influences":
        """Return the record with d = a - m b for another m."""
        own = np.divide(self.a, self.b, out=np.zeros(len(m)), where=self.b != 0)
        c = np.where(self.b != 0, own - m, 0)
        return self._replace(
            dd=self.dd + 2 * c * self.db + c * c * self.bb,
            ddd=self.ddd + 3 * c * self.ddb + 3 * c * c * self.dbb + c**3 * self.bbb,
            db=self.db + c * self.bb,
            ddb=self.ddb + 2 * c * self.dbb + c * c * self.bbb,
            dbb=self.dbb + c * self.bbb,
        )

    def interval(self, number: int, confidence: float) -> tuple[float, float]:
        """Return the ABC interval of sum(a) / sum(b) of one slice (DiCiccio and Efron 1992, doi:10.1093/biomet/79.2.231).

        For a ratio of sums its curvature is 0, and its bias correction is as large as its acceleration.

        Returns
        -------
        tuple[float, float]
            the ends; NaN and NaN where sums leave the range of a float64, or so much confidence has no end.
        """
        from statistics import NormalDist

        a, b, dd, ddd, db = (float(getattr(self, name)[number]) for name in ("a", "b", "dd", "ddd", "db"))
        if not all(map(math.isfinite, (a, b, dd, ddd, db))) or not b:
            return math.nan, math.nan
        m = a / b
        if math.sqrt(dd * float(self.n[number])) <= ROUNDED * abs(a):
            return m, m
        sigma, root = math.sqrt(dd) / b, math.sqrt(dd)
        acceleration, bend = ddd / dd / root / 6, db / b / root
        ends = []
        for part in ((1 - confidence) / 2, (1 + confidence) / 2):
            z = acceleration + NormalDist().inv_cdf(part)
            room = 1 - acceleration * z
            far = z / room**2 if room > 0 else math.nan
            below = 1 + bend * far
            ends.append(m + sigma * far / below if below > 0 else math.nan)
        return ends[0], ends[1]
