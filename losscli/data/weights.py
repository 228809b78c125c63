"""Weights: one per row, one per class, one per output, and the factor of the positive term."""

import math
import os
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.data.class_names import by_class, in_output_order, named_numbers, order_of_names
from losscli.data.class_numbers import COUNTS, WEIGHTS, Classes, check_weights, counted, numbers_of_classes
from losscli.data.columns import Columns
from losscli.data.dataset import Dataset
from losscli.data.scalars import weight_of_all
from losscli.data.target_encoding import DecodedTargets
from losscli.data.units import SYNONYMS
from losscli.definition.loss import BoundLoss, Family
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener
from losscli.io.source import ConstantSource, Reordered, Reshaped, Source, blocks, first_of
from losscli.numerals import as_number
from losscli.records import NamedTuple, replace
from losscli.wording import count, shape_in_words, written

if TYPE_CHECKING:
    pass


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
            check_weights(samples, block.reshape(-1), start)
        return Weights(samples=Reshaped(samples) if len(samples.shape) == 2 else samples)
    source = columns.source()
    if len(source.shape) == 1:
        return Weights(rows=source)
    if several and source.shape == predictions.shape:
        return Weights(elements=in_output_order(source, columns, predictions, dataset))
    if source.shape[1] != 1:
        what = f", or one per output, {predictions.shape}" if several else ""
        raise DataError(f"{source.name}: weights have shape {source.shape}; give one weight per row, (n,){what}")
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
                f"{place}: {written(block[at])} in a mask, which holds 0 for what does not exist, and 1{_cure_of(source)}"
            )
        if block.ndim == 2 and not family.masks_elements and (block != block[:, :1]).any():
            row = start + int((block != block[:, :1]).any(axis=1).argmax())
            raise DataError(
                f"{source.place(row)}: the mask hides some numbers of a row and not others, and {loss.name} has one loss for all "
                "of them; give one number per row or position"
            )
    return in_output_order(source, columns, predictions, dataset) if family.masks_elements else source


def _cure_of(source: Source) -> str:
    """Return what to do about numbers of a mask that are neither 0 nor 1."""
    if all(((block == 0) | (block == 255)).all() for _, block in blocks(source)):
        return "; divide by 255, or save mask != 0"
    return "; weights are --sample-weight"


def hide_masked(family: Family, targets: Columns, mask: Source, predictions: Source) -> None:
    """Read targets that do not exist as legal ones, for padding may hold what no target is.

    Rows of them are left out of the pass; here they only must not be refused. Numbers are not looked at before the pass.
    The mask has its columns in the order of the predictions'.
    """
    if family.target_type not in ("signs", "outcomes", "classes") and not family.thresholds:
        return
    legal = np.ones(1)
    if family.target_type == "classes" and len(targets.shape) == 2 and targets.shape[1] > 1:
        legal = np.zeros(targets.shape[1])
        legal[0] = 1  # a row that sums to 1
    if len(mask.shape) == 2 and predictions.columns and targets.names:
        order = order_of_names(predictions.columns, targets.names)
        if order is not None:  # the targets are read as their file has them
            mask = Reordered(mask, tuple(np.argsort(order).tolist()))
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
        raise UsageError(f"--output-weight {text}: {predictions.name} has one output per sample; leave it out")
    k = predictions.shape[1]
    if "=" in text:
        numbers = by_class(named_numbers(text, "--output-weight"), predictions.columns, k, "--output-weight")
    else:
        words = text.split(",")
        try:
            numbers = np.array([as_number(word) for word in words])
        except ValueError as error:
            raise UsageError(f"--output-weight {text}: say one number per output, or NAME=NUMBER,...") from error
        if len(numbers) != k:
            raise UsageError(f"--output-weight {text}: {count(len(numbers), 'weight')} for {count(k, 'output')}")
    if not ((numbers >= 0) & np.isfinite(numbers)).all() or not numbers.any():
        raise UsageError(f"--output-weight {text}: weights are numbers >= 0, and not all of them 0")
    if not math.isfinite(sum(numbers.tolist())):
        raise UsageError(
            f"--output-weight {text}: their sum is too large for a number; divide the weights by their largest"
        )
    return numbers


class Rule(NamedTuple):
    """How the weights of classes follow from their counts n: a formula, and the weights before they are known to be finite."""

    formula: str
    beta: float | None = None

    def of(self, counts: Array) -> Array:
        """Return one weight per class, shape (k,); 0 for a class without samples."""
        with np.errstate(all="ignore"):  # soft targets may be almost 0
            if self.beta is None:
                return np.divide(counts.sum(), len(counts) * counts, out=np.zeros(len(counts)), where=counts > 0)
            beyond = -np.expm1(counts * np.log(self.beta))
            each = np.divide(1 - self.beta, beyond, out=np.zeros(len(counts)), where=counts > 0)
            return np.asarray(len(counts) / each.sum() * each)


def rule_of(text: str | None) -> Rule | None:
    """Return the rule that a value of --class-weight names; None if it names none.

    Raises a UsageError for a rule whose parameter makes no sense.
    """
    if text == "balanced":
        return Rule("sum(n) / (k * n)")
    if text is None or text.partition(":")[0] != "effective" or os.path.exists(text):
        return None
    try:
        beta = as_number(text.partition(":")[2])
    except ValueError:
        beta = math.nan
    if not 0 <= beta < 1:
        raise UsageError(f"--class-weight {text}: say effective:BETA with BETA in [0, 1), as effective:0.999")
    return Rule("k * e / sum(e) with e = (1 - beta) / (1 - beta**n)", beta)


def class_weights(
    request: Request,
    opener: Opener,
    made: DecodedTargets,
    k: int,
    several: bool,
    counts: Array | None = None,
    mask: Source | None = None,
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
    counts
        the counts of --class-counts, for weights that follow from counts; None for those of the targets.
    mask
        what exists, for counts of the targets; None for everything.

    Raises
    ------
    UsageError
        if the text of --class-weight cannot be read, or names an unknown class.
    DataError
        if a file of weights does not fit, or weights follow from counts that are next to 0.
    """
    text, rule = request.class_weight, rule_of(request.class_weight)
    if text is None:
        return None, None
    if rule is None:
        numbers = numbers_of_classes(WEIGHTS, text, opener, Classes.of(made, k, several))
    else:
        numbers = rule.of(counted(made, k, mask) if counts is None else counts)
        if not np.isfinite(numbers).all():
            raise DataError(
                f"{made.source.name}: --class-weight {text}: the targets of a class are next to 0, and its weight beyond all "
                "numbers; give weights by hand"
            )
    return (None, numbers) if several else (numbers, None)


def class_counts(
    request: Request, opener: Opener, made: DecodedTargets, k: int, several: bool, mask: Source | None = None
) -> Array | None:
    """Return the counts of --class-counts, shape (k,); None if there are none. The parameters are those of `class_weights`.

    Raises
    ------
    UsageError
        if the loss needs counts and there are none, if nothing needs them, or their text cannot be read.
    DataError
        if a file of counts does not fit, or a class has no samples and the loss needs some.
    """
    text, family = request.class_counts, request.loss.family
    if text is None:
        if family.takes_class_counts:
            raise UsageError(
                f"{request.loss.name} needs --class-counts A=100,B=5|FILE|targets: how many samples each class has in training"
            )
        return None
    if not family.takes_class_counts and rule_of(request.class_weight) is None:
        raise UsageError(
            f"--class-counts {text}: {request.loss.name} needs no counts; they are for --class-weight balanced or "
            "effective:BETA as well"
        )
    classes = Classes.of(made, k, several)
    from_targets = text == "targets" and not os.path.exists(text)
    counts = counted(made, k, mask) if from_targets else numbers_of_classes(COUNTS, text, opener, classes)
    none = np.flatnonzero(counts <= 0)
    if family.takes_class_counts and len(none):
        names = classes.names or [str(i) for i in range(k)]
        place = f"{made.source.name}: --class-counts targets" if from_targets else f"--class-counts {text}"
        raise DataError(
            f"{place}: class {names[none[0]]!r} has no samples, and {request.loss.name} needs a count above 0 of each class; "
            "give the counts of the training data, as --class-counts A=100,B=5"
        )
    return counts


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
        number = as_number(text)
    except ValueError:
        number = math.nan
    if not (number >= 0 and math.isfinite(number)):
        raise UsageError(f"--pos-weight {text}: is not a number >= 0, nor NAME=NUMBER,...")
    return number
