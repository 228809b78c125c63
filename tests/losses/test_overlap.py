"""Losses of masks beyond their formulas: empty, perfect and decided ones."""

import math

import numpy as np
import pytest
from calling import INF, called, each, masked, signs

from losscli.definition.batch import Dense, Extras
from losscli.definition.loss import Loss
from losscli.losses import find

LOG = ["log-dice", "log-jaccard", "log-tversky"]
LOG_OF_NOTHING = INF
EMPTY_IS_0 = ["dice", "squared-dice", "jaccard", "tversky", "focal-tversky", "log-cosh-dice", *LOG]


@pytest.mark.parametrize("prediction_kind", ["probs", "logits", "log-probs"])
@each("overlap")
def test_masks_of_zeros_and_ones(loss: Loss, prediction_kind: str) -> None:
    form = {"probs": (0, 1), "logits": (-INF, INF), "log-probs": (-INF, 0)}[prediction_kind]
    masks = np.array([[0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    true = masked([0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 1], [0, 1, 0], [0, 0, 0])
    value, slope = called(loss.name, np.where(masks == 1, form[1], form[0]), true, Extras(prediction_kind))
    worst = LOG_OF_NOTHING if loss.name in LOG else math.log(math.cosh(1)) if loss.name == "log-cosh-dice" else 1
    assert value == pytest.approx(
        [1, 1, 0, 2, 1, 1] if loss.name == "mcc" else [0, 0, 0, worst, worst, worst], rel=1e-15
    )
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


@pytest.mark.parametrize("name", ["dice", "jaccard", "squared-dice", "mcc", "log-dice", "log-jaccard", "log-cosh-dice"])
def test_nearly_perfect_masks_keep_their_digits(name: str) -> None:
    value, slope = called(name, [[40, -40, 40, -40]], masked([1, 0, 1, 0]))
    q = math.exp(-40)
    # Each of the four elements is wrong by q.
    expected = {"jaccard": q * 4 / 2, "squared-dice": q * q * 4 / 4, "mcc": 2 * q, "log-jaccard": q * 4 / 2}
    expected |= {"dice": q * 4 / 4, "log-dice": q * 4 / 4, "log-cosh-dice": q * q / 2}
    np.testing.assert_allclose(value, [expected[name]], rtol=1e-13)
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
    for name, nothing in (("lovasz-softmax", 0), ("generalized-dice", 1), ("squared-generalized-dice", 1)):
        value, slope = called(name, [p.reshape(-1)], Dense(np.zeros((1, 6))), file)
        assert value[0] == nothing
        assert not slope.any()


def test_perfect_class_masks() -> None:
    t = np.array([[1, 0, 0, 1, 1, 0]])
    for name in ("lovasz-softmax", "generalized-dice", "squared-generalized-dice"):
        value, slope = called(name, t, Dense(t), Extras("probs", columns=2))
        assert value[0] == 0
        assert np.isfinite(slope).all()
        value, _ = called(name, np.where(t == 1, 30, -30), Dense(t), Extras(columns=2))
        assert 0 < value[0] < 1e-25


@pytest.mark.parametrize("name", ["generalized-dice", "squared-generalized-dice"])
def test_nothing_true_and_nothing_predicted_is_0(name: str) -> None:
    value, slope = called(name, np.zeros((1, 6)), Dense(np.zeros((1, 6))), Extras("probs", columns=3))
    assert value[0] == 0
    assert not slope.any()


@pytest.mark.parametrize("name", ["generalized-dice", "squared-generalized-dice"])
def test_classes_of_next_to_nothing_do_not_overflow(name: str) -> None:
    """Both classes weigh the same, whatever they weigh, as long as nothing is added to the sums."""
    p = np.array([[0.25, 0.75, 0.5, 0.5]])
    value, slope = called(name, p, Dense(np.full((1, 4), 1e-310)), Extras("probs", columns=2))
    np.testing.assert_allclose(value, [1], rtol=1e-15)
    assert np.isfinite(slope).all()


def test_generalized_dice_of_equal_weights_is_dice() -> None:
    generator = np.random.default_rng(6)
    p, t = generator.random((1, 12)), generator.integers(0, 2, (1, 12)).astype(bool)
    for name, plain in (("generalized-dice", "dice"), ("squared-generalized-dice", "squared-dice")):
        value, slope = called(name, p, Dense(t), Extras("probs", columns=3), power=0, smooth=0.5)
        other, also = called(plain, p, Dense(t), Extras("probs"), smooth=0.5)
        np.testing.assert_allclose(value, other, rtol=1e-14)
        np.testing.assert_allclose(slope, also, rtol=1e-12)


@pytest.mark.parametrize("name", ["generalized-dice", "squared-generalized-dice", "lovasz-softmax"])
def test_classes_by_the_sigmoid(name: str) -> None:
    z = np.random.default_rng(7).normal(size=(1, 12))
    t = Dense(np.tile([1.0, 0, 0, 0, 1, 0], (1, 2)))
    p = 1 / (1 + np.exp(-z))
    value, slope = called(name, z, t, Extras(columns=3, activation="sigmoid"))
    expected, by_p = called(name, p, t, Extras("probs", columns=3))
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    np.testing.assert_allclose(slope, by_p * p * (1 - p), rtol=1e-12, atol=1e-18)
    assert called(name, z, t, Extras(columns=3))[0] != value


@each("overlap")
def test_a_row_by_its_softmax(loss: Loss) -> None:
    z = np.random.default_rng(8).normal(size=(2, 5))
    e = np.exp(z)
    p, t = e / e.sum(axis=1, keepdims=True), masked([0, 1, 0, 0, 1], [1, 0, 0, 0, 0])
    value, slope = called(loss.name, z, t, Extras(activation="softmax"))
    expected, by_p = called(loss.name, p, t, Extras("probs"))
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    np.testing.assert_allclose(slope, p * (by_p - (p * by_p).sum(axis=1, keepdims=True)), rtol=1e-11, atol=1e-17)


def test_classes_that_weigh_nothing_are_in_no_sum() -> None:
    z, t = np.random.default_rng(9).normal(size=(3, 4)), np.random.default_rng(9).integers(0, 2, (3, 4)).astype(bool)
    value, slope = called("jaccard", z, Dense(t), Extras(class_terms=np.array([1.0, 0, 1, 1])))
    expected, same = called("jaccard", np.delete(z, 1, axis=1), Dense(np.delete(t, 1, axis=1)))
    np.testing.assert_allclose(value, expected, rtol=1e-15)
    np.testing.assert_allclose(np.delete(slope, 1, axis=1), same, rtol=1e-14)
    assert not slope[:, 1].any()


def test_a_core_says_which_sums_it_reads() -> None:
    assert find("dice").bind().sums == ("i", "fp", "fn")
    assert find("mcc").bind().sums == ("i", "fp", "fn", "tn")
    assert find("squared-dice").bind().sums == ("i", "gaps", "squares")
