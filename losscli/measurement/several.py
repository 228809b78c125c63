"""Several losses of the same files, measured in one pass: a result for each."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from losscli.engine.evaluate import ChunkResult, Rows
from losscli.engine.job import Job, read_alike
from losscli.errors import DataError, LosscliError, UsageError
from losscli.io.bytes import Looked
from losscli.measurement.measure import Measurement
from losscli.measurement.requirement import STATISTICS, Requirement
from losscli.measurement.result import Result
from losscli.measurement.sums import Term, measured_together, of_term, opened
from losscli.records import dataclass, field
from losscli.shown import Shown
from losscli.wording import did_you_mean, listing


@dataclass(repr=False)
class Several(Shown):
    """The results of several losses of the same files, by the losses' names, in the order in which they were asked for."""

    results: Mapping[str, Result]
    notes: list[str] = field(default_factory=list)

    def judge(self, requirements: Sequence[tuple[str, Requirement]]) -> bool:
        """Evaluate requirements, each with the name of its loss, note them in the results, and return whether all are met."""
        verdicts = [
            self.results[name].judge([one]) for name, one in requirements
        ]  # all of them, not only to the first that fails
        return all(verdicts)

    def judge_each(self, requirements: Sequence[tuple[str, Requirement]]) -> bool:
        """Evaluate requirements of every slice, as `judge` does."""
        verdicts = [self.results[name].judge_each([one]) for name, one in requirements]
        return all(verdicts)

    @property
    def requirements(self) -> list[dict[str, Any]]:
        """All requirements, each with the name of its loss in front."""
        return [
            entry | {"require": f"{name} {entry['require']}"}
            for name, result in self.results.items()
            for entry in result.requirements
        ]

    def to_dict(self) -> list[dict[str, Any]]:
        """The results with the keys of `-f json`."""
        return [result.to_dict() for result in self.results.values()]


def requirements_of(
    texts: Sequence[str], names: Sequence[str], typed: Sequence[str], each: bool = False
) -> list[tuple[str, Requirement]]:
    """Read requirements such as 'brier mean <= 0.1', and return each with the name of its loss.

    Parameters
    ----------
    names, typed
        the name of each loss, and how it was typed: a requirement may call it by either.
    each
        whether they are of every slice.

    Raises
    ------
    UsageError
        if a text names none of the losses, or is no requirement.
    """
    called = dict(zip(typed, names, strict=True)) | {name: name for name in names}
    found = []
    for text in texts:
        word, _, rest = text.strip().partition(" ")
        if word not in called:
            stated = re.match(rf"(?:{'|'.join(STATISTICS)})\b.*", text.strip().rpartition(".")[2])
            like = f"'{typed[0]} {stated[0] if stated else 'mean <= 0.35'}'"
            why = (
                f"{word!r} is none of the losses{did_you_mean(word, called)}"
                if rest and word not in STATISTICS
                else "of which loss?"
            )
            option = "--require-each" if each else "--require"
            raise UsageError(f"{option} {text!r}: {why}; begin with one of {listing(names)}, as in {like}")
        found.append((called[word], Requirement.of_each(rest) if each else Requirement.parse(rest)))
    return found


def measured(
    terms: Sequence[Term],
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    started: Callable[[Sequence[Measurement]], None] = lambda measurements: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
    consume: "Callable[[Sequence[Rows]], None] | None" = None,
) -> Several:
    """Measure losses of the same files, which are opened once.

    Parameters
    ----------
    started
        is told of the measurements once the files are open, before any pass.
    consume
        gets the losses of the same units under each of the losses; None if nobody wants them.

    Raises
    ------
    UsageError
        if options contradict each other, or losses have other units than the first.
    DataError
        if files cannot be used.
    """
    rows = consume is not None
    measurements, notes = opened(terms, looked, rows)
    if rows:
        _check_alike(terms, measurements)
    started(measurements)
    found = measured_together(measurements, threads, begun, seen, _Aligned(terms, consume).add if consume else _nothing)
    results = {}
    for term, result in zip(terms, found, strict=True):
        if isinstance(result, LosscliError):
            raise of_term(term, result)
        results[term.name] = result
    return Several(results, list(dict.fromkeys([*notes, *(note for one in measurements for note in one.notes)])))


def _nothing(number: int, chunk: ChunkResult) -> None:
    pass


def _check_alike(terms: Sequence[Term], measurements: Sequence[Measurement]) -> None:
    """Raise a UsageError if losses are not of the same units in the same order, so that they have no rows together."""
    first = measurements[0]
    for term, other in zip(terms[1:], measurements[1:], strict=True):
        alike = read_alike(first.job, other.job) and (first.job.unit, first.units.kind) == (
            other.job.unit,
            other.units.kind,
        )
        if not alike:
            raise UsageError(
                f"{term.name} is of other units than {terms[0].name}, so that their losses have no rows together; list each by itself"
            )


class _Aligned:
    """Puts the losses of the same units together, as the chunks of several jobs come one after another."""

    def __init__(self, terms: Sequence[Term], consume: Callable[[Sequence[Rows]], None]) -> None:
        self.terms, self.consume = terms, consume
        self.waiting: list[list[Rows]] = [[] for _ in terms]

    def add(self, number: int, chunk: ChunkResult) -> None:
        """Take the rows of a chunk of one of the jobs."""
        self.waiting[number] += chunk.rows
        while all(self.waiting):
            together = [rows.pop(0) for rows in self.waiting]
            for term, rows in zip(self.terms, together, strict=True):
                if not np.array_equal(rows.sample, together[0].sample):
                    raise DataError(
                        f"{term.name} leaves out other samples than {self.terms[0].name}, so that their losses have no rows together; "
                        "list each by itself"
                    )
            self.consume(together)
