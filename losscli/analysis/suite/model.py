"""The records of a suite: what a file asks for, and what running it has found. Nothing here reads a file or computes a loss."""

from collections.abc import Iterable
from typing import Any

from losscli.analysis.shared.rounding import rounding
from losscli.analysis.suite.changes import Blessed
from losscli.errors import Exit
from losscli.measurement.measure import Measurement
from losscli.measurement.requirement import Requirement
from losscli.measurement.result import Result
from losscli.measurement.sums import Term, contribution, joined, total
from losscli.records import NamedTuple, dataclass, field
from losscli.version import __version__

MET, UNMET, UNMEASURED = "met", "not met", "unmeasured"
CODES = {MET: Exit.OK, UNMET: Exit.UNMET, UNMEASURED: Exit.DATA}
"""What can become of a check, a measurement or a suite, the best first, and the exit code of each."""


class Limit(NamedTuple):
    """The largest number that is accepted after an earlier one, and why."""

    most: float
    why: str


@dataclass(frozen=True)
class Tolerance:
    """By how much a statistic may be above the earlier one: `absolute`, or `relative` times the earlier one, whichever is more.

    Without a `relative`, it is what rounding may do in the dtype of the computation.
    """

    absolute: float = 0.0
    relative: float | None = None
    statistic: str = "value"

    def limit(self, earlier: float, size: float, dtypes: set[str]) -> Limit:
        """Return the limit for numbers that were computed in some dtypes; `size` is that of the terms of a sum."""
        if self.relative is None:
            dtype, part = rounding(dtypes)
            return Limit(earlier + part * size, f"{part:g} of it for rounding in {dtype}")
        most = earlier + max(self.absolute, self.relative * abs(earlier))
        return Limit(most, f"tolerance of the suite: {self._words()}")

    def _words(self) -> str:
        """Return what the suite says, as it says it."""
        said = [
            f"{name} = {value:g}" for name, value in (("absolute", self.absolute), ("relative", self.relative)) if value
        ]
        return " or ".join(said) or "0"


@dataclass(frozen=True)
class Measure:
    """A measurement of a suite: what is computed, and what is required of it."""

    name: str
    terms: tuple[Term, ...]
    summed: bool
    """Whether it is a weighted sum, even one of a single term."""
    requirements: tuple[Requirement, ...]
    tolerance: Tolerance
    line: int
    """The line of the suite file in which it begins."""
    each: tuple[Requirement, ...] = ()
    """What is required of every slice."""


@dataclass(frozen=True)
class Suite:
    """What a suite file asks for, with defaults filled in and paths as they are from the working folder."""

    file: str
    name: str
    measures: tuple[Measure, ...]
    baseline: str | None


@dataclass
class Check:
    """A requirement, or the comparison with an earlier result: its status, the number that was measured, and both in words."""

    what: str
    status: str
    actual: float | None
    words: str
    slice: tuple[str, str] | None = None
    """The column and the name of the slice that it is of; None for all samples."""
    each: str = ""
    """The requirement, where it is one of every slice."""

    def record(self) -> dict[str, Any]:
        """With the keys of the JSON report."""
        own = {"check": self.what, "status": self.status, "actual": self.actual, "words": self.words}
        return own if self.slice is None else own | {"by": self.slice[0], "slice": self.slice[1]}


@dataclass
class Outcome:
    """A measurement that was run: the results of its terms, why there are none, and its checks."""

    measure: Measure
    results: list[Result | None]
    """One for each term; None for a term that could not be measured."""
    errors: list[str]
    checks: list[Check] = field(default_factory=list)
    files: list[tuple[str, str]] = field(default_factory=list)
    """The predictions and targets of each term."""

    @property
    def value(self) -> float | None:
        """The loss, or the weighted sum of the terms; None if a term could not be measured."""
        if any(result is None for result in self.results):
            return None
        return total(self.measure.terms, self.results)

    @property
    def status(self) -> str:
        """The worst status of the checks; 'unmeasured' if there is an error."""
        return UNMEASURED if self.errors else worst(check.status for check in self.checks)

    @property
    def signature(self) -> str:
        """The signature of the result, or of all terms with their weights: what was computed, and by which conventions."""
        return joined(self.measure.terms, [result.signature if result else "?" for result in self.results])

    @property
    def arithmetic(self) -> dict[str, Any] | None:
        """What the digits of the results depend on besides files and conventions; None if nothing was measured."""
        return next((dict(result.receipt["arithmetic"]) for result in self.results if result is not None), None)

    @property
    def computed_in(self) -> set[str]:
        """The dtypes of the computation."""
        return {str(result.receipt["computed_in"]) for result in self.results if result is not None}

    def statistic(self, name: str) -> float | None:
        """A statistic of the measurement, by its name in requirements. A sum has its 'value' and those of its terms, by name.

        Raises
        ------
        UsageError
            for a statistic that the loss of such files does not have.
        """
        if self.measure.summed:
            if name == "value":
                return self.value
            number = [term.name for term in self.measure.terms].index(name)
            result = self.results[number]
            return None if result is None else result.value
        result = self.results[0]
        return None if result is None else result.statistic(name)

    def required(self, requirement: Requirement) -> float | None:
        """Return the number that a requirement is about; raises a UsageError where there is none, or it might be either of two."""
        result = None if self.measure.summed else self.results[0]
        return self.statistic(requirement.statistic) if result is None else result.required(requirement)

    def record(self) -> dict[str, Any]:
        """With the keys of the JSON report, which a baseline file has too."""
        measure = self.measure
        found: dict[str, Any] = {"name": measure.name, "status": self.status, "value": self.value}
        if measure.summed:
            found["terms"] = [
                {"name": term.name, "weight": term.weight, "value": None if result is None else result.value}
                | ({} if result is None else {"contribution": contribution(term, result)})
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
            if result.slices is not None:
                found["by"] = [one.record() for one in result.slices.found]
        found["arithmetic"] = self.arithmetic
        found["files"] = [{"predictions": one, "targets": other} for one, other in self.files]
        found["checks"] = [check.record() for check in self.checks]
        if self.errors:
            found["errors"] = self.errors
        return found | {"signature": self.signature}


@dataclass
class Report:
    """A suite that was run."""

    suite: Suite
    outcomes: list[Outcome]
    notes: list[str]
    files: frozenset[str]
    """The real paths of all files that were read."""
    blessed: Blessed | None = None
    """What the results change of the baseline, if they are the new one."""

    @property
    def status(self) -> str:
        """The worst status of the measurements."""
        return worst(outcome.status for outcome in self.outcomes)

    @property
    def measured(self) -> bool:
        """Whether every measurement has a number."""
        return not any(outcome.errors for outcome in self.outcomes)

    def counts(self) -> dict[str, int]:
        """How many measurements have each status."""
        return {status: sum(one.status == status for one in self.outcomes) for status in CODES}

    def record(self) -> dict[str, Any]:
        """With the keys of the JSON report, which a baseline file has too."""
        return {
            "suite": self.suite.name,
            "file": self.suite.file,
            "losscli": __version__,
            "status": self.status,
            "counts": self.counts(),
            "measures": [outcome.record() for outcome in self.outcomes],
            **({} if self.blessed is None else {"blessed": self.blessed.record()}),
        }


@dataclass
class Part:
    """A term while the suite runs: first its measurement, then its result, or the error that was met instead."""

    term: Term
    measurement: Measurement | None = None
    result: Result | None = None
    error: str | None = None


def worst(statuses: Iterable[str]) -> str:
    """The worst of some statuses; 'met' if there are none."""
    return max(statuses, key=list(CODES).index, default=MET)
