"""scikit-learn: `log_loss` of probabilities, which SciPy makes of the logits first."""

from collections.abc import Callable
from typing import Any

from scipy.special import expit, softmax
from sklearn.metrics import log_loss


def prepare(
    loss: str, predictions: Any, targets: Any, gradient: bool = False, threads: int | None = None
) -> Callable[[], float]:
    """Return what computes the mean."""
    if loss == "softmax-cross-entropy":
        return lambda: log_loss(targets, softmax(predictions, axis=1), labels=range(predictions.shape[1]))
    return lambda: log_loss(targets, expit(predictions))
