"""The probability of an outcome as log p, p and 1 - p, whatever it is made from, without cancellation.

Sigmoid and softmax losses are sums over outcomes of a core in `l`, `p` and `q` = 1 - p. Each class here is one way of
getting those three; nothing is computed before it is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from losscli.core import Array, Chance

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - it is used as a decorator
    """A property that is computed when it is first asked for, and then kept.

    That of functools holds a lock meanwhile, one for all instances, up to Python 3.11: threads would take turns.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> T:
        found = instance.__dict__[self.compute.__name__] = self.compute(instance)
        return found


@dataclass
class OfLogit:
    """Of a sigmoid's outcome whose own logit is x: x for the positive one, -x for the negative one."""

    x: Array

    @lazy
    def e(self) -> Array:
        return np.exp(-np.abs(self.x))

    @lazy
    def l(self) -> Array:
        return np.minimum(self.x, 0) - np.log1p(self.e)

    @lazy
    def p(self) -> Array:
        # exp(min(x, 0)) is e or 1, in less time than np.where takes between the two.
        return np.exp(np.minimum(self.x, 0)) / (1 + self.e)

    @lazy
    def q(self) -> Array:
        return np.exp(np.minimum(-self.x, 0)) / (1 + self.e)


@dataclass
class OfProbability:
    """Of an outcome whose probability is given."""

    p: Array

    @lazy
    def l(self) -> Array:
        return np.log(self.p)

    @lazy
    def q(self) -> Array:
        return 1 - self.p


@dataclass
class OfLogProbability:
    """Of an outcome whose log-probability is given."""

    l: Array

    @lazy
    def p(self) -> Array:
        return np.exp(self.l)

    @lazy
    def q(self) -> Array:
        return -np.expm1(self.l)


@dataclass
class Known:
    """Of an outcome that a lift already knows in all three forms."""

    l: Array
    p: Array
    q: Array


@dataclass
class Opposite:
    """Of the other outcome of two: p and q change places, and log(1 - p) is made from the form that is given."""

    of: Chance

    @lazy
    def l(self) -> Array:
        if isinstance(self.of, OfLogit):
            return np.minimum(-self.of.x, 0) - np.log1p(self.of.e)
        if isinstance(self.of, OfProbability):
            return np.log1p(-self.of.p)
        # log(1 - exp(l)) by the branch that keeps its digits (Maechler 2012, "Accurately computing log(1 - exp(-|a|))")
        return np.where(self.of.l > -np.log(2), np.log(self.of.q), np.log1p(-self.of.p))

    @property
    def p(self) -> Array:
        return self.of.q

    @property
    def q(self) -> Array:
        return self.of.p


def times(weight: Array | float, value: Array) -> Array:
    """Weight * value, where zero times anything is zero: 0 log 0 = 0."""
    if isinstance(weight, float):
        return value if weight == 1 else weight * value if weight else np.zeros_like(value)
    return np.where(weight == 0, 0, weight * value)


def ratio(slope: Array, p: Array) -> Array:
    """Slope / p, where nothing over nothing is nothing."""
    return np.where(slope == 0, 0, slope / p)


def focal_core(x: Chance, t: Array | float, gamma: float) -> tuple[Array, Callable[[], Array]]:
    """-t (1 - p)^gamma log p and its slope by log p; the focal losses of two families are this one."""
    focus = x.q**gamma

    def slope() -> Array:
        pull = np.where(x.q == 0, -1, x.p * np.maximum(x.l, np.finfo(x.l.dtype).min) / x.q)  # p l / q -> -1 as p -> 1
        return times(t, focus * (gamma * pull - 1))

    return times(t, -focus * x.l), slope
