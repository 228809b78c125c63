"""Results of the functions of `import losscli` as text and as HTML: what is printed, and what a notebook shows."""

import sys
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from losscli.render.screen import Screen
from losscli.render.table import Table
from losscli.render.text import IN_MARKDOWN, Laid, cell, report
from losscli.wording import printable

LEFT = ' style="text-align:left"'


def text(found: Any) -> str:
    """Return a result as its command's table; as wide as the terminal, if Python writes to one, and without colours."""
    screen = Screen.of(sys.stdout)._replace(colour=False, encoding=getattr(sys.stdout, "encoding", None) or "utf-8")
    kind = type(found).__name__
    if kind in WHOLE:
        return WHOLE[kind](found, screen).rstrip("\n")
    _, facts, tables = LAID[kind](found, screen.digits)
    return report(facts, tables, screen).rstrip("\n")


def html(found: Any) -> str:
    """Return a result as HTML tables, with 7 digits; all text is escaped."""
    kind = type(found).__name__
    if kind not in LAID:
        return f"<pre>{escape(WHOLE[kind](found, Screen()))}</pre>"
    _, facts, tables = LAID[kind](found, IN_MARKDOWN)
    return _of_facts(facts) + "".join(map(_of_table, tables))


def _of_facts(facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th{LEFT}>{_safe(name)}</th><td{LEFT}>{_safe(value)}</td></tr>" for name, value in facts)
    return f"<table>{rows}</table>" if rows else ""


def _of_table(table: Table) -> str:
    """Return a table with its title; '' if it has no rows."""
    if not table.rows:
        return ""
    head = "".join(f"<th{LEFT}>{_safe(name)}</th>" for name in table.rows[0])
    rows = "".join(
        "<tr>" + "".join(f"<td{LEFT}>{_safe(cell(value, IN_MARKDOWN))}</td>" for value in row.values()) + "</tr>"
        for row in table.rows
    )
    caption = f"<p><b>{_safe(table.title)}</b></p>" if table.title else ""
    return f"{caption}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _safe(words: str) -> str:
    return escape(printable(words))


def _result(found: Any, screen: Screen) -> str:
    from losscli.render.result import to_table

    return to_table(found, None, screen)


def _result_laid_out(found: Any, digits: int | None) -> Laid:
    from losscli.render import slices
    from losscli.render.result import facts_of

    facts = [*facts_of(found, digits), ("signature", found.signature)]
    return found.loss, facts, slices.tables({found.reduction: found}, digits)


def _report(found: Any, screen: Screen) -> str:
    from losscli.render.check import checked

    return checked(found, screen)


def _report_laid_out(found: Any, digits: int | None) -> Laid:
    from losscli.render.check import facts_of

    return "check", facts_of(found, digits), []


def _calibrated(found: Any, screen: Screen) -> str:
    from losscli.render.calibrate import calibrated

    return calibrated(found, screen)


def _calibrated_laid_out(found: Any, digits: int | None) -> Laid:
    from losscli.render.calibrate import parts

    return parts(found, digits)


def _explained(found: Any, screen: Screen) -> str:
    from losscli.render.catalogue import described, described_word

    return described_word(found, screen) if found.bound is None else described(found.bound, screen, typed=found.typed)


def _sums(found: Any, digits: int | None) -> Laid:
    from losscli.render.sums import laid_out

    return laid_out(found, digits)


def _several(found: Any, digits: int | None) -> Laid:
    from losscli.render.several import laid_out

    return laid_out(found, digits)


def _compared(found: Any, digits: int | None) -> Laid:
    from losscli.render.compare import laid_out

    return laid_out(found, digits)


def _ranked(found: Any, digits: int | None) -> Laid:
    from losscli.render.rank import laid_out

    return laid_out(found, digits)


def _history(found: Any, digits: int | None) -> Laid:
    from losscli.render.history import laid_out

    return laid_out(found, digits, "utf-8")


def _verified(found: Any, digits: int | None) -> Laid:
    from losscli.render.verify import laid_out

    return laid_out(found, digits)


def _audited(found: Any, digits: int | None) -> Laid:
    from losscli.render.audit import facts, tables

    return found.title, facts(found), tables(found)


def _curves(found: Any, digits: int | None) -> Laid:
    from losscli.render.curves import laid_out

    return laid_out(found if isinstance(found, list) else [found], digits)


WHOLE: dict[str, Callable[[Any, Screen], str]] = {
    "Result": _result,
    "Report": _report,
    "Calibrated": _calibrated,
    "Explained": _explained,
}
"""The results that are text as a whole: name of the class -> the function that writes it. Their modules are loaded when they are needed."""
LAID: dict[str, Callable[[Any, int | None], Laid]] = {
    "Result": _result_laid_out,
    "Report": _report_laid_out,
    "Calibrated": _calibrated_laid_out,
    "Summed": _sums,
    "Several": _several,
    "Compared": _compared,
    "Ranked": _ranked,
    "History": _history,
    "Verified": _verified,
    "VerifiedFile": _verified,
    "Audited": _audited,
    "Curve": _curves,
    "Curves": _curves,
}
"""The results that are facts and tables: name of the class -> the function that lays them out with so many digits, None for all."""
