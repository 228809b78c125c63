"""What the tests share: a folder of their own, small files in it, and the command line, in this process or another."""

import gc
import io
import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import SAMPLE_DATA, Outcome, start

from losscli.cli.main import run as run_line
from losscli.engine import job as job_module
from losscli.errors import LosscliError
from losscli.findings import CODES, ERROR, NOTE, WARNING, Finding
from losscli.io import csv as csvfile
from losscli.io import typed

_numbers = itertools.count()

gc.disable()  # until all tests are collected: what collecting makes stays to the end


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m quick` or `-m simd`, spare the files without such tests, which would be read and prepared only to be left out."""
    asked = config.option.markexpr
    if asked not in ("quick", "simd") or collection_path.suffix != ".py":
        return None
    return f"mark.{asked}" not in collection_path.read_text(encoding="utf-8") or None


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Spare every later collection of garbage the look at thousands of tests; it takes half of the time else."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let processes that are done take tests from those that are not: some tests take a minute, most a millisecond."""
    from xdist.scheduler import WorkStealingScheduling  # only where it is installed

    return WorkStealingScheduling(config, log)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, as pytest's own, which finds a number for it by a look at all folders before: 4 ms after 8,000 tests."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{next(_numbers)}_{name}"
    path.mkdir()
    return path


@pytest.fixture(autouse=True, scope="session")
def only_documented_findings() -> Iterator[None]:
    """Let errors and findings have codes of the documented list only: people select by them."""
    plain_error, plain_finding = LosscliError.__init__, Finding.__new__

    def error(self: LosscliError, message: str, finding: str | None = None, *more: Any, **named: Any) -> None:
        assert finding is None or finding in CODES, finding
        plain_error(self, message, finding, *more, **named)

    def found(cls: type[Finding], code: str, severity: str, *more: Any, **named: Any) -> Finding:
        assert code in CODES, code
        assert severity in (ERROR, WARNING, NOTE), severity
        return plain_finding(cls, code, severity, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LosscliError, "__init__", error)
        patch.setattr(Finding, "__new__", found)
        yield


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a test runs: its own, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Callable[..., str]:
    """Write text or bytes as they are, and return the file's name."""

    def make(name: str, content: str | bytes) -> str:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    return make


@pytest.fixture
def save(folder: Path) -> Callable[..., str]:
    """Save an array as .npy, and return the file's name."""

    def make(name: str, array: Any, dtype: Any = None) -> str:
        np.save(folder / name, np.asarray(array, dtype), allow_pickle=False)
        return name

    return make


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run a command line in this process."""

    def call(*words: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = run_line(list(words))
        caught = capsys.readouterr()
        return Outcome(code, caught.out, caught.err)

    return call


@pytest.fixture
def compute(run: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Run `losscli compute ...` in this process; JSON unless the words say otherwise."""

    def call(*words: str, stdin: bytes = b"") -> Outcome:
        asked = [] if {"-f", "--format"} & set(words) else ["-f", "json"]
        return run("compute", *words, *asked, stdin=stdin)

    return call


@pytest.fixture
def process(folder: Path) -> Callable[..., Outcome]:
    """Run `python -m losscli` as a process of its own."""

    def call(*words: str, stdin: bytes = b"", **how: Any) -> Outcome:
        with start(*words, stdin=subprocess.PIPE, **how) as started:
            out, err = started.communicate(stdin, timeout=60)
        return Outcome(started.returncode, (out or b"").decode(), (err or b"").decode())

    return call


@pytest.fixture
def started() -> Any:
    """Start processes that a test ends by itself; those still running at its end are killed."""
    running: list[subprocess.Popen[bytes]] = []

    def call(*words: str, **how: Any) -> "subprocess.Popen[bytes]":
        running.append(start(*words, **how))
        return running[-1]

    yield call
    for one in running:
        if one.poll() is None:
            one.kill()
        one.communicate()


@pytest.fixture
def sample_data() -> Path:
    """The sample files of the checkout."""
    return SAMPLE_DATA


@pytest.fixture
def tiny(save: Callable[..., str]) -> tuple[str, str]:
    """The 3 x 3 example of the contract, as float64: names of the logits' file and of the labels'."""
    logits = [[0.7, 1.2, 0.3], [0.4, 0.2, 0.9], [0.6, 0.3, 0.4]]
    return save("logits.npy", logits), save("labels.npy", [1, 2, 0])


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 40 rows and blocks of 9, of whatever kind the file is."""
    monkeypatch.setattr(job_module, "CHUNK_ROWS", 40)
    monkeypatch.setattr(job_module, "BATCH_BYTES", 9 * 7 * 4)
    monkeypatch.setattr(job_module, "ELEMENTWISE", 1)
    monkeypatch.setattr(csvfile, "PIECE", 256)
    monkeypatch.setattr(csvfile, "CHUNK_BYTES", 1500)
    monkeypatch.setattr(csvfile, "SMALL", 0)
    monkeypatch.setattr(typed, "SEGMENT", 100)
    monkeypatch.setattr(typed, "CELLS", 300)


@pytest.fixture(scope="module")
def browser() -> Any:
    """The Chromium that is installed here, driven by Playwright; tests are skipped without either."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed here")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed here")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()
