"""Units of several positions: the sums over the positions of a sample, a class, or the file, and the one loss that they make."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array, times
from losscli.engine.aggregates import Totals
from losscli.engine.batch import CountedRows
from losscli.records import NamedTuple

if TYPE_CHECKING:
    from losscli.engine.job import Job

RUN = 256
"""Rows that are added at once, before their sums are added: with more, rounding would show in the last digits."""
OF_FILE = ("class", "file")
"""Units to which positions of all samples belong, so that they are known only after the last row."""


class PositionCount(NamedTuple):
    """Mergeable record: how many positions of units exist, and how many do not."""

    counted: int = 0
    ignored: int = 0

    def __add__(self, other: "PositionCount") -> "PositionCount":  # type: ignore[override]
        return PositionCount(self.counted + other.counted, self.ignored + other.ignored)


class UnitSums(NamedTuple):
    """Mergeable record: sums over the positions of units, each of shape (samples, outputs).

    Units of whole files have one sample, and units of all outputs one output. `first` is the number of the first sample.
    """

    first: int
    loss: Totals
    """Sum of weight times loss."""
    weight: Array
    number: Array
    """Number of positions that exist."""
    positions: PositionCount

    def __add__(self, other: "UnitSums") -> "UnitSums":  # type: ignore[override]
        """Return the record of these rows and the rows that follow; their last and first sample may be the same."""
        begin = other.first - self.first
        shape = (begin + len(other.weight), self.weight.shape[1])
        loss = Totals(*(_grown(part, shape) for part in self.loss))
        weight, number = _grown(self.weight, shape), _grown(self.number, shape)
        loss.put(slice(begin, None), other.loss.high)
        loss.low[begin:] += other.loss.low
        weight[begin:] += other.weight
        number[begin:] += other.number
        return UnitSums(self.first, loss, weight, number, self.positions + other.positions)


def _grown(part: Array, shape: tuple[int, int]) -> Array:
    """Return a copy of some rows, followed by rows of zeros."""
    whole = np.zeros(shape)
    whole[: len(part)] = part
    return whole


def runs(job: "Job", start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield (first row, row after the last) of runs of rows that are cut into batches from their first row on.

    If units are samples of several rows, a run is one sample, or several that make one batch of `step` rows together: a
    sample's digits do not depend on its neighbours.
    """
    if not job.within_samples:
        if start < stop:
            yield start, stop
        return
    _, cuts = job.cut(start, stop)
    begins = np.append(cuts, stop - start) + start
    first = 0
    while first < len(cuts):
        after = int(np.searchsorted(begins, begins[first] + step, side="right")) - 1
        after = max(after, first + 1)
        yield int(begins[first]), int(begins[after])
        first = after


def segment_sums(part: Array, begins: Array, columns: int) -> Array:
    """Return the sums of segments of rows, shape (segments, columns), in float64.

    Parameters
    ----------
    part
        numbers of shape (n, k).
    begins
        the first row of each segment, ascending; the last one ends with the rows.
    columns
        k for a sum of each column, or 1 for the sum over all of them.
    """
    part = part.astype(np.promote_types(part.dtype, np.float64), copy=False)
    if columns == 1 and part.shape[1] > 1:
        part = np.einsum("ij->i", part)[:, None]
    sums = np.zeros((len(begins), columns))
    lengths = np.diff(begins, append=len(part))
    some = lengths > 0  # reduceat would take a segment without rows for one of one row
    if some.any():
        number = -(-lengths[some] // RUN)
        firsts = np.cumsum(number) - number
        cuts = np.repeat(begins[some] - RUN * firsts, number) + RUN * np.arange(number.sum())
        sums[some] = np.add.reduceat(np.add.reduceat(part, cuts, axis=0), firsts, axis=0)
    return sums


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
    each = np.ones(table.shape) if weights is None else weights.reshape(table.shape)
    with np.errstate(all="ignore"):
        sums = segment_sums(table if weights is None else times(each, table), cuts, table.shape[1])
    loss, weight = Totals(sums, np.zeros_like(sums)), segment_sums(each, cuts, table.shape[1])
    # Of outputs that may be missing, the weight says which exist.
    number = weight if job.by_elements else np.diff(cuts, append=len(table))[:, None] * np.ones(weight.shape)
    return UnitSums(sample, loss, weight, number, PositionCount(len(table), rows - len(table)))


def closed(job: "Job", sums: UnitSums) -> tuple[CountedRows, Array]:
    """Return the units as rows that count, and the number of each unit.

    Units without a position are left out, and so are units whose positions all have the weight 0, of which there is no mean.
    """
    with np.errstate(all="ignore"):
        each = sums.loss.value if job.over_positions == "sum" else sums.loss.value / sums.weight
    held = ((sums.number if job.over_positions == "sum" else sums.weight) > 0).reshape(-1)
    numbers = (sums.first * sums.weight.shape[1] + np.arange(each.size))[held]
    weights = _unit_weights(job, sums)
    units = None if weights is None else weights.reshape(-1)[held]
    return CountedRows(each.reshape(-1)[held], units, units, None, None, int(np.count_nonzero(~held))), numbers


def _unit_weights(job: "Job", sums: UnitSums) -> Array | None:
    """Return the weight of each unit, shape (samples, outputs); None for 1 each."""
    if job.weighed_by_positions:
        return sums.weight
    weights: Array | None = None
    if job.unit_weights is not None:
        read = job.unit_weights.read(sums.first, sums.first + len(sums.weight)).astype(np.float64)
        weights = np.repeat(read.reshape(-1, 1), sums.weight.shape[1], axis=1)
    if job.output_weights is not None and "class" in job.unit:
        factors = np.broadcast_to(job.output_weights, sums.weight.shape)
        weights = factors if weights is None else weights * factors
    return weights
