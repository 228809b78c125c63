"""Parameters up to the ends of their domains: 1e300 and 1e-300 where they may be so, and numbers of every magnitude.

Values and slopes are compared with the formula, in so many digits that nothing rounds or cancels. A few of each loss's
settings are tried here; `LOSSCLI_SAMPLES=200 pytest tests/losses/test_ends.py` tries many.
"""

import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import close, evaluate, far_settings, reach, sigmoid_variables, softmax_loss
from row_formulas import FAMILIES, MAKERS, exact, inner_pull

from losscli.definition.batch import Dense, Extras, Indices
from losscli.definition.loss import Loss
from losscli.lookup.names import find
from losscli.losses import LOSSES

SAMPLES = int(os.environ.get("LOSSCLI_SAMPLES", "3"))
DTYPES = (np.float32, np.float64)
ELEMENTWISE = ("residual", "margin", "relative", "distribution", "gaussian", "scaled", "counts")


def of(*families: str, parameters: bool) -> list[Any]:
    return [
        pytest.param(loss, id=loss.name)
        for loss in LOSSES.values()
        if loss.family.name in families and (loss.parameters or not parameters)
    ]


def magnitudes(generator: Any, dtype: Any, n: int) -> np.ndarray:
    """Numbers of both signs and of every magnitude that the dtype has."""
    top = math.log10(float(np.finfo(dtype).max))
    return (10 ** generator.uniform(-top, top, n) * generator.choice([-1, 1], n)).astype(dtype)


def points(loss: Loss, parameters: dict[str, float | None], dtype: Any, generator: Any) -> Iterator[dict[str, Any]]:
    """Predictions, targets and variances: of every magnitude, of common ones, and near the parameters."""
    scales = [abs(value) for value in parameters.values() if value and math.isfinite(value)] or [1.0]
    with np.errstate(all="ignore"):
        near = generator.choice(scales, 4) * 10 ** generator.uniform(-3, 3, 4) * generator.choice([-1, 1], 4)
        x = np.concatenate([magnitudes(generator, dtype, 3), near, generator.normal(0, 3, 3)]).astype(dtype)
    t = np.where(generator.random(10) < 0.5, 0, magnitudes(generator, dtype, 10)).astype(dtype)
    v = np.abs(magnitudes(generator, dtype, 10))
    domains = loss.domains(loss.bind(**parameters).parameters)
    x, t = (np.where(domain.outside(one), np.abs(one), one) for domain, one in zip(domains, (x, t), strict=True))
    t = np.where(t < 0, -1, 1).astype(np.int8) if loss.family.name == "margin" else t
    outside = domains.predictions.outside(x) | domains.targets.outside(t)
    for one in zip(x[~outside], t[~outside], v[~outside], strict=True):
        if np.isfinite(one).all() and one[2] > 0:
            yield dict(zip(("x", "t", "v"), one, strict=True))


def truth(loss: Loss, parameters: dict[str, float | None], point: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Value, derivative by the prediction, and what rounding prediction and target does to the value."""
    numbers = {name: mpf(float(one)) for name, one in point.items()}
    with mp.workdps(100 + 10 * reach([*numbers.values(), *parameters.values()])):
        x, t = numbers["x"], numbers["t"]
        variables = {
            "residual": {"r": x - t},
            "margin": {"m": x * t},
            "gaussian": {"y": x, "t": t, "v": numbers["v"]},
            "scaled": {"y": x, "t": t, "s": numbers["v"]},
            "counts": {"y": x, "t": t, "a": numbers["v"]},
        }.get(loss.family.name, {"y": x, "t": t})
        value, slope = (evaluate(loss, formula, variables, parameters) for formula in (loss.formula, loss.slope))
        return value, slope * t if loss.family.name == "margin" else slope, (abs(x) + abs(t)) * abs(slope)


def check(loss: Loss, parameters: dict[str, float | None], dtype: Any, generator: Any) -> None:
    tried = list(points(loss, parameters, dtype, generator))
    if not tried:
        return
    x, t, v = (np.array([point[name] for point in tried]) for name in ("x", "t", "v"))
    extras = Extras(third_operand=v if loss.family.third_operand else None)
    values, slopes = loss.bind(**parameters)(x, Dense(t), extras, gradient=True)
    assert values.dtype == slopes.dtype == dtype
    for point, value, slope in zip(tried, values, slopes, strict=True):
        true, true_slope, pull = truth(loss, parameters, point)
        small = abs(true) < pull / 10  # next to a zero
        assert close(value, true, dtype, abs(true) + pull if small else 0), (parameters, point, value, mp.nstr(true))
        assert close(slope, true_slope, dtype, 0), (parameters, point, slope, mp.nstr(true_slope))


@pytest.mark.quick
@pytest.mark.parametrize(
    ("name", "parameters", "r", "true"),
    [
        ("cauchy", {"c": 1e160}, [1, 2], [0.5, 2]),
        ("welsch", {"c": 1e160}, [1, 2], [0.5, 2]),
        ("geman-mcclure", {"c": 1e160}, [1, 2], [0.5, 2]),
        ("andrews", {"c": 1e160}, [1, 2], [0.5, 2]),
        ("arctan", {"c": 1e160}, [1, 2], [0.5, 2]),
        ("fair", {"c": 1e160}, [1, 2], [0.5, 2]),
        ("student-t", {"c": 1e160}, [1, 2], [0.5, 2]),
        ("ramsay", {"a": 1e-200}, [1, 2], [0.5, 2]),
        ("pseudo-huber", {"delta": 1e100}, [1, 2], [0.5, 2]),
        ("smooth-l1", {"beta": 2.0**100}, [1, 2], [2.0**-101, 2.0**-99]),
        ("huber", {"delta": 1e100}, [1, 2], [0.5, 2]),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_far_parameters_leave_the_limit(name: str, parameters: dict, r: list, true: list, dtype: Any) -> None:
    """By hand: to the last digit r**2 / 2, which the losses are near zero."""
    values, slopes = LOSSES[name].bind(**parameters)(np.array(r, dtype), Dense(np.zeros(2, dtype)), gradient=True)
    assert values.tolist() == np.array(true, dtype).tolist()
    scale = parameters.get("beta", 1) if name == "smooth-l1" else 1
    assert slopes.tolist() == (np.array(r) / scale).astype(dtype).tolist()


@pytest.mark.quick
def test_a_deviance_of_a_steep_power_overflows_and_is_no_nan() -> None:
    loss = LOSSES["tweedie-deviance"].bind(power=400.0)
    values, slopes = loss(np.array([1e-3, 1e3, 2.0, 2.0]), Dense(np.array([1e-3, 1.0, 1e-3, 2.0])), gradient=True)
    assert values.tolist() == [0.0, pytest.approx(2 / (399 * 398), rel=1e-15), np.inf, 0.0]
    assert slopes.tolist() == [0.0, 0.0, pytest.approx(2 * (2 - 1e-3) * 2.0**-400, rel=1e-15), 0.0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", of(*ELEMENTWISE, parameters=False))
def test_elementwise_losses_at_the_ends(loss: Loss, dtype: Any) -> None:
    generator = np.random.default_rng(77)
    for parameters in far_settings(loss, generator, SAMPLES):
        check(loss, parameters, dtype, generator)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("name", "parameters", "prediction", "target", "true"),
    [
        ("huber", {"delta": 2.0**-10}, 1.5 * 2.0**1023, -1.5 * 2.0**1023, 3 * 2.0**1013),
        ("quantile", {"tau": 0.75}, 1.5 * 2.0**1023, -1.5 * 2.0**1023, 1.5 * 2.0**1022),
        ("smape", {}, 1.5 * 2.0**1023, -1.5 * 2.0**1023, 2.0),
        ("mape", {}, 1.5 * 2.0**1023, -1.5 * 2.0**1023, 2.0),
        ("iou", {}, [0.0, 0.0, 2.0**600, 2.0**600], [0.0, 0.0, 2.0**600, 2.0**599], 0.5),
        ("giou", {}, [0.0, 0.0, 2.0**600, 2.0**600], [0.0, 0.0, 2.0**600, 2.0**599], 0.5),
        ("cosine-distance", {}, [2.0**1023, 0.0], [-(2.0**1023), 0.0], 2.0),
        ("wape", {}, [1.5 * 2.0**1023] * 2, [-1.5 * 2.0**1023] * 2, 2.0),
    ],
)
def test_what_overflows_on_the_way_is_computed_again(
    name: str, parameters: dict, prediction: Any, target: Any, true: float
) -> None:
    """Beside a row that is NaN, and one that is infinite, which stay so."""
    loss = find(name).bind(**parameters)
    p = np.array([prediction, np.full(np.shape(prediction), np.nan)])
    t = np.array([target, np.ones(np.shape(target))])
    values, slopes = loss(p, Dense(t), gradient=True)
    assert values[0] == pytest.approx(true, rel=1e-15)
    assert np.isnan(values[1])
    assert np.isfinite(slopes[0]).all()


def soft_targets(generator: Any, n: int) -> np.ndarray:
    """Numbers next to 0 and next to 1, of every magnitude of the distance."""
    return np.where(
        generator.random(n) < 0.5, 10 ** generator.uniform(-40, 0, n), 1 - 10 ** generator.uniform(-16, 0, n)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", of("sigmoid", parameters=False))
def test_sigmoid_losses_at_the_ends(loss: Loss, dtype: Any) -> None:
    generator = np.random.default_rng(79)
    for parameters in far_settings(loss, generator, SAMPLES):
        z = np.concatenate([magnitudes(generator, np.float32, 40), generator.normal(0, 8, 6)]).astype(dtype)
        z = z[(np.abs(z) < 500) & (np.abs(z) > 1e-30)][-10:]
        low, high = parameters.get("low", 0.0), parameters.get("high", 1.0)
        t = low + (high - low) * soft_targets(generator, len(z))
        for targets in (Dense(t, 1 - t), Dense(np.ones(len(z), bool)), Dense(np.zeros(len(z), bool))):
            values, slopes = loss.bind(**parameters)(z, targets, gradient=True)
            for x, one, value, slope in zip(z, targets.t, values, slopes, strict=True):
                at, target = mpf(float(x)), mpf(float(one))
                far = reach([at, target, *parameters.values()])
                with mp.workdps(100 + 4 * far + int(2 * abs(x))):
                    variables = sigmoid_variables(at, target)
                    true, true_slope = (evaluate(loss, f, variables, parameters) for f in (loss.formula, loss.slope))
                where = (parameters, x, one, value, slope, mp.nstr(true), mp.nstr(true_slope))
                assert close(value, true, dtype, abs(true) + abs(at * true_slope)), where
                assert close(slope, true_slope, dtype, abs(true_slope) + abs(true)), where


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", of("softmax", "ordinal", parameters=True))
def test_softmax_losses_at_the_ends(loss: Loss, dtype: Any) -> None:
    generator = np.random.default_rng(80)
    for parameters in far_settings(loss, generator, SAMPLES):
        row = (generator.normal(0, 1, 4) * 10 ** generator.uniform(-3, 2.5)).astype(dtype)
        soft = generator.dirichlet(np.full(4, 10 ** generator.uniform(-2, 1)))
        hard = np.eye(4)[int(generator.integers(4))]
        for targets, t in (
            (Indices(hard.argmax(keepdims=True)), hard),
            (Dense(hard[None]), hard),
            (Dense(soft[None]), soft),
        ):
            values, slopes = loss.bind(**parameters)(row[None], targets, gradient=True)
            with mp.workdps(100 + 6 * reach(parameters.values()) + int(2 * np.ptp(row))):
                true, gradient = softmax_loss(loss, exact(row), exact(t), parameters)
                pull = sum(abs(z * slope) for z, slope in zip(exact(row), gradient, strict=True))
            assert close(values[0], true, dtype, abs(true) + pull), (parameters, row, t, values, mp.nstr(true))
            held = max(map(abs, gradient)) < float(np.finfo(dtype).max)
            assert np.isfinite(slopes).all() or not held, (parameters, row, t, slopes)
            assert not np.isnan(slopes).any(), (parameters, row, t, slopes)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", of(*FAMILIES, parameters=True))
def test_losses_of_rows_at_the_ends(loss: Loss, dtype: Any) -> None:
    """Their values equal the formula, and their gradients are numbers where the loss is smooth."""
    generator = np.random.default_rng(78)
    for parameters in far_settings(loss, generator, 1 + SAMPLES // 2):
        cases = list(MAKERS[loss.family.name](loss, parameters, dtype, np.random.default_rng(3)))
        for i in generator.permutation(len(cases))[:2]:
            check_row(loss, parameters, cases[i], dtype)


def check_row(loss: Loss, parameters: dict[str, float | None], case: Any, dtype: Any) -> None:
    value, slopes = loss.bind(**parameters)(case.predictions, case.targets, case.extras, gradient=True)
    x = exact(case.predictions) + case.others
    far = reach(parameters.values())
    with mp.workdps(200 + 4 * far):
        step = mpf(10) ** -(80 + far)
        true = case.value(x)
        sides = [
            [(case.value([*x[:j], x[j] + sign * step, *x[j + 1 :]]) - true) / (sign * step) for sign in (1, -1)]
            for j in range(len(x))
        ]
        pull = sum(abs(one) * max(map(abs, side)) for one, side in zip(x, sides, strict=True))
        if loss.name == "triplet":
            pull += abs(parameters["epsilon"] or 0)  # it is added to every difference, and rounded with it
        condition = (
            abs(true) + pull + (0 if case.inner is None else 10 * pull + inner_pull(case, x[: case.predictions.size]))
        )
        error = 4 * float(np.finfo(dtype).eps) * condition
        fits = close(value[0], true, dtype, condition) or abs(mpf(float(value[0])) - true) <= error
        assert fits, (parameters, case.predictions, value, mp.nstr(true))
        for slope, (right, left) in zip(slopes.reshape(-1), sides, strict=False):
            smooth = max(abs(right), abs(left)) < float(np.finfo(dtype).max)
            assert np.isfinite(slope) or not smooth, (parameters, case.predictions, slope, mp.nstr(right))
