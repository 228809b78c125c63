"""Parquet files."""

import io

from losscli.io.bytes import Spool
from losscli.io.format import Named
from losscli.io.guarded import readable
from losscli.io.table import Table
from losscli.io.typed import TypedTable, copy_of

WHAT = "a Parquet file"


def open_parquet(where: Named) -> Table:
    """Open a Parquet file.

    Raises
    ------
    DataError
        if the file cannot be read.
    """
    import polars as pl

    raw = copy_of(where.name, where.raw)
    with readable(where.name, WHAT):
        scan = pl.scan_parquet(raw.location or io.BytesIO(raw.read(0, raw.size)), glob=False)
    table = TypedTable(where.name, scan, WHAT, raw)
    table.index_columns = index_columns(raw, table)
    return table


def index_columns(raw: Spool, table: TypedTable) -> tuple[str, ...]:
    """Return the names of the columns that pandas wrote as the index of a frame, as the file's metadata says."""
    import json

    import polars as pl

    with readable(table.name, WHAT):
        words = pl.read_parquet_metadata(raw.location or io.BytesIO(raw.read(0, raw.size))).get("pandas", "{}")
    try:
        named = json.loads(words).get("index_columns", [])
    except (ValueError, AttributeError):
        return table.index_columns
    wanted = {*table.index_columns, *(name for name in named if isinstance(name, str))}
    return tuple(name for name in table.names or () if name in wanted)
