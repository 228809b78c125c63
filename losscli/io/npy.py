"""NPY files: the header is checked, and rows are read by position or as they arrive through a pipe."""

import math
import warnings
from itertools import pairwise
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.io.bytes import PIECE, Raw, Reader, Spool, is_far
from losscli.io.encoded import ENCODINGS, decoded
from losscli.io.source import Reshaped, Source, Window, place_in_array
from losscli.records import dataclass, replace

FORTRAN_ROWS = 128
"""Rows that are read at once from an array stored by columns, of which each column needs a read of its own."""

LONG_RUN = 512
"""Bytes of one column from which on each column of an array stored by columns is read by itself."""
VERSIONS = ((1, 0), (2, 0), (3, 0))
"""Versions of NPY that exist."""
SHORT_HEADER = 128
"""Bytes of almost every header."""
MOST_PARSED = 1000
"""Headers that are remembered."""
WORDS_OF_NUMPY = (
    "EOF: ",
    "Header ",
    "descr ",
    "fortran_order ",
    "shape ",
    "the magic string",
    "we only support",
    "Invalid version",
)
"""How NumPy's messages about headers begin."""
LONGEST_WORDS = 100
"""Letters of such a message that are shown, since it holds what the header says."""
MOST_OF_EMPTY = 1 << 28
"""Bytes that an array without elements may have if its axis of length 0 had length 1."""


@dataclass
class NpySource:
    """An array in a file, read by position: memory does not grow with it, and a truncated
    file is an error, not a crash.
    """

    name: str
    raw: Raw
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    fortran: bool
    offset: int
    columns: tuple[str, ...] | None = None
    where: Any = None
    """An object with place(row, column), for numbers that were copied from another file."""
    encoding: str | None = None
    """The type of numbers that NumPy does not have, and which `stored` holds as whole numbers."""
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
        """Return a source of numbers that begin at the first byte, without a header."""
        return cls(name, raw, shape, dtype, dtype, fortran and len(shape) > 1, 0, columns, where)

    @classmethod
    def copy(cls, source: Source) -> "NpySource":
        """Return a copy of a source that is slow to read, or cannot be cut at any row. It is read once, in order."""
        raw = Spool(source.name)
        cuts = source.cuts or [0, source.shape[0]]
        for start, stop in pairwise(cuts):
            raw.write(np.ascontiguousarray(source.read(start, stop)).data)
        return cls.of_raw(source.name, raw, source.shape, source.dtype, columns=source.columns, where=source)

    @classmethod
    def open(
        cls, raw: Raw, name: str, start: int = 0, stop: int | None = None, untyped: str | None = None
    ) -> "NpySource":
        """Return a source of the array between the bytes `start` and `stop`. The header is
        read and checked, the data is not. `untyped` is the type of numbers whose header says none.
        """
        shape, fortran, stored, length = _header(raw, name, start, untyped)
        offset = start + length
        promised = offset - start + stored.itemsize * math.prod(shape)
        check_length(name, shape, promised, (raw.size if stop is None else stop) - start)
        dtype, stored, encoding = _types(stored)
        return cls(name, raw, shape, dtype, stored, fortran and len(shape) > 1, offset, encoding=encoding)

    @property
    def grain(self) -> int:
        return FORTRAN_ROWS if self.fortran and len(self.shape) == 2 else 1

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        size = self.stored.itemsize
        if not self.fortran:
            width = math.prod(self.shape[1:])
            held = self._held(start, stop, width * size)
            if held is not None:
                return held
            rows = out if out is not None and self.stored == self.dtype else None
            if rows is None:
                rows = np.empty((stop - start, *self.shape[1:]), self.stored)
            self._fill(rows, self.offset + start * width * size)
        else:
            rows = self._by_columns(start, stop)
        with np.errstate(over="ignore"):  # a long double may be too large for a float64
            return np.ascontiguousarray(decoded(rows, self.encoding), self.dtype)

    def expect(self, start: int, stop: int) -> None:
        """Say that some rows will be read next."""
        if is_far(self.raw) and not self.fortran:
            size = math.prod(self.shape[1:]) * self.stored.itemsize
            self.raw.fetch(self.offset + start * size, (stop - start) * size)  # type: ignore[attr-defined]

    def _held(self, start: int, stop: int, width: int) -> Array | None:
        """Return rows of `width` bytes as they came from another machine, without a copy; None if they have to be put together."""
        if not is_far(self.raw) or self.stored != self.dtype or self.encoding is not None:
            return None
        view = self.raw.view(self.offset + start * width, (stop - start) * width)  # type: ignore[attr-defined]
        if view is None:
            return None
        rows = np.frombuffer(view, self.stored).reshape(stop - start, *self.shape[1:])
        return rows if rows.flags.aligned else rows.copy()

    def _by_columns(self, start: int, stop: int) -> Array:
        """Return rows, as they are stored, of an array whose first axis varies fastest in the file."""
        size, height = self.stored.itemsize, self.shape[0]
        width, taken = math.prod(self.shape[1:]), stop - start
        by_column = np.empty((width, taken), self.stored)
        if taken * size >= LONG_RUN or taken == 0:
            for column, part in enumerate(by_column):
                self._fill(part, self.offset + (column * height + start) * size)
        else:  # runs so short that it costs less to read what lies between them too
            step = max(1, PIECE // (height * size))
            for column in range(0, width, step):
                whole = np.empty((min(step, width - column), height), self.stored)
                self._fill(whole, self.offset + column * height * size)
                by_column[column : column + step] = whole[:, start:stop]
        if len(self.shape) == 2:
            return by_column.T
        return by_column.reshape(*self.shape[:0:-1], taken).T

    def elements(self, start: int, stop: int, out: Array | None = None) -> Array:
        """Return the numbers from `start` to `stop`, counted through all axes, the last one fastest."""
        if self.fortran:
            width = math.prod(self.shape[1:])
            first, last = start // max(1, width), -(-stop // max(1, width))
            return self.read(first, last).reshape(-1)[start - first * width : stop - first * width]
        direct = out is not None and self.stored == self.dtype and out.flags.c_contiguous
        flat = out if direct and out is not None else np.empty(stop - start, self.stored)
        self._fill(flat, self.offset + start * self.stored.itemsize)
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(decoded(flat, self.encoding), self.dtype)

    def _fill(self, array: Array, position: int) -> None:
        if array.size:
            self.raw.read_into(array.reshape(-1).view(np.uint8).data, position)

    def place(self, row: int, column: int | None = None) -> str:
        return place_in_array(self.name, row, column) if self.where is None else str(self.where.place(row, column))


@dataclass
class StreamSource:
    """An array that arrives through a pipe: its rows are taken in their order, each once, some at a time."""

    name: str
    stream: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    columns: tuple[str, ...] | None = None
    taken: int = 0
    encoding: str | None = None
    grain = 1
    cuts = None

    @classmethod
    def begun(cls, name: str, stream: Any, shape: tuple[int, ...], stored: np.dtype[Any]) -> "StreamSource":
        """Return a source of a stream whose header was read."""
        dtype, stored, encoding = _types(stored)
        return cls(name, stream, shape, dtype, stored, encoding=encoding)

    def take(self, start: int, stop: int) -> "Window":
        """Return the next rows, which must be those from `start` to `stop`.

        Raises
        ------
        DataError
            if the pipe ends before them, or holds more bytes than the array has.
        """
        assert start == self.taken
        self.taken = stop
        rows = np.empty((stop - start, *self.shape[1:]), self.stored)
        view = rows.reshape(-1).view(np.uint8).data if rows.size else memoryview(b"")
        while view:
            got = self.stream.readinto(view[:PIECE])  # in pieces, since a signal is handled between two of them
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
            return Window(self, start, np.ascontiguousarray(decoded(rows, self.encoding), self.dtype))

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        raise AssertionError("rows of a stream are taken, not read")

    def place(self, row: int, column: int | None = None) -> str:
        return place_in_array(self.name, row, column)


def _header(raw: Raw, name: str, start: int, untyped: str | None) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return what `read_npy_header` does, and the length of the header. Shards mostly have the same one, which is parsed once."""
    size = min(SHORT_HEADER, raw.size - start)
    known = raw.read(start, size) if size == SHORT_HEADER else b""
    if known in _parsed and untyped is None:
        return _parsed[known]
    file = Reader(raw, start)
    found = (*read_npy_header(file, name, untyped), file.tell() - start)
    if found[3] == SHORT_HEADER and untyped is None and len(_parsed) < MOST_PARSED:
        _parsed[known] = found
    return found


_parsed: dict[bytes, tuple[tuple[int, ...], bool, np.dtype[Any], int]] = {}
"""Headers that were read and checked already."""


def squeezed(source: Source) -> Source:
    """Return a source of shape (n, 1) as one of shape (n,)."""
    return replace(source, shape=source.shape[:1]) if isinstance(source, StreamSource) else Reshaped(source)


def read_npy_header(file: Any, name: str, untyped: str | None = None) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape, whether the array is in Fortran order, and the dtype of an .npy stream.

    `untyped` is the type of numbers whose header says none: 'bfloat16', whose dtype here is V2, or None.

    Raises
    ------
    DataError
        if it is not an .npy header, or the array does not hold plain numbers or text on one or two axes.
    """
    file = _Spelt(file)
    try:
        version = np.lib.format.read_magic(file)
        if version not in VERSIONS:
            raise DataError(f"{name}: NPY of version {version[0]}.{version[1]}, which does not exist; save it again")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about headers that Python 2 wrote
            shape, fortran, dtype = read(file)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{name}: not an NPY file ({_why(error)}); save it with numpy.save") from error
    check_dtype(dtype, name, untyped)
    check_axes(shape, name)
    if not dtype.itemsize and 0 not in shape:  # any number of rows would lie in no byte
        raise DataError(
            f"{name}: its header says text without a letter (dtype {dtype.str}); it is damaged, save it again"
        )
    # Axes of length 0 count as 1: what loops over the other axis would never end.
    most = 2**62 if all(shape) else MOST_OF_EMPTY
    if math.prod(max(length, 1) for length in shape) * max(dtype.itemsize, 1) >= most:
        raise DataError(f"{name}: its header says shape {shape}, which no file can hold; it is damaged, save it again")
    return shape, fortran, dtype


@dataclass
class _Spelt:
    """A stream in which the dtype 'bfloat16', which some programs write and NumPy does not know, is spelt as others do."""

    file: Any

    def read(self, size: int) -> bytes:
        data: bytes = self.file.read(size)
        return data.replace(b"'bfloat16'", b"'<V2'     ")


def _types(stored: np.dtype[Any]) -> tuple[np.dtype[Any], np.dtype[Any], str | None]:
    """Return the dtype in which numbers are read, the one in which they are stored, and what those stand for, if not for
    themselves.
    """
    if stored.kind == "V":
        return np.dtype(np.float32), ENCODINGS["bfloat16"][0], "bfloat16"
    return native(stored), stored, None


def native(stored: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which numbers are read: in this machine's byte order, and no wider than float64."""
    return np.dtype(np.float64) if stored.kind == "f" and stored.itemsize > 8 else stored.newbyteorder("=")


def check_length(name: str, shape: tuple[int, ...], promised: int, present: int) -> None:
    """Raise a DataError if a file has fewer or more bytes than its header says."""
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
    """Raise a DataError for shapes without an axis, or with a length that is none."""
    if any(type(length) is not int for length in shape):
        raise DataError(f"{name}: its header says shape {shape}, which is none; it is damaged, save it again")
    if any(length < 0 for length in shape):
        raise DataError(f"{name}: its header says shape {shape}, with a negative length; it is damaged, save it again")
    if not shape:
        raise DataError(f"{name}: shape () is one number without an axis; save it with numpy.reshape(values, (1,))")


def check_dtype(dtype: np.dtype[Any], name: str, untyped: str | None = None) -> None:
    """Raise a DataError for dtypes that are neither real numbers nor text; `untyped` is what those without a type are."""
    plain = dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None and dtype.subdtype is None
    if dtype.kind in "buifUS" or (plain and untyped == "bfloat16"):
        return
    if plain:
        raise DataError(
            f"{name}: dtype {dtype}: two bytes for each number, and no type; if they are bfloat16, say --dtype bfloat16"
        )
    if dtype.hasobject:
        raise DataError(
            f"{name}: holds pickled Python objects, which losscli never loads; re-save it as numbers or text: "
            "numpy.save(file, numpy.asarray(old.tolist(), float)), or str for text"
        )
    if dtype.kind == "V":
        raise DataError(f"{name}: dtype {dtype} is not numbers (a structured array?); save its fields as float32")
    raise DataError(f"{name}: dtype {dtype} is not real numbers or text; convert it before saving")


def _why(error: Exception) -> str:
    """Return what is wrong with a header: in NumPy's words where they are about NPY files, and in short."""
    text = (str(error).splitlines() or [""])[0]
    if not text.startswith(WORDS_OF_NUMPY):  # Python's own, about its syntax
        return "its header does not describe an array"
    return text if len(text) <= LONGEST_WORDS else f"{text[:LONGEST_WORDS]}..."
