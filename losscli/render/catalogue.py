"""The losses as records, from their declarations, and those records as text for a terminal."""

import io
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from losscli.analysis.curves import default_range, drawable, shared_axis, trace
from losscli.definition.loss import Loss, Relation
from losscli.errors import LosscliError, UsageError
from losscli.libraries import libraries
from losscli.lookup.meanings import meaning
from losscli.lookup.names import is_known
from losscli.lookup.spec import settings
from losscli.losses import FAMILIES, LOSSES
from losscli.measurement.conventions import conventions
from losscli.render import sparkline as sketch
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

WIDE_ENOUGH_FOR_ALIASES = 160
CURVE_WIDTH, CURVE_HEIGHT = 60, 8
CUT = 0.99


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


def explained(loss: Loss) -> Loss:
    """Return a loss to explain: one that depends on files is replaced by what it is without files, if possible."""
    try:
        return drawable([loss.bind()])[0].declaration
    except LosscliError:
        return loss


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


def listed(found: Sequence[Entry], terminal: bool) -> str:
    """Return a table of losses; if it is not for a terminal, it is as wide as it needs to be."""
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
    """Return the loss at its defaults over its natural axis, drawn with characters: a caption, and the lines."""
    (bound,) = drawable([loss.bind()])
    axes = shared_axis([bound])[1]
    axis = axes[bound.family.name]
    low, high = default_range([bound], axes)
    drawn = trace(bound, axis, low, high)
    finite = drawn.value[np.isfinite(drawn.value)]
    # A curve that goes to infinity at an end of its axis is cut, since its shape would not be visible otherwise.
    top = np.quantile(finite, CUT) if len(finite) < len(drawn.value) else finite.max()
    shown = np.where(drawn.value > top, np.nan, drawn.value)
    lines = sketch.curve(drawn.x, shown, CURVE_WIDTH, CURVE_HEIGHT, encoding)
    ends = [f"{value:.4g}" for value in (np.nanmax(shown), np.nanmin(shown))]
    labels = [ends[0], *[""] * (len(lines) - 2), ends[1]]
    width = max(map(len, labels))
    text = [f"{label:>{width}} |{line}" for label, line in zip(labels, lines, strict=True)]
    text.append(f"{'':{width}} +{'-' * CURVE_WIDTH}")
    text.append(f"{'':{width}}  {low:<{CURVE_WIDTH // 2}g}{high:>{CURVE_WIDTH - CURVE_WIDTH // 2}g}")
    parameters = ", ".join(f"{name} = {value}" for name, value in settings(bound).items())
    return f"loss over the {axis.label}" + (f"; {parameters}" if parameters else ""), text


def described(loss: Loss, terminal: bool, encoding: str | None = "utf-8") -> str:
    """Return a page about one loss: what it is, and everything that may surprise."""
    import textwrap

    record = entry(loss)
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

    try:
        over, drawn = curve(loss, encoding)
    except LosscliError as error:  # a loss of the user's own may fail or need a parameter
        over, drawn = f"none: {error}", []
    before, behind = _sections(record)
    text = [
        strong(record["name"]) + f"  ({record['family']})",
        *textwrap.wrap(record["summary"], width, initial_indent="  ", subsequent_indent="  "),
        *(row for title, lines in before for row in part(title, lines)),
        "",
        strong("Curve"),
        f"  {over}",
        *(f"  {line}" for line in drawn),
        *(row for title, lines in behind for row in part(title, lines)),
        *_libraries(record, part, width),
        *part("Source", [record["source"]]),
        *part("Compute", [_command(loss, record)]),
    ]
    return "\n".join(text)


Section = tuple[str, list[str]]
"""A title and the paragraphs below it; without any, the section is left out."""


def _sections(record: Entry) -> tuple[list[Section], list[Section]]:
    """Return the sections about a loss that stand before its curve, and those behind it."""
    formula = [
        f"f = {formula_of(record)}",
        *([f"loss = {record['value']}"] if record["value"].startswith("sum") else []),
    ]
    letters = [f"{letter} = {meaning}" for letter, meaning in (record["variables"] | record["where"]).items()]
    slope = [f"slope = {record['slope']}"] if record["slope"] else []
    parameters = [
        f"--{item['name'].replace('_', '-')} {'(none)' if item['default'] is None else format(item['default'], 'g')}  in {item['domain']}: {item['help']}"
        for item in record["parameters"]
    ]
    at = ", ".join(record["breaks"])
    return [("Formula", formula), ("where", letters)], [
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


def _command(loss: Loss, record: Entry) -> str:
    """Return the command line that computes a loss, with its parameters at their defaults."""
    given = [item for item in record["parameters"] if item["default"] is not None]
    options = "".join(f" --{item['name'].replace('_', '-')} {item['default']:g}" for item in given)
    return f"losscli compute {record['name']} PREDICTIONS TARGETS{operands_of(loss)}{options}"


def _libraries(found: Entry, part: Callable[[str, Sequence[str]], list[str]], width: int) -> list[str]:
    """Return the calls of the libraries, with their conventions and defects."""
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
