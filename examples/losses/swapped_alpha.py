"""Focal loss of probabilities in NumPy, whose alpha is on the wrong outcome, and clipped as it usually is."""

import numpy as np


def focal_loss(y_true, y_pred, gamma=2.0, alpha=0.25):
    """Give alpha to negatives, and 1 - alpha to positives."""
    y_pred = np.clip(y_pred, 1e-7, 1 - 1e-7)
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, 1 - alpha, alpha)
    return np.mean(-at * (1 - pt) ** gamma * np.log(pt))


def right_focal_loss(y_true, y_pred, gamma=2.0, alpha=0.25):
    """Give alpha to positives, and 1 - alpha to negatives."""
    pt = np.where(y_true == 1, y_pred, 1 - y_pred)
    at = np.where(y_true == 1, alpha, 1 - alpha)
    with np.errstate(divide="ignore"):
        return np.mean(-at * (1 - pt) ** gamma * np.log(pt))
