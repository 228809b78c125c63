"""What is wrong with files: one line that says the place, the fact and the cure, and an exit code."""

import gzip
import io

import numpy as np
import polars as pl
import pytest


def npy(array, **how):
    file = io.BytesIO()
    np.save(file, array, **how)
    return file.getvalue()


class TestCells:
    """Lines are counted as an editor counts them."""

    @pytest.mark.parametrize(
        ("content", "parts"),
        [
            ("a,b\n1,2\n3,x\n", ("p.csv:3", '"b"', "'x'", "not a number")),
            ("1,2\n3,x\n", ("p.csv:2", "column 2", "'x'")),
            ("a,b\r\n1,2\r\n3,x\r\n", ("p.csv:3", '"b"', "'x'")),
            ("\ufeffa,b\n1,2\nx,4\n", ("p.csv:3", '"a"', "'x'")),
            ('"a\nlong\nname",b\n1,2\n3,x\n', ("p.csv:5", '"b"', "'x'")),
            ("a,b\n1,2\n3,\n", ("p.csv:3", '"b"', "empty")),
            ("a,b\n1,2\n3,NA\n", ("p.csv:3", '"b"', "'NA'")),
            ("a,b\n1,2\n3,1_000\n", ("p.csv:3", "'1_000'")),
            ("a,b\n1,2\n3,0x10\n", ("p.csv:3", "'0x10'")),
            ("a,b\n1,2\n3,1e999\n", ("p.csv:3", "'1e999'", "too large")),
            ("a,b\n1,2\n3\n", ("p.csv:3", "1 cell")),
            ("a,b\n1,2\n3,4,5\n", ("p.csv:3", "3 cells")),
            ("a,b\n1,2\n\n3,4\n", ("p.csv:3", "blank")),
            ("a,b\n1,x\r2\n\n3,4\n", ("p.csv:3", "blank")),
            ('a,b\n1,2\n3,"1,5"\n', ("p.csv:3", "'1,5'", "point")),
        ],
    )
    def test_place_and_text(self, compute, write, content, parts):
        compute("ce", write("p.csv", content), write("t.csv", "1\n0\n")).refuses(3, *parts)

    @pytest.mark.parametrize("content", ['"1"\n"1"\n"2",', "1\n1\n2,", '"1",5\n1,5\n"2",5,', "1,5\n1,5\n2,5,"])
    def test_an_empty_cell_too_many_at_the_very_end(self, compute, write, content):
        """Without a line end behind it, Polars alone would drop it."""
        cells = 3 if ",5" in content else 2
        compute("l1", write("p.csv", content), "0").refuses(3, "p.csv:3", f"{cells} cells instead of {cells - 1}")

    def test_further_bad_cells_of_a_column_are_counted(self, compute, write):
        compute("l1", write("p.csv", "v\n1\nx\ny\nz\n"), "0").refuses(3, "p.csv:3", "'x'", "2 more")

    def test_lines_inside_quotes_count(self, compute, write):
        p = write("p.csv", 'note,v\n"one\ntwo\nthree",1\nplain,x\n')
        compute("l1", f"{p}:v", "0").refuses(3, "p.csv:5", '"v"', "'x'")

    def test_windows_lines_inside_quotes_count(self, compute, write):
        p = write("p.csv", 'note,v\r\n"one\r\ntwo",1\r\nplain,x\r\n')
        compute("l1", f"{p}:v", "0").refuses(3, "p.csv:4", '"v"', "'x'")

    def test_nan_in_a_table_is_placed_by_its_line(self, compute, write):
        compute("l1", write("p.csv", "a\n1\nnan\n2\nNaN\n"), "0").refuses(3, "p.csv:3", "NaN", "2")

    def test_a_label_is_placed_by_its_line(self, compute, write, save):
        p, t = save("p.npy", np.zeros((3, 3))), write("t.csv", "label\n0\n1\n3\n")
        compute("ce", p, t).refuses(3, "t.csv:4", "3", "0 ... 2")

    @pytest.mark.parametrize("loss", ["mse", "bce", "ce"])
    def test_semicolons_are_recognised(self, compute, write, loss):
        compute(loss, write("p.csv", "a;b\n1;2\n"), write("t.csv", "1\n")).refuses(3, "p.csv", "semicolon")

    def test_a_shard_s_own_name_and_line(self, compute, write):
        write("p-1.csv", "v\n1\n2\n")
        write("p-2.csv", "v\n3\nx\n")
        compute("l1", "p-*.csv", "0").refuses(3, "p-2.csv:3", '"v"', "'x'")

    def test_standard_input_has_lines_too(self, compute):
        compute("l1", "-", "0", stdin=b"v\n1\nx\n").refuses(3, "standard input:3", '"v"', "'x'")

    def test_a_weight_is_placed_by_its_line(self, compute, write):
        p, w = write("p.csv", "v\n1\n2\n"), write("w.csv", "w\n1\n-1\n")
        compute("l1", p, "0", "--sample-weight", w).refuses(3, "w.csv:3", "-1")


class TestFiles:
    @pytest.mark.parametrize("name", ["p.npy", "p.csv", "folder/p.npy", "nothing-*.npy", "p.csv:column"])
    def test_a_missing_file(self, compute, name):
        compute("l1", name, "0").refuses(3, name, "no such file")

    def test_a_missing_file_is_answered_with_the_nearest(self, compute, save):
        save("predictions.npy", [1.0])
        compute("l1", "predictoins.npy", "0").refuses(3, "did you mean predictions.npy?")

    def test_a_folder(self, compute, folder):
        (folder / "data").mkdir()
        compute("l1", "data", "0").refuses(3, "data", "folder")

    @pytest.mark.parametrize("name", ["p.csv", "p.npy", "p.npz", "p.parquet", "p.tsv"])
    def test_an_empty_file(self, compute, write, name):
        compute("l1", write(name, b""), "0").refuses(3, name)

    @pytest.mark.parametrize("name", ["p.npy", "p.npz", "p.parquet", "p.csv.gz"])
    def test_a_file_that_is_not_what_its_name_says(self, compute, write, name):
        compute("l1", write(name, b"this is no such file at all"), "0").refuses(3, name)

    def test_a_truncated_npy_file(self, compute, write):
        data = npy(np.arange(100.0))
        compute("l1", write("p.npy", data[:-1]), "0").refuses(3, "p.npy", "truncated")

    def test_a_truncated_npy_header(self, compute, write):
        compute("l1", write("p.npy", npy(np.arange(100.0))[:20]), "0").refuses(3, "p.npy")

    def test_a_truncated_npy_stream(self, compute):
        compute("l1", "-", "0", stdin=npy(np.arange(100.0))[:-1]).refuses(3, "standard input", "truncated")

    def test_a_truncated_npz_file(self, compute, folder):
        np.savez(folder / "p.npz", a=np.arange(100.0))
        whole = (folder / "p.npz").read_bytes()
        (folder / "p.npz").write_bytes(whole[: len(whole) // 2])
        compute("l1", "p.npz", "0").refuses(3, "p.npz")

    def test_a_truncated_gz_file(self, compute, write):
        data = gzip.compress(b"v\n" + b"1.5\n" * 1000)
        compute("l1", write("p.csv.gz", data[:-10]), "0").refuses(3, "p.csv.gz")

    def test_a_truncated_parquet_file(self, compute, folder, write):
        pl.DataFrame({"v": [1.0, 2.0]}).write_parquet(folder / "p.parquet")
        data = (folder / "p.parquet").read_bytes()
        compute("l1", write("p.parquet", data[:-4]), "0").refuses(3, "p.parquet")

    @pytest.mark.parametrize("array", [np.array(["a", 1], object), np.array([[1.0], [2.0, 3.0]], object)])
    def test_pickled_objects_are_refused_with_how_to_save_again(self, compute, write, array):
        data = npy(array, allow_pickle=True)
        compute("l1", write("p.npy", data), "0").refuses(3, "p.npy", "pickled", "numpy.save")

    def test_pickled_objects_in_an_npz_file_are_refused_too(self, compute, folder):
        np.savez(folder / "p.npz", a=np.array([{}], object))
        compute("l1", "p.npz", "0").refuses(3, "p.npz", "pickled", "numpy.save")

    @pytest.mark.parametrize(
        ("array", "part"),
        [
            (np.zeros((2, 2, 2)), "(2, 2, 2)"),
            (np.float64(3), "()"),
            (np.zeros(2, complex), "complex128"),
            (np.zeros(2, "datetime64[s]"), "datetime64"),
            (np.zeros(2, [("a", float)]), "structured"),
            (np.array(["1", "2"]), "text"),
        ],
    )
    def test_an_array_that_holds_no_numbers_of_one_or_two_axes(self, compute, save, array, part):
        compute("l1", save("p.npy", array), "0").refuses(3, "p.npy", part)

    def test_text_that_is_not_utf8(self, compute, write):
        compute("ce", write("p.csv", b"k\xe4se,wurst\n1,2\n"), write("t.csv", "l\nwurst\n")).refuses(
            3, "p.csv", "UTF-8"
        )

    def test_a_file_without_permission(self, compute, save, folder, monkeypatch):
        p = save("p.npy", [1.0])
        (folder / p).chmod(0)
        try:
            (folder / p).read_bytes()
        except PermissionError:
            compute("l1", p, "0").refuses(3, "p.npy", "Permission denied")
        else:
            pytest.skip("this user may read everything")

    def test_an_npz_file_of_several_arrays_needs_a_key(self, compute, folder):
        np.savez(folder / "p.npz", logits=np.zeros(2), labels=np.zeros(2))
        compute("l1", "p.npz", "0").refuses(3, "p.npz", "logits", "labels", ":KEY")

    def test_a_missing_key_is_answered_with_the_nearest(self, compute, folder):
        np.savez(folder / "p.npz", logits=np.zeros(2), labels=np.zeros(2))
        compute("l1", "p.npz:logit", "0").refuses(3, "'logit'", "did you mean logits?")

    def test_an_array_has_no_columns(self, compute, save):
        compute("l1", save("p.npy", [1.0]) + ":score", "0").refuses(3, "p.npy", "score")

    def test_standard_input_can_be_one_operand_only(self, compute):
        compute("l1", "-", "-", stdin=b"1\n").refuses(2, "'-'", "standard input")

    def test_nothing_on_standard_input(self, compute):
        compute("l1", "-", "0", stdin=b"").refuses(3, "standard input")

    def test_shards_of_different_widths(self, compute, save):
        save("p-1.npy", np.zeros((2, 2)))
        save("p-2.npy", np.zeros((2, 3)))
        compute("ce", "p-*.npy", save("t.npy", [0, 0, 0, 0])).refuses(3, "p-2.npy", "(2, 3)", "(2, 2)")

    def test_shards_with_different_columns(self, compute, write):
        write("p-1.csv", "a,b\n1,2\n")
        write("p-2.csv", "b,a\n1,2\n")
        compute("l1", "p-*.csv", "0").refuses(3, "p-2.csv", "p-1.csv")


class TestShapes:
    @pytest.mark.parametrize(
        ("loss", "p", "t", "parts"),
        [
            ("mse", (3,), (4,), ("3", "4", "--id")),
            ("mse", (3,), (3, 2), ("(3,)", "(3, 2)")),
            ("mse", (3, 2), (3,), ("(3, 2)", "(3,)")),
            ("mse", (3, 2), (3, 4), ("(3, 2)", "(3, 4)")),
            ("mse", (3, 2), (3, 1), ("(3, 2)", "(3, 1)")),
            ("mse", (4, 3), (3,), ("4", "3")),
            ("hinge", (3, 2), (3,), ("(3, 2)", "(3,)")),
            ("bce", (3, 2), (3, 3), ("(3, 2)", "(3, 3)")),
            ("ce", (3, 2), (4,), ("3", "4")),
            ("ce", (3, 2), (3, 3), ("2", "3")),
            ("ce", (2, 3), (3,), ("transposed",)),
            ("ce", (3,), (3,), ("(3,)",)),
        ],
    )
    def test_nothing_broadcasts(self, compute, save, loss, p, t, parts):
        compute(loss, save("p.npy", np.zeros(p)), save("t.npy", np.zeros(t))).refuses(3, *parts)

    def test_a_header_taken_for_data_s_sake_is_thought_of(self, compute, save, write):
        p, t = save("p.npy", np.zeros((3, 4))), write("t.csv", "a\nb\na\n")
        compute("ce", p, t).refuses(3, "3", "2", "--no-header")

    @pytest.mark.parametrize(
        ("x", "centers", "parts"),
        [((2, 3), (2, 2), ("(2, 2)", "(2, 3)")), ((2, 3), (3,), ("(3,)",)), ((2,), (2, 2), ("(2,)",))],
    )
    def test_centers_have_the_features_dimension(self, compute, save, x, centers, parts):
        words = (save("x.npy", np.zeros(x)), save("y.npy", [0, 1]), "--centers", save("c.npy", np.zeros(centers)))
        compute("center", *words).refuses(3, *parts)

    def test_a_label_beyond_the_centers(self, compute, save):
        words = (save("x.npy", np.zeros((2, 2))), save("y.npy", [0, 2]), "--centers", save("c.npy", np.zeros((2, 2))))
        compute("center", *words).refuses(3, "y.npy[1]", "2", "0 ... 1")


class TestLabels:
    @pytest.mark.parametrize(
        ("labels", "parts"),
        [
            ([0, 3, 1, 3], ("t.npy[1]", "3", "0 ... 2", "2 rows")),
            ([0, -1, 1, 1], ("t.npy[1]", "-1", "--ignore-index -1")),
            ([0, 255, 1, 1], ("t.npy[1]", "255", "--ignore-index 255")),
            ([1, 2, 3, 1], ("t.npy[2]", "3", "--label-base 1")),
            ([0, 0.5, 1, 2], ("t.npy[1]", "0.5")),
            ([0, np.nan, 1, 2], ("t.npy[1]", "nan")),
            ([0, np.inf, 1, 2], ("t.npy[1]", "inf")),
        ],
    )
    def test_class_indices(self, compute, save, labels, parts):
        compute("ce", save("p.npy", np.zeros((4, 3))), save("t.npy", labels)).refuses(3, *parts)

    def test_a_label_on_the_last_row_of_a_long_file_is_found_before_any_output(self, compute, save, folder):
        labels = np.zeros(300_000, np.int64)
        labels[-1] = 2
        words = ("ce", save("p.npy", np.zeros((300_000, 2))), save("t.npy", labels), "-o", "out.csv")
        compute(*words).refuses(3, "t.npy[299999]")
        assert not (folder / "out.csv").exists()

    @pytest.mark.parametrize(
        ("loss", "labels", "parts"),
        [
            ("hinge", [0, 1, 2], ("t.npy[2]", "2", "{0, 1}", "{-1, 1}")),
            ("hinge", [0.5, 1, 0], ("t.npy[0]", "0.5")),
            ("hinge", [-1, 0, 1], ("-1", "0")),
            ("ramp", [-1, 0, 1], ("-1", "0")),
            ("squared-hinge", [1, 1, np.nan], ("t.npy[2]",)),
            ("bce", [0, 1, 2], ("t.npy[2]", "2")),
            ("bce", [-1, 0, 1], ("-1", "0")),
            ("bce", [-1, 0.5, 1], ("-1",)),
            ("focal", [0, -0.1, 1], ("t.npy[1]", "-0.1")),
            ("bce", [0, np.nan, 1], ("t.npy[1]",)),
        ],
    )
    def test_binary_labels(self, compute, save, loss, labels, parts):
        compute(loss, save("p.npy", [1.0, 2.0, -3.0]), save("t.npy", labels)).refuses(3, *parts)

    @pytest.mark.parametrize(
        ("rows", "parts"),
        [
            ([[1, 0, 0], [0.5, 0.2, 0.2]], ("t.npy[1]", "0.9")),
            ([[1, 0, 0], [1.5, -0.5, 0]], ("t.npy[1",)),
            ([[1, 0, 0], [0, 0, 0]], ("t.npy[1]", "0")),
            ([[1, 0, 0], [1, 1, 0]], ("t.npy[1]", "2")),
            ([[1, 0, 0], [np.nan, 1, 0]], ("t.npy[1",)),
            ([[1, 0, 0], [0.5, 0.5, 0.0015]], ("t.npy[1]", "1.0015")),
        ],
    )
    def test_rows_that_are_no_distribution(self, compute, save, rows, parts):
        compute("ce", save("p.npy", np.zeros((2, 3))), save("t.npy", rows)).refuses(3, *parts)

    def test_rows_that_miss_one_by_a_little_are_taken(self, compute, save):
        t = save("t.npy", [[0.3333, 0.3333, 0.3333]])
        assert compute("ce", save("p.npy", np.zeros((1, 3))), t).code == 0

    def test_words_need_names_to_be_found_among(self, compute, save, write):
        p, t = save("p.npy", np.zeros((2, 3))), write("t.csv", "label\ncat\ndog\n")
        compute("ce", p, t).refuses(3, "t.csv:2", "'cat'", "header")

    def test_words_are_no_numbers_for_a_residual_loss(self, compute, save, write):
        p, t = save("p.npy", [1.0, 2.0]), write("t.csv", "label\ncat\ndog\n")
        compute("mse", p, t).refuses(3, "t.csv:2", "'cat'")


class TestNumbers:
    def test_nan_predictions_are_refused_with_the_first_places_and_a_count(self, compute, save):
        p = np.zeros(2000)
        p[[3, 5, 7, 1999]] = np.nan
        compute("mse", save("p.npy", p), "0").refuses(3, "p.npy[3]", "NaN", "5", "7", "4")

    def test_nan_in_a_row_of_logits_has_its_column(self, compute, save):
        p = np.zeros((4, 3))
        p[2, 1] = np.nan
        compute("ce", save("p.npy", p), save("t.npy", [0, 0, 0, 0])).refuses(3, "p.npy[2, 1]", "NaN")

    @pytest.mark.parametrize(
        ("loss", "p", "t"),
        [
            ("hinge", [1.0, np.nan], [0, 1]),
            ("bce", [1.0, np.nan], [0, 1]),
            ("tukey", [1.0, np.nan], [0, 1]),
            ("huber", [1.0, np.nan], [0, 1]),
            ("focal", [1.0, np.nan], [0, 1]),
            ("ramp", [1.0, np.nan], [0, 1]),
        ],
    )
    def test_no_loss_hides_a_nan(self, compute, save, loss, p, t):
        compute(loss, save("p.npy", p), save("t.npy", t)).refuses(3, "p.npy[1]", "NaN")

    def test_a_nan_that_no_term_of_the_loss_uses_is_refused_too(self, compute, save):
        p = save("p.npy", [[0.5, np.nan]])
        compute("ce", p, save("t.npy", [0]), "--from", "probs").refuses(3, "p.npy[0, 1]", "NaN")

    def test_nan_targets_are_refused(self, compute, save):
        compute("mse", save("p.npy", [1.0, 2.0]), save("t.npy", [1.0, np.nan])).refuses(3, "t.npy[1]", "NaN")

    def test_a_row_of_weight_zero_does_not_hide_a_nan(self, compute, save):
        words = ("mse", save("p.npy", [1.0, np.nan]), "0", "--sample-weight", save("w.npy", [1.0, 0.0]))
        compute(*words).refuses(3, "p.npy[1]", "NaN")

    def test_nan_as_a_constant_is_no_target(self, compute, save):
        assert compute("mse", save("p.npy", [1.0]), "nan").code == 3

    def test_an_infinite_prediction_is_legal(self, compute, save):
        found = compute("mse", save("p.npy", [1.0, np.inf]), "0").json
        assert (found["value"], found["nonfinite"]["value"]) == (None, "inf")

    @pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
    def test_an_infinite_target_is_legal_and_leaves_no_python_warnings(self, compute, save, loss):
        done = compute(loss, save("p.npy", [1.0, 2.0]), save("t.npy", [1.0, np.inf]))
        assert (done.json["value"], done.json["nonfinite"]["value"], done.err) == (None, "inf", "")

    def test_masked_logits_are_legal(self, compute, save):
        p, t = save("p.npy", [[-np.inf, 0.0, 0.0]]), save("t.npy", [1])
        assert compute("ce", p, t, "-f", "value").value == pytest.approx(np.log(2))

    @pytest.mark.parametrize(
        ("loss", "p", "t", "value"), [("bce", np.inf, 1, 0), ("bce", -np.inf, 0, 0), ("hinge", np.inf, 1, 0)]
    )
    def test_saturated_scores_are_legal(self, compute, save, loss, p, t, value):
        assert compute(loss, save("p.npy", [p]), save("t.npy", [t]), "-f", "value").value == value

    def test_the_difference_of_two_infinities_is_refused(self, compute, save):
        p, t = save("p.npy", [0.0, np.inf]), save("t.npy", [0.0, np.inf])
        compute("mse", p, t).refuses(3, "p.npy[1]", "undefined")

    def test_a_row_of_masked_logits_only_is_refused(self, compute, save):
        p, t = save("p.npy", [[0.0, 0.0], [-np.inf, -np.inf]]), save("t.npy", [0, 0])
        compute("ce", p, t).refuses(3, "p.npy[1]", "undefined")

    def test_infinite_centers_are_refused(self, compute, save):
        words = (save("x.npy", [[1.0]]), save("y.npy", [0]), "--centers", save("c.npy", [[np.inf]]))
        compute("center", *words).refuses(3, "c.npy[0, 0]")

    def test_no_rows_have_no_mean(self, compute, save):
        compute("mse", save("p.npy", np.zeros(0)), save("t.npy", np.zeros(0))).refuses(3, "no samples")

    @pytest.mark.parametrize("k", [0, 2])
    def test_no_rows_of_classes(self, compute, save, k):
        compute("ce", save("p.npy", np.zeros((0, k))), save("t.npy", np.zeros(0, int))).refuses(3, "p.npy")


class TestOneLine:
    """Whatever a name or a cell holds, an error is one line."""

    def test_a_cell_with_line_breaks(self, compute, write):
        compute("l1", write("p.csv", 'v\n1\n"x\ny"\n'), "0").refuses(3, "p.csv:3")

    def test_a_file_s_name_with_a_line_break(self, compute, write):
        compute("l1", write("p\nq.csv", "v\n1\nx\n"), "0").refuses(3, "not a number")

    def test_markup_in_a_label_is_shown_as_it_is(self, compute, write):
        p, t = write("p.csv", "cat,dog\n1,2\n"), write("t.csv", "label\n[/INST]\n")
        compute("ce", p, t).refuses(3, "[/INST]")

    def test_a_defect_says_what_to_report(self, compute, save, monkeypatch):
        def broken(*_, **__):
            raise ZeroDivisionError("by design\nof this test")

        monkeypatch.setattr("losscli.measurement.prepare.prepare", broken)
        compute("l1", save("p.npy", [1.0]), "0").refuses(70, "ZeroDivisionError", "by design", "report")

    def test_memory_that_runs_out_is_no_defect(self, compute, save, monkeypatch):
        def hungry(*_, **__):
            raise MemoryError

        monkeypatch.setattr("losscli.measurement.prepare.prepare", hungry)
        compute("l1", save("p.npy", [1.0]), "0").refuses(3, "memory")

    def test_an_interrupt_has_its_own_code(self, compute, save, monkeypatch):
        def interrupted(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr("losscli.measurement.prepare.prepare", interrupted)
        done = compute("l1", save("p.npy", [1.0]), "0")
        assert (done.code, done.out) == (130, "")

    def test_traceback_shows_where_an_error_came_from(self, process, save):
        done = process("compute", "l1", save("p.npy", [np.nan]), "0", "--traceback")
        assert done.code == 3
        assert "Traceback (most recent call last)" in done.err
        assert done.err.splitlines()[-1].startswith("losscli: ")

    @pytest.mark.parametrize(
        ("words", "part"),
        [
            (("computer",), "computer"),
            (("compute", "mse", "p.npy", "0", "--formt", "json"), "--format"),
            (("--nothing",), "--nothing"),
            (("list", "--family", "marginn"), "did you mean margin?"),
            (("explain", "hubr"), "did you mean huber?"),
            (("explain",), "LOSS"),
        ],
    )
    def test_a_misspelt_command_line(self, run, words, part):
        run(*words).refuses(2, part)
