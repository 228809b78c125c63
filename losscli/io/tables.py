"""Tables: CSV, TSV and Parquet through Polars, which is imported only when such a file is opened.

Every cell of a text file is read as text; what a column means is the loss's affair. Ids and labels so stay as they
stand in the file: 007 is not 7, and NA is a word.
"""

import csv
import gzip
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.core import Array
from losscli.errors import DataError, count, did_you_mean, listing
from losscli.io.sources import MemorySource
from losscli.io.text import TextColumn

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Table:
    """A table file: its columns' names, if it has a header, and its cells.

    `settled` is whether the user said what the first row is; `doubt` is what is doubtful about it otherwise.
    """

    name: str
    frame: "pl.DataFrame"
    names: tuple[str, ...] | None
    doubt: str | None = None
    settled: bool = False
    path: Path | None = None
    data: bytes | None = None
    separator: str = ","
    parts: list[tuple[int, "Table"]] = field(default_factory=list)

    @property
    def height(self) -> int:
        return self.frame.height

    @property
    def width(self) -> int:
        return self.frame.width

    def label(self, number: int) -> str:
        """How messages call a column."""
        return f'column "{self.names[number]}"' if self.names else f"column {number + 1}"

    def headed(self) -> "Table":
        """The same table with its first row taken for its header."""
        names = tuple((cell or "").strip() for cell in self.frame.row(0))
        return replace(self, frame=self.frame.slice(1), names=names, doubt=None, settled=True)

    def find(self, column: str) -> int:
        """The number of a column, by its name or, without a header, by its 1-based number."""
        if self.names is None:
            if column.isdecimal() and 1 <= int(column) <= self.width:
                return int(column) - 1
            raise DataError(
                f"{self.name}: no column {column!r}: the file has no header and {count(self.width, 'column')}; "
                "say a number from 1 on, or --header if its first row is one"
            )
        places = [i for i, name in enumerate(self.names) if name == column]
        if not places:
            raise DataError(
                f"{self.name}: no column {column!r}; its columns: {listing(map(repr, self.names))}{did_you_mean(column, self.names)}"
            )
        if len(places) > 1:
            numbers = listing(place + 1 for place in places)
            raise DataError(f"{self.name}: {len(places)} columns are called {column!r} ({numbers}); rename all but one")
        return places[0]

    def pick(self, patterns: str) -> list[int]:
        """The columns that match a comma-separated list of names, shell patterns or 1-based numbers, in that order."""
        picked: list[int] = []
        for pattern in patterns.split(","):
            if self.names is None or pattern in self.names:
                found = [self.find(pattern)]
            else:
                found = [i for i, name in enumerate(self.names) if fnmatchcase(name, pattern)]
            if not found:
                raise DataError(
                    f"{self.name}: --columns: no column matches {pattern!r}; its columns: {listing(map(repr, self.names or ()))}"
                )
            picked += [number for number in found if number not in picked]
        return picked

    def name_column(self) -> int | None:
        """The column of a table of classes that holds their names: called class or label, or the first of words."""
        for i, name in enumerate(self.names or ()):
            if name.lower() in ("class", "label", "name"):
                return i
        for i in range(self.width):
            cells = self.text(i).cells
            if cells and not any(is_finite_number(cell or "") for cell in cells):
                return i
        return None

    def numbers(self, numbers: Sequence[int], cure: str = "") -> Array:
        """The cells of columns as float64 (float32 if all are stored so), shape (n, len(numbers)); `cure` ends the message about one that is none.

        Raises
        ------
        DataError
            at the first cell that is not a number.
        """
        import polars as pl

        columns = self.frame.columns  # made anew at each call, and there may be thousands
        cells = self.frame.select([columns[number] for number in numbers])
        odd = next((i for i, dtype in enumerate(cells.dtypes) if dtype.is_nested() or dtype.is_temporal()), None)
        if odd is not None:
            what = f"{self.name}, {self.label(numbers[odd])}: its cells are {cells.dtypes[odd]}"
            raise DataError(f"{what}, where one number each is needed; save a column for each number")
        text = [name for name, dtype in zip(cells.columns, cells.dtypes, strict=True) if dtype == pl.String]
        parsed = cells.with_columns(pl.col(text).str.strip_chars()).cast(pl.Float64, strict=False)
        for j, nulls in enumerate(parsed.null_count().row(0)):
            if nulls:
                self._refuse(numbers[j], parsed.to_series(j).is_null(), cure)
        array = parsed.to_numpy()
        for j in np.flatnonzero(np.isinf(array).any(axis=0)).tolist() if text else []:
            huge = np.isinf(array[:, j]) & ~cells.to_series(j).cast(pl.String).str.contains("(?i)inf").to_numpy()
            if huge.any():
                self._refuse(numbers[j], pl.Series(huge), cure)
        narrow = all(dtype == pl.Float32 for dtype in cells.dtypes)
        return np.ascontiguousarray(array, np.float32 if narrow else np.float64)

    def _refuse(self, number: int, bad: "pl.Series", cure: str) -> None:
        row, count_of = int(bad.arg_true()[0]), int(bad.sum())
        others = f" (and {count(count_of - 1, 'more cell')} of this column)" if count_of > 1 else ""
        cell = self.frame.to_series(number)[row]
        raise DataError(f"{self.place(row, number)}: {_not_a_number(cell, self, cure)}{others}")

    def is_text(self, number: int) -> bool:
        """Whether a column is words, rather than the numbers or truth values of a typed file."""
        import polars as pl

        dtype = self.frame.to_series(number).dtype
        return not (dtype.is_numeric() or dtype == pl.Boolean or dtype.is_nested())

    def text(self, number: int) -> TextColumn:
        """A column as text."""
        import polars as pl

        column = self.frame.to_series(number).cast(pl.String)
        cells = column.unique(maintain_order=True)
        order = pl.DataFrame({"cell": cells, "code": np.arange(len(cells), dtype=np.int32)})
        codes = column.to_frame("cell").join(order, on="cell", how="left", nulls_equal=True, maintain_order="left")
        return TextColumn(self.name, cells.to_list(), codes["code"].to_numpy(), self, number)

    def source(self, numbers: Sequence[int], cure: str = "", one_axis: bool = True) -> MemorySource:
        """Columns as rows of numbers: (n, k) for several, and for one column (n,) or, without `one_axis`, (n, 1)."""
        array = self.numbers(numbers, cure)
        names = tuple(self.names[i] for i in numbers) if self.names else None
        return MemorySource(
            self.name, array[:, 0] if len(numbers) == 1 and one_axis else array, names, self, tuple(numbers)
        )

    def place(self, row: int, column: int | None = None) -> str:
        """File, line as an editor counts it, and column."""
        for start, part in reversed(self.parts):
            if row >= start:
                return part.place(row - start, column)
        at = "" if column is None else f", {self.label(column)}"
        line = self._line(row)
        return f"{self.name}:{line}{at}" if line else f"{self.name}[{row}]{at}"

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line on which it starts; for messages only."""
        if self.path is None and self.data is None:
            return
        raw = self.data if self.data is not None else self.path.read_bytes()  # type: ignore[union-attr]
        if raw.startswith(b"\x1f\x8b"):
            raw = gzip.decompress(raw)
        elif raw.startswith(b"\x28\xb5\x2f\xfd"):
            return  # Zstandard: no lines to count without a library of its own
        csv.field_size_limit(max(csv.field_size_limit(), len(raw)))
        reader = csv.reader(io.StringIO(raw.decode("utf-8-sig", "replace"), newline=""), delimiter=self.separator)
        line = 1
        for record in reader:
            yield line, record
            line = reader.line_num + 1

    def _line(self, row: int) -> int:
        first = 1 if self.names else 0
        for number, (line, _) in enumerate(self.records()):
            if number == row + first:
                return line
        return 0


def _not_a_number(cell: Any, table: Table, otherwise: str) -> str:
    if cell is None or not str(cell).strip():
        return "the cell is empty, where a number is needed"
    text = str(cell)
    if parses_as_number(text):
        return f"{text!r} is too large for a float64"
    cure = otherwise
    if ";" in text:
        cure = "; the file looks separated by semicolons: save it with commas, or as .tsv with tabs"
    elif "\t" in text:
        cure = "; the file looks separated by tabs: name it .tsv"
    elif re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        cure = "; write thousands without commas"
    elif text.count(",") == 1 and text.replace(",", "").lstrip("-+").isdigit():
        cure = "; write decimals with a point"
    elif table.names is None:
        cure = "; if the first row is a header, say --header"
    return f"{text!r} is not a number{cure}"


def parses_as_number(cell: str | None) -> bool:
    """Whether a cell is a number, as Polars reads numbers; NaN is one, if a bad one."""
    text = cell or ""
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text  # Python reads more than that


def open_text(name: str, path: Path | None, data: bytes | None, separator: str, header: bool | None) -> Table:
    """Read a CSV or TSV file, or its bytes. `header` is what the user says, None for the rule of the first row."""
    import polars as pl

    probe = Table(name, pl.DataFrame(), (), path=path, data=data, separator=separator)
    try:
        frame = pl.read_csv(
            io.BytesIO(data) if data is not None else path,  # type: ignore[arg-type]
            separator=separator,
            has_header=False,
            infer_schema=False,
            raise_if_empty=False,
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(_unreadable(probe, str(error))) from error
    if frame.height == 0 or frame.width == 0:
        raise DataError(f"{name}: the file is empty")
    row = frame.row(0)
    if any("\r" in (cell or "") for cell in row):
        raise DataError(f"{name}: its lines end in a bare carriage return (old Mac); save it with LF or CRLF")
    headed = header if header is not None else not all(parses_as_number(cell) for cell in row)
    if headed:
        frame = frame.slice(1)
    height = frame.height
    if height and all(cell is None for cell in frame.row(height - 1)):
        height -= _blank_lines_at_the_end(probe)
    names = tuple((cell or "").strip() for cell in row) if headed else None
    table = Table(name, frame.head(height), names, path=path, data=data, separator=separator)
    _check_short(table)
    table.settled = header is not None
    table.doubt = None if table.settled else _doubt(table, row)
    return table


def _blank_lines_at_the_end(table: Table) -> int:
    # How editors end files; a blank line anywhere else is a row with nothing in it, and so is ",".
    blank = 0
    for _, record in table.records():
        blank = 0 if record else blank + 1
    return blank


def _check_short(table: Table) -> None:
    # Polars fills a short row with nulls; a short row is a damaged one. Only rows whose last cell is null can be
    # short, so only then is the file looked through again.
    if table.width < 2 or not table.height:
        return
    last = table.frame.to_series(table.width - 1).is_null()
    if not last.any():
        return
    suspects = set(last.arg_true().to_list())
    first = 1 if table.names else 0
    for number, (line, record) in enumerate(table.records()):
        if number - first in suspects and len(record) < table.width:
            fact = "the line is blank" if not record else f"{count(len(record), 'cell')} instead of {table.width}"
            raise DataError(f"{table.name}:{line}: {fact}; the row is damaged, or a comma is missing")


def _unreadable(table: Table, why: str) -> str:
    if "utf-8" in why.lower():
        return f"{table.name}: not UTF-8 text; save it as UTF-8"
    width, first = 0, ""
    for line, record in table.records():
        if not width:
            width, first = len(record), "".join(record)
        if len(record) > width and ";" in first:
            return f"{table.name}:{line}: separated by semicolons, with decimal commas? Save it with commas and decimal points"
        if line == 2 and len(record) == width + 1:
            return f"{table.name}:1: one name too few, as R writes row names; name the first column as well, for example id"
        if len(record) > width:
            return f"{table.name}:{line}: {len(record)} cells instead of {width}; quote cells that hold a comma"
    return (
        f"{table.name}: not a table that can be read, perhaps for a quote that is never closed ({why.splitlines()[0]})"
    )


def _doubt(table: Table, row: tuple[str | None, ...]) -> str | None:
    cells = [(cell or "").strip() for cell in row]
    if cells[0].startswith("sep="):
        return f"{table.name}:1: the line {','.join(cells)!r} is for spreadsheets only; delete it"
    if table.names is None and cells == ["0"] and table.frame.to_series(0).str.contains(r"[^0-9\s+-]").any():
        return f"{table.name}:1: the first row is 0 and others are no whole numbers: a header that a tool wrote, or data? Say --header or --no-header"
    other = next((name for mark, name in ((";", "semicolons"), ("\t", "tabs")) if mark in cells[0]), None)
    if len(cells) == 1 and other:
        return (
            f"{table.name}:1: one column, {cells[0]!r}: separated by {other}? Save it with commas, or as .tsv with tabs"
        )
    if table.names is None:
        if len(row) > 1 and cells == [str(i) for i in range(len(row))]:
            return f"{table.name}:1: the first row is {','.join(cells[:3])}{',...' if len(cells) > 3 else ''}: a header that a tool wrote, or data? Say --header or --no-header"
        return None
    odd = next((cell for cell in cells if parses_as_number(cell) and not cell.lstrip("+-").isdecimal()), None)
    if odd is not None:
        return f"{table.name}:1: the first row has words and numbers ({odd}): a header or data? Say --header or --no-header"
    return None


def open_parquet(name: str, path: Path | None, data: bytes | None) -> Table:
    """Read a Parquet file."""
    import polars as pl

    try:
        frame = pl.read_parquet(io.BytesIO(data) if data is not None else path)  # type: ignore[arg-type]
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{name}: not a Parquet file that can be read ({str(error).splitlines()[0]})") from error
    return Table(name, frame, tuple(frame.columns), settled=True)


def concat(name: str, tables: Sequence[Table]) -> Table:
    """Several tables as one; they must have the same columns."""
    import polars as pl

    first = tables[0]
    for other in tables[1:]:
        if other.names != first.names or other.width != first.width:
            raise DataError(
                f"{other.name}: its columns ({listing(other.names or [other.width])}) differ from those of "
                f"{first.name} ({listing(first.names or [first.width])})"
            )
    heights = np.cumsum([0] + [table.height for table in tables])
    frames = [table.frame.rename(dict(zip(table.frame.columns, first.frame.columns, strict=True))) for table in tables]
    parts = [(int(start), table) for start, table in zip(heights, tables, strict=False)]
    doubt = next((table.doubt for table in tables if table.doubt), None)
    return Table(name, pl.concat(frames, how="vertical_relaxed"), first.names, doubt, first.settled, parts=parts)


def is_finite_number(text: str) -> bool:
    """Whether an operand is a finite number, for targets that are one constant."""
    return parses_as_number(text) and math.isfinite(float(text))
