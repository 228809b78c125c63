"""`losscli plot samples LOSS PREDICTIONS TARGETS`: how the losses of a file are distributed."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.cli.command import say
from losscli.cli.loss_command import LossGroup, loss_command
from losscli.cli.options.declare import PICTURE, SLICING, WRITING, Option, option, options_of, taken
from losscli.cli.options.losses import SHARED, signature
from losscli.cli.options.picture import Looks, Picture, Quiet
from losscli.cli.options.running import Running
from losscli.cli.plot.delivery import PlotDelivery, named
from losscli.cli.sampling import missing_panels, observe, sampled
from losscli.errors import UsageError
from losscli.records import NamedTuple
from losscli.render.words import PanelName

if TYPE_CHECKING:
    from losscli.definition.loss import Loss
    from losscli.measurement.measure import Measurement
    from losscli.plots.samples import Sampled


class Drawn(NamedTuple):
    """What is drawn, and where to."""

    output: Picture = None
    panel: Annotated[
        PanelName | None,
        option("--panel", panel=PICTURE, show_default=False, help="One panel only. Default: all that the files allow."),
    ] = None
    log: Annotated[
        bool | None,
        option(
            "--log/--no-log",
            panel=PICTURE,
            show_default=False,
            help="Scale of the loss. Default: logarithmic where p99 is above 20 times the median.",
        ),
    ] = None


PICTURED: tuple[Option, ...] = (
    *(
        item
        for item in SHARED
        if item.panel not in (WRITING, SLICING) and item.name not in ("library", "plus", "also", "part")
    ),
    *options_of(Drawn),
    *options_of(Looks),
    Option("quiet", Quiet, False),
)
"""The operands and options of `plot samples`: all of those of `compute` that change the losses, and those of pictures."""


def _command_of(loss: "Loss") -> Any:
    return loss_command(loss, lambda values, typed: samples(loss, values, typed.name), signature(loss, PICTURED))


class SamplesGroup(LossGroup):
    """The losses as sub-commands of `plot samples`."""

    make = staticmethod(_command_of)


app = typer.Typer(
    cls=SamplesGroup,
    help="Draw the losses of a file: distribution, by class, confidence, concentration. "
    "Each loss has its own options: losscli plot samples LOSS --help",
    no_args_is_help=True,
    subcommand_metavar="LOSS PREDICTIONS TARGETS -o FILE [OPTIONS]",
)


@app.callback()
def _group() -> None:
    pass


def samples(loss: "Loss", values: dict[str, Any], typed: str = "") -> int:
    """Run `losscli plot samples` of one loss, and return the exit code.

    Parameters
    ----------
    values
        the values of the command's options, by the names of its parameters.
    typed
        the loss's name as the user typed it.
    """
    from losscli.definition.request import Request
    from losscli.lookup.names import elsewhere
    from losscli.measurement.prepare import prepare

    bound = loss.bind(**{name: values.pop(name) for name in loss.parameters})
    look = taken(Looks, values).look()
    quiet = values.pop("quiet")
    running = taken(Running, values).begun(quiet)
    drawn = taken(Drawn, values)
    request = Request(loss=bound, **values)
    with PlotDelivery("samples", drawn.output, look) as delivery:
        with running.shown() as progress:
            measurement = prepare(request, looked=progress.looking)
        delivery.keep_apart(measurement.files)
        job = measurement.job
        missing = missing_panels(job)
        if drawn.panel in missing:
            raise UsageError(f"--panel {drawn.panel}: {missing[drawn.panel]}")
        found = _sampled(measurement, "confidence" not in missing, drawn, running)
        from losscli.plots import samples as picture

        panels = [drawn.panel] if drawn.panel else [name for name in picture.PANELS if name not in missing]
        about = f"{named(request.predictions, request.targets)} | {found.result.signature}"
        notes = delivery.publish(lambda: picture.draw(found, panels, look, about), about)
    left_out = [f"no panel of {name}: {why}" for name, why in missing.items() if job.encoding.kind == "soft"]
    left_out += [f"no panel of {name}: {why}" for name, why in picture.empty(found).items() if name in panels]
    say([*measurement.notes, *elsewhere(typed), *left_out, *notes], quiet)
    return 0


def _sampled(measurement: "Measurement", confidence: bool, drawn: Drawn, running: Running) -> "Sampled":
    """Compute the losses, and return what the panels show.

    Parameters
    ----------
    confidence
        whether predictions give the probability of what happened.
    """
    observe(measurement, confidence and drawn.panel in (None, "confidence"))
    with running.shown() as progress:
        progress.start(measurement.job)
        result = measurement.run(threads=running.threads, seen=progress)
    return sampled(measurement, result, drawn.log)
