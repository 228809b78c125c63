"""`losscli list` and `losscli explain LOSS`: print the declarations of losses."""

import json
import sys
from typing import Annotated, Any

from losscli.cli.options.declare import operand, option
from losscli.cli.options.output import ListFormat
from losscli.errors import UsageError


def list_losses(
    words: Annotated[
        list[str] | None,
        operand("[WORD]...", help="Only losses with these words in their names, aliases, family or summary."),
    ] = None,
    family: Annotated[str | None, option("--family", metavar="F", help="Only the losses of this family.")] = None,
    format: ListFormat = "table",
) -> None:
    """List the losses by family, each with a summary, or search them: losscli list quantile.

    What was searched may be an alias, or a name that a library uses, such as BCEWithLogitsLoss.
    """
    from losscli.render.catalogue import REGISTERED, entries, listed, registered_entries, searched
    from losscli.render.screen import Screen

    found = entries(family) + (registered_entries() if family in (None, REGISTERED) else [])
    if words:
        found = searched(found, words)
    print(json.dumps(found, indent=2) if format == "json" else listed(found, Screen.of(sys.stdout), words or ()))


def explain(
    loss: Annotated[
        str,
        operand("LOSS", help="Name or alias of a loss, or a SPEC such as huber:delta=2; or a statistic, such as rmse."),
    ],
    short: Annotated[
        bool, option("--short", show_default=False, help="Formula, curve and meaning alone, without the details.")
    ] = False,
    libraries: Annotated[
        bool, option("--libraries", show_default=False, help="What libraries compute under this loss's names, alone.")
    ] = False,
    format: ListFormat = "table",
) -> None:
    """Explain a loss: formula, curve and meaning, then parameters, targets, gradient, special cases, libraries, source.

    With parameters, as in huber:delta=2, curve and values are those at these parameters.

    A statistic, such as rmse, accuracy or auc, is explained with the command that gives it, or what is near.
    """
    from losscli import api
    from losscli.lookup.spec import single
    from losscli.render.catalogue import described, described_word, told
    from losscli.render.screen import Screen

    if short and libraries:
        raise UsageError("explain: --short and --libraries are two parts of the page; say one of them, or none for all")
    if format == "json":
        print(json.dumps(api.explain(loss), indent=2))
        return
    screen = Screen.of(sys.stdout)
    if (word := told(loss)) is not None:
        print(described_word(word, screen))
        return
    bound = api.explained(single(loss))
    parts: Any = "short" if short else "libraries" if libraries else "all"
    print(described(bound, screen, parts, typed=api.has_parameters(loss)))
