"""Classwise calibration error: the mean over the classes of the calibration error of each class's probability."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.engine.classes import classes, probabilities
from losscli.engine.collector import BatchCollector
from losscli.engine.collectors.calibration_bins import BINS
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

HARD = ("index", "name", "one-hot", "binary", "signed")
"""Encodings of targets that say of each class of a row whether it is the right one."""


class ClasswiseGaps(NamedTuple):
    """Mergeable record: number of rows, and for each class and bin the sum of probabilities minus the number of rows of the class.

    Neither the number of rows in a bin nor their mean probability is needed, so that a class takes 8 bytes per bin.
    """

    rows: int
    gaps: Array

    @classmethod
    def of(cls, p: Array, holds: Array, bins: int = BINS) -> "ClasswiseGaps":
        """Return the record of probabilities, shape (n, k).

        Parameters
        ----------
        holds
            the class of each row, shape (n,), or which classes hold, booleans of shape (n, k).
        bins
            number of bins of equal width, (low, high].
        """
        n, k = p.shape
        number = p * bins
        np.ceil(number, out=number)
        number -= 1
        np.fmax(number, 0, out=number)  # also for a NaN, which is reported after the pass
        np.minimum(number, bins - 1, out=number)
        number += bins * np.arange(k)
        place = number.astype(np.intp)
        right = place[holds] if holds.ndim == 2 else place[np.arange(n), holds]
        size = bins * k
        sums = np.bincount(place.ravel(), p.ravel(), size) - np.bincount(right, minlength=size)
        return cls(n, sums.reshape(k, bins))

    def __add__(self, other: "ClasswiseGaps") -> "ClasswiseGaps":  # type: ignore[override]
        return ClasswiseGaps(self.rows + other.rows, self.gaps + other.gaps)

    @property
    def error(self) -> float:
        """The classwise ECE: the mean over classes of the mean over rows of the gap of their bin (Kull et al. 2019)."""
        return float(np.abs(self.gaps).sum(axis=1).mean() / self.rows)


def has_classwise_error(job: "Job") -> bool:
    """Whether rows have a probability of each of several classes or outputs, and hard targets."""
    hard = job.loss.family.likelihood is not None and job.encoding.kind in HARD and job.extras.temper is None
    return hard and len(job.predictions.shape) == 2 and not job.by_elements


def classwise(job: "Job", p: Array, targets: Array) -> ClasswiseGaps:
    """Return the record of probabilities, shape (n, k), and the targets of the same rows as they were read."""
    return ClasswiseGaps.of(p, job.encoding.outcomes(targets) > 0 if job.several else classes(job, targets))


@dataclass(frozen=True)
class ClasswiseBins(BatchCollector):
    """Adds up, for each class, the gaps between probabilities and labels in bins of the class's probability."""

    record = ClasswiseGaps

    def of(self, job: "Job", batch: "Batch") -> ClasswiseGaps:
        return classwise(job, probabilities(job, batch.predictions), batch.targets)

    def statistics(self, record: ClasswiseGaps) -> Mapping[str, float]:
        return {"classwise_ece": record.error}

    def described(self) -> Mapping[str, str]:
        return {
            "classwise_calibration": "mean over classes of the ece of p(class) against the fraction of rows of the class, "
            f"{BINS} bins of equal width, (low, high]; rows count 1 each"
        }
