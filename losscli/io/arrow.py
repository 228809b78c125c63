"""Arrow files: IPC files, which Feather writes too, and IPC streams, as the data sets of Hugging Face are stored.

An IPC file is read in parts. A stream says nowhere what is where in it: it is read as a whole, and must fit in memory.
"""

import io

from losscli.io.format import Named
from losscli.io.guarded import readable
from losscli.io.table import Table
from losscli.io.typed import TypedTable, copy_of

WHAT = "an Arrow file"
MAGIC = b"ARROW1"


def open_arrow(where: Named) -> Table:
    """Open an IPC file or an IPC stream.

    Raises
    ------
    DataError
        if it cannot be read.
    """
    import polars as pl

    raw = copy_of(where.name, where.raw)
    with readable(where.name, WHAT):
        source = raw.location or io.BytesIO(raw.read(0, raw.size))
        stream = not where.head.startswith(MAGIC)
        scan = pl.read_ipc_stream(source).lazy() if stream else pl.scan_ipc(source, glob=False)
    return TypedTable(where.name, scan, WHAT, raw)
