"""Reliability: bins of confidence against counting by hand, by brute force and by scikit-learn."""

import io
import math
from fractions import Fraction

import numpy as np
import pytest
from by_hand import near
from reference import sigmoid, softmax
from sklearn.calibration import calibration_curve

from losscli.analysis.calibration.judged import JudgedAsTheyAre
from losscli.analysis.calibration.reliability import Reliability
from losscli.analysis.calibration.scores import Confidences
from losscli.definition.request import Request
from losscli.engine.collectors.calibration_bins import Judge
from losscli.lookup.names import find
from losscli.measurement.prepare import prepare


def binned(confidence, right, bins, binning="width"):
    groups = Confidences.of(np.asarray(confidence, float), np.asarray(right, bool), bins).groups()
    return Reliability.of_groups(groups, bins, binning)


def by_width(confidence, right, bins):
    """Rows, mean confidence and accuracy of each bin that has rows, in exact arithmetic; and the ECE."""
    members = {}
    for c, r in zip(confidence, right, strict=True):
        number = next(k for k in range(1, bins + 1) if c <= k / bins)
        members.setdefault(number, []).append((Fraction(float(c)), int(r)))
    found, error = [], Fraction(0)
    for number in sorted(members):
        held = members[number]
        mean = sum(c for c, _ in held) / len(held)
        accuracy = Fraction(sum(r for _, r in held), len(held))
        found.append((len(held), float(mean), float(accuracy)))
        error += abs(accuracy - mean) * len(held)
    return found, float(error / len(confidence))


def by_mass(confidence, bins):
    """Rows of each bin of equal mass: a bin is closed as soon as it has its part of the rows, at no tie."""
    ordered = sorted(float(c) for c in confidence)
    n, sizes, start = len(ordered), [], 0
    for k in range(1, bins + 1):
        due = math.ceil(Fraction(k * n, bins))
        while 0 < due < n and ordered[due] == ordered[due - 1]:
            due += 1
        if due > start:
            sizes.append(due - start)
            start = due
    return sizes


def rows_of(found):
    return list(zip(found.rows.tolist(), found.confidence.tolist(), found.accuracy.tolist(), strict=True))


def verdicts(p, t, **options):
    """Confidence of each row, and whether its predicted class is the true one."""
    one = len(np.load(p).shape) == 1 if p.endswith(".npy") else False
    loss = find("bce" if one else "ce").bind()
    made = prepare(Request(loss, p, t, **options))
    made.observe(JudgedAsTheyAre(15, Judge()))
    found = made.run().aggregate[Confidences]
    return np.concatenate(found.confidence), np.concatenate(found.right)


class TestBins:
    def test_by_hand(self):
        # (0, 1/4]: 0.1 and 0.25, one right; (1/4, 1/2]: 0.5, right; (1/2, 3/4]: none; the last: 0.8, 0.9, 1, two right.
        found = binned([0.5, 0.1, 0.8, 0.25, 1.0, 0.9], [1, 0, 1, 1, 0, 1], 4)
        assert found.low.tolist() == [0, 0.25, 0.75]
        assert found.high.tolist() == [0.25, 0.5, 1]
        assert found.rows.tolist() == [2, 1, 3]
        assert found.confidence == near(np.array([0.175, 0.5, 0.9]))
        assert found.accuracy == near(np.array([1 / 2, 1, 2 / 3]))
        assert found.error == near((2 * 0.325 + 0.5 + 3 * (0.9 - 2 / 3)) / 6)
        assert found.samples == 6
        assert found.mean_accuracy == near(4 / 6)
        assert found.mean_confidence == near(3.55 / 6)

    @pytest.mark.parametrize("bins", [1, 2, 3, 7, 10, 15, 49, 1000])
    def test_an_edge_belongs_to_the_bin_below_it(self, bins):
        for k in range(1, bins + 1):
            edge = k / bins
            found = binned([edge], [1], bins)
            assert (found.low[0], found.high[0]) == (near((k - 1) / bins), edge)
            if k < bins:
                above = binned([np.nextafter(edge, 1)], [1], bins)
                assert (above.low[0], above.high[0]) == (edge, near((k + 1) / bins))

    def test_the_first_bin_holds_its_lower_edge(self):
        found = binned([0.0, 0.05], [0, 0], 10)
        assert (found.low.tolist(), found.high.tolist(), found.rows.tolist()) == ([0], [0.1], [2])

    def test_a_confidence_that_rounding_has_lifted_above_one_is_in_the_last_bin(self):
        assert binned([1 + 1e-12, 0.95], [1, 1], 10).rows.tolist() == [2]

    @pytest.mark.parametrize("bins", [1, 5, 10, 15, 100])
    @pytest.mark.parametrize("seed", [0, 1])
    def test_by_brute_force(self, bins, seed):
        generator = np.random.default_rng(seed)
        confidence = np.concatenate([generator.random(300), np.arange(0, 101) / 100])
        right = generator.random(401) < confidence
        found = binned(confidence, right, bins)
        expected, error = by_width(confidence, right, bins)
        assert rows_of(found) == [near(bin) for bin in expected]
        assert found.error == near(error)

    @pytest.mark.parametrize("bins", [5, 15, 40])
    def test_against_scikit_learn(self, bins):
        generator = np.random.default_rng(7)
        confidence = generator.random(500)
        right = generator.random(500) < confidence**2
        found = binned(confidence, right, bins)
        accuracy, mean = calibration_curve(right, confidence, n_bins=bins)
        assert found.accuracy == near(accuracy)
        assert found.confidence == near(mean)

    def test_a_perfectly_calibrated_bin_has_no_error(self):
        assert binned([0.75] * 4, [1, 1, 1, 0], 10).error == 0
        assert binned([0.75] * 4, [0, 0, 0, 0], 10).error == near(0.75)
        assert binned([1.0] * 4, [1, 1, 1, 1], 10).error == 0

    def test_errors_of_both_signs_add_up_between_bins_and_cancel_within(self):
        confidence, right = [0.55, 0.55, 0.95, 0.95], [1, 1, 1, 0]
        assert binned(confidence, right, 10).error == near((0.45 + 0.45) / 2)
        assert binned(confidence, right, 1).error == near(0.0)


class TestEqualMass:
    @pytest.mark.parametrize(("n", "bins"), [(12, 4), (300, 15), (10, 1), (10, 10)])
    def test_each_has_as_many_rows(self, n, bins):
        confidence = np.random.default_rng(n).permutation(n) / n
        found = binned(confidence, np.ones(n), bins, "mass")
        assert found.rows.tolist() == [n // bins] * bins
        assert (found.low[0], found.high[-1]) == (confidence.min(), confidence.max())

    @pytest.mark.parametrize(("n", "bins"), [(10, 3), (7, 15), (100, 15), (101, 15), (2, 2), (1, 15)])
    def test_rows_that_cannot_be_divided_evenly(self, n, bins):
        confidence = np.random.default_rng(n).permutation(n) / n
        found = binned(confidence, np.ones(n), bins, "mass")
        assert found.rows.sum() == n
        assert len(found.rows) == min(n, bins)
        assert np.ptp(found.rows) <= 1
        assert found.rows.tolist() == by_mass(confidence, bins)

    def test_bins_by_hand(self):
        found = binned([0.9, 0.3, 0.5, 0.6, 0.7, 0.8], [1, 0, 0, 1, 1, 0], 3, "mass")
        assert found.low.tolist() == [0.3, 0.5, 0.7]
        assert found.high.tolist() == [0.5, 0.7, 0.9]
        assert found.confidence == near(np.array([0.4, 0.65, 0.85]))
        assert found.accuracy.tolist() == [0, 1, 0.5]
        assert found.error == near((0.4 + 0.35 + 0.35) / 3)

    @pytest.mark.parametrize("bins", [2, 3, 4, 5, 10, 15, 60])
    @pytest.mark.parametrize("seed", range(4))
    def test_rows_of_one_confidence_stay_together(self, bins, seed):
        confidence = np.random.default_rng(seed).integers(1, (6, 20, 40, 3)[seed], 90) / 40
        found = binned(confidence, np.ones(90), bins, "mass")
        sizes = by_mass(confidence, bins)
        assert found.rows.tolist() == sizes
        for low, high, rows, number in zip(found.low, found.high, found.rows, range(bins), strict=False):
            inside = (confidence <= high) & ((confidence > low) | ((number == 0) & (confidence == low)))
            assert inside.sum() == rows

    def test_one_confidence_is_one_bin(self):
        found = binned([0.5] * 7, [1, 0, 0, 0, 0, 0, 0], 15, "mass")
        assert rows_of(found) == [(7, 0.5, near(1 / 7))]
        assert found.error == near(0.5 - 1 / 7)

    def test_most_rows_of_the_least_confidence(self):
        found = binned([0.5, 0.5, 0.5, 0.9], [1, 1, 0, 1], 2, "mass")
        assert rows_of(found) == [(3, 0.5, near(2 / 3)), (1, near(0.9), 1)]

    def test_most_rows_of_the_largest_confidence(self):
        found = binned([0.5, 1, 1, 1, 1], [1, 1, 0, 1, 1], 4, "mass")
        assert found.rows.sum() == 5
        assert found.rows.tolist() == by_mass([0.5, 1, 1, 1, 1], 4)


class TestWords:
    def test_of_equal_width(self):
        assert "15 bins of equal width" in binned([0.5, 0.9], [1, 1], 15).describe()

    def test_of_equal_mass(self):
        words = binned(np.arange(1, 31) / 30, np.ones(30), 15, "mass").describe()
        assert "15 bins of equal mass" in words
        assert "asked for" not in words

    @pytest.mark.parametrize(("confidence", "made"), [([0.5] * 9 + [0.9], "2 bins"), ([0.5] * 9, "1 bin ")])
    def test_fewer_than_asked_for(self, confidence, made):
        words = binned(confidence, np.ones(len(confidence)), 15, "mass").describe()
        assert words.startswith(made)
        assert "15 asked for" in words


class TestInterval:
    def interval(self, right, n):
        low, high = binned([0.5] * n, [1] * right + [0] * (n - right), 1).interval()
        return low[0], high[0]

    @pytest.mark.parametrize(
        ("right", "n", "low", "high"),
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
    )
    def test_published(self, right, n, low, high):
        """Newcombe 1998, Two-sided confidence intervals for the single proportion, Table I, method 3."""
        assert self.interval(right, n) == pytest.approx((low, high), abs=5.1e-5)

    @pytest.mark.parametrize(("right", "n"), [(1, 2), (3, 4), (20, 31), (999, 1000), (5, 1000)])
    def test_its_ends_are_z_standard_errors_away(self, right, n):
        for p in self.interval(right, n):
            assert abs(right / n - p) == near(1.959963984540054 * math.sqrt(p * (1 - p) / n))

    @pytest.mark.parametrize("n", [1, 2, 3, 7, 50, 12345])
    def test_none_right_and_all_right(self, n):
        z2 = 1.959963984540054**2
        assert self.interval(0, n) == (0, near(z2 / (n + z2)))
        assert self.interval(n, n) == (near(n / (n + z2)), 1)

    def test_holds_the_accuracy_and_stays_within_0_and_1(self):
        for n in range(1, 60):
            for right in range(n + 1):
                low, high = self.interval(right, n)
                assert 0 <= low <= right / n <= high <= 1
                assert low < high


class TestJudge:
    generator = np.random.default_rng(21)
    z, y = generator.normal(0, 2, (200, 5)), generator.integers(0, 5, 200)
    s, t = generator.normal(0, 2, 200), generator.integers(0, 2, 200)

    def expected(self, kept=slice(None)):
        p = softmax(self.z[kept])
        return p.max(axis=1), p.argmax(axis=1) == self.y[kept]

    def check(self, found, expected, rel=1e-12):
        assert found[0] == near(expected[0], rel)
        assert found[1].tolist() == expected[1].tolist()

    def test_several_classes(self, save):
        self.check(verdicts(save("p.npy", self.z), save("t.npy", self.y)), self.expected())

    def test_probabilities_and_log_probabilities_agree_with_logits(self, save):
        chances = softmax(self.z)
        t = save("t.npy", self.y)
        self.check(verdicts(save("p.npy", chances), t, prediction_kind="probs"), self.expected())
        self.check(verdicts(save("l.npy", np.log(chances)), t, prediction_kind="log-probs"), self.expected())

    @pytest.mark.parametrize("labels", ["binary", "signed"])
    def test_one_score_of_two_classes(self, save, labels):
        t = save("t.npy", self.t if labels == "binary" else 2 * self.t - 1)
        p = sigmoid(self.s)
        expected = np.maximum(p, 1 - p), (p > 0.5) == (self.t == 1)
        self.check(verdicts(save("p.npy", self.s), t), expected)
        self.check(verdicts(save("c.npy", p), t, prediction_kind="probs"), expected)
        self.check(verdicts(save("l.npy", np.log(p)), t, prediction_kind="log-probs"), expected)

    def test_one_score_is_two_scores_of_which_one_is_0(self, save):
        t = save("t.npy", self.t)
        one = verdicts(save("p.npy", self.s), t)
        two = verdicts(save("q.npy", np.stack([np.zeros(200), self.s], axis=1)), t)
        self.check(one, two)

    def test_a_probability_of_one_half_predicts_the_negative_class(self, save):
        found = verdicts(save("p.npy", [0.0, 0.0]), save("t.npy", [0, 1]))
        assert (found[0].tolist(), found[1].tolist()) == ([0.5, 0.5], [True, False])

    def test_of_equal_probabilities_the_first_is_predicted(self, save):
        found = verdicts(save("p.npy", [[1.0, 3, 3], [2, 2, 2]]), save("t.npy", [1, 1]))
        assert found[1].tolist() == [True, False]
        assert found[0] == near(np.array([1 / (2 + math.exp(-2)), 1 / 3]))

    def test_confidence_is_the_predicted_class_s_not_the_true_one_s(self, save):
        found = verdicts(save("p.npy", [[0.7, 0.2, 0.1]]), save("t.npy", [1]), prediction_kind="probs")
        assert (found[0].tolist(), found[1].tolist()) == ([0.7], [False])

    def test_one_hot_rows(self, save):
        self.check(verdicts(save("p.npy", self.z), save("t.npy", np.eye(5)[self.y])), self.expected())

    def test_names_in_another_order(self, write):
        p = write("p.csv", "id,z_b,z_a\n1,0,2\n2,1,0\n3,0,3\n")
        t = write("t.csv", "id,label\n3,b\n2,b\n1,a\n")
        found = verdicts(p, t, id="id")
        assert found[0] == near(sigmoid(np.array([2.0, 1, 3])))
        assert found[1].tolist() == [True, True, False]

    def test_ignored_rows_are_left_out(self, save):
        labels = np.where(self.s > 0, -1, self.y)
        found = verdicts(save("p.npy", self.z), save("t.npy", labels), ignore_index="-1")
        self.check(found, self.expected(self.s <= 0))

    def test_extreme_scores(self, save):
        found = verdicts(save("p.npy", [800.0, -800, math.inf, -math.inf]), save("t.npy", [1, 1, 1, 1]))
        assert (found[0].tolist(), found[1].tolist()) == ([1, 1, 1, 1], [True, False, True, False])
        found = verdicts(save("q.npy", [[800.0, -800], [-math.inf, 3]]), save("u.npy", [0, 0]))
        assert (found[0].tolist(), found[1].tolist()) == ([1, 1], [True, False])

    @pytest.mark.parametrize("size", [1, 100, 2000])
    def test_any_size_of_blocks(self, save, monkeypatch, size):
        monkeypatch.setattr("losscli.engine.job.BATCH_BYTES", size)
        monkeypatch.setattr("losscli.engine.job.CHUNK_BYTES", 2 * size)
        self.check(verdicts(save("p.npy", self.z), save("t.npy", self.y)), self.expected())

    @pytest.mark.parametrize("dtype", ["<f4", ">f4", ">f8", "<f2", "<i4"])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_every_dtype_and_layout(self, save, dtype, order):
        z = np.asarray(np.round(self.z * 8), order=order).astype(dtype, order=order)
        p = softmax(np.round(self.z * 8).astype(np.float64))
        found = verdicts(save("p.npy", z), save("t.npy", self.y.astype(">i2")))
        self.check(found, (p.max(axis=1), p.argmax(axis=1) == self.y), rel=1e-7)

    def test_logits_of_float32_give_a_confidence_with_the_digits_of_float64(self, save):
        z = self.z.astype(np.float32)
        self.check(
            verdicts(save("p.npy", z), save("t.npy", self.y)),
            (softmax(z.astype(float)).max(axis=1), self.expected()[1]),
        )


class TestThroughTheCommandLine:
    """The ECE as the file says it."""

    generator = np.random.default_rng(8)
    z, y = generator.normal(0, 2, (250, 3)), generator.integers(0, 3, 250)

    @pytest.fixture
    def ece(self, run, folder, monkeypatch):
        found = {}
        monkeypatch.setattr(
            "losscli.plots.style.render",
            lambda figure, suffix, look, about: (found.update(about) or b"picture", []),
        )

        def call(*words, stdin=b""):
            done = run("plot", "reliability", *words, "-o", "r.png", stdin=stdin)
            assert (done.code, done.out) == (0, ""), done.err
            return float(found["Description"].split()[1])

        return call

    def expected(self, bins, z=None):
        p = softmax(self.z if z is None else z)
        return by_width(p.max(axis=1), p.argmax(axis=1) == self.y, bins)[1]

    def test_fifteen_bins_of_equal_width_unless_told(self, ece, save):
        p, t = save("p.npy", self.z), save("t.npy", self.y)
        assert ece(p, t) == ece(p, t, "--bins", "15", "--binning", "width") == near(self.expected(15))

    @pytest.mark.parametrize("bins", ["1", "4", "1000"])
    def test_bins(self, ece, save, bins):
        assert ece(save("p.npy", self.z), save("t.npy", self.y), "--bins", bins) == near(self.expected(int(bins)))

    def test_equal_mass(self, ece, save):
        p = softmax(self.z)
        order = np.argsort(p.max(axis=1))
        parts = np.split(order, 10)
        right, confidence = p.argmax(axis=1) == self.y, p.max(axis=1)
        expected = sum(abs(right[part].mean() - confidence[part].mean()) for part in parts) / 10
        words = ("--binning", "mass", "--bins", "10")
        assert ece(save("p.npy", self.z), save("t.npy", self.y), *words) == near(expected)

    def test_from_says_what_predictions_are(self, ece, save):
        t = save("t.npy", self.y)
        assert ece(save("p.npy", softmax(self.z)), t, "--from", "probs") == near(self.expected(15))
        assert ece(save("l.npy", np.log(softmax(self.z))), t, "--from", "log-probs") == near(self.expected(15))
        assert ece(save("p.npy", softmax(self.z)), t) == near(self.expected(15, softmax(self.z)))

    def test_one_column_is_one_score_of_two_classes(self, ece, save):
        s, t = self.z[:, 0], self.y % 2
        p = sigmoid(s)
        predicted = by_width(np.maximum(p, 1 - p), (p > 0.5) == (t == 1), 15)[1]
        positive = by_width(p, t == 1, 15)[1]
        assert positive != near(predicted)
        for shape in ((-1,), (-1, 1)):
            for other in ((-1,), (-1, 1)):
                words = save("p.npy", s.reshape(shape)), save("t.npy", t.reshape(other))
                assert ece(*words) == ece(*words, "--reliability-of", "positive") == near(positive)
                assert ece(*words, "--reliability-of", "predicted") == near(predicted)

    def test_the_second_of_two_classes_is_the_positive_one(self, ece, save):
        z, t = self.z[:, :2], self.y % 2
        words = save("p.npy", z), save("t.npy", t)
        p = softmax(z)
        assert ece(*words, "--reliability-of", "positive") == near(by_width(p[:, 1], t == 1, 15)[1])
        assert ece(*words) == near(by_width(p.max(axis=1), p.argmax(axis=1) == t, 15)[1])

    def test_of_several_labels_a_row_each_output_counts(self, ece, save):
        t = (self.z + np.arange(3) > 0.5).astype(int)
        words = save("p.npy", self.z), save("t.npy", t), "--activation", "sigmoid"
        p = sigmoid(self.z).ravel()
        assert ece(*words) == near(by_width(p, t.ravel() == 1, 15)[1])

    def test_three_classes_have_no_positive_one(self, run, save):
        words = save("p.npy", self.z), save("t.npy", self.y), "--reliability-of", "positive", "-o", "r.png"
        run("plot", "reliability", *words).refuses(2, "--reliability-of positive: p.npy has 3 classes", "say predicted")

    def test_several_labels_a_row_name_the_option_that_takes_them(self, run, save):
        t = save("t.npy", np.ones((250, 3)))
        found = run("plot", "reliability", save("p.npy", self.z), t, "-o", "r.png")
        found.refuses(3, "losscli plot reliability p.npy t.npy --activation sigmoid -o reliability.png")

    def test_ids_columns_and_ignored_labels(self, ece, write):
        rows = "".join(f"r{i},{a!r},{b!r},{c!r},x\n" for i, (a, b, c) in enumerate(self.z.tolist()))
        p = write("p.csv", f"id,p_a,p_b,p_c,note\n{rows}")
        labels = [("abc"[y] if y < 2 else "skip", i) for i, y in enumerate(self.y)]
        t = write("t.csv", "id,label\n" + "".join(f"r{i},{label}\n" for label, i in reversed(labels)))
        found = ece(p, t, "--id", "id", "--columns", "p_*", "--ignore-index", "skip")
        kept = self.y < 2
        chances = softmax(self.z[kept])
        right = chances.argmax(axis=1) == self.y[kept]
        assert found == near(by_width(chances.max(axis=1), right, 15)[1])

    def test_standard_input(self, ece, save):
        file = io.BytesIO()
        np.save(file, self.z)
        assert ece("-", save("t.npy", self.y), stdin=file.getvalue()) == near(self.expected(15))
        file = "label\n" + "".join(f"{y}\n" for y in self.y)
        assert ece(save("p.npy", self.z), "-:label", stdin=file.encode()) == near(self.expected(15))
