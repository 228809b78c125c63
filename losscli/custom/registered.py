"""Losses that installed packages register, as entry points of a group: found by name, and imported only if used.

    [project.entry-points."losscli.losses"]
    my-focal = "my_package.losses:focal"

A registered object may be anything that FILE.py:NAME may name. losscli's own names have precedence.
"""

from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import EntryPoint, distributions, entry_points
from importlib.util import find_spec
from typing import Any

from losscli.custom.frameworks import settle_keras
from losscli.custom.reading import Found, foreign, recognised
from losscli.errors import DataError
from losscli.losses import undeclared

GROUP = "losscli.losses"


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def registered() -> dict[str, EntryPoint]:
    """Return the entry points of all packages by name, without importing any; if two have the same name,
    the first one.
    """
    by_name: dict[str, EntryPoint] = {}
    for entry in sorted(_entries(), key=lambda entry: entry.name):
        by_name.setdefault(entry.name, entry)
    return by_name


def _entries() -> Iterable[EntryPoint]:
    """Return the entry points of the group; those of packages whose files are damaged are left out."""
    try:
        return entry_points(group=GROUP)
    except Exception:  # noqa: BLE001 - of any kind, and for all packages because of one
        found: list[EntryPoint] = []
        for package in distributions():
            with suppress(Exception):
                found.extend(package.entry_points.select(group=GROUP))
        return found


def named(name: str) -> EntryPoint | None:
    """Return the entry point of a name, or None; capitals, '-' and '_' make no difference."""
    return next((entry for known, entry in registered().items() if _plain(known) == _plain(name)), None)


def home(entry: EntryPoint) -> str:
    """Return where an entry point comes from, such as 'my_package.losses:focal, of my-package 1.0'."""
    try:
        package = "" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
    except Exception:  # noqa: BLE001 - a description may be damaged in any way
        package = ""
    return entry.value + (f", of {package}" if package else "")


def read(entry: EntryPoint) -> Found:
    """Return the loss of an entry point.

    Raises
    ------
    DataError
        if it cannot be imported, or is not written as MODULE:NAME.
    """
    if entry.pattern.match(entry.value) is None:
        raise DataError(
            f"{entry.name}: is registered as {home(entry)}, which is not MODULE:NAME; correct the package, or name the loss "
            "as FILE.py:NAME"
        )
    settle_keras()
    file = entry.module
    try:
        with foreign(file, "when it is imported"), undeclared():
            spec = find_spec(entry.module)
        file = file if spec is None or spec.origin is None else spec.origin
        with foreign(file, "when it is imported"), undeclared():
            loaded: Any = entry.load()
    except DataError as error:
        raise DataError(f"{entry.name}: is registered as {home(entry)}, which cannot be used: {error}") from error
    return recognised(entry.name, file, loaded)
