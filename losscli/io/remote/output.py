"""Outputs that are sent elsewhere while they are made, and appear there as a whole, or not at all."""

import contextlib
import time
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread, main_thread
from typing import Any

from losscli.definition.address import shown
from losscli.errors import DataError, UsageError
from losscli.io.remote.store import Address, failure, obstore

PART = 32 << 20
"""Bytes of a part of an upload. An object of S3 has at most 10,000 parts."""
AT_ONCE = 2
"""Parts that are sent at the same time."""
TURN = 0.05
"""Seconds after which a thread that waits looks whether the upload was cancelled."""
MOST_WAIT = 20
"""Seconds that the end of a cancelled upload is waited for."""


class _CancelledError(Exception):
    """The upload is to be given up."""


class RemoteOutput:
    """An object that appears under its address only when `publish` is called, with the methods of an `AtomicFile`.

    It is an upload of several parts, which a server keeps apart until they are put together; one that is given up is
    removed from the server. The upload begins at once, so that a bucket that may not be written to is known before
    the work is done.
    """

    def __init__(self, text: str, unfinished: set[Any]) -> None:
        self.unfinished = unfinished
        """The outputs that a signal removes, of which this is one until it is published."""
        self.path = self.target = shown(text)
        self.address = Address.parse(self.target)
        if not self.address.listed:
            raise UsageError(f"{self.path}: web servers take no files; write to s3://, gs:// or az://, or to a file")
        if not self.address.key or self.address.key.endswith("/"):
            raise UsageError(f"{self.path}: names no object; say s3://bucket/file.csv")
        self.temporary: RemoteOutput | None = self
        self.error: BaseException | None = None
        self.published = False
        self._buffer = bytearray()
        self._parts: Queue[bytes | None] = Queue(1)
        self._begun, self._waits, self._cancelled = Event(), Event(), False
        store, key = self.address.connect()
        self._thread = Thread(target=self._upload, args=(store, key))
        unfinished.add(self)  # noted before it begins, since a signal may come in between
        self._thread.start()
        self._until(self._begun.is_set)

    def _upload(self, store: object, key: str) -> None:
        try:
            obstore().put(store, key, self._sent(), use_multipart=True, chunk_size=PART, max_concurrency=AT_ONCE)
        except BaseException as error:  # noqa: BLE001 - it is raised where the next part is written
            self.error = error

    def _sent(self) -> Iterator[bytes]:
        """Yield the parts as they are written; raise an error, upon which they are removed, if the upload was cancelled."""
        self._begun.set()
        while True:
            if self._cancelled or not main_thread().is_alive():
                raise _CancelledError
            try:
                part = self._parts.get(timeout=TURN)
            except Empty:
                self._waits.set()
                continue
            if part is None:
                return
            yield part

    def _until(self, done: Callable[[], bool]) -> None:
        """Wait until something is done, or raise the error that the upload ended with."""
        while not done():
            if not self._thread.is_alive() and self.error is not None:
                error = self.error
                self._end()
                raise error if isinstance(error, DataError) else failure(self.address, error, "written") from None
            time.sleep(TURN / 10)

    def write(self, data: bytes | memoryview) -> int:
        """Append bytes and return how many; raise a DataError if they cannot be sent."""
        self._buffer += memoryview(data).cast("B") if len(data) else b""
        while len(self._buffer) >= PART:
            self._put(bytes(self._buffer[:PART]))
            del self._buffer[:PART]
        return memoryview(data).nbytes

    def _put(self, part: bytes | None) -> None:
        self._waits.clear()

        def put() -> bool:
            with contextlib.suppress(Full):
                self._parts.put(part, timeout=TURN)
                return True
            return False

        self._until(put)

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0) -> int:
        raise AssertionError("what is sent cannot be changed any more")

    def finish(self) -> None:
        """Send every byte; nothing is published yet."""
        if self._buffer:
            self._put(bytes(self._buffer))
            self._buffer = bytearray()
        self._until(lambda: self._waits.is_set() and self._parts.empty())

    def publish(self) -> None:
        """Have the parts put together under the address."""
        self._put(None)
        self._until(lambda: not self._thread.is_alive() and self.error is None)
        self.published = True
        self._end()

    def discard(self) -> None:
        """Remove what was sent, if it was not published."""
        if not self.published:
            self._cancelled = True
            if self._thread.is_alive():
                self._thread.join(MOST_WAIT)
            self._end()

    def _end(self) -> None:
        self.temporary = None
        self.unfinished.discard(self)

    def unlink(self, missing_ok: bool = True) -> None:
        """Remove what was sent, when a signal ends the process."""
        self.discard()
