"""Plain NumPy, with the stable form of each formula and its gradient by hand. One thread."""

from collections.abc import Callable
from typing import Any

import numpy as np


def prepare(
    loss: str,
    predictions: Any,
    targets: Any,
    gradient: bool = False,
    threads: int | None = None,
    **options: float,
) -> Callable[[], float]:
    """Return what computes the mean, or the mean and the gradient."""
    of = {
        "softmax-cross-entropy": softmax_cross_entropy,
        "sigmoid-cross-entropy": sigmoid_cross_entropy,
        "sigmoid-focal": sigmoid_focal,
        "huber": huber,
        "squared-error": squared_error,
    }[loss]
    return lambda: float(of(predictions, targets, gradient, **options)[0])


def softmax_cross_entropy(logits: Any, labels: Any, gradient: bool, label_smoothing: float = 0.0) -> Any:
    """Mean of log(sum(exp(z))) - z_y; the gradient is softmax minus one-hot."""
    rows, k = np.arange(len(logits)), logits.shape[1]
    shifted = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    sums = e.sum(axis=1, keepdims=True)
    value = (np.log(sums[:, 0]) - shifted[rows, labels]).mean()
    if label_smoothing:
        uniform = (np.log(sums[:, 0]) - shifted.mean(axis=1)).mean()
        value = (1 - label_smoothing) * value + label_smoothing * uniform
    if not gradient:
        return value, None
    e /= sums
    e -= label_smoothing / k
    e[rows, labels] -= 1 - label_smoothing
    e /= len(logits)
    return value, e


def sigmoid_cross_entropy(logits: Any, labels: Any, gradient: bool) -> Any:
    """Mean of max(z, 0) - z t + log(1 + exp(-|z|)); the gradient is p - t."""
    value = _sigmoid_cross_entropy(logits, labels).mean()
    return value, (1 / (1 + np.exp(-logits)) - labels) / len(logits) if gradient else None


def _sigmoid_cross_entropy(logits: Any, labels: Any) -> Any:
    return np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))


def sigmoid_focal(logits: Any, labels: Any, gradient: bool, gamma: float = 2.0) -> Any:
    """Mean of (1 - p_t)^gamma times cross-entropy, with p_t the probability of what happened."""
    each = _sigmoid_cross_entropy(logits, labels)
    p = 1 / (1 + np.exp(-logits))
    q_t = 1 - (p * labels + (1 - p) * (1 - labels))
    weight = q_t**gamma
    value = (weight * each).mean()
    if not gradient:
        return value, None
    return value, (1 - 2 * labels) * weight * (gamma * (1 - q_t) * each + q_t) / len(logits)


def huber(predictions: Any, targets: Any, gradient: bool, delta: float = 1.0) -> Any:
    """Mean of r^2 / 2, or of delta (|r| - delta / 2) beyond delta; the gradient is r, clipped."""
    r = predictions - targets
    a = np.abs(r)
    value = np.where(a <= delta, r * r / 2, delta * (a - delta / 2)).mean()
    return value, np.clip(r, -delta, delta) / len(r) if gradient else None


def squared_error(predictions: Any, targets: Any, gradient: bool) -> Any:
    """Mean of r^2; the gradient is 2 r."""
    r = predictions - targets
    return (r * r).mean(), 2 * r / len(r) if gradient else None
