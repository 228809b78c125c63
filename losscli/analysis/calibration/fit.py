"""Calibration of files: a temperature, and biases if wanted, fitted to labels, with the scores before and after."""

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
from losscli.measurement.measure import Measurement, essential
from losscli.measurement.prepare import prepare
from losscli.measurement.result import Result
from losscli.wording import count, listing

BINS = 15
MOST_BINS = 1000
SAME = 1e-9
"""Relative difference of two mean cross-entropies that is worth no word."""


@dataclass
class Calibrated:
    """A fit, and what the predictions score before and after it."""

    measurement: Measurement
    result: Result
    fit: Fit
    before: Scores
    after: Scores
    seed: int
    notes: list[str]

    @property
    def temperature(self) -> float:
        return 1 / self.fit.point.beta

    def biases(self) -> dict[str, float] | None:
        """The bias of each class by its name; of one score, half of what is added to it, and the opposite."""
        bias = self.fit.point.bias
        return (
            None
            if bias is None
            else dict(zip(group_names(self.measurement.job, self.measurement.decoded), bias.tolist(), strict=True))
        )

    def to_dict(self) -> dict[str, Any]:
        """The result with the keys of the JSON contract."""
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
        one = len(self.measurement.job.predictions.shape) == 1
        return "(p - t)**2" if one else "sum over classes of (p - t)**2"


@dataclass
class Rounds:
    """Makes passes over the files of a calculation, the first of them with all that `compute` looks for."""

    measurement: Measurement
    threads: int | None
    begun: Callable[[Job], None]
    seen: Callable[[int], None]
    result: Result | None = None

    def __call__(self, points: tuple[Point, ...], bins: int | None = None) -> Seen:
        made = self.measurement
        self.begun(made.job)
        if self.result is not None:
            made.collectors = [*essential(made.job), Look(points, bins)]
            return made.pass_over(threads=self.threads, seen=self.seen)[Seen]
        made.observe(Look(points, bins))
        self.result = made.run(threads=self.threads, seen=self.seen)
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
        whether a bias a class is fitted as well.
    opened
        is told of the calculation before the first pass, and may refuse it.
    begun, seen
        are told of the job when a pass begins, and of the rows that are done.

    Raises
    ------
    DataError
        for files that cannot be used, and rows whose cross-entropy is infinite at every temperature.
    """
    check_bins(bins)
    if not 0 <= seed < 2**32:
        raise UsageError(f"--seed {seed} is not in 0 ... {2**32 - 1}")
    made = prepare(request, choose=likelihood, looked=looked, once=False)
    refuse_soft(made.job)
    k = max(made.job.encoding.k, 2)
    if bias and k > MOST_BIASES:
        raise UsageError(f"--bias: {k:,} classes, and it fits biases of {MOST_BIASES} at most; leave it out")
    opened(made)
    rounds = Rounds(made, threads, begun, seen)
    first = rounds((Point(0.0), Point()), bins)
    assert rounds.result is not None
    assert first.scores is not None
    _refuse_lost(made.job, first)
    _refuse_size(made.job, first)
    if not first.scores.rows:
        raise DataError(
            f"{made.job.predictions.name}: no row of a weight is left; a temperature of nothing is undefined"
        )
    before = first.scores
    found, after = _solved(rounds, first, before, np.zeros(k) if bias else None, bins)
    notes = [*made.notes, *_renormalised(request, rounds.result, before), *_told(made, found, before)]
    return Calibrated(made, rounds.result, found, before, after, seed, list(dict.fromkeys(notes)))


def _solved(rounds: Rounds, first: Seen, before: Scores, bias: Array | None, bins: int) -> tuple[Fit, Scores]:
    """The fit and its scores; T = 1, and `bias`, which is 0, where there is none that is better."""
    found = fit(rounds, first)
    if bias is not None:
        _refuse_unseen(rounds.measurement, first)
        found = fit_biases(rounds, first, found)
    if found.limit is None:
        after = rounds((found.point,), bins).scores
        assert after is not None
        if after.value <= before.value:  # but for what rounding makes of it
            return found, after
    return found._replace(point=Point(bias=bias)), before


def check_bins(bins: int) -> None:
    """Refuse a number of bins that is none."""
    if not 1 <= bins <= MOST_BINS:
        raise UsageError(f"--bins {bins} is not in 1 ... {MOST_BINS}")


def refuse_soft(job: Job) -> None:
    """Refuse targets that are shares of classes."""
    if job.encoding.kind == "soft":
        raise DataError(f"{job.targets.name}: soft targets name no class to be right about; give labels")


def _refuse_lost(job: Job, first: Seen) -> None:
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
    curve = first.at(0).hessian[0, 0]
    if not curve < math.inf or (first.size and not curve):
        raise DataError(
            f"{job.predictions.name}: logits of a row are {first.size:.4g} apart, whose square no float64 holds; multiply "
            "them all by one number first"
        )


def _refuse_unseen(made: Measurement, first: Seen) -> None:
    names = group_names(made.job, made.decoded)
    unseen = [name for name, weight in zip(names, first.weights, strict=True) if not weight]
    if unseen:
        raise DataError(
            f"{made.job.targets.name}: --bias: no row has {count(len(unseen), 'class', 'classes')} of {len(names)} "
            f"({listing(unseen)}), whose bias has no least value; leave out --bias, or give a file with every class"
        )


def _renormalised(request: Request, result: Result, before: Scores) -> list[str]:
    """What to say where probabilities miss 1: a softmax of their logarithms divides them by their sum."""
    given = result.value
    if request.prediction_kind == "logits" or given is None or abs(given - before.value) <= SAME * abs(given) + 1e-300:
        return []
    return [
        f"probabilities are divided by the sum of their row, for a softmax sums to 1: cross-entropy {before.value:.7g}, "
        f"as given {given:.7g}"
    ]


def _told(made: Measurement, found: Fit, before: Scores) -> list[str]:
    """What is to be said of a fit that found no minimum, in one line."""
    name, point = made.job.predictions.name, found.point
    if found.limit == TO_ZERO:
        why = "is right in every row" + ("" if made.job.samples > 1 else ", of which there is one")
        return [
            f"warning: {name}: no temperature is best: the predicted class {why}, so that cross-entropy falls without "
            "end as T -> 0; T = 1 is kept; fit on rows that the model has not learnt"
        ]
    if found.limit == TO_INFINITY:
        return [
            f"warning: {name}: no temperature is best: with every T the predictions are no better than without them, "
            "T -> infinity; T = 1 is kept; do the labels belong to these rows? losscli check says more"
        ]
    if found.limit == FLAT:
        return [
            f"warning: {name}: no temperature is best: every row gives its classes equal probabilities, and so does any "
            "T; T = 1 is kept; are these the model's predictions?"
        ]
    if not found.converged:
        return [
            f"warning: {name}: the fit has not converged after {count(found.iterations, 'step')} (T = {1 / point.beta:.7g}"
            ", cross-entropy no higher than at T = 1); "
            + (
                "labels that some bias predicts without error have none; leave out --bias"
                if point.bias is not None
                else "look at the predictions with losscli check"
            )
        ]
    return []
