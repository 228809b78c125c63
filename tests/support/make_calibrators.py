"""Write calibrators.json: what scikit-learn and torchmetrics make of the sample data, for tests/analysis/calibration.

Usage: `python tests/support/make_calibrators.py`, with scipy, scikit-learn and torchmetrics installed.
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
import torch
import torchmetrics
from scipy.optimize import minimize
from scipy.special import expit, log_expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from torchmetrics.functional.classification import binary_calibration_error

SAMPLE_DATA = Path(__file__).parent.parent.parent / "sample_data"
OUT = Path(__file__).parent.parent / "analysis" / "calibration" / "calibrators.json"

ROWS = 40


class OfColumns(ClassifierMixin, BaseEstimator):
    """A classifier of k classes, which is fitted already."""

    def __init__(self, k):
        self.k = k
        self.classes_, self.is_fitted_ = np.arange(k), True

    def fit(self, x, y):
        raise NotImplementedError

    def predict(self, x):
        raise NotImplementedError


class Scores(OfColumns):
    """Its decision function is its input."""

    def decision_function(self, z):
        return z[:, 0] if self.k == 2 else z


class Chances(OfColumns):
    """Its probabilities are its input."""

    def predict_proba(self, p):
        return np.stack([1 - p[:, 0], p[:, 0]], axis=1) if self.k == 2 else p


def calibrated(kind, x, y, method, weights=None):
    """Return the probabilities that CalibratedClassifierCV gives for the rows that it was fitted to; of ten classes for the first."""
    columns = x if x.ndim == 2 else x[:, None]
    k = 2 if x.ndim == 1 else x.shape[1]
    made = CalibratedClassifierCV(FrozenEstimator(kind(k)), method=method).fit(columns, y, sample_weight=weights)
    p = made.predict_proba(columns)
    return (p[:, 1] if k == 2 else p[:ROWS]).tolist()


def platt(s, y, w):
    """Return a and b of Platt's objective by BFGS of scipy, for it stops where scikit-learn's optimiser does not yet."""
    n1, n0 = w[y == 1].sum(), w[y == 0].sum()
    t = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))

    def value(at):
        f = at[0] * s + at[1]
        slope = w * (expit(f) - t)
        return float((w * ((1 - t) * f - log_expit(f))).sum()), np.array([slope @ s, slope.sum()])

    found = minimize(value, [0.0, np.log((n1 + 1) / (n0 + 1))], jac=True, method="BFGS", options={"gtol": 1e-11})
    return found.x.tolist()


def isotonic(s, y, w):
    """Return the points of IsotonicRegression."""
    made = IsotonicRegression(out_of_bounds="clip").fit(s, y, sample_weight=w)
    return {"x": made.X_thresholds_.tolist(), "y": made.y_thresholds_.tolist()}


def cancer():
    """Of one score per row; `tied` are scores of one decimal, with weights."""
    s = np.load(SAMPLE_DATA / "cancer_logits.npy").astype(np.float64)
    y = np.load(SAMPLE_DATA / "cancer_labels.npy").astype(np.int64)
    w, tied, p = 1.0 + np.arange(len(y)) % 3, s.round(1), expit(s)
    curves = {}
    for strategy in ("uniform", "quantile"):
        fractions, means = calibration_curve(y, p, n_bins=10, strategy=strategy)
        curves[strategy] = {"fraction": fractions.tolist(), "mean": means.tolist()}
    errors = {
        norm: {
            str(bins): float(binary_calibration_error(torch.tensor(p), torch.tensor(y), bins, norm))
            for bins in (10, 15)
        }
        for norm in ("l1", "max")
    }
    return {
        "curves": curves,
        "errors": errors,
        "platt": {
            "logits": platt(s, y, np.ones(len(y))),
            "weighted": platt(tied, y, w),
            "probs": platt(p, y, np.ones(len(y))),
        },
        "isotonic": {"logits": isotonic(s, y, None), "weighted": isotonic(tied, y, w), "probs": isotonic(p, y, None)},
        "calibrated": {
            name: {"logits": calibrated(Scores, s, y, name), "probs": calibrated(Chances, p, y, name)}
            for name in ("sigmoid", "isotonic")
        },
    }


def digits():
    """Of ten classes."""
    z = np.load(SAMPLE_DATA / "digits_logits.npy").astype(np.float64)
    y = np.load(SAMPLE_DATA / "digits_labels.npy").astype(np.int64)
    p = softmax(z, axis=1)
    each = {
        str(bins): [
            float(binary_calibration_error(torch.tensor(p[:, k]), torch.tensor(1 * (y == k)), bins)) for k in range(10)
        ]
        for bins in (10, 15)
    }
    return {
        "classwise": {bins: float(np.mean(errors)) for bins, errors in each.items()},
        "calibrated": {
            name: {"logits": calibrated(Scores, z, y, name), "probs": calibrated(Chances, p, y, name)}
            for name in ("sigmoid", "isotonic")
        },
    }


def main():
    packages = (scipy, sklearn, torch, torchmetrics)
    versions = {package.__name__: package.__version__ for package in packages}
    OUT.write_text(json.dumps({"versions": versions, "cancer": cancer(), "digits": digits()}) + "\n")


if __name__ == "__main__":
    main()
