"""Records of what a library does: its conventions for all losses, and one call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losscli.definition.batch import Clip
from losscli.definition.words import SignConvention

Clipping = Callable[[np.dtype[Any]], Clip]
"""A function from the dtype of the predictions in their file to the change that the library makes to probabilities."""


@dataclass(frozen=True, eq=False)  # one of a kind; comparing fields would only cost at start
class Call:
    """How a library computes a loss.

    Every field but the first three is None, empty or neutral if the library does the same as losscli.
    """

    loss: str
    """losscli's name of the loss."""
    names: tuple[str, ...]
    """The library's names of the loss, by which losscli finds it as well."""
    call: str
    """An expression in p, the predictions, and t, the targets, as a user of the library writes it."""
    prediction_kind: str | None = None
    """The kind of predictions, if the library takes only one: 'logits', 'probs' or 'log-probs'."""
    defaults: Mapping[str, float | None] = field(default_factory=dict)
    """Parameters of the loss that have another default in the library."""
    swapped: tuple[str, str] | None = None
    """Two parameters whose meanings are exchanged in the library."""
    reduction: str | None = None
    """The default reduction, by losscli's name, if it is not the library's usual one."""
    weighted: str | None = None
    """The reduction if rows have weights, if it is not the library's usual one; 'none' if it takes no weights."""
    class_weighted: str | None = None
    """The reduction if classes have weights, for class indices; None if the library takes no weights per class."""
    soft_weighted: str | None = None
    """The reduction if classes have weights, for targets that are rows."""
    outputs: str | None = None
    """How the outputs of a sample are added up, 'mean' or 'sum', if it is not the library's usual way."""
    pairs: bool = False
    """Whether it takes the mean over all pairs, instead of over rows that each have a mean over their pairs."""
    by_length: bool = False
    """Whether its mean is that of losses which are each divided by their number of labels, at least 1."""
    per: str | None = None
    """The extent of one mask: 'row', 'column' or 'file'."""
    activation: str | None = None
    """What it does with logits of masks, 'sigmoid' or 'softmax'; None if it takes none."""
    smoothing: str | None = None
    """The mode of label smoothing, or None if there is none."""
    terms_by_class: bool = False
    """Whether class weights multiply the terms of a smoothed or soft target instead of the row."""
    clip: Clipping | None = None
    """How predictions that are probabilities are changed."""
    clip_logits: Clipping | None = None
    """How probabilities are changed that the library makes of logits."""
    labels: SignConvention | None = None
    """How labels are read: 'numbers' as they are; 'doubled' as 2 t - 1, even if they are -1 and 1; 'truth'
    as positive unless they are 0.
    """
    skips_zeros: bool = False
    """Whether rows whose loss is 0 are left out."""
    hard: bool = False
    """Whether soft targets give another function."""
    one_output: bool = False
    """Whether several outputs per sample give another function."""
    scale: float = 1.0
    scale_by_outputs: bool = False
    """Whether the number is also divided by the number of columns, unless it is a sum."""
    scale_of_two: float = 1.0
    """A factor that is applied if there are two columns."""
    shift: float = 0.0
    refused: str | None = None
    """Why losscli cannot compute the library's number, or None if it can."""
    notes: tuple[str, ...] = ()
    """Conventions that no other field describes."""
    defects: tuple[str, ...] = ()
    """Known defects, each with the versions that have it."""


@dataclass(frozen=True, eq=False)  # one of a kind; comparing fields would only cost at start
class Library:
    """A library: its usual conventions, and its calls."""

    name: str
    title: str
    """The library's full name, with the version that was run."""
    reduction: str
    """The usual default reduction, by losscli's name."""
    weighted: str
    """The usual reduction if rows have weights; 'none' if weights are not taken."""
    reductions: Mapping[str, str]
    """losscli's names of reductions -> the library's names, for those that can be asked for."""
    outputs: str
    summed_outputs: str
    """How the outputs of a sample are added up under the reduction 'sum'."""
    calls: tuple[Call, ...]
    notes: tuple[str, ...] = ()
