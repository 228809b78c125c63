"""Calibration maps: functions from predictions, as a file has them, to calibrated ones."""

from typing import Any, ClassVar, Self

import numpy as np

from losscli.analysis.calibration.columns import columns_of
from losscli.analysis.calibration.isotonic import Steps
from losscli.analysis.calibration.temperature import Point, scores_of
from losscli.arrays import Array, row_sums
from losscli.elementary import log1p
from losscli.losses.probability import OfLogit
from losscli.records import dataclass, replace

SCORES = {
    "logits": "the file's number",
    "probs": "the file's number",
    "log-probs": "exp(x) of the file's number x, a probability",
}
"""What predictions are -> the score that Platt scaling and isotonic regression map, in words."""


@dataclass(frozen=True)
class CalibrationMap:
    """The base of all maps.

    `kind` is what predictions are: 'logits', 'probs' or 'log-probs'. `several` says whether each number of a row is an outcome of
    its own, with a sigmoid, and not one class of several.
    """

    kind: str
    several: bool

    method: ClassVar[str]

    @property
    def kind_after(self) -> str:
        """What calibrated predictions are."""
        return self.kind

    def binary(self, x: Array) -> bool:
        """Whether each number of predictions x is an outcome of its own."""
        return x.ndim == 1 or self.several

    def logits(self, x: Array) -> Array:
        """Return calibrated logits of a softmax in float64: (n, k) for classes, (n, 2) for n outcomes of their own.

        Parameters
        ----------
        x
            predictions, shape (n,) or (n, k).
        """
        raise NotImplementedError

    def applied(self, x: Array) -> Array:
        """Return calibrated predictions in float64, of the kind `kind_after`, in the shape of the predictions x."""
        z = self.logits(x)
        if self.kind_after == "logits":
            return (z[:, 1] - z[:, 0]).reshape(x.shape) if self.binary(x) else z
        log = log_softmax(z)
        made = log if self.kind_after == "log-probs" else np.exp(log)
        return made[:, 1].reshape(x.shape) if self.binary(x) else made

    def reordered(self, order: tuple[int, ...]) -> Self:
        """Return the map for columns in another order: the map's column i is column order[i] of the predictions."""
        raise NotImplementedError

    def to_dict(self, names: list[str]) -> dict[str, Any]:
        """Return the map with the keys of JSON; `names` are those of its columns."""
        raise NotImplementedError

    def activation(self, names: list[str]) -> str:
        """Return what makes probabilities of the logits of columns with these names."""
        return "sigmoid" if self.several or len(names) == 1 else "softmax"

    def _described(self, formula: str, names: list[str]) -> dict[str, Any]:
        """Return what JSON says of all maps."""
        about = {"method": self.method, "from": self.kind, "to": self.kind_after}
        return about | {"activation": self.activation(names), "formula": formula}


def log_softmax(z: Array) -> Array:
    """Return log-probabilities of logits, shape (n, k); a logit of +inf is certain, and -inf impossible."""
    peak = z.max(axis=1, keepdims=True)
    log = np.where(z == peak, 0, z - peak)
    return np.asarray(log - np.log(row_sums(np.exp(log)))[:, None])


@dataclass(frozen=True)
class Tempered(CalibrationMap):
    """softmax(z / T + b), or sigmoid(z / T + b) of numbers that are outcomes of their own; see `Point`."""

    point: Point

    method = "temperature"

    def logits(self, x: Array) -> Array:
        binary = self.binary(x)
        z = scores_of(x.ravel() if binary else x, self.kind)
        if binary and self.kind != "logits":
            z = np.stack([np.zeros(len(z)), z[:, 1] - z[:, 0]], axis=1)
        return self.point.logits(z)

    def reordered(self, order: tuple[int, ...]) -> Self:
        if self.point.bias is None:
            return self
        bias = np.empty_like(self.point.bias)
        bias[list(order)] = self.point.bias
        return replace(self, point=self.point._replace(bias=bias))

    def to_dict(self, names: list[str]) -> dict[str, Any]:
        activation = self.activation(names)
        return self._described(f"{activation}(z / T{'' if self.point.bias is None else ' + b'}), z: logits", names) | {
            "temperature": 1 / self.point.beta,
            **({} if self.point.bias is None else {"bias": self.point.bias.tolist()}),
        }


@dataclass(frozen=True)
class OneVsRest(CalibrationMap):
    """Calibrates each column by itself, as scikit-learn's CalibratedClassifierCV does.

    Of several classes, the probabilities of a row are then divided by their sum; they are equal where all of them are 0.
    The scores are the numbers of the file: logits or probabilities; log-probabilities count as probabilities.
    """

    def log_chances(self, s: Array) -> tuple[Array, Array]:
        """Return log p and log(1 - p) of scores, shape (n, columns), each column by itself."""
        raise NotImplementedError

    @np.errstate(all="ignore")
    def logits(self, x: Array) -> Array:
        log_p, log_q = self.log_chances(columns_of(x, self.kind))
        if self.binary(x):
            return np.stack([log_q.ravel(), log_p.ravel()], axis=1)
        return np.where((log_p == -np.inf).all(axis=1)[:, None], 0, log_p)


@dataclass(frozen=True)
class Platt(OneVsRest):
    """sigmoid(a s + b) of each column's scores s (Platt 1999); a and b have shape (columns,)."""

    a: Array
    b: Array

    method = "platt"

    def log_chances(self, s: Array) -> tuple[Array, Array]:
        f = np.where(self.a == 0, self.b, self.a * s + self.b)
        return np.asarray(OfLogit(f).l), np.asarray(OfLogit(-f).l)

    @np.errstate(all="ignore")
    def logits(self, x: Array) -> Array:
        if not self.binary(x):
            return super().logits(x)
        s = columns_of(x, self.kind)
        f = np.where(self.a == 0, self.b, self.a * s + self.b).ravel()
        return np.stack([np.zeros(len(f)), f], axis=1)

    def reordered(self, order: tuple[int, ...]) -> Self:
        a, b = np.empty_like(self.a), np.empty_like(self.b)
        a[list(order)], b[list(order)] = self.a, self.b
        return replace(self, a=a, b=b)

    def to_dict(self, names: list[str]) -> dict[str, Any]:
        each = zip(names, self.a.tolist(), self.b.tolist(), strict=True)
        return self._described(f"sigmoid(a * s + b), s: {SCORES[self.kind]}", names) | {
            "columns": [{"name": name, "a": a, "b": b} for name, a, b in each],
        }


@dataclass(frozen=True)
class Isotonic(OneVsRest):
    """Steps of each column's scores that never fall, with straight lines between them; see `Steps`."""

    steps: tuple[Steps, ...]

    method = "isotonic"

    @property
    def kind_after(self) -> str:
        """Always 'probs': steps may end at 0 and 1, whose logits are infinite."""
        return "probs"

    def probabilities(self, s: Array) -> Array:
        """Return the probability of each score, shape (n, columns)."""
        return np.stack([steps.at(column) for steps, column in zip(self.steps, s.T, strict=True)], axis=1)

    def log_chances(self, s: Array) -> tuple[Array, Array]:
        p = self.probabilities(s)
        return np.log(p), log1p(-p)

    @np.errstate(all="ignore")
    def applied(self, x: Array) -> Array:
        p = self.probabilities(columns_of(x, self.kind))
        if self.binary(x):
            return p.reshape(x.shape)
        sums = row_sums(p)[:, None]
        return np.where(sums > 0, p / sums, 1 / p.shape[1])

    def reordered(self, order: tuple[int, ...]) -> Self:
        placed = dict(zip(order, self.steps, strict=True))
        return replace(self, steps=tuple(placed[i] for i in range(len(order))))

    def to_dict(self, names: list[str]) -> dict[str, Any]:
        each = zip(names, self.steps, strict=True)
        formula = (
            f"y at s, {SCORES[self.kind]}, by straight lines between the points (x, y), and y of the ends beyond them"
        )
        return self._described(formula, names) | {
            "columns": [{"name": name, "x": steps.x.tolist(), "y": steps.y.tolist()} for name, steps in each],
        }
