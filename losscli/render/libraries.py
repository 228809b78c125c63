"""The numbers of several libraries, side by side."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from losscli.io.strict_json import strict_json
from losscli.render.text import _boxed, _markdown_header, markdown_line, number
from losscli.version import __version__

if TYPE_CHECKING:
    from losscli.definition.request import Request
    from losscli.measurement.as_library import Side


def sides(format: str, request: "Request", own: float | None, found: "Sequence[Side]", full: bool) -> str:
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
    rows = lines(request.loss.name, own, request.reduction, found, lambda value: number(value, full))
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
    parts = _boxed(shown, dict.fromkeys(header, False))
    if calls := _with_calls(found):
        parts += ["", CALLS]
        parts += [line for side in calls for line in ("", *_code(side))]
    return "\n".join(parts) + "\n"


CALLS = "The same in Python, where p, t, w ... are the arrays as numpy.load gives them:"


def _with_calls(found: "Sequence[Side]") -> "list[Side]":
    """Return the libraries that have a call."""
    return [side for side in found if side.call != "-"]


def _code(side: "Side") -> list[str]:
    """Return a library's call as lines of Python, which are never cut, so that they can be copied."""
    return [f"# {side.library}" + ("" if side.refused is None else f": {side.refused}"), *side.imports, side.call]
