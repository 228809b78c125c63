"""Whether the first row of a text table is a header or data, where its cells do not tell.

A first row of words is a header, and one of numbers is data. Both can be wrong: headers may be numbers, such as years or
class indices, and a row of data may begin with a missing value. A doubt is an error until --header or --no-header.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from losscli.data.doubts import HEADER_TRIES, Doubt
from losscli.io.operands import Operand
from losscli.io.table import MISSING, is_percentage, parses_as_number

WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
LEADING_ZERO = re.compile(r"[+-]?0\d")
ROWS = 200
"""The rows below the first one that are looked at."""
FEW = 3
"""Rows of a single column that must have fractions for a whole number above them to be doubtful."""


def about_first_row(operand: Operand) -> Doubt | None:
    """Return the doubt about a first row, going by its own file; None if there is none, or an option settles it."""
    table = operand.content
    if not operand.is_table or table.settled or not table.first_row:
        return None
    first = table.first_row
    if table.names is not None:
        if _is_missing(first) and not _are_levels(first, table.head(ROWS)):
            return _doubt(operand, f"the first row ({_shown(first)}) has a missing value, where a header has names")
        return None
    if table.first_quoted and table.height and not table.quoted_below:
        return _doubt(operand, f"the first row ({_shown(first)}) is in quotes and those below are not")
    if all(WHOLE.fullmatch(cell) for cell in first) and _whole_above_fractions(first, table.head(ROWS)):
        return _doubt(operand, f"the first row ({_shown(first)}) holds whole numbers, and all below have fractions")
    return None


def about_same_first_row(predictions: Operand, targets: Operand) -> Doubt | None:
    """Return the doubt about a row of ascending numbers with which both files begin, while all others differ."""
    tables = [operand.content for operand in (predictions, targets) if _begins_with_data(operand)]
    if len(tables) < 2 or predictions.same_file(targets):
        return None
    first, other = (table.first_row for table in tables)
    if len(first) < 2 or first != other or not _ascending(first):
        return None
    below = list(zip(*(table.head(ROWS) for table in tables), strict=False))
    if not below or any(one == another for one, another in below):
        return None
    return _doubt(
        predictions, f"{targets.name} begins with the same row ({_shown(first)}), and no other row is the same"
    )


def about_levels(operand: Operand, columns: Sequence[int], levels: list[float]) -> Doubt | None:
    """Return the doubt about a first row that was taken for data and equals the levels that --levels says.

    `columns` are those of the predictions, by their numbers from 0.
    """
    if not _begins_with_data(operand) or len(columns) != len(levels):
        return None
    first = operand.content.first_row
    cells = [first[number] for number in columns if number < len(first)]
    if len(cells) < len(levels) or not all(map(parses_as_number, cells)) or [float(cell) for cell in cells] != levels:
        return None
    return _doubt(operand, f"the first row ({_shown(cells)}) equals --levels")


def _begins_with_data(operand: Operand) -> bool:
    """Whether an operand is a text table whose first row was taken for data, without an option that says so."""
    if not operand.is_table:
        return False
    table = operand.content
    return bool(table.first_row) and not table.settled and table.names is None


def _doubt(operand: Operand, why: str) -> Doubt:
    """Return the doubt whether a first row is a header or data."""
    evidence = f"{operand.name}:1: {why}: a header or data?"
    return Doubt(evidence, (" Say --header or --no-header",), HEADER_TRIES)


def _is_missing(first: Sequence[str]) -> bool:
    """Whether a row that was taken for a header is one of data in which a number is missing, or a percentage."""
    odd = [cell for cell in first if not _is_number(cell)]
    return all(cell.lower() in MISSING or is_percentage(cell) for cell in odd)


def _are_levels(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a first row holds ascending percentages, and no cell below is one: levels of quantiles, as 10% and 90%."""
    if len(first) < 2 or not all(is_percentage(cell) for cell in first):
        return False
    numbers = [float(cell.rstrip(" %").replace(",", ".")) for cell in first]
    rising = all(one < other for one, other in pairwise(numbers))
    return rising and bool(below) and not any(is_percentage(cell) for row in below for cell in row)


def _whole_above_fractions(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a row of whole numbers, which differ from each other, stands above numbers that all have fractions."""
    if len(below) < (FEW if len(first) == 1 else 1):
        return False
    numbers = [int(cell) for cell in first]
    if len(set(numbers)) < len(numbers) or (set(numbers) <= {0, 1} and numbers != sorted(numbers)):
        return False
    return all(_has_fraction(cell) for row in below for cell in row)


def _has_fraction(cell: str) -> bool:
    """Whether a cell is written as a number with a fraction or an exponent."""
    return _is_number(cell) and not WHOLE.fullmatch(cell)


def _ascending(cells: Sequence[str]) -> bool:
    """Whether cells are numbers of which each is larger than the one before, as columns are numbered."""
    if not all(_is_number(cell) for cell in cells):
        return False
    numbers = [float(cell) for cell in cells]
    return all(one < other for one, other in pairwise(numbers))


def _is_number(cell: str) -> bool:
    """Whether a cell is a number; 007 is a name."""
    return not LEADING_ZERO.match(cell) and parses_as_number(cell)


def _shown(cells: Sequence[str]) -> str:
    """Return the first cells of a row."""
    return ",".join(cells[:3]) + (",..." if len(cells) > 3 else "")
