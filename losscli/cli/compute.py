"""`losscli compute LOSS PREDICTIONS TARGETS`: every loss is a sub-command with its own options."""

from typing import TYPE_CHECKING, Any

import typer

from losscli.cli.command import LossGroup, Typed, loss_command, operands, running_options, say
from losscli.errors import Exit, UsageError

if TYPE_CHECKING:
    from losscli.cli.command import Running
    from losscli.definition.loss import Loss
    from losscli.definition.request import Request


def command_of(loss: "Loss") -> Any:
    """The command of one loss."""
    from losscli.cli.options import signature

    return loss_command(loss, lambda values, typed: compute(loss, values, typed), signature(loss))


class ComputeGroup(LossGroup):
    """The losses as sub-commands of compute."""

    make = staticmethod(command_of)


app = typer.Typer(
    add_completion=False,
    cls=ComputeGroup,
    help="Compute a loss of predictions and targets. Each loss has its own options: losscli compute LOSS --help",
    no_args_is_help=True,
    subcommand_metavar="LOSS PREDICTIONS TARGETS [OPTIONS]",
)


@app.callback()
def _group() -> None:
    pass


def compute(loss: "Loss", values: dict[str, Any], typed: Typed = Typed()) -> int:
    """Do what a parsed command line asks for, and return the exit code."""
    from losscli.cli.delivery import Delivery
    from losscli.cli.progress import Progress
    from losscli.definition.request import Request
    from losscli.measurement.prepare import prepare
    from losscli.measurement.requirement import Requirement

    bound = loss.bind(**{name: values.pop(name) for name in loss.parameters})
    running = running_options(values)
    output_names = ("format", "output", "per_sample", "elements", "gradient", "require", "quiet")
    wanted = {name: values.pop(name, False) for name in output_names}
    requirements = [Requirement.parse(text) for text in wanted["require"]]
    if wanted["format"] == "value" and values["reduction"] == "none":
        raise UsageError("--format value prints one number, and --reduction none leaves none; choose another of either")
    values = operands(values)
    values["calibration"] = any(wish.statistic in ("ece", "mce") for wish in requirements)
    names = _libraries(values.pop("library", None), wanted, requirements, typed.options)
    if len(names) > 1:
        return _side_by_side(Request(loss=bound, **values), names, wanted, running, typed.options)
    if values["reduction"] == "none" and wanted["format"] == "table":
        wanted["per_sample"] = True  # every sample's own loss is what there is to show
    request = Request(loss=bound, **values)
    with (
        Progress(running.progress) as progress,
        Delivery(
            wanted["format"], wanted["output"], wanted["gradient"], wanted["per_sample"], wanted["elements"]
        ) as delivery,
    ):
        measurement = prepare(
            request,
            rows=delivery.needs_rows,
            elements=wanted["elements"],
            gradient=wanted["gradient"] is not None,
            looked=progress.looking,
        )
        if names:
            from losscli.measurement.as_library import as_library

            measurement = as_library(measurement, names[0], typed.options)
        delivery.start(measurement)
        progress.of(measurement.job.samples, measurement.job.size)
        result = measurement.run(delivery.consume, running.threads, progress)
        progress.wipe()
        if not wanted["quiet"]:  # an error is one line; what else there was to note no longer matters then
            say([*measurement.notes, *_elsewhere(typed.name, bound.name)])
        met = result.require(requirements)
        delivery.deliver(result)
    return Exit.OK if met else Exit.UNMET


def _elsewhere(typed: str, name: str) -> list[str]:
    """What an alias means in other libraries, where that is something else."""
    if typed == name or not typed:
        return []
    from losscli.libraries import meaning

    found = meaning(typed)
    return [f"{typed} is {name} here; {found}"] if found else []


def _libraries(text: str | None, wanted: dict[str, Any], requirements: list[Any], given: frozenset[str]) -> list[str]:
    """The libraries whose number is asked for; none without --as."""
    if text is None:
        return []
    from losscli.measurement.conventions import parse

    names = parse(text)
    if "over_outputs" in given:
        raise UsageError("--over-outputs does not go together with --as: how outputs add up is the library's affair")
    if wanted["gradient"] is not None:
        raise UsageError("--gradient is that of the loss itself; leave out --as")
    if len(names) == 1:
        return names
    for name in ("per_sample", "elements"):
        if wanted[name]:
            raise UsageError(f"--{name.replace('_', '-')} shows one number a row; name one library in --as {text}")
    if requirements:
        raise UsageError(f"--require is about one number; name one library in --as {text}")
    if wanted["format"] == "value":
        raise UsageError(f"--format value prints one number; name one library in --as {text}")
    return names


def _side_by_side(
    request: "Request", names: list[str], wanted: dict[str, Any], running: "Running", given: frozenset[str]
) -> int:
    """Print the number of each library, and write it to a file if one is named."""
    import sys

    from losscli.cli.delivery import published
    from losscli.cli.progress import Progress
    from losscli.io.sinks import keep_apart
    from losscli.measurement.as_library import side_by_side
    from losscli.measurement.prepare import prepare
    from losscli.render.libraries import sides

    if request.reduction == "none":
        raise UsageError("--reduction none leaves no number to put side by side; name one library in --as")
    with Progress(running.progress) as progress:
        measurement = prepare(request, looked=progress.looking, once=False)
    if wanted["output"] is not None:
        keep_apart(wanted["output"], measurement.files)
    own, found = side_by_side(measurement, names, given, running.threads)
    if not wanted["quiet"]:
        say(list(dict.fromkeys(measurement.notes)))

    def made(format: str, full: bool = True) -> str:
        return sides(format, request, own, found, full)

    if wanted["output"] is not None:
        published(wanted["output"], made)
    print(made(wanted["format"], not sys.stdout.isatty()), end="")
    return Exit.OK
