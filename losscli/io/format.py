"""What a file format is: a suffix, perhaps magic bytes, and a function that opens it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from losscli.io.bytes import Looked, Raw

Content = Any
"""A Source, for arrays; or a Table, whose columns are chosen later."""


class Named(NamedTuple):
    """Where an operand's data comes from: its bytes, and the path of what is a file."""

    name: str
    raw: Raw
    path: Path | None = None
    part: str | None = None
    header: bool | None = None
    looked: Looked = lambda name, done, size: None

    @property
    def magic(self) -> bytes:
        return self.raw.read(0, min(6, self.raw.size))


class Format(NamedTuple):
    """How a kind of file is opened, and what its bytes start with if that tells."""

    suffixes: tuple[str, ...]
    open: Callable[[Named], Content]
    magic: bytes | None = None
