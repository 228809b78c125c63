"""Executors: a pool of threads that exists as long as it is needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Executor


def available_threads() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def pool(workers: int) -> "Iterator[Executor | None]":
    """Yield an executor with `workers` threads, or None if one thread is enough; it is shut down at the end."""
    if workers <= 1:
        yield None
        return
    with executor_of(workers) as executor:
        yield executor


def executor_of(workers: int) -> "Executor":
    """Return a pool of threads. It is imported only if needed, since that takes longer than a small computation."""
    from concurrent.futures import ThreadPoolExecutor

    keep_freed_memory()
    return ThreadPoolExecutor(workers)


@lru_cache(maxsize=1)
def keep_freed_memory() -> None:
    """Keep memory that was freed for the next batch.

    glibc gives the memory of every batch's temporaries back to the system, and gets it again, page by page, for the
    next batch: that costs a fifth of the time for few classes. If it is kept, it is no more than the peak.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        trim_threshold, mmap_threshold = -1, -3
        mallopt(trim_threshold, 256 << 20)
        mallopt(mmap_threshold, 32 << 20)
