"""One calculation: from what was asked for to a job that can run, and from its partial to a result.

This is what every command that computes losses of files calls; it knows nothing of the command line.
"""

import math
import operator
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.baseline import Answer
from losscli.core import Array, BoundLoss, Extras, Indices
from losscli.errors import DataError, UsageError, count, did_you_mean, listing
from losscli.io.operands import Opener, Operand, whole
from losscli.io.roles import Columns, Roles, assign
from losscli.io.sources import Reshaped, Source, blocks
from losscli.io.tables import is_finite_number
from losscli.reduce import PERCENTILES, REDUCTIONS, SKETCH_ERROR, Partial
from losscli.run import Chunk, Job, baseline, compute_dtype, evaluate, raise_faults, reduced
from losscli.targets import Plan, Smoothing, by_class, by_name, check_rows, named_numbers, plan

if TYPE_CHECKING:
    from losscli.io.tables import TextColumn

STATISTICS = (
    "value",
    "mean",
    "std",
    "min",
    "max",
    *(f"p{percent}" for percent in PERCENTILES),
    "samples",
    "ignored",
)
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Request:
    """What is asked for: operands and options as typed. The options mean what `docs/cli` and `--help` say."""

    loss: BoundLoss
    predictions: str
    targets: str
    given: str = "logits"
    label_smoothing: float = 0.0
    smoothing_mode: str | None = None
    ignore_index: str | None = None
    sample_weight: str | None = None
    class_weight: str | None = None
    pos_weight: str | None = None
    reduction: str = "mean"
    over_outputs: str = "mean"
    centers: str | None = None
    id: str | None = None
    columns: str | None = None
    header: bool | None = None


@dataclass(frozen=True)
class Requirement:
    """'STAT OP NUMBER'. NaN meets nothing, and neither does a statistic that there is none of."""

    text: str
    statistic: str
    comparison: str
    limit: float

    @classmethod
    def parse(cls, text: str) -> "Requirement":
        found = re.fullmatch(r"\s*([\w-]+)\s*(<=|>=|==|<|>)\s*(\S+)\s*", text)
        if not found and re.fullmatch(r"[^<>=]+=[^=]+", text):
            raise UsageError(f"--require {text!r}: equality is ==")
        if not found:
            raise UsageError(f"--require {text!r} is not 'STAT OP NUMBER', as in --require 'mean <= 0.35'")
        statistic, comparison, number = found.groups()
        if statistic not in STATISTICS:
            raise UsageError(
                f"--require {text!r}: no statistic {statistic!r}{did_you_mean(statistic, STATISTICS)}; there are {listing(STATISTICS)}"
            )
        try:
            limit = float(number)
        except ValueError:
            raise UsageError(f"--require {text!r}: {number!r} is not a number") from None
        if math.isnan(limit):
            raise UsageError(f"--require {text!r}: nothing can be compared with NaN")
        return cls(" ".join((statistic, comparison, number)), statistic, comparison, limit)

    def met(self, actual: float | None) -> bool:
        return actual is not None and COMPARISONS[self.comparison](actual, self.limit)


@dataclass
class Result:
    """What a calculation found: the number, how it came about, and everything it depends on."""

    loss: str
    parameters: Mapping[str, float | None]
    value: float | None
    reduction: str
    numerator: float
    denominator: float | None
    samples: int
    ignored: int
    summary: dict[str, float]
    baseline: Answer | None
    requirements: list[dict[str, Any]]
    receipt: dict[str, Any]
    signature: str

    def statistic(self, name: str) -> float | None:
        """A statistic by the name that --require calls it."""
        if name in self.summary:
            return self.summary[name]
        found: float | None = getattr(self, name)
        return found

    def require(self, requirements: list[Requirement]) -> bool:
        """Evaluate all requirements; True if all are met."""
        for requirement in requirements:
            actual = self.statistic(requirement.statistic)
            self.requirements.append({"require": requirement.text, "met": requirement.met(actual), "actual": actual})
        return all(entry["met"] for entry in self.requirements)


@dataclass
class Calculation:
    """A job with the names of its rows and classes, and what to tell the user about it."""

    request: Request
    job: Job
    plan: Plan
    ids: "TextColumn | None"
    notes: list[str]
    given_shape: tuple[int, ...]
    """The predictions' shape in their file; a gradient has it, whatever was squeezed."""
    files: frozenset[str]
    """Real paths of all files that are read: no output may replace them."""
    receipt: dict[str, Any] = field(default_factory=dict)

    def run(self, consume: Callable[[Chunk], None] = lambda chunk: None) -> Result:
        """Evaluate all rows; `consume` gets the chunks in order.

        Raises
        ------
        DataError
            for rows without a loss, such as those with a NaN prediction, after all rows were looked at.
        """
        partial = evaluate(self.job, consume)
        raise_faults(self.job, partial.faults)
        if self.request.ignore_index is not None and not partial.ignored:
            self.notes.append(f"--ignore-index {self.request.ignore_index}: no row has this label")
        if partial.samples > 1 and partial.looks_like_probs:
            self._warn_of_probabilities()
        return self._result(partial)

    def _warn_of_probabilities(self) -> None:
        family = self.job.loss.loss.family
        if family.takes_from and self.request.given == "logits":
            rows = " and every row sums to 1" if not family.several_outputs else ""
            self.notes.append(
                f"warning: {self.job.predictions.name}: all predictions lie in [0, 1]{rows}: are they probabilities? "
                "They were taken for logits; if they are not, say --from probs"
            )
        elif family.name == "margin":
            self.notes.append(
                f"warning: {self.job.predictions.name}: all scores lie in [0, 1]: are they probabilities? "
                f"{self.job.loss.loss.name} takes scores whose sign is the prediction"
            )

    @np.errstate(all="ignore")  # statistics of infinite losses are what they are
    def _result(self, partial: Partial) -> Result:
        reduction = REDUCTIONS[self.request.reduction]
        value, numerator, denominator = reduced(self.job, partial, reduction)
        unreduced = reduction.denominator is None
        spread = partial.losses
        summary = {"mean": partial.mean, "std": spread.std, "min": spread.least}
        summary |= {
            f"p{percent}": at for percent, at in zip(PERCENTILES, partial.quantiles.at(PERCENTILES), strict=True)
        }
        summary["max"] = spread.most
        receipt = self.receipt | {
            "percentiles": "exact" if partial.quantiles.exact else f"histogram, relative error <= {SKETCH_ERROR:g}"
        }
        return Result(
            self.job.loss.loss.name,
            self.job.loss.parameters,
            None if unreduced else value,
            reduction.name,
            numerator,
            None if unreduced else denominator,
            partial.samples,
            partial.ignored,
            summary,
            baseline(self.job, partial, reduction.name, value),
            [],
            receipt,
            signature(receipt),
        )


def prepare(request: Request, *, rows: bool = False, elements: bool = False, gradient: bool = False) -> Calculation:
    """Open the files, check them against each other, and read the targets.

    Parameters
    ----------
    rows, elements, gradient
        whether the chunks shall carry per-sample losses, each output's loss, and gradients.

    Raises
    ------
    UsageError
        for options that do not go together.
    DataError
        for files that cannot be used.
    """
    opener = Opener(request.header)
    predictions = opener.open(request.predictions, "predictions")
    constant = _constant(request)
    targets = None if constant is not None else opener.open(request.targets, "targets")
    weights = None if request.sample_weight is None else opener.open(request.sample_weight, "--sample-weight")
    roles = assign(predictions, targets, weights, request.id, request.columns)
    notes = list(roles.notes)
    family, name = request.loss.loss.family, request.loss.loss.name
    source = _predictions(request, roles, notes)
    centers, class_names = _centers(request, opener, source, notes) if family.takes_centers else (None, None)
    several = family.several_outputs and len(source.shape) == 2
    if elements and not several:
        raise UsageError(
            f"--elements: {name} of predictions of shape {source.shape} has one loss a sample; leave it out"
        )
    if centers is not None:
        k = len(centers)
    elif len(source.shape) == 2:
        k, class_names = source.shape[1], source.columns
    else:
        k = 2
    wanted: Columns | float = constant if constant is not None else roles.targets  # type: ignore[assignment]
    made = plan(family, name, source, wanted, class_names, k, request.ignore_index)
    if request.label_smoothing:
        made.form = _smooth(request, made, k, notes)
    dtype = compute_dtype(family, source.dtype, made.source.dtype, constant is not None)
    class_weights, output_weights = _class_weights(request, opener, made, k, several)
    job = Job(
        request.loss,
        source,
        made.source,
        made.form,
        dtype,
        Extras(
            request.given,
            _pos_weight(request, source, several),
            None if centers is None else centers.astype(dtype),
        ),
        _sample_weights(roles, source, notes),
        class_weights,
        output_weights,
        request.over_outputs,
        rows,
        elements,
        gradient,
    )
    shape = roles.predictions.shape
    calculation = Calculation(request, job, made, roles.ids, notes + made.notes, shape, frozenset(opener.paths))
    calculation.receipt = _receipt(calculation, several)
    return calculation


def _constant(request: Request) -> float | None:
    text = request.targets
    if os.path.exists(text) or not is_finite_number(text):
        return None
    if request.loss.loss.family.reads != "numbers":
        raise DataError(f"{text}: no such file, and {request.loss.loss.name} takes no constant for targets")
    if request.ignore_index is not None:
        raise UsageError("--ignore-index: the targets are one constant, so no label marks a row")
    return float(text)


def _predictions(request: Request, roles: Roles, notes: list[str]) -> Source:
    """The predictions, of a shape that the family takes."""
    family, name = request.loss.loss.family, request.loss.loss.name
    columns = roles.predictions
    shape = columns.shape
    if len(shape) == 2 and shape[1] == 0:
        raise DataError(f"{columns.name}: shape {shape} has no columns")
    theirs = None if roles.targets is None else roles.targets.shape
    if family.reads == "classes" and len(shape) == 1:
        if family.takes_centers:
            raise DataError(f"{name}: {columns.name} has shape {shape}; features are rows of several numbers, (n, d)")
        raise DataError(
            f"{name}: {columns.name} has shape {shape}; it takes one column a class, (n, k); for one score a row use a "
            "sigmoid loss such as sigmoid-cross-entropy"
        )
    if name != "center" and family.reads == "classes" and shape[1] == 1:
        raise DataError(
            f"{name}: {columns.name} has shape {shape}: one class, whose probability is always 1; for one score a row "
            "use a sigmoid loss such as sigmoid-cross-entropy"
        )
    if theirs is not None and roles.targets is not None:
        # From the headers alone, before a cell is parsed.
        check_rows(_Shaped(columns), roles.targets)
    source = columns.source()
    if len(shape) == 2 and shape[1] == 1 and theirs is not None and len(theirs) == 1 and family.several_outputs:
        notes.append(f"{columns.name}: shape {shape} was squeezed to {shape[:1]}, the targets' shape")
        return Reshaped(source)
    return source


class _Shaped:
    """The shape and name of columns, for checks that come before parsing."""

    def __init__(self, columns: Columns) -> None:
        self.name, self.shape, self.dtype, self.columns = (
            columns.name,
            columns.shape,
            np.dtype(float),
            columns.names,
        )

    def read(self, start: int, stop: int) -> Array:
        raise NotImplementedError

    def place(self, row: int, column: int | None = None) -> str:
        return self.name


def _centers(
    request: Request, opener: Opener, features: Source, notes: list[str]
) -> tuple[Array, tuple[str, ...] | None]:
    if request.centers is None:
        raise UsageError(f"{request.loss.loss.name} needs --centers FILE: one row a class, in the features' dimension")
    operand = opener.open(request.centers, "--centers")
    names: tuple[str, ...] | None = None
    if operand.is_table:
        table = operand.content
        named = _name_column(operand)
        source: Source = table.source([i for i in range(table.width) if i != named])
        if named is not None:
            names = tuple(str(cell) for cell in table.text(named).text())
        if features.columns and source.columns and len(source.shape) == 2:
            source, _ = by_name(source, features.columns, source.columns, notes)
    else:
        source = operand.content
    if len(source.shape) != 2 or source.shape[1] != features.shape[1]:
        raise DataError(
            f"{source.name}: centers have shape {source.shape} and features {features.shape}; "
            f"give one row a class with {count(features.shape[1], 'column')}"
        )
    centers = whole(source)
    if not np.isfinite(centers).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(centers))[0])
        raise DataError(
            f"{source.place(row, column)}: {centers[row, column]} is not a finite number; a center must be a point"
        )
    return centers, names


def _name_column(operand: Operand) -> int | None:
    """The column of a table of classes that holds their names: called class or label, or the only one of words."""
    table = operand.content
    for i, name in enumerate(table.names or ()):
        if name.lower() in ("class", "label", "name"):
            return int(i)
    for i in range(table.width):
        cells = table.text(i).cells
        if cells and not any(is_finite_number(cell or "") for cell in cells):
            return i
    return None


def _smooth(request: Request, made: Plan, k: int, notes: list[str]) -> Any:
    amount = request.label_smoothing
    if not 0 <= amount < 1:
        raise UsageError(f"--label-smoothing {amount:g} is not in [0, 1)")
    family = request.loss.loss.family
    mode = request.smoothing_mode or family.smoothing or "uniform"
    if mode == "half" and not family.several_outputs and k != 2:
        notes.append(
            f"warning: --smoothing-mode half makes the targets of {k} classes sum to {1 - amount + k * amount / 2:g}; "
            "uniform and others keep the sum at 1"
        )
    form = made.form
    return type(form)(form.kind, form.reads, form.k, form.ignore, form.one_hot, Smoothing.of(amount, mode, max(k, 2)))


def _sample_weights(roles: Roles, predictions: Source, notes: list[str]) -> Source | None:
    if roles.weights is None:
        return None
    check_rows(predictions, roles.weights, " weights")
    source = roles.weights.source()
    if len(source.shape) == 2:
        if source.shape[1] != 1:
            raise DataError(f"{source.name}: weights have shape {source.shape}; give one weight a row, (n,)")
        notes.append(f"{source.name}: shape {source.shape} was squeezed to {source.shape[:1]}")
        return Reshaped(source)
    return source


def _class_weights(
    request: Request, opener: Opener, made: Plan, k: int, several: bool
) -> tuple[Array | None, Array | None]:
    """Weights a class that weigh rows, and weights an output that weigh outputs; one of them or neither."""
    text = request.class_weight
    if text is None:
        return None, None
    names = made.classes
    if not several and made.form.reads in ("signs", "outcomes"):
        names = ("-1", "1") if made.form.kind == "signed" else ("0", "1")
    if text == "balanced":
        numbers = _balanced(made, k)
    elif "=" in text and not os.path.exists(text):
        numbers = by_class(named_numbers(text, "--class-weight"), names, k, "--class-weight")
    else:
        numbers = _weights_of_file(opener, text, names, k)
    return (None, numbers) if several else (numbers, None)


def _balanced(made: Plan, k: int) -> Array:
    """N / (k * count) for each class, as scikit-learn's 'balanced'; 0 for a class that no row has."""
    counts = np.zeros(k)
    for _, block in blocks(made.source):
        kept = made.form.keep(block)
        rows = block if kept is None else block[kept]
        if made.form.reads == "indices":
            counts += np.bincount(rows.astype(np.int64), minlength=k)
            continue
        t = (
            rows
            if made.form.reads == "rows"
            else (rows > 0 if made.form.reads == "signs" else made.form.outcomes(rows))
        )
        t = t.astype(np.float64)
        counts += np.array([len(t) - t.sum(), t.sum()]) if t.ndim == 1 else t.sum(axis=0)
    return np.divide(counts.sum(), k * counts, out=np.zeros(k), where=counts > 0)


def _weights_of_file(opener: Opener, text: str, names: tuple[str, ...] | None, k: int) -> Array:
    operand = opener.open(text, "--class-weight")
    if operand.is_table and operand.content.width == 2 and operand.column is None:
        table = operand.content
        named = _name_column(operand)
        named = 0 if named is None else named
        source = table.source([1 - named])
        cells = [str(cell) for cell in table.text(named).text()]
        values = whole(source)
        _check_weights(source, values)
        return by_class(list(zip(cells, values.tolist(), strict=True)), names, k, f"--class-weight {text}")
    source = Columns(operand, [] if not operand.is_table else [operand.picked or 0], "class weights").source()
    values = whole(source).reshape(-1)
    if len(values) != k:
        raise DataError(
            f"{source.name}: {count(len(values), 'class weight')} for {count(k, 'class', 'classes')}; give one a class"
        )
    _check_weights(source, values)
    return values.astype(np.float64)


def _check_weights(source: Source, values: Array) -> None:
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{source.place(row)}: the weight {values[row]:g} is negative or not finite; weights are numbers >= 0"
        )


def _pos_weight(request: Request, predictions: Source, several: bool) -> Array | float | None:
    text = request.pos_weight
    if text is None:
        return None
    if "=" in text:
        if not several:
            raise UsageError(f"--pos-weight {text}: there is one output, without a name; say --pos-weight X")
        pairs = named_numbers(text, "--pos-weight")
        return by_class(pairs, predictions.columns, predictions.shape[1], "--pos-weight")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (number >= 0 and math.isfinite(number)):
        raise UsageError(f"--pos-weight {text}: is not a number >= 0, nor NAME=NUMBER,...")
    return number


def _receipt(calculation: Calculation, several: bool) -> dict[str, Any]:
    """Everything that the number depends on."""
    from importlib.metadata import version

    request, job, made = calculation.request, calculation.job, calculation.plan
    loss, form = request.loss.loss, job.form
    receipt: dict[str, Any] = {
        "losscli": version("losscli"),
        "loss": loss.name,
        "formula": loss.formula,
        "parameters": dict(request.loss.parameters),
        "from": request.given if loss.family.takes_from else None,
        "predictions": _described(job.predictions),
        "targets": _described(job.targets) | {"kind": form.kind} | ({"matched": made.matched} if made.matched else {}),
        "computed_in": str(job.dtype),
        "classes": list(made.classes) if made.classes else None,
        "reduction": request.reduction,
        "reduction_formula": REDUCTIONS[request.reduction].formula,
        "over_outputs": request.over_outputs if several else None,
        "label_smoothing": None,
        "ignore_index": request.ignore_index,
        "sample_weight": None if job.weights is None else job.weights.name,
        "class_weight": _listed(job.class_weights),
        "output_weight": _listed(job.output_weights),
        "pos_weight": _listed(job.extras.pos_weight),
        "centers": request.centers,
        "id": request.id,
        "columns": request.columns,
    }
    if form.smoothing:
        smooth = form.smoothing
        receipt["label_smoothing"] = {
            "amount": smooth.amount,
            "mode": smooth.mode,
            "target_of_true": smooth.on,
            "target_of_others": smooth.shift,
        }
        if made.form.reads == "indices" and math.isclose(
            _row_total(Indices(np.zeros(1, int), smooth.on, smooth.shift), form.k), 1
        ):
            # The entropy of a smoothed target: no prediction gets below it.
            entropy = -sum(t * math.log(t) for t in [smooth.on] + [smooth.shift] * (form.k - 1) if t > 0)
            receipt["label_smoothing"]["least_cross_entropy"] = entropy
    return {key: value for key, value in receipt.items() if value is not None}


def _row_total(targets: Indices, k: int) -> float:
    return targets.on + (k - 1) * targets.off


def _described(source: Source) -> dict[str, Any]:
    described: dict[str, Any] = {"file": source.name, "shape": list(source.shape), "dtype": str(source.dtype)}
    if source.columns:
        described["columns"] = list(source.columns)
    return described


def _listed(numbers: Array | float | None) -> list[float] | float | None:
    return numbers.tolist() if isinstance(numbers, np.ndarray) else numbers


def signature(receipt: Mapping[str, Any]) -> str:
    """The receipt's conventions in one line, for papers and logs: what differs here makes numbers differ."""
    parts = {
        "loss": receipt["loss"],
        **{name: f"{value:g}" for name, value in receipt["parameters"].items() if value is not None},
        "from": receipt.get("from"),
        "targets": receipt["targets"]["kind"],
        "smoothing": _smoothing_words(receipt.get("label_smoothing")),
        "ignore": receipt.get("ignore_index"),
        "sample-weight": receipt.get("sample_weight"),
        "class-weight": _words(receipt.get("class_weight", receipt.get("output_weight"))),
        "pos-weight": _words(receipt.get("pos_weight")),
        "centers": receipt.get("centers"),
        "over-outputs": receipt.get("over_outputs"),
        "reduction": receipt["reduction"],
        "dtype": receipt["computed_in"],
        "losscli": receipt["losscli"],
    }
    return "|".join(f"{key}:{value}" for key, value in parts.items() if value is not None)


def _words(numbers: list[float] | float | None) -> str | None:
    if numbers is None or isinstance(numbers, float):
        return None if numbers is None else f"{numbers:g}"
    return ",".join(f"{number:g}" for number in numbers)


def _smoothing_words(smoothing: Mapping[str, Any] | None) -> str | None:
    return None if smoothing is None else f"{smoothing['mode']}-{smoothing['amount']:g}"
