"""The rows worth looking at: those with the largest losses, their predictions, and how concentrated the loss is.

One pass keeps the worst rows of each batch and of all batches so far; memory grows with the number of
rows asked for, not with the file.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array, times
from losscli.data.slices import SliceColumn
from losscli.definition.request import Request
from losscli.engine.aggregates import GroupMoments, Quantiles, divide
from losscli.engine.batch import Batch
from losscli.engine.classes import classes, contributions, groups_of, names_classes, predicted, probabilities
from losscli.engine.collector import BatchCollector
from losscli.engine.collectors.breakdown import concentration
from losscli.engine.evaluate import ChunkResult
from losscli.engine.job import Job
from losscli.engine.resampling import student_interval
from losscli.errors import UsageError
from losscli.io.bytes import Looked
from losscli.measurement.class_labels import group_names, output_names
from losscli.measurement.measure import Measurement
from losscli.measurement.per_sample import places, targets
from losscli.measurement.prepare import prepare
from losscli.measurement.receipt import signature
from losscli.measurement.result import Result
from losscli.records import NamedTuple, dataclass, field, replace
from losscli.shown import Shown

if TYPE_CHECKING:
    from losscli.io.source import Source


MOST_ROWS = 100_000
WORST = (0.01, 0.05, 0.1, 0.5)
"""Shares of the rows for which the share of the loss is told."""
BY_CLASS = "class"


class Worst(NamedTuple):
    """Mergeable record: the rows with the largest losses, the worst first; of equal losses the first rows."""

    most: int
    columns: dict[str, Array]
    """Arrays of 'row', 'loss', and further facts about each row."""

    @classmethod
    def of(cls, most: int, columns: dict[str, Array]) -> "Worst":
        """Return the worst rows of some rows."""
        order = np.lexsort((columns["row"], -columns["loss"]))[:most]
        return cls(most, {name: column[order] for name, column in columns.items()})

    def __add__(self, other: "Worst") -> "Worst":  # type: ignore[override]
        joined = {name: np.concatenate([column, other.columns[name]]) for name, column in self.columns.items()}
        return Worst.of(self.most, joined)


class Slices(NamedTuple):
    """Mergeable record of groups: moments of their losses, and weighted sums."""

    losses: GroupMoments
    sums: Array
    """Sum of weight times loss of each group."""

    @classmethod
    def of(cls, index: Array, losses: Array, weighted: Array, k: int) -> "Slices":
        """Return the record of k groups from the group, the loss, and weight times loss of each row."""
        return cls(GroupMoments.of(index, losses, k), np.bincount(index, weighted, k))

    def __add__(self, other: "Slices") -> "Slices":  # type: ignore[override]
        return Slices(self.losses + other.losses, self.sums + other.sums)


class Seen(NamedTuple):
    """Mergeable record of a pass."""

    worst: Worst
    slices: Slices | None
    confidence: GroupMoments | None
    """For each class the probability that its own rows give it."""
    contributions: Quantiles

    def __add__(self, other: "Seen") -> "Seen":  # type: ignore[override]
        return Seen(
            self.worst + other.worst,
            None if self.slices is None or other.slices is None else self.slices + other.slices,
            None if self.confidence is None or other.confidence is None else self.confidence + other.confidence,
            self.contributions + other.contributions,
        )


@dataclass(frozen=True)
class Ranker(BatchCollector):
    """Keeps the worst rows of each batch, and the moments of its groups."""

    record = Seen

    top: int
    by_class: bool
    codes: "Source | None"
    """The group of each row, if a column tells it."""
    slices: int

    def of(self, job: Job, batch: Batch) -> Seen:
        weighted = contributions(batch)
        label = classes(job, batch.targets) if names_classes(job) else None
        takes = job.loss.family.takes_from
        chances = probabilities(job, batch.predictions) if takes and label is not None else None
        return Seen(
            self._worst(job, batch, label, chances),
            self._slices(job, batch, weighted),
            None if chances is None or label is None else _confidence(job, label, chances),
            Quantiles.of(weighted, many=job.samples > 1_000_000),
        )

    def _worst(self, job: Job, batch: Batch, label: Array | None, chances: Array | None) -> Worst:
        """Return the worst rows of a batch."""
        losses = batch.losses.astype(np.float64)
        # A row that is not among the worst of its batch is not among the worst of all. NaN is an error after the pass.
        some = min(self.top, len(losses))
        picked = np.argpartition(-losses, some - 1)[:some] if some else np.zeros(0, np.int64)
        if some:  # of rows as bad as the last one, take the first
            least = losses[picked].min()
            picked = np.concatenate([np.flatnonzero(losses > least), np.flatnonzero(losses == least)])[: self.top]
        target = batch.targets[picked]
        if batch.present is not None and target.ndim == 2:  # what does not exist holds a number that the loss takes
            target = np.where(batch.present[picked], target, np.nan)
        columns = {"row": batch.rows[picked], "loss": losses[picked], "target": target}
        if batch.weights is not None:
            columns["weight"] = batch.weights[picked]
        columns |= _details(job, batch, picked, label, chances)
        return Worst.of(self.top, columns)

    def _slices(self, job: Job, batch: Batch, weighted: Array) -> Slices | None:
        if self.codes is not None:
            index = self.codes.read(batch.first, batch.first + _height(batch))
            index = index if batch.kept is None else index[batch.kept]
        elif self.by_class:
            index = classes(job, batch.targets)
        else:
            return None
        return Slices.of(index, batch.losses, weighted, self.slices)


def _height(batch: Batch) -> int:
    """Return the number of the file's rows in a batch, including those that are ignored."""
    return len(batch.targets) if batch.kept is None else len(batch.kept)


def _of_class(p: Array, index: Array) -> Array:
    """Return the probability of one class per row, shape (n,)."""
    return np.where(index == 1, p, 1 - p) if p.ndim == 1 else p[np.arange(len(p)), index]


def _confidence(job: Job, label: Array, chances: Array) -> GroupMoments:
    return GroupMoments.of(label, np.nan_to_num(_of_class(chances, label)), max(job.encoding.k, 2))


def _details(job: Job, batch: Batch, picked: Array, label: Array | None, chances: Array | None) -> dict[str, Array]:
    """Return facts about the picked rows besides their losses, as columns."""
    x = batch.predictions[picked]
    rows = np.arange(len(picked))
    if label is not None:
        label, guess = label[picked], predicted(job, x)
        columns = {"label": label, "predicted": guess}
        scores = x.astype(np.float64)
        if chances is not None:
            scores = chances[picked]
            columns |= {"p_target": _of_class(scores, label), "p_predicted": _of_class(scores, guess)}
        if x.ndim == 1:
            margin = (2 * scores - 1 if chances is not None else scores) * np.where(label == 1, 1, -1)
        else:
            others = scores.copy()
            others[rows, label] = -np.inf
            with np.errstate(invalid="ignore"):
                margin = scores[rows, label] - others.max(axis=1)
        return columns | {"margin": margin}
    if job.several:
        values = batch.values[picked]
        worst = values.argmax(axis=1) if len(values) else np.zeros(0, np.int64)
        return {"output": worst, "output_loss": values[rows, worst].astype(np.float64)}
    if job.loss.family.target_type == "numbers" and x.ndim == 1 and batch.targets.ndim == 1:
        with np.errstate(all="ignore"):
            return {"prediction": x.astype(np.float64), "residual": x.astype(np.float64) - batch.targets[picked]}
    return {}


@dataclass(repr=False)
class Ranked(Shown):
    """The result of a ranking: the worst rows, the groups, and how concentrated the loss is."""

    result: Result
    rows: list[dict[str, Any]]
    slices: list[dict[str, Any]] | None
    concentration: dict[str, Any] | None
    by: str | None
    measurement: Measurement
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        result = self.result
        return {
            "loss": result.loss,
            "parameters": dict(result.parameters),
            "value": result.value,
            "reduction": result.reduction,
            "samples": result.samples,
            "ignored": result.ignored,
            "rows": self.rows,
            **({} if self.slices is None else {"by": self.by, "slices": self.slices}),
            "concentration": self.concentration,
            "receipt": result.receipt,
            "signature": signature(result.receipt),
        }


def rank(
    request: Request,
    top: int,
    by: str | None = None,
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    begun: Callable[[Measurement], None] = lambda measurement: None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Ranked:
    """Find the rows with the largest losses, before weights.

    Parameters
    ----------
    top
        number of rows.
    by
        by what rows are grouped: 'class', or the column that the request names; None for no groups.
    begun
        called with the measurement before the pass.
    seen
        called with the number of rows done so far.

    Raises
    ------
    UsageError
        if losses do not belong to rows, or there are no such groups.
    DataError
        if files cannot be used, or rows have no loss.
    """
    _check_options(request, top, by)
    measurement = prepare(request, looked=looked)
    _check_masks(measurement)
    grouped = by == BY_CLASS and not request.by
    names, words = _names_of_slices(measurement, by, grouped), next(iter(measurement.slices), None)
    begun(measurement)
    if measurement.job.unit == "row":
        measurement.observe(Ranker(top, grouped, None if words is None else words.codes, len(names)))
        result = measurement.run(threads=threads, seen=seen)
        ranking = result.aggregate[Seen]
    else:
        result, ranking = _of_units(measurement, top, threads, seen)
    slices = None if ranking.slices is None else _listed_slices(ranking.slices, names)
    return Ranked(
        result,
        _listed(measurement, ranking, names if words is not None else None),
        slices,
        _concentrated(ranking.contributions),
        by,
        measurement,
        measurement.notes,
    )


def _of_units(
    measurement: Measurement, top: int, threads: int | None, seen: Callable[[int], None]
) -> tuple[Result, Seen]:
    """Rank units of several positions, of which nothing is known but their losses and weights."""
    measurement.job = replace(measurement.job, rows=True)
    parts: list[Seen] = []

    def consume(chunk: ChunkResult) -> None:
        for rows in chunk.rows:
            losses = rows.loss.astype(np.float64)
            columns = {"row": rows.sample, "loss": losses} | ({} if rows.weight is None else {"weight": rows.weight})
            weighted = losses if rows.weight is None else times(rows.weight, losses)
            found = Seen(Worst.of(top, columns), None, None, Quantiles.of(weighted))
            parts[:] = [found if not parts else parts[0] + found]

    result = measurement.run(consume, threads, seen)
    return result, parts[0]


def _check_options(request: Request, top: int, by: str | None) -> None:
    """Raise a UsageError if there is nothing to list, or the losses are not those of rows."""
    loss = request.loss.declaration
    if not 0 <= top <= MOST_ROWS:
        raise UsageError(f"--top {top} is not in 0 ... {MOST_ROWS:,}")
    if not top and by is None:
        raise UsageError("--top 0: there is nothing to list; say --by class or --by COLUMN, or another number")
    if loss.family.custom and request.per == "file":
        raise UsageError(f"{loss.name} is a loss of masks or of the whole file, not of rows that could be ranked")


def _check_masks(measurement: Measurement) -> None:
    """Raise a UsageError if masks go through the whole file, unless one number per row makes it one mask anyway."""
    job, loss = measurement.job, measurement.request.loss.declaration
    one = loss.family.coupled == "masks" and measurement.request.per is None
    if job.masks is not None and not job.within_samples and not one:
        raise UsageError(
            f"{loss.name} is a loss of masks or of the whole file, not of rows that could be ranked"
            + (": say --per sample" if job.layout is not None else "")
        )


def _names_of_slices(measurement: Measurement, by: str | None, by_class: bool) -> list[str]:
    """Return the names of the slices: of the classes, or the words of a column; none if rows are not grouped.

    Raises a UsageError if the rows have no such groups, and a DataError if a column has too many different words.
    """
    job, words, loss = measurement.job, next(iter(measurement.slices), None), measurement.request.loss.declaration
    if not job.of_rows and by is not None:
        raise UsageError(f"--by {by}: {loss.name} has one loss for several numbers together, which belong to no group")
    if job.unit != "row" and by is not None:
        raise UsageError(
            f"--by {by}: units of several positions belong to no group; say --per position, or leave it out"
        )
    if by_class and groups_of(job) != "classes":
        raise UsageError(f"--by class: the targets of {loss.name} name no class; name a column")
    if by_class:
        return group_names(job, measurement.decoded)
    return [] if words is None else list(words.names)


def _listed(measurement: Measurement, ranking: Seen, words: list[str] | None) -> list[dict[str, Any]]:
    """Return the worst rows as records, with the keys of compute's per-sample output and further ones."""
    columns = ranking.worst.columns
    masks = not measurement.job.of_rows
    rows = columns["row"]
    ascending = np.argsort(rows)
    if measurement.units.layout is None and measurement.job.unit == "row":
        original = np.empty(len(rows), np.int64)
        original[ascending] = rows[ascending] if masks else _original(measurement, rows[ascending])
        listed: dict[str, list[Any]] = {"sample": original.tolist()}
    else:
        back = np.argsort(ascending)
        ordered = places(measurement, rows[ascending], masks, nested=True)
        listed = {name: np.asarray(column)[back].tolist() for name, column in ordered.items()}
    if measurement.ids is not None and not masks and "sample" in listed and measurement.units.kind != "file":
        original = np.array(listed["sample"], np.int64)
        ascending = np.argsort(original)
        in_order = original[ascending]
        ids = dict(zip(in_order.tolist(), measurement.ids.take(in_order), strict=False))
        listed["id"] = [ids[row] for row in listed["sample"]]
    listed |= _of_losses(measurement, columns, ranking.confidence)
    if words is not None:
        listed["slice"] = [words[code] for code in _codes(measurement.slices[0], rows[ascending], ascending)]
    return [dict(zip(listed, values, strict=True)) for values in zip(*listed.values(), strict=True)]


def _of_losses(
    measurement: Measurement, columns: dict[str, Array], confidence: GroupMoments | None
) -> dict[str, list[Any]]:
    """Return the target, the loss and what was predicted of each of the worst rows, by the key of a record.

    `columns` are the rows as the pass kept them.
    """
    label = columns.get("label")
    names = class_names(measurement) if label is not None else None
    listed: dict[str, list[Any]] = {}
    if "target" not in columns:
        pass
    elif names is None or label is None:
        listed["target"] = [_plain(value) for value in targets(measurement, columns["target"])]
    else:
        listed["target"] = [names(int(index)) for index in label]
    listed |= _numbers(columns, ("loss", "weight"))
    if names is not None:
        listed["predicted"] = [names(int(index)) for index in columns["predicted"]]
    if "output" in columns:
        outputs = output_names(measurement.job, measurement.decoded)
        listed["output"] = [outputs[int(index)] for index in columns["output"]]
    listed |= _numbers(columns, ("p_target", "p_predicted", "margin", "output_loss", "prediction", "residual"))
    if names is not None:
        listed["suggested"] = _names_suggested(columns, confidence, listed["predicted"])
    return listed


def _numbers(columns: dict[str, Array], names: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return those of some columns that there are, as plain numbers."""
    return {name: [float(value) for value in columns[name]] for name in names if name in columns}


def _names_suggested(columns: dict[str, Array], confidence: GroupMoments | None, predicted: list[Any]) -> list[Any]:
    """Return for each row the predicted class if it is a better label than the row's own, else None."""
    suggested = _suggested(columns, confidence)
    return [name if suggested is not None and suggested[i] else None for i, name in enumerate(predicted)]


def _codes(words: SliceColumn, ascending: Array, order: Array) -> Array:
    """Return the groups of some rows in the rows' own order, from the rows in ascending order."""
    codes = np.empty(len(order), np.int64)
    codes[order] = [int(words.codes.read(row, row + 1)[0]) for row in ascending.tolist()]
    return codes


def _original(measurement: Measurement, rows: Array) -> Array:
    """Return the rows of the file that some rows are; they ascend, and may be far apart."""
    selection = measurement.units.selection
    return rows if selection is None else np.array([selection.original(int(row)) for row in rows], np.int64)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def class_names(measurement: Measurement) -> Callable[[int], Any]:
    """Return a function that gives a class as it is in the targets: its name, or its index as in the file."""
    encoding, decoded = measurement.job.encoding, measurement.decoded
    if encoding.kind == "signed":
        return lambda index: 1 if index else -1
    named = encoding.kind in ("name", "one-hot") or (encoding.kind == "binary" and not encoding.one_hot)
    if decoded.classes and named:
        known = decoded.classes
        return lambda index: known[index]
    return lambda index: index + decoded.base


def _suggested(columns: dict[str, Array], confidence: GroupMoments | None) -> Array | None:
    """Return whether the predicted class is a better label: its probability is at least the
    mean that its own rows give it.

    This is the rule of confident learning (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068).
    """
    if confidence is None:
        return None
    guess = columns["predicted"]
    known = confidence.n[guess] > 0
    return np.asarray((guess != columns["label"]) & known & (columns["p_predicted"] >= confidence.mean[guess]))


def _listed_slices(groups: Slices, names: list[str]) -> list[dict[str, Any]]:
    """Return the groups as records, with Student's interval of the mean, the one with the largest mean loss first."""
    losses, total = groups.losses, float(groups.sums.sum())
    listed = []
    for i in losses.falling():
        n, mean = int(losses.n[i]), float(losses.mean[i])
        low, high = student_interval(n, mean, losses.squares[i]) if math.isfinite(mean) else (math.nan, math.nan)
        share = divide(float(groups.sums[i]), total) if math.isfinite(total) and total > 0 else math.nan
        listed.append({"slice": names[i], "rows": n, "mean": mean, "interval": [low, high], "share": share})
    return listed


def _concentrated(losses: Quantiles) -> dict[str, Any] | None:
    """Return the share of the loss in the worst rows; None if losses are negative or their sum is not finite."""
    values, counts = losses.spectrum()
    with np.errstate(over="ignore"):
        total = float((values * counts).sum())
    if not len(values) or not (total > 0 and math.isfinite(total) and values[0] >= 0):
        return None
    rows, share = concentration(values, counts)
    half = float(np.interp(0.5, share, rows))
    worst = [{"part": part, "share": float(np.interp(part, rows, share))} for part in WORST]
    return {"worst": worst, "half_of_the_loss": half}
