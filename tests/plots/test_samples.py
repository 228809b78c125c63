"""`losscli plot samples`, `reliability` and `features`: what is in the picture, and the files that hold it."""

import io
import itertools
import math
import re
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from commands import start
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.colors import to_hex, to_rgba
from matplotlib.patches import Rectangle, StepPatch
from PIL import Image
from reference import softmax

from losscli.analysis.calibration.reliability import Reliability
from losscli.engine.collectors.calibration_bins import Verdicts
from losscli.losses import LOSSES
from losscli.plots import features as features_picture
from losscli.plots import style


def near(expected, rel=1e-9, abs=1e-12):
    return pytest.approx(expected, rel=rel, abs=abs)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def table(names, *columns):
    """Columns as text with commas; Python's shortest digits."""
    rows = "".join(",".join(str(cell) for cell in row) + "\n" for row in zip(*columns, strict=True))
    return f"{names}\n{rows}"


@pytest.fixture
def picture(run, monkeypatch):
    """Run `losscli plot ...` up to the Figure, which is returned in place of being written."""
    caught = []

    def keep(figure, suffix, look, about):
        figure.draw_without_rendering() if call.laid_out else None
        caught.append((figure, about))
        return b"a picture", []

    def call(*words, stdin=b"", laid_out=False):
        call.laid_out = laid_out
        caught.clear()
        done = run("plot", *words, "-o", "picture.png", stdin=stdin)
        assert (done.code, done.out) == (0, ""), done.err
        [(figure, about)] = caught
        figure.said, figure.about = done.err, about
        return figure

    monkeypatch.setattr(style, "render", keep)
    return call


def panel(figure):
    [axes] = figure.axes
    return axes


def stairs(axes):
    """Counts and edges of a histogram, which is drawn as an area and as its outline."""
    area, outline = (patch for patch in axes.patches if isinstance(patch, StepPatch))
    for one, other in zip(area.get_data()[:2], outline.get_data()[:2], strict=True):
        assert np.array_equal(one, other)
    return area.get_data().values, area.get_data().edges


def bars(axes):
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def legend(axes):
    """What the legend calls each line -> where the line is."""
    lines = {line.get_label(): line for line in axes.lines}
    return {text.get_text(): lines[text.get_text()] for text in axes.get_legend().get_texts()}


def marks(axes):
    """The names of vertical lines, without what they are before -> where they stand."""
    names = {label.rsplit(" ", 1)[0].removeprefix("unweighted ").partition(",")[0]: label for label in legend(axes)}
    return {name: legend(axes)[label].get_xdata()[0] for name, label in names.items()}


def ticks(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def mesh(axes):
    """Counts of cells (loss x confidence), and the edges of the losses."""
    [drawn] = (part for part in axes.collections if isinstance(part, QuadMesh))
    corners = np.asarray(drawn.get_coordinates())
    assert corners[0, :, 0] == near(np.linspace(0, 1, 51))
    return np.ma.filled(drawn.get_array(), 0), corners[:, 0, 1]


def of_text(text):
    """A panel's texts."""
    return [part.get_text() for part in text.texts]


LOSSES_DRAWN = np.array([0.5, 3.0, 1.0, 0.25, 2.0, 4.0, 1.5, 0.0])


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
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("loss of a sample", "samples a bin")
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

    def test_an_infinite_mean_is_the_longest_and_says_so(self, picture, save):
        p = save("p.npy", [[0.5, 0.5], [1, 0], [0.25, 0.75]])
        axes = self.draw(picture, "ce", p, save("t.npy", [0, 1, 0]), "--from", "probs")
        assert ticks(axes) == ["1  (n = 1)", "0  (n = 2)"]
        infinite, finite = (bar.get_width() for bar in bars(axes))
        assert finite == near(math.log(8) / 2)
        assert finite < infinite < math.inf
        [text] = axes.texts
        assert (text.get_text().strip(), text.get_position()) == ("inf", (infinite, 0))
        assert axes.get_legend() is None

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
    p = softmax(z)[np.arange(400), y]

    def draw(self, picture, *words):
        return panel(picture("samples", *words, "--panel", "confidence"))

    def check(self, axes, p, losses):
        counts, edges = mesh(axes)
        # A loss at the edge of a bin is in the bin above it.
        losses = np.append(losses, [])
        expected = np.histogram2d(losses, p, [[*edges[:-1], np.nextafter(edges[-1], 0)], np.linspace(0, 1, 51)])[0]
        assert np.array_equal(counts, expected)

    @pytest.mark.parametrize("log", [True, False])
    def test_cells_hold_the_rows(self, picture, save, log):
        words = "ce", save("p.npy", self.z), save("t.npy", self.y), "--log" if log else "--no-log"
        axes = self.draw(picture, *words)
        self.check(axes, self.p, -np.log(self.p))
        counts, edges = mesh(axes)
        assert counts.sum() == 400
        assert axes.get_xlim() == (0, 1)
        assert axes.get_yscale() == ("log" if log else "linear")
        assert axes.get_xlabel() == "confidence: probability of the true class"
        assert axes.get_ylabel() == ("loss (log scale)" if log else "loss")
        assert (edges[0] > 0) == log
        assert counts[0].any() == counts[-1].any() == True  # noqa: E712

    def test_cells_of_a_wide_range_are_high_enough_to_be_seen(self, picture, save):
        margin = np.random.default_rng(0).uniform(-40, 36, 500)
        z = np.stack([margin, np.zeros(500)], axis=1)
        axes = self.draw(picture, "ce", save("p.npy", z), save("t.npy", np.zeros(500, int)), "--log")
        losses = np.logaddexp(0, -margin)
        self.check(axes, 1 / (1 + np.exp(-margin)), losses)
        counts, edges = mesh(axes)
        assert counts.sum() == 500
        assert 40 <= len(counts) <= 81
        ratios = edges[1:] / edges[:-1]
        assert ratios == near(np.full(len(ratios), ratios[0]))
        assert edges[0] <= losses.min() < edges[1]
        assert edges[-2] <= losses.max() < edges[-1]

    def test_a_linear_axis_starts_at_0(self, picture, save):
        p = np.random.default_rng(0).uniform(0.05, 0.1, 50)
        words = "ce", save("p.npy", np.stack([p, 1 - p], axis=1)), save("t.npy", np.zeros(50, int)), "--from", "probs"
        axes = self.draw(picture, *words, "--no-log")
        self.check(axes, p, -np.log(p))
        assert mesh(axes)[1][0] == axes.get_ylim()[0] == 0

    def test_colours_are_counts_on_a_logarithmic_scale(self, picture, save):
        axes = self.draw(picture, "ce", save("p.npy", self.z), save("t.npy", self.y))
        [drawn] = axes.collections
        assert (drawn.norm.vmin, drawn.norm.vmax) == (1, mesh(axes)[0].max())
        assert type(drawn.norm).__name__ == "LogNorm"
        assert np.ma.getmaskarray(drawn.get_array()).sum() == (mesh(axes)[0] == 0).sum()
        assert [bar.get_ylabel() for bar in axes.child_axes] == ["samples a cell"]

    def test_loss_of_a_focal_loss(self, picture, save):
        axes = self.draw(picture, "softmax-focal", save("p.npy", self.z), save("t.npy", self.y), "--gamma", "1")
        self.check(axes, self.p, -(1 - self.p) * np.log(self.p))

    def test_smoothing_leaves_the_confidence(self, picture, save):
        words = "ce", save("p.npy", self.z), save("t.npy", self.y)
        plain, smooth = (mesh(self.draw(picture, *words, *more))[0] for more in ((), ("--label-smoothing", "0.3")))
        assert smooth.sum(axis=0).tolist() == plain.sum(axis=0).tolist()
        assert smooth.sum(axis=1).tolist() != plain.sum(axis=1).tolist()

    def test_several_labels_a_row_are_counted_by_output(self, picture, save):
        m = (self.z + self.generator.normal(0, 2, (400, 3)) > 0).astype(int)
        axes = self.draw(picture, "bce", save("p.npy", self.z), save("t.npy", m))
        p = 1 / (1 + np.exp(np.where(m == 1, -self.z, self.z)))
        self.check(axes, p.ravel(), -np.log(p).ravel())
        assert [bar.get_ylabel() for bar in axes.child_axes] == ["outputs a cell"]

    @pytest.mark.parametrize(
        ("log", "said"), [("--log", "3 below 9e-19, 2 above 1e+12"), ("--no-log", "2 above 1e+12")]
    )
    def test_what_is_not_on_the_axes_is_counted(self, picture, save, log, said):
        p = save("p.npy", [[1.0, 0]] * 3 + [[0, 1]] * 2 + [[0.5, 0.5]] * 4)
        axes = self.draw(picture, "ce", p, save("t.npy", np.zeros(9, int)), "--from", "probs", log)
        assert mesh(axes)[0].sum() == (4 if log == "--log" else 7)
        assert axes.get_xlabel().endswith(f"\nnot on these axes: {said}")

    def test_no_loss_is_finite(self, picture, save):
        axes = self.draw(picture, "ce", save("p.npy", [[0.0, 1]] * 3), save("t.npy", [0] * 3), "--from", "probs")
        assert not axes.collections
        assert of_text(axes) == ["no loss is finite"]

    @pytest.mark.parametrize("words", [(), ("--log",), ("--no-log",)])
    def test_one_row(self, picture, save, words):
        axes = self.draw(picture, "ce", save("p.npy", [[1.0, 0]]), save("t.npy", [0]), *words)
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
    def test_a_total_without_shares(self, picture, save, losses, why):
        axes = self.draw(picture, "mae", save("p.npy", losses), "0")
        assert not axes.lines
        assert of_text(axes) == [f"No shares of the total loss: {why}."]

    def test_an_infinite_loss_of_weight_zero_leaves_shares(self, picture, save):
        words = "mae", save("p.npy", [1.0, math.inf, 3]), "0", "--sample-weight", save("w.npy", [1, 0, 1])
        curve = self.draw(picture, *words).lines[0]
        assert np.interp(100 / 3, curve.get_xdata(), curve.get_ydata()) == pytest.approx(75, abs=0.1)

    @pytest.mark.parametrize(("excess", "drawn"), [(1e-13, True), (1e-4, False)])
    def test_losses_below_zero(self, picture, save, excess, drawn):
        """Probabilities that sum to a little more than 1 have a divergence a little below 0."""
        t = softmax(np.random.default_rng(0).normal(size=(200, 3)))
        p = t * (1 + excess)
        p[0] = t[0][[1, 2, 0]]
        axes = self.draw(picture, "kl", save("p.npy", p), save("t.npy", t), "--from", "probs")
        if drawn:
            assert [line.get_ydata()[0] for line in axes.lines[2:]] == near([100, 100, 100], rel=1e-6)
        else:
            assert of_text(axes) == ["No shares of the total loss: losses are negative."]


def numbers(figure):
    """All that is drawn from numbers, in one list."""
    found = []
    for axes in figure.axes:
        for patch in axes.patches:
            data = np.concatenate(patch.get_data()[:2]) if isinstance(patch, StepPatch) else [patch.get_width()]
            found += np.asarray(data, float).tolist()
        for line in axes.lines:
            found += np.asarray(line.get_ydata() if len(line.get_xdata()) > 2 else line.get_xdata(), float).tolist()
        for part in axes.collections:
            found += np.ma.filled(part.get_array(), 0).ravel().tolist()
    return [*found, figure.get_suptitle().partition(": ")[2]]


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


@pytest.fixture
def data(save, write):
    """Files of 60 rows for every kind of loss."""
    generator = np.random.default_rng(6)
    z, s, y = generator.normal(0, 2, (60, 3)), generator.normal(0, 2, 60), generator.integers(0, 3, 60)
    z[np.arange(60), y] += 1  # labels that have nothing to do with the predictions would be warned of
    save("z.npy", z)
    save("q.npy", softmax(z))
    save("lq.npy", np.log(softmax(z)))
    save("s.npy", s)
    save("c.npy", 1 / (1 + np.exp(-s)))
    save("y.npy", y)
    save("b.npy", y % 2)
    save("x.npy", np.round(generator.normal(0, 1, 60)))
    save("m.npy", generator.integers(0, 2, (60, 3)))
    save("r.npy", generator.normal(0, 1, (60, 3)))
    save("w.npy", generator.integers(0, 3, 60))
    save("c2.npy", np.eye(3))
    save("c3.npy", np.eye(3)[::-1])
    write("v.csv", "".join(f"{value!r}\n" for value in s.tolist()))
    ids = [f"r{i}" for i in range(60)]
    write("z.csv", table("id,a,b,c,d", ids, *z.T.tolist(), s.tolist()))
    write("y.csv", table("id,label", ids[::-1], ["abc"[k] for k in y[::-1]]))
    write("w.csv", table("id,w", ids[::-1], range(60)))


MOST_OPTIONS = {loss.family.name: loss.name for loss in sorted(LOSSES.values(), key=lambda loss: len(loss.parameters))}
"""For each family the loss with the most parameters: what else a loss takes depends on its family."""


class TestOptions:
    """Every option of compute that bears on the numbers bears on those that are drawn."""

    @pytest.mark.parametrize("loss", MOST_OPTIONS.values())
    def test_help_has_them_all(self, run, monkeypatch, loss):
        monkeypatch.setenv("COLUMNS", "200")
        computed, drawn = (run(*words, loss, "--help").out for words in (("compute",), ("plot", "samples")))
        flags, others = (set(re.findall(r"^│ *\*? *(--[\w-]+)", out, re.MULTILINE)) for out in (computed, drawn))
        writing = {"--format", "--output", "--per-sample", "--elements", "--gradient", "--require", "--quiet", "--help"}
        writing |= {"--as"}  # numbers of libraries are not drawn
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
        assert "".join(drawn.get_supxlabel().split()) == "".join(computed["signature"].split())
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
            ("ce z.npy y.npy", ["loss of a sample", "mean loss of the class", "confidence", "worst samples"]),
            ("bce z.npy m.npy", ["loss of a sample", "mean loss of the output", "confidence", "worst samples"]),
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
        assert drawn.about["Description"].startswith("loss:huber|delta:0.5|")

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
        assert mesh(confidence)[0].sum() == n
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
        assert mesh(confidence)[0].size < 50 * 602


def overlap(one, other):
    """How many pixels two boxes share on their shorter side; below 0 they are apart."""
    return min(min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0))


def assert_nothing_hides_anything(figure):
    boxes = [axes.patch.get_window_extent() for axes in figure.axes]
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()] + list(figure.legends)
    for part in legends:
        for box in boxes:
            assert overlap(part.get_window_extent(), box) <= 1
        for other in legends:
            assert other is part or overlap(part.get_window_extent(), other.get_window_extent()) <= 1
    outer = [axes.get_tightbbox() for axes in figure.axes]
    for i, one in enumerate(outer):
        for other in outer[i + 1 :]:
            assert overlap(one, other) <= 1
    assert all(overlap(part.get_window_extent(), box) <= 1 for part in figure.legends for box in outer)
    texts = [text for text in (figure._suptitle, figure._supxlabel) if text is not None and text.get_text()]
    for text in texts:
        for box in [*outer, *(part.get_window_extent() for part in figure.legends)]:
            assert overlap(text.get_window_extent(), box) <= 1
    return legends


class TestLayout:
    @pytest.mark.parametrize("words", ["ce z.npy y.npy", "mse z.npy r.npy --sample-weight w.npy"])
    @pytest.mark.usefixtures("data")
    def test_of_samples(self, picture, words):
        drawn = picture("samples", *words.split(), laid_out=True)
        assert len(assert_nothing_hides_anything(drawn)) == 3

    def test_of_samples_of_many_classes_with_long_names(self, picture, write, save):
        names = [f"a class with a long name, number {k}".replace(",", "") for k in range(25)]
        z = np.random.default_rng(0).normal(0, 1e5, (50, 25))
        p = write("p.csv", table(",".join(names), *z.T.tolist()))
        drawn = picture("samples", "ce", p, save("t.npy", np.arange(50) % 25), laid_out=True)
        assert len(assert_nothing_hides_anything(drawn)) == 3

    @pytest.mark.usefixtures("data")
    def test_of_reliability(self, picture):
        drawn = picture("reliability", "z.npy", "y.npy", laid_out=True)
        assert len(assert_nothing_hides_anything(drawn)) == 1

    @pytest.mark.parametrize("classes", [2, 30])
    def test_of_features(self, picture, save, write, classes):
        x = save("x.npy", np.random.default_rng(0).normal(size=(90, 2)))
        y = write("y.csv", table("label", [f"class number {i % classes}" for i in range(90)]))
        drawn = picture("features", x, y, laid_out=True)
        assert len(assert_nothing_hides_anything(drawn)) == 1


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
        assert lower.get_ylabel() == "samples a bin"
        assert lower.get_xlabel() == "confidence: probability of the predicted class"
        assert lower.get_xlim() == upper.get_xlim() == (0, 1)
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
        assert f"ECE {error:.4f} in 5 bins of equal width" in title
        assert f"7 samples: accuracy {5 / 7:.4f}, mean confidence {mean:.4f}" in title

    def test_equal_mass(self, picture, save):
        drawn = self.draw(picture, save, self.CONFIDENCE, self.RIGHT, "--bins", "7", "--binning", "mass")
        assert [bar.get_height() for bar in bars(drawn.axes[1])] == [1] * 7
        error = sum(abs(c - r) for c, r in zip(self.CONFIDENCE, self.RIGHT, strict=True)) / 7
        assert f"ECE {error:.4f} in 7 bins of equal mass" in drawn.get_suptitle()

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


def clouds(axes):
    return [part for part in axes.collections if isinstance(part, PathCollection)]


def crosses(axes):
    return [line for line in axes.lines if line.get_marker() == "X"]


def names_of(figure):
    [drawn] = figure.legends
    return [text.get_text() for text in drawn.get_texts()]


class TestFeatures:
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(50, 2)) * [3, 1], generator.integers(0, 3, 50)

    def test_one_point_a_row_by_class(self, picture, save):
        drawn = picture("features", save("x.npy", self.x), save("y.npy", self.y))
        axes = panel(drawn)
        assert len(clouds(axes)) == 3
        for k, cloud in enumerate(clouds(axes)):
            assert cloud.get_offsets().tolist() == self.x[self.y == k].tolist()
        counts = np.bincount(self.y)
        assert names_of(drawn) == [*(f"{k} (n = {counts[k]})" for k in range(3)), "mean of a class"]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("feature 0", "feature 1")
        assert drawn.get_suptitle() == "50 samples in 3 classes"

    def test_classes_differ_in_colour_and_in_shape(self, picture, save):
        drawn = picture("features", save("x.npy", self.x), save("y.npy", np.arange(50) % 7))
        parts = clouds(panel(drawn))
        assert len({to_hex(part.get_facecolor()[0]) for part in parts}) == 7
        assert len({part.get_paths()[0].vertices.tobytes() for part in parts}) == 7
        handles = drawn.legends[0].legend_handles
        assert [to_hex(handle.get_color()) for handle in handles[:7]] == [
            to_hex(part.get_facecolor()[0]) for part in parts
        ]
        crossed = [to_hex(line.get_color()) for line in crosses(panel(drawn))]
        assert crossed == [to_hex(part.get_facecolor()[0]) for part in parts]

    def test_means_are_marked_and_named(self, picture, save):
        axes = panel(picture("features", save("x.npy", self.x), save("y.npy", self.y)))
        means = [self.x[self.y == k].mean(axis=0) for k in range(3)]
        assert [[line.get_xdata()[0], line.get_ydata()[0]] for line in crosses(axes)] == [
            near(m.tolist()) for m in means
        ]
        assert of_text(axes) == ["0", "1", "2"]
        assert [text.xy for text in axes.texts] == [near(tuple(mean)) for mean in means]

    def test_centers_of_a_file(self, picture, write, save):
        c = write("c.csv", "class,u,v\ncat,1,2\ndog,-3,4\n")
        y = write("y.csv", table("label", [("cat", "dog")[k % 2] for k in self.y]))
        x = write("x.csv", table("u,v", *self.x.T.tolist()))
        drawn = picture("features", x, y, "--centers", c)
        axes = panel(drawn)
        assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in crosses(axes)] == [(1, 2), (-3, 4)]
        assert of_text(axes) == ["cat", "dog"]
        assert names_of(drawn)[-1] == "center of a class"
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("u", "v")
        assert drawn.about["Description"].endswith("centers: c.csv")

    def test_more_dimensions_are_components_and_the_axes_say_so(self, picture, save):
        x = np.zeros((6, 3))
        x[[0, 1, 2, 3, 4, 5], [2, 2, 0, 0, 1, 1]] = [3, -3, 2, -2, 1, -1]
        drawn = picture("features", save("x.npy", x), save("y.npy", np.zeros(6, int)))
        assert drawn.get_suptitle() == "6 samples of 3 features in 1 class"
        axes = panel(drawn)
        assert axes.get_xlabel() == f"principal component 1 ({100 * 9 / 14:.3g} % of the variance)"
        assert axes.get_ylabel() == f"principal component 2 ({100 * 4 / 14:.3g} % of the variance)"
        [cloud] = clouds(axes)
        assert np.asarray(cloud.get_offsets()) == near(x[:, [2, 0]])

    def test_ignored_rows(self, picture, save):
        drawn = picture("features", save("x.npy", self.x), save("y.npy", self.y), "--ignore-index", "1")
        parts = clouds(panel(drawn))
        assert [part.get_offsets().tolist() for part in parts] == [self.x[self.y == k].tolist() for k in (0, 2)]
        kept = np.count_nonzero(self.y != 1)
        assert drawn.get_suptitle() == f"{kept} samples ({50 - kept} ignored) in 2 classes"

    def test_the_smallest_of_many_classes_are_drawn_together(self, picture, save):
        y = np.concatenate([np.arange(30), np.repeat(np.arange(4, 28), 3)])
        x = np.random.default_rng(0).normal(size=(len(y), 2))
        drawn = picture("features", save("x.npy", x), save("y.npy", y))
        others, *parts = clouds(panel(drawn))
        assert others.get_offsets().tolist() == x[np.isin(y, [0, 1, 2, 3, 28, 29])].tolist()
        assert [part.get_offsets().tolist() for part in parts] == [x[y == k].tolist() for k in range(4, 28)]
        means = [near(x[y == k].mean(axis=0).tolist()) for k in range(4, 28)]
        assert [[line.get_xdata()[0], line.get_ydata()[0]] for line in crosses(panel(drawn))] == means
        assert [list(text.xy) for text in panel(drawn).texts] == means
        assert of_text(panel(drawn)) == [str(k) for k in range(4, 28)]
        assert names_of(drawn)[:2] == ["6 others (n = 6)", "4 (n = 4)"]
        assert drawn.get_suptitle() == "102 samples in 30 classes"

    def test_of_too_many_points_some_are_drawn_and_the_picture_says_so(self, picture, save, monkeypatch):
        monkeypatch.setattr(features_picture, "MOST_DRAWN", 20)
        monkeypatch.setattr(features_picture, "VECTORS", 10)
        y = np.repeat([0, 1], 25)
        drawn = picture("features", save("x.npy", self.x), save("y.npy", y))
        axes = panel(drawn)
        shown = [part.get_offsets().tolist() for part in clouds(axes)]
        assert sum(map(len, shown)) == 20
        for k in (0, 1):  # each of its own class, none of them twice, and in the order of the file
            rows = [self.x[y == k].tolist().index(point) for point in shown[k]]
            assert rows == sorted(set(rows))
            assert len(rows) > 4
        assert axes.get_title() == "20 of 50 rows drawn, chosen at random"
        assert all(part.get_rasterized() for part in clouds(axes))
        assert names_of(drawn)[:2] == ["0 (n = 25)", "1 (n = 25)"]
        means = [self.x[y == k].mean(axis=0).tolist() for k in (0, 1)]
        assert [[line.get_xdata()[0], line.get_ydata()[0]] for line in crosses(axes)] == [near(mean) for mean in means]

    def test_a_class_of_every_other_row_is_not_left_out(self, picture, save, monkeypatch):
        monkeypatch.setattr(features_picture, "MOST_DRAWN", 20)
        drawn = picture("features", save("x.npy", np.arange(80.0).reshape(40, 2)), save("y.npy", [0, 1] * 20))
        assert len(clouds(panel(drawn))) == 2
        assert all(len(part.get_offsets()) > 4 for part in clouds(panel(drawn)))

    def test_all_of_few_points_are_drawn_as_they_are(self, picture, save):
        axes = panel(picture("features", save("x.npy", self.x), save("y.npy", self.y)))
        assert axes.get_title() == ""
        assert not any(part.get_rasterized() for part in clouds(axes))

    def test_distances_of_features_of_one_size_are_equal_on_both_axes(self, picture, save):
        y = save("y.npy", self.y)
        assert panel(picture("features", save("x.npy", self.x), y)).get_aspect() == 1
        assert panel(picture("features", save("x.npy", self.x * [100, 1]), y)).get_aspect() == "auto"

    @pytest.mark.parametrize("x", [[[1.0, 2]], [[3.0, 3]] * 4, np.ones((3, 5))])
    def test_points_that_all_lie_in_one_place(self, picture, save, x):
        [cloud] = clouds(panel(picture("features", save("x.npy", x), save("y.npy", np.zeros(len(x), int)))))
        assert len(cloud.get_offsets()) == len(x)

    def test_a_title_that_is_asked_for(self, picture, save):
        words = save("x.npy", self.x), save("y.npy", self.y)
        assert picture("features", *words, "--title", "Mine").get_suptitle() == "Mine"


ODD = [
    "$x$ & <y>",
    "_hidden",
    "a very long name of a class that goes on and on and on",
    "Ωμέγα",
    "日本",
    "a\x07b",
    "two\nlines",
]


class TestNames:
    """Names are drawn as they stand, whatever they hold; what cannot be drawn has a mark in its place."""

    def check(self, texts):
        wanted = ["$x$ & <y>", "_hidden", "a very long …d on and on", "Ωμέγα", "日本", "a\ufffdb", "two lines"]
        missing = [name for name in wanted if not any(text.startswith(name) for text in texts)]
        assert not missing, texts
        assert not any(set("\x07\n") & set(text) for text in texts)
        assert all(len(text) < 50 for text in texts)
        assert any("…" in text for text in texts)

    @pytest.fixture
    def classes(self, write):
        quoted = [f'"{name}"' for name in ODD]
        z = (np.eye(len(ODD)) * 9).tolist()
        write("z.csv", table(",".join(quoted), *z))
        write("y.csv", table("label", quoted))
        write("x.csv", table("u,v", range(len(ODD)), range(len(ODD))))

    @pytest.mark.usefixtures("classes")
    def test_of_classes(self, picture):
        drawn = picture("samples", "ce", "z.csv", "y.csv", "--panel", "classes")
        self.check(ticks(panel(drawn)))
        assert not any(label.get_parse_math() for label in panel(drawn).get_yticklabels())

    @pytest.mark.usefixtures("classes")
    def test_of_features(self, picture):
        drawn = picture("features", "x.csv", "y.csv")
        self.check(names_of(drawn))
        assert len(of_text(panel(drawn))) == len(ODD)
        assert not any(text.get_parse_math() for text in drawn.legends[0].get_texts())

    @pytest.mark.parametrize("words", ["samples ce z.csv y.csv --panel classes", "features x.csv y.csv"])
    @pytest.mark.usefixtures("classes")
    def test_in_a_file_of_text(self, run, words):
        done = run("plot", *words.split(), "-o", "o.svg")
        assert (done.code, done.out) == (0, "")
        assert done.err == ""  # what is text is drawn in a font of the reader's
        written = " ".join(ElementTree.parse("o.svg").getroot().itertext())
        assert all(name in written for name in ("$x$ & <y>", "_hidden", "Ωμέγα", "日本"))

    @pytest.mark.parametrize("name", ["o.png", "o.pdf"])
    @pytest.mark.usefixtures("classes")
    def test_that_the_font_lacks_letters_is_said_once(self, run, name):
        done = run("plot", "features", "x.csv", "y.csv", "-o", name, "--dpi", "40")
        assert (done.code, done.out) == (0, "")
        assert done.err == "losscli: warning: the font lacks letters of a name, which are drawn as boxes\n"

    @pytest.mark.usefixtures("classes")
    def test_quiet(self, run):
        done = run("plot", "features", "x.csv", "y.csv", "-o", "o.png", "-q", "--dpi", "40")
        assert (done.code, done.out, done.err) == (0, "", "")


COMMANDS = {
    "samples": "samples ce z.npy y.npy --panel concentration",
    "reliability": "reliability z.npy y.npy",
    "features": "features r.npy y.npy",
}


@pytest.fixture
def refused(run, write, folder):
    """Run a command that is refused, and leaves all files as they were, the old picture too."""
    write("old.png", "an old picture")

    def look():
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def call(line, code, *parts, output="old.png", stdin=b""):
        before = look()
        words = line.split() if isinstance(line, str) else line
        run("plot", *words, *([] if output is None else ["-o", output]), stdin=stdin).refuses(code, *parts)
        assert look() == before

    return call


@pytest.mark.usefixtures("data")
class TestFiles:
    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize("name", ["o.png", "o.SVG", "o.pdf"])
    def test_are_whole(self, run, folder, command, name):
        held = {path.name for path in folder.iterdir()}
        done = run("plot", *COMMANDS[command].split(), "-o", name, "--size", "6,5", "--dpi", "40", "--title", "Mine")
        assert (done.code, done.out, done.err) == (0, "", "")
        assert {path.name for path in folder.iterdir()} == held | {name}
        data = (folder / name).read_bytes()
        if name.endswith("png"):
            image = Image.open(io.BytesIO(data))
            image.load()
            assert (image.format, image.size) == ("PNG", (240, 200))
            assert data.endswith(b"IEND\xaeB`\x82")
            assert image.text["Title"] == "Mine"
        elif name.endswith("pdf"):
            assert data.startswith(b"%PDF-")
            assert data.rstrip().endswith(b"%%EOF")
            assert b"(Mine)" in data
        else:
            root = ElementTree.fromstring(data)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert (root.get("width"), root.get("height")) == ("432pt", "360pt")
            assert "Mine" in list(root.itertext())

    @pytest.mark.parametrize("name", ["o.svg", "o.pdf", "o.png"])
    def test_the_same_command_writes_the_same_bytes(self, run, folder, name):
        words = [*COMMANDS["samples"].split(), "-o", name]
        assert run("plot", *words).code == 0
        first = (folder / name).read_bytes()
        assert run("plot", *words).code == 0
        assert (folder / name).read_bytes() == first

    def test_an_old_file_is_replaced(self, run, folder, write):
        write("o.svg", "old")
        assert run("plot", *COMMANDS["features"].split(), "-o", "o.svg").code == 0
        assert b"old" not in (folder / "o.svg").read_bytes()[:100]

    def test_a_picture_may_stand_elsewhere(self, run, folder):
        (folder / "pictures").mkdir()
        assert run("plot", *COMMANDS["features"].split(), "-o", "pictures/o.svg").code == 0
        assert [path.name for path in (folder / "pictures").iterdir()] == ["o.svg"]

    def test_standard_output_as_a_device(self):
        with start("plot", *COMMANDS["samples"].split(), "-o", "/dev/stdout") as process:
            out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
        assert Image.open(io.BytesIO(out)).format == "PNG"

    @pytest.mark.parametrize("command", COMMANDS)
    def test_standard_input(self, picture, folder, command):
        first, second = COMMANDS[command].split()[-2:] if command != "samples" else ("z.npy", "y.npy")
        words = COMMANDS[command].split()
        expected = numbers_of_anything(picture(*words, "-q"))
        for name in (first, second):
            piped = ["-" if word == name else word for word in words]
            found = picture(*piped, "-q", stdin=(folder / name).read_bytes())
            assert numbers_of_anything(found) == expected

    def test_a_column_of_standard_input(self, picture):
        s, b = np.load("s.npy"), np.load("b.npy")
        stdin = table("n,label", range(60), b).encode()
        drawn = picture("samples", "bce", "s.npy", "-:label", "--panel", "distribution", stdin=stdin)
        assert marks(panel(drawn))["mean"] == near(np.logaddexp(0, np.where(b == 1, -s, s)).mean())

    def test_a_number_for_all_targets(self, picture):
        drawn = picture("samples", "mse", "s.npy", "-3", "--panel", "distribution")
        assert marks(panel(drawn))["mean"] == near(((np.load("s.npy") + 3) ** 2).mean())


def numbers_of_anything(figure):
    found = []
    for axes in figure.axes:
        found += [bar.get_height() for bar in bars(axes)]
        found += [np.asarray(line.get_xydata()).tolist() for line in axes.lines]
        found += [part.get_offsets().tolist() for part in clouds(axes)]
    return found


@pytest.mark.usefixtures("data")
class TestErrors:
    """One line, an exit code, and a folder as it was."""

    @pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
    class TestOfEveryPicture:
        def test_no_output(self, refused, command):
            refused(command, 2, "--output", output=None)

        @pytest.mark.parametrize("name", ["o.jpg", "o", "o.png.gz", "o.npy", ".", ""])
        def test_an_unknown_suffix(self, refused, command, name):
            refused(command, 2, "--output", ".png, .svg, .pdf", output=name)

        def test_a_folder_that_does_not_exist(self, refused, command):
            refused(command, 3, "nowhere/o.png", "cannot be written", output="nowhere/o.png")

        def test_a_folder_in_the_file_s_place(self, refused, command, folder):
            (folder / "pictures.png").mkdir()
            refused(command, 3, "pictures.png", "folder", output="pictures.png")

        def test_a_write_protected_file(self, refused, command, folder, monkeypatch):
            (folder / "old.png").chmod(0o444)
            # A superuser may write all the same; what the system says to others is said here.
            monkeypatch.setattr("losscli.io.sinks.os.access", lambda path, mode: False)
            refused(command, 3, "old.png", "cannot be written", "write-protected")

        def test_a_full_disk(self, refused, command, monkeypatch):
            def full(descriptor):
                raise OSError(28, "No space left on device")

            monkeypatch.setattr("losscli.io.sinks.os.fsync", full)
            refused(command, 3, "old.png", "cannot be written", "No space left")

        @pytest.mark.parametrize("place", [1, 2])
        def test_an_output_that_is_an_input(self, refused, command, folder, place):
            words = command.split()
            first = 2 if words[0] == "samples" else 1
            name = words[first + place - 1]
            (folder / name).rename(folder / "input.png")
            words[first + place - 1] = "input.png"
            refused(words, 2, "input.png", "input", output="input.png")

        def test_an_output_that_leads_to_an_input(self, refused, command, folder):
            name = command.split()[2 if command.startswith("samples") else 1]
            (folder / "link.svg").symlink_to(name)
            refused(command, 2, "link.svg", "input", output="link.svg")

        @pytest.mark.parametrize(
            "words",
            ["--size 0,3", "--size 3", "--size a,b", "--size 3,nan", "--size 101,3", "--size=-3,3", "--size 3,3,3"],
        )
        def test_a_size_that_is_none(self, refused, command, words):
            refused(f"{command} {words}", 2, "--size")

        def test_a_size_that_is_too_small(self, refused, command):
            refused(f"{command} --size 1,1", 2, "--size 1,1", "too small")

        @pytest.mark.parametrize("words", ["--dpi 9", "--dpi 1201", "--dpi 10.5", "--dpi many", "--dpi=-5"])
        def test_a_dpi_that_is_none(self, refused, command, words):
            refused(f"{command} {words}", 2, "--dpi")

        def test_too_many_pixels(self, refused, command):
            refused(f"{command} --dpi 1000 --size 30,3", 2, "--size 30,3", "20,000 pixels")

        @pytest.mark.parametrize("words", ["--theme blue", "--nothing", "--title a --title b"])
        def test_options_that_make_no_sense(self, refused, command, words):
            refused(f"{command} {words}", 2, words.split()[0])

        def test_a_missing_file(self, refused, command):
            for name in ("z.npy", "r.npy", "y.npy"):
                if name in command:
                    refused(command.replace(name, "none.npy"), 3, "none.npy", "no such file")

        def test_files_of_different_length(self, refused, command, save):
            save("y.npy", [0, 1])
            refused(command, 3, "60 rows", "2")

        def test_no_rows(self, refused, command, save):
            for name in ("z.npy", "r.npy"):
                save(name, np.zeros((0, 3)))
            save("y.npy", np.zeros(0, int))
            refused(command, 3, ".npy", "no samples left", "no rows")

        def test_all_rows_ignored(self, refused, command, save):
            save("y.npy", np.full(60, 7))
            refused(f"{command} --ignore-index 7", 3, ".npy", "no samples left", "ignored")

        def test_a_nan(self, refused, command, save):
            for name in ("z.npy", "r.npy"):
                array = np.load(name)
                array[[40, 50], [2, 0]] = math.nan
                save(name, array)
            refused(command, 3, ".npy[40, 2]", "nan" if command.startswith("features") else "NaN")

        def test_a_cell_that_is_no_number(self, refused, command, write):
            p = write("p.csv", "a,b,c\n" + "1,2,3\n" * 58 + "1,2,x\n1,2,3\n")
            refused(command.replace("z.npy", p).replace("r.npy", p), 3, "p.csv:60", '"c"', "'x'")

        def test_standard_input_twice(self, refused, command):
            words = command.replace("z.npy", "-").replace("r.npy", "-").replace("y.npy", "-")
            refused(words, 2, "'-'", stdin=npy(np.zeros((3, 2))))

        def test_empty_standard_input(self, refused, command):
            refused(command.replace("y.npy", "-"), 3, "standard input")

    @pytest.mark.parametrize(
        ("line", "code", "parts"),
        [
            ("samples ce z.npy", 2, ["TARGETS"]),
            ("samples nothing z.npy y.npy", 2, ["nothing"]),
            ("samples nll z.npy y.npy", 2, ["different losses"]),
            ("samples huber s.npy x.npy --delta 0", 2, ["delta"]),
            ("samples ce z.npy y.npy --label-smoothing 1", 2, ["--label-smoothing"]),
            ("samples ce z.npy y.npy --panel all", 2, ["--panel"]),
            ("samples center r.npy y.npy", 2, ["--centers"]),
            ("samples ce s.npy y.npy", 3, ["s.npy", "(60,)"]),
            ("samples mse z.npy x.npy", 3, ["(60, 3)", "(60,)"]),
            ("samples ce s.npy s.npy", 3, ["s.npy"]),
            ("samples bce s.npy y.npy", 3, ["y.npy", "2"]),
            ("samples ce z.npy y.npy --sample-weight w.npy --class-weight x=1", 2, ["--class-weight"]),
            ("samples ce z.npy y.npy --from probs", 3, ["z.npy", "not a probability"]),
            ("reliability z.npy y.npy --bins 0", 2, ["--bins 0"]),
            ("reliability z.npy y.npy --bins=-1", 2, ["--bins -1"]),
            ("reliability z.npy y.npy --bins 1001", 2, ["--bins 1001", "1000"]),
            ("reliability z.npy y.npy --bins 2.5", 2, ["--bins"]),
            ("reliability z.npy y.npy --binning area", 2, ["--binning"]),
            ("reliability z.npy y.npy --from odds", 2, ["--from"]),
            ("reliability z.npy y.npy --from probs", 3, ["z.npy", "not a probability"]),
            ("reliability z.npy y.npy --from log-probs", 3, ["z.npy", "not a log-probability"]),
            ("reliability z.npy q.npy", 3, ["q.npy", "soft targets"]),
            ("reliability s.npy c.npy", 3, ["c.npy", "soft targets"]),
            ("reliability z.npy x.npy", 3, ["x.npy"]),
            ("reliability s.npy y.npy", 3, ["y.npy"]),
            ("reliability z.npy m.npy", 3, ["m.npy"]),
            ("features s.npy y.npy", 3, ["s.npy", "(60,)"]),
            ("features r.npy q.npy", 3, ["q.npy", "(60, 3)"]),
            ("features r.npy s.npy", 3, ["s.npy", "not a class"]),
            ("features r.npy y.npy --centers none.npy", 3, ["none.npy", "no such file"]),
            ("features z.npy y.npy --centers w.npy", 3, ["w.npy", "(60,)"]),
            ("features r.npy q.npy --centers c2.npy", 3, ["q.npy", "soft"]),
            ("features r.npy y.npy --ignore-index x", 2, ["--ignore-index x"]),
            ("features r.npy y.npy --columns a", 2, ["--columns"]),
            ("features z.csv y.npy --id id", 3, ["y.npy", "'id'"]),
        ],
    )
    def test_what_makes_no_sense(self, refused, line, code, parts):
        refused(line, code, *parts)

    @pytest.mark.parametrize(("value", "word"), [(math.inf, "inf"), (-math.inf, "-inf")])
    @pytest.mark.parametrize("d", [2, 3])
    def test_an_infinite_feature(self, refused, save, value, word, d):
        x = np.zeros((60, d))
        x[7, 1] = value
        refused(f"features {save('x.npy', x)} y.npy", 3, "x.npy[7, 1]", word, "finite")

    def test_one_feature(self, refused, save):
        refused(f"features {save('x.npy', np.zeros((60, 1)))} y.npy", 3, "x.npy", "(60, 1)", "two features")

    def test_one_column_of_several_is_no_plane(self, refused):
        refused("features z.csv:a y.npy", 3, "z.csv", "(60,)")

    def test_a_picture_in_place_of_the_centers(self, refused, folder):
        (folder / "c2.npy").rename(folder / "c.png")
        refused("features r.npy y.npy --centers c.png", 2, "c.png", "input", output="c.png")

    def test_a_picture_in_place_of_the_weights(self, refused, folder):
        (folder / "w.npy").rename(folder / "w.png")
        refused("samples ce z.npy y.npy --sample-weight w.png", 2, "w.png", "input", output="w.png")

    def test_all_weights_are_zero(self, refused, save):
        save("w.npy", np.zeros(60))
        refused("samples ce z.npy y.npy --sample-weight w.npy", 3, "weights are 0")

    def test_a_negative_weight(self, refused, save):
        save("w.npy", np.arange(60.0) - 3)
        refused("samples ce z.npy y.npy --sample-weight w.npy", 3, "w.npy[0]", "-3", "negative")

    def test_a_defect_on_the_way_leaves_nothing(self, refused, monkeypatch):
        def broken(*words):
            raise RuntimeError("broken")

        monkeypatch.setattr(style, "render", broken)
        for line in COMMANDS.values():
            refused(line, 70, "a defect of losscli")
