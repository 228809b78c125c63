"""The findings of `losscli check` as a table."""

from typing import TYPE_CHECKING

from losscli.render.text import _clean, _console, _facts_table, _plain, number

if TYPE_CHECKING:
    from losscli.analysis.check import Report

CLASSES_SHOWN = 20
KINDS = {
    "index": "class indices",
    "name": "class names",
    "one-hot": "one-hot rows",
    "soft": "soft targets in [0, 1]",
    "binary": "0 and 1",
    "signed": "-1 and 1",
}
"""Encoding of targets -> its name in the table of a check."""


def checked(report: "Report", terminal: bool, width: int) -> str:
    """Return the table of `losscli check`: facts, then findings."""
    full = not terminal
    facts = []
    for role in ("predictions", "targets"):
        about_file = report.facts.get(role, {})
        shape = " x ".join(f"{length:,}" for length in about_file.get("shape", ()))
        described = ", ".join([*([shape] if shape else []), *([about_file["dtype"]] if "dtype" in about_file else [])])
        facts.append((role, f"{about_file.get('file', 'not read')}" + (f": {described}" if described else "")))
        kind, evidence = about_file.get("kind"), about_file.get("evidence")
        if kind:
            facts.append(("", KINDS.get(kind, kind) + (f": {evidence}" if evidence else "")))
        for what in ("classes", "positives"):
            counts = about_file.get(what, {})
            shown = list(counts.items())[:CLASSES_SHOWN]
            more = f", ... {len(counts) - len(shown):,} more" if len(counts) > len(shown) else ""
            facts += [] if not counts else [(what, ", ".join(f"{name}: {rows:,}" for name, rows in shown) + more)]
    read = report.facts.get("read_as")
    if read:
        facts.append(("read as", f"{read['loss']}" + (f", from {read['from']}" if "from" in read else "")))
    for name in ("samples", "ignored", "dropped"):
        if report.facts.get(name):
            facts.append((name, f"{report.facts[name]:,}"))
    for name, meaning in (
        ("accuracy", "labels that are the predicted class"),
        ("majority", "labels of the most frequent class"),
        ("loss", "mean"),
        ("baseline", "mean loss of the best constant prediction"),
        ("shuffled", "mean loss with shuffled labels"),
    ):
        if name in report.facts:
            facts.append((name, f"{number(report.facts[name], full)} ({meaning})"))
    facts += [("note", note) for note in report.facts.get("notes", ())]
    facts += [(finding.severity, finding.line()) for finding in report.findings]
    if not report.findings:
        facts.append(("findings", "none"))
    facts = _clean(facts)
    if terminal:
        styles = {"error": "bold red", "warning": "bold yellow"}
        return _console(width, [_facts_table(facts, lambda name, value: styles.get(name, ""))])
    return "\n".join([*_plain(facts), ""])
