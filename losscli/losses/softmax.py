"""Softmax losses: sums over a row's classes of a core in log p.

A row of logits z has l = z - log(sum(exp(z))). A core gets a class's chance (`l`, `p`, `q`) and its target t; it
returns its value and its slope s by l. The gradient is s_j - p_j * sum(s), written s_j q_j - p_j * sum of the others'
s, which keeps the digits that p_j loses when it rounds to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np

from losscli.core import (
    FRACTION,
    NON_NEGATIVE,
    Array,
    Axis,
    BoundLoss,
    Chance,
    Dense,
    Extras,
    Indices,
    Slope,
    Targets,
    Values,
    family,
    loss,
)
from losscli.losses.chances import Known, OfLogProbability, OfProbability, focal_core, lazy, ratio, times

SUMMED_AT_ONCE = 1024
"""Terms added in the logits' own dtype before float64 takes over: longer runs in float32 would show."""


def row_sums(terms: Array) -> Array:
    """Sum each row, in float64 or wider.

    einsum is faster than sum(axis=1), most of all for few columns, and a row's bits do not depend on the rows around
    it; runs of a fixed length keep a row of 128,000 float32 terms within a few units in the last place.
    """
    wide = np.promote_types(terms.dtype, np.float64)
    rows, columns = terms.shape
    if columns <= SUMMED_AT_ONCE:
        return np.einsum("ij->i", terms).astype(wide, copy=False)
    whole = columns - columns % SUMMED_AT_ONCE
    runs = np.einsum("ijk->ij", terms[:, :whole].reshape(rows, whole // SUMMED_AT_ONCE, SUMMED_AT_ONCE)).astype(
        wide, copy=False
    )
    total = np.einsum("ij->i", runs)
    return total if whole == columns else total + np.einsum("ij->i", terms[:, whole:])


def log_softmax(logits: Array) -> Known:
    """Every class's chance, in the dtype of the logits, with the likeliest class's 1 - p made of the others.

    A masked logit of -inf has probability 0; a lone +inf has probability 1. Rows of -inf only, or with more than one
    +inf, have no softmax and come out as NaN.
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
    return Known(shifted - np.log1p(rest)[:, None], p, q)


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Value = sum over classes of core(l, t)."""
    if isinstance(targets, Indices):
        if extras.given == "logits" and (loss.loss.linear or _is_hard(loss, targets)):
            return _by_index(loss, predictions, targets, gradient)
        if _is_hard(loss, targets):
            return _own_chance(loss, predictions, targets.index, extras.given, gradient)
    return _every_class(loss, predictions, targets, extras.given, gradient)


def _every_class(loss: BoundLoss, predictions: Array, targets: Targets, given: str, gradient: bool) -> Values:
    """The plain path: a term for every class."""
    x = predictions.astype(loss.work(predictions.dtype, wide=True))
    t = _rows(targets, x)
    chance = MAKERS[given](x)
    value, s = loss.core(chance, t, gradient=gradient)
    total = row_sums(value)
    if not gradient:
        return total, None
    if given == "probs":
        return total, ratio(s, chance.p)
    return total, _through_softmax(s, chance) if given == "logits" else s


def _rows(targets: Targets, like: Array) -> Array:
    if isinstance(targets, Dense):
        return targets.t.astype(like.dtype)
    t = np.full_like(like, targets.off)
    t[np.arange(len(t)), targets.index] = targets.on
    return t


def _through_softmax(s: Array, chance: Chance) -> Array:
    # s_j q_j - p_j * (sum of the other s); for the steepest class the others are summed without it, not subtracted.
    rows = np.arange(len(s))
    steepest = np.abs(s).argmax(axis=1)
    others = s.copy()
    others[rows, steepest] = 0
    rest = row_sums(others).astype(s.dtype)
    peak = s[rows, steepest]
    gradient = s * chance.q - chance.p * ((peak + rest)[:, None] - s)
    gradient[rows, steepest] = peak * chance.q[rows, steepest] - chance.p[rows, steepest] * rest
    return gradient


MAKERS: dict[str, Callable[[Array], Chance]] = {
    "logits": log_softmax,
    "probs": OfProbability,
    "log-probs": OfLogProbability,
}


HEADROOM = 2.0**30
"""How far sums of exponentials stay from the ends of their dtype's range, where numbers lose digits."""


@dataclass
class Shares:
    """The chance of each row's own class, from exponentials of logits that were not shifted before.

    Without a shift there is a pass over all classes fewer, and none whose inner loop is as short as a row. What it
    costs is range: rows that leave it are done again by the plain path.
    """

    logits: Array
    at: Array
    """Where the own classes are in the flattened rows."""

    @classmethod
    def of(cls, logits: Array, index: Array) -> "Shares":
        return cls(logits, index + _starts(*logits.shape))

    @lazy
    def z(self) -> Array:
        """The own class's logit, in float64 or wider as everything that there is one of a row."""
        return self.logits.reshape(-1).take(self.at).astype(np.promote_types(self.logits.dtype, np.float64))

    @lazy
    def e(self) -> Array:
        """exp(z) of the other classes, and 0 for the own class."""
        e = np.exp(self.logits)
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
        # Of the other classes' sum, not of the total, which resolves losses that would round to 0.
        ratio = self.others / self.own
        return np.negative(np.log1p(ratio, out=ratio), out=ratio)

    @lazy
    def p(self) -> Array:
        return self.own / self.total

    @lazy
    def q(self) -> Array:
        return self.others / self.total

    def out_of_range(self) -> Array:
        """Rows whose sums come near the ends of their range; those with a NaN or an infinity are among them."""
        narrow, wide = np.finfo(self.e.dtype), np.finfo(self.own.dtype)
        low, least = narrow.tiny * HEADROOM * self.e.shape[1], wide.tiny**0.5
        high = min(narrow.max / HEADROOM, wide.max**0.45)  # so that others / own is in range too
        others, own = self.others, self.own
        if others.min() > low and own.min() > least and others.max() < high and own.max() < high:
            return np.zeros(0, np.int64)
        return np.flatnonzero(~((others > low) & (own > least) & (others < high) & (own < high)))


@lru_cache(maxsize=16)
def _starts(rows: int, columns: int) -> Array:
    """Where the rows begin in a flattened array: the same for all full blocks of a file."""
    return np.arange(0, rows * columns, columns)


def _by_index(loss: BoundLoss, logits: Array, targets: Indices, gradient: bool) -> Values:
    """Index targets of logits: one class a row is looked at, and the sum of the others."""
    if not len(logits):
        return np.zeros(0), np.zeros_like(logits) if gradient else None
    shares = Shares.of(np.ascontiguousarray(logits, loss.work(logits.dtype)), targets.index)
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
    return isinstance(targets, Indices) and loss.loss.sparse and (targets.on, targets.off) == (1, 0)


def _own_class(loss: BoundLoss, x: Shares, targets: Indices, gradient: bool) -> Values:
    value, s = loss.core(x, 1.0, gradient=gradient)
    if not gradient:
        return value, None
    factor = -s / x.total
    # In the next wider dtype where s may be next to nothing, and the factor so would leave the range of e.
    factor = factor.astype(x.e.dtype) if loss.loss.linear else factor
    slopes = np.multiply(x.e, factor[:, None], out=x.e, casting="same_kind")
    slopes.reshape(-1)[x.at] = s * x.q
    return value, slopes


def _smoothed(loss: BoundLoss, x: Shares, targets: Indices, gradient: bool) -> Values:
    """A core -t l + h(t), for which sum(l) = sum(z) - k (z_y - l_y) is all that is needed of the other classes."""
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


def _own_chance(loss: BoundLoss, given: Array, index: Array, kind: str, gradient: bool) -> Values:
    rows = np.arange(len(given))
    own = given[rows, index].astype(np.promote_types(given.dtype, np.float64))
    chance: Chance = OfProbability(own) if kind == "probs" else OfLogProbability(own)
    value, s = loss.core(chance, 1.0, gradient=gradient)
    if not gradient:
        return value, None
    slopes = np.zeros_like(given)
    slopes[rows, index] = ratio(s, chance.p) if kind == "probs" else s
    return value, slopes


def _of_probability(x: Array) -> tuple[Array, Targets, Extras]:
    return np.stack([x, 1 - x], axis=1), Indices(np.zeros(len(x), np.int64)), Extras("probs")


def _of_logit(x: Array) -> tuple[Array, Targets, Extras]:
    return np.stack([x, np.zeros_like(x)], axis=1), Indices(np.zeros(len(x), np.int64)), Extras()


softmax = family(
    name="softmax",
    lift=lift,
    summary="functions of one probability distribution a row, multi-class",
    variables={
        "z": "logits of a row, one a class",
        "l": "z - log(sum(exp(z))), the log-probability of a class",
        "p": "exp(l)",
        "t": "target of a class: 1 for the row's own class and 0 for the others, or soft",
    },
    value="sum over the classes of f(l, t)",
    gradient="df/dz_j = s_j - p_j * sum(s) with s = df/dl; from probabilities s / p, from log-probabilities s",
    targets="one a row: class indices or class names; or rows: one-hot, or soft (each >= 0, summing to 1)",
    reads="classes",
    axes={
        "probability": Axis(
            "p",
            "probability p of the true class",
            (0.0, 1.0),
            _of_probability,
            along=(1.0, -1.0),
            domain=FRACTION,
            own=False,
        ),
        "logit": Axis(
            "z",
            "logit z of the true class, of two; the other's is 0",
            (-6.0, 6.0),
            _of_logit,
            along=(1.0, 0.0),
            own=False,
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
    relations=("kl-divergence plus the entropy of the target", "softmax-focal at gamma = 0"),
    sparse=True,
    linear=True,
    baseline="frequencies",
    facts=("convex",),
)
def softmax_cross_entropy(x: Chance, t: Array | float) -> tuple[Array, Array | float]:
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
    ),
    relations=("softmax-cross-entropy minus the entropy of the target; the same gradient; equal for one-hot targets",),
    sparse=True,
    linear=True,
    baseline="frequencies",
    facts=("convex",),
)
def kl_divergence(x: Chance, t: Array | float) -> tuple[Array, Array | float]:
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
        "alpha is one weight a class: --class-weight a=0.25,b=0.75",
        "0 where p of the true class is 1, for every gamma, and so is the gradient for gamma > 0",
    ),
    relations=(
        "softmax-cross-entropy at gamma = 0",
        "sigmoid-focal (without alpha) of z for the two logits (z, 0)",
    ),
    sparse=True,
    wide=lambda parameters: (parameters["gamma"] or 0) > 8,
)
def softmax_focal(
    x: Chance,
    t: Array | float,
    *,
    gamma: Annotated[float, NON_NEGATIVE, "focus on hard rows: the power of 1 - p"] = 2.0,
) -> tuple[Array, Slope]:
    """Cross-entropy that down-weights the rows already predicted well."""
    return focal_core(x, t, gamma)
