"""Write what the documents take from the program: the table of losses, the output of every console session, pictures.

Usage: `python docs/make_tables.py`, and with `--check` to change nothing, show what has drifted and exit 1; names of
documents, such as README.md, for no others.

A session is a block fenced as ```console. Each line that starts with `$ ` is run in a scratch folder that holds copies of
sample_data and examples (an empty one where the document says `losscli demo --copy`, as each lesson does); what it prints replaces the lines below it. Outputs are compared by their words, and their
numbers to within ULPS units in the last place, for the last digits of a logarithm depend on the processor: units of
float32 for a command that reads float32 numbers, or a file that such a command wrote, and of float64 for any other.

A cell of a notebook is a block fenced as ```python cell. The cells of a document run in one process, in the same folder as its sessions
and in their order; what a cell prints, and its last expression, replaces the block fenced as ```text that follows it.

A file that readers are to save is a block fenced as ```python file NAME, of any language: it is written into that folder.

Pictures that sessions write are put into docs/figures. They are not compared, but the pictures that a document shows
must be those that its sessions write, and docs/figures must hold those that the documents show, no more and no fewer. A page of EXAMPLES is written by
a program of its own, which takes longer; of it, only this is checked: that its folder holds the pictures that it shows.
"""

import argparse
import atexit
import difflib
import functools
import inspect
import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from losscli.findings import ERRORS, NOTES, WARNINGS
from losscli.libraries import NAMES
from losscli.losses import FAMILIES
from losscli.render.catalogue import entries, formula_of, parameters_in_short

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/design.md",
    "docs/tutorial/1-first-loss.md",
    "docs/tutorial/2-is-b-better.md",
    "docs/tutorial/3-gate-in-ci.md",
    "docs/tutorial/4-prove-your-loss.md",
    "docs/tutorial/5-larger.md",
    "docs/help.md",
    "docs/commands.md",
    "docs/files.md",
    "docs/formulas.md",
    "docs/centers.md",
    "docs/calibrate.md",
    "docs/check.md",
    "docs/ci.md",
    "docs/compare.md",
    "docs/conventions.md",
    "docs/larger.md",
    "docs/libraries.md",
    "docs/losses.md",
    "docs/notebook.md",
    "docs/own-losses.md",
    "docs/plots.md",
    "docs/python.md",
    "docs/rank.md",
    "docs/shapes.md",
    "docs/targets.md",
)
FROM_NOTHING = "\n$ losscli demo --copy\n"
"""What a document says whose sessions start in an empty folder, and get the sample data as its reader does."""
FIGURES = ROOT / "docs" / "figures"
EXAMPLES = {"docs/training.md": FIGURES / "training"}
"""Pages of examples, with the folders of their pictures; `python examples/training/run.py --docs` writes docs/training.md."""
SHOWN = re.compile(r"!\[[^]]*\]\([^)]*?([^/)]+\.png)\)")
SESSION = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CELL = re.compile(
    r"^```python cell\n(?P<code>.*?)^```$(?:\n\n```text\n(?P<output>.*?)^```$)?", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r"^```\w+ file (?P<name>\S+)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = re.compile(f"{SESSION.pattern}|{CELL.pattern}|{FILE.pattern}", re.MULTILINE | re.DOTALL)
MADE = re.compile(r"(<!-- (\w+): made by docs/make_tables.py -->\n).*?(?=<!-- \2: end -->)", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?(?![\w.])", re.IGNORECASE)
ULPS = 8
"""How far numbers of two processors may be apart: each within the 4 units in the last place that the oracle allows."""
EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}


def _table(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, whose first row is its header."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines)


def losses() -> str:
    """The losses of each family, in tables: formula, parameters, names."""
    text = ""
    for family in FAMILIES.values():
        letters = "; ".join(f"`{letter}`: {meaning}" for letter, meaning in family.variables.items())
        text += f"\n## {family.name}\n\n{family.summary[0].upper()}{family.summary[1:]}. {letters}. "
        text += f"The loss is {family.value}. Targets: {family.targets}.\n\n"
        rows = [("loss", "f", "parameters", "also called")]
        for found in entries(family.name):
            where = "".join(f", {name} = {text}" for name, text in found["where"].items())
            formula = formula_of(found) if "definition" in found else f"`{formula_of(found)}{where}`"
            rows.append((f"`{found['name']}`", formula, parameters_in_short(found), ", ".join(found["aliases"])))
        text += _table(rows)
    return text


def families() -> str:
    """The families with the names of their losses, in a table."""
    rows = [("family", "losses")]
    for name in FAMILIES:
        rows.append((name, ", ".join(f"`{found['name']}`" for found in entries(name))))
    return _table(rows)


def variables() -> str:
    """The variables of each family, in a table."""
    rows = [("family", "the loss is", "variables")]
    for family in FAMILIES.values():
        letters = "<br>".join(f"`{letter}`: {meaning}" for letter, meaning in family.variables.items())
        rows.append((f"`{family.name}`", family.value, letters))
    return _table(rows)


def calls() -> str:
    """The calls of the libraries, loss by loss."""
    rows = [("loss", "calls")]
    for found in entries():
        theirs = [item["call"] for name in NAMES for item in found["libraries"] if item["library"] == name]
        if theirs:
            rows.append((f"`{found['name']}`", "<br>".join(f"`{call}`" for call in dict.fromkeys(theirs))))
    return _table(rows)


def axes() -> str:
    """What losses can be drawn over, in a table."""
    rows = [("`--x`", "losses of", "what it is")]
    for name in dict.fromkeys(axis for family in FAMILIES.values() for axis in family.axes):
        found: dict[str, list[str]] = {}
        for family in FAMILIES.values():
            if name in family.axes:
                found.setdefault(family.axes[name].label, []).append(family.name)
        rows += [(f"`{name}`", ", ".join(names), label) for label, names in found.items()]
    return _table(rows)


def findings() -> str:
    """What `losscli check` may find, in a table."""
    rows = [("finding", "", "what it is")]
    for severity, codes in (("error", ERRORS), ("warning", WARNINGS), ("note", NOTES)):
        rows += [(f"`{code}`", severity, what) for code, what in codes.items()]
    return _table(rows)


def commands() -> str:
    """The manual page in Markdown, from the section of the first command on."""
    from losscli.cli.manual import page

    signs = {"\\-": "-", "\\(aq": "'", "\\(ha": "^", "\\(ti": "~", "\\(ga": "`", "\\&": "", "\\e": "\\"}
    text = re.sub(r"\\\[u(\w+)\]", lambda found: chr(int(found[1], 16)), page()).partition('.SH "LOSSCLI COMPUTE"\n')
    plain = re.sub(r"\\(?:-|&|e|\(..)", lambda found: signs[found[0]], text[1] + text[2])
    lines = ""
    for part in re.split(r"^(?=\.(?:SH|SS|TP|PP|nf))", plain, flags=re.MULTILINE)[1:]:
        sign, _, rest = part.partition("\n")
        word, title = sign[:3], sign[4:].strip('"')
        if title == "EXIT STATUS":
            break
        body = " ".join(rest.split())
        if word == ".SH":
            lines += f"\n## {title.lower()}\n\n{_marked(body)}\n\n"
        elif word == ".SS":
            lines += f"\n{title}:\n\n"
        elif word == ".TP":
            label, _, told = rest.partition("\n")
            label = label.removeprefix("\\fB").removesuffix("\\fR")
            lines += f"- `{label}`: {_marked(' '.join(told.split()))}\n"
        elif word == ".PP":
            lines += f"\n{_marked(body)}\n"
        else:
            lines += f"```sh\n{rest.partition('.fi')[0]}```\n"
    return re.sub(r"\n{3,}", "\n\n", lines)


def _marked(text: str) -> str:
    """Plain text in Markdown."""
    return re.sub(r"([*_<>\[\]`])", r"\\\1", text)


def functions() -> str:
    """Each function of `import losscli` with its parameters, and what its docstring says."""
    import losscli

    text = ""
    for name, function in ((name, getattr(losscli, name)) for name in losscli.__all__):
        if inspect.isfunction(function):
            parameters = inspect.signature(function).parameters.values()
            bare = inspect.Signature([item.replace(annotation=inspect.Parameter.empty) for item in parameters])
            head = textwrap.fill(f"{name}{bare}", 100, subsequent_indent=" " * len(f"{name}("), break_on_hyphens=False)
            text += f"\n### {name}\n\n```text\n{head}\n```\n\n{_told(inspect.getdoc(function) or '')}"
    return f"{text}\n"


def _told(docstring: str) -> str:
    """A docstring in Markdown: its sections as lists, with an item for each name."""
    words, *sections = re.split(r"^(\w+)\n-{3,}\n", docstring, flags=re.MULTILINE)
    text = f"{words.strip()}\n"
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        items = re.findall(r"^(\S.*)\n((?:[ ]+.*\n?)+)", body, flags=re.MULTILINE)
        text += f"\n{title}:\n\n" + "".join(f"- `{name}`: {' '.join(told.split())}\n" for name, told in items)
    return text


MAKERS = {
    "commands": commands,
    "functions": functions,
    "losses": losses,
    "families": families,
    "variables": variables,
    "calls": calls,
    "axes": axes,
    "findings": findings,
}


class Step(NamedTuple):
    """A command of a session, what it printed, and the narrowest dtype of the numbers in it."""

    command: str
    output: str
    dtype: str = "float64"


def steps(block: str) -> list[Step]:
    """The commands of a console block with the outputs that it shows."""
    return [Step(*part.partition("\n")[::2]) for part in re.split(r"^(?=\$ )", block, flags=re.MULTILINE) if part]


def is_single(path: Path) -> bool:
    """Whether a file is an array of float32."""
    return path.suffix == ".npy" and path.is_file() and np.load(path, mmap_mode="r").dtype == np.float32


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """The files of a folder, and when each was written."""
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.iterdir() if path.is_file()}


def environment() -> dict[str, str]:
    """The variables that commands of sessions see."""
    # pytest writes longer summaries where it takes a machine for one of CI.
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "BUILD_NUMBER")}
    found = kept | {
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    found.pop("FORCE_COLOR", None)
    return found


class Loaded:
    """A process that has loaded all of losscli, and forks for each command, which so need not load it again.

    `folder` holds a program `losscli` that hands its words, its working folder, its environment and its streams to that process. It
    comes first on the PATH of sessions, so that pipes, redirections and loops of the shell are what they are for a user.
    """

    SERVER = """
import gc, importlib, json, os, pkgutil, signal, socket, sys, threading
import polars, losscli
for found in pkgutil.walk_packages(losscli.__path__, "losscli."):
    if not found.name.endswith("__main__"):
        try:
            importlib.import_module(found.name)
        except ImportError:  # an extra that is not installed
            pass
from losscli.cli.start import main
assert threading.active_count() == 1, "a process with threads must not fork"
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(64)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
gc.freeze()
print("ready", flush=True)
while True:
    client = server.accept()[0]
    if os.fork():
        client.close()
        continue
    server.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, *_ = socket.recv_fds(client, 1 << 20, 3)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    words, folder, environment = json.loads(message)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = words
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        client.sendall(b"%d" % code)
        os._exit(code)  # taking all modules apart would take longer than the command
"""
    CLIENT = """
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect(os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "socket"))
message = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode("utf-8", "surrogateescape")
socket.send_fds(server, [message], [0, 1, 2])
os._exit(int(server.recv(8) or 70))
"""

    def __init__(self) -> None:
        self.scratch = tempfile.TemporaryDirectory(prefix="losscli-")
        self.folder = Path(self.scratch.name)
        program = self.folder / "losscli"
        program.write_text(f"#!{sys.executable} -IS{self.CLIENT}", encoding="utf-8")
        program.chmod(0o755)
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.SERVER, str(self.folder / "socket")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit("make_tables: losscli cannot be loaded")
        atexit.register(self.close)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.scratch.cleanup()


@functools.cache
def loaded() -> Loaded:
    """The process that runs the commands of all sessions."""
    return Loaded()


def outcome(line: str, folder: Path, code: int) -> tuple[int, str]:
    """The exit code of a line after one that ended with `code`, and what it prints."""
    variables = environment()
    run = subprocess.run(
        ["sh", "-c", f"(exit {code}); {line}"],
        cwd=folder,
        env=variables | {"PATH": f"{loaded().folder}{os.pathsep}{variables['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return run.returncode, run.stdout if not run.stdout or run.stdout.endswith("\n") else f"{run.stdout}\n"


def session(block: str, folder: Path, singles: set[str]) -> list[Step]:
    """The commands of a console block run anew; `singles` are the files that hold digits of float32, and become more."""
    made: list[Step] = []
    code = 0
    for line in (step.command for step in steps(block)):
        before = stamps(folder)
        code, output = outcome(line[2:], folder, code)
        words = re.split(r"[\s;|<()'\"]+", re.sub(r">\s*\S+", "", line))
        single = any(word in singles or is_single(folder / word) for word in words)
        written = {name for name, stamp in stamps(folder).items() if before.get(name) != stamp}
        singles.difference_update(written)
        singles.update(written if single else ())
        made.append(Step(line, output, "float32" if single else "float64"))
        if "a defect of losscli" in output:
            raise SystemExit(f"make_tables: {shlex.quote(line[2:])} ends in a defect:\n{output}")
    return made


class Notebook:
    """A process that runs cells one after another, as a notebook does."""

    SCRIPT = """
import ast, contextlib, io, json, sys, traceback
space = {"__name__": "__main__"}
for line in sys.stdin:
    tree, output = ast.parse(json.loads(line)), io.StringIO()
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            exec(compile(tree, "cell", "exec"), space)
            value = None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), space)
            if value is not None:
                print(repr(value))
        except Exception as error:
            print("".join(traceback.format_exception_only(error)), end="")
    print(json.dumps(output.getvalue()), flush=True)
"""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.SCRIPT],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def run(self, code: str) -> str:
        """What a cell prints, with its last expression."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        return str(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def refreshed(text: str) -> tuple[str, dict[str, bytes]]:
    """A document as the program of today would have it, where text that only differs in last digits stays; its pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in () if FROM_NOTHING in text else ("sample_data", "examples"):
            shutil.copytree(ROOT / name, Path(scratch) / name)

        singles: set[str] = set()
        notebook = Notebook(Path(scratch)) if CELL.search(text) else None

        def run_again(found: re.Match[str]) -> str:
            if found["name"]:
                (Path(scratch) / found["name"]).write_text(found["content"], encoding="utf-8")
                return found[0]
            if notebook is None or not found[0].startswith("```python cell"):
                return again(found)
            code, old = found["code"], found["output"]
            output = notebook.run(code)
            if same(old or "", output, "float64"):
                return found[0]
            return f"```python cell\n{code}```" + (f"\n\n```text\n{output}```" if output else "")

        def again(found: re.Match[str]) -> str:
            made = session(found[1], Path(scratch), singles)
            if all(same(old.output, new.output, new.dtype) for old, new in zip(steps(found[1]), made, strict=True)):
                return found[0]
            return "".join(("```console\n", *(f"{step.command}\n{step.output}" for step in made), "```"))

        text = RUN.sub(run_again, text)
        if notebook is not None:
            notebook.close()
        pictures = {path.name: path.read_bytes() for path in Path(scratch).glob("*.png")}
    return MADE.sub(lambda found: found[1] + MAKERS[found[2]](), text), pictures


def same(left: str, right: str, dtype: str) -> bool:
    """Whether two outputs say the same: their words are equal, and their numbers to within ULPS units of the dtype.

    Differences of losses are near 0 and have the rounding errors of what they are differences of, hence the absolute term.
    """

    def words(text: str) -> list[str]:
        return re.sub(r"-{2,}", "--", NUMBER.sub("#", text)).split()

    def numbers(text: str) -> list[float]:
        return [float(number) for number in NUMBER.findall(text)]

    return words(left) == words(right) and all(
        math.isclose(mine, theirs, rel_tol=ULPS * EPSILON[dtype], abs_tol=ULPS * EPSILON["float64"])
        for mine, theirs in zip(numbers(left), numbers(right), strict=True)
    )


def drift(name: str) -> tuple[str, str, dict[str, bytes]]:
    """A document as it is, as it should be, and the pictures that its sessions write."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return text, *refreshed(text)


def strays(text: str, made: set[str]) -> list[str]:
    """What is wrong with the pictures of a document: shown and made by no session of it, made and not shown."""
    shown = set(SHOWN.findall(text))
    faults = {"shown, but no session writes it": shown - made, "written by a session, but not shown": made - shown}
    return [f"{name}: {fault}" for fault, names in faults.items() for name in sorted(names)]


def figures() -> list[str]:
    """What is wrong with docs/figures: a picture that a document shows is not there, or none shows one that is."""
    shown = {name for document in DOCUMENTS for name in SHOWN.findall((ROOT / document).read_text(encoding="utf-8"))}
    there = {path.name for path in FIGURES.iterdir() if path.is_file()}
    faults = {"not in docs/figures": shown - there, "in docs/figures, but no document shows it": there - shown}
    return [f"{name}: {fault}" for fault, names in faults.items() for name in sorted(names)]


def missing(name: str, folder: Path) -> list[str]:
    """What is wrong with the pictures of an example's page: shown and not in its folder, or there and not shown."""
    shown = set(SHOWN.findall((ROOT / name).read_text(encoding="utf-8")))
    there = {path.name for path in folder.iterdir()}
    where = folder.relative_to(ROOT)
    lines = [f"{picture}: shown in {name}, but not in {where}" for picture in sorted(shown - there)]
    return lines + [f"{picture}: in {where}, but not shown in {name}" for picture in sorted(there - shown)]


def made_files() -> dict[str, str]:
    """Return the files that are made from the declarations alone, with their texts: the names of losses, what completion
    knows, and the manual page.
    """
    from losscli.cli.completion_source import source
    from losscli.cli.manual import page
    from losscli.losses import names_of_modules

    return {
        "losscli/losses/names.txt": names_of_modules(),
        "losscli/cli/completion.txt": source(),
        "docs/losscli.1": page(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the documents, or with --check compare them; 1 if one has drifted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where something has drifted")
    parser.add_argument("documents", nargs="*", metavar="DOCUMENT", help="such as README.md; all, if none is named")
    asked = parser.parse_args(arguments)
    check, documents = asked.check, asked.documents or DOCUMENTS
    loaded()
    with ThreadPoolExecutor() as pool:
        found = dict(zip(documents, pool.map(drift, documents), strict=True))
    stale = {name: (old, new) for name, (old, new, _) in found.items() if old != new}
    for name, new in made_files().items() if not asked.documents else ():
        old = (ROOT / name).read_text(encoding="utf-8") if (ROOT / name).exists() else ""
        if old != new:
            stale[name] = (old, new)
    pictures = {name: data for _, _, made in found.values() for name, data in made.items()}
    if not check:
        FIGURES.mkdir(exist_ok=True)
        for name, data in pictures.items():
            (FIGURES / name).write_bytes(data)
    wrong = [line for _, new, made in found.values() for line in strays(new, set(made))] + figures()
    wrong += [line for name, folder in EXAMPLES.items() for line in missing(name, folder)]
    for line in wrong:
        print(line)
    for name, (old, new) in stale.items():
        if check:
            lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, f"{name} of today")
            sys.stdout.writelines(lines)
        else:
            (ROOT / name).write_text(new, encoding="utf-8")
            print(f"{name} was written")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run python docs/make_tables.py")
    return int(bool(wrong) or (check and bool(stale)))


if __name__ == "__main__":
    sys.exit(main())
