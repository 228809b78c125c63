"""Damaged files of every container, each in one command: an exit code that says so and one line, or a number.

    python tests/support/damaged.py --inputs 20000 --seed 0

There is no reference: whether a byte that was changed changes a number, only the container's own checksums can tell. It is
a process of its own, since Polars could abort it.
"""

import argparse
import collections
import contextlib
import io
import os
import random
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
from fuzz import PACKERS, bytes_damaged, npy

from losscli.cli.main import run

FILES = Path(__file__).parents[1] / "io" / "files"
LABELS = np.array([1, 0, 2, 1])
TEXT = b"".join(b'{"logits": [%.2f, %.2f, 0.5], "label": %d}\n' % (i / 3, i / 7, i) for i in LABELS)


def containers() -> dict[str, bytes]:
    """Name -> bytes of a file of each container and compression."""
    found = {path.name: path.read_bytes() for path in sorted(FILES.iterdir()) if path.suffix != ".py"}
    found["p.jsonl"] = TEXT
    for suffix, pack in PACKERS.items():
        found[f"p.npy.{suffix}"] = pack("p.npy", npy(np.eye(4, 3)))
        found[f"lists.jsonl.{suffix}"] = pack("lists.jsonl", TEXT)
        found[f"wide.arrow.{suffix}"] = pack("wide.arrow", found["wide.arrow"])
    return found


def judged(name: str, data: bytes, seed: int) -> str | None:
    """Run a command on a damaged file; return what is wrong with its answer, or None."""
    Path(name).write_bytes(data)
    listed = name.startswith(("lists", "fixed", "large", "tensors")) or name == "p.jsonl"
    key = ":bf16" if name.startswith("several") else ":logits" if listed else ""
    words = ["compute", "ce", name + key, "t.npy", "-f", "value"] + (["--dtype", "bfloat16"] if seed % 2 else [])
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(words)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is wrong
        return f"{type(error).__name__}: {error}"
    if code == 0:
        return None
    one_line = re.fullmatch(r"losscli: [^\n]+\n", err.getvalue()) is not None and not out.getvalue()
    return None if code in (2, 3) and one_line else f"exit {code}: {out.getvalue()!r} {err.getvalue()!r}"


def main(inputs: int, first: int) -> int:
    """Judge damaged files; print those with a wrong answer, and return the exit code."""
    files, failures, counts = containers(), 0, collections.Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        np.save("t.npy", LABELS)
        for seed in range(first, first + inputs):
            drawn = random.Random(seed)
            name = drawn.choice(sorted(files))
            print(f"{seed} {name}", file=sys.stderr, flush=True)  # the last one, if the process dies
            wrong = judged(name, bytes_damaged(drawn, files[name]), seed)
            counts[name.partition(".")[2]] += 1
            if wrong:
                failures += 1
                print(f"seed {seed}, {name}: {wrong}")
        os.chdir("/")
    print(f"{inputs} inputs, {failures} failures; {dict(counts)}")
    return 1 if failures else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.exit(main(given.inputs, given.seed))
