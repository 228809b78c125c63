"""The pages of the gallery as HTML: one for each loss, and the start page with all of them.

What is said of a loss is what `losscli explain` says. Everything in a page is escaped, and a page's policy lets it load the gallery's
own files only. Without scripts a page shows its formulas, its text and its curves at the default parameters.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from html import escape
from typing import Any

from losscli.analysis.curves import Curve, default_range, drawable, trace
from losscli.definition.loss import Axis, Loss
from losscli.gallery.curve_words import described
from losscli.gallery.mathml import mathml
from losscli.gallery.shapes import MEANINGS, OF_GRADIENT, WORDS, Shape, shape_of, told_by_its_axis
from losscli.gallery.sliders import as_data
from losscli.gallery.svg import panel, sparkline
from losscli.libraries import libraries
from losscli.lookup.meanings import leading_to
from losscli.lookup.spec import settings, spec
from losscli.lookup.tasks import OTHER_WORDS, TASKS, task_of
from losscli.losses import FAMILIES, LOSSES
from losscli.render.catalogue import Entry, command_of, entry, operands_of, parameters_in_short
from losscli.version import __version__
from losscli.wording import count, printable

POLICY = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src data:; base-uri 'none'; form-action 'none'"
"""What a page may load: files of its own place, which for pages that are opened from a disk some browsers only call 'file:'."""
UNKNOWN = {
    True: "how its gradient behaves far out is not asked: the axis of its curve ends on both sides",
    False: "whether its gradient is bounded is not known: it depends on several numbers, of which the curve changes only one",
}
"""What is said of the gradient, by whether the axis of the curve is what the loss is a function of."""
OPPOSITE = {"convex": "not convex", "bounded": "unbounded"}
NAMED = re.compile(r"\b([a-z][a-z0-9_]*)\b(?=\()")
"""A loss in a relation, such as smooth_l1 in smooth_l1(r, beta=delta)."""
LINKED = re.compile(r"(doi:)(10\.[^\s;,]+)|(arXiv:)(\d{4}\.\d{4,5}|[a-z-]+/\d{7})")
"""Names of publications that have an address."""
NARROW = 36
"""Letters of a formula that surely fits beside its name."""
CODE = re.compile(r"`([^`]+)`")


class Exhibit:
    """A loss as the gallery shows it: its record, its shape, and its curves at the default parameters, by the names of its axes."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.record: Entry = entry(loss)
        self.shape: Shape = shape_of(loss)
        (self.bound,) = drawable([loss.bind()])

    @property
    def name(self) -> str:
        return self.loss.name

    @property
    def axes(self) -> Mapping[str, Axis]:
        return self.loss.family.axes

    @cached_property
    def curves(self) -> dict[str, Curve]:
        return {
            name: trace(self.bound, axis, *default_range([self.bound], {self.loss.family.name: axis}))
            for name, axis in self.axes.items()
        }

    @property
    def address(self) -> str:
        """The page of the loss, from the start page."""
        return f"losses/{self.name}.html"

    def data(self) -> dict[str, Any]:
        """Return what the page's script needs to know, ready for JSON."""
        return {
            "name": self.name,
            "axes": [_axis_data(name, axis, self.curves[name]) for name, axis in self.axes.items()],
            "parameters": [as_data(parameter) for parameter in self.loss.parameters.values()],
            "command": f"losscli compute {self.name} PREDICTIONS TARGETS{operands_of(self.loss)}",
        }


def _axis_data(name: str, axis: Axis, curve: Curve) -> dict[str, Any]:
    ends = {"low": axis.domain.low, "high": axis.domain.high}
    return {
        "name": name,
        "letter": axis.letter,
        "label": axis.label,
        "low": float(curve.x[0]),
        "high": float(curve.x[-1]),
        "domain": {end: number if abs(number) < float("inf") else None for end, number in ends.items()},
    }


def loss_page(
    shown: Exhibit, before: Exhibit | None, after: Exhibit | None, moves: bool, audited: Mapping[str, Any]
) -> str:
    """Return the page of a loss.

    Parameters
    ----------
    before, after
        the losses before and behind it in the list.
    moves
        whether one of its curves is computed in the browser.
    audited
        what `losscli audit` found, as in audited.json.
    """
    record = shown.record
    aliases = f'<p class="aliases">Also called {_listed(record["aliases"])}.</p>' if record["aliases"] else ""
    parts = [
        f'<header><nav aria-label="Gallery"><a href="../index.html">All losses</a>{_beside(before, after)}</nav>',
        f"<h1>{_text(shown.name)}</h1>",
        f'<p class="summary">{_prose(record["summary"])}</p>',
        f'<p class="marks"><a class="family" href="../index.html#family={escape(record["family"])}">{_text(record["family"])}</a>{_marks(shown)}</p>',
        f"{aliases}</header>",
        "<main>",
        _section("Formula", "formula", _formula(shown)),
        _section("Curve", "curve", _curves(shown, moves)),
        _section("Parameters", "parameters", _parameters(record)),
        _section("Shape", "shape", _shape(shown)),
        _section("Gradient, targets and edges", "details", _details(record)),
        _section("Relations to other losses", "relations", _relations(shown)),
        _section("In libraries", "libraries", _libraries(record)),
        _section("Known defects in libraries", "defects", _defects(record, audited)),
        _section("Names that mean something else elsewhere", "elsewhere", _elsewhere(record)),
        _section("On the command line", "commands", _commands(shown)),
        _section("Source", "source", [f"<p>{_publications(record['source'])}</p>"]),
        "</main>",
    ]
    scripts = ("programs.js", "curve.js") if moves else ()
    title = f"{shown.name}: loss function and gradient"
    return _document(title, record["summary"], "../", scripts, parts)


def start_page(exhibits: Sequence[Exhibit]) -> str:
    """Return the start page: all losses, each with a small curve, and the filters."""
    number = Counter(shown.record["family"] for shown in exhibits)
    tasks, groups = "", ""
    for task, families in TASKS.items():
        name = escape(task)
        tasks += f'<option value="{name}">{name} ({sum(number[family] for family in families)})</option>'
        members = "".join(
            f'<option value="{escape(family)}">{_text(family)} ({number[family]})</option>' for family in families
        )
        groups += f'<optgroup label="{name}">{members}</optgroup>'
    boxes = [
        f'<label><input type="checkbox" name="shape" value="{word}"> {written}</label>'
        for word, written in WORDS.items()
    ]
    boxes.insert(2, '<span aria-hidden="true">Robust:</span>')  # which the two behind it say more exactly
    parts = [
        "<header><h1>Loss functions</h1>",
        f'<p class="summary">{count(len(exhibits), "loss", "losses")} of losscli: formula, curve and gradient, parameters, the calls of '
        f"{len(libraries())} libraries with their differences, and sources.</p></header>",
        '<form id="filters" role="search" aria-label="Losses" hidden><div class="field"><label for="words">Search</label>'
        '<input id="words" type="search" name="words" placeholder="name, task or word" autocomplete="off" spellcheck="false"></div>'
        f'<div class="field"><label for="task">Task</label><select id="task" name="task"><option value="">all</option>{tasks}</select></div>'
        f'<div class="field"><label for="family">Family</label><select id="family" name="family"><option value="">all</option>{groups}</select></div>'
        f'<fieldset><legend>Shape, at the default parameters</legend>{"".join(boxes)} <a href="#shapes">what this means</a></fieldset>'
        '<p id="count" role="status"></p></form>',
        '<main><h2 class="unseen" id="losses">Losses</h2><ul class="cards">',
        *map(_card, exhibits),
        '</ul><p id="none" hidden>No loss is like that. <button type="button" id="all">Show all losses</button></p>',
        '<section><h2 id="shapes">What the shapes mean</h2><p>A shape is that of a loss at its default parameters. The page of a loss says '
        "for which of them it has the shape at all values of its parameters. Losses of whole rows, masks or files are called convex or "
        "bounded only if all of their predictions are meant; how their gradient ends is not judged.</p>",
        f"<dl>{''.join(f'<dt>{written}</dt><dd>{_text(MEANINGS[word])}</dd>' for word, written in WORDS.items())}</dl>",
        "<p>The small curves show the loss over the first axis of its page, from the axis's low end to its high end; the thin line is "
        "0.</p></section></main>",
    ]
    words = f"{len(exhibits)} loss functions with formulas, moving curves and gradients."
    return _document("Loss functions", words, "", ("start.js",), parts)


def _document(title: str, words: str, up: str, scripts: Iterable[str], parts: Iterable[str]) -> str:
    """Return a whole page. `up` leads to the folder of the start page."""
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        f'<meta name="description" content="{_text(words)}">',
        f"<title>{_text(title)}</title>",
        '<link rel="icon" href="data:,">',
        f'<link rel="stylesheet" href="{up}site.css">',
        *(f'<script src="{up}{name}" defer></script>' for name in scripts),
        "</head>",
        "<body>",
        *(part for part in parts if part),
        f"<footer><p>Made by losscli {escape(__version__)} with <code>losscli gallery</code>.</p></footer>",
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(lines)


def _section(title: str, name: str, parts: Sequence[str]) -> str:
    """Return a section with a heading; nothing without parts."""
    return f'<section><h2 id="{name}">{title}</h2>{"".join(parts)}</section>' if parts else ""


def _text(text: str) -> str:
    """Return text of a declaration as text of a page."""
    return escape(printable(text))


def _prose(text: str) -> str:
    """Return sentences; what stands between backquotes is code."""
    return CODE.sub(r"<code>\1</code>", _text(text))


def _publications(text: str) -> str:
    """Return a source, in which names of publications that have an address are links."""

    def link(found: re.Match[str]) -> str:
        kind, name = (found[1], found[2]) if found[1] else (found[3], found[4])
        tail = ""
        while name and (name[-1] in ".:" or (name[-1] == ")" and name.count("(") < name.count(")"))):
            name, tail = name[:-1], name[-1] + tail
        place = "https://doi.org/" if kind == "doi:" else "https://arxiv.org/abs/"
        return f'<a href="{place}{name}">{kind}{name}</a>{tail}'

    return LINKED.sub(link, _text(text))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"<code>{_text(name)}</code>" for name in names)


def _beside(before: Exhibit | None, after: Exhibit | None) -> str:
    links = [
        f'<a rel="{relation}" href="{escape(other.name)}.html">{arrow}</a>'
        for relation, other, arrow in (
            ("prev", before, f"\N{LEFTWARDS ARROW} {before.name if before else ''}"),
            ("next", after, f"{after.name if after else ''} \N{RIGHTWARDS ARROW}"),
        )
        if other is not None
    ]
    return f"<span>{''.join(links)}</span>"


def _marks(shown: Exhibit) -> str:
    """Return the words of the shape; how the gradient ends is said with the axis, if there are several."""
    over = f" over the {shown.shape.axis}" if len(shown.axes) > 1 else ""
    return "".join(
        f' <a class="mark" href="../index.html#shape={word}">{WORDS[word].lower()}{over if word in OF_GRADIENT else ""}</a>'
        for word in shown.shape.words
    )


def _equation(left: str, source: str) -> str:
    """Return 'left = formula' as MathML, in a box that scrolls if it is too wide."""
    return f'<div class="wide math" tabindex="0" role="group" aria-label="formula of {escape(left)}">{mathml(source, left)}</div>'


def _formula(shown: Exhibit) -> list[str]:
    """Return the formula or the definition, and what its letters mean."""
    record, loss = shown.record, shown.loss
    parts = []
    if loss.formula:
        of_row = "f" if record["value"].startswith(("sum", "f of")) else _left(record["value"])
        parts.append(_equation(of_row, loss.formula))
        if record["value"].startswith(("sum", "f of")):
            parts.append(
                f"<p>The loss of a row is {'the ' * record['value'].startswith('sum')}{_text(record['value'])}.</p>"
            )
        parts.append(
            f"<details><summary>In plain notation</summary><pre><code>f = {_text(loss.formula)}</code></pre></details>"
        )
    else:
        parts.append(f"<p>f is {_prose(record['definition'])}.</p>")
    letters = [
        *(f"<dt>{_where(name)}</dt><dd>{_prose(words)}</dd>" for name, words in record["variables"].items()),
        *(f"<dt>{_where(name)}</dt><dd>{_where(name, text)}</dd>" for name, text in record["where"].items()),
    ]
    return [*parts, f'<dl class="letters">{"".join(letters)}</dl>']


def _left(value: str) -> str:
    """Return the left side of a formula, such as f(r), if the family's value is one."""
    return value if re.fullmatch(r"f\(\w+(, \w+)*\)", value) else "f"


def _where(name: str, source: str = "") -> str:
    """Return what a name of a formula stands for, or the name itself: a formula, in a box that scrolls if it may be wide, or words."""
    try:
        formula = mathml(source or name).replace('display="block"', 'display="inline"')
    except (SyntaxError, ValueError):  # words
        return _prose(source or name)
    if len(source) <= NARROW:
        return formula
    return f'<div class="wide" tabindex="0" role="group" aria-label="formula of {escape(name)}">{formula}</div>'


def _curves(shown: Exhibit, moves: bool) -> list[str]:
    """Return the curves at the default parameters, one figure for each axis, and an empty place for what moves."""
    figures = []
    several = len(shown.axes) > 1
    for name, axis in shown.axes.items():
        curve = shown.curves[name]
        words = described(curve, axis.letter)
        value = panel(curve, "value", f"loss f({axis.letter})", axis.letter, words)
        slope = panel(curve, "slope", f"gradient df/d{axis.letter}", axis.letter, words)
        over = f"<p>Over the {_text(axis.label)}.{_at(shown)}</p>"
        head = f"<h3>Over the {name}</h3>" if several else ""
        figures.append(
            f'<figure data-axis="{name}">{head}<div class="panels">{value}{slope}</div><figcaption>{over}<p class="words">{_text(words)}</p></figcaption></figure>'
        )
    if not moves:
        still = "<p>The curve stands still: the loss is defined in words, and not by a formula that a page could compute.</p>"
        return [*figures, still]
    data = json.dumps(shown.data(), separators=(",", ":")).replace("<", "\\u003c")
    return [
        f'<div id="moving" hidden></div><div id="still">{"".join(figures)}</div>',
        f'<script type="application/json" id="loss">{data}</script>',
    ]


def _at(shown: Exhibit) -> str:
    parameters = ", ".join(f"{name} = {value}" for name, value in settings(shown.bound).items())
    return f" At {_text(parameters)}." if parameters else ""


def _parameters(record: Entry) -> list[str]:
    if not record["parameters"]:
        return []
    rows = "".join(
        f'<tr><th scope="row"><code>{_text(item["name"])}</code></th><td>{"none" if item["default"] is None else format(item["default"], "g")}</td>'
        f"<td>{_text(item['domain'])}</td><td>{_prose(item['help'])}</td></tr>"
        for item in record["parameters"]
    )
    return [
        '<div class="wide" tabindex="0" role="region" aria-labelledby="parameters"><table><thead><tr><th scope="col">name</th>'
        f'<th scope="col">default</th><th scope="col">domain</th><th scope="col">meaning</th></tr></thead><tbody>{rows}</tbody></table></div>'
    ]


def _shape(shown: Exhibit) -> list[str]:
    """Return what is true of the shape, for which parameters, and along which axis."""
    shape, axis = shown.shape, shown.axes[shown.shape.axis]
    known = bool(shown.record["parameters"])
    lines = []
    for word in ("convex", "bounded"):
        yes = getattr(shape, word)
        if yes is None:
            lines.append(f"whether it is {word} is not declared, and this curve does not show it")
            continue
        always = word in shape.always or not known
        where = (
            ""
            if not known
            else ", for all values of its parameters"
            if yes and always
            else " at its default parameters"
        )
        lines.append(f"{word if yes else OPPOSITE[word]}{where}")
    if shape.robust is not None:
        lines.append(f"{'a bounded' if shape.robust else 'no bounded'} gradient over the {axis.label}")
        lines.append(
            "redescending: the gradient goes back to 0 far out"
            if shape.redescending
            else "not redescending: the gradient does not go back to 0 on both sides"
        )
    else:
        lines.append(UNKNOWN[told_by_its_axis(shown.loss)])
    items = "".join(f"<li>{_text(line[0].upper() + line[1:])}</li>" for line in lines)
    at = ", ".join(shown.record["breaks"])
    letter = next(iter(shown.record["variables"]))
    breaks = f"<p>It changes its form at {_text(letter)} = {_text(at)}.</p>" if at else ""
    return [f'<ul>{items}</ul>{breaks}<p><a href="../index.html#shapes">What these words mean</a></p>']


def _details(record: Entry) -> list[str]:
    """Return how the gradient follows, what targets are read, and what happens at the edges."""
    rows = []
    if record["slope"]:
        rows.append(("slope", f"{_equation('s', record['slope'])}"))
    rows.append(("gradient", _prose(record["gradient"])))
    rows.append(("targets", _prose(record["targets"])))
    if record["rows"]:
        rows.append(("rows", _prose(record["rows"])))
    if record["special_cases"]:
        items = "".join(f"<li>{_prose(line)}</li>" for line in record["special_cases"])
        rows.append(("at the edges", f"<ul>{items}</ul>"))
    return [f'<dl class="facts">{"".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows)}</dl>']


def _relations(shown: Exhibit) -> list[str]:
    """Return the equalities with other losses, which are links, and the losses of the same family."""
    lines = [f"<li><code>{_with_links(line, shown.name)}</code></li>" for line in shown.record["relations"]]
    family = [loss for loss in LOSSES.values() if loss.family is shown.loss.family and loss is not shown.loss]
    links = ", ".join(f'<a href="{escape(loss.name)}.html">{_text(loss.name)}</a>' for loss in family)
    about = FAMILIES[shown.record["family"]].summary
    others = (
        f"<p>Of the same family ({_text(about)}): {links}.</p>"
        if family
        else f"<p>The only one of its family ({_text(about)}).</p>"
    )
    return [f"<ul>{''.join(lines)}</ul>" if lines else "", others]


def _with_links(relation: str, own: str) -> str:
    def link(found: re.Match[str]) -> str:
        name = found[1].replace("_", "-")
        return f'<a href="{name}.html">{found[1]}</a>' if name in LOSSES and name != own else found[1]

    return NAMED.sub(link, _text(relation))


def _libraries(record: Entry) -> list[str]:
    """Return the calls of the libraries with their conventions."""
    known = libraries()
    without = [
        library.title for name, library in known.items() if name not in {one["library"] for one in record["libraries"]}
    ]
    if not record["libraries"]:
        return [f"<p>No call in {', '.join(map(_text, without))}.</p>"]
    parts = [
        "<p>What each call does that makes its number differ from losscli's; p are the predictions and t the targets. "
        '<code>--as LIBRARY</code> gives the number of a library.</p><div class="calls">'
    ]
    for one in record["libraries"]:
        items = "".join(f"<li>{_prose(text)}</li>" for text in one["conventions"])
        parts.append(
            f'<article class="call"><h3>{_text(one["version"])}</h3><pre><code>{_text(one["call"])}</code></pre>'
            + (f"<ul>{items}</ul>" if items else "<p>No difference.</p>")
            + "</article>"
        )
    parts.append("</div>")
    if without:
        parts.append(f"<p>No call in {', '.join(map(_text, without))}.</p>")
    return parts


def _defects(record: Entry, audited: Mapping[str, Any]) -> list[str]:
    """Return the defects that are known of the calls, and what `losscli audit` found in them."""
    told = dict.fromkeys(text for one in record["libraries"] for text in one["defects"])
    parts = [f"<ul>{''.join(f'<li>{_prose(text)}</li>' for text in told)}</ul>"] if told else []
    rows = [
        (library["version"], finding)
        for library in audited.values()
        for finding in library["findings"].get(record["name"], [])
    ]
    if rows:
        names = ("call", "what", "dtypes", "example", "gives", "truth")
        head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in ("library", *names))
        body = "".join(
            f'<tr role="row" class="{finding["kind"]}">'
            + "".join(
                f'<td role="cell" data-name="{name}">{_text(text)}</td>'
                for name, text in (("library", version), *((name, finding[name]) for name in names))
            )
            + "</tr>"
            for version, finding in rows
        )
        parts.append(
            f"<p>Found by <code>losscli audit</code>, which compares values and gradients with the formula at 60 digits. &lsquo;Loses small&rsquo; "
            "and &lsquo;NaN at inf&rsquo; are warnings: a small loss is rounded away, or an infinite logit gives NaN where the loss has a limit.</p>"
            f'<table class="findings" role="table" aria-labelledby="defects"><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
            f'<tbody role="rowgroup">{body}</tbody></table>'
        )
    return parts


def _elsewhere(record: Entry) -> list[str]:
    by_text: dict[str, list[str]] = {}
    for name, text in record["elsewhere"].items():
        by_text.setdefault(text, []).append(name)
    if not by_text:
        return []
    items = "".join(f"<dt>{_listed(names)}</dt><dd>{_prose(text)}</dd>" for text, names in by_text.items())
    return [f"<dl>{items}</dl>"]


def _commands(shown: Exhibit) -> list[str]:
    """Return command lines that explain, draw and compute the loss."""
    whole = spec(shown.bound)
    lines = {
        "Explain it": f"losscli explain {whole}",
        "Draw it": f"losscli plot curves {whole} -o {shown.name}.png",
        "Compute it, of your own files": command_of(shown.bound),
    }
    return [
        f'<p>{title}</p><pre><code id="{title.split()[0].lower()}">{_text(line)}</code></pre>'
        for title, line in lines.items()
    ]


def _card(shown: Exhibit) -> str:
    """Return a loss of the start page: its small curve, its name and its summary, and the names and words by which it is found."""
    record = shown.record
    calls = [name for call in record["libraries"] for name in call["names"]]
    names = " ".join(dict.fromkeys([shown.name, *record["aliases"], *calls, *leading_to(shown.name)])).lower()
    task = task_of(record["family"])
    words = f"{task} {OTHER_WORDS.get(task, '')}".strip()
    parameters = parameters_in_short(record)
    shape = " ".join(shown.shape.words)
    return (
        f'<li data-task="{escape(task)}" data-family="{escape(record["family"])}" data-shape="{shape}" data-names="{_text(names)}" data-words="{_text(words)}">'
        f'<a href="{escape(shown.address)}">'
        f"{sparkline(next(iter(shown.curves.values())))}<b>{_text(shown.name)}</b></a>"
        f'<span class="family">{_text(record["family"])}{f"; {_text(parameters)}" if parameters else ""}</span>'
        f"<span>{_prose(record['summary'])}</span></li>"
    )
