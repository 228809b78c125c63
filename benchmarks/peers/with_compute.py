"""losscli.compute: what a Python program calls, which looks at the numbers before it takes them; the value alone, without a summary."""

from collections.abc import Callable
from typing import Any

import losscli


def prepare(
    loss: str,
    predictions: Any,
    targets: Any,
    gradient: bool = False,
    threads: int | None = None,
    class_axis: float | None = None,
    **options: float,
) -> Callable[[], float]:
    """Return what computes the mean, or the mean and the gradient."""
    how: dict[str, Any] = {"gradient": gradient, "threads": threads, "per_sample": False, "summary": False, **options}
    if class_axis is not None:
        how["class_axis"] = int(class_axis)
    if loss.startswith("sigmoid"):
        targets = targets.astype(bool)
    return lambda: losscli.compute(loss, predictions, targets, **how).value
