"""What all results have in common: they show themselves as the tables of the commands, and may be required to be good enough."""

from collections.abc import Sequence
from typing import Any


class RequirementError(AssertionError):
    """A result does not meet a requirement. The message says which and what the number is, and shows the result's table."""


RequirementError.__module__ = "losscli"  # the name under which it is known, and which pytest shows


class Shown:
    """A result that is the command's table where it is printed, at the prompt of Python, and in notebooks."""

    def __str__(self) -> str:
        from losscli.render.shown import text  # for people only; nothing else climbs from here to the rendering

        return text(self)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from losscli.render.shown import html

        return html(self)


def _of(entry: dict[str, Any]) -> str:
    """Return of which slice a requirement is, in words; '' for the whole."""
    return f" of {entry['by']} = {entry['slice']!r}" if "slice" in entry else ""


def refuse_unmet(result: object, entries: Sequence[dict[str, Any]]) -> None:
    """Raise a RequirementError unless all entries of requirements are met; `result` is what they are about.

    Each entry has 'require', 'met' and 'actual', as in JSON.
    """
    __tracebackhide__ = True  # pytest then shows the line of the test, and not this one
    if all(entry["met"] for entry in entries):
        return
    entries = sorted(entries, key=lambda entry: bool(entry["met"]))  # pytest's summary shows the first line only
    lines = [
        f"{entry['require']}{_of(entry)}: {'met' if entry['met'] else 'NOT MET'} ({entry['actual']})"
        for entry in entries
    ]
    raise RequirementError("\n".join([*lines, "", str(result)]))
