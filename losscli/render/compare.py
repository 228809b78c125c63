"""A comparison of models as a table."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losscli.analysis.compare import Compared, Comparison
    from losscli.render.text import Laid

MOST_DECIMALS = 8
MANY = 1e6
"""Numbers with more decimals than these, or as large as these, are read in powers of ten."""
MOST_CLASSES = 20
"""The most classes that a table shows: those that became worst, and those that became best."""


def laid_out(found: "Compared", digits: int | None) -> "Laid":
    """Return a comparison as a title, facts and tables."""
    from losscli.render.table import Table
    from losscli.render.text import number

    receipt, terms = found.first.measurement.receipt, found.terms
    facts = [("loss", receipt["loss"]), ("A", _model(found.first.name, found.comparisons[0].values[0], digits))]
    tables: list[Table] = []
    several = len(found.comparisons) > 1
    for letter, comparison in zip("BCDEFGHIJKLMNOPQRSTUVWXYZ" * 100, found.comparisons, strict=False):
        own = _facts(letter, comparison, found, digits)
        # Of several comparisons each has its own interval, p and so on, under a name of its own.
        facts += [*own[:2], *((f"{letter}: {name}" if several else name, value) for name, value in own[2:])]
        if comparison.classes:
            title = f"{letter} against A, by class (mean difference, without weights)"
            tables.append(Table(title, _some(comparison.classes), ("rows", ("low", "high"))))
        for rows, words in ((comparison.worse, "worse"), (comparison.better, "better")):
            tables.append(Table(f"{letter}: rows that became {words}", rows, ("target",)))
    facts.append(("margin", number(terms.margin, digits)))
    facts.append(
        ("method", f"paired bootstrap (BCa), {terms.resamples:,} resamples; sign-flip permutations; seed {terms.seed}")
    )
    return receipt["loss"], facts, tables


def _model(name: str, value: float, digits: int | None) -> str:
    """Return the name of a model and its mean loss."""
    from losscli.render.screen import whole
    from losscli.render.text import number

    return f"{whole(name)}: mean {number(value, digits)}"


def _facts(letter: str, comparison: "Comparison", compared: "Compared", digits: int | None) -> list[tuple[str, str]]:
    """Return the facts about one comparison; `letter` stands for its model."""
    from losscli.engine.aggregates import divide
    from losscli.render.text import number

    relative = divide(comparison.difference, abs(comparison.values[0]))
    share = "" if relative != relative else f" ({100 * relative:+.3g} %)"
    adjusted = "" if comparison.adjusted is None else f", {comparison.adjusted:.4g} for all comparisons together (Holm)"
    return [
        (letter, _model(comparison.model, comparison.values[1], digits)),
        (f"{letter} - A", number(comparison.difference, digits) + share),
        (
            f"{100 * compared.terms.confidence:g} % interval",
            f"{number(comparison.low, digits)} to {number(comparison.high, digits)}",
        ),
        ("p", f"{comparison.p:.4g}{adjusted}"),
        (
            "verdict",
            f"{comparison.verdict}: {_read_aloud(letter, comparison, relative, compared.terms.confidence)}",
        ),
        (
            "rows",
            f"{comparison.samples:,}: {comparison.wins:,} won by {letter}, {comparison.ties:,} ties, {comparison.losses:,} lost",
        ),
    ]


def _read_aloud(letter: str, comparison: "Comparison", relative: float, confidence: float) -> str:
    """Return the difference and its interval as one says them: 'B is 23.7 % lower; 95 % interval -0.055 to -0.018'."""
    low, high, difference = comparison.low, comparison.high, comparison.difference
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
        return {"worse": "bold red", "inconclusive": "bold yellow"}.get(value.split(":")[0], "bold green")
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
