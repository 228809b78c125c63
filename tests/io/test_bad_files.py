"""What is wrong with files: one line that says the place, the fact and the cure, and an exit code."""

import gzip

import numpy as np
import polars as pl
import pytest
from commands import npy


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
            ('a,b\n1,2\n3,"1,5"\n', ("p.csv:3", "'1,5'", "--decimal ,")),
            ('a,b\n1,2\n3,"[0.1, 0.9]"\n', ("p.csv:3", "'[0.1, 0.9]'", "Parquet, Arrow and JSON lines")),
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
            (np.float64(3), "()"),
            (np.zeros(2, complex), "complex128"),
            (np.zeros(2, "datetime64[s]"), "datetime64"),
            (np.zeros(2, [("a", float)]), "structured"),
            (np.array(["1", "2"]), "text"),
        ],
    )
    def test_an_array_that_holds_no_numbers_on_axes(self, compute, save, array, part):
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


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.parquet", "x.csv", "x.tsv"])
def test_an_empty_file_is_called_so(compute, write, name):
    compute("mse", write(name, ""), "0").refuses(3, name, "the file is empty")
