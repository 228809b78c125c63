"""Weights: one per row, one per class, one per output, and the factor of the positive term."""

import math
import os
import re
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.data.class_names import by_class, named_numbers
from losscli.data.columns import Columns
from losscli.data.dataset import Dataset
from losscli.data.target_encoding import DecodedTargets
from losscli.definition.request import Request
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener
from losscli.io.source import Reshaped, Source, blocks, whole
from losscli.wording import count, did_you_mean

if TYPE_CHECKING:
    from losscli.io.table import Table


def sample_weights(dataset: Dataset, notes: list[str]) -> Source | None:
    """Return the weights of rows as a source of shape (n,); None if there are none.

    Raises
    ------
    DataError
        if there is more than one per row.
    """
    if dataset.weights is None:
        return None
    source = dataset.weights.source()
    if len(source.shape) == 2:
        if source.shape[1] != 1:
            raise DataError(f"{source.name}: weights have shape {source.shape}; give one weight a row, (n,)")
        notes.append(f"{source.name}: shape {source.shape} was squeezed to {source.shape[:1]}")
        return Reshaped(source)
    return source


def class_weights(
    request: Request, opener: Opener, made: DecodedTargets, k: int, several: bool
) -> tuple[Array | None, Array | None]:
    """Return weights per class that weigh rows, and weights per output that weigh outputs;
    at most one of them is not None.

    Parameters
    ----------
    made
        the decoded targets.
    k
        number of classes, or of outputs.
    several
        whether the predictions have several outputs.

    Raises
    ------
    UsageError
        if the text of --class-weight cannot be read, or names an unknown class.
    DataError
        if a file of weights does not fit.
    """
    text = request.class_weight
    if text is None:
        return None, None
    names, columns = made.classes, made.columns
    if not several and made.encoding.stored_as in ("signs", "outcomes"):
        names = ("-1", "1") if made.encoding.kind == "signed" else names or ("0", "1")
    if text == "balanced":
        numbers = _balanced(made, k)
        if not np.isfinite(numbers).all():
            raise DataError(
                f"{made.source.name}: --class-weight balanced: the targets of a class are next to 0, and its weight beyond all "
                "numbers; give weights by hand"
            )
    elif "=" in text and not os.path.exists(text):
        pairs = named_numbers(text, "--class-weight")
        if names == ("0", "1"):
            pairs = [
                ("0" if name == "-1" else name, value) for name, value in pairs
            ]  # labels in {-1, 1} of which none is -1 look like {0, 1}
        numbers = by_class(pairs, names, k, "--class-weight", columns)
    else:
        numbers = _weights_of_file(opener, text, names, k)
    return (None, numbers) if several else (numbers, None)


def _balanced(made: DecodedTargets, k: int) -> Array:
    """Return N / (k * count) for each class, as scikit-learn's 'balanced'; 0 for a class that no row has."""
    counts = np.zeros(k)
    for _, batch in blocks(made.source):
        kept = made.encoding.keep(batch)
        rows = batch if kept is None else batch[kept]
        if made.encoding.stored_as == "indices":
            counts += np.bincount(rows.astype(np.int64), minlength=k)
            continue
        t = (rows if made.encoding.stored_as == "rows" else made.encoding.outcomes(rows)).astype(np.float64)
        counts += np.array([len(t) - t.sum(), t.sum()]) if t.ndim == 1 else t.sum(axis=0)
    with np.errstate(over="ignore"):  # soft targets may be almost 0
        return np.divide(counts.sum(), k * counts, out=np.zeros(k), where=counts > 0)


def _weights_of_file(opener: Opener, text: str, names: tuple[str, ...] | None, k: int) -> Array:
    """Return one weight per class, shape (k,), from a file."""
    if not os.path.exists(text) and did_you_mean(text, ["balanced"], alike=0.8):
        raise UsageError(f"--class-weight {text}: no such file (did you mean balanced?)")
    if not os.path.exists(text) and re.fullmatch(r"[\d.,eE+ -]+", text):
        raise UsageError(f"--class-weight {text}: say NAME=NUMBER,... or give a file with one number a class")
    operand = opener.open(text, "--class-weight")
    if operand.is_table and operand.content.width > 1 and operand.column is None:
        return _weights_of_table(operand.content, text, names, k)
    source = Columns(operand, [] if not operand.is_table else [operand.picked or 0], "class weights").source()
    values = whole(source).reshape(-1)
    if len(values) != k:
        raise DataError(
            f"{source.name}: {count(len(values), 'class weight')} for {count(k, 'class', 'classes')}; give one a class"
        )
    _check_weights(source, values)
    return values.astype(np.float64)


def _weights_of_table(table: "Table", text: str, names: tuple[str, ...] | None, k: int) -> Array:
    """Return one weight per class from a table of names and weights, or from one row with one column per class."""
    named = table.name_column()
    if named is None and table.names and table.height == 1:
        source = table.source(range(table.width))
        cells, values = list(table.names), whole(source)[0]
    elif table.width == 2:
        named = named or 0
        source = table.source([1 - named])
        cells, values = [str(cell) for cell in table.text(named).text()], whole(source)
    else:
        raise DataError(
            f"{table.name}: {count(table.width, 'column')}; give a name and a weight a row, or {table.name}:COLUMN"
        )
    _check_weights(source, values)
    return by_class(list(zip(cells, values.tolist(), strict=True)), names, k, f"--class-weight {text}")


def _check_weights(source: Source, values: Array) -> None:
    """Raise a DataError if a weight is negative or not finite."""
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{source.place(row)}: the weight {values[row]:g} is negative or not finite; weights are numbers >= 0"
        )


def pos_weight(request: Request, predictions: Source, several: bool) -> Array | float | None:
    """Return the factor of the positive term: one number, one per output, shape (k,), or
    None if there is no --pos-weight.

    Raises
    ------
    UsageError
        if its text is not a number >= 0, nor a list of NAME=NUMBER.
    """
    text = request.pos_weight
    if text is None:
        return None
    if "=" in text:
        if not several:
            raise UsageError(f"--pos-weight {text}: there is one output, without a name; say --pos-weight X")
        pairs = named_numbers(text, "--pos-weight")
        return by_class(pairs, predictions.columns, predictions.shape[1], "--pos-weight")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (number >= 0 and math.isfinite(number)):
        raise UsageError(f"--pos-weight {text}: is not a number >= 0, nor NAME=NUMBER,...")
    return number
