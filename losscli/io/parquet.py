"""Parquet files."""

import io
from collections.abc import Sequence
from threading import Lock

from losscli.io.bytes import PIECE, Spool, blocks_of, is_far
from losscli.io.footer import MAGIC, ColumnChunk, Footer, footer_of
from losscli.io.format import Named
from losscli.io.guarded import readable
from losscli.io.table import Table
from losscli.io.typed import TypedTable, copy_of

WHAT = "a Parquet file"
SMALL = 1 << 20
"""Bytes of a file up to which it is copied as a whole."""
AHEAD = 64 << 20
"""Bytes behind those that are needed now in which further columns are asked for."""


def open_parquet(where: Named) -> Table:
    """Open a Parquet file.

    Raises
    ------
    DataError
        if the file cannot be read.
    """
    import polars as pl

    if is_far(where.raw) and where.raw.size > SMALL and (footer := footer_of(where.raw)) is not None:
        return FarParquet(where, footer)
    raw = copy_of(where.name, where.raw)
    with readable(where.name, WHAT):
        scan = pl.scan_parquet(raw.location or io.BytesIO(raw.read(0, raw.size)), glob=False)
    table = TypedTable(where.name, scan, WHAT, raw)
    table.index_columns = index_columns(raw, table)
    return table


class FarParquet(TypedTable):
    """A Parquet file that is not on this machine: only the columns that are needed are copied, when they are needed.

    The copy is as long as the file, with holes in it, which take no room on the disk: what is copied lies at the same
    place, and Polars reads nothing else.
    """

    def __init__(self, where: Named, footer: Footer) -> None:
        import polars as pl

        self.far, self.footer, self.copy = where.raw, footer, Spool(where.name, most_held=0)
        self.there: set[ColumnChunk] = set()
        self.lock = Lock()
        self.copy.allocate(self.far.size)
        for start, stop in ((0, len(MAGIC)), (footer.start, self.far.size)):
            self.copy.write_at(self.far.read(start, stop - start), start)
        with readable(where.name, WHAT):
            scan = pl.scan_parquet(self.copy.location or "", glob=False)
        super().__init__(where.name, scan, WHAT, where.raw)
        self.index_columns = index_columns(self.copy, self)

    def bring(self, columns: Sequence[str], start: int, stop: int) -> None:
        names, wanted, row = set(columns), [], 0
        with self.lock:
            for group in self.footer.groups:
                if row < stop and row + group.rows > start:
                    wanted += [part for part in group.chunks if part.column in names and part not in self.there]
                row += group.rows
            ahead = 0
            for part in wanted:
                while ahead < len(wanted) and wanted[ahead].start < part.stop + AHEAD:
                    self._ask(wanted[ahead])
                    ahead += 1
                position = part.start
                for view in blocks_of(self.far, part.start, part.stop, PIECE):
                    self.copy.write_at(view, position)
                    position += len(view)
                self.there.add(part)

    def _ask(self, part: ColumnChunk) -> None:
        self.far.fetch(part.start, part.stop - part.start, alone=True)  # type: ignore[attr-defined]


def index_columns(raw: Spool, table: TypedTable) -> tuple[str, ...]:
    """Return the names of the columns that pandas wrote as the index of a frame, as the file's metadata says."""
    import json

    import polars as pl

    with readable(table.name, WHAT):
        words = pl.read_parquet_metadata(raw.location or io.BytesIO(raw.read(0, raw.size))).get("pandas", "{}")
    try:
        named = json.loads(words).get("index_columns", [])
    except (ValueError, AttributeError, RecursionError):
        return table.index_columns
    wanted = {*table.index_columns, *(name for name in named if isinstance(name, str))}
    return tuple(name for name in table.names or () if name in wanted)
