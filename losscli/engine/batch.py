"""A batch of rows as the engine sees it: the numbers that were read, and the losses computed from them."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Targets
from losscli.records import NamedTuple


class CountedRows:
    """The rows of a batch or a chunk that count: those that are neither ignored nor left out by a library's convention.

    Attributes
    ----------
    losses
        one per row, shape (n,).
    weights
        sample weight times class weight, shape (n,), or None for 1 each.
    row_weights
        `weights` times the mean of the outputs' weights, which is the weight of a row in a mean; None for 1 each.
    targets
        as they were read, shape (n,) or (n, k). None for a chunk whose targets have two axes and are not kept.
    decoded
        the targets as the losses take them; None for a chunk.
    ignored
        number of rows that were read but do not count.
    first_rows
        for the rows, or units of several rows, of a chunk: which row of the predictions each is, or begins with; ascending. None
        for a batch, and for units to which rows of the whole file belong. Few passes want it: it may be given as a function
        that makes it.
    """

    def __init__(
        self,
        losses: Array,
        weights: Array | None,
        row_weights: Array | None,
        targets: Array | None,
        decoded: Targets | None,
        ignored: int,
        first_rows: Array | Callable[[], Array] | None = None,
    ) -> None:
        self.losses, self.weights, self.row_weights = losses, weights, row_weights
        self.targets, self.decoded, self.ignored = targets, decoded, ignored
        self._first_rows = first_rows

    @cached_property
    def first_rows(self) -> Array | None:
        return self._first_rows() if callable(self._first_rows) else self._first_rows

    @cached_property
    def wide(self) -> Array:
        """A copy of the losses in float64, which several records share and may keep."""
        return self.losses.astype(np.float64)


class Batch(NamedTuple):
    """Rows that were read together, without those that are ignored, and their losses."""

    predictions: Array
    """In the dtype of the computation, shape (n,) or (n, k)."""
    targets: Array
    """As they were read, shape (n,) or (n, k)."""
    values: Array
    """Losses as the family computes them: (n,), or (n, k) with one loss per output."""
    losses: Array
    """One per row, shape (n,)."""
    weights: Array | None
    """Weight of each row, shape (n,); None for 1 each."""
    counted: CountedRows
    """The rows of the batch that count."""
    first: int = 0
    """Number of the file's row with which the batch begins."""
    kept: Array | None = None
    """Booleans that say which of the file's rows from `first` on are in the batch; None for all."""
    third_operand: Array | None = None
    """The rows of the third operand; None if the loss has none."""
    present: Array | None = None
    """Which outputs of each row exist, shape (n, k); None for all."""
    sample_weights: Array | None = None
    """The weights of the rows as they were read; None if there are none."""

    @property
    def rows(self) -> Array:
        """The numbers of the batch's rows in the file, shape (n,)."""
        return self.first + (np.arange(len(self.targets)) if self.kept is None else np.flatnonzero(self.kept))
