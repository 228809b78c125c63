"""`losscli compare SPEC A B --targets TARGETS`: whether one model is better than another."""

from typing import Annotated, Any

import typer

from losscli.analysis.words import FailingVerdict
from losscli.cli.command import command, say
from losscli.cli.options.declare import DECISION, OfLosses, operand, option
from losscli.cli.options.files import TargetsOption
from losscli.cli.options.losses import OF_COMPARISONS, Spec, requested
from losscli.cli.options.output import Quiet, Report, ReportFile, top_option
from losscli.cli.options.running import Judging, Running
from losscli.errors import Exit, UsageError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command(app)
def compare(
    spec: Spec,
    models: Annotated[
        list[str], operand("A B [C...]", help="Predictions of two models, or of more: each against the first.")
    ],
    targets: TargetsOption,
    *,
    fail_if: Annotated[
        FailingVerdict | None,
        option(
            "--fail-if",
            metavar="worse",
            panel=DECISION,
            show_default=False,
            help="Exit 1 if a verdict is 'worse'.",
        ),
    ] = None,
    top: Annotated[int, top_option("Rows to show that changed most, either way.")] = 5,
    judging: Judging,
    running: Running,
    format: Report = "table",
    output: ReportFile = None,
    quiet: Quiet = False,
    given: Annotated[dict[str, Any], OfLosses(OF_COMPARISONS)],
) -> int:
    """Say whether one model is better than another: row for row, with an interval.

    The difference is the mean of B's loss minus A's: below 0, B is better.

    "worse": the whole interval is above the margin.

    "better": the whole interval is below 0.

    "better or equal": none of it is above the margin.

    "inconclusive": neither; more rows are needed.
    """
    from losscli.analysis.compare import Terms, compare_all
    from losscli.cli.delivery import ReportDelivery
    from losscli.lookup.names import elsewhere
    from losscli.lookup.spec import single
    from losscli.render.compare import laid_out

    terms = Terms(**judging._asdict(), top=top)
    running = running.begun(quiet)
    if len(models) < 2:
        raise UsageError(f"compare {spec} {models[0]}: one model; name two or more, then --targets TARGETS")
    request = requested(single(spec), models[0], targets, given)
    with running.shown() as shown, ReportDelivery(format, output) as delivery:
        found = compare_all(request, models, terms, running.threads, shown.looking, shown.start, shown)
        shown.wipe()
        delivery.keep_apart(found.files)
        say([*found.notes, *elsewhere(spec)], quiet)
        delivery.deliver(found.to_dict, lambda digits: laid_out(found, digits))
    return Exit.UNMET if fail_if and found.worse else Exit.OK
