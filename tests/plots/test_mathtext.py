"""Formulas as mathtext: each declared one can be drawn, and what it says is what the declaration says."""

import re

import pytest
from matplotlib.mathtext import MathTextParser

from losscli.losses import LOSSES
from losscli.plots.mathtext import GREEK, formula_of, letter, mathtext, number, symbol

UNIQUE = {loss.name: loss for loss in LOSSES.values()}
PARSER = MathTextParser("path")


def drawn(text: str) -> None:
    """Draw mathtext, which raises an error if Matplotlib does not know a part of it."""
    width, *_ = PARSER.parse(f"${text}$", dpi=72)
    assert width > 0


@pytest.mark.parametrize("name", [name for name, loss in UNIQUE.items() if loss.formula])
def test_every_declaration_can_be_drawn(name):
    loss = UNIQUE[name]
    known = {parameter.name: parameter.default for parameter in loss.parameters.values()}
    texts = [mathtext(text) for text in (loss.formula, loss.slope, *loss.where.values()) if text]
    formula, definitions = formula_of(loss.formula, loss.where, known)
    for text in (*texts, formula, *filter(None, [definitions])):
        drawn(text)
        # Nothing of the source: words only upright, and signs of mathematics in place of those of Python.
        words = re.sub(r"\\mathrm\{[^{}]*\}|\\[A-Za-z]+", " ", text)
        assert re.findall(r"[A-Za-z]{2,}|\*|==|[<>!]=|//", words) == [], text


@pytest.mark.parametrize("loss", UNIQUE.values(), ids=UNIQUE)
def test_every_parameter_and_break_has_a_symbol(loss):
    for name in loss.parameters:
        drawn(symbol(name))
        assert "_" not in letter(name)
    for name in loss.breaks({one.name: one.default for one in loss.parameters.values()}):
        drawn(mathtext(name))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # Binding as in Python: brackets only where the tree needs them.
        ("-x**2", "-x^{2}"),
        ("(-x)**2", r"\left(-x\right)^{2}"),
        ("a**b**c", "a^{b^{c}}"),
        ("(a**b)**c", r"\left(a^{b}\right)^{c}"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("a - b - c", "a - b - c"),
        ("a + (b - c)", "a + b - c"),
        ("a * (b + c)", r"a\,\left(b + c\right)"),
        ("a + b * c", r"a + b\,c"),
        ("-t * log(p)", r"-t\,\log p"),
        ("2 * -r", r"2\,\left(-r\right)"),
        ("r * 2", r"2\,r"),
        ("2 * 3", r"2 \cdot 3"),
        ("(a + b) / c", r"\dfrac{a + b}{c}"),
        ("(r / c)**2", r"\left(\dfrac{r}{c}\right)^{2}"),
        ("a / b / c", r"\dfrac{a}{b\,c}"),
        ("a / (b + c) / d", r"\dfrac{a}{\left(b + c\right)\,d}"),
        ("a / (1 + b / c)", r"\dfrac{a}{1 + \frac{b}{c}}"),
        ("-a / b", r"-\dfrac{a}{b}"),
        ("exp(-r / c)", r"\mathrm{e}^{-r / c}"),
        ("exp(-r / (2 * c))", r"\mathrm{e}^{-r / \left(2\,c\right)}"),
        ("log(1 + x)", r"\log\left(1 + x\right)"),
        ("log(x)**2", r"\left(\log x\right)^{2}"),
        ("sqrt(x)", r"\sqrt{x}"),
        ("abs(r)", "{|}r{|}"),
        ("abs(a / b)", r"\left| \dfrac{a}{b} \right|"),
        ("max(0, 1 - m)", r"\max\left(0,\, 1 - m\right)"),
        ("z[y]", "z_{y}"),
        ("l[0][k]", r"l_{0,\, k}"),
        # Sums: the index below the sign, lists of all positions unnamed.
        ("sum(t[k] for k in classes)", r"\sum_{k}\,t_{k}"),
        ("sum(exp(z[k]) for k in others)", r"\sum_{k \neq y}\,\mathrm{e}^{z_{k}}"),
        ("sum(z[j] for j in rows if t[j] >= t[k])", r"\sum_{j:\, t_{j} \geq t_{k}}\,z_{j}"),
        ("sum(x[i] for i in range(1, n + 1))", r"\sum_{i=1..n}\,x_{i}"),
        ("sum(abs(a - b) for a, b in zip(y, t))", r"\sum_{i}\,{|}y_{i} - t_{i}{|}"),
        ("sum(abs(one - other) for one in x for other in x)", r"\sum_{i}\sum_{j}\,{|}x_{i} - x_{j}{|}"),
        ("sum(a[k] for k in classes) * b", r"\left(\sum_{k}\,a_{k}\right)\,b"),
        ("2 * sum(a[k] for k in classes)", r"2\,\sum_{k}\,a_{k}"),
        ("sum(a[k] + b for k in classes)", r"\sum_{k}\,\left(a_{k} + b\right)"),
        ("sum(a[k] for k in classes) / n", r"\dfrac{1}{n}\,\sum_{k}\,a_{k}"),
        ("max(z[k] for k in others)", r"\max_{k \neq y}\,z_{k}"),
        # Cases.
        (
            "where(r > 0, a, b)",
            r"\left\{\genfrac{}{}{0}{0}{a \quad \mathrm{if}\; r > 0}{b \quad \mathrm{otherwise}}\right.",
        ),
        (
            "where(r > 1, a, where(r > 0, b, c))",
            r"\left\{\substack{a \quad \mathrm{if}\; r > 1 \\ b \quad \mathrm{if}\; r > 0 \\ c \quad \mathrm{otherwise}}\right.",
        ),
    ],
)
def test_what_is_said(expression, expected):
    assert mathtext(expression) == expected
    drawn(expected)


@pytest.mark.parametrize(
    ("expression", "known", "expected"),
    [
        ("where(power == 1, a, where(power == 2, b, c))", {"power": 2.0}, "b"),
        ("where(power == 1, a, where(power == 2, b, c))", {"power": 1.5}, "c"),
        ("where(power > 2 and y == 0, inf, c)", {"power": 1.5}, "c"),
        ("1 if alpha is None else alpha", {"alpha": None}, "1"),
        ("1 if alpha is None else alpha", {"alpha": 0.25}, r"\alpha"),
        ("where(alpha == -inf, a, b)", {"alpha": float("-inf")}, "a"),
        ("where(alpha == 2, a, b)", {"alpha": None}, None),  # unknown: both cases stay
    ],
)
def test_cases_of_parameters_are_decided(expression, known, expected):
    text = mathtext(expression, known)
    assert text == expected if expected is not None else "otherwise" in text


def test_definitions_are_given_where_they_are_needed():
    where = {"s": "scale", "u": "1 - v", "h": "u * m", "unused": "m"}
    text, definitions = formula_of("s * h", where)
    assert text == r"\mathrm{scale}\,h"
    assert definitions == r"u = 1 - v,\, h = u\,m"
    assert formula_of("a * t - b", {"a": "1 if alpha is None else alpha"}, {"alpha": None}) == ("t - b", "")


@pytest.mark.parametrize(
    ("name", "mathematical", "plain"),
    [
        ("gamma", r"\gamma", "γ"),
        ("c", "c", "c"),
        ("gamma_neg", r"\gamma_{\mathrm{neg}}", "gamma neg"),
        ("w_b", "w_{b}", "w b"),
        ("P2", "P_{2}", "P2"),
        ("label_smoothing", r"\mathrm{label\ smoothing}", "label smoothing"),
        ("margin", r"\mathrm{margin}", "margin"),
    ],
)
def test_names(name, mathematical, plain):
    assert (symbol(name), letter(name)) == (mathematical, plain)


def test_numbers():
    assert [number(x) for x in (2, 0.5, -3, 4.6851, 1e-6, -1e-7, 2.5e20, float("inf"), float("-inf"))] == [
        "2",
        "0.5",
        "-3",
        "4.6851",
        "10^{-6}",
        "-10^{-7}",
        r"2.5\cdot 10^{20}",
        r"\infty",
        r"-\infty",
    ]
    assert all(len(one) == 1 for one in GREEK.values())
