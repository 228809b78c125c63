"""Losses of arrays in memory, on several threads, without statistics."""

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
from losscli.engine.threads import available_threads, pool

if TYPE_CHECKING:
    from losscli.engine.evaluate import T


def in_memory(
    loss: BoundLoss,
    predictions: Array,
    targets: Targets,
    extras: Extras = Extras(),
    gradient: bool = False,
    threads: int | None = None,
) -> tuple[Array, Array | None]:
    """Losses, and gradients if asked for, of arrays: the lift over blocks on several threads, without any statistics.

    Predictions have shape (n,) or (n, k), and targets as many rows. Losses come back in the predictions' dtype with
    shape (n,), or (n, k) for losses of several outputs a sample; gradients in the predictions' shape.
    """
    several = loss.family.several_outputs
    values = np.empty(predictions.shape if several else len(predictions), predictions.dtype)
    slopes = np.empty_like(predictions, order="C") if gradient else None

    def work(here: slice) -> None:
        values[here], slope = loss(predictions[here], _cut(targets, here), _of_rows(extras, here), gradient)
        if slopes is not None:
            slopes[here] = slope

    _over_blocks(work, loss, predictions, threads)
    return values, slopes


def mean_in_memory(
    loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras = Extras(), threads: int | None = None
) -> float:
    """The mean of the losses of arrays, from the compensated sum of the blocks' sums; no array of all losses is made."""

    def work(here: slice) -> tuple[Total, int]:
        values, _ = loss(predictions[here], _cut(targets, here), _of_rows(extras, here))
        return Total.of(values), values.size

    parts = _over_blocks(work, loss, predictions, threads)
    return reduce(add, (total for total, _ in parts), Total()).value / sum(size for _, size in parts)


def _over_blocks(work: "Callable[[slice], T]", loss: BoundLoss, predictions: Array, threads: int | None) -> "list[T]":
    """Do something with each block of rows, on several threads; what comes of it is in the order of the rows."""
    n, rows = len(predictions), rows_of_batch(loss, max(1, predictions[:1].nbytes))
    step = rows * max(1, CHUNK_BYTES // BATCH_BYTES)
    starts = range(0, n, step)

    def chunk(start: int) -> "list[T]":
        stop = min(start + step, n)
        return [work(slice(low, min(low + rows, stop))) for low in range(start, stop, rows)]

    with pool(min(threads or available_threads(), len(starts))) as executor:
        parts = map(chunk, starts) if executor is None else executor.map(chunk, starts)
        return [found for part in parts for found in part]


def _cut(targets: Targets, here: slice) -> Targets:
    if isinstance(targets, Indices):
        return Indices(targets.index[here], targets.on, targets.off)
    return Dense(targets.t[here], None if targets.other is None else targets.other[here])


def _of_rows(extras: Extras, here: slice) -> Extras:
    """The extras of some rows: of what there is a row for each prediction, theirs."""
    if extras.third_operand is None and extras.at is None:
        return extras
    third_operand, at = (None if rows is None else rows[here] for rows in (extras.third_operand, extras.at))
    return extras._replace(third_operand=third_operand, at=at)
