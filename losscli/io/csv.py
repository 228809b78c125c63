"""CSV and TSV files: cut at the ends of records into chunks, each of which Polars parses by itself.

One pass over the bytes finds the cuts and counts the records, so that rows have numbers, and messages can name lines,
before any cell is parsed. A chunk is then parsed when and where it is needed, and memory does not grow with the file.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.definition.dialect import BLANKS, Dialect
from losscli.errors import DataError
from losscli.io.bytes import Looked, Raw, behind_mark, blocks_of
from losscli.io.foreign import IN_UTF_8
from losscli.io.layout import CARRIAGE_RETURN, NEWLINE, Layout, layout_of, next_line, squeezed
from losscli.io.table import Table, is_decimal_comma, parses_as_number
from losscli.records import dataclass
from losscli.wording import count, shortened

if TYPE_CHECKING:
    import polars as pl

PIECE = 256 << 10
"""Bytes that are searched at once for the ends of records: as many as fit into the cache of a processor core."""
CHUNK_BYTES = 8 << 20
CHUNK_ROWS = 1 << 17
WIDE = 2000
"""From this number of columns on, chunks are twice as large, since each column has a fixed cost per chunk."""
FIRST = 4 << 20
SMALL = 64 << 10
NEAR = 1 << 10
"""Bytes before a place in which the end of a record is looked for first."""
QUOTE = ord('"')
LONGEST_RECORD = 16 << 20
"""Bytes of a record, such as a header or a row, beyond which a file is no table for sure."""
BEGINNING = 256 << 10
"""Bytes from which the first rows are shown as they are written."""
MOST_COLUMNS = 50_000
"""Columns beyond which a table is refused, since each has a fixed cost in memory."""
CURE_OF_LONG_ROWS = "Write one sample a line, or save the numbers with numpy.save as .npy"
"""The cure of rows that are too long."""


@dataclass(frozen=True)
class Index:
    """The positions at which a text file can be cut: for each cut the row, the byte, and the
    line (from 1) that begin there.
    """

    rows: list[int]
    bytes: list[int]
    lines: list[int]
    unclosed: bool = False
    """Whether a quote is still open at the end, as in a file that was cut off."""
    multiline: bool = False
    """Whether quotes have line ends within them."""

    @classmethod
    def of(
        cls,
        name: str,
        raw: Raw,
        start: int,
        stop: int,
        line: int,
        width: int,
        looked: Callable[[int, int], None],
        comment: str | None = None,
    ) -> "Index":
        """Find the cuts of a text file. A newline within quotes does not end a record: the number of quotes before it is odd.

        Parameters
        ----------
        start, stop
            position of the byte on which the first record begins, and of the one behind the last.
        line
            number of the line on which it begins, from 1.
        looked
            called now and then with the position reached and the position of the end.
        comment
            the sign with which lines begin that are no records, or None.

        Raises
        ------
        DataError
            if a record is longer than `LONGEST_RECORD`.
        """
        most = CHUNK_BYTES * (2 if width >= WIDE else 1)
        rows, cuts, lines = [0], [start], [line]
        row = quotes = 0
        position, ended, begun = start, start, line  # the byte and the line on which the last record begins
        multiline, at_end = False, True  # whether the last byte read so far ended a record
        for view in blocks_of(raw, start, stop, PIECE):
            data = np.frombuffer(view, np.uint8)
            if quotes or comment or (data == QUOTE).any():
                ends, quotes, newlines = _ends_of_records(data, quotes)
                records, last = len(ends), int(ends[-1]) if len(ends) else -1
                row += records - (_comments(data, ends, at_end, ord(comment)) if comment else 0)
            else:  # each line is a record, so that their number is enough
                records = newlines = int(np.count_nonzero(data == NEWLINE))
                last = _last_newline(data)
                row += records
            position += len(data)
            line += newlines
            multiline = multiline or newlines > records
            if records:
                ended = position - len(data) + last + 1
                begun = line - int(np.count_nonzero(data[last + 1 :] == NEWLINE))
            elif position - ended > LONGEST_RECORD:
                raise _too_long(name, begun)
            at_end = last == len(data) - 1
            full = position - cuts[-1] >= most or row - rows[-1] >= CHUNK_ROWS
            if full and records:
                looked(position, stop)
                rows.append(row)
                cuts.append(ended)
                lines.append(begun)
        row += not at_end and stop > start
        if cuts[-1] < stop:
            rows.append(row)
            cuts.append(stop)
            lines.append(line)
        return cls(rows, cuts, lines, bool(quotes), multiline)


def _ends_of_records(data: Array, quotes: int) -> tuple[Array, int, int]:
    """Return the positions of newlines that end records, 1 if a quote is open after the data else
    0, and the number of newlines.

    `quotes` is 1 if a quote is open before the data, else 0.
    """
    newlines = np.flatnonzero(data == NEWLINE)
    marks = data == QUOTE
    if not quotes and not marks.any():
        return newlines, 0, len(newlines)
    places = np.flatnonzero(marks)
    before = quotes + np.searchsorted(places, newlines)
    return newlines[before % 2 == 0], (quotes + len(places)) % 2, len(newlines)


def _last_newline(data: Array) -> int:
    """Return the position of the last newline, -1 if there is none."""
    for tail in (data[-NEAR:], data):
        places = np.flatnonzero(tail == NEWLINE)
        if len(places):
            return len(data) - len(tail) + int(places[-1])
    return -1


def _comments(data: Array, ends: Array, begins: bool, sign: int) -> int:
    """Return how many records begin with the sign of a comment.

    `ends` are the positions at which records end, and `begins` says whether one begins with the first byte.
    """
    starts = ends[ends < len(data) - 1] + 1
    return int(np.count_nonzero(data[starts] == sign)) + (begins and int(data[0]) == sign)


def _too_long(name: str, line: int) -> DataError:
    return DataError(
        f"{name}:{line}: a row of more than {LONGEST_RECORD >> 20} MB: without line ends, or transposed? {CURE_OF_LONG_ROWS}"
    )


def _well_quoted(data: Array, separator: int) -> bool:
    """Whether every quote begins or ends a cell, or is written twice within one."""
    places = np.flatnonzero(data == QUOTE)
    opening, closing = places[::2], places[1::2]
    around = np.concatenate([[NEWLINE], data, [NEWLINE]])  # so that the byte before place p is around[p]
    before, behind = around[opening], around[closing + 2]
    begins = (before == separator) | (before == NEWLINE)
    ends = (behind == separator) | (behind == NEWLINE) | (behind == CARRIAGE_RETURN)
    twice = opening[1:] == closing[: len(opening) - 1] + 1
    begins[1:] |= twice
    ends[: len(twice)] |= twice
    return len(opening) == len(closing) and bool(begins.all() and ends.all())


def _end_of_rows(raw: Raw, start: int, separator: str) -> tuple[int, bytes]:
    """Return the position at which the last record ends, and the first bytes behind it.

    Lines behind it have nothing in them, or only blanks and separators, as spreadsheets write empty rows.
    """
    empty = b"\r\n \t" + separator.encode()
    stop = raw.size
    while stop > start:
        size = min(stop - start, 4096)
        kept = raw.read(stop - size, size).rstrip(empty)
        if kept:
            end = stop - size + len(kept)
            break
        stop -= size
    else:
        return start, raw.read(start, min(raw.size - start, 4096))
    end = next_line(raw, end)
    return end, raw.read(end, min(raw.size - end, 4096))


def _columns(numbers: Iterable[int]) -> list[str]:
    """Return the names that Polars gives to columns without a header, for column numbers from 0."""
    return [f"column_{number + 1}" for number in numbers]


class TextTable(Table):
    """A CSV or TSV file. Every cell is text until the column gets a role that needs numbers."""

    def __init__(
        self,
        name: str,
        raw: Raw,
        separator: str,
        header: bool | None,
        looked: Looked = lambda name, done, size: None,
        layout: Layout | None = None,
    ) -> None:
        self.layout = layout = layout or Layout(separator, behind_mark(raw))
        self.name, self.raw, self.notes = name, raw, layout.notes
        self.separator, self.decimal = layout.separator, layout.decimal
        end, row = _first_record(name, raw, layout)
        self.width = len(row) + layout.row_names
        if self.width > MOST_COLUMNS:
            raise DataError(
                f"{name}:{layout.line}: {self.width:,} columns: transposed, or without line ends? {CURE_OF_LONG_ROWS}"
            )
        written = raw.read(layout.begin, end - layout.begin)
        self.first_row, self.first_quoted, self._after_first = tuple(cell.strip() for cell in row), b'"' in written, end
        headed = layout.names is None and (header if header is not None else not all(map(self._is_data, row)))
        self._name_columns(self.first_row if headed else layout.names)
        if headed:
            self._cut(end, layout.line + written.count(b"\n"), looked)
        else:
            self._cut(layout.begin, layout.line, looked)
        self.settled = header is not None or layout.names is not None
        self.doubt = None if self.settled else self._doubt(row)

    def _name_columns(self, names: tuple[str, ...] | None) -> None:
        """Give the columns their names, if they have any, and row names an empty one."""
        self.names = names
        if self.layout.row_names and names:
            self.names, self.row_names = ("", *names), 0
        self.unsaid_commas = self.separator == "," and names is None and not self.layout.said

    def _cut(self, start: int, line: int, looked: Looked) -> None:
        """Find where the rows can be cut, of which the first begins at a byte and on a line.

        Raises a DataError if a row is too long, or quotes or blank lines make it doubtful what the rows are.
        """
        stop, rest = _end_of_rows(self.raw, start, self.separator)
        self.index = Index.of(
            self.name,
            self.raw,
            start,
            stop,
            line,
            self.width,
            lambda done, size: looked(self.name, done, size),
            self.layout.comment,
        )
        self.cuts = self.index.rows
        self._look_at_end(rest)
        if self.index.multiline and self.separator in "\t|":
            self._look_at_quotes()
        if self.index.unclosed:
            raise DataError(self._unreadable(len(self.cuts) - 2, "a quote is open at its end: was it cut off?"))

    def headed(self) -> Table:
        table = TextTable(self.name, self.raw, self.separator, True, layout=self.layout)
        table.doubt, table.settled = None, True
        return table

    @property
    def quoted_below(self) -> bool:
        return b'"' in self.raw.read(self._after_first, min(BEGINNING, self.raw.size - self._after_first))

    def is_number(self, cell: str | None) -> bool:
        """Whether a cell is a number, with the decimal sign of this file."""
        if self.decimal == "," and cell and "," in cell:
            return is_decimal_comma(cell)
        return parses_as_number(cell) and not (self.decimal == "," and "." in (cell or ""))

    def _is_data(self, cell: str) -> bool:
        """Whether a cell of the first row is no name: a number, or a list of numbers."""
        return self.is_number(cell) or (
            cell.strip()[:1] == "[" and bool(re.fullmatch(r"\[[-+0-9.,eE\s]+\]", cell.strip()))
        )

    def pointed(self, cells: "pl.DataFrame") -> "pl.DataFrame":
        if self.decimal == ".":
            return cells
        import polars as pl

        # A cell with a point is no number where decimals have commas: it may be one of thousands.
        every = pl.all()
        return cells.with_columns(
            pl.when(every.str.contains(".", literal=True)).then(None).otherwise(every.str.replace(",", ".")).name.keep()
        )

    def _look_at_end(self, rest: bytes) -> None:
        """Take note of lines without cells at the end, whose first bytes are `rest`; refuse what may be a missing value."""
        if self.width == 1 and rest and self.height and self.separator != BLANKS:
            *_, (line, _) = self._records(len(self.cuts) - 2)
            raise DataError(
                f"{self.name}:{line + 1}: the line is blank: a missing value, or a line too many at the end? Fill it, or delete it"
            )
        if rest.strip(b"\r\n"):
            lines = len(rest.rstrip(b"\r\n").split(b"\n"))
            left_out = "more than " * (len(rest) == 4096) + count(lines, "line")
            self.notes = (*self.notes, f"{self.name}: {left_out} without a value at the end left out")

    def _look_at_quotes(self) -> None:
        """Raise a DataError where a quote opens in one row and closes in another one, so that rows would be lost.

        Where tabs or bars separate cells, quotes are often letters of the text. Lines that quotes hold together are rows if
        each has all cells by itself.
        """
        separators = self.width - 1
        for chunk in range(len(self.cuts) - 1):
            held: list[bytes] = []
            for number, line in enumerate(self._as_written(chunk).split(b"\n"), self.index.lines[chunk]):
                odd = line.count(b'"') % 2
                if not held and not odd:
                    continue
                held.append(line)
                if not odd or len(held) == 1:
                    continue
                if separators and all(text.count(self.separator.encode()) == separators for text in held):
                    raise DataError(
                        f"{self.name}:{number - len(held) + 1}: a quote opens in this line and closes in line {number}, although each has "
                        f"{count(self.width, 'cell')}: is it a letter of the text? Put the cell into quotes and write the quote twice"
                    )
                held = []

    def _bytes(self, chunk: int) -> bytes:
        """Return the records of a chunk, without comments, and with one blank where blanks separate cells."""
        data = self._as_written(chunk)
        if self.layout.comment:
            data = re.sub(rb"(?m)^" + re.escape(self.layout.comment.encode()) + rb".*\n?", b"", data)
        return squeezed(data) if self.separator == BLANKS else data

    def _as_written(self, chunk: int) -> bytes:
        start, stop = self.index.bytes[chunk : chunk + 2]
        return self.raw.read(start, stop - start)

    @cached_property
    def _texts(self) -> dict[str, Any]:
        import polars as pl

        return dict.fromkeys(_columns(range(self.width)), pl.String())

    def _parse(self, chunk: int, numbers: Sequence[int], numeric: bool) -> "pl.DataFrame":
        import polars as pl

        picked = _columns(numbers)
        last = f"column_{self.width}"  # read as well, since Polars fills the end of short rows with nulls
        schema = self._texts | dict.fromkeys(picked, pl.Float64()) if numeric else self._texts
        wanted = picked if last in picked else [*picked, last]
        data = self._bytes(chunk)
        cells, separator, quoted = np.frombuffer(data, np.uint8), ord(self.separator), b'"' in data
        if quoted and not _well_quoted(cells, separator):
            raise DataError(self._unreadable(chunk, "Polars would drop such a quote"))
        separators = (self.cuts[chunk + 1] - self.cuts[chunk]) * (self.width - 1)
        if len(wanted) < self.width and (quoted or np.count_nonzero(cells == separator) != separators):
            # Polars reports rows with too many cells only if all columns are read.
            wanted = _columns(range(self.width))
        return pl.read_csv(
            data if data.endswith(b"\n") else data + b"\n",  # otherwise Polars drops an empty surplus cell at the end
            separator=self.separator,
            has_header=False,
            schema=schema,
            columns=None if len(wanted) == self.width else wanted,
            raise_if_empty=False,
            decimal_comma=self.decimal == ",",
        )

    def frame(self, chunk: int, numbers: Sequence[int]) -> "pl.DataFrame":
        import polars as pl

        try:
            cells = self._parse(chunk, numbers, numeric=False)
        except pl.exceptions.PolarsError as error:
            message = self._unreadable(chunk, str(error))
            if "utf-8" not in str(error).lower():
                self._check_short(chunk)  # the first row decides how many columns Polars sees
            raise DataError(message) from error
        if self.width > 1 and cells[f"column_{self.width}"].null_count():
            self._check_short(chunk)
        if cells.height != self.cuts[chunk + 1] - self.cuts[chunk]:
            raise DataError(self._unreadable(chunk, "its records cannot be told apart"))
        return cells.select(_columns(numbers))

    def quick(self, chunk: int, numbers: Sequence[int]) -> Array | None:
        import polars as pl

        if self.decimal == "," and b"." in self._bytes(chunk):
            return None  # Polars takes points all the same
        try:
            cells = self._parse(chunk, numbers, numeric=True)
        except pl.exceptions.PolarsError:
            return None
        expected = self.cuts[chunk + 1] - self.cuts[chunk]
        if cells.height != expected or sum(cells.null_count().row(0)):
            return None
        picked = _columns(numbers)
        array = (cells if cells.columns == picked else cells.select(picked)).to_numpy(order="c")
        # An infinity may stand for a number too large for a float64; only the text can tell.
        return array if np.isfinite(array).all() else None

    def place(self, row: int, column: int | None = None) -> str:
        at = "" if column is None else f", {self.label(column)}"
        chunk = min(int(np.searchsorted(self.cuts, row, side="right")) - 1, len(self.cuts) - 2)
        for number, (line, _) in enumerate(self._records(chunk)):
            if number == row - self.cuts[chunk]:
                return f"{self.name}:{line}{at}"
        return f"{self.name}[{row}]{at}"

    def first_cells(self, rows: int) -> list[list[str]]:
        start, stop = self.index.bytes[0], self.index.bytes[-1]
        data = self.raw.read(start, min(BEGINNING, stop - start))
        whole = len(data) == stop - start
        lines = data if whole else data[: data.rfind(b"\n") + 1]
        return [record for _, record in islice(self._parsed(lines, 0), rows)]

    def _records(self, chunk: int) -> Iterator[tuple[int, list[str]]]:
        """Yield each record of a chunk with the line on which it starts. This is slow, and for messages only."""
        return self._parsed(self._as_written(chunk), self.index.lines[chunk])

    def _parsed(self, data: bytes, first: int) -> Iterator[tuple[int, list[str]]]:
        """Yield each record of bytes with the line on which it starts, of which the first one is `first`."""
        data = squeezed(data) if self.separator == BLANKS else data
        csv.field_size_limit(max(csv.field_size_limit(), len(data)))
        # A lone carriage return does not end a record for Polars, nor a line for an editor.
        text = re.sub("\r(?!\n)", " ", data.decode("utf-8", "replace"))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.separator)
        line = first
        for record in reader:
            if not (self.layout.comment and record and record[0].startswith(self.layout.comment)):
                yield line, record
            line = first + reader.line_num

    def _check_short(self, chunk: int) -> None:
        """Raise a DataError that names the line of the first record with too few cells, if there is one."""
        for line, record in self._records(chunk):
            if len(record) < self.width:
                fact = "the line is blank" if not record else f"{count(len(record), 'cell')} instead of {self.width}"
                raise DataError(f"{self.name}:{line}: {fact}; the row is damaged, or a comma is missing")

    def _unreadable(self, chunk: int, why: str) -> str:
        """Return the message about a chunk that cannot be parsed, with the most likely reason and its cure."""
        if "utf-8" in why.lower():
            return not_utf_8(self.name)
        first = "".join(self.names or ()) or "".join(next((record for _, record in self._records(0)), []))
        for line, record in self._records(chunk):
            if len(record) > self.width and ";" in first:
                return f"{self.name}:{line}: separated by semicolons, with decimal commas? Save it with commas and decimal points"
            if line == 2 and len(record) == self.width + 1:
                return f"{self.name}:1: one name too few, as R writes row names; name the first column as well, for example id"
            if len(record) > self.width:
                return f"{self.name}:{line}: {len(record)} cells instead of {self.width}; quote cells that hold a comma"
        lines = enumerate(self._bytes(chunk).split(b"\n"), self.index.lines[chunk])
        odd = next((f":{line}" for line, text in lines if text.count(b'"') % 2), "")
        return (
            f"{self.name}{odd}: not a table that can be read, perhaps for a quote that is never closed, or stands inside a "
            f"cell without being written twice ({why.splitlines()[0]})"
        )

    @property
    def _top(self) -> str:
        """The place of the first row, for messages."""
        return f"{self.name}:{self.layout.line}"

    def _doubt(self, row: list[str]) -> str | None:
        """Return a message if it is doubtful whether the first row is a header or how cells are
        separated, else None.
        """
        cells = [cell.strip() for cell in row]
        if self.names is None and cells == ["0"] and self._has_fractions():
            return f"{self._top}: the first row is 0 and others are no whole numbers: a header that a tool wrote, or data? Say --header or --no-header"
        words = cells[0].split() if len(cells) == 1 else []
        for mark, name in (("\t", "tab"), (";", "';'"), (" ", "blanks")):
            if len(cells) == 1 and mark in cells[0] and (mark != " " or all(map(parses_as_number, words))):
                return f"{self._top}: one column, {shortened(cells[0])!r}: cells of which other lines have more or fewer? Say --sep {name}, or --header for a name"
        return self._doubt_of_data(cells) if self.names is None else self._doubt_of_names(cells)

    def _doubt_of_data(self, cells: list[str]) -> str | None:
        """Return a message if a first row that was taken for data counts columns, 0, 1, 2 ..., as a header may; else None."""
        if len(cells) < 2 or cells != [str(i) for i in range(len(cells))]:
            return None
        return f"{self._top}: the first row is {','.join(cells[:3])}{',...' if len(cells) > 3 else ''}: a header that a tool wrote, or data? Say --header or --no-header"

    def _doubt_of_names(self, cells: list[str]) -> str | None:
        """Return a message if a first row that was taken for a header has numbers too, which names rarely are; else None."""
        odd = next((cell for cell in cells if parses_as_number(cell) and not cell.lstrip("+-").isdecimal()), None)
        if odd is None:
            return None
        return (
            f"{self._top}: the first row has words and numbers ({odd}): a header or data? Say --header or --no-header"
        )

    def _has_fractions(self) -> bool:
        """Whether some cell of the first column is not a whole number."""
        return any(
            bool(self.frame(chunk, [0]).to_series(0).str.contains(r"[^0-9\s+-]").any())
            for chunk in range(len(self.cuts) - 1)
        )


def not_utf_8(name: str) -> str:
    """Return the message about text in another encoding, with the way to save it if Windows wrote it in the West."""
    return f"{name}: not UTF-8 text; save it as UTF-8; from Windows in the West, {IN_UTF_8.format('cp1252').replace('FILE', name)}"


class SmallTable(TextTable):
    """A small text file without quotes, which Python parses faster than Polars can be imported."""

    def __init__(
        self,
        name: str,
        raw: Raw,
        separator: str,
        header: bool | None,
        looked: Looked = lambda name, done, size: None,
        layout: Layout | None = None,
    ) -> None:
        super().__init__(name, raw, separator, header, looked, layout)
        self.rows: list[list[str | None]] | None = None
        data = self._bytes(0) if self.height and len(self.cuts) == 2 else b'"'
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return
        lines = text.removesuffix("\n").split("\n")
        rows = [line.removesuffix("\r").split(self.separator) for line in lines]
        # Everything less simple is left to Polars, and to the messages about its errors.
        if '"' not in text and all(len(row) == self.width for row in rows) and text.count("\r") in (0, len(rows)):
            self.rows = [[cell or None for cell in row] for row in rows]

    def quick(self, chunk: int, numbers: Sequence[int]) -> Array | None:
        if self.rows is None:
            return super().quick(chunk, numbers)
        if not all(self.is_number(row[number]) for row in self.rows for number in numbers):
            return None
        if self.decimal == ",":
            pointed = [[(row[number] or "").replace(",", ".") for number in numbers] for row in self.rows]
            array = np.array([[float(cell) for cell in row] for row in pointed])
        else:
            array = np.array([[float(row[number] or "") for number in numbers] for row in self.rows])
        return array if np.isfinite(array).all() else None

    @property
    def cells_are_lists(self) -> bool:  # type: ignore[override]
        return self.rows is not None

    def cells(self, chunk: int, number: int) -> "pl.Series | list[str | None]":
        return super().cells(chunk, number) if self.rows is None else [row[number] for row in self.rows]


def _first_record(name: str, raw: Raw, layout: Layout) -> tuple[int, list[str]]:
    """Return the position at which the first record ends, and its cells."""
    begin, separator, place = layout.begin, layout.separator, f"{name}:{layout.line}"
    size = FIRST
    while True:
        data = raw.read(begin, min(size, raw.size - begin))
        ends, _, _ = _ends_of_records(np.frombuffer(data, np.uint8), 0)
        if len(ends) or begin + size >= raw.size:
            break
        if size > LONGEST_RECORD:
            raise _too_long(name, layout.line)
        size *= 4
    if not data.strip(b"\r\n"):
        raise DataError(f"{name}: the file is empty")
    end = int(ends[0]) + 1 if len(ends) else len(data)
    try:
        text = data[:end].decode()
    except UnicodeDecodeError as error:
        raise DataError(not_utf_8(name)) from error
    if separator == BLANKS:
        text = squeezed(text.encode()).decode()
    if text.count(separator) >= MOST_COLUMNS:
        return begin + end, [""] * (text.count(separator) + 1)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    if re.search(r"\r(?!\n)", text.rstrip("\r\n")):
        raise DataError(f"{name}: its lines end in a bare carriage return (old Mac); save it with LF or CRLF")
    misquoted = f"{place}: a quote stands inside a cell; put the cell into quotes and write the quote twice"
    try:
        records = list(csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise DataError(misquoted) from error
    row = records[0] if records else []
    if len(records) > 1:
        raise DataError(misquoted)
    if not row:
        raise DataError(f"{place}: the line is blank; begin with the header or the first row")
    return begin + end, row


def open_text(
    name: str, raw: Raw, separator: str, header: bool | None, looked: Looked, dialect: Dialect = Dialect()
) -> Table:
    """Open a text file with one row per line.

    Parameters
    ----------
    separator
        the letter between cells that the file's name speaks of; the first lines may speak for another one.
    header
        whether the first row is a header, or None to decide by its cells.
    looked
        is told how much of the file was searched for the ends of records.
    dialect
        what options say of how the file is written.

    Raises
    ------
    DataError
        if the file is empty, not UTF-8, or not a table.
    """
    layout = layout_of(name, raw, separator, dialect)
    table = (SmallTable if raw.size <= SMALL else TextTable)(name, raw, layout.separator, header, looked, layout)
    if b"[" not in raw.read(layout.begin, min(PIECE, raw.size - layout.begin)):
        return table
    from losscli.io.lists import with_lists

    return with_lists(table)
