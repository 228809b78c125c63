"""audit: a library with known defects, each of which is found, with the smallest example; then libraries that are installed."""

import json
import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from losscli.analysis.audit import library as library_module
from losscli.analysis.audit import run as run_module
from losscli.analysis.audit.run import Outcome, raised
from losscli.definition.batch import Clip
from losscli.libraries.call import Call, Library
from losscli.libraries.steps import Cast, Compute, CutProbabilities, Multiply

CODE = """
import numpy as np


def dense(t, p):
    return np.asarray(t, p.dtype)


def square(p, t):
    r = p - dense(t, p)
    return r * r, 2 * r


def square_far(p, t):  # 3 % too large beyond 3
    r = p - dense(t, p)
    return np.where(abs(r) > 3, r * r * p.dtype.type(1.03), r * r), 2 * r


def square_slope(p, t):  # half of the slope
    r = p - dense(t, p)
    return r * r, r


def square_nan_slope(p, t):  # a root of 0 on the way back
    r = p - dense(t, p)
    return r * r, np.where(r == 0, np.nan, 2 * r)


def square_times(p, t):
    r = p - dense(t, p)
    return 100 * r * r, 200 * r


def square_float32(p, t):
    value, slope = square(p.astype(np.float32), np.asarray(t, np.float32))
    return value, slope


def square_double_only(p, t):
    if p.dtype != np.float64:
        raise TypeError("it takes float64 only")
    return square(p, t)


def sigmoid(z):
    return np.where(z < 0, np.exp(-abs(z)), 1) / (1 + np.exp(-abs(z)))


def logit_plain(z, t):
    t = dense(t, z)
    return np.maximum(z, 0) - z * t + np.log1p(np.exp(-abs(z))), np.where(t > 0, -sigmoid(-z), sigmoid(z))


def logit_right(z, t):
    m = np.where(dense(t, z) > 0, z, -z)
    return np.maximum(-m, 0) + np.log1p(np.exp(-abs(m))), np.where(dense(t, z) > 0, -1, 1) * sigmoid(-m)


def logit_naive(z, t):  # exp is infinite from 89 on in float32
    m = np.where(dense(t, z) > 0, z, -z)
    return np.log1p(np.exp(-m)), np.where(dense(t, z) > 0, -1, 1) * sigmoid(-m)


def logit_rounded(z, t):  # 1 + exp(-m) rounds to 1
    m = np.where(dense(t, z) > 0, z, -z)
    return np.maximum(-m, 0) + np.log(1 + np.exp(-abs(m))), np.where(dense(t, z) > 0, -1, 1) * sigmoid(-m)


def prob_clipped(p, t):
    t = dense(t, p)
    q = np.clip(p, p.dtype.type(0.001), p.dtype.type(0.999))
    slope = np.where((p > 0.001) & (p < 0.999), np.where(t > 0, -1 / q, 1 / (1 - q)), 0)
    return np.where(t > 0, -np.log(q), -np.log(1 - q)), slope
"""


class Graded:
    """Calls that return their gradient, too."""

    dtypes = ("float16", "float32", "float64")

    def outcomes(self, function, cases, dtype, named):
        found = []
        for case in cases:
            try:
                value, slope = function({"p": case.p.astype(dtype), **named(case)})
                found.append(Outcome(float(np.mean(value)), np.asarray(slope, np.float64).reshape(case.p.shape)))
            except TypeError as error:
                found.append(raised(error))
        return found


def call(loss, name, kind=None, **more):
    return Call(loss, (name,), f"fakelib.{name}({{p}}, {{t}})", prediction_kind=kind, **more)


BCE = "sigmoid-cross-entropy"
CUT = CutProbabilities(lambda dtype: Clip(0.001, 0.999))
CALLS = (
    call("squared-error", "square"),
    call("squared-error", "square_far"),
    call("squared-error", "square_slope"),
    call("squared-error", "square_nan_slope"),
    call("squared-error", "square_times", steps=(Multiply(100.0),)),
    call("squared-error", "square_float32", steps=(Cast("float32"),)),
    call("squared-error", "square_double_only"),
    call(BCE, "logit_plain", "logits"),
    call(BCE, "logit_right", "logits"),
    call(BCE, "logit_naive", "logits"),
    call(BCE, "logit_rounded", "logits"),
    call(BCE, "prob_clipped", "probs", steps=(CUT,)),
    call("dice", "dice", "probs", refused="it is another loss"),
)
LIBRARY = Library(
    name="fakelib",
    title="fakelib 1.0",
    imports=("import fakelib",),
    tensor=lambda text, dtype, same: text,
    reduces={"": "mean"},
    reductions={},
    outputs="mean",
    summed_outputs="sum",
    calls=CALLS,
)


@pytest.fixture
def fakelib(folder, monkeypatch):
    """A library that is installed, and known to losscli."""
    (folder / "fakelib.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(library_module, "libraries", lambda: {"fakelib": LIBRARY})
    monkeypatch.setitem(run_module.RUNNERS, "fakelib", Graded)
    yield
    import sys

    sys.modules.pop("fakelib", None)


@pytest.fixture
def audit(fakelib, run):
    def made(*names):
        found = run("audit", "fakelib", *names, "-f", "json")
        assert found.err == ""
        return found.code, {one["call"].partition("(")[0].partition(".")[2]: one for one in found.json["calls"]}

    return made


def finding(call, verdict, of="value"):
    return next(one for one in call["findings"] if (one["verdict"], one["of"]) == (verdict, of))


def test_what_is_right_holds(audit):
    code, calls = audit("square", "logit_right")
    assert code == 0
    for call in calls.values():
        assert (call["value"], call["gradient"], call["findings"]) == ("holds", "holds", [])
        assert set(call["dtypes"]) == {"float16", "float32", "float64"}
        assert call["dtypes"]["float64"]["points"] > 70
        assert call["dtypes"]["float64"]["value_error"] < 1e-15


def test_a_wrong_value_has_the_smallest_example(audit):
    code, calls = audit("square_far")
    found = finding(calls["square_far"], "wrong")
    assert code == 1
    # Just beyond 3, in few digits; |r| <= 3 is right.
    assert found["example"]["predictions"] in ([4.0], [-4.0])
    assert found["example"]["targets"] == [0.0]
    assert found["example"]["truth"] == 16
    assert found["example"]["value"] == pytest.approx(16 * 1.03, rel=1e-3)
    assert set(found["dtypes"]) == {"float32", "float64"}  # 3 % are within 16 units of float16 next to 5


def test_wrong_gradients(audit):
    code, calls = audit("square_slope", "square_nan_slope")
    assert code == 1
    assert [one["value"] for one in calls.values()] == ["holds", "holds"]
    wrong = finding(calls["square_slope"], "wrong", "gradient")["example"]
    assert wrong["truth"] == [2 * wrong["gradient"][0]]
    missing = finding(calls["square_nan_slope"], "not-finite", "gradient")["example"]
    assert (missing["predictions"], missing["targets"], missing["truth"]) == ([0.0], [0.0], [0.0])


def test_infinities_where_the_truth_is_finite(audit):
    code, calls = audit("logit_naive")
    example = finding(calls["logit_naive"], "not-finite")["example"]
    assert code == 1
    assert example["dtype"] == "float32"
    size = abs(example["predictions"][0])
    assert 88 < size <= 100
    assert example["truth"] == pytest.approx(size)
    assert example["value"] is None


def test_nan_at_infinite_logits_is_a_warning(audit):
    code, calls = audit("logit_plain")
    assert code == 0
    found = finding(calls["logit_plain"], "infinite-logits")
    assert (found["example"]["predictions"], found["example"]["targets"], found["example"]["truth"]) == ([None], [1], 0)


def test_small_losses_that_round_away_are_a_warning(audit):
    code, calls = audit("logit_rounded")
    assert code == 0
    found = finding(calls["logit_rounded"], "lost")
    true = math.log1p(math.exp(-abs(found["example"]["predictions"][0])))
    assert found["example"]["truth"] == pytest.approx(true, rel=1e-12)
    assert abs(found["example"]["value"] - true) > 0.01 * true
    # log(1 + x) is off by up to half a unit of 1, which is 1 % of losses 50 times as large.
    for dtype in ("float32", "float64"):
        assert found["up_to"][dtype] < 50 * np.finfo(dtype).eps


def test_what_a_convention_explains_is_not_wrong(audit):
    code, calls = audit("prob_clipped", "square_times", "square_float32")
    assert code == 0
    assert {name: one["value"] for name, one in calls.items()} == {
        "prob_clipped": "convention",
        "square_times": "convention",
        "square_float32": "holds",
    }
    clipped = finding(calls["prob_clipped"], "convention")
    assert clipped["convention"] == ["cuts p into [0.001, 0.999]"]
    assert clipped["example"]["value"] == pytest.approx(-math.log(0.999), rel=1e-3)
    assert (clipped["example"]["predictions"], clipped["example"]["targets"], clipped["example"]["truth"]) == (
        [0],
        [0],
        0,
    )
    assert finding(calls["square_times"], "convention")["convention"] == ["multiplies by 100"]
    assert set(calls["square_float32"]["dtypes"]) == {"float32", "float64"}
    assert 1e-9 < calls["square_float32"]["dtypes"]["float64"]["value_error"] < 1e-7


def test_without_the_convention_it_is_wrong(audit, monkeypatch):
    bare = replace(LIBRARY, calls=(call(BCE, "prob_clipped", "probs"), call("squared-error", "square_times")))
    monkeypatch.setattr(library_module, "libraries", lambda: {"fakelib": bare})
    code, calls = audit()
    assert code == 1
    assert {name: one["value"] for name, one in calls.items()} == {"prob_clipped": "wrong", "square_times": "wrong"}


def test_a_formula_of_the_librarys_own_is_computed_without_rounding(fakelib, audit, monkeypatch):
    def own(p, t, extras, parameters):
        return 2 * np.log(np.exp(0 * p) + np.square(p - t.t)) + 1

    def numbers(p, t):
        r = (p - np.asarray(t, p.dtype)).astype(np.float64)
        return 2 * np.log1p(r * r) + 1, 4 * r / (1 + r * r)

    calls = (call("squared-error", "own", steps=(Compute("computes 2 log(1 + r**2) + 1", own),)),)
    monkeypatch.setattr(library_module, "libraries", lambda: {"fakelib": replace(LIBRARY, calls=calls)})
    import fakelib as package

    package.own = numbers
    code, found = audit()
    assert (code, found["own"]["value"], found["own"]["gradient"]) == (0, "convention", "convention")
    assert found["own"]["dtypes"]["float64"]["value_error"] < 1e-15


def test_what_is_not_run_says_why(audit):
    code, calls = audit("square_double_only", "dice")
    assert code == 0
    assert calls["square_double_only"]["value"] == "holds"
    assert calls["square_double_only"]["not_run"] == dict.fromkeys(
        ("float16", "float32"), "TypeError: it takes float64 only"
    )
    assert (calls["dice"]["verdict"], calls["dice"]["not_run"]) == ("not-run", {"every dtype": "it is another loss"})


def test_formats(fakelib, run):
    words = ("audit", "fakelib", "square", "square_far", "prob_clipped", "dice")
    table = run(*words)
    assert table.code == 1
    assert "1 of 4 calls broken" in table.out
    assert "value: WRONG" in table.out
    assert "cuts p into [0.001, 0.999]" in table.out
    markdown = run(*words, "-f", "markdown").out
    assert markdown.startswith("# Audit of fakelib")
    assert "| square_far | value: WRONG | float32, float64 |" in markdown
    suite = ElementTree.fromstring(run(*words, "-f", "junit").out)
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "skipped": "1",
    }
    failure = suite.find("testcase/failure")
    assert "gives 16.48" in failure.get("message")
    assert json.loads(run(*words, "-f", "json").out)["counts"] == {
        "wrong": 1,
        "not-finite": 0,
        "infinite-logits": 0,
        "lost": 0,
        "convention": 1,
        "holds": 1,
        "not-run": 1,
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("torhc",), "is no library that losscli knows (did you mean torch?); it knows torch, keras"),
        (("fakelib", "squar"), "it has no loss 'squar' (did you mean square?)"),
        (("fakelib", "huber"), "it has no loss 'huber'"),
    ],
)
def test_what_is_unknown_is_refused(fakelib, run, monkeypatch, words, message):
    if words[0] != "fakelib":
        monkeypatch.undo()
    run("audit", *words).refuses(2, message)


def test_what_is_not_installed_is_refused_with_the_cure(fakelib, run, monkeypatch):
    monkeypatch.setattr(library_module, "find_spec", lambda name: None)
    run("audit", "fakelib").refuses(2, "fakelib is not installed: pip install fakelib")
    monkeypatch.setattr(library_module, "find_spec", lambda name: None if name == "mpmath" else find_spec(name))
    run("audit", "fakelib").refuses(2, "pip install 'losscli[audit]'")


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
def test_pytorch(run):
    """Known of torch 2.13.0: what is listed as its defects in losscli.libraries.torch."""
    found = run("audit", "torch", "huber", "nll_loss", "soft_margin_loss", "BCEWithLogitsLoss", "BCELoss", "-f", "json")
    calls = {one["call"].partition("(")[0].rpartition(".")[2]: one for one in found.json["calls"]}
    assert found.code == 1
    assert (calls["huber_loss"]["verdict"], calls["nll_loss"]["verdict"]) == ("holds", "holds")
    assert set(calls["huber_loss"]["dtypes"]) == {"float16", "bfloat16", "float32", "float64"}
    margin = finding(calls["soft_margin_loss"], "not-finite")["example"]
    assert (margin["value"], abs(margin["predictions"][0])) == (None, margin["truth"])
    with_logits = calls["binary_cross_entropy_with_logits"]
    assert finding(with_logits, "infinite-logits")["example"]["truth"] == 0
    assert finding(with_logits, "lost")["up_to"]["float32"] < 1e-5
    assert finding(calls["binary_cross_entropy"], "convention")["example"]["value"] == 100


@pytest.mark.skipif(find_spec("keras") is None or find_spec("torch") is None, reason="needs keras and torch")
def test_keras(run, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    found = run("audit", "keras", "MeanSquaredError", "BinaryCrossentropy", "-f", "json")
    by_kind = {one["from"]: one for one in found.json["calls"]}
    single = {one["of"] for one in by_kind[None]["findings"] if "float32" in one["dtypes"]}
    assert not single  # float32 holds
    clipped = finding(by_kind["probs"], "convention")
    assert clipped["example"]["truth"] is None  # infinite, where the clip makes 15.9 of it
    assert clipped["example"]["value"] == pytest.approx(-math.log(2.0**-23), rel=1e-5)
    assert {"keras", "torch"} <= set(found.json["versions"])
