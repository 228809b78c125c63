"""Parquet files, read through Polars: their columns have types, and their row groups are decoded as a whole."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.io.bytes import Raw, Reader, Spool, pieces_of
from losscli.io.format import Named
from losscli.io.guarded import readable
from losscli.io.npy import NpySource
from losscli.io.source import Source
from losscli.io.table import Table, TableSource

if TYPE_CHECKING:
    import polars as pl

SEGMENT = 1 << 20
"""Rows that are decoded at once, of one column or of a few."""
CELLS = 4 << 20


class ParquetTable(Table):
    """A Parquet file.

    A row group is compressed by columns, and reading some of its rows decodes all of them. Therefore columns of numbers
    are decoded once, some at a time, to a copy by columns, which is read by position.
    """

    settled = True
    raw: Raw

    def __init__(self, name: str, scan: "pl.LazyFrame") -> None:
        import polars as pl

        self.name, self.scan = name, scan
        with readable(name, "a Parquet file"):
            self.schema = scan.collect_schema()
            height = int(scan.select(pl.len()).collect().item())
        self.names, self.width = tuple(self.schema.names()), len(self.schema)
        self.cuts = [*range(0, height, SEGMENT), height]

    def frame(self, chunk: int, numbers: Sequence[int]) -> "pl.DataFrame":
        import polars as pl

        assert self.names is not None
        for number, dtype in zip(numbers, self._dtypes(numbers), strict=True):
            if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
                what = f"{self.name}, {self.label(number)}: its cells are {dtype}"
                raise DataError(f"{what}, where one number each (or one word) is needed; save a column for each")
        start, stop = self.cuts[chunk : chunk + 2]
        with readable(self.name, "a Parquet file"):
            return (
                self.scan.slice(start, stop - start)
                .select([self.names[number] for number in numbers])
                .collect()
                .cast({pl.Categorical: pl.String, pl.Enum: pl.String})
                .with_columns(pl.col(pl.Duration).dt.to_string("iso"))  # Polars casts all other types to text
            )

    def quick(self, chunk: int, numbers: Sequence[int]) -> Array | None:
        return None

    def _checked(self, chunk: int, numbers: Sequence[int], cure: str) -> Array:
        for number, dtype in zip(numbers, self._dtypes(numbers), strict=True):
            if dtype.is_temporal():
                what = f"{self.name}, {self.label(number)}: its cells are {dtype}"
                raise DataError(f"{what}, where one number each is needed; save a column for each number")
        return super()._checked(chunk, numbers, cure)

    def _dtypes(self, numbers: Sequence[int]) -> "list[pl.DataType]":
        dtypes = self.schema.dtypes()
        return [dtypes[number] for number in numbers]

    def dtype(self, numbers: Sequence[int]) -> np.dtype[Any]:
        import polars as pl

        narrow = all(dtype == pl.Float32 for dtype in self._dtypes(numbers))
        return np.dtype(np.float32 if narrow else np.float64)

    def is_text(self, number: int) -> bool:
        import polars as pl

        dtype = self.schema.dtypes()[number]
        return not (dtype.is_numeric() or dtype == pl.Boolean or dtype.is_nested())

    def source(self, numbers: Sequence[int], cure: str = "", one_axis: bool = True) -> Source:
        key = ("source", tuple(numbers), one_axis)
        if key not in self.kept:
            self.kept[key] = self._decoded(numbers, cure, one_axis)
        source: Source = self.kept[key]
        return source

    def _decoded(self, numbers: Sequence[int], cure: str, one_axis: bool) -> Source:
        table = TableSource(self, tuple(numbers), cure, len(numbers) == 1 and one_axis)
        size, height = table.dtype.itemsize, self.height
        raw = Spool(self.name)
        raw.allocate(height * len(numbers) * size)
        step = max(1, CELLS // max(1, min(height, SEGMENT)))
        for j in range(0, len(numbers), step):
            for chunk, start in enumerate(self.cuts[:-1]):
                numbers_of_chunk = self.numbers(chunk, numbers[j : j + step], cure).astype(table.dtype, copy=False)
                for column, values in enumerate(numbers_of_chunk.T, j):
                    raw.write_at(np.ascontiguousarray(values).data, (column * height + start) * size)
        return NpySource.of_raw(self.name, raw, table.shape, table.dtype, True, table.columns, table)

    def place(self, row: int, column: int | None = None) -> str:
        return f"{self.name}[{row}]" + ("" if column is None else f", {self.label(column)}")

    def headed(self) -> Table:
        return self


def open_parquet(where: Named) -> Table:
    """Open a Parquet file. A copy of it is read, since Polars fails if a file changes or shrinks meanwhile.

    Raises
    ------
    DataError
        if the file cannot be read.
    """
    import polars as pl

    name, raw = where.name, where.raw
    if not isinstance(raw, Spool):
        copy = Spool.copy(name, pieces_of(Reader(raw)))
        raw.check()
        raw = copy
    with readable(name, "a Parquet file"):
        scan = pl.scan_parquet(raw.location or io.BytesIO(raw.read(0, raw.size)), glob=False)
    table = ParquetTable(name, scan)
    table.raw = raw  # the copy is deleted when nobody refers to it
    return table
