"""Doubts: facts about a file that can be read in two ways, of which each gives another number.

A doubt is decided here and nowhere else. It is an error with its cures until an option settles it.
"""

from collections.abc import Sequence

from losscli.errors import DataError
from losscli.io.operands import Operand
from losscli.records import dataclass
from losscli.wording import listing, quoted

MOST_NAMED = 6
"""Of more columns than this, a cure names none but says which option takes them."""
FEW_LABELS = 100
"""Up to so many different labels are no doubt, even if each row has one of its own."""
HEADER_TRIES = (("--header", None), ("--no-header", None))
"""What settles a doubt about a first row; the first one is no likelier than the other."""


@dataclass(frozen=True)
class Doubt:
    """One doubt about a file.

    `evidence` says what is odd, with its place; `cures` are the ways to settle it, of which the user picks one.
    """

    evidence: str
    cures: tuple[str, ...]
    tries: tuple[tuple[str, str | None], ...] = ()
    """Options with values of which each settles it, the likeliest first."""

    def error(self) -> DataError:
        """Return the doubt as the error that ends the run."""
        return DataError(self.evidence + "".join(self.cures), "doubtful-columns", self.tries)


def about_header(operand: Operand) -> Doubt | None:
    """Return the doubt whether a first row of 0, 1, 2 ... is a header or data; None once an option says so."""
    if not operand.is_table or not operand.content.doubt:
        return None
    pick = () if operand.column else (", or pick columns with --columns",)
    return Doubt(operand.content.doubt, pick, HEADER_TRIES)


def about_unnamed(operand: Operand, numbers: list[int], role: str) -> Doubt | None:
    """Return the doubt whether a column without a name, among those that a role would take,
    is an index that a tool wrote.
    """
    table = operand.content
    if not table.names or table.settled or all(table.names[i] != "" for i in numbers):
        return None
    first = next(i for i in numbers if table.names[i] == "")
    elsewhere = f"say {operand.name}:COLUMN, save the file without it (index=False)"
    pick = "pick the others with --columns" if role == "predictions" else elsewhere
    return Doubt(
        f"{operand.name}:1: column {first + 1} has no name (an index that some tool wrote?); ",
        (pick, ", join by it with --id ''", ", or say --header to use it as it is"),
        (("--id", ""),),
    )


def about_unlike_index(predictions: Operand, other: Operand) -> Doubt | None:
    """Return the doubt about rows of two files that the files' own indices, of the same name, put in another order."""
    if not (predictions.is_table and other.is_table) or predictions.same_file(other):
        return None
    one, two = predictions.content, other.content
    shared = next((name for name in one.index_columns if name in two.index_columns), None)
    row = None if shared is None else one.first_unlike(two, shared)
    if shared is None or row is None:
        return None
    evidence = (
        f"{predictions.name} and {other.name}: their index {shared!r} has the same values in another order, from row {row} "
        f"on; join by it with --id {quoted(shared)}"
    )
    cure = ", or say --columns '*' if the rows belong together as they stand"
    return Doubt(evidence, (cure,), (("--id", shared),))


def about_equal_columns(file: str, targets: str, column: int, names: Sequence[str] | None) -> Doubt:
    """Return the doubt about a column that is the same in predictions and targets, while others are not: a key?

    Parameters
    ----------
    column
        its number, from 0.
    names
        the names of the predictions' columns, or None if they have none.
    """
    evidence = (
        f"{file}: {labelled(names, column)} equals that of {targets} in every row and others do not, as a key would"
    )
    join = [] if names is None else [f"join by it with --id {quoted(names[column])}"]
    tries = (*((("--id", names[column]),) if names is not None else ()), _left_out([column], names))
    return Doubt(evidence, picks([column], names, *join), tries)


def about_spare_column(file: str, column: int, names: Sequence[str] | None, why: str, in_both: bool = False) -> Doubt:
    """Return the doubt about a column of predictions whose numbers are those of an index, a fold or a label.

    `why` says what is odd about its numbers, and `in_both` that the targets have a column of its name.
    """
    evidence = f"{file}: {labelled(names, column)} holds {why}, as an index, a fold or a label would"
    join = [f"join by it with --id {quoted(called(names, column))}"] if in_both else []
    tries = (*((("--id", called(names, column)),) if in_both else ()), _left_out([column], names))
    return Doubt(evidence, picks([column], names, *join), tries)


def about_unit_columns(file: str, columns: Sequence[int], names: Sequence[str] | None) -> Doubt:
    """Return the doubt about columns of predictions that lie within 0 and 1 beside others that hold logits."""
    which = " and ".join(labelled(names, column) for column in columns)
    lies = "lies" if len(columns) == 1 else "lie"
    evidence = (
        f"{file}: {which} {lies} within 0 and 1 in all rows, and the others do not, as a confidence or a weight would"
    )
    return Doubt(evidence, picks(columns, names))


def about_confidence(file: str, column: int, names: Sequence[str] | None) -> Doubt:
    """Return the doubt about a column of predictions that repeats the largest number of each row."""
    evidence = f"{file}: {labelled(names, column)} repeats the largest number of each row, as a confidence would"
    cures, tries = picks([column], names), (_left_out([column], names),)
    return Doubt(evidence, cures, tries)


def about_truths(operand: Operand, numbers: Sequence[int]) -> Doubt | None:
    """Return the doubt about a column of True and False, as typed files have them, beside predictions that are numbers."""
    table = operand.content
    if not operand.is_table or len(numbers) < 2:
        return None
    truths = [number for number in numbers if table.is_truth(number)]
    if not truths or len(truths) == len(numbers):
        return None
    evidence = f"{operand.name}: {table.label(truths[0])} holds True and False, and the others numbers"
    cures, tries = picks(truths, table.names), (_left_out(truths, table.names),)
    return Doubt(evidence, cures, tries)


def about_unexplained_classes(file: str, labels: str, spare: Sequence[int], names: Sequence[str]) -> Doubt:
    """Return the doubt about columns of predictions that no label names, where labels are the names of columns.

    Parameters
    ----------
    labels
        the file of the labels.
    spare
        the columns that no label names, by their numbers from 0.
    names
        the names of all columns.
    """
    these = [names[i] for i in spare]
    evidence = (
        f"{file}: no label in {labels} names {'column' if len(these) == 1 else 'the columns'} "
        f"{listing(map(repr, these), 3)}, so {'it' if len(these) == 1 else 'they'} may be no {'class' if len(these) == 1 else 'classes'}"
    )
    cures, tries = picks(spare, names), (_left_out(spare, names),)
    return Doubt(evidence, cures, tries)


def about_two_columns(file: str, loss: str, over_classes: str, positive: str) -> Doubt:
    """Return the doubt about two columns of predictions with one label per row: two classes, or two outcomes?

    Parameters
    ----------
    over_classes
        the loss that takes the columns for classes.
    positive
        what --columns calls the column of the positive class.
    """
    evidence = f"{file}: two columns and one label per row, and {loss} takes each column for an outcome of its own"
    cure = f"; for two classes say {over_classes}, or --columns {quoted(positive)} for the score of the positive one"
    return Doubt(evidence, (cure, ", or say --columns '*' if each is an outcome"), (("--columns", positive),))


def about_name_of_targets(file: str, targets: str, column: int, names: Sequence[str]) -> Doubt:
    """Return the doubt about a column of predictions that bears the name of the targets' column."""
    evidence = f"{file}: {labelled(names, column)} has the name of the targets' column in {targets}, so it may be a copy of them"
    cures, tries = picks([column], names), (_left_out([column], names),)
    return Doubt(evidence, cures, tries)


def check_distinct_labels(labels: str, classes: int, rows: int) -> None:
    """Raise the doubt about labels that define the classes and are nearly all different: ids? Few labels are none.

    Parameters
    ----------
    classes, rows
        the number of different labels, and of rows that have one.

    Raises
    ------
    DataError
        if there are so many that it is doubtful whether they are classes.
    """
    if classes <= FEW_LABELS or 2 * classes <= rows:
        return
    doubt = Doubt(
        f"{labels}: {classes:,} different labels in {rows:,} rows, as ids would have",
        (
            "; pick the column of the labels with FILE:COLUMN",
            ", or say --classes FILE, with a name per line, if they are classes",
        ),
    )
    raise doubt.error()


def labelled(names: Sequence[str] | None, column: int) -> str:
    """Return how messages name a column: by its name, or by its number from 1."""
    return f"column {called(names, column)}" if names is None else f"column {names[column]!r}"


def called(names: Sequence[str] | None, column: int) -> str:
    """Return what --columns calls a column: its name, or its number from 1."""
    return str(column + 1) if names is None else names[column]


def picks(spare: Sequence[int], names: Sequence[str] | None, *more: str) -> tuple[str]:
    """Return the cures in one clause: those in `more`, to leave columns out, and to say that all are meant."""
    one = len(spare) == 1
    leave = f"leave {'it' if one else 'them'} out with --columns {quoted(_left_out(spare, names)[1])}"
    if len(spare) > MOST_NAMED:
        leave = "pick the predictions with --columns NAME,..."
    cures = [*more, leave]
    return (f"; {', '.join(cures)}, or say --columns '*' if {'it is a prediction' if one else 'they are predictions'}",)


def _left_out(spare: Sequence[int], names: Sequence[str] | None) -> tuple[str, str]:
    """Return the option that leaves columns out, with its value."""
    return "--columns", ",".join(f"!{called(names, i)}" for i in spare)
