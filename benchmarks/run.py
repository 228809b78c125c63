"""Measure losscli against what a user would write instead, and print ratios.

Usage: `python benchmarks/run.py`, with any Python that has losscli. README.md says what is measured and how to read it.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import report
from measure import ENVIRONMENT, SLOW, TIMEOUT, Result, cores, run
from peers import FRAMEWORKS, PEERS, Peer
from workloads import FRACTIONS, JOIN, LONG, OUTPUT, WORKLOADS, Workload, read_once

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "sample_data"
PYTHON = sys.executable
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",  # torch
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
"""What takes AVX-512 from the frameworks, as `beyond_avx2` takes it from NumPy."""
TABLE = "losscli, table"
"""The contender that reads the same numbers as a table, one row per position."""
COMPUTED = "losscli.compute"
"""The contender that a Python program calls, with its looks at the numbers; "losscli" in process is the loss alone."""
OFTEN = 5  # how many times more often a process is run that is over in no time
TINY = (SAMPLES / "tiny_logits", SAMPLES / "tiny_labels")
COMPUTE = (PYTHON, "-m", "losscli", "compute", "softmax-cross-entropy")
STARTS = {
    "3 x 3 NPY": (
        [*COMPUTE, *(f"{path}.npy" for path in TINY), "-f", "value"],
        "import numpy, typer, rich",
    ),
    "3 x 3 CSV": (
        [*COMPUTE, *(f"{path}.csv" for path in TINY), "--id", "id", "-f", "value"],
        "import numpy, typer, rich",
    ),
    "--help": ([PYTHON, "-m", "losscli", "--help"], "import typer, rich"),
}
"""Commands that do next to nothing, and the imports that they cannot do without."""
OUTPUTS = ("jsonl", "json", "md", "tsv", "parquet", "npy")
"""Suffixes of files with one row per sample, which are held against CSV."""


def beyond_avx2() -> str:
    """The names that NumPy has for what this processor can do beyond AVX2, '' if that is nothing."""
    asked = (
        "from numpy._core._multiarray_umath import __cpu_dispatch__ as names, __cpu_features__ as has; "
        "print(*(name for name in names if has[name] and ('512' in name or name == 'X86_V4')))"
    )
    return run([PYTHON, "-c", asked], HERE).output.strip()


class Bench:
    """Measures one job after the other, and keeps the results of all."""

    def __init__(
        self, folder: Path, scale: float, repeats: int, names: Sequence[str] | None = None, gradients: bool = True
    ) -> None:
        self.folder, self.scale, self.repeats = folder, scale, repeats
        self.peers = [peer for peer in PEERS if names is None or peer.name in names]
        self.gradients = gradients
        self.results: list[Result] = []

    def jobs(self) -> dict[str, tuple[Callable[[], None], list[Workload]]]:
        """What can be asked for by name: each with what it does and the workloads whose inputs it needs."""
        scaled = [workload.scaled(self.scale) for workload in WORKLOADS]
        sizes = [LONG.scaled(self.scale * fraction) for fraction in FRACTIONS]
        return {
            **{
                workload.name: (
                    lambda workload=workload: self.compare(workload),
                    [workload, workload.table] if workload.positions else [workload],
                )
                for workload in scaled
            },
            "size": (lambda: self.size(sizes), sizes),
            **{
                f"output-{suffix}": (
                    lambda suffix=suffix: self.write(OUTPUT.scaled(self.scale), suffix),
                    [OUTPUT.scaled(self.scale)],
                )
                for suffix in OUTPUTS
            },
            JOIN.name: (lambda: self.join(JOIN.scaled(self.scale)), [JOIN.scaled(self.scale)]),
            "threads": (lambda: self.threads(LONG.scaled(self.scale)), [LONG.scaled(self.scale)]),
            "startup": (self.startup, []),
        }

    def make(self, workload: Workload) -> bool:
        """Make inputs, in another process; False if there is no room for them, say."""
        if all(path.exists() for path in workload.files(self.folder)):
            return True
        self.note(workload.name, "inputs")
        made = run([PYTHON, str(HERE / "workloads.py"), workload.to_json(), str(self.folder)], self.folder, 1e6)
        if made.fault:
            self.results.append(Result(workload.name, "inputs", "", fault=made.fault))
        return not made.fault

    def compare(self, workload: Workload) -> None:
        """Compare losscli with all peers: as processes, and for arrays in process, with the gradient and without."""
        npy = workload.format == "npy"
        limit = npy and not workload.small and "label_smoothing" not in workload.options
        peers = [peer for peer in self.peers if peer.format == workload.format]
        commands = {"losscli": self.losscli(workload)}
        if workload.positions and self.make(workload.table):
            commands |= {TABLE: self.losscli(workload.table)}
        commands |= {peer.name: self.script(workload, peer) for peer in peers if usable(peer, workload)}
        if limit:
            commands["cat"] = ["sh", "-c", 'exec cat "$@" > /dev/null', "cat", *map(str, workload.files(self.folder))]
        repeats = self.repeats * (OFTEN if workload.small else 1)
        self.processes(workload, "process", commands, repeats)
        self.left_out(workload, "process", peers)
        for gradient in (False, True)[: 1 + self.gradients] if npy else ():
            mode = "in process, gradient" if gradient else "in process"
            contenders = [contender("losscli", "with_compute" if workload.positions else "with_losscli")]
            contenders += [] if workload.positions else [contender(COMPUTED, "with_compute")]
            contenders += [contender(peer.name, peer.module) for peer in peers if usable(peer, workload, gradient)]
            if limit and not gradient:
                contenders.append(contender("sum()", "sum"))
            self.in_process(workload, mode, contenders, gradient)
            self.left_out(workload, mode, peers, gradient)

    def size(self, workloads: Sequence[Workload]) -> None:
        """Time and memory over three decades of file sizes; torch beside it, if it is there."""
        torch = next(peer for peer in PEERS if peer.name == "torch")
        for workload in workloads:
            commands = {"losscli": self.losscli(workload)}
            if usable(torch, workload):
                commands["torch"] = self.script(workload, torch)
            self.processes(workload, "size", commands, self.repeats)

    def threads(self, workload: Workload) -> None:
        """Time against threads: powers of two, and all cores."""
        counts = sorted({2**power for power in range(cores().bit_length())} | {cores()})
        commands = {str(count): [*self.losscli(workload), "--threads", str(count)] for count in counts}
        self.processes(workload, "threads, process", commands, self.repeats)
        contenders = [contender(str(count), "with_losscli", count) for count in counts]
        self.in_process(workload, "threads, in process", contenders, gradient=False)

    def write(self, workload: Workload, suffix: str) -> None:
        """Write a row per sample in a format, and in CSV."""
        commands = {}
        for one in ("csv", suffix):
            output = self.folder / f"output.{one}"  # not a word of its own, which would be read before
            commands[one] = [*self.losscli(workload), "--per-sample", f"--output={output}", "--quiet"]
        self.processes(replace(workload, name=f"output-{suffix}"), "output", commands, self.repeats)
        for one in commands:
            (self.folder / f"output.{one}").unlink(missing_ok=True)

    def join(self, workload: Workload) -> None:
        """Join two files by their ids, against Polars and NumPy."""
        commands = {"losscli": [*self.losscli(workload), "--id", "id"]}
        peer = next(peer for peer in PEERS if peer.name == "polars + numpy")
        if not peer.missing():
            commands[peer.name] = self.script(workload, replace(peer, reader="join"))
        self.processes(workload, "process", commands, self.repeats)

    def startup(self) -> None:
        """Commands that do next to nothing, against the imports that they cannot do without."""
        for name, (command, imports) in STARTS.items():
            commands = {"losscli": command, imports: [PYTHON, "-c", imports]}
            self.alternate(name, "start-up", commands, self.repeats * OFTEN)

    def losscli(self, workload: Workload) -> list[str]:
        options = [f"--{name.replace('_', '-')}={value:g}" for name, value in workload.options.items()]
        files = map(str, workload.files(self.folder))
        return [PYTHON, "-m", "losscli", "compute", workload.loss, *files, "-f", "value", *options]

    def script(self, workload: Workload, peer: Peer) -> list[str]:
        files = map(str, workload.files(self.folder))
        options = json.dumps(workload.options)
        return [PYTHON, str(HERE / "whole.py"), peer.module, peer.reader, workload.loss, *files, options]

    def left_out(self, workload: Workload, mode: str, peers: Sequence[Peer], gradient: bool = False) -> None:
        """Say of each peer that is not measured why not."""
        for peer in peers:
            if not peer.applies(workload.loss, workload.options, gradient):
                self.results.append(Result(workload.name, mode, peer.name, fault="not applicable"))
            elif peer.missing():
                self.results.append(Result(workload.name, mode, peer.name, fault="not installed"))

    def processes(self, workload: Workload, mode: str, commands: dict[str, list[str]], repeats: int) -> None:
        """Run commands that each read the workload's files."""
        if self.make(workload):
            self.alternate(workload.name, mode, commands, repeats, workload)

    def alternate(
        self,
        name: str,
        mode: str,
        commands: dict[str, list[str]],
        repeats: int,
        workload: Workload | None = None,
    ) -> None:
        """Run commands in turn, A B C A B C, each after its files were read; who fails once has no further turn."""
        size = workload.bytes if workload else 0
        results = {contender: Result(name, mode, contender, bytes=size) for contender in commands}
        self.results += results.values()
        for turn in range(repeats):
            for contender, result in results.items():
                if result.fault or max(result.seconds, default=0.0) > SLOW:
                    continue
                self.note(name, mode, contender, f"{turn + 1} of {repeats}")
                # Each time anew, for a contender that needs much memory may have driven the files out of it.
                read_once(Path(word) for word in commands[contender] if word.startswith(f"{self.folder}{os.sep}"))
                ended = run(commands[contender], self.folder)
                result.fault = ended.fault
                result.seconds.append(ended.seconds)
                result.cpu.append(ended.cpu)
                result.peaks.append(ended.peak)
                if workload and contender != "cat" and not ended.fault:
                    result.value = number(ended.output)
                    result.fault = "" if result.value is not None else "failed: no number"

    def in_process(self, workload: Workload, mode: str, contenders: list[dict[str, Any]], gradient: bool) -> None:
        """Time contenders in one process; where that is killed, again without the one that was at work."""
        results = {each["name"]: Result(workload.name, mode, each["name"], bytes=workload.bytes) for each in contenders}
        self.results += results.values()
        while self.make(workload) and contenders:
            self.note(workload.name, mode, ", ".join(each["name"] for each in contenders))
            request = {
                "workload": asdict(workload),
                "files": [str(path) for path in workload.files(self.folder)],
                "contenders": contenders,
                "gradient": gradient,
                "repeats": self.repeats,
            }
            timeout = TIMEOUT * len(contenders) * (self.repeats + 2)
            ended = run([PYTHON, str(HERE / "in_process.py"), json.dumps(request)], self.folder, timeout)
            at_work = ""
            for each in contenders:
                results[each["name"]].seconds.clear()
            for line in ended.output.splitlines():
                said = json.loads(line) if line.startswith("{") else {}
                at_work = said.get("begins", "")
                if "contender" in said:
                    result = results[said["contender"]]
                    result.fault = said.get("fault", "")
                    result.value = said.get("value")
                    result.seconds += [said["seconds"]] if "seconds" in said else []
            if not ended.fault:
                return
            for each in contenders:
                if each["name"] == at_work or not at_work:
                    results[each["name"]].fault = ended.fault
            contenders = [each for each in contenders if not results[each["name"]].fault]

    def note(self, *what: str) -> None:
        print("benchmarks:", *what, file=sys.stderr, sep=" | ", flush=True)


def number(output: str) -> float | None:
    """The number in the last line, if there is one."""
    try:
        return float(output.split()[-1])
    except (IndexError, ValueError):
        return None


def usable(peer: Peer, workload: Workload, gradient: bool = False) -> bool:
    return peer.applies(workload.loss, workload.options, gradient) and not peer.missing()


def contender(name: str, module: str, threads: int | None = None) -> dict[str, Any]:
    return {"name": name, "module": module, "threads": threads or cores()}


def environment(scale: float, repeats: int, cpu: str) -> dict[str, Any]:
    """What the numbers depend on, besides the machine."""
    versions: dict[str, str | None] = {}
    for name in ("losscli", "numpy", *FRAMEWORKS):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "cores": cores(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
        "versions": versions,
        "scale": scale,
        "repeats": repeats,
        "cpu": cpu,
    }


def parsed(arguments: Sequence[str] | None, names: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog=f"Names: {', '.join(names)}.",
    )
    parser.add_argument("--only", action="append", metavar="PATTERN", help="names, as in 'csv-*,startup'; repeatable")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="rows of large workloads, times X")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="turns, of which the median counts")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="keep inputs here, and find them here next time")
    parser.add_argument("--peers", metavar="NAMES", help="only these peers, as in 'torch,optax'")
    parser.add_argument("--no-gradients", action="store_true", help="losses only")
    parser.add_argument("--avx2", action="store_true", help="take AVX-512 from NumPy and the frameworks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every single number")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    given = parser.parse_args(arguments)
    if not given.scale > 0 or given.repeats < 1:
        parser.error("--scale is above 0, and --repeats at least 1")
    patterns = [pattern.strip() for each in given.only or ["*"] for pattern in each.split(",")]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            parser.error(f"--only {pattern}: there is {', '.join(names)}")
    given.names = [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; 1 if a contender failed, other than for want of memory or time."""
    given = parsed(arguments, list(Bench(Path(), 1.0, 1).jobs()))
    beyond = beyond_avx2()
    if given.avx2:
        ENVIRONMENT.update(AVX2 | ({"NPY_DISABLE_CPU_FEATURES": beyond} if beyond else {}))
    cpu = "a processor without AVX-512" if not beyond else "AVX-512 switched off" if given.avx2 else "AVX-512 used"
    facts = environment(given.scale, given.repeats, cpu)
    if given.data:
        given.data.mkdir(parents=True, exist_ok=True)
    with nullcontext(given.data) if given.data else tempfile.TemporaryDirectory(prefix="losscli-") as folder:
        bench = Bench(
            Path(folder).resolve(),
            given.scale,
            given.repeats,
            given.peers and given.peers.split(","),
            not given.no_gradients,
        )
        jobs = [bench.jobs()[name] for name in given.names]
        try:
            for done, (measure, workloads) in enumerate(jobs, 1):
                measure()
                if given.json:
                    given.json.write_text(json.dumps(facts | {"results": [asdict(each) for each in bench.results]}))
                if not given.data:
                    needed = {path for _, others in jobs[done:] for path in files(others, bench.folder)}
                    for path in files(workloads, bench.folder) - needed:
                        path.unlink(missing_ok=True)
        except KeyboardInterrupt:
            bench.note("interrupted", "what follows was measured before")
    print(report.text(facts, bench.results, given.markdown))
    return int(any(result.fault.startswith("failed") for result in bench.results))


def files(workloads: Sequence[Workload], folder: Path) -> set[Path]:
    return {path for workload in workloads for path in workload.files(folder)}


if __name__ == "__main__":
    sys.exit(main())
