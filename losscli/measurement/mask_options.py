"""Options of losses of masks: what makes probabilities of logits, which classes count, and what they weigh."""

from typing import TYPE_CHECKING

import numpy as np

from losscli.arrays import Array
from losscli.data.target_encoding import SUM_TOLERANCE, DecodedTargets
from losscli.errors import UsageError
from losscli.io.source import Source, blocks
from losscli.numerals import is_count
from losscli.records import replace
from losscli.wording import did_you_mean, listing

if TYPE_CHECKING:
    from losscli.definition.request import Request
    from losscli.libraries.call import Call


def settled_activation(request: "Request", predictions: Source, decoded: DecodedTargets) -> "Request":
    """Return the request with what makes probabilities of its logits, 'sigmoid' or 'softmax'; None if nothing has to.

    Raises
    ------
    UsageError
        if both are possible and nothing is said, or if what is said makes no sense.
    """
    family, said = request.loss.family, request.activation
    if not family.takes_activation:
        return request
    name = request.loss.name
    if request.prediction_kind != "logits":
        if said is not None:
            raise UsageError(
                f"--activation {said}: with --from {request.prediction_kind} nothing makes probabilities; leave it out"
            )
        return request
    if len(predictions.shape) == 1:
        if said == "softmax":
            raise UsageError(
                f"--activation softmax: {predictions.name} has one number per row or position, and no classes"
            )
        return replace(request, activation="sigmoid")
    if said is not None:
        return request
    if family.coupled == "file":
        return replace(request, activation="softmax")
    call = _call_of_library(request)
    activation = None if call is None else call.activation
    if activation is None and _one_class_a_row(decoded):
        raise UsageError(
            f"--activation: {name} of logits of {predictions.shape[1]} classes, of which each row or position has one, needs it: "
            "softmax (over the classes) or sigmoid (of each class alone)",
            cures=(("--activation", "softmax"),),
        )
    return replace(request, activation=activation or "sigmoid")


def usual_mask(request: "Request") -> str:
    """Return what is one mask of positions if nothing is said: a sample, or the file if a library has it so."""
    call = _call_of_library(request)
    return "file" if call is not None and call.per == "file" else "sample"


def _call_of_library(request: "Request") -> "Call | None":
    """Return the call of the library whose number is asked for; None if none is."""
    if request.library is None:
        return None
    from losscli.libraries import libraries
    from losscli.measurement.conventions import call_for

    return call_for(libraries()[request.library], request)


def _one_class_a_row(decoded: DecodedTargets) -> bool:
    """Whether the targets of every row sum to 1, so that they may be the classes of a softmax."""
    encoding = decoded.encoding
    if encoding.one_hot:
        return True
    for _, batch in blocks(decoded.source):
        kept = encoding.keep(batch)
        t = encoding.outcomes(batch if kept is None else batch[kept])
        if (np.abs(t.sum(axis=1, dtype=np.float64) - 1) > SUM_TOLERANCE).any():
            return False
    return True


def check_class_weight(request: "Request", predictions: Source) -> None:
    """Raise a UsageError if classes of masks are to be weighed, and there are none."""
    if request.class_weight is not None and len(predictions.shape) == 1:
        raise UsageError(
            f"--class-weight {request.class_weight}: {predictions.name} has one number per row or position, and no classes to weigh"
        )


def counted_classes(request: "Request", predictions: Source, names: tuple[str, ...] | None) -> Array | None:
    """Return which classes count, shape (k,), by --exclude-class; None for all.

    `names` are those of the classes, or None if they have only numbers.

    Raises
    ------
    UsageError
        if there are no classes, one is not known, or none is left.
    """
    text = request.exclude_class
    if text is None:
        return None
    if len(predictions.shape) == 1:
        axis = "" if request.class_axis is not None else "; say with --class-axis which axis holds them"
        raise UsageError(
            f"--exclude-class {text}: {predictions.name} has one number per row or position, and no classes{axis}"
        )
    k = predictions.shape[1]
    known = list(names) if names is not None and len(names) == k else [str(number) for number in range(k)]
    counted = np.ones(k, bool)
    for word in (word.strip() for word in text.split(",")):
        if word in known:
            counted[known.index(word)] = False
        elif is_count(word) and int(word) < k:
            counted[int(word)] = False
        else:
            raise UsageError(
                f"--exclude-class {text}: {word!r} is no class{did_you_mean(word, known)}; there are {listing(known, 12)}"
            )
    if not counted.any():
        raise UsageError(f"--exclude-class {text}: no class is left")
    return counted
