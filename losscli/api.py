"""The functions of `import losscli`: what the commands do, on paths or arrays, with the same messages.

Operands are what the command line takes (a path, FILE:COLUMN, a quoted pattern, a number for constant targets) or
anything that NumPy makes an array of: arrays, lists, data frames, tensors on the CPU. Options have their names of the
command line, with '_' for '-'; `--from` is `from_` and `--as` is `as_`, which are words of Python otherwise.
"""

import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, get_args, overload

import numpy as np

from losscli import arguments
from losscli.arguments import number, whole, yes_or_no
from losscli.definition import options
from losscli.definition.options import TAKEN_BY, takes
from losscli.definition.request import Request
from losscli.definition.resampling import Resampling
from losscli.definition.words import (
    ActivationName,
    BoxFormat,
    MissingRule,
    OperandOrder,
    OutputReduction,
    PredictionKind,
    ReductionName,
    ReliabilityForm,
    SmoothingMode,
    ThirdOperandName,
    UnitKind,
    UnmatchedRule,
    UntypedName,
)
from losscli.engine.evaluate import ChunkResult
from losscli.engine.workers import current
from losscli.errors import DataError, LosscliError, UsageError
from losscli.measurement.measure import Measurement
from losscli.measurement.prepare import prepare
from losscli.measurement.result import Result
from losscli.records import dataclass, replace
from losscli.wording import did_you_mean, listing, quoted

if TYPE_CHECKING:
    from losscli.analysis.audit.model import Audited
    from losscli.analysis.calibration.fit import Calibrated
    from losscli.analysis.check import Report
    from losscli.analysis.compare import Compared
    from losscli.analysis.curves import Curves
    from losscli.analysis.history import History
    from losscli.analysis.rank import Ranked
    from losscli.analysis.verify.file import VerifiedFile
    from losscli.analysis.verify.model import Verified
    from losscli.custom.loss import UndecidedError
    from losscli.definition.loss import BoundLoss
    from losscli.engine.job import Job
    from losscli.io.bytes import Looked
    from losscli.io.source import MemorySource
    from losscli.measurement.sums import Summed

AnyLoss = str | Callable[..., Any]
"""A loss: its name, an alias, a SPEC or FILE.py:NAME; or one of the user's own, a function, class or object."""
THIRD_OPERANDS: tuple[str, ...] = get_args(ThirdOperandName)
OPTIONS: Mapping[str, str] = {
    "from_": "prediction_kind",
    "label_smoothing": "label_smoothing",
    "smoothing_mode": "smoothing_mode",
    "ignore_index": "ignore_index",
    "sample_weight": "sample_weight",
    "class_weight": "class_weight",
    "class_counts": "class_counts",
    "pos_weight": "pos_weight",
    "reduction": "reduction",
    "over_outputs": "over_outputs",
    "centers": "centers",
    **dict.fromkeys(THIRD_OPERANDS, "third_operand"),
    "levels": "levels",
    "group": "group",
    "per": "per",
    "over_positions": "over_positions",
    "class_axis": "class_axis",
    "shift": "shift",
    "mask": "mask",
    "missing": "missing",
    "activation": "activation",
    "exclude_class": "exclude_class",
    "output_weight": "output_weight",
    "box": "box",
    "targets_from": "targets_from",
    "temperature": "temperature",
    "temperature_squared": "temperature_squared",
    "bytes": "bytes",
    "reliability_of": "reliability_of",
    "classwise_ece": "classwise_ece",
    "time_axis": "time_axis",
    "input_lengths": "input_lengths",
    "target_lengths": "target_lengths",
    "id": "id",
    "on_unmatched": "on_unmatched",
    "classes": "classes",
    "label_base": "label_base",
    "columns": "columns",
    "operands": "operands",
    "takes": "takes",
    "header": "header",
    "sep": "sep",
    "decimal": "decimal",
    "comment": "comment",
    "skip_rows": "skip_rows",
    "dtype": "dtype",
}
"""The options that bear on the number, and what a `Request` calls them."""
FILES = tuple(word.replace("-", "_") for word in (*options.FILES, "class-weight", "class-counts"))
"""Options whose value may be an array."""
OF_CLASSES = ("class_weight", "class_counts", "output_weight", "pos_weight")
"""Options of one number per class or output, whose names may be the labels of a data frame or series."""
SCALARS = ("targets", "sample_weight", "variance", "scale", "dispersion")
"""Operands that may be one number for all, a whole one or not."""
NUMBERS = ("bytes", "input_lengths", "target_lengths")
"""Options that may be one number, which is kept as it is written."""
WHOLE = ("class_axis", "shift", "time_axis", "label_base", "skip_rows")
"""Options that are one whole number."""
FRACTIONS = ("label_smoothing", "temperature")
"""Options that are one number, a whole one or not."""
YES_OR_NO = ("temperature_squared", "header", "classwise_ece")
LISTS = ("classes", "columns", "exclude_class", "output_weight", "levels")
"""Options that may be a list of words or numbers, or one of them."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "from_": get_args(PredictionKind),
    "smoothing_mode": get_args(SmoothingMode),
    "reduction": get_args(ReductionName),
    "over_outputs": get_args(OutputReduction),
    "per": get_args(UnitKind),
    "over_positions": get_args(OutputReduction),
    "missing": get_args(MissingRule),
    "activation": get_args(ActivationName),
    "box": get_args(BoxFormat),
    "targets_from": get_args(PredictionKind),
    "on_unmatched": get_args(UnmatchedRule),
    "reliability_of": get_args(ReliabilityForm),
    "operands": get_args(OperandOrder),
    "takes": get_args(PredictionKind),
    "dtype": get_args(UntypedName),
}


@dataclass(frozen=True)
class Hooks:
    """How a pass is made and watched, which has no bearing on its result.

    `threads` is how many, None for as many as there are cores; `looked` is told how far a text file is looked through,
    `begun` of the job when its pass begins, and `seen` of the rows that are done.
    """

    threads: int | None = None
    looked: "Looked" = lambda name, done, size: None
    begun: "Callable[[Job], None]" = lambda job: None
    seen: Callable[[int], None] = lambda rows: None


def measured(
    request: Request,
    hooks: Hooks = Hooks(),
    *,
    rows: bool = False,
    elements: bool = False,
    gradient: bool = False,
    library: str | None = None,
    typed: Iterable[str] = (),
    started: Callable[[Measurement], None] = lambda measurement: None,
    consume: Callable[[ChunkResult], None] = lambda chunk: None,
) -> tuple[Measurement, Result]:
    """Compute what a request asks for: `losscli compute` and `losscli.compute` both end here.

    Parameters
    ----------
    rows, elements, gradient
        whether `consume` gets per-sample losses, each output's loss, and gradients, chunk by chunk.
    library, typed
        the library whose number is wanted, and the names of the options that were given by the user.
    started
        is told of the measurement once its files are open, before the pass.
    """
    measurement = opened(request, hooks, rows=rows, elements=elements, gradient=gradient, library=library, typed=typed)
    started(measurement)
    hooks.begun(measurement.job)
    return measurement, measurement.run(consume, hooks.threads, hooks.seen)


def opened(
    request: Request,
    hooks: Hooks = Hooks(),
    *,
    rows: bool = False,
    elements: bool = False,
    gradient: bool = False,
    library: str | None = None,
    typed: Iterable[str] = (),
) -> Measurement:
    """Return the measurement of a request, whose files are open; parameters as those of `measured`."""
    request = replace(request, library=library)
    measurement = prepare(request, rows=rows, elements=elements, gradient=gradient, looked=hooks.looked)
    if library is not None:
        from losscli.measurement.as_library import as_library

        measurement = as_library(measurement, library, typed)
    if request.by or request.interval is not None:
        from losscli.measurement.slices import observe

        observe(measurement)
    return measurement


@overload
def compute(
    loss: AnyLoss, predictions: Any, targets: Any = None, *, plus: tuple[()] = ..., **options: Any
) -> Result: ...
@overload
def compute(
    loss: AnyLoss, predictions: Any, targets: Any = None, *, plus: str | Sequence[str], **options: Any
) -> "Summed": ...
def compute(
    loss: AnyLoss,
    predictions: Any,
    targets: Any = None,
    *,
    plus: str | Sequence[str] = (),
    per_sample: bool = True,
    elements: bool = False,
    gradient: bool = False,
    summary: bool = True,
    require: Sequence[str] = (),
    require_each: Sequence[str] = (),
    by: Any = None,
    interval: bool = False,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    as_: str | None = None,
    threads: int | None = None,
    **options: Any,
) -> "Result | Summed":
    """Compute a loss of predictions and targets.

    Parameters
    ----------
    loss
        its name, an alias, a SPEC such as 'huber:delta=2', FILE.py:NAME, or a function of your own.
    predictions, targets
        paths or arrays: (n,), (n, k), or with more axes, of which `class_axis` says which holds the classes. For losses of
        differences `targets` may be one number, and they are left out where predictions are the likelihoods of what
        happened.
    plus
        further terms of a weighted sum, such as ['0.5*dice']; the result is then the sum, with its terms.
    per_sample
        whether the result keeps every sample's loss, 8 bytes each; say False for files larger than memory.
    elements
        whether it keeps each output's loss too, shape (n, k), for losses of several outputs.
    gradient
        whether it keeps the gradient of each sample's loss, in the predictions' shape.
    summary
        whether the result says how far losses spread, with std, min, max and percentiles, and has a baseline; the value without them takes
        less time.
    require
        requirements such as 'p99 < 2', which the result evaluates.
    require_each
        requirements of every slice, such as 'value <= 0.4'.
    by
        a column whose words make slices, each of which has a value of its own: its name, FILE or FILE:COLUMN, or an array with a word
        or number for each sample. A tuple, or a dict of names and arrays, holds several, and so does a list where predictions are a file.
    interval
        whether the value, and that of each slice, has an interval, of this `confidence`. Up to 20,000 samples are resampled so many
        times (`resamples`), with this `seed`.
    as_
        the library whose number is wanted: 'torch', 'keras', 'tf1', 'optax' or 'sklearn'.
    threads
        how many to use; the result is the same for any number.
    **options
        the loss's own parameters (`delta=1.5`) and options of `losscli compute` (`label_smoothing=0.1`).

    Raises
    ------
    UsageError
        for an unknown loss, parameter or option, or a value that makes no sense.
    DataError
        for files or arrays that cannot be used, and for an undefined result.
    """
    arguments.check(confidence=confidence, resamples=resamples, seed=seed, as_=as_, threads=threads)
    require, require_each = arguments.texts("require", require), arguments.texts("require_each", require_each)
    if plus:
        _check_sum(targets, elements, gradient)
        terms = arguments.texts("plus", plus)
        if by is not None or interval or require_each:
            raise UsageError(
                "by, interval, require_each: plus makes one number, whose terms may be of other units; compute each loss by itself"
            )
        if not isinstance(loss, str):
            raise UsageError("plus: the terms of a sum are SPECs; name the loss as FILE.py:NAME")
        return _summed(loss, terms, predictions, targets, require, as_, threads, options)
    bound, rest = _bound(loss, options)
    request = _computed_request(bound, predictions, targets, rest)
    request = _sliced(request, by, Resampling(confidence, resamples, seed) if interval else None, predictions)
    request = replace(request, summary=yes_or_no("summary", summary))
    if require_each and not request.by:
        raise UsageError(f"require_each {require_each[0]!r}: of which slices? Say by='COLUMN' as well")
    kept = _Kept(per_sample, elements, gradient)
    measurement, result = _kept_and_required(request, kept, require, as_, threads, set(options), require_each)
    result.notes = _told(measurement.notes, loss)
    kept.give(result, measurement)
    return result


def _computed_request(bound: "BoundLoss", predictions: Any, targets: Any, options: Mapping[str, Any]) -> Request:
    """The request of `compute` for one loss; raise a UsageError if targets are missing and the loss needs them."""
    from losscli.data.likelihoods import taken_without_targets

    if targets is not None:
        return _request(bound, predictions, targets, options)
    if not taken_without_targets(bound.declaration, str(options.get("from_"))):
        raise UsageError(
            f"Missing argument 'targets': {bound.name} goes without only for losses of the true class's probability, and with "
            "from_='log-probs' or from_='probs'"
        )
    return replace(_request(bound, predictions, 0.0, options), targets=None)


def _kept_and_required(
    request: Request,
    kept: "_Kept",
    require: Sequence[str],
    as_: str | None,
    threads: int | None,
    typed: set[str],
    require_each: Sequence[str] = (),
) -> tuple[Measurement, Result]:
    """The measurement of a request and its result with the requirements; `kept` gets what is kept of each chunk.

    Raises
    ------
    UsageError
        for a gradient of a library's number, or a requirement that cannot be read.
    """
    from losscli.measurement.requirement import Requirement

    if as_ is not None and kept.asked["gradient"]:
        raise UsageError("gradient is that of the loss itself; leave out as_")
    library = None if as_ is None else _one_library(as_)
    requirements = [Requirement.parse(text) for text in require]
    for requirement in requirements:
        request = replace(request, **requirement.wanted)
    measurement, result = measured(
        request, Hooks(threads), library=library, typed=typed, started=kept.started, consume=kept.consume, **kept.asked
    )
    result.judge(requirements)
    result.judge_each([Requirement.of_each(text) for text in require_each])
    return measurement, result


def _sliced(request: Request, by: Any, interval: "Resampling | None", predictions: Any) -> Request:
    """The request with columns of slices, and with how intervals are made.

    `by` is a word or an array; several are a tuple, or a dict of names and arrays. A list is the words of the samples, as it is for
    other operands, unless the predictions are a file.
    """
    if by is None:
        return replace(request, interval=interval)
    names = isinstance(by, list) and request.predictions not in request.arrays
    columns = by if isinstance(by, tuple | Mapping) or names else (by,)
    named = columns.items() if isinstance(columns, Mapping) else ((getattr(one, "name", None), one) for one in columns)
    words: list[str] = []
    held: dict[str, MemorySource] = {}
    for name, one in named:
        if isinstance(one, str | os.PathLike):
            words.append(os.fspath(one))
            continue
        word = name if isinstance(name, str) and name else "by" if len(columns) == 1 else f"by {len(words) + 1}"
        word = f"by {word}" if word in request.arrays else word
        _check_indices({"predictions": predictions, word: one})
        words.append(word)
        held[word] = _words_of(word, one)
    return replace(request, by=tuple(words), interval=interval, arrays={**request.arrays, **held})


def _words_of(name: str, value: Any) -> "MemorySource":
    """A column of words, numbers or booleans; of Python objects each as text, '' for what is missing."""
    from losscli.io.memory import source_of

    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise UsageError(
            f"{name}: some of its elements are masked, which have no word; fill them: by={name}.filled('none')"
        )
    array = np.asarray(value)
    if array.dtype == object:
        array = np.array(["" if one is None or one != one else str(one) for one in array.reshape(-1)])
    return source_of(name, array)


def _check_sum(targets: Any, elements: bool, gradient: bool) -> None:
    """Raise a UsageError for what a sum of losses does not have: elements, a gradient, or terms without targets."""
    if elements or gradient:
        raise UsageError(f"{'elements' if elements else 'gradient'}: plus makes one number, whose terms have them each")
    if targets is None:
        raise UsageError("Missing argument 'targets': the terms of a sum have the same targets")


def _summed(
    loss: str,
    plus: Sequence[str],
    predictions: Any,
    targets: Any,
    require: Sequence[str],
    as_: str | None,
    threads: int | None,
    options: Mapping[str, Any],
) -> "Summed":
    """The weighted sum of a loss and further ones. Options hold for all terms that take them, parameters for the first."""
    from losscli.lookup.spec import weighted
    from losscli.measurement.sums import Term, names_of, requirements_of, summed

    bound, rest = _bound(loss, options)
    factors = [(1.0, bound), *map(weighted, plus)]
    names = names_of([one for _, one in factors])
    library = None if as_ is None else _one_library(as_)
    _refuse_taken_by_none(rest, names, [one for _, one in factors])
    terms, notes = [], []
    for name, (weight, one) in zip(names, factors, strict=True):
        own = {option: value for option, value in rest.items() if takes(one.family, _in_words(option))}
        terms.append(Term(name, weight, _request(one, predictions, targets, own), library, tuple(own)))
        refused = [option for option in rest if option not in own]
        notes += [f"{' and '.join(refused)}: not for {name}, which takes no such option"] if refused else []
    wanted = requirements_of(require, names, [loss, *plus])
    found = summed(terms, threads)
    found.judge(wanted)
    found.notes = [*notes, *_told(found.notes, loss, *plus)]
    return found


def _refuse_taken_by_none(options: Mapping[str, Any], names: Sequence[str], losses: "Sequence[BoundLoss]") -> None:
    """Raise a UsageError for the first option that none of the losses of a sum takes; `names` are those of the losses."""
    for option in options:
        if not any(takes(one.family, _in_words(option)) for one in losses):
            raise UsageError(f"{option}: {listing(names)} take none")


def check(
    predictions: Any, targets: Any, *, loss: str | None = None, threads: int | None = None, **options: Any
) -> "Report":
    """Say what predictions and targets are, and what is wrong with them.

    Parameters
    ----------
    loss
        the one that they are for; by default the one that shapes and targets suggest.

    Raises
    ------
    UsageError
        for a loss that takes more than predictions and targets row by row.
    """
    from losscli.lookup.names import find
    from losscli.lookup.spec import single

    arguments.check(threads=threads, **({} if loss is None else {"loss": loss}))
    bound = None if loss is None else loss_of_rows(single(loss), loss)
    request = _request(bound or find("sigmoid-cross-entropy").bind(), predictions, targets, options)
    return checked(request, bound, Hooks(threads))


def loss_of_rows(bound: "BoundLoss", name: str) -> "BoundLoss":
    """Return a loss that takes predictions and targets row by row, and nothing else; others are refused."""
    family = bound.family
    if family.takes_centers or family.third_operand or family.coupled or family.of_sequences or family.takes_levels:
        raise UsageError(
            f"--loss {name}: takes more than predictions and targets row by row, which check does not read"
        )
    return bound


def checked(request: Request, bound: "BoundLoss | None", hooks: Hooks) -> "Report":
    """Report what the files of a request are: `losscli check` and `losscli.check` both end here.

    `bound` is the loss that was named; None for the one that shapes and targets suggest.
    """
    from losscli.analysis.check import check as examine

    return examine(request, bound, hooks.threads, hooks.looked, hooks.begun, hooks.seen)


def compare(
    loss: AnyLoss,
    a: Any,
    b: Any,
    *more: Any,
    targets: Any,
    margin: float = 0.0,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    top: int = 5,
    fail_if: str | None = None,
    as_: str | None = None,
    threads: int | None = None,
    **options: Any,
) -> "Compared":
    """Say whether model B, and any more, are better than A: row for row, with an interval.

    Parameters
    ----------
    a, b, more
        the predictions of the models.
    targets
        what all of them are to predict.
    margin
        how much worse still counts as as good.
    fail_if
        'worse', or 'not-better': the verdict for which the result's `fails()` is true.
    as_
        the library by whose conventions losses are computed, such as its clipping: 'torch', 'keras', 'tf1', 'optax', 'sklearn'.
    """
    from losscli.analysis.compare import Terms, compare_all
    from losscli.lookup.spec import named_parameters
    from losscli.measurement.conventions import one

    arguments.check(
        margin=margin, confidence=confidence, resamples=resamples, seed=seed, top=top, as_=as_, threads=threads
    )
    bound, rest = _bound(loss, options)
    models = dict(zip(map("model {}".format, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), (a, b, *more), strict=False))
    words, arrays = _operands(models | {"targets": targets})
    _check_indices(models | rest)
    request = _request(bound, words["model A"], words["targets"], rest, arrays)
    terms = Terms(margin, confidence, resamples, seed, top, fail_if)
    typed = (named_parameters(loss) if isinstance(loss, str) else set()) | set(options)
    library = None if as_ is None else one(as_, typed)
    found = compare_all(request, [words[name] for name in models], terms, threads, library=library, typed=typed)
    found.notes = _told([*found.notes, *map(_cured(found), found.infinite_losses())], loss)
    return found


def _cured(found: "Compared") -> Callable[[str], str]:
    """Return a function that makes a warning of a sentence about infinite losses: what they are compared by instead."""
    cures = [f"as_={found.clipping!r} clips them"] if found.clipping else []
    cures += [f"{found.bounded!r} is a bounded loss"] if found.bounded else []
    return lambda fact: f"warning: {'; '.join([fact, *cures])}"


def rank(
    loss: AnyLoss,
    predictions: Any,
    targets: Any,
    *,
    top: int = 20,
    by: str | None = None,
    threads: int | None = None,
    **options: Any,
) -> "Ranked":
    """List the rows with the largest losses: what their label is, and what was predicted.

    Parameters
    ----------
    top
        how many rows.
    by
        'class', or a column whose words make slices.
    """
    from losscli.analysis.rank import BY_CLASS
    from losscli.analysis.rank import rank as examine

    arguments.check(top=top, by=by, threads=threads)
    bound, rest = _bound(loss, options)
    request = _request(bound, predictions, targets, rest)
    if by not in (None, BY_CLASS):
        request = replace(request, by=(by,))
    found = examine(request, top, by, threads)
    found.notes = _told(found.notes, loss)
    return found


def calibrate(
    predictions: Any,
    targets: Any,
    *,
    method: str = "temperature",
    activation: str | None = None,
    bias: bool = False,
    bins: int = 15,
    seed: int = 0,
    threads: int | None = None,
    **options: Any,
) -> "Calibrated":
    """Fit a calibration to labels, with scores before and after.

    Parameters
    ----------
    method
        'temperature', T of softmax(z / T); 'platt', a and b of sigmoid(a s + b); or 'isotonic', steps that never fall.
    activation
        'sigmoid' if each column of predictions holds or not by itself.
    bias
        whether a temperature comes with a bias per class.
    bins
        number of bins of the calibration errors, and `seed` is that of their bands.

    Returns
    -------
    Calibrated
        `applied(predictions)` calibrates others.
    """
    from losscli.analysis.calibration.fit import Terms
    from losscli.analysis.calibration.fit import calibrate as fitted
    from losscli.analysis.calibration.temperature import likelihood

    arguments.check(method=method, bins=bins, seed=seed, threads=threads)
    bias = yes_or_no("bias", bias)
    if activation not in (None, *CHOICES["activation"]):
        raise UsageError(f"activation={activation!r} is not one of {listing(CHOICES['activation'])}")
    request = replace(_request(likelihood(None), predictions, targets, options), activation=activation)
    found = fitted(request, Terms(method, bias, bins, seed), threads)
    found.notes[:] = _told(found.notes)
    return found


def history(*files: "str | os.PathLike[str]", statistic: str = "value") -> "History":
    """Follow measurements through files of results, in the order of the files; those of a pattern or a folder in that of their names.

    Parameters
    ----------
    files
        results of `losscli run` or `losscli compute` with `-f json`, patterns of such files, or folders of them.
    statistic
        which number of a result: 'value', 'p99' ..., as in requirements.
    """
    from losscli.analysis.history import history as followed

    arguments.check(statistic=statistic)
    return followed(arguments.paths("files", files), statistic)


@overload
def verify(
    loss: Callable[..., Any],
    predictions: Any = None,
    targets: Any = None,
    *,
    against: str | None = None,
    **options: Any,
) -> "Verified": ...
@overload
def verify(
    loss: str, predictions: Any = None, targets: Any = None, *, against: str | None = None, **options: Any
) -> "Verified | VerifiedFile": ...
def verify(
    loss: AnyLoss, predictions: Any = None, targets: Any = None, *, against: str | None = None, **options: Any
) -> "Verified | VerifiedFile":
    """Say whether a loss of your own, a function or class or 'path/to/file.py:name', or of a package, 'torch.nn.HuberLoss', is right.

    A file alone, 'path/to/file.py', stands for all losses in it.
    """
    from losscli.analysis.verify.file import verify_file
    from losscli.analysis.verify.properties import verify as prove
    from losscli.custom.candidates import candidates, is_file, refusal

    if isinstance(loss, str) and is_file(loss):
        names = candidates(loss)
        if not names or (len(names) > 1 and (predictions is not None or against is not None)):
            raise refusal(loss)
        if len(names) > 1:
            return verify_file(loss, options.get("operands"), options.get("takes"))
        loss = f"{loss}:{names[0]}"
    bound, rest = _bound(loss, options, code=True)
    files = None if predictions is None else _request(bound, predictions, targets, rest)
    where = bound.name if isinstance(loss, str) else bound.declaration.core.own.found  # type: ignore[attr-defined]
    return prove(where, against, rest.get("operands"), rest.get("takes"), files, bound.parameters)


def audit(library: str, *losses: str, progress: Callable[[str], None] | None = None) -> "Audited":
    """Say whether the losses of an installed library, 'torch', are right: each call against formulas at 60 digits.

    Parameters
    ----------
    losses
        names of losses, losscli's or the library's, if not all of its calls are wanted.
    progress
        is told what is being done.
    """
    from losscli.analysis.audit.library import audited

    arguments.check(library=library)
    return audited(library, [arguments.word("losses", loss) for loss in losses], progress)


def curves(
    *specs: str,
    x: str | None = None,
    range: tuple[float, float] | None = None,
    label_smoothing: float | Sequence[float] = (),
    pos_weight: float | Sequence[float] = (),
    target: float | Sequence[float] = (),
    operands: str | None = None,
    takes: str | None = None,
) -> "Curves":
    """Values and gradients of losses over an axis that all of them can be drawn over.

    Parameters
    ----------
    specs
        as 'huber:delta=1,2' or 'focal:gamma=0,2,5'; several values are several curves.
    x
        'residual', 'margin', 'logit', 'probability', 'distance' ...; by default the first loss's own.
    range
        from where to where.
    label_smoothing, pos_weight, target
        smoothing of the targets in [0, 1), factor of the positive term, and target in [0, 1] in place of 1, of losses that take
        them; several numbers are several curves.
    operands, takes
        for a loss of a file whose names do not tell: the order of its operands, 'targets,predictions', and what its
        predictions are, 'logits', 'probs' or 'log-probs'.
    """
    from losscli.analysis.curves import Curves, check_range, default_range, shared_axis, swept, trace

    for name, value in (("operands", operands), ("takes", takes)):
        if value is not None and value not in CHOICES[name]:
            raise UsageError(
                f"{name}={value!r} is not one of {listing(CHOICES[name])}{did_you_mean(value, CHOICES[name])}"
            )
    arguments.check(x=x)
    losses = losses_to_draw(arguments.paths("specs", specs), operands, takes)
    given = {"label_smoothing": label_smoothing, "pos_weight": pos_weight, "target": target}
    several = [() if value is None else arguments.numbers(name, value) for name, value in given.items()]
    every = swept(losses, *several)
    name, axes = shared_axis(losses, x)
    ends = default_range(losses, axes) if range is None else arguments.numbers("range", range)
    if len(ends) != 2:
        raise UsageError(f"range={range!r} is not two numbers, from where to where")
    low, high = ends
    check_range(low, high, name, axes)
    return Curves(trace(bound, axes[bound.family.name], low, high, setting) for bound, setting in every)


def losses_to_draw(
    texts: Sequence[str], operands: str | None = None, takes: str | None = None, rest: str = ""
) -> "list[BoundLoss]":
    """The losses of SPECs as they can be drawn: `losscli plot curves` and `losscli.curves` both begin here.

    `rest` are the words of a command line behind its losses, for messages.

    Raises
    ------
    UsageError
        if it is not known how a loss of a file is called, with what `verify` finds.
    """
    from losscli.analysis.curves import drawable
    from losscli.custom.loss import UndecidedError
    from losscli.lookup.spec import specs

    losses = specs(texts)
    try:
        return drawable(losses, operands, takes)
    except UndecidedError as error:
        undecided = next(bound for bound in losses if bound.name == error.where)
        raise _decided(error, undecided, texts, operands, rest) from None


def _decided(
    error: "UndecidedError", bound: "BoundLoss", texts: Sequence[str], operands: str | None, rest: str
) -> UsageError:
    """The error about a loss that may be called in several ways, with the command that draws it as `verify` finds it to be called."""
    from losscli.analysis.verify.match import taken_for

    matched = taken_for(bound.name, bound.parameters)
    if matched is None or matched.reference is None:
        return error
    reference = matched.reference.bound
    if matched.masks:
        return UsageError(
            f"{error.where}: is a loss of whole masks, as losscli verify finds, and has no curve; losscli plot curves "
            f"{reference.name}{rest} draws that of losscli's own"
        )
    words = [*map(quoted, texts)]
    if "operands" in error.options:
        words.append(f"--operands {'targets,predictions' if matched.settings.targets_first else 'predictions,targets'}")
    elif operands is not None:
        words.append(f"--operands {operands}")
    if "takes" in error.options and reference.family.takes_from:
        words.append(f"--takes {matched.prediction_kind}")
    return UsageError(
        f"{error.where}: {error.unsaid}; losscli verify finds it nearest to {reference.name}, and so it is drawn by: losscli plot curves {' '.join(words)}{rest}"
    )


def explain(loss: str) -> dict[str, Any]:
    """A loss as a record: name, family, formula, gradient, parameters, targets, relations, source, libraries' calls.

    Of a SPEC with parameters, such as huber:delta=2, "at" holds them, with values over the loss's axis. A statistic, such as rmse,
    has "name", "is" and "commands".
    """
    from losscli.lookup.spec import single
    from losscli.render.catalogue import Explained, at_parameters, entry, told

    arguments.check(loss=loss)
    word = told(loss)
    if word is not None:
        return Explained(word)
    bound, typed = explained(single(loss)), has_parameters(loss)
    at = {"at": at_parameters(bound)} if typed else {}
    return Explained(entry(bound.declaration) | at, bound, typed)


def has_parameters(text: str) -> bool:
    """Whether a SPEC names parameters."""
    from losscli.lookup.spec import taken_apart

    return bool(taken_apart(text)[1])


def explained(bound: "BoundLoss") -> "BoundLoss":
    """Return a loss to explain: one that depends on files is replaced by what it is without files, if possible."""
    from losscli.analysis.curves import drawable

    try:
        return drawable([bound])[0]
    except LosscliError:
        return bound


class _Kept:
    """Keeps the per-sample losses and gradients of a pass, chunk by chunk."""

    def __init__(self, rows: bool, elements: bool, gradient: bool) -> None:
        self.asked = dict[str, Any](rows=rows or elements, elements=elements, gradient=gradient)
        self.chunks: list[ChunkResult] = []
        self.measurement: Measurement | None = None
        self.room: np.ndarray[Any, Any] | None = None
        """The gradient of all rows, where a pass fills it by itself."""
        self.slopes: np.ndarray[Any, Any] | None = None
        """The gradient so far: the part of the first rows, then an array for all rows, of which `rows_done` are filled."""
        self.rows_done = self.rows_seen = 0

    def started(self, measurement: Measurement) -> None:
        """Take the measurement before its pass, which fills the array of the gradient by itself where it can."""
        self.measurement = measurement
        room = measurement.room if self.asked["gradient"] and current() is None else None
        if room is not None:
            self.room = np.empty(room, measurement.job.dtype)
            measurement.job = replace(measurement.job, room=self.room)

    def give(self, result: Result, measurement: Measurement) -> None:
        """Put into a result what was asked for."""
        if self.asked["rows"]:
            result.losses = self.losses(measurement)
        if self.asked["elements"]:
            result.elements = self.elements(measurement)
        if self.asked["gradient"]:
            result.gradient = self.gradient(measurement)

    def consume(self, chunk: ChunkResult) -> None:
        self.chunks.append(ChunkResult(chunk.aggregate, chunk.rows))
        for slopes in chunk.gradient if self.room is None else ():
            assert self.measurement is not None
            for part in self.measurement.restored(slopes, self.rows_seen):
                self._put(part, self.measurement.units.shape[0])
            self.rows_seen += len(slopes)

    def _put(self, part: np.ndarray[Any, Any], length: int) -> None:
        """Put the gradient of the next rows into one array for all, which have the length `length`; so chunks are not kept twice."""
        if self.slopes is None:
            self.slopes, self.rows_done = part, len(part)
            return
        if len(part) and self.rows_done == len(self.slopes):
            first = self.slopes
            self.slopes = np.empty((max(length, len(first) + len(part)), *part.shape[1:]), part.dtype)
            self.slopes[: len(first)] = first
        self.slopes[self.rows_done : self.rows_done + len(part)] = part
        self.rows_done += len(part)

    def losses(self, measurement: Measurement) -> np.ndarray[Any, Any]:
        """One per unit; of positions in the shape of their file, NaN for those that are ignored."""
        units = measurement.units
        units.check_shape("per_sample") if units.shaped else None
        parts = [
            units.in_shape(rows.loss, rows.sample, rows.span) if units.shaped else rows.loss
            for chunk in self.chunks
            for rows in chunk.rows
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def elements(self, measurement: Measurement) -> np.ndarray[Any, Any]:
        units = measurement.units
        parts = [
            units.in_shape(rows.elements, rows.sample, rows.span) if units.shaped else rows.elements
            for chunk in self.chunks
            for rows in chunk.rows
            if rows.elements is not None
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 0))

    def gradient(self, measurement: Measurement) -> np.ndarray[Any, Any]:
        """In the shape of the predictions as they were given, 0 for rows that are ignored or left out."""
        if self.room is not None:
            return self.room.reshape(measurement.units.shape)
        if self.slopes is None:
            return np.zeros(measurement.units.shape)
        return np.ascontiguousarray(self.slopes[: self.rows_done])


def _bound(loss: AnyLoss, options: Mapping[str, Any], code: bool = False) -> "tuple[BoundLoss, dict[str, Any]]":
    """The loss with those of the options that are its parameters, and the others; a dotted name is code where `code` says so."""
    from losscli.custom.loss import of_object
    from losscli.lookup.spec import single

    bound = single(loss, code) if isinstance(loss, str) else of_object(loss).bind()
    parameters = {name: value for name, value in options.items() if name in bound.declaration.parameters}
    rest = {name: value for name, value in options.items() if name not in parameters}
    if parameters:
        numbers = {name: None if value is None else number(name, value) for name, value in parameters.items()}
        bound = bound.declaration.bind(**{**bound.parameters, **numbers})
    unknown = next((name for name in rest if name not in OPTIONS), None)
    if unknown is not None:
        known = [*bound.declaration.parameters, *OPTIONS]
        raise UsageError(
            f"{bound.name}: no parameter or option {unknown!r}{did_you_mean(unknown, known)}; its parameters: "
            f"{listing(bound.declaration.parameters) or 'none'}"
        )
    return bound, rest


def _request(
    bound: "BoundLoss",
    predictions: Any,
    targets: Any,
    options: Mapping[str, Any],
    arrays: "Mapping[str, MemorySource] | None" = None,
) -> Request:
    """A request for operands and options; `arrays` are those that stand for names already."""
    from losscli.io.memory import by_label

    fields: dict[str, Any] = {}
    values: dict[str, Any] = {"predictions": predictions, "targets": targets}
    for name, value in options.items():
        if name not in OPTIONS:
            raise UsageError(f"no option {name!r}{did_you_mean(name, OPTIONS)}")
        word = _in_words(name)
        if word in TAKEN_BY and not takes(bound.family, word):
            raise UsageError(f"{name}: {bound.name} takes none")
        if value is None:
            continue
        value = by_label(name, value) if name in OF_CLASSES else value
        if name in CHOICES and not (isinstance(value, str) and value in CHOICES[name]):
            raise UsageError(
                f"{name}={value!r} is not one of {listing(CHOICES[name])}{did_you_mean(str(value), CHOICES[name])}"
            )
        if name in FILES and not isinstance(value, Mapping):
            values[name] = value
        else:
            fields[OPTIONS[name]] = _word(name, value)
    words, held = _operands(values)
    fields |= {OPTIONS[name]: word for name, word in words.items() if name in OPTIONS}
    return Request(
        bound,
        words["predictions"],
        words["targets"],
        arrays={**(arrays or {}), **held},
        **fields,
    )


def _in_words(name: str) -> str:
    """The name that an option has on the command line, without the two dashes."""
    return name.rstrip("_").replace("_", "-")


def _word(name: str, value: Any) -> Any:
    """An option as the command line has it.

    Raises
    ------
    UsageError
        for a value of a type that the option does not have.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, str | os.PathLike) and name not in (*WHOLE, *FRACTIONS, *YES_OR_NO):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return ",".join(f"{key}={_spoken(name, number)}" for key, number in value.items())
    if name in LISTS:
        return _joined(name, value)
    if name in ("ignore_index", "pos_weight"):
        return _spoken(name, value)
    if name in WHOLE:
        return whole(name, value)
    if name in FRACTIONS:
        return number(name, value)
    if name in YES_OR_NO:
        return yes_or_no(name, value)
    raise UsageError(f"{name}={value!r} is no text, but of type {type(value).__name__}")


def _joined(name: str, value: Any) -> str:
    """Several words or numbers, or one of them, with commas in between."""
    one = isinstance(value, Real) or not hasattr(value, "__iter__")
    return ",".join(_spoken(name, item) for item in ([value] if one else value))


def _spoken(name: str, value: Any) -> str:
    """One word or number of an option, as the command line has it: 1 for 1.0, and all digits otherwise."""
    if isinstance(value, str):
        return value
    if isinstance(value, Real | np.bool_) and not isinstance(value, bool | np.bool_):
        return str(value) if isinstance(value, Integral) else repr(float(value)).removesuffix(".0")
    raise UsageError(f"{name}: {value!r} is neither a number nor text, but of type {type(value).__name__}")


def _operands(values: Mapping[str, Any]) -> "tuple[dict[str, str], dict[str, MemorySource]]":
    """Operands as words: paths and numbers as they are, arrays under the names of their arguments."""
    from losscli.io.memory import check_places, source_of

    words, arrays = {}, {}
    _check_indices(values)
    check_places("centers", values.get("centers"))
    for name, value in values.items():
        if isinstance(value, str | os.PathLike):
            words[name] = os.fspath(value)
        elif name in SCALARS and isinstance(value, Real) and not isinstance(value, bool):
            words[name] = repr(float(value))
        elif name in NUMBERS and isinstance(value, Real) and not isinstance(value, bool):
            words[name] = str(int(value)) if isinstance(value, Integral) else repr(float(value))
        elif value is None:
            raise DataError(f"{name}: None, not a path or an array")
        else:
            words[name], arrays[name] = name, source_of(name, value)
    return words, arrays


def _check_indices(values: Mapping[str, Any]) -> None:
    """Refuse operands whose indices have the same values in different orders; rows of some options are classes."""
    from losscli.io.memory import check_index

    check_index({name: value for name, value in values.items() if name not in ("centers", *OF_CLASSES)})


def _one_library(text: str) -> str:
    from losscli.measurement.conventions import parse

    names = parse(text)
    if len(names) > 1:
        raise UsageError(f"as_={text!r}: one library at a time")
    return names[0]


def _told(notes: Sequence[str], *typed: AnyLoss) -> list[str]:
    """Notes for the result, and on the names of losses that were typed; those that are warnings are warned of as Python does."""
    from losscli.lookup.names import elsewhere

    for note in notes:
        if note.startswith("warning: "):
            warnings.warn(note.removeprefix("warning: "), LosscliWarning, stacklevel=3)
    return [
        *(note for note in notes if not note.startswith("warning: ")),
        *elsewhere(*(text for text in typed if isinstance(text, str))),
    ]


class LosscliWarning(UserWarning):
    """There is a number, and something about the data looks wrong: probabilities read as logits, labels in another order."""
