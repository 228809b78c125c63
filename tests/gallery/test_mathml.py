"""Formulas as MathML: each is well formed and reads as a book would write it."""

import ast
import re
from xml.etree import ElementTree

import pytest

from losscli.gallery.mathml import mathml
from losscli.losses import LOSSES

TEXTS = [
    pytest.param(text, loss.name, id=f"{loss.name}-{part}")
    for loss in LOSSES.values()
    for part, text in {"formula": loss.formula, "slope": loss.slope, **loss.where}.items()
    if text
]
CORE = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "msup", "msub", "msubsup"),
    *("munder", "munderover", "mtable", "mtr", "mtd"),
}
"""What is used of MathML Core, all of which the browsers know."""
CHILDREN = {"mfrac": 2, "msup": 2, "msub": 2, "msubsup": 3, "munder": 2, "munderover": 3}


def words(element: ElementTree.Element) -> str:
    """A formula in one line: powers after ^, subscripts after _, fractions with a line between, cases one after the other."""
    inner = [words(child) for child in element]
    match element.tag:
        case "mfrac":
            return f"[{inner[0]} over {inner[1]}]"
        case "msqrt":
            return f"√[{''.join(inner)}]"
        case "msup":
            return f"{inner[0]}^{_group(inner[1])}"
        case "msub":
            return f"{inner[0]}_{_group(inner[1])}"
        case "msubsup":
            return f"{inner[0]}_{_group(inner[1])}^{_group(inner[2])}"
        case "munder":
            return f"{inner[0]}[{inner[1]}]"
        case "munderover":
            return f"{inner[0]}[{inner[1]}..{inner[2]}]"
        case "mtr":
            return " ".join(inner) + ";"
        case "mspace":
            return " "
    return (element.text or "").replace("\u2062", "").replace("\u2061", "").replace("\xa0", " ") + "".join(inner)


def _group(text: str) -> str:
    return text if len(text) == 1 else f"{{{text}}}"


def read(source: str, left: str = "") -> str:
    return words(ElementTree.fromstring(mathml(source, left)))


@pytest.mark.parametrize(("text", "loss"), TEXTS)
def test_every_formula_is_mathml(text: str, loss: str) -> None:
    root = ElementTree.fromstring(mathml(text))
    assert root.tag == "math"
    assert root.attrib["display"] == "block"
    for element in root.iter():
        assert element.tag in CORE
        assert len(element) == CHILDREN.get(element.tag, len(element))
        if element.tag in ("mi", "mn", "mo", "mtext"):
            assert element.text
            assert not len(element)
        else:
            assert not (element.text or "").strip()
    said = words(root)
    assert said.count("(") == said.count(")")
    assert not re.search(r"\*\*|\balpha\b|\bsqrt\b|\babs\b|\bwhere\b|[+−⋅/]{2}", said)
    for node in ast.walk(ast.parse(text)):  # no number is lost; 2 is also the power of v * v, and 1 the end of a range
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value not in (1, 2):
            assert f"{node.value:g}" in said


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("r**2 / 2", "[r^2 over 2]"),
        ("-x**2", "−x^2"),
        ("(-x)**2", "(−x)^2"),
        ("(a**b)**c", "(a^b)^c"),
        ("a - (b - c)", "a−(b−c)"),
        ("a + (b - c)", "a+b−c"),
        ("a - -b", "a−(−b)"),
        ("a * -b", "a(−b)"),
        ("(a + b) * (c - d)", "(a+b)(c−d)"),
        ("2 * 3 * a", "2⋅3a"),
        ("a * 2", "a⋅2"),
        ("scale * s[y]", "scale⋅s_y"),
        ("-scale * d", "−scale⋅d"),
        ("-(1 - m) / 2", "−[1−m over 2]"),
        ("-2 * exp(m) / (1 + exp(m))**3", "−[2e^m over (1+e^m)^3]"),
        ("c**2 / 2 * r**2 / (c**2 + r**2)", "[c^2r^2 over 2(c^2+r^2)]"),
        ("c**2 / 2 * log(1 + (r / c)**2)", "[c^2 over 2] log(1+([r over c])^2)"),
        ("r / (1 + (r / c)**4)", "[r over 1+(r/c)^4]"),
        ("a / (b / c)", "[a over b/c]"),
        ("(x**2 / b + 1)**(alpha / 2 - 1)", "([x^2 over b]+1)^{α/2−1}"),
        ("exp(-(r / c)**2)", "e^{−(r/c)^2}"),
        ("exp(gamma * max(0, s) * (s - m))", "exp(γmax(0,s)(s−m))".replace("γmax", "γ max")),
        ("sqrt(2 / pi)", "√[[2 over π]]"),
        ("abs(t - p)**beta", "|t−p|^β"),
        ("abs(a) * abs(b)", "|a|⋅|b|"),
        ("norm(a - b)", "‖a−b‖"),
        ("floor(x)", "⌊x⌋"),
        ("log(a)**2 * b", "(log(a))^2b"),
        ("max(0, 1 - m)**2", "max(0,1−m)^2"),
        ("lgamma(t + 1)", "log Γ(t+1)"),
        ("v * v / w", "[v^2 over w]"),
        ("where(r > 0, 1 - tau, -tau)", "{1−τ if r>0;−τ otherwise;"),
        ("where(a == 0, 1, where(b >= 2, c, d))", "{1 if a=0;c if b≥2;d otherwise;"),
        ("where(r > 0, 1, 2) * r**2", "r^2{1 if r>0;2 otherwise;"),
        ("where(t == 0, 0, t) - t + y", "({0 if t=0;t otherwise;)−t+y"),
        ("1 - where(t == 0, 0, t)", "1−{0 if t=0;t otherwise;"),
        ("where(r > 0, 1, 2)**2", "({1 if r>0;2 otherwise;)^2"),
        ("1 if alpha is None else alpha", "{1 if α is not given;α otherwise;"),
        ("where((s < m) & (m < 1), -1, 0)", "{−1 if s<m<1;0 otherwise;"),
        ("where(power > 2 and y == 0, inf, 0)", "{∞ if power>2 and y=0;0 otherwise;"),
        ("sum((1 - p)**i / i for i in range(1, order + 1))", "∑[i=1..order][(1−p)^i over i]"),
        ("sum(max(0, z[k] - z[y]) for k in others)", "∑[k≠y]max(0,z_k−z_y)"),
        ("sum(t[k] - z[k] for k in classes)", "∑[k](t_k−z_k)"),
        ("sum(exp(z[j]) for j in classes if j != k)", "∑[j≠k]e^{z_j}"),
        ("sum(z[a] - z[b] for a in items for b in items if t[a] > t[b])", "∑[a,b:t_a>t_b](z_a−z_b)"),
        ("sum(abs(one - other) for one in x for other in x)", "∑[i,j]|x_i−x_j|"),
        ("sum(abs(a - b) for a, b in zip(y, t))", "∑[i]|y_i−t_i|"),
        ("sum(q * c for a, b in zip(x, t) for c, q in zip(a, levels))", "∑[i,j]levels_j⋅x_{ij}"),
        ("sum(s[j] for j in positives) / len(positives)", "[∑[j∈positives]s_j over |positives|]"),
        ("sum(s[k] for k in positives + negatives)", "∑[k∈positives∪negatives]s_k"),
        ("sum(a) * sum(b)", "(∑[i]a_i)∑[i]b_i".replace(")∑", ") ∑")),
        ("sum(t * p) / sqrt(sum(p**2))", "[∑[i]t_ip_i over √[∑[i]p_i^2]]"),
        ("sum(cumsum(p - t)[:-1]**2)", "∑[i<K](∑[j≤i](p_j−t_j))^2"),
        ("max(z) - z[y]", "max[i]z_i−z_y"),
        ("p[s][k] * l[0][k]", "p_{sk}l_{0,k}"),
        ("w(c) * P2(c)", "w(c) P2(c)"),
        ("sum(w(c) * (P2(c) + T(c)) for c in classes)", "∑[c]w_c(P2_c+T_c)"),
        ("g(-h) / neg_scale", "[g(−h) over neg_scale]"),
        ("gamma_pos + max_m + w_b + label_smoothing", "γ_{pos}+m_{max}+w_b+label_smoothing"),
    ],
)
def test_reads_as_a_book_would_write_it(source: str, expected: str) -> None:
    assert read(source) == expected


def test_the_left_side_stands_before() -> None:
    assert read("r**2", "f(r)") == "f(r)=r^2"
    assert read("max(a, b)", "d") == "d=max(a,b)"
    assert 'alttext="f(r) = r**2"' in mathml("r**2", "f(r)")


@pytest.mark.parametrize(
    "source",
    [
        *(
            "r.real",
            "lambda: r",
            "[r]",
            "r // 2",
            "r @ r",
            "'<script>'",
            "x[1:]",
            "True",
            "1j",
            "~r",
            "not r",
            "r or 1",
        ),
        *("f(*r)", "f(x=1)", "sum(1 for r.x in y)", "a < b < c", "a in b", "a is b", "~a * b", "-(not a)"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="not in the grammar"):
        mathml(source)


def test_text_is_escaped() -> None:
    assert "<b>" not in mathml("x < b")
    assert "&lt;" in mathml("x < b")
