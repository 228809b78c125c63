"""What holds for losses beyond their formulas: special values, declared facts, identities, domains."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from by_hand import near
from drawn import drawn
from mpmath import mp
from oracle import settings

from losscli.definition.batch import Dense, Extras, Indices
from losscli.definition.loss import Loss
from losscli.losses import LOSSES, find

pytestmark = pytest.mark.simd

DTYPES = (np.float32, np.float64)
INF = math.inf


def index(*labels: int) -> Indices:
    return Indices(np.array(labels))


def binary(*labels: int) -> Dense:
    return Dense(np.array(labels, bool))


def each(*families: str) -> list[Any]:
    return [pytest.param(loss, id=loss.name) for loss in LOSSES.values() if loss.family.name in families]


def evaluate(
    name: str, predictions: Any, targets: Any, dtype: Any = np.float64, prediction_kind: str = "logits", **more: Any
) -> Any:
    return find(name).bind(**more)(np.array(predictions, dtype), targets, Extras(prediction_kind), gradient=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tiny_losses_are_resolved(dtype: Any) -> None:
    value, gradient = evaluate("softmax-cross-entropy", [[20, 0]], index(0), dtype)
    np.testing.assert_allclose(value, [float(mp.log1p(mp.exp(-20)))], rtol=1e-6 if dtype == np.float32 else 1e-15)
    np.testing.assert_allclose(gradient, np.array([[-1, 1]]) * float(1 / (1 + mp.exp(20))), rtol=1e-6)


@pytest.mark.parametrize("form", [index(1), Dense(np.array([[0.0, 1.0, 0.0]])), Indices(np.array([1]), 1.0, 0.0)])
def test_masked_logits_are_legal(form: Any) -> None:
    value, gradient = evaluate("softmax-cross-entropy", [[-INF, 0, math.log(3)]], form)
    np.testing.assert_allclose(value, [math.log(4)], rtol=1e-15)
    np.testing.assert_allclose(gradient, [[0, -0.75, 0.75]], rtol=1e-15)


@pytest.mark.parametrize("name", ["softmax-cross-entropy", "softmax-focal", "kl-divergence"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_losses_at_infinite_logits(name: str, dtype: Any) -> None:
    rows = [[INF, 0, 1], [0, INF, 1], [-INF, 0, 0], [1e4, 0, -1e4], [-1e4, 0, 1e4]]
    value, gradient = evaluate(name, rows, index(0, 0, 0, 0, 0), dtype)
    np.testing.assert_allclose(value, [0, INF, INF, 0, 2e4], rtol=1e-6)
    assert not np.isnan(gradient).any()
    soft = Dense(np.repeat([[1.0, 0, 0]], 5, axis=0))
    again, slopes = evaluate(name, rows, soft, dtype)
    np.testing.assert_array_equal(again, value)
    np.testing.assert_allclose(slopes, gradient, atol=1e-30)


def test_a_row_without_softmax_is_nan_and_not_a_number() -> None:
    value, _ = evaluate("softmax-cross-entropy", [[-INF, -INF], [INF, INF]], index(0, 0))
    assert np.isnan(value).all()
    value, _ = evaluate("softmax-cross-entropy", [[-INF, -INF], [INF, INF]], Dense(np.array([[1.0, 0], [1.0, 0]])))
    assert np.isnan(value).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_focal_losses_are_defined_where_p_is_one(gamma: float, dtype: Any) -> None:
    value, gradient = evaluate("sigmoid-focal", [INF, -INF, 1e4, INF, -INF], binary(1, 0, 1, 0, 1), dtype, gamma=gamma)
    np.testing.assert_array_equal(value, [0, 0, 0, INF, INF])
    np.testing.assert_array_equal(gradient, [0, 0, 0, 1, -1])
    value, gradient = evaluate("softmax-focal", [[1e4, 0], [0, 1e4]], index(0, 0), dtype, gamma=gamma)
    np.testing.assert_array_equal(value, [0, 1e4])
    np.testing.assert_array_equal(gradient, [[0, 0], [-1, 1]])
    value, gradient = evaluate("softmax-focal", [[1.0, 0.0]], index(0), dtype, "probs", gamma=gamma)
    assert value[0] == 0
    assert gradient[0, 0] == (-1 if gamma == 0 else 0)


@pytest.mark.parametrize("name", ["sigmoid-cross-entropy", "sigmoid-focal"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_saturated_probabilities_are_exact_and_not_clipped(name: str, dtype: Any) -> None:
    value, gradient = evaluate(name, [0, 1, 0, 1], binary(1, 1, 0, 0), dtype, "probs")
    np.testing.assert_array_equal(value, [INF, 0, 0, INF])
    assert gradient[0] == -INF
    assert gradient[3] == INF
    assert not np.isnan(gradient).any()
    soft = Dense(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    again, slopes = evaluate(name, [0, 1, 0, 1], soft, dtype, "probs")
    np.testing.assert_array_equal(again, value)
    np.testing.assert_array_equal(slopes, gradient)


def test_zero_times_log_zero_is_zero() -> None:
    value, gradient = evaluate(
        "softmax-cross-entropy", [[1, 0, 0]], Dense(np.array([[1.0, 0, 0]])), prediction_kind="probs"
    )
    assert value[0] == 0
    np.testing.assert_array_equal(gradient, [[-1, 0, 0]])
    value, _ = evaluate("kl-divergence", [[0.5, 0.5, 0]], Dense(np.array([[1.0, 0, 0]])), prediction_kind="probs")
    np.testing.assert_allclose(value, [math.log(2)], rtol=1e-15)  # torchmetrics 1.9.0 gives 0.693147, torch 2.13 NaN


PAIRS = ("relative", "distribution", "gaussian", "scaled", "counts")
ELEMENTWISE = ("residual", *PAIRS, "margin", "sigmoid")


def operands(loss: Loss, x: np.ndarray, t: float = 0.0) -> tuple[Any, Extras]:
    """Targets, and variances, for the predictions x of an elementwise loss; t is for those that read numbers."""
    reads = loss.family.target_type
    made = {"numbers": np.full(x.shape, t), "signs": np.ones(x.shape, np.int8), "outcomes": np.ones(x.shape, bool)}
    return Dense(made[reads]), Extras(third_operand=np.ones(x.shape) if loss.family.third_operand else None)


@pytest.mark.parametrize("loss", each("residual"))
@pytest.mark.parametrize("dtype", DTYPES)
def test_residual_losses_at_infinity(loss: Loss, dtype: Any) -> None:
    for parameters in settings(loss):
        value, gradient = loss.bind(**parameters)(np.array([INF, -INF], dtype), Dense(np.zeros(2)), gradient=True)
        if parameters.get("tau") in (0, 1):
            assert sorted(value) == [0, INF]  # errors in one direction cost nothing
        else:
            assert value[0] == value[1]
        assert not np.isnan(gradient).any()


@pytest.mark.parametrize("loss", each("margin"))
@pytest.mark.parametrize("dtype", DTYPES)
def test_margin_losses_at_infinity(loss: Loss, dtype: Any) -> None:
    for parameters in settings(loss):
        targets = Dense(np.array([1, 1], np.int8))
        value, gradient = loss.bind(**parameters)(np.array([INF, -INF], dtype), targets, gradient=True)
        np.testing.assert_allclose(value[0], (math.pi - 1) ** 2 if loss.name == "tangent" else 0, rtol=1e-6)
        assert not np.isnan(gradient).any()


@pytest.mark.parametrize("loss", each(*PAIRS))
@pytest.mark.parametrize("dtype", DTYPES)
def test_losses_of_pairs_at_infinity(loss: Loss, dtype: Any) -> None:
    for parameters in settings(loss):
        bound = loss.bind(**parameters)
        far = np.array([INF, -INF] if -1e300 in loss.domains(bound.parameters).predictions else [INF], dtype)
        value, gradient = bound(far, *operands(loss, far, 2.0), gradient=True)
        assert not np.isnan(value).any()
        assert not np.isnan(gradient).any()


@pytest.mark.parametrize("loss", each(*ELEMENTWISE[:-1]))
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_is_never_hidden(loss: Loss, dtype: Any) -> None:
    for parameters in settings(loss):
        x = np.array([math.nan], dtype)
        value, gradient = loss.bind(**parameters)(x, *operands(loss, x, 2.0), gradient=True)
        assert np.isnan(value).all()
        assert np.isnan(gradient).all() or loss.slope == "0"


def is_convex(loss: Loss, parameters: Any) -> bool:
    domains = loss.domains(loss.bind(**parameters).parameters)
    x = np.linspace(-20, 20, 4001)
    x = x[~domains.predictions.outside(x)]
    for t in (0.0, 0.3, 4.0) if loss.family.target_type == "numbers" else (0.0,):
        if t not in domains.targets:
            continue
        value, _ = loss.bind(**parameters)(x, *operands(loss, x, t))
        value = value[np.isfinite(value)]
        middle = (value[:-2] + value[2:]) / 2
        if not bool((value[1:-1] <= middle + 1e-12 * (1 + np.abs(middle))).all()):
            return False
    return True


@pytest.mark.parametrize("loss", each("residual", "margin", *PAIRS))
def test_declared_facts_hold(loss: Loss) -> None:
    """For all values of the parameters; what is not declared is wrong for some."""
    tried = list(settings(loss))
    assert all(is_convex(loss, parameters) for parameters in tried) == ("convex" in loss.facts)
    bounded, redescending = [], []
    for parameters in tried:
        low = loss.domains(loss.bind(**parameters).parameters).predictions.low
        x = np.array([INF, low if math.isinf(low) else np.nextafter(low, INF)])
        value, slope = loss.bind(**parameters)(x, *operands(loss, x, 2.0), gradient=True)
        bounded.append(bool(np.isfinite(value).all()))
        redescending.append(bool((np.abs(slope) < 1e-9).all()))
    assert all(bounded) == ("bounded" in loss.facts)
    if loss.family.name == "residual":
        assert all(redescending) == ("redescending" in loss.facts)


@pytest.mark.parametrize("loss", each(*ELEMENTWISE))
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_is_kept(loss: Loss, dtype: Any) -> None:
    x = np.array([1, 2, 3], dtype)
    value, gradient = loss.bind()(x, *operands(loss, x, 1.0), gradient=True)
    assert value.dtype == gradient.dtype == dtype


def random(seed: int = 0, shape: tuple[int, ...] = (50,), scale: float = 3.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, shape)


def elementwise(name: str, x: np.ndarray, targets: Any, **parameters: float) -> tuple[np.ndarray, np.ndarray]:
    return find(name).bind(**parameters)(x, targets, gradient=True)  # type: ignore[return-value]


def same(left: tuple[np.ndarray, np.ndarray], right: tuple[np.ndarray, np.ndarray], factor: float = 1.0) -> None:
    np.testing.assert_allclose(left[0], right[0] * factor, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(left[1], right[1] * factor, rtol=1e-12, atol=1e-15)


def test_identities_of_residual_losses() -> None:
    x, zero = random(), Dense(np.zeros(50))
    for delta in (0.3, 1.0, 2.5):
        same(elementwise("huber", x, zero, delta=delta), elementwise("smooth-l1", x, zero, beta=delta), delta)
    same(elementwise("huber", x, zero, delta=1e12), elementwise("half-squared-error", x, zero))
    same(elementwise("squared-error", x, zero), elementwise("half-squared-error", x, zero), 2)
    same(elementwise("smooth-l1", x, zero, beta=1e-14), elementwise("absolute-error", x, zero))
    same(elementwise("tukey-biweight", x, zero, c=1e9), elementwise("half-squared-error", x, zero))


def test_identities_of_margin_losses() -> None:
    x, t = random(1), Dense(np.random.default_rng(2).choice([-1, 1], 50).astype(np.int8))
    same(elementwise("ramp", x, t, s=-1e6), elementwise("hinge", x, t))
    hinge, _ = elementwise("hinge", x, t)
    np.testing.assert_allclose(elementwise("squared-hinge", x, t)[0], hinge**2, rtol=1e-14)
    shifted, _ = find("hinge").bind()(x + t.t * 1.7, t)  # max(0, s - m) with s = -0.7 is the hinge of m + 1.7
    np.testing.assert_allclose(elementwise("ramp", x, t, s=-0.7)[0], hinge - shifted, atol=1e-14)


def test_a_sigmoid_is_a_softmax_of_two() -> None:
    z = random(3)
    labels = np.random.default_rng(4).integers(0, 2, 50)
    pairs = np.stack([z, np.zeros(50)], axis=1)
    for binary_name, multi_name, parameters in (
        ("sigmoid-cross-entropy", "softmax-cross-entropy", {}),
        ("sigmoid-focal", "softmax-focal", {"gamma": 2.0}),
        ("sigmoid-focal", "softmax-focal", {"gamma": 0.5}),
    ):
        value, gradient = elementwise(binary_name, z, Dense(labels.astype(bool)), **parameters)
        again, slopes = find(multi_name).bind(**parameters)(pairs, Indices(1 - labels), gradient=True)
        np.testing.assert_allclose(value, again, rtol=1e-12)
        np.testing.assert_allclose(gradient, slopes[:, 0], rtol=1e-12)


def test_focal_losses_at_gamma_zero_are_cross_entropies() -> None:
    z, t = random(5), binary(*np.random.default_rng(6).integers(0, 2, 50))
    same(elementwise("sigmoid-focal", z, t, gamma=0.0), elementwise("sigmoid-cross-entropy", z, t))
    same(elementwise("sigmoid-focal", z, t, gamma=0.0, alpha=0.5), elementwise("sigmoid-cross-entropy", z, t), 0.5)
    rows, y = random(7, (50, 4)), Indices(np.random.default_rng(8).integers(0, 4, 50))
    left = find("softmax-focal").bind(gamma=0.0)(rows, y, gradient=True)
    same(left, find("softmax-cross-entropy").bind()(rows, y, gradient=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["softmax-cross-entropy", "softmax-focal"])
def test_forms_of_the_same_target_give_the_same(name: str) -> None:
    rows = random(9, (50, 5))
    y = np.random.default_rng(10).integers(0, 5, 50)
    one_hot = np.eye(5)[y]
    by_index = find(name).bind()(rows, Indices(y), gradient=True)
    same(by_index, find(name).bind()(rows, Dense(one_hot), gradient=True))  # type: ignore[arg-type]
    log_p = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
    pull = np.abs(find(name).bind()(log_p, Indices(y), Extras("log-probs"), gradient=True)[1]).max(axis=1)
    # Near 0 the log of a probability is a difference of what is not near 0, and has the rounding error of that.
    bound = 16 * np.spacing(by_index[0]) + 4 * np.spacing(np.abs(rows).max(axis=1)) * pull
    for given, form in (("log-probs", log_p), ("probs", np.exp(log_p))):
        for targets in (Indices(y), Dense(one_hot)):
            value, _ = find(name).bind()(form, targets, Extras(given))
            assert (np.abs(value - by_index[0]) <= bound).all()


def test_kl_is_cross_entropy_less_the_entropy_of_the_target() -> None:
    rows, t = random(11, (20, 4)), np.random.default_rng(12).dirichlet(np.ones(4), 20)
    kl, _ = find("kl-divergence").bind()(rows, Dense(t))
    ce, _ = find("softmax-cross-entropy").bind()(rows, Dense(t))
    np.testing.assert_allclose(kl, ce + (t * np.log(t)).sum(axis=1), rtol=1e-10)


def test_pos_weight_is_a_factor_of_the_positive_term() -> None:
    z, t = random(13), np.random.default_rng(14).random(50)
    bound = find("sigmoid-cross-entropy").bind()
    value, gradient = bound(z, Dense(t, 1 - t), Extras(pos_weight=3.0), gradient=True)
    positive, negative = np.logaddexp(0, -z), np.logaddexp(0, z)
    np.testing.assert_allclose(value, 3 * t * positive + (1 - t) * negative, rtol=1e-13)
    p = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(gradient, -3 * t * (1 - p) + (1 - t) * p, rtol=1e-10, atol=1e-15)


class TestDigits:
    def test_tukey_keeps_the_digits_of_what_is_left_near_c(self):
        r = 1 - 2.0**-33
        rest = 1 - Fraction(r) ** 2
        _, gradient = find("tukey").bind(c=1)(np.array([r]), Dense(np.zeros(1)), Extras(), gradient=True)
        assert gradient[0] == near(float(Fraction(r) * rest**2), rel=1e-15)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_no_loss_hides_a_nan(loss):
    """The look for faults begins with the losses, so that a NaN prediction must make a NaN loss."""
    made = drawn(loss, 3, 5)
    x = made.predictions.astype(np.float32)
    x.reshape(3, -1)[1, -1] = np.nan
    values, _ = loss.bind()(x, made.encoding.targets(made.targets), made.extras)
    # Index targets of losses that are sums over the classes look at the own class and at all together.
    assert np.isnan(values).tolist() == [False, True, False]
