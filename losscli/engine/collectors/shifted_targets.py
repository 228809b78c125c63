"""Whether predictions fit the targets of the positions behind or before them better than their own: a missing shift."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.engine.classes import classes, names_classes, predicted
from losscli.engine.collector import BatchCollector
from losscli.findings import WARNING, Finding
from losscli.records import NamedTuple, dataclass

if TYPE_CHECKING:
    from losscli.engine.batch import Batch
    from losscli.engine.job import Job

LEAST_PAIRS = 50
"""With fewer pairs of neighbours than this, nothing is said."""
BETTER = 0.1
"""By so much must the share of neighbours that are predicted exceed the share of own targets that are, which must be doubled."""


class Neighbours(NamedTuple):
    """Mergeable record: how many pairs of neighbouring positions there are, and how often a prediction is right.

    `own` counts positions whose own target is predicted, `next` those that predict the target behind them, and `before`
    those that predict the target before them, each of the same pairs.
    """

    pairs: int = 0
    own: int = 0
    next: int = 0
    before: int = 0

    def __add__(self, other: "Neighbours") -> "Neighbours":  # type: ignore[override]
        return Neighbours(*(one + two for one, two in zip(self, other, strict=True)))


def applies(job: "Job") -> bool:
    """Whether rows are positions along one axis that have one class each."""
    return job.layout is not None and len(job.layout.grids[0].axes) == 1 and names_classes(job)


@dataclass(frozen=True)
class ShiftedTargets(BatchCollector):
    """Compares the class that each position predicts with the targets beside it."""

    record = Neighbours

    def of(self, job: "Job", batch: "Batch") -> Neighbours:
        assert job.layout is not None
        rows = batch.rows
        if len(rows) < 2:
            return Neighbours()
        label, guess = classes(job, batch.targets), predicted(job, batch.predictions)
        samples = job.layout.numbers(int(rows[0]), int(rows[-1]) + 1)[rows - rows[0]]
        near = (np.diff(rows) == 1) & (np.diff(samples) == 0)
        left, right = (slice(None, -1), slice(1, None))
        return Neighbours(
            int(np.count_nonzero(near)),
            int(np.count_nonzero(near & (guess[left] == label[left]))),
            int(np.count_nonzero(near & (guess[left] == label[right]))),
            int(np.count_nonzero(near & (guess[right] == label[left]))),
        )

    def findings(self, job: "Job", record: Neighbours) -> list[Finding]:
        own, best = record.own, max(record.next, record.before)
        if record.pairs < LEAST_PAIRS or best < 2 * own or best - own < BETTER * record.pairs:
            return []
        step = 1 if record.next >= record.before else -1
        side = "behind" if step == 1 else "before"
        return [
            Finding(
                "labels-shifted",
                WARNING,
                f"{job.targets.name}: {best / record.pairs:.1%} of the predictions are the target of the position {side} theirs, "
                f"and {own / record.pairs:.1%} their own",
                cure=cure_of_shift(job, step),
            )
        ]


def cure_of_shift(job: "Job", step: int) -> str:
    """Return what to say if targets are to be moved by one more position."""
    assert job.layout is not None
    begin, end = job.layout.grids[0].skipped
    shift = end - begin + step
    return f"say --shift {shift}" if shift else "leave out --shift: predictions and targets are aligned already"
