"""The input of a lift besides predictions: the targets in the encoding that the mathematics needs, and extras."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from losscli.arrays import Array, by_row
from losscli.records import NamedTuple, dataclass


class Probability(Protocol):
    """The probability of one outcome per element, in three forms without cancellation.

    `l` is log p, `p` the probability, and `q` is 1 - p; all are arrays of the same shape, computed when asked for.
    """

    @property
    def l(self) -> Array: ...
    @property
    def p(self) -> Array: ...
    @property
    def q(self) -> Array: ...


@dataclass(frozen=True)
class Indices:
    """Targets of a softmax or embedding loss that name one class per row; `index` has shape (n,).

    The target is `on` for the class of the row and `off` for every other class.
    """

    index: Array
    on: float = 1.0
    off: float = 0.0


@dataclass(frozen=True)
class Dense:
    """Targets with one number per element.

    `t` has the shape of the predictions. `other` is 1 - t for sigmoid losses, computed before rounding, so that a
    smoothed target keeps the digits of its complement.
    """

    t: Array
    other: Array | None = None


class Sequences(Dense):
    """Targets of sequence losses: the labels of each sample, with their number and that of the sample's time steps.

    A row of `t`, of whole numbers, is one sample: its time steps, its number of labels, and its labels, which are padded
    with any numbers.
    """

    @classmethod
    def of(cls, labels: Sequence[Sequence[int]], steps: Sequence[int]) -> "Sequences":
        """Return targets of lists of labels, each with the number of time steps of its sample."""
        width = max(map(len, labels), default=0)
        rows = [[count, len(one), *one, *[-1] * (width - len(one))] for one, count in zip(labels, steps, strict=True)]
        return cls(np.array(rows, np.int64).reshape(len(rows), 2 + width))

    @property
    def steps(self) -> Array:
        """The number of time steps of each sample, shape (n,)."""
        return self.t[:, 0]

    @property
    def lengths(self) -> Array:
        """The number of labels of each sample, shape (n,)."""
        return self.t[:, 1]

    @property
    def labels(self) -> Array:
        """The labels, shape (n, most labels of a sample)."""
        return self.t[:, 2:]


Targets = Indices | Dense
Values = tuple[Array, Array | None]
"""Losses, and the gradient in the shape of the predictions, or None if it was not asked for."""


class Temper(Protocol):
    """Computes a loss of predictions at a temperature, in place of the lift; see `losscli.losses.temperature`."""

    @property
    def factor(self) -> float:
        """The factor of losses and gradients: the square of the temperature, or 1."""
        ...

    def probabilities(self, p: Array) -> Array:
        """Return probabilities at the temperature, given those at a temperature of 1."""
        ...

    def __call__(self, loss: Any, predictions: Array, targets: Targets, extras: "Extras", gradient: bool) -> Values: ...


class Extras(NamedTuple):
    """Further input of a lift besides predictions and targets."""

    prediction_kind: str = "logits"
    """'logits', 'probs' or 'log-probs'."""
    pos_weight: Array | float | None = None
    """Factor of the positive term: one number, or one per output, shape (k,)."""
    centers: Array | None = None
    """Centers of the classes, shape (k, d)."""
    third_operand: Array | None = None
    """The batch's rows of a third operand: variances, negatives, or the other ones of pairs."""
    everyone: "Everyone | None" = None
    """All rows of the file, for losses in which each row is compared with all others."""
    at: Array | None = None
    """The numbers of the batch's rows among all rows, shape (n,), if `everyone` is not None."""
    columns: int | None = None
    """Number of columns of the file whose elements are one row here, for losses of a whole file; number of classes, for
    losses of sequences.
    """
    levels: Array | None = None
    """The levels of predictions that are quantiles, shape (k,)."""
    clip: "Clip | None" = None
    """How a library changes probabilities; None for not at all."""
    class_terms: Array | None = None
    """One factor per class for the terms of a softmax loss, or of the sums of an overlap loss, shape (k,)."""
    class_counts: Array | None = None
    """The number of samples of each class, or its share of all samples, shape (k,); above 0."""
    activation: str | None = None
    """What makes probabilities of logits in overlap losses, 'sigmoid' or 'softmax'; None for what is usual for the family."""
    box: str | None = None
    """How boxes are written, a `BoxFormat`; None for losses that are not of boxes, or for two corners."""
    temper: Temper | None = None
    """What computes the loss at a temperature; None for a temperature of 1."""
    whole: "Whole | None" = None
    """The targets of all rows, for a loss of the user's own that is called once with the whole file."""
    room: Array | None = None
    """Memory for the gradient, in the shape of the predictions, which a lift may fill and return; None for memory of its own."""


class Everyone(NamedTuple):
    """All rows of a file: their features, shape (n, d), their labels, shape (n,), and which of them are not ignored."""

    features: Array
    """Of the predictions or, for losses of two sides, of the targets."""
    labels: Array
    kept: Array
    anchors: Array | None = None
    """Which rows have a loss, shape (n,): those that have a row of their own class; None for all that are kept."""
    sources: Array | None = None
    """The features of the predictions, shape (n, d), for losses in which targets meet all of them as well."""
    share: float = 1.0
    """Factor of the rows' losses, which makes their mean the mean over what `Family.census` counts."""


class Whole(NamedTuple):
    """What is called at once: the targets of all rows, and the shape that their predictions have together."""

    targets: Targets
    shape: tuple[int, ...]
    over_positions: str
    """What becomes of a result with one number per row: the 'mean' or the 'sum' of the rows."""
    kept: Array | None = None
    """Which rows of the file exist, shape (n,), or which elements of them, shape (n, k); None for all."""
    of_rows: tuple[int, ...] | None = None
    """The shape of all predictions as rows, if that is another one."""

    def restored(self, slopes: Array) -> Array:
        """Return the gradient by all elements, shape (1, elements), as rows of the file, with 0 for what does not exist."""
        rows = slopes.reshape(self.of_rows or self.shape)
        if self.kept is None:
            return rows
        every = np.zeros((*self.kept.shape, *rows.shape[1:]), rows.dtype)
        every[self.kept] = rows
        return every

    @property
    def ignored(self) -> int:
        """Number of rows of the file of which nothing exists."""
        return 0 if self.kept is None else int(np.count_nonzero(~by_row(self.kept).any(axis=1)))


class Clip(NamedTuple):
    """How a library changes probabilities before it takes their logarithm.

    They are cut off below `low` and above `high`. `inside` is added to them within the logarithm, and the logarithm is cut off below `floor`.
    """

    low: float = 0.0
    high: float = 1.0
    inside: float = 0.0
    floor: float = -math.inf
