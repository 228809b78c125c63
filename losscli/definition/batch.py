"""What a lift gets besides predictions: the targets in the form that the mathematics needs, and extras."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from losscli.arrays import Array


class Chance(Protocol):
    """The probability of one outcome an element, in every form and without cancellation.

    `l` is log p, `p` the probability and `q` is 1 - p; each is an array of one shape, made when asked for.
    """

    @property
    def l(self) -> Array: ...
    @property
    def p(self) -> Array: ...
    @property
    def q(self) -> Array: ...


@dataclass(frozen=True)
class Indices:
    """Targets of a softmax or embedding loss that name one class a row.

    The target is `on` for the class of the row and `off` for every other class.
    """

    index: Array
    on: float = 1.0
    off: float = 0.0


@dataclass(frozen=True)
class Dense:
    """Targets with one number an element.

    `t` has the shape of the predictions. `other` is 1 - t for sigmoid losses, made before rounding, so that a
    smoothed target keeps the digits of its complement.
    """

    t: Array
    other: Array | None = None


Targets = Indices | Dense
Values = tuple[Array, Array | None]


class Extras(NamedTuple):
    """What a lift may need besides predictions and targets."""

    prediction_kind: str = "logits"
    pos_weight: Array | float | None = None
    centers: Array | None = None
    third_operand: Array | None = None
    """Rows of a third operand, beside those of the predictions: variances, negatives, or the other ones of pairs."""
    everyone: "Everyone | None" = None
    """All rows of the file, for losses in which each row meets all others."""
    at: Array | None = None
    """Which of all rows the block's are, where `everyone` is given."""
    columns: int | None = None
    """How many columns the file has whose elements are one row here, for losses of a file."""
    clip: "Clip | None" = None
    class_terms: Array | None = None
    """A factor a class of the terms of a softmax loss."""


class Everyone(NamedTuple):
    """All rows of a file: their features, shape (n, d), their labels, shape (n,), and which of them are not ignored."""

    features: Array
    labels: Array
    kept: Array


class Clip(NamedTuple):
    """How a library changes probabilities before it takes their logarithm.

    Probabilities are divided by the sum of their row first if `renormalise` is true, then cut off below `low` and above
    `high`. `inside` is added to them within the logarithm, and the logarithm is cut off below `floor`.
    """

    low: float = 0.0
    high: float = 1.0
    renormalise: bool = False
    inside: float = 0.0
    floor: float = -math.inf
