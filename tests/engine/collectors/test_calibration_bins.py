"""ece, mce and classwise_ece of `compute`: against torchmetrics, scikit-learn and exact fractions."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from reference import sigmoid, softmax

import losscli
from losscli.analysis.calibration.reliability import Reliability
from losscli.analysis.calibration.scores import Confidences
from losscli.engine.collectors.classwise_bins import ClasswiseGaps

GOLDEN = json.loads((Path(__file__).parents[2] / "analysis" / "calibration" / "calibrators.json").read_text())
"""By make_calibrators.py: scikit-learn 1.9.1, torchmetrics 1.9.0 on torch 2.14.1."""


def cancer(sample_data):
    return str(sample_data / "cancer_logits.npy"), str(sample_data / "cancer_labels.npy")


class TestOfTwoOutcomes:
    def test_as_torchmetrics(self, compute, sample_data):
        found = compute("bce", *cancer(sample_data)).json
        errors = GOLDEN["cancer"]["errors"]
        # The logits are of float32, and so are ours of each bin's sums in its rows alone.
        assert found["summary"]["ece"] == pytest.approx(errors["l1"]["15"], rel=1e-6)
        assert found["summary"]["mce"] == pytest.approx(errors["max"]["15"], rel=1e-6)
        assert found["receipt"]["calibration"].startswith("p(positive) against the fraction of positives, 15 bins")

    def test_as_the_curve_of_scikit_learn(self, sample_data):
        z, y = (np.load(file) for file in cancer(sample_data))
        found = Reliability.of_groups(
            Confidences.of(sigmoid(z.astype(float)), y == 1, 10).groups(), 10, "width", positive=True
        )
        curve = GOLDEN["cancer"]["curves"]["uniform"]
        assert found.accuracy == pytest.approx(curve["fraction"], rel=1e-12)
        assert found.confidence == pytest.approx(curve["mean"], rel=1e-12)
        assert found.of_what == "p(positive)"

    def test_the_other_form(self, compute, save):
        p, y = np.array([0.1, 0.1, 0.9, 0.9]), [0, 1, 1, 1]
        words = save("p.npy", p), save("y.npy", y), "--from", "probs"
        # Positives: 1/2 against 1/10, and 1 against 9/10. Right predictions: 3/4 against 9/10.
        positive, predicted = Fraction(4, 10) / 2 + Fraction(1, 10) / 2, Fraction(9, 10) - Fraction(3, 4)
        assert compute("bce", *words).json["summary"]["ece"] == pytest.approx(float(positive))
        assert compute("bce", *words, "--reliability-of", "positive").json["summary"]["ece"] == pytest.approx(
            float(positive)
        )
        found = compute("bce", *words, "--reliability-of", "predicted").json
        assert found["summary"]["ece"] == pytest.approx(float(predicted))
        assert found["receipt"]["calibration"].startswith("p(predicted) against the fraction of right predictions")

    def test_tables_say_which(self, compute, save):
        words = save("p.npy", [0.3, -0.2]), save("y.npy", [0, 1]), "-f", "table"
        assert "\nece of p(positive) " in compute("bce", *words).out
        assert "\nmce of p(predicted) " in compute("bce", *words, "--reliability-of", "predicted").out
        two = save("z.npy", [[0, 0.3], [0, -0.2]])
        assert "\nece of p(predicted) " in compute("ce", two, *words[1:]).out

    def test_two_columns_have_a_positive_class_on_request(self, compute, save):
        z, y = np.random.default_rng(0).normal(0, 2, 90), np.arange(90) % 2
        words = save("y.npy", y)
        one = compute("bce", save("z.npy", z), words).json["summary"]["ece"]
        two = save("z2.npy", np.stack([np.zeros(90), z], axis=1))
        found = compute("ce", two, words, "--reliability-of", "positive").json["summary"]["ece"]
        assert found == pytest.approx(one, rel=1e-12)

    def test_large_files_have_it_on_request(self, compute, save, monkeypatch):
        monkeypatch.setattr("losscli.measurement.measure.MOST_ELEMENTS", 1)
        words = save("p.npy", [0.3, -0.2]), save("y.npy", [0, 1])
        assert "ece" not in compute("bce", *words).json["summary"]
        assert "ece" in compute("bce", *words, "--reliability-of", "positive").json["summary"]

    def test_refusals(self, compute, save):
        z, y = save("z.npy", np.eye(3)), save("y.npy", [0, 1, 2])
        compute("ce", z, y, "--reliability-of", "positive").refuses(2, "z.npy has 3 classes", "say predicted")
        compute("bce", z, save("t.npy", np.eye(3)), "--reliability-of", "positive").refuses(
            2, "have no ece", "leave it out"
        )
        compute("huber", z, z, "--reliability-of", "positive").refuses(2, "huber takes no --reliability-of")

    def test_in_suites(self, run, save, write):
        save("p.npy", [0.1, 0.1, 0.9, 0.9]), save("y.npy", [0, 1, 1, 1])
        table = "[measure.m]\nloss = 'bce'\npredictions = 'p.npy'\ntargets = 'y.npy'\nfrom = 'probs'\n"
        write("s.toml", f"{table}reliability-of = 'predicted'\nrequire = ['ece <= 0.2']\n")
        assert run("run", "s.toml").code == 0
        write("s.toml", f"{table}require = ['ece <= 0.2']\n")  # 1/4 of p(positive)
        assert run("run", "s.toml").code == 1


class TestClasswise:
    def test_as_the_mean_of_torchmetrics_over_classes(self, compute, sample_data):
        words = str(sample_data / "digits_logits.npy"), str(sample_data / "digits_labels.npy"), "--classwise-ece"
        found = compute("ce", *words).json
        assert found["summary"]["classwise_ece"] == pytest.approx(GOLDEN["digits"]["classwise"]["15"], rel=1e-9)
        assert "mean over classes of the ece of p(class)" in found["receipt"]["classwise_calibration"]

    @pytest.mark.parametrize("size", [100, 1 << 21])
    def test_in_exact_arithmetic(self, compute, save, monkeypatch, size):
        monkeypatch.setattr("losscli.engine.job.BATCH_BYTES", size)
        monkeypatch.setattr("losscli.engine.job.CHUNK_BYTES", 2 * size)
        p = np.random.default_rng(3).dirichlet(np.ones(4), 60)
        p[0] = [0, 1, 0, 0]  # the ends of the first bin and of the last
        y = np.random.default_rng(4).integers(0, 4, 60)
        total = Fraction(0)
        for k in range(4):
            bins = {}
            for i in range(60):
                number = next(b for b in range(1, 16) if p[i, k] <= b / 15)
                bins[number] = bins.get(number, 0) + Fraction(float(p[i, k])) - int(y[i] == k)
            total += sum(map(abs, bins.values()))
        found = compute("ce", save("p.npy", p), save("y.npy", y), "--from", "probs", "--classwise-ece").json
        assert found["summary"]["classwise_ece"] == pytest.approx(float(total / 4 / 60), rel=1e-12)

    def test_of_several_labels_a_row(self, compute, save):
        z, y = np.random.default_rng(1).normal(0, 2, (80, 3)), np.random.default_rng(2).integers(0, 2, (80, 3))
        found = compute("bce", save("z.npy", z), save("y.npy", y), "--classwise-ece").json["summary"]["classwise_ece"]
        each = [compute("bce", save("a.npy", z[:, k]), save("b.npy", y[:, k])).json["summary"]["ece"] for k in range(3)]
        assert found == pytest.approx(np.mean(each), rel=1e-12)

    def test_a_requirement_is_a_request(self, compute, save):
        words = save("z.npy", np.random.default_rng(1).normal(0, 2, (80, 3))), save("y.npy", np.arange(80) % 3)
        assert "classwise_ece" not in compute("ce", *words).json["summary"]
        found = compute("ce", *words, "--require", "classwise_ece < 0.01")
        assert (found.code, found.json["requirements"][0]["met"]) == (1, False)

    def test_of_python(self, sample_data):
        words = str(sample_data / "digits_logits.npy"), str(sample_data / "digits_labels.npy")
        found = losscli.compute("ce", *words, classwise_ece=True, require=["classwise_ece < 0.1"])
        assert found.summary["classwise_ece"] == found.requirements[0]["actual"]
        assert losscli.compute("ce", *words, require=["classwise_ece < 0.1"]).met

    def test_in_suites(self, run, save, write):
        save("z.npy", np.random.default_rng(1).normal(0, 2, (80, 3))), save("y.npy", np.arange(80) % 3)
        table = "[measure.m]\nloss = 'ce'\npredictions = 'z.npy'\ntargets = 'y.npy'\n"
        write("s.toml", f"{table}require = ['classwise_ece < 0.01']\n")
        assert run("run", "s.toml").code == 1

    def test_parts_give_the_digits_of_one_pass(self, run, compute, save, monkeypatch):
        monkeypatch.setattr("losscli.engine.job.CHUNK_BYTES", 500)
        words = save("z.npy", np.random.default_rng(1).normal(0, 2, (80, 3))), save("y.npy", np.arange(80) % 3)
        for number in (1, 2):
            words_of_part = ("--classwise-ece", "--part", f"{number}/2", "-o", f"{number}.part")
            assert run("compute", "ce", *words, *words_of_part).code == 0
        found = run("merge", "1.part", "2.part", "-f", "json").json["summary"]
        assert found == compute("ce", *words, "--classwise-ece").json["summary"]

    def test_refusals(self, compute, save):
        one = save("z.npy", [0.3, 1]), save("y.npy", [0, 1])
        compute("bce", *one, "--classwise-ece").refuses(2, "one number per row", "leave it out")
        compute("bce", *one, "--require", "classwise_ece < 1").refuses(2, "one number per row")
        soft = save("p.npy", np.full((2, 3), 0.5)), save("t.npy", softmax(np.eye(3)[:2]))
        compute("ce", *soft, "--classwise-ece").refuses(2, "no hard label")

    def test_a_class_takes_eight_bytes_a_bin(self):
        p = np.full((3, 50_000), 1 / 50_000)
        found = ClasswiseGaps.of(p, np.array([0, 1, 2]))
        assert found.gaps.nbytes == 8 * 15 * 50_000
        assert found.error == pytest.approx((3 * (1 - 3 / 50_000) + 49_997 * 3 / 50_000) / 3 / 50_000)
