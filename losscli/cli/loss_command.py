"""Commands of losses: each is made from the loss's declaration, when it is asked for."""

import inspect
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperGroup

from losscli.cli import HELP
from losscli.cli.command import Command, is_typed, sign
from losscli.errors import UsageError

if TYPE_CHECKING:
    from losscli.definition.loss import Loss


class LossGroup(TyperGroup):
    """A group of commands with one command for each loss.

    `make`, which a subclass sets, makes the command of a loss.
    """

    make: "Callable[[Loss], Any]"

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
        epilog=f"More: losscli explain {loss.name}",
        context_settings=HELP,
    )(command)
    return typer.main.get_command(single)


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
