"""Mutation testing: change the program in small ways, and see which changes no test notices.

    python tests/support/mutate.py --mutants 1200 --seed 1

mutmut makes the changed versions ("mutants"). It has no sample and no bound on the tests of one mutant, and the whole suite takes minutes;
so this file draws the sample, and chooses for each mutant the tests that execute its line, for up to so many seconds.

1. `record`: the tests run once under coverage, which says which test executes which line, and how long it takes. Of one test function
   with many cases, a few are taken.
2. `plant`: a copy of the checkout gets the sampled mutants, of which none is active.
3. `try`: a process imports all tests, and forks once per mutant. The child activates the mutant and runs its tests until one fails. A test
   that fails without any mutant as well is no proof, and is left out.

What comes out is in FOLDER/results.jsonl, one line per mutant; an interrupted run is resumed.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("data", "engine", "measurement")
ELSEWHERE = 3  # cases of one test function that is about another package, at most: there are thousands
FAR = (
    "plots",
    "gallery",
    "definition",
    "lookup",
    "libraries/test_frameworks.py",
    "render/test_sparkline.py",
    "analysis/test_curves.py",
)
FAR_PROGRAM = (
    "action",
    "contributing",
    "dask",
    "docs",
    "faults",
    "fuzz",
    "imports",
    "live",
    "package",
    "training",
)
APART = (
    [f"tests/{name}" for name in FAR]
    + [f"tests/program/test_{name}.py" for name in FAR_PROGRAM]
    + ["tests/engine/test_memory.py", "tests/io/test_compressed.py", "tests/io/test_remote.py"]
)
"""Tests that are about other packages, start processes of their own, take minutes, or use Polars when they are imported."""
DISTANT = dict.fromkeys(("errand.py", "travel.py"), "tests/program/test_cluster.py")
"""Files whose lines processes execute that no coverage follows, and the tests that start these; the mutant is active there as well."""
QUIET = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "tmp_path_retention_policy=none"]
SPARE = 4.0  # seconds of CPU time beyond what a mutant's tests take without it, before it counts as endless
ADOPT = 36  # PR_SET_CHILD_SUBREAPER: processes that a mutant leaves behind become ours, and can be ended
PATIENCE = 30.0  # seconds in which a mutant's tests do nothing, before it counts as endless as well


class Mutant(NamedTuple):
    """A change of one place.

    Attributes
    ----------
    name
        the module and, in it, mutmut's name of the changed function: an activated mutant is named by it.
    line, last
        the first and the last line of the statement that is changed.
    text
        whether only the wording of a message changes.
    """

    name: str
    path: str
    line: int
    last: int
    before: str
    after: str
    text: bool


# --- record


def few(items: Sequence[pytest.Item], cases: int, elsewhere: int) -> list[pytest.Item]:
    """Return a few cases of each test function, spread evenly, the tests of the mutated packages first.

    `elsewhere` is for tests that are about other packages.
    """
    by_function: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        by_function[item.nodeid.partition("[")[0]].append(item)
    near = tuple(f"tests/{name}/" for name in (*PACKAGES, "cli", "libraries"))
    chosen = []
    for name, each in by_function.items():
        most = cases if name.startswith(near) else elsewhere
        chosen += each[:: -(-len(each) // most)]
    return sorted(chosen, key=lambda item: not item.nodeid.startswith(tuple(f"tests/{name}/" for name in PACKAGES)))


class Recorder:
    """A plugin of pytest that writes which lines each test executes, and how long it takes."""

    def __init__(self, folder: Path, cases: int, elsewhere: int) -> None:
        import coverage  # in the extra for mutation tests only

        self.cases, self.elsewhere = cases, elsewhere
        self.path = folder / "reach.json"
        self.coverage = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{ROOT}/losscli/{name}/*" for name in PACKAGES]
        )
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = few(items, self.cases, self.elsewhere)

    def pytest_collection_finish(self) -> None:
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self.coverage.switch_context(item.nodeid)
        start = sum(os.times()[:4])
        outcome = yield
        self.seconds[item.nodeid] = sum(os.times()[:4]) - start
        return outcome

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome != "passed":
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        before = json.loads(self.path.read_text()) if self.path.exists() else {"tests": [], "lines": {}}
        kept = [name for name, _ in before["tests"]]
        seconds = {**dict(before["tests"]), **self.seconds}
        lines: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path, of_file in before["lines"].items():
            for line, numbers in of_file.items():
                lines[path][line] = {kept[number] for number in numbers} - self.seconds.keys()
        for path in data.measured_files():
            for number, tests in data.contexts_by_lineno(path).items():
                passed = {test for test in tests if test in self.seconds} - self.failed
                lines[str(Path(path).relative_to(ROOT))][str(number)] |= passed
        at = {name: number for number, name in enumerate(seconds)}
        numbered = {
            path: {line: sorted(at[test] for test in tests) for line, tests in of_file.items()}
            for path, of_file in lines.items()
        }
        self.path.write_text(json.dumps({"tests": list(seconds.items()), "lines": numbered}))


# --- plant


def places(path: Path) -> tuple[Any, list[tuple[Any, Mutant]], tuple[set[str], set[str]]]:
    """Return a file as a tree, mutmut's changes of it with where and what each is, and what mutmut leaves out."""
    import libcst as cst
    from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
    from mutmut.mutation.file_mutation import create_mutations

    module, mutations, *left_out = create_mutations(str(path), path.read_text(encoding="utf-8"))
    found = MetadataWrapper(module, unsafe_skip_copy=True).resolve_many([ParentNodeProvider, PositionProvider])
    parents, positions = found[ParentNodeProvider], found[PositionProvider]

    def prose(node: Any) -> bool:
        """Whether it is a text with a blank in it: a message, not a name."""
        if isinstance(node, cst.IfExp):
            return prose(node.body) or prose(node.orelse)
        if isinstance(node, cst.ConcatenatedString):
            return prose(node.left) or prose(node.right)
        if isinstance(node, cst.FormattedString):
            return any(isinstance(part, cst.FormattedStringText) and " " in part.value for part in node.parts)
        return isinstance(node, cst.SimpleString) and " " in node.value

    def above(node: Any) -> Iterable[Any]:
        while node is not module:
            yield node
            node = parents[node]

    def wording(node: Any, changed: Any) -> bool:
        if any(prose(one) for one in above(node)):
            return True
        if isinstance(node, cst.Call) and isinstance(changed, cst.Call):
            kept = {id(one) for one in changed.args}
            return any(id(one) not in kept and prose(one.value) for one in node.args)
        return isinstance(node, cst.Assign | cst.AnnAssign) and prose(node.value)

    made = []
    for mutation in mutations:
        node, changed = mutation.original_node, mutation.mutated_node
        if not isinstance(mutation.contained_by_top_level_function, cst.FunctionDef):
            continue  # outside functions, where mutmut does not activate one
        statement = next(
            one for one in above(node) if isinstance(one, cst.BaseSmallStatement | cst.BaseCompoundStatement)
        )
        whole = statement if isinstance(statement, cst.BaseSmallStatement) else node  # of an `if`, the condition only
        mutant = Mutant(
            "",
            str(path),
            positions[statement].start.line,
            positions[whole].end.line,
            module.code_for_node(node).strip(),
            module.code_for_node(changed).strip(),
            wording(node, changed),
        )
        made.append((mutation, mutant))
    return module, made, (left_out[0], left_out[1])


def plant(folder: Path, wanted: int, seed: int) -> None:
    """Copy the checkout into FOLDER/tree, with a sample of mutants, which FOLDER/sample.json lists."""
    from mutmut.mutation.file_mutation import combine_mutations_to_source
    from mutmut.utils.file_utils import walk_mutatable_files

    tree = folder / "tree"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in names.stdout.splitlines():
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    files = {path: places(path) for path in sorted(walk_mutatable_files())}
    total = sum(not mutant.text for _, made, _ in files.values() for _, mutant in made)
    sample, counts = [], {}
    for path, (module, made, left_out) in files.items():
        choice = random.Random(f"{seed} {path}")  # of its own: what changes one file leaves the sample of the others
        real = [one for one in made if not one[1].text]
        counts[str(path)] = {"mutants": len(made), "wording": len(made) - len(real)}
        share = wanted * len(real) / total
        number = int(share) + (choice.random() < share % 1)
        drawn = sorted(choice.sample(range(len(real)), min(number, len(real))))
        planted = combine_mutations_to_source(module, [real[n][0] for n in drawn], *left_out)
        (tree / path).write_text(planted.code, encoding="utf-8")
        dotted = str(path.with_suffix("")).replace("/", ".")
        sample += [
            real[n][1]._replace(name=f"{dotted}.{name}") for n, name in zip(drawn, planted.mutant_names, strict=True)
        ]
    (folder / "sample.json").write_text(json.dumps({"counts": counts, "sample": sample}, indent=0))


# --- try


class Trier:
    """A plugin of pytest that, instead of running the tests, runs for each mutant those that execute its line."""

    def __init__(self, folder: Path, seconds: float, only: Sequence[str]) -> None:
        self.folder, self.cap, self.only = folder, seconds, only
        reach = json.loads((folder / "reach.json").read_text())
        self.tests = [name for name, _ in reach["tests"]]
        self.seconds = dict(reach["tests"])
        self.lines = reach["lines"]
        self.sample = [Mutant(*one) for one in json.loads((folder / "sample.json").read_text())["sample"]]
        self.items: dict[str, pytest.Item] = {}
        self.failed = False
        self.trusted: dict[str, bool] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self.seconds]
        self.items = {item.nodeid: item for item in items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed |= report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        import ctypes
        import importlib
        import pkgutil

        ctypes.CDLL(None).prctl(ADOPT, 1, 0, 0, 0)
        for package in PACKAGES:
            for module in pkgutil.walk_packages([f"losscli/{package}"], f"losscli.{package}."):
                if "dask" not in module.name:
                    importlib.import_module(module.name)
        threads = [Path(f"/proc/self/task/{task}/comm").read_text().strip() for task in os.listdir("/proc/self/task")]
        if any(name.startswith("tokio") for name in threads):
            raise RuntimeError(
                "a test file uses Polars when it is imported, whose threads no fork takes along; see APART"
            )
        results = self.folder / "results.jsonl"
        known = (
            {tuple(one["mutant"]): one for one in map(json.loads, results.read_text().splitlines())}
            if results.exists()
            else {}
        )
        left = [one for one in self.sample if not self.only or one.path in self.only]
        random.Random(0).shuffle(left)  # so that a part of them is a sample too
        again = [one for one in left if tuple(one) in known and self.may_change(known[tuple(one)])]
        left = [one for one in left if tuple(one) not in known] + sorted(again, key=self.cost)
        for number, mutant in enumerate(left, 1):
            result = {"mutant": mutant, "cap": self.cap, **self.outcome(mutant)}
            with results.open("a") as stream:
                stream.write(json.dumps(result) + "\n")
            (self.folder / "progress.json").write_text(
                json.dumps({"done": number, "of": len(left), "at": time.strftime("%H:%M:%S")})
            )
        return True

    def chosen(self, mutant: Mutant) -> list[str]:
        """Return the tests of a mutant: unlike ones first, and of these the package's own, and the quick ones.

        A test is unlike those before it that are of another function and execute other lines of the file. The tests of the
        module, tests/.../test_NAME.py, go before others.
        """
        lines = self.lines.get(mutant.path, {})
        numbers = {n for line in range(mutant.line, mutant.last + 1) for n in lines.get(str(line), ())}
        module = Path(mutant.path)
        distant = DISTANT.get(module.name, "nowhere")
        names = {self.tests[n] for n in numbers} | {name for name in self.tests if name.startswith(distant)}
        area, own = f"tests/{module.parts[1]}/", f"/test_{module.name}"
        ways, functions, ranks = Counter[int](), Counter[str](), {}
        tests = sorted(names, key=lambda name: (self.seconds[name], name))
        for name in tests:
            function, way = name.partition("[")[0], self.ways(mutant.path)[name]
            functions[function] += 1
            ways[way] += 1
            alike = max(functions[function], ways[way])
            ranks[name] = (alike // 4 if own in name else alike, not name.startswith(area))
        chosen, spent = [], 0.0
        for name in sorted(tests, key=lambda name: ranks[name]):
            if name in self.items and self.trusted.get(name, True) and spent + self.seconds[name] <= self.cap:
                spent += self.seconds[name]
                chosen.append(name)
        return chosen

    @cache  # noqa: B019 -- there is one of these
    def ways(self, path: str) -> dict[str, int]:
        """Return for each test a number that stands for the lines of a file that it executes."""
        found: dict[str, int] = defaultdict(int)
        for line, numbers in self.lines.get(path, {}).items():
            for number in numbers:
                found[self.tests[number]] ^= hash((line, "line"))
        return found

    def may_change(self, before: dict[str, Any]) -> bool:
        """Whether a mutant may be killed this time."""
        return before["outcome"] in ("survived", "no tests") and bool(before["cap"] < self.cap)

    def cost(self, mutant: Mutant) -> float:
        """Return for how many seconds the tests of a mutant run if it survives."""
        return sum(self.seconds[name] for name in self.chosen(mutant))

    def outcome(self, mutant: Mutant) -> dict[str, Any]:
        """Return what becomes of a mutant."""
        while True:
            tests = self.chosen(mutant)
            if not tests:
                return {"outcome": "no tests", "ran": 0}
            killer = self.attempt(mutant.name, tests)
            if killer not in self.items:
                return {"outcome": killer, "ran": len(tests)}
            if killer not in self.trusted:
                self.trusted[killer] = self.attempt("", [killer]) == "survived"
            if self.trusted[killer]:
                return {"outcome": "killed", "ran": tests.index(killer) + 1, "test": killer}

    def attempt(self, name: str, tests: Sequence[str]) -> str:
        """Run tests in a forked process until one fails; return its name, "survived", "timeout" or "crashed"."""
        seconds = int(3 * sum(self.seconds[test] for test in tests) + SPARE)
        ours, theirs = os.pipe()
        scratch = self.folder / "scratch"
        process = os.fork()
        if process == 0:
            os.close(ours)
            self.child(name, tests, seconds, theirs, scratch)
        os.close(theirs)
        worked, since = [""], time.monotonic()
        while (ended := os.waitpid(process, os.WNOHANG)) == (0, 0):
            now = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[11:13]  # its CPU time
            if now != worked:
                worked, since = now, time.monotonic()
            elif time.monotonic() > since + PATIENCE:  # it waits for others, for ever
                os.killpg(process, signal.SIGKILL)
            time.sleep(0.005)
        with open(ours) as stream:
            said = stream.read()
        shutil.rmtree(scratch, ignore_errors=True)
        for left in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():  # of sessions of their own
            os.kill(int(left), signal.SIGKILL)
            os.waitpid(int(left), 0)
        if said:
            return said
        return (
            "timeout"
            if os.WIFSIGNALED(ended[1]) and os.WTERMSIG(ended[1]) in (signal.SIGXCPU, signal.SIGKILL)
            else "crashed"
        )

    def child(self, name: str, tests: Sequence[str], seconds: int, out: int, scratch: Path) -> None:
        """Be the process of one mutant, and end."""
        from mutmut.mutation.trampoline import set_mutant_under_test

        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        set_mutant_under_test(name)
        items = [self.items[test] for test in tests]
        factory = items[0].config._tmp_path_factory if items else None  # type: ignore[attr-defined]
        if factory is not None:
            scratch.mkdir()
            factory._basetemp = scratch
        for item, following in zip(items, [*items[1:], None], strict=True):
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except BaseException:  # noqa: BLE001 -- whatever it is, the test did not pass
                self.failed = True
            if self.failed:
                os.write(out, item.nodeid.encode())
                os._exit(1)
        os.write(out, b"survived")
        os._exit(0)


# --- all of it


def main() -> int:
    """Do the steps that are not done yet, and print a table of what came out."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--mutants", type=int, default=1000, help="size of the sample (about)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument(
        "--seconds",
        type=float,
        default=60,
        help="CPU time of the tests of a mutant; a larger one later tries the survivors on",
    )
    options.add_argument("--folder", type=Path, default=ROOT / "build" / "mutation")
    options.add_argument("--only", nargs="*", default=[], metavar="FILE", help="try mutants of these files")
    options.add_argument(
        "--record",
        nargs="*",
        default=[],
        metavar="FILE",
        help="first record these files of tests, which are new or changed",
    )
    options.add_argument("--cases", type=int, default=8, help="cases of one test function that are recorded, at most")
    options.add_argument("--step", choices=["record", "try"], help=argparse.SUPPRESS)
    given = options.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if given.step:
        if given.step == "record":
            asked = given.record or [f"--ignore={path}" for path in APART]
            recorder = Recorder(folder, given.cases, given.cases if given.record else ELSEWHERE)
            return pytest.main([*QUIET, f"--basetemp={folder}/record", *asked], plugins=[recorder])
        trier = Trier(folder, given.seconds, given.only)
        return pytest.main(QUIET + sorted({name.partition("::")[0] for name in trier.tests}), plugins=[trier])

    def step(name: str, tree: Path) -> None:
        command = [
            sys.executable,
            f"{tree}/tests/support/mutate.py",
            "--step",
            name,
            "--folder",
            str(folder),
            "--seconds",
            str(given.seconds),
            "--cases",
            str(given.cases),
        ]
        paths = os.pathsep.join([str(tree), os.environ.get("PYTHONPATH", "")])
        environment = {
            **os.environ,
            "PYTHONPATH": paths,
            "POLARS_MAX_THREADS": "1",
        }  # one core, and less to start in each process
        with (folder / f"{name}.log").open("w") as log:
            subprocess.run(
                [*command, "--only", *given.only, "--record", *given.record],
                cwd=tree,
                env=environment,
                stdout=log,
                stderr=log,
            )

    os.chdir(ROOT)
    if given.record or not (folder / "reach.json").exists():
        step("record", ROOT)
    if (folder / "sample.json").exists():
        for name in given.record:
            shutil.copyfile(name, folder / "tree" / name)
    else:
        plant(folder, given.mutants, given.seed)
    step("try", folder / "tree")
    report(folder)
    return 0


def report(folder: Path) -> None:
    """Print how many mutants of each package were killed."""
    sample = json.loads((folder / "sample.json").read_text())
    last = {tuple(one["mutant"]): one for one in map(json.loads, (folder / "results.jsonl").read_text().splitlines())}
    for package in PACKAGES:
        files = [counts for path, counts in sample["counts"].items() if path.split("/")[1] == package]
        outcomes = Counter(one["outcome"] for one in last.values() if one["mutant"][1].split("/")[1] == package)
        made, wording = (sum(counts[key] for counts in files) for key in ("mutants", "wording"))
        print(f"{package}: {made} mutants, {wording} of wording; tried {outcomes.total()}: {dict(outcomes)}")
    for one in last.values():
        if one["outcome"] in ("survived", "no tests"):
            mutant = Mutant(*one["mutant"])
            print(f"{mutant.path}:{mutant.line} {one['outcome']}\n    - {mutant.before}\n    + {mutant.after}")


if __name__ == "__main__":
    sys.exit(main())
