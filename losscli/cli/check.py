"""`losscli check PREDICTIONS TARGETS`: what the files are, and what is wrong with them."""

import shutil
import sys
from typing import Annotated

import typer

from losscli.cli.command import HELP, Command, running_options, typed
from losscli.cli.options import (
    Classes,
    ColumnNames,
    From,
    Header,
    Id,
    Ignore,
    LabelBase,
    ListFormat,
    Predictions,
    Progress,
    SampleWeight,
    Targets,
    Threads,
    Unmatched,
)
from losscli.errors import Exit, UsageError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command, context_settings=HELP)
def check(
    predictions: Predictions,
    targets: Targets,
    loss: Annotated[
        str | None,
        typer.Option(
            "--loss",
            metavar="LOSS",
            show_default=False,
            help="The loss that they are for. Default: cross-entropy of classes or outcomes, or squared error, by what the files hold.",
        ),
    ] = None,
    given: From = "logits",
    ignore_index: Ignore = None,
    id: Id = None,
    on_unmatched: Unmatched = "error",
    classes: Classes = None,
    label_base: LabelBase = 0,
    columns: ColumnNames = None,
    header: Header = None,
    sample_weight: SampleWeight = None,
    format: ListFormat = "table",
    threads: Threads = None,
    progress: Progress = None,
) -> int:
    """Say what predictions and targets are, and what is wrong with them.

    Shape, dtype, logits or probabilities, classes, accuracy; then findings, each with a name, its place and a cure.

    The exit code is 3 if a finding is an error.
    """
    from losscli.analysis.check import check as examine
    from losscli.cli.progress import Progress as Shown
    from losscli.definition.request import Request
    from losscli.io.strict_json import strict_json
    from losscli.lookup.names import find
    from losscli.render.check import checked

    running = running_options({"threads": threads, "progress": progress})
    bound = None if loss is None else find(loss).bind()
    if bound is not None and (bound.family.takes_centers or bound.family.third_operand or bound.family.coupled):
        raise UsageError(
            f"--loss {loss}: takes more than predictions and targets row by row, which check does not read"
        )
    request = Request(
        bound or find("sigmoid-cross-entropy").bind(),
        typed(predictions),
        typed(targets),
        prediction_kind=given,
        ignore_index=ignore_index,
        id=id,
        on_unmatched=on_unmatched,
        classes=classes,
        label_base=label_base,
        columns=columns,
        header=header,
        sample_weight=sample_weight,
    )
    with Shown(running.progress) as shown:
        report = examine(
            request,
            bound,
            running.threads,
            shown.looking,
            lambda job: shown.of(job.samples, job.size),
            shown,
        )
    if format == "json":
        print(strict_json(report.to_dict(), indent=2))
    else:
        print(checked(report, sys.stdout.isatty(), shutil.get_terminal_size().columns), end="")
    return Exit.DATA if report.errors else Exit.OK
