"""Several results of the same files beside each other: one column for each loss."""

from collections.abc import Mapping
from typing import Any

from losscli.measurement.several import Several
from losscli.render.result import facts_of
from losscli.render.text import Laid, number


def laid_out(found: Several, full: bool) -> Laid:
    """Return results as a title, facts and tables; `full` says whether numbers have all digits."""
    columns = {name: dict(facts_of(result, full)) for name, result in found.results.items()}
    names = list(dict.fromkeys(fact for facts in columns.values() for fact in facts))
    rows = [
        {"": fact} | {name: facts.get(fact, "") for name, facts in columns.items()}
        for fact in names
        if fact != "loss" and not fact.startswith("require ")
    ]
    verdicts = [(f"require {entry['require']}", _verdict(entry, full)) for entry in found.requirements]
    signatures = [(f"signature of {name}", result.signature) for name, result in found.results.items()]
    return ", ".join(found.results), [*verdicts, *signatures], [("losses", rows)]


def _verdict(entry: Mapping[str, Any], full: bool) -> str:
    return f"{'met' if entry['met'] else 'NOT MET'} ({number(entry['actual'], full)})"


def to_value(found: Several) -> str:
    """Return the bare numbers, one per line, in the order of the losses."""
    return "".join(f"{result.value!r}\n" for result in found.results.values())
