"""The record that describes a file format: its suffixes, the bytes it begins with, and the function that opens it."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from losscli.io.bytes import Looked, Raw


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
    """Where the data of an operand comes from: its bytes and their name, and the path if they are in a file."""

    name: str
    raw: Raw
    path: Path | None = None
    part: str | None = None
    header: bool | None = None
    looked: Looked = lambda name, done, size: None

    @property
    def head(self) -> bytes:
        """The first bytes of the file, at most `HEAD`."""
        return self.raw.read(0, min(HEAD, self.raw.size))

    @property
    def plain_name(self) -> str:
        """The name in lower case, without the suffix of a compression: its own suffix says what is compressed."""
        name = self.name.lower()
        return next((name.removesuffix(suffix) for suffix in COMPRESSED if name.endswith(suffix)), name)


class Format(NamedTuple):
    """How files of a format are opened, and `magic`, the bytes that they begin with, if the format has such."""

    suffixes: tuple[str, ...]
    open: Callable[[Named], Content]
    magic: bytes | None = None
