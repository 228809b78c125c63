"""`losscli verify FILE.py:NAME`: is my own loss right, or that of a package?"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from losscli.cli.command import command, say
from losscli.cli.options.declare import LOSS, OfLosses, operand, option
from losscli.cli.options.losses import READ, only, requested
from losscli.cli.options.output import PageFile, Quiet, format_option
from losscli.cli.options.running import Cluster, computing
from losscli.errors import Exit, UsageError
from losscli.render.words import VerifyFormat

if TYPE_CHECKING:
    from losscli.analysis.verify.file import VerifiedFile
    from losscli.analysis.verify.model import Verified
    from losscli.cli.delivery import ReportDelivery
    from losscli.definition.loss import BoundLoss
    from losscli.definition.request import Request
    from losscli.render.page import Page

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
OF_THE_CODE = ("operands", "takes")
"""Options about the user's code itself, which need no files to compare on."""


@command(app)
def verify(
    loss: Annotated[
        str,
        operand(
            "FILE.py[:NAME[:PARAM=VALUE]...]",
            help="A function, class or factory of a file, or of an installed package, as torch.nn.functional.huber_loss. "
            "Without NAME: all losses of the file.",
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
    output: PageFile = None,
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
    from losscli.custom.candidates import candidates, is_file, names_code
    from losscli.lookup.spec import single
    from losscli.wording import quoted

    notes = []
    if is_file(loss):
        others = {"--against": against, "PREDICTIONS": predictions}
        names = candidates(loss.removesuffix(":"))
        if len(names) != 1:
            alone = next((word for word, value in others.items() if value is not None), None)
            return _all_of(loss, names, alone, format, output, given, cluster)
        loss = f"{loss.removesuffix(':')}:{names[0]}"
        notes.append(f"the only loss in the file: losscli verify {quoted(loss)}")
    if not names_code(loss):
        raise UsageError(
            f"{loss}: names no code; name FILE.py:NAME or package.module.name, or a file for all losses in it: losscli verify losses.py"
        )
    bound = single(loss, code=True)
    if bound.declaration.resolve is None:
        raise UsageError(f"{loss}: is declared as losscli's own losses are, which its tests verify")
    files = _files(bound, predictions, targets, given)
    with _delivery(format, output) as delivery:
        with computing(cluster):
            found = prove(bound.name, against, given.get("operands"), given.get("takes"), files, bound.parameters)
        _deliver(delivery, found)
    if found.reference is None and found.runs:
        notes.append(
            f"no reference: its name speaks of none: losscli verify {quoted(loss)} --against SPEC compares values"
        )
    say(notes, quiet)
    return Exit.UNMET if found.broken else Exit.OK


def _all_of(
    path: str,
    names: list[str],
    alone: str | None,
    format: str,
    output: str | None,
    given: dict[str, Any],
    cluster: str | None,
) -> int:
    """Verify all losses of a file, whose names are known; `alone` is what was typed that is about one loss only.

    Raises
    ------
    UsageError
        if there is none, or something is about one loss only.
    """
    from losscli.analysis.verify.file import verify_file
    from losscli.custom.candidates import refusal

    of_files = [f"--{name}" for name in given.keys() - set(OF_THE_CODE)]
    if alone or of_files:
        raise UsageError(f"{alone or of_files[0]} is about one loss; {refusal(path)}")
    if not names:
        raise refusal(path)
    with _delivery(format, output) as delivery:
        with computing(cluster):
            found = verify_file(path.removesuffix(":"), given.get("operands"), given.get("takes"))
        _deliver(delivery, found)
    return Exit.UNMET if found.broken else Exit.OK


def _delivery(format: str, output: str | None) -> "ReportDelivery":
    """Return the delivery of a report, whose file is opened before the loss is called."""
    from losscli.cli.delivery import WITH_PAGE, ReportDelivery

    return ReportDelivery(format, output, WITH_PAGE)


def _deliver(delivery: "ReportDelivery", found: "Verified | VerifiedFile") -> None:
    """Write and print a report."""
    from losscli.render.verify import junit, laid_out, table

    delivery.deliver(
        found.to_dict,
        lambda digits: laid_out(found, digits),
        table=lambda screen: junit(found) if delivery.format == "junit" else table(found, screen),
        page=lambda: _page(found),
    )


def _page(found: "Verified | VerifiedFile") -> "Page":
    """Return a report as a page for a browser."""
    from losscli.cli.pages import page_of
    from losscli.render.text import IN_MARKDOWN
    from losscli.render.verify import laid_out

    title, facts, tables = laid_out(found, IN_MARKDOWN)
    said = dict(facts)
    patterns = "; ".join(words for name, words in facts if name == "pattern")
    lead = (said["result"], patterns or said.get("reference", ""))
    return page_of((f"Verification of {title}", facts, tables), lead, mood="bad" if found.broken else "good")


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
