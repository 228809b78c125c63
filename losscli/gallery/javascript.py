"""Formulas as JavaScript: translated from the declaration of a loss by the grammar of docs/formulas.md, and by nothing else."""

import ast
import math
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files

from losscli.definition.loss import Loss
from losscli.gallery.variables import READINGS, Line, Numbers, Reading, line_of
from losscli.losses import LOSSES
from losscli.records import dataclass

RUNTIME: str = files("losscli.gallery").joinpath("runtime.js").read_text(encoding="utf-8")
"""The source of `losscli`, an object with the functions that programs call. It defines this name and no other."""


@dataclass(frozen=True)
class Program:
    """A loss along an axis, as JavaScript.

    `source` is an expression, to be used after `RUNTIME`: a function (x, parameters) => ({value, slope}) of a number and
    of an object that holds a number, or null for none, for each name in `parameters`. `slope` is d value / dx.
    """

    source: str
    parameters: tuple[str, ...]


class GrammarError(ValueError):
    """A formula holds what docs/formulas.md does not list."""


OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
}
FUNCTIONS = frozenset(
    {"abs", "sign", "sqrt", "exp", "log", "sin", "cos", "acos", "atan", "cosh", "tanh", "erf", "lgamma", "floor"}
    | {"sum", "cumsum", "range", "zip", "taylor", "table", "inside", "rank"}
)
"""Functions of the runtime with the name and the arguments that they have in formulas and readings."""
POSITIONS = frozenset({"positives", "negatives"})
"""Lists of positions that formulas join by `+`."""
CONSTANTS = {"inf": "Infinity", "pi": "Math.PI"}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
DEFINED = re.compile(r"(?P<name>[A-Za-z]\w*)\((?P<arguments>\w+(?:, \w+)*)\)")
"""How a function is defined in a reading: its name and its arguments."""


def translate(declaration: Loss, axis: str) -> Program | None:
    """Return a loss along one of its family's axes as JavaScript.

    Parameters
    ----------
    axis
        the name of the axis, a key of `declaration.family.axes`.

    Returns
    -------
    The program; None for a loss that has no formula but words, and for one that is not losscli's own: no text of a user's
    file gets into a page as a program.
    """
    reading = READINGS.get(declaration.family.name)
    if LOSSES.get(declaration.name) is not declaration or not declaration.core.__module__.startswith("losscli.losses."):
        return None
    if not declaration.formula or reading is None:
        return None
    return _Body(declaration, reading, line_of(declaration.family.axes[axis])).program()


class _Body:
    """The body of a program, written from the formula backwards: only what it needs is defined."""

    def __init__(self, declaration: Loss, reading: Reading, line: Line) -> None:
        self.declaration = declaration
        self.line = line
        changed = reading.of_probabilities if line.prediction_kind == "probs" else {}
        self.summed = () if declaration.whole else reading.summed
        self.meanings = {**reading.names, **changed}
        self.functions = {match[1]: match for key in self.meanings if (match := DEFINED.fullmatch(key))}
        self.lines: dict[str, str] = {}
        """The definitions of names, in an order in which each uses those before it."""

    def program(self) -> Program:
        """Return the program."""
        loss = self.declaration
        own = frozenset(loss.where)
        inner = "".join(f"const {_written(name)} = {self._read(text, own)}; " for name, text in loss.where.items())
        body = f"{inner}return {self._read(loss.formula, own)};"
        if self.summed:
            each = ", ".join(_written(name) for name in self.summed if name in self.lines)
            body = f"return losscli.sum(losscli.zip({each}).map(([{each}]) => {{ {body} }}));"
        before = "".join(self.lines.values())
        return Program(
            f'(x, parameters) => losscli.along(x, ($point) => {{ "use strict"; {before}{body} }})',
            tuple(loss.parameters),
        )

    def _read(self, text: str, local: frozenset[str]) -> str:
        """Return an expression of the grammar as JavaScript; names that are `local` are defined where it stands."""
        return self._expression(ast.parse(text, mode="eval").body, local)

    def _name(self, name: str, local: frozenset[str]) -> str:
        """Return a name, defined before the expression in which it stands."""
        if name in CONSTANTS:
            return CONSTANTS[name]
        written = _written(name)
        if name in local or name == "point" or name in self.lines:
            return written
        if name in self.functions:
            arguments = self.functions[name][2].split(", ")
            body = self._read(self.meanings[self.functions[name][0]], frozenset(arguments))
            meaning = f"({', '.join(map(_written, arguments))}) => {body}"
        elif name in self.meanings:
            meaning = self._read(self.meanings[name], frozenset())
        elif name == "predictions" and self.line.predictions is not None:
            meaning = _listed(f"losscli.line($point, {_number(a)}, {_number(b)})" for a, b in self.line.predictions)
        elif name in self.line.beside:
            meaning = _constant(self.line.beside[name])
        elif name in self.declaration.parameters:
            meaning = f'parameters["{name}"]'
        else:
            raise GrammarError(f"{self.declaration.name}: the name {name!r}")
        self.lines[name] = f"const {written} = {meaning}; "
        return written

    def _expression(self, node: ast.AST, local: frozenset[str]) -> str:
        """Return a node of the grammar as JavaScript: one case for each kind of node."""

        def of(inner: ast.AST) -> str:
            return self._expression(inner, local)

        match node:
            case ast.Constant(None):
                return "null"
            case ast.Constant(int() | float() as value) if not isinstance(value, bool):
                return _number(value)
            case ast.Name(name):
                return self._name(name, local)
            case ast.UnaryOp(ast.USub(), operand):
                return f"losscli.neg({of(operand)})"
            case ast.BinOp(left, ast.BitAnd(), right) | ast.BoolOp(ast.And(), [left, right]):
                return f"({of(left)} && {of(right)})"
            case ast.BinOp(ast.Name(left), ast.Add(), ast.Name(right)) if {left, right} <= POSITIONS:
                return f"[...{self._name(left, local)}, ...{self._name(right, local)}]"
            case ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
                return f"losscli.{OPERATORS[type(operator)]}({of(left)}, {of(right)})"
            case ast.Compare(left, [ast.Is()], [ast.Constant(None)]):
                return f"({of(left)} === null)"
            case ast.Compare(left, [operator], [right]) if type(operator) in OPERATORS:
                return f"losscli.{OPERATORS[type(operator)]}({of(left)}, {of(right)})"
            case ast.IfExp(condition, yes, no) | ast.Call(ast.Name("where"), [condition, yes, no], []):
                return f"({of(condition)} ? {of(yes)} : {of(no)})"
            case ast.Call(ast.Name("list"), [ast.GeneratorExp() as generator], []):
                return of(generator)
            case ast.Call(ast.Name("sum"), [one], []):
                return f"losscli.sum({of(one)})"
            case ast.Call(ast.Name("min" | "max" as name), [one], []):
                return f"losscli.{name}({of(one)})"
            case ast.Call(ast.Name("min" | "max" as name), [one, other], []):
                return f"losscli.{name}([{of(one)}, {of(other)}])"
            case ast.Call(ast.Name("len"), [one], []):
                return f"{of(one)}.length"
            case ast.Call(ast.Name(name), arguments, []) if not any(
                isinstance(one, ast.GeneratorExp | ast.Starred) for one in arguments
            ):
                function = f"losscli.{name}" if name in FUNCTIONS else self._function(name, local)
                return f"{function}({', '.join(map(of, arguments))})"
            case ast.Subscript(one, ast.Slice(None, ast.UnaryOp(ast.USub(), ast.Constant(1)), None)):
                return f"{of(one)}.slice(0, -1)"
            case ast.Subscript(one, index) if not isinstance(index, ast.Slice | ast.Tuple):
                return f"losscli.at({of(one)}, {of(index)})"
            case ast.GeneratorExp(element, loops):
                return self._loops(element, loops, local)
        raise GrammarError(f"{self.declaration.name}: {ast.unparse(node)}")

    def _function(self, name: str, local: frozenset[str]) -> str:
        """Return a function that the family defines."""
        if name not in self.functions or name in local:
            raise GrammarError(f"{self.declaration.name}: the function {name!r}")
        return self._name(name, local)

    def _loops(self, element: ast.AST, loops: list[ast.comprehension], local: frozenset[str]) -> str:
        """Return a list of the values of an expression, for each element of nested lists."""
        if not loops:
            return f"[{self._expression(element, local)}]"
        loop, *others = loops
        listed = self._expression(loop.iter, local)
        variables = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
        names = [one.id for one in variables if isinstance(one, ast.Name)]
        if len(names) < len(variables) or len(loop.ifs) > 1 or loop.is_async:
            raise GrammarError(f"{self.declaration.name}: for {ast.unparse(loop.target)}")
        inside = local | set(names)
        body = self._loops(element, others, inside)
        if loop.ifs:
            body = f"({self._expression(loop.ifs[0], inside)} ? {body} : [])"
        argument = ", ".join(map(_written, names))
        argument = f"[{argument}]" if isinstance(loop.target, ast.Tuple) else argument
        return f"{listed}.flatMap(({argument}) => {body})"


def _written(name: str) -> str:
    """Return a name as it is in JavaScript, where it is nobody else's."""
    if not NAME.fullmatch(name):
        raise GrammarError(f"the name {name!r}")
    return f"${name}"


def _number(value: float) -> str:
    """Return a number as JavaScript."""
    if math.isinf(value) or math.isnan(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _constant(numbers: Numbers) -> str:
    """Return numbers that do not depend on x."""
    return _listed(map(_constant, numbers)) if isinstance(numbers, list) else _number(numbers)


def _listed(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"
