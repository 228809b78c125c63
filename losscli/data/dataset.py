"""Who is who: which columns of which file are predictions, targets, weights and ids, and how rows meet by id."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from losscli.errors import DataError, UsageError
from losscli.findings import WARNING, Finding
from losscli.io.operands import Operand, is_text
from losscli.io.source import Source
from losscli.io.table import is_finite_number
from losscli.wording import listing

if TYPE_CHECKING:
    import numpy as np

    from losscli.io.join import Arrangement, Selection
    from losscli.io.table import Table
    from losscli.io.text import IdColumn, TextColumn

LIKELY_IDS = ("id", "ids", "index", "idx", "row", "sample", "sample_id", "unnamed: 0")


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


@dataclass
class Dataset:
    """The columns of each role, in the row order of the predictions."""

    predictions: Columns
    targets: Columns | None
    weights: Columns | None
    ids: "IdColumn | None"
    notes: list[str]
    third_operand: Columns | None = None
    """Those of a third operand with a row for each prediction."""
    selection: "Selection | None" = None
    """The rows of the predictions' file that are not left out, where some are."""
    findings: list[Finding] = field(default_factory=list)
    groups: Columns | None = None
    """The column by whose words rows are grouped."""


def assign(
    predictions: Operand,
    targets: Operand | None,
    weights: Operand | None,
    id_column: str | None,
    columns: str | None,
    third_operand: Operand | None = None,
    group_column: str | None = None,
) -> Dataset:
    """Give every column its role; `targets` is None for a constant, `third_operand` a third operand with a row a prediction.

    Parameters
    ----------
    id_column, group_column
        columns of ids, and of groups; the latter is one of the predictions' file, or else of the targets'.

    Raises
    ------
    DataError
        where it is not clear which columns are meant.
    """
    notes: list[str] = []
    others = [operand for operand in (targets, weights, third_operand) if operand is not None]
    by = None if group_column is None else _group_column(predictions, targets, group_column)
    if by is not None:
        others.append(by)
    if columns is not None:
        if not predictions.is_table:
            raise UsageError(f"--columns picks columns by name, and {predictions.name} is an array without names")
        if not columns.strip(","):
            raise UsageError("--columns is empty; say for example --columns 'p_*'")
        _settle_by_columns(predictions, columns)
        chosen = predictions.content.pick(columns)
    else:
        taken = [other for other in others if other.same_file(predictions)]
        chosen = _choose(predictions, "predictions", taken, id_column)
    dataset = Dataset(Columns(predictions, chosen, "predictions"), None, None, None, notes)
    if targets is not None:
        dataset.targets = Columns(
            targets,
            _choose_one_file(targets, predictions, "targets", (weights, third_operand, by), id_column),
            "targets",
        )
    if weights is not None:
        number = _choose_one_file(weights, predictions, "weights", (targets, third_operand), id_column)
        if len(number) > 1:
            raise DataError(
                f"{weights.name}: which column holds the weights? Say {weights.name}:COLUMN ({_names(weights, number)})"
            )
        dataset.weights = Columns(weights, number, "weights")
    if third_operand is not None:
        number = _choose_one_file(third_operand, predictions, "third operand", (targets, weights), id_column)
        dataset.third_operand = Columns(third_operand, number, "third operand")
    if by is not None:
        dataset.groups = Columns(by, [by.picked or 0], "groups")
    _note_odd_columns(dataset, picked=columns is not None or predictions.column is not None)
    return dataset


def _group_column(predictions: Operand, targets: Operand | None, column: str) -> Operand:
    """The column of groups as an operand of its own: of the predictions' file, or else of the targets'."""
    tables = [predictions] if targets is None or targets.same_file(predictions) else [predictions, targets]
    tables = [operand for operand in tables if operand.is_table]
    if not tables:
        raise DataError(f"--by {column}: {predictions.name} is an array, without columns; save it as a table")
    holding = [operand for operand in tables if operand.content.names and column in operand.content.names]
    if len(holding) > 1:
        raise DataError(
            f"--by {column}: {holding[0].name} and {holding[1].name} have such a column each; rename the one that is not meant"
        )
    operand = holding[0] if holding else tables[0]
    if not holding and len(tables) > 1 and operand.content.names:
        names = listing(map(repr, [*(tables[0].content.names or ()), *(tables[1].content.names or ())]))
        raise DataError(f"--by {column}: no column {column!r} in {tables[0].name} and {tables[1].name}: {names}")
    found = replace(operand, column=column)
    _ = found.picked  # says which columns there are, where it is none of them
    return found


def _settle(operand: Operand) -> None:
    if operand.is_table and operand.content.doubt:
        raise DataError(operand.content.doubt + ("" if operand.column else ", or pick columns with --columns"))


def _settle_by_columns(operand: Operand, columns: str) -> None:
    # A first row of 0, 1, 2 ...: a column called 0 makes it a header, and a last column's number makes it data.
    table = operand.content
    if table.doubt is None or table.names is not None:
        return
    wanted = columns.split(",")
    if "0" in wanted:
        operand.content = table.headed()
    elif str(table.width) not in wanted:
        raise DataError(f"{table.doubt}; --columns {columns} fits both")


def _choose(operand: Operand, role: str, taken: list[Operand], id_column: str | None) -> list[int]:
    """The columns that no other role uses."""
    if not operand.is_table:
        return []
    _settle(operand)
    picked = operand.picked
    if picked is not None:
        return [picked]
    table = operand.content
    used = {other.picked for other in taken}
    if id_column is not None:
        used.add(_id_number(operand, id_column))
    rest = [number for number in range(table.width) if number not in used]
    if not rest:
        raise DataError(f"{operand.name}: no column is left for the {role}")
    names = [table.names[number] for number in rest] if table.names else []
    if len(set(names)) < len(names):
        table.find(next(name for name in names if names.count(name) > 1))  # says which columns have one name
    if table.names and not table.settled and any(table.names[i] == "" for i in rest):
        first = next(i for i in rest if table.names[i] == "")
        raise DataError(
            f"{operand.name}:1: column {first + 1} has no name (an index that some tool wrote?); "
            + ("pick the others with --columns" if role == "predictions" else f"say {operand.name}:COLUMN")
            + ", join by it with --id '', or say --header to use it as it is"
        )
    return rest


def _choose_one_file(
    operand: Operand, predictions: Operand, role: str, others: tuple[Operand | None, ...], id_column: str | None
) -> list[int]:
    if operand.is_table and operand.column is None and operand.same_file(predictions):
        raise DataError(
            f"{operand.name}: is the file of the predictions too; say which column holds the {role}: {operand.name}:COLUMN"
        )
    taken = [other for other in others if other is not None and other.same_file(operand) and other.column is not None]
    return _choose(operand, role, taken, id_column)


def _names(operand: Operand, numbers: list[int]) -> str:
    names = operand.content.names
    return listing(names[i] if names else i + 1 for i in numbers)


def _note_odd_columns(dataset: Dataset, picked: bool) -> None:
    names = dataset.predictions.names or ()
    likely = next((name for name in names if name.lower() in LIKELY_IDS), None)
    if likely is not None and not picked:
        dataset.findings.append(
            Finding(
                "id-as-prediction",
                WARNING,
                f"{dataset.predictions.name}: column {likely!r} is taken for predictions",
                cure=f"if it is not, say --id {likely} or pick the others with --columns",
            )
        )
    if "" in names and dataset.predictions.operand.content.settled:
        dataset.findings.append(
            Finding(
                "id-as-prediction",
                WARNING,
                f"{dataset.predictions.name}: column {names.index('') + 1} has no name and is taken for predictions",
                cure="if it is an index that some tool wrote, pick the others with --columns",
            )
        )


def _id_number(operand: Operand, id_column: str) -> int:
    if not operand.is_table:
        raise DataError(
            f"{operand.name}: an array has no column {id_column!r} to join by; save it as a table with ids, or leave out --id"
        )
    return int(operand.content.find(id_column))


def join(dataset: Dataset, id_column: str | None, drop: bool) -> None:
    """Bring the rows of all files together by their ids, if there are any, in the order of the predictions.

    `drop` is whether rows that have no partner in another file are left out.

    Raises
    ------
    DataError
        for empty ids, ids that are there more than once, and, without `drop`, ids without a partner.
    """
    if id_column is None:
        return
    from losscli.io.join import meet
    from losscli.io.text import IdColumn

    first = dataset.predictions.operand
    others = [
        columns
        for columns in (dataset.targets, dataset.weights, dataset.third_operand, dataset.groups)
        if columns is not None
    ]
    files = [first]  # each once, whatever the number of its columns
    for columns in others:
        if not any(columns.operand.same_file(file) for file in files):
            files.append(columns.operand)
    keys = [(file.content, _id_number(file, id_column)) for file in files]
    found = meet(keys, drop)
    dataset.ids, dataset.selection = IdColumn(*keys[0]), found.selection
    dataset.notes += found.notes
    for columns in (dataset.predictions, *others):
        number = next(i for i, file in enumerate(files) if columns.operand.same_file(file))
        columns.arranged = found.others[number - 1] if number else found.selection
