"""From what was asked for to a measurement that can run: open the files, check them against each other, read the targets."""

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from losscli.data.centers import _centers
from losscli.data.class_names import class_names, in_order
from losscli.data.dataset import Columns, Dataset, assign, join
from losscli.data.predictions import _constant, _predictions
from losscli.data.targets import decoded
from losscli.data.third_operand import _beside
from losscli.data.weights import class_weights, pos_weight, sample_weights
from losscli.definition.batch import Extras
from losscli.definition.loss import BoundLoss
from losscli.definition.request import Request
from losscli.engine.job import Job, compute_dtype
from losscli.engine.whole_file import everyone
from losscli.errors import DataError, UsageError
from losscli.findings import WARNING, Finding, warned
from losscli.io.bytes import Looked
from losscli.io.operands import Opener
from losscli.measurement.measure import Measurement
from losscli.wording import count


def prepare(
    request: Request,
    *,
    rows: bool = False,
    elements: bool = False,
    gradient: bool = False,
    choose: Callable[[Dataset], BoundLoss] | None = None,
    looked: Looked = lambda name, done, size: None,
    once: bool = True,
    opener: Opener | None = None,
) -> Measurement:
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
    family = request.loss.family
    once = once and (family.coupled is None or choose is not None)  # what is coupled is read more than once
    predictions = opener.open(request.predictions, "predictions", once)
    constant = _constant(request)
    targets = None if constant is not None else opener.open(request.targets, "targets")
    weights = None if request.sample_weight is None else opener.open(request.sample_weight, "--sample-weight")
    third_operand = (
        None if request.third_operand is None else opener.open(request.third_operand, f"--{family.third_operand}")
    )
    dataset = assign(predictions, targets, weights, request.id, request.columns, third_operand, request.by)
    join(dataset, request.id, request.on_unmatched == "drop")
    notes = list(dataset.notes)
    if choose is not None:
        request = replace(request, loss=choose(dataset))
    if request.loss.declaration.resolve is not None:
        request = replace(request, loss=request.loss.declaration.resolve(request.loss, request, dataset, notes))
    if dataset.targets is not None and dataset.targets.same_data(dataset.predictions):
        dataset.findings.append(
            Finding(
                "same-data",
                WARNING,
                f"{predictions.name}: predictions and targets are the same data",
                cure="name two files, or two columns with FILE:COLUMN",
            )
        )
    family, name = request.loss.family, request.loss.name
    source = _predictions(request, dataset, notes)
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
    wanted: Columns | float = constant if constant is not None else dataset.targets  # type: ignore[assignment]
    made = decoded(family, name, source, wanted, classes, k, request.ignore_index, request.label_base)
    made.columns = source.columns
    if family.coupled == "rows":
        k = made.encoding.k
    third = _beside(request, dataset, source, notes)
    like = [] if centers is None else [centers.dtype]
    like += [made.source.dtype] if family.target_type == "numbers" and constant is None else []
    like += [] if third is None else [third.dtype]
    dtype = compute_dtype(source.dtype, np.result_type(*like) if like else None)
    by_class, by_output = class_weights(request, opener, made, k, several)
    job = Job(
        request.loss,
        source,
        made.source,
        made.encoding,
        dtype,
        Extras(
            request.prediction_kind,
            pos_weight(request, source, several),
            None if centers is None else centers.astype(dtype),
        ),
        sample_weights(dataset, notes),
        by_class,
        by_output,
        request.over_outputs,
        rows,
        elements,
        gradient,
        third_operand=third,
    )
    if family.coupled == "rows":
        job = replace(job, extras=job.extras._replace(everyone=everyone(request.loss.declaration, job)))
    shape = dataset.predictions.shape
    if dataset.selection is not None:
        shape = (dataset.predictions.operand.content.height, *shape[1:])
    paths = opener.paths | ({os.path.realpath(request.classes)} if request.classes else set())
    measurement = Measurement(
        request,
        job,
        made,
        dataset.ids,
        notes + made.notes,
        shape,
        frozenset(paths),
        opener.raws,
        job,
        dataset.selection,
        dataset.findings,
        None if dataset.groups is None else dataset.groups.words(),
    )
    measurement.notes += warned(dataset.findings)
    return measurement.settled(request)
