"""`losscli plot ...`: pictures of losses, of the losses in a file, of residuals, reliability and features. One file for each kind."""

from typing import Any

import typer
from typer.core import TyperGroup

from losscli.cli import HELP
from losscli.cli.command import command
from losscli.cli.helping import Helped, paragraphs
from losscli.cli.plot import compare, curves, features, reliability, residuals, samples


class PlotGroup(Helped, TyperGroup):
    """The kinds of picture, in the order of the help text."""

    def list_commands(self, ctx: Any) -> list[str]:
        return ["curves", "samples", "residuals", "reliability", "features", "compare"]

    def rows_of_help(self, ctx: Any) -> list[tuple[str, str]]:
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        return [(name, paragraphs(one.help or "")[0]) for name, one in found if one is not None]


app = typer.Typer(
    add_completion=False,
    cls=PlotGroup,
    help="Draw losses, or the losses of a file, to PNG, SVG or PDF by the suffix of FILE.",
    no_args_is_help=True,
    context_settings=HELP,
)
for _command in (curves.curves, residuals.residuals, reliability.reliability, features.features, compare.compare):
    command(app)(_command)
app.add_typer(samples.app, name="samples")
