"""Clusters: a pass whose chunks are computed by other processes, on this machine or on many, with the digits of threads.

The process that began the pass hands out errands, a second of work each, and adds up what comes back in the order of the rows.
"""

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from losscli.arrays import instructions
from losscli.engine.errand import Answer, Errand, Span, packed
from losscli.engine.outlet import Outlet
from losscli.engine.threads import available_threads
from losscli.engine.travel import narrowed, received
from losscli.errors import DataError, UsageError
from losscli.io.travel import Travellers
from losscli.numerals import is_count
from losscli.records import NamedTuple
from losscli.wording import listing

SECONDS = 1.0
"""How long an errand takes about, where the pass is long enough."""
SHARES = 4
"""A worker's share of the pass is at least so many errands, so that none waits long for the last one."""
UNDER_WAY = 2
"""Errands for each worker that are on their way: one is computed, and the next is there when it is done."""
TRIES = 3
"""How often an errand is handed out whose workers die of it."""
MUCH = 64 << 20
"""Bytes of rows that may go through this process before the user is told that workers could read them themselves."""
LEAST_BOUND, PER_CORE = 64, 4
"""Processes on this machine at most: so many, or so many per core if that is more. Each takes some 50 MB."""
FORMS = "local:N, tcp://HOST:PORT or module:factory"


class LostError(Exception):
    """A worker ended before it answered; the errand can be given to another one."""


class _Handed(NamedTuple):
    """An errand that was handed out."""

    errand: Errand
    arguments: tuple[Any, ...]
    """The arguments for this process, with everything that is not sent."""
    data: bytes
    future: Any


class Cluster(AbstractContextManager["Cluster"]):
    """The base of all clusters. It is reached at the first pass, and left at the end of its context.

    Attributes
    ----------
    words
        how it was named, for messages.
    notes
        what the user is told after a pass.
    outlet
        where workers write gradients themselves, if they see the disk; set by who writes the output.
    """

    tries = TRIES

    def __init__(self, words: str) -> None:
        self.words = words
        self.notes: list[str] = []
        self.outlet: Outlet | None = None
        self.simd: set[str] = set()
        """The levels of instructions of the workers that have answered."""
        self.handed = 0
        """Number of errands that were handed out so far."""

    def __exit__(self, *error: object) -> None:
        self.close()

    def size(self) -> int:
        """Return how many errands can be carried out at the same time, which may change during a pass."""
        raise NotImplementedError

    def submit(self, data: bytes) -> Any:
        """Hand out an errand, and return a future with `cancel`."""
        raise NotImplementedError

    def result(self, future: Any) -> bytes:
        """Wait for an answer.

        Raises
        ------
        LostError
            if its worker ended.
        DataError
            if the cluster is gone.
        """
        raise NotImplementedError

    def lost(self, future: Any) -> bool:
        """Whether an errand that is waited for later was lost already."""
        return False

    def close(self) -> None:
        """Leave the cluster; processes that were started for it end."""

    def described(self) -> str:
        """Return the cluster in a few words, for the line of progress."""
        return f"{self.size()} workers"

    def in_order(
        self,
        function: Callable[..., Any],
        arguments: Callable[[int, int], tuple[Any, ...]],
        bounds: Sequence[Span],
        through: bool = False,
    ) -> Iterator[Any]:
        """Yield the result of `function(*arguments(start, stop), start, stop)` for each chunk, in their order.

        Parameters
        ----------
        arguments
            makes the arguments for the rows from start to stop, for one chunk or several in a row; called in order.
        through
            whether results are as large as what is read, so that few of them may wait.
        """
        if not bounds:
            return
        way, pending = Travellers(), deque[_Handed]()
        plan = _Plan(bounds, through and self.outlet is None)
        try:
            while plan.left or pending:
                size = max(1, self.size())
                while plan.left and len(pending) < UNDER_WAY * size:
                    spans = plan.take(size)
                    pending.append(self._hand_out(function, arguments, spans, way))
                handed = pending.popleft()
                yield from self._results(handed, pending, plan)
        finally:
            for handed in pending:
                handed.future.cancel()
            self._tell(way)

    def _hand_out(
        self,
        function: Callable[..., Any],
        arguments: Callable[[int, int], tuple[Any, ...]],
        spans: Sequence[Span],
        way: Travellers,
    ) -> _Handed:
        start, stop = spans[0][0], spans[-1][1]
        own = arguments(start, stop)
        errand = Errand(function, narrowed(own, start, stop, way), spans, self.outlet)
        data = packed(errand)
        self.handed += 1
        return _Handed(errand, own, data, self.submit(data))

    def _results(self, handed: _Handed, pending: "deque[_Handed]", plan: "_Plan") -> Iterator[Any]:
        """Yield the results of an errand. If its worker is lost, it is handed out again, with those that were lost with it."""
        attempt = 1
        while True:
            try:
                answer: Answer = pickle.loads(self.result(handed.future))
                break
            except LostError as lost:
                if attempt == self.tries:
                    spans = handed.errand.spans
                    raise DataError(
                        f"--cluster {self.words}: the worker ended each time that rows {spans[0][0]:,} to {spans[-1][1]:,} were computed "
                        f"({lost}); is memory short? Fewer workers on a machine need less"
                    ) from lost
                attempt += 1
                handed = handed._replace(future=self.submit(handed.data))
                for i, other in enumerate(pending):
                    if self.lost(other.future):
                        pending[i] = other._replace(future=self.submit(other.data))
        self.simd.add(answer.simd)
        plan.learn(answer.seconds, len(handed.errand.spans))
        for found in answer.results:
            yield received(handed.arguments, found)
        if answer.error is not None:
            self._raise(handed, answer)

    def _raise(self, handed: _Handed, answer: Answer) -> None:
        """Raise the error of a chunk: as this process would, which knows all of the files, if that meets it too."""
        assert answer.error is not None
        if isinstance(answer.error, DataError):
            start, stop = handed.errand.spans[len(answer.results)]
            handed.errand.function(*handed.arguments, start, stop)
        raise answer.error

    def _tell(self, way: Travellers) -> None:
        """Note what the user should know of a pass."""
        others = sorted(self.simd - {instructions()})
        if others:
            self._note(
                f"some of the work was done with other instructions ({listing(others)}) than this machine has ({instructions()}): "
                "last digits may differ from those of one machine"
            )
        for name, size in way.sent.items():
            if size > MUCH:
                self._note(
                    f"{name}: {size / 1e6:,.0f} MB of its rows were read here and sent to the workers; uncompressed .npy files, "
                    "which are on a disk that all of them see, they read themselves"
                )

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


class _Plan:
    """Cuts a pass into errands, each of as many chunks as take about a second."""

    def __init__(self, bounds: Sequence[Span], single: bool) -> None:
        self.bounds, self.single = bounds, single
        self.taken = 0
        self.seconds: float | None = None
        """What a chunk takes, going by the latest answers."""

    @property
    def left(self) -> int:
        return len(self.bounds) - self.taken

    def take(self, size: int) -> Sequence[Span]:
        """Return the chunks of the next errand, for a cluster of some size."""
        number = 1
        if self.seconds is not None and not self.single:
            most = max(1, len(self.bounds) // (SHARES * size))
            number = max(1, min(round(SECONDS / max(self.seconds, 1e-6)), most, -(-self.left // (2 * size))))
        self.taken += number
        return self.bounds[self.taken - number : self.taken]

    def learn(self, seconds: float, chunks: int) -> None:
        """Take account of how long some chunks took."""
        one = seconds / max(1, chunks)
        self.seconds = one if self.seconds is None else (self.seconds + one) / 2


def named(where: Any) -> AbstractContextManager[Cluster]:
    """Return the cluster of some words, or of an executor, to be entered; nothing is started yet. One that is a cluster already stays open.

    Raises
    ------
    UsageError
        if the words are none of a cluster, or what they need is not installed.
    """
    if isinstance(where, Cluster):
        return nullcontext(where)
    if not isinstance(where, str):
        from losscli.engine.cluster_executor import OfExecutor

        return OfExecutor(type(where).__name__, lambda: where, own=False)
    scheme, _, rest = where.partition(":")
    if scheme == "local":
        from losscli.engine.cluster_local import LocalProcesses

        if not (is_count(rest) and int(rest) >= 1):
            raise UsageError(f"--cluster {where}: say how many processes, as in local:4")
        if int(rest) > (most := max(LEAST_BOUND, PER_CORE * available_threads())):
            raise UsageError(
                f"--cluster {where}: too many processes for a machine of {available_threads()} cores; say {most} at most"
            )
        return LocalProcesses(where, int(rest))
    if "://" in where or where in ("", "dask"):
        from losscli.engine.cluster_dask import Dask, address_of

        return Dask(address_of(where))
    from losscli.engine.cluster_executor import of_factory

    return of_factory(where)
