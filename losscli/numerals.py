"""Numbers as people write them: the one place that reads them, in cells, operands, options, SPECs and suites.

Python reads more than what other programs write: 1_0 as 10, and the digits of all scripts.
"""

NO_NUMBER = "none"
"""How to say in words that a parameter has no number, in small or capital letters."""


def as_number(text: str) -> float:
    """Return the number that a text is, such as 1, +1.5, .5, 1e-3, inf or NaN, with or without blanks around it.

    Raises a ValueError for any other text.
    """
    if not text.isascii() or "_" in text:
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def as_whole(text: str) -> int:
    """Return the whole number that a text is, such as 1, -1 or +1, with or without blanks around it.

    Raises a ValueError for any other text.
    """
    if not text.isascii() or "_" in text:
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def is_count(text: str) -> bool:
    """Whether a text is the digits of a whole number, without a sign or blanks, as the number of a column."""
    return text.isascii() and text.isdecimal()
