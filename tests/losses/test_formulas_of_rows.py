"""Every loss of whole rows, of masks and of files against its own formula in 60 digits and more: value and gradient.

The gradient is compared with differences of the formula. Bounds are those of test_formulas.py: 4 units in the last place, or
4 eps times what rounding the operands alone would do. Where a lift makes further rounded numbers of the operands, such as
cosines, what rounding these would do is added, as each maker says.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import close, settings
from reference import REFERENCES
from row_formulas import (
    FAMILIES,
    KINK,
    MAKERS,
    STEP,
    Case,
    Function,
    Numbers,
    exact,
    inner_pull,
    moved,
)

from losscli.definition.loss import Loss
from losscli.losses import LOSSES

DTYPES = (np.float32, np.float64)


@dataclass
class Derivatives:
    """A function's value, one-sided derivatives, and what it does with steps in two numbers at once."""

    at: Any
    right: Numbers
    left: Numbers
    bends: list[Numbers]


def derivatives(f: Function, x: Numbers, first: int) -> Derivatives:
    """By all numbers; second derivatives by one of the first so many and by any."""
    h = [STEP * max(1, abs(one)) for one in x]
    at = f(x)
    up, down = ([f(moved(x, (i, sign * h[i]))) for i in range(len(x))] for sign in (1, -1))

    def bend(i: int, j: int) -> Any:
        if i == j:
            return (up[i] - 2 * at + down[i]) / h[i] ** 2
        both, neither = (f(moved(x, (i, sign * h[i]), (j, sign * h[j]))) for sign in (1, -1))
        return (both + neither - up[i] - down[i] - up[j] - down[j] + 2 * at) / (2 * h[i] * h[j])

    bends = [[bend(i, j) for j in range(len(x))] for i in range(first)]
    right = [(one - at) / step for one, step in zip(up, h, strict=True)]
    left = [(at - one) / step for one, step in zip(down, h, strict=True)]
    return Derivatives(at, right, left, bends)


def check(loss: Loss, parameters: Any, case: Case, dtype: Any) -> None:
    value, slopes = loss.bind(**parameters)(case.predictions, case.targets, case.extras, gradient=True)
    assert slopes is not None
    assert value.dtype == slopes.dtype == dtype
    assert slopes.shape == case.predictions.shape
    row = exact(case.predictions)
    x = row + case.others
    with mp.workdps(150 + int(min(STEEPEST, reach(loss, parameters, row)) / 2.3)):
        found = derivatives(case.value, x, len(row))
        gradient = [(a + b) / 2 for a, b in zip(found.right, found.left, strict=True)]
        smooth = [abs(a - b) * KINK <= abs(a) + abs(b) + 1 for a, b in zip(found.right, found.left, strict=True)]
        pull = sum(abs(z * g) for z, g in zip(x, gradient, strict=True))
        if case.inner is not None:
            pull += inner_pull(case, row)
        condition = abs(found.at) + pull
        assert near(value[0], found.at, dtype, condition), (case, parameters, value, float(found.at))
        for j, slope in enumerate(slopes.reshape(-1)):
            low, high = sorted((found.left[j], found.right[j]))
            if not smooth[j]:
                if high < KINK and low > -KINK:  # no jump
                    slack = 1e-6 * (1 + abs(low) + abs(high))
                    assert low - slack <= float(slope) <= high + slack, (case, parameters, j, slope, low, high)
                continue
            bends = found.bends[j]
            if any(abs(bend) > KINK * (1 + pull) for bend in bends):
                continue  # a kink in another direction
            bent = abs(gradient[j]) + sum(abs(z * bend) for z, bend in zip(x, bends, strict=True))
            if case.inner is not None:
                bent += inner_bend(case, row, j)
            assert near(slope, gradient[j], dtype, bent + condition / 10), (
                case,
                parameters,
                j,
                slope,
                float(gradient[j]),
                float(bent),
            )


def near(found: Any, true: Any, dtype: Any, condition: Any) -> bool:
    """As `close`; also where the true number is 0, or all but, because what it is made of cancels."""
    rounding = 4 * mpf(float(np.finfo(dtype).eps)) * condition
    return close(found, true, dtype, condition) or (math.isfinite(found) and abs(mpf(float(found)) - true) <= rounding)


STEEPEST = 760
"""exp(-760) is 0 in float64."""


def reach(loss: Loss, parameters: Any, row: Numbers) -> float:
    """How large the numbers can be whose exponentials are added to 1."""
    if loss.family.name in ("angular", "batch", "paired", "mutual", "proxy"):
        return 5 * math.prod(max(abs(value), 1 / abs(value)) for value in parameters.values() if value)
    if loss.family.name in ("preference", "odds", "adversarial"):
        return 3 * float(max(map(abs, row))) * max([1.0, *(value for value in parameters.values() if value)])
    steepness = max(1, parameters.get("sigma", 1), 1 / parameters.get("temperature", 1))
    far = loss.family.name in ("ranking", "label-matrix", "survival")
    return 3 * steepness * float(max(map(abs, row))) if far else 0


def inner_bend(case: Case, row: Numbers, j: int) -> Any:
    """What an error of the inner numbers does to the derivative by one of the row."""
    inner, of_inner = case.inner, case.of_inner
    assert inner is not None
    assert of_inner is not None
    step = STEP * max(1, abs(row[j]))
    ahead, behind = (inner(moved(row, (j, sign * step))) for sign in (1, -1))

    def slope(i: int, error: Any) -> Any:
        return (of_inner(moved(ahead, (i, error))) - of_inner(moved(behind, (i, error)))) / (2 * step)

    return sum(max(1, abs(s)) * abs(slope(i, STEP) - slope(i, -STEP)) / (2 * STEP) for i, s in enumerate(ahead))


def of_rows() -> list[Loss]:
    return [loss for loss in LOSSES.values() if loss.family.name in FAMILIES]


CASES = [
    pytest.param(
        loss,
        parameters,
        id="-".join([loss.name, *(f"{name}={value:g}" for name, value in parameters.items() if value is not None)]),
    )
    for loss in of_rows()
    for parameters in settings(loss)
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "parameters"), CASES)
def test_value_and_gradient_equal_the_formula(loss: Loss, parameters: dict[str, float], dtype: Any) -> None:
    generator = np.random.default_rng(2024)
    default = parameters == next(settings(loss))
    cases = list(MAKERS[loss.family.name](loss, parameters, dtype, generator))
    # Other parameters are other numbers in the same steps, and so are the numbers of float32: a few cases of each are enough.
    few = len(cases) if default and dtype == np.float64 else 1 if dtype == np.float32 and not default else 3
    for case in cases[:: max(1, len(cases) // few)]:
        check(loss, parameters, case, dtype)


def test_every_loss_has_a_formula_or_a_reference() -> None:
    without = {loss.name for loss in LOSSES.values() if not loss.formula}
    assert without == set(REFERENCES)
    assert all(loss.definition for loss in LOSSES.values() if not loss.formula)


def test_every_loss_of_rows_is_covered() -> None:
    assert set(MAKERS) == set(FAMILIES)


@pytest.mark.quick
@pytest.mark.parametrize("loss", of_rows(), ids=lambda loss: loss.name)
def test_a_loss_equals_its_formula_in_one_row(loss: Loss) -> None:
    parameters = next(settings(loss))
    case = next(MAKERS[loss.family.name](loss, parameters, np.float64, np.random.default_rng(2024)))
    check(loss, parameters, case, np.float64)
