"""The doubt whether commas separate columns or stand within decimal numbers: 1,5 is 1 and 5, or one and a half."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from losscli.data.doubts import Doubt
from losscli.definition.loss import Family

if TYPE_CHECKING:
    from losscli.data.columns import Columns
    from losscli.data.dataset import Dataset

ROWS = 1000
"""Rows that are looked at, at most."""
ENOUGH = 50
"""Of so many fractions with several digits some begin with 0: a tenth of all numbers does there."""
Rows = list[list[str]]


def about_decimals(dataset: "Dataset", family: Family) -> Doubt | None:
    """Return the doubt whether pairs of whole numbers in a file are numbers with decimal commas; None if there is none.

    A file is looked at if it has no header, commas separate its cells and no option says so, it has an even number of
    columns of which none is picked, and all cells of its first rows are whole numbers, each second one without a sign. It
    is then doubtful

    - if its cells look like parts of decimal numbers: a second cell such as 05, or a first cell -0, which whole numbers
      are not written like; or first cells that are all 0 or 1 beside longer second ones, as probabilities are written;
    - or if predictions and targets both are such files with two columns, or the targets have one column beside two of the
      predictions, the loss takes one number per row, and the pairs can have been written as decimal numbers: their second
      cells have the same number of digits throughout, or none with several digits ends in 0, and of 50 second cells with
      several digits some begin with 0. Predictions that are all 0 or 1 are labels or masks, and never doubtful.
    """
    if dataset.picked_by_name or dataset.id_column is not None:
        return None
    used = (dataset.predictions, dataset.targets, dataset.weights, dataset.third_operand)
    rows = [_pairs(columns) for columns in used]
    for columns, pairs in zip(used, rows, strict=True):
        if columns is not None and pairs is not None and _looks_decimal(pairs):
            return _doubt(columns, pairs)
    predictions, targets, *_ = rows
    if predictions is None or not _takes_one_number(family) or not _are_halves(predictions) or _are_labels(predictions):
        return None
    beside = _are_single(dataset.targets, family) if targets is None else _are_halves(targets)
    return _doubt(dataset.predictions, predictions) if beside else None


def _takes_one_number(family: Family) -> bool:
    """Whether a loss can take one number per row as the prediction, rather than one per class or several of a group."""
    return family.target_type != "classes" and family.rows is None


def _are_halves(rows: Rows) -> bool:
    """Whether the two cells of each row can be the two halves of one number with a decimal comma."""
    return len(rows[0]) == 2 and _may_be_decimal(rows)


def _are_labels(rows: Rows) -> bool:
    """Whether all cells are 0 or 1, as in labels and masks."""
    return all(cell in ("0", "1") for row in rows for cell in row)


def _are_single(targets: "Columns | None", family: Family) -> bool:
    """Whether there is one target per row, which two predictions do not fit.

    Two predictions may fit one outcome: they may be those of two classes.
    """
    return targets is not None and len(targets.shape) == 1 and family.target_type != "outcomes"


def _pairs(columns: "Columns | None") -> Rows | None:
    """Return the first rows of a file whose cells may be pairs of whole and decimal parts; None if they are not, or there is no file."""
    if columns is None:
        return None
    operand = columns.operand
    if not operand.is_table or operand.column is not None or not operand.content.unsaid_commas:
        return None
    table = operand.content
    rows: Rows = [] if table.width % 2 else table.first_cells(ROWS)
    whole = all(
        len(row) == table.width
        and all(re.fullmatch(r"[+-]?[0-9]+", cell) for cell in row[::2])
        and all(re.fullmatch(r"[0-9]+", cell) for cell in row[1::2])
        for row in rows
    )
    return rows if rows and whole else None


def _looks_decimal(rows: Rows) -> bool:
    """Whether cells are written as parts of decimal numbers are, and whole numbers are not."""
    firsts = [cell for row in rows for cell in row[::2]]
    seconds = [cell for row in rows for cell in row[1::2]]
    if "-0" in firsts or any(len(cell) > 1 and cell.startswith("0") for cell in seconds):
        return True
    probabilities = set(firsts) <= {"0", "1"} and sum(len(cell) > 1 for cell in seconds) > len(seconds) / 2
    return probabilities and _may_be_decimal(rows)


def _may_be_decimal(rows: Rows) -> bool:
    """Whether the second cells can be the decimals of numbers that a program has written."""
    seconds = [cell for row in rows for cell in row[1::2]]
    several = [cell for cell in seconds if len(cell) > 1]
    if len(several) >= ENOUGH and not any(cell.startswith("0") for cell in several):
        return False
    return len(set(map(len, seconds))) == 1 or not any(cell.endswith("0") for cell in several)


def _doubt(columns: "Columns", rows: Sequence[Sequence[str]]) -> Doubt:
    """Return the doubt about a file of which these are the first rows."""
    row = rows[0]
    fact = f"{columns.operand.content.place(0)}: {','.join(row[:4])}{',...' if len(row) > 4 else ''} without a header: "
    if len(row) == 2:
        cures = ("say --decimal , for a number with a decimal comma", ", or --sep , for two columns")
    else:
        cures = (
            "say --sep , for columns of whole numbers",
            "; for decimal commas write the file with ';' between numbers",
        )
    tries = (("--decimal", ","),) if len(row) == 2 else (("--sep", ","),)
    return Doubt(fact, cures, tries)
