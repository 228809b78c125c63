"""The line of progress on standard error: how many rows are done, how fast, and how much time is left."""

import shutil
import sys
import time
from typing import TYPE_CHECKING, Self

from losscli.wording import printable

if TYPE_CHECKING:
    from losscli.engine.cluster import Cluster
    from losscli.engine.job import Job

EVERY = 0.2
"""Seconds between two updates; nothing is shown of a pass that takes less."""


class Progress:
    """Shows how many rows are done; on a terminal, in one line that is overwritten, and erased at the end.

    Parameters
    ----------
    wanted
        whether to show anything; None for only on a terminal.
    cluster
        where the rows are computed; None for this process.
    """

    def __init__(self, wanted: bool | None, cluster: "Cluster | None" = None) -> None:
        self.cluster = cluster
        self.shown = sys.stderr.isatty() if wanted is None else wanted
        self.terminal = sys.stderr.isatty()
        self.begun = self.last = time.monotonic()
        self.width = 0
        self.rows = self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.wipe()

    def wipe(self) -> None:
        """Erase the line, so that other messages can be printed."""
        if self.width and self.terminal:
            self._write("\r" + " " * self.width + "\r")
            self.width = 0

    def of(self, rows: int, size: int) -> None:
        """Begin with a number of rows, whose predictions have `size` bytes."""
        self.rows, self.size = rows, size
        self.begun = self.last = time.monotonic()

    def start(self, job: "Job") -> None:
        """Begin with the rows of a job."""
        self.of(job.samples, job.size)

    def looking(self, name: str, done: int, size: int) -> None:
        """Show how much of a file has been searched for the ends of its rows: `done` of `size` bytes."""
        if self.shown and time.monotonic() - self.last >= EVERY:
            self._line(f"losscli: {printable(name)}: looking for its rows ({100 * done / size:.0f} %)")

    def __call__(self, done: int) -> None:
        """Show how many rows are done."""
        if not self.shown or not self.rows:
            return
        now = time.monotonic()
        if now - self.last >= EVERY or (done == self.rows and not self.terminal):
            on = "" if self.cluster is None else f", on {self.cluster.described()}"
            self._line(describe(done, self.rows, self.size, now - self.begun) + on)

    def words(self, text: str) -> None:
        """Show what is being done, where rows cannot be counted."""
        if self.shown and (self.terminal or time.monotonic() - self.last >= EVERY):
            self._line(f"losscli: {printable(text)}")

    def _line(self, line: str) -> None:
        self.last = time.monotonic()
        if self.terminal:
            line = line[: max(1, shutil.get_terminal_size().columns - 1)]  # a line that wraps cannot be written over
            self._write("\r" + line.ljust(self.width))
            self.width = max(self.width, len(line))
        else:
            self._write(line + "\n")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            self.shown = False


def describe(done: int, rows: int, size: int, seconds: float) -> str:
    """Return the line of progress: '12,000 of 60,000 rows (20 %), 1.2 GB/s, 4 s left'."""
    part = done / rows
    rate = size * part / max(seconds, 1e-9)
    left = seconds * (1 - part) / part if part else 0.0
    return f"losscli: {done:,} of {rows:,} rows ({100 * part:.0f} %), {_amount(rate)}/s, {_time(left)} left"


def _amount(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
