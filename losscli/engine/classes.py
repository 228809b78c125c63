"""The classes of rows: which one a label names, which one predictions choose, and how probable it was."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.losses.probability import OfLogit
from losscli.losses.softmax import log_softmax

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job


def predicted(job: "Job", predictions: Array) -> Array:
    """The class that each row predicts: the likeliest one, or of two outcomes whether the positive one is."""
    if predictions.ndim == 2 and (job.encoding.one_hot or not job.several):
        return predictions.argmax(axis=1)
    limit = {"probs": 0.5, "log-probs": np.log(0.5)}.get(job.extras.prediction_kind, 0.0)
    return (predictions > limit).astype(np.int64)


def names_classes(job: "Job") -> bool:
    """Whether each row has one class, and its predictions one."""
    form, family = job.encoding, job.loss.family
    hard = form.kind in ("index", "name", "one-hot", "binary", "signed")
    columns = len(job.predictions.shape) == 1 or job.predictions.shape[1] == form.k
    return hard and columns and family.takes_classes and not family.takes_centers and (not job.several or form.one_hot)


def confusion(label: Array, guess: Array, k: int) -> Array:
    """The same of the labels and the predicted classes of some rows, shape (k, k)."""
    return np.bincount(label * k + guess, minlength=k * k).reshape(k, k)


def has_names(job: "Job") -> bool:
    """Whether labels meet columns by name, so that neither the order of columns nor a base has a bearing."""
    return job.encoding.kind == "name"


def groups_of(job: "Job") -> str | None:
    """What rows can be grouped by: 'classes', 'outputs', or None where targets name neither."""
    form = job.encoding
    if job.loss.family.coupled in ("masks", "file"):
        return None
    if form.stored_as == "indices" or form.kind == "one-hot" or form.one_hot:
        return "classes"
    if job.several:
        return "outputs"
    one_a_row = len(job.targets.shape) == 1
    return "classes" if form.stored_as in ("signs", "outcomes") and form.kind != "soft" and one_a_row else None


def has_confidence(job: "Job") -> bool:
    """Whether predictions give the probability of what happened, and targets say what did."""
    return job.loss.family.likelihood is not None and job.encoding.kind != "soft"


def contributions(batch: "Batch") -> Array:
    losses = batch.losses.astype(np.float64)
    return losses if batch.weights is None else np.where(batch.weights == 0, 0, batch.weights * losses)


def classes(job: "Job", targets: Array) -> Array:
    """The class of each row, shape (n,), for targets that name one."""
    if job.encoding.kind == "one-hot":
        return targets.argmax(axis=1)
    if job.encoding.stored_as == "indices" or job.encoding.one_hot:
        return targets.astype(np.int64)
    return job.encoding.outcomes(targets).astype(np.int64)


def probabilities(job: "Job", x: Array) -> Array:
    """The probability of each class or output, (n, k), or of the positive outcome, (n,), in float64."""
    wide = x.astype(np.float64)
    if job.extras.prediction_kind != "logits":
        return np.exp(wide) if job.extras.prediction_kind == "log-probs" else wide
    with np.errstate(all="ignore"):
        return np.asarray(OfLogit(wide).p if wide.ndim == 1 or job.several else log_softmax(wide).p)
