"""Losses of masks that go through several rows: from the sums over their elements, which are added batch by batch.

A first reading of the rows adds what each element adds to the sums of its mask; the loss's core makes a loss of the sums
of each mask, and the derivatives by them; a second reading, only for gradients, makes the derivative by each prediction
from these. Masks that go through the whole file have their loss when all chunks are read, and sums of chunks are added in
order and compensated, so that the digits do not depend on threads. Masks within samples have it when their chunk is read.
"""

from collections.abc import Callable, Iterator
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras
from losscli.engine.aggregates import Faults, Totals
from losscli.engine.batch import Batch, CountedRows
from losscli.engine.collector import Aggregate, BatchCollector, added, merged, of_chunk
from losscli.engine.collectors.row_faults import infinite_mask, undefined_mask
from losscli.engine.existence import existing, filled
from losscli.engine.job import ELEMENTWISE, Job, chunks
from losscli.engine.units import PositionCount, runs, segment_sums
from losscli.io.source import MemorySource, pieces
from losscli.records import NamedTuple, replace

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from losscli.engine.cluster import Cluster
    from losscli.engine.evaluate import ChunkResult, Collectors

SHOWN = "shown"
"""The name of the sum of the targets that per-sample output shows of a mask."""


class RowsRead(NamedTuple):
    """Rows of a job that were read together, without those that do not exist."""

    first: int
    """Number of the job's row with which they begin."""
    rows: int
    """Number of rows that were read."""
    kept: Array | None
    """Which of these exist; None for all."""
    predictions: Array
    """In the dtype of the computation, shape (n,) or (n, k)."""
    read: Array
    """The targets as they were read."""
    targets: Dense
    extras: Extras
    present: Array | None
    """Which elements of the rows exist, shape (n, k); None for all."""
    third_operand: Array | None = None
    """The third operand of the rows; None if the loss has none."""


class MaskSums(NamedTuple):
    """Mergeable record: the sums of masks over some of their rows, and what else a pass keeps of these rows.

    `totals` has the shape (sums, samples, columns): one column for each class if classes have masks or sums of their
    own, and else one. `number` counts the elements of each mask, shape (samples, columns).
    """

    totals: Totals
    number: Array
    positions: PositionCount
    records: dict[type, Any]
    """Records of collectors that look at the numbers that were read."""

    def __add__(self, other: "MaskSums") -> "MaskSums":  # type: ignore[override]
        records = {kind: added(record, other.records.get(kind)) for kind, record in self.records.items()}
        return MaskSums(
            self.totals + other.totals, self.number + other.number, self.positions + other.positions, records
        )


class Finished(NamedTuple):
    """The losses of masks, and the derivatives by their sums, which have the shape (samples, columns)."""

    losses: Array
    """One per mask that has elements, in the dtype of the computation, shape (samples, masks of a sample)."""
    slopes: Any
    """A NamedTuple of derivatives, or None if no gradient is asked for."""
    shown: Array
    """Sum of the targets of each mask."""
    exists: Array
    """Which masks have elements, and are masks of classes that count."""


def evaluate_masks(
    job: Job,
    collectors: "Collectors",
    consume: "Callable[[ChunkResult], None]",
    in_order: "Callable[..., Iterator[Any]]",
    executor: "Executor | Cluster | None" = None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Aggregate:
    """Run a job whose masks go through the whole file; its arguments are those of `evaluate`.

    `in_order` yields the results of a function for each chunk, in their order.
    """
    bounds = chunks(job)
    total: MaskSums | None = None
    for (_, stop), found in zip(
        bounds, in_order(executor, mask_sums, lambda *rows: (job, collectors), bounds), strict=True
    ):
        total = found if total is None else add(total, found)
        seen(stop)
    total = total or mask_sums(job, collectors, 0, 0)
    finished = finish(job, total)
    result = results(job, collectors, total, finished, 0)
    consume(result)
    if finished.slopes is not None:
        for chunk in in_order(executor, gradients_of_chunk, lambda *rows: (job, finished.slopes), bounds, True):
            consume(chunk)
    return result.aggregate


def evaluate_samples(job: Job, collectors: "Collectors", start: int, stop: int) -> "ChunkResult":
    """Evaluate the samples whose rows are those from `start` to `stop`: their masks are complete in this chunk."""
    found = mask_sums(job, collectors, start, stop)
    finished = finish(job, found)
    result = results(job, collectors, found, finished, samples_of(job, start, stop).start)
    if finished.slopes is None:
        return result
    return result._replace(gradient=(mask_gradients(job, finished.slopes, start, stop),))


def samples_of(job: Job, start: int, stop: int) -> range:
    """Return the samples of the rows from start to stop; masks that go through the whole file are those of one sample."""
    if not job.within_samples:
        return range(1)
    first, cuts = job.cut(start, stop)
    return range(first, first + len(cuts))


def names_of_sums(job: Job) -> tuple[str, ...]:
    """Return the names of the sums that are kept: those that the loss reads, and that of the targets, which is shown."""
    return (*job.loss.sums, SHOWN)


@np.errstate(all="ignore")  # what is undefined is searched for afterwards
def mask_sums(job: Job, collectors: "Collectors", start: int, stop: int) -> MaskSums:
    """Return the sums of masks over the rows from `start` to `stop`, batch by batch."""
    looking = [one for one in collectors if isinstance(one, BatchCollector) and one.reads_only]
    samples, names, columns = samples_of(job, start, stop), names_of_sums(job), columns_of(job)
    totals, number = Totals.zeros((len(names), len(samples), columns)), np.zeros((len(samples), columns))
    records: dict[type, Any] = {}
    count = PositionCount()
    for positions in read_positions(job, start, stop):
        n = len(positions.predictions)
        elements = elements_of(job, positions)
        of_batch, begins = segments(job, positions)
        at = slice(of_batch.start - samples.start, of_batch.stop - samples.start)
        sums = np.zeros((len(names), len(of_batch), columns))
        for row, name in zip(sums, names, strict=True):
            part = _shown_part(positions) if name == SHOWN else elements.part(name)
            row[...] = segment_sums(part if part.ndim == 2 else part[:, None], begins, columns)
        totals.put((slice(None), at), sums)
        number[at] += _numbers(positions, begins, columns)
        count = count + PositionCount(n, positions.rows - n)
        batch = _looked_at(job, positions, elements, sums)
        records = merged(records, {one.record: one.of(job, batch) for one in looking})
    return MaskSums(totals, number, count, records)


def columns_of(job: Job) -> int:
    """Return how many sums are kept side by side: one for each class, if classes have masks or sums of their own."""
    assert job.masks is not None
    shape = job.predictions.shape
    family = job.loss.family
    apart = job.masks.by_class or (family.coupled == "file" and not family.one_target)
    return shape[1] if apart and len(shape) == 2 else 1


def read_positions(job: Job, start: int, stop: int) -> Iterator[RowsRead]:
    """Yield the rows from `start` to `stop` in batches of whole samples, or of parts of one sample if it is large."""
    step = max(1, job.batch_rows // ELEMENTWISE)
    together = len(job.targets.shape) == 1 and job.layout is None  # one number per row of a table: little to hold
    labels = job.targets.read(start, stop) if together else None
    # Sums of samples must not depend on their neighbours; lists are held, and a table is read in few parts.
    parts = runs(job, start, stop, step) if job.lists is None else [(start, stop)]
    for low, high in parts:
        for first, read in pieces(job.predictions, low, high, step):
            after = first + len(read)
            targets = job.targets.read(first, after) if labels is None else labels[first - start : after - start]
            mask = None if job.mask is None else job.mask.read(first, after)
            kept = existing(job, targets, mask).rows
            predictions = (read if kept is None else read[kept]).astype(job.dtype, copy=False)
            targets = targets if kept is None else targets[kept]
            present = None if mask is None or mask.ndim == 1 else (mask if kept is None else mask[kept]) != 0
            if present is not None and job.extras.activation != "softmax":  # where the other classes hang on a logit
                predictions, targets = filled(job, predictions, targets, present)
            decoded = job.encoding.targets(targets)
            assert isinstance(decoded, Dense)
            third = _third_operand(job, first, after, kept, present)
            extras = job.extras._replace(class_terms=_terms(job, present), third_operand=third)
            yield RowsRead(first, len(read), kept, predictions, targets, decoded, extras, present, third)


def _third_operand(job: Job, start: int, stop: int, kept: Array | None, present: Array | None) -> Array | None:
    """Return the third operand for the rows from `start` to `stop` that exist; None if the loss has none."""
    if job.third_operand is None:
        return None
    beside = job.third_operand.read(start, stop).astype(job.dtype, copy=False)
    beside = beside if kept is None else beside[kept]
    return beside if present is None else np.where(present, beside, 1)  # where nothing exists there may be anything


def _terms(job: Job, present: Array | None) -> Array | None:
    """Return the factor of each element in the sums: 0 for what does not exist or count, else that of its class."""
    assert job.masks is not None
    terms: Array | None = None if job.masks.by_class else job.class_factors
    if job.counted_classes is not None:
        terms = np.where(job.counted_classes, 1.0 if terms is None else terms, 0.0)
    if present is not None:
        terms = np.where(present, 1.0 if terms is None else terms, 0.0)
    return terms


def segments(job: Job, positions: RowsRead) -> tuple[range, Array]:
    """Return the samples that a batch's rows belong to, and the first row of each among the rows that exist."""
    low, high = positions.first, positions.first + positions.rows
    if not job.within_samples:
        return range(1), np.zeros(1, np.int64)
    first, begins = job.cut(low, high)
    if positions.kept is not None:
        begins = np.concatenate([[0], np.cumsum(positions.kept)])[begins]
    return range(first, first + len(begins)), begins


def _numbers(positions: RowsRead, begins: Array, columns: int) -> Array:
    """Return the number of elements of each mask, shape (samples, columns)."""
    if positions.present is not None:
        return segment_sums(positions.present.astype(np.float64), begins, columns)
    lengths = np.diff(begins, append=len(positions.predictions)).astype(np.float64)
    return np.repeat(lengths[:, None], columns, axis=1)


def elements_of(job: Job, positions: RowsRead) -> Any:
    """Return the elements of a batch, which know what they add to the sums."""
    make = job.loss.family.elements
    assert make is not None
    x = positions.predictions.astype(job.loss.work(job.dtype, wide=True), copy=False)
    return make(x, positions.targets, positions.extras)


def _shown_part(positions: RowsRead) -> Array:
    """Return what each element adds to the sum of targets that is shown."""
    t = positions.targets.t.astype(np.float64)
    return t if positions.extras.class_terms is None else np.where(positions.extras.class_terms == 0, 0, t)


def _looked_at(job: Job, positions: RowsRead, elements: Any, sums: Array) -> Batch:
    """Return a batch for collectors that look at the numbers that were read; its losses are NaN in rows that make the
    sums NaN.
    """
    n = len(positions.predictions)
    losses = np.zeros(n)
    if np.isnan(sums).any():
        for name in job.loss.sums:
            lost = np.isnan(elements.part(name))
            losses[lost if lost.ndim == 1 else lost.any(axis=1)] = np.nan
    return looked_at(positions, losses)


def looked_at(positions: RowsRead, losses: Array) -> Batch:
    """Return a batch of positions for collectors that look at the numbers that were read."""
    return Batch(
        predictions=positions.predictions,
        targets=positions.read,
        values=losses,
        losses=losses,
        weights=None,
        counted=CountedRows(losses, None, None, positions.read, positions.targets, 0),
        first=positions.first,
        kept=positions.kept,
        third_operand=positions.third_operand,
    )


@np.errstate(all="ignore")
def finish(job: Job, found: MaskSums) -> Finished:
    """Return the losses of masks from their sums."""
    assert job.masks is not None
    sums = dict(zip(names_of_sums(job), found.totals.value, strict=True))  # each (samples, columns)
    shape = found.number.shape
    shown = sums.pop(SHOWN)
    together = job.loss.family.coupled == "file"  # all classes of a sample have one loss
    counted = np.ones(shape[1], bool) if job.counted_classes is None or shape[1] == 1 else job.counted_classes
    made = {name: part[:, counted] if together else part.reshape(-1) for name, part in sums.items()}
    make = job.loss.family.sums
    assert make is not None
    value, slopes = job.loss.core(make(**made))
    value = np.asarray(value).reshape(shape[0], -1)
    losses = (value * job.convention.scale).astype(job.dtype)
    np.add(losses, job.dtype.type(0), out=losses)  # a loss of -0.0 is 0
    by = _by_sums(slopes, shape, counted, together) if job.gradient else None
    exists = np.zeros(shape, bool)
    exists[:, counted] = found.number[:, counted] > 0
    if together:
        return Finished(losses, by, shown.sum(axis=1, keepdims=True), np.asarray(exists.any(axis=1, keepdims=True)))
    return Finished(losses, by, shown, exists)


def _by_sums(slopes: Any, shape: tuple[int, ...], counted: Array, together: bool) -> Any:
    """Return derivatives by the sums in the shape (samples, columns), with 0 for classes that do not count."""

    def placed(part: Any) -> Array:
        if not together:
            return np.where(counted, np.broadcast_to(part, (shape[0] * shape[1],)).reshape(shape), 0)
        whole = np.zeros(shape)
        whole[:, counted] = part
        return whole

    return type(slopes)(*map(placed, slopes))


def results(job: Job, collectors: "Collectors", found: MaskSums, finished: Finished, first: int) -> "ChunkResult":
    """Return the result of masks whose losses are known; the first of them are those of sample `first`."""
    from losscli.engine.evaluate import ChunkResult, Rows

    exists, each = finished.exists, finished.losses.shape[1]
    losses, shown = finished.losses[exists], finished.shown[exists]
    numbers = first * each + np.flatnonzero(exists)
    records = dict(found.records)
    faults = records.get(Faults)
    if faults is not None and not faults and np.isnan(losses).any():
        records[Faults] = faults + undefined_mask(
            losses, None if job.lists is None else job.lists.first_rows_of(numbers)
        )
    elif faults is not None:
        records[Faults] = faults + infinite_mask(losses, _first_rows(job, numbers, each))
    ignored = found.positions.ignored
    if job.layout is not None:
        records[PositionCount] = found.positions
        of_classes = exists if job.counted_classes is None or each == 1 else exists[:, job.counted_classes]
        ignored = int(np.count_nonzero(~of_classes))
    weights = _unit_weights(job, exists.shape, first)
    weights = None if weights is None else weights[exists]
    counted = CountedRows(losses, weights, weights, shown, None, ignored, _first_rows(job, numbers, each))
    units = np.zeros((len(losses), 1), job.dtype)
    seen = replace(job, predictions=MemorySource(job.predictions.name, units))
    kept = np.zeros(exists.size, bool)
    kept[numbers - first * each] = True
    batch = Batch(units, shown, losses, losses, weights, counted, first * each, kept)
    for one in collectors:
        if isinstance(one, BatchCollector) and not one.reads_only:
            records[one.record] = one.of(seen, batch)
    aggregate = Aggregate(records | of_chunk(collectors, seen, counted))
    span = (first * each, first * each + exists.size)
    rows = (Rows(numbers, shown, losses, weights, None, span),) if job.rows else ()
    return ChunkResult(aggregate, rows)


def _first_rows(job: Job, numbers: Array, each: int) -> Array | None:
    """Return the first rows of masks by their numbers, shape (n,), of which `each` are of one sample; None for masks of all rows."""
    samples = numbers // each
    if not job.within_samples:
        return None
    return samples if job.layout is None else job.layout.first_rows_of(samples)


def _unit_weights(job: Job, shape: tuple[int, ...], first: int) -> Array | None:
    """Return the weight of each mask, in the shape (samples, masks of a sample); None for 1 each."""
    assert job.masks is not None
    weights: Array | None = None
    given = job.unit_weights if job.layout is not None else job.weights
    if given is not None:
        weights = np.broadcast_to(given.read(first, first + shape[0]).astype(np.float64).reshape(-1, 1), shape)
    if job.masks.by_class and job.class_factors is not None:
        weights = np.broadcast_to(job.class_factors, shape) * (1.0 if weights is None else weights)
    return weights


def gradients_of_chunk(job: Job, slopes: Any, start: int, stop: int) -> "ChunkResult":
    """Return the gradients of the rows from `start` to `stop` as the result of a chunk."""
    from losscli.engine.evaluate import ChunkResult

    return ChunkResult(Aggregate(), (), (mask_gradients(job, slopes, start, stop),))


@np.errstate(all="ignore")
def mask_gradients(job: Job, slopes: Any, start: int, stop: int) -> Array:
    """Return the gradients of the rows from `start` to `stop`, from the derivatives by the sums of masks."""
    first = samples_of(job, start, stop).start
    gradients = np.zeros((stop - start, *job.predictions.shape[1:]), job.dtype)
    for positions in read_positions(job, start, stop):
        samples, begins = segments(job, positions)
        sample = np.repeat(np.asarray(samples) - first, np.diff(begins, append=len(positions.predictions)))
        flat = positions.predictions.ndim == 1
        by = type(slopes)(*(part[sample, 0] if flat else part[sample] for part in slopes))
        found = elements_of(job, positions).gradient(by)
        where = slice(positions.first - start, positions.first - start + positions.rows)
        gradients[where][slice(None) if positions.kept is None else positions.kept] = found
    return gradients
