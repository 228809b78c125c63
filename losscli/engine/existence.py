"""What exists: which rows and which single outputs of a batch are neither masked, nor missing, nor ignored."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losscli.arrays import Array
from losscli.data.target_encoding import is_ignored
from losscli.definition.domain import Interval

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
    if not (job.several and targets.ndim == 2):
        kept = job.encoding.keep(targets)
        if job.missing and targets.ndim == 1 and targets.dtype.kind == "f":
            held = ~np.isnan(targets)
            kept = held if kept is None else kept & held
            kept = None if kept.all() else kept
        if mask is None:
            return Existing(kept, None)
        there = mask != 0 if mask.ndim == 1 else (mask != 0).any(axis=1)
        there = there if kept is None else there & kept
        if mask.ndim == 2 and job.masks_elements:
            return Existing(None if there.all() else there, mask[there] != 0)
        return Existing(None if there.all() else there, None)
    present: Array | None = None
    if job.missing:
        present = ~np.isnan(targets) if targets.dtype.kind == "f" else np.ones(targets.shape, bool)
        if job.encoding.ignore is not None:
            present &= ~is_ignored(targets, job.encoding.ignore)
    if mask is not None and mask.ndim == 1:
        there = mask != 0
        present = np.ones(targets.shape, bool) if present is None else present
        present = present & there[:, None]
    elif mask is not None:
        present = mask != 0 if present is None else present & (mask != 0)
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
    """Return a number that is in a domain, a plain one where there is one."""
    return next((number for number in MEMBERS if number in domain), 1.0)
