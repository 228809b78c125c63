"""Writers of per-sample results and gradients, some rows at a time. One class per format."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from losscli.arrays import Array
from losscli.errors import UsageError
from losscli.io.bytes import PIECE, Nameless, Spool, blocks_of, no_room, pieces_of
from losscli.io.rows import JSON_LINES, Columns, text_of
from losscli.io.sinks import is_special
from losscli.wording import listing

if TYPE_CHECKING:
    import polars as pl

PART_CELLS = 4 << 20
"""Cells of a Parquet file that are held in memory."""


class Stream(Protocol):
    """The file that a writer writes to, which may be published only when it is finished."""

    def write(self, data: Any, /) -> int: ...


class Seekable(Stream, Protocol):
    """A stream whose beginning can be written again."""

    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def seekable(self) -> bool: ...


class Writer(Protocol):
    """Takes columns some rows at a time.

    `wants` is the form that it takes: 'flat' for columns with one value per row, 'nested' for columns that may hold
    lists, or 'losses' for the losses alone.
    """

    wants: str

    def write(self, columns: Columns) -> None: ...
    def close(self) -> None: ...


class TextWriter:
    """Writes CSV or TSV through Polars, with floats in the fewest digits that read back as the same number."""

    wants = "flat"

    def __init__(self, file: Stream, separator: str) -> None:
        self.file, self.separator, self.started = file, separator, False

    def write(self, columns: Columns) -> None:
        import polars as pl

        frame = pl.DataFrame(columns)
        text = frame.write_csv(separator=self.separator, include_header=not self.started)
        self.file.write(text.encode())
        self.started = True

    def close(self) -> None:
        pass


class JsonLinesWriter:
    """Writes one strict JSON object per line."""

    wants = "nested"

    def __init__(self, file: Stream) -> None:
        self.file = file

    def write(self, columns: Columns) -> None:
        for text in text_of(columns, JSON_LINES):
            self.file.write(text)

    def close(self) -> None:
        pass


class ParquetWriter:
    """Writes Parquet through Polars, which writes a file only as a whole: many rows wait in temporary files."""

    wants = "flat"

    def __init__(self, file: Stream) -> None:
        self.file = file
        self.frames: list[pl.DataFrame] = []
        self.parts: list[Nameless] = []

    def write(self, columns: Columns) -> None:
        import polars as pl

        self.frames.append(pl.DataFrame(columns))
        if sum(frame.height * frame.width for frame in self.frames) >= PART_CELLS:
            self._part()

    def _part(self) -> None:
        with _room():
            self.parts.append(Nameless())
            self._whole().write_parquet(self.parts[-1].path)
        self.frames = []

    def _whole(self) -> "pl.DataFrame":
        import polars as pl

        filled = [frame for frame in self.frames if frame.height]  # without rows, columns of lists have no dtype
        return pl.concat(filled or self.frames)

    def close(self) -> None:
        import polars as pl

        if self.parts and self.frames:
            self._part()
        with _room():
            whole = Nameless()
            if self.parts:
                pl.scan_parquet([part.path for part in self.parts], glob=False).sink_parquet(whole.path)
            else:
                self._whole().write_parquet(whole.path)
        with open(whole.path, "rb") as file:
            for piece in pieces_of(file):
                self.file.write(piece)


@contextmanager
def _room() -> Iterator[None]:
    """Turn everything that Polars raises when the disk is full into one DataError."""
    import polars as pl

    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise no_room("the output", str(error).splitlines()[0]) from error


class NpyWriter:
    """Writes an .npy file whose number of rows is known only at its end."""

    def __init__(self, file: Seekable) -> None:
        self.file = file
        self.rows = 0
        self.shape: tuple[int, ...] = ()
        self.dtype: np.dtype[Any] | None = None
        self.kept: Spool | None = None

    def add(self, array: Array) -> None:
        """Append rows, shape (n, ...), all of the same shape."""
        if self.dtype is None:
            self.dtype, self.shape = array.dtype, array.shape[1:]
            if not self.file.seekable():
                self.kept = Spool(
                    "the output"
                )  # a pipe: the header can be written only at the end, and the rows after it
            else:
                self._header()
        self.rows += len(array)
        (self.kept or self.file).write(np.ascontiguousarray(array, self.dtype).data)

    def skip(self, rows: int) -> None:
        """Leave room for rows that were written into the file already, by someone else."""
        assert self.dtype is not None
        self.rows += rows
        self.file.seek(rows * self.row_bytes, io.SEEK_CUR)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row; known when the first rows were added, were they none."""
        assert self.dtype is not None
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def _header(self) -> None:
        # NumPy pads the header, so that its size does not depend on the number of rows.
        assert self.dtype is not None
        described = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self.rows, *self.shape),
        }
        np.lib.format.write_array_header_1_0(self.file, described)

    def close(self) -> None:
        if self.dtype is None:
            return
        if self.kept is None:
            self.file.seek(0)
            self._header()
            self.file.seek(0, io.SEEK_END)
            return
        self._header()
        for view in blocks_of(self.kept, 0, self.kept.size, PIECE):
            self.file.write(view)


class LossWriter:
    """Writes the losses alone as .npy: (n,), or (n, k) with one loss per output."""

    wants = "losses"

    def __init__(self, file: Seekable) -> None:
        self.npy = NpyWriter(file)

    def write(self, columns: Columns) -> None:
        self.npy.add(columns["losses"] if "losses" in columns else columns["loss"])

    def close(self) -> None:
        self.npy.close()


WRITERS: dict[str, Callable[[Seekable], Writer]] = {
    ".jsonl": JsonLinesWriter,
    ".csv": lambda file: TextWriter(file, ","),
    ".tsv": lambda file: TextWriter(file, "\t"),
    ".npy": LossWriter,
    ".parquet": ParquetWriter,
}
"""Suffix -> writer of a file with one row per sample."""


def suffix_of(path: str, allowed: tuple[str, ...], option: str, of_special: str | None = None) -> str:
    """Return the suffix of an output path, which says its format.

    Parameters
    ----------
    of_special
        what to return for a device or pipe, which has no suffix to go by; None to treat it as any other path.

    Raises
    ------
    UsageError
        if the suffix is not an allowed one.
    """
    if of_special is not None and is_special(path, allowed):
        return of_special
    for suffix in allowed:
        if path.lower().endswith(suffix):
            return suffix
    raise UsageError(f"{option} {path}: the suffix says the format; it must be one of {listing(allowed)}")
