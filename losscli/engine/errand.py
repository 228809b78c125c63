"""Errands: what goes from a pass to a worker of a cluster and back, as bytes.

An errand is some chunks of a job, with only those parts of its files that the chunks touch. A worker reads them itself, and
returns what it made of each chunk in their order; nothing is added up there that would change a digit.
"""

import os
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache, reduce
from importlib import import_module
from typing import Any

import numpy as np

from losscli.arrays import instructions
from losscli.engine.collector import Aggregate, Collector, Folded, added
from losscli.engine.outlet import Outlet, delivered
from losscli.engine.parts import exact_records
from losscli.errors import DataError, LosscliError
from losscli.records import NamedTuple
from losscli.version import __version__

Span = tuple[int, int]
"""The first row of a chunk, and the row after its last."""


class Errand(NamedTuple):
    """A function to be called with `arguments`, and the first and last row of each of some chunks."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    spans: Sequence[Span]
    outlet: Outlet | None = None
    """Where the worker itself writes gradients, if it sees that disk; None to send them back."""


class Answer(NamedTuple):
    """What a worker made of an errand: a result for each chunk, or the error that ended it."""

    results: list[Any]
    error: BaseException | None
    host: str
    simd: str
    """The instructions that NumPy uses there, on which last digits depend."""
    seconds: float


def versions() -> dict[str, str]:
    """Return the versions on which digits depend, which must be the same everywhere."""
    return {"losscli": __version__, "NumPy": np.__version__}


def packed(errand: Errand) -> bytes:
    """Return an errand as bytes, with the versions that it is for in front, so that another version reads these first.

    Raises
    ------
    DataError
        if something in it exists in this process only.
    """
    try:
        return pickle.dumps((versions(), pickle.dumps(errand, 5)), 5)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise DataError(f"this pass cannot leave the process ({error}); leave out --cluster") from error


def run(data: bytes) -> bytes:
    """Carry out an errand in a worker, and return the answer as bytes. Errors are answers too: nothing is raised."""
    begun = time.monotonic()
    results: list[Any] = []
    error: BaseException | None = None
    try:
        theirs, packed_errand = pickle.loads(data)
        _check_versions(theirs)
        _prepare()
        errand: Errand = _unpacked(packed_errand)
        for start, stop in errand.spans:
            found = errand.function(*errand.arguments, start, stop)
            results.append(found if errand.outlet is None else delivered(found, errand.outlet, start))
        results = _folded(results, exact_records(_collectors(errand.arguments)))
    except Exception as caught:  # noqa: BLE001 - whatever it is, it is told where the pass was begun
        error = _portable(caught)
    answer = Answer(results, error, host(), instructions(), time.monotonic() - begun)
    try:
        return pickle.dumps(answer, 5)
    except (pickle.PicklingError, TypeError, AttributeError) as caught:
        return pickle.dumps(answer._replace(results=[], error=_portable(caught)), 5)


def _collectors(argument: Any) -> list[Collector]:
    """Return the collectors among some arguments."""
    if isinstance(argument, list | tuple) and not isinstance(argument, np.ndarray):
        return [one for part in argument for one in _collectors(part)]
    return [argument] if isinstance(argument, Collector) else []


def _folded(results: list[Any], exact: frozenset[type]) -> list[Any]:
    """Return the results of chunks with the records in `exact` added up in the first of them, so that there is less to send."""
    aggregates = [_aggregates(found) for found in results]
    if len(results) < 2 or not aggregates[0]:
        return results
    for first, *others in zip(*aggregates, strict=True):
        for kind in exact & set(first.records):
            first.records[kind] = reduce(added, (one.records[kind] for one in others), first.records[kind])
            for one in others:
                one.records[kind] = Folded
    return results


def _aggregates(found: Any) -> list[Aggregate]:
    """Return the aggregates of the result of a chunk, whose records are a dictionary that nobody else has."""
    held = found if isinstance(found, list) else [getattr(found, "aggregate", None)]
    return [one for one in held if isinstance(one, Aggregate) and isinstance(one.records, dict)]


def _unpacked(data: bytes) -> Errand:
    try:
        errand: Errand = pickle.loads(data)
    except ModuleNotFoundError as error:
        raise DataError(
            f"the worker on {host()} has no module {error.name!r}, which is needed here; install it there too"
        ) from error
    return errand


def _check_versions(theirs: dict[str, str]) -> None:
    """Raise a DataError if the pass was begun with other versions than this worker has."""
    for name, version in versions().items():
        if theirs.get(name) != version:
            raise DataError(
                f"the worker on {host()} has {name} {version}, and {name} {theirs.get(name)} began the pass: digits could "
                "differ; install the same version everywhere"
            )


def _portable(error: BaseException) -> BaseException:
    """Return an error that can be sent: errors for the user as they are, a full disk as one, others as a description."""
    if isinstance(error, MemoryError):
        return DataError(f"the worker on {host()} has too little memory for its part; run fewer workers on a machine")
    if isinstance(error, OSError):
        where = error.filename or "a file"
        return DataError(f"{where}: cannot be read or written on {host()}: {error.strerror or error}")
    if isinstance(error, LosscliError):
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001 - an error of the user's own making may be anything
            return DataError(str(error), error.finding)
        return error
    import traceback

    defect = RuntimeError(f"on {host()}: {type(error).__name__}: {error}")
    defect.add_note("".join(traceback.format_exception(error)))  # --traceback shows it
    return defect


@cache
def _prepare() -> None:
    """Set up this process once."""
    from losscli.engine.threads import keep_freed_memory

    keep_freed_memory()


@cache
def host() -> str:
    """Return this machine's name."""
    import socket

    return socket.gethostname()


def serve() -> None:
    """Carry out errands that come through standard input, until it is closed; answers go to standard output.

    Each message is its length in 8 bytes, and its bytes. What else is printed goes to standard error. When the process that
    began the pass ends, however that happens, standard input is closed and this one ends at once.
    """
    from queue import SimpleQueue
    from threading import Thread

    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    errands: SimpleQueue[bytes] = SimpleQueue()

    def listen() -> None:
        while (data := received(sys.stdin.buffer)) is not None:
            errands.put(data)
        os._exit(0)

    Thread(target=listen, daemon=True).start()
    import_module("losscli.engine.evaluate")
    _prepare()
    while True:
        sent(answers, run(errands.get()))


def received(stream: Any) -> bytes | None:
    """Return the next message; None if the stream ends before it does."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    length = int.from_bytes(head, "little")
    data: bytes = stream.read(length)
    return data if len(data) == length else None


def sent(stream: Any, data: bytes) -> None:
    """Send a message through a stream without a buffer."""
    view = memoryview(len(data).to_bytes(8, "little") + data)
    while view:
        view = view[stream.write(view) :]
