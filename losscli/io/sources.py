"""Sources: rows of numbers, read by position, that know how to name a place in their file."""

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from losscli.core import Array
from losscli.errors import DataError
from losscli.io.raw import PIECE, Raw, Reader, Spool

SCAN_BYTES = 4 << 20
FORTRAN_ROWS = 128
"""Rows of an array stored by columns that are read at once: each column of them is a read of its own."""


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
    @property
    def grain(self) -> int:
        """How many rows to read at once without waste; 1 where any number is as good."""
        ...

    @property
    def cuts(self) -> Sequence[int] | None:
        """The rows at which it can be cut without waste, with both ends; None for anywhere."""
        ...

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        """Rows start to stop, in native byte order; `out`, of that shape and dtype, may be filled and returned."""
        ...

    def place(self, row: int, column: int | None = None) -> str:
        """Where a value stands, as an editor or NumPy would say it."""
        ...


def blocks(source: Source) -> Iterator[tuple[int, Array]]:
    """Yield (first row, rows) over a whole source."""
    width = int(np.prod(source.shape[1:], dtype=np.int64)) * source.dtype.itemsize
    step = max(1, SCAN_BYTES // max(1, width), source.grain)
    cuts = source.cuts or [*range(0, source.shape[0], step), source.shape[0]]
    for start, stop in pairwise(cuts):
        if start < stop:
            yield start, source.read(start, stop)


def pieces(source: Source, start: int, stop: int, rows: int) -> Iterator[tuple[int, Array]]:
    """Yield (first row, so many rows) from start to stop; an array is good until the next one is asked for."""
    if source.grain > 1:
        held = source.read(start, stop)
        for low in range(start, stop, rows):
            yield low, held[low - start : low - start + rows]
        return
    buffer = np.empty((min(rows, stop - start), *source.shape[1:]), source.dtype)
    for low in range(start, stop, rows):
        high = min(low + rows, stop)
        yield low, source.read(low, high, buffer[: high - low])


@dataclass
class MemorySource:
    """Rows that are in memory already: of a program that has arrays, not files."""

    name: str
    array: Array
    columns: tuple[str, ...] | None = None
    where: Any = None
    """An object with place(row, column), for rows that come from a table."""
    column_numbers: tuple[int, ...] = ()
    grain = 1
    cuts = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.array[start:stop]

    def place(self, row: int, column: int | None = None) -> str:
        if self.where is None:
            return place_in_array(self.name, row, column)
        if column is None and len(self.column_numbers) == 1:
            column = 0
        return str(self.where.place(row, None if column is None else self.column_numbers[column]))


@dataclass
class ConstantSource:
    """One number for every prediction."""

    value: float
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    columns: tuple[str, ...] | None = None
    grain = 1
    cuts = None

    @property
    def name(self) -> str:
        return f"{self.value:g}"

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return np.full((stop - start, *self.shape[1:]), self.value, self.dtype)

    def place(self, row: int, column: int | None = None) -> str:
        return self.name


def place_in_array(name: str, row: int, column: int | None) -> str:
    return f"{name}[{row}]" if column is None else f"{name}[{row}, {column}]"


@dataclass
class NpySource:
    """An array in a file, read by position: memory does not grow with it, and a truncated file is an error, not a crash."""

    name: str
    raw: Raw
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    fortran: bool
    offset: int
    columns: tuple[str, ...] | None = None
    where: Any = None
    """An object with place(row, column), for numbers that were copied from elsewhere."""
    cuts = None

    @classmethod
    def of_raw(
        cls,
        name: str,
        raw: Raw,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        fortran: bool = False,
        columns: tuple[str, ...] | None = None,
        where: Any = None,
    ) -> "NpySource":
        """Numbers that begin with the first byte, without a header."""
        return cls(name, raw, shape, dtype, dtype, fortran and len(shape) > 1, 0, columns, where)

    @classmethod
    def copy(cls, source: Source) -> "NpySource":
        """The numbers of a source that is slow to read, or cannot be cut anywhere: read once, in order."""
        raw = Spool(source.name)
        cuts = source.cuts or [0, source.shape[0]]
        for start, stop in pairwise(cuts):
            raw.write(np.ascontiguousarray(source.read(start, stop)).data)
        return cls.of_raw(source.name, raw, source.shape, source.dtype, columns=source.columns, where=source)

    @classmethod
    def open(cls, raw: Raw, name: str, start: int = 0, stop: int | None = None) -> "NpySource":
        """Read and check the header; the data is left alone. The array is from `start` to `stop` of the bytes."""
        file = Reader(raw, start)
        shape, fortran, stored = read_npy_header(file, name)
        offset = file.tell()
        promised = offset - start + stored.itemsize * int(np.prod(shape, dtype=np.int64))
        check_length(name, shape, promised, (raw.size if stop is None else stop) - start)
        return cls(name, raw, shape, native(stored), stored, fortran and len(shape) > 1, offset)

    @property
    def grain(self) -> int:
        return FORTRAN_ROWS if self.fortran else 1

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        size = self.stored.itemsize
        if not self.fortran:
            width = int(np.prod(self.shape[1:], dtype=np.int64))
            rows = out if out is not None and self.stored == self.dtype else None
            if rows is None:
                rows = np.empty((stop - start, *self.shape[1:]), self.stored)
            self._fill(rows, self.offset + start * width * size)
        else:
            held = np.empty((self.shape[1], stop - start), self.stored)
            for column, part in enumerate(held):
                self._fill(part, self.offset + (column * self.shape[0] + start) * size)
            rows = held.T
        with np.errstate(over="ignore"):  # a long double may be too large for a float64
            return np.ascontiguousarray(rows, self.dtype)

    def _fill(self, array: Array, position: int) -> None:
        if array.size:
            self.raw.read_into(array.reshape(-1).view(np.uint8).data, position)

    def place(self, row: int, column: int | None = None) -> str:
        return place_in_array(self.name, row, column) if self.where is None else str(self.where.place(row, column))


@dataclass
class StreamSource:
    """An array that comes out of a pipe: its rows are taken in their order, each once, a run of them at a time."""

    name: str
    stream: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    columns: tuple[str, ...] | None = None
    taken: int = 0
    grain = 1
    cuts = None

    def take(self, start: int, stop: int) -> "Window":
        """The next rows, which must be those from start to stop."""
        assert start == self.taken
        self.taken = stop
        rows = np.empty((stop - start, *self.shape[1:]), self.stored)
        view = rows.reshape(-1).view(np.uint8).data if rows.size else memoryview(b"")
        while view:
            got = self.stream.readinto(view[:PIECE])  # so that a signal is not kept waiting for all of them
            if not got:
                missing = len(view) + (self.shape[0] - stop) * rows[:1].nbytes
                raise DataError(
                    f"{self.name}: truncated: {missing:,} bytes fewer came than its header promises; "
                    "did the command before the pipe fail?"
                )
            view = view[got:]
        if stop == self.shape[0] and self.stream.read(1):
            raise DataError(
                f"{self.name}: bytes come after its array of shape {self.shape}: several arrays? Save each in a file"
            )
        with np.errstate(over="ignore"):
            return Window(self, start, np.ascontiguousarray(rows, self.dtype))

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        raise AssertionError("rows of a stream are taken, not read")

    def place(self, row: int, column: int | None = None) -> str:
        return place_in_array(self.name, row, column)


def squeezed(source: Source) -> Source:
    """A source of shape (n, 1) as (n,)."""
    return replace(source, shape=source.shape[:1]) if isinstance(source, StreamSource) else Reshaped(source)


def read_npy_header(file: Any, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and dtype of an .npy stream; refuses what holds no plain numbers or text."""
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            shape, fortran, dtype = read(file)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{name}: not an NPY file ({_first_line(error)}); save it with numpy.save") from error
    check_dtype(dtype, name)
    check_axes(shape, name)
    if math.prod(shape) * max(dtype.itemsize, 1) >= 2**62:
        raise DataError(f"{name}: its header says shape {shape}, which no file can hold; it is damaged, save it again")
    return shape, fortran, dtype


def native(stored: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which numbers are read: in this machine's byte order, and no wider than float64."""
    return np.dtype(np.float64) if stored.kind == "f" and stored.itemsize > 8 else stored.newbyteorder("=")


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
    if any(type(length) is not int for length in shape):
        raise DataError(f"{name}: its header says shape {shape}, which is none; it is damaged, save it again")
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
    return re.sub(r" at 0x[0-9a-f]+>", ">", (str(error).splitlines() or [type(error).__name__])[0])


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

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(*(part.dtype for part in self.parts))

    @property
    def columns(self) -> tuple[str, ...] | None:
        return self.parts[0].columns

    @property
    def grain(self) -> int:
        return max(part.grain for part in self.parts)

    @cached_property
    def cuts(self) -> Sequence[int] | None:
        if all(part.cuts is None for part in self.parts):
            return None
        found = [[0, part.shape[0]] if part.cuts is None else part.cuts for part in self.parts]
        return [0, *(int(first) + cut for first, cuts in zip(self.starts, found, strict=False) for cut in cuts[1:])]

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        found = []
        for part, first in zip(self.parts, self.starts[:-1], strict=True):
            low, high = max(start - first, 0), min(stop - first, part.shape[0])
            if low < high:
                whole = out is not None and (low, high) == (start - first, stop - first) and part.dtype == out.dtype
                found.append(part.read(int(low), int(high), out if whole else None))
        if len(found) == 1:
            return found[0].astype(self.dtype, copy=False)
        return np.concatenate(found or [np.empty((0, *self.shape[1:]))]).astype(self.dtype, copy=False)

    def place(self, row: int, column: int | None = None) -> str:
        part = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.parts[part].place(row - int(self.starts[part]), column)


@dataclass
class Derived:
    """A source made of another one, of the same rows."""

    of: Source

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
        return self.of.columns

    @property
    def grain(self) -> int:
        return self.of.grain

    @property
    def cuts(self) -> Sequence[int] | None:
        return self.of.cuts


@dataclass
class Reshaped(Derived):
    """A source of shape (n, 1) read as (n,)."""

    @property
    def shape(self) -> tuple[int, ...]:
        return self.of.shape[:1]

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.of.read(start, stop, None if out is None else out[:, None]).reshape(stop - start)

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, 0)


@dataclass
class Reordered(Derived):
    """A source whose columns stand in another order: order[j] is the stored column of column j."""

    order: tuple[int, ...]

    @property
    def columns(self) -> tuple[str, ...] | None:
        return None if self.of.columns is None else tuple(self.of.columns[j] for j in self.order)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.of.read(start, stop)[:, list(self.order)]

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, None if column is None else self.order[column])


@dataclass
class Recoded(Derived):
    """Codes as the numbers that stand for them."""

    numbers: Array

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.numbers.dtype

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.numbers[self.of.read(start, stop)]

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, column)


@dataclass
class Window(Derived):
    """Some rows of a source, from `start` on, that are in memory."""

    start: int
    rows: Array
    cuts = None

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.rows[start - self.start : stop - self.start]

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, column)


def whole(source: Source) -> Array:
    """All rows; for small operands such as centers."""
    return source.read(0, source.shape[0])
