"""The number of each of several libraries for the same files, and the conventions that make it differ from losscli's.

Beginning with losscli's own number, one convention after another is adopted, and the number is computed again.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from losscli.definition.request import Request
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.summary import Summary
from losscli.engine.reduction import REDUCTIONS, reduced
from losscli.errors import UsageError
from losscli.libraries import libraries
from losscli.measurement.conventions import Facts, call_for, steps
from losscli.measurement.measure import Measurement

SAME = 1e-12
"""Numbers whose relative difference is smaller are equal, since libraries add in another order."""


@dataclass(frozen=True)
class Side:
    """The number of one library; if it cannot compute the loss, `value` is None and `refused` says why."""

    library: str
    title: str
    call: str
    value: float | None
    steps: tuple[tuple[str, float], ...] = ()
    """Each convention in words, and the number with it and all conventions before it."""
    refused: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        record: dict[str, Any] = {
            "library": self.library,
            "version": self.title,
            "call": self.call,
            "value": self.value,
        }
        if self.refused is not None:
            return record | {"refused": self.refused}
        return record | {"conventions": [{"convention": words, "value": value} for words, value in self.steps]}


def facts_of(measurement: Measurement) -> Facts:
    """Return the facts about a measurement's files on which conventions depend."""
    opened = measurement.opened
    shape = opened.predictions.shape
    columns = shape[1] if len(shape) == 2 else 1
    return Facts(opened.predictions.dtype, opened.encoding.kind, columns, opened.layout is not None)


def as_library(measurement: Measurement, name: str, typed: Iterable[str]) -> Measurement:
    """Return the measurement by the conventions of a library, which its receipt lists.

    Parameters
    ----------
    name
        name of the library.
    typed
        names of the parameters and options that the user gave: these keep their values.

    Raises
    ------
    UsageError
        if the library cannot compute the loss or has no such option.
    """
    library = libraries()[name]
    request = replace(measurement.request, library=name)
    adopted = steps(library, request, facts_of(measurement), typed)
    settled = measurement.settled(adopted[-1].request if adopted else request)
    call = call_for(library, request)
    settled.receipt["as"] = {
        "library": name,
        "version": library.title,
        "call": call.call,
        "conventions": [step.words for step in adopted],
    }
    return settled


class Numbers:
    """Values of requests for the same files. Requests that differ only in the reduction share one pass
    over the files.
    """

    def __init__(self, measurement: Measurement, threads: int | None) -> None:
        self.measurement, self.threads = measurement, threads
        self.passes: list[tuple[Request, Measurement, Aggregate]] = []

    def value(self, request: Request) -> float:
        """Return the value of a request, from a pass that was made already if there is one."""
        key = replace(request, reduction="mean", library=None)
        known = next((pass_made for pass_made in self.passes if pass_made[0] == key), None)
        if known is None:
            settled = self.measurement.settled(key)
            known = key, settled, settled.pass_over(threads=self.threads)
            self.passes.append(known)
        _, settled, aggregate = known
        value, _, _ = reduced(settled.job, aggregate[Summary], REDUCTIONS[request.reduction])
        return value


def side_by_side(
    measurement: Measurement, names: Iterable[str], typed: Iterable[str], threads: int | None
) -> tuple[float, list[Side]]:
    """Return losscli's own number, and one `Side` for each library.

    Raises
    ------
    UsageError
        if none of the libraries can compute it, with the reason of the first one.
    """
    typed = frozenset(typed)
    numbers = Numbers(measurement, threads)
    own = numbers.value(measurement.request)
    sides, reasons = [], []
    for name in names:
        library = libraries()[name]
        try:
            call = call_for(library, measurement.request)
            adopted = steps(library, measurement.request, facts_of(measurement), typed)
        except UsageError as error:
            reasons.append(error)
            reason = str(error).removeprefix(f"--as {name}: ")
            sides.append(Side(name, library.title, "-", None, refused=reason))
            continue
        values = tuple((step.words, numbers.value(step.request)) for step in adopted)
        sides.append(Side(name, library.title, call.call, values[-1][1] if values else own, values))
    if len(reasons) == len(sides):
        raise reasons[0]
    return own, sides


def lines(loss: str, own: float, reduction: str, sides: Iterable[Side], show: Any) -> list[dict[str, str]]:
    """Return a table with one row per convention: library, value, call, and why the number differs.

    `show` turns a number into text.
    """
    rows = [{"library": "losscli", "value": show(own), "call": loss, "difference": f"{REDUCTIONS[reduction].formula}"}]
    for side in sides:
        if side.refused is not None:
            rows.append({"library": side.library, "value": "-", "call": side.call, "difference": side.refused})
            continue
        before, words = own, []
        for text, value in side.steps:
            same = value == before or math.isclose(value, before, rel_tol=SAME, abs_tol=0)
            words.append(f"{text}: {'no change here' if same else show(value)}")
            before = value
        for i, line in enumerate(words or ["nothing: as losscli"]):
            first = i == 0
            rows.append(
                {
                    "library": side.library if first else "",
                    "value": show(side.value) if first else "",
                    "call": side.call if first else "",
                    "difference": line,
                }
            )
    return rows
