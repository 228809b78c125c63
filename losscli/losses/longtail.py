"""Losses of classes of which some are rare, by the number of samples that each has in training.

Cores are those of `losscli.losses.class_logits`, which get the counts n of the classes, shape (k,), as well. Only the
ratios of the counts matter, thus shares of the classes serve as well. No loss changes where a number is added to all
logits of a row, so that logarithms of probabilities serve as logits.
"""

from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Extras, Indices, Targets, Values
from losscli.definition.domain import NON_NEGATIVE, POSITIVE
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import FAMILIES, loss
from losscli.elementary import log1p
from losscli.losses.class_logits import Slopes, class_logits
from losscli.losses.contrastive import logistic, softplus
from losscli.losses.probability import ratio
from losscli.losses.ranking import log_sum_exp
from losscli.losses.softmax import dense, log_softmax, through_softmax
from losscli.records import replace


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(z, t, n) of each row; the core's slope is the gradient, from probabilities divided by them."""
    assert extras.class_counts is not None
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    probs = extras.prediction_kind == "probs"
    z = np.log(x) if probs else x
    value, slope = loss.core(z, dense(targets, z), extras.class_counts.astype(z.dtype), gradient=gradient)
    return value, None if not gradient else ratio(slope, x) if probs else slope


COUNTS_DRAWN = np.array([1.0, 10.0])


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows = np.stack([x, np.zeros_like(x)], axis=1)
    return rows, Indices(np.zeros(len(x), np.int64)), Extras(class_counts=COUNTS_DRAWN)


long_tail = FAMILIES["long-tail"] = replace(
    class_logits,
    name="long-tail",
    lift=lift,
    summary="functions of a row's logits and of how many samples each class has, multi-class",
    variables={**class_logits.variables, "n": "counts of the classes in training, or their shares"},
    value="f(z, t, n)",
    gradient="df/dz, one per class; from log-probabilities the same, from probabilities df/dz / p",
    axes={
        "logit": Axis(
            "z",
            "logit z of the true class (of two classes; the other logit is 0, and that class has ten times as many samples)",
            (-6.0, 6.0),
            _place,
            along=(1.0, 0.0),
            own=False,
        )
    },
    takes_from=True,
    takes_class_counts=True,
)
SOFT = "a soft target weighs the losses of the classes"


@loss(
    long_tail,
    "sum(t[k] * log(sum((n[j] / n[k])**tau * exp(z[j] - z[k]) for j in classes)) for k in classes)",
    aliases=("logit-adjustment", "logit-adjusted-cross-entropy", "logit-adjusted-loss", "balanced-softmax"),
    source="Menon, Jayasumana, Rawat, Jain, Veit and Kumar 2021, Long-Tail Learning via Logit Adjustment, arXiv:2007.07314; "
    "Ren, Yu, Sheng, Ma, Zhao, Yi and Li 2020, Balanced Meta-Softmax for Long-Tailed Visual Recognition, arXiv:2007.10740 "
    "(tau = 1)",
    special=(
        "cross-entropy of the logits z + tau * log(n): a rare class must lead by more than a frequent one",
        SOFT,
        "predictions are the logits without the adjustment, as a model gives them",
    ),
    relations=(same("softmax_cross_entropy(z, t)", tau=0), same("softmax_cross_entropy(z + tau * log(n), t)")),
    facts=("convex",),
)
def logit_adjusted(
    z: Array,
    t: Array,
    n: Array,
    *,
    tau: Annotated[float, NON_NEGATIVE, "how much of the logarithms of the counts is added to the logits"] = 1.0,
) -> tuple[Array, Slopes]:
    """Cross-entropy of logits to which the logarithms of the classes' counts are added."""
    chance = log_softmax(z + tau * np.log(n / n.max()))
    return row_sums(times(t, -chance.l)), lambda: through_softmax(-t, chance)


def _of_others(x: Array) -> Array:
    """Return for each class of a row the logarithm of the sum of the exponentials of all other classes."""
    rows, top = np.arange(len(x)), x.argmax(axis=1)
    peak = x[rows, top]
    without = x.copy()
    without[rows, top] = -np.inf
    rest = np.exp(without - peak[:, None])
    others = peak[:, None] + log1p(np.maximum(row_sums(rest).astype(x.dtype)[:, None] - rest, 0))
    others[rows, top] = log_sum_exp(without)
    return others


@loss(
    long_tail,
    "sum(t[k] * log(1 + sum(exp(s * (z[j] - z[k] + max_m * (min(n) / n[k])**(1 / 4))) for j in classes if j != k)) "
    "for k in classes)",
    aliases=("ldam-loss", "label-distribution-aware-margin"),
    source="Cao, Wei, Gaidon, Arechiga and Ma 2019, Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss, "
    "arXiv:1906.07413",
    special=(
        "the margin of a class is C / n**(1/4), with C such that the rarest one's is max_m",
        "the source's logits are cosines, of unit features and weights, which s spreads",
        "its weights of classes for the end of training are --class-weight effective:0.9999",
        SOFT,
    ),
    relations=(same("softmax_cross_entropy(s * z, t)", max_m=0),),
    facts=("convex",),
)
def ldam(
    z: Array,
    t: Array,
    n: Array,
    *,
    max_m: Annotated[float, NON_NEGATIVE, "margin of the rarest class"] = 0.5,
    s: Annotated[float, POSITIVE, "factor of the logits with their margins"] = 30.0,
) -> tuple[Array, Slopes]:
    """Cross-entropy in which each class must lead by a margin that is larger the rarer it is."""
    x = s * z
    others = _of_others(x)
    # What a class lacks to lead all others together by its margin.
    lack = s * max_m * (n.min() / n) ** 0.25 + (others - x)

    def slope() -> Array:
        pull = s * times(t, logistic(lack))
        rows, top = np.arange(len(x)), x.argmax(axis=1)
        of_top = pull[rows, top]
        # The shares of a class in the others of each class but the likeliest, and then in those of the likeliest one.
        share = np.exp(x[rows, top][:, None] - others)
        share[rows, top] = 0
        received = row_sums(pull * share)[:, None] - pull * share
        gradient = np.exp(x - x[rows, top][:, None]) * received - pull
        beside = np.exp(x - others[rows, top][:, None])
        beside[rows, top] = 0
        return gradient + of_top[:, None] * beside

    return row_sums(times(t, softplus(lack))), slope


@loss(
    long_tail,
    "sum(t[k] * log(1 + sum(min(1, n[j] / n[k])**p * max(1, exp(z[j] - z[k]))**q * exp(z[j] - z[k]) for j in classes "
    "if j != k)) for k in classes)",
    aliases=("seesaw-loss",),
    source="Wang, Zhang, Zang, Cao, Pang, Gong, Chen, Liu, Loy and Lin 2021, Seesaw Loss for Long-Tailed Instance "
    "Segmentation, arXiv:2008.10032",
    special=(
        "the first factor spares rarer classes, the second one punishes those that are likelier than the true one",
        "the source counts the samples that were seen so far; here the counts are given",
        "the gradient is that of the formula; MMDetection holds the second factor fixed, and raises the true class's "
        "probability to 0.01 in it",
        SOFT,
    ),
    relations=(same("softmax_cross_entropy(z, t)", p=0, q=0),),
    wide=lambda parameters: (parameters["q"] or 0) > 2,  # which multiplies the rounding of differences
    facts=("convex",),
)
def seesaw(
    z: Array,
    t: Array,
    n: Array,
    *,
    p: Annotated[float, NON_NEGATIVE, "how much classes that are rarer than the true one are spared"] = 0.8,
    q: Annotated[float, NON_NEGATIVE, "how much classes that are likelier than the true one are punished"] = 2.0,
) -> tuple[Array, Slopes]:
    """Cross-entropy in which other classes count less the rarer they are, and more the likelier they are."""
    spared = p * np.minimum(np.log(n) - np.log(n)[:, None], 0)
    value = np.where(np.isnan(z).any(axis=1), np.nan, np.zeros(len(z), z.dtype))
    parts = []
    for k in np.flatnonzero(t.any(axis=0)):
        rows = np.flatnonzero(t[:, k])
        lead = z[rows] - z[rows, k][:, None]
        terms = lead + q * np.maximum(lead, 0) + spared[k]
        terms[:, k] = -np.inf
        total = log_sum_exp(terms)
        value[rows] += t[rows, k] * softplus(total)
        parts.append((k, rows, lead, terms, total))

    def slope() -> Array:
        gradient = np.zeros_like(z)
        for k, rows, lead, terms, total in parts:
            steep = 1 + q * np.heaviside(lead, 0.5)
            shares = np.exp(terms - np.where(np.isneginf(total), 0, total)[:, None])
            pull = (t[rows, k] * logistic(total))[:, None] * steep * shares
            gradient[rows] += pull
            gradient[rows, k] -= row_sums(pull)
        return gradient

    return value, slope
