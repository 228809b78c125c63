"""`losscli merge PART...`: the result of a pass that was made in parts."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from losscli.cli.command import command, say
from losscli.cli.options.declare import operand
from losscli.cli.options.output import Merged
from losscli.errors import DataError, Exit, UsageError

if TYPE_CHECKING:
    from losscli.cli.delivery import Delivery, GradientFile
    from losscli.measurement.parts import PartRead

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command(app)
def merge(
    parts: Annotated[
        list[str],
        operand(
            "PART...",
            "All parts of a pass, which losscli compute --part wrote, in any order: files, a folder, or a quoted pattern.",
        ),
    ],
    *,
    merged: Merged,
) -> int:
    """Put the parts of a pass together: the result has the same digits as one pass over all rows.

    The files of predictions and targets are not needed.
    """
    from losscli.cli.delivery import Delivery
    from losscli.measurement.parts import aggregate_of, measurement_of, read_parts
    from losscli.measurement.requirement import Requirement

    requirements = [Requirement.parse(text) for text in merged.require]
    of_each = [Requirement.of_each(text) for text in merged.require_each]
    read = read_parts(parts)
    options = read[0].head["options"]
    wanted = merged.wanted(options["elements"])
    wanted.check_value(options["reduction"])
    wanted = wanted.under(options["reduction"])
    with Delivery(wanted) as delivery:
        _check_beside(read, delivery)
        measurement = measurement_of(read)
        delivery.open(measurement)
        if delivery.needs_rows:
            for part in read:
                _add_rows(part, delivery, first=part is read[0])
        if delivery.slopes is not None:
            for part in read:
                _add_gradients(part, delivery.slopes)
        result = measurement.finished(aggregate_of(read, measurement, delivery.consume))
        result.judge(requirements)
        met = result.judge_each(of_each)
        say(measurement.notes, wanted.quiet)
        delivery.deliver(result)
    return Exit.OK if met else Exit.UNMET


def _check_beside(parts: "Sequence[PartRead]", delivery: "Delivery") -> None:
    """Raise a UsageError for an output that needs what the parts do not have."""
    head = parts[0].head
    if delivery.needs_rows and head["rows_file"] is None:
        raise UsageError(
            f"{parts[0].path}: a part without per-sample rows, which this output shows; make the parts with --per-sample"
        )
    if delivery.gradient is not None and head["gradient"] is None:
        raise UsageError(
            f"{parts[0].path}: a part without gradients; make the parts with --gradient FILE.npy, a file for each"
        )


def _add_rows(part: "PartRead", delivery: "Delivery", first: bool) -> None:
    """Give the per-sample rows of a part to the outputs; those of the first part begin with what says the columns."""
    from losscli.io.plain_data import Reader
    from losscli.measurement.parts import ROWS

    path = str(Path(part.path).parent / part.head["rows_file"])
    if Path(part.path).name + ROWS != part.head["rows_file"]:
        path = part.path + ROWS  # the part was given another name, and this file with it
    if not Path(path).is_file():
        raise DataError(f"{path}: the per-sample rows of {part.path} are not there; copy them beside it")
    reader = Reader(path, path, f"the per-sample rows of {part.path}")
    if "rows" not in reader or reader.get_json("rows") != {"token": part.head["token"]}:
        raise DataError(f"{path}: not the rows of {part.path}, but of another part; copy both again")
    number = 0 if first else 1
    while str(number) in reader:
        forms = reader.get(str(number))
        delivery.take({form: forms.get(form, forms["nested"]) for form in ("nested", "flat", "losses")})
        number += 1
    reader.close()


def _add_gradients(part: "PartRead", slopes: "GradientFile") -> None:
    """Give the gradients of a part to the output."""
    from losscli.io.operands import Opener
    from losscli.io.source import blocks
    from losscli.measurement.parts import digest_of_file

    said = part.head["gradient"]
    places = [
        Path(part.path).parent / said["beside"],
        Path(said["file"]),
        Path(part.path).parent / Path(said["file"]).name,
    ]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise DataError(f"{said['beside']}: the gradients of {part.path} are not there; copy them beside it")
    if digest_of_file(path) != said["ends"]:
        raise DataError(f"{path}: not the gradients of {part.path}; the file has changed, so make the part again")
    source = Opener().open(str(path), "gradients").content
    if not source.shape[0]:  # which has a shape all the same
        slopes.add(source.read(0, 0))
    for _, block in blocks(source):
        slopes.add(block)
