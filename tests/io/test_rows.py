"""Rows as lines of text: what is made column by column is, letter for letter, what Python makes row by row."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from losscli.io import lines, rows
from losscli.io.rows import JSON, JSON_LINES, text_of
from losscli.render.text import MARKDOWN

pytestmark = pytest.mark.quick
LAYOUTS = {"json": (JSON, ",\n    "), "jsonl": (JSON_LINES, ""), "markdown": (MARKDOWN, "")}


def both(columns, layout, between):
    """The text of rows, made column by column and row by row."""
    kept, rows.FEW = rows.FEW, 0
    try:
        odd = len(rows._not_finite(columns))
        assert rows._at_once(columns, layout, between) is not None or odd > rows._height(columns) / 2
        quick = b"".join(text_of(columns, layout, between)).decode()
    finally:
        rows.FEW = kept
    return quick, between.join(layout.line(row) for part in rows.records(columns) for row in part)


@pytest.fixture(params=LAYOUTS)
def same(request):
    def check(**columns):
        quick, slow = both(columns, *LAYOUTS[request.param])
        assert quick == slow
        return quick

    return check


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(), st.floats(width=32), st.text(st.characters(exclude_categories=["Cs"]))), min_size=1
    ),
    st.sampled_from(sorted(LAYOUTS)),
)
@example([(1e-05, 1.0, "a|b\n"), (1e16, math.nan, '"\\'), (-0.0, 0.0, "\x7f\u202e\U0001f600")], "json")
def test_all_numbers_and_words(cells, layout):
    numbers, narrow, words = zip(*cells, strict=True)
    columns = {
        "sample": np.arange(len(cells)),
        "id": list(words),
        "loss": np.array(numbers),
        "narrow": np.array(narrow, np.float32),
        'a "name"': np.array([[x, y] for x, y in zip(numbers, narrow, strict=True)]),
    }
    quick, slow = both(columns, *LAYOUTS[layout])
    assert quick == slow


def test_numbers_of_all_magnitudes(same):
    bits = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    drawn = bits.view(np.float64)
    powers = 10.0 ** np.random.default_rng(1).uniform(-8, 20, 20_000)
    whole = np.concatenate([np.arange(-1000.0, 1000), 2.0 ** np.arange(-200, 200), 10.0 ** np.arange(-30, 30)])
    for numbers in (drawn, powers, whole, np.nextafter(whole, np.inf), powers.astype(np.float32)):
        same(loss=numbers)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_whole_numbers(same, dtype):
    limits = np.iinfo(dtype)
    same(target=np.array([limits.min, 0, 1, limits.max], dtype))


def test_lists(same):
    found = same(target=np.array([[0, 1], [1, 0]]), losses=np.array([[0.5, 1e-7], [np.inf, 2.0]], np.float32))
    assert "[0, 1]" in found
    same(target=np.zeros((3, 1)))
    same(target=np.asfortranarray(np.arange(6.0).reshape(3, 2)))


def test_a_row_that_is_not_finite(same):
    assert same(loss=np.array([1.0, np.inf, np.nan, 2.0]), id=["a", "b|", "c", "d"])


def few(**others):
    """A thousand rows, of which few are not as Polars writes them."""
    x, y = np.ones(1000), np.ones(1000, np.float32)
    x[[3, 500, 999]] = 1e-5, 2.5e-7, -0.000012345
    y[[0, 3, 400, 501, 999]] = np.nan, np.inf, -np.inf, 1e-8, 1e-5
    return {"id": [f"a{i}" if i % 100 else '"\x1e\x1f|' for i in range(1000)], "x": x, "y": y} | others


def test_few_cells_and_rows_that_python_writes(same):
    assert len(rows._numbers(few()["x"]).others) == 3
    same(**few())
    same(**few(x=np.arange(1000)))
    same(x=few()["x"])


def test_text_that_is_cut_anywhere(same, monkeypatch):
    def in_halves(taken, piece):
        taken.pieces += [piece[:50], piece[50:]]
        return len(piece)

    monkeypatch.setattr(lines._Taken, "write", in_halves)
    monkeypatch.setattr(lines, "AT_ONCE", 61)
    same(**few())


@pytest.mark.parametrize(
    "word", ["WWW.a.b", "gh-1", "Mailto:x", "a:b", "a:b:c", "::", "xmpp:", "0" * 40, "F" * 40, "www", "-", " a ", ""]
)
def test_words_with_a_meaning_in_markdown_only(same, word):
    same(id=[word, "plain"])


@pytest.mark.parametrize("column", [[1, 2], ["a", None], ["\udcff", "b"], [["a"], ["b"]]])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_only_python_writes(column, layout):
    assert rows._at_once({"x": column}, *LAYOUTS[layout]) is None


def test_others_are_left_to_python():
    for column in (np.array([True, False]), np.zeros((2, 0)), np.array(["a", "b"])):
        assert rows._at_once({"x": column}, JSON, "") is None


@pytest.mark.parametrize("suffix", ["jsonl", "md", "json"])
@pytest.mark.parametrize("words", [(), ("--elements",), ("--sample-weight", "w.npy")], ids=["", "elements", "weights"])
def test_files_are_the_same_bytes(compute, save, monkeypatch, folder, suffix, words):
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(300, 3)) * 10.0 ** numbers.uniform(-9, 3, (300, 1))
    p, t, _ = save("p.npy", x), save("t.npy", numbers.normal(size=(300, 3))), save("w.npy", numbers.uniform(size=300))
    written = []
    for few in (0, 10**9):
        monkeypatch.setattr(rows, "FEW", few)
        assert compute("mse", p, t, "--per-sample", "-o", f"out.{suffix}", *words).code == 0
        written.append((folder / f"out.{suffix}").read_bytes())
    assert written[0] == written[1]
    assert written[0].count(b"\n") >= 300


def test_the_test_can_fail():
    """Polars alone writes some numbers otherwise."""
    assert pl.Series([1e-5]).cast(pl.String).item() != repr(1e-5)


def test_parts_are_joined_in_order(monkeypatch):
    monkeypatch.setattr(rows, "PART", 7)
    columns = {
        "sample": np.arange(100),
        "id": [f"a{i}" if i % 9 else '"' for i in range(100)],
        "x": np.arange(100) * 1e-6,
    }
    for layout, between in LAYOUTS.values():
        quick, slow = both(columns, layout, between)
        assert quick == slow
    columns["id"][50] = None  # only Python writes it: in this part, and not in others
    monkeypatch.setattr(rows, "FEW", 0)
    found = b"".join(text_of(columns, JSON, ", ")).decode()
    assert found == ", ".join(map(JSON.line, next(rows.records(columns))))
