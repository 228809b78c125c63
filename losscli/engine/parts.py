"""Parts of a pass: which chunks belong to a part, and what is kept of them until all parts are put together."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Self

from losscli.engine.collector import Aggregate, Collector, added
from losscli.engine.units import PositionCount
from losscli.errors import UsageError
from losscli.records import NamedTuple, dataclass, field

Bounds = Sequence[tuple[int, int]]
"""The first row of each chunk, and the row after its last."""


class Part(NamedTuple):
    """One of several parts of a pass, counted from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read I/N; raise a UsageError for anything else."""
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip(), re.ASCII)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(f"--part {text}: not I/N, part I of N parts, as in --part 3/16; parts are counted from 1")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def chunks(self, bounds: Bounds) -> Bounds:
        """Return this part's chunks among all chunks: neighbours, and about as many as of every other part."""
        first, after = ((self.number - 1) * len(bounds) // self.of, self.number * len(bounds) // self.of)
        return bounds[first:after]


@dataclass
class Recorded:
    """The records of some neighbouring chunks, from which the sum over all chunks can be made with the same digits.

    `folded` are sums of records whose digits do not depend on the order of additions; of the others, `apart` holds one per
    chunk, in order.
    """

    folded: dict[type, Any] = field(default_factory=dict)
    apart: dict[type, list[Any]] = field(default_factory=dict)

    def add(self, aggregate: Aggregate, exact: Iterable[type]) -> None:
        """Add the records of the next chunk; those of the types in `exact` are folded."""
        for kind, record in aggregate.records.items():
            if kind in exact:
                _put(self.folded, kind, record)
            else:
                self.apart.setdefault(kind, []).append(record)


def exact_records(collectors: Iterable[Collector]) -> frozenset[type]:
    """Return the types of records whose sum has the same digits in any grouping: counts, first places, values kept."""
    return frozenset({collector.record for collector in collectors if collector.exact} | {PositionCount})


def together(parts: Iterable[Recorded]) -> Aggregate:
    """Return the sum of the records of all chunks, added in their order; `parts` are in order, too."""
    records: dict[type, Any] = {}
    for part in parts:
        for kind, record in part.folded.items():
            _put(records, kind, record)
        for kind, each in part.apart.items():
            for record in each:
                _put(records, kind, record)
    return Aggregate(records)


def _put(records: dict[type, Any], kind: type, record: Any) -> None:
    """Add the record of the rows that follow to that of its type, if there is one already."""
    records[kind] = added(records[kind], record) if kind in records else record
