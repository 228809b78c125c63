"""Small pictures made of characters, for terminals: a line of bars, and a curve."""

from collections.abc import Sequence

import numpy as np

from losscli.arrays import Array
from losscli.render.screen import can_show

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .:-=+*#@"
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the eight dots of a braille character, row by row."""


def bars(counts: Sequence[int] | Array, encoding: str | None) -> str:
    """Return one character per count, higher for larger counts; a space stands for 0 and nothing else."""
    levels = BLOCKS if can_show(BLOCKS, encoding) else ASCII
    most = max(counts)
    return "".join(levels[int(np.ceil((len(levels) - 1) * count / most)) if count else 0] for count in counts)


MISSING, INFINITE, ABSENT, BREAK = "?", "^", "_", "|"
"""What stands for a number that is missing or NaN, for an infinite one, for no result, and before numbers of another kind."""
MOST_POINTS = 24
"""The most numbers that a curve of numbers shows."""


def series(values: Sequence[float | None], present: Sequence[bool], breaks: Sequence[int], encoding: str | None) -> str:
    """Return one character per number, higher for larger ones, from the smallest to the largest of those between two breaks.

    Of many numbers, some are shown, as far from each other as possible, the first and the last among them.

    Parameters
    ----------
    values
        the numbers; None for one that is missing.
    present
        whether there is a result at all, for each of them.
    breaks
        the places from which on numbers cannot be compared with those before, ascending.
    """
    levels = (BLOCKS if can_show(BLOCKS, encoding) else ASCII)[1:]
    picked = sorted({round(at) for at in np.linspace(0, len(values) - 1, min(MOST_POINTS, len(values)))})
    text, done = "", -1
    for number in picked:
        text += BREAK if any(done < at <= number for at in breaks) and done >= 0 else ""
        text += _level(values, present[number], number, breaks, levels)
        done = number
    return text


def _level(values: Sequence[float | None], present: bool, number: int, breaks: Sequence[int], levels: str) -> str:
    """Return the character of one number, by the smallest and the largest between the breaks around it."""
    value = values[number]
    if value is None or np.isnan(value):
        return MISSING if present else ABSENT
    if np.isinf(value):
        return INFINITE
    start = max((at for at in breaks if at <= number), default=0)
    stop = min((at for at in breaks if at > number), default=len(values))
    finite = [one for one in values[start:stop] if one is not None and np.isfinite(one)]
    low, high = min(finite), max(finite)
    if low == high:
        return levels[len(levels) // 2]
    # Halved, since the difference of two large numbers may be infinite.
    part = (value / 2 - low / 2) / (high / 2 - low / 2)
    return levels[min(len(levels) - 1, int(part * len(levels)))]


def curve(x: Array, y: Array, width: int, height: int, encoding: str | None) -> list[str]:
    """Return a curve as lines of characters, from its smallest value to its largest; values
    that are not finite are left out.

    A braille character has 2 x 4 dots; without braille, each dot is a '*'.
    """
    fine = can_show(chr(0x2800), encoding)
    across, down = (2, 4) if fine else (1, 1)
    columns, rows = width * across, height * down
    finite = np.isfinite(y)
    low, high = float(y[finite].min()), float(y[finite].max())
    at = np.linspace(x[0], x[-1], columns)
    # Between neighbours of which one is not finite, the interpolation is not finite either.
    level = (np.interp(at, x, y) - low) / ((high - low) or 1.0) * (rows - 1)
    dots = np.zeros((rows, columns), bool)
    before: int | None = None
    for column, value in enumerate(level):
        if not np.isfinite(value):
            before = None
            continue
        row = round(float(value))
        # A steep curve is joined to the column before it.
        start = row if before is None else before + (row > before) - (row < before)
        dots[min(start, row) : max(start, row) + 1, column] = True
        before = row
    dots = dots[::-1]
    if not fine:
        return ["".join("*" if dot else " " for dot in line).rstrip() for line in dots]
    cells = dots.reshape(height, 4, width, 2)
    codes = sum(cells[:, i, :, j] * DOTS[i][j] for i in range(4) for j in range(2))
    return ["".join(chr(0x2800 + int(code)) if code else " " for code in line).rstrip() for line in np.asarray(codes)]
