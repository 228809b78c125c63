"""The weighted sum of several losses as facts and a table of its terms."""

from losscli.lookup.spec import spec
from losscli.measurement.sums import Summed, contribution
from losscli.render.text import Laid, number


def laid_out(found: Summed, full: bool) -> Laid:
    """Return a sum as a title, facts and tables; `full` says whether numbers have all digits."""
    facts = [("loss", found.loss), ("value", number(found.value, full))]
    for entry in found.requirements:
        verdict = "met" if entry["met"] else "NOT MET"
        facts.append((f"require {entry['require']}", f"{verdict} ({number(entry['actual'], full)})"))
    rows = [
        {
            "term": spec(term.request.loss),
            "weight": number(term.weight, full),
            "value": number(result.value, full),
            "contribution": number(contribution(term, result), full),
            "reduction": result.reduction,
            "samples": f"{result.samples:,}" + (f" ({result.ignored:,} ignored)" if result.ignored else ""),
        }
        for term, result in zip(found.terms, found.results, strict=True)
    ]
    return found.loss, [*facts, ("signature", found.signature)], [("terms", rows)]
