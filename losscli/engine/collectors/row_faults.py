"""Faults of rows: collected on the pass, and raised after it with the first places and their number."""

import math
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array, by_row, row_sums
from losscli.data.scalars import BOUNDS, DOMAINS
from losscli.data.target_encoding import SUM_TOLERANCE
from losscli.definition.batch import Sequences
from losscli.definition.domain import LOG_PROBABILITIES, REAL, Domains, Interval
from losscli.engine.aggregates import PLACES_SHOWN, Faults
from losscli.engine.collector import BatchCollector
from losscli.errors import DataError
from losscli.findings import ERROR, WARNING, Finding
from losscli.records import NamedTuple, dataclass
from losscli.wording import count, written

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job
    from losscli.io.source import Source

NAN_PREDICTION = "nan prediction"
NAN_TARGET = "nan target"
UNDEFINED = "undefined"
BAD_WEIGHT = "weight"
OUTSIDE_PREDICTION = "prediction outside"
OUTSIDE_TARGET = "target outside"
BAD_THIRD_OPERAND = "third operand"
CROSSED_PREDICTION = "crossed prediction"
CROSSED_TARGET = "crossed target"
NOT_PROBABILITY = "not a probability"
NOT_LOG_PROBABILITY = "not a log-probability"
ROW_SUM = "row sum"
OVERFLOWED = "overflowed"
SATURATED = "saturated"
NO_ALIGNMENT = "no alignment"
INFINITE = "infinite"
INFINITE_TARGET = "infinite target"
INFINITE_TOGETHER = "infinite together"
ALLOWED_THIRD = {
    **{name: domain._replace(high_closed=True) for name, domain in DOMAINS.items()},
    "reference": LOG_PROBABILITIES,
    "event": Interval(0, 1, low_closed=True, high_closed=True, whole=True),
}
"""The numbers that a third operand may be, by its name; features may be any."""


@dataclass(frozen=True)
class FaultFinder(BatchCollector):
    """Collects faults of rows, and also what is not a fault but worth a warning."""

    record = Faults
    exact = True
    reads_only = True

    def of(self, job: "Job", batch: "Batch") -> Faults:
        faults = Faults()
        if not len(batch.losses):
            return faults
        look = _Looker(batch.first, batch.kept)
        # Their sum tells in one pass whether all losses are finite; it may overflow where they are, and then each is looked at.
        finite = bool(np.isfinite(batch.losses.sum()))
        if job.encoding.kind == "sequences":
            return faults + _of_sequences(job, look, batch, finite)
        if job.predictions.dtype == np.float16:
            faults = faults + look(OVERFLOWED, np.isinf(batch.predictions), batch.predictions)
        if finite:
            return _faults(job, look, batch, finite) + faults
        infinite = np.isinf(batch.losses)
        if job.extras.prediction_kind == "probs" and job.loss.family.coupled is None:
            faults = faults + look(SATURATED, infinite, batch.losses)
        elif not faults and infinite.any():  # an overflow says more
            faults = faults + _infinite(look, batch, infinite)
        return _faults(job, look, batch, finite) + faults


def _infinite(look: "_Looker", batch: "Batch", infinite: Array) -> Faults:
    """Return the rows whose loss is infinite, those with an infinite target apart; `infinite` says which, shape (n,)."""
    if batch.targets.dtype.kind != "f":
        return look(INFINITE, infinite, batch.losses)
    held = np.isinf(batch.targets) & infinite.reshape(-1, *(1,) * (batch.targets.ndim - 1))
    others = infinite & ~by_row(held).any(axis=1)
    return look(INFINITE_TARGET, held, batch.targets) + look(INFINITE, others, batch.losses)


def undefined_mask(losses: Array, rows: Array | None = None) -> Faults:
    """Return the fault of masks whose loss is undefined, although each of their rows is as it should be.

    `rows` are the first rows of the masks that `losses` are of; None for row 0.
    """
    undefined = np.flatnonzero(np.isnan(losses))
    places = [0] if rows is None else rows[undefined[:PLACES_SHOWN]].tolist()
    return Faults({UNDEFINED: (len(undefined), tuple((row, None, math.nan) for row in places))})


def infinite_mask(losses: Array, rows: Array | None) -> Faults:
    """Return the fault of masks whose loss is infinite; `rows` are the first rows of each, or None for masks of all rows."""
    infinite = np.flatnonzero(np.isinf(losses))
    if not len(infinite):
        return Faults()
    fault, places = (INFINITE_TOGETHER, infinite * 0) if rows is None else (INFINITE, rows[infinite])
    shown = zip(places[:PLACES_SHOWN].tolist(), losses[infinite].tolist(), strict=False)
    return Faults({fault: (len(infinite), tuple((row, None, loss) for row, loss in shown))})


def _of_sequences(job: "Job", look: "_Looker", batch: "Batch", finite: bool) -> Faults:
    """Return the faults of a batch of sequences, in which time steps beyond a sample's own may hold anything."""
    from losscli.losses.sequence import steps_needed

    sequences, classes = Sequences(batch.targets), job.encoding.k
    steps: Array = batch.predictions.reshape(len(batch.targets), batch.predictions.shape[1] // classes, classes)
    within = np.asarray(np.arange(steps.shape[1]) < sequences.steps[:, None])
    exists = np.broadcast_to(within[..., None], steps.shape)
    predictions: Array = np.where(exists, steps, 0).reshape(batch.predictions.shape)
    faults = _faults(job, look, batch._replace(predictions=predictions), finite)
    kind = job.extras.prediction_kind
    if kind != "logits" and not faults:
        sums = np.repeat(row_sums(_as_probabilities(steps.reshape(-1, classes), kind)), classes).reshape(
            predictions.shape
        )
        first = (np.arange(predictions.shape[1]) % classes == 0) & exists.reshape(predictions.shape)
        faults = faults + look(ROW_SUM, ~(np.abs(sums - 1) <= SUM_TOLERANCE) & first, sums)
    if job.predictions.dtype == np.float16:
        faults = faults + look(OVERFLOWED, np.isinf(predictions), predictions)

    infinite, needed = np.isposinf(batch.losses), steps_needed(sequences)
    none = needed > sequences.steps
    reason = SATURATED if kind == "probs" else INFINITE
    faults = faults + look(reason, infinite & ~none, batch.losses)
    return faults + look(NO_ALIGNMENT, infinite & none, needed)


def _as_probabilities(predictions: Array, kind: str) -> Array:
    return predictions if kind == "probs" else np.exp(predictions)


class _Looker(NamedTuple):
    """Counts the places that have a fault, and keeps the first few."""

    start: int
    kept: Array | None

    def __call__(self, fault: str, bad: Array, values: Array) -> Faults:
        if not bad.any():
            return Faults()
        rows, *columns = np.nonzero(bad)
        sample = self.start + (rows if self.kept is None else np.flatnonzero(self.kept)[rows])
        shown = []
        for number, value in enumerate(values[bad][:PLACES_SHOWN].tolist()):
            column = int(columns[0][number]) if columns else None
            shown.append((int(sample[number]), column, float(value)))
        return Faults({fault: (len(rows), tuple(shown))})


def _faults(job: "Job", look: _Looker, batch: "Batch", finite: bool) -> Faults:
    """Return the faults of a batch; most checks are skipped if the losses, when known to be `finite`, show that nothing is wrong."""
    predictions, prediction_kind = batch.predictions, job.extras.prediction_kind
    # A weight of 0 hides a NaN from the losses; if there may be one, NaN is searched for in the predictions themselves.
    hidden = job.output_weights is not None or job.extras.pos_weight is not None or 0 in job.loss.parameters.values()
    doubtful = hidden or not finite
    bounded = job.domains != Domains() or batch.third_operand is not None
    if batch.sample_weights is None and prediction_kind == "logits" and not bounded and not doubtful:
        return Faults()
    faults = _outside_domains(job, look, batch)
    if prediction_kind != "logits":
        faults = faults + (_not_of_kind(look, predictions, prediction_kind) or _odd_sums(job, look, predictions))
    undefined = np.isnan(batch.losses) if doubtful else None
    if undefined is not None and (hidden or undefined.any()) and not faults:
        if job.extras.box is not None:
            faults = _crossed(job.extras.box, look, batch)
        faults = faults or _undefined(look, batch, undefined)
    return faults


def _odd_sums(job: "Job", look: _Looker, predictions: Array) -> Faults:
    """Return the rows whose probabilities do not sum to 1, for losses over classes."""
    if job.loss.family.target_type != "classes" or predictions.ndim == 1:
        return Faults()
    sums = row_sums(_as_probabilities(predictions, job.extras.prediction_kind))
    return look(ROW_SUM, ~(np.abs(sums - 1) <= SUM_TOLERANCE), sums)


def _outside_domains(job: "Job", look: _Looker, batch: "Batch") -> Faults:
    """Return the numbers that the loss does not take: predictions, targets, those of the third operand, and weights."""
    faults, domains = Faults(), job.domains
    third_operand, weights = batch.third_operand, batch.sample_weights
    if domains.predictions != REAL:
        outside = domains.predictions.outside(batch.predictions)
        faults = faults + look(OUTSIDE_PREDICTION, outside, batch.predictions)
    if domains.targets != REAL:
        faults = faults + look(OUTSIDE_TARGET, domains.targets.outside(batch.targets), batch.targets)
    if third_operand is not None:
        own = ALLOWED_THIRD.get(job.loss.family.third_operand or "", REAL)
        allowed = job.convention.taken.third_operand or own
        outside = np.isnan(third_operand) | (False if allowed == REAL else allowed.outside(third_operand))
        faults = faults + look(BAD_THIRD_OPERAND, outside, third_operand)
    if weights is not None:
        faults = faults + look(BAD_WEIGHT, ~((weights >= 0) & np.isfinite(weights)), weights)
    return faults


def _not_of_kind(look: _Looker, predictions: Array, prediction_kind: str) -> Faults:
    """Return the predictions that are NaN, no probabilities or, for the kind 'log-probs', no log-probabilities."""
    faults = look(NAN_PREDICTION, np.isnan(predictions), predictions)
    if prediction_kind == "probs":
        return faults + look(NOT_PROBABILITY, (predictions < 0) | (predictions > 1), predictions)
    return faults + look(NOT_LOG_PROBABILITY, predictions > 0, predictions)


def _crossed(form: str, look: _Looker, batch: "Batch") -> Faults:
    """Return the numbers that make boxes impossible; `form` says how boxes are written."""
    from losscli.losses.box import crossed

    faults = look(CROSSED_PREDICTION, crossed(batch.predictions, form), batch.predictions)
    return faults + look(CROSSED_TARGET, crossed(batch.targets, form), batch.targets)


def _undefined(look: _Looker, batch: "Batch", undefined: Array) -> Faults:
    """Return the predictions and targets that are NaN or, if there is none, the rows whose loss is undefined."""
    faults = look(NAN_PREDICTION, np.isnan(batch.predictions), batch.predictions)
    if batch.targets.dtype.kind == "f":
        faults = faults + look(NAN_TARGET, np.isnan(batch.targets), batch.targets)
    return faults or look(UNDEFINED, undefined, batch.losses)


def raise_faults(job: "Job", faults: Faults) -> None:
    """Raise a DataError for the gravest fault that a pass found, if there is one, with its first places
    and its number.
    """
    for fault in _grave(faults):
        number, places = faults.found[fault]
        kind = _kind(job, fault, places[0])
        # A weight of a sample is that of all its positions: one place, however many there are.
        _, *more = dict.fromkeys(_where(job, kind.source, place[0], place[1]) for place in places)
        ends = " ..." if number > len(places) else ""
        others = f"; {number:,} in all, also {', '.join(more)}{ends}" if more else ""
        raise DataError(f"{kind.source.place(*places[0][:2])}: {kind.fact}; {kind.cure}{others}", kind.code)


def _where(job: "Job", source: "Source", row: int, column: int | None) -> str:
    """Return a place in words, without the file."""
    if job.layout is not None:
        return source.place(row, column).removeprefix(source.name)
    return f"row {row}" + ("" if column is None else f" column {column}")


def findings(job: "Job", faults: Faults) -> list[Finding]:
    """Return everything that a pass found, the gravest fault first, and warnings at the end."""
    results = []
    for fault in [
        *_grave(faults),
        *(fault for fault in _WARNINGS if fault in faults.found),
    ]:
        number, places = faults.found[fault]
        kind = _kind(job, fault, places[0])
        where = tuple(kind.source.place(row, column) for row, column, _ in places)
        where = (kind.source.name,) if fault == INFINITE_TOGETHER else where
        noun = "result" if fault == INFINITE_TOGETHER else "row" if places[0][1] is None else "value"
        message = f"{where[0]}: {kind.fact} ({count(number, noun)} like this)"
        severity = ERROR if fault in _GRAVITY else WARNING
        results.append(Finding(kind.code, severity, message, where, kind.cure))
    return results


def _grave(faults: Faults) -> list[str]:
    """Return the faults that are errors, the gravest first."""
    return [fault for fault in _GRAVITY if fault in faults.found]


class _Kind(NamedTuple):
    """A fault in words: the source that has it, its code among the findings, the fact and the cure."""

    source: "Source"
    code: str
    fact: str
    cure: str


def _kind(job: "Job", fault: str, place: tuple[int, int | None, float]) -> _Kind:
    """Return the words for a fault; `place` is the first place that has it."""
    others: dict[str, Source | None] = {
        NAN_TARGET: job.targets,
        OUTSIDE_TARGET: job.targets,
        INFINITE_TARGET: job.targets,
        BAD_WEIGHT: job.weights,
        BAD_THIRD_OPERAND: job.third_operand,
        CROSSED_TARGET: job.targets,
    }
    code, *texts = _words(job, fault, place)
    fact, cure = (
        text.format(value=written(place[2]), number=place[2], loss=job.loss.name, domains=job.domains) for text in texts
    )
    return _Kind(others.get(fault) or job.predictions, code, fact, cure)


class _Words(NamedTuple):
    """The words for a fault: its code among the findings, and templates of the fact and the cure.

    A template may name the `value` at the first place, also as a `number` to be formatted, the `loss` and its `domains`.
    """

    code: str
    fact: str
    cure: str


def _words(job: "Job", fault: str, place: tuple[int, int | None, float]) -> _Words:
    """Return the words for a fault of the rows of a job; `place` is the first place that has it."""
    if fault == BAD_THIRD_OPERAND and (name := job.loss.family.third_operand or "") in DOMAINS:
        return _Words("outside-domain", f"{{value}} is no {name}", f"a {name} is a number {BOUNDS[DOMAINS[name]]}")
    reference = fault == BAD_THIRD_OPERAND and job.loss.family.third_operand == "reference"
    if reference or (fault == OUTSIDE_PREDICTION and job.domains.predictions == LOG_PROBABILITIES):
        return _Words(
            "outside-domain",
            "{value} is no log-probability, which is at most 0",
            "if these are probabilities, take their logarithms",
        )
    if fault == BAD_THIRD_OPERAND and job.loss.family.third_operand == "event":
        return _Words(
            "outside-domain",
            "{value} in --event",
            "an event is 1, and a time that is censored 0; of other codes, save code == 1",
        )
    if fault in (CROSSED_PREDICTION, CROSSED_TARGET):
        return _words_of_boxes(job.extras.box or "xyxy", place[1])
    if fault == NAN_TARGET and len(job.targets.shape) == 2:
        cure = "remove the row" + (", or leave such elements out with --missing ignore" if job.several else "")
        return _WORDS[fault]._replace(cure=cure)
    if fault == NAN_PREDICTION and job.encoding.kind == "none":
        return _WORDS[fault]._replace(
            cure="padding is left out with --mask FILE, 0 and 1 in the shape of the predictions"
        )
    if fault in (INFINITE, INFINITE_TOGETHER):
        return _words_of_infinity(job, fault)
    if fault == UNDEFINED and job.loss.declaration.undefined is not None:
        return _Words("undefined-loss", *job.loss.declaration.undefined)
    if fault == UNDEFINED and job.predictions.dtype == np.float16:
        return _WORDS[fault]._replace(cure="float16 ends at 65504: save float32")
    return _WORDS[fault]


def _words_of_boxes(form: str, column: int | None) -> _Words:
    """Return the words for a box that is impossible by the number in a column; `form` says how boxes are written."""
    if form == "xyxy":
        far, near = ("x2", "x1") if column == 2 else ("y2", "y1")
        return _Words(
            "outside-domain",
            f"{far} of the box is {{value}}, less than its {near}",
            "a box is x1, y1, x2, y2 with x1 <= x2 and y1 <= y2; if these are widths and heights, say --box xywh or --box cxcywh",
        )
    return _Words(
        "outside-domain",
        f"the {'width' if column == 2 else 'height'} of the box is {{value}}, less than 0",
        "correct the row, or say with --box how boxes are written",
    )


def _words_of_infinity(job: "Job", fault: str) -> _Words:
    """Return the words for losses that are infinite, of single rows or of many together."""
    what = "row" if fault == INFINITE else "rows together"
    cure = "leave such rows out, or take another loss" if fault == INFINITE else "take another loss"
    if job.loss.parameters.get("epsilon") == 0:
        cure += ", or say --epsilon E, which keeps it finite"
    return _Words("infinite-loss", f"the loss of the {what} is {{value}}", cure)


_WORDS = {
    NAN_PREDICTION: _Words("nan-predictions", "the prediction is NaN", "correct the row or leave it out"),
    NAN_TARGET: _Words("nan-targets", "the target is NaN", "remove the row, or leave it out with --ignore-index nan"),
    OUTSIDE_PREDICTION: _Words(
        "outside-domain",
        "the prediction {value} is not in {domains.predictions}",
        "{loss} takes no other predictions",
    ),
    OUTSIDE_TARGET: _Words(
        "outside-domain",
        "the target {value} is not in {domains.targets}",
        "{loss} takes no other targets",
    ),
    BAD_THIRD_OPERAND: _Words("outside-domain", "{value} is no feature", "correct the row or leave it out"),
    BAD_WEIGHT: _Words(
        "bad-weights",
        "the weight {value} is negative or not finite",
        "weights are numbers >= 0",
    ),
    NOT_PROBABILITY: _Words(
        "not-probabilities",
        "{value} is not a probability",
        "if these are logits, say --from logits; if log-probabilities, --from log-probs",
    ),
    NOT_LOG_PROBABILITY: _Words(
        "not-probabilities",
        "{value} is not a log-probability, which is at most 0",
        "if these are probabilities, say --from probs; if logits, --from logits",
    ),
    ROW_SUM: _Words(
        "row-sums",
        "the probabilities of the row sum to {number:.6g}, not 1",
        "divide each row by its sum if it was rounded; if these are logits, say --from logits; if several labels may hold "
        "at once, use a sigmoid loss",
    ),
    UNDEFINED: _Words(
        "undefined-loss",
        "the loss is undefined, as where infinite values cancel, no class is possible, or features have the length 0",
        "look at the values of this row",
    ),
    OVERFLOWED: _Words(
        "float16-overflow",
        "an infinity in a file of float16, which ends at 65504",
        "save float32 before anything overflows",
    ),
    INFINITE_TARGET: _Words(
        "infinite-loss", "the target is {value}, and so the loss infinite", "correct the row or leave it out"
    ),
    SATURATED: _Words(
        "saturated-probabilities",
        "the probability of what happened is exactly 0, and so the loss infinite",
        "was it rounded? Save logits, or log-probabilities with --from log-probs",
    ),
    NO_ALIGNMENT: _Words(
        "no-alignment",
        "the labels need {value} time steps, one each and one more between equal neighbours, and there are fewer: the loss is "
        "infinite",
        "are the lengths right? Correct the sample or leave it out",
    ),
}


_GRAVITY = [
    NAN_PREDICTION,
    NAN_TARGET,
    OUTSIDE_PREDICTION,
    OUTSIDE_TARGET,
    BAD_THIRD_OPERAND,
    BAD_WEIGHT,
    CROSSED_PREDICTION,
    CROSSED_TARGET,
    NOT_PROBABILITY,
    NOT_LOG_PROBABILITY,
    ROW_SUM,
    UNDEFINED,
]
_WARNINGS = (
    OVERFLOWED,
    SATURATED,
    INFINITE_TARGET,
    INFINITE,
    INFINITE_TOGETHER,
    NO_ALIGNMENT,
)
"""Faults with which there is a number nevertheless."""
