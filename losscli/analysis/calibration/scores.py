"""Scores of predicted probabilities: cross-entropy, Brier score, accuracy, and calibration errors with
their null band.
"""

from functools import lru_cache
from typing import Any, get_args

import numpy as np

from losscli.analysis.calibration.reliability import Groups, Reliability
from losscli.analysis.words import Binning
from losscli.arrays import Array, row_sums
from losscli.engine.aggregates import Total
from losscli.engine.collectors.classwise_bins import ClasswiseGaps
from losscli.records import NamedTuple

KEPT_ROWS = 1_000_000
"""Number of confidences up to which each is kept; of more, rows with almost equal confidence are counted together."""
OCTAVES, PER_OCTAVE = 40, 1024
"""Up to 1/2, each of 40 octaves of the confidence is cut into 1024 equal cells; above 1/2, each octave of 1 - it."""
STRATA_PER_OCTAVE = 8
DRAWS = 1000
BAND = (2.5, 97.5)
"""Percentiles: the central 95 %."""
BINNINGS: tuple[Binning, ...] = get_args(Binning)


@lru_cache(maxsize=4)
def cells(bins: int) -> Array:
    """Return the upper ends of the cells, ascending. No cell lies across an edge of the bins of equal width."""
    sizes = 2.0 ** np.arange(-OCTAVES, -1)
    below = np.concatenate([size * (1 + np.arange(PER_OCTAVE) / PER_OCTAVE) for size in sizes])
    ends = np.concatenate([below, [0.5], 1 - below, np.arange(1, bins + 1) / bins])
    return np.unique(ends)


class Cells(NamedTuple):
    """Rows counted in cells of confidence: number of rows, sum of confidences, and number
    of right predictions per cell.
    """

    rows: Array
    confidence: Array
    right: Array

    @classmethod
    def of(cls, confidence: Array, right: Array, bins: int) -> "Cells":
        """Return the record of confidences, shape (n,), and whether each prediction is right."""
        ends = cells(bins)
        index = np.minimum(np.searchsorted(ends, confidence, side="left"), len(ends) - 1)
        size = len(ends)
        return cls(
            np.bincount(index, minlength=size),
            np.bincount(index, confidence, size),
            np.bincount(index, right, size),
        )

    def __add__(self, other: "Cells") -> "Cells":  # type: ignore[override]
        return Cells(self.rows + other.rows, self.confidence + other.confidence, self.right + other.right)


class Confidences(NamedTuple):
    """Mergeable record: for each row the confidence of the predicted class, and whether it is
    right; of many rows, in cells.
    """

    bins: int
    n: int
    confidence: tuple[Array, ...] = ()
    right: tuple[Array, ...] = ()
    held: Cells | None = None

    @classmethod
    def of(cls, confidence: Array, right: Array, bins: int) -> "Confidences":
        """Return the record of confidences, shape (n,), and whether each prediction is right."""
        return cls(bins, len(confidence), (confidence,), (right,))

    def __add__(self, other: "Confidences") -> "Confidences":  # type: ignore[override]
        n = self.n + other.n
        if self.held is None and other.held is None and n <= KEPT_ROWS:
            return Confidences(self.bins, n, self.confidence + other.confidence, self.right + other.right)
        return Confidences(self.bins, n, held=self._counted() + other._counted())

    def _counted(self) -> Cells:
        if self.held is not None:
            return self.held
        return Cells.of(np.concatenate(self.confidence), np.concatenate(self.right), self.bins)

    @property
    def exact(self) -> bool:
        return self.held is None

    def groups(self) -> Groups:
        """Return the rows as groups: each row, or all rows of a cell."""
        if self.held is None:
            confidence, right = np.concatenate(self.confidence), np.concatenate(self.right)
            return Groups(confidence, np.ones(len(confidence), np.int64), confidence, right.astype(np.float64))
        occupied = self.held.rows > 0
        rows, confidence, right = (part[occupied] for part in self.held)
        return Groups(cells(self.bins)[occupied], rows, confidence, right)


class Form(NamedTuple):
    """What calibration errors are of.

    `positive` says whether they are of the positive class's probability and not of the predicted class's. `outputs` is the number
    of outcomes of a row that each have a number of their own, 1 for one number per row, and None for classes.
    """

    positive: bool = False
    outputs: int | None = None

    def classwise(self, p: Array, true: Array, bins: int) -> ClasswiseGaps | None:
        """Return the record of the classwise error of probabilities (n, k) and true classes (n,); None for one number per row."""
        if self.outputs is None:
            return ClasswiseGaps.of(p, true, bins)
        if self.outputs == 1:
            return None
        return ClasswiseGaps.of(p[:, 1].reshape(-1, self.outputs), true.reshape(-1, self.outputs) == 1, bins)


class Scores(NamedTuple):
    """Mergeable record: weighted sums of cross-entropy and Brier score. For calibration errors each row counts once.

    Of predictions of several outcomes a row, each outcome is a row here.
    """

    cross_entropy: Total
    brier: Total
    weight: Total
    rows: int
    right: int
    confidences: Confidences
    positive: bool = False
    classwise: ClasswiseGaps | None = None

    @classmethod
    def of(
        cls, loss: Array, p: Array, top: Array, true: Array, w: Array, single: bool, bins: int, form: "Form"
    ) -> "Scores":
        """Return the record of a batch.

        Parameters
        ----------
        loss
            cross-entropies, shape (n,).
        p
            probabilities, shape (n, k).
        top
            predicted classes, shape (n,).
        true
            true classes, shape (n,).
        w
            weights, shape (n,).
        single
            whether the predictions are of two outcomes, by one number.
        bins
            number of bins.
        form
            what calibration errors are of.
        """
        right = top == true
        # 1 - p of the true class is computed as the sum of the others, which keeps its digits.
        rest = p.copy()
        np.put_along_axis(rest, true[:, None], 0, axis=1)
        missing = row_sums(rest)
        brier = missing**2 if single else missing**2 + row_sums(rest * rest)
        if form.positive:
            confidences = Confidences.of(p[:, 1], true == 1, bins)
        else:
            confidences = Confidences.of(np.take_along_axis(p, top[:, None], axis=1)[:, 0], right, bins)
        return cls(
            Total.of(w * loss),
            Total.of(w * brier),
            Total.of(w),
            len(true),
            int(np.count_nonzero(right)),
            confidences,
            form.positive,
            form.classwise(p, true, bins),
        )

    def __add__(self, other: "Scores") -> "Scores":  # type: ignore[override]
        return Scores(
            self.cross_entropy + other.cross_entropy,
            self.brier + other.brier,
            self.weight + other.weight,
            self.rows + other.rows,
            self.right + other.right,
            self.confidences + other.confidences,
            self.positive,
            None if self.classwise is None or other.classwise is None else self.classwise + other.classwise,
        )

    @property
    def value(self) -> float:
        """The mean cross-entropy."""
        return self.cross_entropy.value / self.weight.value

    def reliability(self, binning: str) -> Reliability:
        return Reliability.of_groups(self.confidences.groups(), self.confidences.bins, binning, self.positive)

    def to_dict(self, seed: int) -> dict[str, Any]:
        """Return the scores with the keys of the JSON contract."""
        groups, bins = self.confidences.groups(), self.confidences.bins
        errors = {}
        for binning in BINNINGS:
            reliability = Reliability.of_groups(groups, bins, binning)
            errors[binning] = {
                "value": reliability.error,
                "bins": bins if binning == "width" else len(reliability.rows),
                "band": list(null_band(groups, bins, binning, seed)),
            }
        return {
            "cross_entropy": self.value,
            "brier": self.brier.value / self.weight.value,
            "ece": errors,
            **({} if self.classwise is None else {"classwise_ece": self.classwise.error}),
            "accuracy": self.right / self.rows,
        }


def null_band(groups: Groups, bins: int, binning: str, seed: int) -> tuple[float, float]:
    """Return the ends of the interval in which ECE lies 95 % of the time if predictions are right as often as they say.

    This is simulated: the number of right predictions among rows of almost equal confidence in a bin is binomial.
    """
    index = groups.bins(bins, binning)
    mean = np.clip(groups.confidence / groups.rows, 0, 1)
    size = np.maximum(np.minimum(mean, 1 - mean), 2.0**-OCTAVES)
    step = np.floor(np.log2(size) * STRATA_PER_OCTAVE).astype(np.int64) * np.where(mean > 0.5, -1, 1)
    _, stratum = np.unique(index * (4 * OCTAVES * STRATA_PER_OCTAVE) + step, return_inverse=True)
    rows = np.bincount(stratum, groups.rows).astype(np.int64)
    confidence = np.bincount(stratum, groups.confidence)
    where = np.zeros(len(rows), np.int64)
    where[stratum] = index
    starts = np.flatnonzero(np.diff(where, prepend=-1))
    # NumPy never changes this generator, thus every version gives the same band.
    random = np.random.RandomState(seed)
    right = random.binomial(rows, np.clip(confidence / rows, 0, 1), (DRAWS, len(rows)))
    gaps = np.add.reduceat(right - confidence, starts, axis=1)
    errors = np.abs(gaps).sum(axis=1) / rows.sum()
    low, high = np.percentile(errors, BAND)
    return float(low), float(high)
