"""Losses that have no formula, as plain functions in mpmath's numbers and Python's loops.

They are written apart from the program's own code. `REFERENCES` has them by the names of the losses: functions of the
family's variables and the parameters.
"""

from collections.abc import Callable
from functools import cache
from itertools import pairwise, product
from typing import Any

from mpmath import mp, mpf


def sparsemax(z: list[Any], y: int) -> Any:
    """Tau by looking at every possible size of the support."""
    for size in range(1, len(z) + 1):
        support = sorted(z, reverse=True)[:size]
        tau = (sum(support) - 1) / size
        if sum(one > tau for one in z) == size:
            return (sum(one**2 - tau**2 for one in support) + 1) / 2 - z[y]
    raise AssertionError("no support")


def jaccard_loss(true: set[int], wrong: set[int]) -> Any:
    """One minus intersection over union of the true mask and what is left of it if these elements are wrong."""
    predicted = true ^ wrong
    union = true | predicted
    return mpf(0) if not union else 1 - mpf(len(true & predicted)) / len(union)


def lovasz(errors: list[Any], true: set[int]) -> Any:
    """The Lovász extension of the Jaccard loss, as the integral over thresholds of the loss of the errors above them."""
    levels = sorted({mpf(0), *errors})
    return sum(
        (high - low) * jaccard_loss(true, {i for i, error in enumerate(errors) if error >= high})
        for low, high in pairwise(levels)
    )


def lovasz_hinge(z: list[Any], t: list[Any]) -> Any:
    errors = [max(mpf(0), 1 - sign * one) for one, sign in zip(z, t, strict=True)]
    return lovasz(errors, {i for i, sign in enumerate(t) if sign > 0})


def lovasz_softmax(p: list[list[Any]], t: list[list[Any]]) -> Any:
    """Of rows of probabilities and of targets."""
    found = []
    for c in range(len(p[0])):
        true = {i for i, row in enumerate(t) if row[c] > mpf("0.5")}
        if true:
            found.append(lovasz([abs((i in true) - row[c]) for i, row in enumerate(p)], true))
    return sum(found) / len(found) if found else mpf(0)


def two_way(z: list[list[Any]], t: list[list[Any]], tp: Any, tn: Any) -> Any:
    """Of rows of logits and of labels."""

    def mean(logits: list[list[Any]], labels: list[list[Any]]) -> Any:
        found = []
        for row, label in zip(logits, labels, strict=True):
            negative = sum((mp.exp(one / tn) for one, l in zip(row, label, strict=True) if l == 0), mpf(0)) ** tn
            positive = sum((mp.exp(-one / tp) for one, l in zip(row, label, strict=True) if l == 1), mpf(0)) ** tp
            if 1 in label:
                found.append(mp.log(1 + negative * positive))
        return sum(found) / len(found) if found else mpf(0)

    return mean(z, t) + mean(list(map(list, zip(*z, strict=True))), list(map(list, zip(*t, strict=True))))


@cache
def alignments(steps: int, classes: int, labels: tuple[int, ...], blank: int) -> list[tuple[int, ...]]:
    """All ways to name a class in each step that give the labels, by trying every one."""

    def read(path: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(one for one, before in zip(path, (None, *path), strict=False) if one not in (before, blank))

    return [path for path in product(range(classes), repeat=steps) if read(path) == labels]


def ctc(l: list[list[Any]], t: list[int], blank: Any = 0) -> Any:
    """Of the log-probabilities of each step, and labels."""
    paths = alignments(len(l), len(l[0]), tuple(t), int(blank))
    if not paths:
        return mp.inf
    sums = [sum((l[step][one] for step, one in enumerate(path)), mpf(0)) for path in paths]
    return -mp.log(sum(mp.exp(one) if one != -mp.inf else mpf(0) for one in sums)) if max(sums) > -mp.inf else mp.inf


def columns_of(rows: list[list[Any]]) -> list[list[Any]]:
    """The columns, each minus its mean."""
    return [[one - sum(column) / len(column) for one in column] for column in zip(*rows, strict=True)]


def vicreg(a: list[list[Any]], b: list[list[Any]], sim: Any, std: Any, cov: Any, epsilon: Any) -> Any:
    """Of the rows of two views."""
    n, d = len(a), len(a[0])
    alike = sum((x - y) ** 2 for one, other in zip(a, b, strict=True) for x, y in zip(one, other, strict=True))
    total = sim * alike / (n * d)
    for rows in (a, b):
        columns = columns_of(rows)
        c = [[mp.fdot(one, other) / (n - 1) for other in columns] for one in columns]
        total += std * sum(max(mpf(0), 1 - mp.sqrt(c[i][i] + epsilon)) for i in range(d)) / d / 2
        total += cov * sum(c[i][j] ** 2 for i in range(d) for j in range(d) if i != j) / d
    return total


def barlow_twins(a: list[list[Any]], b: list[list[Any]], off: Any, epsilon: Any) -> Any:
    """Of the rows of two views."""
    n, d = len(a), len(a[0])
    sides = []
    for rows in (a, b):
        columns = columns_of(rows)
        sides.append([[one / mp.sqrt(mp.fdot(c, c) / n + epsilon) for one in c] for c in columns])
    c = [[mp.fdot(one, other) / n for other in sides[1]] for one in sides[0]]
    apart = sum(c[i][j] ** 2 for i in range(d) for j in range(d) if i != j)
    return sum((1 - c[i][i]) ** 2 for i in range(d)) + off * apart


def median_absolute_error(y: list[Any], t: list[Any]) -> Any:
    """By counting: the middle of the numbers that have as many smaller ones, or equal ones, as larger ones."""
    errors = [abs(a - b) for a, b in zip(y, t, strict=True)]
    half = mpf(len(errors)) / 2
    middle = {
        one
        for one in errors
        if sum(other < one for other in errors) <= half and sum(other > one for other in errors) <= half
    }
    return (min(middle) + max(middle)) / 2


def quadratic_kappa(p: list[list[Any]], t: list[list[Any]]) -> Any:
    """Of rows of probabilities and of targets, from the observed table of classes and the one that chance would give."""
    n, k = len(p), range(len(p[0]))
    observed = [[sum(a[i] * b[j] for a, b in zip(t, p, strict=True)) for j in k] for i in k]
    chance = [[sum(a[i] for a in t) * sum(b[j] for b in p) / n for j in k] for i in k]
    weights = [[mpf(i - j) ** 2 for j in k] for i in k]
    above, below = (
        sum(w * x for row, one in zip(weights, table, strict=True) for w, x in zip(row, one, strict=True))
        for table in (observed, chance)
    )
    return above / below


def log_quadratic_kappa(p: list[list[Any]], t: list[list[Any]], epsilon: Any) -> Any:
    """Of rows of probabilities and of targets."""
    value = quadratic_kappa(p, t) + epsilon
    return mp.log(value) if value else -mp.inf


REFERENCES: dict[str, Callable[..., Any]] = {
    "sparsemax": sparsemax,
    "lovasz-hinge": lovasz_hinge,
    "lovasz-softmax": lovasz_softmax,
    "two-way": two_way,
    "quadratic-kappa": quadratic_kappa,
    "log-quadratic-kappa": log_quadratic_kappa,
    "ctc": ctc,
    "vicreg": vicreg,
    "barlow-twins": barlow_twins,
    "median-absolute-error": median_absolute_error,
}
