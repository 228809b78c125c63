"""`losscli compute` through the command line: every option's number, worked out here from the formulas."""

import math

import numpy as np
import pytest

LOG2, LOG3 = math.log(2), math.log(3)


def near(expected, rel=1e-12):
    return pytest.approx(expected, rel=rel, abs=1e-300)


def cross_entropy(logits, label):
    return math.log(sum(math.exp(z) for z in logits)) - logits[label]


def probabilities(logits):
    total = sum(math.exp(z) for z in logits)
    return [math.exp(z) / total for z in logits]


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def binary(z, t):
    p = sigmoid(z)
    return -t * math.log(p) - (1 - t) * math.log(1 - p)


TINY = [[0.7, 1.2, 0.3], [0.4, 0.2, 0.9], [0.6, 0.3, 0.4]]
TINY_LABELS = [1, 2, 0]
TINY_LOSSES = [cross_entropy(z, y) for z, y in zip(TINY, TINY_LABELS, strict=True)]


@pytest.mark.simd
class TestPublishedNumbers:
    """Numbers of the issue, from a published TensorFlow run in float32: its last digit is one or two units off."""

    def test_softmax_cross_entropy_of_the_example(self, compute, tiny):
        rows = compute("softmax-cross-entropy", *tiny, "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == pytest.approx([0.69967604, 0.74342006, 0.93983102], abs=1.1e-7)

    def test_its_mean_and_summary_in_the_contract(self, compute, tiny):
        found = compute("softmax-cross-entropy", *tiny).json
        assert found["value"] == pytest.approx(0.7943090269, abs=5e-8)
        assert found["numerator"] == pytest.approx(2.3829270806, abs=2e-7)
        assert found["denominator"] == 3.0
        low, middle, high = TINY_LOSSES
        mean = sum(TINY_LOSSES) / 3
        added = {name: found["summary"].pop(name) for name in ("perplexity", "ece", "mce")}
        assert added["perplexity"] == pytest.approx(math.exp(mean))
        assert found["summary"] == near(
            {
                "mean": mean,
                "std": math.sqrt(sum((loss - mean) ** 2 for loss in TINY_LOSSES) / 3),
                "min": low,
                "p50": middle,
                "p90": middle + 0.8 * (high - middle),
                "p99": middle + 0.98 * (high - middle),
                "max": high,
            }
        )
        assert found["baseline"]["prediction"] == pytest.approx([1 / 3] * 3)
        assert found["baseline"]["value"] == near(LOG3)
        assert found["baseline"]["skill"] == near(1 - found["value"] / LOG3)

    def test_smoothed_targets_of_the_example(self, compute, tiny):
        smoothing = compute("ce", *tiny, "--label-smoothing", "0.1").json["receipt"]["label_smoothing"]
        assert smoothing["target_of_others"] == pytest.approx(0.03333334, abs=2e-8)
        assert smoothing["target_of_true"] == pytest.approx(0.93333334, abs=2e-8)

    def test_sigmoid_cross_entropy_of_index_labels_smoothed_uniformly(self, compute, tiny):
        words = ("--label-smoothing", "0.1", "--smoothing-mode", "uniform", "--elements")
        rows = compute("sigmoid-cross-entropy", *tiny, *words).json["rows"]
        published = [
            [1.0798527, 0.34328249, 0.84435523],
            [0.89968193, 0.7914722, 0.40115389],
            [0.47748795, 0.84435523, 0.89968193],
        ]
        assert np.allclose([row["losses"] for row in rows], published, rtol=0, atol=1.1e-7)

    def test_categorical_cross_entropy_of_probabilities_against_the_identity(self, compute, save):
        p = save("p.npy", [[0.9, 0.05, 0.05], [0.05, 0.89, 0.06], [0.05, 0.01, 0.94]])
        t = save("t.npy", np.eye(3))
        assert compute("categorical-crossentropy", p, t, "--from", "probs", "-f", "value").value == pytest.approx(
            0.0945899, abs=5e-8
        )

    def test_mean_squared_error(self, compute, save):
        p, t = save("p.npy", [0, 0, 1, 1]), save("t.npy", [1, 1, 1, 0])
        assert compute("mse", p, t, "-f", "value").value == 0.75

    def test_ten_tosses_with_six_heads(self, compute, save):
        p, t = save("p.npy", np.zeros(10)), save("t.npy", [1, 0, 1, 1, 0, 1, 0, 1, 0, 1])
        best = compute("sigmoid-cross-entropy", p, t).json["baseline"]
        assert best["prediction"] == near(0.6)
        assert 10 * best["value"] == near(-math.log(0.6**6 * 0.4**4))
        assert 10 * best["value"] == pytest.approx(6.7301167, abs=5e-8)

    def test_a_tiny_loss_is_resolved_in_float32(self, compute, save):
        p, t = save("p.npy", [[20, 0]], np.float32), save("t.npy", [0])
        assert compute("ce", p, t, "-f", "value").value == pytest.approx(2.0611536e-09, rel=1e-7)


@pytest.mark.simd
class TestScikitLearnsNumbers:
    """Scores that scikit-learn 1.9.1 gave for the sample files (sample_data/README.md)."""

    @pytest.mark.parametrize(
        ("words", "score"),
        [
            ("ce tiny_logits.npy tiny_labels.npy", 0.794309020),
            ("ce tiny_logits.csv tiny_labels.csv --id id", 0.794309020),
            ("ce digits_logits.npy digits_labels.npy", 0.164922112),
            ("ce digits_logits.csv digits_labels.csv --id id", 0.164922112),
            ("ce digits_probs.csv digits_labels.csv --id id --from probs", 0.164922112),
            ("bce cancer_logits.npy cancer_labels.npy", 0.106859273),
            ("bce cancer.csv:logit cancer.csv:label", 0.106859273),
            ("bce cancer.csv:logit cancer.csv:label --sample-weight cancer.csv:weight", 0.116934798),
            ("mse diabetes_predictions.npy diabetes_targets.npy", 3103.674746),
            ("mse diabetes.csv:prediction diabetes.csv:target", 3103.674746),
            ("mae diabetes_predictions.npy diabetes_targets.npy", 44.675336),
        ],
    )
    def test_sample_file(self, compute, monkeypatch, sample_data, words, score):
        monkeypatch.chdir(sample_data)
        rel = 1e-7 if ".npy" in words else 2e-8  # the logits of an .npy file are float32, and so is their loss
        assert compute(*words.split(), "-f", "value").value == pytest.approx(score, rel=rel)


ONE_SAMPLE = [
    ("squared-error", "", 3, 1, 4),
    ("half-squared-error", "", 3, 1, 2),
    ("absolute-error", "", -1, 1, 2),
    ("huber", "", 3, 1, 1.5),
    ("huber", "", 1.5, 1, 0.125),
    ("huber", "--delta 3", 3, 1, 2),
    ("huber", "--delta 0.5", 3, 1, 0.5 * (2 - 0.25)),
    ("smooth-l1", "", 3, 1, 1.5),
    ("smooth-l1", "--beta 0.5", 3, 1, 1.75),
    ("smooth-l1", "--beta 4", 3, 1, 0.5),
    ("tukey-biweight", "", 100, 0, 4.6851**2 / 6),
    ("tukey-biweight", "--c 2", 1, 0, 4 / 6 * (1 - 0.75**3)),
    ("hinge", "", 0.5, 1, 0.5),
    ("hinge", "", 0.5, 0, 1.5),
    ("hinge", "", 0.5, -1, 1.5),
    ("hinge", "", 2, 1, 0),
    ("squared-hinge", "", 0.5, 0, 2.25),
    ("ramp", "", -5, 1, 2),
    ("ramp", "--s 0", -5, 1, 1),
    ("ramp", "--s=-3", -2, 1, 3),
    ("ramp", "--s -3", -2, 1, 3),
    ("sigmoid-cross-entropy", "", 1.5, 1, binary(1.5, 1)),
    ("sigmoid-cross-entropy", "", 1.5, 0, binary(1.5, 0)),
    ("sigmoid-cross-entropy", "", 1.5, -1, binary(1.5, 0)),
    ("sigmoid-cross-entropy", "", 1.5, 0.25, binary(1.5, 0.25)),
    ("sigmoid-cross-entropy", "--from probs", 0.25, 1, math.log(4)),
    ("sigmoid-cross-entropy", "--from log-probs", math.log(0.25), 1, math.log(4)),
    ("sigmoid-cross-entropy", "--from log-probs", math.log(0.25), 0, -math.log(0.75)),
    ("sigmoid-cross-entropy", "--pos-weight 3", 0, 1, 3 * LOG2),
    ("sigmoid-cross-entropy", "--pos-weight 3", 0, 0, LOG2),
    ("sigmoid-focal", "", 0, 1, 0.25 * LOG2),
    ("sigmoid-focal", "--gamma 0", 0, 1, LOG2),
    ("sigmoid-focal", "--gamma 1", 1.5, 1, (1 - sigmoid(1.5)) * binary(1.5, 1)),
    ("sigmoid-focal", "--alpha 0.25", 0, 1, 0.25 * 0.25 * LOG2),
    ("sigmoid-focal", "--alpha 0.25", 0, 0, 0.75 * 0.25 * LOG2),
    ("sigmoid-focal", "--gamma 2", 0, 0.25, 0.25 * LOG2),
]


class TestLosses:
    @pytest.mark.parametrize(("loss", "options", "prediction", "target", "expected"), ONE_SAMPLE)
    def test_one_sample(self, compute, save, loss, options, prediction, target, expected):
        p, t = save("p.npy", [float(prediction)]), save("t.npy", [float(target)])
        assert compute(loss, p, t, *options.split(), "-f", "value").value == near(expected)

    @pytest.mark.parametrize(
        ("loss", "options", "target", "expected"),
        [
            ("softmax-cross-entropy", "", [0, 1, 0], cross_entropy([1, 2, 4], 1)),
            ("kl-divergence", "", [0, 1, 0], cross_entropy([1, 2, 4], 1)),
            ("softmax-focal", "--gamma 0", [0, 1, 0], cross_entropy([1, 2, 4], 1)),
            ("softmax-focal", "", [0, 1, 0], (1 - probabilities([1, 2, 4])[1]) ** 2 * cross_entropy([1, 2, 4], 1)),
            (
                "softmax-focal",
                "--gamma 1",
                [0.5, 0.5, 0],
                sum(0.5 * (1 - probabilities([1, 2, 4])[k]) * cross_entropy([1, 2, 4], k) for k in (0, 1)),
            ),
            (
                "softmax-cross-entropy",
                "",
                [0.5, 0.25, 0.25],
                sum(t * cross_entropy([1, 2, 4], k) for k, t in enumerate([0.5, 0.25, 0.25])),
            ),
            (
                "kl-divergence",
                "",
                [0.5, 0.25, 0.25],
                sum(t * (math.log(t) + cross_entropy([1, 2, 4], k)) for k, t in enumerate([0.5, 0.25, 0.25])),
            ),
        ],
    )
    def test_softmax_losses_of_one_row(self, compute, save, loss, options, target, expected):
        p, t = save("p.npy", [[1.0, 2.0, 4.0]]), save("t.npy", [target])
        assert compute(loss, p, t, *options.split(), "-f", "value").value == near(expected)

    def test_center_is_half_the_squared_distance_summed_over_the_features(self, compute, save):
        x, y = save("x.npy", [[1.0, 2.0], [0.0, 5.0]]), save("y.npy", [1, 0])
        c = save("c.npy", [[0.0, 1.0], [4.0, 6.0]])
        rows = compute("center", x, y, "--centers", c, "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == [(9 + 16) / 2, 16 / 2]

    def test_center_without_centers_says_what_is_missing(self, compute, save):
        x, y = save("x.npy", [[1.0, 2.0]]), save("y.npy", [0])
        compute("center", x, y).refuses(2, "--centers")

    def test_centers_of_a_table_are_found_by_the_class_s_name(self, compute, write):
        x = write("x.csv", "id,x,y\na,1,2\nb,0,5\n")
        y = write("y.csv", "id,label\na,dog\nb,cat\n")
        c = write("c.csv", "class,x,y\ncat,0,1\ndog,4,6\n")
        rows = compute("center", x, y, "--centers", c, "--id", "id", "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == [12.5, 8.0]

    @pytest.mark.parametrize(
        ("alias", "name"),
        [
            ("mse", "squared-error"),
            ("mean-squared-error", "squared-error"),
            ("l2", "half-squared-error"),
            ("l2-loss", "half-squared-error"),
            ("l1", "absolute-error"),
            ("mae", "absolute-error"),
            ("mean-absolute-error", "absolute-error"),
            ("tukey", "tukey-biweight"),
            ("biweight", "tukey-biweight"),
            ("bce", "sigmoid-cross-entropy"),
            ("binary-cross-entropy", "sigmoid-cross-entropy"),
            ("binary-crossentropy", "sigmoid-cross-entropy"),
            ("bce-with-logits", "sigmoid-cross-entropy"),
            ("binary-focal", "sigmoid-focal"),
            ("focal", "sigmoid-focal"),
            ("squared_error", "squared-error"),
            ("Mean_Squared-Error", "squared-error"),
            ("SMOOTH_L1", "smooth-l1"),
        ],
    )
    def test_an_alias_is_as_good_as_the_name(self, compute, save, alias, name):
        p, t = save("p.npy", [0.5, -0.5]), save("t.npy", [1, 0])
        assert compute(alias, p, t).json["loss"] == name

    @pytest.mark.parametrize(
        ("alias", "name"),
        [
            ("ce", "softmax-cross-entropy"),
            ("cross-entropy", "softmax-cross-entropy"),
            ("categorical-crossentropy", "softmax-cross-entropy"),
            ("sparse-categorical-crossentropy", "softmax-cross-entropy"),
            ("sparse-softmax-cross-entropy", "softmax-cross-entropy"),
            ("sparse_softmax_cross_entropy", "softmax-cross-entropy"),
            ("kl", "kl-divergence"),
            ("kullback-leibler", "kl-divergence"),
            ("categorical-focal", "softmax-focal"),
            ("sparse-focal", "softmax-focal"),
        ],
    )
    def test_an_alias_of_a_softmax_loss(self, compute, tiny, alias, name):
        assert compute(alias, *tiny).json["loss"] == name

    @pytest.mark.parametrize("alias", ["center-loss", "center_loss"])
    def test_an_alias_of_center(self, compute, save, alias):
        x, y, c = save("x.npy", [[1.0]] * 2), save("y.npy", [0, 0]), save("c.npy", [[3.0]])
        assert compute(alias, x, y, "--centers", c).json["loss"] == "center"

    @pytest.mark.parametrize("name", ["nll", "log-loss", "log_loss"])
    def test_a_name_with_several_meanings_is_refused_with_the_choices(self, compute, tiny, name):
        compute(name, *tiny).refuses(2, "sigmoid-cross-entropy", "softmax-cross-entropy")

    @pytest.mark.parametrize(
        ("name", "meant"), [("hubber", "huber"), ("softmax-cross-entrpy", "softmax-cross-entropy")]
    )
    def test_a_misspelt_name_is_answered_with_the_nearest(self, compute, tiny, name, meant):
        compute(name, *tiny).refuses(2, name, f"did you mean {meant}?")


class TestParameterDomains:
    @pytest.mark.parametrize(
        ("words", "part"),
        [
            ("huber p.npy t.npy --delta 0", "delta"),
            ("huber p.npy t.npy --delta=-1", "delta"),
            ("huber p.npy t.npy --delta nan", "delta"),
            ("huber p.npy t.npy --delta wide", "delta"),
            ("smooth-l1 p.npy t.npy --beta 0", "beta"),
            ("tukey p.npy t.npy --c 0", "c"),
            ("ramp p.npy t.npy --s 1", "s"),
            ("sigmoid-focal p.npy t.npy --gamma=-0.5", "gamma"),
            ("sigmoid-focal p.npy t.npy --alpha 1.5", "alpha"),
            ("softmax-focal p.npy t.npy --gamma=-1", "gamma"),
            ("bce p.npy t.npy --label-smoothing 1", "--label-smoothing"),
            ("bce p.npy t.npy --label-smoothing=-0.1", "--label-smoothing"),
            ("bce p.npy t.npy --label-smoothing nan", "--label-smoothing"),
            ("bce p.npy t.npy --smoothing-mode some", "--smoothing-mode"),
            ("bce p.npy t.npy --from scores", "--from"),
            ("bce p.npy t.npy --reduction average", "--reduction"),
            ("bce p.npy t.npy --over-outputs max", "--over-outputs"),
            ("bce p.npy t.npy -f yaml", "--format"),
            ("bce p.npy t.npy --pos-weight=-1", "--pos-weight"),
            ("bce p.npy t.npy --pos-weight many", "--pos-weight"),
            ("bce p.npy t.npy --pos-weight a=1", "--pos-weight"),
            ("bce p.npy t.npy --class-weight 0=-1", "--class-weight"),
            ("bce p.npy t.npy --class-weight 0=1,0=2", "--class-weight"),
            ("bce p.npy t.npy --class-weight 5=1", "--class-weight"),
            ("bce p.npy t.npy --ignore-index many", "--ignore-index"),
            ("bce p.npy t.npy --elements", "--elements"),
            ("mse p.npy t.npy --from probs", "--from"),
            ("mse p.npy t.npy --label-smoothing 0.1", "--label-smoothing"),
            ("mse p.npy t.npy --class-weight balanced", "--class-weight"),
            ("hinge p.npy t.npy --pos-weight 2", "--pos-weight"),
            ("mse p.npy t.npy --delta 1", "--delta"),
            ("mse p.npy t.npy --sample-wieght w.npy", "--sample-weight"),
            ("mse p.npy", "TARGETS"),
            ("mse p.npy t.npy more.npy", "more.npy"),
            ("mse p.npy t.npy --columns a", "--columns"),
            ("mse p.npy t.npy --reduction none -f value", "--reduction none"),
            ("mse p.npy 0 --ignore-index 3", "--ignore-index"),
            ("mse p.npy t.npy -o result.txt", ".json"),
            ("mse p.npy t.npy --gradient slopes.json", ".npy"),
        ],
    )
    def test_outside_its_domain_is_a_usage_error(self, run, save, folder, words, part):
        save("p.npy", [0.5, 2.0]), save("t.npy", [1, 0])
        before = sorted(path.name for path in folder.iterdir())
        run("compute", *words.split()).refuses(2, part)
        assert sorted(path.name for path in folder.iterdir()) == before

    @pytest.mark.parametrize("words", ["huber --delta 1e300", "ramp --s 0.999", "sigmoid-focal --gamma 0 --alpha 0"])
    def test_the_edge_of_a_domain_is_inside(self, compute, save, words):
        p, t = save("p.npy", [0.5, 2.0]), save("t.npy", [1, 0])
        loss, *options = words.split()
        assert compute(loss, p, t, *options).code == 0


class TestFrom:
    def test_probabilities_are_used_as_given(self, compute, save):
        # The row misses 1 by 0.0008: allowed, and not renormalised.
        p, t = save("p.npy", [[0.5, 0.4992]]), save("t.npy", [0])
        assert compute("ce", p, t, "--from", "probs", "-f", "value").value == near(LOG2)

    def test_log_probabilities(self, compute, save):
        p, t = save("p.npy", np.log([[0.25, 0.75], [0.5, 0.5]])), save("t.npy", [1, 0])
        assert compute("ce", p, t, "--from", "log-probs", "-f", "value").value == near((-math.log(0.75) + LOG2) / 2)

    def test_probability_zero_of_the_true_class_is_infinite_and_not_clipped(self, compute, save):
        p, t = save("p.npy", [[0.0, 1.0], [0.5, 0.5]]), save("t.npy", [0, 0])
        found = compute("ce", p, t, "--from", "probs").json
        assert found["value"] is None
        assert found["nonfinite"]["value"] == "inf"

    def test_probability_zero_of_another_class_adds_nothing(self, compute, save):
        p, t = save("p.npy", [[0.0, 1.0]]), save("t.npy", [[0.0, 1.0]])
        assert compute("ce", p, t, "--from", "probs", "-f", "value").value == 0

    @pytest.mark.parametrize(
        ("rows", "parts"),
        [
            ([[0.5, 0.5], [0.3, 0.5]], ("p.npy[1]", "0.8")),
            ([[0.5, 0.5], [1.5, -0.5]], ("p.npy[1, 0]", "1.5", "--from logits")),
            ([[0.5, 0.5], [0.5, 0.5015]], ("p.npy[1]", "1.0015")),
        ],
    )
    def test_what_is_not_a_distribution_is_refused(self, compute, save, rows, parts):
        p, t = save("p.npy", rows), save("t.npy", [0, 1])
        compute("ce", p, t, "--from", "probs").refuses(3, *parts)

    def test_log_probabilities_above_zero_are_refused(self, compute, save):
        p, t = save("p.npy", [[-0.7, 0.7]]), save("t.npy", [0])
        compute("ce", p, t, "--from", "log-probs").refuses(3, "p.npy[0, 1]", "0.7")

    def test_log_probabilities_that_do_not_sum_to_one_are_refused(self, compute, save):
        p, t = save("p.npy", [[-1.0, -3.0]]), save("t.npy", [0])
        compute("ce", p, t, "--from", "log-probs").refuses(3, "p.npy[0]")

    def test_a_sigmoid_probability_outside_0_and_1_is_refused(self, compute, save):
        p, t = save("p.npy", [0.5, 1.2]), save("t.npy", [0, 1])
        compute("bce", p, t, "--from", "probs").refuses(3, "p.npy[1]", "1.2", "--from logits")

    @pytest.mark.parametrize("loss", ["bce", "sigmoid-focal"])
    def test_multi_label_probabilities_need_not_sum_to_one(self, compute, save, loss):
        p, t = save("p.npy", [[0.9, 0.8], [0.1, 0.3]]), save("t.npy", [[1, 1], [0, 0]])
        assert compute(loss, p, t, "--from", "probs").code == 0

    @pytest.mark.parametrize(
        ("loss", "p", "t"),
        [("ce", [[0.5, 0.5], [0.25, 0.75]], [0, 1]), ("bce", [0.25, 0.75], [0, 1]), ("focal", [0.25, 0.75], [0, 1])],
    )
    def test_logits_that_look_like_probabilities_are_warned_of(self, compute, save, loss, p, t):
        done = compute(loss, save("p.npy", p), save("t.npy", t))
        assert done.code == 0
        assert "warning" in done.err
        assert "--from probs" in done.err

    def test_the_warning_looks_at_the_whole_file(self, compute, save):
        p = save("p.npy", [[0.5, 0.5], [0.25, 0.75], [3.0, -3.0]])
        assert compute("ce", p, save("t.npy", [0, 1, 0])).err == ""

    def test_quiet_silences_it(self, compute, save):
        p, t = save("p.npy", [0.25, 0.75]), save("t.npy", [0, 1])
        assert compute("bce", p, t, "-q").err == ""

    def test_logits_are_never_taken_for_probabilities(self, compute, save):
        p, t = save("p.npy", [0.25, 0.75]), save("t.npy", [0, 1])
        expected = (binary(0.25, 0) + binary(0.75, 1)) / 2
        assert compute("bce", p, t, "-f", "value").value == near(expected)


class TestLabelSmoothing:
    @pytest.mark.parametrize(
        ("mode", "right", "wrong"),
        [
            ([], 0.9 + 0.1 / 3, 0.1 / 3),
            (["--smoothing-mode", "uniform"], 0.9 + 0.1 / 3, 0.1 / 3),
            (["--smoothing-mode", "half"], 0.95, 0.05),
            (["--smoothing-mode", "others"], 0.9, 0.05),
        ],
    )
    @pytest.mark.parametrize("form", ["index", "one-hot"])
    def test_softmax(self, compute, save, mode, right, wrong, form):
        z = [1.0, 2.0, 4.0]
        p = save("p.npy", [z])
        t = save("t.npy", [1] if form == "index" else [[0, 1, 0]])
        expected = sum((right if k == 1 else wrong) * cross_entropy(z, k) for k in range(3))
        assert compute("ce", p, t, "--label-smoothing", "0.1", *mode, "-f", "value").value == near(expected)

    @pytest.mark.parametrize(
        ("mode", "right"),
        [
            ([], 0.95),
            (["--smoothing-mode", "half"], 0.95),
            (["--smoothing-mode", "uniform"], 0.95),
            (["--smoothing-mode", "others"], 0.9),
        ],
    )
    @pytest.mark.parametrize("label", [0, 1])
    def test_one_sigmoid_output_has_two_classes(self, compute, save, mode, right, label):
        p, t = save("p.npy", [1.5]), save("t.npy", [label])
        expected = binary(1.5, right if label else 1 - right)
        assert compute("bce", p, t, "--label-smoothing", "0.1", *mode, "-f", "value").value == near(expected)

    @pytest.mark.parametrize(
        ("mode", "right", "wrong"),
        [
            ([], 0.9, 0.1),
            (["--smoothing-mode", "half"], 0.9, 0.1),
            (["--smoothing-mode", "uniform"], 0.8 + 0.2 / 3, 0.2 / 3),
            (["--smoothing-mode", "others"], 0.8, 0.1),
        ],
    )
    def test_several_sigmoid_outputs(self, compute, save, mode, right, wrong):
        p, t = save("p.npy", [[1.0, 2.0, -4.0]]), save("t.npy", [[1, 0, 0]])
        expected = (binary(1, right) + binary(2, wrong) + binary(-4, wrong)) / 3
        assert compute("bce", p, t, "--label-smoothing", "0.2", *mode, "-f", "value").value == near(expected)

    def test_focal_is_linear_in_the_smoothed_target(self, compute, save):
        z = [1.0, 2.0, 4.0]
        p, t = save("p.npy", [z]), save("t.npy", [1])
        targets = [0.1 / 3, 0.9 + 0.1 / 3, 0.1 / 3]
        each = [(1 - q) ** 2 * -math.log(q) for q in probabilities(z)]
        expected = sum(t * loss for t, loss in zip(targets, each, strict=True))
        assert compute("softmax-focal", p, t, "--label-smoothing", "0.1", "-f", "value").value == near(expected)

    def test_zero_is_no_smoothing(self, compute, tiny):
        assert compute("ce", *tiny, "--label-smoothing", "0", "-f", "value").value == near(sum(TINY_LOSSES) / 3)

    def test_half_of_many_classes_is_warned_of(self, compute, tiny):
        words = ("--label-smoothing", "0.1", "--smoothing-mode", "half")
        assert "warning" in compute("ce", *tiny, *words).err


class TestIgnoreIndex:
    def test_ignored_rows_do_not_exist(self, compute, save, tiny):
        t = save("t.npy", [1, -100, 0])
        found = compute("ce", tiny[0], t, "--ignore-index", "-100", "--per-sample").json
        assert (found["samples"], found["ignored"], found["denominator"]) == (2, 1, 2.0)
        assert found["value"] == near((TINY_LOSSES[0] + TINY_LOSSES[2]) / 2)
        assert [row["sample"] for row in found["rows"]] == [0, 2]
        assert found["baseline"]["prediction"] == near([0.5, 0.5, 0])

    def test_a_negative_label_may_be_written_with_an_equals_sign(self, compute, save, tiny):
        t = save("t.npy", [1, -100, 0])
        assert compute("ce", tiny[0], t, "--ignore-index=-100").json["ignored"] == 1

    def test_a_label_inside_the_range_can_be_ignored(self, compute, tiny):
        found = compute("ce", *tiny, "--ignore-index", "2").json
        assert (found["samples"], found["value"]) == (2, near((TINY_LOSSES[0] + TINY_LOSSES[2]) / 2))

    def test_a_name_can_be_ignored(self, compute, write):
        p = write("p.csv", "cat,dog\n1,2\n3,4\n")
        t = write("t.csv", "label\ndog\n?\n")
        found = compute("ce", p, t, "--ignore-index", "?").json
        assert (found["samples"], found["ignored"], found["value"]) == (1, 1, near(cross_entropy([1, 2], 1)))

    def test_an_ignored_row_s_prediction_and_weight_are_not_looked_at(self, compute, save):
        p, t, w = save("p.npy", [1.0, np.nan]), save("t.npy", [1, 255]), save("w.npy", [2.0, np.nan])
        found = compute("bce", p, t, "--ignore-index", "255", "--sample-weight", w).json
        assert (found["value"], found["denominator"]) == (near(binary(1, 1)), 2.0)

    def test_a_number_of_a_residual_loss_can_be_ignored(self, compute, save):
        p, t = save("p.npy", [1.0, 5.0]), save("t.npy", [3.0, -999.0])
        assert compute("mse", p, t, "--ignore-index", "-999", "-f", "value").value == 4

    def test_ignored_rows_are_in_no_denominator(self, compute, save):
        p, t, w = save("p.npy", [1.0, 5.0, 2.0]), save("t.npy", [0, -9, 0]), save("w.npy", [1.0, 8.0, 3.0])
        words = ("l1", p, t, "--ignore-index", "-9", "--sample-weight", w, "-f", "value", "--reduction")
        assert compute(*words, "mean").value == near((1 + 6) / 4)
        assert compute(*words, "sum-over-batch-size").value == near((1 + 6) / 2)
        assert compute(*words, "sum-by-nonzero-weights").value == near((1 + 6) / 2)

    def test_nothing_left_is_an_undefined_result(self, compute, save):
        p, t = save("p.npy", [1.0, 5.0]), save("t.npy", [-9, -9])
        compute("mse", p, t, "--ignore-index", "-9").refuses(3, "2 rows", "ignored")

    @pytest.mark.parametrize("loss", ["ce", "bce"])
    def test_rows_of_targets_have_no_label_to_ignore(self, compute, save, loss):
        p, t = save("p.npy", [[1.0, 2.0]]), save("t.npy", [[0, 1]])
        compute(loss, p, t, "--ignore-index", "1").refuses(2, "--ignore-index")


class TestReductions:
    """Losses 1, 2, 3, 4 with weights 0, 1, 2, 3: the weighted sum is 20."""

    @pytest.fixture
    def words(self, save):
        return ("l1", save("p.npy", [1.0, 2, 3, 4]), "0", "--sample-weight", save("w.npy", [0, 1, 2, 3]))

    @pytest.mark.parametrize(
        ("reduction", "value"),
        [("mean", 20 / 6), ("sum", 20), ("sum-over-batch-size", 20 / 4), ("sum-by-nonzero-weights", 20 / 3)],
    )
    def test_value(self, compute, words, reduction, value):
        found = compute(*words, "--reduction", reduction).json
        assert found["reduction"] == reduction
        assert found["value"] == near(value)
        assert found["numerator"] == 20
        assert found["numerator"] / found["denominator"] == found["value"]

    def test_mean_is_the_default(self, compute, words):
        assert compute(*words, "-f", "value").value == near(20 / 6)

    def test_none_has_no_value(self, compute, words):
        found = compute(*words, "--reduction", "none").json
        assert found["value"] is None
        assert "value" not in found.get("nonfinite", {})
        assert found["summary"]["mean"] == 2.5

    def test_the_summary_is_of_losses_before_weights(self, compute, words):
        assert compute(*words).json["summary"] == near(
            {"mean": 2.5, "std": math.sqrt(1.25), "min": 1, "p50": 2.5, "p90": 3.7, "p99": 3.97, "max": 4}
        )

    @pytest.mark.parametrize("reduction", ["mean", "sum", "sum-over-batch-size", "sum-by-nonzero-weights"])
    def test_a_row_of_weight_zero_adds_zero_even_where_its_loss_is_infinite(self, compute, save, reduction):
        p, w = save("p.npy", [np.inf, 3.0]), save("w.npy", [0.0, 1.0])
        found = compute("l1", p, "0", "--sample-weight", w, "--reduction", reduction).json
        assert found["numerator"] == 3

    def test_the_mean_of_weights_zero_is_undefined(self, compute, save):
        p, w = save("p.npy", [1.0, 3.0]), save("w.npy", [0.0, 0.0])
        compute("l1", p, "0", "--sample-weight", w).refuses(3, "weights are 0")

    def test_the_sum_of_weights_zero_is_zero(self, compute, save):
        p, w = save("p.npy", [1.0, 3.0]), save("w.npy", [0.0, 0.0])
        assert compute("l1", p, "0", "--sample-weight", w, "--reduction", "sum", "-f", "value").value == 0

    def test_the_weight_penalty_of_a_file(self, compute, save):
        w = save("w.npy", [3.0, -4.0])
        assert compute("l2", w, "0", "--reduction", "sum", "-f", "value").value == 12.5


class TestOverOutputs:
    @pytest.mark.parametrize(("how", "expected"), [([], [1.5, 9.0]), (["sum"], [3.0, 18.0]), (["mean"], [1.5, 9.0])])
    def test_regression_with_several_outputs(self, compute, save, how, expected):
        p, t = save("p.npy", [[1.0, 2.0], [6.0, 12.0]]), save("t.npy", np.zeros((2, 2)))
        words = ["--over-outputs", *how] if how else []
        found = compute("l1", p, t, "--per-sample", *words).json
        assert [row["loss"] for row in found["rows"]] == expected
        assert found["value"] == sum(expected) / 2

    def test_multi_label(self, compute, save):
        p, t = save("p.npy", [[1.0, -2.0]]), save("t.npy", [[1, 1]])
        both = binary(1, 1) + binary(-2, 1)
        assert compute("bce", p, t, "-f", "value").value == near(both / 2)
        assert compute("bce", p, t, "--over-outputs", "sum", "-f", "value").value == near(both)

    def test_elements_are_each_output_s_own_loss(self, compute, save):
        p, t = save("p.npy", [[1.0, 2.0], [6.0, 12.0]]), save("t.npy", np.zeros((2, 2)))
        rows = compute("l1", p, t, "--elements").json["rows"]
        assert [row["losses"] for row in rows] == [[1.0, 2.0], [6.0, 12.0]]
        assert [row["loss"] for row in rows] == [1.5, 9.0]

    def test_softmax_losses_have_one_output(self, compute, tiny):
        compute("ce", *tiny, "--over-outputs", "sum").refuses(2, "--over-outputs")


class TestSampleWeights:
    def test_a_file_of_weights(self, compute, tiny, save):
        w = save("w.npy", [1.0, 2.0, 5.0])
        expected = (TINY_LOSSES[0] + 2 * TINY_LOSSES[1] + 5 * TINY_LOSSES[2]) / 8
        assert compute("ce", *tiny, "--sample-weight", w, "-f", "value").value == near(expected)

    def test_a_column_of_weights(self, compute, write):
        write("all.csv", "p,t,w\n1,0,1\n5,0,3\n")
        words = ("l1", "all.csv:p", "all.csv:t", "--sample-weight", "all.csv:w")
        assert compute(*words, "-f", "value").value == near((1 + 15) / 4)

    def test_a_weight_column_of_the_predictions_is_no_prediction(self, compute, write):
        write("p.csv", "cat,dog,w\n1,2,3\n3,4,5\n")
        t = write("t.csv", "label\ndog\ncat\n")
        found = compute("ce", "p.csv", t, "--sample-weight", "p.csv:w").json
        expected = (3 * cross_entropy([1, 2], 1) + 5 * cross_entropy([3, 4], 0)) / 8
        assert found["value"] == near(expected)

    def test_weights_of_another_length_are_refused(self, compute, tiny, save):
        compute("ce", *tiny, "--sample-weight", save("w.npy", [1.0, 2.0])).refuses(3, "w.npy", "3", "2")

    @pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
    def test_a_weight_that_is_no_finite_number_from_zero_on_is_refused(self, compute, tiny, save, bad):
        w = save("w.npy", [1.0, bad, 1.0])
        compute("ce", *tiny, "--sample-weight", w).refuses(3, "w.npy[1]", "weight")

    def test_per_sample_losses_are_before_their_weight(self, compute, tiny, save):
        w = save("w.npy", [1.0, 2.0, 5.0])
        rows = compute("ce", *tiny, "--sample-weight", w, "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == near(TINY_LOSSES)
        assert [row["weight"] for row in rows] == [1.0, 2.0, 5.0]


class TestClassWeights:
    def test_by_index(self, compute, tiny):
        expected = (TINY_LOSSES[0] + 4 * TINY_LOSSES[1] + 2 * TINY_LOSSES[2]) / 7
        found = compute("ce", *tiny, "--class-weight", "0=2,1=1,2=4").json
        assert found["value"] == near(expected)
        assert found["denominator"] == 7

    def test_by_name_with_the_prefix_that_labels_lack(self, compute, write):
        p = write("p.csv", "p_cat,p_dog\n1,2\n3,4\n")
        t = write("t.csv", "label\ndog\ncat\n")
        expected = (4 * cross_entropy([1, 2], 1) + cross_entropy([3, 4], 0)) / 5
        assert compute("ce", p, t, "--class-weight", "cat=1,dog=4", "-f", "value").value == near(expected)

    def test_a_name_may_hold_an_equals_sign(self, compute, write):
        p = write("p.csv", "a=b,c\n1,2\n3,4\n")
        t = write("t.csv", "label\nc\na=b\n")
        expected = (cross_entropy([1, 2], 1) + 4 * cross_entropy([3, 4], 0)) / 5
        assert compute("ce", p, t, "--class-weight", "a=b=4,c=1", "-f", "value").value == near(expected)

    def test_an_unknown_class_is_refused_with_the_nearest(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n"), write("t.csv", "label\ndog\n")
        compute("ce", p, t, "--class-weight", "cat=1,dgo=4").refuses(2, "dgo", "dog")

    def test_a_file_with_one_number_a_class(self, compute, tiny, save):
        w = save("w.npy", [2.0, 1.0, 4.0])
        expected = (TINY_LOSSES[0] + 4 * TINY_LOSSES[1] + 2 * TINY_LOSSES[2]) / 7
        assert compute("ce", *tiny, "--class-weight", w, "-f", "value").value == near(expected)

    def test_a_file_with_names(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n3,4\n"), write("t.csv", "label\ndog\ncat\n")
        w = write("w.csv", "class,weight\ndog,4\ncat,1\n")
        expected = (4 * cross_entropy([1, 2], 1) + cross_entropy([3, 4], 0)) / 5
        assert compute("ce", p, t, "--class-weight", w, "-f", "value").value == near(expected)

    def test_a_file_with_too_few_is_refused(self, compute, tiny, save):
        compute("ce", *tiny, "--class-weight", save("w.npy", [2.0, 1.0])).refuses(3, "w.npy", "2", "3")

    def test_balanced_is_n_over_k_times_count(self, compute, save):
        # Classes 0, 0, 0, 1 of 2: weights 4 / (2 * 3) and 4 / (2 * 1).
        z = [[1.0, 2.0], [0.0, 1.0], [3.0, 0.0], [0.0, 5.0]]
        p, t = save("p.npy", z), save("t.npy", [0, 0, 0, 1])
        losses = [cross_entropy(row, label) for row, label in zip(z, [0, 0, 0, 1], strict=True)]
        expected = (sum(losses[:3]) * 2 / 3 + losses[3] * 2) / 4
        assert compute("ce", p, t, "--class-weight", "balanced", "-f", "value").value == near(expected)

    def test_a_class_that_no_row_has_leaves_balanced_defined(self, compute, save):
        p, t = save("p.npy", [[1.0, 2.0, 0.0]] * 2), save("t.npy", [0, 1])
        expected = (cross_entropy([1, 2, 0], 0) + cross_entropy([1, 2, 0], 1)) / 2
        assert compute("ce", p, t, "--class-weight", "balanced", "-f", "value").value == near(expected)

    def test_soft_targets_weigh_by_the_target_before_smoothing(self, compute, save):
        z, t = [[1.0, 2.0], [0.0, 3.0]], [[0.25, 0.75], [1.0, 0.0]]
        weights = [0.25 * 2 + 0.75 * 6, 2.0]
        smoothed = [[0.8 * x + 0.1 for x in row] for row in t]
        losses = [sum(s * cross_entropy(z[i], k) for k, s in enumerate(smoothed[i])) for i in range(2)]
        expected = (weights[0] * losses[0] + weights[1] * losses[1]) / sum(weights)
        words = ("ce", save("p.npy", z), save("t.npy", t), "--class-weight", "0=2,1=6", "--label-smoothing", "0.2")
        assert compute(*words, "-f", "value").value == near(expected)

    @pytest.mark.parametrize("labels", [[1, 0], [1, -1]])
    def test_binary_labels_are_two_classes(self, compute, save, labels):
        p, t = save("p.npy", [1.0, 2.0]), save("t.npy", labels)
        expected = (4 * binary(1, 1) + 2 * binary(2, 0)) / 6
        assert compute("bce", p, t, "--class-weight", f"{labels[1]}=2,1=4", "-f", "value").value == near(expected)

    def test_multi_label_weights_weigh_their_output(self, compute, save):
        p, t = save("p.npy", [[1.0, 2.0], [3.0, -1.0]]), save("t.npy", [[1, 0], [0, 1]])
        each = [[binary(1, 1), binary(2, 0)], [binary(3, 0), binary(-1, 1)]]
        words = ("bce", p, t, "--class-weight", "0=1,1=3")
        # Every output's loss weighs in sums and denominators alike, as the weighted mean does.
        expected = sum(row[0] + 3 * row[1] for row in each) / (2 * (1 + 3))
        assert compute(*words, "-f", "value").value == near(expected)

    def test_sample_and_class_weights_multiply(self, compute, tiny, save):
        w = save("w.npy", [1.0, 2.0, 5.0])
        weights = [1.0, 2 * 4.0, 5 * 2.0]
        expected = sum(a * b for a, b in zip(weights, TINY_LOSSES, strict=True)) / sum(weights)
        found = compute("ce", *tiny, "--class-weight", "0=2,2=4", "--sample-weight", w, "--per-sample").json
        assert found["value"] == near(expected)
        assert [row["weight"] for row in found["rows"]] == weights


class TestPosWeight:
    def test_it_is_part_of_the_loss_itself(self, compute, save):
        p, t = save("p.npy", [1.0, 2.0]), save("t.npy", [1, 0])
        found = compute("bce", p, t, "--pos-weight", "4").json
        assert found["value"] == near((4 * binary(1, 1) + binary(2, 0)) / 2)
        assert found["denominator"] == 2

    def test_by_the_name_of_the_output(self, compute, write):
        p = write("p.csv", "rain,snow\n1,2\n")
        t = write("t.csv", "rain,snow\n1,1\n")
        words = ("bce", p, t, "--pos-weight", "snow=12")
        assert compute(*words, "-f", "value").value == near((binary(1, 1) + 12 * binary(2, 1)) / 2)

    def test_of_focal(self, compute, save):
        p, t = save("p.npy", [0.0]), save("t.npy", [1])
        assert compute("focal", p, t, "--pos-weight", "3", "-f", "value").value == near(3 * 0.25 * LOG2)


class TestTargets:
    @pytest.mark.parametrize(
        ("array", "dtype", "kind"),
        [
            ([1, 2, 0], np.int64, "index"),
            ([1, 2, 0], np.uint8, "index"),
            ([1.0, 2.0, 0.0], np.float32, "index"),
            ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.int64, "one-hot"),
            ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], bool, "one-hot"),
            ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float32, "one-hot"),
        ],
    )
    def test_every_form_of_class_labels_gives_the_same_number(self, compute, save, tiny, array, dtype, kind):
        found = compute("ce", tiny[0], save("t.npy", array, dtype)).json
        assert found["value"] == near(sum(TINY_LOSSES) / 3)
        assert found["receipt"]["targets"]["kind"] == kind

    @pytest.mark.parametrize("cells", ["1\n2\n0\n", "1.0\n2.0\n0.0\n", "label\n1\n2\n0\n"])
    def test_a_column_of_indices(self, compute, write, tiny, cells):
        assert compute("ce", tiny[0], write("t.csv", cells), "-f", "value").value == near(sum(TINY_LOSSES) / 3)

    def test_soft_rows_are_recognised_from_the_whole_file(self, compute, save):
        p = save("p.npy", [[1.0, 2.0]] * 3)
        t = save("t.npy", [[0, 1], [1, 0], [0.5, 0.5]])
        assert compute("ce", p, t).json["receipt"]["targets"]["kind"] == "soft"

    @pytest.mark.parametrize(("labels", "kind"), [([1, 0], "binary"), ([1, -1], "signed"), ([0.5, 1], "soft")])
    def test_sigmoid_targets(self, compute, save, labels, kind):
        p, t = save("p.npy", [1.0, 2.0]), save("t.npy", labels)
        assert compute("bce", p, t).json["receipt"]["targets"]["kind"] == kind

    def test_names_that_are_text_arrays(self, compute, write, save):
        p = write("p.csv", "cat,dog\n1,2\n3,4\n")
        t = save("t.npy", np.array(["dog", "cat"]))
        expected = (cross_entropy([1, 2], 1) + cross_entropy([3, 4], 0)) / 2
        assert compute("ce", p, t, "-f", "value").value == near(expected)

    def test_sigmoid_losses_take_one_label_a_row_as_one_hot(self, compute, tiny):
        each = [binary(z, float(k == y)) for row, y in zip(TINY, TINY_LABELS, strict=True) for k, z in enumerate(row)]
        assert compute("bce", *tiny, "-f", "value").value == near(sum(each) / 9)

    def test_a_class_that_no_row_has_is_still_a_class(self, compute, save):
        p, t = save("p.npy", [[0.0, 0.0, 0.0]]), save("t.npy", [0])
        assert compute("ce", p, t, "-f", "value").value == near(LOG3)

    @pytest.mark.parametrize("number", ["0", "2.5", "-2", "-1.5e0", "+1", "-.5"])
    def test_a_residual_loss_takes_a_constant(self, compute, save, number):
        p = save("p.npy", [1.0, 3.0])
        t = float(number)
        assert compute("mse", p, number, "-f", "value").value == near(((1 - t) ** 2 + (3 - t) ** 2) / 2)

    def test_a_file_whose_name_is_a_number_wins_over_the_constant(self, compute, save, folder):
        p = save("p.npy", [1.0, 3.0])
        (folder / save("t.npy", [1.0, 2.0])).rename(folder / "0")
        assert compute("l1", p, "0", "-f", "value").value == 0.5

    @pytest.mark.parametrize("loss", ["bce", "ce", "hinge"])
    def test_other_losses_take_no_constant(self, compute, tiny, loss):
        compute(loss, tiny[0], "0").refuses(3, "0")

    def test_n_by_1_predictions_are_squeezed_with_a_note(self, compute, save):
        done = compute("mse", save("p.npy", [[1.0], [2.0]]), save("t.npy", [1.0, 4.0]))
        assert done.json["value"] == 2
        assert "p.npy" in done.err
        assert "(2, 1)" in done.err

    def test_n_by_1_targets_are_squeezed_with_a_note(self, compute, save):
        done = compute("mse", save("p.npy", [1.0, 2.0]), save("t.npy", [[1.0], [4.0]]))
        assert done.json["value"] == 2
        assert "t.npy" in done.err

    def test_n_by_1_against_n_by_1_needs_no_note(self, compute, save):
        done = compute("mse", save("p.npy", [[1.0], [2.0]]), save("t.npy", [[1.0], [4.0]]))
        assert (done.json["value"], done.err) == (2, "")


class TestBaseline:
    def test_the_mean_for_squared_error(self, compute, save):
        p, t = save("p.npy", [1.0, 2.0, 9.0]), save("t.npy", [1.0, 2.0, 6.0])
        found = compute("mse", p, t).json
        assert found["baseline"]["prediction"] == near(3)
        assert found["baseline"]["value"] == near((4 + 1 + 9) / 3)
        assert found["baseline"]["skill"] == near(1 - 3 / (14 / 3))

    def test_the_median_for_absolute_error(self, compute, save):
        p, t = save("p.npy", [1.0, 2.0, 9.0]), save("t.npy", [1.0, 2.0, 6.0])
        best = compute("mae", p, t).json["baseline"]
        assert (best["prediction"], best["value"]) == (2, near(5 / 3))

    def test_the_frequencies_for_cross_entropy(self, compute, save):
        p, t = save("p.npy", np.zeros((4, 2))), save("t.npy", [0, 1, 1, 1])
        best = compute("ce", p, t).json["baseline"]
        assert best["prediction"] == near([0.25, 0.75])
        assert best["value"] == near(-(math.log(0.25) + 3 * math.log(0.75)) / 4)

    def test_it_is_under_the_run_s_own_reduction_and_weights(self, compute, save):
        # Weights 1 and 3: the weighted mean of 0 and 4 is 3; squares 9 and 1.
        p, t, w = save("p.npy", [0.0, 0.0]), save("t.npy", [0.0, 4.0]), save("w.npy", [1.0, 3.0])
        best = compute("mse", p, t, "--sample-weight", w, "--reduction", "sum").json["baseline"]
        assert (best["prediction"], best["value"]) == (near(3), near(9 + 3 * 1))

    def test_several_outputs_have_one_prediction_each(self, compute, save):
        p, t = save("p.npy", np.ones((2, 2))), save("t.npy", [[0.0, 1.0], [2.0, 5.0]])
        best = compute("mse", p, t).json["baseline"]
        assert (best["prediction"], best["value"]) == (near([1, 3]), near((1 + 4) / 2))

    def test_smoothing_changes_the_targets_and_so_the_baseline(self, compute, save):
        p, t = save("p.npy", [0.0, 0.0, 0.0, 0.0]), save("t.npy", [1, 1, 1, 0])
        best = compute("bce", p, t, "--label-smoothing", "0.2").json["baseline"]
        assert best["prediction"] == near((3 * 0.9 + 0.1) / 4)

    @pytest.mark.parametrize("loss", ["huber", "tukey", "smooth-l1"])
    def test_null_where_one_pass_cannot_give_it(self, compute, save, loss):
        found = compute(loss, save("p.npy", [1.0, 2.0]), save("t.npy", [1.0, 4.0])).json
        assert "baseline" in found
        assert found["baseline"] is None

    def test_targets_that_are_all_equal_leave_no_skill(self, compute, save):
        found = compute("mse", save("p.npy", [1.0, 2.0]), save("t.npy", [3.0, 3.0])).json
        assert (found["baseline"]["value"], found["baseline"]["skill"]) == (0, None)


class TestRequire:
    """Losses 1, 2, 3, 4 under absolute error: mean 2.5, std sqrt(1.25), p50 2.5, p90 3.7, p99 3.97."""

    @pytest.fixture
    def words(self, save):
        return ("l1", save("p.npy", [1.0, 2, 3, 4, 7]), save("t.npy", [0, 0, 0, 0, -9]), "--ignore-index", "-9")

    @pytest.mark.parametrize(
        ("statistic", "actual"),
        [
            ("value", 2.5),
            ("mean", 2.5),
            ("std", math.sqrt(1.25)),
            ("min", 1),
            ("max", 4),
            ("p50", 2.5),
            ("p90", 3.7),
            ("p99", 3.97),
            ("samples", 4),
            ("ignored", 1),
        ],
    )
    def test_statistic(self, compute, words, statistic, actual):
        for operator, gap, met in (("<", 0.01, True), ("<", -0.01, False), (">", -0.01, True), (">=", 0.01, False)):
            done = compute(*words, "--require", f"{statistic} {operator} {actual + gap}")
            assert done.code == (0 if met else 1)
            assert done.json["requirements"] == [
                {"require": f"{statistic} {operator} {actual + gap}", "met": met, "actual": near(actual)}
            ]

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("max < 4", 1),
            ("max <= 4", 0),
            ("max > 4", 1),
            ("max >= 4", 0),
            ("max == 4", 0),
            ("max == 4.1", 1),
            ("max<=4", 0),
            ("  max   <=   4.0e0 ", 0),
            ("min >= -1", 0),
            ("max < inf", 0),
        ],
    )
    def test_operator(self, compute, words, text, code):
        assert compute(*words, "--require", text).code == code

    @pytest.mark.parametrize(
        "text", ["mean", "mean 3", "mean != 3", "mean =< 3", "average < 3", "mean < few", "mean < nan", "", "3 > mean"]
    )
    def test_what_is_no_requirement_is_refused(self, compute, words, text):
        compute(*words, "--require", text).refuses(2, "--require")

    def test_a_misspelt_statistic_is_answered_with_the_nearest(self, compute, words):
        compute(*words, "--require", "maen < 3").refuses(2, "did you mean mean?")

    def test_all_are_evaluated_and_listed(self, compute, words):
        asked = ["mean < 1", "max <= 4", "min > 2"]
        done = compute(*words, *(word for text in asked for word in ("--require", text)))
        assert done.code == 1
        assert [(entry["require"], entry["met"]) for entry in done.json["requirements"]] == [
            ("mean < 1", False),
            ("max <= 4", True),
            ("min > 2", False),
        ]

    @pytest.mark.parametrize("format", ["table", "markdown", "json"])
    def test_the_number_is_printed_all_the_same(self, compute, words, format):
        done = compute(*words, "--require", "mean < 1", "-f", format)
        assert done.code == 1
        assert "2.5" in done.out
        assert "mean < 1" in done.out

    @pytest.mark.parametrize("format", ["value", "jsonl", "csv", "tsv"])
    def test_formats_without_room_for_it_say_it_on_standard_error(self, compute, words, format):
        done = compute(*words, "--require", "mean < 1", "--require", "max <= 4", "-f", format)
        assert done.code == 1
        assert "mean < 1" in done.err
        assert "max <= 4" in done.err
        assert "mean < 1" not in done.out

    @pytest.mark.parametrize("text", ["std < 1e9", "std > 0", "std <= inf", "std == 0"])
    def test_nan_meets_nothing(self, compute, save, text):
        # The spread of an infinite and a finite loss is not a number.
        done = compute("l1", save("p.npy", [np.inf, 1.0]), "0", "--require", text)
        assert done.code == 1
        assert done.json["requirements"][0]["met"] is False

    def test_an_infinite_value_meets_no_bound_from_above(self, compute, save):
        assert compute("l1", save("p.npy", [np.inf, 1.0]), "0", "--require", "value < 1e300").code == 1

    def test_the_value_of_reduction_none_meets_nothing(self, compute, words):
        assert compute(*words, "--reduction", "none", "--require", "value < 100").code == 1

    def test_a_bad_file_wins_over_an_unmet_requirement(self, compute, save):
        p = save("p.npy", [1.0, np.nan])
        compute("l1", p, "0", "--require", "mean < 0").refuses(3, "NaN")

    def test_met_requirements_exit_with_zero(self, compute, words):
        assert compute(*words, "--require", "mean <= 2.5", "--require", "samples == 4").code == 0
