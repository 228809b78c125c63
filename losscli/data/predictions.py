"""Predictions: their columns as numbers, in a shape that the loss takes."""

import os

from losscli.data.dataset import Dataset
from losscli.data.targets import check_rows
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.npy import squeezed
from losscli.io.source import Source
from losscli.io.table import is_finite_number


def constant_of(request: Request) -> float | None:
    """Return the number, if the operand TARGETS is a constant instead of a file; else None.

    Raises
    ------
    DataError
        if the loss takes no constant for targets.
    """
    text = request.targets
    if os.path.exists(text) or not is_finite_number(text):
        return None
    family = request.loss.family
    takes = family.target_type == "numbers" and (family.several_outputs or family.one_target)
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
    family, name = request.loss.family, request.loss.name
    columns = dataset.predictions
    shape = columns.shape
    if len(shape) == 2 and shape[1] == 0:
        raise DataError(f"{columns.name}: shape {shape} has no columns")
    theirs = None if dataset.targets is None else dataset.targets.shape
    if family.rows is not None and len(shape) == 1:
        raise DataError(f"{name}: {columns.name} has shape {shape}; it takes rows of several numbers, {family.rows}")
    if family.width is not None and len(shape) == 2 and shape[1] != family.width:
        raise DataError(
            f"{name}: {columns.name} has shape {shape}; it takes {family.width} numbers a row: {family.rows}"
        )
    if len(shape) == 2 and shape[1] % family.parts:
        raise DataError(f"{name}: {columns.name} has shape {shape}; it takes {family.rows}")
    if family.target_type == "classes" and len(shape) == 1:
        raise DataError(
            f"{name}: {columns.name} has shape {shape}; it takes one column a class, (n, k); for one score a row use a "
            "sigmoid loss such as sigmoid-cross-entropy"
        )
    if family.target_type == "classes" and family.rows is None and shape[1] == 1:
        raise DataError(
            f"{name}: {columns.name} has shape {shape}: one class, whose probability is always 1; for one score a row "
            "use a sigmoid loss such as sigmoid-cross-entropy"
        )
    for other in (dataset.targets, dataset.weights, dataset.third_operand):
        if other is not None:
            check_rows(columns, other)  # from the headers alone, before a cell is parsed
    source = columns.source()
    distances = family.takes_distances and request.third_operand is None
    elementwise = (
        family.several_outputs or family.coupled == "masks" or distances or request.loss.declaration.remake is not None
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
