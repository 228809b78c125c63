"""Columns: which columns of a file an operand's numbers or words come from, and why.

`Columns` reads them; a `Column` is the record of one column that `losscli check` and the receipt can show.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from losscli.errors import DataError
from losscli.io.operands import Operand, is_text
from losscli.io.source import Source
from losscli.io.table import is_finite_number
from losscli.wording import listing

if TYPE_CHECKING:
    import numpy as np

    from losscli.io.join import Arrangement
    from losscli.io.table import Table
    from losscli.io.text import TextColumn


class Role(StrEnum):
    """What a column of a file is for."""

    PREDICTION = "prediction"
    TARGET = "target"
    WEIGHT = "weight"
    ID = "id"
    GROUP = "group"
    THIRD_OPERAND = "third operand"
    UNUSED = "unused"


class Reason(StrEnum):
    """Why a column has its role."""

    OPTION = "option"
    """An option or FILE:COLUMN names it."""
    ONLY_CANDIDATE = "only candidate"
    """It is the one column that no other role uses, or the file is an array."""
    POSITION = "position"
    """It is one of several that no other role uses."""
    NOT_ASKED_FOR = "not asked for"
    """Nothing names it, and other columns of the file were named."""


@dataclass(frozen=True)
class Column:
    """What one column of a file is taken for; of an array, all its columns together."""

    file: str
    name: str | None
    position: int | None
    """From 0; None for an array as a whole."""
    dtype: str
    role: Role
    reason: Reason


@dataclass
class Columns:
    """One operand's columns: a whole array, or some columns of a table, perhaps with rows in another order."""

    operand: Operand
    numbers: list[int]
    role: str
    hint: str = ""
    """What to do about a cell that is no number, where a loss knows better."""
    arranged: "Arrangement | None" = None
    """Which rows of the file these are, where they are not all of them in their order."""

    @property
    def name(self) -> str:
        return self.operand.name

    def same_data(self, other: "Columns") -> bool:
        return self.operand.same_file(other.operand) and self.numbers == other.numbers

    @property
    def height(self) -> int:
        if self.arranged is not None:
            return self.arranged.height
        content = self.operand.content
        return int(content.height if self.operand.is_table else content.shape[0])

    @property
    def shape(self) -> tuple[int, ...]:
        """(n,) or (n, k), known before a cell is parsed."""
        if not self.operand.is_table:
            return tuple(self.operand.content.shape)
        return (self.height,) if len(self.numbers) == 1 else (self.height, len(self.numbers))

    @property
    def names(self) -> tuple[str, ...] | None:
        if not self.operand.is_table:
            return None
        names = self.operand.content.names
        return None if names is None else tuple(names[i] for i in self.numbers)

    @property
    def first_row_taken(self) -> str | None:
        """The first row of a file whose header was taken by the rule, not by the user's word."""
        table = self.operand.content
        if not self.operand.is_table or table.names is None or table.settled:
            return None
        return ",".join(table.names)

    def source(self) -> Source:
        """The cells as numbers: those of predictions a chunk at a time, others from a copy that can be cut anywhere."""
        if not self.operand.is_table:
            content: Source = self.operand.content
            if is_text(content):
                raise DataError(
                    f"{self.name}: dtype {content.dtype} is text, where numbers are needed; save it as numbers"
                )
            return content
        table: Table = self.operand.content
        if self.role == "predictions":
            source = table.source(self.numbers, self._cure())
            look = getattr(source, "look", None)
            if look is not None:
                look()
        else:
            source = table.copied(self.numbers, self._cure())
        return source if self.arranged is None else self.arranged.numbers(source)

    def _cure(self) -> str:
        """What to do about a cell that is no number."""
        if len(self.numbers) < 2 or not self.names:
            return self.hint
        if self.role == "predictions":
            return "; pick the columns of predictions with --columns, or name the id column with --id"
        return f"; say which column holds the {self.role}, as {self.name}:COLUMN ({listing(self.names)})"

    def text(self) -> "TextColumn | None":
        """The only column as text; None where the file holds numbers, not text."""
        from losscli.io.text import text_of_array

        if not self.operand.is_table:
            content = self.operand.content
            return text_of_array(content) if is_text(content) else None
        table: Table = self.operand.content
        if len(self.numbers) != 1 or not table.is_text(self.numbers[0]):
            return None
        return self.words()

    @property
    def is_words(self) -> bool:
        """Whether they are text that is no numbers."""
        content = self.operand.content
        if not self.operand.is_table:
            return bool(is_text(content))
        if len(self.numbers) != 1 or not content.is_text(self.numbers[0]):
            return False
        return not all(is_finite_number(cell or "") for cell in content.text(self.numbers[0]).cells)

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Of the numbers."""
        content = self.operand.content
        found: np.dtype[Any] = content.dtype(self.numbers) if self.operand.is_table else content.dtype
        return found

    def words(self) -> "TextColumn":
        """The only column of a table as words, whatever it holds."""
        column = self.operand.content.text(self.numbers[0])
        return column if self.arranged is None else self.arranged.text(column)
