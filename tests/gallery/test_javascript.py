"""Formulas as JavaScript: what a browser computes with them is what losscli computes, and nothing else becomes a program."""

import base64
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from rounding import evaluated, near

from losscli.analysis.curves import along
from losscli.definition.loss import Axis, Loss
from losscli.gallery.javascript import RUNTIME, GrammarError, Program, translate
from losscli.losses import LOSSES

POINTS = 200
FAR = (-30000.0, -800.0, -50.0, 50.0, 800.0, 30000.0)
"""Points at which a formula as it is written overflows, and a page should not."""
OTHERS = (0.0, 0.5, 1.0, 2.0, 3.0, 0.25, 0.75, -1.0, -0.5, 7.0)
WORDS_ONLY = {
    *("sparsemax", "vicreg", "barlow-twins", "lovasz-hinge", "lovasz-softmax", "quadratic-kappa"),
    *("log-quadratic-kappa", "two-way", "median-absolute-error", "ctc"),
}


@dataclass
class Case:
    """A loss along an axis, with some values of its parameters and the points at which it is looked at."""

    loss: Loss
    over: str
    program: Program
    settings: list[dict[str, float | None]]
    x: np.ndarray

    @property
    def axis(self) -> Axis:
        return self.loss.family.axes[self.over]


def settings(loss: Loss) -> list[dict[str, float | None]]:
    """The defaults, and two others within the domains: all parameters moved, to a smaller and a larger value."""
    defaults = {name: parameter.default for name, parameter in loss.parameters.items()}
    found = [defaults]
    for step in (0, 1):
        moved = dict(defaults)
        for i, (name, parameter) in enumerate(loss.parameters.items()):
            others = [value for value in OTHERS if value in parameter.domain and value != parameter.default]
            if others:
                moved[name] = others[(step + i) % len(others)]
        if moved not in found:
            found.append(moved)
    if loss.name == "barron":
        found += [defaults | {"alpha": alpha} for alpha in (-np.inf, 0.0, 2.0, np.inf)]
    return found


def points(axis: Axis) -> np.ndarray:
    """Numbers with few digits all over the axis's usual drawing, so that nothing is rounded before a formula begins."""
    low, high = axis.span
    step = 2.0 ** np.floor(np.log2((high - low) / POINTS))
    x = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    far = np.array([one for one in FAR if one in axis.domain])
    return np.concatenate([x[np.round(np.linspace(0, len(x) - 1, POINTS)).astype(int)], far])


CASES = [
    Case(loss, over, program, settings(loss), points(axis))
    for loss in LOSSES.values()
    for over, axis in loss.family.axes.items()
    if (program := translate(loss, over)) is not None
]


def in_page(browser: Any, script: str, argument: Any = None) -> Any:
    """What a function returns in a page that has the runtime, in strict mode and with nothing said on the console."""
    page, said = browser.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    found = page.evaluate(f"(argument) => {{ 'use strict'; {RUNTIME}\nreturn ({script})(argument); }}", argument)
    assert said == []
    assert page.evaluate("Object.keys(window).filter((name) => name.includes('losscli'))") == []
    page.close()
    return found


@pytest.fixture(scope="module")
def computed(browser: Any) -> dict[tuple[str, str], np.ndarray]:
    """Value and slope of every case as a browser computes them, shape (settings, points, 2), all in one call."""
    script = """({ settings, x }) => {
      const programs = [PROGRAMS];
      const numbers = new Float64Array(programs.flatMap((program, i) => settings[i].flatMap((one) =>
        x[i].flatMap((at) => { const found = program(at, one); return [found.value, found.slope]; }))));
      const bytes = new Uint8Array(numbers.buffer);
      let text = "";
      for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
      return btoa(text);
    }""".replace("PROGRAMS", ",\n".join(case.program.source for case in CASES))
    argument = {"settings": [case.settings for case in CASES], "x": [case.x.tolist() for case in CASES]}
    numbers = np.frombuffer(base64.b64decode(in_page(browser, script, argument)), np.float64)
    sizes = [len(case.settings) * len(case.x) * 2 for case in CASES]
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    return {
        (case.loss.name, case.over): part.reshape(len(case.settings), len(case.x), 2)
        for case, part in zip(CASES, parts, strict=True)
    }


def between_its_sides(case: Case, parameters: Any, x: float, numbers: tuple[float, float]) -> bool:
    """Whether slopes at a kink are between those on both sides of it."""
    bound = case.loss.bind(**parameters)
    sides = along(bound, case.axis, np.array([x - 2.0**-24, x + 2.0**-24]))[1]
    slack = 1e-5 * np.abs(sides).max()
    kink = sides.max() - sides.min() > 1e-3 * np.abs(sides).max()
    return bool(kink and all(sides.min() - slack <= one <= sides.max() + slack for one in numbers))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.loss.name}-{case.over}")
def test_a_page_computes_what_losscli_computes(computed: Any, case: Case) -> None:
    doubted = 0
    for parameters, found in zip(case.settings, computed[case.loss.name, case.over], strict=True):
        expected = np.stack(along(case.loss.bind(**parameters), case.axis, case.x), axis=1)
        with np.errstate(all="ignore"):
            apart = np.abs(found - expected)
            same = (found == expected) | ((apart <= 1e-12 * np.abs(expected)) & np.isfinite(apart))
        for i in np.flatnonzero(~same.all(axis=1)):
            doubted += 1
            x = float(case.x[i])
            true = evaluated(case.loss, case.over, parameters, x)
            where = (parameters, x, found[i], expected[i], float(true.v), float(true.d))
            for numbers in (
                found[i],
                expected[i],
            ):  # losscli is the one that is right, but a page may not be wrong either
                assert near(numbers[0], true.v, true.off), (*where, float(true.off))
                near_slope = near(numbers[1], true.d, true.d_off)
                assert near_slope or between_its_sides(case, parameters, x, (found[i, 1], expected[i, 1])), where
    assert doubted <= len(case.settings) * len(case.x) / 4


STEADY = [
    ("logistic", "margin", {}, 40.0),
    ("pseudo-huber", "residual", {"delta": 1.0}, 2.0**-20),
    ("log-cosh", "residual", {}, 2.0**-20),
    ("log-cosh", "residual", {}, 1000.0),
    ("cauchy", "residual", {"c": 1.0}, 2.0**-20),
    ("student-t", "residual", {"c": 1.0, "df": 4.0}, 2.0**-20),
    ("welsch", "residual", {"c": 1.0}, 2.0**-20),
    ("barron", "residual", {"alpha": 1.0, "c": 1.0}, 2.0**-20),
    ("barron", "residual", {"alpha": 0.0, "c": 1.0}, 2.0**-20),
    ("tukey-biweight", "residual", {"c": 1.0}, 2.0**-20),
    ("andrews", "residual", {"c": 1.0}, 2.0**-20),
    ("sigmoid-cross-entropy", "logit", {}, 50.0),
    ("sigmoid-focal", "logit", {"gamma": 2.0, "alpha": None}, 50.0),
    ("sigmoid-brier", "logit", {}, 50.0),
    ("softmax-cross-entropy", "logit", {}, 50.0),
    ("softmax-focal", "logit", {"gamma": 2.0}, 50.0),
    ("softmax-poly-1", "logit", {"epsilon": 1.0}, 50.0),
    ("generalized-cross-entropy", "logit", {"q": 0.75}, 50.0),
    ("brier", "logit", {}, 50.0),
    ("cosine-distance", "distance", {}, 2.0**-20),
    ("arcface", "distance", {"margin": 0.0, "scale": 64.0}, 0.25),
    ("cosface", "distance", {"margin": 0.0, "scale": 64.0}, 0.25),
    ("normalized-softmax", "distance", {"temperature": 0.05}, 0.25),
    ("info-nce", "distance", {"temperature": 0.02}, 0.25),
    ("savage", "margin", {}, 800.0),
    ("kto", "margin", {"beta": 7.0, "kl": 0.0, "desirable_weight": 1.0, "undesirable_weight": 1.0}, 53.0),
    ("orpo", "margin", {"beta": 0.5}, -(2.0**-30)),
]
"""Where a formula as it is written cancels or overflows, and a page does not: it knows the logarithms of numbers."""


def test_digits_are_kept_where_a_formula_would_lose_them(browser: Any) -> None:
    calls = ", ".join(f"({program(name, over)})(...at[{i}])" for i, (name, over, _, _) in enumerate(STEADY))
    found = in_page(browser, f"(at) => [{calls}]", [[x, parameters] for _, _, parameters, x in STEADY])
    for (name, over, parameters, x), numbers in zip(STEADY, found, strict=True):
        bound = LOSSES[name].bind(**parameters)
        value, slope = along(bound, bound.family.axes[over], np.array([x]))
        assert [numbers["value"], numbers["slope"]] == pytest.approx([value[0], slope[0]], rel=1e-12, abs=0), name


LIMITS = [
    ("mul(0, Infinity)", 0),
    ("mul(-Infinity, 0)", 0),
    ("div(0, 0)", 0),
    ("div(0, Infinity)", 0),
    ("div(-2, 0)", -np.inf),
    ("div(2, -0)", np.inf),
    ("pow(0, 0)", 1),
    ("pow(Infinity, 0)", 1),
    ("pow(-2, 3)", -8),
    ("pow(0, -1)", np.inf),
    ("log(0)", -np.inf),
    ("exp(-Infinity)", 0),
    ("sum([])", 0),
    ("max([1, 3, 3])", 3),
    ("min([2, -1])", -1),
    ("sign(-3)", -1),
    ("floor(-0.5)", -1),
    ("rank([2, 5, 5], 2)", 2),
    ("cumsum([1, 2, 3])[2]", 6),
    ("range(1, 4).length", 3),
    ("ge([1, 3], 2)[0]", 0),
    ("taylor(1, 3)", 8 / 3),
    *(
        (f"along({x}, ({formula})).{what}", expected)
        for x, formula, value, slope in [
            (0, "(x) => losscli.pow(x, 0)", 1, 0),
            (0, "(x) => losscli.pow(x, 1)", 0, 1),
            (0, "(x) => losscli.pow(x, 2)", 0, 0),
            (0, "(x) => losscli.pow(x, -1)", np.inf, -np.inf),
            (3, "(x) => losscli.pow(2, x)", 8, 8 * np.log(2)),
            (-2, "(x) => losscli.pow(x, 3)", -8, 12),
            (0, "(x) => losscli.mul(x, losscli.log(x))", 0, -np.inf),
            (0, "(x) => losscli.mul(0, losscli.log(x))", 0, 0),
            (0, "(x) => losscli.sqrt(x)", 0, np.inf),
            (0, "(x) => losscli.abs(x)", 0, 0),
            (1, "(x) => losscli.max([0, losscli.sub(1, x)])", 0, 0),
            (1, "(x) => losscli.max([losscli.sub(1, x), 0])", 0, -1),
            (2, "(x) => losscli.floor(x)", 2, 0),
            (0, "(x) => 5", 5, 0),
        ]
        for what, expected in (("value", value), ("slope", slope))
    ),
]


def test_limits_are_those_of_the_grammar(browser: Any) -> None:
    calls = ", ".join(f"losscli.{call}" for call, _ in LIMITS)
    assert in_page(browser, f"() => [{calls}]") == pytest.approx([expected for _, expected in LIMITS], rel=1e-15, abs=0)


def test_at_the_ends_of_probabilities_derivatives_are_limits_and_values_exact(browser: Any) -> None:
    """Where the other class has no probability, nor a target: by hand."""
    slopes = {
        "brier": 0,
        "hellinger": -np.inf,
        "squared-hellinger": -1 / 2,
        "pearson-chi-square": -1,
        "jensen-shannon": -np.log(2) / 2,
        "softmax-cross-entropy": -1,
    }
    calls = ", ".join(f"({program(name, 'probability')})(1, {{}})" for name in slopes)
    found = in_page(browser, f"() => [{calls}]")
    assert [one["value"] for one in found] == [0] * len(slopes)
    assert [one["slope"] for one in found] == pytest.approx(list(slopes.values()), rel=1e-12, abs=1e-100)


def test_comparisons_hold_or_not_at_equal_numbers(browser: Any) -> None:
    names = ["lt", "le", "gt", "ge", "eq", "ne"]
    calls = ", ".join(f"losscli.{name}(1, 1)" for name in names)
    assert in_page(browser, f"() => [{calls}]") == [False, True, False, True, True, False]


def test_positions_out_of_range_and_vectors_of_different_lengths_are_errors(browser: Any) -> None:
    script = """() => [() => losscli.at([1], 1), () => losscli.at([1], -1), () => losscli.at([1], 0.5),
      () => losscli.add([1, 2], [1]), () => losscli.zip([1, 2], [1])].map((work) => {
        try { return work(); } catch (error) { return error.name; } })"""
    assert in_page(browser, script) == ["RangeError"] * 5


@pytest.mark.parametrize(
    ("name", "true", "x"),
    [
        ("erf", mp.erf, np.concatenate([np.linspace(-7, 7, 401), 10.0 ** np.linspace(-300, 0, 61), [0, 30, -1e300]])),
        ("lgamma", mp.loggamma, np.concatenate([np.linspace(1 / 64, 16, 700), 10.0 ** np.linspace(-300, 300, 241)])),
    ],
)
def test_special_functions(browser: Any, name: str, true: Any, x: np.ndarray) -> None:
    found = in_page(browser, f"(x) => x.map(losscli.{name})", x.tolist())
    with mp.workdps(60):
        for at, number in zip(x.tolist(), found, strict=True):
            expected = true(mpf(at))
            assert abs(mpf(number) - expected) <= mpf(2e-15) * abs(expected), (at, number, float(expected))


def test_kinks_and_jumps_are_found_where_they_are(browser: Any) -> None:
    cases = [case for case in CASES if case.axis.own and any(dict(case.loss.breaks(one)) for one in case.settings)]
    assert len(cases) > 20
    programs = ", ".join(case.program.source for case in cases)
    ends = [[-9.0, 9.5] for _ in cases]
    argument = {"settings": [case.settings for case in cases], "ends": ends}
    script = f"""({{ settings, ends }}) => [{programs}].map((program, i) =>
      settings[i].map((one) => losscli.breaks(program, one, ...ends[i])))"""
    for case, lists in zip(cases, in_page(browser, script, argument), strict=True):
        for parameters, breaks in zip(case.settings, lists, strict=True):
            bound = case.loss.bind(**parameters)
            found = {one["x"]: one for one in breaks}
            assert list(found) == sorted(found)
            assert len(found) == len(breaks)
            for x in {x for x in case.loss.breaks(parameters).values() if -9 < x < 9.5 and x in case.axis.domain}:
                sides = np.array([x - 1e-9, x + 1e-9])
                value, slope = along(bound, case.axis, sides)
                if max(abs(np.diff(value)[0]), abs(np.diff(slope)[0])) < 1e-3:
                    continue  # a change of form that is no kink
                one = found[min(found, key=lambda at: abs(at - x))]
                assert abs(one["x"] - x) <= 1e-12 * 18.5
                assert one["value"][::2] == pytest.approx(value, rel=1e-6, abs=1e-4)
                if np.abs(slope).max() < 1e3:  # beyond, there is no limit
                    assert one["slope"][::2] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_breaks_are_jumps_and_kinks_and_nothing_else(browser: Any) -> None:
    looked_at = [
        ("zero-one", {}, -1, 1, [{"x": 0, "value": [1, 1, 0], "slope": [0, 0, 0]}]),
        ("hinge", {}, 0, 3, [{"x": 1, "value": [0, 0, 0], "slope": [-1, 0, 0]}]),
        ("hinge", {}, 1, 3, []),
        ("hinge", {}, 0, 1, []),  # an end has one side only
        ("expectile", {"tau": 0.25}, -1, 1, []),  # the second derivative jumps
        ("squared-error", {}, -1, 1, []),
    ]
    calls = ", ".join(
        f"losscli.breaks({program(name)}, at[{i}][1], at[{i}][2], at[{i}][3], 7)"
        for i, (name, *_) in enumerate(looked_at)
    )
    found = in_page(browser, f"(at) => [{calls}]", [list(one[:4]) for one in looked_at])
    assert found == [one[4] for one in looked_at]


def test_jumps_and_kinks_of_examples_are_found(browser: Any) -> None:
    expected = {
        ("crps", ""): [(-0.5, -1, -1 / 3), (0, -1 / 3, 1 / 3), (0.5, 1 / 3, 1)],
        ("energy-score", ""): [(0, -1 / 3, 1 / 3)],
        ("interval-score", "alpha: 0.5"): [(-1, -4, 0), (1, 0, 4)],
        ("iou", ""): [(1, 0.5, 0)],
        ("multiclass-hinge", ""): [(1, -1, 0)],
        ("arcface", "margin: 0.5, scale: 64"): [(1 + np.cos(0.5), 0, 64)],
        ("cosine-embedding", "margin: 0.5"): [(2 / 3, -np.pi / 2 * np.sqrt(3) / 2, 0)],
        ("symmetric-percentage-error", "epsilon: 0"): [(-1, 0, -4), (0, -1, 1)],
        ("sigmoid-cross-entropy", ""): [],
    }
    """The places, and the slopes on both sides: by hand."""
    calls = []
    for name, parameters in expected:
        loss = LOSSES[name]
        low, high = next(iter(loss.family.axes.values())).span
        calls.append(f"losscli.breaks({program(name)}, {{ {parameters} }}, {low}, {high})")
    for (name, _), found in zip(expected, in_page(browser, f"() => [{', '.join(calls)}]"), strict=True):
        places = [(one["x"], one["slope"][0], one["slope"][2]) for one in found]
        assert len(places) == len(expected[name, _]), name
        for place, numbers in zip(places, expected[name, _], strict=True):
            assert place == pytest.approx(numbers, rel=1e-9, abs=1e-9), name


def program(name: str, over: str | None = None) -> str:
    loss = LOSSES[name]
    found = translate(loss, over or next(iter(loss.family.axes)))
    assert found is not None
    return found.source


def test_all_losses_with_a_formula_are_programs() -> None:
    without = {loss.name for loss in LOSSES.values() for over in loss.family.axes if translate(loss, over) is None}
    assert without == WORDS_ONLY == {loss.name for loss in LOSSES.values() if not loss.formula}


def test_only_the_selected_branch_is_evaluated() -> None:
    assert program("quantile").count("?") == 1
    assert (
        "(losscli.gt($r, 0) ? losscli.mul(losscli.sub(1, $tau), $r) : losscli.mul(losscli.neg($tau), $r))"
        in program("quantile")
    )


def test_programs_define_what_they_need_and_no_more() -> None:
    assert program("squared-error") == (
        '(x, parameters) => losscli.along(x, ($point) => { "use strict"; '
        "const $predictions = [losscli.line($point, 0, 1)]; const $targets = [0]; "
        "const $r = losscli.sub(losscli.at($predictions, 0), losscli.at($targets, 0)); return losscli.pow($r, 2); })"
    )
    assert 'const $delta = parameters["delta"];' in program("huber")


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os')",
        "r.constructor",
        "r['constructor']",
        "constructor",
        "parameters",
        "losscli",
        "eval(r)",
        "r.toString()",
        "(lambda: r)()",
        "[r for r in r]",
        "{r: r}",
        "f'{r}'",
        "'alert(1)'",
        "b'1'",
        "True",
        "1j",
        "...",
        "r if r else r, r",
        "r or 1",
        "not r",
        "~r",
        "r // 1",
        "r % 2",
        "r @ r",
        "r in r",
        "0 < r < 1",
        "r[1:]",
        "r[::2]",
        "max(r, default=0)",
        "max(*r)",
        "max(1, 2, 3)",
        "abs(k for k in r)",
        "sum(k for k in r if k if k)",
        "sum(k for k, (j, l) in r)",
        "sum(1 for r.x in r)",
        "(r := 1)",
        "await r",
        "r(1)",
        "sum(é for é in range(0, 2))",
        "sum(_ for _ in range(0, 2))",
        "rank",
        "r\u200b",
        "ｒｕｎ(r)",
        "é",
    ],
)
def test_what_is_not_in_the_grammar_is_refused(monkeypatch: pytest.MonkeyPatch, formula: str) -> None:
    bad = replace(LOSSES["squared-error"], formula=formula)
    monkeypatch.setitem(LOSSES, "squared-error", bad)
    with pytest.raises((GrammarError, SyntaxError)):
        translate(bad, "residual")


def test_names_of_javascript_mean_nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = replace(LOSSES["squared-error"], formula="new * r", where={"new": "2", "constructor": "new"})
    monkeypatch.setitem(LOSSES, "squared-error", bad)
    found = translate(bad, "residual")
    assert found is not None
    assert "const $new = 2; const $constructor = $new; return losscli.mul($new, $r);" in found.source


def test_losses_of_users_are_never_programs(write: Any) -> None:
    from losscli.lookup.names import find

    write("own.py", "def mse(y_true, y_pred):\n    return (y_pred - y_true) ** 2\n")
    assert translate(find("own.py:mse"), "residual") is None
    same = replace(LOSSES["squared-error"])  # not the one that is declared
    assert translate(same, "residual") is None


def test_a_declaration_of_a_module_that_is_not_losscli_s_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def core(r: Any) -> Any:
        return r**2, 2 * r

    own = replace(LOSSES["squared-error"], name="own", core=core)
    monkeypatch.setitem(LOSSES, "own", own)
    assert translate(own, "residual") is None


def test_sources_are_ascii_and_cannot_end_a_script() -> None:
    for source in (RUNTIME, *(case.program.source for case in CASES)):
        assert source.isascii()
        assert "</" not in source
        assert "<!--" not in source
