"""Whether one model is better than another: their losses row by row, the mean difference, and how certain it is.

Each model's losses are computed in a pass of their own and kept on the disk, 8 bytes per row of its file. Then the
rows are paired, by id or by position, and one pass over the pairs keeps sums, cells of almost equal differences,
and the rows that changed most.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from losscli.analysis.shared.rounding import rounding
from losscli.analysis.words import FailingVerdict
from losscli.arrays import Array
from losscli.data.class_names import turned
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
    smallest_detectable,
    student_interval,
)
from losscli.engine.threads import available_threads, pool
from losscli.errors import DataError, UsageError
from losscli.io.bytes import Looked
from losscli.io.operands import Opener
from losscli.io.source import SCAN_BYTES, MemorySource, Source, whole
from losscli.measurement.class_labels import group_names
from losscli.measurement.infinite_losses import infinite_row
from losscli.measurement.measure import Measurement
from losscli.measurement.receipt import signature
from losscli.measurement.requirement import Judged
from losscli.measurement.row_losses import Scored, about_row, bounded, score
from losscli.records import NamedTuple, dataclass, field, replace
from losscli.wording import count, listing, quoted, written

if TYPE_CHECKING:
    from losscli.io.join import Selection

FARTHEST_COMPARED = 1e150
"""Of larger numbers, the sum of the squares of many may overflow a float64."""


ROUNDED = 1e-9
"""An end of an interval that is so small a part of the difference is 0, but for rounding: where few rows differ, many resamples
have none of them.
"""
POWER = 0.8
"""The probability with which a difference is to be found, for the smallest one that rows can show."""
LOOKED_AT = 1000
"""Rows that are looked at to see whether two models whose columns are in different orders have the same targets."""
PLACES_SHOWN = 3
"""Rows with an infinite loss that are named, of each model."""
UNDEFINED = "undefined"
"""The verdict where the mean losses of both models are infinite, so that there is no difference of the two."""


@dataclass(frozen=True)
class Terms:
    """Options of a comparison.

    `margin` is how much larger a mean loss may be without being worse, `confidence` that of the interval, `resamples`
    the number of resamples, and `top` the number of changed rows to list. `fail_if` is the verdict on which the comparison
    fails: 'worse', or 'not-better' for every verdict but 'better'.
    """

    margin: float = 0.0
    confidence: float = 0.95
    resamples: int = 10_000
    seed: int = 0
    top: int = 5
    fail_if: str | None = None

    def __post_init__(self) -> None:
        if not (self.margin >= 0 and math.isfinite(self.margin)):
            raise UsageError(f"--margin {written(self.margin)} is not a number >= 0")
        Resampling(self.confidence, self.resamples, self.seed).check()
        if not 0 <= self.top <= 10_000:
            raise UsageError(f"--top {self.top} is not in 0 ... 10000")
        if self.fail_if not in (None, *get_args(FailingVerdict)):
            raise UsageError(f"--fail-if {self.fail_if} is not one of {listing(get_args(FailingVerdict))}")

    def verdict(self, low: float, high: float, noise: float) -> str:
        """Return the verdict from the interval of the mean difference; NaN gives 'inconclusive'.

        `noise` is what rounding may change, as between two processors: so small a difference is none.
        """
        if low > self.margin + noise:
            return "worse"
        if high < -noise:
            return "better"
        return "better or equal" if high <= self.margin + noise else "inconclusive"


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
    places: Array
    """Their numbers among the paired rows."""
    first: Array
    second: Array
    weights: Array | None
    classes: Array | None

    @property
    def difference(self) -> Array:
        """Loss of the second model minus that of the first: NaN where both are infinite."""
        with np.errstate(invalid="ignore"):
            return self.second - self.first

    def apart(self) -> "tuple[Paired, Paired | None]":
        """Return the rows for which both losses are finite, and the other ones; None if there are no others."""
        finite = np.isfinite(self.first) & np.isfinite(self.second)
        return (self, None) if finite.all() else (self._only(finite), self._only(~finite))

    def _only(self, kept: Array) -> "Paired":
        return Paired(*(None if part is None else part[kept] for part in self))  # type: ignore[arg-type]


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
    row_of_other: Callable[[int], int] = lambda place: place
    """Returns which row of the other model's file a paired row is."""

    @classmethod
    def of(cls, first: Scored, other: Scored) -> "Meeting":
        """Bring the losses of the other model into the order of the first one's.

        Raises
        ------
        DataError
            if the numbers of rows differ or, unless they are dropped, ids have no partner.
        """
        if first.measurement.job.lists is not None:
            order = _of_same_lists(first, other)
            paired = MemorySource(other.name, whole(other.losses)[order])
            return cls(first, other, (first.losses, paired), first.weights, None, None, [], order.__getitem__)
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
            (lambda place: place) if way is None else way.original,
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
            places = np.arange(start, stop)[counted]
            yield Paired(rows[counted], places, first[counted], second[counted], *kept)

    def row_of_first(self, place: int) -> int:
        """Return which row of the first model's file a paired row is."""
        return place if self.selection is None else self.selection.original(place)

    @property
    def rows(self) -> int:
        """Number of paired rows, including those without a loss."""
        return self.losses[0].shape[0]


class Estimate(NamedTuple):
    """What the rows with finite losses say: the mean difference, and how certain it is."""

    samples: int
    values: tuple[float, float]
    """The mean loss of the first model and of the other."""
    difference: float
    low: float
    high: float
    p: float
    permutations: int
    std: float
    cells: int | None
    """Number of cells that were resampled; None if rows were."""
    detectable: float
    """The smallest difference that so many rows can show; NaN where their differences are all the same."""

    @property
    def relative(self) -> float:
        return divide(self.difference, abs(self.values[0]))

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate with the keys of JSON."""
        return {
            "samples": self.samples,
            "against_value": self.values[0],
            "value": self.values[1],
            "difference": self.difference,
            "relative": self.relative,
            "interval": [self.low, self.high],
            "p": self.p,
        }


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
    verdict: str
    wins: int
    ties: int
    losses: int
    finite: Estimate | None
    """What the rows with finite losses say: all rows, unless there are infinite losses; None if there is no such row."""
    infinite: "Infinite | None"
    """The rows with infinite losses; None if there are none."""
    classes: list[dict[str, Any]] | None
    worse: list[dict[str, Any]]
    better: list[dict[str, Any]]
    meeting: Meeting
    rounding: float = 0.0
    """By how much rounding may change the difference: what is smaller is none."""
    adjusted: float | None = None
    """The p-value, adjusted for several comparisons."""

    @property
    def relative(self) -> float:
        """The difference as a part of the first model's mean loss."""
        return divide(self.difference, abs(self.values[0]))

    @property
    def detectable(self) -> float | None:
        """The smallest difference that so many rows can show; None where there is none, or losses are infinite."""
        found = math.nan if self.finite is None or self.infinite else self.finite.detectable
        return found if math.isfinite(found) else None

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison with the keys of the JSON contract."""
        finite = self.finite
        entries = {
            "model": self.model,
            "value": self.values[1],
            "difference": self.difference,
            "relative": self.relative,
            "interval": [self.low, self.high],
            "p": self.p,
            "p_adjusted": self.adjusted,
            "verdict": self.verdict,
            "rounding": self.rounding,
            "detectable": self.detectable,
            "samples": self.samples,
            "wins": self.wins,
            "ties": self.ties,
            "losses": self.losses,
            "std": None if finite is None or self.infinite else finite.std,
            "permutations": None if finite is None or self.infinite else finite.permutations,
            "cells": None if finite is None or self.infinite else finite.cells,
            "infinite": None if self.infinite is None else self.infinite.to_dict(),
            "finite": None if self.infinite is None or finite is None else finite.to_dict(),
            "classes": self.classes,
            "rows": {"worse": self.worse, "better": self.better},
        }
        return {key: value for key, value in entries.items() if value is not None}


@dataclass
class Infinite:
    """The rows whose loss is infinite: how many for which model, of which classes, and the first few of them."""

    first_alone: int
    other_alone: int
    both: int
    classes: list[dict[str, Any]]
    """For each class with such rows its name, and how many there are for the first model and for the other."""
    rows: list[dict[str, Any]]
    """The first rows of each model: the model, the place, and which prediction made the loss infinite."""

    @property
    def first(self) -> int:
        """How many rows have an infinite loss for the first model."""
        return self.first_alone + self.both

    @property
    def other(self) -> int:
        """How many rows have an infinite loss for the other model."""
        return self.other_alone + self.both

    def to_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {
            "a_alone": self.first_alone,
            "b_alone": self.other_alone,
            "both": self.both,
            "classes": self.classes,
            "rows": self.rows,
        }


def compare(meeting: Meeting, terms: Terms, threads: int | None = None) -> Comparison:
    """Compare two models on the rows that both have.

    A model with an infinite loss has an infinite mean. If the other one has none, it is better, whatever the other rows
    say; if both have one, the difference of the means is undefined. What the rows with finite losses say is `finite`.

    Raises
    ------
    DataError
        if there are no such rows, or all their weights are 0.
    """
    first = meeting.first.measurement
    names = group_names(first.job, first.decoded) if meeting.classes is not None else []
    seen = Seen.of(meeting, terms.top, len(names))
    samples = seen.wins + seen.ties + seen.losses
    if not samples:
        raise DataError(
            f"{meeting.other.name}: no row is left that both models have; a comparison of nothing is undefined"
        )
    finite = _estimate(meeting, seen, terms, threads) if seen.spread.n else None
    noise = 0.0 if finite is None else _noise(meeting, seen)
    infinite = _infinite(meeting, seen.endless, names)
    if infinite is None and finite is not None:
        values, difference, low, high, p = finite.values, finite.difference, finite.low, finite.high, finite.p
        verdict = terms.verdict(low, high, noise)
    else:
        values = seen.means()
        difference = values[1] - values[0]
        low = high = p = math.nan
        verdict = UNDEFINED if math.isnan(difference) else "worse" if difference > 0 else "better"
    return Comparison(
        meeting.other.name,
        values,
        samples,
        difference,
        low,
        high,
        p,
        verdict,
        seen.wins,
        seen.ties,
        seen.losses,
        finite,
        infinite,
        _classes(seen, names, terms.confidence) if meeting.classes is not None else None,
        _rows(first, seen.worse, 1),
        _rows(first, seen.better, -1),
        meeting,
        noise,
    )


def _noise(meeting: Meeting, seen: "Seen") -> float:
    """Return by how much rounding may change the difference of two mean losses: a part of the mean size of their losses."""
    dtypes = {str(one.measurement.job.dtype) for one in (meeting.first, meeting.other)}
    return rounding(dtypes)[1] * seen.finite.size.over(seen.finite.weight)


def _estimate(meeting: Meeting, seen: "Seen", terms: Terms, threads: int | None) -> Estimate:
    """Return what the rows with finite losses say: the mean difference with its interval and p-value."""
    sums = seen.finite
    weight = sums.weight.value
    difference = seen.difference.over(sums.weight)
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
    return Estimate(
        seen.spread.n,
        (sums.first.over(sums.weight), sums.second.over(sums.weight)),
        difference,
        low,
        high,
        p,
        permutations,
        seen.spread.std,
        None if counts is None else len(counts),
        smallest_detectable(influence, counts, weight, terms.confidence, POWER) or math.nan,
    )


def _infinite(meeting: Meeting, endless: "Endless", names: list[str]) -> Infinite | None:
    """Return the rows with infinite losses, in words and with their places; None if there are none."""
    if not endless:
        return None
    of_class = [
        {"class": name, "a": int(first + both), "b": int(other + both)}
        for name, (first, other, both) in zip(names, endless.of_class.T, strict=True)
        if first or other or both
    ]
    sides = (
        (meeting.first, meeting.row_of_first, endless.places[0]),
        (meeting.other, meeting.row_of_other, endless.places[1]),
    )
    rows = [
        {"model": model.name, **infinite_row(model.measurement, row_of(place))}
        for model, row_of, places in sides
        for place in places
    ]
    return Infinite(*endless.counts, of_class, rows)


@dataclass
class Endless:
    """Counts of the rows with an infinite loss, for which there are no sums."""

    of_class: Array
    """How many rows of each class have an infinite loss for the first model alone, the other one alone, and both; shape
    (3, number of classes).
    """
    counts: tuple[int, int, int] = (0, 0, 0)
    """The same of all rows."""
    sums: "Sums" = field(default_factory=lambda: Sums())
    """Sums over these rows; those of a model with infinite losses mean nothing."""
    places: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    """The numbers of the first few of them among the paired rows, for each model."""

    def __bool__(self) -> bool:
        return any(self.counts)

    def add(self, part: Paired) -> None:
        """Count the rows of a part, of which each has an infinite loss."""
        self.sums.add(part)
        first, other = np.isinf(part.first), np.isinf(part.second)
        kinds = np.stack([first & ~other, other & ~first, first & other])
        alone, others, both = np.count_nonzero(kinds, axis=1).tolist()
        self.counts = self.counts[0] + alone, self.counts[1] + others, self.counts[2] + both
        for places, infinite in zip(self.places, (first, other), strict=True):
            places += part.places[infinite][: PLACES_SHOWN - len(places)].tolist()
        if part.classes is not None:
            k = self.of_class.shape[1]
            self.of_class += np.stack([np.bincount(part.classes[kind], minlength=k) for kind in kinds])


@dataclass
class Sums:
    """Sums over rows: the weighted losses of both models, and the weights."""

    first: Total = field(default_factory=Total)
    second: Total = field(default_factory=Total)
    weight: Total = field(default_factory=Total)
    size: Total = field(default_factory=Total)
    """That of the sizes of the first model's losses, which may cancel."""

    def add(self, part: Paired) -> None:
        """Add rows."""
        weighted = Rows.of(part.first, part.weights)
        self.first += Total.of(weighted.sums)
        self.size += Total.of(np.abs(weighted.sums))
        self.second += Total.of(Rows.of(part.second, part.weights).sums)
        self.weight += Total.of(weighted.weights)


@dataclass
class Seen:
    """The sums that one pass over paired rows keeps. Those without another word are over the rows with finite losses."""

    values: Rows | Cells
    """Weight times difference of each row, or cells of it."""
    by_class: GroupMoments
    worse: Changed
    better: Changed
    endless: Endless
    finite: Sums = field(default_factory=Sums)
    difference: Total = field(default_factory=Total)
    """Weighted sum of the differences."""
    spread: Moments = field(default_factory=Moments)
    wins: int = 0
    ties: int = 0
    losses: int = 0
    farthest: float = 0.0
    """The size of the largest weight, or weight times difference."""
    heaviest: float = 0.0
    """The largest weight of a row with finite losses."""

    @classmethod
    def of(cls, meeting: Meeting, top: int, classes: int) -> "Seen":
        """Make the pass."""
        few = meeting.rows <= EXACT_ROWS
        empty = np.zeros(0)
        no_groups = GroupMoments.of(np.zeros(0, np.int64), empty, classes)
        seen = cls(
            Rows.of(empty, None) if few else Cells.of(empty),
            no_groups,
            Changed(top),
            Changed(top),
            Endless(np.zeros((3, classes), np.int64)),
        )
        for part in meeting:
            with np.errstate(all="ignore"):
                seen.add(part)
            seen.check(meeting)
        if 0 < seen.heaviest < 1 / FARTHEST_COMPARED:
            raise DataError(
                f"{meeting.other.name}: the largest weight is {seen.heaviest:.3g}, too small for an interval; divide the weights by it"
            )
        return seen

    def check(self, meeting: Meeting) -> None:
        """Raise a DataError if a number is so large that the squares, which the interval needs, leave the range."""
        if self.farthest > FARTHEST_COMPARED:
            raise DataError(
                f"{meeting.other.name}: weights, or weights times differences of losses, reach {self.farthest:.3g}, too large for "
                "an interval; divide the weights, or the predictions and targets, by a common factor"
            )

    def add(self, part: Paired) -> None:
        """Add rows."""
        difference = part.difference
        self.wins += int(np.count_nonzero(part.second < part.first))
        self.ties += int(np.count_nonzero(part.second == part.first))
        self.losses += int(np.count_nonzero(part.second > part.first))
        self.worse.add(part.rows, part.first, part.second, difference)
        self.better.add(part.rows, part.first, part.second, -difference)
        finite, endless = part.apart()
        self._add_finite(finite)
        if endless is not None:
            self.endless.add(endless)

    def _add_finite(self, part: Paired) -> None:
        """Add rows with finite losses."""
        difference = part.difference
        weighted = Rows.of(difference, part.weights)
        self.heaviest = max(self.heaviest, float(weighted.weights.max(initial=0)))
        self.farthest = max(self.farthest, self.heaviest, float(np.abs(weighted.sums).max(initial=0)))
        if isinstance(self.values, Rows):
            self.values = self.values + weighted
        else:
            self.values = self.values + Cells.of(weighted.sums)
        self.finite.add(part)
        self.difference += Total.of(weighted.sums)
        self.spread += Moments.of(difference)
        if part.classes is not None:
            self.by_class = self.by_class + GroupMoments.of(part.classes, difference, len(self.by_class.n))

    def means(self) -> tuple[float, float]:
        """Return the mean losses of both models over all rows: inf for a model that has an infinite loss."""
        alone, others, both = self.endless.counts
        finite, endless = self.finite, self.endless.sums
        weight = finite.weight + endless.weight
        first = math.inf if alone or both else (finite.first + endless.first).over(weight)
        return first, math.inf if others or both else (finite.second + endless.second).over(weight)


def _deviations(meeting: Meeting, mean: float) -> Cells:
    """Return cells of weight times (difference - mean), from a second pass; the interval is computed
    from their spread.
    """
    cells = Cells.of(np.zeros(0))
    for part in meeting:
        finite, _ = part.apart()
        cells = cells + Cells.of(Rows.of(finite.difference - mean, finite.weights).sums)
    return cells.trimmed()


@contextmanager
def _mapping(threads: int | None) -> Iterator[Map]:
    """Yield a function that draws batches of resamples, on threads if there is more than one."""
    with pool(threads or available_threads()) as executor:
        yield serially if executor is None else lambda function, batches: list(executor.map(function, batches))


def _classes(seen: Seen, names: list[str], confidence: float) -> list[dict[str, Any]]:
    """Return the mean difference of each class that has rows, with Student's interval, the class that became worst first.

    A class with infinite losses of one model has an infinite difference and, with such losses of both, none: NaN.
    """
    moments, (alone, others, both) = seen.by_class, seen.endless.of_class
    found = []
    for i, name in enumerate(names):
        mean, n = float(moments.mean[i]), int(moments.n[i])
        ends = student_interval(n, mean, moments.squares[i], confidence)
        if alone[i] or others[i] or both[i]:
            mean = (math.inf if others[i] or both[i] else 0.0) - (math.inf if alone[i] or both[i] else 0.0)
            n, ends = n + int(alone[i] + others[i] + both[i]), (math.nan, math.nan)
        found += [{"class": name, "rows": n, "difference": mean, "interval": list(ends)}] if n else []
    # Sorting is stable: of equal differences, the class that comes first stays so.
    return sorted(found, key=lambda one: -math.inf if math.isnan(one["difference"]) else -one["difference"])


def _rows(measurement: Measurement, changed: Changed, sign: int) -> list[dict[str, Any]]:
    """Return records of the rows that changed most."""
    return [
        about_row(measurement, int(row)) | {"loss_a": first, "loss_b": second, "difference": sign * difference}
        for row, first, second, difference in changed.rows.tolist()
    ]


@dataclass(repr=False)
class Compared(Judged):
    """All models, compared with the first one."""

    first: Scored
    comparisons: list[Comparison]
    terms: Terms
    notes: list[str]
    files: frozenset[str]
    """Real paths of all files that were read."""
    clipping: str | None = None
    """A library that clips such losses, if some are infinite and it is not asked for."""
    bounded: str | None = None
    """A loss of such files that is bounded, if some losses are infinite."""

    @property
    def worse(self) -> bool:
        """Whether some model is worse than the first one."""
        return any(comparison.verdict == "worse" for comparison in self.comparisons)

    def fails(self) -> bool:
        """Return whether a verdict is one that the comparison was to fail on."""
        if self.terms.fail_if is None:
            return False
        return self.worse if self.terms.fail_if == "worse" else any(one.verdict != "better" for one in self.comparisons)

    @property
    def undefined(self) -> bool:
        """Whether the difference of some model and the first one is undefined."""
        return any(comparison.verdict == UNDEFINED for comparison in self.comparisons)

    def infinite_losses(self) -> list[str]:
        """Return in words which models have infinite losses, one sentence for each comparison with some."""
        return [
            f"{self.first.name} and {one.model}: {_in_words(one.infinite, self.first.name, one.model)}"
            for one in self.comparisons
            if one.infinite is not None
        ]

    def required(self) -> list[dict[str, float | str]]:
        return [{"verdict": one.verdict} for one in self.comparisons]

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
            "power": POWER,
            **({} if terms.fail_if is None else {"fail_if": terms.fail_if, "failed": self.fails()}),
            "method": METHOD,
            "receipt": receipt,
            "signature": signature(receipt),
        }


def _in_words(infinite: Infinite, first: str, other: str) -> str:
    """Return what infinite losses of two models mean for the difference of their means."""
    if infinite.first and infinite.other:
        return (
            f"both have infinite losses ({infinite.first:,} of {first}, {infinite.other:,} of {other}, {infinite.both:,} in the same "
            "rows), and the difference of infinite means is undefined"
        )
    number, name = (infinite.first, first) if infinite.first else (infinite.other, other)
    return f"{count(number, 'row')} of {name} {'has' if number == 1 else 'have'} an infinite loss, and so its mean is infinite"


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
    _check_outputs(first, other)


def _check_outputs(first: Measurement, other: Measurement) -> None:
    """Raise a DataError if two models have the same columns in different orders, and something is matched with them by position."""
    ours, theirs = first.job.predictions.columns, other.job.predictions.columns
    order = turned(ours, theirs)
    what = None if order is None else next(_by_position(first, other, list(order)), None)
    if what is not None:
        a, b = first.request.predictions, other.request.predictions
        raise DataError(
            f"{b}: its columns ({listing(theirs or (), 4)}) are in another order than those of {a} ({listing(ours or (), 4)}), and the "
            f"{what} are matched with either by position; bring the columns into one order, as with --columns "
            f"{','.join(map(quoted, ours or ()))}",
            "names-differ",
        )


def _by_position(first: Measurement, other: Measurement, order: list[int]) -> Iterator[str]:
    """Yield what has other numbers for the same columns of two models, of which the other has them in another order."""
    one, two = first.job, other.job
    held = {
        "output weights": (one.output_weights, two.output_weights),
        "class counts": (one.extras.class_counts, two.extras.class_counts),
        "centers": (one.extras.centers, two.extras.centers),
    }
    if first.ids is None and other.ids is None:
        read = {
            "targets": (one.targets, two.targets),
            "weights": (one.element_weights, two.element_weights),
            "masks": (one.mask, two.mask),
            "third operands": (one.third_operand, two.third_operand),
        }
        held |= {what: (_first_rows(mine), _first_rows(its)) for what, (mine, its) in read.items()}
    elif len(one.targets.shape) == 2 and one.encoding.kind != "constant" and first.decoded.matched != "by name":
        yield "targets"  # whose rows may stand in another order as well
    for what, (mine, its) in held.items():
        if mine is None or its is None or mine.shape[-1] != len(order):
            continue
        if not np.array_equal(mine, its[..., order], equal_nan=True):
            yield what


def _first_rows(source: Source | None) -> Array | None:
    """Return the first rows of numbers for several columns; None for other operands."""
    return None if source is None or len(source.shape) != 2 else source.read(0, min(LOOKED_AT, source.shape[0]))


def _of_same_lists(first: Scored, other: Scored) -> list[int]:
    """Return the numbers of the other model's lists in the order of the first one's, by the lists' names.

    Raises a DataError if one of them has a list that the other has not.
    """
    lists = [model.measurement.job.lists for model in (first, other)]
    names = [[] if one is None else one.named(np.arange(one.samples)) for one in lists]
    if names[0] == names[1]:
        return list(range(len(names[0])))
    numbers = {name: number for number, name in enumerate(names[1])}
    for model, those, known in ((other, names[0], numbers), (first, names[1], set(names[0]))):
        missing = next((name for name in those if name not in known), None)
        if missing is not None:
            raise DataError(f"{model.name}: has no list {missing!r}; compare models of the same lists")
    return [numbers[name] for name in names[0]]


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
    "detectable": "(t(1 - alpha/2) + t(power)) * standard error of the paired differences",
}


def compare_all(
    request: Request,
    models: list[str],
    terms: Terms,
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
    library: str | None = None,
    typed: Iterable[str] = (),
) -> Compared:
    """Compare each model with the first one.

    Parameters
    ----------
    models
        operands of predictions, two or more.
    library
        the library by whose conventions losses are computed: its clipping, its parameters, its dtype. The mean of the
        differences stays sum(w d) / sum(w). None for losscli's own.
    typed
        names of the parameters and options that the user gave: these keep their values under a library.

    Raises
    ------
    UsageError
        if options contradict each other, or losses do not belong to rows.
    DataError
        if files cannot be used, or rows do not pair.
    """
    _check_request(request)
    opener = Opener.of(request, looked)
    scored = [
        score(replace(request, predictions=name), opener, threads, begun, seen, library, typed, infinite=True)
        for name in models
    ]
    notes = [note for model in scored for note in model.measurement.notes]
    comparisons = []
    for other in scored[1:]:
        _check_alike(scored[0].measurement, other.measurement)
        meeting = Meeting.of(scored[0], other)
        notes += meeting.notes
        comparisons.append(compare(meeting, terms, threads))
    if len(comparisons) > 1:
        tested = [comparison for comparison in comparisons if not math.isnan(comparison.p)]
        for comparison, adjusted in zip(tested, holm([comparison.p for comparison in tested]), strict=True):
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
    found = Compared(scored[0], comparisons, terms, list(dict.fromkeys(notes)), files)
    if any(one.infinite for one in comparisons):
        found.bounded = bounded(scored[0].measurement)
        found.clipping = None if library is not None else _clipping([model.measurement for model in scored], typed)
    return found


def _clipping(measurements: list[Measurement], typed: Iterable[str]) -> str | None:
    """Return the first library that clips the losses of all models; None if there is none."""
    from losscli.measurement.as_library import clips

    names = ("sklearn", "keras", "torch", "tf1", "optax")
    return next((name for name in names if all(clips(one, name, typed) for one in measurements)), None)
