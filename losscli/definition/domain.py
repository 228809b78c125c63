"""Domains: the sets of numbers that a parameter, a prediction or a target may be."""

import math

import numpy as np

from losscli.arrays import Array
from losscli.records import NamedTuple


class Interval(NamedTuple):
    """An interval of numbers. It validates parameters, prints itself in messages, and gives tests its ends."""

    low: float
    high: float
    low_closed: bool = False
    high_closed: bool = False
    whole: bool = False
    """Whether only whole numbers belong to it."""
    gap: tuple[float, float] | None = None
    """Two numbers of the interval between which no number belongs to it; both ends do."""
    even: bool = False
    """Whether only even whole numbers belong to it."""

    def __contains__(self, value: object) -> bool:
        assert isinstance(value, float | int)
        above = value >= self.low if self.low_closed else value > self.low
        below = value <= self.high if self.high_closed else value < self.high
        within = self.gap is None or not self.gap[0] < value < self.gap[1]
        step = 2 if self.even else 1 if self.whole else 0
        return above and below and within and (not step or value % step == 0)  # NaN is in no interval

    def __str__(self) -> str:
        first, last = (
            f"{'[' if self.low_closed else '('}{self.low:g}",
            f"{self.high:g}{']' if self.high_closed else ')'}",
        )
        if self.gap is not None:
            return f"{first}, {self.gap[0]:g}] or [{self.gap[1]:g}, {last}"
        kind = "the even numbers of " if self.even else "the whole numbers of " if self.whole else ""
        return f"{kind}{first}, {last}"

    def outside(self, values: "Array") -> "Array":
        """Return which values are not in it, as booleans; NaN counts as inside here."""
        low = values < self.low if self.low_closed else values <= self.low
        high = values > self.high if self.high_closed else values >= self.high
        outside: Array = low | high
        if self.gap is not None:
            outside = outside | ((values > self.gap[0]) & (values < self.gap[1]))
        step = 2 if self.even else 1
        return outside | (values / step != np.floor(values / step)) if self.whole or self.even else outside


REAL = Interval(-math.inf, math.inf)
POSITIVE = Interval(0, math.inf)
NON_NEGATIVE = Interval(0, math.inf, low_closed=True)
FRACTION = Interval(0, 1, low_closed=True, high_closed=True)
FRACTION_BELOW_ONE = Interval(0, 1, low_closed=True)
BELOW_ONE = Interval(-math.inf, 1)
AT_LEAST_ONE = Interval(1, math.inf, low_closed=True)
BELOW_INFINITY = Interval(-math.inf, math.inf, low_closed=True)
EXTENDED = Interval(-math.inf, math.inf, low_closed=True, high_closed=True)
ZERO_OR_ONE = Interval(0, 1, low_closed=True, high_closed=True, whole=True)
ABOVE_MINUS_ONE = Interval(-1, math.inf)
LOG_PROBABILITIES = Interval(-math.inf, 0, low_closed=True, high_closed=True)


class Domains(NamedTuple):
    """The numbers that a loss takes for predictions and for targets; other numbers are errors."""

    predictions: Interval = REAL
    targets: Interval = REAL
