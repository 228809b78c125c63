"""A batch of rows as the engine sees it: what was read, and what came of it."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Targets


class CountedRows:
    """The rows of a batch or a chunk that count: those that are neither ignored nor left out by a library's convention.

    Attributes
    ----------
    losses
        one per row, shape (n,).
    weights
        sample weight times class weight, shape (n,), or None for 1 each.
    row_weights
        the same times the mean of the outputs' weights: what a row counts for in a mean.
    targets
        as they were read, shape (n,) or (n, k). None for a chunk whose targets have two axes and are not kept.
    decoded
        the targets as the mathematics takes them; None for a chunk.
    ignored
        how many rows were there that do not count.
    """

    def __init__(
        self,
        losses: Array,
        weights: Array | None,
        row_weights: Array | None,
        targets: Array | None,
        decoded: Targets | None,
        ignored: int,
    ) -> None:
        self.losses, self.weights, self.row_weights = losses, weights, row_weights
        self.targets, self.decoded, self.ignored = targets, decoded, ignored

    @cached_property
    def wide(self) -> Array:
        """A copy of the losses in float64, which several records share and may keep."""
        return self.losses.astype(np.float64)


class Batch(NamedTuple):
    """Rows that were read together, without those that are ignored, and what came of them."""

    predictions: Array
    """In the dtype of the computation, shape (n,) or (n, k)."""
    targets: Array
    """As they were read, shape (n,) or (n, k)."""
    values: Array
    """Losses of the family's own shape: (n,), or (n, k) with each output's."""
    losses: Array
    """One per row, shape (n,)."""
    weights: Array | None
    """What each row counts for, shape (n,); None for 1 each."""
    counted: CountedRows
    """Those of the rows that count."""
    first: int = 0
    """The row of the file with which the batch begins."""
    kept: Array | None = None
    """Which of the rows from there on these are, as truth values; None for all."""
    third_operand: Array | None = None
    """The rows of the third operand."""
    sample_weights: Array | None = None
    """The weights of the rows as they were read."""

    @property
    def rows(self) -> Array:
        """Which rows of the file they are."""
        return self.first + (np.arange(len(self.targets)) if self.kept is None else np.flatnonzero(self.kept))
