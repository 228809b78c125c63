"""verify: each class of defect is found in a loss that has it, and the same loss without it passes.

References are losscli's own losses, which other tests hold to their formulas.
"""

import xml.etree.ElementTree as ElementTree
from importlib.util import find_spec

import numpy as np
import pytest
from commands import ROOT

EXAMPLES = ROOT / "examples" / "losses"

NUMPY = """
import numpy as np


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def ce(y_true, logits):
    return -(y_true * log_softmax(logits)).sum(axis=1)


def ce_index(labels, logits):
    return -log_softmax(logits)[np.arange(len(labels)), labels]


def ce_mean(y_true, logits):
    return ce(y_true, logits).mean()


def ce_sum(y_true, logits):
    return ce(y_true, logits).sum()


def ce_column(y_true, logits):
    return ce(y_true, logits)[:, None]


def ce_elements(y_true, logits):
    return -y_true * log_softmax(logits)


def ce_probs(y_true, y_pred):
    return -np.log((y_true * y_pred).sum(axis=1))


def ce_log_probs(y_true, y_pred):
    return -(y_true * np.where(y_true > 0, y_pred, 0)).sum(axis=1)


def ce_in_float32(y_true, logits):
    return ce(y_true.astype(np.float32), logits.astype(np.float32)).astype(logits.dtype)


def focal(labels, logits, gamma=2.0):
    l = log_softmax(logits)[np.arange(len(labels)), labels]
    return -((1 - np.exp(l)) ** gamma) * l


def focal_of_alpha(labels, logits, gamma=2.0, alpha=0.25):
    return alpha * focal(labels, logits, gamma)


def bce(labels, logits):
    return labels * softplus(-logits) + (1 - labels) * softplus(logits)


def bce_probs(labels, probs):
    return np.where(labels > 0, -np.log(probs), -np.log1p(-probs))


def sigmoid_focal(labels, logits, gamma=2.0, alpha=0.25):
    of_one = alpha * np.exp(-gamma * softplus(logits)) * softplus(-logits)
    return labels * of_one + (1 - labels) * (1 - alpha) * np.exp(-gamma * softplus(-logits)) * softplus(logits)


def hinge_01(y_true, y_pred):
    return np.maximum(0, 1 - (2 * y_true - 1) * y_pred)


def hinge(y_true, y_pred):
    return np.maximum(0, 1 - y_true * y_pred)


def mse(y_true, y_pred):
    return (y_true - y_pred) ** 2


def huber(y_true, y_pred, delta=1.0):
    r = np.abs(y_true - y_pred)
    return np.where(r <= delta, r * r / 2, delta * (r - delta / 2))


def odd(y_true, y_pred):
    return np.abs(y_true - y_pred) ** 1.5


# Each with a defect.


def ce_naive(y_true, logits):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -(y_true * np.log(p)).sum(axis=1)


def ce_sign(y_true, logits):
    return -ce(y_true, logits)


def ce_over_classes(y_true, logits):
    return -(y_true * log_softmax(logits)).mean(axis=1)


def ce_log2(y_true, logits):
    return ce(y_true, logits) / float(np.log(2))


def ce_half(y_true, logits):
    return ce(y_true, logits) / 2


def ce_clipped(y_true, logits):
    return -(y_true * np.log(np.clip(np.exp(log_softmax(logits)), 1e-7, 1 - 1e-7))).sum(axis=1)


def ce_clipped_much(y_true, logits):
    return -(y_true * np.log(np.clip(np.exp(log_softmax(logits)), 1e-3, 1))).sum(axis=1)


def ce_added(y_true, logits):
    return -(y_true * np.log(np.exp(log_softmax(logits)) + 1e-8)).sum(axis=1)


def ce_twice(y_true, logits):
    return ce(y_true, np.exp(log_softmax(logits)))


def ce_of_probs(y_true, probs):
    return ce(y_true, probs)


def ce_batch(y_true, logits):
    return ce(y_true, logits / np.abs(logits).max())


def ce_batch_mean(y_true, logits):
    return ce_batch(y_true, logits).mean()


def ce_sorted(y_true, logits):
    return np.sort(ce(y_true, logits))


def ce_in_place(y_true, logits):
    logits -= logits.max(axis=1, keepdims=True)
    return ce(y_true, logits)


def ce_targets_in_place(y_true, logits):
    found = ce(y_true, logits)
    y_true *= 0.9
    return found


def ce_wide(y_true, logits):
    return ce(y_true, logits.astype(np.float64))


def ce_shifted(y_true, logits):
    return ce(y_true, logits) + 0.01 * logits.sum(axis=1) ** 2


def ce_nan(y_true, logits):
    return np.where(logits.max(axis=1) > 500, logits.dtype.type(np.nan), ce(y_true, logits))


def ce_some(y_true, logits):
    return ce(y_true, logits)[:2]


def focal_fixed(labels, logits, gamma=2.0):
    return focal(labels, logits, 2.0)


def focal_without_alpha(labels, logits, gamma=2.0, alpha=0.25):
    return focal(labels, logits, gamma)


def bce_clipped(labels, probs):
    p = np.clip(probs, 1e-6, 1 - 1e-6)
    return -labels * np.log(p) - (1 - labels) * np.log(1 - p)


def bce_clipped_logits(labels, logits):
    return bce_clipped(labels, np.exp(-softplus(-logits)))


def bce_unmasked(labels, logits):
    return labels * softplus(-logits) + softplus(logits)


def bce_weighted(labels, logits):
    return 2 * labels * softplus(-logits) + (1 - labels) * softplus(logits)


def bce_swapped(labels, logits):
    return bce(1 - labels, logits)


def sigmoid_focal_swapped(labels, logits, gamma=2.0, alpha=0.25):
    return sigmoid_focal(labels, logits, gamma, 1 - alpha)


def mse_root(y_true, y_pred):
    return np.abs(y_true - y_pred)


def huber_one_sided(y_true, y_pred, delta=1.0):
    r = y_true - y_pred
    return np.where(r <= delta, r * r / 2, delta * (r - delta / 2))


def fails(labels, logits):
    return self.gamma * logits
"""


@pytest.fixture
def mine(write):
    return write("mine.py", NUMPY)


@pytest.fixture
def verify(run, mine):
    """Verify a loss of the file and return the report."""

    def call(name, *words):
        found = run("verify", name if ":" in name and ".py" in name else f"mine.py:{name}", *words, "-f", "json")
        report = found.json
        assert report["verdict"] == ("broken" if found.code else "met")
        assert found.code == any(one["verdict"] == "broken" for one in report["properties"])
        return report

    return call


def broken(report):
    return {one["property"] for one in report["properties"] if one["verdict"] == "broken"}


def one(report, name):
    return next(item for item in report["properties"] if item["property"] == name)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("ce", "softmax-cross-entropy"),
        ("ce_index", "softmax-cross-entropy"),
        ("ce_mean", "softmax-cross-entropy"),
        ("ce_sum", "softmax-cross-entropy"),
        ("ce_column", "softmax-cross-entropy"),
        ("ce_elements", "softmax-cross-entropy"),
        ("ce_probs", "softmax-cross-entropy"),
        ("ce_log_probs", "softmax-cross-entropy"),
        ("ce_in_float32", "softmax-cross-entropy"),
        ("focal", "softmax-focal:gamma=2"),
        ("focal:gamma=0.5", "softmax-focal:gamma=0.5"),
        ("focal_of_alpha", "softmax-focal:gamma=2, times 0.25"),
        ("bce", "sigmoid-cross-entropy"),
        ("bce_probs", "sigmoid-cross-entropy"),
        ("sigmoid_focal", "sigmoid-focal:gamma=2:alpha=0.25"),
        ("hinge_01", "hinge"),
        ("hinge", "hinge"),
        ("mse", "squared-error"),
        ("huber", "huber:delta=1"),
        ("huber:delta=2.5", "huber:delta=2.5"),
    ],
)
def test_right_losses_pass(verify, name, reference):
    report = verify(name)
    assert (broken(report), report["reference"], report["patterns"]) == (set(), reference, [])
    assert one(report, "value")["verdict"] == "met"


@pytest.mark.parametrize(
    ("name", "properties", "pattern"),
    [
        ("ce_naive", {"value at extremes"}, None),
        ("ce_sign", {"value", "value at extremes", "perfect prediction"}, "the sign is wrong"),
        ("ce_over_classes", {"value", "value at extremes"}, "a mean over the 3 classes for a sum"),
        ("ce_log2", {"value", "value at extremes"}, "the logarithm has the base 2"),
        ("ce_half", {"value", "value at extremes"}, "a constant factor of 0.5"),
        ("ce_clipped", {"value at extremes"}, "probabilities are clipped at 1e-07: no loss is above 16.12"),
        ("ce_clipped_much", {"value", "value at extremes"}, "probabilities are clipped at 0.001"),
        ("ce_added", {"value at extremes"}, "1e-08 is added to probabilities inside the logarithm"),
        ("ce_twice", {"value", "value at extremes"}, "softmax is applied twice"),
        ("ce_of_probs", {"value", "value at extremes"}, "softmax is applied to probabilities"),
        ("ce_batch", {"value", "value at extremes", "per sample"}, None),
        ("ce_batch_mean", {"value", "value at extremes", "per sample"}, None),
        ("ce_sorted", {"value", "value at extremes", "per sample", "permutation"}, None),
        ("ce_in_place", {"inputs"}, None),
        ("ce_targets_in_place", {"inputs"}, None),
        ("ce_shifted", {"value", "value at extremes", "shift of logits"}, None),
        ("ce_nan", {"value at extremes"}, None),
        ("ce_some", {"call"}, None),
        ("focal_fixed", {"parameter gamma"}, None),
        ("focal_without_alpha", {"parameter alpha"}, None),
        ("bce_clipped", {"value at extremes"}, "probabilities are clipped at 1e-06"),
        ("bce_clipped_logits", {"value at extremes"}, "probabilities are clipped at 1e-06"),
        (
            "bce_unmasked",
            {"value", "value at extremes"},
            "a mask is missing: for positives the term of negatives is added",
        ),
        ("bce_weighted", {"value", "value at extremes"}, "positives have a constant factor of 2"),
        ("bce_swapped", {"value", "value at extremes"}, "the labels are swapped: positives have the loss of negatives"),
        ("sigmoid_focal_swapped", {"value", "value at extremes"}, "alpha is swapped"),
        ("mse_root", {"value", "value at extremes"}, "the losses are the roots"),
        ("huber_one_sided", {"value", "value at extremes"}, None),
        ("fails", {"call"}, None),
    ],
)
def test_each_class_of_defect_is_found_and_named(verify, name, properties, pattern):
    report = verify(name)
    assert properties <= broken(report)
    assert pattern is None or any(pattern in words for words in report["patterns"]), report["patterns"]
    if "value" not in properties:
        assert broken(report) == properties


def test_the_counterexample_is_the_smallest_and_holds(verify, mine):
    found = one(verify("ce_over_classes"), "value")["example"]
    assert found["predictions"] == [0.2, 0.2, 0.2]
    assert found["reference"] == pytest.approx(np.log(3))
    assert found["value"] == pytest.approx(np.log(3) / 3)


def test_tiny_values_and_infinite_logits_are_warnings(verify):
    report = verify("ce")
    assert one(report, "tiny values")["verdict"] == "warning"
    assert one(report, "infinite logits")["verdict"] == "warning"
    assert report["verdict"] == "met"


def test_another_dtype_is_a_warning(verify):
    report = verify("ce_wide")
    assert (report["verdict"], one(report, "shape and dtype")["verdict"]) == ("met", "warning")
    assert one(report, "shape and dtype")["words"] == "predictions of float32 give losses of float64"


def test_a_reference_can_be_named(verify, run, mine):
    assert verify("odd")["reference"] is None
    assert one(verify("odd"), "value")["verdict"] == "skipped"
    assert broken(verify("odd", "--against", "squared-error")) >= {"value"}
    assert broken(verify("odd", "--against", "lq:exponent=1.5")) == set()
    assert broken(verify("focal", "--against", "softmax-focal:gamma=1")) >= {"value"}
    assert broken(verify("focal:gamma=1", "--against", "softmax-focal")) == set()
    run("verify", "mine.py:focal", "--against", "center").refuses(2, "no grid is known for losses of embedding")
    run("verify", "mine.py:focal", "--against", "nothing").refuses(2, "no loss is called 'nothing'")
    assert "--against SPEC" in run("verify", "mine.py:odd").err


def test_what_cannot_be_verified_is_refused(run, mine, write, save):
    run("verify", "mine.py:focal:delta=1").refuses(2, "no parameter 'delta'")
    run("verify", "mine.py:focal:gamma=1,2").refuses(2, "is 2 losses")
    run("verify", "huber").refuses(2, "name FILE.py:NAME")
    run("verify", "mine.py:ce", save("z.npy", np.zeros((2, 3)))).refuses(2, "predictions without targets")
    run("verify", "mine.py:ce", "--from", "probs").refuses(2, "--from is for PREDICTIONS and TARGETS")
    write("bad.py", "1 / 0\n")
    run("verify", "bad.py:f").refuses(3, "bad.py:1: ZeroDivisionError")
    write("unnamed.py", "def f(a, b):\n    return a - b\n")
    run("verify", "unnamed.py:f").refuses(2, "--operands")
    assert run("verify", "unnamed.py:f", "--operands", "predictions,targets").code == 0


def test_on_the_users_own_files(verify, sample_data, save):
    digits = (str(sample_data / "digits_logits.npy"), str(sample_data / "digits_labels.npy"))
    assert one(verify("ce", *digits), "value on the files")["words"] == "that of softmax-cross-entropy in 360 rows"
    tables = [str(sample_data / f"digits_{name}.csv") for name in ("probs", "labels")]
    assert one(verify("ce", *tables, "--id", "id", "--from", "probs"), "value on the files")["verdict"] == "met"
    wrong = one(verify("ce_twice", *digits), "value on the files")
    assert wrong["verdict"] == "broken"
    assert wrong["example"]["value"] != pytest.approx(wrong["example"]["reference"])
    # A clip that no row of a file meets: the files are fine, and the loss is not.
    report = verify("ce_clipped", *digits)
    assert (one(report, "value on the files")["verdict"], report["verdict"]) == ("met", "broken")
    scores = (str(sample_data / "cancer_logits.npy"), str(sample_data / "cancer_labels.npy"))
    assert one(verify("bce_probs", *scores), "value on the files")["verdict"] == "met"
    assert one(verify("huber", save("p.npy", [1.0, 3.0]), "0"), "value on the files")["verdict"] == "met"
    ignored = save("labels.npy", [0, -1, 2])
    found = one(verify("ce", save("z.npy", np.eye(3)), ignored, "--ignore-index", "-1"), "value on the files")
    assert found["words"] == "that of softmax-cross-entropy in 2 rows"


def test_tables_and_junit(run, mine):
    found = run("verify", "mine.py:ce_half")
    assert found.code == 1
    assert "a constant factor of 0.5: a half for a whole" in found.out
    assert "BROKEN" in found.out
    found = run("verify", "mine.py:ce_half", "-f", "junit")
    suite = ElementTree.fromstring(found.out)
    failures = [case.get("name") for case in suite if case.find("failure") is not None]
    assert found.code == 1
    assert (suite.get("name"), suite.get("failures")) == ("mine.py:ce_half", str(len(failures)))
    assert failures == ["value", "value at extremes", "gradient against the reference"]
    assert suite.get("tests") == str(len(suite))
    passed = ElementTree.fromstring(run("verify", "mine.py:ce", "-f", "junit").out)
    assert passed.get("failures") == "0"


TORCH = """
import torch
import torch.nn.functional as F
from torch import nn


def ce(logits, labels):
    return F.cross_entropy(logits, labels, reduction="none")


class FocalLoss(nn.Module):
    def __init__(self, alpha=1, gamma=2, reduction="mean"):
        super().__init__()
        self.alpha, self.gamma, self.reduction = alpha, gamma, reduction

    def forward(self, inputs, targets):
        ce = F.cross_entropy(inputs, targets, reduction="none")
        found = self.alpha * (1 - torch.exp(-ce)) ** self.gamma * ce
        return found.mean() if self.reduction == "mean" else found


def ce_in_float32(logits, labels):
    return F.cross_entropy(logits.float(), labels, reduction="none").to(logits.dtype)


def cross_entropy_log_of_all(probs, labels):
    return F.nll_loss(torch.log(probs), labels, reduction="none")


def ce_alpha_of_one(logits, labels, alpha=1):
    return F.cross_entropy(logits, labels, reduction="none")


def ce_skips(input, target, skipped=None):
    found = F.cross_entropy(input, target, reduction="none")
    return found if skipped is None else found * (target.argmax(dim=1) != skipped)


kl = nn.KLDivLoss(reduction="none")
huber = nn.HuberLoss()


def focal_detached(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    return (1 - torch.exp(-ce.detach())) ** gamma * ce


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(context, x, t):
        context.save_for_backward(x, t)
        return (x - t) ** 2

    @staticmethod
    def backward(context, slopes):
        x, t = context.saved_tensors
        return slopes * (x - t), None


def mse_backward(input, target):
    return Wrong.apply(input, target)


def bce_outside(logits, targets):
    found = [F.binary_cross_entropy_with_logits(a, b).item() for a, b in zip(logits, targets)]
    return torch.tensor(found, dtype=logits.dtype)


def ce_in_place(logits, labels):
    logits -= 1
    return F.cross_entropy(logits, labels, reduction="none")
"""

GRADIENTS = {"gradient", "gradient against the reference", "gradient at extremes"}


def test_a_loss_of_masks_without_a_term_that_smooths(run, write):
    write("l1.py", "import numpy as np\n\n\ndef mine(p, t):\n    return np.abs(p - t).mean(axis=-1)\n")
    done = run("verify", "l1.py", "--against", "lovasz-hinge", "-f", "json")
    assert done.code == 1
    assert done.json["reference"] == "lovasz-hinge"


@pytest.fixture
def torch_file(write):
    pytest.importorskip("torch", reason="torch is not installed")
    return write("of_torch.py", TORCH)


@pytest.mark.parametrize("name", ["ce", "FocalLoss", "ce_in_float32", "kl", "huber"])
def test_right_torch_losses_pass(verify, torch_file, name):
    report = verify(f"of_torch.py:{name}")
    assert broken(report) == set()
    assert one(report, "gradient")["verdict"] == "met"


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("focal_detached", GRADIENTS),
        ("mse_backward", GRADIENTS),
        ("bce_outside", GRADIENTS),
        ("ce_in_place", GRADIENTS | {"inputs"}),
        ("FocalLoss:gamma=0.5", {"gradient at extremes"}),  # 0 to the power -0.5 where p rounds to 1
        ("cross_entropy_log_of_all", {"gradient at extremes"}),  # 0 / 0 where the probability of another class is 0
        ("ce_alpha_of_one", {"parameter alpha"}),
        ("ce_skips", set()),
    ],
)
def test_wrong_gradients_are_found(verify, torch_file, name, properties):
    assert broken(verify(f"of_torch.py:{name}")) == properties


CLIPPED = "probabilities are clipped at 1e-07"
MASK = "a mask is missing: for positives the term of negatives is added"
AGAIN = "softmax is applied to probabilities"


@pytest.mark.parametrize(
    ("name", "properties", "pattern"),
    [
        ("keras_focal.py:FocalLoss", {"parameter alpha"}, None),
        ("keras_focal.py:focal_loss", {"parameter alpha"}, None),
        ("keras_focal.py:RightFocalLoss", set(), None),
        ("keras_focal.py:right_focal_loss", set(), None),
        ("keras_focal_self.py:focal_loss", {"call"}, None),
        ("keras_focal_self.py:right_focal_loss", set(), None),
        ("sigmoid_focal.py:sigmoid_focal", {"value", "perfect prediction"}, MASK),
        ("sigmoid_focal.py:right_sigmoid_focal", set(), None),
        ("swapped_alpha.py:focal_loss", {"value", "gradient against the reference"}, "alpha is swapped"),
        ("swapped_alpha.py:right_focal_loss", set(), None),
        ("clipped_ce.py:clipped_cross_entropy", {"value at extremes"}, CLIPPED),
        ("clipped_ce.py:right_cross_entropy", set(), None),
        ("softmax_twice.py:cross_entropy", {"value"}, AGAIN),
        ("softmax_twice.py:right_cross_entropy", set(), None),
        ("softmax_twice.py:right_cross_entropy_of_probs", set(), None),
    ],
)
def test_the_examples_say_what_their_readme_says(verify, monkeypatch, name, properties, pattern):
    text = (EXAMPLES / name.partition(":")[0]).read_text()
    for package in ("keras", "torch"):
        if f"import {package}" in text or f"from {package}" in text:
            if find_spec("torch") is None or find_spec(package) is None:
                pytest.skip(f"{package} is not installed")
            monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.chdir(EXAMPLES)
    report = verify(name)
    found = broken(report)
    assert properties <= found
    assert bool(properties) == bool(found)
    assert pattern is None or any(pattern in words for words in report["patterns"])
    shown = (EXAMPLES / "README.md").read_text().partition(f"$ losscli verify {name} |")[2].partition("$ ")[0]
    assert [words in shown for words in report["patterns"]] == [True] * len(report["patterns"])
    assert {line.split("|")[1].strip() for line in shown.splitlines() if "| BROKEN" in line} == found
