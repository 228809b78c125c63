"""Commands: how words are read before Typer sees them, and commands that are made from a function."""

import copy
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand

from losscli.cli import HELP
from losscli.cli.helping import Helped
from losscli.cli.options.declare import OfLosses, options_of
from losscli.errors import LosscliError, UsageError
from losscli.numerals import NO_NUMBER, as_number, as_whole
from losscli.records import NamedTuple
from losscli.render.screen import Screen, message
from losscli.wording import quoted

NUMBER = r"(?ia)[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?"
PAIRS = ("--range", "--y-range", "--size")
"""Options whose value is two numbers, which may be typed as two words."""
Function = TypeVar("Function", bound=Callable[..., int | None])


def is_operand(word: str) -> bool:
    """Return whether a word that begins with a dash is an operand: a negative number, or a column of standard input."""
    return word.startswith("-:") or (word.startswith("-") and _is_number(word))


def _is_number(word: str) -> bool:
    return word[-1:] in "0123456789." and re.fullmatch(NUMBER, word) is not None  # compiled for few command lines


READERS: dict[str, Callable[[str], float]] = {"float": as_number, "int": as_whole}
"""Name of the type of an option, as Typer has it -> what reads its text."""


def _strict(kind: Any) -> Any:
    """Return the type of an option or operand; a type of numbers reads text as cells, operands and SPECs are read."""
    if (name := kind.name.split()[0]) not in READERS:
        return kind
    strict = copy.copy(kind)
    strict.__class__ = _strict_kind(kind.__class__, READERS[name])
    return strict


@cache
def _strict_kind(of: Any, reader: Callable[[str], float]) -> type:
    """Return the class of a type of numbers that reads text with a function."""

    class Strict(of):  # type: ignore[misc]
        def convert(self, value: Any, param: Any, ctx: Any) -> Any:
            if isinstance(value, str):
                if value.strip().lower() == NO_NUMBER and not param.required and param.default is None:
                    return None  # as without the option
                try:
                    value = reader(value)
                except ValueError:
                    self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
            return super().convert(value, param, ctx)

    return Strict


class Command(Helped, TyperCommand):
    """A command that takes negative numbers as operands, and refuses an option that is given twice."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        for item in self.params:
            item.type = _strict(item.type)

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
        """Return the words as Typer can read them.

        An operand that looks like an option gets a space in front, and two numbers of one option become one word.
        """
        flags = {name for item in options if item.is_flag for name in (*item.opts, *item.secondary_opts)} | {"-"}
        args = with_value(args, "--cluster")
        words: list[str] = []
        for before, word in zip(["", *args], args, strict=False):
            of_option = before.startswith("-") and before not in flags and not is_operand(before)
            if len(words) > 1 and words[-2] in PAIRS and _is_number(word) and _is_number(words[-1]):
                words[-1] += f",{word}"  # --range -3 3
            else:
                # With a space in front, a number is still read as that number, but no longer as an option.
                words.append(f" {word}" if is_operand(word) and not of_option else word)
        return words

    def _refuse_twice(self, args: list[str], options: list[Any]) -> None:
        # Otherwise the last one would be used and the first one ignored, without a message.
        called = {item: " / ".join([max(item.opts, key=len), *item.secondary_opts]) for item in options}
        names = {name: called[item] for item in options for name in (*item.opts, *item.secondary_opts)}
        repeatable = {called[item] for item in options if item.multiple}
        words = args[: args.index("--")] if "--" in args else args
        given = [names.get(word.split("=")[0], word) for word in words if word.startswith("-")]
        twice = next((word for word in given if word.startswith("--") and given.count(word) > 1), None)
        if twice is not None and twice not in repeatable:
            raise UsageError(f"{twice} is given twice; say it once")


def with_value(args: list[str], flag: str) -> list[str]:
    """Return the words with an empty value for an option that needs none, if it stands before another option or at the end."""
    after = [*args[1:], "-"]
    return [
        f"{word}=" if word == flag and following.startswith("-") else word
        for word, following in zip(args, after, strict=False)
    ]


def _as_typed(value: Any) -> Any:
    """Return an operand, or several of them, without the space that `_readable` put in front."""
    if isinstance(value, list | tuple):
        return type(value)(map(_as_typed, value))
    return value.strip() if isinstance(value, str) and is_operand(value.strip()) else value


def command(app: typer.Typer) -> Callable[[Function], Function]:
    """Add a function to an app as a command.

    A parameter of the function is an option or operand of its own, or stands for several options in its place:

    - if its annotation is a group of options (a NamedTuple of them), the function gets the group with their values;
    - if its annotation contains `OfLosses`, the function gets a dictionary of the options that were typed, by words.
    """

    def add(function: Function) -> Function:
        app.command(function.__name__, cls=Command, context_settings=HELP)(_spread(function))
        return function

    return add


def _spread(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """Return a function that has a parameter for each single option, and calls the given one."""

    def call(context: typer.Context, **values: Any) -> int | None:
        return function(**{part.name: part.value(context, values) for part in parts})

    parts = [_Part.of(item) for item in inspect.signature(function).parameters.values()]
    sign(call, [parameter for part in parts for parameter in part.parameters])
    call.__doc__ = function.__doc__
    return call


class _Part(NamedTuple):
    """A parameter of a function, and the parameters of the command that it stands for.

    `value` makes the function's argument from the command's context and values.
    """

    name: str
    parameters: list[inspect.Parameter]
    value: Callable[[typer.Context, dict[str, Any]], Any]

    @classmethod
    def of(cls, item: inspect.Parameter) -> "_Part":
        name, kind = item.name, item.annotation
        marks = [mark for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, OfLosses)]
        if marks:
            # With a prefix, so that no other parameter of the command has the same name.
            options = {f"of_{word.replace('-', '_')}": (word, one) for word, one in marks[0].options.items()}
            return cls(
                name,
                [one.parameter(variable) for variable, (_, one) in options.items()],
                lambda context, values: {
                    word: values[variable] for variable, (word, _) in options.items() if is_typed(context, variable)
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


def is_typed(context: typer.Context, variable: str) -> bool:
    """Return whether a parameter of a command was given on the command line, so that its value is not the default."""
    source = context.get_parameter_source(variable)
    return source is not None and source.name != "DEFAULT"


def sign(function: Callable[..., Any], parameters: Iterable[inspect.Parameter]) -> None:
    """Give a function of arbitrary keywords the signature that Typer reads: the context, then these parameters."""
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    vars(function)["__signature__"] = inspect.Signature([context, *parameters])


def command_line(command: str, operands: Iterable[str], options: Mapping[str, Any]) -> str:
    """Return a complete command line, quoted for a shell.

    Parameters
    ----------
    options
        name without the dashes -> value; True and False are --NAME and --no-NAME.
    """
    words = ["losscli", command, *map(quoted, operands)]
    for name, value in options.items():
        words += [f"--{'' if value else 'no-'}{name}"] if isinstance(value, bool) else [f"--{name}", quoted(str(value))]
    return " ".join(words)


TYPED_LINE: ContextVar[Sequence[str]] = ContextVar("typed_line", default=())
"""The words of the command line that runs, for messages that say it with an option more."""
SAY_KIND = r"; (?:if they are probabilities, )?say --from (log-probs|probs)$"
"""The end of a note whose cure is the option alone."""


def _with_command(note: str) -> str:
    """Return a note whose cure is that predictions are probabilities with the whole command line; others as they are."""
    kind = re.search(SAY_KIND, note)
    if kind is None:
        return note
    from losscli.cli.mending import Line

    line = Line.of(TYPED_LINE.get())
    return note if line is None else f"{note}: {line.with_flag('--from', kind[1]).text()}"


def say(notes: Iterable[str], quiet: bool = False) -> None:
    """Print notes and warnings to standard error, one line each; print nothing under --quiet."""
    for note in () if quiet else map(_with_command, notes):
        line = note if note.startswith("warning:") else f"note: {note}"
        print(message(" ".join(line.split()), Screen.of(sys.stderr)), file=sys.stderr)


def about_targets(predictions: str | None) -> str:
    """Return the end of a message about missing TARGETS: what the columns of the only file hold; '' if it has none."""
    if not predictions or not os.path.isfile(predictions):
        return ""
    from losscli.data.proposal import held
    from losscli.io.operands import Opener

    try:
        columns = held(Opener().open(predictions, "predictions"))
    except LosscliError:
        return ""
    several = f"; say {quoted(predictions)}:COLUMN {quoted(predictions)}:COLUMN" if ", '" in columns else ""
    return f" {predictions} holds {columns}{several}" if columns else ""
