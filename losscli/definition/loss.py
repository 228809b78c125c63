"""The definition of a loss: a declaration from which options, help, `explain`, tests and plots are derived.

A loss is one decorated function in a family's file. The function (the core) returns value and slope of the family's own
variable; the family's `lift` turns predictions and targets into that variable and applies the chain rule, once for all
its losses. Nothing here or in `losscli.losses` knows of files, weights or reductions.
"""

import inspect
import math
import os
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from typing import Annotated, Any, Protocol, get_args, get_type_hints

import numpy as np

from losscli.arrays import Array, by_row
from losscli.definition.batch import Dense, Everyone, Extras, Indices, Targets, Values
from losscli.definition.domain import BELOW_ONE, FRACTION, NON_NEGATIVE, POSITIVE, REAL, Domains, Interval
from losscli.definition.words import Coupling, TargetType, ThirdOperandName
from losscli.errors import UsageError
from losscli.records import NamedTuple, dataclass, field
from losscli.wording import did_you_mean, listing, written

Parameters = Mapping[str, float | None]

Positive = Annotated[float, POSITIVE]
NonNegative = Annotated[float, NON_NEGATIVE]
Fraction = Annotated[float, FRACTION]
BelowOne = Annotated[float, BELOW_ONE]


class Parameter(NamedTuple):
    """A parameter of a loss: its domain is its type annotation, and its default is that of the function."""

    name: str
    default: float | None
    domain: Interval
    help: str


Slope = Array | float | Callable[[], Array]
"""The derivative by a family's variable: one number per value, one for all, or a function
that computes it if it is costly.
"""
Core = Callable[..., Any]
"""A function that returns value and slope of a family's variables; the family's lift says what these are."""


class Lift(Protocol):
    """A function that turns a batch of predictions and targets into losses and, if asked for, gradients.

    Predictions have shape (n,) or (n, k) in the dtype of the computation. Losses have shape (n,), or (n, k) for losses
    with several outputs per sample; the gradient has the shape of the predictions.
    """

    def __call__(
        self, loss: "BoundLoss", predictions: Array, targets: Targets, extras: Extras, gradient: bool
    ) -> Values: ...


class MaskElements(Protocol):
    """A batch of elements of masks, (n,) or (n, k): what each adds to the sums, and the gradient by the predictions."""

    def part(self, name: str) -> Array:
        """Return what each element adds to a sum, in the shape of the elements."""
        ...

    def gradient(self, by: Any) -> Array:
        """Return the derivatives by the predictions, from those by the sums, which fit the shape of the elements."""
        ...


SHARED = {
    "residual": "residual r = prediction - target",
    "margin": "margin m = t * score, with t = -1 or 1",
    "logit": "logit z of what is true (of two classes; the other logit is 0)",
    "probability": "probability p of what is true",
}
"""Labels of the axes over which losses of several families can be drawn."""


class Axis(NamedTuple):
    """An axis over which losses are drawn: a line through the space of predictions, and its name.

    `place` turns points x, shape (n,), into the predictions, targets and extras of a lift; `along` is d prediction /
    dx, if a point has several predictions.
    """

    letter: str
    label: str
    span: tuple[float, float]
    """The ends of the usual drawing."""
    place: Callable[[Array], tuple[Array, Targets, Extras]]
    along: tuple[float, ...] = (1.0,)
    domain: Interval = REAL
    own: bool = True
    """Whether x is the variable of the cores, so that `Loss.breaks` are points on it."""
    shared: str = ""
    """What x is, in words that axes of other families have too, if losses of these families may be drawn over it together: see
    `SHARED`. '' for an axis that is only shared by losses whose axis has the same label.
    """
    at: tuple[tuple[str, float], ...] = ()
    """What else is fixed where the losses depend on more than x, as ('target', 1), or a parameter of theirs; axes that contradict
    each other here are not shared.
    """

    @property
    def variable(self) -> str:
        """What x is, in the words that tell whether two axes are the same one."""
        return self.shared or self.label


@dataclass(frozen=True, eq=False)  # one of a kind; comparing fields would only cost at start
class Family:
    """Losses that share a variable, and with it the way targets are read and the chain rule."""

    name: str
    lift: Lift
    summary: str
    variables: Mapping[str, str]
    value: str
    gradient: str
    targets: str
    target_type: TargetType
    """How targets are read: 'numbers', 'signs', 'outcomes', 'classes' or 'sequences'."""
    axes: Mapping[str, Axis]
    """The axes over which its losses can be drawn, by their names for --x; the first is the natural one."""
    several_outputs: bool
    rows: str | None = None
    """Description of a row of predictions, for losses that only take rows of several numbers."""
    width: int | None = None
    """Number of predictions per row, if the losses take only this many."""
    parts: int = 1
    """Number of predictions per class, side by side."""
    hard: bool = False
    """Whether targets must be labels, never soft."""
    soft: bool = False
    """Whether targets must be soft, never labels: losses that divide by the target of each class."""
    lists: bool = False
    """Whether a row is a list, so that its loss without some of its items is that of a shorter list."""
    one_target: bool = False
    """Whether a row has one target, whatever the number of its predictions."""
    custom: bool = False
    """Whether its losses are functions of the user's own, which may say in what order they take their operands."""
    signed_scores: bool = False
    """Whether predictions are scores around 0, whose sign is the prediction."""
    takes_distances: bool = False
    """Whether predictions of shape (n,) are distances that are known already, and then need no third operand."""
    coupled: Coupling | None = None
    """The rows that share a loss: 'masks' (a row, a column or the file), 'file', or 'rows'
    (each is compared with all others).

    None if each row has its own loss.
    """
    meets: Callable[[Array], Array] | None = None
    """Makes of the features of all rows, shape (n, d), what each row is compared with, if `coupled` is 'rows'."""
    both_ways: bool = False
    """Whether a row's target is compared with all rows of predictions as well."""
    needs_negatives: bool = False
    """Whether rows have no loss if all rows of the file have the same label."""
    census: Callable[["BoundLoss", Everyone], float] | None = None
    """Returns `Everyone.share`, if the losses of rows depend on a number that all rows have together."""
    tables_only: bool = False
    """Whether its losses, which couple rows, take predictions of one or two axes only."""
    held_bytes: int = 0
    """Bytes that an element of a mask takes at most while the loss is computed, if masks are held in memory: those of all
    arrays that are made on the way, without the predictions themselves.
    """
    boxes: bool = False
    """Whether a row is a box, which can be written in several ways."""
    takes_from: bool = False
    elements: Callable[[Array, Targets, Extras], MaskElements] | None = None
    """Makes the elements of masks, if cores get sums over the elements of masks, which can be added batch by batch."""
    sums: Callable[..., Any] | None = None
    """The type of these sums: a NamedTuple, whose fields that are not read may be left out. A core returns the derivatives
    by them as a NamedTuple as well, which `MaskElements.gradient` takes.
    """
    smoothing: str | None = None
    takes_class_weight: bool = False
    takes_class_counts: bool = False
    """Whether its losses need to know how many samples each class has."""
    thresholds: bool = False
    """Whether a row has one prediction for each threshold between classes in their order, one less than there are classes."""
    of_vectors: bool = False
    """Whether a row has several members, each with as many numbers as the row's target: predictions have shape (samples,
    members, dimensions) and targets (samples, dimensions).
    """
    takes_pos_weight: bool = False
    takes_centers: bool = False
    takes_levels: bool = False
    """Whether its predictions are quantiles, whose levels have to be known."""
    ends_of_interval: bool = False
    """Whether its predictions are the quantiles of the levels alpha / 2 and 1 - alpha / 2, alpha being a parameter."""
    third_operand: ThirdOperandName | None = None
    """The third operand with one row per prediction, by the name of its option; None if there is none."""
    likelihood: str | None = None
    """The loss that is minus the log-probability of what happened, if predictions are probabilities; else None."""

    @property
    def takes_classes(self) -> bool:
        """Whether its targets are classes, which may have names."""
        named = self.target_type == "classes" or self.thresholds
        named = named or (self.target_type != "numbers" and (self.several_outputs or self.coupled == "file"))
        return named and self.coupled not in ("masks", "rows") and self.parts == 1

    @property
    def over_classes(self) -> bool:
        """Whether a row of predictions has one number per class, and the row one loss."""
        return self.target_type == "classes" and self.rows is None and not self.takes_centers

    @property
    def of_true_class(self) -> bool:
        """Whether one of a row's predictions is the probability of what happened, and the others those of what did not."""
        return self.over_classes and self.likelihood is not None

    @property
    def of_sequences(self) -> bool:
        """Whether a row is a sample of several time steps, with a sequence of labels."""
        return self.target_type == "sequences"

    @property
    def of_three_axes(self) -> bool:
        """Whether a sample has two axes of numbers of its own, so that no axis of predictions is one of positions."""
        return self.of_sequences or self.of_vectors

    @property
    def of_masks(self) -> bool:
        """Whether its losses are losscli's own of masks: of rows, of columns, or of all rows of the file."""
        return self.coupled in ("masks", "file") and not self.custom

    @property
    def masks_elements(self) -> bool:
        """Whether single elements of a row may not exist: they have losses of their own, are added up, or are items of a list."""
        return self.several_outputs or self.elements is not None or self.lists

    @property
    def takes_class_axis(self) -> bool:
        """Whether one axis of predictions with more than two axes can hold the classes or outputs."""
        return self.over_classes or self.several_outputs or (self.of_masks and not self.tables_only)

    @property
    def has_units(self) -> bool:
        """Whether something else than a row can have one loss."""
        return self.coupled != "rows" and not self.of_sequences

    @property
    def takes_activation(self) -> bool:
        """Whether its losses compare masks of probabilities, so that it must be known how logits become probabilities."""
        return self.takes_from and self.of_masks

    @property
    def takes_distributions(self) -> bool:
        """Whether its targets may be distributions over classes or outcomes, which can be given as logits as well."""
        return (
            self.takes_from and self.coupled is None and not self.hard and self.target_type in ("classes", "outcomes")
        )


class Relation(NamedTuple):
    """An equality between losses, which the tests evaluate and `explain` prints.

    `expression` is Python over the names of losses (with '_'), called with the variables of this loss, and over this
    loss's parameters: huber(r) = delta * smooth_l1(r, beta=delta). `at` holds the parameters for which it is true; a
    number that is not in a parameter's domain, such as inf, is a limit.
    """

    expression: str
    at: Mapping[str, float]


def same(expression: str, **at: float) -> Relation:
    """Declare that a loss equals an expression in other losses, if parameters are `at` or tend to these numbers."""
    return Relation(expression, at)


@dataclass(frozen=True, eq=False)  # one of a kind; comparing fields would only cost at start
class Loss:
    """A loss as declared. `formula` and `slope` are plain Python notation, which the tests evaluate.

    If there is no closed form, `formula` is empty, `definition` says it in words, and the tests
    have a function to compare with.
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
    undefined: tuple[str, str] | None = None
    """What is the matter with a row whose loss is NaN though no number in it is, and what to do about it; for messages."""
    facts: frozenset[str] = frozenset()
    resolve: Callable[..., "BoundLoss"] | None = None
    """Set for a loss that depends on the files it is used for: called with the loss, the request and the columns,
    it returns the loss to compute.
    """
    drawn: Callable[["BoundLoss", str | None, str | None], "BoundLoss"] | None = None
    """Set for such a loss: returns the loss to draw as a curve, without files, from the loss, the order of its operands and the
    kind of its predictions, each None if the user did not say it.
    """
    code: Mapping[str, str] | None = None
    """Set for a loss from a user's file: the file and the digest of its content, for the receipt."""
    remake: Callable[[Parameters], tuple[Any, ...]] | None = None
    """Set for such a loss, if its name is not enough to find it in another process: returns what
    pickle needs to make it again.
    """

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by name, read from the signature of the core. Read on demand,
        since most losses are never asked.
        """
        return _parameters(self.core)

    @property
    def of_true_class(self) -> bool:
        """Whether the probability of the true class is all that it needs of a row, where the target is one class."""
        return self.family.of_true_class and self.sparse and not self.whole

    def bind(self, **given: float | None) -> "BoundLoss":
        """Return the loss with its parameters fixed; parameters that are not named have their defaults.

        Raises
        ------
        UsageError
            if a parameter is unknown, or its value outside its domain.
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
                raise UsageError(f"{self.name}: {name}={written(value)} is not in {domain}")
            values[name] = value
        return BoundLoss(self, values)


OWN = "losscli_own_"
"""How the names of modules begin that are files of the user's own."""


@dataclass(frozen=True)
class BoundLoss:
    """A loss with its parameters, ready to be computed."""

    declaration: Loss
    parameters: Parameters = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.declaration.name

    @property
    def family(self) -> Family:
        return self.declaration.family

    def core(self, *arguments: Any, gradient: bool = True) -> tuple[Array, Any]:
        """Return the value at the family's variable, and its slope, which is meaningless if no gradient
        is asked for.
        """
        value, slope = self.declaration.core(*arguments, **self._numbers)
        return value, slope() if gradient and callable(slope) else slope

    def work(self, dtype: np.dtype[Any], wide: bool = False) -> np.dtype[Any]:
        """Return the dtype to compute in: wider than the operands' if the loss, or the lift
        with `wide`, rounds too often.

        float32 widens to float64, at little cost; float64 to the platform's long double, and only for losses that
        multiply rounding errors, since that is many times slower. So it does for parameters whose powers leave the
        range of the dtype.
        """
        needed = self.declaration.wide(self.parameters)
        narrow = np.dtype(np.float64) if dtype == np.float32 and (wide or needed) else dtype
        widest = narrow if dtype == np.float32 or not needed else np.dtype(np.longdouble)
        return np.result_type(widest, *(type(x) for x in self._numbers.values() if isinstance(x, np.floating)))

    @cached_property
    def _numbers(self) -> dict[str, Any]:
        """The parameters as a core gets them: Python's numbers, which keep the dtype of an array, or numbers of a dtype in
        which their powers are in range, which widen it.
        """
        if self.family.custom:
            return dict(self.parameters)
        return {name: _in_reach(value) for name, value in self.parameters.items()}

    @property
    def sums(self) -> tuple[str, ...]:
        """The names of the sums over the elements of masks that the core reads, which is found by calling it once."""
        return _sums_read(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled as a place in a module, so that another process or machine uses its own declaration.
        if self.declaration.remake is not None:
            return self.declaration.remake(self.parameters)
        module = self.declaration.core.__module__
        own = getattr(sys.modules.get(module), "__file__", None) if module.startswith(OWN) else None
        return _rebind, (module, self.declaration.core.__name__, dict(self.parameters), own and _file_of(own))

    def __call__(
        self, predictions: Array, targets: Targets, extras: Extras = Extras(), gradient: bool = False
    ) -> Values:
        """Return losses and gradient of a batch, in the dtype of the predictions."""
        with np.errstate(all="ignore"):  # inf is a legal result, and NaN is searched for afterwards
            values, slopes = self._computed(predictions, targets, extras, gradient)
            np.add(values, values.dtype.type(0), out=values)  # a loss of -0.0 is 0
            # A sum is the quickest look: it is finite if all losses are, but for sums that overflow.
            if len(values) == len(predictions) and not self.family.custom and not np.isfinite(values.sum()):
                self._again(predictions, targets, extras, values, slopes)
            return values, slopes

    def summed(self, predictions: Array, targets: Targets, extras: Extras = Extras()) -> tuple[float, int]:
        """Return the sum of the losses of a batch in float64, and their number; the sum is NaN or infinite if it is not
        known without looking at single losses.
        """
        with np.errstate(all="ignore"):
            values, _ = self._computed(predictions, targets, extras, False)
            return float(np.add.reduce(values, axis=None, dtype=np.float64)), values.size

    def _computed(self, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
        """Return losses and gradient in the dtype of the predictions."""
        compute = self.declaration.family.lift if extras.temper is None else extras.temper
        values, slopes = compute(self, predictions, targets, extras, gradient)
        dtype = predictions.dtype
        values = values.astype(dtype, copy=False)
        return values, None if slopes is None else slopes.astype(dtype, copy=False)

    def _again(self, predictions: Array, targets: Targets, extras: Extras, values: Array, slopes: Array | None) -> None:
        """Compute rows of finite numbers again in long double, where something on the way to their losses has overflowed.

        So are losses that are NaN, and infinite ones of numbers whose squares overflow; of smaller ones, inf is the truth.
        """
        operands = [predictions, extras.third_operand, targets.t if isinstance(targets, Dense) else None]
        sizes = [
            _row_sizes(one) for one in operands if one is not None and one.dtype.kind == "f" and len(one) == len(values)
        ]
        largest = np.max(sizes, axis=0)
        far = largest > float(np.finfo(predictions.dtype).max) ** 0.4
        undefined = by_row(np.isnan(values)).any(axis=1)
        endless = by_row(np.isinf(values)).any(axis=1)
        rows = np.flatnonzero((undefined | (endless & far)) & np.isfinite(largest))
        if not len(rows):
            return
        wide, by_wide = self._computed(
            predictions[rows].astype(np.longdouble), *_rows(targets, extras, rows), slopes is not None
        )
        values[rows] = wide + 0  # as above
        if slopes is not None and by_wide is not None:
            slopes[rows] = by_wide


REACH_OF_SINGLE = 1e6
REACH_OF_DOUBLE = 1e75
"""Parameters beyond these, or below their reciprocals, are computed with in the next wider dtype: float32 and float64 hold
the fourth power of what is within, times predictions of a common size.
"""


def _in_reach(parameter: float | None) -> Any:
    """Return a parameter, in a wider dtype if it is very large or very small, so that its powers do not leave the range."""
    if not parameter or math.isinf(parameter):
        return parameter
    size = max(abs(parameter), 1 / max(abs(parameter), 1e-300))
    if size <= REACH_OF_SINGLE:
        return float(parameter)
    return np.float64(parameter) if size <= REACH_OF_DOUBLE else np.longdouble(parameter)


def _row_sizes(numbers: Array) -> Array:
    """Return the size of the largest number of each row, NaN if one is NaN."""
    sizes: Array = by_row(np.abs(numbers)).max(axis=1).astype(np.float64)
    return sizes


def _rows(targets: Targets, extras: Extras, rows: Array) -> tuple[Targets, Extras]:
    """Return some rows of targets and of what else has one entry per row."""
    if isinstance(targets, Indices):
        targets = Indices(targets.index[rows], targets.on, targets.off)
    else:
        targets = type(targets)(targets.t[rows], None if targets.other is None else targets.other[rows])
    beside = {name: getattr(extras, name) for name in ("third_operand", "at")}
    return targets, extras._replace(**{name: one[rows] for name, one in beside.items() if one is not None})


class _Asked:
    """Sums that are all 1 and note which of them a core reads."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __getattr__(self, name: str) -> Array:
        self.names.append(name)
        return np.ones((1, 1))


def _sums_read(loss: BoundLoss) -> tuple[str, ...]:
    """Return the names of the sums that a core reads, in the order of the family's type."""
    asked = _Asked()
    with np.errstate(all="ignore"):
        loss.core(asked)
    return tuple(name for name in getattr(loss.family.sums, "_fields", ()) if name in asked.names)


def _file_of(path: str) -> tuple[str, str]:
    """Return the path and the SHA-256 of a file of the user's own, by which another process finds it."""
    import hashlib

    with open(path, "rb") as file:
        return os.path.abspath(path), hashlib.file_digest(file, "sha256").hexdigest()


def _rebind(
    module: str, attribute: str, parameters: dict[str, float | None], own: tuple[str, str] | None = None
) -> BoundLoss:
    if own is not None:  # executed as where it was read first, which the package above this one does
        return BoundLoss(getattr(import_module("losscli.custom.reading").own_module(*own), attribute), parameters)
    # The decorator replaced the core in its module by the declaration.
    return BoundLoss(getattr(import_module(module), attribute), parameters)


def root(mean: float) -> float:
    """Return the square root of a mean loss."""
    return math.sqrt(mean)


def exponential(mean: float) -> float:
    """Return the exponential of a mean loss, or inf if it is too large."""
    return math.exp(mean) if mean < 700 else math.inf


def bits(mean: float) -> float:
    """Return a mean loss in nats in bits."""
    return mean / math.log(2)


def _parameters(core: Core) -> dict[str, Parameter]:
    """Return the parameters of a core: its keyword-only arguments."""
    hints = get_type_hints(core, include_extras=True)
    parameters = {}
    for name, parameter in inspect.signature(core).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        extra = [argument for hint in _flatten(hints[name]) for argument in hint]
        domain = next(item for item in extra if isinstance(item, Interval))
        text = next((item for item in extra if isinstance(item, str)), "")
        parameters[name] = Parameter(name, parameter.default, domain, text)
    return parameters


def _flatten(hint: Any) -> list[tuple[Any, ...]]:
    # In Annotated[float, ...] | None the metadata is one level deeper.
    metadata = getattr(hint, "__metadata__", None)
    return [metadata] if metadata else [pair for inner in get_args(hint) for pair in _flatten(inner)]
