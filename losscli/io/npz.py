"""NPZ archives: one array of several, by its key."""

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
            found = archive.getinfo(members[key])
            with archive.open(found) as file:
                if found.compress_type != zipfile.ZIP_STORED:
                    return NpySource.open(_unpacked(name, file, found.file_size), name)
                start = _start_of(where.raw, found)
                source = NpySource.open(where.raw, name, start, start + found.file_size)
                for done, _ in enumerate(pieces_of(file), 1):  # at whose end the checksum is compared
                    where.looked(name, min(done * PIECE, found.file_size), found.file_size)
                return source
    except (ValueError, OSError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{where.name}: not an NPZ file that can be read ({why}); write it again") from error


def _unpacked(name: str, file: IO[bytes], size: int) -> Spool:
    """A copy of a compressed member, whose header must promise the size that the archive says, before more is unpacked."""
    begin = Begun(file)
    shape, _, dtype = read_npy_header(begin, name)
    check_length(name, shape, begin.position + dtype.itemsize * math.prod(shape), size)
    copy = Spool(name)
    copy.expect(size)
    for piece in chain([begin.held], pieces_of(file)):
        copy.write(piece)
    return copy


def _start_of(raw: Raw, member: "ZipInfo") -> int:
    """Where the bytes of a member that is not compressed begin: behind its own header, whose length varies."""
    lengths = raw.read(member.header_offset + 26, 4)
    return int(member.header_offset) + 30 + sum(int.from_bytes(lengths[i : i + 2], "little") for i in (0, 2))
