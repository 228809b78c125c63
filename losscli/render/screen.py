"""Where text is shown: how many columns there are, whether in colour, with which characters; and text that fits in.

It imports nothing heavy, since messages about wrong options need it too.
"""

import os
import re
from collections.abc import Iterable
from typing import IO, Any, Self

from losscli.records import NamedTuple
from losscli.wording import on_one_line

INDENT = "    "
COLUMNS = 80
"""Columns of a terminal that does not say how many it has."""
LEAST_COLUMNS = 20
"""With fewer columns, nothing can be laid out; text is then as wide as if there were so many."""
DIGITS = 4
"""Digits of numbers on a terminal. Elsewhere they have all."""
CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
"""Word of a style -> code of terminals."""
GLUE = "\ufdd0"
"""Stands for a blank at which no line is broken; no text has this character, which Unicode keeps free for such use."""
TOKEN = r"(?:\[[^][]*\]|\([^()]{,12}\)|(?<!\w)'[^']{,60}'|\d %|\S)+\s*|\s+"
"""A word with the blanks behind it; what stands in brackets is one word, such as a row of bars or a short list, and so are (p - t), 'a name', and 5 %."""
WORD = r"\S+\s*|\s+"
SHELL_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'"])+\s*|\S+\s*|\s+"""
"""A word of a command line; blanks in quotes belong to it."""
PART = r"[^\s|,]*[|,]+\s*|[^\s|,]+\s*|\s+"
"""A word, or of one that no line has room for, such as a signature, a part with the bar or the comma behind it."""
IN_MESSAGE = (
    r"""(?<!\w)'[^']{,60}'\S*\s*|`[^`]*`\S*\s*|losscli [a-z-](?:'[^']*'|"[^"]*"|[^;()`'"])*[;)]?\s*|\S+\s*|\s+"""
)
"""A quoted name or a command line of a message, up to the end of its clause; or a word."""


def width_of(text: str) -> int:
    """Return how many columns a text takes on a terminal: East Asian characters take two, accents and joiners none."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def can_show(text: str, encoding: str | None) -> bool:
    """Return whether the encoding of an output has these characters."""
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class Screen(NamedTuple):
    """Where text is shown.

    `width` is the number of columns; None for a file or a pipe, where text is never broken and numbers have all their digits.
    `encoding` is that of the output; characters that it lacks are shown as Python escapes them.
    """

    width: int | None = None
    colour: bool = False
    encoding: str | None = "utf-8"

    @classmethod
    def of(cls, stream: IO[str] | None) -> Self:
        """Return what is known of a stream, and of the environment's wishes: COLUMNS, NO_COLOR, TERM."""
        encoding = getattr(stream, "encoding", None)
        if stream is None or not stream.isatty():
            return cls(encoding=encoding)
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in ("dumb", "unknown")
        return cls(_columns(stream), not plain, encoding)

    @property
    def digits(self) -> int | None:
        """How many digits numbers have: None for all."""
        return None if self.width is None else DIGITS

    @property
    def columns(self) -> int:
        """The width of a terminal, as far as text can be laid out in it."""
        return max(self.width or COLUMNS, LEAST_COLUMNS)

    def safe(self, text: str) -> str:
        """Return text on one line, in characters that the output has and that do not move the cursor."""
        text = on_one_line(text)
        text = text.replace(GLUE, " ") if self.width is None else text.replace("\t", " ")
        if text.isascii() or can_show(text, self.encoding):
            return text
        encoding = self.encoding or "ascii"
        return GLUE.join(part.encode(encoding, "backslashreplace").decode(encoding) for part in text.split(GLUE))

    def paint(self, text: str, style: str) -> str:
        """Return text in a style such as 'bold red', where there are colours."""
        if not (self.colour and style and text):
            return text
        return f"\x1b[{';'.join(CODES[word] for word in style.split())}m{text}\x1b[0m"


def _columns(stream: Any) -> int:
    """Return the number of columns of a terminal."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(stream.fileno()).columns or COLUMNS
    except (OSError, ValueError, AttributeError):
        return COLUMNS


def fold(pieces: Iterable[str], width: int, indent: str = "", first: int = 0) -> list[str]:
    """Return pieces of text as lines of at most `width` columns. A piece that is wider has a line of its own, unbroken.

    Parameters
    ----------
    indent
        stands before all lines but the first one.
    first
        columns of the first line that are taken already.
    """
    lines, used = [""], first
    for piece in pieces:
        begun = lines[-1].strip() or used > width_of(indent)
        if begun and used + width_of(piece.rstrip()) > width:
            lines.append(indent)
            used = width_of(indent)
        lines[-1] += piece
        used += width_of(piece)
    return [line.rstrip().replace(GLUE, " ") for line in lines]


def wrapped(text: str, width: int | None, indent: str = "", first: int = 0) -> list[str]:
    """Return text as lines that are broken between words only; on one line if `width` is None."""
    if width is None or first + width_of(text) <= width:
        return [text.replace(GLUE, " ")]
    pieces: list[str] = []
    for piece in re.findall(TOKEN, text):
        pieces += [piece] if width_of(piece.rstrip()) <= width - width_of(indent) else re.findall(PART, piece)
    return fold(pieces, width, indent, first)


def whole(name: str) -> str:
    """Return a name so that no line is broken at its blanks."""
    return name.replace(" ", GLUE)


def command_lines(text: str, screen: Screen) -> list[str]:
    """Return a command line as lines that can be pasted into a shell: on a terminal they go on behind a backslash."""
    if screen.width is None or width_of(text) <= screen.columns:
        return [text]
    lines = fold(re.findall(SHELL_WORD, text), screen.columns - 2, INDENT)
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def message(text: str, screen: Screen, error: bool = False) -> str:
    """Return a message for standard error: on one line, or on a terminal in colour and broken between words.

    Command lines are not broken if they fit on a line; a longer one at the end goes on behind a backslash, so that all can be copied.
    """
    head = "losscli: "
    if screen.width is None:
        return head + on_one_line(text)
    pieces: list[str] = []
    text = screen.safe(text)
    for piece in re.findall(IN_MESSAGE, text):
        at_end = piece.startswith("losscli ") and text.endswith(piece)
        whole_piece = at_end or width_of(piece.rstrip()) <= screen.columns
        pieces += [piece] if whole_piece else re.findall(SHELL_WORD if piece.startswith("losscli ") else WORD, piece)
    long = bool(pieces) and width_of(pieces[-1]) > screen.columns and pieces[-1].startswith("losscli ")
    last = pieces.pop() if long else ""
    lines = fold(pieces, screen.columns, first=len(head))
    lines += command_lines(last, screen) if last else []
    for word, style in (("warning:", "bold yellow"), ("note:", "bold cyan")):
        if lines[0].startswith(word):
            lines[0] = screen.paint(word, style) + lines[0].removeprefix(word)
    lines[0] = f"{screen.paint(head.rstrip(), 'bold red' if error else 'bold')} {lines[0]}".rstrip()
    return "\n".join(lines)
