"""Labels, one per row: class names and class indices, in text or in numbers, checked over the whole file."""

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli import numerals
from losscli.arrays import Array
from losscli.data.class_names import Trim, trimmed
from losscli.data.columns import Columns
from losscli.data.dataset import LIKELY_IDS
from losscli.data.target_encoding import IGNORED, DecodedTargets, TargetEncoding, is_ignored
from losscli.definition.words import StoredAs, TargetKind
from losscli.errors import DataError, UsageError
from losscli.io.source import Derived, MemorySource, Recoded, Reshaped, Source, blocks, whole
from losscli.records import NamedTuple, dataclass, replace
from losscli.wording import count, did_you_mean, listing, quoted, written

if TYPE_CHECKING:
    from losscli.io.text import TextColumn


FIRST_ROUNDED = 2**53
"""The first whole number whose neighbour no float64 is: from here on the integers of tables are told apart as text."""
MOST_SAID = 12
"""Of more classes than this, a cure does not list the names."""
WORDS = ("false", "true")
"""Names of two classes that stand for the labels 0 and 1."""


class Holder(NamedTuple):
    """Phrases for messages about where the classes come from: the predictions, unless centers define them."""

    have: str = "the predictions have"
    columns: str = "the predictions have {k} columns, one per class"
    unnamed: str = "the predictions have no column names"
    cure: str = "give them a header with the classes' names, or say --classes NAME,... in the order of their columns"
    others: str = "names, or rows with one column per class"


PREDICTIONS = Holder()
CENTERS = Holder(
    "the centers are those of",
    "there are {k} centers, one per class",
    "the centers have no names",
    "name them in a column 'class' of a table, or say --classes NAME,... in the order of their rows",
)
THRESHOLDS = Holder(
    "the classes are",
    "K classes have K - 1 logits, and the predictions have those of {k} classes",
    "the classes have no names",
    "say --classes NAME,... in the order of the classes, the lowest first",
    "or names that --classes has in their order",
)


@dataclass
class Rebased(Derived):
    """Labels that begin with another number than 0, read as indices from 0."""

    row_by_row = True

    base: int

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float64 if self.of.dtype.kind == "f" else np.int64)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.of.read(start, stop).astype(self.dtype) - self.base


def one_a_row(
    loss: str,
    targets: Columns,
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
    base: int = 0,
    holder: Holder = PREDICTIONS,
    named: bool = True,
) -> DecodedTargets:
    """Decode targets that have one label per row: a class name, or an index.

    Parameters
    ----------
    loss
        name of the loss, for messages.
    classes
        names of the classes in order, or None.
    k
        number of classes.
    ignore
        label of rows to leave out, or None.
    base
        the label of the first class, if labels are indices.
    named
        whether the user says the names of the classes, so that labels that are numbers may be meant by them.

    Raises
    ------
    DataError
        if a label is not a class.
    """
    text = targets.text()
    if text is None:
        return _of_numbers(loss, targets.source(), classes, k, ignore, base, holder, named)
    taken = targets.first_row_taken
    if taken is not None and taken in text.cells:
        raise DataError(
            f"{text.name}:1: the first row ({taken}) was taken for a header, but is a label below too: say --header or --no-header"
        )
    if classes and base:
        raise UsageError(
            f"--label-base {base}: the labels in {text.name} are names of classes, not indices; leave it out"
        )
    decoded = _of_text(loss, text, classes, k, ignore, base, holder)
    return replace(decoded, classes=_numbered(k, base), base=base) if base else decoded


def _numbered(k: int, base: int) -> tuple[str, ...]:
    """Return the names of k classes that are called by their labels, of which the first is not 0."""
    return tuple(str(number + base) for number in range(k))


def _of_numbers(
    loss: str,
    source: Source,
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
    base: int,
    holder: Holder,
    named: bool,
) -> DecodedTargets:
    """Decode one label per row from numbers: names if the classes are called by numbers, else indices.

    Raises a DataError if a label is not a class, and a UsageError if the label to leave out is not a number.
    """
    if len(source.shape) == 2:
        source = Reshaped(source)
    value = None if ignore is None else as_number(ignore, "--ignore-index")
    by_name = numbers_as_names(source, classes, value, named) if classes and not base else None
    if by_name is not None:
        return by_name
    if base and classes and not named:
        _check_ascending(source.name, classes)
    _check_indices(loss, source, k, value, base, holder)
    if not base:
        return DecodedTargets(source, TargetEncoding("index", "indices", k, value), classes or None, "by position")
    encoding = TargetEncoding("index", "indices", k, None if value is None else value - base)
    return DecodedTargets(Rebased(source, base), encoding, classes or _numbered(k, base), "by position", base=base)


@dataclass
class Renumbered(Derived):
    """Labels that are numbers, read as the positions of these numbers among the classes' names; others are `IGNORED`."""

    row_by_row = True

    numbers: Array
    """The names of the classes as numbers, shape (k,)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int64)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        labels, order = self.of.read(start, stop), np.argsort(self.numbers)
        places = order[np.searchsorted(self.numbers[order], labels).clip(max=len(order) - 1)]
        return np.where(self.numbers[places] == labels, places, IGNORED)


def numbers_as_names(
    source: Source, classes: tuple[str, ...], ignore: float | None, named: bool
) -> DecodedTargets | None:
    """Decode labels that are numbers by the names of the classes, if these are whole numbers and all labels are among them.

    None if labels are positions: if the names are no numbers, or 0, 1, 2 ... in order, or not all labels are among them.

    Raises a DataError if labels may be names or positions, and the user has not said the names.
    """
    ways = ((trim, left, _numbers_of(left)) for trim, left in trimmed(classes))
    found = next((way for way in ways if len({*way[2]} - {None}) == len(classes)), None)
    if found is None or found[2] == list(range(len(classes))):
        return None
    (trim, left, _), numbers, k = found, np.array(found[2], np.int64), len(classes)
    held = _held(source, numbers, ignore)
    if held is None:
        if not named and numbers.tolist() != sorted(numbers):
            raise _out_of_order(source.name, classes, numbers)
        return None
    if held.positions and not named and set(numbers.tolist()) != set(range(k)):
        names = ",".join(left)
        raise DataError(
            f"{source.name}: all labels are names of columns ({listing(left, 4)}) and positions from 0 to {k - 1}: which are "
            f"they? Say --classes {names} for names, or name the columns by words for positions"
        )
    notes = [f"{source.name}: labels are numbers that the classes are called by, and are matched by name"]
    encoding = TargetEncoding("name", "indices", k, float(IGNORED) if held.ignored else None)
    return DecodedTargets(Renumbered(source, numbers), encoding, left, _matched_by_name(trim), notes)


class _Held(NamedTuple):
    """What labels are that are all among some numbers."""

    positions: bool
    """Whether all of them, but for those to leave out, are positions of classes as well."""
    ignored: bool
    """Whether some of them are to be left out."""


def _held(source: Source, numbers: Array, ignore: float | None) -> _Held | None:
    """Look through labels for others than the numbers of the classes, shape (k,); None if there are others.

    `ignore` is the label of rows to leave out, or None.
    """
    positions, ignored = True, False
    for _, batch in blocks(source):
        kept = np.ones(len(batch), bool) if ignore is None else ~is_ignored(batch, ignore)
        if not np.isin(batch[kept], numbers).all():
            return None
        outside = kept & ~((batch >= 0) & (batch < len(numbers)))
        positions, ignored = positions and not outside.any(), ignored or not kept.all()
    return _Held(positions, ignored)


def _matched_by_name(trim: Trim) -> str:
    """Return how labels are matched with the names of classes, and what is left out of these."""
    return f"by name, {trim}" if str(trim) else "by name"


def _numbers_of(names: tuple[str, ...]) -> list[int | None]:
    """Return the whole numbers that names are, with None for words; 0 and 1 for two classes called False and True."""
    words = [name.lower() for name in names]
    return [WORDS.index(word) for word in words] if sorted(words) == list(WORDS) else list(map(as_index, names))


def _check_ascending(labels: str, classes: tuple[str, ...]) -> None:
    """Raise a DataError if labels are positions, and classes are called by numbers that do not ascend."""
    for _, left in trimmed(classes):
        numbers = [number for number in map(as_index, left) if number is not None]
        if len(set(numbers)) == len(classes) and numbers != sorted(numbers):
            raise _out_of_order(labels, classes, np.array(numbers, np.int64))


def _out_of_order(labels: str, classes: tuple[str, ...], numbers: Array) -> DataError:
    """Return the error about labels that are no names of classes, where these are numbers that do not ascend."""
    ordered = ",".join(classes[i] for i in np.argsort(numbers))
    return DataError(
        f"{labels}: labels that are positions, and columns that are called by numbers in another order "
        f"({listing(classes, 4)}); if labels count the columns by their numbers, say --columns {quoted(ordered)}",
        "label-not-a-class",
    )


def two_names(
    loss: str, stored_as: StoredAs, targets: Columns, classes: tuple[str, ...], ignore: str | None
) -> DecodedTargets | None:
    """Decode labels of two classes that have names, of which the second is the positive
    one; None if labels are numbers.
    """
    text = targets.text()
    if text is None:
        return None
    decoded = _of_text(loss, text, classes, 2, ignore)
    return replace(decoded, encoding=TargetEncoding("binary", stored_as, 2, decoded.encoding.ignore))


def groups(loss: str, targets: Columns, ignore: str | None) -> DecodedTargets:
    """Decode labels that say which rows belong together: any names, or any whole numbers."""
    text = targets.text()
    if text is None:
        source = targets.source()
        if len(source.shape) == 2 and source.shape[1] != 1:
            raise DataError(f"{loss}: {source.name} has shape {source.shape}; it takes one label per row, (n,)")
        labels_of_rows = whole(source).reshape(-1)
        if not (targets.operand.is_table and FIRST_ROUNDED <= np.abs(labels_of_rows).max(initial=0) < math.inf):
            return _groups_of_numbers(loss, source, labels_of_rows, ignore)
        from losscli.io.text import MOST_LABELS

        text = targets.words(MOST_LABELS)
    labels = distinct(text, ignore)
    places = {cell: number for number, cell in enumerate(dict.fromkeys(cell for _, cell in labels))}
    recoded, left_out = _recoded(text, {code: places[cell] for code, cell in labels})
    return DecodedTargets(recoded, TargetEncoding("name", "indices", len(places), left_out), tuple(places), "by name")


def _groups_of_numbers(loss: str, source: Source, labels_of_rows: Array, ignore: str | None) -> DecodedTargets:
    kept = (
        np.ones(len(labels_of_rows), bool)
        if ignore is None
        else ~is_ignored(labels_of_rows, as_number(ignore, "--ignore-index"))
    )
    odd = (
        kept & ~np.isfinite(labels_of_rows) if labels_of_rows.dtype.kind == "f" else np.zeros(len(labels_of_rows), bool)
    )
    odd |= kept & (labels_of_rows != np.floor(labels_of_rows))
    if odd.any():
        row = int(odd.argmax())
        raise DataError(
            f"{source.place(row)}: {written(labels_of_rows[row])} is no label; {loss} takes whole numbers or names"
        )
    distinct_labels, codes = np.unique(labels_of_rows[kept], return_inverse=True)
    numbers = np.full(len(labels_of_rows), IGNORED, np.int64)
    numbers[kept] = codes
    names = tuple(str(int(value)) for value in distinct_labels)
    encoding = TargetEncoding("index", "indices", len(names), None if kept.all() else float(IGNORED))
    return DecodedTargets(MemorySource(source.name, numbers, where=source), encoding, names)


def distinct(text: "TextColumn", ignore: str | None) -> list[tuple[int, str]]:
    """Return the distinct labels that are not ignored, with their codes in the text column, without blanks around them.

    Labels that differ in these blanks only are there more than once, each with its code.

    Raises
    ------
    DataError
        if a label is empty.
    """
    labels = []
    for code, spelt in enumerate(text.cells):
        cell = (spelt or "").strip()
        if (ignore is not None and same_label(cell, ignore.strip())) or not text.rows[code]:
            continue
        if not cell:
            rows = int(text.rows[code])
            raise DataError(
                f"{text.place(text.first[code])}: the label is empty ({count(rows, 'row')}); every row needs one",
                "empty-labels",
            )
        labels.append((code, cell))
    return labels


def _of_text(
    loss: str,
    text: "TextColumn",
    classes: tuple[str, ...] | None,
    k: int,
    ignore: str | None,
    base: int = 0,
    holder: Holder = PREDICTIONS,
) -> DecodedTargets:
    """Decode one label per row from text: names if classes have names, else indices."""
    labels = distinct(text, ignore)
    kind: TargetKind
    notes: list[str] = []
    if classes:
        found = _name_classes(loss, text, labels, classes, holder)
        number_of_code, classes, notes = found.number_of_code, found.classes, found.notes
        kind, matched = "name", _matched_by_name(found.trim)
    else:
        number_of_code = _index_classes(text, labels, k, base, holder)
        kind, matched = "index", "by position"
    source, left_out = _recoded(text, number_of_code)
    return DecodedTargets(source, TargetEncoding(kind, "indices", k, left_out), classes, matched, notes)


def _recoded(text: "TextColumn", number_of_code: dict[int, int]) -> tuple[Recoded, float | None]:
    """Return labels in text as numbers of classes, and the number of rows to leave out, if there are labels without a class."""
    index = np.full(len(text.cells), IGNORED, np.int32)
    for code, number in number_of_code.items():
        index[code] = number
    return Recoded(text.codes, index), float(IGNORED) if (index == IGNORED).any() else None


Way = tuple[Trim, tuple[str, ...]]
"""What is left out of the names of the classes, and the names without it. The first of several ways leaves out nothing."""


class _Named(NamedTuple):
    """Labels that are names: code -> class, the names of the classes, what was left out of them, and notes."""

    number_of_code: dict[int, int]
    classes: tuple[str, ...]
    trim: Trim
    notes: list[str]


def _name_classes(
    loss: str, text: "TextColumn", labels: list[tuple[int, str]], classes: tuple[str, ...], holder: Holder
) -> _Named:
    """Find the classes of labels that are names: as they are written, or without blanks around them, or in another case.

    Raises a DataError if a label is not a class, or two classes have the same name.
    """
    ways = list(trimmed(classes))
    found = _as_written(loss, labels, ways) or _in_another_case(text, labels, ways)
    if found is None:
        raise _not_a_class(text, labels, ways, holder)
    return found


def _as_written(loss: str, labels: list[tuple[int, str]], ways: list[Way]) -> _Named | None:
    """Find the classes of labels that are written as names of classes are; None if not all are.

    Raises a DataError if two classes have the same name.
    """
    for trim, left in ways:
        names = {name: i for i, name in enumerate(left)}
        if all(cell in names for _, cell in labels):
            if len(names) < len(left):
                classes = ways[0][1]
                twice = next(name for name in classes if classes.count(name) > 1)
                raise DataError(f"{loss}: two classes are called {twice!r}; rename a column of the predictions")
            return _Named({code: names[cell] for code, cell in labels}, left, trim, [])
    return None


def _in_another_case(text: "TextColumn", labels: list[tuple[int, str]], ways: list[Way]) -> _Named | None:
    """Find the classes of labels that differ from names of classes in capital letters only; None if not all do.

    None as well if two classes or two labels would become the same.
    """
    spelt = {cell for _, cell in labels}
    folded = {_folded(cell.strip()) for cell in spelt}
    for trim, left in ways:
        names = {_folded(name): i for i, name in enumerate(left)}
        if len(names) == len(left) and len(folded) == len(spelt) and folded <= names.keys():
            number_of_code = {code: names[_folded(cell.strip())] for code, cell in labels}
            cell, name = next(
                (cell, left[number_of_code[code]]) for code, cell in labels if cell != left[number_of_code[code]]
            )
            what = "capital letters" if cell.strip().lower() == name.lower() else "the way in which accents are stored"
            note = f"{text.name}: labels are classes but for {what}: {cell!r} is {name!r}"
            return _Named(number_of_code, left, trim, [note])
    return None


def _not_a_class(
    text: "TextColumn",
    labels: list[tuple[int, str]],
    ways: list[Way],
    holder: Holder,
) -> DataError:
    """Return the error about the first label that is no class, with the number of rows that have such labels.

    The names it lists are without what is left out of them in the first way in which most labels are names.
    """
    classes = ways[0][1]
    names = max((dict.fromkeys(left) for _, left in ways), key=lambda names: sum(cell in names for _, cell in labels))
    wrong = [(code, cell) for code, cell in labels if cell not in names]
    rows = sum(int(text.rows[code]) for code, _ in wrong)
    code, cell = wrong[0]
    more = f"; {count(rows, 'row')} like this" if rows > 1 else ""
    cure = (_cure_of_columns(labels, classes) if holder is PREDICTIONS else "") or did_you_mean(cell, names)
    short = _shortened([cell for _, cell in labels], classes)
    if short:
        cure = f"; if {classes[0]!r} is {short[0]!r}, name the classes with --classes {quoted(','.join(short))}"
    if not cure and all(as_index(cell) is not None for _, cell in labels):
        cure = f"; a label in text is a name, never a position: name the columns after the labels{_say_classes(labels, classes)}, or save the labels as NPY integers"
    return DataError(
        f"{text.place(text.first[code])}: {cell!r} is not a class; {holder.have} {listing(names)}{cure}{more}",
        "label-not-a-class",
    )


def _cure_of_columns(labels: list[tuple[int, str]], classes: tuple[str, ...]) -> str:
    """Return the cure if some columns of predictions are no classes, as far as their names and the labels tell; else ''."""
    likely = next((name for name in classes if name.lower() in LIKELY_IDS), None)
    pattern = _pattern_of([cell.strip() for _, cell in labels], classes)
    pick = "" if pattern is None else f" --columns {quoted(pattern)}"
    if likely is not None:
        cure = f"; is {likely!r} a column of ids? Name it with --id {quoted(likely)}, or pick the classes with"
        return cure + (pick or " --columns")
    return pick and f"; pick the columns that are classes with{pick}"


def _folded(name: str) -> str:
    """Return a name without a difference between capital and small letters, or between ways to store an accent."""
    name = name.lower()
    if name.isascii():
        return name
    import unicodedata

    return unicodedata.normalize("NFC", name)


def _pattern_of(labels: list[str], classes: tuple[str, ...]) -> str | None:
    """Return the pattern of some columns that are called by labels with the same beginning and end, if all labels have one."""
    for name in classes:
        before, found, behind = name.partition(labels[0])
        if not found or not (before or behind) or re.search(r"[][*?!,]", before + behind):
            continue
        matching = [other for other in classes if other.startswith(before) and other.endswith(behind)]
        if 1 < len(matching) < len(classes) and all(f"{before}{label}{behind}" in matching for label in labels):
            return f"{before}*{behind}"
    return None


def _shortened(labels: list[str], classes: tuple[str, ...]) -> list[str]:
    """Return the names of all columns without the beginning and end that makes labels of them, as p0 and p1 of 0 and 1; [] if none does."""
    for name in classes:
        before, found, behind = name.partition(labels[0])
        if not found or not (before or behind):
            continue
        left = [other.removeprefix(before).removesuffix(behind) for other in classes]
        whole = all(f"{before}{one}{behind}" == other for one, other in zip(left, classes, strict=True))
        if whole and all(left) and len(set(left)) == len(left) <= MOST_SAID and set(labels) <= set(left):
            return left
    return []


def _say_classes(labels: list[tuple[int, str]], classes: tuple[str, ...]) -> str:
    """Return how --classes would name the columns after labels that are 0, 1, 2 ... or 1, 2, 3 ...; '' for others.

    If there are more columns than labels, the last ones may be no classes: then both is said.
    """
    spelt, k = {cell for _, cell in labels}, len(classes)
    for first in (0, 1):
        names = [str(number) for number in range(first, first + k)]
        if k > MOST_SAID or not spelt <= set(names):
            continue
        whole_range = f" with --classes {','.join(names)} if they are in this order"
        own = names[: len(spelt)]
        if len(spelt) == k or spelt != set(own):
            return whole_range
        pick = f"--columns {quoted(','.join(classes[: len(own)]))} --classes {','.join(own)}"
        return f", of which there are {len(own)} for {k} columns: with {pick} if the others are no classes, or{whole_range}"
    return ""


def _index_classes(
    text: "TextColumn", labels: list[tuple[int, str]], k: int, base: int, holder: Holder
) -> dict[int, int]:
    """Return code -> class for labels that are indices in text."""
    number_of_code: dict[int, int] = {}
    for code, cell in labels:
        number = as_index(cell)
        if number is None:
            place = text.place(text.first[code])
            if re.fullmatch(r"0[0-9]+", cell):
                raise DataError(
                    f"{place}: {cell!r} is a name, not an index ({cell} is not {int(cell)}), and {holder.unnamed}; {holder.cure}",
                    "label-not-a-class",
                )
            raise DataError(
                f"{place}: {cell!r} is not a class index, and {holder.unnamed} to find it among; {holder.cure}",
                "label-not-a-class",
            )
        number_of_code[code] = number - base
    outside = [code for code, number in number_of_code.items() if not 0 <= number < k]
    if outside:
        first = min(outside, key=lambda code: text.first[code])
        rows = sum(int(text.rows[code]) for code in outside)
        numbers = sorted(number_of_code.values())
        ends = numbers[0] + base, numbers[-1] + base
        raise _out_of_range(text.place(text.first[first]), number_of_code[first] + base, rows, k, ends, base, holder)
    return number_of_code


def _out_of_range(
    place: str, label: float, rows: int, k: int, ends: tuple[float, float], base: int, holder: Holder
) -> DataError:
    """Return the error about a label that is not one of the k indices, with the most likely cure."""
    fact = f"{place}: label {written(label)} is not in {base} ... {k - 1 + base} ({count(rows, 'row')} like this)"
    cure = holder.columns.format(k=k)
    if ends == (1, k) and not base:
        cure = f"the labels are 1 ... {k}: say --label-base 1"
    elif ends == (0, k - 1):
        cure = f"the labels are 0 ... {k - 1}: leave out --label-base"
    elif label < 0 or label == 255:
        cure = f"if it marks rows to leave out, say --ignore-index {written(label)}"
    return DataError(f"{fact}; {cure}", "label-out-of-range")


def _check_indices(loss: str, source: Source, k: int, ignore: float | None, base: int, holder: Holder) -> None:
    """Raise a DataError if a label in a source of numbers is not a class index."""
    low, high, bad_rows, first = math.inf, -math.inf, 0, None
    for start, batch in blocks(source):
        values = batch if ignore is None else batch[~is_ignored(batch, ignore)]
        if not len(values) or (values.dtype.kind != "f" and values.min() >= base and values.max() < k + base):
            continue
        bad = ~((batch >= base) & (batch < k + base))
        if batch.dtype.kind == "f":
            bad |= batch != np.floor(batch)
        if ignore is not None:
            bad &= ~is_ignored(batch, ignore)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if bad.any():
            bad_rows += int(bad.sum())
            first = first or (start + int(bad.argmax()), batch[bad.argmax()].item())
    if first is None:
        return
    place, label = source.place(first[0]), first[1]
    if label != label:
        raise DataError(
            f"{place}: the label is NaN ({count(bad_rows, 'row')} like this or otherwise no label); if NaN marks rows to leave out, say --ignore-index nan",
            "nan-targets",
        )
    if label != math.floor(label) if math.isfinite(label) else True:
        raise DataError(
            f"{place}: {written(label)} is not a class index ({count(bad_rows, 'row')} like this); {loss} takes whole numbers from "
            f"{base} to {k - 1 + base}, {holder.others}",
            "label-not-a-class",
        )
    raise _out_of_range(place, label, bad_rows, k, (low, high), base, holder)


def as_index(cell: str) -> int | None:
    """Return the class index that a cell of text is, such as 2 for '2', '2.0' or '2.000e+00'; None for a name, such as '007'."""
    if re.fullmatch(r"\s*[+-]?(0|[1-9][0-9]{0,15})(\.0*)?\s*", cell):
        return int(float(cell))
    if re.fullmatch(r"\s*[+-]?[0-9](\.[0-9]+)?[eE][+-][0-9]{2}\s*", cell):  # as printf and NumPy write any number
        value = float(cell)
        return int(value) if value.is_integer() and abs(value) < 10**16 else None
    return None


def same_label(cell: str, label: str) -> bool:
    """Whether a cell is a label: the same text, or the same index."""
    if cell == label:
        return True
    left, right = as_index(cell), as_index(label)
    return left is not None and left == right


def as_number(text: str, option: str) -> float:
    """Return the number that a text is; raise a UsageError that names the option if it is not one."""
    try:
        return numerals.as_number(text)
    except ValueError:
        raise UsageError(f"{option} {text}: the targets are numbers, and {text!r} is none") from None
