"""The bytes of files, read by position: a regular file is read in place, and a pipe from a copy on the disk."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from losscli.errors import DataError
from losscli.records import dataclass, field

PIECE = 1 << 20
AHEAD = 1 << 10
"""Bytes from the beginning of a file that are read when it is opened, if it is one of many."""
LOOKERS = 16
"""Threads that open many files at once: on a disk of a network each of them waits for an answer."""
BOM = b"\xef\xbb\xbf"
"""The byte-order mark with which some programs begin text in UTF-8."""
IN_MEMORY = 16 << 20
"""Bytes. A copy of data that cannot be read twice, such as a pipe's, is kept on the disk if it is larger than this."""
RESERVE = 256 << 20
RESERVED_SHARE = 50
"""Copies leave RESERVE bytes of their disk free, or 1 / RESERVED_SHARE of a small disk."""

MOST_LISTED = 100
"""Files of which a receipt names each."""

Looked = Callable[[str, int, int], None]
"""Progress of reading a file once before the pass: called with its name, the number of
bytes done, and its size in bytes.
"""


class Raw(Protocol):
    """Bytes that can be read at any position, by several threads at the same time."""

    @property
    def size(self) -> int: ...

    @property
    def location(self) -> str | None:
        """A path by which other libraries can open the bytes, or None while they are in memory."""
        ...

    def read_into(self, view: memoryview, position: int) -> None:
        """Fill `view` with the bytes that begin at `position`; raise a DataError if there are too few."""
        ...

    def read(self, position: int, size: int) -> bytes:
        """Return `size` bytes that begin at `position`; raise a DataError if there are too few."""
        ...

    def check(self) -> None:
        """Raise a DataError if the bytes changed since they were opened."""
        ...


def behind_mark(raw: Raw) -> int:
    """Return the position at which text begins: behind a byte-order mark, if there is one."""
    return len(BOM) if raw.read(0, min(len(BOM), raw.size)) == BOM else 0


class RawFile:
    """A regular file, which must not change while it is read.

    `held` says whether the file is kept open. Where an operand has many shards, each is opened anew for every read,
    since a process may have only a limited number of files open. The first bytes of such a file are held until `forget`, so
    that it is opened only once to see what it is.
    """

    def __init__(self, name: str, path: Path, held: bool = True) -> None:
        self.name, self.path, self.held = name, path, held
        self.descriptor: int | None = os.open(path, os.O_RDONLY)
        status = os.fstat(self.descriptor)
        self.stamp, self.size = _stamp(status), status.st_size
        self.head = b""
        if not held:
            self.head = os.pread(self.descriptor, AHEAD, 0)
            self.__del__()

    @property
    def location(self) -> str:
        return str(self.path)

    def read_into(self, view: memoryview, position: int) -> None:
        with self._opened() as descriptor:
            _fill(descriptor, view, position, self.name)

    def forget(self) -> None:
        """Free the first bytes, which are held of a file that is not."""
        self.head = b""

    def read(self, position: int, size: int) -> bytes:
        if position + size <= len(self.head):
            return self.head[position : position + size]
        with self._opened() as descriptor:
            return _taken(descriptor, position, size, self.name)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            if self.descriptor is not None:
                yield self.descriptor
                return
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                yield descriptor
                self._check(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DataError(f"{self.name}: cannot be read: {error.strerror or error}") from error

    def check(self) -> None:
        """Raise a DataError if the file changed since it was opened."""
        if self.descriptor is not None:
            self._check(self.descriptor)

    def _check(self, descriptor: int) -> None:
        if _stamp(os.fstat(descriptor)) != self.stamp:
            raise DataError(f"{self.name}: the file changed while it was read; run again when it is written")

    def __getstate__(self) -> tuple[str, str, bool, tuple[int, ...]]:
        # Another process may run in another folder, where /dev/fd/0 is another file too.
        own = str(self.path).startswith(("/dev/", "/proc/"))
        path = os.path.realpath(self.path) if own else os.path.abspath(self.path)
        return self.name, path, self.held, self.stamp[2:]

    def __setstate__(self, state: tuple[str, str, bool, tuple[int, ...]]) -> None:
        """Open the file in another process, or on another machine.

        Raises
        ------
        DataError
            if there is none, or it is another one than here: of another size, or changed at another time. Numbers of devices
            and files are not compared, since they differ from machine to machine on a shared disk.
        """
        name, path, held, (size, changed) = state
        try:
            self.__init__(name, Path(path), held)  # type: ignore[misc]
        except OSError as error:
            from socket import gethostname

            raise DataError(
                f"{name}: cannot be read on {gethostname()} as {path}: {error.strerror or error}; all workers need the files "
                "under the same path, as on a shared disk"
            ) from error
        if self.stamp[2:] != (size, changed):
            from socket import gethostname

            what = f"{self.size:,} bytes and not {size:,}" if self.size != size else "changed at another time"
            raise DataError(
                f"{name}: {path} is another file on {gethostname()} ({what}); all workers need the same files, with their times "
                "(cp -p, rsync -t) if they are copied"
            )

    def __del__(self) -> None:
        descriptor, self.descriptor = getattr(self, "descriptor", None), None
        if descriptor is not None:
            os.close(descriptor)


def opened_ahead(paths: Sequence[str]) -> dict[str, RawFile]:
    """Open many files at once, and return those that can be opened, which are not held open."""
    from concurrent.futures import ThreadPoolExecutor
    from stat import S_ISREG

    def some(first: int) -> dict[str, RawFile]:
        found = {}
        for path in paths[first : first + step]:
            with suppress(OSError):
                if S_ISREG(os.stat(path).st_mode):  # a named pipe would be waited for
                    found[path] = RawFile(path, Path(path), held=False)
        return found

    step = max(1, min(256, len(paths) // (2 * LOOKERS)))
    with ThreadPoolExecutor(LOOKERS) as threads:
        return {path: raw for part in threads.map(some, range(0, len(paths), step)) for path, raw in part.items()}


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    """Return what identifies a file and its state: device, inode, size and time of the last change."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _fill(descriptor: int, view: memoryview, position: int, name: str) -> None:
    """Fill `view` with the bytes of a file that begin at `position`."""
    while view:
        got = os.preadv(descriptor, [view], position)
        if not got:
            raise DataError(f"{name}: the file became shorter while it was read; run again when it is written")
        view, position = view[got:], position + got


def _taken(descriptor: int, position: int, size: int, name: str) -> bytes:
    """Return `size` bytes of a file that begin at `position`."""
    pieces = []
    while size:
        pieces.append(os.pread(descriptor, size, position))
        if not pieces[-1]:
            raise DataError(f"{name}: the file became shorter while it was read; run again when it is written")
        position, size = position + len(pieces[-1]), size - len(pieces[-1])
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Nameless:
    """A temporary file without a name, in the folder that `tempfile` uses: it is gone with
    this object, or with the process.
    """

    def __init__(self) -> None:
        from tempfile import TemporaryFile

        with TemporaryFile(buffering=0) as file:
            self.descriptor = os.dup(file.fileno())

    def __getstate__(self) -> Any:
        raise TypeError("a file without a name is known to this process only")

    @property
    def path(self) -> str:
        """A path by which other libraries in this process can open the file."""
        return f"/dev/fd/{self.descriptor}"

    def __del__(self) -> None:
        if "descriptor" in self.__dict__:
            os.close(self.descriptor)


@dataclass
class Spool:
    """A copy of bytes that arrive one after another: in memory while it is small, then in a
    temporary file without a name.

    The file is in the folder that `tempfile` uses, which the environment variable TMPDIR sets. Bytes that were
    written can be read at any position. Another process cannot read it: rows of it are sent there.
    """

    travels = False
    name: str
    size: int = 0
    most_held: int | None = None
    """Number of bytes up to which the copy stays in memory; None for `IN_MEMORY`."""
    _held: bytearray = field(default_factory=bytearray)
    _file: "Nameless | None" = None

    def expect(self, size: int) -> None:
        """Announce how many bytes will be written, so that a full disk is noticed before they are copied.

        Raises
        ------
        DataError
            if the disk has too little room for them.
        """
        if size > IN_MEMORY:
            try:
                self._file = Nameless()
                self._leave_room(size)
            except OSError as error:
                raise no_room(self.name, f"{size:,} bytes: {error.strerror or error}") from error

    def allocate(self, size: int) -> None:
        """Make room for `size` bytes, which may then be written in any order."""
        self.write_at(b"", size)

    def write(self, data: bytes | memoryview) -> int:
        """Append bytes, and return how many there were."""
        length = memoryview(data).nbytes
        self.write_at(data, self.size)
        return length

    def write_at(self, data: bytes | memoryview, position: int) -> None:
        """Write bytes that begin at `position`.

        Raises
        ------
        DataError
            if the disk has too little room for them.
        """
        view = memoryview(data)
        view = view.cast("B") if view.nbytes else memoryview(b"")  # an empty view cannot be cast
        end = max(self.size, position + len(view))
        try:
            if self._file is None and end > (IN_MEMORY if self.most_held is None else self.most_held):
                self._file = Nameless()
                _write(self._file.descriptor, memoryview(self._held), 0)
                self._held = bytearray()
            if self._file is None:
                self._held += bytes(end - self.size)
                self._held[position : position + len(view)] = view
            elif len(view):
                self._leave_room(len(view))
                _write(self._file.descriptor, view, position)
            else:
                os.ftruncate(self._file.descriptor, end)
        except OSError as error:
            raise no_room(self.name, str(error.strerror or error)) from error
        self.size = end

    def _leave_room(self, size: int) -> None:
        # A file that unpacks to a huge size must not fill the disk for everybody else.
        assert self._file is not None
        disk = os.fstatvfs(self._file.descriptor)
        left = disk.f_bavail * disk.f_frsize - size
        if left < min(RESERVE, disk.f_blocks * disk.f_frsize // RESERVED_SHARE):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @property
    def location(self) -> str | None:
        return None if self._file is None else self._file.path

    def check(self) -> None:
        pass  # nobody else can change the copy

    def read_into(self, view: memoryview, position: int) -> None:
        if self._file is not None:
            _fill(self._file.descriptor, view, position, self.name)
        else:
            view[:] = memoryview(self._held)[position : position + len(view)]

    def read(self, position: int, size: int) -> bytes:
        if self._file is not None:
            return _taken(self._file.descriptor, position, size, self.name)
        return bytes(self._held[position : position + size])

    @classmethod
    def copy(cls, name: str, pieces: Iterable[bytes]) -> "Spool":
        """Return a spool that holds all the pieces, one after another."""
        spool = cls(name)
        for piece in pieces:
            spool.write(piece)
        return spool


def no_room(name: str, why: str) -> DataError:
    """Return the error to raise when there can be no copy, for the reason `why`: the folder for temporary files has too little room, mostly."""
    from tempfile import gettempdir

    from losscli.io.guarded import limit_in  # for this message only

    limit = limit_in(why)
    if limit is not None:
        return DataError(f"{name}: {limit}")

    try:
        folder = gettempdir()
    except OSError:
        folder = os.environ.get("TMPDIR", "the folder for temporary files")
    return DataError(
        f"{name}: no room for a copy in {folder} ({why}); "
        "set TMPDIR to a folder with more, or give an .npy file, which is read where it lies"
    )


def pieces_of(stream: Any) -> Iterator[bytes]:
    """Yield the bytes of a stream in pieces of at most `PIECE`; a signal is handled between two of them."""
    while data := stream.read(PIECE):
        yield data


def is_far(raw: Raw) -> bool:
    """Whether each read of bytes takes a request to another machine."""
    return getattr(raw, "far", False)


def identities(raws: Iterable[Raw]) -> list[dict[str, Any]]:
    """Return what tells the state of each file that is not on this machine: its name, its bytes, and its ETag or last change.

    More than `MOST_LISTED` files are one entry, with their number, their bytes, and the SHA-256 of their own entries.
    """
    each: list[dict[str, Any]] = [raw.identity for raw in raws if is_far(raw)]  # type: ignore[attr-defined]
    if len(each) <= MOST_LISTED:
        return each
    import hashlib
    import json

    digest = hashlib.sha256("".join(json.dumps(one) + "\n" for one in each).encode()).hexdigest()
    return [{"files": len(each), "bytes": sum(one["bytes"] for one in each), "sha256": digest}]


def at_hand(raw: Raw, looked: Looked = lambda name, done, size: None) -> Raw:
    """Return bytes as they are if they are on this machine, and else a copy of them, made in one pass."""
    if not is_far(raw):
        return raw
    name: str = raw.name  # type: ignore[attr-defined]
    copy = Spool(name)
    copy.expect(raw.size)
    for piece in pieces_of(Reader(raw)):
        copy.write(piece)
        looked(name, copy.size, raw.size)
    return copy


def _write(descriptor: int, view: memoryview, position: int) -> None:
    while view:
        written = os.pwrite(descriptor, view, position)
        view, position = view[written:], position + written


@dataclass
class Reader:
    """A file-like stream over raw bytes, with the methods that `zipfile`, `gzip` and NumPy's header readers call."""

    raw: Raw
    position: int = 0

    def read(self, size: int = -1) -> bytes:
        left = max(self.raw.size - self.position, 0)
        size = left if size < 0 else min(size, left)
        data = self.raw.read(self.position, size)
        self.position += size
        return data

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = 0) -> int:
        position = offset + (0, self.position, self.raw.size)[whence]
        if position < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))  # the error that a real file raises
        self.position = position
        return self.position

    def seekable(self) -> bool:
        return True


def blocks_of(raw: Raw, start: int, stop: int, size: int) -> Iterator[memoryview]:
    """Yield the bytes from `start` to `stop` in views of at most `size` bytes; each view is
    valid until the next is yielded.
    """
    held = memoryview(bytearray(min(size, max(stop - start, 0))))
    for position in range(start, stop, size):
        view = held[: min(size, stop - position)]
        raw.read_into(view, position)
        yield view


@dataclass
class Begun:
    """A stream whose first bytes were read already, and can be read once more after `again`."""

    stream: IO[bytes]
    held: bytes = b""
    position: int = 0

    def again(self) -> "Begun":
        """Go back to the first byte."""
        self.position = 0
        return self

    def read(self, size: int) -> bytes:
        if len(self.held) < self.position + size:
            self.held += self.stream.read(self.position + size - len(self.held))
        data = self.held[self.position : self.position + size]
        self.position += len(data)
        return data
