"""Collectors: they decide what a pass keeps of its rows besides the losses themselves.

A pass is a job and a tuple of collectors. A collector makes a record of each batch of rows, or of each chunk, and
records are added in the order of the rows, so that the digits do not depend on which thread computed which batch. A new
statistic is a new collector: one file in `losscli/engine/collectors`, which the engine does not know by name. The
collector itself says what its record adds to the summary of a result and to the findings of a pass.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np

from losscli.data.doubts import Doubt
from losscli.engine.batch import Batch, CountedRows
from losscli.engine.job import Job
from losscli.findings import Finding


class Record(Protocol):
    """The result of a collector for some rows, to which the record of the rows that follow can be added."""

    def __add__(self, other: Any) -> Self: ...


R = TypeVar("R")


class Collector:
    """The base of all collectors. A collector is a `BatchCollector` or a `ChunkCollector`."""

    record: ClassVar[type]
    """The type of its records, by which they are found in an `Aggregate`."""
    exact: ClassVar[bool] = False
    """Whether sums of its records have the same digits however they are grouped, as counts have and sums of floats have not."""

    def received(self, record: Any) -> Any:
        """Return the record of a chunk that another process made, without what this collector keeps by itself."""
        return record

    def statistics(self, record: Any) -> Mapping[str, float]:
        """Return what the record of all rows adds to the summary of a result, by the names that `--require` knows."""
        return {}

    def described(self) -> Mapping[str, str]:
        """Return what a receipt says about its statistics, by the receipt's keys."""
        return {}

    def titles(self) -> Mapping[str, str]:
        """Return the names that tables give its statistics, where these are longer than those that `--require` knows."""
        return {}

    def findings(self, job: Job, record: Any) -> Sequence[Finding]:
        """Return what looks wrong in the files, going by the record of all rows."""
        return ()

    def doubt(self, job: Job, record: Any) -> Doubt | None:
        """Return a doubt about what the files mean, going by the record of all rows; the pass then ends in its error."""
        return None


class BatchCollector(Collector):
    """A collector that sees every batch: the numbers that were read, and the losses computed from them."""

    reads_only: ClassVar[bool] = False
    """Whether it looks at the numbers that were read, and at losses only for what is undefined. Of masks that go through
    several rows it then sees all rows; other collectors see the masks.
    """

    def of(self, job: Job, batch: Batch) -> Any:
        """Return the record of one batch."""
        raise NotImplementedError


class ChunkCollector(Collector):
    """A collector that sees the losses, weights and targets of a whole chunk at once, thus fewer and longer arrays."""

    def of(self, job: Job, rows: CountedRows) -> Any:
        """Return the record of the rows of one chunk that count."""
        raise NotImplementedError


class Aggregate:
    """Everything that one pass keeps of some rows: one record per collector, found by its type.

    `aggregate[Summary]` is the record, or an empty one if there was no row; `aggregate.get(Sample)` is
    None if nothing was collected.
    """

    __slots__ = ("records",)

    def __init__(self, records: Mapping[type, Any] = MappingProxyType({})) -> None:
        self.records = records

    def __reduce__(self) -> tuple[type["Aggregate"], tuple[dict[type, Any]]]:
        return Aggregate, (dict(self.records),)

    def __add__(self, other: "Aggregate") -> "Aggregate":
        with np.errstate(all="ignore"):  # sums that overflow are infinite, as within a batch
            return Aggregate({kind: added(record, other.records.get(kind)) for kind, record in self.records.items()})

    def __getitem__(self, kind: type[R]) -> R:
        record: R | None = self.records.get(kind)
        return kind() if record is None else record

    def get(self, kind: type[R]) -> R | None:
        """Return the record of a type, or None if there is none."""
        record: R | None = self.records.get(kind)
        return record


class Folded:
    """Stands itself for a record that was added already to that of a chunk before, where the digits allow it."""


def added(one: Any, other: Any) -> Any:
    """Return the sum of two records; None if either is None, since the sum would then miss a part of the rows."""
    if other is Folded:
        return one
    return None if one is None or other is None else one + other


def merged(records: Mapping[type, Any], following: Mapping[type, Any]) -> dict[type, Any]:
    """Return the records of some rows and of those that follow, by type; `records` is empty if there were none yet."""
    if not records:
        return dict(following)
    return {kind: added(records[kind], record) for kind, record in following.items()}


def of_batch(collectors: Iterable[Collector], job: Job, batch: Batch) -> dict[type, Any]:
    """Return the records of one batch, by type."""
    return {
        collector.record: collector.of(job, batch) for collector in collectors if isinstance(collector, BatchCollector)
    }


def of_chunk(collectors: Iterable[Collector], job: Job, rows: CountedRows) -> dict[type, Any]:
    """Return the records of one chunk as a whole, by type."""
    return {
        collector.record: collector.of(job, rows) for collector in collectors if isinstance(collector, ChunkCollector)
    }
