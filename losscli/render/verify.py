"""Reports on a loss of the user's own: a table, and JUnit XML."""

import json

from losscli.analysis.verify.model import BROKEN, SKIPPED, Verified
from losscli.io.strict_json import strict
from losscli.render.screen import Screen
from losscli.render.table import Table
from losscli.render.text import brief_rows, report

MARKS = {"met": "met", BROKEN: "BROKEN", "warning": "warning", SKIPPED: "skipped"}


def table(found: Verified, screen: Screen) -> str:
    """Return facts, then one row per property, then the counterexamples."""
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
    return report(facts, [brief_rows(one, screen.digits) for one in tables], screen, _style)


def _shown(example: "dict[str, object]") -> str:
    return ", ".join(f"{name}: {_short(value)}" for name, value in example.items())


def _short(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_short(item) for item in value) + "]"
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _style(name: str, value: str) -> str:
    return {"result": "bold green" if value == "met" else "bold red", "pattern": "bold yellow"}.get(name, "")


def junit(found: Verified) -> str:
    """Return JUnit XML with one test case per property."""
    from losscli.render import junit as xml

    cases = []
    for property_ in found.properties:
        example = "" if property_.example is None else json.dumps(strict(property_.example))
        if property_.verdict == BROKEN:
            text = "\n".join([property_.words, example, *found.patterns])
            cases.append(xml.Case(property_.name, xml.FAILURE, property_.words, BROKEN, text))
        elif property_.verdict == SKIPPED:
            cases.append(xml.Case(property_.name, xml.SKIPPED, property_.words))
        else:
            out = f"warning: {property_.words} {example}" if property_.verdict == "warning" else ""
            cases.append(xml.Case(property_.name, out=out))
    return xml.written(xml.suite(found.where, found.where, cases, ("tests", "failures", "errors", "skipped")))
