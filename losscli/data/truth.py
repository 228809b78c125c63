"""Words such as True and False, yes and no, where targets are 0 and 1."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.data.columns import Columns
from losscli.data.labels import distinct
from losscli.data.target_encoding import IGNORED
from losscli.errors import DataError
from losscli.io.source import Recoded, Source
from losscli.io.table import is_finite_number
from losscli.records import dataclass

if TYPE_CHECKING:
    from losscli.io.table import Table
    from losscli.io.text import TextColumn

PAIRS = (("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"))
"""Pairs of words for 0 and 1, in lower case."""
MEANING = {word: (pair, value) for pair in PAIRS for value, word in enumerate(pair)}
FIRST = 1000
"""Rows that are looked at before a column is read as words."""


def read_words(targets: Columns, ignore: str | None = None) -> float | None:
    """Let the targets of a table be read as 0 and 1 if they are words for these, such as True and False.

    Each column has words of one pair, in any case, or numbers. Returns the number that stands for the label `ignore`, which
    may be any word; None if no row has it.

    Raises
    ------
    DataError
        if a column mixes such words with others. Columns of other words are left as they are.
    """
    if not targets.operand.is_table:
        return None
    table: Table = targets.operand.content
    if not all(table.is_text(number) for number in targets.numbers) or not _may_be_words(table, targets.numbers):
        return None
    columns = [table.text(number) for number in targets.numbers]
    if targets.arranged is not None:
        columns = [targets.arranged.text(column) for column in columns]
    sources, ignored = list[Source](), False
    for column in columns:
        numbers = _numbers(column, ignore)
        if numbers is None:
            return None
        ignored = ignored or bool((numbers == IGNORED).any())
        sources.append(Recoded(column.codes, numbers))
    targets.truths = sources[0] if len(targets.shape) == 1 else Beside(targets.name, tuple(sources), targets.names)
    return float(IGNORED) if ignored and ignore is not None else None


def _may_be_words(table: "Table", numbers: Sequence[int]) -> bool:
    """Whether some of the first cells are words for 0 and 1, and no number is another one: all cells are read only then."""
    first = [str(cell or "") for number in numbers for cell in (table.cells(0, number)[:FIRST] if table.height else ())]
    other = any(is_finite_number(cell) and float(cell) not in (0, 1) for cell in first)
    return not other and any(cell.strip().lower() in MEANING for cell in first)


def _numbers(column: "TextColumn", ignore: str | None) -> Array | None:
    """Return 0 or 1, or IGNORED, for each distinct cell of a column; None if it has no words for these."""
    cells = distinct(column, ignore)
    numbers = np.full(len(column.cells), IGNORED, np.int8)
    if all(is_finite_number(cell) for _, cell in cells):
        values = {code: float(cell) for code, cell in cells}
        if any(value not in (0, 1) for value in values.values()):
            return None
        numbers[list(values)] = list(values.values())
        return numbers
    meant = {code: MEANING.get(cell.lower()) for code, cell in cells}
    first = next(((code, cell) for code, cell in cells if meant[code] is not None), None)
    if first is None:
        return None
    pair = MEANING[first[1].lower()][0]
    for code, cell in cells:
        word = meant[code]
        if word is None or word[0] != pair:
            raise DataError(
                f"{column.place(column.first[code])}: {cell!r} beside {first[1]!r}, where words stand for 0 and 1; write one pair "
                "of words in a column, such as True and False, or 0 and 1",
                "label-not-a-class",
            )
        numbers[code] = word[1]
    return numbers


@dataclass
class Beside:
    """Sources of shape (n,) as the columns of one source, shape (n, k)."""

    name: str
    parts: Sequence[Source]
    columns: tuple[str, ...] | None
    grain = 1
    cuts = None

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.parts[0].shape[0], len(self.parts))

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(*(part.dtype for part in self.parts))

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return np.stack([part.read(start, stop) for part in self.parts], axis=1)

    def place(self, row: int, column: int | None = None) -> str:
        return self.parts[column or 0].place(row)
