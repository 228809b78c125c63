"""The small data of tests/data/real_files, which every file there holds, in whatever way its tool writes it."""

import numpy as np

CLASSES = ("cat", "dog", "eel")
IDS = ("007", "012", "101", "102", "230")
LOGITS = np.array([[0.5, 2.25, -1.0], [1.75, 0.25, 0.0], [-0.5, 0.75, 1.5], [0.25, -0.75, 0.5], [3.0, -1.25, 0.75]])
LABELS = np.array([1, 0, 2, 1, 0])
NAMES = tuple(CLASSES[label] for label in LABELS)
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
SCORES = np.array([1.5, -0.75, 0.5, -2.25, -0.25])
OUTCOMES = np.array([True, False, True, False, True])
PREDICTED = np.array([[60.5, 1.5], [72.25, 1.75], [80.75, 2.0], [55.0, 1.625], [65.5, 1.5]])
MEASURED = np.array([[61.0, 1.75], [70.0, 1.75], [82.5, 1.875], [54.25, 1.5], [65.0, 1.625]])
OUTPUTS = ("mass", "height")

CROSS_ENTROPY = float(np.mean(np.log(np.exp(LOGITS).sum(axis=1)) - LOGITS[np.arange(5), LABELS]))
"""Of LOGITS and LABELS, from its definition."""
BINARY_CROSS_ENTROPY = float(np.mean(np.log(1 + np.exp(np.where(OUTCOMES, -SCORES, SCORES)))))
"""Of SCORES and OUTCOMES, from its definition."""
SQUARED_ERROR = float(np.mean((PREDICTED - MEASURED) ** 2))
"""Of PREDICTED and MEASURED."""
