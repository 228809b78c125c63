"""Points of the curves that losses have over their axes, and what is true there: by the formulas, in 60 digits."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import evaluate, precise, softmax_loss

from losscli.analysis.curves import Curve, along, default_range, shared_axis, trace
from losscli.definition.loss import Axis, BoundLoss
from losscli.lookup.spec import parse
from losscli.losses import LOSSES

SWEPT = (
    "huber:delta=0.3",
    "huber:delta=7",
    "smooth-l1:beta=0.25",
    "tukey:c=1.5",
    "ramp:s=0.25",
    "ramp:s=-2.5",
    "focal:gamma=0",
    "focal:gamma=0.5:alpha=0.25",
    "focal:gamma=5:alpha=1",
    "softmax-focal:gamma=0",
    "softmax-focal:gamma=0.5",
    "softmax-focal:gamma=5",
)

FIRST = tuple({loss.family.name: loss.name for loss in reversed(LOSSES.values())}.values())
"""One loss of each family."""


VARIABLES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "residual": lambda x: {"r": x},
    "margin": lambda x: {"m": x},
    "embedding": lambda x: {"d": x},
    "relative": lambda x: {"y": 1 + x, "t": mpf(1)},
    "distribution": lambda x: {"y": 2 + x, "t": mpf(2)},
    "gaussian": lambda x: {"y": x, "t": mpf(0), "v": mpf(1)},
    "pairs": lambda x: {"d": x},
    "preference": lambda x: {"h": x},
    "feedback": lambda x: {"h": x, "t": mpf(1)},
    "adversarial": lambda x: {"s": x, "t": mpf(1)},
}
"""The variables of formulas at a point of the axis, for families whose formulas are of numbers."""


OF_NUMBERS = frozenset({"sigmoid", "softmax", "ordinal", *VARIABLES})
"""Families of which `exact` knows the formulas along each axis; those of the others are of whole rows."""


@functools.cache
def one(text: str) -> BoundLoss:
    """The loss of a SPEC that names one."""
    (bound,) = parse(text)
    return bound


def of_numbers(text: str) -> bool:
    return one(text).family.name in OF_NUMBERS


def cases(*texts: str) -> list[Any]:
    """Losses over each axis that they have."""
    return [pytest.param(text, over, id=f"{text}-{over}") for text in texts for over in one(text).family.axes]


def axis_of(text: str, over: str) -> Axis:
    return one(text).family.axes[over]


@functools.cache
def traced(text: str, over: str, low: float | None = None, high: float | None = None) -> Curve:
    """A curve over its default range, or another one."""
    bound = one(text)
    axes = shared_axis([bound], over)[1]
    ends = default_range([bound], axes)
    return trace(bound, axis_of(text, over), ends[0] if low is None else low, ends[1] if high is None else high)


def exact(bound: BoundLoss, over: str, x: Any) -> tuple[Any, Any]:
    """Value and slope of the formula at a point of an axis, in mpf."""
    loss, parameters = bound.declaration, bound.parameters
    family = loss.family.name
    if family in ("softmax", "ordinal"):
        row, given = ([x, 1 - x], "probs") if over == "probability" else ([x, mpf(0)], "logits")
        value, slopes = softmax_loss(loss, row, [mpf(1), mpf(0)], parameters, given)
        return value, slopes[0] - (slopes[1] if over == "probability" else 0)
    factor = mpf(1)
    if family == "sigmoid":
        p, q = (x, 1 - x) if over == "probability" else (1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x)))
        variables = {"p": p, "q": q, "t": mpf(1)}
        factor = 1 / (p * q) if over == "probability" else factor
    else:
        variables = VARIABLES[family](x)
    return (
        evaluate(loss, loss.formula, variables, parameters),
        factor * evaluate(loss, loss.slope, variables, parameters),
    )


def true(bound: BoundLoss, over: str, x: float) -> tuple[Any, Any]:
    """Value and slope at a point: of the formula, or of a row by itself where the formula is of whole rows."""
    if bound.family.name in OF_NUMBERS:
        value, slope = precise(functools.partial(exact, bound, over, mpf(x)), 10)
        return value, slope
    values, slopes = along(bound, bound.family.axes[over], np.array([x]))
    return values[0], slopes[0]


def samples(curve: Curve, step: int = 29) -> list[int]:
    """Places of some of a curve's points: both ends, every break, and some between."""
    breaks = [int(np.flatnonzero(curve.x == at.x)[0]) for at in curve.breaks]
    return sorted({*range(0, len(curve.x), step), len(curve.x) - 1, *breaks})


def near(true: Any, rel: float = 1e-12) -> Any:
    return pytest.approx(float(true), rel=rel, abs=1e-300)


def undefined_by_the_oracle(curve: Curve, over: str, x: float) -> bool:
    # A sigmoid's slope by p is df/dz / (p q), which is 0 / 0 at both ends; tested below with their limits.
    if curve.bound.name == "renyi" and x == 0:
        return True  # the logarithm of inf: its slope is that of -log(p) for every alpha, as another test says
    return curve.bound.family.name == "sigmoid" and over == "probability" and x in (0, 1)
