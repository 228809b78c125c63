"""Patterns in the difference between a loss and its reference: a factor, a clip, a swapped alpha, a missing mask."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from losscli.analysis.shared.points import Points, chances
from losscli.analysis.verify.subject import Reference
from losscli.arrays import Array
from losscli.definition.batch import Dense

TOLERANCE = 1e-5
"""Values differ if they are farther apart than this times max(1, |reference|)."""
EPSILONS = (1e-16, 1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1.1920929e-07, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Numbers at which probabilities are often clipped, including the epsilons of float32 and float64."""
NEAR = 1e-3
"""How well a clip must explain losses, since a logarithm magnifies the rounding of a probability."""

Explanation = tuple[str, Callable[[], Array]]


def close(values: Array, true: Array) -> Array:
    """Return which values agree with those of a reference, as booleans."""
    with np.errstate(invalid="ignore"):
        return (np.abs(values - true) <= TOLERANCE * np.maximum(1, np.abs(true))) | (values == true)


def patterns(reference: Reference, points: Points, values: Array) -> list[str]:
    """Return phrases that explain values on a grid that differ from the reference's."""
    true = reference(points)
    factor = _factor(values, true)
    if factor is not None:
        return [_factor_words(factor, points.x.shape[1] if points.x.ndim == 2 else 1)]
    for words, fits in explanations(reference, points, true):
        expected = fits()
        finite = np.isfinite(expected)
        if finite.any() and close(values, expected)[finite].all():
            return [words]
    return _by_outcome(reference, points, values, true)


def clips(reference: Reference, points: Points, values: Array) -> list[str]:
    """Return a phrase if an epsilon explains what is wrong at extremes: the one that explains the losses best."""
    if not reference.bound.family.takes_from:
        return []
    best = (NEAR, "")
    for eps in EPSILONS:
        for words, expected in (
            (f"probabilities are clipped at {eps:g}", _clipped(reference, points, eps)),
            (f"{eps:g} is added to probabilities inside the logarithm", _added(reference, points, eps)),
        ):
            with np.errstate(all="ignore"):
                gap = np.abs(values - expected) / np.maximum(1, np.abs(expected))
            if np.isfinite(gap).any():
                best = min(best, (float(np.nanmax(gap)), words))
    if best[1]:
        return [f"{best[1]}: no loss is above {np.nanmax(values):.4g}"]
    return []


def explanations(reference: Reference, points: Points, true: Array) -> Iterator[Explanation]:
    """Yield frequent mistakes in words, each with a function that computes the losses that it would cause."""
    alpha = reference.bound.parameters.get("alpha")
    if alpha is not None and 0 <= alpha <= 1:
        yield "alpha is swapped: the losses are those of 1 - alpha", lambda: reference.but(alpha=1 - alpha)(points)
        yield "alpha has no effect: the losses are those without it", lambda: reference.but(alpha=None)(points)
    if reference.factor != 1:
        yield "alpha has no effect: the losses are those without it", lambda: replace(reference, factor=1.0)(points)
    takes_from = reference.bound.family.takes_from
    if takes_from:
        word = "softmax" if points.x.ndim == 2 else "sigmoid"
        if reference.prediction_kind == "logits":
            again = Points(chances(points.x, "logits")[0], points.targets)
            yield (
                f"{word} is applied twice: the losses are those of probabilities taken for logits",
                lambda: reference(again),
            )
        elif reference.prediction_kind == "probs":
            of_logits = replace(reference, prediction_kind="logits")
            yield (
                f"{word} is applied to probabilities: the losses are those of probabilities taken for logits",
                lambda: of_logits(points),
            )
        for eps in EPSILONS:
            yield f"probabilities are clipped at {eps:g}", lambda eps=eps: _clipped(reference, points, eps)  # type: ignore[misc]
            yield (
                f"{eps:g} is added to probabilities inside the logarithm",
                lambda eps=eps: _added(reference, points, eps),  # type: ignore[misc]
            )
    yield "the losses are the roots of the reference's", lambda: np.sqrt(np.maximum(true, 0))
    yield "the losses are the squares of the reference's", lambda: np.square(true)


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
    return factor if constant and np.allclose(ratio[usual], factor, rtol=TOLERANCE) else None


def _factor_words(factor: float, k: int) -> str:
    """Return a factor in words, with its likely reason."""
    named = {
        -1.0: "the sign is wrong",
        **(
            {1 / k: f"a mean over the {k} classes for a sum", float(k): f"a sum over the {k} classes for a mean"}
            if k > 1
            else {}
        ),
        1 / math.log(2): "the logarithm has the base 2",
        1 / math.log(10): "the logarithm has the base 10",
        0.5: "a half for a whole",
        2.0: "a whole for a half",
    }
    words = next((words for known, words in named.items() if math.isclose(factor, known, rel_tol=TOLERANCE)), "")
    return f"a constant factor of {factor:.7g}" + (f": {words}" if words else "")


def _by_outcome(reference: Reference, points: Points, values: Array, true: Array) -> list[str]:
    """Return phrases if the rows of one outcome are wrong: the term of the other is added, or they have a factor."""
    if reference.bound.family.target_type not in ("outcomes", "signs") or not isinstance(points.targets, Dense):
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
            phrases.append(f"the losses of {name} differ")
    return phrases if phrases != ["the losses of positives differ", "the losses of negatives differ"] else []
