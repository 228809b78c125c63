"""Angular losses: softmax cross-entropy of scaled cosines, in which the true class is handicapped by a margin.

Predictions are the cosines between a row's features and the weights of each class. A core gets the cosine c of
the true class, shape (n,). It returns the number that replaces it, and a pair: the derivative of that number,
and the factor of all cosines.
"""

from typing import Annotated, Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Extras, Indices, Targets, Values
from losscli.definition.domain import NON_NEGATIVE, POSITIVE, Domains, Interval
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.losses.softmax import log_softmax

COSINE = Interval(-1, 1, True, True)
ANGLE = Interval(0, np.pi, True)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return -log softmax(scale * cosines) of the true class, whose cosine is replaced by core(c)."""
    assert isinstance(targets, Indices)
    z = predictions.astype(loss.work(predictions.dtype, wide=True))
    rows = np.arange(len(z))
    handicapped, (turn, scale) = loss.core(z[rows, targets.index])
    z[rows, targets.index] = handicapped
    z *= scale
    chance = log_softmax(z)
    value = -chance.l[rows, targets.index]
    if not gradient:
        return value, None
    slopes = scale * chance.p
    slopes[rows, targets.index] = np.where(np.isinf(turn), -turn, -scale * turn * chance.q[rows, targets.index])
    return value, slopes


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([1 - x, np.zeros_like(x)], axis=1), Indices(np.zeros(len(x), np.int64)), Extras()


angular = family(
    name="angular",
    lift=lift,
    summary="softmax cross-entropy of cosines with a margin, multi-class",
    variables={
        "c": "cosines of a row, one per class",
        "y": "class of the row",
        "others": "all classes but y",
    },
    value="f(c, y)",
    gradient="df/dc, one per class",
    targets="class indices or class names, one per row; or one-hot rows",
    target_type="classes",
    hard=True,
    axes={
        "distance": Axis(
            "D",
            "cosine distance D = 1 - c to the true class (of two classes; the other cosine is 0)",
            (0.0, 2.0),
            _place,
            along=(-1.0, 0.0),
            domain=Interval(0, 2, True, True),
            own=False,
        )
    },
    several_outputs=False,
    takes_class_weight=True,
)

CROSS = "log(exp(s * h) + sum(exp(s * c[k]) for k in others)) - s * h"

Scale = Annotated[float, POSITIVE, "factor of the cosines"]


@loss(
    angular,
    CROSS,
    where={
        "s": "scale",
        "h": "where(c[y] >= -cos(margin), c[y] * cos(margin) - sqrt(1 - c[y]**2) * sin(margin), c[y] - margin * sin(margin))",
    },
    aliases=("arc-face", "arcface-loss", "additive-angular-margin"),
    source="Deng, Guo, Xue and Zafeiriou 2019, ArcFace: Additive Angular Margin Loss for Deep Face Recognition, "
    "arXiv:1801.07698",
    special=(
        "predictions are cosines, not scaled: multiply features and weights of unit length first",
        "h is cos(angle + margin), and beyond an angle of pi - margin the cosine minus margin * sin(margin), as the "
        "authors' code has it",
        "margin is in radians: 0.5 is 28.6 degrees",
        "at an angle of pi - margin the loss jumps; at the cosine 1 the slope of the true class is infinite",
    ),
    relations=(same("normalized_softmax(c, y, temperature=1 / scale)", margin=0.0),),
    domains=lambda parameters: Domains(predictions=COSINE),
)
def arcface(
    c: Array,
    *,
    margin: Annotated[float, ANGLE, "added to the angle of the true class, in radians"] = 0.5,
    scale: Scale = 64.0,
) -> tuple[Array, Any]:
    """Cross-entropy in which the angle to the true class is larger by a margin."""
    sine = np.sqrt((1 - c) * (1 + c))
    cosine_m, sine_m = np.cos(margin), np.sin(margin)
    near = c >= -cosine_m
    with np.errstate(all="ignore"):
        turn = np.where(near, cosine_m + (c / sine * sine_m if margin else 0), 1)
    return np.where(near, c * cosine_m - sine * sine_m, c - margin * sine_m), (turn, scale)


@loss(
    angular,
    CROSS,
    where={"s": "scale", "h": "c[y] - margin"},
    aliases=("cos-face", "cosface-loss", "am-softmax", "additive-margin-softmax"),
    source="Wang, Wang, Zhou, Ji, Gong, Zhou, Li and Liu 2018, CosFace: Large Margin Cosine Loss for Deep Face "
    "Recognition, arXiv:1801.09414",
    special=("predictions are cosines, not scaled: multiply features and weights of unit length first",),
    relations=(same("normalized_softmax(c, y, temperature=1 / scale)", margin=0.0),),
    domains=lambda parameters: Domains(predictions=COSINE),
    facts=("convex",),
)
def cosface(
    c: Array,
    *,
    margin: Annotated[float, NON_NEGATIVE, "taken from the cosine of the true class"] = 0.35,
    scale: Scale = 64.0,
) -> tuple[Array, Any]:
    """Cross-entropy in which the cosine of the true class is smaller by a margin."""
    return c - margin, (np.ones_like(c), scale)


@loss(
    angular,
    CROSS,
    where={"s": "1 / temperature", "h": "c[y]"},
    aliases=("normalised-softmax", "normface"),
    source="Zhai and Wu 2019, Classification is a Strong Baseline for Deep Metric Learning, arXiv:1811.12649",
    special=("predictions are cosines, not scaled: multiply features and weights of unit length first",),
    relations=(
        same("softmax_cross_entropy(c / temperature, one_hot(y))"),
        same("cosface(c, y, margin=0, scale=1 / temperature)"),
    ),
    domains=lambda parameters: Domains(predictions=COSINE),
    facts=("convex",),
)
def normalized_softmax(
    c: Array, *, temperature: Annotated[float, POSITIVE, "divisor of the cosines"] = 0.05
) -> tuple[Array, Any]:
    """Cross-entropy of cosines over a temperature."""
    return c, (np.ones_like(c), 1 / temperature)


@loss(
    angular,
    CROSS,
    where={
        "s": "scale",
        "h": "cos(margin * acos(c[y])) * (-1)**floor(margin * acos(c[y]) / pi) - 2 * floor(margin * acos(c[y]) / pi)",
    },
    aliases=("sphere-face", "sphereface-loss", "a-softmax"),
    source="Liu, Wen, Yu, Li, Raj and Song 2017, SphereFace: Deep Hypersphere Embedding for Face Recognition, "
    "arXiv:1704.08063",
    special=(
        "the factor of the cosines is one scale; in the paper it is each row's length",
        "h is the angle's cosine times margin, continued so that it falls over all angles",
    ),
    relations=(same("normalized_softmax(c, y, temperature=1 / scale)", margin=1.0),),
    domains=lambda parameters: Domains(predictions=COSINE),
)
def sphereface(
    c: Array,
    *,
    margin: Annotated[
        float, Interval(1, np.inf, True, whole=True), "factor of the angle of the true class, a whole number"
    ] = 4.0,
    scale: Scale = 1.0,
) -> tuple[Array, Any]:
    """Cross-entropy in which the angle to the true class is multiplied by a margin."""
    angle = margin * np.arccos(c)
    turns = np.floor(angle / np.pi)
    sign = 1 - 2 * (turns % 2)
    with np.errstate(all="ignore"):
        turn = sign * margin * np.sin(angle) / np.sqrt((1 - c) * (1 + c))
    # At c = -1 and c = 1 the ratio sin(margin * angle) / sin(angle) is margin.
    return sign * np.cos(angle) - 2 * turns, (np.where(np.abs(c) == 1, margin * margin, turn), scale)
