"""Types of Parquet columns: what they are read as, and which are refused."""

import numpy as np
import polars as pl
import pytest

pytestmark = pytest.mark.quick


def test_a_column_of_lists_is_refused_with_a_cure(run):
    pl.DataFrame({"p": [[0.1, 0.2], [0.3, 0.4]]}).write_parquet("p.parquet")
    done = run("compute", "mse", "p.parquet", "0")
    done.refuses(3, "p.parquet", '"p"', "one number each")


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
        compute("mse", "c.parquet:c", "0").refuses(3, 'column "c"', "its cells are")
        compute("mse", "c.parquet:p", "0", "--id", "c").refuses(3, 'column "c"', "its cells are")
