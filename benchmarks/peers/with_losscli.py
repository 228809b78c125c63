"""losscli in process: the loss alone, over blocks of arrays in memory, on several threads, as frameworks compute it.

Nothing looks whether the numbers are what they seem, as `losscli.compute` does (with_compute.py).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from losscli.definition.batch import Dense, Indices
from losscli.engine.in_memory import in_memory, mean_in_memory
from losscli.lookup.names import find


def prepare(
    loss: str,
    predictions: Any,
    targets: Any,
    gradient: bool = False,
    threads: int | None = None,
    label_smoothing: float = 0.0,
    **parameters: float,
) -> Callable[[], float]:
    """Return what computes the mean, or the mean and the gradient."""
    bound = find(loss).bind(**parameters)
    if loss == "softmax-cross-entropy":
        off = label_smoothing / predictions.shape[1]
        lifted = Indices(targets, 1 - label_smoothing + off, off) if label_smoothing else Indices(targets)
    else:
        lifted = Dense(targets if loss in ("huber", "squared-error") else targets.astype(bool))

    def mean() -> float:
        if not gradient:
            return mean_in_memory(bound, predictions, lifted, threads=threads)
        losses, _ = in_memory(bound, predictions, lifted, gradient=True, threads=threads)
        return float(losses.mean(dtype=np.float64))

    return mean
