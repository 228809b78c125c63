"""Class centers from a file: one row per class, in the features' dimension."""

import numpy as np

from losscli.arrays import Array
from losscli.data.class_names import by_name, in_order
from losscli.data.columns import Columns
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener
from losscli.io.source import MemorySource, Source, first_of, whole
from losscli.io.table import Table
from losscli.wording import count


def centers_of(
    request: Request, opener: Opener, features: Source, classes: tuple[str, ...] | None, notes: list[str]
) -> tuple[Array, tuple[str, ...] | None]:
    """Read the centers that --centers names, and return them with the names of their classes, if they have any.

    Returns an array of shape (k, d), finite, and k names or None.

    Parameters
    ----------
    features
        the predictions, shape (n, d).
    classes
        names of --classes in order, or None.
    notes
        gets a note if columns were matched by position, or reordered.

    Raises
    ------
    UsageError
        if there is no --centers.
    DataError
        if the file does not hold finite rows of the features' width.
    """
    if request.centers is None:
        raise UsageError(f"{request.loss.name} needs --centers FILE: one row per class, in the features' dimension")
    operand = opener.open(request.centers, "--centers")
    operand.check_alike()
    if operand.is_table:
        source, names = _of_table(operand.content, features, notes)
    else:
        source, names = Columns(operand, [], "centers").source(), None
        if features.columns and source.columns and len(source.shape) == 2:  # a data frame
            source, _ = by_name(source, features.columns, source.columns, notes)
    centers = _points(source, features)
    if classes is not None:  # rows of centers are classes, as columns of predictions are
        by_column = in_order(MemorySource(source.name, centers.T, names), classes, notes)
        centers, names = np.ascontiguousarray(whole(by_column).T), classes
    return centers, names


def _of_table(table: Table, features: Source, notes: list[str]) -> tuple[Source, tuple[str, ...] | None]:
    """Return the coordinates in a table, in the order of the features if both have names, and the names of the classes.

    The names are those of the column that has names, or None if there is none; `notes` gets what there is to say.
    """
    notes += [note for note in table.notes if note not in notes]
    named = table.name_column()
    source: Source = table.source([i for i in range(table.width) if i != named], one_axis=False)
    names = None if named is None else tuple(str(cell).strip() for cell in table.text(named).text())
    if features.columns and source.columns and len(source.shape) == 2:
        source, _ = by_name(source, features.columns, source.columns, notes)
    return source, names


def _points(source: Source, features: Source) -> Array:
    """Return centers as an array of shape (k, d); raise a DataError if they are no finite points among the features."""
    if len(source.shape) != 2 or source.shape[1] != features.shape[1]:
        raise DataError(
            f"{source.name}: centers have shape {source.shape} and features {features.shape}; "
            f"give one row per class with {count(features.shape[1], 'column')}"
        )
    centers = whole(source)
    bad = ~np.isfinite(centers)
    if bad.any():
        place, at = first_of(source, 0, bad)
        raise DataError(f"{place}: {centers[at]} is not a finite number; a center must be a point")
    return centers
