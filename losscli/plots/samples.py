"""The losses of a file: how they are distributed, by class, how probable what happened was, and how concentrated they are."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from losscli.arrays import Array
from losscli.engine.collectors.breakdown import CONFIDENCES, Profile, concentration
from losscli.engine.histogram import Histogram
from losscli.errors import DataError
from losscli.measurement.result import Result
from losscli.plots.style import (
    DASHES,
    Look,
    blank,
    clean,
    count_colours,
    fitted,
    headline,
    legend_columns,
    letters,
    number,
    plain_ticks,
    small_print,
)
from losscli.records import dataclass
from losscli.wording import count, short

BINS = (10, 60)
"""The fewest and the most bins of the distribution; between them the square root of the number of losses."""
TALLEST = 1e290
"""Axes to larger numbers overflow inside Matplotlib."""
MOST_GROUPS = 20
THICKEST = 0.2
"""Height of a bar of the panel of classes, as a part of the panel, at most: the bar of a single class is no block."""
MANY = 2_500
"""Fewer predictions than these have wider bins of probability: FEW_CELLS for each axis of several classes, FEW_BINS for two."""
FEW_CELLS, FEW_BINS = 25, 10
INFINITE = 1.12
"""How much longer than the longest finite bar one of an infinite mean is."""
WORST = (0.01, 0.05, 0.1)
"""Shares of the rows whose share of the total is written out."""

SIZES = {1: (6.4, 4.6), 2: (10.5, 4.4)}
"""Inches of a picture of so many panels. If there are more, the picture is as wide, and HIGH for each row of two."""
HIGH = 4.0


@dataclass(frozen=True)
class Sampled:
    """The numbers that the panels draw: the result of a measurement, the profile of its
    losses, and the names of its groups.
    """

    result: Result
    profile: Profile
    groups: str | None
    names: Sequence[str]
    log: bool | None = None


def draw(sampled: Sampled, panels: Sequence[str], look: Look, about: str = "") -> Figure:
    """Draw the named panels, of 'distribution', 'classes', 'confidence', 'concentration', without those that are empty.

    Parameters
    ----------
    about
        the small print: which files, and how their losses were computed; by default the latter alone.

    Raises
    ------
    DataError
        if all of them are empty, or a loss is too large to be drawn.
    """
    why = empty(sampled)
    shown = [name for name in panels if name not in why]
    if not shown:
        raise DataError(f"there is nothing to draw: {'; '.join(dict.fromkeys(why[name] for name in panels))}")
    rows_of_panels = placed(shown)
    figure = blank(look, *SIZES.get(len(shown), (10.5, HIGH * len(rows_of_panels))))
    axes = figure.subplot_mosaic(rows_of_panels)
    for name in shown:
        PANELS[name](axes[name], sampled, look)
    result = sampled.result
    rows = count(result.samples, "sample") + (f" ({result.ignored:,} ignored)" if result.ignored else "")
    value = "" if result.value is None else f", {result.reduction} {result.value:.4g}"
    parameters = ", ".join(f"{name} = {short(value)}" for name, value in result.parameters.items() if value is not None)
    loss = f"{result.loss} ({parameters})" if parameters else result.loss
    headline(figure, clean(f"{loss}: {rows}{value}" if look.title is None else look.title, 200))
    small_print(figure, clean(about or result.signature, 1000))
    return figure


def empty(sampled: Sampled) -> dict[str, str]:
    """Return the panels for which these losses have nothing to show, each with the reason."""
    reasons = {}
    if _histogram(sampled) is None:
        reasons["distribution"] = f"no loss is {'positive and finite' if sampled.log else 'finite'}"
    values, counts = (sampled.profile.contributions or sampled.result.distribution).spectrum()
    with np.errstate(over="ignore"):
        total = float(np.dot(values, counts))
    if not (total > 0 and np.isfinite(total) and values[0] >= -1e-9 * total):
        kind = "infinite" if np.isinf(total) else "0"
        reasons["concentration"] = "losses are negative" if np.isfinite(total) and total else f"the total is {kind}"
    return reasons


def _histogram(sampled: Sampled) -> Histogram | None:
    """Return the bins of the distribution, or None if there is no loss that its scale can show."""
    distribution = sampled.result.distribution
    bins = int(np.clip(np.ceil(np.sqrt(distribution.spectrum()[1].sum())), *BINS))
    return Histogram.of(distribution, bins, sampled.log)


def placed(panels: Sequence[str]) -> list[Any]:
    """Return the rows of a picture, with the names of two panels each; the first of an odd number is as wide as two."""
    if len(panels) == 1:
        return [list(panels)]
    odd = len(panels) % 2
    pairs = [list(panels[i : i + 2]) for i in range(odd, len(panels), 2)]
    return [[panels[0]] * 2, *pairs] if odd else pairs


def _distribution(axes: Axes, sampled: Sampled, look: Look) -> None:
    """Draw a histogram of the losses, with mean, median and p99."""
    result, theme = sampled.result, look.colours
    histogram = _histogram(sampled)
    assert histogram is not None
    if histogram.edges[-1] > TALLEST:
        raise DataError(
            f"a loss of {min(result.summary['max'], histogram.edges[-1]):g} is too large to be drawn; divide predictions and targets first"
        )
    axes.stairs(histogram.counts, histogram.edges, fill=True, color=theme.colours[0], alpha=0.55)
    axes.stairs(histogram.counts, histogram.edges, color=theme.colours[0], linewidth=0.9)
    if histogram.log:
        axes.set_xscale("log")
        plain_ticks(axes.xaxis)
    axes.set_ylim(bottom=0)
    _marks(axes, sampled, histogram.log, theme.ink)
    _legend_above(axes)
    left_out = [f"{histogram.not_positive:,} at 0 or below"] if histogram.not_positive else []
    left_out += [f"{histogram.infinite:,} infinite"] if histogram.infinite else []
    axes.set_xlabel(
        "loss of a sample"
        + (" (log scale)" if histogram.log else "")
        + (f"\nnot on this axis: {', '.join(left_out)}" if left_out else "")
    )
    axes.set_ylabel("samples per bin")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))


def _marks(axes: Axes, sampled: Sampled, log: bool, colour: str) -> None:
    """Draw lines at mean, median and p99; those that an axis cannot show are in the legend only."""
    mean = "mean" if sampled.profile.contributions is None else "unweighted mean"
    for (name, key), dashes in zip(((mean, "mean"), ("median", "p50"), ("p99", "p99")), DASHES, strict=False):
        at = sampled.result.summary[key]
        label, style = f"{name} {number(at)}", dict[str, Any](color=colour, linewidth=1.4, linestyle=dashes)
        if np.isfinite(at) and (at > 0 or not log):
            axes.axvline(at, label=label, **style)
        else:
            axes.plot([], [], label=f"{label} (not on this axis)", **style)


def _classes(axes: Axes, sampled: Sampled, look: Look) -> None:
    """Draw the mean loss of each class or output, the largest first."""
    profile, theme = sampled.profile, look.colours
    assert profile.rows is not None
    assert profile.sums is not None
    held = np.flatnonzero(profile.rows)
    means = profile.sums[held] / profile.rows[held]
    worst = np.argsort(-means, kind="stable")[:MOST_GROUPS]
    shown, lengths = held[worst], means[worst]
    finite = np.isfinite(lengths)
    places = np.arange(len(shown))
    thick = min(0.75, THICKEST * len(shown))
    axes.barh(places[finite], lengths[finite], color=theme.colours[0], alpha=0.75, height=thick)
    _infinite_bars(axes, places[~finite], lengths, thick, look)
    rows = profile.rows[shown]
    names = [f"{clean(sampled.names[i], 24)}  (n = {n:,})" for i, n in zip(shown, rows, strict=True)]
    axes.set_yticks(places, labels=names, fontsize=_font(axes, len(shown)))
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.grid(False, axis="y")
    mean = float(profile.sums.sum() / profile.rows.sum())
    weighted = profile.contributions is not None or "output_weight" in sampled.result.receipt
    before = ", before weights" if weighted else ""
    style = dict[str, Any](color=theme.ink, linewidth=1.4, linestyle=DASHES[1])
    if np.isfinite(mean):
        axes.axvline(mean, label=f"mean of all{before} {number(mean)}", **style)
    else:
        axes.plot([], [], label=f"mean of all{before} {number(mean)} (not on this axis)", **style)
    _legend_above(axes)
    noun = "class" if sampled.groups == "classes" else "output"
    cut = len(held) > MOST_GROUPS
    empty = len(profile.rows) - len(held)
    about = [f"the {MOST_GROUPS} largest of {len(held):,}"] if cut else []
    about += [f"{count(empty, noun, f'{noun}es' if noun == 'class' else None)} without rows not shown"] if empty else []
    axes.set_xlabel(f"mean loss of the {noun}{before}" + (f"\n{'; '.join(about)}" if about else ""))


def _height(axes: Axes) -> float:
    """Return the inches that a panel has with its labels and legend, if the rows of panels share the figure."""
    grid = axes.get_gridspec()
    assert grid is not None
    return float(axes.figure.get_figheight() / grid.nrows)  # type: ignore[union-attr]


def _font(axes: Axes, names: int) -> float:
    """Return the size of the letters of so many names below each other, in points."""
    height = _height(axes) - 1.2  # without labels and legend
    return max(3.0, min(letters(9.5 if names <= 12 else 8.5), 72 * height / max(names, 5)))


def _infinite_bars(axes: Axes, places: Array, lengths: Array, thick: float, look: Look) -> None:
    """Draw the bars of infinite means: hatched, as long as the axis, with an arrow and the sign of infinity at the end.

    `lengths` are the means of all classes that are drawn, which the axis has to show; `thick` is the height of a bar.
    """
    if not len(places):
        return
    colour = look.colours.colours[1]
    finite = lengths[np.isfinite(lengths)]
    longest = INFINITE * (float(np.max(np.abs(finite), initial=0)) or 1.0)
    for place in places:
        end = longest * (1 if lengths[place] > 0 else -1)
        axes.barh(place, end, color="none", edgecolor=colour, hatch="////", linewidth=0, height=thick)
        axes.annotate(
            "∞" if end > 0 else "\u2212∞",
            (end, place),
            (16 if end > 0 else -16, 0),
            textcoords="offset points",
            ha="left" if end > 0 else "right",
            va="center",
            fontsize=letters(13),
            annotation_clip=False,
            arrowprops={"arrowstyle": "<|-", "color": colour, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.4},
        )
    if not finite.size:
        axes.set_xticks([0])  # the lengths of infinite bars are no numbers


def _confidence(axes: Axes, sampled: Sampled, look: Look) -> None:
    """Draw how probable the predictions said that what happened was, beside what they said else."""
    assert sampled.profile.judged is not None
    (_two_outcomes if len(sampled.profile.judged) == 2 else _several_classes)(axes, sampled, look)


def _several_classes(axes: Axes, sampled: Sampled, look: Look) -> None:
    """Draw how many samples have which probability of the true class, and of the most probable other class."""
    counts, right = sampled.profile.judged, sampled.profile.right
    assert counts is not None
    assert right is not None
    bins = CONFIDENCES if counts.sum() >= MANY else FEW_CELLS
    edges = np.arange(bins + 1) / bins
    counts = counts.reshape(bins, CONFIDENCES // bins, bins, CONFIDENCES // bins).sum(axis=(1, 3))
    most = max(int(counts.max()), 2)
    drawn = axes.pcolormesh(
        edges,
        edges,
        np.ma.masked_equal(counts.T, 0),
        norm=LogNorm(1, most),
        cmap=count_colours(look),
        rasterized=True,
    )
    bar = axes.figure.colorbar(drawn, cax=axes.inset_axes((1.03, 0, 0.035, 1)), label=f"{_counted(sampled)} per cell")
    tens = [10**i for i in range(len(str(most))) if 10**i * 3 < most or not i]
    bar.set_ticks([*tens, most])
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    bar.ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    n, good = int(counts.sum()), int(right.sum())
    line = dict[str, Any](color=look.colours.ink, linewidth=1.2, linestyle=DASHES[1])
    axes.plot([0, 0.5], [0, 0.5], label="equally probable", **line)  # two probabilities sum to at most 1
    for words in (f"above it wrong: {_part(n - good, n)}", f"below it right: {_part(good, n)}"):
        axes.plot([], [], linestyle="", label=words)
    _legend_above(axes, 1)  # the lines below the first are about it
    axes.set_aspect("equal")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("probability of the true class")
    axes.set_ylabel(fitted("largest probability of another class", _height(axes)))


def _counted(sampled: Sampled) -> str:
    """Return what the panel of confidence counts, in words: positions have probabilities, even where samples have the losses."""
    if sampled.result.receipt.get("over_outputs"):
        return "outputs"
    assert sampled.profile.judged is not None
    return "samples" if int(sampled.profile.judged.sum()) == sampled.result.samples else "positions"


def _part(rows: int, of: int) -> str:
    """Return a number of rows, and the part of all that they are."""
    return f"{rows:,} ({100 * rows / of:.3g} %)"


def _two_outcomes(axes: Axes, sampled: Sampled, look: Look) -> None:
    """Draw how often which probability of the positive outcome was predicted, for each of the two that happened."""
    judged, right, theme = sampled.profile.judged, sampled.profile.right, look.colours
    assert judged is not None
    assert right is not None
    outputs = bool(sampled.result.receipt.get("over_outputs"))
    names = ("0", "1") if outputs else tuple(clean(name, 16) for name in sampled.names)
    bins = CONFIDENCES if judged.sum() >= MANY else FEW_BINS
    edges = np.arange(bins + 1) / bins
    for i, (name, counts) in enumerate(zip(names, judged.reshape(2, bins, -1).sum(axis=2), strict=True)):
        n, style = int(counts.sum()), dict[str, Any](color=theme.colours[i])
        label = f"{name}: {int(right[i]):,} of {n:,} right"
        axes.stairs(counts, edges, fill=True, alpha=(0.35, 0)[i], linewidth=0, **style)
        axes.stairs(counts, edges, linewidth=1.4, linestyle=("-", DASHES[1])[i], label=label, **style)
    axes.axvline(0.5, color=theme.ink, linewidth=0.9, linestyle=DASHES[2], label="equally probable")
    _legend_above(axes)
    axes.set_xlim(0, 1)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel(f"predicted probability of {'label 1 of an output' if outputs else f'class {names[1]}'}")
    axes.set_ylabel(fitted(f"{_counted(sampled)} per bin (log scale, linear below 1)", _height(axes)))


def _concentration(axes: Axes, sampled: Sampled, look: Look) -> None:
    """Draw the share of the total loss in the worst samples."""
    contributions = sampled.profile.contributions or sampled.result.distribution
    theme, weighted = look.colours, sampled.profile.contributions is not None
    values, counts = contributions.spectrum()
    rows, share = concentration(values, counts)
    n = int(counts.sum())
    at = np.unique(np.concatenate([np.linspace(0, 1, 1001), np.logspace(-6, 0, 200)]))
    axes.plot(100 * at, 100 * np.interp(at, rows, share), color=theme.colours[0], linewidth=2)
    axes.plot([0, 100], [0, 100], color=theme.ink, linewidth=0.9, linestyle=DASHES[2], label="if all were equal")
    for i, part in enumerate(part for part in WORST if part * n >= 1):
        carried = float(np.interp(part, rows, share))
        label = f"worst {100 * part:g} %: {100 * carried:.3g} %"
        axes.plot([100 * part], [100 * carried], "osD"[i], color=theme.colours[1], markersize=letters(6), label=label)
    _legend_above(axes)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 102)
    axes.set_xlabel("worst samples, % of all")
    axes.set_ylabel(fitted(f"share of the total {'weighted ' if weighted else ''}loss, %", _height(axes)))


def _legend_above(axes: Axes, most: int = 4) -> None:
    """Place a legend above a panel, in as many columns as fit, at most `most`."""
    labels = axes.get_legend_handles_labels()[1]
    width = axes.get_position().width * axes.figure.get_figwidth()  # type: ignore[union-attr]
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=min(most, legend_columns(labels, width * 9.5 / 8.5, handle=6)),
        fontsize=letters(8.5),
        columnspacing=1.2,
        handlelength=2.2,
        borderaxespad=0.2,
    )


PANELS: dict[str, Callable[[Axes, Sampled, Look], None]] = {
    "distribution": _distribution,
    "classes": _classes,
    "confidence": _confidence,
    "concentration": _concentration,
}
