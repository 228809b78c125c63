"""Sources: rows of numbers, read by position, that know how to name a place in their file."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from losscli.core import Array
from losscli.errors import DataError

SCAN_BYTES = 4 << 20


class Source(Protocol):
    """Rows of numbers, shape (n,) or (n, k)."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def columns(self) -> tuple[str, ...] | None: ...

    def read(self, start: int, stop: int) -> Array:
        """Rows start to stop, in native byte order."""
        ...

    def place(self, row: int, column: int | None = None) -> str:
        """Where a value stands, as an editor or NumPy would say it."""
        ...


def blocks(source: Source, rows: int | None = None) -> Iterator[tuple[int, Array]]:
    """Yield (first row, rows) over a whole source."""
    width = int(np.prod(source.shape[1:], dtype=np.int64)) * source.dtype.itemsize
    step = rows or max(1, SCAN_BYTES // max(1, width))
    for start in range(0, source.shape[0], step):
        yield start, source.read(start, min(start + step, source.shape[0]))


@dataclass
class MemorySource:
    """Rows that are in memory already, from a table or from standard input."""

    name: str
    array: Array
    columns: tuple[str, ...] | None = None
    where: Any = None
    """An object with place(row, column), for rows that come from a table."""
    column_numbers: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def read(self, start: int, stop: int) -> Array:
        return self.array[start:stop]

    def place(self, row: int, column: int | None = None) -> str:
        if self.where is None:
            return place_in_array(self.name, row, column)
        if column is None and len(self.column_numbers) == 1:
            column = 0
        return str(self.where.place(row, None if column is None else self.column_numbers[column]))


@dataclass
class Moved:
    """Places of rows that were brought into another order: row i is row rows[i] of what has the places."""

    of: Any
    rows: Array

    def place(self, row: int, column: int | None = None) -> str:
        return str(self.of.place(int(self.rows[row]), column))


@dataclass
class ConstantSource:
    """One number for every prediction."""

    value: float
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    columns: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        return f"{self.value:g}"

    def read(self, start: int, stop: int) -> Array:
        return np.full((stop - start, *self.shape[1:]), self.value, self.dtype)

    def place(self, row: int, column: int | None = None) -> str:
        return self.name


def place_in_array(name: str, row: int, column: int | None) -> str:
    return f"{name}[{row}]" if column is None else f"{name}[{row}, {column}]"


@dataclass
class NpySource:
    """An .npy file, read by position: memory does not grow with it, and a truncated file is an error, not a crash."""

    name: str
    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    fortran: bool
    offset: int
    columns: tuple[str, ...] | None = None
    _descriptor: int | None = field(default=None, repr=False)

    @classmethod
    def open(cls, path: Path, name: str) -> "NpySource":
        """Read and check the header; the data is left alone."""
        with path.open("rb") as file:
            shape, fortran, stored = read_npy_header(file, name)
            offset = file.tell()
        promised = offset + stored.itemsize * int(np.prod(shape, dtype=np.int64))
        present = path.stat().st_size
        check_length(name, shape, promised, present)
        return cls(name, path, shape, stored.newbyteorder("="), stored, fortran and len(shape) > 1, offset)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_descriptor": None}

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def read(self, start: int, stop: int) -> Array:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDONLY)
        size = self.stored.itemsize
        if not self.fortran:
            width = int(np.prod(self.shape[1:], dtype=np.int64))
            rows = np.empty((stop - start, *self.shape[1:]), self.stored)
            self._fill(rows, self.offset + start * width * size)
        else:
            held = np.empty((self.shape[1], stop - start), self.stored)
            for column, part in enumerate(held):
                self._fill(part, self.offset + (column * self.shape[0] + start) * size)
            rows = held.T
        return np.ascontiguousarray(rows, self.dtype)

    def _fill(self, array: Array, position: int) -> None:
        view = array.reshape(-1).view(np.uint8).data
        assert self._descriptor is not None
        while view:
            got = os.preadv(self._descriptor, [view], position)
            if not got:
                raise DataError(f"{self.name}: the file became shorter while it was read; run again when it is written")
            view, position = view[got:], position + got

    def place(self, row: int, column: int | None = None) -> str:
        return place_in_array(self.name, row, column)


def read_npy_header(file: Any, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and dtype of an .npy stream; refuses what holds no plain numbers or text."""
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except (ValueError, EOFError) as error:
        raise DataError(f"{name}: not an NPY file ({_first_line(error)}); save it with numpy.save") from error
    check_dtype(dtype, name)
    check_axes(shape, name)
    return shape, fortran, dtype


def check_length(name: str, shape: tuple[int, ...], promised: int, present: int) -> None:
    """Refuse a file that is shorter or longer than its header says."""
    if present < promised:
        raise DataError(
            f"{name}: truncated: its header promises {promised:,} bytes, and there are {present:,}; copy or save it again"
        )
    if present > promised:
        raise DataError(
            f"{name}: holds {present - promised:,} bytes after its array of shape {shape}: several arrays in one file? "
            "Save each in a file of its own"
        )


def check_axes(shape: tuple[int, ...], name: str) -> None:
    """Refuse arrays that are neither (n,) nor (n, k)."""
    if not 1 <= len(shape) <= 2:
        raise DataError(f"{name}: shape {shape} has {len(shape)} axes; losscli reads (n,) or (n, k): reshape it first")


def check_dtype(dtype: np.dtype[Any], name: str) -> None:
    """Refuse dtypes that are neither real numbers nor text."""
    if dtype.kind in "buifUS":
        return
    if dtype.hasobject:
        raise DataError(
            f"{name}: holds pickled Python objects, which losscli never loads; re-save it as numbers or text: "
            "numpy.save(file, numpy.asarray(old.tolist()))"
        )
    if dtype.kind == "V":
        raise DataError(f"{name}: dtype {dtype} is not numbers (bfloat16 or a structured array?); save it as float32")
    raise DataError(f"{name}: dtype {dtype} is not real numbers or text; convert it before saving")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


@dataclass
class ShardedSource:
    """Several sources as one: their rows one after another."""

    name: str
    parts: Sequence[Source]

    @cached_property
    def starts(self) -> Array:
        return np.cumsum([0] + [part.shape[0] for part in self.parts])

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return (int(self.starts[-1]), *self.parts[0].shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(*(part.dtype for part in self.parts))

    @property
    def columns(self) -> tuple[str, ...] | None:
        return self.parts[0].columns

    def read(self, start: int, stop: int) -> Array:
        pieces = []
        for part, first in zip(self.parts, self.starts[:-1], strict=True):
            low, high = max(start - first, 0), min(stop - first, part.shape[0])
            if low < high:
                pieces.append(part.read(int(low), int(high)))
        if len(pieces) == 1:
            return pieces[0].astype(self.dtype, copy=False)
        return np.concatenate(pieces or [np.empty((0, *self.shape[1:]))]).astype(self.dtype, copy=False)

    def place(self, row: int, column: int | None = None) -> str:
        part = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.parts[part].place(row - int(self.starts[part]), column)


@dataclass
class Reshaped:
    """A source of shape (n, 1) read as (n,)."""

    of: Source

    @property
    def name(self) -> str:
        return self.of.name

    @property
    def shape(self) -> tuple[int, ...]:
        return self.of.shape[:1]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.of.dtype

    @property
    def columns(self) -> tuple[str, ...] | None:
        return self.of.columns

    def read(self, start: int, stop: int) -> Array:
        return self.of.read(start, stop).reshape(stop - start)

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, 0)


@dataclass
class Reordered:
    """A source whose columns stand in another order: order[j] is the stored column of column j."""

    of: Source
    order: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.of.name

    @property
    def shape(self) -> tuple[int, ...]:
        return self.of.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.of.dtype

    @property
    def columns(self) -> tuple[str, ...] | None:
        return None if self.of.columns is None else tuple(self.of.columns[j] for j in self.order)

    def read(self, start: int, stop: int) -> Array:
        return self.of.read(start, stop)[:, list(self.order)]

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, None if column is None else self.order[column])
