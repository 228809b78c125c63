"""Judging what a library computes for one case, beside the truth at 60 digits."""

import math
from collections.abc import Callable
from typing import Any

from mpmath import mp, mpf

from losscli.analysis.audit.model import LOST, NOT_FINITE, WRONG, Precision

TOLERANCE = 1e-5
"""As in verify: wrong is what is farther off than this times max(1, |truth|), or than ROUNDINGS units of a coarser dtype."""
ROUNDINGS = 16
"""Units in the last place that a sum of a few terms may be off; and times what rounding of the operands alone does."""
DIGITS_LOST = 0.01
"""A loss below 1 is lost if its relative error is larger than this: less than two right digits."""


def tolerance(precision: Precision) -> float:
    """Return by how much of max(1, |truth|) a number may be off."""
    return max(TOLERANCE, ROUNDINGS * precision.eps)


def judged(value: float, true: Any, precision: Precision, largest: float, slack: Callable[[], Any]) -> str | None:
    """Return what is wrong with a number: WRONG, NOT_FINITE or LOST; None if it holds, or there is no truth that the
    dtype can hold.

    Parameters
    ----------
    true
        the truth as an mpf.
    precision
        of the dtype in which the library computes.
    largest
        the largest operand: what is off by rounding beside it is lost and not wrong.
    slack
        returns how far the rounding of the operands moves the truth, per unit of the rounding; it costs time, and is called
        only for numbers that would not hold otherwise.
    """
    if isinstance(true, mp.mpc) or not mp.isfinite(true):
        return None
    if abs(true) > mpf(precision.most):
        return None
    if not math.isfinite(value):
        near = abs(true) > mpf(precision.most) * mpf(1 - ROUNDINGS * precision.eps)
        return None if near and math.isinf(value) else NOT_FINITE
    error, size = abs(mpf(value) - true), abs(true)
    off = error > mpf(tolerance(precision)) * max(mpf(1), size)
    lost = mpf(precision.tiny) <= size < 1 and error > mpf(max(DIGITS_LOST, ROUNDINGS * precision.eps)) * size
    if not off and not lost:
        return None
    if error <= mpf(ROUNDINGS * precision.eps) * (size + slack()):
        return None
    return WRONG if off and error > mpf(ROUNDINGS * precision.eps * largest) else LOST


def error_of(value: float, true: Any) -> float:
    """Return |value - truth| / max(1, |truth|); 0 where the truth is not finite or too large."""
    if isinstance(true, mp.mpc) or not mp.isfinite(true) or not math.isfinite(value):
        return 0.0
    return float(abs(mpf(value) - true) / max(mpf(1), abs(true)))
