"""Sums of losses: --plus of compute and of Python. The terms come from formulas evaluated here, the sums from them."""

import json
import math

import numpy as np
import pytest

import losscli
from losscli.engine import evaluate as evaluate_module
from losscli.errors import UsageError
from losscli.lookup.spec import weighted


@pytest.fixture
def files(save):
    """Logits of four classes with labels, and the formulas of their cross-entropy and Brier score."""
    rng = np.random.default_rng(7)
    z, y = rng.normal(0, 2, (25, 4)), rng.integers(0, 4, 25)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    save("z.npy", z)
    save("y.npy", y)
    return {"ce": -np.log(p[np.arange(25), y]), "brier": ((p - np.eye(4)[y]) ** 2).sum(axis=1)}


@pytest.mark.quick
def test_the_value_is_the_weighted_sum_and_each_term_is_there(compute, files):
    ce, brier = files["ce"].mean(), files["brier"].mean()
    found = compute("ce", "z.npy", "y.npy", "--plus", "0.5*brier", "--plus", "2 * softmax-focal:gamma=0").json
    assert found["loss"] == "softmax-cross-entropy + 0.5 * brier + 2 * softmax-focal:gamma=0"
    assert found["value"] == pytest.approx(3 * ce + 0.5 * brier, rel=1e-14)
    terms = found["terms"]
    assert [term["loss"] for term in terms] == ["softmax-cross-entropy", "brier", "softmax-focal"]
    assert [term["weight"] for term in terms] == [1, 0.5, 2]
    assert [term["value"] for term in terms] == pytest.approx([ce, brier, ce], rel=1e-14)
    assert [term["contribution"] for term in terms] == pytest.approx([ce, brier / 2, 2 * ce], rel=1e-14)
    assert [term["parameters"] for term in terms] == [{}, {}, {"gamma": 0}]
    assert [(term["samples"], term["ignored"], term["summary"]["min"]) for term in terms] == [
        (25, 0, pytest.approx(each.min(), rel=1e-13)) for each in (files["ce"], files["brier"], files["ce"])
    ]
    assert found["value"] == math.fsum(term["contribution"] for term in terms)
    assert (found["samples"], found["ignored"], found["reduction"], found["baseline"]) == (25, 0, "mean", None)
    assert found["signature"] == (
        f"{terms[0]['signature']} + 0.5 * {terms[1]['signature']} + 2 * {terms[2]['signature']}"
    )


def test_each_term_is_what_it_is_alone(compute, files):
    options = ["--class-weight", "balanced", "--reduction", "sum"]
    terms = compute("ce", "z.npy", "y.npy", "--plus", "brier", *options).json["terms"]
    for term in terms:
        alone = compute(term["loss"], "z.npy", "y.npy", *options).json
        assert {key: term[key] for key in ("value", "summary", "receipt", "signature", "reduction")} == {
            key: alone[key] for key in ("value", "summary", "receipt", "signature", "reduction")
        }


def test_the_receipt_says_what_terms_share_and_what_each_has_of_its_own(compute, files):
    found = compute("ce", "z.npy", "y.npy", "--plus", "0.25*brier").json
    receipt = found["receipt"]
    assert (receipt["predictions"]["file"], receipt["from"], receipt["sum"]) == ("z.npy", "logits", found["loss"])
    assert [(term["loss"], term["weight"]) for term in receipt["terms"]] == [
        ("softmax-cross-entropy", 1),
        ("brier", 0.25),
    ]
    for own, term in zip(receipt["terms"], found["terms"], strict=True):
        common = {key: value for key, value in receipt.items() if key not in ("sum", "terms")}
        assert common | {key: value for key, value in own.items() if key != "weight"} == term["receipt"]


def test_options_hold_for_the_terms_that_take_them_and_a_note_names_the_others(compute, save, files):
    rng = np.random.default_rng(1)
    save("c.npy", rng.normal(0, 1, (4, 4)))
    outcome = compute("ce", "z.npy", "y.npy", "--plus", "0.1*center", "--centers", "c.npy", "--label-smoothing", "0.1")
    ce, center = outcome.json["terms"]
    assert ce["value"] == compute("ce", "z.npy", "y.npy", "--label-smoothing", "0.1", "-f", "value").value
    assert center["value"] == compute("center", "z.npy", "y.npy", "--centers", "c.npy", "-f", "value").value
    assert "note: --centers: not for softmax-cross-entropy, which takes no such option" in outcome.err
    assert "note: --label-smoothing: not for center, which takes no such option" in outcome.err
    assert "no such option" not in compute("ce", "z.npy", "y.npy", "--plus", "brier", "--from", "logits").err
    nobody = compute("ce", "z.npy", "y.npy", "--plus", "brier", "--centers", "c.npy")
    assert (nobody.code, "--centers" in nobody.err) == (2, True)
    assert compute("ce", "z.npy", "y.npy", "--centers", "c.npy", "--plus=center").code == 0


def test_parameters_are_those_of_the_first_loss_or_of_the_spec(compute, save):
    p, t = save("p.npy", [3.0, 0.0]), save("t.npy", [0.0, 0.0])
    found = compute("huber", p, t, "--delta", "2", "--plus", "huber:delta=1").json
    assert found["loss"] == "huber:delta=2 + huber:delta=1"
    assert [term["value"] for term in found["terms"]] == [2, 1.25]  # delta (|r| - delta / 2) / 2 rows
    assert [term["name"] for term in found["terms"]] == ["huber:delta=2", "huber:delta=1"]
    required = compute("huber", p, t, "--delta", "2", "--plus", "huber:delta=1", "--require", "huber:delta=1 < 1")
    assert (required.code, required.json["requirements"][0]["actual"]) == (1, 1.25)


def test_requirements_are_about_the_sum_or_a_term(compute, files):
    words = ["ce", "z.npy", "y.npy", "--plus", "0.5*brier"]
    met = compute(*words, "--require", "value <= 100", "--require", "ce <= 50", "--require", "brier <= 2")
    assert (met.code, [one["met"] for one in met.json["requirements"]]) == (0, [True] * 3)
    unmet = compute(*words, "--require", "softmax-cross-entropy <= 0", "-f", "value")
    assert (unmet.code, "NOT MET" in unmet.err) == (1, True)
    assert unmet.value == compute(*words).json["value"]
    unknown = compute(*words, "--require", "p99 <= 1")
    assert (unknown.code, "there are value, ce, brier" in unknown.err) == (2, True)


def test_formats(run, files, folder):
    words = ["compute", "ce", "z.npy", "y.npy", "--plus", "0.5*brier"]
    table = run(*words, "--require", "value <= 100").out
    assert "value" in table
    assert "| brier                 | 0.5" in table
    assert "require value <= 100" in table
    markdown = run(*words, "-f", "markdown", "-o", "sum.json").out
    assert "| brier | 0.5 |" in markdown
    assert json.loads((folder / "sum.json").read_text())["terms"][1]["weight"] == 0.5
    assert run(*words, "-o", "z.npy").code == 2
    assert run(*words, "-f", "value").value == json.loads((folder / "sum.json").read_text())["value"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--per-sample"], "--per-sample"),
        (["-f", "csv"], "--format csv"),
        (["-o", "rows.csv"], ".json, .md"),
        (["--gradient", "g.npy"], "--gradient"),
        (["--reduction", "none"], "--reduction none"),
        (["--as", "torch,keras"], "name one library"),
        (["--plus", "ce"], "is there already"),
        (["--plus", "0*ce"], "not a finite number other than 0"),
        (["--plus", "nan*focal"], "not a finite number other than 0"),
        (["--plus", "inf*softmax-focal"], "not a finite number other than 0"),
        (["--plus", "half*softmax-focal"], "'half' is not a number"),
        (["--plus", "softmax-focal:gamma=1,2"], "is 2 losses"),
        (["--plus", "no-such-loss"], "no-such-loss"),
        (["--plus", "softmax-focal:beta=1"], "no parameter 'beta'"),
    ],
)
def test_what_a_sum_does_not_have_is_refused(compute, files, folder, words, part):
    outcome = compute("ce", "z.npy", "y.npy", "--plus", "0.5*brier", *words)
    assert (outcome.code, outcome.out) == (2, ""), outcome
    (line,) = outcome.err.splitlines()
    assert part in line
    assert sorted(path.name for path in folder.iterdir()) == ["y.npy", "z.npy"]


def test_weights_are_read():
    assert weighted("brier")[0] == 1
    assert weighted("-0.5*brier")[0] == -0.5
    assert weighted(" 1e-3 * huber:delta=2 ")[1].parameters == {"delta": 2}
    with pytest.raises(UsageError, match="not a finite number"):
        weighted("1e-400*brier")


def test_a_negative_weight_is_a_difference(compute, files):
    found = compute("ce", "z.npy", "y.npy", "--plus", "-0.5*brier").json
    assert found["value"] == pytest.approx(files["ce"].mean() - files["brier"].mean() / 2, rel=1e-13)


def test_small_terms_are_not_lost(compute, save):
    """1 + 1e-16 - 1 is 1e-16 if the terms are added as one sum, and 0 from left to right."""
    p, t = save("p.npy", [1.0]), save("t.npy", [0.0])
    found = compute("mse", p, t, "--plus", "1e-16*mae", "--plus", "-2*half-squared-error")
    assert found.json["value"] == 1e-16


def test_an_infinite_term_makes_the_sum_infinite(compute, save):
    p, t = save("p.npy", [[0.0, 1.0], [0.5, 0.5]]), save("t.npy", [0, 1])
    found = compute("ce", p, t, "--from", "probs", "--plus", "brier").json
    assert (found["value"], found["nonfinite"]["value"]) == (None, "inf")
    assert compute("ce", p, t, "--from", "probs", "--plus", "brier", "--require", "value < 9").code == 1
    nothing = compute("ce", p, t, "--from", "probs", "--plus", "-1*softmax-focal")
    assert (nothing.code, "the total is not a number" in nothing.err) == (3, True)


def test_a_fault_of_a_term_is_an_error_of_the_sum(compute, save, files):
    outcome = compute("ce", "z.npy", "y.npy", "--plus", "mse")
    assert (outcome.code, outcome.out, "squared-error" in outcome.err) == (3, "", True)
    save("nan.npy", np.full((25, 4), np.nan))
    outcome = compute("ce", "nan.npy", "y.npy", "--plus", "brier")
    assert (outcome.code, "nan.npy[0, 0]: the prediction is NaN" in outcome.err) == (3, True)


def test_terms_share_one_pass_over_the_predictions(compute, files, monkeypatch):
    begun = []
    together = evaluate_module.evaluate_together
    monkeypatch.setattr(
        "losscli.measurement.sums.evaluate_together",
        lambda passes, *rest: begun.append(len(passes)) or together(passes, *rest),
    )
    assert compute("ce", "z.npy", "y.npy", "--plus", "brier", "--plus", "softmax-focal").code == 0
    assert begun == [3]


def test_predictions_may_come_from_a_pipe(compute, files, folder):
    wanted = compute("ce", "z.npy", "y.npy", "--plus", "brier").json["value"]
    data = (folder / "z.npy").read_bytes()
    assert compute("ce", "-", "y.npy", "--plus", "brier", stdin=data).json["value"] == wanted


def test_a_library_may_be_that_of_all_terms(compute, files):
    found = compute("ce", "z.npy", "y.npy", "--plus", "0.5*kl", "--as", "torch").json
    alone = [compute(name, "z.npy", "y.npy", "--as", "torch", "-f", "value").value for name in ("ce", "kl")]
    assert [term["value"] for term in found["terms"]] == alone


def test_losses_of_files_are_terms_too(compute, write, files):
    write("own.py", "import numpy as np\ndef spread(y_true, y_pred): return np.mean(y_pred ** 2, axis=1)\n")
    found = compute("ce", "z.npy", "y.npy", "--plus", "0.5*own.py:spread").json
    squares = np.mean(np.load("z.npy") ** 2)
    assert found["value"] == pytest.approx(files["ce"].mean() + squares / 2, rel=1e-13)


@pytest.mark.quick
def test_python_has_the_same(files):
    z, y = np.load("z.npy"), np.load("y.npy")
    found = losscli.compute("ce", z, y, plus=["0.5*brier"], require=["ce < 100"], label_smoothing=0.0)
    assert isinstance(found, losscli.Summed)
    assert found.value == pytest.approx(files["ce"].mean() + files["brier"].mean() / 2, rel=1e-14)
    assert [result.loss for result in found.results] == ["softmax-cross-entropy", "brier"]
    assert found.met
    assert losscli.compute("ce", z, y, plus="0.5*brier").value == found.value
    with pytest.raises(losscli.UsageError, match="gradient"):
        losscli.compute("ce", z, y, plus="brier", gradient=True)
    with pytest.raises(losscli.UsageError, match="variance"):
        losscli.compute("ce", z, y, plus="brier", variance=z)
    noted = losscli.compute("ce", z, y, plus="center", centers=np.zeros((4, 4)))
    assert "centers: not for softmax-cross-entropy, which takes no such option" in noted.notes
    assert noted.terms[1].weight == 1


def test_without_plus_nothing_is_a_sum(compute, files):
    assert "terms" not in compute("ce", "z.npy", "y.npy").json


def test_a_third_operand_is_for_the_losses_that_have_it(compute, save):
    p, t, v = save("p.npy", [1.0, 2.0]), save("t.npy", [0.0, 0.0]), save("v.npy", [1.0, 4.0])
    outcome = compute("gaussian-nll", p, t, "--variance", v, "--plus", "mse")
    nll, squares = outcome.json["terms"]
    assert squares["value"] == 2.5
    assert nll["value"] == compute("gaussian-nll", p, t, "--variance", v, "-f", "value").value
    assert squares["receipt"] == compute("mse", p, t).json["receipt"]
    assert "note: --variance: not for squared-error, which takes no such option" in outcome.err
    other = compute("mse", p, t, "--variance", v, "--plus", "gaussian-nll")
    assert other.json["value"] == outcome.json["value"]
