"""The report of `losscli verify`: the properties of a loss, each met or broken, with an example."""

from typing import Any

import numpy as np

from losscli.analysis.shared.points import LABELS, Points, extreme_masks, extremes, grid, masks
from losscli.analysis.verify.patterns import Explanation
from losscli.analysis.verify.subject import Reference
from losscli.custom.loss import Settings
from losscli.definition.loss import Family
from losscli.measurement.requirement import Judged
from losscli.records import dataclass, field

MET, BROKEN, WARNING, SKIPPED = "met", "broken", "warning", "skipped"

Example = dict[str, Any]


@dataclass
class Property:
    """One property, and whether it is met."""

    name: str
    verdict: str
    words: str
    example: Example | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {"property": self.name, "verdict": self.verdict, "words": self.words, "example": self.example}


@dataclass(repr=False)
class Verified(Judged):
    """The report on a loss."""

    where: str
    described: str
    reference: str | None
    properties: list[Property] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)

    @property
    def broken(self) -> int:
        """Number of properties that are broken."""
        return sum(property_.verdict == BROKEN for property_ in self.properties)

    @property
    def runs(self) -> bool:
        """Whether the loss could be called at all."""
        return not any(property_.name == "call" for property_ in self.properties)

    def required(self) -> list[dict[str, float | str]]:
        return [{"broken": self.broken}]

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {
            "loss": self.where,
            "described": self.described,
            "reference": self.reference,
            "verdict": BROKEN if self.broken else MET,
            "patterns": self.patterns,
            "properties": [property_.to_dict() for property_ in self.properties],
        }


@dataclass(frozen=True)
class Matched:
    """How a loss is called, and the reference that it is compared with, if one is known."""

    settings: Settings
    prediction_kind: str
    """The kind of its predictions: as its names or options say, or else what fits the reference best."""
    family: Family
    """The family whose grid of points is used."""
    reference: Reference | None = None
    labels: tuple[float, float] = LABELS[0]
    explanation: Explanation | None = None
    """What is wrong with its losses on a grid; None if they are right, or nothing explains them."""
    single: bool = False
    """Whether it takes predictions of float32 only."""

    @property
    def dtypes(self) -> tuple[type, ...]:
        """The dtypes of predictions with which it is tested."""
        return (np.float32,) if self.single else (np.float64, np.float32)

    def grid(self) -> Points:
        """Return ordinary predictions and targets, as it takes them."""
        if self.masks:
            return self.cast(masks(self.prediction_kind))
        return self.cast(grid(self.family, self.prediction_kind, self.labels))

    def extremes(self) -> Points:
        """Return large predictions, at which carelessly written formulas fail."""
        if self.masks:
            return self.cast(extreme_masks(self.prediction_kind))
        return self.cast(extremes(self.family, self.prediction_kind, self.labels))

    @property
    def masks(self) -> bool:
        """Whether a row is a mask, whose elements have one loss together."""
        return self.family.coupled == "masks"

    def cast(self, points: Points) -> Points:
        """Return points with predictions of a dtype that it takes."""
        return points.as_(np.float32) if self.single else points
