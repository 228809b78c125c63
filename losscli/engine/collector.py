"""Collectors: what a pass keeps of its rows besides the losses themselves.

A pass is a job and a tuple of collectors. A collector makes a record of each batch of rows, or of each chunk, and
records are added in the order of the rows, so that the digits do not depend on who computed which batch. A new
statistic is a new collector: one file in `losscli/engine/collectors`, which the engine does not know by name.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self, TypeVar

from losscli.engine.batch import Batch, CountedRows
from losscli.engine.job import Job


class Record(Protocol):
    """What a collector makes: it can be added to the record of the rows that follow."""

    def __add__(self, other: Any) -> Self: ...


R = TypeVar("R")


class BatchCollector:
    """Looks at every batch: at what was read, and at what came of it."""

    record: ClassVar[type]
    """The type of its records, by which they are found in an `Aggregate`."""

    def of(self, job: Job, batch: Batch) -> Any:
        """The record of one batch."""
        raise NotImplementedError


class ChunkCollector:
    """Looks at the losses, weights and targets of a whole chunk at once, which is fewer and longer arrays."""

    record: ClassVar[type]
    """The type of its records, by which they are found in an `Aggregate`."""

    def of(self, job: Job, rows: CountedRows) -> Any:
        """The record of the rows of one chunk that count."""
        raise NotImplementedError


Collector = BatchCollector | ChunkCollector


class Aggregate:
    """Everything that one pass keeps of a run of rows: one record per collector, found by its type.

    `aggregate[Summary]` is the record, or an empty one where there was no row; `aggregate.get(Sample)` is None where
    nothing was collected.
    """

    __slots__ = ("records",)

    def __init__(self, records: Mapping[type, Any] = MappingProxyType({})) -> None:
        self.records = records

    def __add__(self, other: "Aggregate") -> "Aggregate":
        return Aggregate({kind: added(record, other.records.get(kind)) for kind, record in self.records.items()})

    def __getitem__(self, kind: type[R]) -> R:
        found: R | None = self.records.get(kind)
        return kind() if found is None else found

    def get(self, kind: type[R]) -> R | None:
        """The record of a type, or None where there is none."""
        found: R | None = self.records.get(kind)
        return found


def added(one: Any, other: Any) -> Any:
    """The sum of two records; None where either is missing, for then a part of the rows is not in it."""
    return None if one is None or other is None else one + other


def of_batch(collectors: Iterable[Collector], job: Job, batch: Batch) -> dict[type, Any]:
    """The records of one batch."""
    return {one.record: one.of(job, batch) for one in collectors if isinstance(one, BatchCollector)}


def of_chunk(collectors: Iterable[Collector], job: Job, rows: CountedRows) -> dict[type, Any]:
    """The records of one chunk as a whole."""
    return {one.record: one.of(job, rows) for one in collectors if isinstance(one, ChunkCollector)}
