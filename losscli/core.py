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
    whole: bool = False
    """Whether only whole numbers belong to it."""

    def __contains__(self, value: object) -> bool:
        assert isinstance(value, float | int)
        above = value >= self.low if self.low_closed else value > self.low
        below = value <= self.high if self.high_closed else value < self.high
        return above and below and (not self.whole or value == int(value))  # NaN is in no interval

    def __str__(self) -> str:
        ends = f"{'[' if self.low_closed else '('}{self.low:g}, {self.high:g}{']' if self.high_closed else ')'}"
        return f"the whole numbers of {ends}" if self.whole else ends

    def outside(self, values: "Array") -> "Array":
        """Where values are not in it; NaN is not looked for here."""
        low = values < self.low if self.low_closed else values <= self.low
        high = values > self.high if self.high_closed else values >= self.high
        found: Array = low | high
        return found | (values != np.floor(values)) if self.whole else found


REAL = Interval(-math.inf, math.inf)
POSITIVE = Interval(0, math.inf)
NON_NEGATIVE = Interval(0, math.inf, low_closed=True)
FRACTION = Interval(0, 1, low_closed=True, high_closed=True)
FRACTION_BELOW_ONE = Interval(0, 1, low_closed=True)
BELOW_ONE = Interval(-math.inf, 1)
OPEN_FRACTION = Interval(0, 1)
AT_LEAST_ONE = Interval(1, math.inf, low_closed=True)
BELOW_INFINITY = Interval(-math.inf, math.inf, low_closed=True)
ABOVE_MINUS_ONE = Interval(-1, math.inf)

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
Core = Callable[..., Any]
"""Value and slope of a family's variables; of what kind, each family's lift says."""


class Extras(NamedTuple):
    """What a lift may need besides predictions and targets."""

    given: str = "logits"
    pos_weight: Array | float | None = None
    centers: Array | None = None
    beside: Array | None = None
    """Rows of a third operand, beside those of the predictions: variances, negatives, or the other ones of pairs."""
    everyone: "Everyone | None" = None
    """All rows of the file, for losses in which each row meets all others."""
    at: Array | None = None
    """Which of all rows the block's are, where `everyone` is given."""
    columns: int | None = None
    """How many columns the file has whose elements are one row here, for losses of a file."""
    clip: "Clip | None" = None
    class_terms: Array | None = None
    """A factor a class of the terms of a softmax loss."""


class Everyone(NamedTuple):
    """All rows of a file: their features, shape (n, d), their labels, shape (n,), and which of them are not ignored."""

    features: Array
    labels: Array
    kept: Array


class Clip(NamedTuple):
    """How a library changes probabilities before it takes their logarithm.

    Probabilities are divided by the sum of their row first if `renormalise` is true, then cut off below `low` and above
    `high`. `inside` is added to them within the logarithm, and the logarithm is cut off below `floor`.
    """

    low: float = 0.0
    high: float = 1.0
    renormalise: bool = False
    inside: float = 0.0
    floor: float = -math.inf


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
    coupled: str | None = None
    """What has one loss, or meets, beyond a row: 'masks' (a row, a column or the file), 'file', or 'rows' (all others)."""
    takes_from: bool = False
    smoothing: str | None = None
    takes_class_weight: bool = False
    takes_pos_weight: bool = False
    takes_centers: bool = False
    beside: str | None = None
    """The third operand with a row for each prediction: 'variance', 'negative' or 'other'."""
    likelihood: str | None = None
    """The loss that is minus the logarithm of the probability of what happened, where predictions are chances."""

    @property
    def takes_classes(self) -> bool:
        """Whether its targets are classes, which may have names."""
        named = self.reads == "classes" or (
            self.reads != "numbers" and (self.several_outputs or self.coupled == "file")
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


class Domains(NamedTuple):
    """Which numbers a loss takes for predictions and for targets; others are errors."""

    predictions: Interval = REAL
    targets: Interval = REAL


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
        if self.loss.remake is not None:
            return self.loss.remake(self.parameters)
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
    from losscli.losses import find as found  # a fresh process has not declared them yet

    return BoundLoss(found(name), parameters)


def root(mean: float) -> float:
    """The root of a mean loss."""
    return math.sqrt(mean)


def exponential(mean: float) -> float:
    """The exponential of a mean loss, inf where it is too large."""
    return math.exp(mean) if mean < 700 else math.inf


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
    formula: str = "",
    *,
    source: str,
    slope: str = "",
    definition: str = "",
    aliases: tuple[str, ...] = (),
    where: Mapping[str, str] | None = None,
    special: tuple[str, ...] = (),
    relations: tuple[Relation, ...] = (),
    sparse: bool = False,
    linear: bool = False,
    whole: bool = False,
    wide: Callable[[Parameters], bool] = lambda parameters: False,
    breaks: Callable[[Parameters], Mapping[str, float]] = lambda parameters: {},
    domains: Callable[[Parameters], Domains] = lambda parameters: Domains(),
    baseline: str | None = None,
    statistics: Mapping[str, Callable[[float], float]] | None = None,
    facts: tuple[str, ...] = (),
) -> Callable[[Core], Loss]:
    """Declare the loss that a core computes, and register it.

    Parameters
    ----------
    of
        the family.
    formula, slope
        value and its derivative by the family's variable, in plain Python notation. Losses of whole rows need no slope:
        the tests derive the formula.
    definition
        in words, what a loss without a closed form is.
    where
        names that the formula uses besides variables and parameters, each with its definition.
    special
        what happens at the edges: printed by `explain`.
    relations
        how the loss follows from others: printed by `explain` and evaluated by the tests.
    sparse
        the core is 0 where the target is 0, so that only the row's own class need be looked at.
    linear
        the core is -t l + h(t), so that of classes with one target only the sum of their l is needed.
    whole
        the core sees all of a row's classes at once and returns one value a row, of which `formula` is in vectors.
    wide
        for which parameters the core multiplies rounding errors (powers, products of many factors), so that it is
        computed in the next wider dtype.
    breaks
        the points of the family's variable where the loss changes its form, by what the formula calls them.
    domains
        which predictions and targets it takes.
    baseline
        which constant prediction is best: 'mean', 'median', 'frequencies', 'signs' or 'centroid'; None where one pass
        over the targets cannot give it.
    statistics
        what people make of the mean loss, such as the root of the mean squared error: it joins the summary.
    facts
        of 'convex', 'bounded', 'redescending': printed by `explain` and held to by the tests.
    """

    def declare(core: Core) -> Loss:
        made = Loss(
            name=core.__name__.replace("_", "-"),
            family=of,
            core=core,
            formula=formula,
            definition=definition,
            slope=slope,
            summary=inspect.cleandoc(core.__doc__ or ""),
            aliases=aliases,
            source=source,
            where=where or {},
            special=special,
            relations=relations,
            sparse=sparse,
            linear=linear,
            whole=whole,
            wide=wide,
            breaks=breaks,
            domains=domains,
            baseline=baseline,
            statistics=statistics or {},
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


def is_known(name: str) -> bool:
    """Whether a name is that of a loss, an alias, or refused as ambiguous."""
    return _plain(name) in _KEYS or _plain(name) in map(_plain, AMBIGUOUS)


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
