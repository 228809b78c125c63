"""Outlets: gradients that the worker which made them writes into the output file, at their place, if it sees that disk."""

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.errors import DataError
from losscli.records import NamedTuple

if TYPE_CHECKING:
    from losscli.engine.evaluate import ChunkResult


class Outlet(NamedTuple):
    """A file, not published yet, in which the gradient of row i begins at `offset + i * row_bytes`."""

    path: str
    shown: str
    """The name of the output, for messages."""
    offset: int
    row_bytes: int
    dtype: str


def delivered(result: Any, outlet: Outlet, start: int) -> Any:
    """Return the result of a chunk without the gradients of its rows, which are written to the file; `start` is their first row.

    The result stays as it is where the file is not there: the machine then has disks of its own. The name is one that only the
    process has given which began the pass, and the file is never made here, so that none is left behind.

    Raises
    ------
    DataError
        if the file cannot be written.
    """
    if not getattr(result, "gradient", ()):
        return result
    chunk: ChunkResult = result
    try:
        descriptor = os.open(outlet.path, os.O_WRONLY)
    except OSError:
        return chunk
    rows = 0
    try:
        try:
            for slopes in chunk.gradient:
                view = np.ascontiguousarray(slopes, outlet.dtype).reshape(-1).view(np.uint8).data
                position = outlet.offset + (start + rows) * outlet.row_bytes
                while view:
                    written = os.pwrite(descriptor, view, position)
                    view, position = view[written:], position + written
                rows += len(slopes)
        finally:
            os.close(descriptor)
    except OSError as error:
        import socket

        raise DataError(
            f"{outlet.shown}: cannot be written on {socket.gethostname()}: {error.strerror or error}"
        ) from error
    return chunk._replace(gradient=(), written=rows)
