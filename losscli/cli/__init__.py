"""The command line, made with Typer: one file for each command."""

HELP = {"help_option_names": ["-h", "--help"]}
"""Settings of every command: how its help is asked for."""
