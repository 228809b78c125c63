"""Facts about other libraries: which of their calls compute a loss, their conventions and known defects.

One module per library, each a table of calls. `losscli.measurement.conventions` turns a call into the conventions that
make its number differ, one at a time; `compute --as`, `explain` and the search for names read these tables.
"""

from functools import lru_cache
from importlib import import_module

from losscli.libraries.call import Call, Library

NAMES = ("torch", "keras", "tf1", "optax", "sklearn")
"""The names of the libraries for --as."""


@lru_cache(maxsize=1)
def libraries() -> dict[str, Library]:
    """Return all libraries, by their names for --as."""
    return {name: import_module(f"{__name__}.{name}").LIBRARY for name in NAMES}


@lru_cache(maxsize=1)
def names() -> dict[str, set[str]]:
    """Return the libraries' names of losses, in lower case and without '_' -> losscli's
    names of the losses that they mean.
    """
    by_name: dict[str, set[str]] = {}
    for library in libraries().values():
        for call in library.calls:
            for name in call.names:
                by_name.setdefault(name.lower().replace("_", ""), set()).add(call.loss)
    return by_name


def calls_of(loss: str) -> dict[str, list[Call]]:
    """Return the calls that compute a loss, by library."""
    by_library = {name: [call for call in library.calls if call.loss == loss] for name, library in libraries().items()}
    return {name: calls for name, calls in by_library.items() if calls}


__all__ = ["NAMES", "Call", "Library", "calls_of", "libraries", "names"]
