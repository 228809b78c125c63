"""Building blocks of reports: numbers, facts and tables as text for terminals, files, Markdown, CSV and JSON lines.

Everything here returns text; nothing prints.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_args

from losscli.io.rows import Layout
from losscli.io.strict_json import strict, strict_json
from losscli.render.words import RowFormat
from losscli.wording import printable

ROW_FORMATS: tuple[str, ...] = get_args(RowFormat)
TABLE_ROWS = 20
LIST_ITEMS = 4
BARS = 30

Row = Mapping[str, Any]


def number(value: float | None, full: bool) -> str:
    """Return a number for people: 7 digits if not `full`, otherwise all digits; '-' for None."""
    if value is None:
        return "-"
    return (
        repr(float(value)) if full and not float(value).is_integer() else f"{value:.7g}" if not full else f"{value!r}"
    )


def _clean(facts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return facts without control characters, which names of files and classes may contain."""
    return [(printable(name), printable(" ".join(value.splitlines()))) for name, value in facts]


def _plain(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Return facts as lines, with the values in a column."""
    wide = max(len(name) for name, _ in facts)
    return [f"{name:<{wide}}  {value}" for name, value in facts]


def _boxed(rows: Sequence[Mapping[str, str]], numeric: Mapping[str, bool]) -> list[str]:
    """Return rows in a frame of ASCII characters. Rich would take longer to import than everything else takes."""
    rows = [{name: " ".join(text.splitlines()) for name, text in row.items()} for row in rows]
    widths = {name: max(_width(text) for text in (name, *(row[name] for row in rows))) for name in numeric}
    rule = "+" + "+".join("-" * (width + 2) for width in widths.values()) + "+"

    def line(cells: Mapping[str, str]) -> str:
        parts = []
        for name, width in widths.items():
            room = " " * (width - _width(cells[name]))
            parts.append(room + cells[name] if numeric[name] else cells[name] + room)
        return "| " + " | ".join(parts) + " |"

    return [rule, line({name: name for name in numeric}), rule, *map(line, rows), rule]


def _width(text: str) -> int:
    """Return the number of columns that a text takes on a terminal; East Asian characters take two."""
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


Listed = tuple[str, Sequence[Row]]
"""A title, and the rows below it in a frame."""


def report(
    facts: Sequence[tuple[str, str]],
    tables: Sequence[Listed],
    terminal: bool,
    width: int,
    styles: Callable[[str, str], str] = lambda name, value: "",
) -> str:
    """Return facts, then tables, as wide as their content; for a terminal with colours, otherwise plain
    and never cut.
    """
    facts = _clean(facts)
    framed = []
    for title, rows in tables:
        shown = [
            {printable(name): printable(cell(value, full=not terminal)) for name, value in row.items()} for row in rows
        ]
        numeric = {printable(name): isinstance(value, float | int) for name, value in rows[0].items()} if rows else {}
        if rows:
            framed.append((printable(title), shown, numeric))
    if not terminal:
        lines = _plain(facts)
        for title, shown, numeric in framed:
            lines += ["", title, *_boxed(shown, numeric)]
        return "\n".join([*lines, ""])
    from rich.text import Text

    parts: list[Any] = [_facts_table(facts, styles)]
    for title, shown, numeric in framed:
        parts += [Text(f"\n{title}", "bold"), _framed(shown, numeric)]
    return _console(width, parts)


def report_in_markdown(title: str, facts: Sequence[tuple[str, str]], tables: Sequence[Listed]) -> str:
    """Return facts and tables as Markdown, for step summaries of CI."""
    lines = [*_markdown_header(["", title]), *map(markdown_line, facts)]
    for name, rows in tables:
        if rows:
            lines += ["", printable(name), "", *_markdown_header(list(rows[0]))]
            lines += [markdown_line(cell(value, full=False) for value in row.values()) for row in rows]
    return "\n".join([*lines, ""])


def rows_in(format: str, rows: Sequence[Row]) -> str:
    """Return rows as JSON lines, CSV or TSV. In CSV and TSV, items of lists have columns
    of their own, and None is empty.
    """
    if format == "jsonl":
        return "".join(strict_json(row) + "\n" for row in rows)
    flat = [_flattened(row) for row in rows]
    out = io.StringIO()
    writer = csv.DictWriter(
        out, list(flat[0]) if flat else [], delimiter="\t" if format == "tsv" else ",", lineterminator="\n"
    )
    if flat:
        writer.writeheader()
        writer.writerows(flat)
    return out.getvalue()


def _flattened(row: Row) -> dict[str, Any]:
    """Return a row whose lists are split into several columns."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name == "interval":
            flat |= dict(zip(("low", "high"), value, strict=True))
        elif isinstance(value, list):
            flat |= {f"{name}_{i}": item for i, item in enumerate(value)}
        else:
            flat[name] = value
    return flat


def _framed(rows: Sequence[Mapping[str, str]], numeric: Mapping[str, bool]) -> Any:
    """Return rows in a table of Rich."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    listed = Table(box=box.ROUNDED)
    for name, right in numeric.items():
        listed.add_column(Text(str(name)), justify="right" if right else "left", overflow="fold")
    for row in rows:
        listed.add_row(*map(Text, row.values()))
    return listed


def _facts_table(facts: Sequence[tuple[str, str]], style: Callable[[str, str], str]) -> Any:
    """Return names and values in two columns, as a table of Rich."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan")
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name), Text(value, style(name, value)))
    return table


def _console(width: int, parts: Sequence[Any], line: Any = None) -> str:
    """Return tables and text as Rich prints them on a terminal of this width, and a line that is not cut."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, width=width, height=100, highlight=False, emoji=False, legacy_windows=False
    )
    for part in parts:
        console.print(part)
    if line is not None:
        console.print(line, soft_wrap=True)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def cell(value: Any, full: bool = True) -> str:
    """Return the text of a cell of a table."""
    if isinstance(value, float):
        return number(value, full)
    if isinstance(value, list):
        if full:
            return json.dumps(strict(value), ensure_ascii=False)
        shown = ", ".join(f"{item:.4g}" for item in value[:LIST_ITEMS])
        return f"[{shown}{', ...' if len(value) > LIST_ITEMS else ''}]"
    return str(value)


def markdown_line(cells: Iterable[Any]) -> str:
    """Return a row of a table in Markdown."""
    return "| " + " | ".join(_in_markdown(cell(value)) for value in cells) + " |"


def _in_markdown(text: str) -> str:
    return printable(text).replace("|", "\\|").replace("\n", " ")


MARKDOWN = Layout(
    lambda i, name: " | " if i else "| ",
    " |\n",
    "",
    "[^A-Za-z0-9 .,:-]",
    _in_markdown,
    lambda row: markdown_line(row.values()) + "\n",
)
"""A row of a table in Markdown, for many rows at once."""


def _markdown_header(header: Sequence[str]) -> list[str]:
    return [markdown_line(header), "|" + " --- |" * len(header)]


Laid = tuple[str, list[tuple[str, str]], list[tuple[str, list[dict[str, Any]]]]]
"""A title, facts, and tables with titles of their own."""
