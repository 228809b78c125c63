"""Records of results that were saved as JSON: their numbers, and by which conventions they were computed."""

import re
from collections.abc import Mapping
from typing import Any


def statistics(record: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the numbers of a measurement by their names in requirements: value, those of the summary, those of the terms."""
    found: dict[str, Any] = {"value": record.get("value")}
    found |= {key: record[key] for key in ("samples", "ignored") if key in record}
    summary, terms = record.get("summary"), record.get("terms")
    found |= dict(summary) if isinstance(summary, Mapping) else {}
    found |= {
        str(term["name"]): term.get("value") for term in terms or () if isinstance(term, Mapping) and "name" in term
    }
    return {name: _number(value) for name, value in found.items()}


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
