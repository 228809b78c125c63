"""Targets that are distributions over classes or outcomes, given as logits, probabilities or log-probabilities."""

from typing import Any

import numpy as np

from losscli.arrays import Array, row_sums
from losscli.data.class_names import by_name
from losscli.data.columns import Columns
from losscli.data.target_encoding import SUM_TOLERANCE, DecodedTargets, TargetEncoding
from losscli.data.targets import matching
from losscli.definition.request import Request
from losscli.elementary import log1p
from losscli.errors import DataError, UsageError
from losscli.io.source import Derived, Source, blocks, first_of
from losscli.losses.probability import OfLogit
from losscli.losses.softmax import log_softmax
from losscli.losses.temperature import Tempered
from losscli.records import dataclass
from losscli.wording import count, written

ONE = {"logits": "logit", "probs": "probability", "log-probs": "log-probability"}
"""A kind of targets -> one of them, in words."""


@dataclass
class Probabilities(Derived):
    """The probabilities, in float64, of a source of logits, probabilities or log-probabilities, at a temperature."""

    row_by_row = True

    kind: str
    temperature: float
    over_classes: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float64)

    @np.errstate(all="ignore")  # log(0) is -inf, and what has no probabilities was refused before
    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        x = self.of.read(start, stop).astype(np.float64)
        if self.over_classes:
            return log_softmax((np.log(x) if self.kind == "probs" else x) / self.temperature).p
        if self.kind != "logits":
            x = np.log(x) - log1p(-x) if self.kind == "probs" else x - np.log(-np.expm1(x))
        return OfLogit(x / self.temperature).p


def check_options(request: Request) -> None:
    """Raise a UsageError if the loss takes no distributions, which is known of some losses only once files are open."""
    if request.loss.family.takes_distributions:
        return
    option = "--temperature" if request.targets_from is None else "--targets-from"
    cure = "; say --targets-from probs if they are" if request.loss.family.custom else "; leave it out"
    raise UsageError(f"{option}: {request.loss.name} is given no distributions over classes or outcomes{cure}")


def tempered(request: Request) -> Tempered | None:
    """Return what computes the loss at the request's temperature; None for a temperature of 1."""
    if request.temperature in (None, 1):
        return None
    family = request.loss.family
    return Tempered(request.temperature, family.target_type == "classes", request.temperature_squared, family.custom)


def distributions(
    request: Request, predictions: Source, targets: Columns, classes: tuple[str, ...] | None, k: int
) -> DecodedTargets:
    """Return targets that --targets-from says are distributions, as probabilities in the predictions' shape.

    Parameters
    ----------
    predictions
        only their shape and names are used.
    classes
        names of the classes, or of the outputs, if they have any.
    k
        number of classes, or of outputs.

    Raises
    ------
    UsageError
        if there are options that only labels can have.
    DataError
        if the targets have another shape, or are not what --targets-from says, with the first place.
    """
    family, kind = request.loss.family, str(request.targets_from)
    for option, given in (("--ignore-index", request.ignore_index), ("--label-base", request.label_base or None)):
        if given is not None:
            raise UsageError(f"{option} {given}: is for labels, and with --targets-from there are none; leave it out")
    over_classes = family.target_type == "classes"
    notes: list[str] = []
    if over_classes:
        source, matched = _rows(request, targets, classes, k, notes)
    else:
        source, notes, matched = matching(request.loss.name, predictions, targets, family)
    for start, block in blocks(source):
        _check(source, kind, start, block, over_classes)
    temperature = 1.0 if request.temperature is None else request.temperature
    if kind != "probs" or temperature != 1:
        source = Probabilities(source, kind, temperature, over_classes)
    return DecodedTargets(
        source, TargetEncoding("soft", "rows" if over_classes else "outcomes", k), classes, matched, notes
    )


def _rows(
    request: Request, targets: Columns, classes: tuple[str, ...] | None, k: int, notes: list[str]
) -> tuple[Source, str | None]:
    """Return rows of one number per class in the order of the classes, and how their columns were matched."""
    shape = targets.shape
    if len(shape) != 2 or shape[1] != k:
        cure = "; if these are labels, leave it out" if len(shape) == 1 or shape[1] == 1 else ""
        raise DataError(
            f"{request.loss.name}: {targets.name} has shape {shape}, and --targets-from {request.targets_from} takes one column "
            f"for each of {count(k, 'class', 'classes')}{cure}"
        )
    source = targets.source()
    if classes and targets.names:
        return by_name(source, classes, targets.names, notes, positions=False)
    return source, None


def _check(source: Source, kind: str, start: int, block: Array, over_classes: bool) -> None:
    """Raise a DataError for the first number or row of a block that is no distribution; row `start` is its first."""
    x = block.astype(np.float64)
    bad = np.isnan(x)
    if kind == "probs":
        bad |= (x < 0) | (x > 1)
    if kind == "log-probs":
        bad |= x > 0
    if bad.any():
        place, at = first_of(source, start, bad)
        raise DataError(
            f"{place}: {written(x[at])} is not a {ONE[kind]}, which --targets-from {kind} says the targets are; correct the row, "
            "or say what they are",
            "targets-not-probabilities",
        )
    if not over_classes:
        return
    if kind == "logits":
        wrong = ((x == np.inf).sum(axis=1) > 1) | (x == -np.inf).all(axis=1)
        fact = "have no softmax: each is -inf, or more than one is inf; correct the row"
    else:
        with np.errstate(all="ignore"):
            sums = row_sums(x if kind == "probs" else np.exp(x))
        wrong = ~(np.abs(sums - 1) <= SUM_TOLERANCE)
        fact = "are of probabilities that sum to {:.6g}, not 1; if these are logits, say --targets-from logits"
    if wrong.any():
        row = int(wrong.argmax())
        words = fact if kind == "logits" else fact.format(sums[row])
        raise DataError(f"{source.place(start + row)}: the targets of the row {words}", "targets-not-probabilities")
