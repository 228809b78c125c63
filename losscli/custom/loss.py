"""A loss in a user's file as a loss of losscli: its families, and the lift that runs it."""

import inspect
import math
import os
import re
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from losscli.arrays import Array
from losscli.custom import NAMED
from losscli.custom.frameworks import MOST_DIFFERENCES, Framework, NumPy, framework
from losscli.custom.guess import guessed
from losscli.custom.read import read
from losscli.custom.reading import EITHER, CallError, Found, check_same, completed, digest, foreign, recognised, stamp
from losscli.definition.batch import Dense, Extras, Indices, Probability, Targets, Values, Whole
from losscli.definition.domain import FRACTION, REAL, Domains
from losscli.definition.loss import SHARED, Axis, BoundLoss, Family, Loss
from losscli.definition.words import TargetType
from losscli.errors import DataError, UsageError
from losscli.losses.probability import Opposite
from losscli.losses.sigmoid import MAKERS as OF_OUTCOMES
from losscli.losses.softmax import MAKERS, through_softmax
from losscli.records import dataclass, replace
from losscli.wording import listing

if TYPE_CHECKING:
    from losscli.data.dataset import Dataset
    from losscli.definition.request import Request

ORDERS = {"predictions,targets": False, "targets,predictions": True}
"""Value of --operands -> whether targets come first."""
FORMS = ("one-hot", "indices", "numbers")
ROWS, ELEMENTS, ONE = "a number per row", "a number per element", "one number"
USUAL = {
    "gamma": 2,
    "alpha": 0.25,
    "delta": 1,
    "beta": 1,
    "num_classes": 3,
    "n_classes": 3,
    "num_class": 3,
    "class_num": 3,
}
"""Values of parameters that people use, for examples in messages; `verify` uses three classes."""
PROBED_LENGTH = 3
"""The length of further axes of a probe."""
PROBED = 2
"""A probe has this many rows more than columns, so that one target per row cannot be taken for one per column."""


@dataclass(frozen=True)
class Settings:
    """How a loss of a file is called, as the names in its code or options say."""

    targets_first: bool
    wants: str | None
    encoding: str
    """The form of its targets: 'one-hot' rows, class 'indices', or 'numbers' in the predictions' shape."""
    returns: str = ROWS
    """ROWS, ELEMENTS or ONE. A loss that returns one number for all rows is called once for each row, unless `whole`."""
    whole: bool = False
    """Whether it is called once with all rows of a file, which then have one loss together."""
    shape: tuple[int, ...] | None = None
    """The file's own shape, if it has more than two axes and the loss is called with it."""
    flat: bool = False
    """Whether it is called once with the elements that exist, in one axis, since a mask says of single elements of rows whether
    they exist.
    """
    apart: bool = False
    """Whether it makes a number per element, each of which is a loss of its own for such a mask."""


class Custom:
    """Calls a loss of a file with batches of NumPy arrays."""

    def __init__(self, found: Found, settings: Settings) -> None:
        self.found, self.settings = found, settings
        self.framework: Framework = framework(found.framework)

    def function(self, parameters: Mapping[str, float | None], prediction_kind: str) -> Callable[[Any, Any], Any]:
        """Return the loss as a function of predictions and targets, in this order."""
        values = values_of(self.found, parameters)
        if "from_logits" in self.found.told:
            values["from_logits"] = prediction_kind == "logits"
        with self.foreign():
            function = self.found.make(values)
        return (lambda x, t: function(t, x)) if self.settings.targets_first else function

    def foreign(self) -> AbstractContextManager[None]:
        """Return the context in which it is called."""
        return foreign(self.found.file, f"in {self.found.where.rpartition(':')[2]}")

    def numbers(self, returned: Any) -> Array:
        """Return the result of a call as an array; raise a CallError if it is not numbers."""
        numbers = None if isinstance(returned, str | dict | tuple | None) else self.framework.numbers(returned)
        if numbers is None or numbers.dtype.kind not in "fiub":
            raise CallError(
                f"{self.found.where}: returned {type(returned).__name__}; a loss returns one number per row, one for each "
                "output, or one for all"
            )
        return numbers

    def targets(self, targets: Targets, x: Array) -> Array:
        """Return targets in the form that the loss takes, in the predictions' dtype except for indices."""
        if isinstance(targets, Dense):
            return np.asarray(targets.t, x.dtype)
        if self.settings.encoding == "indices":
            return targets.index.astype(np.int64)
        t = np.full(x.shape, targets.off, x.dtype)
        np.put_along_axis(t, targets.index[:, None].astype(np.int64), x.dtype.type(targets.on), axis=1)
        return t

    def __call__(
        self, x: Array, targets: Targets, extras: Extras, gradient: bool, parameters: Mapping[str, float | None]
    ) -> Values:
        """Return losses, (n,) or (n, k), and the gradient by the predictions as they are in the file, or None.

        Raises
        ------
        DataError
            if the code fails, or returns something else than losses.
        """
        t = self.targets(targets, x)
        x, kind, back = self.wanted(x, extras.prediction_kind)
        function = self.function(parameters, kind)
        with self.foreign():
            evaluate = self.evaluate if extras.whole is None else self.evaluate_whole
            values, slopes = evaluate(function, x, t, gradient, kind == "probs")
        if slopes is not None and np.isnan(slopes).all() and slopes.size:
            raise DataError(
                f"{self.found.where}: {self.framework.name} knows no gradient of it: it leaves the framework's own arrays "
                "(.numpy(), .item(), detach) on its way; leave out --gradient"
            )
        return values, None if slopes is None else back(np.asarray(slopes, x.dtype))

    def wanted(self, x: Array, prediction_kind: str) -> tuple[Array, str, Callable[[Array], Array]]:
        """Return predictions as the loss wants them, their kind, and the way back for their gradient."""
        wanted = self.settings.wants
        if wanted in (None, EITHER, prediction_kind):
            return x, prediction_kind, lambda s: s
        new_predictions, back = converted(x, prediction_kind, str(wanted))
        return new_predictions, str(wanted), back

    def evaluate(
        self, function: Callable[[Any, Any], Any], x: Array, t: Array, gradient: bool, probs: bool
    ) -> tuple[Array, Array | None]:
        """Return the losses of rows, from a single call or, if a call returns one number
        for all, from one call per row.
        """
        pieces = [slice(i, i + 1) for i in range(len(x))] if self.settings.returns == ONE else [slice(0, len(x))]
        losses, slopes = [], []
        for rows in pieces:
            if gradient:
                value, slope = self.framework.gradient(function, x[rows], t[rows], probs)
                slopes.append(slope)
            else:
                value = function(self.framework.array(x[rows].copy()), self.framework.array(t[rows].copy()))
            losses.append(self.shaped(self.numbers(value), x[rows]))
        if not losses:
            return np.zeros(0, x.dtype), np.zeros_like(x) if gradient else None
        return np.concatenate(losses), np.concatenate(slopes) if gradient else None

    def evaluate_whole(
        self, function: Callable[[Any, Any], Any], x: Array, t: Array, gradient: bool, probs: bool
    ) -> tuple[Array, Array | None]:
        """Return the losses of a single call with all rows, shape (1,), (n,) or (n, k), and the gradient of their sum.

        Raises
        ------
        DataError
            if NumPy has to make differences for too many elements.
        """
        if not gradient:
            return self.of_all(function(self.framework.array(x.copy()), self.framework.array(t.copy())), x), None
        if not isinstance(self.framework, NumPy):
            value, slopes = self.framework.gradient(function, x, t, probs)
        elif x.size > MOST_DIFFERENCES:
            raise DataError(
                f"{self.found.where}: its gradient is made of differences, for which it would be called twice for each of "
                f"{x.size:,} elements; the limit is {MOST_DIFFERENCES:,}: write it in torch or JAX, or leave out --gradient"
            )
        else:
            value, slopes = self.framework.gradient_of_all(function, x, t, probs)
        return self.of_all(value, x), slopes

    def of_all(self, returned: Any, x: Array) -> Array:
        """Return the result of a call with all rows as an array: (1,), or as `shaped` does."""
        numbers = self.numbers(returned)
        return numbers.reshape(1) if numbers.size == 1 else self.shaped(numbers, x)

    def shaped(self, values: Array, x: Array) -> Array:
        """Return the result of a call for n rows in the shape (n,) or (n, k)."""
        rows = len(x)
        if values.size == rows:
            return values.reshape(rows)
        if values.shape == x.shape:
            return values
        raise CallError(
            f"{self.found.where}: returned shape {values.shape} for predictions {x.shape}; a loss returns one number a "
            "row, one for each output, or one for all"
        )


def values_of(found: Found, parameters: Mapping[str, float | None]) -> dict[str, Any]:
    """Return the parameters with which a loss is called.

    Raises
    ------
    UsageError
        if a parameter has neither a default nor a value.
    """
    absent = next((name for name in found.required if parameters.get(name) is None), None)
    if absent is not None:
        others = [name for name in found.required if name != absent and parameters.get(name) is None]
        usual = ":".join(f"{name}={USUAL.get(name, 'X')}" for name in (absent, *others))
        raise UsageError(
            f"{found.where}: needs {listing([absent, *others])}, without a default: write {found.where}:{usual}, or, in compute, "
            f"--{absent.replace('_', '-')} {USUAL.get(absent, 'X')}"
        )
    return {name: _as_declared(value, found.parameters[name]) for name, value in parameters.items()}


def _as_declared(value: float | None, default: float | None) -> Any:
    """Return a parameter as a whole number if its default is one, or it has none and the value is one, as a number of classes."""
    whole = default is None or (isinstance(default, int) and not isinstance(default, bool))
    return int(value) if whole and value is not None and float(value).is_integer() else value


def converted(x: Array, prediction_kind: str, wanted: str) -> tuple[Array, Callable[[Array], Array]]:
    """Convert predictions of one kind into another.

    Returns them, and a function that turns the gradient by them into the gradient by the original predictions. Rows of several columns are
    of classes; arrays of more axes have an outcome in each place.
    """
    chance: Probability
    if x.ndim != 2 or x.shape[1] == 1:
        chance = OF_OUTCOMES[prediction_kind](x)
        new_predictions = {"probs": chance.p, "log-probs": chance.l, "logits": chance.l - Opposite(chance).l}[wanted]
        # d p / d (old predictions), then d (new predictions) / d p.
        by_p = {"logits": chance.p * chance.q, "probs": np.ones_like(x), "log-probs": chance.p}[prediction_kind]
        with np.errstate(all="ignore"):
            of_p = {"probs": np.ones_like(x), "log-probs": 1 / chance.p, "logits": 1 / (chance.p * chance.q)}[wanted]
        return np.asarray(new_predictions, x.dtype), lambda s: s * by_p * of_p
    chance = MAKERS[prediction_kind](x)
    new_predictions = {"probs": chance.p, "log-probs": chance.l, "logits": chance.l}[wanted]

    def back(s: Array) -> Array:
        with np.errstate(all="ignore"):
            if prediction_kind == "logits":
                return through_softmax(s * (chance.p if wanted == "probs" else 1), chance)
            of_p = s if wanted == "probs" else s / chance.p
        return of_p if prediction_kind == "probs" else of_p * chance.p

    return np.asarray(new_predictions, x.dtype), back


def lift(loss: BoundLoss, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
    """Return the loss of each row: the result of the file's function, or its mean or sum over the outputs of a row."""
    own: Custom = loss.declaration.core.own  # type: ignore[attr-defined]
    if extras.whole is not None:
        return _of_file(loss, own, predictions, extras, extras.whole, gradient)
    values, slopes = own(predictions, targets, extras, gradient, loss.parameters)
    if own.settings.apart:
        return values.astype(predictions.dtype), slopes
    values, scale = _over_elements(loss, values)
    return values.astype(predictions.dtype), None if slopes is None else slopes / scale


def _over_elements(loss: BoundLoss, values: Array) -> tuple[Array, int]:
    """Return one number per row of a result, and the number of outputs by which their sum was divided."""
    if values.ndim != 2:
        return values, 1
    scale = values.shape[1] if loss.family.name == NUMBERS.name else 1
    return values.astype(np.float64).sum(axis=1) / scale, scale


def _of_file(loss: BoundLoss, own: Custom, predictions: Array, extras: Extras, whole: Whole, gradient: bool) -> Values:
    """Return the one loss of all rows, shape (1,), and its gradient, shape (1, n) or (1, n * k).

    Raises
    ------
    DataError
        if the loss is NaN.
    """
    x = predictions.reshape(whole.shape)
    values, slopes = own(x, whole.targets, extras, gradient, loss.parameters)
    values, scale = (values.reshape(-1), 1) if own.settings.shape else _over_elements(loss, values)
    if values.size > 1 and whole.over_positions == "mean":
        scale *= len(values)
        values = values / len(values)
    value = math.fsum(values.tolist()) if np.isfinite(values).all() else float(values.sum())
    if math.isnan(value):
        raise DataError(f"{loss.name}: the loss of all {len(x):,} rows together is NaN; look at what it divides by")
    slopes = None if slopes is None else np.asarray(slopes / scale, predictions.dtype).reshape(1, -1)
    return np.array([value]).astype(predictions.dtype), slopes


def _residual(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x, Dense(np.zeros_like(x)), Extras()


def _positive(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x, Dense(np.ones_like(x)), Extras()


def _classes(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, np.zeros_like(x)], axis=1), Indices(np.zeros(len(x), np.int64)), Extras()


def _probability(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return x, Dense(np.ones_like(x)), Extras("probs")


def _class_probability(x: Array) -> tuple[Array, Targets, Extras]:
    """Return predictions, targets and extras at the points x of a drawn curve."""
    return np.stack([x, 1 - x], axis=1), Indices(np.zeros(len(x), np.int64)), Extras("probs")


RESIDUAL = Axis("r", "residual r = prediction - target", (-4.0, 4.0), _residual, shared=SHARED["residual"])
LOGIT = Axis(
    "z", "logit z of the positive outcome, which is the true one", (-6.0, 6.0), _positive, shared=SHARED["logit"]
)
MARGIN = Axis("m", "margin m = target x score", (-3.0, 3.0), _positive, shared=SHARED["margin"])
OF_TWO = Axis(
    "z",
    "logit z of the true class; that of the other one is 0",
    (-6.0, 6.0),
    _classes,
    along=(1.0, 0.0),
    own=False,
    shared=SHARED["logit"],
)

PROBABILITY = Axis(
    "p",
    "probability p of the positive outcome, with t = 1",
    (0.0, 1.0),
    _probability,
    domain=FRACTION,
    own=False,
    shared=SHARED["probability"],
)
PROBABILITY_OF_TWO = Axis(
    "p",
    "probability p of the true class, of two",
    (0.0, 1.0),
    _class_probability,
    along=(1.0, -1.0),
    domain=FRACTION,
    own=False,
    shared=SHARED["probability"],
)


def _family(name: str, target_type: TargetType, targets: str, **more: Any) -> Family:
    """Return a family of losses in Python files."""
    return Family(
        name=name,
        lift=lift,
        summary="losses of a file of Python",
        variables={"x": "predictions", "t": "targets"},
        value="what its function returns",
        gradient="by its framework's own autograd, or by differences",
        targets=targets,
        target_type=target_type,
        several_outputs=False,
        takes_from=True,
        custom=True,
        **more,
    )


CLASSES = _family(
    "own-classes",
    "classes",
    "class indices or names, one per row; or one-hot or soft rows",
    axes={"logit": OF_TWO, "probability": PROBABILITY_OF_TWO},
    smoothing="uniform",
    takes_class_weight=True,
)
OUTCOMES = _family(
    "own-outcomes",
    "outcomes",
    "two names, or 0 and 1",
    axes={"logit": LOGIT, "probability": PROBABILITY, "margin": MARGIN},
    smoothing="half",
)
NUMBERS = _family(
    "own-numbers",
    "numbers",
    "numbers in the shape of the predictions",
    axes={"residual": RESIDUAL},
)
FAMILIES = {family.name: family for family in (CLASSES, OUTCOMES, NUMBERS)}
OF_PROBABILITIES = {
    family.name: replace(family, axes={"probability": family.axes["probability"], **family.axes})
    for family in (CLASSES, OUTCOMES)
}
"""The same families as they are drawn where a loss takes probabilities: first over these."""
SCORES = replace(OUTCOMES, axes={"margin": MARGIN})
"""Losses of scores around 0, as they are drawn."""
OF_FILES = {name: replace(family, coupled="file") for name, family in FAMILIES.items()}
"""The same families where a loss is called once with the whole file."""
OF_FILES[NUMBERS.name] = replace(OF_FILES[NUMBERS.name], lists=True)
OF_ELEMENTS = replace(NUMBERS, several_outputs=True)
"""Losses of numbers where each element of a row has a loss of its own."""
OF_ROWS = (None, "position", "sample", "row")
"""Values of --per with which each row has its own loss."""


def core_of(own: Custom) -> Callable[..., Any]:
    """Return a core whose parameters are those of a loss of a file."""

    def core(*operands: Any, **parameters: float | None) -> Any:
        raise AssertionError("losses of files are run by their lift")

    found = own.found
    kinds = {
        name: Annotated[float, REAL, f"parameter {name} of the file's own"]
        if default is not None
        else Annotated[float, REAL, f"parameter {name} of the file's own"] | None
        for name, default in found.parameters.items()
    }
    vars(core)["__signature__"] = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kinds[name])
            for name, default in found.parameters.items()
        ]
    )
    core.__annotations__ = kinds
    vars(core)["own"] = own
    return core


def of_object(found: Any) -> Loss:
    """Return the loss that a function, a class or an object of Python is, such as one in a cell of a notebook.

    Raises
    ------
    UsageError
        if it is no loss.
    """
    name = getattr(found, "__name__", None) or type(found).__name__
    try:
        file = inspect.getsourcefile(inspect.unwrap(found)) or name
    except TypeError:  # an object, or what was typed at a prompt
        file = name
    described = recognised(name, file, found)
    return declared(described, Settings(bool(described.targets_first), described.wants, "numbers"), CLASSES)


def load(text: str) -> Loss:
    """Return the loss of path/to/file.py:name, or of the name under which a package registers it.

    Raises
    ------
    UsageError
        if there is no such loss.
    DataError
        if the file cannot be used.
    """
    return _loaded(text, stamp(text.rpartition(".py:")[0] + ".py"))


@lru_cache(maxsize=64)
def _loaded(text: str, stamp: str) -> Loss:
    """Return the loss for the present state of a file, which `stamp` identifies.

    Raises
    ------
    UsageError, DataError
        as `read` does.
    """
    found = read(text)
    if found.loss is not None:
        return found.loss
    return declared(found, Settings(bool(found.targets_first), found.wants, "numbers"), CLASSES)


def remade(
    where: str, settings: Settings, family: str, parameters: Mapping[str, float | None], sha256: str | None = None
) -> BoundLoss:
    """Return a loss that was resolved in another process.

    Raises
    ------
    DataError
        if its file is not there, or another one: its SHA-256 is not `sha256`.
    """
    if sha256 is not None:
        check_same(where.rpartition(".py:")[0] + ".py", sha256)
    return BoundLoss(declared(read(where), settings, FAMILIES[family]), parameters)


def declared(found: Found, settings: Settings, family: Family) -> Loss:
    """Return the declaration of a loss of a file, in one of the families above."""
    own = Custom(found, settings)
    of_rows = OF_ELEMENTS if settings.apart else family
    known, match = stamp(found.file), re.fullmatch(NAMED, found.where)
    sha256 = digest(found.file, known) if known else None
    of_path = sha256 if match else None
    where = f"{os.path.abspath(match['path'])}:{match['name']}" if match else found.where
    return Loss(
        name=found.where,
        family=OF_FILES[family.name] if settings.whole else of_rows,
        core=core_of(own),
        formula="",
        definition=found.kind + (f", called with ({', '.join(found.operands)})" if found.operands[0] else ""),
        slope="",
        summary=found.summary or f"{found.kind[0].upper()}{found.kind[1:]}.",
        aliases=(),
        source=found.file,
        where={},
        special=(),
        relations=(),
        sparse=False,
        linear=False,
        whole=False,
        wide=lambda parameters: False,
        breaks=lambda parameters: {},
        domains=lambda parameters: Domains(),
        baseline=None,
        statistics={},
        resolve=resolve,
        drawn=drawn,
        code={"file": found.file} | ({"sha256": sha256} if sha256 else {}),
        remake=lambda parameters: (remade, (where, settings, family.name, dict(parameters), of_path)),
    )


def resolve(bound: BoundLoss, request: "Request", dataset: "Dataset", notes: list[str]) -> BoundLoss:
    """Return the loss for some files: the meaning of its operands is settled by their names, by options, and by trying.

    Raises
    ------
    UsageError
        if names and options do not say which operand is which, or --per asks for what such a loss does not have.
    DataError
        if it takes targets in no form.
    """
    if request.per not in (*OF_ROWS, "file"):
        raise UsageError(
            f"--per {request.per}: {bound.name} has one loss for each row (--per sample), or one for all rows together (--per file)"
        )
    own: Custom = bound.declaration.core.own  # type: ignore[attr-defined]
    family, row, k = _family_of(request, dataset), _row(request, dataset), _width(request, dataset)
    found = completed(own.found, values_of(own.found, bound.parameters))
    settings = _called(found, bound.parameters, request, family, row, dataset)
    if family is NUMBERS and k > 1 and settings.wants not in (None, EITHER, request.prediction_kind):
        raise UsageError(
            f"{found.where}: wants {settings.wants}, and {request.prediction_kind} are given: rows of {k} targets do not say whether "
            f"they are classes or outputs of their own, which decides how to convert them; give {settings.wants} with --from "
            f"{settings.wants}, or one label per row"
        )
    concluded = described(found, settings, request.prediction_kind)
    notes.append(concluded)
    return BoundLoss(replace(declared(found, settings, family), definition=concluded), bound.parameters)


def _called(
    found: Found,
    parameters: Mapping[str, float | None],
    request: "Request",
    family: Family,
    row: tuple[int, ...],
    dataset: "Dataset",
) -> Settings:
    """Return how a loss is to be called with the rows of some files, with the whole file, or with its elements.

    Raises
    ------
    UsageError, DataError
        as `resolve` does.
    """

    def tried_with(row: tuple[int, ...]) -> Settings:
        return settled(found, parameters, request, family, row, dataset.predictions.dtype)

    shape = dataset.predictions.shape
    of_elements = family is NUMBERS and len(shape) > 1 and dataset.mask is not None and dataset.mask.shape == shape
    if request.per != "file":
        settings = tried_with(row)
        of_rows = len(row) == 1 and request.per != "position"
        return replace(settings, apart=of_elements and of_rows and settings.returns == ELEMENTS)
    if of_elements:
        return replace(tried_with(()), whole=True, flat=True)
    some_left_out = dataset.mask is not None or request.shift or request.ignore_index is not None
    if family is not CLASSES and len(shape) > 2 and min(shape) > 0 and request.class_axis is None and not some_left_out:
        try:
            settings = tried_with(tuple(min(length, PROBED_LENGTH) for length in shape[1:]))
            return replace(settings, whole=True, shape=shape)
        except CallError:  # it may take one axis only
            pass
    return replace(tried_with(row), whole=True)


def _family_of(request: "Request", dataset: "Dataset") -> Family:
    """Return what the targets of some files are: classes, outcomes or numbers."""
    k, one_each = _width(request, dataset), _is_one_each(request, dataset)
    if k > 1 and (one_each or request.label_smoothing or request.class_weight or request.targets_from):
        return CLASSES
    if k == 1 and (request.label_smoothing or request.targets_from or (one_each and _is_text(dataset))):
        return OUTCOMES
    return NUMBERS


def _row(request: "Request", dataset: "Dataset") -> tuple[int, ...]:
    """Return the shape of one row of predictions: () for one number, or (k,) for k columns or classes of a position."""
    shape, k = dataset.predictions.shape, _width(request, dataset)
    if len(shape) > 2:
        return () if request.class_axis is None else (k,)
    targets_shape = None if dataset.targets is None else dataset.targets.shape
    squeezed = k == 1 and (
        len(shape) == 1 or (_is_one_each(request, dataset) and targets_shape != shape)
    )  # (n, 1) to (n,)
    return () if squeezed else (k,)


def _width(request: "Request", dataset: "Dataset") -> int:
    """Return the number of columns of the predictions, or of classes of a position; 1 for one number per row."""
    shape, axis = dataset.predictions.shape, request.class_axis
    if len(shape) > 2 and axis is not None and -len(shape) <= axis < len(shape):
        return shape[axis]
    return shape[1] if len(shape) == 2 else 1


def _is_one_each(request: "Request", dataset: "Dataset") -> bool:
    """Whether a file of targets has one per row, or per position where an axis holds the classes."""
    if dataset.targets is None:
        return False
    shape, whole = dataset.targets.shape, dataset.predictions.shape
    if len(whole) > 2 and request.class_axis is not None:
        return len(shape) == len(whole) - 1
    return len(shape) == 1 or shape[1] == 1


def _is_text(dataset: "Dataset") -> bool:
    """Whether targets are a column of words."""
    return dataset.targets is not None and len(dataset.targets.shape) == 1 and dataset.targets.is_words


class UndecidedError(UsageError):
    """It is not known how a loss is called, so that its axis is not known.

    `where` is its text, `options` what would say it, of 'operands' and 'takes'.
    """

    def __init__(self, where: str, fact: str, cure: str, options: tuple[str, ...]) -> None:
        self.where, self.unsaid, self.options = where, fact, options
        super().__init__(f"{where}: {fact}; {cure}")

    @classmethod
    def of_kind(cls, found: Found) -> "UndecidedError":
        """Return the error about a loss that may take logits or probabilities."""
        fact = f"its operands' names ({', '.join(found.operands)}) do not say whether it takes logits or probabilities"
        return cls(found.where, fact, "the axis depends on it: say --takes logits or --takes probs", ("takes",))


def drawn(bound: BoundLoss, operands: str | None = None, takes: str | None = None) -> BoundLoss:
    """Return the loss to draw as a curve, without files: of one number per row if possible, else of two classes.

    Parameters
    ----------
    operands, takes
        as in a request: the order of its operands, and the kind of predictions that it takes.

    Raises
    ------
    UndecidedError
        if it depends on more than a difference, and nothing says whether it takes logits or probabilities.
    UsageError, DataError
        as `resolve` does.
    """
    from losscli.definition.request import Request

    own: Custom = bound.declaration.core.own  # type: ignore[attr-defined]
    found = completed(own.found, values_of(own.found, bound.parameters))
    if found.targets_first is None and operands is None:
        fact = f"its operands' names ({', '.join(found.operands)}) do not say which are the targets"
        cure = "say --operands predictions,targets or --operands targets,predictions"
        unsaid = ("operands",) if takes or found.wants else ("operands", "takes")
        raise UndecidedError(found.where, fact, cure, unsaid)
    request = Request(bound, "", "", operands=operands, takes=takes)
    wants = takes or found.wants
    if wants is None:
        return _drawn_of_numbers(bound, found, request)
    first = OF_PROBABILITIES if wants in ("probs", "log-probs") else FAMILIES
    families = [(first[OUTCOMES.name], ()), (first[CLASSES.name], (2,))]
    errors = []
    for family, row in families:
        try:
            bound_to_family = _bound_to(bound, found, request, family, row)
            varies = _varies(bound_to_family)
        except DataError as error:
            errors.append(error)
            continue
        if varies:
            return _not_coupled(bound_to_family)
    if errors:
        raise errors[-1]
    raise DataError(
        f"{found.where}: is the same number at every point of {' and '.join(families[0][0].axes)}: no curve"
    )


def _drawn_of_numbers(bound: BoundLoss, found: Found, request: "Request") -> BoundLoss:
    """Return a loss to draw whose predictions are neither logits nor probabilities: of a difference, or of a score.

    Raises
    ------
    UndecidedError
        if it is neither.
    """
    from losscli.losses import find

    likely = guessed(found.where, columns=False)
    if likely is not None and find(likely).family.target_type == "signs":
        return _not_coupled(_bound_to(bound, found, request, SCORES, ()))
    try:
        of_numbers = _bound_to(bound, found, request, NUMBERS, ())
    except CallError:  # it takes columns of classes only
        raise UndecidedError.of_kind(found) from None
    if not _is_of_differences(of_numbers):
        raise UndecidedError.of_kind(found)
    return _not_coupled(of_numbers)


def _bound_to(bound: BoundLoss, found: Found, request: "Request", family: Family, row: tuple[int, ...]) -> BoundLoss:
    """Return a loss of one of the families, called as it was found to be called."""
    settings = settled(found, bound.parameters, request, family, row, np.dtype(np.float64))
    definition = described(found, settings, request.prediction_kind)
    return BoundLoss(replace(declared(found, settings, family), definition=definition), bound.parameters)


def _not_coupled(bound: BoundLoss) -> BoundLoss:
    """Return a loss that does not couple rows; raise a DataError if it does."""
    from losscli.custom.coupling import refuse_to_draw  # which knows how losses are called from here

    refuse_to_draw(bound)
    return bound


def _is_of_differences(bound: BoundLoss) -> bool:
    """Whether a loss depends on the difference of prediction and target, and on nothing else, so that it is a function of the
    residual.
    """
    x, t = np.array([0.3, -1.2, 2.5, 0.7, 0.4]), np.array([0.0, 1.0, 0.0, 1.0, 0.5])
    losses = [bound(x + moved, Dense(t + moved), Extras())[0] for moved in (0.0, 1.0, -2.5)]
    same = all(np.allclose(losses[0], other, rtol=1e-6, atol=1e-9, equal_nan=True) for other in losses[1:])
    return same and not np.allclose(losses[0], losses[0][0], equal_nan=True)


def _varies(bound: BoundLoss) -> bool:
    """Whether a loss is finite somewhere and not constant; a softmax loss of one column, for example, is always 0."""
    axis = next(iter(bound.family.axes.values()))
    values = bound(*axis.place(np.linspace(*axis.span, 9)))[0]
    finite = values[np.isfinite(values)]
    return bool(len(finite) and finite.min() < finite.max())


def settled(
    found: Found,
    parameters: Mapping[str, float | None],
    request: "Request",
    family: Family,
    row: tuple[int, ...],
    dtype: "np.dtype[Any]",
) -> Settings:
    """Return how a loss is to be called, after it was tried on a few rows of shape `row`.

    Raises
    ------
    UsageError, DataError
        as `resolve` does.
    """
    first = found.targets_first if request.operands is None else ORDERS[request.operands]
    if first is None:
        raise UsageError(
            f"{found.where}: which of its operands ({', '.join(found.operands)}) are the targets? Say --operands "
            "predictions,targets or --operands targets,predictions, or call them y_true and y_pred"
        )
    wants = found.wants if request.takes is None else request.takes
    encodings = (
        ("numbers",)
        if family is not CLASSES
        else ("one-hot",)
        if request.label_smoothing or request.targets_from
        else ("one-hot", "indices")
    )
    wide = np.dtype(np.float64 if dtype.itemsize > 4 or dtype.kind != "f" else np.float32)
    errors = []
    for encoding in encodings:
        settings = Settings(first, wants, encoding)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # frameworks warn about the shapes that are tried
                returns = _returns(Custom(found, settings), parameters, request.prediction_kind, family, row, wide)
            return replace(settings, returns=returns)
        except CallError as error:
            errors.append(str(error))
    if (request.label_smoothing or request.targets_from) and family is CLASSES:
        option = "--label-smoothing" if request.label_smoothing else "--targets-from"
        raise CallError(f"{errors[0]}; {option} makes rows of targets, and it takes none")
    raise CallError(f"{errors[1]}; with one-hot rows: {errors[0]}" if len(set(errors)) == 2 else errors[0])


def _returns(
    own: Custom,
    parameters: Mapping[str, float | None],
    prediction_kind: str,
    family: Family,
    row: tuple[int, ...],
    dtype: "np.dtype[Any]",
) -> str:
    """Return whether a loss makes one number per row, one per element, or one for all rows: ROWS, ELEMENTS or ONE.

    Raises
    ------
    DataError
        if it makes something else.
    """
    k = row[0] if row else 1
    rows = k + PROBED
    x = np.linspace(0.2, 0.8, rows * math.prod(row)).astype(dtype).reshape(rows, *row)
    if prediction_kind == "log-probs":
        x = np.log(x)
    targets: Targets = Indices(np.arange(rows) % k)
    if family is not CLASSES:
        targets = Dense((np.arange(x.size).reshape(x.shape) % 2).astype(dtype))
    t = own.targets(targets, x)
    x, kind, _ = own.wanted(x, prediction_kind)
    function = own.function(parameters, kind)
    with own.foreign():
        value = own.numbers(function(own.framework.array(x), own.framework.array(t)))
    if value.size in (1, rows):
        return ONE if value.size == 1 else ROWS
    if value.shape == x.shape:
        return ELEMENTS
    raise CallError(
        f"{own.found.where}: returned shape {value.shape} for predictions {x.shape} and targets {t.shape}; a loss returns "
        "one number per row, one for each output, or one for all"
    )


def described(found: Found, settings: Settings, prediction_kind: str) -> str:
    """Return in words how a loss will be called, for the user to see."""
    order = "targets first" if settings.targets_first else "predictions first"
    forms = {"one-hot": "one-hot rows", "indices": "class indices", "numbers": "numbers"}
    as_they_are = "predictions as they are" + ("" if settings.encoding == "numbers" else f" ({prediction_kind})")
    wanted = {None: as_they_are, EITHER: f"from_logits={prediction_kind == 'logits'}"}.get(
        settings.wants,
        f"{settings.wants} wanted" + ("" if settings.wants == prediction_kind else f", made of {prediction_kind}"),
    )
    returned = {
        ROWS: "",
        ELEMENTS: f"; {ELEMENTS}, of which a row has the {'mean' if settings.encoding == 'numbers' else 'sum'}",
        ONE: f"; it returns {ONE}, so each row is a call of its own: a number for each row is many times as fast",
    }[settings.returns]
    if settings.whole:
        all_of_them = "all rows"
        if settings.flat:
            all_of_them = "the elements that exist, in one axis"
        elif settings.shape is not None:
            all_of_them = f"all of the file, in its shape {settings.shape}"
        returned = f"; called once with {all_of_them}; it returns {settings.returns}"
    return (
        f"{found.where}: {found.kind} of ({', '.join(found.operands)}): {order}, {wanted}, targets as "
        f"{forms[settings.encoding]}{returned}"
    )
