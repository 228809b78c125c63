"""`losscli compare SPEC A B --targets TARGETS`: whether one model is better than another."""

from typing import Annotated, Any, Literal

import typer

from losscli.cli.command import HELP, Command, running_options, say, typed
from losscli.cli.options import (
    OF_LOSSES,
    RUNNING,
    WRITING,
    Progress,
    Report,
    ReportFile,
    Seed,
    Silent,
    Spec,
    TargetsOption,
    Threads,
    requested,
    spliced,
)
from losscli.errors import Exit, UsageError
from losscli.render.compare import laid_out

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
DECISION = "The decision"

OPTIONS = {name: item for name, item in OF_LOSSES.items() if name not in ("reduction", "per")}
Models = Annotated[
    list[str],
    typer.Argument(
        metavar="A B [C...]", show_default=False, help="Predictions of two models, or of more: each against the first."
    ),
]
Margin = Annotated[
    float,
    typer.Option(
        "--margin",
        metavar="X",
        rich_help_panel=DECISION,
        help="By how much the mean loss may be larger without being worse.",
    ),
]
Confidence = Annotated[
    float, typer.Option("--confidence", metavar="C", rich_help_panel=DECISION, help="Of the intervals.")
]
Resamples = Annotated[
    int,
    typer.Option("--resamples", metavar="N", rich_help_panel=RUNNING, help="Of the bootstrap and the permutations."),
]


def compare(
    spec: Spec,
    models: Models,
    targets: TargetsOption,
    given: dict[str, Any],
    fail_if: Annotated[
        Literal["worse"] | None,
        typer.Option(
            "--fail-if",
            metavar="worse",
            rich_help_panel=DECISION,
            show_default=False,
            help="Exit 1 if a verdict is 'worse'.",
        ),
    ] = None,
    margin: Margin = 0.0,
    confidence: Confidence = 0.95,
    top: Annotated[
        int,
        typer.Option("--top", metavar="N", rich_help_panel=WRITING, help="Rows to show that changed most, either way."),
    ] = 5,
    resamples: Resamples = 10_000,
    seed: Seed = 0,
    threads: Threads = None,
    progress: Progress = None,
    format: Report = "table",
    output: ReportFile = None,
    quiet: Silent = False,
) -> int:
    """Say whether one model is better than another: row for row, with an interval.

    The difference is the mean of B's loss minus A's: below 0, B is better.

    "worse": the whole interval is above the margin.

    "better or equal": none of it is.

    "inconclusive": neither; more rows are needed.
    """
    from losscli.analysis.compare import Terms, compare_all
    from losscli.cli.delivery import ReportDelivery
    from losscli.cli.progress import Progress as Shown
    from losscli.lookup.spec import single

    terms = Terms(margin, confidence, resamples, seed, top)
    running = running_options({"threads": threads, "progress": progress, "quiet": quiet})
    if len(models) < 2:
        raise UsageError(f"compare {spec} {models[0]}: one model; name two or more, then --targets TARGETS")
    request = requested(single(spec), typed(models[0]), typed(targets), given)
    with Shown(running.progress) as shown, ReportDelivery(format, output) as delivery:
        found = compare_all(
            request,
            [typed(model) for model in models],
            terms,
            running.threads,
            shown.looking,
            lambda job: shown.of(job.samples, job.size),
            shown,
        )
        shown.wipe()
        delivery.keep_apart(found.files)
        if not quiet:
            say(found.notes)
        delivery.deliver(found.to_dict, lambda full: laid_out(found, full))
    return Exit.UNMET if fail_if and found.worse else Exit.OK


app.command(cls=Command, context_settings=HELP, name="compare")(spliced(compare, OPTIONS))
