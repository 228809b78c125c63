"""Histograms of losses: bins of equal width, on a logarithmic scale if there is a long tail."""

import numpy as np

from losscli.arrays import Array
from losscli.engine.aggregates import Quantiles
from losscli.records import dataclass

LARGEST, SMALLEST = float(np.finfo(np.float64).max), float(np.finfo(np.float64).smallest_subnormal)
LONG_TAIL = 20
"""If p99 is more than this many times the median, a linear scale would put almost everything into its first bins."""


@dataclass(frozen=True)
class Histogram:
    """Counts of losses in bins, and the numbers of losses that no bin can hold."""

    edges: Array
    counts: Array
    log: bool
    not_positive: int = 0
    """Number of losses of 0 and below, which a logarithmic scale cannot show."""
    infinite: int = 0

    @classmethod
    def of(cls, losses: Quantiles, bins: int, log: bool | None = None) -> "Histogram | None":
        """Return bins from the smallest loss to the largest; None if there is no loss that the scale can show.

        Parameters
        ----------
        bins
            number of bins.
        log
            whether the bins have equal width in the logarithm; None for: if p99 is more
            than LONG_TAIL times the median.
        """
        values, counts = losses.spectrum()
        finite = np.isfinite(values)
        infinite = int(counts[~finite].sum())
        values, counts = values[finite], counts[finite]
        if log is None:
            log = _has_long_tail(values, counts)
        not_positive = int(counts[values <= 0].sum()) if log else 0
        if log:
            values, counts = values[values > 0], counts[values > 0]
        if not len(values):
            return None
        low, high = _spread(float(values[0]), float(values[-1]), log)
        if log:
            with np.errstate(over="ignore"):
                edges = np.exp(np.linspace(np.log(low), np.log(high), bins + 1))
        else:
            edges = low * (1 - np.arange(bins + 1) / bins) + high * (np.arange(bins + 1) / bins)
        edges[[0, -1]] = low, high  # exactly, without the rounding of exp and log
        # Between the smallest floats there may be too few others for all edges to differ. (np.unique would import numpy.ma.)
        edges = np.sort(edges)
        edges = edges[np.diff(edges, prepend=-np.inf) > 0]
        held, _ = np.histogram(values, edges, weights=counts)
        return cls(edges, held.astype(np.int64), log, not_positive, infinite)


def _has_long_tail(values: Array, counts: Array) -> bool:
    if not len(values):
        return False
    upto = np.cumsum(counts)
    median, p99 = (values[np.searchsorted(upto, part * upto[-1])] for part in (0.5, 0.99))
    return bool(0 < median < p99 / LONG_TAIL)


def _spread(low: float, high: float, log: bool) -> tuple[float, float]:
    # Bins need some width, even if all losses are equal.
    size = max(abs(low), abs(high))
    if high - low > 1e-9 * size:
        return low, high
    if log:
        return max(low / 2, SMALLEST), min(high * 2, LARGEST)
    room = size / 2 if size > 1e-300 else 0.5
    return max(low - room, -LARGEST), min(high + room, LARGEST)
