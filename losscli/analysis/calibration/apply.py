"""Calibrated predictions: all rows of a file, written to another file."""

import os
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Self

import numpy as np

from losscli.analysis.calibration.maps import CalibrationMap
from losscli.arrays import Array, row_sums
from losscli.data.axes import lay_out
from losscli.data.class_names import by_name, class_names, in_order
from losscli.data.dataset import Dataset, assign
from losscli.data.scalars import weight_of_all
from losscli.data.target_encoding import SUM_TOLERANCE
from losscli.data.units import Units
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener, Operand
from losscli.io.room import BYTES_OF_TEXT, check_room
from losscli.io.sinks import Outputs, keep_apart
from losscli.io.source import SCAN_BYTES, Reordered, Source, blocks, first_of
from losscli.io.text import IdColumn
from losscli.io.writers import NpyWriter, TextWriter, suffix_of
from losscli.measurement.measure import Measurement
from losscli.records import NamedTuple, replace
from losscli.wording import count

SUFFIXES = (".npy", ".csv")


class Basis(NamedTuple):
    """What a calibration was fitted to, as far as other predictions have to be like it.

    `name` is what messages call it, `files` are the real paths that no output may replace, and `several` says whether each
    column is an outcome of its own.
    """

    request: Request
    name: str
    shape: tuple[int, ...]
    columns: tuple[str, ...] | None
    several: bool
    files: frozenset[str]

    @classmethod
    def of(cls, fitted: Measurement) -> "Basis":
        """Return what a measurement was fitted to."""
        predictions = fitted.job.predictions
        name = f"the fit's predictions {predictions.name}"
        return cls(fitted.request, name, predictions.shape, predictions.columns, fitted.job.several, fitted.files)


class Recalibrated:
    """The output of `calibrate`: opened before the fit, and published when all rows are written.

    Parameters
    ----------
    output
        path of the file to write.
    other
        the operand whose rows are calibrated; None for those of PREDICTIONS.
    """

    def __init__(self, output: str, other: str | None) -> None:
        self.output, self.other = output, other
        self.suffix = suffix_of(output, SUFFIXES, "--output", of_special=".npy")
        self.files = Outputs()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.files.discard()

    def open(self, basis: Basis) -> None:
        """Open the file to read and the file to write, and check that they fit the files of the fit.

        Raises
        ------
        UsageError
            if the output is an input.
        DataError
            if the columns differ from those of the fit.
        """
        request = basis.request
        self.opener = Opener.of(request)
        dataset, self.ids = _columns(self.opener, request, self.other)
        self.units = Units(dataset.predictions.file_shape)
        if dataset.predictions.axes > 2:
            if self.suffix != ".npy":
                raise UsageError(
                    f"--output {self.output}: {dataset.predictions.name} has more than two axes; write .npy"
                )
            self.units = replace(self.units, layout=lay_out(replace(request, mask=None), dataset))
            self.units.check_shape("--output")
        self.source = dataset.predictions.source()
        self.order = order_of(self.source, basis)
        self.prediction_kind = request.prediction_kind
        self.several = basis.several
        keep_apart(self.output, basis.files | self.opener.paths, "--output ")
        cells = int(np.prod(self.source.shape, dtype=np.int64))
        check_room(
            self.output,
            cells * (BYTES_OF_TEXT if self.suffix == ".csv" else 4),
            f"{cells:,} calibrated predictions",
            "write to another disk",
        )
        self.file = self.files.open(self.output)

    def write(self, found: CalibrationMap) -> list[str]:
        """Write all rows, calibrated with a map, and return notes for the user."""
        if self.order is not None:
            found = found.reordered(self.order)
        writer = NpyWriter(self.file) if self.suffix == ".npy" else TextWriter(self.file, ",")
        for start, rows in self._rows():
            calibrated = self._made(found, start, rows)
            if isinstance(writer, NpyWriter):
                for part in self.units.restored(calibrated, start):
                    writer.add(part)
            else:
                writer.write(self._table(start, calibrated))
        writer.close()
        for raw in self.opener.raws:
            raw.check()
        self.files.publish()
        kind, notes = found.kind_after, []
        if kind != self.prediction_kind:
            notes.append(
                f"{self.output}: probabilities, to be read with --from probs, for isotonic regression ends at 0 and 1"
            )
        if self.source.dtype == np.float16:
            notes.append(f"{self.output}: float32, for float16 would round the calibrated {kind} of {self.source.name}")
        return notes

    def _rows(self) -> Iterator[tuple[int, Array]]:
        # An empty batch first: a file without rows still has a shape and a header.
        yield 0, np.zeros((0, *self.source.shape[1:]), self.source.dtype)
        layout = self.units.layout
        if layout is None:
            yield from blocks(self.source)
            return
        width = self.source.dtype.itemsize * layout.grids[0].classes
        for start, stop in pairwise(layout.whole(SCAN_BYTES // width)):
            yield start, self.source.read(start, stop)

    @np.errstate(all="ignore")  # -inf is a legal logit, and NaN is searched for
    def _made(self, found: CalibrationMap, start: int, rows: Array) -> Array:
        """Return rows after calibration, in their shape, as the kind of predictions that the map makes."""
        self._check(start, rows)
        single = rows.ndim == 1 or rows.shape[1] == 1
        calibrated = found.applied(rows.reshape(len(rows)) if single else rows)
        bad = np.isnan(calibrated)
        rows_without = np.asarray(bad if single else bad.any(axis=1))
        self._refuse(start, rows_without, "no class is possible", "correct the row or leave it out")
        dtype = rows.dtype if rows.dtype.kind == "f" and rows.dtype.itemsize > 2 else None
        narrow = np.float32 if rows.dtype.kind == "f" else np.float64
        return calibrated.reshape(rows.shape).astype(dtype or narrow, copy=False)

    def _check(self, start: int, rows: Array) -> None:
        """Raise a DataError if rows are not predictions of the kind they should be."""
        self._refuse(start, np.isnan(rows), "the prediction is NaN", "correct the row or leave it out")
        if self.prediction_kind == "logits":
            return
        bad = (rows < 0) | (rows > 1) if self.prediction_kind == "probs" else rows > 0
        self._refuse(
            start,
            bad,
            f"not one of {self.prediction_kind}",
            "say --from what they are, or calibrate a file of the same kind",
        )
        if rows.ndim == 2 and rows.shape[1] > 1 and not self.several:
            sums = row_sums(rows if self.prediction_kind == "probs" else np.exp(rows.astype(np.float64)))
            bad = ~(np.abs(sums - 1) <= SUM_TOLERANCE)
            self._refuse(start, bad, "the probabilities of the row do not sum to 1", "divide each row by its sum")

    def _refuse(self, start: int, bad: Array, fact: str, cure: str) -> None:
        if not bad.any():
            return
        place, _ = first_of(self.source, start, bad)
        raise DataError(f"{place}: {fact}; {cure}")

    def _table(self, start: int, calibrated: Array) -> dict[str, Any]:
        """Return calibrated rows as columns of a table, with ids if there are any."""
        table = calibrated if calibrated.ndim == 2 else calibrated[:, None]
        names = self.source.columns
        if not names or len(names) != table.shape[1]:
            names = ("prediction",) if table.shape[1] == 1 else tuple(f"prediction_{i}" for i in range(table.shape[1]))
        columns = dict(zip(names, table.T, strict=True))
        if self.ids is None:
            return columns
        column, name = self.ids
        return {name: column.take(np.arange(start, start + len(calibrated)))} | columns


def _columns(opener: Opener, request: Request, other: str | None) -> tuple[Dataset, tuple[IdColumn, str] | None]:
    """Return the dataset of the predictions to calibrate and, if there are ids, these with the name of their column."""
    _check_standard_input(request, other)
    operand = opener.open(other or request.predictions, "--apply")
    taken = [None, None] if other is not None else _neighbours(opener, request, operand)
    id = request.id
    if id is not None and (not operand.is_table or id not in (operand.content.names or ())):
        id = None
    dataset = assign(operand, taken[0], taken[1], id, request.columns if operand.is_table else None)
    if id is None:
        return dataset, None
    return dataset, (IdColumn(operand.content, operand.content.find(id)), id)


def _check_standard_input(request: Request, other: str | None) -> None:
    """Raise a UsageError if the predictions to calibrate come from standard input, which the fit has read."""
    if request.targets is None:
        return  # nothing is fitted
    if _is_standard_input(other or request.predictions) and (
        other is None or any(map(_is_standard_input, (request.predictions, request.targets)))
    ):
        raise UsageError(
            f"{'--apply' if other else '--output'}: standard input was read for the fit, and is there once; put it in a file"
        )


def _neighbours(opener: Opener, request: Request, predictions: Operand) -> list[Operand | None]:
    """Return the targets and the weights of the fit if they are columns of the predictions' file, else None for each.

    These columns are no predictions when the same file is calibrated.
    """
    words = (request.targets, None if weight_of_all(request) is not None else request.sample_weight)
    operands = [None if word is None or _is_standard_input(word) else opener.open(word, "targets") for word in words]
    return [operand if operand is not None and operand.same_file(predictions) else None for operand in operands]


def _is_standard_input(word: str | None) -> bool:
    """Whether an operand is standard input."""
    return word is not None and not os.path.exists(word) and (word == "-" or word.startswith("-:"))


def order_of(source: Source, fitted: Basis) -> tuple[int, ...] | None:
    """Return, for each column of the fit, the column of the source that belongs to the same
    class; None for the same order.

    Raises
    ------
    DataError
        if the source has another number of columns, or other names.
    """
    width, wanted = (1 if len(shape) == 1 else shape[1] for shape in (source.shape, fitted.shape))
    if width != wanted:
        raise DataError(
            f"{source.name}: shape {source.shape}, and {fitted.name} have {fitted.shape}; "
            f"give a file with {count(wanted, 'column')} of predictions"
        )
    if wanted == 1:
        return None
    if fitted.request.classes is not None:
        arranged = in_order(source, class_names(fitted.request.classes, []), [])
    elif fitted.columns and source.columns:
        arranged, _ = by_name(source, fitted.columns, source.columns, [], positions=False)
    else:
        return None
    return arranged.order if isinstance(arranged, Reordered) else None
