"""Calibration of files: a temperature, Platt scaling or isotonic regression is fitted to labels, with scores before and after."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_args

import numpy as np

from losscli.analysis.calibration.maps import CalibrationMap, Tempered
from losscli.analysis.calibration.scores import DRAWS, Scores
from losscli.analysis.calibration.temperature import (
    FLAT,
    LOST,
    MOST_BIASES,
    TO_INFINITY,
    TO_ZERO,
    Fit,
    Look,
    Point,
    Seen,
    fit,
    fit_biases,
    likelihood_of,
)
from losscli.analysis.words import CalibrationMethod
from losscli.arrays import Array
from losscli.definition.request import Request
from losscli.engine.collector import Aggregate, Collector
from losscli.engine.collectors.calibration_bins import P_POSITIVE, P_PREDICTED, of_positive
from losscli.engine.job import Job
from losscli.errors import DataError, UsageError
from losscli.io.bytes import Looked
from losscli.io.memory import source_of
from losscli.measurement.class_labels import group_names
from losscli.measurement.measure import Measurement
from losscli.measurement.prepare import prepare
from losscli.measurement.result import Result
from losscli.records import NamedTuple, dataclass, replace
from losscli.shown import Shown
from losscli.wording import count, did_you_mean, listing, quoted

BINS = 15
MOST_BINS = 1000
METHODS: tuple[CalibrationMethod, ...] = get_args(CalibrationMethod)
SAME = 1e-9
"""Relative difference of two mean cross-entropies that is too small for a note."""


class Terms(NamedTuple):
    """What is fitted, and how calibration is measured.

    `method` is a `CalibrationMethod`. `bias` says whether a temperature comes with a bias per class. `bins` is the number of bins of the
    calibration errors, and `seed` that of the random numbers of their bands.
    """

    method: str = "temperature"
    bias: bool = False
    bins: int = BINS
    seed: int = 0

    def check(self) -> None:
        """Raise a UsageError if an option is outside its domain, or does not go together with the method."""
        if self.method not in METHODS:
            raise UsageError(
                f"--method {self.method}: not one of {listing(METHODS)}{did_you_mean(self.method, METHODS)}"
            )
        check_bins(self.bins)
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"--seed {self.seed} is not in 0 ... {2**32 - 1}")
        if self.bias and self.method != "temperature":
            raise UsageError(
                f"--bias goes with a temperature; --method {self.method} moves each column anyway, leave it out"
            )


@dataclass(repr=False)
class Calibrated(Shown):
    """A fit, and the scores of the predictions before and after it."""

    measurement: Measurement
    result: Result
    fit: Fit
    before: Scores
    after: Scores
    map: CalibrationMap
    terms: Terms
    notes: list[str]

    @property
    def seed(self) -> int:
        return self.terms.seed

    @property
    def temperature(self) -> float | None:
        """The temperature T, by which logits are divided; None if another method was fitted."""
        return 1 / self.fit.point.beta if self.terms.method == "temperature" else None

    @property
    def name(self) -> str:
        """What was fitted, in words."""
        return {"platt": "Platt scaling", "isotonic": "isotonic regression"}.get(
            self.terms.method, f"T = {1 / self.fit.point.beta:.4g}"
        )

    def applied(self, predictions: Any) -> Array:
        """Return calibrated predictions, of the kind `map.kind_after`, in the shape of predictions of the fit's kind and columns.

        Columns of a data frame belong to the fit's of the same names, whatever their order, and keep their order in the result.

        Raises
        ------
        DataError
            for what is no array, or an array of other columns.
        """
        from losscli.analysis.calibration.apply import Basis, order_of

        source = source_of("predictions", predictions)
        order = order_of(source, Basis.of(self.measurement))
        return (self.map if order is None else self.map.reordered(order)).applied(source.array)

    def biases(self) -> dict[str, float] | None:
        """Return the bias of each class by its name, or None.

        For a single score per row, the bias of one class is half of what is added to the score, and
        that of the other its negative.
        """
        bias = self.fit.point.bias
        return (
            None
            if bias is None
            else dict(zip(group_names(self.measurement.job, self.measurement.decoded), bias.tolist(), strict=True))
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the result with the keys of the JSON contract."""
        receipt, biases = self.result.receipt, self.biases()
        return {
            "temperature": self.temperature,
            "method": self.terms.method,
            "converged": self.fit.converged,
            "iterations": self.fit.iterations,
            "limit": self.fit.limit,
            **({} if biases is None else {"bias": biases}),
            "map": self.map.to_dict(self.columns()),
            "before": self.before.to_dict(self.seed),
            "after": self.after.to_dict(self.seed),
            "samples": self.result.samples,
            "ignored": self.result.ignored,
            "scored_on": "the rows of the fit",
            "ece_of": self.ece_of,
            "brier_formula": self.brier_formula,
            "seed": self.seed,
            "draws": DRAWS,
            **{
                name: receipt[name]
                for name in ("losscli", "from", "predictions", "targets", "classes", "ignore_index", "sample_weight")
                if name in receipt
            },
            "signature": self.result.signature,
        }

    def columns(self) -> list[str]:
        """Return the names of the columns that a map has: of one number per row that of the positive class."""
        names = group_names(self.measurement.job, self.measurement.decoded)
        return names[1:] if len(self.measurement.job.predictions.shape) == 1 else names

    @property
    def ece_of(self) -> str:
        """What ECE is of, in words."""
        return P_POSITIVE if self.after.positive else P_PREDICTED

    @property
    def brier_formula(self) -> str:
        job = self.measurement.job
        if job.several:
            return "mean over outputs of (p - t)**2"
        return "(p - t)**2" if len(job.predictions.shape) == 1 else "sum over classes of (p - t)**2"


LEAST_WEIGHT, LARGEST_WEIGHT = 1e-250, 1e250


@dataclass
class Rounds:
    """Makes passes over the files of a measurement; the first one also collects everything that `compute` collects."""

    measurement: Measurement
    positive: bool
    """Whether calibration errors are of the positive class's probability."""
    threads: int | None
    begun: Callable[[Job], None]
    seen: Callable[[int], None]
    result: Result | None = None

    def __call__(self, points: tuple[Point, ...], bins: int | None = None) -> Seen:
        return self.collected(Look(points, bins, self.positive))[Seen]

    def collected(self, *collectors: Collector) -> Aggregate:
        """Return what a pass with these collectors keeps."""
        measurement = self.measurement
        self.begun(measurement.job)
        if self.result is not None:
            measurement.collectors = [*measurement.essential(), *collectors]
            return measurement.pass_over(threads=self.threads, seen=self.seen)
        for collector in collectors:
            measurement.observe(collector)
        self.result = measurement.run(threads=self.threads, seen=self.seen)
        self._check_weights(self.result.denominator)
        return self.result.aggregate

    def _check_weights(self, total: float | None) -> None:
        """Raise a DataError if the sum of the weights is so large or small that sums of their products leave the range."""
        job = self.measurement.job
        if job.weighed and total and not LEAST_WEIGHT < total < LARGEST_WEIGHT:
            said = f"sum to {total:.3g}" if math.isfinite(total) else "have a sum that is too large for a number"
            raise DataError(
                f"{job.predictions.name}: its weights {said}, beyond what a calibration computes with; divide them by their largest"
            )


def calibrate(
    request: Request,
    terms: Terms = Terms(),
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    opened: Callable[[Measurement], None] = lambda measurement: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
    command: str = "losscli calibrate {}",
) -> Calibrated:
    """Fit a calibration of a request's predictions to its labels.

    Parameters
    ----------
    request
        its `activation` says whether columns are outcomes of their own, and its `reliability_of` what calibration errors are of.
    opened
        called with the measurement before the first pass; it may raise an error.
    begun
        called with the job when a pass begins.
    seen
        called with the number of rows done so far.
    command
        how the command is typed, with {} for operands and options; for messages.

    Raises
    ------
    DataError
        if files cannot be used, or rows have an infinite cross-entropy at every temperature.
    UsageError
        if an option is outside its domain.
    """
    terms.check()
    with telling_of_several_labels(request, command):
        return _calibrated(request, terms, threads, looked, opened, begun, seen)


def _calibrated(
    request: Request,
    terms: Terms,
    threads: int | None,
    looked: Looked,
    opened: Callable[[Measurement], None],
    begun: Callable[[Job], None],
    seen: Callable[[int], None],
) -> Calibrated:
    """Return what `calibrate` does."""
    measurement = prepared_for(request, looked, once=False)
    job = measurement.job
    rounds = Rounds(measurement, of_positive(job, request.reliability_of), threads, begun, seen)
    opened(measurement)
    if terms.method != "temperature":
        from losscli.analysis.calibration.one_vs_rest import one_vs_rest

        solution, found, before, after, notes = one_vs_rest(rounds, terms)
    else:
        solution, before, after = _tempered(rounds, terms)
        found = Tempered(job.extras.prediction_kind, job.several, solution.point)
        notes = _told(measurement, solution)
    assert rounds.result is not None
    notes = [*measurement.notes, *_renormalised(measurement.request, rounds.result, before), *notes]
    return Calibrated(measurement, rounds.result, solution, before, after, found, terms, list(dict.fromkeys(notes)))


def prepared_for(request: Request, looked: Looked = lambda name, done, size: None, once: bool = True) -> Measurement:
    """Return the measurement of the cross-entropy of a request's files, whose activation chooses it.

    Raises
    ------
    DataError
        for soft targets, and where some outcomes of a row do not exist.
    """
    activation = request.activation
    request = replace(request, activation=None, reliability_of=None, classwise_ece=False)
    measurement = prepare(request, choose=likelihood_of(activation), looked=looked, once=once)
    refuse_soft(measurement.job)
    if measurement.job.by_elements:
        raise DataError(
            f"{measurement.job.targets.name}: some outcomes of a row do not exist, and calibration takes whole rows; "
            "leave out --mask and --missing, and rows with gaps"
        )
    return measurement


@contextmanager
def telling_of_several_labels(request: Request, command: str) -> Iterator[None]:
    """Add to errors that may come of several labels per row what to type for them.

    Parameters
    ----------
    command
        how the command is typed, with {} for operands and options.
    """
    try:
        yield
    except DataError as error:
        if request.activation is not None or "sigmoid loss" not in str(error):
            raise
        kind = [] if request.prediction_kind == "logits" else ["--from", request.prediction_kind]
        words = [quoted(request.predictions), quoted(str(request.targets)), *kind, "--activation sigmoid"]
        cure = "activation='sigmoid'" if request.arrays else command.format(" ".join(words))
        raise DataError(f"{error}; for a sigmoid of each column: {cure}", error.finding) from error


def _tempered(rounds: Rounds, terms: Terms) -> tuple[Fit, Scores, Scores]:
    """Return a fitted temperature and the scores before and after it."""
    job = rounds.measurement.job
    k = max(job.encoding.k, 2)
    if terms.bias and job.several:
        raise UsageError("--bias: with --activation sigmoid each column has its own; use --method platt")
    if terms.bias and k > MOST_BIASES:
        raise UsageError(f"--bias: {k:,} classes, and it fits biases of {MOST_BIASES} at most; leave it out")
    first = rounds((Point(0.0), Point()), terms.bins)
    assert first.scores is not None
    _refuse_lost(job, first)
    _refuse_size(job, first)
    refuse_nothing(job, first.scores)
    solution, after = _solved(rounds, first, first.scores, np.zeros(k) if terms.bias else None, terms.bins)
    return solution, first.scores, after


def refuse_nothing(job: Job, scores: Scores) -> None:
    """Raise a DataError if no row has a weight."""
    if not scores.rows:
        raise DataError(f"{job.predictions.name}: no row of a weight is left; a calibration by nothing is undefined")


def _solved(rounds: Rounds, first: Seen, before: Scores, bias: Array | None, bins: int) -> tuple[Fit, Scores]:
    """Return the fit and its scores; if nothing is better than T = 1, this with biases of 0."""
    solution = fit(rounds, first)
    if bias is not None:
        refuse_unseen(rounds.measurement, first.weights, "--bias: ", "bias", "leave out --bias")
        solution = fit_biases(rounds, first, solution)
    if solution.limit is None:
        after = rounds((solution.point,), bins).scores
        assert after is not None
        if after.value <= before.value:  # false only if rounding prevents an improvement
            return solution, after
    return solution._replace(point=Point(bias=bias)), before


def check_bins(bins: int) -> None:
    """Raise a UsageError if a number of bins is not allowed."""
    if not 1 <= bins <= MOST_BINS:
        raise UsageError(f"--bins {bins} is not in 1 ... {MOST_BINS}")


def refuse_soft(job: Job) -> None:
    """Raise a DataError for soft targets, which do not name a class."""
    if job.encoding.kind == "soft":
        raise DataError(f"{job.targets.name}: soft targets name no class to be right about; give labels")


def _refuse_lost(job: Job, first: Seen) -> None:
    """Raise a DataError if the true class of a row has probability 0."""
    if not first.lost:
        return
    number, places = first.lost.found[LOST]
    others = ", ".join(f"row {row}" for row, *_ in places[1:])
    also = f"; {number:,} in all, also {others}{' ...' if number > len(places) else ''}" if number > 1 else ""
    raise DataError(
        f"{job.predictions.place(places[0][0])}: the prediction gives the true class probability 0, so that its "
        f"cross-entropy is infinite at every temperature; save logits before they are rounded, or take "
        f"--method platt or isotonic, which take it{also}"
    )


def _refuse_size(job: Job, first: Seen) -> None:
    """Raise a DataError if logits are so far apart that their squares overflow."""
    curve = first.at(0).hessian[0, 0]
    if not curve < math.inf or (first.size and not curve):
        raise DataError(
            f"{job.predictions.name}: logits of a row are {first.size:.4g} apart, whose square no float64 holds; multiply "
            "them all by one number first"
        )


def refuse_unseen(measurement: Measurement, weights: Array, option: str, what: str, instead: str) -> None:
    """Raise a DataError if some class has no row, since what is fitted to it has no least value.

    Parameters
    ----------
    weights
        the weight of the rows of each class.
    option, what, instead
        for the message: the option, what is fitted to a class, and what may be done instead.
    """
    names = group_names(measurement.job, measurement.decoded)
    unseen = [name for name, weight in zip(names, weights, strict=True) if not weight]
    if unseen:
        raise DataError(
            f"{measurement.job.targets.name}: {option}no row has {count(len(unseen), 'class', 'classes')} of {len(names)} "
            f"({listing(unseen)}), whose {what} has no least value; {instead}, or give a file with every class"
        )


def _renormalised(request: Request, result: Result, before: Scores) -> list[str]:
    """Return a note if rows of probabilities do not sum to 1: a softmax of their logarithms divides them
    by their sum.
    """
    original = result.value
    if (
        request.prediction_kind == "logits"
        or original is None
        or not math.isfinite(before.value)
        or abs(original - before.value) <= SAME * abs(original) + 1e-300
    ):
        return []
    return [
        f"probabilities are divided by the sum of their row, for a softmax sums to 1: cross-entropy {before.value:.7g}, "
        f"as given {original:.7g}"
    ]


def _told(measurement: Measurement, solution: Fit) -> list[str]:
    """Return a warning of one line if the fit found no minimum."""
    name, point = measurement.job.predictions.name, solution.point
    if solution.limit == TO_ZERO:
        why = "is right in every row" + ("" if measurement.job.samples > 1 else ", of which there is one")
        return [
            f"warning: {name}: no temperature is best: the predicted class {why}, so that cross-entropy falls without "
            "end as T -> 0; T = 1 is kept; fit on rows that the model has not learnt"
        ]
    if solution.limit == TO_INFINITY:
        return [
            f"warning: {name}: no temperature is best: with every T the predictions are no better than without them, "
            "T -> infinity; T = 1 is kept; do the labels belong to these rows? losscli check says more"
        ]
    if solution.limit == FLAT:
        return [
            f"warning: {name}: no temperature is best: every row gives its classes equal probabilities, and so does any "
            "T; T = 1 is kept; are these the model's predictions?"
        ]
    if not solution.converged:
        return [
            f"warning: {name}: the fit has not converged after {count(solution.iterations, 'step')} (T = {1 / point.beta:.7g}"
            ", cross-entropy no higher than at T = 1); "
            + (
                "labels that some bias predicts without error have none; leave out --bias"
                if point.bias is not None
                else "look at the predictions with losscli check"
            )
        ]
    return []
