"""Losses of the logits of a row, one per class, that are no functions of their softmax alone.

A core gets the rows' logits z and targets t, both of shape (n, k); it returns one value per row, and a function that
computes its derivative by every logit. Soft and smoothed targets weigh the losses of the classes.
"""

import math
from collections.abc import Callable
from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Extras, Indices, Targets, Values
from losscli.definition.domain import Interval
from losscli.definition.loss import SHARED, Axis, BoundLoss
from losscli.definition.registry import family, loss
from losscli.losses.softmax import dense, log_softmax, through_softmax

Slopes = Callable[[], Array]
EVEN_ORDER = Interval(2, 10, low_closed=True, high_closed=True, even=True)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(z, t) of each row; the core's slope is the gradient."""
    z = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    value, slope = loss.core(z, dense(targets, z), gradient=gradient)
    return value, slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, np.zeros_like(x)], axis=1), Indices(np.zeros(len(x), np.int64)), Extras()


class_logits = family(
    name="class-logits",
    lift=lift,
    summary="functions of a row's logits themselves, multi-class, in place of their softmax",
    variables={
        "z": "logits of a row, one per class",
        "t": "targets of the classes: 1 for the row's own class and 0 for the others, or soft",
    },
    value="f(z, t)",
    gradient="df/dz, one per class",
    targets="one per row: class indices or class names; or rows: one-hot, or soft (each >= 0, summing to 1)",
    target_type="classes",
    axes={
        "logit": Axis(
            "z",
            "logit z of the true class (of two classes; the other logit is 0)",
            (-6.0, 6.0),
            _place,
            along=(1.0, 0.0),
            own=False,
            shared=SHARED["logit"],
        )
    },
    several_outputs=False,
    smoothing="uniform",
    takes_class_weight=True,
)


def _series(x: Array, order: int) -> Array:
    """Return 1 + x + x**2 / 2 + ... + x**order / order!."""
    total = np.ones_like(x)
    for i in range(order, 0, -1):
        total = 1 + x * total / i
    return total


def _series_back(w: Array, order: int) -> Array:
    """Return the series of 1 / w, divided by its last term: 1 + order w (1 + (order - 1) w (1 + ...))."""
    total = np.ones_like(w)
    for i in range(1, order + 1):
        total = 1 + i * w * total
    return total


def _taylor(z: Array, order: int) -> tuple[Array, Array]:
    """Return log T(z) and T'(z) / T(z) of the series T of exp up to an even order, for numbers of any size."""
    far = np.abs(z) > 1
    near, w = np.where(far, 0, z), 1 / np.where(far, z, 1)
    total, back = _series(near, order), _series_back(w, order)
    beyond = order * np.log(np.abs(np.where(far, z, 1))) - math.log(math.factorial(order)) + np.log(back)
    slope = np.where(far, order * w * _series_back(w, order - 1) / back, _series(near, order - 1) / total)
    return np.where(far, beyond, np.log(total)), slope


@loss(
    class_logits,
    "-sum(t[k] * log(series(z[k]) / sum(series(z[j]) for j in classes)) for k in classes)",
    aliases=("taylor-softmax", "taylor-softmax-ce", "taylor-softmax-loss"),
    source="de Brebisson and Vincent 2016, An Exploration of Softmax Alternatives Belonging to the Spherical Loss Family, "
    "arXiv:1511.05042 (order 2); Banerjee, Gupta, Vyas and Mishra 2020, Exploring Alternatives to Softmax Function, "
    "arXiv:2011.11538 (higher orders)",
    special=(
        "series(x) = 1 + x + x**2 / 2 + ... + x**order / order!, which is above 0 for even orders",
        "it depends on the logits themselves: adding a number to all of them changes it",
        "no logit is masked by -inf: the series grows on both sides, and the probability with it",
        "towards softmax-cross-entropy for high orders; the series of the loss itself is taylor-cross-entropy",
    ),
    wide=lambda parameters: True,
)
def taylor_softmax_cross_entropy(
    z: Array,
    t: Array,
    *,
    order: Annotated[float, EVEN_ORDER, "the last power in the series of the exponential"] = 2.0,
) -> tuple[Array, Slopes]:
    """Cross-entropy of probabilities that are made by the first terms of the series of the exponential."""
    logarithm, slope = _taylor(z, int(order))
    chance = log_softmax(logarithm)
    return row_sums(times(t, -chance.l)), lambda: slope * through_softmax(-t, chance)
