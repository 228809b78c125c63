"""Pieces of libraries' own arithmetic, in NumPy and in the dtype of what they get."""

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Dense, Indices, Sequences, Targets
from losscli.elementary import log1p


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
        return np.log(p) - log1p(-p)
    return p if wanted == "probs" else np.log(p)


def steps_of(p: Array, classes: int | None, kind: str) -> Array:
    """Return log-probabilities, shape (samples, time, classes), of rows of logits or of what is taken for logits."""
    assert classes is not None
    return log_softmax(converted(p.reshape(-1, classes), kind, "logits", True)).reshape(
        len(p), p.shape[1] // classes, classes
    )


def ctc(log_p: Array, t: Sequences, blank: int) -> Array:
    """Return minus the logarithm of the sum over all alignments of each sample, in the dtype of the log-probabilities."""
    n, count, _ = log_p.shape
    exists = np.arange(t.labels.shape[1]) < t.lengths[:, None]
    classes = np.full((n, 2 * exists.shape[1] + 1), blank)  # a blank before each label and one after the last
    classes[:, 1::2] = np.where(exists, t.labels, blank)
    skips = np.zeros(classes.shape, bool)
    skips[:, 3::2] = classes[:, 3::2] != classes[:, 1:-2:2]
    none = log_p.dtype.type(-np.inf)
    paths = np.full(
        (n, classes.shape[1] + 2), none, log_p.dtype
    )  # with two states before the first, which nothing reaches
    paths[:, 2] = 0
    for step in range(count):
        before = np.logaddexp(paths[:, 2:], paths[:, 1:-1]) if step else paths[:, 2:]
        before = np.logaddexp(before, np.where(skips, paths[:, :-2], none)) if step else before
        if not step and classes.shape[1] > 1:
            before = before.copy()
            before[:, 1] = 0
        paths[:, 2:] = before + np.take_along_axis(log_p[:, step], classes, axis=1)
    ends = 2 * t.lengths[:, None] + 2
    last = np.where(t.lengths > 0, np.take_along_axis(paths, ends - 1, axis=1)[:, 0], none)
    return np.asarray(-np.logaddexp(np.take_along_axis(paths, ends, axis=1)[:, 0], last))
