"""The errors that users can cause, and the exit code of each.

LosscliError
├── UsageError      2   an option or parameter outside its domain
└── DataError       3   a file that is missing, unusable, or cannot be written; an undefined result

Everything else that reaches the top is a defect of losscli (70).
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, as the command line promises them."""

    OK = 0
    UNMET = 1
    USAGE = 2
    DATA = 3
    DEFECT = 70
    HUNG_UP = 129
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143


class LosscliError(Exception):
    """An error with a message for the user: the place, the fact and the cure, in one line."""

    code = Exit.DEFECT

    def __init__(self, message: str, finding: str | None = None) -> None:
        super().__init__(message)
        self.finding = finding
        """What `losscli check` calls it, where it has a name of its own."""


class UsageError(LosscliError):
    """An option, parameter or operand that makes no sense, whatever the files hold."""

    code = Exit.USAGE


class DataError(LosscliError):
    """A file that is missing, unreadable or unusable, or a result that is undefined."""

    code = Exit.DATA


UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Text for people: what would move a terminal's cursor, ring, or turn its letters around is escaped, as Python writes it."""
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def did_you_mean(word: str, choices: Iterable[str], alike: float = 0.6) -> str:
    """Return ' (did you mean X?)' for the choice nearest to a misspelt word, or ''."""
    spelt = {choice.lower(): choice for choice in choices}
    near = get_close_matches(word.lower(), list(spelt), n=1, cutoff=alike)
    return f" (did you mean {spelt[near[0]]}?)" if near else ""


def listing(items: Iterable[object], most: int = 12) -> str:
    """Return items joined by commas, cut after `most` with the number left out."""
    words = [str(item) for item in items]
    more = f" ... and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return '1 row', '1,200 rows'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
