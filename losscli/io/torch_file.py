"""Files of torch.save: a tensor, or one of several by its key. PyTorch itself reads them, without running what is in them."""

import io
import warnings
from typing import Any

from losscli.errors import DataError
from losscli.io.format import Content, Named
from losscli.io.memory import source_of
from losscli.wording import count, did_you_mean, listing

BY_NUMPY = "numpy.save(file, tensor.detach().cpu().numpy())"


def open_torch(where: Named) -> Content:
    """Open the tensor that `where.part` names, or the only one.

    Raises
    ------
    DataError
        if PyTorch is not installed, the file holds other objects than tensors, or it is not clear which tensor is meant.
    """
    held = _loaded(where)
    if _is_tensor(held):
        return source_of(where.name, held)
    tensors = {str(key): value for key, value in _entries(held) if _is_tensor(value)}
    if where.part is None and len(tensors) == 1:
        return source_of(where.name, next(iter(tensors.values())))
    if where.part is None or not tensors:
        what = f"{count(len(tensors), 'tensor')} ({listing(tensors)}); say which, as {where.name}:KEY"
        none = f"a {type(held).__name__} without tensors; save the tensor itself, with torch.save(tensor, file)"
        raise DataError(f"{where.name}: holds {what if tensors else none}")
    if where.part not in tensors:
        hint = did_you_mean(where.part, tensors)
        raise DataError(f"{where.name}: no tensor {where.part!r}; its tensors: {listing(tensors)}{hint}")
    return source_of(f"{where.name}:{where.part}", tensors[where.part])


def _loaded(where: Named) -> Any:
    """Return what torch.save was given."""
    try:
        import torch
    except ImportError as error:
        raise DataError(
            f"{where.name}: a file of PyTorch, which is not installed; pip install torch, or save it with {BY_NUMPY}"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that older versions wrote
            held = torch.load(
                where.raw.location or io.BytesIO(where.raw.read(0, where.raw.size)),
                map_location="cpu",
                weights_only=True,
            )
    except Exception as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        more = "Unsupported" in str(error) or "Weights only load failed" in first
        why = "it holds more than tensors, which could run code" if more else first
        raise DataError(
            f"{where.name}: not a file of tensors that PyTorch can read ({why}); save it with {BY_NUMPY}"
        ) from error
    where.raw.check()
    return held


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "shape")


def _entries(held: Any) -> list[tuple[Any, Any]]:
    """Return the entries of a dict, or of a list by their numbers."""
    if isinstance(held, dict):
        return list(held.items())
    return list(enumerate(held)) if isinstance(held, list | tuple) else []
