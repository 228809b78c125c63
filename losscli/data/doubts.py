"""Doubts: facts about a file that can be read in two ways, of which each gives another number.

A doubt is decided here and nowhere else. It is an error with its cures until an option settles it.
"""

from dataclasses import dataclass

from losscli.errors import DataError
from losscli.io.operands import Operand


@dataclass(frozen=True)
class Doubt:
    """One doubt about a file.

    `evidence` says what is odd, with its place; `cures` are the ways to settle it, of which the user picks one, and
    `settled_by` are the options that do so.
    """

    code: str
    columns: tuple[str, ...]
    evidence: str
    cures: tuple[str, ...]
    settled_by: tuple[str, ...]

    def error(self) -> DataError:
        """Return the doubt as the error that ends the run."""
        return DataError(self.evidence + "".join(self.cures))


def about_header(operand: Operand) -> Doubt | None:
    """Return the doubt whether a first row of 0, 1, 2 ... is a header or data; None once an option says so."""
    if not operand.is_table or not operand.content.doubt:
        return None
    pick = () if operand.column else (", or pick columns with --columns",)
    return Doubt("header", (), operand.content.doubt, pick, ("--header", "--no-header", "--columns"))


def about_unnamed(operand: Operand, numbers: list[int], role: str) -> Doubt | None:
    """Return the doubt whether a column without a name, among those that a role would take,
    is an index that a tool wrote.
    """
    table = operand.content
    if not table.names or table.settled or all(table.names[i] != "" for i in numbers):
        return None
    first = next(i for i in numbers if table.names[i] == "")
    pick = "pick the others with --columns" if role == "predictions" else f"say {operand.name}:COLUMN"
    return Doubt(
        code="unnamed-column",
        columns=("",),
        evidence=f"{operand.name}:1: column {first + 1} has no name (an index that some tool wrote?); ",
        cures=(pick, ", join by it with --id ''", ", or say --header to use it as it is"),
        settled_by=("--columns", "--id", "--header"),
    )
