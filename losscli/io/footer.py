"""The footer of a Parquet file: where the bytes of each column lie, so that those of the others need not be read.

It is a record in Thrift's compact protocol, of which only what is needed here is understood, and the rest skipped.
"""

from collections.abc import Callable
from typing import Any

from losscli.io.bytes import Raw
from losscli.records import NamedTuple

MAGIC = b"PAR1"
TAIL = 64 << 10
"""Bytes at the end of a file that are read first: most footers are in them."""
MOST_FOOTER = 1 << 30


class ColumnChunk(NamedTuple):
    """A column's bytes in one group of rows, and the name of the column, which is that of a whole column of lists."""

    column: str
    start: int
    stop: int


class RowGroup(NamedTuple):
    """Some rows of a file: how many they are, and where their columns lie."""

    rows: int
    chunks: tuple[ColumnChunk, ...]


class Footer(NamedTuple):
    """Where the footer of a file begins, and its groups of rows."""

    start: int
    groups: tuple[RowGroup, ...]


def footer_of(raw: Raw) -> Footer | None:
    """Return the footer of a Parquet file; None if it cannot be understood."""
    if raw.size < 12:
        return None
    length = int.from_bytes(raw.read(raw.size - 8, 4), "little")
    start = raw.size - 8 - length
    if raw.read(raw.size - 4, 4) != MAGIC or start < 4 or length > MOST_FOOTER:
        return None
    try:
        record = _Reader(raw.read(start, length)).struct()
        groups = tuple(_group(group) for group in record[4])
    except (KeyError, IndexError, TypeError, ValueError, RecursionError, AttributeError):
        return None
    chunks = [chunk for group in groups for chunk in group.chunks]
    if any(not 0 <= chunk.start <= chunk.stop <= start for chunk in chunks):
        return None
    return Footer(start, groups)


def _group(record: dict[int, Any]) -> RowGroup:
    chunks = []
    for column in record[1]:
        described = column[3]
        first, dictionary = described[9], described.get(11) or 0
        start = min(first, dictionary) if dictionary > 0 else first
        chunks.append(ColumnChunk(described[3][0].decode(), start, start + described[7]))
    return RowGroup(record[3], tuple(chunks))


class _Reader:
    """Reads Thrift's compact protocol: a struct becomes a dict of its fields by their numbers."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0
        self.kinds: dict[int, Callable[[], Any]] = {
            1: lambda: True,
            2: lambda: False,
            3: self.byte,
            4: self.signed,
            5: self.signed,
            6: self.signed,
            7: lambda: self.take(8),
            8: lambda: self.take(self.unsigned()),
            9: self.items,
            10: self.items,
            11: self.entries,
            12: self.struct,
            13: lambda: self.take(16),
        }

    def take(self, size: int) -> bytes:
        data = self.data[self.place : self.place + size]
        if len(data) < size:
            raise ValueError("it ends too early")
        self.place += size
        return data

    def byte(self) -> int:
        return self.take(1)[0]

    def unsigned(self) -> int:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number
            if shift > 63:
                raise ValueError("a number is too long")

    def signed(self) -> int:
        number = self.unsigned()
        return (number >> 1) ^ -(number & 1)

    def items(self) -> list[Any]:
        head = self.byte()
        size, kind = head >> 4, head & 15
        read = self.kinds[kind] if kind > 2 else self.byte  # in lists, booleans take a byte
        return [read() for _ in range(self.unsigned() if size == 15 else size)]

    def entries(self) -> list[tuple[Any, Any]]:
        size = self.unsigned()
        if not size:
            return []
        kinds = self.byte()
        key, value = (self.kinds[kind] if kind > 2 else self.byte for kind in (kinds >> 4, kinds & 15))
        return [(key(), value()) for _ in range(size)]

    def struct(self) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        while (head := self.byte()) & 15:
            number = number + (head >> 4) if head >> 4 else self.signed()
            fields[number] = self.kinds[head & 15]()
        return fields
