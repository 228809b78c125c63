"""ZIP archives: NPZ files, of which one array is picked by its key, and other archives, of which one file is picked."""

import math
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from losscli.errors import DataError
from losscli.io.bytes import PIECE, Begun, Raw, Reader, Spool, pieces_of
from losscli.io.foreign import refuse_archive
from losscli.io.format import Content, Named
from losscli.io.npy import NpySource, check_length, read_npy_header
from losscli.wording import count, did_you_mean, listing

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

MAGIC_NPY = b"\x93NUMPY"
LITTER = ("__MACOSX/", ".DS_Store", "/.DS_Store")
"""What the Finder puts into archives beside the files."""


def open_archive(where: Named) -> Content:
    """Open the array or file that `where.part` begins with, or the only one.

    Raises
    ------
    DataError
        if the archive is damaged, or it is not clear which of its files is meant.
    """
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(Reader(where.raw)) as archive:
            refuse_archive(where, archive.namelist())
            key, member = _member(where, archive)
            name = f"{where.name}:{key}" if where.part is not None and _begins(where.part, key) else where.name
            with archive.open(member) as file:
                begin = Begun(file)
                if begin.read(len(MAGIC_NPY)) == MAGIC_NPY or member.filename.endswith(".npy"):
                    return _array(where, name, member, begin.again())
                copy = _copied(name, member, begin.again())
    except (ValueError, OSError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{where.name}: not an NPZ file that can be read ({why}); write it again") from error
    return where.open_inner(where._replace(name=name, raw=copy, path=None, inner=member.filename))


def _member(where: Named, archive: "ZipFile") -> tuple[str, "ZipInfo"]:
    """Return the file that `where.part` begins with, or the only one, and the key by which it is called."""
    files = [
        name for name in archive.namelist() if not (name.startswith(LITTER[0]) or name.endswith(("/", *LITTER[1:])))
    ]
    if len(set(files)) < len(files):
        (twice, _), *_ = Counter(files).most_common(1)
        raise DataError(
            f"{where.name}: holds several files called {twice!r}; write it again, each under a name of its own"
        )
    arrays = all(name.endswith(".npy") for name in files)
    members = {name.removesuffix(".npy"): name for name in files}
    if where.part is not None:
        for key in sorted({**members, **{name: name for name in files}}, key=len, reverse=True):
            if _begins(where.part, key):
                return key, archive.getinfo(members.get(key, key))
    if len(members) == 1 and (where.part is None or not arrays):  # what is no file may be a column of the only one
        return next((key, archive.getinfo(name)) for key, name in members.items())
    raise _unclear(where, list(members), arrays)


def _begins(part: str, key: str) -> bool:
    return part == key or part.startswith(f"{key}:")


def _unclear(where: Named, keys: list[str], arrays: bool) -> DataError:
    """Return the error that says which files the archive has."""
    what = "array" if arrays else "file"
    if where.part is not None:
        hint = did_you_mean(where.part, keys)
        return DataError(f"{where.name}: no {what} {where.part!r}; its {what}s: {listing(keys)}{hint}")
    say = f"say which, as {where.name}:{'KEY' if arrays else 'MEMBER'}"
    return DataError(f"{where.name}: holds {count(len(keys), what)} ({listing(keys)}); {say}")


def _array(where: Named, name: str, member: "ZipInfo", file: Begun) -> Content:
    """Return a member that is an array: where it lies, if it is not compressed, else a copy of it."""
    import zipfile

    if member.compress_type != zipfile.ZIP_STORED:
        return NpySource.open(_unpacked(name, file, member.file_size, where.dtype), name, untyped=where.dtype)
    start = _start_of(where.raw, member)
    source = NpySource.open(where.raw, name, start, start + member.file_size, where.dtype)
    for done, _ in enumerate(pieces_of(file), 1):  # zipfile compares the checksum at the end
        where.looked(name, min(done * PIECE, member.file_size), member.file_size)
    return source


def _unpacked(name: str, begin: Begun, size: int, untyped: str | None) -> Spool:
    """Return a copy of a compressed array.

    Before more is unpacked, its header is compared with the size that the archive says.
    """
    shape, _, dtype = read_npy_header(begin, name, untyped)
    check_length(name, shape, begin.position + dtype.itemsize * math.prod(shape), size)
    return _written(name, chain([begin.held], pieces_of(begin.stream)), size)


def _copied(name: str, member: "ZipInfo", begin: Begun) -> Spool:
    return _written(name, chain([begin.held], pieces_of(begin.stream)), member.file_size)


def _written(name: str, pieces: "chain[bytes]", size: int) -> Spool:
    copy = Spool(name)
    copy.expect(size)
    for piece in pieces:
        copy.write(piece)
    return copy


def _start_of(raw: Raw, member: "ZipInfo") -> int:
    """Return the position at which the bytes of an uncompressed member begin: after its
    own header, whose length varies.
    """
    lengths = raw.read(member.header_offset + 26, 4)
    return int(member.header_offset) + 30 + sum(int.from_bytes(lengths[i : i + 2], "little") for i in (0, 2))
