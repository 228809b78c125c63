"""`losscli check PREDICTIONS TARGETS`: what the files are, and what is wrong with them."""

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.cli.command import command
from losscli.cli.options.declare import OfLosses, option
from losscli.cli.options.files import Predictions, Targets
from losscli.cli.options.losses import READ, fields, only
from losscli.cli.options.output import ListFormat, PageFile
from losscli.cli.options.running import Running
from losscli.errors import Exit

if TYPE_CHECKING:
    from losscli.analysis.check import Report
    from losscli.render.page import Page

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command(app)
def check(
    predictions: Predictions,
    targets: Targets,
    *,
    loss: Annotated[
        str | None,
        option(
            "--loss",
            metavar="LOSS",
            show_default=False,
            help="The loss that they are for. Default: cross-entropy of classes or outcomes, or squared error, by what the files hold.",
        ),
    ] = None,
    given: Annotated[dict[str, Any], OfLosses(only("from", *READ, "sample-weight"))],
    format: ListFormat = "table",
    output: PageFile = None,
    running: Running,
) -> int:
    """Say what predictions and targets are, and what is wrong with them.

    Shape, dtype, logits or probabilities, classes, accuracy; then findings, each with a name, its place and a cure.

    The exit code is 3 if a finding is an error.
    """
    from losscli import api
    from losscli.cli.delivery import WITH_PAGE, ReportDelivery
    from losscli.definition.request import Request
    from losscli.lookup.names import find
    from losscli.render.check import checked, laid_out

    running = running.begun()
    bound = None if loss is None else api.loss_of_rows(find(loss).bind(), loss)
    request = Request(bound or find("sigmoid-cross-entropy").bind(), predictions, targets, **fields(given))
    with ReportDelivery(format, output, WITH_PAGE) as delivery:
        with running.shown() as shown:
            report = api.checked(request, bound, api.Hooks(running.threads, shown.looking, shown.start, shown))
        named = [name for operand in (predictions, targets) for name in (operand, operand.rpartition(":")[0])]
        delivery.keep_apart(frozenset(map(os.path.realpath, filter(None, named))))
        delivery.deliver(
            report.to_dict,
            lambda digits: laid_out(report, digits),
            table=lambda screen: checked(report, screen),
            page=lambda: _page(report, predictions),
        )
    return Exit.DATA if report.errors else Exit.OK


def _page(report: "Report", predictions: str) -> "Page":
    """Return what a check found as a page for a browser."""
    from losscli.cli.pages import page_of
    from losscli.render.check import laid_out
    from losscli.render.text import IN_MARKDOWN
    from losscli.wording import count

    _, facts, tables = laid_out(report, IN_MARKDOWN)
    findings = [(finding.severity, finding.line()) for finding in report.findings]
    said = {*findings, ("findings", "none")}
    lead = count(len(findings), "finding") if findings else "nothing found"
    mood = "bad" if report.errors else "" if findings else "good"
    facts = [fact for fact in facts if fact not in said]
    return page_of((f"Check of {predictions}", facts, tables), (lead, "in these files"), findings=findings, mood=mood)
