"""`losscli plot reliability`: what is in the picture."""

import itertools
import math

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.container import ErrorbarContainer
from pictures import bars, near, of_text, overlap

from losscli.analysis.calibration import scores
from losscli.analysis.calibration.reliability import Reliability
from losscli.analysis.calibration.scores import Confidences
from losscli.engine import job
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

    def points(self, axes):
        """Of each group of points: its name, whether it is faint, where they are, and the ends of their intervals."""
        found = []
        for part in axes.containers:
            if isinstance(part, ErrorbarContainer):
                points, _, whiskers = part
                upright = [segments.get_segments() for segments in whiskers]
                ends = [(low[1], high[1]) for low, high in upright[-1]]
                found.append((part.get_label(), points.get_alpha(), points.get_xydata().tolist(), ends))
        return found

    def test_points_intervals_and_counts(self, picture, save):
        drawn = self.draw(picture, save, self.CONFIDENCE, self.RIGHT, "--bins", "5")
        upper, lower = drawn.axes
        # (0.4, 0.6]: 0.6. (0.6, 0.8]: 0.65 and 0.7, one right. (0.8, 1]: 0.85, 0.9, 0.95 and 1, three right.
        assert [bar.get_x() for bar in bars(lower)] == near([0.4, 0.6, 0.8])
        assert [bar.get_width() for bar in bars(lower)] == near([0.2] * 3)
        assert [bar.get_height() for bar in bars(lower)] == near([1, 2, 4])
        [(_, _, points, ends)] = self.points(upper)
        assert points == [near([0.6, 1]), near([0.675, 1 / 2]), near([0.925, 3 / 4])]
        z2 = 1.959963984540054**2
        for (low, high), n, p in zip(ends, (1, 2, 4), (1, 1 / 2, 3 / 4), strict=True):
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

    @pytest.mark.parametrize("words", [(), ("--calibrate",)])
    def test_bins_of_fewer_than_ten_rows_are_faint_and_named(self, picture, save, words):
        confidence, right = [0.55] * 9 + [0.95] * 10, [1, 0, 0] * 3 + [1, 0] * 5
        upper = self.draw(picture, save, confidence, right, "--bins", "5", *words).axes[0]
        found = self.points(upper)
        many, few = found[:2]
        assert (many[1], few[1]) == (1, 0.4)
        assert (many[2], few[2]) == ([near([0.95, 0.5])], [near([0.55, 1 / 3])])
        names = [text.get_text() for text in upper.get_legend().get_texts()]
        assert many[0] in names
        assert names.count("bin of fewer than 10 samples") == 1  # once, before and after

    def test_the_diagonal_is_where_confidence_is_accuracy(self, picture, save):
        upper = self.draw(picture, save, self.CONFIDENCE, self.RIGHT).axes[0]
        [diagonal] = [line for line in upper.lines if line.get_label() == "accuracy = confidence"]
        assert (list(diagonal.get_xdata()), list(diagonal.get_ydata())) == ([0, 1], [0, 1])
        names = [text.get_text() for text in upper.get_legend().get_texts()]
        assert names == ["accuracy = confidence", "bin of fewer than 10 samples"]
        upper = self.draw(picture, save, self.CONFIDENCE * 9, self.RIGHT * 9, "--bins", "1").axes[0]
        names = [text.get_text() for text in upper.get_legend().get_texts()]
        assert names == ["accuracy = confidence", "accuracy, 95 % interval"]

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
            "bin of fewer than 10 samples",
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
        wanted = ["fraction of positives = p(positive)", "before", f"after, {name}"]
        assert [each for each in names if "fewer" not in each] == wanted
        assert drawn.get_suptitle().startswith("ECE of p(positive) ")
        assert "\nECE of 95 % of calibrated models: " in drawn.get_suptitle()
        if method == "isotonic":
            assert "judge it on other rows, with losscli calibrate --apply OTHER -o FILE" in drawn.said

    @pytest.mark.parametrize("words", [(), ("--calibrate",)])
    @pytest.mark.parametrize(("size", "beside"), [("8,5", True), ("5,6", False)])
    def test_the_panel_is_square_in_every_figure(self, picture, save, words, size, beside):
        generator = np.random.default_rng(0)
        z = generator.normal(0, 2, 80)
        p, t = save("z.npy", z), save("t.npy", (generator.random(80) < 1 / (1 + np.exp(-z / 2))).astype(int))
        upper, lower = picture("reliability", p, t, "--size", size, *words, laid_out=True).axes
        box, other = upper.get_window_extent(), lower.get_window_extent()
        assert box.width == pytest.approx(box.height)
        assert (other.x0 > box.x1) == beside
        assert (other.y1 < box.y0) == (not beside)
        assert bool(upper.get_xlabel()) == beside

    def test_bins_of_equal_mass_show_how_densely_rows_lie_in_them(self, picture, save):
        drawn = self.draw(picture, save, self.CONFIDENCE, self.RIGHT, "--bins", "7", "--binning", "mass")
        lower = drawn.axes[1]
        # 7 bins of one row each: from 0.6 to 0.6, and from there to 0.65, 0.7, 0.85, 0.9, 0.95 and 1.
        widths = [0, 0.05, 0.05, 0.15, 0.05, 0.05, 0.05]
        assert [bar.get_width() for bar in bars(lower)] == near(widths)
        assert [bar.get_height() * bar.get_width() for bar in bars(lower)][1:] == near([1 / 7] * 6)
        assert lower.get_ylabel() == "density"
        assert of_text(lower) == []
        assert lower.get_xlabel() == "confidence: probability of the predicted class\n1 sample per bin"
        error = sum(abs(c - r) for c, r in zip(self.CONFIDENCE, self.RIGHT, strict=True)) / 7
        assert f"ECE of p(predicted) {error:.4f} in 7 bins of equal mass" in drawn.get_suptitle()

    def test_points_of_bins_of_equal_mass_are_as_wide_as_their_bins(self, picture, save):
        confidence = [*np.linspace(0.5, 0.6, 10), *np.linspace(0.8, 1, 10)]
        upper = self.draw(picture, save, confidence, [1] * 20, "--bins", "2", "--binning", "mass").axes[0]
        _, part = [part for part in upper.containers if isinstance(part, ErrorbarContainer)]
        level = [(left[0], right[0]) for left, right in part[2][0].get_segments()]
        assert level == [near((0.5, 0.6)), near((0.6, 1.0))]
        names = [text.get_text() for text in upper.get_legend().get_texts()]
        assert names == ["accuracy = confidence", "accuracy, 95 % interval", "width of the bin"]
        mixed = self.draw(
            picture, save, [*confidence, 1.0], [1] * 21, "--bins", "2", "--binning", "mass", "--calibrate"
        )
        names = [text.get_text() for text in mixed.axes[0].get_legend().get_texts()]
        assert names.count("width of the bin") == 1

    def test_the_narrowest_bar_is_drawn(self, picture, save):
        confidence = [*np.linspace(0.5, 0.9, 10), *np.linspace(0.9999, 0.99999, 10)]
        lower = self.draw(picture, save, confidence, [1] * 20, "--bins", "2", "--binning", "mass").axes[1]
        for bar in bars(lower):
            assert bar.get_edgecolor()[:3] == bar.get_facecolor()[:3]
            assert bar.get_linewidth() > 0

    def test_a_wide_figure_is_filled(self, picture, save):
        words = "--bins", "5", "--size", "10,4"
        left, right = self.draw(picture, save, self.CONFIDENCE, self.RIGHT, *words).axes
        left.figure.draw_without_rendering()
        boxes = [axes.get_window_extent() for axes in (left, right)]
        assert boxes[0].width == pytest.approx(boxes[0].height)
        assert boxes[1].x0 - boxes[0].x1 < 0.15 * left.figure.bbox.width

    def test_the_small_print_names_columns(self, picture, write):
        write("p.csv", "p,y\n0.2,0\n0.7,1\n0.6,0\n")
        drawn = picture("reliability", "p.csv:p", "p.csv:y", "--from", "probs", "-q")
        assert drawn.get_supxlabel().startswith("p.csv:p, p.csv:y | from probs")

    def test_densities_that_differ_much_are_on_a_logarithmic_scale(self, picture, save):
        confidence = [*np.linspace(0.5, 0.9, 10), *np.linspace(0.99, 0.992, 10)]
        words = "--bins", "2", "--binning", "mass"
        lower = self.draw(picture, save, confidence, [1] * 20, *words).axes[1]
        # The edge between the bins is the last confidence of the first: densities 0.5 / 0.4 and 0.5 / 0.092.
        assert (lower.get_yscale(), lower.get_ylabel()) == ("linear", "density")
        confidence = [*np.linspace(0.5, 0.98, 10), *np.linspace(0.981, 0.982, 10)]
        lower = self.draw(picture, save, confidence, [1] * 20, *words).axes[1]
        assert (lower.get_yscale(), lower.get_ylabel()) == ("log", "density (log\nscale)")
        assert [bar.get_y() + bar.get_height() for bar in bars(lower)] == near([0.5 / 0.48, 0.5 / 0.002], rel=1e-6)

    def test_fewer_bins_of_equal_mass_than_asked_for(self, picture, save):
        drawn = self.draw(picture, save, [0.6] * 9 + [0.8] * 3, [1] * 12, "--binning", "mass")
        assert "in 2 bins of equal mass (15 asked for" in drawn.get_suptitle()
        assert [bar.get_width() for bar in bars(drawn.axes[1])] == [0, near(0.2)]
        assert drawn.axes[1].get_xlabel().endswith("\n3 to 9 samples per bin")

    def test_a_bin_of_one_confidence_is_a_line(self, picture, save):
        lower = self.draw(picture, save, [0.6] * 5 + [0.8, 0.9], [1] * 7, "--binning", "mass", "--bins", "3").axes[1]
        segments = [part.get_segments() for part in lower.collections if isinstance(part, LineCollection)]
        assert [segment.tolist() for part in segments for segment in part] == [[[0.6, 0], [0.6, lower.get_ylim()[1]]]]

    def test_small_print_says_files_and_bins(self, picture, save):
        drawn = self.draw(picture, save, self.CONFIDENCE, self.RIGHT, "--bins", "5")
        words = " ".join(drawn.get_supxlabel().split())
        assert (
            words
            == "p.npy, t.npy | from probs | bins (low, high], 5 bins of equal width | 95 % intervals of Wilson (1927)"
        )
        assert drawn.about["Description"].endswith(words.removesuffix(" | 95 % intervals of Wilson (1927)"))

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

    def test_lines_before_and_after_leave_out_bins_of_few_rows(self, picture, save):
        confidence, right = [0.55] * 9 + [0.75] * 10 + [0.95] * 10, [1, 0, 0] * 3 + [1, 0] * 10
        upper = self.draw(picture, save, confidence, right, "--bins", "5", "--calibrate").axes[0]
        [line] = [
            line
            for line in upper.lines
            if line.get_linestyle() == "--"
            and len(line.get_xdata()) == 2
            and line.get_marker() == "None"
            and line.get_label() != "accuracy = confidence"
        ]
        assert line.get_xydata().tolist() == [near([0.75, 0.5]), near([0.95, 0.5])]

    def test_ignored_labels(self, picture, save):
        p = save("p.npy", [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
        drawn = picture("reliability", p, save("t.npy", [0, -1, 1]), "--from", "probs", "--ignore-index", "-1")
        assert "2 samples: accuracy 0.5000, mean confidence 0.7500" in drawn.get_suptitle()

    def test_many_rows_are_counted_in_cells_and_drawn_alike(self, picture, save, monkeypatch):
        confidence = np.random.default_rng(3).uniform(0.5, 1, 600)
        right = np.random.default_rng(4).uniform(size=600) < confidence**2
        kept = self.points(self.draw(picture, save, confidence, right).axes[0])[0]
        monkeypatch.setattr(scores, "KEPT_ROWS", 100)
        monkeypatch.setattr(job, "CHUNK_ROWS", 50)
        seen, cells_of = [], scores.Cells.of
        monkeypatch.setattr(scores.Cells, "of", classmethod(lambda cls, *words: seen.append(1) or cells_of(*words)))
        counted = self.points(self.draw(picture, save, confidence, right).axes[0])[0]
        assert seen
        assert np.array(counted[2]) == pytest.approx(np.array(kept[2]), abs=1e-12)

    def test_draws_what_it_is_given(self):
        """The picture by itself: all wrong and all right are at the ends of their intervals."""
        found = Reliability.of_groups(
            Confidences.of(np.array([0.1, 0.9]), np.array([False, True]), 2).groups(), 2, "width"
        )
        from losscli.plots import reliability as reliability_picture

        with style.drawing(style.Look()):
            upper, lower = reliability_picture.draw(found, style.Look(), "about").axes
        [(_, _, points, ends)] = self.points(upper)
        assert points == [near([0.1, 0]), near([0.9, 1])]
        assert (ends[0][0], ends[1][1]) == (0, 1)
        assert [bar.get_height() for bar in bars(lower)] == [1, 1]
