"""Parquet files."""

import io

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
    return TypedTable(where.name, scan, WHAT, raw)
