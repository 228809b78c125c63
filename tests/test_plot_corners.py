"""Corners of the pictures, and of what they are made of: extreme numbers, odd names, small sizes, wrong options."""

import os
import re
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import numpy as np
import pytest

from losscli.analysis.curves import default_range, shared_axis, trace
from losscli.engine.aggregates import EXACT_LOSSES, Quantiles
from losscli.engine.histogram import Histogram
from losscli.lookup.spec import specs
from losscli.plots import curves as picture
from losscli.plots.style import Look, drawing


def test_zeros_among_more_losses_than_are_kept_stay_zeros():
    losses = Quantiles.of(np.concatenate([np.zeros(EXACT_LOSSES), np.ones(9)]))
    assert not losses.exact
    assert losses.at((50,)) == [0.0]
    values, counts = losses.spectrum()
    assert (values[0], counts[0]) == (0.0, EXACT_LOSSES)
    found = Histogram.of(losses, 10, log=True)
    assert found.not_positive == EXACT_LOSSES


@pytest.mark.parametrize(
    "losses",
    [
        [5e-324, 1e-323],
        [1.0, np.nextafter(1, 2)],
        [-1.25e-9, np.nextafter(-1.25e-9, 0)],
        [1.7e308],
        [-1.7e308, 1.7e308],
    ],
)
@pytest.mark.parametrize("log", [None, False])
def test_bins_of_any_losses_hold_all_of_them(losses, log):
    found = Histogram.of(Quantiles.of(np.array(losses)), 30, log)
    assert (np.diff(found.edges) > 0).all()
    assert np.isfinite(found.edges).all()
    assert found.counts.sum() == len(losses)


@pytest.mark.parametrize("spec", ["huber:delta=none", "softmax-focal:gamma=none", "ramp:s=None"])
def test_a_parameter_that_needs_a_number_is_not_none(run, spec):
    run("plot", "curves", spec, "-o", "x.png").refuses(2, "cannot be none")


def test_a_parameter_that_may_be_none_may_be_said_to_be(run, folder):
    assert run("plot", "curves", "sigmoid-focal:alpha=none,0.5", "-o", "x.svg", "--data", "x.json").code == 0
    assert '"alpha": 0.5' in (folder / "x.json").read_text()


@pytest.mark.parametrize("spec", ["smooth-l1:beta=5e-324", "huber:delta=1e-310", "tukey:c=1e100"])
def test_parameters_of_any_size_are_drawn(process, spec):
    done = process("plot", "curves", spec, "-o", "x.png", "--mark")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize("words", [("mse", "--range=1e307,1e308"), ("mse", "--log", "--range=-1e300,1e300")])
def test_a_range_whose_squares_overflow_is_refused(run, folder, words):
    run("plot", "curves", *words, "-o", "x.png").refuses(2, "--range", "overflow")
    assert not list(folder.iterdir())


def figure_of(*texts, size=None, log=False):
    losses = specs(texts)
    axes = shared_axis(losses)[1]
    low, high = default_range(losses, axes)
    curves = [trace(bound, axes[bound.family.name], low, high) for bound in losses]
    look = Look(size=size)
    with drawing(look):
        figure = picture.draw(curves, axes[losses[0].family.name], look, log=log)
        figure.draw_without_rendering()
        boxes = [legend.get_window_extent() for legend in figure.legends]
        labels = [axis.label.get_window_extent() for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)]
    return SimpleNamespace(figure=figure, legends=boxes, labels=labels, whole=figure.bbox)


@pytest.mark.parametrize("number", [2, 6, 7, 12, 40])
def test_a_legend_of_any_sweep_is_in_the_picture(number):
    drawn = figure_of("softmax-focal:gamma=" + ",".join(str(i / 2) for i in range(number)))
    [box] = drawn.legends
    assert drawn.whole.x0 <= box.x0
    assert box.x1 <= drawn.whole.x1


@pytest.mark.parametrize("size", [(4, 3), (6, 4), (6.4, 4.8), (5, 8)])
@pytest.mark.parametrize("text", ["center", "bce", "l1"])
def test_labels_take_the_lines_that_they_need(text, size):
    drawn = figure_of(text, size=size)
    for i, box in enumerate(drawn.labels):
        assert drawn.whole.x0 - 3 <= box.x0
        assert box.x1 <= drawn.whole.x1 + 3
        assert not any(box.overlaps(other) for other in drawn.labels[:i])


def test_a_size_that_labels_cannot_fit_is_refused(run, folder):
    run("plot", "curves", "bce", "--log", "--size", "3,2", "-o", "x.png").refuses(2, "--size 3,2", "too small")
    assert not list(folder.iterdir())


def test_a_curve_that_would_vanish_is_not_cut():
    low, high = -1e-5, 1e-5
    losses = specs(["mse", "l1"])
    axes = shared_axis(losses)[1]["residual"]
    with drawing(Look()):
        figure = picture.draw([trace(bound, axes, low, high) for bound in losses], axes, Look())
    assert figure.axes[0].get_ylim()[1] >= 1e-5


@pytest.mark.parametrize("name", [b"\xff.npy", b"a\x01.npy"])
def test_names_of_files_that_are_no_text(run, save, folder, name):
    save("z.npy", 9 * np.eye(3))
    save("y.npy", [0, 1, 2])
    os.rename(b"z.npy", name)
    done = run("plot", "reliability", os.fsdecode(name), "y.npy", "-o", "x.svg")
    assert (done.code, done.out) == (0, "")
    ElementTree.parse(folder / "x.svg")
    assert run("plot", "features", os.fsdecode(name), "y.npy", "-o", "x.png").code == 0


def test_a_column_of_standard_input_holds_the_labels(run, write):
    write("x.csv", "u,v\n1,2\n3,4\n5,7\n")
    done = run("plot", "features", "x.csv", "-:label", "-o", "x.png", stdin=b"label\na\nb\na\n")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("samples", "ce", "p", "t", "--require", "mean<1"), ("plot samples takes no --require", "losscli compute")),
        (("samples", "--id", "id", "ce", "p", "t"), ("--id comes after the loss",)),
        (("reliability", "p", "t", "--sample-weight", "w"), ("No such option", "--sample-weight")),
    ],
)
def test_options_that_are_not_for_this_picture(run, words, parts):
    run("plot", *words, "-o", "x.png").refuses(2, *parts)


def test_losses_that_are_all_infinite_are_said_to_be(run, save, folder):
    p, t = save("p.npy", [[0.0, 1]] * 3), save("t.npy", [0] * 3)
    done = run("plot", "samples", "ce", p, t, "--from", "probs", "-o", "x.svg")
    assert done.code == 0
    assert done.err.startswith("losscli: warning: saturated-probabilities: p.npy[0]")
    assert "No distribution: no loss is finite." in " ".join(ElementTree.parse(folder / "x.svg").getroot().itertext())
    run("plot", "samples", "ce", p, t, "--from", "probs", "--panel", "distribution", "-o", "y.png").refuses(3, "finite")


def test_losses_that_are_all_zero_have_an_axis_to_be_read(run, save, folder):
    p, t = save("p.npy", [[1.0, 0], [0, 1]]), save("t.npy", [0, 1])
    assert run("plot", "samples", "ce", p, t, "--from", "probs", "--panel", "confidence", "-o", "x.svg").code == 0
    text = " ".join(ElementTree.parse(folder / "x.svg").getroot().itertext())
    assert " 0.8 " in text
    assert not re.search(r"\de[-\u2212]\d", text)
