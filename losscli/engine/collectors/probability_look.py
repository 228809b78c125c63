"""Whether predictions that are read as logits look like probabilities, which a pass can check at almost no cost."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.data.target_encoding import SUM_TOLERANCE
from losscli.engine.collector import BatchCollector
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job


class LookLikeProbabilities(NamedTuple):
    """Mergeable record: whether all predictions so far, which are read as logits, could be probabilities."""

    all: bool = True

    def __add__(self, other: "LookLikeProbabilities") -> "LookLikeProbabilities":  # type: ignore[override]
        return LookLikeProbabilities(self.all and other.all)


@dataclass(frozen=True)
class ProbabilityLook(BatchCollector):
    """Checks whether predictions that are read as logits lie in [0, 1], and rows over classes sum to 1.

    If they are not read as logits there is nothing to suspect.
    """

    record = LookLikeProbabilities
    exact = True
    reads_only = True

    def of(self, job: "Job", batch: "Batch") -> LookLikeProbabilities:
        return LookLikeProbabilities(_look_like_probabilities(job, batch.predictions))


def _look_like_probabilities(job: "Job", predictions: Array) -> bool:
    if job.extras.prediction_kind != "logits" or not predictions.size:
        return True
    first = predictions.reshape(-1)[0]  # which is mostly enough to tell
    if not (0 <= first <= 1 and predictions.min() >= 0 and predictions.max() <= 1):
        return False
    if job.encoding.kind == "sequences":
        predictions = predictions.reshape(-1, job.encoding.k)
    elif predictions.ndim == 1 or job.loss.family.target_type != "classes":
        return True
    return bool((np.abs(row_sums(predictions) - 1) <= SUM_TOLERANCE).all())
