"""A curve in words, for those who do not see it: where it falls and rises, where it jumps, and between what its gradient lies.

losscli/gallery/curve.js says the same words of the curve that it draws, and a test compares both.
"""

from itertools import pairwise

import numpy as np

from losscli.analysis.curves import Curve
from losscli.arrays import Array
from losscli.gallery.svg import plain
from losscli.records import NamedTuple

SAME = 1e-11
"""Two neighbouring values that differ by less than this part of the largest one are equal."""
SHORT = 24
"""A flat part with fewer steps than this, such as the bottom of a curve, is none."""
NOTHING = 1e-12
"""A number smaller than this part of the largest one is what rounding leaves of 0, and is told as 0."""
MOST = 6
"""Parts of a curve that are told one by one."""
FALLS, FLAT, RISES, JUMPS = -1, 0, 1, 2
VERBS = {FALLS: "falls", RISES: "rises"}


class _Part(NamedTuple):
    """A part of a curve, from one of its points to another, in which it does one thing."""

    does: int
    first: int
    last: int


def described(curve: Curve, letter: str) -> str:
    """Return one or two sentences about a loss and its gradient along an axis, whose variable is `letter`."""
    x, value = curve.x, curve.value
    parts = _parts(curve)
    start, end = plain(x[0]), plain(x[-1])
    if len(parts) > MOST:
        low, high = _range(value)
        words = f"changes its direction {len(parts) - 1} times between {low} and {high}"
    else:
        words = ", then ".join(_said(curve, parts, number, letter) for number in range(len(parts)))
    return f"From {letter} = {start} to {end} the loss {words}. {_gradient(curve, letter)}"


def _said(curve: Curve, parts: list[_Part], number: int, letter: str) -> str:
    """Return a part in words: 'falls from 2 to 0 at r = 0'."""
    does, first, last = parts[number]
    before, after = _told(curve.value[first], curve.value), _told(curve.value[last], curve.value)
    if does == JUMPS:
        return f"jumps from {before} to {after} at {letter} = {plain(curve.x[(first + last) // 2])}"
    until = number < len(parts) - 1 and parts[number + 1].does != JUMPS
    if does == FLAT:
        return f"stays at {after}" + (f" until {letter} = {plain(curve.x[last])}" if until else "")
    start = f"from {before} " if number == 0 else ""
    return f"{VERBS[does]} {start}to {after}" + (f" at {letter} = {plain(curve.x[last])}" if until else "")


def _gradient(curve: Curve, letter: str) -> str:
    """Return a sentence about the gradient."""
    low, high = _range(curve.slope)
    words = (
        f"Its gradient over {letter} is {low} everywhere"
        if low == high
        else f"Its gradient over {letter} lies between {low} and {high}"
    )
    places = sorted({jump.x for jump in curve.jumps("slope") if curve.x[0] < jump.x < curve.x[-1]})
    if places and len(places) <= MOST:
        words += f", and jumps at {letter} = {', '.join(map(plain, places))}"
    return words + "."


def _range(y: Array) -> tuple[str, str]:
    known = y[~np.isnan(y)]
    return _told(float(known.min()), y), _told(float(known.max()), y)


def _told(number: float, among: Array) -> str:
    """Return one of the numbers of a curve in words."""
    return plain(0.0 if abs(number) < NOTHING * _largest(among) else number)


def _largest(y: Array) -> float:
    return float(np.max(np.abs(y), where=np.isfinite(y), initial=0.0))


def _parts(curve: Curve) -> list[_Part]:
    """Return the parts of a curve."""
    value = curve.value
    same = SAME * _largest(value)
    with np.errstate(invalid="ignore"):
        change = np.diff(value)
    does = np.where(change > same, RISES, np.where(change < -same, FALLS, FLAT))
    for jump in curve.jumps("value"):
        at = int(np.searchsorted(curve.x, jump.x))
        does[max(0, at - 1) : at + 1] = JUMPS
    edges = [0, *(np.flatnonzero(np.diff(does)) + 1), len(does)]
    parts = [_Part(int(does[first]), int(first), int(last)) for first, last in pairwise(edges)]
    return _joined(parts, value)


def _joined(parts: list[_Part], value: Array) -> list[_Part]:
    """Return the parts without short flat ones: the parts beside meet at the smallest or largest value of these."""
    joined: list[_Part] = []
    for number, part in enumerate(parts):
        inner = 0 < number < len(parts) - 1
        short = part.does == FLAT and part.last - part.first < SHORT
        if short and inner and parts[number - 1].does != JUMPS and parts[number + 1].does != JUMPS:
            here = value[part.first : part.last + 1]
            at = part.first + int(np.argmax(here) if joined[-1].does == RISES else np.argmin(here))
            joined[-1] = joined[-1]._replace(last=at)
            continue
        if joined and joined[-1].does == part.does:
            joined[-1] = joined[-1]._replace(last=part.last)
        else:
            joined.append(part._replace(first=joined[-1].last if joined else part.first))
    return joined
