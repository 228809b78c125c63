"""`losscli history FILE...`: how measurements went over time."""

import os
import sys
from typing import Annotated

import typer

from losscli.cli.command import command
from losscli.cli.options.declare import WRITING, operand, option
from losscli.cli.options.output import Report, ReportFile
from losscli.errors import Exit

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command(app)
def history(
    files: Annotated[
        list[str],
        operand("FILE...", help="Results of losscli run or compute as JSON, a quoted glob of them, or a folder."),
    ],
    *,
    statistic: Annotated[
        str,
        option(
            "--statistic",
            metavar="STAT",
            panel=WRITING,
            help="Which number of a result: value, mean, p99, ece ..., as in requirements.",
        ),
    ] = "value",
    format: Report = "table",
    output: ReportFile = None,
) -> int:
    """Show how measurements went over time: a line for each, with a small curve, the first, last and best number.

    Files are taken in the order in which they are named; those of a pattern or a folder by their names, run-2.json before run-10.json.

    Where a measurement was computed by other conventions than before, its curve is cut, and the numbers are those since then.
    """
    from losscli import api
    from losscli.cli.delivery import ReportDelivery
    from losscli.render.history import laid_out
    from losscli.render.screen import Screen

    found = api.history(*files, statistic=statistic)
    encoding = Screen.of(sys.stdout).encoding
    with ReportDelivery(format, output) as delivery:
        delivery.keep_apart(frozenset(map(os.path.realpath, found.files)))
        delivery.deliver(found.to_dict, lambda digits: laid_out(found, digits, encoding))
    return Exit.OK
