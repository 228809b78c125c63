"""Sigmoid losses: sums over an output's two outcomes, positive and negative, of a core in log p.

An output with logit z is positive with p = 1 / (1 + exp(-z)). A core gets one outcome's chance (`l`, `p`, `q`), its
target weight t, and whether it is the positive outcome; it returns its value and its slope by l.
"""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from losscli.core import (
    FRACTION,
    NON_NEGATIVE,
    Array,
    Axis,
    BoundLoss,
    Chance,
    Dense,
    Extras,
    Slope,
    Targets,
    Values,
    family,
    loss,
)
from losscli.losses.chances import (
    OfLogit,
    OfLogProbability,
    OfProbability,
    Opposite,
    focal_core,
    ratio,
    times,
)

MAKERS: dict[str, Callable[[Array], Chance]] = {
    "logits": OfLogit,
    "probs": OfProbability,
    "log-probs": OfLogProbability,
}


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Value = core(positive) + core(negative); dl/dz is q for the positive outcome and -p for the negative one."""
    assert isinstance(targets, Dense)
    if targets.other is None and extras.given == "logits" and extras.pos_weight is None and loss.loss.sparse:
        return _hard(loss, predictions, targets.t, gradient)
    # Sums of two outcomes round several times; in the wider dtype they round once.
    x = predictions.astype(loss.work(predictions.dtype, wide=True))
    positive = MAKERS[extras.given](x)
    negative = Opposite(positive)
    t = targets.t.astype(x.dtype)
    value, up = loss.core(positive, t, True, gradient=gradient)
    if extras.pos_weight is not None:
        value, up = times(extras.pos_weight, value), times(extras.pos_weight, up) if gradient else up
    rest, down = loss.core(
        negative, 1 - t if targets.other is None else targets.other.astype(x.dtype), False, gradient=gradient
    )
    value = value + rest
    if not gradient:
        return value, None
    if extras.given == "logits":
        # Near z = 0 the two terms may cancel; p = 1/2 + h and q = 1/2 - h leave what is left of them exact.
        h = np.tanh(x / 2) / 2
        return value, np.where(np.abs(x) < 1, (up - down) / 2 - h * (up + down), up * positive.q - down * positive.p)
    if extras.given == "probs":
        return value, ratio(up, positive.p) - ratio(down, positive.q)
    return value, up - ratio(down * positive.p, positive.q)


def _hard(loss: BoundLoss, logits: Array, labels: Array, gradient: bool) -> Values:
    # Of two outcomes only the one that happened counts, and its logit is the logit or its opposite.
    sign = 2 * labels.astype(logits.dtype) - 1
    chance = OfLogit((sign * logits).astype(loss.work(logits.dtype), copy=False))
    value, slope = loss.core(chance, 1.0, labels.astype(bool, copy=False), gradient=gradient)
    return value, sign * (slope * chance.q) if gradient else None


def _place(given: str) -> Callable[[Array], tuple[Array, Targets, Extras]]:
    return lambda x: (x, Dense(np.ones(len(x), bool)), Extras(given))


sigmoid = family(
    name="sigmoid",
    lift=lift,
    summary="functions of one probability an output, binary and multi-label",
    variables={
        "z": "logit of the output",
        "t": "target, 0, 1 or between",
        "p": "1 / (1 + exp(-z)), the probability of the positive outcome",
        "q": "1 / (1 + exp(z)), which is 1 - p",
    },
    value="f(z, t)",
    gradient="df/dz; from probabilities df/dp = df/dz / (p * q), from log-probabilities df/dlog(p) = df/dz / q",
    targets="labels in {0, 1} or {-1, 1}, or numbers in [0, 1], one for each output; "
    "or class indices or names, one a row of (n, k) predictions, read as one-hot rows",
    reads="outcomes",
    axes={
        "logit": Axis("z", "logit z of an output with target t = 1", (-6.0, 6.0), _place("logits"), own=False),
        "probability": Axis(
            "p",
            "probability p of an output with target t = 1",
            (0.0, 1.0),
            _place("probs"),
            domain=FRACTION,
            own=False,
        ),
        "margin": Axis("m", "margin m = t * z, with t = -1 or 1", (-3.0, 3.0), _place("logits"), own=False),
    },
    likelihood="sigmoid-cross-entropy",
    several_outputs=True,
    takes_from=True,
    smoothing="half",
    takes_class_weight=True,
    takes_pos_weight=True,
)


@loss(
    sigmoid,
    "-t * log(p) - (1 - t) * log(q)",
    slope="(1 - t) * p - t * q",
    aliases=(
        "bce",
        "binary-cross-entropy",
        "binary-crossentropy",
        "bce-with-logits",
        "bce-loss",
        "bce-with-logits-loss",
        "sigmoid-binary-cross-entropy",
    ),
    source="Cox 1958, The Regression Analysis of Binary Sequences, doi:10.1111/j.2517-6161.1958.tb00292.x "
    "(the likelihood); Good 1952, Rational Decisions (the logarithmic score)",
    special=(
        "zero times log zero is zero",
        "p = 0 for an outcome that happened is inf, and is not clipped",
        "--pos-weight w: -w * t * log(p) - (1 - t) * log(q)",
    ),
    relations=("softmax-cross-entropy of the two logits (z, 0)", "sigmoid-focal at gamma = 0 without alpha"),
    sparse=True,
    baseline="frequencies",
    facts=("convex",),
)
def sigmoid_cross_entropy(x: Chance, t: Array | float, positive: Array | bool) -> tuple[Array, Array | float]:
    """Minus the log-probability of what happened, for each output by itself."""
    return times(t, -x.l), 0 - t


@loss(
    sigmoid,
    "-a * t * q**gamma * log(p) - b * (1 - t) * p**gamma * log(q)",
    slope="a * t * q**gamma * (gamma * p * log(p) - q) - b * (1 - t) * p**gamma * (gamma * q * log(q) - p)",
    where={"a": "1 if alpha is None else alpha", "b": "1 if alpha is None else 1 - alpha"},
    aliases=("binary-focal", "focal", "sigmoid-focal-loss", "binary-focal-crossentropy"),
    source="Lin, Goyal, Girshick, He and Dollar 2017, Focal Loss for Dense Object Detection, arXiv:1708.02002",
    special=(
        "linear in the target: a soft target weighs both terms",
        "alpha weighs the positive outcome and 1 - alpha the negative one; without alpha both weigh 1",
        "0 where p of the outcome is 1, for every gamma, and so is the gradient for gamma > 0",
    ),
    relations=("sigmoid-cross-entropy at gamma = 0 without alpha", "half of it at gamma = 0 and alpha = 0.5"),
    sparse=True,
    wide=lambda parameters: parameters["gamma"] != 0,
)
def sigmoid_focal(
    x: Chance,
    t: Array | float,
    positive: Array | bool,
    *,
    gamma: Annotated[float, NON_NEGATIVE, "focus on hard outcomes: the power of 1 - p"] = 2.0,
    alpha: Annotated[float, FRACTION, "weight of the positive outcome; the negative one gets 1 - alpha"] | None = None,
) -> tuple[Array, Slope]:
    """Cross-entropy that down-weights what is already predicted well."""
    value, slope = focal_core(x, t, gamma)
    if alpha is None:
        return value, slope
    weight = np.where(positive, alpha, 1 - alpha)
    return times(weight, value), lambda: times(weight, slope())
