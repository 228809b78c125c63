"""The loss of the best constant prediction as a library computes it: by its formula, for each kind of target once."""

import numpy as np

from losscli.arrays import Array, times
from losscli.definition.batch import Dense, Indices, Targets
from losscli.elementary import log1p
from losscli.engine.collectors.baseline import Baseline, ClassCounts, Frequencies, Signs
from losscli.engine.job import Job

LINEAR = 1e-6
"""How far, as a part of itself, a loss of a soft target may be from the mean of those of labels."""


def sums_of_library(job: Job, record: Baseline, prediction: Array, own: Array) -> Array | None:
    """Return the weighted losses of a constant prediction, summed over rows, one for each output, by a job's convention.

    None if a record of the targets is not enough for it.

    Parameters
    ----------
    prediction
        the constant: a number for each output, a score, or the probability of each class or outcome.
    own
        its sums by losscli's own loss.
    """
    convention = job.convention
    if convention.core is not None or convention.bounds or convention.pairs or convention.skips_zeros:
        return None
    with np.errstate(all="ignore"):
        if convention.formula is None and convention.clip is None and convention.labels is None:
            return own * convention.scale
        if isinstance(record, ClassCounts):
            every = np.arange(len(record.own))
            return np.array([times(record.own, losses(job, prediction, Indices(every, record.on, record.off))).sum()])
        if isinstance(record, Frequencies):
            return of_frequencies(job, record, prediction)
        if isinstance(record, Signs):
            return of_signs(job, record, prediction)
    return None


def losses(job: Job, prediction: Array, targets: Targets) -> Array:
    """Return the losses of rows that all have one prediction, shape (n,) or (n, k)."""
    rows = len(targets.index if isinstance(targets, Indices) else targets.t)
    x = np.broadcast_to(prediction, (rows, *prediction.shape))
    family, kind = job.loss.family, job.extras.prediction_kind
    if family.takes_from and kind != "probs":
        x = np.log(x) - log1p(-x) if kind == "logits" and family.target_type == "outcomes" else np.log(x)
    x = x.astype(job.dtype)
    formula = job.convention.formula
    if formula is None:
        values, _ = job.loss(x, targets, job.extras, False)
    else:
        values = formula(x, targets, job.extras, job.loss.parameters)
    return np.asarray(values).astype(np.float64) * job.convention.scale


def of_frequencies(job: Job, record: Frequencies, prediction: Array) -> Array | None:
    """Return the sums for targets that are linear in the loss: of outcomes, or of classes."""
    k = len(record.positive)
    if record.negative is not None:
        one = np.ones((1, k), job.dtype)
        positive, negative = (losses(job, prediction, Dense(t, 1 - t))[0] for t in (one, 0 * one))
        return times(record.positive, positive) + times(record.negative, negative)
    each = losses(job, prediction, Dense(np.eye(k)))
    mixed = losses(job, prediction, Dense(np.full((1, k), 1 / k)))[0]
    if record.constant.any() or not abs(mixed - each.mean()) <= LINEAR * abs(mixed):
        return None
    return np.array([times(record.positive, each).sum()])


def of_signs(job: Job, record: Signs, prediction: Array) -> Array | None:
    """Return the sums for labels of two kinds, if the library reads them as -1 and 1."""
    labels = np.array([-1, 1] if job.encoding.kind == "signed" else [0, 1])
    targets = job.encoding.targets(np.repeat(labels[:, None], len(prediction), axis=1))
    assert isinstance(targets, Dense)
    if not (np.abs(targets.t) == 1).all():
        return None
    negative, positive = losses(job, prediction, targets)
    return times(record.positive, positive) + times(record.negative, negative)
