"""`losscli list` and `losscli explain LOSS`: print the declarations of losses."""

import json
import sys
from typing import Annotated

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
    loss: Annotated[str, operand("LOSS", help="Name or alias of a loss.")],
    short: Annotated[
        bool, option("--short", show_default=False, help="Formula, curve and meaning alone, without the details.")
    ] = False,
    libraries: Annotated[
        bool, option("--libraries", show_default=False, help="What libraries compute under this loss's names, alone.")
    ] = False,
    format: ListFormat = "table",
) -> None:
    """Explain a loss: formula, curve and meaning, then parameters, targets, gradient, special cases, libraries, source."""
    from losscli.lookup.names import find, of_spec
    from losscli.render.catalogue import described, entry, explained
    from losscli.render.screen import Screen

    if short and libraries:
        raise UsageError("explain: --short and --libraries are two parts of the page; say one of them, or none for all")
    if (bare := of_spec(loss)) is not None:
        raise UsageError(f"{loss!r} has parameters, which explain does not take: losscli explain {bare.name}")
    found = explained(find(loss))
    if format == "json":
        print(json.dumps(entry(found), indent=2))
    else:
        print(described(found, Screen.of(sys.stdout), "short" if short else "libraries" if libraries else "all"))
