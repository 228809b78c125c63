"""Sums of losses: several measurements in one pass over their predictions, and the weighted sum of their values."""

import contextlib
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Self

from losscli.data.units import has_unit
from losscli.definition.request import Request
from losscli.engine.evaluate import ChunkResult, Pass, evaluate_together
from losscli.engine.job import Job, read_alike
from losscli.engine.workers import workers
from losscli.errors import DataError, LosscliError, UsageError
from losscli.io.bytes import Looked
from losscli.io.operands import Opener
from losscli.lookup.spec import spec
from losscli.measurement.measure import Measurement
from losscli.measurement.prepare import prepare
from losscli.measurement.requirement import Requirement, without
from losscli.measurement.result import Result
from losscli.measurement.slices import observe
from losscli.records import dataclass, field, replace
from losscli.shown import Shown, refuse_unmet
from losscli.wording import short

Consume = Callable[[int, ChunkResult], None]
TOO_LARGE = "the total is too large for a number; give the terms smaller weights"
UNDEFINED = "the total is not a number: terms are infinite, of both signs or with the weight 0"


@dataclass(frozen=True)
class Term:
    """A loss of two files, and its factor in a sum. A measurement that is not a sum has one term, with the factor 1."""

    name: str
    weight: float
    request: Request
    library: str | None = None
    """The library whose number it is, such as 'torch'."""
    options: tuple[str, ...] = ()
    """Names of the options that were given: the conventions of a library depend on them."""


def prepared(term: Term, opener: Opener, rows: bool = False) -> Measurement:
    """Open the files of a term and decide how it is measured; raises a UsageError or a DataError as `prepare` does."""
    measurement = prepare(replace(term.request, library=term.library), opener=opener, once=False, rows=rows)
    if term.library is not None:
        from losscli.measurement.as_library import as_library

        measurement = as_library(measurement, term.library, term.options)
    observe(measurement)
    return measurement


def measured_together(
    measurements: Sequence[Measurement],
    threads: int | None = None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
    consume: Consume = lambda number, chunk: None,
) -> list[Result | LosscliError]:
    """Measure all; those that read the same predictions in the same way share one pass over them.

    Parameters
    ----------
    begun, seen
        are told of each pass that begins, and of its rows.
    consume
        gets the number of a measurement and the result of a chunk, in order of the chunks.

    Returns
    -------
    For each measurement its result, or the error that was met instead.
    """
    found: dict[int, Result | LosscliError] = {}
    left = list(range(len(measurements)))
    while left:
        first = measurements[left[0]]
        group = [i for i in left if i == left[0] or read_alike(first.job, measurements[i].job)]
        left = [i for i in left if i not in group]

        def pass_on(number: int, chunk: ChunkResult, group: list[int] = group) -> None:
            consume(group[number], chunk)

        results = _in_one_pass([measurements[i] for i in group], threads, begun, seen, pass_on)
        found |= dict(zip(group, results, strict=True))
    return [found[i] for i in range(len(measurements))]


def _in_one_pass(
    measurements: list[Measurement],
    threads: int | None,
    begun: Callable[[Job], None],
    seen: Callable[[int], None],
    consume: Consume,
) -> list[Result | LosscliError]:
    """Return the results of measurements that read the same predictions, or their errors."""
    passes = [Pass(measurement.job, measurement.collectors) for measurement in measurements]
    begun(passes[0].job)
    try:
        with workers(passes[0].job, threads) as executor:
            aggregates = evaluate_together(passes, executor, seen, consume)
        for measurement in measurements:
            measurement.told_by(executor)
        for raw in measurements[0].raws:
            raw.check()
    except LosscliError as error:
        return [error for _ in measurements]
    results: list[Result | LosscliError] = []
    for measurement, aggregate in zip(measurements, aggregates, strict=True):
        try:
            results.append(measurement.finished(aggregate))
        except LosscliError as error:
            results.append(error)
    return results


def total(terms: Sequence[Term], results: Sequence[Result | None]) -> float:
    """Return the weighted sum of the values of terms; NaN where infinite terms leave no number, or finite ones too large a one."""
    pairs = [(term, result) for term, result in zip(terms, results, strict=True) if result]
    parts = [contribution(term, result) for term, result in pairs]
    if all(map(math.isfinite, parts)):
        with contextlib.suppress(OverflowError):  # which a part of the sum can do, where the whole is a number
            return math.fsum(parts)
    elif not all(math.isfinite(result.value or 0.0) for _, result in pairs):
        return sum(parts)
    try:
        return float(sum(Fraction(term.weight) * Fraction(result.value or 0.0) for term, result in pairs))
    except OverflowError:
        return math.nan


def undefined(results: Sequence[Result | None]) -> str:
    """Return why the total of terms with these results is no number."""
    finite = all(math.isfinite(result.value or 0.0) for result in results if result)
    return TOO_LARGE if finite else UNDEFINED


def contribution(term: Term, result: Result) -> float:
    """Return what a term adds to the sum."""
    return term.weight * float(result.value or 0.0)


def joined(terms: Sequence[Term], parts: Sequence[str]) -> str:
    """Return the terms of a sum in one line, such as 'a + 0.5 * b'; `parts` are the words for each of them."""
    return " + ".join(
        ("" if term.weight == 1 else f"{short(term.weight)} * ") + part for term, part in zip(terms, parts, strict=True)
    )


@dataclass(repr=False)
class Summed(Shown):
    """The weighted sum of several losses of the same files: the number, its terms, and all that it depends on."""

    terms: tuple[Term, ...]
    results: list[Result]
    """One for each term."""
    value: float
    requirements: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Notes about the files for the user."""

    @property
    def loss(self) -> str:
        """The losses and their weights, such as 'softmax-cross-entropy + 0.5 * dice'."""
        return joined(self.terms, [spec(term.request.loss) for term in self.terms])

    @property
    def signature(self) -> str:
        """The signatures of all terms with their weights: what was computed, and by which conventions."""
        return joined(self.terms, [result.signature for result in self.results])

    @property
    def met(self) -> bool:
        """Whether all requirements are met."""
        return all(entry["met"] for entry in self.requirements)

    @property
    def receipt(self) -> dict[str, Any]:
        """What all terms have in common, and under 'terms' what each has of its own."""
        first, *others = [result.receipt for result in self.results]
        common = {key: value for key, value in first.items() if all(key in one and one[key] == value for one in others)}
        own = [
            {"weight": term.weight} | {key: value for key, value in result.receipt.items() if key not in common}
            for term, result in zip(self.terms, self.results, strict=True)
        ]
        return common | {"sum": self.loss, "terms": own}

    def statistics(self) -> dict[str, float | None]:
        """Return what requirements may be about: 'value', and the value of each term under its name."""
        named = {term.name: result.value for term, result in zip(self.terms, self.results, strict=True)}
        return named | {"value": self.value}

    def require(self, *texts: str) -> Self:
        """Return this sum if it meets all requirements, such as 'value <= 1.5' or 'dice mean <= 0.2'.

        Raises
        ------
        RequirementError
            an AssertionError, if one is not met.
        UsageError
            if a text is no requirement.
        """
        __tracebackhide__ = True
        names = [term.name for term in self.terms]
        wanted = requirements_of(texts, names, names)
        self.requirements = without(self.requirements, wanted)
        self.judge(wanted)
        refuse_unmet(self, self.requirements[-len(wanted) :] if wanted else [])
        return self

    def judge(self, requirements: Sequence[Requirement]) -> bool:
        """Evaluate all requirements, note them in `requirements`, and return whether all are met."""
        found = self.statistics()
        for requirement in requirements:
            self.requirements.append(requirement.entry(found[requirement.statistic]))
        return self.met

    def to_dict(self) -> dict[str, Any]:
        """The result with the keys of `-f json`. What terms do not share is None here, and stands with each of them."""
        return {
            "loss": self.loss,
            "parameters": {},
            "value": self.value,
            "reduction": self._shared([result.reduction for result in self.results]),
            "numerator": None,
            "denominator": None,
            "samples": self._shared([result.samples for result in self.results]),
            "ignored": self._shared([result.ignored for result in self.results]),
            "summary": {},
            "baseline": None,
            "terms": [_record(term, result) for term, result in zip(self.terms, self.results, strict=True)],
            "requirements": self.requirements,
            "receipt": self.receipt,
            "signature": self.signature,
        }

    def _shared(self, values: list[Any]) -> Any:
        return values[0] if all(value == values[0] for value in values) else None


def _record(term: Term, result: Result) -> dict[str, Any]:
    """Return a term of a sum with the keys of JSON."""
    return {
        "name": term.name,
        "loss": result.loss,
        "parameters": dict(result.parameters),
        "weight": term.weight,
        "value": result.value,
        "contribution": contribution(term, result),
        "reduction": result.reduction,
        "samples": result.samples,
        "ignored": result.ignored,
        "summary": result.summary,
        "receipt": result.receipt,
        "signature": result.signature,
    }


def names_of(
    losses: Sequence[Any], option: str = "--plus", cure: str = "say it once, with the sum of both weights"
) -> list[str]:
    """Return a name for each of several losses: its own, or its SPEC where two are the same loss with other parameters.

    Raises
    ------
    UsageError
        if a loss is named twice with the same parameters.
    """
    names = [loss.name for loss in losses]
    specs = [spec(loss) for loss in losses]
    twice = next((one for one in specs if specs.count(one) > 1), None)
    if twice is not None:
        raise UsageError(f"{option} {twice}: is there already; {cure}")
    return [one if names.count(name) > 1 else name for name, one in zip(names, specs, strict=True)]


def requirements_of(texts: Sequence[str], names: Sequence[str], typed: Sequence[str]) -> list[Requirement]:
    """Return requirements of a sum, which are about 'value' or about a term.

    Parameters
    ----------
    names, typed
        the name of each term, and how it was typed: a requirement may call it by either, without its weight.

    Raises
    ------
    UsageError
        if a text is no requirement, or about something else.
    """
    words = [text.rpartition("*")[2].strip() or name for name, text in zip(names, typed, strict=True)]
    called = dict(zip(words, names, strict=True)) | {name: name for name in names}
    found = [Requirement.parse(text, statistics=("value", *called)) for text in texts]
    return [one._replace(statistic=called.get(one.statistic, one.statistic)) for one in found]


def of_term(term: Term, error: LosscliError) -> LosscliError:
    """Return an error that says which term it is about."""
    if term.request.loss.name in str(error):
        return error
    kind = UsageError if isinstance(error, UsageError) else DataError
    return kind(f"{term.name}: {error}", error.finding)


def opened(terms: Sequence[Term], looked: Looked, rows: bool = False) -> tuple[list[Measurement], list[str]]:
    """Open the files of terms, once, and return their measurements, with notes about options that not all of them take.

    `rows` says whether the losses of single units are wanted. Raises as `summed` does.
    """
    arrays = {name: array for term in terms for name, array in term.request.arrays.items()}
    opener = Opener.of(replace(terms[0].request, arrays=arrays), looked)
    measurements, left_out = [], []
    for term in terms:
        per = term.request.per
        if per is not None and not has_unit(term.request.loss.family, per):
            left_out.append(f"--per {per}: not for {term.name}, which has no such units; it has its usual ones")
            term = replace(term, request=replace(term.request, per=None))
        try:
            measurements.append(prepared(term, opener, rows))
        except LosscliError as error:
            raise of_term(term, error) from error
    return measurements, left_out


def summed(
    terms: Sequence[Term],
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    started: Callable[[Sequence[Measurement]], None] = lambda measurements: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Summed:
    """Measure terms that name the same files, which are opened once, and add them up.

    Parameters
    ----------
    started
        is told of the measurements once the files are open, before any pass.

    Raises
    ------
    UsageError
        if options contradict each other, or a term is without a number.
    DataError
        if files cannot be used, or the terms leave no number.
    """
    if any(term.request.reduction == "none" for term in terms):
        raise UsageError("--reduction none leaves no number to add up; choose another, or leave out --plus")
    measurements, notes = opened(terms, looked)
    started(measurements)
    results: list[Result] = []
    for term, found in zip(terms, measured_together(measurements, threads, begun, seen), strict=True):
        if isinstance(found, LosscliError):
            raise of_term(term, found)
        results.append(found)
    value = total(terms, results)
    if math.isnan(value):
        raise DataError(f"{joined(terms, [term.name for term in terms])}: {undefined(results)}")
    notes = list(dict.fromkeys([*notes, *(note for one in measurements for note in one.notes)]))
    return Summed(tuple(terms), results, value, notes=notes)
