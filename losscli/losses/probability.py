"""The probability of an outcome as log p, p and 1 - p, whatever it is computed from, without cancellation.

Sigmoid and softmax losses are sums over outcomes of a core in `l`, `p` and `q` = 1 - p. Each class here is one way to
compute these three; nothing is computed before it is needed.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np

from losscli.arrays import Array, times
from losscli.definition.batch import Clip, Probability
from losscli.elementary import log1p
from losscli.records import NamedTuple, dataclass

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - it is used as a decorator
    """A property that is computed when it is first needed, and then kept.

    `functools.cached_property` holds a lock meanwhile, one for all instances, up to Python
    3.11: threads would take turns.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> T:
        value = instance.__dict__[self.compute.__name__] = self.compute(instance)
        return value


@dataclass
class OfLogit:
    """The probability of a sigmoid's outcome from its own logit x, which is -z for the negative outcome of
    a logit z.
    """

    x: Array

    @lazy
    def e(self) -> Array:
        size = np.abs(self.x)
        size = np.negative(size, out=size)
        return np.exp(size, out=size)

    @lazy
    def l(self) -> Array:
        l = np.clip(self.x, -np.inf, 0)  # three times as fast as np.minimum with a number
        l -= log1p(self.e)
        return l

    @lazy
    def p(self) -> Array:
        return self._larger(self.x >= 0)

    @lazy
    def q(self) -> Array:
        return self._larger(self.x <= 0)

    def _larger(self, likely: Array) -> Array:
        """Return the probability of an outcome that is the likelier one where `likely`: 1 / (1 + e), and e / (1 + e) elsewhere."""
        numerator = likely.astype(self.x.dtype)
        np.maximum(numerator, self.e, out=numerator)  # faster than np.where between 1 and e, which is at most 1
        numerator /= 1 + self.e
        return numerator


@dataclass
class OfProbability:
    """The probability of an outcome from the probability itself."""

    p: Array

    @lazy
    def l(self) -> Array:
        return np.log(self.p)

    @lazy
    def q(self) -> Array:
        return 1 - self.p


@dataclass
class OfLogProbability:
    """The probability of an outcome from its logarithm."""

    l: Array

    @lazy
    def p(self) -> Array:
        return np.exp(self.l)

    @lazy
    def q(self) -> Array:
        return -np.expm1(self.l)


@dataclass
class Known:
    """The probability of an outcome that a lift already knows in all three forms."""

    l: Array
    p: Array
    q: Array


@dataclass
class Opposite:
    """The probability of the other one of two outcomes: p and q are exchanged, and log(1 - p)
    is computed from the known form.
    """

    of: Probability

    @lazy
    def l(self) -> Array:
        if isinstance(self.of, OfLogit):
            return np.clip(-self.of.x, -np.inf, 0) - log1p(self.of.e)
        if isinstance(self.of, OfProbability):
            return log1p(-self.of.p)
        # log(1 - exp(l)) by the branch that keeps its digits (Maechler 2012, "Accurately computing log(1 - exp(-|a|))")
        return np.where(self.of.l > -np.log(2), np.log(self.of.q), log1p(-self.of.p))

    @property
    def p(self) -> Array:
        return self.of.q

    @property
    def q(self) -> Array:
        return self.of.p


def ratio(slope: Array, p: Array) -> Array:
    """Return slope / p, with 0 / 0 = 0."""
    return np.where(slope == 0, 0, slope / p)


class Slopes(NamedTuple):
    """The slope of a core by log p, and by p: for cores whose slope by p is not 0 at p = 0."""

    by_log: Array
    by_p: Callable[[], Array]


def by_log(slope: Any) -> Any:
    """Return a core's slope by log p."""
    return slope.by_log if isinstance(slope, Slopes) else slope


def by_probability(slope: Any, p: Array) -> Array:
    """Return a core's slope by p."""
    return slope.by_p() if isinstance(slope, Slopes) else ratio(slope, p)


def clipped(p: Array, clip: Clip) -> Known:
    """Return probabilities as a library changes them, in their own dtype as it does; only the logarithm is wider."""
    p = np.clip(p, clip.low, clip.high)
    l = np.log((p + clip.inside).astype(np.promote_types(p.dtype, np.float64)))
    return Known(np.maximum(l, clip.floor), p, 1 - p)


def beyond_half(x: Probability) -> Array | None:
    """Return p - 1/2 of a sigmoid's outcome, with all digits near z = 0; None if p is not computed from a logit."""
    if isinstance(x, OfLogit):
        return np.tanh(x.x / 2) / 2
    other = beyond_half(x.of) if isinstance(x, Opposite) else None
    return None if other is None else -other


def gap(x: Probability, t: Array | float, span: Any = 1.0, rest: Array | float | None = None) -> Array:
    """Return the difference t - span * p, computed from the smaller one of p and 1 - p, so that its digits are kept.

    `rest` is span - t, if it is known with more digits than the difference has.
    """
    if isinstance(t, float) and t == span:
        return span * x.q
    difference = np.where(x.p > 0.5, span * x.q - (span - t if rest is None else rest), t - span * x.p)
    middle = beyond_half(x)
    return difference if middle is None else np.where(np.abs(middle) < 0.25, (t - span / 2) - span * middle, difference)


LARGE_POWER = 1000
"""The rounding of a number is multiplied by the power: up to this one, a long double has digits to spare."""


def to_the(exponent: Any, number: Array, rest: Array) -> Array:
    """Return number**exponent from a number in [0, 1] and `rest`, which is 1 - number with the digits that it has near 1."""
    if np.max(exponent, initial=0) <= LARGE_POWER:  # of no rows at all, there is no largest
        return np.asarray(number**exponent)
    return np.where(rest < 0.5, np.exp(exponent * log1p(-rest)), number**exponent)


def focal_core(x: Probability, t: Array | float, gamma: float) -> tuple[Array, Callable[[], Array]]:
    """Return -t (1 - p)^gamma log p and its slope by log p; the focal losses of two families use it."""
    focus = to_the(gamma, x.q, x.p)

    def slope() -> Array:
        return times(t, focus * (gamma * pull(x.l, x.p, x.q) - 1))

    return times(t, -focus * x.l), slope


def pull(l: Array, p: Array, q: Array) -> Array:
    """Return the ratio p log(p) / q, which is -1 at q = 0 and 0 at p = 0."""
    return np.where(q == 0, -1, p * np.maximum(l, np.finfo(l.dtype).min) / q)


EXCESS_TERMS = 18
"""With this many terms, the error of the series of the logarithm below is less than 1e-18 of it for q < 0.1."""


def poly_core(x: Probability, t: Array | float, epsilon: float) -> tuple[Array, Callable[[], Array]]:
    """Return t (-log p + epsilon (1 - p)) and its slope by log p; the poly-1 losses of two families use it."""
    if epsilon >= 0:
        return times(t, epsilon * x.q - x.l), lambda: times(t, -1 - epsilon * x.p)
    # For small q, -log p is little more than q: the difference is the series q^2/2 + q^3/3 + ...
    series = np.zeros_like(x.q)
    for i in range(EXCESS_TERMS, 1, -1):
        series = (series + 1 / x.q.dtype.type(i)) * x.q
    excess = np.where(x.q < 0.1, series * x.q, -x.l - x.q)
    left = 1 + x.q.dtype.type(epsilon)
    return times(t, excess + left * x.q), lambda: times(t, epsilon * x.q - left)
