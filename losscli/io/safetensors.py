"""safetensors files: one of their tensors, by its key, read where it lies.

Such a file is the length of a header, the header in JSON, and the tensors' bytes, one after another.
"""

import json
import math
from typing import Any

import numpy as np

from losscli.errors import DataError
from losscli.io.bytes import Raw
from losscli.io.encoded import ENCODINGS
from losscli.io.format import Content, Named
from losscli.io.npy import NpySource, check_axes
from losscli.io.recognised import MOST_HEADER
from losscli.records import NamedTuple
from losscli.wording import count, did_you_mean, fault_of, listing

DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
}
ENCODED = {"BF16": "bfloat16", "F8_E5M2": "float8_e5m2", "F8_E4M3": "float8_e4m3"}
METADATA = "__metadata__"


class Tensor(NamedTuple):
    """An entry of the header: the type and shape of a tensor, and between which bytes of the file it lies."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def open_safetensors(where: Named) -> Content:
    """Open the tensor that `where.part` names, or the only one.

    Raises
    ------
    DataError
        if the file is damaged, or it is not clear which tensor is meant.
    """
    tensors = _header(where.name, where.raw)
    if where.part is None and len(tensors) != 1:
        held = f"{count(len(tensors), 'tensor')} ({listing(tensors)})" if tensors else "no tensor"
        raise DataError(f"{where.name}: holds {held}; say which, as {where.name}:KEY")
    key = where.part if where.part is not None else next(iter(tensors))
    if key not in tensors:
        hint = did_you_mean(key, tensors)
        raise DataError(f"{where.name}: no tensor {key!r}; its tensors: {listing(tensors)}{hint}")
    name, tensor = f"{where.name}:{key}" if where.part is not None else where.name, tensors[key]
    check_axes(tensor.shape, name)
    if tensor.dtype not in DTYPES and tensor.dtype not in ENCODED:
        raise DataError(f"{name}: dtype {tensor.dtype} is not read; save it as float32")
    encoding = ENCODED.get(tensor.dtype)
    stored = np.dtype(DTYPES[tensor.dtype]) if encoding is None else ENCODINGS[encoding][0]
    dtype = stored.newbyteorder("=") if encoding is None else np.dtype(np.float32)
    return NpySource(name, where.raw, tensor.shape, dtype, stored, False, tensor.start, encoding=encoding)


def _header(name: str, raw: Raw) -> dict[str, Tensor]:
    """Return the tensors of a file, by their keys; raise a DataError if the header contradicts itself or the file."""
    size = int.from_bytes(raw.read(0, min(8, raw.size)), "little")
    if raw.size < 8 or size > min(MOST_HEADER, raw.size - 8):
        raise _damaged(name, f"its header would have {size:,} bytes, and the file has {raw.size:,}")
    try:
        entries = json.loads(raw.read(8, size), object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise _damaged(name, f"its header is not JSON: {fault_of(error)}") from error
    if not isinstance(entries, dict):
        raise _damaged(name, "its header is no JSON object")
    begin = 8 + size
    tensors = {key: _tensor(name, key, entry, begin) for key, entry in entries.items() if key != METADATA}
    end = begin
    for key, tensor in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].stop)):
        if tensor.start < end:
            raise _damaged(name, f"the bytes of {key!r} are those of another tensor too")
        if tensor.stop > raw.size:
            raise _damaged(
                name, f"{key!r} ends at byte {tensor.stop:,}, and the file has {raw.size:,}: was it cut off?"
            )
        end = tensor.stop
    return tensors


def _tensor(name: str, key: str, entry: Any, begin: int) -> Tensor:
    """Return an entry of the header, after a look at the types of its fields and at the number of its bytes."""
    fields = entry if isinstance(entry, dict) else {}
    dtype: Any
    shape: Any
    offsets: Any
    dtype, shape, offsets = (fields.get(word) for word in ("dtype", "shape", "data_offsets"))
    if not (isinstance(dtype, str) and _are_lengths(shape) and _are_lengths(offsets) and len(offsets) == 2):
        raise _damaged(name, f"the header says of {key!r}: {str(entry)[:100]}")
    start, stop = offsets
    size = ENCODINGS[ENCODED[dtype]][0].itemsize if dtype in ENCODED else np.dtype(DTYPES.get(dtype, "u1")).itemsize
    known = dtype in ENCODED or dtype in DTYPES
    if start > stop or (known and stop - start != math.prod(shape) * size):
        raise _damaged(name, f"{key!r} of shape {tuple(shape)} and dtype {dtype} has the bytes {start:,} to {stop:,}")
    return Tensor(dtype, tuple(shape), begin + start, begin + stop)


def _are_lengths(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(type(number) is int and 0 <= number < 2**62 for number in numbers)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a key stands in it twice")
    return entries


def _damaged(name: str, why: str) -> DataError:
    return DataError(f"{name}: not a safetensors file that can be read ({why}); save it again")
