"""Weights: one per row, one per class, one per output, and the factor of the positive term."""

import math
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losscli.arrays import Array
from losscli.data.class_names import by_class, named_numbers
from losscli.data.columns import Columns
from losscli.data.dataset import Dataset
from losscli.data.scalars import weight_of_all
from losscli.data.target_encoding import DecodedTargets
from losscli.data.units import SYNONYMS
from losscli.definition.loss import BoundLoss, Family
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener
from losscli.io.source import ConstantSource, Reshaped, Source, blocks, first_of, whole
from losscli.wording import count, did_you_mean, shape_in_words

if TYPE_CHECKING:
    from losscli.io.table import Table


class Weights(NamedTuple):
    """Weights of rows, (n,), of single outputs of rows, (n, k), and of samples of several rows, (samples,); None for 1 each."""

    rows: Source | None = None
    elements: Source | None = None
    samples: Source | None = None


def weights_of(request: Request, dataset: Dataset, predictions: Source, several: bool) -> Weights:
    """Return the weights of --sample-weight.

    Parameters
    ----------
    predictions
        the predictions as rows.
    several
        whether a row has several outputs, each of which may have a weight of its own.

    Raises
    ------
    DataError
        if there is neither one per row, nor one per sample, nor one per output, or one of a sample is no weight.
    """
    columns, number = dataset.weights, weight_of_all(request)
    of_samples = SYNONYMS.get(request.per or "", request.per) in ("sample", "sample,class")
    if number is not None:
        whole_samples = of_samples and dataset.layout is not None
        height = dataset.layout.samples if dataset.layout is not None and whole_samples else predictions.shape[0]
        constant = ConstantSource(number, (height,), np.dtype(np.float64))
        return Weights(samples=constant) if whole_samples else Weights(rows=constant)
    if columns is None:
        return Weights()
    if of_samples and (columns.spread is not None or _weigh_cells(request, dataset)):
        samples = replace(columns, spread=None).source()
        for start, block in blocks(samples):  # a pass looks only at weights of rows
            _check_weights(samples, block.reshape(-1), start)
        return Weights(samples=Reshaped(samples) if len(samples.shape) == 2 else samples)
    source = columns.source()
    if len(source.shape) == 1:
        return Weights(rows=source)
    if several and source.shape == predictions.shape:
        return Weights(elements=source)
    if source.shape[1] != 1:
        what = f", or one per output, {predictions.shape}" if several else ""
        raise DataError(f"{source.name}: weights have shape {source.shape}; give one weight a row, (n,){what}")
    dataset.notes.append(f"{source.name}: shape {source.shape} was squeezed to {source.shape[:1]}")
    return Weights(rows=Reshaped(source))


def _weigh_cells(request: Request, dataset: Dataset) -> bool:
    """Whether one weight per row of a table is the weight of all cells of the row."""
    columns = dataset.weights
    cells = request.per == "sample,class" and dataset.layout is None
    return cells and columns is not None and (len(columns.shape) == 1 or columns.shape[1] == 1)


def mask_of(loss: BoundLoss, dataset: Dataset, predictions: Source) -> Source | None:
    """Return the mask as a source, (n,) or, for single elements, (n, k), after a look at all of it; None if there is none.

    Raises
    ------
    DataError
        if it has another shape than the targets, or numbers other than 0 and 1, or if it hides single numbers of a row that
        has one loss.
    """
    columns = dataset.mask
    if columns is None:
        return None
    if columns.operand.is_table:
        from losscli.data.truth import read_words

        read_words(columns)
    source = columns.source()
    if len(source.shape) == 2 and source.shape[1] == 1 and source.shape != predictions.shape:
        source = Reshaped(source)
    table, family = len(predictions.shape) == 2, loss.family
    targets = dataset.targets.shape if dataset.targets is not None else predictions.shape
    fitting = [] if family.several_outputs and table else [predictions.shape[:1]]
    fitting += [targets] if len(targets) == 1 else []
    fitting += [predictions.shape] if table and (family.masks_elements or len(targets) == 2) else []
    if source.shape not in fitting:
        shapes = [dataset.targets.file_shape] if dataset.layout is not None and dataset.targets is not None else fitting
        wanted = " or ".join(dict.fromkeys(map(shape_in_words, shapes)))
        raise DataError(
            f"{columns.name}: the mask has shape {shape_in_words(columns.file_shape)}; it has the targets' shape, {wanted}"
        )
    for start, block in blocks(source):
        bad = ~((block == 0) | (block == 1))
        if bad.any():
            place, at = first_of(source, start, bad)
            raise DataError(
                f"{place}: {block[at]:g} in a mask, which holds 0 for what does not exist, and 1{_cure_of(source)}"
            )
        if block.ndim == 2 and not family.masks_elements and (block != block[:, :1]).any():
            row = start + int((block != block[:, :1]).any(axis=1).argmax())
            raise DataError(
                f"{source.place(row)}: the mask hides some numbers of a row and not others, and {loss.name} has one loss for all "
                "of them; give one number per row or position"
            )
    return source


def _cure_of(source: Source) -> str:
    """Return what to do about numbers of a mask that are neither 0 nor 1."""
    if all(((block == 0) | (block == 255)).all() for _, block in blocks(source)):
        return "; divide by 255, or save mask != 0"
    return "; weights are --sample-weight"


def hide_masked(family: Family, targets: Columns, mask: Source) -> None:
    """Read targets that do not exist as legal ones, for padding may hold what no target is.

    Rows of them are left out of the pass; here they only must not be refused. Numbers are not looked at before the pass.
    """
    if family.target_type not in ("signs", "outcomes", "classes"):
        return
    legal = np.ones(1)
    if family.target_type == "classes" and len(targets.shape) == 2 and targets.shape[1] > 1:
        legal = np.zeros(targets.shape[1])
        legal[0] = 1  # a row that sums to 1
    targets.masked = (mask, legal)


def output_weights(request: Request, of_classes: Array | None, predictions: Source, several: bool) -> Array | None:
    """Return the weights of outputs, shape (k,), from --output-weight or, as `of_classes`, from --class-weight; None for 1 each.

    Raises
    ------
    UsageError
        if both are given, if there are no outputs, or if the text is not one number per output.
    """
    text = request.output_weight
    if text is None:
        return of_classes
    if of_classes is not None:
        raise UsageError("--output-weight and --class-weight both weigh the outputs of a sample; say one of them")
    if not several:
        raise UsageError(f"--output-weight {text}: {predictions.name} has one output a sample; leave it out")
    k = predictions.shape[1]
    if "=" in text:
        numbers = by_class(named_numbers(text, "--output-weight"), predictions.columns, k, "--output-weight")
    else:
        words = text.split(",")
        try:
            numbers = np.array([float(word) for word in words])
        except ValueError as error:
            raise UsageError(f"--output-weight {text}: say one number per output, or NAME=NUMBER,...") from error
        if len(numbers) != k:
            raise UsageError(f"--output-weight {text}: {count(len(numbers), 'weight')} for {count(k, 'output')}")
    if not ((numbers >= 0) & np.isfinite(numbers)).all() or not numbers.any():
        raise UsageError(f"--output-weight {text}: weights are numbers >= 0, and not all of them 0")
    return numbers


def class_weights(
    request: Request, opener: Opener, made: DecodedTargets, k: int, several: bool, mask: Source | None = None
) -> tuple[Array | None, Array | None]:
    """Return weights per class that weigh rows, and weights per output that weigh outputs;
    at most one of them is not None.

    Parameters
    ----------
    made
        the decoded targets.
    k
        number of classes, or of outputs.
    several
        whether the predictions have several outputs.
    mask
        what exists, for weights that follow from counts; None for everything.

    Raises
    ------
    UsageError
        if the text of --class-weight cannot be read, or names an unknown class.
    DataError
        if a file of weights does not fit.
    """
    text = request.class_weight
    if text is None:
        return None, None
    names, columns = made.classes, made.columns
    if not several and made.encoding.stored_as in ("signs", "outcomes"):
        names = ("-1", "1") if made.encoding.kind == "signed" else names or ("0", "1")
    if text == "balanced":
        numbers = _balanced(made, k, mask)
        if not np.isfinite(numbers).all():
            raise DataError(
                f"{made.source.name}: --class-weight balanced: the targets of a class are next to 0, and its weight beyond all "
                "numbers; give weights by hand"
            )
    elif "=" in text and not os.path.exists(text):
        pairs = named_numbers(text, "--class-weight")
        if names == ("0", "1"):
            pairs = [
                ("0" if name == "-1" else name, value) for name, value in pairs
            ]  # labels in {-1, 1} of which none is -1 look like {0, 1}
        numbers = by_class(pairs, names, k, "--class-weight", columns)
    else:
        numbers = _weights_of_file(opener, text, names, k)
    return (None, numbers) if several else (numbers, None)


def _balanced(made: DecodedTargets, k: int, mask: Source | None) -> Array:
    """Return N / (k * count) for each class, as scikit-learn's 'balanced'; 0 for a class that no row has."""
    counts = np.zeros(k)
    for start, batch in blocks(made.source):
        kept = made.encoding.keep(batch)
        if mask is not None and len(mask.shape) == 1:
            there = mask.read(start, start + len(batch)) != 0
            kept = there if kept is None else kept & there
        rows = batch if kept is None else batch[kept]
        if made.encoding.stored_as == "indices":
            counts += np.bincount(rows.astype(np.int64), minlength=k)
            continue
        t = (rows if made.encoding.stored_as == "rows" else made.encoding.outcomes(rows)).astype(np.float64)
        counts += np.array([len(t) - t.sum(), t.sum()]) if t.ndim == 1 else t.sum(axis=0)
    with np.errstate(over="ignore"):  # soft targets may be almost 0
        return np.divide(counts.sum(), k * counts, out=np.zeros(k), where=counts > 0)


def _weights_of_file(opener: Opener, text: str, names: tuple[str, ...] | None, k: int) -> Array:
    """Return one weight per class, shape (k,), from a file."""
    if not os.path.exists(text) and did_you_mean(text, ["balanced"], alike=0.8):
        raise UsageError(f"--class-weight {text}: no such file (did you mean balanced?)")
    if not os.path.exists(text) and re.fullmatch(r"[\d.,eE+ -]+", text):
        raise UsageError(f"--class-weight {text}: say NAME=NUMBER,... or give a file with one number a class")
    operand = opener.open(text, "--class-weight")
    if operand.is_table and operand.content.width > 1 and operand.column is None:
        return _weights_of_table(operand.content, text, names, k)
    source = Columns(operand, [] if not operand.is_table else [operand.picked or 0], "class weights").source()
    values = whole(source).reshape(-1)
    if len(values) != k:
        raise DataError(
            f"{source.name}: {count(len(values), 'class weight')} for {count(k, 'class', 'classes')}; give one a class"
        )
    _check_weights(source, values)
    return values.astype(np.float64)


def _weights_of_table(table: "Table", text: str, names: tuple[str, ...] | None, k: int) -> Array:
    """Return one weight per class from a table of names and weights, or from one row with one column per class."""
    named = table.name_column()
    if named is None and table.names and table.height == 1:
        source = table.source(range(table.width))
        cells, values = list(table.names), whole(source)[0]
    elif table.width == 2:
        named = named or 0
        source = table.source([1 - named])
        cells, values = [str(cell) for cell in table.text(named).text()], whole(source)
    else:
        raise DataError(
            f"{table.name}: {count(table.width, 'column')}; give a name and a weight a row, or {table.name}:COLUMN"
        )
    _check_weights(source, values)
    return by_class(list(zip(cells, values.tolist(), strict=True)), names, k, f"--class-weight {text}")


def _check_weights(source: Source, values: Array, start: int = 0) -> None:
    """Raise a DataError if a weight is negative or not finite; the first one is that of row `start`."""
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{source.place(start + row)}: the weight {values[row]:g} is negative or not finite; weights are numbers >= 0",
            "bad-weights",
        )


def pos_weight(request: Request, predictions: Source, several: bool) -> Array | float | None:
    """Return the factor of the positive term: one number, one per output, shape (k,), or
    None if there is no --pos-weight.

    Raises
    ------
    UsageError
        if its text is not a number >= 0, nor a list of NAME=NUMBER.
    """
    text = request.pos_weight
    if text is None:
        return None
    if "=" in text:
        if not several:
            raise UsageError(f"--pos-weight {text}: there is one output, without a name; say --pos-weight X")
        pairs = named_numbers(text, "--pos-weight")
        return by_class(pairs, predictions.columns, predictions.shape[1], "--pos-weight")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (number >= 0 and math.isfinite(number)):
        raise UsageError(f"--pos-weight {text}: is not a number >= 0, nor NAME=NUMBER,...")
    return number
