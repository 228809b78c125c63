"""Progress of a pass over a file, on standard error: how much is done, how fast, and how long it will take."""

import sys
import time
from typing import TYPE_CHECKING, Self

from losscli.wording import printable

if TYPE_CHECKING:
    from losscli.engine.job import Job

EVERY = 0.2
"""Seconds between two updates; what is done within the first one shows nothing."""


class Progress:
    """A line that is written over as rows are done, and wiped away at the end.

    `wanted` is None for the rule: only on a terminal, whose user would otherwise see nothing until the result.
    """

    def __init__(self, wanted: bool | None) -> None:
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
        """Leave the terminal's line to others."""
        if self.width and self.terminal:
            self._write("\r" + " " * self.width + "\r")
            self.width = 0

    def of(self, rows: int, size: int) -> None:
        """Say how many rows there are, and how many bytes of predictions that is."""
        self.rows, self.size = rows, size
        self.begun = self.last = time.monotonic()

    def start(self, job: "Job") -> None:
        """Take note that a pass over the rows of a job begins."""
        self.of(job.samples, job.size)

    def looking(self, name: str, done: int, size: int) -> None:
        """Take note that so many bytes of a file are looked through for its rows."""
        if self.shown and time.monotonic() - self.last >= EVERY:
            self._line(f"losscli: {printable(name)}: looking for its rows ({100 * done / size:.0f} %)")

    def __call__(self, done: int) -> None:
        """Take note that so many rows are done."""
        if not self.shown or not self.rows:
            return
        now = time.monotonic()
        if now - self.last >= EVERY or (done == self.rows and not self.terminal):
            self._line(describe(done, self.rows, self.size, now - self.begun))

    def _line(self, line: str) -> None:
        self.last = time.monotonic()
        if self.terminal:
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
    """One line: '12,000 of 60,000 rows (20 %), 1.2 GB/s, 4 s left'."""
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
