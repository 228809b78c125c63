"""A measurement: from a prepared job to a pass over its rows, and from the aggregate of the pass to a result.

Every command that computes losses of files calls this; it knows nothing of the command line.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.data.columns import Column, Reason, Role
from losscli.data.doubts import Doubt
from losscli.data.target_encoding import DecodedTargets, Smoothing, TargetEncoding
from losscli.data.units import Units
from losscli.definition.batch import Sequences
from losscli.definition.convention import NONE, Bound
from losscli.definition.request import Request
from losscli.engine.aggregates import PERCENTILES, SKETCH_ERROR, Faults, Quantiles
from losscli.engine.collector import Aggregate, Collector
from losscli.engine.collectors.baseline import collectors as baseline_collectors
from losscli.engine.collectors.calibration_bins import MOST_ELEMENTS, CalibrationBins, applies, of_positive
from losscli.engine.collectors.classwise_bins import ClasswiseBins, has_classwise_error
from losscli.engine.collectors.label_alignment import Sample, Sampling, compared, suspicions
from losscli.engine.collectors.probability_look import LookLikeProbabilities, ProbabilityLook
from losscli.engine.collectors.row_faults import UNDEFINED, FaultFinder, findings, raise_faults
from losscli.engine.collectors.spare_columns import SpareColumns
from losscli.engine.collectors.summary import Percentiles, Summaries, Summary
from losscli.engine.evaluate import ChunkResult, evaluate
from losscli.engine.job import Job, compute_dtype
from losscli.engine.reduction import REDUCTIONS, Reduction, baseline, reduced
from losscli.engine.units import PositionCount
from losscli.engine.workers import current, workers
from losscli.errors import DataError, UsageError
from losscli.findings import Finding, warned
from losscli.io.bytes import Raw, identities
from losscli.io.prepared import prepared
from losscli.io.row_lists import Lists
from losscli.io.source import MemorySource, Reordered, Source, whole
from losscli.io.turned import Turned
from losscli.measurement import bits
from losscli.measurement.class_labels import group_names
from losscli.measurement.receipt import receipt, signature
from losscli.measurement.result import Result
from losscli.records import dataclass, field, replace
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.data.slices import SliceColumn
    from losscli.engine.parts import Part
    from losscli.io.text import IdColumn
    from losscli.measurement.slices import Transforms


@dataclass
class Measurement:
    """A job with the names of its rows and classes, and notes for the user about it."""

    request: Request
    job: Job
    decoded: DecodedTargets
    ids: "IdColumn | None"
    notes: list[str]
    units: Units
    """The units that have one loss each, and where they are in the predictions' file."""
    files: frozenset[str]
    """Real paths of all files that are read: no output may replace them."""
    raws: list[Raw]
    """The bytes that are read; after the pass they are checked for changes."""
    opened: Job
    """The job of the files as they are, before smoothing, masks and a library's conventions."""
    collectors: list[Collector] = field(default_factory=list)
    """The statistics that a pass keeps of the rows."""
    findings: list[Finding] = field(default_factory=list)
    """Suspicious facts about the files, which are also in the notes."""
    slices: "tuple[SliceColumn, ...]" = ()
    """The columns by whose words rows are grouped."""
    columns: tuple[Column, ...] = ()
    """The columns of all files, with their roles and reasons."""
    bytes: float | None = None
    """Number of bytes of the text that all losses are of; None if nobody says it."""
    receipt: dict[str, Any] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The shapes of predictions and targets in their files, if they are read as rows of positions."""

    @property
    def given_columns(self) -> tuple[str, ...] | None:
        """Names of the predictions' columns in the order of their file."""
        source = self.opened.predictions
        if self.units.layout is not None:
            return None
        return source.of.columns if isinstance(source, Reordered) else source.columns

    def first_rows_of(self, units: Array) -> Array:
        """Return which row of the job's predictions each unit begins with, from the units' numbers; the units are of samples."""
        job = self.job
        kind = job.unit if job.masks is None else job.masks.kind
        samples = units // job.predictions.shape[1] if kind == "sample,class" else units
        return samples if kind == "row" or job.layout is None else job.layout.first_rows_of(samples)

    def restored(self, slopes: Array, first: int) -> Iterator[Array]:
        """Yield gradients of the rows from `first` on, in the shape and order of the predictions' file."""
        source = self.job.predictions
        if isinstance(source, Turned):
            return iter(
                [source.restored(slopes) if len(slopes) else np.zeros((0, *source.file_shape[1:]), slopes.dtype)]
            )
        return self.units.restored(slopes, first, source.order if isinstance(source, Reordered) else None)

    @property
    def room(self) -> tuple[int, ...] | None:
        """The shape of `Job.room` if a pass can fill the gradient of the whole file, in its order, by itself; else None."""
        job, units = self.job, self.units
        if job.unit != "row" or job.masks is not None or job.extras.whole is not None:
            return None
        if units.selection is not None or isinstance(job.predictions, Turned | Reordered):
            return None
        if units.layout is None:
            return job.predictions.shape
        if isinstance(units.layout, Lists) or len(units.layout.grids) > 1:
            return None
        grid = units.layout.grids[0]
        return job.predictions.shape if grid.inner == 1 and grid.skipped == (0, 0) else grid.blocks

    def settled(self, request: Request) -> "Measurement":
        """Return the measurement of the same files with other parameters, reduction, smoothing or conventions.

        Raises
        ------
        UsageError
            if options contradict each other.
        """
        notes = list(self.notes)
        convention, opened = request.convention, self.opened
        encoding = replace(opened.encoding, sign_convention=convention.labels, dense=convention.dense)
        if request.label_smoothing:
            encoding = replace(encoding, smoothing=_smooth(request, encoding, notes))
        job = _of_whole_file(request, _with_convention(request, opened, encoding))
        of_files = _collectors_of_files(request, opened)
        collectors = [*essential(job, self.doubtful(request, job), request.summary), *of_files]
        settled = replace(
            self, request=request, job=job, collectors=collectors, notes=notes, findings=list(self.findings)
        )
        if job.extras.whole is not None:
            settled.units = replace(self.units, kind="file")
            files = {"predictions": opened.predictions.shape, "targets": opened.targets.shape}
            settled.shapes = self.shapes or files
        described = job
        if job.convention != NONE:  # the files as they are, and not as a library takes them
            described = replace(
                job,
                predictions=opened.predictions,
                targets=opened.targets,
                third_operand=opened.third_operand,
                weights=opened.weights,
            )
        far = identities(self.raws)
        settled.receipt = receipt(request, described, self.decoded, settled.units, self.columns, settled.shapes, far)
        if self.bytes is not None:
            settled.receipt["bytes"] = self.bytes
        return settled

    @property
    def _left_out(self) -> int:
        """Number of rows that are ignored before a loss of the user's own is called with all others."""
        whole = self.job.extras.whole
        return 0 if whole is None else whole.ignored

    def over_samples(self) -> "Measurement":
        """Return the measurement of whole samples, each with the weight of its positions, if positions are the units.

        The weighted mean is that of all positions. Positions of a sample hang together: what is resampled are samples.
        """
        if self.units.layout is None or self.job.unit != "row" or self.job.masks is not None:
            return self
        job = replace(self.job, unit="sample", over_positions="mean", weighed_by_positions=True)
        found = replace(self, job=job, units=replace(self.units, kind="sample"))
        found.collectors = [*found.essential(), *self.collectors[len(self.essential()) :]]
        return found

    def essential(self) -> list[Collector]:
        """Return the collectors of every pass over this measurement's rows."""
        return essential(self.job, self.doubtful(self.request, self.job), self.request.summary)

    def doubtful(self, request: Request, job: Job) -> bool:
        """Whether some of the predictions' columns may be none: there are several, and nobody has named them."""
        family = request.loss.family
        if len(job.predictions.shape) != 2 or job.predictions.shape[1] < 2 or family.width is not None:
            return False
        if family.coupled in ("masks", "file") or family.parts > 1 or family.of_three_axes:
            return False
        if request.classes is not None or job.layout is not None:
            return False
        return any(one.role is Role.PREDICTION and one.reason is not Reason.OPTION for one in self.columns)

    def run(
        self,
        consume: Callable[[ChunkResult], None] = lambda chunk: None,
        threads: int | None = None,
        seen: Callable[[int], None] = lambda rows: None,
    ) -> Result:
        """Evaluate all rows and return the result.

        Parameters
        ----------
        consume
            called with the result of each chunk, in order.
        threads
            number of threads; None for the number of processor cores that this process may use. The result is the same.
        seen
            called with the number of rows done so far.

        Raises
        ------
        DataError
            if rows have no loss, such as those with a NaN prediction; raised after all rows were read.
        """
        return self.finished(self.collect(consume, threads, seen))

    def finished(self, aggregate: Aggregate) -> Result:
        """Return the result of a pass; raises a DataError as `run` does."""
        self.settle(aggregate)
        # Padding ends the labels of a sequence, and of missing outputs nothing is counted.
        counted = self.job.encoding.kind != "sequences" and not self.job.missing
        positions = aggregate.get(PositionCount) or PositionCount()
        ignored = aggregate[Summary].ignored + self._left_out + positions.ignored
        if self.request.ignore_index is not None and counted and not ignored:
            self.notes.append(f"--ignore-index {self.request.ignore_index}: no row has this label")
        suspicious = self.suspicions(aggregate)
        self.findings += suspicious
        self.notes += warned(suspicious)
        return self._result(aggregate)

    def pass_over(
        self,
        consume: Callable[[ChunkResult], None] = lambda chunk: None,
        threads: int | None = None,
        seen: Callable[[int], None] = lambda rows: None,
    ) -> Aggregate:
        """Make the pass over all rows and return its aggregate; raises a DataError as `run` does."""
        aggregate = self.collect(consume, threads, seen)
        self.settle(aggregate)
        return aggregate

    def settle(self, aggregate: Aggregate) -> None:
        """Raise a DataError for a fault of rows, or for a doubt about columns, that a pass has found."""
        faults = aggregate[Faults]
        if self.job.convention.nothing is not None and not aggregate[Summary].nonzero:  # no loss counts
            faults = faults.without(UNDEFINED)
        raise_faults(self.job, faults)
        for doubt in self.doubts(aggregate):
            raise doubt.error()

    def doubts(self, aggregate: Aggregate) -> Iterator[Doubt]:
        """Yield what a pass found doubtful in the files: what a column is."""
        for collector in self.collectors:
            record = aggregate.get(collector.record)
            doubt = None if record is None else collector.doubt(self.job, record)
            if doubt is not None:
                yield doubt

    def collect(
        self,
        consume: Callable[[ChunkResult], None] = lambda chunk: None,
        threads: int | None = None,
        seen: Callable[[int], None] = lambda rows: None,
        part: "Part | None" = None,
    ) -> Aggregate:
        """Make the pass over all rows, or a part of it, and return its aggregate, faults included, which the caller must look at."""
        with workers(self.job, threads) as executor:
            cluster = current()
            before = None if cluster is None else cluster.handed
            aggregate = evaluate(self.job, self.collectors, consume, executor, seen, part)
        self.told_by(executor)
        if cluster is not None and cluster.handed == before and self.job.samples and part is None:
            self.notes.append(
                f"{self.job.loss.name} needs all rows at once, and was computed here, not on {cluster.words}"
            )
        for raw in self.raws:
            raw.check()
        return aggregate

    def told_by(self, executor: Any) -> None:
        """Take the notes of a cluster, and which instructions its workers have used besides this machine's."""
        self.notes += [note for note in getattr(executor, "notes", ()) if note not in self.notes]
        own = self.receipt.get("arithmetic", {})
        others: set[str] = getattr(executor, "simd", set()) - {own.get("simd", "")}
        if others and "simd" in own:
            self.receipt["arithmetic"] = own | {"simd": ", ".join([own["simd"], *sorted(others)])}

    def suspicions(self, aggregate: Aggregate) -> list[Finding]:
        """Return what looks wrong in the files after a pass, although there is a number."""
        job, sample = self.job, aggregate.get(Sample)
        suspicious = findings(job, aggregate[Faults])
        if aggregate[Summary].samples > 1 and aggregate[LookLikeProbabilities].all:
            from losscli.engine.collectors.prediction_kind import misread

            activation, shape = job.extras.activation, job.predictions.shape
            k = shape[-1] if activation == "softmax" else job.encoding.k
            kind = job.extras.prediction_kind
            suspicious += misread(job.loss.declaration, job.predictions.name, kind, k, activation=activation)
        if sample is not None:
            suspicious += suspicions(job, sample, compared(job, sample), group_names(self.job, self.decoded))
        return suspicious + self.collected_findings(aggregate)

    def collected_findings(self, aggregate: Aggregate) -> list[Finding]:
        """Return what the collectors of a pass find wrong in the files, each in its own record."""
        pairs = [(collector, aggregate.get(collector.record)) for collector in self.collectors]
        return [
            finding
            for collector, record in pairs
            if record is not None
            for finding in collector.findings(self.job, record)
        ]

    @np.errstate(all="ignore")  # statistics of infinite losses may be inf or NaN
    def _result(self, aggregate: Aggregate) -> Result:
        """Return the result of a pass without faults."""
        sums, quantiles = aggregate[Summary], aggregate[Quantiles]
        reduction = REDUCTIONS[self.request.reduction]
        if not sums.samples and aggregate[PositionCount].counted:
            raise DataError(f"{self.job.predictions.name}: all weights are 0; a loss of nothing is undefined")
        value, numerator, denominator = reduced(self.job, sums, reduction)
        unreduced = reduction.denominator is None
        spread = sums.losses
        if aggregate.get(PositionCount) is not None:
            self.receipt["positions"] = aggregate[PositionCount]._asdict()
        summary, everything = {"mean": sums.mean}, dict(self.receipt)
        if self.request.summary:
            summary |= {"std": spread.std, "min": spread.least}
            summary |= {f"p{percent}": at for percent, at in zip(PERCENTILES, quantiles.at(PERCENTILES), strict=True)}
            summary["max"] = spread.most
            how = "exact" if quantiles.exact else f"histogram, relative error <= {SKETCH_ERROR:g}"
            everything["percentiles"] = how
        transforms, mean = self._transforms(), sums.weighted.over(sums.weight)
        summary |= {name: transform(mean) for name, transform in transforms.items()}
        if self.bytes is not None:
            summary["bits_per_byte"] = bits.per_byte(sums.sum.value, self.bytes)
        titles: dict[str, str] = {}
        for collector in self.collectors:
            record = aggregate.get(collector.record)
            if record is not None:
                summary |= collector.statistics(record)
                everything |= collector.described()
                titles |= collector.titles()
        found = Result(
            loss=self.job.loss.name,
            parameters=self.job.loss.parameters,
            value=None if unreduced else value,
            reduction=reduction.name,
            numerator=numerator,
            denominator=None if unreduced else denominator,
            samples=sums.samples,
            ignored=sums.ignored + self._left_out,
            summary=summary,
            distribution=quantiles,
            baseline=baseline(self.job, aggregate, reduction.name, value),
            requirements=[],
            receipt=everything,
            signature=signature(everything),
            aggregate=aggregate,
            titles=titles,
        )
        if self.request.by or self.request.interval is not None:
            self._give_slices(found, aggregate, reduction, value)
        return found

    def _give_slices(self, result: Result, aggregate: Aggregate, reduction: Reduction, value: float) -> None:
        """Put into a result its slices and intervals, as far as they are asked for."""
        from losscli.engine.collectors.slices import Sliced
        from losscli.engine.resampling import LEAST_ROWS
        from losscli.measurement.slices import interval_of, slices_of

        request, transforms, sliced = self.request, self._transforms(), aggregate.get(Sliced)
        if sliced is None:
            return
        if request.by:
            result.slices = slices_of(self.job, sliced, self.slices, request, reduction, transforms)
        if request.interval is None:
            return
        result.confidence = request.interval.confidence
        result.interval = interval_of(self.job, sliced, value, request)
        if reduction.name == "mean":
            result.intervals = {name: result.interval.transformed(transform) for name, transform in transforms.items()}
        few = result.samples if sliced.few is None else len(sliced.few.numerators)
        if few < LEAST_ROWS:
            self.notes.append(f"warning: {count(few, 'sample')}: too few for an interval to rely on")

    def _transforms(self) -> "Transforms":
        """Return the statistics of the loss that follow from its mean, for these files; none where that is not the loss itself."""
        job, temper = self.job, self.job.extras.temper
        plain = job.encoding.smoothing is None and (temper is None or temper.factor == 1)
        added_up = job.unit != "row" and job.over_positions == "sum"  # the loss of no single position
        return job.loss.declaration.statistics if plain and not added_up and self.request.library is None else {}

    def observe(self, collector: Collector) -> None:
        """Add a collector to the pass; its record will be in `Result.aggregate`."""
        self.collectors = [*self.collectors, collector]


def essential(job: Job, doubtful: bool = False, summary: bool = True) -> list[Collector]:
    """Return the collectors of every pass: sums, faults and look of probabilities; with the `summary`, percentiles and baseline.

    `doubtful` says whether columns of predictions may be something else, which is then looked for.
    """
    collectors: list[Collector] = [Summaries(summary), FaultFinder(), ProbabilityLook()]
    if summary:
        collectors += [Percentiles(), *baseline_collectors(job)]
    return [*collectors, SpareColumns()] if doubtful else collectors


def _collectors_of_files(request: Request, opened: Job) -> list[Collector]:
    """Return the collectors of what the files hold, whatever the settings: calibration, and how labels and classes match.

    Bins of the calibration are kept for small files, and for others if the request asks for them. Those of each class take
    longer than the losses themselves, and are kept only if asked for.

    Raises
    ------
    UsageError
        for a form of calibration errors that these files do not have.
    """
    small = int(np.prod(opened.predictions.shape, dtype=np.int64)) <= MOST_ELEMENTS
    asked, form = request.calibration or request.reliability_of is not None, request.reliability_of
    some = applies(opened)
    if form is not None and not some:
        raise UsageError(
            f"--reliability-of {form}: {opened.predictions.name} and {opened.targets.name} have no ece, which is of one label "
            "a row and of probabilities as they are; leave it out"
        )
    bins = some and opened.samples > 0 and (small or asked)
    sampling = Sampling.for_job(opened)
    return [
        *([CalibrationBins(of_positive(opened, form))] if bins else []),
        *([ClasswiseBins()] if _wants_classwise(request, opened) else []),
        *([] if sampling is None else [sampling]),
    ]


def _wants_classwise(request: Request, opened: Job) -> bool:
    """Whether the classwise calibration error is asked for; raise a UsageError if these files have none."""
    if not request.classwise_ece:
        return False
    if not has_classwise_error(opened):
        why = (
            "one number per row, whose ece is that of p(positive)"
            if len(opened.predictions.shape) == 1
            else "no hard label of each of its classes"
        )
        raise UsageError(f"classwise_ece: {opened.predictions.name} has {why}; leave it out")
    return opened.samples > 0


def _with_convention(request: Request, opened: Job, encoding: TargetEncoding) -> Job:
    """Return the job of the files as they are with the request's loss, encoding of targets, and conventions."""
    convention, loss = request.convention, request.loss
    if convention.core is not None:
        loss = replace(loss, declaration=replace(loss.declaration, core=convention.core))
    job = replace(
        opened,
        loss=loss,
        encoding=encoding,
        over_outputs=request.over_outputs,
        extras=opened.extras._replace(clip=convention.clip),
        convention=convention,
    )
    if convention.cast is not None or convention.bounds:
        job = _with_operands(job)
    if convention.plain_features and job.extras.everyone is not None:
        features = whole(job.predictions).astype(job.dtype, copy=False)
        job = replace(job, extras=job.extras._replace(everyone=job.extras.everyone._replace(features=features)))
    if convention.pairs:
        from losscli.engine.whole_file import positives

        job = replace(job, weights=MemorySource("positives", positives(job)))
    if convention.by_length:
        lengths = Sequences(whole(job.targets)).lengths
        job = replace(job, weights=MemorySource("labels", 1 / np.maximum(lengths, 1)))
    return _by_terms(job) if convention.class_terms else job


def _with_operands(job: Job) -> Job:
    """Return the job with its operands as a library has them: converted to its dtype, and cut off."""
    convention = job.convention
    cast = None if convention.cast is None else np.dtype(convention.cast)

    def of(source: Source | None, name: str, numbers: bool = True) -> Source | None:
        if source is None:
            return None
        bound = next(
            (one for one in convention.bounds if one.operand == name), Bound("predictions", -math.inf, math.inf)
        )
        return prepared(source, cast if numbers else None, bound.low, bound.high)

    targets = of(job.targets, "targets", job.encoding.stored_as in ("numbers", "outcomes", "rows"))
    predictions = of(job.predictions, "predictions")
    assert predictions is not None
    assert targets is not None
    third_operand = of(job.third_operand, "third_operand")
    return replace(
        job,
        predictions=predictions,
        targets=targets,
        third_operand=third_operand,
        weights=of(job.weights, "weights"),
        dtype=job.dtype if cast is None else compute_dtype(cast),
    )


def _of_whole_file(request: Request, job: Job) -> Job:
    """Return the job that says how rows are put together, for losses of the whole file and of masks; others as they are."""
    family, loss = request.loss.family, request.loss.declaration
    if family.custom and family.coupled == "file":
        from losscli.engine.whole_file import together

        called_with: tuple[int, ...] | None = loss.core.own.settings.shape  # type: ignore[attr-defined]
        return together(loss, job, request.over_positions, called_with)
    if job.lists is not None:
        from losscli.engine.whole_file import grouped

        return grouped(job)
    if family.of_masks:
        from losscli.engine.whole_file import masks

        return masks(loss, request.per, job)
    return job


def _by_terms(job: Job) -> Job:
    """Return the job in which class weights multiply the terms of a row's loss, as PyTorch does
    for smoothed and soft targets.
    """
    weights = job.class_weights
    assert weights is not None
    if job.encoding.stored_as != "indices":
        # The sum is divided by the number of rows, thus rows have no weights of their own.
        return replace(job, class_weights=None, extras=job.extras._replace(class_terms=weights))
    return replace(job, extras=job.extras._replace(class_terms=weights), terms_weighted=True)


def _smooth(request: Request, encoding: TargetEncoding, notes: list[str]) -> Smoothing:
    """Return the label smoothing of a request; add a note if smoothed targets do not sum to 1."""
    amount, k = request.label_smoothing, encoding.k
    family = request.loss.family
    mode = request.smoothing_mode or family.smoothing or "uniform"
    if mode == "half" and not family.several_outputs and k != 2:
        notes.append(
            f"warning: --smoothing-mode half makes the targets of {k} classes sum to {1 - amount + k * amount / 2:g}; "
            "uniform and others keep the sum at 1"
        )
    return Smoothing.of(amount, mode, max(k, 2))
