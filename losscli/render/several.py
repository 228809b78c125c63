"""Several results of the same files beside each other: one column for each loss."""

from losscli.engine.reduction import REDUCTIONS
from losscli.measurement.several import Several
from losscli.render import slices
from losscli.render.result import facts_of
from losscli.render.table import Table
from losscli.render.text import Laid


def laid_out(found: Several, digits: int | None) -> Laid:
    """Return results as a title, facts and tables; `digits` is how many digits numbers have, None for all."""
    columns = {name: dict(facts_of(result, digits)) for name, result in found.results.items()}
    names = list(dict.fromkeys(fact for facts in columns.values() for fact in facts))
    left_out = {"loss", *(REDUCTIONS[result.reduction].formula for result in found.results.values())}
    rows = [
        {"": fact} | {name: _short(fact, facts.get(fact, "")) for name, facts in columns.items()}
        for fact in names
        if fact not in left_out and not fact.startswith(("require ", "require-each "))
    ]
    verdicts = slices.verdicts(found.requirements, digits)
    signatures = [(f"signature of {name}", result.signature) for name, result in found.results.items()]
    tables = [Table("losses", rows, numbers=tuple(columns)), *slices.tables(found.results, digits)]
    return ", ".join(found.results), [*verdicts, *signatures], tables


def _short(fact: str, value: str) -> str:
    """Return a value without what is said of a baseline in brackets, which is as wide as many numbers; JSON has all of it."""
    return value.partition(" (")[0] if fact in ("baseline", "skill") else value


def to_value(found: Several) -> str:
    """Return the bare numbers, one per line, in the order of the losses."""
    return "".join(f"{result.value!r}\n" for result in found.results.values())
