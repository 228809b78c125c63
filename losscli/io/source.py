"""Sources: rows of numbers, read by position, that know how to name a place in their file."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.records import dataclass, field

SCAN_BYTES = 4 << 20


class Source(Protocol):
    """Rows of numbers: (n,) or (n, k), or an array of more axes in its file, whose rows are along the first."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names of the columns, or None if they have none."""
        ...

    @property
    def grain(self) -> int:
        """How many rows to read at once, so that nothing is decoded twice; 1 if any number is as good."""
        ...

    @property
    def cuts(self) -> Sequence[int] | None:
        """The rows between which the source is best read, including 0 and n; None if it can be read from any row."""
        ...

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        """Return the rows from `start` to `stop`, in native byte order.

        `out` is an array of their shape and dtype, which may be filled and returned.
        """
        ...

    def place(self, row: int, column: int | None = None) -> str:
        """Return where a value stands, in words in which an editor or NumPy would say it."""
        ...


def elements(source: Source, start: int, stop: int, out: Array | None = None) -> Array:
    """Return the numbers from `start` to `stop`, counted through all axes of an array, the last one fastest: shape (stop - start,).

    `out` is an array of their shape and dtype, which may be filled and returned. A source of which numbers can be read from any
    place, and not only whole rows of them, has a method `elements` of its own.
    """
    own: Callable[..., Array] | None = getattr(
        source, "elements", None
    )  # isinstance of a protocol takes 50 times longer
    if own is not None:
        return own(start, stop, out)
    width = math.prod(source.shape[1:])
    first, last = start // max(1, width), -(-stop // max(1, width))
    return source.read(first, last).reshape(-1)[start - first * width : stop - first * width]


def blocks(source: Source) -> Iterator[tuple[int, Array]]:
    """Yield (number of the first row, rows) over a whole source, some rows at a time."""
    width = int(np.prod(source.shape[1:], dtype=np.int64)) * source.dtype.itemsize
    step = max(1, SCAN_BYTES // max(1, width), source.grain)
    cuts = source.cuts or [*range(0, source.shape[0], step), source.shape[0]]
    for start, stop in pairwise(cuts):
        if start < stop:
            yield start, source.read(start, stop)


def first_of(source: Source, start: int, bad: Array) -> tuple[str, tuple[int, ...]]:
    """Return the place in the file and the index in the block of the first number that is bad.

    Parameters
    ----------
    start
        the row of the source where the block begins.
    bad
        which numbers of the block are bad, shape (rows,) or (rows, k); at least one is.
    """
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    return source.place(start + index[0], index[1] if len(index) > 1 else None), index


def expect(source: Source, start: int, stop: int) -> None:
    """Say that some rows will be read next, so that what comes from another machine is asked for in one go."""
    expecting = getattr(source, "expect", None)
    if expecting is not None:
        expecting(start, stop)


def pieces(source: Source, start: int, stop: int, rows: int) -> Iterator[tuple[int, Array]]:
    """Yield (number of the first row, at most `rows` rows) from start to stop; an array is
    valid until the next is yielded.
    """
    expect(source, start, stop)
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
    """Rows that are in memory already, as when a program has arrays instead of files."""

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

    def elements(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self._flat[start:stop]

    @cached_property
    def _flat(self) -> Array:
        return self.array.reshape(-1)  # a copy, unless the array is in C order

    def place(self, row: int, column: int | None = None) -> str:
        if self.where is None:
            return place_in_array(self.name, row, column)
        if column is None and len(self.column_numbers) == 1:
            column = 0
        return str(self.where.place(row, None if column is None else self.column_numbers[column]))


@dataclass
class ConstantSource:
    """One constant number for every prediction."""

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
    """Return the place of a number in an array, such as 'file.npy[3, 1]'."""
    return f"{name}[{row}]" if column is None else f"{name}[{row}, {column}]"


def unlike(first: Source, other: Source) -> DataError:
    """Return the error about a shard whose shape does not go with that of the first one."""
    return DataError(f"{other.name}: shape {other.shape} does not go with {first.name}'s {first.shape}")


@dataclass
class ShardedSource:
    """Several sources as one: their rows one after another."""

    name: str
    parts: Sequence[Source]
    _expected: set[int] = field(default_factory=set, repr=False, compare=False)
    """Rows before which it was said lately that rows will be read."""

    @cached_property
    def starts(self) -> Array:
        return np.cumsum([0] + [part.shape[0] for part in self.parts])

    @cached_property
    def shape(self) -> tuple[int, ...]:
        tail = self.parts[0].shape[1:]
        if not self.alike:  # -1 is a length that differs, of arrays that are read as positions
            tail = tuple(
                lengths[0] if len(set(lengths)) == 1 else -1
                for lengths in zip(*(part.shape[1:] for part in self.parts), strict=True)
            )
        return (int(self.starts[-1]), *tail)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(*(part.dtype for part in self.parts))

    @property
    def columns(self) -> tuple[str, ...] | None:
        return self.parts[0].columns

    @cached_property
    def grain(self) -> int:
        return max(part.grain for part in self.parts)

    @cached_property
    def cuts(self) -> Sequence[int] | None:
        if all(part.cuts is None for part in self.parts):
            return None
        cuts_of_parts = [[0, part.shape[0]] if part.cuts is None else part.cuts for part in self.parts]
        return [
            0,
            *(int(first) + cut for first, cuts in zip(self.starts, cuts_of_parts, strict=False) for cut in cuts[1:]),
        ]

    @property
    def alike(self) -> bool:
        """Whether all parts have the same shape but for the number of rows."""
        return len({part.shape[1:] for part in self.parts}) == 1

    def unlike(self) -> DataError:
        """Return the error about shards of different shapes, where rows of one length are needed."""
        first = self.parts[0]
        return unlike(first, next(part for part in self.parts if part.shape[1:] != first.shape[1:]))

    def between(self, start: int, stop: int) -> tuple[int, int]:
        """Return the number of the first shard that has some of the rows from `start` to `stop`, and of the shard after the last."""
        low = int(np.searchsorted(self.starts, start, side="right")) - 1
        return max(0, low), min(len(self.parts), int(np.searchsorted(self.starts, max(stop, start + 1))))

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        arrays = []
        first_part, after = self.between(start, stop)
        for part, first in zip(self.parts[first_part:after], self.starts[first_part:after], strict=True):
            low, high = max(start - first, 0), min(stop - first, part.shape[0])
            if low < high:
                whole = out is not None and (low, high) == (start - first, stop - first) and part.dtype == out.dtype
                arrays.append(part.read(int(low), int(high), out if whole else None))
        if len(arrays) == 1:
            return arrays[0].astype(self.dtype, copy=False)
        if len({array.shape[1:] for array in arrays}) > 1:  # positions are read shard by shard
            raise self.unlike()
        return np.concatenate(arrays or [np.empty((0, *self.shape[1:]))]).astype(self.dtype, copy=False)

    def expect(self, start: int, stop: int) -> None:
        """Say that some rows will be read next; if they follow those of before, so will those behind them."""
        following = stop + (stop - start) if start in self._expected else stop
        self._expected.discard(start)
        self._expected.add(stop)
        first, last = np.searchsorted(self.starts, [start, following], side="right") - 1
        for i in range(max(int(first), 0), min(int(last) + 1, len(self.parts))):
            low, high = (
                max(start - int(self.starts[i]), 0),
                min(following - int(self.starts[i]), self.parts[i].shape[0]),
            )
            if low < high:
                expect(self.parts[i], low, high)

    def place(self, row: int, column: int | None = None) -> str:
        part = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.parts[part].place(row - int(self.starts[part]), column)


@dataclass
class Derived:
    """A source that is made from another one and has the same rows."""

    of: Source
    row_by_row = False
    """Whether row i is made of row i of the other source and of nothing else, as many numbers as there may be of it elsewhere."""

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

    def expect(self, start: int, stop: int) -> None:
        expect(self.of, start, stop)

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, column)


@dataclass
class Reshaped(Derived):
    """A source of shape (n, 1) that is read as (n,)."""

    row_by_row = True

    @property
    def shape(self) -> tuple[int, ...]:
        return self.of.shape[:1]

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.of.read(start, stop, None if out is None else out[:, None]).reshape(stop - start)

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, 0)


@dataclass
class Reordered(Derived):
    """A source whose columns are in another order: column j is the column order[j] of the other source."""

    row_by_row = True

    order: tuple[int, ...]

    @property
    def columns(self) -> tuple[str, ...] | None:
        return None if self.of.columns is None else tuple(self.of.columns[j] for j in self.order)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.of.read(start, stop)[:, list(self.order)]

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, None if column is None else self.order[column])


@dataclass
class Picked(Derived):
    """Some columns of a source: column j is the column numbers[j] of the other source."""

    row_by_row = True

    numbers: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.of.shape[0], len(self.numbers)

    @property
    def columns(self) -> tuple[str, ...] | None:
        return None if self.of.columns is None else tuple(self.of.columns[j] for j in self.numbers)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.of.read(start, stop)[:, list(self.numbers)]

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, None if column is None else self.numbers[column])


@dataclass
class Recoded(Derived):
    """A source of codes, whose numbers[code] are read instead."""

    row_by_row = True

    numbers: Array

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.numbers.dtype

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.numbers[self.of.read(start, stop)]


@dataclass
class Masked(Derived):
    """Targets of which some do not exist: these are read as a target that is always legal, whatever stands in the file.

    `mask` has one number per row, or one per number of the source; 0 says that a target does not exist. If it has several
    numbers for each target of a source of one per row, a target exists if any of them is not 0. `legal` is the target that is
    read: one number, or one per column.
    """

    mask: Source
    legal: Array

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        rows = self.of.read(start, stop)
        there = self.mask.read(start, stop) != 0
        if there.ndim < rows.ndim:
            there = there[:, None]
        elif there.ndim > rows.ndim:
            there = there.any(axis=1)
        return np.where(there, rows, self.legal.astype(rows.dtype))


@dataclass
class Window(Derived):
    """Some rows of a source, beginning with row `start`, that are in memory."""

    start: int
    rows: Array
    cuts = None

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.rows[start - self.start : stop - self.start]


def whole(source: Source) -> Array:
    """Return all rows; for small operands such as centers."""
    return source.read(0, source.shape[0])
