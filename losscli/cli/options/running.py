"""Options of how a command runs, which do not change a result, and of how the difference of two models is judged."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Self

from losscli.cli.options.declare import DECISION, RUNNING, option
from losscli.errors import UsageError
from losscli.records import NamedTuple

if TYPE_CHECKING:
    from losscli.cli.progress import Progress


Cluster = Annotated[
    str | None,
    option(
        "--cluster",
        metavar="[WHERE]",
        panel=RUNNING,
        show_default=False,
        help="Compute on local:N processes, on a Dask scheduler tcp://HOST:PORT (alone: DASK_SCHEDULER_ADDRESS), or on the "
        "executor of MODULE:FACTORY. Results are the same.",
    ),
]


@contextmanager
def computing(cluster: str | None) -> Iterator[Any]:
    """Make the passes inside on the cluster of --cluster, and yield it; None for threads of this process."""
    if cluster is None:  # and nothing is imported for it
        yield None
        return
    from losscli.engine.workers import cluster as entered

    with entered(cluster) as found:
        yield found


class Running(NamedTuple):
    """Options of the work itself: the number of threads, the cluster, and whether progress is shown."""

    threads: Annotated[
        int | None,
        option(
            "--threads",
            metavar="N",
            panel=RUNNING,
            show_default=False,
            help="Default: the cores this process may use. Results are the same for any number.",
        ),
    ] = None
    cluster: Cluster = None
    progress: Annotated[
        bool | None,
        option(
            "--progress/--no-progress",
            panel=RUNNING,
            show_default=False,
            help="Rows done, rate and time left on standard error. Default: on a terminal.",
        ),
    ] = None

    def begun(self, quiet: bool = False) -> Self:
        """Return the options to run with: without progress under --quiet. Polars gets the same number of threads.

        Raises
        ------
        UsageError
            for fewer than one thread.
        """
        if self.threads is not None:
            if self.threads < 1:
                raise UsageError(f"--threads {self.threads} is not a number of threads, 1 or more")
            from losscli.io.guarded import MOST_THREADS

            os.environ["POLARS_MAX_THREADS"] = str(min(self.threads, MOST_THREADS))
        return self._replace(progress=False if self.progress is None and quiet else self.progress)

    @contextmanager
    def shown(self) -> "Iterator[Progress]":
        """Yield the line of progress, which shows something or not, as the options say. Passes inside run on the cluster."""
        from losscli.cli.progress import Progress

        with computing(self.cluster) as cluster, Progress(self.progress, cluster) as progress:
            yield progress


def seed_option(help: str, panel: str = RUNNING) -> Any:
    """Declare --seed; `help` says what is drawn."""
    return option("--seed", metavar="N", panel=panel, help=help)


def confidence_option(panel: str) -> Any:
    """Declare --confidence."""
    return option("--confidence", metavar="C", panel=panel, help="Confidence level of the intervals.")


def resamples_option(help: str, panel: str = RUNNING) -> Any:
    """Declare --resamples; `help` says what they are of."""
    return option("--resamples", metavar="N", panel=panel, help=help)


def by_option(metavar: str, help: str, panel: str, **more: Any) -> Any:
    """Declare --by; `help` says which slices there are."""
    return option("--by", metavar=metavar, panel=panel, help=help, **more)


class Judging(NamedTuple):
    """How the difference of two models is judged."""

    margin: Annotated[
        float,
        option(
            "--margin",
            metavar="X",
            panel=DECISION,
            help="How much larger the mean loss may be and still not count as worse.",
        ),
    ] = 0.0
    confidence: Annotated[float, confidence_option(DECISION)] = 0.95
    resamples: Annotated[int, resamples_option("How many resamples the bootstrap and the permutation test draw.")] = (
        10_000
    )
    seed: Annotated[int, seed_option("Of the resamples: the same seed gives the same digits.")] = 0
