"""Sources that leave the process: a part of the pass takes with it only what its rows need.

A file that lies on a disk is named, and opened again where its rows are read. What is in this process only, such as an array
of a program or a copy in the folder for temporary files, sends the rows themselves along.
"""

from copy import copy
from functools import cached_property, singledispatch
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.io.csv import TextTable
from losscli.io.join import Selected
from losscli.io.npy import NpySource
from losscli.io.positions import Layout, OfSamples, Positions
from losscli.io.row_lists import Lists
from losscli.io.source import (
    ConstantSource,
    Derived,
    Masked,
    ShardedSource,
    Source,
    Window,
    place_in_array,
)
from losscli.io.table import Stacked, Table, TableSource
from losscli.io.turned import TimeFirst
from losscli.records import dataclass, field, replace


@dataclass
class Sent:
    """Rows of a source that were read where it is, and sent: those from row `start` on."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    columns: tuple[str, ...] | None
    start: int
    rows: Array
    grain = 1
    cuts = None

    @classmethod
    def of(cls, source: Source, start: int, stop: int) -> "Sent":
        """Read the rows from `start` to `stop`."""
        rows = np.ascontiguousarray(source.read(start, stop))
        return cls(source.name, source.shape, source.dtype, source.columns, start, rows)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.rows[start - self.start : stop - self.start]

    def place(self, row: int, column: int | None = None) -> str:
        return place_in_array(self.name, row, column)


@dataclass
class SomeShards:
    """Shards of a source that stand together, with the row numbers of the whole: the first of them begins at row `first`."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    parts: ShardedSource
    first: int
    cuts = None

    @property
    def columns(self) -> tuple[str, ...] | None:
        return self.parts.columns

    @property
    def grain(self) -> int:
        return self.parts.grain

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        direct = out if self.parts.dtype == self.dtype else None
        return self.parts.read(start - self.first, stop - self.first, direct).astype(self.dtype, copy=False)

    def place(self, row: int, column: int | None = None) -> str:
        return self.parts.place(row - self.first, column)


@dataclass
class Travellers:
    """What the parts of a pass take with them; `sent` says how many bytes of which file's rows had to be sent."""

    sent: dict[str, int] = field(default_factory=dict)

    def of(self, source: Source, start: int, stop: int) -> Source:
        """Return a source for another process that has the rows from `start` to `stop`, under the same numbers."""
        return _touched(source, start, stop, self)

    def rows(self, source: Source, start: int, stop: int) -> Source:
        """Return a source that holds these rows itself."""
        found = Sent.of(source, start, stop)
        self.sent[source.name] = self.sent.get(source.name, 0) + found.rows.nbytes
        return found


@singledispatch
def _touched(source: Any, start: int, stop: int, way: Travellers) -> Any:
    """Return what `Travellers.of` does for a source of some type: sources that are not known here send their rows."""
    return way.rows(source, start, stop)


@_touched.register(ConstantSource)
@_touched.register(Sent)
def _as_it_is(source: Source, start: int, stop: int, way: Travellers) -> Source:
    return source


@_touched.register
def _of_file(source: NpySource, start: int, stop: int, way: Travellers) -> Source:
    if not getattr(source.raw, "travels", True):
        return way.rows(source, start, stop)
    return source if source.where is None else replace(source, where=None)


@_touched.register
def _of_window(source: Window, start: int, stop: int, way: Travellers) -> Source:
    return way.rows(source, start, stop)


@_touched.register
def _of_shards(source: ShardedSource, start: int, stop: int, way: Travellers) -> Source:
    low, high = source.between(start, stop)
    firsts = source.starts[low : high + 1].tolist()
    parts = [
        way.of(part, max(start - first, 0), min(stop - first, part.shape[0]))
        for part, first in zip(source.parts[low:high], firsts, strict=False)
    ]
    return SomeShards(source.name, source.shape, source.dtype, ShardedSource(source.name, parts), firsts[0])


@_touched.register(Derived)
def _of_derived(source: Any, start: int, stop: int, way: Travellers) -> Source:
    return replace(source, of=way.of(source.of, start, stop)) if source.row_by_row else way.rows(source, start, stop)


@_touched.register
def _of_masked(source: Masked, start: int, stop: int, way: Travellers) -> Source:
    return replace(source, of=way.of(source.of, start, stop), mask=way.of(source.mask, start, stop))


@_touched.register
def _of_time_first(source: TimeFirst, start: int, stop: int, way: Travellers) -> Source:
    return TimeFirst(way.of(source.of, 0, source.of.shape[0]))


@_touched.register
def _of_positions(source: Positions, start: int, stop: int, way: Travellers) -> Source:
    grid = source.grid
    if grid.single or not grid.kept:
        return replace(source, of=way.of(source.of, 0, source.of.shape[0]))
    return replace(source, of=way.of(source.of, start // grid.kept, -(-stop // grid.kept)))


@_touched.register
def _of_selected(source: Selected, start: int, stop: int, way: Travellers) -> Source:
    rows = source.selection.rows.read(start, stop)
    low, high = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    selection = replace(source.selection, rows=Sent.of(source.selection.rows, start, stop))
    return Selected(way.of(source.of, low, high), selection, None)


@_touched.register
def _of_samples(source: OfSamples, start: int, stop: int, way: Travellers) -> Source:
    return way.rows(source, start, stop)  # a number per sample is less than what says which sample a row belongs to


@dataclass
class SomeRows(Derived):
    """A source of which there are some rows only, under their numbers of the whole, whose shape it still has."""

    whole: tuple[int, ...]
    cuts = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.whole

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.of.read(start, stop)


@_touched.register
def _of_table(source: TableSource, start: int, stop: int, way: Travellers) -> Source:
    table = source.table
    low = max(0, int(np.searchsorted(table.cuts, start, side="right")) - 1)
    high = max(low + 1, int(np.searchsorted(table.cuts, stop)))
    some = _chunks_of(table, low, high) if start < stop else None
    if some is None:
        return way.rows(source, start, stop)
    return SomeRows(replace(source, table=some, _first=None), source.shape)


def _chunks_of(table: Table, low: int, high: int) -> Table | None:
    """Return the chunks from `low` to `high` of a text file, or of several; None if they are not on a disk as they are read."""
    if isinstance(table, Stacked):
        touched = table.chunks[low:high]
        if not all(isinstance(part, TextTable) and getattr(part.raw, "travels", True) for part, _ in touched):
            return None
        some: Any = copy(table)
        some.chunks = touched
        some.tables = list(dict.fromkeys(part for part, _ in touched))
        some.starts = np.zeros(1, np.int64)
    elif isinstance(table, TextTable) and getattr(table.raw, "travels", True):
        some = copy(table)
        index = table.index
        some.index = replace(
            index, rows=index.rows[low : high + 1], bytes=index.bytes[low : high + 1], lines=index.lines[low : high + 1]
        )
    else:
        return None
    vars(some).pop("kept", None)
    some.cuts = table.cuts[low : high + 1]
    return some


@dataclass(frozen=True)
class SomeSamples(Layout):
    """The layout of some shards, under the numbers of rows and samples of all of them."""

    row: int
    """The first row."""
    sample: int
    """The first sample."""
    all_rows: int
    all_samples: int

    @classmethod
    def of(cls, layout: Layout, start: int, stop: int) -> "SomeSamples":
        """Return the layout of the shards that have some of the rows from start to stop."""
        low = max(0, int(np.searchsorted(layout.first_rows, start, side="right")) - 1)
        high = max(low + 1, int(np.searchsorted(layout.first_rows, stop)))
        rows, samples = layout.first_rows[low], layout.first_samples[low]
        return cls(layout.grids[low:high], rows, samples, layout.rows, layout.samples)

    @cached_property
    def first_rows(self) -> tuple[int, ...]:
        return tuple(np.cumsum([self.row, *(grid.rows for grid in self.grids)]).tolist())

    @cached_property
    def first_samples(self) -> tuple[int, ...]:
        return tuple(np.cumsum([self.sample, *(grid.samples for grid in self.grids)]).tolist())

    @property
    def rows(self) -> int:
        return self.all_rows

    @property
    def samples(self) -> int:
        return self.all_samples


@dataclass(frozen=True, eq=False)
class SomeLists(Lists):
    """Some neighbouring lists, under the numbers of all of them."""

    first: int = 0
    """The number of the first of them."""
    all_rows: int = 0
    all_samples: int = 0

    @classmethod
    def of(cls, lists: Lists, start: int, stop: int) -> "SomeLists":
        """Return the lists that have some of the rows from start to stop."""
        first, cuts = lists.cut(start, stop)
        starts = lists.starts[first : first + len(cuts) + 1]
        return cls(lists.grids, starts, None, _unnamed, first, lists.rows, lists.samples)

    @property
    def rows(self) -> int:
        return self.all_rows

    @property
    def samples(self) -> int:
        return self.all_samples

    def cut(self, start: int, stop: int) -> tuple[int, Array]:
        first, cuts = super().cut(start, stop)
        return self.first + first, cuts

    def first_rows_of(self, samples: Array) -> Array:
        return self.starts[samples - self.first]


def _unnamed(lists: Array) -> list[str]:
    """Return nothing: names of lists are known only in the process that shows them."""
    return []


def layout_of(layout: Layout, start: int, stop: int) -> Layout:
    """Return what a layout says about the rows from start to stop, for another process."""
    return SomeLists.of(layout, start, stop) if isinstance(layout, Lists) else SomeSamples.of(layout, start, stop)
