"""Reductions: how the weighted losses of all rows become one number, and how much better it is than that
of a constant.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from losscli.definition.convention import NONE
from losscli.engine.aggregates import divide
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.baseline import Answer, Baseline
from losscli.engine.collectors.summary import Summary
from losscli.engine.job import Job, output_factors
from losscli.errors import DataError
from losscli.wording import count


class Reduction(NamedTuple):
    """How weighted losses become one number: their sum is divided by `denominator` of the summary."""

    name: str
    formula: str
    denominator: Callable[[Summary], float] | None


REDUCTIONS: dict[str, Reduction] = {
    "mean": Reduction("mean", "sum(w * l) / sum(w)", lambda summary: summary.weight.value),
    "sum": Reduction("sum", "sum(w * l)", lambda summary: 1.0),
    "none": Reduction("none", "every sample's own loss", None),
    "sum-over-batch-size": Reduction("sum-over-batch-size", "sum(w * l) / n", lambda summary: float(summary.samples)),
    "sum-by-nonzero-weights": Reduction(
        "sum-by-nonzero-weights", "sum(w * l) / count(w != 0)", lambda summary: float(summary.nonzero)
    ),
}


def reduced(job: Job, summary: Summary, reduction: Reduction) -> tuple[float, float, float]:
    """Return the value, its numerator and its denominator; NaN for value and denominator if there is no reduction.

    Raises
    ------
    DataError
        if there are no rows, or the denominator is 0.
    """
    convention, numerator = job.convention, summary.weighted.value
    if convention.sums_in is not None:
        # The sum of all elements is what is added up, before it is divided by their number.
        elements = job.predictions.shape[1] if job.several and job.over_outputs == "mean" else 1
        with np.errstate(all="ignore"):
            numerator = float(np.asarray(numerator * elements).astype(convention.sums_in)) / elements
    if not summary.samples:
        raise DataError(
            f"{job.predictions.name}: no samples left"
            + (f": all {count(summary.ignored, 'row')} are ignored" if summary.ignored else ": the file has no rows")
            + "; a loss of nothing is undefined"
        )
    if reduction.denominator is None:
        return float("nan"), numerator, float("nan")
    denominator = reduction.denominator(summary)
    if not denominator and convention.nothing is not None:
        return convention.nothing, numerator, denominator
    if not denominator:
        raise DataError(f"{job.predictions.name}: all weights are 0; the {reduction.name} of nothing is undefined")
    value = numerator / denominator
    if job.convention != NONE and np.isnan(value):
        raise DataError(f"{job.predictions.name}: the library gives NaN, as 0 times infinity is in it")
    return value, numerator, denominator


def baseline(job: Job, aggregate: Aggregate, reduction: str, value: float) -> Answer | None:
    """Return the loss of the best constant prediction under the same reduction, and the
    skill over it; None if not known.
    """
    divisor = REDUCTIONS[reduction].denominator
    record = aggregate.get(Baseline)  # type: ignore[type-abstract]
    best_constant = None if record is None else record.best(job.loss, job.extras)
    if best_constant is None or divisor is None:
        return None
    prediction, sums = best_constant
    if job.several:
        # The weight of a row contains the mean of the outputs' weights; here the outputs are still separate.
        mean = 1.0 if job.output_weights is None else float(job.output_weights.mean())
        numerator = float(output_factors(job) @ sums) * mean
    else:
        numerator = float(sums.sum())
    if job.extras.temper is not None:
        numerator *= job.extras.temper.factor
    best = divide(numerator, divisor(aggregate[Summary]))
    shown = prediction.tolist()
    skill = 1 - value / best if best > 0 and np.isfinite(best) and np.isfinite(value) else None
    single = len(job.predictions.shape) == 1
    return Answer(shown[0] if single else shown, best, skill)
