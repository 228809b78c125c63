"""The slow reference of fuzz.py: what a command line should print, from its files, by readers and loops of its own.

Files are read with NumPy and the csv module, losses are their declared formulas in mpmath's numbers, and everything about
labels, ids, weights and reductions is written anew, in plain Python, from docs/conventions.md.
"""

import bz2
import csv
import functools
import gzip
import inspect
import io
import json
import lzma
import math
import os
import re
import warnings
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import polars as pl
import zstandard
from mpmath import mp, mpf
from oracle import NAMES, log, log_softmax, sigmoid_variables
from reference import REFERENCES
from rows import Row

from losscli.definition.domain import REAL
from losscli.definition.loss import Loss
from losscli.losses import LOSSES

MOST_ROWS = 40
"""Rows of losses in which each row meets all others."""
DIGITS = 60


class UnclearError(Exception):
    """What a file means, or what the number should be, is beyond the reference: its reason."""


class RefusedError(Exception):
    """There is no number: whoever prints one is wrong."""


class NothingError(RefusedError):
    """There is no number because nothing weighs anything."""


# Files: what the reference reads, by readers of its own.


def unpacked(data: bytes) -> bytes:
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        found = b""
        while data:
            frame = zstandard.ZstdDecompressor().decompressobj()
            found += frame.decompress(data)
            if not frame.eof:
                raise RefusedError("it was cut off")
            data = frame.unused_data
        return found
    if re.match(rb"BZh[1-9]1AY&SY", data):
        return streams(data, bz2.BZ2Decompressor)
    if data[:6] == b"\xfd7zXZ\0":
        return streams(data, lzma.LZMADecompressor)
    return data


def streams(data: bytes, new: Any) -> bytes:
    """What is in compressed streams, one after another."""
    found = b""
    while data:
        one = new()
        found += one.decompress(data)
        if not one.eof:
            raise RefusedError("it was cut off")
        data = one.unused_data.lstrip(b"\0")
    return found


def objects(data: bytes) -> "Table":
    """A table of JSON lines, whose objects have the same keys."""
    try:
        text = data.decode("utf-8-sig")
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError) as error:
        raise UnclearError(f"lines that Python's json does not take: {error}") from error
    if not rows or any(not isinstance(row, dict) or row.keys() != rows[0].keys() for row in rows):
        raise UnclearError("lines that are no objects of the same keys")
    names = list(rows[0])
    numeric = [all(isinstance(row[name], int | float) for row in rows) for name in names]
    words = [all(isinstance(row[name], str) for row in rows) for name in names]
    if not all(a or b for a, b in zip(numeric, words, strict=True)):
        raise UnclearError("values of several kinds")
    if text.count('":') != len(rows) * len(names) or re.search(r"\\u[dD][89a-fA-F]|\d{16}", text):
        raise UnclearError("keys that stand in an object twice, halves of letters, or whole numbers of many digits")
    cells = [[one if isinstance(one, str) else repr(float(one)) for one in row.values()] for row in rows]
    if any(math.isinf(one) for row in rows for one in row.values() if isinstance(one, float)):
        raise UnclearError("infinities, which JSON does not have")
    return Table(names, cells, tuple(numeric))


TENSORS = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "i1", "I16": "<i2", "I64": "<i8", "U8": "u1"}


def tensor(data: bytes) -> np.ndarray:
    """The only tensor of a safetensors file."""
    size = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + size])
        [(_, entry)] = ((key, entry) for key, entry in header.items() if key != "__metadata__")
        dtype, (start, stop) = TENSORS[entry["dtype"]], entry["data_offsets"]
        body = data[8 + size :]
        if not 0 <= start <= stop <= len(body) or any(
            type(length) is not int or length < 0 for length in entry["shape"]
        ):
            raise RefusedError("bytes or a shape that are none")
        return np.frombuffer(body[start:stop], dtype).reshape(entry["shape"])
    except KeyError as error:
        raise UnclearError(f"an entry or a type that the reference does not know: {error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise RefusedError(f"no safetensors file of one tensor: {error}") from error


NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII)


def number(cell: str) -> float:
    text = cell.strip(" \t\r\n\x0b\x0c")
    if not NUMBER.fullmatch(text):
        raise RefusedError(f"{cell!r} is no number")
    value = float(text)
    if math.isinf(value) and "inf" not in text.lower():
        raise RefusedError(f"{cell!r} is too large")
    return value


@dataclass
class Table:
    names: list[str] | None
    rows: list[list[str]]
    numeric: tuple[bool, ...] = ()
    """Which columns hold numbers, not text, where the file says so."""

    def is_text(self, column: int) -> bool:
        return not self.numeric or not self.numeric[column]

    def column(self, name: str) -> int:
        if self.names is None:
            if name.isdecimal() and 1 <= int(name) <= len(self.rows[0]):
                return int(name) - 1
            raise RefusedError(f"no column {name!r}")
        if self.names.count(name) != 1:
            raise RefusedError(f"no one column {name!r}")
        return self.names.index(name)


def read(path: str, header: bool | None) -> "Table | np.ndarray":
    """A table of text, or an array."""
    shards = [] if os.path.exists(path) else sorted(glob(path), key=lambda name: int(re.sub(r"\D", "", name) or 0))
    if len(shards) > 1:
        parts = [read(name, header) for name in shards]
        if any(
            isinstance(part, Table)
            or not part.ndim
            or part.shape[1:] != parts[0].shape[1:]
            or part.dtype != parts[0].dtype
            for part in parts
        ):
            raise UnclearError("shards that differ")
        return np.concatenate(parts)
    path = shards[0] if shards else path
    if not os.path.isfile(path):
        raise RefusedError(f"no file {path}")
    return parsed(path, Path(path).read_bytes(), header)


def parsed(path: str, data: bytes, header: bool | None) -> "Table | np.ndarray":
    """What is in a file of this name."""
    try:
        data = unpacked(data)
    except Exception as error:
        raise RefusedError(f"not unpacked: {error}") from error
    path = re.sub(r"(\.gz|\.zst|\.bz2|\.xz)+$", "", path)
    if data[:6] == b"\x93NUMPY":
        try:
            with warnings.catch_warnings(action="ignore"):
                return np.load(io.BytesIO(data), allow_pickle=False)
        except Exception as error:
            raise RefusedError(f"NumPy does not read it: {error}") from error
    known = data[:4] in (b"PAR1", b"PK\x03\x04", b"\x93NUM")
    if data[:6] == b"ARROW1":
        try:
            frame = pl.read_ipc(io.BytesIO(data))
        except BaseException as error:  # noqa: BLE001 - Polars may panic
            raise RefusedError(f"Polars does not read it: {error}") from None
        rows = [[one if isinstance(one, str) else repr(one) for one in row] for row in frame.rows()]
        return Table(frame.columns, rows, tuple(one.is_numeric() for one in frame.dtypes))
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= len(data) - 8:
        return tensor(data)
    if path.endswith(".jsonl") or re.match(rb"\s*[{\[]", data.removeprefix(b"\xef\xbb\xbf")):
        if not path.endswith(".jsonl"):
            raise UnclearError("JSON by another name")
        return objects(data)
    if path.endswith((".parquet", ".npz", ".npy", ".arrow", ".safetensors", ".zip")) and not known:
        raise RefusedError("a suffix of something else")
    if data[:4] == b"PAR1":
        try:
            frame = pl.read_parquet(io.BytesIO(data))
        except BaseException as error:  # noqa: BLE001 - Polars may panic
            raise RefusedError(f"Polars does not read it: {error}") from None
        if frame.null_count().sum_horizontal().sum():
            raise UnclearError("cells without a value")
        rows = [[one if isinstance(one, str) else repr(one) for one in row] for row in frame.rows()]
        return Table(frame.columns, rows, tuple(one.is_numeric() for one in frame.dtypes))
    if data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as files:
                members = [(name, files.read(name)) for name in files.namelist()]
        except Exception as error:
            raise UnclearError(f"an archive that zipfile does not read ({type(error).__name__})") from error
        if len(members) == 1 and members[0][1][:6] != b"\x93NUMPY":
            return parsed(*members[0], header)
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                [name] = archive.files
                return archive[name]
        except Exception as error:
            raise UnclearError(f"an archive that NumPy does not read ({type(error).__name__})") from error
    try:
        text = data.decode("utf-8-sig")
    except Exception as error:
        raise RefusedError(f"no text: {error}") from error
    if "\0" in text:
        raise UnclearError("no text")
    if re.search(r"\r(?!\n)", text):
        raise UnclearError("bare carriage returns")  # which Python takes for the ends of lines
    separator = "\t" if re.search(r"\.(tsv|tab)$", path) else ","
    last = text.find(
        "\n", len(text.rstrip("\r\n \t" + separator))
    )  # of the last row; lines behind it have no cell with anything
    text = text[: last + 1] if last >= 0 else text
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        if separator not in text:  # losscli recognises another one in text with any suffix
            raise UnclearError("a table without the separator of its name") from error
        raise RefusedError(f"no table: {error}") from error
    while rows and not rows[-1]:
        rows.pop()
    if rows[1:] and {len(row) for row in rows[1:]} == {len(rows[0]) + 1}:
        raise UnclearError("rows with names, as R writes them")
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise RefusedError("rows of different lengths, or none")
    if header is None:
        header = not all(NUMBER.fullmatch(cell.strip()) for cell in rows[0])
    return Table([cell.strip() for cell in rows[0]], rows[1:]) if header else Table(None, rows)


# The reference: what the number should be, in plain loops.


@dataclass
class Asked:
    """A command line, as the reference reads it."""

    loss: Loss
    predictions: str
    targets: str
    options: dict[str, str]

    @classmethod
    def of(cls, words: list[str]) -> "Asked":
        words = list(words)
        name, predictions, targets = words[1], words[2], words[3]
        options: dict[str, str] = {}
        rest = words[4:]
        while rest:
            word = rest.pop(0)
            if word in ("--header", "--no-header", "--per-sample", "--elements"):
                options[word] = ""
            else:
                options[word] = rest.pop(0)
        return cls(LOSSES[name], predictions, targets, options)

    def get(self, name: str, default: str = "") -> str:
        return self.options.get(name, default)


@dataclass
class Numbers:
    """Columns of numbers: rows of Python floats, and their names."""

    rows: list[list[float]]
    names: list[str] | None
    flat: bool
    narrow: bool
    """Whether they are computed in float32; where they stand beside predictions, whether these may be."""


def loaded(asked: Asked, operand: str) -> tuple["Table | np.ndarray", str | None]:
    header = True if "--header" in asked.options else False if "--no-header" in asked.options else None
    path, _, column = (operand, "", "") if os.path.exists(operand) or "*" in operand else operand.rpartition(":")
    found = read(path, header)
    if column and not isinstance(found, Table) and Path(path).read_bytes()[:4] != b"PK\x03\x04":
        begin = Path(path).read_bytes()[8:1000]
        if not (begin.startswith(b"{") and f'"{column}"'.encode() in begin):
            raise RefusedError("a column of an array, which has no names")
    return found, column or None


def chosen(table: Table, column: str | None, out: str, pattern: str = "", others: tuple[str, ...] = ()) -> list[int]:
    """The columns that an operand means: one that is named, or all but that of the ids and those of others."""
    if column is not None:
        return [table.column(column)]
    if pattern and pattern != "*":
        if any(not any(fnmatchcase(name, one) for name in table.names or ()) for one in pattern.split(",")):
            raise RefusedError("no such column")
        found = [i for one in pattern.split(",") for i, name in enumerate(table.names or ()) if fnmatchcase(name, one)]
        return list(dict.fromkeys(found))
    taken = [table.column(name) for name in (out, *others) if name]
    found = [i for i in range(len(table.rows[0]) if table.rows else len(table.names or ())) if i not in taken]
    if not found:
        raise RefusedError("no column is left")
    return found


def numbers(content: "Table | np.ndarray", columns: list[int], own: bool = False) -> Numbers:
    """Columns of a file as numbers; `own` is whether they are the predictions."""
    if isinstance(content, Table):
        rows = [[number(row[i]) for i in columns] for row in content.rows]
        names = None if content.names is None else [content.names[i] for i in columns]
        return Numbers(rows, names, len(columns) == 1, False)
    if content.dtype.kind not in "fiub" or content.ndim not in (1, 2):
        kind = UnclearError if content.ndim > 2 and content.dtype.kind in "fiub" else RefusedError
        raise kind(f"{content.dtype} of {content.ndim} axes")
    narrow = np.result_type(np.float32, content.dtype) == np.float32 and not (own and content.dtype.kind != "f")
    flat = content.ndim == 1
    if not content.size or not content.ndim:
        raise RefusedError("no numbers")
    wide = content.reshape(len(content), -1).astype(np.float64)
    return Numbers(wide.tolist(), None, flat, narrow)


def ids(content: "Table | np.ndarray", asked: Asked) -> list[str]:
    if not isinstance(content, Table):
        raise RefusedError("an array has no ids")
    column = content.column(asked.get("--id"))
    found = [row[column].strip() for row in content.rows]
    if len(set(found)) < len(found) or "" in found:
        raise RefusedError("ids are doubled or empty")
    return found


def expected(words: list[str]) -> dict[str, Any]:
    """The number that a command line should give, with the losses of the rows."""
    asked = Asked.of(words)
    family = asked.loss.family
    p_file, p_column = loaded(asked, asked.predictions)
    key = asked.get("--id")
    third_operand = [asked.targets, *(asked.get(name) for name in ("--sample-weight", f"--{family.third_operand}"))]
    shared = tuple(
        one[len(asked.predictions) + 1 :]
        for one in third_operand
        if one.startswith(asked.predictions + ":") and one not in os.listdir(".")
    )
    if asked.get("--columns") not in ("", "*") and not isinstance(p_file, Table):
        raise RefusedError("--columns of an array")
    columns = chosen(p_file, p_column, key, asked.get("--columns"), shared) if isinstance(p_file, Table) else []
    try:
        p = numbers(p_file, columns, own=True)
    except RefusedError as why:
        if asked.get("--on-unmatched") == "drop":
            raise UnclearError("a cell that is no number, perhaps in a row that is left out") from why
        raise
    constant = not os.path.exists(asked.targets) and NUMBER.fullmatch(asked.targets)
    files = [] if constant else [loaded(asked, asked.targets)]
    files += [
        loaded(asked, asked.get(one))
        for one in ("--sample-weight", f"--{family.third_operand}")
        if one in asked.options
    ]
    height = len(p.rows)
    own: list[int] = list(range(height))
    for file, _ in files:
        if isinstance(file, np.ndarray) and (file.ndim not in (1, 2) or file.dtype.kind not in "fiubUS"):
            if file.ndim > 2 and file.dtype.kind in "fiub":
                raise UnclearError(f"{file.dtype} of {file.ndim} axes")
            raise RefusedError("more axes than two, or none, or another dtype")
    orders = [list(range(len(file.rows if isinstance(file, Table) else file))) for file, _ in files]
    if key:
        names = ids(p_file, asked)
        places = [{name: i for i, name in enumerate(ids(file, asked))} for file, _ in files]
        if asked.get("--on-unmatched") == "drop":
            own = [i for i, name in enumerate(names) if all(name in place for place in places)]
        elif any(set(names) != set(place) for place in places):
            raise RefusedError("ids without a partner")
        orders = [[place[names[i]] for i in own] for place in places]
    if any(len(order) != len(own) for order in orders):
        raise RefusedError("rows differ")
    written = [row[p_file.column(key)] for row in p_file.rows] if key else []
    places = {"places": own, "ids": [written[i] for i in own] if key else None, "height": height}
    p.rows = [p.rows[i] for i in own]
    if not p.rows:
        raise RefusedError("no rows")
    if family.name == "pair" and "--other" not in asked.options and len(p.rows[0]) == 1:
        p.flat = True  # distances
    check_shape(asked, p)
    named = list(p.names or ())
    places["columns"] = in_order(asked, p)
    titles = titles_of(*files[0], key) if not constant else None
    third = None
    if f"--{family.third_operand}" in asked.options:
        file, column = files[-1]
        other = numbers(file, chosen(file, column, key) if isinstance(file, Table) else [])
        third = beside([other.rows[i] for i in orders[-1]], other.names, p, titles)
        p.narrow = p.narrow and other.narrow
        if other.flat and not p.flat and family.third_operand not in ("scale", "dispersion"):
            raise UnclearError("a third operand of another shape")
        if family.third_operand in ("scale", "dispersion") and len(third[0]) == 1:  # one number for all of a row
            third = [a * len(b) for a, b in zip(third, p.rows, strict=True)]
        if any(len(a) != len(b) for a, b in zip(third, p.rows, strict=True)):
            raise RefusedError("shapes differ")
    elif family.third_operand and (family.name != "pair" or not p.flat):
        raise RefusedError(f"no --{family.third_operand}")
    weights = None
    if "--sample-weight" in asked.options:
        w_file, w_column = files[not constant]
        w = numbers(w_file, chosen(w_file, w_column, key) if isinstance(w_file, Table) else [])
        weights = [w.rows[i] for i in orders[not constant]]
        if any(len(row) != 1 for row in w.rows):
            if not family.several_outputs or p.flat or any(len(row) != len(p.rows[0]) for row in w.rows):
                raise RefusedError("several weights a row")
            breadth = 0 if constant else breadth_of(*files[0], key)
            if isinstance(w_file, Table) and len(w.rows[0]) > breadth and not set(w.names or [""]) <= set(named):
                raise RefusedError("which column holds the weights")
            weights = beside(weights, w.names, p, titles)
    if constant:
        t: Any = [[float(asked.targets)] * (1 if family.one_target else len(row)) for row in p.rows]
        return places | reduced(asked, p, targets_of_numbers(asked, p, t), weights, third)
    file, column = files[0]
    columns = chosen(file, column, key) if isinstance(file, Table) else []
    lifted = targets_of(asked, p, file, columns, orders[0])
    return places | reduced(asked, p, lifted, weights, third)


def check_shape(asked: Asked, p: Numbers) -> None:
    """Refuse predictions of a shape that the family does not take."""
    family = asked.loss.family
    width = len(p.rows[0]) if p.rows else 0
    if family.rows is not None and p.flat:
        raise RefusedError("no rows of several numbers")
    if family.width not in (None, width) or width % family.parts:
        raise RefusedError("another number of columns")


@dataclass
class Rows:
    """What the rows are to the loss: targets of each output (None: the row is ignored), the classes' own shares, and k."""

    t: list[list[float] | None]
    hard: list[list[float] | None]
    """Targets before smoothing: shares of the classes, or outcomes."""
    k: int
    several: bool


def targets_of_numbers(asked: Asked, p: Numbers, t: list[list[float]]) -> Rows:
    ignore = asked.options.get("--ignore-index")
    kept: list[list[float] | None] = list(t)
    if ignore is not None:
        if len(t[0]) > 1:
            raise RefusedError("--ignore-index of rows")
        value = float(ignore)
        kept = [None if row[0] == value or (value != value and row[0] != row[0]) else row for row in t]
    if any(row is not None and any(map(math.isnan, row)) for row in kept):
        raise RefusedError("a NaN target")
    return Rows(kept, kept, 1, not p.flat and asked.loss.family.several_outputs)


def targets_of(asked: Asked, p: Numbers, file: "Table | np.ndarray", columns: list[int], order: list[int]) -> Rows:
    family = asked.loss.family
    if family.thresholds and isinstance(file, np.ndarray) and file.dtype.kind in "US":
        raise UnclearError("labels of ordered classes in an array of text")
    if family.target_type == "numbers":
        t = numbers(file, columns)
        rows = [t.rows[i] for i in order]
        if (1 if family.one_target else len(p.rows[0])) != len(rows[0]):
            raise RefusedError("shapes differ")
        if p.names and t.names and len(rows[0]) > 1:
            rows = by_name(rows, t.names, p.names, positions=True)
        flat = p.flat or (t.flat and len(rows[0]) == 1)
        p.narrow = p.narrow and t.narrow
        return targets_of_numbers(asked, Numbers(p.rows, p.names, flat, p.narrow), rows)
    width = 1 if family.one_target else len(p.rows[0]) // family.parts
    text = file.is_text(columns[0]) if isinstance(file, Table) else file.dtype.kind in "US"
    classes = names_of_classes(asked, p)
    base = int(asked.get("--label-base", "0"))
    ignore = asked.options.get("--ignore-index")
    wide = (len(columns) if isinstance(file, Table) else file.shape[1] if file.ndim == 2 else 1) > 1
    lying = isinstance(file, Table) or file.ndim == 1
    one_hot = family.target_type == "classes" or (
        family.target_type == "outcomes" and lying and not p.flat and width > 1
    )
    if family.coupled == "rows" and family.target_type == "classes":
        return groups(file, columns, order, ignore, text)
    if not wide and one_hot:
        k = centers(asked)[1] if family.takes_centers else width
        p.narrow = p.narrow and (not family.takes_centers or centers(asked)[3])
        if family.target_type == "classes" and not family.takes_centers and (p.flat or width < 2):
            raise RefusedError("one column")
        index = labels(file, columns, order, classes, k, ignore, base, text)
        shares = [None if i is None else [float(i == j) for j in range(k)] for i in index]
        return smoothed(asked, shares, k, family.target_type != "classes" and family.several_outputs)
    if (p.flat or width == 1) and not wide and text and "--classes" in asked.options:
        index = labels(file, columns, order, classes, 2, ignore, base, text)
        outcomes: list[list[float] | None] = [None if i is None else [float(i)] for i in index]
        signs = [None if row is None else [2 * row[0] - 1] for row in outcomes]
        return Rows(signs, outcomes, 2, False) if family.target_type == "signs" else smoothed(asked, outcomes, 2, False)
    t = numbers(file, columns)
    rows = [t.rows[i] for i in order]
    if family.target_type == "classes":
        if len(rows[0]) != width:
            raise RefusedError("classes differ")
        if base or ignore is not None:
            raise RefusedError("no labels")
        if family.hard and any(one not in (0, 1) for row in rows for one in row):
            raise RefusedError("soft targets")
        rows = by_name(rows, t.names, classes)
        if any(not all(-0.0 <= one <= 1.001 for one in row) or not abs(sum(row) - 1) <= 1.0002e-3 for row in rows):
            raise RefusedError("no probabilities")
        if any(abs(abs(sum(row) - 1) - 1e-3) < 1e-6 for row in rows):
            raise UnclearError("at the tolerance")
        return smoothed(asked, rows, width, False)
    if base:
        raise RefusedError("--label-base")
    if len(rows[0]) != width or (family.coupled == "file" and p.flat != t.flat):
        raise RefusedError("shapes differ")
    if width > 1 and p.flat != t.flat:
        raise RefusedError("shapes differ")
    several = width > 1 or (not p.flat and not t.flat and family.several_outputs and not family.takes_class_weight)
    if several:
        rows = by_name(rows, t.names, p.names if classes is None else classes)
        if ignore is not None:
            raise RefusedError("--ignore-index of rows")
    value = None if ignore is None else float(ignore)
    there = [row for row in rows if value is None or not (row[0] == value or (value != value and row[0] != row[0]))]
    flat = [one for row in there for one in row]
    signed = any(one == -1 for one in flat)
    allowed = (lambda one: one in (-1, 1)) if signed else (lambda one: one in (0, 1))
    if family.target_type == "outcomes" and not signed:
        allowed = lambda one: 0 <= one <= 1  # noqa: E731
    if not all(allowed(one) for one in flat):
        raise RefusedError("no labels of two")
    kept = {id(row) for row in there}
    outcomes = [[float(one > 0) if signed else one for one in row] if id(row) in kept else None for row in rows]
    if family.target_type == "signs":
        signs = [None if row is None else [1.0 if one > 0 else -1.0 for one in row] for row in outcomes]
        return Rows(signs, outcomes, 2 if not several else width, several)
    return smoothed(asked, outcomes, width if several else 2, several)


def names_of_classes(asked: Asked, p: Numbers) -> list[str] | None:
    family = asked.loss.family
    if family.parts > 1:
        return None
    given = given_classes(asked)
    if p.names is not None and not p.flat and not family.takes_centers:
        return p.names  # in the order of --classes, if there is one
    if given is None:
        return centers(asked)[2] if family.takes_centers else p.names
    width = centers(asked)[1] if family.takes_centers else len(p.rows[0])
    if len(given) != max(width, 2):
        raise RefusedError("--classes of another length")
    return given


def in_order(asked: Asked, p: Numbers) -> list[int]:
    """Bring the columns of predictions into the order of --classes; which columns of the file they are."""
    names, width = given_classes(asked), len(p.rows[0])
    if names is None or p.flat or asked.loss.family.takes_centers:
        return list(range(width))
    if len(names) != max(width, 2):
        raise RefusedError("--classes of another length")
    if p.names is None:
        return list(range(width))
    for trimmed in left_out(p.names):
        if set(trimmed) == set(names):
            order = [trimmed.index(name) for name in names]
            p.rows, p.names = [[row[i] for i in order] for row in p.rows], [p.names[i] for i in order]
            return order
        if set(trimmed) & set(names):
            raise RefusedError("some names of --classes only")
    p.names = names
    return list(range(width))


def given_classes(asked: Asked) -> list[str] | None:
    """The names of --classes."""
    given = asked.options.get("--classes")
    if given is None:
        return None
    try:
        lines = Path(given).read_text("utf-8-sig").rstrip().splitlines() if os.path.isfile(given) else [given]
        rows = [next(csv.reader([line], strict=True, skipinitialspace=True), []) for line in lines]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RefusedError(f"--classes: {error}") from error
    names = rows[0] if len(rows) == 1 else [row[0] if len(row) == 1 else "" for row in rows]
    names = [name.strip() for name in names]
    if not all(names) or len(set(names)) < len(names):
        raise RefusedError("--classes: a name is empty or doubled")
    return names


def left_out(names: list[str]) -> list[list[str]]:
    """Names without a beginning and an end that all of them share, from the least that is left out to the most."""
    if all(NUMBER.fullmatch(name) for name in names):
        return [names]
    ways = {(0, 0)}
    shortest = min(map(len, names))
    for start in range(shortest):
        for end in range(shortest - start):
            begins = {name[:start].lower() for name in names}
            ends = {name[len(name) - end :].lower() for name in names}
            at_start = start == 0 or names[0][start - 1] in "_.=: -[({</"
            at_end = end == 0 or names[0][-end] in "_.=: -])}>/?"
            if len(begins) == len(ends) == 1 and at_start and at_end:
                ways.add((start, end))
    ordered = sorted(ways, key=lambda way: (sum(way), way[1]))
    return [[name[start : len(name) - end] for name in names] for start, end in ordered]


def labels(
    file: Any,
    columns: list[int],
    order: list[int],
    classes: list[str] | None,
    k: int,
    ignore: str | None,
    base: int,
    text: bool,
) -> list[int | None]:
    if isinstance(file, Table):
        cells: list[Any] = [file.rows[i][columns[0]] for i in order]
        cells = cells if text else [float(cell) for cell in cells]
    else:
        try:
            cells = file.reshape(-1)[order].tolist()
        except SystemError as error:  # of Python, which makes no such text
            raise RefusedError(f"letters that no text has: {error}") from error
        cells = [one.decode("utf-8", "backslashreplace") if isinstance(one, bytes) else one for one in cells]
    if not text:
        cells = [float(one) if isinstance(one, np.longdouble) else one for one in cells]
        if not all(isinstance(one, int | float) for one in cells):
            raise RefusedError("no real numbers")
        if ignore is not None and not NUMBER.fullmatch(ignore):
            raise RefusedError("--ignore-index is no number")
        value = None if ignore is None else float(ignore)
        called = [[index(name) for name in names] for names in left_out(classes)] if classes and not base else []
        if any(None not in names and len(set(names)) == k and names != list(range(k)) for names in called):
            raise UnclearError("numbers that may be names")
        found: list[int | None] = []
        for one in cells:
            if value is not None and (float(one) == value or (value != value and one != one)):
                found.append(None)
            elif not (math.isfinite(one) and one == math.floor(one) and base <= one < k + base):
                raise RefusedError("a label")
            else:
                found.append(int(one) - base)
        return found

    cells = [cell.strip() for cell in cells]
    ignore = None if ignore is None else ignore.strip()
    there = [cell for cell in cells if ignore is None or not same(cell, ignore)]
    if any(cell == "" for cell in there):
        raise RefusedError("an empty label")
    places: dict[str, int] = {}
    if classes:
        if base:
            raise RefusedError("names have no base")
        for names in left_out(classes):
            trimmed = {name: i for i, name in enumerate(names)}
            if all(cell in trimmed for cell in there):
                if len(trimmed) < len(classes):
                    raise RefusedError("two classes of one name")
                places = trimmed
                break
        else:
            places = without_case(classes, there)
    else:
        for cell in there:
            one = index(cell)
            if one is None or not base <= one < k + base:
                raise RefusedError("no index")
            places[cell] = one - base
    return [None if ignore is not None and same(cell, ignore) else places[cell] for cell in cells]


def without_case(classes: list[str], labels: list[str]) -> dict[str, int]:
    """The classes of labels that are names but for capital letters, as long as no two are equal without these."""
    for names in left_out(classes):
        folded = [name.lower() for name in names]
        once = len(set(folded)) == len(folded) and len({label.lower() for label in labels}) == len(set(labels))
        if once and all(label.lower() in folded for label in labels):
            return {label: folded.index(label.lower()) for label in labels}
    raise RefusedError("no class")


def groups(file: Any, columns: list[int], order: list[int], ignore: str | None, text: bool) -> Rows:
    """Labels that say which rows belong together."""
    if len(columns) > 1 or (not isinstance(file, Table) and file.size != len(file)):
        raise RefusedError("several labels per row")
    if not text:
        cells = numbers(file, columns).rows
        left_out = None if ignore is None else float(ignore)
        found = [None if row[0] == left_out or (left_out != left_out and row[0] != row[0]) else row for row in cells]
        if any(row is not None and not row[0].is_integer() for row in found):
            raise RefusedError("a label")
        rows: list[list[float] | None] = [found[i] for i in order]
        return Rows(rows, rows, 1, False)
    cells = [row[columns[0]] for row in file.rows] if isinstance(file, Table) else file.reshape(-1).tolist()
    names = [one.decode("utf-8", "backslashreplace") if isinstance(one, bytes) else one for one in cells]
    names = [name.strip() for name in names]
    there = [None if ignore is not None and same(name, ignore.strip()) else name for name in names]
    if "" in there:
        raise RefusedError("an empty label")
    codes = {name: float(i) for i, name in enumerate(dict.fromkeys(there))}
    rows = [None if there[i] is None else [codes[there[i]]] for i in order]
    return Rows(rows, rows, 1, False)


def same(cell: str, label: str) -> bool:
    return cell == label or (index(cell) is not None and index(cell) == index(label))


def index(cell: str) -> int | None:
    if re.fullmatch(r"[+-]?\d(\.\d+)?[eE][+-]\d\d", cell.strip(), re.ASCII) and float(cell).is_integer():
        return int(float(cell)) if abs(float(cell)) < 1e16 else None
    return int(float(cell)) if re.fullmatch(r"\s*[+-]?(0|[1-9][0-9]{0,15})(\.0*)?\s*", cell) else None


def by_name(
    rows: list[list[float]], theirs: list[str] | None, ours: list[str] | None, positions: bool = False
) -> list[list[float]]:
    if not theirs or not ours or len(theirs) < 2:
        return rows
    for fold in (str, str.lower):
        for left in left_out(list(map(fold, ours))):
            for right in left_out(list(map(fold, theirs))):
                if sorted(left) == sorted(right) and len(set(left)) == len(left):
                    return [[row[right.index(name)] for name in left] for row in rows]
    if positions and not set(ours) & set(theirs):
        return rows
    raise RefusedError("names differ")


def breadth_of(file: "Table | np.ndarray", column: str | None, key: str) -> int:
    """How many columns the targets may have, at most."""
    if not isinstance(file, Table):
        return int(file.shape[1]) if file.ndim == 2 else 0
    return 0 if column is not None else len(file.names or file.rows[0])


def titles_of(file: "Table | np.ndarray", column: str | None, key: str) -> list[str] | None:
    """The names of the targets' columns, if these are several."""
    if not isinstance(file, Table) or file.names is None:
        return None
    columns = chosen(file, column, key)
    return [file.names[i] for i in columns] if len(columns) > 1 else None


def beside(
    rows: list[list[float]], theirs: list[str] | None, p: Numbers, of_targets: list[str] | None
) -> list[list[float]]:
    """Rows of what stands beside the predictions, its columns in the order of theirs.

    They meet by the names of the predictions or else of the targets, or by position where both of these are in one order.
    """
    if len(rows[0]) < 2:
        return rows
    turned = not alike(p.names, of_targets)
    if not theirs:
        if turned:
            raise RefusedError("no names, and two orders")
        return rows
    if p.names is not None and by_chance(rows, theirs, p.names) is not None:
        return by_name(rows, theirs, p.names)
    if of_targets is not None and by_chance(rows, theirs, of_targets) is not None:
        if turned:
            raise UnclearError("the names of targets in another order")
        return by_name(rows, theirs, of_targets)
    found = by_name(rows, theirs, p.names, positions=True)
    if turned:
        raise RefusedError("other names, and two orders")
    return found


def alike(ours: list[str] | None, theirs: list[str] | None) -> bool:
    """Whether columns of two files are in one order, or have no names in common."""
    if not ours or not theirs or len(ours) != len(theirs):
        return True
    numbered = [[float(i) for i in range(len(theirs))]]
    return by_chance(numbered, theirs, ours) in (None, numbered)


def by_chance(rows: list[list[float]], theirs: list[str], ours: list[str]) -> list[list[float]] | None:
    """As `by_name`, and None if the names differ."""
    try:
        return by_name(rows, theirs, ours)
    except RefusedError:
        return None


def smoothed(asked: Asked, shares: list[list[float] | None], k: int, several: bool) -> Rows:
    amount = float(asked.get("--label-smoothing", "0"))
    mode = asked.get("--smoothing-mode") or asked.loss.family.smoothing or "uniform"
    outputs = max(k, 2)
    scale, shift = {
        "uniform": (1 - amount, amount / outputs),
        "half": (1 - amount, amount / 2),
        "others": (1 - amount - amount / (outputs - 1), amount / (outputs - 1)),
    }[mode]
    made = [None if row is None else [scale * one + shift for one in row] if amount else row for row in shares]
    return Rows(made, shares, k, several)


def centers(asked: Asked) -> tuple[list[list[float]], int, list[str] | None, bool]:
    content = read(asked.get("--centers"), None)
    if isinstance(content, Table):
        raise UnclearError("centers in a table")
    table = numbers(content, [])
    if any(not math.isfinite(one) for row in table.rows for one in row) or table.flat:
        raise RefusedError("centers")
    return table.rows, len(table.rows), None, table.narrow


def value_of(
    asked: Asked,
    parameters: dict[str, float | None],
    x: list[Any],
    t: list[float],
    third: list[float] | None,
    names: list[str] | None,
    width: int,
) -> list[Any]:
    """The losses of a row's outputs, or of the row, in mpf."""
    loss, family, given = asked.loss, asked.loss.family, asked.get("--from", "logits")
    exact, marks = [mpf(one) for one in x], [mpf(one) for one in t]
    if family.name in ROWS:
        variables = ROWS[family.name](exact, marks, None if third is None else [mpf(one) for one in third], parameters)
        if any(isinstance(one, mpf) and mp.isnan(one) for one in variables.values()):
            return [mp.nan]
        return [truth(loss, parameters, variables)]
    if family.name in ("class-masks", "class-overlap"):
        return [
            truth(
                loss,
                parameters,
                of_classes(
                    table_of(exact, width), table_of(marks, width), given, parameters, asked.get("--activation")
                ),
            )
        ]
    if family.takes_levels:
        levels = [mpf(float(one)) for one in asked.get("--levels").split(",")]
        if len(levels) != width or len(set(levels)) < width or not all(0 <= one <= 1 for one in levels):
            raise RefusedError("levels")
        x_rows = table_of(exact, width) if family.coupled == "file" else exact
        target = marks if family.coupled == "file" else marks[0]
        return [truth(loss, parameters, {"x": x_rows, "t": target, "levels": levels, "K": width})]
    if family.name == "two-views":
        a, b = table_of(exact, width), table_of(marks, width)
        if loss.name == "barlow-twins" and any(
            len(set(column)) == 1 for side in (a, b) for column in zip(*side, strict=True)
        ):
            raise UnclearError("a column that does not vary")
        if len(a) < 2:
            raise NothingError("a variance of one row")
        return [truth(loss, parameters, {"a": a, "b": b})]
    if family.name == "label-matrix":
        return [truth(loss, parameters, of_labels(table_of(exact, width), table_of(marks, width), parameters))]
    if family.coupled == "masks":
        chances = [{"probs": a, "log-probs": NAMES["exp"](a)}.get(given) for a in exact]
        p = [sigmoid_variables(a, mpf(0))["p"] if b is None else b for a, b in zip(exact, chances, strict=True)]
        both = list(zip(p, marks, strict=True))
        sums = {
            "I": sum(a * b for a, b in both),
            "FP": sum(a * (1 - b) for a, b in both),
            "FN": sum((1 - a) * b for a, b in both),
        }
        variables = {
            "overlap": {"p": p, "t": marks, "n": len(p), **sums},
            "mask-margins": {"z": exact, "t": marks},
            "series": {"y": exact, "t": marks},
            "series-order": {"y": exact, "t": marks},
            "scaled-series": {"y": exact, "t": marks, "s": [mpf(one) for one in third or []]},
        }[family.name]
        return [truth(loss, parameters, variables)]
    if family.name in BESIDE:
        rows = zip(exact, marks, third or [], strict=True)
        name = BESIDE[family.name]
        return [evaluate(loss, loss.formula, {"y": a, "t": b, name: mpf(v)}, parameters) for a, b, v in rows]
    if family.name == "feedback":
        rows = zip(exact, marks, third or [], strict=True)
        return [evaluate(loss, loss.formula, {"h": a - mpf(r), "t": b}, parameters) for a, b, r in rows]
    if family.name == "adversarial":
        rows = zip(exact, marks, strict=True)
        return [evaluate(loss, loss.formula, {"s": a, "t": b}, parameters) for a, b in rows]
    if family.name == "residual":
        return [evaluate(loss, loss.formula, {"r": a - b}, parameters) for a, b in zip(exact, marks, strict=True)]
    if family.name in ("relative", "distribution"):
        return [evaluate(loss, loss.formula, {"y": a, "t": b}, parameters) for a, b in zip(exact, marks, strict=True)]
    if family.name == "margin":
        return [evaluate(loss, loss.formula, {"m": a * b}, parameters) for a, b in zip(exact, marks, strict=True)]
    if family.name == "proxy":
        proxies = [[mpf(one) for one in row] for row in centers(asked)[0]]
        if len(proxies[0]) != len(x):
            raise RefusedError("centers of another dimension")
        d, y = [2 * apart(exact, one) for one in proxies], t.index(1.0)
        if any(map(mp.isnan, d)):
            return [mp.nan]
        return [truth(loss, parameters, {"d": d, "y": y, "others": [k for k in range(len(d)) if k != y]})]
    if family.name == "embedding":
        rows = centers(asked)[0]
        center = rows[t.index(1.0)]
        if len(center) != len(x):
            raise RefusedError("centers of another dimension")
        return [
            sum(evaluate(loss, loss.formula, {"d": a - mpf(c)}, parameters) for a, c in zip(exact, center, strict=True))
        ]
    if family.name == "sigmoid":
        given_weight = asked.get("--pos-weight", "1")
        named = dict(pair.rsplit("=", 1) for pair in given_weight.split(",")) if "=" in given_weight else None
        found = []
        for i, (a, b) in enumerate(zip(exact, marks, strict=True)):
            positive = float(given_weight) if named is None else float(named.get((names or [""])[i], "1"))
            if given == "logits":
                variables = sigmoid_variables(a, b)
            else:
                chance = a if given == "probs" else NAMES["exp"](a)
                variables = {"z": log(chance) - log(1 - chance), "t": b, "p": chance, "q": 1 - chance}
            one, other = (evaluate(loss, loss.formula, variables | {"t": mpf(end)}, parameters) for end in (1, 0))
            if positive != 1 and (b not in (0, 1) or loss.name == "generalized-focal"):
                raise UnclearError("a positive weight of soft targets")
            if positive == 1:
                found.append(evaluate(loss, loss.formula, variables, parameters))
            else:
                found.append((positive * b * one if b else 0) + ((1 - b) * other if b != 1 else 0))
        return found
    l = {"logits": log_softmax, "probs": lambda row: [log(p) for p in row], "log-probs": list}[given](exact)
    p = exact if given == "probs" else [NAMES["exp"](one) for one in l]
    if loss.whole or family.name == "ordinal":
        return [evaluate(loss, loss.formula, {"l": Row(l), "p": Row(p), "t": Row(marks), "z": Row(exact)}, parameters)]
    terms = [{"l": a, "p": b, "t": c} for a, b, c in zip(l, p, marks, strict=True) if not (loss.sparse and c == 0)]
    return [sum((evaluate(loss, loss.formula, term, parameters) for term in terms), mpf(0))]


def evaluate(loss: Loss, formula: str, variables: dict[str, Any], parameters: dict[str, float | None]) -> Any:
    """The oracle's, but that NaN is the largest and the smallest of what it is among."""

    def extreme(pick: Any) -> Any:
        def of(*numbers: Any) -> Any:
            numbers = numbers[0] if len(numbers) == 1 else numbers
            numbers = list(numbers)
            return next((one for one in numbers if mp.isnan(one)), None) or pick(numbers)

        return of

    return oracle.evaluate(loss, formula, variables | {"max": extreme(max), "min": extreme(min)}, parameters)


def truth(loss: Loss, parameters: dict[str, float | None], variables: dict[str, Any]) -> Any:
    """The formula at some variables, or what stands for it where there is none."""
    if loss.formula:
        return evaluate(loss, loss.formula, variables, parameters)
    given = variables | {name: None if one is None else mpf(one) for name, one in parameters.items()}
    function = REFERENCES[loss.name]
    if any(
        isinstance(one, mpf) and not mp.isfinite(one)
        for side in variables.values()
        if isinstance(side, list)
        for one in side
    ):
        raise UnclearError("a limit at infinity")
    return function(**{name: given[name] for name in inspect.signature(function).parameters})


class Vector(list[Any]):
    """Features, which can be subtracted."""

    def __sub__(self, other: list[Any]) -> "Vector":
        return Vector(a - b for a, b in zip(self, other, strict=True))


def apart(a: list[Any], b: list[Any]) -> Any:
    """One minus the cosine of two vectors."""
    if not any(a) or not any(b):
        return mp.nan
    return 1 - mp.fdot(a, b) / mp.sqrt(mp.fdot(a, a) * mp.fdot(b, b))


def size(a: list[Any]) -> Any:
    return mp.sqrt(mp.fdot(a, a))


def of_scores(x: list[Any], t: list[Any], third: Any, parameters: Any) -> dict[str, Any]:
    y = t.index(1)
    return {"z": x, "y": y, "others": [i for i in range(len(x)) if i != y], "K": len(x)}


def of_views(x: list[Any], t: list[Any], third: Any, parameters: Any) -> dict[str, Any]:
    k = len(x) // 3
    l = [log_softmax(x[i * k : (i + 1) * k]) for i in range(3)]
    p = [[NAMES["exp"](one) for one in view] for view in l]
    means = [sum(view[i] for view in p) / 3 for i in range(k)]
    return {"l": l, "p": p, "t": t, "m": means, "classes": list(range(k)), "views": [0, 1, 2]}


def of_triplet(x: list[Any], t: list[Any], third: Any, parameters: Any) -> dict[str, Any]:
    def norm(gap: Vector) -> Any:
        p, epsilon = mpf(parameters["p"]), mpf(parameters["epsilon"])
        return sum(abs(one + epsilon) ** p for one in gap) ** (1 / p)

    return {"a": Vector(x), "b": Vector(t), "n": Vector(third), "norm": norm}


def place(x: list[Any], item: int) -> int:
    """The place of an item by falling numbers; of equal ones the first comes first."""
    return sum(one > x[item] or (one == x[item] and i <= item) for i, one in enumerate(x))


def of_responses(x: list[Any], t: list[Any], third: Any, parameters: Any) -> dict[str, Any]:
    ratio = [one - other for one, other in zip(x, third, strict=True)]
    return {"h": t[0] * (ratio[0] - ratio[1])}


def of_odds(x: list[Any], t: list[Any], third: Any, parameters: Any) -> dict[str, Any]:
    w, l = x if t[0] > 0 else reversed(x)
    return {"w": w, "l": l}


def of_boxes(a: list[Any], b: list[Any], third: Any, parameters: Any) -> dict[str, Any]:
    if not all(map(mp.isfinite, [*a, *b])):
        raise UnclearError("a limit at infinity")
    if any(box[i] > box[i + 2] for box in (a, b) for i in (0, 1)):
        raise UnclearError("a box whose corners are in the wrong order")
    if any(box[0] == box[2] and box[1] == box[3] for box in (a, b)):
        raise UnclearError("a box without a shape")
    width, height = (max(mpf(0), min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in (0, 1))
    around = [max(a[i + 2], b[i + 2]) - min(a[i], b[i]) for i in (0, 1)]
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return {"a": a, "b": b, "I": width * height, "U": sum(areas) - width * height, "C": around[0] * around[1]}


def table_of(row: list[Any], width: int) -> list[list[Any]]:
    return [row[i : i + width] for i in range(0, len(row), width)]


def of_classes(
    rows: list[list[Any]],
    t: list[list[Any]],
    prediction_kind: str,
    parameters: dict[str, float | None],
    activation: str,
) -> dict[str, Any]:
    """Of rows of one prediction a class, all of which have one loss."""
    exponent = mpf(parameters.get("power") or 0)
    if prediction_kind == "logits" and activation == "sigmoid":
        rows = [[sigmoid_variables(one, mpf(0))["p"] for one in row] for row in rows]
        prediction_kind = "probs"
    if prediction_kind == "logits":
        rows = [log_softmax(row) for row in rows]
    p = rows if prediction_kind == "probs" else [[NAMES["exp"](one) for one in row] for row in rows]
    sizes = [sum(row[c] for row in t) for c in range(len(t[0]))]
    if not any(sizes):
        raise UnclearError("no class at all")
    return {
        "p": p,
        "t": t,
        "classes": range(len(t[0])),
        "w": lambda c: 1 / (sizes[c] or min(one for one in sizes if one)) ** exponent,
        "I": lambda c: sum(a[c] * b[c] for a, b in zip(p, t, strict=True)),
        "P": lambda c: sum(row[c] for row in p),
        "T": lambda c: sizes[c],
        "P2": lambda c: sum(row[c] ** 2 for row in p),
        "T2": lambda c: sum(row[c] ** 2 for row in t),
    }


def of_labels(z: list[list[Any]], t: list[list[Any]], parameters: dict[str, float | None]) -> dict[str, Any]:
    """Of rows of one logit a label, all of which have one loss."""
    given = {name: mpf(value) for name, value in parameters.items() if value is not None}
    rows, labels = range(len(t)), range(len(t[0]))
    n = [sum(row[c] for row in t) for c in labels]
    if any(one not in (0, 1) for row in t for one in row):
        raise UnclearError("labels between 0 and 1")
    if "map_alpha" in given and any(not 0 < one < len(t) for one in n):
        raise NothingError("a label of one kind")

    def weight(i: int, c: int) -> Any:
        if not any(t[i]):
            return given["map_alpha"] + 1
        rarity = 1 / n[c] / sum(t[i][j] / n[j] for j in labels)
        return given["map_alpha"] + 1 / (1 + mp.exp(-given["map_beta"] * (rarity - given["map_mu"])))

    return {
        "z": z,
        "t": t,
        "rows": rows,
        "labels": labels,
        "w": weight,
        "h": lambda i, c: z[i][c] - given["init_bias"] / given["neg_scale"] * mp.log(len(t) / n[c] - 1),
        "g": lambda x: mp.log(1 + mp.exp(x)) / (1 + mp.exp(-x)) ** given["focal_gamma"],
    }


def among(
    asked: Asked, i: int, x: list[Any], rows: list[list[float]], targets: list[list[float] | None]
) -> dict[str, Any]:
    """Of a row among all others: those of its label, or the targets' rows."""
    kept = [j for j, t in enumerate(targets) if t is not None]
    if len(kept) > MOST_ROWS:
        raise UnclearError("too many rows that meet each other")
    family = asked.loss.family
    if family.name in ("paired", "mutual"):
        s = [1 - apart(x, [mpf(one) for one in t]) for t in targets if t is not None]
        own = [mpf(one) for one in targets[i] or ()]
        c = [s[i] if j == i else 1 - apart(list(map(mpf, row)), own) for j, row in enumerate(rows)]
        if family.name == "mutual" and any(map(mp.isnan, c)):
            s = [mp.nan]
        return {"s": s, "c": c, "y": i, "negatives": [j for j in kept if j != i]}
    alike = [j for j in kept if j != i and targets[j] == targets[i]]
    apart_from = [j for j in kept if targets[j] != targets[i]]
    found: dict[str, Any] = {"positives": alike, "negatives": apart_from}
    if family.name == "batch":
        s = [
            mpf(j == i) if j == i or j not in kept else 1 - apart(x, list(map(mpf, row))) for j, row in enumerate(rows)
        ]
        return found | {"s": s}
    if not apart_from:
        raise NothingError("one label")
    if any(math.isnan(one) for j in kept for one in rows[j]) or any(map(mp.isnan, x)):
        return found | {"s": [mp.nan]}
    if family.name == "every-triplet":
        labels = tuple(None if t is None else t[0] for t in targets)
        anchors, triplets = number_of_triplets(tuple(map(tuple, rows)), labels, float(asked.get("--margin", "1")))
        found |= {"anchors": anchors, "triplets": triplets}
    return found | {"s": [], "D": [size(Vector(x) - list(map(mpf, other))) for other in rows]}


@functools.cache
def number_of_triplets(
    rows: tuple[tuple[float, ...], ...], labels: tuple[float | None, ...], margin: float
) -> tuple[int, int]:
    """The rows of a file that have a positive, and the triplets that are not far enough apart."""
    kept, anchors, triplets = [i for i, label in enumerate(labels) if label is not None], 0, 0
    far = [[math.dist(one, other) for other in rows] for one in rows]
    for i in kept:
        alike = [j for j in kept if j != i and labels[j] == labels[i]]
        gaps = [far[i][j] + margin - far[i][k] for j in alike for k in kept if labels[k] != labels[i]]
        if any(not math.isfinite(gap) or abs(gap) < 1e-9 * (1 + max(far[i])) for gap in gaps):
            raise UnclearError("a triplet of loss 0, or next to it")
        anchors += bool(alike)
        triplets += sum(gap > 0 for gap in gaps)
    return anchors, triplets


def has_positive(i: int, targets: list[list[float] | None]) -> bool:
    """Whether another row has a row's label."""
    return any(j != i and t is not None and t == targets[i] for j, t in enumerate(targets))


def of_thresholds(x: Numbers, t: Numbers, third: Any, parameters: Any) -> dict[str, Any]:
    """Classes are drawn without a look at the number of thresholds, and those above the last are refused."""
    if t[0] > len(x):
        raise UnclearError("a class above the last threshold")
    return {"z": x, "y": t[0], "thresholds": range(len(x))}


ROWS = {
    "views": of_views,
    "scores": of_scores,
    "angular": lambda x, t, third, parameters: {
        "c": x,
        "y": t.index(1),
        "others": [i for i in range(len(x)) if t[i] != 1],
    },
    "ranking": lambda x, t, third, parameters: {"z": x, "t": t, "items": range(len(x)), "K": len(x), "place": place},
    "pairs": lambda x, t, third, parameters: {"d": t[0] * (x[0] - x[1])},
    "preference": of_responses,
    "odds": of_odds,
    "cosine": lambda x, t, third, parameters: {"d": apart(x, t)},
    "cosine-pair": lambda x, t, third, parameters: {"d": apart(x, third), "t": t[0]},
    "pair": lambda x, t, third, parameters: {"D": x[0] if third is None else size(Vector(x) - third), "t": t[0]},
    "triplet": of_triplet,
    "thresholds": of_thresholds,
    "ensemble": lambda x, t, third, parameters: {"x": x, "t": t[0], "M": len(x)},
    "vector-ensemble": lambda x, t, third, parameters: {"x": [[one] for one in x], "t": t[:1], "M": len(x)},
    "interval": lambda x, t, third, parameters: {"x": x, "t": t[0]},
    "box": of_boxes,
}
"""The variables of the losses of a row's numbers, by family."""
BESIDE = {"gaussian": "v", "scaled": "s", "counts": "a"}
"""Families of losses of a prediction, a target and a third operand, and what formulas call that."""


def as_masks(asked: Asked, p: Numbers, rows: Rows) -> tuple[list[list[float]], list[list[float] | None], int]:
    """Rows whose losses are asked for: masks that are columns, or the file; and how many rows are left out of them."""
    if asked.loss.family.coupled not in ("masks", "file"):
        return p.rows, rows.t, 0
    flat = p.flat or len(p.rows[0]) == 1
    per = asked.get("--per", "file" if flat else "row") if asked.loss.family.coupled == "masks" else "file"
    if flat and per != "file":
        raise RefusedError("--per of one number per row")
    if per == "row":
        return p.rows, rows.t, 0
    if "--sample-weight" in asked.options:
        raise RefusedError("weights of rows")
    kept = [(x, t) for x, t in zip(p.rows, rows.t, strict=True) if t is not None]
    if not kept:
        raise NothingError("nothing is left")
    if per == "file":
        masks = [[[one for row in side for one in row]] for side in zip(*kept, strict=True)]
    else:
        masks = [[list(column) for column in zip(*side, strict=True)] for side in zip(*kept, strict=True)]
    return masks[0], list(masks[1]), len(p.rows) - len(kept)


def check_activation(asked: Asked, p: Numbers, rows: Rows) -> None:
    """Logits of several classes, of which each row has one, need a word; probabilities take none."""
    if not asked.loss.family.takes_activation:
        return
    said, given = asked.get("--activation"), asked.get("--from", "logits")
    if given != "logits" and said:
        raise RefusedError("nothing to activate")
    sums = [math.fsum(t) for t in rows.t if t is not None]
    open_to_both = given == "logits" and not said and asked.loss.family.coupled == "masks"
    several = not p.flat and len(p.rows[0]) > 1
    if open_to_both and several and all(abs(total - 1) <= 1.0002e-3 for total in sums):
        raise RefusedError("sigmoid or softmax")


def reduced(
    asked: Asked, p: Numbers, rows: Rows, weights: list[list[float]] | None, third: list[list[float]] | None
) -> dict[str, Any]:
    """The value with all that belongs to it."""
    loss, family = asked.loss, asked.loss.family
    parameters: dict[str, float | None] = {}
    for name, parameter in loss.parameters.items():
        text = asked.options.get(f"--{name.replace('_', '-')}")
        parameters[name] = parameter.default if text is None else float(text)
    domains = loss.domains(loss.bind(**parameters).parameters)
    check_chances(asked, p, rows)
    by_class = class_weights(asked, rows, p)
    kept, losses, each, elements = [], [], [], []
    check_activation(asked, p, rows)
    predictions, targets, left_out = as_masks(asked, p, rows)
    if third is not None and predictions is not p.rows:  # masks of several rows
        whole = [other for other, t in zip(third, rows.t, strict=True) if t is not None]
        by_column = len(predictions) == len(p.rows[0]) > 1
        third = (
            [list(column) for column in zip(*whole, strict=True)] if by_column else [[x for row in whole for x in row]]
        )
    v = by_class if by_class is not None and rows.several else None
    own_weights = weights if weights is not None and len(weights[0]) > 1 else None

    def shares_of(i: int, k: int) -> list[float]:
        """The weights of a row's outputs: each output's own, times that of the place."""
        own = [1.0] * k if own_weights is None else own_weights[i]
        return [a * b for a, b in zip(v or [1.0] * k, own, strict=True)]

    def one(i: int, x: list[Any]) -> tuple[Any, list[Any]]:
        """A row's loss, and its outputs'."""
        t = targets[i]
        assert t is not None
        largest = max([abs(one) for one in (*x, *t) if mp.isfinite(one)], default=0)
        with mp.workdps(DIGITS + int(min(largest, 1000) / 2)):
            if family.coupled == "rows":
                found = among(asked, i, [mpf(number) for number in x], predictions, targets)
                outputs = [mp.nan if any(map(mp.isnan, found["s"])) else truth(loss, parameters, found)]
            else:
                other = None if third is None else third[i]
                outputs = value_of(asked, parameters, x, t, other, p.names, len(p.rows[0]))
            if not rows.several:
                [own] = outputs
                return own, outputs
            shares = shares_of(i, len(outputs))
            total = sum((share * out if share else mpf(0)) for share, out in zip(shares, outputs, strict=True))
            by = sum(shares) if asked.get("--over-outputs", "mean") == "mean" else sum(shares) / len(shares)
            if not by and own_weights is None:
                raise NothingError("all outputs weigh nothing")
            return total / by if by else mpf(0), outputs

    def slope(i: int, column: int) -> tuple[Any, Any]:
        """The one-sided derivatives of a row's loss, in their order; None where they differ much."""
        x = [mpf(number) for number in predictions[kept[i]]]
        step = mpf(10) ** -25
        with mp.workdps(2 * DIGITS):
            moved = [[a + move * (j == column) for j, a in enumerate(x)] for move in (-step, 0, step)]
            try:
                down, at, up = (one(kept[i], row)[0] for row in moved)
                low, high = sorted(((at - down) / step, (up - at) / step))
            except (TypeError, ValueError):  # outside of what there is a loss for
                return None, None
            return (low, high) if mp.isfinite(low) and high - low <= 1e-9 * (1 + abs(low)) else (None, None)

    for i, (x, t) in enumerate(zip(predictions, targets, strict=True)):
        if t is None or (family.coupled == "rows" and family.target_type == "classes" and not has_positive(i, targets)):
            continue
        other = None if third is None else third[i]
        if any(map(math.isnan, [*x, *(other or ())])):
            raise RefusedError("a NaN prediction")
        least = {"variance": 5e-324, "scale": 5e-324, "dispersion": 0}.get(family.third_operand or "", -math.inf)
        if other is not None and family.name == "counts" and math.inf in other:
            raise UnclearError("an infinite dispersion")
        if other is not None and not all(one >= least for one in other):
            raise RefusedError("no variance")
        if other is not None and family.third_operand == "reference" and not all(one <= 0 for one in other):
            raise RefusedError("no log-probability")
        if family.name == "pair" and other is None and not 0 <= x[0] < math.inf:
            raise RefusedError("no distance")
        for domain, values in ((domains.predictions, x), (domains.targets, t)):
            if domain != REAL and any(bool(domain.outside(np.array(one))) for one in values):
                raise RefusedError("outside a domain")
        if family.name == "interval" and x[0] > x[1]:
            raise RefusedError("ends of an interval in the wrong order")
        if asked.loss.name in ("fair-crps", "fair-energy-score") and len(x) == 1:
            raise RefusedError("an ensemble of one member")
        if p.narrow:
            x = [float(np.float32(one)) for one in x]
        if weights is not None and not all(one >= 0 and math.isfinite(one) for one in weights[i]):
            raise RefusedError("a weight")
        own, outputs = one(i, x)
        weight = 1.0 if weights is None or own_weights is not None else weights[i][0]
        if v is not None or own_weights is not None:
            weight *= sum(shares_of(i, len(outputs))) / len(outputs)
        elif by_class is not None:
            shares = rows.hard[i]
            assert shares is not None
            if family.target_type != "classes":
                shares = [1 - shares[0], shares[0]]
            weight *= sum(share * number for share, number in zip(shares, by_class, strict=True))
        if family.name in ("softmax", "ordinal", "views") and x.count(math.inf) > 1:
            raise UnclearError("a limit at infinity")
        if mp.isnan(own) and not all(map(math.isfinite, [*x, *t])):
            raise UnclearError("a limit at infinity")  # which the formula does not have
        if mp.isnan(own):
            raise RefusedError("an undefined loss")
        kept.append(i)
        losses.append(own)
        elements.append(outputs)
        each.append(weight)
    if not losses:
        raise NothingError("nothing is left")
    numerator = sum((w * own if w else mpf(0)) for w, own in zip(each, losses, strict=True))
    name = asked.get("--reduction", "mean")
    denominator = {
        "mean": math.fsum(each),
        "sum": 1,
        "none": 1,
        "sum-over-batch-size": len(losses),
        "sum-by-nonzero-weights": sum(w != 0 for w in each),
    }[name]
    if not denominator:
        raise NothingError("all weights are 0")
    if denominator < 1e-290:
        raise UnclearError("weights without digits")
    if "--elements" in asked.options and not rows.several:
        raise RefusedError("--elements of one loss per row")
    return {
        "value": None if name == "none" else numerator / denominator,
        "numerator": numerator,
        "denominator": denominator,
        "samples": len(losses),
        "ignored": left_out or len(targets) - len(losses),
        "losses": losses,
        "elements": elements if rows.several else None,
        "weights": each if weights is not None or by_class is not None else None,
        "rows": kept,
        "slope": slope,
        "whole": predictions is not p.rows,
        "narrow": p.narrow,
        "scale": max((abs(one) for row in p.rows for one in row if math.isfinite(one)), default=0.0),
    }


def check_chances(asked: Asked, p: Numbers, rows: Rows) -> None:
    given = asked.get("--from", "logits")
    for x, t in zip(p.rows, rows.t, strict=True):
        if given == "logits" or t is None:
            continue
        chances = [math.exp(min(one, 1)) if given == "log-probs" else one for one in x]
        if not all(0 <= one <= 1 for one in chances) or (given == "log-probs" and any(one > 0 for one in x)):
            raise RefusedError("no probabilities")
        if asked.loss.family.target_type == "classes":
            gap = abs(math.fsum(chances) - 1)
            if abs(gap - 1e-3) < 1e-5:
                raise UnclearError("at the tolerance")
            if gap > 1e-3:
                raise RefusedError("no probabilities of classes")


def class_weights(asked: Asked, rows: Rows, p: Numbers) -> list[float] | None:
    text = asked.options.get("--class-weight")
    if text is None:
        return None
    family = asked.loss.family
    k = rows.k if rows.several or family.target_type == "classes" else 2
    if text == "balanced":
        there = [row for row in rows.hard if row is not None]
        if not rows.several and family.target_type != "classes":
            there = [[1 - row[0], row[0]] for row in there]
        counts = [sum(row[j] for row in there) for j in range(k)]
        if any(0 < count < 1e-290 for count in counts):
            raise UnclearError("weights without digits")
        return [sum(counts) / (k * count) if count > 0 else 0.0 for count in counts]
    if "=" not in text:
        content = read(text, None)
        if isinstance(content, Table):
            raise UnclearError("a table of class weights")
        weights = [one for row in numbers(content, []).rows for one in row]
        if len(weights) != k or not all(0 <= one < math.inf for one in weights):
            raise RefusedError("class weights")
        return weights
    called = ["0", "1"]
    if rows.several or family.target_type == "classes" or "--classes" in asked.options:
        called = names_of_classes(asked, p)
    called = called or [str(i + int(asked.get("--label-base", "0"))) for i in range(k)]
    pairs = dict(pair.rsplit("=", 1) for pair in text.split(","))
    for trimmed in left_out(called):
        if set(pairs) <= set(trimmed):
            return [float(pairs.get(name, 1)) for name in trimmed]
    raise RefusedError("no class of --class-weight")
