"""Reports on a loss of the user's own: a table, and JUnit XML."""

import json
from typing import TYPE_CHECKING

from losscli.analysis.verify.file import VerifiedFile
from losscli.analysis.verify.model import BROKEN, SKIPPED, Verified
from losscli.io.strict_json import strict
from losscli.render.screen import Screen
from losscli.render.table import Table
from losscli.render.text import Laid, brief_rows
from losscli.render.text import report as report_of
from losscli.wording import quoted

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MARKS = {"met": "met", BROKEN: "BROKEN", "warning": "warning", SKIPPED: "skipped"}


def table(found: Verified | VerifiedFile, screen: Screen) -> str:
    """Return the report for a terminal or a file."""
    _, facts, tables = laid_out(found, screen.digits)
    return report_of(facts, tables, screen, _style)


def laid_out(found: Verified | VerifiedFile, digits: int | None) -> Laid:
    """Return a report as a title, facts and tables: of a loss one row per property, then the counterexamples; of a file one row
    per loss.
    """
    if isinstance(found, VerifiedFile):
        return _file_laid_out(found)
    facts = [("loss", found.described), ("reference", found.reference or "none")]
    facts += [("pattern", words) for words in found.patterns]
    facts.append(("result", f"{found.broken} of {len(found.properties)} properties broken" if found.broken else "met"))
    rows = [
        {"property": property_.name, "verdict": MARKS[property_.verdict], "what": property_.words}
        for property_ in found.properties
    ]
    tables = [Table("properties", rows, prose=("what",))]
    examples = [
        {"property": property_.name, "at": _shown(property_.example)}
        for property_ in found.properties
        if property_.example is not None
    ]
    if examples:
        tables.append(Table("counterexamples", examples, prose=("at",)))
    return found.where, facts, [brief_rows(one, digits) for one in tables]


def _file_laid_out(found: VerifiedFile) -> Laid:
    """Return facts, and one row per loss of a file: what it should be, its verdict, and what is wrong."""
    losses = len(found.reports)
    facts = [("file", found.file)]
    facts.append(("result", f"{found.broken} of {losses} losses broken" if found.broken else "met"))
    rows = [
        {
            "loss": report.where.rpartition(":")[2],
            "verdict": _verdict(report),
            "reference": report.reference or "none",
            "what": _what(report),
        }
        for report in found.reports
    ]
    first = next((report for report in found.reports if report.broken), found.reports[0])
    facts.append(("more", f"losscli verify {quoted(first.where)}"))
    return found.file, facts, [Table("losses", rows, less=("reference",), prose=("what",))]


def _verdict(report: Verified) -> str:
    if report.broken:
        return MARKS[BROKEN]
    return (
        "no reference" if report.reference is None and report.runs else "skipped" if not report.runs else MARKS["met"]
    )


def _what(report: Verified) -> str:
    """Return what is wrong with a loss in a few words: its patterns, or else the first property that is broken."""
    if report.patterns:
        return "; ".join(report.patterns)
    wrong = [one for one in report.properties if one.verdict == BROKEN or one.name == "call"]
    if wrong:
        return wrong[0].words if wrong[0].name == "call" else f"{wrong[0].name}: {wrong[0].words}"
    if report.reference is None:
        return f"its values are not compared; name a reference: losscli verify {quoted(report.where)} --against SPEC"
    return ""


def _shown(example: "dict[str, object]") -> str:
    return ", ".join(f"{name}: {_short(value)}" for name, value in example.items())


def _short(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_short(item) for item in value) + "]"
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _style(name: str, value: str) -> str:
    return {"result": "bold green" if value == "met" else "bold red", "pattern": "bold yellow"}.get(name, "")


COUNTED = ("tests", "failures", "errors", "skipped")


def junit(found: Verified | VerifiedFile) -> str:
    """Return JUnit XML with one test case per property, and one suite per loss."""
    from losscli.render import junit as xml

    if isinstance(found, Verified):
        return xml.written(_suite(found))
    return xml.written(xml.suites(found.file, [_suite(report) for report in found.reports], COUNTED))


def _suite(found: Verified) -> "Element":
    """Return the test suite of a loss."""
    from losscli.render import junit as xml

    cases = []
    for property_ in found.properties:
        example = "" if property_.example is None else json.dumps(strict(property_.example))
        if property_.verdict == BROKEN:
            text = [property_.words, example, *found.patterns]
            cases.append(xml.Case(property_.name, xml.FAILURE, property_.words, BROKEN, text))
        elif property_.verdict == SKIPPED:
            cases.append(xml.Case(property_.name, xml.SKIPPED, property_.words))
        else:
            out = [f"warning: {property_.words} {example}"] if property_.verdict == "warning" else []
            cases.append(xml.Case(property_.name, out=out))
    return xml.suite(found.where, found.where, cases, COUNTED)
