"""Losses of distributions: minus the log-probability of a target, or how much it differs from the best possible one.

A core gets predictions y and targets t, and for normal distributions the variances v; it returns its value and its
slope by y. Terms of a log-probability that depend on targets alone are left out unless the name or the parameter `full`
says otherwise; deviances are 0 where y = t.
"""

import math
from typing import Annotated, Any

import numpy as np

from losscli.arrays import Array, times
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import FRACTION, NON_NEGATIVE, POSITIVE, REAL, ZERO_OR_ONE, Domains, Interval
from losscli.definition.loss import SHARED, Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.losses.relative import lift
from losscli.losses.special_functions import beyond_stirling_of_counts, erf, half_log_two_pi, log_rising
from losscli.losses.stable import NEAR, exp_rest, exp_tail, held, log_ratio

Full = Annotated[float, ZERO_OR_ONE, "1 to add what does not depend on the prediction"]
TWEEDIE = Interval(-np.inf, np.inf, gap=(0, 1))
"""The powers for which there is a Tweedie distribution."""


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return 2 + x, Dense(np.full_like(x, 2)), Extras()


distribution = family(
    name="distribution",
    lift=lift,
    summary="likelihoods and deviances of counts, amounts and times, elementwise",
    variables={"y": "prediction: a mean, or for losses with log in their name the logarithm of one", "t": "target"},
    value="f(y, t)",
    gradient="df/dy",
    targets="numbers, one for each prediction; or one number for all",
    target_type="numbers",
    axes={
        "residual": Axis(
            "r",
            "residual r = prediction - target, for a target of 2",
            (-1.8, 3.0),
            _place,
            domain=Interval(-2, np.inf),
            own=False,
            shared=SHARED["residual"],
            at=(("target", 2),),
        )
    },
    several_outputs=True,
)


@loss(
    distribution,
    "y - t * log(y + epsilon) + full * lgamma(t + 1)",
    slope="1 - where(t == 0, 0, t / (y + epsilon))",
    aliases=("poisson-loss",),
    source="Keras, Poisson, https://keras.io/api/losses/probabilistic_losses/; PyTorch, PoissonNLLLoss with "
    "log_input=False, https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html",
    special=(
        "predictions are rates; of logarithms of rates it is log-poisson",
        "what the target alone adds, log(t!), is left out unless full is 1: it may be negative",
        "zero times log zero is zero; a rate of 0 for a target above 0 is inf",
        "libraries add a small epsilon to the rate within the logarithm; here it is 0 unless given",
    ),
    relations=(
        same("poisson_deviance(y, t) / 2 + t - t * log(t) + full * lgamma(t + 1)", epsilon=0),
        same("log_poisson(log(y), t, full=full)", epsilon=0),
        same("poisson_nloglik(y, t)", epsilon=0, full=1),
    ),
    domains=lambda parameters: Domains(NON_NEGATIVE, NON_NEGATIVE),
    wide=lambda parameters: True,
    facts=("convex",),
)
def poisson(
    y: Array,
    t: Array,
    *,
    epsilon: Annotated[float, NON_NEGATIVE, "added to the rate within the logarithm"] = 0.0,
    full: Full = 0.0,
) -> tuple[Array, Array]:
    """Minus the log-probability of a count, of which the rate is predicted."""
    rate = held(y)
    slope = np.where(t == 0, 1, ((rate - t) + epsilon) / (rate + epsilon))
    if full and epsilon == 0:
        return deviance(y + 0, t, 1)[0] / 2 + least_poisson(t), slope  # -0.0 is 0: quotients by it have the other sign
    value = y - times(t, np.log(rate + epsilon))
    return value + full * (least_poisson(t) + times(t, np.log(t) - 1)), slope


def least_poisson(t: Array) -> Array:
    """Return minus the log-probability of a count with the best rate, t itself: log(t!) - t log(t) + t.

    Full losses are this and half of the deviance, both positive: t log(y) and log(t!) may be huge and nearly alike.
    """
    value = np.log(t) / 2 + half_log_two_pi(t.dtype) + beyond_stirling_of_counts(t)
    little = t < 1
    if little.any():
        some = t[little]
        value[little] = log_rising(some, np.ones_like(some)) + times(some, 1 - np.log(some))
    return value


@loss(
    distribution,
    "y - t * log(y) + lgamma(t + 1)",
    slope="1 - where(t == 0, 0, t / y)",
    source="XGBoost, eval_metric='poisson-nloglik', https://xgboost.readthedocs.io/en/stable/parameter.html",
    special=(
        "predictions are rates, and log(t!) is not left out",
        "zero times log zero is zero; a rate of 0 for a target above 0 is inf",
    ),
    relations=(same("poisson(y, t, full=1)"), same("poisson_deviance(y, t) / 2 + t - t * log(t) + lgamma(t + 1)")),
    domains=lambda parameters: Domains(NON_NEGATIVE, NON_NEGATIVE),
    wide=lambda parameters: True,
    facts=("convex",),
)
def poisson_nloglik(y: Array, t: Array) -> tuple[Array, Array]:
    """Minus the log-probability of a count, of which the rate is predicted, with all of its terms."""
    rate = held(y + 0)  # -0.0 is 0: quotients by it have the other sign
    return deviance(y + 0, t, 1)[0] / 2 + least_poisson(t), np.where(t == 0, 1, (rate - t) / rate)


@loss(
    distribution,
    "exp(y) - t * y + full * lgamma(t + 1)",
    slope="exp(y) - t",
    aliases=("log-poisson-loss", "poisson-nll-loss"),
    source="PyTorch, PoissonNLLLoss, https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html",
    special=(
        "predictions are logarithms of rates; of rates it is poisson",
        "what the target alone adds, log(t!), is left out unless full is 1: it may be negative",
    ),
    relations=(same("poisson(exp(y), t, epsilon=0, full=full)"),),
    domains=lambda parameters: Domains(REAL, NON_NEGATIVE),
    wide=lambda parameters: True,
    facts=("convex",),
)
def log_poisson(y: Array, t: Array, *, full: Full = 0.0) -> tuple[Array, Array]:
    """Minus the log-probability of a count, of which the logarithm of the rate is predicted."""
    rate = np.exp(y)
    if full:
        value = np.where(t == 0, rate, times(t, exp_rest(y - np.log(t))) + least_poisson(t))
        return value, rate - t
    return rate - times(t, np.minimum(y, held(y))), rate - t


def deviance(y: Array, t: Array, power: float) -> tuple[Array, Array]:
    """Return the deviance of a Tweedie distribution, and its slope by y; power 1 is
    Poisson, and 2 the gamma distribution.

    With L = log(y / t), a = 1 - power and b = 2 - power it is 2 t^b ((exp(b L) - 1) / b - (exp(a L) - 1) / a), where
    (exp(s L) - 1) / s is L for s = 0. Near L = 0 both terms are almost L, and only what they have beyond L matters.
    """
    a = y.dtype.type(1) - power
    b = a + 1
    y = y + 0  # -0.0 is 0: quotients by it have the other sign
    gap = y - t
    mean = held(y)
    if power < 0:
        return _of_any_target(y, t, a, b), 2 * (mean - t) * mean**-power
    slope = 2 * np.where(t == 0, mean**a, np.where(gap == 0, 0, (mean - t) / mean * mean**a))
    value = _steep(gap, np.minimum(y, t), a, b) if power >= 2 else _moderate(y, t, a, b)
    return np.where((y == 0) & (t > 0), np.inf, value), slope  # a mean of 0 excludes what happened


def _moderate(y: Array, t: Array, a: Any, b: Any) -> Array:
    """Return the deviance for a power from 1 to 2, for which targets may be 0."""
    gap = y - t
    ratio = log_ratio(gap, np.minimum(y, t))
    near = np.abs(ratio) * max(abs(a), abs(b)) < NEAR

    def beyond(s: Any) -> Array | float:
        return exp_tail(s * ratio) / s if s else 0.0

    def whole(s: Any) -> Array:
        return np.expm1(s * ratio) / s if s else held(ratio)

    scale = t**b
    value = 2 * scale * np.where(near, beyond(b) - beyond(a), whole(b) - whole(a))
    none = t == 0
    return np.where(none, 2 * np.power(y, b, out=np.zeros_like(value), where=none) / b, value)


def _of_any_target(y: Array, t: Array, a: Any, b: Any) -> Array:
    """Return the deviance for a power below 0, for which targets may be negative.

    With L = log(y / t) and R(x) = exp(x) - 1 - x it is 2 t y^a (R(-a L) / a + R(L)) / b: a sum of two terms of the same sign.
    Where y is smaller than t, y^a is written as t^a exp(a L), which goes into the terms.
    """
    level = np.where(t <= 0, 1, t)  # those up to 0 have a form of their own
    gap = y - level
    ratio = log_ratio(gap, np.minimum(y, level))
    steepness = a * np.abs(ratio)
    near = np.minimum(steepness, FAR)
    above = level / b * y**a * (exp_rest(-steepness) / a + exp_rest(ratio))
    below = level**b / a / b * (np.exp(-near) * exp_rest(near) + a * np.exp(-steepness) * exp_rest(ratio))
    of_positive = np.where(gap == 0, 0, np.where(gap > 0, above, below))
    return 2 * np.where(t <= 0, y**a * (y / b - t / a), of_positive)


FAR = 100
"""exp(-100) is less than the last digit of 1 in every dtype."""


def _steep(gap: Array, less: Array, a: Any, b: Any) -> Array:
    """Return the deviance for b <= 0, from y - t and the smaller of y and t.

    With R(x) = exp(x) - 1 - x it is 2 y^b (R(b M) / b - R(M)) / a for M = log(t / y): a sum of two terms of the same
    sign. Where y is larger than t, both are multiplied by (t / y)^-b and y^b becomes t^b, since only a power of the
    smaller number cannot be 0 where the deviance is not.
    """
    size = np.abs(log_ratio(gap, less))
    steepness = -b * size if b else np.zeros_like(size)
    fade, near = np.exp(-steepness), np.minimum(steepness, FAR)
    first = np.where(gap > 0, np.exp(-near) * exp_rest(near), exp_rest(-steepness)) / b if b else 0
    second = np.where(gap > 0, fade * exp_rest(-size), exp_rest(size))
    return np.where(gap == 0, 0, 2 * less**b * ((first - second) / a))


@loss(
    distribution,
    "2 * (where(t == 0, 0, t * log(t / y)) - t + y)",
    slope="2 * (1 - where(t == 0, 0, t / y))",
    aliases=("mean-poisson-deviance",),
    source="Nelder and Wedderburn 1972, Generalized Linear Models, doi:10.2307/2344614",
    special=(
        "zero times log zero is zero",
        "a prediction of 0 is right for a target of 0, and infinitely wrong for others",
    ),
    relations=(same("2 * generalized_kl(y, t)"), same("tweedie_deviance(y, t, power=1)")),
    domains=lambda parameters: Domains(NON_NEGATIVE, NON_NEGATIVE),
    wide=lambda parameters: True,
    facts=("convex",),
)
def poisson_deviance(y: Array, t: Array) -> tuple[Array, Array]:
    """Twice the log-probability that a Poisson distribution with the mean y misses of the best one."""
    return deviance(y, t, 1)


@loss(
    distribution,
    "where(y == 0, inf, 2 * (log(y / t) + t / y - 1))",
    slope="2 * (y - t) / y**2",
    aliases=("mean-gamma-deviance",),
    source="Nelder and Wedderburn 1972, Generalized Linear Models, doi:10.2307/2344614",
    special=(
        "targets must be above 0; a prediction of 0 is infinitely wrong",
        "unchanged where both are multiplied by one number",
    ),
    relations=(same("2 * (log_gamma(log(y), t) - log(t) - 1)"), same("tweedie_deviance(y, t, power=2)")),
    domains=lambda parameters: Domains(NON_NEGATIVE, POSITIVE),
    wide=lambda parameters: True,
)
def gamma_deviance(y: Array, t: Array) -> tuple[Array, Array]:
    """Twice the log-density that a gamma distribution with the mean y misses of the best one."""
    return deviance(y, t, 2)


@loss(
    distribution,
    "where(power == 1, 2 * (where(t == 0, 0, t * log(t / y)) - t + y), where(power == 2, "
    "where(y == 0, inf, 2 * (log(y / t) + t / y - 1)), where(power == 0, (y - t)**2, where(power > 2 and y == 0, inf, 2 * (where(t <= 0, 0, t**(2 - power)) / ((1 - power) * (2 - power)) "
    "- t * y**(1 - power) / (1 - power) + y**(2 - power) / (2 - power))))))",
    slope="2 * where(power == 0, y - t, where(t == 0, y**(1 - power), (y - t) * y**(-power)))",
    aliases=("mean-tweedie-deviance", "tweedie-deviance-score"),
    source="Jorgensen 1987, Exponential Dispersion Models, doi:10.1111/j.2517-6161.1987.tb01685.x",
    special=(
        "power 1 and 2 are the limits of the formula; it may be as near to them as numbers are",
        "no distribution has a power between 0 and 1",
        "predictions must be at least 0, but for power 0; targets must be above 0 for power >= 2, may be 0 below 2, and any "
        "numbers for power <= 0",
        "for power >= 1 a prediction of 0 is infinitely wrong where the target is above 0",
        "power 0 is squared-error, and scikit-learn's default",
    ),
    relations=(
        same("squared_error(y - t)", power=0),
        same("poisson_deviance(y, t)", power=1),
        same("gamma_deviance(y, t)", power=2),
    ),
    domains=lambda parameters: _tweedie_domains(parameters["power"] or 0),
    wide=lambda parameters: True,
)
def tweedie_deviance(
    y: Array, t: Array, *, power: Annotated[float, TWEEDIE, "the variance grows as this power of the mean"] = 1.5
) -> tuple[Array, Array]:
    """Twice the log-density that a Tweedie distribution with the mean y misses of the best one."""
    if power == 0:
        return (y - t) * (y - t), 2 * (y - t)
    return deviance(y, t, power)


def _tweedie_domains(power: float) -> Domains:
    """Return the predictions and targets of a Tweedie distribution: what its mean and its outcomes can be."""
    if power <= 0:
        return Domains(REAL if power == 0 else NON_NEGATIVE, REAL)
    return Domains(NON_NEGATIVE, NON_NEGATIVE if power < 2 else POSITIVE)


@loss(
    distribution,
    "y + t * exp(-y)",
    slope="1 - t * exp(-y)",
    aliases=("log-gamma-loss",),
    source="McCullagh and Nelder 1989, Generalized Linear Models, chapter 8; scikit-learn, HalfGammaLoss",
    special=(
        "predictions are logarithms of means",
        "what the target alone adds is left out: it may be negative",
        "a target of 0 loses y, however small that is",
    ),
    relations=(same("gamma_deviance(exp(y), t) / 2 + log(t) + 1"),),
    domains=lambda parameters: Domains(REAL, NON_NEGATIVE),
    wide=lambda parameters: True,
    facts=("convex",),
)
def log_gamma(y: Array, t: Array) -> tuple[Array, Array]:
    """Minus the log-density of a gamma distribution, of which the logarithm of the mean is predicted."""
    part = times(t, np.exp(-y))
    return held(y) + part, 1 - part


@loss(
    distribution,
    "log(y) + t / y",
    slope="(y - t) / y**2",
    source="XGBoost, eval_metric='gamma-nloglik', https://xgboost.readthedocs.io/en/stable/parameter.html; LightGBM, "
    "metric='gamma'; after McCullagh and Nelder 1989, Generalized Linear Models, chapter 8",
    special=(
        "predictions are means; of logarithms of means it is log-gamma",
        "that of a gamma distribution with the shape 1, which is an exponential distribution: it may be negative",
    ),
    relations=(same("log_gamma(log(y), t)"), same("gamma_deviance(y, t) / 2 + log(t) + 1")),
    domains=lambda parameters: Domains(POSITIVE, NON_NEGATIVE),
    wide=lambda parameters: True,
)
def gamma_nloglik(y: Array, t: Array) -> tuple[Array, Array]:
    """Minus the log-density of a gamma distribution, of which the mean is predicted."""
    mean = held(y)
    return np.log(y) + t / y, (mean - t) / mean / mean


@loss(
    distribution,
    "where(power == 1, y - t * log(y), where(power == 2, log(y) + t / y, "
    "y**(2 - power) / (2 - power) - t * y**(1 - power) / (1 - power)))",
    slope="where(t == 0, y**(1 - power), (y - t) * y**(-power))",
    source="XGBoost, eval_metric='tweedie-nloglik@1.5', https://xgboost.readthedocs.io/en/stable/parameter.html; LightGBM, "
    "metric='tweedie'; after Jorgensen 1987, Exponential Dispersion Models, doi:10.1111/j.2517-6161.1987.tb01685.x",
    special=(
        "predictions are means; of logarithms of means it is log-tweedie",
        "what the target alone adds is left out, also for power 1 and 2, which are poisson and gamma-nloglik; no distribution "
        "has a power between 0 and 1",
        "predictions must be at least 0 below power 2, and above 0 from there on, but for power 0; targets must be at least 0, "
        "but for power <= 0",
        "XGBoost and LightGBM take powers between 1 and 2 alone",
    ),
    relations=(
        same("log_tweedie(log(y), t, power=1.5)", power=1.5),
        same("log_tweedie(log(y), t, power=3)", power=3),
        same("tweedie_deviance(y, t, power=power) / 2 - t**(2 - power) / ((1 - power) * (2 - power))", power=1.5),
        same("half_squared_error(y - t) - t**2 / 2", power=0),
        same("poisson(y, t)", power=1),
        same("gamma_nloglik(y, t)", power=2),
    ),
    domains=lambda parameters: _nloglik_domains(parameters["power"] or 0),
    wide=lambda parameters: True,
)
def tweedie_nloglik(
    y: Array, t: Array, *, power: Annotated[float, TWEEDIE, "the variance grows as this power of the mean"] = 1.5
) -> tuple[Array, Array]:
    """Minus the log-density of a Tweedie distribution, of which the mean is predicted."""
    a = y.dtype.type(1) - power
    b = a + 1
    if power == 0:
        return y * (y / 2 - t), y - t
    y = y + 0  # -0.0 is 0: quotients by it have the other sign
    mean = held(y)
    slope = np.where(t == 0, mean**a, (mean - t) * mean**-power if power < 0 else (mean - t) / mean * mean**a)
    if power in (1, 2):
        return (y - times(t, np.log(mean)) if power == 1 else np.log(y) + t / y), slope
    # Of the two terms the larger one is a factor, so that infinity does not meet infinity.
    with_target = np.where(y < 1, y**a * (y / b - t / a), y**b * (1 / b - t / y / a))
    return np.where(t == 0, y**b / b, with_target), slope


def _nloglik_domains(power: float) -> Domains:
    """Return the predictions and targets for which the likelihood of a Tweedie distribution is a number."""
    if power <= 0:
        return _tweedie_domains(power)
    return Domains(NON_NEGATIVE if power < 2 else POSITIVE, NON_NEGATIVE)


@loss(
    distribution,
    "where(power == 1, exp(y) - t * y, where(power == 2, y + t * exp(-y), "
    "exp((2 - power) * y) / (2 - power) - t * exp((1 - power) * y) / (1 - power)))",
    slope="exp((2 - power) * y) - t * exp((1 - power) * y)",
    aliases=("log-tweedie-loss",),
    source="Jorgensen 1987, Exponential Dispersion Models, doi:10.1111/j.2517-6161.1987.tb01685.x; XGBoost, reg:tweedie",
    special=(
        "predictions are logarithms of means",
        "what the target alone adds is left out, also for power 1 and 2, which are log-poisson and log-gamma; no distribution "
        "has a power between 0 and 1",
        "targets may be any numbers for power <= 0, and must be at least 0 for power >= 1",
        "convex for powers from 1 to 2",
        "XGBoost, LightGBM and CatBoost take powers between 1 and 2 alone",
    ),
    relations=(
        same("tweedie_deviance(exp(y), t, power=power) / 2 - t**(2 - power) / ((1 - power) * (2 - power))", power=1.5),
        same("half_squared_error(exp(y) - t) - t**2 / 2", power=0),
        same("log_poisson(y, t)", power=1),
        same("log_gamma(y, t)", power=2),
    ),
    domains=lambda parameters: Domains(REAL, REAL if (parameters["power"] or 0) <= 0 else NON_NEGATIVE),
    wide=lambda parameters: True,
)
def log_tweedie(
    y: Array, t: Array, *, power: Annotated[float, TWEEDIE, "the variance grows as this power of the mean"] = 1.5
) -> tuple[Array, Array]:
    """Minus the log-density of a Tweedie distribution, of which the logarithm of the mean is predicted."""
    a = y.dtype.type(1) - power
    b = a + 1
    less, more = (np.exp(power * y) if power else np.ones_like(y) for power in (a, b))  # 0 times infinity is NaN
    # Of the two terms the larger one is a factor, so that infinity does not meet infinity.
    mean, shrunk = np.exp(np.minimum(y, 0)), np.exp(-np.maximum(y, 0))
    slope = np.where(t == 0, more, np.where(y < 0, less * (mean - t), more * (1 - times(t, shrunk))))
    if power == 1:
        return more - times(t, np.minimum(y, held(y))), slope
    if power == 2:
        return held(y) + times(t, less), slope
    with_target = np.where(y < 0, less * (mean / b - t / a), more * (1 / b - times(t, shrunk) / a))
    return np.where(t == 0, more / b, with_target), slope


@loss(
    distribution,
    "where(t == 0, 0, t * log(t / y)) - t + y",
    slope="1 - where(t == 0, 0, t / y)",
    aliases=("generalized-kl-divergence", "i-divergence", "convex-kl-divergence"),
    source="Csiszar 1991, Why Least Squares and Maximum Entropy?, Annals of Statistics 19(4)",
    special=(
        "the target is the first argument, as in kl-divergence; neither needs to sum to 1",
        "zero times log zero is zero",
        "a prediction of 0 is right for a target of 0, and infinitely wrong for others",
    ),
    relations=(same("poisson_deviance(y, t) / 2"),),
    domains=lambda parameters: Domains(NON_NEGATIVE, NON_NEGATIVE),
    wide=lambda parameters: True,
    facts=("convex",),
)
def generalized_kl(y: Array, t: Array) -> tuple[Array, Array]:
    """The Kullback-Leibler divergence of amounts that are no probabilities, element by element."""
    value, slope = deviance(y, t, 1)
    return value / 2, slope / 2


def lift_beside(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(y, t, v) with the third operand v, elementwise; the gradient is by y alone."""
    assert isinstance(targets, Dense)
    assert extras.third_operand is not None
    y = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    value, slope = loss.core(y, targets.t.astype(y.dtype, copy=False), extras.third_operand.astype(y.dtype, copy=False))
    return value, slope if gradient else None


def _place_gaussian(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x, Dense(np.zeros_like(x)), Extras(third_operand=np.ones_like(x))


gaussian = family(
    name="gaussian",
    lift=lift_beside,
    summary="functions of the mean and the variance of a normal distribution, elementwise",
    variables={"y": "prediction: a mean", "t": "target", "v": "variance, one for each prediction"},
    value="f(y, t, v)",
    gradient="df/dy; variances are held fixed",
    targets="numbers, one for each prediction; or one number for all",
    target_type="numbers",
    third_operand="variance",
    axes={
        "residual": Axis(
            "r",
            "residual r = prediction - target, for a variance of 1",
            (-3.0, 3.0),
            _place_gaussian,
            own=False,
            shared=SHARED["residual"],
            at=(("variance", 1),),
        )
    },
    several_outputs=True,
)


@loss(
    gaussian,
    "(log(v) + (y - t)**2 / v + full * log(2 * pi)) / 2",
    slope="(y - t) / v",
    aliases=("gaussian", "gaussian-nll-loss", "normal-nll"),
    source="Nix and Weigend 1994, Estimating the Mean and Variance of the Target Probability Distribution, "
    "doi:10.1109/ICNN.1994.374138",
    special=(
        "what is the same for all, log(2 * pi) / 2, is left out unless full is 1; the loss may be negative in any case",
        "variances must be above 0; no least one is put in their place",
    ),
    relations=(same("half_squared_error(y - t) / v + log(v) / 2 + full * log(2 * pi) / 2"),),
    wide=lambda parameters: True,
    facts=("convex",),
)
def gaussian_nll(y: Array, t: Array, v: Array, *, full: Full = 0.0) -> tuple[Array, Array]:
    """Minus the log-density of a normal distribution whose mean and variance are predicted."""
    gap = y - t
    return (np.log(v) + gap * gap / v) / 2 + full * half_log_two_pi(v.dtype), gap / v


@loss(
    gaussian,
    "v**beta * (log(v) + (y - t)**2 / v) / 2",
    slope="v**beta * (y - t) / v",
    aliases=("beta-nll-loss",),
    source="Seitzer, Tavakoli, Antic and Martius 2022, On the Pitfalls of Heteroscedastic Uncertainty Estimation with "
    "Probabilistic Neural Networks, arXiv:2203.09168",
    special=(
        "the factor v**beta is no part of what is differentiated: training holds it fixed",
        "beta = 1 has the slope of half-squared-error, whatever the variances are",
        "variances must be above 0; the loss may be negative",
    ),
    relations=(same("v**beta * gaussian_nll(y, t, v)"), same("gaussian_nll(y, t, v)", beta=0)),
    wide=lambda parameters: True,
    facts=("convex",),
)
def beta_nll(
    y: Array,
    t: Array,
    v: Array,
    *,
    beta: Annotated[float, FRACTION, "power of the variance that weighs the loss"] = 0.5,
) -> tuple[Array, Array]:
    """The likelihood of a normal distribution, weighted by a power of the variance."""
    gap, weight = y - t, v**beta
    return weight * (np.log(v) + gap * gap / v) / 2, weight * (gap / v)


ROOT = math.sqrt(2 / math.pi)
"""Mean size of a number of the standard normal distribution."""


@loss(
    gaussian,
    "s * (z * erf(z / sqrt(2)) + sqrt(2 / pi) * exp(-z**2 / 2) - 1 / sqrt(pi))",
    slope="erf(z / sqrt(2))",
    where={"s": "sqrt(v)", "z": "(y - t) / s"},
    aliases=("crps-gaussian", "crps-normal"),
    source="Gneiting, Raftery, Westveld and Goldman 2005, Calibrated Probabilistic Forecasting Using Ensemble Model Output "
    "Statistics and Minimum CRPS Estimation, doi:10.1175/MWR2904.1",
    special=(
        "in the unit of the target; of an ensemble it is crps",
        "absolute-error for a variance next to 0, and abs(y - t) - sqrt(v / pi) far from the target",
        "--variance takes variances: the squares of standard deviations",
    ),
    facts=("convex",),
)
def gaussian_crps(y: Array, t: Array, v: Array) -> tuple[Array, Array]:
    """The continuous ranked probability score of a normal distribution."""
    gap, s = y - t, np.sqrt(v)
    size = np.abs(gap)
    z = size / s
    slope = erf(z / math.sqrt(2))
    # s * (1 - 1 / sqrt(2)) * ROOT is the score at z = 0, in a form without large terms that cancel.
    rest = ROOT * (np.expm1(-z * z / 2) + (1 - math.sqrt(0.5)))
    return size * slope + s * rest, np.copysign(slope, gap)
