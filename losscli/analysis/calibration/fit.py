"""Calibration of files: a temperature and, if wanted, biases are fitted to labels, with the scores before and after."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

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
    likelihood,
)
from losscli.arrays import Array
from losscli.definition.request import Request
from losscli.engine.job import Job
from losscli.errors import DataError, UsageError
from losscli.io.bytes import Looked
from losscli.measurement.class_labels import group_names
from losscli.measurement.measure import Measurement
from losscli.measurement.prepare import prepare
from losscli.measurement.result import Result
from losscli.shown import Shown
from losscli.wording import count, listing

BINS = 15
MOST_BINS = 1000
SAME = 1e-9
"""Relative difference of two mean cross-entropies that is too small for a note."""


@dataclass(repr=False)
class Calibrated(Shown):
    """A fit, and the scores of the predictions before and after it."""

    measurement: Measurement
    result: Result
    fit: Fit
    before: Scores
    after: Scores
    seed: int
    notes: list[str]

    @property
    def temperature(self) -> float:
        """The temperature T, by which logits are divided."""
        return 1 / self.fit.point.beta

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
            "converged": self.fit.converged,
            "iterations": self.fit.iterations,
            "limit": self.fit.limit,
            **({} if biases is None else {"bias": biases}),
            "before": self.before.to_dict(self.seed),
            "after": self.after.to_dict(self.seed),
            "samples": self.result.samples,
            "ignored": self.result.ignored,
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

    @property
    def brier_formula(self) -> str:
        single = len(self.measurement.job.predictions.shape) == 1
        return "(p - t)**2" if single else "sum over classes of (p - t)**2"


@dataclass
class Rounds:
    """Makes passes over the files of a measurement; the first one also collects everything that `compute` collects."""

    measurement: Measurement
    threads: int | None
    begun: Callable[[Job], None]
    seen: Callable[[int], None]
    result: Result | None = None

    def __call__(self, points: tuple[Point, ...], bins: int | None = None) -> Seen:
        measurement = self.measurement
        self.begun(measurement.job)
        if self.result is not None:
            measurement.collectors = [*measurement.essential(), Look(points, bins)]
            return measurement.pass_over(threads=self.threads, seen=self.seen)[Seen]
        measurement.observe(Look(points, bins))
        self.result = measurement.run(threads=self.threads, seen=self.seen)
        return self.result.aggregate[Seen]


def calibrate(
    request: Request,
    bias: bool = False,
    bins: int = BINS,
    seed: int = 0,
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    opened: Callable[[Measurement], None] = lambda measurement: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Calibrated:
    """Fit the temperature of a request's predictions to its labels.

    Parameters
    ----------
    bias
        whether a bias per class is fitted as well.
    bins
        number of bins of the calibration errors.
    seed
        of the random numbers for the bands of the calibration errors.
    opened
        called with the measurement before the first pass; it may raise an error.
    begun
        called with the job when a pass begins.
    seen
        called with the number of rows done so far.

    Raises
    ------
    DataError
        if files cannot be used, or rows have an infinite cross-entropy at every temperature.
    UsageError
        if an option is outside its domain.
    """
    check_bins(bins)
    if not 0 <= seed < 2**32:
        raise UsageError(f"--seed {seed} is not in 0 ... {2**32 - 1}")
    prepared = prepare(request, choose=likelihood, looked=looked, once=False)
    refuse_soft(prepared.job)
    k = max(prepared.job.encoding.k, 2)
    if bias and k > MOST_BIASES:
        raise UsageError(f"--bias: {k:,} classes, and it fits biases of {MOST_BIASES} at most; leave it out")
    opened(prepared)
    rounds = Rounds(prepared, threads, begun, seen)
    first = rounds((Point(0.0), Point()), bins)
    assert rounds.result is not None
    assert first.scores is not None
    _refuse_lost(prepared.job, first)
    _refuse_size(prepared.job, first)
    if not first.scores.rows:
        raise DataError(
            f"{prepared.job.predictions.name}: no row of a weight is left; a temperature of nothing is undefined"
        )
    before = first.scores
    solution, after = _solved(rounds, first, before, np.zeros(k) if bias else None, bins)
    notes = [*prepared.notes, *_renormalised(request, rounds.result, before), *_told(prepared, solution, before)]
    return Calibrated(prepared, rounds.result, solution, before, after, seed, list(dict.fromkeys(notes)))


def _solved(rounds: Rounds, first: Seen, before: Scores, bias: Array | None, bins: int) -> tuple[Fit, Scores]:
    """Return the fit and its scores; if nothing is better than T = 1, this with biases of 0."""
    solution = fit(rounds, first)
    if bias is not None:
        _refuse_unseen(rounds.measurement, first)
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
        f"cross-entropy is infinite at every temperature; save logits before they are rounded, or leave the row out{also}"
    )


def _refuse_size(job: Job, first: Seen) -> None:
    """Raise a DataError if logits are so far apart that their squares overflow."""
    curve = first.at(0).hessian[0, 0]
    if not curve < math.inf or (first.size and not curve):
        raise DataError(
            f"{job.predictions.name}: logits of a row are {first.size:.4g} apart, whose square no float64 holds; multiply "
            "them all by one number first"
        )


def _refuse_unseen(measurement: Measurement, first: Seen) -> None:
    """Raise a DataError if some class has no row, since its bias has no minimum."""
    names = group_names(measurement.job, measurement.decoded)
    unseen = [name for name, weight in zip(names, first.weights, strict=True) if not weight]
    if unseen:
        raise DataError(
            f"{measurement.job.targets.name}: --bias: no row has {count(len(unseen), 'class', 'classes')} of {len(names)} "
            f"({listing(unseen)}), whose bias has no least value; leave out --bias, or give a file with every class"
        )


def _renormalised(request: Request, result: Result, before: Scores) -> list[str]:
    """Return a note if rows of probabilities do not sum to 1: a softmax of their logarithms divides them
    by their sum.
    """
    original = result.value
    if (
        request.prediction_kind == "logits"
        or original is None
        or abs(original - before.value) <= SAME * abs(original) + 1e-300
    ):
        return []
    return [
        f"probabilities are divided by the sum of their row, for a softmax sums to 1: cross-entropy {before.value:.7g}, "
        f"as given {original:.7g}"
    ]


def _told(measurement: Measurement, solution: Fit, before: Scores) -> list[str]:
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
