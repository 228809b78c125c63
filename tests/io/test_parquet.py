"""Types of Parquet columns: what they are read as, and which are refused."""

import contextlib
import subprocess
import sys
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from losscli.errors import DataError
from losscli.io.guarded import readable

pytestmark = pytest.mark.quick


def test_parquet_of_float32_is_computed_in_float32(compute):
    pl.DataFrame({"p": np.array([0.1, 0.2], np.float32)}).write_parquet("p.parquet")
    assert compute("mse", "p.parquet", "0").json["receipt"]["computed_in"] == "float32"


def test_truth_values_of_parquet_are_indices(compute):
    pl.DataFrame({"a": [1.0, 2.0], "b": [0.0, 1.0]}).write_parquet("p.parquet")
    pl.DataFrame({"t": [True, False]}).write_parquet("t.parquet")
    np.testing.assert_allclose(
        compute("ce", "p.parquet", "t.parquet").json["numerator"],
        np.log1p(np.exp(1)) + np.log1p(np.exp(-1)),
        rtol=1e-14,
    )


class TestParquetTypes:
    def write(self, folder, **columns):
        import polars as pl

        pl.DataFrame(columns).write_parquet(folder / "c.parquet")

    def test_categories_are_words(self, compute, folder):
        import polars as pl

        self.write(folder, c=pl.Series(["a", "b"], dtype=pl.Categorical), a=[1.0, 0.0], b=[0.0, 1.0])
        found = compute("ce", "c.parquet", "c.parquet:c", "--columns", "a,b").json
        assert found["receipt"]["targets"]["kind"] == "name"
        assert found["value"] == pytest.approx(np.log1p(np.exp(-1)))
        compute("mse", "c.parquet:c", "0").refuses(3, 'column "c"', "'a' is not a number")

    @pytest.mark.parametrize("cells", [[b"a", b"\xff"], [[1, 2], [3, 4]]], ids=["bytes", "lists"])
    def test_others_are_refused(self, compute, folder, cells):
        self.write(folder, c=cells, p=[1.0, 2.0])
        compute("mse", "c.parquet", "0").refuses(3, 'column "c"', "its cells are")
        compute("mse", "c.parquet:p", "0", "--id", "c").refuses(3, 'column "c"', "its cells are")


class TestDurations:
    """Durations are words: labels, ids and groups, and never numbers."""

    @pytest.fixture
    def table(self):
        spans = pl.Series([timedelta(seconds=1), timedelta(seconds=2)])
        pl.DataFrame({"d": spans, "PT1S": [1.0, 0.0], "PT2S": [0.0, 1.0]}).write_parquet("d.parquet")
        return "d.parquet"

    def test_as_labels(self, compute, table):
        found = compute("ce", table, f"{table}:d", "--columns", "PT*", "-f", "value").value
        assert found == pytest.approx(np.log1p(np.exp(-1)))

    def test_as_ids(self, compute, table):
        found = compute("mse", f"{table}:PT1S", f"{table}:PT2S", "--id", "d", "-f", "csv")
        assert found.out.splitlines()[1:] == ["0,PT1S,0.0,1.0", "1,PT2S,1.0,1.0"]

    def test_as_numbers(self, compute, table):
        compute("mse", f"{table}:d", "0").refuses(3, 'column "d"', "Duration")


@pytest.mark.parametrize("threads", ["0", "-1", "x", "1.5", "", "4097", "9" * 30])
def test_a_number_of_threads_that_polars_cannot_take(compute, monkeypatch, write, threads):
    monkeypatch.setenv("POLARS_MAX_THREADS", threads)
    compute("mse", write("p.csv", "v\n1\n"), "0").refuses(2, f"POLARS_MAX_THREADS={threads}", "unset it")


class TestLimits:
    """A good file is not called damaged where the machine is at its limits."""

    @pytest.mark.skipif(sys.platform != "linux", reason="how many files Python itself holds open differs")
    def test_too_many_open_files(self):
        pl.DataFrame({"p": np.arange(400_000) / 7}).write_parquet("p.parquet")
        line = f"ulimit -n 7; exec {sys.executable} -m losscli compute mse p.parquet 0"
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        assert "p.parquet: cannot be read now, since too many files are open" in done.stderr
        assert done.returncode == 3

    @pytest.mark.parametrize(
        ("words", "fact"),
        [
            ("memory allocation of 8388608 bytes failed", "memory is short"),
            ("Cannot allocate memory (os error 12)", "memory is short"),
            ("could not spawn threads: ThreadPoolBuildError", "no more threads"),
            ("Too many open files (os error 24)", "too many files are open"),
        ],
    )
    def test_what_polars_says(self, words, fact):
        with pytest.raises(DataError, match=fact), readable("p.parquet", "a Parquet file"):
            raise pl.exceptions.ComputeError(words)

    def test_other_words_blame_the_file(self):
        said = pytest.raises(DataError, match="not a Parquet file that can be read")
        with said, readable("p.parquet", "a Parquet file"):
            raise pl.exceptions.ComputeError("other words")


def test_a_footer_that_says_more_rows_than_there_are(compute, folder, save):
    """Polars believes the footer's number of rows, and returns the rows that there are."""
    table = pl.DataFrame({"z": [[0.5, 1.25], [3.0, 0.25], [0.5, 4.0]]}, schema={"z": pl.Array(pl.Float64, 2)})
    table.write_parquet("z.parquet", statistics=False)
    data = (folder / "z.parquet").read_bytes()
    footer = data.index(b"\x19", len(data) - 8 - int.from_bytes(data[-8:-4], "little"))
    for place in (at for at in range(footer, len(data) - 8) if data[at] == 2 * 3):  # 3 as Thrift writes it
        (folder / "z.parquet").write_bytes(data[:place] + bytes([2 * 4]) + data[place + 1 :])
        with contextlib.suppress(pl.exceptions.PolarsError):  # what else is 3 there may be no number of rows
            if pl.scan_parquet("z.parquet").select(pl.len()).collect().item() == 4:
                break
    else:
        pytest.fail("the footer's number of rows was not found")
    done = compute("ce", "z.parquet:z", save("t.npy", [0, 1, 0, 1]))
    done.refuses(3, "z.parquet: says that it has 4 rows, and holds 3; it is damaged, write it again")
