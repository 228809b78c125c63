"""The oracle: a declaration's formula in 60-digit arithmetic, where zero times or over anything is zero."""

import ast
import functools
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
from mpmath import mp, mpf

from losscli.analysis.shared.oracle.rows import Dual, Row, cumsum, divided, lifted, power, times
from losscli.definition.loss import Loss

DIGITS = 60


def log(x: Any) -> Any:
    """Return the logarithm; minus infinity of 0."""
    return -mp.inf if x == 0 else mp.log(x)


def where(condition: Any, yes: Any, no: Any) -> Any:
    """Return one of two numbers."""
    return yes if condition else no


NAMES: dict[str, Callable[..., Any]] = {
    "_times": times,
    "_divided": divided,
    "_power": power,
    "where": where,
    "log": lifted(log, lambda x: 1 / x if x else mp.inf),
    "exp": lambda x: mpf(0) if x == -mp.inf else mp.exp(x),
    "abs": lifted(abs, mp.sign),
    "sign": mp.sign,
    "sqrt": lifted(mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)) if x else mp.inf),
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "atan": mp.atan,
    "acos": mp.acos,
    "sin": mp.sin,
    "cos": mp.cos,
    "erf": mp.erf,
    "lgamma": mp.loggamma,
    "inf": mp.inf,
    "pi": mp.pi,
    "max": max,
    "min": min,
    "sum": sum,
    "floor": mp.floor,
    "len": len,
    "zip": zip,
    "range": lambda first, stop: [mpf(i) for i in range(int(first), int(stop))],
    "cumsum": cumsum,
}


class Rewrite(ast.NodeTransformer):
    """`a * b` to _times(a, b) and so on for `/` and `**`, literals to mpf, where() to a lazy conditional."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name = {ast.Mult: "_times", ast.Div: "_divided", ast.Pow: "_power"}.get(type(node.op))
        if name is None:
            return node
        return ast.Call(ast.Name(name, ast.Load()), [node.left, node.right], [])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "where":
            return ast.IfExp(node.args[0], node.args[1], node.args[2])
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node.value = self.visit(node.value)  # an index stays a whole number
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return ast.Call(ast.Name("mpf", ast.Load()), [ast.Constant(str(node.value))], [])
        return node


@functools.cache
def compiled(formula: str) -> Any:
    """Return a formula as code in the names of NAMES."""
    tree = Rewrite().visit(ast.parse(formula, mode="eval"))
    return compile(ast.fix_missing_locations(tree), formula, "eval")


def evaluate(loss: Loss, formula: str, variables: Mapping[str, Any], parameters: Mapping[str, float | None]) -> Any:
    """A formula of a loss's declaration at mpf variables and parameters."""
    names: dict[str, Any] = {**NAMES, "mpf": mpf, **variables}
    names |= {key: None if value is None else mpf(value) for key, value in parameters.items()}
    names["__builtins__"] = {}
    for name, definition in loss.where.items():
        names[name] = eval(compiled(definition), names)  # as globals, which are all that generators see
    return eval(compiled(formula), names)


def precise(work: Callable[..., Any], largest: float = 0.0) -> Any:
    """Run with digits enough for 1 - exp(-largest) to keep 60 of them."""
    with mpmath.workdps(DIGITS + int(largest / 2.3) + 10):
        return work()


def sigmoid_variables(z: Any, t: Any) -> dict[str, Any]:
    """Return the variables of a sigmoid loss: logit z, target t, p = sigmoid(z) and q = 1 - p."""
    if mp.isinf(z):
        p = mpf(1) if z > 0 else mpf(0)
        return {"z": z, "t": t, "p": p, "q": 1 - p}
    return {"z": z, "t": t, "p": 1 / (1 + mp.exp(-z)), "q": 1 / (1 + mp.exp(z))}


def log_softmax(row: list[Any]) -> list[Any]:
    """Return the log-probabilities of a row of logits, which may be infinite."""
    top = max(row)
    if top == mp.inf:
        return [mpf(0) if z == top else -mp.inf for z in row]
    total = mp.log(sum(mp.exp(z - top) for z in row if z != -mp.inf))
    return [-mp.inf if z == -mp.inf else z - top - total for z in row]


def softmax_loss(
    loss: Loss,
    row: list[Any],
    targets: list[Any],
    parameters: Mapping[str, float | None],
    prediction_kind: str = "logits",
) -> tuple[Any, list[Any]]:
    """Value and gradient of one row of a softmax loss, with respect to the row as given."""
    l = (
        list(row)
        if prediction_kind == "log-probs"
        else [log(p) for p in row]
        if prediction_kind == "probs"
        else log_softmax(row)
    )
    p = list(row) if prediction_kind == "probs" else [NAMES["exp"](one) for one in l]
    if loss.whole or prediction_kind == "probs":
        value, slopes = derived(loss, l, p, targets, parameters, by_p=prediction_kind == "probs")
    else:
        terms = [{"l": li, "p": pi, "t": ti} for li, pi, ti in zip(l, p, targets, strict=True)]
        used = [term for term in terms if not (loss.sparse and term["t"] == 0)]
        value = sum((evaluate(loss, loss.formula, term, parameters) for term in used), mpf(0))
        slopes = [
            mpf(0) if loss.sparse and term["t"] == 0 else evaluate(loss, loss.slope, term, parameters) for term in terms
        ]
    if prediction_kind != "logits":
        return value, slopes
    total = sum(slopes)
    return value, [s - times(pi, total) for s, pi in zip(slopes, p, strict=True)]


def derived(
    loss: Loss, l: list[Any], p: list[Any], targets: list[Any], parameters: Mapping[str, float | None], by_p: bool
) -> tuple[Any, list[Any]]:
    """Value and derivatives by all classes' p, or by their l, of the formula by itself: no slope is looked at.

    Where p and t are both 0, derivatives by p are those of a p that goes to 0.
    """
    if by_p and any(pi == ti == 0 for pi, ti in zip(p, targets, strict=True)):
        little = [mpf(10) ** -3000 if pi == ti == 0 else pi for pi, ti in zip(p, targets, strict=True)]
        value = derived(loss, l, p, targets, parameters, by_p=False)[0]
        return value, derived(loss, [log(pi) for pi in little], little, targets, parameters, by_p=True)[1]
    axes = [[mpf(i == k) for i in range(len(l))] for k in range(len(l))]
    rows = {
        "l": Row(Dual(one, [divided(a, p[k]) for a in axes[k]] if by_p else axes[k]) for k, one in enumerate(l)),
        "p": Row(Dual(one, axes[k] if by_p else [times(one, a) for a in axes[k]]) for k, one in enumerate(p)),
        "t": Row(targets),
    }
    if loss.whole:
        found = evaluate(loss, loss.formula, rows, parameters)
    else:
        terms = [dict(zip(rows, term, strict=True)) for term in zip(*rows.values(), strict=True)]
        used = [term for term in terms if not (loss.sparse and term["t"] == 0)]
        found = sum(evaluate(loss, loss.formula, term, parameters) for term in used)
    return found.value, found.slopes
