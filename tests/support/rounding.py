"""Formulas of losses along an axis in many digits, with a bound on what rounding does to them in float64.

Every number carries its derivative by the axis's x, and for both what they are off by, to first order, if each step of the
formula as it is written is rounded: the running error of numerical analysis (Higham, Accuracy and Stability of Numerical
Algorithms, 3.3). Where a formula cancels, this is what no program that follows it can avoid.
"""

import ast
import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from mpmath import mp, mpf

from losscli.analysis.shared.oracle.formulas import Rewrite
from losscli.definition.loss import Loss
from losscli.gallery.variables import READINGS, line_of

UNIT = mpf(2) ** -53
DIGITS = 400
LITTLE = mpf(10) ** -150


def times(a: Any, b: Any) -> Any:
    """Zero times anything is zero."""
    return mpf(0) if a == 0 or b == 0 else a * b


def over(a: Any, b: Any) -> Any:
    """Zero over anything is zero."""
    return mpf(0) if a == 0 else mp.sign(a) * mp.inf if b == 0 else a / b


class Rounded:
    """A number v with its derivative d, and what both are off by after rounding."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, v: Any, d: Any = 0, off: Any = 0, d_off: Any = 0) -> None:
        self.v, self.d, self.off, self.d_off = mpf(v), mpf(d), mpf(off), mpf(d_off)

    def _rounded(self, *parts: Any) -> "Rounded":
        """The number, off by the rounding of its own value and of the parts that its derivative is the sum of."""
        self.off += UNIT * abs(self.v)
        self.d_off += 2 * UNIT * sum(abs(part) for part in (*parts, self.d))
        return self

    def __add__(self, other: Any) -> "Rounded":
        if isinstance(other, list):
            return NotImplemented
        b = lifted(other)
        return Rounded(self.v + b.v, self.d + b.d, self.off + b.off, self.d_off + b.d_off)._rounded()

    def __neg__(self) -> "Rounded":
        return Rounded(-self.v, -self.d, self.off, self.d_off)

    def __sub__(self, other: Any) -> "Rounded":
        if isinstance(other, list):
            return NotImplemented
        return self + -lifted(other)

    def __rsub__(self, other: Any) -> "Rounded":
        return lifted(other) - self

    def __mul__(self, other: Any) -> "Rounded":
        if isinstance(other, list):
            return NotImplemented
        a, b = self, lifted(other)
        parts = times(a.d, b.v), times(a.v, b.d)
        off = times(a.off, abs(b.v)) + times(b.off, abs(a.v))
        d_off = times(a.d_off, abs(b.v)) + times(b.off, abs(a.d)) + times(a.off, abs(b.d)) + times(b.d_off, abs(a.v))
        return Rounded(times(a.v, b.v), sum(parts), off, d_off)._rounded(*parts)

    __radd__, __rmul__ = __add__, __mul__

    def through(self, f: Any, first: Any, second: Any) -> "Rounded":
        """A function of the number, from its value and its derivatives there."""
        d_off = times(abs(second), self.off * abs(self.d)) + times(abs(first), self.d_off)
        return Rounded(f, times(first, self.d), times(abs(first), self.off), d_off)._rounded()

    def __truediv__(self, other: Any) -> "Rounded":
        if isinstance(other, list):
            return NotImplemented
        b = lifted(other)
        if self.v == 0 and self.d == 0:
            return Rounded(0)
        if b.v == 0:
            return Rounded(over(self.v, b.v), over(self.d, b.v) - times(over(over(self.v, b.v), b.v), b.d))
        return self * b.through(1 / b.v, -1 / b.v**2, 2 / b.v**3)

    def __rtruediv__(self, other: Any) -> "Rounded":
        return lifted(other) / self

    def __pow__(self, exponent: Any) -> "Rounded":
        n = lifted(exponent).v
        if n == 0:
            return Rounded(1)
        if self.v == 0:
            return Rounded(0 if n > 0 else mp.inf, times(1 if n == 1 else 0 if n > 1 else mp.inf, self.d))
        f = self.v**n
        return self.through(f, n * f / self.v, n * (n - 1) * f / self.v**2)

    def __rpow__(self, base: Any) -> "Rounded":
        return NAMES["exp"](self * lifted(mp.log(lifted(base).v)))

    def __abs__(self) -> "Rounded":
        return self if self.v > 0 else -self if self.v < 0 else Rounded(0, 0, self.off)

    def __eq__(self, other: object) -> bool:
        return bool(self.v == lifted(other).v)

    def __lt__(self, other: Any) -> bool:
        return bool(self.v < lifted(other).v)

    def __le__(self, other: Any) -> bool:
        return bool(self.v <= lifted(other).v)

    def __gt__(self, other: Any) -> bool:
        return bool(self.v > lifted(other).v)

    def __ge__(self, other: Any) -> bool:
        return bool(self.v >= lifted(other).v)


def lifted(x: Any) -> Rounded:
    return x if isinstance(x, Rounded) else Rounded(x)


class Row(list[Any]):
    """A vector: arithmetic works one by one, and a comparison gives 0 or 1."""

    __hash__ = None  # type: ignore[assignment]

    def with_(self, other: Any, work: Callable[[Any, Any], Any]) -> "Row":
        others = other if isinstance(other, list) else [other] * len(self)
        return Row(work(a, b) for a, b in zip(self, others, strict=True))

    def __add__(self, other: Any) -> "Row":  # type: ignore[override]
        return self.with_(other, lambda a, b: lifted(a) + b)

    def __sub__(self, other: Any) -> "Row":
        return self.with_(other, lambda a, b: lifted(a) - b)

    def __rsub__(self, other: Any) -> "Row":
        return self.with_(other, lambda a, b: lifted(b) - a)

    def __mul__(self, other: Any) -> "Row":  # type: ignore[override]
        return self.with_(other, lambda a, b: lifted(a) * b)

    def __truediv__(self, other: Any) -> "Row":
        return self.with_(other, lambda a, b: lifted(a) / b)

    def __rtruediv__(self, other: Any) -> "Row":
        return self.with_(other, lambda a, b: lifted(b) / a)

    def __pow__(self, other: Any) -> "Row":
        return self.with_(other, lambda a, b: lifted(a) ** b)

    def __neg__(self) -> "Row":
        return Row(-lifted(a) for a in self)

    def __abs__(self) -> "Row":
        return Row(abs(lifted(a)) for a in self)

    def __ge__(self, other: Any) -> "Row":  # type: ignore[override]
        return self.with_(other, lambda a, b: int(lifted(a) >= b))

    __radd__, __rmul__ = __add__, __mul__

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return Row(found) if isinstance(at, slice) else found


def function(f: Any, first: Any, second: Any) -> Callable[[Any], Any]:
    """A function of numbers and vectors, from its value and derivatives."""

    def of(x: Any) -> Any:
        if isinstance(x, list):
            return Row(map(of, x))
        v = lifted(x).v
        return lifted(x).through(f(v), first(v), second(v))

    return of


def log(v: Any) -> Any:
    return -mp.inf if v == 0 else mp.inf if v == mp.inf else mp.log(v)


def exp(v: Any) -> Any:
    return mpf(0) if v == -mp.inf else mp.exp(v)


def extreme(work: Callable[..., Any]) -> Callable[..., Any]:
    """The first of the largest or smallest ones."""

    def of(*numbers: Any) -> Any:
        all_ = list(numbers[0]) if len(numbers) == 1 else list(numbers)
        return work(all_, key=lambda one: lifted(one).v)

    return of


def inside(p: Any, t: Any) -> Row:
    return Row(Rounded(mpf(10) ** -150, lifted(a).d) if a == 0 and b == 0 else a for a, b in zip(p, t, strict=True))


def taylor(x: Any, order: Any) -> Any:
    return sum((lifted(x) ** i / mp.factorial(i) for i in range(1, int(lifted(order).v) + 1)), lifted(1))


def rank(all_: Any, k: int) -> int:
    return 1 + sum(one > all_[k] or (one == all_[k] and i < k) for i, one in enumerate(map(lifted, all_)))


NAMES: dict[str, Any] = {
    "_times": lambda a, b: a * b if isinstance(a, list) or not isinstance(b, list) else b * a,
    "_divided": lambda a, b: (a if isinstance(a, list) or isinstance(b, list) else lifted(a)) / b,
    "_power": lambda a, b: (a if isinstance(a, list) else lifted(a)) ** b,
    "mpf": lambda text: Rounded(mpf(text), off=0 if float(text) == mpf(text) else UNIT * abs(mpf(text))),
    "abs": abs,
    "sign": lambda x: Rounded(mp.sign(lifted(x).v)),
    "sqrt": function(
        mp.sqrt, lambda v: over(mpf("0.5"), mp.sqrt(v)), lambda v: -over(mpf("0.25"), v) / (mp.sqrt(v) or 1)
    ),
    "exp": function(exp, exp, exp),
    "log": function(log, lambda v: over(mpf(1), v), lambda v: -over(over(mpf(1), v), v)),
    "sin": function(mp.sin, mp.cos, lambda v: -mp.sin(v)),
    "cos": function(mp.cos, lambda v: -mp.sin(v), lambda v: -mp.cos(v)),
    "acos": function(mp.acos, lambda v: over(-1, mp.sqrt(1 - v**2)), lambda v: -over(v, mp.sqrt(1 - v**2) ** 3)),
    "atan": function(mp.atan, lambda v: 1 / (1 + v**2), lambda v: -2 * v / (1 + v**2) ** 2),
    "cosh": function(mp.cosh, mp.sinh, mp.cosh),
    "tanh": function(mp.tanh, lambda v: mp.sech(v) ** 2, lambda v: -2 * mp.tanh(v) * mp.sech(v) ** 2),
    "erf": function(
        mp.erf,
        lambda v: 2 / mp.sqrt(mp.pi) * mp.exp(-(v**2)),
        lambda v: -4 * v / mp.sqrt(mp.pi) * mp.exp(-(v**2)),
    ),
    "lgamma": function(mp.loggamma, lambda v: mp.digamma(v), lambda v: mp.psi(1, v)),
    "floor": lambda x: int(mp.floor(lifted(x).v)),
    "min": extreme(min),
    "max": extreme(max),
    "sum": lambda numbers: functools.reduce(lambda a, b: a + b, map(lifted, numbers), Rounded(0)),
    "cumsum": lambda row: Row(itertools.accumulate(map(lifted, row))),
    "len": len,
    "range": lambda first, stop: Row(range(int(lifted(first).v), int(lifted(stop).v))),
    "zip": zip,
    "list": Row,
    "inf": Rounded(mp.inf),
    "pi": Rounded(mp.pi, off=UNIT * 4),
    "inside": inside,
    "taylor": taylor,
    "rank": rank,
    "table": lambda row, columns: Row(Row(row[i : i + columns]) for i in range(0, len(row), columns)),
}


POSITIONS = ("positives", "negatives")


class Numbers(Rewrite):
    """Literals and operators as the oracle has them; positions stay whole numbers."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in ("table", "range"):
            return node
        return super().visit_Call(node)


@functools.cache
def compiled(text: str) -> Any:
    tree = Numbers().visit(ast.parse(text, mode="eval"))
    return compile(ast.fix_missing_locations(tree), text, "eval")


class Scope(dict[str, Any]):
    """The names of a loss along an axis; each is evaluated when it is read."""

    def __init__(self, loss: Loss, axis: str, parameters: Mapping[str, float | None], x: Any) -> None:
        super().__init__(NAMES, __builtins__={}, point=Rounded(x, 1))
        reading, line = READINGS[loss.family.name], line_of(loss.family.axes[axis])
        changed = reading.of_probabilities if line.prediction_kind == "probs" else {}
        self.meanings = {key.partition("(")[0]: (key, text) for key, text in {**reading.names, **changed}.items()}
        self.meanings |= {name: (name, text) for name, text in loss.where.items()}
        self.beside = dict(line.beside)
        self.parameters = parameters
        if line.predictions is not None:
            self["predictions"] = Row(Rounded(a + b * mpf(x), b) for a, b in line.predictions)

    def __missing__(self, name: str) -> Any:
        if name in self.meanings:
            key, text = self.meanings[name]
            arguments = key.partition("(")[2].rstrip(")")
            self[name] = eval(compiled(f"lambda {arguments}: {text}" if arguments else text), self)
            if name in POSITIONS:
                self[name] = list(self[name])  # which are joined by +
        elif name in self.beside:
            self[name] = rows(self.beside[name])
        else:
            given = self.parameters[name]
            self[name] = None if given is None else Rounded(given)
        return self[name]


def rows(numbers: Any) -> Any:
    return Row(map(rows, numbers)) if isinstance(numbers, list) else numbers


def evaluated(loss: Loss, axis: str, parameters: Mapping[str, float | None], x: Any) -> Rounded:
    """A loss along an axis in many digits: value, derivative by x, and what rounding does to both."""
    summed = () if loss.whole else READINGS[loss.family.name].summed
    domain = loss.family.axes[axis].domain
    with mp.workdps(DIGITS):
        x = mpf(x)
        if x in (domain.low, domain.high):  # the limit there
            x += LITTLE if x == domain.low else -LITTLE
        scope = Scope(loss, axis, parameters, x)
        if not summed:
            return lifted(eval(compiled(loss.formula), scope))
        columns = {name: list(scope[name]) for name in summed if name in scope.meanings}
        found = Rounded(0)
        for one in zip(*columns.values(), strict=True):
            term = Scope(loss, axis, parameters, x)
            term.update(zip(columns, one, strict=True))
            found += lifted(eval(compiled(loss.formula), term))
        return found


def near(found: float, true: Any, off: Any, rel: float = 1e-12) -> bool:
    """Whether a number is the true one, or off by no more than rounding explains."""
    if np.isnan(found) or mp.isnan(true) or np.isinf(found) or mp.isinf(true):
        return bool(found == true or (np.isinf(found) and abs(true) > 1e70 and found * mp.sign(true) > 0))
    return bool(abs(mpf(found) - true) <= rel * abs(true) + 4 * off + mpf(10) ** -60)
