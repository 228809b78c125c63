"""`losscli compute LOSS ... --part I/N -o FILE.part`: a part of a pass, and what stands beside its file."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from losscli.cli.command import say
from losscli.cli.options.output import Wanted
from losscli.cli.options.running import Running
from losscli.definition.address import is_remote
from losscli.engine.evaluate import ChunkResult
from losscli.engine.parts import Part
from losscli.errors import Exit, UsageError
from losscli.io.plain_data import Writer
from losscli.io.sinks import Outputs, keep_apart
from losscli.measurement.measure import Measurement
from losscli.measurement.parts import ROWS, SUFFIX, PartWriter, check_parts, digest_of_file
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.cli.loss_command import Typed
    from losscli.definition.request import Request


def check_wanted(
    wanted: Wanted, typed: frozenset[str], library: str | None, also: Sequence[str], plus: Sequence[str]
) -> None:
    """Raise a UsageError for what parts do not have: further losses, and some outputs."""
    if also:
        raise UsageError("--part makes parts of one loss, and --also computes others; give each loss parts of its own")
    if plus:
        raise UsageError("--part makes parts of one loss, and --plus adds others; give each loss parts of its own")
    Part.parse(str(wanted.part))
    if wanted.output is None or not wanted.output.lower().endswith(SUFFIX):
        named = "" if wanted.output is None else f", and not to {wanted.output}"
        raise UsageError(f"--part {wanted.part}: a part is written to a file{named}; say -o FILE{SUFFIX}")
    if far := next((path for path in (wanted.output, wanted.gradient) if path and is_remote(path)), None):
        raise UsageError(f"--part {wanted.part}: losscli merge reads files only; write {far} to a file, and copy that")
    for option, texts in (("--require", wanted.require), ("--require-each", wanted.require_each)):
        if texts:
            raise UsageError(f"{option} is about the result of all parts; give it to losscli merge")
    if "format" in typed:
        raise UsageError("--format is that of the result of all parts; give it to losscli merge")
    if library is not None and "," in library:
        raise UsageError(f"--part makes parts of one number; name one library in --as {library}")


def compute_part(request: "Request", libraries: Sequence[str], wanted: Wanted, running: Running, typed: "Typed") -> int:
    """Measure a part and write it, and return the exit code."""
    from losscli import api

    part = Part.parse(str(wanted.part))
    rows = wanted.per_sample or wanted.elements or request.reduction == "none"
    with running.shown() as progress, PartFiles(part, wanted) as files:
        measurement = api.opened(
            request,
            api.Hooks(looked=progress.looking),
            rows=rows,
            elements=wanted.elements,
            gradient=wanted.gradient is not None,
            library=libraries[0] if libraries else None,
            typed=typed.options,
        )
        check_parts(measurement, wanted.gradient is not None)
        files.start(measurement)
        first, after = files.part.rows
        progress.of(after - first, (after - first) * measurement.job.row_bytes)
        measurement.collect(files.consume, running.threads, lambda done: progress(done - first), part)
        files.part.check()
        progress.wipe()
        say(measurement.notes, wanted.quiet)
        files.publish()
    held = f"rows {first:,} to {after - 1:,}" if after > first else "no rows, as there are fewer chunks than parts"
    say(
        [f"{wanted.output}: part {part.number} of {count(part.of, 'part')}, {held}; losscli merge puts them together"],
        wanted.quiet,
    )
    return Exit.OK


class PartFiles:
    """The files of a part: its records, and beside them the per-sample rows and gradients, if these are wanted.

    All are published together at the end, or none.
    """

    def __init__(self, part: Part, wanted: Wanted) -> None:
        from losscli.cli.delivery import GradientFile

        self.number, self.path, self.elements = part, str(wanted.output), wanted.elements
        self.files = Outputs()
        self.rows: RowsFile | None = None
        self.gradient = None if wanted.gradient is None else GradientFile(wanted.gradient, suffixes=(".npy",))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.rows is not None:
            self.rows.writer.drop()
        self.files.discard()
        if self.gradient is not None:
            self.gradient.take_back()

    def start(self, measurement: Measurement) -> None:
        """Open the files."""
        from losscli.cli.delivery import without_rows

        for path in (self.path, self.path + ROWS, *([] if self.gradient is None else [self.gradient.path])):
            keep_apart(path, measurement.files)
        self.part = PartWriter(measurement, self.number)
        self.file = self.files.open(Path(self.path))
        if measurement.job.rows:
            self.rows = RowsFile(self.files.open(Path(self.path + ROWS)), measurement, self.part.token)
        if self.gradient is not None:
            self.gradient.done = self.part.rows[0]
            self.gradient.open(self.files, measurement)
            if self.gradient.file.temporary is None:
                raise UsageError(
                    f"--gradient {self.gradient.path}: a part's gradients are read again by losscli merge; name a file"
                )
        empty = without_rows(measurement, self.rows is not None, self.elements, self.gradient is not None)
        self._write(empty)
        if self.gradient is not None:
            self.gradient.hand_out()

    def consume(self, chunk: ChunkResult) -> None:
        """Take the result of a chunk."""
        self.part.consume(chunk)
        self._write(chunk)

    def _write(self, chunk: ChunkResult) -> None:
        if self.rows is not None:
            self.rows.consume(chunk)
        if self.gradient is not None:
            self.gradient.consume(chunk)

    def publish(self) -> None:
        """Write what is known only now, and give all files their names."""
        beside: dict[str, Any] = {
            "rows_file": None if self.rows is None else Path(self.path + ROWS).name,
            "gradient": None,
        }
        if self.rows is not None:
            self.rows.close()
        if self.gradient is not None:
            self.gradient.close()
            self.gradient.file.finish()
            beside["gradient"] = {
                "file": str(Path(self.gradient.path).resolve()),
                "beside": _relative(self.gradient.path, self.path),
                "ends": digest_of_file(self.gradient.file.temporary),
            }
        self.part.write(self.file, beside)
        self.files.publish()


def _relative(path: str, part: str) -> str:
    """Return where a file is, seen from the folder of a part."""
    return os.path.relpath(path, os.path.dirname(os.path.abspath(part)))


class RowsFile:
    """The per-sample rows of a part: their columns, chunk by chunk, in the forms that outputs may want."""

    def __init__(self, file: Any, measurement: Measurement, token: str) -> None:
        self.writer, self.measurement, self.chunks = Writer(file), measurement, 0
        self.writer.add_json("rows", {"token": token})

    def consume(self, chunk: ChunkResult) -> None:
        """Write the rows of a chunk."""
        from losscli.cli.delivery import rows_in_form

        for rows in chunk.rows:
            forms = {form: rows_in_form(self.measurement, rows, form) for form in ("nested", "flat")}
            if list(forms["flat"]) == list(forms["nested"]):
                del forms["flat"]
            if self.measurement.units.shaped:
                forms["losses"] = rows_in_form(self.measurement, rows, "losses")
            self.writer.add(str(self.chunks), forms)
            self.chunks += 1

    def close(self) -> None:
        """Write the end of the file."""
        self.writer.close()
