"""What tests read from the artists of a Figure."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.patches import Rectangle, StepPatch


def near(expected, rel=1e-9, abs=1e-12):
    return pytest.approx(expected, rel=rel, abs=abs)


def table(names, *columns):
    """Columns as text with commas; Python's shortest digits."""
    rows = "".join(",".join(str(cell) for cell in row) + "\n" for row in zip(*columns, strict=True))
    return f"{names}\n{rows}"


def panel(figure):
    [axes] = figure.axes
    return axes


def stairs(axes):
    """Counts and edges of a histogram, which is drawn as an area and as its outline."""
    area, outline = (patch for patch in axes.patches if isinstance(patch, StepPatch))
    for one, other in zip(area.get_data()[:2], outline.get_data()[:2], strict=True):
        assert np.array_equal(one, other)
    return area.get_data().values, area.get_data().edges


def bars(axes):
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def legend(axes):
    """What the legend calls each line -> where the line is."""
    lines = {line.get_label(): line for line in axes.lines}
    return {text.get_text(): lines[text.get_text()] for text in axes.get_legend().get_texts()}


def marks(axes):
    """The names of vertical lines, without what they are before -> where they stand."""
    names = {label.rsplit(" ", 1)[0].removeprefix("unweighted ").partition(",")[0]: label for label in legend(axes)}
    return {name: legend(axes)[label].get_xdata()[0] for name, label in names.items()}


def ticks(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def mesh(axes):
    """Counts of the cells of a square, first those at the bottom, and the edges of both axes, which are the same."""
    [drawn] = (part for part in axes.collections if isinstance(part, QuadMesh))
    corners = np.asarray(drawn.get_coordinates())
    assert corners[0, :, 0] == near(corners[:, 0, 1])
    return np.ma.filled(drawn.get_array(), 0), corners[:, 0, 1]


def of_text(text):
    """A panel's texts."""
    return [part.get_text() for part in text.texts]


LOSSES_DRAWN = np.array([0.5, 3.0, 1.0, 0.25, 2.0, 4.0, 1.5, 0.0])


def numbers(figure):
    """All that is drawn from numbers, in one list."""
    found = []
    for axes in figure.axes:
        for patch in axes.patches:
            data = np.concatenate(patch.get_data()[:2]) if isinstance(patch, StepPatch) else [patch.get_width()]
            found += np.asarray(data, float).tolist()
        for line in axes.lines:
            found += np.asarray(line.get_ydata() if len(line.get_xdata()) > 2 else line.get_xdata(), float).tolist()
        for part in axes.collections:
            found += np.ma.filled(part.get_array(), 0).ravel().tolist()
    return [*found, figure.get_suptitle().partition(": ")[2]]


def clouds(axes):
    return [part for part in axes.collections if isinstance(part, PathCollection)]


def discs(axes):
    """The centers of classes, which are larger than any other marker; each has its class's marker on it."""
    return [line for line in axes.lines if line.get_markersize() == 15]


def names_of(figure):
    [drawn] = figure.legends
    return [text.get_text() for text in drawn.get_texts()]


def numbers_of_anything(figure):
    found = []
    for axes in figure.axes:
        found += [bar.get_height() for bar in bars(axes)]
        found += [np.asarray(line.get_xydata()).tolist() for line in axes.lines]
        found += [part.get_offsets().tolist() for part in clouds(axes)]
    return found


def overlap(one, other):
    """How many pixels two boxes share on their shorter side; below 0 they are apart."""
    return min(min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0))
