"""`losscli help X`: the help of a command, a loss or an option, and the manual page."""

import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from losscli.cli import HELP
from losscli.cli.command import Command
from losscli.cli.options.declare import operand, option
from losscli.errors import UsageError
from losscli.wording import did_you_mean

PICTURES = ("curves", "samples", "reliability", "features")
"""Commands of plot that are asked for without it; compare is a command of its own as well."""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("help", cls=Command, context_settings={**HELP, "ignore_unknown_options": True})
def show(
    words: Annotated[
        list[str] | None,
        operand("[COMMAND|LOSS|OPTION]...", help="What help is wanted for; nothing for the list of commands."),
    ] = None,
    man: Annotated[bool, option("--man", show_default=False, help="Print the manual page, as man reads it.")] = False,
) -> None:
    """Show the help of a command, a loss or an option."""
    from losscli.cli.main import run

    if man:
        from losscli.cli.manual import page

        print(page(), end="")
        return
    words = words or []
    if words and words[0].startswith("-"):
        print(_option(words[0].partition("=")[0]))
        return
    raise typer.Exit(run([*_command(words), "--help"]))


def _command(words: list[str]) -> list[str]:
    """Return the words of the command of which help is wanted.

    Raises
    ------
    UsageError
        if nothing is called so.
    """
    from losscli.cli.main import COMMANDS
    from losscli.lookup.meanings import instead
    from losscli.lookup.names import find
    from losscli.losses import NAMES, declared

    if not words or words[0] in COMMANDS:
        return words
    if words[0] in PICTURES:
        return ["plot", *words]
    name = words[0].partition(":")[0]
    if declared(name) is None:
        near = did_you_mean(name, (*COMMANDS, *NAMES, *_names()))
        if not near or instead(name) is not None:
            find(name)  # which says what the word means elsewhere, or what loss is near
        raise UsageError(
            f"help: no command, loss or option is called {name!r}{near}; losscli --help shows the commands"
        )
    return ["compute", name]


def _option(flag: str) -> str:
    """Return what an option means, and which commands and losses take it."""
    from losscli.render.screen import Screen, wrapped

    screen = Screen.of(sys.stdout)
    meanings: dict[tuple[str, str], list[str]] = {}
    for place, item in _everywhere():
        if flag in (*item.opts, *item.secondary_opts):
            meanings.setdefault((_head(item), item.help or ""), []).append(place)
    if not meanings:
        raise UsageError(
            f"help: no option is called {flag!r}{did_you_mean(flag, _names())}; losscli COMMAND --help shows those of a command"
        )
    lines: list[str] = []
    for (head, text), places in meanings.items():
        lines += ["", screen.paint(screen.safe(head), "bold"), *wrapped(f"  {screen.safe(text)}", screen.width, "  ")]
        lines += wrapped(f"  In: {', '.join(dict.fromkeys(places))}.", screen.width, "  ")
    return "\n".join(lines[1:])


def _head(item: Any) -> str:
    """Return the flags of an option with what stands for its value."""
    flags = "/".join([", ".join(item.opts), *item.secondary_opts])
    return flags if item.is_flag else f"{flags} {item.metavar or _choices(item.type)}"


def _choices(kind: Any) -> str:
    """Return what stands for a value of a type: its words, or the type's name."""
    return "|".join(getattr(kind, "choices", ())) or str(kind.name).upper()


def _names() -> set[str]:
    """Return the flags of all options."""
    return {flag for _, item in _everywhere() for flag in (*item.opts, *item.secondary_opts)}


def _everywhere() -> Iterator[tuple[str, Any]]:
    """Yield every option with the command that takes it, or the loss where it is a parameter."""
    from losscli.cli.main import COMMANDS, app
    from losscli.losses import LOSSES

    root = typer.main.get_command(app)
    for item in _options(root):
        yield "losscli", item
    for name in COMMANDS:
        if name != "compute":
            yield from _of_command(name, root.get_command(None, name))  # type: ignore[attr-defined]
    for loss in LOSSES.values():
        for item in _of_loss(loss):
            yield ("compute" if item.name not in loss.parameters else f"compute {loss.name}"), item


def _of_loss(loss: Any) -> list[Any]:
    """Return the options of the command that computes a loss."""
    from losscli.cli.compute import command_of

    return _options(command_of(loss))


def _of_command(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield the options of a command and of its sub-commands, but for those that are losses."""
    from losscli.cli.loss_command import LossGroup

    for item in _options(command):
        yield name, item
    further: Mapping[str, Any] = {} if isinstance(command, LossGroup) else getattr(command, "commands", {})
    for inner, one in further.items():
        yield from _of_command(f"{name} {inner}", one)


def _options(command: Any) -> list[Any]:
    return [item for item in command.params if item.param_type_name == "option"]
