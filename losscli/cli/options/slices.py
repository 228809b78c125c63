"""Options of slices and intervals."""

from typing import Annotated, Any

from losscli.cli.options.declare import SLICING, option
from losscli.cli.options.running import by_option, confidence_option, resamples_option, seed_option
from losscli.definition.resampling import Resampling
from losscli.errors import UsageError
from losscli.records import NamedTuple


class Slicing(NamedTuple):
    """Which slices have a value of their own, and whether values have intervals."""

    by: Annotated[
        list[str],
        by_option(
            "COLUMN|FILE[:COLUMN]",
            "The value of the rows of each word in a column as well. Repeatable: slices of each column.",
            SLICING,
        ),
    ] = []  # noqa: RUF012 - Typer copies it
    interval: Annotated[
        bool,
        option(
            "--interval",
            panel=SLICING,
            show_default=False,
            help="The interval of the value, and of that of each slice: whole samples are resampled.",
        ),
    ] = False
    confidence: Annotated[float, confidence_option(SLICING)] = 0.95
    resamples: Annotated[int, resamples_option("How many resamples the intervals draw.", SLICING)] = 10_000
    seed: Annotated[int, seed_option("Of the resamples: the same seed gives the same digits.", SLICING)] = 0

    def fields(self, typed: frozenset[str]) -> dict[str, Any]:
        """Return the fields of a request; `typed` are the names of the options that were given.

        Raises
        ------
        UsageError
            for a number outside its domain, or an option of intervals without --interval.
        """
        if self.interval:
            terms = Resampling(self.confidence, self.resamples, self.seed)
            terms.check()
            return {"by": tuple(self.by), "interval": terms}
        lone = next((name for name in ("confidence", "resamples", "seed") if name in typed), None)
        if lone is not None:
            raise UsageError(f"--{lone} {getattr(self, lone)}: is of an interval; say --interval as well")
        return {"by": tuple(self.by), "interval": None}
