"""Pages for a browser: what every command that writes `-o FILE.html` needs beside its own numbers."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from losscli.cli import LINE
from losscli.render.page import Picture
from losscli.wording import quoted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscli.plots.style import Look

PAGE = {".html": "html"}
"""Suffix -> format, of a page."""


def typed_line() -> str:
    """Return the command line as it was typed, quoted so that it can be pasted."""
    return " ".join(["losscli", *map(quoted, LINE.get())])


def drawn(title: str, description: str, draw: "Callable[[Look], Figure]") -> Picture:
    """Draw a picture for a page.

    Parameters
    ----------
    description
        what the picture shows, for those who do not see it.
    draw
        draws it with a look, which has no title of its own.
    """
    from losscli.plots.style import Look, drawing, render

    look = Look(title="")
    with drawing(look):
        svg, _ = render(draw(look), ".svg", look, {"Title": title, "Description": description})
    return Picture(svg.decode(), title, description)


def as_findings(notes: Iterable[str]) -> list[tuple[str, str]]:
    """Return notes for the user, as a terminal says them, as severities with their words."""
    found = []
    for note in notes:
        words = note.removeprefix("warning: ")
        found.append(("note" if words == note else "warning", words))
    return found
