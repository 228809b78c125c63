"""One calculation: from what was asked for to a job that can run, and from its partial to a result.

This is what every command that computes losses of files calls; it knows nothing of the command line.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.data.target_encoding import DecodedTargets, Smoothing, TargetEncoding
from losscli.definition.request import Request
from losscli.engine.aggregates import PERCENTILES, REDUCTIONS, SKETCH_ERROR, Partial, divide
from losscli.engine.collectors.calibration_bins import DESCRIBED, MOST_ELEMENTS, applies
from losscli.engine.collectors.label_alignment import Sampling, compared, suspicions
from losscli.engine.evaluate import baseline, evaluate, reduced
from losscli.engine.job import CHUNK_ROWS, ChunkResult, Job, Observer, threads_for
from losscli.engine.row_faults import findings, raise_faults
from losscli.engine.threads import available_threads, pool
from losscli.engine.whole_file import masks, positives
from losscli.errors import UsageError
from losscli.findings import Finding, warned
from losscli.io.bytes import Raw
from losscli.io.source import MemorySource, Reordered
from losscli.measurement.class_labels import group_names
from losscli.measurement.receipt import receipt, signature
from losscli.measurement.result import Result

if TYPE_CHECKING:
    from losscli.io.join import Selection
    from losscli.io.text import IdColumn, TextColumn


@dataclass
class Measurement:
    """A job with the names of its rows and classes, and what to tell the user about it."""

    request: Request
    job: Job
    decoded: DecodedTargets
    ids: "IdColumn | None"
    notes: list[str]
    given_shape: tuple[int, ...]
    """The predictions' shape in their file; a gradient has it, whatever was squeezed."""
    files: frozenset[str]
    """Real paths of all files that are read: no output may replace them."""
    raws: list[Raw]
    """The bytes that are read, to be looked at again when all was read."""
    opened: Job
    """The job of the files as they are, before smoothing, masks and a library's conventions."""
    selection: "Selection | None" = None
    """The rows of the predictions' file that are not left out, where some are."""
    findings: list[Finding] = field(default_factory=list)
    """What is suspicious about the files, which the notes have in words."""
    groups: "TextColumn | None" = None
    """The words by which rows are grouped, where a column of them was named."""
    receipt: dict[str, Any] = field(default_factory=dict)

    def original(self, rows: Array) -> Array:
        """Which rows of the predictions' file some are; they ascend."""
        if self.selection is None or not len(rows):
            return rows
        first = int(rows[0])
        return self.selection.rows.read(first, int(rows[-1]) + 1)[rows - first]

    def located(self, row: int) -> int:
        """Which row of the calculation a row of the predictions' file is, which is not left out."""
        return (
            row
            if self.selection is None
            else bisect_left(range(self.selection.height), row, key=self.selection.original)
        )

    @property
    def given_columns(self) -> tuple[str, ...] | None:
        """Names of the predictions' columns in the order of their file."""
        source = self.job.predictions
        return source.of.columns if isinstance(source, Reordered) else source.columns

    def restored(self, slopes: Array, first: int) -> Iterator[Array]:
        """Gradients of the rows from `first` on in the shape and order of the predictions' file, with 0 for what was left out.

        What was left out before these rows comes with them, and what was behind the last one.
        """
        shape = self.given_shape[1:]
        source = self.job.predictions
        if isinstance(source, Reordered):
            slopes = slopes[:, np.argsort(source.order)]
        shaped = slopes.reshape(len(slopes), *shape)
        if self.selection is None or not len(slopes):
            yield shaped
            return
        rows = self.selection.rows
        before = int(rows.read(first - 1, first)[0]) + 1 if first else 0
        last = len(slopes) + first == rows.shape[0]
        mine = rows.read(first, first + len(slopes))
        stop = self.given_shape[0] if last else int(mine[-1]) + 1 if len(mine) else before
        for start in range(before, stop, CHUNK_ROWS):
            end = min(start + CHUNK_ROWS, stop)
            low, high = np.searchsorted(mine, (start, end))
            whole = np.zeros((end - start, *shape), slopes.dtype)
            whole[mine[low:high] - start] = shaped[low:high]
            yield whole

    def settled(self, request: Request) -> "Measurement":
        """The calculation of the same files under other parameters, another reduction, smoothing or convention.

        Raises
        ------
        UsageError
            for options that do not go together.
        """
        notes = list(self.notes)
        family, convention, opened = request.loss.family, request.convention, self.opened
        form = replace(opened.encoding, sign_convention=convention.labels)
        if request.label_smoothing:
            form = replace(form, smoothing=_smooth(request, form, notes))
        small = int(np.prod(opened.predictions.shape, dtype=np.int64)) <= MOST_ELEMENTS
        job = replace(
            opened,
            calibrate=applies(opened) and opened.samples > 0 and (small or request.calibration),
            sampling=Sampling.of(opened),
            loss=request.loss,
            encoding=form,
            over_outputs=request.over_outputs,
            extras=opened.extras._replace(clip=convention.clip),
            scale=convention.scale,
            skips_zeros=convention.skips_zeros,
            shift=convention.shift,
        )
        if convention.pairs:
            job = replace(job, weights=MemorySource("positives", positives(job)))
        if convention.class_terms:
            job = _by_terms(job)
        if family.coupled in ("masks", "file"):
            job = masks(request.loss.declaration, request.per, job)
        made = replace(self, request=request, job=job, notes=notes, findings=list(self.findings))
        dropped = None if self.selection is None else self.given_shape[0] - self.selection.height
        made.receipt = receipt(request, job, self.decoded, dropped)
        return made

    def run(
        self,
        consume: Callable[[ChunkResult], None] = lambda chunk: None,
        threads: int | None = None,
        seen: Callable[[int], None] = lambda rows: None,
    ) -> Result:
        """Evaluate all rows; `consume` gets the chunks in order, and `seen` the number of rows so far.

        Parameters
        ----------
        threads
            how many; None for as many as there are cores that this process may use. The result is the same.

        Raises
        ------
        DataError
            for rows without a loss, such as those with a NaN prediction, after all rows were looked at.
        """
        return self.finished(self.collect(consume, threads, seen))

    def finished(self, partial: Partial) -> Result:
        """The result of a pass; it raises as `run` does."""
        raise_faults(self.job, partial.faults)
        dropped = 0 if self.job.masks is None else self.job.masks.dropped
        if self.request.ignore_index is not None and not partial.ignored + dropped:
            self.notes.append(f"--ignore-index {self.request.ignore_index}: no row has this label")
        found = self.suspicions(partial)
        self.findings += found
        self.notes += warned(found)
        return self._result(partial)

    def pass_over(
        self,
        consume: Callable[[ChunkResult], None] = lambda chunk: None,
        threads: int | None = None,
        seen: Callable[[int], None] = lambda rows: None,
    ) -> Partial:
        """The pass over all rows that `run` makes a result of; it raises as `run` does."""
        partial = self.collect(consume, threads, seen)
        raise_faults(self.job, partial.faults)
        return partial

    def collect(
        self,
        consume: Callable[[ChunkResult], None] = lambda chunk: None,
        threads: int | None = None,
        seen: Callable[[int], None] = lambda rows: None,
    ) -> Partial:
        """The same pass, which leaves it to others what to do about rows without a loss."""
        with pool(threads_for(self.job, threads or available_threads())) as executor:
            partial = evaluate(self.job, consume, executor, seen)
        for raw in self.raws:
            raw.check()
        return partial

    def suspicions(self, partial: Partial) -> list[Finding]:
        """What a pass makes suspicious although there is a number."""
        job = self.job
        found = findings(job, partial.faults)
        if partial.samples > 1 and partial.looks_like_probs:
            from losscli.engine.collectors.prediction_kind import misread

            found += misread(job.loss.declaration, job.predictions.name, job.extras.prediction_kind, job.encoding.k)
        if partial.sample is not None:
            found += suspicions(job, partial.sample, compared(job, partial.sample), group_names(self.job, self.decoded))
        return found

    @np.errstate(all="ignore")  # statistics of infinite losses are what they are
    def _result(self, partial: Partial) -> Result:
        reduction = REDUCTIONS[self.request.reduction]
        value, numerator, denominator = reduced(self.job, partial, reduction)
        unreduced = reduction.denominator is None
        spread = partial.losses
        summary = {"mean": partial.mean, "std": spread.std, "min": spread.least}
        summary |= {
            f"p{percent}": at for percent, at in zip(PERCENTILES, partial.quantiles.at(PERCENTILES), strict=True)
        }
        summary["max"] = spread.most
        everything = self.receipt | {
            "percentiles": "exact" if partial.quantiles.exact else f"histogram, relative error <= {SKETCH_ERROR:g}"
        }
        if self.job.encoding.smoothing is None and self.request.library is None:
            mean = divide(partial.weighted.value, partial.weight.value)
            summary |= {name: made(mean) for name, made in self.job.loss.declaration.statistics.items()}
        if partial.bins is not None:
            summary |= partial.bins.statistics()
            everything["calibration"] = DESCRIBED
        return Result(
            self.job.loss.name,
            self.job.loss.parameters,
            None if unreduced else value,
            reduction.name,
            numerator,
            None if unreduced else denominator,
            partial.samples,
            partial.ignored + (0 if self.job.masks is None else self.job.masks.dropped),
            summary,
            partial.quantiles,
            baseline(self.job, partial, reduction.name, value),
            [],
            everything,
            signature(everything),
            partial.observed,
        )

    def observe(self, observer: Observer) -> None:
        """Have the pass keep what an observer makes of each block; it ends up in `Result.observed`."""
        self.job = replace(self.job, observe=observer)


def _by_terms(job: Job) -> Job:
    """The job in which class weights weigh the terms of a row's loss, as PyTorch has it for smoothed and soft targets."""
    weights = job.class_weights
    assert weights is not None
    if job.encoding.stored_as != "indices" and job.encoding.kind != "one-hot":
        # Divided by the number of rows, which so have no weight of their own.
        return replace(job, class_weights=None, extras=job.extras._replace(class_terms=weights))
    if not weights.all():
        raise UsageError(
            "--class-weight: a class of weight 0 does not go together with label smoothing under --as torch"
        )
    return replace(job, extras=job.extras._replace(class_terms=weights), terms_weighted=True)


def _smooth(request: Request, encoding: TargetEncoding, notes: list[str]) -> Smoothing:
    amount, k = request.label_smoothing, encoding.k
    family = request.loss.family
    mode = request.smoothing_mode or family.smoothing or "uniform"
    if mode == "half" and not family.several_outputs and k != 2:
        notes.append(
            f"warning: --smoothing-mode half makes the targets of {k} classes sum to {1 - amount + k * amount / 2:g}; "
            "uniform and others keep the sum at 1"
        )
    return Smoothing.of(amount, mode, max(k, 2))
