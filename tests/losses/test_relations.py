"""Every declared relation between losses, evaluated with the program itself at random points.

A relation says that a loss equals an expression in other losses, for all values of its parameters, at some, or in a
limit. A family is tested here by its entry in `EVALUATORS`.
"""

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
from reference import softmax

from losscli.definition.batch import Dense, Extras, Indices
from losscli.definition.domain import Domains, Interval
from losscli.definition.loss import BoundLoss, Loss, Relation
from losscli.losses import LOSSES

N = 200
CLASSES = 4
FAR = 1e9
"""What stands for infinity, and one over it for nothing, where a relation is a limit."""


class Evaluator(NamedTuple):
    """How losses of a family are called in expressions, and random numbers for it to be called with."""

    evaluate: Callable[..., np.ndarray]
    draw: Callable[[Domains, np.random.Generator], dict[str, np.ndarray]]


def inside(domain: Interval, generator: np.random.Generator) -> np.ndarray:
    """Random numbers of a domain, small and large ones."""
    if math.isinf(domain.low):
        return generator.normal(0, 1, N) * 10 ** generator.uniform(-1, 1, N)
    return domain.low + 10 ** generator.uniform(-1.5, 1.5, N)


def of_residual(bound: BoundLoss, r: np.ndarray) -> np.ndarray:
    return bound(r, Dense(np.zeros_like(r)))[0]


def of_margin(bound: BoundLoss, m: np.ndarray) -> np.ndarray:
    return bound(m, Dense(np.ones(m.shape, np.int8)))[0]


def of_pair(bound: BoundLoss, y: np.ndarray, t: np.ndarray) -> np.ndarray:
    return bound(y, Dense(t))[0]


def of_beside(bound: BoundLoss, y: np.ndarray, t: np.ndarray, v: np.ndarray) -> np.ndarray:
    return bound(y, Dense(t), Extras(third_operand=v))[0]


def of_outcomes(bound: BoundLoss, z: np.ndarray, t: Any) -> np.ndarray:
    """Of logits, and targets that may be one number for all."""
    full = np.broadcast_to(np.asarray(t, float), z.shape)
    return bound(z, Dense(full, 1 - full))[0]


def of_classes(bound: BoundLoss, z: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Of rows of logits and rows of targets."""
    return bound(z, Dense(t))[0]


def of_counts(bound: BoundLoss, z: np.ndarray, t: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Of rows of logits and of targets, and one count per class."""
    return bound(z, Dense(t), Extras(class_counts=n))[0]


def of_classes_drawn(domains: Domains, generator: np.random.Generator) -> dict[str, np.ndarray]:
    return {"z": generator.normal(0, 3, (N, CLASSES)), "t": generator.dirichlet(np.ones(CLASSES), N)}


def drawn_pair(domains: Domains, generator: np.random.Generator) -> dict[str, np.ndarray]:
    return {"y": inside(domains.predictions, generator), "t": inside(domains.targets, generator)}


def drawn_boxes(domains: Domains, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Pairs of boxes of which each has a corner in the other."""
    corner = generator.uniform(0, 1, (2, N, 2))
    a, b = (np.hstack([one, one + generator.uniform(1, 3, (N, 2))]) for one in corner)
    return {"a": a, "b": b}


def of_labels(bound: BoundLoss, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    return bound(z, Indices(y))[0]


def of_signs(bound: BoundLoss, x: np.ndarray, t: np.ndarray) -> np.ndarray:
    return bound(x, Dense(t))[0]


def of_leads(bound: BoundLoss, d: np.ndarray) -> np.ndarray:
    return of_signs(bound, stack(d, 0), np.ones(d.shape, np.int8))


def of_log_ratios(bound: BoundLoss, h: np.ndarray) -> np.ndarray:
    nothing = np.zeros((len(h), 2))
    return bound(stack(h, 0), Dense(np.ones(h.shape, np.int8)), Extras(third_operand=nothing))[0]


def of_distances(bound: BoundLoss, d: np.ndarray, y: np.ndarray) -> np.ndarray:
    return bound.core(d, y)[0]


def of_masks(bound: BoundLoss, p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return bound(p, Dense(t), Extras("probs"))[0]


def of_cosines(bound: BoundLoss, s: np.ndarray) -> np.ndarray:
    """Of cosines with all targets, of which the first is each row's own."""
    own = np.zeros(s.shape, bool)
    own[:, 0] = True
    return bound.core(s, own, ~own)[0]


EVALUATORS: dict[str, Evaluator] = {
    "residual": Evaluator(of_residual, lambda domains, generator: {"r": inside(domains.predictions, generator)}),
    "margin": Evaluator(of_margin, lambda domains, generator: {"m": inside(domains.predictions, generator)}),
    "relative": Evaluator(of_pair, drawn_pair),
    "distribution": Evaluator(of_pair, drawn_pair),
    **{
        family: Evaluator(
            of_beside,
            lambda domains, generator, name=name: (
                drawn_pair(domains, generator) | {name: 10 ** generator.uniform(-2, 2, N)}
            ),
        )
        for family, name in (("gaussian", "v"), ("scaled", "s"), ("counts", "a"))
    },
    "sigmoid": Evaluator(
        of_outcomes, lambda domains, generator: {"z": generator.normal(0, 3, N), "t": generator.uniform(0, 1, N)}
    ),
    "softmax": Evaluator(of_classes, of_classes_drawn),
    "long-tail": Evaluator(
        of_counts,
        lambda domains, generator: of_classes_drawn(domains, generator) | {"n": 10 ** generator.uniform(0, 3, CLASSES)},
    ),
    "ranking": Evaluator(
        of_classes,
        lambda domains, generator: {"z": generator.normal(0, 3, (N, CLASSES)), "t": generator.random((N, CLASSES))},
    ),
    "pairs": Evaluator(of_leads, lambda domains, generator: {"d": inside(domains.predictions, generator)}),
    "preference": Evaluator(of_log_ratios, lambda domains, generator: {"h": generator.normal(0, 20, N)}),
    "adversarial": Evaluator(
        of_signs,
        lambda domains, generator: {
            "s": generator.normal(0, 3, N),
            "t": generator.choice(np.array([-1, 1], np.int8), N),
        },
    ),
    "box": Evaluator(of_pair, drawn_boxes),
    "cosine": Evaluator(
        of_classes,
        lambda domains, generator: {"a": generator.normal(0, 3, (N, 5)), "b": generator.normal(0, 3, (N, 5))},
    ),
    "pair": Evaluator(
        of_signs,
        lambda domains, generator: {
            "D": generator.uniform(0, 3, N),
            "t": generator.choice(np.array([-1, 1], np.int8), N),
        },
    ),
    "angular": Evaluator(
        of_labels,
        lambda domains, generator: {
            "c": generator.uniform(-1, 1, (N, CLASSES)),
            "y": generator.integers(0, CLASSES, N),
        },
    ),
    "paired": Evaluator(of_cosines, lambda domains, generator: {"s": generator.uniform(-1, 1, (N, 6))}),
    "proxy": Evaluator(
        of_distances,
        lambda domains, generator: {"d": generator.uniform(0, 4, (N, CLASSES)), "y": generator.integers(0, CLASSES, N)},
    ),
    "overlap": Evaluator(
        of_masks, lambda domains, generator: {"p": generator.random((N, 6)), "t": generator.integers(0, 2, (N, 6))}
    ),
}


def stack(*columns: Any) -> np.ndarray:
    return np.stack(np.broadcast_arrays(*columns), axis=1).astype(float)


class OfRows(np.ndarray):
    """One number per row, by which rows can be divided."""

    def __rtruediv__(self, rows: Any) -> Any:
        return rows / np.asarray(self)[:, None]


def row_sum(t: np.ndarray) -> OfRows:
    return t.sum(axis=1).view(OfRows)


def one_hot(y: np.ndarray) -> np.ndarray:
    return np.eye(CLASSES)[y]


def entropy(t: np.ndarray) -> np.ndarray:
    return -(t * np.log(t)).sum(axis=1)


HELPERS: dict[str, Any] = {
    "stack": stack,
    "entropy": entropy,
    "sum": row_sum,
    "softmax": softmax,
    "one_hot": one_hot,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "lgamma": np.vectorize(math.lgamma),
    "abs": np.abs,
    "where": np.where,
    "max": np.maximum,
    "min": np.minimum,
    "pi": math.pi,
    "inf": math.inf,
}


def called(loss: Loss) -> Callable[..., np.ndarray]:
    return lambda *variables, **parameters: EVALUATORS[loss.family.name].evaluate(loss.bind(**parameters), *variables)


FUNCTIONS = {name.replace("-", "_"): called(loss) for name, loss in LOSSES.items()}


def interior(domain: Interval) -> tuple[float, ...]:
    """Three values of a parameter, away from the ends of its domain."""
    if domain.whole:
        return tuple(domain.low + i for i in (1, 2, 3) if domain.low + i in domain)
    if math.isfinite(domain.low) and math.isfinite(domain.high):
        return tuple(domain.low + part * (domain.high - domain.low) for part in (0.2, 0.5, 0.8))
    if math.isfinite(domain.low):
        return tuple(domain.low + part for part in (0.3, 1.0, 2.5))
    if math.isfinite(domain.high):
        return tuple(domain.high - part for part in (0.3, 1.0, 2.5))
    return (-1.5, 0.5, 1.7)


def nearly(value: float, domain: Interval) -> float:
    """A value of a parameter, or one so near to it that a limit is as good as reached."""
    if value in domain:
        return float(value)
    if math.isinf(value):
        return math.copysign(FAR, value)
    return next(near for near in (value + 1 / FAR, value - 1 / FAR) if near in domain)


def sweeps(loss: Loss, relation: Relation) -> list[dict[str, float | None]]:
    """The parameters at which a relation is evaluated: those it names as it says, and the others all over."""
    ranges: dict[str, tuple[float | None, ...]] = {}
    for name, parameter in loss.parameters.items():
        if name in relation.at:
            ranges[name] = (nearly(relation.at[name], parameter.domain),)
        elif parameter.default is None:
            ranges[name] = (None,)
        else:
            ranges[name] = interior(parameter.domain)
    return [dict(zip(ranges, values, strict=True)) for values in itertools.product(*ranges.values())]


def holds(loss: Loss, relation: Relation, variables: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    evaluator = EVALUATORS[loss.family.name]
    left = evaluator.evaluate(loss.bind(**parameters), *variables.values())
    names = {**FUNCTIONS, **HELPERS, **variables, **parameters}
    right = eval(relation.expression, {"__builtins__": {}}, names)
    limit = any(value not in loss.parameters[name].domain for name, value in relation.at.items())
    assert np.isfinite(left).all()
    assert np.ptp(left) > 0  # a constant would show nothing
    rtol = 1e-4 if limit else 1e-9
    np.testing.assert_allclose(left, right, rtol=rtol, atol=1e-12 * np.abs(left).max())


RELATIONS = [
    pytest.param(loss, relation, id=f"{loss.name} = {relation.expression}")
    for loss in LOSSES.values()
    for relation in loss.relations
]


@pytest.mark.simd
@pytest.mark.parametrize(("loss", "relation"), RELATIONS)
def test_a_declared_relation_holds(loss: Loss, relation: Relation) -> None:
    assert loss.family.name in EVALUATORS, f"losses of {loss.family.name} cannot be evaluated in relations yet"
    assert set(relation.at) <= set(loss.parameters)
    generator = np.random.default_rng(7)
    for parameters in sweeps(loss, relation):
        domains = loss.domains(loss.bind(**parameters).parameters)
        with np.errstate(all="ignore"):
            holds(loss, relation, EVALUATORS[loss.family.name].draw(domains, generator), parameters)


def test_a_wrong_relation_is_found() -> None:
    """What the tests above rest on: factors, limits and parameters that are wrong are seen."""
    generator = np.random.default_rng(8)
    r = {"r": inside(Interval(-math.inf, math.inf), generator)}
    huber, ramp = LOSSES["huber"], LOSSES["ramp"]
    for loss, expression, parameters in (
        (huber, "smooth_l1(r, beta=delta)", {"delta": 2.5}),
        (huber, "delta * smooth_l1(r)", {"delta": 2.5}),
        (huber, "half_squared_error(r)", {"delta": 1.0}),
        (huber, "delta * smooth_l1(r, beta=delta) * (1 + 1e-8)", {"delta": 2.5}),
        (ramp, "hinge(m)", {"s": -1.0}),
    ):
        variables = r if loss is huber else {"m": r["r"]}
        with pytest.raises(AssertionError):
            holds(loss, Relation(expression, {}), variables, parameters)
