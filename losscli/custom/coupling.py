"""Whether a loss of the user's own couples rows: it is called with a few rows together, and with parts of them.

A loss that returns one number must be the mean or the sum of what it returns for the parts; one that returns a number
for each row must return the same for a row whatever the rows beside it. Otherwise a row has no loss of its own, and
only all rows together have one.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array, by_row
from losscli.custom.loss import CLASSES, ONE, Custom
from losscli.custom.reading import CallError
from losscli.definition.batch import Dense, Indices, Targets
from losscli.engine.existence import existing, filled
from losscli.errors import DataError
from losscli.records import NamedTuple
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.definition.loss import BoundLoss
    from losscli.definition.request import Request
    from losscli.engine.job import Job

ROWS = 8
"""Rows with which a loss is tried; few enough for its numbers to be shown."""
PLACES = 3
"""Places of a file, from its beginning to its end, from which rows are taken; of text, of which every read costs more, one less."""
LOOKED_AT = 256
"""Rows at each of these places among which those of different size are looked for."""
NEAR = 1e-4
"""The relative difference that counts as rounding, or as an epsilon in a denominator. Coupling is larger."""
ROUNDING = 8 * 2.0**-23
"""The rounding error of losses of numbers of size 1, some of which are computed in float32 whatever they are given."""
MEAN, SUM = "mean", "sum"
MAGNITUDES = (0, 2, -2, 4, 1, 3, -1, 2)
"""Powers of 2 by which the targets of rows that are made up differ in size."""
LABELS = (0, 1, 1, 0, 2, 0, 1, 0)
"""Labels of rows that are made up: classes are of different size, in the whole and in the parts."""


class CoupledError(DataError):
    """A loss couples rows, so that a row has no loss of its own. `fact` is how that was seen."""

    def __init__(self, name: str, fact: str, cure: str) -> None:
        super().__init__(f"{name} couples rows: {fact}; {cure}")
        self.fact = fact


class Trial(NamedTuple):
    """Rows with which a loss is tried."""

    what: str
    """What they are, for messages, such as 'the first 8 rows of p.npy'."""
    x: Array
    targets: Targets


class Verdict(NamedTuple):
    """What a trial of a loss has shown."""

    fits: frozenset[str] = frozenset((MEAN, SUM))
    """What its number may be of the numbers of parts: their 'mean', their 'sum', or both where the trial cannot tell."""
    random: bool = False
    """Whether the same rows have another loss when it is called again."""
    fact: str | None = None
    """How the trial shows that rows are coupled; None if it does not."""
    told: bool = True
    """Whether it shows anything: the rows together have a loss that is finite."""


def notes_on(request: "Request", job: "Job") -> list[str]:
    """Return notes about a loss of the user's own, after it was tried on rows of the files and on rows that are made up.

    Raises
    ------
    CoupledError
        if it couples rows and --per file was not said.
    """
    own: Custom = request.loss.declaration.core.own  # type: ignore[attr-defined]
    kind = job.extras.prediction_kind
    of_file = [trial for trial in (first_rows(job), rows_of_all_sizes(job)) if trial is not None]
    trials = [*of_file, *all_made_up(request.loss, job.predictions.shape[1:], kind, job.dtype)]
    verdicts = [tried(own, request.loss.parameters, kind, trial) for trial in trials]
    if any(verdict.random for verdict in verdicts):
        return [
            f"warning: {request.loss.name} is random, or remembers earlier calls: called twice with the same rows it returns "
            "different numbers, of which this result is one"
        ]
    if own.settings.whole:
        return []
    fact = next((verdict.fact for verdict in verdicts if verdict.fact is not None), None)
    if fact is not None:
        raise CoupledError(request.loss.name, fact, cures(own))
    notes = []
    if of_file and not any(verdict.told for verdict in verdicts[: len(of_file)]):
        others = "only rows made up for it tell" if any(verdict.told for verdict in verdicts) else "nothing tells"
        notes.append(
            f"{request.loss.name}: {others} that no row's loss depends on other rows: it is not finite for the rows of "
            f"{job.predictions.name} that were tried"
        )
    fits = frozenset((MEAN, SUM)).intersection(*(verdict.fits for verdict in verdicts))
    if own.settings.returns == ONE and fits == {SUM} and request.reduction != SUM:
        notes.append(f"{request.loss.name} adds rows up: its own number for all of them is that of --reduction sum")
    return notes


def refuse_to_draw(bound: "BoundLoss") -> None:
    """Raise a CoupledError if a loss couples rows, so that it has no curve."""
    own: Custom = bound.declaration.core.own  # type: ignore[attr-defined]
    row = (2,) if bound.family.name == CLASSES.name else ()
    verdicts = [tried(own, bound.parameters, "logits", trial) for trial in all_made_up(bound, row)]
    fact = next((verdict.fact for verdict in verdicts if verdict.fact is not None), None)
    if fact is not None:
        raise CoupledError(bound.name, fact, "a curve is of one row alone")


def cures(own: Custom) -> str:
    """Return what the user may do about a loss that couples rows."""
    other = "return one number per row" if own.settings.returns == ONE else "compute each row's loss of this row alone"
    return f"say --per file for the whole file as one loss, or {other}"


def first_rows(job: "Job") -> Trial | None:
    """Return the first rows of a job that exist; None if there is only one."""
    predictions, targets = _existing_rows(job, 0, min(ROWS, job.samples))
    what = f"the first {len(predictions)} rows of {job.predictions.name}"
    return _trial(job, what, predictions, targets) if len(predictions) > 1 else None


def rows_of_all_sizes(job: "Job") -> Trial | None:
    """Return rows from several places of a job's file, whose targets are as different in size, or in class, as those there are.

    None if the first rows are all rows.
    """
    if job.samples <= ROWS:
        return None
    places = PLACES - (max(job.predictions.grain, job.targets.grain) > 1)
    each = min(LOOKED_AT, job.samples // places)
    starts = [round(place * (job.samples - each) / (places - 1)) for place in range(places)]
    parts = [_existing_rows(job, start, start + each) for start in starts]
    predictions, targets = (np.concatenate(side) for side in zip(*parts, strict=True))
    finite = by_row(np.isfinite(predictions)).all(axis=1)
    if targets.dtype.kind == "f":
        finite &= by_row(np.isfinite(targets)).all(axis=1)
    predictions, targets = predictions[finite], targets[finite]
    if len(predictions) < 2:
        return None
    order = np.argsort(_sizes(job.encoding.targets(targets)), kind="stable")
    chosen = np.unique(order[np.linspace(0, len(order) - 1, ROWS).round().astype(np.int64)])
    what = f"{len(chosen)} rows of {job.predictions.name} from its beginning to its end"
    return _trial(job, what, predictions[chosen], targets[chosen])


def _existing_rows(job: "Job", start: int, stop: int) -> tuple[Array, Array]:
    """Return predictions and targets of the rows from start to stop that exist; elements that do not are ordinary numbers."""
    predictions, targets = np.array(job.predictions.read(start, stop)), np.array(job.targets.read(start, stop))
    kept, elements = existing(job, targets, None if job.mask is None else job.mask.read(start, stop))
    if kept is not None:
        predictions, targets = predictions[kept], targets[kept]
    return (predictions, targets) if elements is None else filled(job, predictions, targets, elements)


def _trial(job: "Job", what: str, predictions: Array, targets: Array) -> Trial:
    """Return rows of a job as a trial, which is described in words."""
    return Trial(what, predictions.astype(job.dtype), job.encoding.targets(targets))


def _sizes(targets: Targets) -> Array:
    """Return the size of each row's target, shape (n,): the label of a class, or the mean absolute value of numbers."""
    if not isinstance(targets, Dense):
        return targets.index
    return by_row(np.abs(targets.t.astype(np.float64))).mean(axis=1)


def all_made_up(
    loss: "BoundLoss", row: tuple[int, ...], prediction_kind: str = "logits", dtype: Any = np.float64
) -> list[Trial]:
    """Return rows of shape `row` that are made up: with classes or outcomes as targets and, for losses of numbers, also with
    numbers of several magnitudes.

    Predictions are ordinary numbers between 0 and 1, of which no two are alike, or their logarithms.
    """
    k = int(np.prod(row, dtype=np.int64))
    fractions = (np.arange(1, ROWS * k + 1) * 0.6180339887498949) % 1
    x = (0.05 + 0.9 * fractions).reshape(ROWS, *row)
    classes = loss.family.name == CLASSES.name
    x = x / x.sum(axis=1, keepdims=True) if classes else x
    x = (np.log(x) if prediction_kind == "log-probs" else x).astype(dtype)
    what = f"{ROWS} rows made up for it"
    if classes:
        return [Trial(what, x, Indices(np.array(LABELS) % k))]
    bits = np.array([int(number).bit_count() % 2 for number in range(1, ROWS * k + 1)])
    trials = [Trial(what, x, Dense(bits.reshape(x.shape).astype(dtype)))]
    if loss.family.target_type == "numbers":
        magnitudes = 2.0 ** np.array(MAGNITUDES).reshape(ROWS, *(1 for _ in row))
        trials.append(Trial(what, x, Dense((x + 0.5) * magnitudes.astype(dtype))))
    return trials


def tried(own: Custom, parameters: Mapping[str, float | None], prediction_kind: str, trial: Trial) -> Verdict:
    """Call a loss with the rows of a trial, together and in parts, and return what that shows.

    A trial shows nothing where the rows together have no finite loss, or cannot be called.
    """
    x, kind, _ = own.wanted(trial.x, prediction_kind)
    t = own.targets(trial.targets, trial.x)

    def call(rows: Any) -> Array:
        with own.foreign(), np.errstate(all="ignore"):
            function = own.function(parameters, kind)
            returned = function(own.framework.array(x[rows].copy()), own.framework.array(t[rows].copy()))
            numbers = own.numbers(returned).astype(np.float64)
        if own.settings.returns == ONE and numbers.size != 1:
            raise CallError(f"it returns shape {numbers.shape}")
        return numbers.reshape(()) if own.settings.returns == ONE else own.shaped(numbers, x[rows])

    floor = ROUNDING * max(1.0, _size(x), _size(t))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a few rows warn of says nothing about all
        try:
            whole, again = call(slice(None)), call(slice(None))
        except CallError:
            return Verdict(told=False)
        if whole.shape != again.shape or not _near(whole, again, floor).all():
            return Verdict(random=True)
        if own.settings.returns == ONE:
            return _of_number(float(whole), call, len(x), trial.what, floor)
        return _of_rows(whole, call, trial.what, floor)


def _splits(rows: int) -> list[list[Array]]:
    """Return ways to cut rows into parts: each row alone, one and all others, and every other one."""
    every = np.arange(rows)
    return [[every[i : i + 1] for i in every], [every[:1], every[1:]], [every[::2], every[1::2]]]


def _of_number(whole: float, call: Callable[[Any], Array], rows: int, what: str, floor: float) -> Verdict:
    """Return what becomes of a loss that returns one number, `whole`, for all rows of a trial, when it is called with parts."""
    if not np.isfinite(whole):
        return Verdict(told=False)
    fits = {MEAN, SUM}
    for parts in _splits(rows):
        try:
            numbers = np.array([float(call(part)) for part in parts])
        except CallError as error:
            return Verdict(
                frozenset(), fact=f"called on {what}, it returns {whole:.7g}, and on a part of them: {error}"
            )
        sizes = np.array([len(part) for part in parts])
        made = {MEAN: float(numbers @ sizes / rows), SUM: float(numbers.sum())}
        scale = max(floor, NEAR * _size(np.append(numbers, whole)))
        fits = {name for name in fits if abs(made[name] - whole) <= scale}
        if not fits:
            shown = ", ".join(f"{number:.7g}" for number in numbers[:4]) + (", ..." if len(numbers) > 4 else "")
            how = "on each alone" if len(parts) == rows else f"on parts of {' and '.join(map(str, sizes))} rows"
            return Verdict(
                frozenset(),
                fact=f"called on {what}, it returns {whole:.7g}, which is neither the mean ({made[MEAN]:.7g}) nor the sum "
                f"({made[SUM]:.7g}) of what it returns {how} ({shown})",
            )
    return Verdict(frozenset(fits))


def _of_rows(whole: Array, call: Callable[[Any], Array], what: str, floor: float) -> Verdict:
    """Return what becomes of the losses of rows, `whole`, when a loss is called with parts of the rows of a trial."""
    for parts in _splits(len(whole)):
        apart = np.empty_like(whole)
        try:
            for part in parts:
                apart[part] = call(part)
        except CallError:
            continue
        wrong = np.isfinite(whole) & ~_near(apart, whole, floor)
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            beside = next(len(part) for part in parts if place[0] in part) - 1
            company = f"with {count(beside, 'other row')} only" if beside else "alone"
            return Verdict(
                frozenset(),
                fact=f"called on {what}, it gives row {place[0]} the loss {whole[place]:.7g}, and {apart[place]:.7g} {company}: "
                "a row's loss depends on the rows beside it",
            )
    return Verdict(told=bool(np.isfinite(whole).any()))


def _near(one: Array, other: Array, floor: float) -> Array:
    """Whether numbers are the same but for rounding; NaN and infinities are the same as themselves."""
    with np.errstate(all="ignore"):
        close = np.abs(one - other) <= np.maximum(floor, NEAR * np.maximum(np.abs(one), np.abs(other)))
    return close | (one == other) | (np.isnan(one) & np.isnan(other))


def _size(values: Array) -> float:
    """Return the largest finite absolute value; 0 if there is none."""
    finite = np.abs(values[np.isfinite(values)].astype(np.float64)) if values.size else np.zeros(0)
    return float(finite.max(initial=0.0))
