"""Numbers where a file may stand: one weight, or one variance or scale, for all."""

import math
import os
from collections.abc import Mapping

import numpy as np

from losscli.definition.domain import NON_NEGATIVE, POSITIVE, Interval
from losscli.definition.request import Request
from losscli.errors import UsageError
from losscli.io.source import ConstantSource, Source
from losscli.io.table import parses_as_number

DOMAINS: Mapping[str, Interval] = {"variance": POSITIVE, "scale": POSITIVE, "dispersion": NON_NEGATIVE}
"""Third operands that are numbers, of which one may stand for all, and the numbers that they may be."""
BOUNDS: Mapping[Interval, str] = {POSITIVE: "above 0", NON_NEGATIVE: ">= 0"}
"""These domains in words."""


def weight_of_all(request: Request) -> float | None:
    """Return the number that --sample-weight is; None if it is a file, or there is none.

    Raises a UsageError for a number that is no weight.
    """
    number = _number(request.sample_weight)
    if number is not None and not 0 <= number < math.inf:
        raise UsageError(f"--sample-weight {request.sample_weight}: a weight is a finite number >= 0")
    return number


def third_of_all(request: Request) -> float | None:
    """Return the number that --variance, --scale or --dispersion is; None if it is a file, there is none, or the third
    operand is another one.

    Raises a UsageError for a number that is no variance, scale or dispersion.
    """
    name = request.loss.family.third_operand or ""
    domain = DOMAINS.get(name)
    if domain is None:
        return None
    number = _number(request.third_operand)
    if number is not None and number not in domain:
        raise UsageError(f"--{name} {request.third_operand}: a {name} is a finite number {BOUNDS[domain]}")
    return number


def everywhere(number: float, predictions: Source) -> ConstantSource:
    """Return a number in the shape of the predictions; in float32 for predictions of float16 or float32, so that the
    number has no influence on the dtype of the computation.
    """
    narrow = predictions.dtype.kind == "f" and predictions.dtype.itemsize <= 4
    return ConstantSource(number, predictions.shape, np.dtype(np.float32 if narrow else np.float64))


def _number(text: str | None) -> float | None:
    """Return the number that an operand is; None if there is none, it is no number, or a file has this name."""
    if text is None or os.path.exists(text) or not parses_as_number(text):
        return None
    return float(text)
