"""The loss under test, and its reference: both give one number per row, and gradients, for points."""

from collections.abc import Mapping

import numpy as np

from losscli.analysis.shared.points import Points
from losscli.arrays import Array
from losscli.custom.loss import Custom, Settings
from losscli.custom.reading import Found
from losscli.definition.batch import Dense, Extras, Indices
from losscli.definition.loss import BoundLoss
from losscli.lookup.spec import spec
from losscli.records import dataclass, replace

STEPS = (2.0**-20, 2.0**-8, 2.0**-6)
"""Steps of central differences; the larger ones are for losses that compute in float32 whatever they are given."""


class Subject:
    """The loss under test."""

    def __init__(
        self, found: Found, settings: Settings, parameters: Mapping[str, float | None], prediction_kind: str
    ) -> None:
        self.own = Custom(found, settings)
        self.settings, self.parameters, self.prediction_kind = settings, dict(parameters), prediction_kind

    def but(self, **parameters: float) -> "Subject":
        """Return the loss with other parameters."""
        return Subject(self.own.found, self.settings, self.parameters | parameters, self.prediction_kind)

    def raw(self, points: Points) -> Array:
        """Return its result for all rows in one call."""
        return self.called(points.x.copy(), self.own.targets(points.targets, points.x).copy())

    def called(self, x: Array, t: Array) -> Array:
        """Return its result for arrays, which are passed without a copy."""
        function = self.own.function(self.parameters, self.prediction_kind)
        with self.own.foreign():
            return self.own.numbers(function(self.own.framework.array(x), self.own.framework.array(t)))

    def values(self, points: Points) -> Array:
        """Return one loss per row, shape (n,)."""
        return self._evaluated(points, False)[0]

    def gradient(self, points: Points) -> Array:
        """Return the derivative by the predictions, by the framework's autograd, or by differences."""
        slopes = self._evaluated(points, True)[1]
        assert slopes is not None
        return slopes

    def differences(self, points: Points) -> list[Array]:
        """Return the derivative by central differences of its values, one array for each step from small to large."""
        flat = points.x.reshape(len(points.x), -1)
        gradients = []
        for step in STEPS:
            slopes = np.zeros_like(flat)
            for column in range(flat.shape[1]):
                values_of_column = flat[:, column]
                widths = step * (
                    np.minimum(values_of_column, 1 - values_of_column)
                    if self.prediction_kind == "probs"
                    else np.maximum(1, np.abs(values_of_column))
                )
                ends = []
                for sign in (1, -1):
                    moved = flat.copy()
                    moved[:, column] += sign * widths
                    ends.append(self.values(Points(moved.reshape(points.x.shape), points.targets)))
                slopes[:, column] = (ends[0] - ends[1]) / (2 * widths)
            gradients.append(slopes.reshape(points.x.shape))
        return gradients

    def _evaluated(self, points: Points, gradient: bool) -> tuple[Array, Array | None]:
        function = self.own.function(self.parameters, self.prediction_kind)
        t = self.own.targets(points.targets, points.x)
        with self.own.foreign():
            values, slopes = self.own.evaluate(function, points.x, t, gradient, self.prediction_kind == "probs")
        if values.ndim == 2:
            scale = 1 if isinstance(points.targets, Indices) else values.shape[1]
            values, slopes = values.sum(axis=1) / scale, None if slopes is None else slopes / scale
        return values.astype(np.float64), None if slopes is None else slopes.astype(np.float64)


@dataclass(frozen=True)
class Reference:
    """A loss of losscli's own, times a factor that the user's loss has as a parameter."""

    bound: BoundLoss
    prediction_kind: str
    factor: float = 1.0

    @property
    def name(self) -> str:
        """Its SPEC, and the factor if it is not 1."""
        return spec(self.bound) + (f", times {self.factor:g}" if self.factor != 1 else "")

    def but(self, **parameters: float | None) -> "Reference":
        """Return the reference with other parameters."""
        return replace(self, bound=self.bound.declaration.bind(**dict(self.bound.parameters) | parameters))

    def __call__(self, points: Points) -> Array:
        """Return one loss per row, shape (n,)."""
        return self._evaluated(points, False)[0]

    def gradient(self, points: Points) -> Array:
        """Return the derivative by the predictions."""
        slopes = self._evaluated(points, True)[1]
        assert slopes is not None
        return slopes

    def _evaluated(self, points: Points, gradient: bool) -> tuple[Array, Array | None]:
        family = self.bound.family
        targets = points.targets
        if family.target_type in ("signs", "outcomes") and isinstance(targets, Dense):
            positive = targets.t > 0
            targets = Dense(np.where(positive, 1, -1).astype(np.int8) if family.target_type == "signs" else positive)
        extras = Extras(self.prediction_kind if family.takes_from else "logits")
        values, slopes = self.bound(points.x.astype(np.float64), targets, extras, gradient)
        return values * self.factor, None if slopes is None else slopes * self.factor
