"""Predicted against actual numbers, and their residuals: points of few rows, counts in cells of many."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from losscli.analysis.residuals import Output, Residuals
from losscli.arrays import Array
from losscli.plots.style import (
    DASHES,
    Look,
    blank,
    clean,
    count_colours,
    fitted,
    headline,
    letters,
    number,
    small_print,
)
from losscli.wording import count

WIDE = 1.2
"""A figure of one output that is wider than this times its height has its panels in one row."""
WIDER = 1.7
"""In one that is not wider than this the first panel has more of the width, since it is square."""
HIGH = 4.0
"""Inches of a row of panels."""
ROOM = 0.03
"""Empty room at the ends of an axis of points, as a part of it."""
BINS = (10, 60)
"""The fewest and the most bins of the residuals of points; between them the square root of their number."""


def draw(found: Residuals, look: Look, about: str) -> Figure:
    """Draw the three panels of each output: predicted against actual, residuals against predicted, and their distribution.

    Parameters
    ----------
    about
        the small print: which files, RMSE and R2, and how they were computed.
    """
    outputs = found.outputs
    figure = blank(look, 10.5, 4.6 if len(outputs) == 1 else 0.6 + HIGH * len(outputs))
    width, height = figure.get_size_inches()
    wide = width > WIDE * height or len(outputs) > 1
    mosaic: list[Any] = []
    for i in range(len(outputs)):
        fit, spread, shares = f"fit {i}", f"spread {i}", f"shares {i}"
        mosaic += [[fit, spread, shares]] if wide else [[fit, fit], [spread, shares]]
    in_a_row = (1.25, 1.25, 0.5) if width > WIDER * height else (1.6, 1, 0.5)
    panels = figure.subplot_mosaic(
        mosaic, width_ratios=in_a_row if wide else (1, 0.4), height_ratios=None if wide else (1.6, 1)
    )
    norm = _norm(outputs)
    for i, one in enumerate(outputs):
        fit, spread, shares = (panels[f"{name} {i}"] for name in ("fit", "spread", "shares"))
        spread.sharey(shares)
        _fit(fit, one, norm, len(outputs) > 1, look)
        _spread(spread, one, norm, len(mosaic), look)
        _shares(shares, one, found, look)
        # In a row the panel of the residuals has room for the legend, and that of their distribution has not.
        _legend(spread if wide else shares, *shares.get_legend_handles_labels())
    headline(figure, clean(_title(found) if look.title is None else look.title, 200))
    small_print(figure, clean(about, 1000))
    return figure


def small_words(found: Residuals, files: str) -> str:
    """Return the small print of a picture: files, as they are named, RMSE and R2 at full precision, and the signature."""
    result = found.result
    r2 = "no R2: all targets are equal" if found.r2 is None else f"R2 {found.r2!r}"
    return f"{files} | rmse {result.summary['rmse']!r} | {r2} | {result.signature}"


def _title(found: Residuals) -> str:
    result = found.result
    ignored = f" ({result.ignored:,} ignored)" if result.ignored else ""
    r2 = "" if found.r2 is None else f", R² {number(found.r2)}"
    of = f" of {len(found.outputs)} outputs" if len(found.outputs) > 1 else ""
    return f"predicted against actual{of}: {count(result.samples, 'sample')}{ignored}, RMSE {result.summary['rmse']:.4g}{r2}"


def _norm(outputs: tuple[Output, ...]) -> LogNorm:
    """Return the scale of counts, which all panels share."""
    counts = [int(cells.max()) for one in outputs for cells in (one.fit, one.spread) if cells is not None]
    return LogNorm(1, max(2, *counts, 2))


def _fit(axes: Axes, one: Output, norm: LogNorm, named: bool, look: Look) -> None:
    """Draw predicted over actual numbers, with equal axes and the line where they are equal."""
    low, high = one.ends
    room = ROOM * (high - low)
    if one.points is not None:
        predictions, targets = one.points
        axes.plot(targets, predictions, **_dots(len(targets), look))
    else:
        assert one.fit is not None
        drawn = _cells(axes, one.numbers, one.numbers, one.fit, norm, look)
        bar = axes.figure.colorbar(drawn, cax=axes.inset_axes((1.02, 0, 0.035, 1)))
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        bar.ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    ends = [low - room, high + room]
    axes.plot(ends, ends, color=look.colours.ink, linewidth=1, linestyle=DASHES[1], label="predicted = actual")
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_box_aspect(1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    name = f" {clean(one.name, 24)}" if named else ""
    # Beside the scale of counts is the label of the next panel.
    axes.set_xlabel(f"actual{name}" + ("" if one.points is not None else "\ncolour: samples per cell"))
    axes.set_ylabel(f"predicted{name}")
    _legend(axes, *axes.get_legend_handles_labels())


def _spread(axes: Axes, one: Output, norm: LogNorm, rows: int, look: Look) -> None:
    """Draw residuals over predictions, and their mean, in a figure with so many rows of panels."""
    low, high = one.ends
    room = ROOM * (high - low)
    if one.points is not None:
        predictions, targets = one.points
        axes.plot(predictions, predictions - targets, **_dots(len(targets), look))
    else:
        assert one.spread is not None
        _cells(axes, one.numbers, one.residuals, one.spread, norm, look)
    axes.axhline(0, color=look.colours.ink, linewidth=1, linestyle=DASHES[1])
    axes.axhline(one.shift, color=look.colours.colours[1], linewidth=1.6)
    axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("predicted")
    axes.set_ylabel(fitted("residual: predicted \u2212 actual", _size(axes)[1] / rows))


def _shares(axes: Axes, one: Output, found: Residuals, look: Look) -> None:
    """Draw how many rows have which residual, upright, beside the panel of residuals."""
    theme = look.colours
    if one.points is not None:
        predictions, targets = one.points
        bins = int(np.clip(np.ceil(np.sqrt(len(targets))), *BINS))
        edges = np.linspace(-one.reach, one.reach, bins + 1)
        counts = np.histogram(predictions - targets, edges)[0]
    else:
        assert one.spread is not None
        counts, edges = one.spread.sum(axis=0), one.residuals
    axes.stairs(counts, edges, orientation="horizontal", fill=True, color=theme.colours[0], alpha=0.55)
    axes.stairs(counts, edges, orientation="horizontal", color=theme.colours[0], linewidth=0.9)
    axes.axhline(0, color=theme.ink, linewidth=1, linestyle=DASHES[1])
    weighted = "weighted mean" if found.measurement.job.weighed else "mean"
    mean = dict[str, Any](color=theme.colours[1], linewidth=1.6)
    axes.axhline(one.shift, label=f"{weighted} {number(one.shift)}", **mean)
    reach = one.reach * (1 + 4 * ROOM)
    axes.set_ylim(-reach, reach)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(axis="y", labelleft=False)
    axes.set_xlabel(fitted("samples per bin", _size(axes)[0] / 7))


def _dots(rows: int, look: Look) -> dict[str, Any]:
    """Return how the points of a file with so many rows are drawn: the more, the smaller and fainter."""
    size, alpha = (5.0, 0.7) if rows <= 200 else (3.5, 0.5)
    return {
        "color": look.colours.colours[0],
        "linestyle": "",
        "marker": "o",
        "markersize": letters(size),
        "markeredgewidth": 0,
        "alpha": alpha,
    }


def _cells(axes: Axes, across: Array, up: Array, counts: Array, norm: LogNorm, look: Look) -> Any:
    """Draw counts, whose first axis is the horizontal one, as coloured cells."""
    shown = np.ma.masked_equal(counts.T, 0)
    return axes.pcolormesh(across, up, shown, norm=norm, cmap=count_colours(look), rasterized=True)


def _size(axes: Axes) -> tuple[float, float]:
    """Return width and height of a panel's figure in inches."""
    width, height = axes.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    return float(width), float(height)


def _legend(axes: Axes, handles: list[Any], labels: list[str]) -> None:
    """Place a legend above a panel: on the right, since on the left is the power of ten of very large and small numbers."""
    axes.legend(
        handles,
        labels,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0.2,
        fontsize=letters(8.5),
        handlelength=2.2,
    )
