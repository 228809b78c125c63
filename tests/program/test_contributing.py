"""The recipes of CONTRIBUTING.md, as they stand: applied to a copy of the package, and used through its command line."""

import ast
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "CONTRIBUTING.md").is_file())
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = (
    "a loss",
    "a family",
    "a format to read",
    "a format to write",
    "an option",
    "a command",
    "a finding",
    "a statistic",
    "a reduction",
    "a library's call",
    "a picture",
)
SERVER = """
import io, json, sys
from losscli.cli.main import run
lines, answers = sys.stdin, sys.stdout
for line in lines:
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    words = json.loads(line)
    if words[0] == "pytest":
        import pytest
        code = int(pytest.main(words[1:]))
    else:
        code = run(words)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    said = [stream.buffer.getvalue().decode() for stream in (sys.stdout, sys.stderr)]
    print(json.dumps([code, *said]), file=answers, flush=True)
"""
"""Runs command lines of the copy one after another, or its tests, so that the package is imported once."""


class Block(NamedTuple):
    """A block of code: the recipe that it is of, the file that it goes to, and where in that file."""

    recipe: str
    path: str
    where: str
    code: str


def blocks(text: str) -> list[Block]:
    """All the blocks of Python in the recipes of a document."""
    found = []
    for recipe, body in re.findall(r"^### Add (.+?)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL):
        for first, code in re.findall(r"^```python\n# (.+?)\n(.*?)^```$", body, re.MULTILINE | re.DOTALL):
            if first.startswith("new file: "):
                found.append(Block(recipe, first.removeprefix("new file: "), "new file", code))
            else:
                path, _, where = first.partition(", ")
                found.append(Block(recipe, path, where, code))
    return found


def apply(block: Block, folder: Path) -> None:
    """Put a block where its first line says, in the copy in a folder."""
    path = folder / block.path
    if block.where == "new file":
        assert not path.exists(), f"{block.path} exists already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code)
        return
    lines = path.read_text().splitlines(keepends=True)
    if block.where == "at the end":
        lines += ["\n\n", block.code]
    elif block.where == "among the imports":
        imports = [node for node in ast.parse("".join(lines)).body if isinstance(node, ast.Import | ast.ImportFrom)]
        lines.insert(int(imports[-1].end_lineno or 0), block.code)
    elif block.where.startswith("at the end of "):
        name = block.where.removeprefix("at the end of ")
        [start] = [i for i, line in enumerate(lines) if re.match(rf"{name}\b.*= .*[(\[{{]$", line)]
        lines.insert(next(i for i in range(start, len(lines)) if lines[i][0] in ")]}"), block.code)
    else:
        anchor = block.where.removeprefix("after: ")
        assert anchor != block.where, f"{block.where!r} says no place"
        [place] = [i for i, line in enumerate(lines) if line.strip() == anchor]
        lines.insert(place + 1, block.code)
    path.write_text("".join(lines))


class Said(NamedTuple):
    """What a command of the copy did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        assert self.code in (0, 1, 3), self.err
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def value(self) -> float:
        assert self.code == 0, self.err
        return float(self.out)

    @property
    def rows(self) -> list[dict[str, str]]:
        assert self.code == 0, self.err
        return list(csv.DictReader(io.StringIO(self.out)))


Run = Callable[..., Said]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with all the recipes, and beside it their tests."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "losscli", folder / "losscli")
    (folder / "tests" / "support").mkdir(parents=True)
    for name in ("conftest.py", "support/commands.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for block in blocks(TEXT):
        apply(block, folder)
    return folder


def environment(copy: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(copy), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the commands of the copy run."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(copy: Path, data: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-W", "error", "-c", SERVER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=data, env=environment(copy)
    ) as process:
        yield process


@pytest.fixture
def losscli(server: "subprocess.Popen[str]", data: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line of the copy in its own process; this process writes and reads files in the same folder."""
    monkeypatch.chdir(data)

    def call(*words: str) -> Said:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(words) + "\n")
        server.stdin.flush()
        return Said(*json.loads(server.stdout.readline() or '[-1, "", "the copy cannot be imported"]'))

    return call


def kept(name: str, array: Any) -> str:
    np.save(name, np.asarray(array))
    return name


def written(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name


def test_there_is_a_recipe_with_code_and_a_test_for_everything() -> None:
    found = blocks(TEXT)
    assert tuple(dict.fromkeys(block.recipe for block in found)) == RECIPES
    for recipe in RECIPES:
        paths = [block.path for block in found if block.recipe == recipe]
        assert any(path.startswith("losscli/") for path in paths), recipe
        assert any(re.fullmatch(r"tests/.*/test_\w+\.py", path) for path in paths), recipe
    assert TEXT.count("```python\n") == len(found), "a block of code says no place"


def test_what_the_page_names_exists(copy: Path) -> None:
    """Files by their paths, those of the table of packages relative to losscli, and those that recipes make."""
    named = {
        word for code in re.findall(r"`([^`\n]+)`", TEXT) for word in re.findall(r"[\w./-]+\.(?:py|md|toml)\b", code)
    }
    named |= set(re.findall(r"\]\(([\w./-]+)", TEXT))
    places = (ROOT, ROOT / "losscli", copy)
    missing = {name for name in named if not any((place / name).exists() for place in places)}
    assert not missing
    packages = {path.parent.name for path in (ROOT / "losscli").glob("*/__init__.py")}
    assert packages == set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))


def test_the_tests_of_the_recipes_pass(losscli: Run, copy: Path) -> None:
    files = [str(copy / block.path) for block in blocks(TEXT) if block.path.startswith("tests/")]
    plain = ("-q", "--capture=sys", "-p", "no:cacheprovider", "--rootdir", str(copy))
    done = losscli("pytest", *plain, "-c", str(copy / "pyproject.toml"), *files)
    assert done.code == 0, done.out + done.err
    number = sum(block.code.count("def test_") for block in blocks(TEXT))
    assert f"{number} passed" in done.out


def test_a_loss(losscli: Run) -> None:
    r = np.random.default_rng(0).normal(0, 2, 50)
    words = (kept("p.npy", r + 1), kept("t.npy", np.ones(50)), "--c", "0.7")
    size = np.abs(r)
    expected = np.where(size <= 0.7, size, (r**2 + 0.7**2) / 1.4)
    found = losscli("compute", "reverse-huber", *words, "-f", "value", "--gradient", "slopes.npy")
    assert found.value == pytest.approx(expected.mean(), rel=1e-14)
    np.testing.assert_allclose(np.load("slopes.npy"), np.where(size <= 0.7, np.sign(r), r / 0.7), rtol=1e-12)
    assert losscli("explain", "berhu", "-f", "json").json["name"] == "reverse-huber"
    assert "c=-1 is not in (0, inf)" in losscli("compute", "berhu", *words[:2], "--c", "-1").err


def test_a_loss_in_a_file_of_the_user(losscli: Run, copy: Path) -> None:
    shutil.copy(copy / "capped.py", "capped.py")
    words = (kept("p.npy", [0.5, -3.0, 9.0]), "0", "--c", "2", "-f", "value")
    assert losscli("compute", "capped.py:capped_error", *words).value == (0.5 + 2 + 2) / 3


def test_a_family(losscli: Run) -> None:
    p, t = np.random.default_rng(1).uniform(-9, 9, (2, 40))
    words = (kept("p.npy", p), kept("t.npy", t))
    found = losscli("compute", "circular-distance", *words, "-f", "value", "--gradient", "slopes.npy")
    assert found.value == pytest.approx((1 - np.cos(p - t)).mean(), rel=1e-12)
    np.testing.assert_allclose(np.load("slopes.npy"), np.sin(p - t), atol=1e-14)
    assert [entry["name"] for entry in json.loads(losscli("list", "--family", "circular", "-f", "json").out)] == [
        "circular-distance"
    ]


LOGITS = [("x", 2.0, 0.5), ("y", -1.0, 1.0), ("z", 0.25, 3.0)]
LABELS = [("z", "dog", 3), ("x", "cat", 1), ("y", "cat", 2)]


def softplus(x: float) -> float:
    return float(np.log1p(np.exp(x)))


def objects(name: str, keys: tuple[str, ...], rows: Any) -> str:
    pl.DataFrame(rows, keys, orient="row").write_avro(name)
    return name


def test_a_format_to_read(losscli: Run) -> None:
    p = objects("p.avro", ("id", "cat", "dog"), LOGITS)
    t = objects("t.avro", ("id", "label", "weight"), LABELS)
    each = [softplus(0.5 - 2.0), softplus(1.0 + 1.0), softplus(0.25 - 3.0)]
    words = ("compute", "ce", p, f"{t}:label", "--id", "id")
    assert losscli(*words, "-f", "value").value == pytest.approx(np.mean(each), rel=1e-14)
    weighted = losscli(*words, "--sample-weight", f"{t}:weight", "-f", "csv").rows
    assert [(row["id"], row["target"], row["weight"]) for row in weighted] == [
        ("x", "cat", "1.0"),
        ("y", "cat", "2.0"),
        ("z", "dog", "3.0"),
    ]
    assert [float(row["loss"]) for row in weighted] == pytest.approx(each, rel=1e-14)
    table = written("t.csv", "id,label\nz,dog\ny,cat\nx,cat\n")
    assert losscli("compute", "ce", p, table, "--id", "id", "-f", "value").value == pytest.approx(
        np.mean(each), rel=1e-14
    )
    shards = objects("part-1.avro", ("cat", "dog"), [(2.0, 0.5)]), objects("part-2.avro", ("cat", "dog"), [(0.0, 1.0)])
    assert losscli("compute", "ce", "part-*.avro", kept("t.npy", [0, 1]), "-f", "json").json["samples"] == len(shards)
    assert losscli("check", p, f"{t}:label", "--id", "id", "-f", "json").json["predictions"]["shape"] == [3, 2]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1", "many"], "bad.avro[1], column \"v\": 'many' is not a number"),
        ([1.0, None], 'bad.avro[1], column "v": the cell is empty'),
        ([{"a": 1}], 'bad.avro, column "v": its cells are Struct'),
    ],
)
def test_a_format_to_read_that_is_damaged(losscli: Run, values: list[object], said: str) -> None:
    pl.DataFrame({"v": values}).write_avro("bad.avro")
    found = losscli("compute", "l1", "bad.avro", "0")
    assert (found.code, found.out) == (3, "")
    assert said in found.err
    Path("cut.avro").write_bytes(Path("bad.avro").read_bytes()[:-20])
    assert losscli("compute", "l1", "cut.avro", "0").err.startswith("losscli: cut.avro: not an Avro file")


def test_a_format_to_write(losscli: Run) -> None:
    p = written("p.csv", "who,v\na_b,1.5\nc%,2.5\nd,4\n")
    t = written("t.csv", "who,v,w\nc%,0,3\na_b,1,2\nd,4,1\n")
    words = ("compute", "l1", p, f"{t}:v", "--id", "who", "--sample-weight", f"{t}:w")
    assert losscli(*words, "-o", "rows.tex").code == 0
    assert Path("rows.tex").read_text().splitlines() == [
        r"\begin{longtable}{rrrrr}",
        r"sample & id & target & loss & weight \\",
        r"\hline",
        r"0 & a\_b & 1.0 & 0.5 & 2.0 \\",
        r"1 & c\% & 0.0 & 2.5 & 3.0 \\",
        r"2 & d & 4.0 & 0.0 & 1.0 \\",
        r"\end{longtable}",
    ]
    assert losscli("compute", "l1", kept("p.npy", np.zeros(0)), "0", "-o", "none.tex").code == 3
    assert not Path("none.tex").exists()


def test_an_option(losscli: Run) -> None:
    words = (kept("p.npy", [1.0, 2.0]), kept("t.npy", [1.0, 4.0]))
    assert losscli("compute", "l1", *words, "--tag", "a b", "-f", "json").json["receipt"]["tag"] == "a b"
    assert "--tag" in losscli("compute", "l1", "--help").out
    assert losscli("rank", "l1", *words, "--tag", "a b", "-f", "json").json["receipt"]["tag"] == "a b"
    suite = (
        '[measure.one]\nloss = "l1"\npredictions = "p.npy"\ntargets = "t.npy"\ntag = "a b"\nrequire = ["mean <= 1"]\n'
    )
    assert losscli("run", written("suite.toml", suite)).code == 0


def test_a_command(losscli: Run, copy: Path) -> None:
    words = (kept("p.npy", [1.0, 2.0]), written("t.tsv", "a\tb\n1\t2\n"))
    assert losscli("shape", *words, "-f", "json").json["files"] == [
        {"file": "p.npy", "rows": 2, "columns": 1, "names": ""},
        {"file": "t.tsv", "rows": 1, "columns": 2, "names": "a, b"},
    ]
    assert "| t.tsv |    1 |       2 | a, b  |" in losscli("shape", *words).out
    assert losscli("shape", "none.npy").code == 3
    process = [sys.executable, "-m", "losscli", "--help"]
    done = subprocess.run(process, env=environment(copy), capture_output=True, text=True, check=True)
    assert "Say how many rows and columns files have." in done.stdout


def test_a_finding(losscli: Run) -> None:
    x = np.random.default_rng(2).normal(size=60)
    t = kept("t.npy", x + 0.1)

    def codes(numbers: Any) -> list[str]:
        report = losscli("check", kept("p.npy", numbers), t, "-f", "json").json
        return [finding["code"] for finding in report["findings"]]

    assert "rounded-predictions" in codes(np.round(x, 2))
    assert "rounded-predictions" not in codes(x)
    assert "rounded-predictions" not in codes(np.round(x))
    t = kept("t.npy", x[:40])
    assert "rounded-predictions" not in codes(np.round(x[:40], 2))


def test_a_statistic(losscli: Run) -> None:
    z, y = np.random.default_rng(3).normal(size=(50, 3)), np.random.default_rng(4).integers(0, 3, 50)
    words = (kept("p.npy", z), kept("t.npy", y))
    accuracy = float((z.argmax(axis=1) == y).mean())
    found = losscli("compute", "ce", *words, "-f", "json", "--require", f"accuracy >= {accuracy}")
    assert found.code == 0
    assert found.json["summary"]["accuracy"] == accuracy == losscli("check", *words, "-f", "json").json["accuracy"]
    assert list(found.json["summary"])[-3:] == ["ece", "mce", "accuracy"]
    scores = (kept("p.npy", z[:, 0]), kept("t.npy", y % 2))
    summary = losscli("compute", "bce", *scores, "-f", "json").json["summary"]
    assert summary["accuracy"] == ((z[:, 0] > 0) == (y % 2 == 1)).mean()
    assert "accuracy" not in losscli("compute", "l2", *scores, "-f", "json").json["summary"]
    assert losscli("compute", "l2", *scores, "--require", "accuracy > 0").code == 2


def test_a_reduction(losscli: Run) -> None:
    words = (kept("p.npy", np.zeros((4, 2))), kept("t.npy", [0, 1, -100, 1]), "--ignore-index", "-100")
    words += ("--sample-weight", kept("w.npy", [1.0, 2.0, 5.0, 3.0]), "--reduction", "sum-over-rows-read")
    found = losscli("compute", "ce", *words, "-f", "json").json
    assert found["value"] == pytest.approx(6 * np.log(2) / 4, rel=1e-14)
    assert found["receipt"]["reduction_formula"] == "sum(w * l) / (n + ignored)"


def test_a_call_of_a_library(losscli: Run) -> None:
    r = np.random.default_rng(5).normal(size=(6, 3))
    words = (kept("p.npy", r), "0", "--as", "tf1", "-f")
    assert losscli("compute", "half-squared-error", *words, "value").value == pytest.approx((r**2).sum() / 2, rel=1e-14)
    call = losscli("compute", "tf.nn.l2_loss", *words, "json").json["receipt"]["as"]["call"]
    assert call == "tensorflow.nn.l2_loss(tensorflow.constant(p) - tensorflow.constant(numpy.full(p.shape, 0.0)))"
    calls = losscli("explain", "half-squared-error", "-f", "json").json["libraries"]
    assert "tensorflow.nn.l2_loss(p - t)" in [call["call"] for call in calls]


def test_a_picture(losscli: Run) -> None:
    words = (kept("p.npy", np.random.default_rng(6).normal(size=30)), "0", "-o", "all.svg")
    assert losscli("plot", "samples", "l1", *words).code == 0
    drawn = Path("all.svg").read_text()
    assert "samples with at most this loss, %" in drawn
    assert "share of the total loss, %" in drawn
