"""The bytes of one object, read by ranges, some ahead of where they are needed; it must not change meanwhile.

Every answer of the server is compared with the first one: by its ETag, or by the time of its last change where the server
gives none, and by its size. So no request is needed at the end, and none of the bytes that were used can be another
object's.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import cache, cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from losscli.errors import DataError
from losscli.io.bytes import PIECE, Spool
from losscli.io.remote.store import Address, changed, errors, failure, is_changed, is_passing, obstore
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from obstore.store import ObjectStore

HEAD = 16 << 10
"""Bytes at the beginning of an object that are read when it is opened: most headers are in them."""
LEAST = 64 << 10
"""Bytes that a request reads at least, since a small one takes as long."""
REQUEST = 16 << 20
"""Bytes that a request reads at most, as many as a chunk of rows has; larger pieces are several requests at the same time."""
AHEAD = 32 << 20
"""Bytes that are read at most beyond those that are needed now."""
MOST_HELD = 256 << 20
"""Bytes of one object that are in memory at most before they are needed."""
REQUESTS = 16
"""Requests at the same time."""
_begun: dict[str, int] = {}
"""The process that made requests first."""
TRIES = 5
"""How often an answer may break off that was begun."""
WAIT = 0.1
"""Seconds before such a request is repeated for the first time; they double."""


class Stamp(NamedTuple):
    """What tells one state of an object from another: its size, its ETag, and the time of its last change."""

    size: int
    tag: str | None
    modified: str | None

    @classmethod
    def of(cls, meta: Any) -> "Stamp":
        """Return that of an object from what the server says of it."""
        modified = meta["last_modified"]
        known = modified is not None and modified.timestamp() > 0  # obstore says 1970 if the server says nothing
        return cls(int(meta["size"]), meta["e_tag"], modified.isoformat() if known else None)

    def fits(self, other: "Stamp") -> bool:
        """Whether two are of the same state. The time counts only where there is no ETag: copies of a server may differ in it."""
        tags = [stamp.tag and stamp.tag.strip('"') for stamp in (self, other)]  # lists of Azure have no quotes
        same = tags[0] == tags[1] if all(tags) else self.modified == other.modified
        return self.size == other.size and same


@dataclass
class Segment:
    """Bytes that were asked for before they are needed: from `start` to `stop`, of which `left` were not taken yet."""

    start: int
    stop: int
    data: "Future[Any]"
    expected: bool
    """Whether it was said that they are needed, so that reading them tells nothing about what comes next."""
    left: int


class RemoteFile:
    """An object, read by position. It is pickled as its address and its stamp, without credentials: another process
    gets its own from its environment, and an error if the object is another one there.
    """

    far = True

    def __init__(self, address: Address, stamp: Stamp | None = None) -> None:
        self._begin(address)
        if stamp is None:
            in_background(self._open).result()
        else:
            self.stamp = stamp

    def _begin(self, address: Address) -> None:
        self.address, self.name = address, address.name
        self.stamp = Stamp(0, None, None)
        self.head = b""
        self.copy: Spool | None = None
        """The whole file, if its server gives no ranges."""
        self.only_whole = False
        self._lock = Lock()
        self._segments: dict[int, Segment] = {}
        self._ends: dict[int, int] = {}
        """Positions at which reads ended lately -> how many bytes were read before each without a gap."""
        self._starts: dict[int, None] = {}
        """Positions at which reads began lately: another thread has read what is behind them, and further."""

    def __getstate__(self) -> tuple[Address, Stamp, bool]:
        if "?..." in self.name:
            raise DataError(
                f"{self.name}: its query may be a secret, and stays in the process in which it was typed; "
                "for other processes, use s3:// and credentials that they have too"
            )
        return self.address, self.stamp, self.only_whole

    def __setstate__(self, state: tuple[Address, Stamp, bool]) -> None:
        self._begin(state[0])
        _, self.stamp, self.only_whole = state

    def __repr__(self) -> str:
        return f"RemoteFile({self.name!r})"

    def __del__(self) -> None:
        for segment in list(getattr(self, "_segments", {}).values()):
            segment.data.cancel()

    @cached_property
    def _store(self) -> "tuple[ObjectStore, str]":
        return self.address.connect()

    @property
    def size(self) -> int:
        return self.stamp.size

    @property
    def location(self) -> str | None:
        return None if self.copy is None else self.copy.location

    @property
    def etag(self) -> str | None:
        """The server's tag of the object's state, if it gives one."""
        return self.stamp.tag and self.stamp.tag.strip('"')

    @property
    def identity(self) -> dict[str, Any]:
        """What a receipt says of the object, so that another run can tell whether it has the same one."""
        size, tag, modified = self.stamp
        said = {"etag": self.etag} if tag else {"last_modified": modified} if modified else {}
        return {"file": self.name, "bytes": size, **said}

    def check(self) -> None:
        pass  # each answer was compared with the first one

    def _open(self) -> None:
        """Read the first bytes, and learn the object's size and stamp from the same answer."""
        try:
            result, data = self._request({"range": (0, HEAD)})
        except errors() as error:
            name = type(error).__name__
            if name == "NotSupportedError":
                self.only_whole = True
                self._copy()
                return
            if "status code: 416" in str(error):  # an empty object has no first bytes
                store, key = self._store
                self.stamp = Stamp.of(store.head(key))
                return
            raise
        self.stamp, self.head = Stamp.of(result.meta), bytes(data)

    def _whole(self) -> Spool:
        """Return the copy of the whole file, which is made anew in another process."""
        with self._lock:
            if self.copy is None:
                in_background(self._copy).result()
        assert self.copy is not None
        return self.copy

    def _copy(self) -> None:
        """Copy the whole file, since its server gives no parts of it."""
        store, key = self._store
        result = obstore().get(store, key)
        stamp = Stamp.of(result.meta)
        if self.stamp.size and not stamp.fits(self.stamp):
            raise changed(self.name)
        try:
            self.copy = Spool.copy(self.name, (bytes(piece) for piece in result.stream(min_chunk_size=PIECE)))
        except errors() as error:
            raise failure(self.address, error) from None
        if self.copy.size != stamp.size:
            raise DataError(
                f"{self.name}: the server broke off after {self.copy.size:,} of {stamp.size:,} bytes; run again"
            )
        self.stamp, self.head = stamp, b""

    def read(self, position: int, size: int) -> bytes:
        if position >= 0 and position + size <= len(self.head):
            return self.head[position : position + size]
        data = bytearray(size)
        self.read_into(memoryview(data), position)
        return bytes(data)

    def read_into(self, view: memoryview, position: int) -> None:
        view = view.cast("B") if view.format != "B" else view
        stop = position + len(view)
        if stop > self.size:
            raise DataError(f"{self.name}: ends at byte {self.size:,}, before byte {stop:,}; write it again")
        if self.only_whole:
            self._whole().read_into(view, position)
            return
        if stop <= len(self.head):
            view[:] = self.head[position:stop]
            return
        self._look_ahead(position, stop)
        for piece in self._pieces(position, stop):
            view[: len(piece)] = piece
            view = view[len(piece) :]

    def view(self, position: int, size: int) -> memoryview | None:
        """Return bytes that were asked for as needed, without a copy; None if they did not come in one piece, or were not asked for."""
        with self._lock:
            segment = next((part for part in self._segments.values() if part.start <= position < part.stop), None)
        if segment is None or not segment.expected or position + size > segment.stop or not size:
            return None
        return next(self._pieces(position, position + size))

    def fetch(self, position: int, size: int, alone: bool = False) -> None:
        """Begin to read bytes that will be needed next, all of them and once.

        If that is said of one piece after another, those behind them are read as well, unless these are needed `alone`.
        """
        if size and not self.only_whole:
            with self._lock:
                self._ask(position, min(position + size, self.size), True)
                if not alone:
                    self._ask_ahead(position, position + size)

    def fetch_head(self) -> None:
        """Read the first bytes of an object that was listed, and not opened."""
        if not self.head and self.size:
            self.head = bytes(self._get(0, min(HEAD, self.size)))

    def release(self) -> None:
        """Forget the first bytes, where there are many files."""
        self.head = b""

    def _look_ahead(self, start: int, stop: int) -> None:
        """Ask for bytes that are read now, unless they were asked for, and for those behind them if reads follow one another."""
        with self._lock:
            if all(segment is not None and segment.expected for _, _, segment in self._parts(start, stop)):
                return
            least = start if start + LEAST <= self.size else max(0, self.size - LEAST)
            small = stop - start < LEAST and self._ends.get(start) is None
            if small and all(segment is None for _, _, segment in self._parts(start, stop)):
                self._ask(min(start, least), min(max(stop, start + LEAST), self.size), False)
            else:
                self._ask(start, stop, False)
            self._ask_ahead(start, stop)

    def _ask_ahead(self, start: int, stop: int) -> None:
        run = self._ends.pop(start, 0) + stop - start
        self._ends[stop] = run
        self._starts[start] = None
        for lately in (self._ends, self._starts):
            while len(lately) > 4 * REQUESTS:
                del lately[next(iter(lately))]
        if run > stop - start and stop not in self._starts:
            self._ask(stop, min(stop + min(run, AHEAD), self.size), False)

    def _parts(self, start: int, stop: int) -> Iterator[tuple[int, int, Segment | None]]:
        """Yield the parts of a range with the segment that each lies in, or None if it was not asked for."""
        for segment in sorted(self._segments.values(), key=lambda segment: segment.start):
            if segment.stop <= start or segment.start >= stop:
                continue
            if segment.start > start:
                yield start, segment.start, None
                start = segment.start
            yield start, min(stop, segment.stop), segment
            start = min(stop, segment.stop)
        if start < stop:
            yield start, stop, None

    def _ask(self, start: int, stop: int, expected: bool) -> None:
        """Ask for the parts of a range that were not asked for."""
        for begin, end, segment in list(self._parts(start, stop)):
            if segment is not None:
                if expected and not segment.expected:  # what was taken of it before will be taken once more
                    segment.expected, segment.left = True, segment.stop - segment.start
                continue
            for first in range(begin, end, REQUEST):
                last = min(first + REQUEST, end)
                data = in_background(self._get, first, last)
                self._segments[first] = Segment(first, last, data, expected, last - first)
        held = sum(segment.stop - segment.start for segment in self._segments.values())
        for begin, segment in list(self._segments.items()):
            if held <= MOST_HELD:
                break
            if not segment.expected and segment.stop <= start:
                held -= segment.stop - segment.start
                del self._segments[begin]

    def _pieces(self, start: int, stop: int) -> Iterator[memoryview]:
        """Yield the bytes of a range in pieces, as they come."""
        with self._lock:
            parts = list(self._parts(start, stop))
        for begin, end, segment in parts:
            if segment is None:
                for first in range(begin, end, REQUEST):
                    yield memoryview(in_background(self._get, first, min(first + REQUEST, end)).result())
                continue
            try:
                data = memoryview(segment.data.result())
            except CancelledError:  # another thread met an error, and this one should meet it too
                yield memoryview(in_background(self._get, begin, end).result())
                continue
            except BaseException:
                self._forget()
                raise
            with self._lock:
                segment.left -= end - begin
                if segment.left <= 0 and self._segments.get(segment.start) is segment:
                    del self._segments[segment.start]
            yield data[begin - segment.start : end - segment.start]

    def _forget(self) -> None:
        """Ask for nothing more, after an error."""
        with self._lock:
            for segment in self._segments.values():
                segment.data.cancel()
            self._segments = {}

    def _get(self, start: int, stop: int) -> Any:
        """Return the bytes of a range, in one request; a DataError if there are none, or they are of another object."""
        tag = self.stamp.tag
        options: dict[str, Any] = {"range": (start, stop)}
        if tag is not None and not tag.startswith("W/"):  # a weak one never matches
            options["if_match"] = tag
        try:
            result, data = self._request(options)
        except errors() as error:
            raise changed(self.name) if is_changed(error) else failure(self.address, error) from None
        if not Stamp.of(result.meta).fits(self.stamp) or len(data) != stop - start:
            raise changed(self.name)
        return data

    def _request(self, options: dict[str, Any]) -> tuple[Any, Any]:
        """Return the answer to a request, and its bytes. An answer that breaks off is asked for again, a limited number of times."""
        store, key = self._store
        package = obstore()
        for attempt in range(1, TRIES + 1):
            try:
                result = package.get(store, key, options=options)
                return result, result.bytes()
            except errors() as error:
                if attempt == TRIES or not is_passing(error):
                    raise
            time.sleep(WAIT * 2**attempt)
        raise AssertionError


@cache
def _requests(process: int) -> ThreadPoolExecutor:
    """Return the threads that wait for answers, for each process its own."""
    return ThreadPoolExecutor(REQUESTS, "losscli-remote")


def in_background(function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
    """Run a function that makes requests in a thread, so that a signal does not wait for the answer.

    Raises a DataError in a process that was forked from one that made requests: it would wait for threads that it does not have.
    """
    if _begun.setdefault("process", os.getpid()) != os.getpid():
        raise DataError(
            "files that live elsewhere cannot be read in a process that was forked from one that read some; "
            "start it anew (multiprocessing's 'spawn' or 'forkserver')"
        )
    return _requests(os.getpid()).submit(function, *arguments)
