"""Many inputs of all kinds, each in a command line or a few, and a table of what became of them.

    python tests/support/fuzz_run.py --inputs 1000000 --seed 0      a long run; counts and failures are written as it goes
    python tests/support/fuzz_run.py --only 12345                   one input again, and where it fails

What an input is follows from its seed, as everything else:

- numbers: a loss of files, whole or damaged, against the slow reference (fuzz.py);
- commands: any command, with options drawn from what the commands declare, on files, whole or damaged (fuzz_commands.py);
- relations: numbers that must go together, such as those of parts and of the whole (fuzz_relations.py);
- containers: files of every format with bytes that were changed, in every command that reads such files.

Inputs run one after the other in a process that has loaded everything, and in a folder of their own. A process that dies is
begun again behind its input; after 20,000 inputs a new one begins, and what it has more of than at first is a leak.
"""

import argparse
import collections
import contextlib
import functools
import gc
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 20
"""Of the processor after which an input counts as a hang; and of the clock, twelve times as many."""
LARGEST = 64 << 20
"""Bytes that a file may have."""
ROUND = 20_000
"""Inputs of a process."""
MEMORY = 400 << 20
"""Bytes by which a process may grow after its first tenth: it keeps the commands of ever more losses, and what Polars holds."""
FILES = 100
"""Open files that a process may have more than at first: libraries keep some, and errors until they are collected."""
KINDS = {"numbers": 2, "commands": 10, "relations": 3, "containers": 10}
"""How often a kind is drawn."""
HOME = "home"


def kind_of(seed: int) -> str:
    """The kind of a seed."""
    return random.Random(f"kind of {seed}").choices(list(KINDS), list(KINDS.values()))[0]


# Kinds. Each judges a seed in the working folder, and returns what to count: command, formats, what became of it, command lines.

Verdict = tuple[str, str, str, int]


def numbers(seed: int) -> Verdict:
    from fuzz import judge, made
    from mpmath import mp

    case = made(seed)
    formats = formats_of(case.files)
    with mp.workdps(30):
        return "compute", formats, judge(case), 1


def commands(seed: int) -> Verdict:
    from fuzz_commands import drawn, judge_line

    line = drawn(seed)
    return " ".join(line.command), formats_of(line.files), judge_line(line, seed), 1


def relations(seed: int) -> Verdict:
    from fuzz_relations import judge_relation

    name, lines = judge_relation(seed)
    return name, formats_of(dict.fromkeys(os.listdir("."), b"")), "agree", lines


def containers(seed: int) -> Verdict:
    from damaged import drawn, judge_damaged

    words, files = drawn(seed)
    return words[0], formats_of(files), judge_damaged(words, files), 1


def formats_of(files: Any) -> str:
    """The formats of files, by their suffixes, with those of compressed ones as one word."""
    return " ".join(sorted({name.partition(".")[2].lower() for name in files if not name.startswith("o.")}))


JUDGES: dict[str, Callable[[int], Verdict]] = {
    "numbers": numbers,
    "commands": commands,
    "relations": relations,
    "containers": containers,
}


# What holds of each input.


class HangError(Exception):
    """An input took too long."""


@contextlib.contextmanager
def seconds(most: int) -> Iterator[None]:
    """Raise a HangError after so many seconds of the processor, or twelve times as many of the clock."""

    def stop(number: int, frame: Any) -> None:
        raise HangError(f"no end within {most} s of the processor, or {12 * most} s of the clock")

    before = [signal.signal(one, stop) for one in (signal.SIGPROF, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_PROF, most)
    signal.setitimer(signal.ITIMER_REAL, 12 * most)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, how in zip((signal.SIGPROF, signal.SIGALRM), before, strict=True):
            signal.signal(number, how)


def leaks(folder: Path, before: int) -> str:
    """What an input has left: open files beside those before, temporary files, processes; '' for nothing."""
    now = len(os.listdir("/proc/self/fd"))
    if now > before + FILES:
        gc.collect()  # errors refer to themselves, and hold what was open then
        now = len(os.listdir("/proc/self/fd"))
    found = [f"{now - before} open files: {_open_files()}"] if now > before + FILES else []
    found += [f"temporary files: {left}"] if (left := os.listdir(folder)) else []
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    found += [f"processes: {[_name(one) for one in children]}"] if children else []
    return ", ".join(found)


def _open_files() -> str:
    """The open files of this process by their names, numbers and folders left out, the most frequent first."""
    names: collections.Counter[str] = collections.Counter()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            names[re.sub(r"[0-9]+|case-\w+", "#", os.readlink(f"/proc/self/fd/{number}"))] += 1
    return ", ".join(f"{count} {name}" for name, count in names.most_common(4))


def _name(process: str) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().decode().replace("\0", " ")[:200]
    return process


def judged(seed: int, temporary: Path, before: int) -> tuple[str, Verdict | None, str]:
    """Judge a seed in a folder of its own: its kind, the verdict, and what is wrong, '' for nothing."""
    kind, here, environment = kind_of(seed), os.getcwd(), dict(os.environ)
    verdict, wrong = None, ""
    with tempfile.TemporaryDirectory(dir=temporary.parent, prefix="case-") as own:
        os.chdir(own)
        try:
            with seconds(SECONDS):
                verdict = JUDGES[kind](seed)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of this input
            last = traceback.extract_tb(error.__traceback__)[-1]
            wrong = f"{type(error).__name__}: {' '.join(str(error).split())[:600]} ({last.name})"
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(environment)
    if not wrong and (left := leaks(temporary, before)):
        wrong = f"leak: {left}"
    return kind, verdict, wrong


def resident() -> int:
    """The memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@functools.cache
def prepared() -> Path:
    """Load everything, once; return the folder of temporary files, which must stay empty."""
    from fuzz_commands import keep_commands, made_files

    shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = Path(tempfile.mkdtemp(prefix="losscli-fuzz-", dir=shared))
    for name in ("temporary", HOME):
        (folder / name).mkdir()
    os.environ |= {"TMPDIR": str(folder / "temporary"), "HOME": str(folder / HOME), "MPLCONFIGDIR": str(folder / HOME)}
    os.environ.pop("DISPLAY", None)
    keep_commands()
    made_files()
    tempfile.tempdir = str(folder / "temporary")
    warnings.simplefilter("error")  # one of NumPy, or of another library, is then a defect, exit code 70
    gc.collect()
    gc.freeze()  # what is loaded stays, and need not be looked through again
    return folder / "temporary"


def work(first: int, count: int, log: Path) -> None:
    """Judge seeds one after the other; write counts and failures to a log, a line of JSON for each hundred inputs."""
    temporary = prepared()
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
    counts: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    base, begun = 0, time.process_time()
    open_files = len(os.listdir("/proc/self/fd"))
    with log.open("a") as file, log.with_suffix(".now").open("w") as now:
        for number, seed in enumerate(range(first, first + count)):
            os.pwrite(now.fileno(), f"{seed:20}".encode(), 0)
            kind, verdict, wrong = judged(seed, temporary, open_files)
            counts["inputs"] += 1
            counts[f"kind: {kind}"] += 1
            if verdict is not None:
                command, formats, what, lines = verdict
                counts["command lines"] += lines
                counts[f"{kind}: {command}"] += 1
                counts[f"{kind} became: {what.partition(':')[0]}"] += 1
                counts.update(f"format: {one}" for one in formats.split())
            if "open files" in wrong:  # which is said once
                open_files = len(os.listdir("/proc/self/fd"))
            if wrong:
                failures.append(f"{seed}\t{kind}\t{wrong}")
                counts["failures"] += 1
            if number == count // 10:
                base = resident()
            if base and number % 100 == 0 and resident() - base > MEMORY:
                failures.append(f"{seed}\t{kind}\tmemory grew by {resident() - base:,} bytes since the first tenth")
                base = resident()
            if number % 100 == 99 or number == count - 1:
                used = time.process_time() - begun
                begun += used
                record = {"next": seed + 1, "cpu": used, "counts": counts, "failures": failures, "memory": resident()}
                file.write(json.dumps(record) + "\n")
                file.flush()
                counts, failures = collections.Counter(), []


def gathered(log: Path) -> tuple[collections.Counter[str], list[str], int | None, float]:
    """The counts and failures of a log, the next seed, and the seconds of the processor."""
    counts: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    following, used = None, 0.0
    for line in log.read_text().splitlines() if log.exists() else ():
        record = json.loads(line)
        counts.update(record["counts"])
        failures += record["failures"]
        following, used = record["next"], used + record["cpu"]
    return counts, failures, following, used


def long_run(inputs: int, seed: int, folder: Path) -> int:
    """Judge many seeds, in one process at a time; print the table, and return the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    log, last = folder / f"{seed}.jsonl", seed + inputs
    while True:
        counts, failures, following, used = gathered(log)
        (folder / "failures.txt").write_text("".join(line + "\n" for line in failures))
        following = seed if following is None else following
        if following >= last:
            break
        words = ["--work", str(following), str(min(last - following, ROUND)), str(log)]
        process = subprocess.Popen([sys.executable, __file__, *words])
        (folder / "pid").write_text(f"{process.pid}\n")
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            counts, failures, _, used = gathered(log)
            (folder / "failures.txt").write_text("".join(line + "\n" for line in failures))
            summary = {"seconds of the processor": round(used, 1), "failures listed": len(failures), **counts}
            (folder / "counts.json").write_text(json.dumps(summary, indent=1))
        if process.returncode == 3:  # as losscli ends where Polars aborts: its last hundred is done again behind it
            died = int(log.with_suffix(".now").read_text())
            done = gathered(log)[2] or seed
            record = {"next": died + 1, "cpu": 0, "counts": {"inputs": died + 1 - done, "aborts of Polars": 1}, "failures": []}  # fmt: skip
            with log.open("a") as file:
                file.write(json.dumps(record) + "\n")
        elif process.returncode != 0:  # it died: its last hundred is done again without the seed at which it did
            died = int(log.with_suffix(".now").read_text())
            done = gathered(log)[2] or seed
            record = {"next": died + 1, "cpu": 0, "counts": {"inputs": died + 1 - done, "failures": 1}, "failures": [f"{died}\t{kind_of(died)}\tthe process died, {process.returncode}"]}  # fmt: skip
            with log.open("a") as file:
                file.write(json.dumps(record) + "\n")
    print(table(counts, failures, used))
    return 1 if failures else 0


def table(counts: collections.Counter[str], failures: list[str], used: float) -> str:
    """The counts of a run as text."""
    inputs = counts["inputs"] or 1
    lines = [f"{counts[name]:12,}  {name}" for name in sorted(counts)]
    lines += [f"{used:12,.0f}  seconds of the processor, {1000 * used / inputs:.1f} ms for each input"]
    return "\n".join([*lines, *failures, f"{len(failures)} failures"])


def shown(seed: int) -> None:
    """Print what an input is, and judge it; where it fails, the traceback says where."""
    folder = prepared()
    kind = kind_of(seed)
    print(f"{kind}, seed {seed}")
    if kind == "commands":
        from fuzz_commands import drawn

        line = drawn(seed)
        print("losscli", " ".join(map(repr, line.words)), f"damaged: {line.damaged}, piped: {line.piped}")
        for name, data in line.files.items():
            print(f"{name}: {data[:300]!r}")
    with tempfile.TemporaryDirectory(dir=folder.parent) as own:
        os.chdir(own)
        if kind == "numbers":
            from fuzz import shown as numbers_shown

            numbers_shown(seed)
        with seconds(SECONDS):
            print(JUDGES[kind](seed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--folder", type=Path, default=Path("fuzz-run"), help="where counts and failures are written")
    parser.add_argument("--work", nargs=3)
    given = parser.parse_args()
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    sys.path.insert(0, str(Path(__file__).parent))
    if given.work:
        work(int(given.work[0]), int(given.work[1]), Path(given.work[2]))
    elif given.only is not None:
        shown(given.only)
    else:
        sys.exit(long_run(given.inputs, given.seed, given.folder))
