"""What mutants of the code showed to be untested: one wrong line each, that no other test noticed."""

import errno
import io
import math
import os
import tempfile
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from losscli.arrays import row_sums
from losscli.definition.batch import Dense, Extras
from losscli.engine import aggregates as reductions
from losscli.engine.aggregates import Quantiles, Total
from losscli.engine.collectors import baseline as baselines
from losscli.errors import DataError
from losscli.io import bytes as raw
from losscli.io import source as sources
from losscli.io.bytes import RawFile
from losscli.io.npy import NpySource
from losscli.io.source import MemorySource, Reordered
from losscli.losses import find
from losscli.render import catalogue
from losscli.wording import did_you_mean

LOG2 = math.log(2)


def near(expected: Any, rel: float = 1e-12) -> Any:
    return pytest.approx(expected, rel=rel, abs=1e-300)


def binary(z, t):
    """Cross-entropy of one sigmoid output."""
    return math.log1p(math.exp(-z)) if t else math.log1p(math.exp(z))


class TestLosses:
    def test_focal_loss_of_log_probabilities_near_zero_keeps_its_digits(self, compute, save):
        p = save("p.npy", [[-1e-10, math.log(1e-10)]])
        found = compute("softmax-focal", p, save("t.npy", [0]), "--from", "log-probs").json["value"]
        assert found == near(math.expm1(-1e-10) ** 2 * 1e-10)

    def test_an_unlikely_outcome_of_a_log_probability_near_zero_is_finite(self, compute, save):
        found = compute("bce", save("p.npy", [-1e-20]), save("t.npy", [0]), "--from", "log-probs").json["value"]
        assert found == near(-math.log(1e-20))

    def test_a_smoothed_target_keeps_the_digits_of_its_complement(self, compute, save):
        found = compute("bce", save("p.npy", [100.0]), save("t.npy", [1]), "--label-smoothing", "1e-18").json["value"]
        assert found == near(100 * 0.5e-18)

    def test_two_outcomes_of_float32_logits_are_rounded_once(self):
        generator = np.random.default_rng(3)
        z, t = generator.normal(0, 2, 2000).astype(np.float32), generator.random(2000)
        loss, targets = find("bce").bind(), Dense(t, 1 - t)
        value, gradient = loss(z, targets, Extras(), gradient=True)
        exact, slope = loss(z.astype(np.float64), targets, Extras(), gradient=True)
        assert value.tolist() == exact.astype(np.float32).tolist()
        assert gradient.tolist() == slope.astype(np.float32).tolist()

    def test_small_targets_of_other_classes_are_not_lost_beside_the_steepest(self):
        z, t = np.array([[50.0, 0, 0]]), np.array([[1, 1e-20, 1e-20]])
        _, gradient = find("ce").bind()(z, Dense(t), Extras(), gradient=True)
        assert gradient[0, 0] == near(2e-20 - 2 * math.exp(-50))  # p_0 * sum(t) - t_0

    def test_a_long_row_of_float32_terms_is_summed_to_their_last_digits(self):
        terms = np.full((2, 128_000), 0.1, np.float32)
        assert row_sums(terms).tolist() == near([128_000 * float(terms[0, 0])] * 2, rel=1e-6)

    def test_tukey_keeps_the_digits_of_what_is_left_near_c(self):
        r = 1 - 2.0**-33
        rest = 1 - Fraction(r) ** 2
        _, gradient = find("tukey").bind(c=1)(np.array([r]), Dense(np.zeros(1)), Extras(), gradient=True)
        assert gradient[0] == near(float(Fraction(r) * rest**2), rel=1e-15)

    def test_center_loss_of_many_float32_features_is_summed_in_float64(self, compute, save):
        n = 1 << 20
        x, c = save("x.npy", np.full((1, n), 0.1), np.float32), save("c.npy", np.zeros((1, n)), np.float32)
        found = compute("center", x, save("y.npy", [0]), "--centers", c).json["value"]
        assert found == near(n * float(np.float32(0.1)) ** 2 / 2, rel=2e-7)

    def center(self, features: Any, targets: Any, centers: Any) -> Any:
        extras = Extras(centers=np.array(centers, float))
        return find("center").bind()(np.array(features, float), Dense(np.array(targets, float)), extras, gradient=True)

    def test_a_center_of_weight_zero_adds_nothing_however_far_it_is(self):
        value, gradient = self.center([[1, 0]], [[0.5, 0.5, 0]], [[0, 0], [2, 0], [1e200, 0]])
        assert value.tolist() == [0.5]
        assert gradient.tolist() == [[0, 0]]

    def test_a_center_of_weight_zero_has_no_slope_at_infinite_features(self):
        value, gradient = self.center([[math.inf, 1]], [[0.5, 0.5, 0]], [[0, 0], [2, 0], [4, 0]])
        assert value.tolist() == [math.inf]
        assert gradient.tolist() == [[math.inf, 1]]


class TestSamples:
    def test_an_id_stays_with_its_row_where_rows_are_ignored(self, compute, write, monkeypatch):
        monkeypatch.setattr("losscli.engine.job.BLOCK_BYTES", 16)
        p = write("p.csv", "id,u,v\na,1,2\nb,3,4\nc,5,6\nd,7,8\n")
        t = write("t.csv", "id,label\nd,u\nc,v\nb,skip\na,v\n")
        rows = compute("ce", p, f"{t}:label", "--id", "id", "--ignore-index", "skip", "--per-sample").json["rows"]
        assert [(row["sample"], row["id"], row["target"]) for row in rows] == [
            (0, "a", "v"),
            (2, "c", "v"),
            (3, "d", "u"),
        ]


class TestTargets:
    @pytest.mark.parametrize("loss", ["bce", "sigmoid-focal"])
    def test_ignored_labels_of_one_hot_outputs_do_not_exist(self, compute, save, loss):
        p, some = save("p.npy", [[1, 2, 3], [4, 5, 6], [3, 1, 2]]), save("some.npy", [[1, 2, 3], [3, 1, 2]])
        found = compute(loss, p, save("t.npy", [2, -1, 0]), "--ignore-index", "-1").json
        assert (found["samples"], found["ignored"]) == (2, 1)
        assert found["value"] == compute(loss, some, save("kept.npy", [2, 0])).json["value"]

    @pytest.mark.parametrize("option", ["--class-weight", "--pos-weight"])
    def test_a_named_weight_may_be_zero(self, compute, save, option):
        p, t = save("p.npy", [[1, 2], [3, -1]]), save("t.npy", [[1, 1], [1, 1]])
        found = compute("bce", p, t, option, "0=1,1=0", "--reduction", "sum", "--over-outputs", "sum").json["value"]
        assert found == near(binary(1, 1) + binary(3, 1))

    def test_columns_in_any_order_are_brought_into_the_predictions_order(self, compute, write):
        p, t = write("p.csv", "a,b,c\n1,2,4\n"), write("t.csv", "c,a,b\n40,10,20\n")
        rows = compute("l1", p, t, "--elements").json["rows"]
        assert rows[0]["target"] == [10, 20, 40]
        assert rows[0]["losses"] == [9, 18, 36]

    def test_a_lone_target_may_miss_one_by_a_little_too(self, compute, save):
        p, t = save("p.npy", [[0, 0], [0, 0]]), save("t.npy", [[1.0005, 0], [0, 0.9995]])
        assert compute("ce", p, t).json["value"] == near(LOG2)

    def test_one_soft_row_makes_all_rows_soft_however_the_file_is_read(self, compute, save, monkeypatch):
        monkeypatch.setattr(sources, "SCAN_BYTES", 16)
        found = compute("ce", save("p.npy", [[0, 1], [0, 1]]), save("t.npy", [[0.5, 0.5], [0, 1]])).json
        assert found["receipt"]["targets"]["kind"] == "soft"
        assert found["value"] == near(math.log1p(math.exp(-1)) + 0.25)

    def test_one_column_of_outputs_is_smoothed_as_two_classes(self, compute, save):
        words = ("--label-smoothing", "0.2", "--smoothing-mode", "uniform")
        found = compute("bce", save("p.npy", [[1], [2]]), save("t.npy", [[1], [0]]), *words).json["value"]
        smoothed = [0.9 * binary(1, 1) + 0.1 * binary(1, 0), 0.1 * binary(2, 1) + 0.9 * binary(2, 0)]
        assert found == near(sum(smoothed) / 2)


class TestRun:
    @pytest.mark.parametrize("loss", ["mse", "l1", "huber", "bce"])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "sum-over-batch-size", "sum-by-nonzero-weights"])
    def test_blocks_change_nothing_but_the_last_digit(self, compute, save, monkeypatch, loss, reduction):
        generator = np.random.default_rng(5)
        t = np.tile([0, 1, 1, 0, -1, 1], 10)
        words = (loss, save("p.npy", generator.normal(size=60)), save("t.npy", t), "--ignore-index", "-1")
        words += ("--sample-weight", save("w.npy", generator.integers(0, 3, 60)), "--reduction", reduction)
        whole = compute(*words).json
        monkeypatch.setattr("losscli.engine.job.BLOCK_BYTES", 3 * 8)
        monkeypatch.setattr("losscli.engine.job.CHUNK_BYTES", 9 * 8)
        split = compute(*words).json
        for key in ("value", "numerator", "denominator", "samples", "ignored", "summary", "baseline"):
            assert split[key] == (None if whole[key] is None else near(whole[key])), key

    def test_the_first_three_places_of_a_fault_are_shown(self, compute, save):
        done = compute("l1", save("p.npy", [math.nan] * 5), "0")
        done.refuses(3, "p.npy[0]", "5 in all, also row 1, row 2 ...")

    @pytest.mark.parametrize(("loss", "given"), [("ce", "probs"), ("bce", "probs"), ("ce", "log-probs")])
    def test_a_loss_of_nothing_has_no_minus_sign(self, compute, save, loss, given):
        p = {"probs": 1.0, "log-probs": 0.0}[given]
        rows = [p] if loss == "bce" else [[p, -math.inf if given == "log-probs" else 0.0]]
        label = 1 if loss == "bce" else 0
        done = compute(loss, save("p.npy", rows), save("t.npy", [label]), "--from", given, "--per-sample")
        assert done.json["value"] == 0
        assert "-0.0" not in done.out

    def test_a_constant_target_does_not_widen_float32(self, compute, save):
        found = compute("l1", save("p.npy", [0.1], np.float32), "0.3").json
        assert found["receipt"]["computed_in"] == "float32"

    def test_a_residual_of_mixed_dtypes_is_computed_in_the_wider(self, compute, save):
        p, t = save("p.npy", [0.1], np.float32), save("t.npy", [0.1], np.float64)
        found = compute("l1", p, t).json
        assert found["value"] == abs(float(np.float32(0.1)) - 0.1)
        assert found["receipt"]["computed_in"] == "float64"

    LOGITS, LABELS = ((1.0, -2.0), (0.5, 3.0), (-1.0, 0.0)), ((1, 0), (0, 1), (1, 1))

    @pytest.mark.parametrize(("how", "outputs"), [("sum", 1), ("mean", 2)])
    def test_output_weights_and_sample_weights_multiply(self, compute, save, how, outputs):
        p, t, w = save("p.npy", self.LOGITS), save("t.npy", self.LABELS), save("w.npy", [1, 2, 4])
        words = ("--class-weight", "0=3,1=5", "--over-outputs", how, "--reduction", "sum")
        losses = [
            3 * binary(z[0], y[0]) + 5 * binary(z[1], y[1]) for z, y in zip(self.LOGITS, self.LABELS, strict=True)
        ]
        assert compute("bce", p, t, *words).json["value"] == near(sum(losses) / outputs)
        weighted = losses[0] + 2 * losses[1] + 4 * losses[2]
        assert compute("bce", p, t, *words, "--sample-weight", w).json["value"] == near(weighted / outputs)

    @pytest.mark.parametrize("how", ["sum", "mean"])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "sum-over-batch-size", "sum-by-nonzero-weights"])
    def test_the_best_constant_has_no_skill_over_the_baseline(self, compute, save, how, reduction):
        words = (save("t.npy", self.LABELS), "--class-weight", "0=3,1=5", "--over-outputs", how)
        best = save("p.npy", [[2 / 3, 2 / 3]] * 3)  # two of three labels of each output are positive
        found = compute("bce", best, *words, "--from", "probs", "--reduction", reduction).json
        assert found["baseline"]["prediction"] == near([2 / 3, 2 / 3])
        assert found["baseline"]["value"] == near(found["value"])
        assert found["baseline"]["skill"] == pytest.approx(0, abs=1e-12)

    def test_a_block_of_ignored_rows_does_not_hide_logits_that_look_like_probabilities(
        self, compute, save, monkeypatch
    ):
        monkeypatch.setattr("losscli.engine.job.BLOCK_BYTES", 16)
        p, t = save("p.npy", [[0.25, 0.75]] * 4), save("t.npy", [0, 1, -1, -1])
        assert "probabilities" in compute("ce", p, t, "--ignore-index", "-1").err

    @pytest.mark.parametrize(("loss", "p"), [("bce", [-0.1, 0.5]), ("ce", [[-0.2, 0.6, 0.6]] * 2)])
    def test_a_negative_probability_is_refused(self, compute, save, loss, p):
        done = compute(loss, save("p.npy", p), save("t.npy", [0, 1]), "--from", "probs")
        done.refuses(3, "p.npy[0", "-0.", "not a probability")


class TestReduce:
    def test_a_sum_of_sums_keeps_what_each_has_kept(self):
        left, right = Total(-1e16), Total(1e16) + Total(1.0)
        assert ((left + right).value, (right + left).value) == (1.0, 1.0)

    def test_percentiles_are_exact_up_to_the_stated_number_of_losses(self, monkeypatch):
        monkeypatch.setattr(reductions, "EXACT_LOSSES", 10)
        assert Quantiles.of(np.ones(10)).exact
        assert not Quantiles.of(np.ones(11)).exact
        assert (Quantiles.of(np.ones(5)) + Quantiles.of(np.ones(5))).exact
        assert not (Quantiles.of(np.ones(5)) + Quantiles.of(np.ones(6))).exact


class TestBaseline:
    def test_the_frequencies_of_smoothed_classes_under_kl_divergence(self, compute, save):
        words = (save("t.npy", [0, 1, 1, 2]), "--label-smoothing", "0.3", "--from", "probs")
        best = compute("kl", save("q.npy", [[0.5, 0.25, 0.25]] * 4), *words).json["baseline"]
        assert best["prediction"] == near([0.275, 0.45, 0.275])
        assert best["value"] == near(compute("kl", save("p.npy", [best["prediction"]] * 4), *words).json["value"])

    def test_the_median_is_the_middle_of_two_where_half_the_weight_falls_between_them(self, compute, save):
        best = compute("l1", save("p.npy", np.zeros(4)), save("t.npy", [10, 0, 1, 2])).json["baseline"]
        assert (best["prediction"], best["value"]) == (1.5, 11 / 4)

    def test_the_frequencies_know_of_pos_weight(self, compute, save):
        p, t = save("p.npy", [0.75] * 10), save("t.npy", [1] * 6 + [0] * 4)
        found = compute("bce", p, t, "--from", "probs", "--pos-weight", "2").json
        assert found["baseline"]["prediction"] == near(12 / 16)  # six heads count twice
        assert found["baseline"]["value"] == near(found["value"])

    def test_too_many_targets_have_no_median(self, monkeypatch):
        monkeypatch.setattr(baselines, "MOST_MEDIAN_VALUES", 5)
        part = baselines.Median.of(np.ones((2, 1)), np.ones(2))
        loss = find("l1").bind()
        assert (part + part).best(loss, Extras()) is not None
        assert (part + part + part).best(loss, Extras()) is None


class TestCalculation:
    @pytest.mark.parametrize(
        ("words", "part"),
        [
            (("--ignore-index", "7"), "ignore:7"),
            (("--over-outputs", "sum"), "over-outputs:sum"),
            (("--pos-weight", "2"), "pos-weight:2"),
            (("--pos-weight", "0=2,1=3"), "pos-weight:2,3"),
            (("--class-weight", "0=2,1=3"), "class-weight:2,3"),
            (("--label-smoothing", "0.1"), "smoothing:half-0.1"),
            (("--from", "probs"), "from:probs"),
            (("--sample-weight", "w.npy"), "sample-weight:w.npy"),
            (("--reduction", "sum"), "reduction:sum"),
        ],
    )
    def test_what_makes_numbers_differ_is_in_the_signature(self, compute, save, words, part):
        save("w.npy", [1, 2])
        t = save("t.npy", [0, 1] if "--ignore-index" in words else [[0, 1], [1, 0]])
        found = compute("bce", save("p.npy", [[0.1, 0.9], [0.5, 0.2]]), t, *words).json
        assert part in found["signature"].split("|")
        plain = compute("bce", "p.npy", t).json["signature"].split("|")
        assert part not in plain

    def test_balanced_is_n_over_k_times_count_in_sums_too(self, compute, save):
        words = (save("p.npy", [[0, 0]] * 4), save("t.npy", [0, 0, 0, 1]), "--class-weight", "balanced")
        found = compute("ce", *words, "--reduction", "sum", "--per-sample").json
        assert [row["weight"] for row in found["rows"]] == near([4 / 6, 4 / 6, 4 / 6, 4 / 2])
        assert found["value"] == near(4 * LOG2)

    @pytest.mark.parametrize("header", ["class", "Class", "LABEL", "Name"])
    def test_centers_called_by_numbers_need_a_column_of_that_name(self, compute, write, save, header):
        c = write("c.csv", f"{header},a,b\n7,4,2\n8,0,0\n")
        found = compute("center", save("x.npy", [[1, 2]]), write("y.csv", "label\n7\n"), "--centers", c).json
        assert found["value"] == 4.5

    def test_a_label_to_ignore_that_no_row_has_is_said(self, compute, tiny):
        assert "--ignore-index -100: no row has this label" in compute("ce", *tiny, "--ignore-index", "-100").err
        assert compute("ce", *tiny, "--ignore-index", "0").err == ""

    @pytest.mark.parametrize("number", ["inf", "Infinity", "1e999"])
    def test_an_infinite_constant_is_no_target(self, compute, save, number):
        compute("l1", save("p.npy", [1.0]), number).refuses(3, number, "no such file")

    def test_two_centers_of_one_name_are_refused(self, compute, write, save):
        c = write("c.csv", "class,a,b\ncat,1,1\ncat,2,2\n")
        words = (save("x.npy", [[1, 1], [2, 2]]), write("y.csv", "label\ncat\ncat\n"), "--centers", c)
        compute("center", *words).refuses(3, "two classes", "'cat'")

    def test_a_file_of_class_weights_wins_over_names(self, compute, tiny, save):
        by_name = compute("ce", *tiny, "--class-weight", "0=2").json["value"]
        assert compute("ce", *tiny, "--class-weight", save("0=3.npy", [2, 1, 1])).json["value"] == by_name

    @pytest.mark.parametrize("loss", ["mse", "bce", "ce", "hinge"])
    def test_predictions_without_columns_are_refused(self, compute, save, loss):
        done = compute(loss, save("p.npy", np.zeros((2, 0))), save("t.npy", np.zeros((2, 0))))
        done.refuses(3, "p.npy", "(2, 0)", "no columns")

    def test_centers_are_matched_to_the_features_by_name(self, compute, write):
        x, y = write("x.csv", "a,b\n1,2\n"), write("y.csv", "label\ncat\n")
        found = compute("center", x, y, "--centers", write("c.csv", "class,b,a\ncat,2,4\ndog,0,0\n")).json
        assert found["value"] == 4.5

    def test_one_sample_that_looks_like_probabilities_is_no_reason_to_warn(self, compute, save):
        assert compute("ce", save("p.npy", [[0.25, 0.75]]), save("t.npy", [1])).err == ""


class TestCommandLine:
    @pytest.mark.parametrize("words", [("list",), ("explain", "huber"), ("--version",)])
    def test_a_full_standard_output_is_an_error_of_every_command(self, process, words):
        with open("/dev/full", "wb") as full:
            done = process(*words, stdout=full, env={"PYTHONUNBUFFERED": ""})
        assert done.code == 3
        assert done.err.startswith("losscli: ")
        assert done.err.count("\n") == 1

    def test_a_file_called_like_a_negative_number_and_a_negative_constant(self, compute, write):
        assert compute("l1", write("-1", "3\n"), "-2").json["value"] == 5


class TestErrors:
    def test_capitals_do_not_hide_the_nearest_name(self):
        assert did_you_mean("LOGIT", ["id", "logit"]) == " (did you mean logit?)"
        assert did_you_mean("logit", ["ID", "LOGIT"]) == " (did you mean LOGIT?)"


class TestCatalogue:
    def test_the_command_to_compute_a_center_loss_is_complete(self, run):
        assert "losscli compute center PREDICTIONS TARGETS --centers FILE" in run("explain", "center").out

    @pytest.mark.parametrize(("width", "shown"), [(100, False), (200, True)])
    def test_aliases_are_listed_where_the_terminal_has_room_for_them(self, monkeypatch, width, shown):
        monkeypatch.setenv("COLUMNS", str(width))
        found = catalogue.listed(catalogue.entries(), terminal=True)
        assert ("aliases" in found) is shown
        assert ("mean-squared-error" in found) is shown


class TestSources:
    def test_a_file_that_becomes_shorter_while_it_is_read_is_an_error(self, save, folder, monkeypatch):
        path = folder / save("p.npy", np.zeros(100))
        source = NpySource.open(RawFile("p.npy", path), "p.npy")
        os.truncate(path, 500)
        calls = []

        def counted(*words):
            calls.append(words)
            assert len(calls) < 5, "reads on and on"
            return preadv(*words)

        preadv = os.preadv
        monkeypatch.setattr(raw.os, "preadv", counted)
        with pytest.raises(DataError, match="shorter"):
            source.read(0, 100)

    def test_shards_meet_in_the_widest_dtype(self, compute, save):
        save("p-1.npy", [0.5], np.float32)
        save("p-2.npy", [0.1], np.float64)
        found = compute("l1", "p-*.npy", "0", "--per-sample").json
        assert [row["loss"] for row in found["rows"]] == [0.5, 0.1]
        assert found["receipt"]["predictions"]["dtype"] == "float64"

    @pytest.mark.parametrize("kind", ["npy", "npz"])
    def test_big_endian_numbers_of_a_stream_are_the_numbers_of_a_file(self, compute, kind):
        file = io.BytesIO()
        array = np.array([1, 2, 6], ">f8")
        np.save(file, array) if kind == "npy" else np.savez(file, array)
        found = compute("l1", "-", "0", stdin=file.getvalue()).json
        assert found["value"] == 3
        assert found["receipt"]["predictions"]["dtype"] == "float64"

    def test_an_archive_of_a_lone_number_is_refused(self, compute, folder):
        np.savez(folder / "p.npz", np.float64(3))
        compute("l1", "p.npz", "0").refuses(3, "p.npz", "0 axes")

    def test_a_file_of_one_axis_may_call_itself_fortran_ordered(self, compute, folder):
        with (folder / "p.npy").open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": True, "shape": (3,)})
            file.write(np.array([1.0, 2, 6]).tobytes())
        assert compute("l1", "p.npy", "0").json["value"] == 3

    def test_columns_brought_into_another_order_keep_their_names_and_places(self):
        source = Reordered(MemorySource("t", np.array([[1, 2, 3]]), ("c", "a", "b")), (1, 2, 0))
        assert source.columns == ("a", "b", "c")
        assert source.read(0, 1).tolist() == [[2, 3, 1]]
        assert [source.place(0, column) for column in range(3)] == ["t[0, 1]", "t[0, 2]", "t[0, 0]"]

    def test_a_bad_target_in_columns_of_another_order_is_placed_in_its_own_column(self, compute, write):
        p, t = write("p.csv", "a,b\n1,2\n3,4\n"), write("t.csv", "b,a\n0,1\n1,7\n")
        compute("bce", p, t).refuses(3, 't.csv:3, column "a"', "7")


class TestTables:
    def test_a_first_row_of_numbers_in_order_is_doubtful_in_shards_too(self, compute, write, save):
        write("p-1.csv", "0,1,2\n3,4,5\n")
        write("p-2.csv", "0,1,2\n6,7,8\n")
        compute("ce", "p-*.csv", save("t.npy", [0, 1])).refuses(3, ".csv:1", "--header", "--no-header")

    def test_columns_called_by_numbers_make_a_first_row_of_numbers_the_header(self, compute, write, save):
        p = write("p.csv", "0,1,2\n3,4,5\n6,8,7\n")
        found = compute("ce", p, save("t.npy", [1, 0]), "--columns", "0,1").json
        assert found["samples"] == 2
        assert found["value"] == near((math.log1p(math.exp(-1)) + math.log1p(math.exp(2))) / 2)

    def test_columns_that_fit_a_header_and_data_alike_settle_nothing(self, compute, write, save):
        p = write("p.csv", "0,1,2\n3,4,5\n")
        compute("ce", p, save("t.npy", [0]), "--columns", "1,2").refuses(3, "p.csv:1", "--columns 1,2")

    def test_lines_of_an_old_macintosh_are_recognised(self, compute, write):
        compute("l1", write("p.csv", "a\r1\r2\r"), "0").refuses(3, "p.csv", "carriage return")

    @pytest.mark.parametrize("cell", ["-inf", "-Infinity", "-INF"])
    def test_a_masked_logit_is_legal_in_a_table(self, compute, write, cell):
        p = write("p.csv", f"cat,dog,cow\n0,{cell},0\n")
        assert compute("ce", p, write("t.csv", "label\ncat\n")).json["value"] == near(LOG2)

    def test_labels_that_are_an_array_of_bytes_are_names(self, compute, write, save):
        p = write("p.csv", "cat,dog\n0,1\n0,1\n")
        found = compute("ce", p, save("t.npy", [b"dog", b"cat"])).json
        assert found["value"] == near((math.log1p(math.exp(-1)) + math.log1p(math.exp(1))) / 2)


class TestRoles:
    @pytest.mark.parametrize("columns", ["", ","])
    def test_no_columns_are_a_usage_error(self, compute, write, columns):
        compute("l1", write("p.csv", "a\n1\n"), "0", "--columns", columns).refuses(2, "--columns")

    def test_ids_are_unique_beside_a_constant_too(self, compute, write):
        p = write("p.csv", "id,v\na,1\na,2\n")
        compute("l1", p, "0", "--id", "id").refuses(3, "p.csv", "more than once", "a")

    def test_an_id_that_was_picked_is_meant(self, compute, write):
        p = write("p.csv", "id,score\n1,5\n2,6\n")
        assert compute("l1", p, "0", "--columns", "id").err == ""
        assert "--id" in compute("mse", p, write("t.csv", "id,score\n1,5\n2,6\n")).err

    def test_two_prediction_columns_of_one_name_are_refused(self, compute, write):
        p, t = write("p.csv", "a,a\n1,2\n"), write("t.csv", "a,b\n1,2\n")
        compute("mse", p, t).refuses(3, "p.csv", "'a'", "1, 2")


class TestFiles:
    def test_no_file_is_published_before_all_are_on_the_disk(self, compute, save, write, folder, monkeypatch):
        whole = []

        def full(descriptor):
            whole.append(descriptor)
            if len(whole) == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        write("out.csv", "old")
        done = compute("l1", save("p.npy", [1.0]), "0", "-o", "out.csv", "--gradient", "g.npy")
        done.refuses(3, "g.npy", "No space")
        assert (folder / "out.csv").read_text() == "old"
        assert sorted(path.name for path in folder.iterdir()) == ["out.csv", "p.npy"]

    def test_a_file_is_written_on_the_disk_that_it_will_stay_on(self, compute, save, folder, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "not-there"))
        assert compute("l1", save("p.npy", [1.0]), "0", "-o", "out.csv").code == 0
        assert (folder / "out.csv").exists()

    def test_a_gradient_is_npy_or_csv(self, compute, save):
        compute("l1", save("p.npy", [1.0]), "0", "--gradient", "g.tsv").refuses(2, "--gradient", ".npy, .csv")

    def test_losses_of_several_float32_outputs_are_as_exact_in_npy_as_in_json(self, compute, save, folder):
        p, t = save("p.npy", [[0.1, 0.7], [0.3, -2]], np.float32), save("t.npy", [[1, 0], [0, 1]])
        rows = compute("bce", p, t, "--per-sample", "-o", "out.npy").json["rows"]
        found = np.load(folder / "out.npy")
        assert found.dtype == np.float64
        assert found.tolist() == [row["loss"] for row in rows]


class TestRender:
    def test_a_sum_is_divided_by_nothing(self, compute, save):
        lines = compute("l1", save("p.npy", [1.0, 2.0]), "0", "--reduction", "sum", "-f", "table").out.splitlines()
        assert [line.split() for line in lines if line.startswith("sum")] == [["sum", "3.0"]]

    def test_a_line_break_in_a_name_does_not_break_a_row_of_markdown(self, compute, write):
        p = write("p.csv", 'id,v\n"one\ntwo",1\n')
        out = compute("l1", p, "0", "--id", "id", "--per-sample", "-f", "markdown").out
        rows = [line for line in out.splitlines() if "one" in line]
        assert [row for row in rows if "two" in row] == rows
        assert len(rows) == 1
