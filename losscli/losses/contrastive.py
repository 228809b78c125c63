"""Losses in which a row is compared with all other rows of the file, by the cosines between their features.

A core gets the cosines s of n rows with all N rows, shape (n, N), and two arrays of booleans in this shape: which of
the N rows are positives of each row, and which are negatives. It returns one value per row, and a function that
computes its derivative by every cosine.
"""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Everyone, Extras, Indices, Targets, Values
from losscli.definition.domain import FRACTION, NON_NEGATIVE, POSITIVE, REAL, Interval
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses import embedding
from losscli.losses.ranking import log_sum_exp, lost
from losscli.losses.softmax import log_softmax, through_softmax

Slopes = Callable[[], Array]

AT_ONCE = 1 << 21
"""Cosines that are held in memory at a time."""


def unit(features: Array) -> tuple[Array, Array]:
    """Return the rows divided by their lengths, in float64 or wider, and their lengths, shape (n, 1)."""
    return embedding.unit(features.astype(np.promote_types(features.dtype, np.float64)))


def of_unit_length(features: Array) -> Array:
    """Return the rows divided by their lengths, in float64 or wider."""
    return unit(features)[0]


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(cosines with all rows); with a and b of unit length dcos/da = (b - cos * a) / |a|."""
    everyone, at = extras.everyone, extras.at
    assert everyone is not None
    assert at is not None
    a, length = unit(predictions)
    # Rows that are ignored must have no effect, and NaN times 0 is NaN.
    features = np.where(everyone.kept[:, None], everyone.features, 0)
    values = np.zeros(len(a))
    slopes = np.zeros_like(a) if gradient else None
    step = max(1, AT_ONCE // max(1, len(everyone.features)))
    for first in range(0, len(a), step):
        rows = slice(first, first + step)
        # Not by BLAS, in which a row's digits depend on the rows around it.
        s = np.einsum("id,jd->ij", a[rows], features)
        itself = at[rows, None] == np.arange(len(everyone.features))
        if isinstance(targets, Indices):
            alike = targets.index[rows, None] == everyone.labels
            positives = alike & ~itself & everyone.kept
            negatives = ~alike & everyone.kept
        else:
            positives, negatives = itself, ~itself & everyone.kept
        values[rows], slope = loss.core(s, positives, negatives, gradient=gradient)
        if slopes is not None:
            pull = np.einsum("ij,jd->id", slope, features)
            along = np.einsum("ij,ij->i", slope, s)[:, None]
            slopes[rows] = (pull - along * a[rows]) / length[rows]
    return values + lost(a), slopes


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    # An anchor on the line between its positive and one negative, which are at a right angle.
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows = np.stack([1 - x, x], axis=1)
    features = np.array([[1.0, 0.0], [0.0, 1.0]])
    everyone = Everyone(features, np.array([0, 1]), np.ones(2, bool))
    return rows, Indices(np.zeros(len(x), np.int64)), Extras(everyone=everyone, at=np.full(len(x), 2))


def _place_paired(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows, _, extras = _place(x)
    return rows, Dense(rows), extras._replace(at=np.zeros(len(x), np.int64))


VARIABLES = {
    "s": "cosines between the features of a row and those of all rows",
    "negatives": "the rows of other classes",
}

batch = family(
    name="batch",
    lift=lift,
    summary="functions of the cosines between a row's features and those of all other rows of the file",
    variables=VARIABLES | {"positives": "the other rows of the row's class"},
    value="f(s)",
    gradient="the sum over the rows j of df/ds_j * (b_j - s_j * a) / |x|, with a and b the features of unit length: "
    "of a row's own loss, the other rows held fixed",
    targets="labels, one per row: any names or whole numbers; rows of one label belong together",
    target_type="classes",
    rows="features",
    hard=True,
    coupled="rows",
    meets=of_unit_length,
    axes={
        "distance": Axis(
            "D",
            "distance D from the positive on the line to the one negative, which is at 1 and at a right angle",
            (0.0, 1.0),
            _place,
            along=(-1.0, 1.0),
            domain=FRACTION,
            own=False,
        )
    },
    several_outputs=False,
    takes_class_weight=True,
)

paired = family(
    name="paired",
    lift=lift,
    summary="functions of the cosines between a row's features and the targets of all rows of the file",
    variables={
        "s": "cosines between the features of a row and the targets of all rows",
        "y": "the row's own target",
        "negatives": "all other targets",
    },
    value="f(s)",
    gradient="the sum over the rows j of df/ds_j * (b_j - s_j * a) / |x|, with a and b the features of unit length; "
    "the targets are held fixed",
    targets="rows of features, in the predictions' shape: each row's own positive",
    target_type="numbers",
    rows="features",
    coupled="rows",
    meets=of_unit_length,
    axes={
        "distance": Axis(
            "D",
            "distance D from the target on the line to the one other target, which is at 1 and at a right angle",
            (0.0, 1.0),
            _place_paired,
            along=(-1.0, 1.0),
            domain=FRACTION,
            own=False,
        )
    },
    several_outputs=False,
)

Temperature = Annotated[float, POSITIVE, "divisor of the cosines"]
ALONE = "a row that is the only one of its class has no positive: it has no loss, and is a negative of the others"


def _masked(z: Array, mask: Array) -> Array:
    """Return z with -inf for elements that the mask leaves out."""
    return np.where(mask, z, -np.inf)


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x))."""
    return np.maximum(x, 0) + log1p(np.exp(-np.abs(x)))


def logistic(x: Array) -> Array:
    """Return 1 / (1 + exp(-x))."""
    e = np.exp(-np.abs(x))
    return np.where(x > 0, 1, e) / (1 + e)


def shares(z: Array, total: Array) -> Array:
    """Return exp(z - total), with 0 where z is -inf, and 1 where both are infinite."""
    total = np.where(np.isneginf(total), 0, total)[:, None]
    return np.where(np.isneginf(z), 0, np.exp(np.where(z == total, 0, z - total)))


@loss(
    batch,
    "sum(log(1 + sum(exp((s[k] - s[j]) / temperature) for k in negatives)) for j in positives) / len(positives)",
    aliases=("ntxent", "nt-xent-loss", "simclr"),
    source="Chen, Kornblith, Norouzi and Hinton 2020, A Simple Framework for Contrastive Learning of Visual "
    "Representations, arXiv:2002.05709",
    special=(
        "the mean over the positives of a row, each against all negatives",
        "libraries take the mean over all pairs of the file: the same where all classes have as many rows",
        "the default temperature is that of pytorch-metric-learning; 0.5 is usual for SimCLR",
        ALONE,
    ),
)
def nt_xent(s: Array, positives: Array, negatives: Array, *, temperature: Temperature = 0.07) -> tuple[Array, Slopes]:
    """Cross-entropy of each positive against all negatives, by cosine over a temperature."""
    z = s / temperature
    rest = _masked(z, negatives)
    total = log_sum_exp(rest)
    gap = total[:, None] - z
    count = row_sums(positives.astype(np.float64))
    value = row_sums(np.where(positives, softplus(gap), 0)) / count

    def slope() -> Array:
        wrong = np.where(positives, logistic(gap), 0) / count[:, None]
        return (shares(rest, total) * row_sums(wrong)[:, None] - wrong) / temperature

    return value, slope


@loss(
    batch,
    "log(sum(exp(s[k] / temperature) for k in positives + negatives)) - sum(s[j] for j in positives) / temperature"
    " / len(positives)",
    aliases=("sup-con", "supervised-contrastive", "supcon-loss"),
    source="Khosla et al. 2020, Supervised Contrastive Learning, arXiv:2004.11362 (its L_out)",
    special=("the mean over the positives of a row is taken outside the logarithm", ALONE),
)
def supcon(s: Array, positives: Array, negatives: Array, *, temperature: Temperature = 0.1) -> tuple[Array, Slopes]:
    """Cross-entropy of each positive against all other rows, by cosine over a temperature."""
    z = s / temperature
    chance = log_softmax(_masked(z, positives | negatives))
    weight = positives / row_sums(positives.astype(np.float64))[:, None]
    return row_sums(times(weight, -chance.l)), lambda: through_softmax(-weight, chance) / temperature


@loss(
    batch,
    "log(1 + sum(exp(gamma * max(0, s[k] + margin) * (s[k] - margin)) for k in negatives)"
    " * sum(exp(-gamma * max(0, 1 + margin - s[j]) * (s[j] - 1 + margin)) for j in positives))",
    aliases=("circle-loss",),
    source="Sun, Cheng, Zhang, Zhang, Zheng, Wang and Wei 2020, Circle Loss: A Unified Perspective of Pair Similarity "
    "Optimization, arXiv:2002.10857",
    special=(
        "the gradient goes through the weights max(0, ...) too; the paper and pytorch-metric-learning hold them fixed",
        "Keras does not make the features of unit length; give it such",
        ALONE,
    ),
)
def circle(
    s: Array,
    positives: Array,
    negatives: Array,
    *,
    gamma: Annotated[float, POSITIVE, "factor of the weighted similarities"] = 80.0,
    margin: Annotated[
        float, NON_NEGATIVE, "relaxation of the optimum: positives from 1 - margin, negatives to margin"
    ] = 0.4,
) -> tuple[Array, Slopes]:
    """Log of one plus the product of sums over negatives and positives, each weighed by its distance from its optimum."""
    far, near = np.maximum(s + margin, 0), np.maximum(1 + margin - s, 0)
    apart = _masked(gamma * far * (s - margin), negatives)
    together = _masked(-gamma * near * (s - 1 + margin), positives)
    out, inside = log_sum_exp(apart), log_sum_exp(together)
    gap = out + inside

    def slope() -> Array:
        wrong = logistic(gap)[:, None]
        pushed = shares(apart, out) * gamma * np.where(far > 0, 2 * s, 0)
        pulled = shares(together, inside) * -gamma * np.where(near > 0, 2 - 2 * s, 0)
        return wrong * (pushed + pulled)

    return softplus(gap), slope


@loss(
    batch,
    "log(1 + sum(exp(-alpha * (s[j] - base)) for j in positives)) / alpha"
    " + log(1 + sum(exp(beta * (s[k] - base)) for k in negatives)) / beta",
    aliases=("multi-similarity-loss", "ms-loss"),
    source="Wang, Han, Huang, Dong and Scott 2019, Multi-Similarity Loss with General Pair Weighting for Deep Metric "
    "Learning, arXiv:1904.06627",
    special=(
        "all pairs are used, none is mined",
        "the paper has the base 1; 0.5 is the default of pytorch-metric-learning",
        ALONE + "; pytorch-metric-learning counts it with the part of its negatives",
    ),
)
def multi_similarity(
    s: Array,
    positives: Array,
    negatives: Array,
    *,
    alpha: Annotated[float, POSITIVE, "sharpness for positives"] = 2.0,
    beta: Annotated[float, POSITIVE, "sharpness for negatives"] = 50.0,
    base: Annotated[float, Interval(-1, 1, True, True), "the cosine that pairs are compared with"] = 0.5,
) -> tuple[Array, Slopes]:
    """Soft counts of the positives that are too far and of the negatives that are too near."""
    near, far = _masked(-alpha * (s - base), positives), _masked(beta * (s - base), negatives)
    nothing = np.zeros((len(s), 1))
    # The 1 in log(1 + sum(exp)) is a further pair with the exponent 0.
    together, apart = (log_softmax(np.concatenate([part, nothing], axis=1)) for part in (near, far))
    value = -together.l[:, -1] / alpha - apart.l[:, -1] / beta
    return value, lambda: apart.p[:, :-1] - together.p[:, :-1]


@loss(
    paired,
    "log(1 + sum(exp((s[k] - s[y]) / temperature) for k in negatives))",
    aliases=("infonce", "info-nce-loss"),
    source="van den Oord, Li and Vinyals 2018, Representation Learning with Contrastive Predictive Coding, "
    "arXiv:1807.03748",
    special=("one direction only: predictions look for their targets among all targets",),
)
def info_nce(s: Array, positives: Array, negatives: Array, *, temperature: Temperature = 0.07) -> tuple[Array, Slopes]:
    """Cross-entropy of a row's own target against the targets of all other rows, by cosine over a temperature."""
    z = s / temperature
    own = row_sums(np.where(positives, z, 0))
    rest = _masked(z, negatives)
    total = log_sum_exp(rest)
    gap = total - own

    def slope() -> Array:
        wrong = logistic(gap)[:, None]
        return wrong * (shares(rest, total) - positives) / temperature

    return softplus(gap), slope


@loss(
    paired,
    "log(1 + sum(exp(s[k] - s[y]) for k in negatives))",
    aliases=("npairs", "n-pair", "n-pairs-loss"),
    source="Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss Objective",
    special=(
        "of cosines, as in pytorch-metric-learning; the paper takes inner products and adds a penalty of their lengths",
    ),
    relations=(same("info_nce(s, temperature=1)"),),
)
def n_pairs(s: Array, positives: Array, negatives: Array) -> tuple[Array, Slopes]:
    """Cross-entropy of a row's own target against the targets of all other rows, by cosine."""
    result: tuple[Array, Slopes] = info_nce.core(s, positives, negatives, temperature=1.0)
    return result


@loss(
    paired,
    "log(1 + exp(-scale * s[y] - bias)) + sum(log(1 + exp(scale * s[k] + bias)) for k in negatives)",
    aliases=("siglip-loss", "sigmoid-contrastive", "sigmoid-clip"),
    source="Zhai, Mustafa, Kolesnikov and Beyer 2023, Sigmoid Loss for Language Image Pre-Training, arXiv:2303.15343",
    special=(
        "predictions are the features of one side (images), targets those of the other (texts); it is the same both ways "
        "round",
        "a row's sum over all targets; the mean over the rows is the number of the paper",
        "scale and bias are what the model has learned; the defaults are those that it begins with",
    ),
)
def siglip(
    s: Array,
    positives: Array,
    negatives: Array,
    *,
    scale: Annotated[float, POSITIVE, "factor of the cosines"] = 10.0,
    bias: Annotated[float, REAL, "added to the scaled cosines"] = -10.0,
) -> tuple[Array, Slopes]:
    """Cross-entropy of each pair by itself, of a row with its own target and with all others, whether the two belong together."""
    z = np.where(positives, -1, 1) * (scale * s + bias)
    used = positives | negatives
    value = row_sums(np.where(used, softplus(z), 0))
    return value, lambda: np.where(used, logistic(z), 0) * np.where(positives, -scale, scale)


def lift_mutual(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(cosines of a row with all targets, of its target with all rows).

    The gradient by the row goes through all of the first, and through the one of the second that is its own.
    """
    everyone, at = extras.everyone, extras.at
    assert isinstance(targets, Dense)
    assert everyone is not None
    assert everyone.sources is not None
    assert at is not None
    a, length = unit(predictions)
    b = everyone.features[at]
    values = np.zeros(len(a))
    slopes = np.zeros_like(a) if gradient else None
    step = max(1, AT_ONCE // max(1, len(everyone.features)))
    for first in range(0, len(a), step):
        rows = slice(first, first + step)
        # Not by BLAS, in which a row's digits depend on the rows around it.
        s = np.einsum("id,jd->ij", a[rows], everyone.features)
        c = np.einsum("id,jd->ij", b[rows], everyone.sources)
        own = at[rows, None] == np.arange(len(everyone.features))
        values[rows], slope = loss.core(s, c, own, gradient=gradient)
        if slopes is not None:
            pull = np.einsum("ij,jd->id", slope, everyone.features)
            along = np.einsum("ij,ij->i", slope, s)[:, None]
            slopes[rows] = (pull - along * a[rows]) / length[rows]
    return values + lost(a), slopes


def _place_mutual(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve, all with the same two rows of predictions."""
    rows, targets, extras = _place_paired(x)
    assert extras.everyone is not None
    everyone = extras.everyone._replace(sources=np.array([[0.0, 1.0], [0.0, 1.0]]))
    return rows, targets, extras._replace(everyone=everyone)


mutual = family(
    name="mutual",
    lift=lift_mutual,
    summary="functions of the cosines between a row's features and the targets of all rows, and between its target and all rows",
    variables={
        "s": "cosines between the features of a row and the targets of all rows",
        "c": "cosines between the row's target and the features of all rows; c[y] = s[y]",
        "y": "the row itself",
        "negatives": "all other rows",
    },
    value="f(s, c)",
    gradient="the sum over the rows j of df/ds_j * (b_j - s_j * a) / |x|, with a and b the features of unit length, and the "
    "same of c_y; the other rows and the targets are held fixed",
    targets="rows of features, in the predictions' shape: each row's own positive",
    target_type="numbers",
    rows="features",
    coupled="rows",
    meets=of_unit_length,
    both_ways=True,
    axes={
        "distance": Axis(
            "D",
            "distance D from the target on the line to the one other target, which is at 1 and at a right angle, and the "
            "features of the other row",
            (0.0, 1.0),
            _place_mutual,
            along=(-1.0, 1.0),
            domain=FRACTION,
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    mutual,
    "log(1 + sum(exp((s[k] - s[y]) / temperature) for k in negatives)) / 2"
    " + log(1 + sum(exp((c[k] - c[y]) / temperature) for k in negatives)) / 2",
    aliases=("clip-loss", "symmetric-info-nce", "symmetric-clip"),
    source="Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision, arXiv:2103.00020 "
    "(figure 3)",
    special=(
        "predictions are the features of one side (images), targets those of the other (texts); it is the same both ways "
        "round",
        "temperature is one over the scale that the model has learned; 0.07 is what CLIP begins with, and it ends at 0.01",
        "of a matrix of logits, softmax-cross-entropy with the labels 0, 1, 2 and so on is one of the two directions",
    ),
)
def clip(s: Array, c: Array, own: Array, *, temperature: Temperature = 0.07) -> tuple[Array, Slopes]:
    """Cross-entropy of a row's own target against all targets, and of the row against all rows, by cosine: the mean of both."""
    one, by_target = info_nce.core(s, own, ~own, temperature=temperature)
    # The cosine of a row with its own target is the same number in both.
    other, by_row = info_nce.core(np.where(own, s, c), own, ~own, temperature=temperature)
    return (one + other) / 2, lambda: (by_target() + np.where(own, by_row(), 0)) / 2
