"""Requirements such as 'p99 < 2': what --require takes, and whether a result meets it."""

import math
import operator
import re
from collections.abc import Callable
from typing import NamedTuple

from losscli.engine.aggregates import PERCENTILES
from losscli.errors import UsageError
from losscli.wording import did_you_mean, listing

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
