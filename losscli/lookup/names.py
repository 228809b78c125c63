"""From a name to a loss: losscli's own, an alias, a library's name for it, or a loss in the user's file."""

from losscli.custom import is_custom
from losscli.definition.loss import Loss
from losscli.errors import UsageError
from losscli.losses import AMBIGUOUS, LOSSES
from losscli.losses import find as find_own
from losscli.wording import listing


def find(name: str) -> Loss:
    """Return the loss of a name: losscli's own, an alias, or a library's name for it, such
    as torch.nn.BCEWithLogitsLoss.

    Raises
    ------
    UsageError
        if the name is unknown, with the nearest one, or has several meanings, with the choices.
    """
    if is_custom(name):
        from losscli.custom.loss import load

        return load(name)
    last = name.rpartition(".")[2]
    try:
        return find_own(last or name)
    except UsageError:
        from losscli.libraries import names

        own_names = names().get(last.lower().replace("_", "").replace("-", ""), set())
        if len(own_names) != 1 or last.lower().replace("_", "-") in AMBIGUOUS:
            if not own_names and (registered_loss := _registered(name)) is not None:
                return registered_loss
            if len(own_names) > 1:
                choices = listing(sorted(own_names))
                raise UsageError(
                    f"{name!r} means different losses in different libraries; say one of: {choices}"
                ) from None
            raise
        return LOSSES[next(iter(own_names))]


def _registered(name: str) -> Loss | None:
    """Return the loss that an installed package registers under a name, or None."""
    from losscli.custom.registered import named

    entry = named(name)
    if entry is None:
        return None
    from losscli.custom.loss import load

    return load(entry.name)
