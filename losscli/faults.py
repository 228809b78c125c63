"""What may be wrong with rows: looked for on the pass, and raised after it with the first places and the count."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.core import REAL, Array, Domains
from losscli.errors import DataError
from losscli.forms import SUM_TOLERANCE
from losscli.losses.softmax import row_sums
from losscli.reduce import PLACES_SHOWN, Faults

if TYPE_CHECKING:
    from losscli.run import Job

NAN_PREDICTION = "nan prediction"
NAN_TARGET = "nan target"
UNDEFINED = "undefined"
BAD_WEIGHT = "weight"
OUTSIDE_PREDICTION = "prediction outside"
OUTSIDE_TARGET = "target outside"
BAD_BESIDE = "third operand"
NOT_PROBABILITY = "not a probability"
NOT_LOG_PROBABILITY = "not a log-probability"
ROW_SUM = "row sum"


def look_for(
    job: "Job",
    start: int,
    kept: Array | None,
    predictions: Array,
    targets: Array,
    weights: Array | None,
    losses: Array,
    beside: Array | None = None,
) -> Faults:
    """Faults of a block's rows, the first of which is row `start` of the file; rows that are not `kept` have none."""
    found = Faults()
    if not len(losses):
        return found
    # A weight of zero makes nothing of a NaN; where there may be one, NaN is looked for in the predictions themselves.
    hidden = job.output_weights is not None or job.extras.pos_weight is not None or 0 in job.loss.parameters.values()
    undefined = np.isnan(losses)
    domains = job.domains
    own = domains.predictions
    bounded = domains != Domains() or beside is not None
    if weights is None and job.extras.given == "logits" and not hidden and not bounded and not undefined.any():
        return found

    def look(fault: str, bad: Array, values: Array) -> None:
        nonlocal found
        if bad.any():
            rows, *columns = np.nonzero(bad)
            sample = start + (rows if kept is None else np.flatnonzero(kept)[rows])
            places = zip(sample.tolist(), *(column.tolist() for column in columns), strict=True)
            shown = []
            for place, value in zip(places, values[bad].tolist(), strict=True):
                shown.append((int(place[0]), int(place[1]) if len(place) > 1 else None, float(value)))
                if len(shown) == PLACES_SHOWN:
                    break
            found = found + Faults({fault: (len(rows), tuple(shown))})

    if own != REAL:
        look(OUTSIDE_PREDICTION, own.outside(predictions), predictions)
    if domains.targets != REAL:
        look(OUTSIDE_TARGET, domains.targets.outside(targets), targets)
    if beside is not None:
        look(
            BAD_BESIDE, np.isnan(beside) | (beside <= 0 if job.loss.loss.family.beside == "variance" else False), beside
        )
    if weights is not None:
        look(BAD_WEIGHT, ~((weights >= 0) & np.isfinite(weights)), weights)
    if job.extras.given == "probs":
        look(NAN_PREDICTION, np.isnan(predictions), predictions)
        look(NOT_PROBABILITY, (predictions < 0) | (predictions > 1), predictions)
    elif job.extras.given == "log-probs":
        look(NAN_PREDICTION, np.isnan(predictions), predictions)
        look(NOT_LOG_PROBABILITY, predictions > 0, predictions)
    if job.extras.given != "logits" and job.loss.loss.family.reads == "classes" and not found:
        sums = row_sums(predictions if job.extras.given == "probs" else np.exp(predictions))
        look(ROW_SUM, ~(np.abs(sums - 1) <= SUM_TOLERANCE), sums)
    if (undefined.any() or hidden) and not found:
        look(NAN_PREDICTION, np.isnan(predictions), predictions)
        if targets.dtype.kind == "f":
            look(NAN_TARGET, np.isnan(targets), targets)
        if not found and undefined.any():
            look(UNDEFINED, undefined, losses)
    return found


def raise_faults(job: "Job", faults: Faults) -> None:
    """Raise the gravest fault that a pass found, with its first places and its count."""
    for fault, (number, places) in sorted(faults.found.items(), key=lambda item: _GRAVITY.index(item[0])):
        row, column, value = places[0]
        source = {
            NAN_TARGET: job.targets,
            OUTSIDE_TARGET: job.targets,
            BAD_WEIGHT: job.weights,
            BAD_BESIDE: job.beside,
        }.get(fault) or job.predictions
        domains = job.domains
        name, beside = job.loss.loss.name, job.loss.loss.family.beside
        others = ""
        if number > 1:
            also = ", ".join(
                f"row {place[0]}" + ("" if place[1] is None else f" column {place[1]}") for place in places[1:]
            )
            others = f"; {number:,} in all, also {also}{' ...' if number > len(places) else ''}"
        fact, cure = {
            NAN_PREDICTION: (
                "the prediction is NaN",
                "correct the row or leave it out",
            ),
            NAN_TARGET: ("the target is NaN", "remove the row, or mark it and say --ignore-index"),
            OUTSIDE_PREDICTION: (
                f"the prediction {value:g} is not in {domains.predictions}",
                f"{name} takes no other predictions",
            ),
            OUTSIDE_TARGET: (
                f"the target {value:g} is not in {domains.targets}",
                f"{name} takes no other targets",
            ),
            BAD_BESIDE: (
                f"{value:g} is no variance" if beside == "variance" else f"{value:g} is no feature",
                "a variance is a number above 0" if beside == "variance" else "correct the row or leave it out",
            ),
            BAD_WEIGHT: (f"the weight {value:g} is negative or not finite", "weights are numbers >= 0"),
            NOT_PROBABILITY: (f"{value:g} is not a probability", "if these are logits, say --from logits"),
            NOT_LOG_PROBABILITY: (
                f"{value:g} is not a log-probability, which is at most 0",
                "if these are logits, say --from logits",
            ),
            ROW_SUM: (
                f"the probabilities of the row sum to {value:.6g}, not 1",
                "if these are logits, say --from logits; if several labels may hold at once, use a sigmoid loss",
            ),
            UNDEFINED: (
                "the loss is undefined, as where infinite values cancel, no class is possible, or features have the length 0",
                "look at the values of this row",
            ),
        }[fault]
        raise DataError(f"{source.place(row, column)}: {fact}; {cure}{others}")


_GRAVITY = [
    NAN_PREDICTION,
    NAN_TARGET,
    OUTSIDE_PREDICTION,
    OUTSIDE_TARGET,
    BAD_BESIDE,
    BAD_WEIGHT,
    NOT_PROBABILITY,
    NOT_LOG_PROBABILITY,
    ROW_SUM,
    UNDEFINED,
]
