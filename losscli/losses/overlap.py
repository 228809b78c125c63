"""Overlap losses: of masks, a soft predicted one and the true one.

A mask is a row of elements. A core of sums gets sums over the elements of each mask, and returns one value
per mask and its derivatives by these sums; the lift turns them into derivatives by every element. A core of
whole masks gets the elements.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Extras, Probability, Targets, Values
from losscli.definition.domain import FRACTION, NON_NEGATIVE, POSITIVE
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.losses.ranking import lost
from losscli.losses.sigmoid import MAKERS


class Sums(NamedTuple):
    """Sums over the elements of masks, each of shape (masks,)."""

    i: Array
    """Sum of p t, the intersection: predicted and true."""
    fp: Array
    """Sum of p (1 - t): predicted, but not true."""
    fn: Array
    """Sum of (1 - p) t: true, but not predicted."""
    tn: Array
    """Sum of (1 - p) (1 - t): neither."""
    gaps: Array
    """Sum of (p - t)**2."""
    squares: Array
    """Sum of p**2 + t**2."""


class Slopes(NamedTuple):
    """Derivatives by the sums i, fp, fn and tn; those by sums of squares are in terms that do not cancel."""

    i: Array | float = 0.0
    fp: Array | float = 0.0
    fn: Array | float = 0.0
    tn: Array | float = 0.0
    over: Array | float = 0.0
    """Factor of p (1 - t) in the derivative by p."""
    under: Array | float = 0.0
    """Factor of (1 - p) t in the derivative by p."""
    both: Array | float = 0.0
    """Factor of p t in the derivative by p."""


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(sums of p and t); dp/dz = p q."""
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    probability: Probability = MAKERS[extras.prediction_kind](x)
    p, q, t = probability.p, probability.q, targets.t.astype(x.dtype)
    other = 1 - t if targets.other is None else targets.other.astype(x.dtype)
    over, under = p * other, q * t
    gap = over - under  # p - t, with all digits of small differences
    sums = Sums(*(row_sums(part) for part in (p * t, over, under, q * other, gap * gap, p * p + t * t)))
    value, slopes = loss.core(sums)
    if not gradient:
        return value, None
    by = Slopes(*(np.broadcast_to(part, value.shape)[:, None] for part in slopes))
    by_p = (by.i - by.fn) * t + (by.fp - by.tn) * other + by.over * over + by.under * under + by.both * p * t
    return value, {"logits": lambda: by_p * p * q, "probs": lambda: by_p, "log-probs": lambda: by_p * p}[
        extras.prediction_kind
    ]()


def _place(prediction_kind: str) -> Callable[[Array], tuple[Array, Targets, Extras]]:
    """Return a function that gives predictions, targets and extras at the points x of a drawn curve."""

    def place(x: Array) -> tuple[Array, Targets, Extras]:
        others = np.tile([0.25, 0.75] if prediction_kind == "probs" else [-1.0, 1.0], (len(x), 1))
        t = np.tile([True, False, True], (len(x), 1))
        return np.concatenate([x[:, None], others], axis=1), Dense(t), Extras(prediction_kind)

    return place


WORDS = "of a mask of three elements; of the others the false one has p = {} and the true one {}"
AXES = {
    "probability": Axis(
        "p",
        "probability p of a true element " + WORDS.format("1/4", "3/4"),
        (0.0, 1.0),
        _place("probs"),
        along=(1.0, 0.0, 0.0),
        domain=FRACTION,
        own=False,
    ),
    "logit": Axis(
        "z",
        "logit z of a true element " + WORDS.format("0.27", "0.73"),
        (-6.0, 6.0),
        _place("logits"),
        along=(1.0, 0.0, 0.0),
        own=False,
    ),
}
MASK_TARGETS = (
    "labels in {0, 1} or {-1, 1}, or numbers in [0, 1], one for each prediction; or class indices or names, one a "
    "row of (n, k) predictions, read as one-hot rows"
)

overlap = family(
    name="overlap",
    lift=lift,
    summary="functions of how much of a predicted mask lies on the true one",
    variables={
        "p": "probabilities of the elements of a mask",
        "t": "targets of the elements, 0 or 1 or between",
        "I": "sum(p * t)",
        "FP": "sum(p * (1 - t))",
        "FN": "sum((1 - p) * t)",
        "n": "number of elements",
    },
    value="f of the sums of a mask",
    gradient="df/dp_i, times p_i * (1 - p_i) by logits and p_i by log-probabilities",
    targets=MASK_TARGETS,
    target_type="outcomes",
    coupled="masks",
    axes=AXES,
    several_outputs=False,
    takes_from=True,
)

Smooth = Annotated[float, NON_NEGATIVE, "added to both sides of the fraction"]
EMPTY = "an empty mask that is predicted empty has the loss 0; libraries differ"
ROWS_ARE_COUPLED = (
    "each row of (n, k) predictions is a mask; --per column takes each column for one, and --per file all elements, "
    "which couples the rows: the file is held in memory then"
)


def divided(above: Array, below: Array) -> Array:
    """Return above / below, and 0 if both are 0."""
    return np.where((below == 0) & (above == 0), 0, above / below)


def tversky_loss(sums: Sums, alpha: float, beta: float, smooth: float) -> tuple[Array, Slopes]:
    """Return 1 - (I + smooth) / (I + alpha FP + beta FN + smooth), as a fraction whose numerator does not cancel."""
    wrong = alpha * sums.fp + beta * sums.fn
    below = sums.i + wrong + smooth
    safe = np.where(below == 0, 1, below)
    value = divided(wrong, below)
    right = (sums.i + smooth) / safe / safe
    return value, Slopes(-wrong / safe / safe, alpha * right, beta * right)


@loss(
    overlap,
    "(FP + FN) / (2 * I + FP + FN + 2 * smooth)",
    aliases=("dice-loss", "f1-loss", "sorensen-dice", "soft-dice", "binary-dice-loss"),
    source="Dice 1945, Measures of the Amount of Ecologic Association Between Species, doi:10.2307/1932409 (the "
    "coefficient); Milletari, Navab and Ahmadi 2016, V-Net, arXiv:1606.04797 (the loss, with squares)",
    special=(
        "it is 1 - 2 * I / (sum(p) + sum(t)), made so that small losses keep their digits",
        "smooth is added to I, as optax does; segmentation-models adds it to 2 * I, where it counts half as much",
        EMPTY,
        ROWS_ARE_COUPLED,
    ),
    relations=(
        same("tversky(p, t, alpha=0.5, beta=0.5, smooth=smooth)"),
        same("jaccard(p, t) / (2 - jaccard(p, t))", smooth=0.0),
    ),
    facts=("bounded",),
)
def dice(sums: Sums, *, smooth: Smooth = 0.0) -> tuple[Array, Any]:
    """One minus the Dice coefficient of the predicted and the true mask."""
    return tversky_loss(sums, 0.5, 0.5, smooth)


@loss(
    overlap,
    "1 - (2 * I + smooth) / (sum(p_i**2 for p_i in p) + sum(t_i**2 for t_i in t) + smooth)",
    aliases=("v-net-dice", "dice-squared"),
    source="Milletari, Navab and Ahmadi 2016, V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image "
    "Segmentation, arXiv:1606.04797",
    special=(
        "it is sum((p_i - t_i)**2) / (sum(p_i**2) + sum(t_i**2) + smooth), so that small losses keep their digits",
        "smooth is added once above and once below",
        EMPTY,
        ROWS_ARE_COUPLED,
    ),
    facts=("bounded",),
)
def squared_dice(sums: Sums, *, smooth: Smooth = 0.0) -> tuple[Array, Any]:
    """One minus the Dice coefficient with squares in its denominator."""
    below = sums.squares + smooth
    safe = np.where(below == 0, 1, below)
    value = divided(sums.gaps, below)
    return value, Slopes(over=2 * ((2 * sums.i + smooth) / safe) / safe, under=-2 / safe, both=-2 * value / safe)


@loss(
    overlap,
    "(FP + FN) / (I + FP + FN + smooth)",
    aliases=("iou-loss-of-masks", "jaccard-loss", "soft-iou", "intersection-over-union"),
    source="Jaccard 1912, The Distribution of the Flora in the Alpine Zone, doi:10.1111/j.1469-8137.1912.tb05611.x (the "
    "index); Rahman and Wang 2016, Optimizing Intersection-Over-Union in Deep Neural Networks for Image Segmentation",
    special=("it is 1 - I / (sum(p) + sum(t) - I)", EMPTY, ROWS_ARE_COUPLED),
    relations=(
        same("tversky(p, t, alpha=1, beta=1, smooth=smooth)"),
        same("2 * dice(p, t) / (1 + dice(p, t))", smooth=0.0),
    ),
    facts=("bounded",),
)
def jaccard(sums: Sums, *, smooth: Smooth = 0.0) -> tuple[Array, Any]:
    """One minus the intersection over the union of the predicted and the true mask."""
    return tversky_loss(sums, 1.0, 1.0, smooth)


FalsePositives = Annotated[float, NON_NEGATIVE, "weight of false positives"]
FalseNegatives = Annotated[float, NON_NEGATIVE, "weight of false negatives"]


@loss(
    overlap,
    "(alpha * FP + beta * FN) / (I + alpha * FP + beta * FN + smooth)",
    aliases=("tversky-loss",),
    source="Salehi, Erdogmus and Gholipour 2017, Tversky Loss Function for Image Segmentation Using 3D Fully "
    "Convolutional Deep Networks, arXiv:1706.05721",
    special=(
        "alpha weighs false positives and beta false negatives, as in the paper; Keras up to 3.15 has them the other way "
        "round",
        EMPTY,
        ROWS_ARE_COUPLED,
    ),
    relations=(
        same("dice(p, t, smooth=smooth)", alpha=0.5, beta=0.5),
        same("jaccard(p, t, smooth=smooth)", alpha=1.0, beta=1.0),
    ),
    facts=("bounded",),
)
def tversky(
    sums: Sums, *, alpha: FalsePositives = 0.5, beta: FalseNegatives = 0.5, smooth: Smooth = 0.0
) -> tuple[Array, Any]:
    """One minus the Tversky index, in which false positives and false negatives have weights of their own."""
    return tversky_loss(sums, alpha, beta, smooth)


@loss(
    overlap,
    "((alpha * FP + beta * FN) / (I + alpha * FP + beta * FN + smooth))**gamma",
    aliases=("focal-tversky-loss",),
    source="Abraham and Khan 2019, A Novel Focal Tversky Loss Function with Improved Attention U-Net for Lesion "
    "Segmentation, arXiv:1810.07842",
    special=(
        "gamma is the exponent; the paper's exponent is 1 / gamma with gamma = 4/3, which is 0.75 here",
        "alpha weighs false positives and beta false negatives, as in tversky; in the authors' code alpha weighs the latter",
        "the gradient at a loss of 0 is 0 here; for gamma < 1 it grows without bound towards it",
        ROWS_ARE_COUPLED,
    ),
    relations=(same("tversky(p, t, alpha=alpha, beta=beta, smooth=smooth)", gamma=1.0),),
    wide=lambda parameters: (parameters["gamma"] or 0) > 2,
    facts=("bounded",),
)
def focal_tversky(
    sums: Sums,
    *,
    gamma: Annotated[float, POSITIVE, "exponent of the Tversky loss"] = 0.75,
    alpha: FalsePositives = 0.3,
    beta: FalseNegatives = 0.7,
    smooth: Smooth = 0.0,
) -> tuple[Array, Any]:
    """A power of the Tversky loss."""
    value, slopes = tversky_loss(sums, alpha, beta, smooth)
    with np.errstate(all="ignore"):
        outer = np.where(value == 0, 0 if gamma != 1 else 1, gamma * value ** (gamma - 1))
    return value**gamma, Slopes(outer * slopes.i, outer * slopes.fp, outer * slopes.fn)


@loss(
    overlap,
    "1 - (I * TN - FP * FN) / sqrt((I + FP) * (I + FN) * (TN + FP) * (TN + FN))",
    where={"TN": "n - I - FP - FN"},
    aliases=("mcc-loss", "matthews", "matthews-correlation-coefficient"),
    source="Abhishek and Hamarneh 2021, Matthews Correlation Coefficient Loss for Deep Convolutional Networks: "
    "Application to Skin Lesion Segmentation, arXiv:2010.13454",
    special=(
        "from 0 for a perfect mask over 1 for no correlation to 2",
        "1 where the fraction is 0 / 0: one side has elements of one kind only",
        ROWS_ARE_COUPLED,
    ),
    facts=("bounded",),
)
def mcc(sums: Sums) -> tuple[Array, Any]:
    """One minus Matthews' correlation coefficient of the predicted and the true mask."""
    a, b, c, d = sums.i, sums.fp, sums.fn, sums.tn
    # Multiplied in pairs of which at least one factor is large, so that small products do not vanish.
    root = np.sqrt(((a + b) * (d + c)) * ((a + c) * (d + b)))
    alone = root == 0
    safe = np.where(alone, 1, root)
    above = a * d - b * c
    # root**2 - above**2 in terms that do not cancel if the correlation is near 1.
    right, wrong, other = a * d + b * c, a * c + b * d, a * b + c * d
    total = safe + np.maximum(above, 0)
    near = (right / safe) * ((wrong + other) / total) + (wrong / safe) * (other / total)
    near += 4 * (a * d / safe) * (b * c / total)
    value = np.where(alone, 1, np.where(above > 0, near, 1 - above / safe))

    def by(turn: Array, *factors: Array) -> Array:
        with np.errstate(all="ignore"):
            part = sum((1 / factor for factor in factors), np.zeros_like(a))
        return np.where(alone, 0, (above * part / 2 - turn) / safe)

    return value, Slopes(
        i=by(d, a + b, a + c), fp=by(-c, a + b, d + b), fn=by(-b, a + c, d + c), tn=by(a, d + b, d + c)
    )


def lovasz_gradient(t: Array) -> Array:
    """Return the Lovász extension's weights of sorted errors, shape (masks, n), for true elements t in that order."""
    total = t.sum(axis=1, keepdims=True)
    missed = total - np.cumsum(t, axis=1)
    union = total + np.cumsum(1 - t, axis=1)
    index = 1 - missed / np.where(union == 0, 1, union)
    return np.diff(index, axis=1, prepend=0)


def lift_margins(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(scores, labels) of each mask; the core's slope is the gradient."""
    assert isinstance(targets, Dense)
    z = predictions.astype(np.promote_types(predictions.dtype, np.float64), copy=False)
    value, slope = loss.core(z, targets.t > 0, gradient=gradient)
    return value, slope if gradient else None


def _place_margins(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    scores, _, _ = _place("logits")(x)
    return scores, Dense(np.tile(np.array([1, -1, 1], np.int8), (len(x), 1))), Extras()


mask_margins = family(
    name="mask-margins",
    lift=lift_margins,
    summary="functions of the margins of all elements of a mask",
    variables={"z": "scores of the elements of a mask", "t": "1 for a true element, and -1 for another"},
    value="f(z, t)",
    gradient="df/dz, one an element",
    targets="labels in {0, 1} or in {-1, 1}, one for each prediction",
    target_type="signs",
    coupled="masks",
    axes={
        "margin": Axis(
            "z",
            "score z of a true element of a mask of three; of the others the false one has -1 and the true one 1",
            (-3.0, 3.0),
            _place_margins,
            along=(1.0, 0.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    mask_margins,
    definition="sort the errors e = max(0, 1 - t * z) of a mask's elements, the largest first; sum e_i * (J_i - J_(i-1)), "
    "where J_i is one minus the intersection over union if the first i elements were all wrong, and J_0 = 0",
    aliases=("lovasz", "lovasz-hinge-loss"),
    source="Yu and Blaschko 2015, The Lovász Hinge: A Novel Convex Surrogate for Submodular Losses, arXiv:1512.07797; Berman, "
    "Rannen Triki and Blaschko 2018, The Lovász-Softmax Loss, arXiv:1705.08790 (of intersection over union)",
    special=(
        "a convex surrogate of jaccard: for scores of 1 and -1 it is twice the jaccard loss of the mask that they decide for",
        "elements of one error keep their order: the gradient depends on it, the loss does not",
        ROWS_ARE_COUPLED,
    ),
    facts=("convex",),
)
def lovasz_hinge(z: Array, true: Array) -> tuple[Array, Callable[[], Array]]:
    """The Lovász extension of one minus intersection over union, of hinge errors."""
    sign = np.where(true, 1.0, -1.0)
    errors = 1 - sign * z
    order = np.argsort(-errors, axis=1, kind="stable")
    weights = lovasz_gradient(np.take_along_axis(true, order, axis=1).astype(z.dtype))
    ordered = np.take_along_axis(errors, order, axis=1)

    def slope() -> Array:
        slopes = np.zeros_like(z)
        np.put_along_axis(slopes, order, weights * (ordered > 0), axis=1)
        return -sign * slopes

    # An infinite error of weight 0 adds nothing.
    return row_sums(times(weights, np.maximum(ordered, 0))) + lost(z), slope
