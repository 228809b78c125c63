"""The true loss of a case, at 60 digits: a function of its predictions, for each family, with a library's conventions.

The formula is that of the loss's declaration. A convention changes what goes into it or comes out of it: probabilities
that are cut, a factor, operands that become float32 first.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mpmath import mp, mpf

from losscli.analysis.audit.model import Case
from losscli.analysis.shared.oracle.arithmetic import Number, array
from losscli.analysis.shared.oracle.formulas import DIGITS, NAMES, evaluate, log, log_softmax
from losscli.analysis.shared.oracle.references import REFERENCES
from losscli.definition.batch import Clip, Dense, Extras, Indices
from losscli.definition.convention import Convention
from losscli.definition.loss import BoundLoss
from losscli.records import dataclass

Numbers = list[Any]
Value = Callable[[Numbers], Any]

STEP = mpf(10) ** -45
"""Relative step of differences; with the digits of `precise` they are right to some 40 digits."""
MORE_DIGITS = 110
"""Digits beyond those of the formula, for differences of differences."""
SMALLEST = mpf(10) ** -30
"""Steps are relative to numbers of at least this size."""


def plain(convention: Convention) -> Convention:
    """Return what is left of a convention in the mathematics: over what the mean of a batch is taken."""
    return Convention(pairs=convention.pairs, by_length=convention.by_length, skips_zeros=convention.skips_zeros)


def truth(bound: BoundLoss, kind: str | None, convention: Convention, case: Case) -> Value:
    """Return the loss of a case as a function of the flat list of its predictions; of several rows it is their mean.

    Parameters
    ----------
    kind
        the kind of predictions: 'logits', 'probs' or 'log-probs'; None for losses that know no kinds.

    Raises
    ------
    KeyError
        for a family that is not known here.
    """
    case = cut(case, convention)
    if convention.formula is not None and bound.family.name not in OF_BATCHES:
        compute = own_formula(bound, kind, convention, case)
    elif bound.family.name in OF_BATCHES:
        compute = of_batch(bound, kind, convention, case)
    else:
        compute = of_rows(bound, kind, convention, case)
    scale = mpf(convention.scale)
    limits = [bound for bound in convention.bounds if bound.operand == "predictions"]

    def value(x: Numbers) -> Any:
        for bound in limits:
            x = [min(max(one, mpf(bound.low)), mpf(bound.high)) for one in x]
        try:
            return compute(x) * scale
        except ZeroDivisionError:  # features of length 0
            return mp.nan

    return value


def cut(case: Case, convention: Convention) -> Case:
    """Return a case whose targets and third operand are cut off as a convention says."""
    t, third = case.t, case.third
    for bound in convention.bounds:
        if bound.operand == "targets":
            t = np.clip(t.astype(np.float64), bound.low, bound.high)
        elif bound.operand == "third_operand" and third is not None:
            third = np.clip(third, bound.low, bound.high)
    return Case(case.p, t, third)


def of_rows(bound: BoundLoss, kind: str | None, convention: Convention, case: Case) -> Value:
    """Return the mean of the losses of rows, each of which has its own."""
    of_row, width = OF_ROWS[bound.family.name], int(np.prod(case.p.shape[1:], dtype=int))

    def compute(x: Numbers) -> Any:
        losses = [
            of_row(
                bound,
                kind,
                convention,
                x[i * width : (i + 1) * width],
                case.t[i],
                None if case.third is None else case.third[i],
            )
            for i in range(len(case.p))
        ]
        return sum(losses) / len(losses)

    return compute


def of_batch(bound: BoundLoss, kind: str | None, convention: Convention, case: Case) -> Value:
    """Return the one loss that all rows have together."""
    together, width = OF_BATCHES[bound.family.name], int(np.prod(case.p.shape[1:], dtype=int))
    return lambda x: together(bound, kind, convention, [x[i : i + width] for i in range(0, len(x), width)], case)


def own_formula(bound: BoundLoss, kind: str | None, convention: Convention, case: Case) -> Value:
    """Return the mean of the losses by the library's own formula, which is written for NumPy, in 60 digits."""
    own = convention.formula
    assert own is not None
    indices = bound.family.target_type == "classes" and case.t.ndim == 1
    targets = (
        Indices(case.t.astype(np.int64))
        if indices
        else Dense(array(map(mpf, case.t.reshape(-1).tolist()), case.t.shape))
    )
    third = None if case.third is None else array(map(mpf, case.third.reshape(-1).tolist()), case.third.shape)
    clip = convention.clip
    # As numbers of 60 digits, since what is cut off becomes the end itself.
    ends: Any = None if clip is None else {"low": Number(mpf(clip.low)), "high": Number(mpf(clip.high))}

    def compute(x: Numbers) -> Any:
        extras = Extras(kind or "logits", third_operand=third, clip=None if clip is None else clip._replace(**ends))
        try:
            with np.errstate(all="ignore"):
                losses = np.asarray(own(array(x, case.p.shape), targets, extras, bound.parameters)).reshape(-1)
        except (TypeError, AttributeError):  # it calls a function that these numbers do not have
            return mp.nan
        return sum((Number(one).value for one in losses), mpf(0)) / len(losses)

    return compute


def formula(bound: BoundLoss, **variables: Any) -> Any:
    """Evaluate the declared formula, or the reference of a loss without one."""
    declaration = bound.declaration
    if declaration.formula:
        return evaluate(declaration, declaration.formula, variables, bound.parameters)
    given = {name: None if one is None else mpf(one) for name, one in bound.parameters.items()}
    return REFERENCES[bound.name](**variables, **given)


def exact(x: Any) -> Any:
    """Return numbers of an array as mpf: a number, or a list."""
    flat = [mpf(float(one)) for one in np.asarray(x, np.float64).reshape(-1)]
    return flat if np.ndim(x) else flat[0]


def changed(p: Any, clip: Clip | None) -> tuple[Any, Any]:
    """Return a probability as a library changes it, and its logarithm."""
    if clip is None:
        return p, log(p)
    p = min(max(p, mpf(clip.low)), mpf(clip.high))
    return p, max(log(p + mpf(clip.inside)), mpf(clip.floor))


def residual(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    return formula(bound, r=row[0] - exact(t))


def margin(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    """Labels are -1 and 1, or 0 and 1."""
    return formula(bound, m=row[0] if t > 0 else -row[0])


def of_pair(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    more = {} if third is None else {"v": exact(third)}
    return formula(bound, y=row[0], t=exact(t), **more)


def sigmoid(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    x, t = row[0], exact(t)
    if kind == "probs":
        p, q = x, 1 - x
    else:
        p = mpf(1 if x > 0 else 0) if mp.isinf(x) else 1 / (1 + mp.exp(-x))
        q = mpf(0 if x > 0 else 1) if mp.isinf(x) else 1 / (1 + mp.exp(x))
    clip = convention.clip
    if clip is None:
        return formula(bound, z=x, t=t, p=p, q=q)
    # Each outcome's probability is changed, and so is its logarithm, which the formula takes by itself.
    p = min(max(p, mpf(clip.low)), mpf(clip.high))
    q = min(max(q, 1 - mpf(clip.high)), 1 - mpf(clip.low))
    inside, floor = mpf(clip.inside), mpf(clip.floor)

    def cut_log(x: Any) -> Any:
        return max(log(x + inside), floor)

    return formula(bound, z=x, t=t, p=p, q=q, log=cut_log)


def softmax(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    k = len(row)
    targets = [mpf(i == int(t)) for i in range(k)] if np.ndim(t) == 0 else exact(t)
    clip = convention.clip
    if kind == "probs" or (clip is not None and kind == "logits"):
        p = row if kind == "probs" else [NAMES["exp"](one) for one in log_softmax(row)]
        p, l = map(list, zip(*(changed(one, clip) for one in p), strict=True))
    else:
        l = log_softmax(row) if kind == "logits" else row
        p = [NAMES["exp"](one) for one in l]
    declaration = bound.declaration
    terms = [
        {"l": li, "p": pi, "t": ti}
        for li, pi, ti in zip(l, p, targets, strict=True)
        if not (declaration.sparse and ti == 0)
    ]
    return sum((formula(bound, **term) for term in terms), mpf(0))


def scores(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    y, k = int(t) if np.ndim(t) == 0 else int(np.argmax(t)), len(row)
    if not bound.declaration.formula:
        return formula(bound, z=row, y=y)
    return formula(bound, z=row, y=y, others=[i for i in range(k) if i != y], K=k)


def ranking(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    return formula(bound, z=row, t=exact(t), items=range(len(row)), K=len(row))


def pairs(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    return formula(bound, d=(row[0] - row[1]) * exact(t))


def cosine_of(a: Numbers, b: Numbers) -> Any:
    return mp.fdot(a, b) / mp.sqrt(mp.fdot(a, a) * mp.fdot(b, b))


def cosine(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    return formula(bound, d=1 - cosine_of(row, exact(t)))


def cosine_pair(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    return formula(bound, d=1 - cosine_of(row, exact(third)), t=exact(t))


def pair(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    if third is None:
        return formula(bound, D=row[0], t=exact(t))
    gap = [a - b for a, b in zip(row, exact(third), strict=True)]
    return formula(bound, D=mp.sqrt(mp.fdot(gap, gap)), t=exact(t))


class Vector(list[Any]):
    """A list of numbers with a difference."""

    def __sub__(self, other: Sequence[Any]) -> "Vector":
        return Vector(a - b for a, b in zip(self, other, strict=True))


def triplet(bound: BoundLoss, kind: Any, convention: Convention, row: Numbers, t: Any, third: Any) -> Any:
    p, epsilon = (mpf(float(bound.parameters[name] or 0)) for name in ("p", "epsilon"))

    def norm(gap: Vector) -> Any:
        return sum(abs(one + epsilon) ** p for one in gap) ** (1 / p)

    return formula(bound, norm=norm, a=Vector(row), b=Vector(exact(t)), n=Vector(exact(third)))


def overlap(bound: BoundLoss, kind: Any, convention: Convention, rows: list[Numbers], case: Case) -> Any:
    """All elements are one mask."""
    x, t = [one for row in rows for one in row], exact(case.t.reshape(-1))
    p = x if kind == "probs" else [1 / (1 + mp.exp(-one)) for one in x]
    both = list(zip(p, t, strict=True))
    return formula(
        bound,
        p=p,
        t=t,
        I=sum(a * b for a, b in both),
        FP=sum(a * (1 - b) for a, b in both),
        FN=sum((1 - a) * b for a, b in both),
        n=len(p),
    )


def batch(bound: BoundLoss, kind: Any, convention: Convention, rows: list[Numbers], case: Case) -> Any:
    labels, losses, weights = case.t.tolist(), [], []
    for i, row in enumerate(rows):
        others = [j for j in range(len(rows)) if j != i]
        positives = [j for j in others if labels[j] == labels[i]]
        compare = cosine_of
        s = [mpf(1) if j == i else compare(row, other) for j, other in enumerate(rows)]
        negatives = [j for j in others if labels[j] != labels[i]]
        loss = formula(bound, s=s, positives=positives, negatives=negatives) if positives else mpf(0)
        losses.append(loss)
        weights.append(mpf(len(positives) if convention.pairs else 0 if convention.skips_zeros and loss == 0 else 1))
    total = sum(weights)
    return sum(w * loss for w, loss in zip(weights, losses, strict=True)) / total if total else mpf(0)


def sequence(bound: BoundLoss, kind: Any, convention: Convention, rows: list[Numbers], case: Case) -> Any:
    """One sample: rows are its time steps, as logits or log-probabilities."""
    rows = [log_softmax(row) for row in rows] if kind == "logits" else rows
    loss = formula(bound, l=rows, t=[int(one) for one in case.t.reshape(-1)])
    return loss / max(1, case.t.size) if convention.by_length else loss


OF_ROWS: dict[str, Callable[..., Any]] = {
    "residual": residual,
    "margin": margin,
    "sigmoid": sigmoid,
    "relative": of_pair,
    "distribution": of_pair,
    "gaussian": of_pair,
    "softmax": softmax,
    "scores": scores,
    "ranking": ranking,
    "pairs": pairs,
    "cosine": cosine,
    "cosine-pair": cosine_pair,
    "pair": pair,
    "triplet": triplet,
}
"""Family -> the loss of one row."""
OF_BATCHES: dict[str, Callable[..., Any]] = {"overlap": overlap, "batch": batch, "sequence": sequence}
"""Family -> the one loss of all rows of a case."""


def precise(work: Callable[[], Any], largest: float, more: int = 0) -> Any:
    """Run with digits enough for 1 - exp(-largest) to keep 60 of them."""
    with mp.workdps(DIGITS + int(min(largest, 1e5) / 2.3) + 10 + more):
        return work()


def is_real(x: Any) -> bool:
    """Whether a value is a real number or infinite, and not NaN or complex as outside a domain."""
    return not isinstance(x, mp.mpc) and not mp.isnan(x)


def is_finite(x: Any) -> bool:
    """Whether a value is a finite real number."""
    return is_real(x) and bool(mp.isfinite(x))


def is_known(bound: BoundLoss) -> bool:
    """Whether the truth of a loss can be computed here."""
    return bound.family.name in OF_ROWS or bound.family.name in OF_BATCHES


@dataclass(frozen=True)
class Slope:
    """The derivatives from both sides at a point; they differ at a kink. At the end of a domain both are the inner one."""

    left: Any
    right: Any

    @property
    def middle(self) -> Any:
        """Their mean, in which the rounding of the differences cancels."""
        return (self.left + self.right) / 2

    @property
    def smooth(self) -> bool:
        return bool(abs(self.right - self.left) <= mpf(10) ** -15 * (abs(self.right) + abs(self.left)))


def gradient(value: Value, x: Numbers) -> list[Slope | None]:
    """Return the derivatives by each prediction, by differences; None where there is none, or it is not finite."""
    here, slopes = value(x), []
    for i, one in enumerate(x):
        step = STEP * max(abs(one), SMALLEST)
        after, before = (value([*x[:i], one + sign * step, *x[i + 1 :]]) for sign in (1, -1))
        sides = [(after - here) / step] if is_real(after) and mp.isfinite(after) else []
        sides = [(here - before) / step, *sides] if is_real(before) and mp.isfinite(before) else sides
        slopes.append(Slope(sides[0], sides[-1]) if sides and is_real(here) and mp.isfinite(here) else None)
    return slopes


def condition(x: Numbers, slopes: Sequence[Slope | None]) -> Any:
    """Return how far rounding of the predictions moves the loss, per unit of the rounding: sum of |x dL/dx|."""
    return sum((abs(one * slope.middle) for one, slope in zip(x, slopes, strict=True) if slope is not None), mpf(0))


def bend(value: Value, x: Numbers, i: int) -> Any:
    """Return how far rounding of the predictions moves the derivative by the i-th one, per unit of the rounding."""
    return sum((abs(one) * abs(_second(value, x, i, j)) for j, one in enumerate(x)), mpf(0))


def bend_of_vector(value: Value, x: Numbers) -> Any:
    """Return how far a change of features, as large as rounding of the longest one, moves any of the derivatives."""
    size = max(map(abs, x))
    return size * max(sum((abs(_second(value, x, i, j)) for j in range(len(x))), mpf(0)) for i in range(len(x)))


def _second(value: Value, x: Numbers, i: int, j: int) -> Any:
    """Return the second derivative by the i-th and the j-th prediction; 0 where there is none."""
    step = mpf(10) ** -20 * max(abs(x[j]), SMALLEST)
    ends = [gradient_at(value, [*x[:j], x[j] + sign * step, *x[j + 1 :]], i) for sign in (1, -1)]
    return mpf(0) if None in ends else (ends[0] - ends[1]) / (2 * step)


def gradient_at(value: Value, x: Numbers, i: int) -> Any:
    """Return the derivative by the i-th prediction; None where there is none."""
    step = STEP * max(abs(x[i]), SMALLEST)
    after, before = (value([*x[:i], x[i] + sign * step, *x[i + 1 :]]) for sign in (1, -1))
    if not (is_real(after) and is_real(before) and mp.isfinite(after) and mp.isfinite(before)):
        return None
    return (after - before) / (2 * step)
