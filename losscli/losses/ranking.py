"""Ranking losses: of a list of scores per row with the relevance of each item, and of pairs of scores.

A core of lists gets scores z and relevances t, both (n, k), and returns one value per row, and a function that computes
its derivative by every score. A core of pairs gets d, the score that should be larger minus the other one, shape (n,).
"""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import NON_NEGATIVE, Domains, Interval
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.losses.softmax import log_softmax, through_softmax

Slopes = Callable[[], Array]

RELEVANT = Interval(0, 1, True, True, whole=True)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(z, t) of each row; the core's slope is the gradient."""
    assert isinstance(targets, Dense)
    z = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    value, slope = loss.core(z, targets.t.astype(z.dtype), gradient=gradient)
    return value, slope if gradient else None


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, np.zeros_like(x)], axis=1), Dense(np.tile([1.0, 0.0], (len(x), 1))), Extras()


ranking = family(
    name="ranking",
    lift=lift,
    summary="functions of a list of scores a row and the relevance of each item",
    variables={"z": "scores of a row, one an item", "t": "relevances of the items", "K": "number of items"},
    value="f(z, t)",
    gradient="df/dz, one an item",
    targets="rows of numbers, one relevance an item",
    target_type="numbers",
    rows="the scores of a list",
    lists=True,
    axes={
        "margin": Axis(
            "z", "score z of the relevant item, of two; the other's is 0", (-3.0, 3.0), _place, (1.0, 0.0), own=False
        )
    },
    several_outputs=False,
)


@loss(
    ranking,
    "sum(t[k] * (log(sum(exp(one - max(z)) for one in z)) + max(z) - z[k]) for k in items)",
    aliases=("ranking-softmax", "ranking-softmax-loss", "query-soft-max"),
    source="Bruch, Wang, Bendersky and Najork 2019, An Analysis of the Softmax Cross Entropy Loss for Learning-to-Rank with "
    "Binary Relevance, doi:10.1145/3341981.3344221",
    special=("relevances are not divided by their sum: a list without relevant items has the loss 0",),
    relations=(same("sum(t) * softmax_cross_entropy(z, t / sum(t))"),),
    domains=lambda parameters: Domains(targets=NON_NEGATIVE),
    facts=("convex",),
)
def listwise_softmax(z: Array, t: Array) -> tuple[Array, Slopes]:
    """The cross-entropy of the scores' softmax, each item weighed by its relevance."""
    chance = log_softmax(z)
    return row_sums(times(t, -chance.l)) + lost(z), lambda: through_softmax(-t, chance)


@loss(
    ranking,
    "sum(exp(t[k] - log(sum(exp(one - max(t)) for one in t)) - max(t))"
    " * (log(sum(exp(one - max(z)) for one in z)) + max(z) - z[k]) for k in items)",
    aliases=("list-net", "listnet-loss"),
    source="Cao, Qin, Liu, Tsai and Li 2007, Learning to Rank: From Pairwise Approach to Listwise Approach, "
    "doi:10.1145/1273496.1273513 (top-one probabilities)",
    special=("the target is the softmax of the relevances", "its least value is the entropy of that target"),
    relations=(same("listwise_softmax(z, softmax(t))"),),
    facts=("convex",),
)
def listnet(z: Array, t: Array) -> tuple[Array, Slopes]:
    """The cross-entropy between the softmaxes of relevances and of scores."""
    chance, wanted = log_softmax(z), log_softmax(t).p
    return row_sums(times(wanted, -chance.l)) + lost(z), lambda: through_softmax(-wanted, chance)


@loss(
    ranking,
    "sum(max(0, 1 - z[a] + z[b]) for a in items for b in items if t[a] > 0 and t[b] == 0) / K",
    aliases=("multilabel-margin-loss", "multi-label-margin", "multi-label-margin-loss"),
    source="PyTorch, MultiLabelMarginLoss, https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html",
    special=(
        "relevances are 0 or 1; every relevant item is compared with every other one",
        "divided by the number of items, as PyTorch does, whose targets are lists of labels ended by -1",
    ),
    domains=lambda parameters: Domains(targets=RELEVANT),
    facts=("convex",),
)
def multilabel_margin(z: Array, t: Array) -> tuple[Array, Slopes]:
    """The violations of a margin of 1 between relevant and other items, over the number of items."""
    relevant = t > 0
    value = np.zeros(len(z), z.dtype)
    items = range(z.shape[1])
    for a in items:  # one column at a time: all pairs of a batch at once would take k times its memory
        gap = np.maximum(1 - z[:, a, None] + z, 0)
        value += np.where(relevant[:, a], row_sums(np.where(relevant, 0, gap)), 0)

    def slope() -> Array:
        slopes = np.zeros_like(z)
        for a in items:
            active = (relevant[:, a, None] & ~relevant & (1 - z[:, a, None] + z > 0)).astype(z.dtype)
            slopes += active
            slopes[:, a] -= row_sums(active)
        return slopes / z.shape[1]

    return value / z.shape[1] + lost(z), slope


@loss(
    ranking,
    "log(1 + sum(exp(z[k]) for k in items if t[k] == 0)) + log(1 + sum(exp(-z[k]) for k in items if t[k] > 0))",
    aliases=("zlpr-loss",),
    source="Su, Zhu, Murtadha, Pan, Wen and Liu 2022, ZLPR: A Novel Loss for Multi-label Classification, "
    "arXiv:2208.02955",
    special=("relevances are 0 or 1; a score of 0 is the threshold between them",),
    domains=lambda parameters: Domains(targets=RELEVANT),
    facts=("convex",),
)
def zlpr(z: Array, t: Array) -> tuple[Array, Slopes]:
    """Relevant items above a threshold of 0, the others below it, by the log-sum-exp of both."""
    # The threshold is a further score of 0 on both sides.
    nothing = np.zeros((len(z), 1), z.dtype)
    negative = log_sum_exp(np.concatenate([np.where(t > 0, -np.inf, z), nothing], axis=1))
    positive = log_sum_exp(np.concatenate([np.where(t > 0, -z, -np.inf), nothing], axis=1))

    def slope() -> Array:
        return np.where(t > 0, -share(-z, positive), share(z, negative))

    return negative + positive, slope


def share(z: Array, total: Array) -> Array:
    """Return exp(z - total), which is 1 if both are infinite."""
    return np.exp(np.where(z == total[:, None], 0, z - total[:, None]))


def lost(z: Array) -> Array:
    """Return NaN for rows that contain a NaN, and 0 for others: added to losses that would not notice a NaN."""
    return np.where(np.isnan(z).any(axis=1), np.nan, 0)


def log_sum_exp(z: Array) -> Array:
    """Return the logarithm of the sum of exponentials of each row.

    The largest one is kept apart, so that sums near 1 keep their digits.
    """
    rows = np.arange(len(z))
    top = z.argmax(axis=1)
    peak = z[rows, top]
    with np.errstate(all="ignore"):
        e = np.exp(z - peak[:, None])
    e[rows, top] = 0
    return np.where(np.isinf(peak), peak, peak + np.log1p(row_sums(e)))


def lift_pairs(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(d) with d = t * (first score - second score): dd/dscore is t and -t."""
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    t = targets.t.astype(x.dtype)
    value, slope = loss.core(t * (x[:, 0] - x[:, 1]), gradient=gradient)
    return value, np.stack([t * slope, -t * slope], axis=1) if gradient else None


def _place_pair(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, np.zeros_like(x)], axis=1), Dense(np.ones(len(x), np.int8)), Extras()


pairs = family(
    name="pairs",
    lift=lift_pairs,
    summary="functions of the difference of two scores a row, of which one should be the larger",
    variables={"d": "t * (first score - second score), with t = 1 where the first should be larger and -1 otherwise"},
    value="f(d)",
    gradient="t * df/dd for the first score, and the opposite for the second",
    targets="labels in {0, 1} or in {-1, 1}, one a row: 1 where the first score should be the larger",
    target_type="signs",
    rows="two scores",
    width=2,
    one_target=True,
    axes={"margin": Axis("d", "lead d of the score that should be larger", (-3.0, 3.0), _place_pair, (1.0, 0.0))},
    several_outputs=False,
)


@loss(
    pairs,
    "max(0, margin - d)",
    slope="where(d < margin, -1, 0)",
    aliases=("margin-ranking-loss", "pairwise-hinge"),
    source="PyTorch, MarginRankingLoss, https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html",
    special=("the slope at d = margin is 0",),
    relations=(same("perceptron(d)", margin=0.0), same("hinge(d)", margin=1.0)),
    breaks=lambda parameters: {"margin": float(parameters["margin"] or 0)},
    facts=("convex",),
)
def margin_ranking(
    d: Array, *, margin: Annotated[float, NON_NEGATIVE, "by how much the better score is to lead"] = 0.0
) -> tuple[Array, Array]:
    """Zero where the better score leads by the margin, linear below."""
    return np.maximum(margin - d, 0), np.where(d < margin, -1.0, np.zeros_like(d))


@loss(
    pairs,
    "log(1 + exp(-d))",
    slope="-1 / (1 + exp(d))",
    aliases=("ranknet", "pair-logit", "pairwise-logistic-loss", "rank-pairwise"),
    relations=(same("sigmoid_cross_entropy(d, 1)"),),
    source="Burges, Shaked, Renshaw, Lazier, Deeds, Hamilton and Hullender 2005, Learning to Rank using Gradient "
    "Descent, doi:10.1145/1102351.1102363",
    facts=("convex",),
)
def pairwise_logistic(d: Array) -> tuple[Array, Array]:
    """Minus the log-probability that the better score wins, for a difference that is a logit."""
    e = np.exp(-np.abs(d))
    return np.maximum(-d, 0) + np.log1p(e), -np.where(d > 0, e, 1) / (1 + e)
