"""A comparison of models as a table."""

import math
from typing import TYPE_CHECKING, Any

from losscli.wording import count, listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from losscli.analysis.compare import Compared, Comparison, Estimate, Infinite
    from losscli.render.text import Laid

MOST_DECIMALS = 8
MANY = 1e6
"""Numbers with more decimals than these, or as large as these, are read in powers of ten."""
MOST_OF_INFINITE = 5
"""The most classes whose rows with infinite losses are counted in a line."""
MOST_CLASSES = 20
"""The most classes that a table shows: those that became worst, and those that became best."""


def laid_out(found: "Compared", digits: int | None) -> "Laid":
    """Return a comparison as a title, facts and tables."""
    from losscli.render.table import Table
    from losscli.render.text import number

    receipt, terms = found.first.measurement.receipt, found.terms
    facts = [("loss", receipt["loss"]), *_as_library(receipt)]
    facts.append(("A", _model(found.first.name, found.comparisons[0].values[0], digits)))
    tables: list[Table] = []
    several = len(found.comparisons) > 1
    if several:
        tables.append(Table("models, the smallest mean loss first", _ranked(found), ("change",), numbers=("change",)))
    for letter, comparison in lettered(found):
        own = _facts(letter, comparison, found, digits)
        # Of several comparisons each has its own interval, p and so on, under a name of its own.
        facts += [*own[:2], *((f"{letter}: {name}" if several else name, value) for name, value in own[2:])]
        if comparison.infinite is not None:
            title = f"{letter} against A: rows with an infinite loss, the first of each model"
            tables.append(Table(title, _endless(comparison.infinite), ("sample", "target"), ("why",)))
        if comparison.classes:
            title = f"{letter} against A, by class (mean difference, without weights)"
            numbers = ("difference", "low", "high")
            tables.append(Table(title, _some(comparison.classes), ("rows", ("low", "high")), numbers=numbers))
        for rows, words in ((comparison.worse, "worse"), (comparison.better, "better")):
            tables.append(Table(f"{letter}: rows that became {words}", rows, ("target",)))
    facts.append(("margin", number(terms.margin, digits)))
    facts.append(
        ("method", f"paired bootstrap (BCa), {terms.resamples:,} resamples; sign-flip permutations; seed {terms.seed}")
    )
    return receipt["loss"], facts, tables


def _ranked(found: "Compared") -> list[dict[str, Any]]:
    """Return all models as rows of a table, the one with the smallest mean loss first."""
    rows: list[dict[str, Any]] = [
        {"": "A", "model": found.first.name, "mean": found.first.value, "change": "", "verdict": ""}
    ]
    for letter, one in lettered(found):
        share = f"{100 * one.relative:+.3g} %" if math.isfinite(one.relative) else "-"
        rows.append({"": letter, "model": one.model, "mean": one.values[1], "change": share, "verdict": one.verdict})
    return sorted(rows, key=lambda row: float(row["mean"]))


def lead(found: "Compared") -> tuple[str, str, str]:
    """Return the verdicts, what they follow from, and whether that is 'good', 'bad' or neither, ''."""
    verdicts = {one.verdict for one in found.comparisons}
    words = ", ".join(f"{letter} is {one.verdict}" for letter, one in lettered(found))
    why = _reason("B", found.comparisons[0], found) if len(found.comparisons) == 1 else "each against A"
    return words, why, "bad" if "worse" in verdicts else "good" if verdicts <= {"better", "better or equal"} else ""


def lettered(found: "Compared") -> "Iterator[tuple[str, Comparison]]":
    """Yield the letter of each model after A, and its comparison."""
    return zip("BCDEFGHIJKLMNOPQRSTUVWXYZ" * 100, found.comparisons, strict=False)


def decided(found: "Compared") -> tuple[str, str]:
    """Return the last line of a comparison that fails on a verdict, and how a terminal shows it; '' and '' without --fail-if."""
    gate = found.terms.fail_if
    if gate is None:
        return "", ""
    verdicts = "; ".join(f"{letter} is {comparison.verdict}" for letter, comparison in lettered(found))
    if len(found.comparisons) == 1:
        verdicts += f": {_reason('B', found.comparisons[0], found)}"
    word = "UNDEFINED" if found.undefined else "FAILED" if found.fails() else "passed"
    models = f"A is {found.first.name}, " + ", ".join(f"{letter} is {one.model}" for letter, one in lettered(found))
    style = {"passed": "bold green", "FAILED": "bold red"}.get(word, "bold yellow")
    return f"{word} (--fail-if {gate}): {verdicts} ({models})", style


def _as_library(receipt: "Mapping[str, Any]") -> list[tuple[str, str]]:
    """Return what a library does to losses, as a fact; none for losscli's own."""
    if "as" not in receipt:
        return []
    library = receipt["as"]
    conventions = "; ".join(library["conventions"]) or "nothing otherwise than losscli, per row"
    return [("as", f"{library['version']}: {conventions}")]


def _clipped(receipt: "Mapping[str, Any]") -> str:
    """Return how losses are clipped, as the end of a sentence; '' if they are not."""
    if "as" not in receipt:
        return ""
    from losscli.measurement.as_library import clipping

    words = clipping(receipt["as"]["conventions"])
    return f"; losses are clipped: {receipt['as']['library']} {', '.join(words)}" if words else ""


def _model(name: str, value: float, digits: int | None) -> str:
    """Return the name of a model and its mean loss."""
    from losscli.render.screen import whole
    from losscli.render.text import number

    return f"{whole(name)}: mean {number(value, digits)}"


def _facts(letter: str, comparison: "Comparison", compared: "Compared", digits: int | None) -> list[tuple[str, str]]:
    """Return the facts about one comparison; `letter` stands for its model."""
    from losscli.render.text import number

    relative = comparison.relative
    share = f" ({100 * relative:+.3g} %)" if math.isfinite(relative) else ""
    difference = "undefined" if math.isnan(comparison.difference) else number(comparison.difference, digits) + share
    facts = [(letter, _model(comparison.model, comparison.values[1], digits)), (f"{letter} - A", difference)]
    verdict = ("verdict", f"{comparison.verdict}: {_reason(letter, comparison, compared)}")
    if comparison.infinite is None:
        adjusted = (
            "" if comparison.adjusted is None else f", {comparison.adjusted:.4g} for all comparisons together (Holm)"
        )
        ends = f"{number(comparison.low, digits)} to {number(comparison.high, digits)}"
        if math.isnan(comparison.low):
            ends = "undefined: one row does not say how much rows differ"
        facts.append((f"{100 * compared.terms.confidence:g} % interval", ends))
        facts += [("p", f"{comparison.p:.4g}{adjusted}"), verdict]
    else:
        facts += [verdict, *_about_infinite(letter, comparison, compared)]
    smallest = _smallest(comparison, compared)
    return [
        *facts,
        *([("detectable", smallest)] if smallest else []),
        (
            "rows",
            f"{comparison.samples:,}: {comparison.wins:,} won by {letter}, {comparison.ties:,} ties, {comparison.losses:,} lost",
        ),
    ]


def _reason(letter: str, comparison: "Comparison", compared: "Compared") -> str:
    """Return in words what a verdict follows from."""
    terms, infinite = compared.terms, comparison.infinite
    if infinite is not None:
        if infinite.first and infinite.other:
            return "both means are infinite, and have no difference"
        one, other = ("A", letter) if infinite.first else (letter, "A")
        return f"the mean of {one} is infinite, and that of {other} is not"
    estimate = comparison.finite
    assert estimate is not None
    equal = comparison.verdict == "better or equal"
    rounded = equal and (estimate.low > terms.margin or estimate.high < 0)
    within = equal and estimate.low > 0 and not rounded
    return (
        _read_aloud(letter, estimate, estimate.relative, terms.confidence)
        + (f"; worse, but not by more than the margin {terms.margin:g}" if within else "")
        + (f"; no more than rounding may change, {comparison.rounding:.1g}" if rounded else "")
        + _clipped(compared.first.measurement.receipt)
    )


def _about_infinite(letter: str, comparison: "Comparison", compared: "Compared") -> list[tuple[str, str]]:
    """Return how many rows have infinite losses, of which classes, and what the other rows say."""
    infinite, finite = comparison.infinite, comparison.finite
    assert infinite is not None
    facts = [
        (
            "infinite",
            f"{infinite.first_alone:,} of A alone, {infinite.other_alone:,} of {letter} alone, {infinite.both:,} of both",
        )
    ]
    if infinite.classes:
        most = sorted(infinite.classes, key=lambda one: -(one["a"] + one["b"]))
        sides = [("A", "a")] * bool(infinite.first) + [(letter, "b")] * bool(infinite.other)
        counted = {name: [f"{one[key]:,} of {one['class']}" for one in most if one[key]] for name, key in sides}
        words = [f"{name}: {listing(counts, MOST_OF_INFINITE)}" for name, counts in counted.items()]
        facts.append(("by class", "; ".join(words)))
    if finite is not None:
        said = _read_aloud(letter, finite, finite.relative, compared.terms.confidence)
        rest = f"{finite.samples:,} of {comparison.samples:,}, without the others: {said}; p {finite.p:.4g}"
        facts.append(("finite rows", rest))
    return facts


def _smallest(comparison: "Comparison", compared: "Compared") -> str:
    """Return what difference so many rows can show, if the comparison has not found out; '' otherwise."""
    if comparison.verdict != "inconclusive" or comparison.detectable is None:
        return ""
    from losscli.analysis.compare import POWER

    share = 100 * comparison.detectable / abs(comparison.values[0]) if comparison.values[0] else math.nan
    relative = f" ({share:.2g} % of A)" if math.isfinite(share) and share < 1000 else ""
    confidence = 100 * compared.terms.confidence
    return (
        f"{count(comparison.samples, 'row')} can show a difference of about {comparison.detectable:.2g} or more{relative}, "
        f"at {confidence:g} % confidence with {100 * POWER:g} % power"
    )


def _endless(infinite: "Infinite") -> list[dict[str, Any]]:
    """Return the first rows with infinite losses as rows of a table, which all have the same columns."""
    names = dict.fromkeys(name for row in infinite.rows for name in row if name != "model")
    return [{name: row.get(name, "") for name in names} for row in infinite.rows]


def _read_aloud(letter: str, found: "Estimate", relative: float, confidence: float) -> str:
    """Return the difference and its interval as one says them: 'B is 23.7 % lower; 95 % interval -0.055 to -0.018'."""
    low, high, difference = found.low, found.high, found.difference
    # As many decimals as show the width of the interval in two digits, and on which side of 0 its ends are: more say nothing.
    width = abs(high - low)
    decimals = 1 - math.floor(math.log10(width)) if 0 < width < MANY else MOST_DECIMALS + 1
    while decimals <= MOST_DECIMALS and any(end and not round(end, decimals) for end in (low, high)):
        decimals += 1

    def rounded(value: float) -> str:
        short = f"{value:.4g}" if decimals > MOST_DECIMALS else f"{value:.{max(decimals, 0)}f}"
        return short.removeprefix("-") if not float(short) else short

    side = "lower" if difference < 0 else "higher"
    share = abs(100 * relative)
    if not difference:
        words = f"{letter} is as A"
    elif 0 < share < math.inf:
        words = f"{letter} is {f'{share:.3g}' if share < 1000 else f'{share:,.0f}'} % {side}"
    else:
        words = f"{letter} is {abs(difference):.4g} {side}"
    between = f"{100 * confidence:g} % interval {rounded(low)} to {rounded(high)}" if width == width else "no interval"
    return f"{words}; {between}"


def verdict_style(name: str, value: str) -> str:
    """How a terminal shows a verdict."""
    if name.removeprefix(f"{name[:1]}: ") in ("verdict", "result"):
        return {"worse": "bold red", "inconclusive": "bold yellow", "undefined": "bold yellow"}.get(
            value.split(":")[0], "bold green"
        )
    return ""


def _some(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the classes with the ends of their intervals in columns; if there are many,
    those in the middle are left out.
    """
    half = MOST_CLASSES // 2
    shown = classes if len(classes) <= MOST_CLASSES else [*classes[:half], *classes[-half:]]
    return [
        {"class": class_["class"], "rows": class_["rows"]}
        | {
            name: "-" if math.isnan(value) else value
            for name, value in zip(
                ("difference", "low", "high"), (class_["difference"], *class_["interval"]), strict=True
            )
        }
        for class_ in shown
    ]
