"""Bits per byte: the losses of all tokens, which are nats, as bits over the bytes of the text that they stand for."""

import math
import os

import numpy as np

from losscli.data.columns import Columns
from losscli.definition.request import Request
from losscli.engine.existence import existing
from losscli.engine.job import Job
from losscli.errors import DataError, UsageError
from losscli.io.operands import Opener
from losscli.io.positions import Positions
from losscli.io.source import Source, blocks, first_of
from losscli.io.table import is_finite_number
from losscli.records import replace
from losscli.wording import written


def per_byte(nats: float, total: float) -> float:
    """Return the bits per byte of a text of so many bytes, whose tokens have losses with this sum."""
    return nats / math.log(2) / total


def check_request(request: Request) -> None:
    """Raise a UsageError for options that do not go together with --bytes."""
    if request.bytes is None:
        return
    name, likelihood = request.loss.name, request.loss.family.likelihood
    if name != likelihood:
        which = "" if likelihood is None else f", which {likelihood} is"
        raise UsageError(f"--bytes: {name} is not minus the log-probability of a token{which}; leave it out")
    given = {
        "--sample-weight": request.sample_weight,
        "--class-weight": request.class_weight,
        "--label-smoothing": request.label_smoothing,
        "--temperature-squared": request.temperature_squared,
    }
    option = next((option for option, value in given.items() if value), None)
    if option is not None:
        raise UsageError(
            f"--bytes: bits per byte are those of the losses as they are, and {option} changes them; leave one out"
        )


def bytes_of(request: Request, opener: Opener, job: Job) -> float | None:
    """Return the number of bytes of the text that the losses are of; None without --bytes.

    Raises
    ------
    UsageError
        if the text of --bytes is a number that is no number of bytes, or units are not single tokens.
    DataError
        if a file has not one number per sample or per token, or its numbers are none of bytes.
    """
    text = request.bytes
    if text is None:
        return None
    if job.unit != "row":
        raise UsageError(f"--bytes: bits per byte are a sum over all tokens; leave out --per {request.per}, or --bytes")
    if not os.path.exists(text) and text not in opener.arrays and (is_finite_number(text) or _is_word(text)):
        number = float(text)
        if not 0 < number < math.inf:
            raise UsageError(f"--bytes {text}: a text has more bytes than 0, and finitely many")
        return number
    if request.id is not None:
        raise UsageError(
            f"--bytes {text}: rows are matched by --id, and lengths have none; give the bytes of all rows as a number"
        )
    operand = opener.open(text, "--bytes")
    if operand.is_table and operand.column is None and operand.content.width > 1:
        raise DataError(f"--bytes: {operand.name} has {operand.content.width} columns; say which, as {text}:COLUMN")
    source = Columns(operand, [operand.picked or 0] if operand.is_table else [], "bytes").source()
    if len(source.shape) > 1 and source.shape[1:] != (1,):
        return _sum(_of_tokens(source, job), job, of_samples=False)
    _check_shape(source, job)
    return _sum(source, job, of_samples=job.layout is not None)


def _is_word(text: str) -> bool:
    """Whether a text is a number that is not finite."""
    return text.lower().lstrip("+-") in ("inf", "infinity", "nan")


def _of_tokens(source: Source, job: Job) -> Source:
    """Return bytes of tokens, which have the shape of the targets, as one number per row; raise a DataError for another shape."""
    if job.layout is not None and len(job.layout.grids) == 1:
        positions = job.layout.grids[0].without_classes
        if source.shape == positions.shape:
            return Positions(source, replace(positions, skipped=positions.skipped[::-1]))  # they belong to the targets
    raise _wrong_shape(source, job)


def _check_shape(source: Source, job: Job) -> None:
    """Raise a DataError if there is not one number per sample."""
    if source.shape[0] != job.whole_samples:
        raise _wrong_shape(source, job)


def _wrong_shape(source: Source, job: Job) -> DataError:
    """Return the error about numbers of bytes that are neither those of samples nor those of tokens."""
    samples = job.whole_samples
    tokens = "" if job.layout is None else f", or one per token, {job.layout.grids[0].without_classes.shape}"
    return DataError(
        f"--bytes: {source.name} has shape {source.shape}; give one number per sample, ({samples},){tokens}, or one number for all",
        "rows-differ",
    )


def _sum(source: Source, job: Job, of_samples: bool) -> float:
    """Return the bytes of the rows that count or, if `of_samples`, of the samples of which a row counts.

    Raises a DataError for a number that is none of bytes, and if there are none.
    """
    for start, block in blocks(source):
        bad = ~((block >= 0) & np.isfinite(block))
        if bad.any():
            place, at = first_of(source, start, bad)
            raise DataError(f"{place}: {written(block[at])} is no number of bytes, which is finite and at least 0")
    total, last = 0.0, -1
    for start, targets in blocks(job.targets):
        stop = start + len(targets)
        kept = existing(job, targets, None if job.mask is None else job.mask.read(start, stop)).rows
        rows = np.arange(start, stop) if kept is None else start + np.flatnonzero(kept)
        if of_samples and job.layout is not None and len(rows):
            rows = np.unique(job.layout.numbers(start, stop)[rows - start])
            rows, last = rows[rows > last], int(rows[-1])
        if len(rows):
            first = int(rows[0])
            read = source.read(first, int(rows[-1]) + 1).reshape(-1)
            total += float(read[rows - first].sum(dtype=np.float64))
    if not total:
        raise DataError(f"{source.name}: no bytes in all; bits per byte of nothing are undefined")
    return total
