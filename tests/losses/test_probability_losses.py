"""What holds for sigmoid, softmax and ordinal losses beyond their formulas: corners, limits, identities, clipping."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from by_hand import near as approximately
from mpmath import mp
from oracle import settings

from losscli.definition.batch import Clip, Dense, Extras, Indices
from losscli.definition.loss import Loss
from losscli.losses import LOSSES, find

INF = math.inf
DTYPES = (np.float32, np.float64)
GENERATOR = np.random.default_rng(2024)
Z = GENERATOR.normal(0, 3, (40, 5))
Y = GENERATOR.integers(0, 5, 40)
SOFT = GENERATOR.dirichlet(np.ones(5), 40)
LOGITS = GENERATOR.normal(0, 3, 40)
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-LOGITS))
ONE_HOT = np.eye(5)[Y]
BINARY = GENERATOR.integers(0, 2, 40).astype(bool)
QUALITY = GENERATOR.random(40)


def of(*families: str) -> list[Any]:
    return [pytest.param(loss, id=loss.name) for loss in LOSSES.values() if loss.family.name in families]


def value(name: str, predictions: Any, targets: Any, extras: Extras = Extras(), **parameters: Any) -> np.ndarray:
    return find(name).bind(**parameters)(np.asarray(predictions), targets, extras)[0]


def both(name: str, predictions: Any, targets: Any, prediction_kind: str = "logits", **parameters: Any) -> Any:
    return find(name).bind(**parameters)(
        np.asarray(predictions, float), targets, Extras(prediction_kind), gradient=True
    )


def soft(t: Any) -> Dense:
    return Dense(np.asarray(t), 1 - np.asarray(t, float))


def near(found: Any, expected: Any, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-14)


class TestPlainFormulas:
    """The formulas as other libraries write them, in plain NumPy."""

    def test_asymmetric_loss_of_timm(self):
        p, y = SIGMOID, BINARY.astype(float)
        negative = np.minimum(1 - p + 0.05, 1)
        pt = p * y + negative * (1 - y)
        loss = -(y * np.log(p) + (1 - y) * np.log(negative)) * (1 - pt) ** (1 * y + 4 * (1 - y))
        near(value("asymmetric", LOGITS, Dense(BINARY)), loss)
        near(value("AsymmetricLossMultiLabel", LOGITS, soft(y)), loss)

    def test_asymmetric_loss_for_one_label_of_timm(self):
        smoothed = ONE_HOT * 0.9 + 0.1 / 5
        power = np.where(ONE_HOT == 1, 1.0, 4.0)
        loss = -(smoothed * np.where(ONE_HOT == 1, 1 - P, P) ** power * np.log(P)).sum(axis=1)
        near(value("softmax-asymmetric", Z, Indices(Y, 0.92, 0.02), gamma_pos=1), loss)
        near(value("softmax-asymmetric", Z, Dense(smoothed), gamma_pos=1), loss)

    def test_poly_losses(self):
        own = P[np.arange(40), Y]
        near(value("poly-loss-cross-entropy", Z, Indices(Y), epsilon=2), -np.log(own) + 2 * (1 - own))
        right = np.where(BINARY, SIGMOID, 1 - SIGMOID)
        near(value("poly-binary-cross-entropy", LOGITS, Dense(BINARY), epsilon=2), -np.log(right) + 2 * (1 - right))

    def test_quality_focal_loss_of_the_papers_code(self):
        p, t = SIGMOID, QUALITY
        loss = np.abs(t - p) ** 2 * -(t * np.log(p) + (1 - t) * np.log(1 - p))
        near(value("quality-focal", LOGITS, soft(t)), loss, rtol=1e-9)

    def test_generalized_focal_loss_without_beta_is_that_of_two_neighbours(self):
        t = np.full(40, 0.25)
        loss = -((1 - t) * np.log(1 - SIGMOID) + t * np.log(SIGMOID))
        near(value("generalized-focal", LOGITS, soft(t), beta=0), loss)

    def test_generalized_cross_entropy_of_keras(self):
        own = P[np.arange(40), Y]
        near(value("gce", Z, Indices(Y), q=0.5), (1 - own**0.5) / 0.5)
        near(value("gce", P, Indices(Y), Extras("probs"), q=0.5), (1 - own**0.5) / 0.5)

    def test_symmetric_cross_entropy_of_labels(self):
        own = P[np.arange(40), Y]
        near(value("sce", Z, Indices(Y), alpha=6, beta=0.1, a=-4), -6 * np.log(own) + 0.1 * 4 * (1 - own))

    def test_taylor_cross_entropy(self):
        own = P[np.arange(40), Y]
        near(value("taylor-cross-entropy", Z, Indices(Y), order=3), sum((1 - own) ** i / i for i in (1, 2, 3)))

    def test_brier_scores(self):
        near(value("brier", Z, Indices(Y)), ((P - ONE_HOT) ** 2).sum(axis=1))
        near(value("brier", Z, Dense(SOFT)), ((P - SOFT) ** 2).sum(axis=1), rtol=1e-10)
        near(value("sigmoid-brier", LOGITS, Dense(BINARY)), (SIGMOID - BINARY) ** 2)

    def test_spherical_is_one_minus_a_cosine(self):
        near(value("spherical", Z, Indices(Y)), 1 - P[np.arange(40), Y] / np.linalg.norm(P, axis=1), rtol=1e-9)

    def test_jensen_shannon_is_the_mean_of_two_divergences(self):
        mean = np.log((P + SOFT) / 2)
        halves = [value("kl", mean, Dense(one), Extras("log-probs")) for one in (P, SOFT)]
        near(value("jensen-shannon", Z, Dense(SOFT)), sum(halves) / 2)
        near(value("jensen-shannon", SOFT, Dense(P), Extras("probs")), sum(halves) / 2)

    def test_ordinal_losses(self):
        gap = P.cumsum(axis=1) - ONE_HOT.cumsum(axis=1)
        near(value("rps", Z, Indices(Y)), (gap**2).sum(axis=1))
        near(value("emd", Z, Indices(Y)), (P * np.abs(np.arange(5) - Y[:, None])).sum(axis=1))
        gap = P.cumsum(axis=1) - SOFT.cumsum(axis=1)
        near(value("earth-mover", Z, Dense(SOFT)), np.abs(gap).sum(axis=1))

    @pytest.mark.parametrize("name", ["rps", "emd"])
    def test_of_two_classes_ordinal_losses_are_those_of_one_chance(self, name):
        pair, t = np.stack([LOGITS, np.zeros(40)], axis=1), BINARY.astype(float)
        found = value(name, pair, Indices(1 - BINARY.astype(int)))
        near(found, np.abs(SIGMOID - t) ** (2 if name == "rps" else 1))

    def test_a_far_class_costs_more_than_a_near_one(self):
        z = np.array([[9.0, 0, 0, 0], [0, 9.0, 0, 0], [0, 0, 9.0, 0], [0, 0, 0, 9.0]])
        for name in ("rps", "emd"):
            assert (np.diff(value(name, z, Indices(np.zeros(4, int)))) > 0.9).all()
        for name in ("rps", "emd"):
            perfect, worst = value(name, np.eye(4)[[0, 3]], Indices(np.zeros(2, int)), Extras("probs"))
            assert (perfect, worst) == (0, 3)


@pytest.mark.parametrize("loss", of("softmax", "ordinal"))
def test_all_forms_of_a_target_give_the_same(loss: Loss) -> None:
    for parameters in settings(loss):
        bound = loss.bind(**parameters)
        by_index = bound(Z, Indices(Y), gradient=True)
        for t in (ONE_HOT, ONE_HOT.astype(bool), ONE_HOT.astype(np.int8)):
            for found, expected in zip(bound(Z, Dense(t), gradient=True), by_index, strict=True):
                near(found, expected)
        for given, x in (("probs", P), ("log-probs", np.log(P))):
            near(bound(x, Indices(Y), Extras(given))[0], by_index[0], rtol=1e-9)
            near(bound(x, Dense(ONE_HOT), Extras(given))[0], by_index[0], rtol=1e-9)


@pytest.mark.parametrize("loss", of("sigmoid"))
def test_labels_and_numbers_that_are_0_and_1_give_the_same(loss: Loss) -> None:
    for parameters in settings(loss):
        bound = loss.bind(**parameters)
        by_label = bound(LOGITS, Dense(BINARY), gradient=True)
        for found, expected in zip(bound(LOGITS, soft(BINARY.astype(float)), gradient=True), by_label, strict=True):
            near(found, expected)
        near(bound(SIGMOID, Dense(BINARY), Extras("probs"))[0], by_label[0], rtol=1e-9)
        near(bound(np.log(SIGMOID), Dense(BINARY), Extras("log-probs"))[0], by_label[0], rtol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", of("softmax", "ordinal"))
def test_no_row_with_a_softmax_is_nan(loss: Loss, dtype: Any) -> None:
    rows = np.array([[INF, 0, 1], [-INF, 0, 0], [-INF, -INF, 3], [1e4, 0, -1e4], [-1e4, 0, 1e4], [0, 0, 0]], dtype)
    for parameters in settings(loss):
        bound = loss.bind(**parameters)
        for y in range(3):
            index = np.full(len(rows), y)
            for targets in (Indices(index), Dense(np.eye(3)[index]), Indices(index, 0.9, 0.05)):
                values, gradient = bound(rows, targets, gradient=True)
                assert not np.isnan(values).any()
                assert not np.isnan(gradient).any()
                assert (values >= -1e-15).all() or loss.name in ("symmetric-cross-entropy", "kl-divergence")
            one_hot, slopes = bound(rows, Dense(np.eye(3)[index]), gradient=True)
            values, gradient = bound(rows, Indices(index), gradient=True)
            np.testing.assert_allclose(one_hot, values, rtol=1e-6)
            np.testing.assert_allclose(slopes, gradient, atol=1e-30, rtol=1e-6)


@pytest.mark.parametrize("loss", of("softmax", "ordinal"))
def test_rows_without_a_softmax_are_nan_and_so_are_those_with_a_nan(loss: Loss) -> None:
    rows = np.array([[-INF, -INF, -INF], [INF, INF, 0], [math.nan, 0, 1], [0, 1, math.nan]])
    for targets in (Indices(np.zeros(4, int)), Dense(np.full((4, 3), 1 / 3)), Indices(np.zeros(4, int), 0.9, 0.05)):
        assert np.isnan(loss.bind()(rows, targets)[0]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", of("sigmoid"))
def test_infinite_logits_and_certain_probabilities_are_not_nan(loss: Loss, dtype: Any) -> None:
    z, log_p = np.array([INF, -INF, 1e4, -1e4], dtype), np.array([0, -INF, 0, -INF], dtype)
    p = np.exp(log_p)
    for parameters in settings(loss):
        bound = loss.bind(**parameters)
        for t in (0.0, 1.0, 0.25):
            forms = [soft(np.full(4, t))] if 0 < t < 1 else [soft(np.full(4, t)), Dense(np.full(4, t > 0))]
            for targets, (given, x) in itertools.product(forms, (("logits", z), ("probs", p), ("log-probs", log_p))):
                values, gradient = bound(x, targets, Extras(given), gradient=True)
                assert not np.isnan(values).any(), (given, t)
                assert not np.isnan(gradient).any(), (given, t)
                if t in (0, 1) and (parameters.get("low", 0), parameters.get("high", 1)) == (0, 1):
                    assert not values[p == t].any()


class TestSlopesAtTheEndsOfProbabilities:
    """At p = 0 the slope by log p is 0, and the slope by p is not."""

    EDGE = np.array([[0.0, 0.75, 0.25], [0.75, 0.0, 0.25]])

    def gradient(self, name, **parameters):
        return both(name, self.EDGE, Indices(np.zeros(2, int)), "probs", **parameters)[1]

    def test_brier(self):
        near(self.gradient("brier"), [[-2, 1.5, 0.5], [-0.5, 0, 0.5]])

    def test_taylor(self):
        near(self.gradient("taylor-cross-entropy", order=5)[0], [-5, 0, 0])

    @pytest.mark.parametrize(("q", "steep"), [(0.7, INF), (1.0, 1.0)])
    def test_generalized_cross_entropy(self, q, steep):
        near(self.gradient("gce", q=q)[0], [-steep, 0, 0])

    def test_jensen_shannon(self):
        found = self.gradient("jensen-shannon")
        near(found[0], [-INF, math.log(2) / 2, math.log(2) / 2])
        near(found[1], [math.log(0.75 / 0.875) / 2, math.log(2) / 2, math.log(2) / 2])

    def test_symmetric_cross_entropy(self):
        near(self.gradient("sce", alpha=0.5, beta=2, a=-3), [[-INF, 6, 6], [-0.5 / 0.75, 6, 6]])

    def test_spherical_and_ordinal(self):
        length = math.hypot(0.75, 0.25)
        near(self.gradient("spherical")[0], [-1 / length, 0, 0])
        near(self.gradient("rps")[0], [2 * (-1 - 0.25), 2 * -0.25, 0])
        near(self.gradient("emd")[0], [-2, -1, 0])

    @pytest.mark.parametrize(("gamma_neg", "slope"), [(0.0, -INF), (0.5, INF), (1.0, INF), (2.0, 0.0)])
    def test_softmax_asymmetric_for_a_class_that_is_not_the_rows(self, gamma_neg, slope):
        targets = Indices(np.array([1]), 0.9, 0.05)
        _, found = both("softmax-asymmetric", self.EDGE[:1], targets, "probs", gamma_neg=gamma_neg)
        near(found[0, 0], slope)

    def test_sigmoid_losses(self):
        p = np.array([0.0, 1.0, 0.0, 1.0])
        labels = Dense(np.array([1, 1, 0, 0], bool))
        near(both("sigmoid-brier", p, labels, "probs")[1], [-2, 0, 0, 2])
        with np.errstate(divide="ignore"):
            near(both("sigmoid-brier", np.log(p), labels, "log-probs")[1], [0, 0, 0, 2])
        values, slopes = both("asymmetric", p, labels, "probs", gamma_neg=1, clip=0.25)
        near(values, [INF, 0, 0, -0.75 * math.log(0.25)])
        near(slopes, [-INF, 0, 0, -math.log(0.25) + 0.75 / 0.25])
        near(
            both("asymmetric", np.zeros(1), Dense(np.zeros(1, bool)), "log-probs", gamma_neg=1, clip=0.25)[1], slopes[3]
        )


def test_asymmetric_loss_forgets_negative_outcomes_below_its_clip() -> None:
    p = np.array([0.0, 0.01, 0.05, 0.0500001, 0.5])
    for gamma_neg in (0.0, 0.5, 4.0):
        values, slopes = both("asymmetric", p, Dense(np.zeros(5, bool)), "probs", gamma_neg=gamma_neg)
        assert not values[:3].any()
        assert not slopes[:3].any()
        assert (values[3:] > 0).all()
        assert (slopes[3:] > 0).all()


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0])
def test_quality_focal_at_its_target(beta: float) -> None:
    for t in (0.5, 0.25):
        targets, x = soft(np.array([t])), np.array([t])
        found, slope = both("quality-focal", x, targets, "probs", beta=beta)
        entropy = -t * math.log(t) - (1 - t) * math.log(1 - t)
        near(found, [entropy if beta == 0 else 0])
        near(slope, [0])


def test_tiny_losses_are_resolved() -> None:
    for dtype, rtol in ((np.float32, 1e-6), (np.float64, 1e-14)):
        z = np.array([[20, 0]], dtype)
        q = 1 / (1 + math.exp(20))
        targets = Indices(np.array([0]))
        for name, expected in (
            ("softmax-poly-1", 2 * q + q * q / 2),
            ("generalized-cross-entropy", q + 0.15 * q * q),
            ("taylor-cross-entropy", q + q * q / 2),
            ("brier", 2 * q * q),
            ("spherical", q * q / 2 * (1 + 2 * q)),
            ("rps", q * q),
            ("emd", q),
        ):
            np.testing.assert_allclose(value(name, z, targets), [expected], rtol=rtol)
        np.testing.assert_allclose(value("softmax-poly-1", z, targets, epsilon=-1), [q * q / 2 + q**3 / 3], rtol=rtol)
        found = value("sigmoid-poly-1", z[:, 0], Dense(np.array([True])), epsilon=-1)
        np.testing.assert_allclose(found, [q * q / 2 + q**3 / 3], rtol=rtol)


def test_poly_losses_without_their_first_term_keep_their_digits() -> None:
    """What is left of -log(p) - (1 - p) is half of (1 - p)^2, or a tenth of each where they are as large as that."""
    z = np.linspace(0, 12, 200)
    with mp.workdps(50):
        q = [1 / (1 + mp.exp(mp.mpf(float(one)))) for one in z]
        expected = [float(-mp.log1p(-one) - one) for one in q]
    rows = np.stack([z, np.zeros(200)], axis=1)
    for found in (
        value("softmax-poly-1", rows, Indices(np.zeros(200, int)), epsilon=-1),
        value("sigmoid-poly-1", z, Dense(np.ones(200, bool)), epsilon=-1),
    ):
        np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(float).eps, atol=0)


def test_asymmetric_loss_of_a_wrong_certainty_with_a_tiny_clip() -> None:
    found = value("asymmetric", np.ones(1), Dense(np.zeros(1, bool)), Extras("probs"), clip=1e-30)
    near(found, [-math.log(1e-30)])


def test_jensen_shannon_next_to_its_zero_and_far_from_it() -> None:
    t = np.array([[0.47, 0.31, 0.22]])
    p = t + np.array([[1e-12, 2.3e-12, -3.3e-12]])
    moved = p - t
    found = value("jensen-shannon", p, Dense(t), Extras("probs"))
    np.testing.assert_allclose(found, (moved**2 / (8 * t)).sum(axis=1), rtol=1e-10)
    found = value("jensen-shannon", np.array([[0.5, 0.5]]), Dense(np.array([[1 - 1e-20, 1e-20]])), Extras("probs"))
    near(found, value("jensen-shannon", np.array([[0.5, 0.5]]), Indices(np.zeros(1, int)), Extras("probs")))


BOUNDS = {
    "generalized-cross-entropy": 1 / 0.7,
    "brier": 2.0,
    "sigmoid-brier": 1.0,
    "jensen-shannon": math.log(2),
    "taylor-cross-entropy": 1.5,
    "spherical": 1.0,
    "squared-hellinger": 1.0,
    "hellinger": 1.0,
    "total-variation-distance": 1.0,
    "ranked-probability-score": 2.0,
    "earth-mover": 2.0,
}


@pytest.mark.parametrize("loss", of("sigmoid", "softmax", "ordinal"))
def test_what_is_declared_bounded_is(loss: Loss) -> None:
    """Of a prediction that is wrong for certain, and of three classes of which the farthest is."""
    if loss.family.name == "sigmoid":
        values = loss.bind()(np.array([-1e4, -INF]), Dense(np.array([True, True])))[0]
    else:
        values = loss.bind()(np.array([[0, -1e4, -1e4], [INF, 0, 0]]), Indices(np.array([2, 2])))[0]
    assert bool(np.isfinite(values).all()) == ("bounded" in loss.facts) == (loss.name in BOUNDS)
    if loss.name in BOUNDS:
        near(values, [BOUNDS[loss.name]] * 2)


@pytest.mark.parametrize(
    "loss", [one for one in of("sigmoid", "softmax", "ordinal") if "convex" in one.values[0].facts]
)
def test_what_is_declared_convex_is(loss: Loss) -> None:
    for parameters in settings(loss):
        bound = loss.bind(**parameters)
        if loss.family.name == "sigmoid":
            left, right, targets = LOGITS, -LOGITS[::-1], soft(QUALITY)
        else:
            left, right, targets = Z, -Z[::-1], Dense(SOFT)
        middle = bound((left + right) / 2, targets)[0]
        assert (middle <= (bound(left, targets)[0] + bound(right, targets)[0]) / 2 + 1e-12).all()


@pytest.mark.parametrize("name", ["sigmoid-brier", "asymmetric", "sigmoid-poly-1", "quality-focal", "balanced-bce"])
@pytest.mark.parametrize("prediction_kind", ["logits", "probs", "log-probs"])
def test_pos_weight_is_a_factor_of_what_is_positive(name: str, prediction_kind: str) -> None:
    x = {"logits": LOGITS, "probs": SIGMOID, "log-probs": np.log(SIGMOID)}[prediction_kind]
    bound = find(name).bind()
    plain = bound(x, Dense(BINARY), Extras(prediction_kind), gradient=True)
    weighted = bound(x, Dense(BINARY), Extras(prediction_kind, pos_weight=3.0), gradient=True)
    for found, before in zip(weighted, plain, strict=True):
        near(found, np.where(BINARY, 3, 1) * before)


KERAS = Clip(low=1e-7, high=1 - 1e-7)
TORCH = Clip(floor=-100.0)
TENSORFLOW = Clip(inside=1e-7)
CERTAIN = np.array([0.0, 1.0, 0.0, 1.0, 0.3])
HAPPENED = np.array([True, True, False, False, True])


class TestClip:
    """Probabilities as libraries change them before the logarithm."""

    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("targets", [Dense(HAPPENED), soft(HAPPENED.astype(float))])
    def test_sigmoid_cross_entropy_of_the_libraries(self, dtype, targets):
        p = CERTAIN.astype(dtype)
        cut = np.clip(p, dtype(1e-7), dtype(1 - 1e-7))
        expected = np.where(HAPPENED, -np.log(cut), -np.log(1 - cut))
        np.testing.assert_allclose(value("bce", p, targets, Extras("probs", clip=KERAS)), expected, rtol=1e-6)
        found = value("bce", p, targets, Extras("probs", clip=TORCH))
        np.testing.assert_allclose(found, [100, 0, 0, 100, -math.log(0.3)], rtol=1e-6)
        inside = dtype(1e-7)
        expected = -np.log(np.where(HAPPENED, p + inside, 1 - p + inside))
        found = value("bce", p, targets, Extras("probs", clip=TENSORFLOW))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)

    def test_float32_is_cut_off_where_the_library_cuts_it_off(self):
        """1 - 1e-7 is 0.99999988 in float32, so that a wrong 1 costs 15.94 there and 16.12 in float64."""
        for dtype, expected in ((np.float32, 15.942385), (np.float64, 16.118096)):
            found = value("bce", np.array([1], dtype), Dense(np.array([False])), Extras("probs", clip=KERAS))
            np.testing.assert_allclose(found, [expected], rtol=1e-6)
            assert found.dtype == dtype

    @pytest.mark.parametrize("given", ["logits", "log-probs"])
    def test_logits_and_log_probabilities_become_probabilities_first(self, given):
        z = np.array([-40.0, 40.0, 1.0])
        p = 1 / (1 + np.exp(-z))
        x, labels = z if given == "logits" else np.log(p), Dense(np.array([True, False, True]))
        found = value("bce", x, labels, Extras(given, clip=KERAS))
        near(found, [-math.log(1e-7), -math.log(1 - (1 - 1e-7)), -math.log(p[2])], rtol=1e-9)
        rows = (
            np.stack([z, np.zeros(3)], axis=1) if given == "logits" else np.log(np.stack([p, 1 - p], axis=1) + 1e-300)
        )
        found = value("ce", rows, Indices(np.array([0, 1, 0])), Extras(given, clip=KERAS))
        near(found, [-math.log(1e-7), -math.log(1e-7), -math.log(p[2])], rtol=1e-9)

    def test_pos_weight_and_the_other_form_of_the_loss(self):
        extras = Extras("probs", clip=KERAS, pos_weight=2.0)
        p = np.clip(CERTAIN, 1e-7, 1 - 1e-7)
        near(value("bce", CERTAIN, Dense(HAPPENED), extras), np.where(HAPPENED, -2 * np.log(p), -np.log(1 - p)))
        focal = value("sigmoid-focal", CERTAIN, Dense(HAPPENED), Extras("probs", clip=KERAS), gamma=2)
        near(focal, np.where(HAPPENED, -np.log(p) * (1 - p) ** 2, -np.log(1 - p) * p**2))

    ROWS = np.array([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.2, 0.2, 0.4]])
    LABELS = np.array([0, 2, 0, 1])

    @pytest.mark.parametrize("form", ["index", "one-hot", "soft"])
    def test_softmax_cross_entropy_is_cut_off(self, form):
        p = np.clip(self.ROWS, 1e-7, 1 - 1e-7)
        t = np.full((4, 3), [0.5, 0.25, 0.25]) if form == "soft" else np.eye(3)[self.LABELS]
        targets = Indices(self.LABELS) if form == "index" else Dense(t)
        near(value("ce", self.ROWS, targets, Extras("probs", clip=KERAS)), -(t * np.log(p)).sum(axis=1))

    def test_a_smoothed_target_and_a_whole_row(self):
        p = np.clip(self.ROWS, 0.01, 0.9)
        t = np.where(np.eye(3)[self.LABELS] == 1, 0.8, 0.1)
        extras = Extras("probs", clip=Clip(0.01, 0.9, inside=0.001))
        near(value("ce", self.ROWS, Indices(self.LABELS, 0.8, 0.1), extras), -(t * np.log(p + 0.001)).sum(axis=1))
        one_hot = np.eye(3)[self.LABELS]
        near(value("brier", self.ROWS, Indices(self.LABELS), extras), ((p - one_hot) ** 2).sum(axis=1))
        gap = (p - one_hot).cumsum(axis=1)[:, :-1]
        near(value("rps", self.ROWS, Indices(self.LABELS), extras), (gap**2).sum(axis=1))

    def test_a_floor_of_the_logarithm(self):
        found = value("ce", self.ROWS, Indices(self.LABELS), Extras("probs", clip=TORCH))
        near(found, [100, -math.log(0.5), 0, -math.log(0.2)])

    def test_nan_stays_nan(self):
        p = np.array([math.nan])
        assert np.isnan(value("bce", p, Dense(np.array([True])), Extras("probs", clip=KERAS)))
        rows = np.array([[math.nan, 0.5]])
        assert np.isnan(value("ce", rows, Indices(np.array([0])), Extras("probs", clip=KERAS)))

    def test_no_clip_changes_nothing(self):
        near(value("bce", SIGMOID, Dense(BINARY), Extras("probs", clip=Clip())), value("bce", LOGITS, Dense(BINARY)))
        near(value("ce", P, Indices(Y), Extras("probs", clip=Clip())), value("ce", Z, Indices(Y)))


class TestClassTerms:
    """A factor for each class's term, whatever the row's class is."""

    W = np.array([0.5, 1, 2, 0, 3])

    @pytest.mark.parametrize("given", ["logits", "probs", "log-probs"])
    def test_cross_entropy(self, given):
        x = {"logits": Z, "probs": P, "log-probs": np.log(P)}[given]
        extras, smoothed = Extras(given, class_terms=self.W), ONE_HOT * 0.9 + 0.02
        for targets, t in (
            (Indices(Y), ONE_HOT),
            (Indices(Y, 0.92, 0.02), smoothed),
            (Dense(SOFT), SOFT),
            (Dense(ONE_HOT), ONE_HOT),
        ):
            near(value("ce", x, targets, extras), -(self.W * t * np.log(P)).sum(axis=1))

    @pytest.mark.parametrize("name", ["ce", "brier", "softmax-focal", "softmax-poly-1", "jensen-shannon"])
    @pytest.mark.parametrize("given", ["logits", "probs", "log-probs"])
    def test_the_gradient_is_the_sum_of_the_terms_gradients(self, name, given):
        x = {"logits": Z, "probs": P, "log-probs": np.log(P)}[given]
        bound, targets = find(name).bind(), Dense(SOFT)
        whole, slopes = bound(x, targets, Extras(given, class_terms=self.W), gradient=True)
        parts = [bound(x, targets, Extras(given, class_terms=one), gradient=True) for one in np.eye(5)]
        near(whole, sum(w * part for w, (part, _) in zip(self.W, parts, strict=True)))
        near(slopes, sum(w * part for w, (_, part) in zip(self.W, parts, strict=True)))
        ones = bound(x, targets, Extras(given, class_terms=np.ones(5)), gradient=True)
        for found, expected in zip(ones, bound(x, targets, Extras(given), gradient=True), strict=True):
            near(found, expected)

    def test_a_factor_of_0_hides_what_is_infinite(self):
        rows = np.array([[-INF, 0.0, 0.0]])
        found = value("ce", rows, Dense(np.array([[0.5, 0.5, 0]])), Extras(class_terms=np.array([0.0, 1, 1])))
        near(found, [math.log(2) / 2])

    def test_clipped_probabilities_have_terms_too(self):
        p = np.clip(P, 0.05, 0.9)
        for targets in (Indices(Y), Dense(ONE_HOT)):
            found = value("ce", P, targets, Extras("probs", clip=Clip(0.05, 0.9), class_terms=self.W))
            near(found, -(self.W * ONE_HOT * np.log(p)).sum(axis=1))

    def test_a_loss_of_whole_rows_has_no_terms(self):
        with pytest.raises(AssertionError, match="no sum over classes"):
            value("rps", Z, Indices(Y), Extras(class_terms=self.W))


class TestDigits:
    def test_focal_loss_of_log_probabilities_near_zero_keeps_its_digits(self, compute, save):
        p = save("p.npy", [[-1e-10, math.log(1e-10)]])
        found = compute("softmax-focal", p, save("t.npy", [0]), "--from", "log-probs").json["value"]
        assert found == approximately(math.expm1(-1e-10) ** 2 * 1e-10)

    def test_an_unlikely_outcome_of_a_log_probability_near_zero_is_finite(self, compute, save):
        found = compute("bce", save("p.npy", [-1e-20]), save("t.npy", [0]), "--from", "log-probs").json["value"]
        assert found == approximately(-math.log(1e-20))

    def test_a_smoothed_target_keeps_the_digits_of_its_complement(self, compute, save):
        found = compute("bce", save("p.npy", [100.0]), save("t.npy", [1]), "--label-smoothing", "1e-18").json["value"]
        assert found == approximately(100 * 0.5e-18)

    def test_two_outcomes_of_float32_logits_are_rounded_once(self):
        generator = np.random.default_rng(3)
        z, t = generator.normal(0, 2, 2000).astype(np.float32), generator.random(2000)
        loss, targets = find("bce").bind(), Dense(t, 1 - t)
        value, gradient = loss(z, targets, Extras(), gradient=True)
        exact, slope = loss(z.astype(np.float64), targets, Extras(), gradient=True)
        assert value.tolist() == exact.astype(np.float32).tolist()
        assert gradient.tolist() == slope.astype(np.float32).tolist()

    def test_small_targets_of_other_classes_are_not_lost_beside_the_steepest(self):
        z, t = np.array([[50.0, 0, 0]]), np.array([[1, 1e-20, 1e-20]])
        _, gradient = find("ce").bind()(z, Dense(t), Extras(), gradient=True)
        assert gradient[0, 0] == approximately(2e-20 - 2 * math.exp(-50))  # p_0 * sum(t) - t_0

    @pytest.mark.parametrize(("loss", "given"), [("ce", "probs"), ("bce", "probs"), ("ce", "log-probs")])
    def test_a_loss_of_nothing_has_no_minus_sign(self, compute, save, loss, given):
        p = {"probs": 1.0, "log-probs": 0.0}[given]
        rows = [p] if loss == "bce" else [[p, -math.inf if given == "log-probs" else 0.0]]
        label = 1 if loss == "bce" else 0
        done = compute(loss, save("p.npy", rows), save("t.npy", [label]), "--from", given, "--per-sample")
        assert done.json["value"] == 0
        assert "-0.0" not in done.out


def test_an_alpha_of_zero_times_an_infinite_loss_is_zero(save, compute):
    save("p.npy", np.array([0.0, 0.5]))
    save("t.npy", np.array([1, 0]))
    done = compute("focal", "p.npy", "t.npy", "--from", "probs", "--alpha", "0")
    # Of alpha = 0 only the negative term is left: (1 - alpha) p^2 (-log q) at p = 1/2.
    np.testing.assert_allclose(done.json["value"], 0.25 * np.log(2) / 2, rtol=1e-14)


def test_focal_slopes_are_computed_where_they_are_asked_for():
    """What makes a loss without its gradient cheap: the core gives a function, and nobody calls it."""
    value, slope = find("softmax-focal").core(find_chance(), 1.0, gamma=2.0)
    assert callable(slope)
    assert slope().shape == value.shape


def find_chance():
    from losscli.losses.probability import OfLogit

    return OfLogit(np.array([-1.0, 0.5, 3.0]))
