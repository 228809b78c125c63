"""Slices and intervals in words and tables."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from losscli.measurement.result import Result
from losscli.render.table import Table
from losscli.render.text import against, number
from losscli.wording import listing

if TYPE_CHECKING:
    from losscli.measurement.slices import Interval, Slice

SHOWN = 30
"""The most slices of a column that a table shows."""
NAMED = 8
"""The most slices that a sentence names."""
EMPTY = "(empty)"
"""The name of the slice of empty and missing cells, for people."""
ALL = "(all)"
"""The first row of a table of slices: all samples."""


def facts(result: Result, digits: int | None) -> list[tuple[str, str]]:
    """Return the interval of a value, and of statistics that follow from it, as facts; none if there are no intervals."""
    if result.interval is None or result.confidence is None:
        return []
    name = f"{100 * result.confidence:g} % interval"
    found = [(name, words(result.interval, digits))]
    if result.interval.undefined is None:
        found += [(f"{name} of {key}", words(one, digits)) for key, one in result.intervals.items()]
    return found


def words(interval: "Interval", digits: int | None) -> str:
    """Return an interval as 'LOW to HIGH', or why there is none."""
    if interval.undefined is not None:
        return f"undefined: {interval.undefined}"
    return f"{number(interval.low, digits)} to {number(interval.high, digits)}"


def verdicts(requirements: Sequence[Mapping[str, Any]], digits: int | None) -> list[tuple[str, str]]:
    """Return requirements as facts: each whether it is met; those of slices together, with the slices that do not meet them."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in requirements:
        option = "require-each" if "slice" in entry else "require"
        found.setdefault(f"{option} {entry['require']}", []).append(entry)
    return [
        (
            name,
            _of_slices(entries, digits)
            if "slice" in entries[0]
            else f"{_verdict(entries[0])} ({_actual(entries[0], digits)})",
        )
        for name, entries in found.items()
    ]


def _of_slices(entries: Sequence[Mapping[str, Any]], digits: int | None) -> str:
    unmet = [entry for entry in entries if not entry["met"]]
    if not unmet:
        return f"met by all {len(entries):,} slices"
    several = len({entry["by"] for entry in entries}) > 1
    named = [f"{entry['by']} = {shown(entry['slice'])}" if several else shown(entry["slice"]) for entry in unmet]
    listed = listing((f"{name} ({_actual(entry, digits)})" for name, entry in zip(named, unmet, strict=True)), NAMED)
    return f"NOT MET by {len(unmet):,} of {len(entries):,} slices: {listed}"


def _verdict(entry: Mapping[str, Any]) -> str:
    return "met" if entry["met"] else "NOT MET"


def _actual(entry: Mapping[str, Any], digits: int | None) -> str:
    if entry["actual"] is None and "slice" in entry:
        return "undefined"
    return against(entry["actual"], float(entry["require"].split()[-1]), digits)


def shown(name: str) -> str:
    """Return the name of a slice for people."""
    return name or EMPTY


def tables(results: Mapping[str, Result], digits: int | None) -> list[Table]:
    """Return a table for each column of --by: a row for all samples, and one for each slice.

    Parameters
    ----------
    results
        the results of losses of the same files, by what the columns of their values are called.
    """
    first = next(iter(results.values()))
    if first.slices is None:
        return []
    return [_table(results, column, digits) for column in first.slices.labels]


def _table(results: Mapping[str, Result], column: str, digits: int | None) -> Table:
    by_name = {
        key: {one.name: one for one in result.slices.of(column)} for key, result in results.items() if result.slices
    }
    first = next(iter(by_name.values()))
    shown_slices = list(first)[:SHOWN]
    rows = [_all_samples(column, results, digits)]
    for name in shown_slices:
        unmet = [
            entry["require"]
            for result in results.values()
            for entry in result.requirements
            if not entry["met"] and (entry.get("by"), entry.get("slice")) == (column, name)
        ]
        of_losses = {key: found[name] for key, found in by_name.items() if name in found}
        rows.append(_row(column, first[name], of_losses, unmet, digits))
    if not any(row["note"] for row in rows):
        rows = [{key: value for key, value in row.items() if key != "note"} for row in rows]
    left = len(first) - len(shown_slices)
    more = f"; {left:,} more with smaller values, which --format json has" if left else ""
    confidence = next(iter(results.values())).confidence
    intervals = "" if confidence is None else f", with {100 * confidence:g} % intervals"
    numbers = tuple(key for key in rows[0] if key not in (column, "note"))
    less = ("weight", *(key for key in numbers if key.startswith("interval")))
    from losscli.engine.resampling import LEAST_ROWS

    few = f"; few samples: fewer than {LEAST_ROWS}" if any("few samples" in row.get("note", "") for row in rows) else ""
    return Table(f"slices by {column}{intervals}{few}{more}", rows, less, ("note",), numbers)


def _all_samples(column: str, results: Mapping[str, Result], digits: int | None) -> dict[str, Any]:
    """Return the first row of a table, which is of all samples."""
    first = next(iter(results.values()))
    row: dict[str, Any] = {column: ALL, "samples": f"{first.samples:,}"}
    if first.slices is not None and any(one.weight is not None for one in first.slices.found):
        row["weight"] = number(sum(one.weight or 0.0 for one in first.slices.of(column)), digits)
    for key, result in results.items():
        row[key] = number(result.value, digits)
        if result.interval is not None:
            row[_interval_name(key, results)] = _ends(result.interval, digits)
    return row | {"note": ""}


def _row(
    column: str, one: "Slice", of_losses: "Mapping[str, Slice]", unmet: Sequence[str], digits: int | None
) -> dict[str, Any]:
    row: dict[str, Any] = {column: shown(one.name), "samples": f"{one.samples:,}"}
    if one.weight is not None:
        row["weight"] = number(one.weight, digits)
    for key, found in of_losses.items():
        row[key] = number(found.value, digits)
        if found.interval is not None:
            row[_interval_name(key, of_losses)] = _ends(found.interval, digits)
    notes = ["few samples"] if one.few else []
    notes += [one.undefined] if one.undefined is not None else []
    notes += [f"NOT MET: {text}" for text in unmet]
    return row | {"note": "; ".join(notes)}


def _interval_name(key: str, results: Mapping[str, Any]) -> str:
    return "interval" if len(results) == 1 else f"interval of {key}"


def _ends(interval: "Interval", digits: int | None) -> str:
    return "-" if interval.undefined is not None else words(interval, digits)
