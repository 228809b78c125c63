"""Triplets that are mined in a file: each row is an anchor among all others, by the distances between their features.

A core gets the distances D of n rows to all N rows, shape (n, N), and two arrays of booleans in this shape: which of the N
rows are of the row's class, and which of other classes. It returns one value per row, a function that computes its
derivative by every distance, and the number of its triplets.
"""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.definition.batch import Everyone, Extras, Indices, Targets, Values
from losscli.definition.domain import NON_NEGATIVE
from losscli.definition.loss import Axis, BoundLoss
from losscli.definition.registry import family, loss
from losscli.losses.contrastive import ALONE
from losscli.losses.ranking import lost

Slopes = Callable[[], Array]

CACHED = 1 << 16
"""Distances that are made at a time: they are gone through once for each feature."""


def wide(features: Array) -> Array:
    """Return features in float64 or wider."""
    return features.astype(np.promote_types(features.dtype, np.float64))


def scale_of(features: Array) -> float:
    """Return a power of two near the largest finite size of features: divided by it, no square overflows."""
    sizes = np.abs(features[np.isfinite(features)])
    most = float(sizes.max()) if sizes.size else 0.0
    return float(np.ldexp(1.0, int(np.frexp(most)[1]))) if most else 1.0


def distances(a: Array, b: Array, scale: float) -> Array:
    """Return the Euclidean distances of the rows of a, shape (n, d), to those of b, shape (N, d), as an array (n, N).

    They are computed from differences, so that near rows keep their digits.
    """
    total = np.zeros((len(a), len(b)), a.dtype)
    gap = np.empty_like(total)
    for x, y in zip(a.T / scale, np.ascontiguousarray(b.T) / scale, strict=True):
        np.subtract(x[:, None], y, out=gap)
        gap *= gap
        total += gap
    return np.sqrt(total) * scale


def _gradient(a: Array, b: Array, distance: Array, slope: Array) -> Array:
    """Return the derivatives by the rows of a; that of a distance is its direction, and 0 where it is 0."""
    by_gap = np.where(distance > 0, slope, 0) / np.where(distance > 0, distance, 1)
    return np.stack([np.einsum("ij,ij->i", by_gap, x[:, None] - y) for x, y in zip(a.T, b.T, strict=True)], axis=1)


def _blocks(rows: int, everyone: Everyone) -> list[slice]:
    """Return parts of so many rows, whose distances to all rows fit into a processor's cache."""
    step = max(1, CACHED // max(1, len(everyone.features)))
    return [slice(first, first + step) for first in range(0, rows, step)]


def _members(everyone: Everyone, index: Array, at: Array) -> tuple[Array, Array]:
    """Return which of all rows are of the class of each of some rows, without the rows themselves, and which of others."""
    alike = index[:, None] == everyone.labels
    itself = at[:, None] == np.arange(len(everyone.labels))
    return alike & ~itself & everyone.kept, ~alike & everyone.kept


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(distances to all rows), times the share of the file; dD/da = (a - b) / D, and 0 if D is 0."""
    everyone, at = extras.everyone, extras.at
    assert isinstance(targets, Indices)
    assert everyone is not None
    assert at is not None
    a = wide(predictions)
    # Rows that are ignored must have no effect, and NaN times 0 is NaN.
    features = np.where(everyone.kept[:, None], everyone.features, 0)
    scale = scale_of(features)
    values = np.zeros(len(a))
    slopes = np.zeros_like(a) if gradient else None
    for rows in _blocks(len(a), everyone):
        d = distances(a[rows], features, scale)
        positives, negatives = _members(everyone, targets.index[rows], at[rows])
        value, slope, _ = loss.declaration.core(d, positives, negatives, **loss.parameters)
        values[rows] = value + lost(np.where(positives | negatives, d, 0))
        if slopes is not None:
            slopes[rows] = everyone.share * _gradient(a[rows], features, d, slope())
    return everyone.share * values + lost(a), slopes


def share_of_triplets(loss: BoundLoss, everyone: Everyone) -> float:
    """Return the number of anchors over that of the triplets of the file: the mean of so many times the sums of anchors is
    the mean over the triplets. It is 0 if there are none.
    """
    anchors = np.flatnonzero(everyone.kept if everyone.anchors is None else everyone.anchors)
    features = np.where(everyone.kept[:, None], everyone.features, 0)
    scale, number = scale_of(features), 0
    with np.errstate(all="ignore"):
        for rows in _blocks(len(anchors), everyone):
            at = anchors[rows]
            positives, negatives = _members(everyone, everyone.labels[at], at)
            d = distances(features[at], features, scale)
            number += int(loss.declaration.core(d, positives, negatives, **loss.parameters)[2].sum())
    return len(anchors) / number if number else 0.0


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    everyone = Everyone(np.array([[0.0], [1.0]]), np.array([0, 1]), np.ones(2, bool))
    return x[:, None], Indices(np.zeros(len(x), np.int64)), Extras(everyone=everyone, at=np.full(len(x), 2))


VARIABLES = {
    "D": "Euclidean distances between the features of a row, the anchor, and those of all rows",
    "positives": "the other rows of the anchor's class",
    "negatives": "the rows of other classes",
}


def _declared(name: str, **more: object) -> dict[str, object]:
    """Return what families of mined triplets have in common."""
    return {
        "name": name,
        "lift": lift,
        "variables": VARIABLES,
        "value": "f(D)",
        "gradient": "the sum over the rows j of df/dD_j * (a - b_j) / D_j, with the features a of the anchor and b of the "
        "others: of a row's own loss, the other rows held fixed",
        "targets": "labels, one per row: any names or whole numbers; rows of one label belong together",
        "target_type": "classes",
        "rows": "features",
        "hard": True,
        "coupled": "rows",
        "meets": wide,
        "needs_negatives": True,
        "axes": {
            "distance": Axis(
                "D",
                "distance D of the anchor from its positive; the one negative is at 1 on the same line",
                (0.0, 1.0),
                _place,
                domain=NON_NEGATIVE,
                own=False,
            )
        },
        "several_outputs": False,
        "takes_class_weight": True,
    } | more


mined = family(**_declared("mined", summary="functions of the distances of an anchor to the other rows of the file"))

Margin = Annotated[float, NON_NEGATIVE, "by how much the negative is to be farther away"]
AS_THEY_ARE = (
    "distances are not squared, and features not made of unit length: pytorch-metric-learning does that by default; divide "
    "them by their lengths first"
)


@loss(
    mined,
    "max(0, max(D[j] for j in positives) + max(-D[k] for k in negatives) + margin)",
    aliases=("batch-hard", "batch-hard-triplet-loss", "triplet-hard", "triplet-hard-loss"),
    source="Hermans, Beyer and Leibe 2017, In Defense of the Triplet Loss for Person Re-Identification, arXiv:1703.07737 "
    "(equation 5)",
    special=(AS_THEY_ARE, "the mean is over all anchors, those of loss 0 as well", ALONE),
)
def batch_hard_triplet(
    D: Array, positives: Array, negatives: Array, *, margin: Margin = 1.0
) -> tuple[Array, Slopes, Array]:
    """The triplet loss of each row with the farthest row of its class and the nearest one of another."""
    far, near = np.where(positives, D, -np.inf), np.where(negatives, D, np.inf)
    at_far, at_near = far.argmax(axis=1)[:, None], near.argmin(axis=1)[:, None]
    gap = (np.take_along_axis(far, at_far, 1) - np.take_along_axis(near, at_near, 1))[:, 0] + margin

    def slope() -> Array:
        slopes = np.zeros_like(D)
        active = (gap > 0).astype(D.dtype)[:, None]
        np.put_along_axis(slopes, at_far, active, 1)
        np.put_along_axis(slopes, at_near, -active, 1)
        return slopes

    return np.maximum(gap, 0), slope, np.ones(len(D))


@loss(
    mined,
    "sum(max(0, D[j] + margin - where(far > D[j], -max(where(D[k] > D[j], -D[k], -inf) for k in negatives), far))"
    " for j in positives) / len(positives)",
    where={"far": "max(D[k] for k in negatives)"},
    aliases=("semi-hard", "semi-hard-triplet-loss", "triplet-semi-hard", "triplet-semi-hard-loss", "batch-semi-hard"),
    source="Schroff, Kalenichenko and Philbin 2015, FaceNet: A Unified Embedding for Face Recognition and Clustering, "
    "arXiv:1503.03832; TensorFlow Addons, TripletSemiHardLoss (the farthest negative where none is farther than the positive)",
    special=(
        "for each positive of an anchor, the nearest negative that is farther away than the positive; where there is none, "
        "the farthest negative",
        "the mean over the positives of a row; TensorFlow Addons and sentence-transformers take the mean over all pairs of the "
        "file: the same where all classes have as many rows, or with --class-weight of one less than the rows of each class",
        "pytorch-metric-learning mines all negatives that are farther than the positive by less than the margin, and no other",
        AS_THEY_ARE,
        ALONE,
    ),
)
def semi_hard_triplet(
    D: Array, positives: Array, negatives: Array, *, margin: Margin = 1.0
) -> tuple[Array, Slopes, Array]:
    """The triplet losses of each row with each other of its class and the nearest of another that is farther away."""
    values, chosen = np.zeros(len(D), D.dtype), []
    for i, (d, near, far) in enumerate(zip(D, positives, negatives, strict=True)):
        ours, others = np.flatnonzero(near), np.flatnonzero(far)
        if not len(ours) or not len(others):
            values[i] = np.nan
            continue
        others = others[np.argsort(d[others], kind="stable")]
        beyond = np.searchsorted(d[others], d[ours], side="right")
        negative = others[np.minimum(beyond, len(others) - 1)]
        gap = d[ours] - d[negative] + margin
        values[i] = np.maximum(gap, 0).sum() / len(ours)
        chosen.append((i, ours[gap > 0], negative[gap > 0], len(ours)))

    def slope() -> Array:
        slopes = np.zeros_like(D)
        for i, ours, negative, number in chosen:
            np.add.at(slopes[i], ours, 1 / number)
            np.subtract.at(slopes[i], negative, 1 / number)
        return slopes

    return values, slope, row_sums(positives.astype(np.float64))


every_triplet = family(
    **_declared(
        "every-triplet",
        summary="functions of the distances of an anchor to the other rows of the file, divided by a number of the file",
        variables=VARIABLES
        | {
            "anchors": "number of rows of the file that have a positive",
            "triplets": "number of triplets of the file whose loss is above 0",
        },
        census=share_of_triplets,
    )
)


@loss(
    every_triplet,
    "sum(max(0, D[j] - D[k] + margin) for j in positives for k in negatives) * anchors / triplets",
    aliases=("batch-all", "batch-all-triplet-loss", "triplet-non-zero", "triplet-avg-non-zero"),
    source="Hermans, Beyer and Leibe 2017, In Defense of the Triplet Loss for Person Re-Identification, arXiv:1703.07737 "
    "(equation 6, and its mean over the triplets that are not 0)",
    special=(
        "the mean over the rows is the mean over the triplets of the file whose loss is above 0",
        "without any such triplet the loss is 0",
        "the gradient holds the number of triplets fixed",
        AS_THEY_ARE,
        ALONE,
    ),
)
def batch_all_triplet(
    D: Array, positives: Array, negatives: Array, *, margin: Margin = 1.0
) -> tuple[Array, Slopes, Array]:
    """The losses of all triplets of each row, divided by the number of those that are above 0."""
    values, number, sides = np.zeros(len(D), D.dtype), np.zeros(len(D)), []
    for i, (d, near, far) in enumerate(zip(D, positives, negatives, strict=True)):
        ours, others = np.flatnonzero(near), np.flatnonzero(far)
        ends, starts = np.sort(d[ours] + margin), np.sort(d[others])
        # So many negatives are nearer than a positive and the margin; so many positives with it are farther than a negative.
        inside, outside = (
            np.searchsorted(starts, ends, side="left"),
            len(ends) - np.searchsorted(ends, starts, side="right"),
        )
        within = starts[: inside.max(initial=0)]
        values[i] = (np.where(inside > 0, inside * ends, 0)).sum() - (outside[: len(within)] * within).sum()
        number[i] = inside.sum()
        if np.isinf(ends).any() and np.isinf(starts).any():  # as far as each other, or not
            values[i] = np.nan
        sides.append((i, ours, others))

    def slope() -> Array:
        slopes = np.zeros_like(D)
        for i, ours, others in sides:
            ends, starts = D[i][ours] + margin, D[i][others]
            slopes[i][ours] = np.searchsorted(np.sort(starts), ends, side="left")
            slopes[i][others] = np.searchsorted(np.sort(ends), starts, side="right") - float(len(ends))
        return slopes

    return np.maximum(values, 0), slope, number
