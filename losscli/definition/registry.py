"""The losses and families that are declared, and their names."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from losscli.definition.domain import Domains
from losscli.definition.loss import Core, Family, Loss, Parameters, Relation
from losscli.errors import UsageError
from losscli.wording import did_you_mean, listing

LOSSES: dict[str, Loss] = {}
FAMILIES: dict[str, Family] = {}
_NAMES: dict[str, str] = {}
_KEYS: dict[str, str] = {}
"""Every name in its plain form -> the loss's name."""
AMBIGUOUS: dict[str, tuple[str, ...]] = {
    "log-loss": ("sigmoid-cross-entropy", "softmax-cross-entropy"),
    "nll": ("softmax-cross-entropy", "sigmoid-cross-entropy"),
    "nll-loss": ("softmax-cross-entropy", "sigmoid-cross-entropy"),
    "negative-log-likelihood": ("softmax-cross-entropy", "sigmoid-cross-entropy"),
    "focal-loss": ("sigmoid-focal", "softmax-focal"),
}
"""Names that mean different losses in different places: refused, with the choices."""


def family(**declaration: Any) -> Family:
    """Declare a family and register it."""
    made = Family(**declaration)
    FAMILIES[made.name] = made
    return made


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
    facts: tuple[str, ...] = (),
) -> Callable[[Core], Loss]:
    """Declare the loss that a core computes, and register it.

    Parameters
    ----------
    of
        the family.
    formula, slope
        value and its derivative by the family's variable, in plain Python notation. Losses of whole rows need no slope:
        the tests derive the formula.
    definition
        in words, what a loss without a closed form is.
    where
        names that the formula uses besides variables and parameters, each with its definition.
    special
        what happens at the edges: printed by `explain`.
    relations
        how the loss follows from others: printed by `explain` and evaluated by the tests.
    sparse
        the core is 0 where the target is 0, so that only the row's own class need be looked at.
    linear
        the core is -t l + h(t), so that of classes with one target only the sum of their l is needed.
    whole
        the core sees all of a row's classes at once and returns one value a row, of which `formula` is in vectors.
    wide
        for which parameters the core multiplies rounding errors (powers, products of many factors), so that it is
        computed in the next wider dtype.
    breaks
        the points of the family's variable where the loss changes its form, by what the formula calls them.
    domains
        which predictions and targets it takes.
    baseline
        which constant prediction is best: 'mean', 'median', 'frequencies', 'signs' or 'centroid'; None where one pass
        over the targets cannot give it.
    statistics
        what people make of the mean loss, such as the root of the mean squared error: it joins the summary.
    facts
        of 'convex', 'bounded', 'redescending': printed by `explain` and held to by the tests.
    """

    def declare(core: Core) -> Loss:
        made = Loss(
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
            facts=frozenset(facts),
        )
        for name in (made.name, *aliases):
            other = _KEYS.setdefault(_plain(name), made.name)
            if other != made.name:
                raise ValueError(f"two losses are called {name!r}: {other} and {made.name}")
            _NAMES[name] = made.name
        LOSSES[made.name] = made
        return made

    return declare


def find(name: str) -> Loss:
    """Return the loss of a name or alias; capitals, '-' and '_' make no difference.

    Raises
    ------
    UsageError
        for an unknown name, with the nearest one, or for a name with several meanings, with the choices.
    """
    key = _plain(name)
    ambiguous = {_plain(known): choices for known, choices in AMBIGUOUS.items()}
    if key in ambiguous:
        raise UsageError(f"{name!r} means different losses in different places; say one of: {listing(ambiguous[key])}")
    if key not in _KEYS:
        hint = did_you_mean(name.lower().replace("_", "-"), _NAMES, alike=0.7)
        raise UsageError(f"no loss is called {name!r}{hint}; `losscli list` shows them all")
    return LOSSES[_KEYS[key]]


def is_known(name: str) -> bool:
    """Whether a name is that of a loss, an alias, or refused as ambiguous."""
    return _plain(name) in _KEYS or _plain(name) in map(_plain, AMBIGUOUS)


@contextmanager
def undeclared() -> Iterator[None]:
    """Keep what is declared meanwhile out of losscli's own lists: a file's loss may have the name of a built-in one."""
    registries: tuple[dict[str, Any], ...] = (LOSSES, FAMILIES, _NAMES, _KEYS)
    kept = [dict(registry) for registry in registries]
    try:
        for registry in registries[2:]:
            registry.clear()
        yield
    finally:
        for registry, before in zip(registries, kept, strict=True):
            registry.clear()
            registry.update(before)


def _plain(name: str) -> str:
    # MSELoss, mse_loss and mse-loss are one name.
    return name.lower().replace("_", "").replace("-", "")
