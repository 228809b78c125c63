"""Reading an NPY file from a server on this machine: losscli against a plain loop with obstore, in turns, in one run.

The server is the plain web server of the tests, in a process of its own; it takes some of the processor too. The loop asks
for one range after another, or for some of them at the same time, and throws the bytes away. losscli reads the rows as its
pass does, batch by batch; and the whole `losscli compute` is there too, beside that of the same file on the disk.
"""

import argparse
import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
CLASSES = 250
PART = 16 << 20
"""Bytes of a request of the loop: as many as a chunk of the pass has."""
GOAL = 0.8
"""The share of the loop's speed that losscli should reach."""


def main() -> int:
    """Print the tables, and return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the file")
    parser.add_argument("--repeats", type=int, default=5, help="turns, of which the median counts")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer of the server")
    parser.add_argument("--serve", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--read", nargs=3, metavar=("HOW", "URL", "THREADS"), help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.serve:
        serve(words.serve, words.latency)
    if words.read:
        how, url, threads = words.read
        importlib.import_module("obstore.store" if how == "loop" else "losscli.io.remote.path")
        importlib.import_module("losscli.io.operands")
        begun = time.perf_counter(), time.process_time()
        (loop if how == "loop" else rows_of)(url, int(threads))
        print(time.perf_counter() - begun[0], time.process_time() - begun[1])
        return 0
    with tempfile.TemporaryDirectory() as folder:
        rows = (words.megabytes << 20) // (CLASSES * 4)
        path, labels = Path(folder, "logits.npy"), Path(folder, "labels.npy")
        write(path, labels, rows)
        command = [sys.executable, __file__, "--serve", str(path), "--latency", str(words.latency)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            try:
                return compare(url, path, labels, words.repeats, words.latency)
            finally:
                server.kill()


def write(path: Path, labels: Path, rows: int) -> None:
    """Write logits of a normal distribution, and labels."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:  # not through a mapping, whose pages would count to the peaks of child processes
        described = {"descr": "<f4", "fortran_order": False, "shape": (rows, CLASSES)}
        np.lib.format.write_array_header_1_0(file, described)
        for start in range(0, rows, 10_000):
            rng.normal(0, 3, (min(10_000, rows - start), CLASSES)).astype(np.float32).tofile(file)
    np.save(labels, rng.integers(0, CLASSES, rows))


def serve(file: str, latency: float) -> None:
    """Serve one file, which is in memory, until this process is killed; print the address."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from servers import Behaviour, WebServer

    with WebServer({"/logits.npy": Path(file).read_bytes()}, Behaviour(latency=latency, dates=True)) as server:
        print(f"{server.url}/logits.npy", flush=True)
        time.sleep(1e9)


def loop(url: str, at_once: int) -> None:
    """Read all bytes, range after range, so many of them at the same time."""
    import obstore
    from obstore.store import HTTPStore

    retry = {"max_retries": 3, "retry_timeout": timedelta(minutes=1)}
    store = HTTPStore(url.rpartition("/")[0], client_options={"allow_http": True}, retry_config=retry)
    size = obstore.head(store, "logits.npy")["size"]
    cuts = [*range(0, size, PART), size]

    def read(part: tuple[int, int]) -> int:
        return len(obstore.get_range(store, "logits.npy", start=part[0], end=part[1]))

    if at_once == 1:
        assert sum(map(read, pairwise(cuts))) == size
        return
    with ThreadPoolExecutor(at_once) as pool:
        assert sum(pool.map(read, pairwise(cuts))) == size


def rows_of(url: str, threads: int) -> None:
    """Read all rows as the pass does: chunk by chunk, in threads, and each chunk in batches."""
    from losscli.engine.job import BATCH_BYTES, CHUNK_BYTES
    from losscli.engine.threads import executor_of
    from losscli.io.operands import Opener
    from losscli.io.source import pieces

    source = Opener().open(url, "predictions").content
    rows, width = source.shape[0], source.shape[1] * source.dtype.itemsize
    step = CHUNK_BYTES // width

    def read(start: int) -> None:
        for _ in pieces(source, start, min(start + step, rows), BATCH_BYTES // width):
            pass

    with executor_of(threads) as pool:
        list(pool.map(read, range(0, rows, step)))


class Turn(NamedTuple):
    """What one turn took: seconds, seconds of the processor, and the peak of resident memory in bytes."""

    seconds: float
    processor: float
    peak: int


def process(*words: str) -> Turn:
    """Run a program, and return what it took: as a whole, or as it says itself in its output."""
    begun = time.perf_counter()
    started = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert started.stdout is not None
    said = started.stdout.read().split()
    _, status, used = os.wait4(started.pid, 0)
    seconds = time.perf_counter() - begun
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0
    processor = used.ru_utime + used.ru_stime
    if len(said) == 2:
        seconds, processor = map(float, said)
    return Turn(seconds, processor, used.ru_maxrss * 1024)


def compare(url: str, path: Path, labels: Path, repeats: int, latency: float) -> int:
    """Let all take turns, print the medians, and return 1 if losscli is below the goal."""
    cores = str(len(os.sched_getaffinity(0)))
    computed = ("-m", "losscli", "compute", "softmax-cross-entropy")
    contenders = {
        "plain loop": (__file__, "--read", "loop", url, "1"),
        f"plain loop, {cores} at the same time": (__file__, "--read", "loop", url, cores),
        "losscli, its rows": (__file__, "--read", "rows", url, cores),
        "losscli compute": (*computed, url, str(labels), "-f", "value", "-q"),
        "losscli compute, of the file on the disk": (*computed, str(path), str(labels), "-f", "value", "-q"),
    }
    turns: dict[str, list[Turn]] = {name: [] for name in contenders}
    for _ in range(repeats + 1):
        for name, words in contenders.items():
            turns[name].append(process(*words))
    size = path.stat().st_size
    medians = {name: Turn(*map(statistics.median, zip(*each[1:], strict=True))) for name, each in turns.items()}
    reading = medians["plain loop"].seconds
    print(f"{size / 1e6:,.0f} MB, latency {latency * 1000:g} ms, {cores} cores, medians of {repeats}\n")
    print("| what | seconds | MB/s | speed, of the plain loop's | processor s | peak MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, turn in medians.items():
        speed = f"{turn.seconds:.2f} | {size / turn.seconds / 1e6:,.0f} | {reading / turn.seconds:.2f}"
        print(f"| {name} | {speed} | {turn.processor:.2f} | {turn.peak / 1e6:,.0f} |")
    ratio = reading / medians["losscli, its rows"].seconds
    print(f"\nlosscli's rows at {ratio:.2f} of the plain loop's speed; the goal is {GOAL}")
    return int(ratio < GOAL)


if __name__ == "__main__":
    sys.exit(main())
