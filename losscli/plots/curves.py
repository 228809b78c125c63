"""Loss and gradient curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from losscli.analysis.curves import Curve
from losscli.arrays import Array
from losscli.definition.loss import Axis
from losscli.errors import UsageError
from losscli.lookup.spec import settings
from losscli.plots.style import (
    DASHES,
    Look,
    blank,
    clean,
    fitted,
    headline,
    legend_below,
    legend_height,
    ordered_style,
    plain_ticks,
    style_of,
)

INNER = {"value": 0.01, "slope": 0.08}
"""If a curve goes to infinity at an end, the panel's range is that of its values farther than this part
from the ends.
"""
OUTGROWN, HOPELESS, CUT = 2.5, 20.0, 1.75
"""A curve more than OUTGROWN times as large as the second largest would flatten it, and is cut at CUT times its size.

From HOPELESS times on it is not cut, since nothing of it would remain visible.
"""
BAND = 0.06
"""Empty space above and below the curves, as a part of their range."""
ROOM = 1.4
"""Empty space on a logarithmic scale, as a factor."""
TITLE = 200
"""Letters of the longest title."""
CLOSE = 0.17
"""Names of marks that are closer to each other than this part of the axis are written upright."""


def draw(
    curves: Sequence[Curve], axis: Axis, look: Look, gradient: bool = True, log: bool = False, mark: bool = False
) -> Figure:
    """Draw the value in one panel and the gradient in another: side by side or, in a tall picture, one below the other.

    Parameters
    ----------
    axis
        the axis over which the curves are drawn.
    gradient
        whether the gradient is drawn.
    log
        whether the value has a logarithmic scale, and the gradient one that is linear around 0.
    mark
        whether the points at which a loss changes its form are marked and named.
    """
    labels, title = _labels(curves)
    width = 10.0 if gradient else 6.4
    legend = legend_height(labels, width) if len(curves) > 1 else 0
    figure = blank(look, width, 4.2 + legend)
    wide = figure.get_figwidth() >= figure.get_figheight()
    count = 2 if gradient else 1
    panels: Any = figure.subplots(1, count, squeeze=False) if wide else figure.subplots(count, 1, squeeze=False)
    styles = _styles(curves, look)
    named = (("value", f"loss f({axis.letter})"), ("slope", f"gradient df/d{axis.letter}"))
    for panel, (what, label) in zip(panels.flat, named, strict=False):
        scale = _panel(panel, curves, styles, what, log)
        panel.set_xlabel(fitted(axis.label, figure.get_figwidth() / (count if wide else 1)))
        panel.set_ylabel(fitted(label + scale, figure.get_figheight() / (1 if wide else count) - legend))
        panel.set_xlim(curves[0].x[0], curves[0].x[-1])
        if mark:
            _mark(panel, curves, styles, what, axis)
    text = look.title if look.title is not None else title
    if text:
        headline(figure, clean(text, TITLE))
    if len(curves) > 1:
        handles = [Line2D([], [], linewidth=_width(i, len(curves)), **style) for i, style in enumerate(styles)]
        legend_below(figure, handles, labels)
    return figure


def _labels(curves: Sequence[Curve]) -> tuple[list[str], str]:
    """Return the labels that distinguish the curves, and the title, which says what they share."""
    losses = [curve.bound.declaration for curve in curves]
    settings_of_curves = [settings(curve.bound) for curve in curves]
    if any(loss is not losses[0] for loss in losses):
        return [
            ", ".join([loss.name, *_assignments(parameters)])
            for loss, parameters in zip(losses, settings_of_curves, strict=True)
        ], ""
    shared = settings_of_curves[0]
    swept = [name for name in losses[0].parameters if len({each.get(name) for each in settings_of_curves}) > 1]
    labels = [", ".join(_assignments({name: each.get(name, "none") for name in swept})) for each in settings_of_curves]
    fixed = {name: shared[name] for name in losses[0].parameters if name in shared.keys() - swept}
    title = ", ".join([losses[0].name, *_assignments(fixed)])
    whole = f"{title}: f = {losses[0].formula}"
    # A formula without its middle would be useless, thus the whole one or none.
    return labels, whole if losses[0].formula and len(whole) <= TITLE else title


def _assignments(parameters: Mapping[str, str]) -> list[str]:
    """Return parameters in words: 'gamma = 2'."""
    return [f"{name} = {value}" for name, value in parameters.items()]


def _styles(curves: Sequence[Curve], look: Look) -> list[dict[str, Any]]:
    """Return the line style of each curve."""
    losses = {curve.bound.name for curve in curves}
    swept = [len({curve.bound.parameters.get(name) for curve in curves}) > 1 for name in curves[0].bound.parameters]
    sweep = len(losses) == 1 and sum(swept) == 1 and len(curves) > 2
    if sweep or len(curves) > len(DASHES) * len(look.colours.colours):
        return [ordered_style(i, len(curves), look) for i in range(len(curves))]
    return [style_of(i, look) for i in range(len(curves))]


def _width(number: int, of: int) -> float:
    # If curves coincide, those below are wider and remain visible.
    """Return the line width of a curve."""
    return 2.6 - 1.2 * number / max(1, of - 1)


def _panel(panel: Axes, curves: Sequence[Curve], styles: Sequence[dict[str, Any]], what: str, log: bool) -> str:
    """Draw 'value' or 'slope' of the curves, and return words about the scale for the label."""
    for i, (curve, style) in enumerate(zip(curves, styles, strict=True)):
        x, y = curve.line(what)
        panel.plot(
            x, np.where(np.isfinite(y), y, np.nan), linewidth=_width(i, len(curves)), zorder=2.1 + i / 100, **style
        )
        for jump in curve.jumps(what):
            below, at, above = getattr(jump, what)
            ends = [jump.x, jump.x], [below, above]
            panel.plot(*ends, color=style["color"], linewidth=0.8, linestyle=":", zorder=2)
            panel.plot([jump.x], [at], "o", color=style["color"], markersize=4.5, zorder=3.2)
    ys = [getattr(curve, what) for curve in curves]
    if log and what == "value":
        if not any((y[np.isfinite(y)] > 0).any() for y in ys):
            raise UsageError("--log: none of these losses is above 0 here, and a logarithm of them does not exist")
        panel.set_yscale("log", nonpositive="mask")
        plain_ticks(panel.yaxis)
        return " (log scale)"
    low, high = _limits(ys, INNER[what], cut=not log)
    if log:
        linear = _linear(low, high)
        panel.set_yscale("symlog", linthresh=linear)
        plain_ticks(panel.yaxis)
        panel.set_ylim(ROOM * low or -linear, ROOM * high or linear)
        return f" (log scale; linear within ±{linear:g})"
    room = BAND * ((high - low) or 1)
    panel.set_ylim(low - room, high + room)
    return ""


def _limits(ys: Sequence[Array], inner: float, cut: bool) -> tuple[float, float]:
    """Return the range that a panel shows: everything or, with `cut`, less if one curve would flatten the others."""
    ends = []
    for y in ys:
        shown = y[np.isfinite(y)]
        if len(shown) < len(y):
            left_out = max(1, round(inner * len(y)))
            inside = y[left_out:-left_out]
            shown = inside[np.isfinite(inside)]
        if len(shown):
            ends.append((float(shown.min()), float(shown.max())))
    if not ends:
        return 0.0, 1.0
    lows, highs = sorted(min(low, 0.0) for low, _ in ends), sorted((max(high, 0.0) for _, high in ends), reverse=True)
    return (_cut(lows), _cut(highs)) if cut else (lows[0], highs[0])


def _cut(ends: Sequence[float]) -> float:
    """Return the end of the range that does not flatten the other curves; `ends` begins with the largest."""
    outgrown = len(ends) > 1 and OUTGROWN * abs(ends[1]) < abs(ends[0]) < HOPELESS * abs(ends[1])
    return CUT * ends[1] if outgrown else ends[0]


def _linear(low: float, high: float) -> float:
    """Return the number below which a gradient's scale is linear: two decades below the largest one shown."""
    largest = max(abs(low), abs(high))
    return float(10.0 ** (np.floor(np.log10(largest)) - 2)) if largest > 0 else 1.0


def _mark(panel: Axes, curves: Sequence[Curve], styles: Sequence[dict[str, Any]], what: str, axis: Axis) -> None:
    """Mark and name the points at which losses change their form."""
    names: dict[float, list[str]] = {}
    for curve, style in zip(curves, styles, strict=True):
        for at in curve.breaks:
            panel.axvline(at.x, color=style["color"], linewidth=0.8, linestyle=(0, (1, 2)), zorder=1.5)
            y = getattr(at, what)[1]
            panel.plot(
                [at.x], [y], "o", color=style["color"], markerfacecolor="none", markersize=8, zorder=3.3, clip_on=True
            )
            name = axis.letter if at.name == f"{at.x:g}" else at.name
            if name not in names.setdefault(at.x, []):
                names[at.x].append(name)
    if names:
        places = sorted(names)
        top = panel.secondary_xaxis("top")
        top.spines["top"].set_visible(False)
        top.set_xticks(places, labels=[f"{', '.join(names[x])} = {x:g}" for x in places], fontsize=8)
        top.tick_params(length=3)
        if (np.diff(places) < CLOSE * (curves[0].x[-1] - curves[0].x[0])).any():
            top.tick_params(rotation=90)
