"""The mathematics: one module a family, each a lift and its losses. NumPy and nothing else.

Importing this package declares every loss.
"""

from importlib import import_module

from losscli.core import AMBIGUOUS, FAMILIES, LOSSES, Loss
from losscli.core import find as find_own
from losscli.errors import UsageError, listing
from losscli.own import is_own

FAMILY_MODULES = (
    "residual",
    "relative",
    "distribution",
    "margin",
    "sigmoid",
    "softmax",
    "ordinal",
    "views",
    "scores",
    "ranking",
    "embedding",
    "angular",
    "contrast",
    "overlap",
    "file",
    "box",
    "ensemble",
)
"""In the order in which lists show them."""

for _family in FAMILY_MODULES:
    import_module(f"{__name__}.{_family}")


def find(name: str) -> Loss:
    """The loss of a name: losscli's, an alias, or what a library calls it, such as torch.nn.BCEWithLogitsLoss.

    Raises
    ------
    UsageError
        for an unknown name, with the nearest one, or for a name with several meanings, with the choices.
    """
    if is_own(name):
        from losscli.own.losses import load

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
    from losscli.own.registered import named

    entry = named(name)
    if entry is None:
        return None
    from losscli.own.losses import load

    return load(entry.name)


__all__ = ["FAMILIES", "LOSSES", "find"]
