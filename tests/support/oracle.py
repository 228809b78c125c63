"""The oracle: a declaration's formula in 60-digit arithmetic, where zero times or over anything is zero."""

import ast
import functools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf
from rows import Dual, Row, cumsum, divided, lifted, power, times

from losscli.definition.loss import Loss

DIGITS = 60

AMID = {
    ("barron", "alpha"): (-1e12, -30.0, -2.0, -1e-3, -1e-12, 0.0, 1e-12, 0.5, 1.5, 2 - 1e-12, 2.0, 2 + 1e-12, 3.0),
    ("renyi", "alpha"): (1 - 1e-12, 1.0, 1 + 1e-12),
    ("tweedie-deviance", "power"): (1 + 1e-12, 1.999, 2 - 1e-12, 2.0, 2 + 1e-12),
}
"""Values of parameters, besides the edges of their domains, near which a loss must be watched."""


def settings(loss: Loss) -> Iterator[dict[str, float | None]]:
    """The defaults, and the edges of every parameter's domain with values near them."""
    defaults = {name: parameter.default for name, parameter in loss.parameters.items()}
    yield defaults
    for name, parameter in loss.parameters.items():
        domain = parameter.domain
        edges = [domain.low] if domain.low_closed else []
        edges += [domain.high] if domain.high_closed else []
        if math.isfinite(domain.low):
            span = min(domain.high - domain.low, 1e300)
            edges += [domain.low + part for part in ((0.001, 0.5, 0.999) if span == 1 else (1e-3, 0.5, 3.0, 30.0))]
        if math.isfinite(domain.high):
            edges += [domain.high - 1e-3, domain.high - 1.0] if math.isinf(domain.low) else []
        for edge in (*edges, *AMID.get((loss.name, name), ())):
            if edge in domain:
                yield defaults | {name: float(edge)}


def log(x: Any) -> Any:
    return -mp.inf if x == 0 else mp.log(x)


def where(condition: Any, yes: Any, no: Any) -> Any:
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
    loss: Loss,
    row: list[Any],
    targets: list[Any],
    parameters: Mapping[str, float | None],
    prediction_kind: str = "logits",
) -> tuple[Any, list[Any]]:
    """Value and gradient of one row of a softmax loss, with respect to the row as given."""
    l = {"logits": log_softmax, "probs": lambda row: [log(p) for p in row], "log-probs": list}[prediction_kind](row)
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


ULPS = 4


def close(found: Any, true: Any, dtype: Any, condition: Any) -> bool:
    """Within 4 ulp, or within what rounding the input does: 4 eps (|value| + condition)."""
    info = np.finfo(dtype)
    if abs(true) > mpf(float(info.max)):
        return bool(np.isinf(found)) or abs(mpf(float(found)) - true) <= ULPS * mpf(float(np.spacing(info.max)))
    if not math.isfinite(found):
        return False
    error = abs(mpf(float(found)) - true)
    if abs(true) < mpf(float(info.tiny)) * 16:  # the true value underflows: 0 or a denormal
        return bool(abs(float(found)) <= info.tiny * 32 or error <= ULPS * mpf(float(info.eps)) * condition)
    with np.errstate(all="ignore"):
        ulp = mpf(float(np.spacing(dtype(abs(float(true))))))
    return bool(error <= ULPS * ulp or error <= ULPS * mpf(float(info.eps)) * condition)
