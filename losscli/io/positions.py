"""Arrays of any rank as rows of two axes: one row per position, with the classes or outputs of the position side by side.

The first axis of an array is that of the samples. One axis may hold classes or outputs; all others together are the
positions of a sample: tokens, pixels, boxes. Rows are read by position from the file, and turned so that the classes come last.
"""

import math
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

import numpy as np

from losscli.arrays import Array
from losscli.io.source import Derived, ShardedSource, Source, elements
from losscli.records import dataclass

TURNED_AT_ONCE = 2048
"""Positions that are turned at once: few enough that what is read and what is written fit into the fastest cache."""
TURNED_IN_BLOCKS = 256
"""With fewer positions than this behind the axis of the classes, turning them a block at a time takes longer than all at once."""
BLOCK_BYTES = 4 << 20
"""An array of classes and positions up to this size is read as a whole, even if only a part of its positions is wanted."""


@dataclass(frozen=True)
class Grid:
    """How an array of any rank is read as rows.

    Parameters
    ----------
    shape
        the shape of the file.
    class_axis
        the axis of the classes or outputs, from 0; None if there is none.
    skipped
        numbers of positions that are left out at the beginning and at the end of each sample; these samples have one axis of
        positions.
    single
        whether the file holds one sample, and its first axis is not that of the samples.
    """

    shape: tuple[int, ...]
    class_axis: int | None = None
    skipped: tuple[int, int] = (0, 0)
    single: bool = False

    @cached_property
    def samples(self) -> int:
        """Number of samples."""
        return 1 if self.single else self.shape[0]

    @cached_property
    def axes(self) -> tuple[int, ...]:
        """The axes of the positions, ascending."""
        return tuple(axis for axis in range(0 if self.single else 1, len(self.shape)) if axis != self.class_axis)

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of the axes of positions."""
        return tuple(self.shape[axis] for axis in self.axes)

    @cached_property
    def classes(self) -> int:
        """Number of classes or outputs; 1 if no axis holds them."""
        return 1 if self.class_axis is None else self.shape[self.class_axis]

    @cached_property
    def positions(self) -> int:
        """Number of positions of a sample in the file."""
        return math.prod(self.lengths)

    @cached_property
    def kept(self) -> int:
        """Number of positions of a sample that are not left out."""
        return max(0, self.positions - sum(self.skipped))

    @property
    def blocks(self) -> tuple[int, int, int] | None:
        """The shape of the file as blocks of classes and positions, into which rows can be turned back a few at a time; None if that is slow."""
        if self.skipped != (0, 0) or self.inner < TURNED_IN_BLOCKS:
            return None
        return math.prod(self.shape) // max(1, self.classes * self.inner), self.classes, self.inner

    @property
    def rows(self) -> int:
        """Number of rows: samples times positions."""
        return self.samples * self.kept

    @cached_property
    def inner(self) -> int:
        """Number of positions behind the axis of the classes, which lie side by side in the file."""
        return 1 if self.class_axis is None else math.prod(self.shape[self.class_axis + 1 :])

    def index(self, row: int, column: int | None = None) -> tuple[int, ...]:
        """Return the index in the file of a row, or of one number of it."""
        sample, position = divmod(row, max(1, self.kept))
        at = [int(i) for i in np.unravel_index(position + self.skipped[0], self.lengths)] if self.lengths else []
        index = at if self.single else [sample, *at]
        if self.class_axis is not None and column is not None:
            index.insert(self.class_axis, column)
        return tuple(index)

    def indices(self, rows: Array) -> tuple[Array, Array]:
        """Return the sample of each row, shape (m,), and its position, shape (m, axes of positions)."""
        samples, positions = np.divmod(rows, max(1, self.kept))
        if not self.lengths:
            return samples, np.zeros((len(rows), 0), np.int64)
        return samples, np.stack(np.unravel_index(positions + self.skipped[0], self.lengths), axis=1)

    @cached_property
    def without_classes(self) -> "Grid":
        """The grid of the same positions of an array without the axis of the classes."""
        if self.class_axis is None:
            return self
        axis = self.class_axis
        return Grid(self.shape[:axis] + self.shape[axis + 1 :], None, self.skipped, self.single)

    def restored(self, rows: Array, samples: int, fill: float = 0.0) -> Array:
        """Return rows of whole samples, shape (rows,) or (rows, k), in the shape of the file; `fill` for what is left out."""
        per = rows.reshape(samples, self.kept, *rows.shape[1:])
        if self.skipped != (0, 0):
            whole = np.full((samples, self.positions, *per.shape[2:]), fill, rows.dtype)
            whole[:, self.skipped[0] : self.positions - self.skipped[1]] = per
            per = whole
        if rows.ndim == 2 and self.inner >= TURNED_IN_BLOCKS:
            blocks = per.reshape(-1, self.inner, self.classes)
            turned = np.empty((len(blocks), self.classes, self.inner), rows.dtype)
            turn_back(rows=blocks.reshape(-1, self.classes), out=turned)
            return turned.reshape(self.shape if self.single else (samples, *self.shape[1:]))
        shaped = per.reshape(samples, *self.lengths, *per.shape[2:])
        if self.class_axis is not None:
            shaped = np.moveaxis(shaped, -1, self.class_axis + self.single)
        return np.ascontiguousarray(shaped[0] if self.single else shaped)


@dataclass
class PerPosition(Derived):
    """A source with one row per position of an array: its columns have no names, and a chunk may begin at any row."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        return None

    @property
    def grain(self) -> int:
        return 1

    @property
    def cuts(self) -> None:
        return None


@dataclass
class Positions(PerPosition):
    """An array as rows: shape (rows, k) with a class axis, or (rows,) without."""

    grid: Grid

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.grid.rows,) if self.grid.class_axis is None else (self.grid.rows, self.grid.classes)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        grid = self.grid
        if grid.skipped == (0, 0):
            return self._whole(start, stop, out)
        parts = []
        for sample, low, high in self._of_samples(start, stop):
            first = sample * grid.positions + grid.skipped[0]
            parts.append(self._whole(first + low, first + high))
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, *self.shape[1:]), self.dtype)

    def _of_samples(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Yield sample, first position and the position after the last, of the rows from start to stop."""
        per = self.grid.kept
        row = start
        while row < stop:
            sample, low = divmod(row, per)
            high = min(per, low + stop - row)
            yield sample, low, high
            row += high - low

    def _whole(self, start: int, stop: int, out: Array | None = None) -> Array:
        """Return rows from `start` to `stop`, counted with those that are left out."""
        k, inner = self.grid.classes, self.grid.inner
        if inner == 1 or k == 1:  # the classes of a position lie side by side already
            flat = elements(self.of, start * k, stop * k, None if out is None else out.reshape(-1))
            return flat.reshape((stop - start, *self.shape[1:]))
        turned = np.empty((stop - start, k), self.dtype) if out is None else out
        row = start
        while row < stop:
            block, low = divmod(row, inner)
            if low == 0 and stop - row >= inner:
                whole = (stop - row) // inner if inner < TURNED_AT_ONCE else 1
                read = elements(self.of, block * k * inner, (block + whole) * k * inner).reshape(whole, k, inner)
                target = turned[row - start : row - start + whole * inner].reshape(whole, inner, k)
                for i in range(whole):
                    _turn(read[i], target[i])
                row += whole * inner
                continue
            high = min(inner, low + stop - row)
            _turn(self._part(block, low, high), turned[row - start : row - start + high - low])
            row += high - low
        return turned

    def _part(self, block: int, low: int, high: int) -> Array:
        """Return the classes, shape (k, high - low), of some positions of a block of classes and positions."""
        k, inner = self.grid.classes, self.grid.inner
        first = block * k * inner
        if k * inner * self.dtype.itemsize <= BLOCK_BYTES // 4:
            return elements(self.of, first, first + k * inner).reshape(k, inner)[:, low:high]
        part = np.empty((k, high - low), self.dtype)
        for number in range(k):
            begin = first + number * inner
            part[number] = elements(self.of, begin + low, begin + high, part[number])
        return part

    def place(self, row: int, column: int | None = None) -> str:
        return placed(self.of, self.grid.index(row, column))


def _turn(read: Array, out: Array) -> None:
    """Write `read`, shape (k, m), into `out`, shape (m, k)."""
    for start in range(0, read.shape[1], TURNED_AT_ONCE):
        out[start : start + TURNED_AT_ONCE] = read[:, start : start + TURNED_AT_ONCE].T


def turn_back(rows: Array, out: Array, first: int = 0) -> None:
    """Write `rows`, shape (m, k), into `out`, shape (blocks, k, inner), in which row `first` of all is the first of them."""
    inner, done = out.shape[2], 0
    while done < len(rows):
        block, low = divmod(first + done, inner)
        many = min(inner - low, len(rows) - done, TURNED_AT_ONCE)
        out[block, :, low : low + many] = rows[done : done + many].T
        done += many


def placed(source: Source, index: tuple[int, ...]) -> str:
    """Return the place of an index in words: `file.npy[1, 3, 17, 112]`, or that of a table where it has at most two axes."""
    if len(source.shape) <= 2 and len(index) in (1, 2) and len(source.shape) >= len(index):
        return source.place(*index)
    return f"{source.name}[{', '.join(map(str, index))}]"


def as_rows(source: Source, grids: tuple[Grid, ...]) -> Source:
    """Return a source as rows of positions; that of shards has one grid for each."""
    if len(grids) == 1:
        return Positions(source, grids[0])
    assert isinstance(source, ShardedSource)
    return ShardedSource(source.name, [Positions(part, grid) for part, grid in zip(source.parts, grids, strict=True)])


@dataclass(frozen=True)
class Layout:
    """Which sample each row of positions belongs to, and where it is in its file: one grid per shard.

    Every sample has at least one position, unless there are no rows at all.
    """

    grids: tuple[Grid, ...]

    @cached_property
    def first_rows(self) -> tuple[int, ...]:
        """The first row of each shard, and the number of all rows."""
        return tuple(np.cumsum([0, *(grid.rows for grid in self.grids)]).tolist())

    @cached_property
    def first_samples(self) -> tuple[int, ...]:
        """The first sample of each shard, and the number of all samples."""
        return tuple(np.cumsum([0, *(grid.samples for grid in self.grids)]).tolist())

    @property
    def rows(self) -> int:
        return self.first_rows[-1]

    @property
    def samples(self) -> int:
        return self.first_samples[-1]

    @property
    def alike(self) -> bool:
        """Whether all shards have the same shape but for the number of samples."""
        return len({grid.shape if grid.single else grid.shape[1:] for grid in self.grids}) == 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of all shards together; where they differ in an axis, it is -1."""
        first = self.grids[0].shape if not self.grids[0].single or len(self.grids) == 1 else (1, *self.grids[0].shape)
        if len(self.grids) == 1:
            return first
        shapes = [(1, *grid.shape) if grid.single else grid.shape for grid in self.grids]
        tail = (lengths[0] if len(set(lengths)) == 1 else -1 for lengths in list(zip(*shapes, strict=True))[1:])
        return (self.samples, *tail)

    def shards(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Yield the number of a shard, and the first row and the row after the last of the rows from start to stop in it."""
        for number, (low, high) in enumerate(pairwise(self.first_rows)):
            if max(start, low) < min(stop, high):
                yield number, max(start, low) - low, min(stop, high) - low

    def cut(self, start: int, stop: int) -> tuple[int, Array]:
        """Return the sample of row `start`, and where samples begin among the rows from start to stop, the first with 0.

        Rows `cuts[i]` to `cuts[i + 1]` belong to the sample `first + i`.
        """
        first: int | None = None
        cuts: list[Array] = []
        for number, low, high in self.shards(start, stop):
            per = self.grids[number].kept
            begin = low // per
            begins = np.maximum(np.arange(begin, -(-high // per)) * per, low) - low
            cuts.append(begins + (self.first_rows[number] + low - start))
            if first is None:
                first = self.first_samples[number] + begin
        return first or 0, np.concatenate(cuts) if cuts else np.zeros(0, np.int64)

    def first_rows_of(self, samples: Array) -> Array:
        """Return the first rows of some samples, from their numbers."""
        firsts = np.array([self.first_samples, self.first_rows])
        shards = np.searchsorted(firsts[0], samples, side="right") - 1
        lengths = np.array([grid.kept for grid in self.grids])
        return np.asarray(firsts[1, shards] + (samples - firsts[0, shards]) * lengths[shards])

    def numbers(self, start: int, stop: int) -> Array:
        """Return the sample of each row from start to stop, shape (stop - start,)."""
        first, cuts = self.cut(start, stop)
        return np.repeat(first + np.arange(len(cuts)), np.diff(cuts, append=stop - start))

    def whole(self, rows: int) -> list[int]:
        """Return the rows between which there are whole samples, at least `rows` of them if there are so many."""
        cuts = [0]
        for number, grid in enumerate(self.grids):
            first, last = self.first_rows[number], self.first_rows[number + 1]
            per = max(1, grid.kept)
            step = max(1, rows // per) * per
            cuts += [*range(first + step, last, step), last] if last > first else []
        return cuts

    def indices(self, rows: Array) -> tuple[Array, Array]:
        """Return the sample of each row, counted over all shards, and its position; rows ascend."""
        if not len(rows):
            return rows, np.zeros((0, len(self.grids[0].lengths)), np.int64)
        cuts = np.searchsorted(rows, self.first_rows)
        parts = [
            grid.indices(rows[low:high] - first)
            for grid, first, (low, high) in zip(self.grids, self.first_rows, pairwise(cuts), strict=False)
        ]
        begins = [np.full(len(part[0]), first) for part, first in zip(parts, self.first_samples, strict=False)]
        samples = np.concatenate([part[0] for part in parts]) + np.concatenate(begins)
        return samples, np.concatenate([part[1] for part in parts])

    def index(self, row: int, column: int | None = None) -> tuple[int, ...]:
        """Return the index in the file of a row; in shards, the sample is counted over all of them."""
        number = int(np.searchsorted(self.first_rows, row, side="right")) - 1
        index = self.grids[number].index(row - self.first_rows[number], column)
        if self.grids[number].single:
            return index if len(self.grids) == 1 else (self.first_samples[number], *index)
        return index[0] + self.first_samples[number], *index[1:]


@dataclass
class OfSamples(PerPosition):
    """One number per sample, shape (n,) or (n, 1), for each of its positions: shape (rows,)."""

    layout: Layout

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.layout.rows,)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        if stop <= start:
            return np.empty(0, self.dtype)
        samples = self.layout.numbers(start, stop)
        first = int(samples[0])
        return self.of.read(first, int(samples[-1]) + 1).reshape(-1)[samples - first]

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(int(self.layout.numbers(row, row + 1)[0]))
