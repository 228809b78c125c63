"""Random command lines on random files, whole and damaged, each judged by a slow reference.

    python tests/support/fuzz.py --inputs 100000 --seed 0 --jobs 2     a long run; failures are listed by their seeds
    python tests/support/fuzz.py --only 12345                          one input again: its files, its command, both numbers

A seed makes a case: files, and a command line on them. Most cases are then damaged: bytes, cells, headers, options. For
each, losscli must either print a number that the reference gets too, from the same files, by its own readers and by the
losses' formulas in 30 digits; or refuse it in one line with exit code 2 or 3. What was not damaged must not be refused.
"""

import bz2
import contextlib
import csv
import gzip
import io
import json
import lzma
import math
import os
import random
import re
import shlex
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
import zstandard
from mpmath import mp, mpf
from slow import NUMBER, NothingError, RefusedError, UnclearError, expected, left_out, unpacked

from losscli.data import units
from losscli.definition.domain import REAL
from losscli.definition.loss import Loss
from losscli.engine import job as engine
from losscli.io import bytes as raw
from losscli.io import compressed, join, jsonl, writers
from losscli.io import csv as csvfile
from losscli.io import npy as npy_files
from losscli.io import rows as rows_of_text
from losscli.io import source as sources
from losscli.io import typed as typed_tables
from losscli.losses import LOSSES

SECONDS = 20
"""After which an input counts as a hang."""
MEMORY = 400 << 20
"""Bytes by which a worker may be larger at its largest than when it began, Polars and mpmath included."""
LARGEST = 64 << 20
"""Bytes that a file may have."""
CLASSES = ("ant", "bee", "cat", "dog", "NA", "007", "7", "a,b", "é")
SHARES = {
    "softmax": 26,
    "sigmoid": 20,
    "residual": 14,
    "margin": 8,
    "distribution": 4,
    "relative": 3,
    "ordinal": 2,
    "embedding": 3,
    "gaussian": 1,
    "scaled": 2,
    "counts": 1,
    "views": 1,
    "scores": 3,
    "ranking": 2,
    "pairs": 1,
    "cosine": 1,
    "cosine-pair": 1,
    "pair": 1,
    "triplet": 1,
    "angular": 2,
    "ensemble": 1,
    "vector-ensemble": 1,
    "thresholds": 1,
    "interval": 1,
    "quantiles": 1,
    "quantile-file": 1,
    "box": 1,
    "overlap": 3,
    "mask-margins": 1,
    "series": 1,
    "scaled-series": 1,
    "series-order": 1,
    "batch": 1,
    "paired": 1,
    "class-masks": 1,
    "class-overlap": 2,
    "label-matrix": 1,
    "preference": 1,
    "feedback": 1,
    "odds": 1,
    "adversarial": 1,
    "mutual": 1,
    "mined": 1,
    "every-triplet": 1,
    "proxy": 1,
    "two-views": 1,
}
"""How often a family is drawn."""
WORDS = ("", " ", "x", "NaN", "nan", "inf", "-inf", "1e999", "-1", "1e5", "0.5", "1,5", '"', "1;2", "\t", "\x00", "007", "NA", "٣", "1_0", "0x1", "+1", "1.", ".5", "1e-400", "true", "None", "ant", "2", "255", "a\nb", "=1+1", "9" * 400)  # fmt: skip


# Cases: what is run.


@dataclass
class Case:
    words: list[str]
    files: dict[str, bytes]
    damaged: list[str] = field(default_factory=list)
    """What was done to it; nothing for a case that must give a number."""
    piped: str | None = None
    """The file that comes through standard input, for the operand '-'."""

    @property
    def plain(self) -> list[str]:
        """The words with the name of a file that holds what comes through standard input."""
        name = "stdin.npy" if self.given.startswith(b"\x93NUMPY") else "stdin.csv"
        return [name if word == "-" and self.piped else word for word in self.words]

    @property
    def given(self) -> bytes:
        """What comes through standard input."""
        return self.files[self.piped] if self.piped else b""

    def write(self) -> None:
        """Write the files to the folder."""
        for name, data in self.files.items():
            Path(name).write_bytes(data)
        if self.piped and "-" in self.words:
            Path(self.plain[self.words.index("-")]).write_bytes(self.given)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=False)
    return file.getvalue()


def as_file(random: random.Random, name: str, array: np.ndarray, files: dict[str, bytes]) -> str:
    """Save an array in one of the formats of arrays, and return the operand."""
    kind = random.choice(["npy", "npy", "npy", "npy", "fortran", "big", "npz", "packed", "safetensors", "compressed"])
    if kind == "fortran":
        array = np.asfortranarray(array)
    if kind == "big":
        array = array.astype(array.dtype.newbyteorder(">"))
    if kind in ("npz", "packed"):
        file = io.BytesIO()
        (np.savez if kind == "npz" else np.savez_compressed)(file, x=array)
        files[f"{name}.npz"] = file.getvalue()
        return f"{name}.npz" + random.choice(["", ":x"])
    if kind == "safetensors" and array.dtype.str in TENSORS:
        files[f"{name}.safetensors"] = safetensors(array)
        return f"{name}.safetensors" + random.choice(["", ":x"])
    if kind == "compressed":
        suffix = random.choice(list(PACKERS))
        files[f"{name}.npy.{suffix}"] = PACKERS[suffix](f"{name}.npy", npy(array))
        return f"{name}.npy.{suffix}"
    files[f"{name}.npy"] = npy(array)
    return f"{name}.npy"


TENSORS = {"<f2": "F16", "<f4": "F32", "<f8": "F64", "|i1": "I8", "<i2": "I16", "<i8": "I64", "|u1": "U8"}


def safetensors(array: np.ndarray) -> bytes:
    entry = {"dtype": TENSORS[array.dtype.str], "shape": list(array.shape), "data_offsets": [0, array.nbytes]}
    text = json.dumps({"x": entry}).encode()
    return len(text).to_bytes(8, "little") + text + array.tobytes()


def zipped(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


PACKERS: dict[str, Callable[[str, bytes], bytes]] = {
    "gz": lambda name, data: gzip.compress(data, mtime=0),
    "zst": lambda name, data: zstandard.compress(data),
    "bz2": lambda name, data: bz2.compress(data),
    "xz": lambda name, data: lzma.compress(data),
    "zip": zipped,
}
"""Suffix -> what makes such a file of a name and bytes."""


TYPED = ["parquet", "arrow", "jsonl"]


def as_table(
    random: random.Random,
    name: str,
    names: list[str] | None,
    rows: list[list[str]],
    files: dict[str, bytes],
    text: bool | None = False,
) -> str:
    """Save rows of cells in one of the formats of tables, and return the file's name.

    `text` is whether all columns are text, in a format that has types; None where some are.
    """
    suffix = random.choice(
        [
            "csv",
            "csv",
            "csv",
            "csv",
            "tsv",
            *[f"csv.{one}" for one in PACKERS],
            *(TYPED if names and text is not None else []),
        ]
    )
    if suffix in TYPED and names and len(set(names)) == len(names):
        columns = [list(column) if text else typed(list(column)) for column in zip(*rows, strict=True)]
        file = io.BytesIO()
        frame = pl.DataFrame(dict(zip(names, columns, strict=True)))
        {"parquet": frame.write_parquet, "arrow": frame.write_ipc, "jsonl": frame.write_ndjson}[suffix](file)
        files[f"{name}.{suffix}"] = file.getvalue()
        return f"{name}.{suffix}"
    suffix = "csv" if suffix in TYPED else suffix
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
    if suffix.startswith("csv."):
        data = PACKERS[suffix[4:]](f"{name}.csv", data)
    files[f"{name}.{suffix}"] = data
    return f"{name}.{suffix}"


def typed(column: list[str]) -> list[Any]:
    """Cells as whole numbers, as numbers or as text, whichever they all are."""
    kinds = [(re.compile(r"-?\d+", re.ASCII), int), (NUMBER, float)]
    return next(([kind(cell) for cell in column] for shape, kind in kinds if all(map(shape.fullmatch, column))), column)


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
    name = random.choices(list(SHARES), list(SHARES.values()))[0]
    return Maker(random, generator, random.choice([one for one in LOSSES.values() if one.family.name == name])).case()


@dataclass
class Part:
    """One operand before it is a file: numbers or words, a row each, and what its columns are called."""

    rows: Any
    names: list[str] | None = None
    order: list[int] | None = None
    """Which ids its rows have, if they meet by id."""


class Maker:
    """Makes a case of a loss, step by step: each appends what it needs to the words and the files."""

    def __init__(self, random: random.Random, generator: np.random.Generator, loss: Loss) -> None:
        self.random, self.generator, self.loss, self.family = random, generator, loss, loss.family
        self.words: list[str] = []
        self.files: dict[str, bytes] = {}
        self.n = self.pick([1, 2, 3, 5, 8, 12, 12, 12, 30]) if self.chance(0.985) else self.pick([70, 400, 1500])
        if self.family.coupled == "rows":
            self.n = min(max(self.n, 4), 30)
        if loss.name.startswith("lovasz"):  # whose reference is slow
            self.n = min(self.n, 30)
        self.tables = self.chance(0.55)
        self.keyed = self.tables and self.chance(0.35)
        self.headless = self.tables and not self.keyed and self.chance(0.35)
        self.base = 0
        self.classes: list[str] | None = None

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, choices: Any) -> Any:
        return self.random.choice(choices)

    def case(self) -> Case:
        self.parameters()
        p = self.predictions()
        t = self.targets(p)
        third = self.third(p)
        w = self.weights(p)
        parts = {"p": p, "t": t, **({"third": third} if third else {}), **({"w": w} if w else {})}
        operands = self.saved(parts)
        if third:
            self.words += [f"--{self.family.third_operand}", operands["third"]]
        if w:
            self.words += ["--sample-weight", operands["w"]]
        self.by_class(p, t)
        self.options(p)
        case = Case(["compute", self.loss.name, operands["p"], operands["t"], *self.words], self.files)
        place = self.pick([2, 3])
        name = case.words[place]
        if (
            not any(word.startswith(f"{name}:") for word in case.words)
            and name in self.files
            and name.endswith((".npy", ".csv"))
            and self.chance(0.06)
        ):
            case.words[place], case.piped = "-", name
        elif name in ("p.npy", "t.npy") and self.n > 1 and self.chance(0.06):
            self.shard(name)
            case.words[place] = name[0] + "_*.npy"
        return case

    def shard(self, name: str) -> None:
        """Cut an array into files whose natural order is not that of the alphabet."""
        array = np.load(io.BytesIO(self.files.pop(name)))
        cuts = sorted(self.random.randrange(self.n + 1) for _ in range(2))
        for number, part in zip((2, 9, 10), np.split(array, cuts), strict=True):
            if len(part):
                self.files[f"{name[0]}_{number}.npy"] = npy(part)

    def parameters(self) -> None:
        bound: dict[str, float] = {}
        for parameter in self.loss.parameters.values():
            if self.chance(0.3):
                low, high = max(parameter.domain.low, -3.0), min(parameter.domain.high, 4.0)
                value = low + (high - low) * self.random.uniform(0.05, 0.95)
                value = float(round(value, 0 if parameter.domain.whole else 3))
                if value in parameter.domain:
                    bound[parameter.name] = value
        try:
            self.domains = self.loss.domains(self.loss.bind(**bound).parameters)
        except Exception:  # noqa: BLE001 - parameters that do not go together
            bound, self.domains = {}, self.loss.domains(self.loss.bind().parameters)
        for name, value in bound.items():
            self.words += [f"--{name.replace('_', '-')}", repr(value)]

    def predictions(self) -> Part:
        family, n, random, generator = self.family, self.n, self.random, self.generator
        rows = not (family.several_outputs or family.coupled == "masks" or family.name == "pair")
        self.flat = not rows and self.chance(0.55)
        self.k = 1 if self.flat else family.width or self.pick([2, 2, 3, 4, 5])
        width = self.k * family.parts
        x = self.numbers(self.domains.predictions, (n,) if self.flat else (n, width))
        if family.name == "pair" and self.flat:
            x = abs(x)
        if family.name == "box":
            x[:, 2:] = x[:, :2] + generator.uniform(0.2, 3, (n, 2))
        if family.name == "interval":
            x = np.sort(x, axis=1)
        if family.takes_levels:
            levels = random.sample(["0", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.975", "1"], width)
            self.words += ["--levels", ",".join(levels)]
        dtypes = ["f2", "f4", "f8", "f8"] if family.name != "box" else ["f4", "f8"]
        if family.takes_from and self.chance(0.3):
            given = self.pick(["probs", "log-probs"])
            if family.target_type == "classes":
                x = np.exp(x - x.max(axis=1, keepdims=True))
                x /= x.sum(axis=1, keepdims=True)
            else:
                x = 1 / (1 + np.exp(-x))
            x = x if given == "probs" else np.log(np.maximum(x, 1e-300))
            self.words += ["--from", given]
            dtypes = ["f4", "f8"]
        elif (
            self.domains.predictions == REAL
            and family.name not in ("box", "cosine", "cosine-pair", "batch", "paired", "mutual", "proxy", "two-views")
            and self.chance(0.1)
        ):
            x = np.rint(x)
            dtypes = ["i1", "i2", "i8", ">i4"]
        dtype = self.pick(dtypes)
        x = x.astype(dtype)
        if np.dtype(dtype).itemsize <= 4 and self.domains.predictions != REAL:
            x = x.astype("f8") if self.domains.predictions.outside(x).any() else x
        names = None
        if self.tables and not self.headless:
            pool = random.sample(CLASSES, len(CLASSES)) if width <= len(CLASSES) else [f"c{i}" for i in range(width)]
            prefix, suffix = self.pick(
                [("", ""), ("", ""), ("p_", ""), ("logit_x_", ""), ("", " prob"), ("proba[", "]")]
            )
            names = [prefix + one + suffix for one in (pool[:width] if not self.flat else ["x"])]
        if names and family.target_type in ("classes", "outcomes") and family.parts == 1 and not family.takes_centers:
            self.classes = list(names) if width > 1 else None
        if self.classes and family.takes_classes and self.chance(0.15):
            trimmed = self.pick(left_out(self.classes))
            trimmed = random.sample(trimmed, len(trimmed))
            if all(trimmed):
                self.classes = [f"n{i}" for i in range(width)] if self.chance(0.1) else trimmed
                out = io.StringIO()
                csv.writer(out, lineterminator="").writerow(self.classes)
                self.words += ["--classes", out.getvalue()]
        if family.takes_centers:
            self.files["centers.npy"] = npy(generator.normal(size=(4, width)).astype(self.pick(["f4", "f8"])))
            self.words += ["--centers", "centers.npy"]
            self.k = 4
        return Part(x, names)

    def numbers(self, domain: Any, shape: tuple[int, ...]) -> np.ndarray:
        return drawn_numbers(self.loss, domain, self.generator, shape)

    def targets(self, p: Part) -> Part:
        family, n, generator = self.family, self.n, self.generator
        flat = self.flat or family.one_target
        if family.smoothing is not None and self.chance(0.2):
            self.words += ["--label-smoothing", self.pick(["0.1", "0.25", "0.0"])]
            if self.chance(0.5):
                self.words += ["--smoothing-mode", self.pick(["uniform", "half", "others"])]
        if family.target_type == "numbers":
            if (family.several_outputs or family.one_target) and not self.keyed and self.chance(0.05):
                return Part(repr(float(self.numbers(self.domains.targets, (1,))[0].round(3))))
            t = self.numbers(self.domains.targets, (n,) if flat else p.rows.shape)
            if family.name == "box":
                t[:, 2:] = t[:, :2] + generator.uniform(0.2, 3, (n, 2))
            if self.domains.targets == REAL and family.name != "box" and self.chance(0.15):
                t = np.rint(t).astype(self.pick(["i8", "i4"]))
            else:
                t = t.astype(self.pick(["f4", "f8"]))
            if family.name in ("cosine", "paired", "mutual"):
                t[~t.any(axis=1)] = 1
            return Part(t, self.named(p, flat))
        labels = family.target_type == "classes" or (family.target_type == "outcomes" and not flat and self.chance(0.4))
        if labels:
            return self.labels(p)
        if family.name == "label-matrix":
            values = generator.integers(0, 2, p.rows.shape).astype(float)
            values[:2] = [[1.0], [0.0]][:n]
            return Part(values, self.named(p, flat))
        values = generator.integers(0, 2, (n,) if flat else p.rows.shape).astype(float)
        kind = self.pick(["binary", "signed", "soft"] if family.target_type == "outcomes" else ["binary", "signed"])
        if kind == "signed":
            values = 2 * values - 1
        if kind == "soft":
            values = np.round(generator.uniform(0, 1, values.shape), 3)
        elif flat and n > 1 and self.chance(0.2):
            values[0] = 7
            self.words += ["--ignore-index", self.pick(["7", "7.0"])]
        if kind != "soft" and self.chance(0.5):
            values = values.astype(self.pick(["i1", "i8", "?"] if kind == "binary" and values.max() < 2 else ["i1"]))
        if (
            flat
            and family.takes_class_weight
            and not family.coupled
            and kind == "binary"
            and values.max() < 2
            and self.chance(0.15)
        ):
            self.words += ["--classes", "ham,spam"]
            self.classes = ["ham", "spam"]
            return Part([[self.classes[int(one)]] for one in values], ["label"])
        return Part(values, self.named(p, flat))

    def named(self, p: Part, flat: bool) -> list[str]:
        """Names of columns like those of the predictions, or another one."""
        return ["t"] if flat else list(self.classes or p.names or [f"y{i}" for i in range(p.rows.shape[1])])

    def labels(self, p: Part) -> Part:
        """Targets of one label per row, or of one number per class."""
        family, n, k, generator = self.family, self.n, self.k, self.generator
        index = generator.integers(0, k, n)
        if family.coupled == "rows":  # where some label needs two rows
            index = np.resize(np.arange(max(2 if family.needs_negatives else 1, min(k, n // 3))), n)
            if k > index.max() + 1 and n > 4 and self.chance(0.3):
                index[-1] = k - 1  # and another may have one
        kinds = ["index", "index", "name", "name", *(["one-hot", "soft"] if family.target_type == "classes" else [])]
        kind = self.pick(kinds if (family.takes_classes and not family.takes_centers) or self.classes else ["index"])
        if self.tables and self.classes and kind == "index":
            kind = "index" if self.chance(0.3) and not self.keyed else "name"
        if kind == "soft" and family.hard:
            kind = "one-hot"
        if kind == "one-hot" and family.coupled == "rows":
            kind = "index"
        if kind in ("one-hot", "soft"):
            rows = np.eye(k)[index] if kind == "one-hot" else generator.dirichlet(np.ones(k), n)
            order = self.random.sample(range(k), k) if self.classes else list(range(k))
            rows = rows[:, order]
            if kind == "one-hot" and self.chance(0.3):
                rows = rows.astype(self.pick(["?", "u1", "i8"]))
            names = [self.classes[i] for i in order] if self.classes else [f"y{i}" for i in range(k)]
            return Part(rows, names) if not self.classes or self.tables else Part(rows)
        if kind == "name":
            own = self.classes
            if own is None:
                own = self.classes = self.random.sample(CLASSES, k)
                out = io.StringIO()
                csv.writer(out, lineterminator="").writerow(own)
                if self.chance(0.3):
                    self.files["names.txt"] = "\n".join(f'"{one}"' for one in own).encode() + self.pick([b"", b"\n"])
                    self.words += ["--classes", "names.txt"]
                else:
                    self.words += ["--classes", out.getvalue()]
            trimmed = self.pick(left_out(own))
            if len(set(trimmed)) < len(own) or "" in trimmed or not fits(trimmed, index, own):
                trimmed = own
            cells = [[trimmed[i]] for i in index]
            if n > 1 and self.chance(0.15):
                cells[0] = [self.pick(["unknown", "-1"])]
                self.words += ["--ignore-index", cells[0][0]]
            return Part(cells, ["label"])
        base = self.pick([0, 0, 0, 1]) if family.takes_classes else 0
        stored = index + base
        self.words += ["--label-base", "1"] if base else []
        self.base = base
        if n > 1 and self.chance(0.2):
            stored[0] = 99
            self.words += ["--ignore-index", "99"]
        dtype = self.pick(["i8", "i4", "u1", "f4", "f8", ">i2"])
        return Part(stored.astype(dtype), ["label"]) if not self.classes else Part(stored.astype(dtype))

    def third(self, p: Part) -> Part | None:
        """The third operand of the losses that have one."""
        third_operand = self.family.third_operand
        if third_operand is None or (self.family.name == "pair" and self.flat):
            return None
        x = self.generator.normal(size=p.rows.shape)
        positive = dict.fromkeys(("variance", "scale", "dispersion"), abs(x) + 0.01)
        x = (positive | {"reference": -abs(x)}).get(third_operand, x)
        return Part(x.astype(self.pick(["f4", "f8"])), self.named(p, self.flat))

    def weights(self, p: Part) -> Part | None:
        if self.chance(0.7) or self.family.coupled in ("masks", "file"):
            return None
        if self.family.several_outputs and p.rows.ndim == 2 and p.rows.shape[1] > 1 and self.chance(0.4):
            each = self.generator.choice([0.0, 1.0, 0.5, 2.25], p.rows.shape)
            each[self.random.randrange(self.n)] = 1.0
            names = self.named(p, self.flat)
            return Part(each.astype(self.pick(["f4", "f8"])), self.random.sample(names, len(names)))
        w = self.generator.choice([0.0, 1.0, 0.5, 2.25], self.n)
        w[self.random.randrange(self.n)] = 1.0
        return Part(w.astype(self.pick(["f4", "f8"])), ["w"])

    # Files.

    def saved(self, parts: dict[str, Part]) -> dict[str, str]:
        """Write the parts to files, and return what they are called on the command line."""
        if self.keyed:
            self.words += ["--id", "id"]
            self.key(parts)
        shared = self.tables and len(parts["p"].rows) == self.n and self.chance(0.15)
        others = list(parts.values())[1:]
        if shared and all(not isinstance(one.rows, str) and one.names and width_of(one) == 1 for one in others):
            return self.together(parts)
        operands = {}
        doubtful = False
        for name, part in parts.items():
            if isinstance(part.rows, str):
                operands[name] = part.rows
                continue
            text = isinstance(part.rows, list)
            bare = part.names is None and not (name == "p" and self.headless)
            if not self.keyed and not text and (not self.tables or bare or (name != "p" and self.chance(0.4))):
                operands[name] = as_file(self.random, name, part.rows, self.files)
                continue
            if text and not self.tables and not self.keyed and self.chance(0.5):
                operands[name] = as_file(self.random, name, np.array([row[0] for row in part.rows]), self.files)
                continue
            cells = cells_of(part.rows)
            names = None if self.headless or (part.names is None) else list(part.names)
            if part.order is not None:
                cells = [[id_of(i), *cells[i]] if i < len(cells) else [id_of(i), *cells[0]] for i in part.order]
                names = ["id", *(names or ())]
            doubtful = doubtful or self.doubt(names, cells)
            if names and name == "p" and not self.flat and self.chance(0.1) and picked(names[self.keyed :]):
                cells = [[*row, "a note"] for row in cells]
                names = [*names, "note"]
                self.words += ["--columns", ",".join(names[self.keyed : -1])]
            operands[name] = as_table(self.random, name, names, cells, self.files, text)
            if width_of(part) == 1 and name != "p" and not self.keyed and self.chance(0.1):
                operands[name] += f":{names[0] if names else 1}"
        if self.headless:
            self.words += ["--no-header"] if doubtful or self.chance(0.5) else []
        elif doubtful or (self.tables and self.chance(0.05) and all(one.names for one in parts.values())):
            self.words += ["--header"]
        return operands

    def key(self, parts: dict[str, Part]) -> None:
        """Give the rows ids, in another order in each file, and with `drop` not all of them."""
        drop = self.n > 1 and self.chance(0.35)
        if drop or self.chance(0.2):
            self.words += ["--on-unmatched", "drop" if drop else self.pick(["error", "drop"])]
        stay = self.random.randrange(self.n)
        for name, part in parts.items():
            if isinstance(part.rows, str):
                continue
            part.names = part.names or [f"c{i}" for i in range(width_of(part))]
            part.order = list(range(self.n))
            if name != "p":
                self.random.shuffle(part.order)
            if drop and name != "p":
                part.order = [i for i in part.order if i == stay or self.chance(0.8)]
                part.order += range(self.n, self.n + self.random.randrange(3))

    def together(self, parts: dict[str, Part]) -> dict[str, str]:
        """All parts as columns of one table."""
        names: list[str] = []
        cells: list[list[str]] = [[] for _ in range(self.n)]
        operands = {}
        for name, part in parts.items():
            for row, more in zip(cells, cells_of(part.rows), strict=True):
                row += more
            own = [f"{name}_" + str(i) for i in range(width_of(part))] if name != "p" else part.names
            operands[name] = str(len(names) + 1) if self.headless else f"{name}_0"
            names += own or [f"c{i}" for i in range(width_of(part))]
        if self.keyed:
            names, cells = ["id", *names], [[id_of(i), *row] for i, row in enumerate(cells)]
        header = None if self.headless else names
        if self.headless:
            self.words += ["--no-header"]
        elif self.doubt(names, cells):
            self.words += ["--header"]
        text = any(isinstance(part.rows, list) for part in parts.values())
        file = as_table(self.random, "p", header, cells, self.files, None if text else False)
        return {name: file if name == "p" else f"{file}:{column}" for name, column in operands.items()}

    def doubt(self, names: list[str] | None, cells: list[list[str]]) -> bool:
        """Whether it must be said if the first row is a header."""
        if names is not None:
            return any(NUMBER.fullmatch(one) for one in names)
        first = [one.strip() for one in cells[0]]
        return not all(NUMBER.fullmatch(one) for one in first) or first == [str(i) for i in range(len(first))]

    # Options.

    def by_class(self, p: Part, t: Part) -> None:
        """Weights of classes and of positives."""
        family = self.family
        if family.takes_pos_weight and self.chance(0.15) and "--label-smoothing" not in self.words:
            if not self.flat and p.names and "--classes" not in self.words and self.chance(0.5):
                self.words += ["--pos-weight", f"{picked(p.names)[0]}=2.5" if picked(p.names) else "2"]
            else:
                self.words += ["--pos-weight", self.pick(["2", "0.5", "3.25"])]
        if not family.takes_class_weight or family.coupled or family.thresholds or self.chance(0.7):
            return
        if self.chance(0.4):
            self.words += ["--class-weight", "balanced"]
            return
        one = family.target_type != "classes" and self.flat
        called = ["0", "1"] if one else [str(i + self.base) for i in range(self.k)]
        if not one or "--classes" in self.words:
            called = self.classes or (p.names if family.target_type != "classes" and not one else None) or called
        values = [self.pick([0.5, 1.0, 3.0]) for _ in called]
        if self.chance(0.3):
            self.files["cw.npy"] = npy(np.array(values))
            self.words += ["--class-weight", "cw.npy"]
            return
        names = [name for name in ([called[1]] if one else called) if "," not in name and self.chance(0.7)]
        if names:
            self.words += ["--class-weight", ",".join(f"{name}={self.pick([0, 0.5, 1, 3])}" for name in names)]

    def options(self, p: Part) -> None:
        family = self.family
        if family.coupled == "masks" and self.chance(0.5):
            self.words += ["--per", "file" if self.flat else self.pick(["row", "column", "file"])]
        given = self.words[self.words.index("--from") + 1] if "--from" in self.words else "logits"
        if family.takes_activation and not self.flat and given == "logits":
            # Losses of all classes take the softmax if nothing is said; others ask for a word where both are possible.
            self.words += ["--activation", "sigmoid"] if family.coupled == "masks" or self.chance(0.5) else []
        if not self.flat and family.several_outputs:
            self.words += ["--over-outputs", self.pick(["mean", "sum"])] if self.chance(0.3) else []
            self.words += ["--elements"] if self.chance(0.3) else []
        if self.chance(0.1):
            self.words += ["--gradient", "g.npy"]
        if self.chance(0.4):
            names = ["mean", "sum", "none", "sum-over-batch-size", "sum-by-nonzero-weights"]
            self.words += ["--reduction", self.pick(names)]
        if self.chance(0.1):
            self.words += ["--require", self.pick(["samples >= 1", "samples < 1", "max > -1e300", "p50 < -1e300"])]
        if self.chance(0.1):
            self.words += ["--threads", self.pick(["1", "2", "3"])]


def id_of(row: int) -> str:
    return f"{'r é,'[row % 4]}{row}"


def width_of(part: Part) -> int:
    return len(part.rows[0]) if isinstance(part.rows, list) or part.rows.ndim == 2 else 1


def cells_of(rows: Any) -> list[list[str]]:
    if isinstance(rows, list):
        return rows
    wide = rows.astype(float if rows.dtype.kind == "f" else int)
    return [[repr(one) for one in np.atleast_1d(row).tolist()] for row in wide]


def picked(names: list[str]) -> list[str]:
    """Names that lists of names can hold as they are, if all are such."""
    return names if not any(set(name) & set(",=*?[]") for name in names) else []


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
    if how == "operands" and len(case.words) < 4:
        how = "options"
    if name.endswith((".parquet", ".arrow")) and how in ("bytes", "cells", "rows", "npy"):
        how = "files"  # bytes that are wrong can make Polars abort
    case.damaged.append(f"{how} of {name}" if how not in ("options", "operands") else how)
    if how == "bytes":
        case.files[name] = bytes_damaged(random, data)
    elif how in ("cells", "rows"):
        case.files[name] = cells_damaged(random, name, data, how)
    elif how == "npy":
        case.files[name] = npy_damaged(random, data)
    elif how == "options":
        words = case.words
        place = random.randrange(min(1, len(words)), len(words) + 1)
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
    if name.endswith((".zip", ".safetensors")) or ".npy." in name:
        return bytes_damaged(random, data)
    if name.endswith(".jsonl"):
        return objects_damaged(random, data, how)
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
        suffix = name.rpartition(".")[2]
        return PACKERS[suffix](name, made) if suffix in PACKERS else made
    return bytes_damaged(random, data)


def objects_damaged(random: random.Random, data: bytes, how: str) -> bytes:
    """JSON lines with some lines or values changed."""
    lines = data.decode("utf-8", "replace").splitlines()
    for _ in range(random.choice([1, 1, 3])):
        place = random.randrange(len(lines) or 1)
        with contextlib.suppress(ValueError, IndexError, AttributeError):
            if how == "rows":
                kind = random.choice(["drop", "repeat", "blank", "list", "cut"])
                line = lines.pop(place)
                lines[place:place] = {"drop": [], "repeat": [line] * 2, "blank": ["", line], "list": ["[1, 2]"], "cut": [line[:-1]]}[kind]  # fmt: skip
                continue
            row = json.loads(lines[place])
            key = random.choice(list(row))
            row[key] = random.choice([*WORDS, 1, -1, 0.5, 1e300, True, None, [], {}, math.nan, -math.inf])
            if random.random() < 0.1:
                del row[key]
            lines[place] = json.dumps(row)
    return "\n".join(lines).encode("utf-8", "replace")


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


CUTS = {
    csvfile: {
        "SMALL": [0],
        "CHUNK_ROWS": [1, 2, 7],
        "PIECE": [16, 64],
        "CHUNK_BYTES": [32, 1 << 20],
        "WIDE": [2, 2000],
    },
    join: {"PILE_BYTES": [500], "SCAN_BYTES": [16, 200]},
    sources: {"SCAN_BYTES": [16, 100]},
    npy_files: {"FORTRAN_ROWS": [1, 2, 5], "PIECE": [64]},
    raw: {"IN_MEMORY": [0, 64], "PIECE": [16, 64]},
    engine: {"CHUNK_ROWS": [1, 3, 4], "BATCH_BYTES": [8, 64, 200], "CHUNK_BYTES": [64, 512]},
    units: {"ROWS_AT_ONCE": [1, 3]},
    typed_tables: {"SEGMENT": [3], "CELLS": [5], "LIST_CELLS": [5]},
    writers: {"PART_CELLS": [4], "PIECE": [64]},
    rows_of_text: {"RECORDS": [2], "FEW": [0, 3]},
    compressed: {"PIECE": [16, 64]},
    jsonl: {"IN_MEMORY": [0], "PIECE": [16]},
}
"""Sizes of pieces and chunks with which small files are cut where large ones are."""


@contextlib.contextmanager
def small_cuts(seed: int) -> Iterator[None]:
    """For one seed in three, files are read, computed and written in pieces of a few rows and bytes."""
    own = random.Random(seed)
    with contextlib.ExitStack() as stack:
        for module, sizes in CUTS.items() if seed % 3 == 0 else ():
            for name, choices in sizes.items():
                if own.random() < 0.6:
                    stack.enter_context(mock.patch.object(module, name, own.choice(choices)))
        yield


@dataclass
class Outcome:
    code: int
    out: str
    err: str


def run(words: list[str], given: bytes = b"") -> Outcome:
    """A command line in this process."""
    from losscli.cli.main import run as run_line

    out, err = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True),
        io.StringIO(),
    )  # as main sets it
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(given))
    try:
        with below() as printed, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = int(run_line(words))
    finally:
        sys.stdin = stdin
    return Outcome(code, out.buffer.getvalue().decode("utf-8", "replace"), err.getvalue() + printed())


@contextlib.contextmanager
def below() -> Iterator[Callable[[], str]]:
    """Catch what is written to the standard error behind Python's back, as by a library that panics."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield lambda: os.pread(file.fileno(), 10_000, 0).decode("utf-8", "replace") if not file.closed else text
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            text = os.pread(file.fileno(), 10_000, 0).decode("utf-8", "replace")


CHECKED = ("--from", "--id", "--on-unmatched", "--classes", "--label-base", "--ignore-index", "--columns", "--sample-weight", "--threads")  # fmt: skip


def check(case: Case, code: int) -> None:
    """Assert that `losscli check` finds an error where compute has one, and none where it has not."""
    if "options" in case.damaged or "operands" in case.damaged:
        return
    rest = case.plain[4:]
    words = ["check", *case.plain[2:4], "--loss", case.words[1], "-f", "json"]
    unknown = False
    while rest:
        word = rest.pop(0)
        if word in ("--header", "--no-header"):
            words.append(word)
        elif word == "--elements":
            unknown = True
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
    found = strict(done.out)
    errors = [finding for finding in found["findings"] if finding["severity"] == "error"]
    assert (done.code == 3) == bool(errors)
    assert all(finding["message"] and finding["cure"] for finding in found["findings"]), found["findings"]
    if not unknown and code != 2:
        assert bool(errors) == (code == 3), f"compute: exit {code}; check found {errors}"


def judge(case: Case) -> str:
    """What became of a case: 'number', 'refused' or 'unjudged: ...'.

    Raises
    ------
    AssertionError
        for anything that is not as it should be.
    """
    case.write()
    before = set(os.listdir("."))
    asked = [] if {"-f", "--format"} & set(case.words) else ["-f", "json"]
    with small_cuts(len(case.given) + len(case.words) + sum(map(len, case.files.values()))):
        done = run([*case.words, *asked, "--per-sample"], case.given)
        if "or say --columns '*'" in done.err and "--columns" not in case.words:
            # A doubt about columns that are classes: the cure must give the number.
            case = replace(case, words=[*case.words, "--columns", "*"])
            done = run([*case.words, *asked, "--per-sample"], case.given)
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
        assert not left, f"refused, and left {left}"
        assert " at 0x" not in done.err, f"an address: {done.err}"
        if not case.damaged and not re.search(UNCLEAR, done.err):
            with below(), contextlib.suppress(UnclearError, NothingError):
                reference(case.plain)
                raise AssertionError(f"refused what should give a number: {done.err}")
        elif not any(one in case.damaged for one in UNREAD) and not re.search(STRICTER, done.err):
            with below(), contextlib.suppress(UnclearError, RefusedError):
                reference(case.plain)
                raise AssertionError(f"refused what has a number: {done.err}")
        return "refused"
    for line in done.err.splitlines():
        assert line.startswith("losscli: "), done.err
    assert not left - {"x"} or re.search(r" (-o|--output|--gradient)", " ".join(case.words)), (
        f"files that nobody asked for: {left}"
    )
    if "note" in done.err and re.search("cells are separated by", done.err):
        return "unjudged: a separator that losscli recognises, and says so"
    if any(one in case.damaged for one in UNREAD):
        return "unjudged: options or operands that the reference does not read"
    found = strict(done.out)
    try:
        with below():
            true = reference(case.plain)
    except UnclearError as why:
        return f"unjudged: {why}"
    except RefusedError as why:
        raise AssertionError(f"a number, {found['value']}, where there is none: {why}") from None
    compare(found, true)
    met = all(one["met"] for one in found["requirements"])
    assert done.code == (0 if met else 1), f"exit {done.code}, requirements {found['requirements']}"
    if "--gradient" in case.words:
        check_gradient(case.plain, true)
    if len(done.out) % 8 == 0:
        check_formats(case.plain, found)
    return "number"


UNREAD = ("options", "operands")
UNCLEAR = "in quotes and those below are not: a header or data|without a header: say --decimal ,|which column holds the weights|have their columns in different orders"
"""What is refused although nothing is wrong with a file, since it may mean something else."""
STRICTER = f"{UNCLEAR}|several arrays|has no name|a header or data|a header that a tool wrote|does the table begin there|the id is empty|the line is blank|cells of which other lines have more or fewer|was it cut off|one name too few|a quote stands inside|stands inside a cell|columns are called|separated by|was taken for a header|squares of its errors overflow"  # fmt: skip
"""What losscli refuses although there is a number: where it is not clear what a file means."""


def reference(words: list[str]) -> Any:
    """What the slow reference makes of a command line; letters that no text has are refused."""
    try:
        return expected(words)
    except SystemError as error:  # NumPy's, for letters beyond Unicode
        raise RefusedError(str(error)) from error


def strict(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text, parse_constant=lambda word: pytest_fail(f"{word} is no JSON"))
    return found


def check_gradient(words: list[str], true: dict[str, Any]) -> None:
    """Assert that a gradient is that of the reference, by differences of it, in two places; and 0 where no row is."""
    slopes = np.load("g.npy")
    assert np.isfinite(slopes).all() or not np.isnan(slopes).any(), "a gradient is NaN"
    if true["whole"] or true["scale"] > 1e6:
        return
    slopes = slopes.reshape(len(slopes), -1)
    assert slopes.shape[0] == true["height"], "the gradient has other rows"
    there = [true["places"][i] for i in true["rows"]]
    assert not slopes[[i for i in range(len(slopes)) if i not in there]].any(), "a row that is left out has a gradient"
    for row in there[:: max(1, len(there) // 2)][:2]:
        for column in (0, slopes.shape[1] - 1):
            low, high = true["slope"](there.index(row), true["columns"].index(column))
            if low is not None and abs(true["losses"][there.index(row)]) < 1e9:
                slack = (3e-5 if true["narrow"] else 1e-9) * (1 + abs(low)) * (1 + min(true["scale"], 1e9)) ** 2
                assert low - slack <= slopes[row, column] <= high + slack, (
                    f"gradient [{row}, {column}] is {slopes[row, column]}, not {mp.nstr(low, 17)}"
                )


def check_formats(words: list[str], found: dict[str, Any]) -> None:
    """Assert that the rows of other formats, on standard output and in files, are those of JSON."""

    def alike(one: float | None, other: float | None) -> bool:
        # Here files are cut into other pieces; CSV has fewer digits.
        if one is None or not math.isfinite(one):
            return other is None
        return other is not None and math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-30)

    for name, separator in (("csv", ","), ("tsv", "\t")):
        done = run([*words, "-f", name, "-o", "o.jsonl"])
        rows = list(csv.DictReader(io.StringIO(done.out, newline=""), delimiter=separator, strict=True))
        lines = [strict(line) for line in Path("o.jsonl").read_text().splitlines()]
        for row, line, other in zip(rows, lines, found["rows"], strict=True):
            assert None not in row, f"more cells than names: {row}"
            assert None not in row.values(), f"fewer cells than names: {row}"
            assert int(row["sample"]) == line["sample"] == other["sample"]
            assert row.get("id") == line.get("id") == other.get("id")
            assert alike(float(row["loss"]), other["loss"])
            assert alike(line["loss"], other["loss"])
    if found["value"] is not None:
        assert alike(float(run([*words, "-f", "value"]).out), found["value"])
    assert run([*words, "-f", "table"]).out
    assert run([*words, "-f", "markdown", "-q"]).err == ""


def pytest_fail(message: str) -> None:
    raise AssertionError(message)


def compare(found: dict[str, Any], true: dict[str, Any]) -> None:
    """Assert that numbers are the same to within the rounding of their computation."""
    assert (found["samples"], found["ignored"]) == (true["samples"], true["ignored"])
    unit, least = (2.0**-24, 1e-36) if true["narrow"] else (2.0**-53, 1e-300)
    most = 3e38 if true["narrow"] else 1e300

    def near(one: float | None, other: Any, size: Any, what: str) -> None:
        if mp.isinf(other) or abs(other) > most:
            assert one is None or math.isinf(one) or abs(one) > most / 10, f"{what}: {one} is not {mp.nstr(other, 17)}"
            return
        assert one is not None, f"{what}: not finite, and should be {mp.nstr(other, 17)}"
        assert abs(one - other) <= unit * size + least, f"{what}: {one!r} is not {mp.nstr(other, 17)}"

    rows = found["rows"]
    assert len(rows) == len(true["losses"])
    assert [row["sample"] for row in rows] == ([true["places"][i] for i in true["rows"]] if not true["whole"] else list(range(len(rows))))  # fmt: skip
    if true["ids"] is not None and not true["whole"]:
        assert [row["id"] for row in rows] == [true["ids"][i] for i in true["rows"]], "ids"
    for row, other in zip(rows, true["losses"], strict=True):
        near(row["loss"], other, ULPS * (abs(other) + 1 + true["scale"]), "a loss")
    if "weight" in (rows or [{}])[0]:
        for row, weight in zip(rows, true["weights"], strict=True):
            assert abs(row["weight"] - weight) <= 1e-12 * weight, f"a weight: {row['weight']} is not {weight}"
    else:
        assert true["weights"] is None, "weights are not shown"
    for row, outputs in zip(rows, true["elements"] if "losses" in (rows or [{}])[0] else [], strict=False):
        for one, other in zip(row["losses"], outputs, strict=True):
            near(one, other, ULPS * (abs(other) + 1 + true["scale"]), "a loss of an output")
    if true["value"] is None:
        assert found["value"] is None
        return
    assert abs(found["denominator"] - true["denominator"]) <= 1e-12 * true["denominator"], "the denominator"
    # Sums are in float64: what they are off by is what the losses are.
    weights = true["weights"] or [1] * len(rows)
    size = sum((w * ULPS * (abs(one) + 1 + true["scale"]) for w, one in zip(weights, true["losses"], strict=True) if not mp.isinf(one)), mpf(0))  # fmt: skip
    near(found["numerator"], true["numerator"], size, "the numerator")
    near(found["value"], true["value"], size / true["denominator"] + abs(true["value"]), "the value")


ULPS = 64
"""By how many units of a loss, or of the largest prediction, it may be off."""


def one(seed: int, folder: str | None = None) -> str:
    """Judge the case of a seed in a folder of its own."""
    case = made(seed)
    here = os.getcwd()
    with tempfile.TemporaryDirectory(dir=folder) as own:
        os.chdir(own)
        try:
            with mp.workdps(30):
                return judge(case)
        finally:
            os.chdir(here)


def shown(seed: int) -> None:
    """Print a case, what came of it, what the reference says, and the verdict."""
    case = made(seed)
    print(f"damaged: {case.damaged or 'nothing'}")
    case.write()
    for name, data in case.files.items():
        print(f"{name}: {data[:300]!r}{' ...' if len(data) > 300 else ''}")
    print("losscli " + shlex.join(case.words) + (f" < {case.piped}" if case.piped else ""))
    done = run([*case.words, "-f", "json"], case.given)
    print(f"exit {done.code}\n{done.err}{done.out[:600]}")
    try:
        with mp.workdps(30):
            true = reference(case.plain)
        print(
            {name: mp.nstr(value, 17) if isinstance(value, mpf) else str(value)[:300] for name, value in true.items()}
        )
    except Exception as error:  # noqa: BLE001 - shown for what it is
        print(f"reference: {type(error).__name__}: {error}")
    try:
        print(f"verdict: {one(seed)}")
    except Exception as error:  # noqa: BLE001 - this too
        print(f"FAILED: {type(error).__name__}: {error}")
