"""From a name to a loss: losscli's own, an alias, a library's name for it, or a loss in the user's file."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from losscli.custom import is_custom
from losscli.definition.loss import Loss
from losscli.definition.registry import plain
from losscli.errors import UsageError
from losscli.lookup.meanings import choices, instead, meaning
from losscli.losses import declared
from losscli.wording import listing

if TYPE_CHECKING:
    from losscli.libraries.call import Call

MODULES = {
    "torch": "torch",
    "keras": "keras",
    "tf.keras": "keras",
    "tf": "tf1",
    "tensorflow": "tf1",
    "optax": "optax",
    "sklearn": "sklearn",
}
"""The beginning of a name with dots -> the library, by its name for --as."""
DOTTED = r"(?P<module>[A-Za-z_][\w.]*)\.(?P<last>[\w-]+)"
MOST_MEANT = 3
"""The most names that are offered for the beginning of a name."""
SPEC = r"(?s)(?P<loss>[^:]+):(?P<rest>[^:=]+=.*)"


def find(name: str) -> Loss:
    """Return the loss of a name: losscli's own, an alias, or a library's name for it, such
    as torch.nn.BCEWithLogitsLoss.

    Raises
    ------
    UsageError
        if the name is unknown, has several meanings, or means something else, with what to say instead.
    """
    if is_custom(name):
        from losscli.custom.loss import load

        return load(name)
    if name.endswith((".py", ".py:")):
        from losscli.custom.candidates import refusal

        raise refusal(name)
    dotted = re.fullmatch(DOTTED, name) if "." in name else None
    word = name if dotted is None else dotted["last"]
    of_library = None if dotted is None else _of_library(name, dotted["module"], word)
    if of_library is not None:
        return of_library
    _refuse_ambiguous(name, word)
    return declared(word) or _of_any_library(name, word) or _registered(name) or _refuse(name, word)


def is_known(name: str) -> bool:
    """Whether a name is that of a loss, an alias, or refused because it has several meanings."""
    return declared(name) is not None or choices(name) is not None


def elsewhere(*typed: str) -> list[str]:
    """Return a note for each name by which a loss was asked for that means something else in other places.

    `typed` are names or [W*]SPECs, of losses that exist. A loss's own name has no note: that is what losscli calls it.
    """
    notes = []
    for text in typed:
        name = "" if is_custom(text) else text.rpartition("*")[2].partition(":")[0].strip()
        said = meaning(name) if name else None
        if said is not None and find(name).name != name:
            notes.append(f"{name} is {find(name).name} here; {said}")
    return list(dict.fromkeys(notes))


def _of_library(name: str, module: str, word: str) -> Loss | None:
    """Return the loss of a name with its module, such as optax.losses.sparsemax_loss, None if the library is not known."""
    from losscli.libraries import libraries

    start = next((start for start in MODULES if f"{module}.".startswith(f"{start}.")), None)
    if start is None:
        return None
    return _of_calls(name, word, [(call, {*call.names, _function(call)}) for call in libraries()[MODULES[start]].calls])


def _function(call: "Call") -> str:
    """Return the name of the function or class of a call, without its module; '' if it has none."""
    named = re.match(r"(?:\w+\.)*(\w+)\(", call.call)
    return "" if named is None else named[1]


def _of_any_library(name: str, word: str) -> Loss | None:
    """Return the loss that libraries have under a name, None if no library has it."""
    from losscli.libraries import libraries

    return _of_calls(
        name, word, [(call, set(call.names)) for library in libraries().values() for call in library.calls]
    )


def _of_calls(name: str, word: str, calls: "Iterable[tuple[Call, set[str]]]") -> Loss | None:
    """Return the loss of the calls, each with its names, that have a word among these names; None if no call has.

    One word may name calls of several losses: the one that losscli calls so is meant, and without such a one, none is.
    """
    losses = {call.loss for call, names in calls if plain(word) in map(plain, names)}
    own = declared(word)
    if own is not None and own.name in losses:
        return own
    if len(losses) > 1:
        raise UsageError(f"{name!r} means different losses in different places; say one of: {listing(sorted(losses))}")
    return next(map(declared, losses), None)


def _refuse_ambiguous(name: str, word: str) -> None:
    """Raise a UsageError if a name has several meanings, unless it is a loss's own."""
    meant = choices(word)
    if meant is not None and ((own := declared(word)) is None or own.name != word):
        said = "; ".join(f"{loss} ({text})" for loss, text in meant.items())
        raise UsageError(f"{name!r} means different losses in different places; say one of: {said}")


def _refuse(name: str, word: str) -> Loss:
    """Raise the UsageError about a name that no loss has, with what to say instead."""
    from losscli.lookup.near import nearest
    from losscli.losses import NAMES

    said = instead(word) or instead(name)
    if said is not None:
        raise UsageError(f"{name!r} {said}")
    begun, near = _begun(word), nearest(word, NAMES)
    if len(begun) > MOST_MEANT and near is None:
        raise UsageError(f"no loss is called {name!r}; `losscli list {word}` shows those with this in their names")
    near = near if len(begun) > MOST_MEANT else " or ".join(begun) or near
    hint = f" (did you mean {near}?)" if near else ""
    raise UsageError(f"no loss is called {name!r}{hint}; `losscli list` shows them all")


def _begun(word: str) -> list[str]:
    """Return the names that a word begins, one for each loss: its own, or its shortest."""
    from losscli.lookup.near import begins
    from losscli.losses import LOSSES, NAMES

    found: dict[str, str] = {}
    for name in sorted(NAMES, key=lambda name: (name not in LOSSES, len(name))):
        if begins(word, name):
            found.setdefault(NAMES[name], name)
    return sorted(found.values())


def of_spec(name: str) -> Loss | None:
    """Return the loss of a name with parameters, such as huber:delta=2; None for all other names."""
    spec = re.fullmatch(SPEC, name)
    return None if spec is None else declared(spec["loss"])


def _registered(name: str) -> Loss | None:
    """Return the loss that an installed package registers under a name, or None."""
    from losscli.custom.registered import named

    entry = named(name)
    if entry is None:
        return None
    from losscli.custom.loss import load

    return load(entry.name)
