"""Formulas as JavaScript: what a browser computes with them is what losscli computes, and nothing else becomes a program."""

import base64
import json
import shutil
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

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
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
def browser() -> Any:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed here")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed here")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


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
            same = (found == expected) | (np.abs(found - expected) <= 1e-12 * np.abs(expected))
        for i in np.flatnonzero(~same.all(axis=1)):
            doubted += 1
            x = float(case.x[i])
            true = evaluated(case.loss, case.over, parameters, x)
            where = (parameters, x, found[i], expected[i], float(true.v), float(true.d))
            for numbers in (found[i], expected[i]):  # losscli is the one that is right, but a page may not be wrong either
                assert near(numbers[0], true.v, true.off), (*where, float(true.off))
                near_slope = near(numbers[1], true.d, true.d_off)
                assert near_slope or between_its_sides(case, parameters, x, (found[i, 1], expected[i, 1])), where
    assert doubted <= len(case.settings) * len(case.x) / 4
