"""`losscli calibrate PREDICTIONS TARGETS`: temperature, and what predictions score before and after it."""

import shutil
import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from losscli.cli.command import HELP, Command, running_options, say, typed
from losscli.cli.options import (
    LOSS,
    WRITING,
    Classes,
    ColumnNames,
    From,
    Header,
    Id,
    Ignore,
    LabelBase,
    ListFormat,
    Progress,
    SampleWeight,
    Threads,
    Unmatched,
)
from losscli.errors import DataError, Exit, UsageError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command, context_settings=HELP)
def calibrate(
    predictions: Annotated[
        str,
        typer.Argument(
            metavar="PREDICTIONS", show_default=False, help="Logits or probabilities, (n, k) or, for two classes, (n,)."
        ),
    ],
    targets: Annotated[
        str,
        typer.Argument(
            metavar="TARGETS", show_default=False, help="The true classes: indices, names, or one-hot rows."
        ),
    ],
    given: From = "logits",
    bias: Annotated[
        bool,
        typer.Option(
            "--bias", rich_help_panel=LOSS, show_default=False, help="Fit a bias a class too: softmax(z / T + b)."
        ),
    ] = False,
    bins: Annotated[
        int, typer.Option("--bins", metavar="N", rich_help_panel=LOSS, help="Bins of ECE, from 1 to 1000.")
    ] = 15,
    seed: Annotated[
        int,
        typer.Option(
            "--seed",
            metavar="N",
            rich_help_panel=LOSS,
            help="Of the draws that ECE's band for calibrated models comes from.",
        ),
    ] = 0,
    apply: Annotated[
        str | None,
        typer.Option(
            "--apply",
            metavar="OTHER",
            rich_help_panel=WRITING,
            show_default=False,
            help="Predictions of the same model to calibrate, such as those of a test set; they need no targets. With --output.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            rich_help_panel=WRITING,
            show_default=False,
            help="The calibrated predictions of OTHER, or of PREDICTIONS, as what --from says: .npy or .csv.",
        ),
    ] = None,
    ignore_index: Ignore = None,
    id: Id = None,
    on_unmatched: Unmatched = "error",
    classes: Classes = None,
    label_base: LabelBase = 0,
    columns: ColumnNames = None,
    header: Header = None,
    sample_weight: SampleWeight = None,
    format: ListFormat = "table",
    quiet: Annotated[
        bool,
        typer.Option(
            "-q",
            "--quiet",
            rich_help_panel=WRITING,
            show_default=False,
            help="No notes, warnings and progress on standard error.",
        ),
    ] = False,
    threads: Threads = None,
    progress: Progress = None,
) -> int:
    """Fit the temperature T of softmax(z / T) to labels: the one of the least cross-entropy.

    Shows cross-entropy, Brier score, ECE and accuracy before and after.

    Probabilities and log-probabilities are calibrated through their logarithms.

    Fit on rows that the model was not trained on, and --apply to others.
    """
    from losscli.analysis.calibration.apply import Recalibrated
    from losscli.analysis.calibration.fit import calibrate as fitted
    from losscli.analysis.calibration.temperature import likelihood
    from losscli.cli.progress import Progress as Shown
    from losscli.definition.request import Request
    from losscli.io.strict_json import strict_json
    from losscli.render.calibrate import calibrated

    running = running_options({"threads": threads, "progress": progress, "quiet": quiet})
    if apply is not None and output is None:
        raise UsageError(f"--apply {apply}: where shall its calibrated predictions go? Say --output FILE")
    request = Request(
        likelihood(None),
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
    with ExitStack() as stack:
        shown = stack.enter_context(Shown(running.progress))
        written = None if output is None else stack.enter_context(Recalibrated(output, apply))
        found = fitted(
            request,
            bias,
            bins,
            seed,
            running.threads,
            shown.looking,
            (lambda made: None) if written is None else written.open,
            lambda job: shown.of(job.samples, job.size),
            shown,
        )
        shown.wipe()
        notes = found.notes
        if written is not None:
            if found.fit.limit is not None:
                raise DataError(found.notes[-1].removeprefix("warning: ") + f"; {output} is not written")
            notes = [*notes, *written.write(found.fit.point)]
        if not quiet:
            say(notes)
    if format == "json":
        print(strict_json(found.to_dict(), indent=2))
    else:
        print(calibrated(found, sys.stdout.isatty(), shutil.get_terminal_size().columns), end="")
    return Exit.OK
