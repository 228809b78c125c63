"""`losscli centers FEATURES LABELS`: class centers, made as means or moved by a rule."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from losscli.cli.command import HELP, Command, running_options, say, typed
from losscli.cli.options import (
    LOSS,
    READING,
    WRITING,
    ColumnNames,
    Header,
    Id,
    Ignore,
    LabelBase,
    ListFormat,
    Progress,
    Threads,
    Unmatched,
)

if TYPE_CHECKING:
    from losscli.analysis.centers import Centers
    from losscli.io.sinks import AtomicFile

SUFFIXES = (".npy", ".csv")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command, context_settings=HELP)
def centers(
    features: Annotated[
        str, typer.Argument(metavar="FEATURES", show_default=False, help="One row a sample, one column a feature.")
    ],
    labels: Annotated[
        str, typer.Argument(metavar="LABELS", show_default=False, help="The class of each row: indices or names.")
    ],
    centers: Annotated[
        str | None,
        typer.Option(
            "--centers",
            metavar="FILE",
            rich_help_panel=LOSS,
            show_default=False,
            help="Centers to move, shape (k, d); a column 'class' names them. Default: make them, the means of the classes.",
        ),
    ] = None,
    update: Annotated[
        Literal["paper", "sgd", "mean"] | None,
        typer.Option(
            "--update",
            rich_help_panel=LOSS,
            show_default=False,
            help="paper: c -= A sum(c - x) / (1 + n), the default with --centers; sgd: c -= A sum(c - x), facenet's; mean: sum(x) / n.",
        ),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            "--alpha",
            metavar="A",
            rich_help_panel=LOSS,
            show_default=False,
            help="Step of paper and sgd, in [0, 1]; facenet's alfa is 1 - A. Default: 0.5.",
        ),
    ] = None,
    ignore_index: Ignore = None,
    id: Id = None,
    on_unmatched: Unmatched = "error",
    classes: Annotated[
        str | None,
        typer.Option(
            "--classes",
            metavar="A,B,...|FILE",
            rich_help_panel=READING,
            show_default=False,
            help="Names of the classes in the order of the centers. Default: those of --centers, or the labels, sorted.",
        ),
    ] = None,
    label_base: LabelBase = 0,
    columns: ColumnNames = None,
    header: Header = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            rich_help_panel=WRITING,
            show_default=False,
            help="The centers, .npy or .csv, as --centers takes them. Written whole or not at all.",
        ),
    ] = None,
    format: ListFormat = "table",
    quiet: Annotated[
        bool,
        typer.Option(
            "-q", "--quiet", rich_help_panel=WRITING, show_default=False, help="No notes, warnings, progress."
        ),
    ] = False,
    threads: Threads = None,
    progress: Progress = None,
) -> None:
    """Make class centers, or move them, and say how far each went and how its rows lie around it.

    x: features of the n rows of a class; c: its center. The whole file is one batch. A class without rows keeps its center.

    paper: Wen, Zhang, Li and Qiao 2016, A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV.

    moved: Euclidean. spread: root of the mean squared distance of the rows from the new center. loss: mean of half that square.
    """
    from losscli.analysis.centers import checked_rule, moved, opened, request_of
    from losscli.cli.progress import Progress as Shown
    from losscli.io.sinks import Outputs, is_special, keep_apart
    from losscli.io.strict_json import strict_json
    from losscli.io.writers import suffix_of
    from losscli.render.centers import center_table

    running = running_options({"threads": threads, "progress": progress, "quiet": quiet})
    rule, step = checked_rule(update, alpha, centers is not None)
    suffix = None
    if output is not None:
        suffix = ".csv" if is_special(output, SUFFIXES) else suffix_of(output, SUFFIXES, "--output")
    request = request_of(
        typed(features),
        typed(labels),
        centers=centers,
        ignore_index=ignore_index,
        id=id,
        on_unmatched=on_unmatched,
        classes=classes,
        label_base=label_base,
        columns=columns,
        header=header,
    )
    files = Outputs()
    try:
        with Shown(running.progress) as shown:
            measurement = opened(request, shown.looking)
            if output is not None:
                keep_apart(output, measurement.files)
            file = None if output is None else files.open(Path(output))
            shown.of(measurement.job.samples, measurement.job.size)
            found = moved(measurement, rule, step, running.threads, shown)
        if file is not None and suffix is not None:
            _write(found, file, suffix)
        if not quiet:
            say(measurement.notes)
        files.publish()
    finally:
        files.discard()
    if format == "json":
        print(strict_json(found.to_dict(), indent=2))
    else:
        print(center_table(found, sys.stdout.isatty(), shutil.get_terminal_size().columns), end="")


def _write(found: "Centers", file: "AtomicFile", suffix: str) -> None:
    from losscli.io.writers import NpyWriter, TextWriter

    if suffix == ".csv":
        TextWriter(file, ",").write(found.table(suffix))
        return
    writer = NpyWriter(file)
    writer.add(found.after)
    writer.close()
