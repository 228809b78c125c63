"""What is measured: losses, sizes and options, and how their inputs are made.

It is imported by the process that measures, which has to stay small (see measure.py), so NumPy and Polars are imported
by those functions only that make inputs; and inputs are made in a process of their own:
`python workloads.py WORKLOAD_AS_JSON FOLDER`.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

SEED = 20240
SPREAD = 3  # of logits: a model that is often right, and sometimes sure of what is wrong
PIECE = 4 << 20  # elements that are made at a time, so that memory stays flat
SMALL = 1000  # how many times fewer rows the small workload of a large one has

SOFTMAX = "softmax-cross-entropy"
SIGMOID = "sigmoid-cross-entropy"
FOCAL = "sigmoid-focal"
HUBER = "huber"


@dataclass(frozen=True)
class Workload:
    """A loss, the size of its inputs, and the options it is computed with."""

    name: str
    loss: str
    rows: int
    columns: int | None = None
    """None for predictions of one axis."""
    dtype: str = "float32"
    format: str = "npy"
    options: dict[str, float] = field(default_factory=dict)
    """By the names that losscli's command line and its losses have for them."""
    small: bool = False

    def scaled(self, scale: float) -> "Workload":
        """As many rows as asked for; a small workload stays as it is, for its start-up is the point."""
        return self if self.small else replace(self, rows=max(4, round(self.rows * scale)))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rows,) if self.columns is None else (self.rows, self.columns)

    @property
    def bytes(self) -> int:
        """Of the predictions in memory."""
        return self.rows * (self.columns or 1) * int(self.dtype.removeprefix("float")) // 8

    def files(self, folder: Path) -> tuple[Path, Path]:
        """Predictions and targets. Workloads that differ in options share them."""
        kind = {SOFTMAX: "logits", HUBER: "numbers"}.get(self.loss, "outputs")
        stem = f"{kind}-{'x'.join(map(str, self.shape))}-{self.dtype}"
        return folder / f"{stem}-predictions.{self.format}", folder / f"{stem}-targets.{self.format}"

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def _large() -> Iterator[Workload]:
    for size, rows, columns in (
        ("40Mx10", 40_000_000, 10),
        ("8Mx100", 8_000_000, 100),
        ("1Mx1000", 1_000_000, 1000),
        ("8kx128000", 8_000, 128_000),
    ):
        yield Workload(f"softmax-{size}", SOFTMAX, rows, columns)
        yield Workload(f"smoothed-{size}", SOFTMAX, rows, columns, options={"label_smoothing": 0.1})
    yield Workload("float64-4Mx100", SOFTMAX, 4_000_000, 100, dtype="float64")
    yield Workload("sigmoid-50M", SIGMOID, 50_000_000)
    yield Workload("focal-50M", FOCAL, 50_000_000, options={"gamma": 2.0})
    yield Workload("huber-50M", HUBER, 50_000_000, options={"delta": 1.0})
    # Six decimals are read as float64, by losscli and by every other reader.
    yield Workload("csv-2Mx10", SOFTMAX, 2_000_000, 10, dtype="float64", format="csv")
    yield Workload("csv-20kx1000", SOFTMAX, 20_000, 1000, dtype="float64", format="csv")


def _small(large: Workload) -> Workload:
    family = large.name.partition("-")[0]
    rows = large.rows // SMALL
    size = "x".join([f"{rows // 1000}k" if rows >= 1000 else str(rows), *([str(large.columns)] * bool(large.columns))])
    return replace(large, name=f"{family}-{size}", rows=rows, small=True)


LARGE = tuple(_large())
SMALLS = tuple(_small(workload) for workload in LARGE if "label_smoothing" not in workload.options)
TINY = Workload("tiny-3x3", SOFTMAX, 3, 3, small=True)
WORKLOADS = (TINY, *SMALLS, *LARGE)
LONG = next(workload for workload in LARGE if workload.name == "softmax-1Mx1000")
"""What time and memory against size, and time against threads, are measured on."""
FRACTIONS = (0.01, 0.03, 0.1, 0.3, 1.0)


def make(workload: Workload, folder: Path) -> None:
    """Write predictions and targets, where they are not there already; the same bytes every time."""
    import numpy as np

    floats, whole = np.dtype(workload.dtype), np.dtype(np.int64)
    first, second = (np.random.default_rng((SEED, stream)) for stream in range(2))

    def normal(rng: Any) -> Callable[[tuple[int, ...]], Any]:
        return lambda shape: rng.standard_normal(shape, floats) * floats.type(SPREAD)

    pieces = {"predictions": normal(first)}
    if workload.loss == SOFTMAX:
        pieces["targets"] = lambda shape: second.integers(workload.columns, size=shape[0])
        dtype, header = whole, ["label"]
    elif workload.loss == HUBER:
        pieces["targets"] = normal(second)
        dtype, header = floats, ["target"]
    else:
        pieces["targets"] = lambda shape: second.integers(2, size=shape).astype(floats)
        dtype, header = floats, ["target"]
    predictions, targets = workload.files(folder)
    write = _write_csv if workload.format == "csv" else _write_npy
    names = [f"c{column}" for column in range(workload.columns or 1)]
    write(predictions, workload.shape, floats, names, pieces["predictions"])
    write(targets, workload.shape if dtype == floats else workload.shape[:1], dtype, header, pieces["targets"])


def _runs(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The shapes of pieces that follow each other."""
    step = max(1, PIECE // (shape[1] if len(shape) > 1 else 1))
    return ((min(step, shape[0] - start), *shape[1:]) for start in range(0, shape[0], step))


def _write_npy(path: Path, shape: tuple[int, ...], dtype: Any, names: list[str], piece: Callable[..., Any]) -> None:
    import numpy as np

    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}

    def fill(file: BinaryIO) -> None:
        np.lib.format.write_array_header_1_0(file, described)
        for run in _runs(shape):
            file.write(piece(run).data)

    _write_once(path, fill)


def _write_csv(path: Path, shape: tuple[int, ...], dtype: Any, names: list[str], piece: Callable[..., Any]) -> None:
    import numpy as np
    import polars as pl

    def fill(file: BinaryIO) -> None:
        first = True
        for run in _runs(shape):
            frame = pl.DataFrame(piece(run).reshape(run[0], -1), schema=names)
            if dtype == np.int64:  # a class is written by its name, the header of its column
                frame = frame.select(pl.format("c{}", pl.all()))
                frame.columns = names
            frame.write_csv(file, include_header=first, float_precision=6)
            first = False

    _write_once(path, fill)


def _write_once(path: Path, fill: Callable[[BinaryIO], None]) -> None:
    if path.exists():
        return
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())  # or the disk is written to while something else is measured
    part.rename(path)


def read_once(paths: Iterable[Path]) -> None:
    """Bring files into the page cache, without holding them."""
    room = bytearray(1 << 20)
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while file.readinto(room):
                pass


if __name__ == "__main__":
    make(Workload(**json.loads(sys.argv[1])), Path(sys.argv[2]))
