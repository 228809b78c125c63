"""JSON that every parser accepts: a number that is not finite becomes null, and "nonfinite" says which one it was."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any


def strict(value: Any, path: str = "", found: dict[str, str] | None = None) -> Any:
    """Return `value` with None for numbers that are not finite; `found` gets their paths and their text."""
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
    """Return a record with None for numbers that are not finite, and with the key "nonfinite" if there were any."""
    nonfinite: dict[str, str] = {}
    clean: dict[str, Any] = strict(record, "", nonfinite)
    return clean | {"nonfinite": nonfinite} if nonfinite else clean


def restored(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record that was read from JSON with the numbers again that "nonfinite" says."""
    found = record.get("nonfinite")
    for path, text in found.items() if isinstance(found, dict) else ():
        *way, last = path.split(".")
        place: Any = record
        try:
            for key in way:
                place = place[int(key)] if isinstance(place, list) else place[key]
            place[int(last) if isinstance(place, list) else last] = float(text)
        except (KeyError, IndexError, ValueError, TypeError):
            continue  # a file that nobody has to believe
    return record


# Made once: json.dumps makes an encoder at each call that has any options.
_ENCODERS = {indent: json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=indent) for indent in (None, 2)}


def strict_json(record: Mapping[str, Any] | Sequence[Mapping[str, Any]], indent: int | None = None) -> str:
    """Return a record, or a list of records, as JSON text, on one line or indented by 2."""
    encoder = _ENCODERS[indent]
    try:
        return encoder.encode(record)
    except ValueError:  # some number is not finite, which is rare
        strict = strict_record(record) if isinstance(record, Mapping) else [strict_record(one) for one in record]
        return encoder.encode(strict)
