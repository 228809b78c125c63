"""Frequent mistakes in losses: each is a change of one part of the formula, so that two of them can be made together.

A loss that differs from its reference is explained by a mistake if the reference with this mistake has its losses.
"""

import itertools
import math
from collections.abc import Callable, Iterator

from losscli.analysis.shared.points import Points
from losscli.analysis.verify import logarithmic, overlap, robust
from losscli.analysis.verify.logarithmic import Logarithmic
from losscli.analysis.verify.overlap import Overlap
from losscli.analysis.verify.robust import Robust
from losscli.analysis.verify.subject import Reference
from losscli.arrays import Array
from losscli.records import replace

EPSILONS = (1e-16, 1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1.1920929e-07, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Numbers at which probabilities are often clipped, including the epsilons of float32 and float64."""

Losses = Callable[[Points], Array]
"""The losses of points, shape (n,), as a loss with some mistakes computes them."""
Form = Logarithmic | Robust | Overlap


def form_of(reference: Reference) -> Form | None:
    """Return the formula of a reference, whose parts may be changed; None if no mistakes are known in it."""
    parameters = reference.bound.parameters
    name = reference.bound.name
    if name in ("softmax-cross-entropy", "sigmoid-cross-entropy"):
        return Logarithmic(reference, 0.0, None)
    if name in ("softmax-focal", "sigmoid-focal"):
        return Logarithmic(reference, float(parameters["gamma"] or 0), parameters.get("alpha"))
    if name in ("huber", "smooth-l1"):
        limit = parameters["delta" if name == "huber" else "beta"]
        return Robust(reference, float(limit or 0), name == "smooth-l1")
    if name in ("dice", "jaccard"):
        return Overlap(reference, float(parameters["smooth"] or 0), name == "jaccard")
    return None


def mistaken(reference: Reference, columns: bool, together: int) -> Iterator[tuple[tuple[str, ...], Form]]:
    """Yield a reference's formula with so many mistakes, 1 or 2, and what they are in words.

    Parameters
    ----------
    columns
        whether predictions have a column for each class.
    """
    form = form_of(reference)
    if form is None:
        return
    if isinstance(form, Logarithmic):
        mistakes = logarithmic.mistakes(form, columns)
    else:
        mistakes = robust.mistakes(form) if isinstance(form, Robust) else overlap.mistakes(form)
    rare = [(mistake,) for mistake in mistakes if mistake.rare]
    usual = [mistake for mistake in mistakes if not mistake.rare]
    combined = list(itertools.combinations(usual, together))
    for chosen in combined if together == 1 else [*rare, *combined]:
        if len({mistake.part for mistake in chosen}) == len(chosen):
            words = tuple(mistake.words for mistake in chosen)
            yield words, replace(form, **{mistake.part: mistake.value for mistake in chosen})


def clipped(form: Form) -> Iterator[tuple[str, Form]]:
    """Yield a formula with each epsilon that probabilities may be clipped at, or that may be added to them, in words."""
    if not isinstance(form, Logarithmic):
        return
    for eps in EPSILONS:
        for narrow in (False, True):
            yield f"probabilities are clipped at {eps:g}", replace(form, clip=eps, narrow=narrow)
        yield f"{eps:g} is added to probabilities inside the logarithm", replace(form, added=eps)


def in_words(factor: float, k: int) -> str:
    """Return the likely reason of a constant factor; '' if none is known. k is the number of classes."""
    named = {
        -1.0: "the sign is wrong",
        **(
            {1 / k: f"a mean over the {k} classes for a sum", float(k): f"a sum over the {k} classes for a mean"}
            if k > 1
            else {}
        ),
        1 / math.log(2): "the logarithm has the base 2",
        1 / math.log(10): "the logarithm has the base 10",
        0.5: "a half for a whole",
        2.0: "a whole for a half",
    }
    return next((words for known, words in named.items() if math.isclose(factor, known, rel_tol=1e-5)), "")
