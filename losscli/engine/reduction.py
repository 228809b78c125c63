"""Reductions: how the weighted losses of all rows become one number, and how much better it is than that
of a constant.
"""

from collections.abc import Callable

import numpy as np

from losscli.definition.convention import NONE
from losscli.engine.aggregates import Total, divide
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.baseline import Answer, Baseline
from losscli.engine.collectors.summary import Summary
from losscli.engine.constant import sums_of_library
from losscli.engine.job import Job, output_factors
from losscli.errors import DataError
from losscli.records import NamedTuple
from losscli.wording import count


class Reduction(NamedTuple):
    """How weighted losses become one number: their sum is divided by `denominator` of the summary, a number or a sum."""

    name: str
    formula: str
    denominator: Callable[[Summary], float | Total] | None


REDUCTIONS: dict[str, Reduction] = {
    "mean": Reduction("mean", "sum(w * l) / sum(w)", lambda summary: summary.weight),
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
        if there are no rows, the denominator is 0, or infinite losses cancel.
    """
    convention, numerator = job.convention, summary.weighted.value
    if convention.sums_in is not None:
        # The sum of all elements is what is added up, before it is divided by their number.
        elements = job.predictions.shape[1] if job.several and job.over_outputs == "mean" else 1
        with np.errstate(all="ignore"):
            numerator = float(np.asarray(numerator * elements).astype(convention.sums_in)) / elements
    if not summary.samples and convention.skips_zeros and convention.nothing is not None and summary.ignored:
        return convention.nothing, numerator, 0.0
    if not summary.samples:
        raise DataError(
            f"{job.predictions.name}: no samples left"
            + (f": all {count(summary.ignored, 'row')} are ignored" if summary.ignored else ": the file has no rows")
            + "; a loss of nothing is undefined"
        )
    if reduction.denominator is None:
        return float("nan"), numerator, float("nan")
    denominator = reduction.denominator(summary)
    below = denominator.value if isinstance(denominator, Total) else denominator
    if not below and convention.nothing is not None:
        return convention.nothing, numerator, below
    if not below:
        raise DataError(f"{job.predictions.name}: all weights are 0; the {reduction.name} of nothing is undefined")
    value = summary.weighted.over(denominator) if convention.sums_in is None else numerator / below
    if np.isnan(value) and convention != NONE:
        raise DataError(f"{job.predictions.name}: the library gives NaN, as 0 times infinity is in it")
    finite = np.isfinite(summary.losses.least) and np.isfinite(summary.losses.most)
    if np.isnan(value) or (np.isinf(value) and finite and convention == NONE):
        raise DataError(_undefined(job, finite, reduction))
    return value, numerator, below


def _undefined(job: Job, finite: bool, reduction: Reduction) -> str:
    """Return the message about sums that are no number, of losses that are all finite or not."""
    if finite:
        mean = REDUCTIONS["mean"]
        cure = (
            "divide the weights by their largest" if reduction is mean else f"--reduction {mean.name} is {mean.formula}"
        )
        what = "weights, or of weights times losses," if job.weighed else "losses"
        return f"{job.predictions.name}: the sum of the {what} is too large for a number; the {reduction.name} is undefined; {cure}"
    return (
        f"{job.predictions.name}: losses are inf and -inf; their {reduction.name} is undefined; find the rows with "
        "--reduction none, or losscli rank"
    )


def baseline(job: Job, aggregate: Aggregate, reduction: str, value: float) -> Answer | None:
    """Return the loss of the best constant prediction under the same reduction, and the
    skill over it; None if not known. With a library's convention it is the library's loss of losscli's best constant.
    """
    divisor = REDUCTIONS[reduction].denominator
    record = aggregate.get(Baseline)  # type: ignore[type-abstract]
    if record is None or divisor is None:
        return None
    with np.errstate(all="ignore"):  # weights may add up to infinity, and then there is no best constant
        best_constant = record.best(job.loss, job.extras)
    if best_constant is None:
        return None
    prediction, own = best_constant
    sums = own if job.convention == NONE else sums_of_library(job, record, prediction, own)
    if sums is None or np.isnan(sums).any():
        return None
    if job.several:
        # The weight of a row contains the mean of the outputs' weights; here the outputs are still separate.
        mean = 1.0 if job.output_weights is None else float(job.output_weights.mean())
        numerator = float(output_factors(job) @ sums) * mean
    else:
        numerator = float(sums.sum())
    if job.extras.temper is not None:
        numerator *= job.extras.temper.factor
    divided_by = divisor(aggregate[Summary])
    below = divided_by.value if isinstance(divided_by, Total) else divided_by
    if not np.isfinite(below):
        return None  # the best constant is made of sums of weights, too
    best = divide(numerator, below)
    shown = prediction.tolist()
    skill = 1 - value / best if best > 0 and np.isfinite(best) and np.isfinite(value) else None
    single = len(job.predictions.shape) == 1
    return Answer(shown[0] if single else shown, best, skill)
