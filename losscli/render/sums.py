"""The weighted sum of several losses as facts and a table of its terms."""

from losscli.lookup.spec import spec
from losscli.measurement.sums import Summed, contribution
from losscli.render.table import Table
from losscli.render.text import Laid, against, number


def laid_out(found: Summed, digits: int | None) -> Laid:
    """Return a sum as a title, facts and tables; `digits` is how many digits numbers have, None for all."""
    facts = [("loss", found.loss), ("value", number(found.value, digits))]
    for entry in found.requirements:
        verdict = "met" if entry["met"] else "NOT MET"
        actual = against(entry["actual"], float(entry["require"].split()[-1]), digits)
        facts.append((f"require {entry['require']}", f"{verdict} ({actual})"))
    rows = [
        {
            "term": spec(term.request.loss),
            "weight": number(term.weight, digits),
            "value": number(result.value, digits),
            "contribution": number(contribution(term, result), digits),
            "reduction": result.reduction,
            "samples": f"{result.samples:,}" + (f" ({result.ignored:,} ignored)" if result.ignored else ""),
        }
        for term, result in zip(found.terms, found.results, strict=True)
    ]
    return found.loss, [*facts, ("signature", found.signature)], [Table("terms", rows, less=("samples", "reduction"))]
