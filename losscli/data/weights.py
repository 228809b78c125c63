"""Weights: one a row, one a class, one an output, and the factor of the positive term."""

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
    """Weights a class that weigh rows, and weights an output that weigh outputs; one of them or neither."""
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
            pairs = [("0" if name == "-1" else name, value) for name, value in pairs]  # labels that are all positive
        numbers = by_class(pairs, names, k, "--class-weight", columns)
    else:
        numbers = _weights_of_file(opener, text, names, k)
    return (None, numbers) if several else (numbers, None)


def _balanced(made: DecodedTargets, k: int) -> Array:
    """N / (k * count) for each class, as scikit-learn's 'balanced'; 0 for a class that no row has."""
    counts = np.zeros(k)
    for _, block in blocks(made.source):
        kept = made.encoding.keep(block)
        rows = block if kept is None else block[kept]
        if made.encoding.stored_as == "indices":
            counts += np.bincount(rows.astype(np.int64), minlength=k)
            continue
        t = (rows if made.encoding.stored_as == "rows" else made.encoding.outcomes(rows)).astype(np.float64)
        counts += np.array([len(t) - t.sum(), t.sum()]) if t.ndim == 1 else t.sum(axis=0)
    with np.errstate(over="ignore"):  # of soft targets that are all but 0
        return np.divide(counts.sum(), k * counts, out=np.zeros(k), where=counts > 0)


def _weights_of_file(opener: Opener, text: str, names: tuple[str, ...] | None, k: int) -> Array:
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
    """Weights from a table of names and weights, or from one row with a column a class."""
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
    bad = ~((values >= 0) & np.isfinite(values))
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{source.place(row)}: the weight {values[row]:g} is negative or not finite; weights are numbers >= 0"
        )


def pos_weight(request: Request, predictions: Source, several: bool) -> Array | float | None:
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
