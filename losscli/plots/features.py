"""Features by class in a plane, with the centers of the classes."""

import warnings
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from losscli.analysis.features import Cloud
from losscli.arrays import Array
from losscli.plots.style import MARKERS, Look, blank, clean, headline, legend_below, legend_height, letters
from losscli.wording import count

WIDTH = 7.4
"""Width of the figure in inches."""
HANDLE = 7
"""Width of a marker of the legend, in letters."""
MOST_NAMED = 20
"""The most classes with a colour and a shape of their own; the points of smaller ones are grey."""
VECTORS = 5_000
"""If there are more points than this, SVG and PDF contain them as an image, and classes are drawn in turns."""
TURNS = 20
"""How many times each class is drawn in turn, so that a class of many points does not hide those before it."""
FLAT = 1e-9
"""If the points are thinner than this part of their length, they lie on a line, except for rounding."""
# Okabe and Ito's seven as elsewhere, and three that were searched to stay apart from them for colour-blind readers too.
COLOURS = {
    "light": (
        *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"),
        *("#56b4e9", "#000000", "#7b3937", "#3a1fb0", "#5d5d00"),
    ),
    "dark": (
        *("#56b4e9", "#e69f00", "#00c794", "#cc79a7", "#f0e442"),
        *("#ffffff", "#f04a33", "#9a7bff", "#b04a1e", "#3f6fd8"),
    ),
}
"""Ten colours of classes for each theme; the classes after the tenth have them again, with hollow markers."""
OTHERS = {"light": "#a6a6a6", "dark": "#6f737c"}
"""Colour of the classes that have none of their own."""
PLACES = (
    (11, 7, "left"),
    (-11, 7, "right"),
    (11, -14, "left"),
    (-11, -14, "right"),
    (0, 13, "center"),
    (0, -20, "center"),
)
"""Where the name of a center may stand, in points from it, the best place first."""


def draw(cloud: Cloud, look: Look) -> Figure:
    """Draw one marker per row, in the colour and shape of its class; a center is a large disc that holds its class's marker."""
    rows = cloud.rows
    largest = np.sort(np.argsort(-rows, kind="stable")[:MOST_NAMED])
    points, index = cloud.points, cloud.index
    styles = [_style(number, look) for number in range(len(largest))]
    labels = [f"{clean(cloud.names[k], 24)} (n = {rows[k]:,})" for k in largest]
    handles = [Line2D([], [], linestyle="", **_of_line(style)) for style in styles]
    others = ~np.isin(index, largest)
    figure = blank(look, WIDTH, 5.4 + legend_height([*labels, ""], WIDTH, HANDLE))
    axes = figure.subplots()
    dots = dict[str, Any](s=_area(len(points)), linewidths=0.8, rasterized=len(points) > VECTORS)
    if others.any():
        grey: dict[str, Any] = {"color": OTHERS[look.theme], "marker": "."}
        x, y = points[others].T
        axes.scatter(x, y, **dots, **grey)
        handles.append(Line2D([], [], linestyle="", **grey))
        left = len(cloud.names) - len(largest)
        labels.append(f"{count(left, 'other')} (n = {rows.sum() - rows[largest].sum():,})")
    turns = TURNS if len(points) > VECTORS else 1
    for turn in range(turns):
        for k, style in zip(largest, styles, strict=True):
            x, y = points[index == k][turn::turns].T
            axes.scatter(x, y, alpha=0.7, **dots, **style)
    for k, style in zip(largest, styles, strict=True):
        axes.plot(*cloud.centers[k], **_disc(look))
        axes.plot(*cloud.centers[k], linestyle="", zorder=3.1, **_of_line(style) | {"markersize": letters(6.5)})
    handles.append(Line2D([], [], **_disc(look) | {"markersize": letters(11)}))
    labels.append("center of a class" if cloud.centers_given else "mean of a class")
    axes.set_title(_left_out(cloud, len(points), rows if others.any() else None), fontsize=letters(8.5))
    axes.set_xlabel(clean(cloud.labels[0], 90))
    axes.set_ylabel(clean(cloud.labels[1], 90))
    spans = np.ptp(np.concatenate([points, cloud.centers[np.isfinite(cloud.centers).all(axis=1)]]), axis=0)
    if spans.min() * 5 > spans.max() or spans.min() <= FLAT * spans.max():
        axes.set_aspect("equal", adjustable="datalim")  # these losses depend on distances
    legend_below(figure, handles, labels, HANDLE, handlelength=1.2, columnspacing=1.4)
    headline(figure, clean(look.title, 200) if look.title is not None else _title(cloud))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong is said when the picture is written
        _name_centers(axes, cloud, largest, look)
    return figure


def _left_out(cloud: Cloud, points: int, rows: Array | None) -> str:
    """Return in words which points are not drawn and which classes have no colour, '' for none.

    Parameters
    ----------
    rows
        number of rows of each class; None if all classes have colours.
    """
    words = []
    samples = int(cloud.rows.sum())
    if points < samples:
        words.append(f"{points:,} of {count(samples, 'row')} drawn, chosen at random")
    if rows is not None:
        sizes = np.sort(rows)[::-1]
        which = "" if sizes[MOST_NAMED - 1] == sizes[MOST_NAMED] else " largest"
        words.append(f"{'the ' if which else ''}{MOST_NAMED}{which} of {len(sizes):,} classes in colour")
    return "; ".join(words)


def _area(points: int) -> float:
    """Return the area of a marker, in square points: the smaller, the more there are."""
    return letters(1) ** 2 * (26 if points < 2_000 else 10 if points < 10_000 else 5)


def _style(number: int, look: Look) -> dict[str, Any]:
    """Return colour and shape of a class: the first ten are filled, the others hollow and in another shape."""
    colours = COLOURS[look.theme]
    again, colour = divmod(number, len(colours))
    marker = MARKERS[(colour + len(MARKERS) // 2 * again) % len(MARKERS)]
    return {"marker": marker, "facecolors": "none" if again else colours[colour], "edgecolors": colours[colour]}


def _of_line(style: dict[str, Any]) -> dict[str, Any]:
    """Return the style of a class in the words that lines have for it."""
    return {
        "marker": style["marker"],
        "markerfacecolor": style["facecolors"],
        "markeredgecolor": style["edgecolors"],
        "color": style["edgecolors"],
    }


def _disc(look: Look) -> dict[str, Any]:
    """Return the style of a center, which no class has: a large disc in the colour of the ground with an edge."""
    edge = {"markeredgecolor": look.colours.ink, "markeredgewidth": 1.4}
    return {
        "marker": "o",
        "markersize": letters(15),
        "color": look.colours.ground,
        "linestyle": "",
        "zorder": 3,
        **edge,
    }


def _name_centers(axes: Axes, cloud: Cloud, named: Array, look: Look) -> None:
    """Write the names of classes beside their centers, where there is room; all of them are in the legend."""
    figure = axes.figure
    figure.draw_without_rendering()  # type: ignore[union-attr]  # only now the layout says where the centers are
    pixels, inside = letters(figure.dpi / 72), axes.get_window_extent()
    centers = {k: axes.transData.transform(cloud.centers[k]) for k in named if np.isfinite(cloud.centers[k]).all()}
    taken = [Bbox.from_extents(*(at - 8 * pixels), *(at + 8 * pixels)) for at in centers.values()]
    for k in centers:
        for x, y, align in PLACES:
            text = axes.annotate(
                clean(cloud.names[k], 16),
                cloud.centers[k],
                (letters(x), letters(y)),
                textcoords="offset points",
                ha=align,
                fontweight="bold",
                path_effects=[withStroke(linewidth=2.5, foreground=look.colours.ground)],
                zorder=4,
            )
            box = text.get_window_extent()
            within = inside.contains(box.x0, box.y0) and inside.contains(box.x1, box.y1)
            if within and not any(box.overlaps(one) for one in taken):
                taken.append(box)
                break
            text.remove()


def _title(cloud: Cloud) -> str:
    """Return the usual title."""
    ignored = f" ({cloud.ignored:,} ignored)" if cloud.ignored else ""
    of = f" of {cloud.dimensions:,} features" if cloud.dimensions > 2 else ""
    return f"{count(int(cloud.rows.sum()), 'sample')}{of}{ignored} in {count(len(cloud.names), 'class', 'classes')}"
