"""Cells put together to lines by Polars' writer of CSV, which is the fastest there is, with other letters between them than one comma.

What stands between two cells is longer than the one byte that the writer puts between two columns: all but its two ends is a
column of its own. A cell that Polars would write otherwise than it should be, and a line that is no row of cells, is a hole
that is filled afterwards.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.records import NamedTuple

if TYPE_CHECKING:
    import polars as pl

HOLE, MARK = "\x1e", "\x1f"
"""Letters that no line may hold: where something is to be filled in, and what stands for another letter for a while."""
AT_ONCE = 1 << 18
"""Bytes that are looked through at once, which a processor's cache has room for."""


class Hole(NamedTuple):
    """A cell that Polars leaves out: its row and column, its text, and whether that goes on to the end of the line."""

    row: int
    column: int
    text: bytes
    whole: bool


class Around(NamedTuple):
    """What stands before the first cell of a line, between its cells, behind the last one, and from there to the next line's first.

    Between cells stand three letters or more, of which the first, the last and the last but one are the same everywhere.
    """

    first: str
    gaps: list[str]
    behind: str
    end: str

    @property
    def marked(self) -> bool:
        """Whether one separator cannot be both ends of what stands between two cells."""
        return any(gap[0] != gap[-1] for gap in self.gaps)

    def before(self, column: int) -> str:
        """Return what stands between two separators; where the second is not the right one, the letter before it is marked."""
        gap = self.gaps[column - 1]
        return gap[1:-2] + MARK if self.marked else gap[1:-1]


def lines_of(cells: Sequence["pl.Series"], holes: Sequence[Hole], around: Around) -> Iterator[memoryview]:
    """Yield lines, in pieces; a piece is valid until the next is yielded.

    Parameters
    ----------
    cells
        for each column the numbers or text of all rows, all of the same length of one or more; None where a hole is.
    """
    import polars as pl

    columns: list[pl.Series | pl.Expr] = []
    for i, column in enumerate(cells):
        if i:
            columns.append(pl.lit(around.before(i)).alias(f"before {i}"))
        columns.append(column.alias(str(i)))
    taken = _Taken()
    pl.select(columns).write_csv(
        taken,  # type: ignore[call-overload] # which has all that is called
        include_header=False,
        separator=around.gaps[0][0] if around.gaps else ",",
        line_terminator=around.end,
        quote_style="never",
        null_value=HOLE,
    )
    yield memoryview(around.first.encode())
    end, filling = around.end.encode(), iter(sorted(holes))
    pieces = taken.in_lines(end)
    room = memoryview(bytearray(max(map(len, pieces)) + sum(len(hole.text) for hole in holes)))
    while pieces:
        size = _filled(pieces.popleft(), filling, end, room)
        if around.marked:
            _unmark(np.frombuffer(room[:size], np.uint8), around.gaps[0])
        yield room[: size if pieces else size - len(end)]  # no line follows the last one
    yield memoryview(around.behind.encode())


class _Taken:
    """A stream that keeps what is written to it, piece by piece."""

    def __init__(self) -> None:
        self.pieces: deque[bytes] = deque()

    def write(self, piece: bytes) -> int:
        self.pieces.append(piece)
        return len(piece)

    def flush(self) -> None:
        pass

    def in_lines(self, end: bytes) -> deque[bytes]:
        """Return the pieces, or all of them as one if one ends within a line."""
        whole = all(piece.endswith(end) for piece in self.pieces)
        return self.pieces if whole else deque([b"".join(self.pieces)])


def _filled(piece: bytes, filling: Iterator[Hole], end: bytes, room: memoryview) -> int:
    """Copy text, with the next holes filled, to where there is room, and return how long it is."""
    text, hole, read, written = memoryview(piece), HOLE.encode(), 0, 0
    while (found := piece.find(hole, read)) >= 0:
        _, _, filled, whole = next(filling)
        room[written : (written := written + found - read)] = text[read:found]
        room[written : (written := written + len(filled))] = filled
        read = piece.index(end, found) if whole else found + 1
    room[written : (written := written + len(piece) - read)] = text[read:]
    return written


def _unmark(text: Array, gap: str) -> None:
    """Put the last two letters between two cells in place of each mark and the separator behind it."""
    for low in range(0, len(text), AT_ONCE):
        marked = (text[low : low + AT_ONCE] == ord(MARK)).view(np.uint8)
        text[low : low + AT_ONCE] += marked * np.uint8((ord(gap[-2]) - ord(MARK)) % 256)
        behind = text[low + 1 : low + 1 + AT_ONCE]
        behind += marked[: len(behind)] * np.uint8((ord(gap[-1]) - ord(gap[0])) % 256)
