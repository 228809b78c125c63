"""The losses in a file whose name the user did not say: what looks like one."""

import inspect
import re
from types import CodeType
from typing import Any

from losscli.custom.guess import guessed
from losscli.custom.reading import (
    LOG_PROBS,
    LOGITS,
    METHODS,
    PREDICTIONS,
    PROBS,
    TARGETS,
    _is_own,
    _signature,
    module_of,
    recognised,
)
from losscli.definition.loss import Loss
from losscli.errors import LosscliError, UsageError
from losscli.wording import listing, quoted

LIKE_A_LOSS = re.compile(r"loss|criterion|objective|cost", re.IGNORECASE)
LIKE_A_METRIC = re.compile(r"coef|accuracy|metric|score|precision|recall|auc|(^|_)test_", re.IGNORECASE)
"""Names of functions that take predictions and targets, and are no losses."""


def candidates(path: str) -> list[str]:
    """Return the names of the losses in a file, in its order: those whose names or operands are those of losses.

    The file is executed; nothing in it is called, except what has the name of a loss and returns one.

    Raises
    ------
    DataError
        if the file is missing or fails.
    """
    module = module_of(path)
    found = []
    for name, value in vars(module).items():
        if name.startswith("_") or not _is_own(value, module) or not _looks(name, value):
            continue
        if not isinstance(value, Loss) and _is_recognised(f"{path}:{name}", path, value):
            found.append(name)
    return found


def _looks(name: str, value: Any) -> bool:
    """Whether something looks like a loss, by its name or those of its operands."""
    speaks = LIKE_A_LOSS.search(name) is not None or any(guessed(name, columns) for columns in (True, False))
    if LIKE_A_METRIC.search(name) and not LIKE_A_LOSS.search(name):
        return False
    if inspect.isclass(value):
        return (speaks or "loss" in " ".join(base.__name__.lower() for base in value.__mro__)) and any(
            method in vars(base) for base in value.__mro__[:-1] for method in METHODS
        )
    if not inspect.isroutine(value) and speaks:
        return True
    if speaks and inspect.isfunction(value) and not _may_be_called(value):
        return False
    operands = [operand.lower().strip("_") for operand in list(_signature(value))[:2]]
    predictions = {*PREDICTIONS, *LOGITS, *PROBS, *LOG_PROBS}
    pairs = ((TARGETS, predictions), (predictions, TARGETS))
    told = any(all(word in words for word, words in zip(operands, pair, strict=False)) for pair in pairs)
    return speaks or (len(operands) == 2 and told)


def _may_be_called(function: Any) -> bool:
    """Whether a function takes two operands, or makes a loss: it holds a function of its own, or names a class or a factory of a loss.

    Others, such as plot_loss(path="loss.png"), would be called to see what they return.
    """
    signature = _signature(function)
    needed = [item for item in signature.values() if item.default is item.empty]
    known = {*TARGETS, *PREDICTIONS, *LOGITS, *PROBS, *LOG_PROBS}
    if len(needed) > 1 or any(name in known for name in list(signature)[:2]):
        return True
    code = function.__code__
    within = any(isinstance(constant, CodeType) for constant in code.co_consts)
    return within or any(LIKE_A_LOSS.search(name) or guessed(name, True) for name in code.co_names)


def _is_recognised(text: str, path: str, value: Any) -> bool:
    try:
        recognised(text, path, value)
    except UsageError:
        return False
    except LosscliError:
        return True  # it looks like one, and its own report says what fails
    return True


def is_file(text: str) -> bool:
    """Whether a word that stands for a loss is a file of Python, without the name of a loss in it."""
    return text.endswith((".py", ".py:")) and "\n" not in text


def names_code(text: str) -> bool:
    """Whether a SPEC names code: a loss in a file, of a package, or one that a package registers."""
    from losscli.custom import is_custom
    from losscli.custom.dotted import is_dotted
    from losscli.custom.registered import named

    name = text.partition(":")[0]
    return is_custom(text) or is_dotted(name) or named(name) is not None


def refusal(path: str, command: str = "", rest: str = "") -> UsageError:
    """Return the error about a file without the name of a loss: it says which there are, with the complete command.

    Parameters
    ----------
    command, rest
        the words of the command before and after the loss.
    """
    path = path.removesuffix(":")
    names = candidates(path)
    if not names:
        return UsageError(
            f"{path}: nothing in it looks like a loss, by its name or those of its operands; name it: {path}:NAME"
        )
    more = f"; or one of the others: {listing(names[1:])}" if names[1:] else ""
    words = " ".join(filter(None, [command, quoted(f"{path}:{names[0]}"), rest]))
    return UsageError(f"{path}: name the loss in it: {words}{more}")
