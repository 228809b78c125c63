"""The shape of a loss at its default parameters: whether it is convex, bounded, and how its gradient ends.

What a loss declares (`Loss.facts`) is proved by the tests of the losses: of losses of single numbers for all values of their
parameters, of others at the defaults. A loss of single numbers whose shape depends on its parameters declares nothing, and its curve at
the defaults says what it is there. Of a loss of several predictions a curve shows one line only, which can show that the loss is
not convex or not bounded, but never that it is: such a loss is convex or bounded if it declares it, and where it does not and the
line shows nothing, that is not told.

How the gradient ends is seen along the axis of the curve, far out and close to the ends of its domain.
"""

import math
from collections.abc import Sequence

import numpy as np

from losscli.analysis.curves import along
from losscli.arrays import Array
from losscli.definition.domain import Interval
from losscli.definition.loss import Axis, BoundLoss, Loss
from losscli.records import NamedTuple

WORDS = {
    "convex": "Convex",
    "bounded": "Bounded",
    "robust": "Bounded gradient",
    "redescending": "Redescending",
}
"""The words by which losses are filtered, and how they are written."""
OF_GRADIENT = ("robust", "redescending")
"""Those of the words that are said along one axis."""
MEANINGS = {
    "convex": "The line between two points of the graph never lies below the graph, so that a minimum is the minimum (Boyd and "
    "Vandenberghe 2004, Convex Optimization, section 3.1). Said of the variable of the loss: the prediction, the score, or the "
    "logits, not the probabilities.",
    "bounded": "No prediction, however wrong, has a loss above some number.",
    "robust": "No prediction, however far off, has a gradient above some number, so that one sample alone cannot pull a fit anywhere: "
    "what robust statistics calls a bounded influence function, or B-robust (Hampel, Ronchetti, Rousseeuw and Stahel 1986, "
    "Robust Statistics, section 2.1c). Said over the axis that goes on without end, which the page of a loss with several axes names: "
    "over the probability, the same loss may have a gradient without bound. It is about predictions that are far off, and not about wrong "
    "labels: cross-entropy has a bounded gradient by its logits.",
    "redescending": "The gradient goes back to 0 far out: a prediction that is very wrong has no influence any more (the same, "
    "section 2.6). Such a loss is not convex, unless it is flat.",
}
"""What the words mean, each with a source."""
FAR = (1e4, 1e8)
"""Two distances, between which a gradient that is bounded does not grow, and one that ends at 0 becomes small."""
NEAR = (1e-4, 1e-8)
"""The same for the distance to a finite end of the domain, and to points where the loss changes its form."""
GROWS, FADES = 1.2, 0.05
"""The factor of growth from which a gradient is without bound, and that below which it goes to 0, between these distances."""
CHORDS = 4001
SLACK = 1e-12
"""Rounding of a second difference, as a part of the values."""


class Shape(NamedTuple):
    """The shape of a loss at its default parameters.

    Each is None where the curve cannot tell: `robust` and `redescending` where its axis has no far end, or is a line through an
    example; `convex` and `bounded` of losses of several predictions that declare nothing, where that line shows nothing.

    `always` are those of the words 'convex' and 'bounded' that are known to be true for all values of the parameters.
    """

    convex: bool | None
    bounded: bool | None
    robust: bool | None
    redescending: bool | None
    axis: str
    always: frozenset[str]

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are true, by the keys of `WORDS`."""
        return tuple(word for word in WORDS if getattr(self, word))


def shape_of(loss: Loss) -> Shape:
    """Return the shape of a loss at its default parameters."""
    bound = loss.bind()
    name = far_axis(loss)
    axis = loss.family.axes[name]
    robust, redescending = _gradient(bound, axis) if told_by_its_axis(loss) else (None, None)
    return Shape(
        _told(loss, "convex", _convex(bound, axis), name),
        _told(loss, "bounded", _bounded(bound, axis), name),
        robust,
        redescending,
        name,
        loss.facts & {"convex", "bounded"} if of_one_number(loss) or not loss.parameters else frozenset(),
    )


def _told(loss: Loss, fact: str, on_the_axis: bool, axis: str) -> bool | None:
    """Return whether a loss is convex or bounded, from what it declares and what its curve shows; None if neither tells."""
    if fact in loss.facts:
        return True
    if of_one_number(loss):
        return on_the_axis
    # A line of probabilities is none of logits, of which convexity is said.
    shows = not on_the_axis and not (fact == "convex" and axis == "probability")
    return False if shows else None


def far_axis(loss: Loss) -> str:
    """Return the axis along which the gradient is judged: the first one that goes on without end, else the first."""
    axes = loss.family.axes
    endless = (name for name, axis in axes.items() if math.isinf(axis.domain.low) or math.isinf(axis.domain.high))
    return next(endless, next(iter(axes)))


def of_one_number(loss: Loss) -> bool:
    """Whether a prediction is one number whose loss depends on nothing but its target, so that the curve is the whole loss."""
    return loss.family.several_outputs and loss.family.target_type != "outcomes"


def told_by_its_axis(loss: Loss) -> bool:
    """Whether the axis of the curve is what the loss is a function of, and not one line through an example of several numbers.

    Losses over classes are drawn for two classes, of which more than one logit that is far off is the same as one.
    """
    family = loss.family
    return family.several_outputs or family.over_classes or family.axes[far_axis(loss)].own


def _domain(bound: BoundLoss, axis: Axis) -> Interval:
    """Return where on an axis a loss is defined: of one number, wherever it takes the prediction; else the axis's own domain."""
    if not of_one_number(bound.declaration) or bound.family.target_type != "numbers":
        return axis.domain
    taken = bound.declaration.domains(bound.parameters).predictions
    offset = float(axis.place(np.zeros(1))[0][0])
    return taken._replace(low=taken.low - offset, high=taken.high - offset)


def _gradient(bound: BoundLoss, axis: Axis) -> tuple[bool | None, bool | None]:
    """Return whether the gradient is bounded, and whether it goes to 0 at every infinite end of the axis."""
    domain = _domain(bound, axis)
    ends = {-1.0: domain.low, 1.0: domain.high}
    far = [_slopes(bound, axis, sign * np.array(FAR)) for sign, end in ends.items() if math.isinf(end)]
    if not far:
        return None, None
    peak = float(np.nanmax(np.abs(_slopes(bound, axis, np.linspace(*axis.span, 241)))))
    places = [(end, -sign) for sign, end in ends.items() if math.isfinite(end)]
    if axis.own:
        places += [(x, side) for x in bound.declaration.breaks(bound.parameters).values() for side in (-1.0, 1.0)]
    near = [_slopes(bound, axis, x + side * np.array(NEAR)) for x, side in places]
    bounded = math.isfinite(peak) and not any(_grows(pair, peak) for pair in [*far, *near])
    return bounded, bounded and all(abs(there) <= FADES * peak for _, there in far)


def _grows(pair: Array, peak: float) -> bool:
    here, there = np.abs(pair)
    return not (math.isfinite(there) and there <= max(GROWS * here, peak))


def _slopes(bound: BoundLoss, axis: Axis, x: Array) -> Array:
    """Return d value / dx at points of an axis."""
    with np.errstate(all="ignore"):
        return along(bound, axis, x)[1]


def _convex(bound: BoundLoss, axis: Axis) -> bool:
    """Whether no second difference is below 0: in a wide range, and close around the points where the loss changes its form."""
    breaks = bound.declaration.breaks(bound.parameters).values() if axis.own else ()
    reach = 20 * max([1.0, *(abs(x) for x in breaks), *(abs(end) for end in axis.span)])
    domain = _domain(bound, axis)
    low, high = max(-reach, domain.low), min(reach, domain.high)
    grids: Sequence[Array] = [
        np.linspace(low, high, CHORDS),
        np.linspace(*axis.span, CHORDS),
        *(x + width * np.linspace(-1, 1, 201) for x in breaks for width in (1e-3, 1.0)),
    ]
    for x in grids:
        value = along(bound, axis, x[~domain.outside(x)])[0]
        value = value[np.isfinite(value)]
        middle = (value[:-2] + value[2:]) / 2
        if not bool((value[1:-1] <= middle + SLACK * (1 + np.abs(middle))).all()):
            return False
    return True


def _bounded(bound: BoundLoss, axis: Axis) -> bool:
    """Whether the loss is finite at both ends of its axis, where these losses are largest."""
    domain = _domain(bound, axis)
    ends = np.array([domain.low, domain.high])
    inside = np.where(np.isfinite(ends), ends + np.array([1, -1]) * NEAR[1], ends)
    return bool(np.isfinite(along(bound, axis, inside)[0]).all())
