"""Masks: the units that have one loss each, if their elements are spread over several rows of a file."""

from losscli.definition.words import UnitKind
from losscli.records import dataclass


@dataclass(frozen=True)
class Masks:
    """What one mask is among the rows of a job, which are positions.

    Attributes
    ----------
    kind
        'file'; 'class', a column; 'sample', the rows of a sample; or 'sample,class', a column of these.
    per
        the user's word for it, for the receipt.
    """

    kind: UnitKind
    per: str

    @property
    def by_class(self) -> bool:
        """Whether each class has masks of its own."""
        return "class" in self.kind
