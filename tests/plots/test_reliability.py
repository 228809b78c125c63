"""`losscli plot reliability`: what is in the picture."""

import itertools
import math

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from pictures import bars, near, of_text, overlap

from losscli.analysis.calibration.reliability import Reliability
from losscli.engine.collectors.calibration_bins import Verdicts
from losscli.plots import style


class TestReliability:
    def draw(self, picture, save, confidence, right, *words):
        """Of probabilities of two classes, the first of which is predicted."""
        confidence, right = np.asarray(confidence, float), np.asarray(right)
        p = save("p.npy", np.stack([confidence, 1 - confidence], axis=1))
        return picture("reliability", p, save("t.npy", 1 - right), "--from", "probs", *words)

    CONFIDENCE, RIGHT = [0.6, 0.7, 0.65, 0.95, 1.0, 0.9, 0.85], [1, 0, 1, 1, 1, 0, 1]

    def test_one_sample_is_no_samples(self, picture, save):
        drawn = self.draw(picture, save, [0.75], [1])
        assert drawn.get_suptitle().splitlines()[1] == "1 sample: accuracy 1.0000, mean confidence 0.7500"

    def test_bars_points_and_counts(self, picture, save):
        drawn = self.draw(picture, save, self.CONFIDENCE, self.RIGHT, "--bins", "5")
        upper, lower = drawn.axes
        # (0.4, 0.6]: 0.6. (0.6, 0.8]: 0.65 and 0.7, one right. (0.8, 1]: 0.85, 0.9, 0.95 and 1, three right.
        for axes, heights in ((upper, [1, 1 / 2, 3 / 4]), (lower, [1, 2, 4])):
            assert [bar.get_x() for bar in bars(axes)] == near([0.4, 0.6, 0.8])
            assert [bar.get_width() for bar in bars(axes)] == near([0.2] * 3)
            assert [bar.get_height() for bar in bars(axes)] == near(heights)
        [container] = [part for part in upper.containers if hasattr(part, "has_yerr")]
        points, _, [whiskers] = container
        assert points.get_xdata().tolist() == near([0.6, 0.675, 0.925])
        assert points.get_ydata().tolist() == near([1, 1 / 2, 3 / 4])
        z2 = 1.959963984540054**2
        expected = zip(whiskers.get_segments(), (1, 2, 4), (1, 1 / 2, 3 / 4), strict=True)
        for ((_, low), (_, high)), n, p in expected:
            middle, half = p + z2 / (2 * n), math.sqrt(z2) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
            assert (low, high) == near(((middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)))
        assert of_text(lower) == ["1", "2", "4"]
        assert [text.xy for text in lower.texts] == [(near(0.5), 1), (near(0.7), 2), (near(0.9), 4)]
        assert upper.get_ylabel() == "accuracy"
        assert lower.get_ylabel() == "samples per bin"
        assert lower.get_xlabel() == "confidence: probability of the predicted class"
        assert lower.get_xlim() == upper.get_xlim() == upper.get_ylim() == (-0.02, 1.02)
        assert upper.get_box_aspect() == 1
        assert lower.get_ylim()[0] == 0

    def test_the_diagonal_is_where_confidence_is_accuracy(self, picture, save):
        upper = self.draw(picture, save, self.CONFIDENCE, self.RIGHT).axes[0]
        [diagonal] = [line for line in upper.lines if line.get_label() == "accuracy = confidence"]
        assert (list(diagonal.get_xdata()), list(diagonal.get_ydata())) == ([0, 1], [0, 1])
        names = [text.get_text() for text in upper.get_legend().get_texts()]
        assert names == ["accuracy = confidence", "accuracy of a bin, with its 95 % interval"]

    def test_title_has_the_ece_with_its_bins(self, picture, save):
        title = self.draw(picture, save, self.CONFIDENCE, self.RIGHT, "--bins", "5").get_suptitle()
        error = (0.4 + 2 * 0.175 + 4 * 0.175) / 7
        mean = sum(self.CONFIDENCE) / 7
        assert f"ECE of p(predicted) {error:.4f} in 5 bins of equal width" in title
        assert f"7 samples: accuracy {5 / 7:.4f}, mean confidence {mean:.4f}" in title

    def test_of_one_score_it_is_the_fraction_of_positives(self, picture, save):
        words = save("p.npy", [0.1, 0.2, 0.3, 0.9]), save("t.npy", [0, 1, 0, 1]), "--from", "probs", "--bins", "2"
        drawn = picture("reliability", *words)
        upper, lower = drawn.axes
        assert (upper.get_ylabel(), lower.get_xlabel()) == (
            "fraction of positives",
            "p(positive): probability of the positive class",
        )
        names = [text.get_text() for text in upper.get_legend().get_texts()]
        assert names == [
            "fraction of positives = p(positive)",
            "fraction of positives of a bin, with its 95 % interval",
        ]
        # (0, 1/2]: 1/3 against 1/5; (1/2, 1]: 1 against 9/10.
        assert drawn.get_suptitle().splitlines() == [
            f"ECE of p(positive) {(0.4 + 0.1) / 4:.4f} in 2 bins of equal width",
            "4 samples: fraction of positives 0.5000, mean p(positive) 0.3750",
        ]
        other = picture("reliability", *words, "--reliability-of", "predicted")
        assert other.axes[0].get_ylabel() == "accuracy"
        assert "ECE of p(predicted)" in other.get_suptitle()

    @pytest.mark.parametrize(("method", "name"), [("platt", "Platt scaling"), ("isotonic", "isotonic regression")])
    def test_after_a_method(self, picture, save, method, name):
        z = np.random.default_rng(0).normal(0, 2, 80)
        words = save("z.npy", z), save("t.npy", (z + np.sin(9 * z) > 0).astype(int))
        drawn = picture("reliability", *words, "--method", method)
        names = [text.get_text() for text in drawn.axes[0].get_legend().get_texts()]
        assert names == ["fraction of positives = p(positive)", "before", f"after, {name}"]
        assert drawn.get_suptitle().startswith("ECE of p(positive) ")

    def test_no_square_where_there_is_no_room(self, picture, save):
        words = save("z.npy", [0.5, -1]), save("t.npy", [1, 0])
        assert picture("reliability", *words, "--size", "8,5").axes[0].get_box_aspect() is None

    def test_equal_mass(self, picture, save):
        drawn = self.draw(picture, save, self.CONFIDENCE, self.RIGHT, "--bins", "7", "--binning", "mass")
        assert [bar.get_height() for bar in bars(drawn.axes[1])] == [1] * 7
        error = sum(abs(c - r) for c, r in zip(self.CONFIDENCE, self.RIGHT, strict=True)) / 7
        assert f"ECE of p(predicted) {error:.4f} in 7 bins of equal mass" in drawn.get_suptitle()

    def test_fewer_bins_of_equal_mass_than_asked_for(self, picture, save):
        drawn = self.draw(picture, save, [0.6] * 9 + [0.8] * 3, [1] * 12, "--binning", "mass")
        assert "in 2 bins of equal mass (15 asked for" in drawn.get_suptitle()
        assert [bar.get_height() for bar in bars(drawn.axes[1])] == [9, 3]

    def test_a_bin_of_one_confidence_is_a_line(self, picture, save):
        lower = self.draw(picture, save, [0.6] * 5 + [0.8, 0.9], [1] * 7, "--binning", "mass", "--bins", "3").axes[1]
        segments = [part.get_segments() for part in lower.collections if isinstance(part, LineCollection)]
        assert [segment.tolist() for part in segments for segment in part] == [[[0.6, 0], [0.6, 5]]]

    def test_small_print_says_files_and_bins(self, picture, save):
        drawn = self.draw(picture, save, self.CONFIDENCE, self.RIGHT, "--bins", "5")
        words = " ".join(drawn.get_supxlabel().split())
        assert words == "p.npy, t.npy | from probs | bins (low, high], 5 bins of equal width"
        assert drawn.about["Description"].endswith(words)

    def test_a_title_that_is_asked_for(self, picture, save):
        assert self.draw(picture, save, [0.6], [1], "--title", "Mine").get_suptitle() == "Mine"

    def test_counts_of_thousands_and_many_bins(self, picture, save):
        generator = np.random.default_rng(0)
        confidence = 0.5 + generator.random(3000) / 2
        right = (generator.random(3000) < confidence).astype(int)
        few = self.draw(picture, save, confidence, right, "--bins", "2").axes[1]
        assert of_text(few) == ["3,000"]
        many = self.draw(picture, save, confidence, right, "--bins", "200").axes[1]
        assert len(bars(many)) == 100
        assert of_text(many) == []
        assert few.yaxis.get_major_formatter()(2000) == "2,000"

    def test_counts_stand_within_the_panel(self, picture, save):
        generator = np.random.default_rng(0)
        confidence = 0.5 + generator.random(30000) / 2
        right = (generator.random(30000) < confidence).astype(int)
        for bins in ("4", "10", "30"):
            words = "reliability", "p.npy", "t.npy", "--from", "probs", "--bins", bins
            self.draw(picture, save, confidence, right)
            axes = picture(*words, laid_out=True).axes[1]
            box = axes.patch.get_window_extent()
            texts = [text.get_window_extent() for text in axes.texts]
            assert all(text.y1 <= box.y1 + 1 for text in texts)
            assert all(overlap(one, other) <= 0 for one, other in itertools.pairwise(texts))

    def test_ignored_labels(self, picture, save):
        p = save("p.npy", [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
        drawn = picture("reliability", p, save("t.npy", [0, -1, 1]), "--from", "probs", "--ignore-index", "-1")
        assert "2 samples: accuracy 0.5000, mean confidence 0.7500" in drawn.get_suptitle()

    def test_draws_what_it_is_given(self):
        """The picture by itself: all wrong and all right are at the ends of their intervals."""
        found = Reliability.of(Verdicts((np.array([0.1, 0.9]),), (np.array([False, True]),)), 2, "width")
        from losscli.plots import reliability as reliability_picture

        with style.drawing(style.Look()):
            upper, lower = reliability_picture.draw(found, style.Look(), "about").axes
        assert [bar.get_height() for bar in bars(upper)] == [0, 1]
        assert [bar.get_height() for bar in bars(lower)] == [1, 1]
