"""A result as table, JSON, Markdown or a bare number. Everything here returns text; nothing prints."""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from losscli.io.strict_json import strict, strict_json
from losscli.wording import printable

FORMATS = ("table", "json", "jsonl", "csv", "tsv", "markdown", "value")
ROW_FORMATS = ("jsonl", "csv", "tsv")
TABLE_ROWS = 20
LIST_ITEMS = 4
BARS = 30

Row = Mapping[str, Any]


def number(value: float | None, full: bool) -> str:
    """A number for people: 7 digits on a terminal, all of them elsewhere."""
    if value is None:
        return "-"
    return (
        repr(float(value)) if full and not float(value).is_integer() else f"{value:.7g}" if not full else f"{value!r}"
    )


def _clean(facts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Facts without control characters, which names of files and classes may have."""
    return [(printable(name), printable(" ".join(value.splitlines()))) for name, value in facts]


def _plain(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Facts as lines, their values below each other."""
    wide = max(len(name) for name, _ in facts)
    return [f"{name:<{wide}}  {value}" for name, value in facts]


def _boxed(rows: Sequence[Mapping[str, str]], numeric: Mapping[str, bool]) -> list[str]:
    """Rows in a frame of characters that every terminal and file has; rich would take longer to load than all else."""
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
    """Columns that a text takes: those of East Asian scripts take two a character."""
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


Listed = tuple[str, Sequence[Row]]
"""A title, and rows that stand under it in a frame."""


def report(
    facts: Sequence[tuple[str, str]],
    tables: Sequence[Listed],
    terminal: bool,
    width: int,
    styles: Callable[[str, str], str] = lambda name, value: "",
) -> str:
    """Facts, then tables: sized to their content; on a terminal with colour, elsewhere plain and never cut."""
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
    """The same as Markdown, for step summaries of CI."""
    lines = [*_markdown_header(["", title]), *map(markdown_line, facts)]
    for name, rows in tables:
        if rows:
            lines += ["", printable(name), "", *_markdown_header(list(rows[0]))]
            lines += [markdown_line(cell(value, full=False) for value in row.values()) for row in rows]
    return "\n".join([*lines, ""])


def rows_in(format: str, rows: Sequence[Row]) -> str:
    """Rows as JSON lines, CSV or TSV; there, lists are columns of their own, and what is missing is empty."""
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
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name == "interval":
            found |= dict(zip(("low", "high"), value, strict=True))
        elif isinstance(value, list):
            found |= {f"{name}_{i}": item for i, item in enumerate(value)}
        else:
            found[name] = value
    return found


def _framed(rows: Sequence[Mapping[str, str]], numeric: Mapping[str, bool]) -> Any:
    """Rows in a table of rich's."""
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
    """Names and values in two columns, through rich."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan")
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name), Text(value, style(name, value)))
    return table


def _console(width: int, parts: Sequence[Any], line: Any = None) -> str:
    """What rich makes of tables and text on a terminal of a width, and of a line that is not cut."""
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
    if isinstance(value, float):
        return number(value, full)
    if isinstance(value, list):
        if full:
            return json.dumps(strict(value), ensure_ascii=False)
        shown = ", ".join(f"{item:.4g}" for item in value[:LIST_ITEMS])
        return f"[{shown}{', ...' if len(value) > LIST_ITEMS else ''}]"
    return str(value)


def markdown_line(cells: Iterable[Any]) -> str:
    """A row of a table in Markdown."""
    return "| " + " | ".join(printable(cell(value)).replace("|", "\\|").replace("\n", " ") for value in cells) + " |"


def _markdown_header(header: Sequence[str]) -> list[str]:
    return [markdown_line(header), "|" + " --- |" * len(header)]


Laid = tuple[str, list[tuple[str, str]], list[tuple[str, list[dict[str, Any]]]]]
"""A title, facts, and tables with titles of their own."""
