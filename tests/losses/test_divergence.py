"""Divergences by hand, next to their zeros and where a distribution has no share in the other; and varifocal losses."""

import math

import numpy as np
import pytest
from calling import called, index, rows

from losscli.definition.batch import Dense, Extras

PROBS = Extras("probs")
P, T = [0.5, 0.25, 0.25], [0.25, 0.25, 0.5]
HELLINGER = math.sqrt((2 * (math.sqrt(0.5) - 0.5) ** 2) / 2)


@pytest.mark.parametrize(
    ("name", "expected", "more"),
    [
        ("total-variation-distance", 1 / 4, {}),
        ("hellinger", HELLINGER, {}),
        ("squared-hellinger", HELLINGER**2, {}),
        ("pearson-chi-square", 1 / 16 / 0.5 + 1 / 16 / 0.25, {}),
        ("neyman-chi-square", 1 / 16 / 0.25 + 1 / 16 / 0.5, {}),
        ("renyi", math.log(1 / 8 + 1 / 4 + 1), {"alpha": 2}),
        ("renyi", math.log(1 / 16 + 1 / 4 + 2) / 2, {"alpha": 3}),
        ("renyi", -2 * math.log(2 * math.sqrt(1 / 8) + 1 / 4), {"alpha": 0.5}),
        ("renyi", 0.25 * math.log(2), {"alpha": 1}),
    ],
)
def test_by_hand(name, expected, more):
    assert called(name, [P], rows(T), PROBS, **more)[0] == pytest.approx(expected, rel=1e-14)
    assert called(name, np.log([P]) + 7, rows(T), **more)[0] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("name", ["squared-hellinger", "pearson-chi-square", "neyman-chi-square", "renyi"])
def test_next_to_the_target_they_are_squares_of_the_differences(name):
    t = np.array([[0.5, 0.25, 0.25]])
    moved = np.array([[2.0**-36, -(2.0**-37), -(2.0**-37)]])
    factor = 1 / 8 if name == "squared-hellinger" else 1
    expected = factor * (moved**2 / t).sum()
    assert called(name, t + moved, Dense(t), PROBS)[0] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("alpha", [1e-3, 0.3, 1 - 1e-12, 1, 1 + 1e-12, 3, 200])
def test_renyi_of_labels_is_cross_entropy_at_every_order(alpha):
    z = [[1.0, -2, 0.5], [300.0, 0, 0], [0, 300.0, 0], [-np.inf, 0, 1]]
    value, slope = called("renyi", z, index(0, 0, 0, 0), alpha=alpha)
    entropy, by_logits = called("ce", z, index(0, 0, 0, 0))
    assert value == pytest.approx(entropy, rel=1e-13)
    assert slope == pytest.approx(by_logits, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.5, 1, 2])
def test_slopes_at_the_ends_of_probabilities(alpha):
    p, t = [[0.0, 0.75, 0.25], [1.0, 0.0, 0.0]], index(0, 0)
    assert called("renyi", p, t, PROBS, alpha=alpha)[1].tolist() == [[-np.inf, 0, 0], [-1, 0, 0]]
    assert called("total-variation-distance", p, t, PROBS)[1].tolist() == [[-0.5, 0.5, 0.5], [0, 0.5, 0.5]]
    assert called("squared-hellinger", p, t, PROBS)[1].tolist() == [[-np.inf, 0.5, 0.5], [0, 0.5, 0.5]]
    assert called("hellinger", p, t, PROBS)[1].tolist() == [[-np.inf, 0.25, 0.25], [0, np.inf, np.inf]]
    assert called("pearson-chi-square", p, t, PROBS)[1].tolist() == [[-np.inf, 1, 1], [0, 1, 1]]


def test_distributions_that_share_no_class():
    p, t = [[1.0, 0, 0]], rows([0.0, 0.5, 0.5])
    for name, expected in (("hellinger", 1), ("squared-hellinger", 1), ("total-variation-distance", 1)):
        assert called(name, p, t, PROBS)[0] == expected
    for name, more in (("pearson-chi-square", {}), ("renyi", {"alpha": 2}), ("renyi", {"alpha": 0.5})):
        assert called(name, p, t, PROBS, **more)[0] == np.inf
    assert called("neyman-chi-square", p, t, PROBS)[0] == np.inf


def test_equal_distributions_have_no_divergence():
    for name in (
        "hellinger",
        "squared-hellinger",
        "total-variation-distance",
        "pearson-chi-square",
        "neyman-chi-square",
    ):
        value, slope = called(name, [P], rows(P), PROBS)
        assert value[0] == 0
        assert np.isfinite(slope).all()


def test_a_loss_that_divides_by_targets_refuses_labels(compute, save):
    z, y = save("z.npy", [[0.5, -1.0, 2.0], [0.0, 0.0, 0.0]]), save("y.npy", [2, 0])
    compute("neyman-chi-square", z, y).refuses(3, "y.npy: labels, and neyman-chi-square divides", "--label-smoothing E")
    smoothed = compute("neyman-chi-square", z, y, "--label-smoothing", "0.3", "-f", "jsonl").lines
    # Of the second row 1/3 each against 0.8, 0.1 and 0.1.
    expected = (0.8 - 1 / 3) ** 2 / 0.8 + 2 * (0.1 - 1 / 3) ** 2 / 0.1
    assert smoothed[1]["loss"] == pytest.approx(expected, rel=1e-13)


class TestVarifocal:
    def test_by_hand(self):
        p, t = np.array([0.25, 0.25, 0.25, 0.75]), np.array([1.0, 0.0, 0.5, 0.0])
        value, slope = called("varifocal", p, Dense(t, 1 - t), PROBS)
        entropy = -0.5 * math.log(0.25) - 0.5 * math.log(0.75)
        expected = [-math.log(0.25), -0.75 * 0.0625 * math.log(0.75), 0.5 * entropy, -0.75 * 0.5625 * math.log(0.25)]
        assert value == pytest.approx(expected, rel=1e-14)
        assert slope[:2] == pytest.approx([-4, 0.75 * (0.5 * -math.log(0.75) + 0.0625 / 0.75)], rel=1e-13)

    def test_labels_are_soft_targets_of_zero_and_one(self):
        z, t = np.linspace(-5, 5, 11), np.arange(11) % 2
        hard = called("varifocal", z, Dense(t.astype(bool)), alpha=0.3, gamma=1.5)
        soft = called("varifocal", z, Dense(t.astype(float), 1.0 - t), alpha=0.3, gamma=1.5)
        for one, other in zip(hard, soft, strict=True):
            assert one == pytest.approx(other, rel=1e-14)

    def test_qualities_of_the_true_class_through_the_command_line(self, compute, save):
        p = save("p.npy", [[2.0, -1.0], [0.5, 0.0]])
        t = save("t.npy", [[0.8, 0.0], [0.0, 0.6]])
        found = compute("vfl", p, t, "--over-outputs", "sum", "--reduction", "sum", "-f", "value").value
        p, q = (lambda z: 1 / (1 + math.exp(-z))), (lambda z: 1 / (1 + math.exp(z)))
        expected = -0.8 * (0.8 * math.log(p(2)) + 0.2 * math.log(q(2))) - 0.75 * p(-1) ** 2 * math.log(q(-1))
        expected += -0.75 * p(0.5) ** 2 * math.log(q(0.5)) - 0.6 * math.log(0.5)
        assert found == pytest.approx(expected, rel=1e-13)
