"""Embedding losses: functions of the difference between a row's features and a point of its class."""

import numpy as np

from losscli.core import NON_NEGATIVE, Array, Axis, BoundLoss, Dense, Extras, Indices, Targets, Values, family, loss


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Value = sum over the feature dimension of core(x - c); soft rows weigh every class's center."""
    centers = extras.centers
    assert centers is not None
    if isinstance(targets, Indices):
        value, slope = loss.core(predictions - centers[targets.index])
        return np.einsum("ij->i", value, dtype=np.float64), slope if gradient else None
    assert isinstance(targets, Dense)
    total = np.zeros(len(predictions))
    slopes = np.zeros_like(predictions) if gradient else None
    for center, weight in zip(centers, targets.t.T, strict=True):
        value, slope = loss.core(predictions - center)
        total += np.where(weight == 0, 0, weight * np.einsum("ij->i", value, dtype=np.float64))
        if slopes is not None:
            slopes += np.where(weight[:, None] == 0, 0, weight[:, None] * slope)
    return total, slopes


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    return x[:, None], Indices(np.zeros(len(x), np.int64)), Extras(centers=np.zeros((1, 1)))


embedding = family(
    name="embedding",
    lift=lift,
    summary="functions of features and of their class's center",
    variables={"x": "features of a row", "c": "center of the row's class", "d": "x - c, one a feature"},
    value="sum over the features of f(d)",
    gradient="df/dd",
    targets="class indices or names, one a row; or one-hot or soft rows over the classes that have centers",
    reads="classes",
    axes={
        "distance": Axis(
            "D",
            "distance D of the features from the center of their class",
            (0.0, 3.0),
            _place,
            domain=NON_NEGATIVE,
            own=False,
        )
    },
    several_outputs=False,
    takes_class_weight=True,
    takes_centers=True,
)


@loss(
    embedding,
    "d**2 / 2",
    slope="d",
    aliases=("center-loss",),
    source="Wen, Zhang, Li and Qiao 2016, A Discriminative Feature Learning Approach for Deep Face Recognition, "
    "doi:10.1007/978-3-319-46478-7_31",
    special=(
        "summed, not averaged, over the features",
        "one-hot and soft rows: the sum over the classes of t_k times the loss to center k",
        "centers are read from --centers FILE and not updated",
    ),
    relations=("half-squared-error between features and centers, summed over the features",),
    baseline="centroid",
    facts=("convex",),
)
def center(d: Array) -> tuple[Array, Array]:
    """Half the squared distance between features and the center of their class."""
    return 0.5 * d * d, d
