"""Arrays: their type, and sums and products that every layer needs."""

import math
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = np.ndarray  # importing NumPy's types takes longer than most modules here
FARTHEST = 1e140
"""Numbers beyond it are refused where squares of them are added up: those sums could overflow a float64."""


class _Memory(threading.local):
    def __init__(self) -> None:
        self.arrays: dict[Any, Array] = {}


MEMORY = _Memory()


def scratch(owner: str, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an array for the intermediate results of `owner`, which each thread has once and `owner` uses again.

    New memory for each block would cost more than what is computed in it: the system clears it page by page.
    """
    key = (owner, shape, np.dtype(dtype))
    array = MEMORY.arrays.get(key)
    if array is None:
        array = MEMORY.arrays[key] = np.empty(shape, dtype)
    return array


def by_row(values: Array) -> Array:
    """Return an array with one row per sample, shape (n, numbers per sample); also of no samples, of which reshape(n, -1) makes none."""
    return values.reshape(len(values), math.prod(values.shape[1:]))


def times(weight: Array | float, value: Array) -> Array:
    """Return weight * value, where zero times anything is zero: 0 log 0 = 0."""
    if isinstance(weight, float | np.floating):
        return value if weight == 1 else weight * value if weight else np.zeros_like(value)
    return np.where(weight == 0, 0, weight * value)


SUMMED_AT_ONCE = 1024
"""Terms that are added in the logits' own dtype before float64 takes over: with more, rounding in
float32 would show.
"""


def row_sums(terms: Array) -> Array:
    """Return the sum of each row, shape (n,), in float64 or wider, from terms of shape (n, k).

    einsum is faster than sum(axis=1), most of all for few columns, and a row's digits do not depend on the rows around
    it. Runs of a fixed length keep a row of 128,000 float32 terms within a few units in the last place.
    """
    wide = np.promote_types(terms.dtype, np.float64)
    rows, columns = terms.shape
    if columns <= SUMMED_AT_ONCE:
        return np.einsum("ij->i", terms).astype(wide, copy=False)
    whole = columns - columns % SUMMED_AT_ONCE
    runs = np.einsum("ijk->ij", terms[:, :whole].reshape(rows, whole // SUMMED_AT_ONCE, SUMMED_AT_ONCE)).astype(
        wide, copy=False
    )
    total = np.einsum("ij->i", runs)
    return total if whole == columns else total + np.einsum("ij->i", terms[:, whole:])


def running_sums(terms: Array) -> Array:
    """Return the sums up to each column, shape (n, k), as if they were added up with twice the digits.

    What each addition rounds off follows from its operands and its result (Knuth 1969, The Art of Computer Programming,
    volume 2, 4.2.2), and is added up beside them (Ogita, Rump and Oishi 2005, Accurate Sum and Dot Product,
    doi:10.1137/030601818).
    """
    sums: Array = np.cumsum(terms, axis=1)
    before, added = sums[:, :-1], terms[:, 1:]
    with np.errstate(invalid="ignore"):  # nothing is rounded off from infinity
        back = sums[:, 1:] - before
        lost = (before - (sums[:, 1:] - back)) + (added - back)
    sums[:, 1:] += np.cumsum(np.where(np.isfinite(lost), lost, 0), axis=1)
    return sums


def instructions() -> str:
    """Return the name of the highest level of instructions that NumPy uses here; '' if it does not say."""
    compiled = sys.modules.get("numpy._core._multiarray_umath")  # which NumPy has loaded
    features: Mapping[str, bool] = getattr(compiled, "__cpu_features__", {})
    levels = [*getattr(compiled, "__cpu_baseline__", ()), *getattr(compiled, "__cpu_dispatch__", ())]
    used = [name for name in levels if features.get(name)]
    return str(used[-1]) if used else ""
