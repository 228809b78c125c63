"""Pictures of the size that a user asks for: numbers of axes do not run into each other."""

from itertools import pairwise

import pytest
from matplotlib.ticker import MaxNLocator

from losscli.plots.style import Look, TooSmallError, blank, drawing, render

ABOUT = {"Title": "x", "Description": "x"}


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize(("size", "fewer"), [((2.0, 2.0), True), ((9.0, 3.0), False)])
def test_numbers_that_would_overlap_are_fewer(size, fewer, asked):
    look = Look(size=size if asked else None)
    with drawing(look):
        axes = blank(look, *size).subplots()
        axes.plot([0, 300_000], [0, 1])
        axes.xaxis.set_major_locator(MaxNLocator(6))
        render(axes.figure, ".png", look, ABOUT)
        axes.figure.draw_without_rendering()
        labels = axes.get_xticklabels()
    low, high = axes.get_xlim()
    boxes = [label.get_window_extent() for label in labels if low <= label.get_position()[0] <= high]
    assert (len(boxes) < 5) == fewer
    assert len(boxes) > 1
    assert not any(one.padded(5, 0).overlaps(other) for one, other in pairwise(boxes))


def test_names_of_classes_stay():
    look = Look(size=(2.0, 2.0))
    with drawing(look):
        axes = blank(look, 5, 5).subplots()
        axes.barh(["setosa", "versicolor", "virginica"], [1, 2, 3])
        render(axes.figure, ".png", look, ABOUT)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["setosa", "versicolor", "virginica"]


@pytest.mark.parametrize("what", ["legend", "number", "legends"])
def test_what_does_not_fit_is_refused(what):
    look = Look(size=(3.0, 3.0))
    with drawing(look):
        axes, other = blank(look, 3, 3).subplots(1, 2)
        axes.plot([0, 1], [0, 1], label="words")
        if what == "number":
            axes.set_yticks([0.5], ["a very long name of a class that is much wider than the whole figure is"])
            axes.set_in_layout(False)
        else:
            label = "x" * (80 if what == "legend" else 24)
            for one in (axes, other) if what == "legends" else (axes,):
                one.plot([0, 1], [1, 0], label=label)
                one.legend(loc="lower center", bbox_to_anchor=(0.5, 1)).set_in_layout(False)
        with pytest.raises(TooSmallError):
            render(axes.figure, ".png", look, ABOUT)
