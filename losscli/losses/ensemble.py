"""Ensemble losses: of several predictions per row, the members of an ensemble, and the one number that was observed."""

from collections.abc import Callable

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.loss import Axis, BoundLoss
from losscli.definition.registry import family, loss


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(x, t) of each row; the core's slope is the gradient."""
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    value, slope = loss.core(x, targets.t.astype(x.dtype), gradient=gradient)
    return value, slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x - 0.5, x, x + 0.5], axis=1), Dense(np.zeros(len(x))), Extras()


ensemble = family(
    name="ensemble",
    lift=lift,
    summary="functions of the members of an ensemble and of one observed number a row",
    variables={"x": "predictions of a row, one a member", "t": "the number observed", "M": "number of members"},
    value="f(x, t)",
    gradient="df/dx, one a member",
    targets="numbers, one a row; or one number for all",
    target_type="numbers",
    rows="the members of an ensemble",
    one_target=True,
    axes={
        "residual": Axis(
            "r",
            "residual r of the middle one of three members, half a unit apart",
            (-3.0, 3.0),
            _place,
            along=(1.0, 1.0, 1.0),
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    ensemble,
    "sum(abs(one - t) for one in x) / M - sum(abs(one - other) for one in x for other in x) / (2 * M**2)",
    aliases=("crps-ensemble", "continuous-ranked-probability-score"),
    source="Matheson and Winkler 1976, Scoring Rules for Continuous Probability Distributions, doi:10.1287/mnsc.22.10.1087; "
    "Gneiting and Raftery 2007, Strictly Proper Scoring Rules, Prediction, and Estimation, doi:10.1198/016214506000001437 "
    "(of the differences)",
    special=(
        "the distribution is the members', each with the probability 1 / M; fair-crps divides by M * (M - 1)",
        "with one member it is absolute-error",
        "at ties the slope is that of the sign 0",
    ),
)
def crps(x: Array, t: Array) -> tuple[Array, Callable[[], Array]]:
    """The continuous ranked probability score of an ensemble."""
    return _score(x, t, fair=False)


@loss(
    ensemble,
    "sum(abs(one - t) for one in x) / M - sum(abs(one - other) for one in x for other in x) / (2 * M * (M - 1))",
    source="Ferro 2014, Fair Scores for Ensemble Forecasts, doi:10.1002/qj.2270",
    special=(
        "its mean does not depend on the number of members: the score that an ensemble of infinitely many would have",
        "it may be negative, and needs two members",
        "at ties the slope is that of the sign 0",
    ),
    undefined=(
        "the loss of the row is undefined: the ensemble has one member, or infinite ones on both sides",
        "give two members or more; of one, crps is the absolute error",
    ),
)
def fair_crps(x: Array, t: Array) -> tuple[Array, Callable[[], Array]]:
    """The continuous ranked probability score that the members' own distribution would have."""
    return _score(x, t, fair=True)


def _score(x: Array, t: Array, fair: bool) -> tuple[Array, Callable[[], Array]]:
    """Return the score of each row, and a function that computes its derivative by each member."""
    members = x.shape[1]
    others = members - 1 if fair else members
    gap = x - t[:, None]
    ordered = np.sort(gap, axis=1)
    below = np.arange(1, members) / members
    # The integral of (F - 1[x >= t])**2: F is constant between neighbours.
    upper, lower = np.diff(np.maximum(ordered, 0), axis=1), np.diff(np.minimum(ordered, 0), axis=1)
    value = row_sums(upper * (1 - below) ** 2) + row_sums(lower * below**2)
    if fair:  # the differences of the members count more
        value = value - row_sums((upper + lower) * (below * (1 - below))) / np.float64(others)
    ends = np.maximum(ordered[:, 0], 0) - np.minimum(ordered[:, -1], 0)
    # If the observation is infinitely far from all members, their differences would be NaN.
    value = np.where(np.isinf(ends), 0, value)

    def slope() -> Array:
        rank = np.zeros_like(x)
        for member in range(members):  # one member at a time: all pairs at once would need `members` times the memory
            other = x[:, member, None]
            rank += (x > other).astype(x.dtype) - (x < other)  # 0 for equal infinities too
        return (np.sign(gap) - rank / others) / members

    return value + ends, slope
