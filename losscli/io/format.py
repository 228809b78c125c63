"""The record that describes a file format: its suffixes, the bytes it begins with, and the function that opens it."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from losscli.definition.dialect import Dialect
from losscli.io.bytes import Looked, Raw, at_hand
from losscli.records import NamedTuple


def deferred(module: str, name: str) -> Callable[..., Any]:
    """Return a function or class of a module that is imported at the first call: most commands open few kinds of file."""
    return lambda *words: getattr(import_module(module), name)(*words)


COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
"""Suffixes that say how a file is compressed, behind the suffix that says its format."""
HEAD = 512
"""Bytes at the beginning of a file by which its format is told."""

Content = Any
"""A Source for arrays, or a Table, whose columns are chosen later."""


class Named(NamedTuple):
    """Where the data of an operand comes from: its bytes and their name, and the path if they are in a file.

    `part` is what the operand says behind the file's name and a colon: the key of an array, the name of a column.
    """

    name: str
    raw: Raw
    path: Path | None = None
    part: str | None = None
    header: bool | None = None
    looked: Looked = lambda name, done, size: None
    dialect: Dialect = Dialect()
    inner: str | None = None
    """The name of the file in an archive from which the bytes come."""
    dtype: str | None = None
    """The type of numbers whose file says none: 'bfloat16', or None."""
    open_inner: "Callable[[Named], Any]" = lambda where: None
    """Opens a file that is inside of this one."""

    @property
    def head(self) -> bytes:
        """The first bytes of the file, at most `HEAD`."""
        return self.raw.read(0, min(HEAD, self.raw.size))

    @property
    def at_hand(self) -> "Named":
        """The file with a copy of its bytes, if they are not on this machine."""
        return self._replace(raw=at_hand(self.raw, self.looked))

    @property
    def plain_name(self) -> str:
        """The name in lower case, without the suffix of a compression: its own suffix says what is compressed."""
        name = (self.inner or self.name).lower()
        while name.endswith(COMPRESSED):
            name = name.rpartition(".")[0]
        return name


class Format(NamedTuple):
    """How files of a format are opened, and `magic`, the bytes that they begin with, if the format has such.

    `told` says whether a file is of the format by more than its first bytes. `keyed` says that a file holds several arrays or files, of which `Named.part` picks one.
    """

    suffixes: tuple[str, ...]
    open: Callable[[Named], Content]
    magic: bytes | None = None
    keyed: bool = False
    told: Callable[[Named], bool] | None = None
    ranges: bool = False
    """Whether files that are not on this machine are read by ranges; others are copied first."""
