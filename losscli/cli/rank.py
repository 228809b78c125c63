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
from losscli.render.rank import laid_out

if TYPE_CHECKING:
    from losscli.measurement.measure import Measurement

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
OPTIONS = {name: item for name, item in OF_LOSSES.items() if name != "reduction"}


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
    from losscli.analysis.rank import BY_CLASS
    from losscli.analysis.rank import rank as examine
    from losscli.cli.delivery import SUFFIXES, ReportDelivery
    from losscli.cli.progress import Progress as Shown
    from losscli.lookup.spec import single

    running = running_options({"threads": threads, "progress": progress, "quiet": quiet})
    column = None if by == BY_CLASS else by
    given = given if column is None else given | {"by": column}
    request = requested(single(spec), typed(predictions), typed(targets), given)
    with Shown(running.progress) as shown, ReportDelivery(format, output, SUFFIXES) as delivery:

        def begun(measurement: "Measurement") -> None:
            delivery.keep_apart(measurement.files)
            shown.of(measurement.job.samples, measurement.job.size)

        found = examine(request, top, by, running.threads, shown.looking, begun, shown)
        shown.wipe()
        if not quiet:
            say(found.notes)
        slices = found.slices or []
        delivery.deliver(
            found.to_dict, lambda full: laid_out(found, full), lambda: found.rows if top or by is None else slices
        )
    return Exit.OK


app.command(cls=Command, context_settings=HELP, name="rank")(spliced(rank, OPTIONS))
