"""Paired differences of two models: their distribution, the losses against each other, and the mean of each class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from losscli.compare import Comparison
from losscli.core import Array
from losscli.errors import DataError, count
from losscli.plots.style import DASHES, Look, blank, clean, count_colours, plain_ticks, small_print
from losscli.reduce import Quantiles

BINS = 60
SQUARES = 48
MOST_CLASSES = 20
SHOWN = 99
"""Percentile of the differences' sizes up to which they have bins of their own."""
DEEPEST = 1e-5
"""The smallest loss that is told apart from smaller ones, as a part of the largest."""
LOG_TICKS = 10
"""Up to such a count the ticks between powers of ten have numbers too."""
LARGEST = 1e140
"""Losses beyond which nothing is drawn."""


@dataclass(frozen=True)
class Counts:
    """What the panels draw, counted in two passes over the rows."""

    edges: Array
    counts: Array
    beyond: int
    """Rows whose difference is in the first or the last bin, although it is larger."""
    scale: Array
    """Edges of the losses' squares, the first of which also holds smaller ones."""
    joint: Array

    @classmethod
    def of(cls, comparison: Comparison) -> "Counts":
        sizes, most = Quantiles(), 0.0
        for part in comparison.meeting:
            sizes += Quantiles.of(np.abs(part.difference))
            most = max(most, float(part.first.max(initial=0)), float(part.second.max(initial=0)))
        if most > LARGEST:
            raise DataError(f"a loss of {most:g} is too large to be drawn; divide predictions and targets first")
        # Those of a few rows would leave no room for the others.
        reach = sizes.at((SHOWN,))[0] or sizes.at((100,))[0] or 1.0
        edges = np.linspace(-1.5 * reach, 1.5 * reach, BINS + 1)
        most = most or 1.0
        scale = np.geomspace(most * DEEPEST, most, SQUARES + 1)
        scale[-1] = max(scale[-1], most)
        counts, joint, beyond = np.zeros(BINS, np.int64), np.zeros((SQUARES, SQUARES)), 0
        for part in comparison.meeting:
            difference = part.difference
            beyond += int(np.count_nonzero(np.abs(difference) > edges[-1]))
            counts += np.histogram(np.clip(difference, edges[0], edges[-1]), edges)[0]
            first, second = (np.clip(losses, scale[0], scale[-1]) for losses in (part.first, part.second))
            joint += np.histogram2d(first, second, (scale, scale))[0]
        return cls(edges, counts, beyond, scale, joint)


def draw(comparison: Comparison, loss: str, confidence: float, look: Look, about: str) -> Figure:
    """Draw a comparison of two models.

    Parameters
    ----------
    about
        the small print: which files, and how their losses were computed.
    """
    found = Counts.of(comparison)
    classes = comparison.classes or []
    figure = blank(look, 10.5 if classes else 8.2, 7.2 if classes else 4.2)
    if classes:
        panels = figure.subplot_mosaic([["A", "B"], ["C", "C"]], height_ratios=(1.25, 1))
        _by_class(panels["C"], classes, confidence, look)
    else:
        panels = figure.subplot_mosaic([["A", "B"]])
    _differences(panels["A"], comparison, found, confidence, look)
    _losses(figure, panels["B"], found, look)
    title = (
        f"{loss}, B - A: {comparison.difference:.4g}, {100 * confidence:g} % interval {comparison.low:.4g} to "
        f"{comparison.high:.4g}\n{comparison.verdict}: {count(comparison.samples, 'row')}, {comparison.wins:,} won by B, "
        f"{comparison.ties:,} ties, {comparison.losses:,} lost"
    )
    figure.suptitle(title if look.title is None else clean(look.title, 200), wrap=True)
    small_print(figure, clean(about, 1000))
    return figure


def _differences(axes: Axes, comparison: Comparison, found: Counts, confidence: float, look: Look) -> None:
    theme = look.colours
    middles = (found.edges[:-1] + found.edges[1:]) / 2
    for sign, colour, hatch, label in (
        (-1, theme.colours[0], "", "B is better"),
        (1, theme.colours[1], "////", "B is worse"),
    ):
        axes.bar(
            middles,
            np.where(middles * sign > 0, found.counts, 0),
            np.diff(found.edges),
            color=colour,
            alpha=0.55,
            hatch=hatch,
            edgecolor=theme.ground,
            linewidth=0,
            label=label,
        )
    axes.axvline(0, color=theme.ink, linewidth=0.9)
    axes.axvline(comparison.difference, color=theme.ink, linewidth=1.6, linestyle=DASHES[1], label="mean")
    if np.isfinite(comparison.low):
        axes.axvspan(
            comparison.low,
            comparison.high,
            color=theme.ink,
            alpha=0.2,
            linewidth=0,
            label=f"{100 * confidence:g} % of the mean",
        )
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    beyond = f"\n{count(found.beyond, 'row')} beyond, in the bins at the ends" if found.beyond else ""
    axes.set_xlabel(f"loss of B - loss of A, of a row{beyond}")
    axes.set_ylabel("rows a bin (log scale)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=2, fontsize=8.5)


def _losses(figure: Figure, axes: Axes, found: Counts, look: Look) -> None:
    theme = look.colours
    counts = np.ma.masked_equal(found.joint.T, 0)
    most = max(2.0, float(found.joint.max()))
    drawn: Any = axes.pcolormesh(
        found.scale, found.scale, counts, cmap=count_colours(look), norm=LogNorm(1, most), rasterized=True
    )
    axes.plot(
        found.scale[[0, -1]], found.scale[[0, -1]], color=theme.ink, linewidth=1, linestyle=DASHES[1], label="equal"
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    axes.set_xlabel("loss of A (log scale; the first square also holds smaller ones)", fontsize=8.5)
    axes.set_ylabel("loss of B (log scale)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    bar = figure.colorbar(drawn, ax=axes, pad=0.02)
    bar.set_label("rows a square")
    ticks = FuncFormatter(lambda value, _: f"{value:,.0f}")
    bar.ax.yaxis.set_major_formatter(ticks)
    bar.ax.yaxis.set_minor_formatter(ticks if most < LOG_TICKS else FuncFormatter(lambda value, _: ""))


def _by_class(axes: Axes, classes: Sequence[dict[str, Any]], confidence: float, look: Look) -> None:
    theme, half = look.colours, MOST_CLASSES // 2
    shown = list(classes) if len(classes) <= MOST_CLASSES else [*classes[:half], *classes[-half:]]
    for x, one in enumerate(shown):
        low, high = one["interval"]
        worse = one["difference"] > 0
        colour = theme.colours[1 if worse else 0]
        if np.isfinite(low):
            axes.plot([x, x], [low, high], color=colour, linewidth=1.6)
        axes.plot([x], [one["difference"]], "^" if worse else "v", color=colour, markersize=6)
    axes.axhline(0, color=theme.ink, linewidth=0.9)
    names = [f"{clean(str(one['class']), 14)}\n{one['rows']:,}" for one in shown]
    axes.set_xticks(range(len(shown)), names, fontsize=8 if len(shown) > 12 else 9)
    if max(len(name.split("\n")[0]) for name in names) * len(shown) > 90:
        axes.tick_params(axis="x", rotation=60)
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set_ylabel(f"mean difference,\n{100 * confidence:g} % interval")
    left_out = f"; {len(classes) - len(shown):,} classes in between are not shown" if len(shown) < len(classes) else ""
    axes.set_xlabel(f"class, and its rows{left_out}")
