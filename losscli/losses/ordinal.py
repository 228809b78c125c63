"""Ordinal losses: of probabilities of classes that have an order, so that a near miss costs less than a far one.

They are softmax losses of whole rows, of the sums of probabilities up to each class, and share that family's lift.
"""

from typing import cast

import numpy as np

from losscli.arrays import Array, row_sums, running_sums
from losscli.definition.batch import Probability
from losscli.definition.loss import Slope
from losscli.definition.registry import FAMILIES, loss
from losscli.losses.probability import Slopes, gap
from losscli.losses.softmax import softmax
from losscli.records import replace

ordinal = FAMILIES["ordinal"] = replace(
    softmax,
    name="ordinal",
    summary="functions of one probability distribution a row over classes in their order",
    variables={
        "z": "logits of a row, one per class, in the order of the classes",
        "p": "exp(z) / sum(exp(z)), the probabilities of the classes",
        "t": "targets of the classes: 1 for the row's own class and 0 for the others, or soft",
        "cumsum": "the sums up to each class; [:-1] leaves out the last, which is 1 for p and for t",
    },
    value="f(p, t) of all classes of a row",
    gradient="df/dz_j = p_j * (df/dp_j - sum(p * df/dp)); from probabilities df/dp, from log-probabilities p * df/dp",
    likelihood=None,
)


def _beyond(x: Probability, t: Array) -> Array:
    # Summed from the classes' own differences, which are exact even for a nearly certain class: sums of p would round.
    """Return the sums of p - t up to each class but the last."""
    return running_sums(-gap(x, t))[:, :-1]


def _slopes(x: Probability, steps: Array) -> Slopes:
    """Return the slopes by p, from those by the sums up to each class but the last.

    A class is in its own sum and in all sums after it.
    """
    by_p = np.zeros_like(x.p)
    by_p[:, :-1] = running_sums(steps[:, ::-1])[:, ::-1]
    return Slopes(by_p * x.p, lambda: by_p)


@loss(
    ordinal,
    "sum(cumsum(p - t)[:-1]**2)",
    aliases=("rps", "squared-earth-mover", "squared-emd"),
    source="Epstein 1969, A Scoring System for Probability Forecasts of Ranked Categories, "
    "doi:10.1175/1520-0450(1969)008<0985:ASSFPF>2.0.CO;2; Hou, Yu and Samaras 2016, Squared Earth Mover's Distance-based "
    "Loss for Training Deep Neural Networks, arXiv:1611.05916",
    special=(
        "summed, and not divided by the number of classes less 1: 0 to K - 1 for K classes",
        "of two classes, half of brier",
    ),
    whole=True,
    wide=lambda parameters: True,
    facts=("bounded",),
)
def ranked_probability_score(x: Probability, t: Array) -> tuple[Array, Slope]:
    """The squared differences between the cumulative probabilities of prediction and target."""
    beyond = _beyond(x, t)
    return row_sums(beyond * beyond), cast(Slope, lambda: _slopes(x, 2 * beyond))


@loss(
    ordinal,
    "sum(abs(cumsum(p - t)[:-1]))",
    aliases=("emd", "earth-movers-distance", "earth-mover-distance", "wasserstein", "wasserstein-1"),
    source="Rubner, Tomasi and Guibas 2000, The Earth Mover's Distance as a Metric for Image Retrieval, "
    "doi:10.1023/A:1026543900054",
    special=(
        "how many classes far the probability has to be moved, in all: 0 to K - 1 for K classes",
        "of labels, the expected distance between the predicted and the true class",
        "where a difference is 0, the slope is the mean of those on both sides",
    ),
    whole=True,
    wide=lambda parameters: True,
    facts=("bounded",),
)
def earth_mover(x: Probability, t: Array) -> tuple[Array, Slope]:
    """The least amount of probability times distance that turns the prediction into the target."""
    beyond = _beyond(x, t)
    return row_sums(np.abs(beyond)), cast(Slope, lambda: _slopes(x, np.sign(beyond)))
