"""verify names the mistakes that people make in losses, whatever their predictions and the order of their operands are, and
passes the same losses without the mistakes.

The files in `losses` are losses in the forms in which they are passed on. What is expected of each follows from what was
changed in it.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

LOSSES = Path(__file__).parent / "losses"

RIGHT = [
    ("of_numpy.py:focal_loss", "sigmoid-focal:gamma=2:alpha=0.25", "probs"),
    ("of_numpy.py:focal_of_numbers", "sigmoid-focal:gamma=2:alpha=0.25", "probs"),
    ("of_numpy.py:focal_with_logits", "sigmoid-focal:gamma=2:alpha=0.25", "logits"),
    ("of_numpy.py:bce", "sigmoid-cross-entropy", "probs"),
    ("of_numpy.py:cross_entropy", "softmax-cross-entropy", "probs"),
    ("of_numpy.py:cross_entropy_with_logits", "softmax-cross-entropy", "logits"),
    ("of_numpy.py:categorical_focal", "softmax-focal:gamma=2", "probs"),
    ("of_numpy.py:huber", "huber:delta=1.5", None),
    ("of_numpy.py:smooth_l1", "smooth-l1:beta=1.5", None),
    ("of_numpy.py:mse", "squared-error", None),
    ("of_numpy.py:hinge", "hinge", None),
    ("of_numpy.py:log_cosh", "log-cosh", None),
    ("of_numpy.py:dice_loss", "dice:smooth=0.5", "probs"),
    ("of_numpy.py:focal", "sigmoid-focal:gamma=2", "probs"),
    ("of_numpy.py:focal_targets_first", "sigmoid-focal:gamma=2", "probs"),
    ("of_torch.py:FocalLoss", "sigmoid-focal:gamma=2:alpha=0.25", "logits"),
    ("of_torch.py:FocalLossOfOptions", "sigmoid-focal:gamma=2", "probs"),
    ("of_torch.py:FocalLossOfClasses", "softmax-focal:gamma=2", "logits"),
    ("of_torch.py:FocalLossOfSoClasses:num_classes=3", "softmax-focal:gamma=2", "logits"),
    ("of_torch.py:focal_loss", "sigmoid-focal:gamma=2:alpha=0.25", "logits"),
    ("of_torch.py:make_focal_loss", "sigmoid-focal:gamma=2:alpha=0.25", "probs"),
    ("of_torch.py:cross_entropy", "softmax-cross-entropy", "logits"),
    ("of_torch.py:cross_entropy_nll_of_log_softmax", "softmax-cross-entropy", "logits"),
    ("of_torch.py:bce_with_logits", "sigmoid-cross-entropy", "logits"),
    ("of_torch.py:loss_fn", "softmax-cross-entropy", "logits"),
    ("of_torch.py:DiceLoss", "dice:smooth=0.5", "logits"),
    ("of_keras.py:focal_loss", "sigmoid-focal:gamma=2:alpha=0.25", "probs"),
    ("of_keras.py:BinaryFocal", "sigmoid-focal:gamma=2:alpha=0.25", "probs"),
    ("of_keras.py:weighted_bce", "sigmoid-cross-entropy", "logits"),
]
WRONG = [
    ("of_numpy.py:focal_loss_alpha_swapped", "probs", ["alpha is swapped"]),
    ("of_numpy.py:focal_loss_alpha_swapped_clipped_mean", "probs", ["alpha is swapped", "clipped at 1e-07"]),
    ("of_numpy.py:focal_loss_alpha_of_both", "probs", ["negatives have alpha for 1 - alpha"]),
    ("of_numpy.py:focal_loss_power_of_p", "probs", ["p_t^gamma for (1 - p_t)^gamma"]),
    ("of_numpy.py:focal_loss_times_gamma", "probs", ["gamma multiplies, and is no power"]),
    ("of_numpy.py:focal_loss_gamma_less_one", "probs", ["gamma is off by one: the power is 1 = gamma - 1"]),
    ("of_numpy.py:focal_loss_one_factor_for_both", "probs", ["(1 - p)^gamma for both outcomes"]),
    ("of_numpy.py:focal_loss_factors_exchanged", "probs", ["p_t^gamma for (1 - p_t)^gamma"]),
    ("of_numpy.py:focal_loss_log_of_the_other", "probs", ["log(1 - p) for log(p)"]),
    ("of_numpy.py:focal_loss_power_of_the_logarithm", "probs", ["gamma is the power of the logarithm"]),
    ("of_numpy.py:focal_loss_clipped", "probs", ["clipped at 1e-07: no loss is above 12.09"]),
    ("of_numpy.py:focal_loss_clipped_at_a_thousandth", "probs", ["clipped at 0.001"]),
    ("of_numpy.py:focal_loss_epsilon_added", "probs", ["1e-08 is added to probabilities inside the logarithm"]),
    ("of_numpy.py:focal_loss_without_minus", "probs", ["the sign is wrong"]),
    ("of_numpy.py:focal_with_logits_alpha_swapped", "logits", ["alpha is swapped"]),
    ("of_numpy.py:focal_with_logits_sigmoid_twice", "logits", ["sigmoid is applied twice"]),
    ("of_numpy.py:focal_with_logits_without_sigmoid", "logits", ["sigmoid is missing"]),
    ("of_numpy.py:bce_log10", "probs", ["the logarithm has the base 10"]),
    ("of_numpy.py:bce_without_minus", "probs", ["the sign is wrong"]),
    ("of_numpy.py:bce_labels_swapped", "probs", ["the labels are swapped"]),
    ("of_numpy.py:bce_positives_only", "probs", ["the term of negatives is missing"]),
    ("of_numpy.py:bce_epsilon_added", "probs", ["1e-07 is added"]),
    ("of_numpy.py:bce_clipped", "probs", ["clipped at 1e-08"]),
    ("of_numpy.py:bce_without_logarithm", "probs", ["the logarithm is missing"]),
    ("of_numpy.py:cross_entropy_mean_over_classes", "probs", ["a mean over the 3 classes for a sum"]),
    ("of_numpy.py:cross_entropy_of_products", "probs", ["0 * log(0) is not a number"]),
    ("of_numpy.py:cross_entropy_log2", "probs", ["the logarithm has the base 2"]),
    ("of_numpy.py:cross_entropy_without_minus", "probs", ["the sign is wrong"]),
    ("of_numpy.py:cross_entropy_epsilon_added", "probs", ["1e-09 is added"]),
    ("of_numpy.py:cross_entropy_of_the_others", "probs", ["log(1 - p) for log(p)"]),
    ("of_numpy.py:cross_entropy_with_logits_softmax_twice", "logits", ["softmax is applied twice"]),
    ("of_numpy.py:cross_entropy_with_logits_without_logarithm", "logits", ["the logarithm is missing"]),
    ("of_numpy.py:categorical_focal_power_of_p", "probs", ["p^gamma for (1 - p)^gamma"]),
    ("of_numpy.py:categorical_focal_gamma_more_one", "probs", ["the power is 3 = gamma + 1"]),
    ("of_numpy.py:huber_without_half", None, ["the half is missing in the quadratic part"]),
    ("of_numpy.py:huber_line_without_half", None, ["delta * (abs(r) - delta): the half is missing"]),
    ("of_numpy.py:huber_line_without_delta", None, ["the factor delta is missing"]),
    ("of_numpy.py:huber_line_misplaced", None, ["delta * abs(r) - delta / 2 for delta * (abs(r) - delta / 2)"]),
    ("of_numpy.py:huber_without_abs", None, ["abs is missing: target - prediction <= delta"]),
    ("of_numpy.py:huber_branches_exchanged", None, ["the two parts are exchanged"]),
    ("of_numpy.py:smooth_l1_as_huber", None, ["the losses are those of huber:delta=1.5"]),
    ("of_numpy.py:mse_half", None, ["a half for a whole"]),
    ("of_numpy.py:dice_loss_without_two", "probs", ["the factor 2 of the intersection is missing"]),
    ("of_numpy.py:dice_loss_coefficient", "probs", ["1 - is missing"]),
    ("of_numpy.py:dice_loss_of_union", "probs", ["the denominator is the union"]),
    ("of_numpy.py:dice_loss_as_jaccard", "probs", ["the losses are those of jaccard:smooth=1"]),
    ("of_torch.py:FocalLossAlphaOfBoth", "logits", ["negatives have alpha for 1 - alpha"]),
    ("of_torch.py:FocalLossOfTensor", "logits", ["alpha is swapped"]),
    ("of_torch.py:FocalLossOfAMean", "logits", ["the cross-entropy is averaged before its factor"]),
    ("of_torch.py:FocalLossSigmoidTwice", "logits", ["sigmoid is applied twice"]),
    ("of_torch.py:FocalLossOnlyFloat32", "logits", ["a probability is rounded to 0 before its logarithm"]),
    ("of_torch.py:focal_loss_alpha_swapped", "logits", ["alpha is swapped"]),
    ("of_torch.py:focal_loss_power_of_p", "logits", ["p_t^gamma for (1 - p_t)^gamma"]),
    ("of_torch.py:cross_entropy_softmax_twice", "logits", ["softmax is applied twice"]),
    ("of_torch.py:cross_entropy_nll_of_softmax", "logits", ["the logarithm is missing"]),
    ("of_torch.py:bce_sigmoid_twice", "logits", ["sigmoid is applied twice"]),
    ("of_keras.py:focal_loss_summed_and_clipped", "probs", ["clipped at 0.001"]),
    ("of_keras.py:focal_loss_alpha_of_both", "probs", ["negatives have alpha for 1 - alpha"]),
    ("of_keras.py:focal_loss_alpha_swapped", "probs", ["alpha is swapped", "clipped at 1e-07"]),
    ("of_keras.py:categorical_focal_loss", "probs", ["clipped at 1e-07"]),
    ("of_keras.py:categorical_focal_loss_mean", "probs", ["a mean over the 3 classes for a sum"]),
]


@pytest.fixture
def verify(run, monkeypatch):
    """Verify a loss of the folder and return the report; skip the test where its framework is not installed."""

    def call(name, *words):
        for framework, package in (("of_torch", "torch"), ("of_keras", "keras")):
            if name.startswith(framework) and (find_spec("torch") is None or find_spec(package) is None):
                pytest.skip(f"{package} is not installed")
        monkeypatch.setenv("KERAS_BACKEND", "torch")
        monkeypatch.chdir(LOSSES)
        return run("verify", name, *words, "-f", "json").json

    return call


def taken_for(report):
    """The kind of predictions that a loss was found to take."""
    return next(kind for kind in ("log-probs", "probs", "logits") if f"{kind} wanted" in report["described"])


@pytest.mark.parametrize(("name", "reference", "kind"), RIGHT)
def test_right_losses_pass_in_the_forms_in_which_they_are_written(verify, name, reference, kind):
    report = verify(name)
    broken = [one["property"] for one in report["properties"] if one["verdict"] == "broken"]
    assert (report["reference"], broken, report["patterns"]) == (reference, [], [])
    assert kind is None or taken_for(report) == kind


@pytest.mark.parametrize(("name", "kind", "phrases"), WRONG)
def test_a_mistake_is_named_and_nothing_else(verify, name, kind, phrases):
    report = verify(name)
    assert report["verdict"] == "broken"
    assert len(report["patterns"]) == len(phrases), report["patterns"]
    for phrase, words in zip(phrases, report["patterns"], strict=True):
        assert phrase in words
    assert kind is None or taken_for(report) == kind


def test_a_gradient_that_a_default_hides_is_found(verify):
    report = verify("of_torch.py:FocalLossDetached")
    broken = {one["property"]: one["words"] for one in report["properties"] if one["verdict"] == "broken"}
    assert list(broken) == ["parameter gamma"]
    assert "its gradient differs from that of softmax-focal:gamma=" in broken["parameter gamma"]


def test_a_parameter_without_a_default_is_named_with_a_value(run, verify):
    verify("of_torch.py:FocalLoss")  # skips where torch is not installed
    run("verify", "of_torch.py:FocalLossOfSoClasses").refuses(2, "of_torch.py:FocalLossOfSoClasses:num_classes=3")


def test_the_order_of_operands_is_found(verify):
    first, second = verify("of_numpy.py:focal")["described"], verify("of_numpy.py:focal_targets_first")["described"]
    assert ("predictions first" in first, "targets first" in second) == (True, True)
    assert "that targets come first" in second


HIDDEN = """
import numpy as np


def huber(y_true, y_pred, delta=1.0):
    r = np.abs(y_true - y_pred)
    return np.where(r <= delta, r * r / 2, delta * r - delta / 2)


def focal(y_true, y_pred, gamma=2.0, alpha=0.5):
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, 1 - alpha, alpha)
    return -at * (1 - pt) ** gamma * np.log(pt)
"""


@pytest.mark.parametrize(
    ("name", "parameter", "phrase"),
    [("huber", "delta", "delta * abs(r) - delta / 2"), ("focal", "alpha", "is swapped")],
)
def test_a_mistake_that_a_default_hides_is_found(run, write, name, parameter, phrase):
    report = run("verify", f"{write('hidden.py', HIDDEN)}:{name}", "-f", "json").json
    broken = [one["property"] for one in report["properties"] if one["verdict"] == "broken"]
    assert broken == [f"parameter {parameter}"]
    assert [phrase in words for words in report["patterns"]] == [True]


def test_a_files_name_is_no_more_than_a_first_guess(run, write):
    """l2.py might hold squared errors; what its function computes says more."""
    code = "import numpy as np\n\n\ndef my_loss(a, b):\n    return -(b * np.log(a) + (1 - b) * np.log(1 - a))\n"
    report = run("verify", f"{write('l2.py', code)}:my_loss", "-f", "json").json
    assert report["reference"] == "sigmoid-cross-entropy"
    right = "def my_loss(a, b):\n    return (a - b) ** 2\n"
    assert run("verify", f"{write('l2.py', right)}:my_loss", "-f", "json").json["reference"] == "squared-error"
