"""Words for people: lists, counts, the nearest known word, and text that is safe to print."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral

UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029"  # controls, and ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb"  # changes of direction, and annotations
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff0-\ufff8"  # nothing to see
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # likewise, such as tags
    "\ud800-\udfff\ufdd1-\ufdef\ufffe\uffff"  # no letters: halves of pairs, and numbers that stand for none
)
SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
UNPRINTABLE = f"[{UNSEEN}]|(?<![^\x00-\x7f])[\u200c\u200d{SELECTORS}]|(?<=[\u200c\u200d{SELECTORS}])[\u200c{SELECTORS}]"
"""Characters that nobody sees, or that change what is seen. Joiners and selectors are none behind the letters that they shape, which are
not ASCII: many scripts and emoji need them."""

COMMAND = r"#(?=#\w*\[)"


def printable(text: str) -> str:
    """Return text for people, with characters that move a terminal's cursor, ring, reorder letters, or cannot be seen escaped
    as in Python; line feeds and tabs stay. `##[error]` and `##vso[task...]` are commands wherever they stand in a log of
    GitHub Actions or Azure Pipelines, and get such an escape, too.
    """
    if not (text.isascii() and text.isprintable()):
        text = re.sub(UNPRINTABLE, lambda found: found[0].encode("unicode_escape").decode(), text)
    return re.sub(COMMAND, r"\\x23", text) if "##" in text else text


def on_one_line(text: str) -> str:
    """Return text as `printable` does, with blanks in place of line feeds."""
    return " ".join(printable(text).splitlines())


def did_you_mean(word: str, choices: Iterable[str], alike: float = 0.6) -> str:
    """Return ' (did you mean X?)' for the choice nearest to a misspelt word, or ''.

    `alike` is the least similarity, from 0 to 1.
    """
    spelt = {choice.lower(): choice for choice in choices}
    near = get_close_matches(word.lower(), list(spelt), n=1, cutoff=alike)
    return f" (did you mean {spelt[near[0]]}?)" if near else ""


def listing(items: Iterable[object], most: int = 12) -> str:
    """Return items joined by commas, cut after `most` with the number left out."""
    words = [str(item) for item in items]
    more = f" ... and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun, such as '1 row' or '1,200 rows'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def shortened(text: str, most: int = 40) -> str:
    """Return text for a message, cut after `most` letters with three points in their place."""
    return text if len(text) <= most else f"{text[:most]}..."


def short(number: float) -> str:
    """Return a number in as few digits as identify it: 2, not 2.0."""
    brief = f"{number:g}"
    return brief if float(brief) == number else repr(number)


def written(number: float) -> str:
    """Return a number of a file or an option for a message, with as many digits as tell it from what it is not.

    Six digits are enough unless they make it rounder than it is: 1.0000001 is no probability, and 1 is one. Whole numbers have all
    digits, for they are labels, which are searched for and named in options.
    """
    if isinstance(number, Integral) or (float(number).is_integer() and abs(number) < 1e16):
        return str(int(number))
    for digits in (6, 9):
        brief = f"{number:.{digits}g}"
        significant = len(re.sub(r"e.*|\D", "", brief).lstrip("0"))
        if significant >= digits or number in (float(brief), _as_float32(float(brief))):
            return brief
    return repr(float(number))


def _as_float32(number: float) -> float:
    """Return the float32 nearest to a number, which most files hold: 1.3 there is not the float64 of that name."""
    from struct import pack, unpack  # for messages only

    try:
        return float(unpack("f", pack("f", number))[0])
    except OverflowError:
        return number


def natural(text: str) -> list[tuple[int, str]]:
    """Return a sort key by which shard-2 comes before shard-10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


NESTED = "nested too deeply to be read"
"""The fact about text with brackets in brackets in brackets ..., of which Python says that a recursion is too deep."""


def fault_of(error: Exception) -> str:
    """Return what a parser of JSON, TOML or Python says about a text, in words for a user."""
    return NESTED if isinstance(error, RecursionError) else str(error)


def deepest_line(text: str, most: int = 100) -> int:
    """Return the number, from 1, of the first line within more than `most` brackets; 1 if there is none."""
    depth = 0
    for number, line in enumerate(text.split("\n"), 1):
        for letter in re.findall(r"[\[\]{}]", line):
            depth += 1 if letter in "[{" else -1
            if depth > most:
                return number
    return 1


def quoted(text: str) -> str:
    """Return a text as one word of a shell's command line."""
    import shlex  # for messages only

    return shlex.quote(text)


def shape_in_words(shape: tuple[int, ...]) -> str:
    """Return a shape as NumPy writes it; an axis in which shards differ is '*'."""
    lengths = ", ".join("*" if length < 0 else str(length) for length in shape)
    return f"({lengths},)" if len(shape) == 1 else f"({lengths})"
