"""Losses of a location and a scale, or of a mean and a dispersion, which are both predicted.

A core gets predictions y, targets t and the third operand, one for each prediction: scales s, or dispersions a. It returns
its value and its slope by y. All terms of a log-density or log-probability are there.
"""

import math
from typing import Annotated, Any

import numpy as np

from losscli.arrays import Array, times
from losscli.definition.batch import Dense, Extras, Targets
from losscli.definition.domain import NON_NEGATIVE, POSITIVE, REAL, Domains, Interval
from losscli.definition.loss import SHARED, Axis, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.distribution import lift_beside
from losscli.losses.special_functions import beyond_stirling, beyond_stirling_of_counts, half_log_two_pi, log_rising
from losscli.losses.stable import held, within_squares


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return 1 + x, Dense(np.ones_like(x)), Extras(third_operand=np.ones_like(x))


scaled = family(
    name="scaled",
    lift=lift_beside,
    summary="functions of a prediction, its target and a scale, elementwise",
    variables={"y": "prediction: the middle of a distribution", "t": "target", "s": "scale, one for each prediction"},
    value="f(y, t, s)",
    gradient="df/dy; scales are held fixed",
    targets="numbers, one for each prediction; or one number for all",
    target_type="numbers",
    third_operand="scale",
    axes={
        "residual": Axis(
            "r",
            "residual r = prediction - target, for a target of 1 and a scale of 1",
            (-3.0, 3.0),
            _place,
            own=False,
            shared=SHARED["residual"],
            at=(("target", 1), ("scale", 1)),
        )
    },
    several_outputs=True,
)


@loss(
    scaled,
    "log(2 * s) + abs(y - t) / s",
    slope="sign(y - t) / s",
    source="PyTorch, torch.distributions.Laplace, https://docs.pytorch.org/docs/stable/distributions.html; after Laplace 1774, "
    "Memoire sur la probabilite des causes par les evenements",
    special=("all terms are there: it may be negative", "the slope at y = t is 0"),
    relations=(same("absolute_error(y - t) / s + log(2 * s)"),),
    wide=lambda parameters: True,
    facts=("convex",),
)
def laplace_nll(y: Array, t: Array, s: Array) -> tuple[Array, Array]:
    """Minus the log-density of a Laplace distribution whose median and scale are predicted."""
    gap = y - t
    return np.log(2 * s) + np.abs(gap) / s, np.sign(gap) / s


@loss(
    scaled,
    "log(s) + log(df * pi) / 2 + lgamma(df / 2) - lgamma((df + 1) / 2) + (df + 1) / 2 * log(1 + ((y - t) / s)**2 / df)",
    slope="(df + 1) * (y - t) / (s**2 * df + (y - t)**2)",
    source="Lange, Little and Taylor 1989, Robust Statistical Modeling Using the t Distribution, doi:10.2307/2290063",
    special=(
        "all terms are there: it may be negative",
        "scales are no standard deviations: the variance is s**2 * df / (df - 2) for df > 2, and infinite below",
        "df = 1 is a Cauchy distribution, and an infinite df a normal one",
    ),
    relations=(
        same(
            "log(s) + log(df * pi) / 2 + lgamma(df / 2) - lgamma((df + 1) / 2) + "
            "(df + 1) / df * student_t((y - t) / s, c=1, df=df)"
        ),
    ),
    wide=lambda parameters: True,
)
def student_t_nll(
    y: Array,
    t: Array,
    s: Array,
    *,
    df: Annotated[float, POSITIVE, "degrees of freedom: the fewer, the less an outlier counts"] = 4.0,
) -> tuple[Array, Array]:
    """Minus the log-density of a Student's t distribution whose middle and scale are predicted."""
    z = (y - t) / s
    near = within_squares(z)
    one = y.dtype.type(1)
    value = np.log(s) + _log_of_student(df, y.dtype) + (df + one) / 2 * log1p(z * z / df)
    return value, (df + one) * (near / (df + near * near)) / s


def _log_of_student(df: float, dtype: np.dtype[Any]) -> Array:
    """Return the logarithm of what the density of a t distribution with the scale 1 is divided by; of the normal one for an
    infinite df.
    """
    half = dtype.type(0.5)
    h = np.array([df * half])
    # log(gamma(h + 1/2) / gamma(h)) - log(h) / 2
    quotient = h * log1p(half / h) - half + beyond_stirling(h + half) - beyond_stirling(h)
    return half_log_two_pi(dtype) - quotient


@loss(
    scaled,
    "log(s) + log(2 * pi) / 2 + log(t) + ((log(t) - y) / s)**2 / 2",
    slope="(y - log(t)) / s**2",
    source="PyTorch, torch.distributions.LogNormal, https://docs.pytorch.org/docs/stable/distributions.html",
    special=(
        "predictions are means of the logarithm of the target, and scales its standard deviations",
        "targets must be above 0",
        "all terms are there, log(t) too: it may be negative",
    ),
    relations=(same("gaussian_nll(y, log(t), s**2, full=1) + log(t)"),),
    domains=lambda parameters: Domains(REAL, POSITIVE),
    wide=lambda parameters: True,
    facts=("convex",),
)
def log_normal_nll(y: Array, t: Array, s: Array) -> tuple[Array, Array]:
    """Minus the log-density of a log-normal distribution: the logarithm of the target has a normal one."""
    of_target = np.log(t)
    z = (y - of_target) / s
    return np.log(s) + half_log_two_pi(y.dtype) + of_target + z * z / 2, z / s


@loss(
    scaled,
    "abs(y - t) / s",
    slope="sign(y - t) / s",
    aliases=("mase", "mean-absolute-scaled-error"),
    source="Hyndman and Koehler 2006, Another Look at Measures of Forecast Accuracy, doi:10.1016/j.ijforecast.2006.03.001",
    special=(
        "for MASE, --scale is the mean absolute error of the naive forecast in the training series: the mean of "
        "abs(x[i] - x[i - m]), with m = 1 or the length of a season",
        "the mean over all rows; `losscli rank --by COLUMN` gives that of each series",
        "the slope at y = t is 0",
    ),
    relations=(same("absolute_error(y - t) / s"),),
    facts=("convex",),
)
def absolute_scaled_error(y: Array, t: Array, s: Array) -> tuple[Array, Array]:
    """The absolute error in units of a scale, such as the error of the naive forecast."""
    gap = y - t
    return np.abs(gap) / s, np.sign(gap) / s


def _place_count(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return 2 + x, Dense(np.full_like(x, 2)), Extras(third_operand=np.ones_like(x))


counts = family(
    name="counts",
    lift=lift_beside,
    summary="functions of the mean and the dispersion of a distribution of counts, elementwise",
    variables={"y": "prediction: a mean", "t": "target", "a": "dispersion, one for each prediction"},
    value="f(y, t, a)",
    gradient="df/dy; dispersions are held fixed",
    targets="numbers, one for each prediction; or one number for all",
    target_type="numbers",
    third_operand="dispersion",
    axes={
        "residual": Axis(
            "r",
            "residual r = prediction - target, for a target of 2 and a dispersion of 1",
            (-1.8, 3.0),
            _place_count,
            domain=Interval(-2, math.inf),
            own=False,
            shared=SHARED["residual"],
            at=(("target", 2), ("dispersion", 1)),
        )
    },
    several_outputs=True,
)


@loss(
    counts,
    "where(a == 0, y, log(1 + a * y) / a) + t * (log(1 + a * y) - log(y)) + lgamma(t + 1) - rising",
    slope="where(t == 0, 1, (y - t) / y) / (1 + a * y)",
    where={"rising": "where(a == 0, 0, lgamma(t + 1 / a) - lgamma(1 / a) + t * log(a))"},
    aliases=("negative-binomial", "negative-binomial-loss"),
    source="Hilbe 2011, Negative Binomial Regression, doi:10.1017/CBO9780511973420 (NB2); statsmodels, NegativeBinomial",
    special=(
        "the variance is y + a * y**2; a dispersion of 0 is a Poisson distribution: poisson with full = 1",
        "of the number n of successes and the probability p of each: a = 1 / n, and y = n * (1 - p) / p",
        "all terms are there, log(t!) too",
        "zero times log zero is zero; a mean of 0 for a target above 0 is inf",
    ),
    domains=lambda parameters: Domains(NON_NEGATIVE, NON_NEGATIVE),
    wide=lambda parameters: True,
)
def negative_binomial_nll(y: Array, t: Array, a: Array) -> tuple[Array, Array]:
    """Minus the log-probability of a count whose mean and dispersion are predicted."""
    y, a = y + 0, a + 0  # -0.0 is 0: quotients by it have the other sign
    mean = held(y)
    # As for a Poisson distribution: what the mean t itself would lose, and how much more y does.
    gap = mean - t
    apart = log1p(np.abs(gap) / (np.minimum(mean, t) * (1 + a * np.maximum(mean, t))))
    wider = log1p(a * np.abs(y - t) / (1 + a * np.minimum(y, t))) / np.where(a == 0, 1, a)
    more = np.where(a == 0, y - t, np.sign(gap) * wider)
    value = more - times(t, np.sign(gap) * apart) + _least_negative_binomial(t, a)
    return value, np.where(t == 0, 1, gap / mean) / (1 + a * mean)


def _least_negative_binomial(t: Array, a: Array) -> Array:
    """Return minus the log-probability of a count t with the mean t and the dispersion a; 0 for t = 0."""
    n = 1 / a
    value = (np.log(t) + log1p(a * t)) / 2 + half_log_two_pi(t.dtype) + beyond_stirling_of_counts(t)
    value += beyond_stirling(n) - beyond_stirling(t + n)
    little = t < 1
    if little.any():
        some, more, number = t[little], a[little], n[little]
        wide = log1p(more * some)
        part = np.where(more == 0, some, wide / np.where(more == 0, 1, more))
        of_count = log_rising(some, np.ones_like(some)) - times(some, np.log(some))
        value[little] = of_count + some * wide + part - log_rising(some, number)
    return value
