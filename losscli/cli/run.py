"""`losscli run FILE.toml`: a suite of measurements and requirements, for CI."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Self

import typer

from losscli.cli.command import command, say
from losscli.cli.options.declare import operand, option
from losscli.cli.options.losses import OF_SUITES, requested
from losscli.cli.options.output import Quiet, formats_option, output_option
from losscli.cli.options.running import Running
from losscli.definition.address import is_remote
from losscli.errors import Exit, UsageError
from losscli.records import NamedTuple
from losscli.render.words import SuiteFormat
from losscli.wording import quoted

if TYPE_CHECKING:
    from losscli.analysis.suite.changes import Blessed
    from losscli.analysis.suite.measure import Baseline
    from losscli.analysis.suite.model import Report, Suite
    from losscli.io.sinks import Output, Outputs

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
REPORTS = {".json": "json", ".xml": "junit", ".md": "markdown", ".html": "html"}
"""Suffix of a report's file -> its format."""


@command(app)
def run(
    suite: Annotated[str | None, operand("FILE.toml", help="The suite; --init prints an example.")] = None,
    *,
    init: Annotated[
        bool, option("--init", show_default=False, help="Print a commented example of a suite, and stop.")
    ] = False,
    schema: Annotated[
        bool, option("--schema", show_default=False, help="Print the JSON Schema of suites, for editors, and stop.")
    ] = False,
    baseline: Annotated[
        str | None,
        option(
            "--baseline", metavar="FILE.json", help="Earlier results to compare with. Default: what the suite names."
        ),
    ] = None,
    save: Annotated[
        str | None,
        option(
            "--save",
            metavar="FILE.json",
            help="Save the results, for later runs to be compared with, if all was measured.",
        ),
    ] = None,
    bless: Annotated[
        bool,
        option(
            "--bless",
            show_default=False,
            help="Accept the results as the new baseline, and print what changes; not if something was not measured.",
        ),
    ] = False,
    running: Running,
    format: Annotated[
        SuiteFormat, formats_option(SuiteFormat, more=", or github: annotations of what is not met")
    ] = "table",
    output: Annotated[
        list[str],
        output_option("The report to a file as well: .json, .xml (JUnit), .md, or .html for a browser. Repeatable."),
    ] = [],  # noqa: B006 - Typer copies it
    quiet: Quiet = False,
) -> int:
    """Run a suite of measurements and requirements, and report all of them.

    Exit code 1 if anything is not met, and 3 if anything could not be measured: unmeasured is never a pass.

    Paths in a suite are from the folder that it is in.
    """
    if init:
        from losscli.render import suite as reports

        print(reports.EXAMPLE, end="")
        return Exit.OK
    if schema:
        print(_schema(), end="")
        return Exit.OK
    if suite is None:
        raise UsageError("run: name the suite, losscli run FILE.toml; losscli run --init prints an example")
    from losscli.analysis.suite.load import load
    from losscli.analysis.suite.model import CODES
    from losscli.render import suite as reports
    from losscli.render.screen import Screen

    running = running.begun(quiet)
    found = load(suite, OF_SUITES, requested)
    earlier = found.baseline if baseline is None else baseline
    history = History.to_bless(suite, earlier, save) if bless else History.of(earlier, save)
    report, notes = _measured(found, history, output, running)
    if report.blessed is not None and format in ("junit", "github"):
        notes += reports.change_notes(report.blessed)
    say([*report.notes, *notes], quiet)
    print(reports.in_format(report, format, Screen.of(sys.stdout)), end="")
    return CODES[report.status]


def _schema() -> str:
    """Return the JSON Schema of suite files as text, for editors that check and complete them."""
    from losscli.analysis.suite.schema import json_schema
    from losscli.io.strict_json import strict_json

    return strict_json(json_schema(OF_SUITES), indent=2) + "\n"


class History(NamedTuple):
    """Files of results: `baseline` are the earlier ones to compare with, and `save` is where the new ones go."""

    baseline: str | None
    save: str | None
    notes: tuple[str, ...] = ()
    bless: bool = False
    """Whether the new results are accepted whatever the earlier ones were: nothing is compared with these."""

    @classmethod
    def to_bless(cls, suite: str, baseline: str | None, save: str | None) -> Self:
        """Return the files where the results of a suite become the baseline.

        Raises
        ------
        UsageError
            if there is no baseline, or one on a server, or --save names a file as well.
        """
        if save is not None:
            raise UsageError(
                f"--save {save}: --bless saves the results as the baseline already; leave out --save, or name its file as --baseline"
            )
        if not baseline:
            line = f"losscli run {quoted(suite)} --bless --baseline baseline.json"
            raise UsageError(f'--bless: {suite} names no baseline; add baseline = "baseline.json" to it, or say {line}')
        if is_remote(baseline):
            raise UsageError(
                f"--bless: {baseline} is on a server, and earlier results are read from this machine; bless a file here, and copy it"
            )
        return cls(baseline, baseline, bless=True)

    @classmethod
    def of(cls, baseline: str | None, save: str | None) -> Self:
        """Return the files as they are named, without the baseline if this run is the first to save it.

        Raises
        ------
        UsageError
            for an empty name.
        """
        for flag, name in (("--baseline", baseline), ("--save", save)):
            if name == "":
                raise UsageError(f"{flag}: the name is empty; was it a variable that is not set?")
        found = cls(baseline, save)
        if found.is_replaced and not os.path.exists(str(baseline)):
            return cls(None, save, (f"{baseline}: does not exist yet: nothing to compare with",))
        return found

    @property
    def is_replaced(self) -> bool:
        """Whether the new results replace those that they are compared with."""
        if self.baseline is None or self.save is None:
            return False
        return os.path.realpath(self.baseline) == os.path.realpath(self.save)

    def why_not_saved(self, report: "Report") -> str | None:
        """Return why the results must not be saved; None if they may."""
        if not report.measured:
            return "not everything was measured"
        if self.is_replaced and not self.bless and report.status != "met":
            return "it is what was compared with, and not everything is met; run with --bless to accept the results"
        return None


def _measured(suite: "Suite", history: History, output: list[str], running: Running) -> tuple["Report", list[str]]:
    """Measure a suite, write all files, and return the report and notes for the user."""
    from losscli.analysis.suite.measure import measure
    from losscli.io.sinks import Outputs, keep_apart
    from losscli.io.writers import suffix_of
    from losscli.render.suite import in_format

    earlier = _earlier(history)
    suffixes = [suffix_of(name, tuple(REPORTS), "--output") for name in output]
    with Outputs() as files:
        opened = [files.open(name) for name in output]
        saved = None if history.save is None else files.open(history.save)
        with running.shown() as shown:
            report = measure(
                suite, None if history.bless else earlier, running.threads, shown.looking, shown.start, shown
            )
        compared = set() if history.baseline is None else {os.path.realpath(history.baseline)}
        for file in files.files:
            keep_apart(file.path, report.files if file is saved else report.files | compared, what="suite")
        notes = [*history.notes]
        if saved is not None:
            notes += _save(report, history, files, saved)
        if history.bless and saved in files.files:
            report.blessed = _blessed(report, earlier, history)
        for file, suffix in zip(opened, suffixes, strict=True):
            text = _page(report, notes) if suffix == ".html" else in_format(report, REPORTS[suffix])
            file.write(text.encode(errors="backslashreplace"))
        files.publish()
    return report, notes


def _page(report: "Report", notes: list[str]) -> str:
    """Return a report as a page for a browser."""
    from losscli.analysis.suite.model import MET, UNMEASURED, UNMET
    from losscli.cli.pages import as_findings, distributions, page_of
    from losscli.render.page import as_html
    from losscli.render.suite import laid_out, tally
    from losscli.render.text import IN_MARKDOWN

    mood = {MET: "good", UNMET: "bad", UNMEASURED: "bad"}.get(report.status, "")
    findings = as_findings([*report.notes, *notes])
    lead, pictures = (report.status, tally(report)), distributions(report.outcomes)
    return as_html(page_of(laid_out(report, IN_MARKDOWN), lead, pictures=pictures, findings=findings, mood=mood))


def _earlier(history: History) -> "Baseline | None":
    """Return the earlier results; None if none are named, or those that are blessed are the first."""
    from losscli.analysis.suite.measure import Baseline

    if history.baseline is None or (history.bless and not os.path.exists(history.baseline)):
        return None
    return Baseline.load(history.baseline)


def _blessed(report: "Report", earlier: "Baseline | None", history: History) -> "Blessed":
    """Return what the results of a report change of the earlier ones."""
    from losscli.analysis.suite.changes import Blessed, changes

    records = {outcome.measure.name: outcome.record() for outcome in report.outcomes}
    found = () if earlier is None else changes(earlier.measures, records)
    return Blessed(str(history.baseline), found, earlier is None)


def _save(report: "Report", history: History, files: "Outputs", saved: "Output") -> list[str]:
    """Write the results to be compared with later, or leave their file as it is and return a note that says why."""
    from losscli.render.suite import in_format

    why = history.why_not_saved(report)
    if why is None:
        saved.write(in_format(report, "json").encode())
        return []
    files.files.remove(saved)
    saved.discard()
    return [f"warning: {history.save}: not saved, for {why}"]
