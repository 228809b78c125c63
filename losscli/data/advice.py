"""Which columns of a table are probably meant, for messages about a table of which no column was named.

Nothing is computed from a guess: the user is shown the words that would name the columns.
"""

import shlex
from collections.abc import Sequence

from losscli.definition.loss import Family
from losscli.errors import DataError
from losscli.io.operands import Operand
from losscli.io.table import Table, is_finite_number
from losscli.wording import listing

ROWS = 200
"""The rows that are looked at."""
MOST_COLUMNS = 64
"""Tables with more columns are not looked at."""
BOOLEANS = ({"0", "1"}, {"-1", "1"}, {"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}, {"0.0", "1.0"})
"""Pairs of words, in lower case, of which a column of outcomes consists."""


def operands_meant(family: Family, predictions: Operand, targets: Operand | None) -> str:
    """Return what to say for predictions and targets of a table, as the words of a command line; '' if that is not clear.

    Parameters
    ----------
    family
        the loss's family, which must take one score per row, and outcomes or signs for targets.
    predictions
        a table of which no column is named.
    targets
        the operand of the targets; None if it is missing too.
    """
    if not predictions.is_table or predictions.column is not None or family.target_type not in ("outcomes", "signs"):
        return ""
    table = predictions.content
    if not table.names or not 1 < table.width <= MOST_COLUMNS or not table.height:
        return ""
    columns = {name: cells for name, cells in zip(table.names, sampled(table), strict=True) if name}
    outcomes = [name for name, cells in columns.items() if _are_outcomes(cells)]
    scores = [name for name, cells in columns.items() if name not in outcomes and _are_scores(cells)]
    probabilities = [name for name in scores if all(0 <= float(cell) <= 1 for cell in columns[name] if cell)]
    meant = probabilities or scores
    if len(meant) != 1:
        return ""
    if targets is not None and not (targets.is_table and targets.column is None and targets.same_file(predictions)):
        second = targets.text
    elif len(outcomes) == 1:
        second = f"{predictions.text}:{outcomes[0]}"
    else:
        return ""
    first = f"{predictions.text}:{meant[0]}"
    kind = " --from probs" if probabilities and family.takes_from else ""
    return f"{shlex.quote(first)} {shlex.quote(second)}{kind}"


def contents(predictions: Operand) -> str:
    """Return the columns of a table with what they hold, for a message; '' for an array."""
    if not predictions.is_table or not predictions.content.names or predictions.content.width > MOST_COLUMNS:
        return ""
    table = predictions.content
    return listing((f"{name!r} ({_kind(cells)})" for name, cells in zip(table.names, sampled(table), strict=True)), 8)


def sampled(table: Table) -> list[list[str]]:
    """Return the first cells of each column, as text; '' for a cell without a value."""
    if table.first_row:
        rows = [row for row in table.first_cells(ROWS) if len(row) == table.width]
        return [[row[i].strip() for row in rows] for i in range(table.width)]
    columns: list[list[str]] = []
    for number in range(table.width):
        try:
            cells = table.cells(0, number)
        except DataError:  # of lists, and others that are no operands
            cells = [None]
        columns.append(["" if cell is None else str(cell) for cell in cells[:ROWS]])
    return columns


def _kind(cells: Sequence[str]) -> str:
    """Return in a word or two what a column holds."""
    if _are_outcomes(cells):
        return " and ".join(sorted(set(cells)))
    if not all(is_finite_number(cell) for cell in cells):
        return "words"
    inside = all(0 <= float(cell) <= 1 for cell in cells)
    return "numbers in [0, 1]" if inside and _are_scores(cells) else "numbers"


def _are_outcomes(cells: Sequence[str]) -> bool:
    """Whether cells are two words, or one of them, that say whether something happened."""
    distinct = {cell.lower() for cell in cells}
    return any(distinct == pair for pair in BOOLEANS)


def _are_scores(cells: Sequence[str]) -> bool:
    """Whether cells are numbers, of which some have fractions."""
    return all(is_finite_number(cell) for cell in cells) and any(float(cell) % 1 for cell in cells)
