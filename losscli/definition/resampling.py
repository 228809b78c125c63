"""How an interval is made of resamples."""

import math

from losscli.errors import UsageError
from losscli.records import NamedTuple
from losscli.wording import written

MOST = 1_000_000
"""Resamples of an interval."""


class Resampling(NamedTuple):
    """The confidence of an interval, the number of resamples that it is made of, and the seed with which they are drawn."""

    confidence: float = 0.95
    resamples: int = 10_000
    seed: int = 0

    def check(self) -> None:
        """Raise a UsageError for a number outside its domain, or for too few resamples."""
        if not 0.5 <= self.confidence < 1:
            raise UsageError(f"--confidence {written(self.confidence)} is not in [0.5, 1), as 0.95")
        if not 100 <= self.resamples <= MOST:
            raise UsageError(f"--resamples {self.resamples} is not in 100 ... {MOST}")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed} is not a whole number >= 0")
        if (1 - self.confidence) / 2 * self.resamples < 1:
            enough = math.ceil(2 / (1 - self.confidence))
            raise UsageError(
                f"--confidence {written(self.confidence)} needs more resamples than {self.resamples:,}; say "
                + (
                    f"--resamples {enough}, or less confidence"
                    if enough <= MOST
                    else f"--resamples {MOST} and --confidence 0.9999"
                )
            )
