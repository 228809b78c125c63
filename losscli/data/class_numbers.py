"""One number per class: a weight or a count, from NAME=NUMBER pairs or a file; and the counts of the classes in the targets."""

import os
import re
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.data.class_names import by_class, named_numbers
from losscli.data.columns import Columns
from losscli.data.target_encoding import DecodedTargets
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener
from losscli.io.source import Source, blocks, whole
from losscli.records import NamedTuple
from losscli.wording import count, did_you_mean, listing, written

if TYPE_CHECKING:
    from losscli.io.table import Table


class PerClass(NamedTuple):
    """An option whose value is one number per class, and how its messages call them."""

    option: str
    what: str
    """One of its numbers in words, 'class weight'."""
    words: tuple[str, ...]
    """Values that are neither pairs nor files, for hints."""
    all_named: bool = False
    """Whether each class must be named; else classes that are not named get 1."""


WEIGHTS = PerClass("--class-weight", "class weight", ("balanced", "effective:0.999"))
COUNTS = PerClass("--class-counts", "class count", ("targets",), all_named=True)


class Classes(NamedTuple):
    """The classes, or outputs, as options may name them."""

    k: int
    names: tuple[str, ...] | None
    columns: tuple[str, ...] | None
    """Names of the predictions' columns, of which the names of classes may be a part."""

    @classmethod
    def of(cls, made: DecodedTargets, k: int, several: bool) -> "Classes":
        """Return the classes of decoded targets; `several` says that the predictions have several outputs."""
        names = made.classes
        if not several and made.encoding.stored_as in ("signs", "outcomes"):
            names = ("-1", "1") if made.encoding.kind == "signed" else names or ("0", "1")
        return cls(k, names, made.columns)


def numbers_of_classes(kind: PerClass, text: str, opener: Opener, classes: Classes) -> Array:
    """Return one number per class, shape (k,), from NAME=NUMBER,... or a file.

    Raises
    ------
    UsageError
        if the text cannot be read, names an unknown class, or does not name all of them and has to.
    DataError
        if a file does not fit.
    """
    if "=" in text and not os.path.exists(text):
        pairs = named_numbers(text, kind.option)
        if classes.names == ("0", "1"):
            pairs = [
                ("0" if name == "-1" else name, value) for name, value in pairs
            ]  # labels in {-1, 1} of which none is -1 look like {0, 1}
        return _of_pairs(kind, pairs, classes, kind.option)
    return _of_file(kind, text, opener, classes)


def _of_pairs(
    kind: PerClass, pairs: list[tuple[str, float]], classes: Classes, where: str, columns: bool = True
) -> Array:
    """Return one number per class from pairs of names and numbers; raise a UsageError if a class has none and must have."""
    own_columns = classes.columns if columns else None
    numbers = by_class(pairs, classes.names, classes.k, where, own_columns)
    if kind.all_named:
        left = np.flatnonzero(
            by_class([(name, 0.0) for name, _ in pairs], classes.names, classes.k, where, own_columns)
        )
        if len(left):
            names = classes.names or [str(i) for i in range(classes.k)]
            raise UsageError(
                f"{where}: no {kind.what} of {listing([names[i] for i in left], 4)}; give one for each class"
            )
    return numbers


def _of_file(kind: PerClass, text: str, opener: Opener, classes: Classes) -> Array:
    """Return one number per class from a file."""
    close = None if os.path.exists(text) else did_you_mean(text, kind.words, alike=0.8)
    if close:
        raise UsageError(f"{kind.option} {text}: no such file{close}")
    if not os.path.exists(text) and re.fullmatch(r"[\d.,eE+ -]+", text):
        raise UsageError(f"{kind.option} {text}: say NAME=NUMBER,... or give a file with one number per class")
    operand = opener.open(text, kind.option)
    if operand.is_table and operand.content.width > 1 and operand.column is None:
        return _of_table(kind, operand.content, text, classes)
    what = "class weights" if kind is WEIGHTS else "class counts"
    source = Columns(operand, [] if not operand.is_table else [operand.picked or 0], what).source()
    values = whole(source).reshape(-1)
    if len(values) != classes.k:
        raise DataError(
            f"{source.name}: {count(len(values), kind.what)} for {count(classes.k, 'class', 'classes')}; give one per class"
        )
    check_weights(source, values, kind=kind)
    return values.astype(np.float64)


def _of_table(kind: PerClass, table: "Table", text: str, classes: Classes) -> Array:
    """Return one number per class from a table of names and numbers, or from one row with one column per class."""
    named = table.name_column()
    if named is None and table.names and table.height == 1:
        source = table.source(range(table.width))
        cells, values = list(table.names), whole(source)[0]
    elif table.width == 2:
        named = named or 0
        source = table.source([1 - named])
        cells, values = [str(cell) for cell in table.text(named).text()], whole(source)
    else:
        number = kind.what.removeprefix("class ")
        raise DataError(
            f"{table.name}: {count(table.width, 'column')}; give a name and a {number} a row, or {table.name}:COLUMN"
        )
    check_weights(source, values, kind=kind)
    pairs = list(zip(cells, values.tolist(), strict=True))
    return _of_pairs(kind, pairs, classes, f"{kind.option} {text}", columns=False)


def check_weights(source: Source, values: Array, start: int = 0, kind: PerClass | None = None) -> None:
    """Raise a DataError if a weight or count is negative or not finite; the first one is that of row `start`."""
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        row = int(bad.argmax())
        what = "weight" if kind is None else kind.what.removeprefix("class ")
        raise DataError(
            f"{source.place(start + row)}: the {what} {written(values[row])} is negative or not finite; {what}s are numbers >= 0",
            "bad-weights",
        )


def counted(made: DecodedTargets, k: int, mask: Source | None) -> Array:
    """Return how many rows each class has, shape (k,); soft rows count by their targets, and outputs by their positives.

    `mask` says what exists; None for everything.
    """
    counts = np.zeros(k)
    for start, batch in blocks(made.source):
        kept = made.encoding.keep(batch)
        if mask is not None and len(mask.shape) == 1:
            there = mask.read(start, start + len(batch)) != 0
            kept = there if kept is None else kept & there
        rows = batch if kept is None else batch[kept]
        if made.encoding.stored_as == "indices":
            counts += np.bincount(rows.astype(np.int64), minlength=k)
            continue
        t = (rows if made.encoding.stored_as == "rows" else made.encoding.outcomes(rows)).astype(np.float64)
        counts += np.array([len(t) - t.sum(), t.sum()]) if t.ndim == 1 else t.sum(axis=0)
    return counts
