"""Masks: how the rows of a file became columns, or one row, of the job that computes them."""

from dataclasses import dataclass

import numpy as np

from losscli.arrays import Array


@dataclass(frozen=True)
class Masks:
    """How masks were made from a file: from each of its columns or from all of it, without the rows
    that are ignored.
    """

    per: str
    shape: tuple[int, ...]
    kept: Array | None = None

    @property
    def dropped(self) -> int:
        """Number of rows that are ignored."""
        return 0 if self.kept is None else len(self.kept) - int(np.count_nonzero(self.kept))

    def restored(self, slopes: Array) -> Array:
        """Return the gradients of the masks' elements in the file's shape, with 0 in rows that are ignored."""
        rows = self.shape[0] if self.kept is None else int(np.count_nonzero(self.kept))
        table = slopes.T if self.per == "column" else slopes.reshape(rows, *self.shape[1:])
        table = np.ascontiguousarray(table.reshape(rows, *self.shape[1:]))
        if self.kept is None:
            return table
        full = np.zeros(self.shape, table.dtype)
        full[self.kept] = table
        return full
