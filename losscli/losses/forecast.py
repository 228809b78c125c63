"""Losses of forecasts that say more than one number of a target: an interval, or quantiles at several levels."""

from typing import Annotated, Any

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import NON_NEGATIVE, Interval
from losscli.definition.loss import Axis, BoundLoss
from losscli.definition.registry import family, loss
from losscli.losses.ensemble import lift as lift_rows
from losscli.losses.whole_file import SeriesSlopes
from losscli.records import NamedTuple

DRAWN_LEVELS = np.array([0.1, 0.5, 0.9])
"""The levels of curves and of pictures, for which there are no files."""


def _place_interval(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x - 1, x + 1], axis=1), Dense(np.zeros(len(x))), Extras()


interval = family(
    name="interval",
    lift=lift_rows,
    summary="functions of a predicted interval and of one observed number per row",
    variables={"x": "predictions of a row: the lower and the upper end, x[0] and x[1]", "t": "the number observed"},
    value="f(x, t)",
    gradient="df/dx, one for each end",
    targets="numbers, one per row; or one number for all",
    target_type="numbers",
    rows="the lower and the upper end of an interval",
    width=2,
    ends_of_interval=True,
    one_target=True,
    axes={
        "residual": Axis(
            "r",
            "residual r of the middle of an interval of width 2",
            (-3.0, 3.0),
            _place_interval,
            along=(1.0, 1.0),
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    interval,
    "x[1] - x[0] + 2 / alpha * (max(0, x[0] - t) + max(0, t - x[1]))",
    aliases=("winkler", "winkler-score"),
    source="Winkler 1972, A Decision-Theoretic Approach to Interval Estimation, doi:10.1080/01621459.1972.10481224; Gneiting "
    "and Raftery 2007, Strictly Proper Scoring Rules, Prediction, and Estimation, doi:10.1198/016214506000001437",
    special=(
        "the ends are quantiles of the levels alpha / 2 and 1 - alpha / 2: 0.05 is an interval that should hold 95 % of all "
        "targets",
        "2 * K / alpha times multi-quantile of these K = 2 levels",
        "a lower end above its upper end is an error; multi-quantile takes each end by itself",
        "at the ends the slope is that of a target within",
    ),
    undefined=(
        "the lower end of the interval is above its upper end, or both are infinite",
        "correct the row, or swap the columns if all are so; multi-quantile --levels takes each quantile by itself",
    ),
    facts=("convex",),
)
def interval_score(
    x: Array,
    t: Array,
    *,
    alpha: Annotated[
        float, Interval(0, 1, high_closed=True), "share of the targets that the interval is meant to miss"
    ] = 0.05,
) -> tuple[Array, Array]:
    """The width of an interval, and 2 / alpha times how far a target lies outside."""
    low, high = x[:, 0], x[:, 1]
    below, above = np.maximum(low - t, 0), np.maximum(t - high, 0)
    value = (high - low) + 2 / alpha * (below + above)
    slope = np.stack([2 / alpha * (below > 0) - 1, 1 - 2 / alpha * (above > 0)], axis=1)
    return np.where(low > high, np.nan, value), slope


def pinball(x: Array, t: Array, levels: Array) -> Array:
    """Return the quantile losses of predictions x, shape (n, k), of targets t, shape (n,), at levels, shape (k,)."""
    r = x - t[:, None]
    return np.maximum(times(1 - levels, r), times(-levels, r))


def pinball_slope(x: Array, t: Array, levels: Array) -> Array:
    """Return the derivatives of `pinball` by the predictions; at r = 0 that of a prediction below its target."""
    over = np.heaviside(x - t[:, None], 0)
    return over - levels


def lift_quantiles(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(x, t, levels) of each row; the core's slope is the gradient."""
    assert isinstance(targets, Dense)
    assert extras.levels is not None
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    value, slope = loss.core(x, targets.t.astype(x.dtype), extras.levels.astype(x.dtype), gradient=gradient)
    return value, slope if gradient else None


def _place_quantiles(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x - 1, x, x + 1], axis=1), Dense(np.zeros(len(x))), Extras(levels=DRAWN_LEVELS)


OF_QUANTILES = {
    "x": "predictions of a row, one for each level",
    "t": "the number observed",
    "levels": "levels of the quantiles, of --levels or of the columns' names",
    "K": "number of levels",
}

quantiles = family(
    name="quantiles",
    lift=lift_quantiles,
    summary="functions of predicted quantiles at several levels and of one observed number per row",
    variables=OF_QUANTILES,
    value="f(x, t)",
    gradient="df/dx, one for each level",
    targets="numbers, one per row; or one number for all",
    target_type="numbers",
    rows="one quantile for each level",
    one_target=True,
    takes_levels=True,
    axes={
        "residual": Axis(
            "r",
            "residual r of the median; levels 0.1, 0.5 and 0.9, one unit apart",
            (-3.0, 3.0),
            _place_quantiles,
            along=(1.0, 1.0, 1.0),
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    quantiles,
    "sum(max(q * (t - a), (q - 1) * (t - a)) for a, q in zip(x, levels)) / K",
    aliases=("mqloss",),
    source="Koenker and Bassett 1978, Regression Quantiles, doi:10.2307/1913643 (of one level); CatBoost, MultiQuantile",
    special=(
        "the mean over the levels, as CatBoost's MultiQuantile; others sum over them, which is K times as much",
        "each level as in quantile, without the factor 2 that some have",
        "quantiles that cross are no error",
        "the slope where a prediction is its target is -q / K",
    ),
    facts=("convex",),
)
def multi_quantile(x: Array, t: Array, levels: Array) -> tuple[Array, Array]:
    """The mean quantile loss of several levels."""
    k = x.shape[1]
    return row_sums(pinball(x, t, levels)) / k, pinball_slope(x, t, levels) / k


class QuantileSums(NamedTuple):
    """Sums over all elements of a file."""

    error: Array
    """Sum of the quantile losses, divided by the number of levels."""
    size: Array
    """Sum of abs(t)."""


class QuantileElements:
    """Rows of predictions, shape (n, k), with their targets, shape (n,): the parts that are summed, and the gradient."""

    def __init__(self, x: Array, targets: Targets, extras: Extras) -> None:
        assert isinstance(targets, Dense)
        assert extras.levels is not None
        self.x, self.t, self.levels = x, targets.t.astype(x.dtype, copy=False), extras.levels.astype(x.dtype)

    def part(self, name: str) -> Array:
        """Return what each element, or each row, adds to a sum."""
        return np.abs(self.t) if name == "size" else pinball(self.x, self.t, self.levels) / self.x.shape[1]

    def gradient(self, by: SeriesSlopes) -> Array:
        """Return derivatives by the predictions, from those by the sums."""
        slope = pinball_slope(self.x, self.t, self.levels) / self.x.shape[1]
        return np.where(slope == 0, 0, by.error * slope)  # by.error is infinite where all targets are 0


def lift_file(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(sums) of each row of a batch, which holds the content of a file, one row of it after the other."""
    assert isinstance(targets, Dense)
    values = np.zeros(len(predictions))
    slopes = np.zeros(predictions.shape) if gradient else None
    for i, (row, t) in enumerate(zip(predictions, targets.t, strict=True)):
        x = row.reshape(-1, extras.columns or len(row)).astype(np.promote_types(row.dtype, np.float64))
        elements = QuantileElements(x, Dense(t), extras)
        sums = QuantileSums(*(np.array([elements.part(name).sum()]) for name in QuantileSums._fields))
        value, by = loss.core(sums)
        values[i] = value[0]
        if slopes is not None:
            slopes[i] = elements.gradient(by).reshape(-1)
    return values, slopes


def _place_file(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows = np.stack([x, 1 + x, 2 + x, *(np.full(len(x), one) for one in (1.0, 2.0, 3.0))], axis=1)
    return rows, Dense(np.tile([1.0, 2.0], (len(x), 1))), Extras(levels=DRAWN_LEVELS, columns=3)


quantile_file = family(
    name="quantile-file",
    lift=lift_file,
    summary="ratios of sums over a file with predicted quantiles at several levels in each row",
    variables=OF_QUANTILES
    | {"x": "predictions: x[i] is row i, one for each level", "t": "targets: t[i] is that of row i"},
    value="f of the sums over the file",
    gradient="df/dx, one for each row and level",
    targets="numbers, one per row",
    target_type="numbers",
    rows="one quantile for each level",
    coupled="file",
    tables_only=True,
    one_target=True,
    takes_levels=True,
    elements=QuantileElements,
    sums=QuantileSums,
    axes={
        "residual": Axis(
            "r",
            "residual r of the median of one of two rows; levels 0.1, 0.5 and 0.9, one unit apart",
            (-3.0, 3.0),
            _place_file,
            along=(1.0, 1.0, 1.0, 0.0, 0.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
)


@loss(
    quantile_file,
    "2 * sum(max(q * (b - c), (q - 1) * (b - c)) for a, b in zip(x, t) for c, q in zip(a, levels)) / K / "
    "max(sum(abs(b) for b in t), epsilon)",
    aliases=("wql", "weighted-quantile-loss", "mean-wquantileloss"),
    source="Salinas, Flunkert, Gasthaus and Januschowski 2020, DeepAR: Probabilistic Forecasting with Autoregressive Recurrent "
    "Networks, doi:10.1016/j.ijforecast.2019.07.001 (rho-risk); GluonTS, MeanWeightedSumQuantileLoss",
    special=(
        "twice the sum of the quantile losses over the sum of targets, and the mean over the levels: one number for the file",
        "of the level 0.5 alone it is weighted-percentage-error",
        "0 where all predictions hit, and inf for others where all targets are 0 and epsilon is 0",
        "all rows have one loss: there is nothing to list per row",
    ),
    facts=("convex",),
)
def weighted_quantile(
    sums: QuantileSums, *, epsilon: Annotated[float, NON_NEGATIVE, "least denominator"] = 0.0
) -> tuple[Any, SeriesSlopes]:
    """The quantile losses of a file over the size of its targets."""
    below = np.maximum(sums.size, epsilon)
    with np.errstate(all="ignore"):
        return np.where(sums.error == 0, 0, 2 * sums.error / below), SeriesSlopes(2 / below)
