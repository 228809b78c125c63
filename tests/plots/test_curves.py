"""`plot curves`: what the artists of the figure hold, what the files hold, and what is refused.

Pictures are compared by their data, never pixel by pixel. What is drawn is compared with the formulas in 60 digits.
"""

import csv
import functools
import itertools
import json
import math
import os
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from commands import strict
from curve_points import FIRST, SWEPT, axis_of, cases, near, true, undefined_by_the_oracle
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from losscli.analysis.curves import Curve, Setting, default_range, shared_axis, swept, trace
from losscli.cli.options.picture import pair
from losscli.errors import UsageError
from losscli.lookup.spec import specs
from losscli.losses import LOSSES
from losscli.plots.curves import draw, typeset
from losscli.plots.style import THEMES, Look, clean, drawing, ordered_style, scales, style_of, title_of

POINTS = 100
"""A line of more points than these is a curve; others are marks and jumps."""


DRAWN = cases(*FIRST, *SWEPT)
"""What is drawn does not depend on the loss but by its numbers, of which tests/analysis/test_curves.py tests all."""


@dataclass(frozen=True)
class Picture:
    figure: Figure
    curves: list[Curve]
    over: str

    @property
    def panels(self) -> list[Axes]:
        return self.figure.axes

    def lines(self, panel: int = 0) -> list[Line2D]:
        """The curves of a panel, in the order in which they were drawn."""
        return [line for line in self.panels[panel].get_lines() if len(line.get_xdata()) > POINTS]

    def points(self, panel: int = 0) -> list[tuple[float, float, bool]]:
        """The single points of a panel: where they are, and whether they are filled."""
        return [
            (float(line.get_xdata()[0]), float(line.get_ydata()[0]), line.get_markerfacecolor() != "none")
            for line in self.panels[panel].get_lines()
            if line.get_marker() == "o"
        ]

    def verticals(self, panel: int = 0) -> list[float]:
        """Where lines go from the bottom of a panel to its top."""
        return sorted(
            float(line.get_xdata()[0])
            for line in self.panels[panel].get_lines()
            if list(line.get_ydata()) == [0, 1] and line.get_transform() == self.panels[panel].get_xaxis_transform()
        )

    def names(self, panel: int = 0) -> dict[float, str]:
        """What stands over a panel: the names of the marks by their places."""
        found: dict[float, str] = {}
        for top in self.panels[panel].child_axes:
            labels = [label.get_text() for label in top.get_xticklabels()]
            found |= dict(zip(map(float, top.get_xticks()), labels, strict=True))
        return found

    def legend(self) -> list[str]:
        return [text.get_text() for legend in self.figure.legends for text in legend.get_texts()]


@functools.cache
def picture(
    *texts: str, over: str | None = None, span: tuple[float, float] | None = None, look: Look = Look(), **options: Any
) -> Picture:
    losses = specs(texts)
    name, axes = shared_axis(losses, over)
    low, high = span or default_range(losses, axes)
    curves = [trace(bound, axes[bound.family.name], low, high) for bound in losses]
    with drawing(look):
        return Picture(draw(curves, axes[losses[0].family.name], look, **options), curves, name)


def value_at(line: Line2D, x: float) -> float:
    return float(line.get_ydata()[np.flatnonzero(line.get_xdata() == x)[0]])


class TestArtists:
    @pytest.mark.parametrize(("text", "over"), DRAWN)
    def test_panels_hold_value_and_gradient_of_the_formula(self, text, over):
        drawn = picture(text, over=over)
        (curve,) = drawn.curves
        assert len(drawn.panels) == 2
        jumping = [{at.x for at in curve.jumps(what)} for what in ("value", "slope")]
        for panel in (0, 1):
            (line,) = drawn.lines(panel)
            x, y = line.get_xdata(), line.get_ydata()
            for i in (*range(0, len(x), 97), len(x) - 1):
                if x[i] in jumping[panel] or undefined_by_the_oracle(curve, over, x[i]):
                    continue
                expected = true(curve.bound, over, float(x[i]))[panel]
                # What is infinite cannot be drawn.
                assert math.isnan(y[i]) if math.isinf(expected) else y[i] == near(expected), x[i]

    @pytest.mark.parametrize(("text", "over"), DRAWN)
    def test_axes_are_called_as_they_are_declared(self, text, over):
        drawn, axis = picture(text, over=over), axis_of(text, over)
        # In as many lines as it needs.
        assert [panel.get_xlabel().replace("\n", " ") for panel in drawn.panels] == [typeset(axis.label)] * 2
        assert [panel.get_ylabel() for panel in drawn.panels] == [
            f"loss f({axis.letter})",
            f"gradient df/d{axis.letter}",
        ]
        low, high = default_range([drawn.curves[0].bound], shared_axis([drawn.curves[0].bound], over)[1])
        assert [panel.get_xlim() for panel in drawn.panels] == [(low, high), (low, high)]

    def test_a_sweep_is_a_line_a_value(self):
        drawn = picture("softmax-focal:gamma=0,0.5,1,2,5")
        for panel in (0, 1):
            assert len(drawn.lines(panel)) == 5
        for gamma, value, slope in zip((0, 0.5, 1, 2, 5), drawn.lines(0), drawn.lines(1), strict=True):
            q, log_p = 0.75, math.log(0.25)
            assert value_at(value, 0.25) == pytest.approx(-(q**gamma) * log_p, rel=1e-14)
            expected = gamma * q ** (gamma - 1) * log_p - q**gamma / 0.25
            assert value_at(slope, 0.25) == pytest.approx(expected, rel=1e-13)

    def test_losses_of_several_families_are_drawn_together(self):
        drawn = picture("hinge", "logistic", "bce", "zero-one", "ramp", over="margin")
        values = [value_at(line, -2.0) for line in drawn.lines(0)]
        softplus = math.log1p(math.exp(2))
        assert values == pytest.approx([3, softplus, softplus, 1, 2], rel=1e-14)
        sigmoid = 1 / (1 + math.exp(-2))
        assert [value_at(line, -2.0) for line in drawn.lines(1)] == pytest.approx([-1, -sigmoid, -sigmoid, 0, 0])

    def test_without_the_gradient_there_is_one_panel(self):
        drawn = picture("huber", gradient=False)
        assert [panel.get_ylabel() for panel in drawn.panels] == ["loss f(r)"]

    @pytest.mark.parametrize("size", [(10, 4), (6, 6)])
    def test_panels_are_beside_each_other_in_a_wide_picture(self, size):
        value, gradient = (panel.get_subplotspec() for panel in picture("mse", look=Look(size=size)).panels)
        assert value.get_gridspec().get_geometry() == (1, 2)
        assert (value.colspan.start, gradient.colspan.start) == (0, 1)

    def test_panels_are_below_each_other_in_a_high_picture(self):
        value, gradient = (panel.get_subplotspec() for panel in picture("mse", look=Look(size=(5, 7))).panels)
        assert value.get_gridspec().get_geometry() == (2, 1)
        assert (value.rowspan.start, gradient.rowspan.start) == (0, 1)

    def test_a_size_is_the_figures(self):
        assert picture("mse", look=Look(size=(5, 7))).figure.get_size_inches().tolist() == [5, 7]

    def test_a_range_is_drawn_from_end_to_end(self):
        drawn = picture("huber:delta=1,2", span=(-0.5, 7.25))
        for line in (*drawn.lines(0), *drawn.lines(1)):
            assert (line.get_xdata()[0], line.get_xdata()[-1]) == (-0.5, 7.25)
        assert {panel.get_xlim() for panel in drawn.panels} == {(-0.5, 7.25)}

    @pytest.mark.parametrize("options", [{}, {"log": True}], ids=["linear", "log"])
    def test_numbers_that_cannot_be_drawn_are_no_part_of_a_line(self, options):
        for panel in (0, 1):
            (line,) = picture("ce", **options).lines(panel)
            assert not np.isinf(line.get_ydata()).any()
            assert np.isfinite(line.get_ydata()).sum() == len(line.get_ydata()) - 1


class TestJumps:
    def test_a_kink_is_a_kink_and_a_jump_of_the_gradient_a_jump(self):
        drawn = picture("hinge")
        value, slope = drawn.lines(0)[0], drawn.lines(1)[0]
        assert not np.isnan(value.get_xdata()).any()
        assert value_at(value, 1.0) == 0
        x, y = slope.get_xdata(), slope.get_ydata()
        (gap,) = np.flatnonzero(np.isnan(x))
        assert (x[gap - 1], y[gap - 1], x[gap + 1], y[gap + 1]) == (1.0, -1, 1.0, 0)
        assert set(y[:gap]) == {-1.0}
        assert set(y[gap + 1 :]) == {0.0}

    @pytest.mark.parametrize(
        ("text", "panel", "expected"),
        [
            ("hinge", 0, []),
            ("hinge", 1, [(1.0, 0.0)]),
            ("mae", 1, [(0.0, 0.0)]),
            ("zero-one", 0, [(0.0, 1.0)]),
            ("zero-one", 1, []),
            ("ramp", 1, [(-1.0, 0.0), (1.0, 0.0)]),
            ("squared-hinge", 1, []),
            ("huber", 1, []),
        ],
    )
    def test_a_dot_says_what_a_function_takes_at_its_jump(self, text, panel, expected):
        assert sorted(point[:2] for point in picture(text).points(panel) if point[2]) == expected

    def test_a_thin_line_joins_the_ends_of_a_jump(self):
        drawn = picture("mae")
        short = [line for line in drawn.panels[1].get_lines() if len(line.get_xdata()) == 2]
        assert [(list(line.get_xdata()), list(line.get_ydata())) for line in short] == [([0.0, 0.0], [-1.0, 1.0])]
        assert short[0].get_linewidth() < drawn.lines(1)[0].get_linewidth()
        assert to_hex(short[0].get_color()) == to_hex(drawn.lines(1)[0].get_color())

    def test_a_jump_has_the_colour_of_its_curve(self):
        drawn = picture("logistic", "hinge")
        (dot,) = [line for line in drawn.panels[1].get_lines() if line.get_marker() == "o"]
        assert to_hex(dot.get_color()) == to_hex(drawn.lines(1)[1].get_color())


class TestMarks:
    @pytest.mark.parametrize(
        ("texts", "names"),
        [
            (("huber:delta=0.5",), {-0.5: "$-\\delta = -0.5$", 0.5: "$\\delta = 0.5$"}),
            (("smooth-l1",), {-1: "$-\\beta = -1$", 1: "$\\beta = 1$"}),
            (("tukey",), {-4.6851: "$-c = -4.6851$", 4.6851: "$c = 4.6851$"}),
            (("hinge",), {1: "$m = 1$"}),
            (("squared-hinge",), {1: "$m = 1$"}),
            (("ramp:s=-2",), {-2: "$s = -2$", 1: "$m = 1$"}),
            (("zero-one",), {0: "$m = 0$"}),
            (("mae",), {0: "$r = 0$"}),
            (("hinge", "ramp", "zero-one", "logistic"), {-1: "$s = -1$", 0: "$m = 0$", 1: "$m = 1$"}),
            (
                ("huber", "smooth-l1:beta=1,2"),
                {
                    -2: "$-\\beta = -2$",
                    -1: "$-\\delta,\\, -\\beta = -1$",
                    1: "$\\delta,\\, \\beta = 1$",
                    2: "$\\beta = 2$",
                },
            ),
            (("mse",), {}),
        ],
    )
    def test_names_stand_over_the_points_where_a_loss_changes_its_form(self, texts, names):
        drawn = picture(*texts, mark=True)
        for panel in (0, 1):
            assert drawn.names(panel) == names
            assert sorted(set(drawn.verticals(panel))) == sorted(names)

    def test_rings_are_on_the_curves(self):
        drawn = picture("huber:delta=0.5,2", mark=True)
        rings = [sorted(point[:2] for point in drawn.points(panel) if not point[2]) for panel in (0, 1)]
        assert rings[0] == [(-2.0, 2.0), (-0.5, 0.125), (0.5, 0.125), (2.0, 2.0)]
        assert rings[1] == [(-2.0, -2.0), (-0.5, -0.5), (0.5, 0.5), (2.0, 2.0)]

    def test_a_mark_has_the_colour_of_its_curve(self):
        drawn = picture("logistic", "hinge", mark=True)
        rings = [line for line in drawn.panels[0].get_lines() if line.get_marker() == "o"]
        assert [to_hex(ring.get_color()) for ring in rings] == [to_hex(drawn.lines(0)[1].get_color())]

    def test_only_the_marks_within_the_range(self):
        drawn = picture("huber", span=(0.0, 3.0), mark=True)
        assert drawn.names() == {1: "$\\delta = 1$"}
        assert drawn.verticals() == [1]

    def test_none_unless_asked_for(self):
        drawn = picture("huber")
        assert (drawn.names(), drawn.verticals(), drawn.points()) == ({}, [], [])

    def test_names_do_not_lie_on_each_other(self):
        drawn = picture("hinge", "ramp", "zero-one", mark=True)
        drawn.figure.draw_without_rendering()
        for panel in drawn.panels:
            (top,) = panel.child_axes
            boxes = [label.get_window_extent() for label in top.get_xticklabels()]
            assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))

    def test_names_next_to_each_other_are_turned(self):
        (top,) = picture("huber:delta=1,1.3", mark=True).panels[0].child_axes
        assert all(label.get_rotation() > 30 for label in top.get_xticklabels())
        (top,) = picture("huber:delta=2", mark=True).panels[0].child_axes
        assert all(label.get_rotation() == 0 for label in top.get_xticklabels())


class TestLimits:
    # Curves that are finite: also one without a slope, and one that is below 0.
    @pytest.mark.parametrize(
        "text",
        [
            # The gradient of negative-binomial-nll is -7.5 at one end, and below 0.2 in the middle: it is cut there.
            *(
                text
                for text in FIRST
                if "probability" not in LOSSES[text].family.axes and text != "negative-binomial-nll"
            ),
            *("zero-one", "welsch", "tukey", "ramp:s=-2.5", "savage", "poisson-deviance", "log-gamma"),
        ],
    )
    def test_all_of_a_finite_curve_is_in_view_with_zero(self, text):
        drawn = picture(text)
        for panel in (0, 1):
            y = drawn.lines(panel)[0].get_ydata()
            low, high = drawn.panels[panel].get_ylim()
            least, most = min(0, np.nanmin(y)), max(0, np.nanmax(y))
            assert low < least
            assert high > most or least == most == 0
            assert most - least >= 0.8 * (high - low) or least == most

    @pytest.mark.parametrize(("text", "over"), [("ce", "probability"), ("bce", "probability")])
    def test_a_curve_that_goes_to_infinity_does_not_flatten_the_rest(self, text, over):
        drawn = picture(text, over=over)
        low, high = drawn.panels[0].get_ylim()
        assert low < 0
        assert -math.log(0.05) < high < -math.log(0.001)
        low, high = drawn.panels[1].get_ylim()
        assert -1 / 0.02 < low < -1 / 0.15
        assert high > 0

    def test_a_curve_that_outgrows_all_others_does_not_flatten_them(self):
        # 9 and 6 at the ends, beside 2.5 and 1 of huber.
        for panel, most in ((0, 2.5), (1, 1.0)):
            drawn = picture("mse", "huber")
            low, high = drawn.panels[panel].get_ylim()
            assert most < high < 2 * most
            assert np.nanmax(drawn.lines(panel)[0].get_ydata()) == pytest.approx((9, 6)[panel])
            assert low < (0, -most)[panel]
            assert low > (-most, -2 * most)[panel]

    def test_zero_is_in_view_where_no_curve_comes_near_it(self):
        drawn = picture("mse", span=(10.0, 11.0))
        for panel in drawn.panels:
            assert panel.get_ylim()[0] < 0
        drawn = picture("hinge", span=(-11.0, -10.0))
        assert drawn.panels[1].get_ylim()[1] > 0

    def test_curves_of_like_size_are_all_in_view(self):
        drawn = picture("mse", "half-squared-error")
        assert drawn.panels[0].get_ylim()[1] > 9
        assert drawn.panels[1].get_ylim()[0] < -6

    def test_what_is_flat_is_in_the_middle_of_its_panel(self):
        drawn = picture("zero-one", span=(1.0, 2.0))
        for panel in drawn.panels:
            low, high = panel.get_ylim()
            assert low < 0 < high

    def test_a_flat_curve_beside_another_does_not_cut_it(self):
        drawn = picture("zero-one", "hinge")
        assert drawn.panels[1].get_ylim()[0] < -1


class TestCut:
    """Curves that would flatten the others are cut, and the legend says so."""

    def test_exponential_does_not_flatten_the_hinge(self):
        drawn = picture("exponential", "hinge", "logistic")
        assert 4 < drawn.panels[0].get_ylim()[1] < 8
        assert -2 < drawn.panels[1].get_ylim()[0] < -1
        (legend,) = drawn.figure.legends
        said = legend.get_title().get_text().replace("\n", " ")
        assert said == "cut off: loss of exponential, up to 20.1; gradient of exponential, down to −20.1"

    def test_most_curves_are_not_cut_for_the_sake_of_the_smallest(self):
        drawn = picture("exponential", "squared-hinge", "hinge", "logistic", "zero-one")
        assert 4 < drawn.panels[0].get_ylim()[1] < 8

    def test_a_cut_curve_stays_over_a_good_part_of_the_axis(self):
        for panel in (0, 1):
            drawn = picture("exponential", "hinge", span=(-20.0, 20.0))
            line = drawn.lines(panel)[0]
            low, high = drawn.panels[panel].get_ylim()
            assert np.mean((line.get_ydata() >= low) & (line.get_ydata() <= high)) >= 0.25

    def test_a_curve_that_is_as_large_as_another_in_the_other_direction_is_not_cut(self):
        losses = specs(["bce"])
        axes = shared_axis(losses)[1]
        curves = [trace(losses[0], axes["sigmoid"], -6.0, 6.0, Setting(target=t)) for t in (0.0, 0.3, 1.0)]
        with drawing(Look()):
            figure = draw(curves, axes["sigmoid"], Look())
        low, high = figure.axes[1].get_ylim()
        assert low < -1 / (1 + math.exp(-6))  # t = 1 at z = -6
        assert high > 1 / (1 + math.exp(-6))  # t = 0 at z = 6
        assert figure.legends[0].get_title().get_text() == ""

    def test_nothing_is_cut_where_a_curve_in_the_other_direction_takes_the_room(self):
        losses = specs(["bce"])
        axes = shared_axis(losses)[1]
        settings = [Setting(pos_weight=w, target=t) for w, t in ((2.6, 1.0), (1.0, 0.0))]  # gradients -2.6 to 0, 0 to 1
        with drawing(Look()):
            figure = draw(
                [trace(losses[0], axes["sigmoid"], -6.0, 6.0, each) for each in settings], axes["sigmoid"], Look()
            )
        assert figure.axes[1].get_ylim()[0] < -2.59

    def test_a_curve_that_is_cut_in_both_directions_is_said_to_be(self):
        drawn = picture("mse", "huber")
        assert -2 < drawn.panels[1].get_ylim()[0] < drawn.panels[1].get_ylim()[1] < 2
        said = drawn.figure.legends[0].get_title().get_text().replace("\n", " ")
        assert said == "cut off: loss of squared-error, up to 9; gradient of squared-error, from −6 to 6"

    def test_a_curve_that_is_cut_on_its_way_to_infinity_is_said_to_go_there(self):
        drawn = picture("pearson-chi-square", "squared-hellinger", over="probability")  # 1 / p - 1, 1 - sqrt(p)
        said = drawn.figure.legends[0].get_title().get_text().replace("\n", " ")
        assert said.startswith("cut off: loss of pearson-chi-square, up to ∞")

    def test_nothing_is_cut_where_that_would_not_help(self):
        drawn = picture("mse", "huber:delta=0.001")
        assert drawn.panels[0].get_ylim()[1] > 9
        assert drawn.figure.legends[0].get_title().get_text() == ""

    def test_a_plateau_shows(self):
        drawn = picture("triplet")
        assert drawn.panels[0].get_ylim()[1] > 2
        assert drawn.panels[0].get_xlim() == (0, 2)

    def test_a_curve_that_is_steep_at_an_end_of_a_range_looks_as_one_that_is_infinite_there(self):
        for low in (0.0, 1e-9):  # the gradient is -1 / p
            assert -50 < picture("ce", span=(low, 1.0)).panels[1].get_ylim()[0] < -5
        assert picture("pearson-chi-square").panels[0].get_ylim()[1] < 60  # nearly 1 / p
        assert picture("gamma-deviance").panels[1].get_ylim()[0] > -30  # -90 at the end

    def test_a_curve_that_is_infinite_inside_the_range(self):
        drawn = picture("log-box-iou", span=(0.0, 3.0))
        assert 2 < drawn.panels[0].get_ylim()[1] < 8
        assert drawn.panels[1].get_ylim()[1] < 100

    def test_an_asked_for_range_is_exact_and_that_of_values(self):
        plain = picture("exponential", "hinge")
        asked = picture("exponential", "hinge", shown=(-1.0, 2.5))
        assert asked.panels[0].get_ylim() == (-1, 2.5)
        assert asked.panels[1].get_ylim() == plain.panels[1].get_ylim()
        assert picture("mse", shown=(0.01, 20.0), log=True).panels[0].get_ylim() == (0.01, 20)


class TestInfinite:
    """A curve that goes to infinity leaves the panel: it must not end inside, as if it had a value there."""

    @pytest.mark.parametrize("log", [False, True])
    @pytest.mark.parametrize(
        ("text", "setting", "ends"),
        [
            ("bce", {"label_smoothing": 0.2}, {0.0: (1, -1), 1.0: (1, 1)}),  # -0.9 log p - 0.1 log(1 - p)
            ("ce", {"target": 0.5}, {0.0: (1, -1), 1.0: (1, 1)}),
            ("bce", {"target": 0.0}, {1.0: (1, 1)}),
            ("generalized-cross-entropy", {}, {0.0: (0, -1)}),  # -p**(q - 1)
        ],
    )
    def test_a_curve_goes_to_the_edge_of_its_panel_where_it_is_infinite(self, text, setting, ends, log):
        losses = specs([text])
        axes = shared_axis(losses, "probability")[1]
        axis = axes[losses[0].family.name]
        with drawing(Look()):
            figure = draw([trace(losses[0], axis, 0.0, 1.0, Setting(**setting))], axis, Look(), log=log)
        for panel, signs in zip(figure.axes, zip(*ends.values(), strict=True), strict=True):
            (line,) = (line for line in panel.get_lines() if len(line.get_xdata()) > POINTS)
            seen = np.isfinite(line.get_ydata())
            x, y = line.get_xdata()[seen], line.get_ydata()[seen]
            assert (np.diff(np.unique(x)) < 0.01).all()
            for at, sign in zip(ends, signs, strict=True):
                edge = panel.get_ylim()[sign > 0]
                if sign:
                    assert sign * y[0 if at == 0 else -1] >= sign * edge
                    assert x[0 if at == 0 else -1] == at

    def test_a_curve_that_is_infinite_inside_the_range_leaves_the_panel_there(self):
        drawn = picture("log-box-iou", span=(0.0, 3.0))
        (line,) = drawn.lines(0)
        seen = np.isfinite(line.get_ydata())
        assert line.get_ydata()[seen][-1] >= drawn.panels[0].get_ylim()[1]
        assert line.get_xdata()[seen][-1] == 1

    def test_a_point_at_which_a_curve_only_jumps_to_infinity_is_not_joined(self):
        (line,) = picture("arcface").lines(1)  # the gradient is 0 beside it
        assert np.nanmax(np.abs(line.get_ydata()[:50])) < 1e-3


class TestSmall:
    @pytest.mark.parametrize("size", [(3, 2.5), (4, 4), (2.5, 3.5)])
    @pytest.mark.parametrize(
        "words",
        [
            ("softmax-focal:gamma=0,0.5,1,2,5",),
            ("l1", "l2", "smooth-l1", "tukey"),
            ("lovasz-softmax",),
            ("huber", "--mark"),
            ("bce", "--log"),
            ("mse", "--no-gradient"),
        ],
    )
    def test_small_pictures_lay_out_again(self, run, folder, words, size):
        done = run("plot", "curves", *words, "--size", f"{size[0]},{size[1]}", "-o", "x.svg", "--dpi", "40")
        assert done.code == 0, done.err

    @pytest.mark.parametrize("text", ["mse", "ce"])
    def test_one_curve_has_room_in_less(self, run, folder, text):
        assert run("plot", "curves", text, "--size", "2.5,2", "-o", "x.svg").code == 0

    def test_letters_get_smaller_down_to_six_points_and_then_it_is_refused(self):
        assert scales(Look()) == (1,)
        assert scales(Look(size=(8, 5))) == (1, 0.85, 0.75, 0.65)
        first, *others = scales(Look(size=(3, 2.5)))
        assert first == 0.65 or 0.65 < first < 1
        assert list(others) == sorted(others, reverse=True)
        assert 9.5 * scales(Look(size=(1, 1)))[-1] == pytest.approx(6, abs=0.2)

    def test_narrow_panels_stand_below_each_other_and_share_their_axis(self):
        drawn = picture("hinge", look=Look(size=(4, 3.9)))
        upper, lower = drawn.panels
        assert upper.get_position().y0 > lower.get_position().y1 - 0.1
        assert upper.get_xlabel() == ""
        assert lower.get_xlabel() != ""


class TestLog:
    def test_scales_say_that_they_are_logarithmic(self):
        drawn = picture("mse", log=True)
        assert [panel.get_yscale() for panel in drawn.panels] == ["log", "symlog"]
        assert [panel.get_xscale() for panel in drawn.panels] == ["linear", "linear"]
        assert drawn.panels[0].get_ylabel() == "loss f(r) (log scale)"
        assert re.fullmatch(r"gradient df/dr \(log scale; linear within ±0\.01\)", drawn.panels[1].get_ylabel())

    @pytest.mark.parametrize(("text", "largest"), [("mse", 6), ("huber:delta=0.05", 0.05), ("hinge", 1)])
    def test_the_gradient_is_linear_two_decades_below_its_largest(self, text, largest):
        panel = picture(text, log=True).panels[1]
        linear = panel.yaxis.get_transform().linthresh
        assert linear == pytest.approx(10.0 ** (math.floor(math.log10(largest)) - 2))

    def test_without_it_both_scales_are_linear(self):
        assert [panel.get_yscale() for panel in picture("mse").panels] == ["linear", "linear"]

    def test_zeros_are_no_part_of_a_logarithmic_line(self):
        drawn = picture("hinge", log=True)
        path = drawn.lines(0)[0].get_transform().transform_path(drawn.lines(0)[0].get_path())
        shown = np.isfinite(path.vertices).all(axis=1)
        assert shown[drawn.lines(0)[0].get_xdata() < 0.99].all()
        assert not shown[drawn.lines(0)[0].get_xdata() > 1].any()

    def test_ticks_are_plain_numbers(self):
        panel = picture("mse", log=True).panels[0]
        assert panel.yaxis.get_major_formatter()(0.001, 0) == "0.001"
        assert panel.yaxis.get_major_formatter()(100.0, 0) == "100"
        assert panel.yaxis.get_minor_formatter()(0.002, 0) == ""

    def test_a_gradient_of_nothing_but_zeros(self):
        drawn = picture("zero-one", log=True)
        assert drawn.panels[1].get_yscale() == "symlog"
        assert set(drawn.lines(1)[0].get_ydata()) == {0.0}

    def test_nothing_above_zero_is_refused(self):
        with pytest.raises(UsageError, match=r"^--log: "):
            picture("zero-one", span=(1.0, 2.0), log=True)
        picture("zero-one", "logistic", span=(1.0, 2.0), log=True)


class TestTitles:
    @pytest.mark.parametrize(
        ("texts", "title", "legend"),
        [
            (("mse",), "squared-error: f = r**2", []),
            (
                ("huber:delta=0.5",),
                "huber, delta = 0.5: f = where(abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2))",
                [],
            ),
            (
                ("softmax-focal:gamma=5,0,0.5",),
                "softmax-focal: f = -t * (1 - p)**gamma * l",
                ["γ = 5", "γ = 0", "γ = 0.5"],
            ),
            (
                ("focal:gamma=1:alpha=none,0.25",),
                "sigmoid-focal, gamma = 1: f = -a * t * q**gamma * log(p) - b * (1 - t) * p**gamma * log(q)",
                ["α = none", "α = 0.25"],
            ),
            (
                ("focal:gamma=0,2:alpha=0.5,1",),
                "sigmoid-focal: f = -a * t * q**gamma * log(p) - b * (1 - t) * p**gamma * log(q)",
                [f"γ = {gamma}, α = {alpha}" for gamma in (0, 2) for alpha in (0.5, 1)],
            ),
            (("huber", "mse", "huber:delta=2"), "", ["huber, δ = 1", "squared-error", "huber, δ = 2"]),
            (("hinge", "bce"), "", ["hinge", "sigmoid-cross-entropy"]),
            # Without a formula, and with one that is longer than a title.
            (("sparsemax",), "sparsemax", []),
            (("two-way:tp=4,2",), "two-way, tn = 1", ["tp = 4", "tp = 2"]),
            (
                ("asymmetric:gamma_neg=1,4",),
                "asymmetric, gamma_pos = 1, clip = 0.05: f = -t * q**gamma_pos * log(p) - (1 - t) * pm**gamma_neg * log(1 - pm)",
                ["$\\gamma_{\\mathrm{neg}} = 1$", "$\\gamma_{\\mathrm{neg}} = 4$"],
            ),
            (
                ("distribution-balanced",),
                "distribution-balanced, map_alpha = 0.1, map_beta = 10, map_mu = 0.2, neg_scale = 2, init_bias = 0.05, "
                "focal_gamma = 2, focal_balance = 2",
                [],
            ),
        ],
    )
    def test_the_title_says_what_the_curves_share_and_the_legend_what_tells_them_apart(self, texts, title, legend):
        drawn = picture(*texts)
        assert title_of(drawn.figure) == title
        assert drawn.legend() == legend

    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("mse", "squared-error:   $f = r^{2}$"),
            (
                "focal",
                r"sigmoid-focal, $\gamma = 2$:   $f = -t\,q^{\gamma}\,\log p - \left(1 - t\right)\,p^{\gamma}\,\log q$",
            ),
            # Four cases are too many for a title.
            ("hampel", "hampel, $a = 2$, $b = 4$, $c = 8$"),
            (
                "poly-1:epsilon=-0.5",
                r"softmax-poly-1, $\epsilon = -0.5$:   $f = t\,\left(\epsilon\,\left(1 - p\right) - l\right)$",
            ),
            ("cosface", None),
        ],
    )
    def test_the_formula_is_mathematics_and_left_out_where_it_is_too_long(self, text, title):
        shown = picture(text).figure.get_suptitle()
        if title is None:  # with the definition that it needs
            assert r"h = c_{y} - \mathrm{margin}$" in shown
        else:
            assert shown == title
        assert text == "mse" or "f =" not in picture(text, look=Look(size=(1.2, 2.5))).figure.get_suptitle()

    def test_a_long_title_is_broken_between_its_parts(self):
        drawn = picture("distribution-balanced")
        lines = drawn.figure.get_suptitle().split("\n")
        assert len(lines) == 2
        assert all(line.count("$") % 2 == 0 for line in lines)
        assert "map_alpha = 0.1" in title_of(drawn.figure)

    def test_a_dollar_in_the_name_of_a_loss_is_a_dollar(self, write):
        write("a$b$.py", "def f_loss(predictions, targets):\n    return (predictions - targets) ** 2\n")
        drawn = picture("a$b$.py:f_loss")
        assert drawn.figure.get_suptitle().startswith(r"a\$b\$.py:f_loss")
        drawn.figure.draw_without_rendering()

    def test_a_title_replaces_it_and_an_empty_one_takes_it_away(self):
        assert picture("mse", look=Look(title="Mine")).figure.get_suptitle() == "Mine"
        assert picture("mse", look=Look(title="")).figure.get_suptitle() == ""
        assert picture("hinge", "ramp", look=Look(title="Both")).figure.get_suptitle() == "Both"

    def test_names_are_cleaned_of_what_cannot_be_drawn(self):
        assert clean("a\tb\x00\x1b[1m\u202e\nc") == "a b\ufffd\ufffd[1m\ufffd c"
        assert clean("Größe Ω") == "Größe Ω"
        assert clean("x" * 40) == "x" * 40
        assert clean("x" * 21 + "y" * 20) == "x" * 20 + "…" + "y" * 19
        assert clean("x" * 150 + "y" * 150, 200) == "x" * 100 + "…" + "y" * 99


@functools.cache
def laid_out(name: str) -> Picture:
    texts, options = LAYOUTS[name]
    drawn = picture(*texts, **options)
    drawn.figure.draw_without_rendering()
    return drawn


def boxes(drawn: Picture) -> dict[str, Any]:
    """Where panels with all their labels, legend and title are, in pixels."""
    found = {f"panel {i}": panel.get_tightbbox() for i, panel in enumerate(drawn.panels)}
    for legend in drawn.figure.legends:
        found["legend"] = legend.get_window_extent()
    if drawn.figure.get_suptitle():
        found["title"] = drawn.figure._suptitle.get_window_extent()
    return found


LAYOUTS = {
    "sweep": (("softmax-focal:gamma=0,0.5,1,2,5",), {}),
    "marks": (("hinge", "ramp", "zero-one", "logistic"), {"mark": True, "look": Look(title="Margins")}),
    "turned marks": (("huber:delta=0.5,1,2",), {"mark": True}),
    "many": (
        ("hinge", "ramp:s=-2,-1,0,0.5", "logistic", "squared-hinge", "bce", "focal:alpha=0.25"),
        {"over": "margin"},
    ),
    "long names": (("focal:gamma=0.123,1.234:alpha=0.123", "focal:gamma=0.5:alpha=0.456"), {}),
    "portrait": (("huber:delta=0.5,1,2", "smooth-l1:beta=3"), {"look": Look(size=(5, 8)), "mark": True}),
    "logarithmic": (("mse", "mae"), {"log": True}),
    "whole rows": (("distribution-balanced",), {}),
    "whole rows, portrait": (("two-way",), {"look": Look(size=(4, 7))}),
    "long title": (("mse",), {"look": Look(title="word " * 39), "gradient": False}),
}


class TestLayout:
    @pytest.mark.parametrize("name", LAYOUTS)
    def test_nothing_is_hidden_and_nothing_leaves_the_picture(self, name):
        drawn = laid_out(name)
        found = boxes(drawn)
        width, height = drawn.figure.bbox.size
        for part, box in found.items():
            assert box.x0 >= -0.5, part
            assert box.y0 >= -0.5, part
            assert box.x1 <= width + 0.5, part
            assert box.y1 <= height + 0.5, part
        for one, other in itertools.combinations(found, 2):
            across = min(found[one].x1, found[other].x1) - max(found[one].x0, found[other].x0)
            down = min(found[one].y1, found[other].y1) - max(found[one].y0, found[other].y0)
            assert min(across, down) <= 0.5, (one, other)

    @pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "long title"])
    def test_panels_get_most_of_the_picture(self, name):
        drawn = laid_out(name)
        parts = [panel.get_window_extent() for panel in drawn.panels]
        assert sum(part.width * part.height for part in parts) > 0.4 * np.prod(drawn.figure.bbox.size)

    def test_one_curve_needs_no_legend(self):
        assert picture("mse").figure.legends == []
        assert len(picture("mse", "mae").figure.legends) == 1

    def test_no_panel_has_a_legend_of_its_own(self):
        for name in ("sweep", "portrait"):
            texts, options = LAYOUTS[name]
            assert all(panel.get_legend() is None for panel in picture(*texts, **options).panels)


def dashes(line: Any) -> Any:
    # In units of the line's width, so that handles of a legend compare.
    offset, pattern = line._unscaled_dash_pattern
    return (offset, tuple(pattern or ()))


class TestStyles:
    @pytest.mark.parametrize(
        ("theme", "texts"),
        [
            pytest.param("light", ("hinge", "ramp", "zero-one", "logistic", "squared-hinge"), id="losses"),
            pytest.param("light", ("softmax-focal:gamma=0,0.5,1,2,5",), id="sweep"),
            pytest.param("dark", ("softmax-focal:gamma=" + ",".join(str(i / 2) for i in range(10)),), id="ten"),
            pytest.param("dark", ("hinge", "ramp:s=" + ",".join(str(-i / 16) for i in range(34))), id="thirty-five"),
            pytest.param("light", ("hinge", "ramp:s=" + ",".join(str(-i / 16) for i in range(39))), id="forty"),
            pytest.param("dark", ("huber:delta=1,2",), id="two"),
        ],
    )
    def test_every_line_differs_in_colour_or_dashes_and_is_that_of_the_legend(self, theme, texts):
        drawn = picture(*texts, look=Look(theme=theme))
        (legend,) = drawn.figure.legends
        styles = [(to_hex(line.get_color()), dashes(line)) for line in drawn.lines(0)]
        assert len(set(styles)) == len(styles) == len(drawn.legend())
        assert [(to_hex(line.get_color()), dashes(line)) for line in drawn.lines(1)] == styles
        # Labels are read row by row, and Matplotlib fills column by column.
        columns = legend._ncols
        order = [i for column in range(columns) for i in range(column, len(styles), columns)]
        handles = [(to_hex(line.get_color()), dashes(line)) for line in legend.legend_handles]
        assert handles == [styles[i] for i in order]

    def test_five_lines_in_a_row_have_five_kinds_of_dashes(self):
        for texts in (("hinge", "ramp", "zero-one", "logistic", "squared-hinge"), ("softmax-focal:gamma=0,0.5,1,2,5",)):
            assert len({dashes(line) for line in picture(*texts).lines(0)}) == 5

    def test_curves_below_others_are_wider(self):
        drawn = picture("hinge", "ramp", "zero-one")
        widths = [line.get_linewidth() for line in drawn.lines(0)]
        orders = [line.get_zorder() for line in drawn.lines(0)]
        assert widths == sorted(widths, reverse=True)
        assert len(set(widths)) == 3
        assert orders == sorted(orders)
        assert len(set(orders)) == 3
        assert min(widths) >= 1

    def test_a_sweep_goes_from_dark_to_light(self):
        for theme, look in ((name, Look(theme=name)) for name in THEMES):
            for size in (3, 5, 10):
                lightness = [lab(linear(ordered_style(i, size, look)["color"]))[0] for i in range(size)]
                assert np.diff(lightness).min() > 4, theme
            for gammas in ((0, 0.5, 1, 2, 5), range(12)):
                drawn = picture("softmax-focal:gamma=" + ",".join(map(str, gammas)), look=look)
                lightness = [lab(linear(line.get_color()))[0] for line in drawn.lines(0)]
                assert np.diff(lightness).min() > 2, theme

    def test_what_has_no_order_has_no_shades(self):
        drawn = picture("focal:gamma=0,2:alpha=0.25,0.75")
        colours = [to_hex(line.get_color()) for line in drawn.lines(0)]
        assert colours == [to_hex(style_of(i, Look())["color"]) for i in range(4)]

    def test_losses_of_several_names_have_colours_without_an_order(self):
        drawn = picture("hinge", "ramp", "zero-one", "logistic", "squared-hinge")
        colours = [to_hex(line.get_color()) for line in drawn.lines(0)]
        assert colours == [to_hex(style_of(i, Look())["color"]) for i in range(5)]


# How dichromats see linear RGB, after Machado, Oliveira and Fernandes 2009 (severity 1), and grey print.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]


def linear(colour: Any) -> Any:
    """SRGB as amounts of light."""
    part = np.array(to_rgb(colour))
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(light: Any) -> Any:
    """CIE L*a*b* of amounts of light."""
    xyz = np.array(XYZ) @ np.clip(light, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one: Any, other: Any, sight: Any) -> float:
    return float(np.linalg.norm(lab(np.array(sight) @ linear(one)) - lab(np.array(sight) @ linear(other))))


def contrast(one: Any, other: Any) -> float:
    dark, light = sorted(float(LUMINANCE @ linear(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


class TestPalette:
    """10 of CIE's units are told apart at a glance; 1 is the least that anybody sees."""

    @pytest.mark.parametrize("theme", THEMES)
    @pytest.mark.parametrize("sight", SIGHT)
    def test_colours_differ_for_every_eye(self, theme, sight):
        for one, other in itertools.combinations(THEMES[theme].colours, 2):
            assert apart(one, other, SIGHT[sight]) > 10, (one, other)

    @pytest.mark.parametrize("sight", [*SIGHT, "print"])
    def test_curves_with_the_same_dashes_differ_for_every_eye_and_in_grey_print(self, sight):
        matrix = SIGHT.get(sight, [LUMINANCE] * 3)
        palette = [style_of(i, Look()) for i in range(len(THEMES["light"].colours))]
        for styles in (palette, *([ordered_style(i, n, Look()) for i in range(n)] for n in (6, 10))):
            for one, other in itertools.combinations(styles, 2):
                if one["linestyle"] == other["linestyle"]:
                    assert apart(one["color"], other["color"], matrix) > 10, (one, other)

    @pytest.mark.parametrize("theme", THEMES)
    def test_everything_stands_out_from_the_ground(self, theme):
        colours, look = THEMES[theme], Look(theme=theme)
        assert contrast(colours.ink, colours.ground) > 7
        for colour in (*colours.colours, *(ordered_style(i, 10, look)["color"] for i in range(10))):
            assert contrast(colour, colours.ground) > 2

    def test_a_theme_is_light_and_a_theme_is_dark(self):
        assert float(LUMINANCE @ linear(THEMES["light"].ground)) == pytest.approx(1)
        assert float(LUMINANCE @ linear(THEMES["dark"].ground)) < 0.02

    @pytest.mark.parametrize("theme", THEMES)
    def test_a_theme_is_that_of_every_part(self, theme):
        colours = THEMES[theme]
        drawn = picture("mse", "mae", look=Look(theme=theme, title="Two"), mark=True)
        assert drawn.figure.get_facecolor() == to_rgba(colours.ground)
        texts = [drawn.figure._suptitle, *drawn.figure.legends[0].get_texts()]
        for panel in drawn.panels:
            assert panel.get_facecolor() == to_rgba(colours.ground)
            texts += [panel.xaxis.label, panel.yaxis.label, *panel.get_xticklabels()]
            texts += [label for top in panel.child_axes for label in top.get_xticklabels()]
        assert {to_rgba(text.get_color()) for text in texts} == {to_rgba(colours.ink)}


WORDS = ("plot", "curves", "huber:delta=0.5,2", "--mark")
SMALL = ("--no-gradient", "--dpi", "20")
"""Quick to draw."""


def texts_of(svg: bytes) -> list[str]:
    """What can be read in an SVG: its text elements."""
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def pixels(name: str) -> tuple[int, int]:
    with Image.open(name) as image:
        image.load()
        assert image.format == "PNG"
        return image.size


def rows_of(name: str) -> list[dict[str, str]]:
    with open(name, newline="") as file:
        return list(csv.DictReader(file))


class TestSweeps:
    @pytest.mark.parametrize(
        ("words", "title", "label"),
        [
            (
                ("bce", "--pos-weight", "1,2"),
                "sigmoid-cross-entropy: f = -w * t * log(p) - (1 - t) * log(q)",
                "logit z of an output with target t = 1",
            ),
            (  # the formula that is declared has no weight
                ("sigmoid-brier", "--pos-weight", "1,2"),
                "sigmoid-brier",
                "logit z of an output with target t = 1",
            ),
            (
                ("bce", "--label-smoothing", "0,0.1"),
                "sigmoid-cross-entropy: f = -t * log(p) - (1 - t) * log(q), with t smoothed",
                "logit z of an output with target t = 1 before smoothing",
            ),
            (
                ("bce", "--label-smoothing", "0.1", "--target", "0.2,0.3"),
                "sigmoid-cross-entropy, label smoothing = 0.1: f = -t * log(p) - (1 - t) * log(q), with t smoothed",
                "logit z of an output with target t before smoothing",
            ),
            (
                ("ce", "--label-smoothing", "0.1"),
                "softmax-cross-entropy, label smoothing = 0.1: f = -t * l, with t smoothed, summed over the classes",
                "probability p of the true class",
            ),
            (
                ("ce", "--target", "0,0.5"),
                "softmax-cross-entropy: f = -t * l, summed over the classes",
                "probability p of the class with target t",
            ),
            # Only the true class has a term in the one, and each class in the other.
            (("ce",), "softmax-cross-entropy: f = -t * l", "probability p of the true class"),
            (("brier",), "brier: f = (p - t)**2, summed over the classes", "probability p of the true class"),
            (("spherical",), "spherical: f = 1 - sum(t * p) / sqrt(sum(p**2))", "probability p of the true class"),
        ],
    )
    def test_title_and_label_are_true_of_what_is_drawn(self, run, words, title, label):
        assert run("plot", "curves", *words, "--no-gradient", "-o", "x.svg").code == 0
        svg = ET.fromstring(Path("x.svg").read_bytes())
        assert next(svg.iter("{http://purl.org/dc/elements/1.1/}title")).text == title
        assert label in " ".join(texts_of(Path("x.svg").read_bytes()))

    def test_legends_and_data_name_smoothing_weight_and_target(self, run):
        words = ("--label-smoothing", "0,0.1", "--pos-weight", "3", "--data", "x.csv")
        assert run("plot", "curves", "focal:gamma=1", *SMALL, "-o", "x.svg", *words).code == 0
        texts = texts_of(Path("x.svg").read_bytes())
        assert {"label smoothing = 0", "label smoothing = 0.1"} <= set(texts)
        assert "<dc:title>sigmoid-focal, gamma = 1, positive weight w = 3</dc:title>" in Path("x.svg").read_text()
        assert {row["parameters"] for row in rows_of("x.csv")} == {
            "gamma=1:label-smoothing=0:pos-weight=3",
            "gamma=1:label-smoothing=0.1:pos-weight=3",
        }
        run("plot", "curves", "ce", *SMALL, "-o", "x.svg", "--target", "0.25,0.5", "--data", "x.json")
        found = [row["parameters"] for row in strict(Path("x.json").read_text())]
        assert (found[0], found[-1]) == ({"target": 0.25}, {"target": 0.5})
        texts = texts_of(Path("x.svg").read_bytes())
        assert {"t = 0.25", "t = 0.5", "probability p of the class with target t"} <= set(texts)

    def test_three_values_of_a_setting_have_ordered_colours(self, run):
        pairs = swept(specs(["bce"]), (0.0, 0.1, 0.2))
        axis = axis_of("bce", "logit")
        with drawing(Look()):
            figure = draw([trace(bound, axis, -6.0, 6.0, setting) for bound, setting in pairs], axis, Look())
        colours = [to_hex(line.get_color()) for line in figure.axes[0].get_lines()]
        assert colours == [to_hex(ordered_style(i, 3, Look())["color"]) for i in range(3)]

    def test_losses_that_take_no_smoothing_are_drawn_once(self, run):
        done = run(
            "plot",
            "curves",
            "bce",
            "hinge",
            "--x",
            "margin",
            "--label-smoothing",
            "0,0.1",
            *SMALL,
            "-o",
            "x.svg",
            "--data",
            "x.csv",
        )
        assert done.code == 0, done.err
        assert len(rows_of("x.csv")) == 3 * 1201


class TestFiles:
    @pytest.mark.parametrize(
        ("options", "size"),
        [
            (("--no-gradient",), (960, None)),
            (("--size", "4,3"), (600, 450)),
            (("--size", "7x5", "--dpi", "80"), (560, 400)),
            (("--size", "5", "7.5", "--dpi", "20"), (100, 150)),
        ],
    )
    def test_a_png_has_as_many_pixels_as_size_and_dpi_say(self, run, options, size):
        done = run("plot", "curves", "bce", "-o", "x.png", *options)
        assert (done.code, done.out, done.err) == (0, "", "")
        width, height = pixels("x.png")
        assert width == size[0]
        assert size[1] in (None, height)
        assert Path("x.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")

    def test_an_svg_holds_its_words_as_text(self, run):
        assert run(*WORDS, "-o", "x.svg").code == 0
        texts = texts_of(Path("x.svg").read_bytes())
        for word in ("residual r = prediction − target", "loss f(r)", "gradient df/dr", "δ = 0.5", "δ = 2"):
            assert word in texts
        about = "huber: f = where(abs(r) <= delta, r**2 / 2, delta * (abs(r) - delta / 2))"
        assert f"<dc:title>{about.replace('<', '&lt;')}</dc:title>" in Path("x.svg").read_text()
        root = ET.parse("x.svg").getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert (root.get("width"), root.get("height")) == ("720pt", "316.8pt")  # 10 x 4.4 inches

    def test_a_pdf_is_whole_and_of_the_same_bytes_at_any_time(self, run):
        for name in ("a.pdf", "b.pdf"):
            done = run(*WORDS, *SMALL, "-o", name, "--title", "a\x07b $5 \udcff Größe Ω")
            assert (done.code, done.out, done.err) == (0, "", "")
        data = Path("a.pdf").read_bytes()
        assert data.startswith(b"%PDF-1.")
        start = int(re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", data)[1])
        assert data[start:].startswith(b"xref")
        assert len(re.findall(rb"/Type /Page\b", data)) == 1
        assert b"Date" not in data
        assert Path("b.pdf").read_bytes() == data

    @pytest.mark.parametrize("suffix", ["png", "svg"])
    def test_the_same_command_writes_the_same_bytes_at_any_time(self, run, suffix):
        for name in ("a", "b"):
            run(*WORDS, *SMALL, "-o", f"{name}.{suffix}")
        assert Path(f"a.{suffix}").read_bytes() == Path(f"b.{suffix}").read_bytes()
        assert not re.search(b"date", Path(f"a.{suffix}").read_bytes(), re.IGNORECASE)

    def test_a_file_says_what_is_in_it(self, run):
        for name in ("x.svg", "x.png"):
            run("plot", "curves", "huber:delta=0.5", "mse", *SMALL, "-o", name, "--title", "Mine")
        with Image.open("x.png") as image:
            about = dict(image.info)
        assert about["Title"] == "Mine"
        assert about["Description"] == "huber:delta=0.5 squared-error over the residual"
        assert about["Software"].startswith("losscli ")
        svg = Path("x.svg").read_text()
        assert "<dc:title>Mine</dc:title>" in svg
        assert "huber:delta=0.5 squared-error over the residual" in svg

    def test_capitals_in_a_suffix(self, run):
        assert run("plot", "curves", "mse", *SMALL, "-o", "x.PNG").code == 0
        assert pixels("x.PNG")[0] == 128

    def test_themes_differ(self, run):
        for theme, ground in (("light", 255), ("dark", 0x18)):
            run("plot", "curves", "mse", "-o", "x.png", "--theme", theme, *SMALL)
            with Image.open("x.png") as image:
                assert image.convert("RGB").getpixel((0, 0))[1] == ground

    def test_a_file_that_exists_is_replaced_and_nothing_else_is_left(self, run):
        Path("x.svg").write_text("old")
        assert run("plot", "curves", "mse", *SMALL, "-o", "x.svg", "--data", "x.csv").code == 0
        assert Path("x.svg").read_text() != "old"
        assert sorted(os.listdir()) == ["x.csv", "x.svg"]

    def test_a_link_stays_a_link(self, run):
        Path("real.svg").write_text("old")
        os.symlink("real.svg", "link.svg")
        assert run("plot", "curves", "mse", *SMALL, "-o", "link.svg").code == 0
        assert os.path.islink("link.svg")
        assert "<dc:title>squared-error: f = r**2</dc:title>" in Path("real.svg").read_text()

    def test_a_note_where_there_is_nothing_to_mark(self, run):
        done = run("plot", "curves", "mse", *SMALL, "-o", "x.svg", "--mark")
        assert done.code == 0
        assert done.err.startswith("losscli: note: --mark: none of these losses changes its form")
        assert done.err.count("\n") == 1
        assert run("plot", "curves", "mse", *SMALL, "-o", "x.svg", "--mark", "--quiet").err == ""
        assert run("plot", "curves", "mse", "mae", *SMALL, "-o", "x.svg", "--mark").err == ""


class TestTitleOption:
    def test_a_dollar_is_a_dollar(self, run):
        assert (
            run(
                "plot", "curves", "mse", *SMALL, "-o", "x.svg", "--title", "costs $5, or $\\frac{1}{2}$ of $10 & <more>"
            ).err
            == ""
        )
        assert "costs $5, or $\\frac{1}{2}$ of $10 & <more>" in texts_of(Path("x.svg").read_bytes())

    def test_letters_of_other_alphabets(self, run):
        assert run("plot", "curves", "mse", *SMALL, "-o", "x.svg", "--title", "Größe Ω потеря").err == ""
        assert "Größe Ω потеря" in texts_of(Path("x.svg").read_bytes())
        assert "<dc:title>Größe Ω потеря</dc:title>" in Path("x.svg").read_text(encoding="utf-8")

    @pytest.mark.parametrize("suffix", ["png", "svg"])
    def test_control_characters_and_broken_bytes_are_replaced(self, run, suffix):
        done = run("plot", "curves", "mse", *SMALL, "-o", f"x.{suffix}", "--title", "a\x07b\x1b[31m\nc\udcff\x00")
        assert (done.code, done.err) == (0, "")
        if suffix == "svg":
            assert "a\ufffdb\ufffd[31m c\ufffd\ufffd" in texts_of(Path("x.svg").read_bytes())

    def test_letters_that_the_font_lacks_are_boxes_and_a_warning(self, run):
        done = run("plot", "curves", "mse", *SMALL, "-o", "x.png", "--title", "日本語")
        assert done.code == 0
        assert done.err.startswith("losscli: warning: the font lacks letters")
        assert done.err.count("\n") == 1
        assert run("plot", "curves", "mse", *SMALL, "-o", "x.png", "--title", "日本語", "-q").err == ""

    def test_an_empty_title_is_none(self, run):
        run("plot", "curves", "mse", *SMALL, "-o", "x.svg", "--title", "")
        assert not any("squared-error" in text for text in texts_of(Path("x.svg").read_bytes()))


class TestData:
    def test_csv_holds_the_points_of_the_curves(self, run):
        assert run("plot", "curves", "huber:delta=0.5,2", *SMALL, "-o", "x.svg", "--data", "x.csv").code == 0
        rows = rows_of("x.csv")
        assert list(rows[0]) == ["loss", "parameters", "x", "value", "gradient"]
        assert {row["loss"] for row in rows} == {"huber"}
        assert list(dict.fromkeys(row["parameters"] for row in rows)) == ["delta=0.5", "delta=2"]
        for text, delta, line, slope in zip(
            ("delta=0.5", "delta=2"),
            (0.5, 2.0),
            picture("huber:delta=0.5,2").lines(0),
            picture("huber:delta=0.5,2").lines(1),
            strict=True,
        ):
            mine = [row for row in rows if row["parameters"] == text]
            x, value, gradient = (np.array([float(row[key]) for row in mine]) for key in ("x", "value", "gradient"))
            inner = np.abs(x) <= delta
            assert value == pytest.approx(np.where(inner, x * x / 2, delta * (np.abs(x) - delta / 2)), rel=1e-14)
            assert gradient == pytest.approx(np.clip(x, -delta, delta), rel=1e-15)
            assert x.tolist() == line.get_xdata().tolist()
            assert value.tolist() == line.get_ydata().tolist()
            assert gradient.tolist() == slope.get_ydata().tolist()

    def test_json_is_a_record_a_row_with_parameters_as_numbers(self, run):
        words = ("focal:gamma=0.5:alpha=0.25", "bce", "--range", "-2,2", "--no-gradient", "--dpi", "20")
        assert run("plot", "curves", *words, "-o", "x.svg", "--data", "x.json").code == 0
        rows = strict(Path("x.json").read_text())
        assert [list(row) for row in rows[:1]] == [["loss", "parameters", "x", "value", "gradient"]]
        first, last = rows[0], rows[-1]
        assert (first["loss"], first["parameters"], first["x"]) == ("sigmoid-focal", {"gamma": 0.5, "alpha": 0.25}, -2)
        assert (last["loss"], last["parameters"], last["x"]) == ("sigmoid-cross-entropy", {}, 2)
        assert last["value"] == pytest.approx(math.log1p(math.exp(-2)), rel=1e-14)
        assert last["gradient"] == pytest.approx(-1 / (1 + math.exp(2)), rel=1e-14)
        q = 1 / (1 + math.exp(-2))
        assert first["value"] == pytest.approx(0.25 * math.sqrt(q) * math.log1p(math.exp(2)), rel=1e-14)

    def test_infinities_in_csv(self, run):
        run("plot", "curves", "ce", *SMALL, "-o", "x.svg", "--data", "x.csv")
        first, last = rows_of("x.csv")[0], rows_of("x.csv")[-1]
        assert [float(first[key]) for key in ("x", "value", "gradient")] == [0, math.inf, -math.inf]
        assert [float(last[key]) for key in ("x", "value", "gradient")] == [1, 0, -1]
        assert last["value"] == "0.0"

    def test_infinities_in_json(self, run):
        run("plot", "curves", "ce", *SMALL, "-o", "x.svg", "--data", "x.json")
        rows = strict(Path("x.json").read_text())
        assert (rows[0]["value"], rows[0]["gradient"]) == (None, None)
        assert rows[0]["nonfinite"] == {"value": "inf", "gradient": "-inf"}
        assert "nonfinite" not in rows[1]
        assert (rows[-1]["value"], rows[-1]["gradient"]) == (0, -1)

    def test_a_break_is_a_row_with_what_the_loss_takes_there(self, run):
        run("plot", "curves", "ramp:s=-0.123456", *SMALL, "-o", "x.svg", "--data", "x.csv")
        (row,) = [row for row in rows_of("x.csv") if row["x"] == "-0.123456"]
        assert (float(row["value"]), float(row["gradient"])) == (1.123456, 0)

    def test_numbers_read_back_as_the_same_floats(self, run):
        run("plot", "curves", "tukey", *SMALL, "-o", "x.svg", "--data", "x.csv")
        (curve,) = picture("tukey").curves
        rows = rows_of("x.csv")
        for key, column in (("x", curve.x), ("value", curve.value), ("gradient", curve.slope)):
            assert [float(row[key]) for row in rows] == column.tolist()


FAILING = [
    pytest.param(("huber", "-o", "x.gif"), 2, ["x.gif", ".png, .svg, .pdf"], id="suffix"),
    pytest.param(("huber", "-o", "x"), 2, [".png, .svg, .pdf"], id="no suffix"),
    pytest.param(("huber", "-o", "missing/x.png"), 3, ["missing/x.png", "No such file"], id="no folder"),
    pytest.param(("huber", "-o", "old.svg/x.png"), 3, ["old.svg/x.png"], id="a file as a folder"),
    pytest.param(("huber", "-o", "folder.png"), 3, ["folder.png", "folder"], id="a folder"),
    pytest.param(("huber", "-o", "/dev/full"), 3, ["/dev/full", "No space left"], id="full"),
    pytest.param(("huber", "-o", ""), 2, [".png, .svg, .pdf"], id="empty name"),
    pytest.param(("huber", "--show", "-o", "x.gif"), 2, ["x.gif"], id="suffix beside a window"),
    pytest.param(("-o", "old.svg"), 2, ["SPEC"], id="no loss"),
    pytest.param(("hubert", "-o", "old.svg"), 2, ["did you mean huber?"], id="unknown loss"),
    pytest.param(("nll", "-o", "old.svg"), 2, ["say one of"], id="ambiguous loss"),
    pytest.param(("huber:delta=0", "-o", "old.svg"), 2, ["delta=0 is not in (0, inf)"], id="parameter"),
    pytest.param(("huber", "huber", "-o", "old.svg"), 2, ["named twice"], id="twice"),
    pytest.param(("huber", "hinge", "-o", "old.svg"), 2, ["huber is drawn over residual"], id="incomparable"),
    pytest.param(("huber", "--x", "logit", "-o", "old.svg"), 2, ["--x logit", "residual"], id="axis"),
    pytest.param(("huber", "--x", "depth", "-o", "old.svg"), 2, ["'depth'", "'residual'"], id="unknown axis"),
    pytest.param(("huber", "--range", "3,3", "-o", "old.svg"), 2, ["--range 3,3 is empty"], id="empty range"),
    pytest.param(("huber", "--range", "3", "-3", "-o", "old.svg"), 2, ["--range 3,-3 is empty"], id="range backwards"),
    pytest.param(("huber", "--range", "3", "-o", "old.svg"), 2, ["--range '3' is not two numbers"], id="half a range"),
    pytest.param(("huber", "--range", "1,2,3", "-o", "old.svg"), 2, ["is not two numbers"], id="three numbers"),
    pytest.param(("huber", "--range", "a,b", "-o", "old.svg"), 2, ["'a,b' is not two numbers"], id="words"),
    pytest.param(("huber", "--range", "0,inf", "-o", "old.svg"), 2, ["finite"], id="infinite range"),
    pytest.param(("huber", "--range", "nan,1", "-o", "old.svg"), 2, ["finite"], id="range of NaN"),
    pytest.param(("ce", "--range", "0,2", "-o", "old.svg"), 2, ["the probability is in [0, 1]"], id="domain"),
    pytest.param(("huber", "--y-range", "2", "-o", "old.svg"), 2, ["--y-range '2' is not two numbers"], id="half y"),
    pytest.param(("huber", "--y-range", "2,1", "-o", "old.svg"), 2, ["--y-range 2,1 is empty"], id="empty y"),
    pytest.param(("huber", "--y-range", "0,inf", "-o", "old.svg"), 2, ["--y-range 0,inf", "finite"], id="infinite y"),
    pytest.param(
        ("huber", "--y-range", "0,1", "--log", "-o", "old.svg"), 2, ["--y-range 0,1", "above 0"], id="y of log"
    ),
    pytest.param(
        ("huber", "--y-range", "5,9", "-o", "old.svg", "--data", "old.csv"),
        2,
        ["--y-range 5,9: no value is there", "residual from -3 to 3", "from 0 to 2.5"],
        id="y of nothing",
    ),
    pytest.param(
        ("bce", "--label-smoothing", "1", "-o", "old.svg"), 2, ["--label-smoothing 1 is not in [0, 1)"], id="E"
    ),
    pytest.param(("bce", "--label-smoothing", "a", "-o", "old.svg"), 2, ["--label-smoothing 'a'"], id="E of words"),
    pytest.param(("bce", "--label-smoothing", "0,0", "-o", "old.svg"), 2, ["there twice"], id="E twice"),
    pytest.param(("bce", "--pos-weight", "-1", "-o", "old.svg"), 2, ["--pos-weight -1"], id="weight below 0"),
    pytest.param(("bce", "--pos-weight", "1e308", "-o", "old.svg"), 2, ["beyond 1e+140"], id="weight too large"),
    pytest.param(("bce", "--target", "0,1.5", "-o", "old.svg"), 2, ["--target 1.5 is not in [0, 1]"], id="target"),
    pytest.param(
        ("ce", "--pos-weight", "2", "-o", "old.svg"), 2, ["--pos-weight", "softmax-cross-entropy"], id="no weight"
    ),
    pytest.param(("mse", "--target", "2", "-o", "old.svg"), 2, ["--target 2 is not in [0, 1]"], id="target of numbers"),
    pytest.param(
        ("mse", "huber", "--target", "1", "-o", "old.svg"), 2, ["--target", "squared-error or huber"], id="no target"
    ),
    pytest.param(("bce", "--x", "margin", "--target", "0", "-o", "old.svg"), 2, ["margin", "--x logit"], id="sign"),
    pytest.param(("huber", "--size", "1,1", "-o", "old.svg"), 2, ["--size 1,1 is too small"], id="too small"),
    pytest.param(("huber", "--size", "0,5", "-o", "old.svg"), 2, ["--size 0,5", "inches"], id="no width"),
    pytest.param(("huber", "--size", "5,101", "-o", "old.svg"), 2, ["--size 5,101", "inches"], id="too high"),
    pytest.param(("huber", "--size", "big", "-o", "old.svg"), 2, ["--size 'big' is not two numbers"], id="size"),
    pytest.param(("huber", "--dpi", "9", "-o", "old.svg"), 2, ["--dpi 9", "[10, 1200]"], id="coarse"),
    pytest.param(("huber", "--dpi", "1201", "-o", "old.svg"), 2, ["--dpi 1201"], id="fine"),
    pytest.param(("huber", "--dpi", "1200", "--size", "17,5", "-o", "old.svg"), 2, ["20,000 pixels"], id="pixels"),
    pytest.param(("huber", "--theme", "blue", "-o", "old.svg"), 2, ["'light', 'dark'"], id="theme"),
    pytest.param(("zero-one", "--range", "1,2", "--log", "-o", "old.svg"), 2, ["--log"], id="no logarithm"),
    pytest.param(("huber", "-o", "old.svg", "-o", "x.svg"), 2, ["--output is given twice"], id="two outputs"),
    pytest.param(("huber", "-o", "old.svg", "--data", "x.tsv"), 2, ["--data x.tsv", ".csv, .json"], id="data suffix"),
    pytest.param(("huber", "-o", "old.svg", "--data", "missing/x.csv"), 3, ["missing/x.csv"], id="data folder"),
    pytest.param(("huber", "-o", "link.svg", "--data", "old.csv"), 2, ["old.csv", "two outputs"], id="one file twice"),
    pytest.param(
        ("huber", "-o", "old.svg", "--data", "old.csv", "--size", "1,1"), 2, ["too small"], id="data is not published"
    ),
]


class TestLook:
    def test_edges_are_taken(self):
        for dpi in (10, 1200):
            assert Look(dpi=dpi).dpi == dpi
        assert Look(size=(1, 100), dpi=200).size == (1, 100)

    @pytest.mark.parametrize("side", [0.99, 100.01, -5, math.inf, math.nan])
    def test_sides_beyond_them_are_not(self, side):
        for size in ((side, 5), (5, side)):
            with pytest.raises(UsageError, match="width and height are inches"):
                Look(size=size, dpi=10)

    def test_a_side_of_too_many_pixels_is_refused(self):
        for size in ((5, 100), (100, 5)):
            with pytest.raises(UsageError, match="more than 20,000 pixels a side"):
                Look(size=size, dpi=201)


class TestRefused:
    @pytest.mark.parametrize(("words", "code", "parts"), FAILING)
    def test_one_line_says_why_and_every_file_stays_as_it_was(self, run, words, code, parts):
        Path("old.svg").write_text("old picture")
        Path("old.csv").write_text("old data")
        Path("folder.png").mkdir()
        os.symlink("old.csv", "link.svg")
        before = sorted(os.listdir())
        run("plot", "curves", *words).refuses(code, *parts)
        assert sorted(os.listdir()) == before
        assert Path("old.svg").read_text() == "old picture"
        assert Path("old.csv").read_text() == "old data"
        assert os.path.islink("link.svg")

    def test_what_a_picture_refuses_is_known_before_any_file_is_opened(self, run):
        run("plot", "curves", "huber", "hinge", "-o", "missing/x.png").refuses(2, "huber", "hinge")
        run("plot", "curves", "huber", "--dpi", "1", "-o", "missing/x.png").refuses(2, "--dpi 1")


UNUSUAL = {
    "lines.linewidth": 9,
    "font.size": 20,
    "axes.facecolor": "red",
    "axes.grid": False,
    "savefig.facecolor": "green",
    "savefig.bbox": "tight",
    "savefig.dpi": 33,
    "text.parse_math": True,
    "axes.xmargin": 0.5,
    "svg.hashsalt": "mine",
    "svg.fonttype": "path",
    "path.simplify_threshold": 1.0,
    "legend.frameon": True,
}


class TestSettingsOfTheUser:
    @pytest.mark.parametrize("suffix", ["svg", "png"])
    def test_they_have_no_influence_and_are_kept(self, run, suffix):
        run(*WORDS, *SMALL, "-o", f"plain.{suffix}")
        with mpl.rc_context(UNUSUAL):
            before = dict(mpl.rcParams)
            run(*WORDS, *SMALL, "-o", f"x.{suffix}")
            run("plot", "curves", "mse", "--size", "1,1", "-o", f"y.{suffix}").refuses(2, "too small")
            assert dict(mpl.rcParams) == before
        assert Path(f"x.{suffix}").read_bytes() == Path(f"plain.{suffix}").read_bytes()

    def test_a_matplotlibrc_a_backend_and_a_hash_seed_change_no_byte(self, run, started, write):
        """Written to a device, which has no suffix and gets a PNG."""
        run(*WORDS, *SMALL, "-o", "plain.png")
        write("matplotlibrc", "lines.linewidth: 9\nfont.size: 20\naxes.facecolor: red\nbackend: TkAgg\n")
        unusual = {"MPLBACKEND": "qtagg", "PYTHONHASHSEED": "7", "DISPLAY": ""}
        one = started(*WORDS, *SMALL, "-o", "/dev/stdout", env=unusual)
        out, err = one.communicate(timeout=60)
        assert (one.returncode, err) == (0, b"")
        assert out == Path("plain.png").read_bytes()


class TestOptions:
    @pytest.mark.parametrize("words", [("--range", "-2,5"), ("--range", "-2", "5"), ("--range=-2:5",)])
    def test_a_range_may_be_two_words_with_signs(self, run, words):
        assert run("plot", "curves", "mse", *SMALL, "-o", "x.svg", "--data", "x.csv", *words).code == 0
        assert (rows_of("x.csv")[0]["x"], rows_of("x.csv")[-1]["x"]) == ("-2.0", "5.0")

    @pytest.mark.parametrize("text", ["-2,5", "-2:5", "-2..5", "-2 5", " -2 , 5 ", "-2x5", "-2.0..5.0", "-.2e1,5."])
    def test_a_pair_of_numbers(self, text):
        assert pair(text, "--range", "1,2") == (-2, 5)

    @pytest.mark.parametrize("text", ["", "5", "1,2,3", "a,b", "1,", "1..2..3"])
    def test_what_is_no_pair_is_refused(self, text):
        with pytest.raises(UsageError, match=r"is not two numbers, as in --size 8,5$"):
            pair(text, "--size", "8,5")

    def test_x_chooses_the_axis(self, run):
        for over, label in (
            ("logit", "logit z of an output"),
            ("probability", "probability p"),
            ("margin", "margin m"),
        ):
            assert run("plot", "curves", "bce", "--x", over, *SMALL, "-o", "x.svg").code == 0
            assert any(text.startswith(label) for text in texts_of(Path("x.svg").read_bytes()))

    def test_log_and_no_gradient(self, run):
        assert run("plot", "curves", "mse", "--log", *SMALL, "-o", "x.svg").code == 0
        texts = texts_of(Path("x.svg").read_bytes())
        assert "loss f(r) (log scale)" in texts
        assert not any("gradient" in text for text in texts)

    def test_marks_only_when_asked_for(self, run):
        run("plot", "curves", "huber", *SMALL, "-o", "x.svg")
        assert "delta = 1" not in texts_of(Path("x.svg").read_bytes())

    def test_help_names_every_option(self, run):
        out = run("plot", "curves", "--help").out
        options = (
            "--x",
            "--range",
            "--y-range",
            "--label-smoothing",
            "--pos-weight",
            "--target",
            "--show",
            "--no-gradient",
            "--log",
            "--mark",
            "--data",
            "--title",
            "--size",
            "--dpi",
            "--theme",
        )
        assert [option for option in options if option not in out] == []

    @pytest.mark.parametrize("words", [("--y-range", "-1,2"), ("--y-range", "-1", "2"), ("--y-range=-1:2",)])
    def test_a_range_of_values(self, run, words):
        run("plot", "curves", "mse", *SMALL, "-o", "x.svg", *words)
        ticks = [text for text in texts_of(Path("x.svg").read_bytes()) if re.fullmatch(r"[−\d.]+", text)]
        assert {"−1.0", "2.0"} <= set(ticks)

    @pytest.mark.parametrize("text", ["hinge", "ce", "center"])
    def test_every_family_is_written(self, run, text):
        done = run("plot", "curves", text, "-o", "x.png", *SMALL)
        assert (done.code, done.out, done.err) == (0, "", "")

    def test_json_data_of_a_loss_without_parameters(self, run):
        run("plot", "curves", "mse", *SMALL, "-o", "x.svg", "--data", "x.json")
        assert {json.dumps(row["parameters"]) for row in strict(Path("x.json").read_text())} == {"{}"}


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
        figure = draw(curves, axes[losses[0].family.name], look, log=log)
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
    run("plot", "curves", "two-way", "--log", "--size", "1.6,1.2", "-o", "x.png").refuses(
        2, "--size 1.6,1.2", "too small"
    )
    assert not list(folder.iterdir())


def test_a_curve_that_would_vanish_is_not_cut():
    low, high = -1e-5, 1e-5
    losses = specs(["mse", "l1"])
    axes = shared_axis(losses)[1]["residual"]
    with drawing(Look()):
        figure = draw([trace(bound, axes, low, high) for bound in losses], axes, Look())
    assert figure.axes[0].get_ylim()[1] >= 1e-5
