"""Margin losses: functions of m = sign * score, for scores whose sign is the prediction."""

from typing import Annotated

import numpy as np

from losscli.core import BELOW_ONE, Array, Axis, BoundLoss, Dense, Extras, Targets, Values, family, loss


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """M = t * score with t = -1 or 1, elementwise: dm/dscore is t."""
    assert isinstance(targets, Dense)
    t = targets.t.astype(predictions.dtype)
    value, slope = loss.core(t * predictions)
    return value, t * slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    return x, Dense(np.ones(len(x), np.int8)), Extras()


margin = family(
    name="margin",
    lift=lift,
    summary="functions of the margin, elementwise",
    variables={"m": "t * score, with t = 1 for a positive label and -1 for a negative one"},
    value="f(m)",
    gradient="t * df/dm",
    targets="labels in {0, 1} or in {-1, 1}, one for each score",
    reads="signs",
    axes={"margin": Axis("m", "margin m = t * score, with t = -1 or 1", (-3.0, 3.0), _place)},
    several_outputs=True,
    takes_class_weight=True,
)


@loss(
    margin,
    "max(0, 1 - m)",
    slope="where(m < 1, -1, 0)",
    aliases=("hinge-loss",),
    source="Cortes and Vapnik 1995, Support-Vector Networks, doi:10.1007/BF00994018",
    special=("the slope at m = 1 is 0",),
    relations=("ramp as s -> -inf",),
    breaks=lambda parameters: {"1": 1.0},
    baseline="signs",
    facts=("convex",),
)
def hinge(m: Array) -> tuple[Array, Array]:
    """Zero from a margin of 1 on, linear below."""
    return np.maximum(1 - m, 0), np.where(m < 1, -1, np.zeros_like(m))


@loss(
    margin,
    "max(0, 1 - m)**2",
    slope="-2 * max(0, 1 - m)",
    aliases=("squared-hinge-loss",),
    source="Cortes and Vapnik 1995, Support-Vector Networks, doi:10.1007/BF00994018 (its sigma = 2)",
    relations=("the square of hinge",),
    breaks=lambda parameters: {"1": 1.0},
    baseline="signs",
    facts=("convex",),
)
def squared_hinge(m: Array) -> tuple[Array, Array]:
    """The square of the hinge."""
    gap = np.maximum(1 - m, 0)
    return gap * gap, -2 * gap


@loss(
    margin,
    "min(1 - s, max(0, 1 - m))",
    slope="where((s < m) & (m < 1), -1, 0)",
    aliases=("ramp-loss",),
    source="Collobert, Sinz, Weston and Bottou 2006, Trading Convexity for Scalability, doi:10.1145/1143844.1143870",
    special=("constant, with slope 0, below a margin of s: an outlier has no pull",),
    relations=("hinge as s -> -inf", "the difference of two hinges: max(0, 1 - m) - max(0, s - m)"),
    breaks=lambda parameters: {"s": float(parameters["s"] or 0), "1": 1.0},
    baseline="signs",
    facts=("bounded",),
)
def ramp(
    m: Array, *, s: Annotated[float, BELOW_ONE, "margin below which the loss is constant"] = -1.0
) -> tuple[Array, Array]:
    """The hinge, cut off at 1 - s."""
    gap = np.clip(1 - m, 0, 1 - s)
    return gap, np.where((s < m) & (m < 1), -1, np.zeros_like(m))


@loss(
    margin,
    "log(1 + exp(-m))",
    slope="-1 / (1 + exp(m))",
    aliases=("logistic-loss", "soft-margin", "soft-margin-loss"),
    source="Cox 1958, The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x",
    relations=("sigmoid-cross-entropy of the same score, taken for a logit",),
    facts=("convex",),
)
def logistic(m: Array) -> tuple[Array, Array]:
    """Minus the log-probability of the label, where the score is a logit."""
    e = np.exp(-np.abs(m))
    return np.maximum(-m, 0) + np.log1p(e), -np.where(m > 0, e, 1) / (1 + e)


@loss(
    margin,
    "where(m > 0, 0, 1)",
    slope="0",
    aliases=("zero-one-loss", "misclassification"),
    source="Vapnik 1995, The Nature of Statistical Learning Theory, doi:10.1007/978-1-4757-2440-0 (the risk of a "
    "classifier)",
    special=("a score of 0 decides for no label and counts as an error", "its mean is the error rate"),
    relations=("hinge, squared-hinge, and logistic / log(2) are upper bounds of it",),
    breaks=lambda parameters: {"0": 0.0},
    baseline="signs",
    facts=("bounded",),
)
def zero_one(m: Array) -> tuple[Array, Array]:
    """One for each error."""
    return np.heaviside(-m, 1.0), np.zeros_like(m)
