"""Divergences between the predicted and the target distribution of a row, of the family of softmax losses.

In each the target is the first distribution and the prediction the second one, as in kl-divergence.
"""

from typing import Annotated, cast

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Extras, Probability, Targets
from losscli.definition.domain import FRACTION, POSITIVE
from losscli.definition.loss import Axis, Slope, same
from losscli.definition.registry import FAMILIES, loss
from losscli.elementary import log1p
from losscli.losses.probability import Slopes, gap, ratio
from losscli.losses.softmax import softmax
from losscli.losses.stable import held
from losscli.records import replace


def _of_roots(x: Probability, t: Array) -> tuple[Array, Array]:
    """Return sqrt(t) - sqrt(p), without cancellation, and sqrt(p)."""
    root = np.sqrt(x.p)
    both = root + np.sqrt(t)
    return np.where(both == 0, 0, gap(x, t) / both), root


@loss(
    softmax,
    "(sqrt(p) - sqrt(t))**2 / 2",
    slope="(p - sqrt(p * t)) / 2",
    aliases=("squared-hellinger-distance", "hellinger-squared"),
    source="Hellinger 1909, Neue Begruendung der Theorie quadratischer Formen von unendlichvielen Veraenderlichen, "
    "doi:10.1515/crll.1909.136.210; Beran 1977, Minimum Hellinger Distance Estimates for Parametric Models, "
    "doi:10.1214/aos/1176343842",
    special=(
        "summed over the classes it is 1 - sum(sqrt(p * t)), 0 to 1; some leave out the factor 1 / 2",
        "of labels 1 - sqrt(p) of the true class",
        "by probabilities the gradient is infinite where p = 0 and t > 0",
    ),
    relations=(same("1 - exp(-renyi(z, t, alpha=1/2) / 2)"), same("hellinger(z, t)**2")),
    facts=("bounded",),
)
def squared_hellinger(x: Probability, t: Array) -> tuple[Array, Slope]:
    """Half the squared distance between the square roots of prediction and target."""
    short, root = _of_roots(x, t)

    def slope() -> Slopes:
        return Slopes(-root * short / 2, lambda: np.where(t == 0, 0.5, short / (-2 * root)))

    return short * short / 2, cast(Slope, slope)


@loss(
    softmax,
    "sqrt(sum((sqrt(p) - sqrt(t))**2) / 2)",
    aliases=("hellinger-distance", "hellinger-loss"),
    source="Beran 1977, Minimum Hellinger Distance Estimates for Parametric Models, doi:10.1214/aos/1176343842",
    special=(
        "a distance from 0 to 1; its square is squared-hellinger, which has a gradient where p is t",
        "the slope where p is t in all classes is 0",
    ),
    relations=(same("sqrt(squared_hellinger(z, t))"),),
    whole=True,
    facts=("bounded",),
)
def hellinger(x: Probability, t: Array) -> tuple[Array, Slope]:
    """The Hellinger distance between prediction and target."""
    short, root = _of_roots(x, t)
    value = np.sqrt(row_sums(short * short) / 2)

    def slope() -> Slopes:
        size = value[:, None]
        share = np.where(size == 0, 0, short / (-4 * size))
        return Slopes(root * share, lambda: np.where(t == 0, 0.25 / size, share / root))

    return value, cast(Slope, slope)


CHI_SQUARE = (
    "Pearson 1900, On the Criterion that a given System of Deviations ..., doi:10.1080/14786440009463897; Neyman 1949, "
    "Contribution to the Theory of the Chi-Square Test"
)


@loss(
    softmax,
    "(t - p)**2 / p",
    slope="p - t**2 / p",
    aliases=("pearson-chi-squared", "pearson-chi2", "pearson-divergence"),
    source=CHI_SQUARE,
    special=(
        "the target is what is observed, and the prediction what is expected",
        "of labels 1 / p - 1 of the true class: it is large where p is small, and inf at p = 0",
    ),
    relations=(same("exp(renyi(z, t, alpha=2)) - 1"),),
    wide=lambda parameters: True,
)
def pearson_chi_square(x: Probability, t: Array) -> tuple[Array, Slope]:
    """The squared differences between target and prediction, over the prediction."""
    short = gap(x, t)
    part = np.where(x.p == 0, np.where(t == 0, 0, np.inf), short / x.p)

    def slope() -> Slopes:
        by_log = times(-part, t + x.p)
        return Slopes(held(by_log), lambda: np.where(t == 0, 1, ratio(by_log, x.p)))

    return times(short, part), cast(Slope, slope)


@loss(
    softmax,
    "abs(p - t) / 2",
    slope="sign(p - t) * p / 2",
    aliases=("tv-distance", "variational-distance"),
    source="Levin, Peres and Wilmer 2009, Markov Chains and Mixing Times, chapter 4",
    special=(
        "the largest difference of the probabilities that prediction and target give to any set of classes, 0 to 1",
        "of labels 1 - p of the true class",
        "the slope of a class where p is t is 0; by a probability of 0 it is 1 / 2 where t is 0 too",
    ),
    facts=("bounded",),
)
def total_variation_distance(x: Probability, t: Array) -> tuple[Array, Slope]:
    """Half of the absolute differences between prediction and target."""
    short = gap(x, t)

    def slope() -> Slopes:
        by_p = np.where(t == 0, 0.5, np.sign(short) / -2)
        return Slopes(by_p * x.p, lambda: by_p)

    return np.abs(short) / 2, cast(Slope, slope)


@loss(
    softmax,
    "where(alpha == 1, sum(t * log(t / p)) / sum(t), log(sum(t**alpha * p**(1 - alpha)) / sum(t)) / (alpha - 1))",
    aliases=("renyi-divergence", "renyi-alpha-divergence"),
    source="Renyi 1961, On Measures of Entropy and Information, Proceedings of the Fourth Berkeley Symposium 1; van Erven and "
    "Harremoes 2014, Renyi Divergence and Kullback-Leibler Divergence, arXiv:1206.2459",
    special=(
        "targets are divided by their sum, which is 1 but for rounding",
        "of labels it is softmax-cross-entropy, for every alpha",
        "it grows with alpha; for alpha >= 1 it is inf where p = 0 and t > 0",
    ),
    relations=(
        same("kl_divergence(z, t)", alpha=1),
        same("log(1 + pearson_chi_square(z, t))", alpha=2),
        same("-2 * log(1 - squared_hellinger(z, t))", alpha=0.5),
    ),
    whole=True,
    wide=lambda parameters: True,
)
def renyi(
    x: Probability, t: Array, *, alpha: Annotated[float, POSITIVE, "order; at 1 it is kl-divergence"] = 2.0
) -> tuple[Array, Slope]:
    """Between distributions, the divergence that belongs to Renyi's entropy."""
    order = x.l.dtype.type(alpha)
    total = row_sums(t)
    log_ratio = np.where(t == 0, -np.inf, np.log(t) - x.l)
    tilt = np.where(t == 0, -np.inf, np.log(t) + (order - 1) * log_ratio)
    peak = tilt.max(axis=1, keepdims=True)
    parts = np.exp(np.where(tilt == peak, 0, tilt - peak))
    sums = row_sums(parts)
    value = _divergence(x, t, order, log_ratio, peak[:, 0] + np.log(sums))

    def slope() -> Slopes:
        nowhere = alpha == 1 or np.isneginf(peak)  # the limit of alpha, and distributions that have no class in common
        share = np.where(nowhere, t / total[:, None], parts / sums[:, None])
        return Slopes(-share, lambda: -ratio(share, x.p))

    return value, cast(Slope, slope)


def _divergence(x: Probability, t: Array, order: Array, log_ratio: Array, size: Array) -> Array:
    """Return the divergence from log(t / p) and the logarithm of sum(t**order * p**(1 - order)).

    Where that sum is next to 1, what it is beyond 1 is added up instead: it cancels in the logarithm.
    """
    total = row_sums(t)
    if order == 1:
        return np.asarray(row_sums(times(t, log_ratio)) / total)
    if order >= 0.5:
        beyond = row_sums(times(t, np.expm1((order - 1) * log_ratio)))
    else:
        beyond = row_sums(times(x.p, np.expm1(order * log_ratio)) - gap(x, t))
    beyond = beyond / total
    near = np.abs(beyond) < 0.5
    return np.asarray(np.where(near, log1p(np.where(near, beyond, 0)), size - np.log(total)) / (order - 1))


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, 1 - x], axis=1), Dense(np.tile([0.75, 0.25], (len(x), 1))), Extras("probs")


shares = FAMILIES["shares"] = replace(
    softmax,
    name="shares",
    summary="functions of one probability distribution a row that divide by the target, which is soft for each class",
    variables={**softmax.variables, "t": "target of a class, above 0"},
    targets="rows of soft targets, one number per class, which sum to 1; or labels with --label-smoothing",
    axes={
        "probability": Axis(
            "p",
            "probability p of the class with the target 3/4, of two",
            (0.0, 1.0),
            _place,
            along=(1.0, -1.0),
            domain=FRACTION,
            own=False,
        )
    },
    soft=True,
    likelihood=None,
)


@loss(
    shares,
    "(t - p)**2 / t",
    slope="2 * p * (p - t) / t",
    aliases=("neyman-chi-squared", "neyman-chi2", "neyman-divergence"),
    source=CHI_SQUARE,
    special=(
        "the target is what is observed and the prediction what is expected, as in pearson-chi-square",
        "labels are refused, since it is inf where t = 0 and p > 0; --label-smoothing makes soft targets of them",
    ),
    wide=lambda parameters: True,
)
def neyman_chi_square(x: Probability, t: Array) -> tuple[Array, Slope]:
    """The squared differences between target and prediction, over the target."""
    short = gap(x, t)
    part = np.where(short == 0, 0, short / t)

    def slope() -> Slopes:
        return Slopes(held(times(x.p, -2 * part)), lambda: -2 * part)

    return times(short, part), cast(Slope, slope)
