"""Reports on a loss of the user's own: a table, and JUnit XML."""

import json

from losscli.analysis.verify.model import BROKEN, SKIPPED, Verified
from losscli.io.strict_json import strict
from losscli.render.text import report

MARKS = {"met": "met", BROKEN: "BROKEN", "warning": "warning", SKIPPED: "skipped"}


def table(found: Verified, terminal: bool, width: int) -> str:
    """Facts, then a property a row, then the counterexamples of those that have one."""
    facts = [("loss", found.described), ("reference", found.reference or "none")]
    facts += [("pattern", words) for words in found.patterns]
    facts.append(("result", f"{found.broken} of {len(found.properties)} properties broken" if found.broken else "met"))
    rows = [{"property": one.name, "verdict": MARKS[one.verdict], "what": one.words} for one in found.properties]
    tables = [("properties", rows)]
    examples = [
        {"property": one.name, "at": _shown(one.example)} for one in found.properties if one.example is not None
    ]
    if examples:
        tables.append(("counterexamples", examples))
    return report(facts, tables, terminal, width, _style)


def _shown(example: "dict[str, object]") -> str:
    return ", ".join(f"{name}: {_short(value)}" for name, value in example.items())


def _short(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_short(item) for item in value) + "]"
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _style(name: str, value: str) -> str:
    return {"result": "bold green" if value == "met" else "bold red", "pattern": "bold yellow"}.get(name, "")


def junit(found: Verified) -> str:
    """A test case a property."""
    from losscli.render import junit as xml

    cases = []
    for one in found.properties:
        example = "" if one.example is None else json.dumps(strict(one.example))
        if one.verdict == BROKEN:
            text = "\n".join([one.words, example, *found.patterns])
            cases.append(xml.Case(one.name, xml.FAILURE, one.words, BROKEN, text))
        elif one.verdict == SKIPPED:
            cases.append(xml.Case(one.name, xml.SKIPPED, one.words))
        else:
            out = f"warning: {one.words} {example}" if one.verdict == "warning" else ""
            cases.append(xml.Case(one.name, out=out))
    return xml.written(xml.suite(found.where, found.where, cases, ("tests", "failures", "errors", "skipped")))
