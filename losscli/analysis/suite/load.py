"""Reading a suite: a TOML file becomes the records of `model`. `schema` has checked its tables before anything is made of them."""

import glob
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from losscli.analysis.suite.model import Measure, Suite, Tolerance
from losscli.analysis.suite.schema import (
    DefaultsTable,
    LossTable,
    MeasurementTable,
    Operand,
    Option,
    Requirements,
    SuiteTable,
    SumTable,
    TermTable,
    ToleranceTable,
    checked,
)
from losscli.custom import is_custom
from losscli.definition.address import is_remote, shown
from losscli.definition.loss import BoundLoss
from losscli.definition.options import FILES, FILES_OR_NUMBERS
from losscli.definition.request import Request
from losscli.errors import DataError, LosscliError, UsageError
from losscli.io.small_file import small_text
from losscli.io.table import is_finite_number
from losscli.libraries import libraries
from losscli.lookup.spec import single
from losscli.measurement import conventions
from losscli.measurement.requirement import REQUIRABLE, Requirement
from losscli.measurement.sums import Term
from losscli.records import replace
from losscli.wording import NESTED, deepest_line

FILES_OR_WORDS = ("classes", "class-weight", "class-counts")
"""Options whose value is a file if there is one of this name."""

Requested = Callable[[BoundLoss, str, str, Mapping[str, Any]], Request]
"""Makes a request of a loss, its operands and options, as the command line does."""


def load(file: str, options: Mapping[str, Option], requested: Requested) -> Suite:
    """Read a suite from a TOML file. Nothing is measured, and no file that it names is opened.

    Parameters
    ----------
    options
        the options of compute that a measurement may have, by name.
    requested
        makes a request of a loss, its operands and options.

    Raises
    ------
    DataError
        for a file that cannot be read, or is not TOML.
    UsageError
        for a key that does not exist, and a value outside its domain. The message names the file, the table and the key.
    """
    text = _text(file)
    try:
        content = tomllib.loads(text)
    except RecursionError as error:
        raise DataError(f"{file}:{deepest_line(text)}: {NESTED}; a suite has tables of two levels") from error
    except ValueError as error:  # TOMLDecodeError is one
        raise DataError(f"{file}: not TOML that can be read: {error}; correct it") from error
    return Loader(file, text, options, requested).suite(checked(file, content, options))


def _text(file: str) -> str:
    try:
        return small_text(file, "a suite is text that people write; is it the right file?")
    except OSError as error:
        hint = "; losscli run --init prints an example" if isinstance(error, FileNotFoundError) else ""
        raise DataError(f"{file}: cannot be read: {error.strerror or error}{hint}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 text; save it as UTF-8") from error


class Loader:
    """Makes records of a suite's tables. Defaults are filled in, and paths are those from the working folder."""

    def __init__(self, file: str, text: str, options: Mapping[str, Option], requested: Requested) -> None:
        self.file, self.text, self.options, self.requested = file, text, options, requested
        self.folder = os.path.dirname(file)

    def suite(self, table: SuiteTable) -> Suite:
        """The records of a whole suite."""
        defaults = table.defaults or DefaultsTable.model_construct()
        self._requirements(defaults.require, "defaults.require", REQUIRABLE)  # even where no measurement takes them
        tolerance = _tolerance(defaults.tolerance, _tolerance(table.tolerance, Tolerance()))
        measures = tuple(self._measure(name, one, defaults, tolerance) for name, one in table.measure.items())
        name = table.name or os.path.basename(self.file).removesuffix(".toml")
        return Suite(self.file, name, measures, None if table.baseline is None else self._path(table.baseline))

    def _measure(
        self, name: str, table: MeasurementTable | SumTable, defaults: DefaultsTable, tolerance: Tolerance
    ) -> Measure:
        where = f"measure.{name}"
        summed = isinstance(table, SumTable)
        if isinstance(table, SumTable):
            terms = [self._term(f"{where}.terms[{i}]", term, defaults) for i, term in enumerate(table.terms, 1)]
            statistics = ("value", *self._names(terms, f"{where}.terms"))
        else:
            terms, statistics = [self._term(where, table, defaults)], REQUIRABLE
        # The requirements of the defaults are for losses: a sum has other statistics.
        own = table.require is not None or summed
        requirements = self._requirements(
            table.require if own else defaults.require, f"{where if own else 'defaults'}.require", statistics
        )
        each: tuple[Requirement, ...] = ()
        if isinstance(table, MeasurementTable):
            terms, each = self._sliced(where, table, defaults, terms)
        for requirement in requirements:
            terms = [replace(term, request=replace(term.request, **requirement.wanted)) for term in terms]
        allowed = _tolerance(table.tolerance, replace(tolerance, statistic="value") if summed else tolerance)
        return Measure(name, tuple(terms), summed, requirements, allowed, self._line(name), each)

    def _sliced(
        self, where: str, table: MeasurementTable, defaults: DefaultsTable, terms: list[Term]
    ) -> tuple[list[Term], tuple[Requirement, ...]]:
        """The terms of a measurement with its slices, and what is required of these."""
        columns = table.by if "by" in table.model_fields_set else defaults.by
        listed = [columns] if isinstance(columns, str) else columns or []
        own = table.require_each is not None
        texts = table.require_each if own else defaults.require_each
        place = f"{where if own else 'defaults'}.require-each"
        if own and texts and not listed:
            raise self._refused(place, "of which slices? Say by = 'COLUMN' as well, there or in [defaults]")
        if not listed:  # a default is for the measurements that have slices
            return terms, ()
        by = tuple(self._column(text) for text in listed)
        listed_texts = [texts] if isinstance(texts, str) else texts or []
        with self._within(place):
            each = tuple(Requirement.of_each(text, "") for text in listed_texts)
        return [replace(term, request=replace(term.request, by=by)) for term in terms], each

    def _column(self, text: str) -> str:
        """What names a column as it is from the working folder: a name stays, and FILE or FILE:COLUMN has its path."""
        file = text if os.path.exists(self._path(text)) else text.rpartition(":")[0]
        is_file = is_remote(text) or (file and (glob.has_magic(file) or os.path.exists(self._path(file))))
        return self._path(text) if is_file else text

    def _names(self, terms: list[Term], where: str) -> list[str]:
        """The names of terms, by which requirements call them."""
        names = [term.name for term in terms]
        if "value" in names:
            raise self._refused(where, "'value' is the name of the total; call the term something else")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise self._refused(where, f"{twice!r} is the name of two terms; give one of them another name = '...'")
        return names

    def _term(self, where: str, table: LossTable, defaults: DefaultsTable) -> Term:
        predictions = self._operand(where, "predictions", table.predictions, defaults.predictions)
        targets = self._operand(where, "targets", table.targets, defaults.targets)
        with self._within(f"{where}.loss"):
            loss = single(os.path.normpath(self._path(table.loss)) if is_custom(table.loss) else table.loss)
        # A default is for the losses that take it, and need not be repeated as an exception for the others.
        shared = {key: value for key, value in self._given(defaults).items() if self.options[key].when(loss.family)}
        values = {key: value for key, value in (shared | self._given(table)).items() if value is not None}
        values = {key: self._resolved(key, value) for key, value in values.items()}
        library = self._library(where, table, defaults)
        with self._within(where):
            request = self.requested(loss, predictions, targets, values)
        if library is not None and table.library is None and not _has(library, request):
            library = None  # a default is for the losses that the library has
        if request.reduction == "none":
            raise self._refused(f"{where}.reduction", "'none' leaves no number to measure; choose another")
        name, weight = (table.name, table.weight) if isinstance(table, TermTable) else (None, 1.0)
        return Term(name or loss.name, weight, request, library, tuple(key.replace("-", "_") for key in values))

    def _given(self, table: DefaultsTable | LossTable) -> dict[str, Any]:
        """The options that a table has, by name; None for those whose default it takes back."""
        return {key: getattr(table, key) for key in self.options if key in table.model_fields_set}

    def _library(self, where: str, table: LossTable, defaults: DefaultsTable) -> str | None:
        own = "library" in table.model_fields_set
        text = table.library if own else defaults.library
        if not text:
            return None
        with self._within(f"{where if own else 'defaults'}.as"):
            first, *others = conventions.parse(text)
            if others:
                raise UsageError(f"{text}: several libraries; name one")
        return first

    def _operand(self, where: str, key: str, own: Operand | None, default: Operand | None) -> str:
        value = default if own is None else own
        if value is None:
            example = "'FILE'" if key == "predictions" else "'FILE', or a number"
            raise self._refused(where, f"has no {key}; say {key} = {example}, there or in [defaults]")
        if not isinstance(value, str):
            return repr(value)
        return value if is_finite_number(value) and not os.path.exists(self._path(value)) else self._path(value)

    def _path(self, text: str) -> str:
        """A path as it is from the working folder; those of a suite are from its own."""
        if is_remote(text):
            return shown(text)
        joined = os.path.join(self.folder, text)
        if glob.has_magic(self.folder) and glob.has_magic(text) and not os.path.exists(joined):
            return os.path.join(glob.escape(self.folder), text)  # a pattern in a folder whose name looks like one
        return joined

    def _resolved(self, key: str, value: Any) -> Any:
        """The value of an option, with the path of one that is a file."""
        if key == "group" and isinstance(value, str):
            return self._column(value)
        there = isinstance(value, str) and os.path.exists(self._path(value))
        number = key in FILES_OR_NUMBERS and is_finite_number(value) and not there
        is_file = (key in FILES and not number) or (key in FILES_OR_WORDS and there)
        return self._path(value) if is_file else value

    def _requirements(
        self, texts: Requirements | None, where: str, statistics: tuple[str, ...]
    ) -> tuple[Requirement, ...]:
        listed = [texts] if isinstance(texts, str) else texts or []
        with self._within(where):
            return tuple(Requirement.parse(text, "", statistics) for text in listed)

    def _refused(self, where: str, fact: str) -> UsageError:
        return UsageError(f"{self.file}: {where}: {fact}")

    @contextmanager
    def _within(self, where: str) -> Iterator[None]:
        """Errors inside name the file and the place."""
        try:
            yield
        except LosscliError as error:
            raise type(error)(f"{self.file}: {where}: {error}") from error

    def _line(self, name: str) -> int:
        """The line of the file in which a measurement begins, and 1 where that is not found."""
        spellings = (name, json.dumps(name), json.dumps(name, ensure_ascii=False), f"'{name}'")
        spelt = "|".join(map(re.escape, spellings))
        header = re.compile(rf"\s*\[\s*measure\s*\.\s*({spelt})\s*[.\]]")
        lines = enumerate(self.text.split("\n"), 1)
        return next((number for number, line in lines if header.match(line)), 1)


def _tolerance(table: ToleranceTable | None, above: Tolerance) -> Tolerance:
    """The tolerance of a table; what it does not say is as in `above`."""
    if table is None:
        return above
    statistic = table.statistic if "statistic" in table.model_fields_set else above.statistic
    if table.absolute is None and table.relative is None:
        return replace(above, statistic=statistic)
    return Tolerance(table.absolute or 0.0, table.relative or 0.0, statistic)


def _has(library: str, request: Request) -> bool:
    """Whether a library has the loss."""
    try:
        conventions.call_for(libraries()[library], request)
    except UsageError:
        return False
    return True
