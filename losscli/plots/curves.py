"""Loss and gradient curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from losscli.analysis.curves import Curve
from losscli.arrays import Array
from losscli.definition.loss import Axis, Loss
from losscli.errors import UsageError
from losscli.lookup.spec import settings
from losscli.plots.mathtext import COMMA, formula_of, letter, mathtext, number, symbol
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
    plain,
    plain_ticks,
    style_of,
    text_size,
)
from losscli.records import NamedTuple
from losscli.wording import short

INNER = {"value": 0.01, "slope": 0.08}
"""If a curve goes to infinity, the panel's range is that of its values farther than this part of the axis from there."""
STEEP, CORE, FARTHEST = 20.0, 0.2, 0.16
"""If a curve is more than STEEP times as large near an end of the axis as farther than the part CORE of it from there, values
there do not set the range either, up to FARTHEST from there.
"""
OUTGROWN, CUT = 2.5, 1.75
"""Curves more than OUTGROWN times as large as the next smaller one would flatten it, and are cut at CUT times its size, if the
panel then becomes smaller by as much as that.
"""
KEPT = 0.25
"""The part of the axis over which a cut curve stays in the panel at least."""
FLAT = 0.12
"""What the smaller curves must have of the panel's height after the cut; else they stay flat, and nothing is cut."""
BAND = 0.06
"""Empty space above and below the curves, as a part of their range."""
ROOM = 1.4
"""Empty space on a logarithmic scale, as a factor."""
TITLE = 200
"""Letters of the longest title, and of the longest title with a formula, as it is declared."""
FORMULA = (0.94, 0.16)
"""The parts of the picture's width and height that a formula may have."""
NARROW = 2.05
"""Inches of width that panels side by side must have each; narrower ones stand below each other."""
CLOSE = 0.17
"""Names of marks that are closer to each other than this part of the axis are written upright."""
JOINT = "\n"
"""Between the parts of a title, which may be broken there."""
MINUS = "\N{MINUS SIGN}"
INFINITY = "\N{INFINITY}"
TEXT_NONE = r"\mathrm{none}"
SETTINGS = {"label-smoothing": "label smoothing", "pos-weight": "positive weight w", "target": "t"}
"""What the options that change a loss are called in a picture."""
WEIGHTED = "--pos-weight w: "
"""What stands before the formula with a weight of the positive term, among the special cases that a loss declares."""


def draw(
    curves: Sequence[Curve],
    axis: Axis,
    look: Look,
    gradient: bool = True,
    log: bool = False,
    mark: bool = False,
    shown: tuple[float, float] | None = None,
) -> Figure:
    """Draw the value in one panel and the gradient in another: side by side or, in a tall or narrow picture, one below the
    other.

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
    shown
        the lowest and the highest value that the panel of values shows; None for the part in which the losses differ.
    """
    labels, spoken, title, formula = _labels(curves)
    count = 2 if gradient else 1
    width = 10.0 if gradient else 6.4
    legend = legend_height(labels, width, math=True, by_rows=True) if len(curves) > 1 else 0
    figure = blank(look, width, 4.2 + legend)
    width, height = map(float, figure.get_size_inches())
    wide = width >= height and (count == 1 or width / count >= NARROW)
    panels: Any = (
        figure.subplots(1, count, squeeze=False) if wide else figure.subplots(count, 1, squeeze=False, sharex=True)
    )
    styles = _styles(curves, look)
    named = (("value", f"loss f({axis.letter})"), ("slope", f"gradient df/d{axis.letter}"))
    cut: list[_Cut] = []
    for panel, (what, label) in zip(panels.flat, named, strict=False):
        scale, outgrown = _panel(panel, curves, styles, what, log, shown if what == "value" else None)
        cut += outgrown
        if wide or panel is panels.flat[-1]:
            panel.set_xlabel(fitted(typeset(axis.label), width / (count if wide else 1)))
        panel.set_ylabel(fitted(label + scale, height / (1 if wide else count) - legend))
        panel.set_xlim(curves[0].x[0], curves[0].x[-1])
        if mark:
            _mark(panel, curves, styles, what, axis)
    _title(figure, look, title, formula)
    if len(curves) > 1:
        handles = [Line2D([], [], linewidth=_width(i, len(curves)), **style) for i, style in enumerate(styles)]
        legend_below(figure, handles, labels, math=True, by_rows=True, note=_about_cut(cut, curves, spoken))
    return figure


def typeset(label: str) -> str:
    """Return the label of an axis with signs of mathematics in place of those of a keyboard."""
    return label.replace(" - ", f" {MINUS} ").replace(" * ", " \N{DOT OPERATOR} ").replace("= -", f"= {MINUS}")


def _title(figure: Figure, look: Look, title: "_Words", formula: "_Words") -> None:
    """Set the user's title, or that of the curves, with the formula where there is room for it."""
    if look.title is not None:
        if look.title:
            headline(figure, clean(look.title, TITLE))
    elif title.spoken:
        headline(figure, *_with_formula(figure, title, formula))


def _with_formula(figure: Figure, title: "_Words", formula: "_Words") -> tuple[str, str]:
    """Return the title, in as many lines as it needs, and the same in words: with the formula in its last line or in another
    one, or without it if it is too long to be read.
    """
    size = mpl.rcParams["figure.titlesize"]
    most_wide, most_high = (part * side for part, side in zip(FORMULA, figure.get_size_inches(), strict=True))
    first, *more = title.text.split(JOINT)
    lines = [first]
    for part in more:
        longer = f"{lines[-1]}, {part}"
        lines = [*lines[:-1], longer] if text_size(longer, size)[0] <= most_wide else [*lines, part]
    spoken = f"{title.spoken}: {formula.spoken}"
    if formula.text and len(spoken) <= TITLE:
        for whole in ([*lines[:-1], f"{lines[-1]}:   {formula.text}"], [*lines, formula.text]):
            wide, high = zip(*(text_size(line, size) for line in whole), strict=True)
            if max(wide) <= most_wide and sum(high) <= most_high:
                return "\n".join(whole), spoken
    return "\n".join(lines), title.spoken


def _about_cut(cut: "Sequence[_Cut]", curves: Sequence[Curve], labels: Sequence[str]) -> str:
    """Return a line about curves that go on beyond the panels, '' if there are none."""
    words = []
    for what, i, below, above in cut:
        y = getattr(curves[i], what)
        low, high = np.nanmin(y), np.nanmax(y)
        far = (
            f"from {low:.3g} to {high:.3g}"
            if below and above
            else f"down to {low:.3g}"
            if below
            else f"up to {high:.3g}"
        )
        words.append(f"{'loss' if what == 'value' else 'gradient'} of {labels[i]}, {far.replace('inf', INFINITY)}")
    return f"cut off: {'; '.join(words)}".replace(" -", f" {MINUS}") if words else ""


class _Cut(NamedTuple):
    """That the 'value' or 'slope' of a curve, by its number, goes on below the panel, or above it."""

    what: str
    curve: int
    below: bool
    above: bool


class _Words(NamedTuple):
    """A part of a title: text with formulas between dollar signs, and the same in words."""

    text: str
    spoken: str


def _labels(curves: Sequence[Curve]) -> tuple[list[str], list[str], _Words, _Words]:
    """Return the labels that distinguish the curves, the same in words, the title, which says what they share, and the formula."""
    losses = [curve.bound.declaration for curve in curves]
    every = [_settings(curve) for curve in curves]
    if any(loss is not losses[0] for loss in losses):
        called = [clean(loss.name) for loss in losses]
        labels = [", ".join([plain(name), *_assignments(each)]) for name, each in zip(called, every, strict=True)]
        spoken = [", ".join([name, *_spoken(each)]) for name, each in zip(called, every, strict=True)]
        return labels, spoken, _Words("", ""), _Words("", "")
    names = list(dict.fromkeys(name for each in every for name in each))
    swept = [name for name in names if len({each.get(name) for each in every}) > 1]
    of_curves = [{name: each.get(name, "none") for name in swept} for each in every]
    labels = [", ".join(_assignments(each)) for each in of_curves]
    spoken = [", ".join(_spoken(each)) or losses[0].name for each in of_curves]
    fixed = {name: every[0][name] for name in names if name not in swept}
    name = clean(losses[0].name, TITLE)
    title = _Words(
        JOINT.join([plain(name), *_assignments(fixed, formula=True)]), ", ".join([name, *_spoken(fixed, names=True)])
    )
    return labels, spoken, title, _formula(curves, swept)


def _settings(curve: Curve) -> dict[str, str]:
    """Return the parameters and settings of a curve that have a value, as text."""
    return {**settings(curve.bound), **{name: short(value) for name, value in curve.setting.named.items()}}


def _assignments(values: Mapping[str, str], formula: bool = False) -> list[str]:
    """Return parameters with their values: 'γ = 2' or, as a formula, the same in mathtext.

    Names with an index, such as gamma_pos, and words are formulas in any case, or words.
    """
    texts = []
    for name, value in values.items():
        if name in SETTINGS:
            texts.append(f"{SETTINGS[name]} = {value}")
        elif formula or "_{" in symbol(name):
            texts.append(f"${symbol(name)} = {mathtext(value) if value != 'none' else TEXT_NONE}$")
        else:
            texts.append(f"{letter(name)} = {value.replace('-', MINUS)}")
    return texts


def _spoken(values: Mapping[str, str], names: bool = False) -> list[str]:
    """Return parameters with their values without formulas: 'γ = 2', or with `names` 'gamma = 2'."""
    return [f"{SETTINGS.get(name, name if names else letter(name))} = {value}" for name, value in values.items()]


def _formula(curves: Sequence[Curve], swept: Sequence[str]) -> _Words:
    """Return the formula of the curves of one loss with the definitions that it needs, and in words what else is done; empty
    if it has none, or more than two cases.
    """
    bound = curves[0].bound
    loss = bound.declaration
    weighted = any(curve.setting.pos_weight is not None for curve in curves)
    formula = loss.formula if not weighted else _weighted(loss)
    if not formula:
        return _Words("", "")
    known = {name: value for name, value in bound.parameters.items() if name not in swept}
    text, definitions = formula_of(formula, loss.where, known)
    if r"\substack" in text + definitions:
        return _Words("", "")
    smoothed = any(curve.setting.label_smoothing for curve in curves)
    of_one_class = loss.sparse and not smoothed and all(curve.setting.target is None for curve in curves)
    words = ", with t smoothed" if smoothed else ""
    if bound.family.value.startswith("sum over the classes") and not loss.whole and not of_one_class:
        words += ", summed over the classes"
    return _Words(
        f"$f = {text}$" + (f",   ${definitions}$" if definitions else "") + words.replace("with t ", "with $t$ "),
        f"f = {formula}{words}",
    )


def _weighted(loss: Loss) -> str | None:
    """Return the formula of a loss whose positive term has the weight w, as it is declared; None if it is not."""
    return next((text.removeprefix(WEIGHTED) for text in loss.special if text.startswith(WEIGHTED)), None)


def _styles(curves: Sequence[Curve], look: Look) -> list[dict[str, Any]]:
    """Return the line style of each curve: ordered colours for more than two values of one parameter or setting."""
    losses = {curve.bound.name for curve in curves}
    every = [_settings(curve) for curve in curves]
    swept = {name for each in every for name in each if len({other.get(name) for other in every}) > 1}
    sweep = len(losses) == 1 and len(swept) == 1 and len(curves) > 2
    if sweep or len(curves) > len(DASHES) * len(look.colours.colours):
        return [ordered_style(i, len(curves), look) for i in range(len(curves))]
    return [style_of(i, look) for i in range(len(curves))]


def _width(number: int, of: int) -> float:
    # If curves coincide, those below are wider and remain visible.
    """Return the line width of a curve."""
    width = 1.8 if of == 1 else 2.6 - 1.2 * number / (of - 1)
    return width * float(mpl.rcParams["lines.linewidth"]) / 1.5


def _panel(
    panel: Axes,
    curves: Sequence[Curve],
    styles: Sequence[dict[str, Any]],
    what: str,
    log: bool,
    shown: tuple[float, float] | None,
) -> tuple[str, list[_Cut]]:
    """Draw 'value' or 'slope' of the curves; return words about the scale for the label, and which curves are cut off."""
    lines = []
    for i, (curve, style) in enumerate(zip(curves, styles, strict=True)):
        x, y = curve.line(what)
        (line,) = panel.plot(x, _finite(y), linewidth=_width(i, len(curves)), zorder=2.1 + i / 100, **style)
        lines.append((line, x, y))
        for jump in curve.jumps(what):
            sides = getattr(jump, what)
            ends = [jump.x, jump.x], [min(sides), max(sides)]
            panel.plot(*ends, color=style["color"], linewidth=0.8, linestyle=":", zorder=2)
            panel.plot([jump.x], [sides[1]], "o", color=style["color"], markersize=4.5, zorder=3.2)
    words, outgrown = _limits(panel, curves, what, log, shown)
    # The logarithm nearly stops growing where floating-point numbers end; the line must not stop with it.
    for line, x, y in lines:
        x, y = _to_infinity(x, y, panel.get_ylim())
        line.set_data(x, _finite(y))
    return words, outgrown


def _finite(y: Array) -> Array:
    """Return values with NaN in place of those that are infinite, which are not drawn."""
    return np.where(np.isfinite(y), y, np.nan)


def _to_infinity(x: Array, y: Array, ends: tuple[float, float]) -> tuple[Array, Array]:
    """Return the points of a line, with those on its way to infinity joined to the edge of the panel, whose lowest and highest
    value are `ends`: beside a point towards which the line grows, and at which it is infinite, it gets another one there.
    """
    with_ends = np.pad(y, 2, constant_values=np.nan)
    for step in (1, -1):
        nearest, next_to_it = (with_ends[2 + k * step : len(y) + 2 + k * step] for k in (1, 2))
        with np.errstate(all="ignore"):
            grows = np.isinf(y) & np.isfinite(nearest) & (np.sign(y) * (nearest - next_to_it) > 0)
        for at in np.flatnonzero(grows)[::-1]:
            edge = max(ends[1], nearest[at]) if y[at] > 0 else min(ends[0], nearest[at])
            x, y = (np.insert(points, at + (step > 0), one) for points, one in ((x, x[at]), (y, edge)))
        with_ends = np.pad(y, 2, constant_values=np.nan)
    return x, y


def _limits(
    panel: Axes, curves: Sequence[Curve], what: str, log: bool, shown: tuple[float, float] | None
) -> tuple[str, list[_Cut]]:
    """Set the scale of a panel and its ends; return words about the scale for the label, and which curves are cut off."""
    ys = [getattr(curve, what) for curve in curves]
    if log and what == "value":
        if not any((y[np.isfinite(y)] > 0).any() for y in ys):
            raise UsageError("--log: none of these losses is above 0 here, and a logarithm of them does not exist")
        panel.set_yscale("log", nonpositive="mask")
        plain_ticks(panel.yaxis)
        if shown is not None:
            panel.set_ylim(*shown)
        return " (log scale)", []
    if shown is not None:
        panel.set_ylim(*shown)
        return "", []
    inside = [_inside(curve, what) for curve in curves]
    low, high = _ends(inside, cut=not log)
    if log:
        linear = _linear(-low, high)
        panel.set_yscale("symlog", linthresh=linear)
        plain_ticks(panel.yaxis)
        panel.set_ylim(-ROOM * low or -linear, ROOM * high or linear)
        return f" (log scale; linear within ±{linear:g})", []
    room = BAND * ((high + low) or 1)
    panel.set_ylim(-low - room, high + room)
    sides = [(y.min(initial=0) < -low - room, y.max(initial=0) > high + room) for y in inside]
    return "", [_Cut(what, i, *cut) for i, cut in enumerate(sides) if any(cut)]


def _inside(curve: Curve, what: str) -> Array:
    """Return the values of a curve that set the range: those that are not next to where it goes to infinity, nor near an end
    of the axis where it is much larger than elsewhere.
    """
    y: Array = getattr(curve, what)
    finite = np.isfinite(curve.value) & np.isfinite(curve.slope)
    places = np.arange(len(y))
    from_ends = np.minimum(places, places[::-1]) / len(y)
    from_infinity = np.abs(places[:, None] - np.flatnonzero(~finite)).min(axis=1, initial=len(y)) / len(y)

    def largest(kept: Array) -> float:
        return float(np.abs(y[kept]).max(initial=0))

    part, kept = 0.0, from_infinity > INNER[what]
    core = largest(kept & (from_ends > CORE))
    while core and largest(kept) > STEEP * core and part < FARTHEST:
        part = 2 * part or INNER[what]
        kept = (from_infinity > max(part, INNER[what])) & (from_ends > part)
    return y[kept] if kept.any() else y[np.isfinite(y)]


def _ends(inside: Sequence[Array], cut: bool) -> tuple[float, float]:
    """Return how far a panel goes from 0 down and up, for curves with these values.

    It shows all of all curves, unless `cut` and some would flatten the others; even then it shows each of them over a good
    part of the axis. What counts is how large a curve is in both directions together.
    """
    low, high = (max(float((side * y).max(initial=0)) for y in inside) for side in (-1, 1))
    sizes = [float(np.abs(y).max(initial=0)) for y in inside]
    largest = sorted(sizes, reverse=True)
    for k in range(min(len(sizes) - 1, (len(sizes) + 1) // 2) if cut else 0, 0, -1):
        if 0 < OUTGROWN * largest[k] < largest[k - 1]:
            outgrown = [np.abs(y) for y, size in zip(inside, sizes, strict=True) if size > largest[k]]
            end = max(CUT * largest[k], *(float(np.quantile(size, KEPT)) for size in outgrown))
            down, up = min(low, end), min(high, end)
            if largest[k] >= FLAT * end and OUTGROWN * (down + up) <= CUT * (low + high):
                return down, up
    return low, high


def _linear(low: float, high: float) -> float:
    """Return the number below which a gradient's scale is linear: two decades below the largest one shown."""
    largest = max(abs(low), abs(high))
    return float(10.0 ** (np.floor(np.log10(largest)) - 2)) if largest > 0 else 1.0


def _mark(panel: Axes, curves: Sequence[Curve], styles: Sequence[dict[str, Any]], what: str, axis: Axis) -> None:
    """Mark and name the points at which losses change their form."""
    names: dict[float, list[str]] = {}
    for curve, style in zip(curves, styles, strict=True):
        for at in (one for one in curve.breaks if one.name):
            panel.axvline(at.x, color=style["color"], linewidth=0.8, linestyle=(0, (1, 2)), zorder=1.5)
            y = getattr(at, what)[1]
            panel.plot(
                [at.x], [y], "o", color=style["color"], markerfacecolor="none", markersize=8, zorder=3.3, clip_on=True
            )
            name = axis.letter if at.name == f"{at.x:g}" else mathtext(at.name)
            if name not in names.setdefault(at.x, []):
                names[at.x].append(name)
    if names:
        places = sorted(names)
        top = panel.secondary_xaxis("top")
        top.spines["top"].set_visible(False)
        marks = [f"${COMMA.join(names[x])} = {number(x)}$" for x in places]
        top.set_xticks(places, labels=marks, fontsize="small", parse_math=True)
        top.tick_params(length=3)
        if (np.diff(places) < CLOSE * (curves[0].x[-1] - curves[0].x[0])).any():
            top.tick_params(rotation=90)
