"""Tables whose columns have types, such as Parquet files, read through Polars; with columns of lists.

A column of lists of the same length k is read as an array of shape (n, k).
"""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.io.bytes import Raw, Reader, Spool, pieces_of
from losscli.io.guarded import readable
from losscli.io.npy import NpySource
from losscli.io.source import Source
from losscli.io.table import Table, TableSource
from losscli.records import NamedTuple
from losscli.wording import count

if TYPE_CHECKING:
    import polars as pl

SEGMENT = 1 << 20
"""Rows that are decoded at once, of one column or of a few."""
CELLS = 4 << 20
PANDAS_INDEX = re.compile(r"__index_level_\d+__")
"""What pandas calls an index without a name."""
LIST_CELLS = 4 << 20
"""Elements of lists that are decoded at once."""


class Elements(NamedTuple):
    """The places of the numbers in a column of lists."""

    table: Table
    number: int

    def place(self, row: int, column: int | None = None) -> str:
        """Return the place of an element of a row's list, or of the whole list."""
        return self.table.place(row, self.number) + ("" if column is None else f"[{column}]")


class TypedTable(Table):
    """A file that Polars can scan; `what` is what it should be, with an article, for messages.

    Reading some rows of a compressed part decodes the whole part. Therefore columns of numbers are decoded once, some at
    a time, to a copy by columns, which is read by position.

    `raw` are the bytes that are scanned: a copy is deleted when nobody refers to it any more.
    """

    settled = True

    def __init__(self, name: str, scan: "pl.LazyFrame", what: str, raw: Raw | None = None) -> None:
        import polars as pl

        self.name, self.what, self.raw = name, what, raw
        with readable(name, what):
            tensors = [name for name, dtype in scan.collect_schema().items() if _is_vector(dtype)]
            self.scan = scan = scan.with_columns(pl.col(name).ext.storage() for name in tensors)
            self.schema = scan.collect_schema()
            height = int(scan.select(pl.len()).collect().item())
        self.names, self.width = tuple(self.schema.names()), len(self.schema)
        self.index_columns = tuple(name for name in self.names if PANDAS_INDEX.fullmatch(name))
        self.cuts = [*range(0, height, SEGMENT), height]

    def frame(self, chunk: int, numbers: Sequence[int]) -> "pl.DataFrame":
        import polars as pl

        assert self.names is not None
        for number, dtype in zip(numbers, self._dtypes(numbers), strict=True):
            if dtype.is_nested() or dtype in (pl.Binary, pl.Object) or isinstance(dtype, pl.BaseExtension):
                raise DataError(self._nested(number, dtype))
        start, stop = self.cuts[chunk : chunk + 2]
        self.bring([self.names[number] for number in numbers], start, stop)
        with readable(self.name, self.what):
            return (
                self.scan.slice(start, stop - start)
                .select([self.names[number] for number in numbers])
                .collect()
                .cast({pl.Categorical: pl.String, pl.Enum: pl.String})
                .with_columns(pl.col(pl.Duration).dt.to_string("iso"))  # Polars casts all other types to text
            )

    def bring(self, columns: Sequence[str], start: int, stop: int) -> None:
        """Make sure that some rows of columns can be scanned, of a file that is not on this machine."""

    def quick(self, chunk: int, numbers: Sequence[int]) -> Array | None:
        return None

    def _checked(self, chunk: int, numbers: Sequence[int], cure: str, missing: bool) -> Array:
        for number, dtype in zip(numbers, self._dtypes(numbers), strict=True):
            if dtype.is_temporal():
                what = f"{self.name}, {self.label(number)}: its cells are {dtype}"
                raise DataError(f"{what}, where one number each is needed{cure or '; save a column for each number'}")
        return super()._checked(chunk, numbers, cure, missing)

    def _dtypes(self, numbers: Sequence[int]) -> "list[pl.DataType]":
        dtypes = self.schema.dtypes()
        return [dtypes[number] for number in numbers]

    def dtype(self, numbers: Sequence[int]) -> np.dtype[Any]:
        import polars as pl

        narrow = all(getattr(dtype, "inner", dtype) == pl.Float32 for dtype in self._dtypes(numbers))
        return np.dtype(np.float32 if narrow else np.float64)

    def is_text(self, number: int) -> bool:
        import polars as pl

        dtype = self.schema.dtypes()[number]
        return not (dtype.is_numeric() or dtype == pl.Boolean or dtype.is_nested())

    def is_truth(self, number: int) -> bool:
        import polars as pl

        return bool(self.schema.dtypes()[number] == pl.Boolean)

    def source(self, numbers: Sequence[int], cure: str = "", one_axis: bool = True) -> Source:
        key = ("source", tuple(numbers), one_axis)
        if key not in self.kept:
            listed = len(numbers) == 1 and self.breadth(numbers[0]) is not None
            self.kept[key] = self._lists(numbers[0]) if listed else self._decoded(numbers, cure, one_axis)
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

    def breadth(self, number: int) -> int | None:
        import polars as pl

        dtype = self.schema.dtypes()[number]
        if isinstance(dtype, pl.Struct):
            raise DataError(self._nested(number, dtype))
        if not _is_list(dtype):
            if dtype.is_nested():
                raise DataError(self._nested(number, dtype))
            return None
        return int(self._lists(number).shape[1])

    def _lists(self, number: int) -> Source:
        """Return a column of lists as an array of shape (n, k).

        Raises a DataError for lists of different lengths, cells without a list, and elements that are no numbers.
        """
        key = ("lists", number)
        if key not in self.kept:
            self.kept[key] = self._decoded_lists(number)
        source: Source = self.kept[key]
        return source

    def _decoded_lists(self, number: int) -> Source:
        import polars as pl

        assert self.names is not None
        dtype: Any = self.schema.dtypes()[number]
        if not (dtype.inner.is_numeric() or dtype.inner == pl.Boolean):
            raise DataError(self._nested(number, dtype))
        raw, row, width, plain = Spool(self.name), 0, None, self.dtype([number])
        column = self.scan.select(pl.col(self.names[number]).cast(pl.List(dtype.inner)))
        self.bring([self.names[number]], 0, self.height)
        with readable(self.name, self.what):
            first = column.head(1).collect().to_series()
            step = max(1, LIST_CELLS // max(1, len(first[0]) if first.len() and first[0] is not None else 1))
            for batch in column.collect_batches(chunk_size=step, maintain_order=True):
                cells = batch.to_series()
                lengths = cells.list.len()
                width = lengths[0] if width is None and len(lengths) else width
                self._check_lengths(number, row, lengths, width or 0)
                values = cells.explode() if width else cells.head(0).explode()
                if values.null_count():
                    at, element = divmod(int(values.is_null().arg_max() or 0), width or 1)
                    place = self.place(row + at, number)
                    raise DataError(f"{place}[{element}]: it has no value, where a number is needed; leave out the row")
                raw.write(np.ascontiguousarray(values.cast(pl.Float64).to_numpy(), plain).data)
                row += len(cells)
        if row != self.height:
            raise DataError(
                f"{self.name}: says that it has {count(self.height, 'row')}, and holds {row:,}; it is damaged, write it again"
            )
        shape = (self.height, 1 if width is None else width)
        return NpySource.of_raw(self.name, raw, shape, plain, where=Elements(self, number))

    def _check_lengths(self, number: int, start: int, lengths: "pl.Series", width: int) -> None:
        """Raise a DataError at the first cell without a list, or with a list of another length than the first row's."""
        bad = lengths.is_null() | (lengths != width)
        if not bad.any():
            return
        row = int(bad.arg_max() or 0)
        if lengths[row] is None:
            fact = "the cell is empty, where a list of numbers is needed; leave out the row"
        else:
            fact = f"a list of {lengths[row]}, and the first row has {width}; all lists must have the same length"
        raise DataError(f"{self.place(start + row, number)}: {fact}")

    def _nested(self, number: int, dtype: "pl.DataType") -> str:
        """Return the message about a column whose cells are no single values."""
        import polars as pl

        inner = getattr(dtype, "inner", None)
        what = f"{self.name}, {self.label(number)}: its cells are {dtype}"
        if inner is not None and (inner.is_numeric() or inner == pl.Boolean):
            name = self.names[number] if self.names else number + 1
            return f"{what}, where one number each (or one word) is needed; lists are read if {self.name}:{name} or --columns names them alone"
        if isinstance(dtype, pl.Struct) and {"type", "values"} <= {field.name for field in dtype.fields}:
            return f"{what}, a vector of Spark; save it with pyspark.ml.functions.vector_to_array, as a list"
        return f"{what}, where one number each (or one word) is needed; save a column for each"

    def check(self) -> None:
        pass  # rows of different lengths cannot be

    def place(self, row: int, column: int | None = None) -> str:
        return f"{self.name}[{row}]" + ("" if column is None else f", {self.label(column)}")

    def headed(self) -> Table:
        return self


def _is_list(dtype: "pl.DataType | pl.datatypes.DataTypeClass") -> bool:
    import polars as pl

    return isinstance(dtype, (pl.List, pl.Array))


def _is_vector(dtype: "pl.DataType") -> bool:
    """Whether the cells are tensors of one axis, which Arrow stores as lists; those of more axes it stores as lists too."""
    import polars as pl

    if not isinstance(dtype, pl.BaseExtension) or not _is_list(dtype.ext_storage()):
        return False
    try:
        described = json.loads(dtype.ext_metadata() or "")
    except (ValueError, RecursionError):
        return False
    return isinstance(described, dict) and len(described.get("shape", ())) == 1


def copy_of(name: str, raw: Raw) -> Spool:
    """Return a copy of a file's bytes, since Polars fails if a file changes or shrinks while it is read."""
    if isinstance(raw, Spool):
        return raw
    copy = Spool.copy(name, pieces_of(Reader(raw)))
    raw.check()
    return copy
