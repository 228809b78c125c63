"""The error function and the logarithm of the gamma function, which NumPy does not have."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.elementary import log1p
from losscli.losses.stable import NEAR, exp_tail

ERF_TERMS = 19
"""With this many terms of its Taylor series, erf is exact to the last digit of float64 up to 1."""
ERFC_TAIL = (
    0.25539567631050575,
    -0.533982309267448,
    0.5110865058207131,
    -0.37642439962744456,
    0.20394656030835803,
    -0.07128989014261979,
    0.007769788652548788,
    0.0059556944006294455,
    -0.002378567381452614,
    -0.0004930041361981138,
    0.0004248061244644014,
    6.654446155731668e-05,
    -7.676314605581333e-05,
    -1.670088037114217e-05,
    1.64365968992818e-05,
)
"""Coefficients of exp(x**2) * erfc(x) in powers of (x - 2) / (x + 3) for x from 1 to 6: a Chebyshev approximation of the
function in 60 digits, whose relative error is 2e-16.
"""
ERF_IS_ONE = 6.0
"""From here on erf is 1 in float64."""
STIRLING = (
    (1, 12),
    (-1, 360),
    (1, 1260),
    (-1, 1680),
    (1, 1188),
    (-691, 360360),
    (1, 156),
    (-3617, 122400),
    (43867, 244188),
)
"""Coefficients of 1 / x, 1 / x**3, ... in Stirling's series, which are B(2k) / (2k (2k - 1)) with Bernoulli's numbers."""
COUNTS = 1000
"""Whole numbers below it are looked up in a table."""
FAR = 16
"""From here on this many terms of Stirling's series are exact to the last digit of a long double."""


def erf(x: Array) -> Array:
    """Return the error function of each number, in float64 or wider, with the digits of float64."""
    size = np.minimum(np.abs(x), ERF_IS_ONE)
    within = np.minimum(size, 1)
    taylor = [(-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(ERF_TERMS)]
    near = 2 / math.sqrt(math.pi) * within * _polynomial(taylor, within * within)
    far = 1 - np.exp(-size * size) * _polynomial(ERFC_TAIL, (size - 2) / (size + 3))
    return np.copysign(np.where(size < 1, near, far), x)


def _polynomial(coefficients: Sequence[float], x: Array) -> Array:
    """Return the value of a polynomial at each number; the coefficients begin with the constant."""
    value = np.full_like(x, coefficients[-1])
    for one in coefficients[-2::-1]:
        value *= x
        value += one
    return value


def beyond_stirling(x: Array) -> Array:
    """Return what Stirling's formula misses of log(gamma(x)): log(gamma(x)) - ((x - 1/2) log(x) - x + log(2 pi) / 2).

    It is 1 / (12 x) and less, and 0 for infinity. Log-probabilities are written in terms of it, since gamma functions of
    large numbers would cancel in them.
    """
    close = x < FAR
    value = _stirling(np.where(close, x + FAR, x))
    if close.all():
        value += _lead(x)
    elif close.any():
        value[close] += _lead(x[close])
    return value


def _lead(x: Array) -> Array:
    """Return how much more Stirling's formula misses at x than at x + FAR, for 0 < x < FAR.

    It follows from gamma(x + FAR) = x (x + 1) ... (x + FAR - 1) gamma(x).
    """
    product = np.ones_like(x)
    for k in range(1, FAR):
        product *= x + k
    half = x.dtype.type(0.5)
    value: Array = (x + (FAR - half)) * np.log(x + FAR) - FAR - (x + half) * np.log(x) - np.log(product)
    return value


def beyond_stirling_of_counts(t: Array) -> Array:
    """Return the same of numbers of which most are whole; 0 for 0, where it is infinite."""
    whole = (t == np.floor(t)) & (t >= 0) & (t < COUNTS)
    value = _of_counts(t.dtype)[np.where(whole, t, 0).astype(np.intp)]
    if not whole.all():
        value[~whole] = beyond_stirling(t[~whole])
    return value


@functools.cache
def _of_counts(dtype: np.dtype[Any]) -> Array:
    """Return what Stirling's formula misses for whole numbers from 1 to COUNTS - 1, and 0 for 0."""
    return np.concatenate([np.zeros(1, dtype), beyond_stirling(np.arange(1, COUNTS, dtype=dtype))])


def log_rising(t: Array, r: Array) -> Array:
    """Return log(gamma(r + t) / gamma(r)) - t log(r) for 0 <= t <= 1 and r > 0, exact to the last digits however small t is.

    It is 0 for an infinite r, and log(t!) for r = 1.
    """
    close = r < FAR
    far = np.where(close, r + FAR, r)
    u = t / far
    w = log1p(u)
    rest = np.where(w < NEAR, exp_tail(w), u - w)  # u - log(1 + u)
    value: Array = (t - t.dtype.type(0.5)) * w - np.where(np.isinf(far), 0, far) * rest
    for k, (above, below) in enumerate(STIRLING):  # Stirling's series at r + t, less that at r
        power = 2 * k + 1
        value = value + t.dtype.type(above) / below * np.expm1(-power * w) / far**power
    near = np.where(close, r, 1)
    beyond = np.zeros_like(value)  # the product of 1 + t / (r + k), less 1
    for k in range(1, FAR):
        part = t / (near + k)
        beyond = beyond + part + part * beyond
    return value + np.where(close, t * log1p(FAR / near) - log1p(t / near) - log1p(beyond), 0)


def _stirling(x: Array) -> Array:
    """Return Stirling's series without its leading terms, for numbers from FAR on."""
    one, inverse = x.dtype.type(1), 1 / x
    square = inverse * inverse
    value = np.zeros_like(x)
    for above, below in reversed(STIRLING):
        value = value * square + one * above / below
    return value * inverse


def half_log_two_pi(dtype: np.dtype[Any]) -> Any:
    """Return log(2 pi) / 2 as a number of a dtype, with all of its digits."""
    return dtype.type("0.91893853320467274178032973640561763986")
