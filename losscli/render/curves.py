"""Curves as a table: over what they go, and where they are smallest and largest."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from losscli.analysis.curves import Curve
from losscli.lookup.spec import spec
from losscli.render.table import Table
from losscli.render.text import Laid, number

DIGITS = 7
"""Digits of numbers that were computed on a grid."""


def laid_out(found: Sequence[Curve], digits: int | None) -> Laid:
    """Return curves as a title and a table with one row per curve; values that are not finite are left out."""
    digits = digits or DIGITS
    ends = [number(float(found[0].x[end]), digits) for end in (0, -1)]
    facts = [("x", f"from {ends[0]} to {ends[1]}")]
    return "curves", facts, [Table("curves", [_row(curve, digits) for curve in found])]


def _row(curve: Curve, digits: int) -> dict[str, Any]:
    finite = np.isfinite(curve.value)
    row = {"loss": spec(curve.bound), "points": f"{len(curve.x):,}"}
    if not finite.any():
        return row | {"smallest": "none", "x of smallest": "", "largest": "none", "x of largest": ""}
    x, value = curve.x[finite], curve.value[finite]
    for name, place, index in (
        ("smallest", "x of smallest", value.argmin()),
        ("largest", "x of largest", value.argmax()),
    ):
        row |= {name: number(float(value[index]), digits), place: number(float(x[index]), digits)}
    return row
