"""Compressed files: what is in them is unpacked to a copy, and then read as any other file is."""

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from losscli.errors import DataError
from losscli.io.bytes import PIECE, Raw, Reader, Spool, at_hand, pieces_of
from losscli.io.format import Named

SKIPPED_ZSTD = b"\x2a\x4d\x18"
"""The bytes after the first one, 0x50 to 0x5f, of a zstd frame that holds no data."""
MOST_MEMORY = 256 << 20
"""Bytes that unpacking .xz may take; `xz -9` needs a quarter of it."""
MOST_LAYERS = 3
"""How often what was unpacked may be compressed itself."""
CUT_OFF = "it ends before its end: was it cut off?"


def _gzip(raw: Raw) -> Iterator[bytes]:
    import gzip

    with gzip.GzipFile(fileobj=Reader(raw)) as file:
        yield from pieces_of(file)


def _zstd(raw: Raw) -> Iterator[bytes]:
    import zstandard

    raw = at_hand(raw)  # its frames are looked at once more
    unpacker = zstandard.ZstdDecompressor()
    with unpacker.stream_reader(Reader(raw), read_across_frames=True) as stream:  # type: ignore[arg-type]
        yield from pieces_of(stream)
    _check_frames(raw)


def _bz2(raw: Raw) -> Iterator[bytes]:
    import bz2

    return _streams(raw, bz2.BZ2Decompressor)


def _xz(raw: Raw) -> Iterator[bytes]:
    import lzma

    return _streams(raw, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY))


def _streams(raw: Raw, new: Callable[[], Any]) -> Iterator[bytes]:
    """Yield what is in compressed streams, one after another; zeros may follow each.

    Raises an EOFError if the last one was cut off.
    """
    file = Reader(raw)
    data = file.read(PIECE)
    while data:
        unpacker = new()
        while not unpacker.eof:
            if unpacker.needs_input and not data:
                data = file.read(PIECE)
                if not data:
                    raise EOFError(CUT_OFF)
            piece = unpacker.decompress(data, PIECE)
            data = b""
            if piece:
                yield piece
        data = (unpacker.unused_data or file.read(PIECE)).lstrip(b"\0")
        while not data and file.position < raw.size:
            data = file.read(PIECE).lstrip(b"\0")


COMPRESSIONS: dict[re.Pattern[bytes], Callable[[Raw], Iterator[bytes]]] = {
    re.compile(rb"\x1f\x8b"): _gzip,
    re.compile(rb"\x28\xb5\x2f\xfd"): _zstd,
    re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"): _bz2,
    re.compile(rb"\xfd7zXZ\0"): _xz,
}
"""The first bytes of compressed files -> a function that yields what is in them."""


def unpacked(where: Named) -> Named:
    """Return a file as it is, or a copy of what is in it, if it is compressed.

    Raises
    ------
    DataError
        if a compressed file is damaged, or the disk has no room for the copy.
    """
    for _ in range(MOST_LAYERS):
        pieces = _compression(where)
        if pieces is None:
            return where
        where = where._replace(raw=_copy(where, pieces))
    if _compression(where) is not None:
        raise DataError(f"{where.name}: compressed more than {MOST_LAYERS} times over; unpack it first")
    return where


def _compression(where: Named) -> Callable[[Raw], Iterator[bytes]] | None:
    head = where.head
    return next((pieces for magic, pieces in COMPRESSIONS.items() if magic.match(head)), None)


def _copy(where: Named, pieces: Callable[[Raw], Iterator[bytes]]) -> Spool:
    import zlib

    try:
        return Spool.copy(where.name, pieces(where.raw))
    except ModuleNotFoundError as error:
        raise DataError(
            f"{where.name}: this Python was built without {error.name}; unpack the file, or compress it as .gz"
        ) from error
    except (OSError, EOFError, zlib.error, _error("zstandard", "ZstdError"), _error("lzma", "LZMAError")) as error:
        raise DataError(f"{where.name}: not a compressed file that can be read ({error}); write it again") from error


def _error(module: str, name: str) -> type[Exception]:
    """Return an error class of a module; if the module was not imported, it cannot have been raised."""
    loaded = sys.modules.get(module)
    return OSError if loaded is None else getattr(loaded, name)


def _check_frames(raw: Raw) -> None:
    """Raise an EOFError for zstd frames that were cut off: the reader returns their beginning without an error."""
    import zstandard

    place = 0
    while place < raw.size:
        head = raw.read(place, min(18, raw.size - place))
        if head[1:4] == SKIPPED_ZSTD and head[0] >> 4 == 5:
            place += 8 + int.from_bytes(head[4:8], "little")
            continue
        frame = zstandard.get_frame_parameters(head)
        place += zstandard.frame_header_size(head)
        last = False
        while not last:
            if place + 3 > raw.size:
                raise EOFError(CUT_OFF)
            header = int.from_bytes(raw.read(place, 3), "little")
            last = bool(header & 1)
            place += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)  # a single repeated byte, or this many bytes
        place += 4 * frame.has_checksum
    if place > raw.size:
        raise EOFError(CUT_OFF)
