"""Reliability: how often what was predicted is true, as a function of its probability, and the calibration error over bins."""

import numpy as np

from losscli.arrays import Array
from losscli.engine.collectors.calibration_bins import P_POSITIVE, P_PREDICTED
from losscli.records import NamedTuple, dataclass

Z95 = 1.959963984540054
"""Quantile of the normal distribution for 95 % intervals."""


class Groups(NamedTuple):
    """Groups of rows with equal, or almost equal, confidence. All arrays have one entry per group.

    The confidence is the probability of the predicted class, and it is right if this class is the true one; or it is the
    probability of the positive class, and it is right if the row is positive.

    `at` is the confidence by which the group is put into a bin, `rows` the number of its rows, `confidence` the sum of
    their confidences, and `right` the number of right predictions.
    """

    at: Array
    rows: Array
    confidence: Array
    right: Array

    def edges(self, bins: int, binning: str) -> Array:
        """Return the edges of bins (low, high], of equal width from 0 to 1 or of equal mass. Groups
        are never divided.
        """
        if binning != "mass":
            return np.arange(bins + 1) / bins
        order = np.argsort(self.at, kind="stable")
        ordered, upto = self.at[order], np.cumsum(self.rows[order])
        ranks = np.ceil(np.arange(1, bins) * int(upto[-1]) / bins).astype(np.int64) - 1
        inner = np.unique(ordered[np.searchsorted(upto, ranks, side="right")])
        return np.concatenate([ordered[:1], inner[inner < ordered[-1]], ordered[-1:]])

    def bins(self, bins: int, binning: str) -> Array:
        """Return the bin of each group; the first bin includes its lower edge."""
        edges = self.edges(bins, binning)
        return np.clip(np.searchsorted(edges, self.at, side="left") - 1, 0, len(edges) - 2)


@dataclass(frozen=True)
class Reliability:
    """Bins of confidence that have rows: for each its edges, number of rows, mean confidence and accuracy.

    `asked` is the number of bins asked for, and `binning` is 'width' or 'mass'. With `positive`, confidence is the probability
    of the positive class, and accuracy the fraction of positives.
    """

    low: Array
    high: Array
    rows: Array
    confidence: Array
    accuracy: Array
    asked: int
    binning: str
    positive: bool = False

    @classmethod
    def of_groups(cls, groups: Groups, bins: int, binning: str, positive: bool = False) -> "Reliability":
        """Return bins (low, high], of equal width from 0 to 1 or of equal mass; the first bin includes its lower edge.

        Groups of rows are never divided, thus there may be fewer bins of equal mass than asked for.
        """
        edges = groups.edges(bins, binning)
        index = groups.bins(bins, binning)
        size = len(edges) - 1
        rows = np.bincount(index, groups.rows, size).astype(np.int64)
        held = rows > 0
        with np.errstate(all="ignore"):
            mean = np.bincount(index, groups.confidence, size) / rows
            accuracy = np.bincount(index, groups.right, size) / rows
        return cls(edges[:-1][held], edges[1:][held], rows[held], mean[held], accuracy[held], bins, binning, positive)

    @property
    def of_what(self) -> str:
        """What the confidence is, 'p(positive)' or 'p(predicted)'."""
        return P_POSITIVE if self.positive else P_PREDICTED

    @property
    def samples(self) -> int:
        return int(self.rows.sum())

    @property
    def error(self) -> float:
        """ECE: the mean over rows of |accuracy - confidence| of their bin (Naeini et al. 2015)."""
        return float(self.rows @ np.abs(self.accuracy - self.confidence) / self.samples)

    @property
    def mean_accuracy(self) -> float:
        return float(self.rows @ self.accuracy / self.samples)

    @property
    def mean_confidence(self) -> float:
        return float(self.rows @ self.confidence / self.samples)

    def interval(self) -> tuple[Array, Array]:
        """Return the ends of Wilson's 95 % interval of each bin's accuracy (Wilson 1927,
        doi:10.1080/01621459.1927.10502953).
        """
        n, p = self.rows, self.accuracy
        middle = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
        half = Z95 / (1 + Z95**2 / n) * np.sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
        # At an accuracy of 0 or 1 one end is exactly that number, except for rounding.
        return np.clip(middle - half, 0, p), np.clip(middle + half, p, 1)

    def describe(self) -> str:
        """Return the bins in words, with their number if it is smaller than asked for."""
        number = len(self.rows)
        if self.binning == "width":
            return f"{self.asked} bins of equal width"
        fewer = f" ({self.asked} asked for, and rows of one confidence stay together)" if number < self.asked else ""
        return f"{number} bins of equal mass{fewer}" if number != 1 else f"1 bin{fewer}"
