"""Damaged files of every container, each in a command that reads it: an exit code that says so and one line, or a number.

There is no reference: whether a byte that was changed changes a number, only the container's own checksums can tell.
fuzz_run.py runs it, in a process of its own, since Polars could abort it.
"""

import functools
import random
from pathlib import Path

import numpy as np
from fuzz import PACKERS, bytes_damaged, npy, run
from fuzz_commands import made_files, sound

FILES = Path(__file__).parents[1] / "io" / "files"
LABELS = np.array([1, 0, 2, 1])
TEXT = b"".join(b'{"logits": [%.2f, %.2f, 0.5], "label": %d}\n' % (i / 3, i / 7, i) for i in LABELS)
SUITE = b'# a suite\nname = "n"\n[defaults]\ntargets = "t.npy"\n[measure.m]\nloss = "ce"\npredictions = "p.npy"\nrequire = ["mean <= 9"]\n'
CSV = 'id,ant,bee,é\nr0,0.5,1e3,-2\nr1,"1",2,3\nr2,0,0,0.25\nr3,1,1,1\n'.encode()
MAP = b'{"method": "temperature", "from": "logits", "to": "logits", "activation": "softmax", "temperature": 1.5}'
OWN = b"import numpy as np\n\n\ndef mine(p, t):\n    return np.abs(p - t)\n"


@functools.cache
def containers() -> dict[str, bytes]:
    """Name -> bytes of a file of each container and compression."""
    found = {path.name: path.read_bytes() for path in sorted(FILES.iterdir()) if path.suffix != ".py"}
    found["rows.jsonl"] = TEXT
    found |= {"table.csv": CSV, "table.tsv": CSV.replace(b",", b"\t"), "cells.npy": npy(np.eye(4, 3))}
    for suffix, pack in PACKERS.items():
        found[f"cells.npy.{suffix}"] = pack("cells.npy", npy(np.eye(4, 3)))
        found[f"lists.jsonl.{suffix}"] = pack("lists.jsonl", TEXT)
        found[f"wide.arrow.{suffix}"] = pack("wide.arrow", found["wide.arrow"])
        found[f"table.csv.{suffix}"] = pack("table.csv", CSV)
    return found


OTHERS: dict[str, tuple[bytes, list[list[str]]]] = {
    "suite.toml": (SUITE, [["run", "suite.toml"], ["run", "suite.toml", "-f", "junit"]]),
    "names.txt": (b'ant\n"bee"\ncat\n', [["compute", "ce", "p.npy", "t.npy", "--classes", "names.txt"]]),
    "map.json": (MAP, [["calibrate", "p.npy", "--map", "map.json", "-o", "o.npy"]]),
    "own.py": (OWN, [["compute", "own.py:mine", "v.npy", "u.npy"], ["explain", "own.py:mine"]]),
    "w.npy": (npy(np.array([1.0, 0.5, 2, 1])), [["compute", "ce", "p.npy", "t.npy", "--sample-weight", "w.npy"]]),
    "m.npy": (npy(np.array([True, False, True, True])), [["compute", "ce", "p.npy", "t.npy", "--mask", "m.npy"]]),
    "cw.csv": (b"class,weight\n0,1\n1,2\n2,0.5\n", [["compute", "ce", "p.npy", "t.npy", "--class-weight", "cw.csv"]]),
}
"""Files that are no predictions -> their bytes, and the command lines that read them."""


def drawn(seed: int) -> tuple[list[str], dict[str, bytes]]:
    """The command line of a seed, and its files, one of them with bytes that were changed."""
    own = random.Random(seed)
    files = {"t.npy": npy(LABELS), "p.npy": npy(np.eye(4, 3)), "u.npy": npy(np.arange(4.0)), "v.npy": npy(np.ones(4))}
    made = made_files()
    name = own.choice([*containers(), *OTHERS, *made])
    if name in OTHERS:
        files[name], lines = bytes_damaged(own, OTHERS[name][0]), OTHERS[name][1]
        return [*own.choice(lines)], files
    if name in made:
        files |= made
        files[name] = bytes_damaged(own, made[name])
        if name.endswith(".part"):
            return [
                "merge",
                "1.part",
                "2.part",
                *own.choice([[], ["-f", "csv"], ["--per-sample", "-f", "json"]]),
            ], files
        files["suite.toml"] = SUITE
        lines = [["history", name], ["history", "*.json"], ["run", "suite.toml", "--baseline", name]]
        return [*own.choice(lines)], files
    files[name] = bytes_damaged(own, containers()[name])
    listed = name.startswith(("lists", "fixed", "large", "tensors")) or name == "rows.jsonl"
    key = ":bf16" if name.startswith("several") else ":logits" if listed else ""
    extra = ["--dtype", "bfloat16"] if seed % 2 and "bf16" in name else []
    lines = [
        ["compute", "ce", name + key, "t.npy", "-f", "value", *extra],
        ["compute", "ce", name + key, "t.npy", "-o", "o.csv", *extra],
        ["compute", "ce", name + key, "t.npy", "--by", name, *extra],
        ["compute", "ce", "p.npy", name],
        ["check", name + key, "t.npy", "-f", "json"],
        ["rank", "brier", name + key, "t.npy", "-f", "csv"],
        ["compare", "ce", name + key, "p.npy", "--targets", "t.npy", "--resamples", "100", "-f", "json"],
        ["calibrate", name + key, "t.npy"],
        ["centers", name + key, "t.npy", "-o", "o.npy"],
        ["targets", name, "-o", "o.npy"],
    ]
    if name.startswith("table"):
        lines.append(["compute", "ce", name, "t.npy", "--columns", "ant,bee,é", "--gradient", "o.npy"])
    return own.choice([lines[0], *lines]), files


def judge_damaged(words: list[str], files: dict[str, bytes]) -> str:
    """Run a command line on its files, and return what became of it: 'number' or 'refused'.

    Raises
    ------
    AssertionError
        for anything that is not as it should be.
    """
    for name, data in files.items():
        Path(name).write_bytes(data)
    done = run(words)
    sound(words, words[:1], done)
    left = {path.name for path in Path(".").iterdir()} - set(files)
    assert left <= {"o.csv", "o.npy"}, f"left behind: {left}"
    assert not left or done.code in (0, 1), f"exit {done.code}, and wrote {left}"
    return "number" if done.code in (0, 1) else "refused"
