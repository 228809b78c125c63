"""How often predictions come true against how probable they are said to be, with the number of samples in each bin.

Either the fraction of positives against the probability of the positive class, or accuracy against the confidence of the
predicted class.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from losscli.analysis.calibration.reliability import Reliability
from losscli.plots.style import DASHES, Look, blank, clean, headline, small_print
from losscli.wording import count

NARROW = 0.03
"""Bins of at most this width have no numbers above them, since these would overlap."""
TALL = 1.02
"""Figures that are higher than this times their width have a square panel, so that the diagonal is one."""
WIDTH_OF_DIGIT = 0.013
"""Width of a digit of the numbers above the bins, as a part of the axis."""


@dataclass(frozen=True)
class Change:
    """The effect of a calibration on a file: its bins afterwards, and the range of ECE of 95 % of calibrated models."""

    after: Reliability
    name: str
    """What was fitted, in words: 'T = 1.25' or 'isotonic'."""
    limit: str | None
    band: tuple[float, float]

    @property
    def words(self) -> str:
        """The small print about the calibration."""
        low, high = self.band
        kept = f", kept, for {self.limit}" if self.limit else ", fitted to these rows"
        return (
            f"{self.name}{kept} | ECE after {self.after.error!r}; of 95 % of calibrated models with these "
            f"confidences {low:.4f} to {high:.4f}"
        )


def draw(found: Reliability, look: Look, about: str, change: Change | None = None) -> Figure:
    """Draw how often the predictions of each bin come true over their mean probability, and below it the number of rows in each bin.

    Parameters
    ----------
    about
        the small print: which files, and how they were read.
    change
        the same rows after calibration, drawn in the same panels; None for none.
    """
    if change is not None:
        return _both(found, look, about, change)
    theme = look.colours
    figure = blank(look, 6.4, 6.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    low, high = found.interval()
    widths = found.high - found.low
    upper.bar(found.low, found.accuracy, widths, align="edge", color=theme.colours[0], alpha=0.25, linewidth=0)
    upper.plot([0, 1], [0, 1], color=theme.ink, linewidth=1, linestyle=DASHES[1], label=_diagonal(found))
    upper.errorbar(
        found.confidence,
        found.accuracy,
        (found.accuracy - low, high - found.accuracy),
        fmt="o",
        color=theme.colours[0],
        markersize=5,
        capsize=2.5,
        linewidth=1.2,
        label=f"{_heights(found)} of a bin, with its 95 % interval",
    )
    upper.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    _counts(lower, found, look)
    _name_axes(upper, lower, found)
    title = (
        f"ECE of {found.of_what} {found.error:.4f} in {found.describe()}\n{count(found.samples, 'sample')}: "
        f"{_heights(found)} {found.mean_accuracy:.4f}, mean {_widths(found)} {found.mean_confidence:.4f}"
    )
    headline(figure, title if look.title is None else clean(look.title, 200))
    small_print(figure, clean(about, 1000))
    return figure


def _counts(axes: Axes, found: Reliability, look: Look) -> None:
    """Draw the number of rows in each bin, written above it where there is room."""
    theme, widths = look.colours, found.high - found.low
    axes.bar(found.low, found.rows, widths, align="edge", color=theme.colours[0], alpha=0.75, edgecolor=theme.ground)
    point = widths == 0  # a bin with a single confidence has no width; its rows are drawn as a line
    axes.vlines(found.low[point], 0, found.rows[point], color=theme.colours[0], linewidth=1.5)
    texts = [f"{rows:,}" for rows in found.rows]
    upright = any(WIDTH_OF_DIGIT * len(text) > width for text, width in zip(texts, widths, strict=True))
    for x, rows, text, width in zip((found.low + found.high) / 2, found.rows, texts, widths, strict=True):
        if width > NARROW:
            axes.annotate(
                text,
                (x, rows),
                (0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=7.5,
                rotation=90 if upright else 0,
            )
    axes.set_ylim(0, (1.75 if upright else 1.2) * int(found.rows.max()))


def _heights(found: Reliability) -> str:
    """Return what the heights of the points are, in words."""
    return "fraction of positives" if found.positive else "accuracy"


def _widths(found: Reliability) -> str:
    """Return what the points are drawn over, in words."""
    return found.of_what if found.positive else "confidence"


def _diagonal(found: Reliability) -> str:
    """Return where calibrated predictions are, in words."""
    return f"{_heights(found)} = {_widths(found)}"


def _name_axes(upper: Axes, lower: Axes, found: Reliability) -> None:
    """Say what the axes are: how often predictions come true above, the number of samples below, both over probability."""
    upper.set_ylabel(_heights(found))
    upper.set_ylim(-0.02, 1.02)
    width, height = upper.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    if height > TALL * width:  # otherwise there is no room for a square below title and legend
        upper.set_box_aspect(1)
        lower.set_box_aspect(1 / 3)
    lower.set_ylabel("samples per bin")
    lower.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    lower.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    whose = "positive" if found.positive else "predicted"
    lower.set_xlabel(f"{_widths(found)}: probability of the {whose} class")
    lower.set_xlim(-0.02, 1.02)


def _both(found: Reliability, look: Look, about: str, change: Change) -> Figure:
    """Draw before and after: points with their intervals joined by lines, and the rows of the bins as outlines."""
    theme, after = look.colours, change.after
    figure = blank(look, 6.4, 7.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color=theme.ink, linewidth=1, linestyle=DASHES[2], label=_diagonal(found))
    name = f"after, {change.name}"
    for number, (bins, label, filled) in enumerate(((found, "before", False), (after, name, True))):
        colour = theme.colours[number]
        low, high = bins.interval()
        upper.errorbar(
            bins.confidence,
            bins.accuracy,
            (bins.accuracy - low, high - bins.accuracy),
            fmt="-" if filled else "--",
            marker="s" if filled else "o",
            color=colour,
            markerfacecolor=colour if filled else theme.ground,
            markersize=5,
            capsize=2.5,
            linewidth=1.2,
            elinewidth=0.8,
            label=label,
        )
        _outline(lower, bins, colour, filled)
    upper.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    lower.set_ylim(0, 1.15 * int(max(found.rows.max(), after.rows.max())))
    _name_axes(upper, lower, found)
    low_end, high_end = change.band
    title = (
        f"ECE of {found.of_what} {found.error:.4f} before, {after.error:.4f} after\n"
        f"95 % of calibrated models: {low_end:.4f} to {high_end:.4f}\n{count(found.samples, 'sample')} in {found.describe()}, {_heights(found)} {found.mean_accuracy:.4f}"
    )
    headline(figure, title if look.title is None else clean(look.title, 200))
    small_print(figure, clean(about, 1000))
    return figure


def _outline(axes: Axes, bins: Reliability, colour: str, filled: bool) -> None:
    """Draw the number of rows in each bin: as an area, or as a dashed outline."""
    if filled:
        axes.bar(bins.low, bins.rows, bins.high - bins.low, align="edge", color=colour, alpha=0.45, linewidth=0)
    point = bins.high == bins.low  # a bin with a single confidence has no width; its rows are drawn as a line
    axes.vlines(bins.low[point], 0, bins.rows[point], color=colour, linewidth=1.5)
    x = np.stack([bins.low, bins.low, bins.high, bins.high], axis=1).ravel()
    y = np.stack([np.zeros(len(bins.rows)), bins.rows, bins.rows, np.zeros(len(bins.rows))], axis=1).ravel()
    axes.plot(x, y, color=colour, linewidth=1.2, linestyle="-" if filled else DASHES[1], zorder=3)
