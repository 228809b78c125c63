"""What a calculation found, and what may be required of it."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from losscli.baseline import Answer
from losscli.errors import UsageError, did_you_mean, listing
from losscli.reduce import PERCENTILES, Quantiles

SOMETIMES = ("rmse", "rmsle", "perplexity", "ece", "mce")
"""Statistics that some losses have, or some files."""
STATISTICS = (
    "value",
    "mean",
    "std",
    "min",
    "max",
    *(f"p{percent}" for percent in PERCENTILES),
    "samples",
    "ignored",
    *SOMETIMES,
)
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


class Requirement(NamedTuple):
    """'STAT OP NUMBER'. NaN meets nothing, and neither does a statistic that there is none of."""

    text: str
    statistic: str
    comparison: str
    limit: float

    @classmethod
    def parse(cls, text: str, option: str = "--require ", statistics: tuple[str, ...] = STATISTICS) -> "Requirement":
        """Read a requirement of one of the statistics; `option` is what messages begin with.

        Raises
        ------
        UsageError
            for what is not of this form.
        """
        names = "|".join(sorted(map(re.escape, statistics), key=len, reverse=True))
        found = re.fullmatch(rf"\s*({names}|[\w-]+)\s*(<=|>=|==|<|>)\s*(\S+)\s*", text)
        if not found and re.fullmatch(r"[^<>=]+=[^=]+", text):
            raise UsageError(f"{option}{text!r}: equality is ==")
        if not found:
            raise UsageError(f"{option}{text!r} is not 'STAT OP NUMBER', as in {option}'mean <= 0.35'")
        statistic, comparison, number = found.groups()
        if statistic not in statistics:
            raise UsageError(
                f"{option}{text!r}: no statistic {statistic!r}{did_you_mean(statistic, statistics)}; there are {listing(statistics)}"
            )
        try:
            limit = float(number)
        except ValueError:
            raise UsageError(f"{option}{text!r}: {number!r} is not a number") from None
        if math.isnan(limit):
            raise UsageError(f"{option}{text!r}: nothing can be compared with NaN")
        return cls(" ".join((statistic, comparison, number)), statistic, comparison, limit)

    def met(self, actual: float | None) -> bool:
        return actual is not None and COMPARISONS[self.comparison](actual, self.limit)


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
    observed: Any = None
    """What an observer of the pass kept."""

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
