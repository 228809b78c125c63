"""Curves of the user's own losses: over what they are functions of, or refused with the command that draws them."""

import numpy as np
import pytest

import losscli

LOSSES = """
import numpy as np


def focal(y_true, y_pred, gamma=2.0):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    return -((1 - pt) ** gamma) * np.log(pt)


def of_logits(labels, logits):
    return np.logaddexp(0, -logits) * labels + np.logaddexp(0, logits) * (1 - labels)


def mae(a, b):
    return np.abs(a - b)


def hinge(y_true, y_pred):
    return np.maximum(0, 1 - np.where(y_true > 0, 1, -1) * y_pred)


def dice(y_true, y_pred):
    return 1 - 2 * (y_true * y_pred).sum() / (y_true.sum() + y_pred.sum())


def odd(y_true, y_pred):
    return y_true * y_pred**4 + (1 - y_true) * (1 - y_pred) ** 3
"""


@pytest.fixture
def own(write):
    return write("own.py", LOSSES)


def test_a_loss_of_probabilities_is_drawn_over_them(own):
    (curve,) = losscli.curves("own.py:focal", takes="probs")
    with np.errstate(all="ignore"):
        expected = -((1 - curve.x) ** 2) * np.log(curve.x)
    assert (curve.x[0], curve.x[-1]) == (0, 1)
    np.testing.assert_allclose(curve.value[1:-1], expected[1:-1], rtol=1e-12, atol=1e-15)


def test_over_logits_its_probabilities_are_made_of_them(own):
    (curve,) = losscli.curves("own.py:focal", takes="probs", x="logit")
    p = 1 / (1 + np.exp(-curve.x))
    np.testing.assert_allclose(curve.value, -((1 - p) ** 2) * np.log(p), rtol=1e-9)


def test_a_loss_of_logits_can_be_drawn_over_the_probability(own):
    (curve,) = losscli.curves("own.py:of_logits", x="probability", range=(0.1, 0.9))
    np.testing.assert_allclose(curve.value, -np.log(curve.x), rtol=1e-9)
    np.testing.assert_allclose(curve.slope, -1 / curve.x, rtol=1e-6)


def test_differences_have_the_residual_and_scores_the_margin(own):
    (of_difference,) = losscli.curves("own.py:mae", operands="predictions,targets")
    np.testing.assert_array_equal(of_difference.value, np.abs(of_difference.x))
    (of_score,) = losscli.curves("own.py:hinge")
    np.testing.assert_array_equal(of_score.value, np.maximum(0, 1 - of_score.x))


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("focal", "losscli plot curves own.py:focal --takes probs -o 'a b.png'"),
        ("focal:gamma=0,1", "losscli plot curves own.py:focal:gamma=0,1 --takes probs -o 'a b.png'"),
        ("mae", "losscli plot curves own.py:mae --operands predictions,targets -o 'a b.png'"),
        ("dice", "losscli plot curves dice -o 'a b.png' draws that of losscli's own"),
        ("odd", "say --takes logits or --takes probs"),
    ],
)
def test_what_is_not_known_is_refused_with_the_command_that_draws_it(run, own, folder, name, cure):
    found = run("plot", "curves", f"own.py:{name}", "-o", "a b.png")
    found.refuses(2, f"own.py:{name.partition(':')[0]}: ", cure)
    assert not list(folder.glob("*.png"))


def test_the_note_says_how_it_was_called(run, own):
    found = run("plot", "curves", "own.py:focal", "--takes", "probs", "-o", "c.png")
    assert found.code == 0
    assert "own.py:focal: a function of NumPy arrays of (y_true, y_pred): targets first, probs wanted" in found.err
    run("plot", "curves", "huber", "--takes", "probs", "-o", "c.png").refuses(2, "--takes is about a loss of a file")
    with pytest.raises(losscli.UsageError, match="takes='prob' is not one of"):
        losscli.curves("own.py:focal", takes="prob")
