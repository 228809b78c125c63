"""Features by class in a plane, with the centers of the classes."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from losscli.analysis.features import Cloud
from losscli.plots.style import MARKERS, Look, blank, clean, headline, legend_below, legend_height
from losscli.wording import count

WIDTH = 7.4
"""Width of the figure in inches."""
HANDLE = 7
"""Width of a marker of the legend, in letters."""
MOST_DRAWN = 20_000
"""The most points that are drawn; of more, a random sample of this size, since they hide each other."""
MOST_NAMED = 24
"""The most classes with colours of their own; smaller ones are drawn together."""
VECTORS = 5_000
"""If there are more points than this, SVG and PDF contain them as an image."""


def draw(cloud: Cloud, look: Look) -> Figure:
    """Draw one marker per row, in the colour and shape of its class; centers are large crosses with an edge."""
    theme = look.colours
    rows = np.bincount(cloud.index, minlength=len(cloud.names))
    largest = np.sort(np.argsort(-rows, kind="stable")[:MOST_NAMED])
    points, index = cloud.points, cloud.index
    if len(points) > MOST_DRAWN:  # at random, since a regular choice may be all of one class
        chosen = np.sort(np.random.default_rng(0).choice(len(points), MOST_DRAWN, replace=False))
        points, index = points[chosen], index[chosen]
    named = [f"{clean(cloud.names[k], 24)} (n = {rows[k]:,})" for k in largest]
    figure = blank(look, WIDTH, 5.4 + legend_height(named, WIDTH, HANDLE))
    axes = figure.subplots()
    size = 26 if len(points) < 2_000 else 10 if len(points) < 10_000 else 5
    handles, labels = [], []
    others = ~np.isin(index, largest)
    if others.any():
        style: dict[str, Any] = {"color": theme.faint, "marker": "."}
        x, y = points[others].T
        axes.scatter(x, y, s=size, rasterized=len(points) > VECTORS, linewidths=0.4, **style)
        left = len(cloud.names) - len(largest)
        handles.append(Line2D([], [], linestyle="", **style))
        labels.append(f"{count(left, 'other')} (n = {rows.sum() - rows[largest].sum():,})")
    for number, k in enumerate(largest):
        colour = theme.colours[number % len(theme.colours)]
        marker = MARKERS[number % len(MARKERS)]
        x, y = points[index == k].T
        axes.scatter(
            x,
            y,
            s=size,
            color=colour,
            marker=marker,
            alpha=0.7,
            linewidths=0.4,
            rasterized=len(points) > VECTORS,
        )
        axes.plot(*cloud.centers[k], "X", color=colour, markersize=13, markeredgecolor=theme.ink, markeredgewidth=1.3)
        if np.isfinite(cloud.centers[k]).all():
            axes.annotate(
                clean(cloud.names[k], 16),
                cloud.centers[k],
                (9, 5),
                textcoords="offset points",
                fontweight="bold",
                path_effects=[withStroke(linewidth=2.5, foreground=theme.ground)],
                zorder=4,
            )
        handles.append(Line2D([], [], linestyle="", color=colour, marker=marker))
        labels.append(named[number])
    handles.append(
        Line2D([], [], linestyle="", marker="X", color=theme.ground, markersize=10, markeredgecolor=theme.ink)
    )
    labels.append("center of a class" if cloud.centers_given else "mean of a class")
    if len(points) < len(cloud.points):
        drawn = f"{len(points):,} of {count(len(cloud.points), 'row')} drawn, chosen at random"
        axes.set_title(drawn, fontsize=8.5)
    axes.set_xlabel(clean(cloud.labels[0], 90))
    axes.set_ylabel(clean(cloud.labels[1], 90))
    spans = np.ptp(np.concatenate([points, cloud.centers[np.isfinite(cloud.centers).all(axis=1)]]), axis=0)
    if spans.min() * 5 > spans.max():
        axes.set_aspect("equal", adjustable="datalim")  # these losses depend on distances
    legend_below(figure, handles, labels, HANDLE, handlelength=1.2, columnspacing=1.4)
    headline(figure, clean(look.title, 200) if look.title is not None else _title(cloud))
    return figure


def _title(cloud: Cloud) -> str:
    """Return the usual title."""
    ignored = f" ({cloud.ignored:,} ignored)" if cloud.ignored else ""
    of = f" of {cloud.dimensions:,} features" if cloud.dimensions > 2 else ""
    return f"{count(len(cloud.points), 'sample')}{of}{ignored} in {count(len(cloud.names), 'class', 'classes')}"
