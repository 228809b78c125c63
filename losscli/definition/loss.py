"""What a loss is: a declaration from which options, help, `explain`, tests and plots are derived.

A loss is one decorated function in a family's file. The function (the core) returns value and slope of the
family's own variable; the family's `lift` turns predictions and targets into that variable and applies the chain
rule, once for all its losses. Nothing here or in `losscli.losses` knows of files, weights or reductions.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Annotated, Any, NamedTuple, Protocol, get_args, get_type_hints

import numpy as np

from losscli.arrays import Array
from losscli.definition.batch import Extras, Targets, Values
from losscli.definition.domain import BELOW_ONE, FRACTION, NON_NEGATIVE, POSITIVE, REAL, Domains, Interval
from losscli.definition.words import Coupling, TargetType, ThirdOperandName
from losscli.errors import UsageError
from losscli.wording import did_you_mean, listing

Parameters = Mapping[str, float | None]

Positive = Annotated[float, POSITIVE]
NonNegative = Annotated[float, NON_NEGATIVE]
Fraction = Annotated[float, FRACTION]
BelowOne = Annotated[float, BELOW_ONE]


class Parameter(NamedTuple):
    """A parameter of a loss: its domain is its type annotation, its default the function's own."""

    name: str
    default: float | None
    domain: Interval
    help: str


Slope = Array | float | Callable[[], Array]
"""The slope by a family's variable: one for each value, one number for all, or what computes it where that is dear."""
Core = Callable[..., Any]
"""Value and slope of a family's variables; of what kind, each family's lift says."""


class Lift(Protocol):
    """Turns a block of predictions and targets into values and, if asked for, gradients.

    Predictions have shape (n,) or (n, k) in the dtype of the computation. Values come back as (n,), or as (n, k) for
    losses of several outputs a sample; the gradient in the predictions' shape.
    """

    def __call__(
        self, loss: "BoundLoss", predictions: Array, targets: Targets, extras: Extras, gradient: bool
    ) -> Values: ...


class Axis(NamedTuple):
    """What losses are drawn over: a line through the space of predictions, and how it is called.

    `place` turns points x, shape (n,), into the predictions, targets and extras of a lift; `along` is
    d prediction / dx where a point has several predictions.
    """

    letter: str
    label: str
    span: tuple[float, float]
    """Where it is drawn from and to, if nothing else is asked for."""
    place: Callable[[Array], tuple[Array, Targets, Extras]]
    along: tuple[float, ...] = (1.0,)
    domain: Interval = REAL
    own: bool = True
    """Whether x is the variable of the cores, so that `Loss.breaks` are points of it."""


@dataclass(frozen=True)
class Family:
    """Losses that share a variable, and with it the reading of targets and the chain rule."""

    name: str
    lift: Lift
    summary: str
    variables: Mapping[str, str]
    value: str
    gradient: str
    targets: str
    target_type: TargetType
    """How targets are read: 'numbers', 'signs', 'outcomes' or 'classes'."""
    axes: Mapping[str, Axis]
    """What its losses can be drawn over, by the names that --x knows; the first is the natural one."""
    several_outputs: bool
    rows: str | None = None
    """What a row of predictions holds, for losses that take rows of several numbers only."""
    width: int | None = None
    """How many numbers a row of predictions has, where it must be so many."""
    parts: int = 1
    """How many predictions there are for each class, side by side."""
    hard: bool = False
    """Whether targets are labels, never soft."""
    one_target: bool = False
    """Whether a row has one target, whatever the number of its predictions."""
    coupled: Coupling | None = None
    """What has one loss, or meets, beyond a row: 'masks' (a row, a column or the file), 'file', or 'rows' (all others)."""
    custom: bool = False
    """Whether its losses are functions of the user's own, which may say in what order they take their operands."""
    signed_scores: bool = False
    """Whether predictions are scores around 0, whose sign is the prediction."""
    takes_distances: bool = False
    """Whether predictions of shape (n,) are distances that are known already, and then need no third operand."""
    takes_from: bool = False
    smoothing: str | None = None
    takes_class_weight: bool = False
    takes_pos_weight: bool = False
    takes_centers: bool = False
    third_operand: ThirdOperandName | None = None
    """The third operand with a row for each prediction: 'variance', 'negative' or 'other'."""
    likelihood: str | None = None
    """The loss that is minus the logarithm of the probability of what happened, where predictions are chances."""

    @property
    def takes_classes(self) -> bool:
        """Whether its targets are classes, which may have names."""
        named = self.target_type == "classes" or (
            self.target_type != "numbers" and (self.several_outputs or self.coupled == "file")
        )
        return named and self.coupled not in ("masks", "rows") and self.parts == 1


class Relation(NamedTuple):
    """An equality that the tests evaluate and `explain` prints: this loss, at or towards some parameters, is another's.

    `expression` is Python over the names of losses (with '_'), called with the variables of this one, and over this
    one's parameters: huber(r) = delta * smooth_l1(r, beta=delta). `at` holds what parameters must be for it; a number
    that is not in a parameter's domain, such as inf, is a limit.
    """

    expression: str
    at: Mapping[str, float]


def same(expression: str, **at: float) -> Relation:
    """Declare that a loss equals an expression in other losses, where parameters are `at` or go to these numbers."""
    return Relation(expression, at)


@dataclass(frozen=True)
class Loss:
    """A loss as declared. `formula` and `slope` are plain Python notation, and what the tests evaluate.

    Where no closed form exists, `formula` is empty, `definition` says it in words, and the tests hold a function to
    compare with.
    """

    name: str
    family: Family
    core: Core
    formula: str
    definition: str
    slope: str
    summary: str
    aliases: tuple[str, ...]
    source: str
    where: Mapping[str, str]
    special: tuple[str, ...]
    relations: tuple[Relation, ...]
    sparse: bool
    linear: bool
    whole: bool
    wide: Callable[[Parameters], bool]
    breaks: Callable[[Parameters], Mapping[str, float]]
    domains: Callable[[Parameters], Domains]
    baseline: str | None
    statistics: Mapping[str, Callable[[float], float]]
    facts: frozenset[str] = frozenset()
    resolve: Callable[..., "BoundLoss"] | None = None
    """Of a loss that depends on the files it is for: takes itself, the request and the columns, and gives the loss to compute."""
    drawn: Callable[["BoundLoss"], "BoundLoss"] | None = None
    """Of such a loss: gives the one for curves, which have no files."""
    code: Mapping[str, str] | None = None
    """Of such a loss: its file, and the digest of what the file holds, for the receipt."""
    remake: Callable[[Parameters], tuple[Any, ...]] | None = None
    """Of such a loss: what makes it again in another process, as pickle wants it, where its name alone does not."""

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """Read from the core's signature when they are asked for: of most losses nobody does."""
        return _parameters(self.core)

    def bind(self, **given: float | None) -> "BoundLoss":
        """Return the loss with its parameters fixed.

        Raises
        ------
        UsageError
            for an unknown parameter, or a value outside its domain.
        """
        values = {name: parameter.default for name, parameter in self.parameters.items()}
        for name, value in given.items():
            if name not in values:
                known = listing(values) or "none"
                raise UsageError(
                    f"{self.name}: no parameter {name!r}; its parameters: {known}{did_you_mean(name, values)}"
                )
            domain = self.parameters[name].domain
            if value is None and self.parameters[name].default is not None:
                raise UsageError(f"{self.name}: {name} cannot be none; it is a number in {domain}")
            if value is not None and value not in domain:
                raise UsageError(f"{self.name}: {name}={value:g} is not in {domain}")
            values[name] = value
        return BoundLoss(self, values)


@dataclass(frozen=True)
class BoundLoss:
    """A loss with its parameters: what a run evaluates."""

    declaration: Loss
    parameters: Parameters = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.declaration.name

    @property
    def family(self) -> Family:
        return self.declaration.family

    def core(self, *arguments: Any, gradient: bool = True) -> tuple[Array, Any]:
        """Value of the family's variable, and its slope, which means nothing where no gradient is asked for."""
        value, slope = self.declaration.core(*arguments, **self.parameters)
        return value, slope() if gradient and callable(slope) else slope

    def work(self, dtype: np.dtype[Any], wide: bool = False) -> np.dtype[Any]:
        """The dtype to compute in: wider than the operands' where a loss, or a lift that says so, rounds too often.

        float32 widens to float64, at little cost; float64 to the platform's long double, and only for losses that
        multiply rounding errors, since that is many times slower.
        """
        needed = self.declaration.wide(self.parameters)
        if dtype == np.float32:
            return np.dtype(np.float64) if wide or needed else dtype
        return np.dtype(np.longdouble) if needed else dtype

    def __reduce__(self) -> tuple[Any, ...]:
        # By its place in a module, so that a process or machine elsewhere gets its own declaration.
        if self.declaration.remake is not None:
            return self.declaration.remake(self.parameters)
        return _rebind, (self.declaration.core.__module__, self.declaration.core.__name__, dict(self.parameters))

    def __call__(
        self, predictions: Array, targets: Targets, extras: Extras = Extras(), gradient: bool = False
    ) -> Values:
        """Values and gradient of a block, in the dtype of the predictions."""
        with np.errstate(all="ignore"):  # inf is a legal result, and NaN is looked for afterwards
            values, slopes = self.declaration.family.lift(self, predictions, targets, extras, gradient)
            dtype = predictions.dtype
            values = values.astype(dtype, copy=False)
            np.add(values, dtype.type(0), out=values)  # a loss of -0.0 is 0
            return values, None if slopes is None else slopes.astype(dtype, copy=False)


def _rebind(module: str, attribute: str, parameters: dict[str, float | None]) -> BoundLoss:
    # The decorator leaves the declaration where the core was defined.
    return BoundLoss(getattr(import_module(module), attribute), parameters)


def root(mean: float) -> float:
    """The root of a mean loss."""
    return math.sqrt(mean)


def exponential(mean: float) -> float:
    """The exponential of a mean loss, inf where it is too large."""
    return math.exp(mean) if mean < 700 else math.inf


def _parameters(core: Core) -> dict[str, Parameter]:
    hints = get_type_hints(core, include_extras=True)
    found = {}
    for name, parameter in inspect.signature(core).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        extra = [argument for hint in _flatten(hints[name]) for argument in hint]
        domain = next(item for item in extra if isinstance(item, Interval))
        text = next((item for item in extra if isinstance(item, str)), "")
        found[name] = Parameter(name, parameter.default, domain, text)
    return found


def _flatten(hint: Any) -> list[tuple[Any, ...]]:
    # Annotated[float, ...] | None nests the metadata one level down.
    metadata = getattr(hint, "__metadata__", None)
    return [metadata] if metadata else [pair for inner in get_args(hint) for pair in _flatten(inner)]
