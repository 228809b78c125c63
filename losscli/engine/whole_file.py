"""Losses that need more than one row: masks that are columns or the whole file, and rows
that are compared with all others.

Masks whose losses are of sums are added batch by batch (`mask_sums`). Others are sorted, or all their rows meet: these
are held in memory, and what is too large for that is refused with the reason before it is read.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array, by_row
from losscli.data.target_encoding import TargetEncoding
from losscli.definition.batch import Dense, Everyone, Whole
from losscli.definition.words import UnitKind
from losscli.engine.aggregates import Totals
from losscli.engine.batch import Batch
from losscli.engine.collector import Aggregate, BatchCollector, merged
from losscli.engine.existence import existing, filled
from losscli.engine.lists import of_rows
from losscli.engine.mask_sums import Finished, MaskSums, RowsRead, looked_at, read_positions, results, samples_of
from losscli.engine.masks import Masks
from losscli.engine.units import PositionCount
from losscli.errors import DataError, UsageError
from losscli.io.source import MemorySource, Source, whole
from losscli.records import NamedTuple, replace

if TYPE_CHECKING:
    from losscli.definition.loss import Loss
    from losscli.engine.evaluate import ChunkResult, Collectors
    from losscli.engine.job import Job

MOST_BYTES = 4 << 30
"""Bytes of memory that the elements of masks may take that are held at once."""
HELD_BYTES_OF_CUSTOM = 64
"""Bytes that an element takes about while a loss of the user's own is called with the whole file."""
MOST_ROWS = 50_000
"""Number of rows that may be compared with each other: the number of their cosines is its square."""
TABLE_WORDS = {"sample": "row", "class": "column"}
"""Kinds of masks, and the words for them in tables."""
KINDS: dict[str, UnitKind] = {"row": "sample", "column": "class"}
"""Words for units of tables, and what they are called otherwise."""


def masks(loss: "Loss", per: str | None, job: "Job") -> "Job":
    """Return the job of a loss of masks that says what is one mask; masks that are rows of tables mostly need nothing.

    Raises
    ------
    UsageError
        if the shape has no such masks, or an option makes sense only for masks that are rows.
    DataError
        if the masks have to be held in memory and are too large for it.
    """
    kind = mask_kind(loss, per, job)
    word: str = kind if job.layout is not None else TABLE_WORDS.get(kind, kind)
    by_element = job.mask is not None and len(job.mask.shape) == 2
    if kind == "sample" and job.layout is None and not by_element:
        return replace(job, extras=job.extras._replace(class_terms=_factors(job)))
    # A weight per position has no meaning where masks have one loss each; one per sample weighs the sample's masks.
    if job.weights is not None and (job.layout is not None or kind != "sample"):
        if "sample" in kind:
            raise UsageError(
                f"--sample-weight: {loss.name} has one loss for all positions of a sample together; give one weight per sample"
            )
        raise UsageError(
            f"--sample-weight: {loss.name} has one loss for all rows together, and a weight per row has no meaning for it"
        )
    job = replace(job, masks=Masks(kind, word))
    _check_held(job)
    return job


def grouped(job: "Job") -> "Job":
    """Return the job of lists of rows, each of which has one loss; raises a DataError if a list is too long."""
    job = replace(job, masks=Masks("sample", "list"))
    _check_held(job)
    return job


def together(loss: "Loss", job: "Job", over_positions: str, shape: tuple[int, ...] | None) -> "Job":
    """Return the job of a loss of the user's own that is called once with all rows: one unit, which is the file.

    Rows and elements that do not exist are left out. `shape` is the one that all predictions have in the call; None for that
    of rows. Faults of rows are raised here, where their places are known.

    Raises
    ------
    UsageError
        if rows have weights, or classes have.
    DataError
        if the file is too large to be held in memory, no row is left, or numbers of it cannot be used.
    """
    if job.weights is not None:
        raise UsageError(
            f"--sample-weight: {loss.name} has one loss for all rows together, and a weight per row has no meaning for it"
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
    mask = None if job.mask is None else whole(job.mask)
    kept, elements = existing(job, targets, mask)
    if kept is not None:
        predictions, targets = predictions[kept], targets[kept]
    if not len(predictions):
        raise DataError(f"{job.predictions.name}: no samples left; a loss of nothing is undefined")
    if elements is not None:
        predictions, targets = filled(job, predictions, targets, elements)
    _check_numbers(job, predictions, targets, kept)
    if elements is not None and mask is not None:
        predictions, targets, kept = predictions[elements], targets[elements], mask != 0
    of_rows = predictions.shape
    if shape is not None:
        predictions, targets = predictions.reshape(shape), targets.reshape(shape)
    seen = Whole(job.encoding.targets(targets), predictions.shape, over_positions, kept, of_rows)
    return replace(
        job,
        predictions=MemorySource(job.predictions.name, predictions.reshape(1, -1)),
        targets=MemorySource(job.targets.name, np.zeros((1, 1))),
        encoding=TargetEncoding("numbers", "numbers"),
        extras=job.extras._replace(whole=seen),
        layout=None,
        mask=None,
    )


def _check_numbers(job: "Job", predictions: Array, targets: Array, kept: Array | None) -> None:
    """Raise a DataError for rows whose predictions or targets are NaN, or not of the kind that was said."""
    from losscli.engine.batch import Batch, CountedRows
    from losscli.engine.collectors.row_faults import FaultFinder, raise_faults

    undefined = by_row(np.isnan(predictions)).any(axis=1)
    if targets.dtype.kind == "f":
        undefined |= by_row(np.isnan(targets)).any(axis=1)
    losses = np.where(undefined, np.nan, 0.0)
    counted = CountedRows(losses, None, None, targets, None, 0)
    batch = Batch(predictions, targets, losses, losses, None, counted, kept=kept)
    raise_faults(job, FaultFinder().of(job, batch))


def _factors(job: "Job") -> Array | None:
    """Return the factor of each class in the sums of a row, 0 for classes that do not count; None for 1 each."""
    if job.counted_classes is None:
        return job.class_factors
    return np.where(job.counted_classes, 1.0 if job.class_factors is None else job.class_factors, 0.0)


def mask_kind(loss: "Loss", per: str | None, job: "Job") -> UnitKind:
    """Return what one mask is; `per` is the user's word, or None for what is usual.

    Raises a UsageError if there are no such masks.
    """
    shape, kind = job.predictions.shape, KINDS.get(per or "", per)
    together = loss.family.coupled == "file"
    if kind is None:
        if job.layout is not None:
            return "sample"
        return "file" if together or len(shape) == 1 else "sample"
    if together and (kind in ("class", "sample,class", "position") or (kind == "sample" and job.layout is None)):
        also = "sample or file" if job.layout is not None else "leave --per out"
        raise UsageError(f"--per {per}: {loss.name} has one loss for all classes and rows together: {also}")
    if (reason := _refused_kind(loss, kind, shape, table=job.layout is None)) is not None:
        raise UsageError(f"--per {per}: {reason}")
    return kind  # type: ignore[return-value]


def _refused_kind(loss: "Loss", kind: str, shape: tuple[int, ...], table: bool) -> str | None:
    """Return why predictions of a shape have no masks of a kind; None if they have.

    `table` says that the file is one, whose rows are samples.
    """
    numbers = loss.family.target_type == "numbers"  # of series, which are no masks
    if kind == "position" and numbers:
        return f"{loss.name} is a loss of several numbers together, and a position is one: row, column or file"
    if kind == "position":
        return f"{loss.name} is a loss of masks, and a position is no mask"
    if table and len(shape) == 1 and kind != "file":
        one = "have one loss" if numbers else "are one mask"
        return f"the predictions have shape {shape}, one number per row; all of them {one}: --per file"
    if table and kind == "sample,class" and numbers:
        return f"each number of predictions of shape {shape} would have a loss of its own; rows, columns or the file have one"
    if table and kind == "sample,class":
        return f"each number of predictions of shape {shape} would be a mask of its own; masks are rows, columns or the file"
    if "class" in kind and len(shape) == 1:
        return "no axis holds classes; say which with --class-axis, or --per sample or file"
    return None


def is_held(job: "Job") -> bool:
    """Whether a loss of masks is no function of sums, so that its masks are held in memory."""
    return job.loss.family.elements is None


def _check_held(job: "Job") -> None:
    """Raise an error if masks have to be held in memory, and are too large for it."""
    loss, predictions = job.loss, job.predictions
    assert job.masks is not None
    if not is_held(job):
        return
    rows = predictions.shape[0]
    if job.lists is not None:
        rows = job.lists.longest
    elif job.within_samples and job.layout is not None:
        rows = max((grid.kept for grid in job.layout.grids), default=0)
    elements = rows * (predictions.shape[1] if len(predictions.shape) == 2 else 1)
    at_once = rows if job.masks.by_class else elements  # one mask after another
    size = elements * (job.dtype.itemsize + 2) + at_once * loss.family.held_bytes
    if size > MOST_BYTES:
        per = (
            " --group"
            if job.lists is not None
            else ""
            if loss.family.coupled == "file" and job.layout is None
            else f" --per {job.masks.per}"
        )
        what = "each list" if job.lists is not None else "each sample" if job.within_samples else "all rows"
        raise DataError(
            f"{predictions.name}: {loss.name}{per} holds {what} in memory, and {elements:,} elements take about "
            f"{size / 1e9:.1f} GB; the limit is {MOST_BYTES / 1e9:.1f} GB: {_cure_of_size(job)}"
        )


def _cure_of_size(job: "Job") -> str:
    """Return what to do about masks that are too large to be held in memory."""
    if job.loss.family.lists:
        return "take a part of the rows"
    if job.layout is not None and not job.within_samples:
        return "say --per sample, of which one is held after another"
    table = job.loss.family.coupled == "masks" and job.layout is None
    return "give each mask as a row, which streams" if table else "give the files in parts"


def evaluate_held(
    job: "Job",
    collectors: "Collectors",
    consume: "Callable[[ChunkResult], None]",
    seen: Callable[[int], None] = lambda rows: None,
) -> Aggregate:
    """Run a job whose masks go through the file and are held in memory; its arguments are those of `evaluate`."""
    result = evaluate_held_rows(job, collectors, 0, job.samples, seen)
    consume(result)
    return result.aggregate


@np.errstate(all="ignore")  # what is undefined is searched for afterwards
def evaluate_held_rows(
    job: "Job", collectors: "Collectors", start: int, stop: int, seen: Callable[[int], None] = lambda rows: None
) -> "ChunkResult":
    """Return the result of the rows from start to stop, which hold whole masks, all of them in memory."""
    assert job.masks is not None
    held = _held(job, collectors, start, stop, seen)
    samples = samples_of(job, start, stop)
    cuts = _cuts_of_kept(job, start, stop, held.kept)
    computed = _of_masks if job.lists is None else _of_lists
    finished, slopes = computed(job, held, cuts)
    result = results(job, collectors, held.sums, finished, samples.start)
    if job.lists is not None:  # whose targets make no number together
        result = result._replace(rows=tuple(rows._replace(target=None) for rows in result.rows))
    if slopes is None:
        return result
    gradient = np.zeros((stop - start, *slopes.shape[1:]), job.dtype)
    gradient[held.kept] = slopes
    return result._replace(gradient=(gradient.reshape(-1, *job.predictions.shape[1:]),))


def _of_masks(job: "Job", held: "Held", cuts: Array) -> tuple[Finished, Array | None]:
    """Return the losses of masks, one after another, and the gradients by their elements, shape (n, k)."""
    assert job.masks is not None
    k = held.predictions.shape[1]
    together = job.loss.family.coupled == "file"
    extras = job.extras._replace(columns=k, class_terms=_factors(job)) if together else job.extras
    gradient = np.zeros(held.predictions.shape, job.dtype) if job.gradient else None
    counted = np.ones(k, bool) if job.counted_classes is None else job.counted_classes
    shape = (len(cuts) - 1, k if job.masks.by_class else 1)
    losses, shown, exists = np.zeros(shape, job.dtype), np.zeros(shape), np.zeros(shape, bool)
    for sample, (low, high) in enumerate(pairwise(cuts)):
        for number, columns in enumerate(_columns(counted, job.masks.by_class, together)):
            if low == high or (job.masks.by_class and not counted[number]):
                continue
            mask, true = (side[low:high, columns].reshape(1, -1) for side in (held.predictions, held.targets))
            if held.third_operand is not None:
                extras = extras._replace(third_operand=held.third_operand[None, low:high])
            value, slopes = job.loss(mask, Dense(true), extras, job.gradient)
            losses[sample, number], exists[sample, number] = value[0], True
            shown[sample, number] = _shown(job, true)
            if gradient is not None and slopes is not None:
                gradient[low:high, columns] = slopes.reshape(high - low, -1)
    return Finished(losses, None, shown, exists), gradient


def _of_lists(job: "Job", held: "Held", cuts: Array) -> tuple[Finished, Array | None]:
    """Return the losses of lists of rows, and the gradients by their items, shape (n, 1)."""
    x, t = held.predictions[:, 0], held.targets[:, 0]
    losses, slopes = of_rows(job.loss, x, t, cuts, held.third_operand, job.extras, job.gradient)
    exists = np.diff(cuts)[:, None] > 0
    finished = Finished(losses[:, None], None, np.zeros(exists.shape), exists)
    return finished, None if slopes is None else slopes[:, None]


def _cuts_of_kept(job: "Job", start: int, stop: int, kept: Array) -> Array:
    """Return where samples begin among the rows from start to stop that are kept, and where the last one ends."""
    cuts = np.append(job.cut(start, stop)[1], stop - start) if job.within_samples else np.array([0, stop - start])
    ends: Array = np.concatenate([[0], np.cumsum(kept)])
    return ends[cuts]


def _shown(job: "Job", true: Array) -> float:
    """Return what per-sample output shows as the target of a mask: the number, or the sum, of its true elements."""
    return float(true[true > 0].sum() if job.encoding.stored_as == "signs" else true.sum(dtype=float))


def _columns(counted: Array, apart: bool, together: bool) -> Iterator[Any]:
    """Yield the columns of each mask of a sample: one after another, all that count, or all if the loss itself leaves some out."""
    if apart:
        yield from (slice(i, i + 1) for i in range(len(counted)))
    else:
        yield slice(None) if together or counted.all() else np.flatnonzero(counted)


class Held(NamedTuple):
    """Rows that are in memory, without those that do not exist."""

    predictions: Array
    """Shape (n, k)."""
    targets: Array
    """Shape (n, k)."""
    third_operand: Array | None
    """Shape (n,); None if the loss has none."""
    kept: Array
    """Which of the rows that were read exist."""
    sums: MaskSums
    """What a pass keeps of them."""


def _held(job: "Job", collectors: "Collectors", start: int, stop: int, seen: Callable[[int], None]) -> Held:
    """Return the rows from start to stop, all of them in memory."""
    looking = [one for one in collectors if isinstance(one, BatchCollector) and one.reads_only]
    k = job.predictions.shape[1] if len(job.predictions.shape) == 2 else 1
    predictions, kept = np.empty((stop - start, k), job.dtype), np.ones(stop - start, bool)
    third: list[Array] = []
    t: Array | None = None
    records: dict[type, Any] = {}
    height = 0
    for positions in read_positions(job, start, stop):
        n = len(positions.predictions)
        after = height + n
        predictions[height:after] = positions.predictions.reshape(n, k)
        part = positions.targets.t
        t = np.empty((stop - start, k), part.dtype) if t is None else t
        t[height:after] = part.reshape(n, k)
        if positions.third_operand is not None:
            third.append(positions.third_operand)
        if positions.kept is not None:
            kept[positions.first - start : positions.first - start + positions.rows] = positions.kept
        batch = _looked_at(job, positions)
        records = merged(records, {one.record: one.of(job, batch) for one in looking})
        height = after
        seen(positions.first + positions.rows)
    t = np.zeros((stop - start, k)) if t is None else t
    nothing = np.zeros((0, 1, 1))
    sums = MaskSums(Totals(nothing, nothing), nothing, PositionCount(height, stop - start - height), records)
    return Held(predictions[:height], t[:height], np.concatenate(third) if third else None, kept, sums)


def _looked_at(job: "Job", positions: RowsRead) -> Batch:
    """Return a batch for collectors that look at the numbers that were read; its losses are NaN in rows that have none."""
    x, t = (side if side.ndim == 2 else side[:, None] for side in (positions.predictions, positions.read))
    lost = np.isnan(x).any(axis=1)
    if t.dtype.kind == "f":
        lost |= np.isnan(t).any(axis=1)
    logits = job.extras.prediction_kind == "logits"
    if job.loss.family.takes_activation and logits and job.extras.activation != "sigmoid":  # rows without a softmax
        lost |= (np.isposinf(x).sum(axis=1) > 1) | np.isneginf(x).all(axis=1)
    return looked_at(positions, np.where(lost, np.nan, 0.0))


def everyone(loss: "Loss", job: "Job") -> Everyone:
    """Return all rows of a file, for a loss in which every row is compared with all others.

    Raises
    ------
    DataError
        if there are too many rows, or none has a positive, or a negative that the loss needs.
    """
    meets, census = loss.family.meets, loss.family.census
    assert meets is not None
    source: Source = job.predictions if loss.family.target_type == "classes" else job.targets
    rows = source.shape[0]
    if rows > MOST_ROWS:
        raise DataError(
            f"{source.name}: {rows:,} rows; in {loss.name} every row meets all others, so that the work grows with the "
            f"square of their number: at most {MOST_ROWS:,} are taken; give a batch at a time"
        )
    if loss.family.target_type != "classes":
        sources = meets(whole(job.predictions)) if loss.family.both_ways else None
        return Everyone(meets(whole(source)), np.zeros(0), np.ones(rows, bool), sources=sources)
    targets = whole(job.targets)
    kept = job.encoding.keep(targets)
    kept = np.ones(rows, bool) if kept is None else kept
    labels = np.where(kept, targets, -1).astype(np.int64)
    found = Everyone(meets(whole(source)), labels, kept, _anchors(loss, job, labels, kept))
    return found if census is None else found._replace(share=census(job.loss, found))


def _anchors(loss: "Loss", job: "Job", labels: Array, kept: Array) -> Array | None:
    """Return which rows have another row of their class, shape (n,); None if all that are kept have one.

    Raises a DataError if no row has one, or all rows are of one class and the loss compares classes.
    """
    sizes = np.bincount(labels[kept], minlength=1)
    if loss.family.needs_negatives and np.count_nonzero(sizes) == 1:
        raise DataError(
            f"{job.targets.name}: all rows have the same label, and {loss.name} compares rows with those of other labels; give "
            "rows of two classes or more"
        )
    alone = kept & (sizes[labels] == 1)
    if not alone.any():
        return None
    if (alone == kept).all():
        raise DataError(
            f"{job.targets.place(int(np.flatnonzero(alone)[0]))}: its class has no other row, nor has any other class, and "
            f"{loss.name} needs two rows of a class; give more rows of each"
        )
    return kept & ~alone


def without_positive(job: "Job") -> int:
    """Return how many rows of a job have no loss, since no other row is of their class."""
    everyone = job.extras.everyone
    if everyone is None or everyone.anchors is None:
        return 0
    return int(np.count_nonzero(everyone.kept & ~everyone.anchors))


def positives(job: "Job") -> Array:
    """Return how many positives each row has among all rows, shape (n,); ignored rows have none."""
    everyone = job.extras.everyone
    assert everyone is not None
    counts = np.bincount(everyone.labels[everyone.kept]) - 1.0
    return np.where(everyone.kept, counts[np.where(everyone.kept, everyone.labels, 0)], 0.0)
