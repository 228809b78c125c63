"""Rows whose loss is infinite: where they are, and which prediction made it so, such as p = 0 for the class that was right."""

import math
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.engine.classes import classes, groups_of
from losscli.measurement.class_labels import group_names, output_names
from losscli.measurement.measure import Measurement
from losscli.measurement.row_losses import about_row, place_of
from losscli.wording import listing, short

LETTERS = {"probs": "p", "logits": "logit", "log-probs": "log p"}
"""Kind of predictions -> what one of them is called."""
ENDS = {"probs": (0.0, 1.0), "logits": (-math.inf, math.inf), "log-probs": (-math.inf, 0.0)}
"""Kind of predictions -> that of an impossible outcome, and that of a certain one."""


def infinite_row(measurement: Measurement, row: int) -> dict[str, Any]:
    """Return the record of a row with an infinite loss: its place, its number, id and target, and why it is infinite.

    `why` is missing where several numbers of the row may have made it so.
    """
    record = {"place": place_of(measurement, row)} | about_row(measurement, row)
    reason = why(measurement, row) if measurement.job.unit == "row" else ""
    return record | ({"why": reason} if reason else {})


def why(measurement: Measurement, row: int) -> str:
    """Return in words which prediction made the loss of a row infinite, such as 'p = 0 for cat'; '' if it is not known."""
    job = measurement.job
    at = measurement.units.located(row)
    predicted, target = (source.read(at, at + 1)[0] for source in (job.predictions, job.targets))
    letter = LETTERS.get(job.extras.prediction_kind, "prediction")
    if job.loss.family.target_type not in ("classes", "outcomes") or not job.loss.family.takes_from:
        return f"prediction {_shown(predicted)}, target {_shown(target)}" if np.ndim(predicted) == 0 else ""
    single = np.size(predicted) in (1, job.encoding.k)  # not corn, for one, which has a column less than classes
    if groups_of(job) == "classes" and single:
        number = int(classes(job, np.asarray(target)[None])[0])
        name = group_names(job, measurement.decoded)[number]
        if np.ndim(predicted) == 1 and len(predicted) > 1:
            return f"{letter} = {_shown(predicted[number])} for {name}"
        return f"{letter} = {_shown(np.ravel(predicted)[0])}, and the target is {name}"
    if np.shape(predicted) == np.shape(target) and np.ndim(target) == 1:
        return _of_outputs(measurement, predicted, np.asarray(target, np.float64), letter)
    return ""


def _of_outputs(measurement: Measurement, predicted: Array, target: Array, letter: str) -> str:
    """Return which outputs or classes of a row are impossible or certain by the predictions, against their targets."""
    job = measurement.job
    low, high = ENDS[job.extras.prediction_kind]
    wrong = (predicted == low) & (target > 0)
    if job.several:
        wrong |= (predicted == high) & (target < 1)
    names = output_names(job, measurement.decoded)
    return listing((f"{letter} = {_shown(predicted[i])} for {names[i]}" for i in np.flatnonzero(wrong)), 2)


def _shown(value: Any) -> str:
    return short(float(value))
