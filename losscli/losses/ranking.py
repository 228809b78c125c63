"""Ranking losses: of a list of scores per row with the relevance of each item, and of pairs of scores.

A core of lists gets scores z and relevances t, both (n, k), and returns one value per row, and a function that computes
its derivative by every score. A core of pairs gets d, the score that should be larger minus the other one, shape (n,).

With --group, lists may have different lengths; `losscli.engine.lists` then calls a core with lists of the same length.
"""

import math
from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import NON_NEGATIVE, POSITIVE, Domains, Interval
from losscli.definition.loss import Axis, BoundLoss, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.softmax import log_softmax, through_softmax

Slopes = Callable[[], Array]

RELEVANT = Interval(0, 1, True, True, whole=True)
PLACES = Interval(1, math.inf, low_closed=True, whole=True)


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
    summary="functions of a list of scores, which is a row or, with --group, several rows, and the relevance of each item",
    variables={"z": "scores of a row, one an item", "t": "relevances of the items", "K": "number of items"},
    value="f(z, t)",
    gradient="df/dz, one an item",
    targets="rows of numbers, one relevance an item; with --group a row is one item, and has one number",
    held_bytes=200,
    target_type="numbers",
    rows="the scores of a list",
    lists=True,
    axes={
        "margin": Axis(
            "z",
            "score z of the relevant item (of two items; the other score is 0)",
            (-3.0, 3.0),
            _place,
            (1.0, 0.0),
            own=False,
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


PAIRS_AT_ONCE = 1 << 18
"""Pairs of items that are held in memory at a time."""
LN2 = math.log(2)
GAIN = "the gain of a relevance is 2**t - 1, and the discount of a place 1 / log(1 + place)"
PLACE = "place(x, k) is 1 for the item k with the largest x, 2 for the next; of equal ones the first in the list comes first"
ALL_PAIRS = "all pairs of items are compared: the work grows with the square of the length of a list"


@loss(
    ranking,
    "sum(abs(2**t[a] - 2**t[b]) * abs(1 / log(1 + place(z, a)) - 1 / log(1 + place(z, b)))"
    " * log(1 + exp(-sigma * (z[a] - z[b]))) for a in items for b in items"
    " if t[a] > t[b] and min(place(z, a), place(z, b)) <= n)"
    " / sum((2**t[k] - 1) / log(1 + place(t, k)) for k in items if place(t, k) <= n)",
    where={"n": "K if truncation is None else truncation"},
    source="Wang, Li, Golbandi, Bendersky and Najork 2018, The LambdaLoss Framework for Ranking Metric Optimization, "
    "doi:10.1145/3269206.3271784 (its LambdaRank); Burges, Ragno and Le 2006, Learning to Rank with Nonsmooth Cost Functions",
    special=(
        "LambdaRank was given by its gradient; this loss has that gradient: the logistic loss of each pair of items, weighed by "
        "how much NDCG would change if the two changed their places",
        "the weights follow the present order of the scores, and the gradient holds them constant, as LightGBM and XGBoost do",
        "the logarithm is the natural one, as the gradient of LightGBM asks; the paper's, to base 2, is larger by 1 / log(2)",
        "with --truncation N only pairs of which one is among the first N places, and the ideal DCG of N places, as LightGBM's "
        "lambdarank_truncation_level (30 there)",
        "TensorFlow Ranking multiplies by the length of the list",
        "LightGBM and XGBoost by default also divide each weight by 0.01 plus the distance of the scores, and rescale the "
        "gradients of a list: that is no loss; lambdarank_norm=false, or lambdarank_normalization=false and "
        "lambdarank_score_normalization=false, switch it off",
        "0 where no item is relevant",
        GAIN,
        PLACE,
        ALL_PAIRS,
    ),
    domains=lambda parameters: Domains(targets=NON_NEGATIVE),
)
def lambdarank(
    z: Array,
    t: Array,
    *,
    sigma: Annotated[float, POSITIVE, "steepness of the logistic loss of a pair"] = 1.0,
    truncation: Annotated[float, PLACES, "number of first places of which a pair must have one; none for all"]
    | None = None,
) -> tuple[Array, Slopes]:
    """The logistic loss of pairs of items, each weighed by the change of NDCG if the two changed their places."""
    place, gain, most = places(z), _shares_of_ideal(t, truncation), truncation or z.shape[1]
    discount = _discounts(place)

    def pairs_of(rows: slice, some: slice) -> tuple[Array, Array, Array]:
        """Return the leads of some items over all others in the right direction, times sigma, their weights and directions."""
        one, others = (rows, some, None), (rows, None, slice(None))
        right = np.sign(t[one] - t[others])
        weight = np.abs(gain[one] - gain[others]) * np.abs(discount[one] - discount[others])
        weight = np.where(np.minimum(place[one], place[others]) <= most, weight, 0)
        with np.errstate(invalid="ignore"):  # of scores that are infinite alike
            return sigma * right * (z[one] - z[others]), np.where(right == 0, 0, weight), right

    each = np.zeros_like(z)
    for rows, some in _pieces(z):
        lead, weight, right = pairs_of(rows, some)
        e = np.exp(-np.abs(lead))
        each[rows, some] = _sums(times(np.where(right > 0, weight, 0), np.maximum(-lead, 0) + log1p(e)))

    def slope() -> Array:
        slopes = np.zeros_like(z)
        for rows, some in _pieces(z):
            lead, weight, right = pairs_of(rows, some)
            e = np.exp(-np.abs(lead))
            slopes[rows, some] = _sums(times(weight, -sigma * right * np.where(lead > 0, e, 1) / (1 + e)))
        return slopes

    return row_sums(each) + lost(z), slope


@loss(
    ranking,
    "where(max(t) > 0, 1 - sum((2**t[k] - 1) / log(2 + sum(1 / (1 + exp((z[k] - z[j]) / temperature)) for j in items"
    " if j != k)) for k in items)"
    " / sum((2**t[k] - 1) / log(1 + place(t, k)) for k in items), 0)",
    aliases=("approx-ndcg-loss",),
    source="Qin, Liu and Li 2010, A General Approximation Framework for Direct Optimization of Information Retrieval Measures, "
    "doi:10.1007/s10791-009-9124-x",
    special=(
        "one minus NDCG, in which the place of an item is 1 plus the sum of the sigmoids of the other scores' leads",
        "TensorFlow Ranking and allRank give minus NDCG, without the 1",
        "the temperature is that of TensorFlow Ranking; the paper and allRank have alpha = 1 / temperature",
        "0 where no item is relevant",
        GAIN,
        PLACE,
        ALL_PAIRS,
    ),
    domains=lambda parameters: Domains(targets=NON_NEGATIVE),
    facts=("bounded",),
)
def approx_ndcg(
    z: Array, t: Array, *, temperature: Annotated[float, POSITIVE, "divisor of the differences of scores"] = 0.1
) -> tuple[Array, Slopes]:
    """One minus NDCG with places that are smooth functions of the scores."""
    gain, k = _shares_of_ideal(t), z.shape[1]
    ideal = _ideal_places(z, t)

    def leads(rows: slice, some: slice) -> Array:
        """Return by how much the other items lead some items, over the temperature; minus infinity for an item itself."""
        with np.errstate(invalid="ignore"):  # of scores that are infinite alike
            lead = (z[rows, None, :] - z[rows, some, None]) / temperature
        items = np.arange(k)
        return np.where(items == items[some, None], -np.inf, lead)

    late = np.zeros_like(z)  # how many places behind its ideal one an item is
    for rows, some in _pieces(z):
        lead = leads(rows, some)
        before = ideal[rows, None, :] < ideal[rows, some, None]
        e = np.exp(-np.abs(lead))
        late[rows, some] = _sums(np.where(before, -1, 1) * np.where((lead > 0) == before, e, 1) / (1 + e))
    place = ideal + late
    # 1 / log(1 + ideal) - 1 / log(1 + place), so that losses near 0 keep their digits
    missing = LN2 * log1p(late / (1 + ideal)) / (log1p(ideal) * log1p(place))

    def slope() -> Array:
        pull = times(gain, LN2 / (log1p(place) ** 2 * (1 + place)))
        slopes = np.zeros_like(z)
        for rows, some in _pieces(z):
            e = np.exp(-np.abs(leads(rows, some)))
            steep = e / (1 + e) ** 2 / temperature
            slopes[rows, some] = _sums(times(steep, pull[rows, None, :] - pull[rows, some, None]))
        return slopes

    return row_sums(times(gain, missing)) + lost(z), slope


@loss(
    ranking,
    "sum(log(sum(exp(z[j] - z[k]) for j in items if place(t, j) >= place(t, k))) for k in items)",
    aliases=("list-mle-loss",),
    source="Xia, Liu, Wang, Zhang and Li 2008, Listwise Approach to Learning to Rank: Theory and Algorithm, "
    "doi:10.1145/1390156.1390306",
    special=(
        "minus the log-probability of the order of the relevances in the Plackett-Luce model of the scores",
        PLACE + "; TensorFlow Ranking and allRank draw the order of equal ones",
    ),
    facts=("convex",),
)
def list_mle(z: Array, t: Array) -> tuple[Array, Slopes]:
    """Minus the log-probability of the order of the relevances, by the Plackett-Luce model of the scores."""
    order = np.argsort(-t, axis=1, kind="stable")
    x = np.take_along_axis(from_largest(z), order, axis=1)
    rest = log_sums_before(x[:, ::-1])[:, ::-1]  # of the items that come later
    gap = rest - x
    e = np.exp(-np.abs(gap))
    value = row_sums(np.maximum(gap, 0) + log1p(e))

    def slope() -> Array:
        total = x + np.maximum(gap, 0) + log1p(e)
        own = -np.where(gap > 0, 1, e) / (1 + e)
        slopes = np.empty_like(z)
        np.put_along_axis(slopes, order, own + np.exp(x + log_sums_before(-total)), axis=1)
        return slopes

    return value + lost(z), slope


def places(x: Array) -> Array:
    """Return the place of each item of a row by falling x, from 1; equal ones keep their order."""
    return _numbered(np.argsort(-x, axis=1, kind="stable"))


def _ideal_places(z: Array, t: Array) -> Array:
    """Return the place of each item of a row by falling relevance; equal ones are ordered by their scores."""
    return _numbered(np.lexsort((-z, -t), axis=1))


def _numbered(order: Array) -> Array:
    """Return the places of items from the items in their order, as float64."""
    found = np.empty(order.shape)
    np.put_along_axis(found, order, np.broadcast_to(np.arange(1.0, order.shape[1] + 1), order.shape), axis=1)
    return found


def _discounts(place: Array) -> Array:
    """Return 1 / log2(1 + place) of whole places.

    The differences of these for neighbours are small, so each is rounded once, from a long double: as many as a row has items.
    """
    wide = np.arange(1, place.shape[-1] + 1, dtype=np.longdouble)
    return (np.log(np.longdouble(2)) / np.log1p(wide)).astype(np.float64)[place.astype(np.int64) - 1]


def _shares_of_ideal(t: Array, truncation: float | None = None) -> Array:
    """Return the gain of each item over the ideal DCG of its row, of the first places only with `truncation`; 0 for 0 / 0."""
    top = t.max(axis=1, keepdims=True)
    # 2**t overflows for large t; only quotients of gains matter, and beside 2**60 the 1 is lost in rounding.
    gain = np.where(
        top > 60, np.exp2(t - top), np.where(t < 1, np.expm1(np.minimum(t, 1) * LN2), np.exp2(np.minimum(t, 60)) - 1)
    )
    place = np.arange(1, t.shape[1] + 1)
    falling = np.sort(gain, axis=1)[:, ::-1]
    ideal = row_sums(np.where(place <= (truncation or math.inf), falling * _discounts(place), 0))[:, None]
    return np.divide(gain, ideal, out=np.zeros_like(gain), where=ideal > 0)


def _pieces(z: Array) -> Iterator[tuple[slice, slice]]:
    """Yield lists and items of which all pairs with the items of the same lists fit into memory."""
    n, k = z.shape
    lists, items = max(1, PAIRS_AT_ONCE // (k * k)), max(1, min(k, PAIRS_AT_ONCE // k))
    for row in range(0, n, lists):
        for item in range(0, k, items):
            yield slice(row, row + lists), slice(item, min(item + items, k))


def _sums(pairs: Array) -> Array:
    """Return the sums over the last of three axes."""
    return row_sums(pairs.reshape(-1, pairs.shape[2])).reshape(pairs.shape[:2])


def from_largest(z: Array) -> Array:
    """Return z minus the largest of each row, which changes no difference; rows with an infinite one as they are."""
    top = z.max(axis=1, keepdims=True)
    return z - np.where(np.isfinite(top), top, 0)


def log_sums_before(x: Array) -> Array:
    """Return for each element of a row the logarithm of the sum of the exponentials of the elements before it."""
    found = np.full(x.shape, -np.inf)
    if x.shape[1] < 2:
        return found
    top = x.max(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        # A longdouble has the digits that a long cumulative sum loses.
        total = np.cumsum(np.exp(x - top), axis=1, dtype=np.longdouble)[:, :-1]
        found[:, 1:] = top + np.log(total).astype(np.float64)
        far = ~(x[:, 0] - top[:, 0] >= -600)  # whose first sums may underflow beside later terms
        found[far, 1:] = np.logaddexp.accumulate(x[far], axis=1)[:, :-1]
    return found


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
    return np.where(np.isinf(peak), peak, peak + log1p(row_sums(e)))


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
    summary="functions of the difference of two scores per row, of which one should be the larger",
    variables={"d": "t * (first score - second score), with t = 1 where the first should be larger and -1 otherwise"},
    value="f(d)",
    gradient="t * df/dd for the first score, and the opposite for the second",
    targets="labels in {0, 1} or in {-1, 1}, one per row: 1 where the first score should be the larger",
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
    return np.maximum(-d, 0) + log1p(e), -np.where(d > 0, e, 1) / (1 + e)
