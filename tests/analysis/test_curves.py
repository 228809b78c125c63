"""The numbers of `plot curves`: SPECs, axes, ranges, points, and value and slope of every loss over every axis it has.

What is true comes from the declared formulas in 60 digits. Those of whole rows are checked elsewhere: their curves are
compared with the losses themselves, and slopes with differences. A new loss is tested here by being declared.
"""

import functools
import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from curve_points import (
    FIRST,
    SWEPT,
    axis_of,
    cases,
    exact,
    near,
    of_numbers,
    one,
    samples,
    traced,
    undefined_by_the_oracle,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from oracle import evaluate, precise

import losscli
from losscli.analysis.curves import (
    MOST_SOUGHT,
    Curve,
    Setting,
    along,
    check_range,
    default_range,
    grid,
    joint_label,
    jumps,
    records,
    shared_axis,
    swept,
    trace,
)
from losscli.definition.batch import Dense, Extras
from losscli.definition.domain import Interval
from losscli.definition.loss import BoundLoss
from losscli.errors import UsageError
from losscli.lookup.spec import specs
from losscli.losses import FAMILIES, LOSSES

quick = settings(max_examples=25, deadline=None, derandomize=True)
CASES = cases(*LOSSES, *SWEPT)
FORMULAS = cases(*filter(of_numbers, LOSSES), *SWEPT)
ROWS = cases(*itertools.filterfalse(of_numbers, LOSSES))


class TestTrace:
    @pytest.mark.parametrize(("text", "over"), FORMULAS)
    def test_value_and_slope_are_those_of_the_formula(self, text, over):
        curve = traced(text, over)
        for i in samples(curve):
            x = float(curve.x[i])
            if undefined_by_the_oracle(curve, over, x):
                continue
            value, slope = precise(functools.partial(exact, curve.bound, over, mpf(x)), 10)
            assert curve.value[i] == near(value), x
            # At pi * c, of which there is no such number, a slope that is 0 there is some 1e-16.
            assert curve.slope[i] == (near(slope) if abs(slope) > 1e-15 else pytest.approx(0, abs=1e-15)), x

    @pytest.mark.parametrize(("text", "over"), FORMULAS)
    def test_the_slope_is_the_central_difference_of_the_formula_away_from_breaks(self, text, over):
        curve = traced(text, over)
        broken = {at.x for at in curve.breaks}
        for i in samples(curve, 101):
            x = float(curve.x[i])
            if x in broken or (over == "probability" and x in (0, 1)):
                continue

            def difference(x: float = x, curve: Curve = curve) -> Any:
                step = mpf(10) ** -25
                after, before = (exact(curve.bound, over, mpf(x) + side)[0] for side in (step, -step))
                return (after - before) / (2 * step)

            assert curve.slope[i] == near(precise(difference, 10)), x

    @pytest.mark.parametrize(("text", "over"), CASES)
    def test_points_ascend_from_one_end_to_the_other(self, text, over):
        curve = traced(text, over)
        low, high = default_range([curve.bound], {curve.bound.family.name: axis_of(text, over)})
        assert (curve.x[0], curve.x[-1]) == (low, high)
        assert (np.diff(curve.x) > 0).all()
        assert len(curve.x) == len(curve.value) == len(curve.slope)

    @pytest.mark.parametrize(("text", "over"), CASES)
    def test_no_zero_has_a_sign_and_nothing_is_nan(self, text, over):
        curve = traced(text, over)
        for y in (curve.value, curve.slope):
            assert not np.isnan(y).any()
            assert not np.signbit(y[y == 0]).any()

    @pytest.mark.parametrize(
        ("text", "at_0", "at_1"),
        [
            # -log p: its derivative is -1 / p.
            ("bce", (math.inf, -math.inf), (0, -1)),
            ("ce", (math.inf, -math.inf), (0, -1)),
            ("kl", (math.inf, -math.inf), (0, -1)),
            # -(1 - p)^g log p is about (1 - p)^(g + 1) next to 1.
            ("focal", (math.inf, -math.inf), (0, 0)),
            ("focal:gamma=0.5", (math.inf, -math.inf), (0, 0)),
            ("focal:gamma=0:alpha=0.25", (math.inf, -math.inf), (0, -0.25)),
            ("focal:gamma=2:alpha=0", (0, 0), (0, 0)),
            ("softmax-focal", (math.inf, -math.inf), (0, 0)),
            ("softmax-focal:gamma=0", (math.inf, -math.inf), (0, -1)),
        ],
    )
    def test_the_ends_of_a_probability_have_their_limits(self, text, at_0, at_1):
        curve = traced(text, "probability", 0.0, 1.0)
        assert (curve.value[0], curve.slope[0]) == at_0
        assert (curve.value[-1], curve.slope[-1]) == near_pair(at_1)

    def test_values_by_hand(self):
        huber = traced("huber:delta=0.5", "residual", -3.0, 3.0)
        at = {float(x): (v, s) for x, v, s in zip(huber.x, huber.value, huber.slope, strict=True)}
        assert at[-3.0] == (0.5 * (3 - 0.25), -0.5)
        assert at[0.25] == (0.03125, 0.25)
        assert at[0.5] == (0.125, 0.5)
        distance = traced("center", "distance", 0.0, 4.0)
        assert (distance.value[-1], distance.slope[-1]) == (8.0, 4.0)
        logit = traced("bce", "logit", -1.0, 1.0)
        assert (logit.value[600], logit.slope[600]) == (near(math.log(2)), -0.5)
        pair = traced("ce", "logit", -1.0, math.log(3))
        assert (pair.value[-1], pair.slope[-1]) == (near(math.log(4 / 3)), near(-0.25))

    @pytest.mark.parametrize("blank", [0, 1, 7])
    def test_ctc_is_drawn_with_two_classes_whichever_is_the_blank(self, blank):
        """The label has probability p in one of two steps and 1/2 in the other; one of them names it, or both do: (1 + p) / 2."""
        curve = traced(f"ctc:blank={blank}", "logit", -2.0, 2.0)
        p = 1 / (1 + np.exp(-curve.x))
        np.testing.assert_allclose(curve.value, -np.log((1 + p) / 2), rtol=1e-12)

    def test_a_break_is_a_point_and_the_grid_makes_room_for_it(self):
        for s in (-0.123456789, -1 + 1e-12, 0.5):
            curve = traced(f"ramp:s={s!r}", "margin", -3.0, 3.0)
            assert {at.x for at in curve.breaks} == {s, 1.0}
            assert (curve.x == s).sum() == 1
            assert np.diff(curve.x).min() > 1e-7

    def test_breaks_beyond_the_ends_are_left_out_and_those_at_the_ends_are_not(self):
        names = {
            (-3.0, 3.0): ["-delta", "delta"],
            (0.0, 3.0): ["delta"],
            (1.0, 3.0): ["delta"],
            (-3.0, -1.0): ["-delta"],
            (1.5, 3.0): [],
        }
        for (low, high), expected in names.items():
            assert [at.name for at in traced("huber", "residual", low, high).breaks] == expected

    def test_over_another_variable_than_the_cores_breaks_are_located_and_have_no_names(self):
        axis = axis_of("hinge", "margin")._replace(own=False)
        (kink,) = trace(one("hinge"), axis, -3.0, 3.0).breaks
        assert (kink.name, kink.x, kink.slope) == ("", 1.0, (-1, 0, 0))
        assert kink.value == pytest.approx((0, 0, 0), abs=1e-8)

    def test_a_break_knows_both_sides(self):
        (kink,) = traced("hinge", "margin").breaks
        assert (kink.name, kink.x, kink.slope) == ("1", 1.0, (-1, 0, 0))
        assert kink.value == pytest.approx((0, 0, 0), abs=1e-15)
        (step,) = traced("zero-one", "margin").breaks
        assert (step.name, step.x, step.value, step.slope) == ("0", 0.0, (1, 1, 0), (0, 0, 0))
        (corner,) = traced("mae", "residual").breaks
        assert (corner.x, corner.slope) == (0.0, (-1, 0, 1))
        cut, foot = traced("ramp:s=-2", "margin").breaks
        assert (cut.name, cut.x, cut.slope, cut.value[1]) == ("s", -2.0, (0, 0, -1), 3.0)
        assert (foot.name, foot.x, foot.slope, foot.value[1]) == ("1", 1.0, (-1, 0, 0), 0.0)

    def test_numbers_that_overflow_are_infinite_without_a_warning(self):
        curve = traced("mse", "residual", -1e200, 1e200)
        assert curve.value[0] == curve.value[-1] == math.inf
        assert curve.value[len(curve.x) // 2] == 0


class TestRows:
    """Losses of whole rows along a line: an axis may cross kinks and jumps that nothing declares."""

    @pytest.mark.parametrize(("text", "over"), ROWS)
    def test_the_value_is_the_loss_of_each_point_by_itself(self, text, over):
        curve = traced(text, over)
        for i in samples(curve, 53):
            (value,), _ = curve.bound(*axis_of(text, over).place(curve.x[i : i + 1]))
            assert curve.value[i] == near(value), curve.x[i]

    @pytest.mark.parametrize(("text", "over"), ROWS)
    def test_the_slope_is_within_the_differences_to_both_sides(self, text, over):
        curve, step = traced(text, over), 1e-6
        some = slice(7, -7, 31)

        def value(x: Any) -> Any:
            return curve.bound(*axis_of(text, over).place(x))[0]

        below, at, above = (value(curve.x[some] + side) for side in (-step, 0, step))
        finite = np.isfinite(below) & np.isfinite(at) & np.isfinite(above)  # boxes that are apart have infinite losses
        below, at, above, slope = (one[finite] for one in (below, at, above, curve.slope[some]))
        left, right = (at - below) / step, (above - at) / step
        smooth = np.abs(right - left) < 1e-3 * (1 + np.abs(left))
        assert smooth.mean() > 0.9, "else this tests nothing"
        within = np.abs(right - left) / 2 + 1e-7 * (1 + np.abs(left + right) / 2)
        assert (np.abs(slope - (left + right) / 2) <= within).all()


class TestLocated:
    """Jumps that no loss declares: they are located on the curve."""

    @pytest.mark.parametrize(
        ("text", "over", "what", "expected"),
        [
            # The slopes follow from the definitions: d / dD of max(0, D - |1 - D| + 1) is 2 below 1 and 0 above.
            ("triplet", "distance", "slope", {1.0: (2, 0)}),
            ("hinge-embedding", "distance", "slope", {1.0: (-1, 0)}),
            # Three members at -1/2, 0 and 1/2 around r: the mean of the signs of their errors.
            ("crps", "residual", "slope", {-0.5: (-1, -1 / 3), 0.0: (-1 / 3, 1 / 3), 0.5: (1 / 3, 1)}),
            ("interval-score:alpha=0.1", "residual", "slope", {-1.0: (-20, 0), 1.0: (0, 20)}),
            # The overlap of two unit squares is 1 - D, and IoU (1 - D) / (1 + D): 1 - IoU has the slope 2 / (1 + D)^2.
            ("iou", "distance", "slope", {1.0: (0.5, 0)}),
            ("lovasz-softmax", "probability", "slope", {0.75: (-0.75, -0.25)}),
            ("multiclass-zero-one", "logit", "value", {0.0: (1, 0)}),
            # cos(theta + 0.5) is cos(theta) - 0.5 sin(0.5) where theta + 0.5 is beyond pi: at D = 1 + cos(0.5), where the
            # cosines are -1 and -cos(0.5) - 0.5 sin(0.5), times 64.
            (
                "arcface",
                "distance",
                "value",
                {1 + math.cos(0.5): (64, 64 * (math.cos(0.5) + 0.5 * math.sin(0.5)))},
            ),
            ("mape", "residual", "slope", {0.0: (-1, 1)}),
            ("contrastive", "distance", "slope", {}),
            ("poisson", "residual", "slope", {}),
            ("nt-xent", "distance", "slope", {}),
        ],
    )
    def test_where_they_are_and_what_is_on_both_sides(self, text, over, what, expected):
        curve = traced(text, over)
        found = {at.x: (getattr(at, what)[0], getattr(at, what)[2]) for at in curve.jumps(what) if at.x > curve.x[0]}
        assert sorted(found) == pytest.approx(sorted(expected), abs=1e-13)
        for x, sides in zip(sorted(found), (expected[x] for x in sorted(expected)), strict=True):
            assert found[x] == pytest.approx(sides, rel=1e-5, abs=1e-5)

    @pytest.mark.parametrize(("text", "over"), ROWS)
    def test_between_points_nothing_jumps(self, text, over):
        """Of a continuous function, the largest step between points shrinks with the distance of the points."""
        curve = traced(text, over)
        for what in ("value", "slope"):
            x, y = curve.line(what)
            with np.errstate(invalid="ignore"):
                step, width = np.abs(np.diff(y)), np.diff(x)
            inner = (
                np.isfinite(step) & (x[:-1] > x[0] + 0.02 * (x[-1] - x[0])) & (x[1:] < x[-1] - 0.02 * (x[-1] - x[0]))
            )
            i = int(np.argmax(np.where(inner, step, 0)))
            if not inner[i] or step[i] <= 1e-9 * np.abs(y[np.isfinite(y)]).max():
                continue
            within = x[i] + width[i] * np.arange(1, 16) / 16  # without the ends, where a jump may be
            parts = along(curve.bound, axis_of(text, over), within)[("value", "slope").index(what)]
            assert np.abs(np.diff(parts)).max() < step[i] / 4, (what, x[i])

    def test_an_isolated_value_at_the_end_of_an_axis_is_no_spike(self):
        curve = traced("alpha-iou", "distance")
        x, y = curve.line("slope")
        assert (x[0], y[0], x[2]) == (0, 0, 0)
        assert np.isnan(y[1])
        assert y[2] == pytest.approx(6, rel=1e-6)  # 3 IoU^2 * 2

    def test_noise_is_searched_for_a_while_only(self):
        def noisy(x: Any) -> Any:
            return np.sin(1e9 * x), Dense(np.zeros_like(x)), Extras()

        axis = axis_of("mae", "residual")._replace(place=noisy, own=False)
        assert len(trace(one("mae"), axis, -3.0, 3.0).breaks) <= 2 * MOST_SOUGHT


class TestSettings:
    """Smoothing, weight and target, by the formulas of cross-entropy: -t w log(p) - (1 - t) log(1 - p)."""

    @pytest.mark.parametrize(
        ("text", "over", "setting", "t", "w"),
        [
            ("bce", "logit", Setting(label_smoothing=0.2), 0.9, 1),
            ("bce", "margin", Setting(label_smoothing=0.2), 0.9, 1),
            ("bce", "probability", Setting(pos_weight=3), 1, 3),
            ("bce", "logit", Setting(target=0), 0, 1),
            ("bce", "probability", Setting(target=0.25), 0.25, 1),
            ("bce", "logit", Setting(label_smoothing=0.2, pos_weight=5, target=0.5), 0.5, 5),
            ("bce", "logit", Setting(label_smoothing=0.2, target=0), 0.1, 1),
            ("ce", "logit", Setting(label_smoothing=0.2), 0.9, 1),
            ("ce", "probability", Setting(target=0.25), 0.25, 1),
            ("ce", "logit", Setting(label_smoothing=0.1, target=0), 0.05, 1),
            ("bce", "logit", Setting(label_smoothing=0), 1, 1),
        ],
    )
    def test_value_and_slope_are_those_of_the_target_and_the_weight(self, text, over, setting, t, w):
        curve = trace(one(text), axis_of(text, over), 0.125, 0.875, setting)
        x = curve.x
        p = x if over == "probability" else 1 / (1 + np.exp(-x))
        assert curve.value == pytest.approx(-t * w * np.log(p) - (1 - t) * np.log(1 - p), rel=1e-12)
        by_p = -t * w / p + (1 - t) / (1 - p)
        assert curve.slope == pytest.approx(by_p if over == "probability" else by_p * p * (1 - p), rel=1e-9, abs=1e-12)
        assert curve.setting == setting

    def test_every_combination_for_every_loss_that_takes_it(self):
        pairs = swept(specs(["bce", "ce", "hinge"]), (0.0, 0.1), (1.0, 2.0))
        assert [(bound.name, setting.named) for bound, setting in pairs] == [
            *(
                ("sigmoid-cross-entropy", {"label-smoothing": amount, "pos-weight": weight})
                for amount in (0, 0.1)
                for weight in (1, 2)
            ),
            *(("softmax-cross-entropy", {"label-smoothing": amount}) for amount in (0, 0.1)),
            ("hinge", {}),
        ]

    def test_python_takes_one_number_or_several(self):
        one_curve, other = losscli.curves("bce", label_smoothing=[0, 0.5], target=1)
        assert (one_curve.setting.target, other.setting.label_smoothing) == (1, 0.5)

    def test_a_label_says_target_where_there_is_one(self):
        axis = axis_of("bce", "logit")
        assert Setting(target=0).applied(axis, one("bce").family).label == "logit z of an output with target t"
        both = [Setting(target=0).applied(axis_of(text, "logit"), one(text).family) for text in ("bce", "ce")]
        assert joint_label(both) == "logit z of what has the target t (of two classes; the other logit is 0)"


class TestAxes:
    @pytest.mark.parametrize("family", FAMILIES)
    def test_a_label_explains_the_letter_and_is_drawn_where_there_are_points(self, family):
        for axis in FAMILIES[family].axes.values():
            assert re.search(rf"\b{axis.letter}\b", axis.label)
            assert axis.span[0] in axis.domain
            assert axis.span[1] in axis.domain

    @pytest.mark.parametrize("family", FAMILIES)
    def test_only_breaks_over_the_variable_of_the_cores_are_declared(self, family):
        if not any(axis.own for axis in FAMILIES[family].axes.values()):
            of_it = [loss for loss in LOSSES.values() if loss.family.name == family]
            assert [loss.name for loss in of_it if loss.breaks(loss.bind().parameters)] == []


def near_pair(pair: tuple[float, float]) -> Any:
    return pytest.approx(pair, abs=1e-15)


# Six times the weights of four points at 1, 2, 3 and 4 steps from a place, for the limit there of a function and of its
# derivatives: exact for cubic polynomials.
ONE_SIDED = ((24, -36, 24, -6), (-26, 57, -42, 11), (18, -48, 42, -12), (-6, 18, -18, 6))


def limits(f: Callable[[Any], Any], x: float, side: int) -> list[Any]:
    """Limits at x, from one side, of a function and of its first three derivatives."""
    step = side * mpf(10) ** -20 * max(1, abs(mpf(x)))
    points = [f(mpf(x) + i * step) for i in (1, 2, 3, 4)]
    return [
        sum(w * y for w, y in zip(weights, points, strict=True)) / (6 * step**order)
        for order, weights in enumerate(ONE_SIDED)
    ]


def is_smooth(bound: BoundLoss, over: str, x: Any) -> bool:
    """Whether value and three derivatives of the formula have one limit from both sides."""
    with mp.workdps(150):
        f = functools.partial(exact, bound, over)
        pairs = zip(*(limits(lambda x: f(x)[0], x, side) for side in (-1, 1)), strict=True)
        return all(abs(left - right) < mpf(10) ** -10 * (1 + abs(left)) for left, right in pairs)


def precisely(bound: BoundLoss, name: str, x: float) -> Any:
    """A break to all digits, where no number is exactly there."""
    with mp.workdps(150):
        return evaluate(bound.declaration, name, {}, bound.parameters) if "pi" in name else x


def inside(domain: Interval) -> Any:
    """Numbers of a parameter's domain that are neither huge nor next to its edge."""
    if domain.whole:
        return st.integers(int(domain.low), int(domain.high)).map(float)
    low, high = max(domain.low, -100.0), min(domain.high, 100.0)
    return st.floats(low + 0.01 * (high - low) / 100, high - 0.01 * (high - low) / 100)


@st.composite
def settled(draw: Any) -> tuple[BoundLoss, str]:
    """A loss of numbers with parameters of its domain, and an axis of it."""
    loss = LOSSES[draw(st.sampled_from(sorted(filter(of_numbers, LOSSES))))]
    bound = loss.bind(**{name: draw(inside(parameter.domain)) for name, parameter in loss.parameters.items()})
    return bound, draw(st.sampled_from(sorted(loss.family.axes)))


class TestBreaks:
    def test_the_derivatives_of_the_test_itself_are_right(self):
        with mp.workdps(150):
            found = limits(lambda x: x**3 - 2 * x + 5, 2.0, -1)
        assert [float(one) for one in found] == near_list([9, 10, 12, 6])
        assert not is_smooth(one("mae"), "residual", 0.0)
        assert not is_smooth(one("zero-one"), "margin", 0.0)
        assert is_smooth(one("logistic"), "margin", 0.0)

    @pytest.mark.parametrize(
        "text", [text for text in (*LOSSES, *SWEPT) if one(text).declaration.breaks(one(text).parameters)]
    )
    def test_a_loss_changes_its_form_at_each_break(self, text):
        bound = one(text)
        over = next(iter(bound.family.axes))
        for name, x in bound.declaration.breaks(bound.parameters).items():
            assert axis_of(text, over).own, "breaks are points of the cores' variable"
            assert not is_smooth(bound, over, precisely(bound, name, x)), (name, x)

    @quick
    @given(settled())
    def test_a_loss_changes_its_form_at_each_break_whatever_its_parameters(self, case):
        bound, over = case
        if bound.family.axes[over].own:
            for name, x in bound.declaration.breaks(bound.parameters).items():
                assert not is_smooth(bound, over, precisely(bound, name, x)), (name, x)

    @pytest.mark.parametrize(("text", "over"), FORMULAS)
    def test_a_loss_is_smooth_where_no_break_is_declared(self, text, over):
        bound = one(text)
        declared = set(bound.declaration.breaks(bound.parameters).values()) if axis_of(text, over).own else set()
        numbers = [value for value in bound.parameters.values() if value]
        likely = {0.0, 1.0, -1.0, 0.5, 2.0, -2.0, *numbers, *(-value for value in numbers)}
        domain = axis_of(text, over).domain
        for x in sorted(likely - declared):
            if x in domain and x not in (domain.low, domain.high):
                assert is_smooth(bound, over, x), x

    @quick
    @given(settled(), st.floats(-20, 20))
    def test_a_loss_is_smooth_anywhere_else(self, case, x):
        bound, over = case
        axis = bound.family.axes[over]
        declared = bound.declaration.breaks(bound.parameters).values() if axis.own else ()
        assume(axis.domain.low + 0.001 < x < axis.domain.high - 0.001)
        assume(all(abs(x - at) > 1e-6 for at in declared))
        assert is_smooth(bound, over, x)

    @pytest.mark.parametrize(("text", "over"), FORMULAS)
    def test_between_breaks_nothing_jumps(self, text, over):
        """Steps of a continuous function shrink with those of x, of a root by sqrt(8); those of a jump stay."""
        bound, axis = one(text), axis_of(text, over)
        low, high = default_range([bound], {bound.family.name: axis})
        if over == "probability":
            low, high = 0.01, 0.99
        declared = np.array([*bound.declaration.breaks(bound.parameters).values()] if axis.own else [])[:, None]
        steps = []
        for size in (2000, 16000):
            x = np.linspace(low, high, size + 1)
            holds_a_break = ((x[:-1] <= declared) & (declared <= x[1:])).any(axis=0)
            steps.append([np.abs(np.diff(y))[~holds_a_break].max() for y in along(bound, axis, x)])
        for coarse, fine, what in zip(*steps, ("value", "slope"), strict=True):
            assert fine <= coarse / 2.5 + 1e-12, what


def near_list(numbers: list[float]) -> Any:
    return pytest.approx(numbers, rel=1e-12)


class TestLine:
    """What is joined by straight lines: a jump is a gap between two ends at one x."""

    @pytest.mark.parametrize(
        ("text", "over", "what", "gaps"),
        [
            ("hinge", "margin", "slope", [(1.0, -1, 0)]),
            ("hinge", "margin", "value", []),
            ("squared-hinge", "margin", "slope", []),
            ("ramp", "margin", "slope", [(-1.0, 0, -1), (1.0, -1, 0)]),
            ("ramp:s=0", "margin", "slope", [(0.0, 0, -1), (1.0, -1, 0)]),
            ("ramp:s=0.5", "margin", "slope", [(0.5, 0, -1), (1.0, -1, 0)]),
            ("ramp", "margin", "value", []),
            ("zero-one", "margin", "value", [(0.0, 1, 0)]),
            ("zero-one", "margin", "slope", []),
            ("mae", "residual", "slope", [(0.0, -1, 1)]),
            ("mae", "residual", "value", []),
            ("huber", "residual", "slope", []),
            ("huber:delta=1e-6", "residual", "slope", []),
            ("smooth-l1:beta=1e-9", "residual", "slope", []),
            ("tukey", "residual", "slope", []),
            ("tukey", "residual", "value", []),
            ("bce", "probability", "slope", []),
        ],
    )
    def test_gaps_are_where_a_function_jumps_and_nowhere_else(self, text, over, what, gaps):
        curve = traced(text, over)
        x, y = curve.line(what)
        places = np.flatnonzero(np.isnan(x))
        assert [(x[i - 1], y[i - 1], y[i + 1]) for i in places] == gaps
        assert [x[i + 1] for i in places] == [x for x, _, _ in gaps]
        assert np.isnan(y[places]).all()
        assert np.isnan(y).sum() == len(gaps)

    @pytest.mark.parametrize("text", ["hinge", "ramp", "mae", "zero-one"])
    @pytest.mark.parametrize("what", ["value", "slope"])
    def test_every_other_point_is_there_once_and_in_its_order(self, text, what):
        over = "residual" if text == "mae" else "margin"
        curve = traced(text, over)
        jumping = {at.x for at in curve.jumps(what)}
        x, y = curve.line(what)
        keep = ~np.isnan(x) & ~np.isin(x, list(jumping))
        own = ~np.isin(curve.x, list(jumping))
        assert x[keep].tolist() == curve.x[own].tolist()
        assert y[keep].tolist() == getattr(curve, what)[own].tolist()
        assert (np.diff(x[~np.isnan(x)]) >= 0).all()

    def test_a_jump_at_an_end_of_the_range(self):
        for low, high in ((1.0, 3.0), (-3.0, 1.0)):
            x, y = traced("hinge", "margin", low, high).line("slope")
            (gap,) = np.flatnonzero(np.isnan(x))
            assert (x[gap - 1], x[gap + 1], y[gap - 1], y[gap + 1]) == (1.0, 1.0, -1, 0)

    def test_what_is_a_jump(self):
        y = np.array([-4.0, 0, 2])
        assert jumps((0.0, 0.0, 1.0), y)
        assert jumps((0.0, 1.0, 1.0), y)
        assert jumps((0.0, 1.0, 0.0), y)
        assert not jumps((1.0, 1.0, 1.0), y)
        assert not jumps((1.0, 1.0, 1.0 + 1e-9), y)
        assert jumps((1.0, 1.0, 1.0 + 1e-9), y * 1e-9)
        assert jumps((1.0, 1.0, 2.0), np.array([1.0, math.inf]))


class TestGrid:
    def test_ends_and_round_numbers_are_among_the_points(self):
        for low, high in ((-3.0, 3.0), (0.0, 1.0), (-6.0, 6.0), (0.0, 3.0)):
            points = set(grid(low, high).tolist())
            tenths = {i / 10 for i in range(round(low * 10), round(high * 10) + 1)}
            quarters = {i / 4 for i in range(round(low * 4), round(high * 4) + 1)}
            assert tenths | quarters <= points

    @quick
    @given(st.floats(-1e308, 1e308), st.floats(-1e308, 1e308))
    def test_points_are_evenly_spread(self, low, high):
        assume(low < high and high - low > 1e-9 * max(abs(low), abs(high)) and high - low > 1e-300)
        assume(math.isfinite(high - low))
        x = grid(low, high)
        assert (x[0], x[-1]) == (pytest.approx(low, rel=2**-51), pytest.approx(high, rel=2**-51))
        step = (high / 2 - low / 2) / (len(x) - 1) * 2
        slack = 4 * np.spacing(max(abs(low), abs(high)))
        assert np.abs(np.diff(x / 2) * 2 - step).max() <= slack

    def test_a_symmetric_range_has_symmetric_points(self):
        x = grid(-0.7, 0.7)
        assert (x == -x[::-1]).all()
        assert x[len(x) // 2] == 0


class TestSharedAxis:
    @pytest.mark.parametrize(
        ("texts", "wanted", "name"),
        [
            (["huber", "mse"], None, "residual"),
            (["hinge", "logistic", "ramp", "zero-one"], None, "margin"),
            (["bce", "focal"], None, "logit"),
            (["bce"], "probability", "probability"),
            (["bce"], "margin", "margin"),
            (["ce"], None, "probability"),
            (["ce"], "logit", "logit"),
            (["center"], None, "distance"),
            (["bce", "hinge"], None, "margin"),
            (["hinge", "bce"], None, "margin"),
            (["ce", "bce"], None, "probability"),
            (["bce", "ce"], None, "logit"),
            (["ce", "bce"], "logit", "logit"),
            (["huber", "gaussian-nll", "mape"], None, "residual"),
            (["poisson", "negative-binomial-nll"], None, "residual"),
            (["multi-margin", "hinge"], None, "margin"),
            (["triplet", "batch-hard-triplet"], None, "distance"),
        ],
    )
    def test_the_first_axis_that_all_share(self, texts, wanted, name):
        losses = specs(texts)
        found, axes = shared_axis(losses, wanted)
        assert found == name
        assert axes == {bound.family.name: bound.family.axes[name] for bound in losses}

    @pytest.mark.parametrize(
        ("texts", "wanted", "parts"),
        [
            (["huber", "hinge"], None, ["huber is drawn over residual", "hinge is drawn over margin"]),
            (["hinge", "ce"], None, ["hinge is drawn over margin", "softmax-cross-entropy", "probability or logit"]),
            (["center", "mse"], None, ["center is drawn over distance", "squared-error is drawn over residual"]),
            (["hinge"], "logit", ["--x logit", "hinge is drawn over margin"]),
            (["bce"], "residual", ["--x residual", "sigmoid-cross-entropy", "logit, probability or margin"]),
            (["bce", "hinge"], "logit", ["--x logit", "hinge is drawn over margin"]),
        ],
    )
    def test_what_cannot_be_compared_is_refused_with_the_reason(self, texts, wanted, parts):
        with pytest.raises(UsageError) as refused:
            shared_axis(specs(texts), wanted)
        assert [part for part in parts if part not in str(refused.value)] == []

    @pytest.mark.parametrize(
        "texts",
        [
            ("triplet", "contrastive"),
            ("giou", "center"),
            ("crps", "mse"),
            ("crps", "energy-score"),
            ("interval-score", "quantile"),
            ("mape", "poisson"),  # of a target of 1, and of 2
            ("hinge", "dpo"),
            ("lsgan", "margin-ranking"),
            ("bce", "coral"),
        ],
    )
    def test_axes_of_one_name_are_one_axis_only_if_x_is_the_same_variable(self, texts):
        with pytest.raises(UsageError) as refused:
            shared_axis(specs(texts))
        message = str(refused.value)
        for bound in specs(texts):
            (said,) = [axis.label for axis in bound.family.axes.values() if axis.label in message]
            assert f"{bound.name} over '{said}'" in message
        assert "\n" not in message

    @pytest.mark.parametrize(
        ("texts", "label"),
        [
            (["mse", "huber"], "residual r = prediction - target"),
            (["mse", "mape"], "residual r = prediction - target, for a target of 1"),
            (
                ["gaussian-nll", "mape", "laplace-nll"],
                "residual r = prediction - target, for a variance of 1, a target of 1 and a scale of 1",
            ),
            (["bce", "ce"], "logit z of what is true (of two classes; the other logit is 0)"),
            (["ce", "brier"], "probability p of the true class"),
            (["logistic", "bce"], "margin m = t * score, with t = -1 or 1"),
        ],
    )
    def test_the_label_of_a_shared_axis_is_true_for_all(self, texts, label):
        assert joint_label(shared_axis(specs(texts))[1].values()) == label

    def test_the_reason_names_the_losses_as_they_were_given_first(self):
        with pytest.raises(UsageError, match="squared-error is drawn") as refused:
            shared_axis(specs(["mse", "huber", "hinge", "ramp"]))
        assert "huber" not in str(refused.value)
        assert "ramp" not in str(refused.value)

    def test_a_shared_margin_is_the_logit_of_the_label(self):
        """Logistic loss of a margin is binary cross-entropy of the same score."""
        _, axes = shared_axis(specs(["logistic", "bce"]))
        curves = [trace(one(text), axes[one(text).family.name], -3.0, 3.0) for text in ("logistic", "bce")]
        assert curves[0].value == pytest.approx(curves[1].value, rel=1e-14)
        assert curves[0].slope == pytest.approx(curves[1].slope, rel=1e-14)

    def test_a_shared_probability_is_that_of_what_happened(self):
        for over in ("probability", "logit"):
            two = [traced(text, over, 0.1, 0.9) for text in ("bce", "ce")]
            assert two[0].value == pytest.approx(two[1].value, rel=1e-14)
            assert two[0].slope == pytest.approx(two[1].slope, rel=1e-14)


class TestRange:
    @pytest.mark.parametrize(
        ("texts", "over", "expected"),
        [
            (["mse"], "residual", (-3, 3)),
            (["huber:delta=0.5,1,2"], "residual", (-3, 3)),
            (["tukey"], "residual", (-5.9, 5.9)),  # 4.6851 * 1.25 = 5.856..., rounded up in its second digit
            (["huber:delta=10"], "residual", (-13, 13)),  # 12.5
            (["huber:delta=2,200"], "residual", (-250, 250)),
            (["ramp:s=-4"], "margin", (-5, 3)),
            (["ramp:s=-4", "hinge", "bce"], "margin", (-5, 3)),
            (["bce"], "logit", (-6, 6)),
            (["bce", "ce"], "logit", (-6, 6)),
            (["ce"], "probability", (0, 1)),
            (["center"], "distance", (0, 3)),
            (["mse", "poisson"], "residual", (-1.8, 3)),  # a prediction of poisson is above 0
            (["poisson", "huber:delta=10"], "residual", (-1.8, 13)),
            (["triplet", "batch-hard-triplet"], "distance", (0, 2)),
        ],
    )
    def test_the_default_shows_what_is_beyond_every_break(self, texts, over, expected):
        losses = specs(texts)
        assert default_range(losses, shared_axis(losses, over)[1]) == pytest.approx(expected, rel=1e-15)

    @pytest.mark.parametrize("name", sorted({name for family in FAMILIES.values() for name in family.axes}))
    def test_the_default_is_a_range_of_all_that_share_an_axis(self, name):
        have_it = [one(text) for text in FIRST if name in one(text).family.axes]
        for size in (1, 2, 3):
            for losses in itertools.combinations(have_it, size):
                try:
                    axes = shared_axis(losses, name)[1]
                except UsageError:
                    assert len({bound.family.axes[name].label for bound in losses}) > 1
                    continue
                check_range(*default_range(losses, axes), name, axes)

    def test_the_default_is_the_widest_of_the_families(self):
        losses = specs(["hinge", "bce"])
        axes = shared_axis(losses, "margin")[1]
        axes["sigmoid"] = axes["sigmoid"]._replace(span=(-1.0, 8.0))
        assert default_range(losses, axes) == (-3, 8)
        axes["sigmoid"] = axes["sigmoid"]._replace(span=(-8.0, 1.0))
        assert default_range(losses, axes) == (-8, 3)

    @quick
    @given(st.floats(1e-6, 1e6))
    def test_there_is_room_beyond_a_break_but_not_too_much(self, delta):
        losses = [LOSSES["huber"].bind(delta=delta)]
        low, high = default_range(losses, shared_axis(losses)[1])
        assert low == -high
        assert max(3, 1.25 * delta) * (1 - 1e-12) <= high <= max(3, 1.5 * delta)

    @pytest.mark.parametrize(
        ("text", "over", "low", "high", "part"),
        [
            ("mse", "residual", 3.0, 3.0, "--range 3,3 is empty"),
            ("mse", "residual", 3.0, -3.0, "--range 3,-3 is empty"),
            ("mse", "residual", -math.inf, 3.0, "finite"),
            ("mse", "residual", 0.0, math.nan, "finite"),
            ("mse", "residual", -1e308, 1e308, "finite"),
            ("mse", "residual", 1.0, 1.0 + 2**-52, "too few numbers"),
            ("ce", "probability", -0.5, 1.0, "the probability is in [0, 1]"),
            ("ce", "probability", 0.0, 1.5, "the probability is in [0, 1]"),
            ("center", "distance", -1.0, 1.0, "the distance is in [0, inf)"),
        ],
    )
    def test_a_range_without_points_on_the_axis_is_refused(self, text, over, low, high, part):
        name, axes = shared_axis([one(text)], over)
        with pytest.raises(UsageError) as refused:
            check_range(low, high, name, axes)
        assert part in str(refused.value)

    @pytest.mark.parametrize(
        ("text", "over", "low", "high"),
        [
            ("mse", "residual", -8e139, 8e139),
            ("mse", "residual", 5.0, 5.0 + 1e-9),
            ("mse", "residual", 1e-320, 1e-300),
            ("ce", "probability", 0.0, 1.0),
            ("ce", "probability", 0.25, 0.5),
            ("center", "distance", 0.0, 1e100),
        ],
    )
    def test_a_range_with_points_on_the_axis_is_taken(self, text, over, low, high):
        name, axes = shared_axis([one(text)], over)
        check_range(low, high, name, axes)


class TestRecords:
    def test_columns_hold_every_curve_one_after_the_other(self):
        curves = [traced("focal:gamma=0.5:alpha=0.25", "logit"), traced("bce", "logit")]
        found = records(curves)
        assert list(found) == ["loss", "parameters", "x", "value", "gradient"]
        size = len(curves[0].x)
        assert found["loss"] == ["sigmoid-focal"] * size + ["sigmoid-cross-entropy"] * len(curves[1].x)
        assert found["parameters"] == ["gamma=0.5:alpha=0.25"] * size + [""] * len(curves[1].x)
        for column, attribute in (("x", "x"), ("value", "value"), ("gradient", "slope")):
            whole = [*getattr(curves[0], attribute), *getattr(curves[1], attribute)]
            assert found[column].tolist() == whole
