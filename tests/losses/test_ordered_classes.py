"""CORAL, CORN and the kappa loss: numbers of coral-pytorch and scikit-learn, classes out of range, and what kappa needs."""

import numpy as np
import pytest

CORN = 0.16452402686337858
LEVELS = [[2.1, 1.8, -2.1, -1.8], [1.9, -1.0, -1.5, -1.3], [1.9, 1.8, 1.7, 1.6]]


def test_coral_is_that_of_coral_pytorch(compute, save):
    """The example of coral_pytorch.losses.coral_loss (version 1.4.0), whose documentation prints 0.6920."""
    found = compute("coral", save("p.npy", LEVELS), save("t.npy", [2, 1, 4]), "-f", "value").value
    assert round(found, 4) == 0.6920


def test_corn_is_that_of_coral_pytorch(compute, save):
    """corn_loss of coral-pytorch 1.4.0 with torch 2.13.0 in float64 gave CORN for these; it divides by the thresholds that count."""
    classes = [2, 1, 4]
    found = compute("corn", save("p.npy", LEVELS), save("t.npy", classes), "--reduction", "sum", "-f", "value").value
    assert found / (3 + 2 + 4) == pytest.approx(CORN, rel=1e-12)


@pytest.mark.parametrize("loss", ["coral", "corn"])
def test_a_class_above_the_last_threshold_is_refused(compute, save, loss):
    p = save("p.npy", LEVELS)
    compute(loss, p, save("t.npy", [2, 5, 4])).refuses(3, "p.npy[1]", "K classes have K - 1 logits")
    compute(loss, p, save("t.npy", [2, -1, 4])).refuses(3, "t.npy[1]")
    compute(loss, p, save("t.npy", [2, 1.5, 4])).refuses(3, "t.npy[1]")


def test_kappa_of_certain_predictions_is_that_of_scikit_learn(compute, save):
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(3)
    true, said = generator.integers(0, 5, (2, 60))
    kappa = metrics.cohen_kappa_score(true, said, weights="quadratic")
    p, t = save("p.npy", np.eye(5)[said]), save("t.npy", true)
    assert compute("quadratic-kappa", p, t, "--from", "probs", "-f", "value").value == pytest.approx(
        1 - kappa, rel=1e-12
    )


def test_kappa_of_one_class_is_undefined(compute, save):
    p, t = save("p.npy", [[0.0, 1.0], [0.0, 1.0]]), save("t.npy", [1, 1])
    compute("qwk-loss", p, t, "--from", "probs").refuses(3, "kappa is undefined", "more than one class")


def test_the_same_for_every_row_is_one(compute, save):
    p, t = save("p.npy", [[0.2, 0.3, 0.5]] * 4), save("t.npy", [0, 1, 2, 2])
    assert compute("qwk-loss", p, t, "--from", "probs", "-f", "value").value == pytest.approx(1, rel=1e-14)


def test_the_loss_of_the_paper_is_the_logarithm(compute, save):
    p, t = save("p.npy", [[0.5, 0.25, 0.25], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]), save("t.npy", [0, 2, 1])
    words = (p, t, "--from", "probs", "-f", "value")
    # What the probabilities cost, and what their sums 1/2, 3/4 and 7/4 cost against classes 0, 1 and 2.
    expected = (5 / 4 + 1 / 2 + 1) / ((0.5 * 5 + 0.75 * 2 + 1.75 * 5) / 3)
    assert compute("quadratic-kappa", *words).value == pytest.approx(expected, rel=1e-14)
    assert compute("weighted-kappa-loss", *words).value == pytest.approx(np.log(expected), rel=1e-13)
    assert compute("log-kappa", *words, "--epsilon", "0.5").value == pytest.approx(np.log(expected + 0.5), rel=1e-13)
