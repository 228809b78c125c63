"""NPY files: short, long and damaged ones, and streams."""

import io
import os

import numpy as np
import pytest

from losscli.errors import DataError
from losscli.io import bytes as raw
from losscli.io import npy as npy_module
from losscli.io.bytes import RawFile
from losscli.io.npy import NpySource


class TestFiles:
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

    def test_a_file_of_one_axis_may_call_itself_fortran_ordered(self, compute, folder):
        with (folder / "p.npy").open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": True, "shape": (3,)})
            file.write(np.array([1.0, 2, 6]).tobytes())
        assert compute("l1", "p.npy", "0").json["value"] == 3


def test_two_arrays_in_one_file_are_refused(save, write, run):
    data = save("a.npy", np.zeros((3, 2)))
    del data
    with open("a.npy", "rb") as file:
        once = file.read()
    with open("two.npy", "wb") as file:
        file.write(once + once)
    run("compute", "mse", "two.npy", "0").refuses(3, "two.npy", "several arrays")
    run("compute", "mse", "-", "0", stdin=once + once).refuses(3, "standard input", "several arrays")


def test_a_header_of_an_absurd_shape_is_refused(compute, write):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "<f4", "fortran_order": False, "shape": (99999999999999999999,)}
    )
    compute("mse", write("x.npy", file.getvalue()), "0").refuses(3, "x.npy", "damaged")
    compute("mse", "-", "0", stdin=file.getvalue()).refuses(3, "standard input", "damaged")


def test_a_stream_that_is_squeezed_keeps_its_rows():
    stream = npy_module.StreamSource(
        "x", io.BytesIO(np.arange(4.0).tobytes()), (4, 1), np.dtype(float), np.dtype(float)
    )
    flat = npy_module.squeezed(stream)
    assert flat.take(0, 4).read(1, 3).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("dtype", ["|S0", "<U0"])
def test_text_without_letters_of_any_number_of_rows(run, folder, save, dtype):
    """10^12 such rows lie in no byte, and what reads them row by row would not end."""
    with (folder / "t.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": (10**12,)})
    run("targets", "t.npy", "-o", "x.npy").refuses(3, f"t.npy: its header says text without a letter (dtype {dtype})")


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ("(1,)*3", "its header does not describe an array"),
        ("lambda: 3", "its header does not describe an array"),
        ("((((3,", "its header does not describe an array"),
        ("(3.5,)", "shape is not valid: (3.5,)"),
    ],
)
def test_a_header_that_is_no_header_is_refused_without_the_words_of_python(compute, write, shape, words):
    compute("mse", write("p.npy", with_header(shape)), "0").refuses(3, f"p.npy: not an NPY file ({words})")


def test_a_long_header_is_not_repeated_in_full(compute, write):
    found = compute("mse", write("p.npy", with_header(f"({'9' * 5000},)")), "0")
    found.refuses(3, "p.npy: not an NPY file (")
    assert len(found.err) < 250


def with_header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(24)
