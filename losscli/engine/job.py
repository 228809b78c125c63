"""A job: everything that one pass over the rows depends on, and how it is cut into chunks and batches."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.data.target_encoding import TargetEncoding
from losscli.definition.batch import Extras
from losscli.definition.convention import NONE, Convention
from losscli.definition.domain import NON_NEGATIVE, Domains
from losscli.definition.loss import BoundLoss
from losscli.engine.masks import Masks
from losscli.io.positions import Layout, Positions
from losscli.io.row_lists import Lists
from losscli.io.source import Source
from losscli.io.table import TableSource
from losscli.records import NamedTuple, dataclass, field

if TYPE_CHECKING:
    from losscli.engine.units import UnitSums

CHUNK_BYTES = 16 << 20
CHUNK_ROWS = 1 << 18
BATCH_BYTES = 2 << 20
"""Bytes of predictions in a batch. A lift over classes has one temporary array of this size; with less, threads
wait for each other too often: Python's lock changes hands with each pass over a batch.
"""
ELEMENTWISE = 2
"""An elementwise lift has several temporary arrays; its batches are smaller by this factor."""
IN_FLIGHT = 192 << 20
"""Bytes of chunks that may be computed at the same time, however many threads there are."""


@dataclass(frozen=True)
class Job:
    """Everything that one pass depends on."""

    loss: BoundLoss
    predictions: Source
    targets: Source
    encoding: TargetEncoding
    dtype: np.dtype[Any]
    extras: Extras = field(default_factory=Extras)
    weights: Source | None = None
    class_weights: Array | None = None
    """One weight per class, shape (k,), which makes a row weigh as much as its class."""
    output_weights: Array | None = None
    """One weight per output, shape (k,), which makes the mean over outputs a weighted mean."""
    over_outputs: str = "mean"
    element_weights: Source | None = None
    """One weight per output of each row, shape (n, k)."""
    mask: Source | None = None
    """What exists: 0 for what does not, shape (n,), or (n, k) for single outputs; None for everything."""
    missing: bool = False
    """Whether targets of several outputs that are NaN, or the label to ignore, do not exist."""
    layout: Layout | None = None
    """Which sample each row belongs to, if rows are positions of samples."""
    unit: str = "row"
    """What has one loss: a 'row', or the positions of a 'sample', a 'class', a 'sample,class', or the 'file' together."""
    over_positions: str = "mean"
    unit_weights: Source | None = None
    """One weight per sample, shape (samples,), if samples are units."""
    rows_alike: bool = False
    """Whether a row weighs 1, however many of its outputs exist and whatever these weigh."""
    totals: "UnitSums | None" = None
    """The sums over units to which rows of all chunks belong, if gradients need them: from a pass of their own."""
    weighed_by_positions: bool = False
    """Whether a unit weighs as much as its positions together."""
    samples_together: bool = False
    """Whether a chunk holds whole samples, as intervals need it, which resample them."""
    rows: bool = False
    elements: bool = False
    gradient: bool = False
    room: Array | None = None
    """Memory for the gradients of all rows, if they shall be there, which the threads of one process share: in the shape of the
    predictions or, for positions whose classes come before them in the file, in that of `Grid.blocks`.
    """
    third_operand: Source | None = None
    """The rows of a third operand; None if there is none."""
    convention: Convention = NONE
    """What a library does otherwise."""
    terms_weighted: bool = False
    """Whether the losses contain the weights already, which are then used for the denominator only."""
    masks: Masks | None = None
    """What is one mask, if masks go through several rows."""
    class_factors: Array | None = None
    """One factor per class of an overlap loss, shape (k,); None for 1 each."""
    counted_classes: Array | None = None
    """Which classes count in an overlap loss, shape (k,); None for all."""

    @property
    def samples(self) -> int:
        return self.predictions.shape[0]

    @property
    def whole_samples(self) -> int:
        """Number of samples of the file, each of which may have several rows, one for each of its positions."""
        return self.samples if self.layout is None else self.layout.samples

    @property
    def units(self) -> int:
        """Number of units, those that are ignored included."""
        samples = self.whole_samples
        outputs = self.predictions.shape[1] if len(self.predictions.shape) == 2 else 1
        return {"row": self.samples, "sample": samples, "class": outputs, "file": 1}.get(self.unit, samples * outputs)

    @property
    def within_samples(self) -> bool:
        """Whether units have several rows, all of one sample, so that whole samples are read together."""
        kind = self.unit if self.masks is None else self.masks.kind
        return kind in ("sample", "sample,class")

    @property
    def by_elements(self) -> bool:
        """Whether outputs of a row exist or weigh differently from row to row."""
        missing = self.missing and len(self.targets.shape) == 2
        return self.several and (self.masks_elements or missing or self.element_weights is not None)

    @property
    def lists(self) -> Lists | None:
        """The lists whose items are the rows; None if rows are no items of lists."""
        return self.layout if isinstance(self.layout, Lists) else None

    @property
    def masks_elements(self) -> bool:
        """Whether the mask says which elements of a row exist, and not which rows."""
        return self.mask is not None and len(self.mask.shape) == 2 and self.loss.family.masks_elements

    @property
    def of_rows(self) -> bool:
        """Whether units are rows of the file, and not masks or all rows together."""
        return self.masks is None and self.extras.whole is None

    @property
    def weighed(self) -> bool:
        """Whether units may have weights other than 1."""
        given = (self.weights, self.class_weights, self.output_weights, self.element_weights, self.unit_weights)
        if self.class_factors is not None and self.masks is not None and self.masks.by_class:
            return True
        return any(weights is not None for weights in given) or self.by_elements or self.weighed_by_positions

    def cut(self, start: int, stop: int) -> tuple[int, Array]:
        """Return the sample of row `start`, and where samples begin among the rows from start to stop."""
        if self.layout is None:
            return start, np.arange(stop - start)
        return self.layout.cut(start, stop)

    @property
    def several(self) -> bool:
        """Whether a sample has several outputs, each with a loss of its own."""
        return self.loss.family.several_outputs and len(self.predictions.shape) == 2

    @property
    def domains(self) -> Domains:
        """The sets of numbers that are allowed as predictions and as targets."""
        domains, taken = self.loss.declaration.domains(self.loss.parameters), self.convention.taken
        if taken.predictions is not None or taken.targets is not None:
            return Domains(taken.predictions or domains.predictions, taken.targets or domains.targets)
        distances = self.loss.family.third_operand == "other" and self.third_operand is None
        return domains._replace(predictions=NON_NEGATIVE) if distances else domains

    @property
    def size(self) -> int:
        """Bytes of all predictions, in the dtype of the computation."""
        return self.samples * self.row_bytes

    @property
    def row_bytes(self) -> int:
        """Bytes of the predictions of a row, in the dtype of the computation."""
        return max(1, int(np.prod(self.predictions.shape[1:], dtype=np.int64)) * self.dtype.itemsize)

    @property
    def batch_rows(self) -> int:
        """Number of rows in a batch."""
        return rows_of_batch(self.loss, self.row_bytes)


def compute_dtype(predictions: np.dtype[Any], third_operand: np.dtype[Any] | None = None) -> np.dtype[Any]:
    """Return the dtype of the computation: float32 for float16 and float32, float64 for float64 and integers.

    `third_operand` is the dtype of numbers that are subtracted from predictions, such as targets of residual losses, or
    centers: a difference is only as precise as the coarser of the two, thus both count.
    """

    def base(dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype(np.float64 if dtype.kind != "f" or dtype.itemsize > 4 else np.float32)

    own = base(predictions)
    return own if third_operand is None else base(np.result_type(own, third_operand))


def read_alike(one: Job, other: Job) -> bool:
    """Whether two jobs can be run together: their predictions are the same rows of the same file, cut at
    the same rows.
    """
    first, second = one.predictions, other.predictions
    same = first is second or (
        isinstance(first, TableSource) and isinstance(second, TableSource) and first.same(second)
    )
    if isinstance(first, Positions) and isinstance(second, Positions):
        same = first.of is second.of and first.grid == second.grid
    return same and one.masks is None and other.masks is None and chunks(one) == chunks(other)


def chunks(job: Job) -> list[tuple[int, int]]:
    """Return the first row of each chunk, and the row after its last. They depend on nothing but the job."""
    cuts = job.predictions.cuts
    if job.layout is not None and (job.gradient or job.rows or job.within_samples or job.samples_together):
        cuts = job.layout.whole(min(CHUNK_BYTES // job.row_bytes, CHUNK_ROWS))
    if cuts is None:
        step = min(max(CHUNK_BYTES // job.row_bytes, job.predictions.grain), CHUNK_ROWS)
        cuts = [*range(0, job.samples, max(1, step)), job.samples]
    return [(int(start), int(stop)) for start, stop in pairwise(cuts) if start < stop]


def threads_for(job: Job, threads: int) -> int:
    """Return how many of `threads` threads have work to do, and memory for it."""
    bounds = chunks(job)
    # Positions of large samples are read batch by batch; what is kept of a row takes some 64 bytes, and its gradient as many as it has.
    read_whole = job.layout is None or job.gradient or job.predictions.grain > 1
    largest = max((stop - start for start, stop in bounds), default=1) * (64 + (job.row_bytes if read_whole else 0))
    return max(1, min(threads, len(bounds), IN_FLIGHT // largest))


def rows_of_batch(loss: BoundLoss, row_bytes: int) -> int:
    """Return the number of rows in a batch, from the bytes of a row."""
    size = BATCH_BYTES // ELEMENTWISE if loss.family.several_outputs else BATCH_BYTES
    return max(1, size // row_bytes)


def output_factors(job: Job) -> Array:
    """Return the factor of each output's loss in the loss of its sample, shape (k,)."""
    k = job.predictions.shape[1]
    v = np.ones(k) if job.output_weights is None else job.output_weights
    return v / (v.sum() if job.over_outputs == "mean" else v.mean())


class Shares(NamedTuple):
    """How the losses of a row's outputs make its loss, where outputs exist or weigh differently from row to row.

    `factors`, shape (n, k), multiply the losses of the outputs, and `weights`, shape (n,), are the weights of the rows in
    a mean; `elements`, shape (n, k), are the weights of single outputs without those that an output has in all rows.
    """

    factors: Array
    weights: Array
    elements: Array


def shares(job: Job, present: Array | None, weights: Array | None) -> Shares:
    """Return the shares of the outputs of some rows.

    Parameters
    ----------
    present
        which outputs exist, shape (n, k); None for all.
    weights
        the weights of the outputs, shape (n, k); None for 1 each.
    """
    v = np.ones(job.predictions.shape[1]) if job.output_weights is None else job.output_weights
    own = np.ones(v.shape) if weights is None else weights.astype(np.float64)
    elements = own if present is None else np.where(present, own, 0.0)
    held, there = np.broadcast_to(v * own, elements.shape), v * elements
    base = there if job.over_outputs == "mean" else held
    total = base.sum(axis=1)
    scale = total if job.over_outputs == "mean" else total / base.shape[1]
    with np.errstate(all="ignore"):
        factors = np.where(scale[:, None] > 0, there / scale[:, None], 0.0)
    weights_of_rows = (total > 0).astype(np.float64) if job.rows_alike else total / base.shape[1]
    return Shares(factors, weights_of_rows, elements)


def over_outputs(job: Job, values: Array, parts: "Shares | None" = None) -> Array:
    """Return the loss of each row, shape (n,), from the losses of its outputs."""
    if not job.several:
        return values
    losses = _over_outputs(job, values, parts)
    if job.convention != NONE or np.isfinite(losses).all():
        return losses
    # The sum of finite losses may leave the range of their dtype, where their mean does not.
    large = ~np.isfinite(losses) & np.isfinite(values).all(axis=1)
    if large.any():
        some = None if parts is None else parts._replace(factors=parts.factors[large])
        with np.errstate(over="ignore"):
            losses[large] = _over_outputs(job, values[large].astype(np.longdouble), some)
    return losses


def _over_outputs(job: Job, values: Array, parts: "Shares | None") -> Array:
    multiply = np.multiply if job.convention.plain_products else times
    if parts is not None:
        return row_sums(multiply(parts.factors, values))
    factors = output_factors(job)
    if job.output_weights is None:
        return row_sums(values) * factors[0] if job.over_outputs == "sum" else row_sums(values) / len(factors)
    return row_sums(multiply(factors, values))
