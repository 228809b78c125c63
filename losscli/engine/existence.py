"""What exists: which rows and which single outputs of a batch are neither masked, nor missing, nor ignored."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.data.target_encoding import is_ignored
from losscli.definition.domain import Interval
from losscli.records import NamedTuple

if TYPE_CHECKING:
    from losscli.engine.job import Job

MEMBERS = (0.5, 1.0, 0.0, 2.0, -0.5)
"""Numbers of which every domain of predictions or targets has one."""
LOG_PROBABILITY = -0.5
"""A number that can be a log-probability."""


class Existing(NamedTuple):
    """Which rows that were read exist, shape (n,), and which outputs of these rows, shape (rows that exist, k); None for all."""

    rows: Array | None
    elements: Array | None


def existing(job: "Job", targets: Array, mask: Array | None) -> Existing:
    """Return what exists of some rows, by their targets and their mask."""
    if job.several and targets.ndim == 2:
        return _of_outputs(job, _present(job, targets, mask))
    kept = _kept_targets(job, targets)
    if mask is None:
        return Existing(kept, None)
    there = mask != 0 if mask.ndim == 1 else (mask != 0).any(axis=1)
    there = there if kept is None else there & kept
    elements = mask[there] != 0 if mask.ndim == 2 and job.masks_elements else None
    return Existing(None if there.all() else there, elements)


def of_anchors(job: "Job", first: int, rows: int, exists: Existing) -> Existing:
    """Return what exists without the rows that have no loss since no other row is of their class.

    The rows are those from row `first` of the file on.
    """
    everyone = job.extras.everyone
    if everyone is None or everyone.anchors is None:
        return exists
    anchors = everyone.anchors[first : first + rows]
    return exists._replace(rows=None if anchors.all() else anchors)


def _kept_targets(job: "Job", targets: Array) -> Array | None:
    """Return which rows have a target, by the label to ignore and, where targets may be missing, by NaN; None for all."""
    kept = job.encoding.keep(targets)
    if not job.missing or targets.ndim != 1 or targets.dtype.kind != "f":
        return kept
    held = ~np.isnan(targets)
    kept = held if kept is None else kept & held
    return None if kept.all() else kept


def _present(job: "Job", targets: Array, mask: Array | None) -> Array | None:
    """Return which targets of several outputs exist, shape (n, k); None for all."""
    present: Array | None = None
    if job.missing:
        present = ~np.isnan(targets) if targets.dtype.kind == "f" else np.ones(targets.shape, bool)
        if job.encoding.ignore is not None:
            present &= ~is_ignored(targets, job.encoding.ignore)
    if mask is None:
        return present
    there = np.broadcast_to((mask != 0) if mask.ndim == 2 else (mask != 0)[:, None], targets.shape)
    return there if present is None else present & there


def _of_outputs(job: "Job", present: Array | None) -> Existing:
    """Return which rows have an output that exists, and which outputs of these rows exist."""
    if present is None:
        return Existing(None, None)
    rows = np.asarray(present.any(axis=1))
    whole = bool(rows.all())
    elements = present if whole else present[rows]
    return Existing(None if whole else rows, elements if job.by_elements else None)


def filled(job: "Job", predictions: Array, targets: Array, present: Array) -> tuple[Array, Array]:
    """Return predictions and targets in which elements that do not exist are numbers that every loss of this kind takes."""
    if present.all():
        return predictions, targets
    domains = job.domains
    number = LOG_PROBABILITY if job.extras.prediction_kind == "log-probs" else _member(domains.predictions)
    predictions = np.where(present, predictions, predictions.dtype.type(number))
    if targets.ndim == 2:
        binary = job.encoding.stored_as in ("signs", "outcomes")
        targets = np.where(present, targets, targets.dtype.type(1 if binary else _member(domains.targets)))
    return predictions, targets


def _member(domain: Interval) -> float:
    """Return a number that is in a domain."""
    return next(number for number in MEMBERS if number in domain)
