"""Running a loss over files: map over chunks of rows, fold the partials in order.

A chunk is what an executor gets, a block about what a core's cache holds, and a lift sees. Everything that a chunk
needs is in a Job, which can be pickled unless it reads copies on the disk; `evaluate_chunk` is a pure function of it and a range of rows.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import pairwise
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from losscli import baseline as baselines
from losscli.alignment import Sample
from losscli.baseline import Answer, Baseline
from losscli.calibration import Bins
from losscli.core import NON_NEGATIVE, Array, BoundLoss, Dense, Domains, Extras, Indices, Targets
from losscli.errors import DataError, count
from losscli.faults import look_for
from losscli.forms import SUM_TOLERANCE, Form
from losscli.io.sources import Source, StreamSource, Window, pieces
from losscli.io.tables import TableSource
from losscli.losses.chances import times
from losscli.losses.softmax import row_sums
from losscli.reduce import EXACT_LOSSES, REDUCTIONS, Faults, Partial, Reduction, Total, divide

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from losscli.alignment import Sampling
    from losscli.coupling import Masks

T = TypeVar("T")

CHUNK_BYTES = 16 << 20
CHUNK_ROWS = 1 << 17
BLOCK_BYTES = 2 << 20
"""Of predictions. A lift over classes has one temporary array of that size; for less, threads take turns too often."""
ELEMENTWISE = 4
"""An elementwise lift has several temporaries, and blocks smaller by this factor."""
IN_FLIGHT = 192 << 20
"""Bytes of chunks that may be under way at once, however many threads there are."""


@dataclass(frozen=True)
class Job:
    """All that one run depends on."""

    loss: BoundLoss
    predictions: Source
    targets: Source
    form: Form
    dtype: np.dtype[Any]
    extras: Extras = field(default_factory=Extras)
    weights: Source | None = None
    class_weights: Array | None = None
    """A weight a class, which makes a weight a row."""
    output_weights: Array | None = None
    """A weight an output, which makes the mean over outputs a weighted one."""
    over_outputs: str = "mean"
    rows: bool = False
    elements: bool = False
    gradient: bool = False
    observe: "Observer | None" = None
    beside: Source | None = None
    """The rows of a third operand."""
    skips_zeros: bool = False
    """Whether rows whose loss is 0 do not exist, as in a library."""
    scale: float = 1.0
    shift: float = 0.0
    """What a library multiplies losses by, and adds to them."""
    calibrate: bool = False
    """Whether calibration errors are kept."""
    sampling: "Sampling | None" = None
    """Which rows are kept, to see whether labels belong to their predictions."""
    terms_weighted: bool = False
    """Whether class weights are within the losses already, so that rows are weighed by them for the denominator only."""
    masks: "Masks | None" = None
    """How the rows were made, where they are masks of a file that has other rows."""

    @property
    def samples(self) -> int:
        return self.predictions.shape[0]

    @property
    def several(self) -> bool:
        """Whether a sample has several outputs, each with a loss of its own."""
        return self.loss.loss.family.several_outputs and len(self.predictions.shape) == 2

    @property
    def domains(self) -> Domains:
        """Which predictions and targets are none."""
        found = self.loss.loss.domains(self.loss.parameters)
        distances = self.loss.loss.family.beside == "other" and self.beside is None
        return found._replace(predictions=NON_NEGATIVE) if distances else found

    @property
    def size(self) -> int:
        """Bytes of all predictions, as they are computed with."""
        return self.samples * self.row_bytes

    @property
    def row_bytes(self) -> int:
        return max(1, int(np.prod(self.predictions.shape[1:], dtype=np.int64)) * self.dtype.itemsize)

    @property
    def block_rows(self) -> int:
        return _block_rows(self.loss, self.row_bytes)


class Block(NamedTuple):
    """What is known of a block of rows: what was read, without the rows that are ignored, and what came of it."""

    predictions: Array
    targets: Array
    values: Array
    """Losses of the family's own shape: (n,), or (n, k) with each output's."""
    losses: Array
    weights: Array | None
    first: int = 0
    """The row of the file with which the block begins."""
    kept: Array | None = None
    """Which of the rows from there on these are; None for all."""
    beside: Array | None = None
    """The rows of the third operand."""

    @property
    def rows(self) -> Array:
        """Which rows of the file they are."""
        return self.first + (np.arange(len(self.targets)) if self.kept is None else np.flatnonzero(self.kept))


Observer = Callable[[Job, Block], Any]
"""Keeps something of a block besides the losses: a mergeable record, which ends up in `Partial.observed`."""


class Rows(NamedTuple):
    """Per-sample results of a run of rows; rows that were ignored are absent."""

    sample: Array
    target: Array
    loss: Array
    weight: Array | None
    elements: Array | None


class Chunk(NamedTuple):
    """What a chunk of rows leaves behind."""

    partial: Partial
    rows: tuple[Rows, ...] = ()
    gradient: tuple[Array, ...] = ()


def compute_dtype(predictions: np.dtype[Any], beside: np.dtype[Any] | None = None) -> np.dtype[Any]:
    """float16 is computed in float32, float32 in float32, float64 and integers in float64.

    `beside` is the dtype of what predictions are subtracted from, residual targets or centers: a difference of two
    like numbers is no better than the coarser of them, so both count.
    """

    def base(dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype(np.float64 if dtype.kind != "f" or dtype.itemsize > 4 else np.float32)

    own = base(predictions)
    return own if beside is None else base(np.result_type(own, beside))


def available_threads() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def evaluate(
    job: Job,
    consume: Callable[[Chunk], None] = lambda chunk: None,
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


def read_alike(one: Job, other: Job) -> bool:
    """Whether two jobs can be run together: their predictions are the same rows of the same file, cut alike."""
    mine, theirs = one.predictions, other.predictions
    same = mine is theirs or (isinstance(mine, TableSource) and isinstance(theirs, TableSource) and mine.same(theirs))
    return same and one.masks is None and other.masks is None and chunks(one) == chunks(other)


def chunks(job: Job) -> list[tuple[int, int]]:
    """Where a job is cut, which depends on nothing but the job: first and last row of each chunk."""
    if job.masks is not None:
        return [(0, job.samples)]  # they are in memory, and their gradient is put back together
    cuts = job.predictions.cuts
    if cuts is None:
        step = min(max(CHUNK_BYTES // job.row_bytes, job.predictions.grain), CHUNK_ROWS)
        cuts = [*range(0, job.samples, max(1, step)), job.samples]
    return [(int(start), int(stop)) for start, stop in pairwise(cuts) if start < stop]


def threads_for(job: Job, threads: int) -> int:
    """How many of so many threads have work to do, and room for it."""
    bounds = chunks(job)
    largest = max((stop - start for start, stop in bounds), default=1) * (job.row_bytes + 64)
    return max(1, min(threads, len(bounds), IN_FLIGHT // largest))


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
def evaluate_chunk(job: Job, start: int, stop: int) -> Chunk:
    """Evaluate rows start to stop: losses block by block, and what is kept of them for all together."""
    flat = len(job.targets.shape) == 1
    targets = job.targets.read(start, stop) if flat else None
    weights = None if job.weights is None else job.weights.read(start, stop)
    beside = None if job.beside is None else job.beside.read(start, stop)
    parts = []
    for first, given in pieces(job.predictions, start, stop, job.block_rows):
        here = slice(first - start, first - start + len(given))
        mine = targets[here] if targets is not None else job.targets.read(first, first + len(given))
        third = None if beside is None else beside[here]
        parts.append(_part(job, first, given, mine, None if weights is None else weights[here], third))
    return _gathered(job, start, parts)


def _part(job: Job, start: int, given: Array, targets: Array, weights: Array | None, beside: Array | None) -> _Part:
    kept = job.form.keep(targets)
    predictions = (given if kept is None else given[kept]).astype(job.dtype, copy=False)
    if kept is not None:
        targets, weights = targets[kept], None if weights is None else weights[kept]
    lifted = job.form.targets(targets)
    extras = job.extras
    if beside is not None:
        beside = beside if kept is None else beside[kept]
        extras = extras._replace(beside=beside.astype(job.dtype, copy=False))
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
        block = Block(predictions, targets, values, losses, row_weights, start, kept, extras.beside)
        observed = None if job.observe is None else job.observe(job, block)
        bins = Bins.of(job, block) if job.calibrate else None
        sample = None if job.sampling is None else Sample.of(job.sampling, block)
    if slopes is not None:
        slopes = times(_output_factors(job).astype(slopes.dtype), slopes) if job.several else slopes
        if kept is not None:
            whole = np.zeros((len(given), *slopes.shape[1:]), slopes.dtype)
            whole[kept] = slopes
            slopes = whole
    faults = look_for(job, start, kept, predictions, targets, weights, losses, beside)
    if kept is None and (job.form.ignore is not None or job.skips_zeros):
        kept = np.ones(len(given), bool)
    if job.skips_zeros:
        there = losses != 0
        kept[np.flatnonzero(kept)[~there]] = False  # type: ignore[index, arg-type]
        targets, values, losses = targets[there], values[there], losses[there]
        each = None if each is None else each[there]
        lifted = job.form.targets(targets)
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


def _gathered(job: Job, start: int, parts: list[_Part]) -> Chunk:
    """What a chunk's blocks amount to."""
    losses, each = _joined([part.losses for part in parts]), _joined([part.weights for part in parts])
    kept = _joined([part.kept for part in parts])
    flat = parts[0].targets.ndim == 1
    targets: Any = _joined([part.targets for part in parts]) if flat or job.rows else None
    baseline: Any = None
    if flat:
        baseline = _baseline(job, job.form.targets(targets), targets, each)
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
    return Chunk(partial, rows, slopes)


def _joined(parts: list[Any]) -> Any:
    """The parts as one array, or None where they are None."""
    return parts[0] if len(parts) == 1 or parts[0] is None else np.concatenate(parts)


def _block_rows(loss: BoundLoss, row_bytes: int) -> int:
    size = BLOCK_BYTES // ELEMENTWISE if loss.loss.family.several_outputs else BLOCK_BYTES
    return max(1, size // row_bytes)


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
    several = loss.loss.family.several_outputs
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
    n, rows = len(predictions), _block_rows(loss, max(1, predictions[:1].nbytes))
    step = rows * max(1, CHUNK_BYTES // BLOCK_BYTES)
    starts = range(0, n, step)

    def chunk(start: int) -> "list[T]":
        stop = min(start + step, n)
        return [work(slice(low, min(low + rows, stop))) for low in range(start, stop, rows)]

    with pool(min(threads or available_threads(), len(starts))) as executor:
        parts = map(chunk, starts) if executor is None else executor.map(chunk, starts)
        return [found for part in parts for found in part]


@contextmanager
def pool(workers: int) -> "Iterator[Executor | None]":
    """An executor of so many threads, for as long as it is needed; None where one thread does."""
    if workers <= 1:
        yield None
        return
    with executor_of(workers) as executor:
        yield executor


def executor_of(workers: int) -> "Executor":
    """A pool of threads; imported only where there is more than one, for it takes longer than a small computation."""
    from concurrent.futures import ThreadPoolExecutor

    _keep_freed_memory()
    return ThreadPoolExecutor(workers)


def _keep_freed_memory() -> None:
    # glibc gives the memory of every block's temporaries back to the system, and gets it again, page by page, for the
    # next block: that costs a fifth of the time for few classes. Kept, it is no more than is in use at the peak.
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        trim_threshold, mmap_threshold = -1, -3
        mallopt(trim_threshold, 256 << 20)
        mallopt(mmap_threshold, 32 << 20)


def _cut(targets: Targets, here: slice) -> Targets:
    if isinstance(targets, Indices):
        return Indices(targets.index[here], targets.on, targets.off)
    return Dense(targets.t[here], None if targets.other is None else targets.other[here])


def _of_rows(extras: Extras, here: slice) -> Extras:
    """The extras of some rows: of what there is a row for each prediction, theirs."""
    if extras.beside is None and extras.at is None:
        return extras
    beside, at = (None if rows is None else rows[here] for rows in (extras.beside, extras.at))
    return extras._replace(beside=beside, at=at)


def _output_factors(job: Job) -> Array:
    """What each output's loss counts for in its sample's loss."""
    k = job.predictions.shape[1]
    v = np.ones(k) if job.output_weights is None else job.output_weights
    return v / (v.sum() if job.over_outputs == "mean" else v.mean())


def over_outputs(job: Job, values: Array) -> Array:
    """The loss of each row, shape (n,), from those of its outputs."""
    if not job.several:
        return values
    factors = _output_factors(job)
    if job.output_weights is None:
        return row_sums(values) * factors[0] if job.over_outputs == "sum" else row_sums(values) / len(factors)
    return row_sums(times(factors, values))


def _weights(job: Job, targets: Array, weights: Array | None) -> Array | None:
    """Sample weight times class weight, or None where there is neither."""
    found = None if weights is None else weights.astype(np.float64)
    if job.class_weights is not None:
        by_class = job.form.class_weights(targets, job.class_weights)
        found = by_class if found is None else found * by_class
    return found


def _with_outputs(job: Job, weights: Array | None, rows: int) -> Array | None:
    """A row counts for the mean of its outputs' weights too."""
    if job.output_weights is None:
        return weights
    mean = float(job.output_weights.mean())
    return np.full(rows, mean) if weights is None else weights * mean


def _baseline(job: Job, lifted: Targets, targets: Array, weights: Array | None) -> Baseline | None:
    if job.loss.loss.baseline is None or job.form.kind == "constant":
        return None
    return baselines.of(job.loss, lifted, targets, weights, job.form.k)


def _looks_like_probs(job: Job, predictions: Array) -> bool:
    if job.extras.given != "logits" or not predictions.size:
        return True
    one = predictions.reshape(-1)[0]  # which mostly tells
    if not (0 <= one <= 1 and predictions.min() >= 0 and predictions.max() <= 1):
        return False
    if predictions.ndim == 1 or job.loss.loss.family.reads != "classes":
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
