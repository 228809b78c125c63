"""Addresses of files that live elsewhere: how they are told from paths, and how what is secret in them stays out of sight.

What stands behind the question mark of an https address may be a signature, with which everybody can read the file. Such
a query is cut off where words come in, and replaced by `?...`: names, messages, receipts and tracebacks have nothing else.
The query itself stays in this process, and is looked up when a connection is made.
"""

import re
from collections.abc import Iterable

SCHEMES = ("s3", "gs", "az", "https", "http", "hf")
BEGINNINGS = tuple(f"{scheme}://" for scheme in SCHEMES)
ADDRESS = r"(?i)(?P<begin>(?:https?|hf)://)(?P<user>[^/\s?#@]*@)?(?P<path>[^\s?#]*)(?P<query>\?[^\s:]*)?"
CUT = r"\?\.\.\.\d*"
"""What stands for a query that was cut off. Patterns are compiled where they are needed: most commands have no address."""

_queries: dict[str, str] = {}
"""Addresses without their queries, as they are shown, and the queries that belong to them."""


def is_remote(text: str) -> bool:
    """Whether a word is the address of a file that lives elsewhere."""
    return text[:8].lower().startswith(BEGINNINGS)


def shown(text: str) -> str:
    """Return a word as it may be shown: an https address in it has neither its query nor the name of a user."""
    return re.sub(ADDRESS, _shown, text) if "://" in text else text


def all_shown(words: Iterable[str]) -> list[str]:
    """Return words as they may be shown."""
    return [shown(word) for word in words]


def _shown(found: "re.Match[str]") -> str:
    query = found["query"] or ""
    name = f"{found['begin']}{'...@' if found['user'] else ''}{found['path']}"
    if not query or re.fullmatch(CUT, query):
        return name + query
    number = 1
    while _queries.setdefault(shortened := f"{name}?...{number if number > 1 else ''}", query) != query:
        number += 1  # another query of the same address: another version of the file, or a new signature
    return shortened


def complete(address: str) -> str:
    """Return an address with the query that was cut off.

    Raises a KeyError if it was cut off in another process.
    """
    cut = re.search(CUT, address)
    return address if cut is None else address[: cut.start()] + _queries[address]
