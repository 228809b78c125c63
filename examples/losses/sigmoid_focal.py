"""Sigmoid focal loss in NumPy, written as one formula for both outcomes, of which each term needs a mask."""

import numpy as np


def sigmoid_focal(labels, logits):
    """Compute -(t - p)^2 log p - p^2 log(1 - p), whose second term is there for positives too."""
    p = 1 / (1 + np.exp(-logits))
    return -((labels - p) ** 2) * np.log(p) - p**2 * np.log(1 - p)


def right_sigmoid_focal(labels, logits, gamma=2.0):
    """Compute each term where its outcome happened, from log p and log(1 - p) that do not cancel."""
    log_p = -np.logaddexp(0, -logits)
    log_q = -np.logaddexp(0, logits)
    of_positives = -np.exp(gamma * log_q) * log_p
    of_negatives = -np.exp(gamma * log_p) * log_q
    return np.where(labels == 1, of_positives, of_negatives)
