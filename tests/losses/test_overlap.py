"""Losses of masks beyond their formulas: empty, perfect and decided ones."""

import math

import numpy as np
import pytest
from calling import INF, called, each, masked, signs

from losscli.definition.batch import Dense, Extras
from losscli.definition.loss import Loss

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
