"""Records of what a library does: of its conventions for all losses, and of one call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losscli.definition.batch import Clip
from losscli.definition.words import SignConvention

Clipping = Callable[[np.dtype[Any]], Clip]
"""How probabilities are changed, by the dtype of the predictions in their file."""


@dataclass(frozen=True)
class Call:
    """How a library computes a loss.

    Every field but the first three is None, empty or neutral where the library does as losscli does.
    """

    loss: str
    """losscli's name."""
    names: tuple[str, ...]
    """The library's names for it, which find the loss too."""
    call: str
    """An expression in p, the predictions, and t, the targets, as a user of the library writes it."""
    prediction_kind: str | None = None
    """What the predictions must be for it, where the library takes nothing else: 'logits', 'probs' or 'log-probs'."""
    defaults: Mapping[str, float | None] = field(default_factory=dict)
    """Parameters of the loss that have another default there."""
    swapped: tuple[str, str] | None = None
    """Two parameters that mean each other there."""
    reduction: str | None = None
    """The reduction by default, in losscli's words, if it is not the library's usual one."""
    weighted: str | None = None
    """The reduction where rows have weights, if it is not the library's usual one; 'none' where it takes no weights."""
    class_weighted: str | None = None
    """The reduction where class indices have weights, if the library takes weights a class; soft rows: `soft_weighted`."""
    soft_weighted: str | None = None
    outputs: str | None = None
    """How outputs of a sample add up, 'mean' or 'sum', if it is not the library's usual way."""
    pairs: bool = False
    """Whether it takes the mean over all pairs, and not over the rows that each have a mean over their pairs."""
    per: str | None = None
    """What is one mask there."""
    smoothing: str | None = None
    """The form of label smoothing, or None where there is none."""
    terms_by_class: bool = False
    """Whether class weights weigh the terms of a smoothed or soft target, not the row."""
    clip: Clipping | None = None
    """Of probabilities, where the predictions are such."""
    clip_logits: Clipping | None = None
    """Where even logits become probabilities that are clipped."""
    labels: SignConvention | None = None
    """'numbers' where labels are multiplied as they are; 'doubled' where they become 2 t - 1 whatever they are; 'truth'
    where all but 0 are positive."""
    skips_zeros: bool = False
    """Whether rows whose loss is 0 are left out."""
    hard: bool = False
    """Whether soft targets make another function of it there."""
    one_output: bool = False
    """Whether several outputs a sample make another function of it there."""
    scale: float = 1.0
    scale_by_outputs: bool = False
    """Whether the number is divided by the number of columns as well, unless it is a sum."""
    scale_of_two: float = 1.0
    """A factor where there are two columns."""
    shift: float = 0.0
    refused: str | None = None
    """Why the library's number cannot be had from losscli's loss, where it cannot."""
    notes: tuple[str, ...] = ()
    """Conventions that are not among the fields above, and what they are there for."""
    defects: tuple[str, ...] = ()
    """Known defects, each with the versions that have it."""


@dataclass(frozen=True)
class Library:
    """A library: its usual conventions, and its calls."""

    name: str
    title: str
    """As people call it, with the version that was run."""
    reduction: str
    """The usual default reduction, in losscli's words."""
    weighted: str
    """The usual reduction where rows have weights; 'none' where weights are not taken."""
    reductions: Mapping[str, str]
    """losscli's names of reductions -> how the library calls them, for those that can be asked for."""
    outputs: str
    summed_outputs: str
    """How outputs of a sample add up under the reduction 'sum'."""
    calls: tuple[Call, ...]
    notes: tuple[str, ...] = ()
