"""The slow reference of fuzz.py: what a command line should print, from its files, by readers and loops of its own.

Files are read with NumPy and the csv module, losses are their declared formulas in mpmath's numbers, and everything about
labels, ids, weights and reductions is written anew, in plain Python, from docs/conventions.md.
"""

import csv
import gzip
import io
import math
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from mpmath import mp, mpf
from oracle import NAMES, evaluate, log, log_softmax, sigmoid_variables
from rows import Row

from losscli.core import REAL, Loss
from losscli.losses import LOSSES

JUDGED = ("residual", "relative", "distribution", "margin", "sigmoid", "softmax", "ordinal", "embedding")
"""Families whose losses it computes."""


class UnclearError(Exception):
    """What a file means, or what the number should be, is beyond the reference: its reason."""


class RefusedError(Exception):
    """There is no number: whoever prints one is wrong."""


# Files: what the reference reads, by readers of its own.


def unpacked(data: bytes) -> bytes:
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII)


def number(cell: str) -> float:
    text = cell.strip()
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
    if not os.path.isfile(path):
        raise RefusedError(f"no file {path}")
    data = Path(path).read_bytes()
    if data[:6] == b"\x93NUMPY":
        try:
            with warnings.catch_warnings(action="ignore"):
                return np.load(io.BytesIO(data), allow_pickle=False)
        except Exception as error:
            raise RefusedError(f"NumPy does not read it: {error}") from error
    if data[:4] == b"PK\x03\x04":
        try:
            with np.load(path, allow_pickle=False) as archive:
                [name] = archive.files
                return archive[name]
        except Exception as error:
            raise UnclearError(f"an archive that NumPy does not read ({type(error).__name__})") from error
    try:
        text = unpacked(data).decode("utf-8-sig")
    except Exception as error:
        raise RefusedError(f"no text: {error}") from error
    if re.search(r"\r(?!\n)", text):
        raise UnclearError("bare carriage returns")  # which Python takes for the ends of lines
    separator = "\t" if re.search(r"\.(tsv|tab)(\.gz|\.zst)?$", path) else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise RefusedError(f"no table: {error}") from error
    while rows and not any(rows[-1]) and len(rows[-1]) < 2:
        rows.pop()
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
            if word in ("--header", "--no-header", "--per-sample"):
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
    """Whether they are computed in float32."""


def loaded(asked: Asked, operand: str) -> tuple["Table | np.ndarray", str | None]:
    header = True if "--header" in asked.options else False if "--no-header" in asked.options else None
    path, _, column = (operand, "", "") if os.path.exists(operand) else operand.rpartition(":")
    return read(path, header), column or None


def chosen(table: Table, column: str | None, out: str, pattern: str = "") -> list[int]:
    """The columns that an operand means: one that is named, or all but that of the ids."""
    if column is not None:
        return [table.column(column)]
    if pattern:
        prefix = pattern.removesuffix("*")
        return [i for i, name in enumerate(table.names or ()) if name.startswith(prefix)]
    taken = table.column(out) if out else None
    return [i for i in range(len(table.rows[0]) if table.rows else len(table.names or ())) if i != taken]


def numbers(content: "Table | np.ndarray", columns: list[int]) -> Numbers:
    if isinstance(content, Table):
        rows = [[number(row[i]) for i in columns] for row in content.rows]
        names = None if content.names is None else [content.names[i] for i in columns]
        return Numbers(rows, names, len(columns) == 1, False)
    if content.dtype.kind not in "fiub" or content.ndim not in (1, 2):
        raise RefusedError(f"{content.dtype} of {content.ndim} axes")
    narrow = np.result_type(np.float32, content.dtype) == np.float32
    flat = content.ndim == 1
    wide = content.reshape(len(content), -1).astype(np.float64)
    return Numbers(wide.tolist(), None, flat, narrow)


def ids(content: "Table | np.ndarray", asked: Asked) -> list[str]:
    if not isinstance(content, Table):
        raise RefusedError("an array has no ids")
    column = content.column(asked.get("--id"))
    found = [row[column] for row in content.rows]
    if len(set(found)) < len(found) or "" in found:
        raise RefusedError("ids are doubled or empty")
    return found


def expected(words: list[str]) -> dict[str, Any]:
    """The number that a command line should give, with the losses of the rows."""
    asked = Asked.of(words)
    family = asked.loss.family
    if family.name not in JUDGED:
        raise UnclearError(f"family {family.name}")
    p_file, p_column = loaded(asked, asked.predictions)
    key = asked.get("--id")
    p = numbers(p_file, chosen(p_file, p_column, key, asked.get("--columns")) if isinstance(p_file, Table) else [])
    constant = not os.path.exists(asked.targets) and NUMBER.fullmatch(asked.targets)
    files = [] if constant else [loaded(asked, asked.targets)]
    files += [loaded(asked, asked.get("--sample-weight"))] if "--sample-weight" in asked.options else []
    own: list[int] = list(range(len(p.rows)))
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
    p.rows = [p.rows[i] for i in own]
    if constant:
        t: Any = [[float(asked.targets)] * len(row) for row in p.rows]
        return reduced(asked, p, targets_of_numbers(asked, p, t, p.narrow), None)
    file, column = files[0]
    weights = None
    if "--sample-weight" in asked.options:
        w_file, w_column = files[1]
        w = numbers(w_file, chosen(w_file, w_column, key) if isinstance(w_file, Table) else [])
        if any(len(row) != 1 for row in w.rows):
            raise RefusedError("several weights a row")
        weights = [w.rows[i][0] for i in orders[1]]
    columns = chosen(file, column, key) if isinstance(file, Table) else []
    if not p.rows:
        raise RefusedError("no rows")
    lifted = targets_of(asked, p, file, columns, orders[0])
    return reduced(asked, p, lifted, weights)


@dataclass
class Rows:
    """What the rows are to the loss: targets of each output (None: the row is ignored), the classes' own shares, and k."""

    t: list[list[float] | None]
    hard: list[list[float] | None]
    """Targets before smoothing: shares of the classes, or outcomes."""
    k: int
    several: bool
    narrow: bool = False


def targets_of_numbers(asked: Asked, p: Numbers, t: list[list[float]], narrow: bool) -> Rows:
    ignore = asked.options.get("--ignore-index")
    kept: list[list[float] | None] = list(t)
    if ignore is not None:
        if len(t[0]) > 1:
            raise RefusedError("--ignore-index of rows")
        value = float(ignore)
        kept = [None if row[0] == value or (value != value and row[0] != row[0]) else row for row in t]
    if any(row is not None and any(map(math.isnan, row)) for row in kept):
        raise RefusedError("a NaN target")
    return Rows(kept, kept, 1, not p.flat, narrow)


def targets_of(asked: Asked, p: Numbers, file: "Table | np.ndarray", columns: list[int], order: list[int]) -> Rows:
    family = asked.loss.family
    if family.reads == "numbers":
        t = numbers(file, columns)
        rows = [t.rows[i] for i in order]
        if len(p.rows[0]) != len(rows[0]) or (p.flat != t.flat and len(rows[0]) > 1):
            raise RefusedError("shapes differ")
        if p.names and t.names and len(rows[0]) > 1:
            raise UnclearError("names of columns of numbers")
        flat = p.flat or (t.flat and len(rows[0]) == 1)
        return targets_of_numbers(asked, Numbers(p.rows, p.names, flat, p.narrow), rows, p.narrow and t.narrow)
    width = len(p.rows[0])
    text = isinstance(file, Table) or file.dtype.kind in "US"
    classes = names_of_classes(asked, p)
    base = int(asked.get("--label-base", "0"))
    ignore = asked.options.get("--ignore-index")
    wide = (len(columns) if isinstance(file, Table) else file.shape[1] if file.ndim == 2 else 1) > 1
    one_hot = family.reads == "classes" or (not p.flat and width > 1)
    if not wide and one_hot:
        k = centers(asked)[1] if family.takes_centers else width
        if family.reads == "classes" and not family.takes_centers and (p.flat or width < 2):
            raise RefusedError("one column")
        index = labels(file, columns, order, classes, k, ignore, base, text)
        shares = [None if i is None else [float(i == j) for j in range(k)] for i in index]
        return smoothed(asked, shares, k, family.reads != "classes")
    t = numbers(file, columns)
    rows = [t.rows[i] for i in order]
    if family.reads == "classes":
        if len(rows[0]) != width:
            raise RefusedError("classes differ")
        if base or ignore is not None:
            raise RefusedError("no labels")
        rows = by_name(rows, t.names, classes)
        if any(not all(-0.0 <= one <= 1.001 for one in row) or not abs(sum(row) - 1) <= 1.0002e-3 for row in rows):
            raise RefusedError("no probabilities")
        if any(abs(abs(sum(row) - 1) - 1e-3) < 1e-6 for row in rows):
            raise UnclearError("at the tolerance")
        return smoothed(asked, rows, width, False)
    if base:
        raise RefusedError("--label-base")
    if len(rows[0]) != width:
        raise RefusedError("shapes differ")
    if width > 1 and p.flat != t.flat:
        raise RefusedError("shapes differ")
    several = width > 1 or (not p.flat and not t.flat and not family.takes_class_weight)
    if several:
        rows = by_name(rows, t.names, p.names if classes is None else classes)
        if ignore is not None:
            raise RefusedError("--ignore-index of rows")
    value = None if ignore is None else float(ignore)
    there = [row for row in rows if value is None or not (row[0] == value or (value != value and row[0] != row[0]))]
    flat = [one for row in there for one in row]
    signed = any(one == -1 for one in flat)
    allowed = (lambda one: one in (-1, 1)) if signed else (lambda one: one in (0, 1))
    if family.reads == "outcomes" and not signed:
        allowed = lambda one: 0 <= one <= 1  # noqa: E731
    if not all(allowed(one) for one in flat):
        raise RefusedError("no labels of two")
    kept = {id(row) for row in there}
    outcomes = [[float(one > 0) if signed else one for one in row] if id(row) in kept else None for row in rows]
    if family.reads == "signs":
        signs = [None if row is None else [1.0 if one > 0 else -1.0 for one in row] for row in outcomes]
        return Rows(signs, outcomes, 2 if not several else width, several)
    return smoothed(asked, outcomes, width if several else 2, several)


def names_of_classes(asked: Asked, p: Numbers) -> list[str] | None:
    given = asked.options.get("--classes")
    if given is None:
        return p.names if not asked.loss.family.takes_centers else centers(asked)[2]
    names = next(csv.reader([given]))
    if p.names is not None:
        raise UnclearError("--classes beside names")
    width = centers(asked)[1] if asked.loss.family.takes_centers else len(p.rows[0])
    if width == 1:
        raise UnclearError("names of two outcomes")
    if len(names) != width:
        raise RefusedError("--classes of another length")
    return names


def prefixes(names: list[str]) -> list[str]:
    first, last = min(names), max(names)
    common = next((i for i, letter in enumerate(first) if letter != last[i : i + 1]), len(first))
    return ["", *(first[: i + 1] for i in range(common) if first[i] == "_")]


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
    else:
        cells = file.reshape(-1)[order].tolist()
        cells = [one.decode("utf-8", "backslashreplace") if isinstance(one, bytes) else one for one in cells]
    if not text:
        value = None if ignore is None else float(ignore)
        found: list[int | None] = []
        for one in cells:
            if value is not None and (float(one) == value or (value != value and one != one)):
                found.append(None)
            elif not (math.isfinite(one) and one == math.floor(one) and base <= one < k + base):
                raise RefusedError("a label")
            else:
                found.append(int(one) - base)
        return found

    def same(cell: str, label: str) -> bool:
        return cell == label or (index(cell) is not None and index(cell) == index(label))

    there = [cell for cell in cells if ignore is None or not same(cell, ignore)]
    if any(cell == "" for cell in there):
        raise RefusedError("an empty label")
    places: dict[str, int] = {}
    if classes:
        if base:
            raise RefusedError("names have no base")
        for prefix in prefixes(classes):
            trimmed = {name[len(prefix) :]: i for i, name in enumerate(classes)}
            if all(cell in trimmed for cell in there):
                if len(trimmed) < len(classes):
                    raise RefusedError("two classes of one name")
                places = trimmed
                break
        else:
            raise RefusedError("no class")
    else:
        for cell in there:
            one = index(cell)
            if one is None or not base <= one < k + base:
                raise RefusedError("no index")
            places[cell] = one - base
    return [None if ignore is not None and same(cell, ignore) else places[cell] for cell in cells]


def index(cell: str) -> int | None:
    return int(float(cell)) if re.fullmatch(r"\s*[+-]?(0|[1-9][0-9]{0,15})(\.0*)?\s*", cell) else None


def by_name(rows: list[list[float]], theirs: list[str] | None, ours: list[str] | None) -> list[list[float]]:
    if not theirs or not ours:
        return rows
    for mine in prefixes(ours):
        for other in prefixes(theirs):
            left, right = [name[len(mine) :] for name in ours], [name[len(other) :] for name in theirs]
            if sorted(left) == sorted(right) and len(set(left)) == len(left):
                return [[row[right.index(name)] for name in left] for row in rows]
    raise RefusedError("names differ")


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


def centers(asked: Asked) -> tuple[list[list[float]], int, list[str] | None]:
    content = read(asked.get("--centers"), None)
    if isinstance(content, Table):
        raise UnclearError("centers in a table")
    table = numbers(content, [])
    if any(not math.isfinite(one) for row in table.rows for one in row) or table.flat:
        raise RefusedError("centers")
    return table.rows, len(table.rows), None


def value_of(asked: Asked, parameters: dict[str, float | None], x: list[float], t: list[float]) -> list[Any]:
    """The losses of a row's outputs, or of the row, in mpf."""
    loss, family, given = asked.loss, asked.loss.family, asked.get("--from", "logits")
    exact, marks = [mpf(one) for one in x], [mpf(one) for one in t]
    if family.name == "residual":
        return [evaluate(loss, loss.formula, {"r": a - b}, parameters) for a, b in zip(exact, marks, strict=True)]
    if family.name in ("relative", "distribution"):
        return [evaluate(loss, loss.formula, {"y": a, "t": b}, parameters) for a, b in zip(exact, marks, strict=True)]
    if family.name == "margin":
        return [evaluate(loss, loss.formula, {"m": a * b}, parameters) for a, b in zip(exact, marks, strict=True)]
    if family.name == "embedding":
        rows, _, _ = centers(asked)
        center = rows[t.index(1.0)]
        if len(center) != len(x):
            raise RefusedError("centers of another dimension")
        return [
            sum(evaluate(loss, loss.formula, {"d": a - mpf(c)}, parameters) for a, c in zip(exact, center, strict=True))
        ]
    if family.name == "sigmoid":
        positive = float(asked.get("--pos-weight", "1"))
        found = []
        for a, b in zip(exact, marks, strict=True):
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


def reduced(asked: Asked, p: Numbers, rows: Rows, weights: list[float] | None) -> dict[str, Any]:
    """The value with all that belongs to it."""
    loss, family = asked.loss, asked.loss.family
    parameters: dict[str, float | None] = {}
    for name, parameter in loss.parameters.items():
        text = asked.options.get(f"--{name.replace('_', '-')}")
        parameters[name] = parameter.default if text is None else float(text)
    domains = loss.domains(loss.bind(**parameters).parameters)
    check_chances(asked, p, rows)
    by_class = class_weights(asked, rows, p)
    kept, losses, each = [], [], []
    for i, (x, t) in enumerate(zip(p.rows, rows.t, strict=True)):
        if t is None:
            continue
        if any(map(math.isnan, x)):
            raise RefusedError("a NaN prediction")
        for domain, values in ((domains.predictions, x), (domains.targets, t)):
            if domain != REAL and any(bool(domain.outside(np.array(one))) for one in values):
                raise RefusedError("outside a domain")
        if p.narrow:
            x = [float(np.float32(one)) for one in x]
        if weights is not None and not (weights[i] >= 0 and math.isfinite(weights[i])):
            raise RefusedError("a weight")
        outputs = value_of(asked, parameters, x, t)
        weight = 1.0 if weights is None else weights[i]
        v = [1.0] * len(outputs)
        if by_class is not None and rows.several:
            v = by_class
        elif by_class is not None:
            shares = rows.hard[i]
            assert shares is not None
            if family.reads != "classes":
                shares = [1 - shares[0], shares[0]]
            weight *= sum(share * one for share, one in zip(shares, by_class, strict=True))
        if rows.several or family.several_outputs:
            total = sum((one * out if one else mpf(0)) for one, out in zip(v, outputs, strict=True))
            mean = sum(v) / len(v)
            if mean == 0:
                raise UnclearError("all outputs weigh nothing")
            own = total / sum(v) if asked.get("--over-outputs", "mean") == "mean" else total / mean
            weight *= mean
        else:
            own = outputs[0]
        if mp.isnan(own) and not all(map(math.isfinite, [*x, *t])):
            raise UnclearError("a limit at infinity")  # which the formula does not have
        if mp.isnan(own):
            raise RefusedError("an undefined loss")
        kept.append(i)
        losses.append(own)
        each.append(weight)
    if not losses:
        raise RefusedError("nothing is left")
    numerator = sum((w * own if w else mpf(0)) for w, own in zip(each, losses, strict=True))
    name = asked.get("--reduction", "mean")
    denominator = {
        "mean": sum(each),
        "sum": 1,
        "none": 1,
        "sum-over-batch-size": len(losses),
        "sum-by-nonzero-weights": sum(w != 0 for w in each),
    }[name]
    if not denominator:
        raise RefusedError("all weights are 0")
    if denominator < 1e-290:
        raise UnclearError("weights without digits")
    return {
        "value": None if name == "none" else numerator / denominator,
        "numerator": numerator,
        "samples": len(losses),
        "ignored": len(rows.t) - len(losses),
        "losses": losses,
        "narrow": p.narrow and (rows.narrow or family.reads != "numbers"),
        "scale": max((abs(one) for row in p.rows for one in row if math.isfinite(one)), default=0.0),
    }


def check_chances(asked: Asked, p: Numbers, rows: Rows) -> None:
    given = asked.get("--from", "logits")
    for x, t in zip(p.rows, rows.t, strict=True):
        if given == "logits" or t is None:
            continue
        chances = [math.exp(min(one, 1)) if given == "log-probs" else one for one in x]
        if any(math.isnan(one) for one in x) or not all(0 <= one <= 1 for one in chances):
            raise RefusedError("no probabilities")
        if asked.loss.family.reads == "classes":
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
    k = rows.k if rows.several or family.reads == "classes" else 2
    if text == "balanced":
        there = [row for row in rows.hard if row is not None]
        if not rows.several and family.reads != "classes":
            there = [[1 - row[0], row[0]] for row in there]
        counts = [sum(row[j] for row in there) for j in range(k)]
        return [sum(counts) / (k * count) if count > 0 else 0.0 for count in counts]
    if "=" not in text:
        raise UnclearError("a file of class weights")
    called = names_of_classes(asked, p) if rows.several or family.reads == "classes" else ["0", "1"]
    called = called or [str(i + int(asked.get("--label-base", "0"))) for i in range(k)]
    pairs = dict(pair.rsplit("=", 1) for pair in text.split(","))
    for prefix in prefixes(called):
        trimmed = [name[len(prefix) :] for name in called]
        if set(pairs) <= set(trimmed):
            return [float(pairs.get(name, 1)) for name in trimmed]
    raise RefusedError("no class of --class-weight")
