"""What a suite of measurements is, and what comes of running one: records only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from losscli.definition.request import Request
from losscli.measurement.measure import Measurement
from losscli.measurement.requirement import Requirement
from losscli.measurement.result import Result
from losscli.version import __version__

MET, UNMET, UNMEASURED = "met", "not met", "unmeasured"
ROUNDING = 1e-9
"""The relative tolerance where none is named: what another order of additions may change."""


@dataclass(frozen=True)
class Tolerance:
    """By how much a statistic may be above the earlier one: the larger of both."""

    absolute: float = 0.0
    relative: float = ROUNDING
    statistic: str = "value"

    def limit(self, earlier: float) -> float:
        return earlier + max(self.absolute, self.relative * abs(earlier))


@dataclass(frozen=True)
class Term:
    """A loss of two files and its factor in a sum; a measurement that is no sum has one, of factor 1."""

    name: str
    weight: float
    request: Request
    library: str | None = None
    prediction_kind: tuple[str, ...] = ()
    """Names of the options that were given, of which conventions of a library depend."""


@dataclass(frozen=True)
class Measure:
    """A measurement: what is computed, and what is required of it."""

    name: str
    terms: tuple[Term, ...]
    summed: bool
    requirements: tuple[Requirement, ...]
    tolerance: Tolerance
    line: int
    """Of the file, where it begins."""


@dataclass(frozen=True)
class Suite:
    """What a file asks for."""

    file: str
    name: str
    measures: tuple[Measure, ...]
    baseline: str | None


@dataclass
class Check:
    """A requirement, or the comparison with an earlier result: whether it is met, and in words."""

    what: str
    status: str
    actual: float | None
    words: str

    def record(self) -> dict[str, Any]:
        return {"check": self.what, "status": self.status, "actual": self.actual, "words": self.words}


@dataclass
class Outcome:
    """What became of a measurement."""

    measure: Measure
    results: list[Result | None]
    """Of each term; None for one that could not be measured."""
    errors: list[str]
    checks: list[Check] = field(default_factory=list)
    files: list[tuple[str, str]] = field(default_factory=list)

    @property
    def value(self) -> float | None:
        """The loss, or the weighted sum of the terms."""
        if any(result is None for result in self.results):
            return None
        return _total(self.measure.terms, self.results)

    @property
    def status(self) -> str:
        """'unmeasured' over 'not met' over 'met'."""
        if self.errors:
            return UNMEASURED
        found = {check.status for check in self.checks}
        return next((status for status in (UNMEASURED, UNMET) if status in found), MET)

    @property
    def signature(self) -> str:
        return " + ".join(
            ("" if term.weight == 1 else f"{term.weight:g} * ") + (result.signature if result else "?")
            for term, result in zip(self.measure.terms, self.results, strict=True)
        )

    def statistic(self, name: str) -> float | None:
        """A statistic of the measurement; of a sum its value, or a term's.

        Raises
        ------
        UsageError
            for one that such files have not.
        """
        if self.measure.summed:
            if name == "value":
                return self.value
            number = [term.name for term in self.measure.terms].index(name)
            result = self.results[number]
            return None if result is None else result.value
        result = self.results[0]
        return None if result is None else result.statistic(name)

    def record(self) -> dict[str, Any]:
        """With the keys of the JSON report, which is what a baseline file holds too."""
        measure = self.measure
        found: dict[str, Any] = {"name": measure.name, "status": self.status, "value": self.value}
        if measure.summed:
            found["terms"] = [
                {"name": term.name, "weight": term.weight, "value": None if result is None else result.value}
                | ({} if result is None else {"contribution": term.weight * float(result.value or 0.0)})
                | ({} if result is None else {"loss": result.loss, "parameters": dict(result.parameters)})
                for term, result in zip(measure.terms, self.results, strict=True)
            ]
        elif self.results[0] is not None:
            result = self.results[0]
            found |= {
                "loss": result.loss,
                "parameters": dict(result.parameters),
                "reduction": result.reduction,
                "samples": result.samples,
                "ignored": result.ignored,
                "summary": result.summary,
            }
        found["files"] = [{"predictions": one, "targets": other} for one, other in self.files]
        found["checks"] = [check.record() for check in self.checks]
        if self.errors:
            found["errors"] = self.errors
        return found | {"signature": self.signature}


@dataclass
class Report:
    """What became of a suite."""

    suite: Suite
    outcomes: list[Outcome]
    notes: list[str]
    files: frozenset[str]

    @property
    def status(self) -> str:
        found = {outcome.status for outcome in self.outcomes}
        return next((status for status in (UNMEASURED, UNMET) if status in found), MET)

    @property
    def measured(self) -> bool:
        """Whether there is a number of every measurement."""
        return not any(outcome.errors for outcome in self.outcomes)

    def counts(self) -> dict[str, int]:
        return {status: sum(one.status == status for one in self.outcomes) for status in (MET, UNMET, UNMEASURED)}

    def record(self) -> dict[str, Any]:
        """With the keys of JSON, and of a baseline file."""
        return {
            "suite": self.suite.name,
            "file": self.suite.file,
            "losscli": __version__,
            "status": self.status,
            "counts": self.counts(),
            "measures": [outcome.record() for outcome in self.outcomes],
        }


@dataclass
class Part:
    """A term on its way: its calculation, then its result, or why there is none."""

    term: Term
    measurement: Measurement | None = None
    result: Result | None = None
    error: str | None = None


def _total(terms: Sequence[Term], results: "Sequence[Result | None]") -> float:
    """The weighted sum of the terms' values; NaN where infinities leave none."""
    parts = [term.weight * float(result.value or 0.0) for term, result in zip(terms, results, strict=True) if result]
    try:
        return math.fsum(parts)
    except (ValueError, OverflowError):
        return sum(parts)
