"""Records of results that were saved as JSON: their numbers, and by which conventions they were computed."""

import re
from collections.abc import Mapping
from typing import Any

SLICED = ("value", "samples")
"""The numbers of slices that are followed; their other statistics would be too many."""


def statistics(record: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the numbers of a measurement by their names: value, those of the summary, of the terms, and of the slices.

    Terms have their own names, and slices names such as 'value of region = north'.
    """
    found: dict[str, Any] = {"value": record.get("value")}
    found |= {key: record[key] for key in ("samples", "ignored") if key in record}
    summary = record.get("summary")
    found |= dict(summary) if isinstance(summary, Mapping) else {}
    found |= {str(term["name"]): term.get("value") for term in _records(record, "terms") if "name" in term}
    for one in _records(record, "by"):
        of = f"of {one.get('column')} = {one.get('slice') or '(empty)'}"
        found |= {f"{name} {of}": one[name] for name in SLICED if name in one}
    return {name: _number(value) for name, value in found.items()}


def _records(record: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the records in a list of a record; none if there is no such list."""
    listed = record.get(key)
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def without_version(signature: str) -> str:
    """Return a signature without the version, which may differ between two results that can be compared."""
    return re.sub(r"\|losscli:[^| ]*", "", signature)


def differing(before: str, now: str) -> str:
    """Return the parts in which two signatures differ, as 'dtype:float32 -> dtype:float64'."""
    parts = [signature.split("|") for signature in (before, now)]
    gone, new = ([part for part in parts[i] if part not in parts[1 - i]] for i in (0, 1))
    return f"{'|'.join(gone) or 'nothing'} -> {'|'.join(new) or 'nothing'}"
