"""`losscli verify FILE.py:NAME`: is my own loss right?"""

import shutil
import sys
from typing import Annotated, Any, Literal

import typer

from losscli.cli.command import HELP, Command, say, typed
from losscli.cli.options import LOSS, OF_LOSSES, READING, WRITING, Silent, requested, spliced
from losscli.errors import Exit, UsageError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
OPTIONS = {
    name: item for name, item in OF_LOSSES.items() if item.panel == READING or name in ("from", "operands", "takes")
}


def verify(
    loss: Annotated[
        str,
        typer.Argument(
            metavar="FILE.py:NAME[:PARAM=VALUE]...",
            show_default=False,
            help="A function, class or factory of a file, or a loss that a package registers.",
        ),
    ],
    given: dict[str, Any],
    predictions: Annotated[
        str | None,
        typer.Argument(metavar="[PREDICTIONS", show_default=False, help="Files of your own to compare on, too."),
    ] = None,
    targets: Annotated[
        str | None, typer.Argument(metavar="TARGETS]", show_default=False, help="Their targets.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="SPEC",
            rich_help_panel=LOSS,
            show_default=False,
            help="The loss that it should be, as huber:delta=1. Default: the one that its name speaks of.",
        ),
    ] = None,
    format: Annotated[
        Literal["table", "json", "junit"],
        typer.Option("-f", "--format", rich_help_panel=WRITING, help="Format of standard output."),
    ] = "table",
    quiet: Silent = False,
) -> int:
    """Say whether a loss of your own is right: its properties, each met or broken with a counterexample.

    The file is executed. Values and gradients are compared with those of losscli's own loss, on files of yours too.

    A value is broken that differs by more than 1e-5 * max(1, |reference|), or is not finite where that is.

    Labels are passed in the predictions' dtype, or as integers where it takes class indices.

    Exit code 1 if a property is broken; warnings leave 0.
    """
    from losscli.analysis.verify.properties import verify as prove
    from losscli.lookup.spec import single

    bound = single(loss)
    if bound.declaration.resolve is None:
        raise UsageError(f"{loss}: is declared as losscli's own losses are, which its tests verify; name FILE.py:NAME")
    files = None
    if predictions is not None:
        if targets is None:
            raise UsageError("verify: predictions without targets; name both files, or none")
        files = requested(bound, typed(predictions), typed(targets), given)
    elif given.keys() - {"operands", "takes"}:
        raise UsageError(
            f"verify: --{min(given.keys() - {'operands', 'takes'})} is for PREDICTIONS and TARGETS; name both"
        )
    found = prove(bound.name, against, given.get("operands"), given.get("takes"), files, bound.parameters)
    if format == "json":
        from losscli.io.strict_json import strict_json

        print(strict_json(found.to_dict(), indent=2))
    elif format == "junit":
        from losscli.render.verify import junit

        print(junit(found), end="")
    else:
        from losscli.render.verify import table

        print(table(found, sys.stdout.isatty(), shutil.get_terminal_size().columns), end="")
    if not quiet and found.reference is None and found.runs:
        say(["no reference: its name speaks of none; say --against SPEC to compare values"])
    return Exit.UNMET if found.broken else Exit.OK


app.command(cls=Command, context_settings=HELP, name="verify")(spliced(verify, OPTIONS))
