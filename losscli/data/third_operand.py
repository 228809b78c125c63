"""The third operand of some losses: for each prediction a variance or scale, a negative, the other of a pair, or a reference."""

import re
from collections.abc import Mapping

import numpy as np

from losscli.arrays import Array
from losscli.data.class_names import in_output_order
from losscli.data.columns import Columns
from losscli.data.dataset import Dataset
from losscli.data.scalars import DOMAINS
from losscli.data.truth import read_words
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener, Operand
from losscli.io.source import Derived, Reshaped, Source, blocks
from losscli.records import NamedTuple, dataclass, replace
from losscli.wording import count

ONE_PER_ROW = ("scale", "dispersion")
"""Third operands of which a row may have one for all of its predictions."""


class Otherwise(NamedTuple):
    """Last words of names of columns that hold something else than a third operand, the fact, and the cure."""

    words: tuple[str, ...]
    fact: str
    cure: str


OTHERWISE: Mapping[tuple[str, str], Otherwise] = {
    ("survival", "event"): Otherwise(
        ("censored", "censoring", "cens"),
        "by its name is 1 where a row is censored, and events are 1 where it is not",
        "give 1 - {column} as a column of another name, or rename it if 1 is an event",
    ),
    ("gaussian", "variance"): Otherwise(
        ("std", "stddev", "stdev", "sd", "sigma"),
        "by its name is a standard deviation, and a variance is its square",
        "give the squares as a column of another name, or rename it if it holds variances",
    ),
    ("scaled", "scale"): Otherwise(
        ("variance", "var"),
        "by its name is a variance, which grows with the square of a scale",
        "give scales as a column of another name, or rename it if it holds scales",
    ),
}
"""Family and its third operand -> what a column may be instead, going by its name."""


@dataclass
class Repeated(Derived):
    """A source of shape (n,) that is read as (n, k): a number of a row stands for each of its k predictions."""

    k: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.of.shape, self.k)

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return np.repeat(self.of.read(start, stop)[:, None], self.k, axis=1)

    def place(self, row: int, column: int | None = None) -> str:
        return self.of.place(row)


def open_third_operand(
    text: str, option: str, predictions: Operand, targets: Operand | None, opener: Opener
) -> Operand:
    """Open FILE or FILE:COLUMN or, if there is no such file, a column of the predictions' or the targets' table by its name.

    Raises
    ------
    DataError
        if there is neither such a file nor such a column, or both tables have one.
    """
    try:
        return opener.open(text, f"--{option}")
    except DataError as error:
        sides = [predictions] if targets is None or targets.same_file(predictions) else [predictions, targets]
        holding = [side for side in sides if side.is_table and text in (side.content.names or ())]
        if "no such file" not in str(error) or not holding:
            raise
        if len(holding) > 1:
            raise DataError(
                f"--{option} {text}: {holding[0].name} and {holding[1].name} have such a column each; say which, as "
                f"{holding[0].name}:{text}"
            ) from error
        return replace(holding[0], column=text)


def third_operand_of(request: Request, dataset: Dataset, predictions: Source, notes: list[str]) -> Source | None:
    """Return the third operand as a source in the shape of the predictions; None if the loss has none.

    Raises
    ------
    UsageError
        if the loss needs one and there is none, or the reverse.
    DataError
        if it has another shape than the predictions.
    """
    family, name = request.loss.family, request.loss.name
    shape, columns = predictions.shape, dataset.third_operand
    if columns is None:
        if family.third_operand is None or (
            family.takes_distances and len(shape) == 1
        ):  # the predictions are distances then
            return None
        raise UsageError(
            f"{name} needs --{family.third_operand} {'FILE or NUMBER' if family.third_operand in DOMAINS else 'FILE'}: "
            f"{THIRD_OPERANDS[family.third_operand]}, in the predictions' shape"
        )
    _check_name(columns, family.name, str(family.third_operand))
    if family.takes_distances and len(shape) == 1:
        raise UsageError(f"--other: the predictions have shape {shape}: distances, which need no others; leave it out")
    per_row = family.third_operand in ONE_PER_ROW
    if columns.shape == (*shape, 1) or (per_row and columns.shape == (*shape[:1], 1)):
        notes.append(
            f"{columns.name}: shape {columns.shape} was squeezed to {columns.shape[:-1]}, "
            + ("one number per row" if columns.shape[:-1] != shape else "the predictions' shape")
        )
        return _repeated(Reshaped(columns.source()), shape)
    if family.third_operand == "event" and columns.shape == shape:
        return _events(columns, name)
    if columns.shape != shape and not (per_row and columns.shape == shape[:1]):
        also = ", or one number per row" if per_row and len(shape) == 2 else ""
        raise DataError(
            f"{name}: predictions {predictions.name} have shape {shape} and --{family.third_operand} {columns.name} "
            f"{columns.shape}; nothing is broadcast: give {THIRD_OPERANDS[str(family.third_operand)]}, in the predictions' "
            f"shape{also}"
        )
    return _repeated(in_output_order(columns.source(), columns, predictions, dataset), shape)


def _check_name(columns: Columns, family: str, option: str) -> None:
    """Raise a DataError if the only column of a third operand has the name of something that it is mistaken for."""
    otherwise = OTHERWISE.get((family, option))
    if otherwise is None or columns.names is None or len(columns.names) != 1:
        return
    column = columns.names[0]
    words = [word for word in re.split(r"[\W_]+", column.lower()) if word]
    if words and words[-1] in otherwise.words and not {"not", "non"} & set(words):
        raise DataError(
            f"{columns.name}: --{option}: column {column!r} {otherwise.fact}; {otherwise.cure.format(column=column)}",
            "doubtful-columns",
        )


def _repeated(source: Source, shape: tuple[int, ...]) -> Source:
    """Return a source with one number for each prediction, of one that may have one number for each row."""
    return source if source.shape == shape else Repeated(source, shape[1])


def _events(columns: Columns, name: str) -> Source:
    """Return the events as numbers, words such as True and False included; a DataError if there is no event at all."""
    if columns.operand.is_table:
        read_words(columns)
    source = columns.source()
    if source.shape[0] and not any(block.any() for _, block in blocks(source)):
        raise DataError(
            f"{columns.name}: no event among {count(source.shape[0], 'row')}, and {name} is a loss of events"
        )
    return source


THIRD_OPERANDS = {
    "variance": "the variance of each prediction",
    "scale": "the scale of each prediction",
    "dispersion": "the dispersion of each prediction",
    "negative": "the negatives' features",
    "other": "the features of the other ones of the pairs",
    "reference": "the log-probabilities under the reference model",
    "event": "1 where an event ended the time of a row and 0 where it is censored",
}
"""Option without dashes -> the third operand in words, for messages."""
