"""Predictions at a temperature: softmax(z / T) of classes, and 1 / (1 + exp(-z / T)) of outcomes, with the chain rule.

Probabilities and log-probabilities are renormalised: softmax(log(p) / T). The gradient is by the predictions as given.
"""

import math
from typing import Any

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.definition.batch import Extras, Targets, Values
from losscli.losses.probability import OfLogit, OfLogProbability, OfProbability, Opposite
from losscli.losses.softmax import log_softmax, through_softmax
from losscli.losses.stable import log_ratio
from losscli.records import dataclass

LOG_2, REST_OF_LOG_2 = math.log(2), 2.3190468138462996e-17
"""The logarithm of 2 in float64, and what it lacks."""


@dataclass(frozen=True)
class Tempered:
    """Computes a loss of predictions at a temperature T other than 1."""

    temperature: float
    over_classes: bool
    """Whether a row of predictions has one number per class; else each number is an outcome of its own."""
    squared: bool = False
    """Whether losses and gradients are multiplied by T squared."""
    keeps_kind: bool = False
    """Whether the loss must get the kind of predictions that was given. Losses of losscli get log-probabilities or logits
    instead of probabilities, which have more digits.
    """

    @property
    def factor(self) -> float:
        """The factor of losses and gradients."""
        return self.temperature**2 if self.squared else 1.0

    def probabilities(self, p: Array) -> Array:
        """Return probabilities at T, given those at a temperature of 1, of the same shape: (n, k) over classes, or any of outcomes."""
        with np.errstate(all="ignore"):
            power = p ** (1 / self.temperature)
            others = (1 - p) ** (1 / self.temperature)
            return np.asarray(power / (row_sums(power)[:, None] if self.over_classes else power + others))

    def __call__(self, loss: Any, predictions: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
        """Return losses and gradient of a batch, in float64 or wider."""
        x = predictions.astype(np.promote_types(predictions.dtype, np.float64), copy=False)
        extras = extras._replace(temper=None)
        if extras.prediction_kind == "logits":
            values, slopes = loss.family.lift(loss, x / self.temperature, targets, extras, gradient)
            slopes = None if slopes is None else slopes / self.temperature
        else:
            compute = self._of_classes if self.over_classes else self._of_outcomes
            values, slopes = compute(loss, x, targets, extras, gradient)
        return self.factor * values, None if slopes is None else self.factor * slopes

    def _of_classes(self, loss: Any, x: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
        """Return losses and gradient of rows of probabilities or log-probabilities x."""
        probs = extras.prediction_kind == "probs"
        chance = log_softmax((np.log(x) if probs else x) / self.temperature)
        given = chance.p if probs and self.keeps_kind else chance.l
        kind = "probs" if probs and self.keeps_kind else "log-probs"
        values, slopes = loss.family.lift(loss, given, targets, extras._replace(prediction_kind=kind), gradient)
        if slopes is None:
            return values, None
        s = np.where(chance.p == 0, 0, slopes * chance.p) if kind == "probs" else slopes
        by_log = through_softmax(s.astype(x.dtype, copy=False), chance) / self.temperature
        if not probs:
            return values, by_log
        by_p = by_log / x
        none = x == 0
        if none.any():
            at_none = slopes if kind == "probs" else loss.family.lift(loss, chance.p, targets, extras, True)[1]
            by_p[none] = self._limit(at_none, row_sums(s)[:, None])[none]
        return values, by_p

    def _of_outcomes(self, loss: Any, x: Array, targets: Targets, extras: Extras, gradient: bool) -> Values:
        """Return losses and gradient of probabilities or log-probabilities x of outcomes."""
        probs = extras.prediction_kind == "probs"
        chance = OfProbability(x) if probs else OfLogProbability(x)
        p, q = chance.p, chance.q
        with np.errstate(all="ignore"):
            gap = p - q if probs else np.expm1((x + LOG_2) + REST_OF_LOG_2)  # 2 p - 1
            near = np.abs(gap) < 0.5  # where the logarithms would cancel
            z = np.where(near, log_ratio(gap, np.minimum(p, q)), chance.l - Opposite(chance).l)
        made = OfLogit(z / self.temperature)
        kind = extras.prediction_kind if self.keeps_kind else "logits"
        given = {"probs": made.p, "log-probs": made.l, "logits": made.x}[kind] if self.keeps_kind else made.x
        values, slopes = loss.family.lift(loss, given, targets, extras._replace(prediction_kind=kind), gradient)
        if slopes is None:
            return values, None
        by_logit = slopes * {"probs": made.p * made.q, "log-probs": made.q, "logits": 1.0}[kind]
        by_x = by_logit / (self.temperature * (p * q if probs else q))
        end = (q == 0) | (p == 0) if probs else q == 0
        if end.any():
            of_p = extras._replace(prediction_kind="probs")
            by_p = slopes if kind == "probs" else loss.family.lift(loss, made.p, targets, of_p, True)[1]
            by_x[end] = self._limit(by_p)[end]
        return values, by_x

    def _limit(self, slope: Array, others: Array | float = 0.0) -> Array:
        """Return the gradient by a probability of 0, where the probability at T has the slope 0 if T < 1 and inf if T > 1.

        `slope` is the loss's slope by the probability at T, and `others` what the renormalisation takes from it.
        """
        gap = slope - others
        steep = 0.0 if self.temperature < 1 else np.inf
        return np.where(np.isinf(slope), slope, np.where(gap == 0, 0, np.sign(gap) * steep if steep else 0 * gap))
