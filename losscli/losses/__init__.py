"""The mathematics: one module per family, each with a lift and its losses. NumPy and nothing else.

A module declares its losses when it is imported. To find one loss, only the module that names.txt gives for its name is
imported; LOSSES, FAMILIES and NAMES of this package are complete, and import all of them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

from losscli.definition import registry
from losscli.definition.loss import Loss
from losscli.errors import UsageError

if TYPE_CHECKING:
    from losscli.definition.registry import FAMILIES, LOSSES, NAMES

__all__ = ["FAMILIES", "LOSSES", "NAMES", "declare_all", "declared", "find", "undeclared"]

TABLE = os.path.join(os.path.dirname(__file__), "names.txt")
"""Which module declares which names: the module in front, and the name and the aliases of one loss in each line, as
`registry.plain` has them. python docs/make_tables.py writes it. A name that it lacks is looked for in all modules."""
FAMILY_MODULES = (
    "residual",
    "relative",
    "distribution",
    "latent",
    "likelihood",
    "margin",
    "sigmoid",
    "softmax",
    "divergence",
    "class_logits",
    "embedding",
    "ranking",
    "contrastive",
    "longtail",
    "ordinal",
    "thresholds",
    "multiview",
    "multiclass_margin",
    "angular",
    "proxy",
    "mined",
    "two_views",
    "preference",
    "adversarial",
    "overlap",
    "whole_file",
    "box",
    "ensemble",
    "forecast",
    "sequence",
    "survival",
)
"""The modules in the order in which lists show their losses."""

_LOCK = RLock()


def declared(name: str) -> Loss | None:
    """Return the loss of a name or alias, None if there is none; capitals, '-' and '_' make no difference."""
    module = _modules().get(registry.plain(name))
    if module is not None:
        import_module(f"{__name__}.{module}")
    found = registry.known(name)
    if found is None:
        declare_all()
        found = registry.known(name)
    return found


def find(name: str) -> Loss:
    """Return the loss of a name or alias, as the rest of losscli says it; what users say is read by `losscli.lookup.names`.

    Raises
    ------
    UsageError
        if no loss has this name.
    """
    found = declared(name)
    if found is None:
        raise UsageError(f"no loss is called {name!r}")
    return found


@cache
def declare_all() -> None:
    """Import the modules of all families, so that every loss is declared."""
    with _LOCK:
        for module in FAMILY_MODULES:
            import_module(f"{__name__}.{module}")
        registry.put_in_order([f"{__name__}.{module}" for module in FAMILY_MODULES])


def names_of_modules() -> str:
    """Return the text of `losscli/losses/names.txt`."""
    declare_all()
    lines = [
        " ".join(
            [loss.core.__module__.rpartition(".")[2], *dict.fromkeys(map(registry.plain, (loss.name, *loss.aliases)))]
        )
        for loss in registry.LOSSES.values()
    ]
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def undeclared() -> Iterator[None]:
    """Keep losses declared meanwhile out of losscli's own lists, since a file's loss may have the name of a built-in one."""
    declare_all()  # before, or those that a file imports would be forgotten with its own
    with registry.undeclared():
        yield


@cache
def _modules() -> dict[str, str]:
    """Return the module of each name in the table."""
    with open(TABLE, encoding="utf-8") as stream:
        return {name: module for line in stream for module, *names in [line.split()] for name in names}


def __getattr__(name: str) -> Any:
    if name in ("FAMILIES", "LOSSES", "NAMES"):
        declare_all()
        return getattr(registry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
