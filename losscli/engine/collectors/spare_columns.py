"""Columns that were taken for predictions and are probably something else: an index, a key, a fold, a copied label.

Names tell little; this looks at the numbers of all rows. What a column is for can be said with --columns, and then
nothing is looked at.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.arrays import Array
from losscli.data import doubts
from losscli.data.doubts import Doubt
from losscli.engine.collector import BatchCollector
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

LOOKED_AT = 256
"""Of more columns than twice this number, only the first and last ones are looked at: tools write indices and keys at an
end, and a look at each of 100,000 classes would take longer than their loss.
"""
SAMPLED = 64
"""Rows of each batch by which other columns are compared with one that is suspected."""
GLANCED = 8
"""Rows of each batch that are looked at first: in most files they clear all columns."""
SPARE = 3
"""At most so many columns beside logits are taken for confidences or weights because they lie within 0 and 1."""
NEGATIVE, ABOVE = 0.2, 0.05
"""The parts of a column's numbers that must be less than 0, and more than 1, so that it surely holds logits."""
ENOUGH = 30
"""With fewer rows than this, numbers that all lie within 0 and 1 mean nothing."""
FEW = 3
"""With fewer rows than this, whole numbers that ascend mean nothing, nor numbers that are equal."""


class ColumnFacts(NamedTuple):
    """Mergeable record: for each column that is looked at, what all of its numbers so far have in common.

    All arrays have shape (k,). `whole`: all numbers are whole. `ascending`: each is larger than the one before.
    `equal`: each is the target of the same column. `largest`: each is the largest of its row, and stands there twice.
    `unit`: each is in [0, 1].
    `first`, `last`, `low` and `high` are the first and the last number, and the least and the largest; `sums` and `squares`
    are the sums of the numbers and of their squares, less those of the targets of the same column. They are of all rows only
    for columns that are still suspected. `fractions`, `different`, `negative` and `above` count sampled rows in which a number
    is not whole, not its target, less than 0, or more than 1.
    """

    rows: int
    whole: Array
    ascending: Array
    equal: Array
    largest: Array
    unit: Array
    first: Array
    last: Array
    low: Array
    high: Array
    sums: Array
    squares: Array
    sampled: int
    fractions: Array
    different: Array
    negative: Array
    above: Array

    @np.errstate(invalid="ignore")  # infinite sums may cancel
    def __add__(self, other: "ColumnFacts") -> "ColumnFacts":  # type: ignore[override]
        if not (self.rows and other.rows):
            return self if self.rows else other
        if not (self.sampled or other.sampled):  # no column was suspected in either
            return self._replace(rows=self.rows + other.rows)
        return ColumnFacts(
            self.rows + other.rows,
            self.whole & other.whole,
            self.ascending & other.ascending & (self.last < other.first),
            self.equal & other.equal,
            self.largest & other.largest,
            self.unit & other.unit,
            self.first,
            other.last,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.sums + other.sums,
            self.squares + other.squares,
            self.sampled + other.sampled,
            self.fractions + other.fractions,
            self.different + other.different,
            self.negative + other.negative,
            self.above + other.above,
        )


@dataclass(frozen=True)
class SpareColumns(BatchCollector):
    """Collects what all numbers of a column have in common, for predictions of several columns that nobody named."""

    record = ColumnFacts

    def of(self, job: "Job", batch: "Batch") -> ColumnFacts:
        x = batch.predictions
        if not len(x):
            return NOTHING
        looked = looked_at(x.shape[1])
        t = batch.targets if batch.targets.shape == x.shape else None
        if not _possible(x[:GLANCED, looked], None if t is None else t[:GLANCED, looked]).any():
            return _cleared(len(x), len(looked))
        suspected = _suspected(x[:SAMPLED, looked], None if t is None else t[:SAMPLED, looked])
        if not suspected.any():
            return _cleared(len(x), len(looked))
        # The first rows clear most columns; only the others are looked at in full.
        head = _facts(x[:SAMPLED, looked], None if t is None else t[:SAMPLED, looked])
        cleared: Any = {name: getattr(head, name) & suspected for name in ("whole", "equal", "largest", "unit")}
        full = _facts(x[:, looked[suspected]], None if t is None else t[:, looked[suspected]], x)
        head = head._replace(**cleared)
        exact: Any = {name: _placed(getattr(head, name), suspected, getattr(full, name)) for name in EXACT}
        return head._replace(rows=len(x), **exact)

    def doubt(self, job: "Job", record: ColumnFacts) -> Doubt | None:
        """Return the doubt about a column, if the numbers of all rows raise one."""
        if not record.rows:
            return None
        looked, file, names = looked_at(job.predictions.shape[1]), job.predictions.name, job.predictions.columns
        varied = record.low < record.high
        outcomes = record.whole & (record.low >= -1) & (record.high <= 1)
        equal = record.equal & varied & ~outcomes
        if record.rows >= FEW and equal.any() and record.different.any():
            column = int(looked[equal.argmax()])
            return doubts.about_equal_columns(file, job.targets.name, column, names)
        if record.rows < FEW:
            return None
        fractional = record.fractions * 2 >= record.sampled
        copied = record.largest & varied
        # Of two such columns, one is a class that is always predicted.
        if job.loss.family.target_type == "classes" and copied.sum() == 1:
            return doubts.about_confidence(file, int(looked[copied.argmax()]), names)
        for j in np.flatnonzero(record.whole & varied):
            others = np.arange(len(looked)) != j
            if not others.any():
                continue
            beyond = (record.negative + record.above)[others]
            why = _suspicious(job, record, int(j), fractional[others], beyond)
            if why is not None:
                column = int(looked[j])
                both = names is not None and names[column] in (job.targets.columns or ())
                return doubts.about_spare_column(file, column, names, why, both)
        beside = _beside_logits(job, record)
        return doubts.about_unit_columns(file, looked[beside].tolist(), names) if len(beside) else None


NOTHING = ColumnFacts(0, *(np.zeros(0),) * 11, 0, *(np.zeros(0),) * 4)
"""The record of no rows."""
EXACT = ("whole", "ascending", "equal", "largest", "unit", "first", "last", "low", "high", "sums", "squares")
"""Fields of ColumnFacts that are about all rows, not about a sample of them."""


def looked_at(width: int) -> Array:
    """Return the numbers of the columns that are looked at."""
    if width <= 2 * LOOKED_AT:
        return np.arange(width)
    return np.concatenate([np.arange(LOOKED_AT), np.arange(width - LOOKED_AT, width)])


def _possible(x: Array, t: Array | None) -> Array:
    """Return which columns more rows could make suspicious, shape (k,), going by the first rows and their targets.

    What `_suspected` finds in more rows holds for the first ones too, so that no column is missed.
    """
    with np.errstate(invalid="ignore"):
        possible: Array = np.all(x == np.floor(x), axis=0) | np.all((x >= 0) & (x <= 1), axis=0)
        possible = possible | np.all(x == x.max(axis=1, keepdims=True), axis=0)
        return possible if t is None else possible | np.all(x == t, axis=0)


def _suspected(x: Array, t: Array | None) -> Array:
    """Return which columns must be looked at in full, shape (k,), going by some rows and their targets.

    Whole numbers alone are nothing odd: the other columns must have fractions, or these must ascend.
    """
    with np.errstate(invalid="ignore"):
        whole: Array = np.all(x == np.floor(x), axis=0)
        suspected = whole if not whole.all() else whole & np.all(x[1:] > x[:-1], axis=0)
        suspected = suspected | np.all(x == x.max(axis=1, keepdims=True), axis=0)
        unit: Array = np.all((x >= 0) & (x <= 1), axis=0)
        if unit.sum() <= SPARE or len(x) < SAMPLED:  # a short batch at the end shows little, and clears nothing
            suspected = suspected | unit
        return suspected if t is None else suspected | np.all(x == t, axis=0)


@lru_cache(maxsize=8)
def _cleared(rows: int, width: int) -> ColumnFacts:
    """Return the record of rows in which no column is suspected, after which none is any more."""
    no, zero = np.zeros(width, bool), np.zeros(width)
    return ColumnFacts(rows, *(no,) * 5, *(zero,) * 6, 0, *(zero,) * 4)


def _facts(x: Array, t: Array | None, whole_rows: Array | None = None) -> ColumnFacts:
    """Return the record of rows, shape (n, k), and of their targets, of which there may be none.

    `whole_rows` has all columns of the rows, if `x` has not.
    """
    with np.errstate(all="ignore"):  # squares may overflow, and infinities cancel
        fraction = x != np.floor(x)
        fraction |= ~np.isfinite(x)
        differ: Array = np.ones(x.shape, bool) if t is None else np.not_equal(x, t)
        ascending: Array = np.all(x[1:] > x[:-1], axis=0)
        negative, above = x < 0, x > 1
        wide, targets = x.astype(np.float64), 0.0 if t is None else t.astype(np.float64)
        rows = x if whole_rows is None else whole_rows
        most = rows.max(axis=1, keepdims=True)
        repeated = ((rows == most).sum(axis=1) > 1).all()
        sums, squares = (wide - targets).sum(axis=0), (wide**2 - targets**2).sum(axis=0)
    return ColumnFacts(
        rows=len(x),
        whole=~fraction.any(axis=0),
        ascending=ascending,
        equal=np.logical_not(differ.any(axis=0)),
        largest=np.all(x == most, axis=0) & repeated,
        unit=np.all((x >= 0) & (x <= 1), axis=0),
        first=x[0].astype(np.float64),
        last=x[-1].astype(np.float64),
        low=x.min(axis=0).astype(np.float64),
        high=x.max(axis=0).astype(np.float64),
        sums=sums,
        squares=squares,
        sampled=len(x),
        fractions=fraction.sum(axis=0),
        different=differ.sum(axis=0) if t is not None else np.zeros(x.shape[1], int),
        negative=negative.sum(axis=0),
        above=above.sum(axis=0),
    )


def _placed(values: Array, where: Array, exact: Array) -> Array:
    """Return `values` with those at `where` replaced."""
    replaced = values.copy()
    replaced[where] = exact
    return replaced


def _suspicious(job: "Job", record: ColumnFacts, j: int, fractional: Array, beyond: Array) -> str | None:
    """Return why a column of whole numbers is probably no prediction; None if it may be one.

    `fractional` and `beyond` are about the other columns: whether most of their numbers are not whole, and how many are
    not in [0, 1].
    """
    if job.targets.shape == job.predictions.shape:
        same = _is_key_in_other_rows(record, j) and fractional.any()
        return f"the whole numbers of {job.targets.name} in other rows" if same else None
    span = f"{record.first[j]:.0f} ... {record.last[j]:.0f}"
    if record.ascending[j] and fractional.all():
        return f"ascending whole numbers, {span}, and the others have fractions"
    if record.ascending[j] and record.high[j] - record.low[j] == record.rows - 1 and record.rows > FEW:
        return f"the numbers of the rows, {span}"
    as_probabilities = record.low[j] >= 0 and record.high[j] <= 1 and not beyond.any()
    if job.loss.family.target_type == "classes" and fractional.all() and not as_probabilities:
        return f"whole numbers only, from {record.low[j]:.0f} to {record.high[j]:.0f}, and the others have fractions"
    return None


def _beside_logits(job: "Job", record: ColumnFacts) -> Array:
    """Return which columns lie within 0 and 1, as confidences and weights do, while all others surely hold logits."""
    unit = record.unit & (record.low < record.high)
    logits = (record.negative >= NEGATIVE * record.sampled) & (record.above >= ABOVE * record.sampled)
    classes = job.loss.family.target_type == "classes" and job.extras.prediction_kind == "logits"
    doubtful = classes and record.rows >= ENOUGH and 1 <= unit.sum() <= SPARE and (unit | logits).all() and logits.any()
    return np.flatnonzero(unit) if doubtful else np.zeros(0, int)


def _is_key_in_other_rows(record: ColumnFacts, j: int) -> bool:
    """Whether the targets of a column of whole numbers are the same numbers in other rows, as far as two sums tell.

    Outcomes, 0 and 1 or -1 and 1, are none: they often are as many in predictions as in targets.
    """
    same = not record.sums[j] and not record.squares[j] and not record.equal[j]
    return bool(same and (record.low[j] < -1 or record.high[j] > 1))
