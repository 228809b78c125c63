"""Predictions: their columns as numbers, in a shape that the loss takes."""

import os

from losscli.data.columns import Columns
from losscli.data.dataset import Dataset
from losscli.data.targets import check_rows
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.npy import squeezed
from losscli.io.source import Source
from losscli.io.table import is_finite_number, parses_as_number
from losscli.wording import count, shape_in_words

MOST_BYTES_OF_ROW = 4 << 30
"""Bytes of memory that a row may take while its loss is computed."""
COPIES_OF_ROW = 16
"""How many times the bytes of its predictions a row takes about then, with targets, losses and what is made on the way."""


def constant_of(request: Request) -> float | None:
    """Return the number, if the operand TARGETS is a constant instead of a file; else None.

    Raises
    ------
    DataError
        if the loss takes no constant for targets.
    """
    text = request.targets
    if text is None or os.path.exists(text) or not parses_as_number(text):
        return None
    if not is_finite_number(text):
        raise DataError(f"{text}: no such file (targets), and no constant: a constant is a finite number")
    family = request.loss.family
    takes = family.target_type in ("numbers", "signs") and (family.several_outputs or family.one_target)
    if not takes and request.loss.declaration.resolve is None:
        raise DataError(f"{text}: no such file, and {request.loss.name} takes no constant for targets")
    if request.ignore_index is not None:
        raise UsageError("--ignore-index: the targets are one constant, so no label marks a row")
    return float(text)


def shaped(request: Request, dataset: Dataset, notes: list[str]) -> Source:
    """Return the predictions as a source whose shape the family takes: (n,) or (n, k).

    Raises
    ------
    DataError
        if the shape is another one, or the rows of other operands are more or fewer.
    """
    columns = dataset.predictions
    if request.loss.family.of_vectors and len(columns.shape) > 2:
        from losscli.data.vectors import vectors

        return vectors(request.loss.name, dataset)
    _check_commas(request, dataset)
    shape = columns.shape
    shown = shape_in_words(columns.file_shape)
    if dataset.layout is None and len(shape) == 2:
        _check_width(request, columns, shown)
    _check_rows_of_numbers(request, columns.name, shape, shown)
    _check_classes(request, columns.name, shape, dataset.targets, shown)
    for other in dataset.operands[1:]:
        check_rows(columns, other)  # from the headers alone, before a cell is parsed
    source = columns.source()
    note = None if dataset.targets is None else _note_of_squeezing(request, columns.name, shape, dataset.targets.shape)
    if note is not None:
        notes.append(note)
        return squeezed(source)
    if dataset.layout is None and len(shape) == 2 and shape[0] == 1 < shape[1] and request.loss.family.several_outputs:
        notes.append(
            f"{columns.name}: shape {shape} is one sample of {shape[1]} outputs; if not, save it as ({shape[1]},)"
        )
    return source


def _check_width(request: Request, columns: Columns, shown: str) -> None:
    """Raise a DataError if a single row takes too much memory: rows are read whole, thus memory grows with their width."""
    rows, width = columns.shape
    size = width * max(columns.dtype.itemsize, 4) * COPIES_OF_ROW
    if size <= MOST_BYTES_OF_ROW:
        return
    family = request.loss.family
    if not (family.several_outputs or family.of_masks):
        cure = "are its columns classes? If not, save numpy.transpose(values)"
    elif rows == 1:
        cure = f"if it is no single sample, save it as ({width},)"
    else:
        cure = "save numpy.reshape(values, (-1, COLUMNS)) with fewer COLUMNS, which leaves a mean over all numbers as it is"
    raise DataError(
        f"{columns.name}: shape {shown}: one row takes some {size / 1e9:.1f} GB of memory, and the limit is "
        f"{MOST_BYTES_OF_ROW / 1e9:.1f} GB; {cure}"
    )


def _check_commas(request: Request, dataset: Dataset) -> None:
    """Raise a DataError if it is doubtful whether commas separate columns of a file or stand within decimal numbers."""
    used = (dataset.predictions, dataset.targets, dataset.weights, dataset.third_operand)
    if any(
        columns is not None and columns.operand.is_table and columns.operand.content.unsaid_commas for columns in used
    ):
        from losscli.data.decimals import about_decimals

        if (doubt := about_decimals(dataset, request.loss.family)) is not None:
            raise doubt.error()


def _check_rows_of_numbers(request: Request, file: str, shape: tuple[int, ...], shown: str) -> None:
    """Raise a DataError if rows of predictions have more or fewer numbers than the family asks for.

    `shown` is the shape of the file, for messages.
    """
    family, name = request.loss.family, request.loss.name
    if len(shape) == 2 and shape[1] == 0:
        raise DataError(f"{file}: shape {shown} has no columns")
    if len(shape) == 2 and shape[1] > 1 and (request.group is not None or family.third_operand == "event"):
        what = "with --group a row is one item of a list" if request.group is not None else "a row has one log-risk"
        raise DataError(f"{name}: {file} has shape {shown}; {what}, one number, (n,)")
    if family.rows is not None and len(shape) == 1 and request.group is None:
        cure = (
            "; if each row is one item of a list, say with --group which column names its list" if family.lists else ""
        )
        raise DataError(f"{name}: {file} has shape {shown}; it takes rows of several numbers, {family.rows}{cure}")
    if family.width is not None and len(shape) == 2 and shape[1] != family.width:
        raise DataError(f"{name}: {file} has shape {shown}; it takes {family.width} numbers per row: {family.rows}")
    if len(shape) == 2 and shape[1] % family.parts:
        raise DataError(f"{name}: {file} has shape {shown}; it takes {family.rows}")


def _check_classes(request: Request, file: str, shape: tuple[int, ...], targets: Columns | None, shown: str) -> None:
    """Raise a DataError if a loss over classes gets predictions without several columns, one per class.

    `shown` is the shape of the file, for messages.
    """
    family, name = request.loss.family, request.loss.name
    if family.target_type != "classes" or request.targets is None:
        return
    if len(shape) == 1 and targets is not None and 0 < (rows := targets.shape[0]) < shape[0] and shape[0] % rows == 0:
        raise DataError(
            f"{name}: {file} has shape {shape}, and {targets.name} {count(rows, 'row')}; if it is a table that was flattened, "
            f"save it with numpy.reshape(values, ({rows}, {shape[0] // rows}))"
        )
    if len(shape) == 1:
        raise DataError(
            f"{name}: {file} has shape {shape}; it takes one column per class, (n, k); for one score per row use a "
            "sigmoid loss such as sigmoid-cross-entropy",
            cures=(("LOSS", "outcomes"),),
        )
    if family.rows is None and shape[1] == 1:
        raise DataError(
            f"{name}: {file} has shape {shown}: one class, whose probability is always 1; for one score per row "
            "use a sigmoid loss such as sigmoid-cross-entropy"
        )


def _note_of_squeezing(request: Request, file: str, shape: tuple[int, ...], theirs: tuple[int, ...]) -> str | None:
    """Return the note about one column of predictions, (n, 1), that is read as one number per row, (n,).

    None if the predictions stay as they are. `theirs` is the shape of the targets.
    """
    family = request.loss.family
    distances = family.takes_distances and request.third_operand is None
    elementwise = (
        family.several_outputs or family.coupled == "masks" or distances or request.loss.declaration.remake is not None
    )
    elementwise = elementwise or request.group is not None or family.third_operand == "event"
    if len(shape) != 2 or shape[1] != 1 or not elementwise:
        return None
    if len(theirs) == 1 or (distances and theirs == shape):
        return f"{file}: shape {shape} was squeezed to {shape[:1]}, the targets' shape"
    if (family.coupled == "masks" or family.lists) and theirs == shape:
        return f"{file} and its targets: shape {shape} was squeezed to {shape[:1]}: one number per row"
    if family.takes_class_weight and theirs == shape:
        return f"{file} and its targets: shape {shape} was squeezed to {shape[:1]}: one output, two classes"
    return None
