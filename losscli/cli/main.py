"""The `losscli` command: its sub-commands, and the one place where errors become messages and exit codes.

`losscli --help` imports Typer and Rich and nothing else, to be quick: each command imports what it needs when it runs.
"""

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from losscli.cli import HELP
from losscli.cli.command import TYPED_LINE, Command, with_value
from losscli.cli.helping import Helped
from losscli.definition.address import all_shown
from losscli.errors import DataError, Exit, LosscliError, UsageError
from losscli.version import __version__
from losscli.wording import did_you_mean

COMMANDS = {
    "compute": ("compute", "app", "Compute a loss of predictions and targets."),
    "merge": ("merge", "app", "Put the parts of a pass together that losscli compute --part made."),
    "list": (
        "list_explain",
        "list_losses",
        "List the losses by family, each with a summary, or search them: losscli list quantile.",
    ),
    "explain": (
        "list_explain",
        "explain",
        "Explain a loss: formula, curve, meaning, parameters, relations, libraries, source.",
    ),
    "plot": ("plot", "app", "Draw losses, or the losses of a file, to PNG, SVG or PDF."),
    "check": ("check", "app", "Say what predictions and targets are, and what is wrong with them."),
    "compare": ("compare", "app", "Say whether one model is better than another: row for row, with an interval."),
    "rank": ("rank", "app", "List the rows with the largest losses: what their label is, and what was predicted."),
    "calibrate": (
        "calibrate",
        "app",
        "Fit the temperature T of softmax(z / T), Platt scaling or isotonic regression to labels.",
    ),
    "centers": (
        "centers",
        "app",
        "Make class centers, or move them, and say how far each went and how its rows lie around it.",
    ),
    "targets": ("targets", "app", "Write labels as targets with one column per class: one-hot rows, or smoothed ones."),
    "run": ("run", "app", "Run a suite of measurements and requirements, and report all of them."),
    "history": ("history", "app", "Show how measurements went over time, with a small curve for each."),
    "verify": (
        "verify",
        "app",
        "Say whether a loss of your own, or one of a package, is right: its properties, each met or broken with a counterexample.",
    ),
    "audit": (
        "audit",
        "app",
        "Say whether an installed library is right: its losses and gradients against formulas at 60 digits.",
    ),
    "gallery": ("gallery", "app", "Write the losses as pages for a browser, with curves that move."),
    "help": ("help", "app", "Show the help of a command, a loss or an option: losscli help huber."),
    "demo": ("demo", "demo", "Compute a loss on the packaged sample data."),
}
"""Name of a command -> its module in losscli.cli, the app or function there, and its summary in `losscli --help`."""

NAMES_SHOWN = 5
"""Losses that take an option and are named in the message of one that does not; with more, their families are named."""
LONGEST = 4000
"""Characters of a message that are shown at most: names of files, columns and classes can be long."""


class Commands(Helped, TyperGroup):
    """The commands; the module of a command is imported when the command is asked for."""

    more = "Start with: losscli demo. Help of anything: losscli help WORD."

    def rows_of_help(self, ctx: Any) -> list[tuple[str, str]]:
        return [(name, summary) for name, (_, _, summary) in COMMANDS.items()]

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        found = getattr(import_module(f"losscli.cli.{module}"), name)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(cmd_name, cls=Command, context_settings=HELP)(found)
            found = single
        return typer.main.get_command(found)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UsageError(_unknown(args))
        return super().resolve_command(ctx, args)


def _unknown(words: Sequence[str]) -> str:
    """Return the message about a first word that is no command: the command that it may be a loss of."""
    from losscli.wording import quoted

    near = did_you_mean(words[0], COMMANDS)
    if not near:
        from losscli.losses import declared  # a loss without compute, as losscli mse p.csv t.csv

        if declared(words[0]) is not None:
            return f"{words[0]} is a loss, and no command: losscli compute {' '.join(map(quoted, words))}"
    return f"no command {words[0]!r}{near}; losscli --help shows them"


app = typer.Typer(
    name="losscli",
    cls=Commands,
    help="Compute losses from files of predictions and targets, and say how each number came about.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)
# The base class of all errors of the command line; looked up here since its module in Typer has changed before.
ParseError = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def _version(asked: bool) -> None:
    if asked:
        print(f"losscli {__version__}")
        raise typer.Exit


def _install(shell: str | None) -> None:
    if shell is not None:
        from losscli.cli.completion import install, shell_of

        print(install(shell_of(shell)))
        raise typer.Exit


def _show(shell: str | None) -> None:
    if shell is not None:
        from losscli.cli.completion import SCRIPTS, shell_of

        print(SCRIPTS[shell_of(shell)], end="")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error came from, for reports of defects.")
    ] = False,
    install_completion: Annotated[
        str | None,
        typer.Option(
            "--install-completion",
            callback=_install,
            is_eager=True,
            metavar="[bash|zsh|fish]",
            help="Install completion with TAB for this shell, or the one that is named.",
        ),
    ] = None,
    show_completion: Annotated[
        str | None,
        typer.Option(
            "--show-completion",
            callback=_show,
            is_eager=True,
            metavar="[bash|zsh|fish]",
            help="Print the script of completion.",
        ),
    ] = None,
) -> None:
    del (
        version,
        traceback,
        show_completion,
        install_completion,
    )  # main looks for --traceback, so that it works in any place of the command line


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with the code that its contract promises."""
    if sys.stderr is None:
        # It is closed: messages would go to standard output, and the next file that is opened would get its number.
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal cannot show must not make the command fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stdout is None:
        _say("standard output is closed")
        sys.exit(int(Exit.DATA))
    line = list(sys.argv[1:] if arguments is None else arguments)
    traceback = "--traceback" in line
    code = run([word for word in line if word != "--traceback"], traceback)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_left()
    except OSError as error:
        if code != Exit.DATA:  # otherwise the command has said it already, or what else is wrong
            code = _report(error)
        _reader_left()
    sys.exit(int(code))


def run(line: Sequence[str], traceback: bool = False) -> int:
    """Run one command line and return its exit code; errors are one line on standard error."""
    try:
        code = _run(line)
        if code == Exit.DATA and line and line[0] == "check":  # which reports what is wrong, and raises nothing
            _say_cure(line)
        return code
    except typer.Exit as done:
        return done.exit_code
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as stop:
        if stop.code == 1:  # how rich answers a closed pipe
            return _reader_left()
        raise
    except KeyboardInterrupt:
        print("losscli: interrupted", file=sys.stderr)
        return Exit.INTERRUPTED
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # Polars' own
            raise
        if traceback:
            import traceback as tracebacks

            tracebacks.print_exc()
        return _report(error, line)


def _run(line: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors are raised."""
    command = typer.main.get_command(app)
    words = all_shown(line)
    for flag in ("--install-completion", "--show-completion"):  # whose value may be missing
        words = with_value(words, flag)
    TYPED_LINE.set(tuple(line))
    with command.make_context("losscli", words) as context:
        return int(command.invoke(context) or Exit.OK)


def _completed(line: Sequence[str], message: str, error: Exception) -> str:
    """Return a message, with the command line that says all that is missing if there is one.

    Whatever goes wrong with the search, short memory included, the message is shown all the same: a cure is an extra.
    """
    from losscli.cli.mending import completed

    try:
        return completed(line, message, error, _run)
    except Exception:  # noqa: BLE001 - it would hide what is wrong, and end with Python's exit code 1, which means "not met"
        return message


def _say_cure(line: Sequence[str]) -> None:
    """Say which command line says all that is missing, if there is one."""
    hint = _completed(line, "", DataError("")).removeprefix("; ")
    if hint:
        _say(hint)


def _has_folder() -> bool:
    """Whether the folder in which the command runs is still there."""
    try:
        return bool(os.getcwd())
    except OSError:
        return False


def _report(error: BaseException, line: Sequence[str] = ()) -> int:
    if isinstance(error, LosscliError):
        message = _completed(line, error.fact, error)
        _say(str(error) if message == error.fact else message)
        return error.code
    if isinstance(error, ParseError):
        message = str(error.format_message())  # type: ignore[attr-defined]
        if type(error).__name__ == "NoArgsIsHelpError":
            print(message)
            return Exit.USAGE
        context = getattr(error, "ctx", None)
        message = _of_another_loss(getattr(error, "option_name", ""), context) or _of_pattern(message, line) or message
        full = _completed(line, message, error)  # type: ignore[arg-type]
        if full == message:
            full += _of_missing_targets(error, context)
            full += f" (see {context.command_path} --help)" if context is not None else ""
        _say(full)
        return Exit.USAGE
    if isinstance(error, OSError):
        place = error.filename or ("standard output" if _has_folder() else "the folder in which the command runs")
        _say(f"{place}: cannot be read or written: {error.strerror or error}")
        return Exit.DATA
    if isinstance(error, MemoryError):
        _say("not enough memory for these files; free some, or give the data in smaller files")
        return Exit.DATA
    _say(
        f"a defect of losscli: {type(error).__name__}: {error}; please report it with the command and "
        "the output of the same command with --traceback"
    )
    return Exit.DEFECT


def _of_missing_targets(error: BaseException, context: Any) -> str:
    """Return the end of the message about missing TARGETS: what the columns of the only file suggest."""
    if context is None or getattr(getattr(error, "param", None), "name", None) != "targets":
        return ""
    from losscli.cli.command import about_targets

    return about_targets(context.params.get("predictions"))


def _of_pattern(message: str, line: Sequence[str]) -> str | None:
    """Return the message for more files than a command takes, as a shell makes of a pattern; None for other messages."""
    import re

    files = [word for word in line if os.path.isfile(word)]
    if "unexpected extra argument" not in message or len(files) < 3:
        return None
    stem, suffix = os.path.splitext(files[0])
    pattern = re.sub(r"\d+(?=\D*$)", "*", stem) + suffix
    if pattern == files[0]:
        return None
    return f"{len(files)} files are too many: {', '.join(files[:2])} ...; quote a pattern, or the shell puts names in its place: '{pattern}'"


def _of_another_loss(option: str, context: typer.Context | None) -> str | None:
    """Return the message for an option that exists, but not for this loss or place; None for other options."""
    from losscli.cli.loss_command import LossGroup
    from losscli.cli.options.losses import flags
    from losscli.cli.plot.samples import PICTURED

    item = flags().get(option)
    if context is None:
        return None
    if item is None:
        return _of_parameters(option, context)
    if isinstance(context.command, LossGroup):
        usage = context.command.subcommand_metavar.replace("[OPTIONS]", f"{option} ...")
        return f"{option} comes after the loss: {context.command_path} {usage}"
    if context.parent is None or not isinstance(context.parent.command, LossGroup):
        return None
    if context.parent.info_name == "samples" and item not in PICTURED:
        return f"plot samples takes no {option}, which is for what losscli compute writes"
    from losscli.losses import FAMILIES, LOSSES

    families = [family for family in FAMILIES.values() if item.when(family)]
    takers = [loss.name for loss in LOSSES.values() if loss.family in families]
    if len(takers) <= NAMES_SHOWN:
        return f"{context.info_name} takes no {option}, which is for: {', '.join(takers)}"
    return f"{context.info_name} takes no {option}, which is for losses of: {', '.join(family.name for family in families)}"


def _of_parameters(option: str, context: typer.Context) -> str | None:
    """Return the message for an option that is a parameter of other losses; None for other options, and outside of commands of losses."""
    from losscli.cli.loss_command import LossGroup
    from losscli.losses import LOSSES

    name = option.removeprefix("--").replace("-", "_")
    loss = LOSSES.get(context.info_name or "")
    if loss is None or context.parent is None or not isinstance(context.parent.command, LossGroup):
        return None
    if not any(name in other.parameters for other in LOSSES.values()):
        return None
    known = ", ".join(f"--{own.replace('_', '-')}" for own in loss.parameters) or "none"
    weights = (
        "; weights of classes are --class-weight A,B"
        if name == "alpha" and loss.family.target_type == "classes"
        else ""
    )
    return f"{loss.name} takes no {option}; its parameters: {known}{weights}"


def _say(text: str) -> None:
    # One line, whatever characters a file's name or a cell contains; a terminal gets it broken between words.
    from losscli.render.screen import Screen, message

    try:
        line = " ".join(text.split())
        if len(line) > LONGEST:
            line = f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"
        print(message(line, Screen.of(sys.stderr), error=True), file=sys.stderr)
    except OSError:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - the message cannot be shown, but the exit code remains


def _reader_left() -> int:
    # Python flushes standard output again at exit, which must not fail.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.PIPE_CLOSED
