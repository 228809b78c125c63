"""Commands of losses: each is made from the loss's declaration, when it is asked for."""

import inspect
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from losscli.cli import HELP
from losscli.cli.command import Command, is_typed, sign
from losscli.cli.examples import of_loss
from losscli.cli.helping import Helped
from losscli.errors import UsageError
from losscli.records import NamedTuple

if TYPE_CHECKING:
    from losscli.definition.loss import Loss


NAMED = 4
"""How many losses for each kind of targets the help of a group names."""


class LossGroup(Helped, TyperGroup):
    """A group of commands with one command for each loss.

    `make`, which a subclass sets, makes the command of a loss.
    """

    make: "Callable[[Loss], Any]"
    heading = "Losses, by what the targets are"
    more = "More: losscli list. Their formulas: losscli explain LOSS."

    def rows_of_help(self, ctx: Any) -> list[tuple[str, str]]:
        from losscli.lookup.tasks import TASKS
        from losscli.losses import LOSSES

        rows = []
        for task, families in TASKS.items():
            names = [loss.name for family in families for loss in LOSSES.values() if loss.family.name == family]
            further = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            rows.append((task, ", ".join(names[:NAMED]) + further))
        return rows

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [self.subcommand_metavar]  # options come after the loss, not before it

    def list_commands(self, ctx: Any) -> list[str]:
        from losscli.losses import LOSSES

        return list(LOSSES)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0].endswith((".py", ".py:")):
            from losscli.custom.candidates import refusal
            from losscli.wording import quoted

            raise refusal(args[0], ctx.command_path, " ".join(map(quoted, args[1:])))
        if ":" in args[0]:  # a name alone needs nothing of what reads SPECs
            from losscli.lookup.spec import taken_apart

            name, options = taken_apart(args[0])
            args = [name, *options, *args[1:]]
        try:
            return super().resolve_command(ctx, args)
        except UsageError as error:
            raise UsageError(_in_order(ctx.command_path, args) or str(error)) from None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from losscli.lookup.names import find

        ctx.meta[TYPED] = cmd_name
        return type(self).make(find(cmd_name))


def _in_order(command: str, words: Sequence[str]) -> str:
    """Return the message about a command line whose loss stands behind a file; '' if that is not what is wrong."""
    from losscli.losses import declared
    from losscli.wording import quoted

    first, *others = words
    loss = next((word for word in others if declared(word) is not None), None)
    if loss is None or not (os.path.exists(first) or os.path.splitext(first)[1] or first == "-"):
        return ""
    others.remove(loss)
    return f"{first} is no loss, and the loss comes first: {' '.join([command, *map(quoted, [loss, first, *others])])}"


TYPED = "losscli.typed"
"""The key of a context's `meta` for the loss's name as the user typed it."""


class Typed(NamedTuple):
    """What the user typed: the loss's name, and which options.

    `options` holds the names of the command's parameters, such as 'prediction_kind' for --from.
    """

    name: str = ""
    options: frozenset[str] = frozenset()
    command: str = ""
    """The words of the command, such as 'losscli compute mse'."""


def loss_command(loss: "Loss", call: Callable[[dict[str, Any], Typed], int], options: inspect.Signature) -> Any:
    """Make the command of one loss; its help says what the loss computes.

    Parameters
    ----------
    call
        runs the command: takes the options' values and what was typed, and returns the exit code.
    options
        a signature with a parameter for each operand and option.
    """

    def command(context: typer.Context, **values: Any) -> int:
        given = frozenset(name for name in values if is_typed(context, name))
        return call(values, Typed(context.meta.get(TYPED, loss.name), given, context.command_path))

    sign(command, options.parameters.values())
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(
        loss.name,
        cls=Command,
        help=_help_of(loss),
        short_help=loss.summary,
        context_settings=HELP,
    )(command)
    made: Any = typer.main.get_command(single)
    made.examples, made.more = of_loss(loss), f"More: losscli explain {loss.name}"
    return made


def _help_of(loss: "Loss") -> str:
    """Return the help text of a loss: what it computes, in paragraphs."""
    names = f" Also called {', '.join(loss.aliases)}." if loss.aliases else ""
    summed = loss.family.value.startswith("sum") and not loss.whole
    letters = {**loss.family.variables, **loss.where}
    return "\n\n".join(
        [
            f"{loss.name}: {loss.summary}{names}",
            f"f = {loss.formula or loss.definition}" + (f"; the loss is the {loss.family.value}" if summed else ""),
            "with " + "; ".join(f"{letter} = {meaning}" for letter, meaning in letters.items()),
            f"Targets: {loss.family.targets}.",
        ]
    )
