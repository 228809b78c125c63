"""The result of a measurement, and whether it meets requirements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from losscli.arrays import Array
from losscli.engine.aggregates import Quantiles
from losscli.engine.collector import Aggregate
from losscli.engine.collectors.baseline import Answer
from losscli.errors import UsageError
from losscli.measurement.requirement import MEAN, SOMETIMES, Requirement


@dataclass(repr=False)
class Result:
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

    def __repr__(self) -> str:
        return f"<losscli.Result {self.signature}: {self.value!r}>"

    def _repr_html_(self) -> str:
        from losscli.render.html import table  # a notebook asks for it; nothing else climbs from here to the rendering

        return table(self)

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

    def require(self, requirements: list[Requirement]) -> bool:
        """Evaluate all requirements, note them in `requirements`, and return whether all are met."""
        for requirement in requirements:
            self.requirements.append(requirement.entry(self.required(requirement)))
        return self.met
