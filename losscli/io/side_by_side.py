"""Work that threads do side by side where Polars and NumPy hold Python's lock for little of it."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


def side_by_side(function: Callable[[int], T], number: int) -> Iterator[T]:
    """Yield what a function returns of 0, 1, 2 ..., below `number`, in this order; each of several threads is at one of them.

    Only as many are under way as there are threads, since memory must hold what is not taken yet.
    """
    if number <= 1:
        yield from map(function, range(number))
        return
    from concurrent.futures import ThreadPoolExecutor

    import polars as pl

    threads = pl.thread_pool_size()
    ahead: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads) as executor:
        for each in range(number):
            ahead.append(executor.submit(function, each))
            if len(ahead) == threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
