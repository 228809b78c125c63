"""Help: a page about a command, in which no name is cropped, however narrow the terminal is."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from losscli.cli.examples import EXAMPLES
from losscli.render.screen import Screen, command_lines, width_of, wrapped
from losscli.wording import short

WIDEST = 100
"""Columns of the lines of help, which are hard to read if they are longer."""
LABEL = 30
"""Columns of the longest name that its help stands beside; that of a longer one stands below it."""
Row = tuple[str, str]
"""A name with its metavar, and its help."""


def page(command: Any, context: Any, examples: Sequence[str] = (), rows: Sequence[Row] = (), more: str = "") -> str:
    """Return the help of a command.

    Parameters
    ----------
    examples
        complete command lines.
    rows
        the sub-commands with their summaries.
    more
        the last line.
    """
    screen = Screen.of(sys.stdout)
    screen = screen._replace(width=min(screen.columns, WIDEST))
    lines = usage(command, context, screen)
    for paragraph in paragraphs(command.help or ""):
        lines += ["", *_indented(paragraph, screen, "  ")]
    for title, items in sections(command, context).items():
        lines += ["", screen.paint(title, "bold"), *_table(items, screen)]
    if rows:
        lines += ["", screen.paint(getattr(command, "heading", "Commands"), "bold"), *_table(rows, screen)]
    if examples:
        lines += ["", screen.paint("Examples", "bold")]
        for example in examples:
            lines += [f"  {line}" for line in command_lines(example, screen._replace(width=screen.columns - 2))]
    if more:
        lines += ["", *_indented(more, screen, "")]
    return "\n".join(lines)


class Helped:
    """A command whose help is `page`. `examples` are those of a command of a loss; others are found by their words."""

    examples: Sequence[str] | None = None
    more = ""

    def rows_of_help(self, ctx: Any) -> Sequence[Row]:
        """Return the sub-commands with their summaries."""
        return ()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        found = self.examples
        if found is None:
            found = EXAMPLES.get(" ".join(ctx.command_path.split()[1:]), ())
        formatter.write(page(self, ctx, found, self.rows_of_help(ctx), self.more))


def usage(command: Any, context: Any, screen: Screen) -> list[str]:
    """Return the usage of a command, broken between its pieces."""
    pieces = [piece.strip("{}") for piece in command.collect_usage_pieces(context)]
    return wrapped(" ".join(["Usage:", context.command_path, *pieces]), screen.width, " " * 7)


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a docstring, each on one line."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def sections(command: Any, context: Any) -> dict[str, list[Row]]:
    """Return the operands and options of a command under their headings; --help comes last."""
    found: dict[str, list[Row]] = {}
    for item in command.get_params(context):
        if getattr(item, "hidden", False):
            continue
        if item.param_type_name == "argument":
            found.setdefault("Operands", []).append((item.metavar or item.name.upper(), said(item, context)))
        elif item.name != "help":
            found.setdefault(item.rich_help_panel or "Options", []).append((label(item), said(item, context)))
    help_row = ("-h, --help", "Show this help.")
    if "Options" in found:
        found["Options"].append(help_row)
        return found
    return found | {"Options": [help_row]}


def label(item: Any) -> str:
    """Return the flags of an option, the short one first, with what stands for its value."""
    flags = [*sorted(item.opts, key=len), *item.secondary_opts]
    text = (", " if len(item.opts) > 1 or not item.secondary_opts else " / ").join(flags)
    return text if item.is_flag else f"{text} {value(item)}"


def value(item: Any) -> str:
    """Return what stands for the value of an option: its metavar, or the words that it may be."""
    return str(item.metavar or "|".join(getattr(item.type, "choices", ())) or item.type.name.upper())


def said(item: Any, context: Any) -> str:
    """Return the help of an operand or option with its default."""
    text = " ".join((item.help or "").split())
    shown = getattr(item, "show_default", False) and item.param_type_name == "option"
    default = item.get_default(context) if shown else None
    if default in (None, "", [], ()) or isinstance(default, bool):
        return text
    return f"{text} Default: {short(default) if isinstance(default, float) else default}."


def _indented(text: str, screen: Screen, indent: str) -> list[str]:
    return wrapped(f"{indent}{screen.safe(text)}", screen.width, indent)


def _table(rows: Iterable[Row], screen: Screen) -> list[str]:
    """Return names with their help beside them, or below those that are too long; no name is broken."""
    rows = list(rows)
    fits = [width_of(name) for name, _ in rows if width_of(name) <= min(LABEL, screen.columns // 3)]
    wide = max(fits, default=0) + 4
    lines: list[str] = []
    for name, text in rows:
        shown = f"  {screen.paint(screen.safe(name), 'cyan')}"
        if width_of(name) + 4 <= wide and width_of(name) in fits:
            first, *rest = wrapped(screen.safe(text), screen.width, " " * wide, wide)
            lines += [f"{shown}{' ' * (wide - 2 - width_of(name))}{first}".rstrip(), *rest]
        else:
            lines += [shown, *wrapped(" " * wide + screen.safe(text), screen.width, " " * wide)]
    return lines
