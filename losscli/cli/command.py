"""Commands: how words are read before Typer sees them, and commands that are made from a function or from a loss."""

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from losscli.cli.options.declare import OfLosses, options_of
from losscli.errors import UsageError
from losscli.wording import printable

if TYPE_CHECKING:
    from losscli.definition.loss import Loss

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
PAIRS = ("--range", "--size")
Function = TypeVar("Function", bound=Callable[..., int | None])
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
        left = list(super().parse_args(ctx, self._readable(args, options)))
        for item in self.params:
            if item.param_type_name == "argument" and item.name in ctx.params:
                ctx.params[item.name] = _as_typed(ctx.params[item.name])
        return left

    def _readable(self, args: list[str], options: list[Any]) -> list[str]:
        """The words with a space before each operand that looks like an option, and pairs of numbers as one word."""
        flags = {name for item in options if item.is_flag for name in (*item.opts, *item.secondary_opts)} | {"-"}
        words: list[str] = []
        for before, word in zip(["", *args], args, strict=False):
            of_option = before.startswith("-") and before not in flags and not is_operand(before)
            if len(words) > 1 and words[-2] in PAIRS and NUMBER.fullmatch(word) and NUMBER.fullmatch(words[-1]):
                words[-1] += f",{word}"  # --range -3 3
            else:
                # A number with a space before it still reads as the number, and no longer as an option.
                words.append(f" {word}" if is_operand(word) and not of_option else word)
        return words

    def _refuse_twice(self, args: list[str], options: list[Any]) -> None:
        # The last of two would win without a word.
        names = {name: max(item.opts, key=len) for item in options for name in item.opts}
        repeatable = {max(item.opts, key=len) for item in options if item.multiple}
        words = args[: args.index("--")] if "--" in args else args
        given = [names.get(word.split("=")[0], word) for word in words if word.startswith("-")]
        twice = next((word for word in given if word.startswith("--") and given.count(word) > 1), None)
        if twice is not None and twice not in repeatable:
            raise UsageError(f"{twice} is given twice; say it once")


def _as_typed(value: Any) -> Any:
    """An operand, or several, without the space that kept it from being read as an option."""
    if isinstance(value, list | tuple):
        return type(value)(map(_as_typed, value))
    return value.strip() if isinstance(value, str) and is_operand(value.strip()) else value


def command(app: typer.Typer) -> Callable[[Function], Function]:
    """Add a function to an app as a command.

    A parameter of the function whose annotation is a group of options (a NamedTuple of them), or OfLosses, stands for
    all these options in its place: the command has each of them, and the function gets the group, or the values of
    those that were typed.
    """

    def add(function: Function) -> Function:
        app.command(function.__name__, cls=Command, context_settings=HELP)(_spread(function))
        return function

    return add


def _spread(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """A function of single options that calls the one of groups."""

    def call(context: typer.Context, **values: Any) -> int | None:
        return function(**{part.name: part.value(context, values) for part in parts})

    parts = [_Part.of(item) for item in inspect.signature(function).parameters.values()]
    _sign(call, [parameter for part in parts for parameter in part.parameters])
    call.__doc__ = function.__doc__
    return call


class _Part(NamedTuple):
    """A parameter of a function: the parameters of the command that it stands for, and its value from theirs."""

    name: str
    parameters: list[inspect.Parameter]
    value: Callable[[typer.Context, dict[str, Any]], Any]

    @classmethod
    def of(cls, item: inspect.Parameter) -> "_Part":
        name, kind = item.name, item.annotation
        marks = [mark for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, OfLosses)]
        if marks:
            # Under names that no other parameter has.
            options = {f"of_{word.replace('-', '_')}": (word, one) for word, one in marks[0].options.items()}
            return cls(
                name,
                [one.parameter(variable) for variable, (_, one) in options.items()],
                lambda context, values: {
                    word: values[variable] for variable, (word, _) in options.items() if _is_typed(context, variable)
                },
            )
        if isinstance(kind, type) and issubclass(kind, tuple):
            return cls(
                name,
                [one.parameter() for one in options_of(kind)],
                lambda context, values: kind(**{one.name: values[one.name] for one in options_of(kind)}),
            )
        plain = item.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        return cls(name, [plain], lambda context, values: values[name])


def _is_typed(context: typer.Context, variable: str) -> bool:
    source = context.get_parameter_source(variable)
    return source is not None and source.name != "DEFAULT"


def _sign(function: Callable[..., Any], parameters: Iterable[inspect.Parameter]) -> None:
    """Give a function that takes any options a signature that Typer reads: the context and these parameters."""
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    whole = [context, *parameters]
    vars(function)["__signature__"] = inspect.Signature(whole)
    function.__annotations__ = {item.name: item.annotation for item in whole}


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


def loss_command(loss: "Loss", call: Callable[[dict[str, Any], Typed], int], options: inspect.Signature) -> Any:
    """A command of one loss: its help says what it computes, and its options are those of the signature.

    `call` gets the options' values, and what was typed.
    """

    def command(context: typer.Context, **values: Any) -> int:
        given = frozenset(name for name in values if _is_typed(context, name))
        return call(values, Typed(context.meta.get(TYPED, loss.name), given))

    _sign(command, options.parameters.values())
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
    """What a loss computes, in the paragraphs of a help text."""
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


def say(notes: Iterable[str], quiet: bool = False) -> None:
    """Print notes and warnings to standard error, a line each, unless --quiet leaves them out."""
    for note in () if quiet else notes:
        line = note if note.startswith("warning:") else f"note: {note}"
        print(f"losscli: {printable(' '.join(line.split()))}", file=sys.stderr)
