"""The numbers of several libraries, side by side."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from losscli.io.strict_json import strict_json
from losscli.render.screen import Screen, wrapped
from losscli.render.table import Table, code_lines, laid_out
from losscli.render.text import _markdown_header, apart, markdown_line, number
from losscli.version import __version__
from losscli.wording import on_one_line

if TYPE_CHECKING:
    from losscli.definition.request import Request
    from losscli.measurement.as_library import Side


SINGLE = 1e-6
"""Relative differences up to this are of numbers rounded to float32."""


def sides(
    format: str, request: "Request", own: float | None, found: "Sequence[Side]", screen: Screen = Screen()
) -> str:
    """Return the numbers of several libraries, in a format of standard output or of a file."""
    from losscli.measurement.as_library import lines

    if format in ("json", "jsonl"):
        own_record = {"library": "losscli", "version": __version__, "call": request.loss.name, "value": own}
        records = [own_record, *(side.to_dict() for side in found)]
        if format == "jsonl":
            return "".join(strict_json(record) + "\n" for record in records)
        head = {
            "loss": request.loss.name,
            "parameters": dict(request.loss.parameters),
            "value": own,
            "reduction": request.reduction,
        }
        return strict_json(head | {"as": records[1:]}, indent=2) + "\n"
    values = [own, *(value for side in found for value in (side.value, *(after for _, after in side.steps)))]
    digits = apart(values, screen.digits, SINGLE) if format == "table" else None
    rows = lines(request.loss.name, own, request.reduction, found, lambda value: number(value, digits))
    header = list(rows[0])
    if format in ("csv", "tsv"):
        out = io.StringIO()
        writer = csv.writer(out, delimiter="\t" if format == "tsv" else ",", lineterminator="\n")
        writer.writerows([header, *(list(row.values()) for row in rows)])
        return out.getvalue()
    shown = [{name: text for name, text in row.items() if name != "call"} for row in rows]
    header = list(shown[0])
    if format == "markdown":
        parts = [*_markdown_header(header), *(markdown_line(row.values()) for row in shown)]
        parts += [line for side in _with_calls(found) for line in ("", "```python", *_code(side), "```")]
        return "\n".join(parts) + "\n"
    parts = laid_out(Table("", shown, prose=("difference",)), screen, str)
    if calls := _with_calls(found):
        parts += ["", *wrapped(CALLS, screen.width)]
        parts += [part for side in calls for line in ("", *_code(side)) for part in code_lines(line, screen)]
    return "\n".join(parts) + "\n"


CALLS = "The same in Python, where p, t, w ... are the arrays as numpy.load gives them:"


def _with_calls(found: "Sequence[Side]") -> "list[Side]":
    """Return the libraries that have a call."""
    return [side for side in found if side.call != "-"]


def _code(side: "Side") -> list[str]:
    """Return a library's call as lines of Python, which can be copied."""
    title = f"# {side.library}" + ("" if side.refused is None else f": {side.refused}")
    return [on_one_line(line) for line in (title, *side.imports, side.call)]
