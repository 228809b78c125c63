"""From a request to a measurement that can run: open the files, check them against each other, and
decode the targets.
"""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.data import likelihoods
from losscli.data.class_columns import about_classes, about_name, about_two_columns
from losscli.data.class_names import class_names, in_order, in_thresholds
from losscli.data.columns import Columns
from losscli.data.dataset import Dataset, assign, join
from losscli.data.predictions import constant_of, shaped
from losscli.data.scalars import everywhere, third_of_all, weight_of_all
from losscli.data.target_encoding import DecodedTargets
from losscli.data.targets import decode
from losscli.data.units import SYNONYMS, unit_kind
from losscli.data.weights import (
    Weights,
    class_counts,
    class_weights,
    hide_masked,
    mask_of,
    output_weights,
    pos_weight,
    weights_of,
)
from losscli.definition.batch import Extras
from losscli.definition.loss import BoundLoss
from losscli.definition.request import Request
from losscli.definition.words import UnitKind
from losscli.engine.job import Job, compute_dtype
from losscli.errors import DataError, UsageError
from losscli.findings import WARNING, Finding, warned
from losscli.io.bytes import Looked
from losscli.io.operands import Opener, Operand
from losscli.io.source import Source
from losscli.losses import find
from losscli.measurement import bits
from losscli.measurement.measure import Measurement
from losscli.measurement.vacuous import nothing_compared
from losscli.records import NamedTuple, replace
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.data.slices import SliceColumn
    from losscli.io.row_lists import Lists


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
    """Open the files, check them against each other, and decode the targets.

    Parameters
    ----------
    rows, elements, gradient
        whether the results of chunks hold per-sample losses, the loss of each output, and gradients.
    choose
        called with the columns of the operands; returns the loss to compute instead of the request's.
    looked
        called with the progress of reading a text file once, before its rows are known.
    once
        whether the predictions are read once, in order, so that those from a pipe need no copy.
    opener
        opens the files, for several measurements that share some; it was made with the request's header option.

    Raises
    ------
    UsageError
        if options contradict each other.
    DataError
        if files cannot be used.
    """
    opener = opener or Opener.of(request, looked)
    bits.check_request(request)
    try:
        request, dataset, inputs, decoded = _understood(request, opener, once, choose, elements)
    except DataError as error:
        raise _advised(error, request, opener, choose is not None) from error
    if (doubt := about_classes(request, dataset, inputs.predictions, decoded)) is not None:
        raise doubt.error()
    if request.loss.family.of_masks:
        request = _settled_masks(request, dataset, inputs, decoded)
    job = _job(request, opener, dataset, inputs, decoded, rows, elements, gradient)
    dataset.findings += nothing_compared(job)
    if request.loss.family.custom:
        from losscli.custom.coupling import notes_on

        dataset.notes += notes_on(request, job)
    return _measurement(request, opener, dataset, decoded, job).settled(request)


def _measurement(request: Request, opener: Opener, dataset: Dataset, decoded: DecodedTargets, job: Job) -> Measurement:
    """Return the measurement of a job as the files are, which is not settled yet."""
    paths = opener.paths | ({os.path.realpath(request.classes)} if request.classes else set())
    return Measurement(
        request=request,
        job=job,
        decoded=decoded,
        ids=dataset.ids,
        notes=[*dataset.notes, *decoded.notes, *warned(dataset.findings)],
        units=dataset.units(_kind_of_units(request, dataset, job)),
        files=frozenset(paths),
        raws=opener.raws,
        opened=job,
        findings=dataset.findings,
        slices=_slices(dataset),
        columns=dataset.columns(),
        bytes=bits.bytes_of(request, opener, job),
        shapes=_file_shapes(dataset) if dataset.layout is not None or request.loss.family.of_three_axes else {},
    )


def _settled_masks(request: Request, dataset: Dataset, inputs: "_Inputs", decoded: DecodedTargets) -> Request:
    """Return the request with what makes probabilities of logits, and what is one mask if positions belong to samples."""
    from losscli.measurement.mask_options import check_class_weight, settled_activation, usual_mask

    check_class_weight(request, inputs.predictions)
    request = settled_activation(request, inputs.predictions, decoded)
    if request.per is None and dataset.layout is not None:
        request = replace(request, per=usual_mask(request))
    return request


def _kind_of_units(request: Request, dataset: Dataset, job: Job) -> UnitKind:
    """Return what has one loss, as the results number it; masks of tables are numbered as rows are."""
    family = request.loss.family
    if job.lists is not None:
        return "sample"
    if family.of_masks and dataset.layout is not None:
        return SYNONYMS.get(request.per or "", request.per)  # type: ignore[arg-type, return-value]
    return "position" if job.unit == "row" else job.unit  # type: ignore[return-value]


def _file_shapes(dataset: Dataset) -> dict[str, tuple[int, ...]]:
    """Return the shapes of predictions and targets in their files, by their names in the receipt."""
    columns = {"predictions": dataset.predictions, "targets": dataset.targets}
    return {name: one.file_shape for name, one in columns.items() if one is not None}


def _understood(
    request: Request, opener: Opener, once: bool, choose: Callable[[Dataset], BoundLoss] | None, elements: bool
) -> "tuple[Request, Dataset, _Inputs, DecodedTargets]":
    """Decide what the files mean: which column is what, which loss is computed, and what predictions and targets are."""
    if request.targets is None:
        likelihoods.check_request(request)
    dataset = _dataset(request, opener, once and _reads_once(request, choose))
    request = _settled_loss(request, dataset, choose)
    _check_lists(request, dataset)
    if request.loss.family.of_sequences:
        from losscli.data.sequences import sequences_of

        found = sequences_of(request, opener, dataset)
        return request, dataset, _Inputs(found.predictions, False, found.classes, None, None), found.decoded
    inputs = _inputs(request, opener, dataset)
    inputs = inputs._replace(mask=mask_of(request.loss, dataset, inputs.predictions))
    if inputs.mask is not None and dataset.targets is not None:
        hide_masked(request.loss.family, dataset.targets, inputs.mask, inputs.predictions)
    if elements and not inputs.several:
        raise UsageError(
            f"--elements: {request.loss.name} of predictions of shape {inputs.predictions.shape} has one loss per sample; "
            "leave it out"
        )
    if (doubt := about_two_columns(request, dataset)) is not None:
        raise doubt.error()
    if request.levels is not None:
        from losscli.data.levels import about_first_row

        if (doubt := about_first_row(request, dataset.predictions)) is not None:
            raise doubt.error()
    return request, dataset, inputs, _decoded(request, dataset, inputs)


def _check_lists(request: Request, dataset: Dataset) -> None:
    """Raise an error if --group is given for a loss that takes no lists, or for predictions of more than two axes."""
    if request.group is None:
        return
    if not request.loss.family.lists:
        raise UsageError(f"--group: {request.loss.name} is no loss over lists; leave it out")
    if dataset.layout is not None:
        columns = dataset.predictions
        raise DataError(
            f"{columns.name}: shape {columns.file_shape}; with --group a row is one item of a list, one number, (n,)"
        )


def _advised(error: DataError, request: Request, opener: Opener, any_loss: bool) -> DataError:
    """Return an error about columns with the operands that are probably meant, if the columns tell; others as they are.

    `any_loss` says that the loss follows from the columns.
    """
    if request.columns is not None or not (request.predictions in str(error) and opener.knows(request.predictions)):
        return error
    from losscli.data.advice import operands_meant

    predictions = opener.open(request.predictions, "predictions")
    targets = opener.open(request.targets, "targets") if request.targets and opener.knows(request.targets) else None
    family = find("sigmoid-cross-entropy").family if any_loss else request.loss.family
    meant = operands_meant(family, predictions, targets)
    if not meant:
        return error
    return DataError(f"{error}; by what the columns hold, say {meant}", error.finding, error.cures, str(error))


def _reads_once(request: Request, choose: Callable[[Dataset], BoundLoss] | None) -> bool:
    """Whether the predictions are read in only one pass. Losses that couple rows read them more than once, and so do losses
    of the user's own, which are tried on the first rows.
    """
    family = request.loss.family
    in_order = family.coupled is None and not family.of_sequences and request.targets is not None
    in_order = (
        in_order and request.group is None and request.per not in ("class", "column", "file")
    )  # whose gradients take two passes
    return (in_order and not family.custom) or choose is not None


def _dataset(request: Request, opener: Opener, once: bool) -> Dataset:
    """Open the files, give every column its role, and join the rows."""
    predictions = opener.open(request.predictions, "predictions", once)
    constant = constant_of(request) is not None
    third = request.third_operand if third_of_all(request) is None else None
    targets = None if constant or request.targets is None else opener.open(request.targets, "targets")
    dataset = assign(
        predictions,
        targets,
        _weights_file(request, opener),
        request.id,
        request.columns,
        _third_file(request, opener, third, predictions, targets),
        _slice_columns(request, opener, predictions, targets),
        None if request.mask is None else opener.open(request.mask, "--mask"),
        _list_columns(request, opener, predictions, targets),
    )
    join(dataset, request.id, request.on_unmatched == "drop")
    if dataset.targets is not None:
        dataset.targets.missing = request.missing == "ignore" if request.loss.family.several_outputs else None
    return dataset


def _slice_columns(
    request: Request, opener: Opener, predictions: Operand, targets: Operand | None
) -> Sequence[Operand]:
    """Return the operands of the columns that make slices; none without --by."""
    if not request.by:
        return ()
    from losscli.data.slices import slice_columns

    return slice_columns(request.by, predictions, targets, opener)


def _slices(dataset: Dataset) -> "tuple[SliceColumn, ...]":
    """Return the columns that make slices, once the rows are joined; none without --by."""
    if not dataset.slices:
        return ()
    from losscli.data.slices import slices_of

    return slices_of(dataset)


def _third_file(
    request: Request, opener: Opener, text: str | None, predictions: Operand, targets: Operand | None
) -> Operand | None:
    """Return the operand of a third operand; None without one."""
    if text is None:
        return None
    from losscli.data.third_operand import open_third_operand

    return open_third_operand(text, str(request.loss.family.third_operand), predictions, targets, opener)


def _list_columns(request: Request, opener: Opener, predictions: Operand, targets: Operand | None) -> Sequence[Operand]:
    """Return the columns that --group means; none without it."""
    if request.group is None:
        return ()
    from losscli.data.lists import check_request, group_columns

    check_request(request)
    return group_columns(request.group, predictions, targets, opener)


def _weights_file(request: Request, opener: Opener) -> Operand | None:
    """Return the file of weights; None if there are none, or one number is the weight of all rows."""
    if request.sample_weight is None or weight_of_all(request) is not None:
        return None
    return opener.open(request.sample_weight, "--sample-weight")


def _settled_loss(request: Request, dataset: Dataset, choose: Callable[[Dataset], BoundLoss] | None) -> Request:
    """Return the request with the loss to compute, if that depends on the files."""
    if choose is not None:
        request = replace(request, loss=choose(dataset))
    resolve = request.loss.declaration.resolve
    if resolve is not None:
        request = replace(request, loss=resolve(request.loss, request, dataset, dataset.notes))
    if request.targets is None:
        likelihoods.check_columns(dataset.predictions)
        likelihoods.check_numbers(request, dataset)
    most = 1 if request.targets is None else 2
    if any(one.axes > most or -1 in one.file_shape for one in dataset.operands) or request.says_axes:
        from losscli.data.axes import lay_out

        dataset.layout = lay_out(request, dataset)
    if request.targets_from is not None or request.temperature is not None:
        from losscli.data.distributions import check_options

        check_options(request)
    if (doubt := about_name(request, dataset)) is not None:
        raise doubt.error()
    if dataset.targets is not None and dataset.targets.same_data(dataset.predictions):
        dataset.findings.append(
            Finding(
                "same-data",
                WARNING,
                f"{dataset.predictions.name}: predictions and targets are the same data",
                cure="name two files, or two columns with FILE:COLUMN",
            )
        )
    return request


class _Inputs(NamedTuple):
    """Predictions in a shape that the loss takes, and their classes."""

    predictions: Source
    several: bool
    """Whether a row has several outputs, each with a loss of its own."""
    k: int
    """Number of classes, or of outputs for losses with several outputs."""
    classes: tuple[str, ...] | None
    centers: Array | None
    box: str | None = None
    """How boxes are written; None for losses that are not of boxes."""
    mask: Source | None = None
    """What exists, shape (n,) or, for single outputs, (n, k); None for everything."""


def _inputs(request: Request, opener: Opener, dataset: Dataset) -> _Inputs:
    """Return the predictions, their classes, and the centers if the loss has some."""
    family, notes = request.loss.family, dataset.notes
    source = shaped(request, dataset, notes)
    names = None if request.classes is None else class_names(request.classes, opener.raws)
    if names and not (family.takes_centers or family.thresholds) and len(source.shape) == 2:
        source = in_order(source, names, notes)
    several = family.several_outputs and len(source.shape) == 2
    if family.takes_centers:
        from losscli.data.centers import centers_of

        centers, classes = centers_of(request, opener, source, names, notes)
        return _Inputs(source, several, len(centers), classes, centers)
    if family.boxes:
        from losscli.data.boxes import settled

        form, source = settled(request.box, dataset, source, notes)
        return _Inputs(source, several, source.shape[1], source.columns, None, form)
    if family.thresholds:
        return _Inputs(source, several, source.shape[1] + 1, in_thresholds(names, source), None)
    if len(source.shape) == 2:
        return _Inputs(
            source, several, source.shape[1] // family.parts, source.columns if family.parts == 1 else None, None
        )
    if names and len(names) != 2:
        raise DataError(
            f"--classes: {count(len(names), 'name')} for one score per row, {source.name}; give two, the positive class last"
        )
    return _Inputs(source, several, 1 if request.targets is None else 2, names, None)


def _decoded(request: Request, dataset: Dataset, inputs: _Inputs) -> DecodedTargets:
    """Decide what the targets are, numbers, outcomes or classes, and how they are read."""
    if request.targets is None:
        return likelihoods.decoded(inputs.predictions)
    constant = constant_of(request)
    if request.targets_from is not None and dataset.targets is not None:
        from losscli.data.distributions import distributions

        decoded = distributions(request, inputs.predictions, dataset.targets, inputs.classes, inputs.k)
        decoded.columns = inputs.predictions.columns
        return decoded
    wanted: Columns | float = constant if constant is not None else dataset.targets  # type: ignore[assignment]
    decoded = decode(
        request.loss.family,
        request.loss.name,
        inputs.predictions,
        wanted,
        inputs.classes,
        inputs.k,
        request.ignore_index,
        request.label_base,
        request.classes is not None,
        request.missing == "ignore",
    )
    decoded.columns = inputs.predictions.columns
    if request.loss.family.soft and decoded.encoding.kind != "soft" and not request.label_smoothing:
        raise DataError(
            f"{decoded.source.name}: labels, and {request.loss.name} divides by the target of each class; give soft targets above "
            "0, or say --label-smoothing E"
        )
    return decoded


def _job(
    request: Request,
    opener: Opener,
    dataset: Dataset,
    inputs: _Inputs,
    decoded: DecodedTargets,
    rows: bool,
    elements: bool,
    gradient: bool,
) -> Job:
    """Return the job: everything that the pass depends on, with the weights."""
    family, source = request.loss.family, inputs.predictions
    k = decoded.encoding.k if family.coupled == "rows" else inputs.k
    third = _third_operand(request, dataset, source)
    dtype = _dtype(request, inputs, decoded, third)
    of_masks = family.of_masks and len(source.shape) == 2
    apart = inputs.several or of_masks
    counts = class_counts(request, opener, decoded, k, apart, inputs.mask)
    by_class, by_output = class_weights(request, opener, decoded, k, apart, counts, inputs.mask)
    factors, by_output = (by_output, None) if of_masks else (None, by_output)
    by_output = output_weights(request, by_output, source, inputs.several)
    weights = weights_of(request, dataset, source, inputs.several)
    if request.group is not None:
        dataset.layout, weights = _lists(dataset, weights)
    unit = _unit(request, dataset, inputs.several, elements)
    extras = _extras(request, inputs, dtype)._replace(class_counts=counts)
    job = Job(
        loss=request.loss,
        predictions=source,
        targets=decoded.source,
        encoding=decoded.encoding,
        dtype=dtype,
        extras=extras,
        weights=weights.rows,
        element_weights=weights.elements,
        unit_weights=weights.samples,
        mask=inputs.mask,
        missing=request.missing == "ignore",
        layout=dataset.layout,
        unit="row" if unit == "position" else unit,
        over_positions=request.over_positions,
        rows_alike=dataset.layout is None and request.per in ("sample", "row"),
        class_weights=by_class,
        output_weights=by_output,
        over_outputs=request.over_outputs,
        rows=rows,
        elements=elements,
        gradient=gradient,
        third_operand=third,
        class_factors=factors,
        counted_classes=_counted_classes(request, source, decoded),
    )
    if job.lists is not None:
        job = _in_lists(job)
    if family.coupled == "rows":
        from losscli.engine.whole_file import everyone, without_positive

        job = replace(job, extras=extras._replace(everyone=everyone(request.loss.declaration, job)))
        if alone := without_positive(job):
            dataset.notes.append(
                f"{job.targets.name}: {count(alone, 'row has', 'rows have')} no other row of the same class, and so no loss; the "
                "others are compared with such rows all the same"
            )
    return job


def _lists(dataset: Dataset, weights: Weights) -> "tuple[Lists, Weights]":
    """Return the lists of --group, and the weights with one for each of them in place of those of rows."""
    from losscli.data.lists import lists_of, weights_of_lists

    lists = lists_of(dataset)
    if weights.rows is None:
        return lists, weights
    return lists, Weights(samples=weights_of_lists(weights.rows, lists))


def _in_lists(job: Job) -> Job:
    """Return the job with its rows in the order of the lists, each of which has one loss."""
    lists = job.lists
    assert lists is not None
    return replace(
        job,
        predictions=lists.arranged(job.predictions),
        targets=lists.arranged(job.targets),
        mask=None if job.mask is None else lists.arranged(job.mask),
        third_operand=None if job.third_operand is None else lists.arranged(job.third_operand),
        unit="sample",
    )


def _third_operand(request: Request, dataset: Dataset, source: Source) -> Source | None:
    """Return the third operand, of a file or one number for all predictions; None if the loss has none."""
    if (number := third_of_all(request)) is not None:
        return everywhere(number, source)
    if request.loss.family.third_operand is None:
        return None
    from losscli.data.third_operand import third_operand_of

    return third_operand_of(request, dataset, source, dataset.notes)


def _dtype(request: Request, inputs: _Inputs, decoded: DecodedTargets, third: Source | None) -> np.dtype[Any]:
    """Return the dtype of the computation: of the predictions, and of all numbers that are subtracted from them."""
    subtracted = [] if inputs.centers is None else [inputs.centers.dtype]
    if request.loss.family.target_type == "numbers" and decoded.encoding.kind != "constant":
        subtracted.append(decoded.source.dtype)
    if request.loss.family.third_operand == "event":  # a sum over all events has more digits than a float32 holds
        subtracted.append(np.dtype(np.float64))
    if third is not None:
        subtracted.append(third.dtype)
    return compute_dtype(inputs.predictions.dtype, np.result_type(*subtracted) if subtracted else None)


def _unit(request: Request, dataset: Dataset, several: bool, elements: bool) -> UnitKind:
    """Return what has one loss; `several` says that a row has several outputs.

    Raises a UsageError if positions have the losses and are to be reduced, or outputs have none and theirs are wanted.
    """
    family = request.loss.family
    unit: UnitKind = "position"
    if family.coupled is None:
        unit = unit_kind(family, request.per, several, dataset.layout, request.loss.name)
    if elements and unit != "position":
        raise UsageError(
            f"--elements: with --per {request.per} outputs have no losses of their own; --per sample,class gives one for each "
            "output of a sample"
        )
    apart = unit == "position" and dataset.layout is not None and family.coupled is None
    if apart and request.over_positions != "mean":
        raise UsageError(
            f"--over-positions {request.over_positions}: each position has a loss of its own; say --per sample as well"
        )
    return unit


def _extras(request: Request, inputs: _Inputs, dtype: np.dtype[Any]) -> Extras:
    """Return what the loss takes besides predictions and targets, centers in the dtype of the computation."""
    extras = Extras(
        prediction_kind=request.prediction_kind,
        pos_weight=pos_weight(request, inputs.predictions, inputs.several),
        centers=None if inputs.centers is None else inputs.centers.astype(dtype),
        activation=request.activation,
        box=inputs.box,
        columns=inputs.k if request.loss.family.of_sequences else None,
    )
    if request.loss.family.takes_levels:
        from losscli.data.levels import levels_of

        extras = extras._replace(levels=levels_of(request, inputs.predictions))
    if request.loss.family.ends_of_interval:
        from losscli.data.levels import check_interval

        check_interval(request, inputs.predictions)
    if request.temperature is None:
        return extras
    from losscli.data.distributions import tempered

    return extras._replace(temper=tempered(request))


def _counted_classes(request: Request, source: Source, decoded: DecodedTargets) -> Array | None:
    """Return which classes count in a loss of masks, shape (k,); None for all."""
    if request.exclude_class is None:
        return None
    from losscli.measurement.mask_options import counted_classes

    return counted_classes(request, source, decoded.classes or decoded.columns)
