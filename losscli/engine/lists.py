"""Lists: those of which some items do not exist, such as padding, whose loss is that of the shorter list, and those of
unequal length, whose items are rows.
"""

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.loss import BoundLoss


def of_lists(
    loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, present: Array, gradient: bool
) -> Values:
    """Return the losses of lists without the items that do not exist, shape (n,), and their gradients, which are 0 there.

    Lists of the same length are computed together, each of the items that exist in their order.

    Parameters
    ----------
    predictions, targets
        of all items, shape (n, k).
    present
        which items exist, shape (n, k); at least one of each row.
    """
    assert isinstance(targets, Dense)
    lengths = np.count_nonzero(present, axis=1)
    values, slopes = np.zeros(len(predictions), predictions.dtype), np.zeros_like(predictions) if gradient else None
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        items = np.nonzero(present[rows])[1].reshape(len(rows), length)
        at = (rows[:, None], items)
        values[rows], of_items = loss(predictions[at], Dense(targets.t[at]), extras, gradient)
        if slopes is not None:
            slopes[at] = of_items
    return values, slopes


ITEMS_AT_ONCE = 1 << 16
"""Items of lists of one length that a loss gets together, if no list is longer."""


def of_rows(
    loss: BoundLoss,
    predictions: Array,
    targets: Array,
    cuts: Array,
    third_operand: Array | None,
    extras: Extras,
    gradient: bool,
) -> Values:
    """Return the losses of lists whose items are rows, shape (lists,), and the gradients of all rows, shape (n,).

    Lists of the same length are computed together; a list without items has the loss 0, and is not counted.

    Parameters
    ----------
    predictions, targets, third_operand
        of all items, shape (n,).
    cuts
        the first item of each list, and the number of all items, shape (lists + 1,).
    """
    lengths = np.diff(cuts)
    values = np.zeros(len(lengths), predictions.dtype)
    slopes = np.zeros_like(predictions) if gradient else None
    for length in np.unique(lengths[lengths > 0]).tolist():
        alike = np.flatnonzero(lengths == length)
        step = max(1, ITEMS_AT_ONCE // length)
        for lists in (alike[first : first + step] for first in range(0, len(alike), step)):
            at = cuts[lists][:, None] + np.arange(length)
            if third_operand is not None:
                extras = extras._replace(third_operand=third_operand[at])
            values[lists], found = loss(predictions[at], Dense(targets[at]), extras, gradient)
            if slopes is not None:
                slopes[at] = found
    return values, slopes
