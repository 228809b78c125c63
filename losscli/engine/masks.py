"""Masks: the units that have one loss each, if their elements are spread over several rows of a file."""

from dataclasses import dataclass

import numpy as np

from losscli.arrays import Array
from losscli.definition.words import UnitKind


@dataclass(frozen=True)
class Masks:
    """What one mask is, and where it lies among the rows of a job, which are positions.

    Attributes
    ----------
    kind
        'file'; 'class', a column; 'sample', several rows that follow each other; or 'sample,class', a column of these.
    per
        the user's word for it, for the receipt.
    starts
        the first row of each sample, and at the end the number of rows; None if masks go through all rows.
    """

    kind: UnitKind
    per: str
    starts: Array | None = None

    @property
    def by_class(self) -> bool:
        """Whether each class has masks of its own."""
        return "class" in self.kind

    @property
    def complete(self) -> bool:
        """Whether each mask lies within one sample; others go through the whole file."""
        return self.starts is not None

    def samples_of(self, start: int, stop: int) -> tuple[int, int]:
        """Return the first sample of some rows, and the one after the last; masks of the whole file are those of sample 0."""
        if self.starts is None:
            return 0, 1
        first, last = np.searchsorted(self.starts, (start, stop), side="left")
        return int(first), int(last)
