"""Lists of rows: which rows of a file are the items of one list, by --group, for losses over lists of unequal length."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.data.columns import Columns
from losscli.data.slices import named_columns, word
from losscli.data.targets import check_rows
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener, Operand
from losscli.io.row_lists import Lists, Runs
from losscli.io.source import ConstantSource, MemorySource, Reshaped, Source, blocks, whole
from losscli.wording import count, written

if TYPE_CHECKING:
    from losscli.data.dataset import Dataset
    from losscli.definition.request import Request
    from losscli.io.text import TextColumn

MOST_BYTES = 4 << 30
"""Bytes of memory that rows may take which are read in another order than that of their file."""
ROWS_AT_ONCE = 1 << 17
"""Rows whose weights are looked at together, if no list is longer."""
NOTHING = ("", "nan", "null")
"""Words, in lower case, of cells that name no list."""


def group_columns(text: str, predictions: Operand, targets: Operand | None, opener: Opener) -> list[Operand]:
    """Return the operands that --group means: a column of the predictions or targets, or of both; or else FILE or FILE:COLUMN.

    Raises
    ------
    DataError
        if there is neither such a column nor such a file.
    """
    return named_columns("--group", text, predictions, targets, opener)


def check_request(request: "Request") -> None:
    """Raise a UsageError for options that contradict --group."""
    if request.group is None:
        return
    if request.per is not None:
        raise UsageError(f"--per {request.per}: with --group each list has one loss; leave one of them out")
    if request.library is not None:
        raise UsageError(f"--group: the call of {request.library} takes lists of one length, (n, k); leave out --as")


def lists_of(dataset: "Dataset") -> Lists:
    """Return the lists of --group, by its column; where predictions and targets both have it, the two must be equal.

    Raises
    ------
    DataError
        if a row names no list, the rows are more or fewer than the predictions, the two files have other lists, or the rows of
        lists do not stand together and are too many to be held in memory.
    """
    columns = dataset.lists
    for one in columns:
        _check_rows(dataset.predictions, one)
    runs, named = _read(columns[0])
    if len(columns) > 1:
        _check_same(columns[0], columns[1])
    if not runs.together:
        _check_size(dataset, runs)
    starts, order = runs.ordered()
    return Lists((), starts, order, named)


def _read(columns: Columns) -> tuple[Runs, Callable[[Array], list[str]]]:
    """Return the runs of rows of one list, and a function that names lists."""
    words = _words(columns)
    if words is None:
        source = columns.source()
        if len(source.shape) == 2 and source.shape[1] == 1:
            source = Reshaped(source)
        if len(source.shape) != 1:
            raise DataError(f"{source.name}: shape {source.shape}; --group takes one name of a list per row, (n,)")
        runs = Runs.of(_numbers(source), source.shape[0])
        return runs, lambda lists: [word(value) for value in runs.values[lists].tolist()]
    for code, cell in enumerate(words.cells):
        if (cell is None or cell.strip().lower() in NOTHING) and words.rows[code]:
            raise DataError(f"{words.place(words.first[code])}: no list is named here, and each row is an item of one")
    runs, cells = Runs.of(blocks(words.codes), words.codes.shape[0]), words.cells
    return runs, lambda lists: [str(cells[code]) for code in runs.values[lists].tolist()]


def _words(columns: Columns) -> "TextColumn | None":
    """Return a column as text; None for an array of numbers."""
    return columns.words() if columns.operand.is_table else columns.text()


def _numbers(source: Source) -> Iterator[tuple[int, Array]]:
    """Yield a source of numbers block by block; raises a DataError for a NaN."""
    for start, block in blocks(source):
        undefined = np.isnan(block) if block.dtype.kind == "f" else np.zeros(len(block), bool)
        if undefined.any():
            row = start + int(undefined.argmax())
            raise DataError(f"{source.place(row)}: the list is NaN, and each row is an item of one")
        yield start, block


def _check_rows(predictions: Columns, column: Columns) -> None:
    """Raise a DataError if a column of lists has more or fewer rows than the predictions."""
    rows, content = predictions.shape[0], column.operand.content
    numbers = not column.operand.is_table and content.dtype.kind in "iuf" and len(content.shape) == 1
    if numbers and column.shape[0] != rows and whole(content).sum() == rows:
        raise DataError(
            f"{column.name}: {count(column.shape[0], 'number')} whose sum is the {rows:,} rows of {predictions.name}: the lengths "
            "of lists? Give the list of each row, as numpy.repeat(numpy.arange(len(lengths)), lengths)",
            "rows-differ",
        )
    check_rows(predictions, column)


def _check_same(one: Columns, other: Columns) -> None:
    """Raise a DataError if two files have the column of lists, and its words are not the same in each row."""
    first, second = _words(one), _words(other)
    assert first is not None
    assert second is not None
    known = {cell: code for code, cell in enumerate(first.cells)}
    alike = np.array([known.get(cell, -1) for cell in second.cells], np.int64)
    for start, codes in blocks(first.codes):
        theirs = second.codes.read(start, start + len(codes))
        different = alike[theirs] != codes
        if different.any():
            at = int(different.argmax())
            raise DataError(
                f"{first.place(start + at)}: the list {first.cells[codes[at]]!r}, and {second.cells[theirs[at]]!r} at "
                f"{second.place(start + at)}; rows of two files are of one list: join them with --id, or name the lists once, as "
                f"--group {one.name}:{one.operand.column}"
            )


def _check_size(dataset: "Dataset", runs: Runs) -> None:
    """Raise a DataError if rows must be gathered in memory, and are too many for it."""
    read = [columns for columns in dataset.operands if columns is not dataset.weights]
    size = runs.rows * (8 + sum(columns.dtype.itemsize for columns in read))
    if size > MOST_BYTES:
        raise DataError(
            f"{dataset.predictions.name}: the rows of a list do not stand together, and holding all {runs.rows:,} of them in memory "
            f"takes about {size / 1e9:.1f} GB; the limit is {MOST_BYTES / 1e9:.1f} GB: sort the files by list, which streams"
        )


def weights_of_lists(weights: Source, lists: Lists) -> Source:
    """Return the weight of each list, shape (lists,), from those of all rows, which must be equal within a list.

    Raises
    ------
    DataError
        if the weights of a list differ, or one is no weight.
    """
    if isinstance(weights, ConstantSource):
        return ConstantSource(weights.value, (lists.samples,), weights.dtype)
    weights = lists.arranged(weights)
    found = np.empty(lists.samples)
    for start, stop in pairwise(lists.whole(ROWS_AT_ONCE)):
        first, cuts = lists.cut(start, stop)
        block = weights.read(start, stop).astype(np.float64)
        of_list = np.repeat(block[cuts], np.diff(cuts, append=stop - start))
        bad = ~((block >= 0) & np.isfinite(block))
        if bad.any():
            row = int(bad.argmax())
            raise DataError(
                f"{weights.place(start + row)}: the weight {written(block[row])} is negative or not finite; weights are numbers >= 0",
                "bad-weights",
            )
        if (different := block != of_list).any():
            row = int(different.argmax())
            raise DataError(
                f"{weights.place(start + row)}: the weight {written(block[row])}, and the first row of its list has {written(of_list[row])}; a list "
                "has one loss and one weight: give its rows the same",
                "bad-weights",
            )
        found[first : first + len(cuts)] = block[cuts]
    return MemorySource(weights.name, found)
