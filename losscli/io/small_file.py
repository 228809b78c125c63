"""Files that are small by nature, such as suites, names of classes and saved results: they are read whole, up to a limit."""

from pathlib import Path

from losscli.errors import DataError
from losscli.io.bytes import Raw, RawFile, Spool

MOST_BYTES = 4 << 20
"""Bytes of a file that people write. What parses it may take forty times as many, as TOML's parser does."""
MOST_BYTES_OF_NAMES = 16 << 20
"""Bytes of a file of names, of which there may be a million."""
MOST_BYTES_OF_RESULTS = 64 << 20
"""Bytes of a file of results, which may have an entry per sample."""


def opened_small(file: str, advice: str, most: int = MOST_BYTES) -> Raw:
    """Open a file, a pipe or a device of which at most `most` bytes are read.

    Parameters
    ----------
    advice
        what to do if there are more, for the message.

    Raises
    ------
    DataError
        if there are more bytes; a device such as /dev/zero never ends.
    OSError
        if the file cannot be read.
    """
    path = Path(file)
    raw: Raw
    if path.is_file():
        raw = RawFile(file, path)
    else:
        with path.open("rb") as stream:
            raw = Spool.copy(file, [stream.read(most + 1)])
    if raw.size > most:
        raise DataError(f"{file}: more than {most >> 20} MB; {advice}")
    return raw


def text_of(raw: Raw) -> str:
    """Return the UTF-8 text of a small file, whose lines all end in a line feed.

    Raises
    ------
    DataError
        if the file changes while it is read.
    UnicodeDecodeError
        if it is not UTF-8.
    """
    text = raw.read(0, raw.size).decode("utf-8-sig")
    raw.check()
    return text.replace("\r\n", "\n").replace("\r", "\n")


def small_text(file: str, advice: str, most: int = MOST_BYTES) -> str:
    """Return the text of a small file; see `opened_small` and `text_of`."""
    return text_of(opened_small(file, advice, most))
