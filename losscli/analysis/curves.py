"""Curves of losses: an axis that all of them share is chosen, and value and gradient are computed along it.

They are computed as `compute` does: the points of an axis are predictions and targets, and go through the
loss's lift. Nothing here draws.
"""

import itertools
import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from losscli.arrays import FARTHEST, Array
from losscli.data.target_encoding import Smoothing, TargetEncoding
from losscli.definition.batch import Extras, Indices, Targets
from losscli.definition.loss import SHARED, Axis, BoundLoss, Family
from losscli.definition.options import takes
from losscli.definition.words import StoredAs
from losscli.errors import UsageError
from losscli.lookup.spec import spec
from losscli.records import dataclass, replace
from losscli.shown import Shown
from losscli.wording import short, written

STEPS = 1200
"""Number of steps of a grid. It has many divisors, so that tenths and quarters of most ranges are among the points."""
NEAR = 1e-9
"""Points of a grid that are nearer to a break than this part of the range are left out."""
JUMP = 1e-6
"""Two one-sided limits that differ by more than this part of the curve's largest value are a
jump; rounding is far smaller.
"""
STANDS_OUT = 3.0
"""A step of a curve this many times as large as those to its left and right may be a jump, which is looked for closely."""
MOST_SOUGHT = 64
"""The most jumps that are looked for in a curve, the largest first; noise has any number of steps that stand out."""
PARTS = 8
"""Number of parts into which a step is divided where a jump in it is looked for."""
RESOLVED = 2.0**-50
"""How far from a break, as a part of its size or of 1, predictions that are sums of x and a constant differ from those at it."""
CLOSEST = 2.0**-48
"""The part of the range to which a jump is located."""

OF_TARGET = r"target t\b( = 1)?"
"""The words of an axis's label about the target of what it is about."""


@dataclass(frozen=True)
class Break:
    """A point at which a loss changes its form: value and slope just below, at, and just above it.

    Its name is the one that the loss declares; '' where it was located on the curve.
    """

    name: str
    x: float
    value: tuple[float, float, float]
    slope: tuple[float, float, float]


@dataclass(frozen=True)
class Setting:
    """Options of `compute` that change what is drawn; None where nothing was said, and the loss is drawn as it is.

    Parameters
    ----------
    label_smoothing
        in [0, 1); of two classes or outcomes, so that a target t becomes t (1 - E) + E / 2.
    pos_weight
        factor of the positive term, >= 0.
    target
        target in [0, 1] of the outcome or class that the axis is about, in place of 1.
    """

    label_smoothing: float | None = None
    pos_weight: float | None = None
    target: float | None = None

    def __post_init__(self) -> None:
        smoothing, weight, target = self.label_smoothing, self.pos_weight, self.target
        if smoothing is not None and not 0 <= smoothing < 1:
            raise UsageError(f"--label-smoothing {written(smoothing)} is not in [0, 1)")
        if weight is not None and not (0 <= weight < math.inf):
            raise UsageError(f"--pos-weight {written(weight)} is not a number >= 0")
        if weight is not None and weight > FARTHEST:
            raise UsageError(f"--pos-weight {weight:g}: numbers beyond {FARTHEST:g} cannot be drawn")
        if target is not None and not 0 <= target <= 1:
            raise UsageError(f"--target {written(target)} is not in [0, 1]")

    @property
    def named(self) -> dict[str, float]:
        """What was said, by the names of the options."""
        return {name.replace("_", "-"): value for name, value in vars(self).items() if value is not None}

    def taken_by(self, family: Family) -> "Setting":
        """Return the part of it that losses of a family take."""
        taken = {
            "label_smoothing": takes(family, "label-smoothing"),
            "pos_weight": takes(family, "pos-weight"),
            "target": family.takes_distributions and not family.soft and not family.custom,
        }
        return Setting(**{name: value for name, value in vars(self).items() if taken[name]})

    def applied(self, axis: Axis, family: Family) -> Axis:
        """Return an axis on which targets and weights are as this says, by the code that `compute` has for them."""
        if self == Setting():
            return axis
        if self.target is not None and axis.shared == SHARED["margin"]:
            raise UsageError("--target: over the margin a target is a sign; say --x logit or --x probability")

        def place(x: Array) -> tuple[Array, Targets, Extras]:
            predictions, targets, extras = axis.place(x)
            if self.pos_weight is not None:
                extras = extras._replace(pos_weight=self.pos_weight)
            return predictions, self._encoded(targets, predictions.shape, family), extras

        label, shared = axis.label, axis.shared
        if self.target is not None:
            label, shared = _of_target(label), _of_target(shared)
        if self.label_smoothing is not None:
            label = re.sub(OF_TARGET, r"\g<0> before smoothing", label)
        return axis._replace(place=place, label=label, shared=shared)

    def _encoded(self, targets: Targets, shape: tuple[int, ...], family: Family) -> Targets:
        """Return targets as this says, for predictions of a shape: (n,) of outcomes, or (n, k) of classes."""
        k = shape[1] if len(shape) == 2 else 2
        stored_as: StoredAs = "rows" if len(shape) == 2 else "outcomes"
        smoothing = None
        if self.label_smoothing and family.smoothing is not None:
            smoothing = Smoothing.of(self.label_smoothing, family.smoothing, k)
        if self.target is not None:
            t = np.full(shape[0], self.target)
            block = np.stack([t, 1 - t], axis=1) if len(shape) == 2 else t
        elif smoothing is None:
            return targets
        elif isinstance(targets, Indices):
            block, stored_as = targets.index, "indices"
        else:
            block = targets.t
        return TargetEncoding("soft", stored_as, k, smoothing=smoothing).targets(block)


def _of_target(label: str) -> str:
    """Return the label of an axis, with the words about what is true replaced by words about what has a target t."""
    for words, other in (
        ("an output with target t = 1", "an output with target t"),
        ("the true class", "the class with target t"),
        ("what is true", "what has the target t"),
    ):
        label = label.replace(words, other)
    return label


@dataclass(frozen=True, repr=False)
class Curve(Shown):
    """A loss along an axis: value and slope (d value / dx) at each x, shape (n,), and the breaks between the ends."""

    bound: BoundLoss
    x: Array
    value: Array
    slope: Array
    breaks: tuple[Break, ...] = ()
    setting: Setting = Setting()

    def line(self, what: str) -> tuple[Array, Array]:
        """Return points of 'value' or 'slope' to be joined by straight lines; at a jump the line is
        interrupted by NaN.
        """
        x, y = self.x, getattr(self, what)
        for jump in self.jumps(what):
            below, _, above = getattr(jump, what)
            at = int(np.searchsorted(x, jump.x))
            x = np.concatenate([x[:at], [jump.x, np.nan, jump.x], x[at + 1 :]])
            y = np.concatenate([y[:at], [below, np.nan, above], y[at + 1 :]])
        return x, y

    def jumps(self, what: str) -> list[Break]:
        """Return the breaks, from right to left, at which 'value' or 'slope' is discontinuous."""
        discontinuous = [at for at in self.breaks if jumps(getattr(at, what), getattr(self, what))]
        return sorted(discontinuous, key=lambda at: -at.x)


class Curves(list[Curve], Shown):
    """Several curves over one axis."""

    def __repr__(self) -> str:
        return Shown.__repr__(self)

    __str__ = Shown.__str__


def drawable(losses: Sequence[BoundLoss], operands: str | None = None, takes: str | None = None) -> list[BoundLoss]:
    """Return the losses, with those that depend on files replaced by what they are without files.

    Parameters
    ----------
    operands, takes
        the order of the operands of the user's own losses, and the kind of predictions that they take; None where their
        names tell.

    Raises
    ------
    UsageError
        for one of them without a loss of the user's own.
    """
    given = {"--operands": operands, "--takes": takes}
    said = next((option for option, value in given.items() if value is not None), None)
    if said is not None and not any(bound.declaration.drawn for bound in losses):
        raise UsageError(f"{said} is about a loss of a file, and there is none here: losscli plot curves FILE.py:NAME")
    return [
        bound if bound.declaration.drawn is None else bound.declaration.drawn(bound, operands, takes)
        for bound in losses
    ]


def swept(
    losses: Sequence[BoundLoss],
    label_smoothing: Sequence[float] = (),
    pos_weight: Sequence[float] = (),
    target: Sequence[float] = (),
) -> list[tuple[BoundLoss, Setting]]:
    """Return every loss in every setting that it takes: as many curves as there are combinations of the values.

    Raises
    ------
    UsageError
        if a value is outside its domain, given twice, or for no loss.
    """
    given = {"label_smoothing": label_smoothing, "pos_weight": pos_weight, "target": target}
    values = {name: numbers for name, numbers in given.items() if numbers}
    for name, numbers in values.items():
        option = f"--{name.replace('_', '-')}"
        if len(set(numbers)) < len(numbers):
            raise UsageError(f"{option} {','.join(f'{number:g}' for number in numbers)}: a number is there twice")
        if not any(
            name.replace("_", "-") in Setting(**{name: numbers[0]}).taken_by(bound.family).named for bound in losses
        ):
            raise UsageError(
                f"{option}: {_either({bound.name: None for bound in losses})} takes none; it is for losses of classes or outcomes"
            )
    every = [Setting(**dict(zip(values, one, strict=True))) for one in itertools.product(*values.values())]
    return [
        (bound, setting)
        for bound in losses
        for setting in dict.fromkeys(setting.taken_by(bound.family) for setting in every)
    ]


def shared_axis(losses: Sequence[BoundLoss], wanted: str | None = None) -> tuple[str, dict[str, Axis]]:
    """Return the axis over which all losses can be drawn: its name, and for each family its meaning there.

    Without `wanted` it is the first loss's natural axis, or its next one that the others have too. Axes of the same name
    are one axis only where x is the same variable.

    Raises
    ------
    UsageError
        if the losses have no axis in common, or not the wanted one.
    """
    families = {bound.family.name: bound.family for bound in losses}
    first_of = {bound.family.name: bound.name for bound in reversed(losses)}
    candidates = [wanted] if wanted else list(losses[0].family.axes)
    called_alike = [name for name in candidates if all(name in family.axes for family in families.values())]
    for name in called_alike:
        axes = {family.name: family.axes[name] for family in families.values()}
        if _is_one(axes.values()):
            return name, axes
    if called_alike:
        over = "; ".join(
            f"{first_of[key]} over '{family.axes[called_alike[0]].label}'" for key, family in families.items()
        )
        raise UsageError(
            f"these losses are not drawn over the same {called_alike[0]}, so they need pictures of their own: {over}"
        )
    over = "; ".join(f"{first_of[key]} is drawn over {_either(family.axes)}" for key, family in families.items())
    if wanted:
        raise UsageError(f"--x {wanted}: {over}")
    raise UsageError(f"nothing compares these losses: {over}; draw them in pictures of their own")


def _is_one(axes: Collection[Axis]) -> bool:
    """Whether x is the same variable on all axes, and nothing else is fixed to different numbers."""
    fixed = {item for axis in axes for item in axis.at}
    return len({(axis.letter, axis.variable) for axis in axes}) == 1 and len(dict(fixed)) == len(fixed)


def joint_label(axes: Collection[Axis]) -> str:
    """Return a label that is true of all of these axes, which are one axis for several families."""
    labels = {axis.label for axis in axes}
    if len(labels) == 1:
        return labels.pop()
    *most, last = dict.fromkeys(f"a {name} of {value:g}" for axis in axes for name, value in axis.at) or [""]
    fixed = f"{', '.join(most)} and {last}" if most else last
    return next(iter(axes)).variable + (f", for {fixed}" if fixed else "")


def _either(names: Mapping[str, Any]) -> str:
    """Return names as 'a, b or c'."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def default_range(losses: Sequence[BoundLoss], axes: Mapping[str, Axis]) -> tuple[float, float]:
    """Return the widest of the axes' ranges, wide enough to show both sides of every break, within the
    domain of all.
    """
    low = min(axis.span[0] for axis in axes.values())
    high = max(axis.span[1] for axis in axes.values())
    for bound in losses:
        if axes[bound.family.name].own:
            for x in bound.declaration.breaks(bound.parameters).values():
                low, high = min(low, _beyond(x)), max(high, _beyond(x))
    low = max([low, *(axis.span[0] for axis in axes.values() if low not in axis.domain)])
    high = min([high, *(axis.span[1] for axis in axes.values() if high not in axis.domain)])
    return low, high


def _beyond(x: float) -> float:
    # Rounded up to two digits: 4.6851 -> 5.9.
    """Return a point that is a fourth farther from 0."""
    if not 1e-300 < abs(x) < 1e300:
        return x
    unit = 10.0 ** (math.floor(math.log10(abs(x))) - 1)
    return math.copysign(math.ceil(abs(x) * 1.25 / unit) * unit, x)


def check_range(low: float, high: float, name: str, axes: Mapping[str, Axis]) -> None:
    """Raise a UsageError if a range is empty, too wide or too narrow, or leaves the axis."""
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(high - low)):
        raise UsageError(f"--range {low:g},{high:g}: both ends must be finite numbers, and so must their distance")
    if max(abs(low), abs(high)) > FARTHEST:
        raise UsageError(
            f"--range {low:g},{high:g}: numbers beyond {FARTHEST:g} cannot be drawn, for their squares overflow; "
            "choose a narrower range"
        )
    if low >= high:
        raise UsageError(f"--range {low:g},{high:g} is empty; the first number must be below the second")
    if len(np.unique(grid(low, high))) < STEPS // 2:
        raise UsageError(f"--range {low!r},{high!r}: there are too few numbers between these two")
    for axis in axes.values():
        if low not in axis.domain or high not in axis.domain:
            raise UsageError(f"--range {low:g},{high:g}: the {name} is in {axis.domain}")


def check_values(curves: Sequence[Curve], shown: tuple[float, float] | None, name: str, log: bool = False) -> None:
    """Raise a UsageError if a range of values is empty, has no place on a logarithmic scale, or holds no part of a curve.

    Parameters
    ----------
    shown
        the lowest and the highest value to be shown; None for a range that is chosen.
    name
        the name of the axis, for the message.
    """
    if shown is None:
        return
    low, high = shown
    words = f"--y-range {low:g},{high:g}"
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(high - low)):
        raise UsageError(f"{words}: both ends must be finite numbers, and so must their distance")
    if low >= high:
        raise UsageError(f"{words} is empty; the first number must be below the second")
    if log and low <= 0:
        raise UsageError(f"{words}: a logarithmic scale (--log) begins above 0")
    finite = [curve.value[np.isfinite(curve.value)] for curve in curves]
    ends = [(float(values.min()), float(values.max())) for values in finite if len(values)]
    if not any(least <= high and largest >= low for least, largest in ends):
        x = curves[0].x
        found = (
            "none is finite" if not ends else f"they are from {min(ends)[0]:.4g} to {max(end for _, end in ends):.4g}"
        )
        raise UsageError(f"{words}: no value is there; over a {name} from {x[0]:g} to {x[-1]:g} {found}")


def grid(low: float, high: float) -> Array:
    """Return points from low to high, both included, shape (STEPS + 1,)."""
    i = np.arange(STEPS + 1)
    x = low * ((STEPS - i) / STEPS) + high * (i / STEPS)
    if max(abs(low), abs(high)) < np.finfo(np.float64).max / STEPS:
        x = (low * (STEPS - i) + high * i) / STEPS
    x[[0, -1]] = low, high
    return x


def trace(bound: BoundLoss, axis: Axis, low: float, high: float, setting: Setting = Setting()) -> Curve:
    """Return value and slope of a loss along an axis; each break between the ends is one of the points.

    Breaks are those that the loss declares for this axis, and jumps of value or slope that are located on the curve.
    """
    axis = setting.applied(axis, bound.family)
    named = bound.declaration.breaks(bound.parameters) if axis.own else {}
    inside = {name: x for name, x in named.items() if low <= x <= high}
    breaks = [_break(bound, axis, name, x) for name, x in inside.items()]
    points = _with_points(grid(low, high), inside.values())
    value, slope = along(bound, axis, points)
    located = _located(bound, axis, points, value, slope, list(inside.values()))
    if located:
        breaks += located
        points = _with_points(points, [at.x for at in located])
        value, slope = along(bound, axis, points)
    return Curve(bound, points, value, slope, tuple(breaks), setting)


def _with_points(points: Array, more: Collection[float]) -> Array:
    """Return the points with more of them, in place of those that are very near to these."""
    for x in more:
        away = np.abs(points - x) > NEAR * (points[-1] - points[0])
        points = np.append(points[away], x)
        points.sort()
    return np.unique(points)


def _located(bound: BoundLoss, axis: Axis, x: Array, value: Array, slope: Array, known: Sequence[float]) -> list[Break]:
    """Return the jumps of value or slope between points of a curve, but for those at `known` breaks.

    Where a step stands out from those beside it, the part of it with the largest step is searched again and again. The
    step of a continuous function vanishes with the width of the part; that of a jump remains.
    """
    near = NEAR * (x[-1] - x[0])
    found: list[Break] = []
    for curve, what in ((value, 0), (slope, 1)):
        scale = np.max(np.abs(curve), where=np.isfinite(curve), initial=0)
        steps = _steps(x, value, slope)[what]
        outstanding = np.flatnonzero(_stand_out(steps, JUMP * scale))
        for i in sorted(outstanding, key=lambda i: -steps[i])[:MOST_SOUGHT]:
            if any(x[i] - near <= at <= x[i + 1] + near for at in [*known, *(at.x for at in found)]):
                continue
            at = _closest(bound, axis, what, (x[i], x[i + 1]), CLOSEST * (x[-1] - x[0]), JUMP * scale)
            if at is not None:
                found.append(_break_on_curve(bound, axis, at, x[0], x[-1]))
    return [at for at in found if jumps(at.value, value) or jumps(at.slope, slope)]


def _steps(x: Array, value: Array, slope: Array) -> tuple[Array, Array]:
    """Return the sizes of the steps of value and slope between points; what the slopes explain is no step of the value."""
    with np.errstate(all="ignore"):
        steps = (
            np.abs(np.diff(value) - np.diff(x) * (slope[:-1] + slope[1:]) / 2),
            np.abs(np.diff(slope)),
        )
    of_value, of_slope = (np.where(np.isfinite(one), one, 0.0) for one in steps)
    return of_value, of_slope


def _stand_out(steps: Array, least: float) -> Array:
    """Return which steps are larger than `least`, and than those beside them, but for one neighbour on each side, since a
    point between two jumps makes two steps.
    """
    beside = np.pad(steps, 2, constant_values=0.0)
    left, right = np.minimum(beside[:-4], beside[1:-3]), np.minimum(beside[3:-1], beside[4:])
    return (steps > least) & (steps > STANDS_OUT * np.maximum(left, right))


def _closest(
    bound: BoundLoss, axis: Axis, what: int, ends: tuple[float, float], width: float, least: float
) -> float | None:
    """Return where a function jumps between two points, or None if it does not: `what` is 0 for the value, 1 for the slope."""
    low, high = ends
    while high - low > max(width, 2 * np.spacing(max(abs(low), abs(high)))):
        x = np.linspace(low, high, PARTS + 1)
        steps = _steps(x, *along(bound, axis, x))[what]
        largest = int(steps.argmax())
        if steps[largest] <= least:
            return None
        low, high = float(x[largest]), float(x[largest + 1])
    return _roundest(low - width, high + width)


def _roundest(low: float, high: float) -> float:
    """Return the number between two others that has the fewest decimals: 0.75 between 0.7499999999999999 and 0.7500000000000002."""
    middle = (low + high) / 2
    rounded = (round(middle, decimals) for decimals in range(16))
    return next((x for x in rounded if low <= x <= high), middle) + 0.0


def _break_on_curve(bound: BoundLoss, axis: Axis, x: float, low: float, high: float) -> Break:
    """Return a located break; its sides are so far from it that rounding does not blur them. At an end of the curve, what
    is beyond is as at the end.
    """
    near = NEAR * (high - low)
    x = low if x - near < low else high if x + near > high else x
    return _at_sides(bound, axis, "", np.array([max(x - near, low), x, min(x + near, high)]))


def along(bound: BoundLoss, axis: Axis, x: Array) -> tuple[Array, Array]:
    """Return value and d value / dx at points of an axis, both of shape (n,).

    A parameter that the axis fixes has the axis's value: the drawn points of CTC have two classes, of which the first is the blank.
    """
    predictions, targets, extras = axis.place(x)
    fixed = {name: value for name, value in axis.at if name in bound.parameters}
    bound = replace(bound, parameters={**bound.parameters, **fixed}) if fixed else bound
    value, gradient = bound(predictions, targets, extras, gradient=True)
    assert gradient is not None
    columns = gradient.reshape(len(x), -1).T
    with np.errstate(all="ignore"):
        parts = [column * part for column, part in zip(columns, axis.along, strict=True) if part]
        return value, np.sum(parts, axis=0) + 0.0  # a slope of -0.0 is 0


def _break(bound: BoundLoss, axis: Axis, name: str, x: float) -> Break:
    """Return a declared break with its values and slopes on both sides."""
    sides = np.array([np.nextafter(x, -math.inf), x, np.nextafter(x, math.inf)])
    predictions = axis.place(sides)[0]
    if (predictions[0] == predictions[1]).all() or (predictions[1] == predictions[2]).all():
        # 1 + x, for example, is 1 for all x near 0.
        sides = x + RESOLVED * np.array([-1.0, 0.0, 1.0]) * max(1.0, abs(x))
    return _at_sides(bound, axis, name, sides)


def _at_sides(bound: BoundLoss, axis: Axis, name: str, sides: Array) -> Break:
    """Return a break, of the points just below, at and just above it."""
    value, slope = (tuple(map(float, one)) for one in along(bound, axis, sides))
    return Break(name, float(sides[1]), (value[0], value[1], value[2]), (slope[0], slope[1], slope[2]))


def jumps(sides: tuple[float, float, float], y: Array) -> bool:
    """Whether a function is discontinuous, from its values just below, at and just above a point.

    `y` are all values of the curve, which set the scale.
    """
    below, at, above = sides
    scale = np.max(np.abs(y), where=np.isfinite(y), initial=0)
    with np.errstate(all="ignore"):  # infinity on both sides is not a jump
        return bool(max(abs(above - below), abs(at - below), abs(at - above)) > JUMP * scale)


def words_of(curve: Curve) -> str:
    """Return a curve's loss with parameters and settings, as in a SPEC."""
    return ":".join([spec(curve.bound), *(f"{name}={short(value)}" for name, value in curve.setting.named.items())])


def records(curves: Sequence[Curve], nested: bool = False) -> dict[str, Any]:
    """Return the numbers of the curves as columns: loss, parameters, x, value, gradient.

    Parameters
    ----------
    nested
        for JSON: parameters are a mapping of names to numbers; otherwise they are written as in a SPEC.
    """

    def parameters_of(curve: Curve) -> Any:
        if nested:
            own = {name: value for name, value in curve.bound.parameters.items() if value is not None}
            return own | {name.replace("-", "_"): value for name, value in curve.setting.named.items()}
        return words_of(curve).removeprefix(curve.bound.name).removeprefix(":")

    return {
        "loss": [curve.bound.name for curve in curves for _ in curve.x],
        "parameters": [parameters for curve in curves for parameters in [parameters_of(curve)] * len(curve.x)],
        "x": np.concatenate([curve.x for curve in curves]),
        "value": np.concatenate([curve.value for curve in curves]),
        "gradient": np.concatenate([curve.slope for curve in curves]),
    }
