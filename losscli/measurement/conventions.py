"""A library's number, one convention at a time: losscli's request is changed step by step into the library's.

The order is always the same: reduction and denominator, outputs and masks, smoothing, clipping, label encodings,
factors, defaults. Nothing is computed here; a step is a phrase and a request.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from losscli.data.units import SYNONYMS
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


class _Adopted:
    """The conventions adopted so far: the request with all of them, and the steps that changed it."""

    def __init__(self, request: Request) -> None:
        self.request, self.steps = request, list[Step]()

    def add(self, words: str, **changes: Any) -> None:
        """Change the request; the words are a step only if it is another one then."""
        after = replace(self.request, **changes)
        if after != self.request:
            self.request = after
            self.steps.append(Step(words, after))

    def convene(self, words: str, **changes: Any) -> None:
        """Change the request's convention: what is no option of a command."""
        self.add(words, convention=self.request.convention._replace(**changes))


class Facts(NamedTuple):
    """Facts about files on which conventions depend."""

    dtype: np.dtype[Any]
    """Dtype of the predictions in their file."""
    kind: str
    """Encoding of the targets, such as 'index' or 'soft'."""
    columns: int
    """Number of columns of the predictions; 1 for one number per row."""
    positions: bool = False
    """Whether rows are positions of samples."""


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
    adopted, typed = _Adopted(request), frozenset(typed)
    reduction = _reduction(library, call, request, facts, "reduction" in typed)
    _reduce(adopted, library, call, facts, reduction)
    _smooth(adopted, call, facts)
    _clip_and_label(adopted, call, facts)
    _scale(adopted, call, facts, reduction)
    _set_parameters(adopted, call, typed)
    return adopted.steps


def _reduce(adopted: _Adopted, library: Library, call: Call, facts: Facts, reduction: str) -> None:
    """Adopt the call's reductions: of rows, of the outputs of a sample, of pairs and of masks."""
    adopted.add(_reduction_words(library, reduction), reduction=reduction)
    if adopted.request.loss.family.several_outputs and facts.columns > 1:
        outputs = library.summed_outputs if reduction == "sum" else call.outputs or library.outputs
        words = "sums" if outputs == "sum" else "takes the mean"
        adopted.add(f"{words} over the outputs of a sample", over_outputs=outputs)
    if call.pairs:
        adopted.convene(PAIRS, pairs=True)
    if call.by_length and reduction == call.reduction:
        adopted.convene(BY_LENGTH, by_length=True)
    if call.per is not None:
        per = call.per if facts.columns > 1 else "file"
        adopted.add(f"takes {PER[per]} for one mask", per=per)


def _smooth(adopted: _Adopted, call: Call, facts: Facts) -> None:
    """Adopt the call's smoothing of labels, and its weights of the terms of smoothed or soft targets."""
    request = adopted.request
    smoothing_mode = request.smoothing_mode or request.loss.family.smoothing
    if request.label_smoothing and call.smoothing != smoothing_mode:
        adopted.add(f"smooths labels as {SMOOTHING[str(call.smoothing)]}", smoothing_mode=call.smoothing)
    if call.terms_by_class and request.class_weight is not None and (request.label_smoothing or facts.kind == "soft"):
        adopted.convene("weighs each class's term of a smoothed or soft target, and not the row", class_terms=True)


def _clip_and_label(adopted: _Adopted, call: Call, facts: Facts) -> None:
    """Adopt the call's clipping of probabilities, its encoding of labels, and whether it leaves out rows without loss."""
    prediction_kind = adopted.request.prediction_kind
    made_of_logits = call.clip if call.prediction_kind == "probs" else call.clip_logits
    clipping = call.clip if prediction_kind != "logits" else made_of_logits
    if clipping is not None:
        clip = clipping(facts.dtype)
        adopted.convene(clip_words(clip, prediction_kind), clip=clip)
    if call.labels is not None:
        adopted.convene(LABELS[call.labels], labels=call.labels)
    if call.skips_zeros:
        adopted.convene(SKIPS_ZEROS, skips_zeros=True)


def _scale(adopted: _Adopted, call: Call, facts: Facts, reduction: str) -> None:
    """Adopt the factors and the constant that the call has besides the loss."""
    if call.scale_by_outputs and reduction != "sum":
        adopted.convene(f"divides by the number of classes too, {facts.columns}", scale=1 / facts.columns)
    scale = call.scale * (call.scale_of_two if facts.columns == 2 else 1)
    if scale != 1:
        adopted.convene(f"multiplies by {short(scale)}", scale=scale)
    if call.shift:
        adopted.convene(f"adds {short(call.shift)}", shift=call.shift)


def _set_parameters(adopted: _Adopted, call: Call, typed: frozenset[str]) -> None:
    """Adopt the meaning and the defaults of the call's parameters; those that the user typed keep their values."""
    bound = adopted.request.loss
    if call.swapped is not None:
        first_name, second_name = call.swapped
        values = dict(bound.parameters)
        values[first_name], values[second_name] = values[second_name], values[first_name]
        bound = bound.declaration.bind(**values)
        adopted.add(f"means {second_name} by {first_name} and {first_name} by {second_name}", loss=bound)
    for name, value in call.defaults.items():
        if name in typed:
            continue
        bound = bound.declaration.bind(**(dict(bound.parameters) | {name: value}))
        shown = "none" if value is None else short(value)
        adopted.add(f"has {name} = {shown} by default", loss=bound)


def _refuse(library: Library, call: Call, request: Request, facts: Facts) -> None:
    """Raise a UsageError if a call cannot do what the request asks for."""
    reasons = (
        call.refused,
        _refused_targets(call, facts),
        _refused_weights(library, call, request),
        _refused_units(call, request, facts),
        _refused_options(call, request),
    )
    reason = next((reason for reason in reasons if reason is not None), None)
    if reason is not None:
        raise UsageError(f"--as {library.name}: {reason}")


def _refused_targets(call: Call, facts: Facts) -> str | None:
    """Return why a call does not take such targets or outputs; None if it does."""
    if facts.kind == "none":
        return f"{call.call} takes targets, and stored likelihoods have none"
    if call.hard and facts.kind == "soft":
        return f"of soft targets {call.call} is another function, which is not linear in the target"
    if call.one_output and facts.columns > 1:
        return f"of several outputs a sample {call.call} is another function: one wrong output makes a sample wrong"
    return None


def _refused_weights(library: Library, call: Call, request: Request) -> str | None:
    """Return why a call does not take the weights that are asked for; None if it does."""
    if request.sample_weight is not None and (call.weighted or library.weighted) == "none":
        return f"{call.call} takes no weights of samples; leave --sample-weight out"
    for option, given in (("class", request.class_weight), ("output", request.output_weight)):
        if given is not None and call.class_weighted is None:
            return f"{call.call} takes no weights of {option}{'es' if option == 'class' else 's'}; leave --{option}-weight out"
    return None


def _refused_units(call: Call, request: Request, facts: Facts) -> str | None:
    """Return why a call does not take what is to have one loss; None if it does."""
    per = SYNONYMS.get(request.per or "", request.per)
    if per is None:
        return None
    if call.per is None:
        usual = "position" if facts.positions else "sample"
        return None if per in (usual, "position") else f"{call.call} has no losses of units; leave --per out"
    if facts.positions and per != call.per:
        return f"{call.call} takes {PER[call.per]} for one mask" + (
            "; say --per file" if call.per == "file" else ", and predictions with positions have none"
        )
    if not facts.positions and per != SYNONYMS.get(call.per, call.per):
        return f"{call.call} takes {PER[call.per]} for one mask; leave --per out"
    return None


def _refused_options(call: Call, request: Request) -> str | None:
    """Return why a call does not take the smoothing or the activation that is asked for; None if it does."""
    if request.bytes is not None:
        return "bits per byte are those of losscli's own losses; leave --bytes out"
    if request.label_smoothing and call.smoothing is None:
        return f"{call.call} has no label smoothing; leave --label-smoothing out"
    if request.label_smoothing and request.smoothing_mode not in (None, call.smoothing):
        return f"label smoothing has one form there, {call.smoothing}; leave --smoothing-mode out"
    if call.activation is not None and request.activation not in (None, call.activation):
        return f"{call.call} takes the {call.activation} of logits; leave --activation out"
    return None


def _reduction(library: Library, call: Call, request: Request, facts: Facts, typed: bool) -> str:
    """Return the reduction that the library uses, by losscli's name."""
    if typed and request.reduction != "mean":
        if request.reduction not in library.reductions:
            asked = listing(library.reductions)
            raise UsageError(f"--as {library.name}: there is no reduction {request.reduction} there, but {asked}")
        return request.reduction
    if typed and "mean" in library.reductions and library.reductions["mean"] != "mean":
        return "mean"  # the library has it under another name
    if request.class_weight is not None or request.output_weight is not None:
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
    phrases = _words_of_reductions(library, call)
    if call.prediction_kind is not None:
        phrases.append(f"takes {GIVEN[call.prediction_kind]}")
    if call.pairs:
        phrases.append(PAIRS)
    if call.by_length:
        phrases.append(f"{BY_LENGTH}, unless it sums")
    if call.per is not None:
        phrases.append(f"takes {PER[call.per]} for one mask")
    if call.smoothing is not None:
        phrases.append(f"smooths labels as {SMOOTHING[call.smoothing]}")
    for clipping in (call.clip, call.clip_logits):
        if clipping is not None:
            prediction_kind = "logits" if clipping is call.clip_logits else "probs"
            phrases.append(f"{clip_words(clipping(np.dtype(np.float32)), prediction_kind)} (float32)")
    phrases += [f"takes the {call.activation} of each logit"] if call.activation else []
    phrases += [LABELS[call.labels]] if call.labels else []
    phrases += [SKIPS_ZEROS] if call.skips_zeros else []
    phrases += _words_of_factors(call)
    phrases += [f"means {call.swapped[1]} by {call.swapped[0]} and the other way round"] if call.swapped else []
    phrases += [f"has {name} = {'none' if x is None else short(x)} by default" for name, x in call.defaults.items()]
    return phrases + ([call.refused] if call.refused else []) + list(call.notes)


def _words_of_reductions(library: Library, call: Call) -> list[str]:
    """Return in words how a call reduces rows, without weights and with each kind of them."""
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
    return phrases


def _words_of_factors(call: Call) -> list[str]:
    """Return in words the factors and the constant that a call has besides the loss."""
    phrases = ["divides by the number of classes too, unless it sums"] if call.scale_by_outputs else []
    phrases += (
        [f"multiplies by {short(call.scale_of_two)} where there are two classes"] if call.scale_of_two != 1 else []
    )
    phrases += [f"multiplies by {short(call.scale)}"] if call.scale != 1 else []
    phrases += [f"adds {short(call.shift)}"] if call.shift else []
    return phrases


PAIRS = "takes the mean over all pairs, so that a row counts as often as it has positives"
BY_LENGTH = "divides each loss by the number of its labels, at least 1"
SKIPS_ZEROS = "leaves rows out whose loss is 0"
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
