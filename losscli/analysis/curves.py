"""Curves of losses: an axis that all of them share is chosen, and value and gradient are computed along it.

They are computed as `compute` does: the points of an axis are predictions and targets, and go through the
loss's lift. Nothing here draws.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from losscli.arrays import FARTHEST, Array
from losscli.definition.loss import Axis, BoundLoss
from losscli.errors import UsageError
from losscli.lookup.spec import spec
from losscli.shown import Shown

STEPS = 1200
"""Number of steps of a grid. It has many divisors, so that tenths and quarters of most ranges are among the points."""
NEAR = 1e-9
"""Points of a grid that are nearer to a break than this part of the range are left out."""
JUMP = 1e-6
"""Two one-sided limits that differ by more than this part of the curve's largest value are a
jump; rounding is far smaller.
"""


@dataclass(frozen=True)
class Break:
    """A point at which a loss changes its form: its name, and value and slope just below, at, and just above it."""

    name: str
    x: float
    value: tuple[float, float, float]
    slope: tuple[float, float, float]


@dataclass(frozen=True, repr=False)
class Curve(Shown):
    """A loss along an axis: value and slope (d value / dx) at each x, shape (n,), and the breaks between the ends."""

    bound: BoundLoss
    x: Array
    value: Array
    slope: Array
    breaks: tuple[Break, ...] = ()

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


def shared_axis(losses: Sequence[BoundLoss], wanted: str | None = None) -> tuple[str, dict[str, Axis]]:
    """Return the axis over which all losses can be drawn: its name, and for each family its meaning there.

    Without `wanted` it is the first loss's natural axis, or its next one that the others have too.

    Raises
    ------
    UsageError
        if the losses have no axis in common, or not the wanted one.
    """
    families = {bound.family.name: bound.family for bound in losses}
    names = {bound.family.name: bound.name for bound in reversed(losses)}
    first = losses[0].family
    for name in [wanted] if wanted else first.axes:
        if all(name in family.axes for family in families.values()):
            return name, {family.name: family.axes[name] for family in families.values()}
    over = "; ".join(f"{names[family.name]} is drawn over {_either(family.axes)}" for family in families.values())
    if wanted:
        raise UsageError(f"--x {wanted}: {over}")
    raise UsageError(f"nothing compares these losses: {over}; draw them in pictures of their own")


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


def grid(low: float, high: float) -> Array:
    """Return points from low to high, both included, shape (STEPS + 1,)."""
    i = np.arange(STEPS + 1)
    x = low * ((STEPS - i) / STEPS) + high * (i / STEPS)
    if max(abs(low), abs(high)) < np.finfo(np.float64).max / STEPS:
        x = (low * (STEPS - i) + high * i) / STEPS
    x[[0, -1]] = low, high
    return x


def trace(bound: BoundLoss, axis: Axis, low: float, high: float) -> Curve:
    """Return value and slope of a loss along an axis; each break between the ends is one of the points."""
    named = bound.declaration.breaks(bound.parameters) if axis.own else {}
    inside = {name: x for name, x in named.items() if low <= x <= high}
    points = grid(low, high)
    for x in inside.values():
        away = np.abs(points - x) > NEAR * (high - low)
        points = np.append(points[away], x)
    points = np.unique(points)
    value, slope = along(bound, axis, points)
    return Curve(bound, points, value, slope, tuple(_break(bound, axis, name, x) for name, x in inside.items()))


def along(bound: BoundLoss, axis: Axis, x: Array) -> tuple[Array, Array]:
    """Return value and d value / dx at points of an axis, both of shape (n,)."""
    predictions, targets, extras = axis.place(x)
    value, gradient = bound(predictions, targets, extras, gradient=True)
    assert gradient is not None
    columns = gradient.reshape(len(x), -1).T
    with np.errstate(all="ignore"):
        parts = [column * part for column, part in zip(columns, axis.along, strict=True) if part]
        return value, np.sum(parts, axis=0) + 0.0  # a slope of -0.0 is 0


def _break(bound: BoundLoss, axis: Axis, name: str, x: float) -> Break:
    """Return a break with its values and slopes on both sides."""
    sides = np.array([np.nextafter(x, -math.inf), x, np.nextafter(x, math.inf)])
    value, slope = along(bound, axis, sides)
    return Break(name, x, (value[0], value[1], value[2]), (slope[0], slope[1], slope[2]))


def jumps(sides: tuple[float, float, float], y: Array) -> bool:
    """Whether a function is discontinuous, from its values just below, at and just above a point.

    `y` are all values of the curve, which set the scale.
    """
    below, at, above = sides
    scale = np.max(np.abs(y), where=np.isfinite(y), initial=0)
    with np.errstate(all="ignore"):  # infinity on both sides is not a jump
        return bool(max(abs(above - below), abs(at - below), abs(at - above)) > JUMP * scale)


def records(curves: Sequence[Curve], nested: bool = False) -> dict[str, Any]:
    """Return the numbers of the curves as columns: loss, parameters, x, value, gradient.

    Parameters
    ----------
    nested
        for JSON: parameters are a mapping of names to numbers; otherwise they are written as in a SPEC.
    """

    def parameters_of(bound: BoundLoss) -> Any:
        if nested:
            return {name: value for name, value in bound.parameters.items() if value is not None}
        return spec(bound).partition(":")[2]

    return {
        "loss": [curve.bound.name for curve in curves for _ in curve.x],
        "parameters": [parameters for curve in curves for parameters in [parameters_of(curve.bound)] * len(curve.x)],
        "x": np.concatenate([curve.x for curve in curves]),
        "value": np.concatenate([curve.value for curve in curves]),
        "gradient": np.concatenate([curve.slope for curve in curves]),
    }
