"""Random command lines on random files, whole and damaged, each judged by a slow reference.

    python tests/fuzz.py --inputs 100000 --seed 0 --jobs 2     a long run; failures are listed by their seeds
    python tests/fuzz.py --only 12345                          one input again: its files, its command, both numbers

A seed makes a case: files, and a command line on them. Most cases are then damaged: bytes, cells, headers, options. For
each, losscli must either print a number that the reference gets too, from the same files, by its own readers and by the
losses' formulas in 30 digits; or refuse it in one line with exit code 2 or 3. What was not damaged must not be refused.
"""

import argparse
import collections
import contextlib
import csv
import gzip
import io
import json
import math
import os
import random
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from mpmath import mp, mpf
from slow import JUDGED, NUMBER, Asked, RefusedError, Table, UnclearError, expected, prefixes, read, unpacked

from losscli.core import REAL, Loss
from losscli.losses import LOSSES

SECONDS = 20
"""After which an input counts as a hang."""
MEMORY = 1 << 30
"""Bytes by which a worker may be larger at its largest than when it began."""
CLASSES = ("ant", "bee", "cat", "dog", "NA", "007", "7", "a,b", "é")
SHARES = {
    "softmax": 32,
    "sigmoid": 22,
    "residual": 18,
    "margin": 10,
    "distribution": 5,
    "relative": 4,
    "ordinal": 3,
    "embedding": 3,
}
WORDS = ("", " ", "x", "NaN", "nan", "inf", "-inf", "1e999", "-1", "1e5", "0.5", "1,5", '"', "1;2", "\t", "\x00", "007", "NA", "٣", "1_0", "0x1", "+1", "1.", ".5", "1e-400", "true", "None", "ant", "2", "255", "a\nb", "=1+1", "9" * 400)  # fmt: skip


# Cases: what is run.


@dataclass
class Case:
    words: list[str]
    files: dict[str, bytes]
    damaged: list[str] = field(default_factory=list)
    """What was done to it; nothing for a case that must give a number."""


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=False)
    return file.getvalue()


def as_file(random: random.Random, name: str, array: np.ndarray, files: dict[str, bytes]) -> str:
    """Save an array in one of the formats of arrays, and return the operand."""
    kind = random.choice(["npy", "npy", "npy", "fortran", "big", "npz", "packed"])
    if kind == "fortran":
        array = np.asfortranarray(array)
    if kind == "big":
        array = array.astype(array.dtype.newbyteorder(">"))
    if kind in ("npz", "packed"):
        file = io.BytesIO()
        (np.savez if kind == "npz" else np.savez_compressed)(file, x=array)
        files[f"{name}.npz"] = file.getvalue()
        return f"{name}.npz" + random.choice(["", ":x"])
    files[f"{name}.npy"] = npy(array)
    return f"{name}.npy"


def as_table(
    random: random.Random, name: str, names: list[str] | None, rows: list[list[str]], files: dict[str, bytes]
) -> str:
    """Save rows of cells in one of the formats of tables, and return the file's name."""
    suffix = random.choice(["csv", "csv", "csv", "tsv", "csv.gz", "csv.zst"])
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter="\t" if suffix == "tsv" else ",",
        lineterminator=random.choice(["\n", "\n", "\r\n"]),
        quoting=random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )
    writer.writerows([*([names] if names else []), *rows])
    text = out.getvalue()
    if random.random() < 0.2:
        text = text.rstrip("\r\n")
    data = (b"\xef\xbb\xbf" if random.random() < 0.1 else b"") + text.encode()
    if suffix.endswith("gz"):
        data = gzip.compress(data, mtime=0)
    elif suffix.endswith("zst"):
        data = zstandard.compress(data)
    files[f"{name}.{suffix}"] = data
    return f"{name}.{suffix}"


def made(seed: int) -> Case:
    """The case of a seed."""
    random_ = random.Random(seed)
    generator = np.random.default_rng(seed)
    case = whole(random_, generator)
    if random_.random() < 0.55:
        for _ in range(random_.choice([1, 1, 1, 1, 2])):
            damage(random_, case)
    return case


def drawn_numbers(loss: Loss, domain: Any, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    if domain == REAL:
        return generator.normal(0, generator.choice([0.1, 1, 3, 20]), shape)
    if domain.whole:
        return generator.integers(int(max(domain.low, -5)), int(min(domain.high, 5)) + 1, shape).astype(float)
    low = max(domain.low, -5.0)
    return low + (min(domain.high, low + 5) - low) * generator.uniform(0.05, 0.95, shape)


def whole(random: random.Random, generator: np.random.Generator) -> Case:
    """A case that must give a number."""
    if random.random() < 0.03:
        loss = random.choice([one for one in LOSSES.values() if one.family.name not in JUDGED])
        files: dict[str, bytes] = {
            "p.npy": npy(generator.normal(size=(5, 4))),
            "t.npy": npy(generator.integers(0, 2, 5)),
        }
        return Case(["compute", loss.name, "p.npy", "t.npy"], files, ["another family"])
    name = random.choices(list(SHARES), list(SHARES.values()))[0]
    loss = random.choice([one for one in LOSSES.values() if one.family.name == name and one.formula])
    family = loss.family
    words: list[str] = []
    for parameter in loss.parameters.values():
        if random.random() < 0.3:
            low, high = max(parameter.domain.low, -3.0), min(parameter.domain.high, 4.0)
            value = round(low + (high - low) * random.uniform(0.05, 0.95), 3)
            if value in parameter.domain:
                words += [f"--{parameter.name.replace('_', '-')}", repr(float(value))]
    bound = {word[2:].replace("-", "_"): float(value) for word, value in zip(words[::2], words[1::2], strict=True)}
    try:
        domains = loss.domains(loss.bind(**bound).parameters)
    except Exception:  # noqa: BLE001 - parameters that do not go together
        words, bound = [], {}
        domains = loss.domains(loss.bind().parameters)
    n = random.choice([1, 2, 3, 5, 8, 12, 12, 12, 30]) if random.random() < 0.985 else random.choice([70, 400, 1500])
    several = family.reads == "classes" or (family.several_outputs and random.random() < 0.4)
    k = random.choice([2, 2, 3, 4, 5]) if several else 1
    shape = (n, k) if several else (n,)
    x = drawn_numbers(loss, domains.predictions, generator, shape)
    if family.takes_from and random.random() < 0.3:
        given = random.choice(["probs", "log-probs"])
        if family.reads == "classes":
            x = np.exp(x - x.max(axis=1, keepdims=True))
            x /= x.sum(axis=1, keepdims=True)
        else:
            x = 1 / (1 + np.exp(-x))
        x = x if given == "probs" else np.log(np.maximum(x, 1e-300))
        words += ["--from", given]
    dtype = random.choice(
        ["f4", "f8", "f8"] if "--from" in words or family.reads == "numbers" else ["f2", "f4", "f8", "f8"]
    )
    x = x.astype(dtype)
    files = {}
    table = random.random() < 0.5
    key = table and random.random() < 0.4
    ids = [f"r{random.randrange(10**6)}_{i}" for i in range(n)]
    names = None
    pool = list(CLASSES)
    random.shuffle(pool)
    if table:
        x = x.astype(float)
        names = [random.choice(["", "p_"]) + "x"] if not several else None
        if several and (key or random.random() < 0.7):
            prefix = random.choice(["", "p_", "logit_x_"])
            names = [prefix + one for one in pool[:k]]
        elif several:
            names = None
        if key and names is None:
            names = [f"c{i}" for i in range(k)]
        if names == [name for name in names or () if NUMBER.fullmatch(name)] and names:
            names = [f"c_{name}" for name in names]
        rows = [[repr(float(one)) for one in np.atleast_1d(row)] for row in x]
        header = names
        if key:
            header, rows = ["id", *(names or ())], [[one, *row] for one, row in zip(ids, rows, strict=True)]
        if header and any(NUMBER.fullmatch(one) for one in header) and not key:
            words += ["--header"]
        predictions = as_table(random, "p", header, rows, files)
    else:
        predictions = as_file(random, "p", x, files)
    if family.takes_centers:
        files["centers.npy"] = npy(generator.normal(size=(4, k)))
        words += ["--centers", "centers.npy"]
    classes = 4 if family.takes_centers else k
    labelled = names if not family.takes_centers else None
    t, t_names = targets_for(random, generator, loss, domains, n, k, classes, several, labelled, words, table)
    doubtful = isinstance(t, list) and "--header" not in words
    if key or isinstance(t, list):
        cells = t if isinstance(t, list) else [[repr(one) for one in np.atleast_1d(row).tolist()] for row in t]
        header = ["id", *t_names] if key else t_names
        if doubtful and not key and "--header" in words:
            header = t_names
        order = list(range(n))
        if key:
            random.shuffle(order)
        if key and random.random() < 0.3:
            words += ["--on-unmatched", "drop"]
            order = order[: random.randrange(1, n + 1)]
        cells = [[*([ids[i]] if key else []), *cells[i]] for i in order]
        if "drop" in words:
            for i in range(random.randrange(3)):
                cells.insert(random.randrange(len(cells)), [f"nobody {i}", *cells[0][1:]])
        targets = as_table(random, "t", header, cells, files)
    else:
        targets = as_file(random, "t", t, files)
    words = [*words, *(["--id", "id"] if key else [])]
    if key and "drop" not in words and random.random() < 0.2:
        words += ["--on-unmatched", random.choice(["error", "drop"])]
    if random.random() < 0.3:
        w = generator.choice([0.0, 1.0, 0.5, 2.25], n)
        w[random.randrange(n)] = 1.0
        if key:
            order = random.sample(range(n), n)
            words += [
                "--sample-weight",
                as_table(random, "w", ["id", "w"], [[ids[i], repr(float(w[i]))] for i in order], files),
            ]
        else:
            words += ["--sample-weight", as_file(random, "w", w, files)]
    if family.takes_class_weight and random.random() < 0.15:
        words += ["--class-weight", "balanced"]
    elif family.takes_class_weight and random.random() < 0.15:
        called = class_names(words, names if several and not family.takes_centers else None, classes, family, several)
        picked = [one for one in called if "," not in one and random.random() < 0.7]
        if picked:
            words += ["--class-weight", ",".join(f"{one}={random.choice([0, 0.5, 1, 3])}" for one in picked)]
    if random.random() < 0.1:
        words += ["--gradient", "g.npy"]
    if family.takes_pos_weight and random.random() < 0.15 and "--label-smoothing" not in words:
        words += ["--pos-weight", random.choice(["2", "0.5", "3.25"])]
    if several and family.several_outputs and random.random() < 0.3:
        words += ["--over-outputs", random.choice(["mean", "sum"])]
    if random.random() < 0.4:
        words += [
            "--reduction",
            random.choice(["mean", "sum", "none", "sum-over-batch-size", "sum-by-nonzero-weights"]),
        ]
    if random.random() < 0.1:
        words += ["--threads", random.choice(["1", "2", "3"])]
    return Case(["compute", loss.name, predictions, targets, *words], files)


def class_names(words: list[str], names: list[str] | None, k: int, family: Any, several: bool) -> list[str]:
    """What the classes, or outputs, of a case are called in --class-weight."""
    if "--classes" in words:
        return next(csv.reader([words[words.index("--classes") + 1]]))
    if family.reads != "classes" and not several:
        return ["1"]
    base = int(words[words.index("--label-base") + 1]) if "--label-base" in words else 0
    return names or [str(i + base) for i in range(k)]


def targets_for(
    random: random.Random,
    generator: np.random.Generator,
    loss: Loss,
    domains: Any,
    n: int,
    k: int,
    classes: int,
    several: bool,
    names: list[str] | None,
    words: list[str],
    table: bool,
) -> tuple[Any, list[str]]:
    """Targets as an array, or as rows of cells with their names; options that they need are appended."""
    family = loss.family
    if family.smoothing is not None and random.random() < 0.2:
        words += ["--label-smoothing", random.choice(["0.1", "0.25", "0.0"])]
        if random.random() < 0.5:
            words += ["--smoothing-mode", random.choice(["uniform", "half", "others"])]
    shape = (n, k) if several else (n,)
    if family.reads == "numbers":
        return drawn_numbers(loss, domains.targets, generator, shape).astype(random.choice(["f4", "f8"])), ["t"]
    one_label = family.reads == "classes" or (several and family.reads == "outcomes" and random.random() < 0.4)
    if one_label:
        index = generator.integers(0, classes, n)
        kind = random.choice(
            ["index", "index", "name", "one-hot", "soft"] if family.reads == "classes" else ["index", "name"]
        )
        if kind == "soft" and (family.hard or loss.family.takes_centers):
            kind = "index"
        if kind in ("one-hot", "soft") and not family.takes_centers:
            rows = np.eye(classes)[index]
            if kind == "soft":
                rows = generator.dirichlet(np.ones(classes), n)
            order = random.sample(range(classes), classes) if names else list(range(classes))
            return rows[:, order], [names[i] for i in order] if names else [f"y{i}" for i in range(classes)]
        if kind == "name":
            own = names
            if own is None:
                own = random.sample(CLASSES, classes)
                out = io.StringIO()
                csv.writer(out, lineterminator="").writerow(own)
                words += ["--classes", out.getvalue()]
            prefix = random.choice(prefixes(own))
            trimmed = [one[len(prefix) :] for one in own]
            if len(set(trimmed)) < len(own) or "" in trimmed or not fits(trimmed, index, own):
                trimmed = own
            return [[trimmed[i]] for i in index], ["label"]
        base = random.choice([0, 0, 0, 1])
        stored = index + base
        words += ["--label-base", "1"] if base else []
        if random.random() < 0.2 and n > 1:
            stored[0] = 99
            words += ["--ignore-index", "99"]
        return stored.astype(random.choice(["i8", "i4", "u1", "f4"])), ["label"]
    values = generator.integers(0, 2, shape).astype(float)
    kind = random.choice(["binary", "signed", "soft"] if family.reads == "outcomes" else ["binary", "signed"])
    if kind == "signed":
        values = 2 * values - 1
    if kind == "soft":
        values = np.round(generator.uniform(0, 1, shape), 3)
    if not several and random.random() < 0.2 and n > 1:
        values[0] = 7
        words += ["--ignore-index", "7"]
    return values, list(names) if several and names else [f"y{i}" for i in range(k)]


def fits(trimmed: list[str], index: np.ndarray, own: list[str]) -> bool:
    """Whether labels without a prefix are taken for no longer names."""
    return not all(trimmed[i] in own for i in index) or trimmed == own


# Damage.

OPTIONS = ("--from", "--label-smoothing", "--smoothing-mode", "--ignore-index", "--reduction", "--over-outputs", "--id", "--columns", "--class-weight", "--pos-weight", "--sample-weight", "--classes", "--label-base", "--on-unmatched", "--threads", "--gamma", "--delta", "--require", "--centers", "--per", "--as", "-f", "-o", "--gradient", "--nonsense")  # fmt: skip
VALUES = ("", "0", "-1", "1", "2", "0.5", "nan", "inf", "1e400", "x", "a=1", "a=1,a=2", "balanced", "probs", "id", "t.npy", "p.npy", "no.csv", ".", "mean", "none", "mean<1", "[bold]", "*", "a,b", "-", "99999999999999999999", "../x")  # fmt: skip


def damage(random: random.Random, case: Case) -> None:
    """Do something to a case's files or words."""
    how = random.choices(["bytes", "cells", "rows", "npy", "options", "operands", "files"], [30, 25, 10, 15, 12, 4, 4])[
        0
    ]
    name = random.choice(sorted(case.files))
    data = case.files[name]
    case.damaged.append(f"{how} of {name}" if how not in ("options", "operands") else how)
    if how == "bytes":
        case.files[name] = bytes_damaged(random, data)
    elif how in ("cells", "rows"):
        case.files[name] = cells_damaged(random, name, data, how)
    elif how == "npy":
        case.files[name] = npy_damaged(random, data)
    elif how == "options":
        words = case.words
        place = random.randrange(1, len(words) + 1)
        option = random.choice(OPTIONS)
        value = random.choice(VALUES)
        words[place:place] = random.choice([[option, value], [option], [value], [f"{option}={value}"]])
    elif how == "operands":
        place = random.choice([2, 3])
        case.words[place] = random.choice(
            [case.words[5 - place], "no.npy", ".", "0", "-", "", "*.npy", "p.npy:x", "p.csv:1", name]
        )
    else:
        case.files[name] = random.choice(
            [b"", b"\n", b"\x00" * 64, data * 2, case.files[random.choice(sorted(case.files))]]
        )


def bytes_damaged(random: random.Random, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 5])):
        if not made:
            break
        place = random.randrange(min(len(made), random.choice([8, 80, 128, len(made)])))
        kind = random.choice(["flip", "set", "insert", "delete", "cut", "repeat"])
        if kind == "flip":
            made[place] ^= 1 << random.randrange(8)
        elif kind == "set":
            made[place] = random.choice([0, 10, 13, 34, 44, 48, 57, 255, random.randrange(256)])
        elif kind == "insert":
            made[place:place] = bytes([random.choice([0, 10, 13, 34, 44, 46, 48, 101, 128])]) * random.choice([1, 1, 9])
        elif kind == "delete":
            del made[place : place + random.choice([1, 1, 8])]
        elif kind == "cut":
            del made[random.randrange(len(made)) :]
        else:
            made[place:place] = made[place : place + random.choice([1, 8, 64])]
    return bytes(made)


def cells_damaged(random: random.Random, name: str, data: bytes, how: str) -> bytes:
    """A table or an array with some cells or rows changed."""
    if name.endswith((".npy", ".npz")):
        return npy_damaged(random, data)
    with contextlib.suppress(Exception):
        separator = "\t" if ".tsv" in name else ","
        rows = list(csv.reader(io.StringIO(unpacked(data).decode("utf-8-sig"), newline=""), delimiter=separator))
        place = random.randrange(len(rows))
        if how == "rows":
            kind = random.choice(["drop", "repeat", "swap", "short", "long", "blank", "column"])
            if kind == "drop":
                del rows[place]
            elif kind == "repeat":
                rows.insert(random.randrange(len(rows)), rows[place])
            elif kind == "swap":
                other = random.randrange(len(rows))
                rows[place], rows[other] = rows[other], rows[place]
            elif kind == "column":
                column = random.randrange(len(rows[0]))
                rows = [[cell for i, cell in enumerate(row) if i != column] for row in rows]
            else:
                rows[place] = {"short": rows[place][:-1], "long": [*rows[place], "1"], "blank": []}[kind]
        else:
            for _ in range(random.choice([1, 1, 3])):
                row = rows[random.randrange(len(rows))]
                row[random.randrange(len(row))] = random.choice(WORDS)
        out = io.StringIO()
        quoting = csv.QUOTE_MINIMAL if random.random() < 0.9 else csv.QUOTE_NONE
        csv.writer(out, delimiter=separator, lineterminator="\n", quoting=quoting, escapechar="\\").writerows(rows)
        made = out.getvalue().encode("utf-8", "surrogatepass")
        if name.endswith("gz"):
            return gzip.compress(made, mtime=0)
        return zstandard.compress(made) if name.endswith("zst") else made
    return bytes_damaged(random, data)


def npy_damaged(random: random.Random, data: bytes) -> bytes:
    """An array with another header, other numbers, another dtype or another shape; other bytes where it is none."""
    if data[:6] != b"\x93NUMPY":
        return bytes_damaged(random, data)
    try:
        with warnings.catch_warnings(action="ignore"):
            array = np.load(io.BytesIO(data))
    except Exception:  # noqa: BLE001 - it was damaged before
        return bytes_damaged(random, data)
    kind = random.choice(["header", "value", "value", "value", "dtype", "shape", "rows"])
    with contextlib.suppress(Exception), np.errstate(all="ignore"):
        if kind == "value":
            array = array.copy()
            flat = array.reshape(-1)
            for _ in range(random.choice([1, 1, 4])):
                value = random.choice(
                    [math.nan, math.inf, -math.inf, 0, -0.0, 1, -1, 0.5, 2, 1e4, -1e4, 1e30, 255, 5e-324]
                )
                flat[random.randrange(len(flat))] = np.float64(value).astype(array.dtype)
            return npy(array)
        if kind == "dtype":
            return npy(
                array.astype(random.choice(["f2", "f4", "f8", "i1", "i8", "u2", "?", "c8", "U4", "S3", ">f4", "g"]))
            )
        if kind == "shape":
            shapes = [(-1, 1), (1, -1), (-1,), (len(array), -1), (1, *array.shape), array.shape[::-1]]
            return npy(array.reshape(random.choice(shapes)))
        if kind == "rows":
            return npy(
                random.choice([array[:-1], array[:0], np.concatenate([array, array[:1]]), array[::-1], array[:, :1]])
            )
    fields = {
        "descr": random.choice(
            ["<f8", "<f4", ">f8", "|O", "<c16", "|V8", "<U2", "|b1", "<m8", "f99", "", "<f2", "|i1"]
        ),
        "fortran_order": random.choice(["True", "False", "2", "None"]),
        "shape": random.choice(
            [
                "(3,)",
                "()",
                "(0,)",
                "(0, 3)",
                "(3, 0)",
                "(-1,)",
                "(10**15,)",
                "(2, 2, 2)",
                "(9999999999999,)",
                "3",
                "(1e3,)",
                "(True,)",
                str(array.shape),
            ]
        ),
    }
    head = {"descr": repr(array.dtype.str), "fortran_order": "False", "shape": str(array.shape)}
    changed = random.choice(list(fields))
    head[changed] = repr(fields[changed]) if changed == "descr" else fields[changed]
    text = "{" + ", ".join(f"'{key}': {value}" for key, value in head.items()) + "}"
    text = text.ljust(118 if random.random() < 0.9 else 40) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + array.tobytes()


# Running and judging.


@dataclass
class Outcome:
    code: int
    out: str
    err: str


def run(words: list[str]) -> Outcome:
    """A command line in this process."""
    from losscli.cli.main import run as run_line

    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b""))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = int(run_line(words))
    finally:
        sys.stdin = stdin
    return Outcome(code, out.buffer.getvalue().decode("utf-8", "replace"), err.getvalue())


CHECKED = ("--from", "--id", "--on-unmatched", "--classes", "--label-base", "--ignore-index", "--columns", "--sample-weight", "--threads")  # fmt: skip


def check(case: Case, code: int) -> None:
    """Assert that `losscli check` finds an error where compute has one, and none where it has not."""
    if "options" in case.damaged or "operands" in case.damaged:
        return
    rest = list(case.words[4:])
    words = ["check", *case.words[2:4], "--loss", case.words[1], "-f", "json"]
    unknown = False
    while rest:
        word = rest.pop(0)
        if word in ("--header", "--no-header"):
            words.append(word)
        elif word in CHECKED:
            words += [word, rest.pop(0)]
        else:
            unknown = True
            rest.pop(0)
    done = run(words)
    assert done.code in (0, 2, 3), f"check: exit {done.code}: {done.err}"
    if done.out == "":
        assert re.fullmatch(r"losscli: [^\n]+\n", done.err), f"check: not one line: {done.err!r}"
        assert code != 0 or "which check does not read" in done.err, f"check refused what has a number: {done.err}"
        return
    found = json.loads(done.out, parse_constant=lambda word: pytest_fail(f"{word} is no JSON"))
    errors = [finding for finding in found["findings"] if finding["severity"] == "error"]
    assert (done.code == 3) == bool(errors)
    assert all(finding["message"] and finding["cure"] for finding in found["findings"]), found["findings"]
    if not unknown:
        assert bool(errors) == (code == 3), f"compute: exit {code}; check found {errors}"


def judge(case: Case) -> str:
    """What became of a case: 'number', 'refused' or 'unjudged: ...'.

    Raises
    ------
    AssertionError
        for anything that is not as it should be.
    """
    for name, data in case.files.items():
        Path(name).write_bytes(data)
    before = set(os.listdir("."))
    done = run(
        [*case.words, *([] if "-f" in case.words or "--format" in case.words else ["-f", "json"]), "--per-sample"]
    )
    left = set(os.listdir(".")) - before
    assert not [name for name in left if name.endswith(".losscli")], f"left behind: {left}"
    assert "Traceback" not in done.err, done.err
    assert "RuntimeWarning" not in done.err, done.err
    assert done.code in (0, 1, 2, 3), f"exit {done.code}: {done.err}"
    if sum(map(len, case.files.values())) % 4 == 0:
        check(case, done.code)
    if done.code in (2, 3):
        assert done.out == "", f"exit {done.code} with output {done.out[:200]!r}"
        assert re.fullmatch(r"losscli: [^\n]+\n", done.err), f"not one line: {done.err!r}"
        if not case.damaged:
            with contextlib.suppress(UnclearError, RefusedError):
                expected(case.words)
                raise AssertionError(f"refused what should give a number: {done.err}")
        return "refused"
    for line in done.err.splitlines():
        assert line.startswith("losscli: "), done.err
    assert not left - {"x"} or re.search(r" (-o|--output|--gradient)", " ".join(case.words)), (
        f"files that nobody asked for: {left}"
    )
    if "options" in case.damaged or "another family" in case.damaged or "operands" in case.damaged:
        return "unjudged: options or operands that the reference does not read"
    found = json.loads(done.out, parse_constant=lambda word: pytest_fail(f"{word} is no JSON"))
    try:
        true = expected(case.words)
    except UnclearError as why:
        return f"unjudged: {why}"
    except RefusedError as why:
        raise AssertionError(f"a number, {found['value']}, where there is none: {why}") from None
    compare(found, true)
    if "--gradient" in case.words:
        header = True if "--header" in case.words else None
        slopes, x = np.load("g.npy"), read(Asked.of(case.words).predictions.rpartition(":")[0] or case.words[2], header)
        assert slopes.size == 0 or len(slopes) == len(x.rows if isinstance(x, Table) else x), (
            "the gradient has other rows"
        )
        assert not np.isnan(slopes).any(), "a gradient is NaN"
    return "number"


def pytest_fail(message: str) -> None:
    raise AssertionError(message)


def compare(found: dict[str, Any], true: dict[str, Any]) -> None:
    """Assert that numbers are the same to within the rounding of their computation."""
    assert (found["samples"], found["ignored"]) == (true["samples"], true["ignored"])
    slack = (2e-5 if true["narrow"] else 1e-9) * (1 + true["scale"])

    def near(one: float | None, other: Any, size: Any, what: str) -> None:
        if mp.isinf(other) or abs(other) > 1e300 or (true["narrow"] and abs(other) > 3e38):
            assert one is None or math.isinf(one) or abs(one) > 1e37, f"{what}: {one} is not {other}"
            return
        assert one is not None, f"{what}: not finite, and should be {mp.nstr(other, 17)}"
        assert abs(one - other) <= slack * (abs(size) + 1e-3 + (1e-30 if true["narrow"] else 0)), (
            f"{what}: {one!r} is not {mp.nstr(other, 17)}"
        )

    rows = [row["loss"] for row in found["rows"]]
    assert len(rows) == len(true["losses"])
    for one, other in zip(rows, true["losses"], strict=True):
        near(one, other, other, "a loss")
    sizes = [abs(one) for one in true["losses"] if not mp.isinf(one)]
    total = sum(sizes, mpf(0))
    if true["value"] is None:
        assert found["value"] is None
        return
    weights = [row.get("weight", 1) for row in found["rows"]]
    most = max([1, *map(abs, weights)])
    near(found["numerator"], true["numerator"], total * most + abs(true["numerator"]), "the numerator")
    near(found["value"], true["value"], abs(true["value"]) + (max(sizes) if sizes else 0) * most * (len(sizes) if true["value"] == true["numerator"] else 1), "the value")  # fmt: skip


class HangError(Exception):
    """An input took too long."""


@contextlib.contextmanager
def seconds(most: int) -> Iterator[None]:
    def stop(*words: object) -> None:
        raise HangError(f"no end within {most} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(most)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def one(seed: int, folder: str | None = None) -> str:
    """Judge the case of a seed in a folder of its own."""
    case = made(seed)
    here = os.getcwd()
    with tempfile.TemporaryDirectory(dir=folder) as own:
        os.chdir(own)
        try:
            with seconds(SECONDS), mp.workdps(30):
                return judge(case)
        finally:
            os.chdir(here)


def work(first: int, count: int, step: int, log_: Path) -> None:
    """A worker: judge its seeds, and write what became of each to its log."""
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with log_.open("a") as file:
        for number in range(count):
            seed = first + number * step
            file.write(f"{seed}\t")
            file.flush()
            try:
                found = one(seed, shared)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of this input
                last = traceback.extract_tb(error.__traceback__)[-1]
                found = f"FAILED: {type(error).__name__}: {' '.join(str(error).split())[:500]} ({last.name})"
            if seed % 50 == 0:
                grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - base
                if grown > MEMORY:
                    found = f"FAILED: memory grew by {grown:,} bytes"
            file.write(found + "\n")


def summary(logs: list[Path]) -> tuple[collections.Counter[str], list[str]]:
    counts: collections.Counter[str] = collections.Counter()
    failures = []
    for log_ in logs:
        for line in log_.read_text().splitlines():
            seed, _, found = line.partition("\t")
            if not found or found.startswith("FAILED"):
                failures.append(f"{seed}: {found or 'FAILED: the process died'}")
                counts["failed"] += 1
            else:
                counts[found] += 1
    return counts, failures


def long_run(inputs: int, seed: int, jobs: int) -> int:
    """Judge many inputs in processes of their own; a process that dies is begun again behind its input."""
    folder = Path(tempfile.mkdtemp(prefix="losscli-fuzz-"))
    logs = [folder / f"{job}.log" for job in range(jobs)]
    todo = {job: inputs // jobs + (job < inputs % jobs) for job in range(jobs)}
    running: dict[int, subprocess.Popen[bytes]] = {}
    while any(todo.values()) or running:
        for job in range(jobs):
            if job in running and running[job].poll() is not None:
                del running[job]
                text = logs[job].read_text()
                if text and not text.endswith("\n"):
                    with logs[job].open("a") as file:
                        file.write("\n")
            done = logs[job].read_text().count("\n") if logs[job].exists() else 0
            left = inputs // jobs + (job < inputs % jobs) - done
            todo[job] = max(0, left)
            if left > 0 and job not in running:
                words = ["--work", str(seed + job + done * jobs), str(min(left, 5000)), str(jobs), str(logs[job])]
                running[job] = subprocess.Popen([sys.executable, __file__, *words])
        for process in list(running.values()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
    counts, failures = summary(logs)
    for kind, count in counts.most_common():
        print(f"{count:9,}  {kind}")
    for line in failures:
        print(f"seed {line}")
    print(f"{sum(counts.values()):,} inputs, {len(failures):,} failures")
    return 1 if failures else 0


def shown(seed: int) -> None:
    """Print a case, and what came of it."""
    case = made(seed)
    print(f"damaged: {case.damaged or 'nothing'}")
    for name, data in case.files.items():
        Path(name).write_bytes(data)
        print(f"{name}: {data[:300]!r}{' ...' if len(data) > 300 else ''}")
    print("losscli " + shlex.join(case.words))
    done = run([*case.words, "-f", "json"])
    print(f"exit {done.code}\n{done.err}{done.out[:600]}")
    try:
        with mp.workdps(30):
            true = expected(case.words)
        print(
            {name: mp.nstr(value, 17) if isinstance(value, mpf) else str(value)[:300] for name, value in true.items()}
        )
    except Exception as error:  # noqa: BLE001 - shown for what it is
        print(f"reference: {type(error).__name__}: {error}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int)
    parser.add_argument("--work", nargs=4)
    given = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    if given.work:
        first, count, step, log_path = given.work
        work(int(first), int(count), int(step), Path(log_path))
    elif given.only is not None:
        with tempfile.TemporaryDirectory() as own:
            os.chdir(own)
            shown(given.only)
    else:
        sys.exit(long_run(given.inputs, given.seed, given.jobs))
