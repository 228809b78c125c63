"""Losses that need more than one row: masks that are columns or the whole file, and rows
that are compared with all others.

Masks whose losses are of sums are added batch by batch (`mask_sums`). Others are sorted, or all their rows meet: these
are held in memory, and what is too large for that is refused with the reason before it is read.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.data.target_encoding import TargetEncoding
from losscli.definition.batch import Dense, Everyone, Whole
from losscli.definition.words import UnitKind
from losscli.engine.aggregates import Totals
from losscli.engine.batch import Batch, CountedRows
from losscli.engine.collector import Aggregate, BatchCollector, added
from losscli.engine.mask_sums import Finished, MaskSums, Positions, read_positions, results
from losscli.engine.masks import Masks
from losscli.errors import DataError, UsageError
from losscli.io.source import MemorySource, Source, whole
from losscli.losses.contrastive import unit
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.definition.loss import Loss
    from losscli.engine.evaluate import ChunkResult, Collectors
    from losscli.engine.job import Job

MOST_BYTES = 4 << 30
"""Bytes of memory that the elements of masks may take that are held at once."""
HELD_BYTES = {"mask-margins": 100, "class-masks": 140, "label-matrix": 180}
"""Bytes that an element takes at most while the loss is computed, with the arrays that are made on the way, by family.
The predictions themselves are added to it.
"""
HELD_BYTES_OF_CUSTOM = 64
"""Bytes that an element takes about while a loss of the user's own is called with the whole file."""
MOST_ROWS = 50_000
"""Number of rows that may be compared with each other: the number of their cosines is its square."""
KINDS: dict[str, UnitKind] = {"row": "sample", "column": "class"}
"""Words for units of two axes, and what they are called otherwise."""


def masks(loss: "Loss", per: str | None, job: "Job") -> "Job":
    """Return the job of a loss of masks that says what is one mask; masks that are rows need nothing.

    Raises
    ------
    UsageError
        if the shape has no such masks, or an option makes sense only for masks that are rows.
    DataError
        if the masks have to be held in memory and are too large for it.
    """
    word = _mask_of(loss, per, job.predictions.shape)
    kind: UnitKind = KINDS.get(word, word)  # type: ignore[arg-type]
    if kind == "sample":
        return job
    if job.weights is not None:
        raise UsageError(
            f"--sample-weight: {loss.name} has one loss for all rows together, and a weight a row has no meaning for it"
        )
    job = replace(job, masks=Masks(kind, word))
    _check_held(job)
    return job


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
    if job.weights is not None:
        raise UsageError(
            f"--sample-weight: {loss.name} has one loss for all rows together, and a weight a row has no meaning for it"
        )
    size = int(np.prod(job.predictions.shape, dtype=np.int64)) * HELD_BYTES_OF_CUSTOM
    if size > MOST_BYTES:
        raise DataError(
            f"{job.predictions.name}: {loss.name} --per file is called with all rows, which take about {size / 1e9:.1f} GB; "
            f"the limit is {MOST_BYTES / 1e9:.1f} GB: give the files in parts"
        )
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
        extras=job.extras._replace(whole=Whole(job.encoding.targets(targets), predictions.shape, over_positions, kept)),
        layout=None,
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

    Raises a UsageError if there are no such masks.
    """
    words = {kind: word for word, kind in KINDS.items()}
    word = words.get(str(per), per)  # type: ignore[call-overload]
    if loss.family.coupled == "file":
        if word not in (None, "file"):
            raise UsageError(f"--per {per}: {loss.name} has one loss for all rows together: leave --per out")
        return "file"
    word = word or ("row" if len(shape) == 2 else "file")
    if len(shape) == 1 and word != "file":
        raise UsageError(
            f"--per {per}: the predictions have shape {shape}, one number a row; all of them are one mask: --per file"
        )
    if word not in ("row", "column", "file"):
        raise UsageError(
            f"--per {per}: each number of predictions of shape {shape} would be a mask of its own; masks are rows, columns or "
            "the file"
        )
    return word


def is_held(job: "Job") -> bool:
    """Whether a loss of masks is no function of sums, so that its masks are held in memory."""
    return job.loss.family.elements is None


def _check_held(job: "Job") -> None:
    """Raise an error if masks have to be held in memory, and are too large for it."""
    loss, predictions = job.loss, job.predictions
    if not is_held(job):
        return
    elements = int(np.prod(predictions.shape, dtype=np.int64))
    size = elements * (HELD_BYTES[loss.family.name] + predictions.dtype.itemsize)
    if size > MOST_BYTES:
        assert job.masks is not None
        per = "" if loss.family.coupled == "file" else f" --per {job.masks.per}"
        cure = "give the files in parts" if loss.family.coupled == "file" else "give each mask as a row, which streams"
        raise DataError(
            f"{predictions.name}: {loss.name}{per} holds all rows in memory, and {elements:,} elements take about "
            f"{size / 1e9:.1f} GB; the limit is {MOST_BYTES / 1e9:.1f} GB: {cure}"
        )


@np.errstate(all="ignore")  # what is undefined is searched for afterwards
def evaluate_held(
    job: "Job",
    collectors: "Collectors",
    consume: "Callable[[ChunkResult], None]",
    seen: Callable[[int], None] = lambda rows: None,
) -> Aggregate:
    """Run a job whose masks are held in memory; its arguments are those of `evaluate`."""
    from losscli.engine.evaluate import ChunkResult

    assert job.masks is not None
    predictions, t, kept, found = _held(job, collectors, seen)
    flat = predictions.reshape(len(predictions), -1)
    by_class, together = job.masks.by_class, job.loss.family.coupled == "file"
    extras = job.extras._replace(columns=flat.shape[1]) if together else job.extras
    gradient = np.zeros_like(flat) if job.gradient else None
    losses, shown = [], []
    for columns in _columns(flat.shape[1], by_class) if len(flat) else ():
        mask = flat[:, columns].reshape(1, -1)
        true = t.reshape(len(t), -1)[:, columns].reshape(1, -1)
        value, slopes = job.loss(mask, Dense(true), extras, job.gradient)
        losses.append(float(value[0]))
        shown.append(float((true > 0).sum() if true.dtype == np.int8 else true.sum(dtype=np.float64)))
        if gradient is not None and slopes is not None:
            gradient[:, columns] = slopes.reshape(len(flat), -1)
    finished = Finished(np.array(losses, job.dtype), None, np.array(shown))
    result = results(job, collectors, found, finished, 0)
    consume(result)
    if gradient is not None:
        consume(ChunkResult(Aggregate(), (), (_placed(gradient.reshape(predictions.shape), kept),)))
    return result.aggregate


def _columns(k: int, apart: bool) -> Iterator[slice]:
    """Yield the columns of each mask: one after another, or all together."""
    yield from (slice(i, i + 1) for i in range(k)) if apart else [slice(None)]


def _held(job: "Job", collectors: "Collectors", seen: Callable[[int], None]) -> tuple[Array, Array, Array, MaskSums]:
    """Return predictions and targets of the rows that are not ignored, which rows these are, and what a pass keeps of them."""
    looking = [one for one in collectors if isinstance(one, BatchCollector) and one.reads_only]
    shape = job.predictions.shape
    predictions, kept = np.empty(shape, job.dtype), np.ones(shape[0], bool)
    t: Array | None = None
    records: dict[type, Any] = {}
    height = 0
    for positions in read_positions(job, 0, shape[0]):
        after = height + len(positions.predictions)
        predictions[height:after] = positions.predictions
        part = positions.targets.t  # type: ignore[union-attr]
        t = np.empty(shape, part.dtype) if t is None else t
        t[height:after] = part.reshape(positions.predictions.shape)
        if positions.kept is not None:
            kept[positions.first : positions.first + positions.rows] = positions.kept
        batch = _looked_at(job, positions)
        found = {one.record: one.of(job, batch) for one in looking}
        records = {kind: added(records[kind], record) if records else record for kind, record in found.items()}
        height = after
        seen(positions.first + positions.rows)
    t = np.zeros(shape) if t is None else t
    return predictions[:height], t[:height], kept, MaskSums(Totals.zeros((0, 1, 1)), shape[0] - height, records)


def _looked_at(job: "Job", positions: Positions) -> Batch:
    """Return a batch for collectors that look at the numbers that were read; its losses are NaN in rows that have none."""
    x, t = positions.predictions.reshape(len(positions.predictions), -1), positions.read
    lost = np.isnan(x).any(axis=1)
    if t.dtype.kind == "f":
        lost |= np.isnan(t).reshape(len(t), -1).any(axis=1)
    if job.loss.family.takes_activation and job.extras.activation != "sigmoid":  # rows without a softmax
        lost |= (np.isposinf(x).sum(axis=1) > 1) | np.isneginf(x).all(axis=1)
    losses = np.where(lost, np.nan, 0.0)
    counted = CountedRows(losses, None, None, positions.read, positions.targets, 0)
    return Batch(positions.predictions, t, losses, losses, None, counted, first=positions.first, kept=positions.kept)


def _placed(slopes: Array, kept: Array) -> Array:
    """Return the gradients of rows in their places, with 0 in rows that are ignored."""
    if kept.all():
        return slopes
    table = np.zeros((len(kept), *slopes.shape[1:]), slopes.dtype)
    table[kept] = slopes
    return table


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
