"""A comparison of models as a table."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losscli.analysis.compare import Compared, Comparison
    from losscli.render.text import Laid

MOST_CLASSES = 20
"""The most classes that a table shows: those that became worst, and those that became best."""


def laid_out(found: "Compared", full: bool) -> "Laid":
    """Return a comparison as a title, facts and tables."""
    from losscli.render.text import number

    receipt, terms = found.first.measurement.receipt, found.terms
    facts = [("loss", receipt["loss"]), ("A", _model(found.first.name, found.comparisons[0].values[0], full))]
    tables: list[tuple[str, list[dict[str, Any]]]] = []
    for letter, comparison in zip("BCDEFGHIJKLMNOPQRSTUVWXYZ" * 100, found.comparisons, strict=False):
        facts += _facts(letter, comparison, found, full)
        if comparison.classes:
            tables.append(
                (f"{letter} against A, by class (mean difference, without weights)", _some(comparison.classes))
            )
        for rows, words in ((comparison.worse, "worse"), (comparison.better, "better")):
            tables.append((f"{letter}: rows that became {words}", rows))
    facts.append(("margin", number(terms.margin, full)))
    facts.append(
        ("method", f"paired bootstrap (BCa), {terms.resamples:,} resamples; sign-flip permutations; seed {terms.seed}")
    )
    return receipt["loss"], facts, tables


def _model(name: str, value: float, full: bool) -> str:
    """Return the name of a model and its mean loss."""
    from losscli.render.text import number

    return f"{name}: mean {number(value, full)}"


def _facts(letter: str, comparison: "Comparison", compared: "Compared", full: bool) -> list[tuple[str, str]]:
    """Return the facts about one comparison; `letter` stands for its model."""
    from losscli.engine.aggregates import divide
    from losscli.render.text import number

    relative = divide(comparison.difference, abs(comparison.values[0]))
    share = "" if relative != relative else f" ({100 * relative:+.3g} %)"
    adjusted = "" if comparison.adjusted is None else f", {comparison.adjusted:.4g} for all comparisons together (Holm)"
    return [
        (letter, _model(comparison.model, comparison.values[1], full)),
        (f"{letter} - A", number(comparison.difference, full) + share),
        (
            f"{100 * compared.terms.confidence:g} % interval",
            f"{number(comparison.low, full)} to {number(comparison.high, full)}",
        ),
        ("p", f"{comparison.p:.4g}{adjusted}"),
        ("verdict", comparison.verdict),
        (
            "rows",
            f"{comparison.samples:,}: {comparison.wins:,} won by {letter}, {comparison.ties:,} ties, {comparison.losses:,} lost",
        ),
    ]


def verdict_style(name: str, value: str) -> str:
    """How a terminal shows a verdict."""
    if name in ("verdict", "result"):
        return {"worse": "bold red", "inconclusive": "bold yellow"}.get(value, "bold green")
    return ""


def _some(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the classes with the ends of their intervals in columns; if there are many,
    those in the middle are left out.
    """
    half = MOST_CLASSES // 2
    shown = classes if len(classes) <= MOST_CLASSES else [*classes[:half], *classes[-half:]]
    return [
        {"class": class_["class"], "rows": class_["rows"], "difference": class_["difference"]}
        | dict(zip(("low", "high"), class_["interval"], strict=True))
        for class_ in shown
    ]
