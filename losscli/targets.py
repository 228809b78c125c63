"""Targets: labels in every form, read into what a lift needs.

What the targets are is decided here, once, from the whole file, before any arithmetic. What comes out is a Source of
plain numbers and a Form, a small record that turns a block of them into a lift's targets.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.core import Array, Dense, Family, Indices, Targets
from losscli.errors import DataError, UsageError, count, did_you_mean, listing
from losscli.io.roles import Columns
from losscli.io.sources import ConstantSource, MemorySource, Reordered, Reshaped, Source, blocks

if TYPE_CHECKING:
    from losscli.io.tables import TextColumn

SUM_TOLERANCE = 1e-3
IGNORED = -1
"""The index that stands for a label that was ignored, once labels are indices."""


@dataclass(frozen=True)
class Smoothing:
    """A smoothed target is scale * t + shift; `complement` is what is left of 1 for t = 1, kept apart for its digits."""

    amount: float
    mode: str
    scale: float
    shift: float
    complement: float

    @classmethod
    def of(cls, amount: float, mode: str, k: int) -> "Smoothing":
        """Label smoothing of k classes, or of k outputs.

        uniform: t(1-E) + E/k (Szegedy et al. 2016, arXiv:1512.00567); half: t(1-E) + E/2; others: 1-E on the right
        class and E/(k-1) on each other one.
        """
        if mode == "half":
            return cls(amount, mode, 1 - amount, amount / 2, amount / 2)
        if mode == "uniform":
            return cls(amount, mode, 1 - amount, amount / k, amount * (k - 1) / k)
        return cls(amount, mode, 1 - amount - amount / (k - 1), amount / (k - 1), amount)

    @property
    def on(self) -> float:
        return 1 - self.complement


@dataclass(frozen=True)
class Form:
    """How a block of numbers becomes the targets of a lift.

    `kind` is what the receipt says; `reads` what the numbers are: 'numbers', 'signs', 'outcomes', 'indices' (one a
    row), or 'rows'. `ignore` is the value whose rows do not exist.
    """

    kind: str
    reads: str
    k: int = 1
    ignore: float | None = None
    one_hot: bool = False
    smoothing: Smoothing | None = None

    def keep(self, block: Array) -> Array | None:
        """Which rows exist, or None for all."""
        if self.ignore is None:
            return None
        kept = block != self.ignore
        return None if kept.all() else kept

    def outcomes(self, block: Array) -> Array:
        """Targets of sigmoid losses before smoothing: 0 and 1, or between."""
        if self.one_hot:
            return np.asarray(block).astype(np.int64)[:, None] == np.arange(self.k)
        return block > 0 if self.kind in ("binary", "signed") else block

    def targets(self, block: Array) -> Targets:
        """The targets of a lift, smoothed, in float64 or exact in a narrower dtype."""
        smooth = self.smoothing
        if self.reads == "numbers":
            return Dense(block)
        if self.reads == "signs":
            return Dense(np.where(block > 0, 1, -1).astype(np.int8))
        if self.reads == "outcomes":
            t = self.outcomes(block)
            if smooth is None:
                return Dense(t) if t.dtype == bool else Dense(t, 1 - t.astype(np.float64))
            t = t.astype(np.float64)
            return Dense(smooth.scale * t + smooth.shift, smooth.scale * (1 - t) + smooth.complement)
        if self.reads == "indices":
            return self._indices(block.astype(np.int64))
        if self.kind == "one-hot":  # the same bits as from class indices
            return self._indices(block.argmax(axis=1))
        if smooth is None:
            return Dense(block)
        return Dense(smooth.scale * block.astype(np.float64) + smooth.shift)

    def _indices(self, index: Array) -> Indices:
        smooth = self.smoothing
        return Indices(index) if smooth is None else Indices(index, smooth.on, smooth.shift)

    def class_weights(self, block: Array, weights: Array) -> Array:
        """A weight a row, shape (n,): its class's, or for soft targets the mean of the classes' by t."""
        if self.reads == "indices":
            return weights[block.astype(np.int64)]
        if self.reads == "rows":
            return block.astype(np.float64) @ weights
        positive = (block > 0 if self.reads == "signs" else self.outcomes(block)).astype(np.float64)
        return positive * weights[1] + (1 - positive) * weights[0]


@dataclass
class Plan:
    """Targets that are ready to be read: numbers, their form, and what to say about them."""

    source: Source
    form: Form
    classes: tuple[str, ...] | None = None
    matched: str | None = None
    notes: list[str] = field(default_factory=list)


def plan(
    family: Family,
    loss: str,
    predictions: Source,
    targets: Columns | float,
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
) -> Plan:
    """Decide what the targets are, from the whole file.

    Parameters
    ----------
    predictions
        the predictions; their shape and names are looked at, not their values.
    targets
        columns, or a constant (residual losses only).
    classes, k
        names of the classes, if they have any, and their number; of the outputs, for losses of several outputs.
    ignore
        label whose rows do not exist.

    Raises
    ------
    DataError
        for targets that this family cannot read, with the first places.
    """
    if isinstance(targets, float):
        return Plan(ConstantSource(targets, predictions.shape, np.dtype(np.float64)), Form("constant", "numbers"))
    check_rows(predictions, targets)
    if family.reads in ("signs", "outcomes"):
        targets.hint = "; code the labels as 0 and 1, or as -1 and 1"
    several = len(predictions.shape) == 2
    if family.reads == "classes":
        return _classes(loss, predictions, targets, classes, k, ignore)
    if family.reads == "outcomes" and several and len(targets.shape) == 1 and predictions.shape[1] > 1:
        made = _one_a_row(loss, targets, classes, k, ignore)
        made.form = Form(made.form.kind, "outcomes", k, made.form.ignore, one_hot=True)
        return made
    source, notes, matched = _matching(loss, predictions, targets)
    value = None
    if ignore is not None:
        if len(source.shape) == 2:
            raise UsageError(
                f"--ignore-index: {source.name} has {source.shape[1]} targets a row; it needs one label a row"
            )
        value = _number(ignore, "--ignore-index")
    if family.reads == "numbers":
        return Plan(source, Form("numbers", "numbers", k, value), None, matched, notes)
    kind = _outcome_kind(family, loss, source, value)
    reads = "signs" if family.reads == "signs" else "outcomes"
    return Plan(source, Form(kind, reads, k, value), classes, matched, notes)


def check_rows(predictions: Source, other: Columns, what: str = "") -> None:
    """Refuse operands of different length."""
    rows, theirs = predictions.shape[0], other.shape[0] if other.rows is None else len(other.rows)
    if rows == theirs:
        return
    fact = f"{predictions.name} has {count(rows, 'row')} and {other.name} {theirs:,}{what}"
    if len(predictions.shape) == 2 and predictions.shape[1] == theirs:
        raise DataError(f"{fact}: if the predictions are transposed, save them with one row a sample")
    header = other.first_row_taken
    if header is not None and rows == theirs + 1:
        raise DataError(
            f"{fact}: its first row ({header}) was taken for a header; if it is data, "
            "give the file a header line, or say --no-header, which holds for all tables"
        )
    raise DataError(f"{fact}: each prediction needs its own; join by a common column with --id")


def _matching(loss: str, predictions: Source, targets: Columns) -> tuple[Source, list[str], str | None]:
    """Targets of the predictions' own shape, with their columns in the predictions' order."""
    shape, theirs = predictions.shape, targets.shape
    notes: list[str] = []
    source: Source | None = None
    if shape != theirs:
        if len(shape) == 1 and theirs == (*shape, 1):
            source = Reshaped(targets.source())
            notes.append(f"{targets.name}: shape {theirs} was squeezed to {shape}, the predictions' shape")
        else:
            raise DataError(
                f"{loss}: predictions {predictions.name} have shape {shape} and targets {targets.name} {theirs}; "
                "nothing is broadcast: give one target for each prediction"
            )
    source = source or targets.source()
    matched = None
    if len(shape) == 2 and predictions.columns and targets.names:
        source, matched = by_name(source, predictions.columns, targets.names, notes)
    return source, notes, matched


def by_name(source: Source, ours: tuple[str, ...], theirs: tuple[str, ...], notes: list[str]) -> tuple[Source, str]:
    """Bring a source's columns into the order of our names, where the names are the same up to a prefix."""
    for mine in prefixes(ours):
        for other in prefixes(theirs):
            left = [name[len(mine) :] for name in ours]
            right = [name[len(other) :] for name in theirs]
            if sorted(left) == sorted(right) and len(set(left)) == len(left):
                order = tuple(right.index(name) for name in left)
                if order != tuple(range(len(order))):
                    source = Reordered(source, order)
                    notes.append(f"{source.name}: its columns were brought into the order of the predictions' names")
                return source, "by name"
    notes.append(
        f"{source.name}: its columns ({listing(theirs, 4)}) are not named as the predictions' ({listing(ours, 4)}); "
        "they are matched by position"
    )
    return source, "by position"


def prefixes(names: Sequence[str]) -> list[str]:
    """The prefixes ending in '_' that all names share, the shortest (none) first."""
    shortest = min(names, key=len)
    common = 0
    while common < len(shortest) and all(name[common] == shortest[common] for name in names):
        common += 1
    return [""] + [shortest[: i + 1] for i in range(common) if shortest[i] == "_"]


def _classes(
    loss: str,
    predictions: Source,
    targets: Columns,
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
) -> Plan:
    shape = targets.shape
    if len(shape) == 1 or shape[1] == 1:
        made = _one_a_row(loss, targets, classes, k, ignore)
        if len(shape) == 2:
            made.notes.append(f"{targets.name}: shape {shape} was squeezed to {shape[:1]}: one label a row")
        return made
    if shape[1] != k:
        raise DataError(
            f"{loss}: {targets.name} has {shape[1]} columns, and there are {k} classes; "
            "give one label a row, or one column a class"
        )
    if ignore is not None:
        raise UsageError(f"--ignore-index: {targets.name} has {k} targets a row; it needs one label a row")
    notes: list[str] = []
    source, matched = targets.source(), None
    if classes and targets.names:
        source, matched = by_name(source, classes, targets.names, notes)
    return Plan(source, Form(_row_kind(loss, source), "rows", k), classes, matched, notes)


def _row_kind(loss: str, source: Source) -> str:
    one_hot = True
    for start, block in blocks(source):
        bad = ~((block >= 0) & (block <= 1 + SUM_TOLERANCE))
        if bad.any():
            row, column = (int(i) for i in np.argwhere(bad)[0])
            raise DataError(
                f"{source.place(start + row, column)}: {block[row, column]:g} is not a target probability; {loss} takes "
                "rows of numbers in [0, 1] that sum to 1, or one label a row"
            )
        sums = block.sum(axis=1, dtype=np.float64)
        off = np.abs(sums - 1) > SUM_TOLERANCE
        if off.any():
            row = int(np.flatnonzero(off)[0])
            raise DataError(
                f"{source.place(start + row)}: the targets of the row sum to {sums[row]:.6g}, not 1; divide each row by its "
                f"sum, or for several labels a row use a sigmoid loss"
            )
        one_hot = one_hot and bool(((block == 0) | (block == 1)).all())
    return "one-hot" if one_hot else "soft"


def _one_a_row(loss: str, targets: Columns, classes: tuple[str, ...] | None, k: int, ignore: str | None) -> Plan:
    text = targets.text()
    if text is None:
        source = targets.source()
        if len(source.shape) == 2:
            source = Reshaped(source)
        value = None if ignore is None else _number(ignore, "--ignore-index")
        _check_indices(loss, source, k, value, classes)
        return Plan(source, Form("index", "indices", k, value), classes, "by position")
    taken = targets.first_row_taken
    if taken is not None and taken in text.cells:
        raise DataError(
            f"{text.name}:1: the first row ({taken}) was taken for a header, but is a label below too: say --header or --no-header"
        )
    return _of_text(loss, text, classes, k, ignore)


def _of_text(loss: str, text: "TextColumn", classes: tuple[str, ...] | None, k: int, ignore: str | None) -> Plan:
    ignored = [cell is not None and ignore is not None and _same_label(cell, ignore) for cell in text.cells]
    used = set(np.unique(text.codes).tolist())
    labels = [(code, cell) for code, cell in enumerate(text.cells) if not ignored[code] and code in used]
    for code, cell in labels:
        if not cell:
            rows = int(np.count_nonzero(text.codes == code))
            raise DataError(
                f"{text.place(text.first_row(code))}: the label is empty ({count(rows, 'row')}); every row needs one"
            )
    index = np.full(len(text.cells), IGNORED, np.int32)
    if classes:
        found, prefix = _name_classes(loss, text, [(code, str(cell)) for code, cell in labels], classes)
        kind, matched = "name", f"by name, prefix {prefix!r} removed" if prefix else "by name"
        classes = tuple(name[len(prefix) :] for name in classes)
    else:
        found = _index_classes(loss, text, [(code, str(cell)) for code, cell in labels], k)
        kind, matched = "index", "by position"
    for code, number in found.items():
        index[code] = number
    source = MemorySource(text.name, index[text.codes], None, text, (text.number,))
    source.where = _Rows(text)
    return Plan(source, Form(kind, "indices", k, float(IGNORED) if any(ignored) else None), classes, matched)


@dataclass
class _Rows:
    text: "TextColumn"

    def place(self, row: int, column: int | None = None) -> str:
        return self.text.place(row)


def _name_classes(
    loss: str, text: "TextColumn", labels: list[tuple[int, str]], classes: tuple[str, ...]
) -> tuple[dict[int, int], str]:
    fits: list[tuple[int, str]] = []
    for prefix in prefixes(classes):
        names = {name[len(prefix) :]: i for i, name in enumerate(classes)}
        known = [cell in names for _, cell in labels]
        if all(known):
            if len(names) < len(classes):
                twice = next(name for name in classes if classes.count(name) > 1)
                raise DataError(f"{loss}: two classes are called {twice!r}; rename a column of the predictions")
            return {code: names[cell] for code, cell in labels}, prefix
        fits.append((sum(known), prefix))
    prefix = max(fits, key=lambda fit: fit[0])[1]
    names = {name[len(prefix) :]: i for i, name in enumerate(classes)}
    wrong = [(code, cell) for code, cell in labels if cell not in names]
    rows = sum(int(np.count_nonzero(text.codes == code)) for code, _ in wrong)
    code, cell = wrong[0]
    more = f"; {count(rows, 'row')} like this" if rows > 1 else ""
    cure = did_you_mean(cell, names)
    if not cure and all(_as_index(cell) is not None for _, cell in labels):
        cure = "; a label in text is a name, never a position: name the columns after the labels, or save the labels as NPY integers"
    raise DataError(
        f"{text.place(text.first_row(code))}: {cell!r} is not a class; the predictions have {listing(names)}{cure}{more}"
    )


def _index_classes(loss: str, text: "TextColumn", labels: list[tuple[int, str]], k: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for code, cell in labels:
        number = _as_index(cell)
        if number is None:
            place = text.place(text.first_row(code))
            if re.fullmatch(r"0\d+", cell):
                raise DataError(
                    f"{place}: {cell!r} is a name, not an index ({cell} is not {int(cell)}), and the predictions have no "
                    "column names; give them a header with the classes' names"
                )
            raise DataError(
                f"{place}: {cell!r} is not a class index, and the predictions have no column names to find it among; "
                "give them a header with the classes' names, or labels from 0 on"
            )
        found[code] = number
    outside = [code for code, number in found.items() if not 0 <= number < k]
    if outside:
        first = min(outside, key=text.first_row)
        rows = sum(int(np.count_nonzero(text.codes == code)) for code in outside)
        numbers = sorted(found.values())
        raise DataError(
            _out_of_range(text.place(text.first_row(first)), found[first], rows, k, numbers[0], numbers[-1])
        )
    return found


def _out_of_range(place: str, label: float, rows: int, k: int, low: float, high: float) -> str:
    fact = f"{place}: label {label:g} is not in 0 ... {k - 1} ({count(rows, 'row')} like this)"
    if low == 1 and high == k:
        return f"{fact}; the labels are 1 ... {k}: subtract 1 from them"
    if label < 0 or label == 255:
        return f"{fact}; if it marks rows to leave out, say --ignore-index {label:g}"
    return f"{fact}; the predictions have {k} columns, one a class"


def _check_indices(loss: str, source: Source, k: int, ignore: float | None, classes: tuple[str, ...] | None) -> None:
    low, high, bad_rows, first = math.inf, -math.inf, 0, None
    for start, block in blocks(source):
        values = block if ignore is None else block[block != ignore]
        if not len(values):
            continue
        bad = ~((block >= 0) & (block < k))
        if block.dtype.kind == "f":
            bad |= block != np.floor(block)
        if ignore is not None:
            bad &= block != ignore
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if bad.any():
            bad_rows += int(bad.sum())
            first = first or (start + int(bad.argmax()), float(block[bad.argmax()]))
    if first is None:
        return
    place, label = source.place(first[0]), first[1]
    if label != math.floor(label) if math.isfinite(label) else True:
        raise DataError(
            f"{place}: {label:g} is not a class index ({count(bad_rows, 'row')} like this); {loss} takes whole numbers from 0 "
            f"to {k - 1}, names, or rows with one column a class"
        )
    raise DataError(_out_of_range(place, label, bad_rows, k, low, high))


def _outcome_kind(family: Family, loss: str, source: Source, ignore: float | None) -> str:
    """'binary' {0, 1}, 'signed' {-1, 1} or 'soft' [0, 1], from the whole file."""
    seen = {-1.0: False, 0.0: False, 1.0: False}
    soft: tuple[int, ...] | None = None
    number = 0
    for start, block in blocks(source):
        here = block != ignore if ignore is not None else np.ones(block.shape, bool)
        odd = here.copy()
        for value in seen:
            is_value = (block == value) & here
            seen[value] = seen[value] or bool(is_value.any())
            odd &= ~is_value
        outside = odd & ~((block > 0) & (block < 1)) if family.reads == "outcomes" else odd
        if outside.any():
            at = np.argwhere(outside)
            place = source.place(start + int(at[0][0]), int(at[0][1]) if len(at[0]) > 1 else None)
            takes = "labels in {0, 1} or {-1, 1}" + (", or numbers in [0, 1]" if family.reads == "outcomes" else "")
            raise DataError(f"{place}: {block[tuple(at[0])]:g} is not a target of {loss}, which takes {takes}")
        if odd.any() and soft is None:
            soft = tuple(int(i) for i in np.argwhere(odd)[0])
            soft = (start + soft[0], *soft[1:])
        number += int(odd.sum())
    if seen[-1.0] and (seen[0.0] or soft is not None):
        other = "0" if seen[0.0] else "numbers between 0 and 1"
        raise DataError(
            f"{source.name}: the labels mix -1 and {other}; {loss} takes {{0, 1}} or {{-1, 1}}: "
            "recode them, or leave rows out with --ignore-index"
        )
    if soft is not None:
        return "soft"
    return "signed" if seen[-1.0] else "binary"


def _as_index(cell: str) -> int | None:
    return int(float(cell)) if re.fullmatch(r"\s*[+-]?(0|[1-9]\d*)(\.0*)?\s*", cell) else None


def _same_label(cell: str, label: str) -> bool:
    if cell == label:
        return True
    left, right = _as_index(cell), _as_index(label)
    return left is not None and left == right


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{option} {text}: the targets are numbers, and {text!r} is none") from None


def named_numbers(text: str, option: str) -> list[tuple[str, float]]:
    """Parse 'a=1,b=4'; the last '=' divides, so that names may hold one."""
    pairs: list[tuple[str, float]] = []
    for item in text.split(","):
        name, divided, number = item.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not divided or not name or not (value >= 0 and math.isfinite(value)):
            raise UsageError(f"{option}: {item!r} is not NAME=NUMBER with a number >= 0")
        if name in [known for known, _ in pairs]:
            raise UsageError(f"{option}: {name!r} is named twice")
        pairs.append((name, value))
    return pairs


def by_class(pairs: list[tuple[str, float]], classes: tuple[str, ...] | None, k: int, option: str) -> Array:
    """A number a class from pairs of names (or, for classes without names, indices); classes not named get 1."""
    names: dict[str, int] = {name: i for i, name in enumerate(classes)} if classes else {}
    if classes:
        for prefix in prefixes(classes):
            trimmed = {name[len(prefix) :]: i for i, name in enumerate(classes)}
            if all(name in trimmed for name, _ in pairs):
                names = trimmed
                break
    else:
        names = {str(i): i for i in range(k)}
    numbers: Any = np.ones(k)
    for name, value in pairs:
        if name not in names:
            raise UsageError(
                f"{option}: {name!r} is not a class; the classes: {listing(names)}{did_you_mean(name, names)}"
            )
        numbers[names[name]] = value
    return np.asarray(numbers)
