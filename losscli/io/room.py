"""Whether a disk has room for an output whose size is known before it is made."""

import os

from losscli.definition.address import is_remote
from losscli.errors import DataError
from losscli.io.sinks import is_special, target_of

BYTES_OF_TEXT = 2
"""Bytes that a number takes at least in a text table: a digit, and what ends the cell."""


def check_room(path: str, size: int, what: str, cure: str) -> None:
    """Refuse an output for which its disk has too little room, before a part of it fills the disk for everybody.

    Parameters
    ----------
    size
        bytes that are written at least.
    what
        what is written, for the message.
    cure
        what to do, for the message.

    Raises
    ------
    DataError
        if the disk has fewer bytes free.
    """
    if is_remote(path) or is_special(path, ()):
        return
    try:
        disk = os.statvfs(os.path.dirname(target_of(path)) or ".")
    except OSError:
        return  # there is no such folder, which is said when the file is opened
    free = disk.f_bavail * disk.f_frsize
    if size > free:
        raise DataError(f"{path}: {what} take {size / 1e9:,.1f} GB, and the disk has {free / 1e9:,.1f} GB free; {cure}")
