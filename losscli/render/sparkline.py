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
