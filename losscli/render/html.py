"""A result as a small HTML table, for notebooks."""

from html import escape

from losscli.measurement.result import Result
from losscli.render import slices
from losscli.render.result import facts_of
from losscli.render.table import Table
from losscli.render.text import IN_MARKDOWN, cell


def table(result: Result) -> str:
    """The facts of a result as a table of two columns, with its signature below; all text is escaped."""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(value)}</td></tr>'
        for name, value in facts_of(result, IN_MARKDOWN)
    )
    sliced = "".join(map(_of_slices, slices.tables({result.reduction: result}, IN_MARKDOWN)))
    return f"<table>{rows}</table>{sliced}<code>{escape(result.signature)}</code>"


def _of_slices(table: Table) -> str:
    """A table with a row for each slice, below its title."""
    header = "".join(f"<th>{escape(name)}</th>" for name in table.rows[0])
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell(value, IN_MARKDOWN))}</td>" for value in row.values()) + "</tr>"
        for row in table.rows
    )
    return f"<table><caption>{escape(table.title)}</caption><tr>{header}</tr>{rows}</table>"
