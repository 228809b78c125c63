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
"""Every name without capitals, '-' and '_' -> the name of the loss."""
AMBIGUOUS: dict[str, tuple[str, ...]] = {
    "log-loss": ("sigmoid-cross-entropy", "softmax-cross-entropy"),
    "nll": ("softmax-cross-entropy", "sigmoid-cross-entropy"),
    "nll-loss": ("softmax-cross-entropy", "sigmoid-cross-entropy"),
    "negative-log-likelihood": ("softmax-cross-entropy", "sigmoid-cross-entropy"),
    "focal-loss": ("sigmoid-focal", "softmax-focal"),
    "log-iou": ("log-jaccard", "negative-log-iou"),
    "chi-square": ("pearson-chi-square", "neyman-chi-square"),
    "chi-squared": ("pearson-chi-square", "neyman-chi-square"),
    "chi2": ("pearson-chi-square", "neyman-chi-square"),
    "class-balanced-loss": ("softmax-cross-entropy --class-weight effective:0.999", "balanced-cross-entropy"),
    "class-balanced-cross-entropy": ("softmax-cross-entropy --class-weight effective:0.999", "balanced-cross-entropy"),
    "class-balanced-focal": ("softmax-focal --class-weight effective:0.999", "sigmoid-focal"),
}
"""Names that mean different losses in different places: refused, with the choices, some of which need an option."""


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
            facts=frozenset(facts),
        )
        for name in (declared.name, *aliases):
            other = _KEYS.setdefault(_plain(name), declared.name)
            if other != declared.name:
                raise ValueError(f"two losses are called {name!r}: {other} and {declared.name}")
            _NAMES[name] = declared.name
        LOSSES[declared.name] = declared
        return declared

    return declare


def find(name: str) -> Loss:
    """Return the loss of a name or alias; capitals, '-' and '_' make no difference.

    Raises
    ------
    UsageError
        if the name is unknown, with the nearest one, or has several meanings, with the choices.
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
    """Keep losses declared meanwhile out of losscli's own lists, since a file's loss may
    have the name of a built-in one.
    """
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
    # MSELoss, mse_loss and mse-loss are the same name.
    return name.lower().replace("_", "").replace("-", "")
