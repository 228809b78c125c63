"""Environment variables with values that Polars does not take: the variable is named, and no file is called damaged."""

import os

import polars as pl
import pytest


@pytest.fixture
def table(folder):
    pl.DataFrame({"a": [1.0, 2.0], "b": [0.0, 0.0]}).write_parquet(folder / "p.parquet")
    return "p.parquet"


@pytest.mark.parametrize("variable", ["POLARS_ASYNC_THREAD_COUNT", "POLARS_MAX_CONCURRENT_SCANS"])
def test_a_good_file_is_not_called_damaged(process, table, variable):
    done = process("compute", "mse", f"{table}:a", f"{table}:b", env=os.environ | {variable: "0"})
    done.refuses(3, "p.parquet: cannot be read, since an environment variable", f"unset {variable}=0")


def test_zeros_are_no_json_lines(run, folder):
    """A file of 10^12 zeros, none of which is on the disk."""
    with (folder / "p.jsonl").open("wb") as file:
        file.truncate(10**12)
    run("compute", "mse", "p.jsonl", "0").refuses(3, "p.jsonl: is neither text nor a format")
