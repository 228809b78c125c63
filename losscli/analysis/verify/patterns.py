"""Patterns in the difference between a loss and its reference: the mistakes that explain it, and a clip at extremes."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from losscli.analysis.shared.points import Points, chances
from losscli.analysis.verify.logarithmic import Logarithmic
from losscli.analysis.verify.mistakes import EPSILONS, Form, Losses, clipped, form_of, in_words, mistaken
from losscli.analysis.verify.subject import Reference
from losscli.arrays import Array
from losscli.definition.batch import Dense
from losscli.lookup.names import find
from losscli.records import NamedTuple, replace

TOLERANCE = 1e-5
"""Values differ if they are farther apart than this times max(1, |reference|)."""
NEAR = 1e-3
"""How well a clip must explain losses, since a logarithm magnifies the rounding of a probability."""
FEWEST = 8
"""Rows whose losses must be explained; fewer prove nothing."""
LEVELS = (1, 2, 3)
"""Numbers of mistakes with which a loss is explained: first with one, then with two; 3 is for what is known in part only."""
UNKNOWN = " differ"
"""The end of a phrase about losses that differ for an unknown reason."""


class Explanation(NamedTuple):
    """What is wrong with a loss, and the losses that follow from it."""

    words: tuple[str, ...]
    form: Form | None = None
    """The reference's formula with its mistakes, if they are known as such."""
    factor: float = 1.0
    """The number by which the losses of the form are multiplied."""

    def __call__(self, points: Points) -> Array:
        """Return the losses that follow from the form, shape (n,)."""
        assert self.form is not None
        return self.form(points) * self.factor


def close(values: Array, true: Array) -> Array:
    """Return which values agree with those of a reference, as booleans."""
    with np.errstate(invalid="ignore"):
        return (np.abs(values - true) <= TOLERANCE * np.maximum(1, np.abs(true))) | (values == true)


def fits(values: Array, expected: Array) -> bool:
    """Whether values are those that are expected, wherever these are finite, which they are in enough rows."""
    finite = np.isfinite(expected)
    return int(finite.sum()) >= FEWEST and bool(close(values[finite], expected[finite]).all())


def explained(reference: Reference, points: Points, values: Array, mistakes: int) -> Explanation | None:
    """Return what explains values on a grid that differ from the reference's, with so many mistakes; None if nothing does."""
    search = {1: _by_one, 2: _by_two}.get(mistakes, _in_part)
    return next(search(reference, points, values), None)


def patterns(reference: Reference, points: Points, values: Array) -> Explanation | None:
    """Return what explains values that differ from the reference's, with as few mistakes as possible."""
    found = (explained(reference, points, values, mistakes) for mistakes in LEVELS)
    return next((explanation for explanation in found if explanation is not None), None)


def _classes(reference: Reference, points: Points) -> int:
    """Return the number of classes; 1 for one number per row, and for masks."""
    return points.x.shape[1] if reference.bound.family.target_type == "classes" else 1


def _by_one(reference: Reference, points: Points, values: Array) -> Iterator[Explanation]:
    """Yield what explains values by one mistake, the surest first."""
    true, k = reference(points), _classes(reference, points)
    factor = _factor(values, true)
    if factor is not None and in_words(factor, k):
        yield Explanation((_factor_words(factor, k),), form_of(reference), factor)
    for words, form in mistaken(reference, k > 1, 1):
        if fits(values, form(points)):
            yield Explanation(words, form)
    right = form_of(reference)
    for phrase, expected in _others(reference, points, true, right):
        if fits(values, expected()):
            yield Explanation((phrase,))
    for phrase, changed in clipped(right) if right is not None else ():
        if fits(values, changed(points)):
            yield Explanation((phrase,), changed)
    if factor is not None:
        yield Explanation((_factor_words(factor, k),), right, factor)
    by_outcome = _by_outcome(reference, points, values, true)
    if by_outcome and not any(words.endswith(UNKNOWN) for words in by_outcome):
        yield Explanation(tuple(by_outcome))


def _by_two(reference: Reference, points: Points, values: Array) -> Iterator[Explanation]:
    """Yield what explains values by two mistakes."""
    k = _classes(reference, points)
    single = list(mistaken(reference, k > 1, 1))
    for words, form in single:
        factor = _factor(values, form(points))
        if factor is not None and in_words(factor, k):
            yield Explanation((*words, _factor_words(factor, k)), form, factor)
    for words, form in mistaken(reference, k > 1, 2):
        if fits(values, form(points)):
            yield Explanation(words, form)
    for words, form in single:
        for more, changed in clipped(form):
            if fits(values, changed(points)):
                yield Explanation((*words, more), changed)


def _in_part(reference: Reference, points: Points, values: Array) -> Iterator[Explanation]:
    """Yield what explains the values of one outcome, while those of the other differ for an unknown reason."""
    by_outcome = _by_outcome(reference, points, values, reference(points))
    if by_outcome:
        yield Explanation(tuple(by_outcome))


def clips(reference: Reference, points: Points, values: Array, found: Explanation | None) -> list[str]:
    """Return a phrase if an epsilon explains what is wrong at extremes: the one that explains the losses best.

    Parameters
    ----------
    found
        what explains the losses elsewhere; None if they are right there.
    """
    if (
        not reference.bound.family.takes_from
        or reference.bound.family.coupled
        or (found is not None and found.form is None)
    ):
        return []
    factor = 1.0 if found is None else found.factor
    form = form_of(reference) if found is None else found.form
    if found is not None and _gap(values, found(points)) < NEAR:
        return []
    best = (NEAR, "")
    for words, changed in _of_epsilons(reference, form):
        best = min(best, (_gap(values, changed(points) * factor), words))
    if best[1]:
        return [f"{best[1]}: no loss is above {np.nanmax(values):.4g}"]
    return _rounded(reference, points, values) if found is None else []


def _rounded(reference: Reference, points: Points, values: Array) -> list[str]:
    """Return a phrase if a loss of logits is wrong only where the probability of what happened rounds to 0, or exp overflows."""
    true = reference(points)
    wrong = np.isfinite(true) & ~close(values, true)
    if reference.prediction_kind == "probs":
        certain = ((points.x == 0) | (points.x == 1)).reshape(len(points.x), -1).any(axis=1)
        if np.isnan(values[wrong]).all() and certain[wrong].all():
            return ["0 * log(0) is not a number where a probability is 0 or 1: choose the term by where, or use xlogy"]
    if reference.prediction_kind != "logits":
        return []
    dtype, columns = points.x.dtype, points.x.ndim == 2
    function = "log_softmax" if columns else "log_sigmoid, softplus"
    p = chances(points.x, "logits")[0].astype(dtype)
    if columns:
        happened = np.take_along_axis(p, points.labels[:, None], axis=1)[:, 0]
    else:
        happened = np.where(points.labels > 0, p, (1 - p).astype(dtype))
    cure = f"compute the logarithm of the logits ({function}, or a loss with logits)"
    if (happened[wrong] < np.finfo(dtype).eps).all():
        return [f"a probability is rounded to 0 before its logarithm: {cure}"]
    size = np.abs(points.x).reshape(len(points.x), -1).max(axis=1)
    if np.isnan(values[wrong]).all() and (size[wrong] > math.log(np.finfo(dtype).max)).all():
        return [f"exp overflows: {cure}"]
    return []


def averaged_first(reference: Reference, points: Points, together: float) -> str:
    """Return a phrase if a focal loss's one number for some rows has one factor, that of the rows' mean cross-entropy; else ''."""
    form = form_of(reference)
    if not isinstance(form, Logarithmic) or not form.gamma:
        return ""
    rows = replace(form, gamma=0.0, alpha=None)(points) / reference.factor
    for name, plain in (("averaged", float(rows.mean())), ("added up", float(rows.sum()))):
        for weight in (reference.factor, 1.0 if form.alpha is None else form.alpha):
            expected = weight * (1 - math.exp(-plain)) ** form.gamma * plain
            if math.isclose(expected, together, rel_tol=TOLERANCE):
                return (
                    f"the cross-entropy is {name} before its factor (1 - p)^gamma, so that all rows have the same factor: "
                    "make it per row (reduction='none'), and take the mean at the end"
                )
    return ""


def _gap(values: Array, expected: Array) -> float:
    """Return the largest difference, relative to numbers above 1; inf if there is none that is a number."""
    with np.errstate(all="ignore"):
        gap = np.abs(values - expected) / np.maximum(1, np.abs(expected))
    return float(np.nanmax(gap)) if np.isfinite(gap).any() else math.inf


def _of_epsilons(reference: Reference, form: Form | None) -> Iterator[tuple[str, Losses]]:
    """Yield the reference, or its formula with mistakes, with each epsilon, in words."""
    if form is not None:
        yield from clipped(form)
        return
    for eps in EPSILONS:
        yield f"probabilities are clipped at {eps:g}", lambda points, eps=eps: _clipped(reference, points, eps)  # type: ignore[misc]
        yield (
            f"{eps:g} is added to probabilities inside the logarithm",
            lambda points, eps=eps: _added(reference, points, eps),  # type: ignore[misc]
        )


def _others(
    reference: Reference, points: Points, true: Array, form: Form | None
) -> Iterator[tuple[str, Callable[[], Array]]]:
    """Yield further mistakes in words, each with a function that computes the losses that it would cause."""
    alpha = reference.bound.parameters.get("alpha")
    if form is None and alpha is not None and 0 <= alpha <= 1:
        yield "alpha is swapped: the losses are those of 1 - alpha", lambda: reference.but(alpha=1 - alpha)(points)
        yield "alpha has no effect: the losses are those without it", lambda: reference.but(alpha=None)(points)
    if reference.factor != 1:
        yield "alpha has no effect: the losses are those without it", lambda: replace(reference, factor=1.0)(points)
    if form is None and reference.bound.family.takes_from:
        yield from _of_activations(reference, points)
        for words, changed in _of_epsilons(reference, None):
            yield words, lambda changed=changed: changed(points)  # type: ignore[misc]
    for other in _relatives(reference):
        yield f"the losses are those of {other.name}", lambda other=other: other(points)  # type: ignore[misc]
    yield "the losses are the roots of the reference's", lambda: np.sqrt(np.maximum(true, 0))
    yield "the losses are the squares of the reference's", lambda: np.square(true)


def _relatives(reference: Reference) -> Iterator[Reference]:
    """Yield losses that are taken for a reference because both have a parameter of the same meaning."""
    own = dict(reference.bound.parameters)
    others: dict[str, tuple[str, dict[str, float | None]]] = {
        "huber": ("smooth-l1", {"beta": own.get("delta")}),
        "smooth-l1": ("huber", {"delta": own.get("beta")}),
        "dice": ("jaccard", own),
        "squared-dice": ("jaccard", own),
        "jaccard": ("dice", own),
    }
    if reference.bound.name in others:
        name, parameters = others[reference.bound.name]
        yield replace(reference, bound=find(name).bind(**parameters))


def _of_activations(reference: Reference, points: Points) -> Iterator[tuple[str, Callable[[], Array]]]:
    """Yield a softmax or sigmoid once too often in words, with its losses."""
    word = "softmax" if points.x.ndim == 2 else "sigmoid"
    if reference.prediction_kind == "logits":
        again = Points(chances(points.x, "logits")[0], points.targets)
        yield (
            f"{word} is applied twice: the losses are those of probabilities taken for logits",
            lambda: reference(again),
        )
    elif reference.prediction_kind == "probs":
        of_logits = replace(reference, prediction_kind="logits")
        words = f"{word} is applied to probabilities: the losses are those of probabilities taken for logits"
        yield words, lambda: of_logits(points)


def _of_probabilities(reference: Reference, p: Array, points: Points) -> Array:
    return replace(reference, prediction_kind="probs")(Points(p, points.targets))


def _clipped(reference: Reference, points: Points, eps: float) -> Array:
    p = chances(points.x.astype(np.float64), reference.prediction_kind)[0]
    return _of_probabilities(reference, np.clip(p, eps, 1 - eps), points)


def _added(reference: Reference, points: Points, eps: float) -> Array:
    p = chances(points.x.astype(np.float64), reference.prediction_kind)[0]
    if points.x.ndim == 1:
        labels = points.labels > 0
        p = np.where(labels, p + eps, 1 - (1 - p + eps))  # to the outcome that happened
    else:
        p = p + eps
    return _of_probabilities(reference, p, points)


def _factor(values: Array, true: Array) -> float | None:
    """Return the number by which all values are multiplied, if there is one other than 1."""
    with np.errstate(all="ignore"):
        ratio = values / true
    usual = np.isfinite(ratio) & (np.abs(true) > 1e-9)
    if not usual.any():
        return None
    factor = float(np.median(ratio[usual]))
    constant = factor != 0 and not math.isclose(factor, 1, rel_tol=TOLERANCE)
    whole = fits(values, true * factor)
    return factor if constant and whole and np.allclose(ratio[usual], factor, rtol=TOLERANCE) else None


def _factor_words(factor: float, k: int) -> str:
    """Return a factor in words, with its likely reason."""
    words = in_words(factor, k)
    return f"a constant factor of {factor:.7g}" + (f": {words}" if words else "")


def _by_outcome(reference: Reference, points: Points, values: Array, true: Array) -> list[str]:
    """Return phrases if the rows of one outcome are wrong: the term of the other is added, or they have a factor."""
    if (
        reference.bound.family.target_type not in ("outcomes", "signs")
        or not isinstance(points.targets, Dense)
        or points.x.ndim == 2
    ):
        return []
    positive = points.labels > 0
    opposite = np.where(positive, points.labels.min(), points.labels.max())
    other = reference(Points(points.x, Dense(opposite)))
    phrases = []
    for rows, name, term in ((positive, "positives", "negatives"), (~positive, "negatives", "positives")):
        if close(values[rows], true[rows]).all():
            continue
        factor = _factor(values[rows], true[rows])
        if close(values[rows], (true + other)[rows]).all():
            phrases.append(f"a mask is missing: for {name} the term of {term} is added")
        elif close(values[rows], other[rows]).all():
            phrases.append(f"the labels are swapped: {name} have the loss of {term}")
        elif factor is not None:
            phrases.append(f"{name} have a constant factor of {factor:.7g}")
        else:
            phrases.append(f"the losses of {name}{UNKNOWN}")
    return phrases if not all(words.endswith(UNKNOWN) for words in phrases) or len(phrases) < 2 else []
