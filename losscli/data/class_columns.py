"""Whether all columns of predictions are classes, where labels or the name of the targets' column tell."""

import re

import numpy as np

from losscli.data import doubts
from losscli.data.dataset import LIKELY_IDS, Dataset
from losscli.data.doubts import Doubt
from losscli.data.target_encoding import IGNORED, SUM_TOLERANCE, DecodedTargets
from losscli.definition.request import Request
from losscli.io.source import Recoded, Source
from losscli.losses import declared
from losscli.numerals import is_count

FEW = 2
"""Labels of fewer classes than this tell nothing about the other columns."""
MANY = 10
"""Where labels name so many classes, and more columns than that have none, they are the labels of few rows and of many classes:
what a tool adds to classes are a few columns.
"""
ABOUT_ALL = frozenset(
    [
        "total",
        "sum",
        "max",
        "maximum",
        "min",
        "minimum",
        "mean",
        "avg",
        "average",
        "margin",
        "conf",
        "confidence",
        "entropy",
        "top",
        "best",
        "pred",
        "prediction",
        "predicted",
        "label",
        "target",
        "weight",
        "fold",
        "index",
        "id",
        "count",
        "norm",
        "std",
        "loss",
        "score",
        "threshold",
        "error",
    ]
)
"""Names of columns, behind a beginning that all share, that speak of all classes together, or of the row: score_total."""
ROWS = 100
"""Rows whose probabilities are added up to see whether all columns are classes."""


def about_name(request: Request, dataset: Dataset) -> Doubt | None:
    """Return the doubt about a column of predictions that is called like the column of targets; None if there is none.

    Losses of one number per row have a target of the same name as their prediction, thus there must be several columns.
    Columns that are numbered, as pandas does where nobody names them, are all alike.
    """
    predictions, targets = dataset.predictions, dataset.targets
    if _are_said(request, dataset) or targets is None or predictions.names is None:
        return None
    if (
        len(predictions.names) < 2
        or targets.names is None
        or len(targets.names) != 1
        or _are_numbered(predictions.names)
    ):
        return None
    if targets.names[0] not in predictions.names or targets.height != predictions.height:
        return None  # other numbers of rows are an error of their own
    column = predictions.names.index(targets.names[0])
    return doubts.about_name_of_targets(predictions.name, targets.name, column, predictions.names)


def about_two_columns(request: Request, dataset: Dataset) -> Doubt | None:
    """Return the doubt about two columns with one label per row, under a loss that takes each column for an outcome.

    Two columns are nearly always the two classes of one outcome, and its loss is that of their softmax, or that of one
    of them.
    """
    family, predictions, targets = request.loss.family, dataset.predictions, dataset.targets
    if _are_said(request, dataset) or targets is None or family.target_type != "outcomes" or not family.several_outputs:
        return None
    shape = predictions.shape
    if len(shape) != 2 or shape[1] != 2 or targets.shape not in (shape[:1], (shape[0], 1)):
        return None
    if any(name.lower() in LIKELY_IDS for name in predictions.names or ()):
        return None  # it is one score and a key, which is another doubt
    over_classes = request.loss.name.replace("sigmoid-", "softmax-")
    over_classes = over_classes if declared(over_classes) is not None else "softmax-cross-entropy"
    return doubts.about_two_columns(
        predictions.name, request.loss.name, over_classes, doubts.called(predictions.names, 1)
    )


def about_classes(request: Request, dataset: Dataset, predictions: Source, decoded: DecodedTargets) -> Doubt | None:
    """Return the doubt about columns that no label names, where labels are the names of columns; None if there is none.

    All columns are classes if the user has named them, if they are numbered or share a word before their numbers, or if the
    probabilities of all of them, and not of fewer, sum to 1. If all share a prefix that the labels do not have, they are classes as
    well, but for names such as score_total. A column without a name is a doubt of its own, which is settled by then.
    """
    names = predictions.columns
    if _are_said(request, dataset) or dataset.targets is None or names is None:
        return None
    if not _names_classes(request, decoded) or len(names) < 2 or _are_numbered(names) or _share_a_word(names):
        return None
    assert isinstance(decoded.source, Recoded)
    named = set(decoded.source.numbers.tolist()) - {IGNORED}
    spare = [i for i, name in enumerate(names) if i not in named and name not in ("", request.ignore_index)]
    if decoded.matched != "by name":
        spare = [i for i in spare if re.split(r"\W|_", names[i].lower())[-1] in ABOUT_ALL]
    if len(named) < FEW or not spare or _sum_to_one(predictions):
        return None
    if len(spare) > len(named) >= MANY:
        return None
    return doubts.about_unexplained_classes(predictions.name, dataset.targets.name, spare, names)


def _are_said(request: Request, dataset: Dataset) -> bool:
    """Whether the user has named the classes, or the columns of predictions."""
    return request.classes is not None or dataset.picked_by_name


def _names_classes(request: Request, decoded: DecodedTargets) -> bool:
    """Whether labels are the names of the predictions' columns, as they are written or without a beginning that all share."""
    family = request.loss.family
    if family.coupled == "rows" or family.takes_centers:
        return False  # columns are features
    by_name = decoded.encoding.kind == "name" and (decoded.matched or "").startswith("by name")
    return by_name and isinstance(decoded.source, Recoded)


def _share_a_word(names: tuple[str, ...]) -> bool:
    """Whether columns are called by one word and numbers: c7, c12."""
    words = {name.rstrip("0123456789") for name in names}
    return len(words) == 1 and "" not in words and all(name[-1] in "0123456789" for name in names)


def _are_numbered(names: tuple[str, ...]) -> bool:
    """Whether columns are called 0, 1, 2 ... or 1, 2, 3 ..., in any order."""
    if not all(map(is_count, names)):
        return False
    numbers = sorted(int(name) for name in names)
    return numbers in (list(range(len(names))), list(range(1, len(names) + 1)))


def _sum_to_one(predictions: Source) -> bool:
    """Whether the first rows are probabilities, or their logarithms, of which those of all columns sum to 1."""
    rows = np.asarray(predictions.read(0, min(ROWS, predictions.shape[0])), np.float64)
    if not len(rows):
        return False
    shares = rows if (rows >= 0).all() else np.exp(rows)
    return bool((np.abs(shares.sum(axis=1) - 1) <= SUM_TOLERANCE).all())
