"""The formula of cross-entropies and focal losses, with the mistakes that are often made in it."""

from collections.abc import Callable

import numpy as np

from losscli.analysis.shared.points import Points, chances
from losscli.analysis.verify.form import Mistake
from losscli.analysis.verify.subject import Reference
from losscli.arrays import Array
from losscli.records import dataclass

OTHER = "log(1 - p) for log(p): the logarithm is that of the other outcome's probability"


@dataclass(frozen=True)
class Logarithmic:
    """A cross-entropy or focal loss, the negative of weight * factor * logarithm, whose parts may be wrong.

    The outcome that happened, or the true class, has the probability p_t; the factor is (1 - p_t)^gamma.
    """

    reference: Reference
    gamma: float
    alpha: float | None
    activation: str = "right"
    weight: str = "right"
    factor: str = "right"
    logarithm: str = "right"
    terms: str = "right"
    clip: float = 0.0
    added: float = 0.0
    narrow: bool = False
    """Whether the upper end of a clip, 1 - epsilon, is rounded to float32, as Keras does it."""

    def __call__(self, points: Points) -> Array:
        """Return the loss of each row, shape (n,); not finite where it is not defined."""
        with np.errstate(all="ignore"):
            p = self._probabilities(points.x.astype(np.float64))
            if points.x.ndim == 2:
                return self._of_classes(p, points.labels) * self.reference.factor
            return self._of_outcomes(p, points.labels > 0) * self.reference.factor

    def _probabilities(self, x: Array) -> Array:
        """Return probabilities of classes, (n, k), or of the positive outcome, (n,)."""
        kind = self.reference.prediction_kind
        if self.activation == "missing":
            p = np.where((x > 0) & (x < 1), x, x if self.clip else np.nan)
        elif self.activation == "again":
            p = chances(chances(x, kind)[0], "logits")[0]
        elif self.activation == "sigmoid":
            p = 1 / (1 + np.exp(-x))
        else:
            p = chances(x, kind)[0]
        high = float(np.float32(1 - self.clip)) if self.narrow else 1 - self.clip
        return np.clip(p, self.clip, high) if self.clip else p

    def _of_outcomes(self, p: Array, positive: Array) -> Array:
        if self.terms == "swapped":
            positive = ~positive
        of_one, of_zero = self._term(p, 1 - p, p, self._weights[0]), self._term(1 - p, p, p, self._weights[1])
        if self.terms == "unmasked negatives":
            return np.where(positive, of_one + of_zero, of_zero)
        if self.terms == "unmasked positives":
            return np.where(positive, of_one, of_one + of_zero)
        if self.terms == "both":
            return of_one + of_zero
        if self.terms == "positives":
            return np.where(positive, of_one, 0.0)
        if self.terms == "negatives":
            return np.where(positive, 0.0, of_zero)
        return np.where(positive, of_one, of_zero)

    def _of_classes(self, p: Array, labels: Array) -> Array:
        each = self._term(p, 1 - p, p, 1.0)
        true = np.take_along_axis(each, labels[:, None], axis=1)[:, 0]
        if self.terms == "each class":
            others = self._term(1 - p, p, p, 1.0)
            return true + others.sum(axis=1) - np.take_along_axis(others, labels[:, None], axis=1)[:, 0]
        if self.terms == "all classes":
            return each.sum(axis=1)
        return true

    @property
    def _weights(self) -> tuple[float, float]:
        """The weights of positives and of negatives."""
        if self.alpha is None or self.weight == "none":
            return 1.0, 1.0
        swapped = 1 - self.alpha
        return {
            "swapped": (swapped, self.alpha),
            "both": (self.alpha, self.alpha),
            "both swapped": (swapped, swapped),
            "positives": (self.alpha, 1.0),
            "squared": (self.alpha**2, swapped**2),
        }.get(self.weight, (self.alpha, swapped))

    def _term(self, happened: Array, otherwise: Array, p: Array, weight: float) -> Array:
        """Return the loss of an outcome with the probability `happened`; p is that of the positive one."""
        logarithm = {
            "other": np.log(otherwise + self.added),
            "none": happened,
            "plus one": np.log1p(happened),
            "square": np.square(np.log(happened)),
        }.get(self.logarithm, np.log(happened + self.added))
        return -weight * self._modulating(happened, otherwise, p, logarithm) * logarithm

    def _modulating(self, happened: Array, otherwise: Array, p: Array, logarithm: Array) -> Array:
        """Return the factor that makes easy rows count less."""
        gamma = self.gamma
        if gamma == 0:
            return np.ones_like(happened)
        made: dict[str, Callable[[], Array]] = {
            "happened": lambda: happened**gamma,
            "one less": lambda: otherwise ** (gamma - 1),
            "one more": lambda: otherwise ** (gamma + 1),
            "times": lambda: otherwise * gamma,
            "of power": lambda: 1 - happened**gamma,
            "without gamma": lambda: otherwise,
            "none": lambda: np.ones_like(happened),
            "one minus p": lambda: (1 - p) ** gamma,
            "p": lambda: p**gamma,
            "of logarithm": lambda: otherwise * (-logarithm) ** (gamma - 1),
            "inverse": lambda: otherwise ** (1 / gamma),
            "negative": lambda: otherwise**-gamma,
            "root of weight": lambda: otherwise ** (2 * gamma),
        }
        return made.get(self.factor, lambda: otherwise**gamma)()


def mistakes(form: Logarithmic, columns: bool) -> list[Mistake]:
    """Return the mistakes that are possible in a cross-entropy or focal loss, the more frequent ones first."""
    name = "softmax" if columns else "sigmoid"
    found = []
    if form.alpha is not None and 0 <= form.alpha <= 1:
        found += [
            Mistake("weight", "swapped", "alpha is swapped: the losses are those of 1 - alpha"),
            Mistake("weight", "both", "alpha multiplies both outcomes: negatives have alpha for 1 - alpha"),
            Mistake("weight", "none", "alpha has no effect: the losses are those without it"),
            Mistake("weight", "positives", "negatives have no weight: 1 for 1 - alpha"),
            Mistake("weight", "both swapped", "positives have 1 - alpha for alpha"),
            Mistake("weight", "squared", "alpha is multiplied twice"),
        ]
    if form.gamma:
        found += _of_factors(form.gamma, columns)
    if form.reference.prediction_kind == "logits":
        again = f"{name} is applied twice: the losses are those of probabilities taken for logits"
        missing = f"{name} is missing: logits are taken for probabilities"
        found += [Mistake("activation", "again", again), Mistake("activation", "missing", missing)]
    elif form.reference.prediction_kind == "probs":
        words = f"{name} is applied to probabilities: the losses are those of probabilities taken for logits"
        found.append(Mistake("activation", "again", words))
    if columns and form.reference.prediction_kind == "logits":
        found.append(Mistake("activation", "sigmoid", "sigmoid for softmax: probabilities do not add up to 1"))
    happened = "of the true class" if columns else "of the outcome that happened"
    found += [
        Mistake("logarithm", "none", f"the logarithm is missing: it is of minus the probability {happened}"),
        *([Mistake("logarithm", "other", OTHER)] if columns or form.gamma else []),
        Mistake("logarithm", "plus one", "log(1 + p) for log(p)"),
        Mistake("logarithm", "square", "the logarithm is squared"),
    ]
    return found + (_of_classes() if columns else _of_two_terms(bool(form.gamma)))


def _of_factors(gamma: float, columns: bool) -> list[Mistake]:
    """Return the mistakes that are possible in the factor of a focal loss."""
    p = "p" if columns else "p_t"
    found = [
        Mistake("factor", "happened", f"{p}^gamma for (1 - {p})^gamma: the factor is that of the other outcome"),
        Mistake("factor", "times", f"(1 - {p}) * gamma for (1 - {p})^gamma: gamma multiplies, and is no power"),
        Mistake("factor", "of power", f"1 - {p}^gamma for (1 - {p})^gamma: brackets are missing"),
        Mistake("factor", "one less", f"gamma is off by one: the power is {gamma - 1:g} = gamma - 1"),
        Mistake("factor", "one more", f"gamma is off by one: the power is {gamma + 1:g} = gamma + 1"),
        Mistake("factor", "of logarithm", "gamma is the power of the logarithm, and not of the factor before it"),
        Mistake("factor", "none", f"the factor (1 - {p})^gamma is missing: the losses are those of gamma = 0"),
        Mistake("factor", "inverse", "the power is 1 / gamma"),
        Mistake("factor", "negative", "the power is -gamma"),
        Mistake("factor", "root of weight", f"the factor (1 - {p})^gamma is multiplied twice"),
    ]
    if not columns:
        found[1:1] = [
            Mistake("factor", "one minus p", "(1 - p)^gamma for both outcomes: negatives need p^gamma"),
            Mistake("factor", "p", "p^gamma for both outcomes: positives need (1 - p)^gamma"),
        ]
    return found


def _of_two_terms(focal: bool) -> list[Mistake]:
    """Return the mistakes that are possible in a sum of a term of positives and a term of negatives."""
    swapped = "the labels are swapped: positives have the loss of negatives, and negatives that of positives"
    swapped += "" if focal else ", log(1 - p) for log(p)"
    return [
        Mistake("terms", "swapped", swapped),
        Mistake("terms", "positives", "the term of negatives is missing: they have no loss"),
        Mistake("terms", "negatives", "the term of positives is missing: they have no loss"),
        Mistake("terms", "unmasked negatives", "a mask is missing: for positives the term of negatives is added"),
        Mistake("terms", "unmasked positives", "a mask is missing: for negatives the term of positives is added"),
        Mistake("terms", "both", "both masks are missing: every row has the terms of both outcomes"),
    ]


def _of_classes() -> list[Mistake]:
    """Return the mistakes that are possible in a sum over classes."""
    return [
        Mistake(
            "terms",
            "each class",
            "the terms of the other classes are added, as binary cross-entropy has them",
            rare=True,
        ),
        Mistake("terms", "all classes", "the targets have no effect: all classes' terms are added", rare=True),
    ]
