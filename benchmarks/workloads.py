"""What is measured: losses, sizes and options, and how their inputs are made.

It is imported by the process that measures, which has to stay small (see measure.py), so NumPy and Polars are imported
by those functions only that make inputs; and inputs are made in a process of their own:
`python workloads.py WORKLOAD_AS_JSON FOLDER`.
"""

import json
import math
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
SQUARED = "squared-error"


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
    positions: tuple[int, ...] = ()
    """The axes between the samples and the classes, of which the option class_axis says where they are: `rows` are then
    samples, and `columns` classes."""
    ids: bool = False
    """Whether the rows of both files have text ids of 13 characters, in different order, by which they are joined."""

    def scaled(self, scale: float) -> "Workload":
        """As many rows as asked for; a small workload stays as it is, for its start-up is the point.

        Of samples with positions at least 2 are left, which then are smaller.
        """
        if self.small:
            return self
        if not self.positions:
            return replace(self, rows=max(4, round(self.rows * scale)))
        rows = min(self.rows, max(2, round(self.rows * scale)))
        first = max(4, round(self.positions[0] * scale * self.rows / rows))
        return replace(self, rows=rows, positions=(first, *self.positions[1:]))

    @property
    def table(self) -> "Workload":
        """The same numbers as a table: one row per position, and one column per class."""
        options = {name: value for name, value in self.options.items() if name != "class_axis"}
        return replace(self, rows=self.rows * math.prod(self.positions), positions=(), options=options)

    @property
    def classes_first(self) -> bool:
        return self.options.get("class_axis") == 1

    @property
    def labels(self) -> tuple[int, ...]:
        """The shape of the labels."""
        return (self.rows, *self.positions)

    @property
    def shape(self) -> tuple[int, ...]:
        if self.columns is None:
            return (self.rows,)
        return (self.rows, self.columns, *self.positions) if self.classes_first else (*self.labels, self.columns)

    @property
    def bytes(self) -> int:
        """Of the predictions in memory."""
        return math.prod(self.shape) * int(self.dtype.removeprefix("float")) // 8

    def files(self, folder: Path) -> tuple[Path, Path]:
        """Predictions and targets. Workloads that differ in options share them."""
        kind = {SOFTMAX: "logits", HUBER: "numbers", SQUARED: "numbers"}.get(self.loss, "outputs")
        stem = f"{kind}-{'x'.join(map(str, self.shape))}-{self.dtype}{'-ids' * self.ids}"
        return folder / f"{stem}-predictions.{self.format}", folder / f"{stem}-targets.{self.format}"

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def from_json(said: dict[str, Any]) -> Workload:
    """Return the workload that was written as JSON, in which tuples are lists."""
    return Workload(**said | {"positions": tuple(said["positions"])})


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
    yield Workload("sigmoid-200M", SIGMOID, 200_000_000)
    yield Workload("focal-200M", FOCAL, 200_000_000, options={"gamma": 2.0})
    yield Workload("huber-200M", HUBER, 200_000_000, options={"delta": 1.0})
    yield Workload("squared-200M", SQUARED, 200_000_000)
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
SHAPED = (
    Workload("images-48x21x256x256", SOFTMAX, 48, 21, options={"class_axis": 1}, positions=(256, 256)),
    Workload("tokens-8x2048x32000", SOFTMAX, 8, 32_000, options={"class_axis": -1}, positions=(2048,)),
)
"""Arrays of more than two axes, which are measured against their tables as well."""
OUTPUT = Workload("output-10M", HUBER, 10_000_000)
"""What is written in each format with one row per sample."""
JOIN = Workload("join-10M", SOFTMAX, 10_000_000, 3, format="csv", ids=True)
WORKLOADS = (TINY, *SMALLS, *LARGE, *SHAPED)
LONG = next(workload for workload in LARGE if workload.name == "softmax-1Mx1000")
"""What time and memory against size, and time against threads, are measured on."""
FRACTIONS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def make(workload: Workload, folder: Path) -> None:
    """Write predictions and targets, where they are not there already; the same bytes every time."""
    import numpy as np

    floats, whole = np.dtype(workload.dtype), np.dtype(np.int64)
    first, second = (np.random.default_rng((SEED, stream)) for stream in range(2))

    def normal(rng: Any) -> Callable[[tuple[int, ...]], Any]:
        return lambda shape: rng.standard_normal(shape, floats) * floats.type(SPREAD)

    pieces = {"predictions": normal(first)}
    if workload.ids:
        _write_joined(workload, folder, first, second)
        return
    if workload.positions:
        _write_shaped(workload, folder, pieces["predictions"], lambda n: second.integers(workload.columns, size=n))
        return
    if workload.loss == SOFTMAX:
        pieces["targets"] = lambda shape: second.integers(workload.columns, size=shape[0])
        dtype, header = whole, ["label"]
    elif workload.loss in (HUBER, SQUARED):
        pieces["targets"] = normal(second)
        dtype, header = floats, ["target"]
    else:
        pieces["targets"] = lambda shape: second.integers(2, size=shape).astype(floats)
        dtype, header = floats, ["target"]
    predictions, targets = workload.files(folder)
    names = [f"c{column}" for column in range(workload.columns or 1)]
    for path, shape, kind, head, piece in (
        (predictions, workload.shape, floats, names, pieces["predictions"]),
        (targets, workload.shape if dtype == floats else workload.shape[:1], dtype, header, pieces["targets"]),
    ):
        if workload.format == "csv":
            _write_csv(path, shape, kind, head, piece)
        else:
            _write_npy(path, shape, kind, _runs(shape), piece)


def _runs(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The shapes of pieces that follow each other."""
    step = max(1, PIECE // (shape[1] if len(shape) > 1 else 1))
    return ((min(step, shape[0] - start), *shape[1:]) for start in range(0, shape[0], step))


def _write_shaped(workload: Workload, folder: Path, logits: Callable[..., Any], labels: Callable[[int], Any]) -> None:
    """Write the numbers that the workload's table has, with the classes in their axis; a sample at a time where it turns them."""
    import numpy as np

    table = workload.table
    predictions, targets = workload.files(folder)

    def turned(run: tuple[int, ...]) -> Any:
        return np.ascontiguousarray(logits(run).T)

    each = (
        [(math.prod(workload.positions), table.columns)] * workload.rows
        if workload.classes_first
        else _runs(table.shape)
    )
    _write_npy(
        predictions, workload.shape, np.dtype(workload.dtype), each, turned if workload.classes_first else logits
    )
    runs = _runs((table.rows,))
    _write_npy(targets, workload.labels, np.dtype(np.int64), runs, lambda run: labels(run[0]))


def _write_npy(
    path: Path, shape: tuple[int, ...], dtype: Any, runs: Iterable[tuple[int, ...]], piece: Callable[..., Any]
) -> None:
    """Write an array of a shape from pieces that follow each other in the file; `runs` are what `piece` is given."""
    import numpy as np

    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}

    def fill(file: BinaryIO) -> None:
        np.lib.format.write_array_header_1_0(file, described)
        for run in runs:
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


def _write_joined(workload: Workload, folder: Path, first: Any, second: Any) -> None:
    """Write logits in the order of their ids, and the names of classes in another one."""
    import numpy as np
    import polars as pl

    assert workload.columns is not None
    names = [f"c{column}" for column in range(workload.columns)]
    ids = pl.Series("id", np.arange(workload.rows)).cast(pl.String).str.zfill(13)
    logits = first.standard_normal((workload.rows, workload.columns), np.float32) * np.float32(SPREAD)
    labels = pl.Series("label", names).gather(second.integers(workload.columns, size=workload.rows))
    tables = (
        pl.DataFrame(logits, schema=names).insert_column(0, ids),
        pl.DataFrame([ids.gather(second.permutation(workload.rows)), labels]),
    )
    for path, table in zip(workload.files(folder), tables, strict=True):
        _write_once(path, lambda file, table=table: table.write_csv(file, float_precision=6))


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
    make(from_json(json.loads(sys.argv[1])), Path(sys.argv[2]))
