"""A cluster of processes on this machine, each of which carries out one errand at a time."""

import json
import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Self

from losscli.engine.cluster import Cluster, LostError
from losscli.engine.errand import received, sent
from losscli.errors import DataError

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
"""Environment variables that give each process one thread, unless they are set."""
LOOK = 0.5
"""Seconds after which a thread that waits for a process looks whether there is still something to do."""
SERVE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from losscli.engine.errand import serve; serve()"


class LocalProcesses(Cluster):
    """Some processes. One that was killed is replaced."""

    def __init__(self, words: str, processes: int) -> None:
        super().__init__(words)
        self.processes = processes
        self.idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self.all: list[subprocess.Popen[bytes]] = []
        self.threads: ThreadPoolExecutor | None = None
        """One for each process, which waits for it."""

    def size(self) -> int:
        return self.processes

    def described(self) -> str:
        return f"{self.processes} processes"

    def __enter__(self) -> Self:
        """Start the processes, which are ready when files are open."""
        self.threads = ThreadPoolExecutor(self.processes)
        for _ in range(self.processes):
            self._start()
        return self

    def submit(self, data: bytes) -> "Future[bytes]":
        assert self.threads is not None
        return self.threads.submit(self._carried_out, data)

    def result(self, future: Any) -> bytes:
        data: bytes = future.result()
        return data

    def _start(self) -> None:
        """Start a process: in a session of its own, so that Ctrl-C in a terminal reaches only the one that answers for all."""
        environment = {**dict.fromkeys(ONE_THREAD, "1"), **os.environ}
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", SERVE, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise DataError(f"{self.words}: a process cannot be started: {error.strerror or error}") from error
        self.all.append(process)
        self.idle.put(process)

    def _carried_out(self, data: bytes) -> bytes:
        """Give an errand to the next process that is idle, and return its answer."""
        process = self._next()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            sent(process.stdin, data)
            answer = received(_Whole(process.stdout))
        except OSError:
            answer = None
        if answer is not None:
            self.idle.put(process)
            return answer
        process.kill()
        code = process.wait()
        if self.threads is not None:
            self._start()
        raise LostError(f"signal {-code}" if code < 0 else f"exit code {code}")

    def _next(self) -> "subprocess.Popen[bytes]":
        """Return the next process that is idle."""
        while self.threads is not None:
            with suppress(Empty):
                return self.idle.get(timeout=LOOK)
        raise LostError("the cluster was left")

    def close(self) -> None:
        threads, self.threads = self.threads, None
        for process in self.all:
            process.kill()
        if threads is not None:
            threads.shutdown(cancel_futures=True)
        for process in self.all:
            process.kill()  # one may have been started in the meantime
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        self.all = []


class _Whole:
    """A stream without a buffer that is read until there are as many bytes as were asked for, or it ends."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read(self, size: int) -> bytes:
        pieces = []
        while size and (piece := self.stream.read(min(size, 1 << 20))):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)
