"""A cluster of Dask's, which is reached by the address of its scheduler."""

import logging
import os
import re
import time
import warnings
from typing import Any

from losscli.engine.cluster import Cluster, LostError
from losscli.engine.errand import run
from losscli.errors import DataError, UsageError

VARIABLE = "DASK_SCHEDULER_ADDRESS"
"""The environment variable of Dask for the address of its scheduler."""
PATIENCE = 10.0
"""Seconds after which a scheduler that does not answer is given up."""
WITHOUT = 60.0
"""Seconds after which a scheduler that has no workers is given up."""
LOOK = 1.0
"""Seconds between two looks at a cluster that is waited for."""


def address_of(words: str) -> str:
    """Return the address of a scheduler; 'dask' and '' stand for that of the environment.

    Raises
    ------
    UsageError
        if there is no address, or Dask is not installed.
    """
    address = words if "://" in words else os.environ.get(VARIABLE, "")
    if not address:
        raise UsageError(
            f"--cluster: no address of a scheduler; say --cluster tcp://HOST:8786, or set {VARIABLE}, or say local:N for processes here"
        )
    if not re.fullmatch(r"(tcp|tls|ucx|wss?)://.+:\d+/?", address):  # with others, Dask's client waits for ever
        raise UsageError(
            f"--cluster {address}: not the address of a scheduler, which is like tcp://HOST:8786 (or tls, ucx, ws, wss)"
        )
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise UsageError(f"--cluster {address}: needs Dask, which is not installed; pip install 'losscli[dask]'")
    return address


class Dask(Cluster):
    """The workers of a scheduler. Dask itself gives the work of a worker that ended to another one."""

    tries = 1  # it has given the work to several workers by itself

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.client: Any = None
        self.threads, self.workers, self.looked = 0, 0, -1e9
        self.levels: dict[str, int] = {}
        """The levels of Dask's loggers, as they were."""

    def _reached(self) -> Any:
        if self.client is None:
            from distributed import Client

            connect: Any = Client  # which has no types
            self._quiet()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of versions of what is not used here
                    self.client = connect(self.words, timeout=PATIENCE, set_as_default=False)
            except (OSError, ValueError, TypeError, ImportError) as error:
                raise DataError(
                    f"--cluster {self.words}: no scheduler of Dask answers there ({_first(error)})"
                ) from error
        return self.client

    def _quiet(self) -> None:
        """Keep Dask from printing faults, which are told in one line, as long as it is used here."""
        for name in list(logging.root.manager.loggerDict):
            if name.split(".")[0] in ("distributed", "tornado"):
                logger = logging.getLogger(name)
                self.levels[name] = logger.level
                logger.setLevel(logging.CRITICAL + 1)

    def size(self) -> int:
        """Return how many threads all workers have: at least 1, since some clusters start workers when there is work."""
        client = self._reached()
        if time.monotonic() - self.looked >= LOOK:
            self._look(client)
        return max(1, self.threads)

    def _look(self, client: Any) -> int:
        """Ask the scheduler how many threads its workers have."""
        try:
            found = dict(client.nthreads())
        except Exception as error:  # whatever Dask raises where the connection is lost
            raise self._gone(error) from error
        self.looked, self.workers, self.threads = time.monotonic(), len(found), sum(found.values())
        return self.threads

    def described(self) -> str:
        return f"{self.workers} workers, {self.threads} threads"

    def submit(self, data: bytes) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # rows that must be sent are sent
            return self._reached().submit(run, data, pure=False)

    def result(self, future: Any) -> bytes:
        from distributed import TimeoutError as NotYet

        without = time.monotonic()
        while True:
            try:
                data: bytes = future.result(timeout=LOOK)
            except NotYet:
                if self._look(self.client):
                    without = time.monotonic()
                elif time.monotonic() - without > WITHOUT:
                    raise DataError(
                        f"--cluster {self.words}: the scheduler has had no workers for {WITHOUT:.0f} s; start some: dask worker "
                        f"{self.words}"
                    ) from None
            except Exception as error:
                raise self._failed(error) from error
            else:
                return data

    def _failed(self, error: Exception) -> Exception:
        """Return what to raise for an error that is not an answer."""
        kind = type(error).__name__
        if kind == "KilledWorker":
            return LostError("killed, as Dask says")
        text = f"{error} {error.__cause__ or ''}"
        if "No module named 'losscli" in text:
            return DataError(
                f"--cluster {self.words}: a worker has no losscli, or an older one; install this version there"
            )
        if "Cancelled" in kind or isinstance(error, OSError) or "Comm" in kind or self.client.status != "running":
            return self._gone(error)
        return DataError(f"--cluster {self.words}: a worker cannot carry out its part ({kind}: {_first(error)})")

    def _gone(self, error: Exception) -> DataError:
        return DataError(
            f"--cluster {self.words}: the scheduler is gone ({_first(error) or type(error).__name__}); run again"
        )

    def close(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                client.close(timeout=2)
        for name, level in self.levels.items():
            logging.getLogger(name).setLevel(level)
        self.levels = {}


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
