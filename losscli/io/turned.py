"""Sources whose rows are other units than the rows of their file, and how gradients get back into the file's shape."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.io.source import Derived, whole
from losscli.records import dataclass

MOST_TURNED = 1 << 28
"""Numbers that are held in memory at most, where samples lie across an array."""


@dataclass
class Turned(Derived):
    """A source of an array whose rows are units of another shape or order."""

    @property
    def file_shape(self) -> tuple[int, ...]:
        """The shape of the array in its file."""
        return self.of.shape

    def restored(self, slopes: Array) -> Array:
        """Return the gradients of the rows of one chunk in the shape of the file."""
        raise NotImplementedError


@dataclass
class Steps(Turned):
    """An array of shape (samples, time, classes), read as one row per sample, (samples, time * classes)."""

    row_by_row = True

    @property
    def shape(self) -> tuple[int, ...]:
        samples, time, classes = self.of.shape
        return samples, time * classes

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        shaped = None if out is None else out.reshape(stop - start, *self.of.shape[1:])
        return self.of.read(start, stop, shaped).reshape(stop - start, -1)

    def place(self, row: int, column: int | None = None) -> str:
        """Return 'file.npy[sample, step, class]', also for a shard."""
        place = self.of.place(row)
        return place if column is None else f"{place[:-1]}, {_step_and_class(column, self.of.shape)}]"

    def restored(self, slopes: Array) -> Array:
        return slopes.reshape(len(slopes), *self.of.shape[1:])


@dataclass
class TimeFirst(Turned):
    """An array of shape (time, samples, classes), read as one row per sample, (samples, time * classes).

    It is read as a whole, since every sample lies across all of it.
    """

    def __post_init__(self) -> None:
        if np.prod(self.of.shape, dtype=np.int64) > MOST_TURNED:
            raise DataError(
                f"{self.name}: shape {self.of.shape}: with time first all of it is held in memory, and that is limited to "
                f"{MOST_TURNED:,} numbers; save it as (samples, time, classes), which streams"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        time, samples, classes = self.of.shape
        return samples, time * classes

    @property
    def grain(self) -> int:
        return max(2, self.shape[0])

    @property
    def cuts(self) -> Sequence[int] | None:
        return [0, self.shape[0]]

    @cached_property
    def rows(self) -> Array:
        """The whole array, one row per sample."""
        return np.ascontiguousarray(whole(self.of).transpose(1, 0, 2)).reshape(self.shape)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.rows[start:stop]

    def place(self, row: int, column: int | None = None) -> str:
        if column is None:
            return f"{self.name}[:, {row}]"
        step, number = divmod(column, self.of.shape[2])
        return f"{self.name}[{step}, {row}, {number}]"

    def restored(self, slopes: Array) -> Array:
        time, _, classes = self.of.shape
        return slopes.reshape(len(slopes), time, classes).transpose(1, 0, 2)


def _step_and_class(column: int, shape: tuple[int, ...]) -> str:
    """Return the time step and the class of a number of a sample, for messages."""
    step, number = divmod(column, shape[2])
    return f"{step}, {number}"
