"""Running a loss over files: map over chunks of rows, fold the partials in order.

A chunk is what an executor gets, a block about what a core's cache holds, and a lift sees. Everything that a chunk
needs is in a Job, which can be pickled; `evaluate_chunk` is a pure function of it and a range of rows.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import reduce
from itertools import repeat
from typing import Any

import numpy as np

from losscli import baseline as baselines
from losscli.baseline import Answer, Baseline
from losscli.core import Array, BoundLoss, Extras, Targets
from losscli.errors import DataError, count
from losscli.faults import look_for
from losscli.forms import SUM_TOLERANCE, Form
from losscli.io.sources import Source
from losscli.losses.chances import times
from losscli.losses.softmax import row_sums
from losscli.reduce import REDUCTIONS, Partial, Reduction, divide

CHUNK_BYTES = 16 << 20
BLOCK_BYTES = 512 << 10


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

    @property
    def samples(self) -> int:
        return self.predictions.shape[0]

    @property
    def several(self) -> bool:
        """Whether a sample has several outputs, each with a loss of its own."""
        return self.loss.loss.family.several_outputs and len(self.predictions.shape) == 2

    def row_bytes(self) -> int:
        return int(np.prod(self.predictions.shape[1:], dtype=np.int64)) * self.dtype.itemsize


@dataclass(frozen=True)
class Block:
    """What is known of a block of rows: what was read, without the rows that are ignored, and what came of it."""

    predictions: Array
    targets: Array
    values: Array
    """Losses of the family's own shape: (n,), or (n, k) with each output's."""
    losses: Array
    weights: Array | None


Observer = Callable[[Job, Block], Any]
"""Keeps something of a block besides the losses: a mergeable record, which ends up in `Partial.observed`."""


@dataclass(frozen=True)
class Rows:
    """Per-sample results of a run of rows; rows that were ignored are absent."""

    sample: Array
    target: Array
    loss: Array
    weight: Array | None
    elements: Array | None


@dataclass(frozen=True)
class Chunk:
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


def evaluate(job: Job, consume: Callable[[Chunk], None], executor: Executor | None = None) -> Partial:
    """Run a job over all rows; `consume` gets the chunks in order."""
    step = max(1, CHUNK_BYTES // max(1, job.row_bytes()))
    starts = range(0, job.samples, step)
    stops = [min(start + step, job.samples) for start in starts]
    mapped: Iterator[Chunk] = (executor.map if executor else map)(evaluate_chunk, repeat(job), starts, stops)
    total: Partial | None = None
    for chunk in mapped:
        total = chunk.partial if total is None else total + chunk.partial
        consume(chunk)
    return total or Partial()


@np.errstate(all="ignore")  # inf is a legal loss; NaN is looked for
def evaluate_chunk(job: Job, start: int, stop: int) -> Chunk:
    """Evaluate rows start to stop, block by block."""
    step = max(1, BLOCK_BYTES // max(1, job.row_bytes()))
    predictions, targets = job.predictions.read(start, stop), job.targets.read(start, stop)
    weights = None if job.weights is None else job.weights.read(start, stop)
    blocks = [
        _block(
            job,
            start + low,
            predictions[low : low + step],
            targets[low : low + step],
            None if weights is None else weights[low : low + step],
        )
        for low in range(0, stop - start, step)
    ]
    return Chunk(
        reduce(lambda left, right: left + right, (block.partial for block in blocks)),
        tuple(rows for block in blocks for rows in block.rows),
        tuple(part for block in blocks for part in block.gradient),
    )


def _block(job: Job, start: int, given: Array, targets: Array, weights: Array | None) -> Chunk:
    kept = job.form.keep(targets)
    ignored = 0
    sample = np.arange(start, start + len(given))
    if kept is not None:
        ignored = len(given) - int(np.count_nonzero(kept))
        sample = sample[kept]
    predictions = (given if kept is None else given[kept]).astype(job.dtype, copy=False)
    if kept is not None:
        targets, weights = targets[kept], None if weights is None else weights[kept]
    lifted = job.form.targets(targets)
    values, slopes = job.loss(predictions, lifted, job.extras, job.gradient)
    losses = _over_outputs(job, values)
    each = _weights(job, targets, weights)
    row_weights = _with_outputs(job, each, len(targets))
    faults = look_for(job, sample, predictions, targets, weights, losses)
    partial = Partial.of(losses, row_weights).with_(
        ignored=ignored,
        faults=faults,
        baseline=_baseline(job, lifted, targets, each),
        looks_like_probs=_looks_like_probs(job, predictions),
        observed=job.observe and job.observe(job, Block(predictions, targets, values, losses, row_weights)),
    )
    rows: tuple[Rows, ...] = ()
    if job.rows:
        rows = (Rows(sample, targets, losses, row_weights, values if job.elements else None),)
    if slopes is None:
        return Chunk(partial, rows)
    slopes = times(_output_factors(job).astype(slopes.dtype), slopes) if job.several else slopes
    if kept is not None:
        whole = np.zeros((len(given), *slopes.shape[1:]), slopes.dtype)
        whole[kept] = slopes
        slopes = whole
    return Chunk(partial, rows, (slopes,))


def _output_factors(job: Job) -> Array:
    """What each output's loss counts for in its sample's loss."""
    k = job.predictions.shape[1]
    v = np.ones(k) if job.output_weights is None else job.output_weights
    return v / (v.sum() if job.over_outputs == "mean" else v.mean())


def _over_outputs(job: Job, values: Array) -> Array:
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
    each = np.ones(len(targets)) if weights is None else weights
    return baselines.of(job.loss, lifted, targets, each, job.form.k)


def _looks_like_probs(job: Job, predictions: Array) -> bool:
    if job.extras.given != "logits" or not len(predictions):
        return True
    if not ((predictions >= 0) & (predictions <= 1)).all():
        return False
    if predictions.ndim == 1 or job.several:
        return True
    return bool((np.abs(predictions.sum(axis=1, dtype=np.float64) - 1) <= SUM_TOLERANCE).all())


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
