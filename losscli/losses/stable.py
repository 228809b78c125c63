"""Functions of one number that would lose digits by cancellation if they were computed as they are written."""

import math

import numpy as np

from losscli.arrays import Array
from losscli.elementary import log1p

TERMS = 16
"""With this many terms, the error of the series is less than the last digit of a long double, up to `NEAR`."""
NEAR = 0.5


def exp_tail(z: Array) -> Array:
    """Return exp(z) - 1 - z by its series z**2 / 2 + z**3 / 6 + ..., for numbers up to
    `NEAR`; others are cut off there.
    """
    small = np.clip(z, -NEAR, NEAR)
    one = small.dtype.type(1)
    tail = np.full_like(small, one / math.factorial(TERMS + 2))
    for k in range(TERMS + 1, 1, -1):
        tail *= small
        tail += one / math.factorial(k)
    return small * small * tail


def exp_rest(z: Array) -> Array:
    """Return exp(z) - 1 - z, exact to the last digits."""
    # Infinity minus infinity is NaN; infinity minus the largest number is infinity.
    return np.where(np.abs(z) < NEAR, exp_tail(z), np.expm1(z) - held(z))


def held(x: Array) -> Array:
    """Return numbers with infinities replaced by large finite ones, which can still be added or doubled."""
    most = np.finfo(x.dtype).max / 4
    return np.clip(x, -most, most)


def within_squares(x: Array) -> Array:
    """Return numbers cut off before their squares overflow, so that x / (1 + x**2) is small there and never NaN."""
    most = np.sqrt(np.finfo(x.dtype).max) / 4
    return np.clip(x, -most, most)


def log_ratio(gap: Array, less: Array) -> Array:
    """Return log(a / b) from the difference a - b and the smaller of the two: no digits are lost if they are close."""
    return np.sign(gap) * log1p(np.abs(gap) / less)
