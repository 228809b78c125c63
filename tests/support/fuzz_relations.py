"""Numbers that must be the same, or go together, whatever they are: of parts and the whole, threads, formats, axes, joins.

Each relation runs a few command lines on random files, and compares what they print. What one of them refuses, the others
must refuse too, where they mean the same.
"""

import functools
import gzip
import io
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from fuzz import PACKERS, Case, Maker, Outcome, npy, run, safetensors, small_cuts, strict
from fuzz_commands import sound
from servers import WebServer

from losscli.losses import LOSSES

SAME = ("value", "numerator", "denominator", "samples", "ignored", "summary", "nonfinite")
"""What a result in JSON has that depends on the numbers alone."""
ROWS = ("mse", "mae", "huber", "log-cosh", "smooth-l1", "quantile", "tukey-biweight")
BINARY = ("bce", "focal", "hinge", "squared-hinge", "sigmoid-brier")
CLASSES = ("ce", "softmax-focal", "brier", "kl", "multi-margin", "gce", "spherical")


class Judge:
    """Runs command lines, and counts them by their command."""

    def __init__(self, random: random.Random, seed: int) -> None:
        self.random, self.seed = random, seed
        self.generator = np.random.default_rng(seed)
        self.lines = 0
        self.said = ""

    def run(self, *words: str, given: bytes = b"", seed: int | None = None) -> Outcome:
        """Run a command line, with small pieces where the seed says so, and assert what holds of all."""
        with small_cuts(self.seed if seed is None else seed):
            done = run(list(words), given)
        self.lines += 1
        self.said = done.err
        sound(words, words[:1], done)
        return done

    def result(self, *words: str, **how: Any) -> dict[str, Any] | None:
        """The result of a command line as JSON; None where it is refused."""
        done = self.run(*words, "-f", "json", **how)
        return strict(done.out) if done.code in (0, 1) else None

    def pick(self, choices: Any) -> Any:
        return self.random.choice(list(choices))

    def case(self) -> Case:
        """A whole case of any loss, in the folder."""
        case = Maker(self.random, self.generator, self.pick(LOSSES.values())).case()
        case.words = case.plain
        case.piped = None
        case.write()
        Path("stdin.csv").exists()
        return case

    def arrays(self, loss: str, n: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Predictions and targets of a loss, rows first."""
        n = n or self.pick([1, 2, 3, 5, 9, 20])
        dtype = self.pick(["f4", "f8", "f8"])
        if loss in CLASSES:
            k = self.pick([2, 3, 5])
            return self.generator.normal(0, 2, (n, k)).astype(dtype), self.generator.integers(0, k, n)
        p = self.generator.normal(0, 2, n).astype(dtype)
        t = (self.generator.random(n) < 0.5).astype("i8") if loss in BINARY else self.generator.normal(size=n).astype(dtype)  # fmt: skip
        return p, t

    def loss(self) -> str:
        return str(self.pick(ROWS + BINARY + CLASSES))


def numbers(result: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is compared of a result, to the last digit."""
    if result is None:
        return None
    rows = [[row["loss"], row.get("losses"), row.get("weight")] for row in result.get("rows") or ()]
    return {**{key: result.get(key) for key in SAME}, "rows": rows}


def different(one: dict[str, Any] | None, other: dict[str, Any] | None) -> str:
    """What differs between two results."""
    if one is None or other is None:
        return "one of them is refused"
    return "; ".join(f"{key}: {one[key]} and {other[key]}" for key in one if one[key] != other[key])


def close(one: Any, other: Any, size: float = 1e-9) -> None:
    """Assert that two results are the same to within the rounding of sums in another order."""
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys(), f"{sorted(one)} and {sorted(other)}"
        for key in one:
            close(one[key], other[key], size)
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other), f"{len(one)} and {len(other)}"
        for first, second in zip(one, other, strict=True):
            close(first, second, size)
    elif isinstance(one, float) and isinstance(other, int | float):
        assert math.isclose(one, other, rel_tol=size, abs_tol=size), f"{one!r} and {other!r}"
    else:
        assert one == other, f"{one!r} and {other!r}"


def save(name: str, array: np.ndarray) -> str:
    Path(name).write_bytes(npy(array))
    return name


def threads(judge: Judge) -> None:
    """One thread and three give the same digits."""
    words = without(judge.case().words, "--threads")
    one, three = (judge.result(*words, "--per-sample", "--threads", number) for number in "13")
    assert numbers(one) == numbers(three), different(numbers(one), numbers(three))


def parts(judge: Judge) -> None:
    """Parts that are merged give the digits of one pass."""
    case = judge.case()
    words = without(case.words, "--threads", "--require", "--gradient")
    whole = judge.result(*words, "--per-sample")
    n = judge.pick([1, 2, 3])
    done = [judge.run(*words, "--per-sample", "--part", f"{i}/{n}", "-o", f"{i}.part") for i in range(1, n + 1)]
    codes = {one.code for one in done}
    assert whole is not None or codes <= {0, 2, 3}
    if codes != {0}:
        assert whole is None or codes & {2, 3}, codes
        unfit = "parts|--part|whole file|rows of the file"
        assert whole is None or any(word in one.err for one in done for word in unfit.split("|")), done[-1].err
        return
    names = [f"{i}.part" for i in range(1, n + 1)]
    judge.random.shuffle(names)
    merged = judge.result("merge", *names, "--per-sample")
    assert numbers(merged) == numbers(whole), different(numbers(merged), numbers(whole))
    if n > 1:
        assert judge.run("merge", *names[1:]).code in (2, 3), "a part is missing"


def formats(judge: Judge) -> None:
    """The same numbers in any two formats give the same losses, to the last digit."""
    loss = judge.loss()
    p, t = judge.arrays(loss)
    p, t = p.astype("f8"), t.astype("f8" if t.dtype.kind == "f" else "i8")
    found = []
    for form in judge.random.sample(list(FORMS), 3):
        operands = [FORMS[form](name, array) for name, array in (("p", p), ("t", t))]
        header = ["--header"] if form in ("csv", "tsv") else []
        result = judge.result("compute", loss, *operands, *header, "--per-sample")
        assert result is not None, f"{form} is refused: {judge.said}"
        found.append(numbers(result) or {})
    for other in found[1:]:  # sums are over other chunks
        assert found[0]["rows"] == other["rows"], different(found[0], other)
        close(found[0], other, 1e-13)


NAMES = ("0", "1", "2", "3", "4")


def _frame(array: np.ndarray) -> pl.DataFrame:
    """A table of an array, with a column for each class, or one called y."""
    columns = [("y", array)] if array.ndim == 1 else [(NAMES[i], array[:, i]) for i in range(array.shape[1])]
    return pl.DataFrame(dict(columns))


def _written(suffix: str, pack: Callable[[str, bytes], bytes] | None = None) -> Callable[[str, np.ndarray], str]:
    def write(name: str, array: np.ndarray) -> str:
        file, frame = io.BytesIO(), _frame(array)
        if suffix == "parquet":
            frame.write_parquet(file)
        elif suffix == "arrow":
            frame.write_ipc(file)
        elif suffix == "jsonl":
            frame.write_ndjson(file)
        else:
            frame.write_csv(file, separator="\t" if suffix == "tsv" else ",")
        data = file.getvalue()
        Path(f"{name}.{suffix}").write_bytes(data)
        return f"{name}.{suffix}"

    return write


def _packed(suffix: str) -> Callable[[str, np.ndarray], str]:
    def write(name: str, array: np.ndarray) -> str:
        path = f"{name}.npy.{suffix}"
        Path(path).write_bytes(PACKERS[suffix](f"{name}.npy", npy(array)))
        return path

    return write


def _npz(name: str, array: np.ndarray) -> str:
    np.savez(f"{name}.npz", x=array)
    return f"{name}.npz:x"


def _safetensors(name: str, array: np.ndarray) -> str:
    Path(f"{name}.safetensors").write_bytes(safetensors(array))
    return f"{name}.safetensors:x"


def _shards(name: str, array: np.ndarray) -> str:
    half = len(array) // 2
    for number, part in enumerate((array[:half], array[half:])):
        if len(part):
            save(f"{name}_{number}.npy", part)
    return f"{name}_*.npy"


FORMS: dict[str, Callable[[str, np.ndarray], str]] = {
    "npy": lambda name, array: save(f"{name}.npy", array),
    "fortran": lambda name, array: save(f"{name}.npy", np.asfortranarray(array)),
    "big endian": lambda name, array: save(f"{name}.npy", array.astype(array.dtype.newbyteorder(">"))),
    "npz": _npz,
    "safetensors": _safetensors,
    "shards": _shards,
    **{suffix: _written(suffix) for suffix in ("csv", "tsv", "parquet", "arrow", "jsonl")},
    **{suffix: _packed(suffix) for suffix in PACKERS},
}
"""Format -> what writes an array in it, and returns the operand."""


def axes(judge: Judge) -> None:
    """An array with more axes gives the losses of its positions, and a mask or a label to ignore leaves some out."""
    loss = judge.pick(CLASSES)
    shape = tuple(judge.pick([1, 2, 3]) for _ in range(judge.pick([2, 2, 3])))
    p, t = judge.arrays(loss, math.prod(shape))
    flat = judge.result("compute", loss, save("p.npy", p), save("t.npy", t), "--per-sample")
    p, t = p.reshape(*shape, -1), t.reshape(shape)
    place = judge.pick([-1, 1])
    save("a.npy", np.ascontiguousarray(np.moveaxis(p, -1, place)))
    words = ["compute", loss, "a.npy", save("b.npy", t), "--class-axis", str(place)]
    found = judge.result(*words, "--per-sample")
    assert flat is not None, "a table is refused"
    assert found is not None, "an array is refused"
    close([row["loss"] for row in found["rows"]], [row["loss"] for row in flat["rows"]], 1e-6)
    close(found["value"], flat["value"], 1e-6)
    keep = judge.generator.random(shape) < 0.6
    if keep.any():
        masked = judge.result(*words, "--mask", save("m.npy", keep), "--reduction", "sum")
        ignored = np.where(keep, t, -7)
        left_out = judge.result(*words[:3], save("i.npy", ignored), *words[4:], "--ignore-index", "-7", "--reduction", "sum")  # fmt: skip
        chosen = [row["loss"] for row, one in zip(flat["rows"], keep.ravel(), strict=True) if one]
        for one in (masked, left_out):
            assert one is not None, "a mask is refused"
            close(one["value"], math.fsum(chosen), 1e-5)
            assert one["samples"] == len(chosen)
    per = judge.result(*words, "--per", "sample", "--per-sample")
    assert per is not None, "--per sample is refused"
    means = np.array([row["loss"] for row in flat["rows"]]).reshape(shape[0], -1).mean(axis=1)
    close([row["loss"] for row in per["rows"]], means.tolist(), 1e-5)


def elementwise(judge: Judge) -> None:
    """An elementwise loss of arrays with more axes is that of the numbers in a row."""
    loss = judge.pick(ROWS + BINARY[:2])
    shape = tuple(judge.pick([1, 2, 3]) for _ in range(3))
    p, t = judge.arrays(loss, math.prod(shape))
    flat = judge.result("compute", loss, save("p.npy", p), save("t.npy", t), "--per-sample")
    found = judge.result("compute", loss, save("a.npy", p.reshape(shape)), save("b.npy", t.reshape(shape)), "--per-sample")  # fmt: skip
    assert flat is not None
    assert found is not None, "an array is refused"
    close([row["loss"] for row in found["rows"]], [row["loss"] for row in flat["rows"]], 1e-6)


def joined(judge: Judge) -> None:
    """Rows in another order, with ids, give the losses of the rows as they stand."""
    loss = judge.loss()
    p, t = judge.arrays(loss)
    p, t = p.astype("f8"), t.astype("f8" if t.dtype.kind == "f" else "i8")
    plain = judge.result("compute", loss, save("p.npy", p), save("t.npy", t), "--per-sample")
    ids = [f"{judge.pick(['r', 'é', 'x y', '00'])}{i}" for i in range(len(p))]
    order = judge.random.sample(range(len(p)), len(p))
    suffixes = [judge.pick(["csv", "parquet", "arrow", "jsonl"]) for _ in "pt"]
    for name, array, at, suffix in (("q", p, range(len(p)), suffixes[0]), ("u", t, order, suffixes[1])):
        frame = _frame(array[list(at)]).insert_column(0, pl.Series("key", [ids[i] for i in at]))
        write = {"csv": frame.write_csv, "parquet": frame.write_parquet, "arrow": frame.write_ipc, "jsonl": frame.write_ndjson}  # fmt: skip
        write[suffix](f"{name}.{suffix}")
    words = ["compute", loss, f"q.{suffixes[0]}", f"u.{suffixes[1]}", "--id", "key", "--header", "--per-sample"]
    found = judge.result(*words)
    assert plain is not None
    assert found is not None, f"a join is refused: {judge.said}"
    assert [row["id"] for row in found["rows"]] == ids
    close([row["loss"] for row in found["rows"]], [row["loss"] for row in plain["rows"]], 1e-12)
    close(found["value"], plain["value"], 1e-9)


def slices(judge: Judge) -> None:
    """Slices hold all rows; each has the value that it has alone; and an interval holds the value, and changes none."""
    loss = judge.loss()
    p, t = judge.arrays(loss)
    by = judge.generator.integers(0, 3, len(p))
    words = ["compute", loss, save("p.npy", p), save("t.npy", t)]
    whole = judge.result(*words, "--by", save("g.npy", by))
    assert whole is not None
    assert sum(one["samples"] for one in whole["by"]) == whole["samples"]
    for one in whole["by"]:
        chosen = by == int(one["slice"])
        alone = judge.result("compute", loss, save("p1.npy", p[chosen]), save("t1.npy", t[chosen]))
        assert alone is not None
        close(one["value"], alone["value"], 1e-6)
    asked = judge.result(*words, "--interval", "--resamples", "100")
    assert asked is not None
    close(asked["value"], whole["value"], 1e-12)


def together(judge: Judge) -> None:
    """--also gives what each loss gives alone, and --plus their weighted sum."""
    pool = judge.pick([ROWS, BINARY, CLASSES])
    losses = judge.random.sample(list(pool), 2)
    p, t = judge.arrays(losses[0])
    files = [save("p.npy", p), save("t.npy", t)]
    alone = [judge.result("compute", loss, *files) for loss in losses]
    done = judge.run("compute", losses[0], *files, "--also", losses[1], "-f", "json")
    assert done.code == 0, done.err
    both = json.loads(done.out)
    both = both if isinstance(both, list) else both["results"]
    assert all(alone)
    assert [numbers(one) for one in both] == [numbers(one) for one in alone]
    weight = judge.pick([0.5, 2.0, 1e-3])
    done_sum = judge.result("compute", losses[0], *files, "--plus", f"{weight}*{losses[1]}")
    assert done_sum is not None
    close(done_sum["value"], alone[0]["value"] + weight * alone[1]["value"], 1e-12)  # type: ignore[index]


def repeated(judge: Judge) -> None:
    """A whole weight is as good as that many rows."""
    loss = judge.loss()
    p, t = judge.arrays(loss)
    w = judge.generator.integers(0, 4, len(p))
    w[judge.random.randrange(len(w))] = 2
    weighted = judge.result("compute", loss, save("p.npy", p), save("t.npy", t), "--sample-weight", save("w.npy", w))
    rows = judge.result("compute", loss, save("q.npy", np.repeat(p, w, axis=0)), save("u.npy", np.repeat(t, w)))
    assert weighted is not None
    assert rows is not None
    close(weighted["value"], rows["value"], 1e-6)
    close(weighted["denominator"], rows["denominator"])


def piped(judge: Judge) -> None:
    """What comes through standard input gives the digits of a file."""
    loss = judge.loss()
    p, t = judge.arrays(loss)
    files = [save("p.npy", p), save("t.npy", t)]
    words = ["compute", loss, *files, "--per-sample"]
    place = judge.pick([2, 3])
    data = Path(words[place]).read_bytes()
    if judge.random.random() < 0.3:
        data = gzip.compress(data, mtime=0)
    other = [*words[:place], "-", *words[place + 1 :]]
    assert numbers(judge.result(*words)) == numbers(judge.result(*other, given=data))


@functools.cache
def server() -> WebServer:
    """The web server of this process."""
    return WebServer().__enter__()


def remote(judge: Judge) -> None:
    """A file on a server gives the digits of a file here, also where answers are late, broken off or refused once."""
    case = judge.case()
    words = without(case.words, "--threads")
    web = server()
    web.files.clear()
    web.files |= {f"/{name}": data for name, data in case.files.items()}
    how = web.behaviour
    how.ranges, how.tags = judge.random.random() < 0.8, judge.random.random() < 0.8
    local = judge.result(*words)
    far = [f"{web.url}/{word}" if word.split(":")[0] in set(case.files) - {"names.txt"} else word for word in words]
    found = judge.result(*far)
    if any("*" in word for word in far) or local is None:
        return
    assert found is not None, "a file on a server is refused"
    assert numbers(found) == numbers(local), different(numbers(found), numbers(local))
    web.asked.clear()


def ranked(judge: Judge) -> None:
    """rank lists the rows of compute by their losses; compare's difference is that of two values."""
    loss = judge.loss()
    p, t = judge.arrays(loss)
    q = (p + judge.generator.normal(size=p.shape)).astype(p.dtype)
    files = [save("p.npy", p), save("t.npy", t)]
    one = judge.result("compute", loss, *files, "--per-sample")
    other = judge.result("compute", loss, save("q.npy", q), "t.npy")
    assert one is not None
    assert other is not None
    done = judge.run("rank", loss, *files, "-f", "jsonl", "--top", str(len(p)))
    rows = [strict(line) for line in done.out.splitlines()]
    assert sorted(row["sample"] for row in rows) == list(range(len(p)))
    losses = [row["loss"] for row in one["rows"]]
    assert [row["loss"] for row in rows] == sorted(losses, reverse=True)
    assert all(row["loss"] == losses[row["sample"]] for row in rows)
    if len(p) > 1:
        compared = judge.result("compare", loss, "p.npy", "q.npy", "--targets", "t.npy", "--resamples", "100")
        assert compared is not None
        close(compared["difference"], other["value"] - one["value"], 1e-6)
        assert compared["wins"] + compared["ties"] + compared["losses"] == len(p)


def encoded(judge: Judge) -> None:
    """Targets that `losscli targets` writes give the value of the labels, smoothed ones that of --label-smoothing."""
    loss = judge.pick(["ce", "brier", "kl"])
    p, t = judge.arrays(loss)
    k, amount = p.shape[1], judge.pick(["0", "0.1", "0.25"])
    files = [save("p.npy", p), save("t.npy", t)]
    done = judge.run("targets", "t.npy", "--classes", str(k), "--smoothing", amount, "-o", "y.npy")
    assert done.code == 0, done.err
    smoothing = [] if float(amount) == 0 else ["--label-smoothing", amount]
    one = judge.result("compute", loss, *files, *smoothing)
    other = judge.result("compute", loss, "p.npy", "y.npy")
    assert one is not None
    assert other is not None
    close(one["value"], other["value"], 1e-6)


def suites(judge: Judge) -> None:
    """A suite measures what compute measures; what it saves, it meets; and a smaller baseline it does not."""
    loss = judge.loss()
    p, t = judge.arrays(loss)
    save("p.npy", p)
    save("t.npy", t)
    Path("s.toml").write_text(f'[measure.m]\nloss = "{loss}"\npredictions = "p.npy"\ntargets = "t.npy"\n')
    one = judge.result("compute", loss, "p.npy", "t.npy")
    assert judge.run("run", "s.toml", "--save", "b.json", "-f", "json").code == 0
    again = judge.run("run", "s.toml", "--baseline", "b.json", "-f", "json")
    assert again.code == 0, again.err + again.out
    assert one is not None
    value = repr(one["value"])
    assert f'"value": {value}' in again.out, f"{value} is not in {again.out[:600]}"
    assert judge.run("history", "b.json", "b.json", "-f", "json").code == 0


def calibrated(judge: Judge) -> None:
    """A temperature is where cross-entropy with that temperature is no larger than without, and it is the number printed."""
    p, t = judge.arrays("ce", judge.pick([6, 12, 30]))
    files = [save("p.npy", p), save("t.npy", t)]
    found = judge.result("calibrate", *files)
    if found is None:
        return
    after = judge.result("compute", "ce", *files, "--temperature", repr(found["temperature"]))
    before = judge.result("compute", "ce", *files)
    assert before is not None
    assert after is not None
    close(found["before"]["cross_entropy"], before["value"], 1e-6)
    close(found["after"]["cross_entropy"], after["value"], 1e-6)
    assert after["value"] <= before["value"] * (1 + 1e-6) + 1e-9


def undefined(judge: Judge) -> None:
    """A NaN in any place of the predictions or targets is refused."""
    loss = judge.loss()
    p, t = judge.arrays(loss)
    p, t = p.astype("f8"), t.astype("f8")
    which = judge.pick([p, t])
    which.reshape(-1)[judge.random.randrange(which.size)] = math.nan
    form = FORMS[judge.pick(["npy", "csv", "parquet", "arrow", "npz", "safetensors"])]
    done = judge.run("compute", loss, form("p", p), form("t", t), *(["--header"] if Path("p.csv").exists() else []))
    assert done.code in (2, 3), f"exit {done.code}: {done.out}"


def written(judge: Judge) -> None:
    """Rows in every file format are those of standard output."""
    case = judge.case()
    words = [word for word in without(case.words, "--gradient") if word != "--elements"]
    result = judge.result(*words, "--per-sample")
    if result is None:
        return
    losses = [row["loss"] for row in result["rows"]]
    for suffix in judge.random.sample([".json", ".jsonl", ".csv", ".tsv", ".npy", ".parquet"], 2):
        Path(f"o{suffix}").write_bytes(b"an old file")
        extra = ["--per-sample"] if suffix == ".json" else []
        done = judge.run(*words, *extra, "-o", f"o{suffix}", "-f", "value" if "none" not in words else "jsonl")
        assert done.code in (0, 1), done.err
        data = Path(f"o{suffix}")
        if suffix == ".json":
            found = [row["loss"] for row in strict(data.read_text())["rows"]]
        elif suffix == ".jsonl":
            found = [strict(line)["loss"] for line in data.read_text().splitlines()]
        elif suffix == ".npy":
            array = np.load(data)
            found = list(array["loss"] if array.dtype.names else array)
        elif suffix == ".parquet":
            found = pl.read_parquet(data)["loss"].to_list()
        else:
            separator = "," if suffix == ".csv" else "\t"
            found = pl.read_csv(data, separator=separator, infer_schema=False)["loss"].to_list()
        assert len(found) == len(losses)
        for one, other in zip(found, losses, strict=True):
            assert one is None or not math.isfinite(float(one)) if other is None else math.isclose(float(one), other, rel_tol=1e-6, abs_tol=1e-44)  # fmt: skip


def without(words: list[str], *flags: str) -> list[str]:
    """A command line without some options and their values."""
    drop = {at + more for at, word in enumerate(words) if word in flags for more in (0, 1)}
    return [word for at, word in enumerate(words) if at not in drop]


RELATIONS: tuple[tuple[Callable[[Judge], None], int], ...] = (
    (threads, 3),
    (parts, 4),
    (formats, 4),
    (axes, 3),
    (elementwise, 2),
    (joined, 3),
    (slices, 2),
    (together, 2),
    (repeated, 2),
    (piped, 2),
    (remote, 1),
    (ranked, 3),
    (encoded, 1),
    (suites, 1),
    (calibrated, 1),
    (undefined, 4),
    (written, 2),
)
"""Relations, and how often each is drawn."""


def judge_relation(seed: int) -> tuple[str, int]:
    """Judge the relation of a seed in the working folder; return its name, and how many command lines it ran.

    Raises
    ------
    AssertionError
        if numbers do not go together.
    """
    own = random.Random(seed)
    relation = own.choices([one for one, _ in RELATIONS], [share for _, share in RELATIONS])[0]
    judge = Judge(own, seed)
    try:
        relation(judge)
    except AssertionError as error:
        raise AssertionError(f"{relation.__name__}: {error}") from error
    return relation.__name__, judge.lines
