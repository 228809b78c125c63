"""NPZ archives: one of their arrays, by its key."""

import math
from itertools import chain
from typing import IO, TYPE_CHECKING

from losscli.errors import DataError
from losscli.io.bytes import PIECE, Begun, Raw, Reader, Spool, pieces_of
from losscli.io.format import Content, Named
from losscli.io.npy import NpySource, check_length, read_npy_header
from losscli.wording import count, did_you_mean, listing

if TYPE_CHECKING:
    from zipfile import ZipInfo


def _npz(where: Named) -> Content:
    """Open the array that `where.part` names, or the only one."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(Reader(where.raw)) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            if where.part is None and len(members) != 1:
                held = f"{count(len(members), 'array')} ({listing(members)})"
                raise DataError(f"{where.name}: holds {held}; say which, as {where.name}:KEY")
            key = where.part or next(iter(members))
            if key not in members:
                hint = did_you_mean(key, members)
                raise DataError(f"{where.name}: no array {key!r}; its arrays: {listing(members)}{hint}")
            name = f"{where.name}:{key}" if where.part else where.name
            member = archive.getinfo(members[key])
            with archive.open(member) as file:
                if member.compress_type != zipfile.ZIP_STORED:
                    return NpySource.open(_unpacked(name, file, member.file_size), name)
                start = _start_of(where.raw, member)
                source = NpySource.open(where.raw, name, start, start + member.file_size)
                for done, _ in enumerate(pieces_of(file), 1):  # zipfile compares the checksum at the end
                    where.looked(name, min(done * PIECE, member.file_size), member.file_size)
                return source
    except (ValueError, OSError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{where.name}: not an NPZ file that can be read ({why}); write it again") from error


def _unpacked(name: str, file: IO[bytes], size: int) -> Spool:
    """Return a copy of a compressed member.

    Before more is unpacked, its header is compared with the size that the archive says.
    """
    begin = Begun(file)
    shape, _, dtype = read_npy_header(begin, name)
    check_length(name, shape, begin.position + dtype.itemsize * math.prod(shape), size)
    copy = Spool(name)
    copy.expect(size)
    for piece in chain([begin.held], pieces_of(file)):
        copy.write(piece)
    return copy


def _start_of(raw: Raw, member: "ZipInfo") -> int:
    """Return the position at which the bytes of an uncompressed member begin: after its
    own header, whose length varies.
    """
    lengths = raw.read(member.header_offset + 26, 4)
    return int(member.header_offset) + 30 + sum(int.from_bytes(lengths[i : i + 2], "little") for i in (0, 2))
