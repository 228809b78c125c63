"""A cluster behind any `concurrent.futures.Executor`, such as those of mpi4py, ipyparallel, or a few lines around Ray."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError
from importlib import import_module
from typing import TYPE_CHECKING, Any

from losscli.engine.cluster import FORMS, Cluster, LostError
from losscli.engine.errand import run
from losscli.engine.threads import available_threads
from losscli.errors import DataError, UsageError

if TYPE_CHECKING:
    from concurrent.futures import Executor

SIZES = ("num_workers", "max_workers", "_max_workers")
"""Names under which executors say how many workers they have."""


class OfExecutor(Cluster):
    """An executor; `own` says whether it was made for this cluster, and is shut down with it."""

    def __init__(self, words: str, make: "Callable[[], Executor]", own: bool = True) -> None:
        super().__init__(words)
        self.make, self.own = make, own
        self.executor: Executor | None = None

    def _reached(self) -> "Executor":
        if self.executor is None:
            try:
                made = self.make()
            except Exception as error:
                raise DataError(f"--cluster {self.words}: {type(error).__name__}: {error}") from error
            if not callable(getattr(made, "submit", None)):
                raise UsageError(
                    f"--cluster {self.words}: returned {type(made).__name__}, which is no concurrent.futures.Executor"
                )
            self.executor = made
        return self.executor

    def size(self) -> int:
        executor = self._reached()
        sizes = (getattr(executor, name, None) for name in SIZES)
        return next((size for size in sizes if isinstance(size, int) and size > 0), available_threads())

    def submit(self, data: bytes) -> Any:
        try:
            return self._reached().submit(run, data)
        except BrokenExecutor:
            self._broken()
            return self._reached().submit(run, data)

    def result(self, future: Any) -> bytes:
        try:
            data: bytes = future.result()
        except (BrokenExecutor, CancelledError) as error:
            raise LostError(str(error) or type(error).__name__) from error
        except Exception as error:
            raise DataError(
                f"--cluster {self.words}: a worker cannot carry out its part ({type(error).__name__}: {error}); has it this "
                "losscli installed?"
            ) from error
        return data

    def lost(self, future: Any) -> bool:
        return future.done() and not future.cancelled() and isinstance(future.exception(), BrokenExecutor)

    def _broken(self) -> None:
        """Make the executor anew, which takes nothing more since a process of it was killed."""
        broken, self.executor = self.executor, None
        if not self.own:
            raise DataError(f"{self.words}: the executor is broken: a process of it was killed; make a new one")
        if broken is not None:
            _shut_down(broken, wait=False)

    def close(self) -> None:
        executor, self.executor = self.executor, None
        if executor is not None and self.own:
            _shut_down(executor, wait=True)


def _shut_down(executor: "Executor", wait: bool) -> None:
    try:
        executor.shutdown(wait=wait, cancel_futures=True)
    except TypeError:  # some executors know only `wait`
        executor.shutdown(wait=wait)


def of_factory(words: str) -> OfExecutor:
    """Return the cluster of 'module:factory': the executor that a function of a module makes, when it is needed.

    Raises
    ------
    UsageError
        if there is no such function.
    """
    name, _, attribute = words.partition(":")
    if not (name and attribute.isidentifier() and all(part.isidentifier() for part in name.split("."))):
        raise UsageError(f"--cluster {words}: this is no cluster; say {FORMS}")
    if (folder := os.getcwd()) not in sys.path:
        sys.path.append(folder)  # a module beside the data, as `python -m` finds it
    try:
        factory = getattr(import_module(name), attribute, None)
    except ImportError as error:
        raise UsageError(f"--cluster {words}: {error}; is the module in this folder, or installed?") from error
    if not callable(factory):
        raise UsageError(f"--cluster {words}: the module {name} has no function {attribute!r}")
    return OfExecutor(words, factory)
