"""Features by class in a plane, with the centers of the classes."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
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
    rows = np.bincount(cloud.index, minlength=len(cloud.names))
    largest = np.sort(np.argsort(-rows, kind="stable")[:MOST_NAMED])
    points, index = cloud.points, cloud.index
    if len(points) > MOST_DRAWN:  # at random, since a regular choice may be all of one class
        chosen = np.sort(np.random.default_rng(0).choice(len(points), MOST_DRAWN, replace=False))
        points, index = points[chosen], index[chosen]
    named = [f"{clean(cloud.names[k], 24)} (n = {rows[k]:,})" for k in largest]
    figure = blank(look, WIDTH, 5.4 + legend_height(named, WIDTH, HANDLE))
    axes = figure.subplots()
    dots = dict[str, Any](s=_area(len(points)), linewidths=0.4, rasterized=len(points) > VECTORS)
    handles, labels = [], []
    others = ~np.isin(index, largest)
    if others.any():
        style: dict[str, Any] = {"color": look.colours.faint, "marker": "."}
        x, y = points[others].T
        axes.scatter(x, y, **dots, **style)
        handles.append(Line2D([], [], linestyle="", **style))
        left = len(cloud.names) - len(largest)
        labels.append(f"{count(left, 'other')} (n = {rows.sum() - rows[largest].sum():,})")
    for number, k in enumerate(largest):
        style = {
            "color": look.colours.colours[number % len(look.colours.colours)],
            "marker": MARKERS[number % len(MARKERS)],
        }
        x, y = points[index == k].T
        axes.scatter(x, y, alpha=0.7, **dots, **style)
        _center(axes, cloud, k, style["color"], look)
        handles.append(Line2D([], [], linestyle="", **style))
        labels.append(named[number])
    handles.append(Line2D([], [], linestyle="", marker="X", markersize=10, **_edge(look.colours.ground, look)))
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


def _area(points: int) -> int:
    """Return the area of a marker, in square points: the smaller, the more there are."""
    return 26 if points < 2_000 else 10 if points < 10_000 else 5


def _edge(colour: str, look: Look) -> dict[str, Any]:
    """Return the colours of a center's cross: filled with the colour of its class, and with an edge."""
    return {"color": colour, "markeredgecolor": look.colours.ink}


def _center(axes: Axes, cloud: Cloud, k: int, colour: str, look: Look) -> None:
    """Draw the center of class `k` as a cross, with the name of the class beside it."""
    axes.plot(*cloud.centers[k], "X", markersize=13, markeredgewidth=1.3, **_edge(colour, look))
    if np.isfinite(cloud.centers[k]).all():
        axes.annotate(
            clean(cloud.names[k], 16),
            cloud.centers[k],
            (9, 5),
            textcoords="offset points",
            fontweight="bold",
            path_effects=[withStroke(linewidth=2.5, foreground=look.colours.ground)],
            zorder=4,
        )


def _title(cloud: Cloud) -> str:
    """Return the usual title."""
    ignored = f" ({cloud.ignored:,} ignored)" if cloud.ignored else ""
    of = f" of {cloud.dimensions:,} features" if cloud.dimensions > 2 else ""
    return f"{count(len(cloud.points), 'sample')}{of}{ignored} in {count(len(cloud.names), 'class', 'classes')}"
