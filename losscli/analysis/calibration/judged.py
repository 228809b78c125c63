"""Scores of predictions after a calibration map, and confidences of predictions as they are."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.analysis.calibration.maps import CalibrationMap, log_softmax
from losscli.analysis.calibration.scores import Confidences, Form, Scores
from losscli.analysis.calibration.temperature import Elements, Point, Probabilities
from losscli.engine.collector import BatchCollector
from losscli.engine.collectors.calibration_bins import Judge
from losscli.records import dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job


@dataclass(frozen=True)
class Judged(BatchCollector):
    """Scores of each batch after a calibration map. A true class of probability 0 has an infinite cross-entropy."""

    record = Scores

    map: CalibrationMap
    bins: int
    positive: bool
    """Whether calibration errors are of the positive class's probability."""

    def of(self, job: "Job", batch: "Batch") -> Scores:
        x, true, w, _, outputs = Elements.of(job, batch)
        z = self.map.logits(x.reshape(-1, outputs) if job.several and outputs else x)
        with np.errstate(invalid="ignore"):
            gaps = z - np.take_along_axis(z, true[:, None], axis=1)
        np.put_along_axis(gaps, true[:, None], 0, axis=1)
        impossible = ~(gaps < np.inf).all(axis=1)
        gaps[impossible] = 0
        chances = Probabilities.of(Point(), gaps, true)
        if impossible.any():
            chances.loss[impossible] = np.inf
            chances.p[impossible] = np.exp(log_softmax(z[impossible]))
            chances.top[impossible] = z[impossible].argmax(axis=1)
        form = Form(self.positive, outputs)
        return Scores.of(chances.loss, chances.p, chances.top, true, w, outputs is not None, self.bins, form)


@dataclass(frozen=True)
class JudgedAsTheyAre(BatchCollector):
    """Confidences of predictions as they are, which of many rows are counted in cells, so that memory does not grow with them."""

    record = Confidences

    bins: int
    judge: Judge
    """Whose probability is meant: that of the positive class, or of the predicted one."""

    def of(self, job: "Job", batch: "Batch") -> Confidences:
        verdicts = self.judge.of(job, batch)
        return Confidences.of(verdicts.confidence, verdicts.right, self.bins)
