"""verify FILE.py: all that looks like a loss in a file, or its only loss at once."""

import xml.etree.ElementTree as ElementTree

import pytest

import losscli

ONE = """
import numpy as np


def helper(x):
    return np.log(x)


def main():
    raise SystemExit("main must not be called")


def accuracy_score(y_true, y_pred):
    return (y_true == y_pred).mean()


def plot_loss(path="loss.png"):
    raise SystemExit("plot_loss must not be called")


class Model:
    def forward(self, x, mask):
        return x


class Focal:
    def __init__(self, gamma=2.0):
        self.gamma = gamma

    def __call__(self, y_true, y_pred):
        pt = np.where(y_true == 1, y_pred, 1 - y_pred)
        return -((1 - pt) ** self.gamma) * np.log(pt)
"""
MORE = (
    ONE
    + """

def bce(labels, probs):
    return np.where(labels > 0, np.log(probs), np.log(1 - probs))


def odd(y_true, y_pred):
    return np.abs(y_true - y_pred) ** 1.5


class NeedsGamma(Focal):
    def __init__(self, gamma):
        self.gamma = gamma


def make_loss(gamma=2.0):
    return Focal(gamma)


my_loss = Focal(1.0)
"""
)


def test_the_only_loss_of_a_file_is_verified_at_once(run, write):
    found = run("verify", write("one.py", ONE))
    assert found.code == 0
    assert found.out == run("verify", "one.py:Focal").out
    assert found.err == "losscli: note: the only loss in the file: losscli verify one.py:Focal\n"
    assert run("verify", "one.py", "-q").err == ""
    assert losscli.verify("one.py").reference == "sigmoid-focal:gamma=2"


def test_all_losses_of_a_file_are_verified(run, write):
    found = run("verify", write("more.py", MORE), "-f", "json")
    verdicts = {one["loss"]: (one["reference"], one["verdict"]) for one in found.json["losses"]}
    assert (found.code, found.json["verdict"], found.json["file"]) == (1, "broken", "more.py")
    assert verdicts == {
        "more.py:Focal": ("sigmoid-focal:gamma=2", "met"),
        "more.py:bce": ("sigmoid-cross-entropy", "broken"),
        "more.py:odd": (None, "met"),
        "more.py:make_loss": ("sigmoid-focal:gamma=2", "met"),
        "more.py:my_loss": ("sigmoid-focal:gamma=1", "met"),
    }
    shown = run("verify", "more.py").out
    assert "more    losscli verify more.py:bce" in shown
    assert "1 of 5 losses broken" in shown
    assert "losscli verify more.py:odd --against SPEC" in shown
    assert losscli.verify("more.py").broken == 1


def test_the_suites_of_junit_are_the_losses(run, write):
    root = ElementTree.fromstring(run("verify", write("more.py", MORE), "-f", "junit").out)
    assert [suite.get("name") for suite in root][:2] == ["more.py:Focal", "more.py:bce"]
    assert root.get("failures") == str(len(list(root.iter("failure"))))


def test_what_is_about_one_loss_needs_its_name(run, write, save):
    write("more.py", MORE)
    run("verify", "more.py", "--against", "focal").refuses(2, "more.py:Focal; or one of the others: bce, odd")
    run("verify", "more.py", "p.npy", "t.npy").refuses(2, "PREDICTIONS is about one loss")
    run("verify", write("none.py", "x = 1\n")).refuses(2, "nothing in it looks like a loss")
    run("verify", "absent.py").refuses(3, "no such file")
    run("compute", "more.py", "p q.npy", "t.npy").refuses(2, "losscli compute more.py:Focal 'p q.npy' t.npy; or")
    run("rank", "more.py", "p.npy", "t.npy").refuses(2, "name the loss in it: more.py:Focal")
    with pytest.raises(losscli.UsageError, match="name the loss in it"):
        losscli.verify("more.py", against="focal")


def test_a_parameter_without_a_default_is_asked_for_with_an_example(run, write):
    write("needs.py", ONE.replace("gamma=2.0", "gamma"))
    run("verify", "needs.py").refuses(2, "needs.py:Focal:gamma=2")
    assert run("verify", "needs.py:Focal:gamma=2").code == 0
