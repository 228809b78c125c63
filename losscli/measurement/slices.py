"""The value of each slice, and intervals: of the value of all samples, and of those of slices."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.data.slices import SliceColumn
from losscli.definition.request import Request
from losscli.definition.resampling import Resampling
from losscli.engine.aggregates import LEAST_PRODUCTS
from losscli.engine.collectors.slices import Sliced, Slicer, SliceSums, are_few
from losscli.engine.collectors.summary import Summary
from losscli.engine.influences import ROUNDED, Influences
from losscli.engine.job import Job
from losscli.engine.reduction import Reduction, reduced
from losscli.engine.resampling import LEAST_ROWS, Rows, interval, resampled, serially
from losscli.engine.units import OF_FILE
from losscli.errors import DataError, UsageError
from losscli.records import NamedTuple, dataclass, replace
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.measurement.measure import Measurement

METHODS = {
    True: "bootstrap, bias-corrected and accelerated (BCa)",
    False: "approximate bootstrap confidence (ABC): BCa in closed form, without resamples",
}
"""How intervals of few samples are made, and those of many."""
STATISTICS = ("value", "mean", "std", "min", "max", "samples")
"""The statistics of every slice."""

Transforms = Mapping[str, Callable[[float], float]]
"""Statistics that are a function of the mean, such as rmse; all of them grow with it."""


class Interval(NamedTuple):
    """The interval of a value, or why there is none."""

    low: float = math.nan
    high: float = math.nan
    undefined: str | None = None

    def record(self) -> dict[str, Any]:
        """Return the keys of JSON."""
        if self.undefined is not None:
            return {"interval": None, "interval_undefined": self.undefined}
        return {"interval": [self.low, self.high]}

    def transformed(self, transform: Callable[[float], float]) -> "Interval":
        """Return the interval of a statistic that grows with this one."""
        if self.undefined is not None:
            return self
        return Interval(transform(self.low), transform(self.high))


@dataclass(frozen=True)
class Slice:
    """A slice: its column and name, and the statistics of its samples under the reduction of all of them."""

    column: str
    name: str
    summary: Summary
    value: float | None
    """None where it is undefined."""
    weight: float | None
    """The sum of the weights; None without weights."""
    transformed: Mapping[str, float]
    """Statistics that only some losses have, such as rmse."""
    interval: Interval | None
    whole_samples: int
    """How many samples there are at most, where each may have several losses: of its positions."""
    undefined: str | None = None
    """Why there is no value."""

    @property
    def samples(self) -> int:
        return self.summary.samples

    @property
    def few(self) -> bool:
        """Whether the samples are too few for a value, or an interval, to rely on."""
        return min(self.samples, self.whole_samples) < LEAST_ROWS

    @property
    def statistics(self) -> dict[str, float | None]:
        """The statistics that --require-each may be about."""
        losses = self.summary.losses
        with np.errstate(all="ignore"):
            own = {"mean": self.summary.mean, "std": losses.std, "min": losses.least, "max": losses.most}
        return {"value": self.value, **own, "samples": self.samples, **self.transformed}

    def record(self) -> dict[str, Any]:
        """Return the slice with the keys of JSON."""
        found: dict[str, Any] = {"column": self.column, "slice": self.name, "samples": self.samples}
        if self.weight is not None:
            found["weight"] = self.weight
        found |= self.statistics
        if self.undefined is not None:
            found["undefined"] = self.undefined
        if self.interval is not None:
            found |= self.interval.record()
        return found | {"few": self.few}


@dataclass(frozen=True)
class Slices:
    """The slices of all columns of --by, column by column, those without a value first and then the largest value first."""

    columns: tuple[SliceColumn, ...]
    found: tuple[Slice, ...]

    def of(self, column: str) -> list[Slice]:
        """Return the slices of one column."""
        return [one for one in self.found if one.column == column]

    @property
    def labels(self) -> list[str]:
        """What the columns are called."""
        return [column.label for column in self.columns]


def observe(measurement: "Measurement") -> None:
    """Let the pass of a measurement keep what its request wants of slices and intervals.

    Raises
    ------
    UsageError
        if the losses belong to no slice, or the value has no interval.
    """
    request, job = measurement.request, measurement.job
    if not request.by and request.interval is None:
        return
    option = f"--by {request.by[0]}" if request.by else "--interval"
    _check(request, job, option)
    if request.interval is not None:
        if request.loss.family.coupled == "rows":
            measurement.notes.append(
                f"warning: {request.loss.name} compares rows of a file with each other: its losses are not independent of each "
                "other, and the interval is too narrow"
            )
        if job.layout is not None and job.lists is None:
            measurement.job = job = replace(job, samples_together=True)
    columns = measurement.slices
    slicer = Slicer(
        tuple(column.codes for column in columns),
        tuple(len(column.names) for column in columns),
        request.interval is not None,
        are_few(job),
        request.reduction,
    )
    measurement.observe(slicer)
    if columns:
        measurement.receipt["by"] = [column.label for column in columns]
    if request.interval is not None:
        measurement.receipt["interval"] = described(request.interval, job)


def described(terms: Resampling, job: Job) -> dict[str, Any]:
    """Return what the receipt says of the interval."""
    drawn = {"resamples": terms.resamples, "seed": terms.seed} if are_few(job) else {}
    unit = "list" if job.lists is not None else "sample"
    return {"method": METHODS[are_few(job)], "unit": unit, "confidence": terms.confidence, **drawn}


def _check(request: Request, job: Job, option: str) -> None:
    if request.reduction == "none":
        raise UsageError(f"{option}: is of the value, and --reduction none leaves none; choose another")
    masks = job.masks is not None and not job.within_samples
    if not (masks or job.unit in OF_FILE or job.extras.whole is not None):
        return
    per = request.per or ("class" if job.unit == "class" else None)
    what = request.loss.name if per is None else f"{request.loss.name} --per {per}"
    cure = (
        "say --per sample" if job.layout is not None or per is not None else "give each mask as a row, or leave it out"
    )
    raise UsageError(
        f"{option}: {what} has losses of all samples together, which are of no slice and not resampled; {cure}"
    )


def interval_of(job: Job, sliced: Sliced, value: float, request: Request) -> Interval:
    """Return the interval of the value of all samples; `request` asks for one."""
    assert request.interval is not None
    if sliced.few is None:
        return _of_many(sliced.influences[0], 0, value, request)
    return _of_few(sliced.few.numerators, sliced.few.denominators, value, request)


def slices_of(
    job: Job,
    sliced: Sliced,
    columns: Sequence[SliceColumn],
    request: Request,
    reduction: Reduction,
    transforms: Transforms,
) -> Slices:
    """Return the slices that have samples."""
    found: list[Slice] = []
    for number, (column, sums) in enumerate(zip(columns, sliced.columns, strict=True)):
        own = list(_of_column(job, sliced, number, column, sums, request, reduction, transforms))
        found += sorted(own, key=lambda one: (one.value is not None, -(one.value or 0.0)))
    return Slices(tuple(columns), tuple(found))


def _of_column(
    job: Job,
    sliced: Sliced,
    number: int,
    column: SliceColumn,
    sums: SliceSums,
    request: Request,
    reduction: Reduction,
    transforms: Transforms,
) -> Iterator[Slice]:
    """Yield the slices of one column, in the order in which their names are first met."""
    samples = _samples_of_slices(sliced, number, len(column.names)) if request.interval is not None else None
    for place, name in enumerate(column.names):
        summary = sums.summary(place)
        if not summary.samples:
            continue
        value, undefined = _value(job, summary, reduction)
        mean = summary.weighted.over(summary.weight)
        found: Interval | None = None
        if request.interval is not None and value is None:
            found = Interval(undefined="the value is undefined")
        elif request.interval is not None and value is not None:
            if samples is None:
                found = _of_many(sliced.influences[number + 1], place, value, request)
            else:
                found = _of_few(*samples[place], value, request)
        yield Slice(
            column.label,
            name,
            summary,
            value,
            summary.weight.value if job.weighed else None,
            {} if value is None else {key: transform(mean) for key, transform in transforms.items()},
            found,
            column.samples[place],
            undefined,
        )


def _samples_of_slices(sliced: Sliced, number: int, k: int) -> list[tuple[Array, Array]] | None:
    """Return the samples of each slice of a column in the order of the file; None if there were too many to be kept."""
    few = sliced.few
    if few is None:
        return None
    codes = few.slices[number]
    order = np.argsort(codes, kind="stable")
    cuts = np.searchsorted(codes[order], np.arange(1, k))
    return list(zip(np.split(few.numerators[order], cuts), np.split(few.denominators[order], cuts), strict=True))


SMALL_WEIGHTS = 1e-100
"""Weights whose products with losses may be beyond the digits of float64."""


def _value(job: Job, summary: Summary, reduction: Reduction) -> tuple[float | None, str | None]:
    """Return the value of a slice, or None and why it is undefined."""
    try:
        value, _, _ = reduced(job, summary, reduction)
    except DataError as error:
        return None, str(error).removeprefix(f"{job.predictions.name}: ").partition(";")[0]
    finite = np.isfinite([summary.losses.least, summary.losses.most]).all()
    if job.weighed and finite:
        # The sums of a slice are of float64 alone, unlike those of the whole.
        if not math.isfinite(summary.weight.value):
            return None, "the sum of the weights is too large for a number"
        vanished = abs(summary.weighted.value) < LEAST_PRODUCTS and (summary.losses.least, summary.losses.most) != (
            0,
            0,
        )
        if summary.weight.value < (SMALL_WEIGHTS if vanished else LEAST_PRODUCTS):
            return None, "the weights are too small for a number"
    if not math.isfinite(value) and finite:
        return None, "the sum of the losses is too large for a number"
    return value, None


def _of_few(a: Array, b: Array, value: float, request: Request) -> Interval:
    """Return the interval of sum(a) / sum(b), or of sum(a), from samples that are resampled one by one."""
    terms = request.interval
    assert terms is not None
    n = int(np.count_nonzero(b)) if request.reduction != "sum" else len(a)
    if (why := _undefined(n, value)) is not None:
        return Interval(undefined=why)
    with np.errstate(all="ignore"):
        m = a.sum() / b.sum()
        influence = a - m * b
        size = float(np.abs(influence).max())
        if size <= ROUNDED * float(np.abs(a).max()):
            return Interval(value, value)
        drawn = resampled(Rows(b, a), terms.resamples, terms.seed, serially)
        ends = (
            interval(float(m), influence, None, drawn, terms.confidence) if np.isfinite(size) else (math.nan, math.nan)
        )
    return _scaled(ends, n if request.reduction == "sum" else 1)


def _of_many(influences: Influences, place: int, value: float, request: Request) -> Interval:
    """Return the interval of one slice, of which sums are kept."""
    assert request.interval is not None
    n = int(influences.n[place])
    if (why := _undefined(n, value)) is not None:
        return Interval(undefined=why)
    ends = influences.interval(place, request.interval.confidence)
    if ends[0] == ends[1]:
        return Interval(value, value)
    return _scaled(ends, n if request.reduction == "sum" else 1)


def _undefined(n: int, value: float) -> str | None:
    """Return why a value has no interval; None if it may have one."""
    if n < 2:
        return f"{count(n, 'sample')}, which does not tell how much samples differ"
    return None if math.isfinite(value) else "a loss is infinite"


def _scaled(ends: tuple[float, float], factor: int) -> Interval:
    low, high = ends[0] * factor, ends[1] * factor
    if not (math.isfinite(low) and math.isfinite(high)):
        return Interval(undefined="losses or weights are too large for an interval; divide them by a common factor")
    return Interval(low, high)
