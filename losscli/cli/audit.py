"""`losscli audit LIBRARY [LOSS...]`: is the installed library right?"""

from typing import Annotated

import typer

from losscli.cli.command import command
from losscli.cli.options.declare import operand
from losscli.cli.options.output import Quiet, format_option
from losscli.errors import Exit
from losscli.render.words import AuditFormat

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command(app)
def audit(
    library: Annotated[str, operand("LIBRARY", help="torch, keras, tf1, optax or sklearn, as it is installed.")],
    losses: Annotated[
        list[str] | None, operand("[LOSS]...", help="Only these: losscli's names or the library's. Default: all calls.")
    ] = None,
    *,
    format: Annotated[AuditFormat, format_option()] = "table",
    quiet: Quiet = False,
) -> int:
    """Say whether an installed library is right: its losses and gradients against formulas at 60 digits.

    On a grid, at extremes and next to perfect predictions, in float16, bfloat16, float32 and float64 where calls take them.

    What does not hold is shown with the smallest example that was found. The words of the table:

    holds: within 1e-5 * max(1, |truth|), or 16 units of a coarser dtype; small losses have two right digits.

    by convention: not the mathematics, but the mathematics with what the library does besides, such as a clip.

    loses small: a loss or slope that is small beside 1, or beside the predictions, is rounded away.

    NaN or inf: although the truth is a number that the dtype holds; NaN at inf: at an infinite logit.

    WRONG: farther off. Exit code 1 if anything is WRONG, or NaN or inf; the others leave 0.

    It needs mpmath: pip install mpmath.
    """
    from losscli import api
    from losscli.cli.delivery import show
    from losscli.cli.progress import Progress
    from losscli.render.audit import junit, markdown, table

    with Progress(False if quiet else None) as shown:
        found = api.audit(library, *(losses or ()), progress=shown.words)
    texts = {"junit": lambda: junit(found), "markdown": lambda: markdown(found)}
    show(format, found.to_dict, lambda screen: texts[format]() if format in texts else table(found, screen))
    return Exit.UNMET if found.broken else Exit.OK
