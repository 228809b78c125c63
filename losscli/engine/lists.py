"""Lists of which some items do not exist, such as padding: their loss is that of the shorter list."""

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
