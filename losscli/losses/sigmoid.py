"""Sigmoid losses: sums over the two outcomes of an output, positive and negative, of a core in log p.

An output with logit z is positive with p = 1 / (1 + exp(-z)). A core gets the probability of one outcome
(`l`, `p`, `q`), its target weight t, whether it is the positive outcome, and the other outcome's target weight, which
is 1 - t with all its digits; it returns its value and its slope by l. If a term does not have t as a factor, a loss is
split by t and 1 - t: t f + (1 - t) f = f, so that weights of outcomes have a meaning.
"""

from collections.abc import Callable
from typing import Annotated, Any, cast

import numpy as np

from losscli.arrays import Array, times
from losscli.definition.batch import Dense, Extras, Probability, Targets, Values
from losscli.definition.domain import AT_LEAST_ONE, FRACTION, FRACTION_BELOW_ONE, NON_NEGATIVE, Interval
from losscli.definition.loss import SHARED, Axis, BoundLoss, Slope, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.probability import (
    Known,
    OfLogit,
    OfLogProbability,
    OfProbability,
    Opposite,
    Slopes,
    beyond_half,
    by_log,
    by_probability,
    clipped,
    focal_core,
    gap,
    poly_core,
    ratio,
    to_the,
)

MAKERS: dict[str, Callable[[Array], Probability]] = {
    "logits": OfLogit,
    "probs": OfProbability,
    "log-probs": OfLogProbability,
}


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(positive) + core(negative); dl/dz is q for the positive outcome and -p for the negative one."""
    assert isinstance(targets, Dense)
    if extras.clip is not None:
        return _clipped(loss, predictions, targets, extras), None
    if (
        targets.other is None
        and extras.prediction_kind == "logits"
        and extras.pos_weight is None
        and loss.declaration.sparse
    ):
        return _hard(loss, predictions, targets.t, gradient)
    # Sums over two outcomes round several times; in the wider dtype they round once.
    x = predictions.astype(loss.work(predictions.dtype, wide=True))
    positive = MAKERS[extras.prediction_kind](x)
    negative = Opposite(positive)
    value, up, down = _both(loss, positive, negative, targets, extras, gradient)
    if not gradient:
        return value, None
    w = 1.0 if extras.pos_weight is None else extras.pos_weight
    if extras.prediction_kind == "probs":
        return value, times(w, by_probability(up, positive.p)) - by_probability(down, positive.q)
    if extras.prediction_kind == "log-probs":
        lost = times(positive.p, down.by_p()) if isinstance(down, Slopes) else ratio(down * positive.p, positive.q)
        return value, times(w, by_log(up)) - lost
    up, down = times(w, by_log(up)), by_log(down)
    # Near z = 0 the two terms may cancel; with p = 1/2 + h and q = 1/2 - h their difference stays exact.
    h = np.tanh(x / 2) / 2
    return value, np.where(np.abs(x) < 1, (up - down) / 2 - h * (up + down), up * positive.q - down * positive.p)


def _both(
    loss: BoundLoss, positive: Probability, negative: Probability, targets: Dense, extras: Extras, gradient: bool
) -> tuple[Array, Any, Any]:
    """Return the sum of the two outcomes' values, and the slope of each."""
    t = targets.t.astype(positive.p.dtype)
    other = 1 - t if targets.other is None else targets.other.astype(t.dtype)
    value, up = loss.core(positive, t, True, other, gradient=gradient)
    rest, down = loss.core(negative, other, False, t, gradient=gradient)
    return (value if extras.pos_weight is None else times(extras.pos_weight, value)) + rest, up, down


def _clipped(loss: BoundLoss, predictions: Array, targets: Dense, extras: Extras) -> Array:
    """Return losses from probabilities that are clipped first."""
    assert extras.clip is not None
    p = clipped(MAKERS[extras.prediction_kind](predictions).p, extras.clip)
    q = clipped(p.q, extras.clip._replace(low=0.0, high=1.0))
    positive, negative = (
        Known(*(part.astype(p.l.dtype) for part in (outcome.l, outcome.p, outcome.q))) for outcome in (p, q)
    )
    return _both(loss, positive, negative, targets, extras, False)[0]


def _hard(loss: BoundLoss, logits: Array, labels: Array, gradient: bool) -> Values:
    # Only the outcome that happened has a term, and its logit is the logit or its negative.
    """Return losses and gradient for labels of 0 and 1."""
    sign = (2 * labels.astype(np.int8) - np.int8(1)).astype(logits.dtype)
    own = logits * sign
    probability = OfLogit(own.astype(loss.work(logits.dtype), copy=False))
    value, slope = loss.core(probability, 1.0, labels.astype(bool, copy=False), 0.0, gradient=gradient)
    return value, sign * (by_log(slope) * probability.q) if gradient else None


def _place(prediction_kind: str) -> Callable[[Array], tuple[Array, Targets, Extras]]:
    """Return a function that gives predictions, targets and extras at the points x of a drawn curve."""
    return lambda x: (x, Dense(np.ones(len(x), bool)), Extras(prediction_kind))


sigmoid = family(
    name="sigmoid",
    lift=lift,
    summary="functions of one probability per output, binary and multi-label",
    variables={
        "z": "logit of the output",
        "t": "target, 0, 1 or between",
        "p": "1 / (1 + exp(-z)), the probability of the positive outcome",
        "q": "1 / (1 + exp(z)), which is 1 - p",
    },
    value="f(z, t)",
    gradient="df/dz; from probabilities df/dp = df/dz / (p * q), from log-probabilities df/dlog(p) = df/dz / q",
    targets="labels in {0, 1} or {-1, 1}, or numbers in [0, 1], one for each output; "
    "or class indices or names, one per row of (n, k) predictions, read as one-hot rows",
    target_type="outcomes",
    axes={
        "logit": Axis(
            "z",
            "logit z of an output with target t = 1",
            (-6.0, 6.0),
            _place("logits"),
            own=False,
            shared=SHARED["logit"],
        ),
        "probability": Axis(
            "p",
            "probability p of an output with target t = 1",
            (0.0, 1.0),
            _place("probs"),
            domain=FRACTION,
            own=False,
            shared=SHARED["probability"],
        ),
        "margin": Axis(
            "m", "margin m = t * z, with t = -1 or 1", (-3.0, 3.0), _place("logits"), own=False, shared=SHARED["margin"]
        ),
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
    relations=(
        same("softmax_cross_entropy(stack(z, 0), stack(t, 1 - t))"),
        same("sigmoid_focal(z, t, gamma=0)"),
        same("2 * balanced_cross_entropy(z, t, beta=1/2)"),
    ),
    sparse=True,
    baseline="frequencies",
    facts=("convex",),
)
def sigmoid_cross_entropy(
    x: Probability, t: Array | float, positive: Array | bool, other: Array | float
) -> tuple[Array, Array | float]:
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
        "without alpha and with labels, softmax-focal of the two logits (z, 0)",
    ),
    relations=(
        same("sigmoid_cross_entropy(z, t)", gamma=0),
        same("sigmoid_cross_entropy(z, t) / 2", gamma=0, alpha=0.5),
    ),
    sparse=True,
    wide=lambda parameters: parameters["gamma"] != 0,
)
def sigmoid_focal(
    x: Probability,
    t: Array | float,
    positive: Array | bool,
    other: Array | float,
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


POLY = Interval(-1, np.inf, low_closed=True)
AT_MOST_ZERO = Interval(-np.inf, 0, high_closed=True)


@loss(
    sigmoid,
    "t * (epsilon * q - log(p)) + (1 - t) * (epsilon * p - log(q))",
    slope="(1 - t) * p * (1 + epsilon * q) - t * q * (1 + epsilon * p)",
    aliases=("poly-binary-cross-entropy", "binary-poly-1", "poly-1-binary-cross-entropy"),
    source="Leng, Tan, Liu, Cubuk, Shi, Cheng and Anguelov 2022, PolyLoss: A Polynomial Expansion Perspective of "
    "Classification Loss Functions, arXiv:2204.12511",
    special=(
        "-log(p) is q + q**2 / 2 + q**3 / 3 + ...; epsilon is added to the coefficient 1 of q, which is gone at -1",
        "convex in z for epsilon <= 1",
        "linear in the target: a soft target weighs both terms",
    ),
    relations=(same("sigmoid_cross_entropy(z, t)", epsilon=0),),
    sparse=True,
    wide=lambda parameters: parameters["epsilon"] != 0,
)
def sigmoid_poly_1(
    x: Probability,
    t: Array | float,
    positive: Array | bool,
    other: Array | float,
    *,
    epsilon: Annotated[float, POLY, "what is added to the coefficient of 1 - p"] = 1.0,
) -> tuple[Array, Slope]:
    """Cross-entropy with another coefficient of the first term of its series in 1 - p."""
    return poly_core(x, t, epsilon)


@loss(
    sigmoid,
    "-t * q**gamma_pos * log(p) - (1 - t) * pm**gamma_neg * log(1 - pm)",
    slope="t * q**gamma_pos * (gamma_pos * p * log(p) - q) "
    "+ where(p > clip, (1 - t) * p * q * pm**gamma_neg * (1 / (1 - pm) - gamma_neg * log(1 - pm) / pm), 0)",
    where={"pm": "max(p - clip, 0)"},
    aliases=("asl", "asymmetric-loss", "asymmetric-loss-multi-label", "asymmetric-multi-label"),
    source="Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter and Zelnik-Manor 2021, Asymmetric Loss For Multi-Label "
    "Classification, arXiv:2009.14119",
    special=(
        "a negative outcome whose p is at most clip costs nothing, and has no gradient",
        "linear in the target: a soft target weighs both terms",
        "for a negative outcome the loss is finite where clip > 0, even at p = 1",
    ),
    relations=(
        same("sigmoid_focal(z, t, gamma=gamma_neg)", gamma_pos=4, gamma_neg=4, clip=0),
        same("sigmoid_cross_entropy(z, t)", gamma_pos=0, gamma_neg=0, clip=0),
    ),
    sparse=True,
    wide=lambda parameters: True,
)
def asymmetric(
    x: Probability,
    t: Array | float,
    positive: Array | bool,
    other: Array | float,
    *,
    gamma_neg: Annotated[float, NON_NEGATIVE, "focus on hard negative outcomes: the power of pm"] = 4.0,
    gamma_pos: Annotated[float, NON_NEGATIVE, "focus on hard positive outcomes: the power of 1 - p"] = 1.0,
    clip: Annotated[float, FRACTION_BELOW_ONE, "what is taken off p for negative outcomes"] = 0.05,
) -> tuple[Array, Slope]:
    """A focal loss that forgets easy negative outcomes sooner than easy positive ones."""
    gamma = np.where(positive, gamma_pos, gamma_neg)
    shift = np.where(positive, 0, clip).astype(x.p.dtype)
    # m is 1 - p of the outcome beyond the shift, and its cost is -log(1 - m).
    missed, middle = np.where(x.p < 0.5, (1 - shift) - x.p, x.q - shift), beyond_half(x)
    missed = missed if middle is None else np.where(np.abs(middle) < 0.25, (0.5 - shift) - middle, missed)
    m = np.maximum(missed, 0)
    kept = np.minimum(x.p + shift, 1)
    l = np.where(shift == 0, x.l, np.where(m < 0.5, log1p(-m), np.log(kept)))
    focus = np.where((m == 0) & (shift > 0), 0, to_the(gamma, m, kept))

    def slope() -> Slopes:
        pull = np.where(m == 0, -1, kept * np.maximum(l, np.finfo(l.dtype).min) / m)
        by_kept = focus * (gamma * pull - 1)
        share = np.where(shift == 0, 1, x.p / kept)
        return Slopes(times(t, share * by_kept), lambda: times(t, by_kept / kept))

    return times(t, -focus * l), cast(Slope, slope)


def _quality(
    x: Probability, t: Array | float, other: Array | float, beta: float, low: Any, span: Any, beyond: Any
) -> tuple[Array, Slope]:
    """Return the term of one outcome, -(t - low) |t - low - span p|^beta log p, and its slope.

    The outcome pulls the predicted number to high = low + span. `other` is 1 - t, and `beyond` is high - 1.
    """
    weight = t - low
    distance = gap(x, weight, span, other + beyond)
    size = np.abs(distance)
    # 1 - size; between 0 and 1 from what the difference is made of, which has its digits if p is all but 0 or 1.
    rest = np.where(distance > 0, other + x.p, x.q + t) if (low, span) == (0, 1) else 1 - size
    focus = to_the(beta, size, rest)

    def slope() -> Array:
        # At a distance of 0 the two outcomes pull in opposite directions: the loss has a kink there, or is flat.
        pull = np.where(distance == 0, 0, span * (x.p * np.maximum(x.l, np.finfo(x.l.dtype).min)) / distance)
        # An infinite focus is a large one here, since the two outcomes' slopes have opposite signs.
        near = np.where(np.isinf(focus), np.finfo(focus.dtype).max ** focus.dtype.type(0.4), focus)
        return times(weight, near * np.where(distance == 0, -1, beta * pull - 1))

    return times(weight, -focus * x.l), slope


QUALITY = (
    "Li, Wang, Wu, Chen, Hu, Li, Tang and Yang 2020, Generalized Focal Loss: Learning Qualified and Distributed Bounding "
    "Boxes for Dense Object Detection, arXiv:2006.04388"
)


@loss(
    sigmoid,
    "-abs(t - p)**beta * (t * log(p) + (1 - t) * log(q))",
    slope="where(p == t, 0, abs(t - p)**beta * (p - t + beta * p * q * (t * log(p) + (1 - t) * log(q)) / (t - p)))",
    aliases=("qfl", "quality-focal-loss"),
    source=QUALITY,
    special=(
        "the target is a quality from 0 to 1, such as an overlap: the loss is 0 where p is the target, not where p is 1",
        "of labels, the focal loss with gamma = beta",
        "the slope at p = t is 0, also for beta < 1, where it is infinite beside it",
    ),
    relations=(
        same("generalized_focal(z, t, beta=beta, low=0, high=1)"),
        same("sigmoid_cross_entropy(z, t)", beta=0),
    ),
    sparse=True,
    wide=lambda parameters: parameters["beta"] != 0,
)
def quality_focal(
    x: Probability,
    t: Array | float,
    positive: Array | bool,
    other: Array | float,
    *,
    beta: Annotated[float, NON_NEGATIVE, "focus on what is far off: the power of the distance"] = 2.0,
) -> tuple[Array, Slope]:
    """Cross-entropy that down-weights probabilities which are near a soft target."""
    if isinstance(t, float) and t == 1:
        return focal_core(x, t, beta)
    return _quality(x, t, other, beta, 0.0, 1.0, 0.0)


@loss(
    sigmoid,
    "-abs(t - low * q - high * p)**beta * ((high - t) * log(q) + (t - low) * log(p))",
    slope="where(t == low * q + high * p, 0, abs(t - low * q - high * p)**beta * (low * q + high * p - t + beta * p * q "
    "* (high - low) * ((high - t) * log(q) + (t - low) * log(p)) / (t - low * q - high * p)))",
    aliases=("gfl", "generalized-focal-loss"),
    source=QUALITY,
    special=(
        "p says where between low and high the predicted number is: low * q + high * p",
        "the terms are not divided by high - low, as in the paper",
        "beta = 0 is the distribution focal loss of two neighbouring values",
        "the slope where the predicted number is t is 0, also for beta < 1, where it is infinite beside it",
    ),
    relations=(same("quality_focal(z, t, beta=beta)", low=0, high=1),),
    wide=lambda parameters: True,
)
def generalized_focal(
    x: Probability,
    t: Array | float,
    positive: Array | bool,
    other: Array | float,
    *,
    beta: Annotated[float, NON_NEGATIVE, "focus on what is far off: the power of the distance"] = 2.0,
    low: Annotated[float, AT_MOST_ZERO, "the number that p = 0 stands for"] = 0.0,
    high: Annotated[float, AT_LEAST_ONE, "the number that p = 1 stands for"] = 1.0,
) -> tuple[Array, Slope]:
    """Quality-focal for a number between any two values."""
    number = x.p.dtype.type  # high - low in the dtype of the computation, since t - p may be tiny
    ends = (number(low), number(high) - 1) if positive else (1 - number(high), -number(low))
    return _quality(x, t, other, beta, ends[0], number(high) - number(low), ends[1])


@loss(
    sigmoid,
    "where(t > 0, -t * (t * log(p) + (1 - t) * log(q)), -alpha * p**gamma * log(q))",
    slope="where(t > 0, t * (p - t), alpha * p**gamma * (p - gamma * q * log(q)))",
    aliases=("vfl", "varifocal-loss"),
    source="Zhang, Wang, Dayoub and Sunderhauf 2021, VarifocalNet: An IoU-aware Dense Object Detector, arXiv:2008.13367",
    special=(
        "the target is the overlap with the true box for the true class, and 0 for other classes and the background",
        "outputs with a target above 0 weigh by it, and those with the target 0 are down-weighted where p is small",
        "the loss jumps as a target becomes 0: --label-smoothing makes no sense for it",
    ),
    relations=(same("t * sigmoid_cross_entropy(z, t)"),),
    sparse=True,
    wide=lambda parameters: parameters["gamma"] != 0,
)
def varifocal(
    x: Probability,
    t: Array | float,
    positive: Array | bool,
    other: Array | float,
    *,
    alpha: Annotated[float, NON_NEGATIVE, "weight of outputs with the target 0"] = 0.75,
    gamma: Annotated[float, NON_NEGATIVE, "focus on hard outputs with the target 0: the power of p"] = 2.0,
) -> tuple[Array, Slope]:
    """Cross-entropy that weighs positives by the quality they are to have, and forgets easy negatives."""
    quality = np.where(positive, t, other)
    value, slope = focal_core(x, t, gamma)
    return (
        np.where(quality > 0, times(quality * t, -x.l), times(alpha, value)),
        lambda: np.where(quality > 0, -quality * t, times(alpha, slope())),
    )


@loss(
    sigmoid,
    "-beta * t * log(p) - (1 - beta) * (1 - t) * log(q)",
    slope="(1 - beta) * (1 - t) * p - beta * t * q",
    aliases=("balanced-bce", "balanced-binary-cross-entropy"),
    source="Xie and Tu 2015, Holistically-Nested Edge Detection, arXiv:1504.06375",
    special=(
        "in the source beta is the share of negative outcomes of an image, so that both outcomes weigh the same in it",
        "zero times log zero is zero",
    ),
    relations=(
        same("sigmoid_focal(z, t, gamma=0, alpha=beta)"),
        same("sigmoid_cross_entropy(z, t) / 2", beta=0.5),
    ),
    sparse=True,
    facts=("convex",),
)
def balanced_cross_entropy(
    x: Probability,
    t: Array | float,
    positive: Array | bool,
    other: Array | float,
    *,
    beta: Annotated[float, FRACTION, "weight of the positive outcome; the negative one gets 1 - beta"] = 0.5,
) -> tuple[Array, Slope]:
    """Cross-entropy in which the two outcomes have weights that sum to 1."""
    weight = times(t, np.where(positive, beta, 1 - beta).astype(x.l.dtype))
    return times(weight, -x.l), -weight


@loss(
    sigmoid,
    "(p - t)**2",
    slope="2 * (p - t) * p * q",
    aliases=("binary-brier", "brier-binary", "binary-brier-score"),
    source="Brier 1950, Verification of Forecasts Expressed in Terms of Probability, "
    "doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    special=(
        "of one outcome, 0 to 1; the brier loss of softmax sums the squares of all classes, which for two is twice this",
        "the gradient vanishes where p is near 0 or 1, on the wrong side too",
    ),
    relations=(same("brier(stack(z, 0), stack(t, 1 - t)) / 2"),),
    sparse=True,
    wide=lambda parameters: True,
    facts=("bounded",),
)
def sigmoid_brier(
    x: Probability, t: Array | float, positive: Array | bool, other: Array | float
) -> tuple[Array, Slope]:
    """The square of what the probability misses."""
    distance = gap(x, t, rest=other)

    def slope() -> Slopes:
        by_p = times(t, -2 * distance)
        return Slopes(by_p * x.p, lambda: by_p)

    return times(t, distance * distance), cast(Slope, slope)
