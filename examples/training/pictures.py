"""The pictures for which `losscli plot` has no command: several runs side by side. In losscli's own style."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, MaxNLocator

from losscli.plots.style import MARKERS, Look, blank, drawing, ordered_style, plain_ticks, render, small_print, style_of

LOOK = Look()
Runs = Mapping[str, Mapping[str, Any]]


def save(path: Path, figure: Figure, title: str, about: str) -> None:
    small_print(figure, about)
    path.write_bytes(render(figure, ".png", LOOK, {"Title": title, "Description": about})[0])


def families(runs: Runs) -> dict[str, dict[str, dict[str, Any]]]:
    """The styles of runs in two groups, losses and lambdas; cross-entropy alone is in both: its lambda is 0."""
    losses = [name for name, run in runs.items() if not run["weight"]]
    weights = ["ce", *(name for name, run in runs.items() if run["weight"])]
    return {
        "losses": {name: style_of(number, LOOK) for number, name in enumerate(losses)},
        "center loss": {
            name: ordered_style(number, len(weights), LOOK) | {"marker": MARKERS[number], "markersize": 4}
            for number, name in enumerate(weights)
        },
    }


def label_of(run: Mapping[str, Any], group: str) -> str:
    return f"λ = {run['weight']:g}" if group == "center loss" else run["name"]


def beside(axes: Axes) -> None:
    """A legend at the right of the last panel of a row."""
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))


def curves(path: Path, runs: Runs, found: Mapping[str, Mapping[str, list[float]]], about: str) -> None:
    """Cross-entropy, focal loss and accuracy over the epochs."""
    with drawing(LOOK):
        figure = blank(LOOK, 10.5, 5.8)
        rows = figure.subplots(2, 3, sharex=True, sharey="col")
        for row, (group, styles) in zip(rows, families(runs).items(), strict=True):
            panels = zip(row, ("cross-entropy", "focal", "accuracy"), strict=True)
            for axes, what in panels:
                for name, style in styles.items():
                    values = found[name][what]
                    axes.plot(range(1, len(values) + 1), values, label=label_of(runs[name], group), **style)
                axes.set_ylabel({"focal": "focal loss (γ = 2)"}.get(what, what))
                if what != "accuracy":
                    axes.set_yscale("log")
                    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
                    plain_ticks(axes.yaxis)
                axes.tick_params(labelbottom=True, labelleft=True)
            row[0].set_title("losses" if group == "losses" else "cross-entropy + λ center loss", loc="left")
            beside(row[-1])
        for axes in rows[-1]:
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        save(path, figure, "losses and accuracy over the epochs", about)


def features(
    path: Path,
    found: Mapping[str, Any],
    labels: Any,
    spreads: Mapping[str, Mapping[str, float]],
    about: str,
) -> None:
    """The features of each lambda, above on one scale, below each on its own."""
    with drawing(LOOK):
        figure = blank(LOOK, 2.5 * len(found) + 0.4, 5.8)
        rows = figure.subplots(2, len(found), squeeze=False)
        reaches = {name: 1.06 * float(np.abs(points).max()) for name, points in found.items()}
        for column, (name, points) in enumerate(found.items()):
            one, own = spreads[name], reaches[name]
            above, below = rows[0][column], rows[1][column]
            for axes, reach in ((above, max(reaches.values())), (below, own)):
                scatter(axes, points, labels, named=axes is below)
                axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            above.set_title(f"λ = {one['lambda']:g}\nspread {one['spread']:.3g}")
            below.set_title(f"spread / nearest = {one['ratio']:.2f}")
            below.set_xlabel("feature 0")
        rows[0][0].set_ylabel("feature 1 (one scale)")
        rows[1][0].set_ylabel("feature 1 (own scales)")
        save(path, figure, "features by lambda", f"{about} | a digit stands at the mean of its class")


def scatter(axes: Axes, points: Any, labels: Any, named: bool) -> None:
    """One marker a row, in colour and shape of its class, and the digit at the mean of the class."""
    theme = LOOK.colours
    for digit in np.unique(labels):
        x, y = points[labels == digit].T
        colour = theme.colours[digit % len(theme.colours)]
        axes.scatter(x, y, s=9, marker=MARKERS[digit], alpha=0.6, linewidths=0.3, color=colour)
    for digit in np.unique(labels) if named else ():
        middle = points[labels == digit].mean(axis=0)
        edge = [withStroke(linewidth=3, foreground=theme.ground)]
        axes.text(*middle, str(digit), ha="center", va="center", weight="bold", size=11, path_effects=edge)


def distributions(path: Path, runs: Runs, losses: Mapping[str, Any], about: str) -> None:
    """How many rows have a cross-entropy of at most so much."""
    with drawing(LOOK):
        figure = blank(LOOK, 10.5, 4.0)
        panels = figure.subplots(1, 2, sharey=True)
        least = max(1e-9, min(float(values.min()) for values in losses.values()))
        for axes, (group, styles) in zip(panels, families(runs).items(), strict=True):
            for name, style in styles.items():
                ordered = np.sort(np.maximum(losses[name], least))
                part = np.arange(1, len(ordered) + 1) / len(ordered)
                every = {"markevery": max(1, len(ordered) // 12)} if "marker" in style else {}
                axes.plot(ordered, part, label=label_of(runs[name], group), **style, **every)
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(numticks=6))
            plain_ticks(axes.xaxis)
            axes.set_xlabel("cross-entropy of a row")
            axes.tick_params(labelleft=True)
            axes.set_title("losses" if group == "losses" else "cross-entropy + λ center loss", loc="left")
            beside(axes)
        panels[0].set_ylabel("part of the rows with at most that")
        save(path, figure, "distribution of the rows' losses", about)
