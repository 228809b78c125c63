"""Sinks: files that are written completely or not at all."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, Self

from losscli.definition.address import is_remote, shown
from losscli.errors import DataError, UsageError

if TYPE_CHECKING:
    from losscli.io.remote.output import RemoteOutput

STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2, "/dev/fd/1": 1, "/dev/fd/2": 2}


def is_special(path: str, suffixes: tuple[str, ...]) -> bool:
    """Whether an output is a device or pipe, whose name does not say a format."""
    if path in STANDARD:
        return True
    try:
        special = not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path)
    except OSError:
        return False
    return special and not path.lower().endswith(suffixes)


def keep_apart(path: str | Path, inputs: Collection[str], option: str = "", what: str = "command") -> None:
    """Refuse an output that would overwrite an input.

    Parameters
    ----------
    inputs
        real paths of the files that are read.
    option
        the beginning of the message.
    what
        the thing that has the inputs, for the message.

    Raises
    ------
    UsageError
        if the output is an input as well.
    """
    if target_of(path) in inputs:
        raise UsageError(f"{option}{path}: is an input of this very {what}; write to another file")


def target_of(path: str | Path) -> str:
    """Return where an output goes: its path without links, or its address."""
    return shown(str(path)) if is_remote(str(path)) else os.path.realpath(path)


class Unfinished(Protocol):
    """What is there of an output until it is published."""

    def unlink(self, missing_ok: bool = False) -> None: ...


def hidden_name(name: str) -> str:
    """Return a new name for what an output of this name is until it is published; no longer than file systems allow."""
    begin = os.fsencode(name)[:200].decode(errors="ignore")  # they count bytes, not letters
    return f".{begin}.{os.getpid()}-{os.urandom(4).hex()}.losscli"


_temporaries: "set[Any]" = set()


@contextlib.contextmanager
def unfinished(temporary: Unfinished) -> Iterator[None]:
    """Know of what is there of an output while it is made, so that it is removed if the process is about to end, and at the end."""
    _temporaries.add(temporary)
    try:
        yield
    finally:
        temporary.unlink(missing_ok=True)
        _temporaries.discard(temporary)


def remove_temporaries() -> None:
    """Remove every file that is not published yet, for a process that is about to end."""
    for temporary in list(_temporaries):
        temporary.unlink(missing_ok=True)


NOT_REPLACED = (errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES)
"""Why a file that may be written cannot be replaced by another one: a container has it mounted, or it is another user's in a
folder such as /tmp."""


def _made_alike(file: int, target: Path, old: os.stat_result) -> bool:
    """Give a new file the owner, the permissions and the attributes (access lists among them) of the one that it replaces.

    Returns whether that is allowed.
    """
    new = os.fstat(file)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(file, old.st_uid, old.st_gid)
        except OSError:
            return False
    os.fchmod(file, stat.S_IMODE(old.st_mode))
    for name in os.listxattr(target) if hasattr(os, "listxattr") else ():
        with contextlib.suppress(OSError):
            os.setxattr(file, name, os.getxattr(target, name))
    return True


def _written_over(source: Path, target: Path) -> None:
    """Write the content of a file over that of another one, once the disk has given it all the room that it needs."""
    with open(source, "rb") as new, open(target, "r+b") as file:
        size, before = os.fstat(new.fileno()).st_size, os.fstat(file.fileno()).st_size
        try:
            if size > before and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            file.truncate(before)
            if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
                raise
        shutil.copyfileobj(new, file, 1 << 20)
        file.truncate(size)
        file.flush()
        os.fsync(file.fileno())


class Output(Protocol):
    """A file, or an object elsewhere, that appears under its name only when `publish` is called."""

    @property
    def path(self) -> Any: ...
    @property
    def target(self) -> Any: ...
    @property
    def temporary(self) -> Any:
        """What is there until it is published, or None."""
        ...

    def write(self, data: bytes | memoryview) -> int: ...
    def seekable(self) -> bool: ...
    def seek(self, offset: int, whence: int = 0) -> int: ...
    def finish(self) -> None: ...
    def publish(self) -> None: ...
    def discard(self) -> None: ...


class AtomicFile:
    """A file that appears under its name only when `publish` is called; until then the old one stays.

    A device or pipe that exists already is written to directly.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.target = Path(os.path.realpath(path))
        self.temporary: Path | None = None
        self.replaces = False
        """Whether there is an old file."""
        self.in_place = False
        """Whether the old file is written over, since a new one in its place would not be the same for others."""
        try:
            self.file: IO[Any] = self._open()
        except OSError as error:
            raise self._failed(error) from error

    def _open(self) -> IO[Any]:
        number = STANDARD.get(str(self.path))
        if number is not None:
            return os.fdopen(os.dup(number), "wb")  # opening it by name would truncate a file that it is redirected to
        try:
            old = self.path.stat()  # not the target's: /dev/stdout may lead to a path that does not exist
        except FileNotFoundError:
            return self._beside(self.target.parent, 0o666)
        if stat.S_ISDIR(old.st_mode):
            raise IsADirectoryError(21, "it is a folder")
        if not stat.S_ISREG(old.st_mode):
            return open(self.path, "wb")
        if not os.access(self.target, os.W_OK):
            raise PermissionError(13, "it is write-protected")
        self.replaces = True
        try:
            file = self._beside(self.target.parent, 0o600)  # never for more eyes than the old file
        except PermissionError:  # a file that may be written, in a folder that may not
            import tempfile  # hardly ever

            self.in_place = True
            return self._beside(Path(tempfile.gettempdir()), 0o600)
        self.in_place = not _made_alike(file.fileno(), self.target, old)
        return file

    def _beside(self, folder: Path, mode: int) -> IO[Any]:
        """Open the temporary file."""
        self.temporary = folder / hidden_name(self.target.name)
        _temporaries.add(self.temporary)  # noted before it exists, since a signal may come in between
        try:
            return os.fdopen(os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
        except OSError:
            _temporaries.discard(self.temporary)
            self.temporary = None
            raise

    def _failed(self, error: OSError) -> DataError:
        return DataError(f"{self.path}: cannot be written: {error.strerror or error}")

    def write(self, data: bytes | memoryview) -> int:
        """Append bytes and return how many; raise a DataError if they cannot be written."""
        try:
            return int(self.file.write(data))
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from error

    def seekable(self) -> bool:
        return self.temporary is not None

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        """Return how many bytes were written, all of which have left this process then."""
        self.file.flush()
        return self.file.tell()

    def finish(self) -> None:
        """Bring every byte to the disk; nothing is published yet. A file that is finished stays as it is."""
        if self.file.closed:
            return
        try:
            self.file.flush()
            if self.temporary is not None:
                os.fsync(self.file.fileno())
            self.file.close()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from error

    def publish(self) -> None:
        """Give the finished file its name, in place of an older one."""
        if self.temporary is not None:
            try:
                if not self.in_place:
                    self._rename(self.temporary)
                if self.in_place:
                    _written_over(self.temporary, self.target)
                    self.temporary.unlink()
            except OSError as error:
                raise self._failed(error) from error
            _temporaries.discard(self.temporary)
            self.temporary = None

    def _rename(self, temporary: Path) -> None:
        try:
            os.replace(temporary, self.target)
        except OSError as error:
            if not (self.replaces and error.errno in NOT_REPLACED):
                raise
            self.in_place = True

    def discard(self) -> None:
        """Remove the file if it was not published."""
        with contextlib.suppress(OSError):
            self.file.close()
        if self.temporary is not None:
            self.temporary.unlink(missing_ok=True)
            _temporaries.discard(self.temporary)
            self.temporary = None


class Outputs:
    """The files of one run: all are finished before the first is published, and none is left half-written."""

    def __init__(self) -> None:
        self.files: list[Output] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.discard()

    def open(self, path: str | Path) -> Output:
        """Open an output, a file or an address; raise a UsageError if it is an output already."""
        target = target_of(path)
        if any(str(file.target) == target for file in self.files if file.temporary is not None):
            raise UsageError(f"{path}: named for two outputs; give each its own file")
        file: Output = _remote(str(path)) if is_remote(str(path)) else AtomicFile(Path(path))
        self.files.append(file)
        return file

    def publish(self) -> None:
        """Finish all files, then give them their names: first those that go elsewhere, where more can go wrong."""
        for file in self.files:
            file.finish()
        for file in sorted(self.files, key=lambda file: isinstance(file, AtomicFile)):
            file.publish()

    def discard(self) -> None:
        """Remove the files that were not published."""
        for file in self.files:
            file.discard()


def _remote(path: str) -> "RemoteOutput":
    from losscli.io.remote.output import RemoteOutput

    return RemoteOutput(path, _temporaries)
