"""Curves of the gallery: in words, and as SVG that is written without Matplotlib."""

import re

import numpy as np
import pytest

from losscli.analysis.curves import default_range, trace
from losscli.gallery.curve_words import described
from losscli.gallery.sliders import slider_of
from losscli.gallery.svg import labels, limits, panel, path, plain, sparkline, ticks
from losscli.losses import LOSSES

PARAMETERS = [(loss, item) for loss in LOSSES.values() for item in loss.parameters.values()]


def curve(name, axis=None, **parameters):
    bound = LOSSES[name].bind(**parameters)
    axes = bound.family.axes
    chosen = axes[axis or next(iter(axes))]
    return trace(bound, chosen, *default_range([bound], {bound.family.name: chosen}))


@pytest.mark.parametrize(
    ("name", "axis", "words"),
    [
        ("squared-error", None, "From r = -3 to 3 the loss falls from 9 to 0 at r = 0, then rises to 9. Its gradient over r lies between -6 and 6."),
        ("absolute-error", None, "falls from 3 to 0 at r = 0, then rises to 3. Its gradient over r lies between -1 and 1, and jumps at r = 0."),
        ("hinge", None, "falls from 4 to 0 at m = 1, then stays at 0. Its gradient over m lies between -1 and 0, and jumps at m = 1."),
        ("zero-one", None, "stays at 1, then jumps from 1 to 0 at m = 0, then stays at 0. Its gradient over m is 0 everywhere."),
        ("softmax-cross-entropy", "probability", "falls from infinity to 0. Its gradient over p lies between -infinity and -1."),
        ("truncated-squared", None, "stays at 2 until r = -2, then falls to 0 at r = 0, then rises to 2 at r = 2, then stays at 2."),
        ("wasserstein-gan", None, "falls from 3 to -3. Its gradient over s is -1 everywhere."),
    ],
)  # fmt: skip
def test_a_curve_in_words(name, axis, words):
    shown = curve(name, axis)
    letter = next(iter(LOSSES[name].family.axes.values())).letter if axis is None else axis[0]
    assert words in described(shown, letter)


@pytest.mark.parametrize("name", LOSSES)
def test_words_are_short(name):
    assert len(described(curve(name), "x")) < 260


def test_a_small_curve_is_interrupted_where_it_jumps():
    drawn = {name: re.search(r'class="line" d="([^"]*)"', sparkline(curve(name)))[1] for name in ("hinge", "zero-one")}
    assert drawn["hinge"].count("M") == 1
    assert drawn["hinge"].count("L") == 2  # three points say all
    assert drawn["zero-one"].count("M") == 2


def test_a_panel_has_a_dot_where_the_gradient_jumps():
    shown = panel(curve("hinge"), "slope", "gradient", "m", "falls & <stays>")
    assert shown.count("<circle") == 1
    assert 'aria-label="gradient: falls &amp; &lt;stays&gt;"' in shown
    assert "style=" not in shown  # which the policy of the pages forbids


def test_limits_hold_all_values_and_zero_and_leave_out_infinity():
    low, high = limits(np.array([2.0, 3.0]), "value")
    assert low < 0
    assert 3 < high < 3.3
    falling = np.concatenate([[np.inf], np.linspace(5, 1, 1000)])
    assert limits(falling, "value")[1] < 5.4
    assert limits(np.array([np.inf, np.nan, np.inf]), "value") == pytest.approx((-0.06, 1.06))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-3.0, 3.0, [-3, -2, -1, 0, 1, 2, 3]),
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-0.06, 1.06, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-1e-9, 1e-9, [-1e-9, -5e-10, 0, 5e-10, 1e-9]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_numbers_as_text():
    numbers = [1225.0, 2.0, -0.5, 1 / 3, 1e-5, 4.56789e-7, 123456.0, np.inf, -np.inf, 0.0, -0.0]
    assert list(map(plain, numbers)) == ["1230", "2", "-0.5", "0.333", "1e-5", "4.57e-7", "123000", "infinity", "-infinity", "0", "0"]  # fmt: skip
    assert labels([-1.5]) == ["\N{MINUS SIGN}1.5"]


def test_points_on_a_line_are_left_out():
    x = np.linspace(0, 100, 1001)
    assert path(x, 2 * x, 0.1) == "M0 0L100 200"
    assert path(x, np.abs(x - 50), 0.1) == "M0 50L50 0L100 50"
    circle = path(x, np.sqrt(100**2 - x**2), 0.1)
    assert 8 < circle.count("L") < 40


@pytest.mark.parametrize(("loss", "item"), PARAMETERS, ids=lambda one: getattr(one, "name", ""))
def test_sliders_stay_in_the_domain_and_reach_the_default(loss, item):
    slider = slider_of(item)
    assert slider.low in item.domain
    assert slider.high in item.domain
    assert slider.low < slider.high
    if item.default is not None:
        assert slider.low <= item.default <= slider.high
    if slider.scale == "whole":
        step = (slider.high - slider.low) / slider.steps
        assert all(slider.low + place * step in item.domain for place in range(slider.steps + 1))
