"""What changes when new results of a suite become its baseline: each statistic, before and now."""

import math
from collections.abc import Mapping
from typing import Any

from losscli.analysis.shared.records import differing, statistics, without_version
from losscli.engine.aggregates import divide
from losscli.records import NamedTuple, dataclass

NEW, GONE, OTHERWISE = "new", "no longer measured", "computed otherwise"
"""What may have become of a measurement as a whole."""


class Change(NamedTuple):
    """A statistic of a measurement that is another number than before; or, without a statistic, what became of all."""

    measurement: str
    statistic: str
    before: float | None
    now: float | None
    words: str = ""

    @property
    def relative(self) -> float:
        """The change as a part of the size of the earlier number; NaN where there is none."""
        if self.before is None or self.now is None:
            return math.nan
        return divide(self.now - self.before, abs(self.before))

    def record(self) -> dict[str, Any]:
        """Return the change for JSON."""
        found: dict[str, Any] = {"measurement": self.measurement}
        if self.statistic:
            found |= {"statistic": self.statistic, "before": self.before, "now": self.now, "relative": self.relative}
        return found | ({"words": self.words} if self.words else {})


@dataclass(frozen=True)
class Blessed:
    """New results that are the baseline from now on: the file, and what they change of the earlier ones."""

    file: str
    changes: tuple[Change, ...]
    first: bool
    """Whether there were no earlier ones."""

    def record(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {"file": self.file, "first": self.first, "changes": [change.record() for change in self.changes]}

    @property
    def words(self) -> str:
        """How much changes, in words."""
        names = {change.measurement for change in self.changes}
        if self.first:
            return f"{self.file}: the first baseline"
        if not names:
            return f"{self.file}: nothing changes"
        numbers = sum(bool(change.statistic) for change in self.changes)
        return f"{self.file}: {numbers} numbers of {len(names)} measurements change"


def changes(before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> tuple[Change, ...]:
    """Return what is different between two results of a suite, whose keys are the names of measurements."""
    found: list[Change] = []
    for name, record in now.items():
        earlier = before.get(name)
        if earlier is None:
            found.append(Change(name, "", None, None, NEW))
            found += [Change(name, statistic, None, value) for statistic, value in statistics(record).items()]
            continue
        signatures = [without_version(str(one.get("signature"))) for one in (earlier, record)]
        if signatures[0] != signatures[1]:
            found.append(Change(name, "", None, None, f"{OTHERWISE}: {differing(*signatures)}"))
        old, new = statistics(earlier), statistics(record)
        found += [
            Change(name, statistic, old.get(statistic), new.get(statistic))
            for statistic in dict.fromkeys([*new, *old])
            if not _same(old.get(statistic), new.get(statistic))
        ]
    return (*found, *(Change(name, "", None, None, GONE) for name in before if name not in now))


def _same(before: float | None, now: float | None) -> bool:
    """Return whether two numbers are the same; NaN is the same as NaN."""
    both_nan = before is not None and now is not None and math.isnan(before) and math.isnan(now)
    return before == now or both_nan
