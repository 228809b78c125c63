"""Compressed files and ZIP archives: what is in them gives the number that it gives by itself."""

import bz2
import gzip
import io
import lzma
import random
import zipfile

import numpy as np
import polars as pl
import pytest
import zstandard
from commands import npy

from losscli.io import compressed

pytestmark = pytest.mark.quick
ROWS = [[0.7, 1.2], [0.4, 0.2], [0.6, 0.3], [-1.0, 2.5]]
LOGITS = np.array(ROWS)
LABELS = [1, 0, 0, 1]
LOSSES = np.log(np.exp(LOGITS).sum(axis=1)) - LOGITS[np.arange(4), LABELS]
TEXT = "cat,dog\n" + "".join(f"{a},{b}\n" for a, b in ROWS)


def zipped(*members, kind=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def parquet():
    file = io.BytesIO()
    pl.DataFrame({"cat": LOGITS[:, 0], "dog": LOGITS[:, 1]}).write_parquet(file)
    return file.getvalue()


PACKERS = {
    "gz": gzip.compress,
    "zst": zstandard.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "several.gz": lambda data: gzip.compress(data[:20]) + gzip.compress(data[20:]),
    "several.bz2": lambda data: bz2.compress(data[:20]) + bz2.compress(data[20:]),
    "several.xz": lambda data: lzma.compress(data[:20]) + bytes(4) + lzma.compress(data[20:]) + bytes(8),
}
CONTENTS = {
    "npy": npy(LOGITS),
    "csv": TEXT.encode(),
    "tsv": TEXT.replace(",", "\t").encode(),
    "parquet": parquet(),
    "npz": zipped(("x.npy", npy(LOGITS))),
}


@pytest.fixture
def value(compute, save):
    def of(operand, stdin=b""):
        return compute("ce", operand, save("t.npy", LABELS), "-f", "value", stdin=stdin).value

    return of


class TestCompressed:
    @pytest.mark.parametrize("suffix", PACKERS)
    @pytest.mark.parametrize("kind", CONTENTS)
    def test_it_gives_the_number_of_its_content(self, value, write, kind, suffix):
        data = PACKERS[suffix](CONTENTS[kind])
        assert value(write(f"p.{kind}.{suffix.split('.')[-1]}", data)) == pytest.approx(LOSSES.mean(), rel=1e-14)

    @pytest.mark.parametrize("suffix", ["gz", "zst", "bz2", "xz"])
    def test_the_content_decides_whatever_the_name_says(self, value, write, suffix):
        for name in ("p", "p.csv", "p.gz", "p.npy"):
            assert value(write(name, PACKERS[suffix](CONTENTS["npy"]))) == pytest.approx(LOSSES.mean(), rel=1e-14)

    @pytest.mark.parametrize("suffix", ["gz", "zst", "bz2", "xz"])
    def test_standard_input(self, value, suffix):
        assert value("-", stdin=PACKERS[suffix](CONTENTS["csv"])) == pytest.approx(LOSSES.mean(), rel=1e-14)

    @pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
    @pytest.mark.parametrize("cut", [1, 5, 200])
    def test_a_file_that_was_cut_off(self, compute, write, suffix, cut):
        numbers = random.Random(0)
        data = PACKERS[suffix]("".join(f"{numbers.random()}\n" for _ in range(10_000)).encode())
        compute("mse", write(f"p.csv.{suffix}", data[:-cut]), "0").refuses(3, f"p.csv.{suffix}", "write it again")

    @pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
    def test_damage(self, compute, write, suffix):
        data = bytearray(PACKERS[suffix]("".join(f"{i / 7}\n" for i in range(10_000)).encode()))
        data[len(data) // 2] ^= 0xFF
        compute("mse", write(f"p.csv.{suffix}", bytes(data)), "0").refuses(3, f"p.csv.{suffix}")

    def test_lines_are_those_of_the_content(self, compute, write):
        data = lzma.compress(b"v\n1\nx\n")
        compute("mse", write("p.csv.xz", data), "0").refuses(3, "p.csv.xz:3", "'x' is not a number")

    def test_a_dictionary_of_gigabytes_is_refused(self, compute, write, monkeypatch):
        monkeypatch.setattr(compressed, "MOST_MEMORY", 1 << 20)
        compute("mse", write("p.csv.xz", lzma.compress(b"v\n1\n")), "0").refuses(3, "p.csv.xz", "emory")

    def test_layers(self, value, compute, write):
        data = gzip.compress(bz2.compress(CONTENTS["csv"]))
        assert value(write("p.csv.bz2.gz", data)) == pytest.approx(LOSSES.mean(), rel=1e-14)
        data = gzip.compress(gzip.compress(data))
        compute("mse", write("p.csv.gz", data), "0").refuses(3, "p.csv.gz", "unpack it first")

    def test_text_may_begin_like_bzip2(self, compute, write):
        assert compute("mse", write("p.csv", "BZh9,b\n1,2\n"), "0").code == 0

    def test_a_foreign_file_in_it_is_named(self, compute, write):
        data = gzip.compress(b"X\n\0\0\0\3\0\4\3\1\0\3\5\0" + bytes(range(32)))
        compute("mse", write("p.rds", data), "0").refuses(3, "p.rds", "an R data file", "readRDS")
        compute("mse", write("p.html.gz", gzip.compress(b"<html></html>")), "0").refuses(3, "an HTML page")


class TestArchives:
    @pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    @pytest.mark.parametrize("kind", ["npy", "csv", "tsv", "parquet"])
    def test_one_file(self, value, write, kind, how):
        name = write("p.zip", zipped((f"folder/p.{kind}", CONTENTS[kind]), kind=how))
        assert value(name) == pytest.approx(LOSSES.mean(), rel=1e-14)

    def test_a_compressed_file_in_it(self, value, write):
        name = write("p.zip", zipped(("p.csv.gz", gzip.compress(CONTENTS["csv"]))))
        assert value(name) == pytest.approx(LOSSES.mean(), rel=1e-14)

    def test_several_files_need_a_name(self, value, compute, write):
        write("p.zip", zipped(("a.csv", CONTENTS["csv"]), ("b.tsv", CONTENTS["tsv"]), ("c.npy", CONTENTS["npy"])))
        compute("ce", "p.zip", "0").refuses(3, "p.zip: holds 3 files (a.csv, b.tsv, c); say which, as p.zip:MEMBER")
        compute("ce", "p.zip:d.csv", "0").refuses(3, "p.zip: no file 'd.csv'", "a.csv, b.tsv, c")
        for member in ("a.csv", "b.tsv", "c", "c.npy"):
            assert value(f"p.zip:{member}") == pytest.approx(LOSSES.mean(), rel=1e-14)

    def test_columns(self, compute, write):
        write("one.zip", zipped(("a.csv", "p,t\n1,3\n2,2\n")))
        write("two.zip", zipped(("a.csv", "p,t\n1,3\n2,2\n"), ("b.csv", "t\n1\n4\n")))
        assert compute("mse", "one.zip:p", "one.zip:t", "-f", "value").value == 2
        assert compute("mse", "one.zip", "one.zip:t", "-f", "value").value == 2
        assert compute("mse", "two.zip:a.csv:p", "two.zip:b.csv", "-f", "value").value == 2
        assert compute("mse", "two.zip:a.csv", "two.zip:a.csv:t", "-f", "value").value == 2
        compute("mse", "one.zip:q", "0").refuses(3, "one.zip", "no column 'q'", "'p', 't'")

    def test_what_the_finder_adds_is_no_file(self, compute, write):
        data = zipped(("p.csv", "v\n3\n"), ("__MACOSX/._p.csv", b"\0\5\x16\7"), ("folder/", b""), (".DS_Store", b"\0"))
        assert compute("mse", write("p.zip", data), "0", "-f", "value").value == 9

    def test_an_excel_file_is_named(self, compute, write):
        data = zipped(("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", "<workbook/>"))
        for name in ("p.xlsx", "p.csv", "p"):
            compute("mse", write(name, data), "0").refuses(3, name, "an Excel file", "pandas.read_excel(")

    @pytest.mark.parametrize("name", ["p.zip", "p.npz"])
    def test_no_archive(self, compute, write, name):
        compute("mse", write(name, "1\n2\n"), "0").refuses(3, f"{name}: not {name[2:].upper()}")

    def test_an_empty_archive(self, compute, write):
        compute("mse", write("p.zip", zipped()), "0").refuses(3, "p.zip", "an empty ZIP archive")

    def test_damage(self, compute, write):
        data = zipped(("p.csv", "v\n" + "1.25\n" * 2000))
        for cut in (1, 20, len(data) // 2):
            compute("mse", write("p.zip", data[:-cut]), "0").refuses(3, "p.zip", "write it again")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(compute, write):
    """Appending to an archive leaves the old file in it, and readers disagree about which of the two counts."""
    write("p.zip", zipped(("p.csv", "p\n1\n"), ("p.csv", "p\n2\n")))
    for operand in ("p.zip", "p.zip:p.csv"):
        compute("mse", operand, "0").refuses(3, "p.zip: holds several files called 'p.csv'", "write it again")
