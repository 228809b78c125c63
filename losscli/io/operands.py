"""Operands: what the words PREDICTIONS, TARGETS and FILE of the command line stand for."""

import glob
import io
import os
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from losscli.core import Array
from losscli.errors import DataError, UsageError, count, did_you_mean, listing
from losscli.io.sources import (
    MemorySource,
    NpySource,
    ShardedSource,
    Source,
    check_axes,
    check_dtype,
    check_length,
    read_npy_header,
)

MAGIC_NPY = b"\x93NUMPY"
MAGIC_ZIP = b"PK\x03\x04"
MAGIC_PARQUET = b"PAR1"
PIECE = 1 << 20

Content = Any
"""A Source, for arrays; or a Table, whose columns are chosen later."""


@dataclass(frozen=True)
class Named:
    """Where an operand's data comes from: a path or, for standard input and archives, bytes."""

    name: str
    path: Path | None = None
    data: bytes | None = None
    part: str | None = None
    header: bool | None = None

    @property
    def magic(self) -> bytes:
        if self.data is not None:
            return self.data[:6]
        assert self.path is not None
        with self.path.open("rb") as file:
            return file.read(6)


def _npy(where: Named) -> Content:
    if where.data is not None:
        file = io.BytesIO(where.data)
        shape, fortran, dtype = read_npy_header(file, where.name)
        size = int(np.prod(shape, dtype=np.int64))
        check_length(where.name, shape, file.tell() + size * dtype.itemsize, len(where.data))
        array = np.frombuffer(where.data, dtype, size, file.tell()).reshape(shape, order="F" if fortran else "C")
        return MemorySource(where.name, np.ascontiguousarray(array, dtype.newbyteorder("=")))
    assert where.path is not None
    return NpySource.open(where.path, where.name)


def _npz(where: Named) -> Content:
    try:
        with _bytes(where) as file, np.load(file, allow_pickle=False) as archive:
            keys = list(archive.files)
            if where.part is None and len(keys) != 1:
                held = f"{count(len(keys), 'array')} ({listing(keys)})"
                raise DataError(f"{where.name}: holds {held}; say which, as {where.name}:KEY")
            key = where.part or keys[0]
            if key not in keys:
                raise DataError(f"{where.name}: no array {key!r}; its arrays: {listing(keys)}{did_you_mean(key, keys)}")
            array = archive[key]
    except (ValueError, OSError, zipfile.BadZipFile, KeyError, EOFError) as error:
        if "allow_pickle" in str(error):
            check_dtype(np.dtype(object), where.name)
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{where.name}: not an NPZ file that can be read ({why})") from error
    name = f"{where.name}:{key}" if where.part else where.name
    check_dtype(array.dtype, name)
    check_axes(array.shape, name)
    return MemorySource(name, np.ascontiguousarray(array, array.dtype.newbyteorder("=")))


def _bytes(where: Named) -> IO[bytes]:
    return io.BytesIO(where.data) if where.data is not None else open(str(where.path), "rb")


def _text(separator: str) -> Callable[[Named], Content]:
    def read(where: Named) -> Content:
        from losscli.io.tables import open_text

        return open_text(where.name, where.path, where.data, separator, where.header)

    return read


def _parquet(where: Named) -> Content:
    from losscli.io.tables import open_parquet

    return open_parquet(where.name, where.path, where.data)


@dataclass(frozen=True)
class Format:
    """How a kind of file is opened, and what its bytes start with if that tells."""

    suffixes: tuple[str, ...]
    open: Callable[[Named], Content]
    magic: bytes | None = None


FORMATS: dict[str, Format] = {
    "npy": Format((".npy",), _npy, MAGIC_NPY),
    "npz": Format((".npz",), _npz, MAGIC_ZIP),
    "parquet": Format((".parquet", ".pq"), _parquet, MAGIC_PARQUET),
    "tsv": Format((".tsv", ".tsv.gz", ".tsv.zst", ".tab"), _text("\t")),
    "csv": Format((".csv", ".csv.gz", ".csv.zst"), _text(",")),
}


FOREIGN = {
    (".pt", ".pth"): "numpy.save(file, tensor.detach().cpu().numpy())",
    (".pkl", ".pickle", ".joblib"): "numpy.save(file, numpy.asarray(array))",
    (".json", ".jsonl", ".ndjson"): "a CSV file",
    (".xlsx", ".xls", ".ods"): "a CSV file",
    (".h5", ".hdf5", ".mat"): "numpy.save(file, array)",
}
"""Files that people have and losscli does not read -> as what to save them."""


def format_of(where: Named) -> Format:
    """The format of a file: by its first bytes, then by its name; CSV if neither tells."""
    for suffixes, cure in FOREIGN.items():
        if where.path is not None and where.name.lower().endswith(suffixes):
            raise DataError(f"{where.name}: losscli does not read {where.path.suffix} files; save it with {cure}")
    magic = where.magic
    for kind in FORMATS.values():
        if kind.magic and magic.startswith(kind.magic):
            return kind
    suffix = where.name.lower()
    for name, kind in FORMATS.items():
        if suffix.endswith(kind.suffixes):
            if kind.magic:
                raise DataError(
                    f"{where.name}: not {name.upper()}, whatever its name says; its first bytes are {magic!r}"
                )
            return kind
    return FORMATS["csv"]


@dataclass
class Opener:
    """Opens operands; a file named twice is read once, and standard input can be named once."""

    header: bool | None = None
    paths: set[str] = field(default_factory=set)
    """Real paths of all files that were opened."""
    _opened: dict[tuple[str, str | None], Content] = field(default_factory=dict)
    _stdin: bool = False

    def open(self, text: str, what: str) -> "Operand":
        """Open FILE, FILE:COLUMN, FILE.npz:KEY, '-' or a glob.

        Raises
        ------
        DataError
            for what is missing or cannot be read.
        """
        if not text.strip():
            raise UsageError(f"{what}: the name is empty")
        if os.path.exists(text):
            return self._operand(text, Path(text), None)
        if text == "-" or text.startswith("-:"):
            return self._standard_input(text[2:] or None)
        for match in re.finditer(":", text):
            head, tail = text[: match.start()], text[match.end() :]
            if head and os.path.exists(head):
                return self._operand(text, Path(head), tail)
        shards, column = self._glob(text)
        if shards:
            return self._sharded(text, shards, column)
        raise DataError(f"{text}: no such file ({what}){_similar(text)}")

    def _operand(self, text: str, path: Path, part: str | None) -> "Operand":
        if path.is_dir():
            raise DataError(f"{path}: a folder, not a file; name the file, or quote a pattern such as '{path}/*.npy'")
        content = self._content(Named(str(path), path, None, part, self.header))
        return Operand(str(path), content, None if path.suffix == ".npz" else part, path, text)

    def _content(self, where: Named) -> Content:
        is_npz = where.path is not None and where.path.suffix == ".npz"
        key = (os.path.realpath(where.path or where.name), where.part if is_npz else None)
        if key not in self._opened:
            try:
                if where.path is not None and not where.path.is_file():
                    # A pipe with a name can be read once only.
                    where = Named(where.name, None, where.path.read_bytes(), where.part, where.header)
                self.paths.add(key[0])
                self._opened[key] = format_of(where).open(where)
            except OSError as error:
                raise DataError(f"{where.name}: cannot be read: {error.strerror or error}") from error
        return self._opened[key]

    def _standard_input(self, column: str | None) -> "Operand":
        if self._stdin:
            raise UsageError("'-' is standard input, and can be one operand only; put the other one in a file")
        self._stdin = True
        if sys.stdin is None:
            raise DataError("standard input: it is closed")
        where = Named("standard input", None, _read(sys.stdin.buffer), None, self.header)
        if not where.data:
            raise DataError("standard input: nothing came; is the command before the pipe right?")
        return Operand(where.name, format_of(where).open(where), column, None, f"-:{column}" if column else "-")

    def _glob(self, text: str) -> tuple[list[str], str | None]:
        found = glob.glob(text)
        if not found and ":" in text:
            head, column = text.rsplit(":", 1)
            return sorted(glob.glob(head), key=natural), column
        return sorted(found, key=natural), None

    def _sharded(self, text: str, paths: list[str], column: str | None) -> "Operand":
        contents = [self._content(Named(path, Path(path), None, None, self.header)) for path in paths]
        first = contents[0]
        if any(hasattr(content, "frame") != hasattr(first, "frame") for content in contents):
            raise DataError(f"{text}: tables and arrays together; the shards of an operand must be of one kind")
        if hasattr(first, "frame"):
            from losscli.io.tables import concat

            return Operand(text, concat(text, contents), column, None, text)
        for content in contents[1:]:
            if content.shape[1:] != first.shape[1:]:
                raise DataError(f"{content.name}: shape {content.shape} does not go with {first.name}'s {first.shape}")
        return Operand(text, ShardedSource(text, contents), column, None, text)


@dataclass
class Operand:
    """An opened operand: an array, or a table with at most one column picked."""

    name: str
    content: Content
    column: str | None
    path: Path | None
    text: str

    def __post_init__(self) -> None:
        if self.column is not None and not self.is_table:
            raise DataError(
                f"{self.text}: {self.name} has no columns with names; only tables and NPZ files take ':{self.column}'"
            )

    @property
    def is_table(self) -> bool:
        return hasattr(self.content, "frame")

    @property
    def picked(self) -> int | None:
        """The number of the column that FILE:COLUMN names."""
        return None if self.column is None else int(self.content.find(self.column))

    def same_file(self, other: "Operand") -> bool:
        return self.content is other.content


def _read(stream: IO[bytes]) -> bytes:
    # A piece at a time, so that a signal that comes between two of them is not kept waiting for the end.
    return b"".join(iter(lambda: stream.read(PIECE), b""))


def is_text(source: Source) -> bool:
    return source.dtype.kind in "US"


def whole(source: Source) -> Array:
    """All rows; for small operands such as centers."""
    return source.read(0, source.shape[0])


def natural(text: str) -> list[tuple[int, str]]:
    """Sort key by which shard-2 stands before shard-10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def _similar(text: str) -> str:
    folder = os.path.dirname(text) or "."
    try:
        names = os.listdir(folder)
    except OSError:
        return f"; there is no folder {folder!r}"
    wanted = os.path.basename(text).split(":")[0]
    if any(character in text for character in "*?["):
        return "; the pattern matches nothing"
    return did_you_mean(wanted, names, alike=0.8)
