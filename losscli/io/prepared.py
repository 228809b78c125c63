"""Operands as a library has them before it computes anything: converted to a dtype, and cut off."""

import math
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.io.source import Derived, Source
from losscli.records import dataclass


@dataclass
class Prepared(Derived):
    """A source whose numbers are converted to `cast`, unless it is None, and then cut off below `low` and above `high`.

    NaN stays NaN, so that it is found where it stands.
    """

    row_by_row = True

    cast: "np.dtype[Any] | None" = None
    low: float = -math.inf
    high: float = math.inf

    @property
    def dtype(self) -> "np.dtype[Any]":
        return self.of.dtype if self.cast is None else self.cast

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        rows = self.of.read(start, stop)
        with np.errstate(over="ignore"):  # what is too large for the dtype is infinite in it
            rows = rows if self.cast is None else rows.astype(self.cast)
        if self.low == -math.inf and self.high == math.inf:
            return rows
        if rows.dtype.kind != "f":
            rows = rows.astype(np.float64)
        number = rows.dtype.type
        return np.clip(rows, number(self.low), number(self.high))


def prepared(source: Source, cast: "np.dtype[Any] | None", low: float, high: float) -> Source:
    """Return a source with its numbers converted and cut off, or as it is if nothing is to be done."""
    cast = None if cast == source.dtype else cast
    nothing = cast is None and low == -math.inf and high == math.inf
    return source if nothing else Prepared(source, cast, low, high)
