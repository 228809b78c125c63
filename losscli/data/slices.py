"""Slices: the rows that have the same word in a column, by --by."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.data.columns import Columns
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener, Operand
from losscli.io.source import Derived, MemorySource, Reshaped, Source, blocks, whole
from losscli.numerals import is_count
from losscli.records import dataclass, replace
from losscli.wording import count, did_you_mean, listing

if TYPE_CHECKING:
    from losscli.data.dataset import Dataset
    from losscli.io.positions import Layout
    from losscli.io.row_lists import Lists
    from losscli.io.text import TextColumn

MOST_SLICES = 10_000
"""Different words of a column that makes slices."""


@dataclass
class SliceColumn:
    """A column that makes slices: what it is called, the name of each slice, and the slice of each row of the predictions.

    A cell that is empty or missing is of the slice whose name is ''.
    """

    label: str
    names: tuple[str, ...]
    codes: Source
    samples: tuple[int, ...]
    """The number of samples in each slice, those that are ignored included."""

    def codes_of(self, rows: Array) -> Array:
        """Return the slices of some rows of the predictions, whose numbers ascend, as places among the names."""
        return codes_of(self.codes, rows)


def codes_of(codes: Source, rows: Array) -> Array:
    """Return the codes of some rows, whose numbers ascend."""
    if not len(rows):
        return np.zeros(0, np.int64)
    first = int(rows[0])
    return codes.read(first, int(rows[-1]) + 1)[rows - first]


def named_columns(
    option: str, text: str, predictions: Operand, targets: Operand | None, opener: Opener
) -> list[Operand]:
    """Return the operands that an option means: a column of the predictions or targets, or of both; or else FILE or FILE:COLUMN.

    Raises
    ------
    DataError
        if there is neither such a column nor such a file.
    """
    sides = [predictions] if targets is None or targets.same_file(predictions) else [predictions, targets]
    tables = [side for side in sides if side.is_table]
    if text not in opener.arrays:
        holding = [side for side in tables if side.content.names and text in side.content.names]
        if not holding and not os.path.exists(text):
            holding = [side for side in tables[:1] if not side.content.names and _is_number(text, side.content.width)]
        if holding:
            return [replace(side, column=text) for side in holding]
    try:
        return [opener.open(text, option)]
    except DataError as error:
        if "no such file" not in str(error):
            raise
        known = list(dict.fromkeys(name for side in tables for name in side.content.names or ()))
        where = " and ".join(side.name for side in tables)
        near = did_you_mean(text, known)
        held = f"no column {text!r} in {where}{near} ({listing(name or repr(name) for name in known)})"
        columns = held if tables else f"{predictions.name} is an array, without columns"
        raise DataError(f"{option} {text}: {columns}, and no such file") from error


def _is_number(text: str, width: int) -> bool:
    """Whether a text is the number of one of so many columns, counted from 1."""
    return is_count(text) and 1 <= int(text) <= width


def slice_columns(texts: Iterable[str], predictions: Operand, targets: Operand | None, opener: Opener) -> list[Operand]:
    """Return the operands that --by means, each a column.

    Raises
    ------
    UsageError
        for a column that is named twice.
    DataError
        if there is neither such a column nor such a file, or two files have such a column.
    """
    found: list[Operand] = []
    for text in texts:
        columns = named_columns("--by", text, predictions, targets, opener)
        if len(columns) > 1:
            raise DataError(
                f"--by {text}: {columns[0].name} and {columns[1].name} have such a column each; say which, as "
                f"--by {columns[0].text.rpartition(':')[0] or columns[0].name}:{text}"
            )
        if any(one.same_file(columns[0]) and one.column == columns[0].column for one in found):
            raise UsageError(f"--by {text}: is named twice; say it once")
        _ = columns[0].picked if columns[0].is_table else None  # an error with the columns that there are
        found += columns
    return found


def slices_of(dataset: "Dataset") -> tuple[SliceColumn, ...]:
    """Return the columns that make slices, each with the slice of every row of the predictions.

    Where rows are positions, a column has one word for each sample, which holds for all of its positions.

    Raises
    ------
    DataError
        if a column has more or fewer rows than there are samples, or too many different words.
    """
    from losscli.io.row_lists import Lists

    layout = dataset.layout
    labels = _labels(dataset.slices)
    if isinstance(layout, Lists):
        return tuple(
            _of_lists(_slices(dataset, *one, None), layout) for one in zip(dataset.slices, labels, strict=True)
        )
    return tuple(_slices(dataset, *one, layout) for one in zip(dataset.slices, labels, strict=True))


def _labels(found: list[Columns]) -> list[str]:
    """Return what columns are called: their names, or those of their files; with the file where two have the same name."""
    names = [columns.operand.column or os.path.basename(columns.operand.text) for columns in found]
    files = [
        columns.name if columns.operand.column is None else f"{columns.name}:{columns.operand.column}"
        for columns in found
    ]
    return [name if names.count(name) == 1 else file for name, file in zip(names, files, strict=True)]


def _slices(dataset: "Dataset", columns: Columns, label: str, layout: "Layout | None") -> SliceColumn:
    samples = dataset.predictions.file_shape[0] if layout is None else layout.samples
    column = _words(columns)
    _check_rows(dataset, columns, column.codes.shape[0], samples)
    if len(column.cells) > MOST_SLICES:
        raise DataError(
            f"--by {label}: {count(len(column.cells), 'different value')} in {columns.name}; slices are at most {MOST_SLICES:,}: name a "
            "column with fewer, such as a class or a region, or round its numbers first"
        )
    names, codes = _without_empty([cell or "" for cell in column.cells], column.codes)
    found = dict.fromkeys(names, 0)
    for cell, number in zip(column.cells, column.rows.tolist(), strict=True):
        found[cell or ""] += number
    return SliceColumn(label, names, _of_positions(codes, layout), tuple(found.values()))


def _words(columns: Columns) -> "TextColumn":
    """Return a column as words, of numbers and of booleans too."""
    found = columns.words() if columns.operand.is_table else columns.text()
    return _of_numbers(columns) if found is None else found


def _of_numbers(columns: Columns) -> "TextColumn":
    """Return an array of numbers or booleans as words; NaN is 'nan'."""
    from losscli.io.text import Coder

    source = columns.operand.content if not columns.operand.is_table else columns.source()
    columns.operand.check_alike()
    if len(source.shape) == 2 and source.shape[1] == 1:
        source = Reshaped(source)
    if len(source.shape) != 1:
        raise DataError(f"{source.name}: shape {source.shape}; --by takes one word or number per sample, (n,)")
    coder = Coder(source.name)
    for _, block in blocks(source):
        distinct, index = np.unique(block, return_inverse=True)
        if len(distinct) > MOST_SLICES:
            raise DataError(
                f"--by {columns.name}: more than {MOST_SLICES:,} different numbers; slices are at most so many: round them first, or "
                "give the number of a bin for each row, as numpy.digitize does"
            )
        coder.add_coded([word(value) for value in distinct.tolist()], index.reshape(-1))
    return coder.column()


def word(value: Any) -> str:
    """Return a number as a name: a whole one without decimals, a boolean as true or false."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if np.isfinite(value) and value == int(value) else str(value)


def _check_rows(dataset: "Dataset", columns: Columns, rows: int, samples: int) -> None:
    """Raise a DataError if a column of slices has more or fewer rows than there are samples."""
    if rows == samples:
        return
    if columns.operand.is_table:
        columns.operand.content.check()  # raises an error if a blank or broken row is the reason
    name = columns.operand.column or columns.name
    raise DataError(
        f"--by {name}: {columns.name} has {count(rows, 'row')} and {dataset.predictions.name} {count(samples, 'sample')}; give one "
        "word or number for each sample, or join the files with --id",
        "rows-differ",
    )


@dataclass
class Recoded(Derived):
    """Codes of which some are replaced by others: code i by `to[i]`."""

    to: Array
    row_by_row = True

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.to[self.of.read(start, stop)]

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row, column)


def _without_empty(names: list[str], codes: Source) -> tuple[tuple[str, ...], Source]:
    """Return names of which each is there once, with the codes: an empty cell and a missing one are of the same slice."""
    distinct = list(dict.fromkeys(names))
    if len(distinct) == len(names):
        return tuple(names), codes
    places = {name: place for place, name in enumerate(distinct)}
    return tuple(distinct), Recoded(codes, np.array([places[name] for name in names], np.int32))


def _of_positions(codes: Source, layout: "Layout | None") -> Source:
    """Return the slice of each row of the predictions, from that of each sample."""
    if layout is None:
        return codes
    from losscli.io.positions import OfSamples

    return OfSamples(codes, layout)


def _of_lists(column: SliceColumn, lists: "Lists") -> SliceColumn:
    """Return a column with the slice of each item in the order of the lists; raises a DataError if a list has items of two slices."""
    codes = whole(column.codes)
    codes = codes if lists.order is None else codes[lists.order]
    first = np.repeat(codes[lists.starts[:-1]], np.diff(lists.starts))
    different = np.flatnonzero(codes != first)
    if len(different):
        row = int(different[0])
        number = int(np.searchsorted(lists.starts, row, side="right")) - 1
        one, other = column.names[int(first[row])], column.names[int(codes[row])]
        raise DataError(
            f"--by {column.label}: the list {lists.named(np.array([number]))[0]!r} has items of {one!r} and of {other!r}; a list has one "
            "loss and is of one slice: give its rows the same"
        )
    return replace(column, codes=MemorySource(column.codes.name, codes))
