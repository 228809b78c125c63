"""Running a loss over files: the rows are cut into chunks, and the records of the chunks are added in order.

An executor gets a chunk at a time. A chunk is cut into batches of about the size of a processor core's cache, and a
lift gets one batch at a time. Everything that a chunk needs is in a Job, which can be pickled but for copies on
the disk; `evaluate_chunk` is a pure function of the job, of collectors and of a range of rows.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from itertools import chain
from operator import add
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from losscli.arrays import Array, times
from losscli.definition.batch import Extras, Targets, Values
from losscli.engine.batch import Batch, CountedRows
from losscli.engine.collector import Aggregate, Collector, merged, of_batch, of_chunk
from losscli.engine.existence import Existing, existing, filled, of_anchors
from losscli.engine.job import Job, Shares, chunks, output_factors, over_outputs, shares
from losscli.engine.lists import of_lists
from losscli.engine.threads import available_threads
from losscli.engine.units import OF_FILE, PositionCount, UnitSums, closed, runs, unit_sums
from losscli.io.npy import StreamSource
from losscli.io.positions import turn_back
from losscli.io.source import Derived, Source, Window, pieces
from losscli.io.turned import Turned
from losscli.records import NamedTuple, replace

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from losscli.engine.cluster import Cluster
    from losscli.engine.parts import Part

T = TypeVar("T")

Collectors = Sequence[Collector]


NO_ROWS = CountedRows(np.zeros(0), None, None, None, None, 0)
"""No rows that count: what is kept of the positions of units, besides their sums."""


class Rows(NamedTuple):
    """Per-unit results; units that were ignored are left out."""

    sample: Array
    """The numbers of the units."""
    target: Array | None
    """None for units of several positions, which have no target together."""
    loss: Array
    weight: Array | None
    elements: Array | None
    span: tuple[int, int] = (0, 0)
    """The first unit of the chunk, and the unit after its last; units between them that are not here are ignored."""


class ChunkResult(NamedTuple):
    """The result of a chunk: its records and, if the job asks for them, its per-sample results and gradients."""

    aggregate: Aggregate
    rows: tuple[Rows, ...] = ()
    gradient: tuple[Array, ...] = ()
    written: int = 0
    """Number of rows whose gradients are in the output file already, where a worker has written them."""


class Pass(NamedTuple):
    """A job, and the collectors of what is to be kept of its rows."""

    job: Job
    collectors: Collectors


def evaluate(
    job: Job,
    collectors: Collectors,
    consume: Callable[[ChunkResult], None] = lambda chunk: None,
    executor: "Executor | Cluster | None" = None,
    seen: Callable[[int], None] = lambda rows: None,
    part: "Part | None" = None,
) -> Aggregate:
    """Run a job over all rows and return the sum of the records.

    Parameters
    ----------
    consume
        called with the result of each chunk, in order.
    executor
        runs the chunks; None to run them one after another.
    seen
        called with the number of rows done so far.
    part
        the part of the pass to make; its sum lacks what is known only of all rows, which `completed` adds. None for all.
    """
    if job.masks is not None and not job.within_samples:
        from losscli.engine.mask_sums import evaluate_masks
        from losscli.engine.whole_file import evaluate_held, is_held

        if is_held(job):
            return evaluate_held(job, collectors, consume, seen)
        return evaluate_masks(job, collectors, consume, _in_order, executor, seen)
    if job.gradient and job.unit in OF_FILE:
        sums = evaluate(replace(job, gradient=False, rows=False, elements=False), (), executor=executor)
        job = replace(job, totals=sums.get(UnitSums))
    bounds = chunks(job) if part is None else part.chunks(chunks(job))
    total: Aggregate | None = None
    large = job.gradient or job.rows
    found = _in_order(executor, evaluate_chunk, lambda *rows: (_of_chunk(job, *rows), collectors), bounds, large)
    for (_, stop), chunk in zip(bounds, found, strict=True):
        total = chunk.aggregate if total is None else total + chunk.aggregate
        consume(chunk)
        seen(stop)
    if part is not None:
        return total or Aggregate()
    return completed(job, collectors, total or Aggregate(), consume)


def completed(
    job: Job,
    collectors: Collectors,
    total: Aggregate,
    consume: Callable[[ChunkResult], None] = lambda chunk: None,
) -> Aggregate:
    """Return the aggregate of all rows with the records of units to which rows of all chunks belong."""
    sums = total.get(UnitSums)
    if job.unit not in OF_FILE or sums is None:
        return total
    counted, numbers = closed(job, sums)
    records = dict(total.records) | of_chunk(collectors, job, counted)
    if job.rows:
        span = (0, job.units)
        consume(ChunkResult(Aggregate(), (Rows(numbers, None, counted.losses, counted.row_weights, None, span),)))
    return Aggregate(records)


def evaluate_together(
    passes: Sequence[Pass],
    executor: "Executor | Cluster | None" = None,
    seen: Callable[[int], None] = lambda rows: None,
    consume: Callable[[int, ChunkResult], None] = lambda number, chunk: None,
) -> list[Aggregate]:
    """Run several jobs over the same predictions; each chunk of these is read once for all jobs. One sum of records per job.

    `consume` is called with the number of a job and the result of a chunk, in order of the chunks.
    """
    bounds = chunks(passes[0].job)
    large = any(one.job.rows for one in passes)
    totals: list[Aggregate] | None = None
    results = _in_order(executor, _evaluate_each, lambda *rows: (passes,), bounds, large)
    for (_, stop), each in zip(bounds, results, strict=True):
        aggregates = [chunk.aggregate for chunk in each]
        totals = aggregates if totals is None else list(map(add, totals, aggregates))
        for number, chunk in enumerate(each):
            consume(number, chunk)
        seen(stop)
    found = totals or [Aggregate() for _ in passes]
    return [
        completed(*one, aggregate, partial(consume, number))
        for number, (one, aggregate) in enumerate(zip(passes, found, strict=True))
    ]


def _evaluate_each(passes: Sequence[Pass], start: int, stop: int) -> list[ChunkResult]:
    """Return the result of one chunk for each job."""
    source = passes[0].job.predictions
    window = Window(source, start, source.read(start, stop))
    return [evaluate_chunk(replace(job, predictions=window), collectors, start, stop) for job, collectors in passes]


def _in_order(
    executor: Any,
    function: Callable[..., T],
    arguments: Callable[[int, int], tuple[Any, ...]],
    bounds: Sequence[tuple[int, int]],
    large: bool = False,
) -> "Iterator[T]":
    """Yield the result of `function(*arguments(start, stop), start, stop)` for each chunk, in their order.

    A limited number of chunks is computed ahead. `large` says whether results are not much smaller than what is read.
    """
    if executor is None:
        yield from (function(*arguments(start, stop), start, stop) for start, stop in bounds)
        return
    of_cluster: Any = getattr(executor, "in_order", None)
    if of_cluster is not None:
        yield from of_cluster(function, arguments, bounds, large)
        return
    # One task for every worker, and one more to begin with as soon as the first is done.
    ahead = getattr(executor, "_max_workers", available_threads()) + 1
    pending: deque[Any] = deque()
    try:
        for start, stop in bounds:
            pending.append(executor.submit(function, *arguments(start, stop), start, stop))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def _of_chunk(job: Job, start: int, stop: int) -> Job:
    """Return the job of a chunk. The rows of a stream are taken here, since they must be taken in their order."""
    source = _taken(job.predictions, start, stop)
    return job if source is job.predictions else replace(job, predictions=source)


def _taken(source: Source, start: int, stop: int) -> Source:
    """Return a source whose rows are there: itself, unless it is a stream, or made of one."""
    if isinstance(source, StreamSource):
        return source.take(start, stop)
    if isinstance(source, Derived):
        of = _taken(source.of, start, stop)
        return source if of is source.of else replace(source, of=of)
    return source


class _Outcome(NamedTuple):
    """The part of a batch that is kept until its chunk is done, for per-sample output, gradients and sums."""

    kept: Array | None
    """Booleans that say which rows count; None if all do."""
    counted: CountedRows
    values: Array | None
    """The losses of each output, if they are asked for."""
    gradient: Array | None
    sums: UnitSums | None = None
    """Sums over the rows' units, if units have several positions."""


@np.errstate(all="ignore")  # inf is a legal loss, and NaN is searched for
def evaluate_chunk(job: Job, collectors: Collectors, start: int, stop: int) -> ChunkResult:
    """Evaluate the rows from `start` to `stop` batch by batch, and return their result."""
    if job.masks is not None:
        from losscli.engine.mask_sums import evaluate_samples
        from losscli.engine.whole_file import evaluate_held_rows, is_held

        return (evaluate_held_rows if is_held(job) else evaluate_samples)(job, collectors, start, stop)
    targets = job.targets.read(start, stop) if _read_by_chunk(job, job.targets) else None
    beside = Beside.of(job, start, stop)
    records: dict[type, Any] = {}
    outcomes: list[_Outcome] = []
    room = _room_of_chunk(job, start, stop)
    step = job.batch_rows
    read = (pieces(job.predictions, low, high, step) for low, high in runs(job, start, stop, step))
    for first, predictions in chain.from_iterable(read):
        rows_of_batch = slice(first - start, first - start + len(predictions))
        batch, outcome = _evaluate_batch(
            job,
            first,
            predictions,
            job.targets.read(first, first + len(predictions)) if targets is None else targets[rows_of_batch],
            beside.of_batch(job, first, rows_of_batch),
            None if room is None else room[rows_of_batch],
        )
        if job.room is not None and room is None and outcome.gradient is not None:
            turn_back(outcome.gradient, job.room, first)
            outcome = outcome._replace(gradient=None)
        records = merged(records, of_batch(collectors, job, batch))
        outcomes.append(outcome)
    return _gathered(job, collectors, records, start, outcomes, room)


def _room_of_chunk(job: Job, start: int, stop: int) -> Array | None:
    """Return memory for the gradients of a chunk's rows, if these are kept as one array, or turned back sample by sample; else None."""
    if job.room is not None:
        return job.room[start:stop] if job.room.ndim == len(job.predictions.shape) else None
    rows = stop - start
    if not job.gradient or job.unit != "row" or job.extras.whole is not None:
        return None
    if job.layout is None and not isinstance(job.predictions, Turned):
        return None
    return np.empty((rows, *job.predictions.shape[1:]), job.dtype)


def _evaluate_batch(
    job: Job, first: int, read: Array, targets: Array, beside: "Beside", room: Array | None = None
) -> tuple[Batch, _Outcome]:
    """Return the batch of some rows and its outcome; the first of them is row `first` of the file.

    `room` is memory for the gradients of these rows, which are then there.
    """
    rows = len(read)
    exists = of_anchors(job, first, rows, existing(job, targets, beside.mask))
    kept = exists.rows
    predictions = _kept_only(read, kept).astype(job.dtype, copy=False)
    targets, weights = _kept_only(targets, kept), _kept_only(beside.weights, kept)
    if exists.elements is not None:
        predictions, targets = filled(job, predictions, targets, exists.elements)
    parts = shares(job, exists.elements, _kept_only(beside.element_weights, kept)) if job.by_elements else None
    decoded = job.encoding.targets(targets)
    extras = _extras(job, first, rows, exists, beside.third_operand)
    extras = extras._replace(room=room) if room is not None and kept is None else extras
    values, slopes = _computed(job, predictions, decoded, extras, exists.elements)
    losses = over_outputs(job, values, parts)
    each = _weights(job, targets, weights)
    counting = losses != 0 if job.convention.skips_zeros else None
    counts = _counts(job, rows, kept, counting)
    ignored = 0 if counts is None else len(counts) - int(np.count_nonzero(counts))
    row_weights = _with_outputs(job, each, len(losses), parts)
    if counting is None:
        counted = CountedRows(losses, each, row_weights, _shown(targets, exists.elements), decoded, ignored)
    else:
        counted = _counted(job, losses[counting], _kept_only(each, counting), targets[counting], ignored)
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
        present=exists.elements,
        sample_weights=weights if beside.element_weights is None else _kept_only(beside.element_weights, kept),
    )
    elements = _elements(values, exists.elements, counting) if job.elements else None
    if job.unit == "row":
        gradient = None if slopes is None else _placed(_of_outputs(job, slopes, parts), kept, rows)
        if room is not None and gradient is not None and gradient is not room:
            room[...] = gradient
            gradient = room
        return batch, _Outcome(counts, counted, elements, gradient)
    values, each = _positions_of_units(job, values, counted, parts)
    sums = unit_sums(job, first, kept, rows, values, each)
    gradient = None if slopes is None else _placed(_weighed(job, slopes, each, parts), kept, rows)
    return batch, _Outcome(None, NO_ROWS, None, gradient, sums)  # the sums are all that is kept of positions


def _computed(job: Job, predictions: Array, targets: Targets, extras: Extras, present: Array | None) -> Values:
    """Return the losses of rows, and their gradients if these are asked for; `present` says which elements exist."""
    convention = job.convention
    if convention.formula is not None:
        return _of_library(job, predictions, targets, extras), None
    if present is not None and job.loss.family.lists:
        values, slopes = of_lists(job.loss, predictions, targets, extras, present, job.gradient)
    else:
        values, slopes = job.loss(predictions, targets, extras, job.gradient)
    if convention.scale != 1:
        values = values * convention.scale
    return values, slopes


def _of_library(job: Job, predictions: Array, targets: Targets, extras: Extras) -> Array:
    """Return the losses of rows by a library's own formula."""
    convention = job.convention
    assert convention.formula is not None
    with np.errstate(all="ignore"):
        values = convention.formula(predictions, targets, extras, job.loss.parameters)
    if convention.scale != 1:
        values = values * convention.scale
    values = np.asarray(values).astype(predictions.dtype, copy=False)
    return values + predictions.dtype.type(0)  # a loss of -0.0 is 0


def _shown(targets: Array, present: Array | None) -> Array:
    """Return targets as output shows them: NaN where an output does not exist."""
    return np.where(present, targets, np.nan) if present is not None and targets.ndim == 2 else targets


def _positions_of_units(
    job: Job, values: Array, counted: CountedRows, parts: Shares | None
) -> tuple[Array, Array | None]:
    """Return the losses of the positions that make units, and their weights: one per row or, for units of outputs, one per output."""
    if "class" not in job.unit:
        return counted.losses, counted.row_weights
    # An output's own weight is that of the unit.
    each = None if parts is None else parts.elements
    if counted.weights is not None:
        each = counted.weights[:, None] * (np.ones(values.shape) if each is None else each)
    return values, each


def _weighed(job: Job, slopes: Array, each: Array | None, parts: Shares | None) -> Array:
    """Return the gradients of positions times their weights in a unit."""
    slopes = slopes if "class" in job.unit else _of_outputs(job, slopes, parts)
    if each is None:
        return slopes
    return times((each if each.ndim == slopes.ndim else each[:, None]).astype(slopes.dtype), slopes)


class Beside(NamedTuple):
    """What is read beside predictions and targets, for the same rows; None for what there is not."""

    weights: Array | None
    element_weights: Array | None
    mask: Array | None
    third_operand: Array | None

    @classmethod
    def of(cls, job: Job, start: int, stop: int) -> "Beside":
        """Read what has one number per row, for the rows of a chunk."""
        sources = (job.weights, None, job.mask, job.third_operand)
        return cls(
            *(
                source.read(start, stop) if source is not None and _read_by_chunk(job, source) else None
                for source in sources
            )
        )

    def of_batch(self, job: Job, first: int, rows: slice) -> "Beside":
        """Return that of the rows of one batch, which begin with row `first` of the file; what has more numbers is read now."""
        number = rows.stop - rows.start
        sources = (job.weights, job.element_weights, job.mask, job.third_operand)
        parts = (
            None if source is None else source.read(first, first + number) if part is None else part[rows]
            for source, part in zip(sources, self, strict=True)
        )
        return Beside(*parts)


def _read_by_chunk(job: Job, source: Source) -> bool:
    """Whether a source that is read beside the predictions is read for a whole chunk at once.

    That takes fewer steps, where it is little: a number per row. A chunk of positions may be one sample, however large.
    """
    return job.layout is None and (len(source.shape) == 1 or source is job.third_operand)


def _elements(values: Array, present: Array | None, counting: Array | None) -> Array:
    """Return the losses of outputs; NaN for those that do not exist."""
    shown = values if present is None else np.where(present, values, np.nan)
    return shown if counting is None else shown[counting]


def _kept_only(values: Any, kept: Array | None) -> Any:
    """Return the rows of an array for which `kept` is true, or all if it is None; None if there is no array."""
    return values if values is None or kept is None else values[kept]


def _extras(job: Job, first: int, rows: int, exists: Existing, third_operand: Array | None) -> Extras:
    """Return what the loss gets besides predictions and targets, for those of the rows from `first` on that exist."""
    extras, kept = job.extras, exists.rows
    if third_operand is not None:
        beside = _kept_only(third_operand, kept).astype(job.dtype, copy=False)
        if exists.elements is not None:  # what stands where nothing exists may be anything
            beside = np.where(exists.elements, beside, job.dtype.type(1))
        extras = extras._replace(third_operand=beside)
    if extras.everyone is not None:
        extras = extras._replace(at=_kept_only(np.arange(first, first + rows), kept))
    return extras


def _counts(job: Job, rows: int, kept: Array | None, counting: Array | None) -> Array | None:
    """Return which of the rows that were read count, shape (rows,); None if no row can be left out.

    `kept` says which rows are not ignored, and `counting` which of the kept rows count; None for all.
    """
    if counting is not None:
        counts = np.ones(rows, bool) if kept is None else kept.copy()
        counts[np.flatnonzero(counts)[~counting]] = False
        return counts
    everyone = job.extras.everyone
    without = everyone is not None and everyone.anchors is not None
    may_ignore = job.encoding.ignore is not None or job.mask is not None or job.missing or without
    return np.ones(rows, bool) if kept is None and may_ignore else kept


def _counted(job: Job, losses: Array, each: Array | None, targets: Array, ignored: int) -> CountedRows:
    row_weights = _with_outputs(job, each, len(losses))
    return CountedRows(losses, each, row_weights, targets, job.encoding.targets(targets), ignored)


def _of_outputs(job: Job, slopes: Array, parts: Shares | None) -> Array:
    """Return the gradients of the losses of rows, from those of their outputs."""
    if not job.several:
        return slopes
    factors = output_factors(job) if parts is None else parts.factors
    return times(factors.astype(slopes.dtype), slopes)


def _placed(slopes: Array, kept: Array | None, rows: int) -> Array:
    """Return the gradients of rows in the shape of the rows that were read, with 0 in rows that are ignored."""
    if kept is None:
        return slopes
    whole = np.zeros((rows, *slopes.shape[1:]), slopes.dtype)
    whole[kept] = slopes
    return whole


def _gathered(
    job: Job,
    collectors: Collectors,
    records: dict[type, Any],
    start: int,
    outcomes: list[_Outcome],
    room: Array | None = None,
) -> ChunkResult:
    """Return the result of a chunk, from the outcomes of its batches; `room` holds its gradients, if there is such memory."""
    if job.unit != "row":
        return _gathered_units(job, collectors, records, start, outcomes)
    losses = _joined([outcome.counted.losses for outcome in outcomes])
    each = _joined([outcome.counted.weights for outcome in outcomes])
    flat = len(job.targets.shape) == 1
    targets: Any = _joined([outcome.counted.targets for outcome in outcomes]) if flat or job.rows else None
    row_weights = _joined([outcome.counted.row_weights for outcome in outcomes])
    ignored = sum(outcome.counted.ignored for outcome in outcomes)
    kept = _joined([outcome.kept for outcome in outcomes])
    counted = CountedRows(
        losses, each, row_weights, targets, None, ignored, partial(_numbers, start, len(losses), kept)
    )
    aggregate = Aggregate(records | of_chunk(collectors, job, counted))
    rows = (_rows_of_chunk(start, counted, kept, outcomes),) if job.rows else ()
    return ChunkResult(aggregate, rows, _slopes_of_chunk(job, outcomes) if room is None else (room,))


def _numbers(start: int, rows: int, kept: Array | None) -> Array:
    """Return the numbers of the rows of a chunk that count, the first row of which is row `start` of the file."""
    return np.arange(start, start + rows) if kept is None else start + np.flatnonzero(kept)


def _slopes_of_chunk(job: Job, outcomes: list[_Outcome]) -> tuple[Array, ...]:
    """Return the gradients of a chunk's rows, as one array if the loss is one of the whole file."""
    slopes = tuple(outcome.gradient for outcome in outcomes if outcome.gradient is not None)
    if slopes and job.extras.whole is not None:
        return (job.extras.whole.restored(np.concatenate(slopes)),)
    return slopes


def _gathered_units(
    job: Job, collectors: Collectors, records: dict[type, Any], start: int, outcomes: list[_Outcome]
) -> ChunkResult:
    """Return the result of a chunk whose rows are positions of units; the first of them is row `start`."""
    sums = reduce(add, [outcome.sums for outcome in outcomes if outcome.sums is not None])
    records = records | {PositionCount: sums.positions}
    slopes = tuple(_slopes_of_units(job, job.totals or sums, start, outcomes))
    if slopes:
        slopes = (np.concatenate(slopes),)
    if job.unit in OF_FILE:
        return ChunkResult(Aggregate(records | {UnitSums: sums}), (), slopes)
    counted, numbers = closed(job, sums)
    samples, outputs = sums.weight.shape
    if job.layout is None:
        counted.first_rows = numbers // outputs
    else:
        counted.first_rows = job.layout.first_rows_of(numbers // outputs)
    aggregate = Aggregate(records | of_chunk(collectors, job, counted))
    span = (sums.first * outputs, (sums.first + samples) * outputs)
    rows = (Rows(numbers, None, counted.losses, counted.row_weights, None, span),) if job.rows else ()
    return ChunkResult(aggregate, rows, slopes)


def _slopes_of_units(job: Job, sums: UnitSums, row: int, outcomes: list[_Outcome]) -> Iterator[Array]:
    """Yield the gradients of the losses of units, made from those of their positions, which begin with `row`."""
    for outcome in outcomes:
        slopes = outcome.gradient
        if slopes is None:
            return
        if job.over_positions == "mean":
            total = sums.weight
            if job.unit not in OF_FILE:
                first, cuts = job.cut(row, row + len(slopes))
                lengths = np.diff(cuts, append=len(slopes))
                total = np.repeat(total[first - sums.first : first - sums.first + len(cuts)], lengths, axis=0)
            share = np.divide(1.0, total, out=np.zeros(total.shape), where=total > 0).astype(slopes.dtype)
            slopes = (share if slopes.ndim == 2 else share[:, 0]) * slopes
        row += len(slopes)
        yield slopes


def _rows_of_chunk(start: int, counted: CountedRows, kept: Array | None, outcomes: list[_Outcome]) -> Rows:
    """Return the per-sample results of a chunk, which begins with row `start` of the file; `kept` says which of its rows count."""
    elements = _joined([outcome.values for outcome in outcomes])
    targets: Any = counted.targets
    stop = start + (len(counted.losses) if kept is None else len(kept))
    assert counted.first_rows is not None
    return Rows(counted.first_rows, targets, counted.losses, counted.row_weights, elements, (start, stop))


def _joined(parts: list[Any]) -> Any:
    """Return the parts as one array, or None if they are None."""
    return parts[0] if len(parts) == 1 or parts[0] is None else np.concatenate(parts)


def _weights(job: Job, targets: Array, weights: Array | None) -> Array | None:
    """Return sample weight times class weight, shape (n,), or None if there is neither."""
    product = None if weights is None else weights.astype(np.float64)
    if job.class_weights is not None:
        by_class = job.encoding.class_weights(targets, job.class_weights)
        product = by_class if product is None else product * by_class
    return product


def _with_outputs(job: Job, weights: Array | None, rows: int, parts: Shares | None = None) -> Array | None:
    """Return the weights of rows, multiplied by the mean of the outputs' weights if there are any."""
    if parts is not None:
        return parts.weights if weights is None else weights * parts.weights
    if job.output_weights is None:
        return weights
    mean = float(job.output_weights.mean())
    return np.full(rows, mean) if weights is None else weights * mean
