"""Making a counterexample smaller: fewer classes, fewer digits, numbers of moderate size, as long as it stays one."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from losscli.analysis.audit.model import Case, rounded
from losscli.arrays import Array

ROUNDS = 20
"""How often a smaller case is looked for; in each round all that are one step away are tried."""


def shrunk(
    case: Case, dtype: str, fail: Callable[[Sequence[Case]], Sequence[bool]], valid: Callable[[Case], bool]
) -> Case:
    """Return the smallest case that was found and that still fails.

    Parameters
    ----------
    dtype
        to which numbers are rounded.
    fail
        says of some cases whether each is a counterexample of the same kind.
    valid
        says whether the library's loss is defined for it.
    """
    for _ in range(ROUNDS):
        smaller = [one for one in candidates(case, dtype) if cost(one) < cost(case) and valid(one)]
        found = [one for one, failing in zip(smaller, fail(smaller), strict=True) if failing] if smaller else []
        if not found:
            return case
        case = min(found, key=cost)
    return case


def cost(case: Case) -> float:
    """Return how hard a case is to read: its digits, and how far its numbers are from 1."""
    parts = [case.p, case.t, *([] if case.third is None else [case.third])]
    return sum(_cost(float(x)) for part in parts for x in part.reshape(-1)) + 2 * case.p.size


def _cost(x: float) -> float:
    if x == 0:
        return 0.0
    digits = len(f"{abs(x):.17g}".replace(".", "").strip("0").partition("e")[0].rstrip("0")) or 1
    short = min(digits, len(repr(abs(x)).replace(".", "").partition("e")[0].strip("0")) or 1)
    return short + abs(math.log10(abs(x))) + (0.1 if x < 0 else 0)


def candidates(case: Case, dtype: str) -> Iterator[Case]:
    """Yield cases that differ in one step: without a column, or with another number."""
    if case.p.ndim == 2 and len(case.p) == 1 and case.p.shape[1] > 2:
        yield from _without_column(case)
    for place in np.ndindex(case.p.shape):
        for x in simpler(float(case.p[place])):
            yield Case(_with(case.p, place, x, dtype), case.t, case.third)
    if case.third is not None:
        for place in np.ndindex(case.third.shape):
            for x in simpler(float(case.third[place])):
                yield Case(case.p, case.t, _with(case.third, place, x, dtype))
    if case.t.dtype.kind != "f":
        return
    for place in np.ndindex(case.t.shape):
        for x in simpler(float(case.t[place])):
            yield Case(case.p, _with(case.t, place, x, dtype), case.third)
            if case.t.shape == case.p.shape:  # the difference to the target stays
                shift = x - float(case.t[place])
                moved = _with(case.p, place, float(case.p[place]) + shift, dtype)
                yield Case(moved, _with(case.t, place, x, dtype), case.third)


def _without_column(case: Case) -> Iterator[Case]:
    for column in range(case.p.shape[1]):
        kept = [i for i in range(case.p.shape[1]) if i != column]
        t, third = case.t, case.third
        if t.ndim == 1 and t.dtype.kind == "i" and t.shape == (1,) and case.p.shape[1] > int(t[0]) >= 0:
            if int(t[0]) == column:
                continue
            t = t - (t > column)
        elif t.shape == case.p.shape:
            t = np.ascontiguousarray(t[:, kept])
        third = np.ascontiguousarray(third[:, kept]) if third is not None and third.shape == case.p.shape else third
        yield Case(np.ascontiguousarray(case.p[:, kept]), t, third)


def _with(x: Array, place: tuple[int, ...], value: float, dtype: str) -> Array:
    changed = x.copy()
    changed[place] = value
    return rounded(changed, dtype)


def simpler(x: float) -> Iterator[float]:
    """Yield simpler numbers than one: 0, 1, whole, shorter, half as large."""
    if x == 0 or not math.isfinite(x):
        return
    sign = math.copysign(1.0, x)
    yield from (0.0, sign, -sign)
    yield float(round(x))
    for digits in (1, 2):
        yield float(f"{x:.{digits}g}")
    if abs(x) > 1:
        yield float(round(x / 2))
        yield sign * (math.ceil(abs(x)) - 1)
        power = 10.0 ** math.floor(math.log10(abs(x)))
        yield sign * power
        yield sign * (abs(x) // power - 1) * power
    else:
        yield float(f"{2 * x:.1g}")
        yield sign * 10.0 ** math.ceil(math.log10(abs(x)))
