"""Losses of forecasts, against numbers of scoringrules 0.10.0, GluonTS 0.17.0, utilsforecast 0.2.17, scikit-learn 1.9.1 and
CatBoost 1.2.10, through the command line.
"""

import numpy as np
import pytest
from by_hand import near

import losscli

LEVELS = "0.1,0.5,0.9"
QUANTILES = [[0.2, 0.6, 1.5], [-2.0, -1.2, 0.0], [1.0, 2.0, 4.0], [3.0, 9.0, 12.0]]
T = [1.0, -1.0, 2.5, 4.0]
INTERVALS = [[0.0, 2.0], [-3.0, -1.5], [1.0, 2.0], [5.0, 6.0]]
MEMBERS = [[1.0, 2.0, 4.0], [0.0, 0.5, -1.0], [3.0, 3.0, 3.0], [-2.0, 5.0, 1.0]]
WQL = 0.3592156862745098
"""Of GluonTS, MeanWeightedSumQuantileLoss; its quantiles alone are 0.1011764706, 0.7176470588 and 0.2588235294."""


@pytest.fixture
def losses(compute, save):
    def call(name, predictions, targets, *words):
        found = compute(name, save("p.npy", predictions), save("t.npy", targets), *words, "-f", "jsonl")
        return [row["loss"] for row in found.lines]

    return call


@pytest.mark.parametrize(
    ("name", "predictions", "words", "expected"),
    [
        # scoringrules: interval_score(T, low, high, alpha), crps_ensemble(T, MEMBERS, estimator=...)
        ("interval-score", INTERVALS, ("--alpha", "0.1"), [2.0, 11.5, 11.0, 21.0]),
        ("winkler", INTERVALS, ("--alpha", "0.5"), [2.0, 3.5, 3.0, 5.0]),
        ("fair-crps", MEMBERS, (), [1 / 3, 1 / 3, 0.5, 1.0]),
        ("crps", MEMBERS, (), [2 / 3, 0.5, 0.5, 1.7777777777777777]),
        # scoringrules: quantile_score of each level, and their mean
        ("multi-quantile", QUANTILES, ("--levels", LEVELS), [0.33 / 3, 0.3 / 3, 0.55 / 3, 3.4 / 3]),
        ("wql", QUANTILES, ("--levels", LEVELS), [WQL]),  # GluonTS
    ],
)
def test_numbers_of_other_programs(losses, name, predictions, words, expected):
    assert losses(name, predictions, T, *words) == pytest.approx(expected, rel=1e-14)


def test_the_mean_over_the_levels_is_that_of_catboost(compute, save):
    words = (save("p.npy", QUANTILES), save("t.npy", T), "--levels", LEVELS, "-f", "value")
    assert compute("multiquantile", *words).value == pytest.approx(
        0.3816664333333333, abs=1e-6
    )  # its levels are rounded


def test_an_interval_is_two_quantiles(losses):
    by_ends = losses("interval-score", INTERVALS, T, "--alpha", "0.2")
    by_levels = losses("multi-quantile", INTERVALS, T, "--levels", "0.1,0.9")
    assert by_ends == pytest.approx([2 * 2 / 0.2 * one for one in by_levels], rel=1e-14)


def test_one_level_is_the_quantile_loss_and_wql_of_the_median_is_wmape(compute, save):
    one, t = save("one.npy", [row[:1] for row in QUANTILES]), save("t.npy", T)
    flat = save("flat.npy", [row[0] for row in QUANTILES])
    for tau in ("0", "0.1", "0.5", "1"):
        found = compute("multi-quantile", one, t, "--levels", tau, "-f", "value").value
        assert found == near(compute("quantile", flat, t, "--tau", tau, "-f", "value").value)
    wql = compute("wql", one, t, "--levels", "0.5", "-f", "value").value
    assert wql == near(compute("wmape", flat, t, "-f", "value").value)


class TestLevels:
    """Levels are said, or are what the columns are named; they are never guessed."""

    CELLS = "0.2,0.6,1.5\n-2,-1.2,0\n1,2,4\n3,9,12\n"

    @pytest.mark.parametrize(
        ("names", "levels"),
        [
            ("10%,50%,90%", [0.1, 0.5, 0.9]),
            ("p10,p50,p90", [0.1, 0.5, 0.9]),
            ("q05,q50,q95", [0.05, 0.5, 0.95]),
            ("P_2.5,p 50,p-97.5", [0.025, 0.5, 0.975]),
            ("2.5%,50%,97.5%", [0.025, 0.5, 0.975]),
            ("percentile_5,percentile_29,pct_100", [0.05, 0.29, 1.0]),
            ("quantile 10%,quantile 50%,quantile 90%", [0.1, 0.5, 0.9]),
        ],
    )
    def test_of_names_in_percent(self, compute, write, names, levels):
        words = (write("p.csv", f"{names}\n{self.CELLS}"), write("t.csv", "y\n1\n-1\n2.5\n4\n"))
        found = compute("multi-quantile", *words).json
        assert found["receipt"]["levels"] == levels
        said = compute("multi-quantile", write("n.csv", self.CELLS), "t.csv", "--levels", ",".join(map(str, levels)))
        assert found["value"] == said.json["value"]

    @pytest.mark.parametrize(
        "names",
        [
            "p0,p1,p2",
            "0_1,0_5,0_9",
            "q1_5,q0_5,q0_9",
            "p1,p2,p3",
            "q1,q2,q3",
            "p10,p50,mean",
            "p10,p50,p900",
            "10,50,90",
        ],
    )
    def test_names_that_say_no_levels(self, compute, write, names):
        """Such as numbers of columns."""
        words = (write("p.csv", f"{names}\n{self.CELLS}"), write("t.csv", "y\n1\n-1\n2.5\n4\n"), "--header")
        compute("wql", *words).refuses(2, "needs --levels")

    def test_a_first_row_of_percentages_over_others_is_data_or_a_header(self, compute, write):
        t = write("t.csv", "y\n1\n-1\n")
        compute("wql", write("p.csv", "10%,90%\n20%,30%\n4,5\n"), t).refuses(3, "a header or data?")
        compute("wql", write("p.csv", "90%,10%\n2,3\n4,5\n"), t).refuses(3, "a header or data?")
        compute("mse", write("p.csv", "50%\n0.5\n0.25\n"), t).refuses(3, "a header or data?")

    @pytest.mark.parametrize(
        "names",
        ["q0.1,q0.5,q0.9", "quantile_0.1,quantile_.5,quantile_0.90", "Q0.1,Q 0.5,q-0.9", "quantile_0_1,q_0_5,Q0_90"],
    )
    def test_of_names(self, compute, write, names):
        found = compute("wql", write("p.csv", f"{names}\n{self.CELLS}"), write("t.csv", "y\n1\n-1\n2.5\n4\n"))
        assert found.json["value"] == near(WQL)
        assert found.json["receipt"]["levels"] == [0.1, 0.5, 0.9]
        assert "|levels:0.1,0.5,0.9|" in found.json["signature"]

    def test_of_a_header_of_numbers(self, compute, write):
        p, t = write("p.csv", f"0.1,0.5,0.9\n{self.CELLS}"), write("t.csv", "y\n1\n-1\n2.5\n4\n")
        compute("wql", p, t).refuses(3, "p.csv has 5 rows")
        assert compute("wql", p, t, "--header").json["value"] == near(WQL)
        picked = compute("wql", p, t, "--header", "--columns", "0.1,0.5", "-f", "value").value
        assert picked == pytest.approx((0.10117647058823531 + 0.7176470588235294) / 2, rel=1e-14)
        swapped = compute("wql", p, t, "--header", "--columns", "0.9,0.1,0.5").json
        assert swapped["receipt"]["levels"] == [0.9, 0.1, 0.5]
        assert swapped["value"] == near(WQL)

    @pytest.mark.parametrize("loss", ["multi-quantile", "wql"])
    def test_a_first_row_that_equals_the_levels_is_a_doubt(self, compute, write, loss):
        files = write("q.csv", "0.1,0.90\n1,2\n1,3\n"), write("t.csv", "2020\n1.5\n5\n")
        said = (*files, "--levels", "0.1,0.9")
        compute(loss, *said).refuses(3, "q.csv:1", "equals --levels", "Say --header or --no-header")
        compute(loss, *said, "--columns", "1,2").refuses(3, "q.csv:1", "equals --levels")
        # by hand: quantile losses 0.05, 0.05 and 0.4, 1.8; targets 1.5 and 5
        expected = {"multi-quantile": (0.05 + 0.05 + 0.4 + 1.8) / 4, "wql": (0.05 + 0.05 + 0.4 + 1.8) / 6.5}
        assert compute(loss, *said, "--header", "-f", "value").value == near(expected[loss])
        assert compute(loss, *said, "--no-header").code == 0
        assert compute(loss, *files, "--levels", "0.1,0.8").code == 0
        assert compute(loss, *files, "--levels", "0.9,0.1").code == 0

    def test_what_is_no_level_is_refused(self, compute, write, save):
        p, t = save("p.npy", QUANTILES), save("t.npy", T)
        compute("wql", p, t).refuses(2, "needs --levels", "3 columns of p.npy", "--levels 0.25,0.5,0.75")
        compute("wql", save("wide.npy", np.zeros((4, 9))), t).refuses(
            2, "as --levels 0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9"
        )
        compute("wql", save("wide.npy", np.zeros((4, 10))), t).refuses(2, "10 columns", "as --levels 0.01,0.02,...")
        compute("wql", p, t, "--levels", "0.1,0.5").refuses(2, "2 levels for 3 columns")
        compute("wql", p, t, "--levels", "0.1,0.5,90").refuses(2, "'90' is no level", "from 0 to 1")
        compute("wql", p, t, "--levels", "0.1,0.5,0.1").refuses(2, "the level 0.1 is there twice")
        compute("mse", t, t, "--levels", "0.5").refuses(2, "--levels")
        named = write("p.csv", f"q0.1,q0.5,q0.9\n{self.CELLS}")
        compute("wql", named, t, "--levels", "0.9,0.5,0.1").refuses(2, "are named q0.1,q0.5,q0.9")
        assert compute("wql", named, t, "--levels", LEVELS).json["value"] == near(WQL)
        bare = write("bare.csv", self.CELLS)
        compute("wql", bare, t).refuses(2, "needs --levels", "say --header")
        for odd in ("q1,q2,q3", "low,mid,high", "q0.1,q0.5,q1.5"):
            compute("wql", write("p.csv", f"{odd}\n{self.CELLS}"), t).refuses(2, "needs --levels")

    def test_an_interval_whose_columns_name_other_levels(self, compute, write):
        t, cells = write("t.csv", "y\n1\n5\n"), "0,2\n1,3\n"
        wide = write("p.csv", f"q0.1,q0.9\n{cells}")
        for words in ((), ("--alpha", "0.1"), ("--alpha", "0.20000001")):
            compute("interval-score", wide, t, *words).refuses(2, "p.csv", "q0.1 and q0.9", "say --alpha 0.2")
        # by hand: widths 2 and 2, and 2 / 0.2 * 2 for the second target
        assert compute("interval-score", wide, t, "--alpha", "0.2", "-f", "value").value == near((2 + 2 + 20) / 2)
        swapped = write("s.csv", "q0.975,q0.025\n2,0\n3,1\n")
        compute("interval-score", swapped, t).refuses(2, "the upper end before", "--columns q0.025,q0.975")
        # by hand: 2 / 0.05 * 2
        picked = compute("interval-score", swapped, t, "--columns", "q0.025,q0.975", "-f", "value").value
        assert picked == near((2 + 2 + 80) / 2)
        for odd in ("q0.1,q0.95", "q0.5,q0.50", "q0,q0.9"):
            compute("interval-score", write("p.csv", f"{odd}\n{cells}"), t).refuses(2, "for no alpha", "multi-quantile")
        for other in ("low,high", "low,q0.9", "q0.025,q0.975", "q0,q1"):
            assert compute("interval-score", write("p.csv", f"{other}\n{cells}"), t).code == 0

    def test_python(self):
        for levels in ([0.1, 0.5, 0.9], LEVELS, (0.1, 0.5, 0.9)):
            assert losscli.compute("wql", np.array(QUANTILES), np.array(T), levels=levels).value == near(WQL)


class TestRefused:
    def test_a_lower_end_above_the_upper_one(self, compute, save):
        p, t = save("p.npy", [[0.0, 1.0], [2.0, 1.0], [1.0, 1.0]]), save("t.npy", [0.5, 0.5, 0.5])
        compute("interval-score", p, t).refuses(
            3, "p.npy[1]", "the lower end of the interval is above", "multi-quantile"
        )
        compute("interval-score", save("p.npy", QUANTILES), save("t.npy", T)).refuses(3, "(4, 3)", "2 numbers per row")

    def test_a_fair_score_of_one_member(self, compute, save):
        p, t = save("p.npy", [[1.0], [2.0]]), save("t.npy", [1.0, 1.0])
        compute("fair-crps", p, t).refuses(3, "p.npy[0]", "one member", "give two members or more")

    def test_one_target_for_each_quantile(self, compute, save):
        p = save("p.npy", QUANTILES)
        compute("multi-quantile", p, p, "--levels", LEVELS).refuses(3, "one target per row")


class TestScaledErrors:
    """utilsforecast's mase and rmsse of two series, with the naive errors of its training series as scales."""

    Y, T = [[5.5, 6.0, 7.0], [15.0, 20.0, 21.0]], [[6.0, 5.0, 8.0], [12.0, 25.0, 20.0]]
    TRAINING = np.array([[1.0, 3.0, 2.0, 5.0, 4.0], [10.0, 20.0, 15.0, 30.0, 10.0]])

    @pytest.mark.parametrize(
        ("season", "mase", "rmsse"),
        [
            (1, [0.4761904761904762, 0.24], [0.4472135954999579, 0.24944382578492943]),
            (2, [0.5, 0.44999999999999996], [0.5, 0.48304589153964794]),
        ],
    )
    def test_mase_and_rmsse(self, compute, save, season, mase, rmsse):
        naive = self.TRAINING[:, season:] - self.TRAINING[:, :-season]
        p, t = save("p.npy", self.Y), save("t.npy", self.T)
        rows = compute("mase", p, t, "--scale", save("s.npy", np.abs(naive).mean(axis=1)), "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == pytest.approx(mase, rel=1e-14)
        rows = compute("rmsse", p, t, "--scale", save("s.npy", (naive**2).mean(axis=1)), "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == pytest.approx(rmsse, rel=1e-14)

    def test_rmsse_of_one_series_of_columns_and_of_weighted_series(self, compute, save):
        p, t = save("p.npy", [5.5, 6.0, 7.0]), save("t.npy", [6.0, 5.0, 8.0])
        assert compute("rmsse", p, t, "--scale", "3.75", "-f", "value").value == near(0.4472135954999579)
        p, t = save("p.npy", self.Y), save("t.npy", self.T)
        one, other = (np.sqrt(np.mean((np.array(self.Y) - self.T) ** 2, axis=1)) / 2).tolist()
        found = compute("rmsse", p, t, "--scale", "4", "--sample-weight", save("w.npy", [3.0, 1.0])).json["value"]
        assert found == near((3 * one + other) / 4)
        columns = compute("rmsse", p, t, "--scale", "4", "--per", "column", "-f", "value").value
        assert columns == near((np.sqrt(np.mean((np.array(self.Y) - self.T) ** 2, axis=0)) / 2).mean())

    def test_an_element_that_does_not_exist_does_not_count(self, compute, save):
        p, t = save("p.npy", [[1.0, 9.0], [3.0, 5.0]]), save("t.npy", [[0.0, 0.0], [0.0, 0.0]])
        words = ("--scale", save("s.npy", [[1.0, np.nan], [4.0, 1.0]]), "--mask", save("m.npy", [[1, 0], [1, 1]]))
        assert compute("rmsse", p, t, *words, "--per", "file", "-f", "value").value == near(
            np.sqrt((1 + 9 / 4 + 25) / 3)
        )

    @pytest.mark.parametrize("per", ["row", "column", "file"])
    def test_a_scale_of_0_is_refused(self, compute, save, per):
        p, t, s = save("p.npy", [[1.0, 9.0], [3.0, 5.0]]), save("t.npy", np.zeros((2, 2))), "s.npy"
        words = ("rmsse", p, t, "--per", per, "--scale")
        compute(*words, save(s, [[1.0, 1.0], [0.0, 1.0]])).refuses(3, "s.npy[1, 0]", "0 is no scale")
        compute(*words, save(s, [2.0, -1.0])).refuses(3, "s.npy[1]", "-1 is no scale")

    @pytest.mark.parametrize("per", ["row", "file"])
    def test_squares_that_overflow_are_refused(self, compute, save, per):
        p, t = save("p.npy", [[1.0, 1e160], [3.0, 5.0]]), save("t.npy", np.zeros((2, 2)))
        compute("rmsse", p, t, "--scale", "4", "--per", per).refuses(3, "p.npy[0]", "overflow", "divide predictions")
        scaled = save("p.npy", [[1.0, 1e140], [3.0, 5.0]])
        assert compute("rmsse", scaled, t, "--scale", "4", "--per", "file", "-f", "value").value == near(1e140 / 4)

    def test_the_gradient_where_all_targets_are_0(self):
        with pytest.warns(losscli.LosscliWarning, match="infinite-loss: predictions: the loss of the rows together"):
            found = losscli.compute("wql", np.array([[1.0, -1.0]]), np.array([0.0]), levels="1,0.5", gradient=True)
        assert found.value == np.inf
        assert found.gradient.tolist() == [[0, -np.inf]]

    def test_the_gradient_of_a_file_read_in_parts(self, monkeypatch):
        draw = np.random.default_rng(3)
        y, t, s = draw.normal(size=(700, 3)), draw.normal(size=(700, 3)), draw.uniform(0.5, 2, (700, 3))
        monkeypatch.setattr("losscli.engine.job.BATCH_BYTES", 4096)
        found = losscli.compute("rmsse", y, t, scale=s, per="file", gradient=True)
        value = np.sqrt(np.mean((y - t) ** 2 / s))
        assert found.value == near(value)
        np.testing.assert_allclose(found.gradient, (y - t) / s / value / y.size, rtol=1e-13)
        q = losscli.compute("wql", y, t[:, 0], levels=[0.1, 0.5, 0.9], gradient=True)
        r = y - t[:, :1]
        levels = np.array([0.1, 0.5, 0.9])
        pinball = np.where(r > 0, (1 - levels) * r, -levels * r)
        size = np.abs(t[:, 0]).sum()
        assert q.value == near(2 * pinball.sum() / 3 / size)
        np.testing.assert_allclose(q.gradient, 2 * np.where(r > 0, 1 - levels, -levels) / 3 / size, rtol=1e-13)


class TestOrder:
    """scikit-learn's max_error and median_absolute_error."""

    P, T = [0.5, 1.25, 2.0, 3.5], [-1.5, 0.0, 2.5, 3.0]

    def test_of_a_file_rows_and_columns(self, compute, save):
        p, t = save("p.npy", self.P), save("t.npy", self.T)
        assert compute("max-error", p, t, "-f", "value").value == 2.0
        assert compute("median-absolute-error", p, t, "-f", "value").value == 0.875
        p, t = save("p.npy", np.reshape(self.P, (2, 2))), save("t.npy", np.reshape(self.T, (2, 2)))
        assert compute("max-error", p, t, "-f", "value").value == (2 + 0.5) / 2  # a series a row
        assert compute("max-error", p, t, "--per", "column", "-f", "value").value == (2 + 1.25) / 2
        assert compute("medae", p, t, "--per", "file", "-f", "value").value == 0.875

    def test_gradients(self, compute, save):
        p, t = save("p.npy", self.P), save("t.npy", self.T)
        compute("max-error", p, t, "--gradient", "g.npy")
        assert np.load("g.npy").tolist() == [1, 0, 0, 0]
        compute("medae", p, t, "--gradient", "g.npy")
        assert np.load("g.npy").tolist() == [0, 0.5, 0, 0.5]

    def test_numbers_of_any_size(self, compute, save):
        p, t = save("p.npy", [1.5e308, 1.5e308, 1e-300]), save("t.npy", [0.0, 0.0, 0.0])
        assert compute("medae", p, t, "-f", "value").value == 1.5e308
        assert (
            compute("medae", save("p.npy", [1.5e308, 1.5e308]), save("t.npy", [0.0, 0]), "-f", "value").value == 1.5e308
        )
        compute("medae", save("p.npy", [1.0, np.nan]), save("t.npy", [0.0, 0.0])).refuses(3, "the prediction is NaN")
        compute("max-error", save("p.npy", [1.0, np.nan]), save("t.npy", [0.0, 0.0])).refuses(
            3, "the prediction is NaN"
        )
