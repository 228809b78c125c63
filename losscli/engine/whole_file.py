"""Losses that need more than one row: masks that are columns or the whole file, and rows
that are compared with all others.

The data that such a loss needs is held in memory; if it is too large, it is refused with the reason.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.data.target_encoding import TargetEncoding
from losscli.definition.batch import Everyone, Whole
from losscli.engine.masks import Masks
from losscli.errors import DataError, UsageError
from losscli.io.source import MemorySource, Source, whole
from losscli.losses.contrastive import unit
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.definition.loss import Loss
    from losscli.engine.job import Job

MOST_ELEMENTS = 1 << 27
"""Elements of masks that are held in memory at once: a gigabyte in float64."""
MOST_ROWS = 50_000
"""Number of rows that may be compared with each other: the number of their cosines is its square."""


def masks(loss: "Loss", per: str | None, job: "Job") -> "Job":
    """Return the job of a loss of masks, in which each mask is a row.

    Raises
    ------
    UsageError
        if an option makes sense only for masks that are rows.
    DataError
        if the masks are too large to be held in memory, or no row is left.
    """
    shape = job.predictions.shape
    per = _mask_of(loss, per, shape)
    if per == "row":
        return job
    _check_held(loss, per, job)
    targets = (
        whole(job.targets)
        if len(job.targets.shape) == 1 or job.targets.shape == shape
        else job.targets.read(0, shape[0])
    )
    kept = job.encoding.keep(targets)
    predictions = whole(job.predictions)
    if kept is not None:
        predictions, targets = predictions[kept], targets[kept]
    if job.encoding.stored_as == "numbers":
        t, encoding = targets, TargetEncoding(job.encoding.kind, "numbers", job.encoding.k)
    else:
        t = job.encoding.outcomes(targets)
        encoding = TargetEncoding("soft" if t.dtype != bool else "binary", job.encoding.stored_as, job.encoding.k)
    if not len(predictions):
        raise DataError(f"{job.predictions.name}: no samples left; a loss of nothing is undefined")

    def arranged(values: Array) -> Array:
        return np.ascontiguousarray(values.T) if per == "column" else values.reshape(1, -1)

    columns = shape[1] if len(shape) == 2 else 1
    return replace(
        job,
        predictions=MemorySource(job.predictions.name, arranged(predictions)),
        targets=MemorySource(job.targets.name, arranged(t)),
        encoding=encoding,
        masks=Masks(per, shape, kept),
        extras=job.extras._replace(columns=columns if loss.family.coupled == "file" else None),
    )


def together(loss: "Loss", job: "Job", over_positions: str) -> "Job":
    """Return the job of a loss of the user's own that is called once with all rows: one unit, which is the file.

    Faults of rows are raised here, where their places are known.

    Raises
    ------
    UsageError
        if rows have weights, or classes have.
    DataError
        if the file is too large to be held in memory, no row is left, or numbers of it cannot be used.
    """
    _check_held(loss, "file", job)
    if job.class_weights is not None:
        raise UsageError(f"--class-weight: {loss.name} has one loss for all rows together, which belongs to no class")
    predictions, targets = whole(job.predictions).astype(job.dtype, copy=False), whole(job.targets)
    kept = job.encoding.keep(targets)
    if kept is not None:
        predictions, targets = predictions[kept], targets[kept]
    if not len(predictions):
        raise DataError(f"{job.predictions.name}: no samples left; a loss of nothing is undefined")
    _check_numbers(job, predictions, targets, kept)
    return replace(
        job,
        predictions=MemorySource(job.predictions.name, predictions.reshape(1, -1)),
        targets=MemorySource(job.targets.name, np.zeros((1, 1))),
        encoding=TargetEncoding("numbers", "numbers"),
        masks=Masks("file", job.predictions.shape, kept),
        extras=job.extras._replace(whole=Whole(job.encoding.targets(targets), predictions.shape, over_positions)),
    )


def _check_numbers(job: "Job", predictions: Array, targets: Array, kept: Array | None) -> None:
    """Raise a DataError for rows whose predictions or targets are NaN, or not of the kind that was said."""
    from losscli.engine.batch import Batch, CountedRows
    from losscli.engine.collectors.row_faults import FaultFinder, raise_faults

    rows = len(predictions)
    undefined = np.isnan(predictions).reshape(rows, -1).any(axis=1)
    if targets.dtype.kind == "f":
        undefined |= np.isnan(targets).reshape(rows, -1).any(axis=1)
    losses = np.where(undefined, np.nan, 0.0)
    counted = CountedRows(losses, None, None, targets, None, 0)
    batch = Batch(predictions, targets, losses, losses, None, counted, kept=kept)
    raise_faults(job, FaultFinder().of(job, batch))


def _mask_of(loss: "Loss", per: str | None, shape: tuple[int, ...]) -> str:
    """Return what one mask is, 'row', 'column' or 'file', for predictions of a shape; `per` is the user's word, or None.

    Raises a UsageError if there is one number per row, and the user says that a row or a column is a mask.
    """
    if loss.family.coupled == "file":
        per = "file"
    per = per or ("row" if len(shape) == 2 else "file")
    if len(shape) == 1 and per != "file":
        raise UsageError(
            f"--per {per}: the predictions have shape {shape}, one number a row; all of them are one mask: --per file"
        )
    return per


def _check_held(loss: "Loss", per: str, job: "Job") -> None:
    """Raise an error if masks that are not rows have weights, or are too large to be held in memory."""
    if job.weights is not None:
        raise UsageError(
            f"--sample-weight: {loss.name} has one loss for all rows together, and a weight a row has no meaning for it"
        )
    size = int(np.prod(job.predictions.shape, dtype=np.int64))
    if size > MOST_ELEMENTS:
        cure = "give the files in parts" if loss.family.coupled == "file" else "give each mask as a row, which streams"
        raise DataError(
            f"{job.predictions.name}: {size:,} elements; {loss.name} couples all rows"
            f"{'' if loss.family.coupled == 'file' else f' with --per {per}'}, so that they are held in memory, and that is "
            f"limited to {MOST_ELEMENTS:,}: {cure}"
        )


def everyone(loss: "Loss", job: "Job") -> Everyone:
    """Return all rows of a file, for a loss in which every row is compared with all others.

    Raises
    ------
    DataError
        if there are too many rows, or a row has no positive.
    """
    source: Source = job.predictions if loss.family.target_type == "classes" else job.targets
    rows = source.shape[0]
    if rows > MOST_ROWS:
        raise DataError(
            f"{source.name}: {rows:,} rows; in {loss.name} every row meets all others, so that the work grows with the "
            f"square of their number: at most {MOST_ROWS:,} are taken; give a batch at a time"
        )
    if loss.family.target_type != "classes":
        return Everyone(unit(whole(source))[0], np.zeros(0), np.ones(rows, bool))
    targets = whole(job.targets)
    kept = job.encoding.keep(targets)
    kept = np.ones(rows, bool) if kept is None else kept
    labels = np.where(kept, targets, -1).astype(np.int64)
    alone = np.flatnonzero(np.bincount(labels[kept], minlength=1) == 1)
    if len(alone):
        row = int(np.flatnonzero(kept & (labels == alone[0]))[0])
        raise DataError(
            f"{job.targets.place(row)}: its class has no other row, and {loss.name} needs a positive for each row; leave "
            f"the row out" + (f"; {count(len(alone), 'class', 'classes')} in all" if len(alone) > 1 else "")
        )
    return Everyone(unit(whole(source))[0], labels, kept)


def positives(job: "Job") -> Array:
    """Return how many positives each row has among all rows, shape (n,); ignored rows have none."""
    everyone = job.extras.everyone
    assert everyone is not None
    counts = np.bincount(everyone.labels[everyone.kept]) - 1.0
    return np.where(everyone.kept, counts[np.where(everyone.kept, everyone.labels, 0)], 0.0)
