"""Every loss of the registry against its own formula in 60-digit arithmetic: value, slope, and the lifted gradient.

A new loss is tested here by being declared. Bounds are those that the project promises: residual, margin and sigmoid
losses within 4 units in the last place, except next to a zero; there, and for softmax losses, within
4 eps (|value| + sum of |z_k dL/dz_k|), which is what rounding the inputs alone would do.
"""

import math
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import DIGITS, close, evaluate, precise, settings, sigmoid_variables, softmax_loss

from losscli.definition.batch import Dense, Extras, Indices
from losscli.definition.loss import Loss
from losscli.losses import LOSSES

DTYPES = (np.float32, np.float64)


def of(*families: str) -> list[Loss]:
    return [loss for loss in LOSSES.values() if loss.family.name in families]


def cases(*families: str) -> list[Any]:
    """Every loss with every setting of its parameters; with its defaults, which come first, without SIMD as well."""
    return [
        pytest.param(
            loss,
            parameters,
            id=f"{loss.name}-" + "-".join(f"{k}={v}" for k, v in parameters.items() if v is not None),
            marks=[pytest.mark.simd] * (number == 0),
        )
        for loss in of(*families)
        for number, parameters in enumerate(settings(loss))
    ]


BESIDE = {"gaussian": "v", "scaled": "s", "counts": "a"}
"""Families of losses of a prediction, a target and a third operand, and what formulas call that."""
CASES = cases("residual", "margin", "sigmoid")
PAIRS = cases("relative", "distribution", *BESIDE)


def probes(dtype: Any, largest: float = 1e4) -> np.ndarray:
    """Numbers of every magnitude, both signs, denser where losses bend."""
    generator = np.random.default_rng(12345)
    spread = 10 ** generator.uniform(-6, math.log10(largest), 60)
    near = generator.uniform(-8, 8, 60)
    return np.concatenate([spread, -spread[::2], near, [0.0, 1.0, -1.0, largest, -largest]]).astype(dtype)


def some(loss: Loss, parameters: dict[str, float | None], dtype: Any, points: Any) -> Any:
    """All points for a loss with its defaults; with other parameters every third one, others in each dtype."""
    return points if parameters == next(settings(loss)) else points[DTYPES.index(dtype) :: 3]


def near_zero(value: Any, scale: Any) -> bool:
    """Next to a zero of a function, where its value is small beside what it is made of."""
    return bool(abs(value) < mpf("0.1") * scale)


def powers(loss: Loss) -> int:
    """Which power of 1 - p is left of terms that cancel: so many times the digits of 1 - p are needed."""
    return 2 if loss.name in ("sigmoid-poly-1", "softmax-poly-1", "brier", "spherical") else 1


def check_elementwise(
    loss: Loss, parameters: dict[str, float | None], dtype: Any, t: Any, make: Any, z: np.ndarray | None = None
) -> None:
    z = probes(dtype) if z is None else z
    bound = loss.bind(**parameters)
    values, slopes = bound(z, make(z, dtype, t), gradient=True)
    assert values.dtype == slopes.dtype == dtype
    residual, target = loss.family.name == "residual", mpf(float(t))
    for x, value, slope in zip(z, values, slopes, strict=True):
        at, largest = mpf(float(x)), 0 if residual else abs(float(x)) * powers(loss)

        def bend(at: Any = at) -> Any:
            step = mpf(10) ** (-25) * max(1, abs(at))
            found = (scalar(loss, parameters, at + step, t)[1] - scalar(loss, parameters, at - step, t)[1]) / (2 * step)
            return mpf(0) if abs(at * found) > mpf(10) ** 15 else found  # a kink

        true_value, true_slope = precise(lambda at=at: scalar(loss, parameters, at, t), largest)
        if close(value, true_value, dtype, 0) and close(slope, true_slope, dtype, 0):
            continue
        rounded = abs(at) + abs(target) if residual else abs(at)
        curvature, pull = rounded * precise(bend, largest), rounded * abs(true_slope)
        small = near_zero(true_value, pull)
        assert close(value, true_value, dtype, abs(true_value) + pull if small else 0), (x, value, true_value)
        flat = near_zero(true_slope, abs(curvature)) or (0 < t < 1 and near_zero(true_slope, min(true_value, 1)))
        condition = abs(true_slope) + abs(curvature) + abs(true_value) / 30
        assert close(slope, true_slope, dtype, condition if flat else 0), (x, slope, true_slope)


def scalar(loss: Loss, parameters: dict[str, float | None], at: Any, t: Any) -> tuple[Any, Any]:
    """Value and derivative by the prediction, in mpf."""
    name = loss.family.name
    if name == "residual":
        variables, factor = {"r": at - mpf(float(t))}, mpf(1)
    elif name == "margin":
        variables, factor = {"m": mpf(float(t)) * at}, mpf(float(t))
    else:
        variables, factor = sigmoid_variables(at, mpf(float(t))), mpf(1)
    value = evaluate(loss, loss.formula, variables, parameters)
    return value, factor * evaluate(loss, loss.slope, variables, parameters)


def labels(z: np.ndarray, dtype: Any, t: float) -> Dense:
    return Dense(np.full(z.shape, t > 0))


def signs(z: np.ndarray, dtype: Any, t: float) -> Dense:
    return Dense(np.full(z.shape, int(t), np.int8))


def numbers(z: np.ndarray, dtype: Any, t: float) -> Dense:
    return Dense(np.full(z.shape, t, dtype))


def soft(z: np.ndarray, dtype: Any, t: float) -> Dense:
    full = np.full(z.shape, t)
    return Dense(full, 1 - full)


MAKERS = {
    "residual": [(numbers, 0.0), (numbers, 0.75), (numbers, -3.0)],
    "margin": [(signs, 1.0), (signs, -1.0)],
    "sigmoid": [(labels, 1.0), (labels, 0.0), (soft, 0.25), (soft, 0.5), (soft, 0.96875)],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "parameters"), CASES)
def test_value_and_gradient_equal_the_formula(loss: Loss, parameters: dict[str, float | None], dtype: Any) -> None:
    for make, t in MAKERS[loss.family.name]:
        check_elementwise(loss, parameters, dtype, t, make, some(loss, parameters, dtype, probes(dtype)))


@pytest.mark.parametrize(("loss", "parameters"), CASES)
def test_slope_is_the_derivative_of_the_formula(loss: Loss, parameters: dict[str, float | None]) -> None:
    """At a kink the slope lies between the one-sided derivatives, so kinks need no exception."""
    for _, t in MAKERS[loss.family.name]:
        for x in (-7.3, -1.0, -0.4, 0.0, 0.25, 1.0, 2.0, 4.6851, 5.5):

            def sides(x: float = x, t: float = t) -> tuple[Any, Any, Any]:
                at, step = mpf(x), mpf(10) ** (-40)
                here, slope = scalar(loss, parameters, at, t)
                after, before = (scalar(loss, parameters, at + s, t)[0] for s in (step, -step))
                return (after - here) / step, (here - before) / step, slope

            with mp.workdps(4 * DIGITS):
                right, left, slope = sides()
                slack = mpf(10) ** (-30) * (1 + abs(slope))
                assert min(left, right) - slack <= slope <= max(left, right) + slack, (x, t)


CROSSING = {
    "value": (
        "poisson",
        "log-poisson",
        "log-gamma",
        "gamma-nloglik",
        "gaussian-nll",
        "beta-nll",
        "laplace-nll",
        "student-t-nll",
        "log-normal-nll",
        "poisson-nloglik",
        "negative-binomial-nll",
    ),
    "slope": ("poisson", "log-poisson", "log-gamma", "log-tweedie", "log-normal-nll"),
}
"""Losses of predictions and targets that cross zero where their terms cancel; all others keep every digit there."""


def pair_points(loss: Loss, parameters: dict[str, float | None], dtype: Any) -> list[dict[str, Any]]:
    """Predictions and targets of a loss's domains, of every magnitude, and predictions next to their targets."""
    domains = loss.domains(loss.bind(**parameters).parameters)
    found = []
    for t in np.array([0.0, 0.75, 3.0, -3.0, 1e-6, 1e4, 12345.6789], dtype):
        if float(t) not in domains.targets:
            continue
        near = [t, *(t * (1 + sign * part) for part in 10.0 ** -np.arange(1, 15) for sign in (1, -1))]
        near += [math.log(t), math.log(t) + 1e-7] if t > 0 else []
        y = np.concatenate([probes(dtype)[::3], np.array([0, 1], dtype), np.array(near, dtype)])
        y = y[~domains.predictions.outside(y)]
        v = 10 ** np.random.default_rng(6).uniform(-4, 4, len(y))
        third_operand = {BESIDE[loss.family.name]: v.astype(dtype)} if loss.family.name in BESIDE else {}
        found.append({"y": y, "t": np.full_like(y, t), **third_operand})
    return found


def pair_truth(loss: Loss, parameters: dict[str, float | None], point: dict[str, Any]) -> tuple[Any, Any]:
    """Value and slope in mpf."""
    value, slope = (evaluate(loss, formula, point, parameters) for formula in (loss.formula, loss.slope))
    small = abs(value) < mpf(10) ** (-50) and "nloglik" not in loss.name  # likelihoods are not 0 at the target
    if point["y"] == point["t"] and small:
        value = mpf(0)  # what is left of terms that cancel
    return value, slope


def pair_conditions(loss: Loss, parameters: dict[str, float | None], point: dict[str, Any]) -> tuple[Any, Any]:
    """What rounding the variables does to value and slope."""
    found = [mpf(0), mpf(0)]
    for name, x in point.items():
        step = mpf(10) ** (-25) * abs(x)
        if step:
            sides = [pair_truth(loss, parameters, point | {name: moved}) for moved in (x - step, x + step)]
            found = [c + abs(x * (b - a) / (2 * step)) for c, a, b in zip(found, *sides, strict=True)]
    return found[0], found[1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "parameters"), PAIRS)
def test_losses_of_pairs_equal_the_formula(loss: Loss, parameters: dict[str, float | None], dtype: Any) -> None:
    check_pairs(loss, parameters, dtype, pair_points(loss, parameters, dtype))


def check_pairs(loss: Loss, parameters: dict[str, float | None], dtype: Any, found: list[dict[str, Any]]) -> None:
    for points in found:
        values, slopes = loss.bind(**parameters)(
            points["y"], Dense(points["t"]), Extras(third_operand=points.get(BESIDE.get(loss.family.name, ""))), True
        )
        assert values.dtype == slopes.dtype == dtype
        for i, (value, slope) in enumerate(zip(values, slopes, strict=True)):
            point = {name: mpf(float(column[i])) for name, column in points.items()}
            true, true_slope = precise(lambda point=point: pair_truth(loss, parameters, point))
            if close(value, true, dtype, 0) and close(slope, true_slope, dtype, 0):
                continue
            pull, bend = precise(lambda point=point: pair_conditions(loss, parameters, point))
            crosses = loss.name in CROSSING["value"] and near_zero(true, pull)
            assert close(value, true, dtype, abs(true) + pull if crosses else 0), (point, value, true)
            crosses = loss.name in CROSSING["slope"] and near_zero(true_slope, bend)
            assert close(slope, true_slope, dtype, abs(true_slope) + bend if crosses else 0), (point, slope, true_slope)


@pytest.mark.parametrize(("loss", "parameters"), PAIRS)
def test_slope_of_pairs_is_the_derivative(loss: Loss, parameters: dict[str, float | None]) -> None:
    for points in pair_points(loss, parameters, np.float64):
        for i in range(0, len(points["y"]), 3):
            point = {name: mpf(float(column[i])) for name, column in points.items()}
            at_an_end = point["y"] == loss.domains(parameters).predictions.low
            if abs(point["y"]) > 100 or abs(point["t"]) > 100 or at_an_end:
                continue

            def sides(point: dict[str, Any] = point) -> tuple[Any, Any, Any]:
                step = mpf(10) ** (-40) * max(abs(point["y"]), mpf(10) ** (-10))
                here, after, before = (
                    evaluate(loss, loss.formula, point | {"y": point["y"] + moved}, parameters)
                    for moved in (0, step, -step)
                )
                slope = evaluate(loss, loss.slope, point, parameters)
                return (after - here) / step, (here - before) / step, slope

            with mp.workdps(4 * DIGITS):
                right, left, slope = sides()
                if mp.isnan(right) and mp.isinf(slope):
                    continue  # the loss is inf on both sides
                slack = mpf(10) ** (-25) * (1 + abs(slope))
                assert min(left, right) - slack <= slope <= max(left, right) + slack, point


def softmax_settings() -> list[Any]:
    return [
        pytest.param(
            loss,
            parameters,
            id=f"{loss.name}-" + "-".join(f"{k}={v:g}" for k, v in parameters.items()),
            marks=[pytest.mark.simd] * (number == 0),
        )
        for loss in of("softmax", "ordinal", "shares")
        for number, parameters in enumerate(settings(loss))
    ]


def rows_of_logits(dtype: Any) -> list[np.ndarray]:
    generator = np.random.default_rng(54321)
    rows = [generator.normal(0, scale, k) for scale in (0.1, 1, 5, 30, 300) for k in (2, 3, 10) for _ in range(2)]
    rows += [10 ** generator.uniform(-3, 4, 5) * generator.choice([-1, 1], 5) for _ in range(6)]
    rows += [
        np.array(row) for row in ([20.0, 0], [0, 0, 0], [1e4, 0], [-1e4, 1e4], [5, 5, 5.5], [0, 100, 0], [88, -88])
    ]
    return [row.astype(dtype) for row in rows]


def check_row(
    loss: Loss,
    parameters: dict[str, float | None],
    row: np.ndarray,
    targets: Any,
    t: list[float],
    prediction_kind: str = "logits",
) -> None:
    dtype = row.dtype.type
    value, slopes = loss.bind(**parameters)(row[None, :], targets, Extras(prediction_kind), gradient=True)
    exact = [mpf(float(z)) for z in row]
    exact_t = [mpf(one) for one in t]

    largest = float(np.ptp(row)) * powers(loss) if prediction_kind == "logits" else 0

    def bends() -> list[list[Any]]:
        """How the gradient changes with each of the row's numbers."""
        made = []
        for k, z in enumerate(exact):
            step = mpf(10) ** (-25) * max(1, abs(z))
            moved = [*exact[:k], z + step, *exact[k + 1 :]]
            after = softmax_loss(loss, moved, exact_t, parameters, prediction_kind)[1]
            made.append([(b - a) / step for a, b in zip(gradient, after, strict=True)])
        return made

    true, gradient = precise(lambda: softmax_loss(loss, exact, exact_t, parameters, prediction_kind), largest)
    condition = abs(true) + sum(abs(z * g) for z, g in zip(exact, gradient, strict=True))
    assert close(value[0], true, dtype, condition), (row, t, value, true)
    if all(close(found, one, dtype, condition / 10) for found, one in zip(slopes[0], gradient, strict=True)):
        return
    bent = precise(bends, largest)  # which takes most of the time
    for j, found in enumerate(slopes[0]):
        pull = abs(gradient[j]) + sum(abs(z * bent[k][j]) for k, z in enumerate(exact))
        assert close(found, gradient[j], dtype, pull + condition / 10), (row, t, j, found, gradient[j])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "parameters"), softmax_settings())
def test_softmax_losses_equal_the_formula(loss: Loss, parameters: dict[str, float | None], dtype: Any) -> None:
    generator = np.random.default_rng(1)
    for row in some(loss, parameters, dtype, rows_of_logits(dtype)):
        k = len(row)
        y = int(generator.integers(k))
        hard = [float(i == y) for i in range(k)]
        if not loss.family.soft:
            check_row(loss, parameters, row, Indices(np.array([y])), hard)
            check_row(loss, parameters, row, Dense(np.array([hard])), hard)
        t = generator.dirichlet(np.ones(k)).astype(dtype).astype(float).tolist()
        if loss.name != "kl-divergence":  # its value cancels near t = p; below, by its own bound
            check_row(loss, parameters, row, Dense(np.array([t])), t)
        on, off = 0.9 + 0.1 / k, 0.1 / k
        if loss.name != "kl-divergence":
            smoothed = [on if i == y else off for i in range(k)]
            check_row(loss, parameters, row, Indices(np.array([y]), on, off), smoothed)


@pytest.mark.parametrize("dtype", DTYPES)
def test_kl_divergence_of_soft_targets(dtype: Any) -> None:
    """Its terms have both signs: the error is bounded by eps times the sum of their sizes."""
    loss = LOSSES["kl-divergence"]
    generator = np.random.default_rng(2)
    for row in rows_of_logits(dtype):
        t = generator.dirichlet(np.ones(len(row)), 1)
        value, _ = loss.bind()(row[None, :], Dense(t))
        exact = [mpf(float(z)) for z in row]
        true, gradient = precise(
            lambda e=exact, t=t: softmax_loss(loss, e, [mpf(x) for x in t[0]], {}), float(np.ptp(row))
        )
        size = sum(abs(z * g) for z, g in zip(exact, gradient, strict=True)) + sum(abs(x * math.log(x)) for x in t[0])
        assert close(value[0], true, dtype, abs(true) + size)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "parameters"), softmax_settings())
@pytest.mark.parametrize("prediction_kind", ["probs", "log-probs"])
def test_softmax_losses_from_probabilities(
    loss: Loss, parameters: dict[str, float | None], dtype: Any, prediction_kind: str
) -> None:
    generator = np.random.default_rng(3)
    for k in (2, 3, 10):
        p = generator.dirichlet(np.ones(k)).astype(dtype)
        row = p if prediction_kind == "probs" else np.log(p)
        y = int(generator.integers(k))
        hard = [float(i == y) for i in range(k)]
        if not loss.family.soft:
            check_row(loss, parameters, row, Indices(np.array([y])), hard, prediction_kind)
        t = generator.dirichlet(np.ones(k)).astype(dtype).astype(float).tolist()
        if loss.name != "kl-divergence":
            check_row(loss, parameters, row, Dense(np.array([t])), t, prediction_kind)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", of("sigmoid"), ids=lambda loss: loss.name)
@pytest.mark.parametrize("prediction_kind", ["probs", "log-probs"])
def test_sigmoid_losses_from_probabilities(loss: Loss, dtype: Any, prediction_kind: str) -> None:
    p = np.array([1e-30, 1e-6, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-4], dtype)
    x = p if prediction_kind == "probs" else np.log(p)
    for t, make in ((1.0, labels), (0.0, labels), (0.25, soft), (1e-17, soft)):
        values, slopes = loss.bind()(x, make(x, dtype, t), Extras(prediction_kind), gradient=True)
        for one, value, slope in zip(x, values, slopes, strict=True):

            def value_at(at: Any, t: float = t) -> Any:
                chance = at if prediction_kind == "probs" else mp.exp(at)
                variables = {"z": mp.log(chance / (1 - chance)), "t": mpf(t), "p": chance, "q": 1 - chance}
                return evaluate(loss, loss.formula, variables, loss.bind().parameters)

            with mp.workdps(DIGITS * 2):
                at = mpf(float(one))
                step = at * mpf(10) ** (-45)
                true = value_at(at)
                true_slope = (value_at(at + step) - value_at(at - step)) / (2 * step)
                bend = (value_at(at + step) - 2 * true + value_at(at - step)) / step**2
                assert close(value, true, dtype, abs(true) + abs(at * true_slope)), (one, t, value, true)
                assert close(slope, true_slope, dtype, abs(true_slope) + abs(at * bend)), (one, t, slope, true_slope)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", DTYPES)
def test_center_loss_equals_the_formula(dtype: Any) -> None:
    generator = np.random.default_rng(4)
    x, centers = generator.normal(0, 3, (20, 7)).astype(dtype), generator.normal(0, 3, (4, 7)).astype(dtype)
    y = generator.integers(0, 4, 20)
    loss = LOSSES["center"]
    values, slopes = loss.bind()(x, Indices(y), Extras(centers=centers), gradient=True)
    for i in range(20):
        d = [mpf(float(a)) - mpf(float(b)) for a, b in zip(x[i], centers[y[i]], strict=True)]
        assert close(values[i], sum(evaluate(loss, loss.formula, {"d": one}, {}) for one in d), dtype, 0)
        for found, one in zip(slopes[i], d, strict=True):
            assert close(found, evaluate(loss, loss.slope, {"d": one}, {}), dtype, 0)


def test_every_loss_is_covered_by_an_oracle() -> None:
    covered = {"residual", "margin", "sigmoid", "softmax", "embedding"}
    covered |= {"ordinal", "shares", "relative", "distribution", *BESIDE}
    from row_formulas import FAMILIES

    covered |= set(FAMILIES)
    assert {loss.family.name for loss in LOSSES.values()} == covered


@pytest.mark.quick
@pytest.mark.parametrize(
    "name", [loss.name for loss in of(*MAKERS, "relative", "distribution", *BESIDE, "softmax", "ordinal", "shares")]
)
def test_a_loss_equals_its_formula_at_one_point(name: str) -> None:
    """Of embedding, and of whole rows, other tests look at one point."""
    loss = LOSSES[name]
    parameters = next(settings(loss))
    if loss.family.name in MAKERS:
        make, t = MAKERS[loss.family.name][0]
        check_elementwise(loss, parameters, np.float64, t, make, np.array([0.7]))
    elif loss.family.name in ("softmax", "ordinal", "shares"):
        on, off = (0.75, 0.125) if loss.family.soft else (1.0, 0.0)
        check_row(loss, parameters, np.array([0.5, -1, 2]), Indices(np.array([0]), on, off), [on, off, off])
    else:
        points = pair_points(loss, parameters, np.float64)[-1]
        check_pairs(loss, parameters, np.float64, [{name: column[:1] for name, column in points.items()}])
