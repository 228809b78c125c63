"""`losscli calibrate --method platt|isotonic` and `--activation sigmoid`: against scikit-learn, and what must hold."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from reference import sigmoid, softmax

import losscli

GOLDEN = json.loads((Path(__file__).parent / "calibrators.json").read_text())
"""By make_calibrators.py: scikit-learn 1.9.1, torchmetrics 1.9.0 on torch 2.14.1."""
METHODS = ["platt", "isotonic"]
SKLEARN = {"platt": "sigmoid", "isotonic": "isotonic"}


def near(expected, rel=1e-9, abs=1e-15):
    return pytest.approx(expected, rel=rel, abs=abs)


@pytest.fixture
def calibrate(run):
    """Run `losscli calibrate ...`, JSON."""
    return lambda *words, **how: run("calibrate", *words, "-f", "json", **how)


def multilabel(n=300, k=3, T=2.0, seed=5):
    """Logits and labels of several outcomes a row, drawn from sigmoid(z / T)."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 3, (n, k))
    return z, (random.random((n, k)) < sigmoid(z / T)).astype(int)


def probabilities(found, kind):
    """What a written file holds, as probabilities."""
    if kind == "logits":
        return softmax(found) if found.ndim == 2 else sigmoid(found)
    return np.exp(found) if kind == "log-probs" else found


@pytest.mark.parametrize("method", METHODS)
class TestAgainstScikitLearn:
    @pytest.mark.parametrize("kind", ["logits", "probs"])
    def test_one_score(self, calibrate, save, sample_data, method, kind):
        z = np.load(sample_data / "cancer_logits.npy").astype(np.float64)
        x = z if kind == "logits" else sigmoid(z)
        calibrate(
            save("x.npy", x), str(sample_data / "cancer_labels.npy"), "--from", kind, "--method", method, "-o", "o.npy"
        )
        after = "probs" if method == "isotonic" else kind
        expected = GOLDEN["cancer"]["calibrated"][SKLEARN[method]][kind]
        assert probabilities(np.load("o.npy"), after) == near(np.array(expected), 1e-6, abs=1e-8)

    @pytest.mark.parametrize("kind", ["logits", "probs"])
    def test_classes_against_the_rest(self, calibrate, save, sample_data, method, kind):
        z = np.load(sample_data / "digits_logits.npy").astype(np.float64)
        x = z if kind == "logits" else softmax(z)
        calibrate(
            save("x.npy", x), str(sample_data / "digits_labels.npy"), "--from", kind, "--method", method, "-o", "o.npy"
        )
        after = "probs" if method == "isotonic" else kind
        expected = np.array(GOLDEN["digits"]["calibrated"][SKLEARN[method]][kind])
        assert probabilities(np.load("o.npy"), after)[: len(expected)] == near(expected, 1e-6, abs=1e-7)


@pytest.mark.parametrize("method", ["temperature", *METHODS])
class TestScores:
    """The scores after are those of the file that is written."""

    @pytest.mark.parametrize("kind", ["logits", "probs", "log-probs"])
    def test_of_several_labels_a_row(self, calibrate, compute, save, method, kind):
        z, y = multilabel()
        x = {"logits": z, "probs": sigmoid(z), "log-probs": np.log(sigmoid(z))}[kind]
        words = save("x.npy", x), save("y.npy", y), "--activation", "sigmoid", "--from", kind, "--method", method
        found = calibrate(*words, "-o", "o.npy").json
        after = "probs" if method == "isotonic" else kind
        made = np.load("o.npy")
        assert made.shape == x.shape
        p = sigmoid(made) if after == "logits" else probabilities(made, after)
        assert found["after"]["cross_entropy"] == near(
            compute("bce", "o.npy", "y.npy", "--from", after).json["value"], abs=1e-12
        )
        assert found["after"]["brier"] == near(((p - y) ** 2).mean())
        assert found["after"]["accuracy"] == near(((p > 0.5) == y).mean())
        assert found["before"]["cross_entropy"] == near(compute("bce", "x.npy", "y.npy", "--from", kind).json["value"])
        classwise = compute("bce", "x.npy", "y.npy", "--from", kind, "--classwise-ece").json["summary"]["classwise_ece"]
        assert found["before"]["classwise_ece"] == near(classwise)
        assert found["brier_formula"] == "mean over outputs of (p - t)**2"
        assert (found["ece_of"], found["samples"]) == ("p(positive)", 300)

    @pytest.mark.parametrize("kind", ["logits", "probs", "log-probs"])
    def test_of_classes(self, calibrate, compute, save, method, kind):
        random = np.random.default_rng(0)
        z, y = random.normal(0, 2, (200, 4)), random.integers(0, 4, 200)
        z[np.arange(200), y] += 1
        x = {"logits": z, "probs": softmax(z), "log-probs": np.log(softmax(z))}[kind]
        words = save("x.npy", x), save("y.npy", y), "--from", kind, "--method", method
        found = calibrate(*words, "-o", "o.npy").json
        after = "probs" if method == "isotonic" else kind
        assert found["after"]["cross_entropy"] == near(compute("ce", "o.npy", "y.npy", "--from", after).json["value"])
        written = compute("ce", "o.npy", "y.npy", "--from", after, "--classwise-ece").json["summary"]
        if method != "isotonic":  # whose values lie on edges of bins, where one rounding moves rows
            assert found["after"]["ece"]["width"]["value"] == near(written["ece"])
            assert found["after"]["classwise_ece"] == near(written["classwise_ece"])
        assert found["before"]["classwise_ece"] == near(
            compute("ce", "x.npy", "y.npy", "--from", kind, "--classwise-ece").json["summary"]["classwise_ece"]
        )


class TestSeveralLabels:
    def test_the_temperature_that_labels_were_drawn_with(self, calibrate, save):
        z, y = multilabel(5000)
        found = calibrate(save("z.npy", z), save("y.npy", y), "--activation", "sigmoid").json
        assert found["temperature"] == near(2, 0.05)

    def test_it_is_that_of_one_column_below_the_other(self, calibrate, save):
        z, y = multilabel()
        w = np.random.default_rng(0).integers(0, 4, 300)
        words = save("z.npy", z), save("y.npy", y), "--sample-weight", save("w.npy", w)
        many = calibrate(*words, "--activation", "sigmoid").json
        words = save("z1.npy", z.ravel()), save("y1.npy", y.ravel()), "--sample-weight", save("w1.npy", np.repeat(w, 3))
        one = calibrate(*words).json
        for side in ("before", "after"):
            assert many[side].pop("classwise_ece") >= 0
            assert many[side]["cross_entropy"] == near(one[side]["cross_entropy"])
            assert many[side]["brier"] == near(one[side]["brier"])
            assert many[side]["ece"]["width"]["value"] == near(one[side]["ece"]["width"]["value"])
        assert many["temperature"] == near(one["temperature"])

    @pytest.mark.parametrize("method", METHODS)
    def test_each_column_is_that_of_a_file_of_its_own(self, calibrate, save, method):
        z, y = multilabel()
        words = save("z.npy", z), save("y.npy", y), "--activation", "sigmoid", "--method", method
        columns = calibrate(*words).json["map"]["columns"]
        for i, column in enumerate(columns):
            [alone] = calibrate(save("a.npy", z[:, i]), save("b.npy", y[:, i]), "--method", method).json["map"][
                "columns"
            ]
            assert column["name"] == str(i)
            for name in column.keys() - {"name"}:
                assert column[name] == near(alone[name], 1e-7, abs=1e-9)

    def test_one_hot_labels_of_class_indices(self, calibrate, save):
        z, y = multilabel()[0], np.arange(300) % 3
        found = calibrate(save("z.npy", z), save("y.npy", y), "--activation", "sigmoid").json
        other = calibrate("z.npy", save("t.npy", np.eye(3, dtype=int)[y]), "--activation", "sigmoid").json
        assert found["before"] == other["before"]

    def test_the_error_without_the_option_is_a_command_that_works(self, run, save):
        z, y = multilabel()
        done = run("calibrate", save("z.npy", z), save("y.npy", y))
        done.refuses(3, "y.npy[", "several labels per row")
        words = done.err.strip().rpartition(": losscli ")[2].split()
        assert run(*words).code == 0
        p = run("calibrate", save("p.npy", sigmoid(z)), save("t.npy", y[:, 0]), "--from", "probs")
        words = p.err.strip().rpartition(": losscli ")[2].split()
        assert words == ["calibrate", "p.npy", "t.npy", "--from", "probs", "--activation", "sigmoid"]

    def test_the_error_of_python(self):
        z, y = multilabel()
        with pytest.raises(losscli.LosscliError, match="for a sigmoid of each column: activation='sigmoid'"):
            losscli.calibrate(z, y)

    def test_what_does_not_go_together(self, calibrate, save):
        z, y = multilabel()
        words = save("z.npy", z), save("y.npy", y), "--activation", "sigmoid"
        calibrate(*words, "--bias").refuses(2, "--bias", "--method platt")
        calibrate(*words[:2], "--method", "platt", "--bias", "--activation", "sigmoid").refuses(
            2, "--bias", "leave it out"
        )
        one = save("o.npy", z[:, 0]), save("l.npy", y[:, 0])
        calibrate(*one, "--activation", "softmax").refuses(2, "--activation softmax: o.npy has one number per row")
        soft = save("s.npy", sigmoid(z))
        calibrate("z.npy", soft, "--activation", "sigmoid").refuses(3, "soft targets name no class")
        mask = save("m.npy", np.arange(900).reshape(300, 3) % 7 > 0)
        calibrate(*words, "--mask", mask).refuses(3, "some outcomes of a row do not exist", "leave out --mask")


class TestDegenerate:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize(("s", "y"), [([0.3], [1]), ([0.0, 1, 2], [0, 0, 0])])
    def test_labels_of_one_class(self, calibrate, save, method, s, y):
        words = save("s.npy", s), save("y.npy", y), "--method", method
        calibrate(*words, "-o", "o.npy").refuses(3, f"y.npy: every row is of class '{y[0]}'", "--method temperature")
        assert not Path("o.npy").exists()

    @pytest.mark.parametrize("method", METHODS)
    def test_classes_without_rows(self, calibrate, save, method):
        z = multilabel()[0]
        words = save("z.npy", z), save("y.npy", np.arange(300) % 2), "--method", method
        calibrate(*words).refuses(3, "y.npy: all rows are alike in 1 class of 3 (2)")
        t = np.stack([np.arange(300) % 2, np.ones(300), np.zeros(300)], axis=1)
        calibrate("z.npy", save("t.npy", t), "--activation", "sigmoid", "--method", method).refuses(
            3, "2 outputs of 3 (1, 2)"
        )

    @pytest.mark.parametrize("method", METHODS)
    def test_a_true_class_of_probability_zero(self, calibrate, save, method):
        # As a random forest has them: the cross-entropy before is infinite, and that after is not.
        p, y = [0, 0, 0.25, 0.5, 0.75, 1, 1, 1], [0, 1, 0, 1, 1, 1, 0, 1]
        done = calibrate(save("p.npy", p), save("y.npy", y), "--from", "probs", "--method", method)
        found = done.json
        assert (found["before"]["cross_entropy"], found["nonfinite"]) == (None, {"before.cross_entropy": "inf"})
        assert found["before"]["brier"] == near(np.mean((np.array(p) - y) ** 2))
        assert found["before"]["accuracy"] == 5 / 8
        assert found["after"]["cross_entropy"] < 0.7
        calibrate("p.npy", "y.npy", "--from", "probs").refuses(3, "p.npy[1]", "--method platt or isotonic")

    def test_infinite_scores(self, calibrate, save):
        words = save("s.npy", [-np.inf, 1, 2, np.inf]), save("y.npy", [0, 1, 0, 1])
        calibrate(*words, "--method", "platt").refuses(
            3, "s.npy[0]: an infinite score (2 rows like this)", "--method isotonic"
        )
        found = calibrate(*words, "--method", "isotonic").json
        assert found["map"]["columns"][0]["y"] == [0, 0.5, 0.5, 1]
        assert found["after"]["cross_entropy"] == near(np.log(2) / 2)

    def test_scores_that_never_rise_with_the_label(self, calibrate, save):
        words = save("s.npy", [5.0, 4, 3, 2, 1]), save("y.npy", [0, 0, 0, 1, 1])
        done = calibrate(*words, "--method", "isotonic")
        assert done.json["map"]["columns"][0]["y"] == [0.4, 0.4]
        assert "one level for all scores" in done.err

    def test_no_rows_of_a_weight(self, calibrate, save):
        words = save("s.npy", [1.0, 2]), save("y.npy", [0, 1]), "--sample-weight", save("w.npy", [0, 0])
        for method in METHODS:
            assert calibrate(*words, "--method", method).code == 3

    def test_more_scores_than_are_kept(self, calibrate, save, monkeypatch):
        monkeypatch.setattr("losscli.analysis.calibration.one_vs_rest.MOST_KEPT", 3)
        words = save("s.npy", [1.0, 2, 3, 4]), save("y.npy", [0, 1, 0, 1])
        calibrate(*words, "--method", "isotonic").refuses(3, "4 scores, and isotonic regression keeps 3", "--apply")

    def test_a_fit_that_is_worse_says_so(self, calibrate, save):
        # Separated labels: the smoothed targets keep probabilities away from 0 and 1.
        words = save("s.npy", [-3.0, -2, -1, 1, 2, 3]), save("y.npy", [0, 0, 0, 1, 1, 1]), "--method", "platt"
        done = calibrate(*words)
        before, after = (done.json[side]["cross_entropy"] for side in ("before", "after"))
        assert before < after < 2 * before
        assert "cross-entropy is higher after than before" in done.err

    @pytest.mark.parametrize("method", METHODS)
    def test_rows_of_weight_zero_do_not_exist(self, calibrate, save, method):
        z, y = multilabel(60)
        w = np.arange(60) % 4
        z[w == 0, 0] = 50.0 * np.arange(15)  # beyond all others, of labels of any kind
        words = save("z.npy", z[:, 0]), save("y.npy", y[:, 0]), "--sample-weight", save("w.npy", w), "--method", method
        found = calibrate(*words).json
        kept = w > 0
        words = save("a.npy", z[kept, 0]), save("b.npy", y[kept, 0]), "--sample-weight", save("c.npy", w[kept])
        assert found["map"] == calibrate(*words, "--method", method).json["map"]


class TestApply:
    @pytest.mark.parametrize("method", ["temperature", *METHODS])
    def test_columns_meet_by_name(self, calibrate, write, method):
        z, y = multilabel(60)
        rows = lambda x: "".join(",".join(map(repr, row)) + "\n" for row in x.tolist())  # noqa: E731
        p, t = write("p.csv", "a,b,c\n" + rows(z)), write("t.csv", "a,b,c\n" + rows(y))
        words = p, t, "--activation", "sigmoid", "--method", method
        calibrate(*words, "-o", "same.csv")
        order = [2, 0, 1]
        o = write("o.csv", "c,a,b\n" + rows(z[:, order]))
        calibrate(*words, "--apply", o, "-o", "other.csv")
        same, other = (np.genfromtxt(name, delimiter=",", names=True) for name in ("same.csv", "other.csv"))
        assert other.dtype.names == ("c", "a", "b")
        for name in "abc":
            assert other[name].tolist() == same[name].tolist()

    def test_the_map_in_json_is_the_one_that_is_applied(self, calibrate, save):
        z, y = multilabel(80)
        words = save("z.npy", z[:, 0]), save("y.npy", y[:, 0]), "--apply", save("o.npy", [-50.0, -1, 0.1, 50])
        [column] = calibrate(*words, "--method", "isotonic", "-o", "o1.npy").json["map"]["columns"]
        assert np.load("o1.npy") == near(np.interp(np.load("o.npy"), column["x"], column["y"]))
        [column] = calibrate(*words, "--method", "platt", "-o", "o2.npy").json["map"]["columns"]
        assert np.load("o2.npy") == near(column["a"] * np.load("o.npy") + column["b"])

    def test_isotonic_writes_probabilities_and_says_so(self, calibrate, save):
        z, y = multilabel(80)
        done = calibrate(save("z.npy", z[:, 0]), save("y.npy", y[:, 0]), "--method", "isotonic", "-o", "o.npy")
        assert "o.npy: probabilities, to be read with --from probs" in done.err
        assert ((np.load("o.npy") >= 0) & (np.load("o.npy") <= 1)).all()

    def test_rows_of_which_no_class_is_possible_are_equal_chances(self, save, calibrate):
        # As scikit-learn: where isotonic regression gives 0 to all classes.
        z, y = np.repeat(np.eye(3), 4, axis=0), np.repeat(np.arange(3), 4)
        words = save("z.npy", z), save("y.npy", y), "--apply", save("o.npy", [[-1.0, -1, -1], [2, -1, 2]])
        calibrate(*words, "--method", "isotonic", "-o", "made.npy")
        assert np.load("made.npy").tolist() == [[1 / 3] * 3, [0.5, 0, 0.5]]

    def test_half_precision(self, calibrate, save):
        words = save("s.npy", np.array([-3, -2, -1, 1, 2, 3], "f2")), save("y.npy", [0, 1, 0, 1, 0, 1])
        assert calibrate(*words, "--method", "isotonic", "-o", "o.npy").code == 0
        assert np.load("o.npy").dtype == np.float32


class TestPython:
    def test_applied(self):
        z, y = multilabel(100)
        for method in ("temperature", *METHODS):
            found = losscli.calibrate(z, y, activation="sigmoid", method=method)
            made = found.applied(z)
            p = made if found.map.kind_after == "probs" else sigmoid(made)
            assert ((p - y) ** 2).mean() == near(found.to_dict()["after"]["brier"])

    def test_words(self):
        z, y = multilabel(100)
        with pytest.raises(losscli.LosscliError, match="--method plat: not one of"):
            losscli.calibrate(z[:, 0], y[:, 0], method="plat")
        with pytest.raises(losscli.LosscliError, match="activation='tanh'"):
            losscli.calibrate(z, y, activation="tanh")
        with pytest.raises(losscli.LosscliError, match="reliability_of='both'"):
            losscli.calibrate(z[:, 0], y[:, 0], reliability_of="both")
        found = losscli.calibrate(z[:, 0], y[:, 0], reliability_of="predicted")
        assert found.to_dict()["ece_of"] == "p(predicted)"


class TestTable:
    def test_what_was_fitted_and_what_the_scores_are_of(self, run, save):
        z, y = multilabel(100)
        words = save("z.npy", z), save("y.npy", y), "--activation", "sigmoid"
        for method, parts in {
            "platt": ("sigmoid(a s + b), s: the logit; to Platt's smoothed targets", "column"),
            "isotonic": ("steps of the logit", "levels"),
            "temperature": ("sigmoid(z / T)",),
        }.items():
            out = run("calibrate", *words, "--method", method).out
            for part in (*parts, "ECE of p(positive), 15 bins", "classwise ECE", "those after are optimistic"):
                assert part in out
        out = run("calibrate", save("c.npy", z), save("t.npy", np.arange(100) % 3), "--method", "platt").out
        assert "each against the rest, then divided by the sum of the row" in out
        assert "ECE of p(predicted), 15 bins" in out


def test_classwise_error_by_hand(save, calibrate):
    # Each class of four rows in bins (0, 1/2] and (1/2, 1]: p of class 0 is 3/4, 3/4, 1/4, 1/4, and rows 0 and 2 are of it.
    p = np.array([[0.75, 0.25], [0.75, 0.25], [0.25, 0.75], [0.25, 0.75]])
    found = calibrate(save("p.npy", p), save("y.npy", [0, 1, 0, 1]), "--from", "probs", "--bins", "2").json
    # Each bin of each class has two rows, one of which holds: |1/2 - 3/4| and |1/2 - 1/4|.
    assert found["before"]["classwise_ece"] == near(float(Fraction(1, 4)))
