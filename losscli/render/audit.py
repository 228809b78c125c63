"""Reports on an installed library: tables for a terminal, Markdown, and JUnit XML."""

import re
from collections.abc import Iterable
from typing import Any

from losscli.analysis.audit.model import (
    BROKEN,
    CONVENTION,
    DTYPES,
    ENDLESS,
    GRADIENT,
    HOLDS,
    LOST,
    NOT_FINITE,
    REFUSED,
    VALUE,
    WRONG,
    Audited,
    Finding,
)
from losscli.render.screen import Screen
from losscli.render.table import Table
from losscli.render.text import brief_rows, in_markdown, markdown_line, report
from losscli.wording import count

SHORT = {
    WRONG: "WRONG",
    NOT_FINITE: "NaN or inf",
    ENDLESS: "NaN at inf",
    LOST: "loses small",
    CONVENTION: "by convention",
    HOLDS: "holds",
    REFUSED: "not run",
    None: "-",
}
"""Verdict -> what stands in the table of calls."""
LEGEND = (
    (HOLDS, "within 1e-5 of the truth (16 units of a coarser dtype), and small losses have two right digits"),
    (CONVENTION, "not the mathematics, but the mathematics with what the library does besides, such as a clip"),
    (LOST, "small beside 1, or beside the predictions, and rounded away: fewer than two right digits"),
    (ENDLESS, "NaN or inf at an infinite logit, where the loss has a limit"),
    (NOT_FINITE, "NaN or inf, and the truth is a number that the dtype holds"),
    (WRONG, "farther off than that, and neither the mathematics nor the convention that losscli knows"),
)
"""What the words of the table mean, in one line each."""


FUNCTION = re.compile(r"(\w+)\(")


def name_of(call: str) -> str:
    """Return the name of a call's function, without its module and what takes the mean."""
    functions = FUNCTION.findall(call)
    return next((name for name in functions if name != "reduce_mean"), call)


def names(found: Audited) -> list[str]:
    """Return the name of each call's function without its module, and with its loss or kind where several have that name."""
    plain = [name_of(call.call) for call in found.calls]
    made = []
    for name, call in zip(plain, found.calls, strict=True):
        alike = [other for one, other in zip(plain, found.calls, strict=True) if one == name]
        kind = call.loss if len({other.loss for other in alike}) > 1 else call.prediction_kind
        made.append(f"{name}, {kind}" if len(alike) > 1 and kind else name)
    return made


def facts(found: Audited) -> list[tuple[str, str]]:
    """Return what was audited, with what, and the result in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    points = sum(tried.points for call in found.calls for tried in call.tried.values())
    result = f"{found.broken} of {count(len(found.calls), 'call')} broken" if found.broken else "met"
    return [
        ("library", found.title),
        ("versions", versions),
        ("truth", f"formulas in {found.digits} digits, at {points:,} points"),
        ("result", result),
    ]


def tables(found: Audited) -> list[Table]:
    """Return the tables: all calls, then examples of what does not hold, of conventions, and what was not run."""
    calls = [
        {
            "call": name,
            "loss": call.loss,
            "value": SHORT[call.verdict_of(VALUE)],
            "gradient": SHORT[call.verdict_of(GRADIENT)],
        }
        for name, call in zip(names(found), found.calls, strict=True)
    ]
    broken = list(_examples(found, (WRONG, NOT_FINITE)))
    warned = list(_examples(found, (ENDLESS, LOST)))
    return [
        Table("calls", calls, less=("loss",)),
        Table("broken", broken, less=("dtypes",), prose=("what", "dtypes", "example")),
        Table("warnings", warned, less=("dtypes",), prose=("what", "dtypes", "example")),
        Table("by convention", list(_conventions(found)), prose=("convention", "example")),
        Table("not run", list(_refused(found)), less=("in",), prose=("in", "why")),
    ]


def _refused(found: Audited) -> Iterable[dict[str, Any]]:
    """Yield what was not run: a row for each reason of a call."""
    for name, call in zip(names(found), found.calls, strict=True):
        for why in dict.fromkeys(call.refused.values()):
            yield {
                "call": name,
                "in": ", ".join(dtype for dtype, one in call.refused.items() if one == why),
                "why": why,
            }


def _examples(found: Audited, verdicts: tuple[str, ...]) -> Iterable[dict[str, Any]]:
    for name, call in zip(names(found), found.calls, strict=True):
        for finding in call.findings:
            if finding.verdict in verdicts:
                yield {
                    "call": name,
                    "what": f"{finding.of}: {SHORT[finding.verdict]}",
                    "dtypes": _dtypes(finding),
                    "example": at(finding.example),
                    "gives": _short(finding.example[finding.of]),
                    "truth": _short(finding.example["truth"]),
                }


def _dtypes(finding: Finding) -> str:
    """Return the dtypes of a finding; of small losses, below which size they are lost."""
    if finding.up_to:
        sizes = {dtype: f" < {size:.1g}" for dtype, size in finding.up_to.items()}
        return ", ".join(dtype + sizes.get(dtype, "") for dtype in finding.dtypes)
    return "all" if len(finding.dtypes) == len(DTYPES) else ", ".join(finding.dtypes)


def _conventions(found: Audited) -> Iterable[dict[str, Any]]:
    for name, call in zip(names(found), found.calls, strict=True):
        finding = next((finding for finding in call.findings if finding.verdict == CONVENTION), None)
        if finding is not None:
            yield {
                "call": name,
                "convention": "; ".join(finding.convention),
                "example": at(finding.example),
                "gives": _short(finding.example[finding.of]),
                "mathematics": _short(finding.example["truth"]).replace("nan", "undefined"),
            }


HIDDEN = ("dtype", VALUE, GRADIENT, "truth")
LETTERS = {"predictions": "p", "targets": "t"}


def at(example: Any) -> str:
    """Return the operands of an example in one line, in the letters of the calls."""
    parts = [f"{LETTERS.get(name, name)} = {_short(x)}" for name, x in example.items() if name not in HIDDEN]
    return ", ".join(parts) + f" ({example['dtype']})"


def _short(x: Any) -> str:
    if isinstance(x, list):
        return _short(x[0]) if len(x) == 1 else "[" + ", ".join(map(_short, x)) + "]"
    return f"{x:.7g}" if isinstance(x, float) else str(x)


def table(found: Audited, screen: Screen) -> str:
    """Return the report for a terminal or a file."""
    shown = [brief_rows(table, screen.digits) for table in tables(found)]
    return report(facts(found), shown, screen, _style)


def _style(name: str, value: str) -> str:
    return {"result": "bold green" if value == "met" else "bold red"}.get(name, "")


def markdown(found: Audited) -> str:
    """Return the report in Markdown, with what its words mean."""
    lines = [
        f"# Audit of {in_markdown(found.title)}",
        "",
        *(f"- {name}: {in_markdown(value)}" for name, value in facts(found)),
        "",
    ]
    for title, rows, *_ in tables(found):
        if rows:
            header = list(rows[0])
            lines += [f"**{title.capitalize()}**", "", markdown_line(header), "|" + " --- |" * len(header)]
            lines += [*(markdown_line(row.values()) for row in rows), ""]
    return "\n".join(lines) + "\n" + legend()


def legend() -> str:
    """Return what the words of the tables mean, as a list in Markdown."""
    return "".join(f"- **{SHORT[verdict]}**: {words}.\n" for verdict, words in LEGEND)


def _line(finding: Finding) -> str:
    """Return a finding in one line."""
    gives, truth = (_short(finding.example[name]) for name in (finding.of, "truth"))
    return f"{finding.of}: {SHORT[finding.verdict]} in {_dtypes(finding)}: {at(finding.example)} gives {gives}, truth {truth}"


def junit(found: Audited) -> str:
    """Return JUnit XML with one test case for each call; warnings are output of their cases."""
    from losscli.render import junit as xml

    cases = []
    for call in found.calls:
        name = f"{call.call} [{call.loss}]"
        if call.verdict == REFUSED:
            cases.append(
                xml.Case(name, xml.SKIPPED, "; ".join(f"{dtype}: {why}" for dtype, why in call.refused.items()))
            )
            continue
        lines = [_line(finding) for finding in call.findings]
        if call.verdict in BROKEN:
            cases.append(xml.Case(name, xml.FAILURE, lines[0], call.verdict, lines))
        else:
            cases.append(xml.Case(name, out=lines))
    return xml.written(
        xml.suite(f"audit {found.title}", found.library, cases, ("tests", "failures", "errors", "skipped"))
    )
