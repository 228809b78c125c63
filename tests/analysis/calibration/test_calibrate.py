"""`losscli calibrate`: against other packages, mathematics, and what calibration must keep."""

import io
import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from reference import sigmoid, softmax
from scipy.stats import binom

from losscli.analysis.calibration.reliability import Groups, Reliability
from losscli.analysis.calibration.scores import Confidences, null_band
from losscli.analysis.calibration.temperature import Fit, Local, Point, Probabilities, Sums
from losscli.cli.main import run as run_line

GOLDEN = json.loads((Path(__file__).parent / "calibration.json").read_text())
"""By make_calibration.py: scipy 1.17.1, scikit-learn 1.9.1, torchmetrics 1.9.0 on torch 2.13.0."""


def near(expected, rel=1e-9, abs=1e-15):
    return pytest.approx(expected, rel=rel, abs=abs)


def drawn(n=400, k=4, T=1.7, seed=0):
    """Logits and labels that are drawn from softmax(z / T)."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 3, (n, k))
    y = (softmax(z / T).cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    return z, y


def cross_entropy(z, y):
    p = softmax(np.asarray(z, float))
    return -np.log(p[np.arange(len(y)), y]).mean()


@pytest.fixture
def calibrate(run):
    """Run `losscli calibrate ...`, JSON."""
    return lambda *words, **how: run("calibrate", *words, "-f", "json", **how)


@pytest.fixture
def files(save):
    """Logits, labels, and the names of their files."""
    z, y = drawn()
    return save("z.npy", z), save("y.npy", y)


@pytest.mark.simd
class TestAgainstOtherPackages:
    digits, cancer = GOLDEN["digits"], GOLDEN["cancer"]

    @pytest.mark.parametrize("form", ["npy", "csv"])
    def test_classes(self, calibrate, sample_data, form):
        words = ("--id", "id") if form == "csv" else ()
        p, t = (str(sample_data / f"digits_{name}.{form}") for name in ("logits", "labels"))
        found = calibrate(p, t, *words).json
        assert found["temperature"] == near(self.digits["temperature"], 1e-6)
        assert (found["converged"], found["limit"]) == (True, None)
        for side in ("before", "after"):
            theirs = self.digits[side]
            assert found[side]["cross_entropy"] == near(theirs["cross_entropy"], 1e-8)
            assert found[side]["brier"] == near(theirs["brier"], 1e-7)
            assert found[side]["ece"]["width"]["value"] == near(theirs["ece"]["15"], abs=1e-6)

    def test_bins(self, calibrate, sample_data):
        found = calibrate(
            str(sample_data / "digits_logits.npy"), str(sample_data / "digits_labels.npy"), "--bins", "10"
        ).json
        for side in ("before", "after"):
            assert found[side]["ece"]["width"]["value"] == near(self.digits[side]["ece"]["10"], abs=1e-6)
            assert found[side]["ece"]["width"]["bins"] == 10

    def test_one_score(self, calibrate, sample_data):
        file = str(sample_data / "cancer.csv")
        found = calibrate(f"{file}:logit", f"{file}:label", "--reliability-of", "predicted").json
        assert found["ece_of"] == "p(predicted)"
        assert found["temperature"] == near(self.cancer["temperature"], 1e-6)
        for side in ("before", "after"):
            theirs = self.cancer[side]
            assert found[side]["cross_entropy"] == near(theirs["cross_entropy"])
            assert found[side]["brier"] == near(theirs["brier"])
            assert found[side]["ece"]["width"]["value"] == near(theirs["ece"]["15"], abs=1e-6)

    @pytest.mark.parametrize("name", ["digits", "cancer"])
    def test_biases(self, calibrate, sample_data, name):
        theirs = GOLDEN[name]["with_biases"]
        p, t = (str(sample_data / f"{name}_{what}.npy") for what in ("logits", "labels"))
        found = calibrate(p, t, "--bias").json
        assert found["temperature"] == near(theirs["temperature"], 1e-6)
        assert list(found["bias"].values()) == near(theirs["bias"], abs=1e-6)
        assert sum(found["bias"].values()) == near(0, abs=1e-12)
        assert found["after"]["cross_entropy"] == near(theirs["cross_entropy"], 1e-7)
        assert found["converged"] is True

    def test_the_brier_score_is_that_of_the_registry(self, calibrate, compute, files):
        assert calibrate(*files).json["before"]["brier"] == near(compute("brier", *files).json["value"])

    def test_ece_is_that_of_compute(self, calibrate, compute, files):
        assert calibrate(*files).json["before"]["ece"]["width"]["value"] == near(
            compute("ce", *files).json["summary"]["ece"]
        )


class TestTheMinimum:
    def test_the_slope_is_zero_in_fifty_digits(self, calibrate, save):
        z, y = drawn(30, 3)
        found = calibrate(save("z.npy", z), save("y.npy", y)).json
        with mpmath.workdps(50):
            rows = [[mpmath.mpf(float(v)) for v in row] for row in z]

            def slope(beta):
                total = mpmath.mpf(0)
                for row, label in zip(rows, y, strict=True):
                    terms = [mpmath.exp(beta * v) for v in row]
                    total += mpmath.fdot(terms, row) / mpmath.fsum(terms) - row[label]
                return total

            best = 1 / mpmath.findroot(slope, 1 / mpmath.mpf(found["temperature"]))
        assert found["temperature"] == near(float(best), 1e-13)

    @pytest.mark.parametrize("T", [0.3, 1.0, 2.5])
    def test_the_temperature_that_labels_were_drawn_with(self, calibrate, save, T):
        z, y = drawn(20_000, 5, T)
        # The standard error of T here is some 1 %.
        assert calibrate(save("z.npy", z), save("y.npy", y)).json["temperature"] == near(T, 0.05)

    def test_biases_that_labels_were_drawn_with(self, calibrate, save):
        z, _ = drawn(20_000, 3)
        b = np.array([0.8, -0.5, -0.3])
        u = np.random.default_rng(1).random((20_000, 1))
        y = (softmax(z / 1.5 + b).cumsum(axis=1) > u).argmax(axis=1)
        found = calibrate(save("z.npy", z), save("y.npy", y), "--bias").json
        assert found["temperature"] == near(1.5, 0.05)
        assert list(found["bias"].values()) == near(b.tolist(), abs=0.1)

    @pytest.mark.parametrize("bias", [(), ("--bias",)])
    @pytest.mark.parametrize("factor", [1e-30, 1e-6, 0.25, 3.0, 1e6, 1e30])
    def test_scaling_the_logits_scales_the_temperature(self, calibrate, save, files, factor, bias):
        one = calibrate(*files, *bias).json
        other = calibrate(save("s.npy", drawn()[0] * factor), files[1], *bias).json
        assert other["temperature"] == near(one["temperature"] * factor, 1e-8)
        assert other["after"]["cross_entropy"] == near(one["after"]["cross_entropy"], 1e-12)
        if bias:
            assert list(other["bias"].values()) == near(list(one["bias"].values()), abs=1e-7)

    @pytest.mark.parametrize("bias", [(), ("--bias",)])
    def test_adding_a_number_to_a_row_changes_nothing(self, calibrate, save, files, bias):
        z = drawn()[0]
        moved = z + np.arange(len(z))[:, None]
        one, other = calibrate(*files, *bias).json, calibrate(save("s.npy", moved), files[1], *bias).json
        assert other["temperature"] == near(one["temperature"], 1e-8)

    def test_weights_count_as_copies(self, calibrate, save):
        z, y = drawn(60)
        times = np.random.default_rng(3).integers(0, 4, 60)
        many = calibrate(save("a.npy", np.repeat(z, times, axis=0)), save("b.npy", np.repeat(y, times))).json
        few = calibrate(save("z.npy", z), save("y.npy", y), "--sample-weight", save("w.npy", times)).json
        assert few["temperature"] == near(many["temperature"])
        for side in ("before", "after"):
            assert few[side]["cross_entropy"] == near(many[side]["cross_entropy"])
            assert few[side]["brier"] == near(many[side]["brier"])

    def test_ignored_rows_do_not_exist(self, calibrate, save):
        z, y = drawn(80)
        kept = np.arange(80) % 3 > 0
        some_rows = calibrate(save("a.npy", z[kept]), save("b.npy", y[kept])).json
        marked = calibrate(save("z.npy", z), save("y.npy", np.where(kept, y, -1)), "--ignore-index", "-1").json
        assert (marked["samples"], marked["ignored"]) == (int(kept.sum()), 80 - int(kept.sum()))
        assert {**marked, **dict.fromkeys(("ignored", "ignore_index", "signature", "predictions", "targets"))} == {
            **some_rows,
            **dict.fromkeys(("ignored", "ignore_index", "signature", "predictions", "targets")),
        }

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        some.integers(1, 8),
        some.integers(2, 4),
        some.integers(0, 2**32 - 1),
        some.sampled_from([0.01, 1.0, 30.0]),
        some.booleans(),
    )
    def test_never_worse_than_as_it_was(self, folder, n, k, seed, scale, bias):
        random = np.random.default_rng(seed)
        z, y = random.normal(0, scale, (n, k)).round(1), random.integers(0, k, n)
        np.save("z.npy", z)
        np.save("y.npy", y)
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdout", out)
            code = run_line(
                [
                    "calibrate",
                    "z.npy",
                    "y.npy",
                    "--columns",
                    "*",
                    "-f",
                    "json",
                    "-q",
                    *(["--bias"] if bias and len(set(y)) == k else []),
                ]
            )
        assert code == 0
        found = json.loads(out.getvalue())
        before, after = found["before"]["cross_entropy"], found["after"]["cross_entropy"]
        assert after <= before == near(cross_entropy(z, y), 1e-12)
        logits = z / found["temperature"] + (list(found["bias"].values()) if "bias" in found else 0)
        assert after == near(cross_entropy(logits, y), 1e-7, abs=1e-12)
        if not found["converged"]:
            assert found["limit"] is not None or bias
        elif not bias:
            for factor in (0.999, 1.001):
                assert cross_entropy(z / found["temperature"] * factor, y) >= after - 1e-14


class TestDerivatives:
    @pytest.mark.parametrize("biased", [False, True])
    def test_against_differences(self, biased):
        z, y = drawn(50, 3)
        w = np.random.default_rng(2).random(50)
        gaps = z - z[np.arange(50), y][:, None]
        at, step = np.array([0.7, 0.3, -0.1, -0.2][: 4 if biased else 1]), 1e-4

        def local(x):
            point = Point(float(x[0]), x[1:] if biased else None)
            return Local.of(Probabilities.of(point, gaps, y).sums(gaps, y, w, point))

        here = local(at)
        assert here.value == near(
            np.average(-np.log(softmax(at[0] * z + (at[1:] if biased else 0)))[np.arange(50), y], weights=w)
        )
        for i, unit in enumerate(np.eye(len(at))):
            up, down = local(at + step * unit), local(at - step * unit)
            assert here.gradient[i] == near((up.value - down.value) / (2 * step), 1e-6)
            assert here.hessian[i] == near((up.gradient - down.gradient) / (2 * step), 1e-5)

    def test_sums_are_compensated(self):
        parts = [Sums.of(np.array([x])) for x in (1e16, 1.0, 1.0, -1e16, 0.5)]
        assert sum(parts[1:], parts[0]).values.tolist() == [2.5]

    @pytest.mark.parametrize("name", ["digits", "cancer"])
    def test_few_steps(self, calibrate, sample_data, name):
        p, t = (str(sample_data / f"{name}_{what}.npy") for what in ("logits", "labels"))
        assert calibrate(p, t).json["iterations"] <= 8


class TestKinds:
    def test_probabilities_and_log_probabilities_are_their_logarithms(self, calibrate, save, files):
        z, _ = drawn()
        logits = calibrate(*files).json
        probs = calibrate(save("p.npy", softmax(z)), files[1], "--from", "probs").json
        logs = calibrate(save("l.npy", np.log(softmax(z))), files[1], "--from", "log-probs").json
        for other in (probs, logs):
            assert other["temperature"] == near(logits["temperature"])
            assert other["after"]["brier"] == near(logits["after"]["brier"])

    def test_one_score_is_two_of_which_one_is_zero(self, calibrate, save):
        z, y = drawn(200, 2)
        s = z[:, 1] - z[:, 0]
        t = save("y.npy", y)
        two = calibrate(save("z.npy", z), t).json
        for words in ((save("s.npy", s),), (save("p.npy", sigmoid(s)), "--from", "probs")):
            one = calibrate(words[0], t, *words[1:]).json
            assert one["temperature"] == near(two["temperature"], 1e-8)
            assert 2 * one["after"]["brier"] == near(two["after"]["brier"], 1e-8)
        logs = calibrate(save("l.npy", np.log(sigmoid(s))), t, "--from", "log-probs").json
        assert logs["temperature"] == near(two["temperature"], 1e-6)

    def test_probabilities_of_zero(self, calibrate, save):
        p = [[0.5, 0.5, 0], [0.2, 0.8, 0], [0, 0.1, 0.9], [0.3, 0, 0.7]]
        y = save("y.npy", [0, 0, 2, 2])
        found = calibrate(save("p.npy", p), y, "--from", "probs").json
        with np.errstate(divide="ignore"):
            z = np.log(p) / found["temperature"]
        assert found["after"]["cross_entropy"] == near(cross_entropy(z, [0, 0, 2, 2]))

    @pytest.mark.parametrize("kind", ["probs", "logits"])
    def test_a_true_class_of_probability_zero(self, calibrate, save, kind):
        p = np.array([[0.5, 0.5, 0], [1, 0, 0], [0.2, 0.8, 0], [0, 1, 0]])
        with np.errstate(divide="ignore"):
            given = p if kind == "probs" else np.log(p)
        done = calibrate(save("p.npy", given), save("y.npy", [0, 1, 0, 0]), "--from", kind)
        done.refuses(3, "p.npy[1]: the prediction gives the true class probability 0", "every temperature", "row 3")

    def test_such_a_row_of_weight_zero_does_not_exist(self, calibrate, save):
        z, y = drawn(40)
        bad = z.copy()
        bad[3, y[3]] = -np.inf
        w = np.ones(40)
        w[3] = 0
        t = save("y.npy", y)
        found = calibrate(save("b.npy", bad), t, "--sample-weight", save("w.npy", w)).json
        assert found["temperature"] == calibrate(save("z.npy", z), t, "--sample-weight", "w.npy").json["temperature"]

    def test_rows_that_miss_one_are_divided_by_their_sum(self, calibrate, save, files):
        p = softmax(drawn()[0]) * 0.9996
        done = calibrate(save("p.npy", p), files[1], "--from", "probs")
        assert done.json["before"]["cross_entropy"] == near(cross_entropy(np.log(p), drawn()[1]))
        assert "probabilities are divided by the sum of their row" in done.err

    def test_logits_that_look_like_probabilities(self, calibrate, save, files):
        assert "double-softmax" in calibrate(save("p.npy", softmax(drawn()[0])), files[1]).err

    @pytest.mark.parametrize(
        ("p", "words", "parts"),
        [
            ([[0.5, 0.6], [0.5, 0.5]], ("--from", "probs"), ("p.npy[0]", "sum to 1.1")),
            ([[np.nan, 1], [0, 1]], (), ("p.npy[0, 0]", "NaN")),
            ([[1.0, 2], [0, 1], [2, 0]], (), ("3", "2")),
            ([[1e200, 0], [0, 1]], (), ("1e+200 apart",)),
            ([[1e-200, 0], [0, 0]], (), ("1e-200 apart",)),
        ],
    )
    @pytest.mark.filterwarnings("ignore:overflow encountered")
    def test_unusable_predictions(self, calibrate, save, p, words, parts):
        calibrate(save("p.npy", p), save("y.npy", [1, 0]), *words).refuses(3, *parts)

    def test_soft_targets(self, calibrate, save, files):
        soft = softmax(drawn()[0])
        calibrate(files[0], save("t.npy", soft)).refuses(3, "soft targets name no class")

    def test_threads_and_blocks_do_not_matter(self, calibrate, files, monkeypatch):
        one = calibrate(*files, "--bias").json
        monkeypatch.setattr("losscli.engine.job.BATCH_BYTES", 1000)
        monkeypatch.setattr("losscli.engine.job.CHUNK_BYTES", 2000)
        several = calibrate(*files, "--bias", "--threads", "2").json
        assert several == calibrate(*files, "--bias", "--threads", "1").json
        assert several["temperature"] == near(one["temperature"], 1e-12)


class TestNoMinimum:
    def check(self, done, limit, *parts):
        found = done.json
        assert (found["temperature"], found["converged"], found["limit"]) == (1.0, False, limit)
        assert found["before"] == found["after"]
        lines = [line for line in done.err.splitlines() if "no temperature is best" in line]
        assert len(lines) == 1
        for part in (*parts, "T = 1 is kept"):
            assert part in lines[0]

    @pytest.mark.parametrize("bias", [(), ("--bias",)])
    def test_all_rows_right(self, calibrate, save, bias):
        y = np.arange(60) % 3
        done = calibrate(save("z.npy", 3 * np.eye(3)[y] - 1), save("y.npy", y), *bias)
        self.check(done, "T -> 0", "right in every row", "T -> 0")

    def test_biases_that_make_all_rows_right(self, calibrate, save):
        z, y = drawn(60, 3)
        y = (z + np.array([2, 0, -1])).argmax(axis=1)
        assert calibrate(save("z.npy", z), save("y.npy", y)).json["limit"] is None
        self.check(calibrate("z.npy", "y.npy", "--bias"), "T -> 0")

    @pytest.mark.parametrize("bias", [(), ("--bias",)])
    def test_worse_than_none(self, calibrate, save, files, bias):
        self.check(
            calibrate(save("n.npy", -drawn()[0]), files[1], *bias), "T -> infinity", "no better", "losscli check"
        )

    def test_neither_better_nor_worse_than_none(self, calibrate, save):
        """The slope at 1 / T = 0 is (-0.1 - 0.3 + 1.8 + 1.9 - 2.3 - 1) / 12 = 0, and not quite 0 in float64."""
        z = [[-0.6, -0.7], [-0.6, -0.3], [-0.6, 1.2], [-1.4, 0.5], [1.1, -1.2], [-1.2, -0.2]]
        self.check(calibrate(save("z.npy", z), save("y.npy", [0, 1, 0, 0, 0, 1])), "T -> infinity")

    def test_no_better_than_the_frequencies_of_the_classes(self, calibrate, save):
        # Frequent and always predicted: T alone is of use. The rows of the other class are predicted the least.
        s = np.repeat([2.0, 3.0], [90, 10])
        y = np.repeat([1, 0], [90, 10])
        p, t = save("s.npy", s), save("y.npy", y)
        assert calibrate(p, t).json["limit"] is None
        done = calibrate(p, t, "--bias")
        self.check(done, "T -> infinity")
        assert done.json["bias"] == {"0": 0, "1": 0}

    def test_a_fit_that_is_worse_is_not_taken(self, calibrate, files, monkeypatch):
        monkeypatch.setattr("losscli.analysis.calibration.fit.fit", lambda passes, first: Fit(Point(0.01), True, 3))
        found = calibrate(*files).json
        assert (found["temperature"], found["after"]) == (1.0, found["before"])

    def test_constant_predictions(self, calibrate, save, files):
        done = calibrate(save("c.npy", np.full((400, 4), 0.3)), files[1])
        self.check(done, "any T", "equal probabilities")

    def test_one_row(self, calibrate, save):
        y = save("y.npy", [1])
        self.check(calibrate(save("r.npy", [[1.0, 2]]), y), "T -> 0", "there is one")
        self.check(calibrate(save("w.npy", [[2.0, 1]]), y), "T -> infinity")

    def test_one_row_with_a_minimum(self, calibrate, save):
        # exp(2 b) (2 - 1) + exp(-9 b) (-9 - 1) = 1: slope E[z] - z_y = 0 where 1 * e^(b) = 10 e^(-10 b): b = log(10) / 11.
        found = calibrate(save("r.npy", [[1.0, 2, -9]]), save("y.npy", [0])).json
        assert found["temperature"] == near(11 / np.log(10))

    def test_no_rows(self, calibrate, save):
        calibrate(save("z.npy", np.zeros((0, 3))), save("y.npy", np.zeros(0, int))).refuses(3, "no samples left")

    def test_biases_of_classes_without_rows(self, calibrate, write, save):
        z, _ = drawn(40, 3)
        y = save("y.npy", np.arange(40) % 2)
        words = (save("z.npy", z), y, "--classes", "ant,bee,cat", "--bias")
        calibrate(*words).refuses(3, "y.npy: --bias: no row has 1 class of 3 (cat)", "leave out --bias")

    def test_biases_of_too_many_classes(self, calibrate, save):
        p = save("z.npy", np.zeros((3, 201)))
        calibrate(p, save("y.npy", [0, 1, 2]), "--bias").refuses(2, "201 classes", "200 at most")

    def test_what_does_not_converge_says_so(self, calibrate, files, monkeypatch):
        monkeypatch.setattr("losscli.analysis.calibration.temperature.MOST_STEPS", 1)
        done = calibrate(*files)
        assert done.json["converged"] is False
        assert "has not converged after 1 step" in done.err
        assert done.json["after"]["cross_entropy"] <= done.json["before"]["cross_entropy"]


class TestTheBand:
    def test_of_one_bin_it_is_the_binomial_s(self):
        n, p = 200, 0.8
        groups = Groups(np.full(n, p), np.ones(n, int), np.full(n, p), np.ones(n))
        low, high = null_band(groups, 1, "width", 0)
        counts = np.arange(n + 1)
        gaps, weights = np.abs(counts / n - p), binom.pmf(counts, n, p)
        order = np.argsort(gaps)
        upto = np.cumsum(weights[order])
        expected = [gaps[order][np.searchsorted(upto, share)] for share in (0.025, 0.975)]
        assert (low, high) == near(tuple(expected), abs=1.5 / n)

    @pytest.mark.parametrize("binning", ["width", "mass"])
    def test_by_simulating_every_row(self, binning):
        random = np.random.default_rng(4)
        confidence = 1 - random.random(500) ** 3 / 2
        groups = Groups(confidence, np.ones(500, int), confidence, np.zeros(500))
        errors = [
            Reliability.of_groups(
                Confidences.of(confidence, random.random(500) < confidence, 10).groups(), 10, binning
            ).error
            for _ in range(1000)
        ]
        assert null_band(groups, 10, binning, 0) == near(tuple(np.percentile(errors, (2.5, 97.5))), 0.1)

    def test_rows_that_differ_within_a_bin_vary_less_than_a_binomial(self):
        # Half of the rows are certain: the variance is that of the others alone.
        confidence = np.repeat([0.5, 1.0], 10_000)
        groups = Groups(confidence, np.ones(20_000, int), confidence, np.zeros(20_000))
        _, high = null_band(groups, 1, "width", 0)
        # 2.2414 is the 97.5th percentile of the size of a normal number.
        assert high == near(2.2414 * np.sqrt(10_000 * 0.25) / 20_000, 0.1)

    def test_a_confidence_and_its_opposite_are_drawn_apart(self):
        confidence = np.repeat([0.2, 0.8], 10_000)
        groups = Groups(confidence, np.ones(20_000, int), confidence, np.zeros(20_000))
        _, high = null_band(groups, 1, "width", 0)
        assert high == near(2.2414 * np.sqrt(20_000 * 0.16) / 20_000, 0.1)

    def test_seed(self, calibrate, files):
        one, same, other = (calibrate(*files, "--seed", seed).json for seed in ("0", "0", "1"))
        assert one == same
        assert one["after"]["ece"]["width"]["band"] != other["after"]["ece"]["width"]["band"]
        assert (one["seed"], other["seed"]) == (0, 1)
        assert calibrate(*files).json == one

    def test_a_calibrated_model_is_within_it(self, calibrate, save):
        z, y = drawn(4000, 4, 1.0)
        found = calibrate(save("z.npy", z), save("y.npy", y)).json
        for binning in ("width", "mass"):
            error = found["after"]["ece"][binning]
            assert error["band"][0] < error["value"] < error["band"][1]

    @pytest.mark.parametrize("binning", ["width", "mass"])
    def test_many_rows_in_cells(self, monkeypatch, binning):
        random = np.random.default_rng(5)
        confidence = np.concatenate([1 - random.random(3000) ** 4 / 2, random.random(1000), [0.0, 1.0, 1.0, 1 / 3]])
        right = random.random(len(confidence)) < confidence**2
        parts = [Confidences.of(c, r, 15) for c, r in zip(np.split(confidence, 4), np.split(right, 4), strict=True)]
        exact = sum(parts[1:], parts[0])
        monkeypatch.setattr("losscli.analysis.calibration.scores.KEPT_ROWS", 1500)
        cells = sum(parts[1:], parts[0])
        assert (exact.exact, cells.exact) == (True, False)
        one, other = (Reliability.of_groups(found.groups(), 15, binning) for found in (exact, cells))
        assert other.samples == len(confidence)
        if binning == "width":
            assert other.rows.tolist() == one.rows.tolist()
            assert other.error == near(one.error, 1e-12)
        else:
            assert other.error == near(one.error, 0.02)
            assert np.abs(other.high - one.high).max() < 2e-3
        bands = [null_band(found.groups(), 15, binning, 0) for found in (exact, cells)]
        assert bands[1] == near(bands[0], 0.05)


class TestApply:
    z, y = drawn()
    other = drawn(50, seed=9)

    @pytest.mark.parametrize("bias", [(), ("--bias",)])
    @pytest.mark.parametrize("kind", ["logits", "probs", "log-probs"])
    def test_the_output_has_the_score_that_is_promised(self, calibrate, compute, save, kind, bias):
        made = {"logits": self.z, "probs": softmax(self.z), "log-probs": np.log(softmax(self.z))}[kind]
        p, t = save("p.npy", made), save("y.npy", self.y)
        found = calibrate(p, t, "--from", kind, *bias, "-o", "out.npy").json
        assert compute("ce", "out.npy", t, "--from", kind).json["value"] == near(found["after"]["cross_entropy"])

    @pytest.mark.parametrize("bias", [(), ("--bias",)])
    @pytest.mark.parametrize("kind", ["logits", "probs", "log-probs"])
    def test_of_one_score(self, calibrate, compute, save, kind, bias):
        s = self.z[:, 0]
        made = {"logits": s, "probs": sigmoid(s), "log-probs": np.log(sigmoid(s))}[kind]
        p, t = save("p.npy", made), save("y.npy", self.y == 0)
        found = calibrate(p, t, "--from", kind, *bias, "-o", "out.npy").json
        assert np.load("out.npy").shape == s.shape
        assert compute("bce", "out.npy", t, "--from", kind).json["value"] == near(found["after"]["cross_entropy"])

    def test_to_another_file(self, calibrate, save, files):
        o = save("o.npy", self.other[0])
        found = calibrate(*files, "--apply", o, "--output", "out.npy").json
        assert np.load("out.npy") == near(self.other[0] / found["temperature"])

    @pytest.mark.parametrize(
        ("dtype", "written"), [("f4", "f4"), ("f8", "f8"), ("f2", "f4"), (">f4", "f4"), ("i4", "f8")]
    )
    def test_dtypes(self, calibrate, save, files, dtype, written):
        o = save("o.npy", np.round(self.other[0]), dtype)
        done = calibrate(*files, "--apply", o, "-o", "out.npy")
        made = np.load("out.npy")
        assert (made.dtype, made.shape) == (np.dtype(written), self.other[0].shape)
        assert made == near(np.round(self.other[0]) / done.json["temperature"], 1e-6)
        assert ("float16 would round" in done.err) == (dtype == "f2")

    def test_columns_meet_by_name_and_keep_their_order_and_ids(self, calibrate, write):
        names, z, y = ["ant", "bee", "cat", "dog"], self.z, self.y
        rows = "".join(",".join(map(repr, row)) + "\n" for row in z.tolist())
        p = write("p.csv", "z_ant,z_bee,z_cat,z_dog\n" + rows)
        t = write("t.csv", "label\n" + "".join(f"{names[i]}\n" for i in y))
        found = calibrate(p, t, "--bias").json
        assert list(found["bias"]) == names
        order = [2, 0, 3, 1]
        rows = "".join(f"r{i}," + ",".join(map(repr, row)) + "\n" for i, row in enumerate(z[:5, order].tolist()))
        o = write("o.csv", "id,z_cat,z_ant,z_dog,z_bee\n" + rows)
        # Without ids in the fit, the column of ids is left out by --columns.
        done = calibrate(p, t, "--bias", "--columns", "z_*", "--apply", o, "-o", "out.csv")
        lines = Path("out.csv").read_text().splitlines()
        assert lines[0] == "z_cat,z_ant,z_dog,z_bee"
        bias = np.array(list(done.json["bias"].values()))
        made = np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])
        assert made == near((z[:5] / done.json["temperature"] + bias)[:, order])

    def test_ids_are_kept(self, calibrate, write):
        rows = lambda z: "".join(f"r{i},{a!r},{b!r}\n" for i, (a, b) in enumerate(z))  # noqa: E731
        p = write("p.csv", "id,a,b\n" + rows(self.z[:, :2].tolist()))
        t = write("t.csv", "id,label\n" + "".join(f"r{i},{'ab'[y % 2]}\n" for i, y in reversed([*enumerate(self.y)])))
        o = write("o.csv", "id,b,a\n" + rows(self.other[0][:, :2].tolist()))
        done = calibrate(p, t, "--id", "id", "--apply", o, "-o", "out.csv")
        T = done.json["temperature"]
        lines = [line.split(",") for line in Path("out.csv").read_text().splitlines()]
        assert lines[0] == ["id", "b", "a"]
        assert [line[0] for line in lines[1:]] == [f"r{i}" for i in range(50)]
        assert np.array([line[1:] for line in lines[1:]], float) == near(self.other[0][:, :2] / T)
        without = write("n.csv", "a,b\n1,2\n")
        calibrate(p, t, "--id", "id", "--apply", without, "-o", "out.csv")
        assert Path("out.csv").read_text().splitlines()[0] == "a,b"

    def test_own_predictions_beside_their_labels(self, calibrate, write):
        rows = "".join(f"{a!r},{b!r},{'ab'[y % 2]}\n" for (a, b), y in zip(self.z[:, :2].tolist(), self.y, strict=True))
        p = write("p.csv", "a,b,label\n" + rows)
        found = calibrate(p, f"{p}:label", "-o", "out.csv").json
        made = np.genfromtxt("out.csv", delimiter=",", names=True)
        assert made["b"] == near(self.z[:, 1] / found["temperature"])

    def test_no_rows(self, calibrate, save, files):
        calibrate(*files, "--apply", save("o.npy", np.zeros((0, 4))), "-o", "out.npy")
        assert np.load("out.npy").shape == (0, 4)

    def test_one_column_stays_one_column(self, calibrate, save):
        p = save("p.npy", self.z[:, :1])
        found = calibrate(p, save("y.npy", self.y == 0), "-o", "out.npy").json
        assert np.load("out.npy") == near(self.z[:, :1] / found["temperature"])

    def test_columns_are_of_tables_alone(self, calibrate, save, write):
        p = write("p.csv", "a,b,c,d,note\n" + "".join(",".join(map(repr, row)) + ",x\n" for row in self.z.tolist()))
        o = save("o.npy", self.other[0])
        assert calibrate(p, save("y.npy", self.y), "--columns", "a,b,c,d", "--apply", o, "-o", "out.npy").code == 0
        assert np.load("out.npy").shape == (50, 4)

    def test_infinite_logits_stay(self, calibrate, save, files):
        o = save("o.npy", [[-np.inf, 0.0, 1, 2], [np.inf, 0, 0, 0]])
        calibrate(*files, "--bias", "--apply", o, "-o", "out.npy")
        made = np.load("out.npy")
        assert np.isinf(made).tolist() == [[True, False, False, False]] * 2

    @pytest.mark.parametrize("p", [[0.0, 1.0, 0.5], [1.0, 1.0, 0.0]])
    def test_certain_probabilities_stay(self, calibrate, save, p):
        s, t = save("s.npy", sigmoid(self.z[:, 0])), save("y.npy", self.y == 0)
        calibrate(s, t, "--from", "probs", "--apply", save("o.npy", p), "-o", "out.npy")
        assert np.load("out.npy") == near(p)

    def test_the_fit_in_the_table_is_that_of_the_file(self, run, save, files):
        done = run("calibrate", *files, "--apply", save("o.npy", self.other[0]), "-o", "out.csv")
        assert done.code == 0
        T = float(done.out.split()[1])
        made = np.genfromtxt("out.csv", delimiter=",", names=True)
        assert made.dtype.names == ("prediction_0", "prediction_1", "prediction_2", "prediction_3")
        assert made["prediction_2"] == near(self.other[0][:, 2] / T)


class TestRefusals:
    @pytest.fixture(autouse=True)
    def old(self, folder):
        (folder / "out.npy").write_bytes(b"old")
        yield
        assert (folder / "out.npy").read_bytes() == b"old"
        assert not list(folder.glob(".*.losscli"))

    def test_apply_without_output(self, calibrate, files):
        calibrate(*files, "--apply", files[0]).refuses(2, "--output FILE")

    def test_output_over_an_input(self, calibrate, save, files):
        calibrate(*files, "-o", files[0]).refuses(2, "z.npy", "an input")
        o = save("o.npy", drawn()[0])
        calibrate(*files, "--apply", o, "-o", o).refuses(2, "o.npy", "an input")
        assert np.load(o).shape == (400, 4)

    def test_suffix(self, calibrate, files):
        calibrate(*files, "-o", "out.parquet").refuses(2, ".npy, .csv")

    @pytest.mark.parametrize("shape", [(5, 3), (5,), (4, 5)])
    def test_another_number_of_columns(self, calibrate, save, files, shape):
        calibrate(*files, "--apply", save("o.npy", np.zeros(shape)), "-o", "out.npy").refuses(3, "o.npy", "4 columns")

    def test_other_names(self, calibrate, write, save):
        p, y = write("p.csv", "a,b\n1,2\n2,1\n3,1\n"), save("y.npy", [1, 0, 1])
        for names in ("a,c", "c,d"):
            o = write("o.csv", f"{names}\n1,2\n")
            calibrate(p, y, "--apply", o, "-o", "out.npy").refuses(3, "o.csv", "not named")

    def test_a_bad_row_at_the_end(self, calibrate, save, files):
        o = np.zeros((9, 4))
        o[8, 2] = np.nan
        calibrate(*files, "--apply", save("o.npy", o), "-o", "out.npy").refuses(3, "o.npy[8, 2]", "NaN")

    def test_a_file_that_changes_meanwhile(self, calibrate, save, files, monkeypatch):
        o = save("o.npy", np.zeros((5, 4)))

        def changed(source):
            yield 0, source.read(0, 5)
            save("o.npy", np.ones((5, 4, 1)))

        monkeypatch.setattr("losscli.analysis.calibration.apply.blocks", changed)
        calibrate(*files, "--apply", o, "-o", "out.npy").refuses(3, "o.npy", "changed")

    def test_another_kind(self, calibrate, save, files):
        p = save("p.npy", softmax(drawn()[0]))
        words = (p, files[1], "--from", "probs", "-o", "out.npy", "--apply")
        calibrate(*words, save("o.npy", np.full((2, 4), 0.3))).refuses(3, "o.npy[0]", "do not sum to 1")
        calibrate(*words, save("o.npy", np.full((2, 4), 2.0))).refuses(3, "o.npy[0, 0]", "not one of probs")

    def test_nothing_is_written_where_no_temperature_is_best(self, calibrate, save, files):
        p = save("n.npy", -drawn()[0])
        calibrate(p, files[1], "-o", "out.npy", "-q").refuses(3, "T -> infinity", "out.npy is not written")

    def test_standard_input_twice(self, calibrate, files):
        file = io.BytesIO()
        np.save(file, drawn()[0])
        calibrate("-", files[1], "-o", "out.npy", stdin=file.getvalue()).refuses(2, "standard input")
        calibrate("-", files[1], "--apply", "-", "-o", "out.npy", stdin=file.getvalue()).refuses(2, "standard input")

    @pytest.mark.parametrize(
        ("words", "part"),
        [(("--bins", "0"), "--bins 0"), (("--bins", "1001"), "1001"), (("--seed", "-1"), "--seed -1")],
    )
    def test_options(self, calibrate, files, words, part):
        calibrate(*files, *words).refuses(2, part)


class TestStandardInput:
    def test_predictions(self, calibrate, files):
        file = io.BytesIO()
        np.save(file, drawn()[0])
        found = calibrate("-", files[1], stdin=file.getvalue()).json
        assert found["temperature"] == calibrate(*files).json["temperature"]

    def test_other(self, calibrate, files):
        file = io.BytesIO()
        np.save(file, drawn()[0])
        found = calibrate(*files, "--apply", "-", "-o", "out.npy", stdin=file.getvalue()).json
        assert np.load("out.npy") == near(drawn()[0] / found["temperature"])


def test_more_rows_than_are_kept(calibrate, files, monkeypatch):
    exact = calibrate(*files).json
    monkeypatch.setattr("losscli.analysis.calibration.scores.KEPT_ROWS", 100)
    counted = calibrate(*files).json
    for side in ("before", "after"):
        one, other = exact[side].pop("ece"), counted[side].pop("ece")
        assert other["width"]["value"] == near(one["width"]["value"])
        assert other["mass"]["value"] == near(one["mass"]["value"], 0.05)
    assert counted == exact


class TestThePicture:
    def test_before_and_after(self, run, calibrate, files, monkeypatch):
        found = {}
        monkeypatch.setattr(
            "losscli.plots.style.render",
            lambda figure, suffix, look, about: (found.update(figure=figure, **about) or b"picture", []),
        )
        done = run("plot", "reliability", *files, "--calibrate", "-o", "r.png")
        assert (done.code, done.out) == (0, ""), done.err
        expected = calibrate(*files).json
        before, after = (expected[side]["ece"]["width"] for side in ("before", "after"))
        assert found["Description"].startswith(f"ECE {before['value']!r}")
        assert f"ECE after {after['value']!r}" in found["Description"]
        title = found["figure"].get_suptitle()
        for part in (before["value"], after["value"], *after["band"]):
            assert f"{part:.4f}" in title
        legend = [text.get_text() for text in found["figure"].axes[0].get_legend().get_texts()]
        few = "bin of fewer than 10 samples"
        assert legend == ["accuracy = confidence", "before", f"after, T = {expected['temperature']:.4g}", few]
        z, y = drawn()
        points = [part.lines[0].get_xydata() for part in found["figure"].axes[0].containers]
        for many, few, T in zip(points[::2], points[1::2], (1, expected["temperature"]), strict=True):
            p = softmax(z / T)
            bins = Reliability.of_groups(Confidences.of(p.max(axis=1), p.argmax(axis=1) == y, 15).groups(), 15, "width")
            expected_points = np.stack([bins.confidence, bins.accuracy], axis=1)
            assert many == near(expected_points[bins.rows >= 10])
            assert few == near(expected_points[bins.rows < 10])

    @pytest.mark.parametrize("words", [(), ("--binning", "mass"), ("--size", "4.5,4.5"), ("--theme", "dark")])
    def test_is_drawn(self, run, files, words):
        done = run("plot", "reliability", *files, "--calibrate", "-o", "r.png", *words)
        assert (done.code, done.err) == (0, "")
        assert Path("r.png").read_bytes().startswith(b"\x89PNG")

    def test_where_no_temperature_is_best(self, run, save, files):
        done = run("plot", "reliability", save("n.npy", -drawn()[0]), files[1], "--calibrate", "-o", "r.svg")
        assert done.code == 0
        assert "no temperature is best" in done.err
        assert "kept, for T -&gt; infinity" in Path("r.svg").read_text()
