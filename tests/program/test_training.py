"""examples/training, in its short version: the files and numbers are there, and losscli's are the framework's own.

Both cases train networks for more than a minute, and run with LOSSCLI_LONG=1 only.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import ROOT

NEEDS = {"torch": ("sklearn", "torch"), "keras": ("sklearn", "torch", "keras")}
RUNS = {
    "torch": ["ce", "focal", "smoothing", "center-1"],
    "keras": ["ce", "focal-fit", "focal-loop", "smoothing", "center-1"],
}
EPOCHS = 2


def environment(folder: Path) -> dict[str, str]:
    """This checkout's losscli, and a folder for the settings that Keras writes."""
    return os.environ | {"PYTHONPATH": str(ROOT), "KERAS_HOME": str(folder)}


def trained(framework: str, folder: Path) -> Path:
    """The folder of a short run; the test is skipped where a package is not installed, and without LOSSCLI_LONG=1."""
    if not os.environ.get("LOSSCLI_LONG"):
        pytest.skip("trains for a minute: LOSSCLI_LONG=1 pytest tests/program/test_training.py")
    missing = [name for name in NEEDS[framework] if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: pip install -e '.[dev,frameworks]'")
    words = [
        str(ROOT / "examples" / "training" / "run.py"),
        "--short",
        "--only",
        framework,
        "--out",
        str(folder / "out"),
    ]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "out" / framework


def cross_entropy(logits: Any, labels: Any) -> Any:
    """Of each row, in float64."""
    wide = logits.astype(np.float64)
    largest = wide.max(axis=1)
    rows = np.arange(len(labels))
    return largest + np.log(np.exp(wide - largest[:, None]).sum(axis=1)) - wide[rows, labels]


def numbers(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((case / "numbers.json").read_text())
    return found


def check_files(case: Path) -> None:
    """Every epoch has its files, and every picture is one."""
    labels = np.load(case / "labels.npy")
    for run in RUNS[case.name]:
        for epoch in range(1, EPOCHS + 1):
            at = case / run / f"epoch-{epoch:02}"
            assert np.load(at / "logits.npy").shape == (len(labels), 10)
            assert np.load(at / "features.npy").shape == (len(labels), 2)
            assert (at / "centers.npy").exists() == run.startswith("center")
    pictures = {path.stem for path in (case / "pictures").iterdir() if path.read_bytes().startswith(b"\x89PNG")}
    assert pictures == {"curves", "features", "distributions", "samples", "compare", "strongest"}


def check_numbers(case: Path) -> None:
    """What losscli reports is what NumPy makes of the saved files, and what the framework said."""
    found, labels = numbers(case), np.load(case / "labels.npy")
    assert list(found["curves"]) == RUNS[case.name]
    assert found["agreement"]["compared"] == 3 * EPOCHS * len(RUNS[case.name]) + 1
    for run, curve in found["curves"].items():
        history = json.loads((case / run / "history.json").read_text())
        for epoch in range(EPOCHS):
            logits = np.load(case / run / f"epoch-{epoch + 1:02}" / "logits.npy")
            losses = cross_entropy(logits, labels)
            focal = (-np.expm1(-losses)) ** 2 * losses
            assert curve["cross-entropy"][epoch] == pytest.approx(losses.mean(), rel=1e-5)
            assert curve["focal"][epoch] == pytest.approx(focal.mean(), rel=1e-5)
            assert curve["accuracy"][epoch] == pytest.approx((logits.argmax(axis=1) == labels).mean(), rel=1e-12)
            assert curve["objective"][epoch] == pytest.approx(history[epoch]["objective"], rel=1e-5)
    at = case / "center-1" / f"epoch-{EPOCHS:02}"
    features, centers = np.load(at / "features.npy"), np.load(at / "centers.npy")
    center = ((features.astype(np.float64) - centers[labels]) ** 2).sum(axis=1).mean() / 2
    last = found["curves"]["center-1"]
    assert last["objective"][-1] == pytest.approx(last["cross-entropy"][-1] + center, rel=1e-5)


def check_training(case: Path) -> None:
    for curve in numbers(case)["curves"].values():
        assert curve["objective"][-1] < curve["objective"][0]


def check_refusal(case: Path) -> None:
    """The report ends with an error where the framework says another number: here, a focal loss that is off by 1e-4."""
    history = case / "focal" / "history.json"
    found = json.loads(history.read_text())
    found[0]["objective"] *= 1.0001
    history.write_text(json.dumps(found))
    words = [str(ROOT / "examples" / "training" / "report.py"), str(case)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment(case))
    assert done.returncode == 1
    assert "objective of focal, epoch 1" in done.stderr


# One test a framework: what several share would be trained once for each process of the test runner.


def test_the_torch_case(tmp_path: Path) -> None:
    case = trained("torch", tmp_path)
    check_files(case)
    check_numbers(case)
    check_training(case)
    check_refusal(case)


def test_the_keras_case(tmp_path: Path) -> None:
    case = trained("keras", tmp_path)
    check_files(case)
    check_numbers(case)
    check_training(case)
    # The focal loss as a class, by fit, and as a function, by the loop: the same batches from the same weights.
    curves = numbers(case)["curves"]
    assert curves["focal-fit"]["objective"] == pytest.approx(curves["focal-loop"]["objective"], rel=1e-3)


def test_every_block_of_the_page_is_filled() -> None:
    """By `python examples/training/run.py --docs`; needs no framework."""
    page = (ROOT / "docs" / "training.md").read_text()
    blocks = re.findall(r"<!-- (\S+): made by examples/training/run.py -->\n(.*?)<!-- \1: end -->", page, re.DOTALL)
    assert len(blocks) == page.count("made by examples/training/run.py") > 10
    assert not [name for name, text in blocks if not text.strip()]
