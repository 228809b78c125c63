"""What holds for all losses of whole rows, masks and files, and what their formulas do not say."""

import math
from typing import Any

import numpy as np
import pytest
from calling import INF, NAN, block, cases, chosen, each, every_dtype, label_block
from mpmath import mp, mpf
from oracle import evaluate, settings
from row_formulas import FAMILIES

from losscli.analysis.curves import along
from losscli.definition.loss import Loss
from losscli.losses import FAMILIES as REGISTERED

MET = ("batch", "paired", "mutual", "mined", "every-triplet")
"""Families in whose cases the other rows are held fixed, which differ from case to case."""


@each()
@every_dtype
def test_nan_in_is_nan_out(loss: Loss, dtype: Any) -> None:
    for case in cases(loss, dtype):
        for at in range(case.predictions.size):
            predictions = case.predictions.copy()
            predictions.reshape(-1)[at] = NAN
            for gradient in (False, True):
                value, _ = loss.bind()(predictions, case.targets, case.extras, gradient)
                assert np.isnan(value).all(), (case.predictions, at)


@each(*(name for name in FAMILIES if name != "angular"))
@every_dtype
def test_infinity_in_is_its_limit_or_nan(loss: Loss, dtype: Any) -> None:
    """Never another number, which nobody would notice."""
    for case in cases(loss, dtype):
        if case.extras.prediction_kind != "logits" or (loss.family.name == "overlap" and not case.targets.t.any()):
            continue  # an empty mask has the loss 0 where it is predicted empty, and 1 next to that
        for at in range(case.predictions.size):
            for sign in (1, -1):
                predictions = case.predictions.copy()
                predictions.reshape(-1)[at] = sign * INF
                (value,), _ = loss.bind()(predictions, case.targets, case.extras, True)
                if math.isnan(value):
                    continue
                far = [mpf(float(one)) for one in case.predictions.reshape(-1)] + case.others
                far[at] = mpf(sign) * mpf(10) ** 5
                with mp.workdps(300):
                    near, far[at] = case.value(far), far[at] * mpf(10) ** 30  # some grow as slowly as logarithms
                    true = case.value(far)
                if math.isinf(value):
                    up = math.copysign(1, value)
                    assert up * true > up * near + 1 or mp.isinf(near)  # a mask of which nothing can be right
                else:
                    assert abs(true - value) < 1e-3 * (1 + abs(true)), (case.predictions, at, sign, value)


@each("scores", "ranking", "label-matrix")
def test_a_lone_infinite_score_is_a_limit_and_not_undefined(loss: Loss) -> None:
    for case in cases(loss, np.float64):
        predictions = case.predictions.copy()
        predictions[0, -1] = INF
        if loss.family.name == "label-matrix" or predictions.shape[1] < 2:
            continue
        value, _ = loss.bind()(predictions, case.targets, case.extras)
        assert not np.isnan(value).any(), (case.predictions, case.targets)


@each(*(name for name in FAMILIES if name != "label-matrix"))
@every_dtype
@pytest.mark.parametrize("k", [2, 5, 40])
def test_neither_splitting_nor_permuting_rows_changes_a_bit(loss: Loss, dtype: Any, k: int) -> None:
    """Of rows that meet all others, those others stay as they are."""
    n = 33
    x, targets, extras = block(loss, dtype, n, k)
    value, slope = loss.bind()(x, targets, extras, gradient=True)
    assert slope is not None
    assert not np.isnan(value).all()
    order = np.random.default_rng(1).permutation(n)
    cuts = [order, *(np.arange(n)[i : i + step] for step in (1, 2, 7, 16) for i in range(0, n, step))]
    for where in cuts:
        part, part_slope = loss.bind()(x[where], *chosen(targets, extras, where), gradient=True)
        assert part_slope is not None
        assert part.tobytes() == value[where].tobytes()
        assert part_slope.tobytes() == slope[where].tobytes()


@each()
def test_the_value_does_not_depend_on_whether_a_gradient_is_wanted(loss: Loss) -> None:
    x, targets, extras = block(loss, np.float32, 6, 4) if loss.family.name != "label-matrix" else label_block()
    with_slope, slope = loss.bind()(x, targets, extras, gradient=True)
    without, nothing = loss.bind()(x, targets, extras)
    assert with_slope.tobytes() == without.tobytes()
    assert slope is not None
    assert nothing is None


@each()
def test_axes_are_drawn_with_their_own_slope(loss: Loss) -> None:
    for axis in REGISTERED[loss.family.name].axes.values():
        low, high = axis.span
        x = np.linspace(low, high, 42)[1:-1] + 1e-3
        step = 1e-6
        value, slope = along(loss.bind(), axis, x)
        sides = [along(loss.bind(), axis, x + sign * step)[0] for sign in (1, -1)]
        assert not np.isnan(value).any()
        finite = np.isfinite(value) & np.isfinite(sides[0]) & np.isfinite(sides[1])
        assert finite.any()
        difference = (sides[0][finite] - sides[1][finite]) / (2 * step)
        np.testing.assert_allclose(slope[finite], difference, rtol=1e-5, atol=1e-7)
        for end in (low, high):
            assert not np.isnan(along(loss.bind(), axis, np.array([end]))[0]).any()


@each("pairs", "cosine", "cosine-pair", "pair")
def test_slope_is_the_derivative_of_the_formula(loss: Loss) -> None:
    """Where it bends, the slope lies between the derivatives on both sides."""
    variable = next(iter(loss.family.variables))
    for parameters in settings(loss):
        for t in (1, -1):
            for x in (0.001, 0.25, 0.5, 1.0, 1.5, 1.999):

                def f(at: Any, t: int = t, parameters: Any = parameters, of: str = loss.formula) -> Any:
                    return evaluate(loss, of, {variable: at, "t": t}, parameters)

                with mp.workdps(100):
                    at, step = mpf(x), mpf(10) ** -40
                    sides = sorted([(f(at + step) - f(at)) / step, (f(at) - f(at - step)) / step])
                    assert sides[0] - 1e-30 <= f(at, of=loss.slope) <= sides[1] + 1e-30


@each(*(name for name in FAMILIES if name not in MET))
def test_convex_losses_are_those_declared(loss: Loss) -> None:
    violated = 0.0
    generator = np.random.default_rng(3)
    for seed in range(4):
        for one, other in zip(cases(loss, np.float64, seed), cases(loss, np.float64, seed + 100), strict=False):
            x = one.predictions
            if loss.family.name == "long-tail" and one.extras.prediction_kind != "logits":
                continue  # the fact is about its variable, the logits
            ends = [other.predictions] if other.predictions.shape == x.shape else []
            ends += [
                x + step * generator.normal(size=x.shape) for step in (0.3, 3) if one.extras.prediction_kind == "logits"
            ]
            for end in ends:
                sides = [loss.bind()(where, one.targets, one.extras)[0] for where in (x, end)]
                middle, _ = loss.bind()((x + end) / 2, one.targets, one.extras)
                size = 1 + abs(sides[0]) + abs(sides[1])
                with np.errstate(invalid="ignore"):  # infinities on both sides, which are left out
                    excess = (middle - (sides[0] + sides[1]) / 2) / size
                violated = max(violated, float(np.max(excess, where=~np.isnan(excess), initial=0)))
    assert (violated <= 1e-12) == ("convex" in loss.facts), violated


@each(*(name for name in FAMILIES if name not in ("angular", "proxy", "two-views", *MET)))
def test_bounded_losses_are_those_declared(loss: Loss) -> None:
    largest = 0.0
    for case in cases(loss, np.float64):
        far = case.predictions * 1e3 if case.extras.prediction_kind == "logits" else case.predictions
        value, _ = loss.bind()(far, case.targets, case.extras)
        largest = max(largest, float(np.abs(value).max()))
    assert (largest <= 4) == ("bounded" in loss.facts), largest
