"""Where the chunks of a pass are computed: on threads of this process, or on the cluster that a command was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from losscli.engine.job import CHUNK_BYTES, Job, threads_for
from losscli.engine.threads import available_threads, keep_freed_memory, pool

if TYPE_CHECKING:
    from losscli.engine.cluster import Cluster

_CURRENT: "ContextVar[Cluster | None]" = ContextVar("cluster", default=None)


def current() -> "Cluster | None":
    """Return the cluster on which passes are made now; None for threads."""
    return _CURRENT.get()


@contextmanager
def cluster(where: Any) -> "Iterator[Cluster | None]":
    """Make all passes inside the context on a cluster, with the same digits as on threads.

    Parameters
    ----------
    where
        'local:4' for so many processes on this machine, the address of a Dask scheduler, 'module:factory' for a function that
        returns a `concurrent.futures.Executor`, or such an executor itself; None for threads.

    Raises
    ------
    UsageError
        if it names no cluster.
    DataError
        at the first pass, if the cluster cannot be reached.
    """
    if where is None:
        yield None
        return
    from losscli.engine.cluster import named

    with named(where) as one:
        token = _CURRENT.set(one)
        try:
            yield one
        finally:
            _CURRENT.reset(token)


@contextmanager
def workers(job: Job, threads: int | None = None) -> "Iterator[Any]":
    """Yield what runs the chunks of a job: the cluster if there is one, else threads, or None if one thread is enough.

    A job whose every row needs all others stays here: each errand would carry the whole file.
    """
    one = current()
    if one is not None and job.extras.everyone is None and job.extras.whole is None:
        yield one
        return
    if job.size > CHUNK_BYTES:  # several chunks, of which each would get its memory anew
        keep_freed_memory()
    with pool(threads_for(job, threads or available_threads())) as executor:
        yield executor
