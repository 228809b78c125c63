"""Arrays of a Python program as operands, beside files: anything that NumPy makes an array of."""

import sys
from collections.abc import Mapping
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
    if array.ndim != 2 or columns is None or len(columns) != array.shape[1]:
        return MemorySource(name, array)
    return MemorySource(name, array, tuple(map(str, columns)))


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


def named(values: Mapping[str, Any]) -> dict[str, MemorySource]:
    """Arrays as sources, by the names that messages call them."""
    return {name: source_of(name, value) for name, value in values.items()}
