"""Lists whose items are rows: where each list is among the rows, which may have to be brought together first."""

from collections.abc import Callable, Iterator

import numpy as np

from losscli.arrays import Array
from losscli.io.positions import Layout
from losscli.io.source import Derived, Source, whole
from losscli.records import dataclass


@dataclass(frozen=True, eq=False)
class Lists(Layout):
    """Which rows are the items of which list. Lists are numbered in the order of their first rows.

    `starts`, shape (lists + 1,), are the first rows of the lists, and the number of all rows. `order`, shape (rows,), are the
    rows of the file in the order of the lists; None if the rows of each list stand together. `named` returns the names of
    some lists, from their numbers.
    """

    starts: Array
    order: Array | None
    named: Callable[[Array], list[str]]

    @property
    def rows(self) -> int:
        return int(self.starts[-1])

    @property
    def samples(self) -> int:
        return len(self.starts) - 1

    def first_rows_of(self, samples: Array) -> Array:
        return self.starts[samples]

    @property
    def longest(self) -> int:
        """The number of items of the longest list."""
        return int(np.diff(self.starts).max(initial=0))

    def cut(self, start: int, stop: int) -> tuple[int, Array]:
        first = int(np.searchsorted(self.starts, start, side="right")) - 1
        after = int(np.searchsorted(self.starts, stop))
        return first, np.maximum(self.starts[first:after], start) - start

    def whole(self, rows: int) -> list[int]:
        if self.order is not None:  # all of them are in memory, and a gradient goes back to their places at once
            return [0, self.rows]
        cuts = [0]
        while cuts[-1] < self.rows:
            after = int(np.searchsorted(self.starts, cuts[-1] + max(1, rows)))
            cuts.append(int(self.starts[min(after, self.samples)]))
        return cuts

    def in_file(self, slopes: Array) -> Array:
        """Return numbers of all rows, or of some if these stand together, in the order of the file."""
        if self.order is None or not len(slopes):
            return slopes
        back = np.empty_like(slopes)
        back[self.order] = slopes
        return back

    def arranged(self, source: Source) -> Source:
        """Return a source with its rows in the order of the lists."""
        return source if self.order is None else Gathered(source, self.order, whole(source)[self.order])


@dataclass
class Gathered(Derived):
    """A source whose rows are in memory, in the order of the lists that they are items of."""

    order: Array
    held: Array
    grain = 1
    cuts = None

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.held[start:stop]

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(int(self.order[row]), column)


@dataclass
class Runs:
    """Runs of rows of one list.

    `lists` and `starts`, shape (runs,), are the number of each run's list and its first row; `values`, shape (lists,), are the
    values of the column that stand for the lists, and `rows` is the number of all rows.
    """

    lists: Array
    starts: Array
    values: Array
    rows: int

    @classmethod
    def of(cls, parts: Iterator[tuple[int, Array]], rows: int) -> "Runs":
        """Return the runs of equal values in a column, whose values come as (number of the first row, values)."""
        values: list[Array] = []
        starts: list[Array] = []
        for start, part in parts:
            new = np.flatnonzero(part[1:] != part[:-1]) + 1
            if not values or part[0] != values[-1][-1]:
                new = np.append(0, new)
            if len(new):
                values.append(part[new])
                starts.append(start + new)
        every = np.concatenate(values) if values else np.zeros(0, np.int64)
        _, first, number = np.unique(every, return_index=True, return_inverse=True)
        place = np.empty(len(first), np.int64)
        place[np.argsort(first)] = np.arange(len(first))  # lists are numbered in the order of their first rows
        found = np.concatenate(starts) if starts else np.zeros(0, np.int64)
        return cls(place[number.reshape(-1)], found, every[np.sort(first)], rows)

    @property
    def lengths(self) -> Array:
        """The number of rows of each run."""
        return np.diff(self.starts, append=self.rows)

    @property
    def together(self) -> bool:
        """Whether the rows of each list stand together."""
        return len(self.values) == len(self.lists)

    def ordered(self) -> tuple[Array, Array | None]:
        """Return where lists start, and the order of the rows if those of a list do not stand together."""
        number = len(self.values)
        items = np.bincount(self.lists, self.lengths, minlength=number).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(items)])
        if self.together:
            return starts, None
        return starts, np.argsort(np.repeat(self.lists, self.lengths), kind="stable")
