"""A library's number, one convention at a time: losscli's request is changed step by step into the library's.

The order is always the same: reduction and denominator, outputs and masks, smoothing, what the call does to operands and
losses (`losscli.libraries.steps`), defaults. Nothing is computed here; a step is a phrase and a request.
"""

from collections.abc import Iterable
from typing import Any

from losscli.data.units import SYNONYMS
from losscli.definition.request import Request
from losscli.engine.reduction import REDUCTIONS
from losscli.errors import UsageError
from losscli.libraries import NAMES
from losscli.libraries.call import HARD, Call, Facts, Library
from losscli.records import NamedTuple, replace
from losscli.wording import did_you_mean, listing, short


class Step(NamedTuple):
    """One convention in words, and the request with it and all conventions before it."""

    words: str
    request: Request


class Adopted(NamedTuple):
    """A call, the request with all of its conventions, and the conventions one at a time."""

    call: Call
    request: Request
    steps: tuple[Step, ...]
    usual: str
    """The default reduction of the call, by losscli's name."""


class _Adopting:
    """The conventions adopted so far: the request with all of them, and the steps that changed it."""

    def __init__(self, request: Request) -> None:
        self.request, self.steps = request, list[Step]()

    def add(self, words: str, **changes: Any) -> None:
        """Change the request."""
        self.take(words, replace(self.request, **changes))

    def take(self, words: str, after: Request) -> None:
        """Go on with another request; the words are a step only if it is another one indeed, and there are words."""
        if after != self.request and words:
            self.steps.append(Step(words, after))
        self.request = after


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


def one(text: str, typed: Iterable[str]) -> str:
    """Return the library that '--as torch' names, for rows that are compared; `typed` are the options that the user gave.

    Raises
    ------
    UsageError
        for several libraries, for none, or for an option that goes together with none.
    """
    names = parse(text)
    if len(names) > 1:
        raise UsageError(f"--as {text}: models are compared by the losses of one library at a time; name one")
    if "over_outputs" in typed:
        raise UsageError("--over-outputs does not go together with --as: how outputs add up is the library's affair")
    return names[0]


NEAREST = {
    "logits": ("logits", "log-probs", "probs"),
    "probs": ("probs", "log-probs", "logits"),
    "log-probs": ("log-probs", "probs", "logits"),
}
"""Kinds of predictions -> the kinds that a call may take instead, those first that less has to be done for."""


def calls_for(library: Library, request: Request) -> list[Call]:
    """Return the library's calls that compute the loss of a request, those first that take its kind of predictions.

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
    order = NEAREST.get(request.prediction_kind, ())
    return sorted(calls, key=lambda call: -1 if call.prediction_kind is None else order.index(call.prediction_kind))


def call_for(library: Library, request: Request) -> Call:
    """Return the first of these calls, for what depends on the kind of predictions alone."""
    return calls_for(library, request)[0]


def _family(call: Call) -> str:
    """Return the name of the family of a call's loss."""
    from losscli.losses import LOSSES

    return LOSSES[call.loss].family.name


def adopt(library: Library, request: Request, facts: Facts, typed: Iterable[str]) -> Adopted:
    """Return the call that a library has for a request, and the conventions that make its number differ, one at a time.

    Parameters
    ----------
    typed
        names of the parameters and options that the user gave: these keep their values.

    Raises
    ------
    UsageError
        if the library cannot compute it.
    """
    typed = frozenset(typed)
    first, *others = calls_for(library, request)
    # Predictions are not converted any further for the sake of an option that the nearest call does not take.
    calls = [first, *(call for call in others if call.prediction_kind == first.prediction_kind)]
    reasons = [_refused(library, call, request, facts, typed) for call in calls]
    call = next((call for call, reason in zip(calls, reasons, strict=True) if reason is None), None)
    if call is None:
        raise UsageError(f"--as {library.name}: {reasons[0]}")
    adopting, usual = _Adopting(request), _usual_reduction(library, call, request, facts)
    _reduce(adopting, library, call, facts, _reduction(library, call, request, usual, "reduction" in typed))
    _smooth(adopting, call)
    adopting.request = replace(
        adopting.request, convention=adopting.request.convention._replace(taken=call.accepts.taken)
    )
    for step in (*library.steps, *call.steps):
        adopting.take(*step.adopt(adopting.request, facts))
    _set_parameters(adopting, call, typed)
    return Adopted(call, adopting.request, tuple(adopting.steps), usual)


def _reduce(adopting: _Adopting, library: Library, call: Call, facts: Facts, reduction: str) -> None:
    """Adopt the call's reductions: of rows, of the outputs of a sample, and of masks."""
    adopting.add(_reduction_words(library, reduction), reduction=reduction)
    if adopting.request.loss.family.several_outputs and facts.columns > 1:
        outputs = library.summed_outputs if reduction == "sum" else call.outputs or library.outputs
        words = "sums" if outputs == "sum" else "takes the mean"
        adopting.add(f"{words} over the outputs of a sample", over_outputs=outputs)
    if call.per is not None:
        per = call.per if facts.columns > 1 else "file"
        adopting.add(f"takes {PER[per]} for one mask", per=per)


def _smooth(adopting: _Adopting, call: Call) -> None:
    """Adopt the call's smoothing of labels."""
    request = adopting.request
    smoothing_mode = request.smoothing_mode or request.loss.family.smoothing
    if request.label_smoothing and call.smoothing != smoothing_mode:
        adopting.add(f"smooths labels as {SMOOTHING[str(call.smoothing)]}", smoothing_mode=call.smoothing)


def _set_parameters(adopting: _Adopting, call: Call, typed: frozenset[str]) -> None:
    """Adopt the defaults of the call's parameters; those that the user typed keep their values."""
    bound = adopting.request.loss
    for name, value in call.defaults.items():
        if name in typed:
            continue
        bound = bound.declaration.bind(**(dict(bound.parameters) | {name: value}))
        adopting.add(f"has {name} = {_shown(value)} by default", loss=bound)


def _shown(value: float | None) -> str:
    """Return the value of a parameter in words."""
    return "none" if value is None else short(value)


def _refused(library: Library, call: Call, request: Request, facts: Facts, typed: frozenset[str]) -> str | None:
    """Return why a call cannot do what the request asks for; None if it can."""
    reasons = (
        call.refused,
        _refused_targets(call, facts),
        _refused_arguments(call, request, typed),
        _refused_weights(call, facts),
        _refused_units(call, request, facts),
        _refused_mask(library, call, request, facts),
        _refused_options(call, request),
    )
    return next((reason for reason in reasons if reason is not None), None)


def _refused_targets(call: Call, facts: Facts) -> str | None:
    """Return why a call does not take such targets or predictions; None if it does."""
    kinds, columns = call.accepts.kinds, call.accepts.columns
    if facts.kind == "none":
        return f"{call.function} takes targets, and stored likelihoods have none"
    if kinds is not None and facts.kind not in kinds:
        if facts.kind == "soft" and set(kinds) <= set(HARD):
            return f"{call.function} takes labels, and no soft targets"
        what = "one label per row" if facts.in_rows else "other targets than these"
        return f"{call.function} takes {what}"
    if columns == "one" and facts.columns > 1:
        return f"{call.function} takes one number per row, and the predictions have {facts.columns} columns"
    if columns == "several" and facts.columns == 1:
        return f"{call.function} takes rows of several numbers, and the predictions have one number per row"
    return None


NAMED = {
    "sample_weight": "takes no weights of samples",
    "class_weight": "takes no weights of classes",
    "output_weight": "takes no weights of outputs",
    "pos_weight": "has no weight of the positive outcome",
    "label_smoothing": "has no label smoothing",
}
"""Options that are arguments of calls, and what is said of a call without them."""


def _refused_arguments(call: Call, request: Request, typed: frozenset[str]) -> str | None:
    """Return why a call does not take a parameter or option that is given; None if it takes them all."""
    for name, value in request.loss.parameters.items():
        fixed = call.defaults.get(name, request.loss.declaration.parameters[name].default)
        if name in typed and name not in call.arguments and value != fixed:
            option = f"--{name.replace('_', '-')}"
            return f"{call.function} has no {name}, which is {_shown(fixed)} there; leave {option} out"
    neutral = {"pos_weight": _is_one(request.pos_weight), "label_smoothing": not request.label_smoothing}
    for name, words in NAMED.items():
        given = getattr(request, name) is not None and not neutral.get(name, False)
        if given and name not in call.arguments:
            return f"{call.function} {words}; leave --{name.replace('_', '-')} out"
    return None


def _refused_weights(call: Call, facts: Facts) -> str | None:
    """Return why a call does not take a weight for each output of a row; None if it does, or there are none."""
    if not facts.weighs_outputs or "{w:elements}" in call.arguments.get("sample_weight", "") + call.template:
        return None
    return f"{call.function} takes one weight per row; give --sample-weight one column"


def _is_one(text: str | None) -> bool:
    """Whether a factor is 1, which changes nothing."""
    try:
        return text is not None and float(text) == 1
    except ValueError:
        return False


def _refused_units(call: Call, request: Request, facts: Facts) -> str | None:
    """Return why a call does not take what is to have one loss; None if it does."""
    per = SYNONYMS.get(request.per or "", request.per)
    if per is None:
        return None
    if call.per is None:
        usual = "position" if facts.positions else "sample"
        return None if per in (usual, "position") else f"{call.function} has no losses of units; leave --per out"
    if facts.positions and per != call.per:
        return f"{call.function} takes {PER[call.per]} for one mask" + (
            "; say --per file" if call.per == "file" else ", and predictions with positions have none"
        )
    if not facts.positions and per != SYNONYMS.get(call.per, call.per):
        return f"{call.function} takes {PER[call.per]} for one mask; leave --per out"
    return None


def _refused_mask(library: Library, call: Call, request: Request, facts: Facts) -> str | None:
    """Return why a call does not take the numbers that a mask leaves, one after the other; None if it does, or all are there."""
    if not facts.masks_elements or call.per == "file":
        return None
    weights = (request.sample_weight, request.class_weight, request.output_weight, request.pos_weight)
    plain = all(weight is None for weight in weights) and request.loss.family.several_outputs
    if plain and library.reduction(call) == (call.outputs or library.outputs) == "mean":
        return None  # the mean over all that are there, in whatever shape
    return f"{call.function} takes whole rows here, and --mask leaves out numbers within them; give a mask with one number per row"


def _refused_options(call: Call, request: Request) -> str | None:
    """Return why a call does not take the smoothing or the activation that is asked for; None if it does."""
    if request.bytes is not None:
        return "bits per byte are those of losscli's own losses; leave --bytes out"
    if request.missing == "ignore":
        return f"{call.function} counts every element, also one without a target; leave --missing out"
    if request.exclude_class is not None:
        return f"{call.function} counts all classes; leave --exclude-class out"
    if request.input_lengths is not None and "{input_" not in call.template:
        return f"{call.function} takes no lengths of inputs, for all steps of a sample count; leave --input-lengths out"
    if request.target_lengths is not None and "{t:padded}" in call.template:
        return f"{call.function} takes rows of labels; pad them with -1, and leave --target-lengths out"
    for option, given in (("--temperature", request.temperature), ("--targets-from", request.targets_from)):
        if given is not None:
            return f"{option} does not go together with --as: {call.function} takes what it is given; leave one of them out"
    if request.label_smoothing and request.smoothing_mode not in (None, call.smoothing):
        return f"label smoothing has one form there, {call.smoothing}; leave --smoothing-mode out"
    if call.activation is not None and request.activation not in (None, call.activation):
        return f"{call.function} takes the {call.activation} of logits; leave --activation out"
    return None


def _usual_reduction(library: Library, call: Call, request: Request, facts: Facts) -> str:
    """Return the reduction that a call has if nothing is said, by losscli's name."""
    if request.class_weight is not None or request.output_weight is not None:
        return library.reduction(call, "soft" if facts.in_rows else "class_weight")
    return library.reduction(call, "" if request.sample_weight is None else "sample_weight")


def _reduction(library: Library, call: Call, request: Request, usual: str, typed: bool) -> str:
    """Return the reduction that the library uses, by losscli's name; `typed` says that the request's is asked for."""
    asked = request.reduction
    if not typed or asked == usual:
        return usual
    if asked == "mean" and library.reductions.get("mean", "mean") == "mean":
        return usual  # it is the library's word for its own mean
    if asked not in library.reductions:
        raise UsageError(f"--as {library.name}: there is no reduction {asked} there, but {listing(library.reductions)}")
    if "reduction" not in call.arguments and "{reduction}" not in call.template:
        raise UsageError(f"--as {library.name}: {call.function} has no reduction but {usual}; leave --reduction out")
    return asked


def _reduction_words(library: Library, reduction: str) -> str:
    """Return a reduction in words, with the library's own name for it."""
    named = library.reductions.get(reduction)
    how = f" ({named})" if named and named != reduction else ""
    return f"reduces by {REDUCTIONS[reduction].formula}{how}"


def conventions(library: Library, call: Call) -> list[str]:
    """Return all conventions of a call in words, whatever is asked for: why its number differs from losscli's."""
    phrases = _words_of_reductions(library, call)
    if call.prediction_kind is not None:
        phrases.append(f"takes {GIVEN[call.prediction_kind]}")
    if call.per is not None:
        phrases.append(f"takes {PER[call.per]} for one mask")
    if call.smoothing is not None:
        phrases.append(f"smooths labels as {SMOOTHING[call.smoothing]}")
    phrases += [f"takes the {call.activation} of each logit"] if call.activation else []
    phrases += [words for step in (*library.steps, *call.steps) if (words := step.words())]
    phrases += [f"has {name} = {_shown(value)} by default" for name, value in call.defaults.items()]
    return phrases + ([call.refused] if call.refused else []) + list(call.notes)


def _words_of_reductions(library: Library, call: Call) -> list[str]:
    """Return in words how a call reduces rows, without weights and with each kind of them."""
    reduction = library.reduction(call)
    phrases = [f"reduces by {library.reductions.get(reduction, reduction)}: {REDUCTIONS[reduction].formula}"]
    if "sample_weight" not in call.arguments:
        phrases.append("takes no weights of samples")
    elif (weighted := library.reduction(call, "sample_weight")) != reduction:
        phrases.append(f"with weights of samples: {REDUCTIONS[weighted].formula}")
    if "class_weight" in call.arguments:
        by_class, soft = library.reduction(call, "class_weight"), library.reduction(call, "soft")
        words = f"with weights of classes: {REDUCTIONS[by_class].formula}"
        phrases.append(words + (f"; for soft targets {REDUCTIONS[soft].formula}" if soft != by_class else ""))
    return phrases


GIVEN = {"logits": "logits", "probs": "probabilities", "log-probs": "log-probabilities"}
PER = {"row": "each row", "column": "each column", "file": "all elements of the file"}
SMOOTHING = {
    "uniform": "t (1 - e) + e / k",
    "half": "t (1 - e) + e / 2",
    "others": "1 - e on the right class and e / (k - 1) on the others",
}
