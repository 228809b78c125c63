"""A suite for CI: measurements in a TOML file, what is required of them, and how they compare with earlier results.

The file is checked whole before anything is measured. What can be measured is measured then, whatever became of the rest;
measurements of the same predictions share one pass over them. Unmeasured is never a pass.
"""

import csv
import glob
import io
import json
import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Protocol, get_args, get_origin

from losscli import __version__
from losscli.calculation import Calculation, prepare
from losscli.core import BoundLoss
from losscli.errors import DataError, LosscliError, UsageError, did_you_mean, listing
from losscli.io.operands import Opener
from losscli.io.raw import Looked
from losscli.io.tables import is_finite_number
from losscli.own import is_own
from losscli.reduce import divide
from losscli.request import Request
from losscli.result import STATISTICS, Requirement, Result
from losscli.run import Job, available_threads, evaluate_together, pool, read_alike, threads_for
from losscli.sidebyside import as_library
from losscli.spec import single

MET, UNMET, UNMEASURED = "met", "not met", "unmeasured"
ROUNDING = 1e-9
"""The relative tolerance where none is named: what another order of additions may change."""
FILES = ("predictions", "targets", "sample-weight", "centers", "variance", "negative", "other")
FILES_OR_WORDS = ("classes", "class-weight")
OWN = ("loss", "predictions", "targets", "require", "tolerance", "as", "terms")
OF_TERM = ("name", "weight", "loss", "predictions", "targets", "as")
TOP = ("name", "baseline", "tolerance", "defaults", "measure")
RATIO = ("absolute", "relative", "statistic")
EXAMPLES = {"loss": "'cross-entropy'", "predictions": "'FILE'", "targets": "'FILE', or a number"}


class Option(Protocol):
    """An option of compute: the type of its value, and which losses take it."""

    @property
    def annotation(self) -> Any: ...

    @property
    def when(self) -> Callable[[Any], bool]: ...


Requested = Callable[[BoundLoss, str, str, Mapping[str, Any]], Request]
"""Makes a request of a loss, its operands and options, as the command line does."""


@dataclass(frozen=True)
class Tolerance:
    """By how much a statistic may be above the earlier one: the larger of both."""

    absolute: float = 0.0
    relative: float = ROUNDING
    statistic: str = "value"

    def limit(self, earlier: float) -> float:
        return earlier + max(self.absolute, self.relative * abs(earlier))


@dataclass(frozen=True)
class Term:
    """A loss of two files and its factor in a sum; a measurement that is no sum has one, of factor 1."""

    name: str
    weight: float
    request: Request
    library: str | None = None
    given: tuple[str, ...] = ()
    """Names of the options that were given, of which conventions of a library depend."""


@dataclass(frozen=True)
class Measure:
    """A measurement: what is computed, and what is required of it."""

    name: str
    terms: tuple[Term, ...]
    summed: bool
    requirements: tuple[Requirement, ...]
    tolerance: Tolerance
    line: int
    """Of the file, where it begins."""


@dataclass(frozen=True)
class Suite:
    """What a file asks for."""

    file: str
    name: str
    measures: tuple[Measure, ...]
    baseline: str | None


def load(file: str, options: Mapping[str, Option], requested: Requested) -> Suite:
    """Read a suite.

    Parameters
    ----------
    options
        the options of compute that a measurement may have, by name.

    Raises
    ------
    DataError
        for a file that cannot be read, or is no TOML.
    UsageError
        for keys that there are none of, and values outside their domain.
    """
    return Loader(file, options, requested).load()


class Loader:
    """Reads a suite; every message names the file and the place in it."""

    def __init__(self, file: str, options: Mapping[str, Option], requested: Requested) -> None:
        self.file, self.options, self.requested = file, options, requested
        self.folder = os.path.dirname(file)
        self.text = ""

    def load(self) -> Suite:
        try:
            self.text = Path(self.file).read_text(encoding="utf-8-sig")
            found = tomllib.loads(self.text)
        except OSError as error:
            hint = "; losscli run --init prints an example" if isinstance(error, FileNotFoundError) else ""
            raise DataError(f"{self.file}: cannot be read: {error.strerror or error}{hint}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{self.file}: not UTF-8 text; save it as UTF-8") from error
        except (ValueError, RecursionError) as error:  # of which TOMLDecodeError is one
            raise DataError(f"{self.file}: not TOML that can be read: {error}; correct it") from error
        self._keys(found, TOP, "")
        defaults = self._table(found.get("defaults", {}), "defaults")
        self._keys(defaults, (*OWN[1:-1], *self.options), "defaults")
        for key, value in defaults.items():
            if key in self.options and value is not False:
                self._value(key, value, f"defaults.{key}")
        self._requirements(defaults.get("require", []), "defaults.require", None)
        tolerance = self._tolerance(found.get("tolerance", {}), "tolerance", Tolerance())
        tolerance = self._tolerance(defaults.get("tolerance", {}), "defaults.tolerance", tolerance)
        measures = self._table(found.get("measure", {}), "measure")
        if not measures:
            raise UsageError(f"{self.file}: no [measure.NAME]: there is nothing to measure; see losscli run --init")
        made = tuple(
            self._measure(name, self._table(content, f"measure.{name}"), defaults, tolerance)
            for name, content in measures.items()
        )
        baseline = None if "baseline" not in found else self._text(found["baseline"], "baseline")
        name = self._text(found.get("name", os.path.basename(self.file).removesuffix(".toml")), "name")
        return Suite(self.file, name, made, None if baseline is None else self._path(baseline))

    def _measure(self, name: str, content: dict[str, Any], defaults: dict[str, Any], tolerance: Tolerance) -> Measure:
        where = f"measure.{name}"
        terms: list[Term] = []
        if "terms" in content:
            self._keys(content, ("terms", "require", "tolerance"), where)
            listed = content["terms"]
            if not isinstance(listed, list) or not listed:
                raise self._refused(f"{where}.terms", "is not a list of terms, [{name = ..., loss = ..., ...}, ...]")
            for number, term in enumerate(listed, 1):
                at = f"{where}.terms[{number}]"
                self._keys(self._table(term, at), (*OF_TERM, *self.options), at)
                terms.append(self._term(at, term, defaults))
            names = [term.name for term in terms]
            if "value" in names:
                raise self._refused(f"{where}.terms", "'value' is the name of the total; call the term something else")
            twice = next((one for one in names if names.count(one) > 1), None)
            if twice is not None:
                raise self._refused(f"{where}.terms", f"{twice!r} is the name of two terms")
        else:
            self._keys(content, (*OWN, *self.options), where)
            terms = [self._term(where, content, defaults)]
        summed = "terms" in content
        # Those of the defaults are for losses: a sum has other statistics.
        asked = content.get("require", [] if summed else defaults.get("require", []))
        place = f"{where}.require" if "require" in content else "defaults.require"
        named = [term.name for term in terms] if summed else None
        requirements = tuple(self._requirements(asked, place, named))
        if any(wish.statistic in ("ece", "mce") for wish in requirements):
            terms = [replace(term, request=replace(term.request, calibration=True)) for term in terms]
        return Measure(
            name,
            tuple(terms),
            summed,
            requirements,
            self._tolerance(content.get("tolerance", {}), f"{where}.tolerance", tolerance, summed),
            self._line(name),
        )

    def _term(self, where: str, content: dict[str, Any], defaults: dict[str, Any]) -> Term:
        for key in ("loss", "predictions", "targets"):
            if key not in content and key not in defaults:
                raise self._refused(where, f"has no {key}; say {key} = {EXAMPLES[key]}, there or in [defaults]")
        loss = self._within(f"{where}.loss", lambda: single(self._spec(self._text(content["loss"], f"{where}.loss"))))
        family = loss.loss.family
        # A default is for the losses that take it, and need not be repeated as an exception for the others.
        shared = {
            key: value for key, value in defaults.items() if key in self.options and self.options[key].when(family)
        }
        given = shared | {key: value for key, value in content.items() if key in self.options}
        # False takes a default back, where it is not a value of its own.
        given = {key: value for key, value in given.items() if value is not False or key == "header"}
        values = {key: self._value(key, value, f"{where}.{key}") for key, value in given.items()}
        operands = [
            self._operand(content.get(key, defaults.get(key)), f"{where}.{key}") for key in ("predictions", "targets")
        ]
        library = self._library(content, defaults, where)
        weight = self._number(content.get("weight", 1.0), f"{where}.weight")
        name = self._text(content.get("name", loss.loss.name), f"{where}.name")
        request = self._within(where, lambda: self.requested(loss, operands[0], operands[1], values))
        if library is not None and "as" not in content and not _takes(library, request):
            library = None  # a default is for the losses that have it
        if request.reduction == "none":
            raise self._refused(f"{where}.reduction", "'none' leaves no number to measure; choose another")
        return Term(name, float(weight), request, library, tuple(key.replace("-", "_") for key in values))

    def _library(self, content: dict[str, Any], defaults: dict[str, Any], where: str) -> str | None:
        value = content.get("as", defaults.get("as"))
        if value is None or value is False:
            return None
        place = f"{where}.as" if "as" in content else "defaults.as"
        text = self._text(value, place)
        return str(self._within(place, lambda: _library(text)))

    def _operand(self, value: Any, where: str) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return repr(value)
        if not isinstance(value, str) or not value.strip():
            raise self._refused(where, f"{value!r} is neither a file's name in quotes nor a number")
        text = self._text(value, where)
        if text == "-" or text.startswith("-:"):
            raise self._refused(where, "is standard input; a suite reads files, which can be read again")
        return text if is_finite_number(text) and not os.path.exists(self._path(text)) else self._path(text)

    def _path(self, text: str) -> str:
        """A path as it is from the working folder; those of a suite are from its own."""
        joined = os.path.join(self.folder, text)
        if glob.has_magic(self.folder) and glob.has_magic(text) and not os.path.exists(joined):
            return os.path.join(glob.escape(self.folder), text)  # a pattern in a folder whose name looks like one
        return joined

    def _spec(self, text: str) -> str:
        """A SPEC whose file, if it names one, is from the suite's folder."""
        return os.path.normpath(self._path(text)) if is_own(text) else text

    def _value(self, key: str, value: Any, where: str) -> Any:
        """The value of an option, as the command line would have it."""
        kind = get_args(self.options[key].annotation)[0]
        kinds = [one for one in (get_args(kind) if get_origin(kind) is UnionType else (kind,)) if one is not NoneType]
        if get_origin(kinds[0]) is Literal:
            choices = get_args(kinds[0])
            if value not in choices:
                raise self._refused(
                    where, f"{value!r} is not {' or '.join(choices)}{did_you_mean(str(value), choices)}"
                )
            return value
        if kinds[0] is bool:
            if not isinstance(value, bool):
                raise self._refused(where, f"{value!r} is neither true nor false")
            return value
        if kinds[0] in (int, float):
            number = self._number(value, where)
            if kinds[0] is int and (isinstance(value, float) or abs(number) >= 2**53):
                raise self._refused(where, f"{_short(value)} is not a whole number")
            return kinds[0](value)
        if isinstance(value, dict):
            value = self._pairs(value, where)
        elif isinstance(value, list):
            value = self._listed(value, where)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = repr(value)
        text = value if value == "" else self._text(value, where)  # a column without a name is ''
        if key in FILES or (key in FILES_OR_WORDS and os.path.exists(self._path(text))):
            return self._path(text)
        return text

    def _number(self, value: Any, where: str) -> float:
        """A finite number; whole numbers of TOML have no end."""
        try:
            number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        except OverflowError:
            number = math.nan
        if not math.isfinite(number):
            raise self._refused(where, f"{_short(value)} is not a number that a float64 holds")
        return number

    def _pairs(self, table: Mapping[str, Any], where: str) -> str:
        """A table of names and numbers as the command line has it."""
        for name, value in table.items():
            self._number(value, f"{where}.{name}")
            if "," in name or "=" in name:
                raise self._refused(
                    f"{where}.{name}", "a name with a comma or '='; give a FILE with a name and a number a row"
                )
        return ",".join(f"{name}={value}" for name, value in table.items())

    def _listed(self, values: list[Any], where: str) -> str:
        """A list of names as the command line has it: those with commas in quotes."""
        out = io.StringIO()
        csv.writer(out, lineterminator="").writerow([self._text(value, where) for value in values])
        return out.getvalue()

    def _requirements(self, value: Any, where: str, terms: list[str] | None) -> list[Requirement]:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list):
            raise self._refused(where, "is not a list of requirements, as ['mean <= 0.35']")
        names = STATISTICS if terms is None else ("value", *terms)
        return [
            self._within(where, lambda text=text: Requirement.parse(self._text(text, where), "", names))  # type: ignore[misc]
            for text in listed
        ]

    def _tolerance(self, value: Any, where: str, above: Tolerance, summed: bool = False) -> Tolerance:
        table = self._table(value, where)
        self._keys(table, RATIO, where)
        numbers = {key: self._number(table[key], f"{where}.{key}") for key in RATIO[:2] if key in table}
        for key, number in numbers.items():
            if number < 0:
                raise self._refused(f"{where}.{key}", f"{number:g} is not a number >= 0")
        statistic = self._text(table.get("statistic", above.statistic), f"{where}.statistic")
        known = ("value",) if summed else STATISTICS
        if summed and "statistic" not in table:
            statistic = "value"
        if statistic not in known:
            raise self._refused(
                f"{where}.statistic",
                f"no statistic {statistic!r}{did_you_mean(statistic, known)}; there are {listing(known)}",
            )
        if not numbers:
            return Tolerance(above.absolute, above.relative, statistic)
        return Tolerance(numbers.get("absolute", 0.0), numbers.get("relative", 0.0), statistic)

    def _table(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._refused(where, f"is not a table; write [{where}] with keys below it, or {{ key = value }}")
        return value

    def _text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._refused(where, f"{value!r} is not a text in quotes")
        return value

    def _keys(self, table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in known:
                place = f"{where}.{key}" if where else key
                parameter = "loss" in known and "terms" not in table
                cure = f"; parameters of a loss stand in its SPEC, as loss = 'huber:{key}=1'" if parameter else ""
                guess = did_you_mean(key, known) or cure
                raise self._refused(place, f"no such key{guess}; there are {listing(known, 40)}")

    def _refused(self, where: str, fact: str) -> UsageError:
        return UsageError(f"{self.file}: {where}: {fact}")

    def _within(self, where: str, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except LosscliError as error:
            if str(error).startswith(f"{self.file}: {where}"):
                raise
            raise type(error)(f"{self.file}: {where}: {error}") from error

    def _line(self, name: str) -> int:
        spellings = (name, json.dumps(name), json.dumps(name, ensure_ascii=False), f"'{name}'")
        spelt = "|".join(map(re.escape, spellings))
        header = re.compile(rf"\s*\[\s*measure\s*\.\s*({spelt})\s*[.\]]")
        lines = enumerate(self.text.split("\n"), 1)
        return next((number for number, line in lines if header.match(line)), 1)


def _short(value: Any) -> str:
    """A value as it can be shown: whole numbers may have thousands of digits."""
    try:
        text = repr(value)
    except ValueError:
        return "a whole number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:60]}..."


def _takes(library: str, request: Request) -> bool:
    """Whether a library has the loss."""
    from losscli.libraries import libraries
    from losscli.libraries.steps import call_for

    try:
        call_for(libraries()[library], request)
    except UsageError:
        return False
    return True


def _library(text: str) -> str:
    from losscli.libraries.steps import parse

    names = parse(text)
    if len(names) > 1:
        raise UsageError(f"{text}: several libraries; name one")
    return names[0]


@dataclass
class Check:
    """A requirement, or the comparison with an earlier result: whether it is met, and in words."""

    what: str
    status: str
    actual: float | None
    words: str

    def record(self) -> dict[str, Any]:
        return {"check": self.what, "status": self.status, "actual": self.actual, "words": self.words}


@dataclass
class Outcome:
    """What became of a measurement."""

    measure: Measure
    results: list[Result | None]
    """Of each term; None for one that could not be measured."""
    errors: list[str]
    checks: list[Check] = field(default_factory=list)
    files: list[tuple[str, str]] = field(default_factory=list)

    @property
    def value(self) -> float | None:
        """The loss, or the weighted sum of the terms."""
        if any(result is None for result in self.results):
            return None
        return _total(self.measure.terms, self.results)

    @property
    def status(self) -> str:
        """'unmeasured' over 'not met' over 'met'."""
        if self.errors:
            return UNMEASURED
        found = {check.status for check in self.checks}
        return next((status for status in (UNMEASURED, UNMET) if status in found), MET)

    @property
    def signature(self) -> str:
        return " + ".join(
            ("" if term.weight == 1 else f"{term.weight:g} * ") + (result.signature if result else "?")
            for term, result in zip(self.measure.terms, self.results, strict=True)
        )

    def statistic(self, name: str) -> float | None:
        """A statistic of the measurement; of a sum its value, or a term's.

        Raises
        ------
        UsageError
            for one that such files have not.
        """
        if self.measure.summed:
            if name == "value":
                return self.value
            number = [term.name for term in self.measure.terms].index(name)
            result = self.results[number]
            return None if result is None else result.value
        result = self.results[0]
        return None if result is None else result.statistic(name)

    def record(self) -> dict[str, Any]:
        """With the keys of the JSON report, which is what a baseline file holds too."""
        measure = self.measure
        found: dict[str, Any] = {"name": measure.name, "status": self.status, "value": self.value}
        if measure.summed:
            found["terms"] = [
                {"name": term.name, "weight": term.weight, "value": None if result is None else result.value}
                | ({} if result is None else {"contribution": term.weight * float(result.value or 0.0)})
                | ({} if result is None else {"loss": result.loss, "parameters": dict(result.parameters)})
                for term, result in zip(measure.terms, self.results, strict=True)
            ]
        elif self.results[0] is not None:
            result = self.results[0]
            found |= {
                "loss": result.loss,
                "parameters": dict(result.parameters),
                "reduction": result.reduction,
                "samples": result.samples,
                "ignored": result.ignored,
                "summary": result.summary,
            }
        found["files"] = [{"predictions": one, "targets": other} for one, other in self.files]
        found["checks"] = [check.record() for check in self.checks]
        if self.errors:
            found["errors"] = self.errors
        return found | {"signature": self.signature}


@dataclass
class Report:
    """What became of a suite."""

    suite: Suite
    outcomes: list[Outcome]
    notes: list[str]
    files: frozenset[str]

    @property
    def status(self) -> str:
        found = {outcome.status for outcome in self.outcomes}
        return next((status for status in (UNMEASURED, UNMET) if status in found), MET)

    @property
    def measured(self) -> bool:
        """Whether there is a number of every measurement."""
        return not any(outcome.errors for outcome in self.outcomes)

    def counts(self) -> dict[str, int]:
        return {status: sum(one.status == status for one in self.outcomes) for status in (MET, UNMET, UNMEASURED)}

    def record(self) -> dict[str, Any]:
        """With the keys of JSON, and of a baseline file."""
        return {
            "suite": self.suite.name,
            "file": self.suite.file,
            "losscli": __version__,
            "status": self.status,
            "counts": self.counts(),
            "measures": [outcome.record() for outcome in self.outcomes],
        }


@dataclass
class Part:
    """A term on its way: its calculation, then its result, or why there is none."""

    term: Term
    calculation: Calculation | None = None
    result: Result | None = None
    error: str | None = None


def measure(
    suite: Suite,
    baseline: "Baseline | None" = None,
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Measure all that a suite asks for, and judge it."""
    openers: dict[bool | None, Opener] = {}
    parts = {(one.name, i): Part(term) for one in suite.measures for i, term in enumerate(one.terms)}
    for part in parts.values():
        request = part.term.request
        opener = openers.setdefault(request.header, Opener(request.header, looked))
        try:
            calculation = prepare(request, opener=opener, once=False)
            if part.term.library is not None:
                calculation = as_library(calculation, part.term.library, part.term.given)
            part.calculation = calculation
        except LosscliError as error:
            part.error = str(error)
    ready = [part for part in parts.values() if part.calculation is not None]
    while ready:
        first = ready[0]
        together = [part for part in ready if part is first or _alike(first, part)]
        ready = [part for part in ready if part not in together]
        _run(together, threads, begun, seen)
    outcomes, notes = [], []
    for one in suite.measures:
        own = [parts[one.name, i] for i in range(len(one.terms))]
        errors = [part.error for part in own if part.error is not None]
        if not errors and math.isnan(_total(one.terms, [part.result for part in own])):
            errors.append("the total is not a number: terms are infinite, of both signs or with the weight 0")
        files = [(part.term.request.predictions, part.term.request.targets) for part in own]
        outcome = Outcome(one, [part.result for part in own], list(dict.fromkeys(errors)), files=files)
        _judge(outcome, baseline)
        outcomes.append(outcome)
        for part in own:
            notes += [_named(one.name, note) for note in (part.calculation.notes if part.calculation else [])]
    paths = {path for opener in openers.values() for path in opener.paths} | {os.path.realpath(suite.file)}
    paths |= {path for part in parts.values() if part.calculation is not None for path in part.calculation.files}
    return Report(suite, outcomes, list(dict.fromkeys(notes)), frozenset(paths))


def _total(terms: Sequence[Term], results: "Sequence[Result | None]") -> float:
    """The weighted sum of the terms' values; NaN where infinities leave none."""
    parts = [term.weight * float(result.value or 0.0) for term, result in zip(terms, results, strict=True) if result]
    try:
        return math.fsum(parts)
    except (ValueError, OverflowError):
        return sum(parts)


def _named(name: str, note: str) -> str:
    warning = note.startswith("warning: ")
    return f"{'warning: ' if warning else ''}{name}: {note.removeprefix('warning: ')}"


def _alike(one: Part, other: Part) -> bool:
    assert one.calculation is not None
    assert other.calculation is not None
    return read_alike(one.calculation.job, other.calculation.job)


def _run(parts: list[Part], threads: int | None, begun: Callable[[Job], None], seen: Callable[[int], None]) -> None:
    """Make the results of parts whose predictions are the same, in one pass."""
    calculations = [part.calculation for part in parts if part.calculation is not None]
    jobs = [calculation.job for calculation in calculations]
    begun(jobs[0])
    try:
        with pool(threads_for(jobs[0], threads or available_threads())) as executor:
            partials = evaluate_together(jobs, executor, seen)
        for raw in calculations[0].raws:
            raw.check()
    except LosscliError as error:
        for part in parts:
            part.error = str(error)
        return
    for part, calculation, partial in zip(parts, calculations, partials, strict=True):
        try:
            part.result = calculation.finished(partial)
        except LosscliError as error:
            part.error = str(error)


def _judge(outcome: Outcome, baseline: "Baseline | None") -> None:
    """Evaluate the requirements, and compare with the earlier result."""
    for requirement in outcome.measure.requirements:
        if outcome.errors:
            outcome.checks.append(Check(requirement.text, UNMEASURED, None, "not measured"))
            continue
        try:
            actual = outcome.statistic(requirement.statistic)
        except UsageError as error:
            outcome.checks.append(Check(requirement.text, UNMEASURED, None, str(error).removeprefix("--require ")))
            continue
        status = MET if requirement.met(actual) else UNMET
        outcome.checks.append(Check(requirement.text, status, actual, f"{requirement.statistic} is {actual!r}"))
    if baseline is not None:
        outcome.checks.append(_compared(outcome, baseline))


def _compared(outcome: Outcome, baseline: "Baseline") -> Check:
    tolerance = outcome.measure.tolerance
    what = f"{tolerance.statistic} against {baseline.file}"
    if outcome.errors:
        return Check(what, UNMEASURED, None, "not measured")
    earlier = baseline.measures.get(outcome.measure.name)
    if earlier is None:
        why = f"{baseline.file} has no {outcome.measure.name!r}{did_you_mean(outcome.measure.name, baseline.measures)}"
        return Check(what, UNMEASURED, None, f"{why}; save it with --save")
    if _conventions(str(earlier.get("signature"))) != _conventions(outcome.signature):
        why = f"the earlier result was computed otherwise: {earlier.get('signature')}, now {outcome.signature}"
        return Check(what, UNMEASURED, None, f"{why}; save it anew with --save")
    try:
        actual = outcome.statistic(tolerance.statistic)
    except UsageError as error:
        return Check(what, UNMEASURED, None, str(error).removeprefix("--require "))
    before = earlier.get("value") if tolerance.statistic == "value" else _summary(earlier).get(tolerance.statistic)
    if not isinstance(before, float) or not math.isfinite(before) or actual is None:
        return Check(what, UNMEASURED, actual, f"{baseline.file} has no number for it; save it anew with --save")
    limit = tolerance.limit(before)
    change = actual - before
    share = divide(100 * change, abs(before))
    relative = "" if share != share else f", {share:+.3g} %"
    words = f"{before!r} before, {actual!r} now ({change:+.4g}{relative}); at most {limit!r}"
    return Check(what, MET if actual <= limit else UNMET, actual, words)


def _summary(earlier: Mapping[str, Any]) -> Mapping[str, Any]:
    found = earlier.get("summary")
    own = {key: earlier[key] for key in ("samples", "ignored") if key in earlier}
    return own | dict(found) if isinstance(found, Mapping) else own


def _conventions(signature: str) -> str:
    """A signature without the version, which may differ between two results that can be compared."""
    return re.sub(r"\|losscli:[^| ]*", "", signature)


@dataclass(frozen=True)
class Baseline:
    """Earlier results."""

    file: str
    measures: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls, file: str) -> "Baseline":
        """Read the JSON report of an earlier run.

        Raises
        ------
        DataError
            for a file that is missing, or none.
        """
        try:
            found = json.loads(Path(file).read_text(encoding="utf-8-sig"), parse_int=float)
        except OSError as error:
            raise DataError(
                f"{file}: cannot be read: {error.strerror or error} (the baseline); make it with losscli run ... --save {file}"
            ) from error
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise DataError(f"{file}: not JSON ({error}); save it again with --save") from error
        measures = found.get("measures") if isinstance(found, dict) else None
        if not isinstance(measures, list) or not all(isinstance(one, dict) and "name" in one for one in measures):
            raise DataError(f"{file}: not the result of losscli run; save it again with --save")
        return cls(file, {str(one["name"]): one for one in measures})
