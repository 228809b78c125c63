"""The losses and families that are declared, and their names."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from losscli.definition.domain import Domains
from losscli.definition.loss import Core, Family, Loss, Parameters, Relation

LOSSES: dict[str, Loss] = {}
FAMILIES: dict[str, Family] = {}
NAMES: dict[str, str] = {}
"""Every name and alias, as it is declared -> the name of the loss."""
_KEYS: dict[str, Loss] = {}
"""Every name without capitals, '-' and '_' -> the loss."""


def family(**declaration: Any) -> Family:
    """Declare a family and register it."""
    declared = Family(**declaration)
    FAMILIES[declared.name] = declared
    return declared


# Longer than other functions, since it is a declaration: one documented parameter for each fact about a loss, and no cases.
def loss(
    of: Family,
    formula: str = "",
    *,
    source: str,
    slope: str = "",
    definition: str = "",
    aliases: tuple[str, ...] = (),
    where: Mapping[str, str] | None = None,
    special: tuple[str, ...] = (),
    relations: tuple[Relation, ...] = (),
    sparse: bool = False,
    linear: bool = False,
    whole: bool = False,
    wide: Callable[[Parameters], bool] = lambda parameters: False,
    breaks: Callable[[Parameters], Mapping[str, float]] = lambda parameters: {},
    domains: Callable[[Parameters], Domains] = lambda parameters: Domains(),
    baseline: str | None = None,
    statistics: Mapping[str, Callable[[float], float]] | None = None,
    undefined: tuple[str, str] | None = None,
    facts: tuple[str, ...] = (),
) -> Callable[[Core], Loss]:
    """Declare the loss that a core computes, and register it.

    Parameters
    ----------
    of
        the family.
    formula, slope
        value and its derivative by the family's variable, in plain Python notation. Losses of whole rows need no
        slope: the tests derive the formula.
    definition
        a loss without a closed form, in words.
    where
        names that the formula uses besides variables and parameters, each with its definition.
    special
        what happens at the edges: printed by `explain`.
    relations
        how the loss follows from others: printed by `explain` and evaluated by the tests.
    sparse
        whether the core is 0 where the target is 0, so that only the row's own class must be computed.
    linear
        whether the core is -t l + h(t), so that for classes with the same target only the sum of their l is needed.
    whole
        whether the core sees all classes of a row at once and returns one value per row; `formula` is in vectors then.
    wide
        for which parameters the core multiplies rounding errors (powers, products of many factors), so that it is
        computed in the next wider dtype.
    breaks
        the points of the family's variable at which the loss changes its form, by their names in the formula.
    domains
        the predictions and targets that it takes.
    baseline
        which constant prediction is best: 'mean', 'median', 'frequencies', 'signs' or 'centroid'; None if one pass
        over the targets cannot give it.
    statistics
        functions of the mean loss, such as the root of the mean squared error, that are added to the summary, by name.
    undefined
        what is the matter with a row whose loss is NaN though no number in it is, and what to do about it: for messages.
    facts
        any of 'convex', 'bounded', 'redescending': printed by `explain` and verified by the tests.
    """

    def declare(core: Core) -> Loss:
        declared = Loss(
            name=core.__name__.replace("_", "-"),
            family=of,
            core=core,
            formula=formula,
            definition=definition,
            slope=slope,
            summary=inspect.cleandoc(core.__doc__ or ""),
            aliases=aliases,
            source=source,
            where=where or {},
            special=special,
            relations=relations,
            sparse=sparse,
            linear=linear,
            whole=whole,
            wide=wide,
            breaks=breaks,
            domains=domains,
            baseline=baseline,
            statistics=statistics or {},
            undefined=undefined,
            facts=frozenset(facts),
        )
        for name in (declared.name, *aliases):
            other = _KEYS.setdefault(plain(name), declared)
            if other is not declared:
                raise ValueError(f"two losses are called {name!r}: {other.name} and {declared.name}")
            NAMES[name] = declared.name
        LOSSES[declared.name] = declared
        return declared

    return declare


def known(name: str) -> Loss | None:
    """Return the loss of a name or alias among those that are declared so far; capitals, '-' and '_' make no difference."""
    return _KEYS.get(plain(name))


def put_in_order(modules: Sequence[str]) -> None:
    """Put losses, families and names into the order of the modules that declare them, whichever was imported first."""
    places = {module: place for place, module in enumerate(modules)}
    losses = sorted(LOSSES.values(), key=lambda loss: places.get(loss.core.__module__, len(places)))
    _rearrange(LOSSES, [loss.name for loss in losses])
    _rearrange(FAMILIES, [loss.family.name for loss in losses])
    _rearrange(NAMES, [name for loss in losses for name in (loss.name, *loss.aliases)])


def _rearrange(registry: dict[str, Any], keys: Sequence[str]) -> None:
    entries = {key: registry[key] for key in keys} | registry
    registry.clear()
    registry.update(entries)


@contextmanager
def undeclared() -> Iterator[None]:
    """Forget afterwards what is declared meanwhile, and find nothing else by its name meanwhile."""
    registries: tuple[dict[str, Any], ...] = (LOSSES, FAMILIES, NAMES, _KEYS)
    kept = [dict(registry) for registry in registries]
    try:
        for registry in registries[2:]:
            registry.clear()
        yield
    finally:
        for registry, before in zip(registries, kept, strict=True):
            registry.clear()
            registry.update(before)


def plain(name: str) -> str:
    """Return a name without capitals, '-' and '_': MSELoss, mse_loss and mse-loss are the same one."""
    return name.lower().replace("_", "").replace("-", "")
