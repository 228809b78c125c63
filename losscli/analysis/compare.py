"""Whether one model is better than another: their losses row by row, the mean difference, and how certain it is.

Each model's losses are computed in a pass of their own and kept on the disk, 8 bytes per row of its file. Then the
rows are paired, by id or by position, and one pass over the pairs keeps sums, cells of almost equal differences,
and the rows that changed most.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from losscli.arrays import Array
from losscli.data.weights import rule_of
from losscli.definition.request import Request
from losscli.definition.resampling import Resampling
from losscli.engine.aggregates import GroupMoments, Moments, Total, divide
from losscli.engine.job import Job
from losscli.engine.resampling import (
    EXACT_ROWS,
    LEAST_ROWS,
    Cells,
    Map,
    Rows,
    holm,
    interval,
    resampled,
    resampled_cells,
    serially,
    sign_flips,
    student_interval,
)
from losscli.engine.threads import available_threads, pool
from losscli.errors import DataError, UsageError
from losscli.io.bytes import Looked
from losscli.io.operands import Opener
from losscli.io.source import SCAN_BYTES, MemorySource, Source, whole
from losscli.measurement.class_labels import group_names
from losscli.measurement.measure import Measurement
from losscli.measurement.per_sample import targets
from losscli.measurement.receipt import signature
from losscli.measurement.row_losses import Scored, score
from losscli.wording import count, listing

if TYPE_CHECKING:
    from losscli.io.join import Selection

FARTHEST_COMPARED = 1e150
"""Of larger numbers, the sum of the squares of many may overflow a float64."""


ROUNDED = 1e-9
"""An end of an interval that is so small a part of the difference is 0, but for rounding: where few rows differ, many resamples
have none of them.
"""


@dataclass(frozen=True)
class Terms:
    """Options of a comparison.

    `margin` is how much larger a mean loss may be without being worse, `confidence` that of the interval, `resamples`
    the number of resamples, and `top` the number of changed rows to list.
    """

    margin: float = 0.0
    confidence: float = 0.95
    resamples: int = 10_000
    seed: int = 0
    top: int = 5

    def __post_init__(self) -> None:
        if not (self.margin >= 0 and math.isfinite(self.margin)):
            raise UsageError(f"--margin {self.margin:g} is not a number >= 0")
        Resampling(self.confidence, self.resamples, self.seed).check()
        if not 0 <= self.top <= 10_000:
            raise UsageError(f"--top {self.top} is not in 0 ... 10000")

    def verdict(self, low: float, high: float) -> str:
        """Return the verdict from the interval of the mean difference; NaN gives 'inconclusive'."""
        if low > self.margin:
            return "worse"
        if high < 0:
            return "better"
        return "better or equal" if high <= self.margin else "inconclusive"


@dataclass
class Changed:
    """The rows on which a model lost or won most: columns row, loss of each model, and difference;
    the largest first.
    """

    most: int
    rows: Array = field(default_factory=lambda: np.zeros((0, 4)))

    def add(self, rows: Array, first: Array, second: Array, difference: Array) -> None:
        """Take rows, of which those with the largest positive differences are kept."""
        if not self.most:
            return
        least = self.rows[-1, 3] if len(self.rows) == self.most else 0.0
        larger = difference > least  # of equal differences the first ones are kept
        candidates = np.stack([part[larger] for part in (rows.astype(np.float64), first, second, difference)], axis=1)
        joined = np.concatenate([self.rows, candidates])
        self.rows = joined[np.lexsort((joined[:, 0], -joined[:, 3]))[: self.most]]


class Paired(NamedTuple):
    """Losses of two models for the same rows, in the order of the first model's rows."""

    rows: Array
    """The rows' numbers in the first model's file."""
    first: Array
    second: Array
    weights: Array | None
    classes: Array | None

    @property
    def difference(self) -> Array:
        return self.second - self.first


@dataclass
class Meeting:
    """Two models whose rows are paired; it can be iterated over as often as needed."""

    first: Scored
    other: Scored
    losses: tuple[Source, Source]
    weights: Source | None
    classes: Source | None
    selection: "Selection | None"
    notes: list[str]

    @classmethod
    def of(cls, first: Scored, other: Scored) -> "Meeting":
        """Bring the losses of the other model into the order of the first one's.

        Raises
        ------
        DataError
            if the numbers of rows differ or, unless they are dropped, ids have no partner.
        """
        if first.measurement.job.lists is not None:
            paired = _of_same_lists(first, other)
            return cls(first, other, (first.losses, paired), first.weights, None, None, [])
        first_ids, other_ids = first.measurement.ids, other.measurement.ids
        if first_ids is None or other_ids is None or first_ids.table is other_ids.table:
            rows = [model.losses.shape[0] for model in (first, other)]
            if rows[0] != rows[1]:
                raise DataError(
                    f"{first.name} has {count(rows[0], 'row')} and {other.name} {rows[1]:,}: each needs its partner; join by a "
                    "common column with --id"
                )
            return cls(first, other, (first.losses, other.losses), first.weights, first.classes, None, [])
        from losscli.io.join import meet

        drop = first.measurement.request.on_unmatched == "drop"
        met = meet([(first_ids.table, first_ids.number), (other_ids.table, other_ids.number)], drop)
        way = met.others[0]
        other_losses = other.losses if way is None else way.numbers(other.losses)

        def kept_rows(source: Source | None) -> Source | None:
            return source if met.selection is None or source is None else met.selection.numbers(source)

        losses = kept_rows(first.losses)
        assert losses is not None
        return cls(
            first,
            other,
            (losses, other_losses),
            kept_rows(first.weights),
            kept_rows(first.classes),
            met.selection,
            met.notes,
        )

    def __iter__(self) -> Iterator[Paired]:
        """Yield the rows for which both models have a loss, some at a time."""
        height = self.losses[0].shape[0]
        step = SCAN_BYTES // 8
        for start in range(0, height, step):
            stop = min(start + step, height)
            first, second = (source.read(start, stop) for source in self.losses)
            counted = ~(np.isnan(first) | np.isnan(second))
            rows = np.arange(start, stop) if self.selection is None else self.selection.rows.read(start, stop)
            weights, labels = (
                None if source is None else source.read(start, stop) for source in (self.weights, self.classes)
            )
            if weights is not None:
                counted &= weights != 0  # rows of weight 0 do not count, whatever their loss
            kept = (None if part is None else part[counted] for part in (weights, labels))
            yield Paired(rows[counted], first[counted], second[counted], *kept)

    @property
    def rows(self) -> int:
        """Number of paired rows, including those without a loss."""
        return self.losses[0].shape[0]


@dataclass
class Comparison:
    """The result of comparing a model with the first one."""

    model: str
    values: tuple[float, float]
    """The mean loss of the first model and of the other, over the rows that both have."""
    samples: int
    difference: float
    low: float
    high: float
    p: float
    permutations: int
    verdict: str
    wins: int
    ties: int
    losses: int
    std: float
    cells: int | None
    """Number of cells that were resampled; None if rows were."""
    classes: list[dict[str, Any]] | None
    worse: list[dict[str, Any]]
    better: list[dict[str, Any]]
    meeting: Meeting
    adjusted: float | None = None
    """The p-value, adjusted for several comparisons."""

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison with the keys of the JSON contract."""
        entries = {
            "model": self.model,
            "value": self.values[1],
            "difference": self.difference,
            "relative": divide(self.difference, abs(self.values[0])),
            "interval": [self.low, self.high],
            "p": self.p,
            "p_adjusted": self.adjusted,
            "verdict": self.verdict,
            "samples": self.samples,
            "wins": self.wins,
            "ties": self.ties,
            "losses": self.losses,
            "std": self.std,
            "permutations": self.permutations,
            "cells": self.cells,
            "classes": self.classes,
            "rows": {"worse": self.worse, "better": self.better},
        }
        return {key: value for key, value in entries.items() if value is not None}


def compare(meeting: Meeting, terms: Terms, threads: int | None = None) -> Comparison:
    """Compare two models on the rows that both have.

    Raises
    ------
    DataError
        if there are no such rows, or all their weights are 0.
    """
    first = meeting.first.measurement
    seen = Seen.of(meeting, terms.top, len(group_names(first.job, first.decoded)) if meeting.classes is not None else 0)
    if not seen.spread.n:
        raise DataError(
            f"{meeting.other.name}: no row is left that both models have; a comparison of nothing is undefined"
        )
    weight = seen.weight.value
    difference = seen.difference.over(seen.weight)
    with _mapping(threads) as run:
        if isinstance(seen.values, Rows):
            rows = seen.values
            influence, counts = rows.sums - rows.weights * difference, None
            drawn = resampled(rows, terms.resamples, terms.seed, run)
            p, permutations = sign_flips(rows.sums, terms.resamples, terms.seed, run)
        else:
            deviations = _deviations(meeting, difference)
            influence, counts = deviations.means, deviations.counts
            drawn = resampled_cells(deviations, difference, weight, terms.resamples, terms.seed, run)
            p, permutations = sign_flips(seen.values.trimmed(), terms.resamples, terms.seed, run)
    ends = interval(difference, influence, counts, drawn, terms.confidence)
    low, high = (0.0 if abs(end) <= ROUNDED * abs(difference) else end for end in ends)
    n = seen.spread.n
    return Comparison(
        meeting.other.name,
        (seen.first.over(seen.weight), seen.second.over(seen.weight)),
        n,
        difference,
        low,
        high,
        p,
        permutations,
        terms.verdict(low, high),
        seen.wins,
        seen.ties,
        n - seen.wins - seen.ties,
        seen.spread.std,
        None if counts is None else len(counts),
        _classes(seen.by_class, group_names(first.job, first.decoded), terms.confidence)
        if meeting.classes is not None
        else None,
        _rows(first, seen.worse, 1),
        _rows(first, seen.better, -1),
        meeting,
    )


@dataclass
class Seen:
    """The sums that one pass over paired rows keeps."""

    values: Rows | Cells
    """Weight times difference of each row, or cells of it."""
    by_class: GroupMoments
    worse: Changed
    better: Changed
    first: Total = field(default_factory=Total)
    second: Total = field(default_factory=Total)
    difference: Total = field(default_factory=Total)
    weight: Total = field(default_factory=Total)
    """Sum of the weights; `first`, `second` and `difference` are weighted sums of the losses and
    of their differences.
    """
    spread: Moments = field(default_factory=Moments)
    wins: int = 0
    ties: int = 0
    farthest: float = 0.0
    """The size of the largest weight, or weight times difference."""

    @classmethod
    def of(cls, meeting: Meeting, top: int, classes: int) -> "Seen":
        """Make the pass."""
        few = meeting.rows <= EXACT_ROWS
        empty = np.zeros(0)
        no_groups = GroupMoments.of(np.zeros(0, np.int64), empty, classes)
        seen = cls(Rows.of(empty, None) if few else Cells.of(empty), no_groups, Changed(top), Changed(top))
        for part in meeting:
            with np.errstate(all="ignore"):
                seen.add(part)
            seen.check(meeting)
        return seen

    def check(self, meeting: Meeting) -> None:
        """Raise a DataError if a number is so large that the squares, which the interval needs, leave the range."""
        if self.farthest > FARTHEST_COMPARED:
            raise DataError(
                f"{meeting.other.name}: weights, or weights times differences of losses, reach {self.farthest:.3g}, too large for "
                "an interval; divide the weights, or the predictions and targets, by a common factor"
            )

    def add(self, part: Paired) -> None:
        difference, weights = part.difference, part.weights
        weighted = Rows.of(difference, weights)
        for numbers in (weighted.sums, weighted.weights):
            self.farthest = max(self.farthest, float(np.abs(numbers).max(initial=0)))
        if isinstance(self.values, Rows):
            self.values = self.values + weighted
        else:
            self.values = self.values + Cells.of(weighted.sums)
        self.first += Total.of(Rows.of(part.first, weights).sums)
        self.second += Total.of(Rows.of(part.second, weights).sums)
        self.difference += Total.of(weighted.sums)
        self.weight += Total.of(weighted.weights)
        self.spread += Moments.of(difference)
        self.wins += int(np.count_nonzero(difference < 0))
        self.ties += int(np.count_nonzero(difference == 0))
        self.worse.add(part.rows, part.first, part.second, difference)
        self.better.add(part.rows, part.first, part.second, -difference)
        if part.classes is not None:
            self.by_class = self.by_class + GroupMoments.of(part.classes, difference, len(self.by_class.n))


def _deviations(meeting: Meeting, mean: float) -> Cells:
    """Return cells of weight times (difference - mean), from a second pass; the interval is computed
    from their spread.
    """
    cells = Cells.of(np.zeros(0))
    for part in meeting:
        cells = cells + Cells.of(Rows.of(part.difference - mean, part.weights).sums)
    return cells.trimmed()


@contextmanager
def _mapping(threads: int | None) -> Iterator[Map]:
    """Yield a function that draws batches of resamples, on threads if there is more than one."""
    with pool(threads or available_threads()) as executor:
        yield serially if executor is None else lambda function, batches: list(executor.map(function, batches))


def _classes(moments: GroupMoments, names: list[str], confidence: float) -> list[dict[str, Any]]:
    """Return the mean difference of each class that has rows, with Student's interval, the
    class that became worst first.
    """
    return [
        {
            "class": names[i],
            "rows": int(moments.n[i]),
            "difference": float(moments.mean[i]),
            "interval": list(
                student_interval(int(moments.n[i]), float(moments.mean[i]), moments.squares[i], confidence)
            ),
        }
        for i in moments.falling()
    ]


def _rows(measurement: Measurement, changed: Changed, sign: int) -> list[dict[str, Any]]:
    """Return records of the rows that changed most."""
    entries = []
    for row, first, second, difference in changed.rows.tolist():
        entry: dict[str, Any] = {"sample": int(row)}
        lists = measurement.job.lists
        if lists is not None:
            entry["group"] = lists.named(np.array([int(row)]))[0]
        elif measurement.ids is not None:
            entry["id"] = measurement.ids.take(np.array([int(row)]))[0]
        if measurement.job.unit == "row":
            at = measurement.units.located(int(row))
            label = targets(measurement, measurement.job.targets.read(at, at + 1))
            entry["target"] = label[0] if isinstance(label, list) else label[0].tolist()
        entries.append(entry | {"loss_a": first, "loss_b": second, "difference": sign * difference})
    return entries


@dataclass
class Compared:
    """All models, compared with the first one."""

    first: Scored
    comparisons: list[Comparison]
    terms: Terms
    notes: list[str]
    files: frozenset[str]
    """Real paths of all files that were read."""

    @property
    def worse(self) -> bool:
        """Whether some model is worse than the first one."""
        return any(comparison.verdict == "worse" for comparison in self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """Return the keys of the JSON contract; if there is a single comparison, its keys are at the top as well."""
        receipt, terms = self.first.measurement.receipt, self.terms
        records = [comparison.to_dict() for comparison in self.comparisons]
        alone = records[0] if len(records) == 1 else {}
        comparison = self.comparisons[0]
        return {
            "loss": receipt["loss"],
            "parameters": receipt["parameters"],
            "against": self.first.name,
            "against_value": comparison.values[0] if len(records) == 1 else self.first.value,
            **alone,
            "comparisons": records,
            "margin": terms.margin,
            "confidence": terms.confidence,
            "resamples": terms.resamples,
            "seed": terms.seed,
            "method": METHOD,
            "receipt": receipt,
            "signature": signature(receipt),
        }


def _check_alike(first: Measurement, other: Measurement) -> None:
    """Raise a DataError if losses of two models cannot be compared: shapes, targets or the order of classes differ."""
    jobs = first.job, other.job
    shapes = [job.predictions.shape[1:] for job in jobs]
    names = [measurement.request.predictions for measurement in (first, other)]
    if shapes[0] != shapes[1]:
        columns = [count(shape[0], "column") if shape else "one number" for shape in shapes]
        raise DataError(
            f"{names[0]} has {columns[0]} a row and {names[1]} {columns[1]}; compare models of the same outputs"
        )
    if jobs[0].encoding.kind != jobs[1].encoding.kind:
        raise DataError(
            f"{jobs[0].targets.name} is read as {jobs[0].encoding.kind} targets for {names[0]} and as {jobs[1].encoding.kind} for {names[1]}"
        )
    first_classes, other_classes = first.decoded.classes, other.decoded.classes
    if jobs[0].encoding.kind != "name" and first_classes and other_classes and first_classes != other_classes:
        raise DataError(
            f"{names[1]}: its columns are {listing(other_classes, 4)}, those of {names[0]} {listing(first_classes, 4)}, and the labels are indices: "
            "bring the columns into one order, name the classes with --classes, or give labels by name"
        )


def _of_same_lists(first: Scored, other: Scored) -> Source:
    """Return the losses of the other model's lists in the order of the first one's, by the lists' names.

    Raises a DataError if one of them has a list that the other has not.
    """
    lists = [model.measurement.job.lists for model in (first, other)]
    names = [[] if one is None else one.named(np.arange(one.samples)) for one in lists]
    if names[0] == names[1]:
        return other.losses
    numbers = {name: number for number, name in enumerate(names[1])}
    for model, those, known in ((other, names[0], numbers), (first, names[1], set(names[0]))):
        missing = next((name for name in those if name not in known), None)
        if missing is not None:
            raise DataError(f"{model.name}: has no list {missing!r}; compare models of the same lists")
    return MemorySource(other.name, whole(other.losses)[[numbers[name] for name in names[0]]])


def _check_request(request: Request) -> None:
    """Raise a UsageError if models cannot be compared by the loss of a request, or under its options."""
    if request.loss.family.custom and request.per == "file":
        raise UsageError(
            f"{request.loss.name} is a loss of masks or of the whole file, not of rows that two models share"
        )
    if request.on_unmatched == "drop" and request.class_counts in (None, "targets"):
        weights, counts = rule_of(request.class_weight) is not None, request.class_counts is not None
        if weights or counts:
            option = "--class-counts targets" if counts else f"--class-weight {request.class_weight}"
            what = "counts" if counts else "weights"
            raise UsageError(
                f"{option} with --on-unmatched drop: each model would have {what} of its own rows; give {what} by hand"
            )


METHOD = {
    "difference": "sum(w * (loss_b - loss_a)) / sum(w)",
    "interval": "paired bootstrap of rows, bias-corrected and accelerated (BCa)",
    "p": "two-sided sign-flip permutation of the paired differences",
    "classes": "means without weights, with Student's interval",
}


def compare_all(
    request: Request,
    models: list[str],
    terms: Terms,
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Compared:
    """Compare each model with the first one.

    Parameters
    ----------
    models
        operands of predictions, two or more.

    Raises
    ------
    UsageError
        if options contradict each other, or losses do not belong to rows.
    DataError
        if files cannot be used, rows do not pair, or losses are not finite.
    """
    _check_request(request)
    opener = Opener.of(request, looked)
    scored = [score(replace(request, predictions=name), opener, threads, begun, seen) for name in models]
    notes = [note for model in scored for note in model.measurement.notes]
    comparisons = []
    for other in scored[1:]:
        _check_alike(scored[0].measurement, other.measurement)
        meeting = Meeting.of(scored[0], other)
        notes += meeting.notes
        comparisons.append(compare(meeting, terms, threads))
    if len(comparisons) > 1:
        for comparison, adjusted in zip(comparisons, holm([comparison.p for comparison in comparisons]), strict=True):
            comparison.adjusted = adjusted
    few = min(comparison.samples for comparison in comparisons)
    if few < LEAST_ROWS:
        notes.append(f"warning: {count(few, 'row')}: too few for an interval to rely on")
    if request.loss.family.coupled == "rows":
        notes.append(
            f"warning: {request.loss.name} compares rows of a file with each other: its losses are not independent of each "
            "other, and the interval is too narrow"
        )
    files = frozenset(path for model in scored for path in model.measurement.files)
    return Compared(scored[0], comparisons, terms, list(dict.fromkeys(notes)), files)
