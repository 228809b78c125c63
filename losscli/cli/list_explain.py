"""`losscli list` and `losscli explain LOSS`: print the declarations of losses."""

import json
import sys
from typing import Annotated

from losscli.cli.options.declare import operand, option
from losscli.cli.options.output import ListFormat
from losscli.errors import UsageError


def list_losses(
    family: Annotated[str | None, option("--family", metavar="F", help="Only the losses of this family.")] = None,
    format: ListFormat = "table",
) -> None:
    """List the losses: names, families, aliases, parameters, formulas."""
    from losscli.render.catalogue import REGISTERED, entries, listed, registered_entries

    found = entries(family) + (registered_entries() if family in (None, REGISTERED) else [])
    print(json.dumps(found, indent=2) if format == "json" else listed(found, sys.stdout.isatty()))


def explain(
    loss: Annotated[str, operand("LOSS", help="Name or alias of a loss.")],
    format: ListFormat = "table",
) -> None:
    """Explain a loss: formula, gradient, parameters, targets, special cases, relations, source."""
    from losscli.lookup.names import find, of_spec
    from losscli.render.catalogue import described, entry, explained

    if (bare := of_spec(loss)) is not None:
        raise UsageError(f"{loss!r} has parameters, which explain does not take: losscli explain {bare.name}")
    found = explained(find(loss))
    print(
        json.dumps(entry(found), indent=2)
        if format == "json"
        else described(found, sys.stdout.isatty(), sys.stdout.encoding)
    )
