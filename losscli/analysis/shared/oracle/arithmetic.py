"""Numbers of 60 digits in NumPy arrays, with the rules of floating point: 1 / 0 is inf, 0 times inf is NaN, log(0) is -inf.

With them a formula that is written for NumPy is evaluated as it stands, but without rounding.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from mpmath import mp, mpf

from losscli.arrays import Array


class Number:
    """A number of 60 digits. NumPy calls its methods for the functions of the same names."""

    __slots__ = ("value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any) -> None:
        self.value = _plain(value)

    def __add__(self, other: Any) -> "Number":
        return Number(self.value + _plain(other))

    def __sub__(self, other: Any) -> "Number":
        return Number(self.value - _plain(other))

    def __rsub__(self, other: Any) -> "Number":
        return Number(_plain(other) - self.value)

    def __mul__(self, other: Any) -> "Number":
        return Number(self.value * _plain(other))

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Any) -> "Number":
        return Number(_divided(self.value, _plain(other)))

    def __rtruediv__(self, other: Any) -> "Number":
        return Number(_divided(_plain(other), self.value))

    def __pow__(self, other: Any) -> "Number":
        return Number(_power(self.value, _plain(other)))

    def __rpow__(self, other: Any) -> "Number":
        return Number(_power(_plain(other), self.value))

    def __neg__(self) -> "Number":
        return Number(-self.value)

    def __pos__(self) -> "Number":
        return self

    def __abs__(self) -> "Number":
        return Number(abs(self.value))

    def __eq__(self, other: object) -> bool:
        return bool(self.value == _plain(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < _plain(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.value <= _plain(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > _plain(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= _plain(other))

    def __bool__(self) -> bool:
        return bool(self.value != 0)

    def __float__(self) -> float:
        return float(self.value)

    def exp(self) -> "Number":
        return Number(mpf(0) if self.value == -mp.inf else mp.exp(self.value))

    def expm1(self) -> "Number":
        return Number(mp.expm1(self.value) if self.value != -mp.inf else mpf(-1))

    def log(self) -> "Number":
        return self._above(mpf(0), mp.log)

    def log1p(self) -> "Number":
        return self._above(mpf(-1), mp.log1p)

    def sqrt(self) -> "Number":
        return Number(mp.sqrt(self.value)) if self.value >= 0 else Number(mp.nan)

    def tanh(self) -> "Number":
        return Number(mp.tanh(self.value))

    def cosh(self) -> "Number":
        return Number(mp.cosh(self.value))

    def _above(self, edge: Any, work: Callable[[Any], Any]) -> "Number":
        """Return a logarithm: minus infinity at the edge of its domain, and NaN below."""
        if self.value == edge:
            return Number(-mp.inf)
        return Number(work(self.value)) if self.value > edge else Number(mp.nan)


def _plain(x: Any) -> Any:
    if isinstance(x, Number):
        return x.value
    return x if isinstance(x, mpf) else mpf(float(x))


def _divided(top: Any, bottom: Any) -> Any:
    if bottom != 0:
        return top / bottom
    return mp.nan if top == 0 or mp.isnan(top) else mp.sign(top) * mp.inf


def _power(base: Any, exponent: Any) -> Any:
    if base == 0:
        return mpf(1) if exponent == 0 else mpf(0) if exponent > 0 else mp.inf
    return base**exponent if base > 0 or exponent == mp.floor(exponent) else mp.nan


def array(numbers: Iterable[Any], shape: tuple[int, ...]) -> Array:
    """Return numbers as an array of objects, of a shape."""
    flat = [Number(one) for one in numbers]
    made = np.empty(len(flat), object)
    made[:] = flat
    return made.reshape(shape)
