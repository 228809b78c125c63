"""Folders of parts, as Spark, Hive and the data sets of Hugging Face write them: their files are read as one."""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from losscli.arrays import Array
from losscli.errors import DataError
from losscli.io.format import COMPRESSED
from losscli.io.source import Source
from losscli.io.table import Table
from losscli.records import NamedTuple
from losscli.wording import count, listing, natural

if TYPE_CHECKING:
    import polars as pl

    from losscli.io.remote.path import RemotePath

BESIDE = ("dataset_info.json", "state.json", "dataset_dict.json", "README.md", "LICENSE")
"""Files that stand beside the parts and are none, besides those whose names begin with a dot or an underscore."""
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
SERIAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+", re.IGNORECASE)
"""What differs between the names of parts: identifiers and numbers."""
OF_ALL = re.compile(r"(\d+)-of-(\d+)")


class Part(NamedTuple):
    """A file of a folder, and the names and values of the folders of the form key=value in which it lies."""

    path: "Path | RemotePath"
    keys: tuple[tuple[str, str | None], ...]


def parts_of(folder: "Path | RemotePath") -> list[Part]:
    """Return the files of a folder that hold data, in the natural order of their names.

    Raises
    ------
    DataError
        if there are none, or they are not the parts of one whole: of several formats, names or layers, or some are missing.
    """
    try:
        _check_whole(folder)
        parts = _of_dataset(folder) or _inside(folder, ())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from error
    if not parts:
        raise DataError(f"{folder}: a folder without files of data; did what should write it fail?")
    _check_alike(folder, parts)
    _check_all(folder, parts)
    filled = [
        part for part in parts if part.path.stat().st_size
    ]  # Spark writes empty files for partitions without rows
    return filled or parts


def _check_alike(folder: "Path | RemotePath", parts: Sequence[Part]) -> None:
    """Raise a DataError if files differ in their formats, in their names but for numbers, or in the folders they lie in."""
    suffixes = Counter(_suffix(part.path) or "without a suffix" for part in parts)
    if len(suffixes) > 1:
        held = listing(f"{number} {suffix}" for suffix, number in sorted(suffixes.items()))
        raise DataError(f"{folder}: a folder with files of several formats ({held}); {_pattern(folder, parts)}")
    names = sorted({SERIAL.sub("*", part.path.name) for part in parts})
    if len(names) > 1:
        raise DataError(f"{folder}: a folder with files of several names ({listing(names)}); {_pattern(folder, parts)}")
    if len({tuple(key for key, _ in part.keys) for part in parts}) > 1:
        raise DataError(
            f"{folder}: some of its parts lie deeper than others; quote a pattern of those that belong together"
        )


def _check_whole(folder: "Path | RemotePath") -> None:
    """Raise a DataError for folders whose files say too little: a table's log says which of them count."""
    made = {
        "_delta_log": (
            "a Delta table",
            "save it with deltalake.DeltaTable(FOLDER).to_pandas().to_parquet('FILE.parquet')",
        ),
        ".hoodie": ("a Hudi table", "save a snapshot of it as Parquet"),
        "_temporary": ("not finished", "wait for the job that writes it, or run it again"),
    }
    for name, (what, cure) in made.items():
        if (folder / name).exists():
            raise DataError(f"{folder}: the folder is {what} ({name}); {cure}")
    if any((folder / "metadata").glob("*.metadata.json")):
        raise DataError(f"{folder}: the folder is an Iceberg table; save a snapshot of it as Parquet")


def _of_dataset(folder: "Path | RemotePath") -> list[Part]:
    """Return the files of a data set that Hugging Face's library saved; none if it is no such folder."""
    state = folder / "state.json"
    if not state.is_file():
        return []
    try:
        saved: Any = json.loads(state.read_bytes())
        names = [str(file["filename"]) for file in saved["_data_files"]]
        chosen = saved.get("_indices_files")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    if chosen:
        raise DataError(f"{folder}: only some rows of its files count; save it with dataset.flatten_indices() first")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder}: {listing(missing)} of its state.json is missing; copy the folder again")
    return [Part(folder / name, ()) for name in names]


def _inside(folder: "Path | RemotePath", keys: tuple[tuple[str, str | None], ...]) -> list[Part]:
    """Return the files of a folder and of its folders key=value, in natural order."""
    parts: list[Part] = []
    others: list[str] = []
    cached = (folder / "dataset_info.json").is_file()
    paths: list[Any] = sorted(folder.iterdir(), key=lambda path: natural(path.name))
    for path in paths:
        name = path.name
        if name.startswith((".", "_")) or name.endswith(".crc") or name in BESIDE:
            continue
        if not path.is_dir():
            parts += [] if cached and name.startswith("cache-") else [Part(path, keys)]
        elif "=" in name:
            key, value = (unquote(word) for word in name.split("=", 1))
            parts += _inside(path, (*keys, (key, None if value == NO_VALUE else value)))
        else:
            others.append(name)
    if others:
        cure = f"name one, as {folder / others[0]}"
        raise DataError(f"{folder}: a folder with folders in it ({listing(others)}); {cure}, or quote a pattern")
    return parts


def _suffix(path: "Path | RemotePath") -> str:
    name = path.name.lower()
    while name.endswith(COMPRESSED):
        name = name.rpartition(".")[0]
    return os.path.splitext(name)[1] if not re.search(r"\.\d+$", name) else ""


def _pattern(folder: "Path | RemotePath", parts: Sequence[Part]) -> str:
    path = parts[0].path
    depth = "*/" * len(parts[0].keys)
    like = SERIAL.sub("*", path.name) if SERIAL.search(path.name) else f"*{path.suffix}"
    return f"name a file, or quote a pattern such as '{folder}/{depth}{like}'"


def _check_all(folder: "Path | RemotePath", parts: Sequence[Part]) -> None:
    """Raise a DataError if names say 'this-of-all', and some are not there."""
    numbered = [match for part in parts if (match := OF_ALL.search(part.path.name)) is not None]
    if not numbered or parts[0].keys:
        return
    alls, here = {int(match[2]) for match in numbered}, {int(match[1]) for match in numbered}
    if len(alls) != 1 or len(numbered) != len(parts):
        raise DataError(f"{folder}: parts of several wholes; {_pattern(folder, parts)}")
    most = alls.pop()
    first = 0 if 0 in here or most not in here else 1
    missing = sorted(set(range(first, first + most)) - here) if most < 1_000_000 else []
    if missing:
        raise DataError(
            f"{folder}: {count(len(missing), 'part')} of {most} not there ({listing(missing)}); copy it again"
        )


class Partitioned(Table):
    """A part of a folder with the values of its folders key=value as further columns, which are words."""

    settled = True

    def __init__(self, table: Table, keys: Sequence[tuple[str, str | None]]) -> None:
        self.table = table
        self.keys = [(key, value) for key, value in keys if key not in (table.names or ())]
        self.name, self.cuts, self.doubt, self.settled = table.name, table.cuts, table.doubt, table.settled
        self.width = table.width + len(self.keys)
        self.names = None if table.names is None else (*table.names, *(key for key, _ in self.keys))
        self.only_by_name = frozenset(range(table.width, self.width))

    def frame(self, chunk: int, numbers: Sequence[int]) -> "pl.DataFrame":
        import polars as pl

        own = [number for number in numbers if number < self.table.width]
        cells = self.table.frame(chunk, own) if own else None
        height = self.cuts[chunk + 1] - self.cuts[chunk]
        columns = iter([] if cells is None else cells.get_columns())
        return pl.DataFrame(
            [
                next(columns).alias(str(number))
                if number < self.table.width
                else pl.Series(str(number), [self.keys[number - self.table.width][1]] * height, pl.String)
                for number in numbers
            ]
        )

    def quick(self, chunk: int, numbers: Sequence[int]) -> Array | None:
        return self.table.quick(chunk, numbers) if max(numbers) < self.table.width else None

    def source(self, numbers: Sequence[int], cure: str = "", one_axis: bool = True) -> Source:
        if max(numbers) < self.table.width:
            return self.table.source(numbers, cure, one_axis)
        return super().source(numbers, cure, one_axis)

    def breadth(self, number: int) -> int | None:
        return self.table.breadth(number) if number < self.table.width else None

    def dtype(self, numbers: Sequence[int]) -> np.dtype[Any]:
        return self.table.dtype(numbers) if max(numbers) < self.table.width else np.dtype(np.float64)

    def is_text(self, number: int) -> bool:
        return number >= self.table.width or self.table.is_text(number)

    def place(self, row: int, column: int | None = None) -> str:
        return self.table.place(row, column if column is None or column < self.table.width else None)

    def check(self) -> None:
        self.table.check()

    def headed(self) -> Table:
        return Partitioned(self.table.headed(), self.keys)
