"""Plain formulas that several tests compare with, written apart from the program's own, and those of losses without one."""

from typing import Any

import numpy as np

from losscli.analysis.shared.oracle.references import REFERENCES as REFERENCES


def softmax(logits: Any) -> Any:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))
