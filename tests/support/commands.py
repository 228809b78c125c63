"""How tests run the command line: what a command did, strict JSON, processes, and the folders of the checkout."""

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
"""The checkout."""


SAMPLE_DATA = ROOT / "sample_data"


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


def npy(array: Any, **how: Any) -> bytes:
    """The bytes of an array as an .npy file."""
    file = io.BytesIO()
    np.save(file, array, **how)
    return file.getvalue()
