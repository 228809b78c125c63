"""Running a loss over files: map over chunks of rows, fold what is kept of them in order.

A chunk is what an executor gets, a batch about what a core's cache holds, and a lift sees. Everything that a chunk
needs is in a Job, which can be pickled unless it reads copies on the disk; `evaluate_chunk` is a pure function of it,
of collectors and of a range of rows.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.engine.batch import Batch, CountedRows
from losscli.engine.collector import Aggregate, Collector, added, of_batch, of_chunk
from losscli.engine.job import Job, chunks, output_factors, over_outputs
from losscli.engine.threads import available_threads
from losscli.io.npy import StreamSource
from losscli.io.source import Window, pieces

if TYPE_CHECKING:
    from concurrent.futures import Executor

T = TypeVar("T")

Collectors = Sequence[Collector]


class Rows(NamedTuple):
    """Per-sample results of a run of rows; rows that were ignored are absent."""

    sample: Array
    target: Array
    loss: Array
    weight: Array | None
    elements: Array | None


class ChunkResult(NamedTuple):
    """What a chunk of rows leaves behind."""

    aggregate: Aggregate
    rows: tuple[Rows, ...] = ()
    gradient: tuple[Array, ...] = ()


class Pass(NamedTuple):
    """A job, and what is to be kept of its rows."""

    job: Job
    collectors: Collectors


def evaluate(
    job: Job,
    collectors: Collectors,
    consume: Callable[[ChunkResult], None] = lambda chunk: None,
    executor: "Executor | None" = None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Aggregate:
    """Run a job over all rows; `consume` gets the chunks in order, and `seen` the number of rows so far."""
    bounds = chunks(job)
    tasks = ((evaluate_chunk, (_of_chunk(job, start, stop), collectors, start, stop)) for start, stop in bounds)
    total: Aggregate | None = None
    for (_, stop), chunk in zip(bounds, _in_order(executor, tasks), strict=True):
        total = chunk.aggregate if total is None else total + chunk.aggregate
        consume(chunk)
        seen(stop)
    return total or Aggregate()


def evaluate_together(
    passes: Sequence[Pass], executor: "Executor | None" = None, seen: Callable[[int], None] = lambda rows: None
) -> list[Aggregate]:
    """Run jobs of the same predictions over all rows, each chunk of which is read once for all of them."""
    bounds = chunks(passes[0].job)
    tasks = ((_evaluate_each, (passes, start, stop)) for start, stop in bounds)
    totals: list[Aggregate] | None = None
    for (_, stop), found in zip(bounds, _in_order(executor, tasks), strict=True):
        totals = found if totals is None else list(map(add, totals, found))
        seen(stop)
    return totals or [Aggregate() for _ in passes]


def _evaluate_each(passes: Sequence[Pass], start: int, stop: int) -> list[Aggregate]:
    source = passes[0].job.predictions
    window = Window(source, start, source.read(start, stop))
    return [
        evaluate_chunk(replace(job, predictions=window), collectors, start, stop).aggregate
        for job, collectors in passes
    ]


def _in_order(
    executor: "Executor | None", tasks: "Iterator[tuple[Callable[..., T], tuple[Any, ...]]]"
) -> "Iterator[T]":
    """What comes of tasks, in their order, a bounded number of them computed ahead."""
    if executor is None:
        yield from (function(*words) for function, words in tasks)
        return
    # One for every worker, and one to begin with when the first is done.
    ahead = getattr(executor, "_max_workers", available_threads()) + 1
    pending: deque[Any] = deque()
    try:
        for function, words in tasks:
            pending.append(executor.submit(function, *words))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def _of_chunk(job: Job, start: int, stop: int) -> Job:
    """The job of a chunk: rows of a stream are taken here, in their order."""
    source = job.predictions
    return replace(job, predictions=source.take(start, stop)) if isinstance(source, StreamSource) else job


class _Outcome(NamedTuple):
    """What is left of a batch once its collectors have seen it: what per-sample output, gradients and sums are made of."""

    kept: Array | None
    """Which rows count; None where all do."""
    counted: CountedRows
    values: Array | None
    """Each output's losses, where they are asked for."""
    gradient: Array | None


@np.errstate(all="ignore")  # inf is a legal loss; NaN is looked for
def evaluate_chunk(job: Job, collectors: Collectors, start: int, stop: int) -> ChunkResult:
    """Evaluate rows start to stop: losses batch by batch, and what is kept of them for all together."""
    flat = len(job.targets.shape) == 1
    targets = job.targets.read(start, stop) if flat else None
    weights = None if job.weights is None else job.weights.read(start, stop)
    third_operand = None if job.third_operand is None else job.third_operand.read(start, stop)
    records: dict[type, Any] = {}
    outcomes: list[_Outcome] = []
    for first, predictions in pieces(job.predictions, start, stop, job.batch_rows):
        here = slice(first - start, first - start + len(predictions))
        batch, outcome = _evaluate_batch(
            job,
            first,
            predictions,
            job.targets.read(first, first + len(predictions)) if targets is None else targets[here],
            None if weights is None else weights[here],
            None if third_operand is None else third_operand[here],
        )
        found = of_batch(collectors, job, batch)
        records = found if not outcomes else {kind: added(records[kind], one) for kind, one in found.items()}
        outcomes.append(outcome)
    return _gathered(job, collectors, records, start, outcomes)


def _evaluate_batch(
    job: Job, first: int, read: Array, targets: Array, weights: Array | None, third_operand: Array | None
) -> tuple[Batch, _Outcome]:
    """The losses of some rows, the first of which is row `first`, and what else came of them."""
    rows = len(read)
    kept = job.encoding.keep(targets)
    predictions = (read if kept is None else read[kept]).astype(job.dtype, copy=False)
    if kept is not None:
        targets, weights = targets[kept], None if weights is None else weights[kept]
    decoded = job.encoding.targets(targets)
    extras = job.extras
    if third_operand is not None:
        third_operand = third_operand if kept is None else third_operand[kept]
        extras = extras._replace(third_operand=third_operand.astype(job.dtype, copy=False))
    if extras.everyone is not None:
        at = np.arange(first, first + rows)
        extras = extras._replace(at=at if kept is None else at[kept])
    values, slopes = job.loss(predictions, decoded, extras, job.gradient)
    if (job.scale, job.shift) != (1, 0):
        values = values * job.scale + job.shift
        slopes = None if slopes is None else slopes * job.scale
    losses = over_outputs(job, values)
    each = _weights(job, targets, weights)
    if job.terms_weighted and each is not None:
        losses = losses / each
    counts, there = kept, None
    if job.skips_zeros:
        there = losses != 0
        counts = np.ones(rows, bool) if kept is None else kept.copy()
        counts[np.flatnonzero(counts)[~there]] = False
    elif kept is None and job.encoding.ignore is not None:
        counts = np.ones(rows, bool)
    ignored = 0 if counts is None else len(counts) - int(np.count_nonzero(counts))
    row_weights = _with_outputs(job, each, len(losses))
    if there is None:
        counted = CountedRows(losses, each, row_weights, targets, decoded, ignored)
    else:
        counted = _counted(job, losses[there], None if each is None else each[there], targets[there], ignored)
    batch = Batch(
        predictions=predictions,
        targets=targets,
        values=values,
        losses=losses,
        weights=row_weights,
        counted=counted,
        first=first,
        kept=kept,
        third_operand=extras.third_operand,
        sample_weights=weights,
    )
    elements = (values if there is None else values[there]) if job.elements else None
    return batch, _Outcome(counts, counted, elements, None if slopes is None else _placed(job, slopes, kept, rows))


def _counted(job: Job, losses: Array, each: Array | None, targets: Array, ignored: int) -> CountedRows:
    row_weights = _with_outputs(job, each, len(losses))
    return CountedRows(losses, each, row_weights, targets, job.encoding.targets(targets), ignored)


def _placed(job: Job, slopes: Array, kept: Array | None, rows: int) -> Array:
    """Gradients of the losses of rows, 0 in rows that are ignored."""
    slopes = times(output_factors(job).astype(slopes.dtype), slopes) if job.several else slopes
    if kept is None:
        return slopes
    whole = np.zeros((rows, *slopes.shape[1:]), slopes.dtype)
    whole[kept] = slopes
    return whole


def _gathered(
    job: Job, collectors: Collectors, records: dict[type, Any], start: int, outcomes: list[_Outcome]
) -> ChunkResult:
    """What the batches of a chunk amount to."""
    losses = _joined([one.counted.losses for one in outcomes])
    each = _joined([one.counted.weights for one in outcomes])
    kept = _joined([one.kept for one in outcomes])
    flat = len(job.targets.shape) == 1
    targets: Any = _joined([one.counted.targets for one in outcomes]) if flat or job.rows else None
    row_weights = _with_outputs(job, each, len(losses))
    ignored = sum(one.counted.ignored for one in outcomes)
    counted = CountedRows(losses, each, row_weights, targets, None, ignored)
    aggregate = Aggregate(records | of_chunk(collectors, job, counted))
    rows: tuple[Rows, ...] = ()
    if job.rows:
        sample = np.arange(start, start + len(losses)) if kept is None else start + np.flatnonzero(kept)
        elements = _joined([one.values for one in outcomes])
        shown = targets if job.masks is None else row_sums(targets.astype(np.float64))
        rows = (Rows(sample, shown, losses, row_weights, elements),)
    slopes = tuple(one.gradient for one in outcomes if one.gradient is not None)
    if job.masks is not None and slopes:
        slopes = (job.masks.restored(np.concatenate(slopes)),)
    return ChunkResult(aggregate, rows, slopes)


def _joined(parts: list[Any]) -> Any:
    """The parts as one array, or None where they are None."""
    return parts[0] if len(parts) == 1 or parts[0] is None else np.concatenate(parts)


def _weights(job: Job, targets: Array, weights: Array | None) -> Array | None:
    """Sample weight times class weight, or None where there is neither."""
    found = None if weights is None else weights.astype(np.float64)
    if job.class_weights is not None:
        by_class = job.encoding.class_weights(targets, job.class_weights)
        found = by_class if found is None else found * by_class
    return found


def _with_outputs(job: Job, weights: Array | None, rows: int) -> Array | None:
    """A row counts for the mean of its outputs' weights too."""
    if job.output_weights is None:
        return weights
    mean = float(job.output_weights.mean())
    return np.full(rows, mean) if weights is None else weights * mean
