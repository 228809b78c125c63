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
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Protocol, get_args, get_origin

from losscli.analysis.suite.model import Measure, Suite, Term, Tolerance
from losscli.custom import is_custom
from losscli.definition.loss import BoundLoss
from losscli.definition.request import Request
from losscli.errors import DataError, LosscliError, UsageError
from losscli.io.table import is_finite_number
from losscli.lookup.spec import single
from losscli.measurement.requirement import STATISTICS, Requirement
from losscli.wording import did_you_mean, listing

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
        family = loss.family
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
        name = self._text(content.get("name", loss.name), f"{where}.name")
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
        return os.path.normpath(self._path(text)) if is_custom(text) else text

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
    from losscli.measurement.conventions import call_for

    try:
        call_for(libraries()[library], request)
    except UsageError:
        return False
    return True


def _library(text: str) -> str:
    from losscli.measurement.conventions import parse

    names = parse(text)
    if len(names) > 1:
        raise UsageError(f"{text}: several libraries; name one")
    return names[0]
