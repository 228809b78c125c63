"""safetensors files, and arrays of bfloat16, which NumPy does not have."""

import json
import struct
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from commands import npy

import losscli
from losscli.io.bytes import RawFile
from losscli.io.encoded import ENCODINGS, decoded
from losscli.io.format import Named
from losscli.io.safetensors import open_safetensors

pytestmark = pytest.mark.quick
FILES = Path(__file__).parent / "files"
SEVERAL = str(FILES / "several.safetensors")
LOGITS = np.array([[0.5, 1.25, -2.0], [3.0, 0.25, 0.75], [-1.5, 0.0, 2.5], [0.125, 4.0, 1.0]])
LABELS = [1, 0, 2, 1]
MEAN = (np.log(np.exp(LOGITS).sum(axis=1)) - LOGITS[np.arange(4), LABELS]).mean()
CODES = {"BF16": ml_dtypes.bfloat16, "F8_E5M2": ml_dtypes.float8_e5m2, "F8_E4M3": ml_dtypes.float8_e4m3fn}


def made(entries, data=b"", metadata=None):
    """A file with such a header, or such text of one."""
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape, start, stop, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


class TestSafetensors:
    """Files that the library of the same name wrote."""

    @pytest.mark.parametrize("key", ["f64", "f32", "f16", "bf16"])
    def test_each_type_of_numbers(self, compute, key):
        found = compute("ce", f"{SEVERAL}:{key}", f"{SEVERAL}:labels", "-f", "value").value
        assert found == pytest.approx(MEAN, rel=1e-14 if key == "f64" else 1e-6)

    @pytest.mark.parametrize("key", ["labels", "hits", "bytes"])
    def test_each_type_of_labels(self, compute, key):
        assert compute("ce", f"{SEVERAL}:f64", f"{SEVERAL}:{key}", "-f", "value").value == pytest.approx(MEAN)

    @pytest.mark.parametrize("dtype", ["U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "F32", "F64"])
    def test_types_that_numpy_has(self, compute, write, dtype):
        values = np.array([1, 2, 4]).astype(f"<{dtype[0].lower()}{int(dtype[1:]) // 8}")
        write("p.safetensors", made({"x": entry([3], 0, values.nbytes, dtype)}, values.tobytes()))
        assert compute("l1", "p.safetensors", "0", "-f", "value").value == pytest.approx(7 / 3)

    @pytest.mark.parametrize("dtype", CODES)
    def test_types_that_numpy_does_not_have(self, write, dtype):
        """Every code, against ml_dtypes."""
        values = np.arange(1 << 8 * np.dtype(CODES[dtype]).itemsize).astype(f"u{np.dtype(CODES[dtype]).itemsize}")
        path = Path(
            write("p.safetensors", made({"x": entry([len(values)], 0, values.nbytes, dtype)}, values.tobytes()))
        )
        source = open_safetensors(Named("p", RawFile("p", path)))
        assert source.dtype == np.float32
        np.testing.assert_array_equal(source.read(0, len(values)), values.view(CODES[dtype]).astype(np.float32))

    def test_the_only_tensor_needs_no_key(self, compute, save):
        one, labels = str(FILES / "one.safetensors"), save("t.npy", LABELS)
        for name in (one, f"{one}:logits"):
            assert compute("ce", name, labels, "-f", "value").value == pytest.approx(MEAN, rel=1e-6)

    def test_standard_input(self, compute, save):
        data = Path(SEVERAL).read_bytes()
        found = compute("ce", "-:f64", save("t.npy", LABELS), "-f", "value", stdin=data).value
        assert found == pytest.approx(MEAN)

    def test_whatever_it_is_called(self, compute, write, save):
        name = write("p.csv", (FILES / "one.safetensors").read_bytes())
        assert compute("ce", name, save("t.npy", LABELS), "-f", "value").value == pytest.approx(MEAN, rel=1e-6)

    def test_shards(self, compute, write, save):
        for i, part in enumerate((LOGITS[:1], LOGITS[1:])):
            write(f"p-{i}.safetensors", made({"x": entry(list(part.shape), 0, part.nbytes, "F64")}, part.tobytes()))
        assert compute("ce", "p-*.safetensors", save("t.npy", LABELS), "-f", "value").value == pytest.approx(MEAN)

    def test_keys(self, compute):
        compute("ce", SEVERAL, "0").refuses(3, "holds 7 tensors", "bf16", "say which", ":KEY")
        compute("ce", f"{SEVERAL}:bf61", "0").refuses(3, "no tensor 'bf61'", "did you mean bf16?")

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (made({"x": entry([2], 0, 8), "y": entry([2], 4, 12)}, bytes(12)), "are those of another tensor too"),
            (made({"x": entry([2], 8, 16)}, bytes(8)), "'x' ends at byte"),
            (made({"x": entry([2], 0, 8)}, bytes(7)), "was it cut off?"),
            (made({"x": entry([2], -8, 0)}, bytes(8)), "the header says of 'x'"),
            (made({"x": entry([-2], 0, 8)}, bytes(8)), "the header says of 'x'"),
            (made({"x": entry([3], 0, 8)}, bytes(8)), "of shape (3,) and dtype F32"),
            (made({"x": entry([2], 8, 0)}, bytes(8)), "has the bytes 8 to 0"),
            (made({"x": entry([2**40, 2**40], 0, 8)}, bytes(8)), "of shape"),
            (made({"x": entry([2**63], 0, 8)}, bytes(8)), "the header says of 'x'"),
            (made({"x": entry([2.0], 0, 8)}, bytes(8)), "the header says of 'x'"),
            (made({"x": entry([True, True], 0, 4)}, bytes(8)), "the header says of 'x'"),
            (made({"x": {"dtype": "F32"}}, bytes(8)), "the header says of 'x'"),
            (made({"x": [1, 2]}, bytes(8)), "the header says of 'x'"),
            (made(b'{"x": {}, "x": {}}', bytes(8)), "a key stands in it twice"),
            (made(b'{"x": ', bytes(8)), "not JSON"),
            (made(b'{"x": ' + b"[" * 50_000, bytes(8)), "not JSON"),
            (made(b"[1, 2]", bytes(8)), "no JSON object"),
            (struct.pack("<Q", 10**15) + b'{"x"', "its header would have"),
            (b"\x02\0\0\0", "its header would have"),
        ],
    )
    def test_headers_that_lie(self, compute, write, data, why):
        compute("mse", write("p.safetensors", data), "0").refuses(3, "p.safetensors: not a safetensors file", why)

    @pytest.mark.parametrize(
        ("header", "parts"),
        [
            ({}, ("holds no tensor",)),
            ({"__metadata__": {"format": "pt"}}, ("holds no tensor",)),
            ({"x": entry([], 0, 4)}, ("shape () is one number",)),
            ({"x": entry([0], 0, 0)}, ("no rows",)),
            ({"x": entry([4], 0, 32, "C64")}, ("C64", "save it as float32")),
        ],
    )
    def test_what_is_no_operand(self, compute, write, header, parts):
        compute("mse", write("p.safetensors", made(header, bytes(32))), "0").refuses(3, "p.safetensors", *parts)


class TestBfloat16:
    ROUNDED = np.array([[0.1, 2.7, -3.3], [1e-3, 5.5, 0.2]]).astype(ml_dtypes.bfloat16)

    @pytest.mark.parametrize("name", ["bfloat16.npy", "spelt.npy", "big.npz", "fortran.npy"])
    def test_an_array_needs_the_option(self, compute, folder, save, name):
        data = (FILES / "bfloat16.npy").read_bytes()
        if name == "spelt.npy":
            data = data.replace(b"'<V2'", b"'bfloat16'").replace(b"      \n", b" \n")
        if name == "fortran.npy":
            array = np.asfortranarray(LOGITS.astype(ml_dtypes.bfloat16).view("V2"))
            data = npy(array)
            assert b"'fortran_order': True" in data
        if name.endswith("npz"):
            np.savez_compressed(name, x=LOGITS.astype(ml_dtypes.bfloat16))
        else:
            Path(name).write_bytes(data)
        labels = save("t.npy", LABELS)
        compute("ce", name, labels).refuses(3, name, "say --dtype bfloat16")
        found = compute("ce", name, labels, "--dtype", "bfloat16")
        assert found.json["value"] == pytest.approx(MEAN, rel=1e-6)
        assert found.json["receipt"]["dtype"] == "bfloat16"
        assert found.json["receipt"]["predictions"]["dtype"] == "float32"

    def test_a_pipe(self, compute, save):
        data = (FILES / "bfloat16.npy").read_bytes()
        words = ("ce", "-", save("t.npy", LABELS))
        assert compute(*words, "--dtype", "bfloat16", "-f", "value", stdin=data).value == pytest.approx(MEAN, rel=1e-6)
        compute(*words, stdin=data).refuses(3, "standard input", "say --dtype bfloat16")

    def test_numbers_are_exact(self, compute, write):
        p = write("p.npy", npy(self.ROUNDED.view("V2")))
        found = compute("l1", p, "0", "--dtype", "bfloat16", "--elements").json
        assert [row["losses"] for row in found["rows"]] == abs(self.ROUNDED.astype(float)).tolist()

    def test_other_arrays_are_as_they_were(self, compute, save):
        assert compute("l1", save("p.npy", [1.0, 3.0]), "0", "--dtype", "bfloat16", "-f", "value").value == 2
        array = np.zeros(2, [("a", "u1"), ("b", "u1")])
        compute("l1", save("q.npy", array), "0", "--dtype", "bfloat16").refuses(3, "q.npy", "structured")

    def test_another_type(self, compute, save):
        compute("l1", save("p.npy", [1.0]), "0", "--dtype", "float12").refuses(2, "--dtype")

    def test_python(self, folder):
        (folder / "p.npy").write_bytes(npy(self.ROUNDED.view("V2")))
        expected = abs(self.ROUNDED.astype(float)).mean()
        assert losscli.compute("l1", "p.npy", 0, dtype="bfloat16").value == pytest.approx(expected, rel=1e-12)
        assert losscli.compute("l1", self.ROUNDED, 0).value == pytest.approx(expected, rel=1e-12)

    def test_arrays_of_python(self):
        torch = pytest.importorskip("torch")
        expected = abs(self.ROUNDED.astype(float)).mean()
        tensor = torch.tensor(self.ROUNDED.astype(np.float32), requires_grad=True).to(torch.bfloat16)
        assert losscli.compute("l1", tensor, 0).value == pytest.approx(expected, rel=1e-12)
        eighth = self.ROUNDED.astype(ml_dtypes.float8_e5m2)
        assert losscli.compute("l1", eighth, 0).value == pytest.approx(abs(eighth.astype(float)).mean(), rel=1e-12)
        with pytest.raises(losscli.DataError, match="view"):
            losscli.compute("l1", self.ROUNDED.view("V2"), 0)

    def test_a_suite(self, run, write):
        write("p.npy", npy(self.ROUNDED.view("V2")))
        measure = '[measure.a]\nloss = "l1"\npredictions = "p.npy"\ntargets = 0\n'
        write("s.toml", measure + 'dtype = "bfloat16"\n')
        assert run("run", "s.toml").code == 0
        assert run("run", write("t.toml", measure)).code == 3

    def test_decoding_leaves_other_numbers(self):
        x = np.arange(3.0)
        assert decoded(x, None) is x
        assert set(ENCODINGS) == {"bfloat16", "float8_e5m2", "float8_e4m3"}
