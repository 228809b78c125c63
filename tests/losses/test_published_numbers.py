"""Numbers that papers and other packages print, through the command line."""

import math

import numpy as np
import pytest
from by_hand import LOG3, TINY_LOSSES, near


@pytest.mark.simd
@pytest.mark.quick
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
        added = {name: found["summary"].pop(name) for name in ("perplexity", "bits", "ece", "mce")}
        assert added["perplexity"] == pytest.approx(math.exp(mean))
        assert added["bits"] == pytest.approx(mean / math.log(2))
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
            ("ce pixels_logits.npy pixels_labels.npy --class-axis 1", 0.412464615),
            ("ce pixels_logits.npy pixels_labels.npy --class-axis 1 --mask pixels_mask.npy", 0.576331178),
            ("ce letters_logits.npy letters.npy --class-axis -1 --shift 1 --ignore-index -100", 2.581353803),
            ("bce holes_logits.csv holes.csv --id id --missing ignore", 0.534524261),
        ],
    )
    def test_sample_file(self, compute, monkeypatch, sample_data, words, score):
        monkeypatch.chdir(sample_data)
        rel = 1e-7 if ".npy" in words else 2e-8  # the logits of an .npy file are float32, and so is their loss
        assert compute(*words.split(), "-f", "value").value == pytest.approx(score, rel=rel)
