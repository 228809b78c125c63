"""Standard input in place of a file."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from commands import npy

from losscli.definition.batch import Indices
from losscli.io import bytes as raw
from losscli.lookup.names import find

pytestmark = pytest.mark.quick


class TestStreams:
    @pytest.mark.parametrize("kind", ["npy", "npz"])
    def test_big_endian_numbers_of_a_stream_are_the_numbers_of_a_file(self, compute, kind):
        file = io.BytesIO()
        array = np.array([1, 2, 6], ">f8")
        np.save(file, array) if kind == "npy" else np.savez(file, array)
        found = compute("l1", "-", "0", stdin=file.getvalue()).json
        assert found["value"] == 3
        assert found["receipt"]["predictions"]["dtype"] == "float64"


class TestPipes:
    def test_one_column_is_squeezed(self, compute, save):
        out = compute("mse", "-", save("t.npy", np.zeros(10)), "-f", "value", stdin=npy(np.full((10, 1), 3.0)))
        assert (out.code, out.value) == (0, 9.0)

    def test_features_are_read_more_than_once(self, run, save, folder):
        x = np.random.default_rng(0).normal(size=(30, 3))
        labels, centers = save("l.npy", np.arange(30) % 3), save("c.npy", np.eye(3))
        out = run("plot", "features", "-", labels, "--centers", centers, "-o", "x.svg", stdin=npy(x))
        assert out.code == 0, out.err
        assert (folder / "x.svg").exists()

    def test_an_archive_has_keys(self, compute, folder):
        np.savez(folder / "x.npz", a=np.array([1.0, 3.0]), b=np.zeros(2))
        data = (folder / "x.npz").read_bytes()
        assert compute("mse", "-:a", "0", "-f", "value", stdin=data).value == 5.0
        compute("mse", "-", "0", stdin=data).refuses(3, "2 arrays", "a, b")

    @pytest.mark.parametrize("limit", [0, 1 << 24])
    def test_parquet(self, compute, folder, monkeypatch, limit):
        import polars as pl

        monkeypatch.setattr(raw, "IN_MEMORY", limit)
        pl.DataFrame({"p": [1.0, 3.0]}).write_parquet(folder / "x.parquet")
        assert compute("mse", "-", "0", "-f", "value", stdin=(folder / "x.parquet").read_bytes()).value == 5.0


SEED = 20261124
GENERATOR = np.random.default_rng(SEED)
CLASSES = GENERATOR.normal(0, 3, (700, 7)).astype(np.float32)
LABELS = GENERATOR.integers(0, 7, 700)


@pytest.fixture(autouse=True)
def same_numbers(monkeypatch):
    """Random numbers that do not depend on which tests ran before."""
    monkeypatch.setattr(sys.modules[__name__], "GENERATOR", np.random.default_rng(SEED + 1))


class TestStandardInput:
    def npy(self, array, **how):
        file = io.BytesIO()
        np.save(file, array, **how)
        return file.getvalue()

    @pytest.mark.parametrize("threads", ["1", "3"])
    @pytest.mark.parametrize(
        "change", [lambda x: x, np.asfortranarray, lambda x: x.astype(">f4"), lambda x: x[:, :2].copy()]
    )
    def test_arrays_from_a_pipe(self, compute, process, save, small_chunks, change, threads):
        array = change(CLASSES)
        t = save("t.npy", LABELS % array.shape[1])
        expected = compute("ce", save("p.npy", array), t, "-f", "value").value
        words = ("compute", "ce", "-", t, "-f", "value", "--threads", threads)
        assert process(*words, stdin=self.npy(array)).value == pytest.approx(expected, rel=1e-14)
        assert compute("ce", "-", t, *words[4:], stdin=self.npy(array)).value == expected

    def test_a_short_one_is_refused(self, compute, save):
        data = self.npy(CLASSES)[:-5]
        compute("ce", "-", save("t.npy", LABELS), "-o", "x.npy", stdin=data).refuses(
            3, "standard input", "5 bytes fewer"
        )
        assert not os.path.exists("x.npy")

    def test_more_than_an_array_is_refused(self, compute, save):
        data = self.npy(CLASSES) + b"\n"
        compute("ce", "-", save("t.npy", LABELS), stdin=data).refuses(3, "standard input", "after its array")

    def test_a_file_behind_it_is_read_where_it_lies(self, folder, save):
        p, t = save("p.npy", CLASSES), save("t.npy", LABELS)
        words = [sys.executable, "-m", "losscli", "compute", "ce", "-", t, "-f", "value"]
        with (folder / p).open("rb") as file:
            found = subprocess.run(words, stdin=file, capture_output=True, text=True, check=True).stdout
        assert float(found) == float(np.mean(find("ce").bind()(CLASSES, Indices(LABELS))[0], dtype=np.float64))

    def test_labels_from_a_pipe(self, compute, save):
        p = save("p.npy", CLASSES)
        assert compute("ce", p, "-", "-f", "value", stdin=self.npy(LABELS)).value == pytest.approx(
            compute("ce", p, save("t.npy", LABELS), "-f", "value").value, rel=1e-15
        )
