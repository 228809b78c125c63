"""Write calibration.json: what other packages make of the sample data, for tests/analysis/calibration/test_calibrate.py.

Usage: `python tests/support/make_calibration.py`, with scipy, scikit-learn and torchmetrics installed.
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
import torch
import torchmetrics
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.metrics import brier_score_loss
from torchmetrics.functional.classification import multiclass_calibration_error

SAMPLE_DATA = Path(__file__).parent.parent.parent / "sample_data"
OUT = Path(__file__).parent.parent / "analysis" / "calibration" / "calibration.json"


def loss(z, y, bias=0.0):
    """Mean cross-entropy of logits."""
    return float(-log_softmax(z + bias, axis=1)[np.arange(len(y)), y].mean())


def fitted(z, y):
    """1 / T by a bounded scalar minimisation of scipy."""
    found = minimize_scalar(lambda beta: loss(beta * z, y), bounds=(1e-3, 1e3), options={"xatol": 1e-12})
    return 1 / float(found.x)


def fitted_with_biases(z, y):
    """T and biases that sum to 0, by BFGS of scipy."""
    rows, k = np.arange(len(y)), z.shape[1]

    def value(at):
        x = at[0] * z + at[1:]
        slopes = softmax(x, axis=1)
        slopes[rows, y] -= 1
        slopes /= len(y)
        return float((logsumexp(x, axis=1) - x[rows, y]).mean()), np.append((slopes * z).sum(), slopes.sum(axis=0))

    found = minimize(value, np.append(1.0, np.zeros(k)), jac=True, method="BFGS", options={"gtol": 1e-11})
    bias = found.x[1:] - found.x[1:].mean()
    return {"temperature": 1 / float(found.x[0]), "bias": bias.tolist(), "cross_entropy": float(found.fun)}


def digits():
    """Of the ten classes."""
    z = np.load(SAMPLE_DATA / "digits_logits.npy").astype(np.float64)
    y = np.load(SAMPLE_DATA / "digits_labels.npy")
    found = {"temperature": fitted(z, y), "with_biases": fitted_with_biases(z, y)}
    for name, T in (("before", 1.0), ("after", found["temperature"])):
        p = softmax(z / T, axis=1)
        found[name] = {
            "cross_entropy": loss(z / T, y),
            "brier": brier_score_loss(y, p, scale_by_half=False),
            "ece": {
                str(bins): float(multiclass_calibration_error(torch.tensor(p), torch.tensor(y), 10, n_bins=bins))
                for bins in (10, 15)
            },
        }
    return found


def cancer():
    """Of one score per row."""
    s = np.load(SAMPLE_DATA / "cancer_logits.npy").astype(np.float64)
    y = np.load(SAMPLE_DATA / "cancer_labels.npy").astype(np.int64)
    z = np.stack([np.zeros(len(s)), s], axis=1)
    found = {"temperature": fitted(z, y), "with_biases": fitted_with_biases(z, y)}
    for name, T in (("before", 1.0), ("after", found["temperature"])):
        p = softmax(z / T, axis=1)
        found[name] = {
            "cross_entropy": loss(z / T, y),
            "brier": brier_score_loss(y, p[:, 1], scale_by_half=True),
            # Of the predicted class, as losscli has it; its binary one is of the positive class.
            "ece": {"15": float(multiclass_calibration_error(torch.tensor(p), torch.tensor(y), 2, n_bins=15))},
        }
    return found


def main():
    packages = (scipy, sklearn, torch, torchmetrics)
    versions = {package.__name__: package.__version__ for package in packages}
    OUT.write_text(json.dumps({"versions": versions, "digits": digits(), "cancer": cancer()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
