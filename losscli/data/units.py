"""Units: what has one loss, and where each of them lies in the predictions' file."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from losscli.arrays import Array

if TYPE_CHECKING:
    from losscli.io.join import Selection

UnitKind = Literal["row"]
"""A row of the predictions is the only kind so far."""
ROWS_AT_ONCE = 1 << 17
"""Rows of a gradient that are put in their places at once."""


@dataclass(frozen=True)
class Units:
    """What has one loss. The engine numbers units from 0; their places in the file may be others.

    `shape` is that of the predictions in their file, whatever was squeezed or left out; `selection` are the rows of it
    that are not left out, where some are.
    """

    shape: tuple[int, ...]
    selection: "Selection | None" = None
    kind: UnitKind = "row"

    @property
    def dropped(self) -> int | None:
        """How many units of the file are left out; None where nothing could be."""
        return None if self.selection is None else self.shape[0] - self.selection.height

    def original(self, units: Array) -> Array:
        """Which rows of the file some units are; they ascend."""
        if self.selection is None or not len(units):
            return units
        first = int(units[0])
        return self.selection.rows.read(first, int(units[-1]) + 1)[units - first]

    def located(self, row: int) -> int:
        """Which unit a row of the file is, which is not left out."""
        if self.selection is None:
            return row
        return bisect_left(range(self.selection.height), row, key=self.selection.original)

    def restored(self, slopes: Array, first: int, order: tuple[int, ...] | None = None) -> Iterator[Array]:
        """Gradients of the units from `first` on in the shape of the file, with 0 for what was left out.

        What was left out before these units comes with them, and so does what comes after the last one.

        Parameters
        ----------
        order
            which of the file's columns each column of the gradients is, where that is another order.
        """
        if order is not None:
            slopes = slopes[:, np.argsort(order)]
        shape = self.shape[1:]
        shaped = slopes.reshape(len(slopes), *shape)
        if self.selection is None or not len(slopes):
            yield shaped
            return
        rows = self.selection.rows
        before = int(rows.read(first - 1, first)[0]) + 1 if first else 0
        last = len(slopes) + first == rows.shape[0]
        mine = rows.read(first, first + len(slopes))
        stop = self.shape[0] if last else int(mine[-1]) + 1 if len(mine) else before
        for start in range(before, stop, ROWS_AT_ONCE):
            end = min(start + ROWS_AT_ONCE, stop)
            low, high = np.searchsorted(mine, (start, end))
            whole = np.zeros((end - start, *shape), slopes.dtype)
            whole[mine[low:high] - start] = shaped[low:high]
            yield whole
