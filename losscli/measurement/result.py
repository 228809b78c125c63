"""The result of a measurement, and whether it meets requirements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from losscli.arrays import Array
from losscli.engine.aggregates import Quantiles
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.baseline import Answer
from losscli.errors import UsageError
from losscli.measurement.requirement import MEAN, SOMETIMES, Requirement, without
from losscli.shown import Shown, refuse_unmet


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
    losses: Array | None = None
    """The loss of each sample before weights, shape (n,), without ignored rows; None if not asked for."""
    elements: Array | None = None
    """The loss of each output, shape (n, k); None if not asked for."""
    gradient: Array | None = None
    """d loss_i / d predictions_i in the predictions' shape; None if not asked for."""
    notes: list[str] = field(default_factory=list)
    """Notes about the files for the user."""

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
            "requirements": self.requirements,
            "receipt": self.receipt,
            "signature": self.signature,
        }

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
        two = requirement.statistic == "mean" and self.reduction == "mean"
        if two and requirement.met(actual) != requirement.met(self.value):
            limit = f"{requirement.comparison} {requirement.text.split()[-1]}"
            raise UsageError(
                f"--require {requirement.text}: which mean? Say 'value {limit}' for the weighted one, {self.value!r}, "
                f"or '{MEAN} {limit}' for that of the losses before weights, {actual!r}"
            )
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
