"""A result as a table, JSON, Markdown or a bare number."""

from collections.abc import Sequence

import numpy as np

from losscli.engine.histogram import Histogram
from losscli.io.strict_json import strict_json
from losscli.measurement.requirement import MEAN
from losscli.measurement.result import Result
from losscli.render import slices
from losscli.render.screen import Screen, wrapped
from losscli.render.table import Row, Table, laid_out
from losscli.render.text import (
    BARS,
    IN_MARKDOWN,
    TABLE_ROWS,
    _markdown_header,
    cell,
    facts_in,
    in_code,
    markdown_line,
    number,
    signed,
    table_in_markdown,
    titled,
)
from losscli.wording import short

LESS = ("weight", "target", "losses")
"""Columns of samples that may be left out."""


def to_json(result: Result) -> str:
    """Return the result as indented JSON."""
    return strict_json(result.to_dict(), indent=2) + "\n"


JSON_BETWEEN = ",\n    "
"""The text between two rows of a result in JSON; each row is JSON text on one line."""


def json_around(result: Result) -> tuple[str, str]:
    """Return the text before the rows of a result in JSON, and the text after them."""
    return to_json(result).removesuffix("\n}\n") + ',\n  "rows": [\n    ', "\n  ]\n}\n"


def to_value(result: Result) -> str:
    """Return the bare number, with a newline."""
    return f"{result.value!r}\n"


def facts_of(result: Result, digits: int | None) -> list[tuple[str, str]]:
    """Return the facts about a result, as pairs of name and value; no two have the same name.

    `digits` is how many digits numbers have, None for all.
    """
    from losscli.engine.reduction import REDUCTIONS

    formula = REDUCTIONS[result.reduction].formula
    parameters = ", ".join(f"{name} = {short(value)}" for name, value in result.parameters.items() if value is not None)
    facts = [("loss", result.loss + (f" ({parameters})" if parameters else ""))]
    if result.value is not None:
        facts.append((result.reduction, number(result.value, digits)))
        if result.reduction != "sum":
            facts.append((formula, f"{number(result.numerator, digits)} / {number(result.denominator, digits)}"))
    facts += slices.facts(result, digits)
    facts.append(("samples", f"{result.samples:,}" + (f" ({result.ignored:,} ignored)" if result.ignored else "")))
    facts += [
        (MEAN if name == "mean" else result.titles.get(name, name), number(value, digits))
        for name, value in result.summary.items()
        if name != "mean" or _differs(result)
    ]
    facts += _of_baseline(result, digits)
    return facts + slices.verdicts(result.requirements, digits)


def _of_baseline(result: Result, digits: int | None) -> list[tuple[str, str]]:
    """Return the facts about the best constant prediction; none if the result has no baseline."""
    best = result.baseline
    if best is None:
        return []
    shown = best.prediction if isinstance(best.prediction, list) else [best.prediction]
    words = ", ".join(f"{value:.4g}" for value in shown[:6]) + (", ..." if len(shown) > 6 else "")
    facts = [("baseline", f"{number(best.value, digits)} (constant prediction {words})")]
    if best.skill is not None:
        facts.append(("skill", f"{number(best.skill, digits)} (1 - value / baseline)"))
    return facts


def _differs(result: Result) -> bool:
    """Whether the value is not simply the mean of the losses."""
    return result.value is None or result.reduction != "mean" or result.value != result.summary["mean"]


def distribution(result: Result, encoding: str | None) -> str | None:
    """Return the losses as a line of bars with its ends; None if all losses are equal.

    `encoding` is that of the output, which must have the characters.
    """
    histogram = Histogram.of(result.distribution, BARS)
    if histogram is None or np.count_nonzero(histogram.counts) < 2:
        return None
    ends = [f"{end:.4g}" for end in histogram.edges[[0, -1]]]
    from losscli.render import sparkline

    words = [f"{ends[0]} [{sparkline.bars(histogram.counts, encoding)}] {ends[1]}"]
    words += ["log scale"] if histogram.log else []
    words += [f"{histogram.not_positive:,} at 0 or below"] if histogram.not_positive else []
    words += [f"{histogram.infinite:,} infinite"] if histogram.infinite else []
    return ", ".join(words)


def to_table(result: Result, rows: Sequence[Row] | None, screen: Screen) -> str:
    """Return a table as wide as its content, but not wider than a terminal.

    Parameters
    ----------
    rows
        per-sample results, of which the first ones are shown; None for none.
    screen
        where it is shown: the distribution is drawn with block characters if it has them.
    """

    def style(name: str, value: str) -> str:
        return "bold red" if "NOT MET" in value else "bold" if name == result.reduction else ""

    facts = facts_of(result, screen.digits)
    shape = distribution(result, screen.encoding)
    if shape is not None:
        place = next(i for i, fact in enumerate(facts) if fact[0] == "max") + 1
        facts.insert(place, ("distribution", shape))
    lines = facts_in(facts, screen, style)
    for table in slices.tables({result.reduction: result}, screen.digits):
        lines += ["", *titled(table, screen)]
    if rows:
        lines += laid_out(Table("", rows[:TABLE_ROWS], LESS), screen, lambda value: cell(value, screen.digits))
        rest = result.samples - TABLE_ROWS
        more = f"... and {rest:,} more samples; --output FILE.csv has them all"
        lines += wrapped(more, screen.width) if rest > 0 else []
    return "\n".join([*lines, *signed(result.signature, screen), ""])


def to_markdown(result: Result) -> str:
    """Return a Markdown table, for step summaries of CI."""
    before, behind = markdown_around(result)
    return before + behind


def markdown_around(result: Result, header: Sequence[str] = ()) -> tuple[str, str]:
    """Return the text before a result's rows in Markdown, with the header of their table, and the text after them."""
    facts = facts_of(result, IN_MARKDOWN)[1:]
    lines = [*_markdown_header(["", result.loss]), *map(markdown_line, facts)]
    for table in slices.tables({result.reduction: result}, IN_MARKDOWN):
        lines += ["", *table_in_markdown(table)]
    lines += ["", *_markdown_header(header)] if header else []
    return "\n".join(lines) + "\n", f"\n{in_code(result.signature)}\n"
