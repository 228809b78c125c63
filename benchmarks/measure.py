"""One process at a time: how long it took from start to end, and how much memory it had at most.

Linux counts the memory of the process that starts another one to the peak of the new one, until the new program is
loaded. So whoever imports this module imports nothing large, NumPy included.
"""

import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

SLOW = 20.0
"""Seconds: what takes longer has one turn only."""
TIMEOUT = 300.0
TAIL = 1 << 18
OUT_OF_MEMORY = re.compile(r"MemoryError|can't allocate memory|Cannot allocate memory|RESOURCE_EXHAUSTED|bad_alloc")
ENVIRONMENT = dict(os.environ) | {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # XLA's notes on the processor
    "JAX_PLATFORMS": "cpu",
    "NO_COLOR": "1",
}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)  # with it, every start would compile all modules again


@dataclass(frozen=True)
class Run:
    """What became of a process; `fault` is empty if it ended well."""

    seconds: float
    cpu: float
    """Seconds of the processor, in the program and in the system for it."""
    peak: int
    """Bytes."""
    output: str
    fault: str = ""


@dataclass
class Result:
    """The runs of one contender, for one workload."""

    workload: str
    mode: str
    contender: str
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    value: float | None = None
    bytes: int = 0
    """Of the predictions in memory."""
    fault: str = ""
    """Why there is no number: 'not installed', 'not applicable', 'out of memory', 'timeout', 'failed: ...'."""

    @property
    def time(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds and not self.fault else None

    @property
    def cpu_time(self) -> float | None:
        """The least, as other work on the machine can only add to it."""
        return min(self.cpu) if self.cpu and not self.fault else None

    @property
    def peak(self) -> float | None:
        return statistics.median(self.peaks) if self.peaks and not self.fault else None


def run(command: Sequence[str], folder: Path, timeout: float = TIMEOUT) -> Run:
    """Run a command in a folder, with both its outputs in files, so that no full pipe holds it up."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        with contextlib.suppress(OSError):  # where memory runs out, this process is to go, and no other on the machine
            Path(f"/proc/{process.pid}/oom_score_adj").write_text("1000")
        late = threading.Event()

        def stop() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        watch = threading.Timer(timeout, stop)
        watch.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            watch.cancel()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)  # it is reaped: Popen has nothing left to wait for
        said, complaint = _tail(output), _tail(errors)
    fault = "timeout" if late.is_set() else _fault(process.returncode, complaint)
    cpu = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), said, fault)


def _tail(file: BinaryIO) -> str:
    """The end of what was written; all of it would count to the peak of every process that follows."""
    file.seek(-min(TAIL, file.seek(0, os.SEEK_END)), os.SEEK_END)
    return file.read().decode(errors="replace")


def _fault(code: int, complaint: str) -> str:
    if not code:
        return ""
    if code == -signal.SIGKILL or OUT_OF_MEMORY.search(complaint):
        return "out of memory"
    lines = [line for line in complaint.splitlines() if line.strip()]
    return f"failed: {lines[-1].strip()[:120] if lines else f'exit code {code}'}"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
