"""Operands: the words PREDICTIONS, TARGETS and FILE of the command line, and the files that they name."""

import os
import re
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from losscli.definition.address import BEGINNINGS, is_remote, shown
from losscli.definition.dialect import Dialect
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.bytes import Begun, Looked, Raw, RawFile, Spool, is_far, opened_ahead, pieces_of
from losscli.io.format import Content, Format, Named, deferred
from losscli.io.npy import NpySource, StreamSource, read_npy_header
from losscli.io.recognised import is_json_lines, is_safetensors, is_torch
from losscli.io.source import ShardedSource, Source, unlike
from losscli.records import dataclass, field
from losscli.wording import did_you_mean, listing, natural

if TYPE_CHECKING:
    from losscli.io.remote.path import RemotePath

MAGIC_NPY = b"\x93NUMPY"
MAGIC_ZIP = b"PK\x03\x04"
MAGIC_PARQUET = b"PAR1"
MAGIC_ARROW = b"ARROW1"
MAGIC_ARROW_STREAM = b"\xff\xff\xff\xff"
MOST_HELD = 100
"""If an operand has more shards than this, none of them is kept open."""


def _npy(where: Named) -> Content:
    source = NpySource.open(where.raw, where.name, untyped=where.dtype)
    if source.fortran and is_far(where.raw):  # a few rows lie all over the file
        return NpySource.open(where.at_hand.raw, where.name, untyped=where.dtype)
    return source


def _text(separator: str) -> Callable[[Named], Content]:
    def open_(where: Named) -> Content:
        from losscli.io.csv import open_text

        return open_text(where.name, where.raw, separator, where.header, where.looked, where.dialect)

    return open_


FORMATS: dict[str, Format] = {
    "npy": Format((".npy",), _npy, MAGIC_NPY, ranges=True),
    "torch": Format((".pt", ".pth"), deferred("losscli.io.torch_file", "open_torch"), keyed=True, told=is_torch),
    "npz": Format((".npz",), deferred("losscli.io.archive", "open_archive"), MAGIC_ZIP, keyed=True, ranges=True),
    "zip": Format((".zip",), deferred("losscli.io.archive", "open_archive"), MAGIC_ZIP, keyed=True, ranges=True),
    "parquet": Format((".parquet", ".pq"), deferred("losscli.io.parquet", "open_parquet"), MAGIC_PARQUET, ranges=True),
    "arrow": Format((".arrow", ".feather", ".ipc"), deferred("losscli.io.arrow", "open_arrow"), MAGIC_ARROW),
    "stream": Format((".arrows",), deferred("losscli.io.arrow", "open_arrow"), MAGIC_ARROW_STREAM),
    "safetensors": Format(
        (".safetensors",), deferred("losscli.io.safetensors", "open_safetensors"), None, True, is_safetensors, True
    ),
    "jsonl": Format((".jsonl", ".ndjson", ".jsonlines"), deferred("losscli.io.jsonl", "JsonTable"), told=is_json_lines),
    "tsv": Format((".tsv", ".tab"), _text("\t")),
    "csv": Format((".csv",), _text(",")),
}


def format_of(where: Named) -> Format:
    """Return the format of a file: by its first bytes, then by its name; CSV if neither tells.

    Raises
    ------
    DataError
        if the file is empty, is of a format that losscli does not read, or its name says another format than its bytes.
    """
    if not where.raw.size:
        raise DataError(f"{where.name}: the file is empty; did what should write it fail?")
    head, suffix = where.head, where.plain_name
    for kind in FORMATS.values():
        if (kind.magic and head.startswith(kind.magic)) or (kind.told is not None and kind.told(where)):
            return kind
    from losscli.io.foreign import refuse, refuse_binary, refuse_suffix

    refuse(where)
    for name, kind in FORMATS.items():
        if suffix.endswith(kind.suffixes):
            if kind.magic:
                raise DataError(
                    f"{where.name}: not {name.upper()}, whatever its name says; its first bytes are {head[:6]!r}"
                )
            if not kind.keyed:  # text, such as JSON lines
                refuse_binary(where)
            return kind
    refuse_suffix(where)
    refuse_binary(where)
    return FORMATS["csv"]


def opened(where: Named) -> tuple[Content, bool]:
    """Open a file, which may be compressed, and return its content, and whether that depends on `where.part`.

    Raises
    ------
    DataError
        if the file cannot be read, or is of a format that losscli does not read.
    """
    if where.head.startswith(MAGIC_NPY):
        return _npy(where), False
    from losscli.io.compressed import unpacked

    where = unpacked(where._replace(open_inner=_inner))
    kind = format_of(where)
    return kind.open(where if kind.ranges else where.at_hand), kind.keyed


def _inner(where: Named) -> Content:
    return opened(where)[0]


def rest_of(file: str, content: str, part: str | None) -> str | None:
    """Return what is left of an operand's `part` if the content's name shows that the file's format used its beginning."""
    whole = f"{file}:{part}"
    if part is None or whole == content:
        return None
    return whole[len(content) + 1 :] if whole.startswith(f"{content}:") else part


@dataclass
class Opener:
    """Opens operands. A file that is named twice is read once, and standard input can be named once."""

    header: bool | None = None
    looked: Looked = lambda name, done, size: None
    arrays: Mapping[str, Source] = field(default_factory=dict)
    """Operands that are in memory already, by the words that stand for them."""
    dialect: Dialect = field(default=Dialect())
    """How text tables are written, as far as options say it."""
    paths: set[str] = field(default_factory=set)
    """Real paths of all files that were opened."""
    raws: list[Raw] = field(default_factory=list)
    dtype: str | None = None
    """The type of numbers whose file says none: 'bfloat16', or None."""
    _opened: dict[tuple[str | None, ...], Content] = field(default_factory=dict)
    _ahead: dict[str, RawFile] = field(default_factory=dict)
    """Files that were opened already, by their names, and are not looked at yet."""
    _reals: dict[str, str] = field(default_factory=dict)
    """The real paths of files and folders that were asked for."""
    _stdin: "tuple[str, str, Operand] | None" = None
    """The role in which standard input was opened, the text that named it, and its operand."""

    def __post_init__(self) -> None:
        if "POLARS_MAX_THREADS" in os.environ:
            from losscli.io.guarded import check_threads

            check_threads()

    @classmethod
    def of(cls, request: Request, looked: Looked = lambda name, done, size: None) -> "Opener":
        """Return an opener that reads files as a request's options say."""
        return cls(request.header, looked, request.arrays, request.dialect, dtype=request.dtype)

    def _named(self, name: str, raw: Raw, path: Path | None, part: str | None) -> Named:
        """Return a file with everything that its format needs to open it."""
        return Named(name, raw, path, part, self.header, self.looked, self.dialect, dtype=self.dtype)

    def knows(self, text: str) -> bool:
        """Whether an operand is a file, as a whole, that was opened already and can be looked at again."""
        real = self._real(text)
        return (is_remote(text) or os.path.isfile(text)) and any(key[0] == real for key in self._opened)

    def open(self, text: str, what: str, once: bool = False) -> "Operand":
        """Open FILE, FILE:COLUMN, FILE.npz:KEY, '-' or a glob.

        Parameters
        ----------
        what
            the operand's role, for messages.
        once
            whether its rows are needed once and in order; an array from a pipe then needs no copy.

        Raises
        ------
        DataError
            if the file is missing or cannot be read.
        UsageError
            if the name is empty, or standard input is named twice.
        """
        if not text.strip():
            raise UsageError(f"{what}: the name is empty")
        if text in self.arrays:
            return Operand(text, self.arrays[text], None, None, text)
        if is_remote(text):
            return self._remote(shown(text), what)
        if _exists(text):
            return self._operand(text, Path(text), None)
        if text == "-" or text.startswith("-:"):
            return self._standard_input(text[2:] or None, what, once)
        for match in re.finditer(":", text):
            head, tail = text[: match.start()], text[match.end() :]
            if head and _exists(head):
                return self._operand(text, Path(head), tail)
        if os.path.islink(text):
            raise DataError(f"{text}: {_broken_link(text)}")
        shards, column = self._glob(text)
        if shards:
            return self._sharded(text, [Path(shard) for shard in shards], column)
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
            raise DataError(f"{text}: no such file ({what}); addresses begin with {listing(BEGINNINGS)}")
        raise DataError(f"{text}: no such file ({what}){_similar(text) or '; is the path right?'}")

    def _remote(self, text: str, what: str) -> "Operand":
        """Open an object, a folder or a pattern that is not on this machine."""
        from losscli.io.remote.path import find

        paths, part = find(text, what)
        return self._operand(text, paths[0], part) if len(paths) == 1 else self._sharded(text, paths, part)

    def _operand(self, text: str, path: "Path | RemotePath", part: str | None) -> "Operand":
        if path.is_dir():
            return self._folder(text, path, part)
        content = self._content(path, part)
        return Operand(str(path), content, rest_of(str(path), content.name, part), path, text)

    def _content(self, path: "Path | RemotePath", part: str | None = None, held: bool = True) -> Content:
        name, real = str(path), self._real(path)
        key: tuple[str | None, ...] = (real, None) if (real, None) in self._opened else (real, part)
        if key not in self._opened:
            try:
                where = self._located(path, part, held)
                self.raws.append(where.raw)
                self.paths.add(real)
                content, keyed = opened(where)
                if isinstance(where.raw, RawFile):
                    where.raw.forget()
                if keyed:  # two keys may lead to the same content: the columns of the only table of an archive
                    content = self._opened.setdefault((real, "", content.name), content)
                key = (real, part if keyed else None)
                self._opened[key] = content
            except OSError as error:
                raise DataError(f"{name}: cannot be read: {error.strerror or error}") from error
        return self._opened[key]

    def _look_ahead(self, paths: "Sequence[Path | RemotePath]") -> None:
        """Open the files of an operand at once, if they are many."""
        new = [str(path) for path in paths if (self._real(path), None) not in self._opened]
        if len(paths) > MOST_HELD:
            self._ahead |= opened_ahead(new)

    def _real(self, where: "str | Path | RemotePath") -> str:
        """Return by what a file is known: its real path, or its address. Of a folder with many files it is asked only once."""
        path = str(where)
        if is_remote(path):
            return path
        if path not in self._reals:
            folder, name = os.path.split(path)
            if folder not in self._reals:
                self._reals[folder] = os.path.realpath(folder)
            whole = name in ("", ".", "..") or os.path.islink(path)
            self._reals[path] = os.path.realpath(path) if whole else os.path.join(self._reals[folder], name)
        return self._reals[path]

    def _located(self, path: "Path | RemotePath", part: str | None, held: bool) -> Named:
        """Return a file with its bytes and everything that its format needs to open it."""
        name = str(path)
        if not isinstance(path, Path):  # the name in front of a query says the format
            return self._named(name, path.raw(), None, part)._replace(inner=path.name)
        raw: Raw | None = self._ahead.pop(name, None)
        regular = raw is not None or path.is_file()
        if raw is None:
            raw = RawFile(name, path, held) if regular else _copy(name, path)
        return self._named(name, raw, path if regular else None, part)

    def _contents(self, paths: "Sequence[Path | RemotePath]", part: str | None) -> list[Content]:
        """Open several files; of those that are not on this machine, the first bytes are read at the same time."""
        held = len(paths) <= MOST_HELD
        if not all(is_remote(str(path)) for path in paths):
            self._look_ahead(paths)
            return [self._content(path, part, held) for path in paths]
        from losscli.io.remote.path import opened_in_turn

        return [self._content(path, part, held) for path in opened_in_turn(paths)]

    def _standard_input(self, column: str | None, what: str, once: bool) -> "Operand":
        text = f"-:{column}" if column else "-"
        if self._stdin is not None:
            role, words, operand = self._stdin
            if (role, words) == (what, text) and not isinstance(operand.content, StreamSource):
                return operand  # for another measurement, in the same role
            raise UsageError("'-' is standard input, and can be one operand only; put the other one in a file")
        if sys.stdin is None:
            raise DataError("standard input: it is closed")
        name = "standard input"
        raw = _standard_input(name, once, self.dtype)
        if isinstance(raw, StreamSource):
            operand_of_stdin = Operand(name, raw, column, None, text)
        else:
            self.raws.append(raw)
            if isinstance(raw, RawFile):
                self.paths.add(os.path.realpath(raw.path))
            content, _ = opened(self._named(name, raw, None, column))
            operand_of_stdin = Operand(name, content, rest_of(name, content.name, column), None, text)
        self._stdin = (what, text, operand_of_stdin)
        return operand_of_stdin

    def _glob(self, text: str) -> tuple[list[str], str | None]:
        from glob import glob

        paths = glob(text)
        if not paths and ":" in text:
            head, column = text.rsplit(":", 1)
            return sorted(glob(head), key=natural), column
        return sorted(paths, key=natural), None

    def _folder(self, text: str, folder: "Path | RemotePath", column: str | None) -> "Operand":
        """Open the files of a folder as one."""
        from losscli.io.folder import Partitioned, parts_of

        parts = parts_of(folder)
        contents = self._contents([part.path for part in parts], column)
        rest = rest_of(str(parts[0].path), contents[0].name, column)
        key = ("folder", self._real(folder), column if rest != column else None)
        if key not in self._opened:
            for i, part in enumerate(parts):
                if part.keys and is_table(contents[i]):
                    contents[i] = Partitioned(contents[i], part.keys)
            self._opened[key] = _stacked(str(folder), contents)
        return Operand(str(folder), self._opened[key], rest, folder, text)

    def _sharded(self, text: str, paths: "Sequence[Path | RemotePath]", column: str | None) -> "Operand":
        contents = self._contents(paths, column)
        rest = rest_of(str(paths[0]), contents[0].name, column)
        key = ("", *(self._real(path) for path in paths), column if rest != column else None)
        if key not in self._opened:
            self._opened[key] = _stacked(text, contents)
        return Operand(text, self._opened[key], rest, None, text)


def _stacked(name: str, contents: list[Content]) -> Content:
    """Return several contents as one, their rows one after another; raise a DataError if they do not go together."""
    first = contents[0]
    if any(is_table(content) != is_table(first) for content in contents):
        raise DataError(f"{name}: tables and arrays together; the shards of an operand must be of one kind")
    if is_table(first):
        from losscli.io.table import Stacked

        return Stacked(name, contents)
    for content in contents[1:]:
        if content.shape[1:] != first.shape[1:] and (len(content.shape) != len(first.shape) or len(first.shape) < 2):
            raise unlike(first, content)
    return ShardedSource(name, contents)


@dataclass
class Operand:
    """An opened operand: an array, or a table of which at most one column is picked."""

    name: str
    content: Content
    column: str | None
    path: "Path | RemotePath | None"
    text: str

    def __post_init__(self) -> None:
        if self.column is not None and not self.is_table:
            raise DataError(
                f"{self.text}: {self.name} has no columns with names; only tables and NPZ files take ':{self.column}'"
            )

    @property
    def is_table(self) -> bool:
        return is_table(self.content)

    @property
    def picked(self) -> int | None:
        """The number, from 0, of the column that FILE:COLUMN names."""
        return None if self.column is None else int(self.content.find(self.column))

    def check_alike(self) -> None:
        """Raise a DataError for shards of different shapes, which are read as positions of samples only."""
        if isinstance(self.content, ShardedSource) and not self.content.alike:
            raise self.content.unlike()

    def same_file(self, other: "Operand") -> bool:
        return self.content is other.content


def _standard_input(name: str, once: bool, dtype: str | None) -> Raw | StreamSource:
    """Open standard input: a regular file is read from its beginning, and a pipe is copied.

    `dtype` is the type of numbers whose header says none. `once` says whether its rows are needed once and in order; an array from a pipe then needs no copy.
    """
    stream = sys.stdin.buffer
    try:
        status = os.fstat(stream.fileno())
        path = Path(f"/dev/fd/{stream.fileno()}")
        if stat.S_ISREG(status.st_mode) and not stream.tell() and path.exists():
            return RawFile(name, path)
        _check_device(name, stream.fileno())
    except (OSError, ValueError):
        pass  # it has no descriptor, as when a program replaced it by an object of its own
    begin = Begun(stream)
    if once and begin.read(len(MAGIC_NPY)) == MAGIC_NPY:
        shape, fortran, stored = read_npy_header(begin.again(), name, dtype)
        if len(shape) <= 2 and (not fortran or len(shape) == 1):
            return StreamSource.begun(name, stream, shape, stored)
    raw = Spool.copy(name, chain([begin.held], pieces_of(stream)))
    if not raw.size:
        raise DataError(f"{name}: nothing came; is the command before the pipe right?")
    return raw


def _copy(name: str, path: Path) -> Raw:
    # A named pipe can be read only once.
    with path.open("rb") as file:
        _check_device(name, file.fileno())
        return Spool.copy(name, pieces_of(file))


def _check_device(name: str, descriptor: int) -> None:
    """Raise a DataError for a device other than a terminal and /dev/null: /dev/zero would fill the disk with its copy."""
    status = os.fstat(descriptor)
    harmless = os.isatty(descriptor) or os.path.samestat(status, os.stat(os.devnull))
    if not harmless and (stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)):
        raise DataError(f"{name}: a device, which may never end; give a file or a pipe")


def is_table(content: Content) -> bool:
    """Whether an operand is a table, whose columns have roles. Asked without an import of the code
    that reads tables.
    """
    return hasattr(content, "pick")


def is_text(source: Source) -> bool:
    """Whether an array holds text."""
    return source.dtype.kind in "US"


def _exists(text: str) -> bool:
    """Whether a path exists.

    Raises
    ------
    DataError
        if the path is in a folder that may not be searched.
    """
    try:
        os.stat(text)
    except PermissionError as error:
        raise DataError(
            f"{text}: cannot be read: {error.strerror}; a folder of the path may not be searched"
        ) from error
    except (OSError, ValueError):
        return False
    return True


def _broken_link(text: str) -> str:
    """Return the message about a link to a file that is not there."""
    target = os.readlink(text)
    if "/annex/objects/" in target:
        return f"is a pointer of git-annex, not the data; get the data with git annex get {text}"
    return f"a link to {target}, which is not there; is the disk mounted, or the link out of date?"


def _similar(text: str) -> str:
    """Return the end of the message about a missing file: a name like it in its folder,
    or that there is no such folder.
    """
    folder = os.path.dirname(text) or "."
    try:
        names = os.listdir(folder)
    except OSError:
        return f"; there is no folder {folder!r}"
    wanted = os.path.basename(text).split(":")[0]
    if any(character in text for character in "*?["):
        return "; the pattern matches nothing"
    return did_you_mean(wanted, names, alike=0.8)
