"""The types of the arguments of `import losscli`, which nothing but these functions looks at: a command line has them by itself."""

import os
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from losscli.errors import UsageError
from losscli.numerals import as_number


def check(**arguments: Any) -> None:
    """Raise a UsageError for the first argument that is not of the type that its name has in every function."""
    for name, value in arguments.items():
        if value is not None or name not in OPTIONAL:
            KINDS[name](name, value)


def whole(name: str, value: Any) -> int:
    """Return a whole number; raise a UsageError for anything else."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise UsageError(f"{name}={value!r} is not a whole number")
    return int(value)


def number(name: str, value: Any) -> float:
    """Return a number; raise a UsageError for what cannot be made one."""
    try:
        if not isinstance(value, bool | np.bool_):
            return as_number(value) if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise UsageError(f"{name}={value!r} is not a number")


def numbers(name: str, value: Any) -> tuple[float, ...]:
    """Return several numbers, or one of them; raise a UsageError for anything else."""
    one = isinstance(value, str) or not isinstance(value, Iterable)
    return tuple(number(name, item) for item in ((value,) if one else value))


def word(name: str, value: Any) -> str:
    """Return a text; raise a UsageError for anything else."""
    if not isinstance(value, str):
        raise UsageError(f"{name}={value!r} is no text, but of type {type(value).__name__}")
    return value


def texts(name: str, value: Any) -> tuple[Any, ...]:
    """Return several texts, or one, or none for None; raise a UsageError for what holds nothing."""
    if value is None or isinstance(value, str):
        return () if value is None else (value,)
    if not isinstance(value, Iterable):
        raise UsageError(f"{name}={value!r} is neither a text nor several, but of type {type(value).__name__}")
    return tuple(value)


def paths(name: str, values: Iterable[Any]) -> list[str]:
    """Return the names of files; raise a UsageError for anything else, and if there are none."""
    found = [word(name, os.fspath(value) if isinstance(value, os.PathLike) else value) for value in values]
    if not found:
        raise UsageError(f"{name}: there are none; name one or more")
    return found


def yes_or_no(name: str, value: Any) -> bool:
    """Return True or False; raise a UsageError for anything else."""
    if not isinstance(value, bool | np.bool_):
        raise UsageError(f"{name}={value!r} is neither True nor False")
    return bool(value)


def _real(name: str, value: Any) -> None:
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise UsageError(f"{name}={value!r} is not a number")


def _threads(name: str, value: Any) -> None:
    if whole(name, value) < 1:
        raise UsageError(f"{name}={value!r} is not a number of threads, 1 or more")


KINDS: Mapping[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("bins", "resamples", "seed", "top"), whole),
    **dict.fromkeys(("confidence", "margin"), _real),
    **dict.fromkeys(("as_", "by", "library", "loss", "method", "statistic", "x"), word),
    "threads": _threads,
}
"""How the arguments are looked at that have the same type in all functions."""
OPTIONAL = ("as_", "by", "threads", "x")
"""Those that may be None."""
