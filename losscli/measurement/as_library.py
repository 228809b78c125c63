"""The same files by the conventions of several libraries: each one's number, and what makes it differ.

From losscli's own number one convention after the other is taken over, and the number is computed again.
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
"""Numbers that differ by less, relatively, are the same: the order of additions differs."""


@dataclass(frozen=True)
class Side:
    """A library's number: None where the library cannot compute it, and why."""

    library: str
    title: str
    call: str
    value: float | None
    steps: tuple[tuple[str, float], ...] = ()
    """Each convention in words, and the number with it and those before it."""
    refused: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = {"library": self.library, "version": self.title, "call": self.call, "value": self.value}
        if self.refused is not None:
            return found | {"refused": self.refused}
        return found | {"conventions": [{"convention": words, "value": value} for words, value in self.steps]}


def facts_of(measurement: Measurement) -> Facts:
    """What of a calculation's files conventions depend on."""
    shape = measurement.units.shape
    return Facts(
        measurement.opened.predictions.dtype, measurement.opened.encoding.kind, shape[1] if len(shape) == 2 else 1
    )


def as_library(measurement: Measurement, name: str, typed: Iterable[str]) -> Measurement:
    """The calculation by a library's conventions, which its receipt lists.

    Raises
    ------
    UsageError
        for what the library cannot do.
    """
    library = libraries()[name]
    request = replace(measurement.request, library=name)
    found = steps(library, request, facts_of(measurement), typed)
    made = measurement.settled(found[-1].request if found else request)
    call = call_for(library, request)
    made.receipt["as"] = {
        "library": name,
        "version": library.title,
        "call": call.call,
        "conventions": [step.words for step in found],
    }
    return made


class Numbers:
    """Values of requests for the same files; passes over the files that differ in the reduction alone are made once."""

    def __init__(self, measurement: Measurement, threads: int | None) -> None:
        self.measurement, self.threads = measurement, threads
        self.passes: list[tuple[Request, Measurement, Aggregate]] = []

    def value(self, request: Request) -> float:
        key = replace(request, reduction="mean", library=None)
        known = next((found for found in self.passes if found[0] == key), None)
        if known is None:
            made = self.measurement.settled(key)
            known = key, made, made.pass_over(threads=self.threads)
            self.passes.append(known)
        _, made, aggregate = known
        value, _, _ = reduced(made.job, aggregate[Summary], REDUCTIONS[request.reduction])
        return value


def side_by_side(
    measurement: Measurement, names: Iterable[str], typed: Iterable[str], threads: int | None
) -> tuple[float, list[Side]]:
    """The number of losscli itself, and each library's.

    Raises
    ------
    UsageError
        where none of the libraries can compute it, with the first one's reason.
    """
    typed = frozenset(typed)
    numbers = Numbers(measurement, threads)
    own = numbers.value(measurement.request)
    sides, reasons = [], []
    for name in names:
        library = libraries()[name]
        try:
            call = call_for(library, measurement.request)
            found = steps(library, measurement.request, facts_of(measurement), typed)
        except UsageError as error:
            reasons.append(error)
            reason = str(error).removeprefix(f"--as {name}: ")
            sides.append(Side(name, library.title, "-", None, refused=reason))
            continue
        values = tuple((step.words, numbers.value(step.request)) for step in found)
        sides.append(Side(name, library.title, call.call, values[-1][1] if values else own, values))
    if len(reasons) == len(sides):
        raise reasons[0]
    return own, sides


def lines(loss: str, own: float, reduction: str, sides: Iterable[Side], show: Any) -> list[dict[str, str]]:
    """A row a convention: library, value, call, and what makes the number differ; `show` makes text of a number."""
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
