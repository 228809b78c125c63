"""The command line, made with Typer: one file for each command."""

from contextvars import ContextVar

HELP = {"help_option_names": ["-h", "--help"]}
"""Settings of every command: how its help is asked for."""
LINE: ContextVar[tuple[str, ...]] = ContextVar("LINE", default=())
"""The words of the command line as they were typed, without the program's name."""
