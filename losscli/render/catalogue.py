"""The losses as records, from their declarations, and those records as text for a terminal."""

import io
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from losscli.analysis.curves import default_range, drawable, shared_axis, trace
from losscli.definition.loss import Loss, Relation
from losscli.errors import LosscliError, UsageError
from losscli.libraries import libraries, meaning
from losscli.lookup.spec import settings
from losscli.losses import FAMILIES, LOSSES, is_known
from losscli.measurement.conventions import conventions
from losscli.render import sparkline as sketch
from losscli.wording import did_you_mean, listing

Entry = dict[str, Any]

COUPLED = {
    "masks": "each row is a mask, or a series, of its own and streams; --per column and --per file couple the rows, and so "
    "does one number a row: all of the file is then held in memory, and what is too large for it is refused",
    "file": "all rows have one loss together: the file is held in memory, and what is too large for it is refused",
    "rows": "every row meets all others: the file is held in memory, the work grows with the square of the rows, and too "
    "many are refused; a row's loss depends on the other rows",
}
"""What losses that couple rows say of it."""

REGISTERED = "registered"
"""Stands for a family of losses that installed packages register, which are not looked into."""

WIDE_ENOUGH_FOR_ALIASES = 160
CURVE_WIDTH, CURVE_HEIGHT = 60, 8
CUT = 0.99


def entry(loss: Loss) -> Entry:
    """Everything that a loss declares."""
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


def explained(loss: Loss) -> Loss:
    """A loss to explain: of one that depends on files what it is without any, if it can be that."""
    try:
        return drawable([loss.bind()])[0].declaration
    except LosscliError:
        return loss


def words(loss: Loss, relation: Relation) -> str:
    """A relation as a line: the equality, and where it holds."""
    place = []
    for name, value in relation.at.items():
        inside = value in loss.parameters[name].domain
        place.append(f"{'at' if inside else 'as'} {name} {'=' if inside else '->'} {value:g}")
    return f"{loss.name.replace('-', '_')} = {relation.expression}" + (f" {' and '.join(place)}" if place else "")


def entries(family: str | None = None) -> list[Entry]:
    """All losses, or those of a family.

    Raises
    ------
    UsageError
        for a family that does not exist.
    """
    if family is not None and family not in (*FAMILIES, REGISTERED):
        raise UsageError(
            f"--family {family}: no such family{did_you_mean(family, FAMILIES)}; there are {listing(FAMILIES)}"
        )
    return [entry(loss) for loss in LOSSES.values() if family in (None, loss.family.name)]


def registered_entries() -> list[Entry]:
    """Losses that installed packages register, by name and home only: a list imports none of them.

    Those of a name that losscli's own losses have are found by nobody, and left out.
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
            "definition": home(one),
            "source": home(one),
        }
        for name, one in registered().items()
        if not is_known(name)
    ]


def operands_of(loss: Loss) -> str:
    """The options that a loss cannot do without."""
    return (" --centers FILE" if loss.family.takes_centers else "") + (
        f" --{loss.family.third_operand} FILE" if loss.family.third_operand else ""
    )


def formula_of(found: Entry) -> str:
    """The formula, or the definition in words where no closed form exists."""
    return str(found.get("formula") or found["definition"])


def parameters_in_short(found: Entry) -> str:
    shown = [
        f"{item['name']} {'none' if item['default'] is None else format(item['default'], 'g')}"
        for item in found["parameters"]
    ]
    return ", ".join(shown)


def listed(found: Sequence[Entry], terminal: bool) -> str:
    """A table of losses; off a terminal it is as wide as it needs to be."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    width = shutil.get_terminal_size().columns if terminal else 100_000
    console = Console(file=out, width=width, height=100, force_terminal=terminal, no_color=None if terminal else True)
    table = Table(box=box.SIMPLE_HEAD if terminal else None, pad_edge=False)
    wide = width >= WIDE_ENOUGH_FOR_ALIASES
    for heading in ("loss", "family", "parameters", "formula", *(["aliases"] if wide else [])):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("loss", "parameters"))
    for item in found:
        row = [item["name"], item["family"], parameters_in_short(item), formula_of(item)]
        table.add_row(*(Text(text) for text in (*row, ", ".join(item["aliases"]))[: 5 if wide else 4]))
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).strip("\n")


def curve(loss: Loss, encoding: str | None) -> tuple[str, list[str]]:
    """The loss at its defaults over its natural axis, in characters: what is drawn, and its lines."""
    (bound,) = drawable([loss.bind()])
    axes = shared_axis([bound])[1]
    axis = axes[bound.family.name]
    low, high = default_range([bound], axes)
    drawn = trace(bound, axis, low, high)
    finite = drawn.value[np.isfinite(drawn.value)]
    # A curve that goes to infinity at an end of its axis is cut where it would hide the rest.
    top = np.quantile(finite, CUT) if len(finite) < len(drawn.value) else finite.max()
    shown = np.where(drawn.value > top, np.nan, drawn.value)
    lines = sketch.curve(drawn.x, shown, CURVE_WIDTH, CURVE_HEIGHT, encoding)
    ends = [f"{value:.4g}" for value in (np.nanmax(shown), np.nanmin(shown))]
    labels = [ends[0], *[""] * (len(lines) - 2), ends[1]]
    width = max(map(len, labels))
    text = [f"{label:>{width}} |{line}" for label, line in zip(labels, lines, strict=True)]
    text.append(f"{'':{width}} +{'-' * CURVE_WIDTH}")
    text.append(f"{'':{width}}  {low:<{CURVE_WIDTH // 2}g}{high:>{CURVE_WIDTH - CURVE_WIDTH // 2}g}")
    given = ", ".join(f"{name} = {value}" for name, value in settings(bound).items())
    return f"loss over the {axis.label}" + (f"; {given}" if given else ""), text


def described(loss: Loss, terminal: bool, encoding: str | None = "utf-8") -> str:
    """One loss on a page: what it is, and all that may surprise."""
    import textwrap

    found = entry(loss)

    width = max(60, min(shutil.get_terminal_size().columns, 100)) if terminal else 100

    def strong(text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if terminal else text

    def part(title: str, lines: Sequence[str]) -> list[str]:
        if not lines:
            return []
        wrapped = [
            row
            for line in lines
            for row in textwrap.wrap(line, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
        ]
        return ["", strong(title), *wrapped]

    letters = [f"{letter} = {meaning}" for letter, meaning in (found["variables"] | found["where"]).items()]
    parameters = [
        f"--{item['name'].replace('_', '-')} {'(none)' if item['default'] is None else format(item['default'], 'g')}  in {item['domain']}: {item['help']}"
        for item in found["parameters"]
    ]
    try:
        over, drawn = curve(loss, encoding)
    except LosscliError as error:  # of a loss of the user's own, which may fail or need a parameter
        over, drawn = f"none: {error}", []
    at = ", ".join(found["breaks"])
    needed = operands_of(loss)
    given = [item for item in found["parameters"] if item["default"] is not None]
    options = needed + "".join(f" --{item['name'].replace('_', '-')} {item['default']:g}" for item in given)
    text = [
        strong(found["name"]) + f"  ({found['family']})",
        *textwrap.wrap(found["summary"], width, initial_indent="  ", subsequent_indent="  "),
        *part(
            "Formula",
            [f"f = {formula_of(found)}", *([f"loss = {found['value']}"] if found["value"].startswith("sum") else [])],
        ),
        *part("where", letters),
        "",
        strong("Curve"),
        f"  {over}",
        *(f"  {line}" for line in drawn),
        *part(
            "Gradient",
            [*([f"slope = {found['slope']}"] if found["slope"] else []), f"d loss / d prediction: {found['gradient']}"],
        ),
        *part("Parameters", parameters),
        *part("Targets", [found["targets"]]),
        *part("Rows", [found["rows"]] if found["rows"] else []),
        *part("Changes its form", [f"at {next(iter(found['variables']))} = {at}"] if at else []),
        *part("Facts", [", ".join(found["facts"])] if found["facts"] else []),
        *part("Special cases", found["special_cases"]),
        *part("Relations", found["relations"]),
        *part("Also called", [", ".join(found["aliases"])] if found["aliases"] else []),
        *part(
            "Names that mean something else elsewhere", [f"{name}: {text}" for name, text in found["elsewhere"].items()]
        ),
        *_libraries(found, part, width),
        *part("Source", [found["source"]]),
        *part("Compute", [f"losscli compute {found['name']} PREDICTIONS TARGETS{options}"]),
    ]
    return "\n".join(text)


def _libraries(found: Entry, part: Callable[[str, Sequence[str]], list[str]], width: int) -> list[str]:
    """The calls of the libraries, with their conventions and defects."""
    import textwrap

    lines = (
        part("In libraries (p: predictions, t: targets; --as gives their number)", ["x"])[:-1]
        if found["libraries"]
        else []
    )
    for entry in found["libraries"]:
        lines.append(f"  {entry['library']}: {entry['call']}")
        for text in [*entry["conventions"], *(f"defect: {text}" for text in entry["defects"])]:
            lines += textwrap.wrap(
                text, width, initial_indent="    - ", subsequent_indent="      ", break_on_hyphens=False
            )
    return lines
