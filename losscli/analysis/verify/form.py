"""A mistake in a formula: the change of one of its parts."""

from typing import Any

from losscli.records import NamedTuple


class Mistake(NamedTuple):
    """A change of one part of a formula, in words."""

    part: str
    """The field of the formula that it changes."""
    value: Any
    words: str
    rare: bool = False
    """Whether two other mistakes are as likely: it is looked for with those."""
