"""`losscli plot residuals`: what is in the picture, and what is refused."""

import math

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from pictures import near, overlap, stairs, table

from losscli.analysis import residuals as analysis
from losscli.engine.collectors import residuals as collectors
from losscli.plots import residuals

RNG = np.random.default_rng(8)
T = RNG.normal(40, 10, 90)
P = 0.8 * T + RNG.normal(9, 4, 90)


@pytest.fixture
def files(save):
    return save("p.npy", P), save("t.npy", T)


@pytest.fixture
def counted(monkeypatch):
    """Even few rows are counted in cells."""
    monkeypatch.setattr(collectors, "MOST_POINTS", 20)


def dots(axes):
    [line] = [line for line in axes.lines if line.get_marker() == "o"]
    return line.get_xydata()


def cells(axes):
    """Counts of cells, the lowest first, and the edges of both axes."""
    [drawn] = [part for part in axes.collections if isinstance(part, QuadMesh)]
    corners = np.asarray(drawn.get_coordinates())
    return np.ma.filled(drawn.get_array(), 0), corners[0, :, 0], corners[:, 0, 1]


def upright(axes):
    """Counts and edges of a histogram that lies on its side."""
    assert all(part.orientation == "horizontal" for part in axes.patches)
    return stairs(axes)


class TestPoints:
    def test_of_few_rows_each_is_a_point(self, picture, files):
        fit, spread, shares = picture("residuals", *files).axes
        assert np.array_equal(dots(fit), np.stack([T, P], axis=1))
        assert np.array_equal(dots(spread), np.stack([P, P - T], axis=1))
        counts, edges = upright(shares)
        assert counts.sum() == 90
        assert counts.tolist() == np.histogram(P - T, edges)[0].tolist()

    def test_axes_are_equal_and_hold_the_line_where_predictions_are_right(self, picture, files):
        fit, spread, shares = picture("residuals", *files, laid_out=True).axes
        low, high = fit.get_xlim()
        assert fit.get_ylim() == spread.get_xlim() == (low, high)
        assert low < min(P.min(), T.min())
        assert high > max(P.max(), T.max())
        box = fit.get_window_extent()
        assert box.width == pytest.approx(box.height)
        [line] = [line for line in fit.lines if line.get_label() == "predicted = actual"]
        assert (list(line.get_xdata()), list(line.get_ydata())) == ([low, high], [low, high])
        assert spread.get_ylim() == shares.get_ylim()
        assert spread.get_ylim()[0] == -spread.get_ylim()[1] < -np.abs(P - T).max()
        assert (fit.get_xlabel(), fit.get_ylabel()) == ("actual", "predicted")
        assert (spread.get_xlabel(), spread.get_ylabel()) == ("predicted", "residual: predicted \u2212 actual")
        assert shares.get_xlabel() == "samples per bin"

    def test_the_mean_residual_is_marked(self, picture, files):
        shares = picture("residuals", *files).axes[2]
        [line] = [line for line in shares.lines if str(line.get_label()).startswith("mean")]
        assert line.get_ydata()[0] == near((P - T).mean())
        assert line.get_label() == f"mean {(P - T).mean():.4g}".replace("-", "\u2212")

    def test_with_weights_it_is_the_weighted_mean(self, picture, files, save):
        w = RNG.exponential(1, 90)
        drawn = picture("residuals", *files, "--sample-weight", save("w.npy", w))
        expected = np.average(P - T, weights=w)
        line = drawn.axes[2].lines[-1]
        assert (line.get_ydata()[0], line.get_label()) == (
            near(expected),
            f"weighted mean {expected:.4g}".replace("-", "\u2212"),
        )
        rmse = math.sqrt(np.average((P - T) ** 2, weights=w))
        assert f"RMSE {rmse:.4g}" in drawn.get_suptitle()

    def test_rmse_and_r2_are_those_of_compute(self, picture, files, compute):
        drawn = picture("residuals", *files)
        error = np.mean((P - T) ** 2)
        r2 = 1 - error / T.var()
        title = f"predicted against actual: 90 samples, RMSE {math.sqrt(error):.4g}, R\u00b2 {r2:.4g}"
        assert drawn.get_suptitle() == title
        found = compute("mse", *files).json
        words = " ".join(drawn.get_supxlabel().split())
        assert f"rmse {found['summary']['rmse']!r} | R2 {found['baseline']['skill']!r} |" in words
        assert "".join(words.split()).endswith("".join(found["signature"].split()))
        assert drawn.about["Description"].startswith("p.npy, t.npy | rmse ")

    def test_of_equal_targets_there_is_no_r2(self, picture, save):
        drawn = picture("residuals", save("p.npy", [1.0, 2, 3]), "2")
        assert drawn.get_suptitle() == f"predicted against actual: 3 samples, RMSE {math.sqrt(2 / 3):.4g}"
        assert "no R2: all targets are equal" in " ".join(drawn.get_supxlabel().split())

    def test_rows_meet_by_id_and_ignored_ones_are_left_out(self, picture, write):
        p = write("p.csv", table("id,score,other", [f"r{i}" for i in range(90)], P.tolist(), T.tolist()))
        t = write("t.csv", table("id,price", [f"r{i}" for i in range(90)][::-1], [*T[:0:-1].tolist(), -1.0]))
        drawn = picture("residuals", p, t, "--id", "id", "--columns", "score", "--ignore-index", "-1")
        assert dots(drawn.axes[0]) == near(np.stack([T[1:], P[1:]], axis=1))
        assert "89 samples (1 ignored)" in drawn.get_suptitle()

    def test_the_small_print_names_columns(self, picture, write):
        write("reg.csv", table("a,b", P.tolist(), T.tolist()))
        drawn = picture("residuals", "reg.csv:a", "reg.csv:b", "-q")
        assert drawn.get_supxlabel().startswith("reg.csv:a, reg.csv:b | rmse")

    def test_negative_numbers_have_a_minus_sign(self, picture, save):
        shares = picture("residuals", save("p.npy", T - 39.5), save("t.npy", T)).axes[2]
        assert shares.lines[-1].get_label() == "mean \u221239.5"

    def test_few_rows_have_more_than_the_ends_of_a_scale(self, picture, save):
        counts = [0.3, 0.31, 0.32, -1, 1]
        shares = picture("residuals", save("p.npy", counts), save("t.npy", np.zeros(5)), laid_out=True).axes[2]
        assert [at for at in shares.get_xticks() if 0 <= at <= 3] == [0, 1, 2, 3]


@pytest.mark.usefixtures("counted")
class TestCells:
    @pytest.mark.parametrize("batch", [1 << 21, 64])
    def test_of_many_rows_they_are_counted(self, picture, files, monkeypatch, batch):
        monkeypatch.setattr("losscli.engine.job.BATCH_BYTES", batch)
        fit, spread, shares = picture("residuals", *files).axes
        counts, across, up = cells(fit)
        assert across == near(np.linspace(min(P.min(), T.min()), max(P.max(), T.max()), 61))
        assert np.array_equal(up, across)
        assert np.array_equal(counts, np.histogram2d(P, T, (up, across))[0])
        assert counts.sum() == 90
        counts, across, up = cells(spread)
        assert np.array_equal(counts, np.histogram2d(P - T, P, (up, across))[0])
        assert up[0] == -up[-1] == -np.abs(P - T).max()
        assert counts.sum() == 90
        assert upright(shares)[0].tolist() == counts.sum(axis=1).tolist()

    def test_both_panels_have_one_scale_of_counts(self, picture, files):
        fit, spread, _ = picture("residuals", *files).axes
        scales = [axes.collections[0].norm for axes in (fit, spread)]
        assert scales[0] is scales[1]
        assert (scales[0].vmin, scales[0].vmax) == (1, max(2, cells(fit)[0].max(), cells(spread)[0].max()))
        assert [bar.get_ylabel() for bar in fit.child_axes] == [""]
        assert fit.get_xlabel() == "actual\ncolour: samples per cell"

    def test_mean_and_title_do_not_depend_on_how_rows_are_drawn(self, picture, files, monkeypatch):
        many = picture("residuals", *files)
        monkeypatch.setattr(collectors, "MOST_POINTS", 90)
        few = picture("residuals", *files)
        assert many.get_suptitle() == few.get_suptitle()
        assert many.axes[2].lines[-1].get_label() == few.axes[2].lines[-1].get_label()

    def test_standard_input_is_read_twice(self, picture, files, folder):
        fit = picture("residuals", "-", "t.npy", stdin=(folder / "p.npy").read_bytes()).axes[0]
        assert cells(fit)[0].sum() == 90


def test_ends_of_records_that_meet_are_kept(save, monkeypatch):
    """More rows than points in two batches that are few each."""
    monkeypatch.setattr(collectors, "MOST_POINTS", 3)
    one, other = (
        collectors.Extent(
            2, np.full((3, 1), low), np.full((3, 1), low + 5), 2.0, np.ones(1), (np.zeros((2, 2, 1)),), None
        )
        for low in (1.0, -2.0)
    )
    both = one + other
    assert (both.low.tolist(), both.high.tolist()) == ([[-2.0]] * 3, [[6.0]] * 3)
    assert (both.rows, both.weight, both.shift.tolist(), both.points) == (4, 4.0, [2.0], None)


@pytest.mark.usefixtures("folder")
class TestOutputs:
    def test_each_has_panels_of_its_own(self, picture, write, save):
        p, t = RNG.normal(0, 1, (40, 2)), RNG.normal(0, 1, (40, 2)) * [1, 50]
        words = write("p.csv", table("price,$x$", *p.T.tolist())), save("t.npy", t)
        drawn = picture("residuals", *words, laid_out=True)
        assert len(drawn.axes) == 6
        for i, name in enumerate(("price", "$x$")):
            fit, spread, _ = drawn.axes[3 * i : 3 * i + 3]
            assert dots(fit) == near(np.stack([t[:, i], p[:, i]], axis=1))
            assert dots(spread)[:, 1] == near(p[:, i] - t[:, i])
            assert (fit.get_xlabel(), fit.get_ylabel()) == (f"actual {name}", f"predicted {name}")
        assert drawn.get_suptitle().startswith("predicted against actual of 2 outputs: 40 samples, ")

    def test_weights_of_elements_are_refused(self, run, save):
        p, t, w = (save(f"{name}.npy", np.arange(10.0).reshape(5, 2)) for name in "ptw")
        run("plot", "residuals", p, t, "--sample-weight", w).refuses(3, "w.npy: one weight per element", "(5,)")

    def test_more_than_six_are_refused(self, run, save):
        words = "plot", "residuals", save("p.npy", np.ones((5, 7))), save("t.npy", np.zeros((5, 7)))
        run(*words).refuses(3, "p.npy", "7 outputs", "at most 6", "fewer columns")


class TestEdges:
    @pytest.mark.parametrize(
        ("p", "t"),
        [
            ([1.5], [1.0]),
            ([1.0, 2.0], [1.0, 3.0]),
            ([3.0] * 5, [3.0] * 5),
            ([0.0] * 4, [0.0] * 4),
            ([1.0, 2, 3], [2.0, 3, 4]),
            ([1e139, -1e139, 0], [0.0, 0, 1]),
            ([1e-149, 2e-149], [1e-149, 0]),
            ([1e12, 1e12 + 1], [1e12, 1e12]),
        ],
    )
    @pytest.mark.parametrize("most", [2000, 0])
    def test_hard_numbers_are_drawn(self, run, save, monkeypatch, p, t, most):
        monkeypatch.setattr(collectors, "MOST_POINTS", most)
        words = "plot", "residuals", save("p.npy", p), save("t.npy", t), "-o", "x.png", "--dpi", "40", "-q"
        done = run(*words)
        assert (done.code, done.out, done.err) == (0, "", "")

    @pytest.mark.parametrize(
        ("p", "t", "parts"),
        [
            ([1.0, math.nan], [1.0, 2.0], ("p.npy[1]", "NaN")),
            ([1.0, 2.0], [1.0, math.nan], ("t.npy[1]", "NaN")),
            ([1.0, math.inf], [1.0, 2.0], ("p.npy[1]: inf is not a finite number",)),
            ([1.0, 2.0], [-math.inf, 2.0], ("t.npy[0]: -inf is not a finite number",)),
            ([[1.0, 2.0], [1.0, math.inf]], [[1.0, 2.0], [1.0, 2.0]], ("p.npy[1, 1]: inf",)),
            ([1.0, 1e141], [1.0, 2.0], ("p.npy[1]: 1e+141 is too large to be drawn", "common factor")),
            ([1e-200, 2e-200], [0.0, 3e-200], ("p.npy: no number is larger than 3e-200", "multiply", "common factor")),
            (
                np.float32([1e20, 1.0]),
                [1.0, 2.0],
                ("p.npy: the squares of these residuals are beyond float32", "common factor"),
            ),
            ([1.0, 2.0, 3.0], [1.0, 2.0], ("3 rows", "2")),
            ([], [], ("no rows",)),
        ],
    )
    def test_what_cannot_be_drawn(self, run, save, folder, p, t, parts):
        words = (
            "plot",
            "residuals",
            save("p.npy", np.array(p)),
            save("t.npy", np.array(t, np.array(p).dtype)),
            "-o",
            "x.png",
        )
        run(*words).refuses(3, *parts)
        assert not (folder / "x.png").exists()

    def test_an_output_that_is_an_input(self, run, files, folder):
        (folder / "p.npy").rename(folder / "p.png")
        run("plot", "residuals", "p.png", "t.npy", "-o", "p.png").refuses(2, "p.png", "input")

    def test_powers_of_ten_and_legends_do_not_hide_each_other(self, picture, save):
        drawn = picture("residuals", save("p.npy", 1e12 * P), save("t.npy", 1e12 * T), laid_out=True)
        fit = drawn.axes[0]
        assert fit.yaxis.get_offset_text().get_text() == "1e13"
        boxes = fit.yaxis.get_offset_text().get_window_extent(), fit.get_legend().get_window_extent()
        assert overlap(*boxes) <= 0

    @pytest.mark.parametrize(("size", "below"), [("10,4.5", False), ("4,3", False), ("5,7", True)])
    def test_a_narrow_figure_has_the_residuals_below(self, picture, files, size, below):
        fit, spread, shares = (
            axes.get_window_extent() for axes in picture("residuals", *files, "--size", size, laid_out=True).axes
        )
        assert (spread.y1 < fit.y0) == below
        assert (spread.x0 > fit.x1) == (not below)
        assert shares.x0 > spread.x1


@pytest.mark.parametrize("size", [(4, 3), (6, 4), (5, 5), (10.5, 4.6)])
def test_the_first_panel_is_no_stamp(run, files, monkeypatch, size):
    caught = []
    draw = residuals.draw
    monkeypatch.setattr(residuals, "draw", lambda *words: caught.append(draw(*words)) or caught[-1])
    assert run("plot", "residuals", *files, "--size", f"{size[0]},{size[1]}", "-o", "x.png").code == 0
    figure = caught[-1]
    assert figure.axes[0].get_window_extent().width / figure.dpi > 0.29 * min(size[0], 1.6 * size[1])


def test_cells_are_as_many_as_the_analysis_says():
    one = analysis.Output("0", (1.0, 2.0), 3.0, 0.0, None, None, None)
    assert (len(one.numbers), one.numbers[0], one.numbers[-1]) == (61, 1, 2)
    assert (len(one.residuals), one.residuals[0], one.residuals[-1]) == (61, -3, 3)
