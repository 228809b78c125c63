"""Margin losses: functions of m = sign * score, for scores whose sign is the prediction."""

import math
from typing import Annotated

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import BELOW_ONE
from losscli.definition.loss import SHARED, Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(m) with m = t * score and t = -1 or 1, elementwise: dm/dscore is t."""
    assert isinstance(targets, Dense)
    t = targets.t.astype(loss.work(predictions.dtype))
    value, slope = loss.core(t * predictions)
    return value, t * slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x, Dense(np.ones(len(x), np.int8)), Extras()


margin = family(
    name="margin",
    lift=lift,
    summary="functions of the margin, elementwise",
    variables={"m": "t * score, with t = 1 for a positive label and -1 for a negative one"},
    value="f(m)",
    gradient="t * df/dm",
    targets="labels in {0, 1} or in {-1, 1}, one for each score",
    target_type="signs",
    axes={"margin": Axis("m", "margin m = t * score, with t = -1 or 1", (-3.0, 3.0), _place, shared=SHARED["margin"])},
    several_outputs=True,
    takes_class_weight=True,
    signed_scores=True,
)


@loss(
    margin,
    "max(0, 1 - m)",
    slope="where(m < 1, -1, 0)",
    aliases=("hinge-loss",),
    source="Cortes and Vapnik 1995, Support-Vector Networks, doi:10.1007/BF00994018",
    special=("the slope at m = 1 is 0",),
    relations=(same("perceptron(m - 1)"),),
    breaks=lambda parameters: {"1": 1.0},
    baseline="signs",
    facts=("convex",),
)
def hinge(m: Array) -> tuple[Array, Array]:
    """Zero from a margin of 1 on, linear below."""
    return np.maximum(1 - m, 0), 0 - np.heaviside(1 - m, 0)


@loss(
    margin,
    "max(0, 1 - m)**2",
    slope="-2 * max(0, 1 - m)",
    aliases=("squared-hinge-loss",),
    source="Cortes and Vapnik 1995, Support-Vector Networks, doi:10.1007/BF00994018 (its sigma = 2)",
    relations=(same("hinge(m)**2"),),
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
    relations=(same("hinge(m) - hinge(m + 1 - s)"), same("hinge(m)", s=-math.inf)),
    breaks=lambda parameters: {"s": float(parameters["s"] or 0), "1": 1.0},
    baseline="signs",
    facts=("bounded",),
)
def ramp(
    m: Array, *, s: Annotated[float, BELOW_ONE, "margin below which the loss is constant"] = -1.0
) -> tuple[Array, Array]:
    """The hinge, cut off at 1 - s."""
    gap = np.clip(1 - m, 0, 1 - s)
    return gap, 0 - np.heaviside(gap, 0) * np.heaviside(m - s, 0)


@loss(
    margin,
    "log(1 + exp(-m))",
    slope="-1 / (1 + exp(m))",
    aliases=("logistic-loss", "soft-margin", "soft-margin-loss"),
    source="Cox 1958, The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x",
    relations=(same("sigmoid_cross_entropy(m, 1)"),),
    facts=("convex",),
)
def logistic(m: Array) -> tuple[Array, Array]:
    """Minus the log-probability of the label, where the score is a logit."""
    e = np.exp(-np.abs(m))
    return np.maximum(-m, 0) + log1p(e), -np.where(m > 0, e, 1) / (1 + e)


@loss(
    margin,
    "where(m > 0, 0, 1)",
    slope="0",
    aliases=("zero-one-loss", "misclassification", "hamming", "hamming-loss", "hamming-distance"),
    source="Vapnik 1995, The Nature of Statistical Learning Theory, doi:10.1007/978-1-4757-2440-0 (the risk of a "
    "classifier)",
    special=(
        "a score of 0 decides for no label and counts as an error",
        "its mean is the error rate; over the outputs of many labels it is the Hamming loss",
        "hinge, squared-hinge, exponential, and logistic / log(2) are upper bounds of it",
    ),
    breaks=lambda parameters: {"0": 0.0},
    baseline="signs",
    facts=("bounded",),
)
def zero_one(m: Array) -> tuple[Array, Array]:
    """One for each error."""
    return np.heaviside(-m, 1.0), np.zeros_like(m)


@loss(
    margin,
    "exp(-m)",
    slope="-exp(-m)",
    aliases=("exponential-loss", "adaboost"),
    source="Freund and Schapire 1997, A Decision-Theoretic Generalization of On-Line Learning and an Application to "
    "Boosting, doi:10.1006/jcss.1997.1504",
    facts=("convex",),
)
def exponential(m: Array) -> tuple[Array, Array]:
    """The loss of AdaBoost: a wrong score costs exponentially in its size."""
    e = np.exp(-m)
    return e, -e


@loss(
    margin,
    "where(m >= -1, max(0, 1 - m)**2, -4 * m)",
    slope="where(m >= -1, -2 * max(0, 1 - m), -4)",
    aliases=("modified-huber-loss", "quadratically-smoothed-hinge"),
    source="Zhang 2004, Solving Large Scale Linear Prediction Problems Using Stochastic Gradient Descent Algorithms, "
    "doi:10.1145/1015330.1015332",
    relations=(same("4 * binary_sparsemax(m)"),),
    breaks=lambda parameters: {"-1": -1.0, "1": 1.0},
    baseline="signs",
    facts=("convex",),
)
def modified_huber(m: Array) -> tuple[Array, Array]:
    """The squared hinge, linear below a margin of -1."""
    gap = np.maximum(1 - m, 0)
    near = np.minimum(gap, 2)
    return near * (2 * gap - near), -2 * near


@loss(
    margin,
    "max(0, -m)",
    slope="where(m < 0, -1, 0)",
    aliases=("perceptron-loss",),
    source="Rosenblatt 1958, The Perceptron: A Probabilistic Model for Information Storage and Organization in the "
    "Brain, doi:10.1037/h0042519",
    special=("the slope at m = 0 is 0", "scores of 0 lose nothing: it says nothing of how sure a model is"),
    relations=(same("hinge(m + 1)"),),
    breaks=lambda parameters: {"0": 0.0},
    facts=("convex",),
)
def perceptron(m: Array) -> tuple[Array, Array]:
    """Zero for a score on the right side, linear on the wrong one."""
    return np.maximum(-m, 0), 0 - np.heaviside(-m, 0)


@loss(
    margin,
    "1 / (1 + exp(m))**2",
    slope="-2 * exp(m) / (1 + exp(m))**3",
    aliases=("savage-loss", "savageboost"),
    source="Masnadi-Shirazi and Vasconcelos 2008, On the Design of Loss Functions for Classification: Theory, "
    "Robustness to Outliers, and SavageBoost, NIPS 21",
    special=("written with exp(2 * m) by some: that is this loss of a doubled score",),
    relations=(same("exp(-2 * logistic(-m))"),),
    wide=lambda parameters: True,
    facts=("bounded",),
)
def savage(m: Array) -> tuple[Array, Array]:
    """The square of the probability of the wrong label, where the score is a logit."""
    e = np.exp(-np.abs(m))
    wrong, right = np.where(m > 0, e, 1) / (1 + e), np.where(m > 0, 1, e) / (1 + e)
    return wrong * wrong, -2 * wrong * wrong * right


@loss(
    margin,
    "(2 * atan(m) - 1)**2",
    slope="4 * (2 * atan(m) - 1) / (1 + m**2)",
    aliases=("tangent-loss", "tangentboost"),
    source="Masnadi-Shirazi, Mahadevan and Vasconcelos 2010, On the Design of Robust Classifiers for Computer Vision, "
    "doi:10.1109/CVPR.2010.5540136",
    special=("zero at m = tan(1 / 2); larger margins lose again, up to (pi - 1)**2",),
    wide=lambda parameters: True,
    facts=("bounded",),
)
def tangent(m: Array) -> tuple[Array, Array]:
    """Bounded on both sides: neither an outlier nor a score that is too sure costs much."""
    gap = 2 * np.arctan(m) - 1
    return gap * gap, 4 * gap / (1 + m * m)


@loss(
    margin,
    "where(m <= 0, 1 / 2 - m, max(0, 1 - m)**2 / 2)",
    slope="where(m <= 0, -1, -max(0, 1 - m))",
    aliases=("smoothed-hinge", "rennie-hinge"),
    source="Rennie and Srebro 2005, Loss Functions for Preference Levels: Regression with Discrete Ordered Labels, "
    "IJCAI Multidisciplinary Workshop on Advances in Preference Handling",
    relations=(same("huber(hinge(m), delta=1)"),),
    breaks=lambda parameters: {"0": 0.0, "1": 1.0},
    facts=("convex",),
)
def smooth_hinge(m: Array) -> tuple[Array, Array]:
    """The hinge with its corner rounded between margins of 0 and 1."""
    gap = np.maximum(1 - m, 0)
    near = np.minimum(gap, 1)
    return near * (gap - near / 2), -near


@loss(
    margin,
    "where(m >= 1, 0, where(m <= -1, -m, (1 - m)**2 / 4))",
    slope="where(m >= 1, 0, where(m <= -1, -1, -(1 - m) / 2))",
    aliases=("sparsemax-binary", "binary-sparsemax-loss"),
    source="Martins and Astudillo 2016, From Softmax to Sparsemax: A Sparse Model of Attention and Multi-Label "
    "Classification, arXiv:1602.02068",
    special=("the sparsemax loss of two classes with the scores (m, 0)",),
    relations=(same("modified_huber(m) / 4"),),
    breaks=lambda parameters: {"-1": -1.0, "1": 1.0},
    baseline="signs",
    facts=("convex",),
)
def binary_sparsemax(m: Array) -> tuple[Array, Array]:
    """Zero from a margin of 1 on and linear below -1, with a parabola between."""
    gap = np.maximum(1 - m, 0)
    near = np.minimum(gap, 2)
    return near * (2 * gap - near) / 4, -near / 2
