"""`losscli rank SPEC PREDICTIONS TARGETS`: the rows worth looking at."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from losscli.cli.command import HELP, Command, running_options, say, typed
from losscli.cli.options import (
    OF_LOSSES,
    WRITING,
    Predictions,
    Progress,
    Silent,
    Spec,
    Targets,
    Threads,
    requested,
    spliced,
)
from losscli.errors import Exit

if TYPE_CHECKING:
    from losscli.calculation import Calculation
    from losscli.cli.results import Laid
    from losscli.rank import Ranked

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
OPTIONS = {name: item for name, item in OF_LOSSES.items() if name != "reduction"}
SLICES_SHOWN = 30
"""Slices that a table shows."""


def rank(
    spec: Spec,
    predictions: Predictions,
    targets: Targets,
    given: dict[str, Any],
    top: Annotated[
        int, typer.Option("--top", metavar="N", rich_help_panel=WRITING, help="How many rows to list, the worst first.")
    ] = 20,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="class|COLUMN",
            rich_help_panel=WRITING,
            help="Slices as well: the classes, or the words of a column of the predictions' or the targets' file.",
        ),
    ] = None,
    threads: Threads = None,
    progress: Progress = None,
    format: Annotated[
        Literal["table", "json", "jsonl", "csv", "tsv", "markdown"],
        typer.Option(
            "-f",
            "--format",
            metavar="NAME",
            rich_help_panel=WRITING,
            help="Format of standard output: table, json, jsonl, csv, tsv or markdown.",
        ),
    ] = "table",
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            rich_help_panel=WRITING,
            help="The result to a file as well: .json .jsonl .csv .tsv .md.",
        ),
    ] = None,
    quiet: Silent = False,
) -> int:
    """List the rows with the largest losses: what their label is, and what was predicted.

    suggested: the predicted class, where it is at least as probable as it is on average in rows with that label.

    jsonl, csv and tsv are the rows alone; with --top 0, the slices alone.
    """
    from losscli.cli.progress import Progress as Shown
    from losscli.cli.results import SUFFIXES, ReportDelivery
    from losscli.rank import BY_CLASS
    from losscli.rank import rank as examine
    from losscli.spec import single

    running = running_options({"threads": threads, "progress": progress, "quiet": quiet})
    column = None if by == BY_CLASS else by
    given = given if column is None else given | {"by": column}
    request = requested(single(spec), typed(predictions), typed(targets), given)
    with Shown(running.progress) as shown, ReportDelivery(format, output, SUFFIXES) as delivery:

        def begun(calculation: "Calculation") -> None:
            delivery.keep_apart(calculation.files)
            shown.of(calculation.job.samples, calculation.job.size)

        found = examine(request, top, by, running.threads, shown.looking, begun, shown)
        shown.wipe()
        if not quiet:
            say(found.notes)
        slices = found.slices or []
        delivery.deliver(
            found.record, lambda full: laid_out(found, full), lambda: found.rows if top or by is None else slices
        )
    return Exit.OK


app.command(cls=Command, context_settings=HELP, name="rank")(spliced(rank, OPTIONS))


def laid_out(found: "Ranked", full: bool) -> "Laid":
    """A ranking as a title, facts and tables."""
    from losscli.render import number

    result = found.result
    facts = [("loss", result.loss), (result.reduction, number(result.value, full)), ("samples", f"{result.samples:,}")]
    if result.ignored:
        facts.append(("ignored", f"{result.ignored:,}"))
    if found.concentration is not None:
        told = [
            f"{100 * one['part']:g} %: {100 * one['share']:.3g} %"
            for one in found.concentration["worst"]
            if one["part"] * result.samples >= 1
        ]
        half = f"{100 * found.concentration['half_of_the_loss']:.3g} % of the rows"
        facts += [("worst rows' share of the loss", ", ".join(told))] if told else []
        facts.append(("half of the loss is in", half))
    slices = [
        {name: one[name] for name in ("slice", "rows", "mean")}
        | dict(zip(("low", "high"), one["interval"], strict=True))
        | {"share": one["share"]}
        for one in (found.slices or [])[:SLICES_SHOWN]
    ]
    left_out = len(found.slices or []) - len(slices)
    more = f"; {left_out:,} more with smaller losses" if left_out else ""
    tables = [(f"worst {len(found.rows):,} rows", [_shown(row) for row in found.rows])]
    tables += [
        (f"slices by {found.by} (mean loss without weights, its 95 % interval, share of the loss){more}", slices)
    ]
    return result.loss, facts, tables


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if value is None else value for name, value in row.items()}
