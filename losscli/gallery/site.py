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
    """Return programs.js: the runtime, and for every loss its family, its default parameters and the functions of its curves.

    `losscli.families` says for each axis of a family what it is called, and with which families it is one axis, so that their
    losses may be laid over each other.
    """
    lines = [RUNTIME.rstrip(), f"losscli.families = {json.dumps(_families(exhibits))};", "losscli.losses = {"]
    for shown in exhibits:
        about = {
            "family": shown.loss.family.name,
            "defaults": {item.name: item.default for item in shown.loss.parameters.values()},
        }
        axes = [f"{json.dumps(name)}: {program.source}" for name, program in programs[shown.name].items()]
        if axes:
            lines.append(f"{json.dumps(shown.name)}: {{...{json.dumps(about)}, axes: {{{', '.join(axes)}}}}},")
    return "\n".join([*lines, "};", ""])


def _families(exhibits: list[Exhibit]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return for each family and each of its axes its label, and the families whose axis of this name is the same one."""
    one_of = {shown.loss.family.name: shown.bound for shown in exhibits}
    return {
        name: {
            axis: {
                "label": about.label,
                "beside": [other for other, bound in one_of.items() if _together(one_of[name], bound, axis)],
            }
            for axis, about in FAMILIES[name].axes.items()
        }
        for name in one_of
    }


def _together(one: Any, other: Any, axis: str) -> bool:
    """Whether two losses can be drawn over the same axis."""
    try:
        shared_axis([one, other], axis)
    except UsageError:
        return False
    return True
