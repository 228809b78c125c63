"""Columns of text: labels and ids as they stand in their file, and rows that meet by id."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.core import Array
from losscli.errors import DataError, count, listing
from losscli.io.raw import Spool
from losscli.io.sources import NpySource, Permuted, Source, blocks, whole

if TYPE_CHECKING:
    import polars as pl


@dataclass
class TextColumn:
    """A column of text, each distinct cell once: `cells[codes[i]]` is row i; None is an empty cell."""

    name: str
    cells: list[str | None]
    codes: Source
    rows: Array
    """How many rows have which cell."""
    first: list[int]
    """The first row of each cell."""
    where: Any = None
    number: int = 0

    def place(self, row: int, column: int | None = None) -> str:
        """Where a row's cell stands; `column` makes no difference, there is one."""
        return f"{self.name}[{row}]" if self.where is None else str(self.where.place(row, self.number))

    def text(self) -> list[str | None]:
        return [self.cells[code] for code in whole(self.codes)]

    def take(self, rows: Array) -> "TextColumn":
        """The same cells in another order of rows, of which none is left out; the first row is that of the file."""
        return TextColumn(
            self.name, self.cells, Permuted.of_rows(self.codes, rows), self.rows, self.first, self.where, self.number
        )


@dataclass
class Coder:
    """Makes a TextColumn of cells that come a run of rows at a time."""

    name: str
    where: Any = None
    number: int = 0
    _codes: dict[str | None, int] = field(default_factory=dict)
    _rows: list[int] = field(default_factory=list)
    _first: list[int] = field(default_factory=list)
    _raw: Spool | None = None
    _height: int = 0

    def add(self, cells: "pl.Series | Array | list[str | None]") -> None:
        """Take the next rows."""
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
        seen = len(self._codes)
        known = np.array([self._codes.setdefault(name, len(self._codes)) for name in names], np.int32)
        codes = known[index] if len(known) else np.zeros(0, np.int32)
        new = len(self._codes) - seen
        if new:
            first = np.zeros(len(self._codes), np.int64)
            first[codes[::-1]] = np.arange(len(codes))[::-1]  # of several rows of a code the last one written stays
            self._first += (first[seen:] + self._height).tolist()
            self._rows += [0] * new
        for code, rows in enumerate(np.bincount(codes, minlength=len(self._codes)).tolist()):
            self._rows[code] += rows
        self._raw = self._raw or Spool(self.name)
        self._raw.write(codes.astype(np.int32).data)
        self._height += len(codes)

    def column(self) -> TextColumn:
        """The column of all rows so far."""
        raw = self._raw or Spool(self.name)
        codes = NpySource.of_raw(self.name, raw, (self._height,), np.dtype(np.int32))
        made = TextColumn(
            self.name, list(self._codes), codes, np.array(self._rows), self._first, self.where, self.number
        )
        codes.where = made
        return made


def text_of_array(source: Source) -> TextColumn:
    """A column of text from a source of strings or bytes, (n,) or (n, 1)."""
    coder = Coder(source.name)
    for _, array in blocks(source):
        cells = np.char.decode(array, "utf-8", "backslashreplace") if array.dtype.kind == "S" else array
        coder.add(cells.reshape(len(cells)))
    return coder.column()


@dataclass
class IdColumn:
    """A column of ids, whose cells are all different."""

    name: str
    cells: "pl.Series | list[str | None]"
    """A list of those of a small file, for which Polars need not be imported."""
    where: Any
    number: int

    @classmethod
    def of(cls, name: str, parts: "list[pl.Series | list[str | None]]", where: Any, number: int) -> "IdColumn":
        """The column of cells that come in parts, all of one kind."""
        if all(isinstance(part, list) for part in parts):
            return cls(name, [cell for part in parts for cell in part], where, number)
        import polars as pl

        return cls(name, pl.concat([pl.Series(part, dtype=pl.String) for part in parts]), where, number)

    @property
    def series(self) -> "pl.Series":
        import polars as pl

        return pl.Series(self.cells, dtype=pl.String)

    def take(self, rows: Array) -> list[str]:
        """The ids of rows."""
        if isinstance(self.cells, list):
            return [str(self.cells[row]) for row in rows]
        return list(self.cells.gather(rows).to_list())

    def check(self) -> None:
        """Refuse empty ids, and ids that are there more than once."""
        if isinstance(self.cells, list) and all(self.cells) and len(set(self.cells)) == len(self.cells):
            return
        cells = self.series
        empty = (cells.is_null() | (cells == "")).arg_true()
        if len(empty):
            place = self.where.place(int(empty[0]), self.number)
            raise DataError(f"{place}: the id is empty ({count(len(empty), 'row')}); every row needs one")
        twice = cells.filter(cells.is_duplicated()).unique(maintain_order=True)
        if len(twice):
            raise DataError(
                f"{self.name}: {count(len(twice), 'id')} more than once: {listing(twice, 3)}; ids must be unique"
            )


def join_rows(left: IdColumn, right: IdColumn) -> Array:
    """The row of `right` for each row of `left`, by their ids.

    Raises
    ------
    DataError
        for missing, duplicate or extra ids, with the first few and their number.
    """
    left.check()
    right.check()
    if isinstance(left.cells, list) and isinstance(right.cells, list):
        places = {cell: row for row, cell in enumerate(right.cells)}
        if places.keys() == set(left.cells):
            return np.array([places[cell] for cell in left.cells], np.int64)
    import polars as pl

    wanted = left.series.to_frame("id")
    present = right.series.to_frame("id").with_row_index("row")
    joined = wanted.join(present, on="id", how="left", maintain_order="left")
    missing = joined.filter(pl.col("row").is_null())["id"]
    if len(missing):
        raise DataError(
            f"{right.name}: no row for {count(len(missing), 'id')} of {left.name}: {listing(missing, 3)}; "
            "add the rows, or leave them out of both files"
        )
    if present.height > wanted.height:
        extra = present.join(wanted, on="id", how="anti", maintain_order="left")["id"]
        raise DataError(
            f"{right.name}: {count(len(extra), 'id')} that {left.name} does not have: {listing(extra, 3)}; "
            "add the rows, or leave them out of both files"
        )
    return joined["row"].to_numpy().astype(np.int64)
