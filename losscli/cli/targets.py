"""`losscli targets LABELS`: labels as one-hot or smoothed targets."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from losscli.cli.command import HELP, Command, say, typed
from losscli.cli.options import LOSS, READING, WRITING, Header, Ignore, LabelBase, Mode
from losscli.errors import UsageError

SUFFIXES = (".npy", ".csv")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command, context_settings=HELP)
def targets(
    labels: Annotated[
        str,
        typer.Argument(
            metavar="LABELS",
            show_default=False,
            help="Class indices or names, one a row: FILE (.npy .npz .csv .tsv .parquet), FILE:COLUMN, '-' or a quoted glob.",
        ),
    ],
    classes: Annotated[
        str | None,
        typer.Option(
            "--classes",
            metavar="K|A,B,...|FILE",
            rich_help_panel=READING,
            show_default=False,
            help="The number of classes, or their names in the order of the columns. Default: the names that occur, sorted.",
        ),
    ] = None,
    smoothing: Annotated[
        float,
        typer.Option("--smoothing", metavar="E", rich_help_panel=LOSS, help="Smooth by E in [0, 1); 0 is one-hot."),
    ] = 0.0,
    smoothing_mode: Annotated[
        Mode,
        typer.Option(
            "--smoothing-mode",
            rich_help_panel=LOSS,
            help="uniform: t(1-E)+E/K; half: t(1-E)+E/2; others: 1-E on the right class, E/(K-1) on each other.",
        ),
    ] = "uniform",
    ignore_index: Ignore = None,
    id: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="COLUMN",
            rich_help_panel=READING,
            show_default=False,
            help="A column of ids, which goes to the .csv too.",
        ),
    ] = None,
    label_base: LabelBase = 0,
    header: Header = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            rich_help_panel=WRITING,
            show_default=False,
            help="The targets: .npy or .csv. Written whole or not at all. Default: CSV to standard output.",
        ),
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option("-q", "--quiet", rich_help_panel=WRITING, show_default=False, help="No notes and warnings."),
    ] = False,
) -> None:
    """Write labels as targets with a column a class: one-hot rows, or smoothed ones.

    losscli compute takes them for TARGETS, and gives the number that the labels give under --label-smoothing E.

    Rows with the label of --ignore-index are left out, for which ids are needed: compute with --id and --on-unmatched drop.
    """
    from losscli.analysis.encode_targets import Wanted, encoding
    from losscli.io.sinks import Outputs, is_special, keep_apart
    from losscli.io.writers import suffix_of

    suffix = ".csv"
    if output is not None and not is_special(output, SUFFIXES):
        suffix = suffix_of(output, SUFFIXES, "--output")
    if suffix == ".npy" and id is not None:
        raise UsageError(f"--output {output}: an array has no column for the ids of --id {id}; write to a .csv file")
    found = encoding(Wanted(typed(labels), classes, smoothing, smoothing_mode, ignore_index, label_base, id, header))
    if not quiet:
        say(found.notes)
    if output is None:
        sys.stdout.flush()
        found.write_csv(sys.stdout.buffer)
        return
    keep_apart(output, found.files)
    files = Outputs()
    try:
        file = files.open(Path(output))
        (found.write_csv if suffix == ".csv" else found.write_npy)(file)
        files.publish()
    finally:
        files.discard()
