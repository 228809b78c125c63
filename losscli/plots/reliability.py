"""How often predictions come true against how probable they are said to be, with the number of samples in each bin.

Either the fraction of positives against the probability of the positive class, or accuracy against the confidence of the
predicted class.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from losscli.analysis.calibration.reliability import Reliability
from losscli.arrays import Array
from losscli.plots.style import DASHES, Look, blank, clean, fitted, headline, letters, plain_ticks, small_print
from losscli.records import dataclass
from losscli.wording import count

SIZE_OF_COUNTS = 7.5
"""Size of the numbers above the bins in points."""
DIGIT = 0.64
"""Width of a digit, as a part of the size of letters."""
FEW = 10
"""Bins of fewer rows than this are faint: the interval of 9 rows of which 5 are right is wider than 0.5."""
FAINT = 0.4
WIDTH = "width of the bin"
UNEVEN = 20
"""If the densest of the bins of equal mass is more than this many times as dense as the sparsest, the scale is logarithmic."""
SQUARE, LABELS = 0.6, 1.4
"""Side of the square panel of a wide figure, as a part of its height, and the inches beside the panels, approximately."""
WIDE = 1.3
"""Figures that are wider than this times their height have their panels side by side."""


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
    figure = blank(look, 6.4, 6.6)
    upper, lower = _panels(figure)
    upper.plot([0, 1], [0, 1], color=look.colours.ink, linewidth=1, linestyle=DASHES[1], label=_diagonal(found))
    names = f"{_heights(found)}, 95 % interval", f"bin of fewer than {FEW} samples"
    _points(upper, found, look.colours.colours[0], names)
    _bin_sizes(lower, (found,), look)
    _name_axes(upper, lower, found)
    title = (
        f"ECE of {found.of_what} {found.error:.4f} in {found.describe()}\n{count(found.samples, 'sample')}: "
        f"{_heights(found)} {found.mean_accuracy:.4f}, mean {_widths(found)} {found.mean_confidence:.4f}"
    )
    headline(figure, title if look.title is None else clean(look.title, 200))
    small_print(figure, _small(about))
    if found.binning != "mass":
        _write_counts(lower, found)
    return figure


def _panels(figure: Figure) -> tuple[Axes, Axes]:
    """Return the panel of the points, which is square, and that of the bins: below it, or in a wide figure on its right."""
    width, height = figure.get_size_inches()
    if width > WIDE * height:
        square = SQUARE * height
        left, right = figure.subplots(1, 2, width_ratios=(square, max(square, width - square - LABELS)))
        left.set_box_aspect(1)  # so that the diagonal is one
        return left, right
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.set_box_aspect(1)
    lower.set_box_aspect(1 / 3)
    return upper, lower


def _points(
    axes: Axes, found: Reliability, colour: str, names: tuple[str, str], width_named: bool = True, **marker: Any
) -> None:
    """Draw a point for each bin with its interval; bins of few rows are faint, and those of equal mass have their widths too.

    `names` are those of the points of many rows, and of few; `width_named` says whether the legend names the widths; `marker`
    is passed to Matplotlib.
    """
    low, high = found.interval()
    few = found.rows < FEW
    for which, alpha, words in ((~few, 1.0, names[0]), (few, FAINT, names[1])):
        if not which.any():
            continue
        x, y = found.confidence[which], found.accuracy[which]
        # The mean of equal numbers may be beyond all of them, by rounding.
        widths = (np.maximum(x - found.low[which], 0), np.maximum(found.high[which] - x, 0))
        how = dict[str, Any](color=colour, linewidth=1.2, alpha=alpha)
        heights = (y - low[which], high[which] - y)
        axes.errorbar(
            x, y, heights, label=words, markersize=letters(5), **how, **dict[str, Any](fmt="o", capsize=2.5) | marker
        )
        if found.binning == "mass":
            named = width_named and (alpha == 1.0 or few.all())
            thin = {"elinewidth": marker["elinewidth"]} if "elinewidth" in marker else {}
            axes.errorbar(x, y, xerr=widths, fmt="none", label=WIDTH if named else "_", **how, **thin)


def _bin_sizes(axes: Axes, models: Sequence[Reliability], look: Look) -> None:
    """Draw the number of rows in each bin; of bins of equal mass, which have all the same, how densely the rows lie in each.

    `models` are the bins of one model, or those before and after its calibration.
    """
    mass = models[0].binning == "mass"
    heights = [_densities(found) if mass else found.rows for found in models]
    finite = np.concatenate([each[np.isfinite(each)] for each in heights])
    top = float(finite.max(initial=0)) or 1.0
    log = mass and len(finite) > 0 and top > UNEVEN * float(finite.min())
    bottom = float(finite.min()) / 2 if log else 0.0
    top = top * (2 if log else 1.15)
    for number, (found, each) in enumerate(zip(models, heights, strict=True)):
        colour, filled = look.colours.colours[number], number == len(models) - 1
        point = found.high == found.low  # a bin with a single confidence has no width; its rows are drawn as a line
        ends = np.where(np.isfinite(each), each, top)
        axes.vlines(found.low[point], bottom, ends[point], color=colour, linewidth=1.5)
        if filled:
            # Of the colour of the bars: edges of another one would hide a bar that is narrower than they are.
            edge = dict[str, Any](edgecolor=colour, linewidth=0.8) if len(models) == 1 else {"linewidth": 0}
            widths = found.high - found.low
            axes.bar(
                found.low,
                ends - bottom,
                widths,
                bottom,
                align="edge",
                color=(colour, 0.6 if len(models) == 1 else 0.45),
                **edge,
            )
        if len(models) > 1:
            x = np.stack([found.low, found.low, found.high, found.high], axis=1).ravel()
            y = np.stack([bottom + 0 * ends, ends, ends, bottom + 0 * ends], axis=1).ravel()
            axes.plot(x, y, color=colour, linewidth=1.2, linestyle="-" if filled else DASHES[1], zorder=3)
    if log:
        axes.set_yscale("log")
        plain_ticks(axes.yaxis)
    axes.set_ylim(bottom, top)
    width, height = axes.figure.get_size_inches()  # type: ignore[union-attr]
    name = "density" + (" (log scale)" if log else "") if mass else "samples per bin"
    axes.set_ylabel(fitted(name, height if width > WIDE * height else 0.2 * height))
    if not log:
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=not mass))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.3g}" if mass else f"{value:,.0f}"))


def _densities(found: Reliability) -> Array:
    """Return the part of all rows in each bin, divided by the bin's width; the area of all of them is 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(found.rows / found.samples / (found.high - found.low))


def _write_counts(axes: Axes, found: Reliability) -> None:
    """Write the number of rows above each bin: beside each other if they fit, else upright, or not at all where there is no room."""
    figure = axes.figure
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong is said when the picture is written
        figure.draw_without_rendering()  # type: ignore[union-attr]  # only now the layout says how large the panel is
    size, panel = letters(SIZE_OF_COUNTS), axes.get_window_extent()
    points = 72 / figure.dpi
    high, wide = panel.height * points, np.diff(axes.transData.transform([(0, 0), (1, 0)])[:, 0])[0] * points
    texts, widths = [f"{rows:,}" for rows in found.rows], (found.high - found.low) * wide
    longest = DIGIT * size * max(map(len, texts))
    upright = bool((longest > widths).any())
    room = 3 + (longest if upright else 1.2 * size)
    if room > high / 2 or (upright and widths.min() < 1.2 * size):
        return
    for x, rows, text in zip((found.low + found.high) / 2, found.rows, texts, strict=True):
        axes.annotate(
            text,
            (x, rows),
            (0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=size,
            rotation=90 if upright else 0,
        )
    axes.set_ylim(0, int(found.rows.max()) / (1 - 1.1 * room / high))


def _small(about: str) -> str:
    """Return the small print: how the numbers were computed, and what the intervals are."""
    return clean(" | ".join([*([about] if about else []), "95 % intervals of Wilson (1927)"]), 1000)


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
    whose = "positive" if found.positive else "predicted"
    name = f"{_widths(found)}: probability of the {whose} class"
    if not upper.get_shared_x_axes().joined(upper, lower):
        name = fitted(name, lower.get_figure(root=True).get_figwidth() / 2)  # type: ignore[union-attr]
        upper.set_xlabel(name)
    lower.set_xlabel(name + _per_bin(found))
    for axes in (upper, lower):
        axes.set_xlim(-0.02, 1.02)
    how = dict[str, Any](handlelength=2.2, fontsize=letters(8.5), borderaxespad=0.2)
    upper.legend(loc="lower left", bbox_to_anchor=(0, 1), **how)


def _per_bin(found: Reliability) -> str:
    """Return a line about the number of rows in bins of equal mass, which no panel shows; '' for other bins."""
    if found.binning != "mass":
        return ""
    least, most = int(found.rows.min()), int(found.rows.max())
    return f"\n{count(most, 'sample') if least == most else f'{least:,} to {most:,} samples'} per bin"


def _both(found: Reliability, look: Look, about: str, change: Change) -> Figure:
    """Draw before and after: points with their intervals joined by lines, and the sizes of the bins, those before as outlines."""
    theme, after = look.colours, change.after
    figure = blank(look, 6.4, 7.4)
    upper, lower = _panels(figure)
    upper.plot([0, 1], [0, 1], color=theme.ink, linewidth=1, linestyle=DASHES[2], label=_diagonal(found))
    for number, (bins, label) in enumerate(((found, "before"), (after, f"after, {change.name}"))):
        colour = theme.colours[number]
        many = bins.rows >= FEW  # a line through the others would jump up and down with single rows
        x, y = bins.confidence[many], bins.accuracy[many]
        upper.plot(x, y, color=colour, linewidth=1.2, linestyle="-" if number else "--")
        marker = {"fmt": "s"} if number else {"fmt": "o", "markerfacecolor": theme.ground}
        names = label, f"bin of fewer than {FEW} samples" if number or not (after.rows < FEW).any() else "_"
        _points(upper, bins, colour, names, number == 0, elinewidth=0.8, **marker)
    _bin_sizes(lower, (found, after), look)
    _name_axes(upper, lower, found)
    low_end, high_end = change.band
    title = (
        f"ECE of {found.of_what} {found.error:.4f} before, {after.error:.4f} after\n"
        f"ECE of 95 % of calibrated models: {low_end:.4f} to {high_end:.4f}\n{count(found.samples, 'sample')} in {found.describe()}, {_heights(found)} {found.mean_accuracy:.4f}"
    )
    headline(figure, title if look.title is None else clean(look.title, 200))
    small_print(figure, _small(about))
    return figure
