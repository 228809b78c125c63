"""Predictions of a file after calibration: written row by row to another file."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from losscli.analysis.calibration.temperature import Point, scores_of
from losscli.arrays import Array, row_sums
from losscli.data.class_names import by_name, class_names, in_order
from losscli.data.columns import Columns
from losscli.data.dataset import assign
from losscli.data.target_encoding import SUM_TOLERANCE
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener, Operand
from losscli.io.sinks import Outputs, is_special, keep_apart
from losscli.io.source import Reordered, Source, blocks
from losscli.io.text import IdColumn
from losscli.io.writers import NpyWriter, TextWriter, suffix_of
from losscli.measurement.measure import Measurement
from losscli.wording import count

SUFFIXES = (".npy", ".csv")


class Recalibrated:
    """The output of `calibrate`: opened before the fit, and published when all rows are written.

    Parameters
    ----------
    other
        the operand whose rows are calibrated; None for those of PREDICTIONS.
    """

    def __init__(self, output: str, other: str | None) -> None:
        self.output, self.other = output, other
        self.suffix = ".npy" if is_special(output, SUFFIXES) else suffix_of(output, SUFFIXES, "--output")
        self.files = Outputs()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.files.discard()

    def open(self, made: Measurement) -> None:
        """Open what is read and what is written, and check that it goes with the fit's files.

        Raises
        ------
        UsageError
            for an output that is an input.
        DataError
            for other columns than those of the fit.
        """
        request = made.request
        self.opener = Opener(request.header, arrays=request.arrays)
        self.columns, self.ids = _columns(self.opener, request, self.other)
        self.source = self.columns.source()
        self.order = _order(self.source, made)
        self.prediction_kind = request.prediction_kind
        keep_apart(self.output, made.files | self.opener.paths, "--output ")
        self.file = self.files.open(Path(self.output))

    def write(self, point: Point) -> list[str]:
        """Write all rows, and return what to tell the user."""
        if point.bias is not None and self.order is not None:
            bias = np.empty_like(point.bias)
            bias[list(self.order)] = point.bias
            point = point._replace(bias=bias)
        writer = NpyWriter(self.file) if self.suffix == ".npy" else TextWriter(self.file, ",")
        for start, rows in self._rows():
            made = self._made(point, start, rows)
            if isinstance(writer, NpyWriter):
                writer.add(made)
            else:
                writer.write(self._table(start, made))
        writer.close()
        for raw in self.opener.raws:
            raw.check()
        self.files.publish()
        if self.source.dtype == np.float16:
            return [
                f"{self.output}: float32, for float16 would round the calibrated {self.prediction_kind} of {self.source.name}"
            ]
        return []

    def _rows(self) -> Iterator[tuple[int, Array]]:
        # A file without rows still has a shape, and a header.
        yield 0, np.zeros((0, *self.source.shape[1:]), self.source.dtype)
        yield from blocks(self.source)

    @np.errstate(all="ignore")  # -inf is a logit, and a NaN is looked for
    def _made(self, point: Point, start: int, rows: Array) -> Array:
        self._check(start, rows)
        one = rows.ndim == 1 or rows.shape[1] == 1
        given = rows.reshape(len(rows)) if one else rows
        z = scores_of(given, self.prediction_kind)
        if one and self.prediction_kind != "logits":
            z = np.stack([np.zeros(len(z)), z[:, 1] - z[:, 0]], axis=1)
        x = point.logits(z)
        self._refuse(
            start, np.asarray(np.isnan(x).any(axis=1)), "no class is possible", "correct the row or leave it out"
        )
        if self.prediction_kind == "logits":
            made = x[:, 1] - x[:, 0] if one else x
        else:
            peak = x.max(axis=1, keepdims=True)
            impossible: Array = peak[:, 0] == -np.inf
            self._refuse(start, impossible, "no class is possible", "correct the row or leave it out")
            log = np.where(x == peak, 0, x - peak)
            log = log - np.log(row_sums(np.exp(log)))[:, None]
            made = log if self.prediction_kind == "log-probs" else np.exp(log)
            made = made[:, 1] if one else made
        dtype = rows.dtype if rows.dtype.kind == "f" and rows.dtype.itemsize > 2 else None
        narrow = np.float32 if rows.dtype.kind == "f" else np.float64
        return made.reshape(rows.shape).astype(dtype or narrow, copy=False)

    def _check(self, start: int, rows: Array) -> None:
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
        if rows.ndim == 2 and rows.shape[1] > 1:
            sums = row_sums(rows if self.prediction_kind == "probs" else np.exp(rows.astype(np.float64)))
            bad = ~(np.abs(sums - 1) <= SUM_TOLERANCE)
            self._refuse(start, bad, "the probabilities of the row do not sum to 1", "divide each row by its sum")

    def _refuse(self, start: int, bad: Array, fact: str, cure: str) -> None:
        if not bad.any():
            return
        row, *column = (int(place) for place in np.argwhere(bad)[0])
        place = self.source.place(start + row, column[0] if column else None)
        raise DataError(f"{place}: {fact}; {cure}")

    def _table(self, start: int, made: Array) -> dict[str, Any]:
        table = made if made.ndim == 2 else made[:, None]
        names = self.source.columns
        if not names or len(names) != table.shape[1]:
            names = ("prediction",) if table.shape[1] == 1 else tuple(f"prediction_{i}" for i in range(table.shape[1]))
        found = dict(zip(names, table.T, strict=True))
        if self.ids is None:
            return found
        column, name = self.ids
        return {name: column.take(np.arange(start, start + len(made)))} | found


def _columns(opener: Opener, request: Request, other: str | None) -> tuple[Columns, tuple[IdColumn, str] | None]:
    """The columns of predictions to calibrate, and the ids of their rows with their column's name."""
    word = other or request.predictions
    if _is_standard_input(word) and (
        other is None or any(map(_is_standard_input, (request.predictions, request.targets)))
    ):
        raise UsageError(
            f"{'--apply' if other else '--output'}: standard input was read for the fit, and is there once; put it in a file"
        )
    operand = opener.open(word, "--apply")
    neighbours: list[Operand | None] = [None, None]
    if other is None:  # the columns that are targets or weights are no predictions here either
        words = (request.targets, request.sample_weight)
        neighbours = [
            None if word is None or _is_standard_input(word) else opener.open(word, "targets") for word in words
        ]
    id = request.id
    if id is not None and (not operand.is_table or id not in (operand.content.names or ())):
        id = None
    taken = [None if one is None or not one.same_file(operand) else one for one in neighbours]
    dataset = assign(operand, taken[0], taken[1], id, request.columns if operand.is_table else None)
    if id is None:
        return dataset.predictions, None
    return dataset.predictions, (IdColumn(operand.content, operand.content.find(id)), id)


def _is_standard_input(word: str | None) -> bool:
    return word is not None and not os.path.exists(word) and (word == "-" or word.startswith("-:"))


def _order(source: Source, made: Measurement) -> tuple[int, ...] | None:
    """Which column of the source is which class's; None for the same order.

    Raises
    ------
    DataError
        for another number of columns, or others' names.
    """
    ours = made.job.predictions
    width, wanted = (1 if len(shape) == 1 else shape[1] for shape in (source.shape, ours.shape))
    if width != wanted:
        raise DataError(
            f"{source.name}: shape {source.shape}, and the fit's predictions {ours.name} have {ours.shape}; "
            f"give a file with {count(wanted, 'column')} of predictions"
        )
    if wanted == 1:
        return None
    if made.request.classes is not None:
        found = in_order(source, class_names(made.request.classes), [])
    elif ours.columns and source.columns:
        found, _ = by_name(source, ours.columns, source.columns, [], positions=False)
    else:
        return None
    return found.order if isinstance(found, Reordered) else None
