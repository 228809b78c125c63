"""Curves as SVG, written when the gallery is made: small ones for the list of losses, and panels with axes for their pages.

A panel has the colours of the page that shows it (classes of site.css). losscli/gallery/curve.js draws the same panels in the browser,
with the same ranges and ticks, so that nothing moves when it takes over.
"""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context
from html import escape
from itertools import pairwise
from typing import Literal

import numpy as np

from losscli.analysis.curves import Curve
from losscli.arrays import Array

What = Literal["value", "slope"]
INNER = {"value": 0.01, "slope": 0.08}
"""If a curve goes to infinity, its panel shows the values farther than this part of the axis from both ends."""
BAND = 0.06
"""Empty space above and below a curve, as a part of its range."""
SPARK = (120, 56)
"""Width and height of a small curve."""
PANEL = (460, 300)
"""Width and height of a panel, in the units of its viewBox."""
TOP, RIGHT, BOTTOM = 26, 12, 44
"""The margins of a panel; the left one depends on the numbers that stand there."""
LETTER = 7.2
"""Width of a letter of the numbers beside an axis."""
FINE, COARSE = 0.08, 0.12
"""Points nearer to the line between others than this, in units of a picture, are left out."""


def sparkline(curve: Curve) -> str:
    """Return the value of a loss as a small curve without axes; where it jumps, the line is interrupted."""
    width, height = SPARK
    x, y = curve.line("value")
    low, high = limits(curve.value, "value")
    across = (x - x[0]) / (x[-1] - x[0]) * (width - 4) + 2
    up = height - 3 - (y - low) / (high - low) * (height - 6)
    base = height - 3 - (0 - low) / (high - low) * (height - 6)
    return (
        f'<svg class="spark" viewBox="0 0 {width} {height}" aria-hidden="true"><path class="zero" d="M0 {_digits(base)}H{width}"/>'
        f'<path class="line" d="{path(across, _within(up, height), COARSE)}"/></svg>'
    )


def panel(curve: Curve, what: What, title: str, letter: str, words: str) -> str:
    """Return the value or the slope of a loss as a panel with axes.

    Parameters
    ----------
    title
        what is drawn, such as 'loss f(r)'.
    letter
        what it is drawn over, below the axis.
    words
        the curve in words, for those who do not see it.
    """
    width, height = PANEL
    x, y = curve.line(what)
    low, high = limits(getattr(curve, what), what)
    places = ticks(low, high)
    texts = labels(places)
    left = 14 + LETTER * max(map(len, texts))
    wide, tall = width - left - RIGHT, height - TOP - BOTTOM
    first, last = float(curve.x[0]), float(curve.x[-1])

    def across(at: Array | float) -> Array:
        return np.asarray((np.asarray(at) - first) / (last - first) * wide)

    def up(at: Array | float) -> Array:
        return np.asarray((high - np.asarray(at)) / (high - low) * tall)

    parts = [
        f'<svg class="panel" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(f"{title}: {words}")}">',
        f'<text class="title" x="{_digits(left)}" y="15">{escape(title)}</text>',
    ]
    for at, text in zip(places, texts, strict=True):
        there = _digits(TOP + float(up(at)))
        kind = "axis" if at == 0 else "grid"
        parts.append(f'<path class="{kind}" d="M{_digits(left)} {there}h{_digits(wide)}"/>')
        parts.append(f'<text x="{_digits(left - 7)}" y="{there}" dy=".35em" text-anchor="end">{text}</text>')
    across_ticks = ticks(first, last)
    for at, text in zip(across_ticks, labels(across_ticks), strict=True):
        there = _digits(left + float(across(at)))
        parts.append(f'<path class="axis" d="M{there} {height - BOTTOM}v5"/>')
        parts.append(f'<text x="{there}" y="{height - BOTTOM + 19}" text-anchor="middle">{text}</text>')
    parts.append(f'<text x="{_digits(left + wide / 2)}" y="{height - 6}" text-anchor="middle">{escape(letter)}</text>')
    parts.append(f'<svg x="{_digits(left)}" y="{TOP}" width="{_digits(wide)}" height="{tall}">')
    for jump in curve.jumps(what):
        below, at_it, above = getattr(jump, what)
        if math.isfinite(below) and math.isfinite(above):
            parts.append(
                f'<path class="jump" d="M{_digits(across(jump.x))} {_digits(up(below))}V{_digits(up(above))}"/>'
            )
        if math.isfinite(at_it):
            parts.append(f'<circle class="dot" cx="{_digits(across(jump.x))}" cy="{_digits(up(at_it))}" r="3.5"/>')
    parts.append(f'<path class="line" d="{path(across(x), _within(up(y), tall), FINE)}"/></svg></svg>')
    return "".join(parts)


def limits(y: Array, what: What) -> tuple[float, float]:
    """Return the range of a panel: all values and 0, and a little room."""
    shown = y[np.isfinite(y)]
    if len(shown) < len(y):
        left_out = max(1, round(INNER[what] * len(y)))
        inside = y[left_out:-left_out]
        shown = inside[np.isfinite(inside)]
    low, high = (min(float(shown.min()), 0.0), max(float(shown.max()), 0.0)) if len(shown) else (0.0, 1.0)
    room = BAND * ((high - low) or 1)
    return low - room, high + room


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers between two others, at most so many."""
    raw = (high - low) / most
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def labels(places: Sequence[float]) -> list[str]:
    """Return numbers of an axis as text, with a minus sign."""
    return [plain(at, 6).replace("-", "\N{MINUS SIGN}") for at in places]


def plain(number: float, digits: int = 3) -> str:
    """Return a number with so many digits, 2 and not 2.0; infinity is a word."""
    if math.isinf(number):
        return "infinity" if number > 0 else "-infinity"
    if math.isnan(number):
        return "no number"
    rounded = float(Context(digits, ROUND_HALF_UP).create_decimal(float(number))) + 0.0  # as JavaScript rounds
    if rounded == int(rounded) and abs(rounded) < 1e21:
        return str(int(rounded))
    return repr(rounded).replace("e-0", "e-")


def path(across: Array, up: Array, tolerance: float) -> str:
    """Return points as a path; NaN interrupts it, and points that the line between others passes by are left out."""
    parts = []
    edges = [-1, *np.flatnonzero(np.isnan(up)), len(up)]
    for before, after in pairwise(edges):
        points = np.column_stack([across[before + 1 : after], up[before + 1 : after]])
        if len(points) > 1:
            kept = points[_thinned(points, tolerance)]
            words = [f"{_digits(x)} {_digits(y)}" for x, y in kept]
            parts.append("M" + "L".join(words))
    return "".join(parts)


def _thinned(points: Array, tolerance: float) -> Array:
    """Return the numbers of the points that are needed (Ramer 1972, Douglas and Peucker 1973)."""
    kept = {0, len(points) - 1}
    waiting = [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        start, along = points[first], points[last] - points[first]
        between = points[first + 1 : last] - start
        away = np.abs(between[:, 0] * along[1] - between[:, 1] * along[0]) / (math.hypot(*along) or 1.0)
        farthest = int(np.argmax(away))
        if away[farthest] > tolerance:
            middle = first + 1 + farthest
            kept.add(middle)
            waiting += [(first, middle), (middle, last)]
    return np.array(sorted(kept))


def _within(up: Array, tall: float) -> Array:
    """Return heights of a picture, none of them farther outside than three times its own height."""
    return np.clip(up, -3.0 * tall, 4.0 * tall)


def _digits(at: Array | float) -> str:
    """Return a place in a picture: tenths are fine enough."""
    return f"{float(at) + 0.0:.1f}".removesuffix(".0")
