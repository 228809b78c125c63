"""The name nearest to a misspelt one: of the same words, each at most misspelt, so that it is the same kind of thing.

Letters alone lead astray: rmse is one letter from mse, and binary-logloss is nearer to binary-dice-loss than to what it means.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

NOISE = frozenset(("loss", "losses", "error", "mean", "function", "func", "fn"))
"""Words that are in or missing from a name without a change of what it means."""
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def words(name: str) -> list[str]:
    """Return the words of a name in small letters: of CrossEntropyLoss and cross_entropy_loss cross, entropy, loss."""
    return [word.lower() for word in WORD.findall(name)]


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice that has the same words as a name, where letters may be wrong, missing or exchanged; None without one.

    The order of the words does not matter, nor do `NOISE` and how the words are divided.
    """
    wanted = _telling(name)
    best: tuple[int, str] | None = None
    for choice in choices:
        off = _apart(wanted, _telling(choice))
        if off is not None and (best is None or off < best[0]):
            best = off, choice
    return None if best is None else best[1]


def begins(typed: str, name: str) -> bool:
    """Whether what was typed is the beginning of a name, of at least three letters, and ends within a word.

    Where it ends with a word, it may be another thing: total-variation is not total-variation-distance.
    """
    if not re.fullmatch("[A-Za-z_-]{3,}", typed) or not words(typed):
        return False
    *first, last = words(typed)
    of_name = words(name)
    word = of_name[len(first)] if len(of_name) > len(first) else ""
    return of_name[: len(first)] == first and word.startswith(last) and word != last


@lru_cache(maxsize=4096)
def _telling(name: str) -> list[str]:
    return [word for word in words(name) if word not in NOISE]


def _apart(one: list[str], other: list[str]) -> int | None:
    """Return how many letters two lists of words are apart, None if they are different words."""
    if not one or not other:
        return None
    if len(one) == len(other):
        pairs = list(zip(one, other, strict=True))
        sure = any(typed == word and len(word) > 4 for typed, word in pairs)
        in_order = [_misspelt(typed, word, sure) for typed, word in pairs]
        if None not in in_order:
            return sum(filter(None, in_order))
        if sorted(one) == sorted(other):
            return 1
        return None
    whole = _misspelt("".join(one), "".join(other))  # divided in another way, as multimargin
    return whole if whole is not None and whole < 2 else None


def _misspelt(typed: str, word: str, sure: bool = False) -> int | None:
    """Return the number of wrong letters if what was typed is a word misspelt, None if it is another word.

    Words of three letters, and those with numbers, are never misspelt: mse and mae, l1 and l2 are different things. The longer a
    word, the more letters may be wrong; the first one never is. `sure` says that another word of the name is right.
    """
    if typed == word:
        return 0
    shorter, longer = sorted((len(typed), len(word)))
    if shorter < 4 or typed[0] != word[0] or re.search(r"\d", typed + word):
        return None
    off = _distance(typed, word)
    if shorter < 6:
        return off if off == 1 and (sure or _is_slip(typed, word)) else None
    return off if off <= (1 if longer < 8 else 2) else None


def _is_slip(typed: str, word: str) -> bool:
    """Whether a short word that is one letter off has it left out, twice, at the end or exchanged with its neighbour, or is not so short.

    Another letter may make another thing of a word of four letters: mase is not mape, nor is mdape.
    """
    if len(typed) == len(word):
        return len(word) == 5 or sorted(typed) == sorted(word)
    if len(typed) < len(word) or typed.startswith(word):
        return True
    return any(typed[i] == typed[i - 1] and typed[:i] + typed[i + 1 :] == word for i in range(1, len(typed)))


def _distance(one: str, other: str) -> int:
    """Return how many letters must be changed, put in, left out or exchanged with their neighbour to make one word the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one):
        further, row, before = before, [i + 1], row
        for j, letter_of_other in enumerate(other):
            cost = min(row[j] + 1, before[j + 1] + 1, before[j] + (letter != letter_of_other))
            if i and j and letter == other[j - 1] and one[i - 1] == letter_of_other:
                cost = min(cost, further[j - 1] + 1)
            row.append(cost)
    return row[-1]
