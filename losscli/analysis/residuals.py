"""How predictions of numbers differ from the targets: predicted against actual, and the residuals."""

from collections.abc import Callable

import numpy as np

from losscli.arrays import FARTHEST, Array
from losscli.definition.request import Request
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.residuals import Cells, Counter, Extent, Extents
from losscli.errors import DataError
from losscli.io.bytes import Looked
from losscli.measurement.class_labels import output_names
from losscli.measurement.measure import Measurement
from losscli.measurement.prepare import prepare
from losscli.measurement.result import Result
from losscli.records import dataclass

CELLS = 60
"""Cells of each axis, where rows are counted in cells."""
LEAST = 1e-150
"""The square of a smaller number is no normal number of float64."""
MOST_OUTPUTS = 6
"""Each output has panels of its own; more would be too small to be read."""


@dataclass(frozen=True)
class Output:
    """What is drawn of one output. `residuals` are predictions minus targets."""

    name: str
    ends: tuple[float, float]
    """The ends of the axis of predictions and targets."""
    reach: float
    """The axis of residuals goes from minus this to this."""
    shift: float
    """The mean residual, weighted if there are weights."""
    points: tuple[Array, Array] | None
    """Predictions and targets, each of shape (n,); None if rows are counted in cells."""
    fit: Array | None
    """Number of rows by target and by prediction, shape (CELLS, CELLS); None if rows are points."""
    spread: Array | None
    """Number of rows by prediction and by residual, shape (CELLS, CELLS); None if rows are points."""

    @property
    def numbers(self) -> Array:
        """The edges of cells of predictions and targets, shape (CELLS + 1,)."""
        return np.linspace(*self.ends, CELLS + 1)

    @property
    def residuals(self) -> Array:
        """The edges of cells of residuals, shape (CELLS + 1,)."""
        return np.linspace(-self.reach, self.reach, CELLS + 1)


@dataclass(frozen=True)
class Residuals:
    """The residuals of a file: its measurement by the squared error, and what is drawn of each output."""

    measurement: Measurement
    result: Result
    outputs: tuple[Output, ...]

    @property
    def r2(self) -> float | None:
        """1 minus the squared error over that of the targets' mean, which `compute` calls skill; None if all targets are equal."""
        return None if self.result.baseline is None else self.result.baseline.skill


def residuals(
    request: Request,
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    opened: Callable[[Measurement], None] = lambda measurement: None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Residuals:
    """Measure the residuals of a file: of few rows in one pass, of many in a second one that counts them in cells.

    Parameters
    ----------
    request
        predictions and targets, with squared-error as its loss.
    threads
        number of threads; None for the number of processor cores.
    looked
        called with the progress of reading a text file once, before its rows are known.
    opened
        called with the measurement before the first pass.
    seen
        called with the number of rows that the first pass has done so far.

    Raises
    ------
    UsageError
        if options contradict each other.
    DataError
        if files cannot be used, a number is not finite or too large, there are more than MOST_OUTPUTS outputs, or weights of
        single elements.
    """
    measurement = prepare(request, looked=looked, once=False)
    opened(measurement)
    job = measurement.job
    names = output_names(job, measurement.decoded)
    if len(names) > MOST_OUTPUTS:
        raise DataError(
            f"{job.predictions.name}: {len(names):,} outputs per row; residuals are drawn of at most {MOST_OUTPUTS}; "
            f"give files of fewer columns, such as FILE:COLUMN for predictions and for targets"
        )
    if job.element_weights is not None:
        raise DataError(
            f"{job.element_weights.name}: one weight per element; residuals are drawn with one weight per row, shape ({job.samples},)"
        )
    measurement.collectors.append(Extents())
    result = measurement.run(threads=threads, seen=seen)
    extent = result.aggregate[Extent]
    if extent.far is not None:
        raise DataError(_why_not_drawn(measurement, *extent.far))
    if result.value is not None and not np.isfinite(result.value):
        raise DataError(
            f"{job.predictions.name}: the squares of these residuals are beyond {job.dtype}; divide predictions and targets by a "
            "common factor"
        )
    size = float(max(np.abs(extent.low[:2]).max(), np.abs(extent.high[:2]).max()))
    if 0 < size < LEAST:
        raise DataError(
            f"{job.predictions.name}: no number is larger than {size:g}, and the squares of such residuals are 0; multiply "
            "predictions and targets by a common factor"
        )
    outputs = tuple(_laid_out(extent, i, name) for i, name in enumerate(names))
    if extent.points is None:
        counter = Counter(tuple(one.numbers for one in outputs), tuple(one.residuals for one in outputs))
        measurement.collectors[:] = [counter]
        outputs = _counted(outputs, measurement.collect(threads=threads))
    return Residuals(measurement, result, outputs)


def _laid_out(extent: Extent, i: int, name: str) -> Output:
    """Return an output with its axes, and its points if these were kept."""
    low, high = float(extent.low[:2, i].min()), float(extent.high[:2, i].max())
    reach = float(max(-extent.low[2, i], extent.high[2, i]))
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * size or not size:  # all are equal; an axis needs some width
        low, high = low - (size or 1) / 2, high + (size or 1) / 2
    kept = None
    if extent.points is not None:
        predictions, targets = np.concatenate([part[:, :, i] for part in extent.points], axis=1)
        kept = predictions, targets
    shift = float(extent.shift[i] / extent.weight)
    return Output(name, (low, high), reach or (high - low) / 2, shift, kept, None, None)


def _counted(outputs: tuple[Output, ...], aggregate: Aggregate) -> tuple[Output, ...]:
    """Return the outputs with the counts of their cells."""
    cells = aggregate[Cells]
    return tuple(
        Output(one.name, one.ends, one.reach, one.shift, None, fit, spread)
        for one, fit, spread in zip(outputs, cells.fits, cells.spreads, strict=True)
    )


def _why_not_drawn(measurement: Measurement, row: int, column: int, value: float) -> str:
    """Return why a number cannot be drawn, with its place."""
    job = measurement.job
    source = job.targets if column < 0 else job.predictions
    several = len(source.shape) == 2 and column >= 0
    place = source.place(row, column if several else None)
    if abs(value) >= FARTHEST and np.isfinite(value):
        return f"{place}: {value:g} is too large to be drawn; divide predictions and targets by a common factor"
    return f"{place}: {value} is not a finite number; a residual needs one"
