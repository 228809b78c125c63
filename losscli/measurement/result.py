"""The result of a measurement, and whether it meets requirements."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from losscli.arrays import Array
from losscli.engine.aggregates import Quantiles
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.baseline import Answer
from losscli.errors import UsageError
from losscli.measurement.requirement import MEAN, OF_SPREAD, SOMETIMES, Requirement, without
from losscli.records import dataclass, field
from losscli.shown import Shown, refuse_unmet
from losscli.wording import listing

if TYPE_CHECKING:
    from losscli.measurement.slices import Interval, Slice, Slices


@dataclass(repr=False)
class Result(Shown):
    """The result of a measurement: the number, how it was computed, and everything that it depends on."""

    loss: str
    parameters: Mapping[str, float | None]
    value: float | None
    reduction: str
    numerator: float
    denominator: float | None
    samples: int
    ignored: int
    summary: dict[str, float]
    distribution: Quantiles
    """The samples' losses before weights, as far as one pass keeps them: all, or a histogram of many."""
    baseline: Answer | None
    requirements: list[dict[str, Any]]
    receipt: dict[str, Any]
    signature: str
    aggregate: Aggregate
    """All that the pass kept, records of further collectors included."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """The names of statistics in tables, where these say more than the keys of `summary`."""
    losses: Array | None = None
    """The loss of each sample before weights, shape (n,), without ignored rows; None if not asked for."""
    elements: Array | None = None
    """The loss of each output, shape (n, k); None if not asked for."""
    gradient: Array | None = None
    """d loss_i / d predictions_i in the predictions' shape; None if not asked for."""
    notes: list[str] = field(default_factory=list)
    """Notes about the files for the user."""
    slices: "Slices | None" = None
    """The slices of the columns of --by; None without it."""
    interval: "Interval | None" = None
    """The interval of the value; None if it is not asked for."""
    intervals: "Mapping[str, Interval]" = field(default_factory=dict)
    """The intervals of statistics that follow from the mean, such as rmse."""
    confidence: float | None = None
    """That of all intervals."""

    def to_dict(self) -> dict[str, Any]:
        """The result with the keys of `-f json`."""
        best = self.baseline
        return {
            "loss": self.loss,
            "parameters": dict(self.parameters),
            "value": self.value,
            "reduction": self.reduction,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "samples": self.samples,
            "ignored": self.ignored,
            "summary": self.summary,
            "baseline": None
            if best is None
            else {"prediction": best.prediction, "value": best.value, "skill": best.skill},
            **self._intervals(),
            **({} if self.slices is None else {"by": [one.record() for one in self.slices.found]}),
            "requirements": self.requirements,
            "receipt": self.receipt,
            "signature": self.signature,
        }

    def _intervals(self) -> dict[str, Any]:
        """Return what JSON says of intervals; nothing if there are none."""
        if self.interval is None:
            return {}
        further = {name: one.record()["interval"] for name, one in self.intervals.items()}
        return self.interval.record() | {"confidence": self.confidence} | ({"intervals": further} if further else {})

    @property
    def met(self) -> bool:
        """Whether all requirements are met."""
        return all(entry["met"] for entry in self.requirements)

    def statistic(self, name: str) -> float | None:
        """Return a statistic by its name for --require.

        Raises
        ------
        UsageError
            if this loss, or these files, do not have it.
        """
        if name in (*self.summary, MEAN):
            return self.summary["mean" if name == MEAN else name]
        if name in OF_SPREAD:
            raise UsageError(f"--require {name}: the result has no {name}, since nobody wanted its summary")
        if name in SOMETIMES:
            raise UsageError(f"--require {name}: {self.loss} of such files has no {name}")
        statistic: float | None = getattr(self, name)
        return statistic

    def required(self, requirement: Requirement) -> float | None:
        """Return the number that a requirement is about.

        Raises
        ------
        UsageError
            if there is none; or if it is about 'mean', and the weighted mean and the mean of the losses are decided differently.
        """
        actual = self.statistic(requirement.statistic)
        if requirement.statistic == "mean" and self.reduction == "mean":
            _check_mean("--require", requirement, actual, self.value)
        return actual

    def require(self, *texts: str) -> Self:
        """Return this result if it meets all requirements, such as 'mean <= 0.3'; they are noted in `requirements`.

        Raises
        ------
        RequirementError
            an AssertionError, if one is not met.
        UsageError
            if a text is no requirement, or this loss does not have the statistic.
        """
        __tracebackhide__ = True
        wanted = [Requirement.parse(text, "require ") for text in texts]
        self.requirements = without(self.requirements, wanted)
        self.judge(wanted)
        refuse_unmet(self, self.requirements[-len(wanted) :] if wanted else [])
        return self

    def judge(self, requirements: Sequence[Requirement]) -> bool:
        """Evaluate all requirements, note them in `requirements`, and return whether all are met."""
        for requirement in requirements:
            self.requirements.append(requirement.entry(self.required(requirement)))
        return self.met

    def require_each(self, *texts: str) -> Self:
        """Return this result if every slice meets all requirements, such as 'mean <= 0.5'; raises as `require` does."""
        __tracebackhide__ = True
        wanted = [Requirement.of_each(text, "require_each ") for text in texts]
        self.requirements = without(self.requirements, wanted, each=True)
        before = len(self.requirements)
        self.judge_each(wanted)
        refuse_unmet(self, self.requirements[before:])
        return self

    def judge_each(self, requirements: Sequence[Requirement]) -> bool:
        """Evaluate requirements of every slice, note them in `requirements`, and return whether all are met.

        Raises
        ------
        UsageError
            if there are no slices, or a requirement is about a statistic that these do not have.
        """
        for requirement in requirements:
            self.requirements += self.of_each(requirement)
        return self.met

    def of_each(self, requirement: Requirement) -> list[dict[str, Any]]:
        """Return a requirement of every slice with the keys of JSON, one for each; raises as `judge_each` does."""
        if self.slices is None:
            raise UsageError(f"--require-each {requirement.text!r}: of which slices? Say --by COLUMN as well")
        return [self._of_slice(requirement, one) for one in self.slices.found]

    def _of_slice(self, requirement: Requirement, one: "Slice") -> dict[str, Any]:
        """Return the requirement of a slice with the keys of JSON."""
        from losscli.measurement.slices import STATISTICS

        name = "mean" if requirement.statistic == MEAN else requirement.statistic
        found = one.statistics
        if name not in found and one.value is None:
            return requirement.entry(None) | {"by": one.column, "slice": one.name}  # such as the rmse of no weights
        if name not in found:
            known = [*STATISTICS, *(key for key in found if key not in STATISTICS)]
            raise UsageError(
                f"--require-each {requirement.text!r}: slices have no {name}; they have {listing(known, 12)}"
            )
        if requirement.statistic == "mean" and self.reduction == "mean" and one.value is not None:
            _check_mean(f"--require-each of {one.column} = {one.name!r}:", requirement, found[name], one.value)
        return requirement.entry(found[name]) | {"by": one.column, "slice": one.name}


def _check_mean(option: str, requirement: Requirement, actual: float | None, value: float | None) -> None:
    """Raise a UsageError if a requirement is about 'mean', and the weighted mean and that of the losses are decided differently."""
    if requirement.met(actual) != requirement.met(value):
        limit = f"{requirement.comparison} {requirement.text.split()[-1]}"
        raise UsageError(
            f"{option} {requirement.text}: which mean? Say 'value {limit}' for the weighted one, {value!r}, "
            f"or '{MEAN} {limit}' for that of the losses before weights, {actual!r}"
        )
