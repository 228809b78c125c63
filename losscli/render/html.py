"""A result as a small HTML table, for notebooks."""

from html import escape

from losscli.measurement.result import Result
from losscli.render.result import facts_of
from losscli.render.text import IN_MARKDOWN


def table(result: Result) -> str:
    """The facts of a result as a table of two columns, with its signature below; all text is escaped."""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(value)}</td></tr>'
        for name, value in facts_of(result, IN_MARKDOWN)
    )
    return f"<table>{rows}</table><code>{escape(result.signature)}</code>"
