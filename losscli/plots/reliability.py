"""Confidence against accuracy, with the number of samples a bin."""

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from losscli.errors import count
from losscli.plots.style import DASHES, Look, blank, clean, small_print
from losscli.reliability import Reliability

NARROW = 0.03
"""Bins of no more than this width are not written above: their numbers would stand in each other."""
WIDTH_OF_DIGIT = 0.013
"""Of the numbers above the bins, as a part of the axis."""


def draw(found: Reliability, look: Look, about: str) -> Figure:
    """Accuracy of each bin over its mean confidence, and below it how many rows each bin has.

    Parameters
    ----------
    about
        the small print: which files, and what they were taken for.
    """
    theme = look.colours
    figure = blank(look, 6.4, 6.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    low, high = found.interval()
    widths = found.high - found.low
    upper.bar(found.low, found.accuracy, widths, align="edge", color=theme.colours[0], alpha=0.25, linewidth=0)
    upper.plot([0, 1], [0, 1], color=theme.ink, linewidth=1, linestyle=DASHES[1], label="accuracy = confidence")
    upper.errorbar(
        found.confidence,
        found.accuracy,
        (found.accuracy - low, high - found.accuracy),
        fmt="o",
        color=theme.colours[0],
        markersize=5,
        capsize=2.5,
        linewidth=1.2,
        label="accuracy of a bin, with its 95 % interval",
    )
    upper.set_ylabel("accuracy")
    upper.set_ylim(-0.02, 1.02)
    upper.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    lower.bar(found.low, found.rows, widths, align="edge", color=theme.colours[0], alpha=0.75, edgecolor=theme.ground)
    point = widths == 0  # a bin of one confidence has no width, and its rows are a line
    lower.vlines(found.low[point], 0, found.rows[point], color=theme.colours[0], linewidth=1.5)
    texts = [f"{rows:,}" for rows in found.rows]
    upright = any(WIDTH_OF_DIGIT * len(text) > width for text, width in zip(texts, widths, strict=True))
    for x, rows, text, width in zip((found.low + found.high) / 2, found.rows, texts, widths, strict=True):
        if width > NARROW:
            lower.annotate(
                text,
                (x, rows),
                (0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=7.5,
                rotation=90 if upright else 0,
            )
    lower.set_ylim(0, (1.75 if upright else 1.2) * int(found.rows.max()))
    lower.set_ylabel("samples a bin")
    lower.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    lower.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    lower.set_xlabel("confidence: probability of the predicted class")
    lower.set_xlim(0, 1)
    title = (
        f"ECE {found.error:.4f} in {found.describe()}\n{count(found.samples, 'sample')}: "
        f"accuracy {found.mean_accuracy:.4f}, mean confidence {found.mean_confidence:.4f}"
    )
    figure.suptitle(title if look.title is None else clean(look.title, 200), wrap=True)
    small_print(figure, clean(about, 1000))
    return figure
