"""Calibration errors: the difference between accuracy and confidence of predictions, in bins of confidence."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.engine.classes import classes, probabilities
from losscli.engine.collector import BatchCollector

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

BINS = 15
MOST_ELEMENTS = 4_000_000
"""Number of predictions up to which the errors are computed without being asked for: beyond,
they would slow the pass down.
"""
DESCRIBED = f"{BINS} bins of equal width, (low, high], of the predicted class's probability; rows count 1 each"


class Bins(NamedTuple):
    """Mergeable record, per bin of confidence: number of rows, sum of confidences, and number of right predictions."""

    rows: Array
    confidence: Array
    right: Array

    @classmethod
    def of(cls, job: "Job", batch: "Batch") -> "Bins":
        """Return the record of a batch of predictions and labels; see `Judge`."""
        if job.extras.prediction_kind == "logits" and batch.predictions.ndim == 2:
            confidence, right = _of_logits(batch.predictions, classes(job, batch.targets))
        else:
            verdicts = Judge().of(job, batch)
            confidence, right = verdicts.confidence[0], verdicts.right[0]
        # A NaN is reported after the pass.
        index = np.clip(np.ceil(np.nan_to_num(confidence) * BINS).astype(np.int64) - 1, 0, BINS - 1)
        return cls(
            np.bincount(index, minlength=BINS),
            np.bincount(index, confidence, BINS),
            np.bincount(index, right, BINS),
        )

    def __add__(self, other: "Bins") -> "Bins":  # type: ignore[override]
        return Bins(self.rows + other.rows, self.confidence + other.confidence, self.right + other.right)

    def statistics(self) -> dict[str, float]:
        """Return ECE, the mean over rows of |accuracy - confidence| of their bin, and MCE, the largest one
        of any bin.
        """
        held = self.rows > 0
        gaps = np.abs(self.right[held] - self.confidence[held])
        return {"ece": float(gaps.sum() / self.rows.sum()), "mce": float((gaps / self.rows[held]).max())}


def _of_logits(logits: Array, true: Array) -> tuple[Array, Array]:
    """Return the largest probability of each row, in the logits' own dtype, and whether it is that of
    the true class.
    """
    rows, top = np.arange(len(logits)), logits.argmax(axis=1)
    peak = logits[rows, top]
    with np.errstate(all="ignore"):
        total = row_sums(np.exp(logits - peak[:, None]))
    return np.where(np.isinf(peak), 1.0, 1 / total), top == true


def applies(job: "Job") -> bool:
    """Whether predictions are probabilities, as they were read, of labels of which exactly one is right."""
    encoding = job.encoding
    if job.loss.family.likelihood is None or job.several or job.extras.temper is not None:
        return False
    return encoding.kind in ("index", "name", "one-hot", "binary", "signed")


@dataclass(frozen=True)
class Verdicts:
    """Mergeable record: for each row the confidence of the predicted class, and whether this class is the true one."""

    confidence: tuple[Array, ...]
    right: tuple[Array, ...]

    def __add__(self, other: "Verdicts") -> "Verdicts":
        return Verdicts(self.confidence + other.confidence, self.right + other.right)


@dataclass(frozen=True)
class CalibrationBins(BatchCollector):
    """Counts rows in bins of confidence."""

    record = Bins
    described = MappingProxyType({"calibration": DESCRIBED})

    def of(self, job: "Job", batch: "Batch") -> Bins:
        return Bins.of(job, batch)

    def statistics(self, record: Bins) -> dict[str, float]:
        return record.statistics()


@dataclass(frozen=True)
class Judge(BatchCollector):
    """Keeps the confidence of every row: the largest probability, whose class is the predicted one.

    Of two outcomes the positive one is predicted if its probability is above 1/2; of several classes with the
    largest probability, the first.
    """

    record = Verdicts

    def of(self, job: "Job", batch: "Batch") -> Verdicts:
        true, p = classes(job, batch.targets), probabilities(job, batch.predictions)
        if p.ndim == 1:
            return Verdicts((np.maximum(p, 1 - p),), ((p > 0.5) == (true == 1),))
        predicted = batch.predictions.argmax(axis=1)
        return Verdicts((p[np.arange(len(p)), predicted],), (predicted == true,))
