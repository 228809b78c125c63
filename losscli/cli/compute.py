"""`losscli compute LOSS PREDICTIONS TARGETS`: every loss is a sub-command with its own options."""

from typing import TYPE_CHECKING, Any

import typer

from losscli.cli.command import LossGroup, loss_command, operands, running_options, say
from losscli.errors import Exit, UsageError

if TYPE_CHECKING:
    from losscli.core import Loss


def command_of(loss: "Loss") -> Any:
    """The command of one loss."""
    from losscli.cli.options import signature

    return loss_command(loss, lambda values: compute(loss, values), signature(loss))


class ComputeGroup(LossGroup):
    """The losses as sub-commands of compute."""

    make = staticmethod(command_of)


app = typer.Typer(
    cls=ComputeGroup,
    help="Compute a loss of predictions and targets. Each loss has its own options: losscli compute LOSS --help",
    no_args_is_help=True,
    subcommand_metavar="LOSS PREDICTIONS TARGETS [OPTIONS]",
)


@app.callback()
def _group() -> None:
    pass


def compute(loss: "Loss", values: dict[str, Any]) -> int:
    """Do what a parsed command line asks for, and return the exit code."""
    from losscli.calculation import prepare
    from losscli.cli.progress import Progress
    from losscli.cli.results import Delivery
    from losscli.request import Request
    from losscli.result import Requirement

    bound = loss.bind(**{name: values.pop(name) for name in loss.parameters})
    running = running_options(values)
    output_names = ("format", "output", "per_sample", "elements", "gradient", "require", "quiet")
    wanted = {name: values.pop(name, False) for name in output_names}
    requirements = [Requirement.parse(text) for text in wanted["require"]]
    if wanted["format"] == "value" and values["reduction"] == "none":
        raise UsageError("--format value prints one number, and --reduction none leaves none; choose another of either")
    values = operands(values)
    if values["reduction"] == "none" and wanted["format"] == "table":
        wanted["per_sample"] = True  # every sample's own loss is what there is to show
    request = Request(loss=bound, **values)
    with (
        Progress(running.progress) as progress,
        Delivery(
            wanted["format"], wanted["output"], wanted["gradient"], wanted["per_sample"], wanted["elements"]
        ) as delivery,
    ):
        calculation = prepare(
            request,
            rows=delivery.needs_rows,
            elements=wanted["elements"],
            gradient=wanted["gradient"] is not None,
            looked=progress.looking,
        )
        delivery.start(calculation)
        progress.of(calculation.job.samples, calculation.job.size)
        result = calculation.run(delivery.consume, running.threads, progress)
        progress.wipe()
        if not wanted["quiet"]:  # an error is one line; what else there was to note no longer matters then
            say(calculation.notes)
        met = result.require(requirements)
        delivery.deliver(result)
    return Exit.OK if met else Exit.UNMET
