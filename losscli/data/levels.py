"""Levels of predictions that are quantiles: of an option, or of the names of the columns."""

import re
from decimal import Decimal

import numpy as np

from losscli.arrays import Array
from losscli.data.columns import Columns
from losscli.data.doubts import Doubt
from losscli.data.headers import about_levels
from losscli.definition.domain import FRACTION
from losscli.definition.request import Request
from losscli.errors import UsageError
from losscli.io.source import Source
from losscli.io.table import TableSource, parses_as_number
from losscli.wording import count, quoted, written

NAMED = re.compile(r"(?:q|quantile)[ _-]?([01]_\d+)|(?:q|quantile)?[ _-]?([01]?\.\d+|[01])", re.IGNORECASE)
"""A name that says a level: the number, alone or after 'q' or 'quantile', where 0_9 is 0.9."""

IN_PERCENT = re.compile(
    r"(?:(?:[pq]|pct|quantile|percentile)[ _-]?)?(\d{1,3}(?:\.\d+)?) ?%|(?:(?:p|pct|percentile)[ _-]?(\d{1,3}(?:\.\d+)?)|"
    r"(?:q|quantile)[ _-]?(\d{2}(?:\.\d+)?|100))",
    re.IGNORECASE,
)
"""A name that says a level in percent, as 10%, p10 or q05."""

AGREEING = 1e-9
"""Levels that differ by no more than this are the same: alpha / 2 is rounded, and so are names."""


def levels_of(request: Request, predictions: Source) -> Array:
    """Return the levels of the columns of predictions, shape (k,).

    Raises
    ------
    UsageError
        if neither --levels nor the names say them, or both do and differ; or for numbers that are no levels.
    """
    k, named = predictions.shape[1], _of_names(predictions.columns)
    if request.levels is None:
        if named is None:
            bare = predictions.columns is None and isinstance(predictions, TableSource)
            header = "; if the first row holds them, say --header" if bare else ""
            raise UsageError(
                f"{request.loss.name} needs --levels, one for each of {count(k, 'column')} of {predictions.name}, as "
                f"--levels {_example(k)}{header}"
            )
        levels = named
    else:
        levels = _of_text(request.levels)
    if len(levels) != k:
        raise UsageError(
            f"--levels {request.levels}: {count(len(levels), 'level')} for {count(k, 'column')} of {predictions.name}"
        )
    if len(set(levels)) < len(levels):
        twice = next(one for i, one in enumerate(levels) if one in levels[:i])
        cure = "pick columns with --columns" if request.levels is None else "say each once"
        raise UsageError(f"{predictions.name}: the level {written(twice)} is there twice; {cure}")
    if named is not None and named != levels:
        names = ",".join(map(quoted, predictions.columns or ()))
        raise UsageError(
            f"--levels {request.levels}: the columns of {predictions.name} are named {names}; leave --levels out, or say them "
            "in the order of the columns"
        )
    return np.array(levels)


def about_first_row(request: Request, predictions: Columns) -> Doubt | None:
    """Return the doubt whether a first row that equals --levels is a header or data.

    Raises a UsageError for what is no level.
    """
    if request.levels is None or not predictions.operand.is_table:
        return None
    return about_levels(predictions.operand, predictions.numbers, _of_text(request.levels))


def check_interval(request: Request, predictions: Source) -> None:
    """Raise a UsageError if the columns of an interval are named by levels other than alpha / 2 and 1 - alpha / 2.

    Columns called 0 and 1 are numbered: no interval of a finite score has these levels.
    """
    named = _of_names(predictions.columns)
    if named is None or len(named) != 2 or set(named) <= {0, 1}:
        return
    low, high = named
    columns = predictions.columns or ()
    names = " and ".join(map(quoted, columns))
    place = f"{predictions.name}: the columns of the interval are named {names}"
    if low > high:
        swapped = ",".join(map(quoted, reversed(columns)))
        raise UsageError(f"{place}, the upper end before the lower one; say --columns {swapped}")
    alpha = request.loss.parameters["alpha"]
    assert alpha is not None
    if abs(low - alpha / 2) <= AGREEING and abs(high - (1 - alpha / 2)) <= AGREEING:
        return
    own = 2 * low
    if 0 < low < high and abs(low + high - 1) <= AGREEING:
        raise UsageError(f"{place}, the ends for alpha {own:.12g} and not {alpha:.12g}; say --alpha {own:.12g}")
    raise UsageError(
        f"{place}, which are the ends for no alpha: they should be alpha / 2 and 1 - alpha / 2; "
        "multi-quantile takes each quantile by itself"
    )


def _of_names(columns: tuple[str, ...] | None) -> list[float] | None:
    """Return the levels that names of columns say; None if there is one that says none."""
    names = [name.strip() for name in columns or ()]
    found = [match for match in map(NAMED.fullmatch, names) if match is not None]
    levels = [float((match[1] or match[2]).replace("_", ".")) for match in found]
    if names and len(levels) < len(names):
        levels = _in_percent(names)
    return levels if names and len(levels) == len(names) and all(one in FRACTION for one in levels) else None


def _in_percent(names: list[str]) -> list[float]:
    """Return the levels of names that say them in percent; fewer or none if not all do, or they only count the columns, as p0, p1."""
    found = [match for match in map(IN_PERCENT.fullmatch, names) if match is not None]
    numbers = [Decimal(next(filter(None, match.groups()))) for match in found]
    counted = any(numbers == list(range(first, first + len(numbers))) for first in (0, 1))
    if counted and not any("%" in name for name in names):
        return []
    return [float(number / 100) for number in numbers]


def _of_text(text: str) -> list[float]:
    """Return the levels that --levels lists; raise a UsageError for what is no level."""
    cells = [cell.strip() for cell in text.split(",")]
    for cell in cells:
        if not parses_as_number(cell) or float(cell) not in FRACTION:
            raise UsageError(f"--levels {text}: {cell!r} is no level; levels are numbers from 0 to 1, as 0.1,0.5,0.9")
    return [float(cell) for cell in cells]


def _example(k: int) -> str:
    """Return levels for so many columns, evenly spread, as an example."""
    return ",".join(f"{i / (k + 1):.3g}" for i in range(1, k + 1)) if k <= 9 else "0.01,0.02,..."
