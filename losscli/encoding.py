"""Labels as rows of targets: one-hot, or smoothed as `compute` smooths them. A run of rows at a time."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from losscli.core import Array
from losscli.errors import DataError, UsageError, count, listing
from losscli.findings import warned
from losscli.forms import Form, Smoothing
from losscli.io.operands import Opener, natural
from losscli.io.roles import Columns, assign
from losscli.io.sources import Source
from losscli.io.tables import is_finite_number
from losscli.io.text import IdColumn
from losscli.io.writers import NpyWriter, TextWriter
from losscli.labels import Holder, distinct, one_a_row
from losscli.names import class_names

if TYPE_CHECKING:
    from losscli.io.raw import Raw
    from losscli.io.text import TextColumn

BLOCK_BYTES = 4 << 20
"""Of targets that are made at once."""
MOST_CLASSES = 10_000_000
LISTED = 12


class Wanted(NamedTuple):
    """What is asked for, as it was typed; the words mean what they mean to `compute`."""

    labels: str
    classes: str | None = None
    smoothing: float = 0.0
    mode: str | None = None
    ignore: str | None = None
    base: int = 0
    id: str | None = None
    header: bool | None = None

    def check(self) -> None:
        """Refuse what makes no sense whatever the file holds.

        Raises
        ------
        UsageError
            for numbers outside their domains, and rows to leave out without ids that say which.
        """
        if not 0 <= self.smoothing < 1:
            raise UsageError(f"--smoothing {self.smoothing:g} is not in [0, 1)")
        if self.base not in (0, 1):
            raise UsageError(f"--label-base {self.base} is neither 0 nor 1")
        if self.ignore is not None and self.id is None:
            raise UsageError(
                f"--ignore-index {self.ignore}: rows without a target are left out, and only ids say then which row is "
                "whose: name their column with --id, and compute with --id and --on-unmatched drop"
            )


@dataclass
class Encoding:
    """Labels that were read and checked, and how they become rows of targets."""

    source: Source
    form: Form
    titles: tuple[str, ...]
    """Names of the columns, one a class."""
    smoothing: Smoothing | None
    ids: tuple[str, IdColumn] | None
    files: frozenset[str]
    raws: "list[Raw]"
    notes: list[str]

    @property
    def k(self) -> int:
        return self.form.k

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """Yield (which rows of the file, their targets) over all rows that are not left out."""
        on, off = (1.0, 0.0) if self.smoothing is None else (self.smoothing.on, self.smoothing.shift)
        n = self.source.shape[0]
        step = max(1, BLOCK_BYTES // (8 * self.k), self.source.grain)
        for start in range(0, n, step):
            index = self.source.read(start, min(start + step, n))
            kept = self.form.keep(index)
            rows = start + (np.arange(len(index)) if kept is None else np.flatnonzero(kept))
            index = (index if kept is None else index[kept]).astype(np.int64)
            targets = np.full((len(index), self.k), off)
            targets[np.arange(len(index)), index] = on
            yield rows, targets
        for raw in self.raws:
            raw.check()

    def write_csv(self, file: Any) -> int:
        """Write a table with a header, and return how many rows it has."""
        writer, height = TextWriter(file, ","), 0
        nothing = np.zeros(0, np.int64), np.zeros((0, self.k))
        for rows, targets in (nothing, *self.blocks()):
            named: dict[str, Any] = {} if self.ids is None else {self.ids[0]: self.ids[1].take(rows)}
            if len(rows) or not height:
                writer.write(named | dict(zip(self.titles, targets.T, strict=True)))
            height += len(rows)
        return height

    def write_npy(self, file: Any) -> int:
        """Write an array, float64 of shape (n, k), and return n."""
        writer, height = NpyWriter(file), 0
        for _, targets in self.blocks():
            writer.add(targets)
            height += len(targets)
        writer.close()
        return height


def encoding(wanted: Wanted) -> Encoding:
    """Open the labels and check all of them.

    Raises
    ------
    UsageError
        for options that do not go together.
    DataError
        for labels that are none, classes that are not known, and a file without rows.
    """
    wanted.check()
    opener = Opener(wanted.header)
    operand = opener.open(wanted.labels, "labels")
    roles = assign(operand, None, None, wanted.id, None)
    labels = Columns(operand, roles.predictions.numbers, "labels")
    shape = labels.shape
    if len(shape) == 2 and shape[1] != 1:
        of = f" ({listing(labels.names)})" if labels.names else ""
        pick = f"pick one with {operand.name}:COLUMN" if operand.is_table else "save them with shape (n,)"
        raise DataError(f"{operand.name}: {shape[1]} columns{of}, where one label a row is needed; {pick}")
    if not shape[0]:
        raise DataError(f"{operand.name}: no samples left: the file has no rows; there is nothing to write")
    notes = [*roles.notes, *warned(roles.findings)]
    text = labels.text()
    names, k, holder = _classes(wanted, labels, text, notes)
    made = one_a_row("targets", labels, names, k, wanted.ignore, wanted.base, holder)
    smoothing = None
    if wanted.smoothing:
        smoothing = Smoothing.of(wanted.smoothing, wanted.mode or "uniform", k)
        _note_sum(smoothing, k, notes)
    ids = None
    if wanted.id is not None:
        if not operand.is_table:
            raise DataError(f"{operand.name}: an array has no column {wanted.id!r}; save it as a table, or leave out --id")
        ids = (wanted.id, _ids(operand.content, wanted.id))
    titles = names or tuple(f"class_{i}" for i in range(wanted.base, k + wanted.base))
    paths = opener.paths | ({os.path.realpath(wanted.classes)} if wanted.classes else set())
    return Encoding(made.source, made.form, titles, smoothing, ids, frozenset(paths), opener.raws, notes)
