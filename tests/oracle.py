"""The oracle: a declaration's formula in 60-digit arithmetic, where zero times anything is zero."""

import ast
import functools
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
from mpmath import mp, mpf

from losscli.core import Loss

DIGITS = 60


def times(left: Any, right: Any) -> Any:
    return mpf(0) if left == 0 or right == 0 else left * right


def log(x: Any) -> Any:
    return -mp.inf if x == 0 else mp.log(x)


def where(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


def power(base: Any, exponent: Any) -> Any:
    return mpf(1) if exponent == 0 else base**exponent


NAMES: dict[str, Callable[..., Any]] = {
    "times": times,
    "power": power,
    "where": where,
    "log": log,
    "exp": lambda x: mpf(0) if x == -mp.inf else mp.exp(x),
    "abs": abs,
    "sign": mp.sign,
    "max": max,
    "min": min,
    "sum": sum,
}


class Rewrite(ast.NodeTransformer):
    """`a * b` to times(a, b), `a ** b` to power(a, b), literals to mpf, where() to a lazy conditional."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name = {ast.Mult: "times", ast.Pow: "power"}.get(type(node.op))
        if name is None:
            return node
        return ast.Call(ast.Name(name, ast.Load()), [node.left, node.right], [])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "where":
            return ast.IfExp(node.args[0], node.args[1], node.args[2])
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return ast.Call(ast.Name("mpf", ast.Load()), [ast.Constant(str(node.value))], [])
        return node


@functools.cache
def compiled(formula: str) -> Any:
    tree = Rewrite().visit(ast.parse(formula, mode="eval"))
    return compile(ast.fix_missing_locations(tree), formula, "eval")


def evaluate(loss: Loss, formula: str, variables: Mapping[str, Any], parameters: Mapping[str, float | None]) -> Any:
    """A formula of a loss's declaration at mpf variables and parameters."""
    names: dict[str, Any] = {**NAMES, "mpf": mpf, **variables}
    names |= {key: None if value is None else mpf(value) for key, value in parameters.items()}
    for name, definition in loss.where.items():
        names[name] = eval(compiled(definition), {"__builtins__": {}}, names)
    return eval(compiled(formula), {"__builtins__": {}}, names)


def precise(work: Callable[..., Any], largest: float = 0.0) -> Any:
    """Run with digits enough for 1 - exp(-largest) to keep 60 of them."""
    with mpmath.workdps(DIGITS + int(largest / 2.3) + 10):
        return work()


def sigmoid_variables(z: Any, t: Any) -> dict[str, Any]:
    if mp.isinf(z):
        p = mpf(1) if z > 0 else mpf(0)
        return {"z": z, "t": t, "p": p, "q": 1 - p}
    return {"z": z, "t": t, "p": 1 / (1 + mp.exp(-z)), "q": 1 / (1 + mp.exp(z))}


def log_softmax(row: list[Any]) -> list[Any]:
    top = max(row)
    if top == mp.inf:
        return [mpf(0) if z == top else -mp.inf for z in row]
    total = mp.log(sum(mp.exp(z - top) for z in row if z != -mp.inf))
    return [-mp.inf if z == -mp.inf else z - top - total for z in row]


def softmax_loss(
    loss: Loss, row: list[Any], targets: list[Any], parameters: Mapping[str, float | None], given: str = "logits"
) -> tuple[Any, list[Any]]:
    """Value and gradient of one row of a softmax loss, with respect to the row as given."""
    l = {"logits": log_softmax, "probs": lambda row: [log(p) for p in row], "log-probs": list}[given](row)
    p = [NAMES["exp"](one) for one in l]
    terms = [{"l": li, "p": pi, "t": ti} for li, pi, ti in zip(l, p, targets, strict=True)]
    used = [term for term in terms if not (loss.sparse and term["t"] == 0)]
    value = sum((evaluate(loss, loss.formula, term, parameters) for term in used), mpf(0))
    slopes = [
        mpf(0) if loss.sparse and term["t"] == 0 else evaluate(loss, loss.slope, term, parameters) for term in terms
    ]
    if given == "probs":
        return value, [mpf(0) if s == 0 else (s / pi if pi else s * mp.inf) for s, pi in zip(slopes, p, strict=True)]
    if given == "log-probs":
        return value, slopes
    total = sum(slopes)
    return value, [s - times(pi, total) for s, pi in zip(slopes, p, strict=True)]
