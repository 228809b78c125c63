"""Losses of whole rows, masks and files where their formulas do not say what happens, and what holds for all of them."""

import math
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import evaluate, settings
from reference import softmax
from row_formulas import FAMILIES, MAKERS, Case

from losscli.analysis.curves import along
from losscli.definition.batch import Dense, Everyone, Extras, Indices, Targets
from losscli.definition.loss import Loss
from losscli.losses import FAMILIES as REGISTERED
from losscli.losses import LOSSES, find
from losscli.losses.contrastive import unit

DTYPES = (np.float32, np.float64)
INF, NAN = math.inf, math.nan


def each(*families: str) -> Any:
    chosen = [loss for loss in LOSSES.values() if loss.family.name in (families or FAMILIES)]
    return pytest.mark.parametrize("loss", chosen, ids=lambda loss: loss.name)


every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def cases(loss: Loss, dtype: Any, seed: int = 7) -> list[Case]:
    return list(MAKERS[loss.family.name](loss, next(settings(loss)), dtype, np.random.default_rng(seed)))


def called(
    name: str, predictions: Any, targets: Any, extras: Extras = Extras(), dtype: Any = np.float64, **more: float
) -> tuple[np.ndarray, np.ndarray]:
    return find(name).bind(**more)(np.array(predictions, dtype), targets, extras, gradient=True)  # type: ignore[return-value]


def rows(*values: Any) -> Dense:
    return Dense(np.array(values))


def index(*labels: int) -> Indices:
    return Indices(np.array(labels))


def signs(*labels: int) -> Dense:
    return Dense(np.array(labels, np.int8))


def masked(*labels: Any) -> Dense:
    return Dense(np.array(labels, bool))


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
                    near, far[at] = case.value(far), far[at] * 10
                    true = case.value(far)
                if math.isinf(value):
                    assert true > near + 1
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


def block(loss: Loss, dtype: Any, n: int, k: int) -> tuple[np.ndarray, Targets, Extras]:
    """Many rows of a family's operands."""
    generator = np.random.default_rng(n * 100 + k)
    x = generator.normal(0, 2, (n, k)).astype(dtype)
    extras, name = Extras(), loss.family.name
    if name == "angular":
        x = np.clip(x / 6, -1, 1)
    if name == "box":
        x = np.sort(generator.uniform(-5, 5, (n, 2, 2)), axis=1).reshape(n, 4).astype(dtype)
    if name == "pairs":
        x = x[:, :2]
    if name == "views":
        x = np.concatenate([x, x[::-1], x / 2], axis=1)
    labels = generator.integers(0, min(k, 5), n)
    targets: Targets = Dense(x[::-1].astype(np.float64))
    if name in ("scores", "angular", "views"):
        targets = Indices(labels)
    elif loss.name in ("multilabel-margin", "zlpr", "lovasz-hinge") or name == "label-matrix":
        targets = Dense(generator.integers(0, 2, x.shape).astype(bool))
    elif name == "ranking":
        targets = Dense(np.abs(targets.t))
    elif name in ("pairs", "pair", "cosine-pair"):
        targets = Dense(generator.choice([-1, 1], n).astype(np.int8))
        extras = Extras(third_operand=None if name == "pairs" else x[::-1].copy())
    elif name == "triplet":
        extras = Extras(third_operand=np.roll(x, 1, axis=0))
    elif name == "overlap":
        targets = Dense(generator.integers(0, 2, x.shape).astype(bool))
    elif name == "class-masks":
        x = x[:, : len(x[0]) // 2 * 2]
        first = generator.integers(0, 2, (n, len(x[0]) // 2, 1))
        targets, extras = Dense(np.concatenate([first, 1 - first], axis=2).reshape(x.shape)), Extras(columns=2)
    elif name == "ensemble":
        targets = Dense(generator.normal(size=n))
    elif name == "batch":
        targets = Indices(labels)
        extras = Extras(everyone=Everyone(unit(x)[0], labels, np.ones(n, bool)), at=np.arange(n))
    elif name == "paired":
        targets = Dense(x[::-1].copy())
        extras = Extras(everyone=Everyone(unit(x[::-1])[0], np.zeros(0), np.ones(n, bool)), at=np.arange(n))
    return x, targets, extras


def chosen(targets: Targets, extras: Extras, where: Any) -> tuple[Targets, Extras]:
    taken = Indices(targets.index[where]) if isinstance(targets, Indices) else Dense(targets.t[where])
    return taken, extras._replace(
        third_operand=None if extras.third_operand is None else extras.third_operand[where],
        at=None if extras.at is None else extras.at[where],
    )


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


def label_block() -> tuple[np.ndarray, Targets, Extras]:
    z = np.random.default_rng(3).normal(size=(2, 6)).astype(np.float32)
    return z, masked([1, 0, 0, 1, 1, 0], [0, 1, 1, 0, 0, 1]), Extras(columns=2)


@each()
def test_axes_are_drawn_with_their_own_slope(loss: Loss) -> None:
    for axis in REGISTERED[loss.family.name].axes.values():
        low, high = axis.span
        x = np.linspace(low, high, 42)[1:-1] + 1e-3
        step = 1e-6
        value, slope = along(loss.bind(), axis, x)
        sides = [along(loss.bind(), axis, x + sign * step)[0] for sign in (1, -1)]
        assert not np.isnan(value).any()
        np.testing.assert_allclose(slope, (sides[0] - sides[1]) / (2 * step), rtol=1e-5, atol=1e-7)
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


# Facts


@each(*(name for name in FAMILIES if name not in ("batch", "paired")))
def test_convex_losses_are_those_declared(loss: Loss) -> None:
    violated = 0.0
    generator = np.random.default_rng(3)
    for seed in range(4):
        for one, other in zip(cases(loss, np.float64, seed), cases(loss, np.float64, seed + 100), strict=False):
            x = one.predictions
            ends = [other.predictions] if other.predictions.shape == x.shape else []
            ends += [
                x + step * generator.normal(size=x.shape) for step in (0.3, 3) if one.extras.prediction_kind == "logits"
            ]
            for end in ends:
                sides = [loss.bind()(where, one.targets, one.extras)[0] for where in (x, end)]
                middle, _ = loss.bind()((x + end) / 2, one.targets, one.extras)
                size = 1 + abs(sides[0]) + abs(sides[1])
                excess = (middle - (sides[0] + sides[1]) / 2) / size
                violated = max(violated, float(np.max(excess, where=~np.isnan(excess), initial=0)))
    assert (violated <= 1e-12) == ("convex" in loss.facts), violated


@each(*(name for name in FAMILIES if name not in ("angular", "batch", "paired")))
def test_bounded_losses_are_those_declared(loss: Loss) -> None:
    largest = 0.0
    for case in cases(loss, np.float64):
        far = case.predictions * 1e3 if case.extras.prediction_kind == "logits" else case.predictions
        value, _ = loss.bind()(far, case.targets, case.extras)
        largest = max(largest, float(value.max()))
    assert (largest <= 4) == ("bounded" in loss.facts), largest


# Relations that hold for some of the data only


def test_two_classes_are_a_margin() -> None:
    z = np.random.default_rng(5).normal(0, 2, (50, 2))
    y = np.random.default_rng(6).integers(0, 2, 50)
    m = z[np.arange(50), y] - z[np.arange(50), 1 - y]
    for rowwise, margin in (
        ("multiclass-hinge", "hinge"),
        ("sparsemax", "binary-sparsemax"),
        ("multiclass-perceptron", "perceptron"),
    ):
        expected, _ = find(margin).bind()(m, signs(*np.ones(50)))
        np.testing.assert_allclose(find(rowwise).bind()(z, Indices(y))[0], expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(find("multiclass-zero-one").bind()(z, Indices(y))[0], m <= 0)


def test_categorical_hinge_is_multiclass_hinge_where_another_score_is_above_zero() -> None:
    z = np.random.default_rng(8).normal(0, 2, (50, 4))
    y = np.random.default_rng(9).integers(0, 4, 50)
    others = z.copy()
    others[np.arange(50), y] = -INF
    value, _ = find("categorical-hinge").bind()(z, Indices(y))
    again, _ = find("multiclass-hinge").bind()(z, Indices(y))
    above = others.max(axis=1) > 0
    np.testing.assert_array_equal(value[above], again[above])
    assert (value[~above] >= again[~above]).all()
    assert 0 < above.sum() < 50


def test_one_positive_has_the_same_loss_among_its_negatives_in_both_contrastive_losses() -> None:
    s = np.random.default_rng(10).uniform(-1, 1, (1, 6))
    positives = np.eye(1, 6, dtype=bool)
    left, _ = find("nt-xent").bind(temperature=0.1).core(s, positives, ~positives)
    right, _ = find("supcon").bind(temperature=0.1).core(s, positives, ~positives)
    third, _ = find("info-nce").bind(temperature=0.1).core(s, positives, ~positives)
    np.testing.assert_allclose([left, right], [right, third], rtol=1e-12)


# Scores and lists


def test_ties_of_scores() -> None:
    value, slope = called("multiclass-hinge", [[0, 1, 1]], index(0))
    assert (value[0], slope[0].tolist()) == (2, [-1, 1, 0])
    value, slope = called("multiclass-perceptron", [[1, 1, 0]], index(1))
    assert (value[0], slope[0].tolist()) == (0, [0, 0, 0])
    assert called("multiclass-zero-one", [[1, 1], [2, 1]], index(0, 0))[0].tolist() == [1, 0]
    value, slope = called("categorical-hinge", [[-1, -2, 0]], index(0))
    assert (value[0], slope[0].tolist()) == (2, [-1, 0, 0])


@every_dtype
def test_sparsemax_is_zero_from_a_lead_of_one_and_keeps_digits_before(dtype: Any) -> None:
    value, slope = called("sparsemax", [[1, 0, 0], [5, 4, -9], [2, 0.5, 1]], index(0, 0, 0), dtype=dtype)
    assert value.tolist() == [0, 0, 0]
    assert not slope.any()
    z = dtype(1 - 2**-10)
    value, slope = called("sparsemax", [[z, 0]], index(0), dtype=dtype)
    assert value[0] == 2.0**-22
    assert slope[0].tolist() == [-(2.0**-11), 2.0**-11]
    value, slope = called("sparsemax", [[0, 1e6]], index(0))
    assert (value[0], slope[0].tolist()) == (1e6, [-1, 1])


@pytest.mark.parametrize("name", ["multiclass-hinge", "categorical-hinge", "multi-margin", "multiclass-perceptron"])
def test_a_masked_score_takes_no_part(name: str) -> None:
    masked_out, slope = called(name, [[0.5, -INF, 1.0]], index(0))
    without, _ = called(name, [[0.5, 1.0]], index(0))
    factor = 2 / 3 if name == "multi-margin" else 1  # over the number of classes
    np.testing.assert_allclose(masked_out, without * factor)
    assert slope[0, 1] == 0


def test_lists_without_relevant_items() -> None:
    z = [[1.0, -2.0, 0.5]]
    for name in ("listwise-softmax", "multilabel-margin"):
        value, slope = called(name, z, rows([0, 0, 0]))
        assert value[0] == 0
        assert not slope.any()
    value, _ = called("zlpr", z, rows([0, 0, 0]))
    np.testing.assert_allclose(value, np.log(1 + np.exp(z).sum()))
    value, _ = called("zlpr", z, rows([1, 1, 1]))
    np.testing.assert_allclose(value, np.log(1 + np.exp(-np.array(z)).sum()))
    assert called("multilabel-margin", z, rows([1, 1, 1]))[0][0] == 0


def test_listnet_is_least_at_the_relevances() -> None:
    t = np.array([[0.3, 2.0, -1.0]])
    value, slope = called("listnet", t, Dense(t))
    p = softmax(t)
    np.testing.assert_allclose(value, [-(p * np.log(p)).sum()], rtol=1e-14)
    np.testing.assert_allclose(slope, 0, atol=1e-16)


def test_tiny_list_losses_keep_their_digits() -> None:
    value, slope = called("listwise-softmax", [[50, 0]], rows([1, 0]))
    np.testing.assert_allclose(value, [math.exp(-50)], rtol=1e-14)
    np.testing.assert_allclose(slope, [[-math.exp(-50), math.exp(-50)]], rtol=1e-14)
    value, slope = called("zlpr", [[50, -50]], rows([1, 0]))
    np.testing.assert_allclose(value, [2 * math.exp(-50)], rtol=1e-14)
    np.testing.assert_allclose(slope, [[-math.exp(-50), math.exp(-50)]], rtol=1e-14)


def test_slopes_of_pairs_at_their_margin() -> None:
    assert called("margin-ranking", [[1, 0.5]], signs(1), margin=0.5)[1].tolist() == [[0, 0]]
    assert called("pairwise-logistic", [[1e4, 0], [0, 1e4]], signs(1, 1))[0].tolist() == [0, 1e4]


# Features


@every_dtype
def test_cosines_of_one_and_minus_one(dtype: Any) -> None:
    a, b = [[3, 4], [3, 4], [3, 4]], rows([6, 8], [-3, -4], [3e-9, 4e-9])
    value, slope = called("cosine-distance", a, b, dtype=dtype)
    np.testing.assert_allclose(value, [0, 2, 0], atol=1e-16)
    np.testing.assert_allclose(slope, 0, atol=1e-16)
    value, _ = called(
        "cosine-embedding", a[:2], signs(-1, -1), Extras(third_operand=np.array([[6, 8], [-3, -4.0]])), margin=-1
    )
    np.testing.assert_allclose(value, [2, 0], atol=1e-15)


def test_lengths_do_not_overflow_or_vanish() -> None:
    for a, b in ((1e200, 1e-200), (1e-200, 1e200), (1e-310, 1.0)):
        value, slope = called("cosine-distance", [[a, 0], [a, a]], rows([b, b], [b, b]))
        np.testing.assert_allclose(value, [1 - 2**-0.5, 0], rtol=1e-10, atol=1e-16)
        assert not np.isnan(slope).any()
    value, _ = called("hinge-embedding", [[3e200, 0]], signs(1), Extras(third_operand=np.array([[0, 4e200]])))
    np.testing.assert_allclose(value, [5e200])
    np.testing.assert_allclose(unit(np.array([[3e200, 4e200]]))[0], [[0.6, 0.8]])


def test_features_without_length_have_no_cosine() -> None:
    zero, one = [[0, 0]], rows([1, 0])
    for name in ("cosine-distance", "normalized-squared-distance"):
        assert np.isnan(called(name, zero, one)[0]).all()
        assert np.isnan(called(name, [[1, 0]], rows([0, 0]))[0]).all()
    for other in ([[0.0, 0]], [[1.0, 0]]):
        assert np.isnan(called("cosine-embedding", [[0, 0]], signs(-1), Extras(third_operand=np.array(other)))[0]).all()


@pytest.mark.parametrize("name", ["contrastive", "hinge-embedding"])
def test_pairs_at_distance_zero(name: str) -> None:
    a = np.array([[1.0, 2], [1, 2]])
    value, slope = called(name, a, signs(1, -1), Extras(third_operand=a))
    assert value.tolist() == [0, 0.5 if name == "contrastive" else 1]
    assert not slope.any()


@pytest.mark.parametrize("name", ["contrastive", "hinge-embedding"])
def test_distances_are_taken_for_what_they_are(name: str) -> None:
    far = np.array([[3.0, 4], [0.3, 0.4], [3, 4]])
    by_features, _ = called(name, far, signs(1, -1, -1), Extras(third_operand=np.zeros((3, 2))))
    by_distance, slope = called(name, [5, 0.5, 5], signs(1, -1, -1))
    np.testing.assert_allclose(by_features, by_distance, rtol=1e-15)
    assert slope[2] == 0
    assert np.isnan(called(name, [-1.0], signs(1))[0]).all()


def test_triplets_at_distance_zero() -> None:
    a, n = [[1.0, 2]], np.array([[4.0, 6]])
    value, slope = called("triplet", a, Dense(np.array(a)), Extras(third_operand=n), margin=6)
    assert value[0] == 1
    np.testing.assert_allclose(slope, [[0.6, 0.8]])
    value, slope = called("triplet", a, Dense(np.array(a)), Extras(third_operand=np.array(a)))
    assert value[0] == 1
    assert not slope.any()
    value, _ = called("triplet", [[0, 0]], rows([3, 0]), Extras(third_operand=np.array([[4.0, 0]])), swap=1)
    assert value[0] == 3 - 1 + 1


def test_squared_chord_is_the_squared_distance_of_unit_features() -> None:
    a, b = np.random.default_rng(1).normal(size=(2, 20, 4))
    value, _ = called("normalized-squared-distance", a, Dense(b))
    np.testing.assert_allclose(value, ((unit(a)[0] - unit(b)[0]) ** 2).sum(axis=1), rtol=1e-14)


# Cosines of classes


def test_angular_losses_at_both_ends() -> None:
    value, slope = called("arcface", [[1, 0], [-1, 0]], index(0, 0), scale=2)
    h = np.array([math.cos(0.5), -1 - 0.5 * math.sin(0.5)])
    np.testing.assert_allclose(value, np.log1p(np.exp(-2 * h)), rtol=1e-14)
    assert slope[0, 0] == -INF
    np.testing.assert_allclose(slope[1], np.array([-2, 2]) / (1 + np.exp(2 * h[1])), rtol=1e-14)
    value, slope = called("arcface", [[1, 0], [-1, 0]], index(0, 0), scale=2, margin=0)
    np.testing.assert_allclose(value, np.log1p(np.exp([-2, 2])), rtol=1e-14)
    assert np.isfinite(slope).all()
    value, slope = called("sphereface", [[1, 0], [-1, 0]], index(0, 0), margin=3)
    h = np.array([1, -5])  # cos(3 pi) - 2 * 2
    np.testing.assert_allclose(value, np.log1p(np.exp(-h)), rtol=1e-14)
    np.testing.assert_allclose(slope[:, 0], -9 / (1 + np.exp(h)), rtol=1e-14)


def test_arcface_jumps_at_pi_less_the_margin() -> None:
    edge = -math.cos(0.5)
    value, _ = called("arcface", [[edge + 1e-9, 0], [edge - 1e-9, 0]], index(0, 0), scale=1)
    np.testing.assert_allclose(value, np.log1p(np.exp([1, -edge + 0.5 * math.sin(0.5)])), rtol=1e-4)


def test_sphereface_falls_over_all_angles() -> None:
    c = np.cos(np.linspace(0, math.pi, 400))
    value, _ = called("sphereface", np.stack([c, np.zeros(400)], axis=1), Indices(np.zeros(400, int)))
    assert (np.diff(value) > 0).all()


# Rows that meet all others


def met(name: str, x: np.ndarray, labels: np.ndarray, kept: np.ndarray | None = None, **more: float) -> Any:
    kept = np.ones(len(x), bool) if kept is None else kept
    extras = Extras(everyone=Everyone(unit(x)[0], labels, kept), at=np.flatnonzero(kept))
    return find(name).bind(**more)(x[kept], Indices(labels[kept]), extras, gradient=True)


@each("batch")
def test_ignored_rows_are_not_met(loss: Loss) -> None:
    generator = np.random.default_rng(2)
    x, labels = generator.normal(size=(8, 3)), np.array([0, 0, 1, 1, -1, 0, -1, 1])
    kept = labels >= 0
    x[4], x[6] = NAN, 0
    value, slope = met(loss.name, x, labels, kept)
    again, again_slope = met(loss.name, x[kept], labels[kept])
    np.testing.assert_allclose(value, again, rtol=1e-14)
    np.testing.assert_allclose(slope, again_slope, rtol=1e-13)


@each("batch")
def test_lengths_of_features_do_not_count(loss: Loss) -> None:
    generator = np.random.default_rng(2)
    x, labels = generator.normal(size=(6, 3)), np.array([0, 0, 1, 1, 0, 1])
    size = 2.0 ** generator.integers(-300, 300, (6, 1))
    value, slope = met(loss.name, x, labels)
    again, again_slope = met(loss.name, x * size, labels)
    np.testing.assert_allclose(value, again, rtol=1e-13)
    np.testing.assert_allclose(slope, again_slope * size, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["nt-xent", "supcon"])
def test_a_row_without_a_positive_is_undefined(name: str) -> None:
    value, _ = met(name, np.random.default_rng(1).normal(size=(3, 2)), np.array([0, 0, 1]))
    assert np.isnan(value).tolist() == [False, False, True]


def test_rows_are_met_in_parts_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    x, targets, extras = block(LOSSES["supcon"], np.float32, 30, 5)
    whole = LOSSES["supcon"].bind()(x, targets, extras, gradient=True)
    monkeypatch.setattr("losscli.losses.contrastive.AT_ONCE", 70)
    parts = LOSSES["supcon"].bind()(x, targets, extras, gradient=True)
    assert all(one.tobytes() == other.tobytes() for one, other in zip(whole, parts, strict=True))  # type: ignore[union-attr]


# Masks


EMPTY_IS_0 = ["dice", "squared-dice", "jaccard", "tversky", "focal-tversky"]


@pytest.mark.parametrize("prediction_kind", ["probs", "logits", "log-probs"])
@each("overlap")
def test_masks_of_zeros_and_ones(loss: Loss, prediction_kind: str) -> None:
    form = {"probs": (0, 1), "logits": (-INF, INF), "log-probs": (-INF, 0)}[prediction_kind]
    masks = np.array([[0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    true = masked([0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 1], [0, 1, 0], [0, 0, 0])
    value, slope = called(loss.name, np.where(masks == 1, form[1], form[0]), true, Extras(prediction_kind))
    assert value.tolist() == ([1, 1, 0, 2, 1, 1] if loss.name == "mcc" else [0, 0, 0, 1, 1, 1])
    assert not np.isnan(slope).any()
    if loss.name == "mcc":
        assert not slope[[0, 1, 4, 5]].any()
    if loss.name == "focal-tversky":
        assert not slope[:3].any()
        again, same = called("focal-tversky", masks, true, Extras("probs"), gamma=1, alpha=0.5, beta=0.5)
        plain, other = called("tversky", masks, true, Extras("probs"))
        assert again.tolist() == plain.tolist()
        assert same.tolist() == other.tolist()


@pytest.mark.parametrize("name", EMPTY_IS_0)
def test_smooth_keeps_empty_masks_smooth(name: str) -> None:
    value, slope = called(name, [[0.5, 0], [0, 0]], masked([0, 0], [0, 0]), Extras("probs"), smooth=1)
    assert 0 < value[0] < 1
    assert value[1] == 0
    assert np.isfinite(slope).all()


def test_matthews_correlation_of_a_confusion_matrix() -> None:
    p, t = [[1, 1, 1, 0, 0, 0, 0, 1]], masked([1, 1, 0, 0, 0, 0, 1, 1])
    value, _ = called("mcc", p, t, Extras("probs"))
    tp, fp, fn, tn = 3, 1, 1, 3
    expected = 1 - (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    np.testing.assert_allclose(value, [expected], rtol=1e-15)


@pytest.mark.parametrize("name", ["dice", "jaccard", "squared-dice", "mcc"])
def test_nearly_perfect_masks_keep_their_digits(name: str) -> None:
    value, slope = called(name, [[40, -40, 40, -40]], masked([1, 0, 1, 0]))
    q = math.exp(-40)
    # Each of the four elements is wrong by q.
    expected = {"dice": q * 4 / 4, "jaccard": q * 4 / 2, "squared-dice": q * q * 4 / 4, "mcc": 2 * q}[name]
    np.testing.assert_allclose(value, [expected], rtol=1e-13)
    assert (slope * [[-1, 1, -1, 1]] > 0).all()


def test_lovasz_hinge_of_decided_scores_is_twice_jaccard() -> None:
    generator = np.random.default_rng(4)
    for _ in range(20):
        z, t = generator.choice([-1, 1], (1, 6)), generator.choice([-1, 1], (1, 6))
        value, _ = called("lovasz-hinge", z, signs(*t))
        decided, _ = called("jaccard", z > 0, Dense(t > 0), Extras("probs"))
        np.testing.assert_allclose(value, 2 * decided, atol=1e-15)


def test_lovasz_losses_of_ties_and_constant_masks() -> None:
    for t in ([[1, 1, 1]], [[-1, -1, -1]]):
        value, _ = called("lovasz-hinge", [[0.5, 0.5, 0.5]], signs(*t))
        assert value[0] == 1 - 0.5 * t[0][0]
    value, _ = called("lovasz-hinge", [[2.0, -3.0]], signs([1, -1]))
    assert value[0] == 0
    order = np.random.default_rng(5).permutation(6)
    z, t = np.array([0.5, 0.5, -0.5, -0.5, 0.5, 2]), np.array([1, -1, 1, -1, 1, -1])
    left, _ = called("lovasz-hinge", [z], signs(t))
    right, _ = called("lovasz-hinge", [z[order]], signs(t[order]))
    np.testing.assert_allclose(left, right, rtol=1e-14)


def test_classes_without_a_target() -> None:
    p = np.array([[0.7, 0.1, 0.2], [0.2, 0.5, 0.3]])
    t = np.array([[1, 0, 0], [0, 1, 0]])
    file = Extras("probs", columns=3)
    value, _ = called("lovasz-softmax", [p.reshape(-1)], Dense(t.reshape(1, -1)), file)
    # Each class has one of two rows: the larger error counts whole, or by half if it is the other row's.
    np.testing.assert_allclose(value, [np.mean([0.3, 0.5])], rtol=1e-15)
    value, slope = called("generalized-dice", [p.reshape(-1)], Dense(t.reshape(1, -1)), file)
    np.testing.assert_allclose(value, [1 - 2 * (0.7 + 0.5) / (2 + 2)], rtol=1e-14)
    assert np.isfinite(slope).all()
    for name, nothing in (("lovasz-softmax", 0), ("generalized-dice", 1)):
        value, slope = called(name, [p.reshape(-1)], Dense(np.zeros((1, 6))), file)
        assert value[0] == nothing
        assert not slope.any()


def test_perfect_class_masks() -> None:
    t = np.array([[1, 0, 0, 1, 1, 0]])
    for name in ("lovasz-softmax", "generalized-dice"):
        value, slope = called(name, t, Dense(t), Extras("probs", columns=2))
        assert value[0] == 0
        assert np.isfinite(slope).all()
        value, _ = called(name, np.where(t == 1, 30, -30), Dense(t), Extras(columns=2))
        assert 0 < value[0] < 1e-25


def test_two_way_counts_rows_and_columns_with_a_positive() -> None:
    z = [[0.3, -1.0, 2.0, 0.7]]
    value, slope = called("two-way", z, masked([0, 0, 0, 0]), Extras(columns=2))
    assert value[0] == 0
    assert not slope.any()
    value, slope = called("two-way", z, masked([1, 1, 1, 1]), Extras(columns=2))
    assert value[0] == 0
    assert not slope.any()
    value, _ = called("two-way", z, masked([1, 0, 0, 0]), Extras(columns=2), tp=1, tn=1)
    # The first row: the negative -1 above the positive 0.3; the first column: the negative 2 above it.
    np.testing.assert_allclose(value, [np.log1p(np.exp(-1.3)) + np.log1p(np.exp(1.7))], rtol=1e-14)


def test_labels_of_one_kind_have_no_balance() -> None:
    value, _ = called("distribution-balanced", [[0.1, 0.2, 0.3, 0.4]], masked([1, 0, 1, 1]), Extras(columns=2))
    assert np.isnan(value).all()
    value, _ = called("distribution-balanced", [[0.1, 0.2, 0.3, 0.4]], masked([0, 0, 1, 1]), Extras(columns=2))
    assert np.isfinite(value).all()


def test_soft_labels_are_masks_to_losses_of_labels() -> None:
    z = [[0.1, 0.2, 0.3, 0.4]]
    for loss in ("two-way", "distribution-balanced"):
        soft, slope = called(loss, z, rows([0.7, 0.5, 0.1, 0.9]), Extras(columns=2))
        hard, steep = called(loss, z, masked([1, 0, 0, 1]), Extras(columns=2))
        assert soft == hard
        assert (slope == steep).all()


def test_series_of_zeros() -> None:
    value, slope = called("weighted-percentage-error", [[0, 0], [1, 0], [1, 3]], rows([0, 0], [0, 0], [2, 2]))
    assert value.tolist() == [0, INF, 0.5]
    assert not np.isnan(slope).any()
    value, _ = called("weighted-percentage-error", [[1, 0]], rows([0, 0]), epsilon=0.5)
    assert value[0] == 2


# Boxes


@each("box")
@every_dtype
def test_boxes_that_are_the_same_or_touch(loss: Loss, dtype: Any) -> None:
    boxes = [[0.1, 0.2, 3.7, 4.9], [0, 0, 1, 1], [0, 0, 1, 1]]
    true = np.array([boxes[0], [1, 0, 2, 1], [1, 1, 2, 2]], dtype)
    value, slope = called(loss.name, boxes, Dense(true), dtype=dtype)
    touching = {"iou": [1, 1], "giou": [1, 1.5], "diou": [1 + 1 / 5, 1 + 2 / 8], "ciou": [1 + 1 / 5, 1 + 2 / 8]}
    assert value[0] == 0
    np.testing.assert_allclose(value[1:], touching[loss.name], rtol=1e-6 if dtype == np.float32 else 1e-15)
    assert np.isfinite(slope).all()


@each("box")
def test_boxes_that_are_none(loss: Loss) -> None:
    true = rows([0, 0, 1, 1])
    for wrong in ([2, 0, 1, 1], [0, 2, 1, 1]):
        assert np.isnan(called(loss.name, [wrong], true)[0]).all()
        assert np.isnan(called(loss.name, [[0, 0, 1, 1]], rows(wrong))[0]).all()
    point = [[0.5, 0.5, 0.5, 0.5]]
    assert np.isnan(called(loss.name, point, rows(point[0]))[0]).all()
    apart = called(loss.name, point, true)[0]
    assert np.isnan(apart).all() == (loss.name == "ciou")  # a point has no shape
    value, slope = called(loss.name, [[0, 0.5, 1, 0.5]], true)
    nearly, _ = called(loss.name, [[0, 0.5, 1, 0.5 + 1e-12]], true)
    np.testing.assert_allclose(value, nearly, rtol=1e-9)
    assert np.isfinite(slope).all()


def test_shape_is_all_that_ciou_adds() -> None:
    diou, _ = called("diou", [[0, 0, 2, 2]], rows([1, 1, 5, 5]))
    ciou, _ = called("ciou", [[0, 0, 2, 2]], rows([1, 1, 5, 5]))
    assert diou[0] == ciou[0]
    assert called("ciou", [[0, 0, 4, 1]], rows([0, 0, 4, 4]))[0] > called("diou", [[0, 0, 4, 1]], rows([0, 0, 4, 4]))[0]


# Ensembles


def test_an_ensemble_of_one_is_the_absolute_error() -> None:
    value, slope = called("crps", [[1.5], [-2], [0]], rows(1.0, 1.0, 0.0))
    assert value.tolist() == [0.5, 3, 0]
    assert slope.tolist() == [[1], [-1], [0]]


def test_members_that_agree_are_one() -> None:
    value, slope = called("crps", [[2, 2, 2, 2]], rows(0.5))
    assert value[0] == 1.5
    np.testing.assert_allclose(slope, 0.25)


def test_crps_is_the_integral_of_the_squared_difference_of_distributions() -> None:
    x, t = np.array([-1.0, 0.3, 0.3, 2.0]), 0.9
    grid = np.linspace(-3, 4, 700_001)
    below = (x[:, None] <= grid).mean(axis=0)
    value, _ = called("crps", [x], rows(t))
    np.testing.assert_allclose(value, [((below - (grid >= t)) ** 2).sum() * (grid[1] - grid[0])], rtol=1e-4)
