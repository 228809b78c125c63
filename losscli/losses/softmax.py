"""Softmax losses: sums over a row's classes of a core in log p.

A row of logits z has l = z - log(sum(exp(z))). A core gets a class's chance (`l`, `p`, `q`) and its target t; it
returns its value and its slope s by l. The gradient is s_j - p_j * sum(s), written s_j q_j - p_j * sum of the others'
s, which keeps the digits that p_j loses when it rounds to 1.
"""

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
    Targets,
    Values,
    family,
    loss,
)
from losscli.losses.chances import Known, OfLogProbability, OfProbability, focal_core, ratio, times

SUMMED_AT_ONCE = 1024
"""Terms added in the logits' own dtype before float64 takes over: longer runs in float32 would show."""


def row_sums(terms: Array) -> Array:
    """Sum each row, in float64 or wider.

    einsum is faster than sum(axis=1), most of all for few columns, and a row's bits do not depend on the rows around
    it; runs of a fixed length keep a row of 128,000 float32 terms within a few units in the last place.
    """
    wide = np.promote_types(terms.dtype, np.float64)
    rows, columns = terms.shape
    whole = columns - columns % SUMMED_AT_ONCE
    total = np.einsum("ij->i", terms[:, whole:]).astype(wide)
    if whole:
        runs = np.einsum("ijk->ij", terms[:, :whole].reshape(rows, -1, SUMMED_AT_ONCE))
        for run in runs.T:
            total += run
    return total


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
    if isinstance(targets, Indices) and loss.loss.sparse and targets.off == 0 and targets.on == 1:
        if extras.given == "logits":
            return _own_class(loss, predictions, targets.index, gradient)
        return _own_chance(loss, predictions, targets.index, extras.given, gradient)
    x = predictions.astype(loss.work(predictions.dtype, wide=True))
    t = _rows(targets, x)
    chance: Chance
    if extras.given == "logits":
        chance = log_softmax(x)
    else:
        chance = OfProbability(x) if extras.given == "probs" else OfLogProbability(x)
    value, s = loss.core(chance, t)
    total = row_sums(value)
    if not gradient:
        return total, None
    if extras.given == "probs":
        return total, ratio(s, chance.p)
    return total, _through_softmax(s, chance) if extras.given == "logits" else s


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


def _own_class(loss: BoundLoss, logits: Array, index: Array, gradient: bool) -> Values:
    """Index targets: only the row's own class has a term.

    Shifting by the class's own logit instead of the largest saves a pass and resolves losses that would round to 0:
    loss = log1p(sum over the other classes of exp(z_k - z_y)).
    """
    rows = np.arange(len(logits))
    logits = logits.astype(loss.work(logits.dtype), copy=False)
    e = np.exp(logits - logits[rows, index][:, None])
    e[rows, index] = 0
    others = row_sums(e)
    own: Chance = Known(-np.log1p(others), 1 / (1 + others), others / (1 + others))
    hard = np.flatnonzero(~np.isfinite(others) | (others > np.finfo(logits.dtype).max / 4))
    if not len(hard):
        value, s = loss.core(own, 1.0)
        if gradient:
            e *= (-s * own.p)[:, None].astype(e.dtype)
            e[rows, index] = s * own.q
        return value, e if gradient else None
    # A sum that overflows, or a z_y of -inf: these rows are shifted by their largest logit instead.
    full = log_softmax(logits[hard].astype(own.l.dtype))
    where = (np.arange(len(hard)), index[hard])
    for mine, theirs in ((own.l, full.l), (own.p, full.p), (own.q, full.q)):
        mine[hard] = theirs[where]
    value, s = loss.core(own, 1.0)
    if not gradient:
        return value, None
    slopes = e * (-s * own.p)[:, None].astype(e.dtype)
    slopes[hard] = -full.p * s[hard][:, None]
    slopes[rows, index] = s * own.q
    return value, slopes


def _own_chance(loss: BoundLoss, given: Array, index: Array, kind: str, gradient: bool) -> Values:
    rows = np.arange(len(given))
    own = given[rows, index].astype(np.promote_types(given.dtype, np.float64))
    chance: Chance = OfProbability(own) if kind == "probs" else OfLogProbability(own)
    value, s = loss.core(chance, 1.0)
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
    baseline="frequencies",
    facts=("convex",),
)
def softmax_cross_entropy(x: Chance, t: Array | float) -> tuple[Array, Array]:
    """Minus the log-probability of the true class."""
    return times(t, -x.l), times(t, np.full_like(x.l, -1))


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
    baseline="frequencies",
    facts=("convex",),
)
def kl_divergence(x: Chance, t: Array | float) -> tuple[Array, Array]:
    """How many nats the prediction wastes on the target distribution."""
    return times(t, np.log(t) - x.l), times(t, np.full_like(x.l, -1))


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
) -> tuple[Array, Array]:
    """Cross-entropy that down-weights the rows already predicted well."""
    return focal_core(x, t, gamma)
