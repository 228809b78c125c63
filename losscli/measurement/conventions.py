"""A library's number, one convention at a time: losscli's request is changed step by step into the library's.

The order is always the same: reduction and denominator, outputs and masks, smoothing, clipping, label encodings,
factors, defaults. Nothing is computed here; a step is a phrase and a request.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from losscli.definition.batch import Clip
from losscli.definition.request import Request
from losscli.engine.reduction import REDUCTIONS
from losscli.errors import UsageError
from losscli.libraries import NAMES
from losscli.libraries.call import Call, Library
from losscli.wording import did_you_mean, listing, short


class Step(NamedTuple):
    """One convention in words, and the request with it and all conventions before it."""

    words: str
    request: Request


class Facts(NamedTuple):
    """Facts about files on which conventions depend."""

    dtype: np.dtype[Any]
    """Dtype of the predictions in their file."""
    kind: str
    """Encoding of the targets, such as 'index' or 'soft'."""
    columns: int
    """Number of columns of the predictions; 1 for one number per row."""


def parse(text: str) -> list[str]:
    """Return the names of libraries in 'torch,keras'.

    Raises
    ------
    UsageError
        if a name is not a library, or occurs twice.
    """
    names = [name.strip().lower() for name in text.split(",")]
    for name in names:
        if name not in NAMES:
            raise UsageError(
                f"--as {text}: {name!r} is no library{did_you_mean(name, NAMES)}; there are {listing(NAMES)}"
            )
    if len(set(names)) < len(names):
        raise UsageError(f"--as {text}: a library is named twice")
    return names


def call_for(library: Library, request: Request) -> Call:
    """Return the library's call that computes the loss of a request from its kind of predictions.

    Raises
    ------
    UsageError
        if the library has no such loss.
    """
    name = request.loss.name
    calls = [call for call in library.calls if call.loss == name]
    if not calls:
        have = sorted({call.loss for call in library.calls if _family(call) == request.loss.family.name})
        also = f"; of this family it has {listing(have)}" if have else ""
        raise UsageError(f"--as {library.name}: {library.title} has no {name}{also}")
    fitting = [call for call in calls if call.prediction_kind in (None, request.prediction_kind)]
    return fitting[0] if fitting else calls[0]


def _family(call: Call) -> str:
    """Return the name of the family of a call's loss."""
    from losscli.losses import LOSSES

    return LOSSES[call.loss].family.name


def steps(library: Library, request: Request, facts: Facts, typed: Iterable[str]) -> list[Step]:
    """Return the conventions that make a library's number differ from that of the request, one at a time.

    Parameters
    ----------
    typed
        names of the parameters and options that the user gave: these keep their values.

    Raises
    ------
    UsageError
        if the library cannot compute it.
    """
    call = call_for(library, request)
    _refuse(library, call, request, facts)
    adopted: list[Step] = []
    current = request

    def add(words: str, **changes: Any) -> None:
        nonlocal current
        after = replace(current, **changes)
        if after != current:
            current = after
            adopted.append(Step(words, current))

    def convene(words: str, **changes: Any) -> None:
        add(words, convention=current.convention._replace(**changes))

    typed = frozenset(typed)
    reduction = _reduction(library, call, request, facts, "reduction" in typed)
    add(_reduction_words(library, reduction), reduction=reduction)
    if current.loss.family.several_outputs and facts.columns > 1:
        outputs = library.summed_outputs if reduction == "sum" else call.outputs or library.outputs
        words = "sums" if outputs == "sum" else "takes the mean"
        add(f"{words} over the outputs of a sample", over_outputs=outputs)
    if call.pairs:
        convene("takes the mean over all pairs, so that a row counts as often as it has positives", pairs=True)
    if call.per is not None:
        per = call.per if facts.columns > 1 else "file"
        add(f"takes {PER[per]} for one mask", per=per)
    smoothing_mode = request.smoothing_mode or request.loss.family.smoothing
    if request.label_smoothing and call.smoothing != smoothing_mode:
        add(f"smooths labels as {SMOOTHING[str(call.smoothing)]}", smoothing_mode=call.smoothing)
    if call.terms_by_class and request.class_weight is not None and (request.label_smoothing or facts.kind == "soft"):
        convene("weighs each class's term of a smoothed or soft target, and not the row", class_terms=True)
    made_of_logits = call.clip if call.prediction_kind == "probs" else call.clip_logits
    clipping = call.clip if request.prediction_kind != "logits" else made_of_logits
    if clipping is not None:
        clip = clipping(facts.dtype)
        convene(clip_words(clip, request.prediction_kind), clip=clip)
    if call.labels is not None:
        convene(LABELS[call.labels], labels=call.labels)
    if call.skips_zeros:
        convene("leaves rows out whose loss is 0", skips_zeros=True)
    if call.scale_by_outputs and reduction != "sum":
        convene(f"divides by the number of classes too, {facts.columns}", scale=1 / facts.columns)
    scale = call.scale * (call.scale_of_two if facts.columns == 2 else 1)
    if scale != 1:
        convene(f"multiplies by {short(scale)}", scale=scale)
    if call.shift:
        convene(f"adds {short(call.shift)}", shift=call.shift)
    bound = current.loss
    if call.swapped is not None:
        first_name, second_name = call.swapped
        values = dict(bound.parameters)
        values[first_name], values[second_name] = values[second_name], values[first_name]
        bound = bound.declaration.bind(**values)
        add(f"means {second_name} by {first_name} and {first_name} by {second_name}", loss=bound)
    for name, value in call.defaults.items():
        if name in typed:
            continue
        bound = bound.declaration.bind(**(dict(bound.parameters) | {name: value}))
        shown = "none" if value is None else short(value)
        add(f"has {name} = {shown} by default", loss=bound)
    return adopted


def _refuse(library: Library, call: Call, request: Request, facts: Facts) -> None:
    """Raise a UsageError if a call cannot do what the request asks for."""

    def no(what: str) -> UsageError:
        return UsageError(f"--as {library.name}: {what}")

    if call.refused is not None:
        raise no(f"{call.refused}")
    if call.hard and facts.kind == "soft":
        raise no(f"of soft targets {call.call} is another function, which is not linear in the target")
    if call.one_output and facts.columns > 1:
        raise no(f"of several outputs a sample {call.call} is another function: one wrong output makes a sample wrong")
    if request.sample_weight is not None and (call.weighted or library.weighted) == "none":
        raise no(f"{call.call} takes no weights of samples; leave --sample-weight out")
    if request.class_weight is not None and call.class_weighted is None:
        raise no(f"{call.call} takes no weights of classes; leave --class-weight out")
    if request.label_smoothing and call.smoothing is None:
        raise no(f"{call.call} has no label smoothing; leave --label-smoothing out")
    if request.label_smoothing and request.smoothing_mode not in (None, call.smoothing):
        raise no(f"label smoothing has one form there, {call.smoothing}; leave --smoothing-mode out")
    if request.per is not None and call.per is not None and request.per != call.per:
        raise no(f"{call.call} takes {PER[call.per]} for one mask; leave --per out")


def _reduction(library: Library, call: Call, request: Request, facts: Facts, typed: bool) -> str:
    """Return the reduction that the library uses, by losscli's name."""
    if typed and request.reduction != "mean":
        if request.reduction not in library.reductions:
            asked = listing(library.reductions)
            raise UsageError(f"--as {library.name}: there is no reduction {request.reduction} there, but {asked}")
        return request.reduction
    if typed and "mean" in library.reductions and library.reductions["mean"] != "mean":
        return "mean"  # the library has it under another name
    if request.class_weight is not None:
        weighted_reduction = call.class_weighted if facts.kind in ("index", "name", "one-hot") else call.soft_weighted
        if facts.kind == "one-hot" and call.soft_weighted is not None:
            weighted_reduction = call.soft_weighted
        return weighted_reduction or "mean"
    if request.sample_weight is not None:
        return call.weighted or library.weighted
    return call.reduction or library.reduction


def _reduction_words(library: Library, reduction: str) -> str:
    """Return a reduction in words, with the library's own name for it."""
    named = library.reductions.get(reduction)
    how = f" ({named})" if named and named != reduction else ""
    return f"reduces by {REDUCTIONS[reduction].formula}{how}"


def clip_words(clip: Clip, prediction_kind: str) -> str:
    """Return a clip in words."""
    parts = ["makes probabilities of the logits"] if prediction_kind == "logits" else []
    parts += ["divides each row by its sum"] if clip.renormalise else []
    if clip.low > 0 or clip.high < 1:
        parts.append(
            f"cuts p into [{clip.low:.9g}, {clip.high:.9g}]" if clip.high < 1 else f"cuts p off at {clip.low:.9g}"
        )
    parts += [f"adds {clip.inside:g} within the logarithm"] if clip.inside else []
    parts += [f"cuts log(p) off at {clip.floor:g}"] if clip.floor > -np.inf else []
    return ", ".join(parts)


def conventions(library: Library, call: Call) -> list[str]:
    """Return all conventions of a call in words, whatever is asked for: why its number differs from losscli's."""
    reduction = call.reduction or library.reduction
    phrases = [f"reduces by {library.reductions.get(reduction, reduction)}: {REDUCTIONS[reduction].formula}"]
    weighted = call.weighted or library.weighted
    if weighted == "none":
        phrases.append("takes no weights of samples")
    elif weighted != reduction:
        phrases.append(f"with weights of samples: {REDUCTIONS[weighted].formula}")
    if call.class_weighted is not None:
        words = f"with weights of classes: {REDUCTIONS[call.class_weighted].formula}"
        if call.soft_weighted not in (None, call.class_weighted):
            words += f"; for soft targets {REDUCTIONS[str(call.soft_weighted)].formula}"
        phrases.append(words)
    if call.prediction_kind is not None:
        phrases.append(f"takes {GIVEN[call.prediction_kind]}")
    if call.pairs:
        phrases.append("takes the mean over all pairs, so that a row counts as often as it has positives")
    if call.per is not None:
        phrases.append(f"takes {PER[call.per]} for one mask")
    if call.smoothing is not None:
        phrases.append(f"smooths labels as {SMOOTHING[call.smoothing]}")
    for clipping in (call.clip, call.clip_logits):
        if clipping is not None:
            prediction_kind = "logits" if clipping is call.clip_logits else "probs"
            phrases.append(f"{clip_words(clipping(np.dtype(np.float32)), prediction_kind)} (float32)")
    phrases += [LABELS[call.labels]] if call.labels else []
    phrases += ["leaves rows out whose loss is 0"] if call.skips_zeros else []
    phrases += ["divides by the number of classes too, unless it sums"] if call.scale_by_outputs else []
    phrases += (
        [f"multiplies by {short(call.scale_of_two)} where there are two classes"] if call.scale_of_two != 1 else []
    )
    phrases += [f"multiplies by {short(call.scale)}"] if call.scale != 1 else []
    phrases += [f"adds {short(call.shift)}"] if call.shift else []
    phrases += [f"means {call.swapped[1]} by {call.swapped[0]} and the other way round"] if call.swapped else []
    phrases += [f"has {name} = {'none' if x is None else short(x)} by default" for name, x in call.defaults.items()]
    return phrases + ([call.refused] if call.refused else []) + list(call.notes)


GIVEN = {"logits": "logits", "probs": "probabilities", "log-probs": "log-probabilities"}
PER = {"row": "each row", "column": "each column", "file": "all elements of the file"}
SMOOTHING = {
    "uniform": "t (1 - e) + e / k",
    "half": "t (1 - e) + e / 2",
    "others": "1 - e on the right class and e / (k - 1) on the others",
}
LABELS = {
    "numbers": "multiplies labels as they are: 0 stays 0",
    "doubled": "makes 2 t - 1 of every label, of -1 and 1 too",
    "truth": "takes every label but 0 for positive, -1 too",
}
