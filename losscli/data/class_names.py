"""Names of classes and columns, matched as they are written, or without a beginning and an end that all of them share."""

import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from losscli.arrays import Array
from losscli.data.columns import Columns
from losscli.data.dataset import LIKELY_IDS, Dataset
from losscli.errors import DataError, UsageError
from losscli.io.bytes import Raw
from losscli.io.npy import StreamSource
from losscli.io.small_file import MOST_BYTES_OF_NAMES, opened_small, text_of
from losscli.io.source import Derived, Reordered, Source
from losscli.io.table import parses_as_number
from losscli.numerals import as_number
from losscli.records import NamedTuple, dataclass, replace
from losscli.wording import count, did_you_mean, listing, quoted

BEFORE, BEHIND = frozenset("_.=: -[({</"), frozenset("_.=: -])}>/?")
"""The signs with which a beginning that is left out ends, and with which an end that is left out begins."""


class Trim(NamedTuple):
    """A beginning and an end that names share, apart from case, and that are left out: proba[ and ] of proba[cat]."""

    prefix: str = ""
    suffix: str = ""

    def of(self, name: str) -> str:
        """Return a name without them."""
        return name[len(self.prefix) : len(name) - len(self.suffix)]

    def __str__(self) -> str:
        parts = [f"{what} {text!r}" for what, text in zip(("prefix", "suffix"), self, strict=True) if text]
        return f"{' and '.join(parts)} removed" if parts else ""


def trims(names: Sequence[str]) -> list[Trim]:
    """Return what can be left out of all names, from nothing to the longest.

    A beginning ends with one of the signs of `BEFORE`, such as logit_ or p. or Class and a blank, and an end begins with one
    of `BEHIND`, such as _prob or ]. Nothing is left out of names that are numbers.
    """
    first = names[0]
    if all(map(parses_as_number, names)):
        return [Trim()]
    folded = [name.lower() for name in names]
    most = max(min(map(len, folded)) - 1, 0)
    before, behind = _common(folded, most), _common([name[::-1] for name in folded], most)
    starts = [0, *(i + 1 for i in range(before) if first[i] in BEFORE)]
    ends = [0, *(i + 1 for i in range(behind) if first[len(first) - 1 - i] in BEHIND)]
    pairs = sorted((start + end, end, start) for start in starts for end in ends if start + end <= most)
    return [Trim(first[:start], first[len(first) - end :]) for _, end, start in pairs]


def _common(names: Sequence[str], most: int) -> int:
    """Return with how many equal letters all names begin, at most so many."""
    first, last = min(names), max(names)
    return next((i for i in range(most) if first[i] != last[i]), most)


def trimmed(names: Sequence[str]) -> Iterator[tuple[Trim, tuple[str, ...]]]:
    """Yield the names without what can be left out of all of them, from nothing to the longest."""
    for trim in trims(names):
        yield trim, tuple(map(trim.of, names))


def by_name(
    source: Source, ours: tuple[str, ...], theirs: tuple[str, ...], notes: list[str], positions: bool = True
) -> tuple[Source, str]:
    """Bring the columns of a source into the order of our names, if the names are equal except for a beginning and an end.

    Returns the source, and 'by name' or 'by position'.

    Parameters
    ----------
    ours
        names of the predictions' columns.
    theirs
        names of the source's columns.
    notes
        gets a note if columns were reordered, or matched by position.
    positions
        whether columns whose names have nothing in common are matched by position.

    Raises
    ------
    DataError
        if only some names are equal or, without `positions`, if not all are.
    """
    order = order_of_names(ours, theirs)
    if order is not None:
        return _reordered(source, order, "predictions", notes), "by name"
    common = [name for name in theirs if name in ours]
    if not positions or common:
        raise _names_differ(source.name, ours, theirs, common)
    notes.append(
        f"{source.name}: its columns ({listing(theirs, 4)}) are not named as the predictions' ({listing(ours, 4)}); "
        "they are matched by position"
    )
    return source, "by position"


def in_output_order(source: Source, columns: Columns, predictions: Source, dataset: Dataset) -> Source:
    """Bring the columns of an operand with one number for each prediction, such as weights, into the predictions' order.

    They are matched with the predictions' names, or else with the targets'; the dataset gets a note if they were reordered, or
    matched by position.

    Parameters
    ----------
    source
        the numbers of `columns`, in the predictions' shape.

    Raises
    ------
    DataError
        if only some names are equal; or if predictions and targets have their columns in different orders, and no name says
        in which of them these are.
    """
    if len(source.shape) != 2 or source.shape[1] < 2:
        return source
    ours, theirs, targets = predictions.columns, columns.names, dataset.targets
    of_targets = None if targets is None or len(targets.shape) != 2 else targets.names
    order = turned(ours, of_targets)
    if theirs and of_targets and not (ours and order_of_names(ours, theirs)):
        # What has nothing to do with the predictions' names may have the targets'.
        places = order_of_names(of_targets, theirs)
        if places is not None:
            places = tuple(places[i] for i in order or range(len(places)))
            return _reordered(source, places, "targets", dataset.notes)
    if theirs and ours:
        source, matched = by_name(source, ours, theirs, dataset.notes)
        if matched == "by name":
            return source
    if order is not None:
        assert targets is not None
        raise DataError(
            f"{columns.name}: {predictions.name} and {targets.name} have their columns in different orders, and nothing says in which "
            f"those of the {columns.role} are; name them as the predictions' ({listing(ours or (), 4)})",
            "names-differ",
        )
    return source


def _reordered(source: Source, order: tuple[int, ...], whose: str, notes: list[str]) -> Source:
    """Return a source with its columns in another order, and add a note about it; as it is if that is its own order."""
    if _is_own(order):
        return source
    notes.append(f"{source.name}: its columns were brought into the order of the {whose}' names")
    return Reordered(source, order)


def _is_own(order: tuple[int, ...]) -> bool:
    """Whether an order leaves columns where they are."""
    return order == tuple(range(len(order)))


def turned(ours: tuple[str, ...] | None, theirs: tuple[str, ...] | None) -> tuple[int, ...] | None:
    """Return `order_of_names` where names are the same and stand in another order; else None, as where a side has none."""
    order = order_of_names(ours, theirs) if ours and theirs else None
    return None if order is None or _is_own(order) else order


def order_of_names(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[int, ...] | None:
    """Return for each of our names the position of the equal one among theirs, leaving out a beginning and an end on
    either side; capital letters count unless the names are equal only without them.

    None if there are none without which the names are equal.
    """
    if ours == theirs:
        return tuple(range(len(ours)))
    if len(ours) != len(theirs):
        return None
    small = tuple(name.lower() for name in ours), tuple(name.lower() for name in theirs)
    return _as_written(ours, theirs) or (_as_written(*small) if small != (ours, theirs) else None)


def _as_written(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[int, ...] | None:
    """Return the positions of `order_of_names` for names whose letters all count."""
    sides = [(left, set(left)) for _, left in trimmed(ours)]
    others = [{name: place for place, name in enumerate(right)} for _, right in trimmed(theirs)]
    for left, names in sides:
        for places in others:
            if len(names) == len(places) == len(left) and names == places.keys():
                return tuple(places[name] for name in left)
    return None


def _names_differ(file: str, ours: tuple[str, ...], theirs: tuple[str, ...], common: list[str]) -> DataError:
    """Return the error about columns that are not named as the predictions'; `common` are the names that both have."""
    likely = next((name for name in common if name.lower() in LIKELY_IDS), None)
    if likely is not None:
        return DataError(
            f"{file}: column {likely!r} is in both files; if it holds ids, join by it with --id {quoted(likely)}, or say which "
            f"columns are meant: {file}:COLUMN",
            "names-differ",
        )
    alone = next((name for name in theirs if name not in ours), "")
    return DataError(
        f"{file}: its columns ({listing(theirs, 4)}) are not named as the predictions' ({listing(ours, 4)}), and "
        f"columns with names never meet by position; rename them, or give one side without names{did_you_mean(alone, ours)}",
        "names-differ",
    )


@dataclass
class Titled(Derived):
    """A source whose columns have other names than in its file."""

    row_by_row = True

    titles: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.titles

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self.of.read(start, stop, out)


def in_order(source: Source, names: tuple[str, ...], notes: list[str]) -> Source:
    """Return a source with one column per class, in the order of the classes' names.

    Columns with other names, or without, are taken in their own order and get the names of the classes.

    Raises
    ------
    DataError
        if the number of names is not that of columns, or the columns have only some of the names.
    """
    own_names, k = source.columns, source.shape[1]
    if k != len(names):
        raise DataError(
            f"--classes: {count(len(names), 'name')} ({listing(names, 4)}) for the {count(k, 'column')} of {source.name}; "
            "give one per column",
            "names-differ",
        )
    for _, left in trimmed(own_names) if own_names else ():
        places = {name: i for i, name in enumerate(left)}
        if set(places) == set(names):
            order = tuple(places[name] for name in names)
            return source if order == tuple(range(k)) else Reordered(source, order)
        alone = [name for name in names if name not in places]
        if len(alone) < len(names):
            raise DataError(
                f"--classes: {source.name} has no column {alone[0]!r}; its columns: {listing(own_names or ())}"
                f"{did_you_mean(alone[0], places)}",
                "names-differ",
            )
    if own_names:
        notes.append(f"{source.name}: its columns ({listing(own_names, 4)}) are called by --classes, in their order")
    return replace(source, columns=names) if isinstance(source, StreamSource) else Titled(source, names)


def class_names(text: str, raws: list[Raw]) -> tuple[str, ...]:
    """Return the names in 'a,b,c', where a name with a comma is in quotes; or those of a
    text file with one name per line, which is appended to `raws`, the files that must not change during a run.

    Raises
    ------
    UsageError
        if a name is empty or occurs twice.
    DataError
        if the file cannot be read.
    """
    if os.path.exists(text):
        names = _names_of_file(text, raws)
    elif "," not in text and re.search(r"/|\.(txt|csv|tsv|names|npy|json)$", text):
        raise DataError(
            f"--classes {text}: no such file; say --classes NAME,NAME,... or give a text file with one name a line"
        )
    else:
        names = [name.strip() for name in _record(text, text)]
    if not names or not all(names):
        raise UsageError(
            f"--classes {text!r}: a name is empty; say --classes NAME,NAME,... or give a file with one per line"
        )
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise UsageError(f"--classes {text}: {twice!r} is named twice")
    if any("\udc80" <= letter <= "\udcff" for letter in text):
        raise UsageError(f"--classes {text}: not UTF-8 text; write the names in UTF-8")
    return tuple(names)


def in_thresholds(names: tuple[str, ...] | None, predictions: Source) -> tuple[str, ...] | None:
    """Return the names of classes that thresholds separate, from the lowest on.

    Raises
    ------
    DataError
        if they are too few or too many, or if thresholds are called as the classes below or above them, in another order.
    """
    k = predictions.shape[1] + 1
    if names is not None and len(names) != k:
        raise DataError(
            f"--classes: {count(len(names), 'name')}, and {predictions.name} has {count(k - 1, 'column')}: K classes have K - 1 "
            f"thresholds; name {k} classes in their order, the lowest first"
        )
    columns = predictions.columns or ()
    for part in (names[:-1], names[1:]) if names else ():
        order = turned(part, columns)
        if order is not None:
            arranged = ",".join(quoted(columns[place]) for place in order)
            raise DataError(
                f"{predictions.name}: its thresholds ({listing(columns, 4)}) are in another order than the classes of --classes; say "
                f"--columns {arranged}",
                "names-differ",
            )
    return names


def _names_of_file(text: str, raws: list[Raw]) -> list[str]:
    """Return the names in a text file: one per line, or all on a single line. The file is appended to `raws`."""
    try:
        raws.append(opened_small(text, "give a text file with one name a line", MOST_BYTES_OF_NAMES))
        lines = text_of(raws[-1]).rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise DataError(f"--classes {text}: cannot be read: {why}; give a text file with one name a line") from error
    records = [_record(text, line) for line in lines]
    if len(records) == 1:
        return [name.strip() for name in records[0]]
    for number, record in enumerate(records, 1):
        if len(record) != 1 or not record[0].strip():
            fact = f"{len(record)} names" if len(record) > 1 else "no name"
            raise DataError(f"{text}:{number}: {fact}; give one name a line, in quotes if it has a comma")
    return [record[0].strip() for record in records]


def _record(text: str, line: str) -> list[str]:
    """Return the names on a line, separated by commas."""
    import csv

    try:
        return next(csv.reader([line], strict=True, skipinitialspace=True), [])
    except csv.Error as error:
        raise UsageError(
            f"--classes {text}: {error}; put such a name into quotes, and write a quote in it twice"
        ) from error


def named_numbers(text: str, option: str) -> list[tuple[str, float]]:
    """Parse 'a=1,b=4' into pairs. The last '=' of an item separates name and number, thus names may contain one.

    Raises
    ------
    UsageError
        if an item is not NAME=NUMBER with a number >= 0, or a name occurs twice.
    """
    numbers: dict[str, float] = {}
    for item in text.split(","):
        name, divided, number = item.rpartition("=")
        try:
            value = as_number(number)
        except ValueError:
            value = math.nan
        if not divided or not name or not (value >= 0 and math.isfinite(value)):
            raise UsageError(f"{option}: {item!r} is not NAME=NUMBER with a number >= 0")
        if name in numbers:
            raise UsageError(f"{option}: {name!r} is named twice")
        numbers[name] = value
    return list(numbers.items())


def by_class(
    pairs: list[tuple[str, float]],
    classes: tuple[str, ...] | None,
    k: int,
    option: str,
    columns: tuple[str, ...] | None = None,
) -> Array:
    """Return one number per class, shape (k,), from pairs of names and numbers; classes that are not named get 1.

    Names are those of the classes or of the columns of predictions, with or without a beginning and an end that all share. If classes
    have no names, they are named by their indices.

    Raises
    ------
    UsageError
        if a name is not a class.
    """
    names = {name: i for i, name in enumerate(classes or map(str, range(k)))}
    spelt = [columns] if columns and len(columns) == k else []
    for titles in [*spelt, classes] if classes else spelt:
        ways = ({name: i for i, name in enumerate(left)} for _, left in trimmed(titles))
        fit = next((places for places in ways if all(name in places for name, _ in pairs)), None)
        if fit is not None:
            names = fit
            break
    numbers: Any = np.ones(k)
    for name, value in pairs:
        if name not in names:
            raise UsageError(
                f"{option}: {name!r} is not a class; the classes: {listing(names)}{did_you_mean(name, names)}"
            )
        numbers[names[name]] = value
    return np.asarray(numbers)
