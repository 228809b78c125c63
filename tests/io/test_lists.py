"""Cells that hold lists of numbers, as pandas and NumPy write arrays into tables: each number is a column."""

import math

import pytest

from losscli.io import csv as csvfile

EXPECTED = pytest.approx((math.log1p(math.exp(-1.5)) + math.log1p(math.exp(-2))) / 2, rel=1e-12)
"""Cross-entropy of logits 2, 0.5 of the first class and -1, 1 of the second."""


@pytest.fixture(params=[True, False], ids=["small", "large"], autouse=True)
def small(request, monkeypatch):
    monkeypatch.setattr(csvfile, "SMALL", 1 << 16 if request.param else 0)


@pytest.mark.parametrize(
    "cells",
    [
        ['"[2.0, 0.5]"', '"[-1, 1]"'],
        ["[2.  0.5]", "[-1.  1. ]"],
        ['"[2.0,0.5]"', '"[ -1,\n 1 ]"'],
        ['"[2e0, 0.5,]"', "[-1 1]"],
    ],
)
class TestLists:
    def test_one_column(self, compute, write, cells):
        t = write("t.csv", "label\n0\n1\n")
        named = compute("ce", write("p.csv", "probs\n" + "\n".join(cells) + "\n"), t).json
        assert (named["value"], named["receipt"]["predictions"]["columns"]) == (EXPECTED, ["probs[0]", "probs[1]"])
        p = write("p.csv", "\n".join(cells) + "\n")
        found = compute("ce", p, t).json
        assert found["value"] == EXPECTED
        assert found["receipt"]["predictions"]["shape"] == [2, 2]

    def test_a_column_of_a_table(self, compute, write, save, cells):
        p = write("p.csv", f"id,z,label\nx,{cells[0]},0\ny,{cells[1]},1\n")
        t = save("t.npy", [0, 1])
        assert compute("ce", f"{p}:z", t).json["value"] == EXPECTED
        assert compute("ce", f"{p}:z", f"{p}:label").json["value"] == EXPECTED
        assert compute("ce", p, f"{p}:label", "--id", "id").json["value"] == EXPECTED
        assert compute("ce", p, t, "--columns", "z").json["value"] == EXPECTED
        assert compute("ce", p, t, "--columns", "z[1],z[0]", "--classes", "dog,cat").json["value"] != EXPECTED
        assert compute("l1", f"{p}:z[1]", "0").json["value"] == 0.75


def test_lists_as_targets(compute, write, save):
    p, t = save("p.npy", [[2.0, 0.5], [-1.0, 1.0]]), write("t.csv", 'id,t\nx,"[1, 0]"\ny,"[0, 1]"\n')
    assert compute("ce", p, f"{t}:t").json["value"] == EXPECTED


@pytest.mark.parametrize(
    ("second", "parts"),
    [
        ("[1 2 3]", ("p.csv:3", '"z"', "3 numbers", "the first one has 2")),
        ("[1 x]", ("p.csv:3", '"z"', "no list of numbers")),
        ("5", ("p.csv:3", '"z"', "no list of numbers")),
        ("[0.1 ... 0.9]", ("p.csv:3", "NumPy has left out a part", "numpy.save")),
    ],
)
def test_other_cells_are_refused(compute, write, second, parts):
    p = write("p.csv", f"id,z\nx,[1 2]\ny,{second}\n")
    compute("mse", f"{p}:z", "0").refuses(3, *parts)


def test_words_in_brackets_are_words(compute, write):
    p, t = write("p.csv", "[a],[b]\n2,0.5\n-1,1\n"), write("t.csv", "note,label\n[CLS] x,[a]\n[1],[b]\n")
    assert compute("ce", p, f"{t}:label").json["value"] == EXPECTED
