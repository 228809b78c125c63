"""Columns of text: labels and ids, exactly as they are in their file."""

import sys
from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.io.bytes import Spool
from losscli.io.npy import NpySource
from losscli.io.source import Source, blocks, whole
from losscli.records import dataclass, field

if TYPE_CHECKING:
    import polars as pl

MOST_LABELS = 1_000_000
"""Number of distinct cells in a column of labels."""
BYTES_OF_CELL = 200
"""Bytes of memory that a distinct cell takes about."""


@dataclass
class TextColumn:
    """A column of text with each distinct cell stored once: row i is `cells[codes[i]]`; None is an empty cell."""

    name: str
    cells: list[str | None]
    codes: Source
    rows: Array
    """For each distinct cell, the number of rows that have it."""
    first: Sequence[int]
    """For each distinct cell, the first row that has it."""
    where: Any = None
    number: int = 0

    def place(self, row: int, column: int | None = None) -> str:
        """Return where the cell of a row stands; `column` is ignored, since there is only one."""
        return f"{self.name}[{row}]" if self.where is None else str(self.where.place(row, self.number))

    def text(self) -> list[str | None]:
        return [self.cells[code] for code in whole(self.codes)]

    def arranged(self, codes: Source, original: Callable[[int], int]) -> "TextColumn":
        """Return the column with other rows, or with rows in another order.

        Parameters
        ----------
        codes
            the code of each row's cell, shape (n,).
        original
            returns which row of the file a row is.
        """
        rows, first = np.zeros(len(self.cells), np.int64), np.full(len(self.cells), -1)
        for start, block in blocks(codes):
            rows += np.bincount(block, minlength=len(rows))
            new = np.flatnonzero(first[block] < 0)[::-1]  # reversed, so that the first of several rows is written last
            first[block[new]] = start + new
        where = Elsewhere(self if self.where is None else self.where, original)
        return TextColumn(self.name, self.cells, codes, rows, first.tolist(), where, self.number)


@dataclass
class Elsewhere:
    """The places of rows that are in another order than in the file, or of which some are left out."""

    of: Any
    original: Callable[[int], int]

    def place(self, row: int, column: int | None = None) -> str:
        return str(self.of.place(self.original(row), column))


@dataclass
class Coder:
    """Makes a TextColumn of cells that arrive some rows at a time."""

    name: str
    where: Any = None
    number: int = 0
    _codes: dict[str | None, int] = field(default_factory=dict)
    most: int | None = None
    """Number of distinct cells beyond which it is no column of labels; None for any number."""
    _rows: "array[int]" = field(default_factory=lambda: array("q"))
    _first: "array[int]" = field(default_factory=lambda: array("q"))
    _raw: Spool | None = None
    _height: int = 0

    def add(self, cells: "pl.Series | Array | list[str | None]") -> None:
        """Take the cells of the next rows."""
        names: list[str | None]
        index: Array
        if isinstance(cells, list):
            names = list(dict.fromkeys(cells))
            places = {name: i for i, name in enumerate(names)}
            index = np.array([places[cell] for cell in cells], np.int64)
        elif isinstance(cells, np.ndarray):
            distinct, index = np.unique(cells, return_inverse=True)
            names = [str(cell) for cell in distinct]
        else:
            import polars as pl

            unique = cells.unique(maintain_order=True)
            order = pl.DataFrame({"cell": unique, "code": np.arange(len(unique), dtype=np.int32)})
            joined = cells.to_frame("cell").join(order, on="cell", how="left", nulls_equal=True, maintain_order="left")
            names, index = unique.to_list(), joined["code"].to_numpy()
        self.add_coded(names, index)

    def add_coded(self, names: "Sequence[str | None]", index: Array) -> None:
        """Take the cells of the next rows: row i has the cell `names[index[i]]`."""
        seen = len(self._codes)
        known = np.array([self._codes.setdefault(name, len(self._codes)) for name in names], np.int32)
        codes = known[index] if len(known) else np.zeros(0, np.int32)
        new = len(self._codes) - seen
        if self.most is not None and len(self._codes) > self.most:
            place = self.name if self.where is None else self.where.place(0, self.number)
            raise DataError(
                f"{place}: more than {self.most:,} different labels in {self._height + len(index):,} rows, some "
                f"{len(self._codes) * BYTES_OF_CELL / 1e9:.1f} GB so far: are they ids? Name the column of the labels with FILE:COLUMN"
            )
        if new:
            first = np.zeros(len(self._codes), np.int64)
            first[codes[::-1]] = np.arange(len(codes))[
                ::-1
            ]  # reversed, so that the first of several rows is written last
            self._first.frombytes((first[seen:] + self._height).tobytes())
            self._rows.frombytes(bytes(new * self._rows.itemsize))
        rows = np.bincount(codes, minlength=len(self._codes))
        for code in np.flatnonzero(rows).tolist():  # of many cells, as names of lists are, few are in each part
            self._rows[code] += int(rows[code])
        self._raw = self._raw or Spool(self.name)
        self._raw.write(codes.astype(np.int32).data)
        self._height += len(codes)

    def column(self) -> TextColumn:
        """Return the column of all rows so far."""
        raw = self._raw or Spool(self.name)
        codes = NpySource.of_raw(self.name, raw, (self._height,), np.dtype(np.int32))
        column = TextColumn(
            self.name, list(self._codes), codes, np.array(self._rows), self._first, self.where, self.number
        )
        codes.where = column
        return column


def text_of_array(source: Source) -> TextColumn:
    """Return a column of text from a source of strings or bytes, shape (n,) or (n, 1).

    Raises
    ------
    DataError
        if a string holds a letter that does not exist.
    """
    coder = Coder(source.name, most=MOST_LABELS)
    for _, block in blocks(source):
        if block.dtype.kind == "U" and block.dtype.itemsize:
            points = np.ascontiguousarray(block).view(np.dtype(np.uint32).newbyteorder(block.dtype.byteorder))
            if points.size and points.max() > sys.maxunicode:
                raise DataError(f"{source.name}: holds letters that no text has; is it damaged? Save it again")
        cells = np.char.decode(block, "utf-8", "backslashreplace") if block.dtype.kind == "S" else block
        coder.add(cells.reshape(len(cells)))
    return coder.column()


@dataclass
class IdColumn:
    """The ids of a table's rows, read when they are needed."""

    table: Any
    number: int
    _held: tuple[int, Any] = (-1, None)
    """The chunk that was read last, with its cells: the next rows are mostly in it."""

    def take(self, rows: Array) -> list[str]:
        """Return the ids of rows, whose numbers must ascend."""
        ids: list[str] = []
        cuts = self.table.cuts
        parts = np.searchsorted(cuts, rows, side="right") - 1
        for chunk in np.unique(parts).tolist():
            if self._held[0] != chunk:
                self._held = (chunk, self.table.cells(chunk, self.number))
            cells, rows_of_chunk = self._held[1], rows[parts == chunk] - cuts[chunk]
            ids += (
                [str(cells[row]) for row in rows_of_chunk]
                if isinstance(cells, list)
                else cells.gather(rows_of_chunk).to_list()
            )
        return ids
