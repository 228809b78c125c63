"""Plain formulas that several tests compare with, written apart from the program's own.

`REFERENCES` holds the losses that have no formula, by name: functions of the family's variables and the parameters, in
mpmath's numbers and Python's loops.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from losscli.analysis.shared.oracle.references import ctc, lovasz_hinge, lovasz_softmax, sparsemax, two_way


def softmax(logits: Any) -> Any:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


REFERENCES: dict[str, Callable[..., Any]] = {
    "sparsemax": sparsemax,
    "lovasz-hinge": lovasz_hinge,
    "lovasz-softmax": lovasz_softmax,
    "two-way": two_way,
    "ctc": ctc,
}
