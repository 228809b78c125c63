"""Formulas as Matplotlib's mathtext: declarations are Python expressions (docs/formulas.md), titles of pictures are mathematics."""

import ast
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from losscli.definition.grammar import GREEK, WHOLE
from losscli.records import NamedTuple

UPRIGHT = {"sin": r"\sin", "cos": r"\cos", "tanh": r"\tanh", "cosh": r"\cosh", "acos": r"\arccos", "atan": r"\arctan"}
RELATIONS = {
    ast.Eq: "=",
    ast.NotEq: r"\neq",
    ast.Lt: "<",
    ast.LtE: r"\leq",
    ast.Gt: ">",
    ast.GtE: r"\geq",
    ast.Is: "=",
}
HOLDS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Is: lambda a, b: a is b,
}
COMMA, NEXT_LINE, BLANK = r",\, ", r" \\ ", r"\ "

CASES, SUM, SIGMA, PRODUCT, POWER, ATOM = range(6)
"""How tightly the parts of a formula are bound: from what needs brackets nearly everywhere to what never needs them. SIGMA
is a sum with a sign, which needs none at the end of a product.
"""


class Part(NamedTuple):
    """A part of a formula in mathtext, and how tightly it is bound."""

    text: str
    bound: int = ATOM

    def within(self, bound: int) -> str:
        """Return the part as it stands beside what binds this tightly: in brackets if it is bound less tightly."""
        return self.text if self.bound >= bound else rf"\left({self.text}\right)"


def symbol(name: str) -> str:
    """Return a name in mathtext: Greek letters, single letters in italics, words upright, what follows an underscore below."""
    head, _, tail = name.partition("_")
    if not head:
        return rf"\mathrm{{{name}}}"
    text = f"\\{head}" if head in GREEK else head
    digits = re.fullmatch(r"([A-Za-z])(\d+)", head)
    if digits:
        text, tail = digits[1], digits[2]
    if len(text) > 1 and head not in GREEK:
        return rf"\mathrm{{{name.replace('_', BLANK)}}}"
    if not tail:
        return text
    below = tail if len(tail) == 1 or tail.isdigit() else rf"\mathrm{{{tail.replace('_', BLANK)}}}"
    return rf"{text}_{{{below}}}"


def letter(name: str) -> str:
    """Return a name for text without mathtext: 'γ' for 'gamma', and other names as they are, with '_' as a blank."""
    return GREEK.get(name, name.replace("_", " "))


def number(value: float) -> str:
    """Return a number in mathtext, such as 0.5 or 10^{-6}."""
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    digits, _, power = f"{value:g}".partition("e")
    if not power:
        return digits
    factor = "" if digits in ("1", "-1") else rf"{digits}\cdot "
    return f"{'-' if digits == '-1' else ''}{factor}10^{{{int(power)}}}"


def mathtext(expression: str, known: Mapping[str, float | None] | None = None) -> str:
    """Return a declared expression in mathtext, without dollar signs around it.

    Parameters
    ----------
    expression
        in the grammar of docs/formulas.md.
    known
        parameters with their values: where a condition is about them alone, only the case that holds is kept.
    """
    return _Translation(dict(known or {})).part(ast.parse(expression, mode="eval").body).text


def formula_of(
    formula: str, where: Mapping[str, str], known: Mapping[str, float | None] | None = None
) -> tuple[str, str]:
    """Return a loss's formula in mathtext, and the definitions of names of `where` in it, '' if there are none.

    A name that stands for a number or for another name is replaced by that; `known` as in `mathtext`.
    """
    translation = _Translation(dict(known or {}))
    definitions: dict[str, tuple[str, ast.expr]] = {}
    for name, expression in where.items():
        node = ast.parse(expression, mode="eval").body
        part = translation.part(node)
        if re.fullmatch(r"[\d.]+|[A-Za-z]|\\[a-z]+|\\mathrm\{[a-z ]+\}", part.text):
            translation.elements[name] = part.text
        else:
            definitions[name] = part.text, node
    tree = ast.parse(formula, mode="eval").body
    needed = _names(tree)
    for name in reversed(definitions):
        if name in needed:
            needed |= _names(definitions[name][1])
    said = [f"{symbol(name)} = {text}" for name, (text, _) in definitions.items() if name in needed]
    return translation.part(tree).text, COMMA.join(said)


def _names(node: ast.expr) -> set[str]:
    """Return all names in an expression."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


class _Translation:
    """Translates the nodes of one expression."""

    def __init__(self, known: dict[str, float | None]) -> None:
        self.known = known
        self.elements: dict[str, str] = {}
        """Loop variables that are elements of a vector, with what stands for them: x_i for `one` in `for one in x`."""
        self.raised = False
        """Whether the part is an exponent or index, where fractions are written with a slash."""
        self.within = False
        """Whether the part is above or below the line of a fraction, or one of several cases: fractions in it are small."""

    def part(self, node: ast.expr) -> Part:
        return getattr(self, f"_{type(node).__name__}")(node)

    def text(self, node: ast.expr, bound: int = CASES) -> str:
        return self.part(node).within(bound)

    def small(self, node: ast.expr) -> str:
        """Return an exponent or index."""
        before, self.raised = self.raised, True
        text = self.text(node)
        self.raised = before
        return text

    def _Constant(self, node: ast.Constant) -> Part:
        return Part(number(node.value) if isinstance(node.value, int | float) else r"\mathrm{none}")

    def _Name(self, node: ast.Name) -> Part:
        if node.id in self.elements:
            return Part(self.elements[node.id])
        return Part(r"\infty" if node.id == "inf" else symbol(node.id))

    def _UnaryOp(self, node: ast.UnaryOp) -> Part:
        return Part(f"-{self.text(node.operand, SIGMA)}", SUM)

    def _BinOp(self, node: ast.BinOp) -> Part:
        match node.op:
            case ast.Add() if isinstance(node.left, ast.Name) and node.left.id in ("positives", "negatives"):
                return Part(rf"{self.text(node.left)} \cup {self.text(node.right)}", SUM)
            case ast.Add():
                right = self.part(node.right)
                # a + -b is a - b.
                plus = " " if right.text.startswith("-") and isinstance(node.right, ast.UnaryOp) else " + "
                return Part(f"{self.text(node.left, SUM)}{plus}{right.within(SUM)}", SUM)
            case ast.Sub():
                return Part(f"{self.text(node.left, SUM)} - {self.text(node.right, SIGMA)}", SUM)
            case ast.Div():
                return self._quotient(node)
            case ast.Pow():
                return self._power(node.left, node.right)
            case ast.BitAnd():
                return Part(rf"{self.text(node.left)},\, {self.text(node.right)}", CASES)
        return self._product(node)

    def _product(self, node: ast.BinOp) -> Part:
        left = self.part(node.left)
        # The sign of a product is that of its first factor: (-t) log(p) is -t log(p).
        first = (
            left.text
            if left.text.startswith("-") and isinstance(node.left, ast.UnaryOp | ast.BinOp) and _leads(node.left)
            else left.within(PRODUCT)
        )
        second = self.text(node.right, SIGMA)
        if first == "1":
            return self.part(node.right)
        if first == "-1":
            return Part(f"-{second}", SUM)
        if isinstance(node.right, ast.Constant) and not first[:1].isdigit() and not first.startswith("-"):
            first, second = second, first
        dot = (
            rf"{first} \cdot {second}"
            if second[:1].isdigit() or second.startswith(r"\frac{\d")
            else rf"{first}\,{second}"
        )
        return Part(dot, SUM if first.startswith("-") else SIGMA if self.part(node.right).bound == SIGMA else PRODUCT)

    def _quotient(self, node: ast.BinOp) -> Part:
        above, below = node.left, [node.right]
        while isinstance(above, ast.BinOp) and isinstance(above.op, ast.Div):  # a / b / c is one fraction
            below.insert(0, above.right)
            above = above.left
        sign = ""
        if isinstance(above, ast.UnaryOp):
            above, sign = above.operand, "-"
        before, self.within = self.within, True
        divisors = [text for text in map(self.text, below) if text != "1"]
        if len(divisors) > 1:
            divisors = [self.text(one, PRODUCT) for one in below]
        upper, product = self.text(above), r"\,".join(divisors)
        self.within = before
        if not divisors:
            return self.part(node.left)
        if self.raised:
            lower = product if len(divisors) == 1 and self.part(below[0]).bound >= POWER else rf"\left({product}\right)"
            return Part(f"{sign}{self.text(above, PRODUCT)} / {lower}", SUM if sign else PRODUCT)
        line = r"\frac" if before else r"\dfrac"
        if r"\sum" in upper and not isinstance(above, ast.BinOp):  # its signs would be too small above a line
            return Part(rf"{sign}{line}{{1}}{{{product}}}\,{self.text(above, SIGMA)}", SUM if sign else SIGMA)
        return Part(rf"{sign}{line}{{{upper}}}{{{product}}}", SUM if sign else PRODUCT)

    def _power(self, base: ast.expr, exponent: ast.expr) -> Part:
        return Part(rf"{self.text(base, ATOM)}^{{{self.small(exponent)}}}", POWER)

    def _Compare(self, node: ast.Compare) -> Part:
        return Part(f"{self.text(node.left)} {RELATIONS[type(node.ops[0])]} {self.text(node.comparators[0])}", CASES)

    def _BoolOp(self, node: ast.BoolOp) -> Part:
        return Part(COMMA.join(map(self.text, node.values)), CASES)

    def _IfExp(self, node: ast.IfExp) -> Part:
        return self._cases(node.test, node.body, node.orelse)

    def _cases(self, condition: ast.expr, first: ast.expr, other: ast.expr) -> Part:
        """Return the cases below each other; cases within the last one follow it, and cases that are decided are left out."""
        before, lines = self.within, []
        while True:
            holds = self._holds(condition)
            if holds is None:
                self.within = True  # the lines stay close
                lines.append(rf"{self.text(first)} \quad \mathrm{{if}}\; {self.text(condition)}")
            chosen = first if holds else other
            match chosen:
                case ast.Call(func=ast.Name(id="where")):
                    condition, first, other = chosen.args
                case ast.IfExp():
                    condition, first, other = chosen.test, chosen.body, chosen.orelse
                case _:
                    break
        if not lines:
            return self.part(chosen)
        last = rf"{self.text(chosen)} \quad \mathrm{{otherwise}}"
        self.within = before
        if len(lines) > 1:
            return Part(rf"\left\{{\substack{{{NEXT_LINE.join([*lines, last])}}}\right.", CASES)
        # Two lines as a fraction without a line, which is centred; what is stacked stands on its last line.
        return Part(rf"\left\{{\genfrac{{}}{{}}{{0}}{{0}}{{{lines[0]}}}{{{last}}}\right.", CASES)

    def _holds(self, node: ast.expr) -> bool | None:
        """Return whether a condition holds, or None if that does not follow from the known parameters."""
        if isinstance(node, ast.BoolOp):
            found = [self._holds(one) for one in node.values]
            return False if False in found else None if None in found else True
        if not isinstance(node, ast.Compare):
            return None
        sides = [node.left, node.comparators[0]]
        values = []
        for side in sides:
            minus = isinstance(side, ast.UnaryOp)
            inner = side.operand if isinstance(side, ast.UnaryOp) else side
            match inner:
                case ast.Constant():
                    value = inner.value
                case ast.Name(id="inf"):
                    value = math.inf
                case ast.Name() if inner.id in self.known:
                    value = self.known[inner.id]
                case _:
                    return None
            values.append(-value if minus else value)  # type: ignore[operator]
        if None in values and not isinstance(node.ops[0], ast.Is):
            return None
        return bool(HOLDS[type(node.ops[0])](*values))

    def _Subscript(self, node: ast.Subscript) -> Part:
        places: list[str] = []
        base: ast.expr = node
        while isinstance(base, ast.Subscript):
            places.insert(0, "<K" if isinstance(base.slice, ast.Slice) else self.small(base.slice))
            base = base.value
        text = self.text(base, ATOM)
        if re.search(r"_\{[^{}]*\}$", text):
            text = rf"{{{text}}}"
        return Part(rf"{text}_{{{COMMA.join(places)}}}")

    def _Call(self, node: ast.Call) -> Part:
        assert isinstance(node.func, ast.Name)
        name, arguments = node.func.id, node.args
        if arguments and isinstance(arguments[0], ast.GeneratorExp):
            return self._over_elements(name, arguments[0])
        match name:
            case "where":
                return self._cases(*arguments)
            case "abs" | "len":
                return self._between("|", arguments[0])
            case "floor":
                return Part(rf"\left\lfloor {self.text(arguments[0])} \right\rfloor")
            case "norm":
                return self._between(r"\Vert", arguments[0])
            case "sqrt":
                return Part(rf"\sqrt{{{self.text(arguments[0])}}}")
            case "exp":
                return Part(rf"\mathrm{{e}}^{{{self.small(arguments[0])}}}", POWER)
            case "log":
                return self._log(arguments[0])
            case "lgamma":
                return Part(rf"\log\,\Gamma\left({self.text(arguments[0])}\right)", PRODUCT)
            case "sum":
                return Part(rf"\sum\,{self.text(arguments[0], SIGMA)}", SIGMA)
            case "I" | "P" | "P2" | "T" | "T2" | "w" | "h":
                text = symbol(name)
                below = COMMA.join(map(self.small, arguments))
                return Part(rf"{{{text}}}_{{{below}}}")
        called = UPRIGHT.get(name) or (rf"\{name}" if name in ("max", "min") else symbol(name))
        return Part(rf"{called}\left({COMMA.join(map(self.text, arguments))}\right)")

    def _between(self, bar: str, node: ast.expr) -> Part:
        """Return a part between two bars, which grow only with what is high: Matplotlib's are too small for letters."""
        text = self.text(node)
        high = any(sign in text for sign in ("frac", r"\sum", r"\left"))
        return Part(rf"\left{bar} {text} \right{bar}" if high else rf"{{{bar}}}{text}{{{bar}}}")

    def _log(self, argument: ast.expr) -> Part:
        plain = isinstance(argument, ast.Name | ast.Subscript)
        inside = self.part(argument)
        return Part(rf"\log {inside.text}" if plain else rf"\log\left({inside.text}\right)", PRODUCT)

    def _over_elements(self, name: str, generator: ast.GeneratorExp) -> Part:
        """Return a sum, maximum or minimum over the elements of lists and vectors."""
        outer = dict(self.elements)
        below = [self._loop(one, number) for number, one in enumerate(generator.generators)]
        sign = r"\sum" if name == "sum" else rf"\{name}"
        text = "".join(rf"{sign}_{{{one}}}" for one in below)
        element = self.text(generator.elt, SIGMA)
        self.elements = outer
        return Part(rf"{text}\,{element}", SIGMA if name == "sum" else PRODUCT)

    def _loop(self, loop: ast.comprehension, depth: int) -> str:
        """Return what stands below the sign of a sum: the index, where it comes from, and its condition."""
        match loop.iter:
            case ast.Call(func=ast.Name(id="range"), args=[first, stop]):
                last = ast.parse(ast.unparse(stop).removesuffix(" + 1"), mode="eval").body
                return rf"{self.text(loop.target)}={self.small(first)}..{self.small(last)}"
            case ast.Call(func=ast.Name(id="zip"), args=vectors) if isinstance(loop.target, ast.Tuple):
                return self._named(loop.target.elts, vectors, depth)
            case ast.BinOp():
                origin = rf"{self.text(loop.target)} \in {self.text(loop.iter)}"
            case ast.Name(id="others"):
                origin = rf"{self.text(loop.target)} \neq y"
            case ast.Name(id="positives" | "negatives"):
                origin = rf"{self.text(loop.target)} \in {self.text(loop.iter)}"
            case ast.Name(id=name) if name in WHOLE:
                origin = self.text(loop.target)
            case _:
                return self._named([loop.target], [loop.iter], depth)
        return rf"{origin}:\, {COMMA.join(map(self.text, loop.ifs))}" if loop.ifs else origin

    def _named(self, names: list[ast.expr], vectors: list[ast.expr], depth: int) -> str:
        """Give loop variables that are elements of vectors an index, and return it."""
        taken = set(re.findall(r"[a-z](?=[,}])", " ".join(self.elements.values())))
        index = next(one for one in "ijkl"[depth:] if one not in taken)
        for name, vector in zip(names, vectors, strict=True):
            assert isinstance(name, ast.Name)
            text = self.text(vector, ATOM)
            nested = re.fullmatch(r"(.*)_\{(.*)\}", text)
            self.elements[name.id] = rf"{nested[1]}_{{{nested[2]},{index}}}" if nested else rf"{text}_{{{index}}}"
        return index


def _leads(node: ast.expr) -> bool:
    """Whether a part begins with a minus sign of its first factor, so that it needs no brackets as a factor."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        node = node.left
    return isinstance(node, ast.UnaryOp)
