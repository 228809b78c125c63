"""Labels as rows of targets: one-hot, or smoothed as `compute` smooths them, some rows at a time."""

import os
import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.data.class_names import class_names
from losscli.data.columns import Columns
from losscli.data.dataset import assign, join
from losscli.data.doubts import check_distinct_labels
from losscli.data.labels import Holder, as_index, distinct, one_a_row
from losscli.data.target_encoding import SUM_TOLERANCE, Smoothing, TargetEncoding
from losscli.definition.dialect import Dialect
from losscli.errors import DataError, UsageError
from losscli.findings import warned
from losscli.io.operands import Opener
from losscli.io.room import check_room
from losscli.io.source import Source, blocks
from losscli.io.table import is_finite_number
from losscli.io.text import IdColumn
from losscli.io.writers import NpyWriter, TextWriter
from losscli.records import NamedTuple, dataclass
from losscli.wording import count, listing, natural, written

if TYPE_CHECKING:
    from losscli.io.bytes import Raw
    from losscli.io.text import TextColumn

BATCH_BYTES = 4 << 20
"""Bytes of targets that are made at once."""
MOST_CLASSES = 1_000_000
LISTED = 12


class Wanted(NamedTuple):
    """Operands and options of `losscli targets`, as typed; they mean the same as for `compute`."""

    labels: str
    classes: str | None = None
    smoothing: float = 0.0
    mode: str = "uniform"
    ignore: str | None = None
    base: int = 0
    id: str | None = None
    header: bool | None = None
    dialect: Dialect = Dialect()

    def check(self) -> None:
        """Check what does not depend on the file.

        Raises
        ------
        UsageError
            if numbers are outside their domains, or rows are left out without ids to tell which.
        """
        if not 0 <= self.smoothing < 1:
            raise UsageError(f"--smoothing {written(self.smoothing)} is not in [0, 1)")
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
    encoding: TargetEncoding
    titles: tuple[str, ...]
    """Names of the columns, one per class."""
    smoothing: Smoothing | None
    ids: tuple[str, IdColumn] | None
    files: frozenset[str]
    raws: "list[Raw]"
    notes: list[str]

    @property
    def k(self) -> int:
        """Number of classes."""
        return self.encoding.k

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """Yield (numbers of rows of the file, their targets) over all rows that are not left out."""
        on, off = (1.0, 0.0) if self.smoothing is None else (self.smoothing.on, self.smoothing.shift)
        n = self.source.shape[0]
        step = max(1, BATCH_BYTES // (8 * self.k), self.source.grain)
        for start in range(0, n, step):
            index = self.source.read(start, min(start + step, n))
            kept = self.encoding.keep(index)
            rows = start + (np.arange(len(index)) if kept is None else np.flatnonzero(kept))
            index = (index if kept is None else index[kept]).astype(np.int64)
            targets = np.full((len(index), self.k), off)
            targets[np.arange(len(index)), index] = on
            yield rows, targets
        for raw in self.raws:
            raw.check()

    def check_room(self, path: str, cell: int) -> None:
        """Raise a DataError if a disk has too little room for the targets, of which each number takes `cell` bytes or more."""
        n = self.source.shape[0]
        what = f"{count(n, 'row')} of {self.k:,} classes"
        check_room(
            path,
            n * self.k * cell,
            what,
            f"are the labels of {self.source.name} classes, or ids? If classes, write to another disk",
        )

    def write_csv(self, file: Any) -> int:
        """Write a table with a header, and return its number of rows."""
        writer, height = TextWriter(file, ","), 0
        nothing = np.zeros(0, np.int64), np.zeros((0, self.k))
        for rows, targets in chain([nothing], self.blocks()):
            named: dict[str, Any] = {} if self.ids is None else {self.ids[0]: self.ids[1].take(rows)}
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
        if options contradict each other.
    DataError
        if labels are not valid, classes are unknown, or the file has no rows.
    """
    wanted.check()
    opener = Opener(wanted.header, dialect=wanted.dialect)
    operand = opener.open(wanted.labels, "labels")
    dataset = assign(operand, None, None, wanted.id, None)
    join(dataset, wanted.id, drop=False)  # with no other file, but it raises an error for empty and duplicate ids
    labels = Columns(operand, dataset.predictions.numbers, "labels")
    _check_shape(labels)
    notes = [*dataset.notes, *warned(dataset.findings)]
    text = labels.text()
    names, k, holder = _classes(wanted, labels, text, notes, opener)
    decoded = one_a_row("targets", labels, names, k, wanted.ignore, wanted.base, holder)
    if wanted.ignore is not None:
        _note_ignored(wanted.ignore, decoded.source, decoded.encoding, notes)
    smoothing = None
    if wanted.smoothing:
        smoothing = Smoothing.of(wanted.smoothing, wanted.mode, k)
        _note_sum(smoothing, k, notes)
    titles = names or tuple(f"class_{i}" for i in range(wanted.base, k + wanted.base))
    if wanted.id in titles:
        raise DataError(f"{operand.name}: {wanted.id!r} is the column of ids and a class; rename one of them")
    if wanted.id is None and all(map(is_finite_number, titles)):
        notes.append("the names of all classes are numbers: a table with such a header is read with --header")
    ids = None if dataset.ids is None or wanted.id is None else (wanted.id, dataset.ids)
    paths = opener.paths | ({os.path.realpath(wanted.classes)} if wanted.classes else set())
    return Encoding(decoded.source, decoded.encoding, titles, smoothing, ids, frozenset(paths), opener.raws, notes)


def _check_shape(labels: Columns) -> None:
    """Raise a DataError if there is no row, or more than one label per row."""
    shape, operand = labels.shape, labels.operand
    operand.check_alike()
    if len(shape) > 2:
        raise DataError(
            f"{operand.name}: shape {shape}, where one label per row is needed; losses take such labels as they are, with --class-axis"
        )
    if len(shape) == 2 and shape[1] != 1:
        of = f" ({listing(labels.names)})" if labels.names else ""
        pick = f"pick one with {operand.name}:COLUMN" if operand.is_table else "save them with shape (n,)"
        raise DataError(f"{operand.name}: {shape[1]} columns{of}, where one label per row is needed; {pick}")
    if not shape[0]:
        raise DataError(f"{operand.name}: no samples left: the file has no rows; there is nothing to write")


def _note_ignored(ignore: str, source: Source, encoding: TargetEncoding, notes: list[str]) -> None:
    """Raise a DataError if all rows are ignored; add a note if none is."""
    left = 0
    for _, batch in blocks(source):
        kept = encoding.keep(batch)
        left += len(batch) if kept is None else int(np.count_nonzero(kept))
    if not left:
        raise DataError(f"{source.name}: no samples left: all rows are ignored; there is nothing to write")
    if left == source.shape[0]:
        notes.append(f"--ignore-index {ignore}: no row has this label")


def _classes(
    wanted: Wanted, labels: Columns, text: "TextColumn | None", notes: list[str], opener: Opener
) -> tuple[tuple[str, ...] | None, int, Holder]:
    """Return the names of the classes, if they have any, their number, and phrases about who defines them."""
    number = _number(wanted.classes)
    if number is not None:
        unnamed = f"--classes {number} gives no names"
        cure = "say --classes NAME,... with the names in their order"
        return None, number, Holder("", "--classes says {k} classes", unnamed, cure)
    if wanted.classes is not None:
        names = class_names(wanted.classes, opener.raws)
        _check_number(len(names), f"--classes {wanted.classes}")
        return names, len(names), Holder("--classes has", "--classes names {k} classes")
    if text is None:
        raise UsageError(
            f"{labels.name}: class indices do not say how many classes there are; say --classes K, their number"
        )
    found = distinct(text, wanted.ignore)
    cells = list(dict.fromkeys(cell for _, cell in found))
    if not cells:
        raise DataError(f"{labels.name}: no samples left: all rows are ignored; there is nothing to write")
    if all(as_index(cell) is not None for cell in cells):
        raise UsageError(
            f"{labels.name}: the labels are numbers, which do not say how many classes there are; say --classes K, their "
            "number, or --classes A,B,... if they are names"
        )
    check_distinct_labels(labels.name, len(cells), sum(int(text.rows[code]) for code, _ in found))
    names = tuple(sorted(cells, key=natural))
    if len(names) < 2:
        raise DataError(f"{labels.name}: all labels are {names[0]!r}; say --classes A,B,... with all classes")
    notes.append(
        f"the columns are the classes in the order of their names: {listing(names, LISTED)}; --classes A,B,... sets another"
    )
    return names, len(names), Holder()


def _number(classes: str | None) -> int | None:
    """Return the number of classes, if --classes is one; a file of that name has precedence."""
    if (
        classes is None
        or os.path.exists(classes)
        or not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", classes.strip(), re.ASCII)
    ):
        return None
    text = classes.strip()
    if not re.fullmatch("[1-9][0-9]{0,6}", text) or int(text) > MOST_CLASSES:
        raise UsageError(f"--classes {text}: a number of classes is a whole number from 2 to {MOST_CLASSES:,}")
    _check_number(int(text), f"--classes {text}")
    return int(text)


def _check_number(k: int, what: str) -> None:
    """Raise a UsageError if there are fewer than two classes."""
    if k < 2:
        raise UsageError(f"{what}: one class has no other; say K, a whole number of 2 or more, or A,B,...")


def _note_sum(smoothing: Smoothing, k: int, notes: list[str]) -> None:
    """Add a warning if smoothed rows do not sum to 1."""
    total = smoothing.on + (k - 1) * smoothing.shift
    if abs(total - 1) > SUM_TOLERANCE:
        notes.append(
            f"warning: --smoothing-mode half makes each row sum to {total:g}; losses of classes take no such targets, "
            "sigmoid losses do; uniform and others keep the sum at 1"
        )
