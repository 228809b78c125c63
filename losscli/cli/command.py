"""What the commands share: how words are read before Typer sees them, and commands that are made from a loss."""

import inspect
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from losscli.errors import UsageError
from losscli.wording import printable

if TYPE_CHECKING:
    from losscli.definition.loss import Loss

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
PAIRS = ("--range", "--size")
HELP = {"help_option_names": ["-h", "--help"]}


def is_operand(word: str) -> bool:
    """Whether a word that looks like an option is an operand: a negative number, or a column of standard input."""
    return word.startswith("-:") or (word.startswith("-") and NUMBER.fullmatch(word) is not None)


class Command(TyperCommand):
    """A command to which a negative number is an operand, and an option given twice an error."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        options: list[Any] = [item for item in self.params if item.param_type_name == "option"]
        self._refuse_twice(args, options)
        flags = {name for item in options if item.is_flag for name in (*item.opts, *item.secondary_opts)} | {"-"}
        words: list[str] = []
        for before, word in zip(["", *args], args, strict=False):
            of_option = before.startswith("-") and before not in flags and not is_operand(before)
            if len(words) > 1 and words[-2] in PAIRS and NUMBER.fullmatch(word) and NUMBER.fullmatch(words[-1]):
                words[-1] += f",{word}"  # --range -3 3
            else:
                # A number with a space before it still reads as the number, and no longer as an option.
                words.append(f" {word}" if is_operand(word) and not of_option else word)
        return list(super().parse_args(ctx, words))

    def _refuse_twice(self, args: list[str], options: list[Any]) -> None:
        # The last of two would win without a word.
        names = {name: max(item.opts, key=len) for item in options for name in item.opts}
        repeatable = {max(item.opts, key=len) for item in options if item.multiple}
        words = args[: args.index("--")] if "--" in args else args
        given = [names.get(word.split("=")[0], word) for word in words if word.startswith("-")]
        twice = next((word for word in given if word.startswith("--") and given.count(word) > 1), None)
        if twice is not None and twice not in repeatable:
            raise UsageError(f"{twice} is given twice; say it once")


class LossGroup(TyperGroup):
    """Makes a loss's command when it is asked for, from the loss's declaration."""

    make: "Callable[[Loss], Any]"

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [self.subcommand_metavar]  # options come after the loss, not before it

    def list_commands(self, ctx: Any) -> list[str]:
        from losscli.losses import LOSSES

        return list(LOSSES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from losscli.lookup.names import find

        ctx.meta[TYPED] = cmd_name
        return type(self).make(find(cmd_name))


TYPED = "losscli.typed"
"""Under which a context keeps a loss's name as it was typed."""


class Typed(NamedTuple):
    """What of a command line was typed: the loss's name, and the names of the options that were given."""

    name: str = ""
    options: frozenset[str] = frozenset()


def loss_command(loss: "Loss", call: Callable[[dict[str, Any], Typed], int], spliced: inspect.Signature) -> Any:
    """A command of one loss: its help says what it computes, and its options are those of the signature.

    `call` gets the options' values, and what was typed.
    """

    def command(context: typer.Context, **values: Any) -> int:
        given = {name for name in values if context.get_parameter_source(name).name != "DEFAULT"}  # type: ignore[union-attr]
        return call(values, Typed(context.meta.get(TYPED, loss.name), frozenset(given)))

    whole = [
        inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *spliced.parameters.values(),
    ]
    vars(command)["__signature__"] = inspect.Signature(whole)
    command.__annotations__ = {item.name: item.annotation for item in whole}
    names = f" Also called {', '.join(loss.aliases)}." if loss.aliases else ""
    letters = {**loss.family.variables, **loss.where}
    text = "\n\n".join(
        [
            f"{loss.name}: {loss.summary}{names}",
            f"f = {loss.formula or loss.definition}"
            + (
                ""
                if not loss.family.value.startswith("sum") or loss.whole
                else f"; the loss is the {loss.family.value}"
            ),
            "with " + "; ".join(f"{letter} = {meaning}" for letter, meaning in letters.items()),
            f"Targets: {loss.family.targets}.",
        ]
    )
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(
        loss.name,
        cls=Command,
        help=text,
        short_help=loss.summary,
        epilog=f"More: losscli explain {loss.name}",
        context_settings=HELP,
    )(command)
    return typer.main.get_command(single)


def typed(word: str) -> str:
    """An operand as it was typed, without the space that kept it from being read as an option."""
    return word.strip() if is_operand(word.strip()) else word


def operands(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a command's options with its operands as they were typed."""
    return values | {name: typed(values[name]) for name in ("predictions", "targets")}


class Running(NamedTuple):
    """How a pass over the files is made: options that have no bearing on the result."""

    threads: int | None
    progress: bool | None


def running_options(values: dict[str, Any]) -> Running:
    """Take the options of running out of a command's values, and have Polars use as many threads as we do."""
    progress = values.pop("progress")
    made = Running(values.pop("threads"), False if progress is None and values.get("quiet") else progress)
    if made.threads is not None:
        if made.threads < 1:
            raise UsageError(f"--threads {made.threads} is not a number of threads, 1 or more")
        os.environ["POLARS_MAX_THREADS"] = str(made.threads)
    return made


def say(notes: list[str]) -> None:
    """Print notes and warnings to standard error."""
    import sys

    for note in notes:
        line = note if note.startswith("warning:") else f"note: {note}"
        print(f"losscli: {printable(' '.join(line.split()))}", file=sys.stderr)
