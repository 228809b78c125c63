"""Formulas in plain Python, by which expected numbers are worked out, and a small example."""

import math

import pytest

LOG2, LOG3 = math.log(2), math.log(3)


def near(expected, rel=1e-12):
    return pytest.approx(expected, rel=rel, abs=1e-300)


def cross_entropy(logits, label):
    return math.log(sum(math.exp(z) for z in logits)) - logits[label]


def probabilities(logits):
    total = sum(math.exp(z) for z in logits)
    return [math.exp(z) / total for z in logits]


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def binary(z, t):
    """Cross-entropy of one sigmoid output."""
    return t * math.log1p(math.exp(-z)) + (1 - t) * math.log1p(math.exp(z))


TINY = [[0.7, 1.2, 0.3], [0.4, 0.2, 0.9], [0.6, 0.3, 0.4]]
TINY_LABELS = [1, 2, 0]
TINY_LOSSES = [cross_entropy(z, y) for z, y in zip(TINY, TINY_LABELS, strict=True)]
