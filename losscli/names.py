"""Names of classes and columns: matched as they stand, or without one prefix that all of them share."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from losscli.core import Array
from losscli.errors import UsageError, did_you_mean, listing
from losscli.io.sources import Reordered, Source


def prefixes(names: Sequence[str]) -> list[str]:
    """The prefixes ending in '_' that all names share, the shortest (none) first."""
    shortest = min(names, key=len)
    common = 0
    while common < len(shortest) and all(name[common] == shortest[common] for name in names):
        common += 1
    return [""] + [shortest[: i + 1] for i in range(common) if shortest[i] == "_"]


def by_name(source: Source, ours: tuple[str, ...], theirs: tuple[str, ...], notes: list[str]) -> tuple[Source, str]:
    """Bring a source's columns into the order of our names, where the names are the same up to a prefix."""
    for mine in prefixes(ours):
        for other in prefixes(theirs):
            left = [name[len(mine) :] for name in ours]
            right = [name[len(other) :] for name in theirs]
            if sorted(left) == sorted(right) and len(set(left)) == len(left):
                places = {name: place for place, name in enumerate(right)}
                order = tuple(places[name] for name in left)
                if order != tuple(range(len(order))):
                    source = Reordered(source, order)
                    notes.append(f"{source.name}: its columns were brought into the order of the predictions' names")
                return source, "by name"
    notes.append(
        f"{source.name}: its columns ({listing(theirs, 4)}) are not named as the predictions' ({listing(ours, 4)}); "
        "they are matched by position"
    )
    return source, "by position"


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


def by_class(
    pairs: list[tuple[str, float]],
    classes: tuple[str, ...] | None,
    k: int,
    option: str,
    columns: tuple[str, ...] | None = None,
) -> Array:
    """A number a class from pairs of names (or, for classes without names, indices); classes not named get 1.

    Names are the classes', with or without a prefix that all share, or those of the columns of predictions.
    """
    names: dict[str, int] = {name: i for i, name in enumerate(classes)} if classes else {}
    if classes:
        for prefix in prefixes(classes):
            trimmed = {name[len(prefix) :]: i for i, name in enumerate(classes)}
            if all(name in trimmed for name, _ in pairs):
                names = trimmed
                break
    else:
        names = {str(i): i for i in range(k)}
    if columns and len(columns) == k and all(name in columns for name, _ in pairs):
        names = {name: i for i, name in enumerate(columns)}
    numbers: Any = np.ones(k)
    for name, value in pairs:
        if name not in names:
            raise UsageError(
                f"{option}: {name!r} is not a class; the classes: {listing(names)}{did_you_mean(name, names)}"
            )
        numbers[names[name]] = value
    return np.asarray(numbers)
