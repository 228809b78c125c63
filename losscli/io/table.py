"""Tables: files whose columns get a role by name, read some rows at a time; their columns as Sources.

What a column means depends on the loss. Ids and labels stay as they are in the file: 007 is not 7, and NA is a word.
Polars does the parsing, and is imported only when such a file is opened.
"""

import math
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.io.npy import NpySource
from losscli.io.source import ShardedSource, Source
from losscli.numerals import as_number, is_count
from losscli.records import dataclass
from losscli.wording import count, did_you_mean, listing, shortened

if TYPE_CHECKING:
    import polars as pl

    from losscli.io.text import TextColumn

KEYS = 10_000
"""Rows by which two files are compared that may have the same keys in another order."""
SHOWN = 60
"""Letters of a cell that a message shows."""
DECIMAL_COMMA = r"[+-]?([0-9]*,[0-9]+|[0-9]+,)([eE][+-]?[0-9]+)?"
MISSING = frozenset({"na", "n/a", "#n/a", "?", "-", ".", "null", "none", "nil", "missing", "(null)", "<na>"})
"""Words, in lower case, that stand for a missing value."""
PERCENT = r"[+-]?\d+([.,]\d+)?\s*%"


class Table:
    """A table: the names of its columns, if it has a header, and its cells.

    `settled` says whether the user told if the first row is a header; otherwise `doubt` is a message about it, if there
    is a doubt. `cuts` are the rows between which the table is best read, including 0 and the number of rows. A chunk is
    the rows from one cut to the next. Columns are numbered from 0.
    """

    name: str
    names: tuple[str, ...] | None
    width: int
    cuts: list[int]
    doubt: str | None = None
    settled: bool = False
    index_columns: tuple[str, ...] = ()
    """Names of columns that the file itself calls an index, as pandas writes it: no data unless they are named."""
    first_row: tuple[str, ...] = ()
    """The cells of the first row of a text file, whether it is a header or not; empty for other files."""
    first_quoted: bool = False
    """Whether cells of the first row are in quotes."""
    notes: tuple[str, ...] = ()
    """What the user is told about how the file was read."""
    decimal: str = "."
    """The decimal sign of numbers in text."""
    unsaid_commas: bool = False
    """Whether commas separate cells without a header or an option that says so: they may be decimal commas."""
    row_names: int | None = None
    """The column of row names, which is no data, where the file says so by a header without its name."""
    only_by_name: frozenset[int] = frozenset()
    """Columns that have a role only where an option or FILE:COLUMN names them."""
    cells_are_lists: bool = False
    """Whether `cells` returns lists of Python's text, rather than Polars series."""

    def frame(self, chunk: int, numbers: Sequence[int]) -> "pl.DataFrame":
        """Return columns of a chunk as they are in the file: text, if the file is text."""
        raise NotImplementedError

    def quick(self, chunk: int, numbers: Sequence[int]) -> "Array | None":
        """Return columns of a chunk as float64, shape (n, len(numbers)), or None if their
        cells must be looked at one by one.
        """
        return None

    def place(self, row: int, column: int | None = None) -> str:
        """Return the place of a cell for messages: file, line as an editor counts it, and column."""
        raise NotImplementedError

    def dtype(self, numbers: Sequence[int]) -> "np.dtype[Any]":
        """Return the dtype of columns that are read as numbers: float32 if all are stored in it, else float64."""
        return np.dtype(np.float64)

    def pointed(self, cells: "pl.DataFrame") -> "pl.DataFrame":
        """Return cells with decimal points, null where a cell is no number for its decimal sign."""
        return cells

    def first_cells(self, rows: int) -> list[list[str]]:
        """Return the first rows of a text file, at most so many, as they are written."""
        raise NotImplementedError

    @property
    def quoted_below(self) -> bool:
        """Whether cells below the first row of a text file are in quotes."""
        return False

    def head(self, rows: int) -> list[list[str]]:
        """Return the rows that follow the first row of a text file, at most so many, without blanks around their cells."""
        cells = self.first_cells(rows) if self.names else self.first_cells(rows + 1)[1:]
        return [[cell.strip() for cell in row] for row in cells]

    def is_text(self, number: int) -> bool:
        """Whether a column is text, rather than the numbers or booleans of a typed file."""
        return True

    def is_truth(self, number: int) -> bool:
        """Whether a column of a typed file is of booleans."""
        return False

    def breadth(self, number: int) -> int | None:
        """Return the length of the lists in a column, or None if its cells are no lists."""
        return None

    def headed(self) -> "Table":
        """Return the table with its first row read as its header."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise a DataError if some rows are damaged; called where two files have different numbers of rows."""
        for chunk in range(len(self.cuts) - 1):
            self.frame(chunk, [self.width - 1])

    @property
    def height(self) -> int:
        return self.cuts[-1]

    @property
    def first(self) -> int:
        """The number of header rows in the file: 1 if there is a header, else 0."""
        return 1 if self.names else 0

    def label(self, number: int) -> str:
        """Return how messages name a column."""
        return f'column "{self.names[number]}"' if self.names else f"column {number + 1}"

    def find(self, column: str) -> int:
        """Return the number of a column, from its name or, without a header, from its number as text, from 1.

        Raises
        ------
        DataError
            if there is no such column, or more than one.
        """
        if self.names is None:
            if is_count(column) and 1 <= int(column) <= self.width:
                return int(column) - 1
            raise DataError(
                f"{self.name}: no column {column!r}: the file has no header and {count(self.width, 'column')}; "
                "say a number from 1 on, or --header if its first row is one"
            )
        places = [i for i, name in enumerate(self.names) if name == column]
        if not places:
            near = self._hint_of_blanks or did_you_mean(column, self.names)
            raise DataError(f"{self.name}: no column {column!r}; its columns: {listing(map(repr, self.names))}{near}")
        if len(places) > 1:
            numbers = listing(place + 1 for place in places)
            if not column:
                raise DataError(
                    f"{self.name}: {len(places)} columns have no name ({numbers}); pick the others with --columns NAME,..., or name them"
                )
            raise DataError(f"{self.name}: {len(places)} columns are called {column!r} ({numbers}); rename all but one")
        return places[0]

    def named(self, column: str) -> list[int]:
        """Return the columns that a name stands for, of which `find` returns the first: several for a column of lists."""
        return [self.find(column)]

    def pick(self, patterns: str, free: Sequence[int] | None = None) -> list[int]:
        """Return the columns that match a comma-separated list of names, shell patterns or numbers from 1, in that order.

        The pattern '*' stands for all columns in `free`, those that nothing else uses; by default for all. A pattern that
        begins with '!' leaves out the columns that match the rest of it: of those picked before it, or of `free`.

        Raises
        ------
        DataError
            if a pattern matches no column.
        """
        free = range(self.width) if free is None else free
        return picked(patterns, free, self.names or (), self.fitting, self.name)

    def fitting(self, pattern: str) -> list[int]:
        """Return the columns that match a name, a shell pattern or, without names, a number from 1.

        Raises a DataError if there is none.
        """
        if self.names is None or pattern in self.names:
            return [self.find(pattern)]
        matching = [i for i, name in enumerate(self.names) if fnmatchcase(name, pattern)]
        if not matching:
            raise DataError(
                f"{self.name}: --columns: no column matches {pattern!r}; its columns: {listing(map(repr, self.names))}"
                f"{self._hint_of_blanks}"
            )
        return matching

    @property
    def _hint_of_blanks(self) -> str:
        """The end of a message about a missing column, if blanks may separate the cells of the only one."""
        one = self.names is not None and len(self.names) == 1 and " " in self.names[0]
        return "; if blanks separate cells, say --sep blanks" if one else ""

    def name_column(self) -> int | None:
        """Return the column that holds the names of classes: one called class, label or
        name, else the first one of words.
        """
        for i, name in enumerate(self.names or ()):
            if name.lower() in ("class", "label", "name"):
                return i
        for i in range(self.width):
            cells = self.text(i).cells
            if cells and not any(is_finite_number(cell or "") for cell in cells):
                return i
        return None

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """Columns that were read as a whole already, in case they are needed again."""
        return {}

    def text(self, number: int, most: int | None = None) -> "TextColumn":
        """Return a column as text, with each distinct cell stored once; raise a DataError if there are more than `most` of these."""
        if number not in self.kept:
            from losscli.io.text import Coder

            coder = Coder(self.name, self, number, most=most)
            for chunk in range(len(self.cuts) - 1):
                coder.add(self.cells(chunk, number))
            self.kept[number] = coder.column()
        column: TextColumn = self.kept[number]
        return column

    def copied(self, numbers: Sequence[int], cure: str = "", missing: bool = False) -> Source:
        """Return the columns as `source` does, but from a copy that can be read and cut at any row.

        `missing` says that empty cells, and words for missing values, are NaN.
        """
        key = ("copied", missing, tuple(numbers))
        if missing and not (len(numbers) == 1 and self.breadth(numbers[0]) is not None):
            source: Source = TableSource(self, tuple(numbers), cure, len(numbers) == 1, missing=True)
        else:
            source = self.source(numbers, cure)
        if source.cuts is None:
            return source
        if key not in self.kept:
            self.kept[key] = NpySource.copy(source)
        copy: Source = self.kept[key]
        return copy

    def first_unlike(self, other: "Table", column: str) -> int | None:
        """Return the first row in which a column of both tables has different values, of which the other has some too.

        None if there is none, or the tables have different numbers of rows or are in pieces of different sizes.
        """
        import polars as pl

        if self.cuts != other.cuts:
            return None
        for chunk, start in enumerate(self.cuts[:-1]):
            ours, theirs = (table.frame(chunk, [table.find(column)]).to_series(0) for table in (self, other))
            if ours.dtype != theirs.dtype:
                ours, theirs = ours.cast(pl.String), theirs.cast(pl.String)
            unlike = ours.ne_missing(theirs)
            if unlike.any():
                return start + int(unlike.arg_max() or 0) if ours.is_in(theirs.implode()).any() else None
        return None

    def reorders(self, other: "Table", column: str) -> bool:
        """Whether a column of both tables has values that differ from row to row, in other rows of the other table.

        Only the first rows are looked at.
        """
        import polars as pl

        rows = min(self.height, other.height, KEYS)
        if not rows:
            return False
        try:
            ours, theirs = (table.frame(0, [table.find(column)]).to_series(0).head(rows) for table in (self, other))
        except DataError:  # of lists, and others that are no keys
            return False
        rows = min(len(ours), len(theirs))
        ours, theirs = ours.head(rows).cast(pl.String), theirs.head(rows).cast(pl.String)
        if not (ours != theirs).any() or ours.n_unique() < rows or theirs.n_unique() < rows:
            return False
        shared = int(ours.is_in(theirs.implode()).sum())
        return shared >= 2 and 100 * shared >= rows

    def cells(self, chunk: int, number: int) -> "pl.Series | list[str | None]":
        """Return a column of a chunk as text: a list if `cells_are_lists`, else a Polars series."""
        import polars as pl

        return self.frame(chunk, [number]).to_series(0).cast(pl.String).alias("")

    def source(self, numbers: Sequence[int], cure: str = "", one_axis: bool = True) -> Source:
        """Return columns as a source of numbers: (n, k) for several, and for one column (n,)
        or, without `one_axis`, (n, 1).

        `cure` is the end of the message about a cell that is not a number.
        """
        return TableSource(self, tuple(numbers), cure, len(numbers) == 1 and one_axis)

    def numbers(self, chunk: int, numbers: Sequence[int], cure: str, missing: bool = False) -> Array:
        """Return columns of a chunk as numbers, shape (n, len(numbers)); if `missing`, NaN for missing values.

        Raises
        ------
        DataError
            at the first cell that is not a number.
        """
        array = self.quick(chunk, numbers)
        return array if array is not None else self._checked(chunk, numbers, cure, missing)

    def _checked(self, chunk: int, numbers: Sequence[int], cure: str, missing: bool) -> Array:
        """Return columns of a chunk as numbers, after a look at each cell."""
        import polars as pl

        cells = self.frame(chunk, numbers)
        parsed, text = _parsed(self.pointed(cells))
        for j, nulls in enumerate(parsed.null_count().row(0)):
            bad = parsed.to_series(j).is_null() if nulls else None
            if missing and bad is not None:
                words = cells.to_series(j).cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()
                bad &= ~words.is_in(["", *MISSING])
            if bad is not None and bad.any():
                self._refuse(chunk, numbers[j], bad, cure)
        array = (parsed.fill_null(np.nan) if missing else parsed).to_numpy()
        for j in np.flatnonzero(np.isinf(array).any(axis=0)).tolist() if text else []:
            huge = np.isinf(array[:, j]) & ~cells.to_series(j).cast(pl.String).str.contains("(?i)inf").to_numpy()
            if huge.any():
                self._refuse(chunk, numbers[j], pl.Series(huge), cure)
        return np.ascontiguousarray(array, np.float64 if missing else self.dtype(numbers))

    def _refuse(self, chunk: int, number: int, bad: "pl.Series", cure: str) -> None:
        """Raise a DataError about the first bad cell of a column, with the number of further ones."""
        row = int(bad.arg_true()[0])
        cell = self.frame(chunk, [number]).to_series(0)[row]
        others = int(bad.sum()) - 1
        for later in range(chunk + 1, len(self.cuts) - 1):
            others += _parsed(self.pointed(self.frame(later, [number])))[0].null_count().row(0)[0]
        more = f" (and {count(others, 'more cell')} of this column)" if others else ""
        raise DataError(
            f"{self.place(self.cuts[chunk] + row, number)}: {_not_a_number(cell, self, cure, more)}",
            cures=_cures(cell, self),
        )


def picked(
    patterns: str, free: Sequence[int], names: Sequence[str], fitting: Callable[[str], list[int]], file: str
) -> list[int]:
    """Return the columns that match patterns, as `Table.pick` describes them.

    Parameters
    ----------
    free
        the columns that '*' stands for.
    names
        names that may begin with '!', and then leave out nothing.
    fitting
        returns the columns that match one pattern.
    """
    chosen: list[int] = []
    for number, pattern in enumerate(patterns.split(",")):
        without = pattern.startswith("!") and pattern not in names
        wanted = pattern[1:] if without else pattern
        matching = list(free) if wanted == "*" else fitting(wanted)
        if without:
            chosen = [i for i in (chosen if number else free) if i not in matching]
        else:
            chosen += [i for i in matching if i not in chosen]
    if not chosen:
        raise DataError(f"{file}: --columns {patterns} leaves no column")
    return chosen


def _parsed(cells: "pl.DataFrame") -> tuple["pl.DataFrame", list[str]]:
    """Return cells as float64, null where they are not a number, and the names of the columns that are text."""
    import polars as pl

    text = [name for name, dtype in zip(cells.columns, cells.dtypes, strict=True) if dtype == pl.String]
    return cells.with_columns(pl.col(text).str.strip_chars()).cast(pl.Float64, strict=False), text


@dataclass
class TableSource:
    """Columns of a table as numbers, read one chunk of its rows at a time."""

    table: Table
    numbers: tuple[int, ...]
    cure: str
    flat: bool
    missing: bool = False
    """Whether missing values are NaN, and not an error."""
    _first: Array | None = None
    """The first chunk, if it was read before the others."""

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.table.height,) if self.flat else (self.table.height, len(self.numbers))

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float64) if self.missing else self.table.dtype(self.numbers)

    @property
    def columns(self) -> tuple[str, ...] | None:
        return tuple(self.table.names[i] for i in self.numbers) if self.table.names else None

    @property
    def grain(self) -> int:
        return max(np.diff(self.table.cuts).max(initial=0), 2)

    @property
    def cuts(self) -> list[int]:
        return self.table.cuts

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        cuts = self.table.cuts
        arrays = []
        for chunk in range(np.searchsorted(cuts, start, side="right") - 1, len(cuts) - 1):
            if cuts[chunk] >= stop:
                break
            array = self._chunk(chunk)
            arrays.append(array[max(start - cuts[chunk], 0) : stop - cuts[chunk]])
        if not arrays:
            arrays = [np.zeros((0, len(self.numbers)), self.dtype)]
        array = np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
        return array[:, 0] if self.flat else array

    def _chunk(self, chunk: int) -> Array:
        if chunk == 0 and self._first is not None:
            return self._first
        numbers = self.table.numbers(chunk, self.numbers, self.cure, self.missing)
        return numbers.astype(self.dtype, copy=False)

    def same(self, other: "TableSource") -> bool:
        """Whether the other source has the same columns of the same table."""
        return self.table is other.table and (self.numbers, self.flat) == (other.numbers, other.flat)

    def look(self) -> None:
        """Parse the first rows now, so that a wrong column of predictions is known before other files are read."""
        if len(self.cuts) > 1:
            self._first = self._chunk(0)

    def place(self, row: int, column: int | None = None) -> str:
        column = 0 if column is None and len(self.numbers) == 1 else column
        return self.table.place(row, None if column is None else self.numbers[column])


class Stacked(Table):
    """Several tables as one, their rows one after another; they must have the same columns."""

    def __init__(self, name: str, tables: Sequence[Table]) -> None:
        first = tables[0]
        for other in tables[1:]:
            if other.names != first.names or other.width != first.width:
                raise _columns_differ(first, other)
        self.name, self.names, self.width, self.settled = name, first.names, first.width, first.settled
        self.doubt = next((table.doubt for table in tables if table.doubt), None)
        self.tables, self.index_columns = tables, first.index_columns
        self.first_row, self.first_quoted = first.first_row, first.first_quoted
        self.notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
        self.row_names, self.unsaid_commas = first.row_names, first.unsaid_commas
        self.only_by_name = first.only_by_name
        self.starts: Array = np.cumsum([0, *(table.height for table in tables)])
        self.chunks = [(table, chunk) for table in tables for chunk in range(len(table.cuts) - 1)]
        self.cuts = [0]
        for start, table in zip(self.starts, tables, strict=False):
            self.cuts += [int(start) + cut for cut in table.cuts[1:]]

    def frame(self, chunk: int, numbers: Sequence[int]) -> "pl.DataFrame":
        table, part = self.chunks[chunk]
        return table.frame(part, numbers)

    def quick(self, chunk: int, numbers: Sequence[int]) -> Array | None:
        table, part = self.chunks[chunk]
        return table.quick(part, numbers)

    def dtype(self, numbers: Sequence[int]) -> np.dtype[Any]:
        return np.result_type(*(table.dtype(numbers) for table in self.tables))

    def is_text(self, number: int) -> bool:
        return any(table.is_text(number) for table in self.tables)

    def is_truth(self, number: int) -> bool:
        return all(table.is_truth(number) for table in self.tables)

    def place(self, row: int, column: int | None = None) -> str:
        part = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.tables[part].place(row - int(self.starts[part]), column)

    @property
    def quoted_below(self) -> bool:
        return self.tables[0].quoted_below

    def first_cells(self, rows: int) -> list[list[str]]:
        return self.tables[0].first_cells(rows)

    def breadth(self, number: int) -> int | None:
        first, *others = ((table, table.breadth(number)) for table in self.tables)
        for table, breadth in others:
            if breadth != first[1]:
                lists = [
                    f"{of.name} has {'no lists' if k is None else f'lists of {k}'}"
                    for of, k in (first, (table, breadth))
                ]
                raise DataError(
                    f"{self.name}, {self.label(number)}: {' and '.join(lists)}; all lists must have the same length"
                )
        return first[1]

    def source(self, numbers: Sequence[int], cure: str = "", one_axis: bool = True) -> Source:
        if len(numbers) == 1 and self.breadth(numbers[0]) is not None:
            return ShardedSource(self.name, [table.source(numbers, cure, one_axis) for table in self.tables])
        return super().source(numbers, cure, one_axis)

    def headed(self) -> Table:
        return Stacked(self.name, [table.headed() for table in self.tables])


def _columns_differ(first: Table, other: Table) -> DataError:
    """Return the error about two parts of a table that have other columns."""
    numbers = all(any(map(parses_as_number, table.names or ())) for table in (first, other))
    cure = "; if their first rows are data, say --no-header" if numbers and not first.settled else ""
    return DataError(
        f"{other.name}: its columns ({listing(other.names or [other.width])}) differ from those of "
        f"{first.name} ({listing(first.names or [first.width])}){cure}"
    )


def _not_a_number(cell: Any, table: Table, otherwise: str, more: str) -> str:
    """Return the message about a cell that is not a number, with the most likely cure. `more` says how many others are like it."""
    if cell is None or not str(cell).strip():
        return f"the cell is empty, where a number is needed{more}; fill it, or leave out the row"
    text = str(cell)
    shown = repr(shortened(text, SHOWN))
    if table.decimal == "," and "." in text:
        return f"{shown} has a point, and --decimal , says that decimals have commas{more}; write all numbers alike"
    if parses_as_number(text):
        return f"{shown} is too large for a float64{more}; write inf if it is meant to be infinite"
    cure = _cure_of_text(text) or (
        "; if the first row is a header, say --header"
        if table.names is None
        else "; a missing value? Fill it, or leave out the row"
        if text.strip().lower() in MISSING
        else otherwise or "; correct the cell, or leave out the row"
    )
    return f"{shown} is not a number{more}{cure}"


def _cures(cell: Any, table: Table) -> tuple[tuple[str, str], ...]:
    """Return the option that may make a number of a cell."""
    commas = table.decimal != "," and cell is not None and is_decimal_comma(str(cell))
    return (("--decimal", ","),) if commas else ()


def _cure_of_text(text: str) -> str:
    """Return the cure for a cell whose text shows what it is; '' if it shows nothing."""
    if ";" in text:
        return "; the file looks separated by semicolons: say --sep ';'"
    if re.fullmatch(r"\s*\[.*\]\s*", text, re.DOTALL):
        return (
            "; lists are read from Parquet, Arrow and JSON lines: save it as one of these, or a column for each number"
        )
    if "\t" in text:
        return "; the file looks separated by tabs: say --sep tab"
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        return "; write thousands without commas" + ", or say --decimal , for decimal commas" * is_decimal_comma(text)
    if is_decimal_comma(text):
        return "; a decimal comma? Say --decimal ,"
    return "; a percentage? Write 0.25 for 25%" if is_percentage(text.strip()) else ""


def parses_as_number(cell: str | None) -> bool:
    """Whether a cell is a number, as Polars reads numbers. NaN counts as one."""
    try:
        as_number(cell or "")
    except ValueError:
        return False
    return True


def is_decimal_comma(cell: str) -> bool:
    """Whether a cell is a number with a decimal comma, such as 1,5."""
    return "," in cell and re.fullmatch(DECIMAL_COMMA, cell.strip()) is not None


def is_percentage(cell: str) -> bool:
    """Whether a cell is a percentage, such as 25%."""
    return "%" in cell and re.fullmatch(PERCENT, cell) is not None


def is_finite_number(text: str) -> bool:
    """Whether an operand is a finite number, which stands for constant targets."""
    return parses_as_number(text) and math.isfinite(float(text))
