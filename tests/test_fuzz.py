"""Random cases, whole and damaged, against the slow reference of fuzz.py; and what such cases have found before."""

import struct
from pathlib import Path

import numpy as np
import pytest
from fuzz import WORDS, Case, judge, made, one
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from slow import RefusedError, expected

from losscli.losses import LOSSES


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(st.integers(0, 2**48))
def test_every_input_gives_a_true_number_or_one_line(seed):
    one(seed)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(cells=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.sampled_from(WORDS)), max_size=4), ends=st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_every_cell_gives_a_true_number_or_one_line(cells, ends):
    """As above, from cells that hypothesis picks, and makes fewer where something fails."""
    rows = [["id", "ant", "bee"], *[[f"r{i}", str(i / 7), str(1 - i / 3)] for i in range(8)]]
    for row, column, word in cells:
        rows[row % len(rows)][column] = word
    p = ends.join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows) + ends
    t = "id,label\n" + "".join(f"r{i},{('ant', 'bee')[i % 2]}\n" for i in range(8))
    words = ["compute", "softmax-cross-entropy", "p.csv", "t.csv", "--id", "id"]
    Path("p.csv").write_bytes(p.encode())
    with mp.workdps(30):
        judge(Case(words, {"p.csv": p.encode(), "t.csv": t.encode()}, ["cells"] if cells else []))


def test_a_case_is_that_of_its_seed():
    assert made(7) == made(7)
    assert made(7) != made(8)


def test_a_wrong_number_is_found(monkeypatch):
    """The harness can fail: a loss that is off by a ten-millionth part is."""
    right = LOSSES["brier"].core

    def wrong(*words, **how):
        value, slope = right(*words, **how)
        return value * (1 + 1e-7), slope

    monkeypatch.setitem(vars(LOSSES["brier"]), "core", wrong)
    x = np.array([[0.5, 1.5], [2.0, 1.0]])
    file = Path("p.npy")
    np.save(file, x)
    np.save("t.npy", np.array([0, 1]))
    files = {"p.npy": file.read_bytes(), "t.npy": Path("t.npy").read_bytes()}
    with pytest.raises(AssertionError, match="is not"), mp.workdps(30):
        judge(Case(["compute", "brier", "p.npy", "t.npy"], files))


def test_a_number_where_there_is_none_is_found():
    files = {"p.csv": b"1\nnan\n", "t.csv": b"1\n2\n"}
    for name, data in files.items():
        Path(name).write_bytes(data)
    with pytest.raises(RefusedError):
        expected(["compute", "squared-error", "p.csv", "t.csv"])


class TestFound:
    """The smallest form of what the harness found."""

    def header(self, write, text):
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(16)
        return write("p.npy", data)

    @pytest.mark.parametrize(
        "text",
        ["{'descr': '<f8', 'shape': (2,\n", "{'descr': '<f8', 'shape': '(2,", "{", "[1", "'''", "(" * 300, "1L\n("],
    )
    def test_a_header_that_python_cannot_take_apart(self, compute, write, text):
        compute("l1", self.header(write, text), "0").refuses(3, "p.npy", "not an NPY file")

    def test_a_header_that_python_2_wrote(self, compute, write):
        text = "{'descr': '<f8', 'fortran_order': False, 'shape': (2L,), }".ljust(117) + "\n"
        assert compute("squared-error", self.header(write, text), "0").err == ""

    def test_a_shape_of_truth_values(self, compute, write):
        text = "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }".ljust(117) + "\n"
        compute("l1", self.header(write, text), "0").refuses(3, "p.npy", "shape")

    @pytest.mark.skipif(np.dtype("g").itemsize == 8, reason="a long double is a double here")
    def test_long_doubles(self, compute, save):
        t = save("t.npy", [1.0, 4], "g")
        assert compute("l1", save("p.npy", [1.0, 2]), t, "--per-sample").json["rows"][1]["target"] == 4
        assert compute("l1", t, "0", stdin=Path(t).read_bytes()).json["value"] == 2.5
        assert compute("l1", "-", "0", stdin=Path(t).read_bytes()).json["value"] == 2.5

    def test_centers_of_text(self, compute, save):
        x, y = save("x.npy", np.zeros((2, 2))), save("y.npy", [0, 1])
        compute("center", x, y, "--centers", save("c.npy", [["0", "1"], ["1", "0"]])).refuses(3, "c.npy", "text")

    def test_a_label_of_hundreds_of_digits(self, compute, save, write):
        t = write("t.csv", "label\n0\n" + "9" * 400 + "\n")
        compute("ce", save("p.npy", np.zeros((2, 2))), t).refuses(3, "t.csv:3")

    def test_a_row_that_is_too_long_beside_columns_that_are_not_read(self, compute, save, write):
        t = write("t.csv", "id,label,note\na,x,New York\nb,y,London, England\n")
        compute("l1", save("p.npy", [1.0, 2]), f"{t}:label").refuses(3, "t.csv:3", "4 cells instead of 3")

    def test_a_number_that_is_cut_off_within_quotes(self, compute, write):
        compute("squared-error", write("p.csv", '"x"\n"1.25"\n"10.67'), "0").refuses(3, "p.csv", "quote")

    def test_an_archive_in_which_a_reader_would_go_before_the_beginning(self, compute, write):
        compute("l1", write("p.npz", b"PK\x03\x04PK\x05\x06" + bytes(18)), "0").refuses(3, "p.npz")
