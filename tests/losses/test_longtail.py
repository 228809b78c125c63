"""Losses of rare and frequent classes, by hand, and the counts and weights that they rest on, through the command line."""

import math

import numpy as np
import pytest
from calling import called, index, rows

from losscli.definition.batch import Extras

COUNTS = np.array([100.0, 5.0, 20.0])
Z = [[0.5, -1.0, 2.0]]


def of_counts(name, targets, **more):
    value, slope = called(name, Z, targets, Extras(class_counts=COUNTS), **more)
    return value[0], slope[0]


def test_logit_adjustment_adds_the_logarithms_of_the_counts():
    value, slope = of_counts("balanced-softmax", index(1))
    parts = np.array([100 * math.exp(0.5), 5 * math.exp(-1.0), 20 * math.exp(2.0)])
    assert value == pytest.approx(-math.log(parts[1] / parts.sum()), rel=1e-14)
    assert slope == pytest.approx(parts / parts.sum() - [0, 1, 0], rel=1e-13)


def test_ldam_takes_the_margin_off_the_true_class_alone():
    # The rarest class has the margin 1/2, one with twenty times its samples that over the fourth root of 20.
    margin = 0.5 / 20**0.25
    adjusted = 30 * np.array([0.5 - margin, -1.0, 2.0])
    value, _ = of_counts("ldam", index(0))
    assert value == pytest.approx(math.log(np.exp(adjusted - adjusted[0]).sum()), rel=1e-14)
    value, _ = of_counts("ldam", index(1), max_m=0.3, s=2)
    assert value == pytest.approx(math.log(1 + math.exp(2 * 1.8) + math.exp(2 * 3.3)), rel=1e-14)


def test_a_margin_counts_however_far_the_true_class_leads():
    value, slope = called("ldam", [[60.0, 0, 0]], index(0), Extras(class_counts=np.ones(3)), max_m=60, s=30)
    assert value[0] == pytest.approx(math.log(3), rel=1e-14)
    assert slope[0] == pytest.approx([-20, 10, 10], rel=1e-13)


def test_seesaw_spares_rare_classes_and_punishes_likely_ones():
    value, _ = of_counts("seesaw", index(0))
    # Class 1 has a twentieth of the samples and is less likely; class 2 a fifth, and is likelier.
    terms = (1 / 20) ** 0.8 * math.exp(-1.5) + (1 / 5) ** 0.8 * math.exp(1.5) ** 2 * math.exp(1.5)
    assert value == pytest.approx(math.log(1 + terms), rel=1e-14)
    value, _ = of_counts("seesaw", index(1), p=5, q=0)  # no class is rarer
    assert value == pytest.approx(math.log(1 + math.exp(1.5) + math.exp(3)), rel=1e-14)


@pytest.mark.parametrize("name", ["logit-adjusted", "ldam", "seesaw"])
def test_only_ratios_of_counts_matter_and_soft_targets_are_means(name):
    t = np.array([0.2, 0.3, 0.5])
    each = [of_counts(name, index(k)) for k in range(3)]
    value, slope = of_counts(name, rows(t))
    assert value == pytest.approx(sum(w * one for w, (one, _) in zip(t, each, strict=True)), rel=1e-13)
    assert slope == pytest.approx(sum(w * one for w, (_, one) in zip(t, each, strict=True)), rel=1e-12)
    shares, _ = called(name, Z, rows(t), Extras(class_counts=COUNTS / 125))
    assert shares[0] == pytest.approx(value, rel=1e-13)


LOGITS = "cat,dog,eel\n0.5,-1,2\n1,0,0\n0,3,1\n0.5,0.5,-2\n"
LABELS = "label\ncat\ncat\ndog\neel\n"


@pytest.fixture
def files(write):
    return write("z.csv", LOGITS), write("y.csv", LABELS)


class TestCounts:
    @pytest.mark.parametrize(
        "words",
        ["cat=100,dog=5,eel=20", "table.csv", "table.csv:count", "row.csv", "n.npy", "dog=5,eel=20,cat=100"],
    )
    def test_in_every_form(self, compute, files, write, save, words):
        write("table.csv", "class,count\ncat,100\ndog,5\neel,20\n")
        write("row.csv", "eel,cat,dog\n20,100,5\n")
        save("n.npy", COUNTS)
        found = compute("logit-adjusted", *files, "--class-counts", words, "-f", "json").json
        z = np.array([[0.5, -1, 2], [1, 0, 0], [0, 3, 1], [0.5, 0.5, -2]]) + np.log(COUNTS)
        expected = np.log(np.exp(z).sum(axis=1)) - z[range(4), [0, 0, 1, 2]]
        assert found["value"] == pytest.approx(expected.mean(), rel=1e-13)
        assert found["receipt"]["class_counts"] == [100, 5, 20]
        assert "|class-counts:100,5,20|" in found["signature"]

    def test_of_the_targets(self, compute, files):
        words = ("ldam", *files, "-f", "value", "--class-counts")
        assert compute(*words, "targets").value == compute(*words, "cat=2,dog=1,eel=1").value
        left_out = compute(*words, "targets", "--ignore-index", "eel")
        left_out.refuses(3, "y.csv: --class-counts targets: class 'eel' has no samples", "--class-counts A=100,B=5")

    @pytest.mark.parametrize(
        ("words", "code", "parts"),
        [
            ("seesaw", 2, ["seesaw needs --class-counts A=100,B=5|FILE|targets"]),
            ("seesaw --class-counts cat=3,dog=1", 2, ["--class-counts: no class count of eel"]),
            ("seesaw --class-counts cat=3,dog=0,eel=1", 3, ["class 'dog' has no samples"]),
            ("seesaw --class-counts cat=3,dog=-1,eel=1", 2, ["'dog=-1' is not NAME=NUMBER"]),
            ("seesaw --class-counts cat=3,dgo=1,eel=1", 2, ["did you mean dog?"]),
            ("seesaw --class-counts target", 2, ["did you mean targets?"]),
            ("seesaw --class-counts short.csv", 3, ["2 class counts for 3 classes"]),
            ("seesaw --class-counts nan.csv", 3, ["nan.csv", "the count nan"]),
            ("ce --class-counts targets", 2, ["softmax-cross-entropy needs no counts"]),
            ("ce --class-counts targets --class-weight cat=2", 2, ["needs no counts"]),
            ("l1 --class-counts targets", 2, ["--class-counts"]),
            ("ce --class-weight effective", 2, ["effective:BETA with BETA in [0, 1)"]),
            ("ce --class-weight effective:1", 2, ["effective:BETA with BETA in [0, 1)"]),
            ("ce --class-weight efective:0.9", 2, ["did you mean effective:0.999?"]),
        ],
    )
    def test_what_cannot_be(self, compute, files, write, words, code, parts):
        write("short.csv", "n\n1\n2\n"), write("nan.csv", "n\n1\n2\nnan\n")
        loss, *options = words.split()
        compute(loss, *files, *options).refuses(code, *parts)

    def test_labels_of_outcomes(self, compute, save):
        p, t = save("p.npy", [0.3, -1.0, 2.0]), save("t.npy", [1, 0, 0])
        words = ("bce", p, t, "--class-weight", "balanced", "-f", "json")
        assert compute(*words, "--class-counts", "0=30,1=10").json["receipt"]["class_weight"] == [2 / 3, 2.0]


class TestWeightsByEffectiveNumber:
    def test_are_those_of_the_paper(self, compute, files):
        found = compute("ce", *files, "--class-weight", "effective:0.9", "-f", "json").json
        each = np.array([0.1 / (1 - 0.9**2), 1.0, 1.0])
        weights = 3 * each / each.sum()
        assert found["receipt"]["class_weight"] == pytest.approx(weights.tolist(), rel=1e-14)
        rule = "effective:0.9: k * e / sum(e) with e = (1 - beta) / (1 - beta**n)"
        assert found["receipt"]["class_weight_rule"] == rule
        by_hand = ",".join(f"{name}={w!r}" for name, w in zip(("cat", "dog", "eel"), weights.tolist(), strict=True))
        again = compute("ce", *files, "--class-weight", by_hand, "-f", "value").value
        assert found["value"] == pytest.approx(again, rel=1e-14)

    def test_between_one_and_the_inverse_counts(self, compute, files):
        counts = ("--class-counts", "cat=1000,dog=10,eel=1", "-f", "json")
        weights = {
            beta: compute("ce", *files, "--class-weight", f"effective:{beta}", *counts).json["receipt"]["class_weight"]
            for beta in ("0", "0.999999999999")
        }
        inverse = np.array([1 / 1000, 1 / 10, 1])
        assert weights["0"] == [1, 1, 1]
        assert weights["0.999999999999"] == pytest.approx((3 * inverse / inverse.sum()).tolist(), rel=1e-8)

    def test_a_class_without_samples_has_no_weight(self, compute, files):
        words = ("--class-weight", "effective:0.5", "--ignore-index", "eel", "-f", "json")
        weights = compute("ce", *files, *words).json["receipt"]["class_weight"]
        assert weights == pytest.approx([3 * (2 / 3) / (5 / 3), 3 / (5 / 3), 0], rel=1e-14)

    def test_of_outputs(self, compute, save):
        p, t = save("p.npy", [[0.3, -1.0], [2.0, 0.1], [0.0, 0.0]]), save("t.npy", [[1, 0], [1, 1], [1, 0]])
        found = compute("bce", p, t, "--class-weight", "effective:0.5", "-f", "json").json
        each = np.array([0.5 / (1 - 0.5**3), 1.0])
        assert found["receipt"]["output_weight"] == pytest.approx((2 * each / each.sum()).tolist(), rel=1e-14)


def test_models_cannot_be_compared_by_counts_of_other_rows(run, files, write):
    ids = write("ids.csv", "id,cat,dog,eel\na,1,0,0\nb,0,1,0\n"), write("t.csv", "id,label\na,cat\nb,dog\n")
    words = ("compare", "ldam", ids[0], ids[0], "--targets", ids[1], "--id", "id", "--on-unmatched", "drop")
    run(*words, "--class-counts", "targets").refuses(2, "--class-counts targets with --on-unmatched drop", "by hand")


def test_the_name_of_the_taylor_softmax_is_that_of_its_cross_entropy():
    for name in ("taylor-softmax-cross-entropy", "taylor-softmax"):
        value, slope = called(name, [[1.0, 0, -1]], index(0))
        # The series up to the square: 5/2, 1 and 1/2.
        assert value[0] == pytest.approx(math.log(8 / 5), rel=1e-14)
        assert slope[0] == pytest.approx([(5 / 8 - 1) * 2 / 2.5, 1 / 4, 0], rel=1e-14)
    value, _ = called("taylor-softmax", [[1.0, 0, -1]], index(0), order=4)
    series = [1 + 1 + 1 / 2 + 1 / 6 + 1 / 24, 1, 1 - 1 + 1 / 2 - 1 / 6 + 1 / 24]
    assert value[0] == pytest.approx(math.log(sum(series) / series[0]), rel=1e-14)
