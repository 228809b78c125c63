"""Ensembles of vectors: predictions of three axes, (samples, members, dimensions), with one vector of targets per sample."""

from losscli.data.columns import Columns
from losscli.data.dataset import Dataset
from losscli.errors import DataError
from losscli.io.source import Source
from losscli.io.turned import Steps, Turned

AXES = "(samples, members, dimensions)"


def vectors(loss: str, dataset: Dataset) -> Source:
    """Return predictions of three axes as rows, (samples, members * dimensions), one member after the other.

    `loss` is the name of the loss, for messages.

    Raises
    ------
    DataError
        if the shape is another one, or there are more or fewer rows of targets or of other operands.
    """
    columns, shape = dataset.predictions, dataset.predictions.shape
    if len(shape) != 3 or 0 in shape[1:]:
        raise DataError(
            f"{loss}: {columns.name} has shape {shape}; it takes {AXES}, or (samples, members) of one dimension"
        )
    for other in dataset.operands[1:]:
        if len(other.shape) > 2 or other.shape[0] != shape[0]:
            raise DataError(_misfit(loss, columns, other), "rows-differ")
    return Steps(columns.source())


def check_targets(loss: str, predictions: Source, targets: Columns) -> None:
    """Raise a DataError if targets are no vectors of as many dimensions as the members of predictions have."""
    wanted = shape_of_targets(predictions)
    if targets.shape == wanted or (len(targets.shape) == 1 and wanted[1:] == (1,)):
        return
    if isinstance(predictions, Turned):
        raise DataError(_misfit(loss, predictions.of, targets))
    if len(targets.shape) == 2 and targets.shape[1] > 1:
        width, d = predictions.shape[1], targets.shape[1]
        order = (
            f"of columns with one member after the other, save numpy.reshape(values, (-1, {width // d}, {d}))"
            if width % d == 0
            else f"{width} columns are no whole number of members"
        )
        raise DataError(
            f"{loss}: predictions {predictions.name} have shape {predictions.shape} and targets {targets.name} {targets.shape}; "
            f"of several dimensions give an array, {AXES}: {order}"
        )


def shape_of_targets(predictions: Source) -> tuple[int, ...]:
    """Return the shape of the targets that go with predictions: (n, dimensions), or (n,) with members that are numbers."""
    if isinstance(predictions, Turned):
        samples, _, dimensions = predictions.file_shape
        return samples, dimensions
    return predictions.shape[:1]


def _misfit(loss: str, predictions: Columns | Source, other: Columns) -> str:
    """Return the message about an operand whose shape does not go with predictions of three axes."""
    shape = predictions.shape
    role = other.role
    wanted = f"({shape[0]}, {shape[2]})" if role == "targets" else f"one number per sample, ({shape[0]},)"
    cure = f"the predictions are read as {AXES}: give {role} {wanted}"
    if role == "targets" and len(other.shape) == 2:
        turned = {(shape[1], shape[2]): (0, 1), (shape[0], shape[1]): (1, 2)}.get(other.shape)
        cure += (
            ""
            if turned is None
            else f"; if their axes are in another order, save numpy.swapaxes(values, {turned[0]}, {turned[1]})"
        )
    return f"{loss}: predictions {predictions.name} have shape {shape} and {role} {other.name} {other.shape}; {cure}"
