"""Units of several positions: the sums over the positions of a sample, a class, or the file, and the one loss that they make."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losscli.arrays import Array
from losscli.engine.batch import CountedRows

if TYPE_CHECKING:
    from losscli.engine.job import Job

FEW = 64
"""Segments up to this number are added up one by one, which is more exact than all at once."""
OF_FILE = ("class", "file")
"""Units to which positions of all samples belong, so that they are known only after the last row."""


class UnitSums(NamedTuple):
    """Mergeable record: sums over the positions of units, each of shape (samples, outputs).

    Units of whole files have one sample, and units of all outputs one output. `first` is the number of the first sample.
    """

    first: int
    loss: Array
    """Sum of weight times loss."""
    low: Array
    """What rounding has taken from `loss` (Neumaier 1974)."""
    weight: Array
    number: Array
    """Number of positions."""
    rows: int = 0
    """Number of positions that exist, of all units."""
    ignored: int = 0
    """Number of positions that do not exist."""

    def __add__(self, other: "UnitSums") -> "UnitSums":  # type: ignore[override]
        """Return the record of these rows and the rows that follow; their last and first sample may be the same."""
        last = self.first + len(self.loss)
        shared = max(0, last - other.first)
        size = (other.first - self.first + len(other.loss), self.loss.shape[1])
        parts = [np.zeros(size) for _ in range(4)]
        for part, mine in zip(parts, (self.loss, self.low, self.weight, self.number), strict=True):
            part[: len(mine)] = mine
        loss, low, weight, count = parts
        begin = other.first - self.first
        weight[begin:] += other.weight
        count[begin:] += other.number
        with np.errstate(all="ignore"):
            before = loss[begin:].copy()
            total = before + other.loss
            big = np.abs(before) >= np.abs(other.loss)
            lost = np.where(big, (before - total) + other.loss, (other.loss - total) + before)
            loss[begin:] = total
            low[begin:] += other.low + np.where(np.isfinite(lost), lost, 0)
        assert shared <= len(self.loss)
        return UnitSums(self.first, loss, low, weight, count, self.rows + other.rows, self.ignored + other.ignored)


class PositionCount(NamedTuple):
    """Mergeable record: how many positions of units exist, and how many do not."""

    counted: int = 0
    ignored: int = 0

    @classmethod
    def of(cls, sums: UnitSums) -> "PositionCount":
        """Return the record of the positions of sums over units."""
        return cls(sums.rows, sums.ignored)

    def __add__(self, other: "PositionCount") -> "PositionCount":  # type: ignore[override]
        return PositionCount(self.counted + other.counted, self.ignored + other.ignored)


def segment_sums(values: Array, cuts: Array) -> Array:
    """Return the sums of segments of rows, in float64; segment i begins with row `cuts[i]`, and the last one ends with the rows."""
    wide = values.astype(np.float64, copy=False)
    if len(cuts) <= FEW:
        ends = np.append(cuts[1:], len(wide))
        sums = [wide[low:high].sum(axis=0) for low, high in zip(cuts, ends, strict=True)]
        return np.stack(sums) if sums else np.zeros((0, *wide.shape[1:]))
    padded = np.concatenate([wide, np.zeros((1, *wide.shape[1:]))])
    sums_of_all = np.add.reduceat(padded, cuts, axis=0)
    sums_of_all[np.append(cuts[1:], len(wide)) == cuts] = 0  # a segment without rows
    return sums_of_all


def unit_sums(job: "Job", first: int, kept: Array | None, rows: int, values: Array, weights: Array | None) -> UnitSums:
    """Return the record of some rows.

    Parameters
    ----------
    first, rows
        number of the first row, and how many were read.
    kept
        which of the rows exist; None for all.
    values
        losses of the rows that exist, shape (n,) or, for units of single outputs, (n, k).
    weights
        weights of the same shape; None for 1 each.
    """
    sample, cuts = (0, np.zeros(1, np.int64)) if job.unit in OF_FILE else job.cut(first, first + rows)
    if kept is not None:
        cuts = np.concatenate([[0], np.cumsum(kept)])[cuts]
    table = (values if values.ndim == 2 else values[:, None]).astype(np.float64, copy=False)
    if weights is None:
        sums = segment_sums(table, cuts)
        count = np.repeat(np.diff(cuts, append=len(table)).astype(np.float64)[:, None], table.shape[1], axis=1)
        weight = count
    else:
        each = weights.reshape(table.shape)
        with np.errstate(all="ignore"):
            sums = segment_sums(np.where(each == 0, 0, each * table), cuts)
        weight, count = segment_sums(each, cuts), segment_sums(each != 0, cuts)
    return UnitSums(sample, sums, np.zeros_like(sums), weight, count, len(table), rows - len(table))


def closed(job: "Job", sums: UnitSums) -> tuple[CountedRows, Array]:
    """Return the units as rows that count, and the number of each unit; units without a position are left out."""
    with np.errstate(all="ignore"):
        total = sums.loss + np.where(np.isfinite(sums.loss), sums.low, 0)
        each = total if job.over_positions == "sum" else total / sums.weight
    held = (sums.weight > 0).reshape(-1)
    numbers = (sums.first * sums.loss.shape[1] + np.arange(each.size))[held]
    weights = _unit_weights(job, sums)
    units = None if weights is None else weights.reshape(-1)[held]
    return CountedRows(each.reshape(-1)[held], units, units, None, None, int(np.count_nonzero(~held))), numbers


def _unit_weights(job: "Job", sums: UnitSums) -> Array | None:
    """Return the weight of each unit, shape (samples, outputs); None for 1 each."""
    if job.weighed_by_positions:
        return sums.weight
    weights: Array | None = None
    if job.unit_weights is not None:
        read = job.unit_weights.read(sums.first, sums.first + len(sums.loss)).astype(np.float64)
        weights = np.repeat(read.reshape(-1, 1), sums.loss.shape[1], axis=1)
    if job.output_weights is not None and "class" in job.unit:
        factors = np.broadcast_to(job.output_weights, sums.loss.shape)
        weights = factors if weights is None else weights * factors
    return weights
