"""Running a suite: what can be measured is measured, judged by its requirements, and compared with earlier results.

A measurement that fails does not stop the others. Measurements of the same predictions share one pass over them.
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

from losscli.analysis.shared.records import without_version
from losscli.analysis.suite.model import MET, UNMEASURED, UNMET, Check, Measure, Outcome, Part, Report, Suite
from losscli.definition.dialect import Dialect
from losscli.engine.aggregates import divide
from losscli.engine.job import Job
from losscli.errors import DataError, LosscliError, UsageError
from losscli.io.bytes import Looked
from losscli.io.operands import Opener
from losscli.io.small_file import MOST_BYTES_OF_RESULTS, small_text
from losscli.io.strict_json import restored
from losscli.measurement.requirement import Requirement
from losscli.measurement.sums import contribution, measured_together, prepared, total, undefined
from losscli.records import dataclass
from losscli.wording import did_you_mean, fault_of, quoted


def measure(
    suite: Suite,
    baseline: "Baseline | None" = None,
    threads: int | None = None,
    looked: Looked = lambda name, done, size: None,
    begun: Callable[[Job], None] = lambda job: None,
    seen: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Measure and judge everything that a suite asks for.

    Parameters
    ----------
    baseline
        earlier results, which each measurement is compared with.
    threads
        the number of threads. Default: the cores that this process may use.
    looked, begun, seen
        are told of the progress: of bytes that are read before a pass, of a pass that begins, and of its rows.

    A measurement that fails has its errors in the report; it raises none.
    """
    parts, paths = _prepared(suite, looked)
    ready = [(part, part.measurement) for part in parts.values() if part.measurement is not None]
    found = measured_together([measurement for _, measurement in ready], threads, begun, seen)
    for (part, _), result in zip(ready, found, strict=True):
        if isinstance(result, LosscliError):
            part.error = str(result)
        else:
            part.result = result
    outcomes = [_outcome(one, [parts[one.name, i] for i in range(len(one.terms))], baseline) for one in suite.measures]
    measured = [(name, part.measurement) for (name, _), part in parts.items() if part.measurement is not None]
    notes = [_named(name, note) for name, measurement in measured for note in measurement.notes]
    return Report(suite, outcomes, list(dict.fromkeys(notes)), paths)


def _prepared(suite: Suite, looked: Looked) -> tuple[dict[tuple[str, int], Part], frozenset[str]]:
    """Open the files of a suite; return its terms by measurement and number, and the paths of all that is read.

    Files that several terms name are opened once.
    """
    openers: dict[tuple[bool | None, Dialect, str | None], Opener] = {}
    parts = {(one.name, i): Part(term) for one in suite.measures for i, term in enumerate(one.terms)}
    for part in parts.values():
        request = part.term.request
        read_alike = request.header, request.dialect, request.dtype
        _prepare(part, openers.setdefault(read_alike, Opener.of(request, looked)))
    paths = {os.path.realpath(suite.file), *(path for opener in openers.values() for path in opener.paths)}
    for part in parts.values():
        paths |= set() if part.measurement is None else set(part.measurement.files)
    return parts, frozenset(paths)


def _prepare(part: Part, opener: Opener) -> None:
    """Open the files of a term and decide how it is measured; or note why it cannot be."""
    try:
        part.measurement = prepared(part.term, opener)
    except LosscliError as error:
        part.error = str(error)


def _outcome(measure: Measure, parts: list[Part], baseline: "Baseline | None") -> Outcome:
    """What has come of a measurement whose terms are all measured or have failed."""
    results = [part.result for part in parts]
    errors = [part.error for part in parts if part.error is not None]
    if not errors and math.isnan(total(measure.terms, results)):
        errors.append(undefined(results))
    files = [(part.term.request.predictions, part.term.request.targets or "") for part in parts]
    outcome = Outcome(measure, results, list(dict.fromkeys(errors)), files=files)
    _judge(outcome, baseline)
    return outcome


def _named(name: str, note: str) -> str:
    """A note with the name of its measurement, after the word 'warning' if it begins with that."""
    warning = note.startswith("warning: ")
    return f"{'warning: ' if warning else ''}{name}: {note.removeprefix('warning: ')}"


def _judge(outcome: Outcome, baseline: "Baseline | None") -> None:
    """Add the checks of an outcome: its requirements, and the comparison with an earlier result."""
    for requirement in outcome.measure.requirements:
        if outcome.errors:
            outcome.checks.append(Check(requirement.text, UNMEASURED, None, "not measured"))
            continue
        try:
            actual = outcome.required(requirement)
        except UsageError as error:
            outcome.checks.append(Check(requirement.text, UNMEASURED, None, str(error).removeprefix("--require ")))
            continue
        status = MET if requirement.met(actual) else UNMET
        outcome.checks.append(Check(requirement.text, status, actual, f"{requirement.statistic} is {actual!r}"))
    for requirement in outcome.measure.each:
        outcome.checks += _of_slices(outcome, requirement)
    if baseline is not None:
        outcome.checks.append(_compared(outcome, baseline))


def _of_slices(outcome: Outcome, requirement: Requirement) -> list[Check]:
    """The checks of a requirement of every slice, one for each."""
    result = outcome.results[0]
    what = f"{requirement.text} of each by {' and '.join(outcome.measure.terms[0].request.by)}"
    if outcome.errors or result is None:
        return [Check(what, UNMEASURED, None, "not measured")]
    try:
        entries = result.of_each(requirement)
    except UsageError as error:
        return [Check(what, UNMEASURED, None, str(error).removeprefix("--require-each "))]
    return [
        Check(
            f"{entry['require']} of {entry['by']} = {entry['slice'] or '(empty)'}",
            MET if entry["met"] else UNMET,
            entry["actual"],
            f"{requirement.statistic} is {'undefined' if entry['actual'] is None else repr(entry['actual'])}",
            (entry["by"], entry["slice"]),
            requirement.text,
        )
        for entry in entries
    ]


def _compared(outcome: Outcome, baseline: "Baseline") -> Check:
    """The check of an outcome against the earlier result of its name."""
    tolerance = outcome.measure.tolerance
    what = f"{tolerance.statistic} against {baseline.file}"
    if outcome.errors:
        return Check(what, UNMEASURED, None, "not measured")
    earlier = baseline.measures.get(outcome.measure.name)
    if earlier is None:
        why = f"{baseline.file} has no {outcome.measure.name!r}{did_you_mean(outcome.measure.name, baseline.measures)}"
        return Check(what, UNMEASURED, None, f"{why}; save it with --save")
    if without_version(str(earlier.get("signature"))) != without_version(outcome.signature):
        why = f"the earlier result was computed otherwise: {earlier.get('signature')}, now {outcome.signature}"
        return Check(what, UNMEASURED, None, f"{why}; save it anew with --save")
    try:
        actual = outcome.statistic(tolerance.statistic)
    except UsageError as error:
        return Check(what, UNMEASURED, None, str(error).removeprefix("--require "))
    before = earlier.get("value") if tolerance.statistic == "value" else _summary(earlier).get(tolerance.statistic)
    if not isinstance(before, float) or not math.isfinite(before) or actual is None:
        return Check(what, UNMEASURED, actual, f"{baseline.file} has no number for it; save it anew with --save")
    limit = tolerance.limit(before, _size(outcome, before), outcome.computed_in)
    change = actual - before
    share = divide(100 * change, abs(before))
    relative = "" if share != share else f", {share:+.3g} %"
    words = f"{before!r} before, {actual!r} now ({change:+.4g}{relative}); at most {limit.most!r} ({limit.why})"
    if actual <= limit.most:
        return Check(what, MET, actual, words)
    return Check(what, UNMET, actual, words + _other_arithmetic(earlier, outcome))


def _size(outcome: Outcome, before: float) -> float:
    """What rounding is relative to: the earlier number or, if it is a sum of terms, which may cancel, their sizes."""
    sizes = [
        abs(contribution(term, result))
        for term, result in zip(outcome.measure.terms, outcome.results, strict=True)
        if result
    ]
    return max(abs(before), sum(sizes)) if outcome.measure.summed else abs(before)


def _other_arithmetic(earlier: Mapping[str, Any], outcome: Outcome) -> str:
    """What to say where the earlier result was computed with other instructions or another NumPy; else nothing."""
    before, now = earlier.get("arithmetic"), outcome.arithmetic
    if not isinstance(before, dict) or before == now or now is None:
        return ""
    then, here = (
        ", ".join(f"{key} {value}" for key, value in one.items() if key != "dispatched") for one in (before, now)
    )
    if then == here:
        return ""
    return f"; it was computed with {then}, and now with {here}, which may change the last digits"


def _summary(earlier: Mapping[str, Any]) -> Mapping[str, Any]:
    """The statistics of an earlier result, by name."""
    found = earlier.get("summary")
    own = {key: earlier[key] for key in ("samples", "ignored") if key in earlier}
    return own | dict(found) if isinstance(found, Mapping) else own


@dataclass(frozen=True)
class Baseline:
    """Earlier results: the record of each measurement, by its name."""

    file: str
    measures: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls, file: str) -> "Baseline":
        """Read the JSON report of an earlier run.

        Raises
        ------
        DataError
            for a file that cannot be read, or is not such a report.
        """
        try:
            text = small_text(
                file, "a baseline is what losscli run --save writes; is it the right file?", MOST_BYTES_OF_RESULTS
            )
            found = json.loads(text, parse_int=float)
        except OSError as error:
            raise DataError(
                f"{file}: cannot be read: {error.strerror or error} (the baseline); make it with losscli run SUITE.toml --save {quoted(file)}"
            ) from error
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise DataError(f"{file}: not JSON that can be read ({fault_of(error)}); {cls._cure(file)}") from error
        measures = restored(found).get("measures") if isinstance(found, dict) else None
        if not isinstance(measures, list) or not all(isinstance(one, dict) and "name" in one for one in measures):
            raise DataError(f"{file}: not the result of losscli run; {cls._cure(file)}")
        return cls(file, {str(one["name"]): one for one in measures})

    @staticmethod
    def _cure(file: str) -> str:
        return f"is it the right file? If so, delete it and make it with losscli run SUITE.toml --save {quoted(file)}"
