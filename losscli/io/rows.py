"""Rows as lines of text, made column by column: many times as fast as row by row, and with the same letters.

Polars makes the text of whole columns. Where its letters differ from Python's, as in 1e-5 and 1e-05, and where a row needs a
closer look, as for a number that is not finite, Python makes that cell or row.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from losscli.arrays import Array
from losscli.io.side_by_side import side_by_side
from losscli.io.strict_json import strict_json

if TYPE_CHECKING:
    import polars as pl

Columns = dict[str, Any]
"""Column name -> array or list, all of the same length."""
RECORDS = 1 << 16
"""Values that are held as Python objects at once."""
FEW = 4096
"""Rows that are written before Polars could be imported."""
PART = 1 << 15
"""Rows of which a thread makes text at once: what it holds meanwhile fits into the cache of a processor core, nearly."""
SMALLEST = 1e-4
"""From this size on, Polars writes floats as Python does."""
UNLIKE = (
    (1e-5, SMALLEST, r"^(-?)0\.0000(\d)(\d*)$", "${1}${2}.${3}e-05", False),
    (1e-5, SMALLEST, ".e-05", "e-05", True),  # of one digit only
    (1e-9, 1e-5, "e-", "e-0", True),
)
"""Where Polars writes floats in another way, by their size: from, to, letters, what Python has in their place, and whether
the letters are no pattern. The smallest sizes have an exponent of two digits or more in both."""


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


def text_of(columns: Columns, layout: Layout, between: str = "") -> Iterator[str]:
    """Yield the lines of rows, with `between` between them, some rows at a time; nothing stands between those pieces."""
    rows = _height(columns)
    if rows > FEW:
        yield from _in_threads(columns, layout, between, rows)
        return
    yield from _row_by_row(columns, layout, between)


def _row_by_row(columns: Columns, layout: Layout, between: str) -> Iterator[str]:
    for i, rows in enumerate(records(columns)):
        yield (between if i else "") + between.join(map(layout.line, rows))


def _in_threads(columns: Columns, layout: Layout, between: str, rows: int) -> Iterator[str]:
    """Yield the text of many rows in order, of which each thread makes a part: what Polars does for it needs no Python."""

    def made(number: int) -> str:
        low = number * PART
        part = {name: values[low : low + PART] for name, values in columns.items()}
        lines = _lines(part, layout)
        text = "".join(_row_by_row(part, layout, between)) if lines is None else lines.str.join(between).item()
        return between + text if low else text

    yield from side_by_side(made, -(-rows // PART))


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


def _lines(columns: Columns, layout: Layout) -> "pl.Series | None":
    """Return the line of each row, or None if a column holds what only Python can write."""
    import polars as pl

    cells: list[pl.Series | pl.Expr] = []
    odd = np.zeros(_height(columns), bool)
    for i, (name, values) in enumerate(columns.items()):
        text = _words(values, layout) if isinstance(values, list) else _numbers(values)
        if text is None:
            return None
        if isinstance(values, np.ndarray) and values.dtype.kind == "f":
            finite = np.isfinite(values)
            odd |= ~(finite if values.ndim == 1 else finite.all(axis=1))
        cells += [pl.lit(layout.before(i, name)), text.alias(str(i))]
    lines = pl.select(pl.concat_str([*cells, pl.lit(layout.behind)]).alias("")).to_series()
    return _with(lines, odd, [layout.line(_row(columns, row)) for row in np.flatnonzero(odd).tolist()])


def _row(columns: Columns, row: int) -> dict[str, Any]:
    return {
        name: values[row].tolist() if isinstance(values, np.ndarray) else values[row]
        for name, values in columns.items()
    }


def _words(values: list[Any], layout: Layout) -> "pl.Series | None":
    """Return the text of words; None if they are no words, or no letters of which text could be made."""
    import polars as pl

    try:
        words = pl.Series(values, dtype=pl.String, strict=True)
    except (TypeError, UnicodeError, pl.exceptions.PolarsError):
        return None
    if words.null_count():
        return None
    special = words.str.contains(layout.special).to_numpy()
    if layout.quote:
        words = pl.select(pl.concat_str(pl.lit(layout.quote), words, pl.lit(layout.quote)).alias("")).to_series()
    return _with(words, special, [layout.word(values[row]) for row in np.flatnonzero(special).tolist()])


def _numbers(values: Any) -> "pl.Series | None":
    """Return the text of numbers, or of lists of them; None if they are others than whole numbers and floats."""
    import polars as pl

    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf" or values.dtype.itemsize > 8:
        return None
    if values.ndim == 2:
        flat = None if not values.shape[1] else _numbers(np.ascontiguousarray(values).reshape(-1))
        if flat is None:
            return None
        joined = flat.reshape(values.shape).arr.join(", ")
        return pl.select(pl.concat_str(pl.lit("["), joined, pl.lit("]"))).to_series()
    if values.dtype.kind != "f":
        return pl.Series(np.ascontiguousarray(values)).cast(pl.String)
    numbers = np.ascontiguousarray(values, np.float64)
    size = np.abs(numbers)
    text = pl.Series(numbers).cast(pl.String)
    if not size.size or size.min() >= SMALLEST:  # most columns: a glance is enough
        return text
    for low, high, letters, by, literal in UNLIKE:
        where = (size >= low) & (size < high)
        if where.any():
            text = _with(text, where, text.filter(pl.Series(where)).str.replace(letters, by, literal=literal))
    return text


def _with(text: "pl.Series", where: Array, others: "Sequence[str] | pl.Series") -> "pl.Series":
    """Return text in which the rows that `where` marks are replaced by others, in their order."""
    import polars as pl

    rows = np.flatnonzero(where)
    return text.scatter(rows, pl.Series(others, dtype=pl.String)) if len(rows) else text
