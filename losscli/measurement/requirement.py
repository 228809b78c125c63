"""Requirements such as 'p99 < 2': the values of --require, and whether a result meets them."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from losscli.engine.aggregates import PERCENTILES
from losscli.errors import UsageError
from losscli.numerals import as_number
from losscli.records import NamedTuple
from losscli.shown import Shown, refuse_unmet
from losscli.wording import did_you_mean, listing

SOMETIMES = (
    "rmse",
    "rmsle",
    "perplexity",
    "bits",
    "bits_per_byte",
    "ece",
    "mce",
    "classwise_ece",
)
"""Statistics that only some losses have, or only for some files."""
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
MEAN = "mean of losses"
"""The mean of the losses before weights: the name that a table gives it where the value is another mean."""
REQUIRABLE = (*STATISTICS, MEAN)
"""What requirements may be about."""
OF_SLICES = ("value", "mean", "std", "min", "max", "samples", "rmse", "rmsle", "perplexity", "bits", MEAN)
"""What requirements of slices may be about."""
CALIBRATION, CLASSWISE = ("ece", "mce"), "classwise_ece"
"""Statistics that a pass over large files, or any pass, keeps only if a requirement names them."""
OF_SPREAD = ("std", "min", "max", *(f"p{percent}" for percent in PERCENTILES))
"""Statistics that a pass leaves out if nobody wants the summary."""
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


class Requirement(NamedTuple):
    """A requirement 'STAT OP NUMBER'. NaN never meets it, nor does a statistic that the result does not have."""

    text: str
    statistic: str
    comparison: str
    limit: float

    @classmethod
    def parse(cls, text: str, option: str = "--require ", statistics: tuple[str, ...] = REQUIRABLE) -> "Requirement":
        """Read a requirement of one of the statistics; `option` is the beginning of messages.

        Raises
        ------
        UsageError
            if the text is not of this form.
        """
        if not isinstance(text, str):
            raise UsageError(f"{option}{text!r}: a requirement is text, as 'mean <= 0.35'")
        names = "|".join(sorted(map(re.escape, statistics), key=len, reverse=True))
        match = re.fullmatch(rf"\s*({names}|[\w-]+)\s*(<=|>=|==|<|>)\s*(\S+)\s*", text)
        if not match and re.fullmatch(r"[^<>=]+=[^=]+", text):
            raise UsageError(f"{option}{text!r}: equality is ==")
        if not match:
            raise UsageError(f"{option}{text!r} is not 'STAT OP NUMBER', as in {option}'mean <= 0.35'")
        statistic, comparison, number = match.groups()
        if statistic not in statistics:
            meant = "mean" if statistic == "loss" else statistic  # what a report calls "loss"
            raise UsageError(
                f"{option}{text!r}: no statistic {statistic!r}{did_you_mean(meant, statistics)}; there are {listing(statistics)}"
            )
        try:
            limit = as_number(number)
        except ValueError:
            raise UsageError(f"{option}{text!r}: {number!r} is not a number") from None
        if math.isnan(limit):
            raise UsageError(f"{option}{text!r}: nothing can be compared with NaN")
        return cls(" ".join((statistic, comparison, number)), statistic, comparison, limit)

    @classmethod
    def of_each(cls, text: str, option: str = "--require-each ") -> "Requirement":
        """Read a requirement of every slice, which has fewer statistics; raises a UsageError as `parse` does."""
        return cls.parse(text, option, OF_SLICES)

    @property
    def wanted(self) -> dict[str, Any]:
        """The fields of a request that say that the statistic is wanted, for those that are not kept otherwise."""
        if self.statistic == CLASSWISE:
            return {"classwise_ece": True}
        if self.statistic in OF_SPREAD:
            return {"summary": True}
        return {"calibration": True} if self.statistic in CALIBRATION else {}

    def met(self, actual: float | None) -> bool:
        """Whether a number meets the requirement; None does not."""
        return actual is not None and COMPARISONS[self.comparison](actual, self.limit)

    def entry(self, actual: float | None) -> dict[str, Any]:
        """Return the requirement and whether a number meets it, with the keys of JSON."""
        return {"require": self.text, "met": self.met(actual), "actual": actual}


def without(
    entries: Sequence[dict[str, Any]], wanted: Sequence[Requirement], each: bool = False
) -> list[dict[str, Any]]:
    """Return the entries of requirements that are not among those that are evaluated next, so that none is there twice.

    `each` says whether these are of every slice.
    """
    texts = {requirement.text for requirement in wanted}
    return [entry for entry in entries if entry["require"] not in texts or ("slice" in entry) != each]


def counted(text: str, counts: Mapping[str, float | str]) -> dict[str, Any]:
    """Return the entry of a requirement about one of a few numbers or words, such as 'errors == 0' or 'verdict != worse'.

    Parameters
    ----------
    counts
        what requirements may be about, by name.

    Raises
    ------
    UsageError
        if the text is not of this form, or about something else.
    """
    words = text.split() if isinstance(text, str) else []
    if len(words) != 3 or words[0] not in counts:
        names = " or ".join(counts)
        raise UsageError(f"require({text!r}) is not 'NAME OP VALUE' with a name of {names}, and blanks between")
    name, comparison, value = words
    actual = counts[name]
    if isinstance(actual, str):
        if comparison not in ("==", "!="):
            raise UsageError(f"require({text!r}): {name} is a word, which is == or != another")
        return {"require": text, "met": (actual == value) == (comparison == "=="), "actual": actual}
    return Requirement.parse(text, "require ", tuple(counts)).entry(actual)


class Judged(Shown):
    """A result without statistics, such as that of a check, whose counts or verdicts may be required."""

    def required(self) -> Sequence[Mapping[str, float | str]]:
        """Return what requirements may be about by name, for each thing that must meet them."""
        raise NotImplementedError

    def require(self, *texts: str) -> Self:
        """Return this result if all requirements are met: of a check 'errors == 0' or 'warnings == 0', of a comparison
        'verdict == better' or 'verdict != worse', which holds for each model, of a verification 'broken == 0'.

        Raises
        ------
        RequirementError
            an AssertionError, if one is not met.
        UsageError
            if a text is not of this form.
        """
        __tracebackhide__ = True
        refuse_unmet(self, [counted(text, values) for values in self.required() for text in texts])
        return self
