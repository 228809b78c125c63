"""Columns: the columns of a file from which the numbers or words of an operand come, and why.

`Columns` reads them; a `Column` is the record of one column that `losscli check` and the receipt can show.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from losscli.errors import DataError
from losscli.io.operands import Operand, is_text
from losscli.io.source import Masked, Source
from losscli.io.table import is_finite_number
from losscli.records import dataclass
from losscli.wording import listing

if TYPE_CHECKING:
    import numpy as np

    from losscli.io.join import Arrangement
    from losscli.io.positions import Grid, Layout
    from losscli.io.table import Table
    from losscli.io.text import TextColumn


class Role(StrEnum):
    """The purpose of a column of a file."""

    PREDICTION = "prediction"
    TARGET = "target"
    WEIGHT = "weight"
    MASK = "mask"
    ID = "id"
    SLICE = "slice"
    """Rows with the same word in it are a slice."""
    LIST = "list"
    """It says of which list each row is an item."""
    SAME_LIST = "the same lists"
    """It says the same in another file."""
    THIRD_OPERAND = "third operand"
    UNUSED = "unused"


class Reason(StrEnum):
    """Why a column has its role."""

    OPTION = "option"
    """An option or FILE:COLUMN names it."""
    ONLY_CANDIDATE = "only candidate"
    """It is the only column that no other role uses, or the file is an array."""
    POSITION = "position"
    """It is one of several columns that no other role uses."""
    FILE = "index"
    """The file itself calls it an index, as pandas does in Parquet."""
    NOT_ASKED_FOR = "not asked for"
    """Nothing names it, and other columns of the file were named."""


@dataclass(frozen=True)
class Column:
    """One column of a file, its role, and why it has it. The columns of an array are one `Column` together."""

    file: str
    name: str | None
    position: int | None
    """From 0; None for an array as a whole."""
    dtype: str
    role: Role
    reason: Reason

    def described(self) -> dict[str, Any]:
        """Return the record for JSON; an array has no name and no position."""
        facts = {"file": self.file, "name": self.name, "position": self.position, "dtype": self.dtype}
        return {
            **{key: value for key, value in facts.items() if value is not None},
            "role": self.role.value,
            "reason": self.reason.value,
        }


@dataclass
class Columns:
    """The columns of one operand: a whole array, or some columns of a table, perhaps with rows in another order.

    `numbers` are the columns of the table, from 0; an array has none. `role` is the operand's role, for messages.
    """

    operand: Operand
    numbers: list[int]
    role: str
    hint: str = ""
    """The end of the message about a cell that is not a number, if the loss knows a good cure."""
    truths: Source | None = None
    """What is read instead of words that stand for numbers, such as True and False; None if cells are numbers."""
    arranged: "Arrangement | None" = None
    """The rows of the file in the order in which they are used; None for all rows in their own order."""
    missing: bool | None = None
    """Whether cells may be missing, which are NaN then; None if the loss takes no --missing."""
    grids: "tuple[Grid, ...] | None" = None
    """How an array of any rank is read as rows of positions, one grid per shard; None for rows as they are."""
    masked: "tuple[Source, np.ndarray[Any, Any]] | None" = None
    """The mask of targets, and what is read where they do not exist; None if all of them do."""
    spread: "Layout | None" = None
    """The positions of all samples, if there is one number per sample that holds for all of its positions."""

    @property
    def name(self) -> str:
        return self.operand.name

    def same_data(self, other: "Columns") -> bool:
        """Whether other columns are the same columns of the same file."""
        return self.operand.same_file(other.operand) and self.numbers == other.numbers

    @property
    def height(self) -> int:
        """Number of rows."""
        if self.grids is not None or self.spread is not None:
            return self.shape[0]
        return self.file_shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """(n,) or (n, k), known before a cell is parsed; of an array that is not laid out yet its own shape."""
        if self.spread is not None:
            return (self.spread.rows,)
        if self.grids is not None:
            rows = sum(grid.rows for grid in self.grids)
            return (rows,) if self.grids[0].class_axis is None else (rows, self.grids[0].classes)
        return self.file_shape

    @property
    def axes(self) -> int:
        """Number of axes in the file."""
        return len(self.file_shape)

    @property
    def file_shape(self) -> tuple[int, ...]:
        """The shape in the file, but only with the rows that are used; -1 for an axis in which shards differ."""
        if not self.operand.is_table:
            shape = tuple(self.operand.content.shape)
            return shape if self.arranged is None else (self.arranged.height, *shape[1:])
        height = int(self.operand.content.height) if self.arranged is None else self.arranged.height
        if self._breadth is not None:
            return (height, self._breadth)
        return (height,) if len(self.numbers) == 1 else (height, len(self.numbers))

    @property
    def _breadth(self) -> int | None:
        """The length of the lists in the only column, or None."""
        return self.operand.content.breadth(self.numbers[0]) if len(self.numbers) == 1 else None

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of the columns; None if there are none, as for arrays that are no data frames."""
        if self.grids is not None:
            return None
        if not self.operand.is_table:
            return self.operand.content.columns
        names = None if self._breadth is not None else self.operand.content.names
        return None if names is None else tuple(names[i] for i in self.numbers)

    @property
    def first_row_taken(self) -> str | None:
        """The first row of a table, if it was taken for a header without the user saying so; else None."""
        table = self.operand.content
        if not self.operand.is_table or table.names is None or table.settled:
            return None
        return ",".join(table.names)

    def source(self) -> Source:
        """Return the cells as a source of numbers.

        Predictions are parsed some rows at a time; other operands are copied, so that they can be read from any row.

        Raises
        ------
        DataError
            if a file holds text, or a cell is not a number.
        """
        source = self._in_rows()
        return source if self.masked is None else Masked(source, *self.masked)

    def _in_rows(self) -> Source:
        """Return the cells as rows of numbers, those that do not exist included."""
        source = self._numbers() if self.truths is None else self.truths
        if self.spread is not None:
            from losscli.io.positions import OfSamples

            return OfSamples(source, self.spread)
        if self.grids is not None:
            from losscli.io.positions import as_rows

            return as_rows(source, self.grids)
        return source

    def _numbers(self) -> Source:
        """Return the cells as a source of numbers in the shape of the file."""
        if not self.operand.is_table:
            content: Source = self.operand.content
            if is_text(content):
                raise DataError(
                    f"{self.name}: dtype {content.dtype} is text, where numbers are needed; save it as numbers"
                )
            return content
        table: Table = self.operand.content
        if self.role == "predictions" and self.grids is None:
            source = table.source(self.numbers, self._cure())
            look = getattr(source, "look", None)
            if look is not None:
                look()
        else:
            source = self._copied(table)
        return source if self.arranged is None else self.arranged.numbers(source)

    def _copied(self, table: "Table") -> Source:
        """Return the cells as a copy that can be read from any row; an error about an empty cell names --missing, if it helps."""
        try:
            return table.copied(self.numbers, self._cure(), bool(self.missing))
        except DataError as error:
            empty = "the cell is empty" in str(error) or "a missing value?" in str(error)
            if self.missing is not None and empty and len(self.numbers) > 1:
                raise DataError(f"{error}; to leave out such elements, say --missing ignore", error.finding) from error
            raise

    def _cure(self) -> str:
        """Return the end of the message about a cell that is not a number."""
        if len(self.numbers) < 2 or not self.names:
            return self.hint
        if self.role == "predictions":
            return "; pick the columns of predictions with --columns, or name the id column with --id"
        return f"; say which column holds the {self.role}, as {self.name}:COLUMN ({listing(self.names)})"

    def check_labels(self) -> None:
        """Raise a DataError if there is more than one label per row."""
        self.operand.check_alike()
        if len(self.shape) == 1 or self.shape[1:] == (1,):
            return
        pick = ", or pick one with FILE:COLUMN" if self.operand.is_table else ""
        raise DataError(f"{self.name}: shape {self.shape}; give one label per row, (n,){pick}")

    def text(self) -> "TextColumn | None":
        """Return the only column as text; None if the file holds numbers, not text."""
        if not self.operand.is_table:
            content = self.operand.content
            if not is_text(content):
                return None
            if len(content.shape) > 2:
                raise DataError(
                    f"{self.name}: text of shape {tuple(content.shape)}; save class indices where there are more than two axes"
                )
            from losscli.io.text import text_of_array

            return text_of_array(content)
        from losscli.io.text import MOST_LABELS

        table: Table = self.operand.content
        if len(self.numbers) != 1 or not table.is_text(self.numbers[0]):
            return None
        return self.words(MOST_LABELS)

    @property
    def is_words(self) -> bool:
        """Whether it is a column of text whose cells are not all numbers."""
        content = self.operand.content
        if not self.operand.is_table:
            return bool(is_text(content))
        if len(self.numbers) != 1 or not content.is_text(self.numbers[0]):
            return False
        return not all(is_finite_number(cell or "") for cell in content.text(self.numbers[0]).cells)

    @property
    def dtype(self) -> "np.dtype[Any]":
        """The dtype in which the numbers are read."""
        content = self.operand.content
        dtype: np.dtype[Any] = content.dtype(self.numbers) if self.operand.is_table else content.dtype
        return dtype

    def words(self, most: int | None = None) -> "TextColumn":
        """Return the only column of a table as text, even if its cells are numbers.

        Raises
        ------
        DataError
            if it has more than `most` distinct cells; None for any number.
        """
        column = self.operand.content.text(self.numbers[0], most)
        return column if self.arranged is None else self.arranged.text(column)
