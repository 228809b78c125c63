"""The samples with the largest losses as a table."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losscli.analysis.rank import Ranked
    from losscli.render.text import Laid

LESS = ("margin", "output_loss", "p_predicted", "weight", "p_target", "residual", "slice", "suggested")
"""Columns of rows that may be left out."""
SLICES_SHOWN = 30
"""The most groups that a table shows."""


def laid_out(found: "Ranked", digits: int | None) -> "Laid":
    """Return a ranking as a title, facts and tables."""
    from losscli.render.table import Table
    from losscli.render.text import number

    result = found.result
    facts = [
        ("loss", result.loss),
        (result.reduction, number(result.value, digits)),
        ("samples", f"{result.samples:,}"),
    ]
    if result.ignored:
        facts.append(("ignored", f"{result.ignored:,}"))
    if found.concentration is not None:
        shares = [
            f"{100 * entry['part']:g} %: {100 * entry['share']:.3g} %"
            for entry in found.concentration["worst"]
            if entry["part"] * result.samples >= 1
        ]
        half = f"{100 * found.concentration['half_of_the_loss']:.3g} % of the rows"
        facts += [("worst rows' share of the loss", ", ".join(shares))] if shares else []
        facts.append(("half of the loss is in", half))
    slices = [
        {name: entry[name] for name in ("slice", "rows", "mean")}
        | dict(zip(("low", "high"), entry["interval"], strict=True))
        | {"share": entry["share"]}
        for entry in (found.slices or [])[:SLICES_SHOWN]
    ]
    left_out = len(found.slices or []) - len(slices)
    more = f"; {left_out:,} more with smaller losses" if left_out else ""
    title = f"slices by {found.by} (mean loss without weights, its 95 % interval, share of the loss){more}"
    tables = [
        Table(f"worst {len(found.rows):,} rows", [_shown(row) for row in found.rows], LESS),
        Table(title, slices, ("share", ("low", "high"))),
    ]
    return result.loss, facts, tables


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if value is None else value for name, value in row.items()}
