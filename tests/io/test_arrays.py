"""Every kind of array that goes in."""

import io
import math

import numpy as np
import pytest
from by_hand import cross_entropy

pytestmark = pytest.mark.quick


class TestArraysIn:
    VALUES = ((1.0, 2.0), (3.0, 5.0), (-1.0, 0.5))
    EXPECTED = sum(cross_entropy(z, y) for z, y in zip(VALUES, (1, 0, 1), strict=True)) / 3

    @pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8", "=f8", np.longdouble])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_float(self, compute, save, dtype, order):
        p, t = save("p.npy", np.array(self.VALUES, dtype, order=order)), save("t.npy", [1, 0, 1])
        rel = 1e-12 if np.dtype(dtype).itemsize >= 8 else 2e-7
        assert compute("ce", p, t, "-f", "value").value == pytest.approx(self.EXPECTED, rel=rel)

    @pytest.mark.parametrize("dtype", ["i1", "u1", "i2", ">i4", "<i8", ">u8", "?"])
    def test_integers_are_computed_in_float64(self, compute, save, dtype):
        p = save("p.npy", np.array([[0, 1], [1, 0]], dtype))
        found = compute("ce", p, save("t.npy", [1, 1])).json
        assert found["value"] == pytest.approx((cross_entropy([0, 1], 1) + cross_entropy([1, 0], 1)) / 2, rel=1e-14)
        assert found["receipt"]["computed_in"] == "float64"

    @pytest.mark.parametrize(("dtype", "computed"), [("f2", "float32"), ("f4", "float32"), ("f8", "float64")])
    def test_the_dtype_of_the_computation_is_in_the_receipt(self, compute, save, dtype, computed):
        p = save("p.npy", np.array(self.VALUES, dtype))
        assert compute("ce", p, save("t.npy", [1, 0, 1])).json["receipt"]["computed_in"] == computed

    def test_float16_does_not_overflow_on_the_way(self, compute, save):
        # 300 squared is beyond float16, whose largest number is 65504.
        p = save("p.npy", np.array([300], "f2"))
        assert compute("mse", p, "0", "-f", "value").value == 90000

    def test_float32_targets_meet_float64_predictions_in_float64(self, compute, save):
        p, t = save("p.npy", [1.0]), save("t.npy", np.array([0.1], "f4"))
        assert compute("l1", p, t, "-f", "value").value == pytest.approx(1 - float(np.float32(0.1)), rel=1e-15)

    def test_a_fortran_ordered_file_of_many_blocks(self, compute, save):
        values = np.arange(600_000.0).reshape(200_000, 3)
        p = save("p.npy", np.asfortranarray(values))
        assert compute("l1", p, "0", "-f", "value").value == pytest.approx(values.mean(), rel=1e-12)

    @pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
    def test_every_version_of_npy(self, compute, folder, version):
        with (folder / "p.npy").open("wb") as file:
            np.lib.format.write_array(file, np.array([1.0, 2.0]), version)
        assert compute("l1", "p.npy", "0", "-f", "value").value == 1.5

    def test_an_npz_file_of_one_array(self, compute, folder):
        np.savez(folder / "p.npz", anything=np.array([1.0, 2.0]))
        assert compute("l1", "p.npz", "0", "-f", "value").value == 1.5

    @pytest.mark.parametrize("how", [np.savez, np.savez_compressed])
    def test_an_npz_file_with_keys(self, compute, folder, how):
        how(folder / "all.npz", logits=np.array(self.VALUES), labels=[1, 0, 1])
        done = compute("ce", "all.npz:logits", "all.npz:labels", "-f", "value")
        assert done.value == pytest.approx(self.EXPECTED)

    def test_shards_come_in_the_natural_order_of_their_names(self, compute, save):
        for number in (10, 9, 1, 2):
            save(f"shard-{number}.npy", [float(number)])
        rows = compute("l1", "shard-*.npy", "0", "-f", "jsonl").lines
        assert [row["loss"] for row in rows] == [1, 2, 9, 10]

    def test_shards_of_predictions_and_one_file_of_targets(self, compute, save):
        save("p-1.npy", self.VALUES[:2])
        save("p-2.npy", self.VALUES[2:])
        done = compute("ce", "p-*.npy", save("t.npy", [1, 0, 1]), "-f", "value")
        assert done.value == pytest.approx(self.EXPECTED)

    def test_shards_of_tables_and_of_one_of_their_columns(self, compute, write):
        write("p-2.csv", "v,t\n3,0\n")
        write("p-10.csv", "v,t\n4,1\n")
        rows = compute("l1", "p-*.csv:v", "p-*.csv:t", "-f", "jsonl").lines
        assert [(row["target"], row["loss"]) for row in rows] == [(0, 3), (1, 3)]

    def test_a_file_named_like_a_pattern_wins_over_it(self, compute, save):
        save("p-1.npy", [1.0])
        assert compute("l1", save("p-[1].npy", [7.0]), "0", "-f", "value").value == 7

    @pytest.mark.parametrize("stdin", ["npy", "csv", "headerless", "gz", "npz", "parquet"])
    def test_standard_input(self, compute, stdin):
        import gzip

        import polars as pl

        file = io.BytesIO()
        if stdin == "npy":
            np.save(file, [1.0, 2.0])
        elif stdin == "npz":
            np.savez(file, a=[1.0, 2.0])
        elif stdin == "parquet":
            pl.DataFrame({"v": [1.0, 2.0]}).write_parquet(file)
        else:
            text = {"csv": b"v\n1\n2\n", "headerless": b"1\n2\n", "gz": gzip.compress(b"v\n1\n2\n")}[stdin]
            file.write(text)
        assert compute("l1", "-", "0", "-f", "value", stdin=file.getvalue()).value == 1.5

    def test_standard_input_as_targets(self, compute, save):
        assert compute("l1", save("p.npy", [1.0, 2.0]), "-", "-f", "value", stdin=b"1\n4\n").value == 1

    def test_a_column_of_standard_input(self, compute):
        assert compute("l1", "-:b", "0", "-f", "value", stdin=b"a,b\nx,3\ny,5\n").value == 4

    def test_one_column_is_no_matrix(self, compute, save):
        done = compute("bce", save("p.npy", [[0.0], [0.0]]), save("t.npy", [0, 1]))
        assert done.json["value"] == pytest.approx(math.log(2))
        assert "squeezed" in done.err
