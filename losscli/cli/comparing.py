"""What `losscli compare` and `losscli plot compare` say where the loss, a model or the targets are missing."""

import os
from collections.abc import Mapping
from typing import Any

from losscli.cli.command import command_line
from losscli.errors import LosscliError, UsageError
from losscli.wording import quoted


def targets_of(command: str, spec: str, models: list[str], targets: str | None, given: Mapping[str, Any]) -> str:
    """Return the targets of a comparison.

    Parameters
    ----------
    command
        its words, such as 'compare'.
    given
        the options of losses that were typed, by their words.

    Raises
    ------
    UsageError
        if the targets, the loss or a model are missing, with the complete command line where it is clear what is meant; and
        if there is no such loss.
    """
    named = _is_loss(spec, "" if targets is not None else "; and say the targets, with --targets TARGETS")
    if named and targets is not None:
        return targets
    operands = list(models) if named else [spec, *models]
    missing = " and ".join([*([] if named else ["no loss"]), *([] if targets is not None else ["no --targets"])])
    if targets is None and len(operands) > 2:
        targets = operands.pop()  # the last of three files, as in compute
    if targets is None or len(operands) < 2:
        line = f"losscli {command} {quoted(spec) if named else 'LOSS'} A B --targets TARGETS"
        raise UsageError(f"{command} {' '.join(map(quoted, [spec, *models]))}: {missing}; say {line}")
    loss, kind = (spec, {}) if named else _suggested(operands[0], targets)
    line = command_line(command, [loss, *operands], {"targets": targets, **kind, **given})
    raise UsageError(f"{command}: {missing}; the loss comes first, and the targets stand behind --targets: {line}")


def _is_loss(spec: str, besides: str) -> bool:
    """Return whether a word names a loss, and not a file.

    Raises a UsageError if it is neither; `besides` is the end of its message.
    """
    from losscli.lookup.spec import single

    try:
        single(spec)
    except UsageError as error:
        if not any(os.path.exists(path) for path in (spec, spec.rpartition(":")[0])):
            raise UsageError(f"{error}{besides}") from None
        return False
    return True


def _suggested(predictions: str, targets: str) -> tuple[str, dict[str, str]]:
    """Return the loss that files suggest and, if predictions look like probabilities, the option that says so."""
    from losscli import api

    try:
        facts = api.check(predictions, targets).facts
        loss: str = facts["read_as"]["loss"]
    except (LosscliError, KeyError):
        return "cross-entropy", {}
    probabilities = facts.get("predictions", {}).get("kind") == "probabilities" and "from" in facts["read_as"]
    return loss, {"from": "probs"} if probabilities else {}
