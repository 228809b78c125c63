"""Rows as lines of text, made column by column: many times as fast as row by row, and with the same letters.

Polars makes the text of whole columns. Where its letters differ from Python's, as in 1e-5 and 1e-05, and where a row needs a
closer look, as for a number that is not finite, that cell or row is made apart.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.io.lines import Around, Hole, lines_of
from losscli.io.strict_json import strict_json
from losscli.records import NamedTuple

if TYPE_CHECKING:
    import polars as pl

Columns = dict[str, Any]
"""Column name -> array or list, all of the same length."""
Text = bytes | memoryview
RECORDS = 1 << 16
"""Values that are held as Python objects at once."""
FEW = 4096
"""Rows that are written before Polars could be imported."""
PART = 1 << 17
"""Rows of which text is made at once: many, since each call of Polars' writer takes a quarter of a millisecond, but not all."""
UNLIKE = (
    (1e-5, 1e-4, r"^(-?)0\.0000(\d)(\d*)$", "${1}${2}.${3}e-05", False),
    (1e-5, 1e-4, ".e-05", "e-05", True),  # of one digit only
    (1e-9, 1e-5, "e-", "e-0", True),
)
"""Where Polars writes floats in another way, by their size: from, to, letters, what Python has in their place, and whether
the letters are no pattern. The smallest sizes have an exponent of two digits or more in both."""
MOST_UNLIKE = 1 / 32
"""The share of such numbers up to which Polars writes a column as numbers, without them."""


class Layout(NamedTuple):
    """How a row becomes a line: what stands before each cell and behind the last one, and how words are written.

    `special` is a regular expression, for Polars, of words that only `word` can write; all others stand between two `quote`.
    `line` makes the line of a whole row.
    """

    before: Callable[[int, str], str]
    behind: str
    quote: str
    special: str
    word: Callable[[str], str]
    line: Callable[[dict[str, Any]], str]


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


JSON = Layout(
    lambda i, name: ("{" if i == 0 else ", ") + _text(name) + ": ", "}", '"', r'["\\\x00-\x1f]', _text, strict_json
)
JSON_LINES = JSON._replace(behind="}\n", line=lambda row: strict_json(row) + "\n")


def text_of(columns: Columns, layout: Layout, between: str = "") -> Iterator[Text]:
    """Yield the lines of rows, with `between` between them, some rows at a time; nothing stands between those pieces.

    A piece is valid until the next is yielded.
    """
    rows = _height(columns)
    for low in range(0, rows, PART):
        part = {name: values[low : low + PART] for name, values in columns.items()}
        if low:
            yield between.encode()
        yield from (_at_once(part, layout, between) if rows > FEW else None) or _row_by_row(part, layout, between)


def _row_by_row(columns: Columns, layout: Layout, between: str) -> Iterator[Text]:
    for i, rows in enumerate(records(columns)):
        yield ((between if i else "") + between.join(map(layout.line, rows))).encode()


def records(columns: Columns) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows as records of plain Python values, some rows at a time."""
    width = sum(
        column.shape[1] if isinstance(column, np.ndarray) and column.ndim > 1 else 1 for column in columns.values()
    )
    step = max(1, RECORDS // width)
    for low in range(0, _height(columns), step):
        parts = [column[low : low + step] for column in columns.values()]
        lists = [part.tolist() if isinstance(part, np.ndarray) else list(part) for part in parts]
        yield [dict(zip(columns, values, strict=True)) for values in zip(*lists, strict=True)]


def _height(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def _at_once(columns: Columns, layout: Layout, between: str) -> Iterator[Text] | None:
    """Return the lines of rows with `between` between them, in pieces; None if Python has to write a column, or most rows."""
    odd = _not_finite(columns)
    if len(odd) > _height(columns) // 2:
        return None
    found = [_words(values, layout) if isinstance(values, list) else _numbers(values) for values in columns.values()]
    cells = [column for column in found if column is not None]
    if len(cells) < len(columns):
        return None
    first, *gaps = [layout.before(i, name) for i, name in enumerate(columns)]
    lines = {row: layout.line(_row(columns, row)) for row in odd.tolist()}
    holes = [Hole(row, 0, line[len(first) : -len(layout.behind)].encode(), True) for row, line in lines.items()]
    for i, column in enumerate(cells):
        others = zip(column.rows.tolist(), column.others, strict=True)
        holes += [Hole(row, i, text.encode(), False) for row, text in others if row not in lines]
    series = [column.alike.scatter(column.rows, None) if len(column.rows) else column.alike for column in cells]
    if lines:
        series[0] = series[0].scatter(odd, None)
    return lines_of(series, holes, Around(first, gaps, layout.behind, layout.behind + between + first))


def _not_finite(columns: Columns) -> Array:
    """Return the rows in which a number is not finite."""
    odd = np.zeros(_height(columns), bool)
    for values in columns.values():
        if isinstance(values, np.ndarray) and values.dtype.kind == "f":
            finite = np.isfinite(values)
            odd |= ~(finite if values.ndim == 1 else finite.all(axis=1))
    return np.flatnonzero(odd)


def _row(columns: Columns, row: int) -> dict[str, Any]:
    return {
        name: values[row].tolist() if isinstance(values, np.ndarray) else values[row]
        for name, values in columns.items()
    }


class _Cells(NamedTuple):
    """A column of numbers or text that Polars writes as Python does, but for those in some `rows`, which are `others`."""

    alike: "pl.Series"
    rows: Array = np.zeros(0, np.int64)
    others: Sequence[str] = ()


def _words(values: list[Any], layout: Layout) -> _Cells | None:
    """Return the text of words; None if they are no words, or no letters of which text could be made."""
    import polars as pl

    try:
        words = pl.Series(values, dtype=pl.String, strict=True)
    except (TypeError, UnicodeError, pl.exceptions.PolarsError):
        return None
    if words.null_count():
        return None
    special = np.flatnonzero(words.str.contains(layout.special).to_numpy())
    if layout.quote:
        words = pl.select(pl.concat_str(pl.lit(layout.quote), words, pl.lit(layout.quote)).alias("")).to_series()
    return _Cells(_with(words, special, [layout.word(values[row]) for row in special.tolist()]))


def _numbers(values: Any) -> _Cells | None:
    """Return numbers, or the text of lists of them; None if they are others than whole numbers and floats."""
    import polars as pl

    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf" or values.dtype.itemsize > 8:
        return None
    if values.ndim == 2:
        if not values.shape[1]:
            return None
        joined = _as_text(np.ascontiguousarray(values).reshape(-1)).reshape(values.shape).arr.join(", ")
        return _Cells(pl.select(pl.concat_str(pl.lit("["), joined, pl.lit("]"))).to_series())
    if values.dtype.kind != "f":
        return _Cells(pl.Series(np.ascontiguousarray(values)))
    numbers = np.ascontiguousarray(values, np.float64)
    unlike = _unlike(numbers)
    if len(unlike) > len(numbers) * MOST_UNLIKE:
        return _Cells(_as_text(numbers))
    return _Cells(pl.Series(numbers), unlike, list(map(repr, numbers[unlike].tolist())))


def _unlike(numbers: Array) -> Array:
    """Return which numbers Polars writes otherwise than Python."""
    size = np.abs(numbers)
    return np.flatnonzero((size >= UNLIKE[-1][0]) & (size < UNLIKE[0][1]))


def _as_text(numbers: Array) -> "pl.Series":
    """Return the text of whole numbers or floats, as Python writes them."""
    import polars as pl

    if numbers.dtype.kind != "f":
        return pl.Series(numbers).cast(pl.String)
    wide = numbers.astype(np.float64)
    text, size = pl.Series(wide).cast(pl.String), np.abs(wide)
    if not len(_unlike(wide)):  # most columns: a glance is enough
        return text
    for low, high, letters, by, literal in UNLIKE:
        rows = np.flatnonzero((size >= low) & (size < high))
        text = _with(text, rows, text.gather(rows).str.replace(letters, by, literal=literal))
    return text


def _with(text: "pl.Series", rows: Array, others: "Sequence[str] | pl.Series") -> "pl.Series":
    """Return text in which some rows are replaced by others, in their order."""
    import polars as pl

    return text.scatter(rows, pl.Series(others, dtype=pl.String)) if len(rows) else text
