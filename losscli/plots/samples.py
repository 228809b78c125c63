"""The losses of a file: how they are distributed, by class, against confidence, and how concentrated they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from losscli.arrays import Array
from losscli.engine.collectors.breakdown import CONFIDENCES, Profile, concentration, loss_edges
from losscli.engine.histogram import Histogram
from losscli.errors import DataError
from losscli.measurement.result import Result
from losscli.plots.style import (
    DASHES,
    Look,
    blank,
    clean,
    count_colours,
    headline,
    legend_columns,
    message,
    plain_ticks,
    small_print,
)
from losscli.wording import count, short

BINS = 60
TALLEST = 1e290
"""Axes to larger numbers overflow inside Matplotlib."""
MOST_GROUPS = 20
CELLS = 80
"""The most cells that the panel of losses is high."""
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


def draw(sampled: Sampled, panels: Sequence[str], look: Look) -> Figure:
    """Draw the named panels, of 'distribution', 'classes', 'confidence', 'concentration'."""
    rows_of_panels = placed(panels)
    figure = blank(look, *SIZES.get(len(panels), (10.5, HIGH * len(rows_of_panels))))
    axes = figure.subplot_mosaic(rows_of_panels)
    for name in panels:
        PANELS[name](axes[name], sampled, look)
    result = sampled.result
    rows = count(result.samples, "sample") + (f" ({result.ignored:,} ignored)" if result.ignored else "")
    value = "" if result.value is None else f", {result.reduction} {result.value:.4g}"
    parameters = ", ".join(f"{name} = {short(value)}" for name, value in result.parameters.items() if value is not None)
    loss = f"{result.loss} ({parameters})" if parameters else result.loss
    headline(figure, clean(f"{loss}: {rows}{value}" if look.title is None else look.title, 200))
    small_print(figure, clean(result.signature, 1000))
    return figure


def placed(panels: Sequence[str]) -> list[Any]:
    """Return the rows of a picture, with the names of two panels each; the last of an odd number is as wide as two."""
    if len(panels) == 1:
        return [list(panels)]
    pairs = [list(panels[i : i + 2]) for i in range(0, len(panels), 2)]
    return [pair if len(pair) == 2 else pair * 2 for pair in pairs]


def _distribution(axes: Axes, sampled: Sampled, look: Look) -> None:
    """Draw a histogram of the losses, with mean, median and p99."""
    result, theme = sampled.result, look.colours
    histogram = Histogram.of(result.distribution, BINS, sampled.log)
    if histogram is None:
        why = f"no loss is {'positive and finite' if sampled.log else 'finite'}"
        if sampled.log or len(axes.figure.axes) == 1:
            raise DataError(f"{why}: there is no distribution to draw")
        message(axes, f"No distribution: {why}.")
        return
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
        label, style = f"{name} {at:.4g}", dict[str, Any](color=colour, linewidth=1.4, linestyle=dashes)
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
    longest = float(np.max(np.abs(lengths), where=finite, initial=0)) or 1.0
    places = np.arange(len(shown))
    bars = np.where(finite, lengths, 1.15 * longest)
    axes.barh(places, bars, color=theme.colours[0], alpha=0.75, height=0.75)
    for place in places[~finite]:
        axes.text(bars[place], place, " inf", va="center", ha="left")
    rows = profile.rows[shown]
    names = [f"{clean(sampled.names[i], 24)}  (n = {n:,})" for i, n in zip(shown, rows, strict=True)]
    axes.set_yticks(places, labels=names, fontsize=8.5 if len(shown) > 12 else 9.5)
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    mean = float(profile.sums.sum() / profile.rows.sum())
    weighted = profile.contributions is not None or "output_weight" in sampled.result.receipt
    before = ", before weights" if weighted else ""
    if np.isfinite(mean):
        axes.axvline(mean, color=theme.ink, linewidth=1.4, linestyle=DASHES[1], label=f"mean of all{before} {mean:.4g}")
        _legend_above(axes)
    noun = "class" if sampled.groups == "classes" else "output"
    cut = len(held) > MOST_GROUPS
    empty = len(profile.rows) - len(held)
    about = [f"the {MOST_GROUPS} largest of {len(held):,}"] if cut else []
    about += [f"{count(empty, noun, f'{noun}es' if noun == 'class' else None)} without rows not shown"] if empty else []
    axes.set_xlabel(f"mean loss of the {noun}{before}" + (f"\n{'; '.join(about)}" if about else ""))


@dataclass(frozen=True)
class Cells:
    """The cells of the panel of confidence: how many samples have which loss and which confidence.

    `counts` has one row per bin of the loss, with one number per bin of confidence; `edges` are those of the bins of
    the loss, one more than rows. `below` and `above` count the samples whose loss is outside of these bins.
    """

    counts: Array
    edges: Array
    below: int
    above: int

    @classmethod
    def of(cls, joint: Array, log: bool) -> "Cells":
        """Return the cells for an axis of losses, logarithmic or not.

        `joint` has counts of confidence by loss, in the bins of `loss_edges()`; the last one has no upper edge, since
        its losses are practically infinite. At least one loss must be in another bin.
        """
        edges, counts, above = loss_edges(), joint[:, :-1].T, int(joint[:, -1].sum())
        if log:
            below = int(counts[0].sum())
            counts, edges = _coarser(counts[1:], edges[1:])
            filled = np.flatnonzero(counts.sum(axis=1))
            first, last = (int(filled[0]), int(filled[-1])) if len(filled) else (0, 0)
            return cls(counts[first : last + 1], edges[first : last + 2], below, above)
        # Bins lower than a pixel would be invisible: they are added to one that can be seen.
        highest = int(np.flatnonzero(counts.sum(axis=1))[-1])
        low = int(np.searchsorted(edges, edges[highest + 1] / CELLS)) - 1
        counts = np.concatenate([counts[: low + 1].sum(axis=0, keepdims=True), counts[low + 1 :]])
        edges = np.concatenate([edges[:1], edges[low + 1 :]])
        last = int(np.flatnonzero(counts.sum(axis=1))[-1])
        edges = edges if last else np.array([0.0, 1.0])  # if all losses are 0, any scale shows it
        return cls(counts[: last + 1], edges[: last + 2], 0, above)

    @property
    def outside(self) -> str:
        """Words about the samples that are not in the cells, '' if all are."""
        edges = loss_edges()
        words = [f"{self.below:,} below {edges[1]:.1g}"] if self.below else []
        return ", ".join(words + ([f"{self.above:,} above {edges[-1]:.1g}"] if self.above else []))


def _confidence(axes: Axes, sampled: Sampled, look: Look) -> None:
    """Draw how many samples have which loss and which confidence."""
    joint = sampled.profile.joint
    assert joint is not None
    if not joint[:, :-1].any():
        message(axes, "no loss is finite")
        return
    histogram = Histogram.of(sampled.result.distribution, BINS, sampled.log)
    log = histogram is not None and histogram.log
    cells = Cells.of(joint, log)
    most = max(int(cells.counts.max()), 2)
    drawn = axes.pcolormesh(
        np.arange(CONFIDENCES + 1) / CONFIDENCES,
        cells.edges,
        np.ma.masked_equal(cells.counts, 0),
        norm=LogNorm(1, most),
        cmap=count_colours(look),
        rasterized=True,
    )
    what = "outputs" if sampled.result.receipt.get("over_outputs") else "samples"
    bar = axes.figure.colorbar(drawn, cax=axes.inset_axes((1.03, 0, 0.035, 1)), label=f"{what} per cell")
    tens = [10**i for i in range(len(str(most))) if 10**i * 3 < most or not i]
    bar.set_ticks([*tens, most])
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    bar.ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    if log:
        axes.set_yscale("log")
        plain_ticks(axes.yaxis)
    axes.set_xlim(0, 1)
    outside = f"\nnot on these axes: {cells.outside}" if cells.outside else ""
    axes.set_xlabel(f"confidence: probability of the true class{outside}")
    axes.set_ylabel("loss" + (" (log scale)" if log else ""))


def _coarser(counts: Array, edges: Array) -> tuple[Array, Array]:
    """Return counts and edges with neighbouring bins of the loss added up, until the bins are high enough
    to be seen.
    """
    filled = np.flatnonzero(counts.sum(axis=1))
    if not len(filled):
        return counts, edges
    each = -(-int(filled[-1] - filled[0] + 1) // CELLS)
    starts = np.arange(0, len(counts), each)
    return np.add.reduceat(counts, starts, axis=0), np.append(edges[starts], edges[-1])


def _concentration(axes: Axes, sampled: Sampled, look: Look) -> None:
    """Draw the share of the total loss in the worst samples."""
    contributions = sampled.profile.contributions or sampled.result.distribution
    theme, weighted = look.colours, sampled.profile.contributions is not None
    values, counts = contributions.spectrum()
    with np.errstate(over="ignore"):
        total = float(np.dot(values, counts))
    if not (total > 0 and np.isfinite(total) and values[0] >= -1e-9 * total):
        why = "the total is infinite" if np.isinf(total) else "the total is 0" if not total else "losses are negative"
        message(axes, f"No shares of the total loss: {why}.")
        return
    rows, share = concentration(values, counts)
    n = int(counts.sum())
    at = np.unique(np.concatenate([np.linspace(0, 1, 1001), np.logspace(-6, 0, 200)]))
    axes.plot(100 * at, 100 * np.interp(at, rows, share), color=theme.colours[0], linewidth=2)
    axes.plot([0, 100], [0, 100], color=theme.ink, linewidth=0.9, linestyle=DASHES[2], label="if all were equal")
    for i, part in enumerate(part for part in WORST if part * n >= 1):
        carried = float(np.interp(part, rows, share))
        label = f"worst {100 * part:g} %: {100 * carried:.3g} %"
        axes.plot([100 * part], [100 * carried], "osD"[i], color=theme.colours[1], markersize=6, label=label)
    _legend_above(axes)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 102)
    axes.set_xlabel("worst samples, % of all")
    axes.set_ylabel(f"share of the total {'weighted ' if weighted else ''}loss, %")


def _legend_above(axes: Axes) -> None:
    """Place a legend above a panel, in as many columns as fit."""
    labels = axes.get_legend_handles_labels()[1]
    width = axes.get_position().width * axes.figure.get_figwidth()  # type: ignore[union-attr]
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=legend_columns(labels, width * 9.5 / 8.5, handle=6),
        fontsize=8.5,
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
