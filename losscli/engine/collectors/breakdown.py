"""What the pictures of a file's losses are made of: kept on the one pass that computes them, in flat memory."""

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
"""Bins of equal width of the probability of the true class."""
PER_OCTAVE = 6
"""Bins of the loss for each doubling."""
OCTAVES = (-60, 40)
"""Losses from 2^-60 to 2^40 have bins of their own; the first bin also holds 0 and less, the last one infinity."""


def loss_edges() -> Array:
    """Edges of the bins of the loss; the first is 0."""
    inner = 2.0 ** (np.arange(OCTAVES[0] * PER_OCTAVE, OCTAVES[1] * PER_OCTAVE + 1) / PER_OCTAVE)
    return np.concatenate([[0.0], inner])


@dataclass(frozen=True)
class Profile:
    """Mergeable record: losses by group and by confidence, and what each row contributes to the total.

    `rows` and `sums` have one entry a group, a class or an output; `joint` is counts of confidence x loss.
    """

    rows: Array | None
    sums: Array | None
    joint: Array | None
    contributions: Quantiles | None
    """Weight times loss of each row, where there are weights."""

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
        p = np.clip(np.nan_to_num(true_class_chance(job, batch).reshape(-1)), 0, 1)  # NaN is reported after the pass
        along = np.minimum((p * CONFIDENCES).astype(np.int64), CONFIDENCES - 1)
        edges = len(loss_edges())
        positive = values > 0
        octave = np.log2(values, out=np.full_like(values, -np.inf), where=positive)
        up = np.clip(np.floor((octave - OCTAVES[0]) * PER_OCTAVE), -1, edges - 2).astype(np.int64) + 1
        return np.bincount(along * edges + up, minlength=CONFIDENCES * edges).reshape(CONFIDENCES, edges)


def true_class_chance(job: "Job", batch: "Batch") -> Array:
    """The probability of what happened, in the shape of the losses before outputs are combined."""
    likelihood = find(str(job.loss.family.likelihood)).bind()
    hard = replace(job.encoding, smoothing=None).targets(batch.targets)
    extras = job.extras._replace(pos_weight=None)
    return np.exp(-likelihood(batch.predictions, hard, extras)[0].astype(np.float64))


def concentration(values: Array, counts: Array) -> tuple[Array, Array]:
    """The share of the total that the worst part of the rows carries, both from 0 to 1.

    Parameters
    ----------
    values, counts
        losses in ascending order, none of them negative and their sum positive, and how often each occurs.
    """
    rows = np.concatenate([[0], np.cumsum(counts[::-1])])
    carried = np.concatenate([[0.0], np.cumsum((values * counts)[::-1])])
    return rows / rows[-1], carried / carried[-1]
