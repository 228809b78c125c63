"""Losses of arrays in memory, on several threads, without statistics."""

import math
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Indices, Targets
from losscli.definition.loss import BoundLoss
from losscli.engine.aggregates import Total
from losscli.engine.job import BATCH_BYTES, CHUNK_BYTES, rows_of_batch
from losscli.engine.threads import available_threads, keep_freed_memory, pool

if TYPE_CHECKING:
    from losscli.engine.evaluate import T

KEPT = 1 << 17
"""Bytes of predictions from which on the C library gets the memory of temporary arrays from the system, and gives it back."""


def in_memory(
    loss: BoundLoss,
    predictions: Array,
    targets: Targets,
    extras: Extras = Extras(),
    gradient: bool = False,
    threads: int | None = None,
) -> tuple[Array, Array | None]:
    """Return the losses of arrays and, if `gradient`, their gradients, computed in batches on several threads.

    Predictions have shape (n,) or (n, k), and targets have n rows. Losses come back in the predictions' dtype with
    shape (n,), or (n, k) for losses with several outputs per sample; gradients in the predictions' shape, or None.
    """
    several = loss.family.several_outputs
    values = np.empty(predictions.shape if several else len(predictions), predictions.dtype)
    slopes = np.empty_like(predictions, order="C") if gradient else None

    def work(rows: slice) -> None:
        room = None if slopes is None else slopes[rows]
        own = _of_rows(extras, rows)._replace(room=room)
        values[rows], slope = loss(predictions[rows], _cut(targets, rows), own, gradient)
        if room is not None and slope is not room:
            room[...] = slope

    _over_blocks(work, loss, predictions, threads)
    return values, slopes


def mean_in_memory(
    loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras = Extras(), threads: int | None = None
) -> float:
    """Return the mean of the losses of arrays, from the compensated sum of the sums of batches.

    The array of all losses is never made.
    """

    def work(rows: slice) -> tuple[Total, int]:
        batch = predictions[rows], _cut(targets, rows), _of_rows(extras, rows)
        total, size = loss.summed(*batch)
        return Total(total) if math.isfinite(total) else Total.of(loss(*batch)[0]), size

    parts = _over_blocks(work, loss, predictions, threads)
    return reduce(add, (total for total, _ in parts), Total()).over(sum(size for _, size in parts))


def _over_blocks(work: "Callable[[slice], T]", loss: BoundLoss, predictions: Array, threads: int | None) -> "list[T]":
    """Call a function with each batch of rows, on several threads, and return its results in the order of the rows."""
    n, rows = len(predictions), rows_of_batch(loss, max(1, predictions[:1].nbytes))
    step = rows * max(1, CHUNK_BYTES // BATCH_BYTES)
    starts = range(0, n, step)
    if predictions.nbytes > KEPT:
        keep_freed_memory()

    def chunk(start: int) -> "list[T]":
        stop = min(start + step, n)
        return [work(slice(low, min(low + rows, stop))) for low in range(start, stop, rows)]

    with pool(min(threads or available_threads(), len(starts))) as executor:
        parts = map(chunk, starts) if executor is None else executor.map(chunk, starts)
        return [result for part in parts for result in part]


def _cut(targets: Targets, rows: slice) -> Targets:
    """Return the targets of some rows."""
    if isinstance(targets, Indices):
        return Indices(targets.index[rows], targets.on, targets.off)
    return Dense(targets.t[rows], None if targets.other is None else targets.other[rows])


def _of_rows(extras: Extras, rows: slice) -> Extras:
    """Return the extras of some rows: parts that have one row per prediction are cut."""
    if extras.third_operand is None and extras.at is None:
        return extras
    third_operand, at = (None if array is None else array[rows] for array in (extras.third_operand, extras.at))
    return extras._replace(third_operand=third_operand, at=at)
