"""Targets: constants, labels, soft rows and rows to ignore, through the command line."""

import math

import numpy as np
import pytest
from by_hand import LOG2, LOG3, TINY, TINY_LABELS, TINY_LOSSES, binary, cross_entropy, near

from losscli.io import source as sources


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

    @pytest.mark.parametrize("loss", ["bce", "sigmoid-focal"])
    def test_ignored_labels_of_one_hot_outputs_do_not_exist(self, compute, save, loss):
        p, some = save("p.npy", [[1, 2, 3], [4, 5, 6], [3, 1, 2]]), save("some.npy", [[1, 2, 3], [3, 1, 2]])
        found = compute(loss, p, save("t.npy", [2, -1, 0]), "--ignore-index", "-1").json
        assert (found["samples"], found["ignored"]) == (2, 1)
        assert found["value"] == compute(loss, some, save("kept.npy", [2, 0])).json["value"]

    def test_a_label_to_ignore_that_no_row_has_is_said(self, compute, tiny):
        assert "--ignore-index -100: no row has this label" in compute("ce", *tiny, "--ignore-index", "-100").err
        assert compute("ce", *tiny, "--ignore-index", "0").err == ""


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

    def test_sigmoid_losses_take_one_name_a_row_as_one_hot(self, compute, write):
        p = write("p.csv", "cat,dog,owl\n1,2,-1\n0.5,-3,4\n-2,3,1\n")
        t = write("t.csv", "label\nowl\ncat\ndog\n")
        numbers, right = [1, 2, -1, 0.5, -3, 4, -2, 3, 1], [0, 0, 1, 1, 0, 0, 0, 1, 0]
        each = [binary(z, y) for z, y in zip(numbers, right, strict=True)]
        assert compute("bce", p, t, "-f", "value").value == near(sum(each) / 9)

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

    @pytest.mark.parametrize("loss", ["bce", "ce"])
    def test_other_losses_take_no_constant(self, compute, tiny, loss):
        compute(loss, tiny[0], "0").refuses(3, "0")

    def test_a_label_of_two_signs_may_be_one_for_all(self, compute, save):
        p = save("p.npy", [0.25, -3.0])
        for label, loss in (("1", (0.75 + 4) / 2), ("0", 1.25 / 2), ("-1", 1.25 / 2)):
            assert compute("hinge", p, label, "-f", "value").value == loss
        compute("hinge", p, "2").refuses(2, "2 is not a target of hinge")
        compute("hinge", p, "0.5").refuses(2, "0.5 is not a target of hinge")

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

    @pytest.mark.parametrize("number", ["inf", "Infinity", "1e999"])
    def test_an_infinite_constant_is_no_target(self, compute, save, number):
        compute("l1", save("p.npy", [1.0]), number).refuses(3, number, "no such file")

    def test_a_bad_target_in_columns_of_another_order_is_placed_in_its_own_column(self, compute, write):
        p, t = write("p.csv", "a,b\n1,2\n3,4\n"), write("t.csv", "b,a\n0,1\n1,7\n")
        compute("bce", p, t).refuses(3, 't.csv:3, column "a"', "7")


def test_gaps_among_labels_can_be_ignored(save, write, compute):
    save("z.npy", np.array([[1.0, 0], [0, 1], [2, 0]]))
    save("y.npy", np.array([0.0, np.nan, 1.0]))
    write("y.csv", "label\n0\n\n1\n")
    by_nan = compute("ce", "z.npy", "y.npy", "--ignore-index", "nan").json
    by_gap = compute("ce", "z.npy", "y.csv", "--ignore-index", "").json
    assert by_nan["ignored"] == by_gap["ignored"] == 1
    expected = (np.log1p(np.exp(-1)) + np.log1p(np.exp(2))) / 2
    np.testing.assert_allclose([by_nan["value"], by_gap["value"]], expected, rtol=1e-14)


class TestCures:
    """What a message proposes works."""

    @pytest.mark.parametrize("loss", ["mse", "l1"])
    def test_nan_in_one_target_a_row(self, compute, save, loss):
        p, t = save("p.npy", [1.0, 2.0]), save("t.npy", [np.nan, 2.5])
        compute(loss, p, t).refuses(3, "t.npy[0]", "--ignore-index nan")
        found = compute(loss, p, t, "--ignore-index", "nan").json
        assert (found["value"], found["ignored"]) == (0.25 if loss == "mse" else 0.5, 1)

    def test_nan_in_several_targets_a_row(self, compute, save):
        p, t = save("p.npy", np.zeros((2, 2))), save("t.npy", [[0, np.nan], [1, 0]])
        found = compute("mse", p, t)
        found.refuses(3, "t.npy[0, 1]", "the target is NaN", "remove the row")
        assert "--ignore-index" not in found.err

    def test_several_labels_a_row(self, run, write):
        p, t = write("p.csv", "a,b\n2,1\n-1,0.5\n-2,1\n"), write("t.csv", "a,b\n1,1\n1,1\n0,0\n")
        found = run("calibrate", p, t)
        found.refuses(3, "t.csv:2", "one column after the other")
        assert "use a sigmoid loss" not in found.err
        assert run("calibrate", f"{p}:a", f"{t}:a").code == 0

    def test_names_with_blanks_are_quoted(self, compute, write):
        p = write("p.csv", "Unnamed: 0,cat,dog\n0,1,2\n1,3,4\n")
        for targets in ("Unnamed: 0,label\n0,eel\n1,cat\n", "Unnamed: 0,a,b\n0,1,0\n1,0,1\n"):
            t = write("t.csv", targets)
            found = compute("ce", p, f"{t}:label" if "label" in targets else t)
            found.refuses(3, "--id 'Unnamed: 0'")
        assert "--id 'Unnamed: 0'" in compute("l1", p, "0").err

    @pytest.mark.parametrize(("loss", "bounded"), [("bce", "sigmoid-brier"), ("ce", "brier")])
    def test_a_bounded_loss_to_compare_by(self, run, save, loss, bounded):
        one, other = [0.0, 0.5, 0.5], [0.2, 0.4, 0.6]
        rows = [np.array(x) if loss == "bce" else np.array([[1 - v, v] for v in x]) for x in (one, other)]
        words = (
            save("a.npy", rows[0]),
            save("b.npy", rows[1]),
            "--targets",
            save("t.npy", [1, 1, 0]),
            "--from",
            "probs",
        )
        done = run("compare", loss, *words)
        assert f"by a bounded loss: losscli compare {bounded} a.npy b.npy" in done.err
        assert run("compare", bounded, *words).code == 0
