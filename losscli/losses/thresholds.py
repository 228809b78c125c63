"""Losses of thresholds: of one logit for each threshold between classes in their order, and the row's class.

K classes have K - 1 thresholds, and the logit z_j, from j = 0, says that the class is above class j.
"""

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.definition.batch import Dense, Extras, Indices, Targets, Values
from losscli.definition.domain import Domains, Interval
from losscli.definition.loss import Axis, BoundLoss
from losscli.definition.registry import family, loss
from losscli.losses.contrastive import logistic, softplus

CLASS_NUMBERS = Interval(0, np.inf, low_closed=True, whole=True)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(z, y) of each row; NaN for a class above the last threshold."""
    z = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    y = (targets.index if isinstance(targets, Indices) else targets.t).astype(z.dtype)
    value, slope = loss.core(z, y[:, None])
    return np.where(y > z.shape[1], np.nan, value), slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x[:, None], Dense(np.ones(len(x))), Extras()


thresholds = family(
    name="thresholds",
    lift=lift,
    summary="functions of one logit for each threshold between classes in their order",
    variables={
        "z": "logits of a row, one per threshold: z[j] says that the class is above class j",
        "y": "class of the row, a whole number from 0 to the number of thresholds",
    },
    value="f(z, y)",
    gradient="df/dz, one per threshold",
    targets="classes, one per row: whole numbers from 0, or names that --classes has in their order; there is one class more than "
    "predictions in a row",
    target_type="numbers",
    rows="the logits of the thresholds, one less than there are classes",
    one_target=True,
    thresholds=True,
    takes_class_weight=True,
    axes={
        "logit": Axis("z", "logit z of the one threshold of two classes; the class is above it", (-6.0, 6.0), _place)
    },
    several_outputs=False,
)

BEYOND = (
    "the loss of the row is undefined: its class is above the last threshold",
    "classes are 0 to the number of predictions in a row: K classes have K - 1 logits",
)


@loss(
    thresholds,
    "sum(log(1 + exp(z[j])) - where(y > j, z[j], 0) for j in thresholds)",
    aliases=("coral-loss",),
    source="Cao, Mirjalili and Raschka 2020, Rank Consistent Ordinal Regression for Neural Networks with Application to Age "
    "Estimation, arXiv:1901.07884 (equation 4, with all importances 1)",
    special=(
        "the sum over the thresholds of the cross-entropy of 'is the class above it?'",
        "summed, and not divided by K - 1",
    ),
    domains=lambda parameters: Domains(targets=CLASS_NUMBERS),
    facts=("convex",),
    undefined=BEYOND,
)
def coral(z: Array, y: Array) -> tuple[Array, Array]:
    """The binary cross-entropies of all thresholds, each of whether the class is above it."""
    sign = np.where(y > np.arange(z.shape[1]), -1, 1).astype(z.dtype)
    return row_sums(softplus(sign * z)), sign * logistic(sign * z)


@loss(
    thresholds,
    "sum(log(1 + exp(z[j])) - where(y > j, z[j], 0) for j in thresholds if y >= j)",
    aliases=("corn-loss",),
    source="Shi, Cao and Raschka 2021, Deep Neural Networks for Rank-Consistent Ordinal Regression Based On Conditional "
    "Probabilities, arXiv:2111.08851 (equation 4)",
    special=(
        "z[j] is the logit of 'the class is above j, given that it is not below j': thresholds further up do not count",
        "the sum over a row's thresholds; coral-pytorch divides the sum over the file by the number of all that count, and not "
        "by the rows",
    ),
    domains=lambda parameters: Domains(targets=CLASS_NUMBERS),
    facts=("convex",),
    undefined=BEYOND,
)
def corn(z: Array, y: Array) -> tuple[Array, Array]:
    """The binary cross-entropies of the thresholds that the class has reached, each of whether it is above it."""
    place = np.arange(z.shape[1])
    sign = np.where(y > place, -1, 1).astype(z.dtype)
    counts = y >= place
    nothing = np.where(np.isnan(z), z, 0)  # NaN is an error wherever it is
    return row_sums(np.where(counts, softplus(sign * z), nothing)), np.where(counts, sign * logistic(sign * z), nothing)
