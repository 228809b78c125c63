"""Paired differences of two models: their distribution, the losses against each other, and the mean of each class."""

import re
from collections.abc import Sequence
from os.path import splitext
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from losscli.analysis.compare import Comparison, Terms
from losscli.arrays import Array
from losscli.engine.aggregates import Quantiles
from losscli.errors import DataError
from losscli.plots.style import (
    DASHES,
    Look,
    blank,
    clean,
    count_colours,
    fitted,
    headline,
    legend_columns,
    letter_width,
    letters,
    number,
    small_print,
)
from losscli.records import dataclass
from losscli.wording import count

BINS = 61
"""An odd number, so that the bin in the middle is around 0 and has no sign."""
SQUARES = 48
MOST_CLASSES = 20
SHOWN = 99
"""Percentile of the absolute differences up to which they have bins of their own."""
DEEPEST = 1e-5
"""The smallest loss that is distinguished from smaller ones, as a part of the largest one drawn."""
BEYOND = 20
"""Losses above this many times the 99th percentile are in the last square."""
APART = 2.0
"""Squares between the scale and the losses beyond it, and the width of these, in squares of the scale."""
PANEL = 0.55
"""Width of the square panel of losses, as a part of half the figure, at least: the rest is labels and the scale of counts."""
HEADROOM = 1.4
"""How far the scale of rows goes, in heights of the tallest bar."""
LOG_TICKS = 10
"""Up to this count the ticks between powers of ten have numbers as well."""
LONGEST = 24
"""Letters of a model's name; longer ones are cut in the middle."""
LARGEST = 1e140
"""Losses beyond this are not drawn."""


@dataclass(frozen=True)
class Counts:
    """The numbers that the panels draw, counted in two passes over the rows."""

    edges: Array
    counts: Array
    beyond: int
    """Number of rows that are in the first or last bin although their difference is beyond it."""
    scale: Array
    """Edges of the losses' squares."""
    joint: Array
    """Rows in each square; the first and the last of each axis hold the losses below and above the scale."""
    log: bool
    zeros: tuple[int, int]
    """Number of rows of each model whose loss is 0, which a logarithmic scale cannot show."""

    @classmethod
    def of(cls, comparison: Comparison) -> "Counts":
        """Count the differences and losses of a comparison."""
        sizes, losses = Quantiles(), Quantiles()
        for part in comparison.meeting:
            sizes += Quantiles.of(np.abs(part.difference))
            for losses_of_model in (part.first, part.second):
                losses += Quantiles.of(losses_of_model)
        least, usual, most = losses.at((0, SHOWN, 100))
        if max(most, -least) > LARGEST:
            raise DataError(f"a loss of {most:g} is too large to be drawn; divide predictions and targets first")
        # The differences of a few rows would leave no room for the others.
        reach = max(sizes.at((SHOWN,))[0] or sizes.at((100,))[0] or 1.0, 1e-300)
        middle = max(abs(end) for end in (comparison.low, comparison.high, comparison.difference) if np.isfinite(end))
        reach = max(1.5 * reach, min(1.1 * middle, 1e3 * reach))
        edges = np.linspace(-reach, reach, BINS + 1)
        log = least >= 0
        if log:
            most = max(min(most, BEYOND * usual) if usual > 0 else most, 1e-290) if most > 0 else 1.0
            scale = np.geomspace(most * DEEPEST, most, SQUARES + 1)
        else:
            low, high = losses.at((1, SHOWN))
            scale = np.linspace(low, high, SQUARES + 1)
            if scale[0] == scale[-1]:
                scale = scale[0] + np.linspace(-0.5, 0.5, SQUARES + 1)
        counts, joint, beyond = np.zeros(BINS, np.int64), np.zeros((SQUARES + 2, SQUARES + 2)), 0
        zeros = np.zeros(2, np.int64)
        for part in comparison.meeting:
            difference = part.difference
            beyond += int(np.count_nonzero(np.abs(difference) > edges[-1]))
            counts += np.histogram(np.clip(difference, edges[0], edges[-1]), edges)[0]
            first, second = (_squares(losses, scale) for losses in (part.first, part.second))
            np.add.at(joint, (first, second), 1)
            zeros += [np.count_nonzero(losses == 0) for losses in (part.first, part.second)]
        return cls(edges, counts, beyond, scale, joint, log, (int(zeros[0]), int(zeros[1])))

    @property
    def below(self) -> bool:
        """Whether a loss is below the scale."""
        return bool(self.joint[0].any() or self.joint[:, 0].any())

    @property
    def above(self) -> bool:
        """Whether a loss is above the scale."""
        return bool(self.joint[-1].any() or self.joint[:, -1].any())


def _squares(losses: Array, scale: Array) -> Array:
    """Return the square of each loss: 0 below the scale, and the last one above it; the scale holds both of its ends."""
    return np.where(losses == scale[-1], len(scale) - 1, np.searchsorted(scale, losses, "right"))


def told_apart(first: str, other: str) -> tuple[str, str]:
    """Return short names of two models, from the words for their files: what the paths share at their beginnings and ends is left out.

    If nothing else is left, as where both are the same file, the names are 'A' and 'B'.
    """
    one, two = (re.split(r"[/\\:]", word) for word in (first, other))
    if one == two:
        return "A", "B"
    while len(one) > 1 and len(two) > 1 and one[0] == two[0]:
        one, two = one[1:], two[1:]
    while len(one) > 1 and len(two) > 1 and one[-1] == two[-1]:
        one, two = one[:-1], two[:-1]
    names = "/".join(one), "/".join(two)
    while (end := splitext(names[0])[1]) and end == splitext(names[1])[1]:
        names = names[0].removesuffix(end), names[1].removesuffix(end)
    return clean(names[0], LONGEST), clean(names[1], LONGEST)


def draw(comparison: Comparison, loss: str, terms: Terms, look: Look, about: str) -> Figure:
    """Draw a comparison of two models.

    Parameters
    ----------
    loss
        name of the loss.
    terms
        options of the comparison.
    about
        the small print: which files, and how their losses were computed.
    """
    counted, confidence = Counts.of(comparison), terms.confidence
    names = told_apart(comparison.meeting.first.name, comparison.model)
    classes = comparison.classes or []
    figure = blank(look, 10.5 if classes else 8.2, 7.2 if classes else 4.8)
    if classes:
        panels = figure.subplot_mosaic([["A", "B"], ["C", "C"]], height_ratios=(1.25, 1))
        _by_class(panels["C"], classes, confidence, look)
    else:
        panels = figure.subplot_mosaic([["A", "B"]])
    _differences(panels["A"], comparison, counted, terms, names, look)
    _losses(figure, panels["B"], counted, names, look)
    spread = (
        f"{100 * confidence:g} % interval {number(comparison.low, '.5g')} to {number(comparison.high, '.5g')}"
        if np.isfinite(comparison.low)
        else "no interval"
    )
    margin = f" by a margin of {terms.margin:g}" if terms.margin else ""
    title = (
        f"{loss}: {names[1]} against {names[0]}\n"
        f"mean difference {number(comparison.difference, '.5g')}, {spread}\n"
        f"{comparison.verdict}{margin}: {count(comparison.samples, 'row')}, {comparison.wins:,} won by {names[1]}, "
        f"{comparison.ties:,} ties, {comparison.losses:,} lost"
    )
    headline(figure, title if look.title is None else clean(look.title, 200))
    small_print(figure, clean(about, 1000))
    return figure


def _differences(
    axes: Axes, comparison: Comparison, found: Counts, terms: Terms, names: tuple[str, str], look: Look
) -> None:
    """Draw the distribution of the differences, with their mean and its interval."""
    theme = look.colours
    middles = (found.edges[:-1] + found.edges[1:]) / 2
    for sign, colour, hatch, label in (
        (-1, theme.colours[0], "", f"{names[1]} is better"),
        (0, theme.ink, "....", f"about equal (within \u00b1{found.edges[BINS // 2 + 1]:.2g})"),
        (1, theme.colours[1], "////", f"{names[1]} is worse"),
    ):
        of_sign = np.sign(np.arange(BINS) - BINS // 2) == sign
        axes.bar(
            middles,
            np.where(of_sign, found.counts, 0),
            np.diff(found.edges),
            color=colour,
            alpha=0.55,
            hatch=hatch,
            edgecolor=theme.ground,
            linewidth=0,
            label=label,
        )
    axes.axvline(0, color=theme.ink, linewidth=0.9)
    axes.axvline(comparison.difference, color=theme.ink, linewidth=1.6, linestyle=DASHES[1], label="mean of all rows")
    if np.isfinite(comparison.low):
        axes.axvspan(
            comparison.low,
            comparison.high,
            color=theme.ink,
            alpha=0.2,
            linewidth=0,
            label=f"{100 * terms.confidence:g} % interval of the mean",
        )
    if terms.margin and terms.margin <= found.edges[-1]:
        axes.axvline(terms.margin, color=theme.ink, linewidth=1.2, linestyle=DASHES[2], label="margin")
    axes.set_xlim(found.edges[0], found.edges[-1])
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, HEADROOM * max(1, int(found.counts.max())))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    beyond = f"\n{count(found.beyond, 'row')} beyond, in the bins at the ends" if found.beyond else ""
    axes.set_xlabel(fitted(f"loss of {names[1]} \u2212 loss of {names[0]}, row by row", 0.9 * _inches(axes)) + beyond)
    axes.set_ylabel(fitted("rows per bin (log scale, linear below 1)", _tall(axes)))
    labels = axes.get_legend_handles_labels()[1]
    columns = min(2, legend_columns(labels, _inches(axes) * 9.5 / 8.5, handle=6))
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        ncols=columns,
        fontsize=letters(8.5),
        handlelength=2.2,
    )


def _inches(axes: Axes) -> float:
    """Return the width of one of the two upper panels with its labels, in inches."""
    return axes.get_figure(root=True).get_figwidth() / 2  # type: ignore[union-attr]


def _tall(axes: Axes) -> float:
    """Return the height of one of the two upper panels with its labels, in inches, without title and legend."""
    grid = axes.get_gridspec()
    height = axes.get_figure(root=True).get_figheight()  # type: ignore[union-attr]
    return float(height) * (0.66 if grid is None or grid.nrows == 1 else 0.36)


def _losses(figure: Figure, axes: Axes, found: Counts, names: tuple[str, str], look: Look) -> None:
    """Draw the losses of the two models against each other; those beyond the scale stand apart, behind a dotted line."""
    theme, scale = look.colours, found.scale
    edges, places = _apart(found)
    counts = np.zeros((len(edges) - 1, len(edges) - 1))
    held = slice(0 if found.below else 1, None if found.above else -1)
    counts[np.ix_(places, places)] = found.joint[held, held]
    most = max(2.0, float(counts.max()))
    drawn: Any = axes.pcolormesh(
        edges,
        edges,
        np.ma.masked_equal(counts.T, 0),
        cmap=count_colours(look),
        norm=LogNorm(1, most),
        rasterized=True,
    )
    axes.plot(scale[[0, -1]], scale[[0, -1]], color=theme.ink, linewidth=1, linestyle=DASHES[1], label="equal")
    for there, end in ((found.below, scale[0]), (found.above, scale[-1])):
        for line in (axes.axvline, axes.axhline) if there else ():
            line(end, color=theme.ink, linewidth=0.8, linestyle=DASHES[2])
    words = " (log scale)" if found.log else ""
    if found.log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(edges[0], edges[-1])
    for i, axis in enumerate((axes.xaxis, axes.yaxis)):
        below = int(found.joint.sum(axis=1 - i)[0])
        _ticks(axis, found, edges, found.log and below == found.zeros[i])
    axes.set_box_aspect(1)
    rooms = 0.75 * _inches(axes), _tall(axes)  # beside the panel are the numbers of its left axis and the colours
    across, up = (
        fitted(f"loss of {name}{words}", room) + (f"\n0 in {count(zeros, 'row')}" if zeros and found.log else "")
        for name, zeros, room in zip(names, found.zeros, rooms, strict=True)
    )
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=letters(8.5), handlelength=2.2)
    bar = figure.colorbar(drawn, cax=axes.inset_axes((1.03, 0, 0.035, 1)), label="rows per square")
    ticks = FuncFormatter(lambda value, _: f"{value:,.0f}")
    bar.ax.yaxis.set_major_formatter(ticks)
    bar.ax.yaxis.set_minor_formatter(ticks if most < LOG_TICKS else FuncFormatter(lambda value, _: ""))


def _apart(found: Counts) -> tuple[Array, list[int]]:
    """Return the edges of the squares with those beyond the scale, which are `APART` squares away from it and as wide,
    and the places of the squares among them.
    """
    scale = np.log(found.scale) if found.log else found.scale
    step = APART * (scale[-1] - scale[0]) / SQUARES
    before = [scale[0] - 2 * step, scale[0] - step] if found.below else []
    after = [scale[-1] + step, scale[-1] + 2 * step] if found.above else []
    edges = np.array([*before, *scale, *after])
    if found.log:
        edges = np.exp(edges)
        edges[len(before) : len(before) + len(scale)] = found.scale
    places = list(range(len(before), len(before) + SQUARES))
    return edges, [*([0] if before else []), *places, *([len(edges) - 2] if after else [])]


def _ticks(axis: Any, found: Counts, edges: Array, only_zeros: bool) -> None:
    """Name the squares beyond the scale, and write numbers beside the others that are not too near to these.

    `only_zeros` says whether all losses below the scale are 0.
    """
    scale = found.scale
    locator = LogLocator(numticks=4) if found.log else MaxNLocator(3)
    panel = max(0.5, min(PANEL * _inches(axis.axes), 0.6 * _tall(axis.axes)))

    def place(value: Any) -> Any:
        ends = np.array([value, edges[0], edges[-1]])
        value, low, high = np.log(ends) if found.log else ends
        return (value - low) / (high - low)

    def middle(one: float, other: float) -> float:
        return float(np.sqrt(one) * np.sqrt(other) if found.log else (one + other) / 2)

    def room(value: float, word: str) -> float:
        return (0.5 * (len(f"{value:g}") + len(word)) + 1.5) * letter_width() / panel

    named = dict[float, str]()
    if found.below:
        named[middle(edges[0], edges[1])] = "0" if only_zeros else f"<{scale[0]:.2g}"
    if found.above:
        named[middle(edges[-2], edges[-1])] = f">{scale[-1]:.2g}"
    for at in locator.tick_values(scale[0], scale[-1]):
        if scale[0] <= at <= scale[-1] and all(
            abs(place(at) - place(other)) > room(at, word) for other, word in named.items()
        ):
            named[float(at)] = f"{at:g}"
    axis.set_major_locator(FixedLocator(sorted(named)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: named.get(value, "").replace("-", "\u2212")))
    axis.set_minor_locator(NullLocator())


def _by_class(axes: Axes, classes: Sequence[dict[str, Any]], confidence: float, look: Look) -> None:
    """Draw the mean difference of each class, with its interval."""
    theme, half = look.colours, MOST_CLASSES // 2
    shown = list(classes) if len(classes) <= MOST_CLASSES else [*classes[:half], *classes[-half:]]
    undecided = False
    for x, class_ in enumerate(shown):
        low, high = class_["interval"]
        sign = int(np.sign(class_["difference"]))
        decided = bool(low > 0 or high < 0)
        undecided |= not decided
        colour = (theme.ink, theme.colours[1], theme.colours[0])[sign] if decided else theme.ink
        if np.isfinite(low):
            axes.plot([x, x], [low, high], color=colour, linewidth=1.6 if decided else 1.0)
        filled = colour if decided else theme.ground
        axes.plot([x], [class_["difference"]], "o^v"[sign], color=colour, markerfacecolor=filled, markersize=letters(6))
    axes.axhline(0, color=theme.ink, linewidth=0.9)
    names = [f"{clean(str(class_['class']), 14)}\n{class_['rows']:,}" for class_ in shown]
    axes.set_xticks(range(len(shown)), names, fontsize=letters(8 if len(shown) > 12 else 9))
    if max(len(name.split("\n")[0]) for name in names) * len(shown) > 90:
        axes.tick_params(axis="x", rotation=60)
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set_ylabel(f"mean difference,\n{100 * confidence:g} % interval")
    left_out = f"; {len(classes) - len(shown):,} classes in between are not shown" if len(shown) < len(classes) else ""
    hollow = "; hollow: the interval contains 0, or there is none" if undecided else ""
    axes.set_xlabel(f"class, and its rows{hollow}{left_out}")
