"""Losses of two views of all rows of a file: predictions for the rows, and for augmented copies of them.

A core gets the features a and b of both views, (n, d), and returns one number, and a function that computes its derivative
by every number of a.
"""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Extras, Targets, Values
from losscli.definition.domain import NON_NEGATIVE
from losscli.definition.loss import Axis, BoundLoss
from losscli.definition.registry import family, loss


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return core(a, b) of each row of a batch, which holds the content of a file; the core's slope is the gradient."""
    assert isinstance(targets, Dense)
    x = predictions.astype(loss.work(predictions.dtype, wide=True), copy=False)
    values = np.zeros(len(x))
    slopes = np.zeros_like(x) if gradient else None
    for i, (row, t) in enumerate(zip(x, targets.t, strict=True)):
        shape = (-1, extras.columns or len(row))
        values[i], slope = loss.core(row.reshape(shape), t.reshape(shape).astype(x.dtype), gradient=gradient)
        if slopes is not None:
            slopes[i] = slope.reshape(-1)
    return values, slopes


def _place(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    rows = np.tile([0.0, 1.0, 1.0, -1.0, -1.0, 0.0], (len(x), 1))
    targets = rows.copy()
    rows[:, 0] = x
    return rows, Dense(targets), Extras(columns=2)


two_views = family(
    name="two-views",
    lift=lift,
    summary="functions of the features of two views of all rows of the file",
    variables={"a": "features of the predictions, (n, d)", "b": "features of the targets, (n, d)"},
    value="f of all rows",
    gradient="df/da, one for each number; b is held fixed",
    targets="rows of features, in the predictions' shape: the other view of each row",
    target_type="numbers",
    rows="features",
    coupled="file",
    tables_only=True,
    held_bytes=96,
    axes={
        "residual": Axis(
            "x",
            "number x of the first of three rows, which is 0 in the other view; all other numbers are alike",
            (-3.0, 3.0),
            _place,
            along=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
            own=False,
        )
    },
    several_outputs=False,
)

AT_ONCE = 1 << 21
"""Numbers of a matrix of features by features that are held in memory at a time."""
WHOLE = "all rows have one loss: both views are held in memory, and there is nothing to list per row"


def _parts(columns: int) -> list[slice]:
    """Return parts of so many columns, whose products with all columns fit into memory."""
    step = max(1, AT_ONCE // columns)
    return [slice(first, first + step) for first in range(0, columns, step)]


def _off_diagonal(matrix: Array, first: int) -> Array:
    """Return some columns of a square matrix, the first of them column `first`, with 0 in its diagonal."""
    columns = np.arange(matrix.shape[1])
    result = matrix.copy()
    result[first + columns, columns] = 0
    return result


def _covariance(x: Array, gradient: bool) -> tuple[float, Array]:
    """Return the sum of the squared covariances of different columns, and its derivative by the centered numbers x."""
    n, d = x.shape
    total, slopes = 0.0, np.zeros_like(x)
    for part in _parts(d):
        off = _off_diagonal(x.T @ x[:, part] / (n - 1), part.start)
        total += float((off * off).sum())
        if gradient:
            slopes[:, part] = 4 * (x @ off / (n - 1))
    return total, slopes


@loss(
    two_views,
    definition="sim * the mean of (a - b)**2 over all numbers + std * (V(a) + V(b)) / 2 + cov * (C(a) + C(b)), with V the mean "
    "over the columns of max(0, 1 - sqrt(variance + epsilon)), and C the sum of the squared covariances of different columns, "
    "divided by d; variances and covariances are divided by n - 1",
    aliases=("vic-reg", "vicreg-loss"),
    source="Bardes, Ponce and LeCun 2021, VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning, "
    "arXiv:2105.04906; its numbers are those of the authors' code, https://github.com/facebookresearch/vicreg",
    special=(
        "in the paper the squared distance is not divided by d, and V is not halved; in the authors' code, and in "
        "pytorch-metric-learning, they are",
        "two rows are the least: of one there is no variance",
        WHOLE,
    ),
)
def vicreg(
    a: Array,
    b: Array,
    *,
    sim: Annotated[float, NON_NEGATIVE, "factor of the squared differences"] = 25.0,
    std: Annotated[float, NON_NEGATIVE, "factor of what standard deviations miss of 1"] = 25.0,
    cov: Annotated[float, NON_NEGATIVE, "factor of the squared covariances"] = 1.0,
    epsilon: Annotated[float, NON_NEGATIVE, "added to variances"] = 1e-4,
) -> tuple[Any, Callable[[], Array]]:
    """Two views alike, features that vary, and no two features that vary together."""
    n, d = a.shape
    gap, terms = a - b, []
    for x in (a, b):
        centered = x - x.mean(axis=0)
        size = np.sqrt((centered * centered).sum(axis=0) / np.float64(n - 1) + epsilon)
        terms.append((centered, size))
    missing = sum(np.maximum(1 - size, 0).sum() / d for _, size in terms)
    off, off_slope = _covariance(terms[0][0], True)
    value = sim * (gap * gap).sum() / (n * d) + std * missing / 2 + cov * (off + _covariance(terms[1][0], False)[0]) / d

    def slope() -> Array:
        centered, size = terms[0]
        narrow = np.where(size < 1, 1 / np.where(size == 0, np.inf, size), 0)
        return 2 * sim / (n * d) * gap - std / (2 * d) * narrow * centered / np.float64(n - 1) + cov / d * off_slope

    return value, slope


@loss(
    two_views,
    definition="the sum over the columns i of (1 - c_ii)**2 + off * the sum over different columns i and j of c_ij**2, with c_ij "
    "the correlation of column i of a with column j of b over the rows; epsilon is added to variances, which are divided by n",
    aliases=("barlow", "barlow-twins-loss"),
    source="Zbontar, Jing, Misra, LeCun and Deny 2021, Barlow Twins: Self-Supervised Learning via Redundancy Reduction, "
    "arXiv:2103.03230 (equations 1 and 2)",
    special=(
        "the authors' code normalizes by a batch norm: epsilon 1e-5. The paper's pseudo-code divides variances by n - 1, which "
        "makes correlations smaller by (n - 1) / n",
        "a column that does not vary has no correlation: undefined, unless epsilon is above 0",
        WHOLE,
    ),
)
def barlow_twins(
    a: Array,
    b: Array,
    *,
    off: Annotated[
        float, NON_NEGATIVE, "factor of the correlations of different columns (lambda in the paper)"
    ] = 0.0051,
    epsilon: Annotated[float, NON_NEGATIVE, "added to variances"] = 0.0,
) -> tuple[Any, Callable[[], Array]]:
    """Each feature correlated with itself in the other view, and with no other feature."""
    n, d = a.shape
    sides = []
    for x in (a, b):
        centered = x - x.mean(axis=0)
        variance = (centered * centered).sum(axis=0) / n + epsilon
        sides.append((centered / np.sqrt(variance), variance))
    (u, of_a), (v, of_b) = sides
    gap = u - v
    # 1 - c, which keeps the digits of a correlation near 1; that of a column with itself is 1 - epsilon / variance.
    missing = ((gap * gap).sum(axis=0) / n + epsilon / of_a + epsilon / of_b) / 2
    total, slopes = 0.0, np.zeros_like(a)
    for part in _parts(d):
        apart = _off_diagonal(u.T @ v[:, part] / n, part.start)
        total += float((apart * apart).sum())
        slopes += 2 * off * (v[:, part] @ apart.T)

    def slope() -> Array:
        by_u = slopes / n
        along = (by_u * u).sum(axis=0) / n
        # Of the columns with themselves v - c * u, which is missing * u - gap where c is near 1.
        by_u = by_u - by_u.mean(axis=0) - along * u - 2 * missing / n * (missing * u - gap)
        return by_u / np.sqrt(of_a)

    return (missing * missing).sum() + off * total, slope
