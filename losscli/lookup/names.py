"""The loss of a name: losscli's own, an alias, a library's name for it, or a file of the user's."""

from losscli.custom import is_custom
from losscli.definition.loss import Loss
from losscli.errors import UsageError
from losscli.losses import AMBIGUOUS, LOSSES
from losscli.losses import find as find_own
from losscli.wording import listing


def find(name: str) -> Loss:
    """The loss of a name: losscli's, an alias, or what a library calls it, such as torch.nn.BCEWithLogitsLoss.

    Raises
    ------
    UsageError
        for an unknown name, with the nearest one, or for a name with several meanings, with the choices.
    """
    if is_custom(name):
        from losscli.custom.loss import load

        return load(name)
    last = name.rpartition(".")[2]
    try:
        return find_own(last or name)
    except UsageError:
        from losscli.libraries import names

        found = names().get(last.lower().replace("_", "").replace("-", ""), set())
        if len(found) != 1 or last.lower().replace("_", "-") in AMBIGUOUS:
            if not found and (other := _registered(name)) is not None:
                return other
            if len(found) > 1:
                choices = listing(sorted(found))
                raise UsageError(
                    f"{name!r} means different losses in different libraries; say one of: {choices}"
                ) from None
            raise
        return LOSSES[next(iter(found))]


def _registered(name: str) -> Loss | None:
    """The loss that an installed package registers by a name."""
    from losscli.custom.registered import named

    entry = named(name)
    if entry is None:
        return None
    from losscli.custom.loss import load

    return load(entry.name)
