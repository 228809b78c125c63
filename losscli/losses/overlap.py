"""Overlap losses: of masks, a soft predicted one and the true one.

A mask is a set of elements: a row, a class, an image or a file. Everything is computed in steps, so that the elements
of a mask may come batch by batch: the parts of each element, their sums over each mask, the core of these sums, and from
the core's derivatives by the sums the derivative by each prediction. The lift makes all steps at once, for masks that
are rows. A core of whole masks gets the elements.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Extras, Probability, Targets, Values
from losscli.definition.domain import FRACTION, NON_NEGATIVE, POSITIVE
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.probability import to_the
from losscli.losses.ranking import lost
from losscli.losses.sigmoid import MAKERS
from losscli.losses.softmax import log_softmax, through_softmax
from losscli.records import NamedTuple

UNREAD = np.zeros(0)


class Sums(NamedTuple):
    """Sums over the elements of masks, each of shape (masks,), or (masks, classes) for losses of all classes together.

    Sums that a core does not read may be left out.
    """

    i: Array = UNREAD
    """Sum of p t, the intersection: predicted and true."""
    fp: Array = UNREAD
    """Sum of p (1 - t): predicted, but not true."""
    fn: Array = UNREAD
    """Sum of (1 - p) t: true, but not predicted."""
    tn: Array = UNREAD
    """Sum of (1 - p) (1 - t): neither."""
    gaps: Array = UNREAD
    """Sum of (p - t)**2."""
    squares: Array = UNREAD
    """Sum of p**2 + t**2."""
    true: Array = UNREAD
    """Sum of t."""


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


class Elements:
    """Elements of masks with their targets, shape (n,) or (n, k): the parts that are summed, and the gradient.

    Parameters
    ----------
    x
        predictions in the dtype of the work. Logits become probabilities by `extras.activation`, which is the sigmoid
        of each, or the softmax of each row.
    """

    def __init__(self, x: Array, targets: Targets, extras: Extras) -> None:
        assert isinstance(targets, Dense)
        self.extras = extras
        self.by_softmax = extras.prediction_kind == "logits" and extras.activation == "softmax"
        self.chance: Probability = log_softmax(x) if self.by_softmax else MAKERS[extras.prediction_kind](x)
        self.t = targets.t.astype(x.dtype)
        self.other = 1 - self.t if targets.other is None else targets.other.astype(x.dtype)

    @cached_property
    def over(self) -> Array:
        """The parts p (1 - t)."""
        return np.asarray(self.chance.p * self.other)

    @cached_property
    def under(self) -> Array:
        """The parts (1 - p) t."""
        return np.asarray(self.chance.q * self.t)

    def part(self, name: str) -> Array:
        """Return what each element adds to a sum, in the shape of the elements."""
        part: Array = self._parts()[name]()
        return part if self.extras.class_terms is None else times(self.extras.class_terms, part)

    def _parts(self) -> dict[str, Callable[[], Any]]:
        """Return a function for the parts of each sum, by the name of the sum."""
        p, q = self.chance.p, self.chance.q

        def gap() -> Array:
            return self.over - self.under  # p - t, with all digits of small differences

        return {
            "i": lambda: p * self.t,
            "fp": lambda: self.over,
            "fn": lambda: self.under,
            "tn": lambda: q * self.other,
            "gaps": lambda: gap() ** 2,
            "squares": lambda: p * p + self.t * self.t,
            "true": lambda: self.t,
        }

    def gradient(self, by: Slopes) -> Array:
        """Return derivatives by the predictions, from those by the sums, which have the shape of the elements or fit it.

        By logits under a softmax they are those of the sum of all masks in which the classes of a row are.
        """
        p, t = self.chance.p, self.t
        by_p = (by.i - by.fn) * t + (by.fp - by.tn) * self.other
        by_p = by_p + by.over * self.over + by.under * self.under + by.both * p * t
        if self.extras.class_terms is not None:
            by_p = times(self.extras.class_terms, by_p)
        if self.by_softmax:
            return through_softmax(by_p * p, self.chance)
        kind = self.extras.prediction_kind
        return np.asarray(by_p if kind == "probs" else by_p * p if kind == "log-probs" else by_p * p * self.chance.q)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(sums of p and t) of each row, which is a mask."""
    elements = Elements(predictions.astype(loss.work(predictions.dtype, wide=True), copy=False), targets, extras)
    value, slopes = loss.core(Sums(**{name: row_sums(elements.part(name)) for name in loss.sums}))
    if not gradient:
        return value, None
    return value, elements.gradient(Slopes(*(np.broadcast_to(part, value.shape)[:, None] for part in slopes)))


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
        "p": "probabilities of the elements of a mask; of logits their sigmoid or, with --activation softmax, the softmax "
        "over the classes of their row",
        "t": "targets of the elements, 0 or 1 or between",
        "I": "sum(p * t)",
        "FP": "sum(p * (1 - t))",
        "FN": "sum((1 - p) * t)",
        "n": "number of elements",
    },
    value="f of the sums of a mask",
    gradient="df/dp_i, times p_i by log-probabilities; by logits times p_i * (1 - p_i) under the sigmoid, and through each "
    "row's softmax under the softmax",
    targets=MASK_TARGETS,
    target_type="outcomes",
    coupled="masks",
    axes=AXES,
    several_outputs=False,
    takes_from=True,
    elements=Elements,
    sums=Sums,
    takes_class_weight=True,
)

Smooth = Annotated[float, NON_NEGATIVE, "added to both sides of the fraction"]
EMPTY = "an empty mask that is predicted empty has the loss 0; libraries differ"
ROWS_ARE_COUPLED = (
    "each row of (n, k) predictions is a mask; --per column takes each column for one, and --per file all elements"
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
    aliases=("iou-loss-of-masks", "jaccard-loss", "soft-iou"),
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
    below = sums.i + alpha * sums.fp + beta * sums.fn + smooth
    rest = np.where(below == 0, 1, (sums.i + smooth) / np.where(below == 0, 1, below))
    with np.errstate(all="ignore"):
        outer = np.where(value == 0, 0 if gamma != 1 else 1, gamma * to_the(gamma - 1, value, rest))
        return to_the(gamma, value, rest), Slopes(outer * slopes.i, outer * slopes.fp, outer * slopes.fn)


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


LOG_EDGES = (
    "inf if nothing of the true mask is predicted and smooth is 0, also where the true mask is empty; the gradient is 0 there",
    EMPTY,
    ROWS_ARE_COUPLED,
)


def log_tversky_loss(sums: Sums, alpha: float, beta: float, smooth: float) -> tuple[Array, Slopes]:
    """Return -log((I + smooth) / (I + alpha FP + beta FN + smooth)) as log1p of what is wrong over what is right."""
    wrong, right = alpha * sums.fp + beta * sums.fn, sums.i + smooth
    below, none = right + wrong, right == 0
    value = np.where(wrong == 0, 0, log1p(wrong / np.where(none, 1, right)))
    by_wrong = np.where(none, 0, 1 / np.where(none, 1, below))
    by_right = -by_wrong * (wrong / np.where(none, 1, right))
    return np.where(none & (wrong != 0), np.inf, value), Slopes(by_right, alpha * by_wrong, beta * by_wrong)


@loss(
    overlap,
    "-log(1 - (FP + FN) / (2 * I + FP + FN + 2 * smooth))",
    aliases=("log-dice-loss", "logarithmic-dice"),
    source="Wong, Moradi, Tang and Syeda-Mahmood 2018, 3D Segmentation with Exponential Logarithmic Loss for Highly "
    "Unbalanced Object Sizes, arXiv:1809.00076 (with the exponent 1)",
    special=(
        "segmentation-models' log_loss=True; there a class without a true element counts as 0, and smooth half as much",
        *LOG_EDGES,
    ),
    relations=(
        same("-log(1 - dice(p, t, smooth=smooth))"),
        same("log_tversky(p, t, alpha=0.5, beta=0.5, smooth=smooth)"),
    ),
)
def log_dice(sums: Sums, *, smooth: Smooth = 0.0) -> tuple[Array, Any]:
    """Minus the logarithm of the Dice coefficient of the predicted and the true mask."""
    return log_tversky_loss(sums, 0.5, 0.5, smooth)


@loss(
    overlap,
    "-log(1 - (FP + FN) / (I + FP + FN + smooth))",
    aliases=("log-jaccard-loss",),
    source="Iakubovskii 2019, Segmentation Models PyTorch, losses.JaccardLoss(log_loss=True)",
    special=LOG_EDGES,
    relations=(
        same("-log(1 - jaccard(p, t, smooth=smooth))"),
        same("log_tversky(p, t, alpha=1, beta=1, smooth=smooth)"),
    ),
)
def log_jaccard(sums: Sums, *, smooth: Smooth = 0.0) -> tuple[Array, Any]:
    """Minus the logarithm of the intersection over the union of the predicted and the true mask."""
    return log_tversky_loss(sums, 1.0, 1.0, smooth)


@loss(
    overlap,
    "-log(1 - (alpha * FP + beta * FN) / (I + alpha * FP + beta * FN + smooth))",
    aliases=("log-tversky-loss",),
    source="Iakubovskii 2019, Segmentation Models PyTorch, losses.TverskyLoss(log_loss=True)",
    special=("alpha weighs false positives and beta false negatives, as in tversky", *LOG_EDGES),
    relations=(
        same("-log(1 - tversky(p, t, alpha=alpha, beta=beta, smooth=smooth))"),
        same("log_dice(p, t, smooth=smooth)", alpha=0.5, beta=0.5),
        same("log_jaccard(p, t, smooth=smooth)", alpha=1.0, beta=1.0),
    ),
)
def log_tversky(
    sums: Sums, *, alpha: FalsePositives = 0.5, beta: FalseNegatives = 0.5, smooth: Smooth = 0.0
) -> tuple[Array, Any]:
    """Minus the logarithm of the Tversky index."""
    return log_tversky_loss(sums, alpha, beta, smooth)


@loss(
    overlap,
    "log(cosh(D))",
    where={"D": "(FP + FN) / (2 * I + FP + FN + 2 * smooth)"},
    aliases=("log-cosh-dice-loss",),
    source="Jadon 2020, A Survey of Loss Functions for Semantic Segmentation, arXiv:2006.14822",
    special=("D is the Dice loss", EMPTY, ROWS_ARE_COUPLED),
    relations=(same("log_cosh(dice(p, t, smooth=smooth))"),),
    facts=("bounded",),
)
def log_cosh_dice(sums: Sums, *, smooth: Smooth = 0.0) -> tuple[Array, Any]:
    """The logarithm of the hyperbolic cosine of the Dice loss."""
    value, slopes = tversky_loss(sums, 0.5, 0.5, smooth)
    outer = np.tanh(value)
    # cosh(x) = 1 + 2 sinh(x / 2)**2, so that small losses keep their digits.
    return log1p(2 * np.sinh(value / 2) ** 2), Slopes(outer * slopes.i, outer * slopes.fp, outer * slopes.fn)


class ClassElements(Elements):
    """Elements of the masks of all classes of some rows, whose logits become probabilities by a softmax if nothing is said."""

    def __init__(self, x: Array, targets: Targets, extras: Extras) -> None:
        super().__init__(x, targets, extras._replace(activation=extras.activation or "softmax"))


def lift_classes(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(sums of each class) of each row of a batch, which holds the rows of a file with `extras.columns`
    columns, one after another.
    """
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    values = np.zeros(len(x))
    slopes = np.zeros_like(x) if gradient else None
    for i, row in enumerate(x):
        shape = (-1, extras.columns or len(row))
        other = None if targets.other is None else targets.other[i].reshape(shape)
        elements = ClassElements(row.reshape(shape), Dense(targets.t[i].reshape(shape), other), extras)
        value, by = loss.core(Sums(**{name: row_sums(elements.part(name).T)[None] for name in loss.sums}))
        values[i] = value[0]
        if slopes is not None:
            slopes[i] = elements.gradient(by).reshape(-1)
    return values, slopes


def _place_classes(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows = np.stack([x, 1 - x, np.full(len(x), 0.25), np.full(len(x), 0.75)], axis=1)
    return rows, Dense(np.tile([1.0, 0.0, 0.0, 1.0], (len(x), 1))), Extras("probs", columns=2)


CLASS_AXIS = Axis(
    "p",
    "probability p of the true class in one of two rows, of two classes; in the other row it is 3/4",
    (0.0, 1.0),
    _place_classes,
    along=(1.0, -1.0, 0.0, 0.0),
    domain=FRACTION,
    own=False,
)
OF_CLASS = {
    "p": "probability of a class in a row: of logits by softmax or, with --activation sigmoid, by the sigmoid of each",
    "t": "target of a class in a row: 1 for the row's class and 0 for the others, or soft",
    "p_c, t_c": "those of class c in all rows",
    "I_c": "sum(p_c * t_c)",
}
BY_CLASS = "df/dp by probabilities; by logits through each row's softmax, or times p * (1 - p) under the sigmoid"
CLASS_TARGETS = "class indices or class names, one per row; or one-hot rows, or rows of numbers in [0, 1]"

class_overlap = family(
    name="class-overlap",
    lift=lift_classes,
    summary="functions of how much of the predicted mask of each class lies on the true one, all classes together",
    variables=OF_CLASS,
    value="f of the sums of all classes",
    gradient=BY_CLASS,
    targets=CLASS_TARGETS,
    target_type="outcomes",
    rows="one number per class",
    coupled="file",
    axes={"probability": CLASS_AXIS},
    several_outputs=False,
    takes_from=True,
    elements=ClassElements,
    sums=Sums,
)
OF_ALL_ROWS = "all rows have one loss: there is nothing to list a row"
Power = Annotated[
    float, NON_NEGATIVE, "exponent of a class's size in its weight; MONAI calls 1 'simple' and 0 'uniform'"
]


def _weights_of_sizes(true: Array, power: float, smooth: float) -> tuple[Array, Array]:
    """Return the weights of classes with targets of sizes `true`, shape (masks, classes), and what is added to weighted sums.

    Both are multiplied by a factor that makes the largest weight 1, so that nothing overflows where classes are next to
    nothing: 1 / true**power for classes that have a target, and the largest of these weights for others.
    """
    size = np.where(true > 0, true, np.inf)
    smallest = size.min(axis=1, keepdims=True)
    smallest = np.where(np.isfinite(smallest), smallest, 1)
    return (smallest / np.where(true > 0, true, smallest)) ** power, times(smooth, smallest**power)


def _nothing_true(sums: Sums, value: Array, slopes: Slopes) -> tuple[Array, Slopes]:
    """Return the loss with the limit of infinite weights where no class has a target: 1 if anything is predicted, else 0."""
    none = np.asarray(~(sums.true > 0).any(axis=1))
    empty = none & ~(sums.fp > 0).any(axis=1)
    limit = np.where(none & ~np.isnan(value), np.where(empty, 0.0, 1.0), value)
    return limit, Slopes(*(np.where(none[:, None], 0.0, part) for part in slopes))


@loss(
    class_overlap,
    "1 - (2 * sum(w(c) * I(c) for c in classes) + 2 * smooth) / (sum(w(c) * (P(c) + T(c)) for c in classes) + 2 * smooth)",
    aliases=("generalised-dice", "generalized-dice-loss", "gdl"),
    source="Sudre, Li, Vercauteren, Ourselin and Cardoso 2017, Generalised Dice Overlap as a Deep Learning Loss Function "
    "for Highly Unbalanced Segmentations, arXiv:1707.03237",
    special=(
        "P(c) = sum(p_c), T(c) = sum(t_c), and w(c) = 1 / T(c)**power; a class without a target gets the largest of the "
        "others' weights, as in MONAI",
        "without any target it is 1, or 0 if nothing is predicted",
        "smooth is added to the weighted sum of I(c), as in dice; MONAI's smooth_nr and smooth_dr count half as much",
        "optax's multiclass_generalized_dice_loss is another function: a weighted mean of each class's Dice loss",
        OF_ALL_ROWS,
    ),
    wide=lambda parameters: (parameters["power"] or 0) > 2,
    facts=("bounded",),
)
def generalized_dice(sums: Sums, *, power: Power = 2.0, smooth: Smooth = 0.0) -> tuple[Any, Any]:
    """Dice loss over all classes, each weighed by the inverse square of its size."""
    w, smooth_of_weights = _weights_of_sizes(sums.true, power, smooth)
    wrong = (w * (sums.fp + sums.fn)).sum(axis=1, keepdims=True)
    right = 2 * (w * sums.i).sum(axis=1, keepdims=True) + 2 * smooth_of_weights
    below = np.where(wrong + right == 0, 1, wrong + right)
    by_wrong = w * np.where(np.isinf(below), 0, right / below) / below
    value = wrong / below
    return _nothing_true(sums, value[:, 0], Slopes(i=-2 * w * value / below, fp=by_wrong, fn=by_wrong))


@loss(
    class_overlap,
    "1 - (2 * sum(w(c) * I(c) for c in classes) + smooth) / (sum(w(c) * (P2(c) + T2(c)) for c in classes) + smooth)",
    aliases=("generalized-dice-squared", "squared-generalised-dice"),
    source="Sudre and others 2017, arXiv:1707.03237 (the weights); Milletari, Navab and Ahmadi 2016, arXiv:1606.04797 (the "
    "squares)",
    special=(
        "P2(c) = sum(p_c**2), T2(c) = sum(t_c**2), and w(c) = 1 / T(c)**power with T(c) = sum(t_c); a class without a "
        "target gets the largest of the others' weights",
        "without any target it is 1, or 0 if nothing is predicted",
        "smooth is added once above and once below, as in squared-dice",
        OF_ALL_ROWS,
    ),
    wide=lambda parameters: (parameters["power"] or 0) > 2,
    facts=("bounded",),
)
def squared_generalized_dice(sums: Sums, *, power: Power = 2.0, smooth: Smooth = 0.0) -> tuple[Any, Any]:
    """Generalized Dice loss with squares in its denominator."""
    w, smooth_of_weights = _weights_of_sizes(sums.true, power, smooth)
    wrong = (w * sums.gaps).sum(axis=1, keepdims=True)
    right = 2 * (w * sums.i).sum(axis=1, keepdims=True) + smooth_of_weights
    below = (w * sums.squares).sum(axis=1, keepdims=True) + smooth_of_weights
    below = np.where(below == 0, 1, below)
    value = wrong / below
    share = np.where(np.isinf(below), 0, right / below)
    slopes = Slopes(over=2 * w * share / below, under=-2 * w / below, both=-2 * w * value / below)
    return _nothing_true(sums, value[:, 0], slopes)


def lovasz_gradient(t: Array) -> Array:
    """Return the Lovász extension's weights of sorted errors, shape (masks, n), for elements in that order, 1 or 0 if true.

    They are differences of one minus intersection over union, written as fractions of counts, so that they do not cancel.
    """
    total = t.sum(axis=1, keepdims=True)
    missed = total - (np.cumsum(t, axis=1) - t)  # true elements from here on
    union = total + np.cumsum(1 - t, axis=1)
    before = union - (1 - t)
    weights = ((1 - t) * missed + t * before) / np.where(before * union == 0, 1, before * union)
    weights[:, :1] = np.where(total == 0, 1, weights[:, :1])  # of nothing true, the first error is all
    return weights


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
    gradient="df/dz, one per element",
    targets="labels in {0, 1} or in {-1, 1}, one for each prediction",
    target_type="signs",
    coupled="masks",
    held_bytes=95,
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
    aliases=("lovasz-hinge-loss",),
    source="Yu and Blaschko 2015, The Lovász Hinge: A Novel Convex Surrogate for Submodular Losses, arXiv:1512.07797; Berman, "
    "Rannen Triki and Blaschko 2018, The Lovász-Softmax Loss, arXiv:1705.08790 (of intersection over union)",
    special=(
        "a convex surrogate of jaccard: for scores of 1 and -1 it is twice the jaccard loss of the mask that they decide for",
        "elements of one error keep their order: the gradient depends on it, the loss does not",
        f"{ROWS_ARE_COUPLED}; these are sorted, and so held in memory",
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
