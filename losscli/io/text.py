"""Columns of text: labels and ids as they stand in their file, and rows that meet by id."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from losscli.core import Array
from losscli.errors import DataError, count, listing
from losscli.io.sources import Moved


@dataclass
class TextColumn:
    """A column of text, each distinct cell once: `cells[codes[i]]` is row i; None is an empty cell."""

    name: str
    cells: list[str | None]
    codes: Array
    where: Any = None
    number: int = 0

    def first_row(self, code: int) -> int:
        return int(np.flatnonzero(self.codes == code)[0])

    def place(self, row: int, column: int | None = None) -> str:
        """Where a row's cell stands; `column` makes no difference, there is one."""
        return f"{self.name}[{row}]" if self.where is None else str(self.where.place(row, self.number))

    def text(self) -> list[str | None]:
        return [self.cells[code] for code in self.codes]

    def take(self, rows: Array) -> "TextColumn":
        return TextColumn(self.name, self.cells, self.codes[rows], Moved(self, rows), self.number)


def text_of_array(name: str, array: Array) -> TextColumn:
    """A column of text from an array of strings or bytes."""
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "backslashreplace")
    cells, codes = np.unique(array.reshape(len(array)), return_inverse=True)
    return TextColumn(name, [str(cell) for cell in cells], codes)


def join_rows(left: TextColumn, right: TextColumn) -> Array:
    """The row of `right` for each row of `left`, by their ids.

    Raises
    ------
    DataError
        for missing, duplicate or extra ids, with the first few and their number.
    """
    import polars as pl

    for side in (left, right):
        empty = [code for code, cell in enumerate(side.cells) if not cell]
        if empty:
            rows = np.flatnonzero(np.isin(side.codes, empty))
            raise DataError(
                f"{side.place(int(rows[0]))}: the id is empty ({count(len(rows), 'row')}); every row needs one"
            )
        counts = np.bincount(side.codes, minlength=len(side.cells))
        twice = [str(side.cells[code]) for code in np.flatnonzero(counts > 1)]
        if twice:
            raise DataError(
                f"{side.name}: {count(len(twice), 'id')} more than once: {listing(twice, 3)}; ids must be unique"
            )
    # Every id is there once, so the cells of a column, seen through its codes, are its rows.
    wanted = pl.DataFrame({"id": left.cells}, schema={"id": pl.String})[left.codes]
    present = pl.DataFrame({"id": right.cells}, schema={"id": pl.String})[right.codes].with_row_index("row")
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
