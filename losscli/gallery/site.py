"""The gallery as files: a page for every loss, the start page, and what all of them share.

The same version makes the same bytes: nothing depends on the time, the machine or the order in which files are made.
"""

import json
from importlib.resources import files
from typing import Any

from losscli.analysis.curves import shared_axis
from losscli.errors import UsageError
from losscli.gallery.javascript import RUNTIME, Program, translate
from losscli.gallery.pages import Exhibit, loss_page, start_page
from losscli.losses import FAMILIES, LOSSES
from losscli.version import __version__

SHARED = ("site.css", "curve.js", "start.js")
"""The files of this package that are part of the gallery as they are."""
MARKER = ".losscli-gallery"
"""The file by which a folder is known to be a gallery; it lists all others."""


def site() -> dict[str, bytes]:
    """Return the gallery: the content of each file, by its path in the folder, with '/' between the parts."""
    exhibits = [Exhibit(loss) for loss in LOSSES.values()]
    programs = {shown.name: _programs(shown) for shown in exhibits}
    audited = json.loads(_packaged("audited.json"))
    made = {"index.html": start_page(exhibits), "programs.js": _script(exhibits, programs)}
    for before, shown, after in zip([None, *exhibits], exhibits, [*exhibits[1:], None], strict=False):
        made[shown.address] = loss_page(shown, before, after, bool(programs[shown.name]), audited)
    made |= {name: _packaged(name) for name in SHARED}
    made[MARKER] = "".join(f"{name}\n" for name in [f"losscli {__version__}", *sorted(made)])
    return {name: text.encode() for name, text in made.items()}


def _packaged(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _programs(shown: Exhibit) -> dict[str, Program]:
    """Return the programs of a loss, by its axes; those of axes that have none are left out."""
    if shown.bound.declaration is not shown.loss:  # what depends on files is drawn as another loss
        return {}
    found = {name: translate(shown.loss, name) for name in shown.axes}
    return {name: program for name, program in found.items() if program is not None}


def _script(exhibits: list[Exhibit], programs: dict[str, dict[str, Program]]) -> str:
    """Return programs.js: the runtime, and for every loss its default parameters and the functions of its curves.

    Two losses may be laid over each other if the group of their axis is the same.
    """
    groups = _groups(exhibits)
    lines = [RUNTIME.rstrip(), "losscli.losses = {"]
    for shown in exhibits:
        defaults: dict[str, Any] = {item.name: item.default for item in shown.loss.parameters.values()}
        axes = [
            f"{json.dumps(name)}: {{group: {json.dumps(groups[shown.loss.family.name, name])}, at: {program.source}}}"
            for name, program in programs[shown.name].items()
        ]
        if axes:
            lines.append(
                f"{json.dumps(shown.name)}: {{defaults: {json.dumps(defaults)}, axes: {{{', '.join(axes)}}}}},"
            )
    return "\n".join([*lines, "};", ""])


def _groups(exhibits: list[Exhibit]) -> dict[tuple[str, str], str]:
    """Return for each axis of a family the name of its group: the first family, and the axis, with which it can be drawn together."""
    one_of = {shown.loss.family.name: shown.bound for shown in exhibits}
    groups: dict[tuple[str, str], str] = {}
    for name, family in FAMILIES.items():
        for axis in family.axes:
            alike = (
                group
                for (other, over), group in groups.items()
                if over == axis and group == f"{other} {over}" and _together(one_of[other], one_of[name], axis)
            )
            groups[name, axis] = next(alike, f"{name} {axis}")
    return groups


def _together(one: Any, other: Any, axis: str) -> bool:
    """Whether two losses can be drawn over the same axis."""
    try:
        shared_axis([one, other], axis)
    except UsageError:
        return False
    return True
