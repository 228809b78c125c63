"""The findings of `losscli check` as a table."""

from itertools import groupby
from typing import TYPE_CHECKING, Any

from losscli.render.screen import Screen, whole
from losscli.render.text import number
from losscli.render.text import report as text_report

if TYPE_CHECKING:
    from losscli.analysis.check import Report
    from losscli.render.text import Laid

CLASSES_SHOWN = 20
COLUMNS_SHOWN = 6
"""The most columns of one role that are named."""
KINDS = {
    "index": "class indices",
    "name": "class names",
    "one-hot": "one-hot rows",
    "soft": "soft targets in [0, 1]",
    "binary": "0 and 1",
    "signed": "-1 and 1",
}
"""Encoding of targets -> its name in the table of a check."""


def _of_operand(role: str, about: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the facts about one operand: its file and shape, its kind with the evidence, and how often its classes occur."""
    shape = " x ".join("*" if length < 0 else f"{length:,}" for length in about.get("shape", ()))
    described = ", ".join([*([shape] if shape else []), *([about["dtype"]] if "dtype" in about else [])])
    facts = [(role, whole(str(about.get("file", "not read"))) + (f": {described}" if described else ""))]
    kind, evidence = about.get("kind"), about.get("evidence")
    if kind:
        facts.append(("", KINDS.get(kind, kind) + (f": {evidence}" if evidence else "")))
    for what in ("classes", "positives"):
        counts = about.get(what, {})
        shown = list(counts.items())[:CLASSES_SHOWN]
        more = f", ... {len(counts) - len(shown):,} more" if len(counts) > len(shown) else ""
        facts += [] if not counts else [(what, ", ".join(f"{whole(name)}: {rows:,}" for name, rows in shown) + more)]
    return facts


def _of_columns(columns: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return a line for each table: its columns by their roles, and why they have them; arrays have no columns to tell."""
    facts = []
    for file in dict.fromkeys(column["file"] for column in columns if "position" in column):
        words = []
        for (role, reason), group in groupby(
            (column for column in columns if column["file"] == file), lambda column: (column["role"], column["reason"])
        ):
            names = [whole(str(column.get("name", column.get("position", 0) + 1)) or "''") for column in group]
            more = f" ... {len(names) - COLUMNS_SHOWN:,} more" if len(names) > COLUMNS_SHOWN else ""
            words.append(f"{', '.join(names[:COLUMNS_SHOWN])}{more} ({role}: {reason})")
        facts.append(("columns", f"{whole(file)}: {'; '.join(words)}"))
    return facts


def _of_rows(about: dict[str, Any], digits: int | None) -> list[tuple[str, str]]:
    """Return the facts about the rows of both files together; `digits` is how many digits numbers have, None for all."""
    facts = []
    read = about.get("read_as")
    if read:
        facts.append(("read as", f"{read['loss']}" + (f", from {read['from']}" if "from" in read else "")))
    for name in ("samples", "ignored", "dropped"):
        if about.get(name):
            facts.append((name, f"{about[name]:,}"))
    for name, meaning in (
        ("accuracy", "labels that are the predicted class"),
        ("majority", "labels of the most frequent class"),
        ("loss", "mean"),
        ("baseline", "mean loss of the best constant prediction"),
        ("shuffled", "mean loss with shuffled labels"),
    ):
        if name in about:
            facts.append((name, f"{number(about[name], digits)} ({meaning})"))
    return facts


def facts_of(report: "Report", digits: int | None) -> list[tuple[str, str]]:
    """Return the facts about files, then the findings, as pairs of name and value."""
    facts = [
        *_of_operand("predictions", report.facts.get("predictions", {})),
        *_of_operand("targets", report.facts.get("targets", {})),
        *_of_columns(report.facts.get("columns", [])),
        *_of_rows(report.facts, digits),
    ]
    facts += [("note", note) for note in report.facts.get("notes", ())]
    facts += [(finding.severity, finding.line()) for finding in report.findings]
    if not report.findings:
        facts.append(("findings", "none"))
    return facts


def laid_out(report: "Report", digits: int | None) -> "Laid":
    """Return a check as a title and facts, with the findings among them."""
    return "check", facts_of(report, digits), []


def checked(report: "Report", screen: Screen) -> str:
    """Return the table of `losscli check`: facts, then findings."""
    styles = {"error": "bold red", "warning": "bold yellow"}
    return text_report(facts_of(report, screen.digits), [], screen, lambda name, value: styles.get(name, ""))
