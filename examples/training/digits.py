"""What both frameworks share: the digits, the runs, the order of the batches, and how an epoch is saved.

It knows no framework. A run's folder holds, for each epoch, `epoch-NN/logits.npy` and `epoch-NN/features.npy` of the
test split, of runs with a center loss `epoch-NN/centers.npy`, and `history.json`: the numbers of the framework itself,
which losscli's are compared with.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

CLASSES = 10
FEATURES = 2
"""So that they can be drawn as they are."""
SLOPE = 0.1
"""Of the leaky rectifiers, below 0: both frameworks have another default."""
TEST_ROWS = 360
EPOCHS, SHORT_EPOCHS = 12, 2
SHORT_ROWS = 320
"""Rows of the training split that a short run sees."""
BATCH = 32
RATE = 0.01
"""Adam's, at the first step; it falls to 0 along half a cosine, without which the last epochs are a lottery."""
GAMMA = 2.0
SMOOTHING = 0.1
ALPHA = 0.5
"""Of the paper's rule for the centers."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Run:
    """A training: its name, what it minimises, and how it is trained.

    `loss` is ce, focal or smoothing; `weight` is lambda, the factor of the center loss; `way` is what trains it, `fit`
    for compile and fit (Keras only) and `loop` for a written loop; `form` is that of a custom loss.
    """

    name: str
    loss: str = "ce"
    weight: float = 0.0
    seed: int = 0
    way: str = "loop"
    form: str = "function"


WEIGHTS = (0.001, 0.01, 0.1, 1.0)
CENTERED = tuple(Run(f"center-{weight:g}", weight=weight) for weight in WEIGHTS)
RUNS = {
    "torch": (
        Run("ce"),
        Run("focal", "focal", form="class"),
        Run("smoothing", "smoothing"),
        Run("ce-seed-1", seed=1),
        *CENTERED,
    ),
    "keras": (
        Run("ce", way="fit"),
        Run("focal-fit", "focal", way="fit", form="class"),
        Run("focal-loop", "focal"),
        Run("smoothing", "smoothing", way="fit"),
        *CENTERED,
    ),
}
SHORT = {
    "torch": ("ce", "focal", "smoothing", "center-1"),
    "keras": ("ce", "focal-fit", "focal-loop", "smoothing", "center-1"),
}


@dataclass(frozen=True)
class Digits:
    """8 x 8 images, grey levels from 0 to 1, and their labels; the split is that of sample_data."""

    images: Array
    labels: Array
    test_images: Array
    test_labels: Array

    @classmethod
    def load(cls, short: bool) -> "Digits":
        pixels, labels = load_digits(return_X_y=True)
        train, test = train_test_split(np.arange(len(labels)), test_size=TEST_ROWS, random_state=0, stratify=labels)
        train, test = np.sort(train)[: SHORT_ROWS if short else None], np.sort(test)
        images = (pixels / 16).astype(np.float32).reshape(-1, 8, 8)
        return cls(images[train], labels[train].astype(np.int64), images[test], labels[test].astype(np.int64))


def order(rows: int, seed: int, epoch: int) -> list[Array]:
    """The batches of an epoch, as numbers of rows: the same for every framework and way of training."""
    shuffled = np.random.default_rng([seed, epoch]).permutation(rows)
    return [shuffled[start : start + BATCH] for start in range(0, rows, BATCH)]


class Case:
    """The folder of a framework's runs: what is trained there, and what is saved."""

    def __init__(self, framework: str, folder: Path, short: bool) -> None:
        names = SHORT[framework] if short else tuple(run.name for run in RUNS[framework])
        self.framework, self.folder, self.short = framework, folder, short
        self.runs = [run for run in RUNS[framework] if run.name in names]
        self.epochs = SHORT_EPOCHS if short else EPOCHS
        self.digits = Digits.load(short)
        self.steps = self.epochs * len(order(len(self.digits.labels), 0, 0))

    def train(self, train: Callable[["Case", Run], Sequence[dict[str, Any]]], versions: dict[str, str]) -> None:
        """Train all runs, and say which."""
        self.folder.mkdir(parents=True, exist_ok=True)
        np.save(self.folder / "labels.npy", self.digits.test_labels)
        done = []
        for run in self.runs:
            start = time.perf_counter()
            history = train(self, run)
            seconds = time.perf_counter() - start
            _write(self.folder / run.name / "history.json", list(history))
            done.append(asdict(run) | {"seconds": round(seconds, 1)})
            print(f"{self.framework}: {run.name}: {seconds:.1f} s, {history[-1]}", flush=True)
        about = {"framework": self.framework, "versions": versions, "epochs": self.epochs, "short": self.short}
        _write(self.folder / "case.json", about | {"runs": done})

    def save(self, run: Run, epoch: int, **arrays: Any) -> None:
        """Save arrays of an epoch, from 1 on; those that are None are not there."""
        folder = self.folder / run.name / f"epoch-{epoch:02}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in arrays.items():
            if array is not None:
                np.save(folder / f"{name}.npy", np.asarray(array))

    def save_step(self, run: Run, features: Any, labels: Any, before: Any, after: Any) -> None:
        """Save the last move of the centers, for `losscli centers` to make again."""
        folder = self.folder / run.name / "last-batch"
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in {"features": features, "labels": labels, "before": before, "after": after}.items():
            np.save(folder / f"{name}.npy", np.asarray(array))

    def batches(self, run: Run, epoch: int) -> Iterator[tuple[Array, Array]]:
        """Images and labels of an epoch's batches."""
        for rows in order(len(self.digits.labels), run.seed, epoch):
            yield self.digits.images[rows], self.digits.labels[rows]


def _write(path: Path, what: Any) -> None:
    path.write_text(json.dumps(what, indent=1) + "\n")
