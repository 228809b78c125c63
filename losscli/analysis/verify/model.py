"""What `losscli verify` reports: the properties of a loss, each met or broken, with an example."""

from dataclasses import dataclass, field
from typing import Any

from losscli.analysis.verify.points import LABELS
from losscli.analysis.verify.subject import Reference
from losscli.custom.loss import Settings
from losscli.definition.loss import Family

MET, BROKEN, WARNING, SKIPPED = "met", "broken", "warning", "skipped"

Example = dict[str, Any]


@dataclass
class Property:
    """What was looked at, and what came of it."""

    name: str
    verdict: str
    words: str
    example: Example | None = None

    def to_dict(self) -> dict[str, Any]:
        """With the keys of JSON."""
        return {"property": self.name, "verdict": self.verdict, "words": self.words, "example": self.example}


@dataclass
class Verified:
    """A report on a loss."""

    where: str
    described: str
    reference: str | None
    properties: list[Property] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)

    @property
    def broken(self) -> int:
        """How many properties are broken."""
        return sum(one.verdict == BROKEN for one in self.properties)

    @property
    def runs(self) -> bool:
        """Whether the loss could be called at all."""
        return not any(one.name == "call" for one in self.properties)

    def to_dict(self) -> dict[str, Any]:
        """With the keys of JSON."""
        return {
            "loss": self.where,
            "described": self.described,
            "reference": self.reference,
            "verdict": BROKEN if self.broken else MET,
            "patterns": self.patterns,
            "properties": [one.to_dict() for one in self.properties],
        }


@dataclass(frozen=True)
class Matched:
    """How a loss is called, and the reference that it is compared with, if one is known."""

    settings: Settings
    prediction_kind: str
    """What its predictions are: what its names or options say, or else what fits the reference best."""
    family: Family
    """Whose grid it is looked at on."""
    reference: Reference | None = None
    labels: tuple[float, float] = LABELS[0]
