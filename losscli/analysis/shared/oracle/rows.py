"""Numbers for formulas of whole rows at 60 digits: vectors, and numbers that carry their derivatives along."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mpmath import mp, mpf


def times(left: Any, right: Any) -> Any:
    """Zero times anything is zero."""
    if isinstance(left, Row | Dual) or isinstance(right, Row | Dual):
        return left * right
    return mpf(0) if left == 0 or right == 0 else left * right


def divided(left: Any, right: Any) -> Any:
    """Zero over anything is zero."""
    if isinstance(left, Row | Dual) or isinstance(right, Row | Dual):
        return left / right
    return mpf(0) if left == 0 else left * mp.inf if right == 0 else left / right


def power(base: Any, exponent: Any) -> Any:
    if isinstance(base, Row | Dual) or isinstance(exponent, Row | Dual):
        return mpf(1) if not isinstance(exponent, Row | Dual) and exponent == 0 else base**exponent
    return mpf(1) if exponent == 0 else mp.inf if base == 0 and exponent < 0 else base**exponent


class Row:
    """The numbers of a row's classes, on which arithmetic works one by one; a comparison gives 0 or 1."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = tuple(items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __getitem__(self, part: slice) -> "Row":
        return Row(self.items[part])

    def _with(self, other: Any, work: Callable[[Any, Any], Any]) -> "Row":
        others = other.items if isinstance(other, Row) else [other] * len(self.items)
        return Row(work(one, two) for one, two in zip(self.items, others, strict=True))

    def __add__(self, other: Any) -> "Row":
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other: Any) -> "Row":
        return self._with(other, lambda a, b: a - b)

    def __rsub__(self, other: Any) -> "Row":
        return self._with(other, lambda a, b: b - a)

    def __mul__(self, other: Any) -> "Row":
        return self._with(other, times)

    def __truediv__(self, other: Any) -> "Row":
        return self._with(other, divided)

    def __pow__(self, other: Any) -> "Row":
        return self._with(other, power)

    def __ge__(self, other: Any) -> "Row":
        return self._with(other, lambda a, b: mpf(a >= b))

    __radd__, __rmul__ = __add__, __mul__


class Dual:
    """A number with its derivatives by each of a row's numbers."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any, slopes: list[Any]) -> None:
        self.value, self.slopes = value, slopes

    def moved(self, value: Any, factor: Any, other: Any = None, weight: Any = 0) -> "Dual":
        """A number whose derivatives are this one's times a factor, plus another's times a weight."""
        if not isinstance(other, Dual):
            return Dual(value, [times(factor, a) for a in self.slopes])
        return Dual(
            value, [times(factor, a) + times(weight, b) for a, b in zip(self.slopes, other.slopes, strict=True)]
        )

    def __add__(self, other: Any) -> "Dual":
        return self.moved(self.value + plain(other), mpf(1), other, mpf(1))

    def __neg__(self) -> "Dual":
        return self.moved(-self.value, mpf(-1))

    def __sub__(self, other: Any) -> "Dual":
        return self + -other

    def __rsub__(self, other: Any) -> "Dual":
        return -self + other

    def __mul__(self, other: Any) -> "Dual":
        return self.moved(times(self.value, plain(other)), plain(other), other, self.value)

    def __truediv__(self, other: Any) -> "Dual":
        bottom = plain(other)
        value = divided(self.value, bottom)
        return self.moved(value, 1 / bottom if bottom else mp.inf, other, divided(-value, bottom))

    def __rtruediv__(self, other: Any) -> "Dual":
        return self.moved(divided(other, self.value), divided(divided(-other, self.value), self.value))

    def __pow__(self, other: Any) -> "Dual":
        if self.value == 0:
            return self.moved(power(self.value, other), mpf(other == 1) if other >= 1 else mp.inf)
        return self.moved(self.value**other, other * self.value ** (other - 1))

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= plain(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > plain(other))

    def __eq__(self, other: object) -> bool:
        return bool(self.value == plain(other))

    __radd__, __rmul__ = __add__, __mul__


def plain(x: Any) -> Any:
    """The number itself."""
    return x.value if isinstance(x, Dual) else x


def lifted(work: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of a number, as one of rows and of numbers with derivatives too."""

    def of(x: Any) -> Any:
        if isinstance(x, Row):
            return Row(of(one) for one in x)
        return x.moved(work(x.value), slope(x.value)) if isinstance(x, Dual) else work(x)

    return of


def cumsum(row: Row) -> Row:
    return Row(itertools.accumulate(row))
