"""Domains: the sets of numbers that a parameter, a prediction or a target may be."""

import math
from typing import NamedTuple

import numpy as np

from losscli.arrays import Array


class Interval(NamedTuple):
    """An interval of numbers. It validates parameters, prints itself in messages, and gives tests its ends."""

    low: float
    high: float
    low_closed: bool = False
    high_closed: bool = False
    whole: bool = False
    """Whether only whole numbers belong to it."""
    even: bool = False
    """Whether only even whole numbers belong to it."""

    def __contains__(self, value: object) -> bool:
        assert isinstance(value, float | int)
        above = value >= self.low if self.low_closed else value > self.low
        below = value <= self.high if self.high_closed else value < self.high
        step = 2 if self.even else 1 if self.whole else 0
        return above and below and (not step or value % step == 0)  # NaN is in no interval

    def __str__(self) -> str:
        ends = f"{'[' if self.low_closed else '('}{self.low:g}, {self.high:g}{']' if self.high_closed else ')'}"
        return f"the {'even' if self.even else 'whole'} numbers of {ends}" if self.whole or self.even else ends

    def outside(self, values: "Array") -> "Array":
        """Return which values are not in it, as booleans; NaN counts as inside here."""
        low = values < self.low if self.low_closed else values <= self.low
        high = values > self.high if self.high_closed else values >= self.high
        outside: Array = low | high
        step = 2 if self.even else 1
        return outside | (values / step != np.floor(values / step)) if self.whole or self.even else outside


REAL = Interval(-math.inf, math.inf)
POSITIVE = Interval(0, math.inf)
NON_NEGATIVE = Interval(0, math.inf, low_closed=True)
FRACTION = Interval(0, 1, low_closed=True, high_closed=True)
FRACTION_BELOW_ONE = Interval(0, 1, low_closed=True)
BELOW_ONE = Interval(-math.inf, 1)
OPEN_FRACTION = Interval(0, 1)
AT_LEAST_ONE = Interval(1, math.inf, low_closed=True)
BELOW_INFINITY = Interval(-math.inf, math.inf, low_closed=True)
ABOVE_MINUS_ONE = Interval(-1, math.inf)


class Domains(NamedTuple):
    """The numbers that a loss takes for predictions and for targets; other numbers are errors."""

    predictions: Interval = REAL
    targets: Interval = REAL
