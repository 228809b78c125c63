"""`losscli verify FILE.py:NAME`: is my own loss right, or that of a package?"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.cli.command import command, say
from losscli.cli.options.declare import LOSS, OfLosses, operand, option
from losscli.cli.options.losses import READ, only, requested
from losscli.cli.options.output import Quiet, format_option
from losscli.cli.options.running import Cluster, computing
from losscli.errors import Exit, UsageError
from losscli.render.words import VerifyFormat

if TYPE_CHECKING:
    from losscli.definition.loss import BoundLoss
    from losscli.definition.request import Request

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
OF_THE_CODE = ("operands", "takes")
"""Options about the user's code itself, which need no files to compare on."""


@command(app)
def verify(
    loss: Annotated[
        str,
        operand(
            "FILE.py:NAME[:PARAM=VALUE]...",
            help="A function, class or factory of a file, or of an installed package, as torch.nn.functional.huber_loss.",
        ),
    ],
    predictions: Annotated[str | None, operand("[PREDICTIONS", help="Files of your own to compare on, too.")] = None,
    targets: Annotated[str | None, operand("TARGETS]", help="Their targets.")] = None,
    *,
    against: Annotated[
        str | None,
        option(
            "--against",
            metavar="SPEC",
            panel=LOSS,
            help="The loss that it should be, as huber:delta=1. Default: the one that its name says.",
        ),
    ] = None,
    format: Annotated[VerifyFormat, format_option()] = "table",
    quiet: Quiet = False,
    cluster: Cluster = None,
    given: Annotated[dict[str, Any], OfLosses(only("from", *OF_THE_CODE, *READ))],
) -> int:
    """Say whether a loss of your own, or one of a package, is right: its properties, each met or broken with a counterexample.

    The file is executed, or the package imported. Values and gradients are compared with those of losscli's own loss, on files of yours too.

    A value is broken that differs by more than 1e-5 * max(1, |reference|), or is not finite where that is.

    Labels are passed in the predictions' dtype, or as integers where it takes class indices.

    Exit code 1 if a property is broken; warnings leave 0.
    """
    from losscli.analysis.verify.properties import verify as prove
    from losscli.cli.delivery import show
    from losscli.lookup.spec import single
    from losscli.render.verify import junit, table

    bound = single(loss, code=True)
    if bound.declaration.resolve is None:
        raise UsageError(
            f"{loss}: is declared as losscli's own losses are, which its tests verify; name FILE.py:NAME or package.module.name"
        )
    files = _files(bound, predictions, targets, given)
    with computing(cluster):
        found = prove(bound.name, against, given.get("operands"), given.get("takes"), files, bound.parameters)
    show(format, found.to_dict, lambda screen: junit(found) if format == "junit" else table(found, screen))
    if found.reference is None and found.runs:
        say(["no reference: its name speaks of none; say --against SPEC to compare values"], quiet)
    return Exit.UNMET if found.broken else Exit.OK


def _files(bound: "BoundLoss", predictions: str | None, targets: str | None, given: dict[str, Any]) -> "Request | None":
    """Return the request for the user's files to compare on; None if there are none.

    Raises
    ------
    UsageError
        for one file without the other, and options of files without any.
    """
    if predictions is not None:
        if targets is None:
            raise UsageError("verify: predictions without targets; name both files, or none")
        return requested(bound, predictions, targets, given)
    of_files = given.keys() - set(OF_THE_CODE)
    if of_files:
        raise UsageError(f"verify: --{min(of_files)} is for PREDICTIONS and TARGETS; name both")
    return None
