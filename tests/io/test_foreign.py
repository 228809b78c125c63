"""Files of formats that losscli does not read: they are called by their name, with a way to convert them."""

import io
import pickle
import sqlite3
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.quick


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("p.csv"))
    return file.getvalue()


def database() -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (p REAL)")
        return bytes(connection.serialize())


BINARY = bytes(range(32)) * 20
FILES = {
    "orc": (b"ORC\n\x05\x12" + BINARY, "an ORC file", "pandas.read_orc("),
    "sqlite": (database(), "an SQLite database", "pandas.read_sql("),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + BINARY, "Excel's .xls", "pandas.read_excel("),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + BINARY, "an HDF5 file", "h5py.File("),
    "mat": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\1IM" + BINARY, "a MATLAB file", "loadmat("),
    "avro": (b"Obj\x01\x04\x14avro.codec" + BINARY, "an Avro file", "polars.read_avro("),
    "tar": (tar(), "a tar archive", "tar -xf"),
    "rds": (b"X\n\0\0\0\3\0\4\3\1" + BINARY, "an R data file", "readRDS("),
    "rds text": (b"A\n3\n262914\n197888\n5\nUTF-8\n14\n1\n0.5\n", "an R data file", "readRDS("),
    "feather 1": (b"FEA1" + BINARY, "a Feather file of version 1", "read_feather("),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "a PDF document", "CSV"),
    "png": (b"\x89PNG\r\n\x1a\n" + BINARY, "a picture (PNG)", "PIL.Image"),
    "jpeg": (b"\xff\xd8\xff\xe0" + BINARY, "a picture (JPEG)", "PIL.Image"),
    "elf": (b"\x7fELF\x02\x01\x01" + BINARY, "a program (ELF)", "file of data"),
    "pickle": (pickle.dumps({"p": [1.0]}), "a pickle", "numpy.save("),
    "pickle of version 2": (pickle.dumps([1.0], 2), "a pickle", "numpy.save("),
    "utf-16": ("\ufeffp\n1.5\n".encode("utf-16-le"), "text in UTF-16", "encoding='utf-16'"),
    "utf-16 without a mark": ("p,q\n1.5,2\n".encode("utf-16-le"), "text in UTF-16", "encoding='utf-16-le'"),
    "utf-16, high byte first": ("p,q\n1.5,2\n".encode("utf-16-be"), "text in UTF-16", "encoding='utf-16-be'"),
    "utf-32": ("p\n1.5\n".encode("utf-32"), "text in UTF-32", "encoding='utf-32'"),
    "page": (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page, not data", "needs a login"),
    "page in capitals": (b"<HTML><HEAD><TITLE>404 Not Found</TITLE>", "an HTML page, not data", "the download failed"),
    "xml": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "an XML file", "an error"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "a pointer of Git LFS",
        "git lfs pull",
    ),
    "annex": (b"/annex/objects/SHA256E-s12--ab.npy\n", "a pointer of git-annex", "git annex get"),
    "unknown": (b"\x01\x02\xfe\xfa\xce\x00\x11" + BINARY, "neither text nor a format", "the right file"),
}


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind != "unknown"])
@pytest.mark.parametrize("name", ["p", "p.csv", "p.npy", "p.parquet"])
def test_a_foreign_file_is_named_whatever_it_is_called(compute, write, kind, name):
    data, what, cure = FILES[kind]
    compute("mse", write(name, data), "0").refuses(3, name, what, cure)


@pytest.mark.parametrize("numbers", [np.arange(100), np.linspace(0, 1, 50), np.ones(9, np.int32)], ids=str)
def test_raw_numbers(compute, write, numbers):
    compute("mse", write("p.bin", numbers.tobytes()), "0").refuses(3, "p.bin", "neither text", "numpy.fromfile('p.bin'")


@pytest.mark.parametrize("name", ["p", "p.csv", "p.tsv"])
def test_a_file_of_no_known_format(compute, write, name):
    data, what, cure = FILES["unknown"]
    compute("mse", write(name, data), "0").refuses(3, name, what, cure)


def test_links_to_files_that_are_not_there(compute, folder):
    (folder / "p.npy").symlink_to(".git/annex/objects/G5/k7/SHA256E-s12--ab.npy/SHA256E-s12--ab.npy")
    (folder / "q.npy").symlink_to("gone.npy")
    compute("mse", "p.npy", "0").refuses(3, "p.npy", "a pointer of git-annex", "git annex get p.npy")
    compute("mse", "q.npy", "0").refuses(3, "q.npy", "a link to gone.npy, which is not there")


def test_it_is_named_on_standard_input_too(compute):
    compute("mse", "-", "0", stdin=FILES["page"][0]).refuses(3, "standard input", "an HTML page")


@pytest.mark.parametrize("header", ["ORC", "ORC,b", "GGUF", "id,p,tt,DUCK", "FEA1", "A\n2\n3"])
def test_columns_may_be_called_as_foreign_files_begin(compute, write, header):
    width = header.split("\n")[0].count(",") + 1
    text = header + "\n" + ",".join(["1"] * width) + "\n"
    assert compute("mse", write("p.csv", text), "0").code == 0


@pytest.mark.parametrize("name", ["preds.pkl", "preds.json", "preds.xlsx", "preds.mat"])
def test_where_the_content_tells_nothing_the_name_does(write, run, name):
    write(name, "1\n2\n")
    run("compute", "mse", name, "0").refuses(3, name, "does not read", "save it ")


class TestNpyHeaders:
    def file(self, write, shape, version=(1, 0), data=b""):
        text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        size = struct.pack("<H" if version[0] == 1 else "<I", len(text))
        return write("p.npy", b"\x93NUMPY" + bytes(version) + size + text.encode() + data)

    @pytest.mark.parametrize("version", [(0, 0), (1, 1), (4, 0), (10, 0), (255, 255)])
    def test_versions_that_do_not_exist(self, compute, write, version):
        name = self.file(write, "(2,)", version, bytes(16))
        compute("mse", name, "0").refuses(3, "p.npy", f"version {version[0]}.{version[1]}", "save it again")

    @pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
    def test_versions_that_exist(self, compute, write, version):
        name = self.file(write, "(2,)", version, np.array([1.0, 3.0]).tobytes())
        assert compute("mse", name, "0", "-f", "value").value == 5

    @pytest.mark.parametrize(
        "shape", ["(-1, -3)", "(-2,)", "(0, -1)", f"(0, {2**62})", f"(0, {10**12})", f"({10**12}, 0)", f"({2**62}, 0)"]
    )
    @pytest.mark.parametrize("command", ["compute", "check"])
    def test_shapes_that_no_array_has(self, run, save, write, command, shape):
        name = self.file(write, shape, data=bytes(24))
        words = ("compute", "mse", name, "0") if command == "compute" else ("check", name, save("t.npy", [1.0]))
        run(*words).refuses(3, "p.npy", "damaged")
        run("compute", "mse", "-", "0", stdin=Path(name).read_bytes()).refuses(3, "standard input", "damaged")
