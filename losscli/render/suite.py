"""Reports of a suite: facts and tables, JUnit XML, annotations of GitHub Actions; and an example of a suite."""

import math
from collections.abc import Sequence
from typing import Any

from losscli.analysis.suite.changes import Blessed, Change
from losscli.analysis.suite.model import MET, UNMEASURED, UNMET, Check, Outcome, Report
from losscli.io.strict_json import strict_json
from losscli.records import replace
from losscli.render.screen import Screen
from losscli.render.table import Table
from losscli.render.text import IN_MARKDOWN, Laid, brief, number, report_in_markdown
from losscli.render.text import report as text_report
from losscli.version import __version__
from losscli.wording import count, on_one_line, printable

MARKS = {MET: "met", UNMET: "NOT MET", UNMEASURED: "UNMEASURED"}


def style(name: str, value: str) -> str:
    """Return the style in which a terminal shows the outcome."""
    if name != "result":
        return ""
    return {MET: "bold green", UNMET: "bold red"}.get(value.split(":")[0], "bold yellow")


def laid_out(report: Report, digits: int | None) -> Laid:
    """Return a report as a title, facts and tables."""
    facts = [("suite", f"{report.suite.name} ({report.suite.file})"), ("result", f"{report.status}: {tally(report)}")]
    facts += [] if report.blessed is None else [("blessed", report.blessed.words)]
    rows: list[dict[str, Any]] = []
    terms: list[dict[str, Any]] = []
    for measured in report.outcomes:
        value = "" if measured.value is None else number(measured.value, digits)
        head = {"measurement": measured.measure.name, "value": value}
        rows += [head | {"check": "", "outcome": MARKS[measured.status], "why": words} for words in measured.errors]
        rows += [
            head | {"check": check.what, "outcome": MARKS[check.status], "why": brief(check.words, digits, check.what)}
            for check in _shortened(measured.checks)
            if not measured.errors
        ]
        if not measured.checks and not measured.errors:
            rows.append(head | {"check": "", "outcome": "measured", "why": ""})
        if measured.measure.summed:
            terms += _terms(measured, digits)
    tables = [Table("measurements", rows, prose=("why",))]
    tables += [Table("terms", terms, less=("loss",))] if terms else []
    if report.blessed is not None and report.blessed.changes:
        spoken = any(change.words for change in report.blessed.changes)
        rows = [_changed(change, digits, spoken) for change in report.blessed.changes]
        numbers = ("before", "now", "change")
        tables.append(Table(f"what changes of {report.blessed.file}", rows, prose=("words",), numbers=numbers))
    return f"losscli run: {report.suite.name}", facts, tables


def _shortened(checks: Sequence[Check]) -> list[Check]:
    """Return checks with one for all slices that meet a requirement; those that do not are each named, before it."""
    found = [check for check in checks if check.slice is None or check.status != MET]
    for each in dict.fromkeys(check.each for check in checks if check.slice is not None):
        met = [check for check in checks if check.slice is not None and check.status == MET and check.each == each]
        others = any(check.each == each and check.slice is not None for check in found)
        by = " and ".join(dict.fromkeys(check.slice[0] for check in met if check.slice is not None))
        if met:
            what = f"{each} of {'the others' if others else 'each'} by {by}"
            found.append(replace(met[0], what=what, words=f"met by {count(len(met), 'slice')}"))
    return found


def in_format(report: Report, format: str, screen: Screen = Screen()) -> str:
    """A report in a format of `losscli run`."""
    if format == "json":
        return strict_json(report.record(), indent=2) + "\n"
    if format == "junit":
        return junit(report)
    if format == "github":
        return github(report)
    title, facts, tables = laid_out(report, digits=screen.digits if format == "table" else IN_MARKDOWN)
    if format == "markdown":
        return report_in_markdown(title, facts, tables)
    return text_report(facts, tables, screen, style)


def _terms(outcome: Outcome, digits: int | None) -> list[dict[str, Any]]:
    """Return one row per term of a measurement."""
    rows = []
    for term, result in zip(outcome.measure.terms, outcome.results, strict=True):
        value = None if result is None else result.value
        rows.append(
            {
                "measurement": outcome.measure.name,
                "term": term.name,
                "loss": term.request.loss.name,
                "weight": number(term.weight, digits),
                "value": number(value, digits),
                "contribution": number(None if value is None else term.weight * value, digits),
            }
        )
    return rows


def _changed(change: Change, digits: int | None, spoken: bool) -> dict[str, Any]:
    """Return a change of the baseline as a row of a table, with a column of words if some change has any."""
    share = 100 * change.relative
    alone = not change.statistic
    return {
        "measurement": change.measurement,
        "statistic": change.statistic,
        "before": "" if alone else number(change.before, digits),
        "now": "" if alone else number(change.now, digits),
        "change": f"{share:+.3g} %" if math.isfinite(share) else "",
        **({"words": change.words} if spoken else {}),
    }


def change_notes(blessed: Blessed) -> list[str]:
    """Return what changes of the baseline as notes, for formats that have no place for it."""
    lines = [
        f"{change.measurement}: {change.words}"
        if not change.statistic
        else f"{change.measurement}: {change.statistic} {number(change.before, None)} -> {number(change.now, None)}"
        for change in blessed.changes
    ]
    return [f"blessed: {blessed.words}", *lines]


def tally(report: Report) -> str:
    """Return in words how many measurements are met, and how many are not."""
    numbers = report.counts()
    return f"{count(len(report.outcomes), 'measurement')}, " + ", ".join(
        f"{n} {status}" for status, n in numbers.items()
    )


COUNTED = ("tests", "failures", "errors")


def junit(report: Report) -> str:
    """Return JUnit XML: one test case per check, and one for each measurement without checks or without a number."""
    from losscli.render.junit import ERROR, FAILURE, Case, suite, suites, written

    elements = []
    for measured in report.outcomes:
        checks = measured.checks if measured.checks and not measured.errors else []
        if measured.errors:
            checks = [Check("measured", UNMEASURED, None, "; ".join(measured.errors))]
        elif not checks:
            checks = [Check("measured", MET, measured.value, "")]
        cases = []
        for check in checks:
            outcome = {UNMET: FAILURE, UNMEASURED: ERROR}.get(check.status)
            kind, text = check.status.replace(" ", "-"), f"{check.what}: {check.words}"
            cases.append(Case(check.what, outcome, check.words, kind, (text,)))
        out = () if measured.value is None else (f"value {measured.value!r}", measured.signature)
        elements.append(
            suite(measured.measure.name, f"{report.suite.name}.{measured.measure.name}", cases, COUNTED, out)
        )
    return written(suites(f"losscli {__version__}", elements, COUNTED))


def github(report: Report) -> str:
    """Return annotations for everything that is not met or not measured, as GitHub Actions
    reads them, and a line for all.
    """
    lines = []
    for measured in report.outcomes:
        told = [("not measured", words) for words in measured.errors]
        told += [
            (f"{check.what}: {check.status}", check.words)
            for check in measured.checks
            if check.status != MET and not measured.errors
        ]
        for what, words in told:
            title = _property(f"{measured.measure.name}: {what}")
            place = f"file={_property(report.suite.file)},line={measured.measure.line}"
            lines.append(f"::error {place},title={title}::{_data(words)}")
    name = on_one_line(report.suite.name)  # a second line could be a command
    lines.append(f"losscli run {name}: {report.status}: {tally(report)}")
    return "\n".join([*lines, ""])


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


EXAMPLE = """\
# A suite of losscli: run it with `losscli run losscli.toml`.
# Exit code 0: all met. 1: something is not met. 3: something could not be measured.
# Paths are from the folder of this file; a pattern such as 'shards/*.npy' is one file in parts.

name = "validation"

# Earlier results to compare with, made by `losscli run losscli.toml --bless`.
# baseline = "baseline.json"

# By how much a value may be above the earlier one.
# tolerance = { relative = 0.01 }        # or { absolute = 0.005 }; or of another statistic: { statistic = "p99" }

# What measurements have in common. An option is for the losses that take it.
[defaults]
targets = "labels.npy"

# A measurement: a loss, its files, and the options of `losscli compute LOSS`.
[measure.cross-entropy]
loss = "cross-entropy"
predictions = "logits.npy"
require = ["mean <= 0.5", "p99 <= 5", "ece <= 0.1"]
# by = "regions.npy"                       # a file, FILE:COLUMN, or a column of the files above: its words make slices
# require-each = ["value <= 2", "samples >= 50"]  # of every slice

[measure.focal]
loss = "softmax-focal:gamma=2"           # parameters stand in the SPEC
predictions = "logits.npy"               # read once for all measurements
class-weight = "balanced"

# A training objective: total = cross-entropy + 0.003 * center + 0.0001 * L2 penalty.
# [measure.objective]
# terms = [
#   { name = "ce", loss = "cross-entropy", predictions = "logits.npy" },
#   { name = "center", weight = 0.003, loss = "center", predictions = "features.npy", centers = "centers.npy" },
#   { name = "penalty", weight = 1e-4, loss = "l2", predictions = "weights.npy", targets = 0, reduction = "sum" },
# ]
# require = ["value <= 1.2", "ce <= 0.5"]  # the total, or a term
"""
"""The output of `losscli run --init`."""
