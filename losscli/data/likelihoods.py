"""Stored likelihoods: predictions that hold the probability of what happened, one number each, and need no targets."""

import numpy as np

from losscli.data.columns import Columns
from losscli.data.dataset import Dataset
from losscli.data.target_encoding import SUM_TOLERANCE, DecodedTargets, TargetEncoding
from losscli.definition.loss import Loss
from losscli.definition.request import Request
from losscli.errors import UsageError
from losscli.io.source import ConstantSource, Source
from losscli.wording import count

MISSING = "Missing argument 'TARGETS'."
"""What a command says that needs targets and gets none."""
ROWS = 1000
"""Rows that are looked at for probabilities of classes."""


def taken_without_targets(loss: Loss, prediction_kind: str) -> bool:
    """Whether a loss can be computed of the probabilities of what happened, given as such a kind of predictions."""
    return loss.of_true_class and prediction_kind in ("probs", "log-probs")


def check_request(request: Request) -> None:
    """Raise a UsageError for a request without targets whose loss or options need some."""
    if not taken_without_targets(request.loss.declaration, request.prediction_kind):
        raise UsageError(
            f"{MISSING} {request.loss.name} goes without only for losses of the true class's probability, and with --from "
            "log-probs or --from probs"
        )
    given = {
        "--label-smoothing": request.label_smoothing,
        "--smoothing-mode": request.smoothing_mode,
        "--class-weight": request.class_weight,
        "--class-counts": request.class_counts,
        "--classes": request.classes,
        "--label-base": request.label_base,
        "--ignore-index": request.ignore_index,
        "--class-axis": request.class_axis is not None,
        "--shift": request.shift,
        "--targets-from": request.targets_from,
        "--temperature": request.temperature is not None,
        "--temperature-squared": request.temperature_squared,
    }
    option = next((name for name, value in given.items() if value), None)
    if option is not None:
        cure = "; leave padding out with --mask FILE" if option == "--ignore-index" else ""
        raise UsageError(
            f"{option} is about classes or labels, and without TARGETS predictions are one likelihood a token{cure}"
        )


def check_columns(predictions: Columns) -> None:
    """Raise a UsageError for predictions with one column per class, which need targets."""
    if predictions.operand.is_table and len(predictions.numbers) > 1:
        raise UsageError(
            f"{MISSING} {predictions.name} has {count(len(predictions.numbers), 'column')}, as of one class each; if one of them "
            f"holds the likelihoods of tokens, say {predictions.operand.text}:COLUMN"
        )


def check_numbers(request: Request, dataset: Dataset) -> None:
    """Raise a UsageError for arrays whose first rows sum to 1 over the last axis: they are probabilities of classes."""
    columns = dataset.predictions
    if columns.operand.is_table or columns.axes < 2 or columns.file_shape[-1] < 2:
        return
    source: Source = columns.operand.content
    rows = np.asarray(source.read(0, min(ROWS, source.shape[0])), np.float64)
    with np.errstate(all="ignore"):
        sums = (rows if request.prediction_kind == "probs" else np.exp(rows)).sum(axis=-1)
    if sums.size and (np.abs(sums - 1) <= SUM_TOLERANCE).all():
        raise UsageError(
            f"{MISSING} {columns.name}: shape {columns.file_shape}, and the probabilities along its last axis sum to 1, as those of "
            f"classes do; if each is the likelihood of a token, save it as ({int(np.prod(columns.file_shape))},)"
        )


def decoded(predictions: Source) -> DecodedTargets:
    """Return targets that say of every prediction that it is the probability of what happened."""
    encoding = TargetEncoding("none", "indices", 1)
    return DecodedTargets(ConstantSource(0.0, predictions.shape[:1], np.dtype(np.int64)), encoding)
