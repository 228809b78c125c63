"""Numbers of types that NumPy does not have: bfloat16 and the floats of 8 bits. Each is exactly a float32."""

from collections.abc import Callable
from functools import cache

import numpy as np

from losscli.arrays import Array


def _bfloat16(stored: Array) -> Array:
    # The upper half of a float32.
    return (stored.astype(np.uint32) << 16).view(np.float32)


def _float8_e5m2(stored: Array) -> Array:
    # The upper half of a float16.
    return (stored.astype(np.uint16) << 8).view(np.float16).astype(np.float32)


def _float8_e4m3(stored: Array) -> Array:
    numbers: Array = _of_four_bits()[stored]
    return numbers


@cache
def _of_four_bits() -> Array:
    """Return the number of each byte: 1 bit of sign, 4 of exponent, 3 of fraction, no infinities, and one NaN."""
    code = np.arange(256)
    exponent, fraction = code >> 3 & 15, code & 7
    size = np.where(exponent, (8 + fraction) * 2.0 ** (exponent - 10.0), fraction * 2.0**-9)
    size[code & 127 == 127] = np.nan
    return np.where(code & 128, -size, size).astype(np.float32)


ENCODINGS: dict[str, tuple[np.dtype, Callable[[Array], Array]]] = {
    "bfloat16": (np.dtype("<u2"), _bfloat16),
    "float8_e5m2": (np.dtype("u1"), _float8_e5m2),
    "float8_e4m3": (np.dtype("u1"), _float8_e4m3),
}
"""Name -> the whole numbers as which such numbers are stored, and the function that makes float32 of them."""


def decoded(stored: Array, encoding: str | None) -> Array:
    """Return the numbers that whole numbers stand for; None says that they stand for themselves."""
    return stored if encoding is None else ENCODINGS[encoding][1](stored)
