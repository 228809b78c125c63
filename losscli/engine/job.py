"""A job: all that one pass over the rows depends on, and where it is cut into chunks and batches."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.data.target_encoding import TargetEncoding
from losscli.definition.batch import Extras
from losscli.definition.domain import NON_NEGATIVE, Domains
from losscli.definition.loss import BoundLoss
from losscli.engine.masks import Masks
from losscli.io.source import Source
from losscli.io.table import TableSource

CHUNK_BYTES = 16 << 20
CHUNK_ROWS = 1 << 17
BATCH_BYTES = 2 << 20
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
    encoding: TargetEncoding
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
    third_operand: Source | None = None
    """The rows of a third operand."""
    skips_zeros: bool = False
    """Whether rows whose loss is 0 do not exist, as in a library."""
    scale: float = 1.0
    shift: float = 0.0
    """What a library multiplies losses by, and adds to them."""
    terms_weighted: bool = False
    """Whether class weights are within the losses already, so that rows are weighed by them for the denominator only."""
    masks: Masks | None = None
    """How the rows were made, where they are masks of a file that has other rows."""

    @property
    def samples(self) -> int:
        return self.predictions.shape[0]

    @property
    def several(self) -> bool:
        """Whether a sample has several outputs, each with a loss of its own."""
        return self.loss.family.several_outputs and len(self.predictions.shape) == 2

    @property
    def domains(self) -> Domains:
        """Which predictions and targets are none."""
        found = self.loss.declaration.domains(self.loss.parameters)
        distances = self.loss.family.third_operand == "other" and self.third_operand is None
        return found._replace(predictions=NON_NEGATIVE) if distances else found

    @property
    def size(self) -> int:
        """Bytes of all predictions, as they are computed with."""
        return self.samples * self.row_bytes

    @property
    def row_bytes(self) -> int:
        return max(1, int(np.prod(self.predictions.shape[1:], dtype=np.int64)) * self.dtype.itemsize)

    @property
    def batch_rows(self) -> int:
        return rows_of_batch(self.loss, self.row_bytes)


def compute_dtype(predictions: np.dtype[Any], third_operand: np.dtype[Any] | None = None) -> np.dtype[Any]:
    """float16 is computed in float32, float32 in float32, float64 and integers in float64.

    `third_operand` is the dtype of what predictions are subtracted from, residual targets or centers: a difference of two
    like numbers is no better than the coarser of them, so both count.
    """

    def base(dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype(np.float64 if dtype.kind != "f" or dtype.itemsize > 4 else np.float32)

    own = base(predictions)
    return own if third_operand is None else base(np.result_type(own, third_operand))


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


def rows_of_batch(loss: BoundLoss, row_bytes: int) -> int:
    size = BATCH_BYTES // ELEMENTWISE if loss.family.several_outputs else BATCH_BYTES
    return max(1, size // row_bytes)


def output_factors(job: Job) -> Array:
    """What each output's loss counts for in its sample's loss."""
    k = job.predictions.shape[1]
    v = np.ones(k) if job.output_weights is None else job.output_weights
    return v / (v.sum() if job.over_outputs == "mean" else v.mean())


def over_outputs(job: Job, values: Array) -> Array:
    """The loss of each row, shape (n,), from those of its outputs."""
    if not job.several:
        return values
    factors = output_factors(job)
    if job.output_weights is None:
        return row_sums(values) * factors[0] if job.over_outputs == "sum" else row_sums(values) / len(factors)
    return row_sums(times(factors, values))
