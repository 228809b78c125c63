"""The record that describes a file format: its suffixes, the bytes it begins with, and the function that opens it."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from losscli.definition.dialect import Dialect
from losscli.io.bytes import Looked, Raw


def deferred(module: str, name: str) -> Callable[..., Any]:
    """Return a function or class of a module that is imported at the first call: most commands open few kinds of file."""
    return lambda *words: getattr(import_module(module), name)(*words)


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
    dialect: Dialect = Dialect()

    @property
    def magic(self) -> bytes:
        """The first bytes of the file, at most six."""
        return self.raw.read(0, min(6, self.raw.size))


class Format(NamedTuple):
    """How files of a format are opened, and `magic`, the bytes that they begin with, if the format has such."""

    suffixes: tuple[str, ...]
    open: Callable[[Named], Content]
    magic: bytes | None = None
