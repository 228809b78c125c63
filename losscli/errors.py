"""The errors that users can cause, and the exit code of each.

LosscliError
├── UsageError      2   an option or parameter outside its domain
└── DataError       3   a file that is missing, unusable, or cannot be written; an undefined result

Everything else that reaches the top is a defect of losscli (70).
"""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of the command line."""

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

    def __init__(
        self, message: str, finding: str | None = None, cures: tuple[tuple[str, str | None], ...] = (), fact: str = ""
    ) -> None:
        super().__init__(message)
        self.cures = cures
        """Options with values, each of which may be the cure, the likeliest first; the command line tries them. LOSS, which is
        no option, stands for the same loss of another kind of targets: outcomes or classes."""
        self.fact = fact or message
        """The message without advice that a complete command line takes the place of."""
        self.finding = finding
        """Its code among the findings of `losscli check`, or None if it has none."""


class UsageError(LosscliError):
    """An option, parameter or operand that makes no sense, whatever the files contain."""

    code = Exit.USAGE


class DataError(LosscliError):
    """A file that is missing, unreadable or unusable, or a result that is undefined."""

    code = Exit.DATA
