"""JSON that every parser takes: a number that is not finite is null, and "nonfinite" says which it was."""

import json
import math
from collections.abc import Mapping
from typing import Any


def strict(value: Any, path: str = "", found: dict[str, str] | None = None) -> Any:
    """Replace numbers that are not finite by None, noting in `found` which they were."""
    if isinstance(value, float) and not math.isfinite(value):
        if found is not None:
            found[path] = repr(value)
        return None
    if isinstance(value, Mapping):
        return {key: strict(item, f"{path}.{key}" if path else str(key), found) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item, f"{path}.{index}", found) for index, item in enumerate(value)]
    return value


def strict_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with None for what is not finite, and the key "nonfinite" if there was any."""
    found: dict[str, str] = {}
    clean: dict[str, Any] = strict(record, "", found)
    return clean | {"nonfinite": found} if found else clean


# Made once: json.dumps makes an encoder at each call that is not all defaults.
_ENCODERS = {indent: json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent) for indent in (None, 2)}


def strict_json(record: Mapping[str, Any], indent: int | None = None) -> str:
    """A record as JSON text, on one line or indented by 2."""
    encoder = _ENCODERS[indent]
    try:
        return encoder.encode(record)
    except ValueError:  # something is not finite, which is rare
        return encoder.encode(strict_record(record))
