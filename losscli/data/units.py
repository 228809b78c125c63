"""Units: the things that have one loss each, and where they are in the predictions' file."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from losscli.arrays import Array

if TYPE_CHECKING:
    from losscli.io.join import Selection

UnitKind = Literal["row"]
"""The kind of a unit. So far it is always a row of the predictions."""
ROWS_AT_ONCE = 1 << 17
"""Rows of a gradient that are put in their places at once."""


@dataclass(frozen=True)
class Units:
    """The things that have one loss each. The engine numbers them from 0; in the file they may be elsewhere.

    `shape` is the shape of the predictions in their file, before anything is squeezed or left out. `selection` says
    which rows of it are kept; None for all.
    """

    shape: tuple[int, ...]
    selection: "Selection | None" = None
    kind: UnitKind = "row"

    @property
    def dropped(self) -> int | None:
        """Number of units of the file that are left out; None if none could be."""
        return None if self.selection is None else self.shape[0] - self.selection.height

    def original(self, units: Array) -> Array:
        """Return the rows of the file that units are; both numbers ascend."""
        if self.selection is None or not len(units):
            return units
        first = int(units[0])
        return self.selection.rows.read(first, int(units[-1]) + 1)[units - first]

    def located(self, row: int) -> int:
        """Return the unit that a row of the file is; the row must not be left out."""
        if self.selection is None:
            return row
        return bisect_left(range(self.selection.height), row, key=self.selection.original)

    def restored(self, slopes: Array, first: int, order: tuple[int, ...] | None = None) -> Iterator[Array]:
        """Yield gradients of the units from `first` on in the shape of the file, with 0 for rows that are left out.

        Rows left out before these units are included, and after the last unit of the file also the rows that follow.

        Parameters
        ----------
        slopes
            gradients of the units, one per row.
        order
            the column of the file that each column of `slopes` is, if the order is another one.
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
        kept = rows.read(first, first + len(slopes))
        stop = self.shape[0] if last else int(kept[-1]) + 1 if len(kept) else before
        for start in range(before, stop, ROWS_AT_ONCE):
            end = min(start + ROWS_AT_ONCE, stop)
            low, high = np.searchsorted(kept, (start, end))
            whole = np.zeros((end - start, *shape), slopes.dtype)
            whole[kept[low:high] - start] = shaped[low:high]
            yield whole
