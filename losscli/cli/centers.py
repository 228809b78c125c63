"""`losscli centers FEATURES LABELS`: class centers, made as means or moved by a rule."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.analysis.words import CenterRule
from losscli.cli.command import command, say
from losscli.cli.options.declare import LOSS, OfLosses, Option, operand, option
from losscli.cli.options.files import Labels, classes_option
from losscli.cli.options.losses import READ, centers_option, fields, only
from losscli.cli.options.output import ListFormat, output_option, quiet_option
from losscli.cli.options.running import Running
from losscli.records import NamedTuple

if TYPE_CHECKING:
    from losscli.analysis.centers import Centers
    from losscli.io.sinks import Output

SUFFIXES = (".npy", ".csv")
OPTIONS = only(*READ) | {
    "classes": Option(
        "classes",
        Annotated[
            str | None,
            classes_option(
                "Names of the classes in the order of the centers. Default: those of --centers, or the labels, sorted."
            ),
        ],
        None,
    )
}
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Moving(NamedTuple):
    """Which centers are moved, and how; without centers they are made."""

    centers: Annotated[
        str | None,
        centers_option(
            "Centers to move, shape (k, d); a column 'class' names them. Default: make them, the means of the classes."
        ),
    ] = None
    update: Annotated[
        CenterRule | None,
        option(
            "--update",
            panel=LOSS,
            show_default=False,
            help="paper: c -= A sum(c - x) / (1 + n), the default with --centers; sgd: c -= A sum(c - x), facenet's; mean: sum(x) / n.",
        ),
    ] = None
    alpha: Annotated[
        float | None,
        option(
            "--alpha",
            metavar="A",
            panel=LOSS,
            help="Step of paper and sgd, in [0, 1]; facenet's alfa is 1 - A. Default: 0.5.",
        ),
    ] = None


@command(app)
def centers(
    features: Annotated[str, operand("FEATURES", help="One row per sample, one column per feature.")],
    labels: Labels,
    *,
    moving: Moving,
    given: Annotated[dict[str, Any], OfLosses(OPTIONS)],
    output: Annotated[
        str | None, output_option("The centers, .npy or .csv, as --centers takes them. Written whole or not at all.")
    ] = None,
    format: ListFormat = "table",
    quiet: Annotated[bool, quiet_option("No notes, warnings, progress.")] = False,
    running: Running,
) -> None:
    """Make class centers, or move them, and say how far each went and how its rows lie around it.

    x: features of the n rows of a class; c: its center. The whole file is one batch. A class without rows keeps its center.

    paper: Wen, Zhang, Li and Qiao 2016, A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV.

    moved: Euclidean. spread: root of the mean squared distance of the rows from the new center. loss: mean of half that square.
    """
    from losscli.analysis.centers import checked_rule, moved, opened, request_of
    from losscli.cli.delivery import show
    from losscli.io.sinks import Outputs, keep_apart
    from losscli.io.writers import suffix_of
    from losscli.render.centers import center_table

    running = running.begun(quiet)
    rule, step = checked_rule(moving.update, moving.alpha, moving.centers is not None)
    suffix = "" if output is None else suffix_of(output, SUFFIXES, "--output", of_special=".csv")
    request = request_of(features, labels, centers=moving.centers, **fields(given))
    with Outputs() as files, running.shown() as shown:
        measurement = opened(request, shown.looking)
        if output is not None:
            keep_apart(output, measurement.files)
            files.open(output)
        shown.start(measurement.job)
        found = moved(measurement, rule, step, running.threads, shown)
        shown.wipe()
        for file in files.files:
            _write(found, file, suffix)
        say(measurement.notes, quiet)
        files.publish()
    show(format, found.to_dict, lambda screen: center_table(found, screen))


def _write(found: "Centers", file: "Output", suffix: str) -> None:
    from losscli.io.writers import NpyWriter, TextWriter

    if suffix == ".csv":
        TextWriter(file, ",").write(found.table(suffix))
        return
    writer = NpyWriter(file)
    writer.add(found.after)
    writer.close()
