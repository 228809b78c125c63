"""Which columns of a table are probably meant, for messages about a table of which no column was named.

Nothing is computed from a guess: the user is shown the words that would name the columns.
"""

from collections.abc import Callable, Sequence

from losscli.definition.loss import Family
from losscli.errors import DataError
from losscli.io.format import Content
from losscli.io.operands import Operand, is_table
from losscli.io.table import Table, is_finite_number
from losscli.wording import quoted

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
    table = predictions.content
    if family.target_type not in ("outcomes", "signs") or predictions.column is not None or not _is_small_table(table):
        return ""
    columns = dict(zip(table.names, sampled(table), strict=True))
    scores, outcomes = _named(columns, _are_scores), _named(columns, _are_outcomes)
    probabilities = [name for name in scores if _are_in_unit_interval(columns[name])]
    meant = probabilities or scores
    second = _targets_meant(predictions, targets, outcomes)
    if len(meant) != 1 or second is None:
        return ""
    kind = " --from probs" if probabilities and family.takes_from else ""
    return f"{quoted(f'{predictions.text}:{meant[0]}')} {quoted(second)}{kind}"


def _named(columns: dict[str, list[str]], hold: Callable[[Sequence[str]], bool]) -> list[str]:
    """Return the names of the columns that hold something; those without a name are not meant."""
    return [name for name, cells in columns.items() if name and hold(cells)]


def _is_small_table(content: Content) -> bool:
    """Whether an operand is a table with names and rows, and few enough columns to be looked at."""
    return is_table(content) and bool(content.names and content.height) and 1 < content.width <= MOST_COLUMNS


def _targets_meant(predictions: Operand, targets: Operand | None, outcomes: Sequence[str]) -> str | None:
    """Return the targets as they are named, or the only column of outcomes of the predictions' table; None if there is none."""
    if targets is not None and not (targets.column is None and targets.same_file(predictions)):
        return targets.text
    return f"{predictions.text}:{outcomes[0]}" if len(outcomes) == 1 else None


def sampled(table: Table) -> list[list[str]]:
    """Return the first cells of each column, as text; '' for a cell without a value."""
    if table.first_row:
        rows = [row for row in table.first_cells(ROWS) if len(row) == table.width]
        return [[row[i].strip() for row in rows] for i in range(table.width)]
    if not table.height:
        return [[] for _ in range(table.width)]
    columns: list[list[str]] = []
    for number in range(table.width):
        try:
            cells = table.cells(0, number)
        except DataError:  # of lists, and others that are no operands
            cells = [None]
        columns.append(["" if cell is None else str(cell) for cell in cells[:ROWS]])
    return columns


def _are_in_unit_interval(cells: Sequence[str]) -> bool:
    """Whether numbers, as text, lie in [0, 1]."""
    return all(0 <= float(cell) <= 1 for cell in cells)


def _are_outcomes(cells: Sequence[str]) -> bool:
    """Whether cells are two words, or one of them, that say whether something happened."""
    distinct = {cell.lower() for cell in cells}
    return any(distinct == pair for pair in BOOLEANS)


def _are_scores(cells: Sequence[str]) -> bool:
    """Whether cells are numbers, of which some have fractions, and no outcomes."""
    return (
        not _are_outcomes(cells)
        and all(is_finite_number(cell) for cell in cells)
        and any(float(cell) % 1 for cell in cells)
    )
