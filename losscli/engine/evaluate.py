"""Running a loss over files: map over chunks of rows, fold the partials in order.

A chunk is what an executor gets, a block about what a core's cache holds, and a lift sees. Everything that a chunk
needs is in a Job, which can be pickled unless it reads copies on the disk; `evaluate_chunk` is a pure function of it and a range of rows.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.data.target_encoding import SUM_TOLERANCE
from losscli.definition.batch import Targets
from losscli.engine import baseline as baselines
from losscli.engine.aggregates import EXACT_LOSSES, REDUCTIONS, Faults, Partial, Reduction, divide
from losscli.engine.baseline import Answer, Baseline
from losscli.engine.collectors.calibration_bins import Bins
from losscli.engine.collectors.label_alignment import Sample
from losscli.engine.job import Batch, ChunkResult, Job, Rows, _output_factors, chunks, over_outputs
from losscli.engine.row_faults import look_for
from losscli.engine.threads import available_threads
from losscli.errors import DataError
from losscli.io.npy import StreamSource
from losscli.io.source import Window, pieces
from losscli.wording import count

if TYPE_CHECKING:
    from concurrent.futures import Executor

T = TypeVar("T")


def evaluate(
    job: Job,
    consume: Callable[[ChunkResult], None] = lambda chunk: None,
    executor: "Executor | None" = None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Partial:
    """Run a job over all rows; `consume` gets the chunks in order, and `seen` the number of rows so far."""
    bounds = chunks(job)
    tasks = ((evaluate_chunk, (_of_chunk(job, start, stop), start, stop)) for start, stop in bounds)
    total: Partial | None = None
    for (_, stop), chunk in zip(bounds, _in_order(executor, tasks), strict=True):
        total = chunk.partial if total is None else total + chunk.partial
        consume(chunk)
        seen(stop)
    return total or Partial()


def evaluate_together(
    jobs: "Sequence[Job]", executor: "Executor | None" = None, seen: Callable[[int], None] = lambda rows: None
) -> list[Partial]:
    """Run jobs of the same predictions over all rows, each chunk of which is read once for all of them."""
    bounds = chunks(jobs[0])
    tasks = ((_evaluate_each, (jobs, start, stop)) for start, stop in bounds)
    totals: list[Partial] | None = None
    for (_, stop), found in zip(bounds, _in_order(executor, tasks), strict=True):
        totals = found if totals is None else list(map(add, totals, found))
        seen(stop)
    return totals or [Partial() for _ in jobs]


def _evaluate_each(jobs: "Sequence[Job]", start: int, stop: int) -> list[Partial]:
    source = jobs[0].predictions
    window = Window(source, start, source.read(start, stop))
    return [evaluate_chunk(replace(job, predictions=window), start, stop).partial for job in jobs]


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


class _Part(NamedTuple):
    """A block's share of a chunk."""

    kept: Array | None
    """Which rows are not ignored; None where no label is."""
    targets: Array
    values: Array
    losses: Array
    weights: Array | None
    slopes: Array | None
    faults: Faults
    looks_like_probs: bool
    baseline: Baseline | None
    observed: Any
    bins: Bins | None
    sample: Sample | None


@np.errstate(all="ignore")  # inf is a legal loss; NaN is looked for
def evaluate_chunk(job: Job, start: int, stop: int) -> ChunkResult:
    """Evaluate rows start to stop: losses block by block, and what is kept of them for all together."""
    flat = len(job.targets.shape) == 1
    targets = job.targets.read(start, stop) if flat else None
    weights = None if job.weights is None else job.weights.read(start, stop)
    third_operand = None if job.third_operand is None else job.third_operand.read(start, stop)
    parts = []
    for first, given in pieces(job.predictions, start, stop, job.batch_rows):
        here = slice(first - start, first - start + len(given))
        mine = targets[here] if targets is not None else job.targets.read(first, first + len(given))
        third = None if third_operand is None else third_operand[here]
        parts.append(_part(job, first, given, mine, None if weights is None else weights[here], third))
    return _gathered(job, start, parts)


def _part(
    job: Job, start: int, given: Array, targets: Array, weights: Array | None, third_operand: Array | None
) -> _Part:
    kept = job.encoding.keep(targets)
    predictions = (given if kept is None else given[kept]).astype(job.dtype, copy=False)
    if kept is not None:
        targets, weights = targets[kept], None if weights is None else weights[kept]
    lifted = job.encoding.targets(targets)
    extras = job.extras
    if third_operand is not None:
        third_operand = third_operand if kept is None else third_operand[kept]
        extras = extras._replace(third_operand=third_operand.astype(job.dtype, copy=False))
    if extras.everyone is not None:
        rows = np.arange(start, start + len(given))
        extras = extras._replace(at=rows if kept is None else rows[kept])
    values, slopes = job.loss(predictions, lifted, extras, job.gradient)
    if (job.scale, job.shift) != (1, 0):
        values = values * job.scale + job.shift
        slopes = None if slopes is None else slopes * job.scale
    losses = over_outputs(job, values)
    each = _weights(job, targets, weights)
    if job.terms_weighted and each is not None:
        losses = losses / each
    observed = bins = None
    sample = None
    if job.observe is not None or job.calibrate or job.sampling is not None:
        row_weights = _with_outputs(job, each, len(targets))
        batch = Batch(predictions, targets, values, losses, row_weights, start, kept, extras.third_operand)
        observed = None if job.observe is None else job.observe(job, batch)
        bins = Bins.of(job, batch) if job.calibrate else None
        sample = None if job.sampling is None else Sample.of(job.sampling, batch)
    if slopes is not None:
        slopes = times(_output_factors(job).astype(slopes.dtype), slopes) if job.several else slopes
        if kept is not None:
            whole = np.zeros((len(given), *slopes.shape[1:]), slopes.dtype)
            whole[kept] = slopes
            slopes = whole
    faults = look_for(job, start, kept, predictions, targets, weights, losses, third_operand)
    if kept is None and (job.encoding.ignore is not None or job.skips_zeros):
        kept = np.ones(len(given), bool)
    if job.skips_zeros:
        there = losses != 0
        kept[np.flatnonzero(kept)[~there]] = False  # type: ignore[index, arg-type]
        targets, values, losses = targets[there], values[there], losses[there]
        each = None if each is None else each[there]
        lifted = job.encoding.targets(targets)
    return _Part(
        kept,
        targets,
        values,
        losses,
        each,
        slopes,
        faults,
        _looks_like_probs(job, predictions),
        _baseline(job, lifted, targets, each) if targets.ndim == 2 else None,
        observed,
        bins,
        sample,
    )


def _gathered(job: Job, start: int, parts: list[_Part]) -> ChunkResult:
    """What a chunk's blocks amount to."""
    losses, each = _joined([part.losses for part in parts]), _joined([part.weights for part in parts])
    kept = _joined([part.kept for part in parts])
    flat = parts[0].targets.ndim == 1
    targets: Any = _joined([part.targets for part in parts]) if flat or job.rows else None
    baseline: Any = None
    if flat:
        baseline = _baseline(job, job.encoding.targets(targets), targets, each)
    elif parts[0].baseline is not None:
        baseline = reduce(add, (part.baseline for part in parts))
    row_weights = _with_outputs(job, each, len(losses))
    partial = Partial.of(losses, row_weights, many=job.samples > EXACT_LOSSES).with_(
        ignored=0 if kept is None else len(kept) - int(np.count_nonzero(kept)),
        faults=reduce(add, (part.faults for part in parts)),
        baseline=baseline,
        looks_like_probs=all(part.looks_like_probs for part in parts),
        observed=reduce(add, (part.observed for part in parts)) if job.observe else None,
        bins=reduce(add, (part.bins for part in parts)) if job.calibrate else None,
        sample=reduce(add, (part.sample for part in parts)) if job.sampling else None,
    )
    rows: tuple[Rows, ...] = ()
    if job.rows:
        sample = np.arange(start, start + len(losses)) if kept is None else start + np.flatnonzero(kept)
        elements = _joined([part.values for part in parts]) if job.elements else None
        shown = targets if job.masks is None else row_sums(targets.astype(np.float64))
        rows = (Rows(sample, shown, losses, row_weights, elements),)
    slopes = tuple(part.slopes for part in parts if part.slopes is not None)
    if job.masks is not None and slopes:
        slopes = (job.masks.restored(np.concatenate(slopes)),)
    return ChunkResult(partial, rows, slopes)


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


def _baseline(job: Job, lifted: Targets, targets: Array, weights: Array | None) -> Baseline | None:
    if job.loss.declaration.baseline is None or job.encoding.kind == "constant":
        return None
    return baselines.of(job.loss, lifted, targets, weights, job.encoding.k)


def _looks_like_probs(job: Job, predictions: Array) -> bool:
    if job.extras.prediction_kind != "logits" or not predictions.size:
        return True
    one = predictions.reshape(-1)[0]  # which mostly tells
    if not (0 <= one <= 1 and predictions.min() >= 0 and predictions.max() <= 1):
        return False
    if predictions.ndim == 1 or job.loss.family.target_type != "classes":
        return True
    return bool((np.abs(row_sums(predictions) - 1) <= SUM_TOLERANCE).all())


def reduced(job: Job, partial: Partial, reduction: Reduction) -> tuple[float, float, float]:
    """Value, numerator and denominator."""
    numerator = partial.weighted.value
    if not partial.samples:
        raise DataError(
            f"{job.predictions.name}: no samples left"
            + (f": all {count(partial.ignored, 'row')} are ignored" if partial.ignored else ": the file has no rows")
            + "; a loss of nothing is undefined"
        )
    if reduction.denominator is None:
        return float("nan"), numerator, float("nan")
    denominator = reduction.denominator(partial)
    if not denominator:
        raise DataError(f"{job.predictions.name}: all weights are 0; the {reduction.name} of nothing is undefined")
    return numerator / denominator, numerator, denominator


def baseline(job: Job, partial: Partial, reduction: str, value: float) -> Answer | None:
    """The best constant prediction's loss under the same reduction, and the skill over it; None where there is none."""
    divisor = REDUCTIONS[reduction].denominator
    found = partial.baseline.best(job.loss, job.extras) if partial.baseline is not None else None
    if found is None or divisor is None:
        return None
    prediction, sums = found
    if job.several:
        # A row's weight already holds the mean of the outputs' weights; here the outputs are still apart.
        mean = 1.0 if job.output_weights is None else float(job.output_weights.mean())
        numerator = float(_output_factors(job) @ sums) * mean
    else:
        numerator = float(sums.sum())
    best = divide(numerator, divisor(partial))
    shown = prediction.tolist()
    skill = 1 - value / best if best > 0 and np.isfinite(best) and np.isfinite(value) else None
    single = len(job.predictions.shape) == 1
    return Answer(shown[0] if single else shown, best, skill)
