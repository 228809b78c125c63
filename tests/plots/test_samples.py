"""`losscli plot samples`: what is in the picture."""

import math
import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba
from pictures import LOSSES_DRAWN, bars, legend, marks, mesh, near, numbers, of_text, panel, stairs, ticks
from reference import softmax

from losscli.losses import LOSSES


class TestDistribution:
    def draw(self, picture, save, losses, *words):
        save("p.npy", np.asarray(losses, float))
        return panel(picture("samples", "mae", "p.npy", "0", "--panel", "distribution", *words))

    def test_counts_from_the_least_to_the_largest(self, picture, save):
        axes = self.draw(picture, save, LOSSES_DRAWN)
        counts, edges = stairs(axes)
        assert edges == near(np.linspace(0, 4, len(edges)))
        assert counts.tolist() == np.histogram(LOSSES_DRAWN, edges)[0].tolist()
        assert counts.sum() == 8
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("loss of a sample", "samples per bin")
        assert (axes.get_xscale(), axes.get_ylim()[0]) == ("linear", 0)

    def test_mean_median_and_p99_are_marked(self, picture, save):
        losses = np.random.default_rng(0).random(501)
        axes = self.draw(picture, save, losses)
        expected = {"mean": losses.mean(), "median": np.median(losses), "p99": np.percentile(losses, 99)}
        assert marks(axes) == {name: near(at) for name, at in expected.items()}
        assert list(legend(axes)) == [f"{name} {at:.4g}" for name, at in expected.items()]
        assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in axes.lines}) == 3

    def test_a_long_tail_has_a_logarithmic_axis(self, picture, save):
        losses = np.random.default_rng(0).lognormal(0, 3, 500)
        axes = self.draw(picture, save, losses)
        counts, edges = stairs(axes)
        assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "loss of a sample (log scale)")
        assert edges == near(np.geomspace(losses.min(), losses.max(), len(edges)))
        assert counts.sum() == 500

    @pytest.mark.parametrize(("words", "scale"), [([], "linear"), (["--log"], "log"), (["--no-log"], "linear")])
    def test_a_short_tail(self, picture, save, words, scale):
        axes = self.draw(picture, save, [1, 2, 3, 4], *words)
        assert axes.get_xscale() == scale
        assert ("log scale" in axes.get_xlabel()) == (scale == "log")

    def test_no_log_of_a_long_tail(self, picture, save):
        assert self.draw(picture, save, [1] * 90 + [1000] * 10, "--no-log").get_xscale() == "linear"

    def test_what_a_logarithmic_axis_cannot_show_is_counted(self, picture, save):
        axes = self.draw(picture, save, [0, 0, 1, 2, 4, math.inf], "--log")
        counts, edges = stairs(axes)
        assert (counts.sum(), edges[0], edges[-1]) == (3, 1, 4)
        assert axes.get_xlabel().endswith("not on this axis: 2 at 0 or below, 1 infinite")

    def test_a_mark_that_is_not_on_the_axis_is_said_to_be_elsewhere(self, picture, save):
        axes = self.draw(picture, save, [0, 0, 0, 1, math.inf], "--log")
        said = {label: len(line.get_xdata()) for label, line in legend(axes).items()}
        assert said == {
            "mean inf (not on this axis)": 0,
            "median 0 (not on this axis)": 0,
            "p99 inf (not on this axis)": 0,
        }

    def test_a_linear_axis_shows_zero(self, picture, save):
        axes = self.draw(picture, save, [0, 0, 0, 1, math.inf], "--no-log")
        counts, _ = stairs(axes)
        assert counts.sum() == 4
        assert legend(axes)["median 0"].get_xdata()[0] == 0
        assert axes.get_xlabel() == "loss of a sample\nnot on this axis: 1 infinite"

    def test_is_of_losses_before_weights(self, picture, save):
        save("w.npy", np.arange(8))
        plain = stairs(self.draw(picture, save, LOSSES_DRAWN))
        weighted = self.draw(picture, save, LOSSES_DRAWN, "--sample-weight", "w.npy")
        assert [part.tolist() for part in stairs(weighted)] == [part.tolist() for part in plain]
        assert marks(weighted)["mean"] == near(LOSSES_DRAWN.mean())
        assert f"unweighted mean {LOSSES_DRAWN.mean():.4g}" in legend(weighted)

    def test_thousands_have_a_comma_and_counts_are_whole(self, picture, save):
        axes = self.draw(picture, save, np.ones(3000))
        assert axes.yaxis.get_major_formatter()(2000) == "2,000"
        assert all(tick == round(tick) for tick in self.draw(picture, save, [1, 2]).get_yticks())

    @pytest.mark.parametrize(("losses", "words"), [([math.inf] * 3, []), ([0, 0], ["--log"])])
    def test_nothing_to_show(self, run, save, folder, losses, words):
        save("p.npy", np.array(losses, float))
        run("plot", "samples", "mae", "p.npy", "0", "-o", "o.png", "--panel", "distribution", *words).refuses(
            3, "no loss is", "finite"
        )
        assert not (folder / "o.png").exists()


class TestClasses:
    def draw(self, picture, *words):
        return panel(picture("samples", *words, "--panel", "classes"))

    def test_means_sorted_with_counts(self, picture, save):
        p = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.9, 0.05, 0.05]])
        axes = self.draw(picture, "ce", save("p.npy", p), save("t.npy", [0, 2, 1, 2, 0]), "--from", "probs")
        means = {"0": math.log(2 / 0.9) / 2, "1": math.log(1.25), "2": math.log(4 / 0.6) / 2}
        order = sorted(means, key=lambda name: -means[name])
        assert order == ["2", "0", "1"]
        assert [bar.get_width() for bar in bars(axes)] == near([means[name] for name in order])
        assert [bar.get_y() + bar.get_height() / 2 for bar in bars(axes)] == near([0, 1, 2])
        assert ticks(axes) == ["2  (n = 2)", "0  (n = 2)", "1  (n = 1)"]
        assert axes.get_yticks().tolist() == [0, 1, 2]
        assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first one on top
        assert axes.get_xlabel() == "mean loss of the class"
        total = 2 * means["0"] + means["1"] + 2 * means["2"]
        assert marks(axes) == {"mean of all": near(total / 5)}

    def test_names_and_classes_without_rows(self, picture, write):
        p = write("p.csv", "z_cat,z_dog,z_eel,z_fox\n" + "1,2,3,4\n" * 3)
        axes = self.draw(picture, "ce", p, write("t.csv", "label\ncat\nfox\ncat\n"))
        assert ticks(axes) == ["cat  (n = 2)", "fox  (n = 1)"]
        assert axes.get_xlabel() == "mean loss of the class\n2 classes without rows not shown"

    def test_one_class_without_rows(self, picture, save):
        axes = self.draw(picture, "bce", save("p.npy", [0.5, 1]), save("t.npy", [1, 1]))
        assert ticks(axes) == ["1  (n = 2)"]
        assert axes.get_xlabel().endswith("\n1 class without rows not shown")

    def test_at_most_twenty(self, picture, save):
        generator = np.random.default_rng(1)
        y = np.concatenate([np.arange(30), generator.integers(0, 30, 300)])
        z = generator.normal(0, 3, (330, 31))
        axes = self.draw(picture, "ce", save("p.npy", z), save("t.npy", y))
        losses = -np.log(softmax(z)[np.arange(330), y])
        means = np.array([losses[y == k].mean() for k in range(30)])
        worst = np.argsort(-means)[:20]
        assert [bar.get_width() for bar in bars(axes)] == near(means[worst].tolist())
        assert ticks(axes) == [f"{k}  (n = {np.count_nonzero(y == k)})" for k in worst]
        assert axes.get_xlabel().endswith("the 20 largest of 30; 1 class without rows not shown")
        assert marks(axes)["mean of all"] == near(losses.mean())

    def test_twenty_are_all_of_them(self, picture, save):
        axes = self.draw(picture, "ce", save("p.npy", np.eye(20)), save("t.npy", np.arange(20)))
        assert len(bars(axes)) == 20
        assert "largest" not in axes.get_xlabel()

    def test_equal_means_keep_their_order(self, picture, save):
        axes = self.draw(picture, "ce", save("p.npy", np.zeros((5, 5))), save("t.npy", [4, 2, 0, 1, 3]))
        assert ticks(axes) == [f"{k}  (n = 1)" for k in range(5)]

    @pytest.mark.parametrize(
        ("p", "finite"), [([[0.5, 0.5], [1, 0], [0.25, 0.75]], [math.log(8) / 2]), ([[1, 0]] * 3, [0])]
    )
    def test_an_infinite_mean_is_hatched_and_longer_than_any_other(self, picture, save, p, finite):
        drawn = picture("samples", "ce", save("p.npy", p), save("t.npy", [0, 1, 0]), "--from", "probs")
        axes = drawn.axes[1]
        assert ticks(axes) == ["1  (n = 1)", "0  (n = 2)"]
        whole = [bar for bar in bars(axes) if not bar.get_hatch()]
        [infinite] = [bar for bar in bars(axes) if bar.get_hatch()]
        assert [bar.get_width() for bar in whole] == near(finite)
        assert finite[0] < infinite.get_width() < math.inf
        assert infinite.get_y() + infinite.get_height() / 2 == near(0)
        [text] = axes.texts
        assert (text.get_text(), text.xy) == ("∞", (infinite.get_width(), 0))
        assert list(legend(axes)) == ["mean of all inf (not on this axis)"]

    def test_where_all_means_are_infinite_the_axis_has_no_numbers(self, picture, save):
        words = save("p.npy", [[1.0, 0], [0, 1]]), save("t.npy", [1, 0])
        axes = self.draw(picture, "ce", *words, "--from", "probs")
        assert of_text(axes) == ["∞", "∞"]
        assert axes.get_xticks().tolist() == [0]

    @pytest.mark.parametrize(("p", "t"), [([0.5, 1], [1, 1]), ([0.5, 1], [0, 1]), ([[1, 2, 3]] * 3, [0, 1, 2])])
    def test_bars_of_few_classes_are_no_blocks_and_fill_the_panel(self, picture, save, p, t):
        axes = self.draw(
            picture, "ce" if np.ndim(p) == 2 else "bce", save("p.npy", np.array(p, float)), save("t.npy", t)
        )
        bottom, top = axes.get_ylim()
        bars = [(bar.get_y() - top) / (bottom - top) for bar in axes.patches]
        height = axes.patches[0].get_height() / (bottom - top)
        assert height == near(0.2)
        assert min(bars) == near(1 - max(bars) - height)
        assert max(bars) - min(bars) == near(1 - 1 / len(bars))

    def test_outputs(self, picture, write, save):
        p = write("p.csv", "u,v\n1,5\n2,7\n")
        axes = self.draw(picture, "mse", p, save("t.npy", [[1, 1], [1, 1]]))
        assert ticks(axes) == ["v  (n = 2)", "u  (n = 2)"]
        assert [bar.get_width() for bar in bars(axes)] == [26, 0.5]
        assert axes.get_xlabel() == "mean loss of the output"
        assert marks(axes)["mean of all"] == near(53 / 4)

    def test_outputs_that_have_weights_are_drawn_before_them(self, picture, save):
        words = "bce", save("p.npy", [[1.0, 5], [2, 7]]), save("t.npy", [[1, 1], [1, 1]])
        with_weights, without = self.draw(picture, *words, "--class-weight", "1=4"), self.draw(picture, *words)
        assert [bar.get_width() for bar in bars(with_weights)] == [bar.get_width() for bar in bars(without)]
        assert with_weights.get_xlabel() == "mean loss of the output, before weights"

    @pytest.mark.parametrize("words", [("--class-weight", "0=7"), ("--sample-weight", "w.npy")])
    def test_are_of_losses_before_weights(self, picture, save, words):
        save("w.npy", [1, 2, 0])
        p, t = save("p.npy", [0.5, -1.0, 2]), save("t.npy", [1, 1, 0])
        plain, weighted = self.draw(picture, "bce", p, t), self.draw(picture, "bce", p, t, *words)
        assert [bar.get_width() for bar in bars(weighted)] == [bar.get_width() for bar in bars(plain)]
        assert marks(weighted) == marks(plain)
        assert weighted.get_xlabel() == "mean loss of the class, before weights"

    def test_all_losses_zero(self, picture, save):
        axes = self.draw(picture, "hinge", save("p.npy", [2.0, -3]), save("t.npy", [1, 0]))
        assert [bar.get_width() for bar in bars(axes)] == [0, 0]


class TestConfidence:
    generator = np.random.default_rng(4)
    z, y = generator.normal(0, 2, (400, 3)), generator.integers(0, 3, 400)
    chances = softmax(z)

    def draw(self, picture, *words):
        return panel(picture("samples", *words, "--panel", "confidence"))

    @pytest.mark.parametrize(("times", "bins"), [(1, 25), (7, 50)])
    def test_cells_hold_the_rows(self, picture, save, times, bins):
        z, y = np.tile(self.z, (times, 1)), np.tile(self.y, times)
        axes = self.draw(picture, "ce", save("p.npy", z), save("t.npy", y))
        counts, edges = mesh(axes)
        assert edges == near(np.linspace(0, 1, bins + 1))
        n = len(y)
        own = softmax(z)[np.arange(n), y]
        others = np.where(np.arange(3) == y[:, None], 0, softmax(z)).max(axis=1)
        assert np.array_equal(counts, np.histogram2d(others, own, [edges, edges])[0])
        assert axes.get_aspect() == 1
        assert axes.get_xlim() == axes.get_ylim() == (0, 1)
        assert axes.get_xlabel() == "probability of the true class"
        assert axes.get_ylabel() == "largest probability of another class"

    def test_the_line_between_right_and_wrong(self, picture, save):
        axes = self.draw(picture, "ce", save("p.npy", self.z), save("t.npy", self.y))
        right = np.count_nonzero(self.z.argmax(axis=1) == self.y)
        names = list(legend(axes))
        assert names == [
            "equally probable",
            f"above it wrong: {400 - right} ({100 * (400 - right) / 400:.3g} %)",
            f"below it right: {right} ({100 * right / 400:.3g} %)",
        ]
        line = axes.lines[0]
        assert (list(line.get_xdata()), list(line.get_ydata())) == ([0, 0.5], [0, 0.5])

    def test_colours_are_counts_on_a_logarithmic_scale(self, picture, save):
        axes = self.draw(picture, "ce", save("p.npy", self.z), save("t.npy", self.y))
        [drawn] = axes.collections
        assert (drawn.norm.vmin, drawn.norm.vmax) == (1, mesh(axes)[0].max())
        assert type(drawn.norm).__name__ == "LogNorm"
        assert np.ma.getmaskarray(drawn.get_array()).sum() == (mesh(axes)[0] == 0).sum()
        assert [bar.get_ylabel() for bar in axes.child_axes] == ["samples per cell"]

    @pytest.mark.parametrize(("times", "bins"), [(1, 10), (7, 50)])
    def test_of_two_outcomes_it_is_how_often_which_probability_was_predicted_for_each(self, picture, save, times, bins):
        s, t = np.tile(self.z[:, 0], times), np.tile(self.y % 2, times)
        axes = self.draw(picture, "bce", save("p.npy", s), save("t.npy", t))
        p = 1 / (1 + np.exp(-s))
        drawn = [part.get_data() for part in axes.patches]
        for counts, k in zip(drawn, (0, 0, 1, 1), strict=True):
            assert counts.edges == near(np.linspace(0, 1, bins + 1))
            assert counts.values.tolist() == np.histogram(p[t == k], counts.edges)[0].tolist()
        right = [np.count_nonzero(p[t == 0] <= 0.5), np.count_nonzero(p[t == 1] > 0.5)]
        names = [text.get_text() for text in axes.get_legend().get_texts()]
        assert names == [
            *(f"{k}: {right[k]:,} of {np.count_nonzero(t == k):,} right" for k in (0, 1)),
            "equally probable",
        ]
        assert axes.get_xlabel() == "predicted probability of class 1"
        assert axes.get_ylabel() == "samples per bin (log scale, linear below 1)"

    def test_two_named_classes_are_two_outcomes(self, picture, write):
        p = write("p.csv", "z_cat,z_dog\n1,2\n3,1\n0,4\n")
        axes = self.draw(picture, "ce", p, write("t.csv", "label\ncat\ncat\ndog\n"))
        names = [text.get_text() for text in axes.get_legend().get_texts()]
        assert names == ["cat: 1 of 2 right", "dog: 1 of 1 right", "equally probable"]
        assert axes.get_xlabel() == "predicted probability of class dog"

    def test_several_labels_a_row_are_counted_by_output(self, picture, save):
        m = (self.z > 0).astype(int)
        axes = self.draw(picture, "bce", save("p.npy", self.z), save("t.npy", m))
        names = [text.get_text() for text in axes.get_legend().get_texts()]
        assert names[:-1] == [f"{k}: {n:,} of {n:,} right" for k, n in enumerate(np.bincount(m.ravel()))]
        assert axes.get_xlabel() == "predicted probability of label 1 of an output"
        assert axes.get_ylabel() == "outputs per bin (log scale, linear below 1)"

    @pytest.mark.parametrize(("per", "counted"), [("sample", "positions"), ("position", "samples")])
    def test_probabilities_are_those_of_positions(self, picture, save, per, counted):
        """A loss per position makes each of them a sample, which the title counts."""
        z = np.random.default_rng(0).normal(size=(4, 3, 5))
        words = save("p.npy", z), save("t.npy", z.argmax(axis=1)), "--class-axis", "1", "--per", per
        axes = self.draw(picture, "ce", *words)
        assert mesh(axes)[0].sum() == 20
        assert [bar.get_ylabel() for bar in axes.child_axes] == [f"{counted} per cell"]

    def test_infinite_losses_have_probabilities_too(self, picture, save):
        axes = self.draw(picture, "ce", save("p.npy", [[0.0, 1, 0]] * 3), save("t.npy", [0] * 3), "--from", "probs")
        counts, _ = mesh(axes)
        assert counts[-1, 0] == counts.sum() == 3

    def test_one_row(self, picture, save):
        axes = self.draw(picture, "ce", save("p.npy", [[1.0, 0, 0]]), save("t.npy", [0]))
        assert mesh(axes)[0].sum() == 1


class TestConcentration:
    def draw(self, picture, *words):
        return panel(picture("samples", *words, "--panel", "concentration"))

    def shares(self, losses, parts):
        """What the worst parts carry, in percent; a part of a row carries its part."""
        worst = sorted(losses, reverse=True)
        found = []
        for part in parts:
            rows = part / 100 * len(worst)
            whole = min(math.floor(rows + 1e-9), len(worst))
            rest = (rows - whole) * worst[whole] if whole < len(worst) else 0
            found.append(100 * (sum(worst[:whole]) + rest) / sum(worst))
        return found

    def test_curve_and_marks(self, picture, save):
        losses = np.random.default_rng(1).lognormal(0, 1, 200)
        axes = self.draw(picture, "mae", save("p.npy", losses), "0")
        curve, diagonal, *points = axes.lines
        assert (curve.get_xdata()[[0, -1]].tolist(), curve.get_ydata()[[0, -1]].tolist()) == ([0, 100], near([0, 100]))
        assert curve.get_ydata().tolist() == near(self.shares(losses, curve.get_xdata()), abs=1e-6)
        assert (list(diagonal.get_xdata()), list(diagonal.get_ydata())) == ([0, 100], [0, 100])
        expected = self.shares(losses, [1, 5, 10])
        assert [point.get_xdata()[0] for point in points] == near([1, 5, 10])
        assert [point.get_ydata()[0] for point in points] == near(expected)
        names = [f"worst {x} %: {y:.3g} %" for x, y in zip((1, 5, 10), expected, strict=True)]
        assert list(legend(axes)) == ["if all were equal", *names]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("worst samples, % of all", "share of the total loss, %")
        assert axes.get_xlim() == (0, 100)
        assert axes.get_ylim()[0] == 0
        assert axes.get_ylim()[1] >= 100

    @pytest.mark.parametrize(("n", "marked"), [(100, 3), (99, 2), (20, 2), (19, 1), (10, 1), (9, 0)])
    def test_parts_of_less_than_a_row_are_not_marked(self, picture, save, n, marked):
        axes = self.draw(picture, "mae", save("p.npy", np.arange(1.0, n + 1)), "0")
        assert len(axes.lines) == 2 + marked

    def test_of_weighted_losses(self, picture, save):
        losses, w = np.array([1.0, 2, 3, 4] * 5), np.array([10.0, 1, 0, 2] * 5)
        words = "mae", save("p.npy", losses), "0", "--sample-weight", save("w.npy", w)
        axes = self.draw(picture, *words)
        expected = self.shares(w * losses, [5, 10])
        assert [point.get_ydata()[0] for point in axes.lines[2:]] == near(expected)
        assert axes.get_ylabel() == "share of the total weighted loss, %"

    @pytest.mark.parametrize(
        ("losses", "why"), [([0.0, 0], "the total is 0"), ([1.0, math.inf], "the total is infinite")]
    )
    def test_a_total_without_shares(self, run, save, losses, why):
        line = "plot", "samples", "mae", save("p.npy", losses), "0", "--panel", "concentration", "-o", "x.png"
        run(*line).refuses(3, f"nothing to draw: {why}")

    def test_an_infinite_loss_of_weight_zero_leaves_shares(self, picture, save):
        words = "mae", save("p.npy", [1.0, math.inf, 3]), "0", "--sample-weight", save("w.npy", [1, 0, 1])
        curve = self.draw(picture, *words).lines[0]
        assert np.interp(100 / 3, curve.get_xdata(), curve.get_ydata()) == pytest.approx(75, abs=0.1)

    @pytest.mark.parametrize(("excess", "drawn"), [(1e-13, True), (1e-4, False)])
    def test_losses_below_zero(self, picture, run, save, excess, drawn):
        """Probabilities that sum to a little more than 1 have a divergence a little below 0."""
        t = softmax(np.random.default_rng(0).normal(size=(200, 3)))
        p = t * (1 + excess)
        p[0] = t[0][[1, 2, 0]]
        words = "kl", save("p.npy", p), save("t.npy", t), "--from", "probs"
        if drawn:
            axes = self.draw(picture, *words)
            assert [line.get_ydata()[0] for line in axes.lines[2:]] == near([100, 100, 100], rel=1e-6)
        else:
            line = "plot", "samples", *words, "--panel", "concentration", "-o", "x.png"
            run(*line).refuses(3, "nothing to draw: losses are negative")


OPTIONS = [
    ("huber", "s.npy x.npy", "--delta 0.25"),
    ("smooth-l1", "s.npy x.npy", "--beta 3"),
    ("tukey", "s.npy x.npy", "--c 1.5"),
    ("ramp", "s.npy b.npy", "--s=-0.25"),
    ("sigmoid-focal", "s.npy b.npy", "--gamma 0.5"),
    ("sigmoid-focal", "s.npy b.npy", "--alpha 0.25"),
    ("softmax-focal", "z.npy y.npy", "--gamma 1"),
    ("bce", "s.npy b.npy", "--label-smoothing 0.2"),
    ("bce", "z.npy y.npy --label-smoothing 0.2", "--smoothing-mode uniform"),
    ("ce", "z.npy y.npy", "--label-smoothing 0.2"),
    ("kl", "z.npy y.npy --label-smoothing 0.2", "--smoothing-mode others"),
    ("bce", "c.npy b.npy", "--from probs"),
    ("ce", "q.npy y.npy", "--from probs"),
    ("ce", "lq.npy y.npy", "--from log-probs"),
    ("bce", "s.npy b.npy", "--pos-weight 5"),
    ("bce", "z.npy m.npy", "--pos-weight 0=3,2=4"),
    ("bce", "z.npy m.npy", "--over-outputs sum"),
    ("mse", "z.npy r.npy", "--over-outputs sum"),
    ("hinge", "z.npy m.npy", "--over-outputs sum"),
    ("bce", "z.npy m.npy", "--class-weight 0=4"),
    ("ce", "z.npy y.npy", "--class-weight 0=4"),
    ("ce", "z.npy y.npy", "--class-weight balanced"),
    ("hinge", "s.npy b.npy", "--class-weight 1=4"),
    ("center", "r.npy y.npy --centers c2.npy", "--class-weight 1=4"),
    ("center", "r.npy y.npy --centers c2.npy", "--centers c3.npy"),
    ("mse", "s.npy x.npy", "--sample-weight w.npy"),
    ("mse", "s.npy x.npy", "--ignore-index 1"),
    ("ce", "z.npy y.npy", "--ignore-index 1"),
    ("bce", "s.npy b.npy", "--ignore-index 0"),
    ("mse", "z.csv r.npy --columns a,b,d", "--columns a,b,c"),
    ("mse", "v.csv 0", "--header"),
    ("ce", "z.npy y.npy", "--reduction sum"),
    ("mse", "s.npy x.npy --sample-weight w.npy", "--reduction sum-over-batch-size"),
    ("mse", "s.npy x.npy --sample-weight w.npy", "--reduction sum-by-nonzero-weights"),
]

MOST_OPTIONS = {loss.family.name: loss.name for loss in sorted(LOSSES.values(), key=lambda loss: len(loss.parameters))}
"""For each family the loss with the most parameters: what else a loss takes depends on its family."""


class TestOptions:
    """Every option of compute that bears on the numbers bears on those that are drawn."""

    @pytest.mark.parametrize("loss", MOST_OPTIONS.values())
    def test_help_has_them_all(self, run, monkeypatch, loss):
        monkeypatch.setenv("COLUMNS", "200")
        computed, drawn = (run(*words, loss, "--help").out for words in (("compute",), ("plot", "samples")))
        flags, others = (set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", out, re.MULTILINE)) for out in (computed, drawn))
        writing = {"--format", "--output", "--per-sample", "--elements", "--gradient", "--require", "--quiet", "--help"}
        writing |= {
            "--as",
            "--plus",
            "--also",
            "--part",
            "--by",
            "--require-each",
            "--interval",
            "--confidence",
            "--resamples",
            "--seed",
        }  # numbers of libraries, several losses, parts of a pass, slices and intervals are not drawn
        assert {"--reduction", "--id", "--columns", "--sample-weight", "--ignore-index", "--header"} <= flags
        assert flags - writing <= others
        assert {"--output", "--panel", "--log", "--title", "--size", "--dpi", "--theme"} <= others
        assert not others & {"--format", "--per-sample", "--elements", "--gradient", "--require"}

    @pytest.mark.parametrize(("loss", "words", "option"), OPTIONS)
    @pytest.mark.usefixtures("data")
    def test_changes_what_is_drawn_as_it_changes_what_is_computed(self, picture, run, loss, words, option):
        base = words.split()
        if option.split()[0] in base:
            base = base[: base.index(option.split()[0])]
        weighted = "weight" in option and not option.startswith("--pos")
        more = "-q", "--panel", "concentration" if weighted else "distribution"
        drawn = picture("samples", loss, *base, *option.split(), *more)
        assert numbers(drawn) != numbers(picture("samples", loss, *words.split(), *more))
        words = "compute", loss, *base, *option.split()
        computed = run(*words, "-f", "json").json
        assert drawn.get_suptitle().endswith(f", {computed['receipt']['reduction']} {computed['value']:.4g}")
        files, signature = "".join(drawn.get_supxlabel().split()).split("|", 1)
        assert signature == "".join(computed["signature"].split())
        assert files == ",".join(base[:2])
        if weighted:
            rows = run(*words, "-f", "jsonl").lines
            shares = np.sort([row["weight"] * row["loss"] for row in rows])[::-1]
            curve = panel(drawn).lines[0]
            for m in range(0, 61, 3):  # a twentieth of all rows, at which the curve has a point
                share = np.interp(m / 60 * 100, curve.get_xdata(), curve.get_ydata())
                assert share == near(100 * shares[:m].sum() / shares.sum(), rel=1e-6)
        else:
            summary = computed["summary"]
            expected = {"mean": summary["mean"], "median": summary["p50"], "p99": summary["p99"]}
            assert marks(panel(drawn)) == {name: near(at) for name, at in expected.items()}
            assert stairs(panel(drawn))[0].sum() == computed["samples"]

    @pytest.mark.usefixtures("data")
    def test_rows_meet_by_id(self, picture):
        words = ["--id", "id", "--columns", "a,b,c", "--sample-weight", "w.csv"]
        drawn = picture("samples", "ce", "z.csv", "y.csv", *words, "-q")
        y, w = np.load("y.npy"), np.arange(60)[::-1]
        losses = -np.log(np.load("q.npy")[np.arange(60), y])
        assert marks(drawn.axes[0])["mean"] == near(losses.mean())
        assert ticks(drawn.axes[1]) == [
            f"{'abc'[k]}  (n = {np.count_nonzero(y == k)})"
            for k in sorted(range(3), key=lambda k: -losses[y == k].mean())
        ]
        worst = np.sort(w * losses)[::-1]
        assert drawn.axes[3].lines[2].get_ydata()[0] == near(100 * worst[:3].sum() / worst.sum())
        assert drawn.get_suptitle().endswith(f"60 samples, mean {np.average(losses, weights=w):.4g}")

    @pytest.mark.usefixtures("data")
    def test_no_reduction_has_no_value(self, picture):
        drawn = picture("samples", "ce", "z.npy", "y.npy", "--reduction", "none", "--panel", "classes")
        assert drawn.get_suptitle() == "softmax-cross-entropy: 60 samples"

    @pytest.mark.parametrize("words", ["--format json", "--elements", "--require mean<1", "--gradient g.npy"])
    @pytest.mark.usefixtures("data")
    def test_options_of_output_are_not_taken(self, run, words):
        done = run("plot", "samples", "ce", "z.npy", "y.npy", "-o", "o.png", *words.split())
        done.refuses(2, words.split()[0])


class TestSamples:
    @pytest.mark.parametrize(
        ("words", "labels"),
        [
            (
                "ce z.npy y.npy",
                ["loss of a sample", "mean loss of the class", "probability of the true class", "worst samples"],
            ),
            (
                "bce z.npy m.npy",
                ["loss of a sample", "mean loss of the output", "predicted probability", "worst samples"],
            ),
            ("ce z.npy q.npy", ["loss of a sample", "worst samples"]),
            ("hinge s.npy b.npy", ["loss of a sample", "mean loss of the class", "worst samples"]),
            ("center r.npy y.npy --centers c2.npy", ["loss of a sample", "mean loss of the class", "worst samples"]),
            ("mse s.npy x.npy", ["loss of a sample", "worst samples"]),
            ("mse z.npy r.npy", ["loss of a sample", "mean loss of the output", "worst samples"]),
        ],
    )
    @pytest.mark.usefixtures("data")
    def test_panels_that_the_files_allow(self, picture, words, labels):
        drawn = picture("samples", *words.split())
        found = [axes.get_xlabel() for axes in drawn.axes]
        assert len(found) == len(labels)
        assert all(text.startswith(label) for text, label in zip(found, labels, strict=True))
        left_out = (
            [f"no panel of {name}: soft targets" for name in ("classes", "confidence")] if "q.npy" in words else []
        )
        assert all(text in drawn.said for text in left_out)
        assert ("no panel" in drawn.said) == bool(left_out)

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            ("mse s.npy x.npy --panel classes", "numbers, not classes"),
            ("mse s.npy x.npy --panel confidence", "no probabilities"),
            ("hinge s.npy b.npy --panel confidence", "no probabilities"),
            ("ce z.npy q.npy --panel classes", "soft targets"),
            ("ce z.npy q.npy --panel confidence", "soft targets"),
        ],
    )
    @pytest.mark.usefixtures("data")
    def test_a_panel_that_the_files_do_not_allow(self, run, folder, words, why):
        panel_name = words.split()[-1]
        run("plot", "samples", *words.split(), "-o", "o.png").refuses(2, f"--panel {panel_name}", why)
        assert not list(folder.glob("*o.png*"))

    @pytest.mark.usefixtures("data")
    def test_title_says_loss_parameters_rows_and_value(self, picture):
        drawn = picture("samples", "huber", "s.npy", "x.npy", "--delta", "0.5", "--ignore-index", "1")
        r = np.load("s.npy") - np.load("x.npy")
        r = np.abs(r[np.load("x.npy") != 1])
        mean = np.where(r <= 0.5, r**2 / 2, 0.5 * (r - 0.25)).mean()
        assert drawn.get_suptitle() == f"huber (delta = 0.5): {len(r)} samples ({60 - len(r)} ignored), mean {mean:.4g}"
        assert drawn.about["Title"] == drawn.get_suptitle()
        assert drawn.about["Description"].split(" | ")[1].startswith("loss:huber|delta:0.5|")

    @pytest.mark.parametrize("title", ["Losses of $a$_b", ""])
    @pytest.mark.usefixtures("data")
    def test_a_title_that_is_asked_for(self, picture, title):
        drawn = picture("samples", "mse", "s.npy", "x.npy", "--title", title)
        assert drawn.get_suptitle() == title
        assert drawn.about["Title"] == (title or "losscli")

    @pytest.mark.parametrize("size", ["5,4", "5x4", "5 4"])
    @pytest.mark.usefixtures("data")
    def test_a_size_that_is_asked_for(self, picture, size):
        drawn = picture("samples", "mse", "s.npy", "x.npy", "--size", *size.split())
        assert drawn.get_size_inches().tolist() == [5, 4]

    @pytest.mark.usefixtures("data")
    def test_themes(self, picture):
        for theme, light in (("light", True), ("dark", False)):
            drawn = picture("samples", "ce", "z.npy", "y.npy", "--theme", theme)
            for ground in (drawn.get_facecolor(), *(axes.get_facecolor() for axes in drawn.axes)):
                assert (sum(to_rgba(ground)[:3]) / 3 > 0.5) is light
            for axes in drawn.axes:
                assert (sum(to_rgba(axes.xaxis.label.get_color())[:3]) / 3 > 0.5) is not light

    @pytest.mark.usefixtures("data")
    def test_the_user_s_settings_have_no_influence(self, picture, monkeypatch):
        monkeypatch.setitem(mpl.rcParams, "axes.facecolor", "red")
        monkeypatch.setitem(mpl.rcParams, "text.parse_math", True)
        monkeypatch.setitem(mpl.rcParams, "axes.labelsize", 40)
        monkeypatch.setitem(mpl.rcParams, "lines.marker", "x")
        drawn = picture("samples", "mse", "s.npy", "x.npy", "--title", "a $ and a $")
        assert {to_hex(axes.get_facecolor()) for axes in drawn.axes} == {"#ffffff"}
        assert not drawn._suptitle.get_parse_math()
        assert all(axes.xaxis.label.get_size() < 20 for axes in drawn.axes)
        assert drawn.axes[1].lines[0].get_marker() == "None"
        assert mpl.rcParams["axes.facecolor"] == "red"
        assert mpl.rcParams["text.parse_math"] is True

    def test_two_million_rows(self, picture, save):
        """They are drawn from counts: as few artists as for a hundred rows."""
        generator = np.random.default_rng(0)
        n = 2_000_000
        z = generator.normal(0, 3, n).astype(np.float32)
        t = generator.random(n) < 0.5
        drawn = picture("samples", "bce", save("p.npy", z), save("t.npy", t.astype(np.int8)))
        distribution, classes, confidence, concentration = drawn.axes
        assert "2,000,000 samples" in drawn.get_suptitle()
        assert stairs(distribution)[0].sum() == n
        assert sum(part.get_data().values.sum() for part in confidence.patches) == 2 * n
        losses = np.logaddexp(0, np.where(t, -z, z), dtype=np.float64)
        expected = {"mean": losses.mean(), "median": np.median(losses), "p99": np.percentile(losses, 99)}
        assert marks(distribution) == {name: pytest.approx(at, rel=2.0**-11) for name, at in expected.items()}
        by_class = {k: losses[t == k].mean() for k in (0, 1)}
        order = sorted(by_class, key=lambda k: -by_class[k])
        assert ticks(classes) == [f"{k}  (n = {np.count_nonzero(t == k):,})" for k in order]
        assert [bar.get_width() for bar in bars(classes)] == pytest.approx([by_class[k] for k in order], rel=1e-6)
        worst = np.sort(losses)[::-1]
        assert [point.get_ydata()[0] for point in concentration.lines[2:]] == pytest.approx(
            [100 * worst[: n * part // 100].sum() / worst.sum() for part in (1, 5, 10)], rel=2.0**-10
        )
        drawn_points = sum(len(line.get_xdata()) for axes in drawn.axes for line in axes.lines)
        assert drawn_points < 2000
        assert sum(len(axes.get_children()) for axes in drawn.axes) < 100


class TestEmptyPanels:
    """A panel that has nothing to show is left out, and its room goes to the others."""

    def test_all_losses_are_infinite(self, picture, save):
        p, t = save("p.npy", [[0.0, 1, 0]] * 3), save("t.npy", [0] * 3)
        drawn = picture("samples", "ce", p, t, "--from", "probs")
        assert [axes.get_xlabel().split("\n")[0] for axes in drawn.axes] == [
            "mean loss of the class",
            "probability of the true class",
        ]
        assert "no panel of distribution: no loss is finite" in drawn.said
        assert "no panel of concentration: the total is infinite" in drawn.said

    def test_all_losses_are_zero(self, picture, save):
        drawn = picture("samples", "hinge", save("p.npy", [2.0, -3]), save("t.npy", [1, 0]))
        assert len(drawn.axes) == 2
        assert "no panel of concentration: the total is 0" in drawn.said

    def test_the_first_of_three_is_as_wide_as_two(self, picture, save):
        drawn = picture("samples", "hinge", save("p.npy", [0.5, -3]), save("t.npy", [1, 0]), laid_out=True)
        first, *others = (axes.get_position() for axes in drawn.axes)
        assert all(first.width > 1.5 * other.width for other in others)
        assert all(first.y0 > other.y1 for other in others)

    @pytest.mark.parametrize("panel_name", ["distribution", "concentration"])
    def test_an_empty_panel_that_is_asked_for(self, run, save, panel_name):
        p, t = save("p.npy", [[0.0, 1]] * 3), save("t.npy", [0] * 3)
        words = "plot", "samples", "ce", p, t, "--from", "probs", "--panel", panel_name, "-o", "y.png"
        run(*words).refuses(3, "nothing to draw", "finite")

    def test_all_panels_are_empty(self, run, save):
        run("plot", "samples", "mae", save("p.npy", [math.inf]), "0", "-o", "y.png").refuses(
            3, "nothing to draw: no loss is finite; the total is infinite"
        )
