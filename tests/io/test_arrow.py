"""Arrow files and streams, and columns of lists in them and in Parquet."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from losscli.io import typed

pytestmark = pytest.mark.quick
FILES = Path(__file__).parent / "files"
LOGITS = np.array([[0.5, 1.25, -2.0], [3.0, 0.25, 0.75], [-1.5, 0.0, 2.5], [0.125, 4.0, 1.0]])
LABELS = [1, 0, 2, 1]
LOSSES = np.log(np.exp(LOGITS).sum(axis=1)) - LOGITS[np.arange(4), LABELS]
LISTED = [
    file.name
    for kind in ("lists", "fixed", "large", "tensors")
    for file in FILES.iterdir()
    if file.name.startswith(kind)
]


def close(name):
    return pytest.approx(LOSSES.mean(), rel=1e-6 if name.startswith("lists") else 1e-14)  # lists are of float32


@pytest.mark.parametrize("suffix", [".arrow", "_stream.arrow", ".parquet", "_lz4.feather", "_zstd.feather"])
def test_a_column_for_each_class(compute, save, suffix):
    labels = save("t.npy", LABELS)
    assert compute("ce", str(FILES / f"wide{suffix}"), labels, "-f", "value").value == close("wide")


def test_what_pandas_writes(compute, write):
    labels = write("t.csv", "label\nbee\nant\ncat\nbee\n")
    assert compute("ce", str(FILES / "pandas.feather"), labels, "-f", "value").value == close("pandas")


@pytest.mark.parametrize("name", ["wide.arrow", "wide_stream.arrow"])
def test_standard_input(compute, save, name):
    words = ("ce", "-", save("t.npy", LABELS), "-f", "value")
    assert compute(*words, stdin=(FILES / name).read_bytes()).value == close(name)


@pytest.mark.parametrize("name", LISTED)
class TestLists:
    """A column of lists of length k is an array of shape (n, k)."""

    def test_named(self, compute, name):
        file = str(FILES / name)
        assert compute("ce", f"{file}:logits", f"{file}:label", "-f", "value").value == close(name)

    def test_the_only_one_that_nothing_else_uses(self, compute, name):
        file = str(FILES / name)
        assert compute("ce", file, f"{file}:label", "-f", "value").value == close(name)
        assert compute("ce", file, f"{file}:label", "--columns", "logits", "-f", "value").value == close(name)

    def test_in_small_pieces(self, compute, name, small_chunks, monkeypatch):
        monkeypatch.setattr(typed, "LIST_CELLS", 3)
        file = str(FILES / name)
        assert compute("ce", file, f"{file}:label", "-f", "value").value == close(name)

    def test_beside_columns_that_are_no_lists(self, compute, save, name):
        found = compute("ce", str(FILES / name), save("t.npy", LABELS))
        found.refuses(3, name, 'column "logits"', "--columns names them alone")


class TestListsOfPolars:
    @pytest.fixture
    def table(self):
        def make(name="p.parquet", **columns):
            frame = pl.DataFrame(columns)
            (frame.write_parquet if name.endswith("parquet") else frame.write_ipc)(name)
            return name

        return make

    def test_rows_meet_by_id(self, compute, table):
        p = table("p.parquet", key=["a", "b", "c", "d"], logits=LOGITS.tolist())
        t = table("t.arrow", key=["d", "a", "c", "b"], label=[1, 1, 2, 0])
        assert compute("ce", p, t, "--id", "key", "-f", "value").value == close(p)
        t = table("t.arrow", key=["d", "a", "c", "x"], label=[1, 1, 2, 0])
        found = compute("ce", p, t, "--id", "key", "--on-unmatched", "drop", "-f", "value").value
        assert found == pytest.approx(LOSSES[[0, 2, 3]].mean(), rel=1e-14)

    def test_class_names(self, compute, table, write):
        p = table(logits=LOGITS.tolist(), label=["bee", "ant", "cat", "bee"])
        assert compute("ce", p, f"{p}:label", "--classes", "ant,bee,cat", "-f", "value").value == close(p)

    def test_targets_of_lists(self, compute, save, table):
        p, t = save("p.npy", LOGITS), table("t.parquet", soft=np.eye(3)[LABELS].tolist(), other=[1, 2, 3, 4])
        assert compute("ce", p, f"{t}:soft", "-f", "value").value == close(p)

    @pytest.mark.parametrize("inner", [pl.Int8, pl.UInt16, pl.Int64, pl.Float64, pl.Boolean, pl.Float16])
    def test_types_of_elements(self, compute, inner):
        values = pl.Series("p", [[0, 1], [1, 1]]).cast(pl.List(inner))
        pl.DataFrame(values).write_ipc("p.arrow")
        assert compute("mse", "p.arrow", "0", "-f", "value").value == 0.75

    def test_shards(self, compute, save, table):
        table("p-1.parquet", logits=LOGITS[:1].tolist())
        table("p-2.parquet", logits=LOGITS[1:].tolist())
        assert compute("ce", "p-*.parquet", save("t.npy", LABELS), "-f", "value").value == close("p")
        table("p-2.parquet", logits=LOGITS[1:, :2].tolist())
        compute("ce", "p-*.parquet", save("t.npy", LABELS)).refuses(3, "lists of 3", "lists of 2", "same length")

    def test_lists_of_different_lengths(self, compute, table):
        p = table(logits=[[1.0, 2.0], [1.0, 2.0], [3.0]])
        compute("mse", p, "0").refuses(3, 'p.parquet[2], column "logits"', "a list of 1", "2", "same length")

    def test_a_cell_without_a_list(self, compute, table):
        compute("mse", table(x=[[1.0], None]), "0").refuses(3, 'p.parquet[1], column "x"', "the cell is empty")

    def test_an_element_without_a_value(self, compute, table):
        compute("mse", table(x=[[1.0, 2.0], [1.0, None]]), "0").refuses(3, 'p.parquet[1], column "x"[1]', "no value")

    def test_a_nan_is_placed(self, compute, table):
        compute("mse", table(x=[[1.0, 2.0], [1.0, np.nan]]), "0").refuses(3, 'p.parquet[1], column "x"[1]', "NaN")

    @pytest.mark.parametrize("cells", [[[[1.0]], [[2.0]]], [["a"], ["b"]]], ids=["lists", "words"])
    def test_lists_of_others(self, compute, table, cells):
        compute("mse", table(x=cells), "0").refuses(3, 'column "x"', "its cells are List")

    def test_vectors_of_spark(self, compute, table):
        p = table(x=[{"type": 1, "size": None, "indices": None, "values": [1.0, 2.0]}])
        compute("mse", p, "0").refuses(3, 'column "x"', "vector_to_array")

    def test_no_rows(self, compute):
        pl.DataFrame({"x": pl.Series([], dtype=pl.List(pl.Float64))}).write_parquet("p.parquet")
        compute("mse", "p.parquet", "0").refuses(3, "p.parquet", "no rows")

    def test_empty_lists(self, compute, table):
        compute("mse", table(x=[[], []]), "0").refuses(3, "p.parquet")


class TestDamage:
    @pytest.mark.parametrize("name", ["wide.arrow", "wide_stream.arrow", "lists_zstd.feather"])
    def test_a_file_that_was_cut_off(self, compute, write, save, name):
        data, labels = (FILES / name).read_bytes(), save("t.npy", LABELS)
        for cut in (9, len(data) // 3, len(data) // 2):
            compute("ce", write("p.arrow", data[:-cut]), labels).refuses(3, "p.arrow")

    def test_a_file_that_only_its_name_says_to_be_one(self, compute, write):
        compute("mse", write("p.arrow", "1\n2\n"), "0").refuses(3, "p.arrow: not ARROW, whatever its name says")
