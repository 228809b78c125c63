"""`losscli rank SPEC PREDICTIONS TARGETS`: the rows worth looking at."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.cli.command import command, say
from losscli.cli.options.declare import WRITING, OfLosses
from losscli.cli.options.files import Predictions, Targets
from losscli.cli.options.losses import Spec, requested, without
from losscli.cli.options.output import Quiet, formats_option, result_output, top_option
from losscli.cli.options.running import Running, by_option
from losscli.errors import Exit
from losscli.render.words import RankFormat

if TYPE_CHECKING:
    from losscli.analysis.rank import Ranked
    from losscli.measurement.measure import Measurement
    from losscli.render.page import Page

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command(app)
def rank(
    spec: Spec,
    predictions: Predictions,
    targets: Targets,
    *,
    top: Annotated[int, top_option("How many rows to list, the worst first.")] = 20,
    by: Annotated[
        str | None,
        by_option(
            "class|COLUMN|FILE[:COLUMN]",
            "Slices as well: the classes, or the words of a column of the predictions' or the targets' file, or of another.",
            WRITING,
        ),
    ] = None,
    running: Running,
    format: Annotated[RankFormat, formats_option(RankFormat)] = "table",
    output: Annotated[str | None, result_output(".json .jsonl .csv .tsv .md, or .html for a browser")] = None,
    quiet: Quiet = False,
    given: Annotated[dict[str, Any], OfLosses(without("reduction"))],
) -> int:
    """List the rows with the largest losses: what their label is, and what was predicted.

    suggested: the predicted class, where it is at least as probable as it is on average in rows with that label.

    jsonl, csv and tsv are the rows alone; with --top 0, the slices alone.
    """
    from losscli.analysis.rank import BY_CLASS
    from losscli.analysis.rank import rank as examine
    from losscli.cli.delivery import PAGE, SUFFIXES, ReportDelivery
    from losscli.lookup.names import elsewhere
    from losscli.lookup.spec import single
    from losscli.render.rank import laid_out

    running = running.begun(quiet)
    column = {} if by in (None, BY_CLASS) else {"by": (by,)}
    request = requested(single(spec), predictions, targets, given | column)
    with running.shown() as shown, ReportDelivery(format, output, SUFFIXES | PAGE) as delivery:

        def begun(measurement: "Measurement") -> None:
            delivery.keep_apart(measurement.files)
            if delivery.kind == "html":
                from losscli.cli.pages import watch

                watch(measurement)
            shown.start(measurement.job)

        found = examine(request, top, by, running.threads, shown.looking, begun, shown)
        shown.wipe()
        say([*found.notes, *elsewhere(spec)], quiet)
        rows = found.rows if top or by is None else found.slices or []
        delivery.deliver(found.to_dict, lambda digits: laid_out(found, digits), lambda: rows, page=lambda: _page(found))
    return Exit.OK


def _page(found: "Ranked") -> "Page":
    """Return a ranking as a page for a browser."""
    from losscli.cli.pages import as_findings, file_of, page_of, pictures_of
    from losscli.render.rank import laid_out
    from losscli.render.text import IN_MARKDOWN, number
    from losscli.wording import count

    result, worst = found.result, found.rows[0]["loss"] if found.rows else None
    about = f"the largest loss of {count(result.samples, 'sample')}; {result.loss}, {result.reduction} {number(result.value, 4)}"
    _, facts, tables = laid_out(found, IN_MARKDOWN)
    return page_of(
        (f"Worst rows of {file_of(result.receipt)}", facts, tables),
        (number(worst, 4), about),
        pictures=pictures_of(found.measurement, result),
        findings=as_findings(found.notes),
        receipt=result.receipt,
        signature=result.signature,
    )
