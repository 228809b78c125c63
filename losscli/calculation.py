"""One calculation: from what was asked for to a job that can run, and from its partial to a result.

This is what every command that computes losses of files calls; it knows nothing of the command line.
"""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.alignment import Sampling, compared, suspicions
from losscli.calibration import DESCRIBED, MOST_ELEMENTS, applies
from losscli.core import Array, BoundLoss, Extras
from losscli.coupling import everyone, masks, positives
from losscli.errors import DataError, UsageError, count
from losscli.faults import findings, raise_faults
from losscli.findings import WARNING, Finding, warned
from losscli.forms import Form, Plan, Smoothing
from losscli.io.operands import Opener
from losscli.io.raw import Looked, Raw
from losscli.io.roles import Columns, Roles, assign, join
from losscli.io.sources import MemorySource, Reordered, Reshaped, Source, squeezed, whole
from losscli.io.tables import is_finite_number
from losscli.names import by_name, class_names, in_order
from losscli.receipt import receipt, signature
from losscli.reduce import PERCENTILES, REDUCTIONS, SKETCH_ERROR, Partial, divide
from losscli.request import Request
from losscli.result import Result
from losscli.run import (
    CHUNK_ROWS,
    Chunk,
    Job,
    Observer,
    available_threads,
    baseline,
    compute_dtype,
    evaluate,
    pool,
    reduced,
    threads_for,
)
from losscli.samples import groups
from losscli.targets import check_rows, plan
from losscli.weights import class_weights, pos_weight, sample_weights

if TYPE_CHECKING:
    from losscli.io.join import Selection
    from losscli.io.text import IdColumn, TextColumn


@dataclass
class Calculation:
    """A job with the names of its rows and classes, and what to tell the user about it."""

    request: Request
    job: Job
    plan: Plan
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

    def settled(self, request: Request) -> "Calculation":
        """The calculation of the same files under other parameters, another reduction, smoothing or convention.

        Raises
        ------
        UsageError
            for options that do not go together.
        """
        notes = list(self.notes)
        family, convention, opened = request.loss.loss.family, request.convention, self.opened
        form = replace(opened.form, encoding=convention.labels)
        if request.label_smoothing:
            form = replace(form, smoothing=_smooth(request, form, notes))
        small = int(np.prod(opened.predictions.shape, dtype=np.int64)) <= MOST_ELEMENTS
        job = replace(
            opened,
            calibrate=applies(opened) and opened.samples > 0 and (small or request.calibration),
            sampling=Sampling.of(opened),
            loss=request.loss,
            form=form,
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
            job = masks(request.loss.loss, request.per, job)
        made = replace(self, request=request, job=job, notes=notes, findings=list(self.findings))
        made.receipt = receipt(made, job.several)
        return made

    def run(
        self,
        consume: Callable[[Chunk], None] = lambda chunk: None,
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
        consume: Callable[[Chunk], None] = lambda chunk: None,
        threads: int | None = None,
        seen: Callable[[int], None] = lambda rows: None,
    ) -> Partial:
        """The pass over all rows that `run` makes a result of; it raises as `run` does."""
        partial = self.collect(consume, threads, seen)
        raise_faults(self.job, partial.faults)
        return partial

    def collect(
        self,
        consume: Callable[[Chunk], None] = lambda chunk: None,
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
            from losscli.kinds import misread

            found += misread(job.loss.loss, job.predictions.name, job.extras.given, job.form.k)
        if partial.sample is not None:
            found += suspicions(job, partial.sample, compared(job, partial.sample), groups(self))
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
        if self.job.form.smoothing is None and self.request.library is None:
            mean = divide(partial.weighted.value, partial.weight.value)
            summary |= {name: made(mean) for name, made in self.job.loss.loss.statistics.items()}
        if partial.bins is not None:
            summary |= partial.bins.statistics()
            everything["calibration"] = DESCRIBED
        return Result(
            self.job.loss.loss.name,
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


def prepare(
    request: Request,
    *,
    rows: bool = False,
    elements: bool = False,
    gradient: bool = False,
    choose: Callable[[Roles], BoundLoss] | None = None,
    looked: Looked = lambda name, done, size: None,
    once: bool = True,
    opener: Opener | None = None,
) -> Calculation:
    """Open the files, check them against each other, and read the targets.

    Parameters
    ----------
    rows, elements, gradient
        whether the chunks shall carry per-sample losses, each output's loss, and gradients.
    choose
        takes the operands' columns and gives the loss to compute instead of the request's.
    once
        whether the predictions are read once, in order, so that those of a pipe need no copy.
    looked
        is told how far a text file is looked through, before its rows are known.
    opener
        what opens the files, for several calculations that share some; it has been told the same of headers.

    Raises
    ------
    UsageError
        for options that do not go together.
    DataError
        for files that cannot be used.
    """
    opener = opener or Opener(request.header, looked)
    family = request.loss.loss.family
    once = once and (family.coupled is None or choose is not None)  # what is coupled is read more than once
    predictions = opener.open(request.predictions, "predictions", once)
    constant = _constant(request)
    targets = None if constant is not None else opener.open(request.targets, "targets")
    weights = None if request.sample_weight is None else opener.open(request.sample_weight, "--sample-weight")
    beside = None if request.beside is None else opener.open(request.beside, f"--{family.beside}")
    roles = assign(predictions, targets, weights, request.id, request.columns, beside, request.by)
    join(roles, request.id, request.on_unmatched == "drop")
    notes = list(roles.notes)
    if choose is not None:
        request = replace(request, loss=choose(roles))
    if request.loss.loss.resolve is not None:
        request = replace(request, loss=request.loss.loss.resolve(request.loss, request, roles, notes))
    if roles.targets is not None and roles.targets.same_data(roles.predictions):
        roles.findings.append(
            Finding(
                "same-data",
                WARNING,
                f"{predictions.name}: predictions and targets are the same data",
                cure="name two files, or two columns with FILE:COLUMN",
            )
        )
    family, name = request.loss.loss.family, request.loss.loss.name
    source = _predictions(request, roles, notes)
    names = None if request.classes is None else class_names(request.classes)
    if names and not family.takes_centers and len(source.shape) == 2:
        source = in_order(source, names, notes)
    centers, classes = _centers(request, opener, source, names, notes) if family.takes_centers else (None, None)
    several = family.several_outputs and len(source.shape) == 2
    if elements and not several:
        raise UsageError(
            f"--elements: {name} of predictions of shape {source.shape} has one loss a sample; leave it out"
        )
    if centers is not None:
        k = len(centers)
    elif len(source.shape) == 2:
        k = source.shape[1] // family.parts
        classes = source.columns if family.parts == 1 else None
    else:
        k, classes = 2, names
        if names and len(names) != 2:
            raise DataError(
                f"--classes: {count(len(names), 'name')} for one score a row, {source.name}; give two, the positive class last"
            )
    wanted: Columns | float = constant if constant is not None else roles.targets  # type: ignore[assignment]
    made = plan(family, name, source, wanted, classes, k, request.ignore_index, request.label_base)
    made.columns = source.columns
    if family.coupled == "rows":
        k = made.form.k
    third = _beside(request, roles, source, notes)
    like = [] if centers is None else [centers.dtype]
    like += [made.source.dtype] if family.reads == "numbers" and constant is None else []
    like += [] if third is None else [third.dtype]
    dtype = compute_dtype(source.dtype, np.result_type(*like) if like else None)
    by_class, by_output = class_weights(request, opener, made, k, several)
    job = Job(
        request.loss,
        source,
        made.source,
        made.form,
        dtype,
        Extras(
            request.given,
            pos_weight(request, source, several),
            None if centers is None else centers.astype(dtype),
        ),
        sample_weights(roles, notes),
        by_class,
        by_output,
        request.over_outputs,
        rows,
        elements,
        gradient,
        beside=third,
    )
    if family.coupled == "rows":
        job = replace(job, extras=job.extras._replace(everyone=everyone(request.loss.loss, job)))
    shape = roles.predictions.shape
    if roles.selection is not None:
        shape = (roles.predictions.operand.content.height, *shape[1:])
    paths = opener.paths | ({os.path.realpath(request.classes)} if request.classes else set())
    calculation = Calculation(
        request,
        job,
        made,
        roles.ids,
        notes + made.notes,
        shape,
        frozenset(paths),
        opener.raws,
        job,
        roles.selection,
        roles.findings,
        None if roles.groups is None else roles.groups.words(),
    )
    calculation.notes += warned(roles.findings)
    return calculation.settled(request)


def _constant(request: Request) -> float | None:
    text = request.targets
    if os.path.exists(text) or not is_finite_number(text):
        return None
    family = request.loss.loss.family
    takes = family.reads == "numbers" and (family.several_outputs or family.one_target)
    if not takes and request.loss.loss.resolve is None:
        raise DataError(f"{text}: no such file, and {request.loss.loss.name} takes no constant for targets")
    if request.ignore_index is not None:
        raise UsageError("--ignore-index: the targets are one constant, so no label marks a row")
    return float(text)


def _predictions(request: Request, roles: Roles, notes: list[str]) -> Source:
    """The predictions, of a shape that the family takes."""
    family, name = request.loss.loss.family, request.loss.loss.name
    columns = roles.predictions
    shape = columns.shape
    if len(shape) == 2 and shape[1] == 0:
        raise DataError(f"{columns.name}: shape {shape} has no columns")
    theirs = None if roles.targets is None else roles.targets.shape
    if family.rows is not None and len(shape) == 1:
        raise DataError(f"{name}: {columns.name} has shape {shape}; it takes rows of several numbers, {family.rows}")
    if family.width is not None and len(shape) == 2 and shape[1] != family.width:
        raise DataError(
            f"{name}: {columns.name} has shape {shape}; it takes {family.width} numbers a row: {family.rows}"
        )
    if len(shape) == 2 and shape[1] % family.parts:
        raise DataError(f"{name}: {columns.name} has shape {shape}; it takes {family.rows}")
    if family.reads == "classes" and len(shape) == 1:
        raise DataError(
            f"{name}: {columns.name} has shape {shape}; it takes one column a class, (n, k); for one score a row use a "
            "sigmoid loss such as sigmoid-cross-entropy"
        )
    if family.reads == "classes" and family.rows is None and shape[1] == 1:
        raise DataError(
            f"{name}: {columns.name} has shape {shape}: one class, whose probability is always 1; for one score a row "
            "use a sigmoid loss such as sigmoid-cross-entropy"
        )
    for other in (roles.targets, roles.weights, roles.beside):
        if other is not None:
            check_rows(columns, other)  # from the headers alone, before a cell is parsed
    source = columns.source()
    distances = family.name == "pair" and request.beside is None
    elementwise = (
        family.several_outputs or family.coupled == "masks" or distances or request.loss.loss.remake is not None
    )
    if len(shape) == 2 and shape[1] == 1 and theirs is not None and elementwise:
        if len(theirs) == 1 or (distances and theirs == shape):
            notes.append(f"{columns.name}: shape {shape} was squeezed to {shape[:1]}, the targets' shape")
            return squeezed(source)
        if family.coupled == "masks" and theirs == shape:
            notes.append(f"{columns.name} and its targets: shape {shape} was squeezed to {shape[:1]}: one number a row")
            return squeezed(source)
        if family.takes_class_weight and theirs == shape:
            notes.append(
                f"{columns.name} and its targets: shape {shape} was squeezed to {shape[:1]}: one output, two classes"
            )
            return squeezed(source)
    if len(shape) == 2 and shape[0] == 1 < shape[1] and family.several_outputs:
        notes.append(
            f"{columns.name}: shape {shape} is one sample of {shape[1]} outputs; if not, save it as ({shape[1]},)"
        )
    return source


def _beside(request: Request, roles: Roles, predictions: Source, notes: list[str]) -> Source | None:
    """The third operand, in the shape of the predictions."""
    family, name = request.loss.loss.family, request.loss.loss.name
    shape, columns = predictions.shape, roles.beside
    if columns is None:
        if family.beside is None or (family.name == "pair" and len(shape) == 1):  # whose predictions are distances then
            return None
        raise UsageError(f"{name} needs --{family.beside} FILE: {BESIDE[family.beside]}, in the predictions' shape")
    if family.name == "pair" and len(shape) == 1:
        raise UsageError(f"--other: the predictions have shape {shape}: distances, which need no others; leave it out")
    if columns.shape == (*shape, 1):
        notes.append(f"{columns.name}: shape {columns.shape} was squeezed to {shape}, the predictions' shape")
        return Reshaped(columns.source())
    if columns.shape != shape:
        raise DataError(
            f"{name}: predictions {predictions.name} have shape {shape} and --{family.beside} {columns.name} "
            f"{columns.shape}; nothing is broadcast: give {BESIDE[str(family.beside)]}, in the predictions' shape"
        )
    source = columns.source()
    if len(shape) == 2 and predictions.columns and columns.names:
        source, _ = by_name(source, predictions.columns, columns.names, notes)
    return source


BESIDE = {
    "variance": "the variance of each prediction",
    "negative": "the negatives' features",
    "other": "the features of the other ones of the pairs",
}


def _centers(
    request: Request, opener: Opener, features: Source, classes: tuple[str, ...] | None, notes: list[str]
) -> tuple[Array, tuple[str, ...] | None]:
    if request.centers is None:
        raise UsageError(f"{request.loss.loss.name} needs --centers FILE: one row a class, in the features' dimension")
    operand = opener.open(request.centers, "--centers")
    names: tuple[str, ...] | None = None
    if operand.is_table:
        table = operand.content
        named = table.name_column()
        source: Source = table.source([i for i in range(table.width) if i != named], one_axis=False)
        if named is not None:
            names = tuple(str(cell) for cell in table.text(named).text())
        if features.columns and source.columns and len(source.shape) == 2:
            source, _ = by_name(source, features.columns, source.columns, notes)
    else:
        source = Columns(operand, [], "centers").source()
    if len(source.shape) != 2 or source.shape[1] != features.shape[1]:
        raise DataError(
            f"{source.name}: centers have shape {source.shape} and features {features.shape}; "
            f"give one row a class with {count(features.shape[1], 'column')}"
        )
    centers = whole(source)
    if not np.isfinite(centers).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(centers))[0])
        raise DataError(
            f"{source.place(row, column)}: {centers[row, column]} is not a finite number; a center must be a point"
        )
    if classes is not None:  # a row a class is to centers what a column is to predictions
        by_column = in_order(MemorySource(source.name, centers.T, names), classes, notes)
        centers, names = np.ascontiguousarray(whole(by_column).T), classes
    return centers, names


def _by_terms(job: Job) -> Job:
    """The job in which class weights weigh the terms of a row's loss, as PyTorch has it for smoothed and soft targets."""
    weights = job.class_weights
    assert weights is not None
    if job.form.reads != "indices" and job.form.kind != "one-hot":
        # Divided by the number of rows, which so have no weight of their own.
        return replace(job, class_weights=None, extras=job.extras._replace(class_terms=weights))
    if not weights.all():
        raise UsageError(
            "--class-weight: a class of weight 0 does not go together with label smoothing under --as torch"
        )
    return replace(job, extras=job.extras._replace(class_terms=weights), terms_weighted=True)


def _smooth(request: Request, form: Form, notes: list[str]) -> Smoothing:
    amount, k = request.label_smoothing, form.k
    family = request.loss.loss.family
    mode = request.smoothing_mode or family.smoothing or "uniform"
    if mode == "half" and not family.several_outputs and k != 2:
        notes.append(
            f"warning: --smoothing-mode half makes the targets of {k} classes sum to {1 - amount + k * amount / 2:g}; "
            "uniform and others keep the sum at 1"
        )
    return Smoothing.of(amount, mode, max(k, 2))
