"""Tables of text in which a cell holds a list of numbers, such as [0.1, 0.9] or NumPy's [0.1 0.9]: each number is a column."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.io.table import Table, parses_as_number
from losscli.wording import count

if TYPE_CHECKING:
    import polars as pl

BETWEEN = re.compile(r"\s*,\s*|\s+")
"""What stands between the numbers of a list."""


def numbers_of(cell: str | None) -> list[str] | None:
    """Return the numbers of a cell that is a list of at least one number, as they are written; None for other cells."""
    text = (cell or "").strip()
    if text[:1] != "[" or text[-1:] != "]":
        return None
    parts = BETWEEN.split(text[1:-1].strip().removesuffix(",").strip())
    return parts if all(map(parses_as_number, parts)) else None


class ListedTable(Table):
    """A text table whose columns of lists are read as several columns each: probs as probs[0], probs[1] ..."""

    def __init__(self, table: Table, lengths: dict[int, int]) -> None:
        self.table, self.lengths = table, lengths
        self.origin = [(number, i) for number in range(table.width) for i in range(lengths.get(number, 1))]
        """For each column the column of the file, and which number of its lists it is."""
        self.name, self.cuts, self.width = table.name, table.cuts, len(self.origin)
        self.names = None if table.names is None else tuple(map(self._title, self.origin))
        self.doubt, self.settled, self.notes, self.decimal = table.doubt, table.settled, table.notes, table.decimal
        self.row_names = None if table.row_names is None else self.origin.index((table.row_names, 0))

    def _title(self, origin: tuple[int, int]) -> str:
        number, i = origin
        name = (self.table.names or ())[number]
        return f"{name}[{i}]" if number in self.lengths else name

    def named(self, column: str) -> list[int]:
        first = self.find(column)
        one = self.names is not None and column in self.names
        return [first] if one else self._parts(self.origin[first][0])

    def _parts(self, column: int) -> list[int]:
        """Return the columns of the lists of a column of the file."""
        return [i for i, (number, _) in enumerate(self.origin) if number == column]

    def find(self, column: str) -> int:
        if self.names is not None and column in self.names:
            return super().find(column)
        return self.origin.index((self.table.find(column), 0))

    def fitting(self, pattern: str) -> list[int]:
        matching = [i for i, name in enumerate(self.names or ()) if fnmatchcase(name, pattern) or name == pattern]
        return matching or [i for number in self.table.fitting(pattern) for i in self._parts(number)]

    def _lists(self, chunk: int, column: int) -> list[list[str]]:
        """Return the numbers of a column of lists, one list per row of a chunk.

        Raises a DataError at the first cell that is no list, or has another length.
        """
        rows, length = [], self.lengths[column]
        for row, cell in enumerate(self.table.cells(chunk, column), self.cuts[chunk]):
            parts = numbers_of(cell)
            if parts is None:
                why = (
                    "NumPy has left out a part of it"
                    if "..." in (cell or "")
                    else "it is no list of numbers, as other cells are"
                )
                raise DataError(
                    f"{self.table.place(row, column)}: {why}; save the numbers with numpy.save, or one per column"
                )
            if len(parts) != length:
                raise DataError(
                    f"{self.table.place(row, column)}: a list of {count(len(parts), 'number')}, and the first one has {length}; lists of a "
                    "column need the same length"
                )
            rows.append(parts)
        return rows

    def _columns(self, chunk: int, numbers: Sequence[int]) -> list[list[str | None]]:
        """Return columns of a chunk as text."""
        lists = {
            column: self._lists(chunk, column) for column in {self.origin[n][0] for n in numbers} & self.lengths.keys()
        }
        columns: list[list[str | None]] = []
        for number in numbers:
            column, i = self.origin[number]
            columns.append(
                [row[i] for row in lists[column]] if column in lists else list(self.table.cells(chunk, column))
            )
        return columns

    def frame(self, chunk: int, numbers: Sequence[int]) -> "pl.DataFrame":
        import polars as pl

        columns = self._columns(chunk, numbers)
        return pl.DataFrame(
            {f"column_{number + 1}": column for number, column in zip(numbers, columns, strict=True)},
            schema={f"column_{number + 1}": pl.String() for number in numbers},
        )

    def pointed(self, cells: "pl.DataFrame") -> "pl.DataFrame":
        return self.table.pointed(cells)

    def quick(self, chunk: int, numbers: Sequence[int]) -> Array | None:
        columns = self._columns(chunk, numbers)
        if self.decimal != "." or not all(parses_as_number(cell) for column in columns for cell in column):
            return None
        array = np.array([[float(cell or "") for cell in column] for column in columns]).T
        return np.ascontiguousarray(array) if np.isfinite(array).all() else None

    @property
    def cells_are_lists(self) -> bool:  # type: ignore[override]
        return self.table.cells_are_lists

    def cells(self, chunk: int, number: int) -> "pl.Series | list[str | None]":
        column, _ = self.origin[number]
        if column not in self.lengths:
            return self.table.cells(chunk, column)
        return self._columns(chunk, [number])[0] if self.cells_are_lists else super().cells(chunk, number)

    def place(self, row: int, column: int | None = None) -> str:
        return self.table.place(row, None if column is None else self.origin[column][0])

    def is_text(self, number: int) -> bool:
        return self.table.is_text(self.origin[number][0])

    def check(self) -> None:
        self.table.check()

    def headed(self) -> Table:
        return with_lists(self.table.headed())


def with_lists(table: Table) -> Table:
    """Return a text table with a column for each number of the lists in it; the same table if there are none."""
    first = next(iter(table.first_cells(1)), [])
    lengths = {number: len(parts) for number, cell in enumerate(first) if (parts := numbers_of(cell)) is not None}
    return ListedTable(table, lengths) if lengths else table
