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


def sides(format: str, request: "Request", own: float, found: "Sequence[Side]", full: bool) -> str:
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
    if format == "markdown":
        return "\n".join([*_markdown_header(header), *(markdown_line(row.values()) for row in rows)]) + "\n"
    if format in ("csv", "tsv"):
        out = io.StringIO()
        writer = csv.writer(out, delimiter="\t" if format == "tsv" else ",", lineterminator="\n")
        writer.writerows([header, *(list(row.values()) for row in rows)])
        return out.getvalue()
    return "\n".join(_boxed(rows, dict.fromkeys(header, False))) + "\n"
