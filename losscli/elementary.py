"""Elementary functions from additions, multiplications and divisions.

Those are rounded correctly, so they are the same bits on every processor; NumPy's own functions are not, as their
digits depend on the level of instructions. And where NumPy has no vectorized version, these are ten times as fast: a
pass of basic arithmetic over a block in the cache takes about 0.1 ns an element, and log1p of libm 17 ns.
"""

import math
from typing import Any, overload

import numpy as np

from losscli.arrays import Array, scratch
from losscli.records import NamedTuple

LN2 = math.log(2)
BLOCK_BYTES = 1 << 19
"""Bytes that are computed at once: their intermediate results stay in the cache. With less, threads wait for each other too often:
Python's lock changes hands with each operation.
"""


class _Format(NamedTuple):
    """What a function needs to know of a float's format."""

    integer: Any
    """The integers that have the same bits."""
    sign: int
    """The place of the sign's bit."""
    digits: int
    """Bits of the significand that are stored."""
    series: tuple[float, ...]
    """R(z) / z as a polynomial; see `_near_zero`. The coefficients have the least largest error for z up to 1/9
    (Remez's exchange in 60 digits): 2^-26.7 for float32, and 2^-58.4 for float64, at most a tenth of a unit of the result.
    """
    ln2: tuple[float, float]
    """ln 2 as a sum of two floats, the first of which has so few digits that its product with an exponent is exact."""
    huge: float
    """Numbers beyond it are divided first."""


FORMATS = {
    np.dtype(np.float32): _Format(
        np.int32,
        31,
        23,
        (0.66666413133533693083, 0.40021698983461319343, 0.27999142349036938476, 0.28024453096035323041),
        (0.693145751953125, 1.4286067653301e-06),
        2.0**120,
    ),
    np.dtype(np.float64): _Format(
        np.int64,
        63,
        52,
        (
            0.66666666666666303779,
            0.40000000000157247603,
            0.28571428547853423082,
            0.22222223969758854726,
            0.18181743923883551939,
            0.15386559947040293098,
            0.13300973251349827996,
            0.12106089018919692104,
            0.083400890923270575731,
            0.17018598677071611049,
        ),
        (0.69314718036912381649, 1.9082149292705877e-10),
        2.0**1000,
    ),
}


@overload
def log1p(x: Array, out: Array | None = None) -> Array: ...
@overload
def log1p(x: float) -> float: ...
def log1p(x: Any, out: Array | None = None) -> Any:
    """Return log(1 + x) with an error below 2 units in the last place, the same bits on every processor.

    Takes and returns arrays of any shape of float32 or float64; `out`, which may be x itself, must be contiguous. Other
    types are left to NumPy, which computes long doubles and whole numbers on every processor alike. Nothing warns: log1p(-1)
    is -inf, and of less than that NaN.
    """
    given = np.asarray(x)
    form = FORMATS.get(given.dtype)
    with np.errstate(all="ignore"):
        if form is None:
            return np.log1p(x, out=out)
        result = np.empty(given.shape, given.dtype) if out is None else out
        source, target = given.reshape(-1), result.reshape(-1)
        block = BLOCK_BYTES // given.itemsize
        memory = scratch("log1p", (5, block), given.dtype)
        for start in range(0, source.size, block):
            part = source[start : start + block]
            _log1p(part, target[start : start + block], memory[:, : part.size], form)
    return result if given.ndim or out is not None else result[()]


def _log1p(x: Array, out: Array, memory: Array, form: _Format) -> None:
    """Write log1p of a block into `out`. Which way a block takes does not change the digits of an element."""
    least, most = x.min(), x.max()
    if least >= -0.25 and most <= 1:
        _near_zero(x, out, memory, form)
    elif least > -1 and most < form.huge:
        _anywhere(x, out, memory, form)
    else:
        huge = x > form.huge  # 1 + x is x, and the power of two by which x is divided would be no normal number
        ends, value = np.where(x == -1, -np.inf, np.nan), np.empty_like(x)
        _anywhere(np.where(huge, x * x.dtype.type(2.0**-60), x), value, memory, form)
        value[huge] += x.dtype.type(60 * LN2)
        np.copyto(out, np.where(x == np.inf, x, np.where(x > -1, value, ends)))


def _near_zero(f: Array, out: Array, memory: Array, form: _Format) -> None:
    """Write log1p(f) of f from -1/2 to 1 into `out`.

    log1p(f) is 2 atanh(s) for s = f / (2 + f), which is s (2 + R) with R = 2 s^2 / 3 + 2 s^4 / 5 + ... Since 2 s is f - s f, it is
    f - s (f - R), whose first term is exact: only the second, smaller one has rounding errors (as in FDLIBM's log1p).
    """
    s, z, r = memory[:3]
    np.add(f, 2, out=s)
    np.divide(f, s, out=s)
    np.multiply(s, s, out=z)
    np.multiply(z, form.series[-1], out=r)
    for coefficient in form.series[-2::-1]:
        np.add(r, coefficient, out=r)
        np.multiply(r, z, out=r)
    np.subtract(f, r, out=r)
    np.multiply(r, s, out=r)
    np.subtract(f, r, out=out)


def _anywhere(x: Array, out: Array, memory: Array, form: _Format) -> None:
    """Write log1p into `out` as k ln 2 + log1p(f) with 1 + x = 2^k (1 + f); f is from -1/2 to 1, and k as near to 0 as can be."""
    one, (high, low) = x.dtype.type(1).view(form.integer), form.ln2
    k, f, scale = memory[3].view(form.integer), memory[4], memory[0]
    np.add(x, 1, out=memory[3])
    k -= one + 1
    k >>= form.digits
    np.right_shift(k, form.sign, out=scale.view(form.integer))
    k -= scale.view(form.integer)
    np.left_shift(k, form.digits, out=scale.view(form.integer))
    np.subtract(one, scale.view(form.integer), out=scale.view(form.integer))
    np.multiply(x, scale, out=f)
    scale -= 1
    f += scale  # rounded once
    _near_zero(f, f, memory, form)
    exponent, part = memory[:2]
    np.copyto(exponent, k, casting="unsafe")
    np.multiply(exponent, low, out=part)
    f += part
    exponent *= high
    f += exponent
    np.copysign(f, x, out=out)  # 0 has lost its sign
