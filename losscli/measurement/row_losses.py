"""The losses of all rows of several models, for questions that compare models row by row."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from losscli.arrays import Array, times
from losscli.definition.request import Request
from losscli.engine.classes import classes, groups_of
from losscli.engine.evaluate import ChunkResult, Rows
from losscli.engine.job import Job
from losscli.errors import DataError, UsageError
from losscli.io.bytes import Spool
from losscli.io.npy import NpySource
from losscli.io.operands import Opener
from losscli.io.source import Source
from losscli.measurement.measure import Measurement
from losscli.measurement.per_sample import targets
from losscli.measurement.prepare import prepare
from losscli.records import dataclass, replace
from losscli.wording import count


@dataclass(frozen=True)
class Scored:
    """The losses of a model, one per row of its file; NaN for rows that are ignored or left out."""

    measurement: Measurement
    losses: Source
    weights: Source | None
    classes: Source | None
    """The class of each row, -1 if it has none; None for losses whose rows have no class."""
    value: float

    @property
    def name(self) -> str:
        return self.measurement.request.predictions


class Column:
    """Numbers for some rows of a file, written in the order of the rows; other rows get `fill`."""

    def __init__(self, name: str, dtype: Any, fill: float) -> None:
        self.name, self.dtype, self.fill = name, np.dtype(dtype), fill
        self.raw, self.height = Spool(name), 0

    def put(self, rows: Array, values: Array) -> None:
        """Take the values of rows, whose numbers ascend and are larger than all numbers before."""
        if len(rows):
            run = np.full(int(rows[-1]) + 1 - self.height, self.fill, self.dtype)
            run[rows - self.height] = values
            self.raw.write(run.data)
            self.height = int(rows[-1]) + 1

    def source(self, height: int) -> Source:
        """Return the column as a source with `height` rows."""
        if height > self.height:
            self.raw.write(np.full(height - self.height, self.fill, self.dtype).data)
        return NpySource.of_raw(self.name, self.raw, (height,), self.dtype)


def score(
    request: Request,
    opener: Opener,
    threads: int | None = None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
    library: str | None = None,
    typed: Iterable[str] = (),
    infinite: bool = False,
) -> Scored:
    """Compute the losses of a model.

    Parameters
    ----------
    threads
        number of threads; None for the number of processor cores.
    begun
        called with the job before the pass.
    seen
        called with the number of rows done so far.
    library, typed
        the library by whose conventions losses are computed, and the names of the options that the user gave; None for
        losscli's own losses.
    infinite
        whether losses may be +inf.

    Raises
    ------
    DataError
        if files cannot be used, or losses are infinite that must not be.
    UsageError
        if masks go through the whole file, so that there is nothing that two models share; or the library has no such loss.
    """
    measurement = prepare(replace(request, library=library), rows=True, opener=opener, once=False)
    if library is not None:
        from losscli.measurement.as_library import rows_as_library

        measurement = rows_as_library(measurement, library, typed)
    measurement = measurement.over_samples()
    job = measurement.job
    if not job.of_rows and not (job.masks is not None and job.within_samples):
        raise UsageError(
            f"{job.loss.name} is a loss of masks or of the whole file, not of rows that two models share"
            + (": say --per sample" if job.layout is not None else "")
        )
    begun(job)
    losses = Column(job.predictions.name, np.float64, math.nan)
    grouped = groups_of(job) == "classes" and job.unit == "row"
    labels = Column(job.predictions.name, np.int32, -1) if grouped else None
    units = measurement.units
    weights: list[Column] = []  # a column, once it is known that there are weights

    def consume(chunk: ChunkResult) -> None:
        for rows in chunk.rows:
            rows = _of_samples(rows, units.outputs) if units.kind == "sample,class" else rows
            places = units.original(rows.sample)
            _check_finite(measurement, places, rows.loss, rows.weight, infinite)
            losses.put(places, rows.loss)
            if rows.weight is not None:
                weights[:] = weights or [Column(job.predictions.name, np.float64, 0)]
                weights[0].put(places, rows.weight)
            if labels is not None and rows.target is not None:
                labels.put(places, classes(job, rows.target))

    result = measurement.run(consume, threads, seen)
    height = units.samples if units.kind == "sample,class" else units.height
    return Scored(
        measurement,
        losses.source(height),
        weights[0].source(height) if weights else None,
        None if labels is None else labels.source(height),
        float(result.value or 0.0),
    )


def _of_samples(cells: Rows, outputs: int) -> Rows:
    """Return the mean loss of each sample, with the weight of its cells together, from the losses of cells of whole samples.

    Cells of one sample hang together, so that samples are what is resampled; the weighted mean is that of all cells.
    """
    if not len(cells.sample):
        return cells._replace(weight=np.zeros(0))
    samples = cells.sample // outputs
    begins = np.flatnonzero(np.append(True, samples[1:] != samples[:-1]))
    weights = np.ones(len(samples)) if cells.weight is None else cells.weight
    total = np.add.reduceat(weights, begins)
    with np.errstate(all="ignore"):
        losses = np.add.reduceat(times(weights, cells.loss.astype(np.float64)), begins) / total
    return Rows(samples[begins], None, np.where(total > 0, losses, 0.0), total, None)


def bounded(measurement: Measurement) -> str | None:
    """Return the name of a loss of the same predictions and targets that is never infinite; None if there is none."""
    return {"classes": "brier", "outcomes": "sigmoid-brier"}.get(measurement.job.loss.family.target_type)


def _finite_loss(measurement: Measurement) -> str:
    """Return the end of a message about an infinite loss: what to compare by instead."""
    other = bounded(measurement)
    return f", or compare by a loss that is bounded, such as {other}" if other else " or leave it out"


def _check_finite(measurement: Measurement, rows: Array, losses: Array, weights: Array | None, infinite: bool) -> None:
    """Raise a DataError if a loss with a weight other than 0 is infinite or, by a library's formula, NaN; +inf may be if
    `infinite` says so. What has no loss by losscli's own formula, the pass itself names at its end.
    """
    wrong = np.isneginf(losses) if infinite else np.isinf(losses)
    if measurement.request.library is not None:
        wrong |= np.isnan(losses)
    if weights is not None:
        wrong &= weights != 0
    if wrong.any():
        first, how_many = int(wrong.argmax()), f"({count(int(wrong.sum()), 'row')} like this at least)"
        place, library = place_of(measurement, int(rows[first])), measurement.request.library
        if math.isnan(losses[first]):
            raise DataError(f"{place}: as {library} computes it, the loss is NaN {how_many}; leave --as out")
        raise DataError(
            f"{place}: the loss is infinite {how_many}, and so is every mean difference; correct the row{_finite_loss(measurement)}"
        )


def place_of(measurement: Measurement, row: int) -> str:
    """Return the place of a row of the predictions' file, for messages."""
    source = measurement.job.predictions
    return source.place(measurement.units.located(row)) if measurement.units.layout is None else f"{source.name}[{row}]"


def about_row(measurement: Measurement, row: int) -> dict[str, Any]:
    """Return a row's number and, where it has them, its list or its id, and its target as in the file."""
    entry: dict[str, Any] = {"sample": row}
    lists = measurement.job.lists
    if lists is not None:
        entry["group"] = lists.named(np.array([row]))[0]
    elif measurement.ids is not None:
        entry["id"] = measurement.ids.take(np.array([row]))[0]
    if measurement.job.unit == "row":
        at = measurement.units.located(row)
        label = targets(measurement, measurement.job.targets.read(at, at + 1))
        entry["target"] = label[0] if isinstance(label, list) else label[0].tolist()
    return entry
