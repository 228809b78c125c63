"""Arrays of a Python program as operands, beside files: anything that NumPy makes an array of."""

import sys
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from losscli.errors import DataError
from losscli.io.npy import check_axes, check_dtype, native
from losscli.io.source import MemorySource
from losscli.wording import count, listing

EIGHT_BITS = ("float8_e5m2", "float8_e4m3fn")


def source_of(name: str, value: Any) -> MemorySource:
    """Return an array, list, data frame or tensor of any rank but 0 as a source of its rows.

    Names of columns are kept where there are some. Numbers are in this machine's byte order and at most float64; text
    stays text, for class names.

    Raises
    ------
    DataError
        for what is not an array of numbers or text with an axis.
    """
    array = _array(name, value)
    if array.dtype.kind == "V" and array.dtype.name in ("bfloat16", *EIGHT_BITS):  # types that ml_dtypes adds to NumPy
        array = array.astype(np.float32)
    if array.dtype == np.dtype("V2"):
        raise DataError(
            f"{name}: dtype {array.dtype}: two bytes for each number, and no type; if they are bfloat16, "
            "give array.view(ml_dtypes.bfloat16), or the path of the file with dtype='bfloat16'"
        )
    if array.ndim == 0 and array.dtype.kind not in "buif":
        raise DataError(
            f"{name}: of type {type(value).__name__}, of which NumPy makes no array; give a list, an array, a data frame or a path"
        )
    if array.dtype == object:
        kinds = listing(sorted({type(cell).__name__ for cell in array.flat}))
        raise DataError(
            f"{name}: holds Python objects ({kinds}), not numbers or text; give numpy.asarray({name}, float), where None becomes NaN"
        )
    check_axes(array.shape, name)
    check_dtype(array.dtype, name)
    if array.dtype.kind not in "US":
        array = array.astype(native(array.dtype), copy=False)
    columns = getattr(value, "columns", None)
    if array.ndim != 2 or columns is None or len(columns) != array.shape[1] or _are_made_up(columns):
        return MemorySource(name, array)
    return MemorySource(name, array, tuple(map(str, columns)))


def _are_made_up(columns: Any) -> bool:
    """Whether columns have the names that pandas or Polars gives them where nobody does: a RangeIndex, or column_0, column_1 ..."""
    if type(columns).__name__ == "RangeIndex":
        return _counts_on(columns)
    return list(columns) == [f"column_{i}" for i in range(len(columns))]


def _counts_on(index: Any) -> bool:
    """Whether an index of pandas is 0, 1 ..., as where nobody gives one."""
    return bool(index.tolist() == list(range(len(index))))


def _array(name: str, value: Any) -> np.ndarray[Any, Any]:
    if hasattr(value, "detach"):  # a tensor that knows its gradient gives its numbers without it
        value = value.detach()
    if str(getattr(value, "dtype", "")) == "torch.bfloat16":  # which NumPy does not have
        value = value.float()
    # Such arrays exist only where NumPy's module of them was imported, which takes a while.
    if "numpy.ma" in sys.modules and isinstance(value, np.ma.MaskedArray) and np.any(value.mask):
        raise DataError(
            f"{name}: a masked array, {count(int(np.count_nonzero(value.mask)), 'number')} of which {name}.mask hides; give {name}.data, and "
            f"mask=~{name}.mask for what exists"
        )
    try:
        array = np.asarray(value)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{name}: NumPy makes no array of a {type(value).__name__}: {reason}") from error
    if array.dtype == object and array.size and all(isinstance(cell, str) for cell in array.flat):
        return array.astype(str)
    return array


def by_label(name: str, value: Any) -> Any:
    """Return numbers of classes by their labels, if they are a series, or a data frame of one row or column; others as they are.

    A series that pandas only numbers is its numbers in their order.

    Raises
    ------
    DataError
        for a data frame with more rows and columns.
    """
    columns, index = getattr(value, "columns", None), _index_of(value)
    numbered = index is None or _counts_on(index)
    if columns is None:
        return value if numbered else dict(zip(index.tolist(), value.tolist(), strict=True))
    numbers = np.asarray(value)
    if numbers.ndim == 2 and len(numbers) == 1:
        return numbers[0] if _are_made_up(columns) else dict(zip(map(str, columns), numbers[0].tolist(), strict=True))
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        column = numbers[:, 0]
        return column if numbered else dict(zip(index.tolist(), column.tolist(), strict=True))
    raise DataError(
        f"{name}: a data frame of shape {numbers.shape}; give one row with the classes as columns, or a dict"
    )


def check_index(values: Mapping[str, Any]) -> None:
    """Refuse data frames and series of pandas whose indices have the same values in different orders.

    Indices with other values say nothing about which rows belong together, and rows meet by position.

    Parameters
    ----------
    values
        the operands, by their names.
    """
    held = [(name, index) for name, value in values.items() if (index := _index_of(value)) is not None]
    for (first, one), (second, other) in combinations(held, 2):
        if len(one) == len(other) and not one.equals(other) and _same_values(one, other):
            raise DataError(
                f"{first} and {second}: their indices have the same values in different orders; bring them into one order with "
                "reindex or loc, or give to_numpy() of one if the rows belong together as they stand",
                "doubtful-columns",
            )


def check_places(name: str, value: Any) -> None:
    """Refuse rows whose index is not 0, 1 ..., where a row is a class: they may stand in another order."""
    index = _index_of(value)
    if index is not None and not _counts_on(index):
        raise DataError(
            f"{name}: its index is not 0 to {len(index) - 1}, and row i is class i; give {name}.sort_index() of class numbers, or "
            f"{name}.to_numpy() with one row per class in their order"
        )


def _index_of(value: Any) -> Any:
    """Return the index of a data frame or series of pandas; None for other operands."""
    index = getattr(value, "index", None)
    return index if type(index).__module__.startswith("pandas") else None


def _same_values(one: Any, other: Any) -> bool:
    """Whether two indices of pandas have the same values, each once."""
    return bool(one.is_unique and other.is_unique and one.isin(other).all())
