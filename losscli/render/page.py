"""A result as a page for a browser: one file, which asks for nothing from anywhere, readable in light, in dark and on paper.

All text from files, names and command lines is escaped, and the page's own policy forbids requests.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from losscli.io.strict_json import strict_json
from losscli.records import NamedTuple
from losscli.render.screen import GLUE
from losscli.render.table import Table
from losscli.render.text import IN_MARKDOWN, cell
from losscli.version import __version__
from losscli.wording import count, printable

MOST_ROWS = 1000
"""Rows of a table on a page: more make it slow and say no more."""


LONG = 60
"""Letters of a cell beyond which it is broken between words, as a sentence is."""
FAILED = ("NOT MET", "BROKEN", "UNMEASURED")
"""Cells that say what went wrong, and so are seen first."""
WIDE = 500
"""Points of a picture's width beyond which it keeps a size that can be read on a phone, and is moved sideways there."""


class Picture(NamedTuple):
    """A picture on a page: SVG as Matplotlib writes it, drawn in the light theme, its title and what it shows in words."""

    svg: str
    title: str
    description: str


class Page(NamedTuple):
    """What a page shows.

    `lead` is what to read first: a number or a verdict, and words that say what it is. `mood` is 'good', 'bad' or '' and colours the
    lead. `findings` are severities ('error', 'warning' or 'note') with their words. `receipt` is everything that the numbers depend
    on, and `command` the command line that made the page.
    """

    title: str
    lead: tuple[str, str]
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    findings: Sequence[tuple[str, str]] = ()
    receipt: Mapping[str, Any] | None = None
    signature: str = ""
    command: str = ""
    mood: str = ""


def as_html(content: Page) -> str:
    """Return a page as HTML."""
    title = _text(content.title)
    number, words = content.lead
    mood = f' class="{content.mood}"' if content.mood else ""
    parts = [
        f"<header><h1>{title}</h1>",
        f'<p id="lead"{mood}><strong>{_text(number)}</strong> <span>{_text(words)}</span></p></header>',
        "<main>",
        *_findings(content.findings),
        *_facts(content.facts),
        *(part for table in content.tables[:1] for part in _table(table)),
        *_pictures(content.pictures),
        *(part for table in content.tables[1:] for part in _table(table)),
        *_origin(content),
        "</main>",
        f"<footer><p>losscli {escape(__version__)}</p></footer>",
    ]
    return HEAD.format(title=title, style=STYLE, script=SCRIPT) + "\n".join([*parts, "</body>", "</html>", ""])


def _text(text: str) -> str:
    """Return text from anywhere as text of a page: nothing in it is markup, and letters that cannot be seen are escaped."""
    return escape(printable(text.replace(GLUE, " ")))


def _findings(findings: Sequence[tuple[str, str]]) -> list[str]:
    if not findings:
        return []
    items = [
        f'<li class="{escape(severity)}"><b>{escape(severity)}</b> {_text(words)}</li>' for severity, words in findings
    ]
    return [
        '<section><h2 id="findings">Findings</h2><ul class="findings">',
        *items,
        "</ul></section>",
    ]


def _facts(facts: Sequence[tuple[str, str]]) -> list[str]:
    if not facts:
        return []
    rows = [
        f'<tr><th scope="row">{_text(name)}</th><td{_failed(value)}>{_text(value)}</td></tr>' for name, value in facts
    ]
    return [
        '<section><h2 id="numbers">Numbers</h2>',
        f'<div class="wide" tabindex="0" role="region" aria-labelledby="numbers"><table class="facts"><tbody>{"".join(rows)}</tbody></table></div></section>',
    ]


def _failed(value: str) -> str:
    """Return the attribute of a cell that says what went wrong; '' for other cells."""
    return ' class="failed"' if value.startswith(FAILED) else ""


def _table(table: Table) -> list[str]:
    """Return a table whose columns can be sorted; the rows come in their own order."""
    if not table.rows:
        return []
    name = "t" + re.sub(r"\W+", "-", table.title.lower())
    head = "".join(_heading(column, value, column in table.numbers) for column, value in table.rows[0].items())
    body = "".join(
        "<tr>"
        + "".join(_cell(value, column in table.numbers, column in table.prose) for column, value in row.items())
        + "</tr>\n"
        for row in table.rows[:MOST_ROWS]
    )
    more = len(table.rows) - MOST_ROWS
    said = f"<p>{count(more, 'more row')} in the result as JSON.</p>" if more > 0 else ""
    return [
        f'<section><h2 id="{escape(name)}">{_text(table.title[:1].upper() + table.title[1:])}</h2>',
        f'<div class="wide" tabindex="0" role="region" aria-labelledby="{escape(name)}"><table class="rows"><thead><tr>{head}</tr></thead>',
        f"<tbody>{body}</tbody></table></div>{said}</section>",
    ]


def _heading(name: str, value: Any, number: bool) -> str:
    """Return the heading of a column, by whose first `value` it stands on the right; clicked, it sorts the rows."""
    number = number or (isinstance(value, int | float) and not isinstance(value, bool))
    side = ' class="number"' if number else ""
    if not name:  # what the rows are called
        return f"<td{side}></td>"
    return f'<th scope="col" aria-sort="none"{side}><button type="button">{_text(name)}</button></th>'


def _cell(value: Any, number: bool, prose: bool) -> str:
    """Return a cell; numbers stand on the right, and carry all of their digits, by which they are sorted. Only sentences are broken."""
    text = "" if value is None else _text(cell(value, IN_MARKDOWN))
    if isinstance(value, int | float) and not isinstance(value, bool):
        exact = repr(value).replace("inf", "Infinity").replace("nan", "NaN")  # as JavaScript says it
        return f'<td class="number" data-value="{exact}">{text}</td>'
    kind = "number" if number else "failed" if text in FAILED else "prose" if prose or len(text) > LONG else ""
    return f'<td class="{kind}">{text}</td>' if kind else f"<td>{text}</td>"


def _pictures(pictures: Sequence[Picture]) -> list[str]:
    """Return pictures beside each other where there is room for two."""
    if not pictures:
        return []
    drawn = [part for number, picture in enumerate(pictures, 1) for part in _picture(number, picture)]
    return ['<div class="pictures">', *drawn, "</div>"]


def _picture(number: int, picture: Picture) -> list[str]:
    """Return a picture in the page's own colours, with ids that no other picture has."""
    svg = re.sub(r"^.*?(?=<svg)", "", picture.svg, flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\sid="|xlink:href="#|href="#|url\(#)', rf"\g<1>p{number}-", svg)
    for colour, variable in INKS.items():
        svg = svg.replace(colour, f"var(--{variable})")
    width = re.search(r'<svg [^>]*?\swidth="([\d.]+)pt"', svg)
    wide = ' class="broad" tabindex="0" role="group"' if width and float(width[1]) > WIDE else ""
    named = f' aria-labelledby="picture-{number}"' if wide else ""
    label = f'role="img" aria-labelledby="picture-{number} words-{number}"'
    svg = re.sub(r"<svg ", f"<svg {label} ", svg, count=1)
    svg = re.sub(r'(<svg [^>]*?)\swidth="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg [^>]*?)\sheight="[^"]*"', r"\1", svg, count=1)
    return [
        f'<section><h2 id="picture-{number}">{_text(picture.title)}</h2>',
        f'<figure><div{wide}{named}>{svg.strip()}</div><figcaption id="words-{number}">{_text(picture.description)}</figcaption></figure></section>',
    ]


def _origin(content: Page) -> list[str]:
    """Return how the numbers came about: the command line, the signature and the receipt."""
    parts = ['<section><h2 id="origin">How these numbers came about</h2>']
    if content.command:
        parts.append(f"<p>Command</p><pre><code>{_text(content.command)}</code></pre>")
    if content.signature:
        parts.append(f"<p>Signature</p><pre><code>{_text(content.signature)}</code></pre>")
    if content.receipt:
        text = _text_of_lines(strict_json(content.receipt, indent=2))
        parts.append(f"<details><summary>Receipt</summary><pre><code>{text}</code></pre></details>")
    return [*parts, "</section>"] if len(parts) > 1 else []


def _text_of_lines(text: str) -> str:
    return "\n".join(map(_text, text.split("\n")))


INKS = {
    "#ffffff": "ground",
    "#1a1a1a": "ink",
    "#d9d9d9": "faint",
    "#0072b2": "c0",
    "#d55e00": "c1",
    "#009e73": "c2",
    "#cc79a7": "c3",
    "#e69f00": "c4",
    "#56b4e9": "c5",
    "#000000": "c6",
}
"""The colours of the light theme of pictures, and the page's colour that stands for each of them, which dark pages have too."""
HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
<script>{script}</script>
</head>
<body>
"""
STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1a1a1a; --soft: #595959; --faint: #d9d9d9; --card: #f5f6f8; --good: #00663f; --bad: #a3260a;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #e69f00; --c5: #56b4e9; --c6: #000000; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181d; --ink: #e8e8e8; --soft: #b4b7bd; --faint: #3a3d45; --card: #20232a; --good: #4fd69c; --bad: #ff9a7a;
  --c0: #56b4e9; --c1: #e69f00; --c2: #00c794; --c3: #cc79a7; --c4: #f0e442; --c5: #ff7b33; --c6: #ffffff; } }
@media print { :root { color-scheme: light; --ground: #ffffff; --ink: #000000; --soft: #444444; --faint: #bbbbbb; --card: #ffffff; --good: #00663f; --bad: #a3260a;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #e69f00; --c5: #56b4e9; --c6: #000000; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.2rem; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
#lead { margin: 0; color: var(--soft); } #lead strong { color: var(--ink); font-size: 2.2rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
#lead.good strong { color: var(--good); } #lead.bad strong { color: var(--bad); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem; border-bottom: 1px solid var(--faint); }
.facts th { font-weight: 500; color: var(--soft); white-space: nowrap; } .facts td { overflow-wrap: anywhere; }
.rows { width: 100%; } .rows th { white-space: nowrap; } .rows .number { text-align: right; } .rows td { white-space: nowrap; } .rows td.prose { white-space: normal; min-width: 18rem; overflow-wrap: break-word; } td.failed { color: var(--bad); font-weight: 600; }
.rows button { all: unset; cursor: pointer; font-weight: 600; } .rows button:focus-visible { outline: 2px solid var(--c0); }
[aria-sort=none] button::after { content: " \\2195" / ""; color: var(--soft); font-weight: 400; } [aria-sort=ascending] button::after { content: " \\25b2"; } [aria-sort=descending] button::after { content: " \\25bc"; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 1.5rem; } figure { margin: 0; } .broad { overflow-x: auto; } .pictures section:has(.broad) { grid-column: 1 / -1; } figure svg { display: block; width: 100%; height: auto; max-height: 80vh; } figcaption { color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
pre { background: var(--card); padding: .7rem; margin: .2rem 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; } code { user-select: all; }
.findings { list-style: none; padding: 0; } .findings li { background: var(--card); border-left: 4px solid var(--faint); padding: .5rem .8rem; margin: .4rem 0; overflow-wrap: anywhere; }
.findings .error { border-color: var(--bad); } .findings .warning { border-color: var(--c4); } summary { cursor: pointer; } footer { color: var(--soft); margin-top: 2rem; font-size: .85rem; }
@media (max-width: 30rem) { h1 { font-size: 1.15rem; } #lead span { display: block; } .facts th { white-space: normal; min-width: 7rem; } .rows td, .rows th { padding: .25rem .35rem; font-size: .82rem; } .rows td:not(.number) { white-space: normal; } .rows td.failed { white-space: nowrap; } .rows td.prose { min-width: 9rem; } .broad svg { min-width: 44rem; } }
@media print {
  body { padding: 0; font-size: 14px; } h2 { margin-top: 1.2rem; }
  h2, tr, figure, .pictures section, .findings li { break-inside: avoid; } h2 { break-after: avoid; } thead { display: table-header-group; } .wide, .broad { overflow: visible; }
  .rows td, .rows th { white-space: normal; padding: .15rem .3rem; font-size: .7rem; } .rows td.prose { min-width: 8rem; overflow-wrap: anywhere; } .rows td.failed { white-space: nowrap; }
  .rows th button::after { content: ""; }
  .pictures { grid-template-columns: 1fr 1fr; } .pictures section:only-child { grid-column: 1 / -1; } .broad svg { min-width: 0; }
}
"""
SCRIPT = """
addEventListener("click", event => {
  const head = event.target.closest(".rows thead th");
  if (!head) return;
  const table = head.closest("table"), column = head.cellIndex, up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.querySelectorAll("th")) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const text = row => row.cells[column].textContent, number = row => Number(row.cells[column].dataset.value ?? NaN);
  const rows = [...table.tBodies[0].rows], numeric = rows.some(row => "value" in row.cells[column].dataset);
  rows.sort((one, two) => {
    if (!numeric) return (up ? 1 : -1) * text(one).localeCompare(text(two), "en", {numeric: true});
    const a = number(one), b = number(two);
    return isNaN(a) || isNaN(b) ? isNaN(a) - isNaN(b) : (up ? 1 : -1) * (a < b ? -1 : a > b ? 1 : 0);  // what is no number comes last
  });
  table.tBodies[0].append(...rows);
});
"""
