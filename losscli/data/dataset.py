"""The Dataset: which column of which file has which role, and why, and how rows of several files are joined by ids.

Every command gets its columns from here, and no later stage asks a file again.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from losscli.data import doubts
from losscli.data.columns import Column, Columns, Reason, Role
from losscli.data.doubts import Doubt
from losscli.data.units import Units
from losscli.definition.words import UnitKind
from losscli.errors import DataError, UsageError
from losscli.findings import WARNING, Finding
from losscli.io.operands import Operand
from losscli.io.source import Picked
from losscli.io.table import picked
from losscli.numerals import is_count
from losscli.records import dataclass, field, replace
from losscli.wording import listing, quoted

if TYPE_CHECKING:
    from losscli.io.join import Selection
    from losscli.io.positions import Layout
    from losscli.io.text import IdColumn

MOST_KEYS = 8
"""Columns of two files that are looked at, if both have more."""
LIKELY_IDS = ("id", "ids", "index", "idx", "row", "sample", "sample_id", "sampleid", "docid", "unnamed: 0")
"""Names, in lower case, of columns that probably hold ids."""


@dataclass
class Dataset:
    """The columns of each role, in the row order of the predictions."""

    predictions: Columns
    targets: Columns | None
    weights: Columns | None
    ids: "IdColumn | None"
    notes: list[str]
    third_operand: Columns | None = None
    """The columns of a third operand with one row per prediction; None if there is none."""
    mask: Columns | None = None
    """The columns that say which targets exist; None if all do."""
    selection: "Selection | None" = None
    """The rows of the predictions' file that are kept; None if all are."""
    findings: list[Finding] = field(default_factory=list)
    slices: list[Columns] = field(default_factory=list)
    """The columns by whose words rows are grouped; none without --by."""
    lists: list[Columns] = field(default_factory=list)
    """The column that says of which list each row is an item, of the predictions' file, the targets', or both; none without."""
    id_column: str | None = None
    """Name of the column by which rows are joined."""
    picked_by_name: bool = False
    """Whether --columns names the columns of the predictions."""

    layout: "Layout | None" = None
    """Which sample each row belongs to, if rows are positions of an array's samples."""

    @property
    def operands(self) -> list[Columns]:
        """The operands that there are, with one row per prediction or more, the predictions first."""
        found = (self.predictions, self.targets, self.weights, self.mask, self.third_operand)
        return [columns for columns in found if columns is not None]

    def units(self, kind: UnitKind) -> Units:
        """Return the units that have one loss each, and where they are in the predictions' file."""
        shape = self.predictions.file_shape
        if self.selection is not None:
            shape = (self.predictions.operand.content.height, *shape[1:])
        return Units(shape, self.selection, kind, self.layout)

    def columns(self) -> tuple[Column, ...]:
        """Return the role of every column of every file, and the reason, file by file; an array counts
        as one column.
        """
        by_role = {
            Role.PREDICTION: self.predictions,
            Role.TARGET: self.targets,
            Role.WEIGHT: self.weights,
            Role.MASK: self.mask,
            Role.THIRD_OPERAND: self.third_operand,
        }
        taken = [(role, columns) for role, columns in by_role.items() if columns is not None]
        taken += [(Role.SLICE, columns) for columns in self.slices]  # the other role of a column that has two counts
        taken += zip((Role.LIST, Role.SAME_LIST), self.lists, strict=False)
        records: list[Column] = []
        for i, (role, columns) in enumerate(taken):
            if not columns.operand.is_table:
                named = self.picked_by_name and role is Role.PREDICTION
                reason = Reason.OPTION if named else Reason.ONLY_CANDIDATE
                records.append(Column(columns.name, None, None, str(columns.dtype), role, reason))
                continue
            if not any(columns.operand.same_file(other.operand) for _, other in taken[:i]):
                records += self._of_table(columns, taken)
        return tuple(records)

    def _of_table(self, first: Columns, taken: list[tuple[Role, Columns]]) -> list[Column]:
        """Return the columns of one table, which several roles may share."""
        table, roles = (
            first.operand.content,
            [(role, columns) for role, columns in taken if columns.operand.same_file(first.operand)],
        )
        records = []
        for number in range(table.width):
            name = table.names[number] if table.names else None
            role, reason = Role.UNUSED, Reason.NOT_ASKED_FOR
            if name in table.index_columns:
                reason = Reason.FILE
            if self.id_column is not None and number == _id_number(first.operand, self.id_column):
                role, reason = Role.ID, Reason.OPTION
            for role_here, columns in sorted(roles, key=lambda one: one[0] is not Role.SLICE):
                if number in columns.numbers:
                    role, reason = role_here, self._reason(role_here, columns)
            numeric = role in (Role.PREDICTION, Role.WEIGHT, Role.THIRD_OPERAND) or not table.is_text(number)
            dtype = str(table.dtype([number])) if numeric else "text"
            records.append(Column(first.operand.content.name, name, number, dtype, role, reason))
        return records

    def _reason(self, role: Role, columns: Columns) -> Reason:
        """Return why columns have a role."""
        by_name = role in (Role.SLICE, Role.LIST, Role.SAME_LIST) or (role is Role.PREDICTION and self.picked_by_name)
        if by_name or columns.operand.column is not None:
            return Reason.OPTION
        return Reason.ONLY_CANDIDATE if len(columns.numbers) == 1 else Reason.POSITION


def assign(
    predictions: Operand,
    targets: Operand | None,
    weights: Operand | None,
    id_column: str | None,
    columns: str | None,
    third_operand: Operand | None = None,
    slices: Sequence[Operand] = (),
    mask: Operand | None = None,
    lists: Sequence[Operand] = (),
) -> Dataset:
    """Give every column of every file its role.

    Parameters
    ----------
    targets
        None if they are a constant.
    weights
        the sample weights; None if there are none.
    id_column
        name of the column of ids, or None.
    columns
        the text of --columns, or None.
    third_operand
        a third operand with one row per prediction, or None.
    slices
        the columns by whose words rows are grouped.
    mask
        what says which targets exist, or None.
    lists
        the column that says of which list each row is an item, in one or both files.

    Raises
    ------
    DataError
        if it is not clear which columns are meant.
    UsageError
        if --columns is empty, or the predictions are an array.
    """
    rows = [operand for operand in (targets, weights, third_operand, mask) if operand is not None]
    named = columns is not None
    _raise_doubts(_about_rows(predictions, targets, rows, settled=named or id_column is not None))
    others = [*rows, *slices, *lists]
    if columns is not None:
        predictions, targets = _picked_of_array(predictions, columns), _picked_alike(predictions, targets, columns)
    numbers = _choose_predictions(predictions, others, columns, id_column)
    _raise_doubts([] if named else [doubts.about_truths(predictions, numbers)])
    dataset = Dataset(
        predictions=Columns(predictions, numbers, "predictions"),
        targets=_columns_of(
            targets, predictions, "targets", (weights, third_operand, mask, *lists), id_column, columns, slices
        ),
        weights=_weight_columns(weights, predictions, targets, (third_operand, mask, *lists), id_column, slices),
        ids=None,
        notes=_notes_of(predictions, *others),
        third_operand=_columns_of(
            third_operand, predictions, "third operand", (targets, weights, mask, *lists), id_column, slices=slices
        ),
        mask=_columns_of(
            mask, predictions, "mask", (targets, weights, third_operand, *lists), id_column, columns, slices
        ),
        slices=[_only_column(one, "--by", "slices") for one in slices],
        lists=[_only_column(one, "--group", "lists") for one in lists],
        id_column=id_column,
        picked_by_name=named,
    )
    dataset.findings += _unlike_keys(dataset, others)
    _note_odd_columns(dataset, named=named or predictions.column is not None)
    return dataset


def _only_column(operand: Operand, option: str, role: str) -> Columns:
    """Return the column of an operand that an option means, which must be its only one if none is named."""
    if operand.is_table and operand.column is None and operand.content.width > 1:
        raise DataError(
            f"{option}: {operand.name} has {operand.content.width} columns; say which, as {operand.text}:COLUMN"
        )
    return Columns(operand, [operand.picked or 0] if operand.is_table else [], role)


def _raise_doubts(found: "Iterable[Doubt | None]") -> None:
    """Raise the error of the first doubt, if there is one."""
    for doubt in found:
        if doubt is not None:
            raise doubt.error()


def _about_rows(
    predictions: Operand, targets: Operand | None, others: list[Operand], settled: bool
) -> "Iterator[Doubt | None]":
    """Yield doubts about which rows of files belong together: headers of numbers in both, and unlike indices of pandas.

    `settled` says that an option names columns or the ids.
    """
    if targets is not None and predictions.is_table and targets.is_table:
        from losscli.data.headers import about_same_first_row

        yield about_same_first_row(predictions, targets)
    for other in () if settled else others:
        yield doubts.about_unlike_index(predictions, other)


def _notes_of(*operands: Operand) -> list[str]:
    """Return what the user is told about how tables were read, each note once."""
    notes = [note for operand in operands if operand.is_table for note in operand.content.notes]
    return list(dict.fromkeys(notes))


def _choose_predictions(
    predictions: Operand, others: list[Operand], columns: str | None, id_column: str | None
) -> list[int]:
    """Return the columns of the predictions: those that --columns picks, or all that no other operand uses.

    Raises a UsageError if --columns is empty or the predictions are an array, and a DataError if no column is left or it
    is not clear which are meant.
    """
    if columns is None:
        taken = [other for other in others if other.same_file(predictions)]
        return _choose(predictions, "predictions", taken, id_column)
    if not predictions.is_table:
        return []
    _settle_by_columns(predictions, columns)
    taken = [other for other in others if other.same_file(predictions)]
    return _picked_of_table(predictions, columns, taken, id_column)


def _picked_of_table(operand: Operand, columns: str, taken: list[Operand], id_column: str | None) -> list[int]:
    """Return the columns that --columns picks. A pattern takes no column of another role, nor an index; a name does."""
    table, words = operand.content, columns.split(",")
    numbers: list[int] = table.pick(columns, _free(operand, taken, id_column))
    others = _used(operand, taken, id_column) | _unnamed(operand)
    free = [n for n in numbers if n not in others or (table.names[n] if table.names else str(n + 1)) in words]
    return free or numbers


def _used(operand: Operand, taken: list[Operand], id_column: str | None) -> set[int]:
    """Return the columns that other roles use, by their numbers from 0."""
    table = operand.content
    used = {number for other in taken if other.column is not None for number in table.named(other.column)}
    if table.row_names is not None:
        used.add(table.row_names)
    if id_column is not None:
        used.add(_id_number(operand, id_column))
    return used


def _unnamed(operand: Operand) -> set[int]:
    """Return the columns that have a role only where they are named, such as an index of pandas."""
    table = operand.content
    return set(table.only_by_name) | {table.find(name) for name in table.index_columns}


def _picked_of_array(operand: Operand, columns: str) -> Operand:
    """Return an array with the columns that --columns picks by their numbers from 1; a table as it is.

    Raises a UsageError if --columns is empty, or the array has no columns.
    """
    if not columns.strip(","):
        raise UsageError("--columns is empty; say for example --columns 'p_*'")
    if operand.is_table:
        return operand
    source = operand.content
    if len(source.shape) != 2:
        raise UsageError(f"--columns picks columns, and {operand.name} is an array of shape {source.shape}")
    width = source.shape[1]

    def fitting(word: str) -> list[int]:
        if not is_count(word) or not 1 <= int(word) <= width:
            raise UsageError(
                f"--columns: no column {word!r}: {operand.name} is an array, whose columns are called 1 ... {width}"
            )
        return [int(word) - 1]

    numbers = picked(columns, range(width), (), fitting, operand.name)
    return operand if numbers == list(range(width)) else replace(operand, content=Picked(source, tuple(numbers)))


def _picked_alike(predictions: Operand, targets: Operand | None, columns: str) -> Operand | None:
    """Return the targets without the columns that --columns does not pick, if they are an array like the predictions."""
    if (
        targets is None
        or targets.is_table
        or predictions.is_table
        or targets.content.shape != predictions.content.shape
    ):
        return targets
    return _picked_of_array(targets, columns)


def _settle_by_columns(operand: Operand, columns: str) -> None:
    # A column called 0 makes it a header; the number of the last column makes it data.
    """Use --columns to decide whether a first row of 0, 1, 2 ... is a header."""
    table = operand.content
    if table.doubt is None or table.names is not None:
        return
    wanted = columns.split(",")
    if "0" in wanted:
        operand.content = table.headed()
    elif str(table.width) not in wanted:
        raise DataError(f"{table.doubt}; --columns {columns} fits both")


def _choose(operand: Operand, role: str, taken: list[Operand], id_column: str | None) -> list[int]:
    """Return the columns that no other role uses, by their numbers from 0."""
    if not operand.is_table:
        return []
    from losscli.data.headers import about_first_row  # arrays have no use for it

    for doubt in (doubts.about_header(operand), about_first_row(operand)):
        if doubt is not None:
            raise doubt.error()
    table = operand.content
    if operand.column is not None:
        return list(table.named(operand.column))
    rest = _free(operand, taken, id_column)
    if not rest:
        raise DataError(f"{operand.name}: no column is left for the {role}")
    names = [table.names[number] for number in rest] if table.names else []
    if len(set(names)) < len(names):
        table.find(
            next(name for name in names if names.count(name) > 1)
        )  # raises an error that says which columns share a name
    if (doubt := doubts.about_unnamed(operand, rest, role)) is not None:
        raise doubt.error()
    return rest


def _free(operand: Operand, taken: list[Operand], id_column: str | None) -> list[int]:
    """Return the columns of a table that no other role uses, and that the file itself does not call an index or row names."""
    used, unnamed = _used(operand, taken, id_column), _unnamed(operand)
    rest = [number for number in range(operand.content.width) if number not in used]
    return [number for number in rest if number not in unnamed] or rest


def _columns_of(
    operand: Operand | None,
    predictions: Operand,
    role: str,
    others: tuple[Operand | None, ...],
    id_column: str | None,
    patterns: str | None = None,
    slices: Sequence[Operand] = (),
) -> Columns | None:
    """Return the columns of an operand that no other operand uses; None if there is no operand.

    `patterns` are those of --columns: a table with the same columns as the predictions has the same ones picked. Columns of
    `slices` are left out, unless there are no others: labels may be slices too.

    Raises a DataError if the operand is in the predictions' file and its column is not named.
    """
    if operand is None:
        return None
    if operand.is_table and operand.column is None and operand.same_file(predictions):
        raise DataError(
            f"{operand.name}: is the file of the predictions too; say which column holds the {role}: {operand.name}:COLUMN"
        )
    taken = [other for other in others if other is not None and other.same_file(operand) and other.column is not None]
    of_slices = [other for other in slices if other.same_file(operand) and other.column is not None]
    if of_slices and len(_used(operand, [*taken, *of_slices], id_column)) < operand.content.width:
        taken += of_slices
    if patterns is not None and _same_columns(operand, predictions):
        return Columns(operand, _picked_of_table(operand, patterns, taken, id_column), role)
    return Columns(operand, _choose(operand, role, taken, id_column), role)


def _same_columns(operand: Operand, predictions: Operand) -> bool:
    """Whether two tables have the same columns, of which there are several, and no FILE:COLUMN picks one."""
    if not (operand.is_table and predictions.is_table) or operand.column is not None:
        return False
    one, other = operand.content, predictions.content
    return bool(one.width > 1 and (one.names, one.width) == (other.names, other.width))


def _weight_columns(
    weights: Operand | None,
    predictions: Operand,
    targets: Operand | None,
    others: tuple[Operand | None, ...],
    id_column: str | None,
    slices: Sequence[Operand] = (),
) -> Columns | None:
    """Return the columns of the sample weights that neither the targets nor the other operands use; None without weights.

    Raises a DataError if there are several, and more than the targets have.
    """
    found = _columns_of(weights, predictions, "weights", (targets, *others), id_column, slices=slices)
    return _one_column(found, predictions, targets)


def _one_column(weights: Columns | None, predictions: Operand, targets: Operand | None) -> Columns | None:
    """Return the column of weights as it is, or those that are called as the predictions', or as many as the targets have.

    Raises a DataError if there are several others.
    """
    several = 0 if targets is None or targets.column else _breadth(targets)
    if weights is not None and 1 < len(weights.numbers) > several and not _called_alike(weights, predictions):
        operand = weights.operand
        raise DataError(
            f"{operand.name}: which column holds the weights? Say {operand.name}:COLUMN ({_names(operand, weights.numbers)})"
        )
    return weights


def _called_alike(columns: Columns, predictions: Operand) -> bool:
    """Whether columns have names that are those of the predictions' file, in any order, perhaps with others there."""
    names = predictions.content.names if predictions.is_table else None
    return bool(names and columns.names) and set(columns.names or ()) <= set(names or ())


def _breadth(operand: Operand) -> int:
    """Return the number of columns of a table, or of an array of two axes; 0 for other arrays."""
    if operand.is_table:
        return int(operand.content.width)
    return int(operand.content.shape[1]) if len(operand.content.shape) == 2 else 0


def _names(operand: Operand, numbers: list[int]) -> str:
    """Return the names of columns, or their numbers from 1, for a message."""
    names = operand.content.names
    return listing(names[i] if names else i + 1 for i in numbers)


def _unlike_keys(dataset: Dataset, others: list[Operand]) -> list[Finding]:
    """Return the findings about columns that look like ids in another order; none if the user names a column of ids."""
    if dataset.id_column is not None:
        return []
    return [found for other in others if (found := _unlike_key(dataset, other)) is not None]


def _unlike_key(dataset: Dataset, other: Operand) -> Finding | None:
    """Return the finding about a column of the predictions' and another file that no role uses, if it has the same values
    in another order: rows that do not belong together.
    """
    predictions = dataset.predictions.operand
    if not (predictions.is_table and other.is_table) or predictions.same_file(other):
        return None
    sides = [predictions.content, other.content]
    used = {
        id(columns.operand.content): set(columns.numbers)
        for columns in (dataset.predictions, dataset.targets, dataset.weights, dataset.third_operand)
        if columns is not None
    }
    spare = [
        [
            name
            for i, name in enumerate(table.names or ())
            if i not in used.get(id(table), ()) and table.names.count(name) == 1
        ]
        for table in sides
    ]
    for name in [name for name in spare[0] if name in spare[1]][:MOST_KEYS]:
        if sides[0].reorders(sides[1], name):
            return Finding(
                "keys-in-another-order",
                WARNING,
                f"{predictions.name} and {other.name}: column {name!r} has the same values in both files, in other rows",
                cure=f"if it says which rows belong together, join by it with --id {quoted(name)}",
            )
    return None


def _note_odd_columns(dataset: Dataset, named: bool) -> None:
    """Add findings about columns of predictions that look like ids or an index."""
    names = dataset.predictions.names or ()
    likely = next((name for name in names if name.lower() in LIKELY_IDS), None)
    if likely is not None and not named:
        dataset.findings.append(
            Finding(
                "id-as-prediction",
                WARNING,
                f"{dataset.predictions.name}: column {likely!r} is taken for predictions",
                cure=f"if it is not, say --id {quoted(likely)} or pick the others with --columns",
            )
        )
    if "" in names and dataset.predictions.operand.is_table and dataset.predictions.operand.content.settled:
        dataset.findings.append(
            Finding(
                "id-as-prediction",
                WARNING,
                f"{dataset.predictions.name}: column {names.index('') + 1} has no name and is taken for predictions",
                cure="if it is an index that some tool wrote, pick the others with --columns",
            )
        )


def _id_number(operand: Operand, id_column: str) -> int:
    """Return the number of the column of ids, from 0."""
    if not operand.is_table:
        raise DataError(
            f"{operand.name}: an array has no column {id_column!r} to join by; save it as a table with ids, or leave out --id"
        )
    return int(operand.content.find(id_column))


def join(dataset: Dataset, id_column: str | None, drop: bool) -> None:
    """Bring the rows of all files into the order of the predictions by their ids; do nothing without an id column.

    `drop` says that rows without a partner in another file are left out.

    Raises
    ------
    DataError
        for empty ids, duplicate ids and, without `drop`, ids without a partner.
    """
    if id_column is None:
        return
    from losscli.io.join import meet
    from losscli.io.text import IdColumn

    first = dataset.predictions.operand
    others = [
        columns
        for columns in (dataset.targets, dataset.weights, dataset.third_operand, dataset.mask)
        if columns is not None
    ]
    others += [*dataset.slices, *dataset.lists]
    files = [first]  # each file once, even if several roles use it
    for columns in others:
        if not any(columns.operand.same_file(file) for file in files):
            files.append(columns.operand)
    keys = [(file.content, _id_number(file, id_column)) for file in files]
    meeting = meet(keys, drop)
    dataset.ids, dataset.selection = IdColumn(*keys[0]), meeting.selection
    dataset.notes += meeting.notes
    for columns in (dataset.predictions, *others):
        number = next(i for i, file in enumerate(files) if columns.operand.same_file(file))
        columns.arranged = meeting.others[number - 1] if number else meeting.selection
