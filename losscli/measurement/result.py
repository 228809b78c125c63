"""What a calculation found, and what may be required of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from losscli.engine.aggregates import Quantiles
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.baseline import Answer
from losscli.errors import UsageError
from losscli.measurement.requirement import SOMETIMES, Requirement


@dataclass
class Result:
    """What a calculation found: the number, how it came about, and everything it depends on."""

    loss: str
    parameters: Mapping[str, float | None]
    value: float | None
    reduction: str
    numerator: float
    denominator: float | None
    samples: int
    ignored: int
    summary: dict[str, float]
    losses: Quantiles
    """The samples' losses before weights, as far as one pass keeps them."""
    baseline: Answer | None
    requirements: list[dict[str, Any]]
    receipt: dict[str, Any]
    signature: str
    aggregate: Aggregate
    """All that the pass kept, records of further collectors included."""

    def statistic(self, name: str) -> float | None:
        """A statistic by the name that --require calls it."""
        if name in self.summary:
            return self.summary[name]
        if name in SOMETIMES:
            raise UsageError(f"--require {name}: {self.loss} of such files has no {name}")
        found: float | None = getattr(self, name)
        return found

    def require(self, requirements: list[Requirement]) -> bool:
        """Evaluate all requirements; True if all are met."""
        for requirement in requirements:
            actual = self.statistic(requirement.statistic)
            self.requirements.append({"require": requirement.text, "met": requirement.met(actual), "actual": actual})
        return all(entry["met"] for entry in self.requirements)
