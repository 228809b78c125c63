"""Residual losses: functions of r = prediction - target."""

from collections.abc import Callable, Mapping
from typing import Annotated

import numpy as np

from losscli.core import (
    POSITIVE,
    Array,
    Axis,
    BoundLoss,
    Dense,
    Extras,
    Parameters,
    Targets,
    Values,
    family,
    loss,
)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """R = prediction - target, elementwise: dr/dprediction is 1."""
    assert isinstance(targets, Dense)
    r = np.subtract(predictions, targets.t, dtype=loss.work(predictions.dtype))
    value, slope = loss.core(r)
    return value, slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    return x, Dense(np.zeros_like(x)), Extras()


def either_side(name: str) -> Callable[[Parameters], Mapping[str, float]]:
    """The breaks of a loss that changes its form at a parameter, and at its opposite."""
    return lambda parameters: {f"-{name}": -float(parameters[name] or 0), name: float(parameters[name] or 0)}


residual = family(
    name="residual",
    lift=lift,
    summary="functions of the residual, elementwise",
    variables={"r": "prediction - target"},
    value="f(r)",
    gradient="df/dr",
    targets="numbers, one for each prediction; or one number for all",
    reads="numbers",
    axes={"residual": Axis("r", "residual r = prediction - target", (-3.0, 3.0), _place)},
    several_outputs=True,
)


@loss(
    residual,
    "r**2",
    slope="2*r",
    aliases=("mse", "mean-squared-error", "mse-loss"),
    source="Legendre 1805, Nouvelles methodes pour la determination des orbites des cometes (least squares)",
    relations=("twice half-squared-error",),
    baseline="mean",
    facts=("convex",),
)
def squared_error(r: Array) -> tuple[Array, Array]:
    """The square of the residual."""
    return r * r, 2 * r


@loss(
    residual,
    "r**2 / 2",
    slope="r",
    aliases=("l2", "l2-loss"),
    source="Legendre 1805 (least squares); the half makes the slope the residual itself",
    relations=("half of squared-error", "huber as delta -> inf, and smooth-l1 times beta as beta -> inf"),
    baseline="mean",
    facts=("convex",),
)
def half_squared_error(r: Array) -> tuple[Array, Array]:
    """Half the square of the residual."""
    return 0.5 * r * r, r


@loss(
    residual,
    "abs(r)",
    slope="sign(r)",
    aliases=("l1", "mae", "mean-absolute-error", "l1-loss"),
    source="Boscovich 1757 (least absolute deviations)",
    special=("the slope at r = 0 is 0",),
    relations=("smooth-l1 as beta -> 0", "huber / delta as delta -> 0"),
    breaks=lambda parameters: {"0": 0.0},
    baseline="median",
    facts=("convex",),
)
def absolute_error(r: Array) -> tuple[Array, Array]:
    """The size of the residual."""
    return np.abs(r), np.sign(r)


@loss(
    residual,
    "where(abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2))",
    slope="where(abs(r) <= delta, r, delta * sign(r))",
    aliases=("huber-loss",),
    source="Huber 1964, Robust Estimation of a Location Parameter, doi:10.1214/aoms/1177703732",
    relations=(
        "delta times smooth-l1 with beta = delta; the same at delta = 1",
        "half-squared-error as delta -> inf",
        "delta times absolute-error as delta -> 0",
    ),
    breaks=either_side("delta"),
    facts=("convex",),
)
def huber(
    r: Array, *, delta: Annotated[float, POSITIVE, "residual beyond which the loss is linear"] = 1.0
) -> tuple[Array, Array]:
    """Quadratic up to delta, linear beyond."""
    slope = np.clip(r, -delta, delta)
    return slope * (r - 0.5 * slope), slope


@loss(
    residual,
    "where(abs(r) < beta, r**2 / (2 * beta), abs(r) - beta / 2)",
    slope="where(abs(r) < beta, r / beta, sign(r))",
    aliases=("smooth-l1-loss",),
    source="Girshick 2015, Fast R-CNN, arXiv:1504.08083 (beta = 1)",
    relations=("huber with delta = beta, divided by beta", "absolute-error as beta -> 0"),
    breaks=either_side("beta"),
    facts=("convex",),
)
def smooth_l1(
    r: Array, *, beta: Annotated[float, POSITIVE, "residual beyond which the slope is 1"] = 1.0
) -> tuple[Array, Array]:
    """Absolute error with a quadratic bottom of width beta."""
    slope = np.clip(r / beta, -1, 1)
    return slope * (r - 0.5 * beta * slope), slope


@loss(
    residual,
    "where(abs(r) <= c, c**2 / 6 * (1 - (1 - (r / c)**2)**3), c**2 / 6)",
    slope="where(abs(r) <= c, r * (1 - (r / c)**2)**2, 0)",
    aliases=("tukey", "biweight"),
    source="Beaton and Tukey 1974, The Fitting of Power Series, doi:10.1080/00401706.1974.10489171; "
    "c = 4.6851 gives 95 % efficiency at the normal distribution of unit variance",
    special=(
        "constant, with slope 0, beyond c: a gross outlier has no pull",
        "c is in units of the residual; divide predictions and targets by a robust scale first if it is not 1",
    ),
    relations=("half-squared-error as c -> inf",),
    breaks=either_side("c"),
    wide=lambda parameters: True,
    facts=("bounded", "redescending"),
)
def tukey_biweight(
    r: Array, *, c: Annotated[float, POSITIVE, "residual beyond which the loss is constant"] = 4.6851
) -> tuple[Array, Array]:
    """Quadratic near zero, constant beyond c."""
    x = np.clip(r, -c, c)
    u = (x / c) ** 2
    rest = (c - x) / c * ((c + x) / c)  # 1 - u, from a difference that is exact where it is small
    return x * x * (3 * rest + u * u) / 6, x * rest * rest
