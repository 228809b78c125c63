"""The cases at which a library is tried: a grid, extremes, and predictions that are nearly right, the smallest first.

Grid and extremes are those of verify. Small losses need more: there a formula that subtracts numbers of the size of 1
loses what it computes.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

from losscli.analysis.audit.model import Case, rounded
from losscli.analysis.shared.points import Points, endless, extremes, grid
from losscli.arrays import Array
from losscli.definition.loss import BoundLoss

NEAR = (1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1)
"""Distances from a perfect prediction."""
SURE = (2.0, 8.0, 12.0, 15.0, 30.0)
"""Logits between those of the grid and the extremes, at which losses become small."""
CLASSES = 3
ROWS = 41
"""Most rows of a grid over three classes."""

Makers = Iterator[Case]


def cases(bound: BoundLoss, kind: str | None, dtype: str, form: str, mated: bool = False) -> list[Case]:
    """Return the cases for a loss, rounded to a dtype; none of them twice.

    Parameters
    ----------
    kind
        the kind of predictions, or None for losses that know no kinds.
    form
        the form of class targets: 'index' or 'one-hot'.
    mated
        whether each row gets mirror images, so that all classes occur among the targets of a case.
    """
    domains = bound.declaration.domains(bound.parameters)
    found: dict[tuple[object, ...], Case] = {}
    for case in MAKERS[bound.family.name](bound, kind or "logits"):
        case = with_mates(case, kind) if mated and bound.family.target_type != "numbers" else case
        p = rounded(case.p, dtype)
        third = None if case.third is None else rounded(case.third, dtype)
        t = rounded(case.t, dtype) if case.t.dtype.kind == "f" else case.t
        if form == "one-hot" and bound.family.target_type == "classes" and t.ndim == 1 and t.dtype.kind == "i":
            t = np.eye(p.shape[1])[t]
        parts = [p, *([t] if t.dtype.kind == "f" else []), *([] if third is None else [third])]
        limits = np.isinf(case.p).any() and kind == "logits"
        if not (limits or all(np.isfinite(part).all() for part in parts)):
            continue
        if not limits and domains.predictions.outside(p).any():
            continue
        if bound.family.target_type == "numbers" and domains.targets.outside(t).any():
            continue
        made = Case(p, t, third)
        found.setdefault(made.key, made)
    return list(found.values())


def _each(points: Points) -> Makers:
    """Yield a case for each row."""
    for row in range(len(points.x)):
        yield Case(points.x[row : row + 1].astype(np.float64), np.atleast_1d(points.labels[row : row + 1]))


def of_residual(bound: BoundLoss, kind: str) -> Makers:
    for r in NEAR:
        for t in (0.0, 1.0):
            for sign in (1, -1):
                yield Case(np.array([t + sign * r]), np.array([t]))
    yield from _each(grid(bound.family, kind))
    yield from _each(extremes(bound.family, kind))


def of_margin(bound: BoundLoss, kind: str) -> Makers:
    for points in (grid(bound.family, kind, (-1.0, 1.0)), extremes(bound.family, kind, (-1.0, 1.0))):
        for case in _each(points):
            yield Case(case.p, case.t.astype(np.int64))


def of_outcome(bound: BoundLoss, kind: str) -> Makers:
    """Probabilities are also such as no sigmoid of float64 gives: 1e-30, or nearly 1."""
    if kind == "probs":
        for p in (0.5, 0.25, 0.75, 0.1, 0.9, 1e-3, 0.999, 1e-5, 1 - 1e-5, 1e-7, 1 - 2.0**-23, 1e-8, 1e-12, 1e-30):
            for t in (0, 1):
                yield Case(np.array([p]), np.array([t]))
    else:
        for z in SURE:
            for sign, t in ((1, 1), (-1, 0), (1, 0), (-1, 1)):
                yield Case(np.array([sign * z]), np.array([t]))
    limits = [endless(bound.family)] if kind == "logits" else []
    for points in (grid(bound.family, kind), extremes(bound.family, kind), *limits):
        for case in _each(points):
            yield Case(case.p, case.t.astype(np.int64))


def of_pair(bound: BoundLoss, kind: str) -> Makers:
    """Predictions of all sizes, and next to what is best for their target: the target itself, or its logarithm."""
    sizes = [0.0, 0.5, 1.5, 3.0, 0.1, 10.0, 30.0, 60.0, 1e-4, 1e4]
    variances = (1.0, 1e-4, 1e4) if bound.family.third_operand == "variance" else (None,)
    for t in (1.0, 0.0, 7.0, 1e-4) if variances[0] else (1.0, 0.0, 2.0, 7.0, 1000.0, 1e-4):
        near = [0.0, *(sign * part for part in NEAR[::2] for sign in (1, -1))]
        made = [x for size in sizes for x in (size, -size)]
        made += [t * (1 + part) for part in near] if t else []
        made += [math.log(t) + part for part in near] if t > 0 and not variances[0] else []
        for y in made:
            for v in variances:
                yield Case(np.array([y]), np.array([t]), None if v is None else np.array([v]))


def of_classes(bound: BoundLoss, kind: str) -> Makers:
    """Rows over classes; of a divergence, targets are distributions, also such as the predictions nearly are."""
    if bound.family.name == "softmax" and bound.name == "kl-divergence":
        yield from of_distributions(bound, kind)
        return
    if kind == "logits":
        for z in SURE:
            for t in (0, 1):
                yield Case(np.array([[z, 0.0]]), np.array([t]))
    ordinary = grid(bound.family, kind)
    step = -(-len(ordinary.x) // ROWS)
    yield from _each(ordinary.take(slice(None, None, step)))
    yield from _each(extremes(bound.family, kind))
    if kind == "logits":
        yield from _each(endless(bound.family))


def of_distributions(bound: BoundLoss, kind: str) -> Makers:
    for t in ([0.25, 0.75], [0.5, 0.5], [1.0, 0.0], [0.125, 0.375, 0.5], [0.0, 0.5, 0.5], [2.0**-20, 1 - 2.0**-20]):
        target = np.array(t)
        near = [target, *((1 - part) * target + part / len(t) for part in NEAR[1:])]
        far = [np.full(len(t), 1 / len(t)), target[::-1], np.array([1.0, *[0.0] * (len(t) - 1)])]
        for p in (*near, *far, np.array([1e-30, *[1 / (len(t) - 1)] * (len(t) - 1)])):
            with np.errstate(divide="ignore"):
                row = np.log(p) if kind == "log-probs" else p
            if np.isfinite(row).all():
                yield Case(row[None], target[None])


def of_scores(bound: BoundLoss, kind: str) -> Makers:
    rows: list[list[float]] = [[1, 0], [0, 1], [0.25, -0.5], [3, 1.5], [2, 1, 0.5], [0.5, -2, 0.25], [-1, -2, -3.5]]
    rows += [[0.1, 5, 4]]
    rows += [[20, 0, 1], [0, 20, -20], [100, -100, 0], [-1000, 1000, 0], [1e4, 1e4 - 8, 0], [0.125, 0.25, 0.5, 4.0]]
    for row in rows:
        for y in range(len(row)):
            yield Case(np.array([row], float), np.array([y]))


def of_ranking(bound: BoundLoss, kind: str) -> Makers:
    rows: list[list[float]] = [[1, 0], [0, 1], [0.25, -0.5], [3, 1.5], [2, 1, 0.5], [0.5, -2, 0.25], [20, 0], [12, 0]]
    rows += [[0, 20, -20], [100, -100, 0], [-1000, 1000, 0]]
    for row in rows:
        for t in ([1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 1]):
            relevant = t[: len(row)]
            if 0 < sum(relevant) < len(row):
                yield Case(np.array([row], float), np.array([relevant]))


def of_score_pairs(bound: BoundLoss, kind: str) -> Makers:
    rows = [[1, 0.5], [0.25, -0.5], [3, 1.5], [-1, 2], [20, 0.5], [0, 20], [100, -100], [1000, 999], [-1e4, 1e4]]
    for row in rows:
        for t in (1, -1):
            yield Case(np.array([row], float), np.array([t]))


def _features() -> Iterator[tuple[Array, Array]]:
    """Pairs of features: of moderate size, nearly alike, nearly opposite, and of lengths that are huge or tiny."""
    base: list[tuple[list[float], list[float]]] = [([1, 0.5], [0.5, 1]), ([1, 0], [0.25, 1]), ([3, 4], [4, -3])]
    base.append(([0.5, -1, 2], [1, 1, 0.25]))
    for a, b in base:
        yield np.array(a, float), np.array(b, float)
    for part in (0.1, 1e-2, 1e-3, 1e-4, 1e-6):
        yield np.array([1.0, 0.5]), np.array([1.0, 0.5 + part])
        yield np.array([1.0, 0.5]), -np.array([1.0, 0.5 + part])
    for size in (1e-3, 1e3, 1e-6, 1e4, 1e-10, 1e10, 1e-20, 1e20, 1e-25, 1e25, 1e160, 1e-160):
        for a, b in base[:2]:
            yield size * np.array(a, float), np.array(b, float)
            yield size * np.array(a, float), size * np.array(b, float)


def of_features(bound: BoundLoss, kind: str) -> Makers:
    for a, b in _features():
        yield Case(a[None], b[None])


def of_feature_pairs(bound: BoundLoss, kind: str) -> Makers:
    for a, b in _features():
        for t in (1, -1):
            yield Case(a[None], np.array([t]), b[None])


def of_distances(bound: BoundLoss, kind: str) -> Makers:
    for distance in (0.5, 0.25, 0.01, 1e-4, 1e-8, 2.0, 10.0, 1e4):
        for t in (1, -1):
            yield Case(np.array([distance]), np.array([t]))


def of_triplets(bound: BoundLoss, kind: str) -> Makers:
    for a, b in _features():
        for negative in (-b, b[::-1] * 2, a * 0.5):
            yield Case(a[None], b[None], np.ascontiguousarray(negative)[None])


def of_batches(bound: BoundLoss, kind: str) -> Makers:
    """Rows of unit length, as far as a dtype can hold it, with labels of which each has two rows."""
    rows = np.array([[1, 0], [0.6, 0.8], [0, 1], [-0.6, 0.8], [-1, 0], [0.8, -0.6]])
    for labels in ([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], [0, 0, 1, 1, 2, 2], [0, 1, 2, 0, 1, 2]):
        yield Case(rows[: len(labels)], np.array(labels))
        yield Case(rows[::-1][: len(labels)].copy(), np.array(labels))
    yield Case(np.array([[1, 0], [1, 0], [-1, 0], [-1, 0.0]]), np.array([0, 0, 1, 1]))
    yield Case(np.array([[1, 0], [-1, 0], [-1, 0], [1, 0.0]]), np.array([0, 0, 1, 1]))


def of_masks(bound: BoundLoss, kind: str) -> Makers:
    masks = [[1, 0], [1, 1], [0, 1, 1, 0], [1, 0, 0, 0, 1]]
    for mask in masks:
        signs = np.where(np.array(mask) > 0, 1, -1)
        for z in (signs * 0.5, signs * -1.0, signs * 4.0, signs * 12.0, signs * -12.0, signs * 40.0, signs * 1000.0):
            with np.errstate(over="ignore"):
                x = z if kind == "logits" else 1 / (1 + np.exp(-z))
            yield Case(x[None], np.array([mask]))


def with_mates(case: Case, kind: str | None) -> Case:
    """Return a case with one row for each class, which are mirror images and have the same loss."""
    p, t = case.p, case.t
    if p.ndim == 2:
        k = p.shape[1]
        return Case(
            np.concatenate([np.roll(p, i, axis=1) for i in range(k)]), np.concatenate([(t + i) % k for i in range(k)])
        )
    other = 1 - t if kind else -t
    return Case(np.concatenate([p, 1 - p if kind == "probs" else -p]), np.concatenate([t, other]))


def of_sequences(bound: BoundLoss, kind: str) -> Makers:
    """Time steps by classes as log-probabilities, and the labels of one sample; class 0 is the blank."""
    rows = np.array([[0.5, -1, 2], [1, 1, 0], [-2, 0.5, 0.25], [0, 3, -1]])
    for labels in ([1], [2], [1, 2], [1, 1], [2, 1]):
        for steps in range(1, 5):
            for size in (1.0, 10.0, 100.0, -10.0):
                z = size * rows[:steps]
                log_p = z - z.max(axis=1, keepdims=True)
                yield Case(log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True)), np.array([labels]))


MAKERS: dict[str, Callable[[BoundLoss, str], Makers]] = {
    "residual": of_residual,
    "margin": of_margin,
    "sigmoid": of_outcome,
    "relative": of_pair,
    "distribution": of_pair,
    "gaussian": of_pair,
    "softmax": of_classes,
    "scores": of_scores,
    "ranking": of_ranking,
    "pairs": of_score_pairs,
    "cosine": of_features,
    "cosine-pair": of_feature_pairs,
    "pair": of_distances,
    "triplet": of_triplets,
    "batch": of_batches,
    "overlap": of_masks,
    "sequence": of_sequences,
}
"""Family -> its cases."""


def is_index(case: Case) -> bool:
    """Whether its targets are numbers of classes."""
    return case.p.ndim == 2 and case.t.ndim == 1 and case.t.dtype.kind == "i"
