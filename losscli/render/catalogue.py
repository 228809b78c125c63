"""The losses as records, from their declarations, and those records as text for a terminal."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from losscli.analysis.curves import along, default_range, drawable, shared_axis, trace
from losscli.definition.loss import BoundLoss, Loss, Relation
from losscli.errors import LosscliError, UsageError
from losscli.libraries import libraries
from losscli.lookup.meanings import choices, instead, meaning
from losscli.lookup.names import is_known
from losscli.lookup.spec import settings, spec
from losscli.losses import FAMILIES, LOSSES
from losscli.measurement.conventions import conventions
from losscli.render import sparkline as sketch
from losscli.render.screen import Screen, width_of, wrapped
from losscli.render.table import code_lines
from losscli.shown import Shown
from losscli.wording import did_you_mean, listing

Entry = dict[str, Any]

COUPLED = {
    "masks": "each row of a table is a mask, or a series, of its own, and each image of an array with more axes; --per says what "
    "else is one. Sums over masks are added batch by batch; masks that are sorted are held in memory, and what is too large "
    "for it is refused",
    "file": "all rows of a table have one loss together, and each image of an array with more axes; what is no function of sums "
    "is held in memory, and refused if it is too large for it",
    "rows": "every row meets all others: the file is held in memory, the work grows with the square of the rows, and too "
    "many are refused; a row's loss depends on the other rows",
}
"""Description of how rows are coupled, by `Family.coupled`, for `explain`."""

REGISTERED = "registered"
"""The name of a family for losses that installed packages register, which are not imported for a list."""

COLUMNS = ("loss", "family", "summary", "parameters", "aliases")
"""The columns of a list of losses in a pipe, where there is room for all."""
FURTHER = "losscli list WORD searches; losscli explain LOSS shows formula, curve, parameters and libraries."
WIDEST = 100
"""Columns of the lines of a page, which are hard to read if they are longer."""
CURVE_WIDTH, CURVE_HEIGHT = 60, 8
CUT = 0.99
PLACES = 7
"""Places of its axis at which a loss with parameters is told."""


def entry(loss: Loss) -> Entry:
    """Return everything that a loss declares, ready for JSON."""
    family = loss.family
    return {
        "name": loss.name,
        "family": family.name,
        "aliases": list(loss.aliases),
        "summary": loss.summary,
        **({"formula": loss.formula} if loss.formula else {"definition": loss.definition}),
        "where": dict(loss.where),
        "variables": dict(family.variables),
        "value": "f of the row" if loss.whole else family.value,
        "slope": loss.slope,
        "gradient": family.gradient,
        "parameters": [
            {"name": item.name, "default": item.default, "domain": str(item.domain), "help": item.help}
            for item in loss.parameters.values()
        ],
        "targets": family.targets,
        "rows": COUPLED[family.coupled] if family.coupled else None,
        "breaks": list(loss.breaks({item.name: item.default for item in loss.parameters.values()})),
        "axes": list(family.axes),
        "facts": sorted(loss.facts),
        "baseline": loss.baseline,
        "special_cases": list(loss.special),
        "relations": [words(loss, relation) for relation in loss.relations],
        "elsewhere": {name: text for name in (loss.name, *loss.aliases) if (text := meaning(name))},
        "source": loss.source,
        "libraries": [
            {
                "library": name,
                "version": library.title,
                "names": list(call.names),
                "call": call.call,
                "conventions": conventions(library, call),
                "defects": list(call.defects),
            }
            for name, library in libraries().items()
            for call in library.calls
            if call.loss == loss.name
        ],
    }


def at_parameters(bound: BoundLoss) -> Entry:
    """Return what a loss is with some parameters: their values, and loss and slope at a few places of its axis.

    Raises
    ------
    UsageError
        if the loss cannot be drawn over one axis.
    """
    (drawn,) = drawable([bound])
    axes = shared_axis([drawn])[1]
    axis = axes[drawn.family.name]
    x = np.linspace(*default_range([drawn], axes), PLACES)
    value, slope = along(drawn, axis, x)
    rows = [
        {"x": float(x), "value": float(value), "gradient": float(slope)}
        for x, value, slope in zip(x, value, slope, strict=True)
    ]
    return {"parameters": dict(bound.parameters), "axis": axis.label, "values": rows}


class Explained(dict[str, Any], Shown):
    """The record of a loss or of another word, which shows itself as the page of `losscli explain`.

    `bound` is the loss, None of another word, and `typed` says whether its parameters were named.
    """

    def __init__(self, record: Entry, bound: BoundLoss | None = None, typed: bool = False) -> None:
        super().__init__(record)
        self.bound, self.typed = bound, typed

    def __repr__(self) -> str:
        return Shown.__repr__(self)

    __str__ = Shown.__str__


def words(loss: Loss, relation: Relation) -> str:
    """Return a relation as a line: the equality, and for which parameters it is true."""
    place = []
    for name, value in relation.at.items():
        inside = value in loss.parameters[name].domain
        place.append(f"{'at' if inside else 'as'} {name} {'=' if inside else '->'} {value:g}")
    return f"{loss.name.replace('-', '_')} = {relation.expression}" + (f" {' and '.join(place)}" if place else "")


def entries(family: str | None = None) -> list[Entry]:
    """Return all losses, or those of a family.

    Raises
    ------
    UsageError
        if the family does not exist.
    """
    if family is not None and family not in (*FAMILIES, REGISTERED):
        raise UsageError(
            f"--family {family}: no such family{did_you_mean(family, FAMILIES)}; there are {listing(FAMILIES)}"
        )
    return [entry(loss) for loss in LOSSES.values() if family in (None, loss.family.name)]


def registered_entries() -> list[Entry]:
    """Return losses that installed packages register, by name and home only, since a list imports none of them.

    Those with the name of one of losscli's own losses cannot be found by name, and are left out.
    """
    from losscli.custom.registered import home, registered

    keys = entry(next(iter(LOSSES.values())))
    empty: Entry = {
        key: [] if isinstance(value, list) else {} if isinstance(value, dict) else None for key, value in keys.items()
    }
    del empty["formula"]
    return [
        empty
        | {
            "name": name,
            "family": REGISTERED,
            "summary": "registered by a package; losscli explain shows it",
            "definition": home(registered_entry),
            "source": home(registered_entry),
        }
        for name, registered_entry in registered().items()
        if not is_known(name)
    ]


def operands_of(loss: Loss) -> str:
    """Return the options that a loss cannot do without."""
    counts = " --class-counts FILE" if loss.family.takes_class_counts else ""
    return (
        counts
        + (" --centers FILE" if loss.family.takes_centers else "")
        + (f" --{loss.family.third_operand} FILE" if loss.family.third_operand else "")
    )


def formula_of(found: Entry) -> str:
    """Return the formula, or the definition in words if there is no closed form."""
    return str(found.get("formula") or found["definition"])


def parameters_in_short(found: Entry) -> str:
    """Return the parameters with their defaults on one line."""
    shown = [
        f"{item['name']} {'none' if item['default'] is None else format(item['default'], 'g')}"
        for item in found["parameters"]
    ]
    return ", ".join(shown)


def searched(found: Sequence[Entry], words: Sequence[str]) -> list[Entry]:
    """Return the losses that have all of the words in their names, aliases, family and summary, or in the names of libraries' calls.

    A name that may mean several losses finds these too. Capitals do not count, and dashes, underscores and blanks are the same.

    Raises
    ------
    UsageError
        if there is none.
    """
    wanted, name = [plain for word in words if (plain := _plain(word))], "-".join(words)
    meant = choices(name) or {}
    matches = [
        item
        for item in found
        if item["name"] in meant or all(any(word in text for text in _texts(item)) for word in wanted)
    ]
    if matches:
        return matches
    said = instead(name)
    if said is not None:
        raise UsageError(f"list {' '.join(words)}: {name!r} {said}")
    names = [one for item in found for one in (item["name"], *item["aliases"])]
    raise UsageError(
        f"list {' '.join(words)}: no loss has this in its name, its other names, its family or its summary{did_you_mean(name, names)}; "
        "losscli list shows all losses"
    )


def _plain(text: str) -> str:
    """Return a text as it is searched."""
    return " ".join(re.split(r"[\s_-]+", text.lower())).strip()


def _texts(item: Entry) -> list[str]:
    """Return what is searched of a loss."""
    calls = [name for call in item["libraries"] for name in call["names"]]
    return [_plain(text) for text in (item["name"], item["family"], *item["aliases"], *calls, item["summary"] or "")]


def listed(found: Sequence[Entry], screen: Screen, words: Sequence[str] = ()) -> str:
    """Return losses with a summary in a line, grouped by family; in a pipe with everything on a line of its own.

    Parameters
    ----------
    words
        what was searched: where only another name of a loss has it, that name is shown.
    """
    families: dict[str, list[Entry]] = {}
    for item in found:
        families.setdefault(item["family"], []).append(item)
    if screen.width is None:
        rows = [
            [
                *(item["name"], item["family"], f"{item['summary']}{_by_name(item, words, aliases=False)}"),
                *(parameters_in_short(item), ", ".join(item["aliases"])),
            ]
            for items in families.values()
            for item in items
        ]
        rows = [list(COLUMNS), *rows]
        widths = [max(width_of(row[i]) for row in rows) for i in range(len(COLUMNS))]
        return "\n".join(
            "  ".join(text + " " * (width - width_of(text)) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )
    wide = max(width_of(item["name"]) for item in found) + 4
    lines: list[str] = []
    for name, items in families.items():
        about = f": {FAMILIES[name].summary}" if name in FAMILIES else ""
        head = wrapped(screen.safe(name + about), screen.columns)
        lines += ["", *(screen.paint(line, "bold") for line in head)]
        for item in items:
            label = f"  {screen.safe(item['name'])}"
            text = screen.safe(f"{item['summary']}{_by_name(item, words)}")
            first, *rest = wrapped(text, screen.columns, " " * wide, wide)
            room = " " * (wide - width_of(label))
            lines += [f"{screen.paint(label, 'cyan')}{room}{first}", *rest]
    return "\n".join([*lines[1:], "", *wrapped(FURTHER, screen.columns)])


def _by_name(item: Entry, words: Sequence[str], aliases: bool = True) -> str:
    """Return the other names of a loss by which alone it was found, in words; '' if it has the words itself.

    `aliases` says whether its aliases are told, too.
    """
    wanted = [_plain(word) for word in words]
    own = _plain(item["name"]), _plain(item["summary"] or "")
    calls = [name for call in item["libraries"] for name in call["names"]]
    names = [
        name
        for name in dict.fromkeys([*item["aliases"], *calls])
        if (aliases or name not in item["aliases"])
        and any(word in _plain(name) and not any(word in text for text in own) for word in wanted if word)
    ]
    return f" (also called {', '.join(names)})" if names else ""


def curve(loss: BoundLoss, encoding: str | None, columns: int = WIDEST) -> tuple[str, list[str]]:
    """Return the loss over its natural axis, drawn with characters: a caption, and lines of so many columns at most."""
    (bound,) = drawable([loss])
    axes = shared_axis([bound])[1]
    axis = axes[bound.family.name]
    low, high = default_range([bound], axes)
    drawn = trace(bound, axis, low, high)
    finite = drawn.value[np.isfinite(drawn.value)]
    # A curve that goes to infinity at an end of its axis is cut, since its shape would not be visible otherwise.
    top = np.quantile(finite, CUT) if len(finite) < len(drawn.value) else finite.max()
    shown = np.where(drawn.value > top, np.nan, drawn.value)
    ends = [f"{value:.4g}" for value in (np.nanmax(shown), np.nanmin(shown))]
    width = max(map(len, ends))
    across = max(2, min(CURVE_WIDTH, columns - width - 2))
    lines = sketch.curve(drawn.x, shown, across, CURVE_HEIGHT, encoding)
    labels = [ends[0], *[""] * (len(lines) - 2), ends[1]]
    text = [f"{label:>{width}} |{line}" for label, line in zip(labels, lines, strict=True)]
    text.append(f"{'':{width}} +{'-' * across}")
    text.append(f"{'':{width}}  {low:<{across // 2}g}{high:>{across - across // 2}g}")
    parameters = ", ".join(f"{name} = {value}" for name, value in settings(bound).items())
    return f"loss over the {axis.label}" + (f"; {parameters}" if parameters else ""), text


Parts = Literal["all", "short", "libraries"]
"""What is told of a loss."""
Section = tuple[str, list[str]]
"""A title and the paragraphs below it; without any, the section is left out."""


def described(bound: BoundLoss, screen: Screen, parts: Parts = "all", typed: bool = False) -> str:
    """Return a page about one loss: what it is first, and what may surprise at its end.

    Parameters
    ----------
    typed
        whether the user named parameters, for which values are told too.
    parts
        'short' for formula, curve and meaning alone; 'libraries' for the calls of libraries alone.
    """
    loss = bound.declaration
    record = entry(loss)
    name = spec(bound) if typed else record["name"]
    title = [screen.paint(name, "bold") + f"  ({record['family']})"]
    libraries = _libraries(record, screen)
    if parts == "libraries":
        return "\n".join([*title, *(libraries or ["", "No library that losscli knows has this loss."])])
    lead = [*title, *_leading(bound, record, screen), *(_part("Values", _values(bound), screen) if typed else [])]
    if parts == "short":
        return "\n".join(lead)
    details = [row for name, lines in _details(record) for row in _part(name, lines, screen)]
    source = _part("Source", [record["source"]], screen)
    return "\n".join([*lead, *details, *libraries, *source, *_part("Compute", [command_of(bound)], screen)])


def _part(title: str, lines: Sequence[str], screen: Screen) -> list[str]:
    """Return a section: its title, and its paragraphs, of which the later lines are indented; nothing without paragraphs."""
    if not lines:
        return []
    width = min(screen.columns, WIDEST) if screen.width is not None else WIDEST
    rows = [row for line in lines for row in wrapped(f"  {screen.safe(line)}", width, "    ")]
    return ["", screen.paint(title, "bold"), *rows]


def _values(bound: BoundLoss) -> list[str]:
    """Return the loss and its slope at a few places as lines; none for losses that have no axis."""
    try:
        found = at_parameters(bound)
    except LosscliError:
        return []
    letter = next(iter(bound.family.variables))
    return [
        f"at {letter} = {row['x']:g}: loss {row['value']:.4g}, slope {row['gradient']:.4g}" for row in found["values"]
    ]


def _leading(bound: BoundLoss, record: Entry, screen: Screen) -> list[str]:
    """Return what a reader wants first: what the loss means, its formula, and its curve."""
    letters = [f"{letter} = {meaning}" for letter, meaning in (record["variables"] | record["where"]).items()]
    whole = [f"loss = {record['value']}"] if record["value"].startswith("sum") else []
    try:
        over, drawn = curve(bound, screen.encoding, screen.columns - 2 if screen.width is not None else WIDEST)
    except LosscliError as error:  # a loss of the user's own may fail or need a parameter
        over, drawn = f"none: {error}", []
    width = min(screen.columns, WIDEST) if screen.width is not None else WIDEST
    return [
        *wrapped(f"  {screen.safe(record['summary'])}", width, "  "),
        *_part("Formula", [f"f = {formula_of(record)}", *whole], screen),
        *_part("where", letters, screen),
        *_part("Curve", [over], screen),
        *(f"  {line}" for line in drawn),
    ]


def _details(record: Entry) -> list[Section]:
    """Return the sections about a loss that stand behind its curve and its meaning."""
    slope = [f"slope = {record['slope']}"] if record["slope"] else []
    parameters = [
        f"--{item['name'].replace('_', '-')} {'(none)' if item['default'] is None else format(item['default'], 'g')}  in {item['domain']}: {item['help']}"
        for item in record["parameters"]
    ]
    at = ", ".join(record["breaks"])
    return [
        ("Gradient", [*slope, f"d loss / d prediction: {record['gradient']}"]),
        ("Parameters", parameters),
        ("Targets", [record["targets"]]),
        ("Rows", [record["rows"]] if record["rows"] else []),
        ("Changes its form", [f"at {next(iter(record['variables']))} = {at}"] if at else []),
        ("Facts", [", ".join(record["facts"])] if record["facts"] else []),
        ("Special cases", record["special_cases"]),
        ("Relations", record["relations"]),
        ("Also called", [", ".join(record["aliases"])] if record["aliases"] else []),
        ("Names that mean something else elsewhere", [f"{name}: {text}" for name, text in record["elsewhere"].items()]),
    ]


def command_of(bound: BoundLoss) -> str:
    """Return the command line that computes a loss with its parameters."""
    options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in settings(bound).items())
    return f"losscli compute {bound.name} PREDICTIONS TARGETS{operands_of(bound.declaration)}{options}"


def told(name: str) -> Entry | None:
    """Return what a word is that is no loss of losscli's but known: a statistic, or another program's name; None for others.

    `commands` are complete command lines that give it, or what is near.
    """
    said = instead(name)
    if said is None:
        return None
    commands = re.findall(r"losscli compute [^`;,]*", said)
    return {"name": name, "is": said.replace("`", ""), "commands": [command.strip() for command in commands]}


def described_word(found: Entry, screen: Screen) -> str:
    """Return a page about a word that is no loss: what it is, and what to run."""
    width = min(screen.columns, WIDEST) if screen.width is not None else WIDEST
    said = found["is"].removeprefix("is ")
    about = wrapped(f"  {screen.safe(said[:1].upper() + said[1:])}", width, "  ")
    lines = [screen.paint(found["name"], "bold"), *about]
    if not found["commands"]:
        return "\n".join(lines)
    return "\n".join([*lines, "", screen.paint("Compute", "bold"), *(f"  {command}" for command in found["commands"])])


def _libraries(found: Entry, screen: Screen) -> list[str]:
    """Return the calls of the libraries, with their conventions and defects."""
    if not found["libraries"]:
        return []
    width = min(screen.columns, WIDEST) if screen.width is not None else WIDEST
    title = "In libraries (p: predictions, t: targets; --as gives their number)"
    lines = ["", *(screen.paint(line, "bold") for line in wrapped(title, screen.width))]
    for entry in found["libraries"]:
        lines += code_lines(f"  {entry['library']}: {entry['call']}", screen)
        for text in [*entry["conventions"], *(f"defect: {text}" for text in entry["defects"])]:
            lines += wrapped(f"    - {screen.safe(text)}", width, "      ")
    return lines
