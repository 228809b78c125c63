"""The history of measurements as a table, with a small curve for each."""

import math
from typing import TYPE_CHECKING, Any

from losscli.wording import count

if TYPE_CHECKING:
    from losscli.analysis.history import History, Series
    from losscli.render.text import Laid

LESS = ("best in", "results", "best", "first", "curve")
"""Columns that may be left out."""


def laid_out(found: "History", digits: int | None, encoding: str | None) -> "Laid":
    """Return a history as a title, facts and tables; `encoding` is that of the output, for the curves."""
    from losscli.render.sparkline import ABSENT, BREAK, INFINITE, MISSING
    from losscli.render.table import Table

    facts = [
        ("statistic", found.statistic),
        ("files", f"{len(found.files):,}: {found.files[0]}" + (f" ... {found.files[-1]}" if found.files[1:] else "")),
    ]
    rows = [_row(series, digits, encoding) for series in found.series]
    curves = "".join(str(row["curve"]) for row in rows)
    marks = {
        MISSING: "no number",
        INFINITE: "infinite",
        ABSENT: "not in the file",
        BREAK: "other conventions from here on",
    }
    used = [f"{mark} {words}" for mark, words in marks.items() if mark in curves]
    facts += [("in curves", ", ".join(used))] if used else []
    numbers = ("first", "last", "best", "change")
    tables = [Table("measurements", rows, LESS, numbers=numbers)]
    changes = [
        {"measurement": series.name, "from": one.file, "conventions": one.words}
        for series in found.series
        for one in series.changes
    ]
    if changes:
        title = "other conventions: first, best and change are of the results since then"
        tables.append(Table(title, changes, prose=("conventions",)))
    return f"losscli history: {count(len(found.series), 'measurement')}", facts, tables


def _row(series: "Series", digits: int | None, encoding: str | None) -> dict[str, Any]:
    """Return the row of a measurement."""
    from losscli.render.sparkline import series as curve
    from losscli.render.text import number

    points, best = series.comparable, series.best
    present = [point.signature is not None for point in series.points]
    breaks = [one.number for one in series.changes]
    share = 100 * series.change
    return {
        "measurement": series.name,
        "curve": curve([point.value for point in series.points], present, breaks, encoding),
        "results": sum(present),
        "first": number(points[0].value if points else None, digits),
        "last": number(series.last.value, digits),
        "best": number(None if best is None else best.value, digits),
        "change": f"{share:+.3g} %" if math.isfinite(share) else "-",
        "best in": "-" if best is None else best.file,
    }
