"""The same pass on threads, on processes and on a cluster of Dask's, in turns; what it costs the process that hands out the work.

Usage: `python benchmarks/cluster.py [--scale 1] [--turns 3] [--data FOLDER]`. At scale 1: 1M x 1,000 float32 in ten shards,
three times over, which is 12 GB to read and 4 GB on the disk, since the files of the second and third time are links. Without Dask
its column is left out. Everything is read once before, so that the page cache has it if it is large enough.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

ROWS, CLASSES, SHARDS, TIMES = 1_000_000, 1000, 10, 3
MANY = 10_000
CLUSTER = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def made(folder: Path, rows: int) -> tuple[str, str]:
    """Make shards and labels, and return their patterns."""
    rng = np.random.default_rng(0)
    each = max(1, rows // SHARDS)
    for i in range(SHARDS):
        names = [(folder / f"z-0-{i}.npy", folder / f"y-0-{i}.npy")]
        names += [(folder / f"z-{turn}-{i}.npy", folder / f"y-{turn}-{i}.npy") for turn in range(1, TIMES)]
        if names[0][0].exists():
            continue
        labels = rng.integers(0, CLASSES, each)
        logits = rng.standard_normal((each, CLASSES), np.float32) * 3
        logits[np.arange(each), labels] += 6
        np.save(names[0][0], logits)
        np.save(names[0][1], labels)
        for z, y in names[1:]:
            os.link(names[0][0], z)
            os.link(names[0][1], y)
    return str(folder / "z-*.npy"), str(folder / "y-*.npy")


def seconds(words: list[str], cluster: int | None = None) -> tuple[float, float, str]:
    """Run a command; its wall time, the CPU time of it and of the cluster whose process id is given, and what it prints."""
    begun, before = time.monotonic(), cpu(cluster)
    done = subprocess.run([sys.executable, "-m", "losscli", *words], capture_output=True, text=True, check=True)
    return time.monotonic() - begun, cpu(cluster) - before, done.stdout


def cpu(cluster: int | None) -> float:
    """The CPU time so far of all commands that have ended, their processes included, and of a cluster."""
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + (0 if cluster is None else tree(cluster))


def tree(process: int) -> float:
    """The CPU time so far of a process and all that it has started."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{process}/task").glob("*/children")
    started = [int(child) for file in children for child in file.read_text().split()]
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + sum(map(tree, started))


def in_turns(
    patterns: tuple[str, str], turns: int, gradient: Path | None, address: str | None, cluster: int | None
) -> None:
    """Print the times of all contenders, and their ratios to the threads' of the same turn."""
    ways = {
        "2 threads": ["--threads", "2"],
        "local:2": ["--cluster", "local:2"],
        "1 thread": ["--threads", "1"],
        "local:1": ["--cluster", "local:1"],
    }
    if address is not None:
        ways["Dask, 2 processes"] = ["--cluster", address]
    words = ["compute", "softmax-cross-entropy", *patterns, "-f", "json", "-q"]
    if gradient is not None:
        words += ["--gradient", str(gradient)]
    walls: dict[str, list[float]] = {way: [] for way in ways}
    cpus: dict[str, list[float]] = {way: [] for way in ways}
    printed = set()
    for _ in range(turns):
        for way, options in ways.items():
            wall, used, out = seconds([*words, *options], cluster if "Dask" in way else None)
            walls[way].append(wall)
            cpus[way].append(used)
            printed.add(out)
    assert len(printed) == 1, "digits differ"
    print("| | wall | x 2 threads | CPU | x 2 threads |\n| --- | ---: | ---: | ---: | ---: |")
    for way in ways:
        print(f"| {way} | {' | '.join(map(against(way), (walls, cpus)))} |")


def against(way: str) -> Callable[[dict[str, list[float]]], str]:
    """A function that says the median of a contender's times, and that of their ratios to the threads'."""

    def said(times: dict[str, list[float]]) -> str:
        ratio = statistics.median(one / base for one, base in zip(times[way], times["2 threads"], strict=True))
        return f"{statistics.median(times[way]):.2f} s | {ratio:.2f}"

    return said


class Here(Executor):
    """Carries out errands in this process, and keeps count of them."""

    max_workers = 2

    def __init__(self) -> None:
        self.seconds, self.errands, self.sent, self.back = 0.0, 0, 0, 0

    def submit(self, function: Any, /, *arguments: Any) -> "Future[Any]":  # type: ignore[override]
        future: Future[Any] = Future()
        begun = time.process_time()
        found = function(*arguments)
        self.seconds += time.process_time() - begun
        self.errands += 1
        self.sent += len(arguments[0])
        self.back += len(found)
        future.set_result(found)
        return future


def client(patterns: tuple[str, str]) -> None:
    """Print what a pass costs the process that hands out the work, beside the work itself."""
    from losscli.definition.request import Request
    from losscli.engine.workers import cluster
    from losscli.losses import find
    from losscli.measurement.prepare import prepare

    measurement = prepare(Request(find("softmax-cross-entropy").bind(), *patterns))
    measurement.run(threads=1)  # so that everything is imported
    here = Here()
    begun = time.process_time()
    with cluster(here):
        measurement.run()
    own = time.process_time() - begun - here.seconds
    print(
        f"{here.errands} errands, {here.sent / here.errands:,.0f} bytes there and {here.back / here.errands:,.0f} back each; "
        f"{here.seconds:.2f} s of CPU time for the work, {own:.2f} s for the rest ({1e3 * own / here.errands:.1f} ms an errand)"
    )


def many(folder: Path) -> None:
    """Print how long the first errand of many small shards takes to be known, and the peak of memory."""
    folder.mkdir(exist_ok=True)
    if not (folder / f"y-{MANY - 1:05}.npy").exists():
        np.save(folder / "z.npy", np.random.default_rng(0).standard_normal((100, CLASSES), np.float32))
        np.save(folder / "y.npy", np.arange(100))
        for i in range(MANY):
            for kind in "zy":
                os.link(folder / f"{kind}.npy", folder / f"{kind}-{i:05}.npy")
    script = (
        "import re, sys, time; begun = time.monotonic()\n"
        "from losscli.definition.request import Request\nfrom losscli.losses import find\nfrom losscli.measurement.prepare import prepare\n"
        "prepare(Request(find('softmax-cross-entropy').bind(), *sys.argv[1:]))\n"
        "took = time.monotonic() - begun\n"
        # Not getrusage, whose peak of a new process is that of the process that started it.
        "peak = int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])\n"
        "print(f'{took:.2f} s, peak {peak / 1024:.0f} MB')"
    )
    for _ in range(3):
        out = subprocess.run(
            [sys.executable, "-c", script, str(folder / "z-*.npy"), str(folder / "y-*.npy")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        print(f"{MANY:,} shards of predictions and as many of labels, planned: {out}", end="")
    took, _, _ = seconds(
        [
            "compute",
            "softmax-cross-entropy",
            str(folder / "z-*.npy"),
            str(folder / "y-*.npy"),
            "-q",
            "--cluster",
            "local:2",
        ]
    )
    print(f"and computed on local:2: {took:.2f} s")


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    cluster = None
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.data or Path(temporary)
        folder.mkdir(exist_ok=True)
        patterns = made(folder, int(ROWS * options.scale))
        address = None
        if find_spec("distributed") is not None:
            script = Path(temporary) / "cluster_of_two.py"
            script.write_text(CLUSTER)
            cluster = subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert cluster.stdout is not None
            address = cluster.stdout.readline().decode().strip()
        subprocess.run(f"cat {patterns[0]} > /dev/null", shell=True, check=True)
        size = sum(path.stat().st_size for path in folder.glob("z-?-*.npy"))
        print(f"{size / 1e9:.1f} GB of predictions, {options.turns} turns, load {os.getloadavg()[0]:.1f}")
        pid = None if cluster is None else cluster.pid
        in_turns(patterns, options.turns, None, address, pid)
        print("\na third of it, with gradients to .npy")
        first = (str(folder / "z-0-*.npy"), str(folder / "y-0-*.npy"))
        in_turns(first, options.turns, Path(temporary) / "slopes.npy", address, pid)
        print()
        client(patterns)
        many(folder / "many")
        if cluster is not None:
            cluster.communicate(b"")


if __name__ == "__main__":
    main()
