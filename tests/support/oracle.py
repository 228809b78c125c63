"""The oracle: the package's evaluator of formulas in 60 digits, the parameters at which losses are tried, and what is close."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from mpmath import mp, mpf

from losscli.analysis.shared.oracle.formulas import (
    DIGITS,
    NAMES,
    derived,
    evaluate,
    log,
    log_softmax,
    precise,
    sigmoid_variables,
    softmax_loss,
)
from losscli.definition.domain import Interval
from losscli.definition.loss import Loss

__all__ = [
    "DIGITS",
    "NAMES",
    "close",
    "derived",
    "evaluate",
    "far_settings",
    "log",
    "log_softmax",
    "precise",
    "reach",
    "settings",
    "sigmoid_variables",
    "softmax_loss",
]

AMID = {
    ("barron", "alpha"): (
        -1e12,
        -30.0,
        -2.0,
        -1e-3,
        -1e-12,
        0.0,
        1e-12,
        0.5,
        1.5,
        2 - 1e-12,
        2.0,
        2 + 1e-12,
        3.0,
        1e12,
    ),
    ("renyi", "alpha"): (1 - 1e-12, 1.0, 1 + 1e-12),
    **{
        (name, "power"): (-30.0, -1.5, -1e-12, 1 + 1e-12, 1.999, 2 - 1e-12, 2.0, 2 + 1e-12, 3.0)
        for name in ("tweedie-deviance", "tweedie-nloglik", "log-tweedie")
    },
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
        edges += domain.gap or ()
        if math.isfinite(domain.low):
            span = min(domain.high - domain.low, 1e300)
            edges += [domain.low + part for part in ((0.001, 0.5, 0.999) if span == 1 else (1e-3, 0.5, 3.0, 30.0))]
        if math.isfinite(domain.high):
            edges += [domain.high - 1e-3, domain.high - 1.0] if math.isinf(domain.low) else []
        for edge in (*edges, *AMID.get((loss.name, name), ())):
            if edge in domain:
                yield defaults | {name: float(edge)}


def far_settings(loss: Loss, generator: np.random.Generator, number: int) -> Iterator[dict[str, float | None]]:
    """Settings with one parameter, or all, of any size that a domain has, or as near to its ends as numbers are."""
    defaults = {name: parameter.default for name, parameter in loss.parameters.items()}
    for _ in range(number if defaults else 1):
        chosen = list(defaults) if generator.random() < 0.4 else [generator.choice([*defaults, ""])]
        yield defaults | {name: _far(loss.parameters[name].domain, generator) for name in chosen if name}


def _far(domain: Interval, generator: np.random.Generator) -> float:
    """A number of an interval, of any magnitude."""
    if domain.even:
        return float(
            2 * generator.integers(math.ceil(domain.low / 2), min(domain.high, domain.low + 8) // 2, endpoint=True)
        )
    if domain.whole:
        return float(generator.integers(math.ceil(domain.low), min(domain.high, domain.low + 7), endpoint=True))
    up = math.isfinite(domain.low) and (math.isinf(domain.high) or generator.random() < 0.5)
    end, other = (domain.low, domain.high) if up else (domain.high, domain.low)
    span = abs(other - end)
    if math.isinf(end):
        found = float(generator.choice([-1, 1]) * 10 ** generator.uniform(-300, 300))
        return found if found in domain else 1.5
    smallest = -300 if end == 0 else -16
    exponent = generator.uniform(smallest, 300 if math.isinf(span) else math.log10(span))
    found = end + (1 if up else -1) * 10**exponent
    return float(found) if found in domain else (domain.low + min(domain.high, domain.low + 2)) / 2


def reach(numbers: Iterable[Any]) -> int:
    """How many decimal places the largest or smallest of some numbers is from 1."""
    sizes = [abs(mpf(one)) for one in numbers if one and mp.isfinite(one)]
    return max((int(abs(mp.log10(size))) for size in sizes), default=0) + 1


ULPS = 4


def close(found: Any, true: Any, dtype: Any, condition: Any) -> bool:
    """Within 4 ulp, or within what rounding the input does: 4 eps (|value| + condition)."""
    info = np.finfo(dtype)
    if abs(true) > mpf(float(info.max)):
        return bool(np.isinf(found)) or abs(mpf(float(found)) - true) <= ULPS * mpf(float(info.max * info.eps / 2))
    if not math.isfinite(found):
        return False
    error = abs(mpf(float(found)) - true)
    if abs(true) < mpf(float(info.tiny)) * 16:  # the true value underflows: 0 or a denormal
        return bool(abs(float(found)) <= info.tiny * 32 or error <= ULPS * mpf(float(info.eps)) * condition)
    with np.errstate(all="ignore"):
        ulp = mpf(float(np.spacing(dtype(abs(float(true))))))
    return bool(error <= ULPS * ulp or error <= ULPS * mpf(float(info.eps)) * condition)
