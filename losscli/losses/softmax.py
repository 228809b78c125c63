"""Softmax losses: sums over a row's classes of a core in log p.

A row of logits z has l = z - log(sum(exp(z))). A core gets the probabilities of classes (`l`, `p`, `q`) and their
targets t; it returns its value and its slope s by l. The gradient is s_j - p_j * sum(s), written s_j q_j - p_j * sum of
the others' s, which keeps the digits that p_j loses if it rounds to 1. A core of whole rows gets the probabilities and
targets of all classes of its rows, and returns one value per row.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, cast

import numpy as np

from losscli.arrays import Array, row_sums, times
from losscli.definition.batch import Dense, Extras, Indices, Probability, Targets, Values
from losscli.definition.domain import FRACTION, NON_NEGATIVE, Interval
from losscli.definition.loss import SHARED, Axis, BoundLoss, Slope, bits, exponential, same
from losscli.definition.registry import family, loss
from losscli.elementary import log1p
from losscli.losses.probability import (
    Known,
    OfLogProbability,
    OfProbability,
    Slopes,
    by_log,
    by_probability,
    clipped,
    focal_core,
    gap,
    lazy,
    poly_core,
    pull,
    ratio,
    to_the,
)
from losscli.records import dataclass


def log_softmax(logits: Array) -> Known:
    """Return the probability of every class, in the dtype of the logits; 1 - p of the likeliest
    class is the sum of the others.

    A masked logit of -inf has probability 0; a single +inf has probability 1. Rows of -inf only, or with more than one
    +inf, have no softmax and become NaN.
    """
    rows = np.arange(len(logits))
    top = logits.argmax(axis=1)
    peak = logits[rows, top]
    shifted = logits - peak[:, None]
    lone = (peak == np.inf) & (np.count_nonzero(logits == np.inf, axis=1) == 1)
    if lone.any():
        shifted[lone] = -np.inf
    e = np.exp(shifted)
    e[rows, top] = np.where(np.isnan(e[rows, top]) & ~lone, np.nan, 0)
    rest = row_sums(e).astype(logits.dtype)
    shifted[rows, top] = np.where(np.isnan(rest), np.nan, 0)
    scale = (1 + rest)[:, None]
    e[rows, top] = 1
    p = e / scale
    q = 1 - p
    q[rows, top] = rest / scale[:, 0]
    return Known(shifted - log1p(rest)[:, None], p, q)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return the sum over classes of core(l, t); of predictions of shape (n,), which are the true class's, core(l, 1)."""
    if predictions.ndim == 1:
        return _of_true_class(loss, predictions, extras.prediction_kind, gradient)
    if extras.clip is not None:
        return _clipped(loss, predictions, targets, extras), None
    if extras.class_terms is not None:
        return _every_class(loss, predictions, targets, extras.prediction_kind, gradient, extras.class_terms)
    if isinstance(targets, Indices):
        if extras.prediction_kind == "logits" and (loss.declaration.linear or _is_hard(loss, targets)):
            return _by_index(loss, predictions, targets, gradient, extras.room)
        if _is_hard(loss, targets):
            return _own_chance(loss, predictions, targets.index, extras.prediction_kind, gradient)
    return _every_class(loss, predictions, targets, extras.prediction_kind, gradient)


def _of_true_class(loss: BoundLoss, predictions: Array, kind: str, gradient: bool) -> Values:
    """Return losses and gradient from the probability, or its logarithm, of each row's true class, shape (n,)."""
    own = predictions.astype(np.promote_types(predictions.dtype, np.float64))
    chance: Probability = OfProbability(own) if kind == "probs" else OfLogProbability(own)
    value, s = loss.core(chance, 1.0, gradient=gradient)
    if not gradient:
        return value, None
    slopes = by_probability(s, chance.p) if kind == "probs" else by_log(s)
    return value, np.array(np.broadcast_to(slopes, value.shape))


def _every_class(
    loss: BoundLoss,
    predictions: Array,
    targets: Targets,
    prediction_kind: str,
    gradient: bool,
    terms: Array | None = None,
) -> Values:
    """Return losses and gradient from a term for every class, multiplied by its factor in `terms`; the plain path."""
    x = predictions.astype(loss.work(predictions.dtype, wide=True))
    chance = MAKERS[prediction_kind](x)
    value, slope = loss.core(chance, dense(targets, x), gradient=gradient)
    total = _total(loss, value, terms)
    if not gradient:
        return total, None
    s = by_probability(slope, chance.p) if prediction_kind == "probs" else by_log(slope)
    s = s if terms is None else times(terms, s)
    return total, through_softmax(s, chance) if prediction_kind == "logits" else s


def _total(loss: BoundLoss, value: Array, terms: Array | None) -> Array:
    """Return the sum over the classes of each row."""
    if loss.declaration.whole:
        assert terms is None, f"{loss.name} is no sum over classes"
        return value
    return row_sums(value if terms is None else times(terms, value))


def _clipped(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras) -> Array:
    """Return losses from probabilities that are changed first."""
    assert extras.clip is not None
    p = MAKERS[extras.prediction_kind](predictions).p
    hard = _is_hard(loss, targets) and extras.class_terms is None
    if hard and isinstance(targets, Indices):
        p = p[np.arange(len(p)), targets.index]
    chance = clipped(p, extras.clip)
    wide = Known(chance.l, chance.p.astype(chance.l.dtype), chance.q.astype(chance.l.dtype))
    if hard:
        return loss.core(wide, 1.0, gradient=False)[0]
    return _total(loss, loss.core(wide, dense(targets, wide.p), gradient=False)[0], extras.class_terms)


def dense(targets: Targets, like: Array) -> Array:
    """Return targets as one number per class, in the shape of `like`."""
    if isinstance(targets, Dense):
        return targets.t.astype(like.dtype)
    t = np.full_like(like, targets.off)
    t[np.arange(len(t)), targets.index] = targets.on
    return t


def through_softmax(s: Array, chance: Probability) -> Array:
    # s_j q_j - p_j * (sum of the other s); for the steepest class the others are summed without it instead of subtracted.
    """Return the gradient by the logits, from the slopes s by log p."""
    rows = np.arange(len(s))
    steepest = np.abs(s).argmax(axis=1)
    others = s.copy()
    others[rows, steepest] = 0
    rest = row_sums(others).astype(s.dtype)
    peak = s[rows, steepest]
    gradient = s * chance.q - chance.p * ((peak + rest)[:, None] - s)
    gradient[rows, steepest] = peak * chance.q[rows, steepest] - chance.p[rows, steepest] * rest
    return gradient


MAKERS: dict[str, Callable[[Array], Probability]] = {
    "logits": log_softmax,
    "probs": OfProbability,
    "log-probs": OfLogProbability,
}

HEADROOM = 2.0**30
"""Factor by which sums of exponentials stay away from the ends of their dtype's range, where numbers lose digits."""


@dataclass
class Shares:
    """The probability of each row's own class, from exponentials of logits that were not shifted before.

    Without a shift there is one pass over all classes fewer, and no inner loop over a short row. The price is range:
    rows that leave it are computed again by the plain path.
    """

    logits: Array
    at: Array
    """The positions of the own classes in the flattened rows."""

    @classmethod
    def of(cls, logits: Array, index: Array, room: Array | None = None) -> "Shares":
        fits = room is not None and room.dtype == logits.dtype and room.shape == logits.shape
        return cls(logits, index + _starts(*logits.shape), room if fits else None)

    room: Array | None = None
    """Memory for the exponentials, of the shape and dtype of the logits; None for memory of their own."""

    @lazy
    def own_logit(self) -> Array:
        return self.logits.reshape(-1).take(self.at)

    @lazy
    def z(self) -> Array:
        """The own class's logit, in float64 or wider, like everything that has one number per row."""
        return self.own_logit.astype(np.promote_types(self.logits.dtype, np.float64))

    @lazy
    def e(self) -> Array:
        """exp(z) of the other classes, and 0 for the own class."""
        e = np.exp(self.logits, out=self.room)
        e.reshape(-1)[self.at] = 0
        return e

    @lazy
    def own(self) -> Array:
        return np.exp(self.z)

    @lazy
    def others(self) -> Array:
        return row_sums(self.e)

    @lazy
    def total(self) -> Array:
        return self.own + self.others

    @lazy
    def l(self) -> Array:
        # From the sum of the other classes instead of the total, so that tiny losses do not round to 0.
        loss = _log_of_one_more(self.others / self.own)
        return np.negative(loss, out=loss)

    @lazy
    def p(self) -> Array:
        return self.own / self.total

    @lazy
    def q(self) -> Array:
        return self.others / self.total

    def out_of_range(self) -> Array:
        """Return the rows whose sums come near the ends of their range, including those with a NaN or an infinity."""
        # The own class's exponential is judged by its logit, of which half as many bytes are looked at.
        low, high, lowest, highest = _range(self.logits.dtype, self.z.dtype, self.logits.shape[1])
        others, own = self.others, self.own_logit
        if others.min() > low and own.min() > lowest and others.max() < high and own.max() < highest:
            return np.zeros(0, np.int64)
        return np.flatnonzero(~((others > low) & (own > lowest) & (others < high) & (own < highest)))


def _log_of_one_more(ratio: Array) -> Array:
    """Return log(1 + ratio) of finite numbers >= 0, in their memory, with an error of 1 unit in the last place.

    NumPy computes logarithms of several numbers at once on more processors than its log1p. What 1 + ratio rounds off is added
    to first order (its square is beyond all digits).
    """
    sums = ratio + 1
    kept = sums - 1
    np.subtract(ratio, kept, out=kept)
    np.divide(kept, sums, out=kept)
    return np.add(np.log(sums, out=ratio), kept, out=ratio)


@lru_cache(maxsize=16)
def _range(narrow: np.dtype[Any], wide: np.dtype[Any], columns: int) -> tuple[Any, Any, Any, Any]:
    """Return between which numbers the sum of the others' exponentials, and the own logit, keep their digits."""
    of_sums, of_rows = np.finfo(narrow), np.finfo(wide)
    high = min(of_sums.max / HEADROOM, of_rows.max**0.45)  # so that others / own is in range as well
    return of_sums.tiny * HEADROOM * columns, high, np.log(of_rows.tiny**0.5), np.log(high)


@lru_cache(maxsize=16)
def _starts(rows: int, columns: int) -> Array:
    """Return the positions at which rows start in the flattened array, which are the same
    for all full batches of a file.
    """
    return np.arange(0, rows * columns, columns)


def _by_index(loss: BoundLoss, logits: Array, targets: Indices, gradient: bool, room: Array | None = None) -> Values:
    """Return losses and gradient for class indices and logits: from the logit of one class per
    row, and the sum of the others.
    """
    if not len(logits):
        return np.zeros(0), np.zeros_like(logits) if gradient else None
    shares = Shares.of(np.ascontiguousarray(logits, loss.work(logits.dtype)), targets.index, room if gradient else None)
    odd = shares.out_of_range()
    fast = _own_class if _is_hard(loss, targets) else _smoothed
    value, slopes = fast(loss, shares, targets, gradient)
    if len(odd):
        these = Indices(targets.index[odd], targets.on, targets.off)
        value[odd], plain = _every_class(loss, logits[odd], these, "logits", gradient)
        if slopes is not None:
            slopes[odd] = plain
    return value, slopes


def _is_hard(loss: BoundLoss, targets: Targets) -> bool:
    """Whether only the row's own class has a term."""
    return isinstance(targets, Indices) and loss.declaration.sparse and (targets.on, targets.off) == (1, 0)


def _own_class(loss: BoundLoss, x: Shares, targets: Indices, gradient: bool) -> Values:
    """Return losses and gradient if only the row's own class has a term."""
    value, slope = loss.core(x, 1.0, gradient=gradient)
    if not gradient:
        return value, None
    s = by_log(slope)
    factor = -s / x.total
    # In the next wider dtype if s may be tiny, since the factor would leave the range of e.
    factor = factor.astype(x.e.dtype) if loss.declaration.linear else factor
    slopes = np.multiply(x.e, factor[:, None], out=x.e, casting="same_kind")
    slopes.reshape(-1)[x.at] = s * x.q
    return value, slopes


def _smoothed(loss: BoundLoss, x: Shares, targets: Indices, gradient: bool) -> Values:
    """Return losses and gradient of smoothed targets, for a core -t l + h(t).

    Of the other classes it only needs the sum of their l, which is sum(z) - k (z_y - l_y) with the own class's.
    """
    k, on, off = x.logits.shape[1], targets.on, targets.off
    zero = np.zeros(2)
    h = loss.core(Known(zero, zero + 1, zero), np.array([on, off]))[0]
    rest = k * (x.z - x.l) - row_sums(x.logits.astype(x.z.dtype, copy=False))
    value = (off - on) * x.l + off * rest + (h[0] + (k - 1) * h[1])
    if not gradient:
        return value, None
    mass = on + (k - 1) * off
    slopes = np.multiply(x.e, (mass / x.total)[:, None].astype(x.e.dtype), out=x.e)
    slopes -= x.e.dtype.type(off)
    slopes.reshape(-1)[x.at] = (k - 1) * off - mass * x.q
    return value, slopes


def _own_chance(loss: BoundLoss, predictions: Array, index: Array, kind: str, gradient: bool) -> Values:
    """Return losses and gradient for class indices and probabilities or log-probabilities."""
    rows = np.arange(len(predictions))
    value, own = _of_true_class(loss, predictions[rows, index], kind, gradient)
    if own is None:
        return value, None
    slopes = np.zeros_like(predictions)
    slopes[rows, index] = own
    return value, slopes


def _of_probability(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, 1 - x], axis=1), Indices(np.zeros(len(x), np.int64)), Extras("probs")


def _of_logit(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, np.zeros_like(x)], axis=1), Indices(np.zeros(len(x), np.int64)), Extras()


softmax = family(
    name="softmax",
    lift=lift,
    summary="functions of one probability distribution a row, multi-class",
    variables={
        "z": "logits of a row, one per class",
        "l": "z - log(sum(exp(z))), the log-probability of a class",
        "p": "exp(l)",
        "t": "target of a class: 1 for the row's own class and 0 for the others, or soft",
    },
    value="sum over the classes of f(l, t)",
    gradient="df/dz_j = s_j - p_j * sum(s) with s = df/dl; from probabilities s / p, from log-probabilities s",
    targets="one per row: class indices or class names; or rows: one-hot, or soft (each >= 0, summing to 1)",
    target_type="classes",
    axes={
        "probability": Axis(
            "p",
            "probability p of the true class",
            (0.0, 1.0),
            _of_probability,
            along=(1.0, -1.0),
            domain=FRACTION,
            own=False,
            shared=SHARED["probability"],
        ),
        "logit": Axis(
            "z",
            "logit z of the true class (of two classes; the other logit is 0)",
            (-6.0, 6.0),
            _of_logit,
            along=(1.0, 0.0),
            own=False,
            shared=SHARED["logit"],
        ),
    },
    likelihood="softmax-cross-entropy",
    several_outputs=False,
    takes_from=True,
    smoothing="uniform",
    takes_class_weight=True,
)


@loss(
    softmax,
    "-t * l",
    slope="-t",
    aliases=(
        "ce",
        "cross-entropy",
        "categorical-crossentropy",
        "categorical-cross-entropy",
        "cce",
        "scce",
        "sparse-categorical-crossentropy",
        "sparse-categorical-cross-entropy",
        "sparse-softmax-cross-entropy",
        "cross-entropy-loss",
    ),
    source="Good 1952, Rational Decisions (the logarithmic score); Bridle 1990, Probabilistic Interpretation of "
    "Feedforward Classification Network Outputs, doi:10.1007/978-3-642-76153-9_28 (with softmax)",
    special=(
        "zero times log zero is zero: a masked logit of -inf is legal",
        "p = 0 for the true class is inf, and is not clipped",
        "tiny losses are resolved: logits [20, 0] for class 0 give 2.06e-09, in float32 too",
    ),
    relations=(same("kl_divergence(z, t) + entropy(t)"), same("softmax_focal(z, t, gamma=0)")),
    sparse=True,
    linear=True,
    baseline="frequencies",
    facts=("convex",),
    statistics={"perplexity": exponential, "bits": bits},
)
def softmax_cross_entropy(x: Probability, t: Array | float) -> tuple[Array, Array | float]:
    """Minus the log-probability of the true class."""
    return times(t, -x.l), 0 - t


@loss(
    softmax,
    "t * (log(t) - l)",
    slope="-t",
    aliases=("kl", "kullback-leibler", "kl-div", "kl-div-loss", "kullback-leibler-divergence"),
    source="Kullback and Leibler 1951, On Information and Sufficiency, doi:10.1214/aoms/1177729694",
    special=(
        "zero times log zero is zero",
        "the target is the first argument: the sum of t log(t / p)",
        "terms of both signs cancel where p is next to t: the sum may be off from 0 by some 1e-16, below it too",
        "equal to softmax-cross-entropy for one-hot targets, and of the same gradient for all",
    ),
    relations=(same("softmax_cross_entropy(z, t) - entropy(t)"),),
    sparse=True,
    linear=True,
    baseline="frequencies",
    facts=("convex",),
)
def kl_divergence(x: Probability, t: Array | float) -> tuple[Array, Array | float]:
    """How many nats the prediction wastes on the target distribution."""
    return times(t, np.log(t) - x.l), 0 - t


@loss(
    softmax,
    "-t * (1 - p)**gamma * l",
    slope="where(l == 0, -t * 0**gamma, t * (1 - p)**gamma * (gamma * p * l / (1 - p) - 1))",
    aliases=("categorical-focal", "sparse-focal", "categorical-focal-crossentropy"),
    source="Lin, Goyal, Girshick, He and Dollar 2017, Focal Loss for Dense Object Detection, arXiv:1708.02002, "
    "for one distribution over the classes",
    special=(
        "linear in the target: a soft target weighs every class's term",
        "alpha is one weight per class: --class-weight a=0.25,b=0.75",
        "0 where p of the true class is 1, for every gamma, and so is the gradient for gamma > 0",
        "of the two logits (z, 0) and a label, sigmoid-focal of z without alpha",
    ),
    relations=(same("softmax_cross_entropy(z, t)", gamma=0),),
    sparse=True,
    wide=lambda parameters: (parameters["gamma"] or 0) > 8,
)
def softmax_focal(
    x: Probability,
    t: Array | float,
    *,
    gamma: Annotated[float, NON_NEGATIVE, "focus on hard rows: the power of 1 - p"] = 2.0,
) -> tuple[Array, Slope]:
    """Cross-entropy that down-weights the rows already predicted well."""
    return focal_core(x, t, gamma)


POLY = Interval(-1, np.inf, low_closed=True)
UP_TO_ONE = Interval(0, 1, high_closed=True)
NEGATIVE = Interval(-np.inf, 0)
ORDER = Interval(1, 50, low_closed=True, high_closed=True, whole=True)


@loss(
    softmax,
    "t * (epsilon * (1 - p) - l)",
    slope="-t * (1 + epsilon * p)",
    aliases=("poly-1", "poly-loss", "poly-cross-entropy", "poly-loss-cross-entropy", "poly-1-cross-entropy"),
    source="Leng, Tan, Liu, Cubuk, Shi, Cheng and Anguelov 2022, PolyLoss: A Polynomial Expansion Perspective of "
    "Classification Loss Functions, arXiv:2204.12511",
    special=(
        "-l is q + q**2 / 2 + q**3 / 3 + ... with q = 1 - p; epsilon is added to the coefficient 1 of q, which is gone at -1",
        "linear in the target: a soft target weighs every class's term",
    ),
    relations=(same("softmax_cross_entropy(z, t)", epsilon=0),),
    sparse=True,
    wide=lambda parameters: (parameters["epsilon"] or 0) < 0,
)
def softmax_poly_1(
    x: Probability,
    t: Array | float,
    *,
    epsilon: Annotated[float, POLY, "what is added to the coefficient of 1 - p"] = 1.0,
) -> tuple[Array, Slope]:
    """Cross-entropy with another coefficient of the first term of its series in 1 - p."""
    return poly_core(x, t, epsilon)


@loss(
    softmax,
    "t * (1 - p**q) / q",
    slope="-t * p**q",
    aliases=("gce", "categorical-generalized-cross-entropy"),
    source="Zhang and Sabuncu 2018, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels, "
    "arXiv:1805.07836",
    special=(
        "q is the parameter, not 1 - p",
        "at q = 1 half of the absolute error of the probabilities, for one-hot targets",
        "at most 1 / q, also at p = 0; by probabilities the gradient is infinite there for q < 1",
    ),
    relations=(same("softmax_cross_entropy(z, t)", q=0), same("taylor_cross_entropy(z, t, order=1)", q=1)),
    sparse=True,
    facts=("bounded",),
)
def generalized_cross_entropy(
    x: Probability,
    t: Array | float,
    *,
    q: Annotated[float, UP_TO_ONE, "the power of p: towards cross-entropy at 0, towards the absolute error at 1"] = 0.7,
) -> tuple[Array, Slope]:
    """Between cross-entropy and the absolute error of probabilities, for labels of which some are wrong."""

    def slope() -> Slopes:
        return Slopes(times(t, -np.exp(q * x.l)), lambda: times(t, -np.exp(times(q - 1, x.l))))

    return times(t, np.expm1(q * x.l) / -q), cast(Slope, slope)


@loss(
    softmax,
    "-alpha * t * l - beta * p * max(log(t), a)",
    slope="-alpha * t - beta * p * max(log(t), a)",
    aliases=("sce", "sce-loss", "symmetric-ce"),
    source="Wang, Ma, Chen, Luo, Yi and Bailey 2019, Symmetric Cross Entropy for Robust Learning with Noisy Labels, "
    "arXiv:1908.06112",
    special=(
        "log(t) is cut off at a, as it is -inf for the classes that a one-hot target leaves out",
        "for one-hot targets the second part is -a * beta * (1 - p) of the true class",
        "the source's code cuts off t at 1e-4 instead, which is a = -9.21",
    ),
    relations=(same("alpha * softmax_cross_entropy(z, t)", beta=0),),
)
def symmetric_cross_entropy(
    x: Probability,
    t: Array,
    *,
    alpha: Annotated[float, NON_NEGATIVE, "weight of the cross-entropy"] = 0.1,
    beta: Annotated[float, NON_NEGATIVE, "weight of the reverse cross-entropy, in which p and t change places"] = 1.0,
    a: Annotated[float, NEGATIVE, "what the logarithm of a target is cut off at"] = -4.0,
) -> tuple[Array, Slope]:
    """Cross-entropy and its reverse, which bounds what a wrong label can do."""
    cost = -beta * np.maximum(np.log(t), a)

    def slope() -> Slopes:
        return Slopes(cost * x.p - alpha * t, lambda: cost - ratio(alpha * t, x.p))

    return times(alpha * t, -x.l) + cost * x.p, cast(Slope, slope)


@loss(
    softmax,
    "(p - t)**2",
    slope="2 * (p - t) * p",
    aliases=("brier-score", "brier-score-loss", "quadratic-score", "multiclass-brier"),
    source="Brier 1950, Verification of Forecasts Expressed in Terms of Probability, "
    "doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    special=(
        "summed over all classes, 0 to 2: for two classes twice sigmoid-brier",
        "the gradient vanishes where a p is 1, on the wrong class too",
    ),
    facts=("bounded",),
)
def brier(x: Probability, t: Array) -> tuple[Array, Slope]:
    """The squared distance of the probabilities from the target."""
    distance = gap(x, t)

    def slope() -> Slopes:
        by_p = -2 * distance
        return Slopes(by_p * x.p, lambda: by_p)

    return distance * distance, cast(Slope, slope)


@loss(
    softmax,
    "t / 2 * log(t / m) + p / 2 * log(p / m)",
    slope="p / 2 * log(p / m)",
    where={"m": "(p + t) / 2 if p + t > 0 else 1"},
    aliases=("js", "jsd", "js-divergence", "jensen-shannon-divergence"),
    source="Lin 1991, Divergence Measures Based on the Shannon Entropy, doi:10.1109/18.61115",
    special=(
        "zero times log zero is zero",
        "in nats, at most log(2): finite where p = 0; its square root is a distance",
        "symmetric in p and t; m is the mean of the two",
    ),
    facts=("bounded",),
)
def jensen_shannon(x: Probability, t: Array) -> tuple[Array, Slope]:
    """How far prediction and target are from their mean, in the mean of two Kullback-Leibler divergences."""
    # With u = (t - p) / (t + p) a term is m / 2 * ((1 + u) log(1 + u) + (1 - u) log(1 - u)), which is as small as u^2.
    m = (x.p + t) / 2
    u = np.where(m == 0, -1, gap(x, t) / (2 * m))
    log_t = np.where(u > -0.5, log1p(u), np.log(t / m))
    log_p = np.where(u < 0.5, log1p(-u), x.l - np.log(m))
    near = m / 2 * (2 * u * np.arctanh(u) + log1p(-u * u))
    far = (times(t, log_t) + times(x.p, log_p)) / 2

    def slope() -> Slopes:
        return Slopes(times(x.p, log_p / 2), lambda: log_p / 2)

    return np.where(np.abs(u) < 0.5, near, far), cast(Slope, slope)


@loss(
    softmax,
    "t * sum((1 - p)**i / i for i in range(1, order + 1))",
    slope="-t * (1 - (1 - p)**order)",
    aliases=("taylor-ce", "taylor-loss"),
    source="Feng, Shu, Lin, Lv, Li and An 2020, Can Cross Entropy Loss Be Robust to Label Noise?, IJCAI 2020",
    special=(
        "the first terms of the series of -log(p), which is softmax-cross-entropy towards ever higher orders",
        "at most 1 + 1/2 + ... + 1/order, also at p = 0",
        "the cross-entropy of the Taylor softmax is another loss: taylor-softmax-cross-entropy",
    ),
    relations=(same("generalized_cross_entropy(z, t, q=1)", order=1),),
    sparse=True,
    wide=lambda parameters: (parameters["order"] or 0) > 4,
    facts=("bounded",),
)
def taylor_cross_entropy(
    x: Probability,
    t: Array | float,
    *,
    order: Annotated[float, ORDER, "how many terms of the series are summed"] = 2.0,
) -> tuple[Array, Slope]:
    """The first terms of cross-entropy's series in 1 - p, which bound what a wrong label can do."""
    total = np.zeros_like(x.q)
    for i in range(int(order), 0, -1):
        total = (total + 1 / i) * x.q

    def slope() -> Slopes:
        by_p = np.zeros_like(x.q)
        for _ in range(int(order)):
            by_p = by_p * x.q - 1
        return Slopes(times(t, by_p * x.p), lambda: times(t, by_p))

    return times(t, total), cast(Slope, slope)


@loss(
    softmax,
    "1 - sum(t * p) / sqrt(sum(p**2))",
    aliases=("spherical-score",),
    source="Gneiting and Raftery 2007, Strictly Proper Scoring Rules, Prediction, and Estimation, "
    "doi:10.1198/016214506000001437",
    special=("1 minus the score, 0 to 1", "the gradient vanishes where a p is 1, on the wrong class too"),
    whole=True,
    facts=("bounded",),
)
def spherical(x: Probability, t: Array) -> tuple[Array, Slope]:
    """What is missing to the best of spherical scores: of one-hot targets, 1 minus the cosine between p and t."""
    # Split into the likeliest class and the rest, which keeps its digits if the likeliest class is nearly certain.
    rows, top = np.arange(len(x.p)), x.p.argmax(axis=1)
    others = x.p.copy()
    others[rows, top] = 0
    peak, target_of_top = x.p[rows, top], t[rows, top]
    rest, agreed = row_sums(others * others), row_sums(t * others)
    length = np.sqrt(peak * peak + rest)

    def slope() -> Slopes:
        along = (target_of_top * peak + agreed) / length**2
        by_p = (along[:, None] * x.p - t) / length[:, None]
        by_p[rows, top] = (agreed * peak - target_of_top * rest) / length**3
        return Slopes(by_p * x.p, lambda: by_p)

    return (rest / (length + peak) + (1 - target_of_top) * peak - agreed) / length, cast(Slope, slope)


@loss(
    softmax,
    "-sum(t * l * (own * (1 - p)**gamma_pos + (1 - own) * p**gamma_neg))",
    where={"own": "t >= max(t)"},
    aliases=("asl-single-label", "asymmetric-loss-single-label", "asymmetric-single-label"),
    source="Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter and Zelnik-Manor 2021, Asymmetric Loss For Multi-Label "
    "Classification, arXiv:2009.14119 (its code, for one label)",
    special=(
        "own is 1 for the class of the largest target, or each of several, and 0 for the others",
        "gamma_neg matters for smoothed and soft targets only",
        "for one-hot targets it is softmax-focal with gamma = gamma_pos",
    ),
    relations=(same("softmax_cross_entropy(z, t)", gamma_pos=0, gamma_neg=0),),
    whole=True,
    wide=lambda parameters: max(parameters["gamma_pos"] or 0, parameters["gamma_neg"] or 0) > 8,
)
def softmax_asymmetric(
    x: Probability,
    t: Array,
    *,
    gamma_pos: Annotated[float, NON_NEGATIVE, "focus on hard rows: the power of 1 - p of the true class"] = 0.0,
    gamma_neg: Annotated[float, NON_NEGATIVE, "focus on the likelier other classes: the power of their p"] = 4.0,
) -> tuple[Array, Slope]:
    """Cross-entropy of smoothed targets that pulls at the other classes only where they are likely."""
    own = t == t.max(axis=1, keepdims=True)
    # exp(gamma l), since a small power of p need not be small if p itself is too small for its dtype.
    focus = np.where(own, to_the(gamma_pos, x.q, x.p), np.exp(times(gamma_neg, x.l)))
    cost = times(focus, -x.l)

    def slope() -> Slopes:
        other = -1 - times(gamma_neg, x.l)
        by_l = np.where(own, focus * (gamma_pos * pull(x.l, x.p, x.q) - 1), times(focus, other))

        def by_p() -> Array:
            return times(t, np.where(own, ratio(by_l, x.p), times(x.p ** (gamma_neg - 1), other)))

        return Slopes(times(t, by_l), by_p)

    return row_sums(times(t, cost)), cast(Slope, slope)
