"""The classes of rows: the class that a label names, the class that predictions choose, and its probability."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.losses.probability import OfLogit
from losscli.losses.softmax import log_softmax

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job


def predicted(job: "Job", predictions: Array) -> Array:
    """Return the class that each row predicts, shape (n,).

    This is the class with the largest prediction or, of two outcomes, 1 if the positive
    one has a probability above 1/2.
    """
    if predictions.ndim == 2 and (job.encoding.one_hot or not job.several):
        return predictions.argmax(axis=1)
    limit = {"probs": 0.5, "log-probs": np.log(0.5)}.get(job.extras.prediction_kind, 0.0)
    return (predictions > limit).astype(np.int64)


def names_classes(job: "Job") -> bool:
    """Whether each row has exactly one true class, and its predictions choose exactly one."""
    encoding, family = job.encoding, job.loss.family
    hard = encoding.kind in ("index", "name", "one-hot", "binary", "signed")
    columns = len(job.predictions.shape) == 1 or job.predictions.shape[1] == encoding.k
    return (
        hard and columns and family.takes_classes and not family.takes_centers and (not job.several or encoding.one_hot)
    )


def confusion(label: Array, guess: Array, k: int) -> Array:
    """Return how often each class (column) is predicted for each label (row), shape (k, k)."""
    return np.bincount(label * k + guess, minlength=k * k).reshape(k, k)


def has_names(job: "Job") -> bool:
    """Whether labels are matched with columns by name; then the order of columns and the label base do not matter."""
    return job.encoding.kind == "name"


def groups_of(job: "Job") -> str | None:
    """Return by what rows can be grouped: 'classes', 'outputs', or None if the targets tell neither."""
    encoding = job.encoding
    if job.loss.family.coupled in ("masks", "file") or encoding.kind == "none":
        return None
    if encoding.stored_as == "indices" or encoding.kind == "one-hot" or encoding.one_hot:
        return "classes"
    if job.several:
        return "outputs"
    single_target = len(job.targets.shape) == 1
    return (
        "classes" if encoding.stored_as in ("signs", "outcomes") and encoding.kind != "soft" and single_target else None
    )


def has_confidence(job: "Job") -> bool:
    """Whether predictions give the probability of what happened, and targets say what happened."""
    return job.loss.family.likelihood is not None and job.encoding.kind not in ("soft", "none")


def contributions(batch: "Batch") -> Array:
    """Return weight times loss of each row, shape (n,), in float64."""
    losses = batch.losses.astype(np.float64)
    return losses if batch.weights is None else np.where(batch.weights == 0, 0, batch.weights * losses)


def classes(job: "Job", targets: Array) -> Array:
    """Return the class of each row, shape (n,), for targets that name one."""
    if job.encoding.kind == "one-hot":
        return targets.argmax(axis=1)
    if job.encoding.stored_as == "indices" or job.encoding.one_hot:
        return targets.astype(np.int64)
    return job.encoding.outcomes(targets).astype(np.int64)


def probabilities(job: "Job", x: Array) -> Array:
    """Return the probability of each class or output, (n, k), or of the positive outcome, (n,), in float64."""
    wide = x.astype(np.float64)
    if job.extras.prediction_kind != "logits":
        return np.exp(wide) if job.extras.prediction_kind == "log-probs" else wide
    with np.errstate(all="ignore"):
        return np.asarray(OfLogit(wide).p if wide.ndim == 1 or job.several else log_softmax(wide).p)
