"""Class centers as a table."""

from typing import TYPE_CHECKING

from losscli.render.screen import Screen
from losscli.render.table import Table
from losscli.render.text import TABLE_ROWS, number, report

if TYPE_CHECKING:
    from losscli.analysis.centers import Centers


LESS = (("nearest", "distance"), "loss_before", "loss_after")
"""Columns that may be left out."""


def center_table(found: "Centers", screen: Screen) -> str:
    """Return the table of `losscli centers`: facts, then one line per class."""
    record, k = found.to_dict(), len(found.after)
    alpha = "" if found.alpha is None else f", alpha = {number(found.alpha, screen.digits)}"
    ignored = f" ({found.ignored:,} ignored)" if found.ignored else ""
    facts = [
        ("update", f"{found.update}: {record['rule']}{alpha}"),
        ("samples", f"{found.samples:,}{ignored}"),
        ("centers", f"{k:,} x {found.after.shape[1]:,}"),
        *(
            (f"loss {when}", number(record[f"loss_{when}"], screen.digits))
            for when in ("before", "after")[found.before is None :]
        ),
    ]
    shown = [name for name, value in record["classes"][0].items() if value is not None or found.before is not None]
    rows = [
        {name: "-" if line[name] is None else line[name] for name in shown} for line in record["classes"][:TABLE_ROWS]
    ]
    more = f"; {k - TABLE_ROWS:,} more, --format json has them all" if k > TABLE_ROWS else ""
    return report(facts, [Table(f"classes{more}", rows, LESS)], screen)
