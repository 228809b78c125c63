"""Losses of masks that go through several rows: from the sums over their elements, which are added batch by batch.

A first reading of the rows adds what each element adds to the sums of its mask; the loss's core makes a loss of the sums
of each mask, and the derivatives by them; a second reading, only for gradients, makes the derivative by each prediction
from these. Masks that go through the whole file have their loss when all chunks are read, and sums of chunks are added in
order and compensated, so that the digits do not depend on threads. Masks within samples have it when their chunk is read.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Extras, Targets
from losscli.engine.aggregates import Faults, Totals
from losscli.engine.batch import Batch, CountedRows
from losscli.engine.collector import Aggregate, BatchCollector, added, of_chunk
from losscli.engine.collectors.row_faults import undefined_mask
from losscli.engine.job import ELEMENTWISE, Job, chunks
from losscli.io.source import MemorySource, pieces

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from losscli.engine.evaluate import ChunkResult, Collectors

RUN = 256
"""Rows that are added at once, before their sums are added: with more, rounding would show in the last digits."""
SHOWN = "shown"
"""The name of the sum of the targets that per-sample output shows of a mask."""


class Positions(NamedTuple):
    """Rows of a job that were read together, without those that are ignored."""

    first: int
    """Number of the job's row with which they begin."""
    rows: int
    """Number of rows that were read."""
    kept: Array | None
    """Which of these are not ignored; None for all."""
    predictions: Array
    """In the dtype of the computation, shape (n,) or (n, k)."""
    read: Array
    """The targets as they were read."""
    targets: Targets
    extras: Extras


class MaskSums(NamedTuple):
    """Mergeable record: the sums of masks over some of their rows, and what else a pass keeps of these rows.

    `totals` has the shape (sums, samples, columns): one column for each class if classes have masks or sums of their
    own, and else one.
    """

    totals: Totals
    ignored: int
    records: dict[type, Any]
    """Records of collectors that look at the numbers that were read."""

    def __add__(self, other: "MaskSums") -> "MaskSums":  # type: ignore[override]
        records = {kind: added(record, other.records.get(kind)) for kind, record in self.records.items()}
        return MaskSums(self.totals + other.totals, self.ignored + other.ignored, records)


class Finished(NamedTuple):
    """The losses of masks, and the derivatives by their sums, which have the shape (samples, columns)."""

    losses: Array
    """One per mask, in the dtype of the computation."""
    slopes: Any
    """A NamedTuple of derivatives, or None if no gradient is asked for."""
    shown: Array
    """Sum of the targets of each mask."""


def evaluate_masks(
    job: Job,
    collectors: "Collectors",
    consume: "Callable[[ChunkResult], None]",
    in_order: "Callable[[Executor | None, Iterator[Any]], Iterator[Any]]",
    executor: "Executor | None" = None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Aggregate:
    """Run a job whose masks go through the whole file; its arguments are those of `evaluate`.

    `in_order` yields the results of tasks in their order.
    """
    from losscli.engine.evaluate import ChunkResult

    bounds = chunks(job)
    total: MaskSums | None = None
    tasks = ((mask_sums, (job, collectors, start, stop)) for start, stop in bounds)
    for (_, stop), found in zip(bounds, in_order(executor, tasks), strict=True):
        total = found if total is None else add(total, found)
        seen(stop)
    total = total or mask_sums(job, collectors, 0, 0)
    empty = total.ignored == job.samples  # a loss of nothing is undefined, and no mask has one
    finished = finish(job, total.totals, 0 if empty else None)
    result = results(job, collectors, total, finished, 0)
    consume(result)
    if finished.slopes is not None:
        tasks = ((mask_gradients, (job, finished.slopes, start, stop)) for start, stop in bounds)
        for slopes in in_order(executor, tasks):
            consume(ChunkResult(Aggregate(), (), tuple(slopes)))
    return result.aggregate


def evaluate_samples(job: Job, collectors: "Collectors", start: int, stop: int) -> "ChunkResult":
    """Evaluate the samples whose rows are those from `start` to `stop`: their masks are complete in this chunk."""
    assert job.masks is not None
    found = mask_sums(job, collectors, start, stop)
    finished = finish(job, found.totals)
    result = results(job, collectors, found, finished, job.masks.samples_of(start, stop)[0])
    slopes = () if finished.slopes is None else tuple(mask_gradients(job, finished.slopes, start, stop))
    return result._replace(gradient=slopes)


def names_of_sums(job: Job) -> tuple[str, ...]:
    """Return the names of the sums that are kept: those that the loss reads, and that of the targets if they are shown."""
    names = job.loss.sums
    return (*names, SHOWN) if job.rows else names


@np.errstate(all="ignore")  # what is undefined is searched for afterwards
def mask_sums(job: Job, collectors: "Collectors", start: int, stop: int) -> MaskSums:
    """Return the sums of masks over the rows from `start` to `stop`, batch by batch."""
    assert job.masks is not None
    looking = [one for one in collectors if isinstance(one, BatchCollector) and one.reads_only]
    first, last = job.masks.samples_of(start, stop)
    names, columns = names_of_sums(job), columns_of(job)
    totals = Totals.zeros((len(names), last - first, columns))
    records: dict[type, Any] = {}
    ignored = 0
    for positions in read_positions(job, start, stop):
        ignored += positions.rows - len(positions.predictions)
        elements = elements_of(job, positions)
        samples, begins = _segments(job, positions)
        sums = np.zeros((len(names), len(samples), columns))
        for row, name in zip(sums, names, strict=True):
            part = shown_part(job, positions) if name == SHOWN else elements.part(name)
            row[...] = segment_sums(part if part.ndim == 2 else part[:, None], begins, columns)
        totals.put((slice(None), slice(samples.start - first, samples.stop - first)), sums)
        batch = _looked_at(job, positions, elements, sums)
        found = {one.record: one.of(job, batch) for one in looking}
        records = {kind: added(records[kind], record) if records else record for kind, record in found.items()}
    return MaskSums(totals, ignored, records)


def columns_of(job: Job) -> int:
    """Return how many sums are kept side by side: one for each class, if classes have masks or sums of their own."""
    assert job.masks is not None
    shape = job.predictions.shape
    apart = job.masks.by_class or job.loss.family.coupled == "file"
    return shape[1] if apart and len(shape) == 2 else 1


def read_positions(job: Job, start: int, stop: int) -> Iterator[Positions]:
    """Yield the rows from `start` to `stop` in batches of whole samples, or of parts of one sample if it is large."""
    step = max(1, job.batch_rows // ELEMENTWISE)
    labels = (
        job.targets.read(start, stop) if len(job.targets.shape) == 1 else None
    )  # one number per row: little to hold
    for low, high in _runs(job, start, stop, step):
        for first, read in pieces(job.predictions, low, high, step):
            after = first + len(read)
            targets = job.targets.read(first, after) if labels is None else labels[first - start : after - start]
            kept = job.encoding.keep(targets)
            predictions = (read if kept is None else read[kept]).astype(job.dtype, copy=False)
            targets = targets if kept is None else targets[kept]
            yield Positions(first, len(read), kept, predictions, targets, job.encoding.targets(targets), job.extras)


def _runs(job: Job, start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield (first row, row after the last) of runs of rows that are cut into batches from their first row on.

    A run is one sample, or several that make one batch together: a sample's digits do not depend on its neighbours.
    """
    assert job.masks is not None
    starts = job.masks.starts
    if starts is None:
        if start < stop:
            yield start, stop
        return
    first, last = job.masks.samples_of(start, stop)
    while first < last:
        after = int(np.searchsorted(starts, starts[first] + step, side="right")) - 1
        after = min(max(after, first + 1), last)
        yield int(starts[first]), int(starts[after])
        first = after


def _segments(job: Job, positions: Positions) -> tuple[range, Array]:
    """Return the samples that a batch's rows belong to, and the first row of each among the rows that are kept."""
    assert job.masks is not None
    starts, low, high = job.masks.starts, positions.first, positions.first + positions.rows
    if starts is None:
        return range(1), np.zeros(1, np.int64)
    first = int(np.searchsorted(starts, low, side="right")) - 1
    last = int(np.searchsorted(starts, high, side="left"))
    begins = np.maximum(starts[first:last] - low, 0)
    if positions.kept is not None:
        begins = np.concatenate([[0], np.cumsum(positions.kept)])[begins]
    return range(first, last), begins


def segment_sums(part: Array, begins: Array, columns: int) -> Array:
    """Return the sums of runs of rows, shape (runs, columns), from parts of shape (n, k); run i begins at row begins[i].

    `columns` is k for a sum of each column, or 1 for the sum over all of them.
    """
    part = part.astype(np.promote_types(part.dtype, np.float64), copy=False)
    if columns == 1 and part.shape[1] > 1:
        part = np.einsum("ij->i", part)[:, None]
    n = len(part)
    sums = np.zeros((len(begins), columns))
    lengths = np.diff(begins, append=n)
    some = lengths > 0  # reduceat would take a run without rows for one of one row
    if not some.any():
        return sums
    cuts = [np.arange(begin, begin + length, RUN) for begin, length in zip(begins[some], lengths[some], strict=True)]
    parts = np.add.reduceat(part, np.concatenate(cuts), axis=0)
    firsts = np.cumsum([0, *(len(cut) for cut in cuts[:-1])])
    sums[some] = np.add.reduceat(parts, firsts, axis=0)
    return sums


def elements_of(job: Job, positions: Positions) -> Any:
    """Return the elements of a batch, which know what they add to the sums."""
    make = job.loss.family.elements
    assert make is not None
    x = positions.predictions.astype(job.loss.work(job.dtype, wide=True), copy=False)
    return make(x, positions.targets, positions.extras)


def shown_part(job: Job, positions: Positions) -> Array:
    """Return what each element adds to the sum of targets that is shown, in the shape of the predictions."""
    t = positions.targets.t.astype(np.float64)  # type: ignore[union-attr]
    return t.reshape(positions.predictions.shape)


def _looked_at(job: Job, positions: Positions, elements: Any, sums: Array) -> Batch:
    """Return a batch for collectors that look at the numbers that were read; its losses are NaN in rows that make the sums NaN."""
    n = len(positions.predictions)
    losses = np.zeros(n)
    if np.isnan(sums).any():
        for name in names_of_sums(job):
            part = shown_part(job, positions) if name == SHOWN else elements.part(name)
            losses[np.isnan(part).reshape(n, -1).any(axis=1)] = np.nan
    return Batch(
        predictions=positions.predictions,
        targets=positions.read,
        values=losses,
        losses=losses,
        weights=None,
        counted=CountedRows(losses, None, None, positions.read, positions.targets, 0),
        first=positions.first,
        kept=positions.kept,
    )


@np.errstate(all="ignore")
def finish(job: Job, totals: Totals, masks: int | None = None) -> Finished:
    """Return the losses of masks from their sums; `masks` is 0 if there is nothing that could have a loss."""
    assert job.masks is not None
    sums = dict(zip(names_of_sums(job), totals.value, strict=True))  # each (samples, columns)
    shape = totals.high.shape[1:]
    shown = sums.pop(SHOWN, np.zeros(shape))
    together = job.loss.family.coupled == "file"  # all classes of a sample have one loss
    made = {name: part if together else part.reshape(-1) for name, part in sums.items()}
    make = job.loss.family.sums
    assert make is not None
    value, slopes = job.loss.core(make(**made))
    losses = (np.asarray(value) * job.scale + job.shift)[:masks].astype(job.dtype)
    np.add(losses, job.dtype.type(0), out=losses)  # a loss of -0.0 is 0
    if job.gradient:
        slopes = type(slopes)(
            *(np.broadcast_to(part, value.shape if not together else shape).reshape(shape) for part in slopes)
        )
    shown = shown.sum(axis=1) if together else shown.reshape(-1)
    return Finished(losses, slopes if job.gradient else None, shown[:masks])


def results(job: Job, collectors: "Collectors", found: MaskSums, finished: Finished, first: int) -> "ChunkResult":
    """Return the result of masks whose losses are known; the first of them is that of sample `first`."""
    from losscli.engine.evaluate import ChunkResult, Rows

    losses, masks = finished.losses, len(finished.losses)
    records = dict(found.records)
    faults = records.get(Faults)
    if faults is not None and not faults and np.isnan(losses).any():
        records[Faults] = faults + undefined_mask(losses)
    counted = CountedRows(losses, None, None, finished.shown, None, found.ignored)
    seen = replace(job, predictions=MemorySource(job.predictions.name, np.zeros((masks, 1), job.dtype)))
    number = first * (columns_of(job) if job.masks is not None and job.masks.by_class else 1)
    batch = Batch(seen.predictions.array, finished.shown, losses, losses, None, counted, number)  # type: ignore[attr-defined]
    for one in collectors:
        if isinstance(one, BatchCollector) and not one.reads_only:
            records[one.record] = one.of(seen, batch)
    aggregate = Aggregate(records | of_chunk(collectors, seen, counted))
    rows = (Rows(np.arange(number, number + masks), finished.shown, losses, None, None),) if job.rows else ()
    return ChunkResult(aggregate, rows)


@np.errstate(all="ignore")
def mask_gradients(job: Job, slopes: Any, start: int, stop: int) -> list[Array]:
    """Return the gradients of the rows from `start` to `stop`, batch by batch, from the derivatives by the sums of masks."""
    assert job.masks is not None
    first = job.masks.samples_of(start, stop)[0]
    gradients = []
    for positions in read_positions(job, start, stop):
        samples, begins = _segments(job, positions)
        flat = positions.predictions.ndim == 1
        sample = np.repeat(np.arange(len(samples)), np.diff(begins, append=len(positions.predictions)))
        sample = sample + (samples[0] - first)
        by = type(slopes)(*(part[sample, 0] if flat else part[sample] for part in slopes))
        found = elements_of(job, positions).gradient(by).astype(job.dtype) * job.dtype.type(job.scale)
        if positions.kept is not None:
            whole = np.zeros((positions.rows, *found.shape[1:]), found.dtype)
            whole[positions.kept] = found
            found = whole
        gradients.append(found)
    return gradients
