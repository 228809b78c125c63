"""The numbers behind the pictures of a file's losses, kept on the pass that computes the losses, in constant memory."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.engine.aggregates import Quantiles
from losscli.engine.classes import classes, contributions
from losscli.engine.collector import BatchCollector
from losscli.losses import find

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

CONFIDENCES = 50
"""Number of bins of equal width for the probability of the true class."""
PER_OCTAVE = 6
"""Number of bins for each doubling of the loss."""
OCTAVES = (-60, 40)
"""Losses from 2^-60 to 2^40 have bins of their own; the first bin also holds 0 and less, the last one infinity."""


def loss_edges() -> Array:
    """Return the edges of the bins of the loss, ascending; the first is 0."""
    inner = 2.0 ** (np.arange(OCTAVES[0] * PER_OCTAVE, OCTAVES[1] * PER_OCTAVE + 1) / PER_OCTAVE)
    return np.concatenate([[0.0], inner])


@dataclass(frozen=True)
class Profile:
    """Mergeable record: losses by group and by confidence, and the contribution of each row to the total.

    `rows` and `sums` are the number of rows and the sum of losses of each group, which is a class or an output; `joint`
    counts rows by confidence (rows) and loss (columns).
    """

    rows: Array | None
    sums: Array | None
    joint: Array | None
    contributions: Quantiles | None
    """Weight times loss of each row, if there are weights."""

    def __add__(self, other: "Profile") -> "Profile":
        def both(mine: Array | None, theirs: Array | None) -> Array | None:
            return None if mine is None or theirs is None else mine + theirs

        total = self.contributions + other.contributions if self.contributions and other.contributions else None
        rows, sums = both(self.rows, other.rows), both(self.sums, other.sums)
        return Profile(rows, sums, both(self.joint, other.joint), total)


@dataclass(frozen=True)
class Profiler(BatchCollector):
    """Makes a Profile of each batch of a job."""

    record = Profile

    groups: str | None
    confidence: bool
    weighted: bool

    def of(self, job: "Job", batch: "Batch") -> Profile:
        rows, sums = self._grouped(job, batch)
        return Profile(
            rows,
            sums,
            self._joint(job, batch) if self.confidence else None,
            Quantiles.of(contributions(batch)) if self.weighted else None,
        )

    def _grouped(self, job: "Job", batch: "Batch") -> tuple[Array | None, Array | None]:
        if self.groups == "outputs":
            values = batch.values.astype(np.float64)
            return np.full(values.shape[1], len(values)), values.sum(axis=0)
        if self.groups == "classes":
            index = classes(job, batch.targets)
            return np.bincount(index, minlength=job.encoding.k), np.bincount(index, batch.losses, job.encoding.k)
        return None, None

    def _joint(self, job: "Job", batch: "Batch") -> Array:
        values = batch.values.reshape(-1).astype(np.float64)
        p = np.clip(np.nan_to_num(true_class_chance(job, batch).reshape(-1)), 0, 1)  # a NaN is reported after the pass
        along = np.minimum((p * CONFIDENCES).astype(np.int64), CONFIDENCES - 1)
        edges = len(loss_edges())
        positive = values > 0
        octave = np.log2(values, out=np.full_like(values, -np.inf), where=positive)
        up = np.clip(np.floor((octave - OCTAVES[0]) * PER_OCTAVE), -1, edges - 2).astype(np.int64) + 1
        return np.bincount(along * edges + up, minlength=CONFIDENCES * edges).reshape(CONFIDENCES, edges)


def true_class_chance(job: "Job", batch: "Batch") -> Array:
    """Return the probability of what happened, in the shape that losses have before outputs are combined."""
    likelihood = find(str(job.loss.family.likelihood)).bind()
    hard = replace(job.encoding, smoothing=None).targets(batch.targets)
    extras = job.extras._replace(pos_weight=None)
    return np.exp(-likelihood(batch.predictions, hard, extras)[0].astype(np.float64))


def concentration(values: Array, counts: Array) -> tuple[Array, Array]:
    """Return the shares of rows and of the total, both ascending from 0 to 1: the worst share
    of the rows carries this share.

    Parameters
    ----------
    values
        losses in ascending order, none of them negative and their sum positive, shape (m,).
    counts
        how often each of them occurs, shape (m,).
    """
    rows = np.concatenate([[0], np.cumsum(counts[::-1])])
    carried = np.concatenate([[0.0], np.cumsum((values * counts)[::-1])])
    return rows / rows[-1], carried / carried[-1]
