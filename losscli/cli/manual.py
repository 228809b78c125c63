"""The manual page, losscli(1), made from the declarations of commands, options and losses."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import typer

from losscli.cli.examples import EXAMPLES
from losscli.cli.helping import paragraphs, sections
from losscli.version import __version__

CODES = {
    "0": "done, and every requirement is met",
    "1": "a requirement is not met, or a verdict that --fail-if names, or a property of a loss is broken",
    "2": "usage: an option or parameter that makes no sense",
    "3": "a file is missing, unusable or cannot be written, or the result is undefined",
    "70": "a defect of losscli",
    "130, 141, 143": "interrupted; the reader of standard output went away; terminated",
}
"""The exit codes."""
DATE = "2026-11-30"
"""When what is said here by hand was last changed; man shows it."""
LINE = 62
"""Letters of a line of the source, before signs are escaped."""
ALL_OPTIONS = "softmax-cross-entropy"
"""The loss whose command shows the operands of compute."""


def page() -> str:
    """Return the manual page in the language of man(7)."""
    from losscli.cli.main import COMMANDS, app

    root: Any = typer.main.get_command(app)
    lines = [
        f'.TH LOSSCLI 1 "{DATE}" "losscli {__version__}" "User Commands"',
        ".SH NAME",
        "losscli \\- losses of predictions and targets, and how each number came about",
        ".SH SYNOPSIS",
        ".B losscli",
        ".I COMMAND",
        "[\\fIOPERAND\\fR]... [\\fIOPTION\\fR]...",
        ".SH DESCRIPTION",
        _text(root.help),
        ".SH OPTIONS",
        *_rows(sections(root, _context(root, "losscli"))["Options"]),
        ".SH COMMANDS",
        *_rows([(f"losscli {name}", summary) for name, (_, _, summary) in COMMANDS.items()]),
    ]
    told = _of_compute()
    lines += _compute(root, told)
    for name in COMMANDS:
        if name != "compute":
            lines += _command(f"losscli {name}", root.get_command(None, name), told)
    lines += [".SH EXIT STATUS", *_rows(CODES.items())]
    lines += [".SH SEE ALSO", _text("losscli help WORD, losscli list, losscli explain LOSS")]
    return "\n".join(lines) + "\n"


def _of_compute() -> dict[str, tuple[str, str]]:
    """Return the options of losses by their flags, but for the parameters of single ones."""
    from losscli.cli.compute import command_of
    from losscli.cli.options.losses import flags
    from losscli.losses import FAMILIES, LOSSES

    known, found = flags(), dict[str, tuple[str, str]]()
    for family in FAMILIES:
        loss = next((loss for loss in LOSSES.values() if loss.family.name == family), None)
        if loss is None:
            continue
        made = command_of(loss)
        for title, rows in sections(made, _context(made, f"losscli compute {loss.name}")).items():
            for label, text in () if title == "Operands" else rows:
                flag = _flag(label)
                if flag in known and flag.removeprefix("--").replace("-", "_") not in loss.parameters:
                    found.setdefault(flag, (label, text))
    return found


def _flag(label: str) -> str:
    """Return the long flag at the beginning of what help shows of an option."""
    return next(word.rstrip(",") for word in label.split() if word.startswith("--"))


def _compute(root: Any, options: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield the section of compute."""
    from losscli.cli.compute import command_of
    from losscli.losses import find

    yield '.SH "LOSSCLI COMPUTE"'
    yield _text(root.get_command(None, "compute").help)
    command = command_of(find(ALL_OPTIONS))
    yield from _rows(sections(command, _context(command, "losscli compute LOSS"))["Operands"])
    yield from _rows(options.values())
    yield from _examples("compute")


def _command(path: str, command: Any, told: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield the section of a command, and those of its sub-commands. Options that compute has alike are only named."""
    from losscli.cli.loss_command import LossGroup

    yield f".SH {_quoted(path.upper())}"
    for number, paragraph in enumerate(paragraphs(command.help or "")):
        yield from [".PP"] if number else []
        yield _text(paragraph)
    alike: list[str] = []
    for title, rows in sections(command, _context(command, path)).items():
        own = [row for row in rows if title == "Operands" or told.get(_flag(row[0]), ("", ""))[1] != row[1]]
        alike += [_flag(label) for label, text in rows if (label, text) not in own]
        yield from [f".SS {_quoted(title)}"] if own and title not in ("Operands", "Options") else []
        yield from _rows([row for row in own if row[0] != "-h, --help"])
    yield from [".PP", _text(f"As in compute: {', '.join(alike)}.")] if alike else []
    yield from _examples(path.removeprefix("losscli "))
    further = {} if isinstance(command, LossGroup) else getattr(command, "commands", {})
    for name, one in further.items():
        yield from _command(f"{path} {name}", one, told)


def _examples(command: str) -> Iterator[str]:
    """Yield the examples of a command."""
    yield ".SS Examples"
    yield ".nf"
    yield from (_escaped(line) for line in EXAMPLES[command])
    yield ".fi"


def _context(command: Any, path: str) -> Any:
    """Return a context in which a command says its options."""
    return typer.Context(command, info_name=path)


def _rows(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield names with their texts, as tagged paragraphs."""
    for label, text in rows:
        yield ".TP"
        yield f"\\fB{_escaped(label)}\\fR"
        yield _text(text)


def _text(text: str) -> str:
    """Return text as lines, which man fills again; a line that begins with a dot or a quote would be an instruction."""
    lines = textwrap.wrap(" ".join(text.split()), LINE, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(_escaped, lines))


def _escaped(text: str) -> str:
    """Return text in which nothing is an instruction: backslashes, dashes and quotes as they are."""
    for sign, written in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("^", "\\(ha"), ("~", "\\(ti"), ("`", "\\(ga")):
        text = text.replace(sign, written)
    text = "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in text)
    return f"\\&{text}" if text.startswith(".") else text


def _quoted(text: str) -> str:
    """Return the argument of an instruction, which may have blanks."""
    return f'"{text}"' if " " in text else text
