"""`--require`: what is held to which bound, and the exit code."""

import math

import numpy as np
import pytest
from by_hand import near

from losscli.engine.collectors.summary import Percentiles
from losscli.measurement.requirement import Requirement


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

    @pytest.mark.quick
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
        compute(*words, "--require", "loss < 3").refuses(2, "did you mean mean?")

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

    @pytest.mark.parametrize("statistic", ["std", "min", "max", "p50", "p90", "p99", "mean", "samples"])
    @pytest.mark.parametrize("format", ["value", "csv"])
    @pytest.mark.parametrize("more", [(), ("--also", "mse")], ids=["alone", "also"])
    def test_what_is_required_is_known_where_nothing_else_is_printed(self, compute, words, statistic, format, more):
        name = "l1 " if "--also" in more else ""
        whole = compute(*words, "--require", f"{name}{statistic} > 0", *more, "-f", "json").json
        entries = (whole[0] if "--also" in more else whole)["requirements"]
        done = compute(*words, "--require", f"{name}{statistic} > 0", *more, "-f", format)
        assert done.code == 0
        assert f"{statistic} > 0: met ({entries[0]['actual']!r})" in done.err

    @pytest.mark.parametrize("more", [("--also", "brier"), ()])
    def test_calibration_errors_that_are_required_beside_another_loss(self, compute, save, more):
        words = save("z.npy", np.random.default_rng(1).normal(0, 2, (80, 3))), save("y.npy", np.arange(80) % 3)
        name = "ce " if more else ""
        done = compute(
            "ce", *words, *more, "--require", f"{name}classwise_ece < 9", "--require", f"{name}ece < 9", "-f", "value"
        )
        assert done.code == 0
        assert done.err.count(": met (0.") == 2

    def test_a_pass_for_the_value_alone_makes_no_percentiles(self, compute, words, monkeypatch):
        value = compute(*words, "-f", "value").out

        def refused(*_):
            raise AssertionError

        monkeypatch.setattr(Percentiles, "of", refused)
        assert compute(*words, "-f", "value").out == value
        assert compute(*words, "--also", "mse", "-f", "value").out.startswith(value)
        assert compute(*words, "--plus", "mse", "-f", "value").code == 0
        for more in (("-f", "table"), ("-f", "value", "-o", "o.md"), ("-f", "value", "--require", "p50 > 0")):
            assert compute(*words, *more).code == 70

    @pytest.mark.parametrize("text", ["std < 1e9", "std > 0", "std <= inf", "std == 0"])
    def test_nan_meets_nothing(self, text):
        assert not Requirement.parse(text).met(math.nan)

    @pytest.mark.parametrize(("text", "met"), [("std < 1e9", False), ("std == 0", False), ("std > 0", True)])
    def test_the_spread_of_an_infinite_and_a_finite_loss_is_infinite(self, compute, save, text, met):
        done = compute("l1", save("p.npy", [np.inf, 1.0]), "0", "--require", text)
        assert (done.code, done.json["requirements"][0]["met"]) == (int(not met), met)

    def test_an_infinite_value_meets_no_bound_from_above(self, compute, save):
        assert compute("l1", save("p.npy", [np.inf, 1.0]), "0", "--require", "value < 1e300").code == 1

    def test_the_value_of_reduction_none_meets_nothing(self, compute, words):
        assert compute(*words, "--reduction", "none", "--require", "value < 100").code == 1

    def test_two_means_have_two_names(self, compute, words, save):
        """Losses 1 and 3 with the weights 3 and 1: the weighted mean is 6 / 4, and that of the losses 2."""
        weighted = ("l1", save("p.npy", [1.0, 3]), "0", "--sample-weight", save("w.npy", [3.0, 1]))
        names = [line.split("  ")[0] for line in compute(*weighted, "-f", "table").out.splitlines()]
        assert len(names) == len(set(names))
        assert {"mean", "mean of losses"} <= set(names)
        for text, met in (("value < 1.6", True), ("mean of losses < 1.9", False), ("mean of losses <= 2", True)):
            done = compute(*weighted, "--require", text)
            assert (done.code, done.json["requirements"][0]["met"]) == (int(not met), met)

    @pytest.mark.parametrize(
        ("text", "code"), [("mean <= 2", 0), ("mean < 1.4", 1), ("mean < 1.9", 2), ("mean > 1.9", 2)]
    )
    def test_mean_is_refused_where_the_two_means_are_decided_differently(self, compute, save, text, code):
        weighted = ("l1", save("p.npy", [1.0, 3]), "0", "--sample-weight", save("w.npy", [3.0, 1]), "--require", text)
        done = compute(*weighted)
        assert done.code == code
        if code == 2:
            limit = text.removeprefix("mean ")
            done.refuses(2, text, f"'value {limit}' for the weighted one, 1.5", f"'mean of losses {limit}'", "2.0")
        else:
            assert done.json["requirements"] == [{"require": text, "met": code == 0, "actual": 2}]

    def test_of_a_sum_there_is_one_mean(self, compute, save):
        weighted = (
            "l1",
            save("p.npy", [1.0, 3]),
            "0",
            "--sample-weight",
            save("w.npy", [3.0, 1]),
            "--reduction",
            "sum",
        )
        assert compute(*weighted, "--require", "mean < 1.9").code == 1  # of the losses; the sum is 6

    def test_a_bad_file_wins_over_an_unmet_requirement(self, compute, save):
        p = save("p.npy", [1.0, np.nan])
        compute("l1", p, "0", "--require", "mean < 0").refuses(3, "NaN")

    def test_met_requirements_exit_with_zero(self, compute, words):
        assert compute(*words, "--require", "mean <= 2.5", "--require", "samples == 4").code == 0
