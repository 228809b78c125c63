"""JSON lines: an object per line, whose keys are the columns, or a number or list per line.

They are parsed once, by Polars, to a copy in Arrow's format. What Polars does not take, such as NaN and Infinity, which
Python writes, Python parses; that is slow, and then the rows must fit in memory.
"""

import io
import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from losscli.errors import DataError
from losscli.io.bytes import IN_MEMORY, PIECE, Nameless, Raw, Reader, Spool, behind_mark, no_room, pieces_of
from losscli.io.csv import LONGEST_RECORD
from losscli.io.format import Named
from losscli.io.guarded import readable
from losscli.io.typed import TypedTable
from losscli.wording import NESTED

if TYPE_CHECKING:
    import polars as pl

WHAT = "a file of JSON lines"
VALUES = "values"
"""What the column is called where lines are no objects."""
MOST_DIGITS = 38
"""Digits of a whole number that Polars can hold, whatever they are."""
LOOKED_AT, LOOKED_BYTES = 100, 16 << 20
"""How many first lines, and bytes of them, are looked at for a key that is there twice. What writes such lines does so from the first
on, and of two values Polars would take the first and Python the last.
"""
WHOLE = "save it with one value per line, as df.to_json(file, orient='records', lines=True) does"


class JsonTable(TypedTable):
    """A file with one JSON value per line; blank lines are skipped."""

    def __init__(self, where: Named) -> None:
        self.lines, self.parsed = where.raw, Nameless() if where.raw.size > IN_MEMORY else None
        super().__init__(where.name, self._scan(where), WHAT)

    def _scan(self, where: Named) -> "pl.LazyFrame":
        import polars as pl

        lines = _objects(where.name, where.raw)
        where.raw.check()
        _check_keys(where.name, where.raw)
        source = lines.location or io.BytesIO(lines.read(0, lines.size))
        try:
            with readable(where.name, WHAT):
                scan = pl.scan_ndjson(source, infer_schema_length=None)
                if self.parsed is None:
                    return scan.collect().lazy()
                scan.sink_ipc(self.parsed.path, compression="uncompressed")
                return pl.scan_ipc(self.parsed.path, glob=False)
        except DataError as error:
            if "No space left" in str(error):
                raise no_room(where.name, "No space left on device") from error
            return _slowly(where.name, lines, where.raw).lazy()

    def _nested(self, number: int, dtype: "pl.DataType") -> str:
        import polars as pl

        if self.height == 1 and isinstance(dtype, pl.Struct) and all(field.name.isdecimal() for field in dtype.fields):
            new = f"{self.name}.jsonl"
            return (
                f"{self.name}: a whole table as one JSON object, as df.to_json writes it; save it with "
                f"pandas.read_json({self.name!r}).to_json({new!r}, orient='records', lines=True)"
            )
        return super()._nested(number, dtype)

    def place(self, row: int, column: int | None = None) -> str:
        lines = (line for line, _ in _numbered(self.lines))
        line = next((line for number, line in enumerate(lines) if number == row), row + 1)
        return f"{self.name}:{line}" + ("" if column is None else f", {self.label(column)}")


def _numbered(raw: Raw) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers as an editor counts them."""
    number, rest = 1, b""
    for piece in pieces_of(Reader(raw)):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield number, line
            number += 1
    if rest.strip():
        yield number, rest


def _check_keys(name: str, raw: Raw) -> None:
    """Raise a DataError for one of the first lines if it has a key twice; lines that are no JSON are left to the parser."""
    held = 0
    for number, line in islice(_numbered(raw), LOOKED_AT):
        held += len(line)
        if held > LOOKED_BYTES and number > 1:
            return
        with suppress(ValueError, RecursionError):
            json.loads(line, object_pairs_hook=_Once(f"{name}:{number}"))


class _Once:
    """Makes a dict of the pairs of a JSON object at some place in a file, each of whose keys is there once."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return the dict; raise a DataError for a key that is there twice."""
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise DataError(f"{self.place}: the key {key!r} is there twice; write one value for each key")
            found[key] = value
        return found


def _objects(name: str, raw: Raw) -> Spool:
    """Return a copy of the lines in which each is an object: other values become those of the key `VALUES`."""
    reader = Reader(raw, behind_mark(raw))
    begin = reader.read(PIECE).lstrip()
    if not begin:
        raise DataError(f"{name}: the file is empty; did what should write it fail?")
    pieces = _of_short_lines(name, _after(begin, reader))
    return Spool.copy(name, pieces if begin.startswith(b"{") else _wrapped(pieces))


def _after(begin: bytes, reader: Reader) -> Iterator[bytes]:
    yield begin
    yield from pieces_of(reader)


def _of_short_lines(name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces; raise a DataError for a line that is longer than a row may be, since lines are held in memory."""
    number, length = 1, 0
    for piece in pieces:
        last = piece.rfind(b"\n")
        length = length + len(piece) if last < 0 else len(piece) - last - 1
        number += piece.count(b"\n")
        if length > LONGEST_RECORD:
            raise DataError(
                f"{name}:{number}: a line of more than {LONGEST_RECORD >> 20} MB: a whole table in one? {WHOLE.capitalize()}"
            )
        yield piece


def _wrapped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield b"".join(b'{"%b":%b}\n' % (VALUES.encode(), line) for line in lines if line.strip())
    if rest.strip():
        yield b'{"%b":%b}\n' % (VALUES.encode(), rest)


def _slowly(name: str, lines: Spool, original: Raw) -> "pl.DataFrame":
    """Return the rows as Python parses them.

    Raises a DataError that names the first line that is no JSON, or no object, or the column whose values do not go together.
    """
    import polars as pl

    rows = []
    for (_, line), (number, text) in zip(_numbered(lines), _numbered(original), strict=True):
        place = f"{name}:{number}"
        try:
            row = json.loads(line, parse_float=_float, parse_int=_int, object_pairs_hook=_Once(place))
        except OverflowError as error:
            raise DataError(f"{place}: {error}") from error
        except RecursionError as error:
            raise DataError(f"{place}: {NESTED} ({_shown(text)}); write numbers, text, or lists of numbers") from error
        except ValueError as error:
            raise DataError(f"{place}: not JSON ({_shown(text)}); {_cure(number, text)}") from error
        if not isinstance(row, dict):
            raise DataError(f"{place}: {_shown(text)} where other lines are objects; write all of one kind")
        rows.append(row)
    try:
        with readable(name, WHAT):
            return pl.DataFrame(rows, infer_schema_length=None)
    except (DataError, TypeError, ValueError, OverflowError) as error:
        kinds = _kinds(rows)
        raise DataError(
            f"{name}: {kinds or str(error).splitlines()[0]}; write values of one kind for each key"
        ) from error


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise OverflowError(f"{text} is too large for a float64; write Infinity if it is meant to be infinite")
    return value


def _int(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise OverflowError(
            f"a whole number of {len(text.lstrip('-'))} digits, where {MOST_DIGITS} are the most; write an id in quotes, and a number as 1e50"
        )
    return int(text)


def _shown(text: bytes) -> str:
    start = text.strip()[:40].decode("utf-8", "replace")
    return repr(start + ("..." if len(text.strip()) > 40 else ""))


def _cure(number: int, text: bytes) -> str:
    if number == 1 and re.fullmatch(rb"\s*[\[{].*", text, re.DOTALL):
        return f"if the file is one JSON value over several lines, {WHOLE}"
    return "was it cut off? Write it again"


def _kinds(rows: list[dict[str, Any]]) -> str:
    """Return which key has values of several kinds, for a message; nothing if there is none."""
    for key in {key for row in rows for key in row}:
        kinds = sorted({type(row[key]).__name__ for row in rows if row.get(key) is not None})
        if len(kinds) > 1 and kinds != ["float", "int"]:
            return f'column "{key}": values of several kinds ({", ".join(kinds)})'
    return ""
