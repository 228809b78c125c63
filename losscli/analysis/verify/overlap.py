"""The formula of Dice and Jaccard losses of masks, with the mistakes that are often made in it."""

import numpy as np

from losscli.analysis.shared.points import Points
from losscli.analysis.verify.form import Mistake
from losscli.analysis.verify.subject import Reference
from losscli.arrays import Array
from losscli.records import dataclass


@dataclass(frozen=True)
class Overlap:
    """A Dice or Jaccard loss, 1 - (2 * I + 2 * smooth) / (P + T + 2 * smooth) or 1 - (I + smooth) / (P + T - I + smooth).

    I is the sum of p * t over the elements of a mask, P that of p and T that of t.
    """

    reference: Reference
    smooth: float
    jaccard: bool
    activation: str = "right"
    ratio: str = "right"
    smoothing: str = "right"
    outside: str = "right"

    def __call__(self, points: Points) -> Array:
        """Return the loss of each mask, shape (n,)."""
        with np.errstate(all="ignore"):
            p = self._probabilities(points.x.astype(np.float64))
            t = (points.labels > 0).astype(np.float64)
            both, sizes = (p * t).sum(axis=1), p.sum(axis=1) + t.sum(axis=1)
            if self.ratio == "squares":
                sizes = (p * p).sum(axis=1) + t.sum(axis=1)
            times = 1 if self.jaccard or self.ratio == "without two" else 2
            below = sizes - both if self.jaccard != (self.ratio == "other denominator") else sizes
            smooth = self.smooth if self.jaccard else 2 * self.smooth
            above = {"below only": 0.0, "twice above": 2 * smooth, "half above": smooth / 2}.get(self.smoothing, smooth)
            coefficient = (times * both + above) / (below + (0.0 if self.smoothing == "above only" else smooth))
            if self.outside == "missing":
                return coefficient
            return -coefficient if self.outside == "minus" else 1 - coefficient

    def _probabilities(self, x: Array) -> Array:
        """Return the probabilities of the elements, shape (n, k)."""
        kind = self.reference.prediction_kind
        if self.activation == "missing":
            return x
        p = np.exp(x) if kind == "log-probs" else x if kind == "probs" else 1 / (1 + np.exp(-x))
        if self.activation == "again":
            return 1 / (1 + np.exp(-p))
        return (p > 0.5).astype(np.float64) if self.activation == "rounded" else p


def mistakes(form: Overlap) -> list[Mistake]:
    """Return the mistakes that are possible in a loss of masks, the more frequent ones first."""
    name = "Jaccard" if form.jaccard else "Dice"
    found = [
        Mistake(
            "outside",
            "missing",
            f"1 - is missing: it is the {name} coefficient, which is largest where the masks agree",
        ),
        Mistake("outside", "minus", f"1 - is missing: it is minus the {name} coefficient"),
        Mistake("activation", "rounded", "predictions are cut to 0 or 1 at a threshold: the loss has no gradient"),
    ]
    if form.reference.prediction_kind == "logits":
        found += [
            Mistake("activation", "missing", "sigmoid is missing: logits are taken for probabilities"),
            Mistake(
                "activation",
                "again",
                "sigmoid is applied twice: the losses are those of probabilities taken for logits",
            ),
        ]
    elif form.reference.prediction_kind == "probs":
        found.append(Mistake("activation", "again", "sigmoid is applied to probabilities"))
    if form.jaccard:
        found.append(
            Mistake("ratio", "other denominator", "the denominator is the sum of both sizes, and not the union")
        )
    else:
        found += [
            Mistake("ratio", "without two", "the factor 2 of the intersection is missing"),
            Mistake("ratio", "other denominator", "the denominator is the union, and not the sum of both sizes"),
        ]
    if form.smooth:
        found += [
            Mistake("smoothing", "below only", "smooth is added to the denominator only"),
            Mistake("smoothing", "above only", "smooth is added to the numerator only"),
            Mistake("smoothing", "twice above", "smooth counts twice as much in the numerator as in the denominator"),
            Mistake("smoothing", "half above", "smooth counts half as much in the numerator as in the denominator"),
        ]
    return found
