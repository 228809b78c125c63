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
from typing import Annotated, Any, NamedTuple, Protocol, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from losscli.errors import UsageError, did_you_mean, listing

Array = NDArray[Any]
Parameters = Mapping[str, float | None]


class Interval(NamedTuple):
    """The domain of a parameter: it validates, prints itself, and feeds the tests with edges."""

    low: float
    high: float
    low_closed: bool = False
    high_closed: bool = False

    def __contains__(self, value: object) -> bool:
        assert isinstance(value, float | int)
        above = value >= self.low if self.low_closed else value > self.low
        below = value <= self.high if self.high_closed else value < self.high
        return above and below  # NaN is in no interval

    def __str__(self) -> str:
        return f"{'[' if self.low_closed else '('}{self.low:g}, {self.high:g}{']' if self.high_closed else ')'}"


REAL = Interval(-math.inf, math.inf)
POSITIVE = Interval(0, math.inf)
NON_NEGATIVE = Interval(0, math.inf, low_closed=True)
FRACTION = Interval(0, 1, low_closed=True, high_closed=True)
FRACTION_BELOW_ONE = Interval(0, 1, low_closed=True)
BELOW_ONE = Interval(-math.inf, 1)

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


class Chance(Protocol):
    """The probability of one outcome an element, in every form and without cancellation.

    `l` is log p, `p` the probability and `q` is 1 - p; each is an array of one shape, made when asked for.
    """

    @property
    def l(self) -> Array: ...
    @property
    def p(self) -> Array: ...
    @property
    def q(self) -> Array: ...


@dataclass(frozen=True)
class Indices:
    """Targets of a softmax or embedding loss that name one class a row.

    The target is `on` for the class of the row and `off` for every other class.
    """

    index: Array
    on: float = 1.0
    off: float = 0.0


@dataclass(frozen=True)
class Dense:
    """Targets with one number an element.

    `t` has the shape of the predictions. `other` is 1 - t for sigmoid losses, made before rounding, so that a
    smoothed target keeps the digits of its complement.
    """

    t: Array
    other: Array | None = None


Targets = Indices | Dense
Values = tuple[Array, Array | None]
Slope = Array | float | Callable[[], Array]
"""The slope by a family's variable: one for each value, one number for all, or what computes it where that is dear."""
Core = Callable[..., tuple[Array, Slope]]


class Extras(NamedTuple):
    """What a lift may need besides predictions and targets."""

    given: str = "logits"
    pos_weight: Array | float | None = None
    centers: Array | None = None


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
    reads: str
    """How targets are read: 'numbers', 'signs', 'outcomes' or 'classes'."""
    axes: Mapping[str, Axis]
    """What its losses can be drawn over, by the names that --x knows; the first is the natural one."""
    several_outputs: bool
    takes_from: bool = False
    smoothing: str | None = None
    takes_class_weight: bool = False
    takes_pos_weight: bool = False
    takes_centers: bool = False
    likelihood: str | None = None
    """The loss that is minus the logarithm of the probability of what happened, where predictions are chances."""


@dataclass(frozen=True)
class Loss:
    """A loss as declared. `formula` and `slope` are plain Python notation, and what the tests evaluate."""

    name: str
    family: Family
    core: Core
    formula: str
    slope: str
    summary: str
    aliases: tuple[str, ...]
    source: str
    where: Mapping[str, str]
    special: tuple[str, ...]
    relations: tuple[str, ...]
    sparse: bool
    linear: bool
    wide: Callable[[Parameters], bool]
    breaks: Callable[[Parameters], Mapping[str, float]]
    baseline: str | None
    facts: frozenset[str] = frozenset()

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

    loss: Loss
    parameters: Parameters = field(default_factory=dict)

    def core(self, *arguments: Any, gradient: bool = True) -> tuple[Array, Any]:
        """Value of the family's variable, and its slope, which means nothing where no gradient is asked for."""
        value, slope = self.loss.core(*arguments, **self.parameters)
        return value, slope() if gradient and callable(slope) else slope

    def work(self, dtype: np.dtype[Any], wide: bool = False) -> np.dtype[Any]:
        """The dtype to compute in: wider than the operands' where a loss, or a lift that says so, rounds too often.

        float32 widens to float64, at little cost; float64 to the platform's long double, and only for losses that
        multiply rounding errors, since that is many times slower.
        """
        needed = self.loss.wide(self.parameters)
        if dtype == np.float32:
            return np.dtype(np.float64) if wide or needed else dtype
        return np.dtype(np.longdouble) if needed else dtype

    def __reduce__(self) -> tuple[Any, ...]:
        # By name, so that a process or machine elsewhere gets its own declaration.
        return _rebind, (self.loss.name, dict(self.parameters))

    def __call__(
        self, predictions: Array, targets: Targets, extras: Extras = Extras(), gradient: bool = False
    ) -> Values:
        """Values and gradient of a block, in the dtype of the predictions."""
        with np.errstate(all="ignore"):  # inf is a legal result, and NaN is looked for afterwards
            values, slopes = self.loss.family.lift(self, predictions, targets, extras, gradient)
            dtype = predictions.dtype
            values = values.astype(dtype, copy=False)
            np.add(values, dtype.type(0), out=values)  # a loss of -0.0 is 0
            return values, None if slopes is None else slopes.astype(dtype, copy=False)


def _rebind(name: str, parameters: dict[str, float | None]) -> BoundLoss:
    import losscli.losses  # noqa: F401 - a fresh process has not declared them yet

    return BoundLoss(find(name), parameters)


LOSSES: dict[str, Loss] = {}
FAMILIES: dict[str, Family] = {}
_NAMES: dict[str, str] = {}
_KEYS: dict[str, str] = {}
"""Every name in its plain form -> the loss's name."""
AMBIGUOUS: dict[str, tuple[str, ...]] = {
    "log-loss": ("sigmoid-cross-entropy", "softmax-cross-entropy"),
    "nll": ("softmax-cross-entropy", "sigmoid-cross-entropy"),
    "nll-loss": ("softmax-cross-entropy", "sigmoid-cross-entropy"),
    "negative-log-likelihood": ("softmax-cross-entropy", "sigmoid-cross-entropy"),
    "focal-loss": ("sigmoid-focal", "softmax-focal"),
}
"""Names that mean different losses in different places: refused, with the choices."""


def family(**declaration: Any) -> Family:
    """Declare a family and register it."""
    made = Family(**declaration)
    FAMILIES[made.name] = made
    return made


def loss(
    of: Family,
    formula: str,
    *,
    slope: str,
    source: str,
    aliases: tuple[str, ...] = (),
    where: Mapping[str, str] | None = None,
    special: tuple[str, ...] = (),
    relations: tuple[str, ...] = (),
    sparse: bool = False,
    linear: bool = False,
    wide: Callable[[Parameters], bool] = lambda parameters: False,
    breaks: Callable[[Parameters], Mapping[str, float]] = lambda parameters: {},
    baseline: str | None = None,
    facts: tuple[str, ...] = (),
) -> Callable[[Core], Loss]:
    """Declare the loss that a core computes, and register it.

    Parameters
    ----------
    of
        the family.
    formula, slope
        value and its derivative by the family's variable, in plain Python notation.
    where
        names that the formula uses besides variables and parameters, each with its definition.
    special, relations
        what happens at the edges, and how the loss follows from others: printed by `explain`.
    sparse
        the core is 0 where the target is 0, so that only the row's own class need be looked at.
    linear
        the core is -t l + h(t), so that of classes with one target only the sum of their l is needed.
    wide
        for which parameters the core multiplies rounding errors (powers, products of many factors), so that it is
        computed in the next wider dtype.
    breaks
        the points of the family's variable where the loss changes its form, by what the formula calls them.
    baseline
        which constant prediction is best: 'mean', 'median', 'frequencies', 'signs' or 'centroid'; None where one pass
        over the targets cannot give it.
    facts
        of 'convex', 'bounded', 'redescending': printed by `explain` and held to by the tests.
    """

    def declare(core: Core) -> Loss:
        made = Loss(
            name=core.__name__.replace("_", "-"),
            family=of,
            core=core,
            formula=formula,
            slope=slope,
            summary=inspect.cleandoc(core.__doc__ or ""),
            aliases=aliases,
            source=source,
            where=where or {},
            special=special,
            relations=relations,
            sparse=sparse,
            linear=linear,
            wide=wide,
            breaks=breaks,
            baseline=baseline,
            facts=frozenset(facts),
        )
        for name in (made.name, *aliases):
            other = _KEYS.setdefault(_plain(name), made.name)
            if other != made.name:
                raise ValueError(f"two losses are called {name!r}: {other} and {made.name}")
            _NAMES[name] = made.name
        LOSSES[made.name] = made
        return made

    return declare


def find(name: str) -> Loss:
    """Return the loss of a name or alias; capitals, '-' and '_' make no difference.

    Raises
    ------
    UsageError
        for an unknown name, with the nearest one, or for a name with several meanings, with the choices.
    """
    key = _plain(name)
    ambiguous = {_plain(known): choices for known, choices in AMBIGUOUS.items()}
    if key in ambiguous:
        raise UsageError(f"{name!r} means different losses in different places; say one of: {listing(ambiguous[key])}")
    if key not in _KEYS:
        hint = did_you_mean(name.lower().replace("_", "-"), _NAMES, alike=0.7)
        raise UsageError(f"no loss is called {name!r}{hint}; `losscli list` shows them all")
    return LOSSES[_KEYS[key]]


def _plain(name: str) -> str:
    # MSELoss, mse_loss and mse-loss are one name.
    return name.lower().replace("_", "").replace("-", "")


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
