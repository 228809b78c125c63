"""Losses of the scores of a row, one per class, and the class of the row: it matters which score is the largest.

A core gets the rows' scores z, shape (n, k), and their classes y, shape (n,); it returns one value per row, and a
function that computes its derivative by every score.
"""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums, running_sums
from losscli.definition.batch import Extras, Indices, Targets, Values
from losscli.definition.domain import NON_NEGATIVE, Interval
from losscli.definition.loss import SHARED, Axis, BoundLoss
from losscli.definition.registry import family, loss

Slopes = Callable[[], Array]


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(z, y) of each row; the core's slope is the gradient."""
    assert isinstance(targets, Indices)
    z = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    value, slope = loss.core(z, targets.index, gradient=gradient)
    return value, slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, np.zeros_like(x)], axis=1), Indices(np.zeros(len(x), np.int64)), Extras()


scores = family(
    name="scores",
    lift=lift,
    summary="functions of a row's scores, multi-class, without probabilities",
    variables={
        "z": "scores of a row, one per class",
        "y": "class of the row",
        "others": "all classes but y",
        "K": "number of classes",
    },
    value="f(z, y)",
    gradient="df/dz, one per class",
    targets="class indices or class names, one per row; or one-hot rows",
    target_type="classes",
    hard=True,
    axes={
        "logit": Axis(
            "z",
            "score z of the true class (of two classes; the other score is 0)",
            (-3.0, 3.0),
            _place,
            along=(1.0, 0.0),
            own=False,
            shared=SHARED["logit"],
        ),
        "margin": Axis(
            "m",
            "margin m between the true class's score and the other's",
            (-3.0, 3.0),
            _place,
            (1.0, 0.0),
            own=False,
            shared=SHARED["margin"],
        ),
    },
    several_outputs=False,
    takes_class_weight=True,
)


def own(z: Array, y: Array) -> Array:
    """Return the score of each row's class, shape (n,)."""
    return z[np.arange(len(z)), y]


def without_own(z: Array, y: Array) -> Array:
    """Return the scores with -inf for each row's class."""
    others = z.copy()
    others[np.arange(len(z)), y] = -np.inf
    return others


def placed(shape: tuple[int, ...], *columns: tuple[Array, Array]) -> Array:
    """Return zeros of a shape (n, k), with numbers added in one column per row, for each pair of
    columns and numbers.
    """
    total = np.zeros(shape)
    for where, numbers in columns:
        total[np.arange(shape[0]), where] += numbers
    return total


@loss(
    scores,
    "max(0, 1 + max(z[k] for k in others) - z[y])",
    aliases=("crammer-singer", "crammer-singer-hinge", "multiclass-hinge-loss"),
    source="Crammer and Singer 2001, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines, JMLR 2",
    special=(
        "only the best of the other classes counts, the first of several",
        "the gradient is 0 where the loss is 0",
        "with two classes it is the hinge of the difference of the scores",
    ),
    facts=("convex",),
)
def multiclass_hinge(z: Array, y: Array) -> tuple[Array, Slopes]:
    """How far the best other class comes within 1 of the true class's score."""
    others = without_own(z, y)
    rival = others.argmax(axis=1)
    gap = 1 + own(others, rival) - own(z, y)

    def slope() -> Array:
        active = (gap > 0).astype(z.dtype)
        return placed(z.shape, (rival, active), (y, -active))

    return np.maximum(gap, 0), slope


@loss(
    scores,
    "max(0, 1 + max(0, max(z[k] for k in others)) - z[y])",
    aliases=("categorical-hinge-loss",),
    source="Keras, categorical_hinge, https://keras.io/api/losses/hinge_losses/",
    special=(
        "not invariant to a shift of all scores: the other classes' best counts as 0 where it is below 0",
        "the same as multiclass-hinge where another class has a score above 0",
    ),
    facts=("convex",),
)
def categorical_hinge(z: Array, y: Array) -> tuple[Array, Slopes]:
    """The multi-class hinge of Keras, to which the true class adds a rival with the score 0."""
    others = without_own(z, y)
    rival = others.argmax(axis=1)
    best = own(others, rival)
    gap = 1 + np.maximum(best, 0) - own(z, y)

    def slope() -> Array:
        active = (gap > 0).astype(z.dtype)
        return placed(z.shape, (rival, active * (best > 0)), (y, -active))

    return np.maximum(gap, 0), slope


@loss(
    scores,
    "sum(max(0, margin - z[y] + z[k])**p for k in others) / K",
    aliases=("multi-margin-loss", "multiclass-margin"),
    source="Weston and Watkins 1999, Support Vector Machines for Multi-Class Pattern Recognition (the sum over the "
    "other classes)",
    special=("divided by the number of classes, the true one included, as PyTorch does",),
    facts=("convex",),
)
def multi_margin(
    z: Array,
    y: Array,
    *,
    p: Annotated[float, Interval(1, 2, True, True, whole=True), "power of each violation"] = 1.0,
    margin: Annotated[float, NON_NEGATIVE, "by how much the true class's score is to lead"] = 1.0,
) -> tuple[Array, Slopes]:
    """The violations of a margin by all the other classes, over the number of classes."""
    gap = np.maximum(margin - own(z, y)[:, None] + z, 0)
    gap[np.arange(len(z)), y] = 0
    classes = z.shape[1]

    def slope() -> Array:
        pull = (gap > 0).astype(z.dtype) if p == 1 else 2 * gap
        return (pull - placed(z.shape, (y, row_sums(pull)))) / classes

    return row_sums(gap if p == 1 else gap * gap) / classes, slope


@loss(
    scores,
    "max(z) - z[y]",
    aliases=("multiclass-perceptron-loss",),
    source="Collins 2002, Discriminative Training Methods for Hidden Markov Models, doi:10.3115/1118693.1118694",
    special=("of several largest scores the first counts; the gradient is 0 where the true class's is one of them",),
    facts=("convex",),
)
def multiclass_perceptron(z: Array, y: Array) -> tuple[Array, Slopes]:
    """By how much the largest score is above the true class's."""
    best = z.argmax(axis=1)
    # If a single score is inf, it leads, and its gap is 0 instead of inf - inf.
    gap = np.where((best == y) & ~np.isnan(own(z, y)), 0, own(z, best) - own(z, y))

    def slope() -> Array:
        active = (gap > 0).astype(z.dtype)
        return placed(z.shape, (best, active), (y, -active))

    return gap, slope


@loss(
    scores,
    "where(z[y] > max(z[k] for k in others), 0, 1)",
    aliases=("top-1-error", "multiclass-zero-one-loss"),
    source="Vapnik 1995, The Nature of Statistical Learning Theory, doi:10.1007/978-1-4757-2440-0 (the risk of a "
    "classifier)",
    special=("a tie for the largest score counts as an error", "its mean is the error rate, 1 - accuracy"),
    facts=("bounded",),
)
def multiclass_zero_one(z: Array, y: Array) -> tuple[Array, Slopes]:
    """One for each row whose largest score is not its class's."""
    best = without_own(z, y).max(axis=1)
    return np.heaviside(best - own(z, y), 1.0), lambda: np.zeros_like(z)


def sparsemax_of(z: Array) -> Array:
    """Return the projections of rows on the simplex (Martins and Astudillo 2016, algorithm 1)."""
    z = np.where((z == np.inf).any(axis=1, keepdims=True), np.where(z == np.inf, 0, -np.inf), z)
    ordered = -np.sort(-z, axis=1)
    sums = running_sums(ordered)
    count = np.arange(1, z.shape[1] + 1)
    support = np.maximum((1 + count * ordered > sums).sum(axis=1), 1)
    tau = (sums[np.arange(len(z)), support - 1] - 1) / support
    return np.maximum(z - tau[:, None], 0)


@loss(
    scores,
    definition="(sum over the classes with p_k > 0 of (z_k**2 - tau**2) + 1) / 2 - z_y, where p_k = max(0, z_k - tau) and "
    "tau is such that the p_k sum to 1",
    aliases=("multiclass-sparsemax", "multiclass-sparsemax-loss", "sparsemax-loss"),
    source="Martins and Astudillo 2016, From Softmax to Sparsemax, arXiv:1602.02068",
    special=(
        "0 as soon as the true class's score leads all others by 1",
        "p is the point of the simplex that is nearest to z; classes far behind have p = 0 exactly",
        "with two classes it is binary-sparsemax of the difference of the scores",
    ),
    facts=("convex",),
)
def sparsemax(z: Array, y: Array) -> tuple[Array, Slopes]:
    """The Fenchel-Young loss of sparsemax, the projection of the scores on the simplex."""
    # Shifted by the true class's score, and in terms of the same sign: sums of squares of scores would cancel.
    rows = np.arange(len(z))
    shifted = z - own(z, y)[:, None]
    shifted[rows, y] = np.where(np.isnan(own(z, y)), np.nan, 0)
    p = sparsemax_of(shifted)
    own_p, best = own(p, y), without_own(shifted, y).max(axis=1)
    p[rows, y] = 0
    rest = row_sums(p)
    inside = (rest * rest + row_sums(p * p)) / 2
    outside = row_sums(np.where(p == 0, 0, p * (shifted + (1 - p) / 2)))
    value = np.where(own_p > 0, inside, np.where(best == np.inf, np.inf, outside))

    def slope() -> Array:
        p[rows, y] = -rest
        return p

    return value, slope
