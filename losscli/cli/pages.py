"""Pages for a browser: what every command that writes `-o FILE.html` needs beside its own numbers."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from losscli.cli.command import TYPED_LINE
from losscli.cli.sampling import missing_panels, observe, sampled
from losscli.errors import DataError
from losscli.render.page import Page, Picture
from losscli.render.text import Laid
from losscli.wording import quoted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscli.analysis.suite.model import Outcome
    from losscli.measurement.measure import Measurement
    from losscli.measurement.result import Result
    from losscli.plots.style import Look


def typed_line() -> str:
    """Return the command line as it was typed, quoted so that it can be pasted."""
    return " ".join(["losscli", *map(quoted, TYPED_LINE.get())])


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


def file_of(receipt: Mapping[str, Any]) -> str:
    """Return the name of the file of predictions, by which a page is called."""
    return str(receipt.get("predictions", {}).get("file", "predictions"))


def page_of(laid: Laid, lead: tuple[str, str], **more: Any) -> Page:
    """Return a page with the title, facts and tables of a report; `lead` and what else is given are fields of Page."""
    title, facts, tables = laid
    return Page(title, lead, facts, tables, command=typed_line(), **more)


PANELS = {
    "distribution": ("Distribution", "How many samples have which loss, with mean, median and 99th percentile."),
    "classes": ("By class", "The mean loss of each class, the largest first, beside that of all samples."),
    "confidence": (
        "Confidence",
        "How probable the predictions said that what happened was: beside the most probable other class, or by outcome.",
    ),
    "concentration": ("Concentration", "Which part of the total loss the worst samples have."),
}
"""Panel -> its title on a page, and what it shows."""


MOST_PICTURES = 40
"""Pictures on the page of a suite, which would take minutes and megabytes for hundreds."""


def distributions(outcomes: "Iterable[Outcome]") -> list[Picture]:
    """Return a picture of the losses of each measurement of a suite; those that are not met come first if there are too many."""
    from losscli.analysis.suite.model import MET
    from losscli.engine.collectors.breakdown import Profile
    from losscli.plots import samples as picture

    nothing, found = Profile(None, None, None, None, None), list(outcomes)
    if sum(len(outcome.results) for outcome in found) > MOST_PICTURES:
        found.sort(key=lambda outcome: outcome.status == MET)
    pictures: list[Picture] = []
    for outcome in found:
        for term, result in zip(outcome.measure.terms, outcome.results, strict=True):
            name = f"{outcome.measure.name}: {term.name}" if outcome.measure.summed else outcome.measure.name
            with suppress(DataError):  # no finite loss, or too large a one: there is nothing to draw
                if result is not None and len(pictures) < MOST_PICTURES:
                    losses = picture.Sampled(result, nothing, None, [])
                    draw = partial(picture.draw, losses, ["distribution"])
                    pictures.append(drawn(f"Losses of {name}", PANELS["distribution"][1], draw))
    return pictures


def watch(measurement: "Measurement") -> None:
    """Let a pass collect what the pictures of its losses show."""
    observe(measurement, "confidence" not in missing_panels(measurement.job))


def pictures_of(measurement: "Measurement", result: "Result") -> list[Picture]:
    """Return the pictures of a file's losses, after a pass that was watched; none that these losses do not allow."""
    from losscli.engine.collectors.breakdown import Profile
    from losscli.plots import samples as picture

    found, missing = sampled(measurement, result), set(missing_panels(measurement.job))
    if result.aggregate.get(Profile) is None:  # of parts, which hold the losses and no more
        missing |= set(PANELS) - {"distribution"}
    pictures = []
    for name, (title, words) in PANELS.items():
        with suppress(DataError):  # no finite loss, or too large a one: there is nothing to draw
            if name not in missing:
                pictures.append(drawn(title, words, partial(picture.draw, found, [name])))
    return pictures
