"""Conventions: what a library does to a loss and its operands, and for which there is no option of a command.

A library's call (`losscli.libraries`) adopts them one by one; the engine applies them. Without a library there are none.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from losscli.arrays import Array
from losscli.definition.batch import Clip, Extras, Targets
from losscli.definition.domain import Interval
from losscli.definition.words import SignConvention
from losscli.records import NamedTuple

OperandName = Literal["predictions", "targets", "third_operand"]
"""The operands whose numbers a library may change before it computes anything."""
Formula = Callable[[Array, Targets, Extras, Mapping[str, Any]], Array]
"""A library's own arithmetic: of predictions in the dtype of the computation, targets as a lift gets them, extras, and the
parameters of the loss. It returns the losses that the loss's lift would return: (n,), or (n, k) for several outputs.
"""


class Bound(NamedTuple):
    """The numbers of an operand that are below `low` are raised to it, and those above `high` lowered."""

    operand: OperandName
    low: float
    high: float


class Taken(NamedTuple):
    """The numbers that a library takes; None for those that losscli's loss takes."""

    predictions: Interval | None = None
    targets: Interval | None = None
    third_operand: Interval | None = None


class Convention(NamedTuple):
    """Changes that a library makes to a loss. Each field says nothing by default."""

    cast: str | None = None
    """The dtype to which all operands are converted, and in which the loss is computed."""
    bounds: tuple[Bound, ...] = ()
    taken: Taken = Taken()
    formula: Formula | None = None
    """What is computed in place of losscli's own formula."""
    core: Callable[..., tuple[Array, Any]] | None = None
    """What is computed in place of the core of losscli's loss, of the same variables; its slope is not used."""
    clip: Clip | None = None
    """How probabilities are changed, given ones or those that are made of logits."""
    labels: SignConvention | None = None
    dense: bool = False
    """Whether one-hot rows are computed with as rows of numbers, and not as class indices."""
    class_terms: bool = False
    """Whether class weights multiply the terms of a smoothed or soft target, and not the row."""
    pairs: bool = False
    """Whether each row counts once per positive, in losses in which every row is compared with all others."""
    plain_features: bool = False
    """Whether all rows of a file meet as they are, and not made of unit length."""
    by_length: bool = False
    """Whether the loss of each sequence is divided by its number of labels, at least 1."""
    skips_zeros: bool = False
    """Whether rows whose loss is 0 are left out."""
    scale: float = 1.0
    """Number by which losses are multiplied."""
    plain_products: bool = False
    """Whether 0 times infinity is NaN where a loss is multiplied by its weight; losscli's own is 0."""
    nothing: float | None = None
    """The result where all weights are 0. None: an error."""
    sums_in: str | None = None
    """The dtype in which losses are added up, for sums that are too large for it."""


NONE = Convention()
