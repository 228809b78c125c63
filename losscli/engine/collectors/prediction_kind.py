"""The kind of predictions: logits, probabilities, log-probabilities or neither, from the whole file,
with the evidence.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.data.target_encoding import SUM_TOLERANCE
from losscli.findings import NOTE, WARNING, Finding
from losscli.records import NamedTuple
from losscli.wording import count

if TYPE_CHECKING:
    from losscli.definition.loss import Family, Loss
    from losscli.io.source import Source

MOSTLY = 0.99
"""If at least this share of rows sums to 1, the other rows are taken for damaged probabilities."""


def floor(classes: int | None) -> tuple[str, float]:
    """Return the function applied twice if probabilities are read as logits, and the
    lowest cross-entropy possible then.

    `classes` is the number of classes, or None for outcomes.
    """
    if classes is None:
        return "sigmoid", math.log1p(1 / math.e)
    return "softmax", math.log1p((classes - 1) / math.e)


def reach(classes: int | None) -> tuple[str, float, float]:
    """Return the function applied twice if probabilities of masks are read as logits, and between which numbers its results lie.

    `classes` is the number of classes of a softmax, or None for a sigmoid.
    """
    if classes is None:
        return "sigmoid", 0.5, 1 / (1 + 1 / math.e)
    return "softmax", 1 / (1 + (classes - 1) * math.e), 1 / (1 + (classes - 1) / math.e)


def misread(
    loss: "Loss", name: str, prediction_kind: str, k: int, evidence: str | None = None, activation: str | None = None
) -> list[Finding]:
    """Return a finding about predictions that look like probabilities: all in [0, 1], and rows over classes sum to 1.

    Parameters
    ----------
    name
        name of their file.
    k
        number of classes.
    evidence
        why they look like probabilities; None for the usual reason.
    activation
        what makes probabilities of logits in overlap losses, 'sigmoid' or 'softmax'.
    """
    family = loss.family
    if family.takes_from and prediction_kind == "logits":
        over_classes = family.target_type in ("classes", "sequences")
        if family.takes_activation:
            function, low, high = reach(k if activation == "softmax" else None)
            consequence = f"lies between {low:.4f} and {high:.4f}, where masks are neither empty nor full"
        else:
            function, least = floor(k if over_classes else None)
            consequence = f"lets no cross-entropy fall below {least:.4f}"
        rows = " and every row sums to 1" if over_classes else ""
        evidence = evidence or f"all predictions lie in [0, 1]{rows}"
        return [
            Finding(
                f"double-{function}",
                WARNING,
                f"{name}: {evidence}: are they probabilities? They were read as logits, and the {function} of probabilities "
                f"{consequence}",
                cure="if they are probabilities, say --from probs",
            )
        ]
    if family.signed_scores:
        return [
            Finding(
                "unsigned-scores",
                WARNING,
                f"{name}: all scores lie in [0, 1]: are they probabilities? {loss.name} takes scores whose sign is the "
                "prediction",
                cure="give scores around 0, such as logits",
            )
        ]
    return []


class Values(NamedTuple):
    """Mergeable record of predictions: how many lie where, and the sums of their rows."""

    rows: int = 0
    elements: int = 0
    least: float = math.inf
    most: float = -math.inf
    nan: int = 0
    infinite: int = 0
    overflowed: int = 0
    """How many are plus infinity."""
    within: int = 0
    """How many are in [0, 1]."""
    zeros: int = 0
    ones: int = 0
    positive: int = 0
    least_step: float = math.inf
    most_step: float = -math.inf
    """Largest value minus row number in the first of several columns; the same for all rows if the
    column counts rows.
    """
    least_sum: float = math.inf
    most_sum: float = -math.inf
    off: int = 0
    """Rows whose sum differs from 1 by more than the tolerance."""
    first_off: tuple[int, ...] = ()
    off_of_logs: int = 0
    """Rows for which the sum of the exponentials differs from 1 by more than the tolerance."""
    constant: bool = True
    first: Array | None = None
    """The first row; all others are equal to it if the predictions are constant."""

    @classmethod
    def of(cls, x: Array, rows: Array | None = None) -> "Values":
        """Return the record of a batch of predictions, (n,) or (n, k); `rows` are the numbers of its rows
        in the file.
        """
        if not len(x):
            return cls()
        x = x.astype(np.float64)
        finite = np.isfinite(x)
        held = x[finite]
        sums = logs = np.ones(0)
        several = x.ndim == 2 and x.shape[1] > 1
        with np.errstate(all="ignore"):
            if several:
                sums = row_sums(x)
                logs = row_sums(np.exp(x)) if held.max(initial=-np.inf) <= 0 else np.full(len(x), np.inf)
            off = ~(np.abs(sums - 1) <= SUM_TOLERANCE)
            off_of_logs = ~(np.abs(logs - 1) <= SUM_TOLERANCE)
            numbers = np.arange(len(x)) if rows is None else rows
            steps = x[:, 0] - numbers if several else np.zeros(0)
            steps[~np.isfinite(steps)] = np.inf
        first_off = np.flatnonzero(off)[:3]
        finite_sums = sums[np.isfinite(sums)]
        return cls(
            len(x),
            x.size,
            float(held.min(initial=np.inf)),
            float(held.max(initial=-np.inf)),
            int(np.count_nonzero(np.isnan(x))),
            int(np.count_nonzero(np.isinf(x))),
            int(np.count_nonzero(np.isposinf(x))),
            int(np.count_nonzero((x >= 0) & (x <= 1))),
            int(np.count_nonzero(x == 0)),
            int(np.count_nonzero(x == 1)),
            int(np.count_nonzero(x > 0)),
            float(steps.min(initial=np.inf)),
            float(steps.max(initial=-np.inf)),
            float(finite_sums.min(initial=np.inf)),
            float(finite_sums.max(initial=-np.inf)),
            int(np.count_nonzero(off)),
            tuple((first_off if rows is None else rows[first_off]).tolist()),
            int(np.count_nonzero(off_of_logs)),
            bool((x == x[0]).all()),
            x[0],
        )

    def __add__(self, other: "Values") -> "Values":  # type: ignore[override]
        if self.first is None or other.first is None:
            return other if self.first is None else self
        same = bool(np.array_equal(self.first, other.first))
        added = {
            name: getattr(self, name) + getattr(other, name)
            for name in (
                "rows",
                "elements",
                "nan",
                "infinite",
                "overflowed",
                "within",
                "zeros",
                "ones",
                "positive",
                "off",
                "off_of_logs",
            )
        }
        return Values(
            **added,
            least=min(self.least, other.least),
            most=max(self.most, other.most),
            least_sum=min(self.least_sum, other.least_sum),
            most_sum=max(self.most_sum, other.most_sum),
            first_off=(self.first_off + other.first_off)[:3],
            least_step=min(self.least_step, other.least_step),
            most_step=max(self.most_step, other.most_step),
            constant=self.constant and other.constant and same,
            first=self.first,
        )

    @property
    def inside(self) -> bool:
        """Whether all predictions that are not NaN are in [0, 1]."""
        return self.within + self.nan == self.elements

    @property
    def classes(self) -> int:
        """The number of columns; 1 for one number per row."""
        return max(1, self.elements // max(1, self.rows))


class Kind(NamedTuple):
    """The kind of predictions, and the evidence for it."""

    name: str
    evidence: str


def kind(values: Values, family: "Family") -> Kind:
    """Return the kind of predictions for the losses of a family.

    The family's targets may be classes of which one happens, independent outcomes, or numbers.
    """
    span = f"values from {values.least:.4g} to {values.most:.4g}"
    if not values.elements or values.nan + values.infinite == values.elements:
        return Kind("neither", "there is no finite value")
    if not family.takes_from:
        return Kind("numbers", span)
    of_classes = family.target_type == "classes"
    if values.inside:
        return _kind_within(values, of_classes, span)
    if of_classes and values.least >= 0 and percentages(values):
        return Kind("neither", f"{span}, and every row sums to 100: percentages")
    if of_classes and not values.positive and not values.off_of_logs:
        return Kind("log-probabilities", f"{span}, and the exponentials of each row sum to 1")
    outside = values.elements - values.within
    return Kind("logits", f"{span}, {outside / values.elements:.0%} outside [0, 1]")


def _kind_within(values: Values, of_classes: bool, span: str) -> Kind:
    """Return the kind of predictions that are all in [0, 1]; those of classes are probabilities if their rows sum to 1.

    `span` says in words from where to where they lie.
    """
    if not of_classes:
        return Kind("probabilities", f"{span}, all in [0, 1]")
    if not values.off:
        return Kind("probabilities", f"{span}, and every row sums to 1")
    right = values.rows - values.off
    if right >= MOSTLY * values.rows:
        return Kind("probabilities", f"{span}, and {right:,} of {values.rows:,} rows sum to 1")
    return Kind("neither", f"{span}, but rows sum to {values.least_sum:.6g} ... {values.most_sum:.6g}")


def percentages(values: Values) -> bool:
    """Whether every row sums to 100."""
    return abs(values.least_sum - 100) < 0.5 and abs(values.most_sum - 100) < 0.5


class _Predictions(NamedTuple):
    """Everything that is known of predictions without their targets."""

    values: Values
    kind: Kind
    source: "Source"
    read_as: str
    """The kind as which they are read, such as 'logits'."""
    family: "Family"

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def of_classes(self) -> bool:
        return self.family.target_type == "classes"

    @property
    def some_off(self) -> bool:
        """Whether they are read as logits, lie in [0, 1], and rows over classes do not all sum to 1."""
        return self.read_as == "logits" and self.of_classes and self.values.inside and self.values.off > 0


def suspicious(values: Values, found: Kind, source: "Source", prediction_kind: str, family: "Family") -> list[Finding]:
    """Return findings about predictions that can be had without their targets, for the losses of a family."""
    predictions = _Predictions(values, found, source, prediction_kind, family)
    findings = (question(predictions) for question in _QUESTIONS)
    return [finding for finding in findings if finding is not None]


def _row_numbers(predictions: _Predictions) -> Finding | None:
    """Return a finding if the first of several columns counts the rows."""
    values = predictions.values
    if values.rows < 10 or values.least_step != values.most_step:
        return None
    return Finding(
        "id-as-prediction",
        WARNING,
        f"{predictions.name}: the first column counts the rows, and is taken for predictions",
        cure="if it is an index, leave it out: pick the others with --columns, or save the array without it",
    )


def _percentages(predictions: _Predictions) -> Finding | None:
    """Return a finding if every row over classes sums to 100."""
    if not predictions.of_classes or predictions.values.least < 0 or not percentages(predictions.values):
        return None
    return Finding(
        "row-sums",
        WARNING,
        f"{predictions.name}: every row sums to 100: percentages?",
        cure="divide by 100, and say --from probs",
    )


def _end_of_float16(predictions: _Predictions) -> Finding | None:
    """Return a finding if values in float16 reach the largest number that it has."""
    values = predictions.values
    if predictions.source.dtype != np.float16 or max(-values.least, values.most) < float(np.finfo(np.float16).max):
        return None
    return Finding(
        "float16-overflow",
        WARNING,
        f"{predictions.name}: values from {values.least:g} to {values.most:g} reach the end of float16",
        cure="were they clipped, or a mask? Save float32 before anything overflows",
    )


def _infinite(predictions: _Predictions) -> Finding | None:
    """Return a finding if values are infinite, unless they are float16, whose infinities are faults of their rows."""
    values = predictions.values
    if not values.infinite or predictions.source.dtype == np.float16:
        return None
    return Finding(
        "infinite-predictions",
        WARNING if values.overflowed else NOTE,
        f"{predictions.name}: {values.infinite:,} of {values.elements:,} values are infinite",
        cure="-inf is the logit, or log-probability, of what cannot be; anything else is an overflow",
    )


def _neither(predictions: _Predictions) -> Finding | None:
    """Return a finding if values lie in [0, 1] but their rows do not sum to 1, so that they are of no kind."""
    values = predictions.values
    if predictions.kind.name != "neither" or not predictions.some_off:
        return None
    return Finding(
        "row-sums",
        WARNING,
        f"{predictions.name}: {values.off:,} of {values.rows:,} rows do not sum to 1, although all values lie in [0, 1]: "
        f"neither logits nor probabilities of {values.classes} classes",
        tuple(predictions.source.place(row) for row in values.first_off),
        "are they outputs of a sigmoid each? Then a sigmoid loss takes them, with --from probs",
    )


def _damaged_rows(predictions: _Predictions) -> Finding | None:
    """Return a finding if a few rows of probabilities do not sum to 1."""
    values = predictions.values
    if predictions.kind.name != "probabilities" or not predictions.some_off:
        return None
    return Finding(
        "row-sums",
        WARNING,
        f"{predictions.name}: {values.off:,} of {values.rows:,} rows do not sum to 1, and the others do",
        tuple(predictions.source.place(row) for row in values.first_off),
        "look at these rows",
    )


def _log_probabilities(predictions: _Predictions) -> Finding | None:
    """Return a finding if log-probabilities are read as logits."""
    if predictions.kind.name != "log-probabilities" or predictions.read_as != "logits":
        return None
    return Finding(
        "log-probabilities",
        NOTE,
        f"{predictions.name}: the exponentials of every row sum to 1: log-probabilities, which read as logits give the same loss",
        cure="say --from log-probs",
    )


def _saturated(predictions: _Predictions) -> Finding | None:
    """Return a finding if probabilities are exactly 1."""
    values = predictions.values
    if predictions.kind.name != "probabilities" or not values.ones or values.rows < 2:
        return None
    return Finding(
        "saturated-probabilities",
        WARNING,
        f"{predictions.name}: {count(values.ones, 'probability', 'probabilities')} of exactly 1, and {values.zeros:,} of exactly 0: "
        "what was left was rounded away, or clipped",
        cure="save logits, or log-probabilities with --from log-probs",
    )


def _constant(predictions: _Predictions) -> Finding | None:
    """Return a finding if all of several rows are equal."""
    values = predictions.values
    if not values.constant or values.rows < 2:
        return None
    return Finding(
        "constant-predictions",
        WARNING,
        f"{predictions.name}: all {values.rows:,} rows are the same",
        cure="was the same batch written over and over, or the model not loaded?",
    )


_QUESTIONS = (
    _row_numbers,
    _percentages,
    _end_of_float16,
    _infinite,
    _neither,
    _damaged_rows,
    _log_probabilities,
    _saturated,
    _constant,
)
"""The tests of predictions, in the order of their findings."""
