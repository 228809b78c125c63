"""`losscli check PREDICTIONS TARGETS`: what the files are, and what is wrong with them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.cli.command import command
from losscli.cli.options.declare import OfLosses, option
from losscli.cli.options.files import Predictions, Targets
from losscli.cli.options.losses import READ, fields, only
from losscli.cli.options.output import ListFormat
from losscli.cli.options.running import Running
from losscli.errors import Exit

if TYPE_CHECKING:
    pass

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
    running: Running,
) -> int:
    """Say what predictions and targets are, and what is wrong with them.

    Shape, dtype, logits or probabilities, classes, accuracy; then findings, each with a name, its place and a cure.

    The exit code is 3 if a finding is an error.
    """
    from losscli import api
    from losscli.cli.delivery import show
    from losscli.definition.request import Request
    from losscli.lookup.names import find
    from losscli.render.check import checked

    running = running.begun()
    bound = None if loss is None else api.loss_of_rows(find(loss).bind(), loss)
    request = Request(bound or find("sigmoid-cross-entropy").bind(), predictions, targets, **fields(given))
    with running.shown() as shown:
        report = api.checked(request, bound, api.Hooks(running.threads, shown.looking, shown.start, shown))
    show(format, report.to_dict, lambda screen: checked(report, screen))
    return Exit.DATA if report.errors else Exit.OK
