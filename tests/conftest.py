"""What the tests share: a folder of their own, small files in it, and the command line, in this process or another."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscli.cli.main import run as run_line

SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as strict JSON: a bare NaN or Infinity is an error."""
        assert self.code in (0, 1), self.err
        return strict(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines, each of them strict."""
        assert self.code in (0, 1), self.err
        return [strict(line) for line in self.out.splitlines()]

    @property
    def value(self) -> float:
        """Standard output of `-f value`."""
        assert self.code in (0, 1), self.err
        return float(self.out)

    def refuses(self, code: int, *parts: str) -> None:
        """Assert an error: its code, nothing on standard output, one line on standard error that holds every part."""
        assert (self.code, self.out) == (code, ""), f"exit {self.code}, out {self.out!r}, err {self.err!r}"
        assert self.err.startswith("losscli: "), self.err
        assert self.err.endswith("\n"), self.err
        assert self.err.count("\n") == 1, self.err
        missing = [part for part in parts if part not in self.err]
        assert not missing, f"{missing} not in {self.err!r}"


def strict(text: str) -> dict[str, Any]:
    """Parse JSON as the standard has it: NaN and Infinity are no JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


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


def start(*words: str, **how: Any) -> "subprocess.Popen[bytes]":
    """Start `python -m losscli` as a process of its own, in which Python's warnings are errors."""
    # Of a test runner in the background, or under nohup, children would inherit that these are ignored.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "losscli", *words],
        stdout=how.pop("stdout", subprocess.PIPE),
        stderr=how.pop("stderr", subprocess.PIPE),
        env={**os.environ, **how.pop("env", {})},
        **how,
    )


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
