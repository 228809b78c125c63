"""A guard around what Polars does with bytes of others: whatever happens, one line says what is wrong with the file.

A damaged file can make Polars panic, and it prints a trace before it raises; a second panic while it cleans up after the
first one makes it abort the process. The same happens where memory or file descriptors are short.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from losscli.errors import DataError, Exit, UsageError
from losscli.io.sinks import remove_temporaries
from losscli.wording import listing, printable

PROCESS = RLock()
"""Held while standard error and the handler of aborts, which belong to the whole process, are replaced."""
SHORT = {
    re.compile(
        r"MemoryError|memory allocation|<jemalloc>|[Cc]annot allocate memory|[Oo]ut of memory|os error 12|code: 12"
    ): (
        "memory is short",
        "end other programs, or raise the limit (ulimit -v)",
    ),
    re.compile(r"Too many open files|os error 2[34]|code: 2[34]"): (
        "too many files are open",
        "raise the limit (ulimit -n)",
    ),
    re.compile(r"could not spawn threads|ThreadPoolBuildError|Resource temporarily unavailable|code: 11"): (
        "no more threads can be started",
        "raise the limits (ulimit -u and -v)",
    ),
}
"""What Polars says when the machine is at its limits -> the fact, and its cure."""


OF_ENVIRONMENT = re.compile(r"POLARS_[A-Z]|Worker threads")
"""What Polars says when an environment variable has a value that it does not take."""
MOST_THREADS = 4096
"""Threads that Polars may be told to start; with millions it does not come to an end."""


@contextmanager
def readable(name: str, what: str) -> Iterator[None]:
    """Turn everything that Polars raises about a file that it cannot read into a DataError, and hide what it prints.

    Parameters
    ----------
    what
        what the file should be, with its article, for the message.
    """
    import polars as pl

    PROCESS.acquire()
    kept = said = None
    try:
        said = _nowhere()
        kept = os.dup(2)
        os.dup2(said, 2)
    except OSError:
        pass  # standard error is closed
    try:
        with _last_words(name, what, kept, said):
            yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, MemoryError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(_unreadable(name, what, why)) from error
    finally:
        if kept is not None:
            os.dup2(kept, 2)
            os.close(kept)
        if said is not None:
            os.close(said)
        PROCESS.release()


def _nowhere() -> int:
    """Return a descriptor that takes what Polars prints: a file without a name if there can be one, for the last words."""
    from tempfile import TemporaryFile

    try:
        with TemporaryFile(buffering=0) as file:
            return os.dup(file.fileno())
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _unreadable(name: str, what: str, why: str) -> str:
    """Return the message about a file that Polars could not read: the file is to blame only if the machine is not."""
    if OF_ENVIRONMENT.search(why):
        said = listing(
            f"{key}={value}"
            for key, value in os.environ.items()
            if key.startswith("POLARS_") and key != "POLARS_MAX_THREADS"
        )
        return f"{name}: cannot be read, since an environment variable stops Polars ({why}); unset {said or 'those of Polars'}"
    limit = limit_in(why)
    return f"{name}: {limit}" if limit else f"{name}: not {what} that can be read ({why}); write it again"


def limit_in(why: str) -> str | None:
    """Return the fact that the machine is at one of its limits, and the cure, if an error's words say so; else None."""
    found = (said for words, said in SHORT.items() if words.search(why))
    return next((f"cannot be read now, since {fact}; {cure}" for fact, cure in found), None)


@contextmanager
def _last_words(name: str, what: str, descriptor: int | None, said: int | None) -> Iterator[None]:
    """If the process aborts meanwhile, print a line and exit with the code for a file that cannot be read.

    The handler is a C function: one of Python's own would run only after the call that aborts had
    returned, which never happens.
    """
    import ctypes
    import signal

    def aborted(number: int) -> None:
        remove_temporaries()
        if descriptor is not None:
            printed = b"" if said is None else os.pread(said, 1 << 16, 0)
            short = any(words.search(printed.decode("utf-8", "replace")) for words in SHORT)
            why = printed.decode("utf-8", "replace") if short else "Polars aborted"
            os.write(descriptor, f"losscli: {printable(_unreadable(name, what, why))}\n".encode("utf-8", "replace"))
        os._exit(Exit.DATA)

    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(aborted)
    place = ctypes.pythonapi.PyOS_setsig
    place.argtypes, place.restype = [ctypes.c_int, ctypes.c_void_p], ctypes.c_void_p
    before = place(signal.SIGABRT, ctypes.cast(handler, ctypes.c_void_p))
    try:
        yield
    finally:
        place(signal.SIGABRT, before)


def check_threads() -> None:
    """Raise a UsageError if the environment gives Polars a number of threads with which it cannot start."""
    threads = os.environ.get("POLARS_MAX_THREADS", "1")
    if not (threads.isdecimal() and threads.isascii() and len(threads) < 10 and 1 <= int(threads) <= MOST_THREADS):
        raise UsageError(
            f"POLARS_MAX_THREADS={threads}: must be a whole number from 1 to {MOST_THREADS}; set such a number, or unset it"
        )
