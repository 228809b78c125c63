"""Pieces of libraries' own arithmetic, in NumPy and in the dtype of what they get."""

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Indices, Targets


def dense(targets: Targets, like: Array) -> Array:
    """Return targets as numbers in the dtype of `like`, for targets over classes in its shape (n, k)."""
    if isinstance(targets, Dense):
        return targets.t.astype(like.dtype)
    t = np.full(like.shape, targets.off, like.dtype)
    t[np.arange(len(t)), targets.index] = targets.on
    return t


def own(values: Array, targets: Indices) -> Array:
    """Return the value of each row's own class, shape (n,), from values of shape (n, k)."""
    return values[np.arange(len(values)), targets.index]


def log_softmax(z: Array) -> Array:
    """Return the log-probabilities of classes, shape (n, k), as libraries compute them: less the maximum and the log-sum-exp."""
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def limited(x: Array, low: float, high: float) -> Array:
    """Return numbers with those below `low` raised to it and those above `high` lowered; x may hold numbers of more digits."""
    kind = type(x.flat[0]) if x.dtype == object and x.size else x.dtype.type
    return np.asarray(np.minimum(np.maximum(x, kind(low)), kind(high)))


def converted(x: Array, given: str, wanted: str, over_classes: bool) -> Array:
    """Return predictions as another kind, as `losscli.measurement.printed` writes it: 'logits', 'probs' or 'log-probs'.

    `over_classes` says that a row is one distribution; otherwise each number is the probability of an outcome.
    """
    if given == wanted or (over_classes and {given, wanted} == {"log-probs", "logits"} and wanted == "logits"):
        return x
    if over_classes:
        if given == "logits":
            log_p = x - np.logaddexp.reduce(x, axis=1, keepdims=True)
            return log_p if wanted == "log-probs" else np.exp(log_p)
        return np.exp(x) if wanted == "probs" else np.log(x)
    if given == "logits":
        return sigmoid(x) if wanted == "probs" else -np.logaddexp(0, -x)
    p = np.exp(x) if given == "log-probs" else x
    if wanted == "logits":
        return np.log(p) - np.log1p(-p)
    return p if wanted == "probs" else np.log(p)
