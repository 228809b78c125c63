"""How the variables of formulas come from a point of an axis, for every family, in the notation of docs/formulas.md.

An axis says which numbers stand at a point x: predictions, targets and what is beside them. This module says, once for
every family, what its formulas make of these numbers. So a new loss of a family needs nothing here, and a new family one
entry. The numbers have these names, all of them lists but `point`, `label` and `columns`:

| name | meaning |
| --- | --- |
| `point` | the point of the axis |
| `predictions` | the predictions of the row |
| `targets` | its targets; of classes 1 for the row's own class and 0 for the others |
| `label` | the position of the row's own class |
| `beside` | the row of the third operand |
| `counts`, `levels`, `centers` | of the classes, of the quantiles, and of the classes |
| `features`, `labels` | of all rows of the file |
| `sources` | the features of all predictions of the file, for losses of two sides |
| `columns` | number of columns of the file that the row is, or is part of |

Besides the functions of the grammar there are `list`, which makes a list of a generator, `table(row, columns)`, which makes
rows of a list, `rank(row, k)`, the place of an element, `taylor(x, order)`, which is 1 + x + ... + x**order / order!, and
`inside(p, t)`, which are probabilities p whose zeros are limits where t is 0 too.
"""

from collections.abc import Mapping

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Indices
from losscli.definition.loss import Axis
from losscli.records import dataclass, field


@dataclass(frozen=True)
class Reading:
    """What the names in a family's formulas are: each name, or function with its arguments, with its definition."""

    names: Mapping[str, str]
    of_probabilities: Mapping[str, str] = field(default_factory=dict)
    """Other definitions, where predictions are probabilities."""
    summed: tuple[str, ...] = ()
    """Names of vectors whose elements a formula is about: it is evaluated for each, and the loss is the sum."""


def _classes(names: Mapping[str, str]) -> dict[str, str]:
    """Return names of formulas of a row with one number per class, and what the others are called."""
    return {**names, "K": "len(predictions)", "classes": "range(0, K)", "others": "list(k for k in classes if k != y)"}


VALUE_AND_TARGET = {"y": "predictions[0]", "t": "targets[0]"}
SERIES = {"y": "predictions", "t": "targets"}
SOFTMAX = Reading(
    {"z": "predictions", "l": "z - log(sum(exp(z)))", "p": "exp(l)", "t": "targets"},
    {"p": "inside(predictions, targets)", "l": "log(p)"},
    summed=("l", "p", "t"),
)
MASK = {
    "z": "predictions",
    "p": "1 / (1 + exp(-z))",
    "t": "targets",
    "I": "sum(p * t)",
    "FP": "sum(p * (1 - t))",
    "FN": "sum((1 - p) * t)",
    "n": "len(p)",
}
COSINES = {
    "size": "sqrt(sum(predictions**2))",
    "s": "list(sum(predictions * one) / size / sqrt(sum(one**2)) for one in features)",
}
AMONG = {
    "D": "list(sqrt(sum((predictions - one)**2)) for one in features)",
    "positives": "list(k for k in range(0, len(labels)) if labels[k] == label)",
    "negatives": "list(k for k in range(0, len(labels)) if labels[k] != label)",
}
TARGET_FIRST = {"y": "0", "negatives": "range(1, len(features))"}
QUANTILES = {"x": "predictions", "t": "targets[0]", "K": "len(levels)"}
MEMBERS = {"x": "predictions", "t": "targets[0]", "M": "len(x)"}

READINGS: Mapping[str, Reading] = {
    "residual": Reading({"r": "predictions[0] - targets[0]"}),
    "relative": Reading(VALUE_AND_TARGET),
    "distribution": Reading(VALUE_AND_TARGET),
    "gaussian": Reading(VALUE_AND_TARGET | {"v": "beside[0]"}),
    "scaled": Reading(VALUE_AND_TARGET | {"s": "beside[0]"}),
    "counts": Reading(VALUE_AND_TARGET | {"a": "beside[0]"}),
    "margin": Reading({"m": "targets[0] * predictions[0]"}),
    "sigmoid": Reading(
        {"z": "predictions[0]", "t": "targets[0]", "p": "1 / (1 + exp(-z))", "q": "1 / (1 + exp(z))"},
        {"p": "predictions[0]", "q": "1 - p", "z": "log(p) - log(q)"},
    ),
    "softmax": SOFTMAX,
    "shares": SOFTMAX,
    "class-logits": Reading(_classes({"z": "predictions", "t": "targets", "series(u)": "taylor(u, order)"})),
    "long-tail": Reading(_classes({"z": "predictions", "t": "targets", "n": "counts"})),
    "ordinal": Reading(SOFTMAX.names, SOFTMAX.of_probabilities),
    "thresholds": Reading({"z": "predictions", "y": "targets[0]", "thresholds": "range(0, len(z))"}),
    "views": Reading(
        {
            "views": "range(0, 3)",
            "classes": "range(0, len(predictions) / 3)",
            "l": "list(z - log(sum(exp(z))) for z in table(predictions, len(classes)))",
            "p": "list(exp(view) for view in l)",
            "t": "list(targets[k] for k in classes)",
            "m": "list(sum(p[v][k] for v in views) / 3 for k in classes)",
        }
    ),
    "scores": Reading(_classes({"z": "predictions", "y": "label"})),
    "ranking": Reading(
        {
            "z": "predictions",
            "t": "targets",
            "K": "len(predictions)",
            "items": "range(0, K)",
            "place(all, k)": "rank(all, k)",
        }
    ),
    "pairs": Reading({"d": "targets[0] * (predictions[0] - predictions[1])"}),
    "preference": Reading(
        {"h": "targets[0] * ((predictions[0] - beside[0]) - (predictions[1] - beside[1]))"},
    ),
    "feedback": Reading({"h": "predictions[0] - beside[0]", "t": "targets[0]"}),
    "odds": Reading({"w": "predictions[0]", "l": "predictions[1]"}),
    "adversarial": Reading({"s": "predictions[0]", "t": "targets[0]"}),
    "embedding": Reading({"d": "predictions - centers[label]"}, summed=("d",)),
    "cosine": Reading({"d": "1 - cos(point * (pi / 2))"}),
    "cosine-pair": Reading({"d": "1 - cos(point * (pi / 2))", "t": "targets[0]"}),
    "pair": Reading({"D": "predictions[0]", "t": "targets[0]"}),
    "triplet": Reading(
        {"a": "predictions", "b": "targets", "n": "beside", "norm(v)": "sum(abs(v + epsilon)**p)**(1 / p)"}
    ),
    "angular": Reading(_classes({"c": "predictions", "y": "label"})),
    "batch": Reading(AMONG | COSINES),
    "paired": Reading(COSINES | TARGET_FIRST),
    "mutual": Reading(
        COSINES
        | TARGET_FIRST
        | {
            "c": "list(s[y] if k == y else sum(features[y] * sources[k]) / sqrt(sum(features[y]**2)) / sqrt(sum(sources[k]**2)) for k in range(0, len(sources)))"
        }
    ),
    "proxy": Reading(
        {
            "size": "sqrt(sum(predictions**2))",
            "d": "list(2 - 2 * sum(predictions * one) / size / sqrt(sum(one**2)) for one in centers)",
            "y": "label",
            "others": "list(k for k in range(0, len(centers)) if k != y)",
        }
    ),
    "mined": Reading(AMONG),
    "every-triplet": Reading(AMONG | {"anchors": "1", "triplets": "1"}),
    "overlap": Reading(MASK, {"p": "predictions"}),
    "class-overlap": Reading(
        {
            "p": "table(predictions, columns)",
            "t": "table(targets, columns)",
            "classes": "range(0, columns)",
            "I(c)": "sum(a[c] * b[c] for a, b in zip(p, t))",
            "P(c)": "sum(a[c] for a in p)",
            "P2(c)": "sum(a[c]**2 for a in p)",
            "T(c)": "sum(a[c] for a in t)",
            "T2(c)": "sum(a[c]**2 for a in t)",
            "w(c)": "where(T(c) > 0, 1 / T(c)**power, max(1 / T(k)**power for k in classes if T(k) > 0))",
        }
    ),
    "label-matrix": Reading(
        {
            "z": "table(predictions, columns)",
            "t": "table(targets, columns)",
            "rows": "range(0, len(t))",
            "labels": "range(0, columns)",
            "n(c)": "sum(one[c] for one in t)",
            "h(i, c)": "z[i][c] - init_bias / neg_scale * log(len(rows) / n(c) - 1)",
            "g(u)": "log(1 + exp(u)) / (1 + exp(-u))**focal_gamma",
            "r(i, c)": "1 / n(c) / sum(t[i][j] / n(j) for j in labels)",
            "w(i, c)": "map_alpha + where(sum(t[i]) > 0, 1 / (1 + exp(-map_beta * (r(i, c) - map_mu))), 1)",
        }
    ),
    "series": Reading(SERIES),
    "scaled-series": Reading(SERIES | {"s": "beside"}),
    "series-order": Reading(SERIES),
    "box": Reading(
        {
            "a": "predictions",
            "b": "targets",
            "I": "max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))",
            "U": "(a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - I",
            "C": "(max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))",
        }
    ),
    "ensemble": Reading(MEMBERS),
    "vector-ensemble": Reading({"x": "table(predictions, len(targets))", "t": "targets", "M": "len(x)"}),
    "interval": Reading({"x": "predictions", "t": "targets[0]"}),
    "quantiles": Reading(QUANTILES),
    "quantile-file": Reading(QUANTILES | {"x": "table(predictions, columns)", "t": "targets"}),
    "survival": Reading({"z": "predictions", "t": "targets", "e": "beside", "rows": "range(0, len(z))"}),
}
"""By the names of families. Of those that are not here, no loss has a formula."""

Numbers = list[float] | list[list[float]] | float
"""What stands beside predictions: the same at every point of an axis."""


@dataclass(frozen=True)
class Line:
    """The numbers that stand at the points x of an axis: each prediction is offset + rate * x, the others do not move."""

    predictions: tuple[tuple[float, float], ...] | None
    """Offset and rate of each; None if they are no such line."""
    beside: Mapping[str, Numbers]
    """The other numbers, by their names."""
    prediction_kind: str


TRIED = np.array([0.25, 0.5, 0.75, 0.875])
"""Points at which an axis is looked at. They have few digits, so that arithmetic on them is exact."""


def line_of(axis: Axis) -> Line:
    """Return the numbers that stand at the points of an axis."""
    x = TRIED if TRIED[0] in axis.domain else -TRIED
    predictions, targets, extras = axis.place(x)
    rows = np.asarray(predictions, float).reshape(len(x), -1)
    beside: dict[str, Numbers] = {}
    if isinstance(targets, Indices):
        classes = np.arange(rows.shape[1]) == targets.index[:, None]
        _keep(beside, "targets", np.where(classes, targets.on, targets.off))
        if len(set(targets.index.tolist())) == 1:
            beside["label"] = int(targets.index[0])
    elif isinstance(targets, Dense):
        _keep(beside, "targets", np.asarray(targets.t, float).reshape(len(x), -1))
    if extras.third_operand is not None:
        _keep(beside, "beside", np.asarray(extras.third_operand, float).reshape(len(x), -1))
    alone = {"counts": extras.class_counts, "levels": extras.levels, "centers": extras.centers}
    if extras.everyone is not None:
        alone |= {
            "features": extras.everyone.features,
            "labels": extras.everyone.labels,
            "sources": extras.everyone.sources,
        }
    beside |= {name: one.tolist() for name, one in alone.items() if one is not None}
    if extras.columns is not None:
        beside["columns"] = extras.columns
    return Line(_lines(x, rows), beside, extras.prediction_kind)


def _keep(beside: dict[str, Numbers], name: str, rows: Array) -> None:
    """Note a row that stands at every point."""
    if (rows == rows[0]).all():
        beside[name] = rows[0].tolist()


def _lines(x: Array, rows: Array) -> tuple[tuple[float, float], ...] | None:
    """Return offset and rate of each column."""
    rates = (rows[1] - rows[0]) / (x[1] - x[0])
    offsets = rows[0] - rates * x[0]
    if not (rows == offsets + rates * x[:, None]).all():
        return None
    return tuple((float(a), float(b)) for a, b in zip(offsets, rates, strict=True))
