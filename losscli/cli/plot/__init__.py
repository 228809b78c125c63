"""`losscli plot ...`: pictures of losses, of the losses in a file, of reliability and of features. One file for each kind."""

from typing import Any

import typer
from typer.core import TyperGroup

from losscli.cli import HELP
from losscli.cli.command import command
from losscli.cli.plot import compare, curves, features, reliability, samples


class PlotGroup(TyperGroup):
    """The kinds of picture, in the order of the help text."""

    def list_commands(self, ctx: Any) -> list[str]:
        return ["curves", "samples", "reliability", "features", "compare"]


app = typer.Typer(
    add_completion=False,
    cls=PlotGroup,
    help="Draw losses, or the losses of a file, to PNG, SVG or PDF by the suffix of FILE.",
    no_args_is_help=True,
    context_settings=HELP,
)
for _command in (curves.curves, reliability.reliability, features.features, compare.compare):
    command(app)(_command)
app.add_typer(samples.app, name="samples")
