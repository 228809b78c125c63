"""Sequences: predictions of three axes, one distribution per time step, and one sequence of labels per sample."""

import os
import re

import numpy as np

from losscli.arrays import Array
from losscli.data.columns import Columns
from losscli.data.dataset import Dataset
from losscli.data.labels import as_number
from losscli.data.target_encoding import DecodedTargets, TargetEncoding, is_ignored
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener
from losscli.io.source import MemorySource, Source, whole
from losscli.io.turned import Steps, TimeFirst
from losscli.numerals import is_count
from losscli.records import NamedTuple
from losscli.wording import count, written

PADDING = -1.0
"""What stands after the last label of a sample, if nothing else is said."""


class Sequenced(NamedTuple):
    """Predictions as one row per sample, the number of classes, and the decoded targets."""

    predictions: Source
    classes: int
    decoded: DecodedTargets


def sequences_of(request: Request, opener: Opener, dataset: Dataset) -> Sequenced:
    """Read the predictions and targets of a loss of sequences.

    The axis of time is the one that --time-axis names, or else the one that the number of targets leaves.

    Raises
    ------
    DataError
        if shapes, lengths or labels do not go together, or both readings of the shape do.
    UsageError
        if options contradict each other.
    """
    loss, predictions, targets = request.loss, dataset.predictions, dataset.targets
    if len(predictions.shape) != 3:
        raise DataError(
            f"{loss.name}: {predictions.name} has shape {predictions.shape}; it takes three axes, (samples, time, classes) or "
            "(time, samples, classes): of one sample, save values[None]"
        )
    if targets is None:
        raise DataError(f"{request.targets}: no such file, and {loss.name} takes no constant for targets")
    classes, blank = predictions.shape[2], loss.parameters["blank"] or 0
    if blank >= classes:
        raise DataError(
            f"{loss.name}: --blank {written(blank)}, and {predictions.name} has {count(classes, 'class', 'classes')}"
        )
    if len(targets.shape) > 2:
        raise DataError(
            f"{loss.name}: {targets.name} has shape {targets.shape}; it takes one row of labels per sample, or all labels one after "
            "the other"
        )
    source = targets.source()
    lengths = _target_lengths(request, opener, source)
    samples = source.shape[0] if lengths is None else len(lengths)
    turned = _turned(request, dataset, samples)
    steps = _lengths(request.input_lengths, "--input-lengths", opener, samples, turned.shape[1] // classes)
    labels, lengths = _labels(request, source, lengths)
    _check_labels(request, source, labels, lengths, classes)
    found = np.where(np.arange(labels.shape[1]) < lengths[:, None], labels, PADDING).astype(np.int64)
    if steps is None:
        steps = np.full(samples, turned.shape[1] // classes)
    rows = np.concatenate([steps[:, None], lengths[:, None], found], axis=1)
    encoding = TargetEncoding("sequences", "sequences", classes)
    return Sequenced(turned, classes, DecodedTargets(MemorySource(source.name, rows), encoding))


def _turned(request: Request, dataset: Dataset, samples: int) -> Steps | TimeFirst:
    """Return the predictions as one row per sample, whichever of the first two axes holds the samples."""
    name, shape = dataset.predictions.name, dataset.predictions.shape
    if 0 in shape:
        raise DataError(f"{name}: shape {shape} has an axis of length 0")
    axis = request.time_axis
    if axis is None:
        if samples == shape[0] == shape[1]:
            raise DataError(
                f"{name}: shape {shape}, and there are {samples:,} samples: which axis is time? Say --time-axis 1 for (samples, "
                "time, classes), or --time-axis 0 for (time, samples, classes), as PyTorch has it"
            )
        axis = 0 if samples == shape[1] else 1
        if not axis:
            dataset.notes.append(f"{name}: shape {shape} is read as (time, samples, classes)")
    if shape[1 - axis] != samples:
        one = count(samples, "sample")
        others = "" if request.time_axis is None else f" with --time-axis {axis}"
        raise DataError(
            f"{name}: shape {shape}, and the targets are those of {one}{others}; give (samples, time, classes) or (time, samples, "
            "classes), and one row of labels per sample",
            "rows-differ",
        )
    source = dataset.predictions.source()
    return Steps(source) if axis else TimeFirst(source)


def _target_lengths(request: Request, opener: Opener, source: Source) -> Array | None:
    """Return the number of labels of each sample as --target-lengths says it; None without it.

    Raises an error if labels that stand one after the other have no lengths, or others than there are labels.
    """
    text = request.target_lengths
    flat, held = len(source.shape) == 1, source.shape[0]
    if text is not None and request.ignore_index is not None:
        raise UsageError("--ignore-index and --target-lengths both say where the labels of a sample end; leave one out")
    if not flat:
        return _lengths(text, "--target-lengths", opener, source.shape[0], source.shape[1])
    if text is None:
        raise DataError(
            f"{source.name}: shape {source.shape}: all labels one after the other? Say how many each sample has with "
            "--target-lengths, or give one row per sample, padded with -1"
        )
    number = _number(text, "--target-lengths")
    if number is not None:
        if not number or held % number:
            raise DataError(f"{source.name}: {count(held, 'label')}, which are no samples of --target-lengths {number}")
        return np.full(held // number, number)
    lengths = _lengths(text, "--target-lengths", opener, None, held)
    assert lengths is not None
    if lengths.sum() != held:
        raise DataError(
            f"{source.name}: {count(held, 'label')}, and --target-lengths {text} sums to {lengths.sum():,}; they must be equal "
            "where labels stand one after the other"
        )
    return lengths


def _number(text: str, option: str) -> int | None:
    """Return the whole number that an option says; None if it names a file."""
    if os.path.exists(text) or not re.fullmatch(r"[+-]?\d+(\.\d*)?", text, re.ASCII):
        return None
    if not is_count(text):
        raise UsageError(f"{option} {text}: is no whole number >= 0")
    return int(text)


def _lengths(text: str | None, option: str, opener: Opener, samples: int | None, most: int) -> Array | None:
    """Return the lengths that an option says, one per sample, (n,); None without it.

    Parameters
    ----------
    samples
        how many there must be; None for any number.
    most
        the largest that is possible.
    """
    if text is None:
        return None
    number = _number(text, option)
    if number is not None:
        if number > most:
            raise DataError(f"{option} {number}: there are no more than {most:,}")
        return np.full(samples or 0, number)
    operand = opener.open(text, option)
    columns = [] if not operand.is_table else [operand.picked or 0]
    if operand.is_table and operand.column is None and operand.content.width > 1:
        raise DataError(f"{option}: {operand.name} has {operand.content.width} columns; say which, as {text}:COLUMN")
    source = Columns(operand, columns, "lengths").source()
    values = whole(source)
    if values.shape not in ((len(values),), (len(values), 1)) or len(values) != (samples or len(values)):
        wanted = "one number per sample" if samples is None else f"one number per sample, ({samples},)"
        raise DataError(f"{option}: {source.name} has shape {source.shape}; give {wanted}", "rows-differ")
    values = values.reshape(-1).astype(np.float64)
    bad = ~((values == np.floor(values)) & (values >= 0) & (values <= most))
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{source.place(row)}: {written(values[row])} is no length; {option} takes whole numbers from 0 to {most:,}"
        )
    return values.astype(np.int64)


def _labels(request: Request, source: Source, lengths: Array | None) -> tuple[Array, Array]:
    """Return the labels as numbers, one row per sample, and how many of each row are labels."""
    values = whole(source).astype(np.float64)
    if values.ndim == 1:
        assert lengths is not None
        rows = np.full((len(lengths), int(lengths.max(initial=0))), PADDING)
        rows[np.arange(rows.shape[1]) < lengths[:, None]] = values
        return rows, lengths
    if lengths is not None:
        return values, lengths
    padding = PADDING if request.ignore_index is None else as_number(request.ignore_index, "--ignore-index")
    padded = is_ignored(values, padding)
    lengths = np.where(padded.any(axis=1), padded.argmax(axis=1), values.shape[1])
    late = ~padded & (np.arange(values.shape[1]) >= lengths[:, None])
    if late.any():
        row, column = (int(i) for i in np.argwhere(late)[0])
        raise DataError(
            f"{source.place(row, column)}: the label {written(values[row, column])} stands behind the {written(padding)} that ends the labels "
            "of its sample; say with --target-lengths where they end"
        )
    return values, lengths


def _check_labels(request: Request, source: Source, labels: Array, lengths: Array, classes: int) -> None:
    """Raise a DataError if a label is no class, or the blank."""
    blank = request.loss.parameters["blank"] or 0
    exists = np.arange(labels.shape[1]) < lengths[:, None]
    known = (labels == np.floor(labels)) & (labels >= 0) & (labels < classes) & (labels != blank)
    bad = exists & ~known
    if not bad.any():
        return
    row, column = (int(i) for i in np.argwhere(bad)[0])
    label = labels[row, column]
    place = source.place(row, column) if len(source.shape) == 2 else source.place(int(lengths[:row].sum()) + column)
    if label == blank:
        raise DataError(
            f"{place}: the label {written(label)} is the blank, which stands for no label; if it pads the row, say --ignore-index "
            f"{written(label)} or --target-lengths; if the blank is another class, say --blank",
            "label-not-a-class",
        )
    raise DataError(
        f"{place}: the label {written(label)} is not a class; the predictions have {classes} classes, 0 to {classes - 1}; labels end at "
        "the first -1, or where --ignore-index or --target-lengths says",
        "label-out-of-range" if label == np.floor(label) else "label-not-a-class",
    )
