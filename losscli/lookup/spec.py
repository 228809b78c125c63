"""SPECs: a loss with its parameters in one word, as huber:delta=1 or softmax-focal:gamma=0,0.5,1."""

import itertools
from collections.abc import Mapping, Sequence

from losscli.custom import NAMED
from losscli.definition.loss import BoundLoss
from losscli.errors import UsageError
from losscli.lookup.names import find
from losscli.wording import short


def parse(text: str) -> list[BoundLoss]:
    """Read LOSS[:PARAM=VALUE[,VALUE...]]...; several values are several losses, in their order.

    Raises
    ------
    UsageError
        for an unknown loss or parameter, a value outside its domain, or what is not of this form.
    """
    own = NAMED.fullmatch(text)
    if own is None:
        name, *parts = text.split(":")
    else:
        name, parts = f"{own['path']}:{own['name']}", (own["rest"] or "").split(":")[1:]
    loss = find(name)
    swept: dict[str, list[float | None]] = {}
    for part in parts:
        parameter, divided, values = part.partition("=")
        parameter = parameter.strip().replace("-", "_")
        if not divided:
            raise UsageError(f"{text}: {part!r} is not PARAM=VALUE, as in huber:delta=1 or softmax-focal:gamma=0,1,2")
        if parameter in swept:
            raise UsageError(f"{text}: {parameter} is named twice; several values are {parameter}=A,B")
        swept[parameter] = [_value(text, parameter, word) for word in values.split(",")]
    return [loss.bind(**dict(zip(swept, values, strict=True))) for values in itertools.product(*swept.values())]


def _value(text: str, parameter: str, word: str) -> float | None:
    if word.strip().lower() == "none":
        return None
    try:
        return float(word)
    except ValueError:
        raise UsageError(f"{text}: {parameter}={word!r} is not a number") from None


def single(text: str) -> BoundLoss:
    """The loss of a SPEC that must be one.

    Raises
    ------
    UsageError
        for a SPEC of several losses, and as `parse` does.
    """
    found = parse(text)
    if len(found) > 1:
        raise UsageError(f"{text}: is {len(found)} losses; say one value for each parameter")
    return found[0]


def specs(texts: Sequence[str]) -> list[BoundLoss]:
    """All the losses of some SPECs, each of them once."""
    found = [bound for text in texts for bound in parse(text)]
    for i, bound in enumerate(found):
        if any(_same(bound, other) for other in found[:i]):
            raise UsageError(f"{spec(bound)} is named twice; say it once")
    return found


def _same(one: BoundLoss, other: BoundLoss) -> bool:
    return one.declaration is other.declaration and dict(one.parameters) == dict(other.parameters)


def spec(bound: BoundLoss) -> str:
    """The SPEC of a loss, with every parameter that has a value."""
    return ":".join([bound.name, *(f"{name}={number}" for name, number in settings(bound).items())])


def settings(bound: BoundLoss) -> Mapping[str, str]:
    """A loss's parameters that have a value, in the fewest digits that say which it is."""
    return {name: short(value) for name, value in bound.parameters.items() if value is not None}
