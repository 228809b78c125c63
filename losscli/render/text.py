"""Building blocks of reports: numbers, facts and tables as text for terminals, files, Markdown, CSV and JSON lines.

Everything here returns text; nothing prints.
"""

import io
import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from losscli.io.rows import Layout
from losscli.io.strict_json import strict, strict_json
from losscli.render.screen import GLUE, Screen, width_of, wrapped
from losscli.render.table import Row, Table, laid_out
from losscli.wording import on_one_line

TABLE_ROWS = 20
LIST_ITEMS = 4
BARS = 30
IN_MARKDOWN = 7
"""Digits of numbers in Markdown and in notebooks."""


def number(value: float | None, digits: int | None) -> str:
    """Return a number for people: with all its digits if `digits` is None, otherwise with so many; '-' for None.

    Few digits never hide how large a whole part is, as long as it has no more than seven.
    """
    if value is None:
        return "-"
    if digits is None:
        return repr(float(value)) if not float(value).is_integer() else f"{value!r}"
    if digits < IN_MARKDOWN and 10**digits <= abs(value) < 10**IN_MARKDOWN - 0.5:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def against(value: float | None, limit: float, digits: int | None) -> str:
    """Return a number with as many digits as show on which side of a limit it is."""
    if value is None or digits is None or value == limit:
        return number(value, digits)
    enough = (text for more in range(digits, 18) if (float(text := number(value, more)) < limit) == (value < limit))
    return next((text for text in enough if float(text) != limit), number(value, None))


def apart(values: Iterable[float | None], digits: int | None, same: float) -> int | None:
    """Return how many digits tell unequal numbers apart, at least `digits`; relative differences up to `same` are none."""
    if digits is None:
        return None
    ordered = sorted({value for value in values if value is not None and math.isfinite(value)})
    pairs = [(a, b) for a, b in itertools.pairwise(ordered) if not math.isclose(a, b, rel_tol=same)]
    return next((more for more in range(digits, 17) if all(number(a, more) != number(b, more) for a, b in pairs)), 17)


def _plain(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Return facts as lines, with the values in a column."""
    wide = max(len(name) for name, _ in facts)
    return [f"{name:<{wide}}  {value}" for name, value in facts]


Style = Callable[[str, str], str]
"""The name and the value of a fact -> how a terminal shows the value, such as 'bold red'; '' for as it is."""


def facts_in(facts: Sequence[tuple[str, str]], screen: Screen, style: Style = lambda name, value: "") -> list[str]:
    """Return facts as lines, with the values in a column; on a terminal they are broken between words."""
    facts = [(screen.safe(name), screen.safe(value)) for name, value in facts]
    if screen.width is None:
        return _plain(facts)
    most = screen.columns * 2 // 5
    wide = max((width_of(name) for name, _ in facts if width_of(name) <= most), default=0)
    lines: list[str] = []
    for name, value in facts:
        label = screen.paint(name, "cyan") + " " * (wide - width_of(name))
        room = max(width_of(name), wide) + 2
        if width_of(name) > wide and room + width_of(value) > screen.columns:
            # A long name with a long value: the value stands below, where the others' values are.
            lines += [screen.paint(part, "cyan") for part in wrapped(name, screen.columns)]
            label, room = " " * wide, wide + 2
        first, *rest = wrapped(value, screen.columns, " " * (wide + 2), room)
        painted = screen.paint(first, style(name, value))
        lines += [f"{label}  {painted}".rstrip(), *(_painted(line, screen, style(name, value)) for line in rest)]
    return lines


def _painted(line: str, screen: Screen, style: str) -> str:
    """Return a line in a style, without the blanks that it begins with."""
    text = line.lstrip()
    return line[: len(line) - len(text)] + screen.paint(text, style)


LONG_NUMBER = r"(?<![\w./+=:-])-?\d+\.\d{3,}(?:e[+-]?\d+)?(?![\w.])"
"""A number with decimals, in a sentence."""


def brief(text: str, digits: int | None, beside: str = "") -> str:
    """Return a sentence whose numbers have so many digits, or as many as tell them apart from each other and from those `beside` it."""
    if digits is None or digits >= IN_MARKDOWN:
        return text
    found = [float(word) for word in [*re.findall(LONG_NUMBER, text), *re.findall(LONG_NUMBER, beside)]]
    enough = apart(found, digits, same=0)
    return re.sub(LONG_NUMBER, lambda one: number(float(one[0]), enough) if len(one[0]) > digits + 1 else one[0], text)


def brief_rows(table: Table, digits: int | None) -> Table:
    """Return a table whose sentences have so many digits in their numbers, or as many as tell those of a row apart."""
    rows = []
    for row in table.rows:
        words = {name: value for name, value in row.items() if isinstance(value, str)}
        rows.append({**row, **{name: brief(text, digits, " ".join(words.values())) for name, text in words.items()}})
    return table._replace(rows=rows)


def signed(signature: str, screen: Screen) -> list[str]:
    """Return a signature; on a terminal in lines that end between its parts."""
    text = screen.safe(signature)
    if screen.width is None:
        return [text]
    return [screen.paint(line, "dim") for line in wrapped(text, screen.columns)]


def report(
    facts: Sequence[tuple[str, str]],
    tables: Sequence[Table],
    screen: Screen,
    style: Style = lambda name, value: "",
) -> str:
    """Return facts, then tables, as wide as their content, but not wider than a terminal."""
    lines = facts_in(facts, screen, style)
    for table in tables:
        if table.rows:
            lines += ["", *titled(table, screen)]
    return "\n".join([*lines, ""])


def titled(table: Table, screen: Screen) -> list[str]:
    """Return a table below its title, as lines that fit the screen."""
    title = [screen.paint(part, "bold") for part in wrapped(screen.safe(table.title), screen.width)]
    return [*title, *laid_out(table, screen, lambda value: cell(value, screen.digits))]


def closing(text: str, style: str, screen: Screen) -> str:
    """Return the last line of a report, below an empty one; '' for none."""
    lines = wrapped(screen.safe(text), screen.width) if text else []
    return "".join(f"{line}\n" for line in ["", *(screen.paint(line, style) for line in lines)]) if lines else ""


def report_in_markdown(title: str, facts: Sequence[tuple[str, str]], tables: Sequence[Table]) -> str:
    """Return facts and tables as Markdown, for step summaries of CI."""
    lines = [*_markdown_header(["", title]), *map(markdown_line, facts)]
    for table in tables:
        if table.rows:
            lines += ["", *table_in_markdown(table)]
    return "\n".join([*lines, ""])


def table_in_markdown(table: Table) -> list[str]:
    """Return a table below its title as lines of Markdown."""
    lines = [in_markdown(table.title), "", *_markdown_header(list(table.rows[0]))]
    return lines + [markdown_line(cell(value, IN_MARKDOWN) for value in row.values()) for row in table.rows]


def rows_in(format: str, rows: Sequence[Row]) -> str:
    """Return rows as JSON lines, CSV or TSV. In CSV and TSV, items of lists have columns
    of their own, and None is empty.
    """
    if format == "jsonl":
        return "".join(strict_json(row) + "\n" for row in rows)
    import csv

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


def cell(value: Any, digits: int | None = None) -> str:
    """Return the text of a cell of a table."""
    if isinstance(value, float):
        return number(value, digits)
    if isinstance(value, list):
        if digits is None:
            return json.dumps(strict(value), ensure_ascii=False)
        shown = ", ".join(f"{item:.4g}" for item in value[:LIST_ITEMS])
        return f"[{shown}{', ...' if len(value) > LIST_ITEMS else ''}]"
    return str(value)


def markdown_line(cells: Iterable[Any]) -> str:
    """Return a row of a table in Markdown."""
    return "| " + " | ".join(in_markdown(cell(value)) for value in cells) + " |"


ACTIVE = r"""(?xi)
    [`\\]              # code, and what takes the meaning of a letter
    | \]\s?[(\[]        # links and images
    | <[A-Za-z/!?]      # markup, and addresses in < >
    | &[A-Za-z\#]\w*;   # characters by their names
    | @\w | \#\d | \bGH-\d | \b[0-9a-f]{40}\b  # who is called, and issues and commits that are pointed to
    | :// | www\. | (?:mailto|xmpp):   # addresses
    | \*\S.*\* | (?<!\w)_\S.*_ | ~\S.*~ | \$\S.*\$ | :[\w+-]+:  # emphasis, crossed out, mathematics, emoji
    """
"""Where Markdown, as GitHub reads it, would make something else of text than its letters."""


def in_markdown(text: str) -> str:
    """Return text for a cell of a table in Markdown, where nothing in it has a meaning: as code if something would.

    A bar has a backslash, even in code: otherwise a cell ends there.
    """
    text = on_one_line(text).replace(GLUE, " ")
    return (in_code(text) if re.search(ACTIVE, text) else text).replace("|", "\\|")


def in_code(text: str) -> str:
    """Return text as code in Markdown, between more backticks in a row than it has itself."""
    text = on_one_line(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    blank = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") else ""
    return fence + blank + text + blank + fence


MARKDOWN = Layout(
    lambda i, name: " | " if i else "| ",
    " |\n",
    "",
    "(?i)[^a-z0-9 .,:-]|:.*:|www|gh-|(mailto|xmpp):|[0-9a-f]{40}",
    in_markdown,
    lambda row: markdown_line(row.values()) + "\n",
)
"""A row of a table in Markdown, for many rows at once."""


def _markdown_header(header: Sequence[str]) -> list[str]:
    return [markdown_line(header), "|" + " --- |" * len(header)]


Laid = tuple[str, list[tuple[str, str]], list[Table]]
"""A title, facts, and tables with titles of their own."""
