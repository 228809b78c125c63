"""SPECs: a loss with its parameters in one word, such such as huber:delta=1 or softmax-focal:gamma=0,0.5,1."""

import itertools
import math
import re
from collections.abc import Mapping, Sequence

from losscli.custom import NAMED
from losscli.custom.dotted import is_dotted
from losscli.definition.loss import BoundLoss, Loss
from losscli.definition.options import TAKEN_BY, takes
from losscli.errors import UsageError
from losscli.lookup.meanings import instead
from losscli.lookup.names import find, of_spec
from losscli.numerals import NO_NUMBER, as_number
from losscli.wording import short


def parse(text: str, code: bool = False) -> list[BoundLoss]:
    """Read LOSS[:PARAM=VALUE[,VALUE...]]...; several values give several losses, in their order.

    Parameters
    ----------
    code
        whether a dotted name, such as torch.nn.HuberLoss, is the package's own code; else it is losscli's loss of this name.

    Raises
    ------
    UsageError
        if the loss or a parameter is unknown, a value is outside its domain, or the text is not of this form.
    """
    custom = re.fullmatch(NAMED, text)
    if custom is None and (said := instead(text)) is not None:  # names with colons, such as reg:squarederror
        raise UsageError(f"{text!r} {said}")
    if custom is None:
        name, *parts = text.split(":")
    else:
        name, parts = f"{custom['path']}:{custom['name']}", (custom["rest"] or "").split(":")[1:]
    loss = _of_code(name) if code and is_dotted(name) else find(name)
    swept: dict[str, list[float | None]] = {}
    for part in parts:
        parameter, divided, values = part.partition("=")
        parameter = parameter.strip().replace("-", "_")
        if not divided:
            raise UsageError(f"{text}: {part!r} is not PARAM=VALUE, as in huber:delta=1 or softmax-focal:gamma=0,1,2")
        if parameter not in loss.parameters:
            _refuse_option(text, loss, parameter.replace("_", "-"), values)
        if parameter in swept:
            raise UsageError(f"{text}: {parameter} is named twice; several values are {parameter}=A,B")
        swept[parameter] = [_value(text, parameter, word) for word in values.split(",")]
    return [loss.bind(**dict(zip(swept, values, strict=True))) for values in itertools.product(*swept.values())]


def _refuse_option(text: str, loss: Loss, option: str, value: str) -> None:
    """Raise a UsageError if what a SPEC calls a parameter is an option of the command."""
    if option in TAKEN_BY and takes(loss.family, option):
        raise UsageError(
            f"{text}: {option} is an option of the command, for all of its losses, and no parameter of {loss.name}: say "
            f"--{option} {value}"
        )


def _of_code(name: str) -> Loss:
    """Return the loss that the code of an installed package computes."""
    from losscli.custom.loss import load

    return load(name)


def _value(text: str, parameter: str, word: str) -> float | None:
    """Return the number that a word is; None for 'none'."""
    if word.strip().lower() == NO_NUMBER:
        return None
    try:
        return as_number(word)
    except ValueError:
        raise UsageError(f"{text}: {parameter}={word!r} is not a number") from None


def single(text: str, code: bool = False) -> BoundLoss:
    """Return the loss of a SPEC that must be a single one; `code` as in `parse`.

    Raises
    ------
    UsageError
        if the SPEC gives several losses, and as `parse` does.
    """
    losses = parse(text, code)
    if len(losses) > 1:
        raise UsageError(f"{text}: is {len(losses)} losses; say one value for each parameter")
    return losses[0]


def taken_apart(text: str) -> tuple[str, list[str]]:
    """Return the loss's name in a SPEC, and its parameters as options, such as --delta=2; any other name as it is.

    Raises
    ------
    UsageError
        as `single` does, for a SPEC.
    """
    custom = re.fullmatch(NAMED, text)
    rest = custom["rest"] if custom is not None else None
    if not rest and of_spec(text) is None:
        return text, []
    single(text)  # whose messages are about the SPEC, and not about options that nobody typed
    parts = (rest or text.partition(":")[2]).strip(":").split(":")
    pairs = [part.partition("=")[::2] for part in parts]
    name = text.removesuffix(rest) if rest else text.partition(":")[0]
    given = [
        (parameter.strip(), value) for parameter, value in pairs if value.strip().lower() != NO_NUMBER
    ]  # as it is without
    return name, [f"--{parameter.replace('_', '-')}={value}" for parameter, value in given]


def named_parameters(text: str) -> frozenset[str]:
    """Return the names of the parameters that a SPEC gives a value."""
    _, options = taken_apart(text)
    return frozenset(option.removeprefix("--").partition("=")[0].replace("-", "_") for option in options)


def weighted(text: str) -> tuple[float, BoundLoss]:
    """Return the weight and the loss of [W*]SPEC, such as 0.5*dice:smooth=1; without W the weight is 1.

    Raises
    ------
    UsageError
        if the weight is not a finite number other than 0, and as `single` does.
    """
    word, times, rest = text.partition("*")
    if not times:
        return 1.0, single(text.strip())
    try:
        weight = as_number(word)
    except ValueError:
        raise UsageError(f"{text}: {word.strip()!r} is not a number; a term is [W*]SPEC, as in 0.5*dice") from None
    if not math.isfinite(weight) or not weight:
        raise UsageError(f"{text}: the weight {word.strip()} is not a finite number other than 0")
    return weight, single(rest.strip())


def specs(texts: Sequence[str]) -> list[BoundLoss]:
    """Return all losses of some SPECs.

    Raises
    ------
    UsageError
        if a loss is named twice, and as `parse` does.
    """
    losses = [bound for text in texts for bound in parse(text)]
    for i, bound in enumerate(losses):
        if any(_same(bound, other) for other in losses[:i]):
            raise UsageError(f"{spec(bound)} is named twice; say it once")
    return losses


def _same(one: BoundLoss, other: BoundLoss) -> bool:
    """Whether two losses have the same declaration and parameters."""
    return one.declaration is other.declaration and dict(one.parameters) == dict(other.parameters)


def spec(bound: BoundLoss) -> str:
    """Return the SPEC of a loss, with every parameter that has a value."""
    return ":".join([bound.name, *(f"{name}={number}" for name, number in settings(bound).items())])


def settings(bound: BoundLoss) -> Mapping[str, str]:
    """Return the parameters of a loss that have a value, as text with as few digits as identify it."""
    return {name: short(value) for name, value in bound.parameters.items() if value is not None}
