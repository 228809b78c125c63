"""`losscli targets LABELS`: labels as one-hot or smoothed targets."""

import sys
from typing import Annotated, Any

import typer

from losscli.cli.command import command, say
from losscli.cli.options.declare import LOSS, OfLosses, operand, option
from losscli.cli.options.files import Header, IgnoreIndex, LabelBase, classes_option, id_option
from losscli.cli.options.losses import OF_DIALECTS, fields, only, smoothing_mode_option
from losscli.cli.options.output import output_option, quiet_option
from losscli.definition.words import SmoothingMode
from losscli.errors import UsageError
from losscli.records import NamedTuple

SUFFIXES = (".npy", ".csv")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Smoothing(NamedTuple):
    """How much labels are smoothed, and how."""

    amount: Annotated[
        float, option("--smoothing", metavar="E", panel=LOSS, help="Smooth by E in [0, 1); 0 is one-hot.")
    ] = 0.0
    mode: Annotated[
        SmoothingMode,
        smoothing_mode_option(
            "uniform: t(1-E)+E/K; half: t(1-E)+E/2; others: 1-E on the right class, E/(K-1) on each other."
        ),
    ] = "uniform"


@command(app)
def targets(
    labels: Annotated[
        str,
        operand(
            "LABELS",
            help="Class indices or names, one per row: FILE (.npy .npz .csv .tsv .parquet), FILE:COLUMN, '-' or a quoted glob.",
        ),
    ],
    *,
    classes: Annotated[
        str | None,
        classes_option(
            "The number of classes, or their names in the order of the columns. Default: the names that occur, sorted.",
            "K|A,B,...|FILE",
        ),
    ] = None,
    smoothing: Smoothing,
    ignore_index: IgnoreIndex = None,
    id: Annotated[str | None, id_option("A column of ids, which goes to the .csv too.")] = None,
    label_base: LabelBase = 0,
    header: Header = None,
    given: Annotated[dict[str, Any], OfLosses(only(*OF_DIALECTS))],
    output: Annotated[
        str | None,
        output_option(
            "The targets: .npy or .csv. Written whole or not at all. Default: CSV to standard output.",
        ),
    ] = None,
    quiet: Annotated[bool, quiet_option("No notes and warnings.")] = False,
) -> None:
    """Write labels as targets with one column per class: one-hot rows, or smoothed ones.

    losscli compute takes them for TARGETS, and gives the number that the labels give under --label-smoothing E.

    Rows with the label of --ignore-index are left out, for which ids are needed: compute with --id and --on-unmatched drop.
    """
    from losscli.analysis.encode_targets import Wanted, encoding
    from losscli.definition.dialect import Dialect
    from losscli.io.room import BYTES_OF_TEXT
    from losscli.io.sinks import Outputs, keep_apart
    from losscli.io.writers import suffix_of

    said = {"sep": None, "decimal": None, "comment": None, "skip_rows": 0} | fields(given)
    suffix = ".csv" if output is None else suffix_of(output, SUFFIXES, "--output", of_special=".csv")
    if suffix == ".npy" and id is not None:
        raise UsageError(f"--output {output}: an array has no column for the ids of --id {id}; write to a .csv file")
    found = encoding(Wanted(labels, classes, *smoothing, ignore_index, label_base, id, header, Dialect.of(**said)))
    say(found.notes, quiet)
    if output is None:
        sys.stdout.flush()
        found.write_csv(sys.stdout.buffer)
        return
    keep_apart(output, found.files)
    found.check_room(output, BYTES_OF_TEXT if suffix == ".csv" else 8)
    with Outputs() as files:
        file = files.open(output)
        (found.write_csv if suffix == ".csv" else found.write_npy)(file)
        files.publish()
