"""Delivery of results: one format to standard output, and files in the formats of their suffixes.

Nothing is written or printed before all went well.
"""

import codecs
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from losscli.arrays import Array
from losscli.engine.collector import Aggregate
from losscli.engine.evaluate import ChunkResult, Rows
from losscli.engine.workers import current
from losscli.errors import DataError
from losscli.io.bytes import PIECE, Spool, blocks_of
from losscli.io.room import BYTES_OF_TEXT, check_room
from losscli.io.rows import JSON, records, text_of
from losscli.io.sinks import AtomicFile, Output, Outputs, is_special, keep_apart
from losscli.io.source import Reordered
from losscli.io.strict_json import strict_json
from losscli.io.turned import Turned
from losscli.io.writers import WRITERS, JsonLinesWriter, NpyWriter, TextWriter, Writer, suffix_of
from losscli.measurement.measure import Measurement
from losscli.measurement.per_sample import columns
from losscli.measurement.result import Result
from losscli.render import slices
from losscli.render import text as render
from losscli.render.result import (
    JSON_BETWEEN,
    facts_of,
    json_around,
    markdown_around,
    to_json,
    to_markdown,
    to_table,
    to_value,
)
from losscli.render.screen import Screen, message
from losscli.render.slices import verdicts
from losscli.render.table import Table
from losscli.render.text import IN_MARKDOWN, MARKDOWN, Laid
from losscli.render.words import ROW_FORMATS
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.cli.options.output import Wanted
    from losscli.render.page import Page

ONE_NUMBER = {".json": "json", ".md": "markdown"}
"""Suffix -> format, of files that hold a result as a whole; other files hold one row per sample."""
PAGE = {".html": "html"}
"""Suffix -> format, of a page for a browser."""
WITH_PAGE = ONE_NUMBER | PAGE
"""The same with a page for a browser, of commands that make one."""
RESULT_SUFFIXES = (*WITH_PAGE, *WRITERS)
GRADIENT_SUFFIXES = (".npy", ".csv")
UNKNOWN = "backslashreplace"
"""How bytes of a file's name that are not UTF-8 are written: as an escape, which is valid in JSON as well."""


class Delivery:
    """Delivers the result of `losscli compute`: takes chunks of rows as they are made, and the result at the end.

    Files are opened by `start`, filled by `consume`, and published by `deliver`, which prints as well. On leaving the
    context, files that were not published are removed.
    """

    def __init__(self, wanted: "Wanted") -> None:
        self.format, self.output, self.gradient = wanted.format, wanted.output, wanted.gradient
        self.elements = wanted.elements
        self.per_sample = wanted.per_sample or wanted.elements
        self.kind = None if self.output is None else _kind_of(self.output, self.format)
        self.slopes = None if self.gradient is None else GradientFile(self.gradient)
        self.files = Outputs()
        self.streams: list[Writer] = []
        self.spool: Spool | None = None
        self.rows: list[dict[str, Any]] = []
        """The first rows, which a table shows."""
        formats = {self.format, self.kind} if self.per_sample else set()
        self.some_rows = bool({"table", "html"} & formats)
        self.lines: dict[str, Spool] = {name: Spool(name) for name in ("json", "markdown") if name in formats}
        """Format -> all rows, one line each, for the formats that put rows between two pieces of other text."""
        self.header: list[str] = []
        self.file: Output | None = None

    @property
    def needs_rows(self) -> bool:
        """Whether any output shows single rows."""
        return bool(self.lines) or self.some_rows or self.format in ROW_FORMATS or self.kind in WRITERS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.files.discard()
        if self.slopes is not None:
            self.slopes.take_back()

    def start(self, measurement: Measurement) -> None:
        """Open the outputs, so that the command fails before the work if one cannot be written."""
        self.open(measurement)
        # A file without rows still has a header, or a shape.
        self.consume(without_rows(measurement, self.needs_rows, self.elements, self.gradient is not None))
        if self.slopes is not None:
            self.slopes.hand_out()

    def open(self, measurement: Measurement) -> None:
        """Open the outputs."""
        self.measurement = measurement
        for path in (self.output, self.gradient):
            if path is not None:
                keep_apart(path, measurement.files)
        if self.output is not None:
            self.file = self.files.open(self.output)
            if self.kind == ".npy" and measurement.units.shaped:
                measurement.units.check_shape("--output")
            if self.kind in WRITERS:
                self.streams.append(WRITERS[self.kind](self.file))
        if self.format in ROW_FORMATS:
            self.spool = Spool("standard output")
            writer = (
                JsonLinesWriter(self.spool)
                if self.format == "jsonl"
                else TextWriter(self.spool, "\t" if self.format == "tsv" else ",")
            )
            self.streams.append(writer)
        if self.slopes is not None:
            self.slopes.open(self.files, measurement)
        if self.kind == "html":
            from losscli.cli.pages import watch

            watch(measurement)

    def consume(self, chunk: ChunkResult) -> None:
        """Write a chunk's rows and gradients to the outputs that show them."""
        for rows in chunk.rows:
            self.take({form: rows_in_form(self.measurement, rows, form) for form in self.forms})
        if self.slopes is not None:
            self.slopes.consume(chunk)

    @property
    def forms(self) -> set[str]:
        """The forms in which the next rows are wanted: 'flat', 'nested' or 'losses', as writers say."""
        return {stream.wants for stream in self.streams} | ({"nested"} if self._keeps else set())

    @property
    def _keeps(self) -> bool:
        """Whether the next rows are kept as text: to be shown, or to stand between two pieces of other text."""
        return bool(self.lines) or (self.some_rows and len(self.rows) < render.TABLE_ROWS)

    def take(self, forms: Mapping[str, dict[str, Any]]) -> None:
        """Write rows to the outputs that show them: the columns in each of `forms`."""
        keeps = self._keeps
        for stream in self.streams:
            stream.write(forms[stream.wants])
        if keeps:
            self._keep(forms["nested"], self.some_rows and len(self.rows) < render.TABLE_ROWS)

    def _keep(self, nested: dict[str, Any], shown: bool) -> None:
        self.header = list(nested)
        if shown:
            few = {name: values[: render.TABLE_ROWS - len(self.rows)] for name, values in nested.items()}
            self.rows += [row for rows in records(few) for row in rows]
        for name, spool in self.lines.items():
            layout, between = (MARKDOWN, "") if name == "markdown" else (JSON, JSON_BETWEEN)
            for i, text in enumerate(text_of(nested, layout, between)):
                if spool.size and not i:
                    spool.write(between.encode())
                spool.write(text)

    def deliver(self, result: Result) -> None:
        """Publish the files, then print the result.

        Raises
        ------
        DataError
            if standard output cannot be written.
        """
        self._publish(result)
        try:
            self._print(result)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise DataError(f"standard output cannot be written: {error.strerror or error}") from error
        if self.format in ROW_FORMATS or self.format == "value":
            say_verdicts(result.requirements)

    def _publish(self, result: Result) -> None:
        if self.file is not None and self.kind not in WRITERS:
            for piece in self._pieces(str(self.kind), result, Screen()):
                self.file.write(piece)
        for stream in self.streams:
            stream.close()
        if self.slopes is not None:
            self.slopes.close()
        self.files.publish()

    def _print(self, result: Result) -> None:
        if self.spool is not None:
            sys.stdout.flush()
            for view in blocks_of(self.spool, 0, self.spool.size, PIECE):
                sys.stdout.buffer.write(view)
            return
        decoder = codecs.getincrementaldecoder("utf-8")()
        for piece in self._pieces(self.format, result, Screen.of(sys.stdout)):
            sys.stdout.write(decoder.decode(piece))

    def _pieces(self, format: str, result: Result, screen: Screen) -> Iterator[bytes | memoryview]:
        """Yield the text of a result in pieces, since all rows together may be larger than memory; each is valid until the next."""
        kept = self.lines.get(format)
        if kept is None:
            yield self._text(format, result, screen).encode(errors=UNKNOWN)
            return
        around = json_around(result) if format == "json" else markdown_around(result, self.header)
        yield around[0].encode(errors=UNKNOWN)
        yield from blocks_of(kept, 0, kept.size, PIECE)
        yield around[1].encode(errors=UNKNOWN)

    def _text(self, format: str, result: Result, screen: Screen) -> str:
        if format == "json":
            return to_json(result)
        if format == "markdown":
            return to_markdown(result)
        if format == "value":
            return to_value(result)
        if format == "html":
            from losscli.render.page import as_html

            return as_html(self._page(result))
        rows = self.rows if self.per_sample else None
        return to_table(result, rows, screen)

    def _page(self, result: Result) -> "Page":
        """Return a result as a page for a browser, with its pictures and the first rows."""
        from losscli.cli.pages import as_findings, file_of, page_of, pictures_of

        unmet = list(dict.fromkeys(entry["require"] for entry in result.requirements if not entry["met"]))
        of = f"{result.reduction} of {count(result.samples, 'sample')}"
        if result.requirements:
            of += f"; not met: {', '.join(unmet)}" if unmet else "; every requirement is met"
        tables = [*slices.tables({result.reduction: result}, IN_MARKDOWN)]
        tables += [Table(f"first {count(len(self.rows), 'row')}", self.rows)] if self.per_sample else []
        return page_of(
            (f"{result.loss}: {file_of(result.receipt)}", facts_of(result, IN_MARKDOWN), tables),
            (render.number(result.value, IN_MARKDOWN), of),
            pictures=pictures_of(self.measurement, result),
            findings=as_findings(self.measurement.notes),
            receipt=result.receipt,
            signature=result.signature,
            mood="bad" if unmet else "good" if result.requirements else "",
        )


class GradientFile:
    """A file of gradients, .npy or .csv: takes the gradients of rows as they are made.

    `first` is the number of the first row whose gradient is written.
    """

    def __init__(self, path: str, first: int = 0, suffixes: tuple[str, ...] = GRADIENT_SUFFIXES) -> None:
        self.path, self.done = path, first
        self.kind = suffix_of(path, suffixes, "--gradient", of_special=".npy")

    def open(self, files: Outputs, measurement: Measurement) -> None:
        """Open the file."""
        self.measurement = measurement
        if self.kind == ".npy":
            measurement.units.check_shape("--gradient")
        job = measurement.job
        cells = job.size // job.dtype.itemsize
        check_room(
            self.path,
            cells * (job.dtype.itemsize if self.kind == ".npy" else BYTES_OF_TEXT),
            f"gradients of {cells:,} predictions",
            "write to another disk, or give the rows in parts",
        )
        self.file = files.open(self.path)
        self.writer = NpyWriter(self.file) if self.kind == ".npy" else TextWriter(self.file, ",")

    def hand_out(self) -> None:
        """Let the workers of a cluster write gradients into the file themselves, if there is one and the rows go there as they are."""
        cluster, source, units = current(), self.measurement.job.predictions, self.measurement.units
        file = self.file
        if cluster is None or not isinstance(self.writer, NpyWriter):
            return
        if (
            not isinstance(file, AtomicFile) or file.temporary is None
        ):  # to an address, a device or a pipe bytes go in their order
            return
        as_made = units.layout is None and units.selection is None and self.measurement.job.extras.whole is None
        if as_made and not isinstance(source, Turned | Reordered):
            from losscli.engine.outlet import Outlet

            cluster.outlet = Outlet(
                str(file.temporary.absolute()),
                self.path,
                file.tell() - self.done * self.writer.row_bytes,
                self.writer.row_bytes,
                str(self.writer.dtype),
            )

    def take_back(self) -> None:
        """Let nobody else write into the file any more."""
        cluster = current()
        if cluster is not None:
            cluster.outlet = None

    def consume(self, chunk: ChunkResult) -> None:
        """Write gradients of the rows that follow, as the engine made them, or take note that they are there."""
        parts: Sequence[Array] = chunk.gradient
        if chunk.written and isinstance(self.writer, NpyWriter):
            self.writer.skip(chunk.written)
            self.done += chunk.written
        if parts and self.kind != ".npy":
            parts = (np.concatenate(parts),)  # each write to a table costs time for every column
        for slopes in parts:
            for shaped in self.measurement.restored(slopes, self.done):
                self.add(shaped)
            self.done += len(slopes)

    def add(self, shaped: Array) -> None:
        """Write gradients that have the shape of the predictions' file."""
        if isinstance(self.writer, NpyWriter):
            self.writer.add(shaped)
        else:
            self.writer.write(_gradient_columns(self.measurement, shaped))

    def close(self) -> None:
        """Write the end of the file."""
        if isinstance(self.writer, NpyWriter):
            self.writer.close()


def rows_in_form(measurement: Measurement, rows: Rows, form: str) -> dict[str, Any]:
    """Return the columns of some rows in the form that a writer wants; of losses alone those of positions have the file's shape."""
    if form == "losses" and measurement.units.shaped:
        values = rows.loss if rows.elements is None else rows.elements
        return {"loss": measurement.units.in_shape(values, rows.sample, rows.span)}
    return columns(measurement, rows, nested=form != "flat")


def say_verdicts(requirements: Sequence[Mapping[str, Any]]) -> None:
    """Print to standard error which requirements are met, for formats that do not say it."""
    for name, verdict in verdicts(requirements, None):
        print(message(f"{name}: {verdict}", Screen.of(sys.stderr)), file=sys.stderr)


def _kind_of(output: str, format: str) -> str:
    """Return what is written to --output: a suffix of WRITERS for rows, or a format for the result as a whole."""
    if is_special(output, RESULT_SUFFIXES):
        # The name of a device or pipe does not say a format: it gets the format of standard output.
        return f".{format}" if format in ROW_FORMATS else format
    suffix = suffix_of(output, RESULT_SUFFIXES, "--output")
    return WITH_PAGE.get(suffix, suffix)


def _gradient_columns(measurement: Measurement, slopes: Array) -> dict[str, Any]:
    """Return gradients, shape (n, ...), as columns, which have the names of the predictions' columns if these are as many."""
    found = measurement.given_columns
    table = slopes if slopes.ndim == 2 else slopes.reshape(len(slopes), int(np.prod(slopes.shape[1:])))
    numbers = [f"gradient_{i}" for i in range(table.shape[1])]
    names = found if found and len(found) == table.shape[1] else numbers
    return dict(zip(names, table.T, strict=True))


def without_rows(measurement: Measurement, rows: bool, elements: bool, gradient: bool) -> ChunkResult:
    """Return a chunk without rows, from which writers learn the names and dtypes of the columns."""
    job = measurement.job
    nothing = np.zeros((0, *job.predictions.shape[1:]), job.dtype)
    weighted = job.weighed if job.unit == "row" else job.unit_weights is not None or job.output_weights is not None
    none = Rows(
        sample=np.zeros(0, np.int64),
        target=(job.targets.read(0, 0) if job.of_rows else np.zeros(0)) if job.unit == "row" else None,
        loss=np.zeros(0, np.float64 if job.several or job.unit != "row" else job.dtype),
        weight=np.zeros(0) if weighted else None,
        elements=nothing if elements else None,
    )
    return ChunkResult(Aggregate(), (none,) if rows else (), (nothing,) if gradient else ())


class ReportDelivery:
    """Delivers a report: to standard output, and to a file if one is named, which is opened before the work.

    Parameters
    ----------
    format
        the format of standard output.
    output
        the file; its suffix says the format.
    suffixes
        suffix -> format, of the files that are possible.
    """

    def __init__(self, format: str, output: str | None, suffixes: Mapping[str, str] = ONE_NUMBER) -> None:
        self.format, self.output = format, output
        self.files = Outputs()
        self.kind = None if output is None else suffixes[suffix_of(output, tuple(suffixes), "--output")]
        self.file = None if output is None else self.files.open(output)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.files.discard()

    def keep_apart(self, inputs: frozenset[str]) -> None:
        """Raise a UsageError if the file is one of the inputs, which are real paths."""
        if self.output is not None:
            keep_apart(self.output, inputs)

    def deliver(
        self,
        record: Callable[[], dict[str, Any]],
        laid: Callable[[int | None], Laid],
        rows: Callable[[], list[dict[str, Any]]] = list,
        value: Callable[[], str] = str,
        last: tuple[str, str] = ("", ""),
        page: "Callable[[], Page] | None" = None,
        table: Callable[[Screen], str] | None = None,
    ) -> None:
        """Publish the file, then print.

        Parameters
        ----------
        record
            returns the content of JSON.
        laid
            returns the content of tables, with so many digits of numbers, or all of them for None.
        rows
            returns the content of formats that hold rows and nothing else.
        value
            returns the text of the format 'value', which is one number.
        last
            the last line of tables and of Markdown, and how a terminal shows it; '' for none.
        page
            returns the content of a page for a browser; None where a report has none.
        table
            returns the text of standard output where it is neither of these formats; None for the facts and tables that are laid out.
        """

        def made(format: str, screen: Screen = Screen()) -> str:
            if format == "json":
                return strict_json(record(), indent=2) + "\n"
            if format == "markdown":
                return render.report_in_markdown(*laid(IN_MARKDOWN)) + (f"\n{last[0]}\n" if last[0] else "")
            if format in ROW_FORMATS:
                return render.rows_in(format, rows())
            if format == "value":
                return value()
            if format == "html" and page is not None:
                from losscli.render.page import as_html

                return as_html(page())
            if table is not None:
                return table(screen)
            from losscli.render.compare import verdict_style

            _, facts, tables = laid(screen.digits)
            return render.report(facts, tables, screen, verdict_style) + render.closing(*last, screen)

        if self.file is not None and self.kind is not None:
            self.file.write(made(self.kind).encode(errors=UNKNOWN))
            self.files.publish()
        print(made(self.format, Screen.of(sys.stdout)), end="")


SUFFIXES = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".tsv": "tsv", ".md": "markdown"}
"""Suffix -> format, of reports that hold rows as well."""


def published(output: str, made: Callable[[str], str]) -> None:
    """Write a text to a file, completely or not at all; `made` returns the text in the format of the suffix."""
    suffix = suffix_of(output, tuple(SUFFIXES), "--output")
    with Outputs() as files:
        files.open(output).write(made(SUFFIXES[suffix]).encode(errors=UNKNOWN))
        files.publish()


def show(format: str, record: Callable[[], dict[str, Any]], table: Callable[[Screen], str]) -> None:
    """Print a result: `record` as JSON, or the text of `table`.

    Parameters
    ----------
    table
        returns the text for where it is shown.
    """
    if format == "json":
        print(strict_json(record(), indent=2))
    else:
        print(table(Screen.of(sys.stdout)), end="")
