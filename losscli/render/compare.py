"""A comparison of models as a table."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losscli.analysis.compare import Compared, Comparison

MOST_CLASSES = 20
"""Classes that a table shows: the ones that became worst, and best."""


def laid_out(
    found: "Compared", full: bool
) -> tuple[str, list[tuple[str, str]], list[tuple[str, list[dict[str, Any]]]]]:
    """A comparison as a title, facts and tables."""
    from losscli.render.text import number

    receipt, terms = found.first.measurement.receipt, found.terms
    facts = [("loss", receipt["loss"]), ("A", _model(found.first.name, found.comparisons[0].values[0], full))]
    tables: list[tuple[str, list[dict[str, Any]]]] = []
    for letter, one in zip("BCDEFGHIJKLMNOPQRSTUVWXYZ" * 100, found.comparisons, strict=False):
        facts += _facts(letter, one, found, full)
        if one.classes:
            tables.append((f"{letter} against A, by class (mean difference, without weights)", _some(one.classes)))
        for rows, words in ((one.worse, "worse"), (one.better, "better")):
            tables.append((f"{letter}: rows that became {words}", rows))
    facts.append(("margin", number(terms.margin, full)))
    facts.append(
        ("method", f"paired bootstrap (BCa), {terms.resamples:,} resamples; sign-flip permutations; seed {terms.seed}")
    )
    return receipt["loss"], facts, tables


def _model(name: str, value: float, full: bool) -> str:
    from losscli.render.text import number

    return f"{name}: mean {number(value, full)}"


def _facts(letter: str, one: "Comparison", found: "Compared", full: bool) -> list[tuple[str, str]]:
    from losscli.engine.aggregates import divide
    from losscli.render.text import number

    relative = divide(one.difference, abs(one.values[0]))
    share = "" if relative != relative else f" ({100 * relative:+.3g} %)"
    adjusted = "" if one.adjusted is None else f", {one.adjusted:.4g} for all comparisons together (Holm)"
    return [
        (letter, _model(one.model, one.values[1], full)),
        (f"{letter} - A", number(one.difference, full) + share),
        (f"{100 * found.terms.confidence:g} % interval", f"{number(one.low, full)} to {number(one.high, full)}"),
        ("p", f"{one.p:.4g}{adjusted}"),
        ("verdict", one.verdict),
        ("rows", f"{one.samples:,}: {one.wins:,} won by {letter}, {one.ties:,} ties, {one.losses:,} lost"),
    ]


def _some(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The classes with the ends of their intervals in columns, those in the middle left out where there are many."""
    half = MOST_CLASSES // 2
    shown = classes if len(classes) <= MOST_CLASSES else [*classes[:half], *classes[-half:]]
    return [
        {"class": one["class"], "rows": one["rows"], "difference": one["difference"]}
        | dict(zip(("low", "high"), one["interval"], strict=True))
        for one in shown
    ]
