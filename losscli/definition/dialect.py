"""The dialect of text tables, as far as the user says it: what stands between cells, how decimals and comments are written."""

import re

from losscli.errors import UsageError
from losscli.records import NamedTuple

BLANKS = " "
"""The separator of tables whose cells have one blank or more between them."""
SPELT = {
    "tab": "\t",
    "\\t": "\t",
    "comma": ",",
    "semicolon": ";",
    "bar": "|",
    "pipe": "|",
    "blank": BLANKS,
    "blanks": BLANKS,
    "space": BLANKS,
    "spaces": BLANKS,
    "whitespace": BLANKS,
    "\\s+": BLANKS,
}
"""Words for separators that are hard to type, or that other programs use."""


class Dialect(NamedTuple):
    """What the options --sep, --decimal, --comment and --skip-rows say. None is decided by a look at the file."""

    sep: str | None = None
    decimal: str | None = None
    comment: str | None = None
    skip_rows: int = 0

    @classmethod
    def of(cls, sep: str | None, decimal: str | None, comment: str | None, skip_rows: int) -> "Dialect":
        """Return the dialect that options say.

        Raises
        ------
        UsageError
            if a separator, a decimal sign or a comment sign cannot be one, or two of them are the same.
        """
        separator = None if sep is None else _separator(sep)
        if decimal not in (None, ".", ","):
            raise UsageError(f"--decimal {decimal}: say ',' for numbers such as 1,5, or '.'")
        if decimal == "," and separator == ",":
            raise UsageError(
                "--sep , --decimal ,: a comma is one of them only; say what stands between cells, as --sep ';'"
            )
        if comment is not None:
            _check_comment(comment)
        if comment is not None and comment == separator:
            raise UsageError(f"--sep {sep} --comment {comment}: the same sign; say one of them")
        if skip_rows < 0:
            raise UsageError(f"--skip-rows {skip_rows}: is less than 0; say how many lines stand before the table")
        return cls(separator, decimal, comment, skip_rows)


def _separator(sep: str) -> str:
    """Return the sign that --sep says, which may be a word for it; raise a UsageError if it cannot separate cells."""
    separator = SPELT.get(sep.lower(), BLANKS if sep and not sep.strip(" ") else sep)
    if not re.fullmatch(r"[ \t!-~]", separator):
        raise UsageError(f"--sep {sep!r}: is not one sign; say for example ';', tab, or blanks for one blank or more")
    if re.fullmatch(r"[A-Za-z0-9+.\"-]", separator):
        raise UsageError(f"--sep {sep}: is a part of words, numbers or quotes; say for example ';', tab or blanks")
    return separator


def _check_comment(comment: str) -> None:
    """Raise a UsageError if what --comment says is not one sign, or a sign with which rows begin."""
    if not re.fullmatch(r"[!-~]", comment):
        raise UsageError(f"--comment {comment!r}: is not one sign; say for example '#'")
    if re.fullmatch(r"[A-Za-z0-9+.,\"-]", comment):
        raise UsageError(f"--comment {comment}: rows begin with it too; say for example '#'")
