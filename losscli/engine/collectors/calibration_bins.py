"""Calibration errors: the difference between accuracy and confidence of predictions, in bins of confidence."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.engine.classes import classes, probabilities
from losscli.engine.collector import BatchCollector
from losscli.errors import UsageError
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

BINS = 15
MOST_ELEMENTS = 4_000_000
"""Number of predictions up to which the errors are computed without being asked for: beyond,
they would slow the pass down.
"""
P_POSITIVE, P_PREDICTED = "p(positive)", "p(predicted)"
"""What calibration errors are of, in words: the probability of the positive class, or of the predicted one."""
AGAINST = {P_POSITIVE: "the fraction of positives", P_PREDICTED: "the fraction of right predictions"}
"""What each of them is compared with."""


class Bins(NamedTuple):
    """Mergeable record, per bin of probability: number of rows, sum of probabilities, and number of rows in which what has
    this probability is true.
    """

    rows: Array
    confidence: Array
    right: Array

    @classmethod
    def of(cls, job: "Job", batch: "Batch", positive: bool = False) -> "Bins":
        """Return the record of a batch of predictions and labels; see `Judge`."""
        if job.extras.prediction_kind == "logits" and batch.predictions.ndim == 2 and not positive:
            confidence, right = _of_logits(batch.predictions, classes(job, batch.targets))
        else:
            verdicts = Judge(positive).of(job, batch)
            confidence, right = verdicts.confidence, verdicts.right
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
        """Return ECE, the mean over rows of the gap of their bin, and MCE, the largest gap of any bin. A gap is the absolute
        difference between the mean probability and the fraction of rows in which what has it is true.
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


def of_positive(job: "Job", form: str | None) -> bool:
    """Whether calibration errors are of the positive class's probability, and not of the predicted class's.

    Parameters
    ----------
    form
        a `ReliabilityForm`, or None for the usual one: 'positive' for predictions of one number, 'predicted' for several classes.

    Raises
    ------
    UsageError
        if the positive class is asked for, and there are more than two.
    """
    classes = 2 if len(job.predictions.shape) == 1 or job.several else job.predictions.shape[1]
    if form == "positive" and classes != 2:
        raise UsageError(
            f"--reliability-of positive: {job.predictions.name} has {classes:,} classes, none of which is the positive one; "
            "leave it out, or say predicted"
        )
    return form == "positive" if form is not None else len(job.predictions.shape) == 1 or job.several


class Verdicts(NamedTuple):
    """For each row a probability, and whether what has this probability is true."""

    confidence: Array
    right: Array


@dataclass(frozen=True)
class CalibrationBins(BatchCollector):
    """Counts rows in bins of the positive class's probability, or of the predicted class's."""

    positive: bool = False

    record = Bins

    def of(self, job: "Job", batch: "Batch") -> Bins:
        return Bins.of(job, batch, self.positive)

    def described(self) -> Mapping[str, str]:
        of = P_POSITIVE if self.positive else P_PREDICTED
        return {
            "calibration": f"{of} against {AGAINST[of]}, {BINS} bins of equal width, (low, high]; rows count 1 each"
        }

    def titles(self) -> Mapping[str, str]:
        of = P_POSITIVE if self.positive else P_PREDICTED
        return {"ece": f"ece of {of}", "mce": f"mce of {of}"}

    def statistics(self, record: Bins) -> dict[str, float]:
        return record.statistics()


@dataclass(frozen=True)
class Judge:
    """Finds a probability of every row: that of the predicted class, or of the positive one.

    Of two outcomes the positive one is predicted if its probability is above 1/2; of several classes with the
    largest probability, the first. For the positive class, outputs of a row count one by one.
    """

    positive: bool = False

    def of(self, job: "Job", batch: "Batch") -> Verdicts:
        """Return the verdicts on a batch."""
        p = probabilities(job, batch.predictions)
        if self.positive and job.several:
            return Verdicts(p.ravel(), job.encoding.outcomes(batch.targets).ravel() > 0)
        true = classes(job, batch.targets)
        if self.positive:
            return Verdicts(p if p.ndim == 1 else p[:, 1], true == 1)
        if p.ndim == 1:
            return Verdicts(np.maximum(p, 1 - p), (p > 0.5) == (true == 1))
        predicted = batch.predictions.argmax(axis=1)
        return Verdicts(p[np.arange(len(p)), predicted], predicted == true)
