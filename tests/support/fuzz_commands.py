"""Random command lines of every command, made from what the commands declare, and what must hold of each of them.

A command, an option or a choice that is new is drawn as well, without a line here: operands and options come from the
commands themselves, their values from the types and the words of their metavars.
"""

import contextlib
import csv
import functools
import io
import itertools
import json
import os
import random
import re
import resource
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
from fuzz import WORDS, Case, Maker, Outcome, as_file, damage, npy, run, small_cuts, strict

from losscli.losses import LOSSES

ONE_LINE = re.compile(
    r"(losscli: (note|warning): [^\n]+\n)*losscli: [^\n]+: cannot be (read or )?written: [^\n]+\n|losscli: [^\n]+\n"
)
"""An error is one line; only where a file cannot be written, notes about what was read may stand before it."""
SPOKEN = ("check", "compare", "run", "verify", "audit")
"""Commands whose result can say that something is wrong, with exit code 3: they print it."""


# What the commands declare.


@functools.cache
def root() -> tuple[Any, Any]:
    """The command `losscli` and a context of it."""
    import typer

    from losscli.cli.main import app

    command = typer.main.get_command(app)
    return command, command.make_context("losscli", [], resilient_parsing=True)


def keep_commands() -> None:
    """Keep each command once it is made: a process that runs thousands of them would spend half its time with it.

    What goes wrong in the search for a cure is raised, which losscli itself would not do.
    """
    import typer

    from losscli.analysis.suite import schema
    from losscli.cli import main, mending
    from losscli.cli.loss_command import TYPED, LossGroup
    from losscli.cli.main import Commands
    from losscli.lookup.names import find

    make, made = Commands.get_command, dict[Any, Any]()

    def command(self: Any, ctx: Any, name: str) -> Any:
        if name not in made:
            made[name] = make(self, ctx, name)
        return made[name]

    def of_loss(self: Any, ctx: Any, name: str) -> Any:
        ctx.meta[TYPED] = name
        loss = find(name)
        if LOSSES.get(loss.name) is not loss:  # one of the user's own
            return type(self).make(loss)
        if (type(self), loss.name) not in made:
            made[type(self), loss.name] = type(self).make(loss)
        return made[type(self), loss.name]

    flags, tables = functools.cache(mending._valueless), schema.suite_table
    one: list[Any] = []
    mending._valueless = flags
    schema.suite_table = lambda options: one[0] if one else one.append(tables(options)) or one[0]
    typer.main.get_command = functools.cache(typer.main.get_command)
    main._completed = lambda line, message, error: mending.completed(line, message, error, main._run)
    Commands.get_command = command  # type: ignore[method-assign]
    LossGroup.get_command = of_loss  # type: ignore[method-assign]


@functools.cache
def paths() -> tuple[tuple[str, ...], ...]:
    """The words of every command, such as ('plot', 'curves'); of commands with a loss each, those of the group."""
    command, context = root()
    found = []
    for name in command.list_commands(context):
        group = command.get_command(context, name)
        below = group.list_commands(context) if hasattr(group, "list_commands") and not of_losses(group) else []
        found += [(name, one) for one in below] or [(name,)]
    return tuple(found)


def of_losses(command: Any) -> bool:
    """Whether a group has a command for each loss."""
    return hasattr(type(command), "make")


def command_of(path: Sequence[str], loss: str) -> tuple[tuple[str, ...], Any]:
    """The words of a command, with the loss where it has one for each, and the command."""
    command, context = root()
    for word in path:
        command = command.get_command(context, word)
    if of_losses(command):
        return (*path, loss), command.get_command(context, loss)
    return tuple(path), command


SHARES = {
    ("compute",): 60,
    ("check",): 25,
    ("rank",): 20,
    ("compare",): 16,
    ("calibrate",): 16,
    ("centers",): 12,
    ("targets",): 14,
    ("merge",): 8,
    ("run",): 5,
    ("history",): 6,
    ("explain",): 4,
    ("list",): 2,
    ("help",): 1,
    ("demo",): 1,
    ("verify",): 1,
    ("audit",): 1,
    ("gallery",): 0.03,
    ("plot", "curves"): 0.4,
    ("plot", "samples"): 0.4,
    ("plot", "residuals"): 0.4,
    ("plot", "reliability"): 0.4,
    ("plot", "features"): 0.4,
    ("plot", "compare"): 0.4,
}
"""How often a command is drawn, the slow ones seldom; one that is not listed counts 2."""


# Values.

HOSTILE = ("", " ", "x", "nan", "inf", "-inf", "1e400", "-1", "0", "1_0", "٣", "a\nb", "\x1b[31m", "\u202e", "\udcff", "--", "-", "=", ":", "::", "a:b:c", "*", "[", "../x", ".", "~", "$HOME", "%s", "{0}", "1" * 30, "'", '"', "\\", "\t", "#", "é", "http://127.0.0.1:1/x.npy", "s3://", "file:///etc/hostname", "/dev/null", "/dev/full", "con" * 100)  # fmt: skip
WHOLE = (0, 1, 1, 2, 2, 3, 3, 5, 10, 20, 100, -1, -2, 1000, 2**31, 10**19)
REAL = ("0", "0.1", "0.5", "0.9", "0.95", "1", "2", "-1", "1e-9", "1e9", "1e308", "nan", "inf")
KNOWN: dict[str, Callable[[random.Random], Any]] = {
    "SPEC": lambda r: spec(r),
    "LOSS": lambda r: spec(r),
    "STAT": lambda r: r.choice(["value", "mean", "p99", "max", "ece", "rmse", "samples", "nothing"]),
    "STAT OP X": lambda r: (
        f"{r.choice(['value', 'mean', 'p90', 'max', 'samples', 'ece', 'std', 'x'])} {r.choice(['<', '<=', '>', '>=', '==', '=', ''])} {r.choice(REAL)}"
    ),
    "I/N": lambda r: r.choice(["1/1", "1/2", "2/2", "1/3", "3/2", "0/1", "1/99", "a/b"]),
    "W,H": lambda r: r.choice(["8,5", "3,3", "1,1", "100,100", "0,5", "8"]),
    "LOW,HIGH": lambda r: r.choice(["-3,3", "0,1", "1,0", "0,0", "-1e300,1e300", "0,1e-300", "nan,1"]),
    "E,...": lambda r: r.choice(["0.1", "0,0.1", "0.5,2", "x"]),
    "X,...": lambda r: r.choice(["2", "0.5,2", "0", "-1", "a=2"]),
    "T,...": lambda r: r.choice(["0", "1", "0,0.5,1", "2"]),
    "Q,...": lambda r: r.choice(["0.5", "0.1,0.9", "0.1,0.5,0.9", "2"]),
    "LIBRARY": lambda r: r.choice(["torch", "keras", "tf1", "optax", "sklearn", "numpy"]),
    "LIBRARY[,...]": lambda r: r.choice(["torch", "keras", "tf1", "optax", "sklearn", "torch,keras", "x"]),
    "S": lambda r: r.choice([",", ";", "|", "\t", "blanks", "tab", "x", "::", ""]),
    ".|,": lambda r: r.choice([".", ",", ";"]),
    "'#'": lambda r: r.choice(["#", "%", "//", ""]),
    "'P_*'": lambda r: r.choice(["*", "1,2", "1", "p_*", "!id", "ant,bee", "x", "1,1"]),
    "LABEL": lambda r: r.choice(["0", "1", "-1", "99", "7", "ant", "unknown", "nan"]),
    "A,B,...|FILE": lambda r: r.choice(["a,b", "ant,bee,cat", "0,1", "1,0", "2", "a,a", "names.txt"]),
    "K|A,B,...|FILE": lambda r: r.choice(["2", "3", "5", "a,b", "10000000000", "names.txt", "0"]),
    "A=1,B=4|FILE|balanced|effective:BETA": lambda r: r.choice(
        ["0=1,1=2", "balanced", "effective:0.9", "effective:1", "cw.npy", "ant=2", "0=0"]
    ),
    "A=100,B=5|FILE|targets": lambda r: r.choice(["0=3,1=2", "targets", "cw.npy", "ant=2", "0=0,1=0"]),
    "X|NAME=X,...": lambda r: r.choice(["2", "0.5", "ant=2", "0=1", "0", "inf"]),
    "W,...|NAME=W,...": lambda r: r.choice(["1,2", "1", "0,0", "ant=2", "1,1,1", "-1,1"]),
    "NAME,...": lambda r: r.choice(["0", "ant", "1,2", "x"]),
    "[W*]SPEC": lambda r: r.choice(["", "0.5*", "1e308*", "-1*", "x*"]) + spec(r),
    "[WHERE]": lambda r: r.choice(["x", "local:0", "local:x", "no.module:f", "os:getcwd", "tcp://", "udp://x"]),
    "TEXT": lambda r: r.choice(["a title", "", "$x$", "$\\frac", "\u202e", "a\nb", "x" * 300, "<b>"]),
    "F": lambda r: r.choice(["softmax", "sigmoid", "residual", "x"]),
    "[WORD]...": lambda r: r.choice(["quantile", "focal", "x", "mse", "torch"]),
    "[COMMAND|LOSS|OPTION]...": lambda r: r.choice(["compute", "huber", "--from", "plot", "plot curves", "x", "check"]),
    "FOLDER": lambda r: r.choice(["site", "p.npy", ".", "no/site"]),
}
"""Metavar -> how to draw a value; of a metavar that is not here, its parts are tried, and then its own words."""


def spec(random: random.Random) -> str:
    """A loss, perhaps with parameters, perhaps with wrong ones."""
    loss = random.choice(list(LOSSES.values()))
    word = random.choice([loss.name, loss.name, *loss.aliases])
    for name in loss.parameters:
        if random.random() < 0.3:
            word += f":{name}={random.choice(['0.5', '1', '2', '3', '-1', 'nan', 'none', '0.1,0.5'])}"
    return word if random.random() < 0.95 else word + random.choice([":x=1", ":", "x", ":gamma", "=2"])


def value(random: random.Random, param: Any, files: Sequence[str]) -> str:
    """A value of an operand or option, right by its type nearly always."""
    if random.random() < 0.03:
        return random.choice(HOSTILE)
    kind = param.type.name
    if getattr(param.type, "choices", None):
        return str(random.choice(list(param.type.choices)))
    if kind in ("integer", "int"):
        if "--resamples" in param.opts or "--threads" in param.opts:
            return str(random.choice([100, 150, 99] if "--resamples" in param.opts else [1, 2, 3, 5, 0, -1]))
        return str(random.choice(WHOLE))
    if kind == "float":
        return random.choice(REAL)
    metavar = (param.metavar or param.name or "").strip("'") if param.metavar != "'#'" else "'#'"
    if param.metavar in KNOWN or metavar in KNOWN:
        return str(KNOWN[param.metavar if param.metavar in KNOWN else metavar](random))
    part = random.choice(metavar.split("|"))
    if "FILE" in part or (part.isupper() and random.random() < 0.5):
        name = random.choice(files) if files else "no.npy"
        return name + (random.choice([":id", ":x", ":1", ":label", ":t", ":9", ":"]) if "[" in part else "")
    if part == "COLUMN":
        return random.choice(["id", "label", "x", "t", "w", "ant", "1", "2", "note"])
    if part in ("X", "N", "NUMBER"):
        return random.choice(REAL)
    return part if part.islower() else random.choice(WORDS).replace("\x00", "")


# Cases.


@dataclass
class Line(Case):
    """A command line of any command, with its files."""

    command: tuple[str, ...] = ()
    """The words of the command alone, for counts."""
    folders: list[str] = field(default_factory=list)


OPERANDS = {"predictions": 2, "targets": 3, "features": 2, "labels": 3}
"""Operands of commands -> where they stand in the words of `compute LOSS PREDICTIONS TARGETS`."""
SUFFIX = re.compile(r"\.[a-z0-9]+\b")
OWN = {
    "right.py": "import numpy as np\n\n\ndef mine(p, t):\n    return np.abs(p - t)\n",
    "wrong.py": "import numpy as np\n\n\ndef mine(y_true, y_pred):\n    return np.sqrt(np.mean((y_true - y_pred) ** 2))\n",
    "raises.py": "def mine(p, t):\n    raise ValueError('no\\nvalue')\n",
    "odd.py": "def mine(p, t):\n    return {'a': 1}\n",
    "broken.py": "def mine(p, t)\n    return 1\n",
    "rows.py": "def mine(p, t):\n    return (p - t) ** 2 if p.ndim == 1 else ((p - t) ** 2).sum(axis=1)\n",
    "short.py": "def mine(p, t):\n    return p[:1]\n",
    "nan.py": "import numpy as np\n\n\ndef mine(p, t):\n    return p * np.nan\n",
    "prints.py": "import sys\n\n\ndef mine(p, t):\n    return abs(p - t) * 1j\n",
    "options.py": "def mine(p, t, x=1.0):\n    return x * abs(p - t)\n",
    "exits.py": "def mine(p, t):\n    raise SystemExit(5)\n",
}


@functools.cache
def made_files() -> dict[str, bytes]:
    """Files that losscli writes and reads: the parts of a pass, and results as JSON."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            np.save("p.npy", np.arange(12.0).reshape(4, 3) % 5)
            np.save("t.npy", np.array([0, 1, 2, 1]))
            for part in ("1/2", "2/2"):
                run(["compute", "ce", "p.npy", "t.npy", "--part", part, "--per-sample", "-o", f"{part[0]}.part"])
            run(["compute", "ce", "p.npy", "t.npy", "-f", "json", "-o", "r.json"])
            Path("s.toml").write_text('[measure.m]\nloss = "ce"\npredictions = "p.npy"\ntargets = "t.npy"\n')
            run(["run", "s.toml", "--save", "b.json", "-o", "s.json"])
            return {path.name: path.read_bytes() for path in Path(".").iterdir() if path.suffix in (".part", ".json")}
        finally:
            os.chdir(here)


def parts() -> dict[str, bytes]:
    """The parts of a pass, by the names of their files."""
    return {name: data for name, data in made_files().items() if name.endswith(".part")}


NAMES = ("a b{}", "a:b{}", "[p]{}", "é{}", "-p{}", "p\n{}", "*{}", "p{}:1", "\udcff{}", "x" * 120 + "{}", "=1{}", "<i>{}", "p'{}", 'p"{}', "~{}", "$p{}", "%s{}", "{{0}}{}", "con{}", ".{}", "p,q{}", "\u202e{}")  # fmt: skip
"""Names of files for which no program is prepared, with a place for the suffix."""


def renamed(own: random.Random, line: Line) -> None:
    """Give a file a name for which no program is prepared, on the command line as well."""
    name = own.choice(sorted(line.files))
    new = own.choice(NAMES).format("." + name.partition(".")[2])
    line.files[new] = line.files.pop(name)
    line.words = [
        new + word[len(name) :] if word == name or word.startswith(f"{name}:") else word for word in line.words
    ]
    line.piped = None if line.piped == name else line.piped


def of_ones_own(own: random.Random, line: Line, loss: str) -> None:
    """Put a loss of the user's own, which may be wrong, in the place of a loss."""
    if loss in line.words:
        name = own.choice(list(OWN))
        line.files[name] = OWN[name].encode()
        line.words[line.words.index(loss)] = name + own.choice([":mine", ":mine", ":mine", ":no", ":mine:x=1", ""])


def outputs(param: Any) -> list[str]:
    """The suffixes of an option that names a file to write, from its help; none for other options."""
    writes = {"-o", "--output", "--gradient", "--data", "--save"} & set(param.opts)
    if not writes or param.is_flag:
        return []
    return SUFFIX.findall(param.help or "") or [""]


def drawn(seed: int) -> Line:
    """The command line of a seed, with its files."""
    own, generator = random.Random(seed), np.random.default_rng(seed)
    path = own.choices(paths(), [SHARES.get(one, 2) for one in paths()])[0]
    base = base_case(own, generator, path)
    words, command = command_of(path, base.words[1])
    line = Line([*words], base.files, piped=base.piped, command=tuple(path))
    beside(own, line, base)
    line.words += operands(own, command, line, base)
    known = {flag: param for param in command.params for flag in (*param.opts, *param.secondary_opts)}
    line.words += taken(base.words[4:], known)
    if own.random() < 0.08:
        of_ones_own(own, line, base.words[1])
    if own.random() < 0.08:
        renamed(own, line)
    options = [param for param in command.params if param.param_type_name == "option" and "--help" not in param.opts]
    for param in own.sample(options, min(len(options), own.choice([0, 0, 1, 1, 2, 3, 5]))):
        if not set(param.opts) & set(line.words) or own.random() < 0.1:
            line.words += option(own, param, line)
    if own.random() < 0.3:
        for _ in range(own.choice([1, 1, 2])):
            damage(own, line) if line.files and own.random() < 0.6 else words_damaged(own, line)
    if own.random() < 0.15:
        line.files[own.choice(["o.json", "o.csv", "o.npy", "o.png", "o.part", "o.html"])] = b"as it was"
    return line


def base_case(own: random.Random, generator: np.random.Generator, path: Sequence[str]) -> Case:
    """Files of predictions and targets of a loss that the command can take, as `compute` would be told."""
    if own.random() < 0.15:
        return with_axes(own, generator)
    losses = list(LOSSES.values())
    if path[0] in ("calibrate", "targets", "centers") or path[-1] in ("reliability", "features"):
        losses = [one for one in losses if one.family.name in ("softmax", "sigmoid") or one.name == "center"]
    if path[-1] == "residuals":
        losses = [one for one in losses if one.family.name == "residual"]
    return Maker(own, generator, own.choice(losses)).case()


def with_axes(own: random.Random, generator: np.random.Generator) -> Case:
    """Arrays of up to five axes, with a class axis, a mask and weights."""
    axes = tuple(own.choice([1, 2, 3, 4]) for _ in range(own.choice([0, 1, 2, 2, 3, 4])))
    files: dict[str, bytes] = {}
    words: list[str] = []
    if own.random() < 0.6:
        k = own.choice([2, 3, 4])
        loss = own.choice(["ce", "softmax-focal", "brier", "dice", "kl", "lovasz-softmax", "multi-margin"])
        place = own.choice([-1, 1]) if axes else -1
        p = generator.normal(size=(*axes, k)).astype(own.choice(["f2", "f4", "f8"]))
        p = np.moveaxis(p, -1, place) if place == 1 and p.ndim > 1 else p
        t = generator.integers(0, k, axes).astype(own.choice(["i8", "u1", "f4"]))
        words += ["--class-axis", str(place)] if p.ndim > 2 or own.random() < 0.2 else []
    else:
        loss = own.choice(["mse", "bce", "huber", "focal", "hinge", "dice", "gaussian-nll", "mae"])
        p = generator.normal(size=axes)
        t = (generator.random(axes) < 0.5).astype(own.choice(["f8", "i1"]))
    files_of = {"p": p, "t": t}
    if own.random() < 0.3:
        files_of["m"] = generator.random(axes) < 0.7
    if own.random() < 0.2:
        files_of["w"] = generator.random(axes if own.random() < 0.5 else axes[:1]).round(2)
    names = {name: as_file(own, name, np.asarray(array), files) for name, array in files_of.items()}
    words += ["--mask", names["m"]] if "m" in names else []
    words += ["--sample-weight", names["w"]] if "w" in names else []
    if own.random() < 0.4:
        words += ["--per", own.choice(["position", "sample", "class", "sample,class", "file"])]
    words += ["--gradient", "g.npy"] if own.random() < 0.15 else []
    words += ["--shift", own.choice(["1", "-1", "2"])] if own.random() < 0.1 else []
    return Case(["compute", loss, names["p"], names["t"], *words], files)


def beside(own: random.Random, line: Line, base: Case) -> None:
    """Add the files that only some commands read."""
    p, t, loss = base.words[2], base.words[3], base.words[1]
    results = made_files()
    if line.command == ("run",):
        line.files["suite.toml"] = suite(own, loss, p, t, base.words[4:])
        if own.random() < 0.3:
            line.files["b.json"] = own.choice(
                [results["b.json"], results["s.json"], b"{}", b"[]", b'{"results": 1}', results["b.json"][:-9]]
            )
    elif line.command == ("history",):
        for i in range(own.choice([1, 2, 3])):
            odd = own.choice([b"{}", b"[1]", b'{"value": NaN}', b"", b"null"])
            line.files[f"r{i}.json"] = own.choice([results["r.json"], results["s.json"], results["b.json"], odd])
    elif line.command == ("merge",):
        line.files |= {name: data for name, data in parts().items() if own.random() < 0.9}
    elif line.command == ("verify",):
        line.files |= {name: text.encode() for name, text in OWN.items()}
    if own.random() < 0.1:
        line.files["cw.npy"] = npy(np.array([1.0, 2.0]))
    if own.random() < 0.1:
        line.files.setdefault("names.txt", b"ant\nbee\ncat\n")


def suite(own: random.Random, loss: str, p: str, t: str, options: Sequence[str]) -> bytes:
    """A suite of one or two measurements."""
    text = own.choice(["", 'name = "n"\n', 'baseline = "b.json"\n', "tolerance = { relative = 0.01 }\n", "x = 1\n"])
    for number in range(own.choice([1, 1, 2])):
        text += f"[measure.m{number}]\nloss = {json.dumps(loss)}\npredictions = {json.dumps(p)}\ntargets = {json.dumps(t)}\n"
        text += own.choice(["", "", 'require = ["mean <= 1"]\n', 'require = "x"\n', 'by = "id"\n', "weight = 2\n"])
    for flag, following in zip(options, [*options, "--"][1:], strict=True):
        if flag.startswith("--") and not following.startswith("--") and flag not in ("--gradient", "--require"):
            text += f"{flag[2:]} = {json.dumps(following)}\n"
        elif flag.startswith("--") and following.startswith("--") and own.random() < 0.8:
            text += f"{flag[2:]} = true\n"
    return text.encode("utf-8", "replace")


def operands(own: random.Random, command: Any, line: Line, base: Case) -> list[str]:
    """The operands of a command, mostly those of the files."""
    words: list[str] = []
    files = sorted(line.files)
    for param in command.params:
        if param.param_type_name != "argument" or (not param.required and own.random() < 0.15):
            continue
        if param.name in OPERANDS:
            words.append(base.words[OPERANDS[param.name]])
        elif param.name == "models":
            words += [base.words[2], own.choice([base.words[2], base.words[2], *files])]
            words += [base.words[2]] if own.random() < 0.1 else []
        elif param.name in ("spec", "loss") and line.command[0] not in ("explain", "verify"):
            words += [base.words[1]] if own.random() < 0.9 or param.nargs == 1 else [base.words[1], spec(own)]
        elif line.command[0] == "verify":
            words.append(
                own.choice(list(OWN)) + own.choice(["", ":mine", ":no", ":mine:x=1"])
                if param.name == "loss"
                else own.choice(files)
            )
        elif param.name == "suite":
            words.append("suite.toml")
        elif param.name == "parts":
            words += own.choice([sorted(parts()), ["*.part"], sorted(parts())[:1], sorted(parts())[::-1]])
        elif line.command[0] == "history":
            words += own.choice([["r*.json"], [name for name in files if name.endswith(".json")], ["."]])
        elif line.command[0] == "audit":  # of which only refusals are quick
            words += own.choice([["numpy"], ["numpy", "mse"], ["x", "mse"], [""]]) if not words else []
        else:
            count = own.choice([1, 1, 2, 3]) if param.nargs == -1 else 1
            words += [value(own, param, files) for _ in range(count)]
    if any(param.name == "targets" and param.param_type_name == "option" for param in command.params):
        words += ["--targets", base.words[3]] if own.random() < 0.97 else []
    return words


def taken(words: Sequence[str], known: dict[str, Any]) -> list[str]:
    """Those of the options of `compute` that a command has too."""
    found: list[str] = []
    rest = list(words)
    while rest:
        flag = rest.pop(0)
        value_ = [] if flag in FLAGS or not rest else [rest.pop(0)]
        if flag in known:
            found += [flag, *value_]
    return found


FLAGS = ("--header", "--no-header", "--elements", "--per-sample")
"""Options without a value that cases of `compute` have."""


def option(own: random.Random, param: Any, line: Line) -> list[str]:
    """An option, with a value if it has one."""
    flag = own.choice([*param.opts, *param.secondary_opts])
    if getattr(param, "is_flag", False):
        return [flag]
    suffixes = outputs(param)
    if suffixes:
        files = sorted(line.files)
        name = "o" + own.choice(suffixes)
        return [
            flag,
            own.choice([name] * 12 + ["o.x", "no/" + name, "/dev/full", "-", "", ".", "o.csv.gz", *files[:1]]),
        ]
    text = value(own, param, sorted(line.files))
    return [flag, text] if own.random() < 0.9 or flag.startswith("-f") else [f"{flag}={text}"]


def words_damaged(own: random.Random, line: Line) -> None:
    """Damage a command line: a word too many, too few, twice, another, cut, or joined to the next."""
    line.damaged.append("words")
    words, first = line.words, len(line.command)
    if not words:
        words.append(own.choice(HOSTILE))
        return
    place = own.randrange(min(first, len(words) - 1) if own.random() < 0.95 else 0, len(words))
    how = own.choice(["drop", "twice", "hostile", "cut", "join", "swap", "misspelt", "end"])
    if how == "drop":
        del words[place]
    elif how == "twice":
        words.insert(place, words[place])
    elif how == "hostile":
        words[place] = own.choice(HOSTILE)
    elif how == "cut":
        words[place] = words[place][: own.randrange(len(words[place]) + 1)]
    elif how == "join":
        words[place : place + 2] = ["=".join(words[place : place + 2])]
    elif how == "swap":
        words[place], words[-1] = words[-1], words[place]
    elif how == "misspelt":
        words[place] = words[place].replace("e", "3", 1)
    else:
        words.append(own.choice(["--", "-x", "--no-such", "--help", "-h", "--traceback", "-V"]))


# Judging.


@dataclass
class Watch:
    """What a process must have as much of after a command as before: open files, threads' worth of folders, children."""

    folder: Path
    """Where temporary files go."""

    def state(self) -> tuple[int, int]:
        """How many files are open, and how many temporary files there are."""
        return len(os.listdir("/proc/self/fd")), len(os.listdir(self.folder))

    def children(self) -> list[str]:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        return text.split()


def state_of(folder: str = ".") -> dict[str, tuple[int, int, int]]:
    """Every file below a folder, with what changes when it is written."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            about = os.lstat(path)
            found[os.path.relpath(path, folder)] = (about.st_ino, about.st_size, about.st_mtime_ns)
    return found


@contextlib.contextmanager
def short_of_room(seed: int) -> Iterator[None]:
    """For one seed in eight, no file can be larger than a few bytes, as on a disk that is full."""
    own = random.Random(f"room of {seed}")
    short = own.random() < 0.125
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if short:
        resource.setrlimit(resource.RLIMIT_FSIZE, (own.choice([0, 10, 100, 300, 1000, 5000]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


DEFAULT_NAMES = {("demo",): "sample_data", ("gallery",): "", ("run",): "", ("plot",): ""}
"""Commands that write files which the command line does not name."""


def judge_line(line: Line, seed: int) -> str:
    """What became of a command line: 'done', 'not met', 'usage' or 'files'.

    Raises
    ------
    AssertionError
        for anything that is not as it should be.
    """
    line.write()
    before = state_of()
    with small_cuts(seed), short_of_room(seed):
        done = run(line.words, line.given)
    changed = {name for name, about in state_of().items() if before.get(name) != about}
    gone = set(before) - set(state_of())
    sound(line.words, line.command, done)
    assert not gone, f"files that went away: {gone}"
    assert not [name for name in changed if name.endswith(".losscli")], f"left behind: {changed}"
    if done.code in (2, 3) and line.command[0] not in SPOKEN:
        assert not changed, f"exit {done.code}, and wrote {changed}"
    text = " ".join(line.words)
    for name in changed:
        assert os.path.basename(name) in text or line.command[:1] in DEFAULT_NAMES, f"nobody asked for {name}"
        complete(Path(name))
    return {0: "done", 1: "not met", 2: "usage", 3: "files"}[done.code]


def sound(words: Sequence[str], command: Sequence[str], done: Outcome) -> None:
    """Assert what holds of every command line: its exit code, what it prints, and that this is whole."""
    assert "Traceback" not in done.err or "--traceback" in words, done.err
    assert done.code in (0, 1, 2, 3), f"exit {done.code}: {done.err}"
    assert " at 0x" not in done.err, f"an address: {done.err}"
    plain = not ({"--progress", "--traceback"} & set(words)) and command[0] != "demo"
    for line in done.err.splitlines() if plain else ():
        assert line.startswith("losscli: "), f"not a line of losscli: {done.err!r}"
    helped = done.out.startswith(("Usage:", "losscli 0")) or {"-h", "--help"} & set(words)
    if done.code == 2 and not helped:
        assert done.out == "", f"exit 2 with output {done.out[:300]!r}"
        assert not plain or ONE_LINE.fullmatch(done.err), f"not one line: {done.err!r}"
    elif done.code == 3 and command[0] not in SPOKEN:
        assert done.out == "", f"exit 3 with output {done.out[:300]!r}"
        assert not plain or ONE_LINE.fullmatch(done.err), f"not one line: {done.err!r}"
    elif done.code == 3:
        assert done.out or not plain or ONE_LINE.fullmatch(done.err), f"not one line: {done.err!r}"
    elif not helped and command[0] not in ("help", "explain"):
        printed(words, command, done)


def printed(words: Sequence[str], command: Sequence[str], done: Outcome) -> None:
    """Assert that standard output is whole in the format that was asked for."""
    given = [after for word, after in itertools.pairwise(words) if word in ("-f", "--format")]
    given += [word.partition("=")[2] for word in words if word.startswith("--format=")]
    kind = given[-1] if given else "table"
    if {"-q", "--quiet"} & set(words) and "--progress" not in words:
        told = [line for line in done.err.splitlines() if not line.startswith("losscli: require")]  # which is a result
        assert not told, f"--quiet, and {done.err!r}"
    if "--part" in words or {"--init", "--schema", "--copy", "--man", "-V", "--version"} & set(words):
        return
    if command[0] == "plot":
        return
    if kind == "json":
        json.loads(done.out, parse_constant=_refuse)
    elif kind == "jsonl":
        for line in done.out.splitlines():
            strict(line)
    elif kind in ("csv", "tsv"):
        square(done.out, "\t" if kind == "tsv" else ",")
    elif kind == "value":
        for line in done.out.splitlines():
            float(line)
    elif kind == "junit":
        ElementTree.fromstring(done.out)


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def square(text: str, separator: str) -> None:
    """Assert that a table has as many cells in each row as in its header."""
    assert not text or text.endswith("\n"), "a table that is cut off"
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    assert len({len(row) for row in rows}) <= 1, f"rows of different lengths: {[len(row) for row in rows][:9]}"


def complete(path: Path) -> None:
    """Assert that a file which a command has written is whole."""
    data = path.read_bytes()
    suffix = path.suffix
    if suffix == ".json":
        json.loads(data, parse_constant=_refuse)
    elif suffix in (".jsonl", ".ndjson"):
        for line in data.decode().splitlines():
            strict(line)
    elif suffix in (".csv", ".tsv"):
        square(data.decode(), "\t" if suffix == ".tsv" else ",")
    elif suffix == ".npy":
        array = np.load(path)
        assert array.nbytes + 128 <= len(data) + 128, "an array that is cut off"
    elif suffix == ".parquet":
        pl.read_parquet(path)
    elif suffix == ".png":
        assert data[:4] == b"\x89PNG", "no picture"
        assert data[-8:-4] == b"IEND", "a picture that is cut off"
    elif suffix in (".svg", ".html", ".xml", ".pdf"):
        end = {".svg": b"</svg>", ".html": b"</html>", ".xml": b">", ".pdf": b"%%EOF"}[suffix]
        assert data.rstrip().endswith(end), f"{path} is cut off"
    else:
        assert data or suffix in (".md", ""), f"{path} is empty"
