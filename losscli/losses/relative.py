"""Relative losses: functions of a prediction and its target, in which the same error counts less for larger numbers.

A core gets predictions y and targets t; it returns its value and its slope by y.
"""

from typing import Annotated

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import ABOVE_MINUS_ONE, NON_NEGATIVE, Domains, Interval
from losscli.definition.loss import SHARED, Axis, BoundLoss, root, same
from losscli.definition.registry import family, loss
from losscli.losses.stable import held, log_ratio

LARGEST_LOG = 1e5
"""Larger than the logarithm of every number but infinity, and negligible relative to infinity itself."""


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(y, t), elementwise; the core's slope is the gradient."""
    assert isinstance(targets, Dense)
    y = predictions.astype(loss.work(predictions.dtype), copy=False)
    value, slope = loss.core(y, targets.t.astype(y.dtype, copy=False))
    return value, slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return 1 + x, Dense(np.ones_like(x)), Extras()


relative = family(
    name="relative",
    lift=lift,
    summary="functions of prediction and target in which large numbers may be off by more, elementwise",
    variables={"y": "prediction", "t": "target"},
    value="f(y, t)",
    gradient="df/dy",
    targets="numbers, one for each prediction; or one number for all",
    target_type="numbers",
    axes={
        "residual": Axis(
            "r",
            "residual r = prediction - target, for a target of 1",
            (-1.5, 3.0),
            _place,
            domain=Interval(-2, np.inf),
            shared=SHARED["residual"],
            at=(("target", 1),),
        )
    },
    several_outputs=True,
)


@loss(
    relative,
    "where(y == t, 0, abs(y - t) / max(abs(t), epsilon))",
    slope="sign(y - t) / max(abs(t), epsilon)",
    aliases=("mape", "mean-absolute-percentage-error"),
    source="scikit-learn, mean_absolute_percentage_error, "
    "https://scikit-learn.org/stable/modules/model_evaluation.html",
    special=(
        "a fraction, where some libraries give 100 times as much",
        "for t = 0 and epsilon = 0 a prediction of 0 is no error, and any other is inf",
        "the slope at y = t is 0",
    ),
    relations=(same("absolute_error(y - t) / max(abs(t), epsilon)"),),
    breaks=lambda parameters: {"t": 0.0},
    facts=("convex",),
)
def absolute_percentage_error(
    y: Array, t: Array, *, epsilon: Annotated[float, NON_NEGATIVE, "least size of a target to divide by"] = 0.0
) -> tuple[Array, Array]:
    """The absolute error as a part of the target."""
    gap, scale = y - t, np.maximum(np.abs(t), epsilon)
    return np.where(gap == 0, 0, np.abs(gap) / scale), np.where(gap == 0, 0, np.sign(gap) / scale)


@loss(
    relative,
    "where(y == t, 0, 2 * abs(y - t) / max(abs(y) + abs(t), epsilon))",
    slope="where(y == t, 0, where(abs(y) + abs(t) > epsilon, "
    "2 * sign(y - t) * abs(t) * (1 + sign(y) * sign(t)) / (abs(y) + abs(t))**2, 2 * sign(y - t) / epsilon))",
    aliases=("smape", "symmetric-mean-absolute-percentage-error"),
    source="Makridakis 1993, Accuracy Measures: Theoretical and Practical Concerns, doi:10.1016/0169-2070(93)90079-3",
    special=(
        "from 0 to 2; others leave out the 2, or give 100 times as much",
        "2, with slope 0, wherever prediction and target have different signs, and for a target of 0",
        "at a prediction of 0 the slope is the mean of both sides'; at y = t it is 0",
        "a prediction of 0 for a target of 0 is no error",
    ),
    relations=(same("2 * absolute_error(y - t) / max(abs(y) + abs(t), epsilon)"),),
    breaks=lambda parameters: _symmetric_breaks(parameters["epsilon"] or 0),
    facts=("bounded",),
)
def symmetric_percentage_error(
    y: Array, t: Array, *, epsilon: Annotated[float, NON_NEGATIVE, "least sum of sizes to divide by"] = 0.0
) -> tuple[Array, Array]:
    """The absolute error as a part of the mean size of prediction and target."""
    y = held(y)
    gap, size = y - t, np.abs(y) + np.abs(t)
    scale, side = np.maximum(size, epsilon), 2 * np.sign(gap)
    value = 2 * np.abs(gap) / scale
    # If both have the same sign, d|y - t| and the divisor's part are 2 |t| / size together; otherwise they cancel.
    pull = np.where(size > epsilon, np.abs(t) / scale * (1 + np.sign(y) * np.sign(t)), 1)
    return np.where(gap == 0, 0, value), np.where(gap == 0, 0, side * pull / scale)


def _symmetric_breaks(epsilon: float) -> dict[str, float]:
    # The divisor changes at abs(y) + 1 = epsilon.
    """Return the breaks by their names, as y - 1 for the axis with the target 1."""
    if epsilon <= 1:
        return {"0": -1.0, "t": 0.0}
    beyond = {"epsilon - abs(t)": epsilon - 2}
    return ({"abs(t) - epsilon": -epsilon} if epsilon < 1.9 else {}) | {"t": 0.0} | beyond


@loss(
    relative,
    "(log(1 + y) - log(1 + t))**2",
    slope="2 * (log(1 + y) - log(1 + t)) / (1 + y)",
    aliases=("msle", "mean-squared-logarithmic-error", "mean-squared-log-error", "squared-logarithmic-error"),
    source="scikit-learn, mean_squared_log_error, https://scikit-learn.org/stable/modules/model_evaluation.html",
    special=("predictions and targets must be above -1",),
    relations=(same("squared_error(log(1 + y) - log(1 + t))"),),
    domains=lambda parameters: Domains(ABOVE_MINUS_ONE, ABOVE_MINUS_ONE),
    wide=lambda parameters: True,
    statistics={"rmsle": root},
)
def squared_log_error(y: Array, t: Array) -> tuple[Array, Array]:
    """The squared difference of the logarithms of 1 + prediction and 1 + target."""
    ratio = log_ratio(y - t, 1 + np.minimum(y, t))
    return ratio * ratio, 2 * np.clip(ratio, -LARGEST_LOG, LARGEST_LOG) / (1 + y)
