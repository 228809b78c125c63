"""`losscli run FILE.toml`: a suite of measurements and requirements, for CI."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from losscli.cli.command import HELP, Command, running_options, say
from losscli.cli.options import OF_LOSSES, WRITING, Progress, Silent, Threads, requested
from losscli.errors import Exit, UsageError

if TYPE_CHECKING:
    from losscli.analysis.suite.model import Report

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
REPORTS = {".json": "json", ".xml": "junit", ".md": "markdown"}
"""Suffix of a report's file -> its format."""
CODES = {"met": Exit.OK, "not met": Exit.UNMET, "unmeasured": Exit.DATA}


@app.command(cls=Command, context_settings=HELP)
def run(
    suite: Annotated[
        str | None, typer.Argument(metavar="FILE.toml", show_default=False, help="The suite; --init prints an example.")
    ] = None,
    init: Annotated[
        bool, typer.Option("--init", show_default=False, help="Print a commented example of a suite, and stop.")
    ] = False,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="FILE.json",
            show_default=False,
            help="Earlier results to compare with. Default: what the suite names.",
        ),
    ] = None,
    save: Annotated[
        str | None,
        typer.Option(
            "--save",
            metavar="FILE.json",
            show_default=False,
            help="Save the results, for later runs to be compared with, if all was measured.",
        ),
    ] = None,
    threads: Threads = None,
    progress: Progress = None,
    format: Annotated[
        Literal["table", "json", "junit", "markdown", "github"],
        typer.Option(
            "-f",
            "--format",
            metavar="NAME",
            rich_help_panel=WRITING,
            help="Format of standard output: table, json, junit, markdown, or github: annotations of what is not met.",
        ),
    ] = "table",
    output: Annotated[
        list[str],
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            rich_help_panel=WRITING,
            help="The report to a file as well: .json, .xml (JUnit) or .md. Repeatable.",
        ),
    ] = [],  # noqa: B006 - Typer copies it
    quiet: Silent = False,
) -> int:
    """Run a suite of measurements and requirements, and report all of them.

    Exit code 1 if anything is not met, and 3 if anything could not be measured: unmeasured is never a pass.

    Paths in a suite are from the folder that it is in.
    """
    from losscli.analysis.suite.load import load
    from losscli.analysis.suite.measure import Baseline, measure
    from losscli.cli.progress import Progress as Shown
    from losscli.io.sinks import Outputs, keep_apart
    from losscli.io.strict_json import strict_json
    from losscli.io.writers import suffix_of
    from losscli.render import suite as suite_reports

    if init:
        print(suite_reports.EXAMPLE, end="")
        return Exit.OK
    if suite is None:
        raise UsageError("run: name the suite, losscli run FILE.toml; losscli run --init prints an example")
    running = running_options({"threads": threads, "progress": progress, "quiet": quiet})
    found = load(suite, OF_LOSSES, requested)
    against = found.baseline if baseline is None else baseline
    if against == "" or save == "":
        raise UsageError(
            f"--{'baseline' if against == '' else 'save'}: the name is empty; was it a variable that is not set?"
        )
    notes = []
    if against is not None and save is not None and _same(against, save) and not os.path.exists(against):
        notes.append(f"{against}: does not exist yet: nothing to compare with")
        against = None
    earlier = None if against is None else Baseline.load(against)
    suffixes = [suffix_of(name, tuple(REPORTS), "--output") for name in output]
    files = Outputs()
    try:
        opened = [files.open(Path(name)) for name in output]
        saved = None if save is None else files.open(Path(save))
        with Shown(running.progress) as shown:
            report = measure(
                found,
                earlier,
                running.threads,
                shown.looking,
                lambda job: shown.of(job.samples, job.size),
                shown,
            )
        read = report.files if against is None else report.files | {os.path.realpath(against)}
        for file in files.files:
            keep_apart(file.path, report.files if file is saved else read, what="suite")
        for file, suffix in zip(opened, suffixes, strict=True):
            file.write(made(report, REPORTS[suffix]).encode(errors="backslashreplace"))
        if saved is not None:
            why = None if report.measured else "not everything was measured"
            if against is not None and save is not None and _same(against, save) and report.status != "met":
                why = (
                    why
                    or "it is what was compared with, and not everything is met; delete it first to accept the results"
                )
            if why is None:
                saved.write((strict_json(report.record(), indent=2) + "\n").encode())
            else:
                files.files.remove(saved)
                saved.discard()
                notes.append(f"warning: {save}: not saved, for {why}")
        files.publish()
    finally:
        files.discard()
    if not quiet:
        say([*report.notes, *notes])
    print(made(report, format, sys.stdout.isatty()), end="")
    return CODES[report.status]


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def made(report: "Report", format: str, terminal: bool = False) -> str:
    """A report in a format."""
    import shutil

    from losscli.io.strict_json import strict_json
    from losscli.render import suite as suite_reports
    from losscli.render import text as render

    if format == "json":
        return strict_json(report.record(), indent=2) + "\n"
    if format == "junit":
        return suite_reports.junit(report)
    if format == "github":
        return suite_reports.github(report)
    title, facts, tables = suite_reports.laid_out(report, full=not terminal and format == "table")
    if format == "markdown":
        return render.report_in_markdown(title, facts, tables)
    return render.report(facts, tables, terminal, shutil.get_terminal_size().columns, suite_reports.style)
